//! Owning ground: once, for ever, and only for money.

use cell::CellId;
use serde_json::json;

use crate::support::{Account, Server, run};

/// Free lots that somebody at the place of arrival can claim, nearest first.
pub(crate) async fn free_lots(account: &Account, count: usize) -> Vec<String> {
    let planet = account.get("planet").await.unwrap();
    let first = CellId::parse_token(planet["arrival"]["lot_token"].as_str().unwrap()).unwrap();
    let mut near = vec![first];
    let mut free = Vec::new();
    let mut index = 0;
    while free.len() < count {
        // Two rings: further ones are more than a hundred metres away.
        assert!(index < 25, "there are only {} free lots near the arrival", free.len());
        let lot = near[index];
        index += 1;
        if account.get(&format!("lands/{}", lot.token())).await.unwrap()["status"] == "free" {
            free.push(lot.token());
        }
        for neighbor in lot.all_neighbors() {
            if !near.contains(&neighbor) {
                near.push(neighbor);
            }
        }
    }
    free
}

#[test]
fn a_claim_survives_a_restart() {
    let mut server = Server::start();
    let (account, lot, paid) = run(async {
        let account = Account::new(&server).await;
        let _present = account.enter(&server).await;
        let lot = free_lots(&account, 1).await.remove(0);
        let granted = account.coins().await;
        let claimed = account.claim(&lot, "first").await.unwrap();
        assert_eq!(claimed["owner"]["account_id"], account.id);
        let paid = claimed["price_minor"].as_i64().unwrap();
        assert_eq!(account.coins().await, granted - paid);
        account.patch(&format!("lands/{lot}"), json!({"name": "Landing"})).await.unwrap();
        (account, lot, paid)
    });
    assert_eq!(server.stop(), Some(0));
    server.start_again();
    run(async {
        let account = account.again(&server).await;
        let shown = account.get(&format!("lands/{lot}")).await.unwrap();
        assert_eq!((&shown["status"], &shown["name"]), (&json!("taken"), &json!("Landing")));
        assert_eq!(shown["owner"]["account_id"], account.id);
        let mine = account.get("lands/mine").await.unwrap();
        assert_eq!(mine["items"].as_array().unwrap().len(), 1);
        assert_eq!(account.coins().await, 50_000 - paid);
    });
    assert_eq!(server.stop(), Some(0));
    let books = server.command(&["ledger", "verify"]);
    assert_eq!(books.code, Some(0), "{books:?}");
}

#[test]
fn of_many_who_claim_one_lot_one_gets_it_and_the_others_keep_their_money() {
    let server = Server::start();
    run(async {
        let mut racers = Vec::new();
        let mut present = Vec::new();
        for _ in 0..8 {
            let account = Account::new(&server).await;
            present.push(account.enter(&server).await);
            racers.push(account);
        }
        let lot = free_lots(&racers[0], 1).await.remove(0);
        let claims: Vec<_> = racers
            .iter()
            .cloned()
            .map(|account| {
                let lot = lot.clone();
                tokio::spawn(async move { account.claim(&lot, "race").await })
            })
            .collect();
        let mut winners = 0;
        for (account, claim) in racers.iter().zip(claims) {
            match claim.await.unwrap() {
                Ok(claimed) => {
                    winners += 1;
                    assert_eq!(claimed["owner"]["account_id"], account.id);
                    assert_eq!(account.coins().await, 50_000 - claimed["price_minor"].as_i64().unwrap());
                }
                Err(error) => {
                    assert_eq!((error.status.as_u16(), error.code.as_str()), (409, "lot_taken"));
                    assert_eq!(account.coins().await, 50_000);
                }
            }
        }
        assert_eq!(winners, 1);
    });
}

#[test]
fn a_repeated_claim_is_answered_alike_and_paid_once() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let _present = account.enter(&server).await;
        let lots = free_lots(&account, 2).await;
        let first = account.claim(&lots[0], "key").await.unwrap();
        let again = account.claim(&lots[0], "key").await.unwrap();
        assert_eq!(first, again);
        assert_eq!(account.coins().await, 50_000 - first["price_minor"].as_i64().unwrap());
        let other = account.claim(&lots[1], "key").await.unwrap_err();
        assert_eq!((other.status.as_u16(), other.code.as_str()), (422, "idempotency_key_reused"));
    });
}

#[test]
fn lots_that_cannot_be_had_say_why() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let lot = free_lots(&account, 1).await.remove(0);
        let refused = async |lot: &str, account: &Account| {
            let error = account.claim(lot, lot).await.unwrap_err();
            (error.status.as_u16(), error.code)
        };
        assert_eq!(refused(&lot, &account).await, (409, "not_in_world".to_owned()));
        let _present = account.enter(&server).await;
        // The antipode is far, whatever is there.
        let here = CellId::parse_token(&lot).unwrap();
        let far = CellId::from_point(-here.center()).parent(here.level()).token();
        assert_eq!(refused(&far, &account).await.0, 422);
        // A parent cell, a cell that does not exist, no cell at all.
        for token in [here.parent(here.level() - 1).token().as_str(), "ffffffff", "zz", "1"] {
            assert_eq!(refused(token, &account).await, (404, "not_a_lot".to_owned()), "{token}");
        }
        assert_eq!(account.coins().await, 50_000);
    });
}
