//! The service: what it is given, and what can be asked of it.

use std::sync::Arc;

use api::SharedClock;
use blobs::{BlobName, Blobs};
use serde_json::Value;
use store::{Store, Tx};
use tokio::sync::Notify;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::erasures::{self, Erasure};
use crate::exports::{self, Export, ExportRefusal};
use crate::list::{Entry, ErasureList};
use crate::person::{Consequence, PersonalData};
use crate::vault::Vault;
use crate::{cipher, worker};

/// Something to be written down where nobody can change it.
#[derive(Clone, PartialEq, Debug)]
pub struct Act {
    /// When.
    pub at_us: i64,
    /// Who did it; the system if absent.
    pub actor_id: Option<Uuid>,
    /// What: `account.export_requested`.
    pub action: &'static str,
    /// About whom.
    pub account_id: Uuid,
    /// Ids and numbers.
    pub details: Value,
}

/// Writes an act down in the transaction in which it is done.
pub type Recorder = Arc<dyn Fn(&mut Tx<'_>, &Act) -> Result<(), store::Error> + Send + Sync>;

/// Hears of accounts that can no longer be used, after that is stored.
pub type LockedOut = Arc<dyn Fn(Uuid) + Send + Sync>;

/// Times, by configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    /// Between a wish to be forgotten and its coming true.
    pub cooling_off_us: i64,
    /// How long an archive is kept.
    pub export_kept_us: i64,
    /// After everything is erased it is looked at once more: what was under way may have left a trace.
    pub last_look_us: i64,
}

impl Times {
    /// Whole days; the last look a quarter of a minute later.
    pub const fn of_days(cooling_off: u32, export: u32) -> Self {
        const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;
        Self {
            cooling_off_us: cooling_off as i64 * DAY_US,
            export_kept_us: export as i64 * DAY_US,
            last_look_us: 15 * 1_000_000,
        }
    }
}

/// What the service is given.
#[derive(Clone)]
pub struct Deps {
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// The keys of persons.
    pub vault: Vault,
    /// Where archives are kept, and nothing else.
    pub files: Arc<Blobs>,
    /// Everybody who keeps something about persons, in the order in which it is settled and erased.
    pub people: Vec<Arc<dyn PersonalData>>,
    /// See [`Times`].
    pub times: Times,
    /// See [`ErasureList`].
    pub list: ErasureList,
    /// See [`Recorder`].
    pub record: Recorder,
    /// See [`LockedOut`].
    pub locked_out: LockedOut,
    /// Told when an event was recorded.
    pub wake: events::Wake,
    /// What this planet is called.
    pub planet: String,
}

/// Exports and erasures; share it in an `Arc`.
pub struct Privacy {
    pub(crate) deps: Deps,
    /// There is something to do at once.
    pub(crate) asked: Notify,
}

impl Privacy {
    /// Nothing runs until it is asked; see [`Privacy::work`].
    pub fn new(deps: Deps) -> Self {
        Self { deps, asked: Notify::new() }
    }

    /// Asks for the data of an account.
    pub async fn request_export(&self, account_id: Uuid, by: Uuid) -> Result<Export, ExportRefusal> {
        let now_us = self.deps.clock.now_us();
        let record = Arc::clone(&self.deps.record);
        let export = self
            .deps
            .store
            .serializable(move |tx| {
                let export = exports::request_export(tx, account_id, by, now_us)?;
                let act = act(now_us, by, "account.export_requested", account_id);
                record(tx, &act)?;
                Ok::<_, ExportRefusal>(export)
            })
            .await?;
        self.wake();
        Ok(export)
    }

    /// The exports of an account, newest first.
    pub async fn exports(&self, account_id: Uuid) -> Result<Vec<Export>, store::Error> {
        self.deps.store.read(move |tx| exports::exports(tx, account_id)).await
    }

    /// The archive of an export and when it was asked for; `None` if this account has no such file.
    pub async fn file(
        &self,
        account_id: Uuid,
        export_id: Uuid,
    ) -> Result<Option<(Vec<u8>, i64)>, api::Problem> {
        let (vault, now_us) = (self.deps.vault.clone(), self.deps.clock.now_us());
        let record = Arc::clone(&self.deps.record);
        let found = self
            .deps
            .store
            .serializable(move |tx| {
                let found = exports::file_key(tx, &vault, account_id, export_id, now_us)?;
                if found.is_some() {
                    record(tx, &act(now_us, account_id, "account.export_fetched", account_id))?;
                }
                Ok::<_, store::Error>(found)
            })
            .await?;
        let Some((key, requested_us)) = found else { return Ok(None) };
        let (files, name) = (Arc::clone(&self.deps.files), file_name(export_id));
        let sealed = tokio::task::spawn_blocking(move || files.get(&name)).await;
        let sealed =
            sealed.map_err(|it| api::Problem::internal(&it))?.map_err(|it| api::Problem::internal(&it))?;
        let Some(sealed) = sealed else { return Ok(None) };
        let key: Option<cipher::Key> = key.as_slice().try_into().ok().map(Zeroizing::new);
        let opened = key.and_then(|key| cipher::open(&key, export_id.as_bytes(), &sealed));
        match opened {
            Some(mut bytes) => Ok(Some((std::mem::take(&mut *bytes), requested_us))),
            None => Err(api::Problem::internal(&format!("the archive {export_id} does not open"))),
        }
    }

