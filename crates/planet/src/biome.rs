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

    /// After Whittaker (1975): by mean temperature and yearly rain, except along the shore and above the trees.
    /// `highland_m` is where mountains begin.
    pub(crate) fn of(elevation_m: f64, climate: Climate, highland_m: f64) -> Self {
        let Climate { temperature_c, rain_mm } = climate;
        if elevation_m < 0.0 {
            return if elevation_m < -SHALLOWS_DEPTH_M { Self::Ocean } else { Self::Shallows };
        }
        match temperature_c {
            ..-9.0 => Self::Ice,
            _ if elevation_m < BEACH_HEIGHT_M => Self::Beach,
            ..0.0 if elevation_m > highland_m => Self::BareRock,
            ..-1.0 => Self::Tundra,
            ..6.0 if rain_mm > 280.0 => Self::Taiga,
            ..18.0 => match rain_mm {
                ..230.0 => Self::Desert,
                ..480.0 => Self::Grassland,
                ..620.0 if temperature_c > 12.0 => Self::Shrubland,
                ..620.0 => Self::Grassland,
                _ => Self::TemperateForest,
            },
            _ => match rain_mm {
                ..260.0 => Self::Desert,
                ..520.0 => Self::Shrubland,
                ..1_400.0 => Self::Savanna,
                _ => Self::TropicalForest,
            },
        }
    }
}

const SHALLOWS_DEPTH_M: f64 = 10.0;
const BEACH_HEIGHT_M: f64 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn biomes_are_where_one_expects_them() {
        let check = |elevation_m, temperature_c, rain_mm, biome: Biome| {
            assert_eq!(Biome::of(elevation_m, Climate { temperature_c, rain_mm }, 300.0), biome);
        };
        check(-500.0, 20.0, 900.0, Biome::Ocean);
        check(-2.0, 20.0, 900.0, Biome::Shallows);
        check(0.5, 20.0, 900.0, Biome::Beach);
        check(0.5, -20.0, 900.0, Biome::Ice);
        check(900.0, -4.0, 900.0, Biome::BareRock);
        check(90.0, -4.0, 900.0, Biome::Tundra);
        check(90.0, 3.0, 600.0, Biome::Taiga);
        check(90.0, 10.0, 900.0, Biome::TemperateForest);
        check(90.0, 10.0, 300.0, Biome::Grassland);
        check(90.0, 15.0, 550.0, Biome::Shrubland);
        check(90.0, 25.0, 100.0, Biome::Desert);
        check(90.0, 25.0, 900.0, Biome::Savanna);
        check(90.0, 25.0, 2_500.0, Biome::TropicalForest);
    }

    #[test]
    fn numbers_and_names_are_unique_and_numbers_come_back() {
        for (number, biome) in Biome::ALL.into_iter().enumerate() {
            assert_eq!(biome as usize, number);
            assert_eq!(Biome::from_number(number as u8), Some(biome));
            assert!(Biome::ALL.iter().filter(|other| other.name() == biome.name()).count() == 1);
        }
        assert_eq!(Biome::from_number(Biome::ALL.len() as u8), None);
    }
}
