//! Rivers as lines, and the tiles that a place needs.

use std::collections::{BTreeMap, BTreeSet};

use cell::{CellId, FaceIj};
use glam::DVec3;

use crate::local::land::Reader;
use crate::local::segment::{Course, Stream, levels_m, line, stream_at};
use crate::local::sheet::continued;
use crate::{Planet, TileId};

/// Which river: the raster cell, as a raw cell id of the raster's level, where it reaches the sea, a lake without an
/// outlet or the dry bottom of a basin. All that flows together has one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RiverId(pub u64);

/// A straight stretch of a river's middle line, in the direction of flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// The river it belongs to.
    pub river: RiverId,
    /// Unit vector of the upper end.
    pub a: DVec3,
    /// Unit vector of the lower end.
    pub b: DVec3,
    /// Height of the water over the sea at `a`.
    pub surface_a_m: f64,
    /// Height of the water over the sea at `b`, never above that at `a`.
    pub surface_b_m: f64,
    /// Width at `a`.
    pub width_a_m: f64,
    /// Width at `b`.
    pub width_b_m: f64,
    /// Mean discharge on this planet.
    pub discharge_m3_s: f64,
}

/// Quads of the patch whose layer of the raster a cell's rivers are taken from.
const PATCH_QUADS: u32 = 64;

/// So many raster cells away, a node may still decide about the ground; fields alone look less far.
const COURSES_LOOK_CELLS: i64 = 9;
const FIELDS_LOOK_CELLS: i64 = 4;

impl Planet {
    /// The rivers of at least a discharge (on this planet) in a cell and `margin_m` around it.
    ///
    /// Lines and ids do not depend on the cell, but on the layer of the raster: cells that one sees from afar show the
    /// rivers of a coarser layer, straighter and fewer, as their patches show its heights.
    pub fn reaches(&self, cell: CellId, margin_m: f64, discharge_min_m3_s: f64) -> Vec<Reach> {
        let layer = self.local.detail(self.spacing_m(cell.level(), PATCH_QUADS)).layer;
        let edge_m = self.local.scale.edge_m(layer);
        let look_cells = 2 + (1.6 * margin_m / edge_m) as i64;
        let mut reader = Reader::new(&self.local.scale, self.raster());
        let mut rivers = BTreeMap::new();
        let mut reaches = Vec::new();
        let discharge_min_m3_s = discharge_min_m3_s.max(Stream::DISCHARGE_MIN_M3_S);
        let near = Near::new(self, cell, margin_m);
        for at in cells_about(cell, layer, look_cells, 1) {
            // Most cells carry too little: this is found out before anything else.
            if reader.cell_of(layer, at).discharge_m3_s < discharge_min_m3_s {
                continue;
            }
            let Some((course, to)) = self.local.course(&mut reader, layer, at) else { continue };
            if course.halvings == 0 {
                continue;
            }
            let points = line(self.local.scale.seed, &course);
            if !points.windows(2).any(|ends| near.has(ends[0], ends[1])) {
                continue;
            }
            let river = Self::river(&mut reader, layer, at, &mut rivers);
            let levels_m = levels_m(&course, &points, |point, level_m| {
                self.local.level_at_shore_m(layer, point, level_m, to).0
            });
            reaches.extend(
                stretches(river, &course, &points, &levels_m).filter(|reach| near.has(reach.a, reach.b)),
            );
        }
        reaches
    }

    /// Where the water of a raster cell ends.
    fn river(
        reader: &mut Reader<'_>,
        layer: u8,
        from: FaceIj,
        known: &mut BTreeMap<CellId, RiverId>,
    ) -> RiverId {
        let (mut at, mut passed) = (from, Vec::new());
        let river = loop {
            let id = CellId::from_face_ij(at, layer);
            if let Some(river) = known.get(&id) {
                break *river;
            }
            passed.push(id);
            let cell = reader.cell_of(layer, at);
            match Reader::receiver(layer, at, &cell) {
                // A raster from elsewhere may run in a circle.
                Some(receiver) if passed.len() < CELLS_PASSED_MAX => at = receiver,
                _ => break RiverId(id.raw()),
            }
        };
        known.extend(passed.into_iter().map(|id| (id, river)));
        river
    }

    /// The tiles that must be put in the raster before a patch of the cell with vertices `spacing_m` apart, and some
    /// beyond its border, is exact; none on a server, which has all.
    pub fn missing(&self, cell: CellId, spacing_m: f64) -> Vec<TileId> {
        let detail = self.local.detail(spacing_m);
        let look_cells = if detail.courses.refinements > 0 { COURSES_LOOK_CELLS } else { FIELDS_LOOK_CELLS };
        // Half a tile apart, no tile is stepped over.
        let tiles: BTreeSet<TileId> = cells_about(cell, detail.layer, look_cells, 32)
            .into_iter()
            .map(|at| TileId::holding(detail.layer, at))
            .collect();
        tiles.into_iter().filter(|tile| self.raster().tile(*tile).is_none()).collect()
    }
}

/// No river is longer.
const CELLS_PASSED_MAX: usize = 1 << 20;

fn stretches(
    river: RiverId,
    course: &Course,
    points: &[DVec3],
    levels_m: &[f64],
) -> impl Iterator<Item = Reach> {
    let parts = (points.len() - 1) as f64;
    (0..points.len() - 1).map(move |index| Reach {
        river,
        a: points[index],
        b: points[index + 1],
        surface_a_m: levels_m[index],
        surface_b_m: levels_m[index + 1],
        width_a_m: stream_at(course, index as f64 / parts).width_m,
        width_b_m: stream_at(course, (index + 1) as f64 / parts).width_m,
        discharge_m3_s: course.discharge_m3_s,
    })
}

/// A ball about a cell and its surroundings.
struct Near {
    center: DVec3,
    radius: f64,
}

impl Near {
    fn new(planet: &Planet, cell: CellId, margin_m: f64) -> Self {
        let center = cell.center();
        let radius = cell.corners().into_iter().map(|corner| (corner - center).length()).fold(0.0, f64::max);
        Self { center, radius: radius + margin_m / planet.radius_m() }
    }

    fn has(&self, a: DVec3, b: DVec3) -> bool {
        let along = b - a;
        let square = along.length_squared();
        let share = if square > 0.0 { ((self.center - a).dot(along) / square).clamp(0.0, 1.0) } else { 0.0 };
        (a + along * share - self.center).length() < self.radius
    }
}

/// Cells of a level in a cell and `look` cells around it, every `step`th and the outermost.
fn cells_about(cell: CellId, level: u8, look: i64, step: usize) -> Vec<FaceIj> {
    let cell = cell.parent(cell.level().min(level));
    let FaceIj { face, i, j } = cell.face_ij();
    let depth = level - cell.level();
    let indices = |index: u32| {
        let (first, last) = (i64::from(index) << depth, ((i64::from(index) + 1) << depth) - 1);
        (first - look..last + look).step_by(step).chain([last + look]).collect::<Vec<_>>()
    };
    let (columns, rows) = (indices(i), indices(j));
    let mut cells: Vec<FaceIj> = rows
        .iter()
        .flat_map(|row| columns.iter().map(move |column| continued(face, (*column, *row), level)))
        .collect();
    cells.sort_unstable_by_key(|at| (at.face, at.j, at.i));
    cells.dedup();
    cells
}
