//! The world over WebTransport: the same protocol, frames and inputs as datagrams, and what hostile clients make of it.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glam::DVec3;
use motion::{Buttons, Input};
use serde_json::Value;
use tokio::time::timeout;
use wire::{ClientMessage, InputBatch, Missed, Ping, Say, ServerMessage, View};
use wtransport::error::ConnectingError;
use wtransport::tls::Sha256Digest;
use wtransport::{ClientConfig, Connection, Endpoint, RecvStream, SendStream};

use crate::support::{Account, DEADLINE, Server, garbage, run, run_at_most};

/// One who has come by WebTransport.
struct Traveller {
    connection: Connection,
    sending: SendStream,
    receiving: RecvStream,
    received: Vec<u8>,
    view: View,
    place: DVec3,
    tick: u32,
    /// Every so many datagrams one is lost.
    loses_every: usize,
    datagrams: usize,
    frames_by_stream: usize,
    next_seq: u32,
    entity_id: u32,
}

/// What the planet tells of it: address and hashes.
async fn told(server: &Server) -> (String, Vec<Sha256Digest>) {
    let planet = reqwest::get(format!("{}/api/v1/planet", server.url())).await.unwrap();
    let planet: Value = planet.json().await.unwrap();
    let told = &planet["webtransport"];
    let hashes = told["certificate_hashes"].as_array().unwrap().iter().map(|hash| {
        let bytes = STANDARD.decode(hash.as_str().unwrap()).unwrap();
        Sha256Digest::new(bytes.try_into().unwrap())
    });
    (told["url"].as_str().unwrap().to_owned(), hashes.collect())
}

async fn open(
    url: &str,
    hashes: Vec<Sha256Digest>,
    origin: Option<&str>,
) -> Result<Connection, ConnectingError> {
    let config = ClientConfig::builder()
        .with_bind_address("127.0.0.1:0".parse().unwrap())
        .with_server_certificate_hashes(hashes)
        .build();
    let mut options = wtransport::endpoint::ConnectOptions::builder(url);
    if let Some(origin) = origin {
        options = options.add_header("origin", origin);
    }
    timeout(DEADLINE, Endpoint::client(config).unwrap().connect(options.build()))
        .await
        .expect("an answer in time")
}

impl Traveller {
    async fn enter(server: &Server, account: &Account, loses_every: usize) -> Self {
        let mut traveller = Self::connect(server, loses_every).await;
        traveller.send(&ClientMessage::Hello(account.hello())).await;
        let welcome =
            match ServerMessage::decode(&traveller.next_of_stream().await.expect("an answer")).unwrap() {
                ServerMessage::Welcome(welcome) => welcome,
                other => panic!("no welcome: {other:?}"),
            };
        traveller.next_seq = welcome.last_input_seq + 1;
        traveller.entity_id = welcome.entity_id;
        traveller
    }

    async fn connect(server: &Server, loses_every: usize) -> Self {
        let (url, hashes) = told(server).await;
        let connection = open(&url, hashes, Some(server.url())).await.unwrap();
        let (sending, receiving) = connection.open_bi().await.unwrap().await.unwrap();
        Self {
            connection,
            sending,
            receiving,
            received: vec![],
            view: View::default(),
            place: DVec3::ZERO,
            tick: 0,
            loses_every,
            datagrams: 0,
            frames_by_stream: 0,
            next_seq: 1,
            entity_id: 0,
        }
    }

    async fn send(&mut self, message: &ClientMessage) {
        self.send_bytes(&message.encode()).await;
    }

    async fn send_bytes(&mut self, message: &[u8]) {
        let length = u32::try_from(message.len()).unwrap().to_le_bytes();
        // A server that has closed already is no failure here: the test looks at what it said.
        let _ = self.sending.write_all(&[&length, message].concat()).await;
    }

    /// The next message of the stream; none at its end.
    async fn next_of_stream(&mut self) -> Option<Vec<u8>> {
        timeout(DEADLINE, next_message(&mut self.receiving, &mut self.received))
            .await
            .expect("something in time")
    }

