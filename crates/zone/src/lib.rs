//! Hosts the simulation: the tick thread, sessions, saved positions, and which land is closed to whom.
//!
//! [`open`] runs the world on a thread of its own, 30 ticks a second: many zones, moved by a pool of threads
//! ([`World`]), a [`journal`] of all that happens, and a lease that no second process can have. A connection is a [`Session`]: bytes in
//! through [`Session::receive`], bytes out through [`Session::next`] or, for many, a
//! [`Carrier`]; the zone never touches a socket. Bodies
//! outlive connections by [`LINK_DEAD_S`] seconds, positions outlive the process in table `bodies`.
//!
//! The crate refuses to know tokens, HTTP and money. Every queue has a named maximum: see [`limits`].
//!
//! Read first: [`Handle`], [`Session`], `host.rs`.

mod clock;
mod fences;
mod handle;
mod host;
pub mod journal;
mod lease;
pub mod limits;
mod outbox;
mod outgoing;
mod personal;
mod post;
mod saved;
mod session;
mod slow_reader;
mod tenancy;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod world;

pub use clock::{Clock, SystemClock};
pub use fences::{Admission, Admits, Fence, FenceSource, FencesIn, GroupsOf, Visitor};
pub use handle::{
    Deps, EventFor, Handle, JoinError, JoinRequest, Keeping, MovementStretch, OpenError, Stats, ZoneConfig,
    open, start,
};
pub use outbox::Waiting;
pub use outgoing::{Carrier, Hands, Outgoing};
pub use personal::Personal;
pub use session::{Fault, Session};
pub use sim::Frame;

pub use lease::LeaseError;
pub use world::{
    Balance, Cost, Counts, InProcess, Messenger, ReplayFault, Replayed, Replaying, RestoreError, World,
    WorldConfig, ZoneInfo, replay,
};

use store::Migration;

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 4, name: "zone", sql: include_str!("../migrations/0004_zone.sql") },
    Migration { number: 22, name: "zone_leases", sql: include_str!("../migrations/0022_zone_leases.sql") },
];

/// Seconds a body waits for its player after the connection was lost.
pub const LINK_DEAD_S: u64 = 30;

#[cfg(test)]
mod tests;
