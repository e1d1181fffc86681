//! Measures how fast a planet is made, beside the crates that others use: `cargo run --release -- [part]…`.
//!
//! All in one process and one thread; contenders take turns, round by round; thread CPU time. What counts is the
//! ratio of two contenders within a round: medians over the rounds, with the tenth and the ninetieth percentile.

mod global;
mod ground;
mod noise;
mod peers;
mod rounds;
mod walk;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(threads) =
        std::env::args().nth(2).filter(|_| std::env::args().nth(1).as_deref() == Some(global::ONE))
    {
        return global::measure_one(&threads);
    }
    let parts: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|name| name == part);
    if let Some(unknown) = parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        eprintln!("no measurement is called {unknown}: {}", PARTS.join(", "));
        return ExitCode::from(2);
    }
    if wanted("noise") {
        noise::measure();
    }
    if wanted("global") {
        global::measure();
    }
    if wanted("wasm") {
        walk::measure();
    }
    if wanted("chunk") || wanted("codec") {
        let planet = ground::planet();
        if wanted("codec") {
            ground::measure_codec(&planet);
        }
        if wanted("global") {
            global::measure();
        }
        if wanted("chunk") {
            ground::measure_chunks(&planet);
        }
    }
    ExitCode::SUCCESS
}

const PARTS: [&str; 5] = ["noise", "global", "wasm", "chunk", "codec"];
