//! Everything that can be wrong with a login, each by its code, and the planet that goes on beside it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::http::Method;
use oidc::ProviderConfig;
use serde_json::{Value, json};
use store::testing::{TestDatabase, for_each_engine};

use crate::provider::{CLIENT_ID, CLIENT_SECRET, Lies, Provider, Signer};
use crate::world::{Browser, NOW_S, World, config, migrations};

const DOCUMENT: &str = "/.well-known/openid-configuration";

fn claims(claims: Value) -> Lies {
    Lies { claims, ..Lies::default() }
}

fn header(header: Value) -> Lies {
    Lies { header, ..Lies::default() }
}

fn document(document: Value) -> Lies {
    Lies { document, ..Lies::default() }
}

fn answering(path: &'static str, status: u16, body: &str) -> Lies {
    Lies { answers: HashMap::from([(path, (status, body.to_owned()))]), ..Lies::default() }
}

fn signing(signer: Signer) -> Lies {
    Lies { signer: Some(signer), ..Lies::default() }
}

#[test]
fn a_login_with_one_thing_wrong_ends_with_the_code_of_that() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store).await;
        // The provider's own clock is set by `outcome_of`: a day later for each case.
        let mut day_s = NOW_S;
        let mut cases = cases();
        for (index, (make, expected)) in cases.drain(..).enumerate() {
            day_s += 24 * 3600;
            assert_eq!(world.outcome_of(make(day_s)).await, expected, "case {index}");
        }
        assert_eq!(world.outcome_of(Lies::default()).await, "ok", "after all of that");
    });
}

/// What is done to the parameters that a browser brings back.
type Change = Box<dyn Fn(Vec<(String, String)>) -> Vec<(String, String)>>;

