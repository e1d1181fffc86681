//! Which biome a place has: a table of temperature and rain, and what height, slope and water change.
//!
//! The table is read from text ([`BiomeTable::parse`], `content/biomes.toml`) where a planet is made, and kept as a
//! few bytes ([`BiomeTable::to_bytes`]) in what is handed to browsers, which need no parser.

mod bytes;
mod text;

use crate::Biome;

pub use bytes::BiomeBytesError;
pub use text::BiomeTableError;

/// Where water is, in the words of [`GroundSite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaterKind {
    /// At height 0, all over the planet.
    Sea,
    /// Still water over the sea.
    Lake,
    /// Water on its way.
    River,
}

/// One cell of the raster. Heights are those of a planet of Earth's size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BiomeSite {
    /// Ground over the sea, metres; below 0 it is sea floor.
    pub ground_m: f32,
    /// Depth of the lake that covers it, metres, 0 for none.
    pub lake_depth_m: f32,
    /// Mean temperature of the year at the ground.
    pub temperature_c: f32,
    /// Rain of the year.
    pub rain_mm: f32,
    /// Is it the lowest place of a basin without an outlet?
    pub is_sink: bool,
}

/// A place to stand on or swim in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroundSite {
    /// Ground over the sea, metres on a planet of Earth's size.
    pub ground_m: f32,
    /// The water that covers it, or else the nearest that it drains into, if that is near.
    pub water: Option<WaterKind>,
    /// Height over the surface of that water, metres as walked; below 0 under water. Of no account without water.
    pub over_water_m: f32,
    /// Rise over run, as walked.
    pub slope: f32,
    /// Mean temperature of the year at the ground.
    pub temperature_c: f32,
    /// Rain of the year.
    pub rain_mm: f32,
}

/// Thresholds of all biomes. [`Default`] is `content/biomes.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct BiomeTable {
    /// From cold to warm; never empty, and the last has an infinite limit.
    bands: Vec<Band>,
    water: WaterLimits,
    ground: GroundLimits,
}

/// What grows between two temperatures.
#[derive(Clone, Debug, PartialEq)]
struct Band {
    colder_than_c: f32,
    /// From dry to wet; never empty, and the last has an infinite limit.
    classes: Vec<Class>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Class {
    drier_than_mm: f32,
    biome: Biome,
}

/// Section `[water]` of the table.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WaterLimits {
    sea_ice_below_c: f32,
    lake_ice_below_c: f32,
    shallows_depth_m: f32,
}

/// Section `[ground]` of the table.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct GroundLimits {
    alpine_above_m: f32,
    alpine_warmer_than_c: f32,
    rock_above_m: f32,
    rock_slope: f32,
    beach_height_walked_m: f32,
    beach_slope: f32,
    wetland_height_walked_m: f32,
    wetland_slope: f32,
    wetland_rain_mm: f32,
    bank_rain_mm: f32,
    bank_height_walked_m: f32,
}

impl Default for BiomeTable {
    fn default() -> Self {
        Self::from_bytes(include_bytes!("biome_table/default.bin"))
            .expect("a test compares these bytes with the text")
    }
}

impl BiomeTable {
    /// What the climate alone would let grow: the table of temperature and rain. What is not a number counts as the
    /// warmest, the wettest.
    pub fn zonal(&self, temperature_c: f32, rain_mm: f32) -> Biome {
        let last_band = self.bands.len() - 1;
        let band = self.bands[..last_band].iter().find(|band| temperature_c < band.colder_than_c);
        let classes = &band.unwrap_or(&self.bands[last_band]).classes;
        let last = classes.len() - 1;
        classes[..last].iter().find(|class| rain_mm < class.drier_than_mm).unwrap_or(&classes[last]).biome
    }

