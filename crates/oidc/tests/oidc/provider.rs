//! A provider of our own that tells the truth until it is told to lie.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use reqwest::Url;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

pub(crate) const CLIENT_ID: &str = "terrane";
pub(crate) const CLIENT_SECRET: &str = "a secret of the client & more";

/// What it answers instead of the truth, and what it saw.
#[derive(Clone, Default)]
pub(crate) struct Lies {
    /// Members of the document to change; `null` takes one away.
    pub(crate) document: Value,
    /// Of the ID token's header.
    pub(crate) header: Value,
    /// Of its claims.
    pub(crate) claims: Value,
    /// A whole ID token.
    pub(crate) token: Option<String>,
    /// Who signs.
    pub(crate) signer: Option<Signer>,
    /// A status and a body, by path.
    pub(crate) answers: HashMap<&'static str, (u16, String)>,
    /// How long it thinks, by path.
    pub(crate) delays: HashMap<&'static str, Duration>,
    /// `Cache-Control`, by path.
    pub(crate) caching: HashMap<&'static str, &'static str>,
    /// Names of keys that it shows; all of its own if not said.
    pub(crate) shown_keys: Option<Vec<Value>>,
}

/// A key to sign with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Signer {
    Ed25519,
    Rs256,
    Es256,
    /// Nobody that the provider knows.
    Stranger,
    /// The client secret, as HMAC.
    Hmac,
}

impl Signer {
    pub(crate) fn algorithm(self) -> Algorithm {
        match self {
            Self::Ed25519 | Self::Stranger => Algorithm::EdDSA,
            Self::Rs256 => Algorithm::RS256,
            Self::Es256 => Algorithm::ES256,
            Self::Hmac => Algorithm::HS256,
        }
    }

    fn key(self) -> EncodingKey {
        match self {
            Self::Ed25519 => EncodingKey::from_ed_pem(include_bytes!("keys/ed25519.pem")).unwrap(),
            Self::Stranger => EncodingKey::from_ed_pem(include_bytes!("keys/stranger.pem")).unwrap(),
            Self::Rs256 => EncodingKey::from_rsa_pem(include_bytes!("keys/rs256.pem")).unwrap(),
            Self::Es256 => EncodingKey::from_ec_pem(include_bytes!("keys/es256.pem")).unwrap(),
            Self::Hmac => EncodingKey::from_secret(CLIENT_SECRET.as_bytes()),
        }
    }

    pub(crate) fn key_id(self) -> String {
        format!("{self:?}")
    }

    pub(crate) fn public(self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key(), self.algorithm()).unwrap();
        jwk.common.key_id = Some(self.key_id());
        serde_json::to_value(jwk).unwrap()
    }

    /// A token of any header and claims.
    pub(crate) fn sign(self, header: &Value, claims: &Value) -> String {
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &self.key(), self.algorithm()).unwrap();
        format!("{text}.{signature}")
    }
}

/// Somebody who has said yes.
#[derive(Clone)]
struct Consent {
    subject: String,
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

#[derive(Default)]
struct Shared {
    issuer: String,
    now_s: i64,
    lies: Lies,
    consents: HashMap<String, Consent>,
    hits: HashMap<&'static str, u32>,
    forms: Vec<HashMap<String, String>>,
    authorizations: Vec<Option<String>>,
}

#[derive(Clone)]
pub(crate) struct Provider(Arc<Mutex<Shared>>);

impl Provider {
    /// On a port of its own; its clock stands at `now_s`.
    pub(crate) async fn start(now_s: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self(Arc::new(Mutex::new(Shared { issuer, now_s, ..Shared::default() })));
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(Self::document))
            .route("/keys", get(Self::keys))
            .route("/token", post(Self::token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        provider
    }

    pub(crate) fn issuer(&self) -> String {
        self.0.lock().unwrap().issuer.clone()
    }

    pub(crate) fn lie(&self, lies: Lies) {
        self.0.lock().unwrap().lies = lies;
    }

    pub(crate) fn set_time(&self, now_s: i64) {
        self.0.lock().unwrap().now_s = now_s;
    }

    /// How often a path was asked.
    pub(crate) fn hits(&self, path: &str) -> u32 {
        self.0.lock().unwrap().hits.get(path).copied().unwrap_or_default()
    }

    /// The last form that was posted for tokens, and its `Authorization`.
    pub(crate) fn last_question(&self) -> (HashMap<String, String>, Option<String>) {
        let shared = self.0.lock().unwrap();
        (shared.forms.last().unwrap().clone(), shared.authorizations.last().unwrap().clone())
    }

    /// What a person does at the address that a browser was sent to: signs in as `subject` and says yes. The
    /// parameters that the browser brings back.
    pub(crate) fn consent(&self, authorize_url: &str, subject: &str) -> Vec<(String, String)> {
        let url = Url::parse(authorize_url).unwrap();
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT_ID);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').any(|it| it == "openid"));
        let code = format!("code-{}", uuid::Uuid::new_v4());
        let consent = Consent {
            subject: subject.to_owned(),
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
        };
        let mut shared = self.0.lock().unwrap();
        shared.consents.insert(code.clone(), consent);
        let answer = [("state", &asked["state"]), ("code", &code), ("iss", &shared.issuer)];
        answer.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }

