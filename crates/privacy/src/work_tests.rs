//! Exports and erasures as work in the background, over a part that keeps one note about each person.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use api::ManualClock;
use blobs::Blobs;
use serde_json::json;
use store::testing::for_each_engine;
use store::{Migration, Store, Tx, params};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    Archive, Deps, Erased, ErasureList, ErasureState, Own, PersonalData, Privacy, Settled, Stuck, Times,
    Told, Vault, signed_in,
};

const ANN: Uuid = Uuid::from_u128(0xA11);
const BOB: Uuid = Uuid::from_u128(0xB0B);
const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;
const START_US: i64 = 1_790_000_000_000_000;

const NOTES: Migration = Migration {
    number: 1000,
    name: "notes",
    sql: "create table notes (account_id uuid not null primary key, note bytea not null);",
};

fn migrations() -> Vec<Migration> {
    [crate::MIGRATIONS, api::MIGRATIONS, events::MIGRATIONS, &[NOTES]].concat()
}

/// Keeps a sealed note about each person; can be told to wait and to fail.
struct Notes {
    vault: Vault,
    waits_until_us: AtomicI64,
    is_stuck: AtomicBool,
    fails_once: AtomicBool,
}

impl PersonalData for Notes {
    fn domain(&self) -> &'static str {
        "notes"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        let row = tx.query_opt("select note from notes where account_id = $1", params![account_id])?;
        if let Some(row) = row {
            let note = self.vault.open_text(tx, account_id, "note", &row.get::<Vec<u8>>(0)?)?;
            out.row("notes", &json!({ "note": note }));
        }
        Ok(())
    }

    fn settle(&self, _: &mut Tx<'_>, _: Uuid, now_us: i64) -> Result<Settled, Stuck> {
        if self.is_stuck.load(Ordering::Relaxed) {
            return Err(Stuck::Refused("the rules say no".to_owned()));
        }
        let until_us = self.waits_until_us.load(Ordering::Relaxed);
        Ok(if until_us > now_us { Settled::Waits { what: "auctions", until_us } } else { Settled::Done })
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _: i64) -> Result<Erased, store::Error> {
        if self.fails_once.swap(false, Ordering::Relaxed) {
            return Err(store::Error::Unavailable { detail: "for this test".to_owned() });
        }
        tx.execute("delete from notes where account_id = $1", params![account_id])?;
        Ok(Erased::Done)
    }
}

struct World {
    folder: TempDir,
    store: Store,
    clock: Arc<ManualClock>,
    vault: Vault,
    notes: Arc<Notes>,
    privacy: Privacy,
}

impl World {
    async fn new(store: Store) -> Self {
        let vault = Vault::for_test(&store).await;
        Self::with(store, vault, tempfile::tempdir().unwrap())
    }

    fn with(store: Store, vault: Vault, folder: TempDir) -> Self {
        let clock = Arc::new(ManualClock::at(START_US));
        let notes = Arc::new(Notes {
            vault: vault.clone(),
            waits_until_us: AtomicI64::new(0),
            is_stuck: AtomicBool::new(false),
            fails_once: AtomicBool::new(false),
        });
        let privacy = Privacy::new(Deps {
            store: store.clone(),
            clock: clock.clone(),
            vault: vault.clone(),
            files: Arc::new(Blobs::open(&folder.path().join("exports"), 1 << 30).unwrap()),
            people: vec![notes.clone(), Arc::new(Told), Arc::new(Own)],
            times: Times::of_days(14, 7),
            list: ErasureList::at(folder.path().join("erasures.ndjson")),
            record: Arc::new(|_, _| Ok(())),
            locked_out: Arc::new(|_| {}),
            wake: events::Relay::new(store.clone(), clock.clone()).waker(),
            planet: "Test".to_owned(),
        });
        Self { folder, store, clock, vault, notes, privacy }
    }

    async fn write_note(&self, account_id: Uuid, text: &'static str) {
        let vault = self.vault.clone();
        self.store
            .serializable(move |tx| {
                let sealed = vault.seal(tx, account_id, "note", text.as_bytes())?;
                tx.execute(
                    "insert into notes (account_id, note) values ($1, $2)",
                    params![account_id, sealed],
                )
            })
            .await
            .unwrap();
    }

