//! Why a request about a sale is refused, and what the caller is told.

use api::{Problem, ProblemKind, kinds};
use axum::http::StatusCode;
use ledger::Amount;

use crate::rules::state::{OfferState, SaleState};

/// Why a request is refused. If several reasons apply, the first in this order is the one given.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such listing, auction or offer, or it is of another sort.
    #[error("there is no such {what}")]
    NotFound {
        /// `listing`, `auction`, `offer`.
        what: Subject,
    },
    /// The token names no lot.
    #[error("there is no such lot")]
    NotALot,
    /// The lot belongs to nobody.
    #[error("nobody owns this land; claim it instead")]
    NotOwned,
    /// The caller may not act for the group that is named.
    #[error("you may not act for this group")]
    MayNotAct,
    /// The land, the sale or the offer is somebody else's.
    #[error("this is not yours to decide")]
    NotOwner,
    /// There is no such money.
    #[error("this planet has no such currency")]
    UnknownCurrency,
    /// The sale is over.
    #[error("it is {} already", state.code())]
    NotOpen {
        /// What it is.
        state: SaleState,
    },
    /// The offer is over.
    #[error("the offer is {} already", state.code())]
    OfferNotOpen {
        /// What it is.
        state: OfferState,
    },
    /// The auction's time is up.
    #[error("the auction has ended")]
    Ended,
    /// Bids are for English and sealed auctions, acceptance is for Dutch ones.
    #[error("this auction is of another kind")]
    WrongKind,
    /// Nobody buys what is theirs.
    #[error("this land is your own")]
    OwnLand,
    /// The price is not the one that the caller agreed to.
    #[error("the price is {price_minor} now")]
    PriceChanged {
        /// What it is.
        price_minor: i64,
    },
    /// Staff have frozen the parcel.
    #[error("the land is frozen")]
    Frozen,
    /// Something else is promised of the parcel.
    #[error("the land is bound: {kind}")]
    Encumbered {
        /// By what.
        kind: &'static str,
    },
    /// Somebody has bid.
    #[error("somebody has bid: the auction goes on to its end")]
    HasBids,
    /// The bid is not above the caller's own.
    #[error("your maximum is {max_minor} already; a new one must be higher")]
    BidNotHigher {
        /// What it is.
        max_minor: i64,
    },
    /// The bid is too low.
    #[error("a bid must be at least {minimum_minor}")]
    BidTooLow {
        /// The least that is taken.
        minimum_minor: i64,
    },
    /// The buyer has an open offer for this parcel.
    #[error("you have an open offer for this land; withdraw it first")]
    OfferExists,
    /// The parcel has as many open offers as it may, or the caller as many watched parcels.
    #[error("there are {max} {what} already, more are not taken")]
    TooMany {
        /// `offers`, `watched parcels`.
        what: &'static str,
        /// How many are taken.
        max: i64,
    },
    /// The land is not what the offer was for: another owner, another shape.
    #[error("the land is no longer what the offer was for")]
    ParcelChanged,
    /// The buyer has not enough.
    #[error("{} needed, {} available", needed.minor(), available.minor())]
    InsufficientFunds {
        /// What there is, apart from what is held.
        available: Amount,
        /// What is asked.
        needed: Amount,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The books do not agree with the market: a fault of ours.
    #[error("the books refuse: {0}")]
    Books(String),
}

/// What a request is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// A sale for a fixed price.
    Listing,
    /// A sale by auction.
    Auction,
    /// An offer.
    Offer,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Listing => "listing",
            Self::Auction => "auction",
            Self::Offer => "offer",
        })
    }
}

const fn kind(status: StatusCode, code: &'static str, title: &'static str) -> ProblemKind {
    ProblemKind::new(status, code, title)
}

const LISTING_NOT_FOUND: ProblemKind =
    kind(StatusCode::NOT_FOUND, "listing_not_found", "There is no such listing");
const AUCTION_NOT_FOUND: ProblemKind =
    kind(StatusCode::NOT_FOUND, "auction_not_found", "There is no such auction");
const OFFER_NOT_FOUND: ProblemKind = kind(StatusCode::NOT_FOUND, "offer_not_found", "There is no such offer");
const NOT_A_LOT: ProblemKind = kind(StatusCode::NOT_FOUND, "not_a_lot", "There is no such lot");
const NOT_OWNED: ProblemKind = kind(StatusCode::CONFLICT, "not_owned", "The land belongs to nobody");
const MAY_NOT_ACT: ProblemKind = kind(StatusCode::FORBIDDEN, "may_not_act", "You may not act for this group");
const NOT_OWNER: ProblemKind = kind(StatusCode::FORBIDDEN, "not_owner", "This is not yours");
const UNKNOWN_CURRENCY: ProblemKind =
    kind(StatusCode::UNPROCESSABLE_ENTITY, "unknown_currency", "There is no such currency");
