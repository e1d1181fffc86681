//! A planet with people on it, for the tests of this folder.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use api::{Caller, ManualClock, TokenFault, TokenVerifier, Verification, Verifier};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::{Extension, Router};
use cell::CellId;
use glam::DVec3;
use land::{Deps, LandService};
use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use planet::{Planet, PlanetSpec};
use serde_json::Value;
use store::{Migration, Store};
use tower::ServiceExt;
use uuid::Uuid;

/// Who has a number of this or above is a group, led by the player of the number that much lower.
pub(crate) const GROUPS: u128 = 1 << 64;

pub(crate) const NOW_US: i64 = 1_763_715_600_000_000;

/// Coarse and of the default size, so that its lots are of theirs; made once for all tests.
static PLANET: LazyLock<Arc<Planet>> =
    LazyLock::new(|| Arc::new(Planet::generate(PlanetSpec::for_test(1, 3))));

/// What land needs of the schema.
pub(crate) fn migrations() -> Vec<Migration> {
    [audit::MIGRATIONS, wallet::MIGRATIONS, land::MIGRATIONS, api::MIGRATIONS, events::MIGRATIONS].concat()
}

/// People are numbers: their token, and their account's id.
pub(crate) fn account(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) planet: Arc<Planet>,
    pub(crate) land: Arc<LandService>,
    pub(crate) clock: Arc<ManualClock>,
    bodies: Arc<Mutex<HashMap<Uuid, DVec3>>>,
    router: Router,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// Status and problem code, or an empty code.
    pub(crate) fn outcome(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["code"].as_str().unwrap_or_default())
    }
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

impl World {
    pub(crate) fn new(store: Store) -> Self {
        let planet = Arc::clone(&PLANET);
        let bodies: Arc<Mutex<HashMap<Uuid, DVec3>>> = Arc::default();
        let clock = Arc::new(ManualClock::at(NOW_US));
        let seen = Arc::clone(&bodies);
        let land = Arc::new(LandService::new(Deps {
            store: store.clone(),
            planet: Arc::clone(&planet),
            presence: Arc::new(move |id: Uuid| seen.lock().expect("no test panics here").get(&id).copied()),
            account_names: Arc::new(|_, ids| {
                let accounts = ids.iter().filter(|id| id.as_u128() < GROUPS);
                Ok(accounts.map(|id| (*id, format!("player {}", id.as_u128()))).collect())
            }),
            group_names: Arc::new(|_, ids| {
                let groups = ids.iter().filter(|id| id.as_u128() >= GROUPS);
                Ok(groups.map(|id| (*id, format!("group {}", id.as_u128() - GROUPS))).collect())
            }),
            authority: Arc::new(|_, owner, actor| Ok(owner.as_u128() == GROUPS + actor.as_u128())),
            agents: Arc::new(|_, id| Ok(id.as_u128().checked_sub(GROUPS).map(account).into_iter().collect())),
            wake: events::Wake::default(),
            public_origin: Some("https://terrane.test".to_owned()),
            economy: wallet::Economy::embedded(),
            clock: Arc::clone(&clock) as _,
        }));
        let verifier: Verifier = Arc::new(Numbers);
        let (routes, _) = land::routes(Arc::clone(&land)).split_for_parts();
        Self { store, planet, land, clock, bodies, router: routes.layer(Extension(verifier)) }
    }

    /// A lot that may be claimed, and those around it that may.
    pub(crate) fn free_lots(&self) -> Vec<CellId> {
        let first = CellId::from_point(self.planet.arrival().ground).parent(self.land.lot_level());
        let around = first.all_neighbors();
        std::iter::once(first).chain(around.iter().copied()).filter(|it| self.is_dry(*it)).collect()
    }

