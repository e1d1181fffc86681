//! What rock lies under a place and what it may hold.

use super::plates::{Boundary, Meeting};

/// Kinds of rock. The numbers are those of the raster's plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Geology {
    /// Basalt under deep sea.
    OceanFloor = 0,
    /// Sediment on the drowned edge of a continent.
    Shelf = 1,
    /// The old heart of a continent: granite and gneiss.
    Shield = 2,
    /// Flat old sediment over a shield.
    Platform = 3,
    /// Where the crust sinks and sediment gathers.
    SedimentaryBasin = 4,
    /// Folded rock where continents collided.
    FoldBelt = 5,
    /// Volcanic rock over a diving plate.
    VolcanicArc = 6,
    /// Lava where a continent parts.
    Rift = 7,
    /// What large rivers laid down.
    FloodPlain = 8,
    /// Salt and clay of a basin whose water evaporates.
    SaltPan = 9,
}

/// What people dig or grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Metal of the oldest belts.
    Iron,
    /// Metal of volcanic arcs.
    Copper,
    /// Metal of volcanic arcs and of the rivers below.
    Gold,
    /// Stones of folded rock.
    Gems,
    /// Stones from under old crust.
    Diamonds,
    /// Buried forests.
    Coal,
    /// Buried seas.
    Oil,
    /// Dried seas.
    Salt,
    /// Soil that bears well.
    FertileSoil,
}

impl Geology {
    /// All of them, in order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::OceanFloor,
        Self::Shelf,
        Self::Shield,
        Self::Platform,
        Self::SedimentaryBasin,
        Self::FoldBelt,
        Self::VolcanicArc,
        Self::Rift,
        Self::FloodPlain,
        Self::SaltPan,
    ];

    /// Inverse of `as u8`.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// A name for people, lower case, unique.
    pub fn name(self) -> &'static str {
        match self {
            Self::OceanFloor => "ocean floor",
            Self::Shelf => "shelf",
            Self::Shield => "shield",
            Self::Platform => "platform",
            Self::SedimentaryBasin => "sedimentary basin",
            Self::FoldBelt => "fold belt",
            Self::VolcanicArc => "volcanic arc",
            Self::Rift => "rift",
            Self::FloodPlain => "flood plain",
            Self::SaltPan => "salt pan",
        }
    }

    /// What may be found there, the likeliest first.
    pub fn resources(self) -> &'static [Resource] {
        match self {
            Self::OceanFloor => &[],
            Self::Shelf => &[Resource::Oil, Resource::Salt],
            Self::Shield => &[Resource::Iron, Resource::Diamonds, Resource::Gold],
            Self::Platform => &[Resource::Coal, Resource::Salt],
            Self::SedimentaryBasin => &[Resource::Oil, Resource::Coal],
            Self::FoldBelt => &[Resource::Iron, Resource::Gems],
            Self::VolcanicArc => &[Resource::Copper, Resource::Gold, Resource::FertileSoil],
            Self::Rift => &[Resource::FertileSoil, Resource::Copper],
            Self::FloodPlain => &[Resource::FertileSoil],
            Self::SaltPan => &[Resource::Salt],
        }
    }
}

/// What is known of a cell when its rock is named.
pub(crate) struct Ground {
    /// Over the sea.
    pub(crate) elevation_m: f32,
    pub(crate) is_land: bool,
    /// In a closed basin, at its sink or under its lake.
    pub(crate) is_salty: bool,
    pub(crate) boundary: Boundary,
    /// Distance to the nearest place where plates part.
    pub(crate) ridge_m: f32,
    pub(crate) uplift_m_yr: f32,
    /// Fall to the receiver.
    pub(crate) slope: f32,
    pub(crate) discharge_m3_s: f32,
    /// Broad noise, about −1..=1: old crust lies open where it is high, under sediment where it is low.
    pub(crate) age: f32,
}

impl Ground {
    /// The rock of a cell.
    pub(crate) fn geology(&self) -> Geology {
        const SHELF_DEPTH_M: f32 = 400.0;
        const BELT_UPLIFT_M_YR: f32 = 0.9e-4;
        const PLAIN_SLOPE: f32 = 0.0008;
        const PLAIN_RIVER_M3_S: f32 = 300.0;
        if !self.is_land {
            return if self.elevation_m > -SHELF_DEPTH_M { Geology::Shelf } else { Geology::OceanFloor };
        }
        if self.is_salty {
            return Geology::SaltPan;
        }
        let is_rising = self.uplift_m_yr > BELT_UPLIFT_M_YR;
        match self.boundary.meeting {
            Meeting::Collision | Meeting::Foreland | Meeting::None if is_rising => return Geology::FoldBelt,
            Meeting::ContinentalArc | Meeting::IslandArc if is_rising => return Geology::VolcanicArc,
            _ if self.ridge_m < 1.2e5 => return Geology::Rift,
            _ => {}
        }
        if self.slope < PLAIN_SLOPE && self.discharge_m3_s > PLAIN_RIVER_M3_S {
            Geology::FloodPlain
        } else if self.uplift_m_yr < 0.35e-4 && self.elevation_m < 350.0 {
            Geology::SedimentaryBasin
        } else if self.age > 0.0 {
            Geology::Shield
        } else {
            Geology::Platform
        }
    }
}
