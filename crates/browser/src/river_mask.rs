//! The rivers of a tile as a small picture, for what a grid of vertices is too coarse to show.
//!
//! Each river is drawn as wide as it is, but not narrower than a texel or so, and fainter the smaller it is beside the
//! tile: at every level about as many rivers are to be seen.

use cell::{CellId, FaceIj, face_uv_to_point, uv_to_st};
use glam::{DVec2, DVec3};
use planet::{Planet, Reach};

use crate::mesh::mean_edge_m;

/// Texels along a side. The outermost lie on the edge of the cell, so that tiles agree there.
pub(crate) const MASK_SIDE: usize = 128;
/// Half the width of the thinnest line.
const HALF_WIDTH_MIN_TEXELS: f64 = 0.6;
/// A river is drawn in full if its basin is so many texels wide…
const FULL_BASIN_TEXELS: f64 = 40.0;
/// …and not at all if it carries less than this share of what such a basin yields.
const FAINTEST: f64 = 0.08;
/// Yield of land, m³/s a square metre: 0.3 m of the year's rain runs off.
const RUNOFF_M_S: f64 = 1e-8;

/// Quads over a cell for whose detail [`Planet::reaches`] answers.
const REACHES_QUADS: u32 = 64;

/// Shares of the texels that are river, 0 to 255, row by row like the vertices of a tile of `quads`; none if all are dry.
pub(crate) fn river_mask(planet: &Planet, cell: CellId, quads: u32) -> Option<Vec<u8>> {
    let edge_m = mean_edge_m(cell, planet.radius_m());
    let texel_m = edge_m / (MASK_SIDE - 1) as f64;
    let basin_m = FULL_BASIN_TEXELS * texel_m;
    let full_m3_s = RUNOFF_M_S * basin_m * basin_m;
    // A wider cell is asked, so that the rivers are of the layer of the raster that the ground of the tile is of.
    let levels_up = REACHES_QUADS.div_ceil(quads).ilog2() as u8;
    let asked = cell.parent(cell.level().saturating_sub(levels_up));
    let reaches = planet.reaches(asked, 2.0 * texel_m, full_m3_s * FAINTEST);
    let grid = Grid::new(cell);
    let mut mask = vec![0; MASK_SIDE * MASK_SIDE];
    for reach in &reaches {
        let strength = ((reach.discharge_m3_s / full_m3_s - FAINTEST) / (1.0 - FAINTEST)).clamp(0.0, 1.0);
        draw(&mut mask, &grid, reach, texel_m, strength);
    }
    mask.iter().any(|share| *share > 0).then_some(mask)
}

/// Where directions lie in a cell, in texels.
struct Grid {
    normal: DVec3,
    u_axis: DVec3,
    v_axis: DVec3,
    corner: DVec2,
    cells: f64,
}

impl Grid {
    fn new(cell: CellId) -> Self {
        let FaceIj { face, i, j } = cell.face_ij();
        let normal = face_uv_to_point(face, 0.0, 0.0);
        Self {
            normal,
            u_axis: face_uv_to_point(face, 1.0, 0.0) - normal,
            v_axis: face_uv_to_point(face, 0.0, 1.0) - normal,
            corner: DVec2::new(f64::from(i), f64::from(j)),
            cells: f64::from(1_u32 << cell.level()),
        }
    }

    /// None on the far side of the planet.
    fn texel(&self, direction: DVec3) -> Option<DVec2> {
        let depth = direction.dot(self.normal);
        if depth <= 0.0 {
            return None;
        }
        let st = DVec2::new(
            uv_to_st(direction.dot(self.u_axis) / depth),
            uv_to_st(direction.dot(self.v_axis) / depth),
        );
        Some((st * self.cells - self.corner) * (MASK_SIDE - 1) as f64)
    }
}

