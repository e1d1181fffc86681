//! Land: who owns which lots.
//!
//! A *lot* is one S2 cell of the lot level; its cell id is its key everywhere. A *parcel* is one lot or several that
//! hang together by their sides, with one owner, one deed and one name; its id is its *anchor*, which is one of its
//! lots. Every decision is one transaction: the parcel, the posting (money one way, deed the other), the title, the
//! event and the answer kept for repeated requests are there together or not at all. Two who claim the same lot at the
//! same instant meet in its primary key: one gets it, the other is told so and keeps their money.
//!
//! Other services change land in their own transactions: they [`take`] a parcel, [`encumber`] and [`release`] it and
//! [`transfer`] it. Parcels are taken before balances, in ascending order, by everybody.
//!
//! It does not know how people move, what they are called or who leads a group: [`Presence`], [`DisplayName`] and
//! [`Authority`] are handed in.
//!
//! Read first: [`LandService`], [`ParcelFacts`], [`Refusal`] (the rules, in order), [`transfer`].

mod abandon;
pub mod access;
mod area;
mod books;
mod claim;
mod complete;
mod decide;
mod describe;
mod encumbrance;
mod fault;
mod find;
mod free;
mod freeze;
mod gift;
mod gifts;
mod hold;
mod keep;
pub mod limits;
mod lots;
mod map;
mod merge;
mod parcel;
mod personal;
mod routes;
mod rules;
mod seen;
mod service;
mod shape;
mod split;
mod survey;
#[cfg(feature = "testing")]
pub mod testing;
mod title;
mod titles;
mod transfer;
mod verify;
mod view;

use store::Migration;

pub use abandon::{Reclaimed, reclaim};
pub use area::Area;
pub use books::deed;
pub use complete::complete;
pub use describe::Description;
pub use encumbrance::{
    Encumbrance, EncumbranceKind, Shown, bind_lease, encumber, encumbrance, release, release_all, show,
    unbind_lease,
};
pub use fault::Fault;
pub use freeze::{RestoreError, Restored, freeze, frozen, restore, thaw};
pub use gifts::GiftDecision;
pub use parcel::{ParcelFacts, cells, every, facts_of, parcel, take, take_all};
pub use personal::Personal;
pub use routes::{ClaimsRequest, DescribeRequest, GiftRequest, MergeRequest, SplitRequest, routes};
pub use rules::{Refusal, Unclaimable, price};
pub use service::{Agents, Authority, Deps, DisplayName, DisplayNames, LandService, LotEvent, Presence};
pub use survey::Front;
pub use title::TitleKind;
pub use titles::Record;
pub use transfer::{Transfer, transfer, transfer_all};
pub use verify::{OpenReferences, verify, verify_with};
pub use view::{
    AbandonedView, FreeLotView, FreeLotsView, GiftState, GiftView, LotStatus, LotView, MarketView, OwnerKind,
    OwnerView, PlaceView, SplitView, TitleView,
};

/// Level of a standard lot on a planet of default size: 35 m wide on average.
pub const LOT_LEVEL_AT_DEFAULT: u8 = 15;

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 3, name: "land", sql: include_str!("../migrations/0003_land.sql") },
    Migration { number: 9, name: "parcels", sql: include_str!("../migrations/0009_parcels.sql") },
    Migration { number: 15, name: "access", sql: include_str!("../migrations/0015_access.sql") },
    Migration { number: 21, name: "freeze", sql: include_str!("../migrations/0021_freeze.sql") },
];

/// Questions by place and owner with values in them, for the test that looks at their plans.
#[doc(hidden)]
pub const PLACE_QUERIES: &[&str] = find::EXPLAINED;

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[
    access::STATEMENTS[0],
    access::STATEMENTS[1],
    complete::STATEMENTS,
    describe::STATEMENTS,
    encumbrance::STATEMENTS,
    find::STATEMENTS,
    freeze::STATEMENTS,
    gift::STATEMENTS,
    keep::STATEMENTS,
    map::tile::STATEMENTS,
    parcel::STATEMENTS,
    personal::STATEMENTS,
    title::STATEMENTS,
    transfer::STATEMENTS,
    verify::STATEMENTS,
];
