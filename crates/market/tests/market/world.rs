//! People with money and land, for the tests of this folder.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use api::{Caller, ManualClock, TokenFault, TokenVerifier, Verification, Verifier};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::{Extension, Router};
use cell::{CellId, FaceIj};
use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use market::{Acting, Deps, MarketService, Terms};
use serde_json::{Value, json};
use store::testing::for_each_engine;
use store::{Migration, Store, params};
use tower::ServiceExt;
use uuid::Uuid;
use wallet::Economy;

pub(crate) const NOW_US: i64 = 1_763_715_600_000_000;
pub(crate) const SECOND_US: i64 = 1_000_000;
pub(crate) const HOUR_US: i64 = 3_600 * SECOND_US;
pub(crate) const DAY_US: i64 = 24 * HOUR_US;
/// The level of lots here.
const LOT_LEVEL: u8 = 15;
/// Area of each lot here, so that prices per square metre are easy to read.
pub(crate) const LOT_M2: f64 = 1_000.0;

/// What the market needs of the schema.
pub(crate) fn migrations() -> Vec<Migration> {
    [
        audit::MIGRATIONS,
        wallet::MIGRATIONS,
        land::MIGRATIONS,
        api::MIGRATIONS,
        events::MIGRATIONS,
        market::MIGRATIONS,
    ]
    .concat()
}

