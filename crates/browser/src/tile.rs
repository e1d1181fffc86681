//! Terrain tiles for the renderer: one S2 cell drawn as a grid of `quads`×`quads`. Runs in the page's workers.
//!
//! No place is refused: poles, cube edges and the sea are ordinary input. Addresses outside the cube are answered
//! with a count of zero bytes.

use glam::DVec3;
use planet::{Climate, Planet};

use crate::mesh::{Address, Bytes, HEADER_BYTES, climate_shares, origin_near};
use crate::planet::planet_ref;

/// Quads between two climate samples: climate is smoother than relief, and dearer.
const CLIMATE_STEP: usize = 4;
/// Tiles with vertices closer than this show the very ground that bodies walk on.
const WALKED_SPACING_M: f64 = 1.5;
/// The most quads a tile may have a side; keeps vertex indices below 2^16.
pub(crate) const QUADS_MAX: u32 = 64;

/// Bytes that [`tile_build`] writes for a grid of `quads`; 0 if it would refuse them.
///
/// ```text
/// header  origin f64×3 | bounding sphere centre f64×3 | its radius f64 | lowest, highest elevation f32×2
/// arrays  position f32×3 | normal and concavity i16×4 | elevation f32 | temperature, rain u16×2, each for V vertices
/// V       (quads+1)² of the grid, row by row (j, then i), then the skirts: south, north, west, east
/// ```
///
/// Positions are metres from the origin; everything is little endian.
#[unsafe(no_mangle)]
pub extern "C" fn tile_bytes(quads: u32) -> u32 {
    if quads == 0 || quads > QUADS_MAX || !(quads as usize).is_multiple_of(CLIMATE_STEP) {
        return 0;
    }
    (HEADER_BYTES + vertex_count(quads as usize) * 28) as u32
}

/// Writes the mesh of the cell (`face`, `level`, `i`, `j`) to `out` and returns the bytes written, 0 if refused.
///
/// # Safety
/// `planet` is a live handle of `planet_new`; `out` has room for [`tile_bytes`]`(quads)` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tile_build(
    planet: usize,
    face: u32,
    level: u32,
    i: u32,
    j: u32,
    quads: u32,
    out: *mut u8,
) -> u32 {
    let bytes = tile_bytes(quads);
    let Some(address) = Address::try_new(face, level, i, j) else { return 0 };
    if bytes == 0 {
        return 0;
    }
    // SAFETY: the caller's promise above.
    let (planet, out) = unsafe { (planet_ref(planet), std::slice::from_raw_parts_mut(out, bytes as usize)) };
    Tile::build(planet, address, quads as usize).write(out);
    bytes
}

fn vertex_count(quads: usize) -> usize {
    let side = quads + 1;
    side * side + 4 * side
}

struct Vertex {
    position: DVec3,
    normal: DVec3,
    concavity: f64,
    elevation_m: f64,
    climate: Climate,
}

struct Tile {
    origin: DVec3,
    center: DVec3,
    radius_m: f64,
    lowest_m: f64,
    highest_m: f64,
    vertices: Vec<Vertex>,
}

