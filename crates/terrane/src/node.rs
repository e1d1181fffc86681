//! One running process: which parts are opened, in which order, and how they are ended.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use api::{Clock as _, SystemClock};
use gateway::{Gateway, GatewayConfig};
use identity::{AccessTokens, Identity, SigningKey};
use planet::Planet;
use store::{Migration, Store, StoreConfig};
use telemetry::Metrics;
use tokio::net::TcpListener;
use tracing::warn;
use uuid::Uuid;
use zone::{SystemClock as ZoneClock, ZoneConfig};

use crate::config::{Config, Role};
use crate::planet_record;
use crate::progress::{Progress, say};
use crate::wiring;

/// How long the zone may take to say goodbye to everybody and to save where they are.
const ZONE_STOP_TIME_MAX: Duration = Duration::from_millis(2_500);

/// How long sockets and requests may take to end after that.
const GATEWAY_STOP_TIME_MAX: Duration = Duration::from_millis(1_500);

/// How long the database may take to finish what it was asked. All three together stay below five seconds.
const STORE_STOP_TIME_MAX: Duration = Duration::from_millis(500);

/// Where the database file is within the data folder.
const DATABASE_FILE: &str = "terrane.db";

/// Where the key that signs access tokens is within the data folder.
const SIGNING_KEY_FILE: &str = "keys/access_token.jwk";

/// The parts of a process, by role.
pub(crate) struct Node {
    gateway: Option<Gateway>,
    zone: Option<zone::Handle>,
    store: Store,
}

/// All migrations of the program.
pub(crate) fn migrations() -> Vec<Migration> {
    let of_crates =
        [identity::MIGRATIONS, wallet::MIGRATIONS, land::MIGRATIONS, zone::MIGRATIONS, api::MIGRATIONS];
    of_crates.into_iter().chain([planet_record::MIGRATIONS]).flatten().copied().collect()
}

/// The database of this configuration.
pub(crate) fn store_config(config: &Config) -> StoreConfig {
    match &config.database.url {
        Some(url) => {
            StoreConfig::Postgres { url: url.clone(), max_connections: config.database.connections_max }
        }
        None => StoreConfig::Sqlite { path: config.node.data.join(DATABASE_FILE) },
    }
}

/// Opens everything the roles need; says so line by line on standard output.
pub(crate) async fn start(config: &Config, metrics: Metrics) -> anyhow::Result<Node> {
    let has_role = |role| config.node.roles.contains(&role);
    let mut progress = Progress::begin();

    // The ports first: a start that cannot be seen from outside leaves no trace in the data.
    let listeners = if has_role(Role::Gateway) { Some(listen(config).await?) } else { None };

    let store = Store::open(store_config(config)).await?;
    let applied = store.migrate(&migrations()).await?;
    let record =
        planet_record::load_or_create(&store, &config.planet, Uuid::new_v4(), SystemClock.now_us()).await?;
    if record.is_new {
        say(format_args!("A new planet, in {}", config.node.data.display()));
    }
    let applied = match applied.len() {
        0 => "up to date".to_owned(),
        count => format!("{count} migrations applied"),
    };
    progress.opened("database", format_args!("{}, {applied}", store.engine().name()));

    let key_path = config.node.data.join(SIGNING_KEY_FILE);
    let signing_key = SigningKey::load_or_create(&key_path, rand::random())?;

    let planet = Arc::new(Planet::generate(record.spec));
    // Asked for now, so that the first newcomer does not wait for the search.
    let searched = Arc::clone(&planet);
    tokio::task::spawn_blocking(move || searched.arrival()).await.context("the generator failed")?;
    let detail = format!("seed {}, radius {:.0} km", record.spec.seed, planet.radius_m() / 1_000.0);
    progress.opened("planet", detail);

    let zone = has_role(Role::Zone).then(|| {
        let deps = zone::Deps {
            planet: Arc::clone(&planet),
            store: store.clone(),
            clock: Arc::new(ZoneClock::default()),
        };
        zone::start(ZoneConfig::default(), deps)
    });
    if zone.is_some() {
        progress.opened("zone", format_args!("{} ticks a second", motion::STEP_HZ));
    }

    let gateway = match listeners {
        None => None,
        Some((listener, metrics_listener)) => {
            let identity = Arc::new(Identity::new(identity::Deps {
                store: store.clone(),
                clock: Arc::new(SystemClock),
                tokens: AccessTokens::new(record.planet_id, &signing_key),
                new_account: Arc::new(|tx, account_id, now_us| {
                    wallet::open_for(tx, account_id, now_us).map_err(Into::into)
                }),
                profile_changed: wiring::profile_changed(zone.clone()),
            }));
            let deps = gateway::Deps {
                listener,
                metrics_listener,
                store: store.clone(),
                identity,
                planet_name: config.planet.name.clone(),
                planet: Arc::clone(&planet),
                zone: zone.clone(),
                services: wiring::services(&store, &planet, zone.as_ref()),
                metrics,
            };
            let edge = GatewayConfig {
                public_origins: config.http.public_origins.clone(),
                connections_max: config.http.connections_max,
                sockets_max: config.http.sockets_max,
                socket_send_buffer_bytes: config.http.socket_send_buffer_bytes,
            };
            let gateway = gateway::start(&edge, deps).context("the listeners are of no use")?;
            let metrics_at = gateway.metrics_address().map_or_else(
                || "no metrics listener".to_owned(),
                |address| format!("metrics at http://{address}/metrics"),
            );
            progress.opened("gateway", metrics_at);
            if !gateway.address().ip().is_loopback() && config.http.public_origins.is_empty() {
                warn!("open to the network without http.public_origins: any host name is taken as ours");
            }
            Some(gateway)
        }
    };
    Ok(Node { gateway, zone, store })
}

