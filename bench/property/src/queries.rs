//! Questions to a full planet: ten million legs, a million parcels, on both engines; what they take and how they are
//! planned.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use api::{SystemClock, Verifier};
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use axum::{Extension, Router};
use cell::LatLng;
use land::LandService;
use planet::{Planet, PlanetSpec};
use postgres::{Client, NoTls};
use store::{Store, StoreConfig};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::load::{self, ACCOUNTS, Size};
use crate::rounds::{database, migrate};
use crate::sales::Numbers;
use crate::{Latencies, Random};

/// Questions of each kind.
const QUESTIONS: usize = 2_000;
/// Half the side of the square asked for, in degrees: a kilometre on a planet of default size.
const HALF_SIDE_DEG: f64 = 0.036;

pub(crate) fn measure(url: &str, size: Size) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let runtime = Runtime::new()?;
    let file = folder.path().join("planet.db");
    let on_sqlite = StoreConfig::Sqlite { path: file.clone() };
    migrate(&runtime, &on_sqlite)?;
    eprintln!("sqlite: loading {} parcels and {} legs", size.parcels, size.legs);
    let began = Instant::now();
    load::sqlite(&file, size)?;
    let sqlite_s = began.elapsed().as_secs_f64();
    let address = database(url, "questions")?;
    let on_postgres = StoreConfig::Postgres { url: address.clone(), max_connections: 8 };
    migrate(&runtime, &on_postgres)?;
    eprintln!("postgres: loading the same");
    let began = Instant::now();
    load::postgres(&address, size)?;
    let postgres_s = began.elapsed().as_secs_f64();
    println!(
        "loaded {} parcels and {} legs: sqlite {sqlite_s:.0} s, postgres {postgres_s:.0} s",
        size.parcels, size.legs
    );

    // How fine the ground is does not matter here.
    let planet = Arc::new(Planet::generate(PlanetSpec::for_test(1, 3)));
    println!("\n| question | engine | p50 ms | p95 ms | most ms |\n|---|---|---|---|---|");
    for (engine, config) in [("sqlite", on_sqlite), ("postgres", on_postgres)] {
        let store = runtime.block_on(Store::open(config))?;
        let asked = runtime.block_on(ask_all(&store, &planet, size));
        runtime.block_on(store.close());
        for (question, mut latencies) in asked? {
            let [p50, p95, most] = [0.5, 0.95, 1.0].map(|it| latencies.quantile_ms(it));
            println!("| {question} | {engine} | {p50:.2} | {p95:.2} | {most:.2} |");
        }
    }
    plans(&file, &address)
}

async fn ask_all(
    store: &Store,
    planet: &Arc<Planet>,
    size: Size,
) -> anyhow::Result<Vec<(&'static str, Latencies)>> {
    let router = router(store, planet);
    let mut asked = Vec::new();
    for (name, path) in QUESTIONS_BY_NAME {
        let (mut latencies, mut random) = (Latencies::default(), Random(11));
        for round in 0..QUESTIONS + QUESTIONS / 10 {
            let person = random.below(ACCOUNTS) * random.below(ACCOUNTS) / ACCOUNTS;
            let path = path(&mut random, size);
            let at = Instant::now();
            ask(&router, person, &path).await?;
            // The first tenth warms the caches of both sides.
            if round >= QUESTIONS / 10 {
                latencies.add(at.elapsed());
            }
        }
        asked.push((name, latencies));
    }
    Ok(asked)
}

/// A question as a path.
type PathOf = fn(&mut Random, Size) -> String;

const QUESTIONS_BY_NAME: [(&str, PathOf); 5] = [
    ("parcels in a box of 1 km, first page of 100", |random, size| {
        let (lat, lng) = somewhere(random, size);
        let (w, s, e, n) =
            (lng - HALF_SIDE_DEG, lat - HALF_SIDE_DEG, lng + HALF_SIDE_DEG, lat + HALF_SIDE_DEG);
        format!("/api/v1/lands?bbox={w:.5},{s:.5},{e:.5},{n:.5}&limit=100")
    }),
    ("parcels within 500 m, first page of 100", |random, size| {
        let (lat, lng) = somewhere(random, size);
        format!("/api/v1/lands?near={lat:.5},{lng:.5}&radius_m=500&limit=100")
    }),
    ("own parcels, first page of 50", |_, _| "/api/v1/lands/mine".to_owned()),
    ("balance", |_, _| "/api/v1/wallet".to_owned()),
    ("statement, first page of 50", |_, _| "/api/v1/wallet/statement?asset=coin".to_owned()),
];

