//! The same ground whatever the machine can do.

use cell::CellId;
use glam::DVec3;
use planet::noise::InstructionSet;
use planet::{Chunk, Planet, PlanetSpec};

/// Directions on land, at sea, at an edge and at a corner of the cube.
const PLACES: [DVec3; 5] = [
    DVec3::new(0.3, -0.8, 0.5),
    DVec3::new(-0.6, 0.1, 0.8),
    DVec3::new(0.2, 0.9, -0.3),
    DVec3::new(1.0, 1.0, 0.2),
    DVec3::new(1.0, 1.0, 1.0),
];

/// Made anew, so that nothing is remembered from another set.
fn chunks(set: InstructionSet) -> Vec<Chunk> {
    set.force();
    let planet = Planet::generate(PlanetSpec::for_test(5, 3));
    let levels = [6, 11, 14, 18];
    let cells = PLACES.iter().flat_map(|place| levels.map(|level| CellId::from_point(*place).parent(level)));
    cells.map(|cell| planet.chunk(cell)).collect()
}

#[test]
fn every_instruction_set_makes_the_same_planet_and_chunks() {
    let baseline = chunks(InstructionSet::Baseline);
    for set in InstructionSet::available() {
        for (chunk, expected) in chunks(set).iter().zip(&baseline) {
            assert!(chunk == expected, "{set:?} differs in cell {}", chunk.cell);
        }
    }
}
