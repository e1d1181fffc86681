//! What grows where: a table of temperature and rain.

use crate::Climate;

/// The kinds of land and water. The numbers are part of the interface to the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Biome {
    /// Sea deeper than light reaches.
    Ocean = 0,
    /// Sea over a visible floor.
    Shallows = 1,
    /// Sand between the tides and the grass.
    Beach = 2,
    /// Ice all year.
    Ice = 3,
    /// Moss and stones over frozen ground.
    Tundra = 4,
    /// Conifer forest.
    Taiga = 5,
    /// Broad-leaved forest.
    TemperateForest = 6,
    /// Steppe and meadows.
    Grassland = 7,
    /// Dry bushes, as around the Mediterranean.
    Shrubland = 8,
    /// Hot or cold, too dry for more than a few plants.
    Desert = 9,
    /// Grass with scattered trees.
    Savanna = 10,
    /// Rain forest.
    TropicalForest = 11,
    /// Rock above what grows.
    BareRock = 12,
}

impl Biome {
    /// All of them, in order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Ocean,
        Self::Shallows,
        Self::Beach,
        Self::Ice,
        Self::Tundra,
        Self::Taiga,
        Self::TemperateForest,
        Self::Grassland,
        Self::Shrubland,
        Self::Desert,
        Self::Savanna,
        Self::TropicalForest,
        Self::BareRock,
    ];

    /// A name for people, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ocean => "ocean",
            Self::Shallows => "shallows",
            Self::Beach => "beach",
            Self::Ice => "ice",
            Self::Tundra => "tundra",
            Self::Taiga => "taiga",
            Self::TemperateForest => "temperate forest",
            Self::Grassland => "grassland",
            Self::Shrubland => "shrubland",
            Self::Desert => "desert",
            Self::Savanna => "savanna",
            Self::TropicalForest => "tropical forest",
            Self::BareRock => "bare rock",
        }
    }

    /// Inverse of `as u8`.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    pub(crate) fn of(elevation_m: f64, climate: Climate) -> Self {
        let Climate { temperature_c, rain_mm } = climate;
        match elevation_m {
            height if height < -12.0 => Self::Ocean,
            height if height < 0.0 => Self::Shallows,
            _ if temperature_c < -8.0 => Self::Ice,
            height if height < 2.2 => Self::Beach,
            _ if temperature_c < 0.0 => Self::Tundra,
            _ if temperature_c < 6.0 && rain_mm > 350.0 => Self::Taiga,
            _ if rain_mm < 200.0 => Self::Desert,
            _ if temperature_c < 20.0 && rain_mm > 750.0 => Self::TemperateForest,
            _ if temperature_c < 20.0 => Self::Grassland,
            _ if rain_mm > 1600.0 => Self::TropicalForest,
            _ => Self::Savanna,
        }
    }
}
