//! Heights of a real planet, brought onto the cells of a raster.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use cell::{face_uv_to_point, st_to_uv};
use glam::DVec3;
use thiserror::Error;

use crate::global::parallel::for_chunks;

/// Heights all over a sphere on an equirectangular grid: row 0 in the north, column 0 at longitude −180°, each value
/// that of its pixel's middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeightGrid<'h> {
    columns: usize,
    rows: usize,
    heights_m: &'h [f32],
}

/// Why heights make no planet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeightsError {
    /// A pixel without data, or infinite.
    #[error("row {row}, column {column} holds no height")]
    NoHeight {
        /// From 0 in the north.
        row: usize,
        /// From 0 at longitude −180°.
        column: usize,
    },
    /// There is nowhere to stand.
    #[error("all heights are at 0 or below: there is no land")]
    AllSea,
    /// No river would find an end.
    #[error("all heights are above 0: there is no sea")]
    AllLand,
}

impl<'h> HeightGrid<'h> {
    /// A grid of heights in metres on a planet of Earth's size, row by row.
    ///
    /// # Panics
    /// If there are no rows or columns, or not one height for each pixel.
    pub fn new(columns: usize, rows: usize, heights_m: &'h [f32]) -> Self {
        assert!(columns > 0 && rows > 0 && heights_m.len() == columns * rows, "one height a pixel");
        Self { columns, rows, heights_m }
    }

    /// Is there a height everywhere, and land, and sea? The first that is not so is told.
    pub fn check(&self) -> Result<(), HeightsError> {
        if let Some(pixel) = self.heights_m.iter().position(|height_m| !height_m.is_finite()) {
            return Err(HeightsError::NoHeight { row: pixel / self.columns, column: pixel % self.columns });
        }
        let is_land = |height_m: &f32| *height_m > 0.0;
        if !self.heights_m.iter().any(is_land) {
            Err(HeightsError::AllSea)
        } else if self.heights_m.iter().all(is_land) {
            Err(HeightsError::AllLand)
        } else {
            Ok(())
        }
    }

    /// The mean height of each raster cell of a level, face by face, row by row: what
    /// [`generate_from_elevation`](crate::global::generate_from_elevation) takes. The bits do not depend on the threads.
    pub fn on_cells(&self, raster_level: u8, threads: usize) -> Vec<f32> {
        let side = 1_usize << raster_level;
        let samples = self.samples_along(side);
        let mut means = vec![0.0; 6 * side * side];
        for_chunks(threads, &mut means, side, |number, row| {
            let (face, j) = ((number / side) as u8, number % side);
            for (i, mean) in row.iter_mut().enumerate() {
                *mean = self.mean(face, (i * samples, j * samples), samples, side * samples);
            }
        });
        means
    }

    /// Samples along a cell so that no pixel is passed over: four cells' sides go once around at most.
    fn samples_along(&self, side: usize) -> usize {
        self.columns.div_ceil(4 * side)
    }

    /// The mean over a square of points of a face's lattice whose side has `lattice` points.
    fn mean(&self, face: u8, (first_i, first_j): (usize, usize), samples: usize, lattice: usize) -> f32 {
        let middle = |index: usize| st_to_uv((index as f64 + 0.5) / lattice as f64);
        let mut sum = 0.0;
        for v in (first_j..first_j + samples).map(middle) {
            for u in (first_i..first_i + samples).map(middle) {
                sum += self.height_m(face_uv_to_point(face, u, v));
            }
        }
        (sum / (samples * samples) as f64) as f32
    }

    /// Between the middles of the four pixels around a direction. Columns go round; beyond a pole is the other side.
    fn height_m(&self, DVec3 { x, y, z }: DVec3) -> f64 {
        let latitude_rad = libm::atan2(z, (x * x + y * y).sqrt());
        let longitude_rad = libm::atan2(y, x);
        let column = (longitude_rad + PI) / TAU * self.columns as f64 - 0.5;
        let row = (FRAC_PI_2 - latitude_rad) / PI * self.rows as f64 - 0.5;
        let (west, north) = (column.floor(), row.floor());
        let (to_east, to_south) = (column - west, row - north);
        let along = |row: i64| {
            let (row, turn) = match row {
                -1 => (0, self.columns / 2),
                row if row == self.rows as i64 => (self.rows - 1, self.columns / 2),
                row => (row as usize, 0),
            };
            let at = |column: i64| {
                let column = (column + turn as i64).rem_euclid(self.columns as i64) as usize;
                f64::from(self.heights_m[row * self.columns + column])
            };
            at(west as i64) * (1.0 - to_east) + at(west as i64 + 1) * to_east
        };
        along(north as i64) * (1.0 - to_south) + along(north as i64 + 1) * to_south
    }
}

#[cfg(test)]
mod tests {
    use cell::{CellId, FaceIj, LatLng};

    use super::*;
    use crate::global::{GlobalSpec, generate_from_elevation};
    use crate::{BiomeTable, Receiver};

