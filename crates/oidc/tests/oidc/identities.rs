//! Whom a provider's word opens, and how that is ended.

use axum::http::Method;
use serde_json::{Value, json};
use store::testing::{TestDatabase, for_each_engine, prepare_all};
use uuid::Uuid;

use crate::provider::{Lies, Provider};
use crate::world::{Answer, Browser, NOW_S, World, config, migrations};

fn token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["access_token"].as_str().unwrap().to_owned()
}

fn account(answer: &Answer) -> Uuid {
    serde_json::from_value(answer.body["account"]["account_id"].clone()).unwrap()
}

async fn identities(world: &World, token: &str) -> Vec<Value> {
    let answer =
        world.send(Method::GET, "/api/v1/users/me/identities", &Browser::default(), Some(token), None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["items"].as_array().unwrap().clone()
}

async fn unlink(world: &World, token: &str, identity: &Value) -> String {
    let path = format!("/api/v1/users/me/identities/{}", identity["identity_id"].as_str().unwrap());
    world.send(Method::DELETE, &path, &Browser::default(), Some(token), None).await.outcome()
}

#[test]
fn every_statement_is_understood_by_both_engines() {
    for_each_engine(&migrations(), |store| async move { prepare_all(&store, oidc::STATEMENTS).await });
}

#[test]
fn a_person_is_issuer_and_subject_and_never_an_email() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store).await;
        let ann = world.log_in(None, "ann").await;
        assert_eq!(ann.body["account"]["is_new"], true);
        let again = world.log_in(None, "ann").await;
        assert_eq!((account(&again), &again.body["account"]["is_new"]), (account(&ann), &json!(false)));
        // The provider says of both that they are ann@example.org.
        let bob = world.log_in(None, "bob").await;
        assert_ne!(account(&bob), account(&ann));
        // Case matters, and so does every space.
        for other in ["Ann", "ann "] {
            assert_ne!(account(&world.log_in(None, other).await), account(&ann), "{other:?}");
        }
        // The refresh token is that of a session like any other.
        let body = json!({"refresh_token": ann.body["refresh_token"]});
        let refreshed =
            world.send(Method::POST, "/api/v1/auth/refresh", &Browser::default(), None, Some(body)).await;
        assert_eq!(account(&refreshed), account(&ann));
    });
}

#[test]
fn a_subject_of_another_issuer_is_another_person() {
    for_each_engine(&migrations(), |store| async move {
        let first = World::new(store).await;
        let ann = account(&first.log_in(None, "ann").await);
        let provider = Provider::start(NOW_S).await;
        let configs = vec![config(&provider.issuer())];
        let second = first.beside(provider, configs, crate::world::ORIGIN);
        assert_ne!(account(&second.log_in(None, "ann").await), ann);
    });
}

#[test]
fn an_identity_is_linked_by_a_fresh_login_and_opens_the_account_from_then_on() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store).await;
        let ann = world.log_in(None, "ann").await;
        let mine = token(&ann);
        assert_eq!(world.log_in(Some(&mine), "ann at work").await.status, 204);
        assert_eq!(account(&world.log_in(None, "ann at work").await), account(&ann));
        assert_eq!(world.log_in(Some(&mine), "ann at work").await.status, 204, "twice is once");
        assert_eq!(identities(&world, &mine).await.len(), 2);
        assert_eq!(identities(&world, &mine).await[0]["provider_id"], "home");

        // Whose identity opens another account keeps it.
        let bob = token(&world.log_in(None, "bob").await);
        let taken = world.log_in(Some(&bob), "ann").await;
        assert_eq!((taken.status, taken.outcome().as_str()), (409, "identity_taken"));

        // Nobody links what another account began, and nobody without a session.
        let mut browser = Browser::default();
        for (caller, expected) in
            [(Some(bob.as_str()), "oidc_link_of_another_account"), (None, "oidc_link_of_another_account")]
        {
            let fragment = world.visit(&mut browser, Some(&mine), "ann at sea").await;
            let code = fragment.strip_prefix("oidc=").unwrap();
            assert_eq!(world.finish(&browser, caller, code).await.outcome(), expected);
        }
        let body = Some(json!({"purpose": "link"}));
        let path = "/api/v1/auth/providers/home/start";
        let answer = world.send(Method::POST, path, &browser, None, body).await;
        assert_eq!((answer.status, answer.outcome().as_str()), (401, "token_missing"));
    });
}

