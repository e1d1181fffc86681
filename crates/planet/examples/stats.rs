//! Measures of many planets at once: `cargo run --release -p planet --example stats -- LEVEL FIRST LAST [-v]`.
//!
//! One line a seed with the values of all measures; those out of their bands carry an exclamation mark. With `-v` the
//! details are printed too.

use std::time::Instant;

use planet::global::{self, GlobalSpec};
use planet::{BiomeTable, stats};

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let verbose = std::env::args().any(|word| word == "-v");
    let [level, first, last] = numbers[..] else {
        eprintln!("usage: stats LEVEL FIRST LAST [-v]");
        std::process::exit(2);
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut passed = 0;
    for seed in first..=last {
        let start = Instant::now();
        let spec = GlobalSpec { seed, raster_level: level as u8, threads };
        let raster = global::generate(&spec, &BiomeTable::default(), &mut |_| {});
        let made = start.elapsed();
        let stats = stats::measure(&raster);
        let measured = start.elapsed().saturating_sub(made);
        if seed == first {
            println!("made in {made:.2?}, measured in {measured:.2?}");
            let names: Vec<_> = stats.measures.iter().map(|measure| measure.name).collect();
            println!("seed {}", names.join(" "));
        }
        let values: Vec<_> = stats
            .measures
            .iter()
            .map(|measure| format!("{:.4}{}", measure.value, if measure.passes() { "" } else { "!" }))
            .collect();
        println!("{seed} {}", values.join(" "));
        if verbose {
            for measure in &stats.measures {
                for detail in &measure.details {
                    println!("    {}: {}: {:.4}", measure.name, detail.name, detail.value);
                }
            }
        }
        passed += u64::from(stats.passes());
    }
    println!("{passed} of {} pass", last - first + 1);
}
