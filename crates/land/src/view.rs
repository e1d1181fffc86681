//! A lot as clients see it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Whether a lot can be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LotStatus {
    /// It belongs to nobody and may be claimed.
    Free,
    /// It has an owner.
    Taken,
    /// It can belong to nobody; `reason` says why.
    Unclaimable,
}

/// One lot.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "token": "4be64c3c",
    "status": "taken",
    "owner": {"account_id": "019aa5c3-1f00-7000-8000-000000000001", "display_name": "Ann"},
    "name": "Ann's garden",
    "area_m2": 1230.52,
    "price_minor": 12306,
    "center": {"lat_deg": 40.7, "lng_deg": -74.0},
    "claimed_at": "2026-11-21T09:00:00Z"
}))]
pub struct LotView {
    /// The S2 token of the lot's cell.
    pub token: String,
    /// Whether it can be had.
    pub status: LotStatus,
    /// Why it can belong to nobody: `under_water`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerView>,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// True area at sea level, to the hundredth.
    pub area_m2: f64,
    /// What a claim costs, in smallest units of the planet's money.
    pub price_minor: i64,
    /// Its centre.
    pub center: PlaceView,
    /// Since when its first owner had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub claimed_at: Option<jiff::Timestamp>,
}

/// The owner of a lot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OwnerView {
    /// Whose account.
    pub account_id: Uuid,
    /// What they are called now.
    pub display_name: String,
}

/// A place on the planet.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PlaceView {
    /// Latitude in degrees, −90 to 90.
    pub lat_deg: f64,
    /// Longitude in degrees, −180 to 180.
    pub lng_deg: f64,
}
