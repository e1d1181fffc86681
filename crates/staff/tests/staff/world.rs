//! A planet with people, land and staff, for the tests of this folder.

use std::sync::{Arc, LazyLock};

use api::{Caller, ManualClock, Role, TokenFault, TokenVerifier, Verification, Verifier};
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use axum::{Extension, Router};
use cell::CellId;
use identity::{AccessTokens, Identity, SigningKey};
use land::LandService;
use market::{Acting, MarketService, Terms};
use planet::{Planet, PlanetSpec};
use privacy::Vault;
use serde_json::{Value, json};
use staff::Staff;
use store::testing::for_each_engine;
use store::{Migration, Store, params};
use tenure::Tenure;
use tower::ServiceExt as _;
use uuid::Uuid;
use wallet::Economy;

pub(crate) const NOW_US: i64 = 1_763_715_600_000_000;
pub(crate) const HOUR_US: i64 = 3_600 * 1_000_000;
pub(crate) const DAY_US: i64 = 24 * HOUR_US;
/// Reversals of more wait for a second person.
pub(crate) const SECOND_PERSON_MINOR: i64 = 1_000;

pub(crate) const ANN: u128 = 1;
pub(crate) const BOB: u128 = 2;
pub(crate) const MODERATOR: u128 = 11;
pub(crate) const OTHER_MODERATOR: u128 = 12;
pub(crate) const DEVELOPER: u128 = 13;
pub(crate) const ADMIN: u128 = 14;
pub(crate) const OTHER_ADMIN: u128 = 15;

const PEOPLE: [(u128, Role); 7] = [
    (ANN, Role::Player),
    (BOB, Role::Player),
    (MODERATOR, Role::Moderator),
    (OTHER_MODERATOR, Role::Moderator),
    (DEVELOPER, Role::Developer),
    (ADMIN, Role::Admin),
    (OTHER_ADMIN, Role::Admin),
];

/// Coarse and of the default size, so that its lots are of theirs; made once for all tests.
static PLANET: LazyLock<Arc<Planet>> =
    LazyLock::new(|| Arc::new(Planet::generate(PlanetSpec::for_test(1, 3))));

fn migrations() -> Vec<Migration> {
    [
        api::MIGRATIONS,
        audit::MIGRATIONS,
        events::MIGRATIONS,
        identity::MIGRATIONS,
        land::MIGRATIONS,
        market::MIGRATIONS,
        privacy::MIGRATIONS,
        staff::MIGRATIONS,
        tenure::MIGRATIONS,
        wallet::MIGRATIONS,
    ]
    .concat()
}

pub(crate) fn account(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Lots in a row, side by side.
pub(crate) fn lot(number: u64) -> CellId {
    let first = CellId::parse_token("4be64c3c").expect("a token").parent(11);
    first.descendants(15).nth(number as usize).expect("there are 256")
}

pub(crate) fn token(number: u64) -> String {
    lot(number).token()
}

/// A token is the number of an account; the role is what the database says.
struct Numbers {
    store: Store,
}

impl TokenVerifier for Numbers {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move {
            let id = account(token.parse().map_err(|_| TokenFault::Invalid)?);
            let standing = self.store.read(move |tx| identity::standing(tx, id)).await;
            let standing = standing.map_err(TokenFault::Unavailable)?.ok_or(TokenFault::Invalid)?;
            Ok(Caller { role: standing.role, ..Caller::player(id) })
        })
    }
}

/// The settings of a planet that has a secret.
struct Settings;

impl staff::System for Settings {
    fn configuration(&self) -> String {
        "[planet]\nseed = 1  # default\n".to_owned()
    }

    fn limits(&self) -> Vec<(String, String)> {
        vec![("trade".to_owned(), "5/min burst 10".to_owned())]
    }
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) vault: Vault,
    pub(crate) market: Arc<MarketService>,
    router: Router,
}

/// Runs a test on a world on each engine.
pub(crate) fn on_each(test: impl AsyncFn(World)) {
    for_each_engine(&migrations(), async |store| test(World::new(store).await).await);
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// Status and problem code, or an empty code.
    pub(crate) fn outcome(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }

    pub(crate) fn id(&self, name: &str) -> Uuid {
        let id = self.body[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.body));
        id.parse().expect("an id")
    }
}