    /// Smooth all over the sphere, the date line included.
    fn wavy_m(latitude_rad: f64, longitude_rad: f64) -> f64 {
        4_000.0 * libm::sin(latitude_rad) + 2_000.0 * libm::cos(latitude_rad) * libm::cos(longitude_rad)
    }

    fn wavy(columns: usize) -> Vec<f32> {
        let rows = columns / 2;
        let pixels = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let height_m = |(row, column): (usize, usize)| {
            let latitude_rad = FRAC_PI_2 - (row as f64 + 0.5) / rows as f64 * PI;
            wavy_m(latitude_rad, (column as f64 + 0.5) / columns as f64 * TAU - PI) as f32
        };
        pixels.map(height_m).collect()
    }

    #[test]
    fn heights_arrive_where_they_are_from_files_finer_and_coarser_than_the_raster() {
        for columns in [64, 360, 1_024] {
            let heights = wavy(columns);
            let grid = HeightGrid::new(columns, columns / 2, &heights);
            let means = grid.on_cells(6, 1);
            let side = 1_u32 << 6;
            for (index, mean) in (0_u32..).zip(&means) {
                let at =
                    FaceIj { face: (index / (side * side)) as u8, i: index % side, j: index / side % side };
                let place = LatLng::from_point(CellId::from_face_ij(at, 6).center());
                let expected = wavy_m(place.lat_deg().to_radians(), place.lng_deg().to_radians());
                // Straight lines between pixels miss a wave by its curvature.
                let error_max_m = 8_000.0 / columns as f64;
                assert!(
                    (f64::from(*mean) - expected).abs() < error_max_m,
                    "{columns} {place:?} {mean} {expected}"
                );
            }
            assert_eq!(grid.on_cells(6, 3), means);
        }
    }

    #[test]
    fn a_fine_file_is_averaged_and_not_sampled() {
        // Stripes one pixel wide: whoever samples points gets one of the two.
        let columns = 2_048;
        let stripes: Vec<f32> = (0..columns * columns / 2)
            .map(|pixel| if (pixel % columns + pixel / columns) % 2 == 0 { 1_000.0 } else { 0.0 })
            .collect();
        let means = HeightGrid::new(columns, columns / 2, &stripes).on_cells(6, 2);
        let far_off = means.iter().filter(|mean| (**mean - 500.0).abs() > 120.0).count();
        assert!(far_off * 100 < means.len(), "{far_off} of {}", means.len());
    }

    /// Three continents: one over the antimeridian, one over a pole, one in the middle of a face.
    fn is_continent(place: DVec3) -> bool {
        [(10.0, 180.0, 30.0_f64), (-90.0, 0.0, 20.0), (30.0, 0.0, 25.0)].into_iter().any(
            |(lat, lng, radius)| {
                let middle = LatLng::from_degrees(lat, lng).unwrap().to_point();
                place.dot(middle) > libm::cos(radius.to_radians())
            },
        )
    }

    #[test]
    fn continents_stand_where_they_stood_and_their_rivers_arrive() {
        let (columns, rows, level) = (256, 128, 6);
        let heights_m: Vec<f32> = (0..rows * columns)
            .map(|pixel| {
                let step = 360.0 / columns as f64;
                let lat_deg = 90.0 - ((pixel / columns) as f64 + 0.5) * step;
                let place = LatLng::from_degrees(lat_deg, ((pixel % columns) as f64 + 0.5) * step - 180.0);
                if is_continent(place.unwrap().to_point()) { 700.0 } else { -3_000.0 }
            })
            .collect();
        let elevations_m = HeightGrid::new(columns, rows, &heights_m).on_cells(level, 1);
        let spec = GlobalSpec { seed: 1, raster_level: level, threads: 1 };
        let raster = generate_from_elevation(&spec, &elevations_m, &BiomeTable::default(), &mut |_| {});
        let cells = (0..6).flat_map(|face| CellId::from_face(face).descendants(level));
        let is_wrong = |cell: &CellId| {
            let is_land = raster.cell(level, cell.face_ij()).unwrap().receiver != Receiver::Sea;
            is_land != is_continent(cell.center())
        };
        let wrong = cells.filter(is_wrong).count();
        // Cells that a coast runs through may go either way.
        assert!(wrong * 50 < elevations_m.len(), "{wrong} of {} cells", elevations_m.len());
        let stats = crate::stats::measure(&raster);
        let drained = stats.measures.iter().find(|measure| measure.name == "land_drained").unwrap();
        assert!(drained.passes(), "{drained:?}");
    }

    #[test]
    fn what_is_no_planet_is_told_why() {
        let good = wavy(64);
        let check = |heights_m: &[f32]| HeightGrid::new(64, 32, heights_m).check();
        assert_eq!(check(&good), Ok(()));
        let mut holed = good.clone();
        holed[3 * 64 + 5] = f32::NAN;
        assert_eq!(check(&holed), Err(HeightsError::NoHeight { row: 3, column: 5 }));
        assert_eq!(check(&vec![-10.0; good.len()]), Err(HeightsError::AllSea));
        assert_eq!(check(&vec![10.0; good.len()]), Err(HeightsError::AllLand));
    }
}
