//! Fences and permissions: through their routes and for the zone, on both engines.

#![allow(clippy::unwrap_used, reason = "everything here is a test: a panic is how it fails")]

use std::sync::{Arc, LazyLock};

use api::{Caller, ManualClock, TokenFault, TokenVerifier, Verification, Verifier};
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use axum::{Extension, Router};
use cell::CellId;
use land::access::{self, Access, AccessDeps, AccessService, FenceRule, Membership, Permission, fences_in};
use planet::{Planet, PlanetSpec};
use serde_json::{Value, json};
use store::testing::for_each_engine;
use store::{Migration, Store, params};
use tower::ServiceExt;
use uuid::Uuid;

const NOW_US: i64 = 1_763_715_600_000_000;
const HOUR_US: i64 = 3_600_000_000;
/// A group of this number has the account of that number as its officer, and the next one as a member.
const GROUPS: u128 = 1 << 64;

static PLANET: LazyLock<Arc<Planet>> =
    LazyLock::new(|| Arc::new(Planet::generate(PlanetSpec::for_test(1, 9))));

fn migrations() -> Vec<Migration> {
    [audit::MIGRATIONS, wallet::MIGRATIONS, land::MIGRATIONS, api::MIGRATIONS, events::MIGRATIONS].concat()
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn memberships(account_id: Uuid) -> Vec<Membership> {
    let number = account_id.as_u128();
    vec![
        Membership { group_id: id(GROUPS + number), may_act: true },
        Membership { group_id: id(GROUPS + number - 1), may_act: false },
    ]
}

struct Numbers;

impl TokenVerifier for Numbers {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move {
            let number = token.parse().map_err(|_| TokenFault::Invalid)?;
            Ok(Caller::player(id(number)))
        })
    }
}

struct World {
    store: Store,
    clock: Arc<ManualClock>,
    access: Access,
    router: Router,
    /// Sixteen lots in a row of ids, those of one cell two levels up.
    lots: Vec<CellId>,
}

impl World {
    fn new(store: Store) -> Self {
        let clock = Arc::new(ManualClock::at(NOW_US));
        let access = Access::new(Arc::new(|_, account_id| Ok(memberships(account_id))));
        let service = AccessService::new(AccessDeps {
            store: store.clone(),
            planet: Arc::clone(&PLANET),
            access: access.clone(),
            display_name: Arc::new(|_, it| Ok((it.as_u128() < 1000).then(|| format!("player {it}")))),
            group_name: Arc::new(|_, it| {
                Ok((GROUPS..GROUPS + 1000).contains(&it.as_u128()).then(|| format!("group {it}")))
            }),
            wake: events::Wake::default(),
            clock: Arc::clone(&clock) as _,
        });
        let verifier: Verifier = Arc::new(Numbers);
        let (routes, _) = access::routes(Arc::new(service)).split_for_parts();
        let level = PLANET.grid_level(land::LOT_LEVEL_AT_DEFAULT);
        let lots = CellId::from_face(4).parent(0).children().unwrap()[2].range_min().parent(level - 2);
        let lots = lots.descendants(level).collect();
        Self { store, clock, access, router: routes.layer(Extension(verifier)), lots }
    }

    /// Makes some lots a parcel; its anchor is the first.
    async fn parcel(&self, owner: u128, lots: &[CellId]) -> CellId {
        let lots: Vec<_> = lots.iter().map(|lot| lot.to_sql()).collect();
        let anchor = lots[0];
        let made = self.store.locked(move |tx| {
            tx.execute(
                "insert into parcels (parcel_id, owner_id, name, claimed_at, cell_count, area_m2, center, biome, front) \
                 values ($1, $2, null, $3, $4, $5, $1, 'beach', 0)",
                params![anchor, id(owner), NOW_US, lots.len() as i64, 1.0],
            )?;
            for lot in &lots {
                tx.execute("insert into parcel_cells (cell, parcel_id) values ($1, $2)", params![*lot, anchor])?;
            }
            Ok::<_, store::Error>(())
        });
        made.await.unwrap();
        CellId::from_sql(anchor).unwrap()
    }