    async fn note_count(&self) -> i64 {
        let count = |tx: &mut Tx<'_>| tx.query_one("select count(*) from notes", params![])?.get(0);
        self.store.read(count).await.unwrap()
    }

    async fn state(&self, account_id: Uuid) -> Option<ErasureState> {
        self.privacy.erasure(account_id).await.unwrap().0.map(|it| it.state)
    }

    /// Time passes and what is due is done.
    async fn pass(&self, us: i64) {
        self.clock.advance_us(us);
        self.privacy.round().await.unwrap();
    }

    fn files(&self) -> usize {
        let files = std::fs::read_dir(self.folder.path().join("exports")).unwrap();
        files.filter(|it| it.as_ref().unwrap().file_name().to_string_lossy().starts_with("export-")).count()
    }
}

fn with_world<Fut: Future<Output = ()>>(test: impl Fn(World) -> Fut) {
    for_each_engine(&migrations(), |store| async { test(World::new(store).await).await });
}

#[test]
fn an_archive_is_its_owner_s_alone_unreadable_on_disk_and_gone_after_a_week() {
    with_world(|world| async move {
        world.write_note(ANN, "a rare word").await;
        let asked = world.privacy.request_export(ANN, ANN).await.unwrap();
        assert!(world.privacy.request_export(ANN, ANN).await.is_err(), "one at a time");
        world.pass(1).await;
        let exports = world.privacy.exports(ANN).await.unwrap();
        assert_eq!(exports[0].state, "ready");
        assert_eq!(exports[0].expires_us, Some(START_US + 1 + 7 * DAY_US));

        let (zip, _) = world.privacy.file(ANN, asked.export_id).await.unwrap().unwrap();
        assert_eq!(exports[0].bytes, Some(zip.len() as i64));
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
        let notes = std::io::read_to_string(archive.by_name("notes.ndjson").unwrap()).unwrap();
        assert_eq!(notes, "{\"note\":\"a rare word\"}\n");
        let readme = std::io::read_to_string(archive.by_name("README.txt").unwrap()).unwrap();
        assert!(readme.contains("What you can do"));

        assert!(world.privacy.file(BOB, asked.export_id).await.unwrap().is_none(), "of nobody else");
        let path = world.folder.path().join(format!("exports/export-{}", asked.export_id));
        let on_disk = std::fs::read(path).unwrap();
        assert!(!on_disk.windows(2).any(|it| it == b"PK"), "no ZIP can be seen in it");

        world.pass(7 * DAY_US + 1).await;
        assert_eq!(world.privacy.exports(ANN).await.unwrap()[0].state, "expired");
        assert!(world.privacy.file(ANN, asked.export_id).await.unwrap().is_none());
        assert_eq!(world.files(), 0);
    });
}

#[test]
fn whoever_signs_in_while_it_cools_off_stays() {
    with_world(|world| async move {
        world.write_note(ANN, "stays").await;
        world.privacy.request_erasure(ANN, ANN).await.unwrap();
        let again = world.privacy.request_erasure(ANN, ANN).await.unwrap();
        assert_eq!(again.due_us, START_US + 14 * DAY_US, "asking twice is asking once");
        world.pass(13 * DAY_US).await;
        assert_eq!(world.state(ANN).await, Some(ErasureState::CoolingOff));
        let now_us = START_US + 13 * DAY_US;
        assert_eq!(world.store.serializable(move |tx| signed_in(tx, ANN, now_us)).await, Ok(true));
        world.pass(30 * DAY_US).await;
        assert_eq!(world.state(ANN).await, Some(ErasureState::Cancelled));
        assert_eq!(world.note_count().await, 1);
        assert!(world.vault_opens().await);

        world.privacy.request_erasure(ANN, ANN).await.unwrap();
        assert!(world.privacy.cancel_erasure(ANN, ANN).await.unwrap());
        assert!(!world.privacy.cancel_erasure(ANN, ANN).await.unwrap());
    });
}

