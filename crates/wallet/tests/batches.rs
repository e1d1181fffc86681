//! Many postings at once, each with its own fate, and postings taken back, on both engines.

mod support;

use std::sync::Arc;

use api::ManualClock;
use ledger::{AccountRef, AssetId, Posting, PostingKind};
use store::Store;
use store::testing::for_each_engine;
use support::{NOW_US, assert_sound, balance, coins, id, minor, post, report, wallet_of};
use wallet::{Books, MIGRATIONS, PostError, Posted, ReverseError};

async fn post_all(store: &Store, postings: Vec<Posting>) -> Vec<Result<Posted, PostError>> {
    store.locked(move |tx| wallet::post_all(tx, &postings, NOW_US)).await.expect("it is stored")
}

async fn reverse(
    store: &Store,
    posting_id: uuid::Uuid,
    client_id: &'static str,
) -> Result<Posted, ReverseError> {
    store
        .locked(move |tx| wallet::reverse(tx, posting_id, client_id.to_owned(), "mistake".to_owned(), NOW_US))
        .await
}

#[test]
fn each_of_a_batch_is_decided_in_order_with_what_those_before_it_left() {
    for_each_engine(MIGRATIONS, async |store| {
        let fates = post_all(
            &store,
            vec![
                coins("a", AccountRef::Mint, wallet_of(1), 100),
                coins("b", wallet_of(1), wallet_of(2), 60),
                coins("c", wallet_of(1), wallet_of(3), 60),
                coins("d", wallet_of(2), wallet_of(3), 60),
                coins("b", wallet_of(1), wallet_of(2), 60),
                coins("b", wallet_of(1), wallet_of(2), 61),
                coins("c", wallet_of(1), wallet_of(3), 40),
                coins("e", wallet_of(3), wallet_of(1), 100),
            ],
        )
        .await;
        let new = |at: usize| fates[at].as_ref().is_ok_and(|it| it.is_new);
        assert!(new(0) && new(1) && new(3) && new(6) && new(7), "{fates:?}");
        assert!(
            matches!(fates[2], Err(PostError::InsufficientFunds { available, .. }) if available == minor(40))
        );
        assert_eq!(fates[4], Ok(Posted { is_new: false, ..fates[1].clone().unwrap() }));
        assert_eq!(fates[5], Err(PostError::ClientIdTaken));
        let ids: Vec<_> = [0, 1, 3].map(|at| fates[at].clone().unwrap().posting_id).to_vec();
        assert!(ids.is_sorted(), "later postings have higher ids");
        assert_eq!(balance(&store, wallet_of(1)).await, 100);
        assert_eq!((balance(&store, wallet_of(2)).await, balance(&store, wallet_of(3)).await), (0, 0));
        assert_eq!(report(&store).await.postings, 5, "what was refused is not there");
        assert_sound(&store).await;
        assert!(post_all(&store, Vec::new()).await.is_empty());
    });
}

/// Concurrent batches over few accounts, each posting sent twice.
#[test]
fn batches_that_meet_wait_for_each_other_and_lose_nothing() {
    for_each_engine(MIGRATIONS, async |store| {
        for n in 0..5 {
            post(&store, &coins(&format!("start {n}"), AccountRef::Mint, wallet_of(n), 1000)).await.unwrap();
        }
        let tasks: Vec<_> = (0..24u128)
            .map(|task| {
                let store = store.clone();
                let postings = (0..20u128)
                    .map(|n| {
                        let n = n + task / 2 * 20;
                        coins(&format!("{n}"), wallet_of(n % 5), wallet_of((n + 1 + n / 5 % 4) % 5), 7)
                    })
                    .collect();
                tokio::spawn(async move { post_all(&store, postings).await })
            })
            .collect();
        let mut booked = 0;
        for task in tasks {
            booked +=
                task.await.unwrap().into_iter().filter(|it| it.as_ref().is_ok_and(|it| it.is_new)).count();
        }
        assert_eq!(booked, 240);
        let mut total = 0;
        for n in 0..5 {
            total += balance(&store, wallet_of(n)).await;
        }
        assert_eq!(total, 5000);
        assert_sound(&store).await;
    });
}

