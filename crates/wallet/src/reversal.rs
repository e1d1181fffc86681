//! Taking a posting back, by another posting.

use ledger::{AccountRef, Posting, PostingError, PostingKind};
use store::{Tx, params};
use uuid::Uuid;

use crate::balances::{amount, asset};
use crate::{PostError, Posted, books, post};

store::statements! {
    /// Takes the posting, so that only one at a time takes it back.
    TAKE = "select kind from postings where posting_id = $1 for update";
}

/// Why a posting was not taken back.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReverseError {
    /// There is no such posting.
    #[error("there is no such posting")]
    NotFound,
    /// It took back another one: what is to be so again is booked anew.
    #[error("the posting is itself a reversal")]
    IsReversal,
    /// The client id or the reference is too long or empty.
    #[error(transparent)]
    Invalid(#[from] PostingError),
    /// It was taken back before, or somebody no longer has what they would give back.
    #[error(transparent)]
    Post(PostError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Takes a posting back: books the opposite of each of its legs. Once only; the same again (by `client_id`) is answered
/// with the first. Whoever has spent what they got cannot give it back: then nothing is done.
pub fn reverse(
    tx: &mut Tx<'_>,
    posting_id: Uuid,
    client_id: String,
    reference: String,
    now_us: i64,
) -> Result<Posted, ReverseError> {
    let row = tx.query_opt(TAKE, params![posting_id])?.ok_or(ReverseError::NotFound)?;
    if row.get::<String>(0)? == PostingKind::Reversal.code() {
        return Err(ReverseError::IsReversal);
    }
    let mut reversal = Posting::of(PostingKind::Reversal, client_id, reference).reversing(posting_id);
    for (account_id, name, minor) in books::find_legs(tx, posting_id)? {
        reversal = reversal.leg(AccountRef::from_id(account_id), asset(&name)?, amount(minor)?.negated());
    }
    post(tx, &reversal.finish()?, now_us).map_err(|error| match error {
        PostError::Store(error) => ReverseError::Store(error),
        other => ReverseError::Post(other),
    })
}
