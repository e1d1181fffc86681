//! Land and what is for sale: freezing, thawing, giving back, ending a sale.

use std::collections::BTreeSet;

use api::{Caller, timestamp};
use cell::CellId;
use events::{Audience, NewEvent};
use land::ParcelFacts;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Tx;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::act::Done;
use crate::rank::check_over;
use crate::refusal::Refusal;
use crate::service::Deps;

/// Land after an act of staff.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "token": "4be64c3c",
    "owner_id": "019aa5c3-1f00-7000-8000-000000000001",
    "is_frozen": true,
    "frozen_at": "2026-11-21T09:00:00Z"
}))]
pub(crate) struct LandActView {
    /// The parcel's token.
    pub(crate) token: String,
    /// Whose it is now.
    pub(crate) owner_id: Uuid,
    /// Whether it is frozen.
    pub(crate) is_frozen: bool,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) frozen_at: Option<jiff::Timestamp>,
    /// The posting that moved the deed, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) posting_id: Option<Uuid>,
}

impl LandActView {
    fn of(facts: &ParcelFacts) -> Self {
        Self {
            token: facts.anchor.token(),
            owner_id: facts.owner_id,
            is_frozen: facts.frozen_at_us.is_some(),
            frozen_at: facts.frozen_at_us.map(timestamp),
            posting_id: None,
        }
    }
}

pub(crate) fn freeze(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: &Caller,
    lot: CellId,
    now_us: i64,
) -> Result<Done, Refusal> {
    let mut facts = land::freeze(tx, lot, now_us)?.ok_or(Refusal::NotOwned)?;
    check_over(tx, caller, facts.owner_id)?;
    if facts.frozen_at_us.is_some() {
        return Err(Refusal::Already { state: "frozen" });
    }
    facts.frozen_at_us = Some(now_us);
    told(tx, deps, &facts, "land.frozen")
}

pub(crate) fn thaw(tx: &mut Tx<'_>, deps: &Deps, caller: &Caller, lot: CellId) -> Result<Done, Refusal> {
    let mut facts = land::thaw(tx, lot)?.ok_or(Refusal::NotOwned)?;
    check_over(tx, caller, facts.owner_id)?;
    if facts.frozen_at_us.is_none() {
        return Err(Refusal::Already { state: "thawed" });
    }
    facts.frozen_at_us = None;
    told(tx, deps, &facts, "land.thawed")
}

/// For those near, because it changes what they see, and for those who act for the owner, because it concerns them.
fn told(tx: &mut Tx<'_>, deps: &Deps, facts: &ParcelFacts, kind: &'static str) -> Result<Done, Refusal> {
    let token = facts.anchor.token();
    let data =
        json!({"parcel": token, "owner_id": facts.owner_id, "is_frozen": facts.frozen_at_us.is_some()});
    let details = json!({"owner_id": facts.owner_id});
    let mut done = Done::new(&LandActView::of(facts), kind, ("land", token), details);
    done.news = vec![
        NewEvent { kind, audience: Audience::Near(facts.anchor), data: data.clone() },
        NewEvent { kind, audience: Audience::Accounts(deps.told(tx, facts.owner_id)?), data },
    ];
    (done.about, done.land) = (account(tx, facts.owner_id)?, Some(facts.anchor));
    Ok(done)
}

