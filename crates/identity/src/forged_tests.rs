//! Every bad token over HTTP: what is answered, with a stable code each.

use api::{ClientAddress, Verifier};
use axum::Extension;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::*;
use crate::access_token::LIFE_S;
use crate::tests::{Device, ORIGIN, SECOND_US, START_US, World, check};

const NOW_S: i64 = START_US / SECOND_US;

struct Site(axum::Router);

impl Site {
    fn of(world: &World) -> Self {
        let verifier: Verifier = world.identity.clone();
        let (router, _) = routes(world.identity.clone()).split_for_parts();
        let address = ClientAddress(std::net::Ipv4Addr::LOCALHOST.into());
        Self(
            router
                .layer(Extension(verifier))
                .layer(Extension(SiteOrigin(ORIGIN.to_owned())))
                .layer(Extension(address)),
        )
    }

    /// Status and code of an answer.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (u16, String) {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let answer = self.0.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = answer.status();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{problem}");
        (status.as_u16(), problem["code"].as_str().unwrap_or_default().to_owned())
    }

    async fn me(&self, token: &str) -> (u16, String) {
        self.ask(Method::GET, "/users/me", Some(token), None).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, String) {
        self.ask(Method::POST, path, None, Some(body)).await
    }
}

/// A token of any header and claims, signed by this secret as `EdDSA`.
fn signed(header: &Value, claims: &Value, secret: u8) -> String {
    use ed25519_dalek::Signer as _;
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = ed25519_dalek::SigningKey::from_bytes(&[secret; 32]).sign(text.as_bytes());
    format!("{text}.{}", base64url::encode(&signature.to_bytes()))
}

/// `base` with some members replaced; `null` takes one out.
fn with(base: &Value, changes: &Value) -> Value {
    let mut changed = base.clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            changed.as_object_mut().unwrap().remove(name);
        } else {
            changed[name] = value.clone();
        }
    }
    changed
}

/// The key that signs tokens is `[9; 32]` in these tests.
#[test]
fn every_forged_access_token_gets_its_code() {
    check(|world| async move {
        let site = Site::of(&world);
        let session = world.log_in(&Device::number(1)).await;
        let stranger = world.log_in(&Device::number(2)).await;
        let bearer = world.identity.check_access_token(&session.access_token).unwrap();
        let strangers = world.identity.check_access_token(&stranger.access_token).unwrap();
        let kid = SigningKey::from_secret([9; 32]).kid().to_owned();
        let planet = format!("urn:uuid:{}", Uuid::from_u128(1));
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid});
        let claims = json!({
            "iss": planet, "aud": planet, "sub": bearer.account_id, "sid": bearer.session_id,
            "iat": NOW_S, "exp": NOW_S + LIFE_S, "jti": Uuid::from_u128(12),
        });
        assert_eq!(site.me(&signed(&header, &claims, 9)).await, (200, String::new()), "the pattern is good");

        let other_planet = "urn:uuid:00000000-0000-0000-0000-000000000002";
        let bad_claims = [
            ("expired", json!({"iat": NOW_S - LIFE_S, "exp": NOW_S}), "token_expired"),
            ("not yet valid", json!({"iat": NOW_S + 60, "exp": NOW_S + 60 + LIFE_S}), "token_invalid"),
            ("another issuer", json!({"iss": other_planet}), "token_invalid"),
            ("another audience", json!({"aud": other_planet}), "token_invalid"),
            ("no audience", json!({"aud": null}), "token_invalid"),
            ("too long a life", json!({"exp": NOW_S + 30 * LIFE_S}), "token_invalid"),
            ("the account of another", json!({"sub": strangers.account_id}), "token_invalid"),
            ("the session of another", json!({"sid": strangers.session_id}), "token_invalid"),
            ("a session nobody has opened", json!({"sid": Uuid::from_u128(99)}), "token_invalid"),
            ("a role of one's own", json!({"role": "admin", "sub": null}), "token_invalid"),
        ];
        for (what, change, code) in bad_claims {
            let token = signed(&header, &with(&claims, &change), 9);
            assert_eq!(site.me(&token).await, (401, code.to_owned()), "{what}");
        }
        let bad_headers = [
            ("no algorithm", json!({"alg": "none"})),
            ("another algorithm", json!({"alg": "RS256"})),
            ("an algorithm with a shared secret", json!({"alg": "HS256"})),
            ("no kid", json!({"kid": null})),
            ("another kid", json!({"kid": "another"})),
            ("a kid that is a path", json!({"kid": "../../keys/access_token.jwk"})),
            ("a refresh token's type", json!({"typ": "rt+jwt"})),
            ("a key of its own", json!({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, "kid": null})),
            ("a key from elsewhere", json!({"jku": "https://evil.example/jwks.json", "kid": "x"})),
        ];
        for (what, change) in bad_headers {
            let token = signed(&with(&header, &change), &claims, 9);
            assert_eq!(site.me(&token).await, (401, "token_invalid".to_owned()), "{what}");
        }
        let confused = {
            use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
            let mut header = Header::new(Algorithm::HS256);
            (header.typ, header.kid) = (Some("at+jwt".to_owned()), Some(kid.clone()));
            let public = SigningKey::from_secret([9; 32]);
            encode(&header, &claims, &EncodingKey::from_secret(public.public_bytes())).unwrap()
        };
        let good = signed(&header, &claims, 9);
        let unsigned = format!("{}.", good.rsplit_once('.').unwrap().0);
        for (what, token) in [
            ("signed by another", signed(&header, &claims, 8)),
            ("the public key as a shared secret", confused),
            ("not signed", unsigned),
            ("a refresh token", session.refresh_token.text()),
            ("an API key nobody has", format!("{API_KEY_PREFIX}{}", base64url::encode(&[7; 32]))),
            ("an API key of another form", "trn_x".to_owned()),
            ("nothing of a token", "x".to_owned()),
        ] {
            assert_eq!(site.me(&token).await, (401, "token_invalid".to_owned()), "{what}");
        }
        let none = site.ask(Method::GET, "/users/me", None, None).await;
        assert_eq!(none, (401, "token_missing".to_owned()));
        world.identity.end_session(bearer.account_id, bearer.session_id).await.unwrap();
        assert_eq!(site.me(&good).await, (401, "token_invalid".to_owned()), "of a session that has ended");
    });
}

