//! What the colours of a layer mean, for people.

use planet::{Biome, PlanetSpec};
use serde::Serialize;
use utoipa::ToSchema;

use crate::picture::{MapLayer, biome_color, height_colors};

/// One colour and its meaning.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LegendEntry {
    /// Number of the biome; absent for heights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub biome: Option<u8>,
    /// Metres above the sea on this planet; absent for biomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height_m: Option<f32>,
    /// For people.
    #[schema(example = "temperate forest")]
    pub label: String,
    /// Red, green and blue.
    #[schema(example = "#80a462")]
    pub color: String,
}

impl LegendEntry {
    /// All of a layer on a planet: biomes by their numbers, heights from the deepest sea upwards.
    pub fn all(layer: MapLayer, spec: PlanetSpec) -> Vec<Self> {
        match layer {
            MapLayer::Biome => Biome::ALL.into_iter().map(Self::of_biome).collect(),
            MapLayer::Elevation => {
                // Heights shrink by the planet's scale of relief, 2^(−2/3 · shift).
                let relief = libm::exp2f(-2.0 / 3.0 * f32::from(spec.shift));
                height_colors().map(|(earth_m, color)| Self::of_height(earth_m * relief, color)).collect()
            }
        }
    }

    fn of_biome(biome: Biome) -> Self {
        let number = biome as u8;
        let color = hex(biome_color(biome));
        Self { biome: Some(number), height_m: None, label: biome.name().to_owned(), color }
    }

    fn of_height(height_m: f32, color: [u8; 3]) -> Self {
        Self { biome: None, height_m: Some(height_m), label: format!("{height_m:.0} m"), color: hex(color) }
    }
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legends_are_in_order_and_in_the_planets_own_metres() {
        let biomes = LegendEntry::all(MapLayer::Biome, PlanetSpec::default());
        assert_eq!(biomes.len(), Biome::ALL.len());
        assert_eq!((biomes[0].label.as_str(), biomes[0].color.as_str()), ("ocean", "#3e78a0"));

        let heights = |shift| -> Vec<f32> {
            let entries = LegendEntry::all(MapLayer::Elevation, PlanetSpec::for_test(1, shift));
            entries.into_iter().filter_map(|entry| entry.height_m).collect()
        };
        let (earth, small) = (heights(0), heights(3));
        assert!(earth.is_sorted() && earth.contains(&0.0));
        assert!(earth.iter().zip(&small).all(|(earth_m, small_m)| (earth_m / 4.0 - small_m).abs() < 0.01));
    }
}
