//! What the bots cost the server: from its metrics, and from `/proc` where it runs on this machine.

use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Of `/proc/PID/stat`: `USER_HZ`, fixed on Linux.
const CLOCK_TICKS_PER_S: f64 = 100.0;
const TICK_BUCKETS: &str = "terrane_zone_tick_seconds_bucket";

/// Where to look.
#[derive(Clone, Debug, Default)]
pub struct ServerToWatch {
    /// Address of its metrics, `http://host:port/metrics`.
    pub metrics_url: Option<String>,
    /// Its process, if it runs on this machine.
    pub pid: Option<u32>,
}

/// The server over the time measured. What could not be learned is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerCost {
    /// How long it was watched.
    pub seconds: f64,
    /// CPU time over wall time.
    pub cores: Option<f64>,
    /// Memory when the measurement began, at its end, and the most seen, in MiB.
    pub memory_begin_mib: Option<f64>,
    /// See above.
    pub memory_end_mib: Option<f64>,
    /// See above.
    pub memory_peak_mib: Option<f64>,
    /// Length of a tick.
    pub tick_p50_ms: Option<f64>,
    /// See above.
    pub tick_p99_ms: Option<f64>,
    /// The longest, as the server says, else the upper edge of its highest bucket.
    pub tick_max_ms: Option<f64>,
    /// Ticks.
    pub ticks: Option<u64>,
    /// Ticks left out because the server was behind.
    pub skipped_ticks: Option<u64>,
    /// Frames made for clients.
    pub frames: Option<u64>,
    /// CPU time of the whole server for each of them, everything included.
    pub cpu_us_per_frame: Option<f64>,
    /// Frames dropped for slow readers.
    pub dropped_frames: Option<u64>,
    /// Bodies that went from one zone to another.
    pub handovers: Option<u64>,
    /// Zones at the end.
    pub zones: Option<u64>,
    /// The greatest stretch of time seen; 1 is none.
    pub dilation_max: Option<f64>,
}

/// A look at the server.
#[derive(Clone, Debug, Default)]
struct Look {
    at: Option<Instant>,
    cpu_s: Option<f64>,
    memory_mib: Option<f64>,
    text: Option<String>,
}

/// Watches until told to stop.
pub(crate) struct Watching {
    stop: watch::Sender<bool>,
    task: JoinHandle<ServerCost>,
}

impl Watching {
    /// Begins; none if there is nothing to look at.
    pub(crate) fn begin(server: ServerToWatch) -> Option<Self> {
        if server.metrics_url.is_none() && server.pid.is_none() {
            return None;
        }
        let (stop, stopped) = watch::channel(false);
        Some(Self { stop, task: tokio::spawn(watch_until(server, stopped)) })
    }

    /// Ends, and says what it was.
    pub(crate) async fn end(self) -> ServerCost {
        self.stop.send_replace(true);
        self.task.await.unwrap_or_default()
    }
}

async fn watch_until(server: ServerToWatch, mut stopped: watch::Receiver<bool>) -> ServerCost {
    let http = reqwest::Client::new();
    let first = look(&server, &http).await;
    let (mut peak_mib, mut longest_s, mut dilation) = (first.memory_mib, None, None);
    let mut polls = interval(POLL_INTERVAL);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let last = loop {
        let is_last = tokio::select! {
            _ = polls.tick() => false,
            _ = stopped.wait_for(|stopped| *stopped) => true,
        };
        let now = look(&server, &http).await;
        peak_mib = greater(peak_mib, now.memory_mib);
        longest_s = greater(longest_s, gauge(&now, "terrane_zone_tick_longest_seconds"));
        dilation = greater(dilation, gauge(&now, "terrane_zone_dilation"));
        if is_last {
            break now;
        }
    };
    cost_between(&first, &last, peak_mib, longest_s, dilation)
}

