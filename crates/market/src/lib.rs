//! The market: land changes hands for money.
//!
//! The rules of each way to sell are plain computation in [`rules`]; they know no SQL and no clock.
//!
//! Read first: [`rules`].

pub mod rules;