    /// The next message, by stream or datagram; none at the end.
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let next = async {
                tokio::select! {
                    message = next_message(&mut self.receiving, &mut self.received) => (message, false),
                    datagram = self.connection.receive_datagram() => (datagram.ok().map(|it| it.to_vec()), true),
                }
            };
            let (message, is_datagram) = timeout(DEADLINE, next).await.expect("something in time");
            if is_datagram {
                self.datagrams += 1;
                if self.loses_every > 0 && self.datagrams.is_multiple_of(self.loses_every) {
                    continue;
                }
            } else if message.as_ref().is_some_and(|message| message[0] == wire::Kind::Frame as u8) {
                self.frames_by_stream += 1;
            }
            return message;
        }
    }

    /// Takes in messages until a frame of a newer tick has come; asks for what is missing. Gives how many cells wait.
    async fn frame(&mut self) -> usize {
        loop {
            let message = self.next().await.expect("the world goes on");
            let ServerMessage::Frame(frame) = ServerMessage::decode(&message).unwrap() else { continue };
            let waiting = self.view.apply(&frame).expect("blocks can be read");
            let missed: Vec<u64> = self.view.take_missed(15).iter().map(|cell| cell.raw()).collect();
            let tick = frame.head.tick;
            let place = frame.head.own.position;
            if !missed.is_empty() {
                self.send(&ClientMessage::Missed(Missed { cells: missed })).await;
            }
            if tick > self.tick {
                (self.tick, self.place) = (tick, place);
                return waiting;
            }
        }
    }

    /// Runs, each datagram with the newest inputs once more.
    fn run(&mut self, history: &mut Vec<Input>) {
        history.extend([Input::new(Buttons::FORWARD, DVec3::Z); 3]);
        let count = history.len().min(16);
        let newest = history[history.len() - count..].to_vec();
        let first_seq = self.next_seq + (history.len() - count) as u32;
        let batch = ClientMessage::Input(InputBatch { first_seq, inputs: newest });
        self.connection.send_datagram(batch.encode()).unwrap();
    }

    /// The code of the last message.
    async fn expect_bye(mut self) -> String {
        let mut code = None;
        while let Some(message) = self.next().await {
            if let ServerMessage::Bye(bye) = ServerMessage::decode(&message).unwrap() {
                code = Some(bye.code);
            }
        }
        code.expect("a reason before the end")
    }
}

async fn next_message(receiving: &mut RecvStream, received: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(length) = received.first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            if received.len() >= 4 + length {
                let message = received[4..4 + length].to_vec();
                received.drain(..4 + length);
                return Some(message);
            }
        }
        let mut some = [0; 4_096];
        match receiving.read(&mut some).await {
            Ok(Some(count)) => received.extend_from_slice(&some[..count]),
            Ok(None) | Err(_) => return None,
        }
    }
}

/// The server still welcomes a newcomer, and has not panicked.
async fn check_alive(server: &Server) {
    let newcomer = Account::new(server).await;
    Traveller::enter(server, &newcomer, 0).await.frame().await;
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn one_walks_and_talks_over_webtransport_with_one_on_a_websocket() {
    let server = Server::start();
    run(async {
        let (ann, bob) = (Account::new(&server).await, Account::new(&server).await);
        let mut by_socket = bob.enter(&server).await;
        let mut traveller = Traveller::enter(&server, &ann, 0).await;
        traveller.frame().await;
        let start = traveller.place;
        let mut history = vec![];
        for _ in 0..15 {
            traveller.frame().await;
            traveller.run(&mut history);
        }
        let moved_m = traveller.place.distance(start);
        assert!(moved_m > 1.0, "inputs come by datagram: {moved_m} m");
        assert!(traveller.datagrams >= 10, "frames come by datagram: {}", traveller.datagrams);
        assert!(traveller.frames_by_stream >= 1, "the first, which begins anew, must arrive");
        by_socket.frame().await;
        assert!(by_socket.seen.sees(traveller.entity_id));
        traveller.send(&ClientMessage::Say(Say { text: "hello".into() })).await;
        let said = by_socket.until("something said", |message| match message {
            ServerMessage::Said(said) => Some(said.text.clone()),
            _ => None,
        });
        assert_eq!(said.await, "hello");
        traveller.send(&ClientMessage::Leave).await;
        assert_eq!(traveller.expect_bye().await, "left");
    });
}

#[test]
fn what_is_lost_on_the_way_is_asked_for_and_comes_again() {
    let server = Server::start();
    run(async {
        let mut others = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let mut other = Account::new(&server).await.enter(&server).await;
            others.spawn(async move {
                loop {
                    other.walk(6, DVec3::Z).await;
                }
            });
        }
        let ann = Account::new(&server).await;
        let mut traveller = Traveller::enter(&server, &ann, 3).await;
        let mut history = vec![];
        let mut waited = 0;
        for _ in 0..60 {
            waited += traveller.frame().await;
            traveller.run(&mut history);
        }
        assert!(waited > 0, "something was missed");
        // With nothing lost any more everything is known again, and everybody is seen.
        traveller.loses_every = 0;
        let began_at = Instant::now();
        while traveller.frame().await > 0 || traveller.view.body_count() < 5 {
            assert!(began_at.elapsed() < Duration::from_secs(5), "{} bodies", traveller.view.body_count());
        }
    });
}

