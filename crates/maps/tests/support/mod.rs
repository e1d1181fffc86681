//! A small planet behind the routes, without a network.

#![allow(dead_code, reason = "each file of tests uses its part")]

use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use maps::{Deps, MapLimits, MapService};
use planet::artifact::{self, Identity, Manifest};
use planet::places::NameTable;
use planet::{Planet, PlanetSpec};
use tower::ServiceExt as _;

/// Small enough to be made in every test.
pub(crate) const LIMITS: MapLimits =
    MapLimits { workers_max: 2, waiting_max: 64, files_bytes_max: 8 << 20, ground_bytes_max: 16 << 20 };

/// The planet of all tests: as large as the default, from a coarse raster.
pub(crate) fn planet() -> Arc<Planet> {
    Arc::new(Planet::generate(PlanetSpec::for_test(1, 3)))
}

/// The answers for a planet.
pub(crate) fn service(planet: Arc<Planet>, limits: MapLimits) -> Arc<MapService> {
    let identity = Identity { spec: planet.spec(), sub_seed: 0, import: None, biome_table: Vec::new() };
    let artifact = artifact::write(identity, planet.raster(), NonZeroUsize::MIN);
    let manifest = Manifest::decode(&artifact).expect("written just now");
    let artifact = Bytes::from(artifact);
    Arc::new(MapService::new(Deps {
        planet,
        manifest,
        artifact,
        names: NameTable::default(),
        public_origin: None,
        limits,
    }))
}

/// A site with the map routes.
pub(crate) struct Site {
    pub(crate) maps: Arc<MapService>,
    app: Router,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Site {
    pub(crate) fn new(limits: MapLimits) -> Self {
        let maps = service(planet(), limits);
        let (app, _) = maps::routes(Arc::clone(&maps)).split_for_parts();
        Self { maps, app }
    }

    /// Answers on a listener until the task is ended.
    pub(crate) async fn serve(self, listener: tokio::net::TcpListener) {
        axum::serve(listener, self.app).await.expect("a listener that listens");
    }

    /// An address below the planet's hash.
    pub(crate) fn below(&self, path: &str) -> String {
        format!("/api/v1/planet/{}/{path}", self.maps.planet_hash())
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "maps.test:7380");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a valid request");
        let response = self.app.clone().oneshot(request).await.expect("a router never fails");
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body in memory");
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[]).await
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers));
        value.to_str().expect("plain text")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {:?}", self.bytes))
    }
}
