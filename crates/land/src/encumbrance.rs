//! What is about to happen to a parcel: at most one thing, so that no two things can be promised of it.

use std::collections::BTreeSet;

use cell::CellId;
use store::{Row, Tx, Value, params};
use uuid::Uuid;

use crate::parcel::cell_at;

store::statements! {
    /// Takes the parcel's row, so that its shape and owner stay as they are.
    HOLD = "select frozen_at from parcels where parcel_id = $1 for update";
    /// Writes what is about to happen, if nothing else is.
    ADD = "insert into encumbrances (parcel_id, kind, reference_id) values ($1, $2, $3) \
           on conflict (parcel_id) do nothing";
    /// Ends it.
    REMOVE = "delete from encumbrances where parcel_id = $1 and reference_id = $2";
    /// Ends many.
    REMOVE_ALL = "delete from encumbrances where (parcel_id, reference_id) in \
                  (select parcel_id, reference_id from rows(parcel_id bigint, reference_id uuid)) \
                  returning parcel_id, reference_id";
    /// What maps say of it.
    SHOW = "update encumbrances set price_minor = $3, currency = $4, ends_at = $5 \
            where parcel_id = $1 and reference_id = $2";
    /// What is about to happen to a parcel.
    FIND = "select kind, reference_id, price_minor, currency, ends_at from encumbrances where parcel_id = $1";
    /// Binds a parcel to a lease, if it is not bound already.
    LET = "update parcels set lease_id = $2 \
           where parcel_id = $1 and frozen_at is null and (lease_id is null or lease_id = $2)";
    /// Frees it.
    END_LEASE = "update parcels set lease_id = null where parcel_id = $1 and lease_id = $2";
}

/// What may be about to happen to a parcel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EncumbranceKind {
    /// It is for sale at a fixed price.
    Listing,
    /// It is being auctioned.
    Auction,
    /// It is offered for lease.
    LeaseOffer,
    /// It is offered as a gift.
    Gift,
}

impl EncumbranceKind {
    const ALL: [Self; 4] = [Self::Listing, Self::Auction, Self::LeaseOffer, Self::Gift];

    /// Its name in the database and in answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Auction => "auction",
            Self::LeaseOffer => "lease_offer",
            Self::Gift => "gift",
        }
    }

    /// Inverse of [`EncumbranceKind::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// What is about to happen to a parcel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encumbrance {
    /// What.
    pub kind: EncumbranceKind,
    /// The listing, auction, lease offer or gift.
    pub reference_id: Uuid,
    /// What maps say of it.
    pub shown: Shown,
}

/// What maps say of an encumbrance. The truth is with whoever made it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shown {
    /// The price, or the highest bid.
    pub price_minor: Option<i64>,
    /// In which money.
    pub currency: Option<String>,
    /// When it ends.
    pub ends_at_us: Option<i64>,
}

impl Encumbrance {
    /// Reads kind, reference, price, currency and end, from column `first` on.
    pub(crate) fn from_row(row: &Row, first: usize) -> Result<Self, store::Error> {
        let kind = EncumbranceKind::from_code(&row.get::<String>(first)?)
            .ok_or_else(|| store::Error::Damaged { detail: "encumbrances: no such kind".to_owned() })?;
        let shown = Shown {
            price_minor: row.get(first + 2)?,
            currency: row.get(first + 3)?,
            ends_at_us: row.get(first + 4)?,
        };
        Ok(Self { kind, reference_id: row.get(first + 1)?, shown })
    }
}

/// Promises a parcel to something; `false`, and nothing is done, if it is promised already (be it to the same thing)
/// or frozen, or there is no such parcel. From then on it is not merged, split, given or abandoned.
///
/// The parcel is taken by this until the transaction ends: look at its owner afterwards, or use [`crate::take`] first.
pub fn encumber(
    tx: &mut Tx<'_>,
    parcel: CellId,
    kind: EncumbranceKind,
    reference_id: Uuid,
) -> Result<bool, store::Error> {
    let Some(row) = tx.query_opt(HOLD, params![parcel.to_sql()])? else { return Ok(false) };
    if row.get::<Option<i64>>(0)?.is_some() {
        return Ok(false);
    }
    Ok(tx.execute(ADD, params![parcel.to_sql(), kind.code(), reference_id])? == 1)
}

/// Ends the promise to one thing; `false` if there is none.
pub fn release(tx: &mut Tx<'_>, parcel: CellId, reference_id: Uuid) -> Result<bool, store::Error> {
    Ok(tx.execute(REMOVE, params![parcel.to_sql(), reference_id])? == 1)
}

/// [`release`] of many; whether each was there.
pub fn release_all(tx: &mut Tx<'_>, promises: &[(CellId, Uuid)]) -> Result<Vec<bool>, store::Error> {
    let rows: Vec<Vec<Value>> =
        promises.iter().map(|(it, id)| vec![it.to_sql().into(), (*id).into()]).collect();
    let mut gone = BTreeSet::new();
    for row in tx.query_rows(REMOVE_ALL, &rows)? {
        gone.insert((cell_at(&row, 0)?, row.get::<Uuid>(1)?));
    }
    Ok(promises.iter().map(|it| gone.contains(it)).collect())
}

/// Says what maps and lists show of a promise; `false` if there is none.
pub fn show(
    tx: &mut Tx<'_>,
    parcel: CellId,
    reference_id: Uuid,
    shown: &Shown,
) -> Result<bool, store::Error> {
    let Shown { price_minor, currency, ends_at_us } = shown;
    let values = params![parcel.to_sql(), reference_id, *price_minor, currency.clone(), *ends_at_us];
    Ok(tx.execute(SHOW, values)? == 1)
}

/// What is about to happen to a parcel.
pub fn encumbrance(tx: &mut Tx<'_>, parcel: CellId) -> Result<Option<Encumbrance>, store::Error> {
    tx.query_opt(FIND, params![parcel.to_sql()])?.map(|row| Encumbrance::from_row(&row, 0)).transpose()
}

/// Binds a parcel to a lease: while it lasts the parcel is not merged, split or abandoned (but may be sold or given,
/// lease and all). `false` if another lease binds it, staff have frozen it or there is no such
/// parcel.
pub fn bind_lease(tx: &mut Tx<'_>, parcel: CellId, lease_id: Uuid) -> Result<bool, store::Error> {
    Ok(tx.execute(LET, params![parcel.to_sql(), lease_id])? == 1)
}

/// Ends what [`bind_lease`] began; `false` if that lease does not bind the parcel.
pub fn unbind_lease(tx: &mut Tx<'_>, parcel: CellId, lease_id: Uuid) -> Result<bool, store::Error> {
    Ok(tx.execute(END_LEASE, params![parcel.to_sql(), lease_id])? == 1)
}
