//! Access tokens: signed JWTs of fifteen minutes that every route accepts without asking the database.
//!
//! Header: `alg` `EdDSA`, `typ` `at+jwt`, `kid` of the signing key. Claims: `iss`, `aud`, `sub` (account),
//! `sid` (session: the family of refresh tokens), `iat`, `exp`, `jti`. RFC 9068 in shape; there is one kind
//! of client, so `client_id` is left out.
//!
//! A token is believed only when *all* of it is as we write it: the algorithm is fixed by us and never taken
//! from the token, and nothing in its header is followed anywhere.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::signing_key::{PublicJwk, SigningKey};

/// How long an access token is good for.
pub const LIFE_S: i64 = 15 * 60;

/// Longer tokens are refused unread; ours have about 600 bytes.
const TOKEN_BYTES_MAX: usize = 2048;

/// How far in the future `iat` may lie: clocks of two nodes differ a little.
const CLOCK_SKEW_S: i64 = 5;

const TYPE: &str = "at+jwt";

/// Who a valid token speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The account.
    pub account_id: Uuid,
    /// The session it was issued in.
    pub session_id: Uuid,
}

/// Why a token is not believed. For the log; a client learns only whether it has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    /// It was good once.
    #[error("the access token has expired")]
    Expired,
    /// Anything else: malformed, forged, of another planet, of another kind.
    #[error("the access token is not valid")]
    Invalid,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    sid: Uuid,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

/// Issues and checks the tokens of one planet.
pub struct AccessTokens {
    /// `iss` and `aud` of every token: this planet and nobody else.
    planet_uri: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    jwk: PublicJwk,
}