#[test]
fn every_misused_challenge_refresh_token_and_link_gets_its_code() {
    check(|world| async move {
        let site = Site::of(&world);
        let (ann, bob) = (Device::number(1), Device::number(2));
        let session = world.log_in(&ann).await;
        let answer = |device: &Device, challenge: &IssuedChallenge, signature: [u8; 64]| {
            json!({
                "public_key": device.public().text(), "nonce": challenge.nonce.text(),
                "signature": base64url::encode(&signature),
            })
        };
        let challenge = world.challenge(&ann).await;
        let right = answer(&ann, &challenge, ann.sign(&challenge.text));
        assert_eq!(site.post("/auth/verify", right.clone()).await.0, 200);
        let replayed = site.post("/auth/verify", right).await;
        assert_eq!(replayed, (401, "challenge_not_open".to_owned()), "replayed");
        let challenge = world.challenge(&ann).await;
        let stolen = site.post("/auth/verify", answer(&bob, &challenge, bob.sign(&challenge.text))).await;
        assert_eq!(stolen, (401, "challenge_not_open".to_owned()), "stolen");
        let forged = site.post("/auth/verify", answer(&ann, &challenge, bob.sign(&challenge.text))).await;
        assert_eq!(forged, (401, "signature_refused".to_owned()), "signed by another key");
        let late = world.challenge(&ann).await;
        world.clock.advance_us(challenge::LIFE_S * SECOND_US);
        let expired = site.post("/auth/verify", answer(&ann, &late, ann.sign(&late.text))).await;
        assert_eq!(expired, (401, "challenge_not_open".to_owned()), "too late");
        world.clock.advance_us(-challenge::LIFE_S * SECOND_US);

        // The key of another account.
        let bobs = world.log_in(&bob).await;
        let caller = world.identity.verify_token(&session.access_token).await.unwrap();
        let challenge = world.identity.challenge_to_add(&caller, bob.public(), ORIGIN).await.unwrap();
        let body = answer(&bob, &challenge, bob.sign(&challenge.text));
        let token = Some(session.access_token.as_str());
        let taken = site.ask(Method::POST, "/users/me/keys", token, Some(body)).await;
        assert_eq!(taken, (409, "key_taken".to_owned()));
        let path = format!("/users/me/keys/{}", bob.public().text());
        assert_eq!(site.ask(Method::DELETE, &path, token, None).await, (404, "no_such_key".to_owned()));
        let bob_id = world.identity.verify_token(&bobs.access_token).await.unwrap().session_id;
        let path = format!("/users/me/sessions/{bob_id}");
        assert_eq!(site.ask(Method::DELETE, &path, token, None).await, (404, "no_such_session".to_owned()));

        let refresh = |token: &str| json!({ "refresh_token": token });
        let first = session.refresh_token.text();
        let second = world.identity.refresh(session.refresh_token).await.unwrap();
        world.identity.refresh(second.refresh_token.clone()).await.unwrap();
        let reused = site.post("/auth/refresh", refresh(&first)).await;
        assert_eq!(reused, (401, "refresh_token_reused".to_owned()));
        assert_eq!(
            site.me(&session.access_token).await,
            (401, "token_invalid".to_owned()),
            "it ended with it"
        );
        for token in [first, second.refresh_token.text(), base64url::encode(&[7; 32]), "x".to_owned()] {
            let refused = site.post("/auth/refresh", refresh(&token)).await;
            assert_eq!(refused, (401, "refresh_token_invalid".to_owned()), "{token}");
        }
        for token in [base64url::encode(&[7; 32]), "x".to_owned(), String::new()] {
            let refused = site.post("/auth/email/confirm", json!({ "token": token })).await;
            assert_eq!(refused, (401, "link_not_valid".to_owned()));
            let body = json!({ "token": token, "password": "four wooden boats at dawn" });
            assert_eq!(site.post("/auth/password/reset", body).await, (401, "link_not_valid".to_owned()));
        }
    });
}

