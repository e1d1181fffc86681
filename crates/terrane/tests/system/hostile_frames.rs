//! Whatever is thrown at the socket: a reason, an end, and a server that stays up.

use std::io::{Read as _, Write as _};

use motion::Input;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use wire::{ClientMessage, Hello, InputBatch, Ping, Place, Say, ServerMessage};

use crate::support::{Account, DEADLINE, Player, Server, garbage, run, run_at_most, wait_at_most};

/// The server still welcomes a newcomer, and is the same process.
async fn check_alive(server: &Server) {
    let newcomer = Account::new(server).await;
    newcomer.enter(server).await.frame().await;
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
}

/// The code with which a connection ends after this first message.
async fn first_message(server: &Server, message: Message) -> String {
    let mut player = Player::connect(server).await;
    player.send_raw(message).await;
    player.expect_bye().await.code
}

fn hello(hello: Hello) -> Message {
    Message::Binary(ClientMessage::Hello(hello).encode().into())
}

#[test]
fn a_wrong_first_message_is_answered_with_a_reason() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let right = account.hello();
        let place = |latitude_deg, longitude_deg| Some(Place { latitude_deg, longitude_deg });
        let cases = [
            (Message::text("hello"), "bad_message"),
            (Message::Binary(Bytes::new()), "bad_message"),
            (Message::Binary(ClientMessage::Leave.encode().into()), "hello_expected"),
            (hello(Hello { protocol_version: 0, ..right.clone() }), "protocol_mismatch"),
            (hello(Hello { protocol_version: u32::MAX, ..right.clone() }), "protocol_mismatch"),
            (hello(Hello { protocol_hash: right.protocol_hash ^ 1, ..right.clone() }), "protocol_mismatch"),
            (hello(Hello { access_token: String::new(), ..right.clone() }), "token_invalid"),
            (hello(Hello { access_token: "a.b.c".into(), ..right.clone() }), "token_invalid"),
            (hello(Hello { access_token: "é".repeat(1_000), ..right.clone() }), "token_invalid"),
            (hello(Hello { resume_token: vec![1; 15], ..right.clone() }), "bad_message"),
            (hello(Hello { arrive_at: place(f64::NAN, 0.0), ..right.clone() }), "bad_message"),
            (hello(Hello { arrive_at: place(0.0, f64::INFINITY), ..right.clone() }), "bad_message"),
            (hello(Hello { arrive_at: place(1e308, -1e308), ..right.clone() }), "bad_message"),
            (hello(Hello { arrive_at: place(90.001, 0.0), ..right.clone() }), "bad_message"),
            (Message::Binary(vec![1; 5_000].into()), "bad_message"),
            (Message::Binary(vec![1; 20_000].into()), "message_too_large"),
        ];
        for (message, code) in cases {
            let shown = format!("{message:?}").chars().take(120).collect::<String>();
            assert_eq!(first_message(&server, message).await, code, "{shown}");
        }
        check_alive(&server).await;
    });
}

#[test]
fn garbage_is_answered_with_a_reason() {
    let server = Server::start();
    run(async {
        for bytes in garbage(40) {
            let code = first_message(&server, Message::Binary(bytes.clone().into())).await;
            assert!(["bad_message", "hello_expected"].contains(&code.as_str()), "{bytes:?}: {code}");
        }
        let account = Account::new(&server).await;
        for bytes in garbage(40).step_by(3) {
            let mut player = account.enter(&server).await;
            // A second hello, an unknown kind, a cut message: nothing here is a message of its own.
            let kind = [1, 2, 3, 4, 9, 65, 255][bytes.len() % 7];
            let message = [&[kind], &bytes[..]].concat();
            if ClientMessage::decode(&message).is_ok_and(|read| read.kind() != wire::Kind::Hello) {
                continue;
            }
            player.send_raw(Message::Binary(message.clone().into())).await;
            assert_eq!(player.expect_bye().await.code, "bad_message", "{message:?}");
        }
        check_alive(&server).await;
    });
}

#[test]
fn oversized_and_text_messages_end_a_running_session() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        for (message, code) in [
            (Message::Binary(vec![3; 16 * 1024 + 1].into()), "message_too_large"),
            (Message::Binary(vec![3; 8 * 1024].into()), "bad_message"),
            (Message::text("{}"), "bad_message"),
        ] {
            let mut player = account.enter(&server).await;
            player.send_raw(message).await;
            assert_eq!(player.expect_bye().await.code, code);
        }
        check_alive(&server).await;
    });
}

#[test]
fn a_socket_that_says_nothing_is_closed_in_time() {
    let server = Server::start();
    run(async {
        let silent = Player::connect(&server).await;
        let began_at = std::time::Instant::now();
        assert_eq!(silent.expect_bye().await.code, "hello_timeout");
        let waited_s = began_at.elapsed().as_secs_f64();
        assert!((4.0..8.0).contains(&waited_s), "{waited_s} s");
    });
}

/// A line to the server on which nothing passes any more once it is cut, and neither end is told: the cable of a
/// network, not the end of a program.
struct Cable {
    address: std::net::SocketAddr,
    cut: tokio::sync::watch::Sender<bool>,
}

