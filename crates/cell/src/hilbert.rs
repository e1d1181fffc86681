//! The Hilbert curve on one face: leaf (i, j) to position on the curve and back, four levels at a step.
//!
//! An orientation has two bits: 1 swaps the axes, 2 inverts both. Tables of the source:
//! `s2geometry/src/s2/s2coords.cc` (`kPosToIJ`, `kPosToOrientation`).

/// Which quadrant (bit 1: i, bit 0: j) the curve visits at each of its four positions, by orientation.
const POS_TO_IJ: [[usize; 4]; 4] = [[0, 1, 3, 2], [0, 2, 3, 1], [3, 2, 0, 1], [3, 1, 0, 2]];

/// How the orientation changes inside each position.
const POS_TO_ORIENTATION: [usize; 4] = [1, 0, 0, 3];

/// Levels that one table look-up walks.
const STEP_LEVELS: u32 = 4;
const STEP_MASK: u32 = (1 << STEP_LEVELS) - 1;
const STEPS: u32 = 8;
const ORIENTATION_MASK: u64 = 3;

struct Tables {
    /// `iiiijjjjoo` to `pppppppp oo`.
    position: [u16; 1024],
    /// `ppppppppoo` to `iiiijjjj oo`.
    lattice: [u16; 1024],
}

const fn build_tables() -> Tables {
    let mut tables = Tables { position: [0; 1024], lattice: [0; 1024] };
    let mut start = 0;
    while start < 4 {
        let mut position = 0;
        while position < 256 {
            let (mut i, mut j, mut orientation) = (0, 0, start);
            let mut shift = 2 * STEP_LEVELS;
            while shift > 0 {
                shift -= 2;
                let quarter = (position >> shift) & 3;
                let quadrant = POS_TO_IJ[orientation][quarter];
                i = (i << 1) | (quadrant >> 1);
                j = (j << 1) | (quadrant & 1);
                orientation ^= POS_TO_ORIENTATION[quarter];
            }
            let lattice = (i << STEP_LEVELS) | j;
            tables.position[(lattice << 2) | start] = ((position << 2) | orientation) as u16;
            tables.lattice[(position << 2) | start] = ((lattice << 2) | orientation) as u16;
            position += 1;
        }
        start += 1;
    }
    tables
}

static TABLES: Tables = build_tables();

/// The raw id of the leaf at (i, j) of a face; `i` and `j` are below 2^30.
pub(crate) fn leaf_id(face: u8, i: u32, j: u32) -> u64 {
    let mut raw = u64::from(face) << 60;
    let mut bits = u64::from(face & 1);
    for step in (0..STEPS).rev() {
        let shift = step * STEP_LEVELS;
        bits |= u64::from((i >> shift) & STEP_MASK) << (STEP_LEVELS + 2);
        bits |= u64::from((j >> shift) & STEP_MASK) << 2;
        bits = u64::from(TABLES.position[bits as usize]);
        raw |= (bits >> 2) << (2 * shift);
        bits &= ORIENTATION_MASK;
    }
    raw << 1 | 1
}

/// Leaf coordinates of a raw id. Of an id above the leaves, the bits below its own level mean nothing.
pub(crate) fn leaf_ij(raw: u64) -> (u32, u32) {
    let mut bits = (raw >> 61) & 1;
    let (mut i, mut j) = (0, 0);
    for step in (0..STEPS).rev() {
        let shift = step * STEP_LEVELS;
        // The topmost step holds only two levels (30 = 7 × 4 + 2); above it are the face bits.
        let mask = if step == STEPS - 1 { 0xf } else { 0xff };
        bits |= ((raw >> (2 * shift + 1)) & mask) << 2;
        bits = u64::from(TABLES.lattice[bits as usize]);
        i |= ((bits >> (STEP_LEVELS + 2)) as u32) << shift;
        j |= ((bits >> 2) as u32 & STEP_MASK) << shift;
        bits &= ORIENTATION_MASK;
    }
    (i, j)
}