impl World {
    /// Whether Ann's key is still there.
    async fn vault_opens(&self) -> bool {
        let vault = self.vault.clone();
        self.store
            .serializable(move |tx| {
                let sealed = vault.seal(tx, ANN, "probe", b"x")?;
                Ok::<_, store::Error>(vault.open(tx, ANN, "probe", &sealed)?.is_some())
            })
            .await
            .unwrap()
    }
}

#[test]
fn what_runs_by_the_rules_delays_the_end_and_nothing_personal() {
    with_world(|world| async move {
        world.write_note(ANN, "goes").await;
        world.write_note(BOB, "stays").await;
        world.privacy.request_export(ANN, ANN).await.unwrap();
        world.pass(1).await;
        assert_eq!(world.files(), 1);
        world.privacy.request_erasure(ANN, ANN).await.unwrap();
        let due_us = START_US + 1 + 14 * DAY_US;
        world.notes.waits_until_us.store(due_us + DAY_US / 2, Ordering::Relaxed);
        world.pass(14 * DAY_US).await;
        assert_eq!(world.state(ANN).await, Some(ErasureState::Settling));
        assert_eq!((world.note_count().await, world.files()), (1, 0));
        assert!(!world.vault_opens().await, "the key is gone while an auction runs on");
        assert!(!world.privacy.cancel_erasure(ANN, ANN).await.unwrap(), "too late");

        world.pass(DAY_US / 2 + 1).await;
        assert_eq!(world.state(ANN).await, Some(ErasureState::Settling), "there is one more look");
        world.pass(60_000_000).await;
        assert_eq!(world.state(ANN).await, Some(ErasureState::Done));
    });
}

#[test]
fn a_part_that_fails_is_done_again_and_one_that_is_stuck_holds_up_nothing_else() {
    with_world(|world| async move {
        world.write_note(ANN, "goes").await;
        world.privacy.request_erasure(ANN, ANN).await.unwrap();
        world.notes.fails_once.store(true, Ordering::Relaxed);
        world.clock.advance_us(14 * DAY_US);
        assert!(world.privacy.round().await.is_err());
        assert_eq!(world.note_count().await, 1);
        world.notes.is_stuck.store(true, Ordering::Relaxed);
        // The lease of the pass that failed must run out.
        world.pass(11 * 60 * 1_000_000).await;
        assert_eq!((world.note_count().await, world.vault_opens().await), (0, false));
        assert_eq!(world.state(ANN).await, Some(ErasureState::Settling));
        world.notes.is_stuck.store(false, Ordering::Relaxed);
        world.pass(2 * 60 * 60 * 1_000_000).await;
        world.pass(60_000_000).await;
        assert_eq!(world.state(ANN).await, Some(ErasureState::Done));
    });
}

#[test]
fn an_older_copy_of_the_database_forgets_again_whom_the_list_names() {
    // The list outlives the database: the same folder with a database from before.
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store.clone()).await;
        world.privacy.request_erasure(ANN, ANN).await.unwrap();
        world.pass(14 * DAY_US).await;
        world.pass(60_000_000).await;
        assert_eq!(world.state(ANN).await, Some(ErasureState::Done));
        assert_eq!(world.privacy.reapply().await.unwrap(), 0, "it knows");

        let before = "delete from erasure_steps";
        store.locked(move |tx| tx.execute(before, params![])).await.unwrap();
        store.locked(|tx| tx.execute("delete from erasures", params![])).await.unwrap();
        store.locked(|tx| tx.execute("delete from person_keys", params![])).await.unwrap();
        world.write_note(ANN, "is back").await;
        let world = World::with(store, world.vault, world.folder);
        assert_eq!(world.privacy.reapply().await.unwrap(), 1);
        assert_eq!(world.state(ANN).await, Some(ErasureState::Erasing), "without cooling off");
        world.pass(1).await;
        world.pass(60_000_000).await;
        assert_eq!((world.state(ANN).await, world.note_count().await), (Some(ErasureState::Done), 0));
        assert_eq!(world.privacy.reapply().await.unwrap(), 0);
    });
}
