//! One who does not read is told so and sent away; nobody else notices.

use std::time::Duration;

use tokio::net::TcpStream;
use wire::{ClientMessage, Ping, ServerMessage};

use crate::support::{Account, Player, Server, run, wait_at_most};

/// Filling the buffers takes some seconds, and a slow reader has ten more to catch up.
const PATIENCE: Duration = Duration::from_secs(45);

/// Each is answered, so that the buffers fill sooner; below the rate that is refused.
const PINGS: usize = 150;

#[test]
fn a_slow_reader_is_disconnected_with_a_reason() {
    // The smallest buffers on both sides, so that the server notices soon.
    let server = Server::start_configured("[http]\nsocket_send_buffer_bytes = 4096\n");
    run(async {
        let (slow, quick) = (Account::new(&server).await, Account::new(&server).await);
        let stream = TcpStream::connect(server.host()).await.unwrap();
        socket2::SockRef::from(&stream).set_recv_buffer_size(1).unwrap();
        let mut slow_there = Player::over(stream, &server).await;
        slow_there.send(&ClientMessage::Hello(slow.hello())).await;
        slow_there.expect_welcome().await;
        let mut quick_there = quick.enter(&server).await;

        // From here on the slow one does not read, until the server has ended the session.
        for _ in 0..PINGS {
            slow_there.send(&ClientMessage::Ping(Ping { client_time_ms: 0.0 })).await;
        }
        let ended = async {
            wait_at_most(PATIENCE, "the end of the slow session", || async {
                let health = reqwest::get(format!("{}/health", server.url())).await.ok()?;
                let health: serde_json::Value = health.json().await.ok()?;
                health["parts"][1]["detail"].as_str()?.contains(" 1 connected").then_some(())
            })
            .await;
        };
        let reading = async {
            loop {
                quick_there.frame().await;
            }
        };
        tokio::select! {
            () = ended => {}
            () = reading => unreachable!("it reads for ever"),
        }
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
