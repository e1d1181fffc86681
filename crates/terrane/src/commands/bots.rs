//! `terrane bots`.

use std::path::PathBuf;

use anyhow::Context as _;
use bots::{BotsConfig, Report, ServerToWatch};

use crate::Failure;
use crate::cli::{BotsArgs, BotsCommand};
use crate::progress::say;

pub(crate) fn run(arguments: BotsArgs) -> Result<(), Failure> {
    if let Some(BotsCommand::Report { files, json }) = arguments.command {
        return show(&add_up(files)?, json);
    }
    let defaults = BotsConfig::default();
    let config = BotsConfig {
        url: arguments.url,
        scenario: arguments.scenario,
        count: arguments.count,
        seconds: arguments.seconds,
        seed: arguments.seed.unwrap_or(defaults.seed),
        logins_at_once: arguments.logins,
        watchers: arguments.watchers,
        input_hz: arguments.input_hz,
        threads: arguments.threads,
        disc_radius_m: arguments.radius,
        server: ServerToWatch { metrics_url: arguments.metrics, pid: arguments.server_pid },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(bots::run(config))?;
    if let Some(path) = arguments.out {
        let written = std::fs::write(&path, serde_json::to_string(&report)?);
        written.with_context(|| format!("the report cannot be written to {}", path.display()))?;
    }
    show(&report, arguments.json)
}

fn add_up(files: Vec<PathBuf>) -> Result<Report, anyhow::Error> {
    let read = |path: PathBuf| -> Result<Report, anyhow::Error> {
        let text = std::fs::read_to_string(&path);
        let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no report of bots", path.display()))
    };
    let reports = files.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Report::add_up(reports)?)
}

fn show(report: &Report, json: bool) -> Result<(), Failure> {
    if json {
        say(serde_json::to_string(report)?);
    } else {
        say(report.to_string().trim_end());
    }
    // The report has said who is missing.
    if report.is_whole() { Ok(()) } else { Err(Failure::Found) }
}
