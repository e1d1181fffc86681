//! The process's metrics in the Prometheus text format.

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// Upper edges, in seconds, of every histogram whose name ends in `_seconds`: from a tick to a time-out.
const SECONDS_BUCKETS: [f64; 14] =
    [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.033, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Why the metrics recorder could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Usually: this process has a recorder already.
    #[error("metrics cannot be recorded: {0}")]
    Recorder(#[from] BuildError),
}

/// The recorder of this process; cheap to clone.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Makes this the recorder behind the `metrics` macros of the whole process.
    pub fn install() -> Result<Self, MetricsError> {
        let handle = builder()?.install_recorder()?;
        metrics::describe_gauge!(
            "process_resident_memory_bytes",
            metrics::Unit::Bytes,
            "Memory that the process holds in RAM"
        );
        Ok(Self(handle))
    }

    /// A recorder of its own that nothing writes to, so that several nodes can live in one test process.
    pub fn for_test() -> Self {
        Self(builder().expect("constant buckets are valid").build_recorder().handle())
    }

    /// All metrics as Prometheus text (version 0.0.4).
    pub fn render(&self) -> String {
        if let Some(bytes) = resident_memory_bytes() {
            metrics::gauge!("process_resident_memory_bytes").set(bytes as f64);
        }
        self.0.render()
    }

    /// Folds finished measurements into the histograms; to be called every few seconds, because a node
    /// whose metrics nobody reads would otherwise keep each single one.
    pub fn tidy(&self) {
        self.0.run_upkeep();
    }
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new().set_buckets_for_metric(
        metrics_exporter_prometheus::Matcher::Suffix("_seconds".to_owned()),
        &SECONDS_BUCKETS,
    )
}

/// From `/proc`; `None` where there is none.
fn resident_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_in_the_text() {
        let recorder = builder().unwrap().build_recorder();
        let metrics = Metrics(recorder.handle());
        let text = metrics::with_local_recorder(&recorder, || {
            metrics::counter!("terrane_requests_total", "method" => "GET").increment(3);
            metrics::histogram!("terrane_tick_seconds").record(0.004);
            metrics.tidy();
            metrics.render()
        });
        assert!(text.contains("terrane_requests_total{method=\"GET\"} 3"), "{text}");
        assert!(text.contains("terrane_tick_seconds_bucket{le=\"0.005\"} 1"), "{text}");
        assert!(text.contains("terrane_tick_seconds_bucket{le=\"0.002\"} 0"), "{text}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_is_read_from_the_system() {
        assert!(resident_memory_bytes().unwrap() > 100_000);
    }
}