    /// Lots that may be claimed and hang together: each shares a side with one before it.
    pub(crate) fn dry_lots(&self, count: usize) -> Vec<CellId> {
        let mut lots = vec![self.free_lots()[0]];
        let mut next = 0;
        while lots.len() < count {
            for neighbor in lots[next].edge_neighbors() {
                if lots.len() < count && !lots.contains(&neighbor) && self.is_dry(neighbor) {
                    lots.push(neighbor);
                }
            }
            next += 1;
        }
        lots
    }

    /// Lots that may be claimed, each sharing a side with the next.
    pub(crate) fn dry_path(&self, count: usize) -> Vec<CellId> {
        let area = self.dry_lots(4 * count);
        let mut path = vec![area[0]];
        let mut tried = vec![0];
        while path.len() < count {
            let neighbors = path[path.len() - 1].edge_neighbors();
            let step = tried.last_mut().expect("a path is not empty");
            let next = neighbors.get(*step).copied();
            *step += 1;
            match next {
                Some(lot) if area.contains(&lot) && !path.contains(&lot) => {
                    path.push(lot);
                    tried.push(0);
                }
                Some(_) => {}
                None => {
                    path.pop();
                    tried.pop();
                }
            }
        }
        path
    }

    /// Square metres of a steradian.
    pub(crate) fn area_of_sr(&self) -> f64 {
        self.planet.radius_m() * self.planet.radius_m()
    }

    /// A lot in the sea.
    pub(crate) fn sea_lot(&self) -> CellId {
        let cells = (0..6).flat_map(|face| CellId::from_face(face).descendants(4));
        let level = self.land.lot_level();
        let mut lots = cells.map(|it| CellId::from_point(it.center()).parent(level));
        lots.find(|it| self.planet.elevation_m(it.center()) < -50.0).expect("the planet has a sea")
    }

    /// A lot far above the sea whose centre is in a river or lake.
    pub(crate) fn river_lot(&self) -> CellId {
        let level = self.land.lot_level();
        let cells = (0..6).flat_map(|face| CellId::from_face(face).descendants(6));
        let mut middles = cells
            .flat_map(|cell| self.planet.reaches(cell, 0.0, 20.0))
            .map(|reach| CellId::from_point((reach.a + reach.b).normalize()).parent(level));
        let is_flooded = |lot: &CellId| {
            let ground = self.planet.ground(lot.center());
            ground.elevation_m > 5.0 && ground.water_m.is_some()
        };
        middles.find(is_flooded).expect("the planet has rivers")
    }

    fn is_dry(&self, lot: CellId) -> bool {
        let mut points = std::iter::once(lot.center()).chain(lot.corners());
        points.all(|it| self.planet.water_m(it).is_none())
    }

    /// Puts somebody's body on the ground at the lot's centre, moved aside by some metres and up by some.
    pub(crate) fn put(&self, number: u128, lot: CellId, aside_m: f64, up_m: f64) {
        let center = lot.center();
        let aside = center.any_orthonormal_vector() * (aside_m / self.planet.radius_m());
        let place = (center + aside).normalize() * (self.planet.radius_m() + up_m);
        self.bodies.lock().expect("no test panics here").insert(account(number), place);
    }

    pub(crate) async fn welcome(&self, number: u128) {
        self.store
            .locked(move |tx| wallet::open_for(tx, account(number), NOW_US))
            .await
            .expect("the grant is booked");
    }

    /// Somebody who has the money for a lot and stands on it.
    pub(crate) async fn settler(&self, number: u128, lot: CellId) {
        self.welcome(number).await;
        self.put(number, lot, 0.0, 1.0);
    }

    /// Gives somebody coins out of nothing, on top of their welcome.
    pub(crate) async fn enrich(&self, number: u128, coins_minor: i64) {
        let gift = Posting::of(PostingKind::WelcomeGrant, format!("more {number} {}", Uuid::now_v7()), "")
            .transfer(
                AccountRef::Mint,
                AccountRef::Wallet(account(number)),
                &AssetId::coin(),
                Amount::try_from_minor(coins_minor).expect("an amount"),
            )
            .finish()
            .expect("a transfer is balanced");
        self.store.locked(move |tx| wallet::post(tx, &gift, NOW_US)).await.expect("it is booked");
    }

