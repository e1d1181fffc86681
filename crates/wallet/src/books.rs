//! Booking a posting.

use ledger::{AccountRef, Amount, AssetId, Leg, Posting, PostingKind};
use store::{Tx, params};
use uuid::Uuid;

use crate::WELCOME_GRANT;

store::statements! {
    /// Takes the client id.
    ADD_POSTING = "insert into postings (posting_id, client_id, kind, reference, posted_at) \
                   values ($1, $2, $3, $4, $5) on conflict (client_id) do nothing";
    /// The posting that has the client id.
    FIND_POSTING = "select posting_id, kind, reference from postings where client_id = $1";
    /// Its legs.
    FIND_LEGS = "select ledger_account_id, asset_id, amount from legs where posting_id = $1";
    /// Takes the balance and changes it, if it may become that.
    CHANGE_BALANCE = "update balances set amount = amount + $3 \
                      where ledger_account_id = $1 and asset_id = $2 \
                      and amount + $3 >= amount_min and amount + $3 <= 9007199254740991";
    /// What is there.
    BALANCE = "select amount from balances where ledger_account_id = $1 and asset_id = $2";
    /// The first leg of an account and asset makes the balance; of two at once the second adds to it.
    ADD_BALANCE = "insert into balances (ledger_account_id, asset_id, amount, amount_min) values ($1, $2, $3, $4) \
                   on conflict (ledger_account_id, asset_id) do update \
                   set amount = balances.amount + excluded.amount \
                   where balances.amount + excluded.amount >= balances.amount_min \
                   and balances.amount + excluded.amount <= 9007199254740991";
    /// Opens an account when it is first needed.
    ADD_ACCOUNT = "insert into ledger_accounts (ledger_account_id, kind, opened_at) values ($1, $2, $3) \
                   on conflict (ledger_account_id) do nothing";
    /// Makes an asset known when it is first needed.
    ADD_ASSET = "insert into assets (asset_id, kind, scale) values ($1, $2, $3) on conflict (asset_id) do nothing";
    /// Writes down one leg.
    ADD_LEG = "insert into legs (posting_id, ledger_account_id, asset_id, amount) values ($1, $2, $3, $4)";
    /// What an account has of every kind of money.
    MONEY = "select b.asset_id, b.amount, a.scale from balances b join assets a on a.asset_id = b.asset_id \
             where b.ledger_account_id = $1 and a.kind = 'coin'";
    /// Who holds which deed.
    DEED_HOLDERS = "select b.asset_id, b.ledger_account_id from balances b join assets a on a.asset_id = b.asset_id \
                    where a.kind = 'deed' and b.amount > 0";
}

/// A posting in the books.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posted {
    /// Its id; later postings have higher ones.
    pub posting_id: Uuid,
    /// `false` if the same posting was booked before and nothing was done now.
    pub is_new: bool,
}

/// Why a posting was not booked. The transaction must not be kept then.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PostError {
    /// An account does not have what it was to give.
    #[error("{account:?} has {} of {asset}, {} needed", available.minor(), needed.minor())]
    InsufficientFunds {
        /// Whose.
        account: AccountRef,
        /// Of what.
        asset: AssetId,
        /// What it has.
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
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Books a posting: it is there with all its legs and the balances are changed, or nothing is.
///
/// The same posting (by client id and content) again is answered with the first one and changes nothing. Rows are
/// taken in ascending order of account and asset.
pub fn post(tx: &mut Tx<'_>, posting: &Posting, now_us: i64) -> Result<Posted, PostError> {
    let posting_id = posting_id(now_us);
    let kind = posting.kind().code();
    let is_new = tx
        .execute(ADD_POSTING, params![posting_id, posting.client_id(), kind, posting.reference(), now_us])?
        == 1;
    if !is_new {
        return posted_before(tx, posting);
    }
    for leg in posting.legs() {
        change_balance(tx, leg, now_us)?;
        tx.execute(ADD_LEG, params![posting_id, leg.account.id(), leg.asset.as_str(), leg.amount.minor()])?;
    }
    Ok(Posted { posting_id, is_new: true })
}

fn posted_before(tx: &mut Tx<'_>, posting: &Posting) -> Result<Posted, PostError> {
    let row = tx.query_one(FIND_POSTING, params![posting.client_id()])?;
    let posting_id: Uuid = row.get(0)?;
    let mut legs = Vec::new();
    for row in tx.query(FIND_LEGS, params![posting_id])? {
        legs.push((row.get::<Uuid>(0)?, row.get::<String>(1)?, row.get::<i64>(2)?));
    }
    legs.sort();
    let expected =
        posting.legs().iter().map(|it| (it.account.id(), it.asset.as_str().to_owned(), it.amount.minor()));
    let is_same = row.get::<String>(1)? == posting.kind().code()
        && row.get::<String>(2)? == posting.reference()
        && legs.into_iter().eq(expected);
    if is_same { Ok(Posted { posting_id, is_new: false }) } else { Err(PostError::ClientIdTaken) }
}

fn change_balance(tx: &mut Tx<'_>, leg: &Leg, now_us: i64) -> Result<(), PostError> {
    let Leg { account, asset, amount } = leg;
    if tx.execute(CHANGE_BALANCE, params![account.id(), asset.as_str(), amount.minor()])? == 1 {
        return Ok(());
    }
    // Not there yet, or refused. Whoever looked in between might see what another has just made: the statement that
    // makes it also adds to it, under the same guard.
    let floor = account.floor(asset);
    if *amount >= floor {
        tx.execute(ADD_ACCOUNT, params![account.id(), account.kind(), now_us])?;
        tx.execute(ADD_ASSET, params![asset.as_str(), asset.kind().code(), asset.kind().scale()])?;
        let added =
            tx.execute(ADD_BALANCE, params![account.id(), asset.as_str(), amount.minor(), floor.minor()])?;
        if added == 1 {
            return Ok(());
        }
    }
    if amount.is_negative() {
        let available = balance(tx, *account, asset)?;
        let (account, asset, needed) = (*account, asset.clone(), amount.negated());
        Err(PostError::InsufficientFunds { account, asset, available, needed })
    } else {
        Err(PostError::TooMuch { account: *account, asset: asset.clone() })
    }
}

/// What an account has of an asset; nothing if it was never touched.
pub fn balance(tx: &mut Tx<'_>, account: AccountRef, asset: &AssetId) -> Result<Amount, store::Error> {
    match tx.query_opt(BALANCE, params![account.id(), asset.as_str()])? {
        Some(row) => amount(row.get(0)?),
        None => Ok(Amount::ZERO),
    }
}

/// How much an account has of one kind of money.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Money {
    /// Which.
    pub asset: AssetId,
    /// How much.
    pub amount: Amount,
    /// Decimal places of [`Money::amount`].
    pub scale: u8,
}

