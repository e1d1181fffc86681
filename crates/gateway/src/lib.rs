//! The edge: HTTP and WebSocket on one port, metrics on another.
//!
//! It takes the routes of the service crates as they are and puts the same things around all of them: request ids and
//! traces, names it answers under, limits of size, time and number, problem documents for every error, security
//! headers. `/ws` carries bytes between a socket and a session in the zone. The browser client is embedded and served
//! from memory. TLS 1.3 is ours or that of a proxy whose address we are told. WebTransport speaks the protocol of `/ws`
//! over UDP.
//!
//! It decides no rule and holds no state of the world.
//!
//! Read first: [`start`], `socket.rs`, `layers.rs`, `server.rs`.

mod activity;
mod asset;
mod client;
mod compression;
mod cors;
mod guard;
mod health;
mod hosts;
mod layers;
mod openapi;
mod origin;
mod peer;
mod planet_info;
mod preparing;
mod quota;
mod request_body;
mod server;
mod socket;
mod tls;
mod weather;
mod webtransport;

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use api::{SharedClock, Verifier};
use axum::Router;
use axum::extract::Extension;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use identity::Identity;
use ipnet::IpNet;
use limits::Limiter;
use planet::Planet;
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use guard::Unguarded;
pub use planet_info::About;
pub use preparing::Preparation;
pub use tls::{Tls, TlsError, TlsFiles};
pub use weather::weather_routes;

use guard::Guard;
use hosts::Hosts;
use peer::Proxies;
use planet_info::PlanetAnswer;
use server::{App, Limits};
use webtransport::Certificates;

/// Bytes of a request body; more is answered with 413.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Connections to the metrics listener.
const METRICS_CONNECTIONS_MAX: usize = 16;

/// How long finished measurements may wait to be folded into the histograms.
const METRICS_TIDY_INTERVAL: Duration = Duration::from_secs(5);

/// What one node may decide about its edge.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Origins of our own pages in lower case; empty for whatever host was asked.
    pub public_origins: Vec<String>,
    /// Further names that this planet answers under, without port.
    pub hosts: Vec<String>,
    /// Pages of others that may use the API from a browser, in lower case.
    pub cors_origins: Vec<String>,
    /// Whose word about clients is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// TCP connections at once; further ones wait.
    pub connections_max: usize,
    /// `WebSockets` at once; further ones get `Bye` with `full`.
    pub sockets_max: usize,
    /// What the system may hold for one slow reader.
    pub socket_send_buffer_bytes: usize,
    /// Whether `/ws/echo` says back what it is told, for conformance suites.
    pub has_echo: bool,
}

/// What the gateway needs from outside to be reached at all.
pub struct Front {
    /// Where browsers and API clients connect.
    pub listener: TcpListener,
    /// Certificate and key; `None` for plain HTTP, which only this machine and named proxies may speak.
    pub tls: Option<Tls>,
    /// Where clients may come by WebTransport; not blocking.
    pub datagrams: Option<UdpSocket>,
    /// For certificates of our own.
    pub clock: SharedClock,
    /// Where Prometheus asks for `/metrics`.
    pub metrics_listener: Option<TcpListener>,
    /// What the metrics listener shows.
    pub metrics: telemetry::Metrics,
    /// How far the making of the planet is, shown until [`Gateway::open`].
    pub progress: watch::Receiver<Preparation>,
}

/// What it needs to do its work.
pub struct Deps {
    /// For the health report.
    pub store: Store,
    /// Checks tokens and knows names.
    pub identity: Arc<Identity>,
    /// What is told of the planet beside its ground.
    pub about: About,
    /// The planet; its place of arrival should have been asked for already.
    pub planet: Arc<Planet>,
    /// The world, if this process runs it.
    pub zone: Option<zone::Handle>,
    /// How often somebody may ask.
    pub limiter: Limiter,
    /// Routes of further services.
    pub services: OpenApiRouter,
}

/// What is asked of every request before anybody reads it.
#[derive(Clone)]
pub(crate) struct Outside {
    proxies: Proxies,
    hosts: Hosts,
    request_time_max: Duration,
}

impl Outside {
    fn new(config: &GatewayConfig, address: SocketAddr) -> Self {
        let is_open = !address.ip().is_loopback();
        Self {
            proxies: Proxies::new(&config.trusted_proxies),
            hosts: Hosts::new(&config.hosts, &config.public_origins, is_open),
            request_time_max: layers::REQUEST_TIME_MAX,
        }
    }
}