#[test]
fn an_old_session_neither_links_nor_unlinks() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store).await;
        let ann = world.log_in(None, "ann").await;
        world.pass_s(15 * 60 + 1);
        let body = json!({"refresh_token": ann.body["refresh_token"]});
        let refreshed =
            world.send(Method::POST, "/api/v1/auth/refresh", &Browser::default(), None, Some(body)).await;
        let mine = token(&refreshed);
        let started = world.start(&mut Browser::default(), Some(&mine)).await;
        assert_eq!((started.status, started.outcome().as_str()), (403, "fresh_login_required"));
        let identity = identities(&world, &mine).await.remove(0);
        assert_eq!(unlink(&world, &mine, &identity).await, "fresh_login_required");
    });
}

#[test]
fn the_last_way_in_stays() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store).await;
        let mine = token(&world.log_in(None, "ann").await);
        let first = identities(&world, &mine).await.remove(0);
        assert_eq!(unlink(&world, &mine, &first).await, "last_way_in");
        assert_eq!(world.log_in(Some(&mine), "ann at work").await.status, 204);
        let bob = token(&world.log_in(None, "bob").await);
        assert_eq!(unlink(&world, &bob, &first).await, "no_such_identity", "of somebody else");
        assert_eq!(unlink(&world, &mine, &first).await, "ok");
        assert_eq!(unlink(&world, &mine, &first).await, "no_such_identity", "twice");
        let second = identities(&world, &mine).await.remove(0);
        assert_eq!(unlink(&world, &mine, &second).await, "last_way_in");
        // Whoever is unlinked is a stranger again.
        assert_eq!(world.log_in(None, "ann").await.body["account"]["is_new"], true);
    });
}

#[test]
fn of_two_unlinkings_at_once_one_way_in_is_left() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store).await;
        let mine = token(&world.log_in(None, "ann").await);
        assert_eq!(world.log_in(Some(&mine), "ann at work").await.status, 204);
        let both = identities(&world, &mine).await;
        let (one, other) = tokio::join!(unlink(&world, &mine, &both[0]), unlink(&world, &mine, &both[1]));
        assert!(
            [one.as_str(), other.as_str()].contains(&"ok")
                && [one, other].contains(&"last_way_in".to_owned())
        );
        assert_eq!(identities(&world, &mine).await.len(), 1);
    });
}

#[test]
fn of_two_first_logins_at_once_comes_one_account() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store).await;
        let (one, other) = tokio::join!(world.log_in(None, "ann"), world.log_in(None, "ann"));
        assert_eq!(account(&one), account(&other));
    });
}

#[test]
fn erasure_leaves_nothing_that_names_the_person() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::new(store).await;
        let ann = account(&world.log_in(None, "canary-subject").await);
        let bob = world.log_in(None, "bob").await;
        // An arrival that nobody finished, and a link that nobody came back from.
        let mut browser = Browser::default();
        world.visit(&mut browser, None, "canary-subject").await;
        world.store.serializable(move |tx| oidc::erase(tx, ann, NOW_S * 1_000_000)).await.unwrap();
        for table in ["select count(*) from oidc_identities", "select count(*) from oidc_arrivals"] {
            let left: i64 =
                world.store.read(move |tx| tx.query_one(table, store::params![])?.get(0)).await.unwrap();
            assert_eq!(left, i64::from(table.ends_with("identities")), "{table}: only bob's");
        }
        assert_eq!(identities(&world, &token(&bob)).await.len(), 1);
    });
}

#[tokio::test]
async fn the_cookie_of_a_secure_page_is_of_its_host_alone_and_no_plain_page_from_outside_begins() {
    let database = TestDatabase::sqlite();
    let store = database.open(&migrations()).await;
    let provider = Provider::start(NOW_S).await;
    provider.lie(Lies::default());
    let configs = || vec![config(&provider.issuer())];
    let secure = World::of(store, provider.clone(), configs(), "https://planet.example").await;
    let mut browser = Browser::default();
    let started = secure.start(&mut browser, None).await;
    let cookie = &started.cookies[0];
    assert!(cookie.starts_with("__Host-terrane-oidc=") && cookie.ends_with("; Secure"), "{cookie}");
    let back = provider.consent(started.body["authorize_url"].as_str().unwrap(), "ann");
    // The same secret under the name that plain pages use was planted by somebody.
    let planted =
        Browser { cookie: browser.cookie.as_ref().map(|it| it.replace("__Host-terrane", "terrane")) };
    assert_eq!(secure.come_back(&planted, &back).await, "oidc_error=oidc_other_browser");
    assert_eq!(secure.log_in(None, "ann").await.status, 200);

    let plain = secure.beside(provider.clone(), configs(), "http://planet.example");
    let refused = plain.start(&mut Browser::default(), None).await;
    assert_eq!((refused.status, refused.outcome().as_str()), (403, "https_required"));
    assert!(refused.cookies.is_empty());
}
