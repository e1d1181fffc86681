//! Land from outside: through its routes, on both engines.

mod claims;
mod lots;
mod world;
