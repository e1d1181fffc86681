//! Prices on record: what land is put up for, and every other price that somebody sets. (What the rules of an auction
//! make of its terms and its bids is in the bids, and in the sale.)

use audit::{Actor, Entry};
use serde_json::{Value, json};
use store::Tx;
use uuid::Uuid;

use crate::auctions::Auction;
use crate::sales::Sale;

/// Land is put up for a price, or for another one than `before_minor`.
pub(crate) fn price_changed(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    sale: &Sale,
    before_minor: Option<i64>,
    now_us: i64,
) -> Result<(), store::Error> {
    let details = json!({
        "parcel": sale.land.parcel.token(),
        "seller_id": sale.seller.owner_id,
        "currency": sale.currency,
        "from_minor": before_minor,
        "to_minor": sale.price_minor,
    });
    record(tx, account_id, ("listing.price_changed", "listing"), sale, details, now_us)
}

/// An auction begins. A reserve is nobody's business but the seller's, staff not excepted; that there is one is said.
pub(crate) fn auction_opened(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    sale: &Sale,
    auction: &Auction,
) -> Result<(), store::Error> {
    let fall = auction
        .fall
        .map(|it| json!({"floor_minor": it.floor_minor, "step_minor": it.step_minor, "step_us": it.step_us}));
    let details = json!({
        "parcel": sale.land.parcel.token(),
        "seller_id": sale.seller.owner_id,
        "kind": sale.kind.code(),
        "currency": sale.currency,
        "start_minor": auction.start_minor,
        "has_reserve": auction.reserve_minor.is_some(),
        "fall": fall,
        "ends_at_us": sale.ends_at_us,
        "latest_end_us": auction.latest_end_us,
    });
    record(tx, account_id, ("auction.terms_set", "auction"), sale, details, sale.opened_at_us)
}

fn record(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    (action, subject_kind): (&'static str, &'static str),
    sale: &Sale,
    details: Value,
    at_us: i64,
) -> Result<(), store::Error> {
    let entry = Entry {
        at_us,
        actor: Actor::account(account_id),
        action,
        subject_kind,
        subject_id: sale.id.to_string(),
        reason: None,
        details,
    };
    audit::record(tx, &entry).map(drop)
}
