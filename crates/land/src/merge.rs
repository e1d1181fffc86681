//! Making one parcel of several.

use std::collections::BTreeSet;

use api::idempotency::{Answer, Fingerprint};
use api::{Caller, IdempotencyKey, Problem};
use axum::http::StatusCode;
use cell::CellId;
use ledger::{AccountRef, Posting, PostingKind};
use serde_json::json;
use store::Tx;
use uuid::Uuid;

use crate::access;
use crate::books::{self, deed};
use crate::decide::{Asked, Done, changed, happened, may_act};
use crate::hold::check_free;
use crate::keep::{self, Shape};
use crate::parcel::{self, ParcelFacts};
use crate::rules::Refusal;
use crate::seen::Seen;
use crate::service::{Deps, LandService};
use crate::shape::is_connected;
use crate::survey::{Extent, Front};
use crate::title::{self, NewTitle, TitleKind};

impl LandService {
    /// Merges other parcels of one owner, each named by one of its lots, into the parcel of a lot. That one keeps its
    /// id, name and description; the deeds of the others go back to the land office.
    pub async fn merge(
        &self,
        caller: Caller,
        lot: CellId,
        with: Vec<CellId>,
        key: IdempotencyKey,
    ) -> Result<Answer, Problem> {
        let fingerprint = with.iter().fold(
            Fingerprint::of("POST /lands/{token}/merge").with(&lot.raw().to_be_bytes()),
            |it, other| it.with(&other.raw().to_be_bytes()),
        );
        let asked = Asked { caller, key, fingerprint };
        let merge = Merge { lot, with, actor: caller.account_id, client_id: asked.client_id("land_merge") };
        self.decide(asked, move |tx, deps, now_us| merge.run(tx, deps, now_us)).await
    }
}

struct Merge {
    lot: CellId,
    with: Vec<CellId>,
    actor: Uuid,
    client_id: String,
}

impl Merge {
    fn run(&self, tx: &mut Tx<'_>, deps: &Deps, now_us: i64) -> Result<Done, Refusal> {
        let (kept, others) = self.take(tx)?;
        for facts in std::iter::once(&kept).chain(&others) {
            if !may_act(tx, deps, facts.owner_id, self.actor)? {
                return Err(Refusal::NotOwner);
            }
        }
        if others.iter().any(|it| it.owner_id != kept.owner_id) {
            return Err(Refusal::OwnersDiffer);
        }
        let count = others.iter().fold(kept.cells as usize, |count, it| count + it.cells as usize);
        let max = deps.economy.land.parcel_cells_max as usize;
        if count > max {
            return Err(Refusal::TooManyCells { count, max });
        }
        let mut cells = Vec::with_capacity(count);
        for facts in std::iter::once(&kept).chain(&others) {
            cells.extend(parcel::cells(tx, facts.anchor)?);
        }
        if !is_connected(&cells) {
            return Err(Refusal::NotConnected { what: "the parcel" });
        }
        for facts in std::iter::once(&kept).chain(&others) {
            check_free(tx, facts)?;
        }

        let anchors: Vec<CellId> = others.iter().map(|it| it.anchor).collect();
        access::clear(tx, &anchors, now_us)?;
        for anchor in &anchors {
            keep::swallow(tx, *anchor, kept.anchor)?;
        }
        let largest =
            others.iter().fold(&kept, |largest, it| if it.area_m2 > largest.area_m2 { it } else { largest });
        let Extent { area_m2, center } = Extent::of(&deps.planet, &cells);
        let front = others.iter().fold(kept.front, |front: Front, it| front.or(it.front));
        let shape = Shape { cells: count, area_m2, center, biome: &largest.biome, front };
        keep::reshape(tx, kept.anchor, &shape)?;

        let posted = wallet::post(tx, &self.posting(&kept, &anchors), now_us).map_err(books::refused)?;
        let titles: Vec<_> = titles(self.actor, &kept, &anchors, posted.posting_id).collect();
        title::add(tx, &titles, now_us)?;
        let seen = Seen::now(tx, deps, kept.anchor)?;
        let merged: Vec<String> = anchors.iter().map(|it| it.token()).collect();
        events::record(tx, &[happened("land.merged", &seen, json!({"merged": merged}))], now_us)?;
        let changed = vec![changed(&seen)];
        Ok(Done::new(StatusCode::OK, &seen.view(deps.economy), changed))
    }

    /// The parcel that is kept and those that become part of it, all taken.
    fn take(&self, tx: &mut Tx<'_>) -> Result<(ParcelFacts, Vec<ParcelFacts>), Refusal> {
        let lots: Vec<CellId> = std::iter::once(self.lot).chain(self.with.iter().copied()).collect();
        let mut taken = parcel::take_all(tx, &lots)?.ok_or(Refusal::NotOwner)?;
        // Two lots of one parcel name it twice.
        let mut anchors = BTreeSet::new();
        let mut kept = None;
        for cell in lots {
            let anchor = parcel::parcel(tx, cell)?.ok_or(Refusal::NotOwner)?.anchor;
            if !anchors.insert(anchor) {
                return Err(Refusal::DuplicateCell { cell });
            }
            kept = kept.or(Some(anchor));
        }
        let place = taken.iter().position(|it| Some(it.anchor) == kept).ok_or(Refusal::NotOwner)?;
        let kept = taken.remove(place);
        Ok((kept, taken))
    }

    /// The deeds go back.
    fn posting(&self, kept: &ParcelFacts, others: &[CellId]) -> Posting {
        let wallet = AccountRef::Wallet(kept.owner_id);
        let reference = format!("parcel:{}", kept.anchor.token());
        let posting = Posting::of(PostingKind::LandMerge, self.client_id.clone(), reference);
        others
            .iter()
            .fold(posting, |it, other| it.transfer(wallet, AccountRef::LandOffice, &deed(*other), books::ONE))
            .finish()
            .expect("each deed is another, and they are few")
    }
}

/// One for the parcel that is kept, one to end each of the others.
fn titles<'a>(
    actor: Uuid,
    kept: &'a ParcelFacts,
    others: &'a [CellId],
    posting_id: Uuid,
) -> impl Iterator<Item = NewTitle<'static>> + 'a {
    let title = move |parcel, owner_id, other| NewTitle {
        by: audit::Actor::account(actor),
        parcel,
        kind: TitleKind::Merge,
        owner_id,
        from_id: Some(kept.owner_id),
        price_minor: 0,
        currency: books::CURRENCY,
        posting_id,
        other,
    };
    let first = title(kept.anchor, Some(kept.owner_id), others.first().copied());
    std::iter::once(first).chain(others.iter().map(move |other| title(*other, None, Some(kept.anchor))))
}
