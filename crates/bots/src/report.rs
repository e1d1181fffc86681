//! What a run of bots saw.

use serde::Serialize;
use std::fmt;

/// The result of a run, for people ([`fmt::Display`]) and machines (`serde`).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Bots asked for.
    pub asked: usize,
    /// Bots that entered the world.
    pub connected: usize,
    /// Bots that could not log in or enter.
    pub failed: usize,
    /// Bots whose connection ended before they left.
    pub dropped: usize,
    /// From the first bot in to the last bot out.
    pub seconds: f64,
    /// Frames received per second and client: mean over clients.
    pub frames_per_s: f64,
    /// The same of the client that got fewest.
    pub frames_per_s_min: f64,
    /// From a ping to its answer, half of them at most, in milliseconds. The server answers at its next tick.
    pub round_trip_p50_ms: f64,
    /// The same for 99 of 100.
    pub round_trip_p99_ms: f64,
    /// Bytes of messages received per second and client: mean over clients.
    pub bytes_per_s: f64,
    /// The most bytes any client received in one second.
    pub bytes_per_s_peak: u64,
    /// Times the own body was more than a centimetre from where it was predicted.
    pub corrections: u64,
    /// The farthest it was, in metres.
    pub correction_max_m: f64,
    /// Bodies seen, the own one included: mean over clients at their last frame.
    pub visible_bodies: f64,
    /// The most bodies seen by a client at its last frame.
    pub visible_bodies_max: usize,
    /// Frames after which some cells were unknown because frames before were missing.
    pub frames_with_gaps: u64,
    /// Frames that told to start again, after a client's first: it was too slow to read.
    pub restarts: u64,
    /// Things heard.
    pub heard: u64,
    /// Requests the server refused.
    pub refused: u64,
    /// Why bots failed or were dropped, and how many for each reason; most frequent first.
    pub reasons: Vec<(String, usize)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, connected, failed, dropped, seconds, .. } = self;
        let mut line = |what: &str, value: String| writeln!(f, "{what:<24}{value}");
        line("bots", format!("{connected} of {asked} connected, {failed} failed, {dropped} dropped"))?;
        line("time", format!("{seconds:.1} s"))?;
        line(
            "frames per client",
            format!("{:.2} a second, slowest {:.2}", self.frames_per_s, self.frames_per_s_min),
        )?;
        line(
            "round trip",
            format!("p50 {:.1} ms, p99 {:.1} ms", self.round_trip_p50_ms, self.round_trip_p99_ms),
        )?;
        line(
            "bytes per client",
            format!("{:.0} a second, peak {}", self.bytes_per_s, self.bytes_per_s_peak),
        )?;
        line(
            "bodies in view",
            format!("{:.1} on average, at most {}", self.visible_bodies, self.visible_bodies_max),
        )?;
        line(
            "corrections over 1 cm",
            format!("{}, farthest {:.3} m", self.corrections, self.correction_max_m),
        )?;
        line("restarts, gaps", format!("{}, {}", self.restarts, self.frames_with_gaps))?;
        line("heard, refused", format!("{}, {}", self.heard, self.refused))?;
        for (reason, count) in &self.reasons {
            writeln!(f, "  {count} × {reason}")?;
        }
        Ok(())
    }
}
