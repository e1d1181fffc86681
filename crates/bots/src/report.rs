//! What a run of bots saw, for people and machines, and how the reports of several processes add up.

use crate::server_cost::ServerCost;
use crate::tally::{TIERS, Tally};
use serde::{Deserialize, Serialize};

/// The result of a run, for people ([`Display`](std::fmt::Display), in `table.rs`) and machines (`serde`). Beside its figures it holds the sums they
/// were made of, so that reports can be added up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What the bots did.
    pub scenario: String,
    /// What decided about them, for each process.
    pub seeds: Vec<u64>,
    /// Processes that are added up here.
    pub processes: usize,
    /// Bots asked for.
    pub asked: usize,
    /// From when all were in until they left: the time that the figures are about.
    pub seconds: f64,
    /// What is worth knowing.
    #[serde(flatten)]
    pub figures: Figures,
    /// What it cost the server, if that was watched.
    pub server: Option<ServerCost>,
    /// What the figures were made of.
    pub sums: Tally,
}

/// Rates and means of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Bots that entered the world.
    pub connected: usize,
    /// Bots that could not log in or enter.
    pub failed: usize,
    /// Connections that ended before their bots wanted to leave.
    pub dropped: usize,
    /// Frames a second and client: mean, and the client that got fewest.
    pub frames_per_s: f64,
    /// See above.
    pub frames_per_s_min: f64,
    /// Between two frames of a client.
    pub frame_interval_p50_ms: f64,
    /// See above.
    pub frame_interval_p99_ms: f64,
    /// See above.
    pub frame_interval_max_ms: f64,
    /// From a ping to its answer. The server answers at its next tick.
    pub round_trip_p50_ms: f64,
    /// See above.
    pub round_trip_p99_ms: f64,
    /// Bytes a second and client.
    pub bytes_per_s: f64,
    /// The most bytes any client received in one second.
    pub bytes_per_s_peak: u64,
    /// Frames that told to start again: somebody read too slowly.
    pub restarts: u64,
    /// Of those who decode everything: bodies in view, on average and at most.
    pub visible_bodies: f64,
    /// See above.
    pub visible_bodies_max: u64,
    /// Bodies told anew a second and client, by their tier: near, mid, far.
    pub updates_per_s: [f64; TIERS],
    /// How often a second each of these bodies is told anew.
    pub update_hz: [f64; TIERS],
    /// Bytes for each body told anew, everything included.
    pub bytes_per_update: f64,
    /// Share of the frames after which the own body was over a centimetre from where it was predicted.
    pub correction_rate: f64,
    /// The farthest it was, in metres.
    pub correction_max_m: f64,
    /// Frames after which some cells were unknown because frames before were missing.
    pub frames_with_gaps: u64,
    /// How long logins and entries took.
    pub login_p50_ms: f64,
    /// See above.
    pub login_p99_ms: f64,
    /// See above.
    pub entry_p50_ms: f64,
    /// See above.
    pub entry_p99_ms: f64,
    /// Decisions over HTTP a second, and how long they took.
    pub decisions_per_s: f64,
    /// See above.
    pub decision_p50_ms: f64,
    /// See above.
    pub decision_p99_ms: f64,
}

/// No reports to add up, or of different things.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// There is nothing to add up.
    #[error("no reports were given")]
    None,
    /// Bots that did different things have no common figures.
    #[error("reports of different scenarios, {0} and {1}, do not add up")]
    Scenarios(String, String),
}

impl Report {
    pub(crate) fn new(
        scenario: &str,
        seed: u64,
        asked: usize,
        seconds: f64,
        sums: Tally,
        server: Option<ServerCost>,
    ) -> Self {
        let figures = Figures::of(&sums, seconds);
        let scenario = scenario.to_owned();
        Self { scenario, seeds: vec![seed], processes: 1, asked, seconds, figures, server, sums }
    }

    /// The reports of processes that ran side by side, as one. Of a server that several watched, the view of the one
    /// that watched longest counts.
    pub fn add_up(reports: Vec<Self>) -> Result<Self, AddError> {
        let mut reports = reports.into_iter();
        let mut all = reports.next().ok_or(AddError::None)?;
        for other in reports {
            if other.scenario != all.scenario {
                return Err(AddError::Scenarios(all.scenario, other.scenario));
            }
            all.seeds.extend(other.seeds);
            all.processes += other.processes;
            all.asked += other.asked;
            all.seconds = all.seconds.max(other.seconds);
            all.sums.add(&other.sums);
            let longer = |a: &ServerCost, b: &ServerCost| a.seconds.total_cmp(&b.seconds);
            all.server = all.server.into_iter().chain(other.server).max_by(longer);
        }
        all.figures = Figures::of(&all.sums, all.seconds);
        Ok(all)
    }

    /// Whether everybody came in and nobody was thrown out or lost anything.
    pub fn is_whole(&self) -> bool {
        let Figures { connected, dropped, .. } = self.figures;
        connected == self.asked && dropped == 0
    }
}

