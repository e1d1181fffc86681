//! How many postings a second the books take, in batches of growing size: `PostgreSQL` if `TERRANE_TEST_POSTGRES` is
//! set (`scripts/with-postgres --durable cargo run --release -p wallet --example post_throughput`), `SQLite` always.
//!
//! Each posting is a transfer of coins between two of 10,000 accounts. One at a time and in batches take turns, so that
//! the ratio holds on a machine that others use too.

use std::time::Instant;

use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use rand::RngExt;
use store::Store;
use store::testing::TestDatabase;
use uuid::Uuid;

const ACCOUNTS: u128 = 10_000;
const NOW_US: i64 = 1_763_715_600_000_000;
const ROUNDS: usize = 5;
const ROUND_S: f64 = 1.0;
const BATCHES: [usize; 5] = [1, 16, 64, 256, 512];

fn transfer(client_id: String, from: u128, to: u128, minor: i64) -> Posting {
    let (from, to) = (AccountRef::Wallet(Uuid::from_u128(from)), AccountRef::Wallet(Uuid::from_u128(to)));
    Posting::of(PostingKind::Transfer, client_id, "")
        .transfer(from, to, &AssetId::coin(), Amount::try_from_minor(minor).expect("small"))
        .finish()
        .expect("two legs of one amount")
}

async fn furnish(store: &Store) {
    for first in (1..=ACCOUNTS).step_by(500) {
        let grants: Vec<_> = (first..first + 500)
            .map(|n| {
                Posting::of(PostingKind::WelcomeGrant, format!("start {n}"), "")
                    .transfer(
                        AccountRef::Mint,
                        AccountRef::Wallet(Uuid::from_u128(n)),
                        &AssetId::coin(),
                        Amount::try_from_minor(1_000_000).expect("small"),
                    )
                    .finish()
                    .expect("two legs of one amount")
            })
            .collect();
        store.locked(move |tx| wallet::post_all(tx, &grants, NOW_US)).await.expect("it is stored");
    }
}

/// Postings a second in transactions of `count`.
async fn measure(store: &Store, count: usize, number: &mut u64) -> f64 {
    let (started, mut posted) = (Instant::now(), 0);
    while started.elapsed().as_secs_f64() < ROUND_S {
        let postings: Vec<_> = (0..count)
            .map(|_| {
                *number += 1;
                let mut random = rand::rng();
                let from = random.random_range(1..=ACCOUNTS);
                let to = 1 + (from + random.random_range(0..ACCOUNTS - 1)) % ACCOUNTS;
                transfer(format!("transfer {number}"), from, to, random.random_range(1..100))
            })
            .collect();
        let fates =
            store.locked(move |tx| wallet::post_all(tx, &postings, NOW_US)).await.expect("it is stored");
        assert!(fates.iter().all(Result::is_ok), "everybody has enough");
        posted += count;
    }
    posted as f64 / started.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    let migrations = [wallet::MIGRATIONS, events::MIGRATIONS].concat();
    for database in TestDatabase::each() {
        let store = database.open(&migrations).await;
        furnish(&store).await;
        let mut number = 0;
        let mut rates = [const { Vec::new() }; BATCHES.len()];
        for _ in 0..ROUNDS {
            for (rates, count) in rates.iter_mut().zip(BATCHES) {
                rates.push(measure(&store, count, &mut number).await);
            }
        }
        println!("{}:", database.engine().name());
        let one = median(&rates[0]);
        for (rates, count) in rates.iter().zip(BATCHES) {
            println!("  {count:>4} together: {:>8.0} postings/s, x{:.1}", median(rates), median(rates) / one);
        }
        let report = store.read(wallet::verify).await.expect("it can be read");
        assert!(report.is_sound(), "{:?}", report.faults);
        store.close().await;
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
