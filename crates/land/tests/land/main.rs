//! Land from outside: through its routes, on both engines.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod claims;
mod document;
mod gifts;
mod lots;
mod maps;
mod model;
mod places;
mod shapes;
mod world;