    /// Somebody with much money who stands on a lot.
    pub(crate) async fn magnate(&self, number: u128, lot: CellId) {
        self.settler(number, lot).await;
        self.enrich(number, 1_000_000_000).await;
    }

    /// Gives all their coins to the treasury.
    pub(crate) async fn impoverish(&self, number: u128) {
        let everything = Amount::try_from_minor(self.coins(number).await).expect("an amount");
        let gift = Posting::of(PostingKind::LandClaim, format!("gift {number}"), "")
            .transfer(AccountRef::Wallet(account(number)), AccountRef::Treasury, &AssetId::coin(), everything)
            .finish()
            .expect("a transfer is balanced");
        self.store.locked(move |tx| wallet::post(tx, &gift, NOW_US)).await.expect("it is booked");
    }

    async fn balance(&self, number: u128, asset: AssetId) -> i64 {
        self.store
            .read(move |tx| wallet::balance(tx, AccountRef::Wallet(account(number)), &asset))
            .await
            .expect("it can be read")
            .minor()
    }

    pub(crate) async fn coins(&self, number: u128) -> i64 {
        self.balance(number, AssetId::coin()).await
    }

    pub(crate) async fn deeds(&self, number: u128, lot: CellId) -> i64 {
        self.balance(number, AssetId::try_deed(&lot.token()).expect("a token")).await
    }

    pub(crate) async fn assert_books_sound(&self) {
        let report = self.store.read(wallet::verify).await.expect("it can be read");
        assert!(report.is_sound(), "{:?}", report.faults);
        assert_eq!(self.store.read(land::verify).await, Ok(vec![]));
    }

    pub(crate) async fn raw(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.expect("an answer")
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 23).await.expect("a body");
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, number: u128, path: &str) -> Answer {
        self.send(request(Method::GET, number, path).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn claim(&self, number: u128, token: &str, key: &str) -> Answer {
        let path = format!("/api/v1/lands/{token}/claim");
        let request = request(Method::POST, number, &path).header("idempotency-key", format!("\"{key}\""));
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    /// A decision: `path` below `/api/v1/lands`, a null body for none.
    pub(crate) async fn decide(&self, number: u128, path: &str, key: &str, body: &Value) -> Answer {
        let request = request(Method::POST, number, &format!("/api/v1/lands{path}"))
            .header("idempotency-key", key)
            .header(header::CONTENT_TYPE, "application/json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(request.body(body).expect("a request")).await
    }

    /// Goes there, claims lots, and wants to succeed.
    pub(crate) async fn own(&self, number: u128, lots: &[CellId]) -> CellId {
        self.put(number, lots[0], 0.0, 1.0);
        let body = serde_json::json!({"cells": tokens_of(lots)});
        let answer = self.decide(number, "/claims", &Uuid::now_v7().to_string(), &body).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.body);
        CellId::parse_token(answer.body["token"].as_str().expect("a token")).expect("a cell")
    }

    pub(crate) async fn lot(&self, lot: CellId) -> Value {
        self.get(1, &format!("/api/v1/lands/{}", lot.token())).await.body
    }

    pub(crate) async fn titles(&self, lot: CellId, query: &str) -> Vec<Value> {
        let answer = self.get(1, &format!("/api/v1/lands/{}/titles{query}", lot.token())).await;
        answer.body["items"].as_array().unwrap_or_else(|| panic!("{}", answer.body)).clone()
    }

    pub(crate) async fn rename(&self, number: u128, token: &str, body: &str) -> Answer {
        let request = request(Method::PATCH, number, &format!("/api/v1/lands/{token}"))
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_owned())).expect("a request")).await
    }
}

pub(crate) fn tokens_of(lots: &[CellId]) -> Vec<String> {
    lots.iter().map(|it| it.token()).collect()
}

fn request(method: Method, number: u128, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {number}"))
}
