//! What bots saw, in sums that can be added up over bots, threads and processes.

use crate::times::Times;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Near, mid and far: see [`wire::stream::Tier`].
pub(crate) const TIERS: usize = 3;

/// Sums over some bots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Bots that were let in at least once.
    pub connected: usize,
    /// Bots that could not log in or enter.
    pub failed: usize,
    /// Connections that ended though the bot did not want to leave.
    pub dropped: usize,
    /// Why, and how often.
    pub reasons: BTreeMap<String, usize>,
    /// Connections that were measured, and the seconds they were, together.
    pub clients: usize,
    /// See above.
    pub client_seconds: f64,
    /// Frames received; parts of one moment count once.
    pub frames: u64,
    /// The fewest frames a second that any connection got.
    pub frames_per_s_min: Option<f64>,
    /// Bytes of messages received.
    pub bytes: u64,
    /// The most bytes that any connection received in one second.
    pub bytes_per_s_peak: u64,
    /// Frames that told to start again, after a connection's first: it was too slow to read.
    pub restarts: u64,
    /// Between two frames of a connection.
    pub frame_intervals: Times,
    /// From a ping to its answer.
    pub round_trips: Times,
    /// Of a login: two requests and a signature.
    pub logins: Times,
    /// From opening a socket to the welcome.
    pub entries: Times,
    /// Inputs sent.
    pub inputs: u64,
    /// Inputs left out because the socket took no more.
    pub inputs_left_out: u64,
    /// Things heard.
    pub heard: u64,
    /// Requests the server refused, by their code.
    pub refused: BTreeMap<String, u64>,

    /// Connections that decode and predict everything, and their seconds.
    pub watchers: usize,
    /// See above.
    pub watcher_seconds: f64,
    /// Frames with a body that was predicted, and those in which it was over a centimetre off.
    pub predicted: u64,
    /// See above.
    pub corrections: u64,
    /// The farthest a prediction was off, in metres.
    pub correction_max_m: f64,
    /// Frames after which some cells were unknown because frames before were missing.
    pub frames_with_gaps: u64,
    /// Bodies in view, summed over frames; those frames; the most in one.
    pub seen: u64,
    /// See above.
    pub seen_frames: u64,
    /// See above.
    pub seen_max: u64,
    /// Times a body in view was told anew, by its tier: near, mid, far.
    pub updates: [u64; TIERS],
    /// Seconds that bodies were in view, by their tier.
    pub body_seconds: [f64; TIERS],
    /// Bytes of the frames of those who watch.
    pub watched_bytes: u64,

    /// Visits begun anew after the first.
    pub visits: u64,
    /// Connections lost on purpose.
    pub lost: u64,
    /// Of those, resumed in the same body; in another.
    pub resumed: u64,
    /// See above.
    pub resumed_elsewhere: u64,

    /// Decisions over HTTP, by what they were and how they ended.
    pub decisions: BTreeMap<String, u64>,
    /// How long they took.
    pub decision_times: Times,
}

impl Tally {
    /// Everything of the other, too.
    pub fn add(&mut self, other: &Self) {
        let count_all = |into: &mut BTreeMap<String, u64>, from: &BTreeMap<String, u64>| {
            for (what, count) in from {
                *into.entry(what.clone()).or_default() += count;
            }
        };
        self.connected += other.connected;
        self.failed += other.failed;
        self.dropped += other.dropped;
        for (reason, count) in &other.reasons {
            *self.reasons.entry(reason.clone()).or_default() += count;
        }
        self.clients += other.clients;
        self.client_seconds += other.client_seconds;
        self.frames += other.frames;
        self.frames_per_s_min = match (self.frames_per_s_min, other.frames_per_s_min) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.bytes += other.bytes;
        self.bytes_per_s_peak = self.bytes_per_s_peak.max(other.bytes_per_s_peak);
        self.restarts += other.restarts;
        self.frame_intervals.add(&other.frame_intervals);
        self.round_trips.add(&other.round_trips);
        self.logins.add(&other.logins);
        self.entries.add(&other.entries);
        self.inputs += other.inputs;
        self.inputs_left_out += other.inputs_left_out;
        self.heard += other.heard;
        count_all(&mut self.refused, &other.refused);
        self.watchers += other.watchers;
        self.watcher_seconds += other.watcher_seconds;
        self.predicted += other.predicted;
        self.corrections += other.corrections;
        self.correction_max_m = self.correction_max_m.max(other.correction_max_m);
        self.frames_with_gaps += other.frames_with_gaps;
        self.seen += other.seen;
        self.seen_frames += other.seen_frames;
        self.seen_max = self.seen_max.max(other.seen_max);
        for tier in 0..TIERS {
            self.updates[tier] += other.updates[tier];
            self.body_seconds[tier] += other.body_seconds[tier];
        }
        self.watched_bytes += other.watched_bytes;
        self.visits += other.visits;
        self.lost += other.lost;
        self.resumed += other.resumed;
        self.resumed_elsewhere += other.resumed_elsewhere;
        count_all(&mut self.decisions, &other.decisions);
        self.decision_times.add(&other.decision_times);
    }

    /// A connection that was measured this long.
    pub(crate) fn note_client(&mut self, seconds: f64, frames: u64, bytes: u64, peak_bytes: u64) {
        if seconds <= 0.0 {
            return;
        }
        self.clients += 1;
        self.client_seconds += seconds;
        self.frames += frames;
        self.bytes += bytes;
        self.bytes_per_s_peak = self.bytes_per_s_peak.max(peak_bytes);
        let per_s = frames as f64 / seconds;
        self.frames_per_s_min = Some(self.frames_per_s_min.map_or(per_s, |least| least.min(per_s)));
    }

    /// A connection that ended against the bot's will.
    pub(crate) fn note_drop(&mut self, reason: String) {
        self.dropped += 1;
        *self.reasons.entry(reason).or_default() += 1;
    }

    /// A bot that never came in.
    pub(crate) fn note_failure(&mut self, reason: String) {
        self.failed += 1;
        *self.reasons.entry(reason).or_default() += 1;
    }
}
