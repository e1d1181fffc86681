//! What surrounds every route, tried on the real router; what needs a network is in the modules below.

mod edge;
mod overhead;
mod sockets;
mod tls;

use api::{ManualClock, Problem};
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, Response, StatusCode, header};
use identity::{AccessTokens, SigningKey};
use planet::PlanetSpec;
use planet::artifact::Digest;
use serde_json::Value;
use store::testing::TestDatabase;
use tower::ServiceExt as _;
use utoipa_axum::routes;
use uuid::Uuid;

use super::*;

const NOW_US: i64 = 1_800_000_000_000_000;

struct World {
    app: Router,
    document: OpenApi,
    tokens: AccessTokens,
    stop: watch::Sender<bool>,
    store: Store,
    _database: TestDatabase,
}

impl World {
    async fn new() -> Self {
        Self::with(plain(), Limiter::off(), layers::REQUEST_TIME_MAX).await
    }

    /// With another configuration.
    async fn with(config: GatewayConfig, limiter: Limiter, request_time_max: Duration) -> Self {
        let database = TestDatabase::sqlite();
        let store = database.open(&[identity::MIGRATIONS, privacy::MIGRATIONS].concat()).await;
        let key = SigningKey::from_secret([9; 32]);
        let vault = privacy::Vault::for_test(&store).await;
        let identity = Arc::new(Identity::new(identity::Deps::for_test(
            store.clone(),
            Arc::new(ManualClock::at(NOW_US)),
            AccessTokens::new(Uuid::from_u128(1), &key),
            vault,
        )));
        let planet = Planet::generate(PlanetSpec::for_test(1, 9));
        let about = About { name: "Test".to_owned(), hash: Digest::of(b"planet"), day_length_s: 5_400 };
        let (stop, stopping) = watch::channel(false);
        let edge = Arc::new(Edge {
            store: store.clone(),
            identity: Arc::clone(&identity),
            planet: PlanetAnswer::of(about, &planet),
            zone: None,
            sockets: Arc::new(Semaphore::new(1)),
            handshakes: Arc::new(Semaphore::new(1)),
            webtransport: None,
            limiter: limiter.clone(),
            stop: stopping,
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 7_380));
        let outside = Outside { request_time_max, ..Outside::new(&config, address) };
        let clock = Arc::new(ManualClock::at(NOW_US));
        let services = services().merge(weather_routes(Arc::new(planet), 5_400, clock));
        let (app, document) = router(&config, &outside, edge, identity, limiter, services).unwrap();
        Self {
            app,
            document,
            tokens: AccessTokens::new(Uuid::from_u128(1), &key),
            stop,
            store,
            _database: database,
        }
    }

    async fn ask(&self, request: Request<Body>) -> Response<Body> {
        self.ask_from("127.0.0.1", request).await
    }

    /// Over a connection from `address` that is not encrypted.
    async fn ask_from(&self, address: &str, mut request: Request<Body>) -> Response<Body> {
        let peer = peer::Peer { address: address.parse().unwrap(), is_encrypted: false };
        request.extensions_mut().insert(peer);
        self.app.clone().oneshot(request).await.expect("the router never fails")
    }

    async fn get(&self, path: &str) -> Response<Body> {
        self.ask(request(Method::GET, path, "")).await
    }
}

/// Nothing configured.
pub(crate) fn plain() -> GatewayConfig {
    GatewayConfig {
        public_origins: Vec::new(),
        hosts: Vec::new(),
        cors_origins: Vec::new(),
        trusted_proxies: Vec::new(),
        connections_max: 10,
        sockets_max: 1,
        socket_send_buffer_bytes: 65_536,
        has_echo: true,
    }
}

