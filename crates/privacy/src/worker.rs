//! Makes exports and does erasures, a step at a time; what is left undone is in the database.

use std::sync::Arc;
use std::time::Duration;

use api::timestamp;
use events::{Audience, NewEvent};
use serde_json::json;
use tokio::sync::watch;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::archive::Archive;
use crate::cipher;
use crate::erasures::{self, Erasure, ErasureState};
use crate::exports::{self, Leased};
use crate::list::Entry;
use crate::pack::{About, pack};
use crate::person::{Erased, Settled, Stuck};
use crate::service::{Act, Deps, FILE_PREFIX, Privacy, file_name};

/// How often the tables are looked at when nobody asks.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// What could not be settled or erased is tried again after this.
const RETRY_US: i64 = 60 * 60 * 1_000_000;
/// What waits is looked at this often at least.
const LOOK_US_MAX: i64 = 24 * 60 * 60 * 1_000_000;
/// An erasure that is not done so long after it was due wants a person: the law gives a month.
const ALARM_US: i64 = 7 * 24 * 60 * 60 * 1_000_000;

impl Privacy {
    /// Works until the receiver says true.
    pub async fn work(&self, mut stop: watch::Receiver<bool>) {
        if let Err(error) = self.sweep_files().await {
            warn!(%error, "leftovers of exports were not removed");
        }
        loop {
            if let Err(error) = self.round().await {
                warn!(%error, "exports and erasures wait");
            }
            tokio::select! {
                () = tokio::time::sleep(POLL_INTERVAL) => {}
                () = self.asked.notified() => {}
                _ = stop.wait_for(|is_stopping| *is_stopping) => return,
            }
        }
    }

    /// Everything that is due now.
    pub async fn round(&self) -> anyhow::Result<()> {
        self.expire_exports().await?;
        while let Some(leased) = {
            let now_us = self.deps.clock.now_us();
            self.deps.store.locked(move |tx| exports::lease(tx, now_us)).await?
        } {
            self.make_export(leased).await?;
        }
        while let Some(erasure) = {
            let now_us = self.deps.clock.now_us();
            self.deps.store.locked(move |tx| erasures::lease(tx, now_us)).await?
        } {
            self.erase(&erasure).await?;
        }
        self.alarm().await
    }

    async fn make_export(&self, leased: Leased) -> anyhow::Result<()> {
        let Leased { export_id, account_id, is_last_attempt } = leased;
        let fault = match self.gather(&leased).await {
            Ok(None) => return Ok(()),
            Ok(Some(fault)) => fault,
            Err(error) if is_last_attempt => {
                error!(export = %export_id, error = %format!("{error:#}"), "an export could not be made");
                "internal"
            }
            Err(error) => {
                warn!(export = %export_id, error = %format!("{error:#}"), "an export is tried again later");
                return Ok(());
            }
        };
        let now_us = self.deps.clock.now_us();
        self.deps
            .store
            .locked(move |tx| {
                exports::fail(tx, export_id, fault, now_us)?;
                tell(tx, account_id, "account.export_failed", export_id, now_us)
            })
            .await?;
        self.deps.wake.wake();
        Ok(())
    }

