//! Booking postings, one or many at a time.

use std::collections::{BTreeSet, HashSet};

use ledger::{AccountRef, Amount, AssetId, Posting};
use store::{Row, Tx, Value, params};
use uuid::Uuid;

use crate::balances::{self, Balance, Balances, Key};

store::statements! {
    /// Takes the client ids; gives those that were free. A posting that takes back another is also refused if that
    /// was taken back before.
    ADD_POSTINGS = "insert into postings (posting_id, client_id, kind, reference, posted_at, reverses) \
                    select posting_id, client_id, kind, reference, posted_at, reverses \
                    from rows(posting_id uuid, client_id text, kind text, reference text, posted_at timestamptz, \
                    reverses uuid) where true on conflict do nothing returning posting_id";
    /// Lets go of client ids of this transaction's own.
    DROP_POSTINGS = "delete from postings where posting_id in (select posting_id from rows(posting_id uuid))";
    /// The posting that has the client id.
    FIND_POSTING = "select posting_id, kind, reference, reverses from postings where client_id = $1";
    /// Its legs.
    FIND_LEGS = "select ledger_account_id, asset_id, amount from legs where posting_id = $1";
    /// Writes down legs.
    ADD_LEGS = "insert into legs (posting_id, ledger_account_id, asset_id, amount, leg_number, balance_after) \
                select posting_id, account_id, asset_id, amount, leg_number, balance_after \
                from rows(posting_id uuid, account_id uuid, asset_id text, amount bigint, leg_number bigint, \
                balance_after bigint)";
    /// Has them sealed.
    ADD_UNSEALED = "insert into unsealed_postings (posting_id) select posting_id from rows(posting_id uuid)";
}

/// A posting in the books.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posted {
    /// Its id; later postings have higher ones.
    pub posting_id: Uuid,
    /// `false` if the same posting was booked before and nothing was done now.
    pub is_new: bool,
}

