//! The planet's artifact as it is kept: one blob of the data folder.

use std::num::NonZeroUsize;
use std::sync::Arc;

use blobs::{BlobError, BlobName, Blobs};
use planet::Raster;
use planet::artifact::{self, ArtifactError, Manifest};

use crate::config::Config;

/// Where blobs are within the data folder.
const FOLDER: &str = "blobs";

/// What the artifact is called among them.
const NAME: &str = "planet.trp";

/// Bytes of all blobs of a node: ten planets of the finest raster.
const BYTES_MAX: u64 = 256 << 20;

/// An artifact, whole and verified.
pub(crate) struct PlanetFile {
    pub(crate) manifest: Manifest,
    pub(crate) raster: Arc<Raster>,
    pub(crate) bytes: Vec<u8>,
}

/// What there is under the artifact's name.
pub(crate) enum Found {
    Nothing,
    Whole(Box<PlanetFile>),
    Unusable(ArtifactError),
}

impl PlanetFile {
    /// Unpacks an artifact and verifies every tile.
    pub(crate) fn open(bytes: Vec<u8>) -> Result<Self, ArtifactError> {
        let (manifest, raster) = artifact::read(&bytes, threads())?;
        Ok(Self { manifest, raster: Arc::new(raster), bytes })
    }
}

/// The blobs of a node.
pub(crate) fn blobs(config: &Config) -> Result<Blobs, BlobError> {
    Blobs::open(&config.node.data.join(FOLDER), BYTES_MAX)
}

/// Reads the artifact.
pub(crate) fn find(blobs: &Blobs) -> Result<Found, BlobError> {
    let Some(bytes) = blobs.get(&name())? else { return Ok(Found::Nothing) };
    Ok(match PlanetFile::open(bytes) {
        Ok(file) => Found::Whole(Box::new(file)),
        Err(error) => Found::Unusable(error),
    })
}

/// Keeps an artifact in place of what may have been there.
pub(crate) fn keep(blobs: &Blobs, bytes: &[u8]) -> Result<(), BlobError> {
    blobs.put(&name(), bytes)
}

/// Where it is, for messages.
pub(crate) fn path(blobs: &Blobs) -> std::path::PathBuf {
    blobs.path(&name())
}

/// How many threads long work may use: all cores.
pub(crate) fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn name() -> BlobName {
    BlobName::parse(NAME).expect("a plain file name")
}
