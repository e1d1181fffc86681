//! Making two parcels of one.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::idempotency::{Answer, Fingerprint};
use api::{Caller, IdempotencyKey, Problem};
use axum::http::StatusCode;
use cell::CellId;
use ledger::{AccountRef, Posting, PostingKind};
use planet::Planet;
use serde_json::json;
use store::Tx;
use uuid::Uuid;

use crate::access;
use crate::books::{self, deed};
use crate::decide::{Asked, Done, changed, happened};
use crate::hold::{check_free, take_own};
use crate::keep::{self, NewParcel, Shape};
use crate::parcel::{self, ParcelFacts};
use crate::rules::Refusal;
use crate::seen::Seen;
use crate::service::{Deps, LandService};
use crate::shape::is_connected;
use crate::survey::Survey;
use crate::title::{self, NewTitle, TitleKind};
use crate::view::SplitView;

impl LandService {
    /// Splits some lots off the parcel of a lot. The part that has the anchor keeps id, name and description; the other
    /// gets a deed of its own.
    pub async fn split(
        &self,
        caller: Caller,
        lot: CellId,
        mut part: Vec<CellId>,
        key: IdempotencyKey,
    ) -> Result<Answer, Problem> {
        part.sort_unstable();
        let fingerprint = part
            .iter()
            .fold(Fingerprint::of("POST /lands/{token}/split").with(&lot.raw().to_be_bytes()), |it, cell| {
                it.with(&cell.raw().to_be_bytes())
            });
        // What the planet says takes a while: ask it before, about the parcel as it is now.
        let before = self
            .deps
            .store
            .read(move |tx| match parcel::parcel(tx, lot)? {
                Some(facts) => parcel::cells(tx, facts.anchor).map(|cells| Some((facts.anchor, cells))),
                None => Ok::<_, store::Error>(None),
            })
            .await?;
        let planet = Arc::clone(&self.deps.planet);
        let wanted = part.clone();
        let asked_before =
            move || before.and_then(|(anchor, cells)| Cut::of(&planet, anchor, cells, &wanted).ok());
        let cut =
            tokio::task::spawn_blocking(asked_before).await.map_err(|error| Problem::internal(&error))?;
        let asked = Asked { caller, key, fingerprint };
        let split =
            Split { lot, part, actor: caller.account_id, client_id: asked.client_id("land_split"), cut };
        self.decide(asked, move |tx, deps, now_us| split.run(tx, deps, now_us)).await
    }
}

/// A parcel in two parts, and what the planet says of each.
#[derive(Clone)]
struct Cut {
    cells: Vec<CellId>,
    kept: (Vec<CellId>, Survey),
    split_off: (Vec<CellId>, Survey),
}

impl Cut {
    /// Cuts the lots of a parcel into those of `part` and the rest.
    fn of(planet: &Planet, anchor: CellId, cells: Vec<CellId>, part: &[CellId]) -> Result<Self, Refusal> {
        let all: BTreeSet<CellId> = cells.iter().copied().collect();
        if let Some(cell) = part.iter().find(|it| !all.contains(it)) {
            return Err(Refusal::NotInParcel { cell: *cell });
        }
        let wanted: BTreeSet<CellId> = part.iter().copied().collect();
        let rest: Vec<CellId> = all.difference(&wanted).copied().collect();
        if rest.is_empty() {
            return Err(Refusal::NothingLeft);
        }
        for (part, what) in [(part, "what is split off"), (&rest, "what is left")] {
            if !is_connected(part) {
                return Err(Refusal::NotConnected { what });
            }
        }
        let part = wanted.into_iter().collect();
        let (kept, split_off) = if rest.contains(&anchor) { (rest, part) } else { (part, rest) };
        let surveyed = |cells: Vec<CellId>| {
            let survey = Survey::of(planet, &cells);
            (cells, survey)
        };
        Ok(Self { cells, kept: surveyed(kept), split_off: surveyed(split_off) })
    }
}

struct Split {
    lot: CellId,
    part: Vec<CellId>,
    actor: Uuid,
    client_id: String,
    /// As the parcel was before the transaction.
    cut: Option<Cut>,
}

impl Split {
    fn run(&self, tx: &mut Tx<'_>, deps: &Deps, now_us: i64) -> Result<Done, Refusal> {
        let facts = take_own(tx, deps, self.lot, self.actor)?;
        let cells = parcel::cells(tx, facts.anchor)?;
        let cut = match &self.cut {
            Some(cut) if cut.cells == cells => cut.clone(),
            _ => Cut::of(&deps.planet, facts.anchor, cells, &self.part)?,
        };
        check_free(tx, &facts)?;

        let (moved, survey) = &cut.split_off;
        let new = NewParcel {
            anchor: moved[0],
            owner_id: facts.owner_id,
            cells: moved,
            survey,
            claimed_at_us: facts.claimed_at_us,
        };
        keep::split_off(tx, &new)?;
        access::copy(tx, facts.anchor, new.anchor, now_us)?;
        let (left, Survey { area_m2, center, biome, front }) = &cut.kept;
        let (area_m2, center, front) = (*area_m2, *center, *front);
        let shape = Shape { cells: left.len(), area_m2, center, biome: biome.name(), front };
        keep::reshape(tx, facts.anchor, &shape)?;

        let posted = wallet::post(tx, &self.posting(&facts, new.anchor), now_us).map_err(books::refused)?;
        title::add(tx, &titles(self.actor, &facts, new.anchor, posted.posting_id), now_us)?;
        let kept = Seen::now(tx, deps, facts.anchor)?;
        let split_off = Seen::now(tx, deps, new.anchor)?;
        let event = happened("land.split", &kept, json!({"split_off": new.anchor.token()}));
        events::record(tx, &[event], now_us)?;
        let changed = vec![changed(&kept), changed(&split_off)];
        let (kept, split_off) = (kept.view(deps.economy), split_off.view(deps.economy));
        Ok(Done::new(StatusCode::OK, &SplitView { kept, split_off }, changed))
    }

    /// A deed for the new parcel.
    fn posting(&self, facts: &ParcelFacts, new: CellId) -> Posting {
        let reference = format!("parcel:{}", facts.anchor.token());
        Posting::of(PostingKind::LandSplit, self.client_id.clone(), reference)
            .transfer(AccountRef::LandOffice, AccountRef::Wallet(facts.owner_id), &deed(new), books::ONE)
            .finish()
            .expect("one deed moves")
    }
}

fn titles(actor: Uuid, facts: &ParcelFacts, new: CellId, posting_id: Uuid) -> [NewTitle<'static>; 2] {
    [(facts.anchor, new), (new, facts.anchor)].map(|(parcel, other)| NewTitle {
        by: audit::Actor::account(actor),
        parcel,
        kind: TitleKind::Split,
        owner_id: Some(facts.owner_id),
        from_id: Some(facts.owner_id),
        price_minor: 0,
        currency: books::CURRENCY,
        posting_id,
        other: Some(other),
    })
}