/// Why a posting was not booked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PostError {
    /// An account does not have what it was to give.
    #[error("{account:?} has {} of {asset}, {} needed", available.minor(), needed.minor())]
    InsufficientFunds {
        /// Whose.
        account: AccountRef,
        /// Of what.
        asset: AssetId,
        /// What it has that is not held.
        available: Amount,
        /// What it was to give.
        needed: Amount,
    },
    /// An account would hold more than can be counted.
    #[error("{account:?} would hold too much of {asset}")]
    TooMuch {
        /// Whose.
        account: AccountRef,
        /// Of what.
        asset: AssetId,
    },
    /// The client id belongs to a posting with other content.
    #[error("another posting has this client id")]
    ClientIdTaken,
    /// What it takes back was taken back before.
    #[error("posting {posting_id} was taken back before")]
    ReversedBefore {
        /// What it was to take back.
        posting_id: Uuid,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Books a posting: it is there with all its legs and the balances are changed, or nothing is.
///
/// The same posting (by client id and content) again is answered with the first one and changes nothing.
pub fn post(tx: &mut Tx<'_>, posting: &Posting, now_us: i64) -> Result<Posted, PostError> {
    let mut fates = post_all(tx, std::slice::from_ref(posting), now_us)?;
    fates.pop().expect("one posting has one fate")
}

/// Books postings in their order, each with its own fate: one that is refused changes nothing and does not spoil its
/// neighbours. A few statements for all of them, however many.
pub fn post_all(
    tx: &mut Tx<'_>,
    postings: &[Posting],
    now_us: i64,
) -> Result<Vec<Result<Posted, PostError>>, store::Error> {
    let mut fates = Vec::with_capacity(postings.len());
    // The same client id twice, or the same posting taken back twice: what the second may be depends on what became of
    // the first.
    while let Some(rest) = postings.get(fates.len()..).filter(|it| !it.is_empty()) {
        let (mut client_ids, mut reversed) = (HashSet::new(), HashSet::new());
        let mut is_other = |it: &&Posting| {
            client_ids.insert(it.client_id().to_owned()) && it.reverses().is_none_or(|it| reversed.insert(it))
        };
        let count = rest.iter().take_while(&mut is_other).count();
        fates.extend(post_distinct(tx, &rest[..count], None, now_us)?);
    }
    Ok(fates)
}

/// Books a posting that spends what was held of a balance: that much of it is held no more, if the posting is new and
/// is booked.
pub(crate) fn post_released(
    tx: &mut Tx<'_>,
    posting: &Posting,
    held: &(Key, i64),
    now_us: i64,
) -> Result<Posted, PostError> {
    let mut fates = post_distinct(tx, std::slice::from_ref(posting), Some(held), now_us)?;
    fates.pop().expect("one posting has one fate")
}

/// Books postings of which no two have one client id or take back the same one. What is `held` is released for the
/// first.
///
/// Everywhere rows are taken in one order, so that nobody waits in a circle: first the client ids in their order, then
/// the balances in the order of accounts and assets. All that decides is read by then, and decided in memory; then
/// each balance is written once, with what all its legs together made of it.
fn post_distinct(
    tx: &mut Tx<'_>,
    postings: &[Posting],
    held: Option<&(Key, i64)>,
    now_us: i64,
) -> Result<Vec<Result<Posted, PostError>>, store::Error> {
    let ids = chain::ids_at(now_us, postings.len());
    let new = add_postings(tx, postings, &ids, now_us)?;
    let is_new = |id: &Uuid| new.contains(id);
    let candidates = postings.iter().zip(&ids).filter(|(_, id)| is_new(id));
    let mut keys: BTreeSet<Key> =
        candidates.flat_map(|(posting, _)| posting.legs()).map(|it| (it.account, it.asset.clone())).collect();
    keys.extend(held.filter(|_| !new.is_empty()).map(|(key, _)| key.clone()));
    let mut balances = balances::take(tx, keys, now_us)?;

    let mut fates = Vec::with_capacity(postings.len());
    let (mut legs, mut sealed, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (posting, id) in postings.iter().zip(&ids) {
        if !is_new(id) {
            fates.push(posted_before(tx, posting)?);
            continue;
        }
        let released = held.filter(|_| fates.is_empty());
        release(&mut balances, released, 1);
        match decide(&mut balances, posting) {
            Ok(()) => {
                legs.extend(posting.legs().iter().zip(numbers(&balances, posting)).map(|(leg, number)| {
                    let (account, asset) = (leg.account.id(), leg.asset.as_str());
                    params![*id, account, asset, leg.amount.minor(), number.0, number.1].to_vec()
                }));
                sealed.push(params![*id].to_vec());
                fates.push(Ok(Posted { posting_id: *id, is_new: true }));
            }
            Err(error) => {
                release(&mut balances, released, -1);
                refused.push(params![*id].to_vec());
                fates.push(Err(error));
            }
        }
    }
    tx.execute_rows(DROP_POSTINGS, &refused)?;
    tx.execute_rows(ADD_LEGS, &legs)?;
    balances::write(tx, &balances)?;
    tx.execute_rows(ADD_UNSEALED, &sealed)?;
    Ok(fates)
}

/// Takes the client ids; the ids of the postings that are new.
fn add_postings(
    tx: &mut Tx<'_>,
    postings: &[Posting],
    ids: &[Uuid],
    now_us: i64,
) -> Result<HashSet<Uuid>, store::Error> {
    let mut in_order: Vec<_> = postings.iter().zip(ids).collect();
    in_order.sort_by_key(|(posting, _)| posting.client_id());
    let rows: Vec<Vec<Value>> = in_order
        .into_iter()
        .map(|(it, id)| {
            params![*id, it.client_id(), it.kind().code(), it.reference(), now_us, it.reverses()].to_vec()
        })
        .collect();
    tx.query_rows(ADD_POSTINGS, &rows)?.iter().map(|row| row.get(0)).collect()
}

/// Releases what is held, or with `-1` holds it again.
fn release(balances: &mut Balances, held: Option<&(Key, i64)>, sign: i64) {
    if let Some((key, amount)) = held {
        let balance = balances.get_mut(key).expect("the balance was taken");
        balance.held -= sign * amount;
        balance.is_changed = sign > 0;
    }
}

/// Changes the balances by the posting's legs, all or none.
fn decide(balances: &mut Balances, posting: &Posting) -> Result<(), PostError> {
    let of = |it: &ledger::Leg| -> Key { (it.account, it.asset.clone()) };
    for leg in posting.legs() {
        let balance = balances.get(&of(leg)).expect("the balances of all legs were taken");
        let amount = balance.amount + leg.amount.minor();
        if leg.amount.is_negative() && amount - balance.held < balance.amount_min {
            let available = balances::amount(balance.amount - balance.held)?;
            let (account, asset, needed) = (leg.account, leg.asset.clone(), leg.amount.negated());
            return Err(PostError::InsufficientFunds { account, asset, available, needed });
        }
        if amount > Amount::MAX.minor() {
            return Err(PostError::TooMuch { account: leg.account, asset: leg.asset.clone() });
        }
    }
    for leg in posting.legs() {
        let balance = balances.get_mut(&of(leg)).expect("the balances of all legs were taken");
        balance.amount += leg.amount.minor();
        balance.leg_count += 1;
        balance.is_changed = true;
    }
    Ok(())
}

/// For each leg of the posting decided last: its number, and its balance after it. A posting has at most one leg in a
/// balance.
fn numbers<'a>(balances: &'a Balances, posting: &'a Posting) -> impl Iterator<Item = (i64, i64)> + 'a {
    posting.legs().iter().map(|leg| {
        let Balance { leg_count, amount, .. } = balances[&(leg.account, leg.asset.clone())];
        (leg_count, amount)
    })
}

/// What stands in the way of a posting whose client id was not free.
fn posted_before(tx: &mut Tx<'_>, posting: &Posting) -> Result<Result<Posted, PostError>, store::Error> {
    let Some(row) = tx.query_opt(FIND_POSTING, params![posting.client_id()])? else {
        // Not the client id, then.
        let posting_id = posting.reverses().ok_or(store::Error::NoRow)?;
        return Ok(Err(PostError::ReversedBefore { posting_id }));
    };
    let posting_id: Uuid = row.get(0)?;
    let mut legs = find_legs(tx, posting_id)?;
    legs.sort();
    let expected =
        posting.legs().iter().map(|it| (it.account.id(), it.asset.as_str().to_owned(), it.amount.minor()));
    let is_same = row.get::<String>(1)? == posting.kind().code()
        && row.get::<String>(2)? == posting.reference()
        && row.get::<Option<Uuid>>(3)? == posting.reverses()
        && legs.into_iter().eq(expected);
    Ok(if is_same { Ok(Posted { posting_id, is_new: false }) } else { Err(PostError::ClientIdTaken) })
}

/// The posting if it was booked before; [`PostError::ClientIdTaken`] if another one has its client id.
pub(crate) fn posted(tx: &mut Tx<'_>, posting: &Posting) -> Result<Option<Posted>, PostError> {
    match tx.query_opt(FIND_POSTING, params![posting.client_id()])? {
        Some(_) => posted_before(tx, posting)?.map(Some),
        None => Ok(None),
    }
}

/// Account, asset and amount of each leg.
pub(crate) fn find_legs(tx: &mut Tx<'_>, posting_id: Uuid) -> Result<Vec<(Uuid, String, i64)>, store::Error> {
    let read = |row: &Row| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    tx.query(FIND_LEGS, params![posting_id])?.iter().map(read).collect()
}
