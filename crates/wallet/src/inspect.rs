//! The books for those who look after them: accounts and postings whole, whoever's they are.

use std::collections::BTreeMap;

use store::{Row, Tx, params};
use uuid::Uuid;

use crate::chain_head;

store::statements! {
    /// An account.
    ACCOUNT = "select kind, opened_at from ledger_accounts where ledger_account_id = $1";
    /// The planet's own accounts.
    OF_THE_PLANET = "select ledger_account_id from ledger_accounts where kind <> 'wallet' order by ledger_account_id";
    /// How many deeds an account has.
    DEEDS = "select count(*) from balances b join assets a on a.asset_id = b.asset_id \
             where b.ledger_account_id = $1 and a.kind = 'deed' and b.amount > 0";
    /// One page of an account's postings, newest first.
    OF_ACCOUNT = "select distinct posting_id from legs where ledger_account_id = $1 and posting_id < $2 \
                  order by posting_id desc limit $3";
    /// One page of all postings, newest first.
    ALL = "select posting_id from postings where posting_id < $1 order by posting_id desc limit $2";
    /// A posting, what took it back, and its place in the chain.
    POSTING = "select p.kind, p.reference, p.posted_at, p.reverses, r.posting_id, c.chain_number, c.hash \
               from postings p left join postings r on r.reverses = p.posting_id \
               left join posting_chain c on c.posting_id = p.posting_id where p.posting_id = $1";
    /// Its legs.
    LEGS = "select l.ledger_account_id, a.kind, l.asset_id, l.amount, l.balance_after from legs l \
            join ledger_accounts a on a.ledger_account_id = l.ledger_account_id where l.posting_id = $1 \
            order by l.asset_id, l.ledger_account_id";
    /// How much has been written.
    COUNT_POSTINGS = "select count(*) from postings";
    /// How much waits for its seal.
    COUNT_UNSEALED = "select count(*) from unsealed_postings";
    /// The sum of all balances of each currency, and of all deeds together.
    SUMS = "select case when a.kind = 'deed' then 'deed' else a.asset_id end as name, \
            cast(sum(b.amount) as bigint) from balances b join assets a on a.asset_id = b.asset_id group by name";
    /// Assets of which there is something from nowhere.
    UNBALANCED = "select asset_id, cast(sum(amount) as bigint) from balances \
                  group by asset_id having sum(amount) <> 0 order by asset_id limit 100";
}

/// An account of the books.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountFacts {
    /// Its id: an account's, a group's, or one of the planet's own.
    pub account_id: Uuid,
    /// `wallet`, `treasury`, `land_office`, `mint`, `fees`, `tax`, `escrow`.
    pub kind: String,
    /// Since when.
    pub opened_at_us: i64,
    /// How many deeds it holds.
    pub deeds: i64,
}

/// A posting with all its legs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PostingFacts {
    /// Its id.
    pub posting_id: Uuid,
    /// Why value moved.
    pub kind: String,
    /// What it is about.
    pub reference: String,
    /// When.
    pub posted_at_us: i64,
    /// What it took back.
    pub reverses: Option<Uuid>,
    /// What took it back.
    pub reversed_by: Option<Uuid>,
    /// Its number in the chain and the hash there, once it is sealed.
    pub sealed: Option<(i64, Vec<u8>)>,
    /// By asset, then by account.
    pub legs: Vec<LegFacts>,
}

/// One leg of a posting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LegFacts {
    /// Whose.
    pub account_id: Uuid,
    /// What sort of account.
    pub account_kind: String,
    /// Of what.
    pub asset: String,
    /// How much it gained.
    pub amount_minor: i64,
    /// What it had then.
    pub balance_after_minor: i64,
}

impl PostingFacts {
    /// Whether a deed moved: such a posting is part of a change of ownership and is not taken back by itself.
    pub fn moves_deeds(&self) -> bool {
        self.legs.iter().any(|it| it.asset.starts_with("deed:"))
    }