const NOT_OPEN: ProblemKind = kind(StatusCode::CONFLICT, "not_open", "It is over already");
const ENDED: ProblemKind = kind(StatusCode::CONFLICT, "auction_ended", "The auction has ended");
const WRONG_KIND: ProblemKind = kind(StatusCode::CONFLICT, "wrong_kind", "The auction is of another kind");
const OWN_LAND: ProblemKind = kind(StatusCode::UNPROCESSABLE_ENTITY, "own_land", "The land is your own");
const PRICE_CHANGED: ProblemKind = kind(StatusCode::CONFLICT, "price_changed", "The price has changed");
const ENCUMBERED: ProblemKind = kind(StatusCode::CONFLICT, "encumbered", "The land is bound otherwise");
const LAND_FROZEN: ProblemKind = kind(StatusCode::CONFLICT, "land_frozen", "The land is frozen");
const HAS_BIDS: ProblemKind = kind(StatusCode::CONFLICT, "has_bids", "Somebody has bid");
const BID_NOT_HIGHER: ProblemKind =
    kind(StatusCode::UNPROCESSABLE_ENTITY, "bid_not_higher", "The bid is not above your own");
const BID_TOO_LOW: ProblemKind = kind(StatusCode::UNPROCESSABLE_ENTITY, "bid_too_low", "The bid is too low");
const OFFER_EXISTS: ProblemKind =
    kind(StatusCode::CONFLICT, "offer_exists", "You have an open offer for this land");
const TOO_MANY: ProblemKind = kind(StatusCode::CONFLICT, "too_many", "There are too many already");
const PARCEL_CHANGED: ProblemKind =
    kind(StatusCode::CONFLICT, "parcel_changed", "The land is no longer the same");
const INSUFFICIENT_FUNDS: ProblemKind =
    kind(StatusCode::UNPROCESSABLE_ENTITY, "insufficient_funds", "You do not have enough");

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            Refusal::NotFound { what: Subject::Listing } => LISTING_NOT_FOUND.into(),
            Refusal::NotFound { what: Subject::Auction } => AUCTION_NOT_FOUND.into(),
            Refusal::NotFound { what: Subject::Offer } => OFFER_NOT_FOUND.into(),
            Refusal::NotALot => NOT_A_LOT.into(),
            Refusal::NotOwned => NOT_OWNED.detail(sentence),
            Refusal::MayNotAct => MAY_NOT_ACT.into(),
            Refusal::NotOwner => NOT_OWNER.detail(sentence),
            Refusal::UnknownCurrency => UNKNOWN_CURRENCY.into(),
            Refusal::NotOpen { state } => NOT_OPEN.detail(sentence).fact("state", state.code()),
            Refusal::OfferNotOpen { state } => NOT_OPEN.detail(sentence).fact("state", state.code()),
            Refusal::Ended => ENDED.into(),
            Refusal::WrongKind => WRONG_KIND.detail(sentence),
            Refusal::OwnLand => OWN_LAND.detail(sentence),
            Refusal::PriceChanged { price_minor } => {
                PRICE_CHANGED.detail(sentence).fact("price_minor", price_minor)
            }
            Refusal::Frozen => LAND_FROZEN.into(),
            Refusal::Encumbered { kind } => ENCUMBERED.detail(sentence).fact("kind", kind),
            Refusal::HasBids => HAS_BIDS.detail(sentence),
            Refusal::BidNotHigher { max_minor } => {
                BID_NOT_HIGHER.detail(sentence).fact("max_minor", max_minor)
            }
            Refusal::BidTooLow { minimum_minor } => {
                BID_TOO_LOW.detail(sentence).fact("minimum_minor", minimum_minor)
            }
            Refusal::OfferExists => OFFER_EXISTS.detail(sentence),
            Refusal::TooMany { max, .. } => TOO_MANY.detail(sentence).fact("max", max),
            Refusal::ParcelChanged => PARCEL_CHANGED.detail(sentence),
            Refusal::InsufficientFunds { available, needed } => INSUFFICIENT_FUNDS
                .detail(sentence)
                .fact("available_minor", available.minor())
                .fact("price_minor", needed.minor()),
            Refusal::Store(error) => error.into(),
            Refusal::Books(cause) => Self::internal(&cause),
        }
    }
}

/// A value of a request that is out of its range.
pub(crate) fn invalid(pointer: &str, detail: impl Into<String>) -> Problem {
    Problem::from(kinds::INVALID_BODY).at(pointer, detail)
}
