//! The journal as files of one folder.
//!
//! ```text
//! zones/lock                          held while a process has the folder open
//! zones/fence                         the newest lease, as a decimal number
//! zones/<lease>-<tick>.journal        a stretch, both numbers with leading zeros
//!
//! stretch   magic "TERRANEZ", version u16, lease u64, frame …
//! frame     length u32 of the body, tick u64, checksum 8 bytes of BLAKE3 over tick and body, body
//! ```
//!
//! The first frame is the snapshot, each other one a tick. A file may end anywhere: what is not whole is not read.

use super::{Error, Journal, Stretch};
use sim::handover::Fence;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"TERRANEZ";
const VERSION: u16 = 1;
const HEAD_BYTES: usize = 18;
const FRAME_HEAD_BYTES: usize = 20;
const LOCK_FILE: &str = "lock";
const FENCE_FILE: &str = "fence";
const SUFFIX: &str = ".journal";
/// Stretches are never thrown away down to fewer than this.
const STRETCHES_MIN: usize = 2;
/// All stretches together take no more than this: of ten thousand walkers it is about half an hour.
const FOLDER_BYTES_MAX: u64 = 4 << 30;

/// Stretches in a folder, of which one process at a time is the writer.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lease: u64,
    stretches_max: usize,
    current: Option<(PathBuf, File)>,
    _lock: File,
}

impl Folder {
    /// Takes the folder, which is made if it is missing; nobody else can while this lives, however the process ends.
    pub fn lock(path: &Path) -> Result<Locked, Error> {
        fs::create_dir_all(path)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK_FILE))?;
        match lock.try_lock() {
            Ok(()) => Ok(Locked { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Every stretch in a folder, the oldest first, for who only looks. What is no stretch is left out.
    pub fn stretches(path: &Path) -> Result<Vec<Stretch>, Error> {
        let mut stretches = vec![];
        for file in files(path)? {
            stretches.extend(read(&file)?);
        }
        Ok(stretches)
    }

    /// The stretch in one file; none if it is none.
    pub fn stretch_of(file: &Path) -> Result<Option<Stretch>, Error> {
        Ok(read(file)?)
    }

    fn check_fence(&self) -> Result<(), Error> {
        let newest = read_fence(&self.path)?;
        if newest.admits(self.lease) {
            Ok(())
        } else {
            Err(Error::Fenced { held: self.lease, newest: newest.0 })
        }
    }

    /// Throws away the oldest.
    fn prune(&self) -> io::Result<()> {
        let mut files = files(&self.path)?;
        let mut sizes: Vec<u64> = files.iter().map(|it| fs::metadata(it).map_or(0, |it| it.len())).collect();
        while files.len() > STRETCHES_MIN
            && (files.len() > self.stretches_max || sizes.iter().sum::<u64>() > FOLDER_BYTES_MAX)
        {
            fs::remove_file(files.remove(0))?;
            sizes.remove(0);
        }
        Ok(())
    }
}

/// A folder that is ours and of which the lease is not known yet.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    lock: File,
}

impl Locked {
    /// Opens it for the holder of a lease; holders of older ones can append no more. Of the past, `stretches_max` are
    /// kept.
    pub fn open(self, lease: u64, stretches_max: usize) -> Result<Folder, Error> {
        let newest = read_fence(&self.path)?;
        if !newest.admits(lease) {
            return Err(Error::Fenced { held: lease, newest: newest.0 });
        }
        let next = self.path.join("fence.new");
        let mut file = File::create(&next)?;
        file.write_all(newest.raised(lease).0.to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&next, self.path.join(FENCE_FILE))?;
        sync_folder(&self.path)?;
        Ok(Folder {
            path: self.path,
            lease,
            stretches_max: stretches_max.max(STRETCHES_MIN),
            current: None,
            _lock: self.lock,
        })
    }
}

impl Journal for Folder {
    fn begin(&mut self, tick: u64, snapshot: &[u8]) -> Result<(), Error> {
        self.check_fence()?;
        if let Some((_, file)) = self.current.take() {
            file.sync_data()?;
        }
        let path = self.path.join(format!("{:020}-{tick:020}{SUFFIX}", self.lease));
        let mut file = File::create(&path)?;
        let mut bytes = Vec::with_capacity(HEAD_BYTES + FRAME_HEAD_BYTES + snapshot.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.lease.to_le_bytes());
        put_frame(&mut bytes, tick, snapshot);
        file.write_all(&bytes)?;
        sync_folder(&self.path)?;
        self.current = Some((path, file));
        self.prune()?;
        Ok(())
    }

    fn append(&mut self, tick: u64, record: &[u8]) -> Result<(), Error> {
        self.check_fence()?;
        let Some((_, file)) = &mut self.current else {
            return Err(io::Error::other("no stretch has been begun").into());
        };
        let mut bytes = Vec::with_capacity(FRAME_HEAD_BYTES + record.len());
        put_frame(&mut bytes, tick, record);
        let outcome = file.write_all(&bytes);
        if outcome.is_err() {
            // Part of it may be there: nothing may follow it.
            self.current = None;
        }
        Ok(outcome?)
    }

    fn sync(&mut self) -> Result<(), Error> {
        if let Some((_, file)) = &self.current {
            file.sync_data().inspect_err(|_| self.current = None)?;
        }
        Ok(())
    }

    fn read_back(&self) -> Result<Option<Stretch>, Error> {
        for file in files(&self.path)?.iter().rev() {
            if let Some(stretch) = read(file)? {
                return Ok(Some(stretch));
            }
        }
        Ok(None)
    }
}

/// The stretches, the oldest first.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if path.to_str().is_some_and(|name| name.ends_with(SUFFIX)) {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn read_fence(path: &Path) -> io::Result<Fence> {
    match fs::read_to_string(path.join(FENCE_FILE)) {
        Ok(text) => text.trim().parse().map(Fence).map_err(|_| io::Error::other("the fence is no number")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Fence::default()),
        Err(error) => Err(error),
    }
}

