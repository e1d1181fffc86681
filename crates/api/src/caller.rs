//! Who asks.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use uuid::Uuid;

use crate::{Problem, ProblemKind, Role, Scopes, kinds, timestamp};

/// The person or machine behind a request, shown by its token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Whose account.
    pub account_id: Uuid,
    /// Which log-in; ends with its refresh tokens. Of an API key, its id.
    pub session_id: Uuid,
    /// What the account is to this planet, from the database and never from the token.
    pub role: Role,
    /// What this token may be used for.
    pub scopes: Scopes,
    /// When this person last proved who they are, seconds since 1970. Refreshing does not renew it.
    pub signed_in_at_s: i64,
}

/// So long after signing in a person may change how they sign in, take out their data or be forgotten.
pub const FRESH_LOGIN_S: i64 = 15 * 60;

impl Caller {
    /// A player who has just signed in; for tests.
    pub const fn player(account_id: Uuid) -> Self {
        Self {
            account_id,
            session_id: Uuid::nil(),
            role: Role::Player,
            scopes: Scopes::PERSON,
            signed_in_at_s: i64::MAX,
        }
    }

    /// Refuses machines, and people who signed in too long ago to be surely the ones.
    pub fn require_fresh(&self, now_s: i64) -> Result<(), Problem> {
        if !self.scopes.is_person() {
            return Err(kinds::FORBIDDEN_FOR_KEYS.into());
        }
        if now_s.saturating_sub(self.signed_in_at_s) > FRESH_LOGIN_S {
            return Err(kinds::FRESH_LOGIN_REQUIRED.into());
        }
        Ok(())
    }
}

/// Why a token was refused. What exactly is wrong with a forged one is nobody's business.
#[derive(Debug)]
pub enum TokenFault {
    /// Not ours, altered, ended, or for something else.
    Invalid,
    /// Was good once.
    Expired,
    /// The account may not be used for now, or ever again.
    Suspended {
        /// Microseconds since 1970; never if not set.
        until_us: Option<i64>,
    },
    /// Whether it is good could not be found out.
    Unavailable(store::Error),
}

/// What comes of looking at a token.
pub type Verification<'a> = Pin<Box<dyn Future<Output = Result<Caller, TokenFault>> + Send + 'a>>;

/// Checks tokens; the identity service is the one that can.
pub trait TokenVerifier: Send + Sync {
    /// The caller that `token` stands for.
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a>;
}

/// What the gateway puts into the extensions of every request for [`Caller`] to find:
/// `router.layer(Extension(verifier))`.
pub type Verifier = Arc<dyn TokenVerifier>;

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(*caller);
        }
        let verifier = parts
            .extensions
            .get::<Verifier>()
            .ok_or_else(|| Problem::internal(&"no token verifier in the request's extensions"))?;
        let token = bearer(parts).ok_or_else(|| refuse(kinds::TOKEN_MISSING, "Bearer"))?;
        let caller = verifier.verify(token).await.map_err(|fault| match fault {
            TokenFault::Invalid => refuse(kinds::TOKEN_INVALID, "Bearer error=\"invalid_token\""),
            TokenFault::Expired => refuse(
                kinds::TOKEN_EXPIRED,
                "Bearer error=\"invalid_token\", error_description=\"the token has expired\"",
            ),
            TokenFault::Suspended { until_us } => {
                let problem = Problem::from(kinds::ACCOUNT_SUSPENDED);
                match until_us {
                    Some(until_us) => problem.detail(format!("until {}", timestamp(until_us))),
                    None => problem,
                }
            }
            TokenFault::Unavailable(error) => Problem::from(error),
        })?;
        // Whoever asks again within this request gets the same answer.
        parts.extensions.insert(caller);
        Ok(caller)
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn refuse(kind: ProblemKind, challenge: &'static str) -> Problem {
    Problem::from(kind).header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}