/// In one of the towns, in degrees.
fn somewhere(random: &mut Random, size: Size) -> (f64, f64) {
    // Two in three of 16,384 lots are owned.
    let towns = size.parcels / 10_922;
    let lot = load::lot(load::town(random.below(towns.max(1))), random.below(16_384));
    let at = LatLng::from_point(lot.center());
    (at.lat_deg().clamp(-89.0, 89.0), at.lng_deg().clamp(-179.0, 179.0))
}

fn router(store: &Store, planet: &Arc<Planet>) -> Router {
    let land = Arc::new(LandService::new(land::Deps {
        store: store.clone(),
        planet: Arc::clone(planet),
        presence: Arc::new(|_| None),
        account_names: Arc::new(identity::display_names),
        group_names: Arc::new(|_, _| Ok(std::collections::HashMap::new())),
        authority: Arc::new(|_, _, _| Ok(false)),
        agents: Arc::new(|_, _| Ok(Vec::new())),
        public_origin: None,
        wake: events::Wake::default(),
        economy: wallet::Economy::embedded(),
        clock: Arc::new(SystemClock),
    }));
    let wallet = wallet::routes(wallet::Deps {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        authority: Arc::new(|_, _, _| Ok(false)),
        wake: events::Wake::default(),
    });
    let (router, _) = land::routes(land).merge(wallet).split_for_parts();
    let verifier: Verifier = Arc::new(Numbers);
    router.layer(Extension(verifier))
}

async fn ask(router: &Router, person: u64, path: &str) -> anyhow::Result<()> {
    let request =
        Request::get(path).header(header::AUTHORIZATION, format!("Bearer {person}")).body(Body::empty())?;
    let response = router.clone().oneshot(request).await?;
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 22).await?;
    ensure!(status.is_success(), "{path} was answered {status}: {}", String::from_utf8_lossy(&body));
    Ok(())
}

/// How each engine finds what is asked most: what must not stand there is a scan of a large table.
fn plans(file: &Path, address: &str) -> anyhow::Result<()> {
    const STATEMENTS: [(&str, &str); 3] = [
        (
            "lots of a range",
            "select c.cell, p.owner_id from parcel_cells c join parcels p on p.parcel_id = c.parcel_id \
             where c.cell > 5000000000000000000 and c.cell <= 5000000100000000000 order by c.cell limit 101",
        ),
        (
            "a statement",
            "select l.leg_number, p.posted_at, t.message from legs l join postings p on p.posting_id = l.posting_id \
             left join transfers t on t.posting_id = l.posting_id where l.ledger_account_id = {id} \
             and l.asset_id = 'coin' and l.leg_number < 100 order by l.leg_number desc limit 51",
        ),
        (
            "a balance",
            "select b.asset_id, b.amount, b.held, a.scale from assets a cross join balances b where a.kind = 'currency' \
             and b.ledger_account_id = {id} and b.asset_id = a.asset_id order by a.asset_id",
        ),
    ];
    let id = load::account_id(7);
    let db = rusqlite::Connection::open(file)?;
    let mut client = Client::connect(address, NoTls)?;
    println!();
    for (name, sql) in STATEMENTS {
        println!("{name}:");
        let text = sql.replace("{id}", &format!("x'{}'", id.simple()));
        let mut explain = db.prepare(&format!("explain query plan {text}"))?;
        for line in explain.query_map([], |row| row.get::<_, String>(3))? {
            println!("  sqlite    {}", line?);
        }
        let text = sql.replace("{id}", &format!("'{id}'"));
        for row in client.query(&format!("explain (costs off) {text}"), &[])? {
            println!("  postgres  {}", row.get::<_, String>(0));
        }
    }
    Ok(())
}
