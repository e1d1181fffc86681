//! The chain of postings: each hash covers a posting and the hash before it, so that what was booked cannot be changed
//! without changing every hash after it. Whoever wrote down a later hash (`terrane ledger verify` shows the last)
//! can tell.
//!
//! Postings are sealed a moment after they are booked, by one hand at a time: so they do not wait for each other.
//!
//! ```text
//! hash(0) = SHA-256("terrane ledger chain 1")
//! hash(n) = SHA-256(hash(n − 1) ‖ posting n), the posting as
//!
//!   8  n                                    all numbers big-endian, amounts two's complement
//!  16  posting id
//!   8  posted at, µs since 1970
//!   4  length, then the client id           texts UTF-8
//!   4  length, then the kind
//!   4  length, then the reference
//!  16  id of the posting it takes back, or zeros
//!   4  number of legs, then each, by account id, then by the bytes of the asset's name:
//!      16  account id
//!       4  length, then the asset's name
//!       8  amount
//!       8  number of the leg in its balance
//!       8  balance after it
//! ```

use std::collections::HashMap;

use chain::Canonical;
pub(crate) use chain::Hash;
use store::{Tx, params};
use uuid::Uuid;

use crate::balances::damaged;

/// What the first hash covers beside the first posting.
const GENESIS: &[u8] = b"terrane ledger chain 1";

store::statements! {
    /// Takes the end of the chain.
    TAKE_HEAD = "select chain_number, hash from chain_head where chain_head_id = 1 for update";
    /// The end of the chain.
    HEAD = "select chain_number, hash from chain_head where chain_head_id = 1";
    /// The beginning.
    ADD_HEAD = "insert into chain_head (chain_head_id, chain_number, hash) values (1, 0, $1) \
                on conflict (chain_head_id) do nothing";
    /// Moves the end.
    MOVE_HEAD = "update chain_head set chain_number = $1, hash = $2 where chain_head_id = 1";
    /// Some that wait.
    WAITING = "select posting_id from unsealed_postings order by posting_id limit $1";
    /// Seals some.
    ADD = "insert into posting_chain (chain_number, posting_id, hash) \
           select chain_number, posting_id, hash from rows(chain_number bigint, posting_id uuid, hash bytea)";
    /// They wait no more.
    DROP_WAITING = "delete from unsealed_postings \
                    where posting_id in (select posting_id from rows(posting_id uuid))";
    /// What stands in postings.
    POSTINGS = "select p.posting_id, p.posted_at, p.client_id, p.kind, p.reference, p.reverses \
                from rows(posting_id uuid) join postings p on p.posting_id = rows.posting_id";
    /// What stands in their legs.
    LEGS = "select l.posting_id, l.ledger_account_id, l.asset_id, l.amount, l.leg_number, l.balance_after \
            from rows(posting_id uuid) join legs l on l.posting_id = rows.posting_id";
}

/// A posting as it stands in the books.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Booked {
    pub(crate) posting_id: Uuid,
    pub(crate) posted_at_us: i64,
    client_id: String,
    kind: String,
    reference: String,
    reverses: Option<Uuid>,
    /// By account id and asset.
    pub(crate) legs: Vec<BookedLeg>,
}

/// In the order of the chain: the fields' order is what sorts them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct BookedLeg {
    pub(crate) account_id: Uuid,
    pub(crate) asset: String,
    pub(crate) amount: i64,
    leg_number: i64,
    balance_after: i64,
}

/// The hash before the first.
pub(crate) fn genesis() -> Hash {
    chain::genesis(GENESIS)
}

impl Booked {
    /// The hash of this posting at a place of the chain.
    pub(crate) fn hash(&self, before: &Hash, chain_number: i64) -> Hash {
        chain::link(before, &self.canonical(chain_number))
    }

    /// See the head of this file.
    fn canonical(&self, chain_number: i64) -> Vec<u8> {
        let head = Canonical::new()
            .number(chain_number)
            .id(Some(self.posting_id))
            .number(self.posted_at_us)
            .text(&self.client_id)
            .text(&self.kind)
            .text(&self.reference)
            .id(self.reverses)
            .count(self.legs.len());
        let write = |out: Canonical, leg: &BookedLeg| {
            out.id(Some(leg.account_id))
                .text(&leg.asset)
                .number(leg.amount)
                .number(leg.leg_number)
                .number(leg.balance_after)
        };
        self.legs.iter().fold(head, write).finish()
    }
}

