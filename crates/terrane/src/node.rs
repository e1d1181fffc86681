//! One running process: which parts are opened, in which order, and how they are ended.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use api::SystemClock;
use bytes::Bytes;
use gateway::{Gateway, GatewayConfig};
use identity::{AccessTokens, AccountRules, Identity, SigningKey};
use limits::Limiter;
use maps::MapLimits;
use oidc::Oidc;
use planet::Planet;
use planet::artifact::Manifest;
use planet::places::NameTable;
use privacy::{KeySource, Vault};
use store::{Migration, Store, StoreConfig};
use telemetry::Metrics;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::warn;
use uuid::Uuid;
use zone::SystemClock as ZoneClock;

use crate::background::{Background, Listening};
use crate::config::{Config, Role};
use crate::console::Desk;
use crate::preparation::{self, Prepared};
use crate::progress::{self, Progress, say};
use crate::{fences, planet_file, planet_record, wiring};

/// How long the zone may take to say goodbye to everybody and to save where they are.
const ZONE_STOP_TIME_MAX: Duration = Duration::from_millis(2_500);

/// How long sockets and requests may take to end after that.
const GATEWAY_STOP_TIME_MAX: Duration = Duration::from_millis(1_400);

/// How long work in the background may take to come to a place where it can stop.
const BACKGROUND_STOP_TIME_MAX: Duration = Duration::from_millis(400);

/// How long the database may take to finish what it was asked. All of these together stay below five seconds.
const STORE_STOP_TIME_MAX: Duration = Duration::from_millis(500);

/// Where the database file is within the data folder.
const DATABASE_FILE: &str = "terrane.db";

/// Where the journal of the world is within the data folder.
pub(crate) const ZONES_FOLDER: &str = "zones";

/// Where letters go within the data folder while there is no mail server.
const MAIL_FOLDER: &str = "mail";

/// What is answered to whoever names an address is not answered before: so long, that neither a write more or less nor
/// an older kind of hash shows.
const REFUSAL_TIME: Duration = Duration::from_millis(400);

/// Where the key that signs access tokens is within the data folder.
const SIGNING_KEY_FILE: &str = "keys/access_token.jwk";

/// Where the key that wraps the keys of persons is within the data folder.
const MASTER_KEY_FILE: &str = "keys/master.key";

/// The parts of a process, by role.
pub(crate) struct Node {
    gateway: Option<Gateway>,
    zone: Option<zone::Handle>,
    background: Background,
    store: Store,
}

/// Where checkpoints of the audit log are within the data folder, for an operator to copy elsewhere.
pub(crate) const AUDIT_HEADS_FILE: &str = "audit/checkpoints.jsonl";

/// All migrations of the program.
pub(crate) fn migrations() -> Vec<Migration> {
    let of_crates = [
        identity::MIGRATIONS,
        oidc::MIGRATIONS,
        wallet::MIGRATIONS,
        land::MIGRATIONS,
        zone::MIGRATIONS,
        api::MIGRATIONS,
        events::MIGRATIONS,
        notify::MIGRATIONS,
        tenure::MIGRATIONS,
        groups::MIGRATIONS,
        market::MIGRATIONS,
        staff::MIGRATIONS,
        privacy::MIGRATIONS,
        audit::MIGRATIONS,
    ];
    of_crates.into_iter().chain([planet_record::MIGRATIONS]).flatten().copied().collect()
}

/// The database of this configuration.
pub(crate) fn store_config(config: &Config) -> StoreConfig {
    match &config.database.url {
        Some(url) => {
            StoreConfig::Postgres { url: url.clone(), max_connections: config.database.connections_max }
        }
        None => StoreConfig::Sqlite { path: database_file(config) },
    }
}

/// The embedded database of this configuration.
pub(crate) fn database_file(config: &Config) -> PathBuf {
    config.node.data.join(DATABASE_FILE)
}

