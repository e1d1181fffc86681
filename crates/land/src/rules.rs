//! Why a request about land is refused, and what land costs.

use api::{Problem, ProblemKind, kinds};
use axum::http::StatusCode;
use cell::CellId;
use glam::DVec3;
use ledger::Amount;

use wallet::Economy;

use crate::EncumbranceKind;
use crate::service::Deps;

/// Why a request about land is refused. If several reasons apply, the first in this order is the one given.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The token names no cell of the lot level.
    #[error("there is no lot {token}: a lot is a cell of level {lot_level}")]
    NotALot {
        /// As it came, cut to a sensible length.
        token: String,
        /// The level of lots.
        lot_level: u8,
    },
    /// A list of lots is too long, or would make a parcel of too many.
    #[error("{count} lots are too many: at most {max} are allowed")]
    TooManyCells {
        /// So many.
        count: usize,
        /// The most.
        max: usize,
    },
    /// A list of cells holds one inside another.
    #[error("{inner} is inside {outer}: cells must not overlap")]
    Overlapping {
        /// The smaller cell.
        inner: CellId,
        /// The larger.
        outer: CellId,
    },
    /// A list of lots holds one twice.
    #[error("{cell} stands twice in the list")]
    DuplicateCell {
        /// Which.
        cell: CellId,
    },
    /// The lots do not hang together by their sides.
    #[error("{what} would not hang together: each lot must share a side with another")]
    NotConnected {
        /// Which set of lots.
        what: &'static str,
    },
    /// The lot can belong to nobody.
    #[error("lot {cell} is not land: {reason}")]
    Unclaimable {
        /// Which lot.
        cell: CellId,
        /// Why.
        reason: Unclaimable,
    },
    /// The lots are too large together.
    #[error("{area_m2:.0} m² are too much: at most {max_m2:.0} m² are allowed")]
    TooLarge {
        /// Their true area.
        area_m2: f64,
        /// The most.
        max_m2: f64,
    },
    /// The caller may not act for the owner they name.
    #[error("you do not act for this owner")]
    NoAuthority,
    /// The claimant has no body on the planet.
    #[error("only somebody who is on the planet can claim")]
    NotInWorld,
    /// The claimant's body is elsewhere.
    #[error("the nearest lot's centre is {distance_m:.0} m away, at most {max_m:.0} m is allowed")]
    TooFar {
        /// From the body to the lot's centre.
        distance_m: f64,
        /// The most.
        max_m: f64,
    },
    /// The lot has an owner.
    #[error("the lot has an owner")]
    Taken,
    /// Somebody else's land, or nobody's.
    #[error("only the owner does that")]
    NotOwner,
    /// The land is several owners'.
    #[error("the parcels have different owners")]
    OwnersDiffer,
    /// A lot that is not part of the parcel.
    #[error("lot {cell} is not part of the parcel")]
    NotInParcel {
        /// Which.
        cell: CellId,
    },
    /// All lots would be taken off a parcel.
    #[error("a parcel keeps at least one lot")]
    NothingLeft,
    /// Staff have frozen the parcel.
    #[error("parcel {parcel} is frozen")]
    Frozen {
        /// Which.
        parcel: CellId,
    },
    /// Something is about to happen to the parcel.
    #[error("parcel {parcel} is part of an open {}", kind.code())]
    Encumbered {
        /// Which parcel.
        parcel: CellId,
        /// What.
        kind: EncumbranceKind,
    },
    /// A tenant has the parcel.
    #[error("parcel {parcel} is leased")]
    Leased {
        /// Which.
        parcel: CellId,
    },
    /// The key named another decision, longer ago than answers are kept.
    #[error("this key named another decision before; make a new key for each")]
    KeyReused,
    /// The claimant has not enough.
    #[error("the land costs {}, there is {}", price.minor(), available.minor())]
    InsufficientFunds {
        /// What the claimant has.
        available: Amount,
        /// What the land costs.
        price: Amount,
    },
    /// A gift to oneself.
    #[error("the land is the receiver's already")]
    SelfGift,
    /// Nobody has that id.
    #[error("there is no such account or group")]
    ReceiverUnknown,
    /// More gifts are offered to the receiver than may be.
    #[error("too many gifts are waiting for the receiver")]
    TooManyGifts,
    /// No such gift, or one that is none of the caller's business.
    #[error("there is no such gift")]
    GiftUnknown,
    /// The gift was decided already.
    #[error("the gift is {state}")]
    GiftClosed {
        /// Its state.
        state: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The books are not as they must be.
    #[error("it could not be booked: {0}")]
    Books(wallet::PostError),
}

