//! Names, limits, other pages, traces, compression, logs.

use std::io::Write;
use std::sync::Mutex;

use axum::http::HeaderMap;
use limits::{Limit, Policies, Policy, RATE_LIMIT, RATE_LIMIT_POLICY};
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

fn limited(limit: Limit, policy: &str) -> Limiter {
    Limiter::in_process(Policies::OFF.with(limit, Policy::parse(policy).unwrap()))
}

async fn world(config: GatewayConfig) -> World {
    World::with(config, Limiter::off(), layers::REQUEST_TIME_MAX).await
}

fn with(mut request: Request<Body>, headers: &[(&'static str, &str)]) -> Request<Body> {
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn only_names_of_this_planet_are_answered_under() {
    let config = GatewayConfig { public_origins: vec!["https://planet.example".to_owned()], ..plain() };
    let world = world(config).await;
    let ask = |path: &str, host: &str| world.ask(with(request(Method::GET, path, ""), &[("host", host)]));
    for path in ["/api/v1/planet", "/", "/api/docs", "/api/v1/missing"] {
        check_problem(ask(path, "evil.example").await, 421, "unknown_host").await;
        check_problem(ask(path, "a b").await, 400, "host_invalid").await;
        let ours = ask(path, "planet.example").await.status();
        assert!(ours == 200 || ours == 404, "{path}: {ours}");
    }
    // Probes ask machines, not planets.
    assert_eq!(ask("/health/live", "10.1.2.3:7380").await.status(), 200);
    let mut nameless = request(Method::GET, "/api/v1/planet", "");
    nameless.headers_mut().remove(header::HOST);
    check_problem(world.ask(nameless).await, 400, "host_invalid").await;
}

#[tokio::test]
async fn every_route_of_the_api_says_how_often_and_refuses_more() {
    let world =
        World::with(plain(), limited(Limit::ApiAddress, "6/min burst 3"), layers::REQUEST_TIME_MAX).await;
    for (path, status, left) in [("/api/v1/planet", 200, 2), ("/api/v1/users/me", 401, 1), ("/ws", 400, 0)] {
        let answer = world.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()[RATE_LIMIT_POLICY], "\"api_address\";q=3;w=30", "{path}");
        let level = answer.headers()[RATE_LIMIT].to_str().unwrap().to_owned();
        assert!(level.starts_with(&format!("\"api_address\";r={left};t=")), "{path}: {level}");
    }
    let refused = world.get("/api/v1/planet").await;
    assert_eq!(refused.headers()[header::RETRY_AFTER], "10");
    assert_eq!(refused.headers()[RATE_LIMIT], "\"api_address\";r=0;t=10");
    check_problem(refused, 429, "quota_exceeded").await;
    // What is cheap goes on, and says nothing about limits to caches.
    for path in ["/", "/api/openapi.json", "/health/live", "/health"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert!(!answer.headers().contains_key(RATE_LIMIT), "{path}");
    }
}

#[tokio::test]
async fn bad_tokens_are_counted_where_they_come_from() {
    // Named, so that they may come unencrypted.
    let config = GatewayConfig { trusted_proxies: vec!["2001:db8::/32".parse().unwrap()], ..plain() };
    let limiter = limited(Limit::ApiAddress, "1/min burst 5");
    let world = World::with(config, limiter, layers::REQUEST_TIME_MAX).await;
    let guess = |from: &'static str| {
        let asked = request(Method::GET, "/api/v1/users/me", "");
        world.ask_from(from, with(asked, &[("authorization", "Bearer x.y.z")]))
    };
    for _ in 0..5 {
        check_problem(guess("2001:db8::1").await, 401, "token_invalid").await;
    }
    check_problem(guess("2001:db8::2").await, 429, "quota_exceeded").await;
    check_problem(guess("2001:db8:0:1::1").await, 401, "token_invalid").await;
}

#[tokio::test]
async fn files_have_their_own_generous_limit_and_the_whole_of_an_address_another() {
    let policies = Policies::OFF
        .with(Limit::Files, Policy::parse("1/min burst 2").unwrap())
        .with(Limit::Address, Policy::parse("1/min burst 3").unwrap());
    let world = World::with(plain(), Limiter::in_process(policies), layers::REQUEST_TIME_MAX).await;
    for path in ["/", "/health/live"] {
        assert_eq!(world.get(path).await.status(), 200, "{path}");
    }
    let refused = world.get("/assets/index.js").await;
    assert_eq!(refused.headers()[header::RETRY_AFTER], "60");
    check_problem(refused, 429, "quota_exceeded").await;
    // A load balancer reads the status.
    assert_eq!(world.get("/health/live").await.status(), 429);
    for _ in 0..3 {
        assert_eq!(world.get("/api/v1/planet").await.status(), 200);
    }
    check_problem(world.get("/api/v1/planet").await, 429, "quota_exceeded").await;
}

#[tokio::test]
async fn what_is_a_trade_and_what_a_file_is_in_the_document_or_a_page() {
    let world = World::new().await;
    let document = serde_json::to_value(&world.document).unwrap();
    let text = include_str!("../../../../docs/openapi.json");
    let whole: Value = serde_json::from_str(text).unwrap();
    for route in quota::TRADES {
        assert!(whole["paths"][route]["post"].is_object(), "{route}");
    }
    let paths: Vec<&str> = whole["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    for prefix in quota::FILES {
        let is_known = prefix == "/api/docs" || paths.iter().any(|path| path.starts_with(prefix));
        assert!(is_known, "{prefix}");
    }
    assert!(document["paths"].is_object());
}

#[tokio::test]
async fn named_pages_of_others_may_use_the_api_and_read_its_problems() {
    let friend = "https://tools.example";
    let world = world(GatewayConfig { cors_origins: vec![friend.to_owned()], ..plain() }).await;
    let preflight = |origin: &str| {
        let asked = request(Method::OPTIONS, "/api/v1/auth/challenge", "");
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,authorization,idempotency-key"),
        ];
        world.ask(with(asked, &headers))
    };
    let allowed = preflight(friend).await;
    assert_eq!(allowed.status(), 200);
    assert_eq!(allowed.headers()["access-control-allow-origin"], friend);
    assert!(allowed.headers()["access-control-allow-headers"].to_str().unwrap().contains("idempotency-key"));
    assert!(!allowed.headers().contains_key("access-control-allow-credentials"));
    assert!(!preflight("https://evil.example").await.headers().contains_key("access-control-allow-origin"));

    let body = r#"{"public_key":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let from = |origin: &str, body: &'static str| {
        world.ask(with(request(Method::POST, "/api/v1/auth/challenge", body), &[("origin", origin)]))
    };
    let answer = from(friend, body).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["access-control-allow-origin"]),
        (200, &friend.parse().unwrap())
    );
    let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("ratelimit") && exposed.contains("x-request-id"), "{exposed}");
    let problem = from(friend, "{").await;
    assert_eq!(problem.headers()["access-control-allow-origin"], friend);
    check_problem(problem, 400, "malformed_json").await;
    check_problem(from("https://evil.example", body).await, 403, "origin_refused").await;
}

