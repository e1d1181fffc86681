//! A planet's routes over a store, and browsers that use them.

use std::sync::Arc;

use api::{ClientAddress, Clock as _, ManualClock, Verifier};
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use axum::{Extension, Router};
use identity::{AccessTokens, Identity, SigningKey, SiteOrigin};
use oidc::{ClientSecret, Oidc, ProviderConfig};
use privacy::Vault;
use serde_json::{Value, json};
use store::{Migration, Store};
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::provider::{CLIENT_ID, CLIENT_SECRET, Lies, Provider};

pub(crate) const NOW_S: i64 = 1_800_000_000;
pub(crate) const ORIGIN: &str = "http://127.0.0.1:7380";

pub(crate) fn migrations() -> Vec<Migration> {
    [identity::MIGRATIONS, privacy::MIGRATIONS, oidc::MIGRATIONS].concat()
}

/// How a provider is configured in tests.
pub(crate) fn config(issuer: &str) -> ProviderConfig {
    ProviderConfig {
        id: "home".to_owned(),
        name: "Home".to_owned(),
        issuer: issuer.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: Some(ClientSecret(CLIENT_SECRET.to_owned())),
        scopes: vec!["openid".to_owned()],
        allow_http: true,
    }
}

pub(crate) struct World {
    pub(crate) store: Store,
    vault: Vault,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) provider: Provider,
    router: Router,
}

/// An answer of the planet.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) cookies: Vec<String>,
    pub(crate) location: String,
    pub(crate) body: Value,
}

impl Answer {
    /// `ok`, or the code of what is wrong.
    pub(crate) fn outcome(&self) -> String {
        self.body["code"].as_str().unwrap_or("ok").to_owned()
    }
}

/// A browser: cookies, and nothing else.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookie: Option<String>,
}

impl World {
    pub(crate) async fn new(store: Store) -> Self {
        let provider = Provider::start(NOW_S).await;
        let configs = vec![config(&provider.issuer())];
        Self::of(store, provider, configs, ORIGIN).await
    }

    pub(crate) async fn of(
        store: Store,
        provider: Provider,
        configs: Vec<ProviderConfig>,
        origin: &str,
    ) -> Self {
        let vault = Vault::for_test(&store).await;
        Self::over(store, vault, provider, configs, origin)
    }

    /// Another process of the same planet, with other providers or at another address.
    pub(crate) fn beside(&self, provider: Provider, configs: Vec<ProviderConfig>, origin: &str) -> Self {
        Self::over(self.store.clone(), self.vault.clone(), provider, configs, origin)
    }

    fn over(
        store: Store,
        vault: Vault,
        provider: Provider,
        configs: Vec<ProviderConfig>,
        origin: &str,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(NOW_S * 1_000_000));
        let key = SigningKey::from_secret([9; 32]);
        let tokens = AccessTokens::new(Uuid::from_u128(1), &key);
        let identity = Arc::new(Identity::new(identity::Deps {
            other_ways_in: Arc::new(oidc::ways_in),
            ..identity::Deps::for_test(store.clone(), clock.clone(), tokens, vault.clone())
        }));
        let deps = oidc::Deps { store: store.clone(), clock: clock.clone(), identity: Arc::clone(&identity) };
        let oidc = Oidc::new(deps, configs).unwrap();
        let verifier: Verifier = identity.clone();
        let (routes, _) = oidc::routes(Arc::new(oidc)).merge(identity::routes(identity)).split_for_parts();
        let router = routes
            .layer(Extension(verifier))
            .layer(Extension(SiteOrigin(origin.to_owned())))
            .layer(Extension(ClientAddress([192, 0, 2, 1].into())));
        Self { store, vault, clock, provider, router }
    }

    /// Moves everybody's clock.
    pub(crate) fn pass_s(&self, seconds: i64) {
        self.clock.advance_us(seconds * 1_000_000);
        self.provider.set_time(self.clock.now_us() / 1_000_000);
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        browser: &Browser,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = &browser.cookie {
            request = request.header(header::COOKIE, cookie);
        }
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
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let text = |name| {
            let values = response.headers().get_all(name).iter();
            values.map(|it| it.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let (cookies, location) = (text(header::SET_COOKIE), text(header::LOCATION).concat());
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer { status, cookies, location, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    /// Begins a login; where the browser is sent to.
    pub(crate) async fn start(&self, browser: &mut Browser, token: Option<&str>) -> Answer {
        let purpose = if token.is_some() { "link" } else { "sign_in" };
        let body = Some(json!({"purpose": purpose}));
        let answer = self.send(Method::POST, "/api/v1/auth/providers/home/start", browser, token, body).await;
        if let Some(cookie) = answer.cookies.first() {
            browser.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        }
        answer
    }

    /// Comes back with these parameters; what stands behind the `#`.
    pub(crate) async fn come_back(&self, browser: &Browser, parameters: &[(String, String)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let path = format!("/api/v1/auth/providers/home/callback?{query}");
        let answer = self.send(Method::GET, &path, browser, None, None).await;
        assert_eq!(answer.status, 303);
        let (page, fragment) = answer.location.split_once('#').unwrap();
        assert_eq!(page, "/account");
        fragment.to_owned()
    }

    pub(crate) async fn finish(&self, browser: &Browser, token: Option<&str>, code: &str) -> Answer {
        let body = Some(json!({"code": code}));
        self.send(Method::POST, "/api/v1/auth/providers/finish", browser, token, body).await
    }

    /// Leaves and comes back as `subject`; what stands behind the `#`.
    pub(crate) async fn visit(&self, browser: &mut Browser, token: Option<&str>, subject: &str) -> String {
        let started = self.start(browser, token).await;
        assert_eq!(started.status, 200, "{}", started.body);
        let back = self.provider.consent(started.body["authorize_url"].as_str().unwrap(), subject);
        self.come_back(browser, &back).await
    }

    /// All of it: signs in, or links to the account of `token`.
    pub(crate) async fn log_in(&self, token: Option<&str>, subject: &str) -> Answer {
        let mut browser = Browser::default();
        let fragment = self.visit(&mut browser, token, subject).await;
        let code = fragment.strip_prefix("oidc=").unwrap_or_else(|| panic!("{fragment}"));
        self.finish(&browser, token, code).await
    }

    /// What a login comes to while the provider lies like this: `ok`, or the code of the fault.
    pub(crate) async fn outcome_of(&self, lies: Lies) -> String {
        // Nothing that was said before is believed any more, and nobody is thought to be away.
        self.pass_s(24 * 3600);
        self.provider.lie(lies);
        let mut browser = Browser::default();
        let started = self.start(&mut browser, None).await;
        if started.status != 200 {
            return started.outcome();
        }
        let back = self.provider.consent(started.body["authorize_url"].as_str().unwrap(), "ann");
        let fragment = self.come_back(&browser, &back).await;
        match fragment.split_once('=').unwrap() {
            ("oidc_error", code) => code.to_owned(),
            ("oidc", code) => self.finish(&browser, None, code).await.outcome(),
            _ => panic!("{fragment}"),
        }
    }
}
