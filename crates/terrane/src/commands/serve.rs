//! `terrane serve`.

use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

use crate::Failure;
use crate::cli::ServeArgs;
use crate::config;
use crate::node;
use crate::open_files;
use crate::progress::say;

/// How often to look whether the simulation still runs.
const ALIVE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

pub(crate) fn run(arguments: &ServeArgs) -> Result<(), Failure> {
    let mut sources = super::sources(&arguments.place);
    sources.flag("http.listen", arguments.listen);
    sources.flag("metrics.listen", arguments.metrics_listen.as_ref());
    sources.flag("planet.seed", arguments.seed);
    sources.flag("planet.raster_level", arguments.raster_level);
    sources.flag("planet.name", arguments.name.as_ref());
    let roles: Vec<&str> = arguments.roles.iter().map(|role| role.word()).collect();
    sources.flag("node.roles", (!roles.is_empty()).then(|| roles.join(",")));
    let unknown_variables = sources.unknown_variables();
    let configuration = config::print(sources.clone()).map_err(Failure::Misused)?;
    let config = super::read(sources)?;

    telemetry::install_logging(config.log.format, &config.log.filter)?;
    for variable in unknown_variables {
        warn!(variable, "this environment variable is no setting");
    }
    open_files::allow(config.http.connections_max, config.http.sockets_max);
    let metrics = telemetry::Metrics::install()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        // Before anything is opened, so that no signal finds us half started and deaf.
        let mut terminate = signal(SignalKind::terminate()).context("signals cannot be received")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be received")?;
        let node = tokio::select! {
            started = node::start(&config, configuration, metrics) => started?,
            // Whatever is half made is made anew by the next start.
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        if let Some(url) = node.url() {
            say(format_args!("Terrane is ready: {url}"));
        } else {
            say("Terrane is ready");
        }
        let mut alive = tokio::time::interval(ALIVE_CHECK_INTERVAL);
        let is_dead = loop {
            tokio::select! {
                _ = terminate.recv() => break false,
                _ = interrupt.recv() => break false,
                _ = alive.tick() => if !node.is_alive() { break true },
            }
        };
        if is_dead {
            error!("the simulation has stopped, so this process ends");
        } else {
            info!("shutting down");
        }
        node.stop().await;
        if is_dead { Err(Failure::Found) } else { Ok(()) }
    });
    // Does not wait for threads that wait for a database: what could be ended in good order has been.
    runtime.shutdown_background();
    outcome
}