/// Where the master keys of this configuration come from.
pub(crate) fn key_source(config: &Config) -> KeySource {
    match (&config.privacy.master_keys, &config.privacy.master_key_file) {
        (Some(keys), _) => KeySource::Given(keys.clone()),
        (None, Some(path)) => KeySource::File(path.clone()),
        (None, None) => KeySource::File(config.node.data.join(MASTER_KEY_FILE)),
    }
}

/// What belongs to each new account: a wallet with the welcome grant.
pub(crate) fn new_account() -> identity::NewAccountHook {
    Arc::new(|tx, account_id, now_us| wallet::open_for(tx, account_id, now_us).map_err(Into::into))
}

/// Where the letters of this configuration go.
fn post(config: &Config) -> anyhow::Result<mail::Post> {
    Ok(match &config.mail.server {
        Some(server) => {
            mail::Post::new(Arc::new(mail::Smtp::new(server, &config.mail.sender).context("mail.server")?))
        }
        None => mail::Post::new(Arc::new(mail::Folder::new(config.node.data.join(MAIL_FOLDER)))),
    })
}

/// What this configuration decides about accounts.
fn account_rules(config: &Config, address: SocketAddr) -> AccountRules {
    // Without a name of its own the planet is one of this machine, or of a network that its operator knows.
    let site_origin = config.http.public_origins.first().cloned();
    AccountRules {
        planet_name: config.planet.name.clone(),
        site_origin: site_origin.unwrap_or_else(|| format!("http://{address}")),
        hashing_threads: config.accounts.hashing_threads,
        hashing_waiting_max: config.accounts.hashing_waiting_max,
        answer_after: REFUSAL_TIME,
    }
}

/// What this node decides about its edge.
fn edge(config: &Config) -> GatewayConfig {
    GatewayConfig {
        public_origins: config.http.public_origins.clone(),
        hosts: config.http.hosts.clone(),
        cors_origins: config.http.cors_origins.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        connections_max: config.http.connections_max,
        sockets_max: config.http.sockets_max,
        socket_send_buffer_bytes: config.http.socket_send_buffer_bytes,
        has_echo: config.http.has_echo,
    }
}

