//! How much of the land each biome has, and in which order they follow each other from the equator to the poles.

use super::survey::Survey;
use super::{Band, Detail, Measure, detail};
use crate::Biome;

/// Land is sorted by latitude into bands this wide, on both hemispheres together.
const BAND_DEG: f64 = 15.0;
const BANDS: usize = 6;

/// Mountains carry the biomes of colder latitudes: where biomes follow each other is judged by land below this.
const LOWLAND_M: f32 = 1_500.0;

/// A band with less land than this share of all land is too small to be judged.
const LAND_SHARE_MIN: f64 = 0.002;

/// Biomes taken together, and the bands of which one must have the greatest share of them.
struct Belt {
    name: &'static str,
    biomes: &'static [Biome],
    bands: std::ops::RangeInclusive<usize>,
}

/// From the equator to the poles.
const BELTS: [Belt; 6] = [
    Belt { name: "rain forest", biomes: &[Biome::TropicalForest, Biome::SeasonalForest], bands: 0..=0 },
    Belt { name: "savanna", biomes: &[Biome::Savanna], bands: 0..=1 },
    Belt { name: "desert", biomes: &[Biome::Desert], bands: 1..=1 },
    Belt { name: "taiga", biomes: &[Biome::Taiga], bands: 3..=4 },
    Belt { name: "tundra", biomes: &[Biome::Tundra], bands: 4..=5 },
    Belt { name: "ice", biomes: &[Biome::Ice], bands: 5..=5 },
];

pub(super) fn measures(survey: &Survey) -> Vec<Measure> {
    let areas = Areas::of(survey, f32::INFINITY);
    let percent = |biome: Biome| 100.0 * areas.share_of_land(&[biome]);
    vec![
        Measure {
            name: "hot_desert",
            value: percent(Biome::Desert),
            unit: "% of land",
            band: Band { low: 8.0, high: 22.0 },
            earth: Some(14.2),
            definition: "Area of biome desert over that of the land; Earth's figure is Köppen's BWh.",
            details: Biome::ALL
                .into_iter()
                .filter(|biome| !biome.is_water() || *biome == Biome::Lake)
                .map(|biome| detail(format!("{}, % of land", biome.name()), percent(biome)))
                .collect(),
        },
        Measure {
            name: "savanna",
            value: percent(Biome::Savanna),
            unit: "% of land",
            band: Band { low: 8.0, high: 20.0 },
            earth: Some(11.5),
            definition: "Area of biome savanna over that of the land; Earth's figure is Köppen's Aw.",
            details: Vec::new(),
        },
        order_by_latitude(&Areas::of(survey, LOWLAND_M)),
    ]
}

/// Steradians of each biome on land, by band of latitude.
struct Areas {
    by_band: [[f64; Biome::ALL.len()]; BANDS],
    /// Sum of each biome's area times the latitude in degrees.
    latitudes: [f64; Biome::ALL.len()],
}

impl Areas {
    /// Of all land that is not above a height.
    fn of(survey: &Survey, highest_m: f32) -> Self {
        // Bands end where the sine of the latitude passes these: no arc sine for every cell.
        let ends: [f64; BANDS] =
            std::array::from_fn(|band| libm::sin(((band + 1) as f64 * BAND_DEG).to_radians()));
        let mut areas =
            Self { by_band: [[0.0; Biome::ALL.len()]; BANDS], latitudes: [0.0; Biome::ALL.len()] };
        for cell in survey.land().filter(|cell| survey.surface_m[*cell] <= highest_m) {
            let Some(biome) = Biome::from_number(survey.biome[cell]) else { continue };
            let sine = survey.lattice.direction(cell).z.abs();
            let band = ends.iter().position(|end| sine < *end).unwrap_or(BANDS - 1);
            let area_sr = survey.area_sr(cell);
            areas.by_band[band][biome as usize] += area_sr;
            areas.latitudes[biome as usize] += area_sr * ((band as f64 + 0.5) * BAND_DEG);
        }
        areas
    }

    fn in_band(&self, band: usize, biomes: &[Biome]) -> f64 {
        biomes.iter().map(|biome| self.by_band[band][*biome as usize]).sum()
    }

    fn land_in_band(&self, band: usize) -> f64 {
        self.by_band[band].iter().sum()
    }

    fn share_of_land(&self, biomes: &[Biome]) -> f64 {
        let land: f64 = (0..BANDS).map(|band| self.land_in_band(band)).sum();
        (0..BANDS).map(|band| self.in_band(band, biomes)).sum::<f64>() / land
    }

    /// Mean distance from the equator.
    fn latitude_deg(&self, biomes: &[Biome]) -> f64 {
        let area: f64 = (0..BANDS).map(|band| self.in_band(band, biomes)).sum();
        biomes.iter().map(|biome| self.latitudes[*biome as usize]).sum::<f64>() / area
    }

    /// The band of whose land these biomes have the greatest share, among bands with enough land.
    fn densest(&self, biomes: &[Biome]) -> Option<usize> {
        let share = |band: usize| self.in_band(band, biomes) / self.land_in_band(band);
        self.judged().max_by(|a, b| share(*a).total_cmp(&share(*b))).filter(|band| share(*band) > 0.0)
    }

    fn judged(&self) -> impl Iterator<Item = usize> {
        let land: f64 = (0..BANDS).map(|band| self.land_in_band(band)).sum();
        (0..BANDS).filter(move |band| self.land_in_band(*band) >= LAND_SHARE_MIN * land)
    }
}

fn order_by_latitude(areas: &Areas) -> Measure {
    let mut mistakes = 0;
    let mut details: Vec<Detail> = Vec::new();
    let last = areas.judged().last().unwrap_or(0);
    let mut before_deg = 0.0;
    for belt in &BELTS {
        let latitude_deg = areas.latitude_deg(belt.biomes);
        let densest = areas.densest(belt.biomes);
        // Without land at the poles, ice is densest where the land ends.
        let bands = (*belt.bands.start()).min(last)..=(*belt.bands.end());
        mistakes += usize::from(!densest.is_some_and(|band| bands.contains(&band)));
        // A belt that is missing has no latitude.
        mistakes += usize::from(latitude_deg.is_nan() || latitude_deg <= before_deg);
        before_deg = latitude_deg;
        details.push(detail(format!("{}: mean distance from the equator, °", belt.name), latitude_deg));
        let from_deg = densest.map_or(f64::NAN, |band| band as f64 * BAND_DEG);
        details.push(detail(format!("{}: greatest share of a band of 15°, from, °", belt.name), from_deg));
    }
    Measure {
        name: "biome_order",
        value: mistakes as f64,
        unit: "mistakes",
        band: Band { low: 0.0, high: 0.0 },
        earth: Some(0.0),
        definition: "On land below 1,500 m, rain forest, savanna, hot desert, taiga, tundra and ice must follow each other by their mean \
                     distance from the equator, and have their greatest share of the land in the band of latitude \
                     where Earth has it: 0–15°, 0–30°, 15–30°, 45–75°, 60–90°, 75–90°. Each of these twelve that does \
                     not hold is a mistake. Bands with less than 0.2 % of the land do not count.",
        details,
    }
}
