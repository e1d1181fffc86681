//! Being forgotten, seen from outside: what runs on, what an old copy of the database does, what the keys are for.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use store::{Store, StoreConfig, params};

use crate::claims::free_lots;
use crate::support::{Account, Server, run, run_at_most, wait_at_most};

const AT_ONCE: &str = "[privacy]\ncooling_off_days = 0\n";

/// Waits for a state of somebody's erasure.
async fn wait_for_state(server: &Server, account: &Account, state: &'static str) {
    let path = server.data().join("terrane.db");
    let store = Store::open_read_only(StoreConfig::Sqlite { path }).await.unwrap();
    let id: uuid::Uuid = account.id.parse().unwrap();
    wait_at_most(Duration::from_mins(1), state, || async {
        let sql = "select count(*) from erasures where account_id = $1 and state = $2";
        let found = store.read(move |tx| tx.query_one(sql, params![id, state])?.get::<i64>(0)).await.unwrap();
        (found > 0).then_some(())
    })
    .await;
    store.close().await;
}

async fn name_of(asking: &Account, account: &Account) -> String {
    let seen = asking.get(&format!("users/{}", account.id)).await.unwrap();
    seen["display_name"].as_str().unwrap().to_owned()
}

#[test]
fn an_auction_with_bids_runs_on_without_the_name_of_who_is_forgotten() {
    let server = Server::start_configured(AT_ONCE);
    run(async {
        let (ann, bob) = (Account::new(&server).await, Account::new(&server).await);
        let present = [ann.enter(&server).await, bob.enter(&server).await];
        let lot = free_lots(&ann, 1).await.remove(0);
        ann.claim(&lot, "claim").await.unwrap();
        let auction = json!({
            "parcel": lot, "kind": "english", "currency": "coin", "start_minor": 1_000, "duration_s": 86_400,
        });
        let auction = ann.decide(Method::POST, "marketplace/auctions", auction).await.expect(201);
        let bids = format!("marketplace/auctions/{}/bids", auction["id"].as_str().unwrap());
        bob.decide(Method::POST, &bids, json!({ "max_minor": 2_000 })).await.expect(201);

        let before = ann.get("users/me/erasure").await.unwrap();
        let codes: Vec<&str> = before["consequences"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, ["auctions_run_on", "land_returned", "money_forfeited"], "{before}");
        ann.decide(Method::POST, "users/me/erasure", Value::Null).await.expect(202);
        drop(present);
        wait_for_state(&server, &ann, "settling").await;

        assert!(name_of(&bob, &ann).await.starts_with("Deleted player "));
        let shown = bob.get(&format!("lands/{lot}")).await.unwrap();
        assert_eq!(shown["owner"]["account_id"], ann.id.as_str(), "until the auction is over");
        let again = bob.decide(Method::POST, &bids, json!({ "max_minor": 3_000 })).await;
        again.expect(201);
        assert_eq!(ann.get("users/me").await.unwrap_err().status, 401);
    });
}

#[test]
fn an_old_copy_of_the_database_forgets_again_before_anybody_is_let_in() {
    let mut server = Server::start_configured(AT_ONCE);
    let database = server.data().join("terrane.db");
    let (ann, bob) = run(async { (Account::new(&server).await, Account::new(&server).await) });
    assert_eq!(server.stop(), Some(0));
    let old = server.data().join("old.db");
    std::fs::copy(&database, &old).unwrap();
    server.start_again();
    run_at_most(Duration::from_secs(90), async {
        let ann = ann.again(&server).await;
        ann.decide(Method::POST, "users/me/erasure", Value::Null).await.expect(202);
        wait_for_state(&server, &ann, "done").await;
    });
    assert_eq!(server.stop(), Some(0));
    let known = server.command(&["privacy", "reapply"]);
    assert!(known.stdout.contains("knows of every erasure"), "{known:?}");

    std::fs::rename(&old, &database).unwrap();
    let planned = server.command(&["privacy", "reapply"]);
    assert_eq!(
        (planned.code, planned.stdout.contains("1 accounts are erased again")),
        (Some(0), true),
        "{planned:?}"
    );
    server.start_again();
    run_at_most(Duration::from_secs(90), async {
        let bob = bob.again(&server).await;
        wait_for_state(&server, &ann, "done").await;
        assert!(name_of(&bob, &ann).await.starts_with("Deleted player "));
        // Their key opens nothing any more: who comes with it is somebody new.
        assert_ne!(ann.again(&server).await.id, ann.id);
    });
}

#[test]
fn without_the_master_key_nothing_starts_and_a_changed_one_opens_the_same() {
    let mut server = Server::start();
    let account = run(async {
        let account = Account::new(&server).await;
        let key = json!({ "name": "a robot", "scopes": ["read"], "expires_in_days": 30 });
        account.decide(Method::POST, "users/me/api-keys", key).await.expect(201);
        account
    });
    assert_eq!(server.stop(), Some(0));
    let key = server.data().join("keys/master.key");
    let apart = server.data().join("apart");
    std::fs::rename(&key, &apart).unwrap();
    let refused = server.command(&["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("the master key is missing"), "{refused:?}");
    assert!(!key.exists(), "no new one is made");
    std::fs::rename(&apart, &key).unwrap();

    let before = std::fs::read_to_string(&key).unwrap();
    let rotated = server.command(&["privacy", "rotate-master-key"]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert_ne!(std::fs::read_to_string(&key).unwrap(), before);
    server.start_again();
    run(async {
        let account = account.again(&server).await;
        let keys = account.get("users/me/api-keys").await.unwrap();
        assert_eq!(keys["items"][0]["name"], "a robot");
    });
}
