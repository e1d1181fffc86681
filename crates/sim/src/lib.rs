//! The authoritative zone, one tick at a time: bodies, what moves them, who sees whom.
//!
//! [`Zone::tick`] applies each player's inputs with the rules of crate `motion`. [`Zone::send`] encodes every cell once
//! and puts together the frames of those whose turn it is. Nothing here has a clock, a thread, a socket or a random
//! source: the same calls give the same bits ([`Zone::state_hash`]).
//!
//! The crate refuses positions from clients: they send inputs, and the zone decides. It does not know why land is closed to
//! a body: [`Zone::set_closed`] says where.
//!
//! Read first: [`Zone`], `control.rs` (inputs), `streams.rs` (what is sent).

mod bodies;
mod control;
mod interest;
mod spawn;
mod streams;
mod zone;

pub use control::{INPUTS_AHEAD_MAX, INPUTS_QUEUED_MAX, InputError};
pub use interest::{INTEREST_ENTER_M, INTEREST_LEAVE_M};
pub use spawn::{ARRIVAL_SEARCH_M, Arrival};
pub use streams::KEYFRAME_SENDS;
pub use zone::{Delivery, EntityId, SEND_TICKS, Zone, ZoneConfig, ZoneFull};
