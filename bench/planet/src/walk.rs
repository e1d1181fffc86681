//! A walk over ground that nobody has seen before, in WebAssembly and in native code at its baseline.

use std::path::Path;
use std::process::Command;

use glam::DVec3;
use planet::noise::InstructionSet;
use planet::{Planet, PlanetSpec};

use crate::rounds::{Spread, thread_time_ns};

const SEED: u64 = 1;
const SHIFT: u8 = 3;
const STEPS: u32 = 4_000;
/// Of the direction; 20 m on the ground.
const STEP: f64 = 2.5e-5;
const ROUNDS: usize = 5;

pub fn measure() {
    let module =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/wasm32-wasip1/browser/browser_checks.wasm");
    if !module.exists() {
        println!("\nno WebAssembly: make it by `node web/scripts/wasm.mjs --checks`");
        return;
    }
    let (mut native, mut wasm, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (native_ns, native_sum) = walk_native();
        let (wasm_ns, wasm_sum) = walk_wasm(&module);
        assert_eq!(native_sum.to_bits(), wasm_sum.to_bits(), "WebAssembly walks on other ground");
        native.push(native_ns);
        wasm.push(wasm_ns);
        ratios.push(wasm_ns / native_ns);
    }
    println!("\na walk over new ground, {STEPS} steps of 20 m: ns a step");
    println!("  native Baseline              {:>22}", Spread::of(native).to_string());
    println!("  WebAssembly                  {:>22}", Spread::of(wasm).to_string());
    println!("  ratio                        {:>22}", Spread::of(ratios).to_string());
}

fn walk_native() -> (f64, f64) {
    InstructionSet::Baseline.force();
    let planet = Planet::generate(PlanetSpec::for_test(SEED, SHIFT));
    let walk = |from: f64| {
        let started = thread_time_ns();
        let place = |index: u32| DVec3::new(from + f64::from(index) * STEP, -0.8, 0.5);
        let sum = (0..STEPS).fold(0.0, |sum, index| sum + planet.ground(place(index)).elevation_m);
        ((thread_time_ns() - started) / f64::from(STEPS), sum)
    };
    walk(0.1);
    walk(0.3)
}

fn walk_wasm(module: &Path) -> (f64, f64) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("walk.mjs");
    let numbers = [SEED.to_string(), SHIFT.to_string(), STEPS.to_string(), STEP.to_string()];
    let output =
        Command::new("node").arg(script).arg(module).args(numbers).output().expect("node is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().filter_map(|number| number.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(ns), Some(sum)) => (ns, sum),
        _ => panic!("node says {}", String::from_utf8_lossy(&output.stderr)),
    }
}
