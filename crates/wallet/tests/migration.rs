//! Books of before migration 8 are whole after it, on both engines.

mod support;

use ledger::AccountRef;
use store::testing::TestDatabase;
use store::{Store, Tx, params};
use support::{NOW_US, assert_sound, balance, coins, id, post, report, seal_all, wallet_of};
use uuid::Uuid;
use wallet::MIGRATIONS;

/// Writes a posting as the program of then did.
fn post_as_before(tx: &mut Tx<'_>, n: u128, from: Uuid, to: Uuid, amount: i64) -> Result<(), store::Error> {
    tx.execute(
        "insert into postings (posting_id, client_id, kind, reference, posted_at) values ($1, $2, 'land_claim', '', $3)",
        params![id(1000 + n), format!("before {n}"), NOW_US + n as i64],
    )?;
    for (account, amount) in [(from, -amount), (to, amount)] {
        tx.execute(
            "update balances set amount = amount + $2 where ledger_account_id = $1",
            params![account, amount],
        )?;
        tx.execute(
            "insert into legs (posting_id, ledger_account_id, asset_id, amount) values ($1, $2, 'coin', $3)",
            params![id(1000 + n), account, amount],
        )?;
    }
    Ok(())
}

async fn live_before(store: &Store) {
    store
        .locked(|tx| {
            tx.execute("insert into assets (asset_id, kind, scale) values ('coin', 'coin', 2)", params![])?;
            let mint = AccountRef::Mint;
            for (account, kind, least) in
                [(mint.id(), "mint", -9_007_199_254_740_991i64), (id(1), "wallet", 0), (id(2), "wallet", 0)]
            {
                tx.execute(
                    "insert into ledger_accounts (ledger_account_id, kind, opened_at) values ($1, $2, $3)",
                    params![account, kind, NOW_US],
                )?;
                tx.execute(
                    "insert into balances (ledger_account_id, asset_id, amount, amount_min) values ($1, 'coin', 0, $2)",
                    params![account, least],
                )?;
            }
            for n in 0..30 {
                post_as_before(tx, n, mint.id(), id(1 + n % 2), 100)?;
                post_as_before(tx, 100 + n, id(1 + n % 2), id(2 - n % 2), 30)?;
            }
            Ok::<_, store::Error>(())
        })
        .await
        .expect("it is stored");
}

#[test]
fn old_books_get_their_numbers_and_their_chain() {
    for database in TestDatabase::each() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = database.open(&MIGRATIONS[..1]).await;
            live_before(&store).await;
            store.close().await;
            let store = database.open(MIGRATIONS).await;
            assert_sound(&store).await;
            assert_eq!(report(&store).await.unsealed, 60);
            seal_all(&store).await;
            assert_eq!(balance(&store, wallet_of(1)).await, 1500);
            post(&store, &coins("after", wallet_of(1), wallet_of(2), 1500)).await.unwrap();
            assert_sound(&store).await;
            let report = report(&store).await;
            assert_eq!((report.postings, report.chain_head.0), (61, 60));
            store.close().await;
        });
    }
}
