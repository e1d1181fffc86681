//! The books: accounts, postings, and whether anything came from nowhere.

use std::collections::BTreeMap;

use api::{Page, Problem, timestamp};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use uuid::Uuid;
use wallet::{AccountFacts, PostingFacts};

use crate::people::MoneyView;
use crate::refusal::Refusal;
use crate::service::{Deps, Staff};

/// An account of the books.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "account_id": "019aa5c3-1f00-7000-8000-000000000001",
    "kind": "wallet",
    "name": "Ann",
    "opened_at": "2026-11-21T09:00:00Z",
    "deeds": 3,
    "balances": [{"asset": "coin", "amount_minor": 50_000, "held_minor": 0}]
}))]
pub(crate) struct LedgerAccountView {
    /// Its id: an account's, a group's, or one of the planet's own.
    pub(crate) account_id: Uuid,
    /// `wallet`, `treasury`, `land_office`, `mint`, `fees`, `tax`, `escrow`.
    pub(crate) kind: String,
    /// What the owner is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) opened_at: jiff::Timestamp,
    /// How many deeds it holds.
    pub(crate) deeds: i64,
    /// Its money.
    pub(crate) balances: Vec<MoneyView>,
}

/// A posting with all its legs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "posting_id": "019aa5c3-1f00-7000-8000-000000000001",
    "kind": "transfer",
    "reference": "",
    "posted_at": "2026-11-21T09:00:00Z",
    "chain_number": 17,
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "amount_minor": 100,
    "moves_deeds": false,
    "legs": [{
        "account_id": "019aa5c3-1f00-7000-8000-000000000001",
        "account_kind": "wallet",
        "name": "Ann",
        "asset": "coin",
        "amount_minor": -100,
        "balance_after_minor": 49_900
    }, {
        "account_id": "019aa5c3-1f00-7000-8000-000000000002",
        "account_kind": "wallet",
        "name": "Bob",
        "asset": "coin",
        "amount_minor": 100,
        "balance_after_minor": 50_100
    }]
}))]
pub(crate) struct LedgerPostingView {
    /// Its id.
    pub(crate) posting_id: Uuid,
    /// Why value moved.
    pub(crate) kind: String,
    /// What it is about.
    pub(crate) reference: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) posted_at: jiff::Timestamp,
    /// The posting that it took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reverses: Option<Uuid>,
    /// The posting that took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reversed_by: Option<Uuid>,
    /// Its number in the chain of hashes, once it is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chain_number: Option<i64>,
    /// The hash there, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hash: Option<String>,
    /// What moved of the money of which most moved.
    pub(crate) amount_minor: i64,
    /// Whether a deed moved: then it is not taken back by itself.
    pub(crate) moves_deeds: bool,
    /// Who gained and lost what.
    pub(crate) legs: Vec<LedgerLegView>,
}

/// What one account gained, or lost if negative.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LedgerLegView {
    /// Whose.
    pub(crate) account_id: Uuid,
    /// What sort of account.
    pub(crate) account_kind: String,
    /// What the owner is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The asset's name.
    pub(crate) asset: String,
    /// In smallest units.
    pub(crate) amount_minor: i64,
    /// What it had afterwards.
    pub(crate) balance_after_minor: i64,
}

/// Whether anything came from nowhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "is_sound": true,
    "postings": 1204,
    "unsealed": 0,
    "chain_number": 1204,
    "chain_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sums": {"coin": 0, "deed": 0},
    "unbalanced": []
}))]
pub(crate) struct CheckView {
    /// Whether every sum is zero.
    pub(crate) is_sound: bool,
    /// Postings ever booked.
    pub(crate) postings: i64,
    /// Postings that wait for their seal.
    pub(crate) unsealed: i64,
    /// How many postings are in the chain of hashes.
    pub(crate) chain_number: i64,
    /// The last hash there, in hexadecimal: written down elsewhere, it shows later whether anything was changed.
    pub(crate) chain_hash: String,
    /// The sum of all balances of each money, and of all deeds together.
    pub(crate) sums: BTreeMap<String, i64>,
    /// Assets of which there is something from nowhere, up to a hundred.
    pub(crate) unbalanced: Vec<String>,
}

