//! Logs and metrics of a node.
//!
//! Everything else in the workspace speaks to `tracing` and `metrics`; this crate is the one place that
//! decides where their output goes. It never opens a port: the gateway serves [`Metrics::render`].
//!
//! Read first: [`install_logging`], [`Metrics`].

mod logging;
mod metrics_text;
mod trace_context;

pub use logging::{LogFormat, LoggingError, install_logging};
pub use metrics_text::{Metrics, MetricsError};
pub use trace_context::{TraceContext, trace_state};
