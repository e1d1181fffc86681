//! What the tests of the log share.
#![allow(dead_code, reason = "each test uses its part")]

use std::sync::Arc;

use audit::{Actor, Entry, Reason, Report, Signer};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;
use store::{Engine, Store, params};
use uuid::Uuid;

pub(crate) const NOW_US: i64 = 1_763_715_600_000_000;

/// Entry `n`: each has other values in all its columns; every third has a reason, every fifth no account.
pub(crate) fn entry(n: i64) -> Entry {
    let same = |it: &[u8]| Ok::<_, store::Error>(it.to_vec());
    let reason = (n % 3 == 0).then(|| Reason::sealed_by(Uuid::from_u128(9), "grief", same).expect("it is"));
    Entry {
        at_us: NOW_US + n,
        actor: if n % 5 == 0 { Actor::System } else { Actor::account(Uuid::from_u128(7 + n as u128)) },
        action: "listing.price_changed",
        subject_kind: "listing",
        subject_id: Uuid::from_u128(n as u128).to_string(),
        reason,
        details: json!({ "price_minor": n }),
    }
}

pub(crate) fn signer(secret: u8) -> Signer {
    let key = SigningKey::from_bytes(&[secret; 32]);
    Signer {
        log_id: Uuid::from_u128(1),
        public_key: key.verifying_key().to_bytes(),
        sign: Arc::new(move |bytes| key.sign(bytes).to_bytes()),
    }
}

/// Records entries `from` to `to` and gives them their places.
pub(crate) async fn grow(store: &Store, from: i64, to: i64) {
    let entries: Vec<Entry> = (from..=to).map(entry).collect();
    store.locked(move |tx| audit::record_all(tx, &entries)).await.expect("it is recorded");
    while store.locked(|tx| audit::seal(tx, 7)).await.expect("it is sealed") == 7 {}
}

pub(crate) async fn sign(store: &Store, secret: u8) -> audit::Checkpoint {
    let signer = signer(secret);
    let made = store.locked(move |tx| audit::checkpoint(tx, &signer, NOW_US)).await;
    made.expect("it is signed").expect("the log has grown")
}

pub(crate) async fn report(store: &Store) -> Report {
    store.read(audit::verify).await.expect("it can be read")
}

pub(crate) async fn assert_sound(store: &Store) {
    let report = report(store).await;
    assert!(report.is_sound(), "{:?}", report.faults);
}

pub(crate) async fn count(store: &Store, sql: &'static str) -> i64 {
    store.read(move |tx| tx.query_one(sql, params![])?.get(0)).await.expect("it can be counted")
}

/// Takes the database's own guards away, as whoever holds the file can.
pub(crate) const UNGUARD_SQLITE: &[&str] = &[
    "drop trigger audit_waiting_refuses_update",
    "drop trigger audit_entries_refuses_update",
    "drop trigger audit_entries_refuses_delete",
    "drop trigger audit_nodes_refuses_update",
    "drop trigger audit_nodes_refuses_delete",
    "drop trigger audit_checkpoints_refuses_update",
    "drop trigger audit_checkpoints_refuses_delete",
];
pub(crate) const UNGUARD_POSTGRES: &[&str] = &[
    "alter table audit_waiting disable trigger user",
    "alter table audit_entries disable trigger user",
    "alter table audit_nodes disable trigger user",
    "alter table audit_checkpoints disable trigger user",
    "alter table audit_entries drop constraint audit_entries_account",
    "alter table audit_entries drop constraint audit_entries_actor",
];

pub(crate) fn unguard(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::Sqlite => UNGUARD_SQLITE,
        Engine::Postgres => UNGUARD_POSTGRES,
    }
}