impl Staff {
    /// The account of an owner; without one, the planet's own.
    pub(crate) async fn ledger_accounts(
        &self,
        owner_id: Option<Uuid>,
    ) -> Result<Vec<LedgerAccountView>, Problem> {
        let deps = self.deps.clone();
        let found = self.deps.store.read(move |tx| {
            let facts = match owner_id {
                Some(id) => {
                    vec![wallet::account_facts(tx, id)?.ok_or(Refusal::NoSuchEntry { what: "account" })?]
                }
                None => wallet::planet_accounts(tx)?,
            };
            let views = facts.into_iter().map(|it| account_view(tx, &deps, it));
            Ok::<_, Refusal>(views.collect::<Result<Vec<_>, _>>()?)
        });
        Ok(found.await?)
    }

    /// Postings, newest first: of one account, or all.
    pub(crate) async fn ledger_postings(
        &self,
        account_id: Option<Uuid>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Page<LedgerPostingView>, Problem> {
        let deps = self.deps.clone();
        let before = before.unwrap_or(Uuid::max());
        let found = self.deps.store.read(move |tx| {
            let facts = wallet::postings_before(tx, account_id, before, limit + 1)?;
            let views = facts.into_iter().map(|it| posting_view(tx, &deps, it));
            Ok::<_, Refusal>(views.collect::<Result<Vec<_>, _>>()?)
        });
        Ok(Page::from_surplus(found.await?, limit, |last| api::cursor::encode(last.posting_id.as_bytes())))
    }

    /// One posting.
    pub(crate) async fn ledger_posting(&self, posting_id: Uuid) -> Result<LedgerPostingView, Problem> {
        let deps = self.deps.clone();
        let found = self.deps.store.read(move |tx| {
            let facts = wallet::posting_facts(tx, posting_id)?;
            let facts = facts.ok_or(Refusal::NoSuchEntry { what: "posting" })?;
            Ok::<_, Refusal>(posting_view(tx, &deps, facts)?)
        });
        Ok(found.await?)
    }

    /// Adds everything up.
    pub(crate) async fn ledger_check(&self) -> Result<CheckView, Problem> {
        let found = self.deps.store.read(wallet::conservation).await?;
        let (chain_number, hash) = found.chain_head;
        Ok(CheckView {
            is_sound: found.unbalanced.is_empty(),
            postings: found.postings,
            unsealed: found.unsealed,
            chain_number,
            chain_hash: hex(&hash),
            sums: found.sums,
            unbalanced: found.unbalanced.into_iter().map(|(asset, _)| asset).collect(),
        })
    }
}

fn account_view(
    tx: &mut Tx<'_>,
    deps: &Deps,
    facts: AccountFacts,
) -> Result<LedgerAccountView, store::Error> {
    let balances = wallet::money(tx, facts.account_id)?
        .into_iter()
        .map(|it| MoneyView {
            asset: it.asset.as_str().to_owned(),
            amount_minor: it.amount.minor(),
            held_minor: it.held.minor(),
        })
        .collect();
    Ok(LedgerAccountView {
        account_id: facts.account_id,
        kind: facts.kind,
        name: deps.name_of(tx, facts.account_id)?,
        opened_at: timestamp(facts.opened_at_us),
        deeds: facts.deeds,
        balances,
    })
}

fn posting_view(
    tx: &mut Tx<'_>,
    deps: &Deps,
    facts: PostingFacts,
) -> Result<LedgerPostingView, store::Error> {
    let (amount_minor, moves_deeds) = (facts.moved_minor(), facts.moves_deeds());
    let mut legs = Vec::with_capacity(facts.legs.len());
    for leg in facts.legs {
        legs.push(LedgerLegView {
            account_id: leg.account_id,
            name: deps.name_of(tx, leg.account_id)?,
            account_kind: leg.account_kind,
            asset: leg.asset,
            amount_minor: leg.amount_minor,
            balance_after_minor: leg.balance_after_minor,
        });
    }
    let (chain_number, hash) = facts.sealed.map(|(number, hash)| (number, hex(&hash))).unzip();
    Ok(LedgerPostingView {
        posting_id: facts.posting_id,
        kind: facts.kind,
        reference: facts.reference,
        posted_at: timestamp(facts.posted_at_us),
        reverses: facts.reverses,
        reversed_by: facts.reversed_by,
        chain_number,
        hash,
        amount_minor,
        moves_deeds,
        legs,
    })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