    /// Makes the file; a code if the person cannot have one.
    async fn gather(&self, leased: &Leased) -> anyhow::Result<Option<&'static str>> {
        let (account_id, export_id) = (leased.account_id, leased.export_id);
        let archive = gather(&self.deps, account_id).await?;
        if archive.is_full() {
            return Ok(Some("too_large"));
        }
        let now_us = self.deps.clock.now_us();
        let (planet, files) = (self.deps.planet.clone(), Arc::clone(&self.deps.files));
        let key = cipher::new_key();
        let file_key = key.clone();
        let packed = tokio::task::spawn_blocking(move || {
            let about = About { account_id, planet: &planet, now_us };
            let zip = zeroize::Zeroizing::new(pack(archive, &about)?);
            let sealed = cipher::seal(&key, export_id.as_bytes(), &zip);
            files.put(&file_name(export_id), &sealed)?;
            anyhow::Ok(zip.len() as i64)
        });
        let bytes = packed.await??;
        let vault = self.deps.vault.clone();
        let expires_us = now_us.saturating_add(self.deps.times.export_kept_us);
        let done = Leased { is_last_attempt: false, ..*leased };
        let is_kept = self
            .deps
            .store
            .serializable(move |tx| {
                let is_kept =
                    exports::finish(tx, &vault, &done, file_key.as_slice(), bytes, (now_us, expires_us))?;
                if is_kept {
                    tell(tx, account_id, "account.export_ready", export_id, now_us)?;
                }
                Ok::<_, store::Error>(is_kept)
            })
            .await?;
        if is_kept {
            self.deps.wake.wake();
        } else {
            self.remove_file(export_id).await?;
        }
        Ok(None)
    }

    async fn expire_exports(&self) -> anyhow::Result<()> {
        let now_us = self.deps.clock.now_us();
        for export_id in self.deps.store.read(move |tx| exports::ending(tx, now_us)).await? {
            self.remove_file(export_id).await?;
            self.deps.store.locked(move |tx| exports::expire(tx, export_id)).await?;
        }
        Ok(())
    }

    async fn remove_file(&self, export_id: Uuid) -> anyhow::Result<()> {
        let files = Arc::clone(&self.deps.files);
        tokio::task::spawn_blocking(move || files.remove(&file_name(export_id))).await??;
        Ok(())
    }

    /// Removes files that no export names: a process ended between the two.
    async fn sweep_files(&self) -> anyhow::Result<()> {
        let files = Arc::clone(&self.deps.files);
        let names = tokio::task::spawn_blocking(move || files.names()).await??;
        let known = self.deps.store.read(exports::with_files).await?;
        for name in names {
            let id = name.as_str().strip_prefix(FILE_PREFIX).and_then(|it| it.parse::<Uuid>().ok());
            if let Some(id) = id.filter(|it| !known.contains(it)) {
                self.remove_file(id).await?;
            }
        }
        Ok(())
    }

    /// One pass over an erasure. All steps may be done again; what cannot be done now is tried later, and holds up
    /// nothing that is personal.
    async fn erase(&self, erasure: &Erasure) -> anyhow::Result<()> {
        let Erasure { erasure_id, account_id, .. } = *erasure;
        let began_us = self.deps.clock.now_us();
        let entry = Entry { account_id, at: timestamp(began_us).to_string() };
        let list = self.deps.list.clone();
        tokio::task::spawn_blocking(move || list.add(&entry)).await??;
        lock_out(&self.deps, account_id).await?;
        let mut waits = Waits::default();
        for part in &self.deps.people {
            let domain = part.domain();
            match self.settle(erasure, domain, part).await {
                Ok(Some((what, until_us))) => waits.add(what, until_us),
                Ok(None) => self.note(erasure_id, format!("settled {domain}")).await?,
                Err(Stuck::Store(error)) if error.is_temporary() => return Err(error.into()),
                Err(error) => {
                    error!(erasure = %erasure_id, domain, %error, "something of an erasure could not be settled");
                    waits.add("a_person", began_us.saturating_add(RETRY_US));
                }
            }
        }
        for part in &self.deps.people {
            loop {
                let (part, now_us) = (Arc::clone(part), self.deps.clock.now_us());
                let done = self.deps.store.serializable(move |tx| part.erase(tx, account_id, now_us)).await?;
                if done == Erased::Done {
                    break;
                }
            }
            self.note(erasure_id, format!("erased {}", part.domain())).await?;
        }
        self.destroy_exports(account_id).await?;
        let (vault, now_us) = (self.deps.vault.clone(), self.deps.clock.now_us());
        self.deps.store.serializable(move |tx| vault.destroy(tx, account_id, now_us)).await?;
        self.note(erasure_id, "key destroyed".to_owned()).await?;
        // Whatever still shows them is told once more: their name is another now.
        (self.deps.locked_out)(account_id);

        let is_second_look = erasure.waits_for.as_deref() == Some(LAST_LOOK);
        if waits.what.is_none() && !is_second_look {
            waits.add(LAST_LOOK, now_us.saturating_add(self.deps.times.last_look_us));
        }
        if let Some((what, until_us)) = waits.what {
            let until_us = until_us.clamp(now_us, now_us.saturating_add(LOOK_US_MAX));
            self.deps.store.locked(move |tx| erasures::wait(tx, erasure_id, until_us, what)).await?;
            // What has been erased leaves the disk even while something is waited for; looking again every hour is no
            // reason to write the whole file anew.
            let is_first_pass = erasure.state != ErasureState::Settling;
            return if is_first_pass { self.scrub(erasure_id).await } else { Ok(()) };
        }
        self.scrub(erasure_id).await?;
        let (record, now_us) = (Arc::clone(&self.deps.record), self.deps.clock.now_us());
        let act = Act {
            at_us: now_us,
            actor_id: None,
            action: "account.erased",
            account_id,
            details: json!({ "erasure_id": erasure_id }),
        };
        self.deps
            .store
            .serializable(move |tx| {
                if erasures::finish(tx, erasure_id, now_us)? {
                    record(tx, &act)?;
                }
                Ok::<_, store::Error>(())
            })
            .await?;
        info!(erasure = %erasure_id, "an erasure is done");
        metrics::counter!("terrane_erasures_done_total").increment(1);
        Ok(())
    }

    /// Settles one part; what it waits for and until when, if it does.
    async fn settle(
        &self,
        erasure: &Erasure,
        domain: &'static str,
        part: &Arc<dyn crate::PersonalData>,
    ) -> Result<Option<(&'static str, i64)>, Stuck> {
        let account_id = erasure.account_id;
        loop {
            let (part, now_us) = (Arc::clone(part), self.deps.clock.now_us());
            let settled = self.deps.store.serializable(move |tx| part.settle(tx, account_id, now_us)).await?;
            self.deps.wake.wake();
            match settled {
                Settled::Done => return Ok(None),
                Settled::More => {}
                Settled::Waits { what, until_us } => {
                    info!(erasure = %erasure.erasure_id, domain, what, "an erasure waits");
                    return Ok(Some((what, until_us)));
                }
            }
        }
    }

    async fn destroy_exports(&self, account_id: Uuid) -> anyhow::Result<()> {
        let forgotten = self.deps.store.serializable(move |tx| exports::forget(tx, account_id)).await?;
        for export_id in forgotten {
            self.remove_file(export_id).await?;
        }
        Ok(())
    }

    async fn note(&self, erasure_id: Uuid, step: String) -> Result<(), store::Error> {
        let now_us = self.deps.clock.now_us();
        self.deps.store.locked(move |tx| erasures::note_step(tx, erasure_id, &step, now_us)).await
    }

    /// Has the database let go of the bytes of what was deleted.
    async fn scrub(&self, erasure_id: Uuid) -> anyhow::Result<()> {
        self.deps.store.scrub().await?;
        Ok(self.note(erasure_id, "bytes removed".to_owned()).await?)
    }

    async fn alarm(&self) -> anyhow::Result<()> {
        let before_us = self.deps.clock.now_us().saturating_sub(ALARM_US);
        let count = self.deps.store.read(move |tx| erasures::overdue(tx, before_us)).await?;
        metrics::gauge!("terrane_erasures_overdue").set(count as f64);
        if count > 0 {
            error!(count, "erasures are not done a week after they were due");
        }
        Ok(())
    }
}