/// What the routes of this crate share.
pub(crate) struct Edge {
    store: Store,
    identity: Arc<Identity>,
    planet: PlanetAnswer,
    zone: Option<zone::Handle>,
    /// One permit for each open WebSocket.
    sockets: Arc<Semaphore>,
    /// One permit for each WebSocket before its session.
    handshakes: Arc<Semaphore>,
    /// None where there is no WebTransport.
    webtransport: Option<Told>,
    limiter: Limiter,
    stop: watch::Receiver<bool>,
}

/// What is told of WebTransport.
#[derive(Clone)]
pub(crate) struct Told {
    port: u16,
    certificates: Arc<Certificates>,
}

impl Edge {
    fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }
}

/// A running gateway.
pub struct Gateway {
    address: SocketAddr,
    is_encrypted: bool,
    metrics_address: Option<SocketAddr>,
    config: GatewayConfig,
    outside: Outside,
    whole: Arc<OnceLock<Router>>,
    stop: watch::Sender<bool>,
    sockets: Arc<Semaphore>,
    /// Until it is opened.
    datagrams: Mutex<Option<UdpSocket>>,
    webtransport: Option<Told>,
    servers: Mutex<Vec<JoinHandle<()>>>,
}

/// Begins to serve on the listeners it is given: that the planet is being made, until [`Gateway::open`].
pub fn start(config: GatewayConfig, front: Front) -> std::io::Result<Gateway> {
    let (stop, stopping) = watch::channel(false);
    let address = front.listener.local_addr()?;
    let metrics_address = front.metrics_listener.as_ref().map(TcpListener::local_addr).transpose()?;
    let sockets = Arc::new(Semaphore::new(config.sockets_max));
    let whole = Arc::new(OnceLock::new());
    let limits = Limits::new(config.connections_max, config.socket_send_buffer_bytes);
    let outside = Outside::new(&config, address);
    let app = App { until_then: preparing::router(front.progress, &outside), whole: Arc::clone(&whole) };
    let tls = front.tls.map(Arc::new);
    let is_encrypted = tls.is_some();
    let webtransport = front.datagrams.as_ref().map(UdpSocket::local_addr).transpose()?.map(|address| {
        let certificates = match &tls {
            Some(tls) => Certificates::Configured(tls.resolver()),
            None => Certificates::own(front.clock),
        };
        Told { port: address.port(), certificates: Arc::new(certificates) }
    });
    let mut servers = Vec::new();
    if let Some(tls) = &tls {
        servers.push(tokio::spawn(tls::keep_fresh(Arc::clone(tls), stopping.clone())));
    }
    servers.push(tokio::spawn(server::serve(front.listener, tls, app, limits, stopping.clone())));
    if let Some(listener) = front.metrics_listener {
        let limits = Limits { connections_max: METRICS_CONNECTIONS_MAX, ..limits };
        let app = App::from(metrics_router(front.metrics.clone()));
        servers.push(tokio::spawn(server::serve(listener, None, app, limits, stopping.clone())));
    }
    servers.push(tokio::spawn(tidy_metrics(front.metrics, stopping)));
    Ok(Gateway {
        address,
        is_encrypted,
        metrics_address,
        config,
        outside,
        whole,
        stop,
        sockets,
        datagrams: Mutex::new(front.datagrams),
        webtransport,
        servers: Mutex::new(servers),
    })
}

