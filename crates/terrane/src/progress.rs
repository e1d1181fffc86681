//! Short lines on standard output while something is opened.

use std::fmt::Display;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Says what was opened and how long it took.
pub(crate) struct Progress {
    step_began_at: Instant,
}

impl Progress {
    pub(crate) fn begin() -> Self {
        Self { step_began_at: Instant::now() }
    }

    /// `part` is open; the next step begins.
    pub(crate) fn opened(&mut self, part: &str, detail: impl Display) {
        let took = self.step_began_at.elapsed();
        say(format_args!("  {part:<10} {detail} ({})", in_words(took)));
        self.step_began_at = Instant::now();
    }
}

/// One line for whoever started us. Nobody reading is no reason to stop.
pub(crate) fn say(line: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn in_words(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{} ms", took.as_millis())
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}
