//! Saved positions: table `bodies`, written behind.
//!
//! The tick thread notes where bodies are and never waits for the database. A task writes what was noted, one batch at
//! a time; a failed batch is noted again unless something newer was. Whoever asks for a position gets the newest,
//! written or not; a read that began before a write cannot win against it, because what was written is remembered for a
//! minute.

use glam::DVec3;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Store, Tx, params};
use tokio::sync::Notify;
use tracing::warn;
use uuid::Uuid;

store::statements! {
    LOAD = "select px, py, pz, fx, fy, fz from bodies where account_id = $1";

    SAVE = "insert into bodies (account_id, px, py, pz, fx, fy, fz, saved_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (account_id) do update set
                px = excluded.px, py = excluded.py, pz = excluded.pz,
                fx = excluded.fx, fy = excluded.fy, fz = excluded.fz,
                saved_at = excluded.saved_at";
}

/// Longer than anybody waits for a read: that long a written position is remembered.
const REMEMBERED_US: i64 = 60_000_000;

/// Where a body was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SavedBody {
    pub(crate) position: DVec3,
    pub(crate) facing: DVec3,
}

/// A body and when it was there, in microseconds since 1970.
#[derive(Clone, Copy)]
struct Note {
    body: SavedBody,
    noted_at_us: i64,
}

#[derive(Default)]
struct Noted {
    /// Not yet on their way.
    waiting: HashMap<Uuid, Note>,
    /// In the batch being written, in the order in which rows are taken.
    writing: Arc<BTreeMap<Uuid, Note>>,
    /// Noted in the last minute and written: as many as bodies have been here in that time.
    written: HashMap<Uuid, Note>,
}

impl Noted {
    /// Moves the batch that was being written to what is written, and forgets what has been there long enough.
    fn batch_is_written(&mut self, batch: &BTreeMap<Uuid, Note>) {
        let newest_us = batch.values().map(|note| note.noted_at_us).max().unwrap_or(i64::MIN);
        self.written.retain(|_, note| note.noted_at_us > newest_us.saturating_sub(REMEMBERED_US));
        self.written.extend(batch);
    }
}

pub(crate) struct Saver {
    store: Store,
    noted: Mutex<Noted>,
    wake: Notify,
    /// Held while a batch is written.
    turn: tokio::sync::Mutex<()>,
}

impl Saver {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, noted: Mutex::default(), wake: Notify::new(), turn: tokio::sync::Mutex::new(()) }
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        // Each change is one statement, so a panic elsewhere leaves it whole.
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where a body is; never waits.
    pub(crate) fn note(&self, account_id: Uuid, body: SavedBody, noted_at_us: i64) {
        self.lock().waiting.insert(account_id, Note { body, noted_at_us });
    }

    /// Has the noted positions written soon.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// The newest position of an account that is noted but may not be written.
    pub(crate) fn unwritten(&self, account_id: Uuid) -> Option<SavedBody> {
        let noted = self.lock();
        noted.waiting.get(&account_id).or_else(|| noted.writing.get(&account_id)).map(|note| note.body)
    }

    /// The newest position of an account, if it was noted in the last minute or is not written yet.
    pub(crate) fn recent(&self, account_id: Uuid) -> Option<SavedBody> {
        self.unwritten(account_id).or_else(|| self.lock().written.get(&account_id).map(|note| note.body))
    }

    /// The newest position of an account.
    pub(crate) async fn load(&self, account_id: Uuid) -> Result<Option<SavedBody>, store::Error> {
        let written = self.store.read(move |tx| load(tx, account_id)).await?;
        Ok(self.recent(account_id).or(written))
    }

    /// Writes whenever woken; runs until it is aborted.
    pub(crate) async fn run(&self) {
        loop {
            self.wake.notified().await;
            if let Err(error) = self.flush().await {
                warn!(%error, "positions could not be saved, they will be tried again");
            }
        }
    }

    /// Writes everything noted before the call.
    pub(crate) async fn flush(&self) -> Result<(), store::Error> {
        let _turn = self.turn.lock().await;
        let batch: Arc<BTreeMap<_, _>> = {
            let mut noted = self.lock();
            noted.writing = Arc::new(noted.waiting.drain().collect());
            Arc::clone(&noted.writing)
        };
        if batch.is_empty() {
            return Ok(());
        }
        let rows = Arc::clone(&batch);
        let outcome = self.store.locked(move |tx| rows.iter().try_for_each(|row| save(tx, row))).await;
        let mut noted = self.lock();
        if outcome.is_ok() {
            noted.batch_is_written(&batch);
        } else {
            for (account_id, note) in batch.iter() {
                noted.waiting.entry(*account_id).or_insert(*note);
            }
        }
        noted.writing = Arc::default();
        outcome
    }
}

