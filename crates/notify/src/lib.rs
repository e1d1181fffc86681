//! What accounts are told of what concerns them.
//!
//! A durable reader of events ([`dispatch`]) makes of each event, once, the *notices* of the accounts it is for and
//! the *deliveries* to the webhooks they have set up. A [`Courier`] sends deliveries until the other side takes them,
//! by Standard Webhooks 1.0.0: signed, at least once, with the same id each time, less and less often while it fails.
//!
//! It never sends to an address that is not public ([`Destinations`]), never follows a redirect, and never sends more
//! than ids and amounts: whoever gets one asks the interface for the rest.
//!
//! Read first: `dispatch.rs`, `courier.rs`, `signature.rs`, `address.rs`.

mod address;
mod courier;
mod deliveries;
mod dispatch;
mod endpoints;
mod notice_routes;
mod notices;
mod personal;
mod retention;
mod schedule;
mod sender;
mod signature;
mod webhook_routes;
mod webhook_views;

use store::Migration;

pub use address::{AddressFault, Destinations, UrlFault};
pub use courier::{Courier, CourierDeps};
pub use dispatch::{READER, dispatch};
pub use endpoints::ENDPOINTS_PER_ACCOUNT_MAX;
pub use notice_routes::{NoticeView, NoticesView, ReadRequest};
pub use notices::{KINDS as NOTICE_KINDS, NOTICES_PER_ACCOUNT_MAX};
pub use personal::Personal;
pub use retention::sweep;
pub use schedule::{ATTEMPTS_MAX, RETRIES_S};
pub use sender::Sender;
pub use signature::{Secret, SecretFault};
pub use webhook_routes::{Deps, RotateRequest, WebhookChange, WebhookRequest, routes};
pub use webhook_views::{DeliveryView, WebhookView, WebhookWithSecret, WebhooksView};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 13, name: "notify", sql: include_str!("../migrations/0013_notify.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[
    notices::STATEMENTS,
    endpoints::STATEMENTS,
    deliveries::STATEMENTS,
    personal::STATEMENTS,
    retention::STATEMENTS,
];
