//! Terrain tiles for the renderer: one S2 cell drawn as a grid of `quads`×`quads`. Runs in the page's workers.
//!
//! No place is refused: poles, cube edges and the sea are ordinary input. Addresses outside the cube are answered
//! with a count of zero bytes.

use cell::CellId;
use glam::DVec3;
use planet::{Climate, Planet};

use crate::mesh::{Bytes, HEADER_BYTES, cell_at, climate_shares, mean_edge_m, origin_near};
use crate::planet::{planet_ref, write_tile_ids};
use crate::river_mask::{MASK_SIDE, river_mask};
use crate::shore::{RINGS, Water, waters};
use crate::surface::{Form, ParentSurface, Surface};

/// The most quads a tile may have a side; keeps vertex indices below 2^16.
pub(crate) const QUADS_MAX: u32 = 64;
/// Bytes of a vertex in all arrays together.
const VERTEX_BYTES: usize = 44;

/// The most bytes that [`tile_build`] writes for a grid of `quads`; 0 if it would refuse them.
///
/// ```text
/// header  origin f64×3 | bounding sphere centre f64×3 | its radius f64 | lowest, highest ground f32×2
/// arrays  position f32×3 | normal and concavity i16×4 | ground f32 | water f32 | morph f32
///         | parent's normal and concavity i8×4 | temperature, rain u16×2 | biome, sea, river, 0 u8×4,
///         each for V vertices
/// rivers  128×128 u8, only where there are any
/// V       (quads+1)² of the grid, row by row (j, then i), then the skirts: south, north, west, east
/// ```
///
/// Everything is little endian. *Position* is in metres from the origin, on the ground or the water over it. *Ground* is
/// metres over the sea. *Water* is its depth; below zero, how high dry ground stands over the water nearby; −1000 far
/// from any. *Morph* is how many metres higher the surface of the parent tile is at this place; a tile of level 0 is its
/// own parent. *Sea* and *river* are 255 or 0 and say what that water is; with neither it is a lake. The picture of
/// rivers lies over the grid, its outer texels on the edge, and says how much of a texel is river.
#[unsafe(no_mangle)]
pub extern "C" fn tile_bytes(quads: u32) -> u32 {
    if quads == 0 || quads > QUADS_MAX || !quads.is_multiple_of(2) {
        return 0;
    }
    (HEADER_BYTES + vertex_count(quads as usize) * VERTEX_BYTES + MASK_SIDE * MASK_SIDE) as u32
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
    let capacity = tile_bytes(quads);
    let Some(cell) = cell_at(face, level, i, j) else { return 0 };
    if capacity == 0 {
        return 0;
    }
    // SAFETY: the caller's promise above.
    let (planet, out) =
        unsafe { (planet_ref(planet), std::slice::from_raw_parts_mut(out, capacity as usize)) };
    Tile::build(planet, cell, quads as usize).write(out) as u32
}

/// Writes the raster tiles that are missing for [`tile_build`] of a cell: at most `capacity` ids. Returns how many are
/// missing, which may be more; 0 for what it would refuse.
///
/// # Safety
/// `planet` is a live handle of `planet_new`; `out` has room for `capacity` ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tile_missing(
    planet: usize,
    face: u32,
    level: u32,
    i: u32,
    j: u32,
    quads: u32,
    out: *mut u64,
    capacity: u32,
) -> u32 {
    let Some(cell) = cell_at(face, level, i, j) else { return 0 };
    if tile_bytes(quads) == 0 {
        return 0;
    }
    // SAFETY: the caller's promise above.
    let planet = unsafe { planet_ref(planet) };
    let spacing_m = planet.spacing_m(cell.level(), quads);
    // What its parent shows may be of a coarser layer.
    let tiles =
        [spacing_m, 2.0 * spacing_m].into_iter().flat_map(|spacing_m| planet.missing(cell, spacing_m));
    // SAFETY: the caller's promise above.
    unsafe { write_tile_ids(tiles.collect(), out, capacity) }
}

fn vertex_count(quads: usize) -> usize {
    let side = quads + 1;
    side * side + 4 * side
}

struct Vertex {
    position: DVec3,
    form: Form,
    ground_m: f32,
    water: Water,
    /// How much higher the parent's surface is, and its form.
    morph_m: f32,
    parent: Form,
    climate: [f64; 2],
    biome: u8,
    is_river: bool,
}

struct Tile {
    origin: DVec3,
    center: DVec3,
    radius_m: f64,
    lowest_m: f32,
    highest_m: f32,
    vertices: Vec<Vertex>,
    rivers: Option<Vec<u8>>,
}

