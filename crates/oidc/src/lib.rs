//! Login with any `OpenID` Connect provider that an operator has configured.
//!
//! A page [starts](routes) a login: the browser gets a secret in a cookie and goes to the provider with a `state`, a
//! nonce and a PKCE challenge that follow from it (`binding.rs`). It comes back with a code, which is exchanged for an
//! ID token (`provider.rs`) that must be right in every point (`id_token.rs`). The page is handed a one-time code
//! behind the `#` and finishes by asking for the session with it.
//!
//! A person is the pair of issuer and subject, and never an e-mail. The provider is asked within limits of time, size
//! and destination (`fetch.rs`); when it is away, this login fails and nothing else does. What fails has a code of
//! its own ([`Fault`]). Nothing that the provider says of a person is kept but that pair.
//!
//! Read first: `service.rs`, [`Fault`], `id_token.rs`.

mod binding;
mod config;
mod discovery;
mod fault;
mod fetch;
mod id_token;
mod keys;
mod personal;
mod provider;
mod routes;
mod rows;
mod service;

use store::Migration;

pub use config::{ClientSecret, ConfigFault, ProviderConfig};
pub use fault::Fault;
pub use personal::Personal;
pub use routes::routes;
pub use rows::{LinkedIdentity, erase, identities, ways_in};
pub use service::{Deps, IDENTITIES_PER_ACCOUNT_MAX, Oidc};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 17, name: "oidc", sql: include_str!("../migrations/0017_oidc.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[rows::STATEMENTS];
