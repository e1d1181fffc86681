//! SIGTERM: everybody is told, everything is saved, the process ends well and soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use wire::ClientMessage;

use crate::support::{Account, DEADLINE, Player, Server, run};

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

/// Decisions that have been acknowledged when the server is told to end.
const ACKNOWLEDGED_MIN: usize = 200;

/// People who decide at the same time.
const GIVERS: usize = 8;

/// One payment: its key, and its posting if the server has said so.
struct Payment {
    key: String,
    posting_id: Option<Value>,
}

#[test]
fn what_was_acknowledged_before_or_amid_the_end_is_there_afterwards_and_nothing_twice() {
    let mut server = Server::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (taker, givers) = runtime.block_on(async {
        let mut givers = Vec::new();
        for _ in 0..GIVERS {
            givers.push(Account::new(&server).await);
        }
        (Account::new(&server).await, givers)
    });
    let before = runtime.block_on(taker.coins());
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let body = json!({ "to_account_id": taker.id, "currency": "coin", "amount_minor": 1 });
    let giving: Vec<_> = givers
        .iter()
        .map(|giver| {
            let (giver, body, acknowledged) = (giver.clone(), body.clone(), Arc::clone(&acknowledged));
            runtime.spawn(async move {
                let mut payments = Vec::new();
                loop {
                    let key = uuid::Uuid::now_v7().to_string();
                    let answer = giver.ask(Method::POST, "wallet/transfers", Some(&key), Some(&body)).await;
                    let answer = answer.ok().filter(|answer| answer.status == 200 || answer.status == 201);
                    let posting_id = answer.map(|answer| answer.body["posting_id"].clone());
                    let has_ended = posting_id.is_none();
                    payments.push(Payment { key, posting_id });
                    if has_ended {
                        return payments;
                    }
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let began_at = Instant::now();
    while acknowledged.load(Ordering::Relaxed) < ACKNOWLEDGED_MIN {
        assert!(began_at.elapsed() < DEADLINE, "{acknowledged:?} payments only");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(server.stop(), Some(0), "{}", server.log());
    let payments: Vec<Vec<Payment>> =
        giving.into_iter().map(|giving| runtime.block_on(giving).unwrap()).collect();
    let sent: usize = payments.iter().map(Vec::len).sum();
    let acknowledged = acknowledged.load(Ordering::Relaxed);
    assert_eq!(sent, acknowledged + GIVERS, "each gave until one payment was not answered");

    server.start_again();
    runtime.block_on(async {
        let arrived = taker.at(server.url()).coins().await - before;
        assert!(usize::try_from(arrived).unwrap() >= acknowledged, "{arrived} of {acknowledged}");
        // Whoever has no answer asks again under the same key; whoever has one gets the same.
        for (giver, payments) in givers.iter().zip(&payments) {
            let giver = giver.at(server.url());
            for payment in payments {
                let again =
                    giver.ask(Method::POST, "wallet/transfers", Some(&payment.key), Some(&body)).await;
                let again = again.unwrap();
                assert!(again.status == 200 || again.status == 201, "{}", again.body);
                if let Some(posting_id) = &payment.posting_id {
                    assert_eq!(again.body["posting_id"], *posting_id);
                }
            }
        }
        let arrived = taker.at(server.url()).coins().await - before;
        assert_eq!(usize::try_from(arrived).unwrap(), sent);
    });
    assert_eq!(server.stop(), Some(0));
    let books = server.command(&["ledger", "verify"]);
    assert_eq!(books.code, Some(0), "{books:?}");
}