impl Tile {
    fn build(planet: &Planet, cell: CellId, quads: usize) -> Self {
        let edge_m = mean_edge_m(cell, planet.radius_m());
        // Rows more on every side, so that normals and shores agree with the neighbour's.
        let surface = Surface::of(planet, cell, quads as u32, RINGS);
        let parent = ParentSurface::of(planet, cell, quads as u32);
        let waters = waters(&surface.patch);
        let rivers = river_mask(planet, cell, quads as u32);

        let center = surface.points[surface.vertex(quads / 2, quads / 2)];
        let origin = origin_near(center);
        let vertex = |x: usize, y: usize, drop_m: f64| {
            let at = surface.vertex(x, y);
            let (patch, point, form) = (&surface.patch, surface.points[at], surface.form(at));
            let height_m = point.length();
            let (parent_m, parent) = parent.as_ref().map_or((height_m, form), |parent| parent.at(x, y));
            let climate = Climate {
                temperature_c: f64::from(patch.temperatures_c[at]),
                rain_mm: f64::from(patch.rain_mm[at]),
            };
            let texel = |index: usize| index * (MASK_SIDE - 1) / quads;
            let share = rivers.as_ref().map_or(0, |mask| mask[texel(y) * MASK_SIDE + texel(x)]);
            Vertex {
                position: point - surface.directions[at] * drop_m - origin,
                form,
                ground_m: patch.elevations_m[at],
                water: waters[at],
                morph_m: (parent_m - height_m) as f32,
                parent,
                climate: climate_shares(climate),
                biome: patch.biomes[at] as u8,
                is_river: share > 127,
            }
        };

        let side = quads + 1;
        let mut vertices = Vec::with_capacity(vertex_count(quads));
        for y in 0..side {
            vertices.extend((0..side).map(|x| vertex(x, y, 0.0)));
        }
        let farthest = |vertex: &Vertex| (vertex.position + origin - center).length();
        let reach_m = vertices.iter().map(farthest).fold(0.0, f64::max);
        let morph_max_m = vertices.iter().map(|vertex| vertex.morph_m.abs()).fold(0.0, f32::max);
        let lowest_m = vertices.iter().map(|vertex| vertex.ground_m).fold(f32::INFINITY, f32::min);
        let highest_m = vertices.iter().map(|vertex| vertex.ground_m).fold(f32::NEG_INFINITY, f32::max);

        // Deep enough for a neighbour of half the detail, whose edge may pass below ours, and for the curve of the globe.
        let relief_m = f64::from(highest_m.max(0.0) - lowest_m.max(0.0));
        let spacing_m = edge_m / quads as f64;
        let chord_m = 4.0 * spacing_m;
        let bulge_m = chord_m * chord_m / (8.0 * planet.radius_m());
        let drop_m = 0.3 + spacing_m.min(relief_m * 0.25 + 1.0) + bulge_m;
        vertices.extend((0..side).map(|x| vertex(x, 0, drop_m)));
        vertices.extend((0..side).map(|x| vertex(x, quads, drop_m)));
        vertices.extend((0..side).map(|y| vertex(0, y, drop_m)));
        vertices.extend((0..side).map(|y| vertex(quads, y, drop_m)));
        let radius_m = reach_m + drop_m + f64::from(morph_max_m);
        Self { origin, center, radius_m, lowest_m, highest_m, vertices, rivers }
    }

    /// Returns the bytes written.
    fn write(&self, out: &mut [u8]) -> usize {
        let capacity = out.len();
        let mut bytes = Bytes(out);
        for value in self.origin.to_array().into_iter().chain(self.center.to_array()).chain([self.radius_m]) {
            bytes.put(value.to_le_bytes());
        }
        bytes.put(self.lowest_m.to_le_bytes());
        bytes.put(self.highest_m.to_le_bytes());
        let vertices = &self.vertices;
        for value in vertices.iter().flat_map(|vertex| vertex.position.to_array()) {
            bytes.put((value as f32).to_le_bytes());
        }
        let numbers = |form: &Form| form.normal.to_array().into_iter().chain([form.concavity]);
        for value in vertices.iter().flat_map(|vertex| numbers(&vertex.form)) {
            bytes.put(((value * 32_767.0) as i16).to_le_bytes());
        }
        let columns: [fn(&Vertex) -> f32; 3] =
            [|vertex| vertex.ground_m, |vertex| vertex.water.depth_m, |vertex| vertex.morph_m];
        for column in columns {
            for vertex in vertices {
                bytes.put(column(vertex).to_le_bytes());
            }
        }
        for value in vertices.iter().flat_map(|vertex| numbers(&vertex.parent)) {
            bytes.put(((value * 127.0) as i8).to_le_bytes());
        }
        for share in vertices.iter().flat_map(|vertex| vertex.climate) {
            bytes.put(((share * 65_535.0) as u16).to_le_bytes());
        }
        for vertex in vertices {
            let flag = |is_so: bool| if is_so { u8::MAX } else { 0 };
            bytes.put([vertex.biome, flag(vertex.water.is_sea), flag(vertex.is_river), 0]);
        }
        for texel in self.rivers.iter().flatten() {
            bytes.put([*texel]);
        }
        capacity - bytes.0.len()
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
        Tile::build(&planet_for_test(), cell_at(face, level, i, j).expect("inside the face"), 8)
    }

