//! The description of all routes: as a document for programs, as a page for people.

mod complete;

use api::Problem;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use sha2::{Digest as _, Sha256};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::asset::{Asset, Freshness};

pub(crate) use complete::complete;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Terrane",
        description = "A persistent planet: log in with a device key, walk on it, own a piece of it.\n\nErrors are \
            `application/problem+json` (RFC 9457): switch on `code`, quote `request_id`. Lists come in pages: give \
            `next_cursor` back as `cursor`. Decisions take an `Idempotency-Key`, so that repeating a request \
            repeats its answer and not its effect. Amounts are whole minor units.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "This planet")),
    components(schemas(Problem)),
    tags(
        (name = "auth", description = "Log in with an Ed25519 key of the device; no password."),
        (name = "users", description = "Oneself."),
        (name = "planet", description = "The planet as a whole."),
        (name = "maps", description = "Pictures and heights for map clients."),
        (name = "lands", description = "Lots: what they cost, whose they are, taking and naming them."),
        (name = "marketplace", description = "Land for money: listings, auctions, offers, search, prices."),
        (name = "groups", description = "Accounts that own together."),
        (name = "leases", description = "Land let to somebody: rent, deposit, beginning and end."),
        (name = "wallet", description = "Money and deeds, and how they came."),
        (name = "events", description = "What happens, as it happens."),
        (name = "notices", description = "What you should know, and webhooks to your own server."),
        (name = "staff", description = "For staff alone: every act has a reason and is on record."),
        (name = "realtime", description = "The moving world."),
        (name = "health", description = "For operators and their machines."),
    ),
)]
struct Head;

/// A document with everything but the routes.
pub(crate) fn head() -> OpenApi {
    let mut document = Head::openapi();
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "The `access_token` of `/api/v1/auth/verify` or `/api/v1/auth/refresh`, checked as RFC8725 asks: one \
             algorithm, issuer, audience and time; or an API key (`trn_…`), which is no JWT.",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    document
}

/// Adds to every operation what the layers around all routes may answer.
pub(crate) fn describe_layers(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let operations = [
            (item.get.as_mut(), false),
            (item.post.as_mut(), true),
            (item.put.as_mut(), true),
            (item.patch.as_mut(), true),
            (item.delete.as_mut(), true),
        ];
        for (operation, changes) in operations {
            let Some(operation) = operation else { continue };
            // Summaries are headings, whatever the comment they come from looks like.
            operation.summary = operation.summary.take().map(|text| text.trim_end_matches('.').to_owned());
            let mut answers = Vec::new();
            if path.starts_with("/api/") {
                answers.push(("500", "A fault of the server (`internal`)"));
                answers.push(("503", "`preparing`, `timeout`, `storage_unavailable`"));
            }
            if changes {
                answers.push(("403", "The request comes from another site (`origin_refused`)"));
                answers.push(("413", "`body_too_large`"));
            }
            for (status, description) in answers {
                let known = &mut operation.responses.responses;
                known.entry(status.to_owned()).or_insert_with(|| problem_answer(description).into());
            }
        }
    }
}

/// An answer that is a problem document.
pub(crate) fn problem_answer(description: &str) -> utoipa::openapi::Response {
    let schema = utoipa::openapi::Ref::from_schema_name("Problem");
    let content = utoipa::openapi::ContentBuilder::new().schema(Some(schema)).build();
    utoipa::openapi::ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}

/// The document and the page that shows it.
pub(crate) fn routes(document: &OpenApi) -> axum::Router {
    let mut document = serde_json::to_value(document).expect("the document is plain data");
    complete(&mut document);
    let mut json = serde_json::to_string_pretty(&document).expect("the document has only text keys");
    json.push('\n');
    asset_route("/api/openapi.json", "openapi.json", json.into())
        .merge(asset_route(
            "/api/docs",
            "docs.html",
            Bytes::from_static(include_bytes!("../assets/docs.html")),
        ))
        .merge(asset_route(
            "/api/docs/docs.css",
            "docs.css",
            Bytes::from_static(include_bytes!("../assets/docs.css")),
        ))
        .merge(asset_route(
            "/api/docs/docs.js",
            "docs.js",
            Bytes::from_static(include_bytes!("../assets/docs.js")),
        ))
}

/// A route for one file that is part of the program.
pub(crate) fn asset_route(route: &str, name: &str, content: Bytes) -> axum::Router {
    let fingerprint = Sha256::digest(&content);
    let asset = Asset::new(name, content, &fingerprint, Freshness::Revalidate);
    axum::Router::new().route(route, get(answer)).with_state(asset)
}

async fn answer(State(asset): State<Asset>, headers: HeaderMap) -> Response {
    asset.answer(&headers)
}
