//! Another owner.

use std::collections::BTreeSet;

use audit::Actor;
use cell::CellId;
use store::{Tx, Value};
use uuid::Uuid;

use crate::access;
use crate::parcel::cell_at;
use crate::title::{self, NewTitle, TitleKind};

store::statements! {
    /// Takes parcels in their order, so that no two wait for each other in a circle.
    TAKE = "select p.parcel_id from rows(parcel_id bigint) join parcels p on p.parcel_id = rows.parcel_id \
            order by p.parcel_id for update";
    /// Gives parcels to other owners, if they are still the first ones'.
    GIVE = "update parcels set owner_id = rows.to_id from rows(parcel_id bigint, from_id uuid, to_id uuid) \
            where parcels.parcel_id = rows.parcel_id and parcels.owner_id = rows.from_id \
            and parcels.frozen_at is null returning parcels.parcel_id";
}

/// A parcel that changes hands, deed and money being moved by a posting of the same transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Who decided it.
    pub by: Actor,
    /// Its anchor.
    pub parcel: CellId,
    /// Whose it is.
    pub from: Uuid,
    /// Whose it shall be.
    pub to: Uuid,
    /// What was paid.
    pub price_minor: i64,
    /// In which money.
    pub currency: String,
    /// Why.
    pub kind: TitleKind,
    /// The posting that moves deed and money.
    pub posting_id: Uuid,
}

/// Writes the new owner and their title; `false`, and nothing is done, if the parcel is not `from`'s or is frozen.
///
/// The parcel keeps its name, description, lots and lease; its fence opens, and of the roles on it a tenant's stays. An encumbrance is for its maker to [`crate::release`].
pub fn transfer(tx: &mut Tx<'_>, transfer: &Transfer, now_us: i64) -> Result<bool, store::Error> {
    Ok(transfer_all(tx, std::slice::from_ref(transfer), now_us)? == [true])
}

/// [`transfer`] of many, each with its own fate, in their order where one parcel changes hands several times.
pub fn transfer_all(tx: &mut Tx<'_>, transfers: &[Transfer], now_us: i64) -> Result<Vec<bool>, store::Error> {
    let mut done = vec![false; transfers.len()];
    let mut left: Vec<usize> = (0..transfers.len()).collect();
    while !left.is_empty() {
        // The first of each parcel now, the others after it.
        let mut parcels = BTreeSet::new();
        let (now, later): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|index| parcels.insert(transfers[*index].parcel));
        let round: Vec<&Transfer> = now.iter().map(|index| &transfers[*index]).collect();
        let given = give(tx, &round, now_us)?;
        for index in now {
            done[index] = given.contains(&transfers[index].parcel);
        }
        left = later;
    }
    Ok(done)
}

/// Transfers of different parcels; gives those that were done.
fn give(tx: &mut Tx<'_>, transfers: &[&Transfer], now_us: i64) -> Result<BTreeSet<CellId>, store::Error> {
    if transfers.len() > 1 {
        let rows: Vec<Vec<Value>> = transfers.iter().map(|it| vec![it.parcel.to_sql().into()]).collect();
        tx.query_rows(TAKE, &rows)?;
    }
    let rows: Vec<Vec<Value>> =
        transfers.iter().map(|it| vec![it.parcel.to_sql().into(), it.from.into(), it.to.into()]).collect();
    let given: BTreeSet<CellId> =
        tx.query_rows(GIVE, &rows)?.iter().map(|row| cell_at(row, 0)).collect::<Result<_, _>>()?;
    let titles: Vec<_> = transfers
        .iter()
        .filter(|it| given.contains(&it.parcel))
        .map(|it| NewTitle {
            by: it.by,
            parcel: it.parcel,
            kind: it.kind,
            owner_id: Some(it.to),
            from_id: Some(it.from),
            price_minor: it.price_minor,
            currency: &it.currency,
            posting_id: it.posting_id,
            other: None,
        })
        .collect();
    title::add(tx, &titles, now_us)?;
    // Whom the old owner let in is not the new one's business.
    let anchors: Vec<CellId> = given.iter().copied().collect();
    access::clear(tx, &anchors, now_us)?;
    Ok(given)
}
