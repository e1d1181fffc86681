//! Whatever is changed behind the books' back is found, on both engines.

mod support;

use ledger::{AccountRef, AssetId, Posting, PostingKind};
use store::testing::for_each_engine;
use store::{Store, params};
use support::{NOW_US, assert_sound, bid, coins, deed, id, minor, post, report, seal_all, wallet_of};
use wallet::{Checker, Fault, MIGRATIONS};

/// Two players, a deed, a hold, six postings, all but one of them sealed.
async fn furnish(store: &Store) {
    post(store, &coins("a", AccountRef::Mint, wallet_of(1), 100)).await.expect("it is booked");
    post(store, &coins("b", wallet_of(1), wallet_of(2), 40)).await.expect("it is booked");
    post(store, &coins("c", wallet_of(2), wallet_of(1), 7)).await.expect("it is booked");
    post(store, &coins("d", wallet_of(1), AccountRef::Treasury, 2)).await.expect("it is booked");
    let claim = Posting::of(PostingKind::LandClaim, "e", "lot:4b")
        .transfer(AccountRef::LandOffice, wallet_of(1), &deed("4b"), minor(1))
        .finish()
        .expect("it is booked");
    post(store, &claim).await.expect("it is booked");
    store.locked(|tx| wallet::hold(tx, &bid(1, 2, 20, None), NOW_US)).await.expect("it is booked");
    seal_all(store).await;
    post(store, &coins("f", AccountRef::Treasury, wallet_of(2), 1)).await.expect("it is booked");
    assert_sound(store).await;
}

/// Changes something with checks off, as whoever holds the file can, and gives what the proof says to it. Undone
/// afterwards: the report travels out in the error.
async fn tamper(store: &Store, statements: &'static [&'static str]) -> Vec<Fault> {
    #[derive(Debug)]
    struct Found(Vec<Fault>);
    impl From<store::Error> for Found {
        fn from(error: store::Error) -> Self {
            panic!("{error}")
        }
    }
    let outcome: Result<(), Found> = store
        .locked(move |tx| {
            for sql in statements {
                tx.execute(sql, params![])?;
            }
            Err(Found(wallet::verify(tx)?.faults))
        })
        .await;
    outcome.expect_err("it is undone").0
}

fn codes(faults: &[Fault]) -> Vec<&'static str> {
    let mut codes = Vec::new();
    for code in faults.iter().map(Fault::code) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

#[test]
fn every_kind_of_fault_is_found() {
    // Postings a to f are sealed in this order, f is not.
    let cases: &[(&'static [&'static str], &[&str])] = &[
        (
            &[
                "update balances set amount = amount + 1 where ledger_account_id = (select ledger_account_id from \
               ledger_accounts where kind = 'treasury')",
            ],
            &["asset_not_zero", "balance_not_legs"],
        ),
        // Money moved from one to the other without a posting.
        (
            &[
                "update balances set amount = amount - 5 where amount = 65",
                "update balances set amount = amount + 5 where amount = 34",
            ],
            &["balance_not_legs"],
        ),
        (
            &["update legs set amount = 41 where amount = 40"],
            &["running_wrong", "balance_not_legs", "posting_not_zero", "chain_broken"],
        ),
        (
            &["update legs set balance_after = 99 where balance_after = 60"],
            &["running_wrong", "chain_broken"],
        ),
        (
            &["delete from legs where amount = 40 or amount = -40"],
            &["running_wrong", "balance_not_legs", "posting_empty", "chain_broken"],
        ),
        // A leg and what it did taken out of a balance together.
        (
            &[
                "delete from legs where amount = 7",
                "update balances set amount = amount - 7, leg_count = 3 \
               where amount = 65",
            ],
            &["asset_not_zero", "running_wrong", "posting_not_zero", "chain_broken"],
        ),
        (&["update balances set leg_count = leg_count + 1 where amount = 65"], &["running_wrong"]),
        (&["update balances set held = held - 1 where held = 20"], &["held_not_holds"]),
        (
            &["update holds set state = 'voided', settled_at = created_at where state = 'pending'"],
            &["held_not_holds"],
        ),
        (&["update holds set amount = 21 where state = 'pending'"], &["held_not_holds"]),
        (&["update balances set amount_min = -5 where amount = 65"], &["no_issuer"]),
        (&["update postings set reference = 'other' where client_id = 'b'"], &["chain_broken"]),
        (&["update postings set client_id = 'z' where client_id = 'a'"], &["chain_broken"]),
        (&["update postings set kind = 'sale' where client_id = 'c'"], &["chain_broken"]),
        (&["delete from posting_chain where chain_number = 5"], &["not_sealed", "chain_cut"]),
        (&["delete from posting_chain where chain_number = 2"], &["not_sealed", "chain_broken"]),
        (
            &["update posting_chain set chain_number = 6 where chain_number = 5"],
            &["chain_broken", "chain_cut"],
        ),
        (&["update chain_head set chain_number = 4"], &["chain_cut"]),
        (&["delete from unsealed_postings"], &["not_sealed"]),
        (
            &[
                "insert into unsealed_postings (posting_id) select posting_id from postings where client_id = 'a'",
            ],
            &["not_sealed"],
        ),
    ];
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        for (statements, expected) in cases {
            let faults = tamper(&store, statements).await;
            assert_eq!(codes(&faults), *expected, "{statements:?}: {faults:?}");
        }
        assert_sound(&store).await;
    });
}