type Case = (Box<dyn Fn(i64) -> Lies>, &'static str);

/// By the time at which each is tried.
fn cases() -> Vec<Case> {
    let huge = "a".repeat(100_000);
    let fixed: Vec<(Lies, &'static str)> = vec![
        (Lies::default(), "ok"),
        (signing(Signer::Rs256), "ok"),
        (signing(Signer::Es256), "ok"),
        // The claims.
        (claims(json!({"nonce": "another"})), "oidc_token_nonce_wrong"),
        (claims(json!({"nonce": null})), "oidc_token_nonce_wrong"),
        (claims(json!({"aud": "somebody else"})), "oidc_token_audience_wrong"),
        (claims(json!({"aud": []})), "oidc_token_audience_wrong"),
        (claims(json!({"aud": [CLIENT_ID, "other"]})), "oidc_token_audience_wrong"),
        (claims(json!({"aud": [CLIENT_ID, "other"], "azp": "other"})), "oidc_token_audience_wrong"),
        (claims(json!({"aud": [CLIENT_ID, "other"], "azp": CLIENT_ID})), "ok"),
        (claims(json!({"aud": CLIENT_ID, "azp": "other"})), "oidc_token_audience_wrong"),
        (claims(json!({"aud": null})), "oidc_token_malformed"),
        (claims(json!({"iss": "https://login.example"})), "oidc_token_issuer_wrong"),
        (claims(json!({"iss": null})), "oidc_token_malformed"),
        (claims(json!({"sub": null})), "oidc_token_malformed"),
        (claims(json!({"sub": ""})), "oidc_token_malformed"),
        (claims(json!({"sub": "a".repeat(256)})), "oidc_token_malformed"),
        (claims(json!({"sub": "a\u{0}b"})), "oidc_token_malformed"),
        (claims(json!({"sub": 7})), "oidc_token_malformed"),
        (claims(json!({"exp": null})), "oidc_token_malformed"),
        (claims(json!({"exp": "never"})), "oidc_token_malformed"),
        (claims(json!({"iat": null})), "oidc_token_malformed"),
        // The header and the signature.
        (header(json!({"alg": "none"})), "oidc_token_algorithm_refused"),
        (header(json!({"alg": "None"})), "oidc_token_algorithm_refused"),
        (header(json!({"alg": "RS512"})), "oidc_token_algorithm_refused"),
        (signing(Signer::Hmac), "oidc_token_algorithm_refused"),
        (header(json!({"alg": "RS256"})), "oidc_token_algorithm_refused"),
        (header(json!({"kid": "Rs256"})), "oidc_token_algorithm_refused"),
        (header(json!({"kid": "nobody"})), "oidc_token_key_unknown"),
        (header(json!({"kid": "../../etc/passwd"})), "oidc_token_key_unknown"),
        // Without a name there must be no choice.
        (header(json!({"kid": null})), "ok"),
        (
            Lies {
                shown_keys: Some(vec![Signer::Ed25519.public(), Signer::Stranger.public()]),
                ..header(json!({"kid": null}))
            },
            "oidc_token_key_unknown",
        ),
        (header(json!({"typ": "at+jwt"})), "oidc_token_malformed"),
        (header(json!({"crit": ["b64"]})), "oidc_token_malformed"),
        (signing(Signer::Stranger), "oidc_token_signature_wrong"),
        (with_own_key(), "oidc_token_signature_wrong"),
        (token(""), "oidc_token_malformed"),
        (token("a.b.c"), "oidc_token_malformed"),
        (token(&huge[..30_000]), "oidc_token_malformed"),
        // Keys that are there and are not for this.
        (showing(vec![]), "oidc_token_key_unknown"),
        (showing(vec![with(Signer::Ed25519.public(), "use", "enc")]), "oidc_token_key_unknown"),
        (showing(vec![with(Signer::Ed25519.public(), "alg", "RS256")]), "oidc_token_key_unknown"),
        (showing(vec![json!({"kty": "oct", "kid": "Ed25519", "k": "AAAA"})]), "oidc_token_key_unknown"),
        (showing(vec![json!(7), json!({"kty": "new"}), Signer::Ed25519.public()]), "ok"),
        // The exchange.
        (answering("/token", 400, r#"{"error":"invalid_grant"}"#), "oidc_code_refused"),
        (answering("/token", 401, "<html>"), "oidc_code_refused"),
        (answering("/token", 500, ""), "oidc_provider_unavailable"),
        (answering("/token", 302, "http://127.0.0.1:1/"), "oidc_provider_unavailable"),
        (answering("/token", 200, "{}"), "oidc_token_malformed"),
        (answering("/token", 200, "<html>"), "oidc_token_malformed"),
        (answering("/token", 200, &huge), "oidc_provider_unavailable"),
        (answering("/keys", 500, ""), "oidc_provider_unavailable"),
        (answering("/keys", 200, "<html>"), "oidc_discovery_unusable"),
        (answering("/keys", 200, &huge), "oidc_provider_unavailable"),
        // What the provider says of itself.
        (answering(DOCUMENT, 404, ""), "oidc_provider_unavailable"),
        (answering(DOCUMENT, 302, "http://127.0.0.1:1/"), "oidc_provider_unavailable"),
        (answering(DOCUMENT, 200, "<html>"), "oidc_discovery_unusable"),
        (answering(DOCUMENT, 200, &huge), "oidc_provider_unavailable"),
        (document(json!({"issuer": "https://login.example"})), "oidc_discovery_issuer_wrong"),
        (document(json!({"issuer": null})), "oidc_discovery_unusable"),
        (document(json!({"token_endpoint": null})), "oidc_discovery_unusable"),
        (document(json!({"token_endpoint": "http://169.254.169.254/latest"})), "oidc_discovery_unusable"),
        (document(json!({"token_endpoint": "https://169.254.169.254/latest"})), "oidc_discovery_unusable"),
        (document(json!({"jwks_uri": "file:///etc/passwd"})), "oidc_discovery_unusable"),
        (document(json!({"authorization_endpoint": "javascript:alert(1)"})), "oidc_discovery_unusable"),
        (document(json!({"response_types_supported": ["token"]})), "oidc_discovery_unusable"),
        (document(json!({"code_challenge_methods_supported": ["plain"]})), "oidc_discovery_unusable"),
        (document(json!({"id_token_signing_alg_values_supported": ["HS256"]})), "oidc_discovery_unusable"),
    ];
    let at = |offset_s: i64, name: &'static str, expected: &'static str| -> Case {
        (Box::new(move |now_s| claims(json!({name: now_s + offset_s}))), expected)
    };
    let timed = [
        at(-59, "exp", "ok"),
        at(-60, "exp", "oidc_token_expired"),
        at(-3600, "exp", "oidc_token_expired"),
        at(60, "iat", "ok"),
        at(61, "iat", "oidc_token_early"),
        at(61, "nbf", "oidc_token_early"),
    ];
    let fixed =
        fixed.into_iter().map(|(lies, expected)| -> Case { (Box::new(move |_| lies.clone()), expected) });
    fixed.chain(timed).collect()
}

fn token(text: &str) -> Lies {
    Lies { token: Some(text.to_owned()), ..Lies::default() }
}

fn showing(keys: Vec<Value>) -> Lies {
    Lies { shown_keys: Some(keys), ..Lies::default() }
}

fn with(mut key: Value, name: &str, value: &str) -> Value {
    key[name] = json!(value);
    key
}

/// A stranger who brings their key along in the token.
fn with_own_key() -> Lies {
    let own = json!({"jwk": Signer::Stranger.public(), "jku": "http://127.0.0.1:1/keys"});
    Lies { signer: Some(Signer::Stranger), ..header(own) }
}

#[test]
fn what_a_browser_brings_back_is_believed_only_as_it_was_sent() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store).await;
        let change = |name: &'static str, value: Option<String>| {
            move |mut back: Vec<(String, String)>| {
                back.retain(|(it, _)| it != name);
                back.extend(value.clone().map(|value| (name.to_owned(), value)));
                back
            }
        };
        let some = |text: &str| Some(text.to_owned());
        let cases: Vec<(Change, &str)> = vec![
            (Box::new(change("state", None)), "oidc_state_unknown"),
            (Box::new(change("state", some("x"))), "oidc_state_unknown"),
            (Box::new(change("state", Some("A".repeat(43)))), "oidc_state_unknown"),
            (Box::new(change("code", None)), "oidc_answer_malformed"),
            (Box::new(change("code", some(""))), "oidc_answer_malformed"),
            (Box::new(change("code", Some("a".repeat(3000)))), "oidc_answer_malformed"),
            (Box::new(change("code", some("of nobody"))), "oidc_code_refused"),
            (Box::new(change("iss", some("https://login.example"))), "oidc_answer_issuer_wrong"),
            (Box::new(change("iss", None)), "oidc_answer_issuer_wrong"),
            (Box::new(change("error", some("access_denied"))), "oidc_denied"),
            (Box::new(change("error", some("server_error"))), "oidc_provider_error"),
            (Box::new(change("error", some("<script>\r\nSet-Cookie: a=b"))), "oidc_provider_error"),
            (
                Box::new(|mut back| {
                    back.push(("state".to_owned(), "twice".to_owned()));
                    back
                }),
                "oidc_answer_malformed",
            ),
        ];
        for (index, (change, expected)) in cases.into_iter().enumerate() {
            let mut browser = Browser::default();
            let started = world.start(&mut browser, None).await;
            let back = world.provider.consent(started.body["authorize_url"].as_str().unwrap(), "ann");
            let fragment = world.come_back(&browser, &change(back)).await;
            assert_eq!(fragment, format!("oidc_error={expected}"), "case {index}");
        }
    });
}

