//! How many messages a second this machine carries at all: one `send` of ready bytes after the other to many loopback
//! sockets, and a reader in another process that reads as light bots do and throws everything away.
//!
//! `cargo run --release -p bots --example bare_sends -- [CLIENTS] [BYTES] [SECONDS] [HZ]`; without HZ as fast as it goes.
//! One line of JSON.

use mio::net::TcpStream as PolledStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// `/proc/PID/stat` counts in hundredths of a second.
const CLOCK_TICKS_PER_S: f64 = 100.0;
const WARM_UP: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: usize| {
        arguments.get(at).map_or(otherwise, |text| text.parse().expect("numbers are numbers"))
    };
    let outcome = if arguments.first().is_some_and(|it| it == "--read") {
        read(number(1, 0), number(2, 0))
    } else {
        send(number(0, 5_000), number(1, 400), number(2, 10), number(3, 0))
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn send(clients: usize, bytes: usize, seconds: usize, hz: usize) -> std::io::Result<()> {
    bots::allow_sockets(clients).map_err(std::io::Error::other)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let mut reader = Command::new(std::env::current_exe()?)
        .args(["--read", &port.to_string(), &clients.to_string()])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut streams = Vec::with_capacity(clients);
    for _ in 0..clients {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        streams.push(stream);
    }
    let message = vec![0x2a; bytes];
    let mut round = Round { streams, message, sent: 0, full: 0 };
    round.run(WARM_UP, hz)?;
    (round.sent, round.full) = (0, 0);
    let (began_at, cpu_before_s) = (Instant::now(), cpu_s());
    round.run(Duration::from_secs(seconds as u64), hz)?;
    let (elapsed_s, cpu_s) = (began_at.elapsed().as_secs_f64(), cpu_s() - cpu_before_s);
    let per_s = round.sent as f64 / elapsed_s;
    println!(
        "{{\"clients\":{clients},\"bytes\":{bytes},\"messages_per_s\":{per_s:.0},\"hz\":{:.2},\"full\":{},\
         \"cpu_us_per_message\":{:.2}}}",
        per_s / clients as f64,
        round.full,
        cpu_s * 1e6 / round.sent as f64
    );
    // An end that comes together with bytes is one that it might not notice.
    reader.kill()?;
    reader.wait()?;
    Ok(())
}

struct Round {
    streams: Vec<TcpStream>,
    message: Vec<u8>,
    sent: u64,
    /// Sockets that took nothing because they were full.
    full: u64,
}

impl Round {
    fn run(&mut self, time: Duration, hz: usize) -> std::io::Result<()> {
        let began_at = Instant::now();
        let mut rounds = 0_u32;
        while began_at.elapsed() < time {
            for stream in &self.streams {
                let mut stream = stream;
                match stream.write(&self.message) {
                    Ok(written) if written == self.message.len() => self.sent += 1,
                    Ok(_) => self.full += 1,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => self.full += 1,
                    Err(error) => return Err(error),
                }
            }
            rounds += 1;
            if hz > 0 {
                let due = Duration::from_secs_f64(f64::from(rounds) / hz as f64);
                std::thread::sleep(due.saturating_sub(began_at.elapsed()));
            }
        }
        Ok(())
    }
}

/// Reads until every socket is closed, or it is ended.
fn read(port: usize, clients: usize) -> std::io::Result<()> {
    bots::allow_sockets(clients).map_err(std::io::Error::other)?;
    let mut poll = Poll::new()?;
    let mut streams = Vec::with_capacity(clients);
    let port = u16::try_from(port).map_err(std::io::Error::other)?;
    for index in 0..clients {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nonblocking(true)?;
        let mut stream = PolledStream::from_std(stream);
        poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
        streams.push(stream);
    }
    let (mut open, mut events, mut buffer) = (clients, Events::with_capacity(1_024), vec![0; 1 << 20]);
    while open > 0 {
        poll.poll(&mut events, None)?;
        for event in &events {
            let stream = &mut streams[event.token().0];
            // Less than there is room for: nothing is left.
            match stream.read(&mut buffer) {
                Ok(0) => {
                    open -= 1;
                    poll.registry().deregister(stream)?;
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => open -= 1,
            }
        }
    }
    Ok(())
}

/// CPU time of this process so far.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rfind(')').map_or("", |at| &stat[at + 2..]);
    let ticks: f64 = fields.split(' ').skip(11).take(2).filter_map(|it| it.parse::<f64>().ok()).sum();
    ticks / CLOCK_TICKS_PER_S
}