impl World {
    async fn new(store: Store) -> Self {
        let clock = Arc::new(ManualClock::at(NOW_US));
        let vault = Vault::for_test(&store).await;
        let planet = Arc::clone(&PLANET);
        let wake = events::Wake::default();
        let tokens = AccessTokens::new(Uuid::nil(), &SigningKey::from_secret([9; 32]));
        let identity = identity::Deps::for_test(store.clone(), clock.clone(), tokens, vault.clone());
        let land = Arc::new(LandService::new(land::Deps {
            store: store.clone(),
            planet: Arc::clone(&planet),
            presence: Arc::new(|_| None),
            account_names: Arc::new(identity::display_names),
            group_names: Arc::new(|_, _| Ok(std::collections::HashMap::new())),
            authority: Arc::new(|_, _, _| Ok(false)),
            agents: Arc::new(|_, _| Ok(Vec::new())),
            wake: wake.clone(),
            public_origin: None,
            economy: Economy::embedded(),
            clock: clock.clone(),
        }));
        let market = MarketService::new(market::Deps {
            store: store.clone(),
            clock: clock.clone(),
            terms: Arc::new(Terms::of(Economy::embedded()).expect("the table is sound")),
            acting: Acting {
                may_act: Arc::new(|_, _, _| Ok(false)),
                agents: Arc::new(|_, _| Ok(Vec::new())),
            },
            display_name: Arc::new(identity::display_name),
            group_name: Arc::new(|_, _| Ok(None)),
            lot_level: land.lot_level(),
            radius_m: planet.radius_m(),
            wake: wake.clone(),
        });
        let tenure = Arc::new(Tenure::new(tenure::Deps {
            store: store.clone(),
            clock: clock.clone(),
            lot_level: land.lot_level(),
            economy: Economy::embedded(),
            authority: Arc::new(|_, _, _| Ok(false)),
            name: Arc::new(identity::display_name),
            agents: Arc::new(|_, _| Ok(Vec::new())),
            last_seen: Arc::new(identity::last_seen),
            wake: wake.clone(),
        }));
        let staff = Arc::new(Staff::new(staff::Deps {
            store: store.clone(),
            clock: clock.clone(),
            vault: vault.clone(),
            identity: Arc::new(Identity::new(identity)),
            land: Arc::clone(&land),
            market: Arc::clone(&market),
            group_name: Arc::new(|_, _| Ok(None)),
            agents: Arc::new(|_, _| Ok(Vec::new())),
            cooling_off_us: 7 * DAY_US,
            data_asked: Arc::new(|| {}),
            zone: None,
            radius_m: planet.radius_m(),
            system: Arc::new(Settings),
            second_person_minor: SECOND_PERSON_MINOR,
            wake,
        }));
        let verifier: Verifier = Arc::new(Numbers { store: store.clone() });
        let (routes, _) = land::routes(land)
            .merge(market::routes(Arc::clone(&market)))
            .merge(tenure::routes(tenure))
            .merge(staff::routes(staff))
            .split_for_parts();
        for (number, role) in PEOPLE {
            add(&store, number, role).await;
        }
        Self { store, clock, vault, market, router: routes.layer(Extension(verifier)) }
    }

    /// Asks as somebody; a decision has its own key.
    pub(crate) async fn ask(&self, who: u128, method: Method, path: &str, body: Value) -> Answer {
        self.ask_as(who, &Uuid::now_v7().to_string(), method, path, body).await
    }

    pub(crate) async fn ask_as(
        &self,
        who: u128,
        key: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {who}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) })
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.expect("the router never fails");
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    pub(crate) async fn post(&self, who: u128, path: &str, body: Value) -> Answer {
        self.ask(who, Method::POST, path, body).await
    }

    pub(crate) async fn get(&self, who: u128, path: &str) -> Answer {
        self.ask(who, Method::GET, path, Value::Null).await
    }

    /// An act with a reason; its outcome.
    pub(crate) async fn act(&self, who: u128, path: &str) -> (u16, String) {
        let answer = self.post(who, path, json!({"reason": "a test"})).await;
        let (status, code) = answer.outcome();
        (status, code.to_owned())
    }

    /// Makes some free lots somebody's.
    pub(crate) async fn own(&self, number: u128, lots: &'static [u64]) {
        let owner = account(number);
        let given = self.store.locked(move |tx| {
            let lots: Vec<CellId> = lots.iter().map(|it| lot(*it)).collect();
            land::testing::give(tx, &lots, owner, NOW_US).map(drop)
        });
        given.await.unwrap();
    }

    pub(crate) async fn owner_of(&self, number: u64) -> Option<u128> {
        let facts = self.store.read(move |tx| land::parcel(tx, lot(number))).await.unwrap();
        facts.map(|it| it.owner_id.as_u128())
    }

    /// What somebody can spend.
    pub(crate) async fn available(&self, number: u128) -> i64 {
        let of = ledger::AccountRef::Wallet(account(number));
        let found = self.store.read(move |tx| wallet::available(tx, of, &ledger::AssetId::coin())).await;
        found.unwrap().minor()
    }

    /// Actions on record about something, the oldest first.
    pub(crate) async fn on_record(&self, subject: &str) -> Vec<String> {
        let subject = subject.to_owned();
        let found = self.store.serializable(move |tx| {
            audit::seal(tx, 1_000)?;
            let filter = audit::Filter { subject: Some(subject.clone()), ..audit::Filter::default() };
            audit::list(tx, &filter, 100)
        });
        let mut actions: Vec<String> = found.await.unwrap().into_iter().map(|it| it.action.clone()).collect();
        actions.reverse();
        actions
    }

    /// The kinds of events told to somebody alone.
    pub(crate) async fn told(&self, number: u128) -> Vec<String> {
        let id = account(number);
        let found = self.store.locked(move |tx| {
            let rows = tx.query(
                "select kind, account_ids from events where audience = 'accounts' order by event_id",
                params![],
            )?;
            let mut kinds = Vec::new();
            for row in rows {
                let accounts: Vec<u8> = row.get(1)?;
                if accounts.chunks(16).any(|it| it == id.as_bytes()) {
                    kinds.push(row.get::<String>(0)?);
                }
            }
            Ok::<_, store::Error>(kinds)
        });
        found.await.unwrap()
    }

    /// Books and land agree with themselves and each other.
    pub(crate) async fn check_sound(&self) {
        let (books, land) = self
            .store
            .read(|tx| Ok::<_, store::Error>((wallet::verify(tx)?.faults, land::verify(tx)?)))
            .await
            .unwrap();
        assert!(books.is_empty() && land.is_empty(), "{books:?} {land:?}");
    }
}

async fn add(store: &Store, number: u128, role: Role) {
    let id = account(number);
    let added = store.locked(move |tx| {
        let name = format!("Person {number:03}");
        let key = identity::staff::search_key_of(&name);
        tx.execute(
            "insert into accounts (account_id, display_name, color, created_at, search_key, role) \
             values ($1, $2, 0, $3, $4, $5)",
            params![id, name, NOW_US, key, role.name()],
        )?;
        wallet::open_for(tx, id, NOW_US).map(drop)
    });
    added.await.unwrap();
}