/// People are numbers: their token, and their account's id.
pub(crate) fn account(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Groups are numbers too, from 1,000 on.
pub(crate) fn group(number: u128) -> Uuid {
    Uuid::from_u128(1_000 + number)
}

/// Lots in a row, 70 m apart.
pub(crate) fn lot(number: u32) -> CellId {
    CellId::from_face_ij(FaceIj { face: 2, i: 9_000 + number, j: 12_000 }, LOT_LEVEL)
}

pub(crate) fn token(number: u32) -> String {
    lot(number).token()
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) market: Arc<MarketService>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) deps: Deps,
    groups: Arc<Mutex<BTreeMap<Uuid, BTreeSet<Uuid>>>>,
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

    /// The id of what was made.
    pub(crate) fn id(&self) -> String {
        let id = self.body["id"].as_str().or(self.body["offer_id"].as_str());
        id.unwrap_or_else(|| panic!("{}: {}", self.status, self.body)).to_owned()
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

/// Runs a test on a world on each engine.
pub(crate) fn on_each(test: impl AsyncFn(World)) {
    for_each_engine(&migrations(), async |store| test(World::new(store)).await);
}

impl World {
    pub(crate) fn new(store: Store) -> Self {
        let clock = Arc::new(ManualClock::at(NOW_US));
        let groups: Arc<Mutex<BTreeMap<Uuid, BTreeSet<Uuid>>>> = Arc::default();
        let (leaders, members, named) = (Arc::clone(&groups), Arc::clone(&groups), Arc::clone(&groups));
        let acting = Acting {
            may_act: Arc::new(move |_, owner, actor| {
                let groups = leaders.lock().expect("no test panics here");
                Ok(groups.get(&owner).is_some_and(|it| it.contains(&actor)))
            }),
            agents: Arc::new(move |_, group| {
                let groups = members.lock().expect("no test panics here");
                Ok(groups.get(&group).into_iter().flatten().copied().collect())
            }),
        };
        let deps = Deps {
            store: store.clone(),
            clock: Arc::clone(&clock) as _,
            terms: Arc::new(Terms::of(Economy::embedded()).expect("the table is sound")),
            acting,
            display_name: Arc::new(|_, id| {
                Ok((id.as_u128() < 1_000).then(|| format!("player {}", id.as_u128())))
            }),
            group_name: Arc::new(move |_, id| {
                let groups = named.lock().expect("no test panics here");
                Ok(groups.contains_key(&id).then(|| format!("group {}", id.as_u128() - 1_000)))
            }),
            lot_level: LOT_LEVEL,
            radius_m: 1_000_000.0,
            wake: events::Wake::default(),
        };
        let market = MarketService::new(deps.clone());
        let router = router(&market);
        Self { store, market, clock, deps, groups, router }
    }

    /// The process is gone and another begins: nothing but the database is left.
    pub(crate) fn restart(&mut self) {
        self.market = MarketService::new(self.deps.clone());
        self.router = router(&self.market);
    }

    /// A group that these may act for.
    pub(crate) fn found(&self, number: u128, leaders: &[u128]) {
        let leaders = leaders.iter().copied().map(account).collect();
        self.groups.lock().expect("no test panics here").insert(group(number), leaders);
    }

    /// Coins from the mint.
    pub(crate) async fn give(&self, owner: Uuid, minor: i64) {
        let grant = Posting::of(PostingKind::WelcomeGrant, format!("grant:{}", Uuid::now_v7()), "")
            .transfer(AccountRef::Mint, AccountRef::Wallet(owner), &AssetId::coin(), amount(minor))
            .finish()
            .expect("a transfer is balanced");
        self.store.locked(move |tx| wallet::post(tx, &grant, NOW_US)).await.expect("it is booked");
    }

    /// Somebody with coins.
    pub(crate) async fn rich(&self, number: u128, minor: i64) {
        self.give(account(number), minor).await;
    }

    /// Gives a free lot to an owner as if it had been claimed.
    pub(crate) async fn settle(&self, lot: CellId, owner: Uuid) {
        self.settle_as(lot, owner, "grassland", 0, LOT_M2).await;
    }

    pub(crate) async fn settle_as(
        &self,
        lot: CellId,
        owner: Uuid,
        biome: &'static str,
        front: i64,
        area_m2: f64,
    ) {
        let claim = Posting::of(PostingKind::LandClaim, format!("claim:{lot:?}"), "")
            .transfer(AccountRef::LandOffice, AccountRef::Wallet(owner), &land::deed(lot), amount(1))
            .finish()
            .expect("a deed moves whole");
        self.store
            .locked(move |tx| {
                let posted = wallet::post(tx, &claim, NOW_US).expect("it is booked");
                let id = lot.to_sql();
                let center = CellId::from_point(lot.center()).to_sql();
                tx.execute(
                    "insert into parcels (parcel_id, owner_id, name, claimed_at, cell_count, area_m2, center, biome, \
                     front) values ($1, $2, 'a lot', $3, 1, $4, $5, $6, $7)",
                    params![id, owner, NOW_US, area_m2, center, biome, front],
                )?;
                tx.execute("insert into parcel_cells (cell, parcel_id) values ($1, $1)", params![id])?;
                tx.execute(
                    "insert into titles (parcel_id, title_number, kind, owner_id, price_minor, currency, posting_id, \
                     since) values ($1, 1, 'claim', $2, 0, 'coin', $3, $4)",
                    params![id, owner, posted.posting_id, NOW_US],
                )
            })
            .await
            .expect("the lot was free");
    }

    /// A lot of a player.
    pub(crate) async fn landed(&self, number: u128, lot_number: u32) {
        self.settle(lot(lot_number), account(number)).await;
    }

    pub(crate) async fn owner(&self, lot: CellId) -> Uuid {
        let facts = self.store.read(move |tx| land::parcel(tx, lot)).await.expect("it can be read");
        facts.expect("somebody owns it").owner_id
    }

    /// What somebody has, and what of it is not held.
    pub(crate) async fn coins_of(&self, owner: Uuid) -> (i64, i64) {
        let money = self.store.read(move |tx| wallet::money(tx, owner)).await.expect("it can be read");
        let coins = money.iter().find(|it| it.asset == AssetId::coin()).expect("coins are always among it");
        (coins.amount.minor(), coins.amount.minor() - coins.held.minor())
    }

    pub(crate) async fn coins(&self, number: u128) -> (i64, i64) {
        self.coins_of(account(number)).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("routes do not fail");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("the body is short");
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("{status}: {bytes:?}"))
        };
        Answer { status, headers, body }
    }

    pub(crate) fn request(
        method: Method,
        number: u128,
        path: &str,
        key: Option<&str>,
        body: Option<String>,
    ) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/marketplace/{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {number}"));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(body.map_or_else(Body::empty, Body::from)).expect("a request")
    }

    pub(crate) async fn get(&self, number: u128, path: &str) -> Answer {
        self.send(Self::request(Method::GET, number, path, None, None)).await
    }

    /// A decision under a new key.
    pub(crate) async fn post(&self, number: u128, path: &str, body: Value) -> Answer {
        self.post_as(number, path, &Uuid::now_v7().to_string(), body).await
    }

    /// A decision under a key.
    pub(crate) async fn post_as(&self, number: u128, path: &str, key: &str, body: Value) -> Answer {
        let body = (!body.is_null()).then(|| body.to_string());
        self.send(Self::request(Method::POST, number, path, Some(key), body)).await
    }

    pub(crate) async fn patch(&self, number: u128, path: &str, body: Value) -> Answer {
        let key = Uuid::now_v7().to_string();
        self.send(Self::request(Method::PATCH, number, path, Some(&key), Some(body.to_string()))).await
    }

    pub(crate) async fn delete(&self, number: u128, path: &str) -> Answer {
        let key = Uuid::now_v7().to_string();
        self.send(Self::request(Method::DELETE, number, path, Some(&key), None)).await
    }

    /// Puts up a player's lot; the listing's id.
    pub(crate) async fn list(&self, number: u128, lot_number: u32, price_minor: i64) -> String {
        let body = json!({ "parcel": token(lot_number), "currency": "coin", "price_minor": price_minor });
        let listed = self.post(number, "listings", body).await;
        assert_eq!(listed.status.as_u16(), 201, "{}", listed.body);
        listed.id()
    }

    pub(crate) async fn buy(&self, number: u128, listing: &str, price_minor: i64) -> Answer {
        self.post(number, &format!("listings/{listing}/purchase"), json!({ "price_minor": price_minor }))
            .await
    }

    /// Opens an auction of a player's lot; `more` is added to what is asked.
    pub(crate) async fn auction(&self, number: u128, lot_number: u32, kind: &str, more: Value) -> String {
        let mut body =
            json!({ "parcel": token(lot_number), "kind": kind, "currency": "coin", "start_minor": 1_000 });
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let opened = self.post(number, "auctions", body).await;
        assert_eq!(opened.status.as_u16(), 201, "{}", opened.body);
        opened.id()
    }

    pub(crate) async fn bid(&self, number: u128, auction: &str, max_minor: i64) -> Answer {
        self.post(number, &format!("auctions/{auction}/bids"), json!({ "max_minor": max_minor })).await
    }

    /// Kinds of all events so far, in the order in which they were recorded, with audience `near` or the accounts.
    pub(crate) async fn events(&self) -> Vec<(String, String, Value)> {
        let rows = self
            .store
            .read(|tx| {
                tx.query("select kind, audience, account_ids, data from events order by event_id", params![])
            })
            .await
            .expect("it can be read");
        rows.iter()
            .map(|row| {
                let ids: Option<Vec<u8>> = row.get(2).expect("bytes");
                let told = ids.map_or_else(
                    || row.get::<String>(1).expect("text"),
                    |bytes| {
                        let ids = bytes.chunks(16).map(|it| Uuid::from_slice(it).expect("an id").as_u128());
                        ids.map(|it| it.to_string()).collect::<Vec<_>>().join(",")
                    },
                );
                let data: String = row.get(3).expect("text");
                (row.get(0).expect("text"), told, serde_json::from_str(&data).expect("JSON"))
            })
            .collect()
    }

    /// Kinds and audiences of the events since there were `count`.
    pub(crate) async fn news_since(&self, count: usize) -> Vec<String> {
        self.events().await.into_iter().skip(count).map(|(kind, told, _)| format!("{kind} {told}")).collect()
    }

    /// What must be true whatever happened: the books are sound, land and deeds agree, and what is held has exactly
    /// its reasons.
    pub(crate) async fn assert_sound(&self) {
        let prove = |tx: &mut store::Tx<'_>| {
            let promised: [land::OpenReferences<'_>; 2] = [
                (land::EncumbranceKind::Listing, &market::open_listings),
                (land::EncumbranceKind::Auction, &market::open_auctions),
            ];
            let reasons = market::hold_reasons(tx)?;
            let held = wallet::verify_reasons(tx, &reasons)?;
            Ok::<_, store::Error>((wallet::verify(tx)?, land::verify_with(tx, &promised)?, held))
        };
        let (report, faults, held) = self.store.read(prove).await.expect("it can be read");
        assert!(report.is_sound(), "{:?}", report.faults);
        // Areas are round numbers here.
        let faults: Vec<_> =
            faults.into_iter().filter(|it| !matches!(it, land::Fault::AreaWrong { .. })).collect();
        assert_eq!(faults, [], "land, deeds, titles and what is promised agree");
        assert_eq!(held, [], "what is held has its reason, and the other way round");
    }
}

fn router(market: &Arc<MarketService>) -> Router {
    let verifier: Verifier = Arc::new(Numbers);
    let (routes, _) = market::routes(Arc::clone(market)).split_for_parts();
    routes.layer(Extension(verifier))
}

pub(crate) fn amount(minor: i64) -> Amount {
    Amount::try_from_minor(minor).expect("an amount")
}
