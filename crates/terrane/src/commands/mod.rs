//! One file per command.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod bots;
pub(crate) mod config;
pub(crate) mod db;
pub(crate) mod ledger;
pub(crate) mod planet;
pub(crate) mod privacy;
pub(crate) mod serve;
pub(crate) mod zone;

use store::{OpenError, Store, StoreConfig};

use crate::Failure;
use crate::cli::PlaceArgs;
use crate::config::{Config, Sources};
use crate::node;

/// Environment and file, without flags but those that say where things are.
fn sources(place: &PlaceArgs) -> Sources {
    let mut sources = Sources::new(std::env::vars_os().filter_map(|(name, value)| {
        // What is not Unicode is no setting of ours, or a value that no setting takes.
        Some((name.into_string().ok()?, value.into_string().unwrap_or_default()))
    }));
    if let Some(file) = &place.config {
        sources.read_file(file);
    }
    sources.flag("node.data", place.data.as_ref().map(|data| data.display()));
    sources
}

fn read(sources: Sources) -> Result<Config, Failure> {
    let config = Config::read(sources).map_err(Failure::Misused)?;
    if let Some(economy) = &config.economy {
        let is_installed = wallet::Economy::install(economy.clone());
        assert!(is_installed, "the configuration is read before anything asks for the table");
    }
    Ok(config)
}

/// Opens the database of the configured place by `open`, for a command that then runs in it.
fn with_store<T>(
    place: &PlaceArgs,
    open: impl AsyncFnOnce(StoreConfig) -> Result<Store, OpenError>,
    command: impl AsyncFnOnce(Store) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = read(sources(place))?;
    with_store_of(&config, open, command)
}

/// [`with_store`] of a configuration that was read already.
fn with_store_of<T>(
    config: &Config,
    open: impl AsyncFnOnce(StoreConfig) -> Result<Store, OpenError>,
    command: impl AsyncFnOnce(Store) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = open(node::store_config(config)).await?;
        let outcome = command(store.clone()).await;
        store.close().await;
        outcome
    })
}
