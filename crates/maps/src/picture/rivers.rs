//! Rivers as lines, where they are narrower than pixels: thinner the less water they carry, and only those that a zoom
//! has room for.

use std::collections::BTreeSet;
use std::sync::Arc;

use cell::CellId;
use glam::{DVec2, DVec3, Vec2};
use planet::{Planet, Reach};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::view::View;

/// Rivers of less discharge, in m³/s on a planet of Earth's size, are not drawn where a pixel is a kilometre there;
/// coarser pixels leave out more.
const DISCHARGE_MIN_AT_KM: f64 = 10.0;
const DISCHARGE_GROWTH: f64 = 1.3;

/// Widths of lines in pixels: of the least river that is drawn, more for each doubling of discharge, and the most.
const LINE_LEAST: f32 = 0.55;
const LINE_GROWTH: f32 = 0.28;
const LINE_MOST: f32 = 2.2;

/// Discharge over the least at which a line is fully there, and how much of it is there at the least.
const FADED_IN: f32 = 2.5;
const FAINTEST: f32 = 0.25;

/// Wider than this, in pixels, a river is seen in the ground itself.
const OWN_WIDTH: f32 = 2.5;

/// Pixels around a window in which lines may begin that reach into it.
const MARGIN: f64 = 3.0;

/// Gathers the rivers of cells and keeps those asked for last: tiles of low zooms share the same few cells.
pub(crate) struct Rivers {
    kept: Cache<Drawn, Arc<[Stretch]>, StretchBytes>,
}

/// Which rivers: those of a cell that are drawn at one size of pixels, as the bits of its length.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Drawn {
    cell: CellId,
    pixel: u64,
}

/// What is drawn of a reach.
#[derive(Clone, Copy)]
struct Stretch {
    a: DVec3,
    b: DVec3,
    width_m: f32,
    /// Over that of the least river that is drawn.
    discharge: f32,
}

#[derive(Clone)]
struct StretchBytes;

impl Weighter<Drawn, Arc<[Stretch]>> for StretchBytes {
    fn weight(&self, _: &Drawn, stretches: &Arc<[Stretch]>) -> u64 {
        (size_of_val::<[Stretch]>(stretches) + 128) as u64
    }
}

impl Rivers {
    /// Keeps about `bytes_max` of lines.
    pub(crate) fn new(bytes_max: u64) -> Self {
        /// Of a cell with some rivers.
        const CELL_BYTES: u64 = 16 << 10;
        Self { kept: Cache::with_weighter((bytes_max / CELL_BYTES) as usize, bytes_max, StretchBytes) }
    }

    /// Share of each pixel of a view that lines of rivers cover, row by row without the pixels outside.
    pub(crate) fn under(&self, planet: &Planet, view: &View) -> Vec<f32> {
        let mut canvas = Canvas::new(view);
        let pixel_m = view.nominal_pixel() * planet.radius_m();
        for cell in cells_under(view) {
            for stretch in &*self.of_cell(planet, cell, pixel_m) {
                canvas.draw(view, stretch, pixel_m);
            }
        }
        canvas.coverage
    }

    fn of_cell(&self, planet: &Planet, cell: CellId, pixel_m: f64) -> Arc<[Stretch]> {
        let key = Drawn { cell, pixel: pixel_m.to_bits() };
        if let Some(kept) = self.kept.get(&key) {
            return kept;
        }
        let least = least_discharge_m3_s(planet.spec().shift, pixel_m);
        let reaches = planet.reaches(cell, MARGIN * pixel_m, least);
        let stretches: Arc<[Stretch]> = reaches.iter().map(|reach| Stretch::of(reach, least)).collect();
        self.kept.insert(key, Arc::clone(&stretches));
        stretches
    }
}

/// Of the least river that is drawn where pixels are this large.
fn least_discharge_m3_s(shift: u8, pixel_m: f64) -> f64 {
    let shift = f64::from(shift);
    let earth_pixel_km = pixel_m * libm::exp2(shift) / 1_000.0;
    let earth_m3_s = DISCHARGE_MIN_AT_KM * libm::pow(earth_pixel_km, DISCHARGE_GROWTH);
    // A planet's areas, and with them its waters, shrink by 4^-shift.
    earth_m3_s * libm::exp2(-2.0 * shift)
}