impl Figures {
    fn of(sums: &Tally, seconds: f64) -> Self {
        let per = |amount: f64, of: f64| if of > 0.0 { amount / of } else { 0.0 };
        let told: u64 = sums.updates.iter().sum();
        let decisions: u64 = sums.decisions.values().sum();
        Self {
            connected: sums.connected,
            failed: sums.failed,
            dropped: sums.dropped,
            frames_per_s: per(sums.frames as f64, sums.client_seconds),
            frames_per_s_min: sums.frames_per_s_min.unwrap_or_default(),
            frame_interval_p50_ms: sums.frame_intervals.quantile_ms(0.5),
            frame_interval_p99_ms: sums.frame_intervals.quantile_ms(0.99),
            frame_interval_max_ms: sums.frame_intervals.max_ms(),
            round_trip_p50_ms: sums.round_trips.quantile_ms(0.5),
            round_trip_p99_ms: sums.round_trips.quantile_ms(0.99),
            bytes_per_s: per(sums.bytes as f64, sums.client_seconds),
            bytes_per_s_peak: sums.bytes_per_s_peak,
            restarts: sums.restarts,
            visible_bodies: per(sums.seen as f64, sums.seen_frames as f64),
            visible_bodies_max: sums.seen_max,
            updates_per_s: sums.updates.map(|told| per(told as f64, sums.watcher_seconds)),
            update_hz: std::array::from_fn(|tier| per(sums.updates[tier] as f64, sums.body_seconds[tier])),
            bytes_per_update: per(sums.watched_bytes as f64, told as f64),
            correction_rate: per(sums.corrections as f64, sums.predicted as f64),
            correction_max_m: sums.correction_max_m,
            frames_with_gaps: sums.frames_with_gaps,
            login_p50_ms: sums.logins.quantile_ms(0.5),
            login_p99_ms: sums.logins.quantile_ms(0.99),
            entry_p50_ms: sums.entries.quantile_ms(0.5),
            entry_p99_ms: sums.entries.quantile_ms(0.99),
            decisions_per_s: per(decisions as f64, seconds),
            decision_p50_ms: sums.decision_times.quantile_ms(0.5),
            decision_p99_ms: sums.decision_times.quantile_ms(0.99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn report(seed: u64, frames: u64, reason: Option<&str>) -> Report {
        let mut sums = Tally { connected: 1, watchers: 1, watcher_seconds: 10.0, ..Tally::default() };
        sums.note_client(10.0, frames, 5_000, frames);
        sums.round_trips.note(Duration::from_millis(frames));
        sums.updates = [frames, 0, 4];
        sums.body_seconds = [frames as f64 / 5.0, 0.0, 4.0];
        sums.watched_bytes = 2 * (frames + 4);
        sums.predicted = 100;
        sums.corrections = 1;
        if let Some(reason) = reason {
            sums.note_drop(reason.to_owned());
        }
        let server = ServerCost { seconds: frames as f64, cores: Some(0.5), ..ServerCost::default() };
        Report::new("crowd", seed, 2, 10.0, sums, Some(server))
    }

    #[test]
    fn reports_of_several_processes_add_up_after_they_were_written_down() {
        let texts = [report(1, 100, None), report(2, 50, Some("bye too_slow"))]
            .map(|it| serde_json::to_string(&it).unwrap());
        let reports = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        let all = Report::add_up(reports).unwrap();
        let figures = &all.figures;
        assert_eq!((all.processes, all.asked, figures.connected, figures.dropped), (2, 4, 2, 1));
        assert_eq!((figures.frames_per_s, figures.frames_per_s_min), (7.5, 5.0));
        assert_eq!((figures.bytes_per_s, figures.bytes_per_s_peak), (500.0, 100));
        assert!(
            (figures.round_trip_p50_ms - 50.0).abs() < 1.0 && (figures.round_trip_p99_ms - 100.0).abs() < 1.0
        );
        assert_eq!((figures.updates_per_s, figures.update_hz), ([7.5, 0.0, 0.4], [5.0, 0.0, 1.0]));
        assert_eq!((figures.bytes_per_update, figures.correction_rate), (2.0, 0.01));
        assert!((all.server.as_ref().unwrap().seconds - 100.0).abs() < 1e-9, "one server, watched twice");
        assert!(!all.is_whole());
        let text = all.to_string();
        assert!(text.contains("2 of 4 connected, 0 failed, 1 dropped"), "{text}");
        assert!(text.contains("seed 1 2, 2 processes") && text.contains("1 × bye too_slow"), "{text}");
    }

    #[test]
    fn what_does_not_belong_together_does_not_add_up() {
        let other = Report { scenario: "churn".into(), ..report(1, 1, None) };
        assert!(matches!(Report::add_up(vec![report(1, 1, None), other]), Err(AddError::Scenarios(..))));
        assert_eq!(Report::add_up(vec![]), Err(AddError::None));
    }

    #[test]
    fn a_run_nobody_joined_is_reported_in_numbers_too() {
        let mut sums = Tally::default();
        sums.note_failure("no".into());
        let report = Report::new("stroll", 1, 1, 0.0, sums, None);
        let text = serde_json::to_string(&report).unwrap();
        assert!(!text.contains("null,\"frames") && report.figures.frames_per_s == 0.0);
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        assert!(report.to_string().contains("1 × no"));
    }
}
