//! What clients ask for. Every field is named: one that is not is refused, so that nobody sets what is not theirs.

use api::text::{self, NameRule};
use api::{Problem, kinds};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auctioning::NewAuction;
use crate::auctions::Fall;
use crate::deps::Deps;
use crate::listing::NewListing;
use crate::offering::NewOffer;
use crate::refusal::invalid;
use crate::rules::AMOUNT_MINOR_MAX;
use crate::rules::state::SaleKind;

const SECOND_US: i64 = 1_000_000;
const DAY_S: i64 = 86_400;
/// Offers and listings for which nothing else is asked.
const DAYS_DEFAULT: i64 = 7;
const EXTENSION_MAX_S: i64 = 7 * DAY_S;
const OFFER_MESSAGE: NameRule = NameRule { chars_min: 1, chars_max: 200 };

/// Land to be sold at a fixed price.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"parcel": "4be64c3c", "currency": "coin", "price_minor": 12500}))]
pub struct ListingRequest {
    /// The token of any of the parcel's lots.
    pub parcel: String,
    /// In which money.
    pub currency: String,
    /// The price: whole smallest units.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub price_minor: i64,
    /// For how many days, at most what the terms say; 7 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub days: Option<i64>,
}

/// Another price for a listing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"price_minor": 11000}))]
pub struct PriceRequest {
    /// The new price.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub price_minor: i64,
}

/// Consent to a price.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"price_minor": 12500}))]
pub struct PurchaseRequest {
    /// The price that was shown. Of a listing it must be the price; of a Dutch auction the most that is paid.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub price_minor: i64,
    /// Buys for a group that you may act for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_group: Option<Uuid>,
}

/// How an auction goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuctionKind {
    /// Bids rise.
    English,
    /// The price falls.
    Dutch,
    /// Secret bids; the highest pays the second.
    Sealed,
}

/// Land to be auctioned.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "parcel": "4be64c3c", "kind": "english", "currency": "coin", "start_minor": 10000, "reserve_minor": 15000,
    "duration_s": 86400
}))]
pub struct AuctionRequest {
    /// The token of any of the parcel's lots.
    pub parcel: String,
    /// How it goes.
    pub kind: AuctionKind,
    /// In which money.
    pub currency: String,
    /// The price at the beginning; English and sealed: the least bid.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub start_minor: i64,
    /// English and sealed: nothing is sold below it; at least the start. Nobody is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub reserve_minor: Option<i64>,
    /// How long, within what the terms say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub duration_s: Option<i64>,
    /// English: how far bids may move the end, at most 7 days; without it they may for ever. Published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 604_800)]
    pub extension_max_s: Option<i64>,
    /// Dutch: the price falls no lower; below the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub floor_minor: Option<i64>,
    /// Dutch: by how much it falls at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub step_minor: Option<i64>,
    /// Dutch: how long each price stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 2_592_000)]
    pub step_s: Option<i64>,
}

/// A bid.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"max_minor": 20000}))]
pub struct BidRequest {
    /// How far to bid for you; nobody is told. It is held in full.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub max_minor: i64,
    /// Bids for a group that you may act for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_group: Option<Uuid>,
}

/// An offer for land, whether it is for sale or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"parcel": "4be64c3c", "currency": "coin", "price_minor": 9000}))]
pub struct OfferRequest {
    /// The token of any of the parcel's lots.
    pub parcel: String,
    /// In which money.
    pub currency: String,
    /// What is offered; held in full.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub price_minor: i64,
    /// For how many days, at most what the terms say; 7 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub days: Option<i64>,
    /// What the owner reads: 1 to 200 characters of one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Offers for a group that you may act for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_group: Option<Uuid>,
}

/// An amount that can be paid.
pub(crate) fn amount(pointer: &str, minor: i64) -> Result<i64, Problem> {
    ranged(pointer, minor, 1, AMOUNT_MINOR_MAX)
}

fn ranged(pointer: &str, value: i64, min: i64, max: i64) -> Result<i64, Problem> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(invalid(pointer, format!("must be from {min} to {max}")))
    }
}

fn days_us(days: Option<i64>, days_max: u32) -> Result<i64, Problem> {
    let days_max = i64::from(days_max);
    let days = ranged("#/days", days.unwrap_or(DAYS_DEFAULT.min(days_max)), 1, days_max)?;
    Ok(days * DAY_S * SECOND_US)
}

