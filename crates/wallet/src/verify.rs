//! The proof of the books.

use std::collections::BTreeMap;
use std::fmt;

use ledger::AccountRef;
use store::{Tx, params};
use uuid::Uuid;

use crate::balances::asset;

/// Faults of one sort that are listed; the rest is the same story.
const FAULTS_MAX: i64 = 100;

store::statements! {
    /// How much has been written.
    COUNT_POSTINGS = "select count(*) from postings";
    /// The sum of all balances of each kind of asset.
    SUMS = "select case when a.kind = 'deed' then 'deed' else a.asset_id end as name, \
            cast(sum(b.amount) as bigint) from balances b join assets a on a.asset_id = b.asset_id group by name";
    /// Assets of which there is something from nowhere.
    UNBALANCED_ASSETS = "select asset_id, cast(sum(amount) as bigint) from balances \
                         group by asset_id having sum(amount) <> 0 limit $1";
    /// Postings that are not balanced.
    UNBALANCED_POSTINGS = "select posting_id, asset_id, cast(sum(amount) as bigint) from legs \
                           group by posting_id, asset_id having sum(amount) <> 0 limit $1";
    /// Postings without legs.
    EMPTY_POSTINGS = "select p.posting_id from postings p \
                      where not exists (select 1 from legs l where l.posting_id = p.posting_id) limit $1";
    /// Balances that are not the sum of their legs. A leg without a balance cannot be: a foreign key forbids it.
    WRONG_BALANCES = "select b.ledger_account_id, b.asset_id, b.amount, cast(coalesce(sum(l.amount), 0) as bigint) \
                      from balances b left join legs l \
                      on l.ledger_account_id = b.ledger_account_id and l.asset_id = b.asset_id \
                      group by b.ledger_account_id, b.asset_id, b.amount \
                      having b.amount <> coalesce(sum(l.amount), 0) limit $1";
    /// Balances below what they may be.
    BELOW_MIN = "select ledger_account_id, asset_id, amount, amount_min from balances \
                 where amount < amount_min limit $1";
    /// Balances that may be negative: the rule must agree.
    ISSUERS = "select b.ledger_account_id, a.kind, b.asset_id, b.amount_min from balances b \
               join ledger_accounts a on a.ledger_account_id = b.ledger_account_id where b.amount_min <> 0";
}

/// What a check of the books found, all from one snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Postings ever booked.
    pub postings: i64,
    /// Sum of all balances by kind of asset: zero for each, or something came from nowhere.
    pub sums: BTreeMap<String, i64>,
    /// What is wrong; up to 100 of each sort.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Something that cannot be if every posting was booked whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The balances of an asset do not sum to zero.
    AssetNotZero {
        /// Of what.
        asset: String,
        /// Too much, or missing if negative.
        sum_minor: i64,
    },
    /// The legs of a posting do not sum to zero.
    PostingNotZero {
        /// Which.
        posting_id: Uuid,
        /// Of what.
        asset: String,
        /// Too much, or missing if negative.
        sum_minor: i64,
    },
    /// A posting has no legs.
    PostingEmpty {
        /// Which.
        posting_id: Uuid,
    },
    /// A balance is not the sum of its legs.
    BalanceNotLegs {
        /// Whose.
        account_id: Uuid,
        /// Of what.
        asset: String,
        /// What the balance says.
        balance_minor: i64,
        /// What the legs say.
        legs_minor: i64,
    },
    /// A balance is below what it may be.
    BalanceBelowMin {
        /// Whose.
        account_id: Uuid,
        /// Of what.
        asset: String,
        /// What it is.
        balance_minor: i64,
        /// The least it may be.
        min_minor: i64,
    },
    /// An account may go below zero though it does not issue the asset.
    NoIssuer {
        /// Whose.
        account_id: Uuid,
        /// Of what.
        asset: String,
        /// What the books allow it.
        min_minor: i64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AssetNotZero { asset, sum_minor } => {
                write!(f, "the balances of {asset} sum to {sum_minor}")
            }
            Self::PostingNotZero { posting_id, asset, sum_minor } => {
                write!(f, "the legs of posting {posting_id} sum to {sum_minor} of {asset}")
            }
            Self::PostingEmpty { posting_id } => write!(f, "posting {posting_id} has no legs"),
            Self::BalanceNotLegs { account_id, asset, balance_minor, legs_minor } => {
                write!(f, "account {account_id} has {balance_minor} of {asset}, its legs say {legs_minor}")
            }
            Self::BalanceBelowMin { account_id, asset, balance_minor, min_minor } => {
                write!(
                    f,
                    "account {account_id} has {balance_minor} of {asset}, at least {min_minor} is allowed"
                )
            }
            Self::NoIssuer { account_id, asset, min_minor } => {
                write!(f, "account {account_id} may fall to {min_minor} of {asset} but does not issue it")
            }
        }
    }
}

/// Checks every posting and every balance. Reads it all: for an operator and for tests, in a read transaction.
pub fn verify(tx: &mut Tx<'_>) -> Result<Report, store::Error> {
    let postings = tx.query_one(COUNT_POSTINGS, params![])?.get(0)?;
    let mut sums = BTreeMap::new();
    for row in tx.query(SUMS, params![])? {
        sums.insert(row.get(0)?, row.get(1)?);
    }
    let mut faults = Vec::new();
    for row in tx.query(UNBALANCED_ASSETS, params![FAULTS_MAX])? {
        faults.push(Fault::AssetNotZero { asset: row.get(0)?, sum_minor: row.get(1)? });
    }
    for row in tx.query(UNBALANCED_POSTINGS, params![FAULTS_MAX])? {
        faults.push(Fault::PostingNotZero {
            posting_id: row.get(0)?,
            asset: row.get(1)?,
            sum_minor: row.get(2)?,
        });
    }
    for row in tx.query(EMPTY_POSTINGS, params![FAULTS_MAX])? {
        faults.push(Fault::PostingEmpty { posting_id: row.get(0)? });
    }
    for row in tx.query(WRONG_BALANCES, params![FAULTS_MAX])? {
        faults.push(Fault::BalanceNotLegs {
            account_id: row.get(0)?,
            asset: row.get(1)?,
            balance_minor: row.get(2)?,
            legs_minor: row.get(3)?,
        });
    }
    for row in tx.query(BELOW_MIN, params![FAULTS_MAX])? {
        faults.push(Fault::BalanceBelowMin {
            account_id: row.get(0)?,
            asset: row.get(1)?,
            balance_minor: row.get(2)?,
            min_minor: row.get(3)?,
        });
    }
    for row in tx.query(ISSUERS, params![])? {
        let (account_id, kind): (Uuid, String) = (row.get(0)?, row.get(1)?);
        let (name, min_minor): (String, i64) = (row.get(2)?, row.get(3)?);
        let of = asset(&name)?;
        let allowed = AccountRef::from_kind(&kind, account_id).map(|it| it.floor(&of).minor());
        if allowed != Some(min_minor) {
            faults.push(Fault::NoIssuer { account_id, asset: name, min_minor });
        }
    }
    Ok(Report { postings, sums, faults })
}
