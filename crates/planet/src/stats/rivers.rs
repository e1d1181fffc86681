//! Are the rivers like rivers? The laws of Horton, Strahler, Hack and Flint.

use std::collections::BTreeMap;

use super::regression::{fit, median, quantile};
use super::survey::{EARTH_RADIUS_M, Survey};
use super::{Band, Measure, detail};

/// Highest Strahler order, as the raster holds it.
const ORDERS: usize = 16;

/// Basins are compared by the ratios of their orders if they have at least this order.
const ORDER_MIN: usize = 4;

/// Basins of fewer cells are too jagged to have a length.
const BASIN_CELLS_MIN: f64 = 36.0;

/// Places that drain fewer cells are hillsides rather than channels.
const CHANNEL_CELLS_MIN: f64 = 6.0;

/// A bin of drained area counts from so many places on.
const BIN_PLACES_MIN: usize = 40;

pub(super) fn measures(survey: &Survey) -> Vec<Measure> {
    let basins = Basins::of(survey);
    let [bifurcation, length] = ratios(survey, &basins);
    vec![bifurcation, length, hack(survey, &basins), concavity(survey, &basins), drained(survey, &basins)]
}

/// What is known of each cell after following the water down and looking back up.
struct Basins {
    /// Area drained, steradians.
    area_sr: Vec<f64>,
    /// Longest way to the cell from a ridge, metres.
    length_m: Vec<f64>,
    /// The cell where its water leaves the land, or ends.
    mouth: Vec<u32>,
    /// Mean area of a cell.
    cell_sr: f64,
}

impl Basins {
    fn of(survey: &Survey) -> Self {
        let count = survey.lattice.count();
        let mut area_sr: Vec<f64> = (0..count).map(|cell| survey.area_sr(cell)).collect();
        let mut length_m = vec![0.0; count];
        for cell in survey.order.iter().map(|cell| *cell as usize) {
            let Some(next) = survey.next(cell) else { continue };
            area_sr[next] += area_sr[cell];
            length_m[next] = f64::max(length_m[next], length_m[cell] + f64::from(survey.reach_m[cell]));
        }
        let mut mouth = vec![0; count];
        for cell in survey.order.iter().rev().map(|cell| *cell as usize) {
            mouth[cell] = survey.next(cell).map_or(cell as u32, |next| mouth[next]);
        }
        let cell_sr = 4.0 * std::f64::consts::PI / count as f64;
        Self { area_sr, length_m, mouth, cell_sr }
    }

    fn cells(&self, cell: usize) -> f64 {
        self.area_sr[cell] / self.cell_sr
    }
}

/// Streams of one basin, by their order.
#[derive(Clone, Copy, Default)]
struct Streams {
    counts: [u32; ORDERS],
    lengths_m: [f64; ORDERS],
}

/// Horton's laws of stream numbers and lengths.
fn ratios(survey: &Survey, basins: &Basins) -> [Measure; 2] {
    let mut streams: BTreeMap<u32, Streams> = BTreeMap::new();
    for cell in survey.order.iter().map(|cell| *cell as usize) {
        let order = usize::from(survey.stream_order[cell]);
        if order == 0 {
            continue;
        }
        let basin = streams.entry(basins.mouth[cell]).or_default();
        basin.lengths_m[order] += f64::from(survey.reach_m[cell]);
        let goes_on =
            survey.next(cell).is_some_and(|next| survey.stream_order[next] == survey.stream_order[cell]);
        if !goes_on {
            basin.counts[order] += 1;
        }
    }
    let (mut bifurcation, mut length) = (Vec::new(), Vec::new());
    for basin in streams.values() {
        let highest = (1..ORDERS).rev().find(|order| basin.counts[*order] > 0).unwrap_or(0);
        if highest < ORDER_MIN || (1..=highest).any(|order| basin.counts[order] == 0) {
            continue;
        }
        let number = |order: usize| f64::from(basin.counts[order]);
        let mean_m = |order: usize| basin.lengths_m[order] / number(order);
        let weight = |order: usize| number(order) + number(order + 1);
        bifurcation.push(weighted_mean(1..highest, |order| number(order) / number(order + 1), weight));
        // The last stream is cut short by the sea.
        length.push(weighted_mean(1..highest - 1, |order| mean_m(order + 1) / mean_m(order), weight));
    }
    let details = |values: &mut Vec<f64>| {
        vec![
            detail("basins", values.len() as f64),
            detail("p10", quantile(values, 0.1)),
            detail("p90", quantile(values, 0.9)),
        ]
    };
    [
        Measure {
            name: "bifurcation_ratio",
            value: median(&mut bifurcation),
            unit: "",
            band: Band { low: 3.3, high: 4.8 },
            earth: Some(4.0),
            definition: "Median over all basins of Strahler order 4 and above of the weighted mean ratio between the \
                         numbers of streams of one order and the next; weights are the numbers of streams that a \
                         ratio is made of (Strahler 1953).",
            details: details(&mut bifurcation),
        },
        Measure {
            name: "length_ratio",
            value: median(&mut length),
            unit: "",
            band: Band { low: 1.5, high: 3.0 },
            earth: Some(2.3),
            definition: "The same for the mean lengths of streams of one order and the one before, without the \
                         highest, which the sea cuts short.",
            details: details(&mut length),
        },
    ]
}

