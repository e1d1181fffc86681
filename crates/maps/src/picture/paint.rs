//! From samples to pixels: colour, light, water.

use glam::{Vec2, Vec3};
use planet::Planet;

use super::ground::DRY_M;
use super::sample::Samples;
use super::view::View;
use super::{MapLayer, Picture, palette};

/// Where the light comes from in a picture, x to the right, y upwards: the upper left, as on maps of paper, because
/// people see hills as hollows when it comes from below.
const SUN: Vec3 = Vec3::new(-0.5, 0.5, std::f32::consts::FRAC_1_SQRT_2);

/// A weaker light across the first, so that ridges along it are seen as well.
const SIDE_LIGHT: Vec3 = Vec3::new(0.45, 0.45, 0.77);
const SIDE_LIGHT_SHARE: f32 = 0.25;

/// What shade is tinted with: colder than what the sun lights.
const SHADE: Vec3 = Vec3::new(0.36, 0.42, 0.52);
const SHINE: Vec3 = Vec3::new(255.0, 251.0, 238.0);

/// Pixels of this size, in metres on a planet of Earth's size, show slopes as they are; larger ones, whose slopes are
/// ever gentler, steeper than they are.
const TRUE_PIXEL_M: f32 = 12.0;
const EXAGGERATION_GROWTH: f32 = 0.38;

/// The sea is seen through its ice a little.
const ICE_OPACITY: f32 = 0.85;

/// How a planet's metres compare with those of one of Earth's size.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// Metres of height there for one here.
    height: f32,
    /// Slope there for the same slope here.
    slope: f32,
    /// How much steeper than it is the relief is drawn.
    exaggeration: f32,
}

impl Scale {
    fn of(planet: &Planet, view: &View) -> Self {
        let shift = f32::from(planet.spec().shift);
        let height = libm::exp2f(2.0 / 3.0 * shift);
        let pixel_m = (view.nominal_pixel() * planet.radius_m()) as f32 * libm::exp2f(shift);
        let exaggeration = libm::powf((pixel_m / TRUE_PIXEL_M).max(1.0), EXAGGERATION_GROWTH);
        Self { height, slope: libm::exp2f(-shift / 3.0), exaggeration }
    }
}

/// Gives every pixel of a view its colour.
/// `rivers` is the share of each that lines of rivers cover.
pub(crate) fn paint(
    planet: &Planet,
    view: &View,
    samples: &Samples,
    rivers: &[f32],
    layer: MapLayer,
) -> Picture {
    let scale = Scale::of(planet, view);
    let mut rgb = Vec::with_capacity(3 * (view.width * view.height) as usize);
    for row in 0..view.height {
        let size_m = (view.row(row as i32).pixel * planet.radius_m()).as_vec2();
        for column in 0..view.width {
            let at = (row as usize + 1) * samples.stride + column as usize + 1;
            let river = rivers[(row * view.width + column) as usize];
            rgb.extend(palette::bytes(pixel(samples, at, river, size_m, scale, layer)));
        }
    }
    Picture { width: view.width, height: view.height, rgb }
}

fn pixel(samples: &Samples, at: usize, river: f32, size_m: Vec2, scale: Scale, layer: MapLayer) -> Vec3 {
    let ground_m = samples.elevations_m[at];
    let slope = gradient(&samples.elevations_m, at, samples.stride) / size_m * scale.slope;
    let depth_m = samples.depths_m[at];
    let wet = if depth_m > DRY_M { coverage(samples, at) } else { 0.0 };
    let mut color = Vec3::ZERO;
    if wet < 1.0 {
        let flat = match layer {
            MapLayer::Biome => on_slope(samples.tints[at].truncate(), slope.length()),
            MapLayer::Elevation => palette::land_at_height(ground_m * scale.height),
        };
        let land = lit(flat, slope * scale.exaggeration, 1.0);
        color += land.lerp(palette::RIVER, river) * (1.0 - wet);
    }
    if wet > 0.0 {
        let bare = water(ground_m, depth_m.max(0.0), slope * scale.exaggeration, scale);
        let ice = if layer == MapLayer::Biome { samples.tints[at].w / 255.0 } else { 0.0 };
        color += bare.lerp(palette::SEA_ICE, ice * ICE_OPACITY) * wet;
    }
    color
}

/// The sea and its floor, or a lake.
fn water(ground_m: f32, depth_m: f32, slope: Vec2, scale: Scale) -> Vec3 {
    /// Light on the floor is dimmer than on land: depth is told by colour.
    const FLOOR_LIGHT: f32 = 0.16;
    let surface_m = ground_m + depth_m;
    if surface_m.abs() < 0.01 {
        lit(palette::sea_at_depth(depth_m * scale.height), slope, FLOOR_LIGHT)
    } else {
        palette::fresh_water_at_depth(depth_m * scale.height)
    }
}

/// Share of a pixel that is under water, from where the depth passes zero near its middle.
fn coverage(samples: &Samples, at: usize) -> f32 {
    let depth_m = samples.depths_m[at];
    let stride = samples.stride;
    // Change of the depth over a pixel, from those neighbours that know it.
    let change = |before: usize, after: usize| {
        let (before_m, after_m) = (samples.depths_m[before], samples.depths_m[after]);
        match (before_m > DRY_M, after_m > DRY_M) {
            (true, true) => (after_m - before_m) * 0.5,
            (true, false) => depth_m - before_m,
            (false, true) => after_m - depth_m,
            (false, false) => 0.0,
        }
    };
    let change_m = Vec2::new(change(at - 1, at + 1), change(at - stride, at + stride)).length();
    (depth_m / change_m.max(1e-3) + 0.5).clamp(0.0, 1.0)
}

/// Rise per pixel to the right and upwards.
fn gradient(heights_m: &[f32], at: usize, stride: usize) -> Vec2 {
    Vec2::new(heights_m[at + 1] - heights_m[at - 1], heights_m[at - stride] - heights_m[at + stride]) * 0.5
}

/// Nothing holds on to a cliff.
fn on_slope(tint: Vec3, slope: f32) -> Vec3 {
    /// Slopes (rise over run, on a planet of Earth's size) where rock begins to show, and where it is all one sees.
    const ROCK_FROM: f32 = 0.45;
    const ROCK_TO: f32 = 1.1;
    let rock = ((slope - ROCK_FROM) / (ROCK_TO - ROCK_FROM)).clamp(0.0, 1.0);
    tint.lerp(palette::ROCK, 0.6 * rock)
}

/// A colour in the light: as it is where the ground is level.
fn lit(flat: Vec3, slope: Vec2, strength: f32) -> Vec3 {
    /// How much of the way to shade and shine the light may go.
    const SHADE_MAX: f32 = 0.78;
    const SHINE_MAX: f32 = 0.42;
    let normal = Vec3::new(-slope.x, -slope.y, 1.0).normalize();
    let from = |sun: Vec3| normal.dot(sun) / sun.z;
    let light = from(SUN) * (1.0 - SIDE_LIGHT_SHARE) + from(SIDE_LIGHT) * SIDE_LIGHT_SHARE;
    if light < 1.0 {
        flat.lerp(flat * SHADE, ((1.0 - light) * SHADE_MAX * strength).min(SHADE_MAX))
    } else {
        flat.lerp(SHINE, ((light - 1.0) * SHINE_MAX * strength).min(SHINE_MAX))
    }
}
