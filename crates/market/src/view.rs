//! Sales and offers as clients see them. Secrets have no field here: no reserve, no maximum but the caller's own.

use cell::{CellId, LatLng};
use land::{OwnerView, PlaceView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::sales::SoldLand;

/// Lots that a view lists; who needs more asks for the parcel.
pub(crate) const CELLS_SHOWN_MAX: usize = 64;

/// The land of a sale.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "token": "4be64c3c", "name": "Ann's garden", "area_m2": 2460.91, "cell_count": 2,
    "cells": ["4be64c3c", "4be64c44"], "center": {"lat_deg": 40.7, "lng_deg": -74.0},
    "biome": "grassland", "front": ["river"]
}))]
pub struct SaleParcelView {
    /// The parcel's name for ever: the S2 token of one of its lots.
    pub token: String,
    /// What its owner calls it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// True area at sea level, to the hundredth.
    pub area_m2: f64,
    /// How many lots it has.
    pub cell_count: u32,
    /// The tokens of its lots, the first 64. Empty once the parcel is merged into another or split.
    pub cells: Vec<String>,
    /// Its middle.
    pub center: PlaceView,
    /// What grows at its middle.
    pub biome: String,
    /// The water it looks out on: `river`, `coast`, `lake`.
    pub front: Vec<String>,
}

impl SaleParcelView {
    pub(crate) fn new(land: &SoldLand, name: Option<String>, cells: &[CellId]) -> Self {
        let center = LatLng::from_point(land.center.center());
        let mut cells: Vec<CellId> = cells.to_vec();
        cells.sort_unstable();
        cells.truncate(CELLS_SHOWN_MAX);
        Self {
            token: land.parcel.token(),
            name,
            area_m2: (land.area_m2 * 100.0).round() / 100.0,
            cell_count: land.cell_count,
            cells: cells.into_iter().map(CellId::token).collect(),
            center: PlaceView { lat_deg: center.lat_deg(), lng_deg: center.lng_deg() },
            biome: land.biome.clone(),
            front: land.front.names().into_iter().map(str::to_owned).collect(),
        }
    }
}

/// A listing or an auction.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "019aa5c3-1f00-7000-8000-000000000007", "kind": "english", "state": "open",
    "parcel": {"token": "4be64c3c", "area_m2": 1230.52, "cell_count": 1, "cells": ["4be64c3c"],
        "center": {"lat_deg": 40.7, "lng_deg": -74.0}, "biome": "grassland", "front": ["river"]},
    "seller": {"account_id": "019aa5c3-1f00-7000-8000-000000000001", "kind": "account", "display_name": "Ann"},
    "currency": "coin", "price_minor": 12500, "minor_per_m2": 10.16, "is_yours": false,
    "created_at": "2026-11-21T09:00:00Z", "ends_at": "2026-11-24T09:00:00Z",
    "start_minor": 10000, "minimum_bid_minor": 12750, "bid_count": 3, "extension_count": 0, "soft_close_s": 120,
    "is_reserve_met": true, "is_leading": true, "your_max_minor": 20000,
    "server_time": "2026-11-21T10:00:00Z"
}))]
pub struct SaleView {
    /// Its id: of a listing for `fixed`, else of an auction.
    pub id: Uuid,
    /// `fixed`, `english`, `dutch` or `sealed`.
    pub kind: String,
    /// `open`, then one of `sold`, `unsold`, `cancelled`, `expired`; those are final.
    pub state: String,
    /// The land.
    pub parcel: SaleParcelView,
    /// Who sells.
    pub seller: OwnerView,
    /// In which money.
    pub currency: String,
    /// What it costs now; once sold, what was paid. The buyer pays exactly this. Of a sealed auction it is the
    /// starting price until the end.
    pub price_minor: i64,
    /// The same for a square metre.
    pub minor_per_m2: f64,
    /// Whether you may decide for the seller.
    pub is_yours: bool,
    /// When it was put up.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: jiff::Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: jiff::Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<jiff::Timestamp>,
    /// Who bought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<OwnerView>,
    /// Auctions: the price at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_minor: Option<i64>,
    /// English and sealed: the least that the next bid must be; for you, if you have bid already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_bid_minor: Option<i64>,
    /// How many bids were taken. Of a sealed auction it is not told before the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_count: Option<i64>,
    /// English: how often the end was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_count: Option<u32>,
    /// English: a bid in the last so many seconds moves the end to so long after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_close_s: Option<i64>,
    /// English: bids do not move the end beyond this, if there is such a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub latest_end_at: Option<jiff::Timestamp>,
    /// English: whether the reserve is met; absent without a reserve. Of a sealed auction it is not told before the
    /// end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_reserve_met: Option<bool>,
    /// English: whether you lead, if you have bid; once it is over, whether you won.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_leading: Option<bool>,
    /// How far you have bid. Nobody else is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub your_max_minor: Option<i64>,
    /// Dutch: the price falls no lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_minor: Option<i64>,
    /// Dutch: by how much the price falls at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_minor: Option<i64>,
    /// Dutch: how long each price stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_s: Option<i64>,
    /// Dutch: when the price falls next; absent at the floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub falls_at: Option<jiff::Timestamp>,
    /// What the server's clock said.
    #[schema(value_type = String, format = DateTime)]
    pub server_time: jiff::Timestamp,
}