    /// The biome of a raster cell: no slope, no banks, nothing that only a walker sees.
    pub fn classify(&self, site: &BiomeSite) -> Biome {
        let BiomeSite { ground_m, lake_depth_m, temperature_c, rain_mm, is_sink } = *site;
        if lake_depth_m > 0.0 {
            return self.fresh_water(Biome::Lake, temperature_c);
        }
        if ground_m < 0.0 {
            return self.sea(ground_m, temperature_c);
        }
        match self.by_height(self.zonal(temperature_c, rain_mm), ground_m, temperature_c) {
            Biome::Desert | Biome::ColdDesert | Biome::Steppe if is_sink => Biome::SaltFlat,
            biome => biome,
        }
    }

    /// The biome of a place that one stands on or swims in.
    pub fn on_ground(&self, site: &GroundSite) -> Biome {
        let GroundSite { ground_m, water, over_water_m, slope, temperature_c, rain_mm } = *site;
        let limits = &self.ground;
        let mut rain_felt_mm = rain_mm;
        match water {
            Some(WaterKind::Sea) if over_water_m < 0.0 => return self.sea(ground_m, temperature_c),
            Some(WaterKind::Lake) if over_water_m < 0.0 => {
                return self.fresh_water(Biome::Lake, temperature_c);
            }
            Some(WaterKind::River) if over_water_m < 0.0 => {
                return self.fresh_water(Biome::River, temperature_c);
            }
            Some(WaterKind::Lake | WaterKind::River) => {
                let nearness = (1.0 - over_water_m / limits.bank_height_walked_m).clamp(0.0, 1.0);
                rain_felt_mm += limits.bank_rain_mm * nearness;
            }
            Some(WaterKind::Sea) | None => {}
        }
        let zonal = self.zonal(temperature_c, rain_felt_mm);
        let is_frozen = zonal == Biome::Ice;
        if slope >= limits.rock_slope {
            return Biome::BareRock;
        }
        match water {
            Some(WaterKind::Sea)
                if !is_frozen
                    && over_water_m < limits.beach_height_walked_m
                    && slope < limits.beach_slope =>
            {
                Biome::Beach
            }
            Some(WaterKind::Lake | WaterKind::River)
                if !is_frozen
                    && over_water_m < limits.wetland_height_walked_m
                    && slope < limits.wetland_slope
                    && rain_mm >= limits.wetland_rain_mm =>
            {
                Biome::Wetland
            }
            _ => self.by_height(zonal, ground_m, temperature_c),
        }
    }

    fn sea(&self, ground_m: f32, temperature_c: f32) -> Biome {
        if temperature_c < self.water.sea_ice_below_c {
            Biome::SeaIce
        } else if ground_m > -self.water.shallows_depth_m {
            Biome::Shallows
        } else {
            Biome::Ocean
        }
    }

    fn fresh_water(&self, kind: Biome, temperature_c: f32) -> Biome {
        if temperature_c < self.water.lake_ice_below_c { Biome::Ice } else { kind }
    }