#[test]
fn a_state_is_good_once_in_its_browser_and_for_ten_minutes() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store).await;
        let begin = async || {
            let mut browser = Browser::default();
            let started = world.start(&mut browser, None).await;
            (browser, world.provider.consent(started.body["authorize_url"].as_str().unwrap(), "ann"))
        };

        let (browser, back) = begin().await;
        assert!(world.come_back(&browser, &back).await.starts_with("oidc="));
        assert_eq!(world.come_back(&browser, &back).await, "oidc_error=oidc_state_unknown", "twice");

        let (browser, back) = begin().await;
        let (stranger, _) = begin().await;
        for other in [Browser::default(), stranger] {
            let (_, back) = begin().await;
            assert_eq!(world.come_back(&other, &back).await, "oidc_error=oidc_other_browser");
        }
        assert!(world.come_back(&browser, &back).await.starts_with("oidc="));

        let (browser, back) = begin().await;
        assert_eq!(world.come_back(&Browser::default(), &back).await, "oidc_error=oidc_other_browser");
        let again = world.come_back(&browser, &back).await;
        assert_eq!(again, "oidc_error=oidc_state_unknown", "what was seen elsewhere is over");

        let (browser, back) = begin().await;
        world.pass_s(10 * 60);
        assert_eq!(world.come_back(&browser, &back).await, "oidc_error=oidc_state_unknown");
    });
}

