//! Where the pixels of a picture are on the sphere, and where a place is in the picture.

use std::f64::consts::{LOG2_E, PI, TAU};

use cell::{face_uv_to_point, st_to_uv, uv_to_st};
use glam::{DVec2, DVec3};

use crate::address::{FaceTile, TILE_PIXELS, TileXyz};

/// Mean edge of a face over the radius (S2 cell statistics, quadratic projection).
const MEAN_FACE_EDGE: f64 = 1.459;

/// A window of pixels in a projected picture of the whole planet, or of one face.
///
/// Pixel (column, row) is at columns to the right and rows downwards; its middle lies half a pixel further. Columns
/// and rows beyond the window go on as the projection does, which is what gradients at its rim need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct View {
    projection: Projection,
    /// Column and row of the whole picture where the window begins.
    left: f64,
    top: f64,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Projection {
    /// The world is `side` pixels wide and high.
    Mercator { side: f64 },
    /// The world is `2 * height` pixels wide.
    PlateCarree { height: f64 },
    /// The face is `side` pixels wide and high; the bottom row has the lowest j.
    Face { face: u8, side: f64 },
}

/// What all pixels of a row share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Sine and cosine of the latitude, or v and nothing.
    place: (f64, f64),
    /// Width and height of a pixel on the unit sphere.
    pub(crate) pixel: DVec2,
}

/// What all pixels of a column share: sine and cosine of the longitude, or u and nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column(f64, f64);

impl View {
    pub(crate) fn of_tile(tile: TileXyz) -> Self {
        let side = f64::from(TILE_PIXELS) * f64::from(1_u32 << tile.z());
        let [left, top] = [tile.x(), tile.y()].map(|index| f64::from(index) * f64::from(TILE_PIXELS));
        Self { projection: Projection::Mercator { side }, left, top, width: TILE_PIXELS, height: TILE_PIXELS }
    }

    pub(crate) fn of_face_tile(tile: FaceTile) -> Self {
        let tiles = 1_u32 << tile.level();
        let side = f64::from(TILE_PIXELS) * f64::from(tiles);
        let [left, top] =
            [tile.i(), tiles - 1 - tile.j()].map(|index| f64::from(index) * f64::from(TILE_PIXELS));
        let projection = Projection::Face { face: tile.face(), side };
        Self { projection, left, top, width: TILE_PIXELS, height: TILE_PIXELS }
    }

    /// Rows `top..top + rows` of an equirectangular picture of the whole planet, twice as wide as `height`.
    pub(crate) fn of_world(height: u32, top: u32, rows: u32) -> Self {
        Self {
            projection: Projection::PlateCarree { height: f64::from(height) },
            left: 0.0,
            top: f64::from(top),
            width: 2 * height,
            height: rows,
        }
    }

    /// The same window some pixels further to the right and down.
    #[cfg(test)]
    pub(crate) fn moved(&self, pixels: f64) -> Self {
        Self { left: self.left + pixels, top: self.top + pixels, ..*self }
    }

    /// Height of a pixel at the equator (in the middle of a face) on the unit sphere: the same in all windows of one
    /// picture.
    pub(crate) fn nominal_pixel(&self) -> f64 {
        match self.projection {
            Projection::Mercator { side } => TAU / side,
            Projection::PlateCarree { height } => PI / height,
            Projection::Face { side, .. } => MEAN_FACE_EDGE / side,
        }
    }

    /// Pixels around the world, where it goes round.
    pub(crate) fn world_width(&self) -> Option<f64> {
        match self.projection {
            Projection::Mercator { side } => Some(side),
            Projection::PlateCarree { height } => Some(2.0 * height),
            Projection::Face { .. } => None,
        }
    }

    /// What the pixels of a row share; rows −1 and `height` are just outside.
    pub(crate) fn row(&self, row: i32) -> Row {
        let y = self.top + f64::from(row) + 0.5;
        match self.projection {
            Projection::Mercator { side } => {
                let northing = PI * (1.0 - 2.0 * y / side);
                // Gudermann: sin φ = tanh ψ, cos φ = 1 / cosh ψ.
                let (sin, cos) = (libm::tanh(northing), 1.0 / libm::cosh(northing));
                Row { place: (sin, cos), pixel: DVec2::splat(TAU * cos / side) }
            }
            Projection::PlateCarree { height } => {
                let (sin, cos) = libm::sincos(PI * (0.5 - y / height));
                // At a pole a pixel has no width; a thousandth keeps gradients finite.
                let pixel = DVec2::new(PI * cos.abs().max(1e-3) / height, PI / height);
                Row { place: (sin, cos), pixel }
            }
            Projection::Face { side, .. } => {
                let v = st_to_uv(1.0 - y / side);
                Row { place: (v, 0.0), pixel: DVec2::splat(MEAN_FACE_EDGE / side) }
            }
        }
    }

    /// What the pixels of a column share.
    pub(crate) fn column(&self, column: i32) -> Column {
        let x = self.left + f64::from(column) + 0.5;
        match self.projection {
            Projection::Mercator { side } => longitude_column(x / side),
            Projection::PlateCarree { height } => longitude_column(x / (2.0 * height)),
            Projection::Face { side, .. } => Column(st_to_uv(x / side), 0.0),
        }
    }

