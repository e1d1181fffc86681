//! What being on record costs a batch of sales: the books of 500 sales in one transaction, alone and with their
//! entries; and what it costs to seal the entries afterwards. `SQLite` always, `PostgreSQL` under `scripts/with-postgres
//! --durable cargo run --release -p audit --example cost`. The variants take turns, so that their ratio holds on a
//! machine that others use too.

use std::time::Instant;

use audit::{Actor, Entry};
use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use serde_json::json;
use store::Store;
use store::testing::TestDatabase;
use uuid::Uuid;

const SALES: u128 = 500;
const ROUNDS: u128 = 15;
const NOW_US: i64 = 1_763_715_600_000_000;

fn amount(minor: i64) -> Amount {
    Amount::try_from_minor(minor).expect("small")
}

/// Money from buyer to seller, fee and tax; a deed the other way costs the same as another leg.
fn sale(round: u128, n: u128) -> Posting {
    let (buyer, seller) =
        (AccountRef::Wallet(Uuid::from_u128(1 + n)), AccountRef::Wallet(Uuid::from_u128(10_000 + n)));
    let coin = AssetId::coin();
    Posting::of(PostingKind::Sale, format!("sale {round} {n}"), format!("lot:{n:x}"))
        .leg(buyer, coin.clone(), amount(-100))
        .leg(seller, coin.clone(), amount(97))
        .leg(AccountRef::Fees, coin.clone(), amount(2))
        .leg(AccountRef::Tax, coin, amount(1))
        .finish()
        .expect("the parts sum to the whole")
}

/// As `land` writes it for a title.
fn entry(n: u128) -> Entry {
    let (buyer, seller) = (Uuid::from_u128(1 + n), Uuid::from_u128(10_000 + n));
    Entry {
        at_us: NOW_US,
        actor: Actor::account(buyer),
        action: "land.ownership_changed",
        subject_kind: "land",
        subject_id: format!("{n:016x}"),
        reason: None,
        details: json!({
            "why": "sale", "from_id": seller, "to_id": buyer, "price_minor": 100, "currency": "coin",
            "posting_id": Uuid::from_u128(n), "other_parcel": null,
        }),
    }
}

async fn book(store: &Store, round: u128, is_recorded: bool) -> f64 {
    let started = Instant::now();
    let booked = store.locked(move |tx| {
        let sales: Vec<Posting> = (0..SALES).map(|n| sale(round, n)).collect();
        let fates = wallet::post_all(tx, &sales, NOW_US)?;
        assert!(fates.iter().all(Result::is_ok), "everybody has enough");
        if is_recorded {
            let entries: Vec<Entry> = (0..SALES).map(entry).collect();
            audit::record_all(tx, &entries)?;
        }
        Ok::<_, store::Error>(())
    });
    booked.await.expect("it is stored");
    started.elapsed().as_secs_f64() * 1e3
}

async fn seal(store: &Store) -> f64 {
    let started = Instant::now();
    while store.locked(|tx| audit::seal(tx, 256)).await.expect("it is sealed") == 256 {}
    started.elapsed().as_secs_f64() * 1e3
}

#[tokio::main]
async fn main() {
    let migrations = [wallet::MIGRATIONS, audit::MIGRATIONS].concat();
    for database in TestDatabase::each() {
        let store = database.open(&migrations).await;
        let grants: Vec<Posting> = (0..SALES)
            .map(|n| {
                Posting::of(PostingKind::WelcomeGrant, format!("start {n}"), "")
                    .transfer(
                        AccountRef::Mint,
                        AccountRef::Wallet(Uuid::from_u128(1 + n)),
                        &AssetId::coin(),
                        amount(1_000_000),
                    )
                    .finish()
                    .expect("two legs of one amount")
            })
            .collect();
        store.locked(move |tx| wallet::post_all(tx, &grants, NOW_US)).await.expect("it is stored");
        let (mut alone, mut recorded, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            alone.push(book(&store, 2 * round, false).await);
            recorded.push(book(&store, 2 * round + 1, true).await);
            sealed.push(seal(&store).await);
        }
        let (alone, recorded, sealed) = (median(&mut alone), median(&mut recorded), median(&mut sealed));
        println!("{}: {SALES} sales in one transaction, medians of {ROUNDS}", database.engine().name());
        println!("  the books alone      {alone:>7.1} ms");
        println!("  and put on record    {recorded:>7.1} ms, +{:.0} %", 100.0 * (recorded / alone - 1.0));
        println!("  sealed afterwards    {sealed:>7.1} ms");
        let report = store.read(audit::verify).await.expect("it can be read");
        assert!(report.is_sound() && report.entries == (SALES * ROUNDS) as i64, "{:?}", report.faults);
        store.close().await;
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
