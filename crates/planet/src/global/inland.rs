//! Which low ground is sea, and which lies enclosed by land.

use super::lattice::{Lattice, NOWHERE};

/// Water with less than this share of the sphere's cells has no way to the ocean (the Black Sea has 0.0009 of Earth's).
const SEA_SHARE_MIN: f64 = 0.0005;

/// Among the cells: not visited yet.
const UNKNOWN: u8 = 2;

/// Cells below `sea_level_m` that are cut off from all large bodies of water: whether each is.
pub(crate) fn enclosed(lattice: &Lattice, elevation_m: &[f32], sea_level_m: f32) -> Vec<bool> {
    let least = (SEA_SHARE_MIN * lattice.count() as f64) as usize;
    let mut state: Vec<u8> =
        elevation_m.iter().map(|height| if *height > sea_level_m { 0 } else { UNKNOWN }).collect();
    let mut body: Vec<u32> = Vec::new();
    for start in 0..lattice.count() {
        if state[start] != UNKNOWN {
            continue;
        }
        body.clear();
        body.push(start as u32);
        state[start] = 0;
        let mut next = 0;
        while next < body.len() {
            let neighbors = lattice.neighbors(body[next] as usize);
            next += 1;
            // Water passes between cells that share an edge, not a corner.
            for neighbor in neighbors.into_iter().step_by(2).filter(|neighbor| *neighbor != NOWHERE) {
                if state[neighbor as usize] == UNKNOWN {
                    state[neighbor as usize] = 0;
                    body.push(neighbor);
                }
            }
        }
        if body.len() < least {
            for cell in &body {
                state[*cell as usize] = 1;
            }
        }
    }
    state.into_iter().map(|state| state == 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pond_is_enclosed_and_the_ocean_is_not() {
        let lattice = Lattice::new(6);
        let pond = lattice.count() - 2_000;
        let is_sea = |cell: usize| cell == pond || lattice.direction(cell).z > 0.2;
        assert!(lattice.direction(pond).z < 0.0);
        let elevation_m: Vec<f32> =
            (0..lattice.count()).map(|cell| if is_sea(cell) { -10.0 } else { 10.0 }).collect();
        let enclosed = enclosed(&lattice, &elevation_m, 0.0);
        assert!(enclosed[pond]);
        assert_eq!(enclosed.iter().filter(|enclosed| **enclosed).count(), 1);
    }
}
