//! What staff do, from outside: through its routes, on both engines.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod acts;
mod people;
mod property;
mod world;