impl Stretch {
    fn of(reach: &Reach, least: f64) -> Self {
        Self {
            a: reach.a,
            b: reach.b,
            width_m: reach.width_a_m.max(reach.width_b_m) as f32,
            discharge: (reach.discharge_m3_s / least) as f32,
        }
    }
}

/// Cells of about 256 pixels that hold every pixel of a view.
fn cells_under(view: &View) -> BTreeSet<CellId> {
    /// Less than the shortest side of such a cell.
    const STEP: usize = 64;
    const CELL_LEVELS: f64 = 8.0;
    let (width, height) = (view.width as i32, view.height as i32);
    let mut cells = BTreeSet::new();
    for row in (0..height).step_by(STEP).chain([height - 1]) {
        let row = view.row(row);
        let level = (View::lattice_level(row) - CELL_LEVELS).max(0.0) as u8;
        for column in (0..width).step_by(STEP).chain([width - 1]) {
            let leaf = CellId::from_point(view.direction(row, view.column(column)));
            cells.insert(leaf.parent(level));
        }
    }
    // Rows of different latitude may name a cell and its children: the parent is enough.
    let all = cells.clone();
    cells.retain(|cell| (0..cell.level()).all(|level| !all.contains(&cell.parent(level))));
    cells
}

struct Canvas {
    width: i32,
    height: i32,
    coverage: Vec<f32>,
}

impl Canvas {
    fn new(view: &View) -> Self {
        let count = view.width as usize * view.height as usize;
        Self { width: view.width as i32, height: view.height as i32, coverage: vec![0.0; count] }
    }

    fn draw(&mut self, view: &View, stretch: &Stretch, nominal_pixel_m: f64) {
        let own = stretch.width_m / nominal_pixel_m as f32;
        if own > OWN_WIDTH {
            return;
        }
        let (Some(a), Some(b)) = (view.place(stretch.a), view.place(stretch.b)) else { return };
        // The shorter way round, and again from the other side of the world.
        let round = view.world_width().map_or(0.0, |world| world * ((a.x - b.x) / world).round());
        let b = b + DVec2::new(round, 0.0);
        let doublings = libm::log2f(stretch.discharge).max(0.0);
        let half = 0.5 * (LINE_LEAST + LINE_GROWTH * doublings).min(LINE_MOST).max(own);
        let strength = ((stretch.discharge - 1.0) / (FADED_IN - 1.0)).clamp(FAINTEST, 1.0);
        self.line(a.as_vec2(), b.as_vec2(), half, strength);
        if round != 0.0 {
            let back = DVec2::new(round, 0.0);
            self.line((a - back).as_vec2(), (b - back).as_vec2(), half, strength);
        }
    }

    /// A line with round ends.
    fn line(&mut self, a: Vec2, b: Vec2, half: f32, strength: f32) {
        let reach = half + 1.0;
        let (low, high) = (a.min(b) - reach, a.max(b) + reach);
        let range =
            |low: f32, high: f32, end: i32| (low.floor() as i32).max(0)..=(high.ceil() as i32).min(end - 1);
        let along = b - a;
        let length_squared = along.length_squared().max(1e-6);
        for row in range(low.y, high.y, self.height) {
            for column in range(low.x, high.x, self.width) {
                let pixel = Vec2::new(column as f32 + 0.5, row as f32 + 0.5);
                let share = ((pixel - a).dot(along) / length_squared).clamp(0.0, 1.0);
                let distance = (pixel - a - along * share).length();
                // A line thinner than a pixel covers a part of it.
                let covered = (half + 0.5 - distance).clamp(0.0, 1.0).min(2.0 * half) * strength;
                let at = &mut self.coverage[(row * self.width + column) as usize];
                *at = at.max(covered);
            }
        }
    }
}