#[tokio::test]
async fn a_trace_goes_through_to_the_problem_and_a_bad_one_begins_anew() {
    let world = World::new().await;
    let theirs = "4bf92f3577b34da6a3ce929d0e0e4736";
    let trace_of = async |parent: Option<String>| {
        let mut asked = request(Method::GET, "/api/v1/missing", "");
        if let Some(parent) = parent {
            asked.headers_mut().insert("traceparent", parent.parse().unwrap());
        }
        let problem = json(world.ask(asked).await).await;
        let request_id = problem["request_id"].as_str().unwrap().replace('-', "");
        (problem["trace_id"].as_str().unwrap().to_owned(), request_id)
    };
    let (kept, _) = trace_of(Some(format!("00-{theirs}-00f067aa0ba902b7-01"))).await;
    assert_eq!(kept, theirs);
    for bad in [None, Some(format!("ff-{theirs}-00f067aa0ba902b7-01")), Some("x".to_owned())] {
        let (begun, request_id) = trace_of(bad).await;
        assert_eq!(begun, request_id, "a new trace has the id of its first request");
    }
    let mut twice = request(Method::GET, "/api/v1/missing", "");
    for parent in ["00f067aa0ba902b7", "00f067aa0ba902b8"] {
        twice.headers_mut().append("traceparent", format!("00-{theirs}-{parent}-01").parse().unwrap());
    }
    assert_ne!(json(world.ask(twice).await).await["trace_id"], theirs);
}

