//! `terrane planet stats`.

use std::path::Path;

use planet::BiomeTable;
use planet::global::{self, GlobalSpec};
use planet::stats::{self, Measure, Stats};
use serde_json::{Value, json};

use crate::Failure;
use crate::cli::Seeds;
use crate::making;
use crate::planet_file::{PlanetFile, threads};
use crate::progress::{Bar, say};

/// One planet's figures.
struct Report {
    /// What was measured, for people.
    name: String,
    seed: u64,
    stats: Stats,
}

pub(super) fn run(file: Option<&Path>, seeds: &Seeds, raster_level: u8, json: bool) -> Result<(), Failure> {
    let mut reports = Vec::new();
    if let Some(file) = file {
        reports.push(of_file(file)?);
    } else {
        let mut bar = Bar::new();
        for seed in seeds.0.clone() {
            reports.push(of_seed(seed, raster_level, &mut bar));
        }
    }
    if json {
        say(json_of(&reports));
    } else {
        for report in &reports {
            say(table_of(report, reports.len() == 1));
        }
    }
    if reports.iter().all(|report| report.stats.passes()) { Ok(()) } else { Err(Failure::Found) }
}

fn of_file(file: &Path) -> anyhow::Result<Report> {
    use anyhow::Context as _;
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let opened = PlanetFile::open(bytes).with_context(|| file.display().to_string())?;
    let seed = opened.manifest.identity().spec.seed;
    Ok(Report { name: file.display().to_string(), seed, stats: stats::measure(&opened.raster) })
}

/// Nothing is packed: the raster is all that is measured.
fn of_seed(seed: u64, raster_level: u8, bar: &mut Bar) -> Report {
    let spec = GlobalSpec { seed, raster_level, threads: threads().get() };
    let raster = global::generate(&spec, &BiomeTable::default(), &mut |now| bar.show(making::of_stage(now)));
    Report { name: format!("seed {seed}"), seed, stats: stats::measure(&raster) }
}

fn json_of(reports: &[Report]) -> Value {
    let planets: Vec<Value> = reports
        .iter()
        .map(|Report { seed, stats, .. }| {
            json!({
                "seed": seed.to_string(),
                "raster_level": stats.level,
                "pass": stats.passes(),
                "measures": stats.measures.iter().map(measure_json).collect::<Vec<_>>(),
            })
        })
        .collect();
    let passed = reports.iter().filter(|report| report.stats.passes()).count();
    json!({"planets": planets, "passed": passed, "count": reports.len()})
}

/// What is not finite is null: JSON knows no such numbers.
fn measure_json(measure: &Measure) -> Value {
    let details: serde_json::Map<String, Value> =
        measure.details.iter().map(|detail| (detail.name.clone(), json!(detail.value))).collect();
    json!({
        "name": measure.name,
        "value": measure.value,
        "unit": measure.unit,
        "band": {"low": measure.band.low, "high": measure.band.high},
        "earth": measure.earth,
        "pass": measure.passes(),
        "definition": measure.definition,
        "details": details,
    })
}

/// All measures of one planet, or of one among many those that fail.
fn table_of(Report { name, stats, .. }: &Report, is_whole: bool) -> String {
    let failures = stats.failures().count();
    let verdict = if failures == 0 { "passes".to_owned() } else { format!("{failures} measures fail") };
    let mut lines = vec![format!("{name}, level {}: {verdict}", stats.level)];
    lines.extend(stats.measures.iter().filter(|measure| is_whole || !measure.passes()).map(line_of));
    lines.join("\n")
}

fn line_of(measure: &Measure) -> String {
    let Measure { name, value, unit, band, .. } = measure;
    let mark = if measure.passes() { "  " } else { "✗ " };
    let band = match (band.low.is_finite(), band.high.is_finite()) {
        (true, true) => format!("{} to {}", band.low, band.high),
        (true, false) => format!("at least {}", band.low),
        _ => format!("at most {}", band.high),
    };
    let earth = measure.earth.map_or_else(String::new, |earth| format!("  Earth {earth}"));
    format!("{mark}{name:<36} {:>12} {unit:<4} {band}{earth}", rounded(*value))
}

/// Four digits that count.
fn rounded(value: f64) -> String {
    match value.abs() {
        small if small < 10.0 => format!("{value:.3}"),
        middle if middle < 1_000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