    /// The direction of a pixel's middle: not a unit vector on faces.
    pub(crate) fn direction(&self, row: Row, column: Column) -> DVec3 {
        let (a, b) = row.place;
        match self.projection {
            Projection::Face { face, .. } => face_uv_to_point(face, column.0, a),
            _ => DVec3::new(b * column.1, b * column.0, a),
        }
    }

    /// Lattice level at which cells are about as large as the pixels of a row.
    pub(crate) fn lattice_level(row: Row) -> f64 {
        libm::log(MEAN_FACE_EDGE / row.pixel.y) * LOG2_E
    }

    /// Where a place is in the window, in pixels from its upper left corner; none behind a face. On a world that goes
    /// round, it is the way round that is nearest to the middle of the window.
    pub(crate) fn place(&self, direction: DVec3) -> Option<DVec2> {
        let round = |x: f64, world: f64| {
            let middle = f64::from(self.width) * 0.5;
            let x = x - self.left;
            x - world * ((x - middle) / world).round()
        };
        match self.projection {
            Projection::Mercator { side } => {
                let sin = direction.z / direction.length();
                let y = (1.0 - libm::atanh(sin.clamp(-0.999_999, 0.999_999)) / PI) * 0.5 * side;
                Some(DVec2::new(round(longitude_share(direction) * side, side), y - self.top))
            }
            Projection::PlateCarree { height } => {
                let latitude = libm::asin(direction.z / direction.length());
                let world = 2.0 * height;
                let x = round(longitude_share(direction) * world, world);
                Some(DVec2::new(x, (0.5 - latitude / PI) * height - self.top))
            }
            Projection::Face { face, side } => {
                let (depth, u, v) = on_face(face, direction);
                (depth > 0.2 * direction.length()).then(|| {
                    let x = uv_to_st(u / depth) * side - self.left;
                    DVec2::new(x, (1.0 - uv_to_st(v / depth)) * side - self.top)
                })
            }
        }
    }
}

/// The column at a share of the way round, from longitude −180°.
fn longitude_column(share: f64) -> Column {
    let (sin, cos) = libm::sincos(TAU * (share - 0.5));
    Column(sin, cos)
}

fn longitude_share(direction: DVec3) -> f64 {
    libm::atan2(direction.y, direction.x) / TAU + 0.5
}

/// How far a direction goes towards a face, and along its axes: [`face_uv_to_point`] the other way, also for places a
/// little beyond the face.
fn on_face(face: u8, DVec3 { x, y, z }: DVec3) -> (f64, f64, f64) {
    match face {
        0 => (x, y, z),
        1 => (y, -x, z),
        2 => (z, -x, -y),
        3 => (-x, -z, -y),
        4 => (-y, -z, x),
        _ => (-z, y, x),
    }
}

#[cfg(test)]
mod tests {
    use cell::LatLng;
    use planet::{Planet, PlanetSpec};

    use super::*;

    fn views() -> Vec<View> {
        let planet = Planet::generate(PlanetSpec::for_test(1, 3));
        let tile = |z, x, y| View::of_tile(TileXyz::try_new(&planet, z, x, y).unwrap());
        let face =
            |face, level, i, j| View::of_face_tile(FaceTile::try_new(&planet, face, level, i, j).unwrap());
        let mut views = vec![tile(0, 0, 0), tile(1, 1, 0), tile(3, 7, 2), tile(14, 12_345, 4_321)];
        views.extend([View::of_world(512, 0, 512), View::of_world(512, 128, 64)]);
        views.extend((0..6).flat_map(|it| [face(it, 0, 0, 0), face(it, 9, 0, 511), face(it, 12, 1_000, 7)]));
        views
    }

    #[test]
    fn a_pixel_comes_back_from_its_direction() {
        for view in views() {
            for (column, row) in [(0, 0), (255, 0), (13, view.height as i32 - 1), (100, 31)] {
                let direction = view.direction(view.row(row), view.column(column));
                let at = view.place(direction).expect("in front");
                let expected = DVec2::new(f64::from(column) + 0.5, f64::from(row) + 0.5);
                assert!((at - expected).length() < 1e-4, "{view:?} {expected} came back as {at}");
            }
        }
    }

    #[test]
    fn the_map_begins_in_the_north_west_and_a_face_is_seen_from_outside() {
        let planet = Planet::generate(PlanetSpec::for_test(1, 3));
        let corner = View::of_tile(TileXyz::try_new(&planet, 14, 0, 0).unwrap());
        let place = LatLng::from_point(corner.direction(corner.row(0), corner.column(0)));
        assert!((place.lat_deg() - 85.0511).abs() < 1e-4 && place.lng_deg() < -179.999);

        let face = View::of_face_tile(FaceTile::try_new(&planet, 0, 0, 0, 0).unwrap());
        let (top, bottom) = (face.row(0), face.row(255));
        let north = face.direction(top, face.column(128));
        let south = face.direction(bottom, face.column(128));
        let east = face.direction(top, face.column(255));
        assert!(north.z > south.z && east.y > north.y);
    }

    #[test]
    fn pixels_and_lattice_cells_are_about_the_same_size() {
        for view in views() {
            let row = view.row(0);
            let level = View::lattice_level(row);
            assert!((MEAN_FACE_EDGE / libm::exp2(level) / row.pixel.y - 1.0).abs() < 1e-9);
        }
        let world = views()[0];
        assert!((View::lattice_level(world.row(128)) - 5.893).abs() < 0.01);
    }
}
