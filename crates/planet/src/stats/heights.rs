//! How much land there is, how high it is, how steep.

use super::regression::quantile;
use super::survey::Survey;
use super::{Band, Measure, detail};

/// Heights are counted in bins this high, from this depth up.
const BIN_M: f64 = 250.0;
const LOWEST_M: f64 = -8_000.0;
const BINS: usize = 72;

/// The mode of the sea's floor is looked for below this height, that of the land above it.
const BETWEEN_MODES_M: f64 = -1_500.0;

pub(super) fn measures(survey: &Survey) -> Vec<Measure> {
    let mut bins = [0.0; BINS];
    let (mut land_sr, mut sea_sr, mut land_m, mut sea_m) = (0.0, 0.0, 0.0, 0.0);
    let mut highest_m = f64::NEG_INFINITY;
    let mut deepest_m = f64::INFINITY;
    for (cell, (surface_m, is_land)) in survey.surface_m.iter().zip(&survey.is_land).enumerate() {
        let (surface_m, area_sr) = (f64::from(*surface_m), survey.area_sr(cell));
        let bin = ((surface_m - LOWEST_M) / BIN_M).max(0.0) as usize;
        bins[bin.min(BINS - 1)] += area_sr;
        highest_m = highest_m.max(surface_m);
        deepest_m = deepest_m.min(surface_m);
        let (sum_sr, sum_m) = if *is_land { (&mut land_sr, &mut land_m) } else { (&mut sea_sr, &mut sea_m) };
        *sum_sr += area_sr;
        *sum_m += surface_m * area_sr;
    }
    let modes = Modes::of(&bins);
    let whole_sr = land_sr + sea_sr;
    vec![
        Measure {
            name: "land_fraction",
            value: land_sr / whole_sr,
            unit: "",
            band: Band { low: 0.289, high: 0.291 },
            earth: Some(0.29),
            definition: "Area of all cells that are not sea over that of the planet. Lakes are land.",
            details: Vec::new(),
        },
        Measure {
            name: "hypsometric_valley",
            value: modes.valley / modes.land.share.min(modes.sea.share),
            unit: "",
            band: Band { low: 0.0, high: 0.35 },
            earth: None,
            definition: "Least populated 250 m bin of height between the modes of land and sea floor, over the lower \
                         of the two modes: small if the planet has continents and basins, and little between.",
            details: vec![
                detail("land mode, m", modes.land.middle_m),
                detail("land mode, share of the planet", modes.land.share / whole_sr),
                detail("sea floor mode, m", modes.sea.middle_m),
                detail("sea floor mode, share of the planet", modes.sea.share / whole_sr),
            ],
        },
        Measure {
            name: "land_mean",
            value: land_m / land_sr,
            unit: "m",
            band: Band { low: 600.0, high: 1_000.0 },
            earth: Some(850.0),
            definition: "Mean height of the land over the sea, lakes by their surface.",
            details: Vec::new(),
        },
        Measure {
            name: "ocean_mean",
            value: sea_m / sea_sr,
            unit: "m",
            band: Band { low: -4_200.0, high: -3_200.0 },
            earth: Some(-3_730.0),
            definition: "Mean height of the sea's floor.",
            details: vec![detail("deepest, m", deepest_m)],
        },
        Measure {
            name: "highest_point",
            value: highest_m,
            unit: "m",
            band: Band { low: 5_000.0, high: 9_500.0 },
            earth: Some(8_849.0),
            definition: "Highest cell.",
            details: Vec::new(),
        },
        slopes(survey),
    ]
}

/// Erosion holds slopes under a limit: where many cells stand at it, mountains look cut with a knife.
fn slopes(survey: &Survey) -> Measure {
    let drop = |cell: usize| {
        let below_m = survey.next(cell).map_or(0.0, |next| survey.surface_m[next]);
        f64::from(survey.surface_m[cell] - below_m) / f64::from(survey.reach_m[cell])
    };
    let has_way = |cell: &usize| survey.reach_m[*cell] > 0.0;
    let mut slopes: Vec<f64> = survey.land().filter(has_way).map(drop).collect();
    let steepest = slopes.iter().copied().fold(f64::NAN, f64::max);
    let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| quantile(&mut slopes, share));
    Measure {
        name: "slope_clipping",
        value: p99 / steepest,
        unit: "",
        band: Band { low: 0.0, high: 0.98 },
        earth: None,
        definition: "99th percentile of the slopes of land cells towards their receivers, over the steepest. If one \
                     cell in a hundred is as steep as can be, a limit has cut the mountains.",
        details: vec![
            detail("slope p50", p50),
            detail("slope p90", p90),
            detail("slope p99", p99),
            detail("steepest slope", steepest),
        ],
    }
}

struct Mode {
    bin: usize,
    /// Area in the bin.
    share: f64,
    middle_m: f64,
}

struct Modes {
    land: Mode,
    sea: Mode,
    /// Area of the least bin between them.
    valley: f64,
}

impl Modes {
    fn of(bins: &[f64; BINS]) -> Self {
        let between = ((BETWEEN_MODES_M - LOWEST_M) / BIN_M) as usize;
        let greatest = |range: std::ops::Range<usize>| {
            let bin =
                range.clone().fold(range.start, |best, bin| if bins[bin] > bins[best] { bin } else { best });
            Mode { bin, share: bins[bin], middle_m: LOWEST_M + (bin as f64 + 0.5) * BIN_M }
        };
        let (sea, land) = (greatest(0..between), greatest(between..BINS));
        let valley = bins[sea.bin..=land.bin].iter().copied().fold(f64::INFINITY, f64::min);
        Self { land, sea, valley }
    }
}