/// Postings with their legs, in the order of `ids`; those that are not there are left out.
pub(crate) fn booked(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Vec<Booked>, store::Error> {
    let rows: Vec<_> = ids.iter().map(|it| params![*it].to_vec()).collect();
    let mut found = HashMap::with_capacity(ids.len());
    for row in tx.query_rows(POSTINGS, &rows)? {
        let posting_id: Uuid = row.get(0)?;
        let booked = Booked {
            posting_id,
            posted_at_us: row.get(1)?,
            client_id: row.get(2)?,
            kind: row.get(3)?,
            reference: row.get(4)?,
            reverses: row.get(5)?,
            legs: Vec::new(),
        };
        found.insert(posting_id, booked);
    }
    for row in tx.query_rows(LEGS, &rows)? {
        let leg = BookedLeg {
            account_id: row.get(1)?,
            asset: row.get(2)?,
            amount: row.get(3)?,
            leg_number: row.get(4)?,
            balance_after: row.get(5)?,
        };
        if let Some(booked) = found.get_mut(&row.get(0)?) {
            booked.legs.push(leg);
        }
    }
    let in_order = ids.iter().filter_map(|id| found.remove(id));
    Ok(in_order
        .map(|mut it| {
            it.legs.sort();
            it
        })
        .collect())
}

/// Seals up to `count` postings that wait; how many. Others that seal at the same time are waited for.
pub fn seal(tx: &mut Tx<'_>, count: u32) -> Result<u32, store::Error> {
    // Whoever finds nothing to do takes nothing.
    if waiting(tx, 1)?.is_empty() {
        return Ok(0);
    }
    let (mut number, mut hash) = take_head(tx)?;
    let ids = waiting(tx, count)?;
    let (mut links, mut sealed) = (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
    for posting in booked(tx, &ids)? {
        number += 1;
        hash = posting.hash(&hash, number);
        links.push(params![number, posting.posting_id, hash].to_vec());
        sealed.push(params![posting.posting_id].to_vec());
    }
    if !links.is_empty() {
        tx.execute_rows(ADD, &links)?;
        tx.execute_rows(DROP_WAITING, &sealed)?;
        tx.execute(MOVE_HEAD, params![number, hash])?;
    }
    Ok(links.len() as u32)
}

fn waiting(tx: &mut Tx<'_>, count: u32) -> Result<Vec<Uuid>, store::Error> {
    tx.query(WAITING, params![count])?.iter().map(|row| row.get(0)).collect()
}

fn take_head(tx: &mut Tx<'_>) -> Result<(i64, Hash), store::Error> {
    if let Some(row) = tx.query_opt(TAKE_HEAD, params![])? {
        return Ok((row.get(0)?, row.get(1)?));
    }
    tx.execute(ADD_HEAD, params![genesis()])?;
    let row = tx.query_opt(TAKE_HEAD, params![])?.ok_or_else(|| damaged("the chain has no end"))?;
    Ok((row.get(0)?, row.get(1)?))
}

/// Where the chain ends: how many postings are sealed, and the last hash.
pub fn chain_head(tx: &mut Tx<'_>) -> Result<(i64, [u8; 32]), store::Error> {
    match tx.query_opt(HEAD, params![])? {
        Some(row) => Ok((row.get(0)?, row.get(1)?)),
        None => Ok((0, genesis())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write as _;
        bytes.iter().fold(String::new(), |mut hex, it| {
            let _ = write!(hex, "{it:02x}");
            hex
        })
    }

    /// Never to be changed: chains of living planets are checked by it.
    #[test]
    fn the_form_of_the_chain_is_for_ever() {
        let leg = |account, asset: &str, amount| BookedLeg {
            account_id: Uuid::from_u128(account),
            asset: asset.to_owned(),
            amount,
            leg_number: 3,
            balance_after: 1 << 52,
        };
        let posting = Booked {
            posting_id: Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001),
            posted_at_us: 1_763_715_600_000_001,
            client_id: "transfer:ü".to_owned(),
            kind: "transfer".to_owned(),
            reference: String::new(),
            reverses: None,
            legs: vec![leg(1, "coin", -5), leg(2, "coin", 5)],
        };
        assert_eq!(hex(&genesis()), GENESIS_HEX);
        let canonical = posting.canonical(1);
        assert_eq!(canonical.len(), 8 + 16 + 8 + (4 + 11) + (4 + 8) + 4 + 16 + 4 + 2 * (16 + 4 + 4 + 24));
        assert_eq!(hex(&canonical[32..47]), "0000000b7472616e736665723ac3bc");
        assert_eq!(hex(&posting.hash(&genesis(), 1)), FIRST_HEX);
        let reversal = Booked { reverses: Some(Uuid::from_u128(7)), ..posting };
        assert_ne!(reversal.hash(&genesis(), 1), posting_hash());
    }

    fn posting_hash() -> Hash {
        let bytes: Vec<u8> =
            (0..32).map(|at| u8::from_str_radix(&FIRST_HEX[2 * at..2 * at + 2], 16).unwrap()).collect();
        bytes.try_into().unwrap()
    }

    const GENESIS_HEX: &str = "a50fc65130e95d9574c2774cb42554012a5665ee751174f7274e27f413641e4d";
    const FIRST_HEX: &str = "f6c1aa6f7cd85c978a8c7eedf901a96787cce7df6c7a9b130b991fd3a1020eee";
}