#[test]
fn a_one_time_code_is_good_once_in_its_browser_and_for_two_minutes() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store).await;
        let begin = async || {
            let mut browser = Browser::default();
            let fragment = world.visit(&mut browser, None, "ann").await;
            (browser, fragment.strip_prefix("oidc=").unwrap().to_owned())
        };
        let (browser, code) = begin().await;
        assert_eq!(world.finish(&browser, None, &code).await.outcome(), "ok");
        assert_eq!(world.finish(&browser, None, &code).await.outcome(), "oidc_code_invalid");

        let (_, code) = begin().await;
        assert_eq!(world.finish(&browser, None, &code).await.outcome(), "oidc_other_browser");

        let (browser, code) = begin().await;
        world.pass_s(2 * 60);
        assert_eq!(world.finish(&browser, None, &code).await.outcome(), "oidc_code_invalid");
        for code in ["", "x", &"A".repeat(43), &"A".repeat(5000)] {
            assert_eq!(world.finish(&browser, None, code).await.outcome(), "oidc_code_invalid");
        }
    });
}

#[tokio::test]
async fn a_slow_provider_is_left_after_five_seconds_and_holds_up_nobody_else() {
    let database = TestDatabase::sqlite();
    let world = World::new(database.open(&migrations()).await).await;
    let slow = |path| Lies { delays: HashMap::from([(path, Duration::from_mins(1))]), ..Lies::default() };

    world.provider.lie(slow(DOCUMENT));
    let (mut browser, begun) = (Browser::default(), Instant::now());
    let others = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let begun = Instant::now();
        for _ in 0..20 {
            let answer =
                world.send(Method::GET, "/.well-known/jwks.json", &Browser::default(), None, None).await;
            assert_eq!(answer.status, 200);
        }
        begun.elapsed()
    };
    let (started, others_took) = tokio::join!(world.start(&mut browser, None), others);
    assert_eq!((started.status, started.outcome().as_str()), (503, "oidc_provider_unavailable"));
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
    assert!(others_took < Duration::from_secs(2), "{others_took:?}");

    // For a moment nobody waits for it at all.
    let begun = Instant::now();
    assert_eq!(world.start(&mut browser, None).await.status, 503);
    assert!(begun.elapsed() < Duration::from_secs(1));

    world.pass_s(6);
    world.provider.lie(slow("/token"));
    let fragment = world.visit(&mut browser, None, "ann").await;
    assert_eq!(fragment, "oidc_error=oidc_provider_unavailable");
    world.provider.lie(Lies::default());
    assert!(world.visit(&mut browser, None, "ann").await.starts_with("oidc="));
}

