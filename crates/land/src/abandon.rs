//! Giving land back to the planet.

use api::idempotency::{Answer, Fingerprint};
use api::{Caller, IdempotencyKey, Problem};
use audit::Actor;
use axum::http::StatusCode;
use cell::CellId;
use events::{Audience, NewEvent};
use ledger::{AccountRef, Posting, PostingKind};
use serde_json::json;
use store::Tx;
use uuid::Uuid;

use crate::access;
use crate::books::{self, deed};
use crate::decide::{Asked, Done, freed, happened};
use crate::hold::{check_free, take_own};
use crate::keep;
use crate::parcel::{self, ParcelFacts};
use crate::rules::Refusal;
use crate::seen::Seen;
use crate::service::{Deps, LandService};
use crate::title::{self, NewTitle, TitleKind};
use crate::view::AbandonedView;

/// Lots of one parcel whose freeing is told one by one.
const FREED_MAX: usize = 64;

impl LandService {
    /// Gives up the parcel of a lot: its lots are free again, its deed goes back to the land office, nothing is paid.
    pub async fn abandon(&self, caller: Caller, lot: CellId, key: IdempotencyKey) -> Result<Answer, Problem> {
        let fingerprint = Fingerprint::of("POST /lands/{token}/abandon").with(&lot.raw().to_be_bytes());
        let asked = Asked { caller, key, fingerprint };
        let client_id = asked.client_id("land_abandon");
        self.decide(asked, move |tx, deps, now_us| {
            run(tx, deps, lot, caller.account_id, client_id.clone(), now_us)
        })
        .await
    }
}

fn run(
    tx: &mut Tx<'_>,
    deps: &Deps,
    lot: CellId,
    actor: Uuid,
    client_id: String,
    now_us: i64,
) -> Result<Done, Refusal> {
    let facts = take_own(tx, deps, lot, actor)?;
    check_free(tx, &facts)?;
    let seen = Seen::now(tx, deps, facts.anchor)?;
    give_back(tx, &facts, TitleKind::Abandon, Actor::account(actor), client_id, now_us)?;
    events::record(tx, &[happened("land.abandoned", &seen, json!({}))], now_us)?;
    let changed = seen.cells.iter().take(FREED_MAX).map(|it| freed(*it)).collect();
    let mut cells = seen.cells;
    cells.sort_unstable();
    let view =
        AbandonedView { token: facts.anchor.token(), cells: cells.into_iter().map(CellId::token).collect() };
    Ok(Done::new(StatusCode::OK, &view, changed))
}

/// Gives a parcel back in the name of an owner who is being forgotten; its lots, which are free now. The rules are those
/// of [`LandService::abandon`].
pub(crate) fn give_up(
    tx: &mut Tx<'_>,
    anchor: CellId,
    client_id: String,
    now_us: i64,
) -> Result<Vec<CellId>, Refusal> {
    let facts = parcel::take(tx, anchor)?.ok_or(Refusal::NotOwner)?;
    check_free(tx, &facts)?;
    let cells = parcel::cells(tx, anchor)?;
    give_back(tx, &facts, TitleKind::Abandon, Actor::System, client_id, now_us)?;
    let tokens: Vec<String> = cells.iter().take(FREED_MAX).map(|it| it.token()).collect();
    // Without names: this is how somebody is forgotten.
    let data = json!({ "parcel": anchor.token(), "cell_count": facts.cells, "cells": tokens });
    let event = NewEvent { kind: "land.abandoned", audience: Audience::Near(anchor), data };
    events::record(tx, &[event], now_us)?;
    Ok(cells)
}

/// Land that was taken back from its owner.
#[derive(Clone, PartialEq, Debug)]
pub struct Reclaimed {
    /// The parcel as it was.
    pub facts: ParcelFacts,
    /// Its lots, which are free now.
    pub cells: Vec<CellId>,
}

/// Takes a parcel from an owner who neglected it; `None` if there is no parcel with that anchor. Refused
/// ([`Refusal::Encumbered`], [`Refusal::Leased`]) while it is promised or leased. Events are for the caller.
pub fn reclaim(
    tx: &mut Tx<'_>,
    anchor: CellId,
    client_id: String,
    now_us: i64,
) -> Result<Option<Reclaimed>, Refusal> {
    let Some(facts) = parcel::take(tx, anchor)?.filter(|it| it.anchor == anchor) else { return Ok(None) };
    check_free(tx, &facts)?;
    let cells = parcel::cells(tx, anchor)?;
    give_back(tx, &facts, TitleKind::Reclaim, Actor::System, client_id, now_us)?;
    Ok(Some(Reclaimed { facts, cells }))
}

/// Ends a parcel, which has been taken and is free of promises.
fn give_back(
    tx: &mut Tx<'_>,
    facts: &ParcelFacts,
    kind: TitleKind,
    by: Actor,
    client_id: String,
    now_us: i64,
) -> Result<(), Refusal> {
    access::clear(tx, &[facts.anchor], now_us)?;
    keep::remove(tx, facts.anchor)?;
    let why = if kind == TitleKind::Reclaim { PostingKind::Reclaim } else { PostingKind::LandAbandon };
    let posting = Posting::of(why, client_id, format!("parcel:{}", facts.anchor.token()))
        .transfer(AccountRef::Wallet(facts.owner_id), AccountRef::LandOffice, &deed(facts.anchor), books::ONE)
        .finish()
        .expect("one deed moves");
    let posted = wallet::post(tx, &posting, now_us).map_err(books::refused)?;
    let title = NewTitle {
        by,
        parcel: facts.anchor,
        kind,
        owner_id: None,
        from_id: Some(facts.owner_id),
        price_minor: 0,
        currency: books::CURRENCY,
        posting_id: posted.posting_id,
        other: None,
    };
    Ok(title::add(tx, &[title], now_us)?)
}