    async fn send(&self, number: u128, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/lands/{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {number}"))
            .header(header::CONTENT_TYPE, "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// `ok` or the code.
    async fn fence(&self, number: u128, lot: CellId, rule: &str) -> String {
        let path = format!("{}/fence", lot.token());
        outcome(&self.send(number, Method::PUT, &path, Some(json!({ "rule": rule }))).await)
    }

    async fn grant(&self, number: u128, lot: CellId, subject: u128, body: Value) -> String {
        let path = format!("{}/permissions/{}", lot.token(), id(subject));
        outcome(&self.send(number, Method::PUT, &path, Some(body)).await)
    }

    async fn revoke(&self, number: u128, lot: CellId, subject: u128) -> String {
        let path = format!("{}/permissions/{}", lot.token(), id(subject));
        outcome(&self.send(number, Method::DELETE, &path, None).await)
    }

    async fn may(&self, lot: CellId, number: u128, permission: Permission) -> bool {
        let (access, now_us) = (self.access.clone(), api::Clock::now_us(&*self.clock));
        let answer = self.store.read(move |tx| access.may(tx, lot, id(number), permission, now_us));
        answer.await.unwrap()
    }

    async fn events(&self, kind: &'static str) -> i64 {
        let count = self
            .store
            .read(move |tx| tx.query_one("select count(*) from events where kind = $1", params![kind]));
        count.await.unwrap().get(0).unwrap()
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
fn owners_and_managers_set_the_fence_and_nobody_else() {
    on_each(async |world| {
        let parcel = world.parcel(1, &world.lots[3..5]).await;
        let by_any_lot = world.lots[4];
        assert_eq!(world.fence(1, by_any_lot, "list").await, "ok");
        assert_eq!(world.fence(2, parcel, "everyone").await, "not_allowed");
        assert_eq!(world.fence(1, world.lots[9], "list").await, "not_allowed", "nobody's");
        for (role, expected) in [("guest", "not_allowed"), ("builder", "not_allowed"), ("manager", "ok")] {
            assert_eq!(world.grant(1, parcel, 2, json!({ "role": role })).await, "ok");
            assert_eq!(world.fence(2, parcel, "nobody").await, expected, "{role}");
        }
        let path = format!("{}/fence", by_any_lot.token());
        let (_, seen) = world.send(2, Method::GET, &path, None).await;
        let token = parcel.token();
        assert_eq!(seen, json!({"token": token, "rule": "nobody", "may_enter": false, "may_manage": true}));
        let (_, seen) = world.send(1, Method::GET, &path, None).await;
        assert_eq!(seen["may_enter"], true);
        // Land of nobody is open to everybody.
        let (_, seen) = world.send(1, Method::GET, &format!("{}/fence", world.lots[9].token()), None).await;
        assert_eq!((&seen["rule"], &seen["may_enter"]), (&json!("everyone"), &json!(true)));
        assert_eq!(world.events("land.fence_changed").await, 2 + 3, "two fences, three roles");
        assert_eq!(world.fence(1, parcel, "nobody").await, "ok");
        assert_eq!(world.events("land.fence_changed").await, 5, "nothing has changed");
        assert_eq!(world.fence(1, parcel, "friends").await, "invalid_body");
        assert_eq!(world.fence(1, parcel.parent(2), "list").await, "not_a_lot");
    });
}

#[test]
fn whoever_acts_for_a_group_acts_for_its_land() {
    on_each(async |world| {
        let parcel = world.parcel(GROUPS + 5, &world.lots[..1]).await;
        assert_eq!(world.fence(5, parcel, "nobody").await, "ok");
        assert_eq!(world.fence(6, parcel, "everyone").await, "not_allowed", "a member does not act");
        assert!(world.may(parcel, 5, Permission::Own).await);
        assert!(!world.may(parcel, 6, Permission::Enter).await);
        // A group on the list lets its members in.
        assert_eq!(world.fence(5, parcel, "list").await, "ok");
        assert_eq!(world.grant(5, parcel, GROUPS + 7, json!({"role": "builder"})).await, "ok");
        for (number, enters) in [(6, false), (7, true), (8, true), (9, false)] {
            assert_eq!(world.may(parcel, number, Permission::Build).await, enters, "{number}");
        }
        assert_eq!(world.grant(5, parcel, GROUPS + 5, json!({"role": "guest"})).await, "subject_owns");
    });
}

#[test]
fn managers_give_every_role_but_their_own() {
    on_each(async |world| {
        let parcel = world.parcel(1, &world.lots[..1]).await;
        assert_eq!(world.grant(1, parcel, 2, json!({"role": "manager"})).await, "ok");
        assert_eq!(world.grant(1, parcel, 3, json!({"role": "manager"})).await, "ok");
        assert_eq!(world.grant(2, parcel, 4, json!({"role": "manager"})).await, "only_owner_makes_managers");
        assert_eq!(world.grant(2, parcel, 3, json!({"role": "banned"})).await, "only_owner_makes_managers");
        assert_eq!(world.revoke(2, parcel, 3).await, "only_owner_makes_managers");
        assert_eq!(world.grant(2, parcel, 4, json!({"role": "banned"})).await, "ok");
        assert_eq!(world.grant(2, parcel, 4, json!({"role": "guest"})).await, "ok");
        assert_eq!(world.revoke(2, parcel, 4).await, "ok");
        assert_eq!(world.revoke(2, parcel, 4).await, "ok", "gone is gone");
        assert_eq!(world.grant(2, parcel, 1, json!({"role": "banned"})).await, "subject_owns");
        assert_eq!(world.grant(2, parcel, 5000, json!({"role": "guest"})).await, "no_such_subject");
        assert_eq!(world.grant(2, parcel, 5, json!({"role": "tenant"})).await, "invalid_body");
        assert_eq!(world.grant(4, parcel, 5, json!({"role": "guest"})).await, "not_allowed");
        let path = format!("{}/permissions", parcel.token());
        assert_eq!(outcome(&world.send(4, Method::GET, &path, None).await), "not_allowed");
        let (_, seen) = world.send(2, Method::GET, &path, None).await;
        let roles: Vec<_> = seen["items"].as_array().unwrap().iter().map(|it| it["role"].clone()).collect();
        assert_eq!(roles, ["manager", "manager"]);
        assert_eq!(world.events("land.permission_changed").await, 5);
    });
}

#[test]
fn a_role_ends_at_its_time_and_makes_room() {
    on_each(async |world| {
        let parcel = world.parcel(1, &world.lots[..1]).await;
        assert_eq!(world.fence(1, parcel, "list").await, "ok");
        let until = |end_us| json!({"role": "guest", "expires_at": api::timestamp(end_us).to_string()});
        assert_eq!(world.grant(1, parcel, 2, until(NOW_US)).await, "invalid_body", "over before it begins");
        assert_eq!(
            world.grant(1, parcel, 2, json!({"role": "guest", "expires_at": "soon"})).await,
            "invalid_body"
        );
        assert_eq!(
            world.grant(1, parcel, 2, json!({"role": "guest", "expires_at": "9000-01-01T00:00:00Z"})).await,
            "invalid_body"
        );
        for number in 2..102 {
            assert_eq!(world.grant(1, parcel, number, until(NOW_US + HOUR_US)).await, "ok");
        }
        assert_eq!(world.grant(1, parcel, 102, until(NOW_US + HOUR_US)).await, "too_many_permissions");
        assert_eq!(
            world.grant(1, parcel, 101, json!({"role": "banned"})).await,
            "ok",
            "another role takes no room"
        );
        assert!(world.may(parcel, 2, Permission::Enter).await);
        world.clock.advance_us(HOUR_US - 1);
        assert!(world.may(parcel, 2, Permission::Enter).await);
        world.clock.advance_us(1);
        assert!(!world.may(parcel, 2, Permission::Enter).await);
        let path = format!("{}/permissions", parcel.token());
        let (_, seen) = world.send(1, Method::GET, &path, None).await;
        assert_eq!(seen["items"].as_array().unwrap().len(), 1, "only the ban is left");
        assert_eq!(world.grant(1, parcel, 102, json!({"role": "guest"})).await, "ok");
    });
}

#[test]
fn another_owner_begins_with_open_land_and_the_tenant_stays() {
    on_each(async |world| {
        let (first, second) =
            (world.parcel(1, &world.lots[..2]).await, world.parcel(1, &world.lots[2..3]).await);
        for parcel in [first, second] {
            assert_eq!(world.fence(1, parcel, "nobody").await, "ok");
            assert_eq!(world.grant(1, parcel, 2, json!({"role": "manager"})).await, "ok");
            assert_eq!(world.grant(1, parcel, 3, json!({"role": "banned"})).await, "ok");
            let tenant = world.store.locked(move |tx| access::grant_tenant(tx, parcel, id(4), NOW_US));
            tenant.await.unwrap();
        }
        assert!(world.may(first, 4, Permission::Enter).await && world.may(first, 4, Permission::Build).await);
        assert_eq!(world.grant(1, first, 4, json!({"role": "banned"})).await, "subject_is_tenant");
        assert_eq!(world.revoke(1, first, 4).await, "subject_is_tenant");
        let before = world.events("land.fence_changed").await;
        let clear = world.store.locked(move |tx| access::clear(tx, &[first], NOW_US));
        clear.await.unwrap();
        assert_eq!(world.events("land.fence_changed").await, before + 1);
        let rule = world.store.read(move |tx| access::rule_of(tx, first)).await.unwrap();
        assert_eq!(rule, FenceRule::Everyone);
        assert!(
            world.may(first, 3, Permission::Enter).await && !world.may(first, 2, Permission::Manage).await
        );
        assert!(world.may(first, 4, Permission::Build).await, "land is sold with its lease");
        assert!(!world.may(second, 3, Permission::Enter).await, "another parcel is as it was");
        // What is split off is as closed as what it was part of.
        let part = world.parcel(1, &world.lots[5..6]).await;
        let copy = world.store.locked(move |tx| {
            access::copy(tx, second, part, NOW_US)?;
            access::revoke_tenant(tx, part, id(4), NOW_US)
        });
        copy.await.unwrap();
        assert!(world.may(part, 2, Permission::Manage).await && !world.may(part, 5, Permission::Enter).await);
        assert!(!world.may(part, 4, Permission::Build).await);
        // And with a parcel its rows go.
        let removed = world.store.locked(move |tx| {
            tx.execute("delete from parcel_cells where parcel_id = $1", params![part.to_sql()])?;
            tx.execute("delete from parcels where parcel_id = $1", params![part.to_sql()])?;
            tx.query_one("select count(*) from permissions where parcel_id = $1", params![part.to_sql()])?
                .get(0)
        });
        assert_eq!(removed.await, Ok::<_, store::Error>(0_i64));
    });
}

#[test]
fn the_fences_of_a_place_say_what_the_rules_say() {
    on_each(async |world| {
        let rules = ["everyone", "list", "nobody"];
        let mut parcels = vec![];
        for (index, lots) in world.lots.chunks(2).enumerate() {
            let owner = if index % 2 == 0 { 1 } else { GROUPS + 1 };
            let parcel = world.parcel(owner, lots).await;
            assert_eq!(world.fence(1, parcel, rules[index % 3]).await, "ok");
            if index < 6 {
                let soon = api::timestamp(NOW_US + 5).to_string();
                for (subject, body) in [
                    (3, json!({"role": "guest", "expires_at": soon})),
                    (4, json!({"role": "banned"})),
                    (GROUPS + 5, json!({"role": "builder"})),
                ] {
                    assert_eq!(world.grant(1, parcel, subject, body).await, "ok");
                }
            }
            parcels.push(parcel);
        }
        let place = world.lots[0].parent(world.lots[0].level() - 2);
        for now_us in [NOW_US, NOW_US + 5] {
            let fences = world.store.read(move |tx| fences_in(tx, place)).await.unwrap();
            assert_eq!(fences.len(), 7, "all but the open one on which nobody is banned");
            for parcel in &parcels {
                let fence = fences.iter().find(|fence| fence.parcel == *parcel);
                if let Some(fence) = fence {
                    assert_eq!(fence.lots.len(), 2);
                }
                for number in 1..8 {
                    let admission =
                        fence.map(|it| it.admission(id(number), &memberships(id(number)), now_us));
                    let is_admitted = admission.is_none_or(|it| it.is_admitted);
                    let may = world.may(*parcel, number, Permission::Enter).await;
                    assert_eq!(is_admitted, may, "{number} on {parcel} at {now_us}");
                    let is_guest = number == 3 && fence.is_some() && now_us == NOW_US;
                    let ends = admission.and_then(|it| it.until_us);
                    if !is_guest {
                        assert_eq!(ends, None);
                    }
                }
            }
            world.clock.advance_us(5);
        }
        // A smaller place holds a part of a parcel.
        let lot = world.lots[3];
        let fences = world.store.read(move |tx| fences_in(tx, lot)).await.unwrap();
        assert_eq!(
            fences.iter().map(|it| (it.parcel, &it.lots[..])).collect::<Vec<_>>(),
            [(parcels[1], &[lot][..])]
        );
    });
}