#[test]
fn a_bad_posting_among_many_callers_fails_alone() {
    for_each_engine(MIGRATIONS, async |store| {
        let books = Arc::new(Books::start(store.clone(), Arc::new(ManualClock::at(NOW_US))));
        let tasks: Vec<_> = (0..200u128)
            .map(|n| {
                let books = Arc::clone(&books);
                let from = if n % 4 == 3 { wallet_of(1) } else { AccountRef::Mint };
                let posting = coins(&format!("{n}"), from, wallet_of(n + 2), 1);
                tokio::spawn(async move { (n, books.post(posting).await) })
            })
            .collect();
        for task in tasks {
            let (n, fate) = task.await.unwrap();
            assert_eq!(fate.is_ok(), n % 4 != 3, "{n}: {fate:?}");
        }
        books.close().await;
        assert!(books.post(coins("late", AccountRef::Mint, wallet_of(1), 1)).await.is_err());
        assert_eq!(balance(&store, AccountRef::Mint).await, -150);
        assert_sound(&store).await;
    });
}

#[test]
fn a_posting_is_taken_back_once_by_another() {
    for_each_engine(MIGRATIONS, async |store| {
        post(&store, &coins("a", AccountRef::Mint, wallet_of(1), 100)).await.unwrap();
        let gift = post(&store, &coins("b", wallet_of(1), wallet_of(2), 40)).await.unwrap().posting_id;
        let back = reverse(&store, gift, "back").await.unwrap();
        assert!(back.is_new);
        assert_eq!((balance(&store, wallet_of(1)).await, balance(&store, wallet_of(2)).await), (100, 0));
        assert_eq!(reverse(&store, gift, "back").await, Ok(Posted { is_new: false, ..back }));
        let again = reverse(&store, gift, "again").await;
        assert_eq!(again, Err(ReverseError::Post(PostError::ReversedBefore { posting_id: gift })));
        assert_eq!(reverse(&store, back.posting_id, "forth").await, Err(ReverseError::IsReversal));
        assert_eq!(reverse(&store, id(5), "nothing").await, Err(ReverseError::NotFound));
        assert!(matches!(reverse(&store, gift, "").await, Err(ReverseError::Invalid(_))));
        // Who has spent it cannot give it back.
        let gift = post(&store, &coins("c", wallet_of(1), wallet_of(2), 40)).await.unwrap().posting_id;
        post(&store, &coins("d", wallet_of(2), wallet_of(3), 1)).await.unwrap();
        let refused = reverse(&store, gift, "gone").await;
        assert!(
            matches!(refused, Err(ReverseError::Post(PostError::InsufficientFunds { .. }))),
            "{refused:?}"
        );
        post(&store, &coins("e", wallet_of(3), wallet_of(2), 1)).await.unwrap();
        assert!(reverse(&store, gift, "gone").await.is_ok());
        assert_sound(&store).await;
    });
}

/// The same posting taken back twice in one batch: in order, and the second only if the first is refused.
#[test]
fn of_two_reversals_in_a_batch_the_first_that_can_be_is_booked() {
    for_each_engine(MIGRATIONS, async |store| {
        let gift = post(&store, &coins("a", AccountRef::Mint, wallet_of(1), 10)).await.unwrap().posting_id;
        post(&store, &coins("b", wallet_of(1), wallet_of(2), 10)).await.unwrap();
        let back = |client_id: &str| {
            Posting::of(PostingKind::Reversal, client_id, "")
                .reversing(gift)
                .transfer(wallet_of(1), AccountRef::Mint, &AssetId::coin(), minor(10))
                .finish()
                .unwrap()
        };
        let batch = vec![back("z"), coins("c", wallet_of(2), wallet_of(1), 10), back("y"), back("x")];
        let fates = post_all(&store, batch).await;
        assert!(matches!(fates[0], Err(PostError::InsufficientFunds { .. })), "{fates:?}");
        assert!(fates[1].is_ok() && fates[2].is_ok(), "{fates:?}");
        assert_eq!(fates[3], Err(PostError::ReversedBefore { posting_id: gift }));
        assert_sound(&store).await;
    });
}

#[test]
fn many_who_take_one_posting_back_do_so_once() {
    for_each_engine(MIGRATIONS, async |store| {
        let gift = post(&store, &coins("a", AccountRef::Mint, wallet_of(1), 10)).await.unwrap().posting_id;
        post(&store, &coins("more", AccountRef::Mint, wallet_of(1), 90)).await.unwrap();
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let store = store.clone();
                let client_id: &'static str = format!("back {n}").leak();
                tokio::spawn(async move { reverse(&store, gift, client_id).await })
            })
            .collect();
        let mut booked = 0;
        for task in tasks {
            booked += u32::from(task.await.unwrap().is_ok());
        }
        assert_eq!((booked, balance(&store, wallet_of(1)).await), (1, 90));
        assert_sound(&store).await;
    });
}
