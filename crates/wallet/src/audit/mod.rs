//! The proof of the books: at once, for an operator ([`verify()`]), and for ever in small steps ([`Checker`]).

pub(crate) mod balances;
pub(crate) mod chain;
pub(crate) mod checker;
pub(crate) mod deeds;
mod fault;
pub(crate) mod postings;
pub(crate) mod reasons;
pub(crate) mod verify;
pub(crate) mod walk;

pub use ::chain::Checked;
pub use checker::Checker;
pub use fault::Fault;
pub use reasons::{HoldReason, verify_reasons};
pub use verify::{Report, verify};
