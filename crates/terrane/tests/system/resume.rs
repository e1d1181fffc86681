//! A lost connection, a goodbye, a restart: one goes on where one was.

use glam::DVec3;
use wire::{ClientMessage, Hello};

use crate::support::{Account, Player, Server, run, wait_for};

/// Comes back with the token of an earlier welcome.
async fn come_back(account: &Account, token: Vec<u8>, server: &Server) -> Player {
    let mut player = Player::connect(server).await;
    player.send(&ClientMessage::Hello(Hello { resume_token: token, ..account.hello() })).await;
    player.expect_welcome().await;
    player
}

#[test]
fn a_resume_token_puts_the_same_body_in_the_same_place() {
    let server = Server::start();
    run(async {
        let (ann, bob) = (Account::new(&server).await, Account::new(&server).await);
        let mut watcher = bob.enter(&server).await;
        let mut player = ann.enter(&server).await;
        player.frame().await;
        let look = player.seen.position.cross(DVec3::Z);
        player.walk(30, look).await;
        let (entity_id, place, token) =
            (player.welcome.entity_id, player.seen.position, player.welcome.resume_token.clone());
        player.cut();

        let mut player = come_back(&ann, token, &server).await;
        assert!(player.welcome.resumed);
        assert_eq!(player.welcome.entity_id, entity_id);
        player.frame().await;
        let moved_m = player.seen.position.distance(place);
        assert!(moved_m < 2.0, "it slid {moved_m} m while nobody held it");
        // To others nothing has happened.
        watcher.until_seen(entity_id).await;
    });
}

#[test]
fn a_foreign_or_invented_resume_token_gives_nobody_elses_body() {
    let server = Server::start();
    run(async {
        let ann = Account::new(&server).await;
        let player = ann.enter(&server).await;
        let (entity_id, token) = (player.welcome.entity_id, player.welcome.resume_token.clone());
        player.cut();
        for token in [token, vec![7; 16]] {
            let thief = come_back(&Account::new(&server).await, token, &server).await;
            assert!(!thief.welcome.resumed);
            assert_ne!(thief.welcome.entity_id, entity_id);
        }
    });
}

#[test]
fn the_last_place_survives_a_goodbye_and_a_restart() {
    let mut server = Server::start();
    let (account, place) = run(async {
        let account = Account::new(&server).await;
        let mut player = account.enter(&server).await;
        player.frame().await;
        let look = player.seen.position.cross(DVec3::Z);
        player.walk(60, look).await;
        let place = player.seen.position;
        player.send(&ClientMessage::Leave).await;
        let left = wait_for("the empty world", || async {
            let health: serde_json::Value =
                reqwest::get(format!("{}/health", server.url())).await.ok()?.json().await.ok()?;
            health["parts"][1]["detail"].as_str()?.contains("0 connected").then_some(())
        });
        left.await;
        let mut player = account.enter(&server).await;
        player.frame().await;
        assert!(player.seen.position.distance(place) < 2.0);
        (account, place)
    });
    assert_eq!(server.stop(), Some(0));
    server.start_again();
    run(async {
        let mut player = account.again(&server).await.enter(&server).await;
        player.frame().await;
        let moved_m = player.seen.position.distance(place);
        assert!(moved_m < 2.0, "{moved_m} m");
    });
}

#[test]
fn a_second_connection_of_one_account_takes_the_body_over() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let first = account.enter(&server).await;
        let entity_id = first.welcome.entity_id;
        let second = account.enter(&server).await;
        assert_eq!(second.welcome.entity_id, entity_id);
        assert_eq!(first.expect_bye().await.code, "replaced");
    });
}