impl Node {
    /// Where browsers connect.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.gateway.as_ref().map(Gateway::address)
    }

    /// Whether the parts that run by themselves still do.
    pub(crate) fn is_alive(&self) -> bool {
        self.zone.as_ref().is_none_or(zone::Handle::is_alive)
    }

    /// Takes nobody new, lets everybody know, saves, closes. Within five seconds, whatever hangs.
    pub(crate) async fn stop(self) {
        if let Some(gateway) = &self.gateway {
            gateway.stop_accepting();
        }
        if let Some(zone) = &self.zone
            && tokio::time::timeout(ZONE_STOP_TIME_MAX, zone.shutdown()).await.is_err()
        {
            warn!("the zone did not end in time; positions are those of the last save");
        }
        if let Some(gateway) = self.gateway
            && !gateway.finish(GATEWAY_STOP_TIME_MAX).await
        {
            warn!("some connections did not end in time and are cut");
        }
        if tokio::time::timeout(STORE_STOP_TIME_MAX, self.store.close()).await.is_err() {
            warn!("the database did not finish in time; what it has not acknowledged may be lost");
        }
    }
}

async fn listen(config: &Config) -> anyhow::Result<(TcpListener, Option<TcpListener>)> {
    let address = config.http.listen;
    let listener =
        TcpListener::bind(address).await.map_err(|error| explain(&error, address, "--listen ADDR"))?;
    let metrics_listener = match config.metrics_listen {
        None => None,
        Some(address) => {
            let flag = "--metrics-listen ADDR, or off";
            Some(TcpListener::bind(address).await.map_err(|error| explain(&error, address, flag))?)
        }
    };
    Ok((listener, metrics_listener))
}

/// What to do about a port that cannot be had.
fn explain(error: &io::Error, address: SocketAddr, flag: &str) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow!(
            "port {} on {} is in use, perhaps by another terrane: stop that one, or choose another port with {flag}",
            address.port(),
            address.ip()
        ),
        io::ErrorKind::PermissionDenied => anyhow!(
            "port {} needs rights that this user does not have: choose one above 1023 with {flag}",
            address.port()
        ),
        io::ErrorKind::AddrNotAvailable => {
            anyhow!("this machine has no address {}: choose another with {flag}", address.ip())
        }
        _ => anyhow!("cannot listen on {address}: {error}"),
    }
}