/// Stands in for the service crates: routes that misbehave.
fn services() -> OpenApiRouter {
    /// Panics.
    #[utoipa::path(get, path = "/api/v1/test/panic", operation_id = "test_panic", tag = "health",
        responses((status = 200, description = "Never")))]
    async fn panics() {
        panic!("planted");
    }
    /// Sleeps.
    #[utoipa::path(get, path = "/api/v1/test/sleep", operation_id = "test_sleep", tag = "health",
        responses((status = 200, description = "Never")))]
    async fn sleeps() {
        std::future::pending::<()>().await;
    }
    /// Has much to say.
    #[utoipa::path(get, path = "/api/v1/test/long", operation_id = "test_long", tag = "health",
        responses((status = 200, description = "Much")))]
    async fn long() -> axum::Json<Vec<&'static str>> {
        axum::Json(vec!["terrane"; 300])
    }
    /// Has as much to say.
    #[utoipa::path(post, path = "/api/v1/test/long", operation_id = "test_long_post", tag = "health",
        responses((status = 200, description = "Much")))]
    async fn long_post() -> axum::Json<Vec<&'static str>> {
        axum::Json(vec!["terrane"; 300])
    }
    OpenApiRouter::new().routes(routes!(panics)).routes(routes!(sleeps)).routes(routes!(long, long_post))
}

fn request(method: Method, path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost:7380")
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}

async fn json(response: Response<Body>) -> Value {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {bytes:?}"))
}

/// The answer is a problem with this status and code, and names the request.
#[track_caller]
fn check_problem(response: Response<Body>, status: u16, code: &str) -> impl Future<Output = Problem> {
    let place = std::panic::Location::caller();
    let code = code.to_owned();
    async move {
        assert_eq!(response.status().as_u16(), status, "{place}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json", "{place}");
        let request_id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let document = json(response).await;
        assert_eq!(document["code"], code, "{place}");
        assert_eq!(document["request_id"], request_id, "{place}");
        serde_json::from_value(document).unwrap()
    }
}

