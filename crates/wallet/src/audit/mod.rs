//! The proof of the books: at once, for an operator ([`verify()`]), and for ever in small steps ([`Checker`]).

pub(crate) mod balances;
pub(crate) mod chain;
pub(crate) mod checker;
pub(crate) mod deeds;
mod fault;
pub(crate) mod postings;
pub(crate) mod verify;
mod walk;

pub use checker::{Checked, Checker};
pub use fault::Fault;
pub use verify::{Report, verify};
