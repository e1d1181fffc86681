//! Sales at a fixed price: putting up, another price, taking back, and the end of their time.

use api::Caller;
use cell::CellId;
use land::{EncumbranceKind, Shown};
use serde_json::json;
use store::Tx;
use uuid::Uuid;

use crate::deps::Deps;
use crate::news::{self, News};
use crate::on_record;
use crate::party::Party;
use crate::refusal::{Refusal, Subject};
use crate::rules::is_open_at;
use crate::rules::state::{SaleEvent, SaleKind, SaleState};
use crate::sales::{self, Sale, SoldLand};
use crate::service::Done;
use crate::show::Viewer;

/// A listing that is asked for. Amounts are checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NewListing {
    pub(crate) parcel: CellId,
    pub(crate) currency: String,
    pub(crate) price_minor: i64,
    pub(crate) duration_us: i64,
}

/// Land about to be put up: whose it is, taken.
pub(crate) struct Putting {
    pub(crate) sale_id: Uuid,
    pub(crate) seller: Party,
    pub(crate) land: SoldLand,
}

/// Takes the parcel for a listing or an auction, if the caller may decide for its owner and nothing else binds it.
pub(crate) fn put_up(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: Caller,
    parcel: CellId,
    kind: EncumbranceKind,
) -> Result<Putting, Refusal> {
    let facts = land::take(tx, parcel)?.ok_or(Refusal::NotOwned)?;
    let seller = deps.party_of(tx, facts.owner_id)?;
    if !deps.acting.is_allowed(tx, seller, caller.account_id)? {
        return Err(Refusal::NotOwner);
    }
    if facts.frozen_at_us.is_some() {
        return Err(Refusal::Frozen);
    }
    let sale_id = Uuid::now_v7();
    if !land::encumber(tx, facts.anchor, kind, sale_id)? {
        let bound = land::encumbrance(tx, facts.anchor)?.map_or("", |it| it.kind.code());
        return Err(Refusal::Encumbered { kind: bound });
    }
    Ok(Putting { sale_id, seller, land: SoldLand::from(&facts) })
}

/// What maps say of a sale.
pub(crate) fn show(tx: &mut Tx<'_>, sale: &Sale) -> Result<(), store::Error> {
    let shown = Shown {
        price_minor: Some(sale.price_minor),
        currency: Some(sale.currency.clone()),
        ends_at_us: Some(sale.ends_at_us),
    };
    land::show(tx, sale.land.parcel, sale.id, &shown).map(drop)
}

pub(crate) fn open(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: Caller,
    asked: &NewListing,
) -> Result<Done, Refusal> {
    deps.terms.asset(&asked.currency)?;
    let Putting { sale_id, seller, land } = put_up(tx, deps, caller, asked.parcel, EncumbranceKind::Listing)?;
    let now_us = deps.clock.now_us();
    let sale = Sale {
        id: sale_id,
        kind: SaleKind::Fixed,
        state: SaleState::Open,
        land,
        seller,
        currency: asked.currency.clone(),
        price_minor: asked.price_minor,
        opened_at_us: now_us,
        ends_at_us: now_us.saturating_add(asked.duration_us),
        closed_at_us: None,
        buyer_id: None,
    };
    sales::add(tx, &sale, caller.account_id, None)?;
    show(tx, &sale)?;
    on_record::price_changed(tx, caller.account_id, &sale, None, now_us)?;
    let mut news = News::default();
    news.near("market.listed", &sale.land, news::of_sale(&sale));
    news.to("market.watched_listed", news::watchers(tx, &sale.land)?, news::of_sale(&sale));
    news.record(tx, now_us)?;
    Ok(Done::created(&Viewer::new(deps, caller.account_id, now_us).sale(tx, &sale)?))
}