/// The account with this id; none for a group.
fn account(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Uuid>, store::Error> {
    Ok(identity::standing(tx, id)?.map(|_| id))
}

pub(crate) fn restore(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: &Caller,
    (lot, title_number): (CellId, i64),
    client_id: &str,
    now_us: i64,
) -> Result<Done, Refusal> {
    let restored =
        land::restore(tx, lot, title_number, client_id.to_owned(), now_us).map_err(Refusal::Restore)?;
    let land::Restored { mut facts, to_id, posting_id, ended_gift } = restored;
    check_over(tx, caller, facts.owner_id)?;
    // Nobody gives land to themselves, or to somebody whom they may not act on.
    if to_id == caller.account_id {
        return Err(Refusal::Oneself);
    }
    check_over(tx, caller, to_id)?;
    let to_name = deps.name_of(tx, to_id)?.ok_or(Refusal::NoSuchPerson)?;
    let erased = |it: identity::Standing| it.state == identity::AccountState::Erased;
    if identity::standing(tx, to_id)?.is_some_and(erased) {
        return Err(Refusal::Erased);
    }
    let from_id = std::mem::replace(&mut facts.owner_id, to_id);
    let token = facts.anchor.token();
    let details =
        json!({"from_id": from_id, "to_id": to_id, "title_number": title_number, "posting_id": posting_id});
    let view = LandActView { posting_id: Some(posting_id), ..LandActView::of(&facts) };
    let mut done = Done::new(&view, "land.restored", ("land", token.clone()), details);
    let mut told: BTreeSet<Uuid> = deps.told(tx, from_id)?.into_iter().collect();
    told.extend(deps.told(tx, to_id)?);
    let data = json!({
        "parcel": token,
        "owner_id": to_id,
        "owner_name": to_name,
        "from_id": from_id,
        "cell_count": facts.cells,
        "kind": "restore",
        "price_minor": 0,
        "currency": "coin",
    });
    done.news = vec![
        near("land.ownership_changed", facts.anchor, data.clone()),
        NewEvent { kind: "land.restored", audience: accounts(told), data },
    ];
    if let Some((gift_id, receiver_id)) = ended_gift {
        let mut told: BTreeSet<Uuid> = deps.told(tx, from_id)?.into_iter().collect();
        told.extend(deps.told(tx, receiver_id)?);
        let data = json!({
            "gift_id": gift_id,
            "parcel": token,
            "from_id": from_id,
            "to_id": receiver_id,
            "state": "cancelled",
        });
        done.news.push(NewEvent { kind: "land.gift_ended", audience: accounts(told), data });
    }
    (done.about, done.land) = (account(tx, to_id)?, Some(facts.anchor));
    Ok(done)
}

fn near(kind: &'static str, cell: CellId, data: Value) -> NewEvent {
    NewEvent { kind, audience: Audience::Near(cell), data }
}

fn accounts(told: BTreeSet<Uuid>) -> Audience {
    Audience::Accounts(told.into_iter().collect())
}

/// A sale or an offer that staff have ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "sale_id": "019aa5c3-1f00-7000-8000-000000000001",
    "kind": "english",
    "parcel": "4be64c3c",
    "freed_holds": 3
}))]
pub(crate) struct CancelledView {
    /// The listing, auction or offer.
    pub(crate) sale_id: Uuid,
    /// `fixed`, `english`, `dutch`, `sealed` or `offer`.
    pub(crate) kind: String,
    /// The token of the land.
    pub(crate) parcel: String,
    /// How many holds of money were freed.
    pub(crate) freed_holds: usize,
}

pub(crate) fn cancel(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: &Caller,
    sale_id: Uuid,
    now_us: i64,
) -> Result<Done, Refusal> {
    let ended = deps.market.end_for_staff(tx, sale_id, now_us).map_err(Refusal::Market)?;
    check_over(tx, caller, ended.owner_id)?;
    let view = CancelledView {
        sale_id,
        kind: ended.kind.to_owned(),
        parcel: ended.parcel.token(),
        freed_holds: ended.freed,
    };
    let subject_kind = match ended.kind {
        "fixed" => "listing",
        "offer" => "offer",
        _ => "auction",
    };
    let details = json!({"parcel": view.parcel, "owner_id": ended.owner_id, "freed_holds": ended.freed});
    let mut done = Done::new(&view, "market.cancelled", (subject_kind, sale_id.to_string()), details);
    (done.about, done.land) = (account(tx, ended.owner_id)?, Some(ended.parcel));
    Ok(done)
}