impl ListingRequest {
    pub(crate) fn check(&self, deps: &Deps) -> Result<NewListing, Problem> {
        Ok(NewListing {
            price_minor: amount("#/price_minor", self.price_minor)?,
            duration_us: days_us(self.days, deps.terms.economy.market.listing_days_max)?,
            parcel: deps.parse_lot(&self.parcel)?,
            currency: self.currency.clone(),
        })
    }
}

impl OfferRequest {
    pub(crate) fn check(&self, deps: &Deps) -> Result<NewOffer, Problem> {
        let message = self.message.as_deref().map(|it| text::parse_name(it, OFFER_MESSAGE)).transpose();
        Ok(NewOffer {
            price_minor: amount("#/price_minor", self.price_minor)?,
            duration_us: days_us(self.days, deps.terms.economy.market.offer_days_max)?,
            message: message.map_err(|fault| invalid("#/message", fault.to_string()))?,
            parcel: deps.parse_lot(&self.parcel)?,
            currency: self.currency.clone(),
        })
    }
}

impl AuctionRequest {
    pub(crate) fn check(&self, deps: &Deps) -> Result<NewAuction, Problem> {
        let market = &deps.terms.economy.market;
        let start_minor = amount("#/start_minor", self.start_minor)?;
        let duration_s = self.duration_s.unwrap_or(market.auction_duration_default_s);
        let (min_s, max_s) = (market.auction_duration_min_s, market.auction_duration_max_s);
        let duration_s = ranged("#/duration_s", duration_s, min_s, max_s)?;
        let is_dutch = self.kind == AuctionKind::Dutch;
        let reserve_minor = match self.reserve_minor {
            Some(_) if is_dutch => return Err(misplaced("#/reserve_minor", "English or sealed")),
            Some(minor) => Some(ranged("#/reserve_minor", minor, start_minor, AMOUNT_MINOR_MAX)?),
            None => None,
        };
        let extension_max_s = match self.extension_max_s {
            Some(_) if self.kind != AuctionKind::English => {
                return Err(misplaced("#/extension_max_s", "English"));
            }
            Some(seconds) => Some(ranged("#/extension_max_s", seconds, 0, EXTENSION_MAX_S)?),
            None => None,
        };
        Ok(NewAuction {
            parcel: deps.parse_lot(&self.parcel)?,
            currency: self.currency.clone(),
            kind: match self.kind {
                AuctionKind::English => SaleKind::English,
                AuctionKind::Dutch => SaleKind::Dutch,
                AuctionKind::Sealed => SaleKind::Sealed,
            },
            start_minor,
            reserve_minor,
            duration_us: duration_s * SECOND_US,
            extension_max_us: extension_max_s.map(|it| it * SECOND_US),
            fall: self.fall(start_minor, duration_s)?,
        })
    }

    /// How the price of a Dutch auction falls.
    fn fall(&self, start_minor: i64, duration_s: i64) -> Result<Option<Fall>, Problem> {
        let fields = [
            ("#/floor_minor", self.floor_minor),
            ("#/step_minor", self.step_minor),
            ("#/step_s", self.step_s),
        ];
        if self.kind != AuctionKind::Dutch {
            return match fields.iter().find(|(_, value)| value.is_some()) {
                Some((pointer, _)) => Err(misplaced(pointer, "Dutch")),
                None => Ok(None),
            };
        }
        let mut missing = Problem::from(kinds::INVALID_BODY);
        for (pointer, value) in fields {
            if value.is_none() {
                missing = missing.at(pointer, "a Dutch auction needs it");
            }
        }
        let (Some(floor_minor), Some(step_minor), Some(step_s)) =
            (self.floor_minor, self.step_minor, self.step_s)
        else {
            return Err(missing);
        };
        if start_minor == 1 {
            return Err(invalid("#/start_minor", "must be above the floor, which is at least 1"));
        }
        let floor_minor = ranged("#/floor_minor", floor_minor, 1, start_minor - 1)?;
        Ok(Some(Fall {
            floor_minor,
            step_minor: ranged("#/step_minor", step_minor, 1, AMOUNT_MINOR_MAX)?,
            step_us: ranged("#/step_s", step_s, 1, duration_s)? * SECOND_US,
        }))
    }
}

fn misplaced(pointer: &str, kind: &str) -> Problem {
    invalid(pointer, format!("is for {kind} auctions alone"))
}
