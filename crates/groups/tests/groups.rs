//! Groups from outside: through their routes, on both engines.

#![allow(clippy::unwrap_used, reason = "everything here is a test: a panic is how it fails")]
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use api::{Caller, ManualClock, TokenFault, TokenVerifier, Verification, Verifier};
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use axum::{Extension, Router};
use groups::{Deps, GROUPS_PER_ACCOUNT_MAX, Groups, MEMBERS_PER_GROUP_MAX, Property};
use serde_json::{Value, json};
use store::testing::{for_each_engine, prepare_all};
use store::{Migration, Store};
use tower::ServiceExt;
use uuid::Uuid;

const NOW_US: i64 = 1_763_715_600_000_000;
/// Accounts with higher numbers do not exist.
const ACCOUNTS: u128 = 500;

fn migrations() -> Vec<Migration> {
    [audit::MIGRATIONS, groups::MIGRATIONS, events::MIGRATIONS, api::MIGRATIONS].concat()
}

/// People are numbers: their token, and their account's id.
fn account(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

struct Numbers;

impl TokenVerifier for Numbers {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move {
            let number = token.parse().map_err(|_| TokenFault::Invalid)?;
            Ok(Caller::player(account(number)))
        })
    }
}

#[derive(Clone)]
struct World {
    store: Store,
    router: Router,
    property: Arc<Mutex<Option<Property>>>,
    wallets: Arc<Mutex<HashSet<Uuid>>>,
}

impl World {
    fn new(store: Store) -> Self {
        let property: Arc<Mutex<Option<Property>>> = Arc::default();
        let wallets: Arc<Mutex<HashSet<Uuid>>> = Arc::default();
        let (owned, opened) = (Arc::clone(&property), Arc::clone(&wallets));
        let groups = Groups::new(Deps {
            store: store.clone(),
            display_name: Arc::new(|_, id| {
                Ok((id.as_u128() <= ACCOUNTS).then(|| format!("player {}", id.as_u128())))
            }),
            new_group: Arc::new(move |_, id, _| {
                opened.lock().unwrap().insert(id);
                Ok(())
            }),
            property_of: Arc::new(move |_, _| Ok(*owned.lock().unwrap())),
            clock: Arc::new(ManualClock::at(NOW_US)),
        });
        let verifier: Verifier = Arc::new(Numbers);
        let (routes, _) = groups::routes(Arc::new(groups)).split_for_parts();
        Self { store, router: routes.layer(Extension(verifier)), property, wallets }
    }

    /// Status and body.
    async fn send(&self, number: u128, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let key = Uuid::new_v4().to_string();
        self.send_with_key(number, method, path, body, &key).await
    }

    async fn send_with_key(
        &self,
        number: u128,
        method: Method,
        path: &str,
        body: Option<Value>,
        key: &str,
    ) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/groups{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {number}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key);
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn create(&self, number: u128) -> Uuid {
        let (status, body) = self.send(number, Method::POST, "", Some(json!({"name": "Guild"}))).await;
        assert_eq!(status, 201, "{body}");
        serde_json::from_value(body["group_id"].clone()).unwrap()
    }

    /// `ok`, or the code of the refusal.
    async fn put(&self, number: u128, group: Uuid, member: u128, role: &str) -> String {
        let path = format!("/{group}/members/{}", account(member));
        outcome(&self.send(number, Method::PUT, &path, Some(json!({"role": role}))).await)
    }

    async fn remove(&self, number: u128, group: Uuid, member: u128) -> String {
        let path = format!("/{group}/members/{}", account(member));
        outcome(&self.send(number, Method::DELETE, &path, None).await)
    }

    async fn dissolve(&self, number: u128, group: Uuid) -> String {
        outcome(&self.send(number, Method::DELETE, &format!("/{group}"), None).await)
    }

    /// Invited and joined.
    async fn join(&self, owner: u128, group: Uuid, member: u128, role: &str) {
        assert_eq!(self.put(owner, group, member, role).await, "ok");
        assert_eq!(self.put(member, group, member, role).await, "ok");
    }

    async fn may_act(&self, owner_id: Uuid, number: u128) -> bool {
        self.store.read(move |tx| groups::may_act(tx, owner_id, account(number))).await.unwrap()
    }

    async fn kinds_of_events(&self) -> Vec<String> {
        let rows = self.store.read(|tx| tx.query("select kind from events order by kind", store::params![]));
        rows.await.unwrap().iter().map(|row| row.get(0).unwrap()).collect()
    }
}

