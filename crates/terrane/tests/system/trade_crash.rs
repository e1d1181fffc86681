//! The server killed, or its database, while people trade: every answer was right, and nothing happened twice.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::claims::free_lots;
use crate::support::{Account, Outage, PrivatePostgres, Server, Traders, run_at_most, wait_for};

/// Answers between two blows.
const ANSWERS: usize = 150;

/// A market with people, lots of some of them, and an auction that outlasts the test; and what each of them has.
async fn open_market(
    server: &Server,
    people: usize,
    lots: usize,
    outage: Outage,
) -> (Arc<Traders>, Vec<i64>) {
    let mut accounts = Vec::new();
    for _ in 0..people {
        accounts.push(Account::new(server).await);
    }
    let mut present = Vec::new();
    for account in &accounts[..=lots] {
        present.push(account.enter(server).await);
    }
    let mut free = free_lots(&accounts[0], lots + 1).await;
    for (account, lot) in accounts.iter().zip(&free) {
        account.claim(lot, lot).await.unwrap();
    }
    let seller = &accounts[lots];
    let parcel = free.pop().unwrap();
    let body = json!({
        "parcel": parcel, "kind": "english", "currency": "coin", "start_minor": 500, "duration_s": 7_200
    });
    let auction = seller.decide(Method::POST, "marketplace/auctions", body).await.expect(201);
    let auction = auction["id"].as_str().unwrap().to_owned();
    let mut before_minor = Vec::new();
    for account in &accounts {
        before_minor.push(account.coins().await);
    }
    (Traders::new(accounts, free, auction, outage, server.url()), before_minor)
}

async fn until_answered(traders: &Traders, more: usize) {
    let enough = traders.answered() + more;
    wait_for("more answers", || async { (traders.answered() >= enough).then_some(()) }).await;
}

#[track_caller]
fn assert_books_sound(server: &Server) {
    let books = server.command(&["ledger", "verify", "--json"]);
    assert_eq!(books.code, Some(0), "{books:?}");
    let report: Value = serde_json::from_str(&books.stdout).unwrap();
    assert_eq!((&report["sound"], &report["faults"]), (&json!(true), &json!([])));
}

#[test]
fn trade_goes_on_after_kill_9_as_if_nothing_had_been() {
    let mut server = Server::start();
    let traders = run_at_most(Duration::from_mins(2), async {
        let (traders, before_minor) = open_market(&server, 8, 4, Outage::Server).await;
        let tasks = traders.begin();
        for blow in 0..4 {
            // At another place each time.
            until_answered(&traders, ANSWERS + 37 * blow).await;
            server.kill();
            server.start_again();
            traders.moved_to(server.url());
        }
        until_answered(&traders, ANSWERS).await;
        traders.end();
        for task in tasks {
            task.await.unwrap();
        }
        traders.assert_right(&before_minor).await;
        traders
    });
    assert!(traders.put_off() > 0, "somebody must have been in the middle of something");
    assert!(traders.sales() > 10, "{} sales", traders.sales());
    assert_eq!(server.stop(), Some(0));
    assert_books_sound(&server);
}

#[test]
fn while_postgres_restarts_clients_are_told_to_come_back_and_nothing_happens_twice() {
    let Some(mut database) = PrivatePostgres::start() else { return };
    let mut server = Server::start_configured(&format!("[database]\nurl = '{}'\n", database.url()));
    let traders = run_at_most(Duration::from_mins(2), async {
        let (traders, before_minor) = open_market(&server, 32, 4, Outage::Database).await;
        let tasks = traders.begin();
        for blow in 0..2 {
            until_answered(&traders, 2 * ANSWERS).await;
            database.end_at_once();
            let asked = traders.put_off();
            wait_for("people who are put off", || async { (traders.put_off() > asked + 20).then_some(()) })
                .await;
            // It stays away for a while the second time.
            tokio::time::sleep(Duration::from_millis(800 * blow)).await;
            database.start_again();
        }
        until_answered(&traders, 2 * ANSWERS).await;
        traders.end();
        for task in tasks {
            task.await.unwrap();
        }
        traders.assert_right(&before_minor).await;
        traders
    });
    assert!(traders.sales() > 3, "{} sales", traders.sales());
    assert_eq!(server.stop(), Some(0));
    assert_books_sound(&server);
}