#[tokio::test]
async fn a_provider_that_is_gone_is_503_and_the_others_still_work() {
    let database = TestDatabase::sqlite();
    let provider = Provider::start(NOW_S).await;
    let gone = ProviderConfig { id: "gone".to_owned(), ..config("http://127.0.0.1:1") };
    let configs = vec![gone, config(&provider.issuer())];
    let store = database.open(&migrations()).await;
    let world = World::of(store, provider, configs, crate::world::ORIGIN).await;
    let body = Some(json!({"purpose": "sign_in"}));
    let browser = Browser::default();
    let answer =
        world.send(Method::POST, "/api/v1/auth/providers/gone/start", &browser, None, body.clone()).await;
    assert_eq!((answer.status, answer.outcome().as_str()), (503, "oidc_provider_unavailable"));
    let answer = world.send(Method::POST, "/api/v1/auth/providers/nobody/start", &browser, None, body).await;
    assert_eq!((answer.status, answer.outcome().as_str()), (404, "no_such_provider"));
    assert_eq!(world.log_in(None, "ann").await.outcome(), "ok");
}

#[tokio::test]
async fn documents_are_kept_as_their_headers_say_and_an_unknown_key_makes_us_look_once() {
    let database = TestDatabase::sqlite();
    let world = World::new(database.open(&migrations()).await).await;
    let caching = HashMap::from([(DOCUMENT, "max-age=3600"), ("/keys", "max-age=3600")]);
    let lies = Lies { caching, ..Lies::default() };
    world.provider.lie(lies.clone());
    for _ in 0..3 {
        assert_eq!(world.log_in(None, "ann").await.outcome(), "ok");
    }
    world.pass_s(3500);
    assert_eq!(world.log_in(None, "ann").await.outcome(), "ok");
    assert_eq!((world.provider.hits(DOCUMENT), world.provider.hits("/keys")), (1, 1));

    // The provider has a new key: found by looking again.
    let without = Lies { shown_keys: Some(vec![Signer::Rs256.public()]), ..lies.clone() };
    world.pass_s(200);
    world.provider.lie(Lies { signer: Some(Signer::Rs256), ..without.clone() });
    assert_eq!(world.log_in(None, "ann").await.outcome(), "ok");
    assert_eq!((world.provider.hits(DOCUMENT), world.provider.hits("/keys")), (2, 2));
    world.provider.lie(Lies { signer: Some(Signer::Es256), ..lies.clone() });
    assert_eq!(world.log_in(None, "ann").await.outcome(), "ok");
    assert_eq!(world.provider.hits("/keys"), 3);

    // Made-up keys: looked for once in half a minute.
    world.pass_s(31);
    world.provider.lie(Lies { header: json!({"kid": "made up"}), ..lies.clone() });
    for _ in 0..5 {
        let fragment = world.visit(&mut Browser::default(), None, "ann").await;
        assert_eq!(fragment, "oidc_error=oidc_token_key_unknown");
    }
    assert_eq!(world.provider.hits("/keys"), 4);
}

#[tokio::test]
async fn the_secret_goes_in_the_way_that_the_provider_offers() {
    let database = TestDatabase::sqlite();
    let world = World::new(database.open(&migrations()).await).await;
    assert_eq!(world.log_in(None, "ann").await.outcome(), "ok");
    let (form, authorization) = world.provider.last_question();
    assert!(authorization.unwrap().starts_with("Basic ") && !form.contains_key("client_secret"));

    let post = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]});
    assert_eq!(world.outcome_of(document(post)).await, "ok");
    let (form, authorization) = world.provider.last_question();
    assert_eq!((form["client_secret"].as_str(), authorization), (CLIENT_SECRET, None));

    let none = json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]});
    assert_eq!(world.outcome_of(document(none)).await, "oidc_discovery_unusable");
}
