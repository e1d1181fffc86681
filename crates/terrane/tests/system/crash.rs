//! `kill -9` at any moment: what was acknowledged is there, and nothing is there by half.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use glam::DVec3;

use crate::claims::free_lots;
use crate::support::{Account, Server, run, wait_for};

const CLAIMANTS: usize = 6;
const LOTS: usize = 14;
const GRANT_MINOR: i64 = 50_000;

#[test]
fn every_acknowledged_claim_survives_kill_9_and_none_is_there_by_half() {
    let mut server = Server::start();
    // Acknowledged claims: lot, owner, price.
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let (accounts, lots) = run(async {
        let mut accounts = Vec::new();
        let mut present = Vec::new();
        for _ in 0..CLAIMANTS {
            let account = Account::new(&server).await;
            present.push(account.enter(&server).await);
            accounts.push(account);
        }
        let lots = Arc::new(free_lots(&accounts[0], LOTS).await);
        let next = Arc::new(AtomicUsize::new(0));
        let claimants: Vec<_> = accounts
            .iter()
            .cloned()
            .map(|account| {
                let (lots, next, acknowledged) =
                    (Arc::clone(&lots), Arc::clone(&next), Arc::clone(&acknowledged));
                tokio::spawn(async move {
                    // Each takes the next lot until money or lots run out, or the server is gone.
                    while let Some(lot) = lots.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let Ok(claimed) = account.claim(lot, lot).await else { return };
                        let price = claimed["price_minor"].as_i64().unwrap();
                        acknowledged.lock().unwrap().push((lot.clone(), account.id.clone(), price));
                    }
                })
            })
            .collect();
        // In the middle of it: some are booked, others are under way.
        let some = wait_for("the first claims", || async {
            (acknowledged.lock().unwrap().len() >= 3).then_some(())
        });
        some.await;
        server.kill();
        for claimant in claimants {
            claimant.await.unwrap();
        }
        (accounts, lots)
    });

    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
    assert!(acknowledged.len() >= 3);
    server.start_again();
    let spent = run(async {
        let mut spent: HashMap<String, i64> = HashMap::new();
        let reader = accounts[0].again(&server).await;
        let mut owned = HashMap::new();
        for lot in lots.iter() {
            let shown = reader.get(&format!("lands/{lot}")).await.unwrap();
            if shown["status"] == "taken" {
                let owner = shown["owner"]["account_id"].as_str().unwrap().to_owned();
                *spent.entry(owner.clone()).or_default() += shown["price_minor"].as_i64().unwrap();
                owned.insert(lot.clone(), owner);
            }
        }
        for (lot, owner, _) in &acknowledged {
            assert_eq!(owned.get(lot), Some(owner), "the acknowledged claim of {lot} is gone");
        }
        // A claim that was under way is there with its payment or not at all.
        for account in &accounts {
            let account = account.again(&server).await;
            let paid = spent.get(&account.id).copied().unwrap_or_default();
            assert_eq!(account.coins().await, GRANT_MINOR - paid);
            let postings = account.get("wallet/postings").await.unwrap();
            let claims = owned.values().filter(|owner| **owner == account.id).count();
            assert_eq!(postings["items"].as_array().unwrap().len(), 1 + claims, "the grant and each claim");
        }
        spent.values().sum::<i64>()
    });
    assert!(spent >= acknowledged.iter().map(|(.., price)| price).sum());
    assert_eq!(server.stop(), Some(0));
    let books = server.command(&["ledger", "verify", "--json"]);
    assert_eq!(books.code, Some(0), "{books:?}");
    let report: serde_json::Value = serde_json::from_str(&books.stdout).unwrap();
    assert_eq!((&report["sound"], &report["faults"]), (&true.into(), &serde_json::json!([])));
}

#[test]
fn after_kill_9_one_stands_where_one_was_at_most_ten_seconds_before() {
    const AGE_MAX: Duration = Duration::from_secs(10);
    let mut server = Server::start();
    let (account, path, killed_at) = run(async {
        let account = Account::new(&server).await;
        let mut player = account.enter(&server).await;
        player.frame().await;
        let began_at = Instant::now();
        let look = player.seen.position.cross(DVec3::Z);
        let mut path: Vec<(Instant, DVec3)> = Vec::new();
        // Longer than the bound, so that the place of arrival is too old to pass.
        while began_at.elapsed() < AGE_MAX + Duration::from_millis(1_500) {
            player.walk(6, look).await;
            path.push((Instant::now(), player.seen.position));
        }
        server.kill();
        (account, path, Instant::now())
    });
    server.start_again();
    run(async {
        let mut player = account.again(&server).await.enter(&server).await;
        player.frame().await;
        let restored = player.seen.position;
        let recent: Vec<_> = path.iter().filter(|(at, _)| killed_at.duration_since(*at) <= AGE_MAX).collect();
        let nearest_m =
            recent.iter().map(|(_, place)| place.distance(restored)).fold(f64::INFINITY, f64::min);
        let from_start_m = path[0].1.distance(restored);
        assert!(nearest_m < 1.0, "restored {nearest_m} m from where it was, {from_start_m} m from the start");
        assert!(
            path[0].1.distance(recent[0].1) > 1.0,
            "it must have left the start for this to show anything"
        );
    });
}