impl Tile {
    fn build(planet: &Planet, address: Address, quads: usize) -> Self {
        let side = quads + 1;
        let bordered = side + 2;
        let spacing_m = address.edge_m(planet.radius_m()) / quads as f64;
        let step = 1.0 / quads as f64;
        // Where people walk the ground is drawn with all its detail, or their feet would sink into it.
        let smallest_form_m = if spacing_m < WALKED_SPACING_M { 0.0 } else { spacing_m };

        // One sample more on every side, so that normals agree with the neighbour's.
        let mut directions = Vec::with_capacity(bordered * bordered);
        let mut elevations = Vec::with_capacity(bordered * bordered);
        for y in 0..bordered {
            for x in 0..bordered {
                let direction = address.direction((x as f64 - 1.0) * step, (y as f64 - 1.0) * step);
                elevations.push(planet.elevation_coarse_m(direction, smallest_form_m));
                directions.push(direction);
            }
        }
        let surface: Vec<DVec3> = directions
            .iter()
            .zip(&elevations)
            .map(|(direction, elevation)| *direction * (planet.radius_m() + elevation.max(0.0)))
            .collect();

        let climates = ClimateGrid::sample(planet, address, quads);
        let middle = surface[(bordered / 2) * bordered + bordered / 2];
        let origin = origin_near(middle);
        let vertex = |x: usize, y: usize, drop_m: f64| {
            let at = (y + 1) * bordered + x + 1;
            let (west, east, south, north) = (at - 1, at + 1, at - bordered, at + bordered);
            let up = directions[at];
            let around = (elevations[west] + elevations[east] + elevations[south] + elevations[north]) / 4.0;
            Vertex {
                position: surface[at] - up * drop_m - origin,
                normal: (surface[east] - surface[west])
                    .cross(surface[north] - surface[south])
                    .normalize_or(up),
                concavity: ((around - elevations[at]) / spacing_m).clamp(-1.0, 1.0),
                elevation_m: elevations[at],
                climate: climates.at(x, y, elevations[at]),
            }
        };

        let mut vertices = Vec::with_capacity(vertex_count(quads));
        for y in 0..side {
            vertices.extend((0..side).map(|x| vertex(x, y, 0.0)));
        }
        let grid = &vertices[..side * side];
        let center = middle;
        let reach_m = grid.iter().map(|v| (v.position + origin - center).length()).fold(0.0, f64::max);
        let lowest_m = grid.iter().map(|v| v.elevation_m).fold(f64::INFINITY, f64::min);
        let highest_m = grid.iter().map(|v| v.elevation_m).fold(f64::NEG_INFINITY, f64::max);

        // Deep enough for a neighbour of half the detail, whose edge may pass below ours, and for the curve of the globe.
        let relief_m = highest_m.max(0.0) - lowest_m.max(0.0);
        let chord_m = 4.0 * spacing_m;
        let bulge_m = chord_m * chord_m / (8.0 * planet.radius_m());
        let drop_m = 0.3 + spacing_m.min(relief_m * 0.25 + 1.0) + bulge_m;
        vertices.extend((0..side).map(|x| vertex(x, 0, drop_m)));
        vertices.extend((0..side).map(|x| vertex(x, quads, drop_m)));
        vertices.extend((0..side).map(|y| vertex(0, y, drop_m)));
        vertices.extend((0..side).map(|y| vertex(quads, y, drop_m)));
        Self { origin, center, radius_m: reach_m + drop_m, lowest_m, highest_m, vertices }
    }

    fn write(&self, out: &mut [u8]) {
        let mut bytes = Bytes(out);
        for value in self.origin.to_array().into_iter().chain(self.center.to_array()).chain([self.radius_m]) {
            bytes.put(value.to_le_bytes());
        }
        bytes.put((self.lowest_m as f32).to_le_bytes());
        bytes.put((self.highest_m as f32).to_le_bytes());
        for vertex in &self.vertices {
            for value in vertex.position.to_array() {
                bytes.put((value as f32).to_le_bytes());
            }
        }
        for vertex in &self.vertices {
            for value in vertex.normal.to_array().into_iter().chain([vertex.concavity]) {
                bytes.put(((value * 32_767.0) as i16).to_le_bytes());
            }
        }
        for vertex in &self.vertices {
            bytes.put((vertex.elevation_m as f32).to_le_bytes());
        }
        for vertex in &self.vertices {
            for share in climate_shares(vertex.climate) {
                bytes.put(((share * 65_535.0) as u16).to_le_bytes());
            }
        }
    }
}

/// Climate at every fourth vertex, at the sea's level and high above it; read in between by linear interpolation, so
/// that snow follows the heights of the tile.
struct ClimateGrid {
    side: usize,
    samples: Vec<[Climate; 2]>,
}

impl ClimateGrid {
    const HIGH_M: f64 = 1000.0;

    fn sample(planet: &Planet, address: Address, quads: usize) -> Self {
        let intervals = quads / CLIMATE_STEP;
        let side = intervals + 1;
        let at = |index: usize| index as f64 / intervals as f64;
        let samples = (0..side)
            .flat_map(|y| (0..side).map(move |x| (x, y)))
            .map(|(x, y)| {
                let direction = address.direction(at(x), at(y));
                [0.0, Self::HIGH_M].map(|height_m| planet.climate_at_elevation(direction, height_m))
            })
            .collect();
        Self { side, samples }
    }

