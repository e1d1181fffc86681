//! Chunks meet without a seam.

use std::collections::HashMap;

use cell::{CellId, FaceIj};
use planet::{Biome, CHUNK_LEVEL_MAX, CHUNK_SIDE, CHUNK_VERTICES, Chunk, Patch, Planet, PlanetSpec};

fn planet() -> Planet {
    Planet::generate(PlanetSpec::for_test(11, 3))
}

/// What is said about each vertex, by the bits of the place: bits of the height and of the water, and the biome.
type Vertices = HashMap<[u64; 3], (u32, u32, Biome)>;

fn vertices(planet: &Planet, cell: CellId) -> Vertices {
    let chunk = planet.chunk(cell);
    Chunk::directions(cell)
        .zip(chunk.heights_m.iter().zip(&chunk.water_m).zip(&chunk.biomes))
        .map(|(place, ((height_m, water_m), biome))| {
            (place.to_array().map(f64::to_bits), (height_m.to_bits(), water_m.to_bits(), *biome))
        })
        .collect()
}

/// Checks that two chunks agree where they meet, and returns at how many vertices that is.
fn check_seam(planet: &Planet, a: CellId, b: CellId) -> usize {
    let b_vertices = vertices(planet, b);
    let shared =
        vertices(planet, a).into_iter().filter_map(|(place, said)| Some((said, *b_vertices.get(&place)?)));
    shared.inspect(|(a_said, b_said)| assert_eq!(a_said, b_said, "{a:?} {b:?}")).count()
}

#[test]
fn chunks_agree_at_every_corner_of_the_cube() {
    let planet = planet();
    for level in [1, 6, 14, CHUNK_LEVEL_MAX] {
        let last = (1_u32 << level) - 1;
        for (face, i, j) in
            (0..6).flat_map(|face| [(face, 0, 0), (face, last, 0), (face, 0, last), (face, last, last)])
        {
            let cell = CellId::from_face_ij(FaceIj { face, i, j }, level);
            let seams: Vec<usize> =
                cell.edge_neighbors().iter().map(|neighbor| check_seam(&planet, cell, *neighbor)).collect();
            assert_eq!(seams, [CHUNK_SIDE; 4], "{cell:?}");
        }
    }
}

#[test]
fn chunks_agree_anywhere() {
    let planet = planet();
    let mut seen_corner = false;
    for (index, place) in
        (0..6).flat_map(|face| CellId::from_face(face).descendants(2)).step_by(6).enumerate()
    {
        let level = (7 * index % 25) as u8;
        let cell = CellId::from_point(place.center() + place.vertex(index) * 0.3).parent(level);
        for neighbor in cell.all_neighbors() {
            let shared = check_seam(&planet, cell, neighbor);
            // A side, or one corner; a face has two sides in common with no other.
            assert!(
                shared == CHUNK_SIDE || shared == 1,
                "{shared} vertices between {cell:?} and {neighbor:?}"
            );
            seen_corner |= shared == 1;
        }
    }
    assert!(seen_corner);
}

#[test]
fn ten_thousand_pairs_of_patches_agree_where_they_meet() {
    const QUADS: u32 = 4;
    let planet = planet();
    let mut pairs = 0;
    let mut random = 1_u64;
    let mut dice = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as u32
    };
    while pairs < 10_000 {
        // As coarse as the globe to as fine as a step; a third at edges and corners of the cube.
        let level = (2 + dice() % 17) as u8;
        let side = 1 << level;
        let edge = |value: u32| [0, side - 1, value % side][value as usize % 3];
        let (face, i, j) = ((dice() % 6) as u8, dice(), dice());
        let is_at_edge = dice() % 3 == 0;
        let (i, j) = if is_at_edge { (edge(i), edge(j)) } else { (i % side, j % side) };
        // A cluster shares what is costly: the courses about it.
        for (di, dj) in (0..4).flat_map(|di| (0..4).map(move |dj| (di, dj))) {
            let at = FaceIj { face, i: (i + di).min(side - 1), j: (j + dj).min(side - 1) };
            let cell = CellId::from_face_ij(at, level);
            let own = patch_vertices(&planet, cell, QUADS);
            for neighbor in cell.all_neighbors() {
                let other = patch_vertices(&planet, neighbor, QUADS);
                let shared = own.iter().filter_map(|(place, said)| Some((said, other.get(place)?)));
                let shared = shared.inspect(|(a, b)| assert_eq!(a, b, "{cell:?} {neighbor:?}")).count();
                assert!(shared > 0, "{cell:?} {neighbor:?}");
                pairs += 1;
            }
        }
    }
}

fn patch_vertices(planet: &Planet, cell: CellId, quads: u32) -> Vertices {
    let patch = planet.patch(cell, quads, 0);
    Patch::directions(cell, quads, 0)
        .zip(patch.elevations_m.iter().zip(&patch.water_m).zip(&patch.biomes))
        .map(|(place, ((height_m, water_m), biome))| {
            (place.to_array().map(f64::to_bits), (height_m.to_bits(), water_m.to_bits(), *biome))
        })
        .collect()
}

#[test]
fn a_chunk_agrees_with_those_of_levels_that_show_the_same_detail() {
    let planet = planet();
    // From vertices 1.1 m apart on, all courses and waves are shown.
    for level in [14, 16, 20] {
        let parent = planet.arrival_cell(level);
        for child in parent.children().expect("far from the leaves") {
            // Every second vertex of the child is one of the parent.
            assert_eq!(check_seam(&planet, parent, child), 33 * 33);
        }
    }
}

#[test]
fn a_vertex_is_the_elevation_at_the_corner_of_a_cell() {
    let planet = planet();
    let cell = planet.arrival_cell(14);
    let chunk = planet.chunk(cell);
    let FaceIj { face, i, j } = cell.face_ij();
    for (column, row) in [(0, 0), (64, 0), (0, 64), (64, 64), (13, 47)] {
        let at = |i: u32, j: u32| CellId::from_face_ij(FaceIj { face, i, j }, 20);
        // The corner of the lowest i and j of the cell there, or of the highest of the cell before.
        let place = match (column, row) {
            (64, 64) => at(i * 64 + 63, j * 64 + 63).vertex(2),
            (64, _) => at(i * 64 + 63, j * 64 + row).vertex(1),
            (_, 64) => at(i * 64 + column, j * 64 + 63).vertex(3),
            _ => at(i * 64 + column, j * 64 + row).vertex(0),
        };
        let index = row as usize * CHUNK_SIDE + column as usize;
        // Between vertices the ground is interpolated; at one, but for the rounding of its place, it is the vertex.
        let walked_m = planet.elevation_m(place) as f32;
        assert!((chunk.heights_m[index] - walked_m).abs() < 1e-4, "{walked_m} m at {column}, {row}");
        assert_eq!(chunk.biomes[index], planet.biome(place));
    }
    assert_eq!(Chunk::directions(cell).count(), CHUNK_VERTICES);
}

trait ArrivalCell {
    fn arrival_cell(&self, level: u8) -> CellId;
}

impl ArrivalCell for Planet {
    fn arrival_cell(&self, level: u8) -> CellId {
        CellId::from_point(self.arrival().ground).parent(level)
    }
}
