//! What is kept in the background is right, and what contradicts it is told.

use std::sync::Arc;

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;
use store::Store;
use store::testing::for_each_engine;
use uuid::Uuid;

use super::*;
use crate::{Actor, Entry, MIGRATIONS, heads, record, seal, verify};

fn signer() -> Signer {
    let key = SigningKey::from_bytes(&[1; 32]);
    Signer {
        log_id: Uuid::from_u128(1),
        public_key: key.verifying_key().to_bytes(),
        sign: Arc::new(move |bytes| key.sign(bytes).to_bytes()),
    }
}

async fn grow(store: &Store, count: i64) {
    for n in 0..count {
        let entry = Entry {
            at_us: n,
            actor: Actor::Operator,
            action: "test.done",
            subject_kind: "test",
            subject_id: n.to_string(),
            reason: None,
            details: json!({}),
        };
        store.locked(move |tx| record(tx, &entry)).await.unwrap();
    }
    store.locked(|tx| seal(tx, 1_000)).await.unwrap();
}

#[test]
fn the_file_gets_every_checkpoint_once_whatever_was_missed() {
    for_each_engine(MIGRATIONS, async |store| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit/checkpoints.jsonl");
        for count in [1, 2, 3] {
            grow(&store, count).await;
            sign(&store, &signer(), 5).await.unwrap();
            if count != 2 {
                export(&store, path.clone()).await.unwrap();
            }
        }
        export(&store, path.clone()).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Checkpoint> = text.lines().map(|it| heads::from_line(it).unwrap()).collect();
        assert_eq!(lines.iter().map(|it| it.tree_size).collect::<Vec<_>>(), [1, 3, 6]);
        assert!(lines.iter().all(Checkpoint::is_signed));
        assert_eq!(store.read(|tx| checkpoints_between(tx, 0, 100, 10)).await.unwrap(), lines);
    });
}

#[test]
fn the_background_gives_places_and_checks() {
    for_each_engine(MIGRATIONS, async |store| {
        let stop = watch::Sender::new(false);
        let clock: SharedClock = Arc::new(api::SystemClock);
        let kept = tokio::spawn(keep(store.clone(), clock, signer(), None, stop.subscribe()));
        let entry = Entry {
            at_us: 1,
            actor: Actor::System,
            action: "test.done",
            subject_kind: "test",
            subject_id: "1".to_owned(),
            reason: None,
            details: json!({}),
        };
        let id = store.locked(move |tx| record(tx, &entry)).await.unwrap();
        while store.read(move |tx| crate::find_by_id(tx, id)).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut checker = ::chain::Checker::<Walk>::open(store.clone(), PLACE).await.unwrap();
        let checked = checker.step(7).await.unwrap();
        assert_eq!((checked.faults, checked.is_pass_end, checked.passed_at_us), (0, true, Some(7)));
        stop.send_replace(true);
        kept.await.unwrap();
        assert!(store.read(verify).await.unwrap().is_sound());
    });
}
