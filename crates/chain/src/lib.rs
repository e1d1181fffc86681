//! What chains of hashes share: the books and the audit log each keep one.
//!
//! A record is written without waiting for anybody, and sealed a moment after its commit by one hand at a time
//! ([`seal_for_ever`]): the hash of its place covers the record, as [`Canonical`] bytes, and the hash before it
//! ([`link`]). A check walks along what is sealed, over and over, in small steps ([`Checker`], [`check_for_ever`]).
//!
//! It knows no table: whoever keeps a chain brings the statements and the [`Walk`].

mod canonical;
mod checker;
mod ids;
mod keeper;

pub use canonical::{Canonical, Hash, genesis, link};
pub use checker::{Checked, Checker, Place, Walk};
pub use ids::{id_at, id_from, ids_at};
pub use keeper::{Sealing, check_for_ever, seal_for_ever};