/// The database's own guards off, a deed in two accounts and one in none that was issued.
#[test]
fn a_deed_is_in_exactly_one_account() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        let doubled: &[&str] = &["insert into balances (ledger_account_id, asset_id, amount, amount_min) \
             select ledger_account_id, 'deed:4b', 1, 0 from ledger_accounts where kind = 'treasury'"];
        let faults = tamper(&store, doubled).await;
        assert!(
            faults.contains(&Fault::DeedNotOnce { asset: "deed:4b".to_owned(), holders: 2 }),
            "{faults:?}"
        );
        let lost: &[&str] = &["update balances set amount = 0 where asset_id = 'deed:4b' and amount = 1"];
        let faults = tamper(&store, lost).await;
        assert!(
            faults.contains(&Fault::DeedNotOnce { asset: "deed:4b".to_owned(), holders: 0 }),
            "{faults:?}"
        );
        // Given back to the office it is nowhere, and that is right.
        let back = Posting::of(PostingKind::LandAbandon, "g", "lot:4b")
            .transfer(wallet_of(1), AccountRef::LandOffice, &deed("4b"), minor(1))
            .finish()
            .unwrap();
        post(&store, &back).await.unwrap();
        assert_sound(&store).await;
    });
}

#[test]
fn what_waits_for_its_seal_is_counted_and_no_fault() {
    for_each_engine(MIGRATIONS, async |store| {
        post(&store, &coins("a", AccountRef::Mint, wallet_of(1), 100)).await.unwrap();
        seal_all(&store).await;
        // Whatever the clock says.
        for at in [NOW_US - 3_600_000_000, NOW_US + 3_600_000_000] {
            let posting = coins(&format!("{at}"), AccountRef::Mint, wallet_of(1), 1);
            store.locked(move |tx| wallet::post(tx, &posting, at)).await.unwrap();
        }
        assert_sound(&store).await;
        let waiting = report(&store).await;
        assert_eq!((waiting.chain_head.0, waiting.unsealed), (1, 2));
        seal_all(&store).await;
        assert_sound(&store).await;
        assert_eq!(report(&store).await.chain_head.0, 3);
    });
}

/// The same walk in small steps, over balances with more legs than a step takes; a fault shows, and stays until a
/// whole pass found nothing.
#[test]
fn the_checker_goes_round_and_raises_its_alarm() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        for batch in 0..4 {
            let many: Vec<_> = (0..1000)
                .map(|n| coins(&format!("many {batch} {n}"), AccountRef::Mint, wallet_of(3 + n % 200), 1))
                .collect();
            store.locked(move |tx| wallet::post_all(tx, &many, NOW_US)).await.unwrap();
        }
        seal_all(&store).await;
        let mut checker = Checker::open(store.clone()).await.unwrap();
        let mut steps = 0;
        let mut pass = async |checker: &mut Checker| loop {
            steps += 1;
            let checked = checker.step(NOW_US + steps).await.unwrap();
            if checked.is_pass_end {
                return checked;
            }
        };
        let first = pass(&mut checker).await;
        assert_eq!((first.faults, first.passed_at_us.is_some()), (0, true));
        let break_it = "update balances set amount = amount + 1 where amount = 20";
        let mend_it = "update balances set amount = amount - 1 where amount = 21";
        let changed = store.locked(move |tx| tx.execute(break_it, params![])).await.unwrap();
        assert!(changed > 0);
        // A new one goes on where the old one was.
        let mut checker = Checker::open(store.clone()).await.unwrap();
        assert_eq!(pass(&mut checker).await.faults, changed);
        store.locked(move |tx| tx.execute(mend_it, params![])).await.unwrap();
        assert_eq!(checker.step(NOW_US).await.unwrap().faults, changed, "the alarm stays");
        assert_eq!(pass(&mut checker).await.faults, 0);
        assert_sound(&store).await;
    });
}

/// A chain head written down elsewhere shows that the past was changed, even by somebody who makes the chain anew.
#[test]
fn a_chain_made_anew_has_another_end() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        seal_all(&store).await;
        let written_down = report(&store).await.chain_head;
        assert_eq!(written_down.0, 6);
        store
            .locked(|tx| {
                tx.execute("update postings set reference = 'other' where client_id = 'b'", params![])?;
                tx.execute("delete from posting_chain", params![])?;
                tx.execute("delete from chain_head", params![])?;
                tx.execute(
                    "insert into unsealed_postings (posting_id) select posting_id from postings",
                    params![],
                )
            })
            .await
            .unwrap();
        seal_all(&store).await;
        assert_sound(&store).await;
        let anew = report(&store).await.chain_head;
        assert_eq!(anew.0, written_down.0);
        assert_ne!(anew.1, written_down.1);
    });
}

/// Two who seal at once make one chain.
#[test]
fn many_seal_and_post_at_once_and_the_chain_is_one() {
    for_each_engine(MIGRATIONS, async |store| {
        let tasks: Vec<_> = (0..60u128)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move {
                    post(&store, &coins(&format!("{n}"), AccountRef::Mint, wallet_of(n % 7), 1))
                        .await
                        .unwrap();
                    store.locked(|tx| wallet::seal(tx, 3)).await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        seal_all(&store).await;
        let report = report(&store).await;
        assert!(report.is_sound(), "{:?}", report.faults);
        assert_eq!((report.chain_head.0, report.unsealed), (60, 0));
        assert_eq!(store.read(|tx| wallet::find_hold(tx, id(1))).await, Ok(None));
        let coin = store.read(|tx| wallet::balance(tx, AccountRef::Mint, &AssetId::coin())).await.unwrap();
        assert_eq!(coin.minor(), -60);
    });
}
