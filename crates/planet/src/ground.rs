//! Asking about one place: the ground, the water over it, and the rivers around.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cell::{CellId, FaceIj};
use glam::DVec3;

use crate::local::Cache;
use crate::local::place::{Place, Places};
use crate::local::scale::MEAN_EDGE;
use crate::local::surface::Surface;
use crate::{Biome, Climate, GroundSite, Planet};

/// The ground under a direction and the water over it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ground {
    /// Height of the ground over the sea, below zero on the sea floor.
    pub elevation_m: f64,
    /// Height of the surface of the sea, lake or river that covers the ground; none where it is dry.
    pub water_m: Option<f64>,
}

/// Level, at shift 3, of the cells whose corners are the ground that bodies walk on: 1.1 m apart.
const WALKED_LEVEL: u8 = 20;

/// Levels between these cells and a tile of them.
const TILE_DEPTH: u8 = 4;
const TILE_QUADS: usize = 1 << TILE_DEPTH;
const TILE_SIDE: usize = TILE_QUADS + 1;
const TILE_VERTICES: usize = TILE_SIDE * TILE_SIDE;

/// Tiles of 18 m that are kept, 2.3 KB each: of a server, 20 km² of ground that somebody walks on. Where that does not
/// suffice, each step may cost a tile.
const TILES: usize = if cfg!(target_family = "wasm") { 2_048 } else { 65_536 };

/// Tiles that each thread has at hand without asking the others.
const TILES_AT_HAND: usize = 512;

/// The ground that bodies walk on: tiles of vertices, kept for all threads, the last ones at hand in each.
#[derive(Debug)]
pub(crate) struct Walked {
    /// Different for every planet of the process, so that threads do not mistake one's tiles for another's.
    planet: u64,
    tiles: Cache<Tile>,
}

/// 16 × 16 quads of ground.
#[derive(Debug)]
struct Tile {
    elevation_m: [f32; TILE_VERTICES],
    /// NaN where it is dry.
    water_m: [f32; TILE_VERTICES],
}

/// A tile at hand: of which planet, where, at which state of the raster.
struct AtHand {
    planet: u64,
    position: FaceIj,
    revision: u64,
    tile: Arc<Tile>,
}

thread_local! {
    static AT_HAND: RefCell<Vec<Option<AtHand>>> = RefCell::new((0..TILES_AT_HAND).map(|_| None).collect());
}

impl Walked {
    pub(crate) fn new() -> Self {
        static PLANETS: AtomicU64 = AtomicU64::new(0);
        Self { planet: PLANETS.fetch_add(1, Ordering::Relaxed), tiles: Cache::new(TILES) }
    }
}

impl Tile {
    /// The ground in a quad, at (x, y) of it.
    fn ground(&self, column: usize, row: usize, (x, y): (f64, f64)) -> Ground {
        let first = row * TILE_SIDE + column;
        let corners = [first, first + 1, first + TILE_SIDE, first + TILE_SIDE + 1];
        let weights = [(1.0 - x) * (1.0 - y), x * (1.0 - y), (1.0 - x) * y, x * y];
        let (mut elevation_m, mut water_m, mut wet) = (0.0, 0.0, 0.0);
        for (corner, weight) in corners.into_iter().zip(weights) {
            elevation_m += weight * f64::from(self.elevation_m[corner]);
            let level_m = f64::from(self.water_m[corner]);
            if !level_m.is_nan() {
                // However little: water comes up to the shore from the one wet corner.
                wet += weight + 1e-9;
                water_m += (weight + 1e-9) * level_m;
            }
        }
        let water_m = (wet > 0.0).then(|| water_m / wet).filter(|water_m| *water_m > elevation_m);
        Ground { elevation_m, water_m }
    }
}

impl Planet {
    /// Height of the ground over the sea under a direction, below zero on the sea floor: what bodies walk on.
    ///
    /// Between the corners of cells 1.1 m wide it is interpolated, so that it is what is drawn there.
    pub fn elevation_m(&self, direction: DVec3) -> f64 {
        self.ground(direction).elevation_m
    }

    /// Height of the surface of the water that covers the ground under a direction; none where it is dry.
    pub fn water_m(&self, direction: DVec3) -> Option<f64> {
        self.ground(direction).water_m
    }

    /// The ground and the water under a direction.
    ///
    /// Some 50 ns where somebody of the thread has been of late, some 50 µs where nobody has been.
    pub fn ground(&self, direction: DVec3) -> Ground {
        let level = self.grid_level(WALKED_LEVEL);
        let (quad, x, y) = Place::of(unit(direction)).in_cell(level);
        let position = FaceIj { face: quad.face, i: quad.i >> TILE_DEPTH, j: quad.j >> TILE_DEPTH };
        let (column, row) = (quad.i as usize % TILE_QUADS, quad.j as usize % TILE_QUADS);
        AT_HAND.with_borrow_mut(|at_hand| {
            let slot = &mut at_hand[slot_of(position)];
            if !slot.as_ref().is_some_and(|known| self.is_current(known, position)) {
                *slot = Some(self.fetched(position, level - TILE_DEPTH));
            }
            let known = slot.as_ref().expect("it has just been put there");
            known.tile.ground(column, row, (x, y))
        })
    }