#[tokio::test]
async fn https_is_remembered_by_browsers_and_http_is_not_made_to_look_like_it() {
    let config = GatewayConfig { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..plain() };
    let world = world(config).await;
    let hsts = async |from: &'static str, proto: &str| {
        let asked = with(request(Method::GET, "/", ""), &[("x-forwarded-proto", proto)]);
        let answer = world.ask_from(from, asked).await;
        let hsts = answer.headers().get(header::STRICT_TRANSPORT_SECURITY).cloned();
        (answer.status().as_u16(), hsts.is_some())
    };
    assert_eq!(hsts("10.0.0.7", "https").await, (200, true));
    assert_eq!(hsts("10.0.0.7", "http").await, (200, false));
    assert_eq!(hsts("127.0.0.1", "https").await, (200, false));
    // Nobody of ours and nothing encrypted: not a word, but what to do.
    assert_eq!(hsts("203.0.113.9", "https").await, (403, false));
    let asked = with(request(Method::GET, "/api/v1/planet", ""), &[("x-forwarded-for", "127.0.0.1")]);
    check_problem(world.ask_from("203.0.113.9", asked).await, 403, "encryption_required").await;
}

#[tokio::test]
async fn what_is_said_to_one_person_is_kept_by_no_cache() {
    let world = World::new().await;
    let asked = request(Method::GET, "/api/v1/test/long", "");
    let personal = world.ask(with(asked, &[("authorization", "Bearer x")])).await;
    assert_eq!(personal.headers()[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn long_lists_are_compressed_and_answers_with_secrets_never() {
    let world = World::new().await;
    let ask = |method, path, body: &'static str| {
        world.ask(with(request(method, path, body), &[("accept-encoding", "gzip")]))
    };
    let long = ask(Method::GET, "/api/v1/test/long", "").await;
    assert_eq!(long.headers()[header::CONTENT_ENCODING], "gzip");
    assert!(long.headers()[header::VARY].to_str().unwrap().contains("accept-encoding"));
    let bytes = axum::body::to_bytes(long.into_body(), usize::MAX).await.unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
    assert!(text.len() > 2_000 && bytes.len() < 500, "{} of {}", bytes.len(), text.len());
    for (method, path, body) in [
        (Method::POST, "/api/v1/test/long", ""),
        (
            Method::POST,
            "/api/v1/auth/challenge",
            r#"{"public_key":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        ),
        (Method::GET, "/api/v1/missing", ""),
    ] {
        let answer = ask(method, path, body).await;
        assert!(!answer.headers().contains_key(header::CONTENT_ENCODING), "{path}");
    }
}

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

#[tokio::test]
async fn logs_follow_requests_and_hold_nothing_of_what_they_carry() {
    let captured = Captured::default();
    let writer = captured.clone();
    let lines = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    // With one collector alone, what another test's thread meets first would be kept as of no interest to anybody.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    // Everything there is, down to the finest.
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
    let world = World::new().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (method, path, body) in [
        (Method::GET, "/api/v1/users/me?token=CANARY-query", ""),
        (Method::POST, "/api/v1/auth/challenge", r#"{"public_key":"CANARY-body"}"#),
        (Method::GET, "/api/v1/CANARY-path", ""),
        (Method::GET, "/api/v1/test/panic", ""),
    ] {
        let headers = [
            ("authorization", "Bearer CANARY-token"),
            ("cookie", "session=CANARY-cookie"),
            ("idempotency-key", "CANARY-key"),
            ("user-agent", "CANARY-agent"),
            ("x-forwarded-for", "198.51.100.77"),
            ("referer", "https://planet.example/CANARY-referer"),
            ("x-request-id", "CANARY-id"),
            ("traceparent", parent),
            ("tracestate", "canary=CANARY-state"),
        ];
        let _ = world.ask_from("203.0.113.77", with(request(method, path, body), &headers)).await;
        let _ = world.ask(with(request(Method::GET, path, ""), &headers)).await;
    }
    drop(guard);
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("answered") && log.contains("request_id"), "{log}");
    assert!(log.contains("\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\""), "{log}");
    for secret in ["CANARY", "198.51.100.77", "203.0.113.77"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

#[tokio::test]
async fn no_header_of_ours_repeats_what_a_stranger_wrote() {
    let world = World::new().await;
    let asked = with(
        request(Method::GET, "/api/v1/missing", ""),
        &[
            ("x-request-id", "chosen"),
            ("x-forwarded-host", "evil.example"),
            ("origin", "https://evil.example"),
        ],
    );
    let answer = world.ask(asked).await;
    let all = |headers: &HeaderMap| format!("{headers:?}");
    assert!(!all(answer.headers()).contains("chosen") && !all(answer.headers()).contains("evil"));
    check_problem(answer, 404, "not_found").await;
}