fn cost_between(
    first: &Look,
    last: &Look,
    peak_mib: Option<f64>,
    longest_s: Option<f64>,
    dilation_max: Option<f64>,
) -> ServerCost {
    let seconds = match (first.at, last.at) {
        (Some(from), Some(to)) => to.duration_since(from).as_secs_f64(),
        _ => 0.0,
    };
    let cpu_s = first.cpu_s.zip(last.cpu_s).map(|(from, to)| to - from);
    let grown = |name: &str| {
        let from = first.text.as_deref().and_then(|text| sum_of(text, name)).unwrap_or_default();
        let to = last.text.as_deref().and_then(|text| sum_of(text, name))?;
        Some((to - from).max(0.0) as u64)
    };
    let ticks =
        Buckets::between(first.text.as_deref().unwrap_or_default(), last.text.as_deref().unwrap_or_default());
    let frames = grown("terrane_zone_frames_total");
    ServerCost {
        seconds,
        cores: cpu_s.map(|cpu_s| cpu_s / seconds.max(1e-3)),
        memory_begin_mib: first.memory_mib,
        memory_end_mib: last.memory_mib,
        memory_peak_mib: peak_mib,
        tick_p50_ms: ticks.quantile_s(0.5).map(|s| s * 1e3),
        tick_p99_ms: ticks.quantile_s(0.99).map(|s| s * 1e3),
        tick_max_ms: longest_s.or_else(|| ticks.quantile_s(1.0)).map(|s| s * 1e3),
        ticks: (ticks.count() > 0).then(|| ticks.count()),
        skipped_ticks: grown("terrane_zone_skipped_ticks_total"),
        frames,
        cpu_us_per_frame: cpu_s.zip(frames.filter(|it| *it > 0)).map(|(s, frames)| s * 1e6 / frames as f64),
        dropped_frames: grown("terrane_zone_dropped_frames_total"),
        handovers: grown("terrane_zone_handovers_total"),
        zones: gauge(last, "terrane_zones").map(|it| it as u64),
        dilation_max,
    }
}

fn greater(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

async fn look(server: &ServerToWatch, http: &reqwest::Client) -> Look {
    let (cpu_s, memory_mib) = server.pid.map(process_cost).unwrap_or_default();
    let at = Some(Instant::now());
    let text = match &server.metrics_url {
        Some(url) => match http.get(url).timeout(Duration::from_secs(10)).send().await {
            Ok(answer) => answer.text().await.ok(),
            Err(_) => None,
        },
        None => None,
    };
    let told = text.as_deref().and_then(|text| sum_of(text, "process_resident_memory_bytes"));
    let memory_mib = memory_mib.or_else(|| told.map(|bytes| bytes / f64::from(1 << 20)));
    Look { at, cpu_s, memory_mib, text }
}

/// CPU seconds so far and resident MiB of a process here.
fn process_cost(pid: u32) -> (Option<f64>, Option<f64>) {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok();
    let cpu_s = read("stat").and_then(|stat| cpu_s_of(&stat));
    let kib = read("status").and_then(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()
    });
    (cpu_s, kib.map(|kib| kib / 1024.0))
}

/// User and system time of `/proc/PID/stat`; the name in parentheses may hold anything.
fn cpu_s_of(stat: &str) -> Option<f64> {
    let mut fields = stat.get(stat.rfind(')')? + 2..)?.split(' ').skip(11);
    let mut next = || fields.next()?.parse::<f64>().ok();
    Some((next()? + next()?) / CLOCK_TICKS_PER_S)
}

fn gauge(look: &Look, name: &str) -> Option<f64> {
    sum_of(look.text.as_deref()?, name)
}

/// The values of a metric under all labels, together.
fn sum_of(text: &str, name: &str) -> Option<f64> {
    let mut values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        if !rest.starts_with([' ', '{']) {
            return None;
        }
        rest.rsplit(' ').next()?.parse::<f64>().ok()
    });
    let first = values.next()?;
    Some(first + values.sum::<f64>())
}

/// A histogram: upper edges in seconds with how many were not above them.
#[derive(Debug, Default)]
struct Buckets(Vec<(f64, f64)>);

