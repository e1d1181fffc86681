//! What a node answers while its planet is being made: how far that is, to people as a page.
//!
//! Making a planet takes seconds, and a browser may well come before it is done. It finds the port open and a page
//! that tells the truth and becomes the client by itself. Everything else is told to come back.

use std::sync::Arc;

use api::{Problem, ProblemKind};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::openapi::asset_route;
use crate::{Edge, Outside, client, health, hosts, layers, peer};

const PREPARING: ProblemKind =
    ProblemKind::new(StatusCode::SERVICE_UNAVAILABLE, "preparing", "The planet is being made");

/// After how long it is worth asking again.
const RETRY_AFTER_S: u32 = 2;

const PAGE: &str = include_str!("../assets/preparing.html");

/// How far the making of the planet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// What is being done, in words for people.
    pub stage: &'static str,
    /// Of the whole, 0..=100.
    pub percent: u8,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PlanetState {
    Preparing,
    Ready,
}

/// How far the planet is. While it is being made, every other route answers with the problem `preparing`.
#[derive(Serialize, ToSchema)]
struct ProgressAnswer {
    state: PlanetState,
    /// What is being done, in words for people.
    #[schema(example = "ready")]
    stage: &'static str,
    /// Of the whole.
    #[schema(minimum = 0, maximum = 100, example = 100)]
    percent: u8,
}

/// The route that stays when the planet is there.
pub(crate) fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(progress_when_ready))
}

/// Everything there is before the planet.
pub(crate) fn router(progress: watch::Receiver<Preparation>, outside: &Outside) -> Router {
    Router::new()
        .route(PROGRESS, get(progress_now))
        .fallback(page_or_problem)
        .method_not_allowed_fallback(page_or_problem)
        .with_state(progress)
        .merge(asset_route(
            "/preparing/preparing.css",
            "preparing.css",
            Bytes::from_static(include_bytes!("../assets/preparing.css")),
        ))
        .merge(asset_route(
            "/preparing/preparing.js",
            "preparing.js",
            Bytes::from_static(include_bytes!("../assets/preparing.js")),
        ))
        .layer(from_fn_with_state(outside.hosts.clone(), hosts::host_layer))
        .layer(from_fn(peer::privacy_layer))
        .layer(from_fn(api::problem_layer))
        // Probes read the status, not problems.
        .route("/health/live", get(|| std::future::ready(health::plain(true))))
        .layer(from_fn_with_state(outside.proxies.clone(), layers::frame_layer))
}

const PROGRESS: &str = "/api/v1/planet/progress";

/// How far the making of the planet is.
#[utoipa::path(get, path = PROGRESS, operation_id = "planet_progress", tag = "planet", responses(
    (status = 200, description = "`ready`, or how far it is", body = ProgressAnswer),
))]
async fn progress_when_ready() -> Response {
    answer(&ProgressAnswer { state: PlanetState::Ready, stage: "ready", percent: 100 })
}

async fn progress_now(State(progress): State<watch::Receiver<Preparation>>) -> Response {
    let Preparation { stage, percent } = *progress.borrow();
    answer(&ProgressAnswer { state: PlanetState::Preparing, stage, percent })
}

fn answer(progress: &ProgressAnswer) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(progress)).into_response()
}

async fn page_or_problem(
    State(progress): State<watch::Receiver<Preparation>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Preparation { stage, percent } = *progress.borrow();
    let is_page = uri.path() == "/" || client::is_page(uri.path(), client::takes_html(&headers));
    if is_page && matches!(method, Method::GET | Method::HEAD) {
        // The numbers stand in the page, for those without scripts and for the first moment.
        let page = PAGE.replace("{stage}", stage).replace("{percent}", &percent.to_string());
        let headers =
            [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
        return (headers, page).into_response();
    }
    Problem::from(PREPARING)
        .detail(format!("{stage}, {percent} % of the whole is done"))
        .fact("stage", stage)
        .fact("percent", percent)
        .retry_after_s(RETRY_AFTER_S)
        .into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    struct Node {
        app: Router,
        progress: watch::Sender<Preparation>,
    }

    impl Node {
        fn new() -> Self {
            let (progress, seen) = watch::channel(Preparation { stage: "raising mountains", percent: 7 });
            let outside = Outside::new(&crate::tests::plain(), ([127, 0, 0, 1], 7_380).into());
            Self { app: router(seen, &outside), progress }
        }

        async fn ask(&self, method: Method, path: &str, accept: &str) -> (StatusCode, HeaderMap, String) {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::HOST, "localhost")
                .header(header::ACCEPT, accept)
                .extension(peer::Peer { address: [127, 0, 0, 1].into(), is_encrypted: false })
                .body(Body::empty());
            let response = self.app.clone().oneshot(request.unwrap()).await.unwrap();
            let (head, body) = response.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
        }
    }

    #[tokio::test]
    async fn people_see_how_far_it_is_at_every_address_of_the_client() {
        let node = Node::new();
        for (path, accept) in
            [("/", "*/*"), ("/", "text/html"), ("/map", "text/html"), ("/lots/4be6", "text/html")]
        {
            let (status, headers, page) = node.ask(Method::GET, path, accept).await;
            assert_eq!(status, 200, "{path}");
            assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(headers[header::CACHE_CONTROL], "no-store");
            assert!(page.contains("raising mountains") && page.contains("value=\"7\""), "{page}");
            for forbidden in ["<style", " style=", " onload=", "<script>", "{stage}", "{percent}"] {
                assert!(!page.contains(forbidden), "the page holds {forbidden}");
            }
        }
        for file in ["/preparing/preparing.css", "/preparing/preparing.js"] {
            assert_eq!(node.ask(Method::GET, file, "*/*").await.0, 200, "{file}");
            assert!(PAGE.contains(file), "{file} is not named");
        }
    }

    #[tokio::test]
    async fn programs_are_told_to_come_back_and_how_far_it_is() {
        let node = Node::new();
        node.progress.send_replace(Preparation { stage: "letting rain fall", percent: 60 });
        for (method, path) in [
            (Method::GET, "/api/v1/planet"),
            (Method::GET, "/health/ready"),
            (Method::GET, "/ws"),
            (Method::GET, "/assets/index.js"),
            (Method::POST, "/api/v1/auth/challenge"),
            (Method::POST, PROGRESS),
        ] {
            let (status, headers, body) = node.ask(method, path, "application/json").await;
            assert_eq!(status, 503, "{path}");
            assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json", "{path}");
            assert_eq!(headers[header::RETRY_AFTER], "2", "{path}");
            let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(problem["code"], "preparing", "{path}");
            assert_eq!((&problem["stage"], &problem["percent"]), (&"letting rain fall".into(), &60.into()));
            assert_eq!(problem["request_id"], headers["x-request-id"].to_str().unwrap());
        }
        let (status, _, body) = node.ask(Method::GET, PROGRESS, "*/*").await;
        assert_eq!(status, 200);
        assert_eq!(body, r#"{"state":"preparing","stage":"letting rain fall","percent":60}"#);
        // The process is well: nobody should restart it.
        assert_eq!(node.ask(Method::GET, "/health/live", "*/*").await.0, 200);
    }
}
