//! One subscriber for the process, writing to standard error.
//!
//! Standard output stays free for what a command was asked to print.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// Coloured lines for a person.
    Human,
    /// One JSON object a line, for machines.
    Json,
}

impl LogFormat {
    /// Every format with the word that names it in a configuration.
    pub const ALL: [(&'static str, Self); 3] =
        [("auto", Self::Auto), ("human", Self::Human), ("json", Self::Json)];

    /// The word that names this format in a configuration.
    pub fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, format)| *format == self)
            .map(|(word, _)| *word)
            .expect("ALL lists every format")
    }

    fn is_json(self) -> bool {
        match self {
            Self::Auto => !std::io::stderr().is_terminal(),
            Self::Human => false,
            Self::Json => true,
        }
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter is not in `tracing`'s language, for example `info,zone=debug`.
    #[error("not a log filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// This process has a subscriber already.
    #[error("logging was set up before")]
    AlreadyInstalled,
}

/// Sends all log events of the process that pass `filter` (`info`, `warn,zone=debug`, …) to standard error.
pub fn install_logging(format: LogFormat, filter: &str) -> Result<(), LoggingError> {
    let subscriber = subscriber(format.is_json(), filter, std::io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LoggingError::AlreadyInstalled)
}

fn subscriber<W>(
    is_json: bool,
    filter: &str,
    writer: W,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, LoggingError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    Ok(if is_json {
        // Facts stand at the top level, where a log store indexes them.
        Box::new(builder.json().flatten_event(true).with_current_span(true).with_span_list(false).finish())
    } else {
        Box::new(builder.with_ansi(std::io::stderr().is_terminal()).finish())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn log_through(is_json: bool, filter: &str) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        let subscriber = subscriber(is_json, filter, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info_span!("request", request_id = "r-1").in_scope(|| {
                tracing::info!(zone = 7, "zone fell behind");
                tracing::debug!("a detail");
            });
        });
        String::from_utf8(captured.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_lines_carry_facts_and_the_span_as_fields() {
        let text = log_through(true, "info");
        let event: serde_json::Value = serde_json::from_str(text.trim()).expect("one JSON object");
        assert_eq!(event["message"], "zone fell behind");
        assert_eq!(event["zone"], 7);
        assert_eq!(event["level"], "INFO");
        assert_eq!(event["span"]["request_id"], "r-1");
    }

    #[test]
    fn the_filter_chooses_the_level_and_a_bad_one_is_refused() {
        assert!(!log_through(false, "info").contains("a detail"));
        assert!(log_through(false, "debug").contains("a detail"));
        assert!(matches!(subscriber(false, "info,zone=shout", std::io::sink), Err(LoggingError::Filter(_))));
    }
}
