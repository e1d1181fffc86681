//! SIGTERM: everybody is told, everything is saved, the process ends well and soon.

use std::time::{Duration, Instant};

use wire::ClientMessage;

use crate::support::{Account, Player, Server, run};

#[test]
fn sigterm_says_goodbye_and_ends_with_0_within_five_seconds() {
    let mut server = Server::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (player, silent) = runtime.block_on(async {
        let account = Account::new(&server).await;
        let mut player = account.enter(&server).await;
        player.frame().await;
        // One that is still between its upgrade and its hello holds nothing up.
        (player, Player::connect(&server).await)
    });
    let goodbye = runtime.spawn(async { player.expect_bye().await });
    let began_at = Instant::now();
    assert_eq!(server.stop(), Some(0), "{}", server.log());
    assert!(began_at.elapsed() < Duration::from_secs(5), "{:?}", began_at.elapsed());
    let bye = runtime.block_on(goodbye).unwrap();
    assert_eq!((bye.code.as_str(), bye.may_reconnect), ("shutting_down", true));
    drop(silent);
    server.start_again();
    run(async { Account::new(&server).await.enter(&server).await.frame().await });
}

#[test]
fn a_database_that_does_not_answer_delays_the_end_by_no_more_than_five_seconds() {
    let mut server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let mut player = account.enter(&server).await;
        let look = player.seen.position.cross(glam::DVec3::Z);
        player.walk(10, look).await;
        // As if the disk had stopped answering: whoever wants to write waits.
        let elsewhere = rusqlite::Connection::open(server.data().join("terrane.db")).unwrap();
        elsewhere.execute_batch("begin immediate").unwrap();
        player.send(&ClientMessage::Leave).await;
        let began_at = Instant::now();
        assert_eq!(server.stop(), Some(0), "{}", server.log());
        assert!(began_at.elapsed() < Duration::from_secs(5), "{:?}", began_at.elapsed());
        drop(elsewhere);
    });
}