/// Nobody gets more by writing more into a request than it asks for.
#[test]
fn members_that_nobody_asked_for_and_hostile_values_are_refused() {
    check(|world| async move {
        let site = Site::of(&world);
        let session = world.log_in(&Device::number(1)).await;
        let token = Some(session.access_token.as_str());
        let (good, long) = ("correct horse battery staple", "x".repeat(10_000));
        let invalid = (422, "invalid_body".to_owned());
        for body in [
            json!({"display_name": "Ann", "role": "admin"}),
            json!({"account_id": Uuid::nil()}),
            json!({"display_name": long}),
            json!({"display_name": "a\u{202E}b"}),
            json!({"display_name": "a\r\nSet-Cookie: x"}),
            json!({"display_name": "\u{0}"}),
            json!({"display_name": ["Ann"]}),
            json!({"color": "red"}),
        ] {
            assert_eq!(
                site.ask(Method::PATCH, "/users/me", token, Some(body.clone())).await,
                invalid,
                "{body}"
            );
        }
        for (path, body) in [
            ("/auth/register", json!({"email": "ann@example.org", "password": good, "role": "admin"})),
            ("/auth/register", json!({"email": "ann@example.org\r\nBcc: x@example.org", "password": good})),
            ("/auth/register", json!({"email": "ann@example.org", "password": "short"})),
            ("/auth/register", json!({"email": "ann@example.org", "password": long})),
            ("/auth/register", json!({"email": "ann@example.org", "password": "Password1234"})),
            ("/auth/register", json!({"email": long, "password": good})),
            ("/auth/password", json!({"email": "ann@example.org", "password": "a\u{0}b"})),
            ("/auth/challenge", json!({"public_key": "AAAA"})),
            ("/auth/challenge", json!({"public_key": "A".repeat(43), "purpose": "admin"})),
        ] {
            assert_eq!(site.post(path, body.clone()).await, invalid, "{path} {body}");
        }
        for body in [
            json!({"name": "k", "scopes": [], "expires_in_days": 1}),
            json!({"name": "k", "scopes": ["staff"], "expires_in_days": 1}),
            json!({"name": "k", "scopes": ["person"], "expires_in_days": 1}),
            json!({"name": "k", "scopes": ["read"], "expires_in_days": 366}),
            json!({"name": "k", "scopes": ["read"], "expires_in_days": 0}),
            json!({"name": "", "scopes": ["read"], "expires_in_days": 1}),
        ] {
            let made = site.ask(Method::POST, "/users/me/api-keys", token, Some(body.clone())).await;
            assert_eq!(made, invalid, "{body}");
        }
        let settings = json!({"language": "<script>"});
        assert_eq!(site.ask(Method::PUT, "/users/me/settings", token, Some(settings)).await, invalid);
    });
}

/// Fifteen minutes after signing in, and with an API key, nothing about signing in can be changed.
#[test]
fn what_changes_how_one_signs_in_wants_a_fresh_login_of_a_person() {
    check(|world| async move {
        let site = Site::of(&world);
        let session = world.log_in(&Device::number(1)).await;
        let id = session.account.account_id;
        let wish = NewApiKey { name: "k".to_owned(), scopes: api::Scope::ALL.to_vec(), days: 1 };
        let (_, key) = world.identity.make_api_key(id, api::Role::Admin, wish).await.unwrap();
        world.clock.advance_us(16 * 60 * SECOND_US);
        let refreshed = world.identity.refresh(session.refresh_token).await.unwrap();
        let device = Device::number(2);
        let public_key = device.public().text();
        let acts = [
            (Method::PUT, "/users/me/email", json!({"email": "ann@example.org", "password": "x"})),
            (Method::PUT, "/users/me/password", json!({"password": "correct horse battery staple"})),
            (
                Method::POST,
                "/users/me/api-keys",
                json!({"name": "k", "scopes": ["read"], "expires_in_days": 1}),
            ),
            (Method::POST, "/auth/challenge", json!({"public_key": public_key, "purpose": "add_key"})),
            (
                Method::POST,
                "/users/me/keys",
                json!({"public_key": public_key, "nonce": "A".repeat(43), "signature": "A".repeat(86)}),
            ),
        ];
        for (method, path, body) in acts {
            let stale = Some(refreshed.access_token.as_str());
            let refused = site.ask(method.clone(), path, stale, Some(body.clone())).await;
            assert_eq!(refused, (403, "fresh_login_required".to_owned()), "{path}");
            let refused = site.ask(method, path, Some(&key), Some(body)).await;
            assert_eq!(refused, (403, "forbidden_for_keys".to_owned()), "{path}");
        }
    });
}
