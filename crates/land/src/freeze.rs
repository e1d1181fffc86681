//! What staff may do with land: hold it as it is, and give it back to somebody who had it before.
//!
//! Frozen land keeps its owner, its shape and its tenant, whatever was promised of it: what is for sale stays for sale
//! and is not sold, an auction that ends meanwhile ends without a buyer. Who may act as staff is not decided here.

use cell::CellId;
use ledger::{AccountRef, Posting, PostingKind};
use store::{Tx, Value, params};
use uuid::Uuid;
use wallet::PostError;

use crate::access;
use crate::books::{self, deed};
use crate::encumbrance::{Encumbrance, EncumbranceKind, encumbrance, release};
use crate::gift;
use crate::parcel::{self, ParcelFacts, cell_at};
use crate::title::{self, NewTitle, TitleKind};
use crate::view::GiftState;

store::statements! {
    /// Freezes.
    FREEZE = "update parcels set frozen_at = $2 where parcel_id = $1 and frozen_at is null";
    /// Thaws.
    THAW = "update parcels set frozen_at = null where parcel_id = $1 and frozen_at is not null";
    /// Which of some parcels are frozen.
    FROZEN = "select p.parcel_id from rows(parcel_id bigint) join parcels p on p.parcel_id = rows.parcel_id \
              where p.frozen_at is not null";
    /// Gives a parcel, frozen or not, to another owner.
    GIVE = "update parcels set owner_id = $2 where parcel_id = $1 and owner_id = $3";
    /// One title.
    TITLE = "select owner_id from titles where parcel_id = $1 and title_number = $2";
    /// Whether the parcel had another shape before some later title.
    RESHAPED = "select count(*) from titles where parcel_id = $1 and title_number > $2 and \
                kind in ('merge', 'split', 'claim', 'abandon', 'reclaim')";
}

/// Freezes the parcel of a lot. Gives it as it was: `None` if there is none, with `frozen_at_us` if it was frozen.
pub fn freeze(tx: &mut Tx<'_>, lot: CellId, now_us: i64) -> Result<Option<ParcelFacts>, store::Error> {
    let Some(facts) = parcel::take(tx, lot)? else { return Ok(None) };
    tx.execute(FREEZE, params![facts.anchor.to_sql(), now_us])?;
    Ok(Some(facts))
}

/// Thaws the parcel of a lot. Gives it as it was, as [`freeze`] does.
pub fn thaw(tx: &mut Tx<'_>, lot: CellId) -> Result<Option<ParcelFacts>, store::Error> {
    let Some(facts) = parcel::take(tx, lot)? else { return Ok(None) };
    tx.execute(THAW, params![facts.anchor.to_sql()])?;
    Ok(Some(facts))
}

/// Which of some parcels are frozen.
pub fn frozen(tx: &mut Tx<'_>, parcels: &[CellId]) -> Result<Vec<CellId>, store::Error> {
    let rows: Vec<Vec<Value>> = parcels.iter().map(|it| vec![it.to_sql().into()]).collect();
    tx.query_rows(FROZEN, &rows)?.iter().map(|row| cell_at(row, 0)).collect()
}

/// Land that was given back.
#[derive(Clone, PartialEq, Debug)]
pub struct Restored {
    /// The parcel as it was before.
    pub facts: ParcelFacts,
    /// Whose it is now.
    pub to_id: Uuid,
    /// The posting that moved the deed.
    pub posting_id: Uuid,
    /// A gift that was offered and is no more, and who would have had it.
    pub ended_gift: Option<(Uuid, Uuid)>,
}

