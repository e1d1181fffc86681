//! What the books keep about persons: amounts under an id, which stay, and words, which go.

use ledger::{AccountRef, Posting, PostingKind};
use privacy::{Archive, Consequence, Erased, Form, Listing, OwnersOf, PersonalData, Settled, Stuck};
use serde_json::json;
use store::{Tx, params};
use uuid::Uuid;

use crate::balances::money;
use crate::books::post;

/// Money that is held is looked at again after this.
const RETRY_US: i64 = 60 * 60 * 1_000_000;

store::statements! {
    /// What somebody wrote to those they gave money to.
    FORGET_MESSAGES = "update transfers set message = null where from_account_id = $1 and message is not null";
    LEGS = "select l.asset_id, l.leg_number, p.posting_id, p.kind, p.reference, p.posted_at, l.amount, l.balance_after, \
            a.scale from legs l join postings p on p.posting_id = l.posting_id join assets a on a.asset_id = l.asset_id \
            where l.ledger_account_id = $1 order by l.asset_id, l.leg_number limit $2 offset $3";
    HOLDS = "select hold_id, asset_id, amount, kind, reference, state, created_at, expires_at, settled_at from holds \
             where ledger_account_id = $1 order by hold_id limit $2 offset $3";
    TRANSFERS = "select t.posting_id, case when t.from_account_id = $1 then 'by you' else 'to you' end, \
                 case when t.from_account_id = $1 then t.message end, p.posted_at \
                 from transfers t join postings p on p.posting_id = t.posting_id \
                 where t.from_account_id = $1 or t.to_account_id = $1 order by t.posting_id limit $2 offset $3";
}

const LISTINGS: &[Listing] = &[
    Listing {
        file: "ledger",
        kind: "line",
        sql: LEGS,
        columns: &[
            ("asset", Form::Text),
            ("number", Form::Number),
            ("posting_id", Form::Id),
            ("why", Form::Text),
            ("reference", Form::Text),
            ("posted_at", Form::Time),
            ("amount_minor", Form::Number),
            ("balance_after_minor", Form::Number),
            ("scale", Form::Number),
        ],
    },
    Listing {
        file: "ledger",
        kind: "hold",
        sql: HOLDS,
        columns: &[
            ("hold_id", Form::Id),
            ("asset", Form::Text),
            ("amount_minor", Form::Number),
            ("why", Form::Text),
            ("reference", Form::Text),
            ("state", Form::Text),
            ("created_at", Form::Time),
            ("expires_at", Form::Time),
            ("settled_at", Form::Time),
        ],
    },
    Listing {
        file: "payments",
        kind: "transfer",
        sql: TRANSFERS,
        columns: &[
            ("posting_id", Form::Id),
            ("side", Form::Text),
            ("message", Form::Text),
            ("at", Form::Time),
        ],
    },
];

/// Balances, postings, holds, transfers.
pub struct Personal {
    owners: OwnersOf,
}

impl Personal {
    /// See [`OwnersOf`].
    pub fn new(owners: OwnersOf) -> Self {
        Self { owners }
    }
}

impl PersonalData for Personal {
    fn domain(&self) -> &'static str {
        "wallet"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        for it in money(tx, account_id)? {
            out.row(
                "ledger",
                &json!({
                    "kind": "balance",
                    "currency": it.asset.as_str(),
                    "amount_minor": it.amount.minor(),
                    "held_minor": it.held.minor(),
                    "scale": it.scale,
                }),
            );
        }
        out.leave_out("who gave you money or got it from you, and what others wrote", "data of other people");
        LISTINGS.iter().try_for_each(|it| out.list(tx, account_id, it))
    }

    fn consequences(&self, tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Consequence>, store::Error> {
        let mut all: Vec<Consequence> = Vec::new();
        for owner_id in (self.owners)(tx, account_id)? {
            for it in money(tx, owner_id)?.into_iter().filter(|it| it.amount.minor() > 0) {
                let currency = Some(it.asset.as_str().to_owned());
                if let Some(same) = all.iter_mut().find(|it| it.currency == currency) {
                    same.amount_minor = same.amount_minor.map(|sum| sum.saturating_add(it.amount.minor()));
                    continue;
                }
                let amount_minor = Some(it.amount.minor());
                all.push(Consequence { code: "money_forfeited", count: None, amount_minor, currency });
            }
        }
        Ok(all)
    }

    /// What is free goes to the treasury; what is held is waited for.
    fn settle(&self, tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<Settled, Stuck> {
        let mut is_held = false;
        for owner_id in (self.owners)(tx, account_id)? {
            for it in money(tx, owner_id)? {
                is_held |= it.held.minor() > 0;
                let free_minor = it.amount.minor() - it.held.minor();
                let Some(free) = ledger::Amount::try_from_minor(free_minor) else { continue };
                if free_minor <= 0 {
                    continue;
                }
                let client_id = format!("erasure:{}", Uuid::now_v7());
                let posting = Posting::of(PostingKind::Erasure, client_id, format!("account:{owner_id}"))
                    .transfer(AccountRef::Wallet(owner_id), AccountRef::Treasury, &it.asset, free)
                    .finish()
                    .map_err(|error| Stuck::Refused(error.to_string()))?;
                post(tx, &posting, now_us).map_err(|error| match error {
                    crate::PostError::Store(error) => Stuck::Store(error),
                    refused => Stuck::Refused(refused.to_string()),
                })?;
            }
        }
        let until_us = now_us.saturating_add(RETRY_US);
        Ok(if is_held { Settled::Waits { what: "holds", until_us } } else { Settled::Done })
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _: i64) -> Result<Erased, store::Error> {
        tx.execute(FORGET_MESSAGES, params![account_id])?;
        Ok(Erased::Done)
    }
}
