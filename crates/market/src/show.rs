//! From rows to views, in one transaction.

use std::collections::HashMap;

use api::timestamp;
use cell::CellId;
use land::{OwnerKind, OwnerView, ParcelFacts};
use store::Tx;
use uuid::Uuid;

use crate::auctions::{self, Auction, Bidder};
use crate::deps::Deps;
use crate::offers::Offer;
use crate::party::Party;
use crate::refusal::Refusal;
use crate::rules::state::{SaleKind, SaleState};
use crate::sales::{Sale, SoldLand};
use crate::view::{OfferView, SaleParcelView, SaleView};

/// Who looks, and what was asked before while a list is shown.
pub(crate) struct Viewer<'a> {
    deps: &'a Deps,
    account_id: Uuid,
    now_us: i64,
    names: HashMap<Uuid, OwnerView>,
    acts_for: HashMap<Uuid, bool>,
    /// Parcels that were asked for together; `None` for those that are no more.
    parcels: HashMap<CellId, Option<(ParcelFacts, Vec<CellId>)>>,
}

impl<'a> Viewer<'a> {
    pub(crate) fn new(deps: &'a Deps, account_id: Uuid, now_us: i64) -> Self {
        let (names, acts_for, parcels) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { deps, account_id, now_us, names, acts_for, parcels }
    }

    fn owner(&mut self, tx: &mut Tx<'_>, party: Party) -> Result<OwnerView, store::Error> {
        if let Some(known) = self.names.get(&party.owner_id) {
            return Ok(known.clone());
        }
        let kind = if party.is_group { OwnerKind::Group } else { OwnerKind::Account };
        let display_name = self.deps.name_of(tx, party)?;
        let view = OwnerView { account_id: party.owner_id, kind, display_name };
        self.names.insert(party.owner_id, view.clone());
        Ok(view)
    }

    fn owner_by_id(&mut self, tx: &mut Tx<'_>, owner_id: Uuid) -> Result<OwnerView, store::Error> {
        if let Some(known) = self.names.get(&owner_id) {
            return Ok(known.clone());
        }
        let party = self.deps.party_of(tx, owner_id)?;
        self.owner(tx, party)
    }

    /// Whether whoever looks may act for a party.
    pub(crate) fn acts_for(&mut self, tx: &mut Tx<'_>, party: Party) -> Result<bool, store::Error> {
        if let Some(known) = self.acts_for.get(&party.owner_id) {
            return Ok(*known);
        }
        let acts = self.deps.acting.is_allowed(tx, party, self.account_id)?;
        self.acts_for.insert(party.owner_id, acts);
        Ok(acts)
    }