/// A new file's name survives a loss of power only with its folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn checksum(tick: u64, body: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&tick.to_le_bytes());
    hasher.update(body);
    hasher.finalize().as_bytes()[..8].try_into().expect("a hash is longer")
}

fn put_frame(out: &mut Vec<u8>, tick: u64, body: &[u8]) {
    let length = u32::try_from(body.len()).expect("a world is smaller than 4 GiB");
    out.extend(length.to_le_bytes());
    out.extend(tick.to_le_bytes());
    out.extend(checksum(tick, body));
    out.extend_from_slice(body);
}

/// The frame at the beginning of `bytes`, and what follows; none if it is not whole.
fn frame(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(FRAME_HEAD_BYTES)?;
    let length = u32::from_le_bytes(head[..4].try_into().expect("four bytes")) as usize;
    let tick = u64::from_le_bytes(head[4..12].try_into().expect("eight bytes"));
    let (body, rest) = rest.split_at_checked(length)?;
    (checksum(tick, body) == head[12..]).then_some((tick, body, rest))
}

/// None if not even the snapshot is whole.
fn read(path: &Path) -> io::Result<Option<Stretch>> {
    let mut bytes = vec![];
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(parse(&bytes))
}

fn parse(bytes: &[u8]) -> Option<Stretch> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    if head[..8] != *MAGIC || head[8..10] != VERSION.to_le_bytes() {
        return None;
    }
    let (tick, snapshot, mut rest) = frame(rest)?;
    let mut records = vec![];
    let mut last = tick;
    while let Some((tick, body, after)) = frame(rest)
        && tick == last + 1
    {
        records.push((tick, body.to_vec()));
        (last, rest) = (tick, after);
    }
    Some(Stretch { tick, snapshot: snapshot.to_vec(), records, is_torn: !rest.is_empty() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("the temporary folder can be written")
    }

    fn newest_file(path: &Path) -> PathBuf {
        files(path).unwrap().pop().expect("a stretch was begun")
    }

    #[test]
    fn a_journal_torn_at_any_byte_gives_all_that_is_whole_before_it() {
        let home = folder();
        let mut journal = Folder::lock(home.path()).unwrap().open(1, 10).unwrap();
        journal.begin(7, b"the world").unwrap();
        let ends: Vec<usize> = (8..13)
            .map(|tick| {
                journal.append(tick, &vec![tick as u8; tick as usize]).unwrap();
                fs::metadata(newest_file(home.path())).unwrap().len() as usize
            })
            .collect();
        let bytes = fs::read(newest_file(home.path())).unwrap();
        for cut in 0..=bytes.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count();
            match parse(&bytes[..cut]) {
                Some(stretch) => {
                    assert_eq!((stretch.tick, &stretch.snapshot[..]), (7, &b"the world"[..]));
                    assert_eq!(stretch.records.len(), whole, "cut at {cut}");
                }
                None => assert!(whole == 0 && cut < ends[0], "nothing at {cut}"),
            }
            // A byte that is wrong ends what is read as well, and never shows.
            if cut < bytes.len() {
                let mut wrong = bytes.clone();
                wrong[cut] ^= 0x10;
                let before = ends.iter().filter(|end| **end <= cut).count();
                let read = parse(&wrong).map_or(0, |stretch| stretch.records.len());
                assert!(read == before || cut < HEAD_BYTES, "{read} of {before} with byte {cut} wrong");
            }
        }
    }

    #[test]
    fn a_stretch_whose_snapshot_is_torn_leaves_the_one_before_it() {
        let home = folder();
        let mut journal = Folder::lock(home.path()).unwrap().open(1, 10).unwrap();
        journal.begin(0, b"old").unwrap();
        journal.append(1, b"one").unwrap();
        journal.begin(1, b"new").unwrap();
        let newest = newest_file(home.path());
        let bytes = fs::read(&newest).unwrap();
        fs::write(&newest, &bytes[..bytes.len() - 1]).unwrap();
        let stretch = journal.read_back().unwrap().unwrap();
        assert_eq!((&stretch.snapshot[..], stretch.records.len()), (&b"old"[..], 1));
    }

    #[test]
    fn the_holder_of_an_older_lease_can_neither_open_nor_append() {
        let home = folder();
        let mut old = Folder::lock(home.path()).unwrap().open(3, 10).unwrap();
        old.begin(0, b"world").unwrap();
        old.append(1, b"one").unwrap();
        // Elsewhere, where this lock is not seen.
        fs::write(home.path().join(FENCE_FILE), "4").unwrap();
        let refused = old.append(2, b"two").unwrap_err();
        assert!(matches!(refused, Error::Fenced { held: 3, newest: 4 }), "{refused}");
        assert!(old.begin(2, b"world").is_err());
        assert_eq!(old.read_back().unwrap().unwrap().records.len(), 1);
        drop(old);
        let refused = Folder::lock(home.path()).unwrap().open(3, 10).unwrap_err();
        assert!(matches!(refused, Error::Fenced { .. }));
        assert!(Folder::lock(home.path()).unwrap().open(4, 10).is_ok());
    }

    #[test]
    fn a_second_process_is_refused_while_the_first_lives() {
        let home = folder();
        let first = Folder::lock(home.path()).unwrap().open(1, 10).unwrap();
        assert!(matches!(Folder::lock(home.path()), Err(Error::InUse { .. })));
        drop(first);
        assert!(Folder::lock(home.path()).is_ok());
    }

    #[test]
    fn only_so_many_stretches_are_kept() {
        let home = folder();
        let mut journal = Folder::lock(home.path()).unwrap().open(1, 3).unwrap();
        for tick in (0..100).step_by(10) {
            journal.begin(tick, b"world").unwrap();
            journal.append(tick + 1, b"one").unwrap();
        }
        let kept: Vec<_> = Folder::stretches(home.path()).unwrap().iter().map(|it| it.tick).collect();
        assert_eq!(kept, [70, 80, 90]);
    }

    #[test]
    fn after_a_failed_write_nothing_is_appended_before_a_new_stretch() {
        let home = folder();
        let mut journal = Folder::lock(home.path()).unwrap().open(1, 3).unwrap();
        assert!(journal.append(1, b"one").is_err());
        assert_eq!(journal.read_back().unwrap(), None);
    }
}
