//! Land: who owns which lot.
//!
//! A lot is one S2 cell of the lot level; its cell id is its key everywhere. A claim is one transaction: the parcel,
//! the posting (money one way, deed the other), the title and the answer kept for repeated requests are there
//! together or not at all. Two who claim the same lot at the same instant meet in the parcel's primary key: one gets
//! it, the other is told so and keeps their money.
//!
//! It does not know how people move or what they are called: [`Presence`] and [`DisplayName`] are handed in.
//!
//! Read first: [`LandService`], [`Refusal`] (the rules, in order), [`price`].

mod parcels;
mod routes;
mod rules;
mod service;
mod verify;
mod view;

use store::Migration;

pub use routes::{RenameRequest, routes};
pub use rules::{CLAIM_DISTANCE_MAX_M, Refusal, Unclaimable, price};
pub use service::{Deps, DisplayName, LandService, LotEvent, Presence};
pub use verify::{Fault, verify};
pub use view::{LotStatus, LotView, OwnerView, PlaceView};

/// Level of a standard lot on a planet of default size: 35 m wide on average.
pub const LOT_LEVEL_AT_DEFAULT: u8 = 15;

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 3, name: "land", sql: include_str!("../migrations/0003_land.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[parcels::STATEMENTS, verify::STATEMENTS];
