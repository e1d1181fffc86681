//! `GET /api/v1/planet`: what a client must know before it can begin.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use cell::{CellId, LatLng};
use planet::artifact::Digest;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::hosts::name_of;
use crate::{Edge, webtransport};

/// The level of interest cells and terrain chunks on a planet of shift 3.
const INTEREST_LEVEL: u8 = 14;

pub(crate) fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(planet))
}

/// What the ground itself does not tell.
#[derive(Clone, Debug)]
pub struct About {
    /// What people call the planet.
    pub name: String,
    /// Of its artifact.
    pub hash: Digest,
    /// From noon to noon, in seconds.
    pub day_length_s: u32,
}

/// What a client must know of the planet; but for certificates it never changes while the process runs.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct PlanetAnswer {
    /// What people call it.
    #[schema(example = "Terrane")]
    name: String,
    /// A 64-bit number as text, because JSON readers round such numbers.
    #[schema(example = "1")]
    seed: String,
    /// The radius is Earth's / 2^shift.
    #[schema(example = 3)]
    shift: u8,
    /// Names the planet's ground: equal wherever the same planet is made. Paths under it never change their content.
    #[schema(example = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262")]
    planet_hash: String,
    /// S2 level of the finest raster that the global stage made.
    #[schema(example = 10)]
    raster_level: u8,
    /// From noon to noon. At Unix time 0 the sun stands over longitude 0, and it goes westwards.
    #[schema(example = 5400)]
    day_length_s: u32,
    /// Of the sea.
    #[schema(example = 796_375.0)]
    radius_m: f64,
    /// The generator that makes the same planet from the same seed.
    generator_version: u32,
    /// Of `/ws`.
    protocol_version: u32,
    /// Of `/ws`: a 64-bit number as text. A client with another one should reload itself.
    #[schema(example = "12345678901234567890")]
    protocol_hash: String,
    /// Steps of the simulation, and of inputs, per second.
    #[schema(example = 30)]
    tick_hz: u32,
    /// S2 level of the standard lot.
    #[schema(example = 15)]
    lot_level: u8,
    /// S2 level of the cells that streams and terrain come in.
    #[schema(example = 14)]
    interest_level: u8,
    arrival: ArrivalAnswer,
    currency: CurrencyAnswer,
    /// Absent where only `/ws` is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    webtransport: Option<WebTransportAnswer>,
}

/// The same protocol as at `/ws`, over WebTransport.
#[derive(Clone, Serialize, ToSchema)]
struct WebTransportAnswer {
    /// Where to open a session.
    #[schema(example = "https://127.0.0.1:7380/wt")]
    url: String,
    /// SHA-256 of the certificates to accept, in base64: the present one and the next. Empty where the certificate is
    /// to be checked as any other.
    certificate_hashes: Vec<String>,
}

/// Where newcomers arrive.
#[derive(Clone, Serialize, ToSchema)]
struct ArrivalAnswer {
    lat_deg: f64,
    lng_deg: f64,
    /// The lot at that place.
    #[schema(example = "4be64c3c")]
    lot_token: String,
}

/// How amounts of money are shown.
#[derive(Clone, Serialize, ToSchema)]
struct CurrencyAnswer {
    #[schema(example = "coin")]
    code: &'static str,
    /// Digits behind the point: amounts count the smallest unit.
    #[schema(example = 2)]
    scale: u8,
    #[schema(example = "¤")]
    symbol: &'static str,
}

impl PlanetAnswer {
    pub(crate) fn of(about: About, planet: &planet::Planet) -> Self {
        let ground = planet.arrival().ground;
        let place = LatLng::from_point(ground);
        let lot_level = planet.grid_level(land::LOT_LEVEL_AT_DEFAULT);
        Self {
            name: about.name,
            seed: planet.spec().seed.to_string(),
            shift: planet.spec().shift,
            planet_hash: about.hash.to_string(),
            raster_level: planet.spec().raster_level,
            day_length_s: about.day_length_s,
            radius_m: planet.radius_m(),
            generator_version: planet::GENERATOR_VERSION,
            protocol_version: wire::PROTOCOL_VERSION,
            protocol_hash: wire::PROTOCOL_HASH.to_string(),
            tick_hz: motion::Pace::default().hz(),
            lot_level,
            interest_level: planet.grid_level(INTEREST_LEVEL),
            arrival: ArrivalAnswer {
                lat_deg: place.lat_deg(),
                lng_deg: place.lng_deg(),
                lot_token: CellId::from_point(ground).parent(lot_level).token(),
            },
            currency: CurrencyAnswer { code: "coin", scale: 2, symbol: "¤" },
            webtransport: None,
        }
    }
}

/// The planet and how to speak to it.
#[utoipa::path(get, path = "/api/v1/planet", operation_id = "planet", tag = "planet", responses(
    (status = 200, description = "Everything a client needs before it begins", body = PlanetAnswer),
))]
async fn planet(State(edge): State<Arc<Edge>>, headers: HeaderMap) -> Response {
    // A restart may bring another version: a page that reloads must not believe an old answer.
    let cache = (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).and_then(name_of);
    let webtransport = edge.webtransport.as_ref().zip(host).map(|(told, host)| WebTransportAnswer {
        url: format!("https://{host}:{}{}", told.port, webtransport::PATH),
        certificate_hashes: told.certificates.hashes(),
    });
    ([cache], Json(PlanetAnswer { webtransport, ..edge.planet.clone() })).into_response()
}
