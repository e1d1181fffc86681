//! The global stage at full size: time and peak memory by number of threads, each in a process of its own.

use std::num::NonZeroUsize;
use std::process::{Command, ExitCode};
use std::time::Instant;

use planet::global::{GlobalSpec, generate};
use planet::{BiomeTable, PlanetSpec};
use rustix::time::{ClockId, clock_gettime};

/// First argument of a process that measures one number of threads.
pub const ONE: &str = "--global-with-threads";

pub fn measure() {
    println!("\nglobal stage at full size");
    for threads in ["1", "2"] {
        let program = std::env::current_exe().expect("this program has a path");
        let status = Command::new(program).args([ONE, threads]).status().expect("this program starts");
        assert!(status.success(), "the global stage with {threads} threads");
    }
}

pub fn measure_one(threads: &str) -> ExitCode {
    let Ok(threads) = threads.parse::<NonZeroUsize>() else {
        eprintln!("{threads} is no number of threads");
        return ExitCode::from(2);
    };
    let PlanetSpec { seed, raster_level, .. } = PlanetSpec::default();
    let started = Instant::now();
    let raster = generate(
        &GlobalSpec { seed, raster_level, threads: threads.get() },
        &BiomeTable::default(),
        &mut |_| {},
    );
    let time = clock_gettime(ClockId::ProcessCPUTime);
    println!(
        "  {threads} thread(s): {:6.1} s, {:6.1} s CPU, peak {} MiB, level {}",
        started.elapsed().as_secs_f64(),
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9,
        peak_bytes() >> 20,
        raster.level(),
    );
    ExitCode::SUCCESS
}

/// The most memory this process ever held.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
}