    /// What was moved of the money of which most was moved.
    pub fn moved_minor(&self) -> i64 {
        let mut moved: BTreeMap<&str, i64> = BTreeMap::new();
        for leg in self.legs.iter().filter(|it| it.amount_minor > 0 && !it.asset.starts_with("deed:")) {
            let sum = moved.entry(&leg.asset).or_default();
            *sum = sum.saturating_add(leg.amount_minor);
        }
        moved.into_values().max().unwrap_or(0)
    }
}

/// Whether anything came from nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conservation {
    /// Postings ever booked.
    pub postings: i64,
    /// Postings that wait for their seal.
    pub unsealed: i64,
    /// The last number and hash of the chain.
    pub chain_head: (i64, [u8; 32]),
    /// The sum of all balances of each currency, and of all deeds together: zero, each.
    pub sums: BTreeMap<String, i64>,
    /// Assets whose sum is not zero, up to a hundred.
    pub unbalanced: Vec<(String, i64)>,
}

/// An account; `None` if there is none with that id.
pub fn account_facts(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<AccountFacts>, store::Error> {
    let Some(row) = tx.query_opt(ACCOUNT, params![account_id])? else { return Ok(None) };
    let deeds = tx.query_one(DEEDS, params![account_id])?.get(0)?;
    Ok(Some(AccountFacts { account_id, kind: row.get(0)?, opened_at_us: row.get(1)?, deeds }))
}

/// The planet's own accounts.
pub fn planet_accounts(tx: &mut Tx<'_>) -> Result<Vec<AccountFacts>, store::Error> {
    let mut found = Vec::new();
    for row in tx.query(OF_THE_PLANET, params![])? {
        found.extend(account_facts(tx, row.get(0)?)?);
    }
    Ok(found)
}

/// Up to `count` postings before one, newest first: of one account, or all.
pub fn postings_before(
    tx: &mut Tx<'_>,
    account_id: Option<Uuid>,
    before: Uuid,
    count: u32,
) -> Result<Vec<PostingFacts>, store::Error> {
    let rows = match account_id {
        Some(account_id) => tx.query(OF_ACCOUNT, params![account_id, before, count])?,
        None => tx.query(ALL, params![before, count])?,
    };
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.extend(posting_facts(tx, row.get(0)?)?);
    }
    Ok(found)
}

/// A posting; `None` if there is none with that id.
pub fn posting_facts(tx: &mut Tx<'_>, posting_id: Uuid) -> Result<Option<PostingFacts>, store::Error> {
    let Some(row) = tx.query_opt(POSTING, params![posting_id])? else { return Ok(None) };
    let legs = tx.query(LEGS, params![posting_id])?.iter().map(leg).collect::<Result<_, _>>()?;
    let sealed = match (row.get::<Option<i64>>(5)?, row.get::<Option<Vec<u8>>>(6)?) {
        (Some(number), Some(hash)) => Some((number, hash)),
        _ => None,
    };
    Ok(Some(PostingFacts {
        posting_id,
        kind: row.get(0)?,
        reference: row.get(1)?,
        posted_at_us: row.get(2)?,
        reverses: row.get(3)?,
        reversed_by: row.get(4)?,
        sealed,
        legs,
    }))
}

fn leg(row: &Row) -> Result<LegFacts, store::Error> {
    Ok(LegFacts {
        account_id: row.get(0)?,
        account_kind: row.get(1)?,
        asset: row.get(2)?,
        amount_minor: row.get(3)?,
        balance_after_minor: row.get(4)?,
    })
}

/// Adds up all balances. What the balances come from is proved by [`crate::verify()`] and by the check in the
/// background.
pub fn conservation(tx: &mut Tx<'_>) -> Result<Conservation, store::Error> {
    let mut sums = BTreeMap::new();
    for row in tx.query(SUMS, params![])? {
        sums.insert(row.get(0)?, row.get(1)?);
    }
    let mut unbalanced = Vec::new();
    for row in tx.query(UNBALANCED, params![])? {
        unbalanced.push((row.get(0)?, row.get(1)?));
    }
    Ok(Conservation {
        postings: tx.query_one(COUNT_POSTINGS, params![])?.get(0)?,
        unsealed: tx.query_one(COUNT_UNSEALED, params![])?.get(0)?,
        chain_head: chain_head(tx)?,
        sums,
        unbalanced,
    })
}