/// Why a lot can belong to nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unclaimable {
    /// Its centre or a corner is in the sea, a lake or a river.
    #[error("its centre or a corner is under water")]
    UnderWater,
}

impl Unclaimable {
    /// What programs switch on.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnderWater => "under_water",
        }
    }
}

/// The price of land by its true area, the last fraction rounded up.
pub fn price(economy: &Economy, area_m2: f64) -> Amount {
    // A whole face of an Earth-sized planet is 10¹⁵ minor units at ten a square metre: far inside the range.
    let minor = (area_m2 * economy.land.price_minor_per_m2).ceil() as i64;
    Amount::try_from_minor(minor).unwrap_or(Amount::MAX)
}

/// Whether a body is near enough to the centre of one of the lots. All are brought down to the sea's surface, so that
/// a mountain is no further than its foot.
pub(crate) fn check_near(deps: &Deps, lots: &[CellId], body: Option<DVec3>) -> Result<(), Refusal> {
    let direction = body.and_then(DVec3::try_normalize).ok_or(Refusal::NotInWorld)?;
    let distances = lots.iter().map(|lot| direction.distance(lot.center()) * deps.planet.radius_m());
    let distance_m = distances.fold(f64::INFINITY, f64::min);
    let max_m = deps.economy.land.claim_distance_max_m;
    if distance_m <= max_m { Ok(()) } else { Err(Refusal::TooFar { distance_m, max_m }) }
}

const fn unprocessable(code: &'static str, title: &'static str) -> ProblemKind {
    ProblemKind::new(StatusCode::UNPROCESSABLE_ENTITY, code, title)
}

const fn conflict(code: &'static str, title: &'static str) -> ProblemKind {
    ProblemKind::new(StatusCode::CONFLICT, code, title)
}

const NOT_A_LOT: ProblemKind = ProblemKind::new(StatusCode::NOT_FOUND, "not_a_lot", "There is no such lot");
const TOO_MANY_CELLS: ProblemKind = unprocessable("too_many_cells", "The land has too many lots");
const OVERLAPPING: ProblemKind = unprocessable("overlapping_cells", "Cells overlap");
const DUPLICATE: ProblemKind = unprocessable("duplicate_cells", "A cell stands twice");
const NOT_CONNECTED: ProblemKind = unprocessable("not_connected", "The lots do not hang together");
const UNCLAIMABLE: ProblemKind = unprocessable("lot_unclaimable", "The lot can belong to nobody");
const TOO_LARGE: ProblemKind = unprocessable("land_too_large", "The land is too large for one claim");
const NO_AUTHORITY: ProblemKind =
    ProblemKind::new(StatusCode::FORBIDDEN, "no_authority", "You do not act for this owner");
