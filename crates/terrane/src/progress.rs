//! Short lines on standard output while something is opened, and a bar for what takes long.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use gateway::Preparation;
use tokio::sync::watch;

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

/// A line on a terminal that is drawn again and again while something long goes on; nothing where nobody looks. It
/// goes to standard error, so that results on standard output stay results.
pub(crate) struct Bar {
    is_shown: bool,
    now: Option<Preparation>,
}

/// Columns of the bar itself.
const BAR_WIDTH: usize = 24;

impl Bar {
    pub(crate) fn new() -> Self {
        Self { is_shown: std::io::stderr().is_terminal(), now: None }
    }

    pub(crate) fn show(&mut self, now: Preparation) {
        if self.is_shown && self.now != Some(now) {
            let mut out = std::io::stderr().lock();
            // Back to the first column; behind the text, clear what was longer before.
            let _ = write!(out, "\r{}\x1b[K", bar_line(now)).and_then(|()| out.flush());
            self.now = Some(now);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.now.is_some() {
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r\x1b[K").and_then(|()| out.flush());
        }
    }
}

fn bar_line(Preparation { stage, percent }: Preparation) -> String {
    let full = BAR_WIDTH * usize::from(percent.min(100)) / 100;
    format!("  {}{} {percent:3} %  {stage}", "█".repeat(full), "░".repeat(BAR_WIDTH - full))
}

/// Draws the bar until the sender is gone.
pub(crate) async fn draw(mut progress: watch::Receiver<Preparation>) {
    let mut bar = Bar::new();
    while progress.changed().await.is_ok() {
        let now = *progress.borrow_and_update();
        bar.show(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_as_full_as_the_work() {
        let line = |percent| bar_line(Preparation { stage: "packing", percent });
        assert_eq!(line(0), format!("  {}   0 %  packing", "░".repeat(24)));
        assert_eq!(line(50), format!("  {}{}  50 %  packing", "█".repeat(12), "░".repeat(12)));
        assert_eq!(line(100), format!("  {} 100 %  packing", "█".repeat(24)));
    }
}
