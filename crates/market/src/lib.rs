//! The market: land changes hands for money.
//!
//! The rules of each way to sell are plain computation in [`rules`]; they know no SQL and no clock. Around them stand
//! the rows (`sales`, `auctions`, `offers`, `watches`), what is done in one transaction (`listing`, `auctioning`,
//! `closing`, `offering`, `purchase`), the worker that ends what is due, and the routes.
//!
//! A sale is one posting (money to the seller less fee and tax, the deed to the buyer), the new title, the closed sale
//! and the events, together or not at all. A bid or an offer counts only with its money held. A parcel has at most one
//! open sale: `land` binds it, and a unique index is the net below.
//!
//! Rows are taken in this order: idempotency key, offer, sale, parcel, holds, balances.
//!
//! Read first: [`MarketService`], [`Refusal`], `docs/market.md`.

mod auctioning;
mod auctions;
mod closing;
mod deal;
mod deps;
mod listing;
mod near;
mod news;
mod offering;
mod offers;
mod on_record;
mod party;
mod personal;
mod prices;
mod purchase;
mod refusal;
mod requests;
mod routes;
pub mod rules;
mod sales;
mod search;
mod service;
mod show;
mod staffing;
mod verify;
mod view;
mod watches;
mod worker;

use store::Migration;

pub use deps::{Deps, Terms, TermsError};
pub use party::{Acting, Agents, Party};
pub use personal::Personal;
pub use refusal::{Refusal, Subject};
pub use requests::{
    AuctionKind, AuctionRequest, BidRequest, ListingRequest, OfferRequest, PriceRequest, PurchaseRequest,
};
pub use routes::{CurrencyView, HintView, IncrementView, PricesView, SoldView, TermsView, WatchView, routes};
pub use service::MarketService;
pub use staffing::Ended;
pub use verify::{hold_reasons, open_auctions, open_listings};
pub use view::{BidView, OfferView, PurchaseView, SaleParcelView, SaleView};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 12, name: "market", sql: include_str!("../migrations/0012_market.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[
    auctions::STATEMENTS,
    offers::STATEMENTS,
    personal::STATEMENTS,
    prices::STATEMENTS,
    purchase::STATEMENTS,
    sales::STATEMENTS,
    search::STATEMENTS,
    verify::STATEMENTS,
    watches::STATEMENTS,
];
