//! `terrane bots`.

use bots::BotsConfig;

use crate::Failure;
use crate::cli::BotsArgs;
use crate::progress::say;

pub(crate) fn run(arguments: &BotsArgs) -> Result<(), Failure> {
    let mut config = BotsConfig {
        url: arguments.url.clone(),
        count: arguments.count,
        seconds: arguments.seconds,
        ..BotsConfig::default()
    };
    if let Some(seed) = arguments.seed {
        config.seed = seed;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(bots::run(config))?;
    if arguments.json {
        say(serde_json::to_string(&report)?);
    } else {
        say(report.to_string().trim_end());
    }
    // The report has said who is missing.
    if report.connected == report.asked && report.dropped == 0 { Ok(()) } else { Err(Failure::Found) }
}