fn outcome((status, body): &(u16, Value)) -> String {
    if (200..300).contains(status) {
        return "ok".to_owned();
    }
    body["code"].as_str().unwrap_or("no code").to_owned()
}

fn on_each(test: impl AsyncFn(World)) {
    for_each_engine(&migrations(), async |store| test(World::new(store)).await);
}

#[test]
fn every_statement_is_understood() {
    for_each_engine(&migrations(), async |store| prepare_all(&store, groups::STATEMENTS).await);
}

#[test]
fn who_has_joined_and_acts_binds_the_group_and_nobody_else_does() {
    on_each(async |world| {
        let group = world.create(1).await;
        assert!(world.wallets.lock().unwrap().contains(&group), "its wallet was opened");
        world.join(1, group, 2, "officer").await;
        world.join(2, group, 3, "member").await;
        assert_eq!(world.put(1, group, 4, "owner").await, "ok");
        let acting: Vec<_> = {
            let mut acting = vec![];
            for number in 1..=5 {
                acting.push(world.may_act(group, number).await);
            }
            acting
        };
        assert_eq!(acting, [true, true, false, false, false], "an invitation gives no right");
        assert!(world.may_act(account(5), 5).await && !world.may_act(account(5), 1).await);
        let memberships = world.store.read(|tx| groups::memberships(tx, account(3))).await.unwrap();
        assert_eq!(memberships, [groups::Membership { group_id: group, may_act: false }]);
        let name = world.store.read(move |tx| groups::display_name(tx, group)).await.unwrap();
        assert_eq!(name.as_deref(), Some("Guild"));
        let kinds = world.kinds_of_events().await;
        assert_eq!(
            kinds,
            [
                "group.invited",
                "group.invited",
                "group.invited",
                "group.joined",
                "group.joined",
                "group.joined"
            ]
        );
    });
}

#[test]
fn members_are_told_to_members_and_the_name_to_everybody() {
    on_each(async |world| {
        let group = world.create(1).await;
        assert_eq!(world.put(1, group, 2, "member").await, "ok");
        let path = format!("/{group}");
        let (_, seen) = world.send(1, Method::GET, &path, None).await;
        assert_eq!((&seen["member_count"], &seen["role"]), (&json!(1), &json!("owner")));
        let members = seen["members"].as_array().unwrap();
        assert_eq!(members.len(), 2);
        assert_eq!(members[1]["display_name"], "player 2");
        assert_eq!((&members[1]["is_invited"], &members[1]["role"]), (&json!(true), &json!("member")));
        // Neither one who was invited nor a stranger is told who is in it.
        let (_, seen) = world.send(2, Method::GET, &path, None).await;
        assert_eq!((&seen["is_invited"], &seen["members"]), (&json!(true), &Value::Null));
        let (_, seen) = world.send(9, Method::GET, &path, None).await;
        assert_eq!(
            (&seen["name"], &seen["role"], &seen["members"]),
            (&json!("Guild"), &Value::Null, &Value::Null)
        );
        let (_, mine) = world.send(2, Method::GET, "/mine", None).await;
        assert_eq!(mine["items"][0]["is_invited"], true);
        let (status, body) = world.send(1, Method::GET, &format!("/{}", account(7)), None).await;
        assert_eq!((status, &body["code"]), (404, &json!("no_such_group")));
        assert_eq!(world.send(1, Method::GET, "/x", None).await.0, 400);
    });
}

#[test]
fn a_group_is_handed_over_and_its_last_owner_stays() {
    on_each(async |world| {
        let group = world.create(1).await;
        assert_eq!(world.remove(1, group, 1).await, "last_owner");
        world.join(1, group, 2, "member").await;
        assert_eq!(world.remove(1, group, 1).await, "last_owner");
        assert_eq!(world.put(2, group, 2, "owner").await, "not_allowed");
        assert_eq!(world.put(1, group, 2, "owner").await, "ok");
        assert_eq!(world.remove(2, group, 1).await, "not_allowed", "owners do not decide about each other");
        assert_eq!(world.remove(1, group, 1).await, "ok");
        assert_eq!(world.remove(1, group, 1).await, "ok", "gone is gone");
        assert_eq!(world.remove(2, group, 2).await, "last_owner");
        assert_eq!(world.put(1, group, 1, "owner").await, "not_in_group");
    });
}

