//! The bank test: while many move money, every reader sees all of it, on both engines.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::ManualClock;
use ledger::AccountRef;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use store::testing::for_each_engine;
use store::{Store, params};
use support::{NOW_US, assert_sound, coins, minor, post, seal_all, wallet_of};
use wallet::{Books, HoldError, MIGRATIONS, PostError};

const CLIENTS: u64 = 32;
const ACCOUNTS: u128 = 10;
const EACH: i64 = 100;
const STEPS: u32 = 40;

/// All money of players, and how many have less than nothing or less than is held.
async fn audit(store: &Store) -> (i64, i64) {
    store
        .read(|tx| {
            let row = tx.query_one(
                "select cast(coalesce(sum(b.amount), 0) as bigint), \
                 cast(coalesce(sum(case when b.amount < 0 or b.held < 0 or b.held > b.amount then 1 else 0 end), 0) \
                 as bigint) from balances b join ledger_accounts a on a.ledger_account_id = b.ledger_account_id \
                 where a.kind = 'wallet' and b.asset_id = 'coin'",
                params![],
            )?;
            Ok::<_, store::Error>((row.get(0)?, row.get(1)?))
        })
        .await
        .expect("it can be read")
}

/// Transfers alone, through the group and out of holds; what cannot be is refused.
async fn client(store: Store, books: Arc<Books>, number: u64, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed + number);
    for step in 0..STEPS {
        let from = random.random_range(1..=ACCOUNTS);
        let to = 1 + (from + random.random_range(0..ACCOUNTS - 1)) % ACCOUNTS;
        let posting =
            coins(&format!("{number} {step}"), wallet_of(from), wallet_of(to), random.random_range(1..=EACH));
        let fate = match random.random_range(0..3) {
            0 => post(&store, &posting).await.map(drop),
            1 => books.post(posting).await.map(drop),
            _ => {
                let hold = support::bid(u128::from(number) << 32 | u128::from(step), from, 50, None);
                let outcome = store
                    .locked(move |tx| {
                        wallet::hold(tx, &hold, NOW_US)?;
                        wallet::change_hold(tx, hold.hold_id, minor(60), NOW_US)?;
                        if step % 2 == 0 {
                            return wallet::void_hold(tx, hold.hold_id, NOW_US);
                        }
                        wallet::post_hold(tx, hold.hold_id, &posting, NOW_US).map(drop)
                    })
                    .await;
                match outcome {
                    Ok(()) | Err(HoldError::InsufficientFunds { .. }) => Ok(()),
                    Err(HoldError::Post(error)) => Err(error),
                    Err(other) => panic!("{other}"),
                }
            }
        };
        match fate {
            Ok(()) | Err(PostError::InsufficientFunds { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn every_read_sums_to_the_total_and_nobody_is_below_zero() {
    let seed: u64 = std::env::var("SEED").ok().and_then(|it| it.parse().ok()).unwrap_or_else(rand::random);
    println!("SEED={seed}");
    for_each_engine(MIGRATIONS, async |store| {
        for n in 1..=ACCOUNTS {
            post(&store, &coins(&format!("start {n}"), AccountRef::Mint, wallet_of(n), EACH)).await.unwrap();
        }
        let books = Arc::new(Books::start(store.clone(), Arc::new(ManualClock::at(NOW_US))));
        let is_over = Arc::new(AtomicBool::new(false));
        let reader = tokio::spawn({
            let (store, is_over) = (store.clone(), Arc::clone(&is_over));
            async move {
                let mut reads = 0;
                while !is_over.load(Ordering::Relaxed) {
                    assert_eq!(audit(&store).await, (ACCOUNTS as i64 * EACH, 0));
                    reads += 1;
                }
                reads
            }
        });
        let clients: Vec<_> =
            (0..CLIENTS).map(|n| tokio::spawn(client(store.clone(), Arc::clone(&books), n, seed))).collect();
        for client in clients {
            client.await.unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        let reads = reader.await.unwrap();
        assert!(reads > 10, "{reads} reads");
        books.close().await;
        seal_all(&store).await;
        assert_sound(&store).await;
    });
}