impl Buckets {
    fn between(before: &str, after: &str) -> Self {
        let edges = |text: &str| -> Vec<(f64, f64)> {
            let mut edges: Vec<(f64, f64)> = vec![];
            for line in text.lines().filter_map(|line| line.strip_prefix(TICK_BUCKETS)) {
                let Some((_, rest)) = line.split_once("le=\"") else { continue };
                let Some((edge, rest)) = rest.split_once('"') else { continue };
                let edge = if edge == "+Inf" { f64::INFINITY } else { edge.parse().unwrap_or(f64::NAN) };
                let count = rest.rsplit(' ').next().and_then(|it| it.parse().ok()).unwrap_or_default();
                match edges.iter_mut().find(|(it, _)| *it == edge) {
                    Some((_, sum)) => *sum += count,
                    None => edges.push((edge, count)),
                }
            }
            edges
        };
        let before = edges(before);
        let earlier = |edge: f64| before.iter().find(|(it, _)| *it == edge).map_or(0.0, |(_, count)| *count);
        let mut grown: Vec<_> =
            edges(after).into_iter().map(|(edge, count)| (edge, count - earlier(edge))).collect();
        grown.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(grown)
    }

    fn count(&self) -> u64 {
        self.0.last().map_or(0, |(_, count)| *count as u64)
    }

    /// Evenly within its bucket; none without measurements. What lies above the last edge counts as that edge.
    fn quantile_s(&self, share: f64) -> Option<f64> {
        let rank = share * self.0.last()?.1;
        if rank <= 0.0 {
            return None;
        }
        let (mut lower, mut below) = (0.0, 0.0);
        for (edge, count) in &self.0 {
            if *count >= rank {
                let within = (rank - below) / (count - below).max(1.0);
                return Some(if edge.is_finite() { lower + (edge - lower) * within } else { lower });
            }
            (lower, below) = (*edge, *count);
        }
        Some(lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "\
# TYPE terrane_zone_tick_seconds histogram
terrane_zone_tick_seconds_bucket{le=\"0.001\"} 100
terrane_zone_tick_seconds_bucket{le=\"0.01\"} 100
terrane_zone_tick_seconds_bucket{le=\"+Inf\"} 100
terrane_zone_frames_total 1000
process_resident_memory_bytes 1048576
";
    const AFTER: &str = "\
terrane_zone_tick_seconds_bucket{le=\"0.001\"} 150
terrane_zone_tick_seconds_bucket{le=\"0.01\"} 199
terrane_zone_tick_seconds_bucket{le=\"+Inf\"} 200
terrane_zone_frames_total{shard=\"0\"} 3000
terrane_zone_frames_total{shard=\"1\"} 2000
terrane_zone_frames_totally 7
";

    #[test]
    fn what_grew_between_two_looks_is_the_cost() {
        let now = Instant::now();
        let look = |at, cpu_s, text: &str| Look {
            at: Some(at),
            cpu_s: Some(cpu_s),
            memory_mib: Some(10.0),
            text: Some(text.into()),
        };
        let first = look(now, 1.0, BEFORE);
        let last = look(now + Duration::from_secs(2), 2.0, AFTER);
        let cost = cost_between(&first, &last, Some(12.0), None, None);
        assert_eq!((cost.cores, cost.frames, cost.cpu_us_per_frame), (Some(0.5), Some(4_000), Some(250.0)));
        assert_eq!((cost.ticks, cost.memory_peak_mib, cost.handovers), (Some(100), Some(12.0), None));
        let (p50_ms, p99_ms) = (cost.tick_p50_ms.unwrap(), cost.tick_p99_ms.unwrap());
        assert!((p50_ms - 1.0).abs() < 0.1 && (p99_ms - 10.0).abs() < 0.1, "{p50_ms} {p99_ms}");
        assert!((cost.tick_max_ms.unwrap() - 10.0).abs() < 0.1);
    }

    #[test]
    fn a_server_that_tells_nothing_costs_nothing_known() {
        let cost = cost_between(&Look::default(), &Look::default(), None, None, None);
        assert_eq!(cost, ServerCost::default());
    }

    #[test]
    fn cpu_time_is_read_whatever_the_process_is_called() {
        let stat = "12 (a) b (c) S 1 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 100 1 1";
        assert_eq!(cpu_s_of(stat), Some(3.0));
        assert_eq!(cpu_s_of("nothing"), None);
    }
}