    /// What becomes of a biome high up. Rock shows between ice and meadows.
    fn by_height(&self, zonal: Biome, ground_m: f32, temperature_c: f32) -> Biome {
        let limits = &self.ground;
        match zonal {
            Biome::Tundra | Biome::Taiga if ground_m >= limits.alpine_above_m => {
                if temperature_c >= limits.alpine_warmer_than_c {
                    Biome::AlpineMeadow
                } else if ground_m >= limits.rock_above_m {
                    Biome::BareRock
                } else {
                    zonal
                }
            }
            _ => zonal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn biomes_are_where_one_expects_them() {
        let table = BiomeTable::default();
        let check = |temperature_c, rain_mm, biome| {
            assert_eq!(table.zonal(temperature_c, rain_mm), biome, "{temperature_c} °C, {rain_mm} mm");
        };
        check(-30.0, 100.0, Biome::Ice);
        check(-8.0, 300.0, Biome::Tundra);
        check(0.0, 500.0, Biome::Taiga);
        check(3.0, 60.0, Biome::ColdDesert);
        check(8.0, 250.0, Biome::Steppe);
        check(9.0, 400.0, Biome::Grassland);
        check(11.0, 900.0, Biome::TemperateForest);
        check(9.0, 2_500.0, Biome::TemperateRainForest);
        check(16.0, 550.0, Biome::Shrubland);
        check(25.0, 100.0, Biome::Desert);
        check(25.0, 900.0, Biome::Savanna);
        check(26.0, 1_600.0, Biome::SeasonalForest);
        check(26.0, 2_600.0, Biome::TropicalForest);
        check(f32::NAN, f32::NAN, Biome::TropicalForest);
    }

    #[test]
    fn water_height_and_sinks_overrule_the_climate_of_a_raster_cell() {
        let table = BiomeTable::default();
        let site = BiomeSite {
            ground_m: 300.0,
            lake_depth_m: 0.0,
            temperature_c: 11.0,
            rain_mm: 900.0,
            is_sink: false,
        };
        let check = |site: BiomeSite, biome| assert_eq!(table.classify(&site), biome, "{site:?}");
        check(site, Biome::TemperateForest);
        check(BiomeSite { ground_m: -3_000.0, ..site }, Biome::Ocean);
        check(BiomeSite { ground_m: -20.0, ..site }, Biome::Shallows);
        check(BiomeSite { ground_m: -20.0, temperature_c: -20.0, ..site }, Biome::SeaIce);
        check(BiomeSite { lake_depth_m: 5.0, ..site }, Biome::Lake);
        // The bed of a deep lake may be below the sea.
        check(BiomeSite { ground_m: -40.0, lake_depth_m: 90.0, ..site }, Biome::Lake);
        check(BiomeSite { lake_depth_m: 5.0, temperature_c: -20.0, ..site }, Biome::Ice);
        check(BiomeSite { ground_m: 2_500.0, temperature_c: 1.0, ..site }, Biome::AlpineMeadow);
        check(BiomeSite { ground_m: 4_000.0, temperature_c: -8.0, ..site }, Biome::BareRock);
        check(BiomeSite { ground_m: 6_000.0, temperature_c: -18.0, ..site }, Biome::Ice);
        check(BiomeSite { temperature_c: 25.0, rain_mm: 50.0, is_sink: true, ..site }, Biome::SaltFlat);
        check(BiomeSite { is_sink: true, ..site }, Biome::TemperateForest);
    }

    #[test]
    fn shores_banks_and_walls_overrule_the_climate_of_the_ground() {
        let table = BiomeTable::default();
        let site = GroundSite {
            ground_m: 400.0,
            water: None,
            over_water_m: 0.0,
            slope: 0.02,
            temperature_c: 12.0,
            rain_mm: 900.0,
        };
        let near = |kind, over_water_m| GroundSite { water: Some(kind), over_water_m, ..site };
        let check = |site: GroundSite, biome| assert_eq!(table.on_ground(&site), biome, "{site:?}");
        check(site, Biome::TemperateForest);
        check(near(WaterKind::River, -0.5), Biome::River);
        check(near(WaterKind::Lake, -9.0), Biome::Lake);
        check(GroundSite { ground_m: -10.0, ..near(WaterKind::Sea, -2.5) }, Biome::Shallows);
        check(GroundSite { ground_m: 4.0, ..near(WaterKind::Sea, 1.0) }, Biome::Beach);
        check(GroundSite { slope: 0.6, ..near(WaterKind::Sea, 1.0) }, Biome::TemperateForest);
        check(GroundSite { temperature_c: -30.0, ..near(WaterKind::Sea, 1.0) }, Biome::Ice);
        check(near(WaterKind::River, 0.5), Biome::Wetland);
        check(near(WaterKind::River, 5.0), Biome::TemperateForest);
        check(GroundSite { slope: 1.5, ..site }, Biome::BareRock);
        let in_the_desert = GroundSite { temperature_c: 26.0, rain_mm: 60.0, ..site };
        check(in_the_desert, Biome::Desert);
        let on_its_river =
            |over_water_m| GroundSite { water: Some(WaterKind::River), over_water_m, ..in_the_desert };
        check(on_its_river(0.5), Biome::Steppe);
        check(on_its_river(20.0), Biome::Desert);
    }
}