impl Gateway {
    /// The planet is there: from now on all routes answer, on connections that are open already, too.
    ///
    /// Refused if an operation is not in the table of permissions.
    ///
    /// # Panics
    /// If it is open, or the system refuses to wait for datagrams.
    pub fn open(&self, deps: Deps) -> Result<(), Unguarded> {
        let edge = Arc::new(Edge {
            store: deps.store,
            identity: Arc::clone(&deps.identity),
            planet: PlanetAnswer::of(deps.about, &deps.planet),
            zone: deps.zone,
            sockets: Arc::clone(&self.sockets),
            handshakes: Arc::new(Semaphore::new(socket::HANDSHAKES_MAX)),
            webtransport: self.webtransport.clone(),
            limiter: deps.limiter.clone(),
            stop: self.stop.subscribe(),
        });
        let doors = webtransport::Doors {
            hosts: self.outside.hosts.clone(),
            origins: origin::Origins::new(&self.config.public_origins, &self.config.cors_origins),
            send_buffer_bytes: self.config.socket_send_buffer_bytes,
        };
        let with_datagrams = Arc::clone(&edge);
        let (app, _) = router(&self.config, &self.outside, edge, deps.identity, deps.limiter, deps.services)?;
        assert!(self.whole.set(app).is_ok(), "a gateway is opened once");
        let datagrams = self.datagrams.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(socket), Some(told)) = (datagrams, &self.webtransport) {
            let stop = self.stop.subscribe();
            let server = webtransport::start(socket, &told.certificates, with_datagrams, doors, stop);
            let server = server.expect("a socket that is bound can be waited for");
            self.servers.lock().unwrap_or_else(PoisonError::into_inner).push(server);
        }
        Ok(())
    }

    /// Where it listens; shows the port that was taken for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as people write it.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.is_encrypted { "https" } else { "http" }, self.address)
    }

    /// Where metrics are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Takes no new connections and reports itself as not ready. Sockets stay until the zone has said `Bye` to them.
    pub fn stop_accepting(&self) {
        // Nobody listening means that all servers have ended already.
        let _ = self.stop.send(true);
    }

    /// Waits until every socket and every request that had begun is done, for `patience` at most. Gives whether all
    /// were.
    pub async fn finish(self, patience: Duration) -> bool {
        self.stop_accepting();
        let all_sockets = u32::try_from(self.config.sockets_max).unwrap_or(u32::MAX);
        let done = async {
            // All permits are back when the last socket is closed.
            let _ = self.sockets.acquire_many(all_sockets).await;
            let servers = self.servers.into_inner().unwrap_or_else(PoisonError::into_inner);
            for server in servers {
                // A server that panicked has said so.
                let _ = server.await;
            }
        };
        tokio::time::timeout(patience, done).await.is_ok()
    }
}

/// All routes with everything around them, and the document that describes them.
fn router(
    config: &GatewayConfig,
    outside: &Outside,
    edge: Arc<Edge>,
    identity: Arc<Identity>,
    limiter: Limiter,
    services: OpenApiRouter,
) -> Result<(Router, OpenApi), Unguarded> {
    let ours = planet_info::routes()
        .merge(preparing::routes())
        .merge(socket::routes())
        .with_state(Arc::clone(&edge));
    let described = OpenApiRouter::with_openapi(openapi::head())
        .merge(identity::routes(Arc::clone(&identity)))
        .merge(services)
        .merge(ours);
    let (routes, mut document) = described.split_for_parts();
    let (health, health_document) = health::routes().with_state(edge).split_for_parts();
    document.merge(health_document);
    let guard = Arc::new(Guard::of(&document)?);
    guard::describe(&mut document);
    openapi::describe_layers(&mut document);
    let client = client::Client::load();
    let origins = origin::Origins::new(&config.public_origins, &config.cors_origins);
    let verifier: Verifier = identity;
    // Beside everything else: it is for nobody, and in no document.
    let echo = if config.has_echo { socket::echo_routes() } else { Router::new() };
    let echo = echo.layer(from_fn_with_state(origins.clone(), origin::origin_layer));
    let app = routes
        .merge(openapi::routes(&document))
        .fallback_service(get(client::serve).fallback(client::serve).with_state(client))
        .method_not_allowed_fallback(api::method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&guard), guard::guard_layer))
        .layer(from_fn_with_state(limiter.clone(), quota::caller_layer))
        .layer(Extension(verifier))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(from_fn_with_state(origins, origin::origin_layer))
        .layer(from_fn_with_state(outside.request_time_max, layers::time_layer))
        .layer(CatchPanicLayer::custom(api::panicked))
        .layer(from_fn(compression::mark_layer))
        .layer(compression::layer())
        .layer(from_fn_with_state(outside.hosts.clone(), hosts::host_layer))
        .layer(from_fn(peer::privacy_layer))
        .layer(from_fn_with_state(limiter.clone(), quota::address_layer))
        .layer(cors::layer(&config.cors_origins))
        .layer(from_fn(api::problem_layer))
        .merge(echo)
        .merge(
            health
                .layer(from_fn_with_state(guard, guard::guard_layer))
                .layer(from_fn_with_state(limiter, quota::address_layer)),
        )
        .layer(from_fn_with_state(outside.proxies.clone(), layers::frame_layer));
    Ok((app, document))
}

fn metrics_router(metrics: telemetry::Metrics) -> Router {
    Router::new()
        .route("/metrics", get(move || std::future::ready(metrics.render())))
        .fallback(api::not_found)
        .layer(from_fn_with_state(Proxies::new(&[]), layers::frame_layer))
}

async fn tidy_metrics(metrics: telemetry::Metrics, mut stop: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(METRICS_TIDY_INTERVAL);
    loop {
        tokio::select! {
            () = server::stopped(&mut stop) => break,
            _ = interval.tick() => metrics.tidy(),
        }
    }
}

#[cfg(test)]
mod tests;
