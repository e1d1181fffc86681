//! Who people are.
//!
//! A device makes an Ed25519 key and keeps it. It logs in by signing a [`challenge`]; the first login of a key makes
//! an account with a [friendly name](names). A session is a family of rotating refresh tokens of 30 days; access
//! tokens are signed JWTs of 15 minutes that every route checks without the database, by the key set that is
//! published at `/.well-known/jwks.json`.
//!
//! This crate refuses to know what an account owns or where its body is: what must happen in the transaction that
//! creates an account is handed in as a [`NewAccountHook`]. It trusts nothing in a token but its signature, and has
//! no password to lose.
//!
//! Read first: [`Identity`], [`challenge`], [`AccessTokens`].

mod access_token;
mod accounts;
mod base64url;
pub mod challenge;
mod challenge_rows;
mod color;
mod device_key;
mod entrance;
pub mod names;
mod refresh_token;
mod routes;
mod service;
mod sessions;
mod signing_key;
pub mod staff;
mod standing;
mod verify;
mod watch;

use store::Migration;

pub use access_token::{AccessTokenError, AccessTokens, Bearer, LIFE_S as ACCESS_TOKEN_LIFE_S};
pub use accounts::{Account, display_name, last_seen, ways_in};
pub use color::Color;
pub use device_key::{DeviceKey, DeviceKeyError};
pub use entrance::{Entering, Entrance, Opened, SignIn, USER_AGENT_BYTES_MAX, no_hook};
pub use refresh_token::RefreshToken;
pub use routes::{SessionAnswer, SiteOrigin, routes, session_response};
pub use service::{
    Deps, Identity, IssuedChallenge, LoginError, NewAccountHook, OtherWaysIn, ProfileChanged, ProfileError,
    RefreshError, Session, Wishes,
};
pub use sessions::{SESSIONS_PER_ACCOUNT_MAX, SessionRow, SignInMethod};
pub use signing_key::{PublicJwk, SigningKey, SigningKeyError};
pub use standing::{AccountState, Barred, Standing, standing};
pub use verify::BELIEVED_FOR;
pub use watch::SessionWatch;

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "identity", sql: include_str!("../migrations/0001_identity.sql") },
    Migration { number: 16, name: "people", sql: include_str!("../migrations/0016_people.sql") },
];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[
    accounts::STATEMENTS,
    challenge_rows::STATEMENTS,
    refresh_token::STATEMENTS,
    sessions::STATEMENTS,
    staff::STATEMENTS,
    standing::STATEMENTS,
];

#[cfg(test)]
mod tests;
