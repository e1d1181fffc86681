//! A login with npm `oidc-provider`, which shares no code with us, through its own pages.
//!
//! Needs Node and the client's packages; `TERRANE_TEST_NODE_REQUIRED=1`, which `make test` sets, makes their absence
//! a failure.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use api::{Clock as _, SystemClock};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Url, redirect};
use store::testing::TestDatabase;

use crate::provider::Provider;
use crate::world::{Browser, ORIGIN, World, config, migrations};

/// Ends with this value: its standard input is closed.
struct RealProvider {
    process: Child,
    issuer: String,
}

impl RealProvider {
    /// None where there is no Node, or its packages are not there.
    fn start(algorithm: &str) -> Option<Self> {
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
        let is_there = web.join("node_modules/oidc-provider").is_dir();
        if !is_there {
            let is_required = std::env::var("TERRANE_TEST_NODE_REQUIRED").is_ok_and(|it| it == "1");
            assert!(!is_required, "the client's packages are not installed: run npm install in web/");
            return None;
        }
        let mut process = Command::new("node")
            .args(["scripts/oidc_provider.mjs", algorithm])
            .arg(format!("{ORIGIN}/api/v1/auth/providers/home/callback"))
            .current_dir(web)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let mut issuer = String::new();
        BufReader::new(process.stdout.as_mut().expect("piped")).read_line(&mut issuer).expect("text");
        Some(Self { process, issuer: issuer.trim().to_owned() })
    }
}

impl Drop for RealProvider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A person with a browser at the provider: keeps cookies, reads forms, sends them.
struct Person {
    client: Client,
    cookies: HashMap<String, String>,
}

impl Person {
    fn new() -> Self {
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
        Self { client, cookies: HashMap::new() }
    }

    /// Goes on until the provider sends the browser away to `ORIGIN`; with what.
    async fn sign_in(&mut self, authorize_url: &str, name: &str, says_yes: bool) -> Vec<(String, String)> {
        let mut url = Url::parse(authorize_url).unwrap();
        let mut form = None;
        for _ in 0..20 {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = match form.take() {
                Some(form) => self
                    .client
                    .post(url.clone())
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body::<String>(form),
                None => self.client.get(url.clone()),
            };
            let answer = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
            for cookie in answer.headers().get_all(SET_COOKIE) {
                let (name, value) =
                    cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                if value.is_empty() {
                    self.cookies.remove(name);
                } else {
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
            }
            if let Some(location) = answer.headers().get(LOCATION) {
                url = url.join(location.to_str().unwrap()).unwrap();
                if url.as_str().starts_with(ORIGIN) {
                    return url.query_pairs().into_owned().collect();
                }
                continue;
            }
            let page = answer.text().await.unwrap();
            let fields = match between(&page, "name=\"prompt\" value=\"", "\"") {
                Some("login") => vec![("prompt", "login"), ("login", name), ("password", "x")],
                Some("consent") if says_yes => vec![("prompt", "consent")],
                Some("consent") => {
                    let abort = format!("{url}/abort");
                    url = Url::parse(&abort).unwrap();
                    continue;
                }
                _ => panic!("the provider shows another page: {page}"),
            };
            let action = between(&page, "action=\"", "\"").unwrap();
            url = url.join(action).unwrap();
            form = Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish());
        }
        panic!("the provider sends its visitors in circles");
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// A planet on a real clock whose provider is the real one.
async fn world(database: &TestDatabase, real: &RealProvider) -> World {
    let now_s = SystemClock.now_us() / 1_000_000;
    let unused = Provider::start(now_s).await;
    let store = database.open(&migrations()).await;
    let world = World::of(store, unused, vec![config(&real.issuer)], ORIGIN).await;
    world.clock.advance_us(now_s * 1_000_000 - world.clock.now_us());
    world
}

#[tokio::test]
async fn a_real_provider_opens_an_account_and_the_same_one_the_next_time() {
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let Some(real) = RealProvider::start(algorithm) else { return };
        for database in TestDatabase::each() {
            let world = world(&database, &real).await;
            let mut accounts = Vec::new();
            for name in ["ann", "ann", "bob"] {
                let (mut browser, mut person) = (Browser::default(), Person::new());
                let started = world.start(&mut browser, None).await;
                let authorize_url = started.body["authorize_url"].as_str().unwrap().to_owned();
                let back = person.sign_in(&authorize_url, name, true).await;
                assert!(back.iter().any(|(name, value)| name == "iss" && *value == real.issuer));
                let fragment = world.come_back(&browser, &back).await;
                let code =
                    fragment.strip_prefix("oidc=").unwrap_or_else(|| panic!("{algorithm}: {fragment}"));
                let session = world.finish(&browser, None, code).await;
                assert_eq!(session.status, 200, "{}", session.body);
                accounts.push(session.body["account"]["account_id"].clone());
            }
            assert_eq!(accounts[0], accounts[1], "{algorithm}");
            assert_ne!(accounts[0], accounts[2], "{algorithm}");
            world.store.close().await;
        }
    }
}

#[tokio::test]
async fn a_real_provider_tells_of_a_no_and_refuses_a_stolen_code() {
    let Some(real) = RealProvider::start("RS256") else { return };
    let database = TestDatabase::sqlite();
    let world = world(&database, &real).await;
    let leave = async |says_yes| {
        let mut browser = Browser::default();
        let started = world.start(&mut browser, None).await;
        let authorize_url = started.body["authorize_url"].as_str().unwrap().to_owned();
        (browser, Person::new().sign_in(&authorize_url, "ann", says_yes).await)
    };
    let (browser, back) = leave(false).await;
    assert_eq!(world.come_back(&browser, &back).await, "oidc_error=oidc_denied");

    // A code that was stolen from one login and put into another: PKCE stands against it.
    let (_, stolen) = leave(true).await;
    let (browser, mut back) = leave(true).await;
    let code = |parameters: &[(String, String)]| {
        parameters.iter().find(|(name, _)| name == "code").unwrap().1.clone()
    };
    for (name, value) in &mut back {
        if name == "code" {
            *value = code(&stolen);
        }
    }
    assert_eq!(world.come_back(&browser, &back).await, "oidc_error=oidc_code_refused");
}
