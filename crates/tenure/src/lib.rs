//! Tenure: land that is held on terms.
//!
//! - *Leases.* The owner offers, the tenant accepts: the deposit is held, the first rent paid, the tenant let in. Rent
//!   is paid in advance for each period by itself; if it cannot be there is some grace, and then the lease ends with the
//!   deposit to the owner. Otherwise it ends with the deposit free again. Land is sold with its lease.
//! - *Upkeep*, an operator's option: a charge on all land for each period.
//! - *Reclaim*, an operator's option: land whose owner has not been seen for long, or does not pay upkeep, goes back to
//!   the planet, after a notice.
//!
//! What is to be done next and when stands in the database. Whoever does it takes the parcel and then the row, looks
//! again, and moves money under a name that says which period of what it is for: so nothing is done twice, whatever
//! dies when and wherever the clock is set.
//!
//! Read first: `lease.rs` (the states), `rent.rs`, `rounds.rs`, [`Tenure`].

mod decisions;
mod lease;
mod personal;
mod reclaim;
mod refusal;
mod rent;
mod rounds;
mod routes;
mod service;
mod terms;
mod upkeep;
mod verify;
mod view;
mod worker;

use store::Migration;

pub use lease::{EndReason, LeaseState};
pub use personal::Personal;
pub use refusal::Refusal;
pub use routes::{EndRequest, LeaseRequest, routes};
pub use service::{Agents, Deps, LastSeen, Tenure};
pub use terms::{CATCH_UP_MAX, GRACE_US_MAX, OFFER_TIME_US, OFFERS_WAITING_MAX, UNPAID_PERIODS_MAX};
pub use verify::{hold_reasons, open_offers};
pub use view::{LeaseView, PartyView};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 14, name: "tenure", sql: include_str!("../migrations/0014_tenure.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[
    lease::STATEMENTS,
    personal::STATEMENTS,
    rounds::STATEMENTS,
    upkeep::STATEMENTS,
    reclaim::STATEMENTS,
    verify::STATEMENTS,
];