#[test]
fn of_two_owners_who_leave_at_once_one_stays() {
    on_each(async |world| {
        for _ in 0..5 {
            let group = world.create(1).await;
            world.join(1, group, 2, "owner").await;
            let leaving = [1, 2].map(|number| {
                let world = world.clone();
                tokio::spawn(async move { world.remove(number, group, number).await })
            });
            let mut outcomes = vec![];
            for one in leaving {
                outcomes.push(one.await.unwrap());
            }
            outcomes.sort();
            assert_eq!(outcomes, ["last_owner", "ok"]);
        }
    });
}

#[test]
fn limits_hold_for_accounts_and_groups() {
    on_each(async |world| {
        for _ in 0..GROUPS_PER_ACCOUNT_MAX {
            world.create(1).await;
        }
        let made = world.send(1, Method::POST, "", Some(json!({"name": "One more"}))).await;
        assert_eq!((made.0, outcome(&made)), (409, "too_many_groups".to_owned()));
        let group = world.create(2).await;
        assert_eq!(world.put(2, group, 1, "member").await, "ok", "one may be asked");
        assert_eq!(world.put(1, group, 1, "member").await, "too_many_groups", "and must say no");
        assert_eq!(world.remove(1, group, 1).await, "ok");
        for number in 3..3 + u128::from(MEMBERS_PER_GROUP_MAX) - 1 {
            assert_eq!(world.put(2, group, number, "member").await, "ok");
        }
        assert_eq!(world.put(2, group, 400, "member").await, "group_full");
        assert_eq!(world.put(2, group, ACCOUNTS + 1, "member").await, "no_such_account");
        // Nobody's list of invitations can be flooded.
        let mut outcomes = vec![];
        for number in 100..140 {
            let group = world.create(number).await;
            outcomes.push(world.put(number, group, 300, "member").await);
        }
        assert_eq!(outcomes.iter().filter(|it| *it == "ok").count(), 32);
        assert_eq!(outcomes.last().unwrap(), "too_many_invitations");
    });
}

#[test]
fn a_group_that_owns_something_is_not_dissolved_and_one_that_is_can_still_be_answered_for() {
    on_each(async |world| {
        let group = world.create(1).await;
        world.join(1, group, 2, "officer").await;
        *world.property.lock().unwrap() = Some(Property::Land);
        assert_eq!(world.dissolve(1, group).await, "group_owns_something");
        *world.property.lock().unwrap() = None;
        assert_eq!(world.dissolve(2, group).await, "not_allowed");
        assert_eq!(world.dissolve(3, group).await, "not_in_group");
        assert_eq!(world.dissolve(1, group).await, "ok");
        assert_eq!(world.dissolve(1, group).await, "ok", "asked twice");
        assert_eq!(world.put(1, group, 4, "member").await, "no_such_group");
        assert!(world.may_act(group, 1).await, "what comes to it too late is not lost");
        assert!(!world.may_act(group, 2).await);
        let (_, mine) = world.send(1, Method::GET, "/mine", None).await;
        assert_eq!(mine["items"], json!([]));
        let (_, seen) = world.send(2, Method::GET, &format!("/{group}"), None).await;
        assert_eq!((&seen["name"], &seen["is_dissolved"]), (&json!("Guild"), &json!(true)));
        for _ in 0..GROUPS_PER_ACCOUNT_MAX {
            world.create(1).await;
        }
    });
}

#[test]
fn a_repeated_request_makes_one_group() {
    on_each(async |world| {
        let body = Some(json!({"name": "  Guild  "}));
        let first = world.send_with_key(1, Method::POST, "", body.clone(), "a").await;
        let again = world.send_with_key(1, Method::POST, "", body, "a").await;
        assert_eq!(first, again);
        assert_eq!(first.1["name"], "Guild");
        let other = world.send_with_key(1, Method::POST, "", Some(json!({"name": "Other"})), "a").await;
        assert_eq!(outcome(&other), "idempotency_key_reused");
        let (_, mine) = world.send(1, Method::GET, "/mine", None).await;
        assert_eq!(mine["items"].as_array().unwrap().len(), 1);
        for name in ["", "x", "\u{202e}evil", "a\nb", &"n".repeat(10_000)] {
            let refused = world.send(1, Method::POST, "", Some(json!({ "name": name }))).await;
            assert_eq!((refused.0, outcome(&refused)), (422, "invalid_body".to_owned()), "{name:?}");
        }
        for body in [json!({"name": "Guild", "role": "owner"}), json!({}), json!([]), json!({"name": 5})] {
            let refused = world.send(1, Method::POST, "", Some(body)).await;
            assert_eq!(outcome(&refused), "invalid_body");
        }
        let group = world.create(1).await;
        assert_eq!(world.put(1, group, 2, "king").await, "invalid_body");
    });
}
