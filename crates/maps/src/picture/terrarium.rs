//! Heights as colours, in the encoding of the Terrarium tiles: steps of 1/256 m from −32,768 m.

use super::Picture;
use super::sample::Samples;
use super::view::View;

const LOWEST_M: f64 = -32_768.0;
const STEPS_PER_M: f64 = 256.0;

/// Red, green and blue of a height: the nearest step, the ends for what is beyond them.
pub(crate) fn terrarium_color(height_m: f32) -> [u8; 3] {
    let steps = ((f64::from(height_m) - LOWEST_M) * STEPS_PER_M).round();
    // The cast turns what is not a number into the lowest height.
    let steps = steps.clamp(0.0, f64::from((1_u32 << 24) - 1)) as u32;
    let [_, red, green, blue] = steps.to_be_bytes();
    [red, green, blue]
}

/// The heights of the ground under the pixels of a view.
pub(crate) fn terrarium(view: &View, samples: &Samples) -> Picture {
    let rgb = samples.inner_elevations_m(view).flat_map(terrarium_color).collect();
    Picture { width: view.width, height: view.height, rgb }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_have_the_published_colors() {
        let check = |height_m, color| assert_eq!(terrarium_color(height_m), color, "{height_m}");
        check(0.0, [128, 0, 0]);
        check(8_848.86, [162, 144, 220]);
        check(1.5, [128, 1, 128]);
        check(-430.5, [126, 81, 128]);
        check(-10_000.0, [88, 240, 0]);
        check(-11_034.0, [84, 230, 0]);
    }

    #[test]
    fn heights_come_back_within_half_a_step_and_ends_hold() {
        for step in -20_000..20_000_i16 {
            let height_m = f32::from(step) * 0.37;
            let [red, green, blue] = terrarium_color(height_m).map(f64::from);
            let back_m = red * 256.0 + green + blue / 256.0 - 32_768.0;
            assert!((back_m - f64::from(height_m)).abs() <= 0.5 / 256.0, "{height_m} came back as {back_m}");
        }
        assert_eq!(terrarium_color(-1e9), [0, 0, 0]);
        assert_eq!(terrarium_color(1e9), [255, 255, 255]);
        assert_eq!(terrarium_color(f32::NAN), [0, 0, 0]);
    }
}