/// Opens everything the roles need; says so line by line on standard output.
///
/// `configuration` is what staff are shown of the settings in force.
pub(crate) async fn start(config: &Config, configuration: String, metrics: Metrics) -> anyhow::Result<Node> {
    let has_role = |role| config.node.roles.contains(&role);
    let mut progress = Progress::begin();

    // The ports first: a start that cannot be seen from outside leaves no trace in the data. From here on whoever
    // asks is told how far it is.
    let (preparation, prepared) = watch::channel(preparation::FIRST);
    let gateway = if has_role(Role::Gateway) {
        let tls = config.http.tls.clone().map(|files| gateway::Tls::open(files, Arc::new(SystemClock)));
        let tls = tls.transpose()?;
        let (listener, metrics_listener) = listen(config).await?;
        let datagrams = listen_for_datagrams(config, listener.local_addr()?)?;
        let front = gateway::Front {
            listener,
            tls,
            datagrams,
            clock: Arc::new(SystemClock),
            metrics_listener,
            metrics,
            progress: prepared.clone(),
        };
        let gateway = gateway::start(edge(config), front).context("the listeners are of no use")?;
        say(format_args!("Starting; {} shows how far it is", gateway.url()));
        Some(gateway)
    } else {
        None
    };

    let store = Store::open(store_config(config)).await?;
    let applied = store.migrate(&migrations()).await?;
    let applied = match applied.len() {
        0 => "up to date".to_owned(),
        count => format!("{count} migrations applied"),
    };
    progress.opened("database", format_args!("{}, {applied}", store.engine().name()));

    let vault = Vault::unlock(&store, key_source(config)).await?;
    let key_path = config.node.data.join(SIGNING_KEY_FILE);
    let signing_key = SigningKey::load_or_create(&key_path, rand::random())?;

    let blobs = planet_file::blobs(config)?;
    let bar = tokio::spawn(progress::draw(prepared));
    let prepared = preparation::prepare(&store, &config.planet, blobs, preparation).await;
    // The sender is gone by now: the bar clears its line and ends.
    bar.await.context("the bar could not be drawn")?;
    let Prepared { record, manifest, artifact, planet, was_made } = prepared?;
    if record.is_new {
        say(format_args!("A new planet, in {}", config.node.data.display()));
    }
    let artifact = Bytes::from(artifact);
    let detail = format!(
        "seed {}, radius {:.0} km, {:.1} MB {}, {}",
        record.spec.seed,
        planet.radius_m() / 1_000.0,
        artifact.len() as f64 / 1e6,
        if was_made { "made" } else { "verified" },
        &manifest.planet_hash().to_string()[..16],
    );
    progress.opened("planet", detail);

    let zone = if has_role(Role::Zone) {
        let zone = open_zone(config, &store, &planet).await?;
        progress.opened("zone", format_args!("{} ticks a second", config.zone.tick_hz));
        Some(zone)
    } else {
        None
    };

    if has_role(Role::Gateway) {
        land::complete(&store, &planet).await?;
    }
    let sender = notify::Sender::new(config.webhook_destinations);
    let listening = zone.clone().map(|zone| Listening { zone, radius_m: planet.radius_m() });
    let mut background = Background::start(&store, sender, listening).await?;
    let (kept, signer) = (store.clone(), wiring::audit_signer(record.planet_id, &signing_key));
    let heads = config.node.data.join(AUDIT_HEADS_FILE);
    background.run(|stop| audit::keep(kept, Arc::new(SystemClock), signer, Some(heads), stop));

    if let Some(gateway) = &gateway {
        let opening = Opening {
            config,
            configuration,
            store: store.clone(),
            vault,
            signing_key: &signing_key,
            planet_id: record.planet_id,
            planet,
            manifest,
            artifact,
            zone: zone.clone(),
        };
        open(gateway, opening, &mut background, &mut progress).await?;
    }
    Ok(Node { gateway, zone, background, store })
}

/// The world, as the process before this one left it.
async fn open_zone(config: &Config, store: &Store, planet: &Arc<Planet>) -> anyhow::Result<zone::Handle> {
    let deps = zone::Deps {
        planet: Arc::clone(planet),
        store: store.clone(),
        clock: Arc::new(ZoneClock::default()),
        fences: Some(fences::source()),
    };
    let keeping = zone::Keeping { folder: config.node.data.join(ZONES_FOLDER), past: config.zone.past() };
    let zone = zone::open(config.zone.to_config(), deps, keeping).await.context("the world")?;
    #[cfg(debug_assertions)]
    if let Some(door) = std::env::var_os(PANIC_DOOR) {
        tokio::spawn(watch_panic_door(PathBuf::from(door), zone.clone()));
    }
    Ok(zone)
}

/// For tests, where assertions are on: names a file, at whose sight the zone with the most bodies panics once.
#[cfg(debug_assertions)]
const PANIC_DOOR: &str = "TERRANE_TEST_ZONE_PANIC_FILE";

#[cfg(debug_assertions)]
async fn watch_panic_door(door: PathBuf, zone: zone::Handle) {
    while zone.is_alive() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if std::fs::remove_file(&door).is_ok() {
            zone.plant_panic();
        }
    }
}

/// What the routes are made of.
struct Opening<'a> {
    config: &'a Config,
    configuration: String,
    store: Store,
    vault: Vault,
    signing_key: &'a SigningKey,
    planet_id: Uuid,
    planet: Arc<Planet>,
    manifest: Manifest,
    artifact: Bytes,
    zone: Option<zone::Handle>,
}