/// The open listing, taken, for those who may decide for its seller.
fn take_own(tx: &mut Tx<'_>, deps: &Deps, caller: Caller, listing_id: Uuid) -> Result<(Sale, i64), Refusal> {
    let sale = sales::take(tx, listing_id)?.filter(|it| it.kind == SaleKind::Fixed);
    let sale = sale.ok_or(Refusal::NotFound { what: Subject::Listing })?;
    if !deps.acting.is_allowed(tx, sale.seller, caller.account_id)? {
        return Err(Refusal::NotOwner);
    }
    let now_us = deps.clock.now_us();
    check_open(&sale, now_us)?;
    Ok((sale, now_us))
}

/// A listing whose time is up is over, also before the worker has come by.
pub(crate) fn check_open(sale: &Sale, now_us: i64) -> Result<(), Refusal> {
    match sale.state {
        SaleState::Open if is_open_at(sale.ends_at_us, now_us) => Ok(()),
        SaleState::Open => Err(Refusal::NotOpen { state: SaleState::Expired }),
        state => Err(Refusal::NotOpen { state }),
    }
}

pub(crate) fn change(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: Caller,
    listing_id: Uuid,
    price_minor: i64,
) -> Result<Done, Refusal> {
    let (mut sale, now_us) = take_own(tx, deps, caller, listing_id)?;
    let before_minor = sale.price_minor;
    sale.price_minor = price_minor;
    sales::change(tx, listing_id, price_minor, sale.ends_at_us)?;
    show(tx, &sale)?;
    if before_minor != price_minor {
        on_record::price_changed(tx, caller.account_id, &sale, Some(before_minor), now_us)?;
        let mut news = News::default();
        let mut data = news::of_sale(&sale);
        data["price_before_minor"] = json!(before_minor);
        news.near("market.price_changed", &sale.land, data);
        news.record(tx, now_us)?;
    }
    Ok(Done::changed(&Viewer::new(deps, caller.account_id, now_us).sale(tx, &sale)?))
}

pub(crate) fn cancel(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: Caller,
    listing_id: Uuid,
) -> Result<Done, Refusal> {
    let (mut sale, now_us) = take_own(tx, deps, caller, listing_id)?;
    let mut news = News::default();
    end(tx, &mut news, &mut sale, SaleEvent::Cancel { has_bids: false }, now_us)?;
    news.record(tx, now_us)?;
    Ok(Done::changed(&Viewer::new(deps, caller.account_id, now_us).sale(tx, &sale)?))
}

/// Ends an open listing, taken, without a buyer: the land is free again.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    news: &mut News,
    sale: &mut Sale,
    event: SaleEvent,
    now_us: i64,
) -> Result<(), Refusal> {
    let Some(state) = sale.state.after(sale.kind, event) else {
        return Err(Refusal::NotOpen { state: sale.state });
    };
    if !sales::close(tx, sale.id, state, now_us)? {
        return Err(Refusal::NotOpen { state: sale.state });
    }
    land::release(tx, sale.land.parcel, sale.id)?;
    sale.state = state;
    sale.closed_at_us = Some(now_us);
    let mut data = news::of_sale(sale);
    data["state"] = json!(state.code());
    news.near("market.listing_cancelled", &sale.land, data);
    Ok(())
}

/// Ends a listing whose time is up; `false` if there is nothing to do any more.
pub(crate) fn expire(tx: &mut Tx<'_>, deps: &Deps, listing_id: Uuid) -> Result<bool, Refusal> {
    let Some(mut sale) = sales::take(tx, listing_id)? else { return Ok(false) };
    let now_us = deps.clock.now_us();
    if sale.state != SaleState::Open || is_open_at(sale.ends_at_us, now_us) {
        return Ok(false);
    }
    let mut news = News::default();
    end(tx, &mut news, &mut sale, SaleEvent::Expire, now_us)?;
    let told = deps.acting.told(tx, sale.seller)?;
    news.to("market.listing_expired", told, news::of_sale(&sale));
    news.record(tx, now_us)?;
    Ok(true)
}
