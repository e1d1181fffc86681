//! What sending a frame costs beside the system's own `send` of the same bytes: `bench/run sends`.
//!
//! The readers are a process of their own, so that the CPU time of this one is that of sending. Rounds of the two ways
//! take turns; what counts is the median of the ratios of neighbours.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::net::{SendFlags, send};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use tokio::net::{TcpListener, TcpStream};
use zone::testing::{Client, Mail};
use zone::{Carrier, Frame, Hands, Waiting};

use super::line::Line;

const ROUNDS: usize = 9;
const SENDS_PER_ROUND: usize = 10;
const SEND_INTERVAL: Duration = Duration::from_millis(100);

/// Tells a process that it is the readers.
const READERS: &str = "TERRANE_BENCH_READERS";

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

fn allow_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// The other process: connects so often, and throws away what comes.
#[test]
#[ignore = "the other half of a measurement"]
fn readers() {
    let Ok(told) = std::env::var(READERS) else { return };
    let (address, count) = told.split_once(' ').unwrap();
    let (address, count): (std::net::SocketAddr, usize) = (address.parse().unwrap(), count.parse().unwrap());
    allow_files();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut reading = tokio::task::JoinSet::new();
        for _ in 0..count {
            let stream = TcpStream::connect(address).await.unwrap();
            reading.spawn(async move {
                while stream.readable().await.is_ok() {
                    match stream.try_read(&mut [0; 16 * 1024]) {
                        Ok(0) => break,
                        Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break,
                        _ => {}
                    }
                }
            });
        }
        println!("connected");
        std::io::stdout().flush().unwrap();
        while reading.join_next().await.is_some() {}
    });
}

/// Counts how many have been served.
struct Counting {
    line: Line,
    served: Arc<AtomicUsize>,
}

impl Carrier for Counting {
    fn carry(&self, waiting: &Waiting, hands: &mut Hands) {
        self.line.carry(waiting, hands);
        self.served.fetch_add(1, Ordering::Release);
    }
}

fn start_readers(address: std::net::SocketAddr, count: usize) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "socket::sends::readers"])
        .env(READERS, format!("{address} {count}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    std::thread::spawn(move || {
        let mut all = String::new();
        let _ = out.read_to_string(&mut all);
    });
    child
}

/// A frame as a plaza's: the own part, and pieces of a buffer that all share.
fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n * 31) as u8).collect()
}

#[test]
#[ignore = "a measurement: bench/run sends"]
fn frames_against_a_bare_send() {
    allow_files();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut table = String::new();
    for (count, frame_bytes, threads) in
        [(1_000, 200, 1), (1_000, 2_000, 1), (5_000, 200, 1), (5_000, 2_000, 1), (5_000, 2_000, 2)]
    {
        let (ours, bare, ratios) = measure(&runtime, count, frame_bytes, threads);
        writeln!(
            table,
            "{count:>6} connections, {frame_bytes:>5} bytes, {threads} threads: {:.2} us a send, bare {:.2} us, ratio {:.3} \
             ({:.3} to {:.3})",
            median(ours),
            median(bare),
            median(ratios.clone()),
            ratios.iter().copied().fold(f64::MAX, f64::min),
            ratios.iter().copied().fold(0.0, f64::max),
        )
        .unwrap();
    }
    print!("{table}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(
    runtime: &tokio::runtime::Runtime,
    count: usize,
    frame_bytes: usize,
    threads: usize,
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (mut readers, lines) = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let readers = start_readers(listener.local_addr().unwrap(), count);
        let mut lines = Vec::new();
        for _ in 0..count {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            // Known to be writable before anything is sent.
            stream.writable().await.unwrap();
            lines.push(stream);
        }
        (readers, lines)
    });
    let served = Arc::new(AtomicUsize::new(0));
    // The same sockets both ways.
    let raw: Vec<_> = lines.iter().map(|stream| rustix::io::dup(stream).unwrap()).collect();
    let clients: Vec<Client> = lines
        .into_iter()
        .map(|stream| {
            let line = Line::new(stream.into_split().1, None);
            Client::carried_by(Arc::new(Counting { line, served: Arc::clone(&served) }))
        })
        .collect();
    let mail = Mail::start(threads);
    let frame = Frame::from(content(frame_bytes));
    let mut bare_bytes = vec![0x82, 126, 0, 0];
    bare_bytes[2..].copy_from_slice(&u16::try_from(frame_bytes).unwrap().to_be_bytes());
    bare_bytes.extend_from_slice(&content(frame_bytes));
    let sends = (count * SENDS_PER_ROUND) as f64;
    let ours = || {
        paced(|| {
            let before = served.load(Ordering::Acquire);
            let dropped = mail.send(clients.iter().map(|client| (client, frame.clone())));
            assert_eq!(dropped, 0);
            while served.load(Ordering::Acquire) < before + count {
                std::thread::sleep(Duration::from_millis(1));
            }
        })
    };
    let bare = || {
        paced(|| {
            for socket in &raw {
                let sent = send(socket, &bare_bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
                assert_eq!(sent.ok(), Some(bare_bytes.len()), "the reader keeps up");
            }
        })
    };
    // Once each, not counted.
    ours();
    bare();
    let mut found = (vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let (one, other) = if round % 2 == 0 {
            let one = ours();
            (one, bare())
        } else {
            let other = bare();
            (ours(), other)
        };
        let (one, other) = (one.as_secs_f64() * 1e6 / sends, other.as_secs_f64() * 1e6 / sends);
        found.0.push(one);
        found.1.push(other);
        found.2.push(one / other);
    }
    for client in &clients {
        let mut left = vec![];
        client.waiting().take_all(&mut left);
        assert!(left.is_empty(), "everything was sent");
    }
    readers.kill().unwrap();
    readers.wait().unwrap();
    found
}

/// The CPU time of so many sends to all, one every tenth of a second.
fn paced(mut send_all: impl FnMut()) -> Duration {
    let mut due = Instant::now();
    let mut used = Duration::ZERO;
    for _ in 0..SENDS_PER_ROUND {
        let before = cpu();
        send_all();
        used += cpu().saturating_sub(before);
        due += SEND_INTERVAL;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    used
}