/// A bid, as far as you may know it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "bid_number": 3, "bidder": "Bidder 2", "is_yours": false, "price_minor": 12500, "at": "2026-11-21T09:30:00Z"
}))]
pub struct BidView {
    /// Its place in the order in which bids were taken, from 1.
    pub bid_number: i64,
    /// A name that is the same for all bids of one bidder in this auction.
    pub bidder: String,
    /// Whether it is yours, or your group's if you may act for it.
    pub is_yours: bool,
    /// The price that everybody saw after it. Of a sealed auction: what was bid, told after the end.
    pub price_minor: i64,
    /// Your maximum. Those of others are not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_minor: Option<i64>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
}

/// Land that was bought.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "sale_id": "019aa5c3-1f00-7000-8000-000000000007", "parcel": "4be64c3c",
    "buyer_id": "019aa5c3-1f00-7000-8000-000000000002", "seller_id": "019aa5c3-1f00-7000-8000-000000000001",
    "currency": "coin", "price_minor": 12500, "posting_id": "019aa5c3-1f00-7000-8000-000000000009",
    "at": "2026-11-21T09:30:00Z"
}))]
pub struct PurchaseView {
    /// The listing, auction or offer.
    pub sale_id: Uuid,
    /// The parcel's token.
    pub parcel: String,
    /// Whose it is now: your account, or the group you bought for.
    pub buyer_id: Uuid,
    /// Whose it was.
    pub seller_id: Uuid,
    /// In which money.
    pub currency: String,
    /// What was paid.
    pub price_minor: i64,
    /// The posting that moved money and deed.
    pub posting_id: Uuid,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
}

/// An offer for land.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "offer_id": "019aa5c3-1f00-7000-8000-000000000008", "state": "open", "token": "4be64c3c",
    "owner": {"account_id": "019aa5c3-1f00-7000-8000-000000000001", "kind": "account", "display_name": "Ann"},
    "buyer": {"account_id": "019aa5c3-1f00-7000-8000-000000000002", "kind": "account", "display_name": "Bob"},
    "currency": "coin", "price_minor": 9000, "message": "For the apples.",
    "created_at": "2026-11-21T09:00:00Z", "expires_at": "2026-11-28T09:00:00Z",
    "server_time": "2026-11-21T10:00:00Z"
}))]
pub struct OfferView {
    /// Its id.
    pub offer_id: Uuid,
    /// `open`, then one of `accepted`, `declined`, `withdrawn`, `expired`, `lapsed`; those are final.
    pub state: String,
    /// The parcel's token.
    pub token: String,
    /// The land as it is now; absent if the parcel is no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcel: Option<SaleParcelView>,
    /// Whose it was when the offer was made.
    pub owner: OwnerView,
    /// Who wants it.
    pub buyer: OwnerView,
    /// In which money.
    pub currency: String,
    /// What is offered; it is held.
    pub price_minor: i64,
    /// What the buyer says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: jiff::Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: jiff::Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<jiff::Timestamp>,
    /// What the server's clock said.
    #[schema(value_type = String, format = DateTime)]
    pub server_time: jiff::Timestamp,
}
