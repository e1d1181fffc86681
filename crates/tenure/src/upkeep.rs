//! Upkeep: a charge on all land for each period, if the operator wants one.

use land::ParcelFacts;
use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use serde_json::json;
use store::{Tx, params};
use tracing::warn;
use wallet::PostError;

use crate::refusal::Refusal;
use crate::rounds::{self, Place};
use crate::service::{Deps, Tenure};
use crate::terms::DAY_US;

store::statements! {
    /// Another period was not paid; of an owner before nothing is remembered.
    MISSED = "insert into upkeep_debts (parcel_id, owner_id, missed_count, since) values ($1, $2, 1, $3) \
              on conflict (parcel_id) do update set \
              missed_count = case when upkeep_debts.owner_id = excluded.owner_id \
                then upkeep_debts.missed_count + 1 else 1 end, \
              since = case when upkeep_debts.owner_id = excluded.owner_id \
                then upkeep_debts.since else excluded.since end, \
              owner_id = excluded.owner_id \
              returning missed_count";
    /// It was paid.
    PAID = "delete from upkeep_debts where parcel_id = $1";
    /// How many periods in a row an owner has missed.
    COUNT_MISSED = "select missed_count from upkeep_debts where parcel_id = $1 and owner_id = $2";
}

const KIND: &str = "upkeep";
/// Parcels charged in one transaction.
const PAGE: u32 = 100;

impl Tenure {
    /// Charges what is due, one page of parcels after the other.
    pub(crate) async fn charge_upkeep(&self) -> Result<(), Refusal> {
        let upkeep = self.deps.economy.land.upkeep;
        if !upkeep.enabled {
            return Ok(());
        }
        let period_us = i64::from(upkeep.period_days) * DAY_US;
        loop {
            let (deps, now_us) = (self.deps.clone(), self.deps.clock.now_us());
            let is_more = self
                .deps
                .store
                .locked(move |tx| {
                    let Some(number) = rounds::next(tx, KIND, now_us.div_euclid(period_us))? else {
                        return Ok(false);
                    };
                    let Place::After(after) = rounds::take(tx, KIND, number)? else { return Ok(true) };
                    let page = land::every(tx, after, PAGE)?;
                    charge(tx, &deps, &page, number, number.saturating_mul(period_us), now_us)?;
                    let last = page.last().filter(|_| page.len() == PAGE as usize);
                    rounds::advance(tx, KIND, number, last.map(|it| it.anchor))?;
                    Ok::<_, Refusal>(true)
                })
                .await?;
            if !is_more {
                return Ok(());
            }
            self.deps.wake.wake();
        }
    }
}

/// Charges parcels that were owned when the period began.
fn charge(
    tx: &mut Tx<'_>,
    deps: &Deps,
    page: &[ParcelFacts],
    number: i64,
    begins_at_us: i64,
    now_us: i64,
) -> Result<(), Refusal> {
    let rate = deps.economy.land.upkeep.minor_per_m2_per_period;
    let due: Vec<(&ParcelFacts, Amount)> = page
        .iter()
        .filter(|it| it.claimed_at_us < begins_at_us)
        .filter_map(|it| Some((it, Amount::try_from_minor((it.area_m2 * rate).ceil() as i64)?)))
        .filter(|(_, amount)| *amount > Amount::ZERO)
        .collect();
    let postings: Vec<Posting> =
        due.iter().map(|(facts, amount)| posting(facts, *amount, number)).collect::<Result<_, _>>()?;
    for ((facts, amount), fate) in due.iter().zip(wallet::post_all(tx, &postings, now_us)?) {
        match fate {
            Ok(_) => drop(tx.execute(PAID, params![facts.anchor.to_sql()])?),
            Err(PostError::InsufficientFunds { .. }) => missed(tx, deps, facts, *amount, now_us)?,
            Err(PostError::Store(error)) => return Err(error.into()),
            Err(error) => warn!(%error, parcel = facts.anchor.token(), "upkeep could not be booked"),
        }
    }
    Ok(())
}

fn posting(facts: &ParcelFacts, amount: Amount, number: i64) -> Result<Posting, Refusal> {
    let token = facts.anchor.token();
    Posting::of(PostingKind::Upkeep, format!("upkeep:{token}:{number}"), format!("parcel:{token}"))
        .transfer(AccountRef::Wallet(facts.owner_id), AccountRef::Tax, &AssetId::coin(), amount)
        .finish()
        .map_err(|error| Refusal::Books(error.to_string()))
}

fn missed(
    tx: &mut Tx<'_>,
    deps: &Deps,
    facts: &ParcelFacts,
    amount: Amount,
    now_us: i64,
) -> Result<(), Refusal> {
    let row = tx.query_one(MISSED, params![facts.anchor.to_sql(), facts.owner_id, now_us])?;
    let data = json!({
        "parcel": facts.anchor.token(),
        "price_minor": amount.minor(),
        "currency": "coin",
        "missed_count": row.get::<i64>(0)?,
    });
    Ok(deps.tell(tx, "land.upkeep_missed", &[facts.owner_id], data, now_us)?)
}

/// How many periods in a row an owner has not paid.
pub(crate) fn missed_count(tx: &mut Tx<'_>, facts: &ParcelFacts) -> Result<i64, store::Error> {
    let row = tx.query_opt(COUNT_MISSED, params![facts.anchor.to_sql(), facts.owner_id])?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// The parcel is no more.
pub(crate) fn forget(tx: &mut Tx<'_>, facts: &ParcelFacts) -> Result<(), store::Error> {
    tx.execute(PAID, params![facts.anchor.to_sql()]).map(drop)
}