/// Draws a line with round ends and soft edges over what is there.
fn draw(mask: &mut [u8], grid: &Grid, reach: &Reach, texel_m: f64, strength: f64) {
    let (Some(a), Some(b)) = (grid.texel(reach.a), grid.texel(reach.b)) else { return };
    let half_width = |width_m: f64| (width_m / texel_m / 2.0).max(HALF_WIDTH_MIN_TEXELS);
    let (half_a, half_b) = (half_width(reach.width_a_m), half_width(reach.width_b_m));
    let reach_texels = half_a.max(half_b) + 0.5;
    let last = (MASK_SIDE - 1) as f64;
    let (low, high) = (a.min(b) - reach_texels, a.max(b) + reach_texels);
    if high.min_element() < 0.0 || low.max_element() > last {
        return;
    }
    let (low, high) = (low.ceil().max(DVec2::ZERO), high.floor().min(DVec2::splat(last)));
    let along = b - a;
    let length_squared = along.length_squared().max(f64::MIN_POSITIVE);
    for y in low.y as usize..=high.y as usize {
        for x in low.x as usize..=high.x as usize {
            let from_a = DVec2::new(x as f64, y as f64) - a;
            let part = (from_a.dot(along) / length_squared).clamp(0.0, 1.0);
            let away = (from_a - along * part).length();
            let half = half_a + (half_b - half_a) * part;
            let share = (half + 0.5 - away).clamp(0.0, 1.0) * strength;
            let texel = &mut mask[y * MASK_SIDE + x];
            *texel = (*texel).max((share * 255.0) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use planet::RiverId;

    use super::*;

    /// A reach between two places of a cell, each 0 to 1 along its sides.
    fn reach(cell: CellId, from: [f64; 2], to: [f64; 2], width_m: f64) -> Reach {
        let FaceIj { face, i, j } = cell.face_ij();
        let cells = f64::from(1_u32 << cell.level());
        let at = |[x, y]: [f64; 2]| {
            let uv = |index: u32, share: f64| cell::st_to_uv((f64::from(index) + share) / cells);
            face_uv_to_point(face, uv(i, x), uv(j, y)).normalize()
        };
        Reach {
            river: RiverId(1),
            a: at(from),
            b: at(to),
            surface_a_m: 1.0,
            surface_b_m: 0.0,
            width_a_m: width_m,
            width_b_m: width_m,
            discharge_m3_s: 1.0,
        }
    }

    fn drawn(cell: CellId, reach: &Reach, texel_m: f64) -> Vec<u8> {
        let mut mask = vec![0; MASK_SIDE * MASK_SIDE];
        draw(&mut mask, &Grid::new(cell), reach, texel_m, 1.0);
        mask
    }

    fn cell_for_test() -> CellId {
        CellId::from_point(DVec3::new(0.3, -0.8, 0.4)).parent(9)
    }

    #[test]
    fn a_line_runs_where_its_river_does_and_is_never_narrower_than_a_texel() {
        let cell = cell_for_test();
        let mask = drawn(cell, &reach(cell, [0.0, 0.5], [1.0, 0.5], 0.01), 10.0);
        for column in 0..MASK_SIDE {
            let sum: u32 = (0..MASK_SIDE).map(|row| u32::from(mask[row * MASK_SIDE + column])).sum();
            assert!((255..=2 * 255).contains(&sum), "column {column} has {sum}");
            assert!(mask[63 * MASK_SIDE + column] > 100 && mask[64 * MASK_SIDE + column] > 100);
        }
    }

    #[test]
    fn a_wide_river_is_as_wide_as_it_is() {
        let cell = cell_for_test();
        let mask = drawn(cell, &reach(cell, [0.5, -0.5], [0.5, 1.5], 200.0), 10.0);
        let wet = (0..MASK_SIDE).filter(|column| mask[64 * MASK_SIDE + column] > 127).count();
        assert!((19..=21).contains(&wet), "{wet} texels of 10 m");
    }

    #[test]
    fn neighbours_agree_on_the_texels_of_their_edge() {
        let west = cell_for_test();
        let FaceIj { face, i, j } = west.face_ij();
        let east = CellId::from_face_ij(FaceIj { face, i: i + 1, j }, west.level());
        let line = reach(west, [0.6, 0.2], [1.4, 0.7], 25.0);
        let (left, right) = (drawn(west, &line, 10.0), drawn(east, &line, 10.0));
        let edge = |mask: &[u8], column: usize| {
            (0..MASK_SIDE).map(|row| mask[row * MASK_SIDE + column]).collect::<Vec<_>>()
        };
        assert_eq!(edge(&left, MASK_SIDE - 1), edge(&right, 0));
        assert!(edge(&right, 0).iter().any(|share| *share > 200));
    }

    #[test]
    fn what_lies_elsewhere_leaves_no_trace() {
        let cell = cell_for_test();
        for (from, to) in [([1.5, 0.5], [1.6, 0.9]), ([-3.0, -3.0], [-2.0, -2.5])] {
            assert!(drawn(cell, &reach(cell, from, to, 1.0), 10.0).iter().all(|share| *share == 0));
        }
        let behind = Reach { a: -cell.center(), b: -cell.center(), ..reach(cell, [0.0; 2], [1.0; 2], 1.0) };
        assert!(drawn(cell, &behind, 10.0).iter().all(|share| *share == 0));
    }
}
