//! The kinds of land and water, and their numbers.

/// The kinds of land and water. The numbers are part of the interface to the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// Boreal forest: conifers, and birches among them.
    Taiga = 5,
    /// Broad-leaved forest.
    TemperateForest = 6,
    /// Meadows of the temperate zone, wetter than steppe.
    Grassland = 7,
    /// Dry bushes, as around the Mediterranean.
    Shrubland = 8,
    /// Hot, and too dry for more than a few plants.
    Desert = 9,
    /// Grass with scattered trees.
    Savanna = 10,
    /// Tropical rain forest.
    TropicalForest = 11,
    /// Rock above what grows, and walls too steep for soil.
    BareRock = 12,
    /// Desert with frost in winter.
    ColdDesert = 13,
    /// Short dry grass.
    Steppe = 14,
    /// Tropical forest that sheds its leaves in the dry season.
    SeasonalForest = 15,
    /// Tall mossy forest of mild wet coasts.
    TemperateRainForest = 16,
    /// Marsh and swamp beside still or slow water.
    Wetland = 17,
    /// Sea under ice for most of the year.
    SeaIce = 18,
    /// Still fresh water.
    Lake = 19,
    /// Flowing water.
    River = 20,
    /// Grass and flowers above the trees.
    AlpineMeadow = 21,
    /// The white floor of a basin whose water evaporates.
    SaltFlat = 22,
}

impl Biome {
    /// All of them, in order of their numbers.
    pub const ALL: [Self; 23] = [
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
        Self::ColdDesert,
        Self::Steppe,
        Self::SeasonalForest,
        Self::TemperateRainForest,
        Self::Wetland,
        Self::SeaIce,
        Self::Lake,
        Self::River,
        Self::AlpineMeadow,
        Self::SaltFlat,
    ];

    /// A name for people, lower case, unique.
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
            Self::ColdDesert => "cold desert",
            Self::Steppe => "steppe",
            Self::SeasonalForest => "seasonal forest",
            Self::TemperateRainForest => "temperate rain forest",
            Self::Wetland => "wetland",
            Self::SeaIce => "sea ice",
            Self::Lake => "lake",
            Self::River => "river",
            Self::AlpineMeadow => "alpine meadow",
            Self::SaltFlat => "salt flat",
        }
    }

    /// Inverse of [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|biome| biome.name() == name)
    }

    /// Inverse of `as u8`.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Is it water, or ice upon the sea? Ice on land is land.
    pub fn is_water(self) -> bool {
        matches!(self, Self::Ocean | Self::Shallows | Self::SeaIce | Self::Lake | Self::River)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_come_back() {
        for (number, biome) in Biome::ALL.into_iter().enumerate() {
            assert_eq!(biome as usize, number);
            assert_eq!(Biome::from_number(number as u8), Some(biome));
            assert_eq!(Biome::from_name(biome.name()), Some(biome));
        }
        assert_eq!(Biome::from_number(Biome::ALL.len() as u8), None);
        assert_eq!(Biome::from_name("Ocean"), None);
    }
}
