//! How deep the water of a grid is, and how high its dry ground stands over the water beside it.
//!
//! A shore runs between vertices: where the depth, linear from one vertex to the next, is zero. So dry vertices near
//! water need a depth too, below zero.

use planet::Patch;

/// Depth of vertices that are farther than [`RINGS`] from any water.
pub(crate) const NO_WATER_M: f32 = -1000.0;
/// So many vertices around water know how high they stand over it. A patch needs as many rows around it, or tiles
/// would not agree along their edges.
pub(crate) const RINGS: u32 = 2;
/// Dry ground is at least this much over the water, or a bank below its river's surface would be drawn flooded.
const DRY_M: f32 = 0.05;

/// The water at one vertex.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Water {
    /// Metres of water over the ground; below zero, metres of the ground over the water nearby.
    pub(crate) depth_m: f32,
    /// Whether that water is the sea.
    pub(crate) is_sea: bool,
}

/// The water at every vertex of a patch, border included.
pub(crate) fn waters(patch: &Patch) -> Vec<Water> {
    let side = patch.side();
    let mut surfaces = patch.water_m.clone();
    for _ in 0..RINGS {
        surfaces = spread(&surfaces, side);
    }
    let dry_or_wet = patch.water_m.iter().zip(&surfaces).zip(&patch.elevations_m);
    dry_or_wet
        .map(|((own_m, near_m), ground_m)| Water {
            depth_m: match (own_m.is_nan(), near_m.is_nan()) {
                (false, _) => own_m - ground_m,
                (true, false) => (near_m - ground_m).min(-DRY_M),
                (true, true) => NO_WATER_M,
            },
            is_sea: *near_m == 0.0,
        })
        .collect()
}

/// Gives every vertex without a surface the mean of those around it.
fn spread(surfaces: &[f32], side: usize) -> Vec<f32> {
    let around = |at: usize| {
        let (x, y) = (at % side, at / side);
        let columns = x.saturating_sub(1)..=(x + 1).min(side - 1);
        let rows = y.saturating_sub(1)..=(y + 1).min(side - 1);
        rows.flat_map(move |row| columns.clone().map(move |column| row * side + column))
    };
    (0..surfaces.len())
        .map(|at| {
            if !surfaces[at].is_nan() {
                return surfaces[at];
            }
            let (mut sum, mut count) = (0.0, 0.0);
            for surface_m in around(at).map(|near| surfaces[near]).filter(|surface| !surface.is_nan()) {
                sum += surface_m;
                count += 1.0;
            }
            // NaN where there is none.
            sum / count
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use cell::CellId;

    use super::*;

    /// One row of ground repeated, so that the grid is as wide as high.
    fn patch(ground: &[f32], water: &[f32]) -> Patch {
        let side = ground.len();
        let rows = |row: &[f32]| row.repeat(side);
        Patch {
            cell: CellId::from_face(0),
            quads: side as u32 - 1,
            border: 0,
            elevations_m: rows(ground),
            water_m: rows(water),
            temperatures_c: vec![0.0; side * side],
            rain_mm: vec![0.0; side * side],
            biomes: vec![planet::Biome::ALL[0]; side * side],
        }
    }

    #[test]
    fn ground_beside_water_knows_how_high_it_stands_over_it() {
        let nan = f32::NAN;
        let waters = waters(&patch(&[7.0, 9.0, 12.0, 9.5, 20.0], &[10.0, 10.0, nan, nan, nan]));
        let depths: Vec<_> = waters[..5].iter().map(|water| water.depth_m).collect();
        assert_eq!(depths, [3.0, 1.0, -2.0, -DRY_M, NO_WATER_M]);
        assert!(waters.iter().all(|water| !water.is_sea));
    }

    #[test]
    fn the_shore_of_the_sea_is_the_seas() {
        let nan = f32::NAN;
        let waters = waters(&patch(&[-4.0, 1.0, 2.0, 5.0], &[0.0, nan, nan, nan]));
        assert_eq!(
            waters[..4].iter().map(|water| water.is_sea).collect::<Vec<_>>(),
            [true, true, true, false]
        );
        assert_eq!(waters[2].depth_m, -2.0);
    }
}