    /// Asks that an account be forgotten; if that was asked before, that one stays.
    pub async fn request_erasure(&self, account_id: Uuid, by: Uuid) -> Result<Erasure, store::Error> {
        let now_us = self.deps.clock.now_us();
        let cooling_off_us = self.deps.times.cooling_off_us;
        let record = Arc::clone(&self.deps.record);
        let erasure = self
            .deps
            .store
            .serializable(move |tx| {
                let erasure = erasures::request_erasure(tx, account_id, by, cooling_off_us, now_us)?;
                record(tx, &act(now_us, by, "account.erasure_requested", account_id))?;
                Ok::<_, store::Error>(erasure)
            })
            .await?;
        self.wake();
        Ok(erasure)
    }

    /// Takes it back; `false` if there is none that can be.
    pub async fn cancel_erasure(&self, account_id: Uuid, by: Uuid) -> Result<bool, store::Error> {
        let now_us = self.deps.clock.now_us();
        let record = Arc::clone(&self.deps.record);
        self.deps
            .store
            .serializable(move |tx| {
                let is_cancelled = erasures::cancel_erasure(tx, account_id, now_us)?;
                if is_cancelled {
                    record(tx, &act(now_us, by, "account.erasure_cancelled", account_id))?;
                }
                Ok(is_cancelled)
            })
            .await
    }

    /// The newest erasure of an account, and what one would end.
    pub async fn erasure(
        &self,
        account_id: Uuid,
    ) -> Result<(Option<Erasure>, Vec<Consequence>), store::Error> {
        let people = self.deps.people.clone();
        self.deps
            .store
            .read(move |tx| {
                let mut consequences = Vec::new();
                for part in &people {
                    consequences.extend(part.consequences(tx, account_id)?);
                }
                Ok((erasures::erasure(tx, account_id)?, consequences))
            })
            .await
    }

    /// Days between a wish to be forgotten and its coming true.
    pub fn cooling_off_days(&self) -> i64 {
        self.deps.times.cooling_off_us / (24 * 60 * 60 * 1_000_000)
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.deps.clock.now_us().div_euclid(1_000_000)
    }

    /// Something was asked for in a transaction of somebody else.
    pub fn wake(&self) {
        self.asked.notify_one();
    }

    /// Compares the list of who was forgotten with the database, which may be an older copy: whoever is back is locked
    /// out at once and forgotten again by the worker. To be called before anybody is let in; how many there were.
    pub async fn reapply(&self) -> anyhow::Result<u64> {
        let entries = self.deps.list.read()?;
        let found = reapply(&self.deps.store, &entries, self.deps.clock.now_us()).await?;
        for account_id in &found {
            worker::lock_out(&self.deps, *account_id).await?;
        }
        Ok(found.len() as u64)
    }
}

/// Compares a list of who was forgotten with a database and plans their erasure where it does not know of it. The
/// server that starts next erases them before it lets anybody in.
pub async fn reapply_list(
    store: &Store,
    list: &ErasureList,
    own: &ErasureList,
    now_us: i64,
) -> anyhow::Result<u64> {
    let entries = list.read()?;
    for entry in &entries {
        own.add(entry)?;
    }
    Ok(reapply(store, &entries, now_us).await?.len() as u64)
}

async fn reapply(store: &Store, entries: &[Entry], now_us: i64) -> Result<Vec<Uuid>, store::Error> {
    let mut found = Vec::new();
    for entry in entries {
        let account_id = entry.account_id;
        if store.serializable(move |tx| erasures::reapply(tx, account_id, now_us)).await? {
            found.push(account_id);
        }
    }
    Ok(found)
}

fn act(at_us: i64, by: Uuid, action: &'static str, account_id: Uuid) -> Act {
    Act { at_us, actor_id: Some(by), action, account_id, details: serde_json::json!({}) }
}

/// What the file of an export is called.
pub(crate) fn file_name(export_id: Uuid) -> BlobName {
    BlobName::parse(&format!("{FILE_PREFIX}{export_id}")).expect("an id in lower case is a name")
}

pub(crate) const FILE_PREFIX: &str = "export-";