/// Why land was not given back. If several reasons apply, the first in this order is the one given.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum RestoreError {
    /// The lot is nobody's.
    #[error("the lot belongs to nobody")]
    NotOwned,
    /// The parcel has no title of that number, or one that names nobody.
    #[error("the parcel has no title number {number} that names an owner")]
    NoSuchTitle {
        /// Which number.
        number: i64,
    },
    /// They have it.
    #[error("the parcel is theirs already")]
    OwnsAlready,
    /// It is not the same land any more: lots came to it or were taken off since.
    #[error("the parcel has had another shape since")]
    ShapeChanged,
    /// Something else is about to happen to it, which must be ended first.
    #[error("the parcel is part of an open {}", kind.code())]
    Encumbered {
        /// What.
        kind: EncumbranceKind,
        /// Which one.
        reference_id: Uuid,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The books are not as they must be.
    #[error("it could not be booked: {0}")]
    Books(PostError),
}

/// Gives the parcel of a lot to whom its title number `number` names. Only the deed moves: what was paid for the land
/// is another matter. A tenant stays, an offered gift is over, the fence opens as by any other transfer.
pub fn restore(
    tx: &mut Tx<'_>,
    lot: CellId,
    number: i64,
    client_id: String,
    now_us: i64,
) -> Result<Restored, RestoreError> {
    let facts = parcel::take(tx, lot)?.ok_or(RestoreError::NotOwned)?;
    let key = facts.anchor.to_sql();
    let row = tx.query_opt(TITLE, params![key, number])?;
    let to_id: Option<Uuid> = row.map(|it| it.get(0)).transpose()?.flatten();
    let to_id = to_id.ok_or(RestoreError::NoSuchTitle { number })?;
    if to_id == facts.owner_id {
        return Err(RestoreError::OwnsAlready);
    }
    if tx.query_one(RESHAPED, params![key, number])?.get::<i64>(0)? > 0 {
        return Err(RestoreError::ShapeChanged);
    }
    let ended_gift = match encumbrance(tx, facts.anchor)? {
        Some(Encumbrance { kind: EncumbranceKind::Gift, reference_id, .. }) => {
            let gift = gift::take(tx, reference_id)?.ok_or(store::Error::NoRow)?;
            gift::end(tx, reference_id, GiftState::Cancelled, now_us)?;
            release(tx, facts.anchor, reference_id)?;
            Some((reference_id, gift.to_id))
        }
        Some(Encumbrance { kind, reference_id, .. }) => {
            return Err(RestoreError::Encumbered { kind, reference_id });
        }
        None => None,
    };
    let posting_id = hand_back(tx, &facts, to_id, client_id, now_us)?;
    Ok(Restored { facts, to_id, posting_id, ended_gift })
}

/// Deed and title of a parcel that is taken.
fn hand_back(
    tx: &mut Tx<'_>,
    facts: &ParcelFacts,
    to_id: Uuid,
    client_id: String,
    now_us: i64,
) -> Result<Uuid, RestoreError> {
    let (from, to) = (AccountRef::Wallet(facts.owner_id), AccountRef::Wallet(to_id));
    let reference = format!("parcel:{}", facts.anchor.token());
    let posting = Posting::of(PostingKind::LandRestore, client_id, reference)
        .transfer(from, to, &deed(facts.anchor), books::ONE)
        .finish()
        .expect("one deed moves");
    let posted = wallet::post(tx, &posting, now_us).map_err(|error| match error {
        PostError::Store(error) => RestoreError::Store(error),
        other => RestoreError::Books(other),
    })?;
    if tx.execute(GIVE, params![facts.anchor.to_sql(), to_id, facts.owner_id])? != 1 {
        return Err(RestoreError::NotOwned);
    }
    let title = NewTitle {
        // Not asked for: see `title::add`.
        by: audit::Actor::System,
        parcel: facts.anchor,
        kind: TitleKind::Restore,
        owner_id: Some(to_id),
        from_id: Some(facts.owner_id),
        price_minor: 0,
        currency: books::CURRENCY,
        posting_id: posted.posting_id,
        other: None,
    };
    title::add(tx, &[title], now_us)?;
    // Whom the last owner let in is not this one's business.
    access::clear(tx, &[facts.anchor], now_us)?;
    Ok(posted.posting_id)
}
