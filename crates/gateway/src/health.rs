//! Whether this node lives, can do its work, and how its parts are.
//!
//! Probes and proxies read the status, people the words: these answers are no problem documents, whatever they say.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Edge;

pub(crate) fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready)).routes(routes!(health))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Health {
    Ok,
    Failed,
}

#[derive(Serialize, ToSchema)]
struct HealthAnswer {
    /// `ok` if every part is.
    status: Health,
    /// Of the program.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Each part that this node needs.
    parts: Vec<PartHealth>,
}

#[derive(Serialize, ToSchema)]
struct PartHealth {
    /// `store`, `zone`.
    #[schema(example = "store")]
    name: &'static str,
    status: Health,
    /// Facts about it, for people.
    #[schema(example = "sqlite")]
    detail: String,
}

/// Whether the process is sane: if not, start it anew.
#[utoipa::path(get, path = "/health/live", operation_id = "health_live", tag = "health", responses(
    (status = 200, description = "It is", body = String, content_type = "text/plain", example = "ok"),
    (status = 503, description = "The simulation has stopped", body = String, content_type = "text/plain"),
))]
async fn live(State(edge): State<Arc<Edge>>) -> Response {
    plain(zone_is_alive(&edge))
}

/// Whether this node can take requests: the database can write and the zone lives.
#[utoipa::path(get, path = "/health/ready", operation_id = "health_ready", tag = "health", responses(
    (status = 200, description = "It can", body = String, content_type = "text/plain", example = "ok"),
    (status = 503, description = "It cannot, or is shutting down: send requests elsewhere", body = String, content_type = "text/plain"),
))]
async fn ready(State(edge): State<Arc<Edge>>) -> Response {
    plain(!edge.is_stopping() && zone_is_alive(&edge) && edge.store.ready().await.is_ok())
}

/// How each part is.
#[utoipa::path(get, path = "/health", operation_id = "health", tag = "health", responses(
    (status = 200, description = "All parts are well", body = HealthAnswer),
    (status = 503, description = "A part has failed", body = HealthAnswer),
))]
async fn health(State(edge): State<Arc<Edge>>) -> Response {
    let store = edge.store.ready().await;
    if let Err(error) = &store {
        tracing::error!(%error, "the store cannot write");
    }
    let mut parts = vec![PartHealth {
        name: "store",
        status: Health::from(store.is_ok()),
        detail: edge.store.engine().name().to_owned(),
    }];
    if let Some(zone) = &edge.zone {
        let stats = zone.stats();
        parts.push(PartHealth {
            name: "zone",
            status: Health::from(zone.is_alive()),
            detail: format!("tick {}, {} connected, {} bodies", stats.tick, stats.connected, stats.bodies),
        });
    }
    let status = Health::from(parts.iter().all(|part| part.status == Health::Ok));
    let answer = HealthAnswer { status, version: env!("CARGO_PKG_VERSION"), parts };
    (status.code(), [NO_STORE], Json(answer)).into_response()
}

const NO_STORE: (header::HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

impl Health {
    fn code(self) -> StatusCode {
        match self {
            Self::Ok => StatusCode::OK,
            Self::Failed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<bool> for Health {
    fn from(is_well: bool) -> Self {
        if is_well { Self::Ok } else { Self::Failed }
    }
}

/// A node without a zone has none that could be dead.
fn zone_is_alive(edge: &Edge) -> bool {
    edge.zone.as_ref().is_none_or(zone::Handle::is_alive)
}

/// The short answer to a probe.
pub(crate) fn plain(is_well: bool) -> Response {
    let health = Health::from(is_well);
    let text = if is_well { "ok\n" } else { "failed\n" };
    (health.code(), [NO_STORE], text).into_response()
}
