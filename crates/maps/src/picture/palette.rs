//! Colours. Heights and depths here are those of a planet of Earth's size, so that small planets look alike.

use glam::Vec3;
use planet::Biome;

/// Colour of a biome in pictures and legends: red, green, blue.
pub fn biome_color(biome: Biome) -> [u8; 3] {
    match biome {
        Biome::Ocean => [62, 120, 160],
        Biome::Shallows => [143, 193, 207],
        Biome::Beach => [228, 214, 174],
        Biome::Ice => [243, 247, 250],
        Biome::Tundra => [172, 171, 147],
        Biome::Taiga => [104, 134, 106],
        Biome::TemperateForest => [128, 164, 98],
        Biome::Grassland => [184, 196, 125],
        Biome::Shrubland => [192, 183, 124],
        Biome::Desert => [227, 206, 156],
        Biome::Savanna => [203, 192, 118],
        Biome::TropicalForest => [88, 142, 84],
        Biome::BareRock => [160, 152, 141],
        Biome::ColdDesert => [205, 190, 158],
        Biome::Steppe => [205, 199, 142],
        Biome::SeasonalForest => [132, 166, 88],
        Biome::TemperateRainForest => [96, 145, 102],
        Biome::Wetland => [127, 160, 130],
        Biome::SeaIce => [222, 233, 240],
        Biome::Lake => [131, 182, 203],
        Biome::River => [116, 171, 196],
        Biome::AlpineMeadow => [167, 186, 131],
        Biome::SaltFlat => [237, 232, 218],
    }
}

/// Mean temperatures and yearly rain at which [`CLIMATE`] gives colours.
const TEMPERATURES_C: [f32; 6] = [-12.0, -5.0, 2.0, 9.0, 18.0, 27.0];
const RAINS_MM: [f32; 5] = [0.0, 300.0, 700.0, 1_400.0, 2_600.0];

/// Land by climate: a row for each temperature, a colour for each rain.
const CLIMATE: [[[u8; 3]; 5]; 6] = [
    [[238, 240, 240], [241, 244, 246], [243, 247, 249], [244, 248, 251], [245, 249, 252]],
    [[190, 184, 166], [183, 181, 160], [180, 183, 163], [186, 190, 174], [200, 204, 194]],
    [[193, 179, 143], [163, 163, 128], [119, 143, 111], [105, 135, 107], [101, 132, 108]],
    [[212, 193, 148], [187, 191, 127], [150, 174, 108], [119, 158, 97], [102, 146, 92]],
    [[227, 206, 157], [204, 192, 132], [178, 186, 112], [132, 167, 95], [100, 150, 86]],
    [[232, 208, 158], [216, 196, 134], [198, 190, 113], [142, 170, 92], [84, 140, 80]],
];

/// How much of a land's colour is that of its biome; the rest is that of its climate, which has no borders.
const BIOME_SHARE: f32 = 0.45;

/// Colour of land in the sun, under no water.
pub(crate) fn land_tint(biome: Biome, temperature_c: f32, rain_mm: f32) -> [u8; 3] {
    let climate = climate_color(temperature_c, rain_mm);
    // Under water the biome says nothing about the land, and there the colour fades into the shore.
    let color = match biome {
        water if water.is_water() => climate,
        Biome::Beach | Biome::BareRock | Biome::SaltFlat => climate.lerp(rgb(biome_color(biome)), 0.75),
        land => climate.lerp(rgb(biome_color(land)), BIOME_SHARE),
    };
    bytes(color)
}

fn climate_color(temperature_c: f32, rain_mm: f32) -> Vec3 {
    let (row, down) = between(&TEMPERATURES_C, temperature_c);
    let (column, right) = between(&RAINS_MM, rain_mm);
    let along = |row: usize| rgb(CLIMATE[row][column]).lerp(rgb(CLIMATE[row][column + 1]), right);
    along(row).lerp(along(row + 1), down)
}

/// A colour at each of some heights, lowest first.
struct Ramp<const N: usize> {
    stops: [f32; N],
    colors: [[u8; 3]; N],
}

impl<const N: usize> Ramp<N> {
    const fn new(pairs: [(f32, [u8; 3]); N]) -> Self {
        let (mut stops, mut colors) = ([0.0; N], [[0; 3]; N]);
        let mut index = 0;
        while index < N {
            (stops[index], colors[index]) = pairs[index];
            index += 1;
        }
        Self { stops, colors }
    }

    fn at(&self, x: f32) -> Vec3 {
        let (index, share) = between(&self.stops, x);
        rgb(self.colors[index]).lerp(rgb(self.colors[index + 1]), share)
    }

