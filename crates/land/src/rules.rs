//! What may be claimed, by whom, and for how much.

use api::{Problem, ProblemKind, kinds};
use axum::http::StatusCode;
use cell::CellId;
use glam::DVec3;
use ledger::Amount;
use planet::Planet;

/// A claimant's body is at most this far from the lot's centre, height aside.
pub const CLAIM_DISTANCE_MAX_M: f64 = 100.0;
/// 0.10 coins a square metre.
const PRICE_MINOR_PER_M2: f64 = 10.0;

/// Why a request about a lot is refused. If several reasons apply, the first in this order is the one given.
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
    /// The lot can belong to nobody.
    #[error("the lot is not land: {0}")]
    Unclaimable(Unclaimable),
    /// The claimant has no body on the planet.
    #[error("only somebody who is on the planet can claim")]
    NotInWorld,
    /// The claimant's body is elsewhere.
    #[error("the lot's centre is {distance_m:.0} m away, at most {CLAIM_DISTANCE_MAX_M:.0} m is allowed")]
    TooFar {
        /// From the body to the lot's centre.
        distance_m: f64,
    },
    /// The lot has an owner.
    #[error("the lot has an owner")]
    Taken,
    /// The key named another claim, longer ago than answers are kept.
    #[error("this key named another claim before; make a new key for each decision")]
    KeyReused,
    /// The claimant has not enough.
    #[error("the lot costs {}, there is {}", price.minor(), available.minor())]
    InsufficientFunds {
        /// What the claimant has.
        available: Amount,
        /// What the lot costs.
        price: Amount,
    },
    /// Somebody else's lot, or nobody's.
    #[error("only the owner names a lot")]
    NotOwner,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The books are not as they must be.
    #[error("the claim could not be booked: {0}")]
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

/// The price of a lot by its true area: 0.10 coins a square metre, the last fraction rounded up.
pub fn price(area_m2: f64) -> Amount {
    // A whole face of an Earth-sized planet is 10¹⁵ minor units: far inside the range.
    Amount::try_from_minor((area_m2 * PRICE_MINOR_PER_M2).ceil() as i64)
        .expect("an area of a planet is in range")
}

/// True area of a cell on the sphere of the sea's surface.
pub(crate) fn area_m2(planet: &Planet, lot: CellId) -> f64 {
    lot.area_sr() * planet.radius_m() * planet.radius_m()
}

/// Whether anybody may own the lot.
pub(crate) fn check_claimable(planet: &Planet, lot: CellId) -> Result<(), Unclaimable> {
    let points = std::iter::once(lot.center()).chain(lot.corners());
    let is_dry = points.map(|direction| planet.ground(direction)).all(|ground| ground.water_m.is_none());
    if is_dry { Ok(()) } else { Err(Unclaimable::UnderWater) }
}

/// Whether a body is near enough to the lot's centre. Both are brought down to the sea's surface, so that a mountain
/// is no further than its foot.
pub(crate) fn check_near(planet: &Planet, lot: CellId, body: Option<DVec3>) -> Result<(), Refusal> {
    let direction = body.and_then(DVec3::try_normalize).ok_or(Refusal::NotInWorld)?;
    let distance_m = direction.distance(lot.center()) * planet.radius_m();
    if distance_m <= CLAIM_DISTANCE_MAX_M { Ok(()) } else { Err(Refusal::TooFar { distance_m }) }
}

const NOT_A_LOT: ProblemKind = ProblemKind::new(StatusCode::NOT_FOUND, "not_a_lot", "There is no such lot");
const UNCLAIMABLE: ProblemKind =
    ProblemKind::new(StatusCode::UNPROCESSABLE_ENTITY, "lot_unclaimable", "The lot can belong to nobody");
const NOT_IN_WORLD: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "not_in_world", "You are not on the planet");
const TOO_FAR: ProblemKind =
    ProblemKind::new(StatusCode::UNPROCESSABLE_ENTITY, "lot_too_far", "The lot is too far away");
const TAKEN: ProblemKind = ProblemKind::new(StatusCode::CONFLICT, "lot_taken", "The lot is taken");
const INSUFFICIENT_FUNDS: ProblemKind =
    ProblemKind::new(StatusCode::UNPROCESSABLE_ENTITY, "insufficient_funds", "You do not have enough");
const NOT_OWNER: ProblemKind = ProblemKind::new(StatusCode::FORBIDDEN, "not_owner", "The lot is not yours");

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            Refusal::NotALot { .. } => NOT_A_LOT.detail(sentence),
            Refusal::Unclaimable(reason) => UNCLAIMABLE.detail(sentence).fact("reason", reason.code()),
            Refusal::NotInWorld => NOT_IN_WORLD.detail(sentence),
            Refusal::TooFar { distance_m } => TOO_FAR
                .detail(sentence)
                .fact("distance_m", distance_m.round())
                .fact("max_m", CLAIM_DISTANCE_MAX_M),
            Refusal::Taken => TAKEN.detail(sentence),
            Refusal::KeyReused => kinds::IDEMPOTENCY_KEY_REUSED.detail(sentence),
            Refusal::InsufficientFunds { available, price } => INSUFFICIENT_FUNDS
                .detail(sentence)
                .fact("available_minor", available.minor())
                .fact("price_minor", price.minor()),
            Refusal::NotOwner => NOT_OWNER.detail(sentence),
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
            assert_eq!(price(area_m2).minor(), minor, "{area_m2} m²");
        }
    }
}
