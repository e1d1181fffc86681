//! Whether an ID token is what it must be (`OpenID` Connect Core 1.0, section 3.1.3.7).

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde_json::Value;

use crate::discovery::ALGORITHMS;
use crate::fault::Fault;
use crate::keys::Key;

/// How far the provider's clock may be off.
pub(crate) const LEEWAY_S: f64 = 60.0;

/// Longer tokens are refused unread.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Core section 2: at most 255 ASCII characters.
const SUBJECT_BYTES_MAX: usize = 255;

/// What a token must say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) now_s: i64,
}

/// How a token says it is signed. Believed only so far as to look for its key.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Signed {
    pub(crate) key_id: Option<String>,
    pub(crate) algorithm: Algorithm,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    /// Seconds; a provider may write fractions.
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Reads the header.
pub(crate) fn signed(token: &str) -> Result<Signed, Fault> {
    if token.len() > TOKEN_BYTES_MAX || token.split('.').count() != 3 {
        return Err(Fault::TokenMalformed);
    }
    let header = token.split('.').next().and_then(|it| URL_SAFE_NO_PAD.decode(it).ok());
    let header: Option<Header> = header.and_then(|it| serde_json::from_slice(&it).ok());
    let header = header.ok_or(Fault::TokenMalformed)?;
    let algorithm = ALGORITHMS.iter().find(|(name, _)| *name == header.alg);
    let (_, algorithm) = *algorithm.ok_or(Fault::TokenAlgorithm)?;
    // Another kind of token, or an extension that must be understood: we understand none.
    let is_plain = header.typ.is_none_or(|it| it.eq_ignore_ascii_case("JWT")) && header.crit.is_none();
    if is_plain { Ok(Signed { key_id: header.kid, algorithm }) } else { Err(Fault::TokenMalformed) }
}

/// The subject of a token that is right in every point.
pub(crate) fn check(token: &str, key: &Key, expected: &Expected<'_>) -> Result<String, Fault> {
    if signed(token)?.algorithm != key.algorithm {
        return Err(Fault::TokenAlgorithm);
    }
    let mut signature_only = Validation::new(key.algorithm);
    // Each claim is checked below, so that each fault has its name, against a clock that is passed in.
    signature_only.required_spec_claims = HashSet::new();
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    let claims: Value = match jsonwebtoken::decode(token, &key.decoding, &signature_only) {
        Ok(decoded) => decoded.claims,
        Err(error) if matches!(error.kind(), jsonwebtoken::errors::ErrorKind::InvalidSignature) => {
            return Err(Fault::TokenSignature);
        }
        Err(_) => return Err(Fault::TokenMalformed),
    };
    let claims: Claims = serde_json::from_value(claims).map_err(|_| Fault::TokenMalformed)?;
    check_claims(claims, expected)
}

fn check_claims(claims: Claims, expected: &Expected<'_>) -> Result<String, Fault> {
    if !is_issuer(&claims.iss, expected.issuer) {
        return Err(Fault::TokenIssuer);
    }
    let is_ours = |it: &str| it == expected.client_id;
    let (is_for_us, is_for_others) = match &claims.aud {
        Audience::One(one) => (is_ours(one), false),
        Audience::Many(many) => (many.iter().any(|it| is_ours(it)), many.iter().any(|it| !is_ours(it))),
    };
    let is_asked_by_us = match &claims.azp {
        Some(party) => is_ours(party),
        None => !is_for_others,
    };
    if !is_for_us || !is_asked_by_us {
        return Err(Fault::TokenAudience);
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(Fault::TokenNonce);
    }
    let now_s = expected.now_s as f64;
    if claims.exp <= now_s - LEEWAY_S {
        return Err(Fault::TokenExpired);
    }
    if claims.iat > now_s + LEEWAY_S || claims.nbf.is_some_and(|it| it > now_s + LEEWAY_S) {
        return Err(Fault::TokenEarly);
    }
    let is_subject = (1..=SUBJECT_BYTES_MAX).contains(&claims.sub.len())
        && claims.sub.bytes().all(|it| it.is_ascii() && !it.is_ascii_control());
    if is_subject { Ok(claims.sub) } else { Err(Fault::TokenMalformed) }
}

/// Exactly, but for Google, whose older tokens leave the scheme out.
fn is_issuer(claimed: &str, issuer: &str) -> bool {
    claimed == issuer || (issuer == "https://accounts.google.com" && claimed == "accounts.google.com")
}
