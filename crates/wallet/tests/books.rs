//! The books keep what they promise, on both engines.

use std::collections::BTreeMap;

use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use store::testing::{for_each_engine, prepare_all};
use store::{Store, params};
use uuid::Uuid;
use wallet::{MIGRATIONS, PostError, Posted};

const NOW_US: i64 = 1_763_715_600_000_000;

fn wallet_of(n: u128) -> AccountRef {
    AccountRef::Wallet(Uuid::from_u128(n))
}

fn minor(minor: i64) -> Amount {
    Amount::try_from_minor(minor).expect("a small amount")
}

fn coins(client_id: &str, from: AccountRef, to: AccountRef, amount: i64) -> Posting {
    Posting::of(PostingKind::LandClaim, client_id, "test")
        .transfer(from, to, &AssetId::coin(), minor(amount))
        .finish()
        .expect("a transfer is balanced")
}

async fn post(store: &Store, posting: &Posting) -> Result<Posted, PostError> {
    let posting = posting.clone();
    store.locked(move |tx| wallet::post(tx, &posting, NOW_US)).await
}

async fn balance(store: &Store, account: AccountRef) -> i64 {
    store
        .read(move |tx| wallet::balance(tx, account, &AssetId::coin()))
        .await
        .expect("it can be read")
        .minor()
}

async fn assert_sound(store: &Store) {
    let report = store.read(wallet::verify).await.expect("it can be read");
    assert!(report.is_sound(), "{:?}", report.faults);
    assert!(report.sums.values().all(|it| *it == 0), "{:?}", report.sums);
}

#[test]
fn every_statement_is_understood() {
    let migrations = [MIGRATIONS, api::MIGRATIONS, events::MIGRATIONS].concat();
    for_each_engine(&migrations, async |store| prepare_all(&store, wallet::STATEMENTS).await);
}

#[test]
fn a_newcomer_is_welcomed_exactly_once_however_many_ask() {
    for_each_engine(MIGRATIONS, async |store| {
        let tasks: Vec<_> = (0..60u128)
            .map(|n| {
                let store = store.clone();
                let account = Uuid::from_u128(n % 6);
                tokio::spawn(
                    async move { store.locked(move |tx| wallet::open_for(tx, account, NOW_US)).await },
                )
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(()));
        }
        for n in 0..6 {
            assert_eq!(balance(&store, wallet_of(n)).await, wallet::WELCOME_GRANT.minor());
        }
        assert_eq!(balance(&store, AccountRef::Mint).await, -6 * wallet::WELCOME_GRANT.minor());
        assert_sound(&store).await;
    });
}

#[test]
fn nobody_gives_what_they_do_not_have() {
    for_each_engine(MIGRATIONS, async |store| {
        post(&store, &coins("a", AccountRef::Mint, wallet_of(1), 100)).await.unwrap();
        let refused = post(&store, &coins("b", wallet_of(1), wallet_of(2), 101)).await;
        let facts = |account, available, needed| {
            let (available, needed) = (minor(available), minor(needed));
            Err(PostError::InsufficientFunds { account, asset: AssetId::coin(), available, needed })
        };
        assert_eq!(refused, facts(wallet_of(1), 100, 101));
        let refused = post(&store, &coins("b", wallet_of(2), wallet_of(1), 1)).await;
        assert_eq!(refused, facts(wallet_of(2), 0, 1));
        let refused = post(&store, &coins("b", AccountRef::Treasury, wallet_of(1), 1)).await;
        assert_eq!(refused, facts(AccountRef::Treasury, 0, 1));
        post(&store, &coins("b", wallet_of(1), wallet_of(2), 100)).await.unwrap();
        assert_eq!((balance(&store, wallet_of(1)).await, balance(&store, wallet_of(2)).await), (0, 100));
        assert_sound(&store).await;
    });
}

#[test]
fn nobody_holds_more_than_can_be_counted() {
    for_each_engine(MIGRATIONS, async |store| {
        let all = Amount::MAX.minor();
        post(&store, &coins("a", AccountRef::Mint, wallet_of(1), all)).await.unwrap();
        let refused = post(&store, &coins("b", AccountRef::Mint, wallet_of(2), 1)).await;
        assert!(matches!(refused, Err(PostError::InsufficientFunds { account: AccountRef::Mint, .. })));
        let back = Posting::of(PostingKind::LandClaim, "c", "test")
            .transfer(AccountRef::Treasury, wallet_of(1), &AssetId::coin(), minor(1))
            .finish()
            .unwrap();
        let refused = post(&store, &back).await;
        assert_eq!(refused, Err(PostError::TooMuch { account: wallet_of(1), asset: AssetId::coin() }));
        assert_sound(&store).await;
    });
}

#[test]
fn the_same_posting_twice_is_one_and_another_under_its_name_is_refused() {
    for_each_engine(MIGRATIONS, async |store| {
        let first = post(&store, &coins("a", AccountRef::Mint, wallet_of(1), 100)).await.unwrap();
        let second = post(&store, &coins("a", AccountRef::Mint, wallet_of(1), 100)).await.unwrap();
        assert_eq!(second, Posted { posting_id: first.posting_id, is_new: false });
        let other = post(&store, &coins("a", AccountRef::Mint, wallet_of(1), 99)).await;
        assert_eq!(other, Err(PostError::ClientIdTaken));
        assert_eq!(balance(&store, wallet_of(1)).await, 100);
    });
}

