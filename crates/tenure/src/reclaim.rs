//! Land of owners who are gone goes back to the planet, after a notice, if the operator wants that.

use cell::CellId;
use events::{Audience, NewEvent};
use land::ParcelFacts;
use serde_json::json;
use store::{Tx, params};
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::rounds::{self, Place};
use crate::service::{Deps, Tenure};
use crate::terms::{DAY_US, UNPAID_PERIODS_MAX};
use crate::upkeep;

store::statements! {
    /// What an owner has been told.
    FIND = "select owner_id, due_at from reclaim_notices where parcel_id = $1";
    /// Tells an owner; one before them is forgotten.
    ADD = "insert into reclaim_notices (parcel_id, owner_id, reason, noticed_at, due_at) values ($1, $2, $3, $4, $5) \
           on conflict (parcel_id) do update set owner_id = excluded.owner_id, reason = excluded.reason, \
           noticed_at = excluded.noticed_at, due_at = excluded.due_at";
    /// Takes it back.
    REMOVE = "delete from reclaim_notices where parcel_id = $1";
}

const KIND: &str = "reclaim";
/// Parcels looked at in one transaction.
const PAGE: u32 = 100;
/// Tokens of lots that an event lists.
const TOKENS_MAX: usize = 64;

/// What is to be done about a parcel.
enum Finding {
    /// Its owner is there: a notice, if there was one, is taken back.
    Well,
    /// Its owner is told.
    Warn(&'static str),
    /// Its owner was told, and the time is not over.
    Wait,
    /// It goes back.
    Reclaim(&'static str),
}

impl Tenure {
    /// Looks at all land once a day.
    pub(crate) async fn reclaim_abandoned(&self) -> Result<(), Refusal> {
        if !self.deps.economy.land.reclaim.enabled {
            return Ok(());
        }
        loop {
            let (deps, now_us) = (self.deps.clone(), self.deps.clock.now_us());
            let page = self
                .deps
                .store
                .locked(move |tx| {
                    let Some(number) = rounds::next(tx, KIND, now_us.div_euclid(DAY_US))? else {
                        return Ok(None);
                    };
                    look(tx, &deps, number, now_us).map(Some)
                })
                .await?;
            let Some(abandoned) = page else { return Ok(()) };
            for anchor in abandoned {
                let deps = self.deps.clone();
                self.deps.store.locked(move |tx| take_back(tx, &deps, anchor, now_us)).await?;
            }
            self.deps.wake.wake();
        }
    }
}

/// One page of a round: owners are told, and what is to go back is listed.
fn look(tx: &mut Tx<'_>, deps: &Deps, number: i64, now_us: i64) -> Result<Vec<CellId>, Refusal> {
    let Place::After(after) = rounds::take(tx, KIND, number)? else { return Ok(Vec::new()) };
    let page = land::every(tx, after, PAGE)?;
    let mut abandoned = Vec::new();
    for facts in &page {
        match judge(tx, deps, facts, now_us)? {
            Finding::Well => drop(tx.execute(REMOVE, params![facts.anchor.to_sql()])?),
            Finding::Warn(reason) => warn(tx, deps, facts, reason, now_us)?,
            Finding::Wait => {}
            Finding::Reclaim(_) => abandoned.push(facts.anchor),
        }
    }
    let last = page.last().filter(|_| page.len() == PAGE as usize);
    rounds::advance(tx, KIND, number, last.map(|it| it.anchor))?;
    Ok(abandoned)
}

fn judge(tx: &mut Tx<'_>, deps: &Deps, facts: &ParcelFacts, now_us: i64) -> Result<Finding, store::Error> {
    let Some(reason) = reason(tx, deps, facts, now_us)? else { return Ok(Finding::Well) };
    let Some(row) = tx.query_opt(FIND, params![facts.anchor.to_sql()])? else {
        return Ok(Finding::Warn(reason));
    };
    Ok(match (row.get::<Uuid>(0)?, row.get::<i64>(1)?) {
        // The notice was for somebody before them.
        (owner_id, _) if owner_id != facts.owner_id => Finding::Warn(reason),
        (_, due_at_us) if due_at_us > now_us => Finding::Wait,
        _ => Finding::Reclaim(reason),
    })
}

/// Why a parcel counts as abandoned.
fn reason(
    tx: &mut Tx<'_>,
    deps: &Deps,
    facts: &ParcelFacts,
    now_us: i64,
) -> Result<Option<&'static str>, store::Error> {
    let land = deps.economy.land;
    if land.upkeep.enabled && upkeep::missed_count(tx, facts)? >= UNPAID_PERIODS_MAX {
        return Ok(Some("upkeep_unpaid"));
    }
    let long_ago_us = now_us.saturating_sub(i64::from(land.reclaim.after_days) * DAY_US);
    let mut people = (deps.agents)(tx, facts.owner_id)?;
    if people.is_empty() {
        people.push(facts.owner_id);
    }
    for account_id in people {
        // Of whom nothing is known nothing is taken.
        let last_seen_us = (deps.last_seen)(tx, account_id)?.unwrap_or(now_us);
        if last_seen_us.max(facts.claimed_at_us) >= long_ago_us {
            return Ok(None);
        }
    }
    Ok(Some("owner_inactive"))
}

fn warn(
    tx: &mut Tx<'_>,
    deps: &Deps,
    facts: &ParcelFacts,
    reason: &'static str,
    now_us: i64,
) -> Result<(), store::Error> {
    let due_at_us = now_us.saturating_add(i64::from(deps.economy.land.reclaim.notice_days) * DAY_US);
    tx.execute(ADD, params![facts.anchor.to_sql(), facts.owner_id, reason, now_us, due_at_us])?;
    let data = json!({
        "parcel": facts.anchor.token(),
        "reason": reason,
        "due_at": api::timestamp(due_at_us).to_string(),
    });
    deps.tell(tx, "land.reclaim_warned", &[facts.owner_id], data, now_us)
}

/// Takes a parcel back, if that is still due when it is taken. One that is leased or promised waits for the next day.
fn take_back(tx: &mut Tx<'_>, deps: &Deps, anchor: CellId, now_us: i64) -> Result<(), Refusal> {
    let Some(facts) = land::take(tx, anchor)?.filter(|it| it.anchor == anchor) else { return Ok(()) };
    let Finding::Reclaim(reason) = judge(tx, deps, &facts, now_us)? else { return Ok(()) };
    let client_id = format!("reclaim:{}:{now_us}", anchor.token());
    let reclaimed = match land::reclaim(tx, anchor, client_id, now_us) {
        Err(
            land::Refusal::Frozen { .. } | land::Refusal::Encumbered { .. } | land::Refusal::Leased { .. },
        )
        | Ok(None) => return Ok(()),
        Err(land::Refusal::Store(error)) => return Err(error.into()),
        other => other?.expect("the case without a parcel stands above"),
    };
    tx.execute(REMOVE, params![anchor.to_sql()])?;
    upkeep::forget(tx, &facts)?;
    let cells: Vec<String> = reclaimed.cells.iter().take(TOKENS_MAX).map(|it| it.token()).collect();
    let data = json!({
        "parcel": anchor.token(),
        "reason": reason,
        "owner_id": facts.owner_id,
        "cell_count": facts.cells,
        "cells": cells,
    });
    let near = NewEvent { kind: "land.reclaimed", audience: Audience::Near(anchor), data: data.clone() };
    events::record(tx, &[near], now_us)?;
    metrics::counter!("terrane_land_reclaimed_total", "reason" => reason).increment(1);
    Ok(deps.tell(tx, "land.reclaimed", &[facts.owner_id], data, now_us)?)
}