    fn at(&self, x: usize, y: usize, elevation_m: f64) -> Climate {
        let (column, row) = ((x / CLIMATE_STEP).min(self.side - 2), (y / CLIMATE_STEP).min(self.side - 2));
        let share =
            |vertex: usize, sample: usize| (vertex - sample * CLIMATE_STEP) as f64 / CLIMATE_STEP as f64;
        let (along, across) = (share(x, column), share(y, row));
        let upwards = elevation_m.max(0.0) / Self::HIGH_M;
        let read = |field: fn(&Climate) -> f64| {
            let value = |dx: usize, dy: usize| {
                let [low, high] = &self.samples[(row + dy) * self.side + column + dx];
                field(low) + (field(high) - field(low)) * upwards
            };
            let south = value(0, 0) + (value(1, 0) - value(0, 0)) * along;
            let north = value(0, 1) + (value(1, 1) - value(0, 1)) * along;
            south + (north - south) * across
        };
        Climate { temperature_c: read(|c| c.temperature_c), rain_mm: read(|c| c.rain_mm).max(0.0) }
    }
}

#[cfg(test)]
mod tests {
    use planet::PlanetSpec;

    use super::*;

    fn planet_for_test() -> Planet {
        Planet::generate(PlanetSpec::for_test(1, 3))
    }

    fn tile(face: u32, level: u32, i: u32, j: u32) -> Tile {
        let address = Address::try_new(face, level, i, j).expect("inside the face");
        Tile::build(&planet_for_test(), address, 8)
    }

    #[test]
    fn neighbours_share_the_vertices_of_their_edge() {
        for (level, i, j) in [(3, 2, 5), (10, 511, 300), (19, 262_143, 77_777)] {
            let (west, east) = (tile(2, level, i, j), tile(2, level, i + 1, j));
            for y in 0..=8 {
                let a = &west.vertices[y * 9 + 8];
                let b = &east.vertices[y * 9];
                assert!(
                    (a.position + west.origin - b.position - east.origin).length() < 1e-6,
                    "level {level} row {y}"
                );
                assert!((a.normal - b.normal).length() < 1e-6, "level {level} row {y}");
            }
        }
    }

    #[test]
    fn faces_of_the_cube_meet_without_a_gap() {
        // Face 0's east edge is face 1's west edge.
        let last = (1 << 6) - 1;
        let (west, east) = (tile(0, 6, last, 20), tile(1, 6, 0, 20));
        for y in 0..=8 {
            let a = west.vertices[y * 9 + 8].position + west.origin;
            let b = east.vertices[y * 9].position + east.origin;
            assert!((a - b).length() < 1e-6, "row {y}: {a} {b}");
        }
    }

    #[test]
    fn every_vertex_lies_inside_the_bounding_sphere_and_not_below_the_sea() {
        let planet = planet_for_test();
        for (face, level, i, j) in [(0, 0, 0, 0), (5, 1, 1, 1), (4, 9, 200, 3), (2, 20, 1, 1 << 19)] {
            let tile = tile(face, level, i, j);
            for vertex in &tile.vertices {
                let at = vertex.position + tile.origin;
                assert!((at - tile.center).length() <= tile.radius_m + 1e-6);
            }
            for vertex in &tile.vertices[..81] {
                let at = vertex.position + tile.origin;
                assert!(at.length() >= planet.radius_m() - 1e-6);
                assert!(vertex.normal.dot(at.normalize()) > 0.0, "normals point outwards");
            }
        }
    }

    #[test]
    fn the_climate_of_a_vertex_is_the_planets() {
        let planet = planet_for_test();
        let (address, quads) = (Address::try_new(1, 9, 250, 300).expect("inside the face"), 16);
        let grid = ClimateGrid::sample(&planet, address, quads);
        for (x, y) in [(0, 0), (3, 5), (9, 16), (16, 16)] {
            let direction = address.direction(x as f64 / 16.0, y as f64 / 16.0);
            for elevation_m in [-500.0, 0.0, 340.0, 2100.0] {
                let (read, exact) =
                    (grid.at(x, y, elevation_m), planet.climate_at_elevation(direction, elevation_m));
                assert!((read.temperature_c - exact.temperature_c).abs() < 0.2, "{x} {y} {elevation_m}");
                assert!(
                    (read.rain_mm - exact.rain_mm).abs() < 0.05 * exact.rain_mm + 20.0,
                    "{x} {y} {elevation_m}"
                );
            }
        }
    }

    #[test]
    fn addresses_outside_the_cube_are_refused() {
        for (face, level, i, j) in [(6, 0, 0, 0), (0, 0, 1, 0), (0, 3, 0, 8), (0, 25, 0, 0)] {
            assert!(Address::try_new(face, level, i, j).is_none());
        }
        for quads in [0, 3, 68, 1000] {
            assert_eq!(tile_bytes(quads), 0);
        }
    }
}
