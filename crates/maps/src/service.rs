//! Who answers: jobs are done once, few at a time, and kept.

use std::sync::Arc;
use std::time::Instant;

use api::Problem;
use axum::body::Bytes;
use planet::artifact::Manifest;
use planet::places::NameTable;
use planet::{Planet, TileId};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::file::File;
use crate::job::Job;
use crate::painter::Painter;
use crate::places::Gazetteer;
use crate::problems;

/// What the maps need from outside.
pub struct Deps {
    /// The planet.
    pub planet: Arc<Planet>,
    /// What the artifact begins with.
    pub manifest: Manifest,
    /// The planet's artifact, whole.
    pub artifact: Bytes,
    /// How places are called.
    pub names: NameTable,
    /// The origin that absolute addresses name (`https://example.org`); none for the host that was asked.
    pub public_origin: Option<String>,
    /// How much may be kept and done.
    pub limits: MapLimits,
}

/// How much the maps may keep and do at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapLimits {
    /// Jobs that run at the same time, each on a thread of its own.
    pub workers_max: usize,
    /// Jobs that wait for a worker; further ones are refused with 503.
    pub waiting_max: usize,
    /// Bytes of finished tiles and chunks that are kept.
    pub files_bytes_max: u64,
    /// Bytes of ground that is kept for neighbouring tiles.
    pub ground_bytes_max: u64,
}

impl Default for MapLimits {
    /// Half of the cores, so that the world keeps its beat while maps are drawn; a second of waiting; 96 MB.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers_max = (cores / 2).max(1);
        Self {
            workers_max,
            waiting_max: 64 * workers_max,
            files_bytes_max: 64 << 20,
            ground_bytes_max: 32 << 20,
        }
    }
}

/// Questions to the gazetteer at the same time; each takes a millisecond.
const ASKS_MAX: usize = 16;

/// When a refused client may try again.
const RETRY_AFTER_S: u32 = 1;

/// Answers for one planet.
pub struct MapService {
    pub(crate) painter: Painter,
    pub(crate) manifest: Manifest,
    pub(crate) planet_hash: String,
    pub(crate) manifest_file: File,
    pub(crate) artifact_file: File,
    artifact: Bytes,
    gazetteer: Gazetteer,
    pub(crate) public_origin: Option<String>,
    kept: Cache<Job, File, FileBytes>,
    workers: Arc<Semaphore>,
    /// One for each job that runs or waits.
    places: Arc<Semaphore>,
    /// One for each question to the gazetteer.
    asks: Arc<Semaphore>,
}

#[derive(Clone)]
struct FileBytes;

impl Weighter<Job, File> for FileBytes {
    fn weight(&self, _: &Job, file: &File) -> u64 {
        /// What the cache itself needs for a file.
        const OVERHEAD_BYTES: usize = 256;
        (file.len() + OVERHEAD_BYTES) as u64
    }
}

/// Of a usual tile, for the estimate of how many there will be.
const FILE_BYTES: u64 = 24 << 10;

/// The media type of artifacts, their manifests and tiles.
const ARTIFACT_MEDIA_TYPE: &str = "application/vnd.terrane.planet";

impl MapService {
    /// Begins to answer for a planet.
    ///
    /// # Panics
    /// If the artifact is not the manifest's.
    pub fn new(deps: Deps) -> Self {
        let Deps { planet, manifest, artifact, names, public_origin, limits } = deps;
        assert_eq!(artifact.len() as u64, manifest.artifact_bytes(), "an artifact and its own manifest");
        let planet_hash = manifest.planet_hash().to_string();
        let file = |bytes: Bytes| File::new(ARTIFACT_MEDIA_TYPE, bytes);
        Self {
            gazetteer: Gazetteer::new(Arc::clone(&planet), names),
            painter: Painter::new(planet, limits.ground_bytes_max),
            manifest_file: file(artifact.slice(..manifest.bytes() as usize)),
            artifact_file: file(artifact.clone()),
            manifest,
            planet_hash,
            artifact,
            public_origin,
            kept: Cache::with_weighter(
                (limits.files_bytes_max / FILE_BYTES) as usize,
                limits.files_bytes_max,
                FileBytes,
            ),
            workers: Arc::new(Semaphore::new(limits.workers_max)),
            asks: Arc::new(Semaphore::new(ASKS_MAX)),
            places: Arc::new(Semaphore::new(limits.workers_max + limits.waiting_max)),
        }
    }

    /// The planet.
    pub fn planet(&self) -> &Planet {
        self.painter.planet()
    }

    /// The planet's hash as it stands in addresses.
    pub fn planet_hash(&self) -> &str {
        &self.planet_hash
    }

    /// A tile of the raster, compressed as it is in the artifact.
    pub(crate) fn raster_tile(&self, id: TileId) -> Option<File> {
        let range = self.manifest.tile_range(id)?;
        let bytes = self.artifact.slice(range.start as usize..range.end as usize);
        Some(File::new(ARTIFACT_MEDIA_TYPE, bytes))
    }

    /// What a job gives: kept from before, or made now. Who asks for the same at the same time gets the same.
    pub(crate) async fn file(self: &Arc<Self>, job: Job) -> Result<File, Problem> {
        match self.kept.get_value_or_guard_async(&job).await {
            Ok(file) => Ok(file),
            Err(guard) => {
                let file = self.make(job).await?;
                // Fails only if it is there already.
                let _ = guard.insert(file.clone());
                Ok(file)
            }
        }
    }

    async fn make(self: &Arc<Self>, job: Job) -> Result<File, Problem> {
        let turn = self.turn().await?;
        let (sender, made) = oneshot::channel();
        let service = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            let file = job.make(&service.painter);
            drop(turn);
            metrics::histogram!("terrane_map_job_seconds", "kind" => job.kind())
                .record(started.elapsed().as_secs_f64());
            // Nobody waits any more: the work is done, so keep it for the next.
            if let Err(file) = sender.send(file) {
                service.kept.insert(job, file);
            }
        });
        made.await.map_err(|_| Problem::internal(&format!("{job:?} could not be made")))
    }

    /// Asks the gazetteer on a thread of its own: its first answer takes some tenths of a second.
    pub(crate) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&Gazetteer) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        // Not in the queue of the pictures: somebody waits for one word.
        let turn = Arc::clone(&self.asks).try_acquire_owned().map_err(|_| busy())?;
        let service = Arc::clone(self);
        let asked = tokio::task::spawn_blocking(move || {
            let answer = ask(&service.gazetteer);
            drop(turn);
            answer
        });
        asked.await.map_err(|error| Problem::internal(&error))
    }

    /// Waits for a worker. Who stops waiting gives the place free again.
    async fn turn(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), Problem> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let worker = Arc::clone(&self.workers).acquire_owned().await;
        Ok((place, worker.expect("the semaphore is never closed")))
    }
}

/// Counts a refusal and says when to come back.
fn busy() -> Problem {
    metrics::counter!("terrane_map_jobs_refused_total").increment(1);
    Problem::from(problems::MAPS_BUSY).retry_after_s(RETRY_AFTER_S)
}