impl Cable {
    async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cut, is_cut) = tokio::sync::watch::channel(false);
        let host = server.host().to_owned();
        tokio::spawn(async move {
            let (near, _) = listener.accept().await.unwrap();
            let far = TcpStream::connect(host).await.unwrap();
            let (from_near, to_near) = near.into_split();
            let (from_far, to_far) = far.into_split();
            tokio::spawn(Self::carry(from_near, to_far, is_cut.clone()));
            Self::carry(from_far, to_near, is_cut).await;
        });
        Self { address, cut }
    }

    async fn carry(
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        mut is_cut: tokio::sync::watch::Receiver<bool>,
    ) {
        tokio::select! {
            _ = tokio::io::copy(&mut from, &mut to) => {}
            _ = is_cut.wait_for(|it| *it) => {}
        }
        // Both ends stay open for as long as the test lives.
        std::future::pending::<()>().await;
    }
}

#[test]
fn a_connection_that_went_dead_without_a_word_is_ended_and_its_body_can_be_taken_up_again() {
    let server = Server::start();
    let patience = 3 * DEADLINE;
    run_at_most(2 * patience, async {
        let account = Account::new(&server).await;
        let cable = Cable::to(&server).await;
        let mut player = Player::over(TcpStream::connect(cable.address).await.unwrap(), &server).await;
        player.send(&ClientMessage::Hello(account.hello())).await;
        player.expect_welcome().await;
        player.frame().await;
        assert_eq!(server.metric("terrane_sockets").await, Some(1.0));
        cable.cut.send(true).unwrap();
        // Thirty seconds without a word, and not by chance of a closed socket.
        wait_at_most(patience, "the end of a dead connection", || async {
            let is_over = server.metric("terrane_sockets").await == Some(0.0);
            is_over.then_some(())
        })
        .await;
        let resume_token = player.welcome.resume_token.clone();
        let mut again = Player::connect(&server).await;
        again.send(&ClientMessage::Hello(Hello { resume_token, ..account.hello() })).await;
        again.expect_welcome().await;
        assert!(again.welcome.resumed);
        assert_eq!(again.welcome.entity_id, player.welcome.entity_id);
        again.frame().await;
        drop(player);
        check_alive(&server).await;
    });
}

#[test]
fn too_much_is_refused_and_far_too_much_ends_the_session() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let mut flooder = account.enter(&server).await;
        for _ in 0..3_000 {
            flooder.send(&ClientMessage::Ping(Ping { client_time_ms: f64::NAN })).await;
        }
        assert_eq!(flooder.expect_bye().await.code, "flooding");
        check_alive(&server).await;
    });
}

#[test]
fn who_talks_more_than_the_operator_allows_is_refused_on_a_second_connection_too() {
    let server = Server::start_in("[limits]\nchat = \"3/min burst 3\"", &[("TERRANE_LIMITS_FACTOR", "1")]);
    run(async {
        let account = Account::new(&server).await;
        let talk = ClientMessage::Say(Say { text: "again".into() });
        let mut talker = account.enter(&server).await;
        for _ in 0..4 {
            talker.send(&talk).await;
        }
        assert_eq!(talker.expect_refused().await, "too_fast");
        talker.frame().await;
        let mut again = account.enter(&server).await;
        again.send(&talk).await;
        assert_eq!(again.expect_refused().await, "too_fast");
        again.frame().await;
        let mut other = Account::new(&server).await.enter(&server).await;
        other.send(&talk).await;
        let heard = |message: &ServerMessage<'_>| match message {
            ServerMessage::Said(said) => Some(said.text.clone()),
            _ => None,
        };
        assert_eq!(other.until("their own voice", heard).await, "again");
        check_alive(&server).await;
    });
}

#[test]
fn inputs_out_of_order_move_nobody_where_they_should_not_be() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let mut player = account.enter(&server).await;
        player.frame().await;
        let start = player.seen.position;
        let run = Input::new(motion::Buttons::ALL, start);
        for first_seq in [5_000, 0, 1, 1, u32::MAX - 20, 7, 3] {
            let batch = InputBatch { first_seq, inputs: vec![run; 16] };
            player.send(&ClientMessage::Input(batch)).await;
        }
        for _ in 0..10 {
            player.frame().await;
        }
        // At most what a second of running and jumping gives.
        let moved_m = player.seen.position.distance(start);
        assert!(moved_m < 15.0, "{moved_m} m");
        check_alive(&server).await;
    });
}

#[test]
fn bytes_that_are_no_websocket_hurt_nobody() {
    let server = Server::start();
    let send = |bytes: &[u8]| {
        let mut stream = std::net::TcpStream::connect(server.host()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(bytes).unwrap();
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    for bytes in garbage(24) {
        send(&bytes);
    }
    let upgrade = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.host()
    );
    for frame in [
        &[0x82, 0x00][..],
        &[0xff; 40],
        &[0x80; 3],
        &[0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ] {
        let answer = send(&[upgrade.as_bytes(), frame].concat());
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000));
    let answer = send(long.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{}", &answer[..answer.len().min(200)]);
    run(check_alive(&server));
}