    #[test]
    fn neighbours_share_the_vertices_of_their_edge() {
        for (level, i, j) in [(3, 2, 5), (10, 511, 300), (19, 262_143, 77_777)] {
            let (west, east) = (tile(2, level, i, j), tile(2, level, i + 1, j));
            for y in 0..=8 {
                let a = &west.vertices[y * 9 + 8];
                let b = &east.vertices[y * 9];
                let gap_m = (a.position + west.origin - b.position - east.origin).length();
                assert!(gap_m < 1e-6, "level {level} row {y}");
                assert!((a.form.normal - b.form.normal).length() < 1e-6, "level {level} row {y}");
                assert_eq!((a.water, a.morph_m, a.climate), (b.water, b.morph_m, b.climate));
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
                let morphed = at + at.normalize() * f64::from(vertex.morph_m);
                assert!((morphed - tile.center).length() <= tile.radius_m + 1e-3);
            }
            for vertex in &tile.vertices[..81] {
                let at = vertex.position + tile.origin;
                if vertex.water.is_sea && vertex.water.depth_m > 0.0 {
                    assert!((at.length() - planet.radius_m()).abs() < 1e-6);
                }
                assert!(vertex.form.normal.dot(at.normalize()) > 0.0, "normals point outwards");
            }
        }
    }

    #[test]
    fn a_tile_morphs_into_what_its_parent_shows() {
        let at = |tile: &Tile, vertex: &Vertex| {
            let at = vertex.position + tile.origin;
            (at, at + at.normalize() * f64::from(vertex.morph_m))
        };
        let mut moved_m: f64 = 0.0;
        // Some of these are sea; all are the later half of their parent along i and the earlier one along j.
        for (i, j) in [(11, 62), (41, 30), (71, 90), (21, 14), (101, 46), (61, 118)] {
            let (child, parent) = (tile(3, 7, i, j), tile(3, 6, i / 2, j / 2));
            for y in 0..=4 {
                for x in 0..=4 {
                    let [vertex, model] =
                        [&child.vertices[y * 2 * 9 + x * 2], &parent.vertices[y * 9 + x + 4]];
                    let ((_, morphed), (expected, _)) = (at(&child, vertex), at(&parent, model));
                    assert!((morphed - expected).length() < 1e-3, "column {x}, row {y}");
                    assert!(
                        (vertex.parent.normal - model.form.normal).length() < 1e-6,
                        "column {x}, row {y}"
                    );
                }
            }
            moved_m =
                child.vertices[..81].iter().map(|it| f64::from(it.morph_m.abs())).fold(moved_m, f64::max);
        }
        assert!(moved_m > 0.1, "levels differ in detail");
        let root = tile(3, 0, 0, 0);
        assert!(root.vertices.iter().all(|vertex| vertex.morph_m == 0.0));
    }

    #[test]
    fn what_is_written_is_as_long_as_promised() {
        let mut out = vec![0; tile_bytes(8) as usize];
        let mut tile = tile(1, 5, 9, 9);
        tile.rivers = None;
        let dry = tile.write(&mut out);
        assert_eq!(dry, HEADER_BYTES + vertex_count(8) * VERTEX_BYTES);
        tile.rivers = Some(vec![7; MASK_SIDE * MASK_SIDE]);
        assert_eq!(tile.write(&mut out), out.len());
        assert_eq!(out[dry..], [7; MASK_SIDE * MASK_SIDE]);
    }

    #[test]
    fn addresses_outside_the_cube_are_refused() {
        for (face, level, i, j) in [(6, 0, 0, 0), (0, 0, 1, 0), (0, 3, 0, 8), (0, 25, 0, 0)] {
            assert!(cell_at(face, level, i, j).is_none());
        }
        for quads in [0, 3, 66, 1000] {
            assert_eq!(tile_bytes(quads), 0);
        }
    }
}
