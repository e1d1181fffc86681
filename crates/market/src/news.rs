//! What is told of sales, in the transaction in which it happens.
//!
//! What everybody may know is told near the land; what concerns somebody alone is told to them. No reserve, no
//! maximum, no sealed bid is ever in an event for others. Of a sale at a fixed price there are two events and not
//! more: it is what happens most.

use std::collections::BTreeSet;

use events::{Audience, NewEvent};
use serde_json::{Value, json};
use store::Tx;
use uuid::Uuid;

use crate::deps::Deps;
use crate::offers::Offer;
use crate::party::Party;
use crate::rules::state::SaleKind;
use crate::sales::{Sale, SoldLand};
use crate::watches;

/// Watchers that are told of one event; the earliest come first.
pub(crate) const WATCHERS_TOLD_MAX: u32 = 150;

/// Events of a transaction, collected to be recorded at its end.
#[derive(Default)]
pub(crate) struct News {
    events: Vec<NewEvent>,
}

/// Money that is held or released.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeldMoney<'a> {
    pub(crate) hold_id: Uuid,
    pub(crate) currency: &'a str,
    pub(crate) amount_minor: i64,
    /// The auction or offer it is for, by the name of its member: `auction_id`, `offer_id`.
    pub(crate) reason: (&'static str, Uuid),
}

impl News {
    /// Writes all of it.
    pub(crate) fn record(self, tx: &mut Tx<'_>, now_us: i64) -> Result<(), store::Error> {
        events::record(tx, &self.events, now_us)
    }

    /// For everybody, and at once for those near.
    pub(crate) fn near(&mut self, kind: &'static str, land: &SoldLand, data: Value) {
        self.events.push(NewEvent { kind, audience: Audience::Near(land.parcel), data });
    }

    /// For some accounts alone; of nobody nothing is written.
    pub(crate) fn to(&mut self, kind: &'static str, accounts: impl IntoIterator<Item = Uuid>, data: Value) {
        let accounts: BTreeSet<Uuid> = accounts.into_iter().collect();
        if !accounts.is_empty() {
            let audience = Audience::Accounts(accounts.into_iter().collect());
            self.events.push(NewEvent { kind, audience, data });
        }
    }

    /// For those who may act for a party.
    pub(crate) fn tell_party(
        &mut self,
        tx: &mut Tx<'_>,
        deps: &Deps,
        kind: &'static str,
        party: Party,
        data: Value,
    ) -> Result<(), store::Error> {
        let accounts = deps.acting.told(tx, party)?;
        self.to(kind, accounts, data);
        Ok(())
    }

    /// That money is held (`wallet.held`) or free again (`wallet.released`).
    pub(crate) fn held_money(
        &mut self,
        tx: &mut Tx<'_>,
        deps: &Deps,
        kind: &'static str,
        party: Party,
        money: HeldMoney<'_>,
    ) -> Result<(), store::Error> {
        let HeldMoney { hold_id, currency, amount_minor, reason: (member, id) } = money;
        let mut data = json!({ "hold_id": hold_id, "currency": currency, "amount_minor": amount_minor });
        data[member] = json!(id);
        self.tell_party(tx, deps, kind, party, data)
    }

    /// That land has another owner.
    pub(crate) fn ownership_changed(&mut self, sale: &Sale, owner: Party, owner_name: &str, paid_minor: i64) {
        let data = json!({
            "parcel": sale.land.parcel.token(),
            "owner_id": owner.owner_id,
            "owner_name": owner_name,
            "from_id": sale.seller.owner_id,
            "cell_count": sale.land.cell_count,
            "price_minor": paid_minor,
            "currency": sale.currency,
            id_member(sale.kind): sale.id,
        });
        self.near("land.ownership_changed", &sale.land, data);
    }
}

/// What an event's data calls the id of a sale.
pub(crate) const fn id_member(kind: SaleKind) -> &'static str {
    match kind {
        SaleKind::Fixed => "listing_id",
        SaleKind::English | SaleKind::Dutch | SaleKind::Sealed => "auction_id",
        SaleKind::Offer => "offer_id",
    }
}

/// What everybody may know of a sale. Of a sealed auction the price is its starting price until it is over.
pub(crate) fn of_sale(sale: &Sale) -> Value {
    json!({
        id_member(sale.kind): sale.id,
        "kind": sale.kind.code(),
        "parcel": sale.land.parcel.token(),
        "seller_id": sale.seller.owner_id,
        "currency": sale.currency,
        "price_minor": sale.price_minor,
        "ends_at": api::timestamp(sale.ends_at_us),
    })
}

/// What owner and buyer know of an offer.
pub(crate) fn of_offer(offer: &Offer) -> Value {
    json!({
        "offer_id": offer.id,
        "parcel": offer.parcel.token(),
        "owner_id": offer.owner_id,
        "buyer_id": offer.buyer.owner_id,
        "currency": offer.currency,
        "price_minor": offer.price_minor,
        "state": offer.state.code(),
    })
}

/// That a sale has a buyer: for buyer, seller and watchers.
pub(crate) fn of_sold(sale: &Sale, buyer: Party, paid_minor: i64, received_minor: i64) -> Value {
    let mut data = of_sale(sale);
    data["price_minor"] = json!(paid_minor);
    data["buyer_id"] = json!(buyer.owner_id);
    data["received_minor"] = json!(received_minor);
    data
}

/// Who watches a parcel and is told.
pub(crate) fn watchers(tx: &mut Tx<'_>, land: &SoldLand) -> Result<Vec<Uuid>, store::Error> {
    watches::watchers(tx, land.parcel, WATCHERS_TOLD_MAX)
}
