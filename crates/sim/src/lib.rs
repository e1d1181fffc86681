//! The authoritative zone, one tick at a time: bodies, what moves them; and the audience: who sees whom.
//!
//! [`Zone::tick`] applies each player's inputs with the rules of crate `motion`. When all zones have done so,
//! [`Audience::send`] encodes every cell once and puts together the frames of those whose turn it is. Nothing here has a
//! clock, a thread, a socket or a random source: the same calls give the same bits ([`Zone::state_hash`]).
//!
//! The crate refuses positions from clients: they send inputs, and the zone decides. It does not know why land is closed to
//! a body: [`Zone::set_closed`] says where.
//!
//! Read first: [`Zone`], `control.rs` (inputs), [`Audience`], `streams.rs` (what is sent).

mod audience;
mod bodies;
mod budget;
mod control;
mod frame;
pub mod governor;
pub mod handover;
mod honesty;
mod interest;
mod leaf;
mod log;
mod mover;
mod packed;
mod placement;
mod random;
mod replay;
mod snapshot;
mod spawn;
mod spread;
mod streams;
mod tiers;
mod view;
mod zone;

pub use audience::{Audience, AudienceConfig, AudienceStats, Delivery, SPEAKING_S};
pub use budget::{BYTES_PER_S, PEAK_BYTES_PER_S};
pub use control::{INPUTS_AHEAD_S_MAX, INPUTS_QUEUED_MAX, InputError};
pub use frame::Frame;
pub use honesty::{
    Grant, GrantReason, INCIDENTS_MAX, Incident, Offence, SCORE_MAX, SET_BACK_SCORE, SUSPICIOUS_SCORE,
    Stretch, Stretches,
};
pub use interest::{COMPANIONS_MAX, INTEREST_ENTER_M, INTEREST_LEAVE_M};
pub use log::{FrameError, Frames, HASH_TICKS, Kind as FrameKind};
pub use mover::Mover;
pub use packed::Malformed;
pub use random::{Purpose, draw};
pub use replay::{ReplayError, Replayed, Replaying};
pub use snapshot::RestoreError;
pub use spawn::{ARRIVAL_SEARCH_M, Arrival, body_at, find_place};
pub use spread::{Alone, Spread};
pub use tiers::{HYSTERESIS, NEAREST_ALWAYS};
pub use view::ZoneView;
pub use zone::{EntityId, Zone, ZoneConfig, ZoneFull};
