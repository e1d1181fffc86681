//! Land as clients see it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::TitleKind;
use crate::access::FenceRule;

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

/// A parcel: one lot or several that have one owner and one deed. A lot of nobody is shown alike, as one of one lot.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "token": "4be64c3c",
    "status": "taken",
    "owner": {"account_id": "019aa5c3-1f00-7000-8000-000000000001", "kind": "account", "display_name": "Ann"},
    "name": "Ann's garden",
    "description": "Apples and bees.",
    "area_m2": 2460.91,
    "price_minor": 24_610,
    "center": {"lat_deg": 40.7, "lng_deg": -74.0},
    "cell_count": 2,
    "cells": ["4be64c3c", "4be64c44"],
    "biome": "grassland",
    "front": ["river"],
    "fence": "everyone",
    "is_leased": false,
    "is_frozen": false,
    "claimed_at": "2026-11-21T09:00:00Z"
}))]
pub struct LotView {
    /// The parcel's name for ever: the S2 token of one of its lots.
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
    /// What its owner says of it; lines are separated by line feeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// True area at sea level, to the hundredth.
    pub area_m2: f64,
    /// What a claim costs, in smallest units of the planet's money.
    pub price_minor: i64,
    /// Its middle.
    pub center: PlaceView,
    /// How many lots it has.
    pub cell_count: u32,
    /// The tokens of its lots, ascending.
    pub cells: Vec<String>,
    /// What grows at its middle, as in the biome legend of the maps. Absent for land of nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub biome: Option<String>,
    /// The water it looks out on: `river`, `coast`, `lake`. Empty for land of nobody.
    #[serde(default)]
    pub front: Vec<String>,
    /// What is about to happen to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketView>,
    /// Whom it lets in.
    #[serde(default)]
    pub fence: FenceRule,
    /// Whether a tenant has it.
    #[serde(default)]
    pub is_leased: bool,
    /// Whether staff have frozen it: until it is thawed it can be neither traded, given, let nor changed.
    #[serde(default)]
    pub is_frozen: bool,
    /// Since when its first owner had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub claimed_at: Option<jiff::Timestamp>,
}

/// The owner of a parcel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OwnerView {
    /// Whose account, or which group.
    pub account_id: Uuid,
    /// Which of the two.
    #[serde(default)]
    pub kind: OwnerKind,
    /// What they are called now.
    pub display_name: String,
}

/// Who can own land.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    /// One account.
    #[default]
    Account,
    /// A group of accounts.
    Group,
}

/// What is about to happen to a parcel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MarketView {
    /// `listing`, `auction`, `lease_offer` or `gift`.
    pub kind: String,
    /// Which one.
    pub id: Uuid,
    /// The price, or the highest bid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_minor: Option<i64>,
    /// In which money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<jiff::Timestamp>,
}

/// A place on the planet.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PlaceView {
    /// Latitude in degrees, −90 to 90.
    pub lat_deg: f64,
    /// Longitude in degrees, −180 to 180.
    pub lng_deg: f64,
}

/// A parcel that was split.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SplitView {
    /// The part with the old token, name and description.
    pub kept: LotView,
    /// The part that is a parcel of its own now.
    pub split_off: LotView,
}

/// Land that was given up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AbandonedView {
    /// The parcel that is no more.
    pub token: String,
    /// The tokens of its lots, which are free now.
    pub cells: Vec<String>,
}

/// A change of ownership.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TitleView {
    /// Counts from 1 for each token.
    pub number: i64,
    /// Why.
    pub kind: TitleKind,
    /// Whose it was from then on; absent once nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerView>,
    /// Whose it was until then; absent if nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<OwnerView>,
    /// What was paid, in smallest units.
    pub price_minor: i64,
    /// In which money.
    pub currency: String,
    /// The posting that moved deed and money.
    pub posting_id: Uuid,
    /// The token of the parcel that it was merged with or split from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_parcel: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub since: jiff::Timestamp,
}

/// A lot that may be claimed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FreeLotView {
    /// Its token.
    pub token: String,
    /// From the place asked for to its middle, along a straight line at sea level.
    pub distance_m: f64,
    /// True area at sea level, to the hundredth.
    pub area_m2: f64,
    /// What a claim costs, in smallest units of the planet's money.
    pub price_minor: i64,
    /// Its middle.
    pub center: PlaceView,
}

/// Free lots, the nearest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FreeLotsView {
    /// As many as were asked for, or as there are near.
    pub items: Vec<FreeLotView>,
}

/// A parcel offered as a gift.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct GiftView {
    /// Its id.
    pub gift_id: Uuid,
    /// The token of the parcel.
    pub parcel: String,
    /// What the parcel is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who gives.
    pub from: OwnerView,
    /// Who may accept.
    pub to: OwnerView,
    /// What has become of it.
    pub state: GiftState,
    /// When it was offered.
    #[schema(value_type = String, format = DateTime)]
    pub offered_at: jiff::Timestamp,
    /// Until when it may be accepted.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: jiff::Timestamp,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<jiff::Timestamp>,
}

/// What has become of a gift: `offered` becomes one of the others, once and for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GiftState {
    /// It may be accepted.
    Offered,
    /// The receiver has it.
    Accepted,
    /// The receiver did not want it.
    Declined,
    /// The giver took it back.
    Cancelled,
    /// It was not decided in time.
    Expired,
}