/// What a player has of every kind of money; coins always among it.
pub fn money(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Money>, store::Error> {
    let mut all = Vec::new();
    for row in tx.query(MONEY, params![account_id])? {
        all.push(Money {
            asset: asset(&row.get::<String>(0)?)?,
            amount: amount(row.get(1)?)?,
            scale: row.get(2)?,
        });
    }
    if all.is_empty() {
        let asset = AssetId::coin();
        let scale = asset.kind().scale();
        all.push(Money { asset, amount: Amount::ZERO, scale });
    }
    Ok(all)
}

/// Every deed that was issued and who holds it. Reads them all: for proofs.
pub fn deed_holders(tx: &mut Tx<'_>) -> Result<Vec<(AssetId, Uuid)>, store::Error> {
    let rows = tx.query(DEED_HOLDERS, params![])?;
    rows.iter().map(|row| Ok((asset(&row.get::<String>(0)?)?, row.get(1)?))).collect()
}

/// Gives a newcomer the welcome grant; again for the same account it changes nothing. To be called in the transaction
/// that makes the account.
pub fn open_for(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<(), PostError> {
    let grant = Posting::of(PostingKind::WelcomeGrant, format!("welcome_grant:{account_id}"), "")
        .transfer(AccountRef::Mint, AccountRef::Wallet(account_id), &AssetId::coin(), WELCOME_GRANT)
        .finish()
        .expect("two legs of one amount are balanced");
    post(tx, &grant, now_us).map(drop)
}

/// What is in the books must be what was written there.
pub(crate) fn amount(minor: i64) -> Result<Amount, store::Error> {
    Amount::try_from_minor(minor).ok_or_else(|| damaged("an amount is out of range"))
}

pub(crate) fn asset(name: &str) -> Result<AssetId, store::Error> {
    AssetId::parse(name).map_err(|_| damaged("no such asset"))
}

fn damaged(what: &str) -> store::Error {
    store::Error::Damaged { detail: format!("ledger: {what}") }
}

/// A version 7 UUID whose twelve bits after the milliseconds are the fraction of the millisecond, so that ids made a
/// microsecond apart are in order.
fn posting_id(now_us: i64) -> Uuid {
    let now_us = u64::try_from(now_us).unwrap_or(0);
    let fraction = ((now_us % 1000) << 12) / 1000;
    let mut random: [u8; 10] = rand::random();
    random[..2].copy_from_slice(&(fraction as u16).to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(now_us / 1000, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::posting_id;

    #[test]
    fn posting_ids_follow_the_time() {
        let start = 1_763_715_600_000_000;
        let ids: Vec<_> = (0..5000).map(|n| posting_id(start + n)).collect();
        assert!(ids.is_sorted(), "a microsecond apart");
        assert!(ids.iter().all(|it| it.get_version_num() == 7));
        assert_ne!(posting_id(start), posting_id(start), "but never the same");
    }
}
