//! A storm: many join within seconds while others never read; do those who were there first notice?
//!
//! All clients are of this one process: on a machine that has other work its own lateness counts too.
//!
//! `cargo run --release -p bots --example storm -- URL [JOINS] [DEAF]`, against a server started for it. Exits with 1
//! if somebody could not join or those who watch got less than nine frames in some second.

use bots::{Client, ConnectOptions, DeviceKey, Event, Login, Site};
use futures_util::SinkExt as _;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use wire::{ClientMessage, Hello};

const WITNESSES: usize = 20;
const JOIN_TIME: Duration = Duration::from_secs(5);
/// Longer than the deaf ones' buffers last and a reader may be slow.
const WATCH_TIME: Duration = Duration::from_secs(50);
const FRAMES_PER_S_MIN: usize = 9;
const LOGINS_AT_ONCE: usize = 32;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "http://127.0.0.1:7380".into());
    let mut count = |otherwise| arguments.next().map_or(otherwise, |text| text.parse().expect("a number"));
    let (joins, deaf) = (count(1_000), count(300));
    let site = Site::open(&url).await.expect("the server can be reached");

    let mut logins = log_in(&site, WITNESSES + joins + deaf).await.into_iter();
    let mut watching = JoinSet::new();
    for login in logins.by_ref().take(WITNESSES) {
        let client = enter(&site, &login).await.expect("the first ones get in");
        watching.spawn(watch(client));
    }
    let mut silent = Vec::new();
    for login in logins.by_ref().take(deaf) {
        silent.push(enter_deaf(&url, &login).await);
    }
    println!("{WITNESSES} watch, {} never read; {joins} join within {JOIN_TIME:?}", silent.len());

    let began_at = Instant::now();
    let mut joining = JoinSet::new();
    for (n, login) in (0_u32..).zip(logins) {
        let site = site.clone();
        let at = began_at + JOIN_TIME * n / u32::try_from(joins).expect("a sensible number");
        joining.spawn(async move {
            sleep_until(at).await;
            let asked_at = Instant::now();
            let client = enter(&site, &login).await?;
            let waited = asked_at.elapsed();
            Ok::<_, String>((waited, tokio::spawn(stay(client, n % 10 == 0))))
        });
    }
    let joined = joining.join_all().await;
    let failures: Vec<_> = joined.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    let mut waits: Vec<_> = joined.iter().flatten().map(|(waited, _)| *waited).collect();
    waits.sort_unstable();
    let at = |share: usize| waits.get(waits.len() * share / 100).copied().unwrap_or_default();
    println!(
        "{} joined in {:?}, waiting {:?} (median), {:?} (p99)",
        waits.len(),
        began_at.elapsed(),
        at(50),
        at(99)
    );
    if let Some(first) = failures.first() {
        println!("{} could not join, for example: {first}", failures.len());
    }

    let seconds: Vec<Vec<usize>> = watching.join_all().await;
    let worst = seconds.iter().flatten().min().copied().unwrap_or_default();
    let frames: usize = seconds.iter().flatten().sum();
    let mean = frames as f64 / seconds.iter().map(Vec::len).sum::<usize>().max(1) as f64;
    println!("those who watch: {mean:.2} frames/s, {worst} in the worst second of any of them");
    let by_second: Vec<_> = (0..seconds[0].len())
        .map(|second| {
            seconds.iter().filter_map(|of_one| of_one.get(second)).min().copied().unwrap_or_default()
        })
        .collect();
    println!("least in each second: {by_second:?}");
    drop(silent);
    if failures.is_empty() && worst >= FRAMES_PER_S_MIN { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn log_in(site: &Site, count: usize) -> Vec<Login> {
    let mut logins = Vec::new();
    while logins.len() < count {
        let mut some = JoinSet::new();
        for _ in 0..LOGINS_AT_ONCE.min(count - logins.len()) {
            let site = site.clone();
            some.spawn(
                async move { site.log_in(&DeviceKey::random(), None).await.expect("anybody may log in") },
            );
        }
        logins.extend(some.join_all().await);
    }
    logins
}

async fn enter(site: &Site, login: &Login) -> Result<Client, String> {
    Client::connect(site, login, ConnectOptions::default()).await.map_err(|error| error.to_string())
}

/// How many frames came in each second.
async fn watch(mut client: Client) -> Vec<usize> {
    let (began_at, mut frames) = (Instant::now(), Vec::new());
    while began_at.elapsed() < WATCH_TIME {
        match client.next().await {
            Ok(Event::Frame { .. }) => {
                let second = began_at.elapsed().as_secs() as usize;
                frames.resize(frames.len().max(second + 1), 0);
                frames[second] += 1;
            }
            Ok(Event::Bye(bye)) => {
                println!(
                    "one who watches was sent away after {:?}: {}, {frames:?}",
                    began_at.elapsed(),
                    bye.code
                );
                return frames;
            }
            Ok(_) => {}
            Err(error) => {
                println!("one who watches was lost after {:?}: {error}, {frames:?}", began_at.elapsed());
                return frames;
            }
        }
    }
    // The last one is cut short.
    frames.pop();
    frames.truncate(WATCH_TIME.as_secs() as usize - 1);
    frames
}

/// Reads, and walks straight on if asked to.
async fn stay(mut client: Client, walks: bool) {
    let mut wakes = interval(Duration::from_millis(100));
    let look = client.body().facing;
    loop {
        tokio::select! {
            event = client.next() => if event.is_err() { return },
            _ = wakes.tick(), if walks => {
                for _ in 0..client.pace().hz() / 10 {
                    client.step(motion::Buttons::FORWARD, look);
                }
                if client.send_inputs().await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Enters with the smallest buffer, so that what is not read stays with the server.
async fn enter_deaf(url: &str, login: &Login) -> impl Sized + use<> {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let socket = TcpSocket::new_v4().expect("the system has sockets");
    socket.set_recv_buffer_size(4_096).expect("buffers may be small");
    let stream = socket.connect(host.parse().expect("an address and a port")).await.expect("it listens");
    let (mut socket, _) = client_async(format!("ws://{host}/ws"), stream).await.expect("it upgrades");
    let hello = ClientMessage::Hello(Hello {
        protocol_version: wire::PROTOCOL_VERSION,
        protocol_hash: wire::PROTOCOL_HASH,
        access_token: login.access_token.clone(),
        ..Hello::default()
    });
    socket.send(Message::Binary(hello.encode().into())).await.expect("a hello is short");
    socket
}
