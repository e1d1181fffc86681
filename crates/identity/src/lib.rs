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
pub mod names;
mod refresh_token;
mod routes;
mod service;
mod signing_key;

use api::{Caller, TokenFault, TokenVerifier, Verification};
use store::Migration;

pub use access_token::{AccessTokenError, AccessTokens, Bearer, LIFE_S as ACCESS_TOKEN_LIFE_S};
pub use accounts::{Account, display_name, last_seen};
pub use color::Color;
pub use device_key::{DeviceKey, DeviceKeyError};
pub use refresh_token::RefreshToken;
pub use routes::{SiteOrigin, routes};
pub use service::{
    Deps, Identity, IssuedChallenge, LoginError, NewAccountHook, ProfileChanged, RefreshError, Session,
    Wishes,
};
pub use signing_key::{PublicJwk, SigningKey, SigningKeyError};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 1, name: "identity", sql: include_str!("../migrations/0001_identity.sql") }];

impl TokenVerifier for Identity {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move {
            match self.check_access_token(token) {
                Ok(bearer) => {
                    Ok(Caller { session_id: bearer.session_id, ..Caller::player(bearer.account_id) })
                }
                Err(AccessTokenError::Expired) => Err(TokenFault::Expired),
                Err(AccessTokenError::Invalid) => Err(TokenFault::Invalid),
            }
        })
    }
}

#[cfg(test)]
mod tests;
