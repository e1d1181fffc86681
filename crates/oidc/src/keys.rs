//! The keys with which a provider signs (RFC 7517).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use crate::fault::Fault;

/// Keys of one set; further ones are not looked at.
const KEYS_MAX: usize = 64;

/// A key that serves one algorithm: that of its kind, never that of a token.
#[derive(Clone)]
pub(crate) struct Key {
    id: Option<String>,
    pub(crate) algorithm: Algorithm,
    pub(crate) decoding: DecodingKey,
}

/// What is usable of a set.
#[derive(Clone, Default)]
pub(crate) struct Keys(Vec<Key>);

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl Keys {
    /// Reads a set. Keys of other kinds and uses are left out: a set may hold what is not for us.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Fault> {
        let document: Document = serde_json::from_slice(body).map_err(|_| Fault::DiscoveryUnusable)?;
        Ok(Self(document.keys.into_iter().take(KEYS_MAX).filter_map(usable).collect()))
    }

    /// The key that a token names. One that names none is meant only where there is no choice
    /// (`OpenID` Connect Core 10.1).
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        if id.is_some() {
            return self.0.iter().find(|it| it.id.as_deref() == id);
        }
        let mut fitting = self.0.iter().filter(|it| it.algorithm == algorithm);
        fitting.next().filter(|_| fitting.next().is_none())
    }
}

fn usable(key: Value) -> Option<Key> {
    let key: Jwk = serde_json::from_value(key).ok()?;
    let (algorithm, declared) = match &key.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(it) if it.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(it) if it.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    let common = &key.common;
    let is_for_signing = common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature)
        && common.key_algorithm.is_none_or(|it| it == declared);
    let decoding = DecodingKey::from_jwk(&key).ok()?;
    is_for_signing.then(|| Key { id: common.key_id.clone(), algorithm, decoding })
}
