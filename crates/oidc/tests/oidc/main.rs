//! Logins from outside: through the routes, against a provider that does as it is told, and against a real one.

#![allow(clippy::unwrap_used, reason = "everything here is a test: a panic is how it fails")]

mod faults;
mod identities;
mod provider;
mod real_provider;
mod world;