#[tokio::test]
async fn every_error_is_a_problem_document() {
    let world = World::new().await;
    check_problem(world.get("/api/v1/missing").await, 404, "not_found").await;
    check_problem(world.get("/api/v1/auth/challenge").await, 405, "method_not_allowed").await;
    check_problem(world.ask(request(Method::POST, "/", "")).await, 405, "method_not_allowed").await;
    check_problem(world.ask(request(Method::DELETE, "/api/v1/missing", "")).await, 404, "not_found").await;
    check_problem(world.get("/api/v1/users/me").await, 401, "token_missing").await;
    check_problem(world.get("/api/v1/test/panic").await, 500, "internal").await;
    check_problem(world.get("/ws").await, 400, "bad_request").await;

    let challenge = |body: Body| request(Method::POST, "/api/v1/auth/challenge", body);
    check_problem(world.ask(challenge("{".into())).await, 400, "malformed_json").await;
    check_problem(world.ask(challenge("[]".into())).await, 422, "invalid_body").await;
    check_problem(world.ask(challenge(r#"{"public_key":"AA"}"#.into())).await, 422, "invalid_body").await;
    let huge = format!(r#"{{"public_key":"{}"}}"#, "A".repeat(BODY_BYTES_MAX));
    check_problem(world.ask(challenge(huge.clone().into())).await, 413, "body_too_large").await;
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(huge)]);
    check_problem(world.ask(challenge(Body::from_stream(chunks))).await, 413, "body_too_large").await;
    let mut form = challenge("public_key=AA".into());
    form.headers_mut().insert(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
    check_problem(world.ask(form).await, 415, "unsupported_media_type").await;
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered() {
    let world = World::new().await;
    // Not before: the store's own time limits must not pass by themselves.
    tokio::time::pause();
    let problem = check_problem(world.get("/api/v1/test/sleep").await, 503, "timeout").await;
    assert_eq!(problem.status(), StatusCode::SERVICE_UNAVAILABLE);
    // A body that never ends is the same case.
    let endless = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
    check_problem(world.ask(request(Method::POST, "/api/v1/auth/challenge", endless)).await, 503, "timeout")
        .await;
}

#[tokio::test]
async fn tokens_open_routes_and_bad_ones_say_why() {
    let world = World::new().await;
    let with_token = |token: &str| {
        let mut request = request(Method::GET, "/api/v1/users/me", "");
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        request
    };
    let bearer = identity::Bearer { account_id: Uuid::from_u128(7), session_id: Uuid::from_u128(8) };
    let now_s = NOW_US / 1_000_000;
    let expired = world.tokens.issue(bearer, Uuid::nil(), now_s - identity::ACCESS_TOKEN_LIFE_S);
    check_problem(world.ask(with_token(&expired)).await, 401, "token_expired").await;
    check_problem(world.ask(with_token("x.y.z")).await, 401, "token_invalid").await;
    let good = world.tokens.issue(bearer, Uuid::nil(), now_s);
    // Rightly signed, of a session that nobody has opened.
    check_problem(world.ask(with_token(&good)).await, 401, "token_invalid").await;
}

#[tokio::test]
async fn another_page_may_read_but_neither_change_nor_connect() {
    let world = World::new().await;
    let from = |mut request: Request<Body>, origin: &str| {
        request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        request
    };
    let evil = "https://evil.example";
    let challenge = || {
        request(
            Method::POST,
            "/api/v1/auth/challenge",
            r#"{"public_key":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        )
    };
    check_problem(world.ask(from(challenge(), evil)).await, 403, "origin_refused").await;
    let mut upgrade = request(Method::GET, "/ws", "");
    upgrade.headers_mut().insert(header::UPGRADE, "websocket".parse().unwrap());
    check_problem(world.ask(from(upgrade, evil)).await, 403, "origin_refused").await;
    assert_eq!(world.ask(from(request(Method::GET, "/api/v1/planet", ""), evil)).await.status(), 200);

    let answer = world.ask(from(challenge(), "http://localhost:7380")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let message = json(answer).await["message"].as_str().unwrap().to_owned();
    assert!(message.contains("\norigin: http://localhost:7380\n"), "{message}");
}

#[tokio::test]
async fn the_security_headers_are_on_every_answer() {
    let world = World::new().await;
    for path in ["/", "/api/docs", "/api/v1/planet", "/api/v1/missing", "/health/live", "/api/v1/test/panic"]
    {
        let answer = world.get(path).await;
        let headers = answer.headers();
        assert_eq!(
            headers[header::CONTENT_SECURITY_POLICY],
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
             img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
            "{path}"
        );
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert!(headers.contains_key("x-request-id"), "{path}");
    }
}

#[tokio::test]
async fn every_page_obeys_the_policy() {
    let world = World::new().await;
    for path in ["/api/docs", "/", "/map", "/market", "/account", "/console"] {
        let mut asked = request(Method::GET, path, "");
        asked.headers_mut().insert(header::ACCEPT, "text/html".parse().unwrap());
        let answer = world.ask(asked).await;
        assert_eq!(answer.status(), 200, "{path}");
        let page = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let page = String::from_utf8(page.to_vec()).unwrap();
        for forbidden in
            ["<style", " style=", " onclick=", "<script>", "javascript:", "src=\"http", "href=\"http"]
        {
            assert!(!page.contains(forbidden), "{path} holds {forbidden}");
        }
    }
    for (path, content_type) in [
        ("/api/docs/docs.js", "text/javascript; charset=utf-8"),
        ("/api/docs/docs.css", "text/css; charset=utf-8"),
        ("/api/openapi.json", "application/json"),
    ] {
        assert_eq!(world.get(path).await.headers()[header::CONTENT_TYPE], content_type);
    }
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_explains_each_operation() {
    let world = World::new().await;
    let mut document = serde_json::to_value(&world.document).unwrap();
    crate::openapi::complete(&mut document);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    assert_eq!(json(world.get("/api/openapi.json").await).await, document);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(operation["operationId"].is_string(), "{name} has no id");
            assert!(
                operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
                "{name} has no summary"
            );
            assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{name} has no tag");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.values().all(|answer| answer["description"].is_string()), "{name}");
            let is_public = operation["x-permission"]["permission"] == "public";
            if !is_public {
                assert!(responses.contains_key("401"), "{name} does not say what happens without a token");
            }
            if path.starts_with("/api/") {
                assert!(responses.contains_key("500") && responses.contains_key("503"), "{name}");
            }
            if method != "get" {
                assert!(responses.contains_key("403"), "{name} does not say what other sites are told");
                assert!(responses.contains_key("413"), "{name} does not say how much is too much");
            }
            if operation.get("requestBody").is_some() {
                for status in ["400", "413", "415", "422"] {
                    assert!(responses.contains_key(status), "{name} takes a body and does not list {status}");
                }
            }
        }
    }
}

#[tokio::test]
async fn health_follows_the_store_and_the_shutdown() {
    let world = World::new().await;
    assert_eq!(world.get("/health/live").await.status(), 200);
    assert_eq!(world.get("/health/ready").await.status(), 200);
    let health = json(world.get("/health").await).await;
    assert_eq!((&health["status"], &health["parts"][0]["name"]), (&"ok".into(), &"store".into()));

    world.stop.send(true).unwrap();
    assert_eq!(world.get("/health/ready").await.status(), 503);
    world.stop.send(false).unwrap();
    assert_eq!(world.get("/health/ready").await.status(), 200);
}

#[tokio::test]
async fn a_node_whose_store_is_gone_is_alive_but_not_ready() {
    let world = World::new().await;
    world.store.close().await;
    assert_eq!(world.get("/health/live").await.status(), 200);
    assert_eq!(world.get("/health/ready").await.status(), 503);
    let answer = world.get("/health").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(json(answer).await["parts"][0]["status"], "failed");
}

#[tokio::test]
async fn the_planet_tells_what_a_client_needs() {
    let planet = json(World::new().await.get("/api/v1/planet").await).await;
    assert_eq!(
        (&planet["seed"], &planet["shift"], &planet["name"]),
        (&"1".into(), &9.into(), &"Test".into())
    );
    assert_eq!(planet["protocol_hash"], wire::PROTOCOL_HASH.to_string());
    // Smaller planets have coarser levels, so that a lot stays a lot.
    assert_eq!((&planet["lot_level"], &planet["interest_level"]), (&9.into(), &8.into()));
    assert!(planet["arrival"]["lot_token"].is_string());
    assert_eq!(planet["planet_hash"], Digest::of(b"planet").to_string());
    assert_eq!((&planet["raster_level"], &planet["day_length_s"]), (&6.into(), &5_400.into()));
}

#[tokio::test]
async fn the_weather_of_a_place_and_time_is_the_same_for_all_who_ask() {
    let world = World::new().await;
    let ask = async |query: &str| {
        let answer = world.get(&format!("/api/v1/planet/weather?{query}")).await;
        (answer.status(), json(answer).await)
    };
    let (_, now) = ask("lat=47.5&lng=-120").await;
    assert_eq!(now["time"], api::timestamp(NOW_US).to_string());
    assert_eq!(ask("lat=47.5&lng=-120").await.1, now);
    // Unix time 0 is noon over longitude 0; a quarter of the day of 5,400 s later the sun has gone west.
    let (_, noon) = ask("lat=0&lng=0&time=1970-01-01T00:00:00Z").await;
    assert_eq!((&noon["planet_days"], &noon["day_share"]), (&0.0.into(), &0.5.into()));
    assert_eq!(noon["sun"]["height_deg"].as_f64().unwrap().round(), 90.0);
    let (_, evening) = ask("lat=0&lng=0&time=1970-01-01T00:22:30Z").await;
    assert_eq!(evening["sun"]["height_deg"].as_f64().unwrap().round(), 0.0);
    assert_eq!(evening["sun"]["azimuth_deg"].as_f64().unwrap().round(), 270.0);
    for (query, at_fault) in [
        ("lat=90.5&lng=0", "lat"),
        ("lat=0&lng=181", "lng"),
        ("lat=0&lng=0&time=1969-12-31T23:59:59Z", "time"),
        ("lat=0&lng=0&time=2300-01-01T00:00:00Z", "time"),
    ] {
        let (status, problem) = ask(query).await;
        assert_eq!((status.as_u16(), &problem["code"]), (400, &"invalid_query".into()), "{query}");
        assert_eq!(problem["errors"][0]["parameter"], at_fault, "{query}");
    }
    for query in ["lat=0", "lat=NaN&lng=0", "lat=0&lng=0&time=noon", "lat=0&lng=0&lon=0"] {
        assert_eq!(ask(query).await.0, 400, "{query}");
    }
}
