//! Land from outside: through its routes, on both engines.

mod claims;
mod document;
mod lots;
mod world;