    fn is_current(&self, known: &AtHand, position: FaceIj) -> bool {
        known.planet == self.walked.planet
            && known.position == position
            && (known.revision == u64::MAX || known.revision == self.raster().revision())
    }

    fn fetched(&self, position: FaceIj, level: u8) -> AtHand {
        let cell = CellId::from_face_ij(position, level);
        let revision = self.raster().revision();
        let (tile, is_complete) = self.walked.tiles.get(cell, revision, || {
            let surface = self.surface(cell, TILE_QUADS as u32, 0);
            let values = |values: &[f32]| std::array::from_fn(|index| values[index]);
            let tile = Tile { elevation_m: values(&surface.elevation_m), water_m: values(&surface.water_m) };
            (tile, surface.is_complete)
        });
        let revision = if is_complete { u64::MAX } else { revision };
        AtHand { planet: self.walked.planet, position, revision, tile }
    }

    /// The surface at the vertices of a patch.
    pub(crate) fn surface(&self, cell: CellId, quads: u32, border: u32) -> Surface {
        let places = Places::grid(cell, quads, border);
        self.local.surface(&places, self.local.detail(self.spacing_m(cell.level(), quads)))
    }

    /// The surface at one place.
    fn spot(&self, direction: DVec3, spacing_m: f64) -> Surface {
        self.local.surface(&Places::of(&[Place::of(unit(direction))], 1), self.local.detail(spacing_m))
    }

    /// The ground without forms smaller than a grid of this spacing could show.
    pub fn elevation_coarse_m(&self, direction: DVec3, spacing_m: f64) -> f64 {
        f64::from(self.spot(direction, spacing_m).elevation_m[0])
    }

    /// Mean temperature and yearly rain at the ground.
    pub fn climate(&self, direction: DVec3) -> Climate {
        self.climate_at_elevation(direction, self.elevation_m(direction))
    }

    /// [`climate`](Self::climate) for one who has asked for the elevation already, or thinks of another.
    pub fn climate_at_elevation(&self, direction: DVec3, elevation_m: f64) -> Climate {
        let (fields, _) = self.local.fields(&Place::of(unit(direction)), self.raster().level());
        Climate {
            temperature_c: f64::from(self.local.temperature_c(&fields, elevation_m as f32)),
            rain_mm: f64::from(fields.rain_mm),
        }
    }

    /// What grows there.
    pub fn biome(&self, direction: DVec3) -> Biome {
        self.biomes_of(&self.spot(direction, 0.0))[0]
    }

    /// What grows at the places of a surface.
    pub(crate) fn biomes_of(&self, surface: &Surface) -> Vec<Biome> {
        /// Rain is felt so much differently from one hillock to the next that no border runs straight.
        const PATCHINESS: f32 = 0.3;
        let earth_m = self.local.scale.relief.recip() as f32;
        let water = surface.water.iter().zip(&surface.over_water_m);
        let climate = surface.temperature_c.iter().zip(&surface.rain_mm);
        let ground = surface.elevation_m.iter().zip(surface.slope.iter().zip(&surface.wave));
        let places = water.zip(climate).zip(ground);
        places
            .map(|(((water, over_water_m), (temperature_c, rain_mm)), (elevation_m, (slope, wave)))| {
                self.biomes.on_ground(&GroundSite {
                    ground_m: elevation_m * earth_m,
                    water: *water,
                    over_water_m: *over_water_m,
                    slope: *slope,
                    temperature_c: *temperature_c,
                    rain_mm: rain_mm * (1.0 + PATCHINESS * wave),
                })
            })
            .collect()
    }

    /// Mean distance of vertices on a grid of `quads` over a cell of a level.
    pub fn spacing_m(&self, level: u8, quads: u32) -> f64 {
        self.radius_m() * MEAN_EDGE / (f64::from(1_u32 << level) * f64::from(quads))
    }
}

/// Directions that are none count as some direction.
fn unit(direction: DVec3) -> DVec3 {
    direction.try_normalize().unwrap_or(DVec3::X)
}

/// Neighbouring tiles have different slots.
fn slot_of(FaceIj { face, i, j }: FaceIj) -> usize {
    let side = (TILES_AT_HAND as f64).sqrt() as usize;
    (i as usize % side + j as usize * side + usize::from(face) * 131) % TILES_AT_HAND
}