fn load(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<SavedBody>, store::Error> {
    let Some(row) = tx.query_opt(LOAD, params![account_id])? else { return Ok(None) };
    let vector = |at: usize| -> Result<DVec3, store::Error> {
        Ok(DVec3::new(row.get(at)?, row.get(at + 1)?, row.get(at + 2)?))
    };
    Ok(Some(SavedBody { position: vector(0)?, facing: vector(3)? }))
}

fn save(tx: &mut Tx<'_>, (account_id, note): (&Uuid, &Note)) -> Result<(), store::Error> {
    let Note { body: SavedBody { position: p, facing: f }, noted_at_us } = note;
    tx.execute(SAVE, params![*account_id, p.x, p.y, p.z, f.x, f.y, f.z, *noted_at_us]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MIGRATIONS;
    use store::testing::{for_each_engine, prepare_all};

    fn body(x: f64) -> SavedBody {
        SavedBody { position: DVec3::new(x, 2.0, 3.5), facing: DVec3::Z }
    }

    #[test]
    fn every_statement_is_understood_by_both_engines() {
        for_each_engine(MIGRATIONS, |store| async move { prepare_all(&store, &[STATEMENTS]).await });
    }

    #[test]
    fn the_newest_position_is_found_whether_it_is_written_or_not() {
        for_each_engine(MIGRATIONS, |store| async move {
            let (ann, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
            let saver = Saver::new(store.clone());
            assert_eq!(saver.load(ann).await, Ok(None));
            saver.note(ann, body(1.0), 7);
            assert_eq!(saver.load(ann).await, Ok(Some(body(1.0))));
            saver.note(ann, body(2.0), 7);
            saver.note(bob, body(9.0), 7);
            saver.flush().await.unwrap();
            assert_eq!(saver.load(ann).await, Ok(Some(body(2.0))));
            saver.note(ann, body(3.0), 7);
            saver.flush().await.unwrap();
            let reopened = Saver::new(store);
            assert_eq!(reopened.load(ann).await, Ok(Some(body(3.0))));
            assert_eq!(reopened.load(bob).await, Ok(Some(body(9.0))));
        });
    }

    #[test]
    fn a_read_that_began_before_a_write_does_not_bring_back_the_older_place() {
        for_each_engine(MIGRATIONS, |store| async move {
            let (ann, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
            let saver = Saver::new(store);
            // Someone who comes back is asking the database just now; what it will answer is older than this.
            saver.note(ann, body(1.0), 7);
            saver.flush().await.unwrap();
            assert_eq!(saver.recent(ann), Some(body(1.0)));
            saver.note(bob, body(2.0), 7 + REMEMBERED_US);
            saver.flush().await.unwrap();
            assert_eq!(
                (saver.recent(ann), saver.recent(bob)),
                (None, Some(body(2.0))),
                "remembered for ever"
            );
            assert_eq!(saver.load(ann).await, Ok(Some(body(1.0))));
        });
    }

    #[test]
    fn a_batch_that_fails_is_kept_unless_something_newer_was_noted() {
        for_each_engine(&[], |store| async move {
            let (ann, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
            let saver = Saver::new(store.clone());
            saver.note(ann, body(1.0), 7);
            saver.note(bob, body(2.0), 7);
            assert!(saver.flush().await.is_err(), "there is no table yet");
            saver.note(ann, body(5.0), 7);
            store.migrate(MIGRATIONS).await.unwrap();
            saver.flush().await.unwrap();
            assert_eq!(saver.load(ann).await, Ok(Some(body(5.0))));
            assert_eq!(saver.load(bob).await, Ok(Some(body(2.0))));
        });
    }
}
