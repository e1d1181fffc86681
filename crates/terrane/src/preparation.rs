//! The planet at the start of a node: loaded if it is there and whole, else made.
//!
//! The artifact appears in one step, after it is on disk; the record gets its hash after that. So a process killed at
//! any moment leaves either no planet or a whole one, and the next start goes on from there.

use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use api::{Clock as _, SystemClock};
use blobs::Blobs;
use gateway::Preparation;
use planet::Planet;
use planet::artifact::{Digest, Manifest};
use store::Store;
use tokio::sync::watch;
use tracing::{info, warn};
use uuid::Uuid;

use crate::config::PlanetConfig;
use crate::making::{self, Made};
use crate::memory;
use crate::planet_file::{self, Found, PlanetFile};
use crate::planet_record::{self, PlanetRecord, PlanetRecordError};
use crate::progress::say;

/// Before the first word of the global stage.
pub(crate) const FIRST: Preparation = Preparation { stage: "opening the data", percent: 0 };

const LAST: Preparation = Preparation { stage: "looking for a place to arrive", percent: 99 };

/// The planet, and how it came.
pub(crate) struct Prepared {
    pub(crate) record: PlanetRecord,
    pub(crate) manifest: Manifest,
    /// The whole artifact.
    pub(crate) artifact: Vec<u8>,
    pub(crate) planet: Arc<Planet>,
    pub(crate) was_made: bool,
}

/// Loads the planet of this data, or makes it. Blocks nobody but the caller; says how far it is by `progress`.
pub(crate) async fn prepare(
    store: &Store,
    wanted: &PlanetConfig,
    blobs: Blobs,
    progress: watch::Sender<Preparation>,
) -> anyhow::Result<Prepared> {
    // A record that refuses this start is cheaper to read than the planet.
    let recorded = planet_record::load(store, wanted).await?;
    let path = planet_file::path(&blobs);
    let (blobs, found) = on_a_thread(move || planet_file::find(&blobs).map(|found| (blobs, found))).await??;
    let found = match found {
        Found::Nothing => None,
        Found::Whole(file) => Some(file),
        Found::Unusable(error) if recorded.is_none() => bail!(
            "{} cannot be used ({error}), and this data does not say which planet it was: put the right file there, \
             or remove it to have a planet made",
            path.display()
        ),
        Found::Unusable(error) => {
            warn!(%error, file = %path.display(), "the planet's file is damaged");
            say(format_args!("The planet's file is damaged and made anew: {error}"));
            None
        }
    };
    let identity = found.as_ref().map(|file| file.manifest.identity());
    let record =
        planet_record::load_or_create(store, wanted, identity, Uuid::new_v4(), SystemClock.now_us()).await?;
    let was_made = found.is_none();
    let (manifest, raster, artifact) = if let Some(file) = found {
        check_is_ours(&file, &record).with_context(|| format!("{} is refused", path.display()))?;
        let PlanetFile { manifest, raster, bytes } = *file;
        (manifest, raster, bytes)
    } else {
        let Made { manifest, raster, bytes } = make_and_keep(&record, blobs, progress.clone()).await?;
        (manifest, raster, bytes)
    };
    planet_record::set_made(store, manifest.planet_hash(), manifest.identity().sub_seed).await?;

    let planet = Planet::new(record.spec, raster);
    let planet = if let Some(arrival) = record.arrival {
        planet.with_arrival(arrival)
    } else {
        // Searched for now, so that the first newcomer does not wait.
        progress.send_replace(LAST);
        let (planet, arrival) = on_a_thread(move || {
            let arrival = planet.arrival();
            (planet, arrival)
        })
        .await?;
        planet_record::set_arrival(store, arrival).await?;
        planet
    };
    Ok(Prepared { record, manifest, artifact, planet: Arc::new(planet), was_made })
}

async fn make_and_keep(
    record: &PlanetRecord,
    blobs: Blobs,
    progress: watch::Sender<Preparation>,
) -> anyhow::Result<Made> {
    if let Some(import) = record.import {
        bail!(
            "{} is missing or damaged, and it cannot be made from its seed, because its heights were imported: run \
             `terrane planet import` again with the file of BLAKE3 hash {import}, or restore it from a backup",
            planet_file::path(&blobs).display()
        );
    }
    let (spec, recorded) = (record.spec, record.planet_hash);
    info!(seed = spec.seed, raster_level = spec.raster_level, "making the planet");
    on_a_thread(move || {
        let made = making::make(spec, &mut |now| {
            progress.send_replace(now);
        });
        let hash = made.manifest.planet_hash();
        // Looked at before it takes a place that somebody may want to look at.
        if let Some(stored) = recorded.filter(|stored| *stored != hash) {
            return Err(PlanetRecordError::OtherHash { stored, made: hash }.into());
        }
        planet_file::keep(&blobs, &made.bytes)?;
        info!(%hash, bytes = made.bytes.len(), memory_peak_mb = memory::peak_mb(), "the planet is made");
        Ok(made)
    })
    .await?
}

/// Whether a whole artifact is that of this data.
fn check_is_ours(file: &PlanetFile, record: &PlanetRecord) -> anyhow::Result<()> {
    let (hash, identity) = (file.manifest.planet_hash(), file.manifest.identity());
    let is_wanted = (identity.spec, identity.import) == (record.spec, record.import);
    let is_recorded = record.planet_hash.is_none_or(|stored| stored == hash);
    if is_wanted && is_recorded {
        return Ok(());
    }
    let ours = record.planet_hash.map_or_else(
        || format!("seed {}, shift {}", record.spec.seed, record.spec.shift),
        |hash: Digest| hash.to_string(),
    );
    Err(anyhow!(
        "it is planet {hash}, but this data belongs to planet {ours}: put that one's file there, or remove this one to \
         have it made from its seed"
    ))
}

/// For work that computes or waits for a disk. It ends with the process, not before.
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.context("the planet could not be made")
}
