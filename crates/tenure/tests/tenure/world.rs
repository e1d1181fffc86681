//! Land without a planet below it, people with money, and a clock in the hand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use api::{Caller, ManualClock, TokenFault, TokenVerifier, Verification, Verifier};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::{Extension, Router};
use cell::CellId;
use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use serde_json::Value;
use store::{Migration, Store, params};
use tenure::{Deps, Tenure};
use tower::ServiceExt as _;
use uuid::Uuid;
use wallet::Economy;

pub(crate) const NOW_US: i64 = 1_763_715_600_000_000;
pub(crate) const S: i64 = 1_000_000;
pub(crate) const HOUR: i64 = 3_600 * S;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) const ANN: u128 = 1;
pub(crate) const BOB: u128 = 2;
pub(crate) const CAT: u128 = 3;
/// What a newcomer gets.
pub(crate) const WELCOME: i64 = 50_000;

const LEVEL: u8 = 15;

pub(crate) fn migrations() -> Vec<Migration> {
    let of_crates = [
        audit::MIGRATIONS,
        api::MIGRATIONS,
        wallet::MIGRATIONS,
        land::MIGRATIONS,
        events::MIGRATIONS,
        tenure::MIGRATIONS,
    ];
    of_crates.concat()
}

pub(crate) fn account(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// The lot with this number.
pub(crate) fn lot(number: u64) -> CellId {
    let first = CellId::parse_token("4be64c3c").expect("a token").parent(LEVEL - 4);
    first.descendants(LEVEL).nth(number as usize).expect("there are 256")
}

/// A token is the account's number.
struct Numbers;

impl TokenVerifier for Numbers {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move {
            let number = token.parse().map_err(|_| TokenFault::Invalid)?;
            Ok(Caller::player(account(number)))
        })
    }
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tenure: Arc<Tenure>,
    seen: Arc<Mutex<HashMap<Uuid, i64>>>,
    router: Router,
}

impl World {
    /// With Ann, Bob and Cat; Ann owns lot 0.
    pub(crate) async fn new(store: Store) -> Self {
        Self::with(store, str::to_owned).await
    }

    /// The same with another economy.
    pub(crate) async fn with(store: Store, change: impl FnOnce(&str) -> String) -> Self {
        let text = change(include_str!("../../../../content/economy.toml"));
        let economy = Economy::parse(&text).expect("the table is right");
        let clock = Arc::new(ManualClock::at(NOW_US));
        let seen: Arc<Mutex<HashMap<Uuid, i64>>> = Arc::default();
        let last_seen = Arc::clone(&seen);
        let tenure = Arc::new(Tenure::new(Deps {
            store: store.clone(),
            clock: clock.clone(),
            lot_level: LEVEL,
            economy: Box::leak(Box::new(economy)),
            authority: Arc::new(|_, _, _| Ok(false)),
            name: Arc::new(|_, id| Ok((id.as_u128() <= CAT).then(|| format!("player {}", id.as_u128())))),
            agents: Arc::new(|_, _| Ok(Vec::new())),
            last_seen: Arc::new(move |_, id| Ok(last_seen.lock().expect("no panic").get(&id).copied())),
            wake: events::Wake::default(),
        }));
        let verifier: Verifier = Arc::new(Numbers);
        let (routes, _) = tenure::routes(Arc::clone(&tenure)).split_for_parts();
        let world = Self { store, clock, tenure, seen, router: routes.layer(Extension(verifier)) };
        for number in [ANN, BOB, CAT] {
            let id = account(number);
            let opened = world.store.locked(move |tx| wallet::open_for(tx, id, NOW_US)).await;
            opened.expect("they are welcomed");
        }
        world.own(ANN, 0).await;
        world.round().await;
        world
    }