const NOT_IN_WORLD: ProblemKind = conflict("not_in_world", "You are not on the planet");
const TOO_FAR: ProblemKind = unprocessable("lot_too_far", "The lot is too far away");
const TAKEN: ProblemKind = conflict("lot_taken", "The lot is taken");
const NOT_OWNER: ProblemKind = ProblemKind::new(StatusCode::FORBIDDEN, "not_owner", "The land is not yours");
const OWNERS_DIFFER: ProblemKind = unprocessable("owners_differ", "The parcels have different owners");
const NOT_IN_PARCEL: ProblemKind = unprocessable("not_in_parcel", "A lot is not part of the parcel");
const NOTHING_LEFT: ProblemKind = unprocessable("nothing_left", "Nothing would be left of the parcel");
const FROZEN: ProblemKind = conflict("land_frozen", "The land is frozen");
const ENCUMBERED: ProblemKind = conflict("parcel_encumbered", "Something is about to happen to the parcel");
const LEASED: ProblemKind = conflict("parcel_leased", "The parcel is leased");
const INSUFFICIENT_FUNDS: ProblemKind = unprocessable("insufficient_funds", "You do not have enough");
const SELF_GIFT: ProblemKind = unprocessable("self_gift", "A gift is for somebody else");
const RECEIVER_UNKNOWN: ProblemKind = unprocessable("receiver_unknown", "There is no such receiver");
const TOO_MANY_GIFTS: ProblemKind = conflict("too_many_gifts", "Too many gifts are waiting for the receiver");
const GIFT_UNKNOWN: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "gift_unknown", "There is no such gift");
const GIFT_CLOSED: ProblemKind = conflict("gift_closed", "The gift is decided");

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            Refusal::NotALot { .. } => NOT_A_LOT.detail(sentence),
            Refusal::TooManyCells { count, max } => {
                TOO_MANY_CELLS.detail(sentence).fact("count", count).fact("max", max)
            }
            Refusal::Overlapping { inner, outer } => {
                OVERLAPPING.detail(sentence).fact("inner", inner.token()).fact("outer", outer.token())
            }
            Refusal::DuplicateCell { cell } => DUPLICATE.detail(sentence).fact("token", cell.token()),
            Refusal::NotConnected { .. } => NOT_CONNECTED.detail(sentence),
            Refusal::Unclaimable { cell, reason } => {
                UNCLAIMABLE.detail(sentence).fact("token", cell.token()).fact("reason", reason.code())
            }
            Refusal::NoAuthority => NO_AUTHORITY.detail(sentence),
            Refusal::NotInWorld => NOT_IN_WORLD.detail(sentence),
            Refusal::TooFar { distance_m, max_m } => {
                TOO_FAR.detail(sentence).fact("distance_m", distance_m.round()).fact("max_m", max_m)
            }
            Refusal::TooLarge { area_m2, max_m2 } => {
                TOO_LARGE.detail(sentence).fact("area_m2", area_m2.round()).fact("max_m2", max_m2)
            }
            Refusal::Taken => TAKEN.detail(sentence),
            Refusal::NotOwner => NOT_OWNER.detail(sentence),
            Refusal::OwnersDiffer => OWNERS_DIFFER.detail(sentence),
            Refusal::NotInParcel { cell } => NOT_IN_PARCEL.detail(sentence).fact("token", cell.token()),
            Refusal::NothingLeft => NOTHING_LEFT.detail(sentence),
            Refusal::Frozen { parcel } => FROZEN.detail(sentence).fact("parcel", parcel.token()),
            Refusal::Encumbered { parcel, kind } => {
                ENCUMBERED.detail(sentence).fact("parcel", parcel.token()).fact("kind", kind.code())
            }
            Refusal::Leased { parcel } => LEASED.detail(sentence).fact("parcel", parcel.token()),
            Refusal::KeyReused => kinds::IDEMPOTENCY_KEY_REUSED.detail(sentence),
            Refusal::InsufficientFunds { available, price } => INSUFFICIENT_FUNDS
                .detail(sentence)
                .fact("available_minor", available.minor())
                .fact("price_minor", price.minor()),
            Refusal::SelfGift => SELF_GIFT.detail(sentence),
            Refusal::ReceiverUnknown => RECEIVER_UNKNOWN.detail(sentence),
            Refusal::TooManyGifts => TOO_MANY_GIFTS.detail(sentence),
            Refusal::GiftUnknown => GIFT_UNKNOWN.detail(sentence),
            Refusal::GiftClosed { state } => GIFT_CLOSED.detail(sentence).fact("state", state),
            Refusal::Store(error) => error.into(),
            Refusal::Books(error) => Self::internal(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_by_area_and_rounded_up() {
        for (area_m2, minor) in [
            (0.0, 0),
            (0.01, 1),
            (0.1, 1),
            (0.11, 2),
            (1.0, 10),
            (1236.54, 12_366),
            (5e14, 5_000_000_000_000_000),
        ] {
            assert_eq!(price(Economy::embedded(), area_m2).minor(), minor, "{area_m2} m²");
        }
    }
}