#[test]
fn a_deed_is_issued_once() {
    for_each_engine(MIGRATIONS, async |store| {
        let deed = AssetId::try_deed("4be64c3c").unwrap();
        let issue = |client_id: &str, to: AccountRef| {
            Posting::of(PostingKind::LandClaim, client_id, "test")
                .transfer(AccountRef::LandOffice, to, &deed, minor(1))
                .finish()
                .unwrap()
        };
        post(&store, &issue("a", wallet_of(1))).await.unwrap();
        let again = post(&store, &issue("b", wallet_of(2))).await;
        assert!(matches!(again, Err(PostError::InsufficientFunds { account: AccountRef::LandOffice, .. })));
        assert_sound(&store).await;
    });
}

/// Everybody gives to everybody at the same time; some of it cannot be.
#[test]
fn what_many_move_at_once_adds_up() {
    for_each_engine(MIGRATIONS, async |store| {
        for n in 0..4 {
            post(&store, &coins(&format!("start {n}"), AccountRef::Mint, wallet_of(n), 50)).await.unwrap();
        }
        let tasks: Vec<_> = (0..160u128)
            .map(|n| {
                let posting =
                    coins(&format!("{n}"), wallet_of(n % 4), wallet_of((n + 1 + n / 4 % 3) % 4), 30);
                let store = store.clone();
                tokio::spawn(async move { post(&store, &posting).await })
            })
            .collect();
        let mut booked = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => booked += 1,
                Err(PostError::InsufficientFunds { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert!(booked > 0);
        let mut total = 0;
        for n in 0..4 {
            total += balance(&store, wallet_of(n)).await;
        }
        assert_eq!(total, 200);
        assert_sound(&store).await;
    });
}

/// Random postings against a plain model of the books; after each step both agree and every asset sums to zero.
#[test]
fn the_books_equal_a_plain_model_after_every_posting() {
    for_each_engine(MIGRATIONS, async |store| {
        let seed: u64 =
            std::env::var("SEED").ok().and_then(|it| it.parse().ok()).unwrap_or_else(rand::random);
        println!("SEED={seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let mut model: BTreeMap<(AccountRef, AssetId), i64> = BTreeMap::new();
        let accounts = [
            wallet_of(1),
            wallet_of(2),
            wallet_of(3),
            AccountRef::Treasury,
            AccountRef::LandOffice,
            AccountRef::Mint,
        ];
        let (mut booked, mut refused) = (0, 0);
        for step in 0..250 {
            let mut builder = Posting::of(PostingKind::LandClaim, format!("step {step}"), "test");
            for _ in 0..random.random_range(1..3) {
                let [any, to] = [0; 2].map(|_| accounts[random.random_range(0..accounts.len())]);
                // The first ones bring money into circulation.
                let from = if step < 10 { AccountRef::Mint } else { any };
                let (asset, amount) = match random.random_range(0..6) {
                    0..4 => (AssetId::coin(), random.random_range(1..100)),
                    token => (AssetId::try_deed(&token.to_string()).unwrap(), 1),
                };
                builder = builder.transfer(from, to, &asset, minor(amount));
            }
            let Ok(posting) = builder.finish() else { continue };
            let after: Vec<_> = posting
                .legs()
                .iter()
                .map(|leg| {
                    let key = (leg.account, leg.asset.clone());
                    let amount = model.get(&key).copied().unwrap_or(0) + leg.amount.minor();
                    let is_allowed = amount >= leg.account.floor(&leg.asset).minor();
                    (key, amount, is_allowed)
                })
                .collect();
            let is_allowed = after.iter().all(|(_, _, is_allowed)| *is_allowed);
            match post(&store, &posting).await {
                Ok(_) => {
                    assert!(is_allowed, "step {step}: {posting:?} was booked");
                    model.extend(after.into_iter().map(|(key, amount, _)| (key, amount)));
                    booked += 1;
                }
                Err(PostError::InsufficientFunds { .. }) => {
                    assert!(!is_allowed, "step {step}: {posting:?} was refused");
                    refused += 1;
                }
                Err(other) => panic!("step {step}: {other}"),
            }
            assert_sound(&store).await;
            let keys: Vec<_> = model.keys().cloned().collect();
            let stored: Vec<i64> = store
                .read(move |tx| {
                    let read =
                        |(account, asset): &(AccountRef, AssetId)| wallet::balance(tx, *account, asset);
                    keys.iter().map(read).collect::<Result<Vec<_>, _>>()
                })
                .await
                .unwrap()
                .into_iter()
                .map(Amount::minor)
                .collect();
            assert_eq!(stored, model.values().copied().collect::<Vec<_>>(), "step {step}");
        }
        assert!(booked > 20 && refused > 20, "{booked} booked, {refused} refused");
    });
}

#[test]
fn the_database_itself_refuses_a_balance_below_its_least() {
    for_each_engine(MIGRATIONS, async |store| {
        post(&store, &coins("a", AccountRef::Mint, wallet_of(1), 100)).await.unwrap();
        let steal = "update balances set amount = amount - 101 where amount = 100";
        let refused = store.locked(|tx| tx.execute(steal, params![])).await;
        assert!(matches!(refused, Err(store::Error::Check { .. })), "{refused:?}");
    });
}
