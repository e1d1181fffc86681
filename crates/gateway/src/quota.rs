//! How often one address and one account may ask.
//!
//! Two layers. The outer one counts by address whatever comes, before anything is looked at: it bounds what checking
//! tokens may cost. The inner one finds out who asks and counts by account; without a valid token the address counts,
//! with the smaller figure, so that guessing tokens is guessing slowly. Tiles, pieces of the planet and files of the
//! client are cheap and come by the hundred: they have a policy of their own.

use api::{Caller, ClientAddress};
use axum::extract::{FromRequestParts as _, MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use limits::{Limit, Limiter, Taken, add_fields};

/// What changes hands here is a trade.
pub(crate) const TRADES: [&str; 6] = [
    "/api/v1/marketplace/listings/{id}/purchase",
    "/api/v1/marketplace/auctions/{id}/bids",
    "/api/v1/marketplace/auctions/{id}/accept",
    "/api/v1/marketplace/offers",
    "/api/v1/marketplace/offers/{id}/accept",
    "/api/v1/wallet/transfers",
];

/// Routes for what follows from the planet alone, or is a picture of it.
pub(crate) const FILES: [&str; 4] =
    ["/api/v1/planet/{planet_hash}/", "/api/v1/chunks/", "/api/v1/lands/tiles/", "/api/docs"];

/// Whether a request is for something that comes by the hundred.
fn is_file(request: &Request) -> bool {
    let matched = request.extensions().get::<MatchedPath>();
    match matched.map(MatchedPath::as_str) {
        Some(route) => {
            let is_api = ["/api/", "/ws", "/.well-known/"].iter().any(|prefix| route.starts_with(prefix));
            !is_api || route == "/api/openapi.json" || FILES.iter().any(|prefix| route.starts_with(prefix))
        }
        // The client's files; or nothing, which costs nothing.
        None => true,
    }
}

fn address_key(request: &Request) -> String {
    let address = request.extensions().get::<ClientAddress>();
    address.map_or_else(|| "nobody".to_owned(), |address| address.network().to_string())
}

/// The outer layer, by address.
pub(crate) async fn address_layer(State(limiter): State<Limiter>, request: Request, next: Next) -> Response {
    let is_file = is_file(&request);
    let limit = if is_file { Limit::Files } else { Limit::Address };
    match limiter.take(limit, &address_key(&request)).await {
        Ok(taken) => {
            let mut response = next.run(request).await;
            // A picture that is kept for a year must not tell what was left on the day it was asked for.
            if !is_file {
                add_fields(response.headers_mut(), taken.as_slice());
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

/// The inner layer, by account; inside the one that hands in the [`api::Verifier`].
pub(crate) async fn caller_layer(State(limiter): State<Limiter>, request: Request, next: Next) -> Response {
    if is_file(&request) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let caller = if parts.headers.contains_key(header::AUTHORIZATION) {
        // Stays in the request for whoever needs it. What is wrong with a bad one is said by those.
        Caller::from_request_parts(&mut parts, &()).await.ok()
    } else {
        None
    };
    let request = Request::from_parts(parts, body);
    let mut taken: Vec<Taken> = Vec::new();
    for (limit, key) in buckets(&request, caller) {
        match limiter.take(limit, &key).await {
            Ok(one) => taken.extend(one),
            Err(problem) => return problem.into_response(),
        }
    }
    let mut response = next.run(request).await;
    add_fields(response.headers_mut(), &taken);
    response
}

/// What a request takes from, the most particular last.
fn buckets(request: &Request, caller: Option<Caller>) -> Vec<(Limit, String)> {
    let Some(caller) = caller else { return vec![(Limit::ApiAddress, address_key(request))] };
    let account = caller.account_id.to_string();
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if request.method() == Method::POST && TRADES.contains(&route) {
        return vec![(Limit::ApiAccount, account.clone()), (Limit::Trade, account)];
    }
    vec![(Limit::ApiAccount, account)]
}
