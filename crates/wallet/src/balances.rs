//! Balances: what every account has, and taking them before they change.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{AccountRef, Amount, AssetId, AssetKind};
use store::{Row, Tx, Value, params};
use uuid::Uuid;

use crate::Economy;

store::statements! {
    /// Takes balances in the order of accounts and assets.
    TAKE = "select b.ledger_account_id, b.asset_id, b.amount, b.held, b.amount_min, b.leg_count \
            from rows(account_id uuid, asset_id text) \
            join balances b on b.ledger_account_id = rows.account_id and b.asset_id = rows.asset_id \
            order by b.ledger_account_id, b.asset_id for update";
    /// Opens accounts when they are first needed.
    ADD_ACCOUNTS = "insert into ledger_accounts (ledger_account_id, kind, opened_at) \
                    select account_id, kind, opened_at from rows(account_id uuid, kind text, opened_at timestamptz) \
                    where true on conflict (ledger_account_id) do nothing";
    /// Makes assets known when they are first needed.
    ADD_ASSETS = "insert into assets (asset_id, kind, scale) \
                  select asset_id, kind, scale from rows(asset_id text, kind text, scale bigint) \
                  where true on conflict (asset_id) do nothing";
    /// Makes empty balances.
    ADD_BALANCES = "insert into balances (ledger_account_id, asset_id, amount, amount_min, held, leg_count) \
                    select account_id, asset_id, 0, amount_min, 0, 0 \
                    from rows(account_id uuid, asset_id text, amount_min bigint) \
                    where true on conflict (ledger_account_id, asset_id) do nothing";
    /// Writes balances that were taken.
    WRITE = "update balances set amount = rows.amount, held = rows.held, leg_count = rows.leg_count \
             from rows(account_id uuid, asset_id text, amount bigint, held bigint, leg_count bigint) \
             where balances.ledger_account_id = rows.account_id and balances.asset_id = rows.asset_id";
    /// What is there.
    FIND = "select amount, held from balances where ledger_account_id = $1 and asset_id = $2";
    /// What an account has of every kind of money. The engines take joins in this order: there are a few currencies, and
    /// may be many deeds.
    MONEY = "select b.asset_id, b.amount, b.held, a.scale from assets a cross join balances b \
             where a.kind = 'currency' and b.ledger_account_id = $1 and b.asset_id = a.asset_id order by a.asset_id";
    /// Who holds which deed.
    DEED_HOLDERS = "select b.asset_id, b.ledger_account_id from balances b join assets a on a.asset_id = b.asset_id \
                    where a.kind = 'deed' and b.amount > 0";
    /// Whether a player or a group has an account.
    IS_WALLET = "select count(*) from ledger_accounts where ledger_account_id = $1 and kind = 'wallet'";
}

/// Whose balance of what.
pub(crate) type Key = (AccountRef, AssetId);

/// A balance that this transaction has taken: nobody else changes it before the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Balance {
    pub(crate) amount: i64,
    pub(crate) held: i64,
    pub(crate) amount_min: i64,
    pub(crate) leg_count: i64,
    /// Whether it is to be written.
    pub(crate) is_changed: bool,
}

/// In the order in which they are taken.
pub(crate) type Balances = BTreeMap<Key, Balance>;

/// Takes the balances in the one order that all transactions keep; makes those that are not there yet.
pub(crate) fn take(tx: &mut Tx<'_>, keys: BTreeSet<Key>, now_us: i64) -> Result<Balances, store::Error> {
    let mut taken = Balances::new();
    take_existing(tx, &keys, &mut taken)?;
    let missing: BTreeSet<Key> = keys.into_iter().filter(|it| !taken.contains_key(it)).collect();
    if !missing.is_empty() {
        // Only two who make one balance at the same instant can get here out of order; the database then has one of
        // them run again.
        add(tx, &missing, now_us)?;
        take_existing(tx, &missing, &mut taken)?;
    }
    Ok(taken)
}

fn take_existing(tx: &mut Tx<'_>, keys: &BTreeSet<Key>, taken: &mut Balances) -> Result<(), store::Error> {
    let rows: Vec<_> =
        keys.iter().map(|(account, asset)| params![account.id(), asset.as_str()].to_vec()).collect();
    for row in tx.query_rows(TAKE, &rows)? {
        let key = (AccountRef::from_id(row.get(0)?), asset(&row.get::<String>(1)?)?);
        let (amount, held, amount_min) = (row.get(2)?, row.get(3)?, row.get(4)?);
        taken.insert(key, Balance { amount, held, amount_min, leg_count: row.get(5)?, is_changed: false });
    }
    Ok(())
}

fn add(tx: &mut Tx<'_>, keys: &BTreeSet<Key>, now_us: i64) -> Result<(), store::Error> {
    let accounts: BTreeSet<_> = keys.iter().map(|it| it.0).collect();
    add_accounts(tx, accounts, now_us)?;
    let assets: BTreeSet<_> = keys.iter().map(|it| &it.1).collect();
    let assets: Vec<_> = assets
        .into_iter()
        .map(|it| params![it.as_str(), it.kind().code(), Economy::embedded().scale_of(it)].to_vec())
        .collect();
    tx.execute_rows(ADD_ASSETS, &assets)?;
    let balances: Vec<_> = keys
        .iter()
        .map(|(account, asset)| params![account.id(), asset.as_str(), account.floor(asset).minor()].to_vec())
        .collect();
    tx.execute_rows(ADD_BALANCES, &balances)?;
    Ok(())
}