    /// Counts, thinks as long as it is told, and gives what it is told to answer instead of the truth.
    async fn enter(&self, path: &'static str) -> Option<Response> {
        let (delay, answer) = {
            let mut shared = self.0.lock().unwrap();
            *shared.hits.entry(path).or_default() += 1;
            (shared.lies.delays.get(path).copied(), shared.lies.answers.get(path).cloned())
        };
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        let (status, body) = answer?;
        let mut response = Response::builder().status(status);
        if (300..400).contains(&status) {
            response = response.header(header::LOCATION, &body);
        }
        Some(response.body(Body::from(body)).unwrap())
    }

    fn json(&self, path: &str, body: &Value) -> Response {
        let mut response = Response::builder().header(header::CONTENT_TYPE, "application/json");
        if let Some(caching) = self.0.lock().unwrap().lies.caching.get(path) {
            response = response.header(header::CACHE_CONTROL, *caching);
        }
        response.body(Body::from(body.to_string())).unwrap()
    }

    async fn document(State(this): State<Self>) -> Response {
        if let Some(answer) = this.enter("/.well-known/openid-configuration").await {
            return answer;
        }
        let (issuer, lies) = {
            let shared = this.0.lock().unwrap();
            (shared.issuer.clone(), shared.lies.clone())
        };
        let truth = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        this.json("/.well-known/openid-configuration", &changed(truth, &lies.document))
    }

    async fn keys(State(this): State<Self>) -> Response {
        if let Some(answer) = this.enter("/keys").await {
            return answer;
        }
        let shown = this.0.lock().unwrap().lies.shown_keys.clone();
        let keys = shown.unwrap_or_else(|| {
            [Signer::Ed25519, Signer::Rs256, Signer::Es256].into_iter().map(Signer::public).collect()
        });
        this.json("/keys", &json!({"keys": keys}))
    }

    async fn token(State(this): State<Self>, headers: HeaderMap, body: Bytes) -> Response {
        let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
        let authorization = headers.get(header::AUTHORIZATION).map(|it| it.to_str().unwrap().to_owned());
        let (consent, issuer, now_s, lies) = {
            let mut shared = this.0.lock().unwrap();
            shared.forms.push(form.clone());
            shared.authorizations.push(authorization);
            let consent = form.get("code").and_then(|code| shared.consents.remove(code));
            (consent, shared.issuer.clone(), shared.now_s, shared.lies.clone())
        };
        if let Some(answer) = this.enter("/token").await {
            return answer;
        }
        let is_right = |consent: &Consent| {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
            challenge == consent.challenge && form["redirect_uri"] == consent.redirect_uri
        };
        let Some(consent) = consent.filter(is_right) else {
            return Response::builder().status(400).body(Body::from(r#"{"error":"invalid_grant"}"#)).unwrap();
        };
        let signer = lies.signer.unwrap_or(Signer::Ed25519);
        let algorithm = serde_json::to_value(signer.algorithm()).unwrap();
        // A stranger says it is the provider.
        let named = if signer == Signer::Stranger { Signer::Ed25519 } else { signer };
        let header = changed(json!({"alg": algorithm, "kid": named.key_id()}), &lies.header);
        let claims = json!({
            "iss": issuer, "sub": consent.subject, "aud": CLIENT_ID, "nonce": consent.nonce,
            "iat": now_s, "exp": now_s + 300, "email": "ann@example.org", "email_verified": true,
        });
        let token = lies.token.unwrap_or_else(|| signer.sign(&header, &changed(claims, &lies.claims)));
        this.json("/token", &json!({"access_token": "x", "token_type": "Bearer", "id_token": token}))
    }
}

/// `null` takes a member away.
pub(crate) fn changed(mut base: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().into_iter().flatten() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}
