//! Large files under names, in a folder of this machine: the planet's artifact, for example.
//!
//! A blob is there whole or not at all, whatever happens to the process or the machine: it is written beside its
//! place, brought to disk and then renamed. What a killed process has left is swept by the next one that opens the
//! folder alone.
//!
//! The crate does not know what is in a blob and does not look for damage: who keeps one knows its hash. It blocks;
//! asynchronous callers put it on a thread of their own.
//!
//! Read first: [`Blobs`].

mod name;

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

pub use name::{BlobName, ParseBlobNameError};

/// What is being written has this before its name; no [`BlobName`] begins so.
const PARTIAL_PREFIX: &str = ".partial-";

/// Held shared by whoever has the folder open.
const LOCK_FILE: &str = ".lock";

/// Why a blob was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The folder or a file in it.
    #[error("cannot {verb} {}: {source}", path.display())]
    Files {
        /// What was tried.
        verb: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another blob would be one too many.
    #[error("{} may hold {bytes_max} bytes: {needed} more would make {would_hold}", folder.display())]
    Full {
        /// The folder of blobs.
        folder: PathBuf,
        /// Bytes it may hold.
        bytes_max: u64,
        /// Bytes of the new blob.
        needed: u64,
        /// Bytes it would hold with the new blob.
        would_hold: u64,
    },
    /// The blob ends before the range does.
    #[error("{name} has {length} bytes, asked for was up to byte {end}")]
    OutOfRange {
        /// Which blob.
        name: BlobName,
        /// Its bytes.
        length: u64,
        /// The end of the range.
        end: u64,
    },
}

/// A folder of blobs.
#[derive(Debug)]
pub struct Blobs {
    folder: PathBuf,
    bytes_max: u64,
    /// Tells the parts of several writers of this process apart.
    partial_count: AtomicU32,
    _lock: File,
}

impl Blobs {
    /// Makes the folder if need be and opens it. All blobs together may have `bytes_max` bytes.
    ///
    /// Several processes may have it open at once. Leftovers are swept by the first of them.
    pub fn open(folder: &Path, bytes_max: u64) -> Result<Self, BlobError> {
        fs::create_dir_all(folder).map_err(failed("make", folder))?;
        let lock_path = folder.join(LOCK_FILE);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(failed("open", &lock_path))?;
        // Alone with the folder, there is nobody whose unfinished file could be taken for a leftover.
        match lock.try_lock() {
            Ok(()) => sweep(folder)?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(failed("lock", &lock_path)(source)),
        }
        lock.lock_shared().map_err(failed("lock", &lock_path))?;
        Ok(Self { folder: folder.to_owned(), bytes_max, partial_count: AtomicU32::new(0), _lock: lock })
    }

    /// Where a blob is, for messages.
    pub fn path(&self, name: &BlobName) -> PathBuf {
        self.folder.join(name.as_str())
    }

    /// Keeps `bytes` under `name`, in place of what may have been there. When this returns, they are on disk.
    pub fn put(&self, name: &BlobName, bytes: &[u8]) -> Result<(), BlobError> {
        self.check_room(name, bytes.len() as u64)?;
        let number = self.partial_count.fetch_add(1, Ordering::Relaxed);
        let partial = self.folder.join(format!("{PARTIAL_PREFIX}{}-{number}", std::process::id()));
        let path = self.path(name);
        let written = write_through(&partial, bytes)
            .map_err(failed("write", &partial))
            .and_then(|()| fs::rename(&partial, &path).map_err(failed("write", &path)));
        if written.is_err() {
            // It may not even be there; what cannot be removed now is swept later.
            let _ = fs::remove_file(&partial);
        }
        written?;
        // The new name, too, must outlive a loss of power.
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(failed("write", &self.folder))
    }

    /// Bytes of a blob; `None` if there is none of this name.
    pub fn length(&self, name: &BlobName) -> Result<Option<u64>, BlobError> {
        let path = self.path(name);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("read", &path)(source)),
        }
    }

    /// All bytes of a blob; `None` if there is none of this name.
    pub fn get(&self, name: &BlobName) -> Result<Option<Vec<u8>>, BlobError> {
        match self.length(name)? {
            Some(length) => self.get_range(name, 0..length),
            None => Ok(None),
        }
    }

    /// Some bytes of a blob; `None` if there is none of this name.
    pub fn get_range(&self, name: &BlobName, range: Range<u64>) -> Result<Option<Vec<u8>>, BlobError> {
        let path = self.path(name);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed("read", &path)(source)),
        };
        let length = file.metadata().map_err(failed("read", &path))?.len();
        // Checked before anything is allocated for it.
        if range.end > length || range.start > range.end {
            return Err(BlobError::OutOfRange { name: name.clone(), length, end: range.end });
        }
        let mut bytes = vec![0; (range.end - range.start) as usize];
        file.seek(SeekFrom::Start(range.start))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(failed("read", &path))?;
        Ok(Some(bytes))
    }

    /// Removes a blob; `false` if there is none of this name.
    pub fn remove(&self, name: &BlobName) -> Result<bool, BlobError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(failed("remove", &path)(source)),
        }
    }

    /// The names of all blobs, in no order.
    pub fn names(&self) -> Result<Vec<BlobName>, BlobError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed("list", &self.folder))? {
            let entry = entry.map_err(failed("list", &self.folder))?;
            // Locks and unfinished parts are no blobs.
            names.extend(entry.file_name().to_str().and_then(|it| BlobName::parse(it).ok()));
        }
        Ok(names)
    }

    /// Whether `needed` bytes under `name` leave the folder within its limit. Two writers at once may both be let in;
    /// the limit is against growing for ever, not to the byte.
    fn check_room(&self, name: &BlobName, needed: u64) -> Result<(), BlobError> {
        let mut others = 0;
        for entry in fs::read_dir(&self.folder).map_err(failed("list", &self.folder))? {
            let entry = entry.map_err(failed("list", &self.folder))?;
            if entry.file_name() != *name.as_str() {
                // One that has just been removed holds nothing.
                others += entry.metadata().map_or(0, |metadata| metadata.len());
            }
        }
        let would_hold = others + needed;
        if would_hold > self.bytes_max {
            let (folder, bytes_max) = (self.folder.clone(), self.bytes_max);
            return Err(BlobError::Full { folder, bytes_max, needed, would_hold });
        }
        Ok(())
    }
}

fn sweep(folder: &Path) -> Result<(), BlobError> {
    for entry in fs::read_dir(folder).map_err(failed("list", folder))? {
        let entry = entry.map_err(failed("list", folder))?;
        if entry.file_name().as_encoded_bytes().starts_with(PARTIAL_PREFIX.as_bytes()) {
            fs::remove_file(entry.path()).map_err(failed("remove", &entry.path()))?;
        }
    }
    Ok(())
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn failed(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BlobError {
    move |source| BlobError::Files { verb, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