fn add_accounts(tx: &mut Tx<'_>, accounts: BTreeSet<AccountRef>, now_us: i64) -> Result<(), store::Error> {
    let rows: Vec<_> = accounts.into_iter().map(|it| params![it.id(), it.kind(), now_us].to_vec()).collect();
    tx.execute_rows(ADD_ACCOUNTS, &rows)?;
    Ok(())
}

/// Writes those that were changed.
pub(crate) fn write(tx: &mut Tx<'_>, balances: &Balances) -> Result<(), store::Error> {
    let rows: Vec<Vec<Value>> = balances
        .iter()
        .filter(|(_, it)| it.is_changed)
        .map(|((account, asset), it)| {
            params![account.id(), asset.as_str(), it.amount, it.held, it.leg_count].to_vec()
        })
        .collect();
    let written = tx.execute_rows(WRITE, &rows)?;
    assert_eq!(written, rows.len() as u64, "a balance that was taken is there");
    Ok(())
}

/// Takes balances before anything is decided about them. Whoever touches several balances by holds and postings in one
/// transaction calls this first, with all of them: they are taken in the one order that everybody keeps.
pub fn take_balances(
    tx: &mut Tx<'_>,
    balances: &[(AccountRef, AssetId)],
    now_us: i64,
) -> Result<(), store::Error> {
    take(tx, balances.iter().cloned().collect(), now_us).map(drop)
}

/// Opens the account of a player or a group with nothing in it; again it changes nothing.
pub fn open_account(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<(), store::Error> {
    add_accounts(tx, BTreeSet::from([AccountRef::Wallet(account_id)]), now_us)
}

/// Whether a player or a group has an account.
pub fn is_account(tx: &mut Tx<'_>, account_id: Uuid) -> Result<bool, store::Error> {
    Ok(tx.query_one(IS_WALLET, params![account_id])?.get::<i64>(0)? > 0)
}

/// What an account has of an asset, held or not; nothing if it was never touched.
pub fn balance(tx: &mut Tx<'_>, account: AccountRef, asset: &AssetId) -> Result<Amount, store::Error> {
    Ok(find(tx, account, asset)?.0)
}

/// What an account has of an asset and may give.
pub fn available(tx: &mut Tx<'_>, account: AccountRef, asset: &AssetId) -> Result<Amount, store::Error> {
    let (balance, held) = find(tx, account, asset)?;
    amount(balance.minor() - held.minor())
}

fn find(tx: &mut Tx<'_>, account: AccountRef, asset: &AssetId) -> Result<(Amount, Amount), store::Error> {
    match tx.query_opt(FIND, params![account.id(), asset.as_str()])? {
        Some(row) => Ok((amount(row.get(0)?)?, amount(row.get(1)?)?)),
        None => Ok((Amount::ZERO, Amount::ZERO)),
    }
}

/// How much an account has of one kind of money.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Money {
    /// Which.
    pub asset: AssetId,
    /// How much, held or not.
    pub amount: Amount,
    /// What of it is promised and cannot be spent.
    pub held: Amount,
    /// Decimal places of the amounts.
    pub scale: u8,
}

/// What a player or a group has of every kind of money; each of the planet's currencies is among it.
pub fn money(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Money>, store::Error> {
    let read = |row: &Row| {
        Ok(Money {
            asset: asset(&row.get::<String>(0)?)?,
            amount: amount(row.get(1)?)?,
            held: amount(row.get(2)?)?,
            scale: row.get(3)?,
        })
    };
    let mut all: Vec<Money> =
        tx.query(MONEY, params![account_id])?.iter().map(read).collect::<Result<_, store::Error>>()?;
    for currency in Economy::embedded().currencies() {
        let asset = currency.asset();
        if all.iter().all(|it| it.asset != asset) {
            all.push(Money { asset, amount: Amount::ZERO, held: Amount::ZERO, scale: currency.scale });
        }
    }
    Ok(all)
}

/// Every deed that was issued and who holds it. Reads them all: for proofs.
pub fn deed_holders(tx: &mut Tx<'_>) -> Result<Vec<(AssetId, Uuid)>, store::Error> {
    let rows = tx.query(DEED_HOLDERS, params![])?;
    rows.iter().map(|row| Ok((asset(&row.get::<String>(0)?)?, row.get(1)?))).collect()
}

/// What is in the books must be what was written there.
pub(crate) fn amount(minor: i64) -> Result<Amount, store::Error> {
    Amount::try_from_minor(minor).ok_or_else(|| damaged("an amount is out of range"))
}

pub(crate) fn asset(name: &str) -> Result<AssetId, store::Error> {
    AssetId::parse(name).map_err(|_| damaged("no such asset"))
}

pub(crate) fn damaged(what: &str) -> store::Error {
    store::Error::Damaged { detail: format!("ledger: {what}") }
}

impl Economy {
    /// Decimal places of an asset; a deed has none, nor has money that the table no longer names.
    pub(crate) fn scale_of(&self, asset: &AssetId) -> u8 {
        match asset.kind() {
            AssetKind::Currency => self.currency(asset.as_str()).map_or(0, |it| it.scale),
            AssetKind::Deed => 0,
        }
    }
}