    fn pairs(&self) -> impl DoubleEndedIterator<Item = (f32, [u8; 3])> + ExactSizeIterator {
        self.stops.into_iter().zip(self.colors)
    }
}

/// Land by height, metres.
static LAND: Ramp<10> = Ramp::new([
    (-400.0, [116, 158, 128]),
    (0.0, [148, 186, 136]),
    (120.0, [174, 201, 146]),
    (350.0, [206, 215, 160]),
    (700.0, [230, 217, 164]),
    (1_300.0, [222, 190, 138]),
    (2_200.0, [201, 158, 114]),
    (3_500.0, [178, 134, 106]),
    (5_000.0, [208, 190, 180]),
    (7_000.0, [250, 250, 250]),
]);

/// Sea by depth, metres.
static SEA: Ramp<8> = Ramp::new([
    (0.0, [170, 213, 219]),
    (30.0, [154, 203, 214]),
    (150.0, [129, 185, 204]),
    (600.0, [102, 163, 190]),
    (2_500.0, [79, 140, 174]),
    (4_200.0, [62, 120, 158]),
    (6_000.0, [48, 99, 140]),
    (10_000.0, [34, 76, 116]),
]);

/// Lakes and rivers by depth, metres.
static FRESH: Ramp<3> = Ramp::new([(0.0, [147, 193, 209]), (40.0, [116, 171, 196]), (800.0, [74, 132, 168])]);

pub(crate) fn land_at_height(earth_m: f32) -> Vec3 {
    LAND.at(earth_m)
}

/// Colours of the elevation layer from the deepest sea to the highest land, with their heights above the sea.
pub(crate) fn height_colors() -> impl Iterator<Item = (f32, [u8; 3])> {
    let sea = SEA.pairs().rev().map(|(depth_m, color)| (-depth_m, color));
    // The shore belongs to both: the legend shows it as land. Dry ground below the sea is rare.
    sea.take(SEA.pairs().len() - 1).chain(LAND.pairs().skip(1))
}

pub(crate) fn sea_at_depth(earth_m: f32) -> Vec3 {
    SEA.at(earth_m)
}

pub(crate) fn fresh_water_at_depth(earth_m: f32) -> Vec3 {
    FRESH.at(earth_m)
}

/// Ice upon the sea.
pub(crate) const SEA_ICE: Vec3 = Vec3::new(226.0, 236.0, 242.0);

/// Lines of rivers.
pub(crate) const RIVER: Vec3 = Vec3::new(84.0, 144.0, 178.0);

/// Bare rock on steep slopes.
pub(crate) const ROCK: Vec3 = Vec3::new(158.0, 150.0, 140.0);

/// The interval of ascending stops that holds `x`, and where in it; the ends hold what is beyond them. Not a number
/// counts as the lowest.
fn between(stops: &[f32], x: f32) -> (usize, f32) {
    let index = stops[1..stops.len() - 1].partition_point(|stop| *stop <= x);
    let share = (x - stops[index]) / (stops[index + 1] - stops[index]);
    (index, if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) })
}

pub(crate) fn rgb(color: [u8; 3]) -> Vec3 {
    let [red, green, blue] = color.map(f32::from);
    Vec3::new(red, green, blue)
}

pub(crate) fn bytes(color: Vec3) -> [u8; 3] {
    // The cast saturates.
    color.to_array().map(|part| (part + 0.5) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramps_pass_through_their_stops_and_hold_beyond_them() {
        for (depth, color) in SEA.pairs() {
            assert_eq!(bytes(sea_at_depth(depth)), color);
        }
        assert_eq!(bytes(sea_at_depth(-5.0)), SEA.colors[0]);
        assert_eq!(bytes(sea_at_depth(1e9)), SEA.colors[7]);
        assert_eq!(bytes(sea_at_depth(f32::NAN)), SEA.colors[0]);
        assert_eq!(bytes(land_at_height(-1e9)), LAND.colors[0]);
    }

    #[test]
    fn every_biome_has_a_color_of_its_own() {
        for (index, biome) in Biome::ALL.into_iter().enumerate() {
            assert!(Biome::ALL[..index].iter().all(|other| biome_color(*other) != biome_color(biome)));
        }
    }

    #[test]
    fn land_is_green_where_it_is_wet_and_white_where_it_is_cold() {
        let [red, green, _] = land_tint(Biome::TropicalForest, 26.0, 2_500.0);
        assert!(green > red + 30);
        let [red, green, blue] = land_tint(Biome::Ice, -20.0, 200.0);
        assert!(red.min(green).min(blue) > 230);
        let [red, _, blue] = land_tint(Biome::Desert, 26.0, 30.0);
        assert!(red > blue + 50);
    }
}
