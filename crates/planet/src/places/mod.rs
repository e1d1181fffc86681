//! Places that have a name: oceans and seas, continents and islands, mountain ranges, rivers and lakes.
//!
//! All of it follows from the raster and the [`NameTable`]; nothing here changes the ground.
//!
//! - *Land and sea* are divided where they are narrow: a basin of distance from the shore is a place of its own
//!   unless the neck that joins it to the next is nearly as wide as itself ([`basins`]).
//! - *Ranges* are connected high ground, *lakes* connected lake cells, *rivers* the main stem above each great mouth.

mod basins;
mod names;
mod search;
mod shapes;

use std::collections::{BTreeMap, BTreeSet};

use cell::{CellId, FaceIj, point_to_face_uv, uv_to_st};
use glam::DVec3;

use crate::{RASTER_LEVEL_MIN, Raster};

pub use names::{NameTable, NameTableError};

/// What kind of place. The order is that of importance on a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlaceKind {
    /// Open sea, at least a twenty-fifth of the planet.
    Ocean,
    /// Land of at least a two-hundredth of the planet.
    Continent,
    /// Smaller sea, gulf or bay.
    Sea,
    /// Smaller land.
    Island,
    /// Mountains that stand together.
    Range,
    /// Water that runs, from its source to its mouth.
    River,
    /// Water that stands, above the sea.
    Lake,
}

impl PlaceKind {
    /// All of them, in order.
    pub const ALL: [Self; 7] =
        [Self::Ocean, Self::Continent, Self::Sea, Self::Island, Self::Range, Self::River, Self::Lake];

    /// Whether it is a part of the land.
    fn is_land(self) -> bool {
        matches!(self, Self::Continent | Self::Island)
    }

    /// The word for it, lower case; also its key in the table of names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ocean => "ocean",
            Self::Continent => "continent",
            Self::Sea => "sea",
            Self::Island => "island",
            Self::Range => "range",
            Self::River => "river",
            Self::Lake => "lake",
        }
    }
}

/// A named place.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// What kind.
    pub kind: PlaceKind,
    /// Its name, unique on the planet.
    pub name: String,
    /// The raster cell it hangs on: where it is widest, or a river's mouth. Unique within a kind.
    pub anchor: CellId,
    /// Where a label belongs, a unit vector.
    pub center: DVec3,
    /// Area as a share of the sphere; 0 for rivers.
    pub area_share: f64,
    /// Rivers from source to mouth, ranges from end to end, unit vectors; empty for others.
    pub line: Vec<DVec3>,
    /// Length of the line on a sphere of radius 1.
    pub length_rad: f64,
    /// Ranges: their highest raster cell, metres on a planet of Earth's size. Rivers: discharge at the mouth, m³/s
    /// there. 0 for others.
    pub measure: f32,
}

/// The places around a point.
#[derive(Clone, Copy, Debug, Default)]
pub struct Here<'a> {
    /// The ocean, sea, continent or island.
    pub region: Option<&'a Place>,
    /// The range one stands in.
    pub range: Option<&'a Place>,
    /// The river within a raster cell or so.
    pub river: Option<&'a Place>,
    /// The lake, or the one within a raster cell or so.
    pub lake: Option<&'a Place>,
}

/// All named places of a planet. It holds about a megabyte.
#[derive(Debug)]
pub struct Places {
    list: Vec<Place>,
    region_level: u8,
    /// For every raster cell of `region_level`: index of its region and of its range, [`NOTHING`] for none.
    regions: Vec<u16>,
    ranges: Vec<u16>,
    raster_level: u8,
    /// Cells of the finest layer on the main stem of a river, and of lakes.
    rivers: BTreeMap<CellId, u16>,
    lakes: BTreeMap<CellId, u16>,
}

const NOTHING: u16 = u16::MAX;

/// Regions are divided on a raster no finer than this: 256 cells along a face are enough for shores on a map.
const REGION_LEVEL_MAX: u8 = 8;

impl Places {
    /// Finds and names all places of a raster whose tiles are all there. Some tenths of a second at the finest level.
    ///
    /// # Panics
    /// If a tile of the finest layer, or of the one for regions, is missing.
    pub fn find(raster: &Raster, names: &NameTable, seed: u64) -> Self {
        let region_level = Raster::layers(raster.level())
            .find(|level| *level <= REGION_LEVEL_MAX)
            .unwrap_or(RASTER_LEVEL_MIN);
        let field = shapes::Field::read(raster, region_level);
        let mut found = Found::default();
        let regions = found.add_regions(&field);
        let ranges = found.add_ranges(&field);
        let rivers = found.add_rivers(raster);
        let lakes = found.add_lakes(raster);

        let mut places = Self {
            list: Vec::new(),
            region_level,
            regions,
            ranges,
            raster_level: raster.level(),
            rivers,
            lakes,
        };
        let mut taken = BTreeSet::new();
        for shape in found.shapes {
            // A place speaks the tongue of the land it lies on; land and seas speak their own.
            let region = places.regions[places.region_index(shape.center)];
            let home =
                places.list.get(usize::from(region)).map_or(shape.anchor, |region: &Place| region.anchor);
            let name = names.name(seed, shape.kind, shape.anchor, home, &mut taken);
            places.list.push(shape.named(name));
        }
        places
    }

    /// All of them, by kind, the greatest first within one.
    pub fn all(&self) -> &[Place] {
        &self.list
    }

    /// What one would say where one is, on dry land or on the sea: near a shore the raster may be of another opinion,
    /// and what lies beside is meant.
    pub fn at(&self, direction: DVec3, is_dry: bool) -> Here<'_> {
        let index = self.region_index(direction);
        let region_cell = CellId::from_point(direction).parent(self.region_level);
        let here = std::iter::once(region_cell).chain(region_cell.all_neighbors());
        let mut regions = here
            .filter_map(|cell| self.place(self.regions[shapes::index(cell.face_ij(), self.region_level)]));
        let region = regions.find(|region| region.kind.is_land() == is_dry);
        let cell = CellId::from_point(direction).parent(self.raster_level);
        let near = |cells: &BTreeMap<CellId, u16>| {
            let mut around = std::iter::once(cell).chain(cell.all_neighbors());
            around.find_map(|cell| cells.get(&cell)).and_then(|place| self.place(*place))
        };
        Here {
            region: region.or_else(|| self.place(self.regions[index])),
            range: self.place(self.ranges[index]),
            river: near(&self.rivers),
            lake: near(&self.lakes),
        }
    }

    fn place(&self, index: u16) -> Option<&Place> {
        self.list.get(usize::from(index))
    }

    fn region_index(&self, direction: DVec3) -> usize {
        let (face, u, v) = point_to_face_uv(direction);
        let side = 1_u32 << self.region_level;
        let on_lattice = |u: f64| ((uv_to_st(u) * f64::from(side)) as u32).min(side - 1);
        shapes::index(FaceIj { face, i: on_lattice(u), j: on_lattice(v) }, self.region_level)
    }
}

/// Shapes while they are being found; indices into it are those of the finished list.
#[derive(Default)]
struct Found {
    shapes: Vec<shapes::Shape>,
}

#[cfg(test)]
mod tests;
