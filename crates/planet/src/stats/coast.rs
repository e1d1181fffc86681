//! How winding the coasts are.

use super::regression::fit;
use super::survey::Survey;
use super::{Band, Measure, detail};
use crate::global::Lattice;

/// Sizes of the boxes, as levels of S2 cells: 300 down to 40 km on Earth.
const BOX_LEVELS: std::ops::RangeInclusive<u8> = 5..=8;

pub(super) fn measure(survey: &Survey) -> Measure {
    let lattice = &survey.lattice;
    let coast = coast(survey);
    // At the level of the raster every box is a single cell, and the rule means something else: it is dropped.
    let finest = (*BOX_LEVELS.end()).min(lattice.level() - 1);
    let counts: Vec<(u8, usize)> =
        (*BOX_LEVELS.start()..=finest).map(|level| (level, count_boxes(lattice, &coast, level))).collect();
    let points: Vec<(f64, f64)> = counts
        .iter()
        .map(|(level, count)| (f64::from(*level) * std::f64::consts::LN_2, libm::log(*count as f64)))
        .collect();
    let (dimension, determination) = fit(&points);
    let mut details = vec![detail("coefficient of determination", determination)];
    details
        .extend(counts.iter().map(|(level, count)| detail(format!("boxes of level {level}"), *count as f64)));
    Measure {
        name: "coast_dimension",
        value: dimension,
        unit: "",
        band: Band { low: 1.15, high: 1.35 },
        earth: Some(1.25),
        definition: "Box dimension of all coasts: slope of ln(boxes) over ln(1 / size) for boxes that are S2 cells of \
                     levels 5 to 8 and coarser than the raster. The coast is the edges between cells of land and \
                     sea; an edge between two boxes counts for one of them.",
        details,
    }
}

/// The edges between land and sea, as the cells on their two sides.
fn coast(survey: &Survey) -> Vec<(u32, u32)> {
    let mut coast = Vec::new();
    for cell in survey.land() {
        for edge in [0, 2, 4, 6] {
            let neighbor = survey.lattice.neighbor(cell, edge);
            if let Some(neighbor) = neighbor.filter(|neighbor| !survey.is_land[*neighbor]) {
                coast.push((cell as u32, neighbor as u32));
            }
        }
    }
    coast
}

fn count_boxes(lattice: &Lattice, coast: &[(u32, u32)], level: u8) -> usize {
    let shift = lattice.level() - level;
    let box_of = |cell: u32| {
        let at = lattice.position(cell as usize);
        let row = (usize::from(at.face) << level) + (at.j >> shift) as usize;
        (row << level) + (at.i >> shift) as usize
    };
    let mut boxes = vec![false; 6 << (2 * level)];
    for (land, sea) in coast {
        boxes[box_of(*land).min(box_of(*sea))] = true;
    }
    boxes.into_iter().filter(|is_coastal| *is_coastal).count()
}