impl AccessTokens {
    /// Tokens of the planet with this id.
    pub fn new(planet_id: Uuid, key: &SigningKey) -> Self {
        let planet_uri = format!("urn:uuid:{planet_id}");
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&planet_uri]);
        validation.set_audience(&[&planet_uri]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Checked below against the clock that is passed in, which tests move by hand.
        validation.validate_exp = false;
        Self {
            planet_uri,
            encoding: EncodingKey::from_ed_der(&key.pkcs8_der()),
            decoding: DecodingKey::from_ed_der(key.public_bytes()),
            validation,
            jwk: key.public_jwk(),
        }
    }

    /// The keys with which anybody can check these tokens.
    pub fn public_keys(&self) -> Vec<PublicJwk> {
        vec![self.jwk.clone()]
    }

    /// A token for `bearer`, good from `now_s` for [`LIFE_S`].
    pub fn issue(&self, bearer: Bearer, token_id: Uuid, now_s: i64) -> String {
        let claims = Claims {
            iss: self.planet_uri.clone(),
            aud: self.planet_uri.clone(),
            sub: bearer.account_id,
            sid: bearer.session_id,
            iat: now_s,
            exp: now_s + LIFE_S,
            jti: token_id,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.jwk.kid.clone());
        jsonwebtoken::encode(&header, &claims, &self.encoding).expect("our own key signs our own claims")
    }

    /// Who speaks, if the token is ours and alive at `now_s`.
    pub fn check(&self, token: &str, now_s: i64) -> Result<Bearer, AccessTokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(AccessTokenError::Invalid);
        }
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| AccessTokenError::Invalid)?;
        let (header, claims) = (decoded.header, decoded.claims);
        let is_ours = header.typ.as_deref() == Some(TYPE)
            && header.kid.as_deref() == Some(self.jwk.kid.as_str())
            // Critical extensions: we understand none.
            && header.crit.is_none()
            && claims.iat <= now_s + CLOCK_SKEW_S
            && claims.exp - claims.iat == LIFE_S;
        if !is_ours {
            return Err(AccessTokenError::Invalid);
        }
        if claims.exp <= now_s {
            return Err(AccessTokenError::Expired);
        }
        Ok(Bearer { account_id: claims.sub, session_id: claims.sid })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::base64url;

    const NOW_S: i64 = 1_800_000_000;
    const PLANET: Uuid = Uuid::from_u128(1);
    const BEARER: Bearer = Bearer { account_id: Uuid::from_u128(10), session_id: Uuid::from_u128(11) };

    fn key() -> SigningKey {
        SigningKey::from_secret([9; 32])
    }

    fn tokens() -> AccessTokens {
        AccessTokens::new(PLANET, &key())
    }

    fn good_header() -> Value {
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": key().kid()})
    }

    fn good_claims() -> Value {
        let uri = format!("urn:uuid:{PLANET}");
        json!({
            "iss": uri, "aud": uri, "sub": BEARER.account_id, "sid": BEARER.session_id,
            "iat": NOW_S, "exp": NOW_S + LIFE_S, "jti": Uuid::from_u128(12),
        })
    }

    /// A token of any header and claims, signed rightly with the real key: what is wrong is the content.
    fn signed(header: &Value, claims: &Value) -> String {
        use ed25519_dalek::Signer as _;
        let text = format!(
            "{}.{}",
            base64url::encode(header.to_string().as_bytes()),
            base64url::encode(claims.to_string().as_bytes())
        );
        let signature = ed25519_dalek::SigningKey::from_bytes(&[9; 32]).sign(text.as_bytes());
        format!("{text}.{}", base64url::encode(&signature.to_bytes()))
    }

    fn changed(mut base: Value, changes: &Value) -> Value {
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                base.as_object_mut().unwrap().remove(name);
            } else {
                base[name] = value.clone();
            }
        }
        base
    }

    #[test]
    fn our_token_is_believed_until_it_expires() {
        let token = tokens().issue(BEARER, Uuid::from_u128(12), NOW_S);
        assert!(token.len() < 700);
        assert_eq!(tokens().check(&token, NOW_S), Ok(BEARER));
        assert_eq!(tokens().check(&token, NOW_S + LIFE_S - 1), Ok(BEARER));
        assert_eq!(tokens().check(&token, NOW_S + LIFE_S), Err(AccessTokenError::Expired));
        // The hand-made one below is the same token, so that each forgery differs in one point only.
        assert_eq!(tokens().check(&signed(&good_header(), &good_claims()), NOW_S), Ok(BEARER));
    }

    #[test]
    fn a_rightly_signed_token_with_one_wrong_word_is_refused() {
        let headers = [
            json!({"alg": "none"}),
            json!({"alg": "HS256"}),
            json!({"alg": "ES256"}),
            json!({"alg": null}),
            json!({"kid": null}),
            json!({"kid": "another"}),
            json!({"kid": "../../keys/access_token.jwk"}),
            json!({"typ": null}),
            json!({"typ": "JWT"}),
            json!({"typ": "rt+jwt"}),
            json!({"crit": ["b64"]}),
        ];
        let claims = [
            json!({"iss": "urn:uuid:00000000-0000-0000-0000-000000000002"}),
            json!({"iss": null}),
            json!({"aud": "urn:uuid:00000000-0000-0000-0000-000000000002"}),
            json!({"aud": null}),
            json!({"sub": null}),
            json!({"sub": "admin"}),
            json!({"sid": null}),
            json!({"jti": null}),
            json!({"exp": null}),
            json!({"exp": "never"}),
            json!({"exp": NOW_S + 10 * LIFE_S}),
            json!({"exp": 1e300}),
            json!({"iat": NOW_S + 3600, "exp": NOW_S + 3600 + LIFE_S}),
        ];
        let forged = headers
            .iter()
            .map(|change| (change, signed(&changed(good_header(), change), &good_claims())))
            .chain(
                claims.iter().map(|change| (change, signed(&good_header(), &changed(good_claims(), change)))),
            );
        for (change, token) in forged {
            assert_eq!(tokens().check(&token, NOW_S), Err(AccessTokenError::Invalid), "{change}");
        }
    }

    #[test]
    fn a_token_signed_by_somebody_else_is_refused() {
        let other_key = AccessTokens::new(PLANET, &SigningKey::from_secret([8; 32]));
        let other_planet = AccessTokens::new(Uuid::from_u128(2), &key());
        for forger in [other_key, other_planet] {
            let token = forger.issue(BEARER, Uuid::from_u128(12), NOW_S);
            assert_eq!(tokens().check(&token, NOW_S), Err(AccessTokenError::Invalid));
        }
    }

    /// The classic confusion: our *public* key used as the secret of an HMAC, and no signature at all.
    #[test]
    fn the_public_key_is_no_secret_and_an_empty_signature_no_signature() {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key().kid().to_owned());
        let public = EncodingKey::from_secret(key().public_bytes());
        let hmac = jsonwebtoken::encode(&header, &good_claims(), &public).unwrap();
        let unsigned = |alg: &str| {
            let header = changed(good_header(), &json!({"alg": alg})).to_string();
            let claims = good_claims().to_string();
            format!("{}.{}.", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()))
        };
        for token in [hmac, unsigned("none"), unsigned("None"), unsigned("EdDSA")] {
            assert_eq!(tokens().check(&token, NOW_S), Err(AccessTokenError::Invalid), "{token}");
        }
    }

    #[test]
    fn no_changed_character_and_no_garbage_passes() {
        let good = tokens().issue(BEARER, Uuid::from_u128(12), NOW_S);
        for index in 0..good.len() {
            let mut forged = good.clone().into_bytes();
            forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(tokens().check(&forged, NOW_S), Err(AccessTokenError::Invalid), "at {index}");
        }
        for garbage in ["", ".", "..", "...", "a.b.c", &good[1..], &format!("{good}."), &"A".repeat(100_000)]
        {
            assert_eq!(tokens().check(garbage, NOW_S), Err(AccessTokenError::Invalid));
        }
    }
}
