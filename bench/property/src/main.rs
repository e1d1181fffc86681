//! Measures sales and the books beside what databases do at best: `cargo run --release -- [part]… [--small]`; see
//! README.md.
//!
//! Contenders take turns, round by round, in one run on one disk. What counts is the ratio of two contenders within a
//! round: medians over the rounds. The disk is measured in every round too, because neighbours make it ten times
//! slower from one minute to the next.

mod bare;
mod disk;
mod latencies;
mod load;
mod pgbench;
mod queries;
mod rounds;
mod sales;
mod server;

use std::process::ExitCode;

pub(crate) use latencies::Latencies;
use load::Size;

/// The same numbers each time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

const PARTS: [&str; 2] = ["sales", "queries"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_small = arguments.iter().any(|it| it == "--small");
    let parts: Vec<&str> = arguments.iter().map(String::as_str).filter(|it| *it != "--small").collect();
    if let Some(unknown) = parts.iter().find(|it| !PARTS.contains(it)) {
        eprintln!("no measurement is called {unknown}: {}; --small for a hundredth of it", PARTS.join(", "));
        return ExitCode::from(2);
    }
    let Ok(url) = std::env::var("TERRANE_TEST_POSTGRES") else {
        eprintln!("this needs a PostgreSQL server: scripts/with-postgres --durable bench/run property");
        return ExitCode::from(2);
    };
    let wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    let measured = || -> anyhow::Result<()> {
        if wanted("sales") {
            rounds::measure(&url, if is_small { 1 } else { 5 })?;
        }
        if wanted("queries") {
            queries::measure(&url, if is_small { Size::SMALL } else { Size::FULL })?;
        }
        Ok(())
    };
    match measured() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
