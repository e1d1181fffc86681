//! Light clients against a server of the usual library that plays its part by hand.

use super::{LightSettings, Lights, enter};
use crate::client::{ClientError, ConnectOptions};
use crate::mind::{Mind, Want};
use crate::site::Login;
use crate::tally::Tally;
use glam::DVec3;
use motion::{Body, Buttons, Mode};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept};
use wire::{Bye, ClientMessage, Frame, FrameHead, Hello, Ping, Refused, ServerMessage, Welcome};

const RADIUS_M: f64 = 796_375.0;

fn login() -> Login {
    Login {
        access_token: "token".into(),
        refresh_token: String::new(),
        account_id: uuid::Uuid::nil(),
        display_name: "Somebody".into(),
        is_new: true,
    }
}

fn body() -> Body {
    Body { position: DVec3::X * RADIUS_M, velocity: DVec3::ZERO, facing: DVec3::Y, mode: Mode::Grounded }
}

type Play = Box<dyn FnOnce(&mut Part) + Send>;

/// The server's side of one connection.
struct Part(WebSocket<TcpStream>);

impl Part {
    fn tell(&mut self, message: &ServerMessage<'_>) {
        // Somebody may have left already.
        let _ = self.0.send(Message::Binary(message.encode().into()));
    }

    fn frame(&mut self, tick: u32, is_restart: bool) {
        let head = FrameHead { tick, is_restart, level: 14, last_input_seq: 0, own: body() };
        self.tell(&ServerMessage::Frame(Frame { head, dropped: vec![], blocks: vec![] }));
    }

    /// The next message of the protocol.
    fn hear(&mut self) -> ClientMessage {
        loop {
            if let Message::Binary(bytes) = self.0.read().unwrap() {
                return ClientMessage::decode(&bytes).unwrap();
            }
        }
    }

    fn welcome(&mut self) -> Hello {
        let ClientMessage::Hello(hello) = self.hear() else { panic!("no hello first") };
        self.tell(&ServerMessage::Welcome(Welcome {
            tick_hz: 30,
            send_hz: 10,
            last_input_seq: 7,
            body: Some((&body()).into()),
            ..Welcome::default()
        }));
        hello
    }
}

/// Plays the server to as many clients as there are parts; what the clients report once all have left.
async fn play(parts: Vec<Play>, input_hz: f64) -> Tally {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let count = parts.len();
    let server: JoinHandle<()> = std::thread::spawn(move || {
        let parts = parts.into_iter().map(|part| {
            let mut connection = Part(accept(listener.accept().unwrap().0).unwrap());
            std::thread::spawn(move || part(&mut connection))
        });
        for part in parts.collect::<Vec<_>>() {
            part.join().unwrap();
        }
    });
    let lights = Lights::start(LightSettings { threads: 2, input_hz }).unwrap();
    for number in 0..count {
        let entered = enter(&host, &login(), ConnectOptions::default()).await.unwrap();
        assert_eq!(entered.welcome.last_input_seq, 7);
        lights.take(number, entered, Mind::new(1, Want::Travel, RADIUS_M));
    }
    tokio::task::spawn_blocking(move || {
        server.join().unwrap();
        lights.leave()
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_light_client_walks_answers_and_counts() {
    let part = |connection: &mut Part| {
        assert_eq!(connection.welcome().access_token, "token");
        connection.frame(30, true);
        // Two parts of one moment, then one that tells to start again.
        connection.frame(33, false);
        connection.frame(33, false);
        connection.frame(36, true);
        connection.tell(&ServerMessage::Refused(Refused { code: "too_fast".into(), detail: String::new() }));
        connection.0.send(Message::Ping("still there?".into())).unwrap();
        let (mut next_seq, mut walked, mut has_answered) = (8, 0, false);
        while walked < 30 || !has_answered {
            match connection.0.read().unwrap() {
                Message::Binary(bytes) => match ClientMessage::decode(&bytes).unwrap() {
                    ClientMessage::Input(batch) => {
                        assert_eq!(batch.first_seq, next_seq, "inputs are numbered without a gap");
                        next_seq = batch.last_seq() + 1;
                        walked += batch.inputs.len();
                        assert!(batch.inputs.iter().all(|input| input.buttons.has(Buttons::FORWARD)));
                    }
                    ClientMessage::Ping(Ping { .. }) => {}
                    other => panic!("{other:?}"),
                },
                Message::Pong(payload) => has_answered = payload == "still there?",
                other => panic!("{other:?}"),
            }
        }
        connection.tell(&ServerMessage::Bye(Bye { code: "idle".into(), ..Bye::default() }));
    };
    let tally = play(vec![Box::new(part)], 20.0).await;
    assert_eq!((tally.frames, tally.restarts, tally.clients), (3, 1, 1));
    assert_eq!(tally.refused.get("too_fast"), Some(&1));
    assert!(tally.inputs >= 30, "{} steps", tally.inputs);
    assert_eq!(tally.reasons.keys().next().map(String::as_str), Some("bye idle: "));
}

#[tokio::test]
async fn many_share_the_threads_and_each_ending_is_told_apart() {
    let parts = (0..40_u32).map(|number| -> Play {
        Box::new(move |connection| {
            connection.welcome();
            for tick in 1..=50 {
                connection.frame(3 * tick, tick == 1);
            }
            if number % 4 == 0 {
                // A message that is none.
                connection.0.send(Message::Binary(vec![0x42, 1, 2].into())).unwrap();
            }
            // Nobody sends anything, so the next is the client's end.
            let _ = connection.0.read();
        })
    });
    let parts = parts.collect::<Vec<_>>();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let lights = Lights::start(LightSettings { threads: 2, input_hz: 0.0 }).unwrap();
    let server = std::thread::spawn(move || {
        let threads = parts.into_iter().map(|part| {
            let mut connection = Part(accept(listener.accept().unwrap().0).unwrap());
            std::thread::spawn(move || {
                part(&mut connection);
                // Whoever asks to leave is told so.
                connection.tell(&ServerMessage::Bye(Bye { code: "left".into(), ..Bye::default() }));
            })
        });
        threads.collect::<Vec<_>>()
    });
    for number in 0..40 {
        let entered = enter(&host, &login(), ConnectOptions::default()).await.unwrap();
        lights.take(number, entered, Mind::new(1, Want::Stand, RADIUS_M));
    }
    let tally = tokio::task::spawn_blocking(move || {
        let threads = server.join().unwrap();
        let tally = lights.leave();
        for thread in threads {
            let _ = thread.join();
        }
        tally
    });
    let tally = tally.await.unwrap();
    assert_eq!((tally.clients, tally.frames, tally.restarts), (40, 40 * 50, 0));
    assert_eq!(tally.reasons, [("a frame that cannot be read".to_owned(), 10)].into());
}

#[tokio::test]
async fn who_is_not_let_in_hears_why() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let mut connection = Part(accept(listener.accept().unwrap().0).unwrap());
        connection.hear();
        connection.tell(&ServerMessage::Bye(Bye { code: "full".into(), ..Bye::default() }));
        // The second one meets a server that closes without a word.
        drop(accept(listener.accept().unwrap().0).unwrap());
    });
    let refused = enter(&host, &login(), ConnectOptions::default()).await.map(drop);
    assert!(matches!(refused, Err(ClientError::Bye(bye)) if bye.code == "full"));
    let refused = enter(&host, &login(), ConnectOptions::default()).await.map(drop);
    assert!(matches!(refused, Err(ClientError::Closed | ClientError::Socket(_))));
    server.join().unwrap();
}