    /// Gives somebody a free lot with its deed.
    pub(crate) async fn own(&self, number: u128, lot_number: u64) {
        let (cell, owner) = (lot(lot_number), account(number));
        let one = Amount::try_from_minor(1).expect("one");
        let deed = Posting::of(PostingKind::LandClaim, format!("deed {lot_number}"), "")
            .transfer(AccountRef::LandOffice, AccountRef::Wallet(owner), &land::deed(cell), one)
            .finish()
            .expect("one deed moves");
        let done = self.store.locked(move |tx| {
            wallet::post(tx, &deed, NOW_US).map_err(|error| store::Error::Damaged { detail: error.to_string() })?;
            tx.execute(
                "insert into parcels (parcel_id, owner_id, name, claimed_at, cell_count, area_m2, center, biome, front) \
                 values ($1, $2, null, $3, 1, 1200.0, $4, 'meadow', 0)",
                params![cell.to_sql(), owner, NOW_US - 400 * DAY, cell.range_min().to_sql()],
            )?;
            tx.execute("insert into parcel_cells (cell, parcel_id) values ($1, $1)", params![cell.to_sql()])
        });
        done.await.expect("it is theirs");
    }

    pub(crate) async fn owner_of(&self, lot_number: u64) -> Option<u128> {
        let cell = lot(lot_number);
        let facts = self.store.read(move |tx| land::parcel(tx, cell)).await.expect("it can be read");
        facts.map(|it| it.owner_id.as_u128())
    }

    pub(crate) async fn coins(&self, number: u128) -> i64 {
        let of = AccountRef::Wallet(account(number));
        self.store
            .read(move |tx| wallet::balance(tx, of, &AssetId::coin()))
            .await
            .expect("it can be read")
            .minor()
    }

    /// What is not held.
    pub(crate) async fn available(&self, number: u128) -> i64 {
        let of = AccountRef::Wallet(account(number));
        self.store
            .read(move |tx| wallet::available(tx, of, &AssetId::coin()))
            .await
            .expect("it can be read")
            .minor()
    }

    /// Moves coins from one to another, or all of them to the treasury.
    pub(crate) async fn pay(&self, from: u128, to: AccountRef, minor: i64) {
        let posting = Posting::of(PostingKind::Transfer, Uuid::now_v7().to_string(), "")
            .transfer(
                AccountRef::Wallet(account(from)),
                to,
                &AssetId::coin(),
                Amount::try_from_minor(minor).expect("in range"),
            )
            .finish()
            .expect("it is balanced");
        self.store.locked(move |tx| wallet::post(tx, &posting, NOW_US)).await.expect("it is booked");
    }

    pub(crate) async fn is_tenant(&self, number: u128, lot_number: u64) -> bool {
        let key = params![lot(lot_number).to_sql(), account(number)].to_vec();
        let sql = "select role from permissions where parcel_id = $1 and subject_id = $2";
        self.store.read(move |tx| tx.query_opt(sql, &key)).await.expect("it can be read").is_some()
    }

    /// Somebody was there at this time.
    pub(crate) fn see(&self, number: u128, at_us: i64) {
        self.seen.lock().expect("no panic").insert(account(number), at_us);
    }

    /// What the worker does, until now.
    pub(crate) async fn round(&self) {
        self.tenure.round().await.expect("it is worked on");
    }

    /// Time goes by, and the worker works.
    pub(crate) async fn pass(&self, us: i64) {
        self.clock.advance_us(us);
        self.round().await;
    }

    /// Kinds of events so far, in the order of recording.
    pub(crate) async fn told(&self) -> Vec<String> {
        let rows =
            self.store.read(|tx| tx.query("select kind from events order by event_id", params![])).await;
        rows.expect("they can be read").iter().map(|row| row.get(0).expect("a kind")).collect()
    }

    pub(crate) async fn count_told(&self, kind: &str) -> usize {
        self.told().await.iter().filter(|it| *it == kind).count()
    }

    pub(crate) async fn assert_books_sound(&self) {
        let report = self.store.read(wallet::verify).await.expect("it can be read");
        assert!(report.is_sound(), "{:?}", report.faults);
    }

    pub(crate) async fn ask(&self, who: u128, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {who}"))
            .header("idempotency-key", Uuid::new_v4().to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |it| Body::from(it.to_string())))
            .expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}");
        (
            status.as_u16(),
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") },
        )
    }

    /// The status and the code of a refusal.
    pub(crate) async fn refused(
        &self,
        who: u128,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, String) {
        let (status, problem) = self.ask(who, method, path, body).await;
        (status, problem["code"].as_str().unwrap_or_default().to_owned())
    }
}
