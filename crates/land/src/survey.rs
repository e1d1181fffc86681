//! What the planet says of a set of lots.

use std::collections::BTreeSet;

use cell::CellId;
use glam::DVec3;
use planet::{Biome, Planet};

use crate::rules::Unclaimable;

/// The water that land looks out on; several at once, or none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Front {
    /// Flowing water.
    pub river: bool,
    /// The sea.
    pub coast: bool,
    /// Still water.
    pub lake: bool,
}

impl Front {
    const RIVER: i64 = 1;
    const COAST: i64 = 2;
    const LAKE: i64 = 4;

    /// As it is stored: 1 river, 2 coast, 4 lake.
    pub const fn bits(self) -> i64 {
        self.river as i64 * Self::RIVER + self.coast as i64 * Self::COAST + self.lake as i64 * Self::LAKE
    }

    /// Inverse of [`Front::bits`].
    pub const fn from_bits(bits: i64) -> Self {
        Self { river: bits & Self::RIVER != 0, coast: bits & Self::COAST != 0, lake: bits & Self::LAKE != 0 }
    }

    /// What either looks out on.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self::from_bits(self.bits() | other.bits())
    }

    /// The names of what it looks out on: `river`, `coast`, `lake`.
    pub fn names(self) -> Vec<&'static str> {
        let all = [(self.river, "river"), (self.coast, "coast"), (self.lake, "lake")];
        all.into_iter().filter(|(is_there, _)| *is_there).map(|(_, name)| name).collect()
    }
}

/// What the planet says of a set of lots.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Survey {
    pub(crate) area_m2: f64,
    pub(crate) center: CellId,
    pub(crate) biome: Biome,
    pub(crate) front: Front,
}

/// Area and middle by geometry alone.
pub(crate) struct Extent {
    pub(crate) area_m2: f64,
    pub(crate) center: CellId,
}

impl Extent {
    /// Of lots in any order; the sum does not depend on it.
    pub(crate) fn of(planet: &Planet, cells: &[CellId]) -> Self {
        let mut sorted = cells.to_vec();
        sorted.sort_unstable();
        let mut area_sr = 0.0;
        let mut middle = DVec3::ZERO;
        for cell in sorted {
            let cell_sr = cell.area_sr();
            area_sr += cell_sr;
            middle += cell.center() * cell_sr;
        }
        Self { area_m2: area_sr * planet.radius_m() * planet.radius_m(), center: CellId::from_point(middle) }
    }
}

impl Survey {
    /// Asks the planet about some ground around each lot at the border: tens of microseconds to a millisecond for a
    /// lot, so not while a database waits.
    pub(crate) fn of(planet: &Planet, cells: &[CellId]) -> Self {
        let Extent { area_m2, center } = Extent::of(planet, cells);
        // The middle of a ring is not in it: what grows on the lot nearest to it counts.
        let nearest = cells
            .iter()
            .map(|it| it.center())
            .min_by(|a, b| {
                a.distance_squared(center.center()).total_cmp(&b.distance_squared(center.center()))
            })
            .unwrap_or(center.center());
        Self { area_m2, center, biome: planet.biome(nearest), front: front(planet, cells) }
    }
}

/// The water on the lots around.
fn front(planet: &Planet, cells: &[CellId]) -> Front {
    let inside: BTreeSet<CellId> = cells.iter().copied().collect();
    let around: BTreeSet<CellId> =
        cells.iter().flat_map(|it| it.all_neighbors()).filter(|it| !inside.contains(it)).collect();
    around
        .into_iter()
        .flat_map(|lot| lot.children().into_iter().flatten().map(CellId::center).chain([lot.center()]))
        .fold(Front::default(), |front, at| front.or(water(planet, at)))
}

fn water(planet: &Planet, at: DVec3) -> Front {
    let ground = planet.ground(at);
    if ground.water_m.is_none() {
        return Front::default();
    }
    match planet.biome(at) {
        Biome::Ocean | Biome::Shallows | Biome::SeaIce => Front { coast: true, ..Front::default() },
        Biome::River => Front { river: true, ..Front::default() },
        Biome::Lake => Front { lake: true, ..Front::default() },
        // Ice upon fresh water, or a shore where interpolated ground is a little lower than the sampled.
        _ if ground.elevation_m < 0.0 => Front { coast: true, ..Front::default() },
        _ => Front { lake: true, ..Front::default() },
    }
}

/// Whether anybody may own the lot.
pub(crate) fn check_claimable(planet: &Planet, lot: CellId) -> Result<(), Unclaimable> {
    let points = std::iter::once(lot.center()).chain(lot.corners());
    let is_dry = points.map(|direction| planet.ground(direction)).all(|ground| ground.water_m.is_none());
    if is_dry { Ok(()) } else { Err(Unclaimable::UnderWater) }
}