    /// Asks for the parcels of a list at once.
    pub(crate) fn expect(
        &mut self,
        tx: &mut Tx<'_>,
        parcels: impl IntoIterator<Item = CellId>,
    ) -> Result<(), store::Error> {
        let wanted: Vec<CellId> = parcels.into_iter().filter(|it| !self.parcels.contains_key(it)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let found = land::facts_of(tx, &wanted)?;
        self.parcels.extend(wanted.into_iter().map(|it| (it, None)));
        self.parcels.extend(found.into_iter().map(|(anchor, facts, cells)| (anchor, Some((facts, cells)))));
        Ok(())
    }

    fn facts(
        &mut self,
        tx: &mut Tx<'_>,
        parcel: CellId,
    ) -> Result<Option<&(ParcelFacts, Vec<CellId>)>, store::Error> {
        self.expect(tx, [parcel])?;
        Ok(self.parcels.get(&parcel).and_then(Option::as_ref))
    }

    /// The land of a parcel as it is now.
    pub(crate) fn parcel(
        &mut self,
        tx: &mut Tx<'_>,
        parcel: CellId,
    ) -> Result<Option<SaleParcelView>, store::Error> {
        let found = self.facts(tx, parcel)?;
        Ok(found.map(|(facts, cells)| SaleParcelView::new(&SoldLand::from(facts), facts.name.clone(), cells)))
    }

    fn sold_land(&mut self, tx: &mut Tx<'_>, land: &SoldLand) -> Result<SaleParcelView, store::Error> {
        let found = self.facts(tx, land.parcel)?.filter(|(facts, _)| facts.cells == land.cell_count);
        Ok(match found {
            Some((facts, cells)) => SaleParcelView::new(land, facts.name.clone(), cells),
            None => SaleParcelView::new(land, None, &[]),
        })
    }

    /// A sale without what is known of its bids: for lists.
    pub(crate) fn sale(&mut self, tx: &mut Tx<'_>, sale: &Sale) -> Result<SaleView, store::Error> {
        let buyer = match sale.buyer_id {
            Some(buyer_id) => Some(self.owner_by_id(tx, buyer_id)?),
            None => None,
        };
        Ok(SaleView {
            id: sale.id,
            kind: sale.kind.code().to_owned(),
            state: sale.state.code().to_owned(),
            parcel: self.sold_land(tx, &sale.land)?,
            seller: self.owner(tx, sale.seller)?,
            currency: sale.currency.clone(),
            price_minor: sale.price_minor,
            minor_per_m2: hundredths(sale.price_minor as f64 / sale.land.area_m2),
            is_yours: self.acts_for(tx, sale.seller)?,
            created_at: timestamp(sale.opened_at_us),
            ends_at: timestamp(sale.ends_at_us),
            closed_at: sale.closed_at_us.map(timestamp),
            buyer,
            start_minor: None,
            minimum_bid_minor: None,
            bid_count: None,
            extension_count: None,
            soft_close_s: None,
            latest_end_at: None,
            is_reserve_met: None,
            is_leading: None,
            your_max_minor: None,
            floor_minor: None,
            step_minor: None,
            step_s: None,
            falls_at: None,
            server_time: timestamp(self.now_us),
        })
    }

    /// A sale with all that whoever looks may know of it; as `bidder` if they have bid for a group.
    pub(crate) fn whole_sale(
        &mut self,
        tx: &mut Tx<'_>,
        sale: &Sale,
        bidder_id: Uuid,
    ) -> Result<SaleView, Refusal> {
        if !sale.kind.is_auction() {
            return Ok(self.sale(tx, sale)?);
        }
        let auction = auctions::find(tx, sale.id)?;
        let bidder = auctions::find_bidder(tx, sale.id, bidder_id)?;
        self.auction(tx, sale, &auction, bidder.as_ref())
    }

    /// An auction as its bidder sees it, or as everybody.
    pub(crate) fn auction(
        &mut self,
        tx: &mut Tx<'_>,
        sale: &Sale,
        auction: &Auction,
        bidder: Option<&Bidder>,
    ) -> Result<SaleView, Refusal> {
        let mut view = self.sale(tx, sale)?;
        let is_open = sale.state == SaleState::Open;
        view.start_minor = Some(auction.start_minor);
        view.your_max_minor = bidder.map(|it| it.max_minor);
        match sale.kind {
            SaleKind::English => {
                let (terms, standing) = auction.english(sale, self.deps.terms.increments(&sale.currency)?);
                let leads = bidder
                    .map(|it| standing.leader.is_some_and(|leader| leader.bidder_id == it.party.owner_id));
                view.is_leading = leads.map(|leads| leads && (is_open || sale.state == SaleState::Sold));
                if is_open {
                    view.minimum_bid_minor = Some(match bidder {
                        Some(bidder) if leads == Some(true) => bidder.max_minor.saturating_add(1),
                        _ => standing.minimum_minor(&terms),
                    });
                }
                view.bid_count = Some(auction.bid_count);
                view.extension_count = Some(auction.extension_count);
                view.soft_close_s = Some(auction.soft_close_us / 1_000_000);
                view.latest_end_at = auction.latest_end_us.map(timestamp);
                view.is_reserve_met = standing.is_reserve_met(&terms);
            }
            SaleKind::Dutch => {
                let schedule = auction.schedule(sale)?;
                if is_open {
                    view.price_minor = schedule.price_minor(self.now_us);
                    view.minor_per_m2 = hundredths(view.price_minor as f64 / sale.land.area_m2);
                    view.falls_at = schedule.falls_at_us(self.now_us).map(timestamp);
                }
                view.floor_minor = Some(schedule.floor_minor);
                view.step_minor = Some(schedule.step_minor);
                view.step_s = Some(schedule.step_us / 1_000_000);
            }
            SaleKind::Sealed => {
                if is_open {
                    view.minimum_bid_minor =
                        Some(bidder.map_or(auction.start_minor, |it| it.max_minor.saturating_add(1)));
                } else {
                    view.bid_count = Some(auction.bid_count);
                    view.is_reserve_met = auction.reserve_minor.map(|_| sale.state == SaleState::Sold);
                    view.is_leading = bidder.map(|it| Some(it.party.owner_id) == sale.buyer_id);
                }
            }
            SaleKind::Fixed | SaleKind::Offer => {}
        }
        Ok(view)
    }

    /// An offer.
    pub(crate) fn offer(&mut self, tx: &mut Tx<'_>, offer: &Offer) -> Result<OfferView, store::Error> {
        Ok(OfferView {
            offer_id: offer.id,
            state: offer.state.code().to_owned(),
            token: offer.parcel.token(),
            parcel: self.parcel(tx, offer.parcel)?,
            owner: self.owner_by_id(tx, offer.owner_id)?,
            buyer: self.owner(tx, offer.buyer)?,
            currency: offer.currency.clone(),
            price_minor: offer.price_minor,
            message: offer.message.clone(),
            created_at: timestamp(offer.made_at_us),
            expires_at: timestamp(offer.expires_at_us),
            decided_at: offer.decided_at_us.map(timestamp),
            server_time: timestamp(self.now_us),
        })
    }
}

pub(crate) fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
