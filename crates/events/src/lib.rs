//! Events: what happened, told exactly once to whoever keeps count, and at once to whoever listens.
//!
//! [`record`] writes an event in the transaction of what happened, so that there is never one without the other. A
//! moment after the commit the [`Relay`] of some process gives it a *position*: 1, 2, 3 and so on, by one hand at a
//! time. That order is what everybody reads by: transactions that commit late get a later position, and a clock that
//! is set back changes nothing.
//!
//! - Listeners in this process: [`Relay::subscribe`]. Each process sees each event, from when it was started.
//! - Who comes back after a while: [`after`], by the last position seen, as long as events are kept ([`KEPT_US`]).
//! - Clients: [`routes`], a stream over HTTP that goes on where it stopped.
//! - Work that must be done once for each event: [`consume`], whose cursor moves in the transaction of the work.
//!
//! It knows no kind of event and no rule of who may see more than the [`Audience`] says.

mod consume;
mod event;
mod feed;
mod outbox;
mod relay;
mod retention;
mod streams;

use store::Migration;

pub use consume::{consume, position_of};
pub use event::{Audience, DATA_BYTES_MAX, NewEvent, StoredEvent};
pub use outbox::{after, last_position, next_id, record};
pub use relay::{Relay, Wake};
pub use retention::{KEPT_US, sweep};
pub use streams::{PER_ACCOUNT_MAX, STREAMS_MAX, Streams, routes};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 11, name: "events", sql: include_str!("../migrations/0011_events.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] =
    &[outbox::STATEMENTS, consume::STATEMENTS, relay::STATEMENTS, retention::STATEMENTS, streams::STATEMENTS];
