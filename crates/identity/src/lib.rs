//! Who people are.
//!
//! A device makes an Ed25519 key and keeps it. It logs in by signing a [`challenge`]; the first login of a key makes
//! an account with a [friendly name](names), a guest's. With an address that is proved by a link in a mail comes a
//! password; `oidc` adds other sites. A session is a row and a family of rotating refresh tokens of 30 days; access
//! tokens are signed JWTs of 15 minutes, by the key set that is published at `/.well-known/jwks.json`. Machines have
//! API keys. Whatever a token says, role and state of the account and whether the session goes on are the database's
//! to say, asked at most every five seconds (`verify.rs`).
//!
//! This crate refuses to know what an account owns or where its body is: what must happen in the transaction that
//! creates an account is handed in as a [`NewAccountHook`]. It tells nobody who has an account, keeps passwords as
//! Argon2id alone, and addresses, browsers and labels only under the key of their person.
//!
//! Read first: [`Identity`], [`Entrance`], [`challenge`], `email.rs`, [`staff`].

mod access_token;
mod accounts;
mod api_keys;
mod base64url;
pub mod challenge;
mod challenge_rows;
mod color;
mod device_key;
mod email;
mod entrance;
mod import;
mod keys;
mod link_token;
pub mod names;
mod own_sessions;
mod password;
mod personal;
mod refresh_token;
mod routes;
mod service;
mod sessions;
mod settings;
mod signing_key;
pub mod staff;
mod standing;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod verify;
mod watch;

use store::Migration;

pub use access_token::{AccessTokenError, AccessTokens, Bearer, LIFE_S as ACCESS_TOKEN_LIFE_S};
pub use accounts::{Account, display_name, display_names, last_seen, ways_in};
pub use api_keys::{
    API_KEY_DAYS_MAX, API_KEY_PREFIX, API_KEYS_PER_ACCOUNT_MAX, ApiKey, ApiKeyError, NewApiKey,
};
pub use color::Color;
pub use device_key::{DeviceKey, DeviceKeyError};
pub use email::{
    CONFIRM_LIFE_US, EmailError, LINKS_PER_ADDRESS_MAX, OwnAccount, RESET_LIFE_US, Registration,
};
pub use entrance::{Entering, Entrance, Opened, SignIn, USER_AGENT_BYTES_MAX};
pub use import::{ImportFault, ImportFormat, ImportRow, import, read_import};
pub use keys::{KEYS_PER_ACCOUNT_MAX, KeyError, LABEL_CHARACTERS_MAX, OwnKey};
pub use link_token::LinkToken;
pub use own_sessions::OwnSession;
pub use password::{ForeignHashFault, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, Password, PasswordFault};
pub use personal::{ERASED_COLOR, Personal, erased_name};
pub use refresh_token::RefreshToken;
pub use routes::{SessionAnswer, SiteOrigin, routes, session_response};
pub use service::{
    AccountRules, Deps, Identity, IssuedChallenge, LoginError, NewAccountHook, OtherWaysIn, ProfileChanged,
    ProfileError, RefreshError, Session, Wishes,
};
pub use sessions::{SESSIONS_PER_ACCOUNT_MAX, SessionRow, SignInMethod};
pub use settings::{PublicProfile, Settings, Units};
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
    api_keys::STATEMENTS,
    challenge_rows::STATEMENTS,
    email::lockout::STATEMENTS,
    email::rows::STATEMENTS,
    keys::STATEMENTS,
    personal::STATEMENTS,
    refresh_token::STATEMENTS,
    sessions::STATEMENTS,
    settings::STATEMENTS,
    staff::STATEMENTS,
    standing::STATEMENTS,
];

#[cfg(test)]
mod forged_tests;
#[cfg(test)]
mod people_tests;
#[cfg(test)]
mod tests;