fn weighted_mean(
    orders: std::ops::Range<usize>,
    value: impl Fn(usize) -> f64,
    weight: impl Fn(usize) -> f64,
) -> f64 {
    let weights: f64 = orders.clone().map(&weight).sum();
    orders.map(|order| value(order) * weight(order)).sum::<f64>() / weights
}

/// The longest river of a basin against the basin's area.
fn hack(survey: &Survey, basins: &Basins) -> Measure {
    let is_basin = |cell: &usize| survey.is_mouth(*cell) && basins.cells(*cell) >= BASIN_CELLS_MIN;
    let points: Vec<(f64, f64)> = survey
        .order
        .iter()
        .map(|cell| *cell as usize)
        .filter(is_basin)
        .map(|cell| (libm::log(basins.area_sr[cell]), libm::log(basins.length_m[cell])))
        .collect();
    let (exponent, determination) = fit(&points);
    Measure {
        name: "hack_exponent",
        value: exponent,
        unit: "",
        band: Band { low: 0.52, high: 0.62 },
        earth: Some(0.57),
        definition: "Exponent h of length ∝ area^h, over all basins of at least 36 cells; length is that of the \
                     longest way from a ridge to the mouth.",
        details: vec![
            detail("basins", points.len() as f64),
            detail("coefficient of determination", determination),
        ],
    }
}

/// How slopes fall along rivers.
fn concavity(survey: &Survey, basins: &Basins) -> Measure {
    // Slopes and logarithms of areas of each half octave of area.
    let mut bins: Vec<(Vec<f64>, f64)> = vec![(Vec::new(), 0.0); 64];
    for cell in survey.order.iter().map(|cell| *cell as usize) {
        let Some(next) = survey.next(cell) else { continue };
        let cells = basins.cells(cell);
        // The surface of a lake is level, and no river has made it so.
        if cells < CHANNEL_CELLS_MIN || survey.is_lake[cell] || survey.is_lake[next] {
            continue;
        }
        let area_ln = libm::log(cells);
        let (slopes, areas_ln) = &mut bins[((2.0 * area_ln / std::f64::consts::LN_2) as usize).min(63)];
        let fall_m = f64::from(survey.surface_m[cell] - survey.surface_m[next]);
        slopes.push(fall_m / f64::from(survey.reach_m[cell]));
        *areas_ln += area_ln;
    }
    let points: Vec<(f64, f64)> = bins
        .iter_mut()
        .filter(|(slopes, _)| slopes.len() >= BIN_PLACES_MIN)
        .map(|(slopes, areas_ln)| (*areas_ln / slopes.len() as f64, median(slopes)))
        .filter(|(_, slope)| *slope > 0.0)
        .map(|(area_ln, slope)| (area_ln, libm::log(slope)))
        .collect();
    let (tilt, determination) = fit(&points);
    Measure {
        name: "concavity",
        value: -tilt,
        unit: "",
        band: Band { low: 0.40, high: 0.65 },
        earth: Some(0.5),
        definition: "Exponent θ of slope ∝ area^−θ along channels (6 cells drained and more, no lakes), by a line \
                     through the median slopes of half octaves of drained area with 40 places or more. Medians, \
                     because steep headwaters of a few ranges would outweigh all other rivers in a mean, and heights \
                     are whole half metres.",
        details: vec![
            detail("half octaves", points.len() as f64),
            detail("coefficient of determination", determination),
        ],
    }
}

/// Does all water arrive?
fn drained(survey: &Survey, basins: &Basins) -> Measure {
    let whole_sr: f64 = survey.land().map(|cell| survey.area_sr(cell)).sum();
    let (mut to_sea_sr, mut to_sinks_sr) = (0.0, 0.0);
    // Where water would have to run uphill, it does not arrive, and none from above it does.
    let mut arrives = vec![false; survey.lattice.count()];
    for cell in survey.order.iter().rev().map(|cell| *cell as usize) {
        arrives[cell] = match survey.next(cell) {
            Some(next) => arrives[next] && survey.surface_m[next] <= survey.surface_m[cell],
            None => survey.is_mouth(cell),
        };
        if arrives[cell] {
            let mouth = basins.mouth[cell] as usize;
            let is_sink = survey.receiver[mouth] == super::survey::END;
            *(if is_sink { &mut to_sinks_sr } else { &mut to_sea_sr }) += survey.area_sr(cell);
        }
    }
    let highest_sr = survey.order.iter().map(|cell| basins.area_sr[*cell as usize]).fold(0.0, f64::max);
    Measure {
        name: "land_drained",
        value: (to_sea_sr + to_sinks_sr) / whole_sr,
        unit: "",
        // Sums in two orders differ in their last digits.
        band: Band { low: 1.0 - 1e-9, high: 1.0 + 1e-9 },
        earth: Some(1.0),
        definition: "Share of the land from which water reaches the sea, or the declared lowest place of a closed \
                     basin, along the receivers and never uphill.",
        details: vec![
            detail("share to the sea", to_sea_sr / whole_sr),
            detail("share to closed basins", to_sinks_sr / whole_sr),
            detail("largest basin, million km²", highest_sr * EARTH_RADIUS_M * EARTH_RADIUS_M / 1e12),
        ],
    }
}
