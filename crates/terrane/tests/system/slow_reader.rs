//! One who reads too slowly is told so and sent away; nobody else notices.

use std::time::{Duration, Instant};

use glam::DVec3;
use tokio::net::TcpSocket;
use wire::{ClientMessage, Say, ServerMessage, TEXT_MAX_CHARS};

use crate::support::{Account, Player, Server, run, wait_at_most};

/// How long a reader may stay behind before it is sent away.
const SLOW_FOR: Duration = Duration::from_secs(10);

/// Filling the buffers takes some seconds more.
const PATIENCE: Duration = Duration::from_secs(40);

/// The slow one reads one message in the time of so many frames.
const FRAMES_PER_READ: usize = 5;

#[test]
fn a_slow_reader_is_disconnected_with_a_reason() {
    // Small buffers on both sides, so that the server notices soon.
    let server = Server::start_configured("[http]\nsocket_send_buffer_bytes = 4096\n");
    run(async {
        let (slow, quick) = (Account::new(&server).await, Account::new(&server).await);
        let socket = TcpSocket::new_v4().unwrap();
        socket2::SockRef::from(&socket).set_recv_buffer_size(8_192).unwrap();
        // As over a network: with a segment larger than this buffer the system would wait between two of them for
        // longer than anybody here.
        socket2::SockRef::from(&socket).set_tcp_mss(1_400).unwrap();
        let stream = socket.connect(server.host().parse().unwrap()).await.unwrap();
        let mut slow_there = Player::over(stream, &server).await;
        slow_there.send(&ClientMessage::Hello(slow.hello())).await;
        slow_there.expect_welcome().await;
        let mut quick_there = quick.enter(&server).await;

        let began_at = Instant::now();
        let ended = wait_at_most(PATIENCE, "the end of the slow session", || async {
            let health = reqwest::get(format!("{}/health", server.url())).await.ok()?;
            let health: serde_json::Value = health.json().await.ok()?;
            health["parts"][1]["detail"].as_str()?.contains(" 1 connected").then_some(())
        });
        let living = async {
            let text = "🌍".repeat(TEXT_MAX_CHARS);
            for frame in 0.. {
                // To and fro, so that there is something to tell.
                let way = if frame % 2 == 0 { DVec3::Z } else { -DVec3::Z };
                quick_there.walk(3, way).await;
                // As often as one may speak, so that the buffers fill soon and stay full.
                quick_there.send(&ClientMessage::Say(Say { text: text.clone() })).await;
                if frame % FRAMES_PER_READ == 0 {
                    slow_there.until("a message", |_| Some(())).await;
                }
            }
        };
        tokio::select! {
            () = ended => {}
            () = living => unreachable!("they live until one is sent away"),
        }
        assert!(began_at.elapsed() > SLOW_FOR, "sent away after {:?}", began_at.elapsed());

        let bye = slow_there.until("a bye", |message| match message {
            ServerMessage::Bye(bye) => Some(bye.clone()),
            _ => None,
        });
        let bye = bye.await;
        assert_eq!(bye.code, "too_slow");
        assert!(bye.may_reconnect);
        quick_there.frame().await;
    });
}