#[test]
fn a_planet_that_does_not_serve_it_does_not_tell_of_it() {
    let server = Server::start_configured("[http]\nwebtransport = 'off'\n");
    run(async {
        let planet = reqwest::get(format!("{}/api/v1/planet", server.url())).await.unwrap();
        let planet: Value = planet.json().await.unwrap();
        assert!(planet.get("webtransport").is_none(), "{planet}");
        Account::new(&server).await.enter(&server).await.frame().await;
    });
}

#[test]
fn other_pages_paths_and_certificates_are_refused() {
    let server = Server::start();
    run(async {
        let (url, hashes) = told(&server).await;
        assert_eq!(hashes.len(), 2, "the present one and the next");
        let evil = open(&url, hashes.clone(), Some("https://evil.example")).await;
        assert!(matches!(evil, Err(ConnectingError::SessionRejected)), "{evil:?}");
        let elsewhere = open(&url.replace("/wt", "/ws"), hashes.clone(), None).await;
        assert!(matches!(elsewhere, Err(ConnectingError::SessionRejected)), "{elsewhere:?}");
        assert!(open(&url, vec![hashes[1].clone()], None).await.is_err(), "the next is not in use");
        assert!(open(&url, hashes, None).await.is_ok(), "no page at all");
        check_alive(&server).await;
    });
}

#[test]
fn hostile_datagrams_and_streams_end_with_a_reason_or_are_ignored() {
    let server = Server::start();
    run_at_most(5 * DEADLINE, async {
        let account = Account::new(&server).await;
        // Of kinds that no datagram has.
        let mut traveller = Traveller::enter(&server, &account, 0).await;
        for bytes in garbage(30).filter(|bytes| !bytes.first().is_some_and(|kind| [2, 5, 7].contains(kind))) {
            let _ = traveller.connection.send_datagram(&bytes[..bytes.len().min(1_000)]);
        }
        let leave = ClientMessage::Leave.encode();
        traveller.connection.send_datagram(leave).unwrap();
        for _ in 0..5 {
            traveller.frame().await;
        }
        // Of a kind that they may have, and broken.
        traveller.connection.send_datagram([2, 1, 0]).unwrap();
        assert_eq!(traveller.expect_bye().await, "bad_message");
        // Too many.
        let flooder = Traveller::enter(&server, &account, 0).await;
        let flood = async {
            let ping = ClientMessage::Ping(Ping { client_time_ms: 0.0 }).encode();
            loop {
                for _ in 0..50 {
                    if flooder.connection.send_datagram(&ping).is_err() {
                        return;
                    }
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(DEADLINE, flood).await.expect("the connection is ended");
        // A message longer than any.
        let mut traveller = Traveller::enter(&server, &account, 0).await;
        let _ = traveller.sending.write_all(&u32::MAX.to_le_bytes()).await;
        assert_eq!(traveller.expect_bye().await, "message_too_large");
        // Before the hello.
        let mut stranger = Traveller::connect(&server, 0).await;
        stranger.send(&ClientMessage::Leave).await;
        assert_eq!(stranger.expect_bye().await, "hello_expected");
        // More streams than one: ignored, whatever is in them.
        let mut traveller = Traveller::enter(&server, &account, 0).await;
        for _ in 0..3 {
            let (mut sending, _receiving) = traveller.connection.open_bi().await.unwrap().await.unwrap();
            let _ = timeout(Duration::from_millis(200), sending.write_all(&vec![7; 20_000])).await;
        }
        traveller.frame().await;
        traveller.frame().await;
        check_alive(&server).await;
    });
}

#[test]
fn one_who_opens_nothing_or_says_nothing_is_let_go_and_a_stop_is_told() {
    let mut server = Server::start();
    run(async {
        let (url, hashes) = told(&server).await;
        let idle = open(&url, hashes, None).await.unwrap();
        let began_at = Instant::now();
        let silent = Traveller::connect(&server, 0).await;
        // The stream shows with its first bytes only, so both are the same to the server.
        timeout(DEADLINE, idle.closed()).await.expect("it ends");
        timeout(DEADLINE, silent.connection.closed()).await.expect("it ends");
        let waited_s = began_at.elapsed().as_secs_f64();
        assert!((4.0..8.0).contains(&waited_s), "{waited_s} s");
    });
    let bye = run(async {
        let account = Account::new(&server).await;
        let mut traveller = Traveller::enter(&server, &account, 0).await;
        traveller.frame().await;
        let (code, bye) =
            tokio::join!(tokio::task::spawn_blocking(move || server.stop()), traveller.expect_bye());
        assert_eq!(code.unwrap(), Some(0));
        bye
    });
    assert_eq!(bye, "shutting_down");
}