/// The wait of an erasure on which only the last look is left.
const LAST_LOOK: &str = "last_look";

/// The earliest of what is waited for.
#[derive(Default)]
struct Waits {
    what: Option<(&'static str, i64)>,
}

impl Waits {
    fn add(&mut self, what: &'static str, until_us: i64) {
        if self.what.is_none_or(|(_, earliest_us)| until_us < earliest_us) {
            self.what = Some((what, until_us));
        }
    }
}

/// Nobody acts as this person from here on.
pub(crate) async fn lock_out(deps: &Deps, account_id: Uuid) -> Result<(), store::Error> {
    let (people, now_us) = (deps.people.clone(), deps.clock.now_us());
    deps.store
        .serializable(move |tx| people.iter().try_for_each(|it| it.lock_out(tx, account_id, now_us)))
        .await?;
    (deps.locked_out)(account_id);
    Ok(())
}

/// Everything about a person, as of one instant.
pub(crate) async fn gather(deps: &Deps, account_id: Uuid) -> Result<Archive, store::Error> {
    let people = deps.people.clone();
    deps.store
        .read(move |tx| {
            let mut archive = Archive::default();
            for part in &people {
                part.export(tx, account_id, &mut archive)?;
            }
            Ok(archive)
        })
        .await
}

fn tell(
    tx: &mut store::Tx<'_>,
    account_id: Uuid,
    kind: &'static str,
    export_id: Uuid,
    now_us: i64,
) -> Result<(), store::Error> {
    let data = json!({ "export_id": export_id });
    events::record(tx, &[NewEvent { kind, audience: Audience::Accounts(vec![account_id]), data }], now_us)
}
