//! Chunks of ground for clients that cannot make them.

use std::sync::Arc;

use api::{Problem, ValidPath, ValidQuery};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use planet::CHUNK_LEVEL_MAX;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::artifact::parse_cell;
use crate::file::Freshness;
use crate::job::{ChunkAnswer, ChunkForm, Job};
use crate::{MapService, problems};

/// How a chunk is wanted.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ChunkParams {
    /// If absent, `json` where `Accept` names `application/json`, else `binary`.
    #[param(inline)]
    format: Option<ChunkFormat>,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ChunkFormat {
    Binary,
    Json,
}

/// The ground of a cell
///
/// As `application/json`, or packed as `application/vnd.terrane.chunk` (`docs/protocol.md`, chunks): heights to 1/32
/// of a metre at the level of the ground, twice as coarse for each level above.
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/chunks/{token}", operation_id = "planet_chunk", tag = "planet",
    params(
        ("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`"),
        ("token" = String, Path, description = "The S2 token of a cell of level 0 to 24", example = "4be64c"),
        ChunkParams,
    ),
    responses(
        (status = 200, description = "The chunk", content(
            (ChunkAnswer = "application/json"),
            ([u8] = "application/vnd.terrane.chunk"),
        )),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "The one you have is right"),
        (status = 400, description = "`invalid_path`: no token; `invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`planet_unknown` with `planet_hash`; `chunk_unknown`: deeper than chunks are", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`range_not_satisfiable`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`maps_busy`, `timeout`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn chunk(
    State(maps): State<Arc<MapService>>,
    ValidPath((planet_hash, token)): ValidPath<(String, String)>,
    ValidQuery(params): ValidQuery<ChunkParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    maps.check_planet(&planet_hash)?;
    answer(&maps, &token, params, &headers, Freshness::Immutable).await
}

/// The ground of a cell of this planet, whichever it is
///
/// The same as below the planet's hash, but to be asked for again each time.
#[utoipa::path(get, path = "/api/v1/chunks/{token}", operation_id = "chunk", tag = "planet",
    params(
        ("token" = String, Path, description = "The S2 token of a cell of level 0 to 24", example = "4be64c"),
        ChunkParams,
    ),
    responses(
        (status = 200, description = "The chunk", content(
            (ChunkAnswer = "application/json"),
            ([u8] = "application/vnd.terrane.chunk"),
        )),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "The one you have is right"),
        (status = 400, description = "`invalid_path`: no token; `invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`chunk_unknown`: deeper than chunks are", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`range_not_satisfiable`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`maps_busy`, `timeout`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn chunk_of_current(
    State(maps): State<Arc<MapService>>,
    ValidPath(token): ValidPath<String>,
    ValidQuery(params): ValidQuery<ChunkParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&maps, &token, params, &headers, Freshness::Revalidate).await
}

async fn answer(
    maps: &Arc<MapService>,
    token: &str,
    params: ChunkParams,
    headers: &HeaderMap,
    freshness: Freshness,
) -> Result<Response, Problem> {
    let cell = parse_cell(token)?;
    if cell.level() > CHUNK_LEVEL_MAX {
        let detail = format!("chunks are of level 0 to {CHUNK_LEVEL_MAX}, the cell is of {}", cell.level());
        return Err(problems::CHUNK_UNKNOWN.detail(detail));
    }
    let file = maps.file(Job::Chunk { cell, form: form(params, headers) }).await?;
    let mut response = file.answer(headers, freshness);
    let vary = HeaderValue::from_static("accept, accept-encoding");
    response.headers_mut().insert(header::VARY, vary);
    Ok(response)
}

fn form(params: ChunkParams, headers: &HeaderMap) -> ChunkForm {
    let is_json = match params.format {
        Some(format) => matches!(format, ChunkFormat::Json),
        None => accepts(headers, &header::ACCEPT, "application/json"),
    };
    match (is_json, accepts(headers, &header::ACCEPT_ENCODING, "gzip")) {
        (false, _) => ChunkForm::Binary,
        (true, false) => ChunkForm::Json,
        (true, true) => ChunkForm::JsonGzip,
    }
}

/// Is a value named in a list, and not with weight 0?
fn accepts(headers: &HeaderMap, name: &header::HeaderName, value: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(value));
        let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|it| it.parse::<f32>().ok());
        is_it && weight != Some(0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_chunk_is_negotiated() {
        let check = |format, accept: &'static str, encoding: &'static str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
            assert_eq!(form(ChunkParams { format }, &headers), expected, "{accept} {encoding}");
        };
        check(None, "*/*", "gzip, br", ChunkForm::Binary);
        check(None, "application/json", "", ChunkForm::Json);
        check(None, "text/html, application/json;q=0.9", "br, gzip", ChunkForm::JsonGzip);
        check(None, "application/json;q=0", "", ChunkForm::Binary);
        check(Some(ChunkFormat::Json), "*/*", "gzip;q=0", ChunkForm::Json);
        check(Some(ChunkFormat::Binary), "application/json", "", ChunkForm::Binary);
    }
}
