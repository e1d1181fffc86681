//! Who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use uuid::Uuid;

use crate::{Problem, ProblemKind, kinds};

/// The person (or machine) behind a request, shown by its access token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Whose account.
    pub account_id: Uuid,
    /// Which log-in; ends with its refresh tokens.
    pub session_id: Uuid,
}

/// Why a token was refused. What exactly is wrong with a forged one is nobody's business.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenFault {
    /// Not ours, altered, or for something else.
    Invalid,
    /// Was good once.
    Expired,
}

/// Checks access tokens; the identity service is the one that can.
pub trait TokenVerifier: Send + Sync {
    /// The caller that `token` stands for.
    fn verify(&self, token: &str) -> Result<Caller, TokenFault>;
}

/// What the gateway puts into the extensions of every request for [`Caller`] to find:
/// `router.layer(Extension(verifier))`.
pub type Verifier = Arc<dyn TokenVerifier>;

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let token = bearer(parts).ok_or_else(|| refuse(kinds::TOKEN_MISSING, "Bearer"))?;
        let verifier = parts
            .extensions
            .get::<Verifier>()
            .ok_or_else(|| Problem::internal(&"no token verifier in the request's extensions"))?;
        verifier.verify(token).map_err(|fault| match fault {
            TokenFault::Invalid => refuse(kinds::TOKEN_INVALID, "Bearer error=\"invalid_token\""),
            TokenFault::Expired => refuse(
                kinds::TOKEN_EXPIRED,
                "Bearer error=\"invalid_token\", error_description=\"the token has expired\"",
            ),
        })
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn refuse(kind: ProblemKind, challenge: &'static str) -> Problem {
    Problem::from(kind).header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}
