//! What the zones of a process did, kept so that they can be as they were: after a crash of the process, and for staff who
//! look at what somebody did.
//!
//! There is one journal per process and not one per zone: all that happened in one tick is one record, whole or not at
//! all. So what is read back is the world as it was at the end of one tick, with no body on both sides of a border and
//! none on neither. A *stretch* begins with a snapshot of everything and goes on with a record per tick.
//!
//! [`Journal`] is the seam: [`Folder`] keeps stretches as files; a log on another machine is to be another. Who holds an
//! older lease than the newest that the journal has heard of cannot append ([`Error::Fenced`]).

mod codec;
mod file;
mod record;
mod writer;

pub use file::{Folder, Locked};
pub use record::{Change, Person, TickRecord, WorldSnapshot, ZoneSnapshot};
pub(crate) use writer::{Health, Writer};

use std::io;
use std::path::PathBuf;

/// Why the journal did not take something or give something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody holds a newer lease: this process must not go on.
    #[error("lease {held} is over: {newest} has been given to somebody else")]
    Fenced {
        /// The lease of this process.
        held: u64,
        /// The newest one.
        newest: u64,
    },
    /// Another process of this machine has it open.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The disk said no.
    #[error("the journal: {0}")]
    Io(#[from] io::Error),
}

/// Where the records of a process go.
pub trait Journal: Send {
    /// Begins a stretch: the world as it is after `tick`. What came before is not needed any more to go on.
    fn begin(&mut self, tick: u64, snapshot: &[u8]) -> Result<(), Error>;

    /// Appends what happened in one tick, the next after the one appended before.
    fn append(&mut self, tick: u64, record: &[u8]) -> Result<(), Error>;

    /// Whatever was taken before survives a loss of power from now on.
    fn sync(&mut self) -> Result<(), Error>;

    /// The newest stretch that is whole at least in its snapshot; none if nothing was ever kept.
    fn read_back(&self) -> Result<Option<Stretch>, Error>;
}

/// A snapshot and what happened after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The tick after which the snapshot was taken.
    pub tick: u64,
    /// The world then.
    pub snapshot: Vec<u8>,
    /// What happened in the ticks after it, without a gap.
    pub records: Vec<(u64, Vec<u8>)>,
    /// Whether something followed that is not whole: what was written last when the power went.
    pub is_torn: bool,
}