/// From now on all routes answer.
async fn open(
    gateway: &Gateway,
    opening: Opening<'_>,
    background: &mut Background,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let Opening {
        config,
        configuration,
        store,
        vault,
        signing_key,
        planet_id,
        planet,
        manifest,
        artifact,
        zone,
    } = opening;
    let hash = manifest.planet_hash();
    let limiter = Limiter::in_process(config.limits.clone());
    let identity = Arc::new(Identity::new(identity::Deps {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        tokens: AccessTokens::new(planet_id, signing_key),
        new_account: new_account(),
        profile_changed: wiring::profile_changed(zone.clone()),
        other_ways_in: Arc::new(oidc::ways_in),
        vault: vault.clone(),
        limiter: limiter.clone(),
        post: post(config)?,
        accounts: account_rules(config, gateway.address()),
    }));
    identity.complete().await?;
    let looking = Arc::clone(&identity);
    background.run(|stop| async move { looking.work(stop).await });
    let oidc =
        oidc::Deps { store: store.clone(), clock: Arc::new(SystemClock), identity: Arc::clone(&identity) };
    let oidc = Oidc::new(oidc, config.providers.clone()).context("sign_in.providers")?;
    let maps = maps::Deps {
        planet: Arc::clone(&planet),
        manifest,
        artifact,
        names: NameTable::default(),
        public_origin: config.http.public_origins.first().cloned(),
        limits: MapLimits::default(),
    };
    let desk = Desk {
        identity: Arc::clone(&identity),
        vault: vault.clone(),
        configuration,
        limits: config.limits.clone(),
        cooling_off_days: config.privacy.cooling_off_days,
        second_person_minor: config.second_person_minor,
        data_asked: Arc::new(|| {}),
    };
    let (services, privacy) =
        wiring::services(&store, &planet, zone.as_ref(), maps, config, &desk, background)?;
    // Before anybody is let in: the database may be a copy from before somebody was forgotten.
    let found = privacy.reapply().await.context("the list of erasures")?;
    if found > 0 {
        warn!(count = found, "accounts that were erased are in this database: they are erased again");
    }
    background.run(|stop| async move { privacy.work(stop).await });
    gateway.open(gateway::Deps {
        store: store.clone(),
        identity,
        about: gateway::About {
            name: config.planet.name.clone(),
            hash,
            day_length_s: config.planet.day_length_s,
        },
        planet: Arc::clone(&planet),
        zone: zone.clone(),
        limiter: limiter.clone(),
        services: services
            .merge(oidc::routes(Arc::new(oidc)))
            .merge(wiring::audit_log(&store, &vault))
            .merge(gateway::weather_routes(
                Arc::clone(&planet),
                config.planet.day_length_s,
                Arc::new(SystemClock),
            )),
    })?;
    let metrics_at = gateway.metrics_address().map_or_else(
        || "no metrics listener".to_owned(),
        |address| format!("metrics at http://{address}/metrics"),
    );
    progress.opened("gateway", metrics_at);
    if !gateway.address().ip().is_loopback()
        && config.http.public_origins.is_empty()
        && config.http.hosts.is_empty()
    {
        warn!(
            "open to the network without http.public_origins or http.hosts: any host name is taken as ours"
        );
    }
    Ok(())
}

impl Node {
    /// Where browsers connect.
    pub(crate) fn url(&self) -> Option<String> {
        self.gateway.as_ref().map(Gateway::url)
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
        self.background.end_streams();
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
        if tokio::time::timeout(BACKGROUND_STOP_TIME_MAX, self.background.stop()).await.is_err() {
            warn!("some work in the background did not end in time; the next start goes on with it");
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

/// Where WebTransport comes in, if anywhere.
fn listen_for_datagrams(config: &Config, http: SocketAddr) -> anyhow::Result<Option<UdpSocket>> {
    let Some(address) = config.http.webtransport_at(http) else { return Ok(None) };
    let flag = "http.webtransport, or off";
    let socket = UdpSocket::bind(address).map_err(|error| explain(&error, address, flag))?;
    socket.set_nonblocking(true)?;
    Ok(Some(socket))
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
