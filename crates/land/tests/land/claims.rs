//! Who gets a lot, and who is told why not.

use std::sync::Arc;

use crate::world::{NOW_US, World, account, migrations};
use land::LotEvent;
use serde_json::json;
use store::testing::{for_each_engine, prepare_all};
use tokio::sync::broadcast::error::TryRecvError;

fn on_each(test: impl AsyncFn(World)) {
    for_each_engine(&migrations(), async |store| test(World::new(store)).await);
}

#[test]
fn every_statement_is_understood() {
    for_each_engine(&migrations(), async |store| prepare_all(&store, land::STATEMENTS).await);
}

#[test]
fn a_claim_moves_money_deed_and_title_together() {
    on_each(async |world| {
        let lot = world.free_lots()[0];
        world.settler(1, lot).await;
        let mut events = world.land.subscribe();
        let before = world.get(1, &format!("/api/v1/lands/{}", lot.token())).await;
        assert_eq!((before.status.as_u16(), &before.body["status"]), (200, &json!("free")));
        let price = before.body["price_minor"].as_i64().unwrap();
        let area_m2 = before.body["area_m2"].as_f64().unwrap();
        assert!((area_m2 * 10.0 - price as f64).abs() <= 1.0, "{price} for {area_m2} m²");

        let claimed = world.claim(1, &lot.token(), "a").await;
        assert_eq!(claimed.status.as_u16(), 201, "{}", claimed.body);
        let mut expected = before.body.clone();
        expected["status"] = json!("taken");
        expected["owner"] = json!({"account_id": account(1), "kind": "account", "display_name": "player 1"});
        expected["biome"] = claimed.body["biome"].clone();
        assert!(planet::Biome::from_name(expected["biome"].as_str().unwrap()).is_some());
        expected["claimed_at"] = json!("2025-11-21T09:00:00Z");
        assert_eq!(claimed.body, expected);
        assert_eq!(world.get(1, &format!("/api/v1/lands/{}", lot.token())).await.body, expected);

        assert_eq!(world.coins(1).await, wallet::WELCOME_GRANT.minor() - price);
        assert_eq!(world.deeds(1, lot).await, 1);
        let title = world
            .store
            .read(move |tx| {
                tx.query_one(
                    "select t.owner_id, t.price_minor, t.since, p.kind from titles t \
                     join postings p on p.posting_id = t.posting_id where t.parcel_id = $1",
                    store::params![lot.to_sql()],
                )
            })
            .await
            .unwrap();
        assert_eq!((title.get(0), title.get(1), title.get(2)), (Ok(account(1)), Ok(price), Ok(NOW_US)));
        assert_eq!(title.get(3), Ok("land_claim".to_owned()));
        world.assert_books_sound().await;

        let event =
            LotEvent { lot, owner_id: Some(account(1)), owner_name: "player 1".to_owned(), name: None };
        assert_eq!(events.try_recv(), Ok(event));
        assert_eq!(events.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn many_who_claim_one_lot_at_once_are_one_owner_and_the_rest_keep_their_money() {
    on_each(async |world| {
        let world = Arc::new(world);
        let lots = world.free_lots();
        let (racers, rounds) = (10, lots.len().min(5));
        for racer in 0..racers {
            world.welcome(racer).await;
        }
        for (round, lot) in lots.into_iter().take(rounds).enumerate() {
            let mut before = Vec::new();
            for racer in 0..racers {
                world.put(racer, lot, 0.0, 1.0);
                before.push(world.coins(racer).await);
            }
            // Each time another one starts first, so that no one wins until poor.
            let order = (0..racers).map(|place| (place + round as u128) % racers);
            let tasks: Vec<_> = order
                .map(|racer| {
                    let world = Arc::clone(&world);
                    let key = format!("{round}");
                    (racer, tokio::spawn(async move { world.claim(racer, &lot.token(), &key).await }))
                })
                .collect();
            let mut winners = Vec::new();
            for (racer, task) in tasks {
                let answer = task.await.unwrap();
                match answer.outcome() {
                    (201, "") => winners.push(racer),
                    (409, "lot_taken") => {}
                    other => panic!("racer {racer}: {other:?}"),
                }
            }
            assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
            for racer in 0..racers {
                let spent = before[racer as usize] - world.coins(racer).await;
                assert_eq!(spent > 0, winners.contains(&racer), "racer {racer} spent {spent}");
                assert_eq!(world.deeds(racer, lot).await, i64::from(winners.contains(&racer)));
            }
            let seen = world.get(0, &format!("/api/v1/lands/{}", lot.token())).await;
            assert_eq!(seen.body["owner"]["account_id"], json!(account(winners[0])));
            world.assert_books_sound().await;
        }
    });
}

#[test]
fn different_lots_are_claimed_at_once_without_anybody_losing() {
    on_each(async |world| {
        let world = Arc::new(world);
        let lots = world.free_lots();
        for (racer, lot) in (0..).zip(&lots) {
            world.settler(racer, *lot).await;
        }
        let tasks: Vec<_> = (0..)
            .zip(lots.clone())
            .map(|(racer, lot)| {
                let world = Arc::clone(&world);
                tokio::spawn(async move { world.claim(racer, &lot.token(), "a").await.status.as_u16() })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 201);
        }
        world.assert_books_sound().await;
    });
}

#[test]
fn the_first_reason_that_applies_is_given() {
    on_each(async |world| {
        let lots = world.free_lots();
        let (lot, sea) = (lots[0], world.sea_lot());
        world.settler(1, lot).await;
        assert_eq!(world.claim(1, &lot.token(), "a").await.status.as_u16(), 201);
        // Number 2 has nothing and is nowhere; each step takes one reason away.
        world.welcome(2).await;
        world.impoverish(2).await;
        for token in
            ["zz", "x", "0", &lot.parent(14).token(), &lot.children().unwrap()[0].token(), &"4".repeat(300)]
        {
            assert_eq!(world.claim(2, token, "b").await.outcome(), (404, "not_a_lot"), "{token}");
        }
        for (flooded, key) in [(sea, "c"), (world.river_lot(), "c2")] {
            let refused = world.claim(2, &flooded.token(), key).await;
            assert_eq!(refused.outcome(), (422, "lot_unclaimable"));
            assert_eq!(refused.body["reason"], json!("under_water"));
        }
        assert_eq!(world.claim(2, &lot.token(), "d").await.outcome(), (409, "not_in_world"));
        world.put(2, lot, 150.0, 0.0);
        let refused = world.claim(2, &lot.token(), "e").await;
        assert_eq!(refused.outcome(), (422, "lot_too_far"));
        assert_eq!((&refused.body["distance_m"], &refused.body["max_m"]), (&json!(150.0), &json!(100.0)));
        world.put(2, lot, 99.0, 3_000.0);
        assert_eq!(world.claim(2, &lot.token(), "f").await.outcome(), (409, "lot_taken"));
        world.put(2, lots[1], 0.0, 0.0);
        let refused = world.claim(2, &lots[1].token(), "g").await;
        assert_eq!(refused.outcome(), (422, "insufficient_funds"));
        assert_eq!(refused.body["available_minor"], json!(0));
        assert!(refused.body["price_minor"].as_i64().unwrap() > 0);
        let free = world.get(2, &format!("/api/v1/lands/{}", lots[1].token())).await;
        assert_eq!(free.body["status"], json!("free"), "a refused claim leaves nothing behind");
        assert_eq!(
            world.get(2, &format!("/api/v1/lands/{}", sea.token())).await.body["status"],
            json!("unclaimable")
        );
        assert_eq!(world.claim(1, &lot.token(), "h").await.outcome(), (409, "lot_taken"), "not even twice");
        world.assert_books_sound().await;
    });
}

#[test]
fn a_repeated_request_gets_the_first_answer_and_claims_nothing() {
    on_each(async |world| {
        let lots = world.free_lots();
        let lot = lots[0];
        world.settler(1, lot).await;
        let mut events = world.land.subscribe();
        let first = world.claim(1, &lot.token(), "a").await;
        let coins = world.coins(1).await;
        // Wherever the body is by now.
        world.put(1, lot, 5_000.0, 0.0);
        let second = world.claim(1, &lot.token(), "a").await;
        assert_eq!((second.status, &second.body), (first.status, &first.body));
        assert_eq!(second.headers["idempotency-replayed"], "true");
        assert!(!first.headers.contains_key("idempotency-replayed"));
        assert_eq!(world.coins(1).await, coins);
        assert!(events.try_recv().is_ok() && events.try_recv().is_err(), "one event");

        let other = world.claim(1, &lots[1].token(), "a").await;
        assert_eq!(other.outcome(), (422, "idempotency_key_reused"));

        // A refusal is an answer too, until its day has passed.
        let far = world.claim(1, &lots[1].token(), "b").await;
        assert_eq!(far.outcome(), (422, "lot_too_far"));
        world.put(1, lots[1], 0.0, 0.0);
        let again = world.claim(1, &lots[1].token(), "b").await;
        assert_eq!((again.outcome(), &again.body), (far.outcome(), &far.body));
        assert_eq!(again.headers["content-type"], "application/problem+json");
        world.clock.advance_us(api::idempotency::KEPT_US);
        assert_eq!(world.claim(1, &lots[1].token(), "b").await.status.as_u16(), 201);
        // But a key under which something was paid names that for ever.
        world.put(1, lots[2], 0.0, 0.0);
        let other = world.claim(1, &lots[2].token(), "a").await;
        assert_eq!(other.outcome(), (422, "idempotency_key_reused"));
        world.assert_books_sound().await;
    });
}

#[test]
fn one_key_sent_many_times_at_once_is_one_claim() {
    on_each(async |world| {
        let world = Arc::new(world);
        let lot = world.free_lots()[0];
        world.settler(1, lot).await;
        let tasks: Vec<_> = (0..12)
            .map(|_| {
                let world = Arc::clone(&world);
                tokio::spawn(async move { world.claim(1, &lot.token(), "a").await })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        assert!(answers.iter().all(|it| it.status.as_u16() == 201 && it.body == answers[0].body));
        let replays = answers.iter().filter(|it| it.headers.contains_key("idempotency-replayed")).count();
        assert_eq!(replays, 11);
        let price = answers[0].body["price_minor"].as_i64().unwrap();
        assert_eq!(world.coins(1).await, wallet::WELCOME_GRANT.minor() - price);
        world.assert_books_sound().await;
    });
}

#[test]
fn the_proof_finds_land_that_the_books_do_not_know() {
    use land::Fault;
    on_each(async |world| {
        let lot = world.free_lots()[0];
        world.settler(1, lot).await;
        world.claim(1, &lot.token(), "a").await;
        let tamper = async |sql: &'static [&'static str]| -> Vec<Fault> {
            // Undone afterwards: what was found travels out in the error.
            struct Found(Vec<Fault>);
            impl From<store::Error> for Found {
                fn from(error: store::Error) -> Self {
                    panic!("{error}")
                }
            }
            let outcome: Result<(), Found> = world
                .store
                .locked(move |tx| {
                    for sql in sql.iter().copied() {
                        tx.execute(sql, store::params![])?;
                    }
                    Err(Found(land::verify(tx)?))
                })
                .await;
            outcome.unwrap_err().0
        };
        let (owner_id, thief) = (account(1), account(1 << 120));
        let deed = ledger::AssetId::try_deed(&lot.token()).unwrap();
        assert_eq!(
            tamper(&["delete from titles", "delete from parcel_cells", "delete from parcels"]).await,
            [Fault::DeedWithoutLot { deed, holder_id: owner_id }]
        );
        assert_eq!(tamper(&["delete from titles"]).await, [Fault::OwnerWithoutTitle { lot, owner_id }]);
        assert_eq!(
            tamper(&["update balances set amount = 0 where amount = 1"]).await,
            [Fault::OwnerWithoutDeed { lot, owner_id, holder_id: None }]
        );
        world.settler(1 << 120, lot).await;
        assert_eq!(
            tamper(&["update parcels set owner_id = (select ledger_account_id from ledger_accounts \
                      where kind = 'wallet' order by ledger_account_id desc limit 1)"])
            .await,
            [
                Fault::OwnerWithoutDeed { lot, owner_id: thief, holder_id: Some(owner_id) },
                Fault::OwnerWithoutTitle { lot, owner_id: thief }
            ]
        );
        world.assert_books_sound().await;
    });
}

#[test]
fn a_claim_needs_a_token_and_a_key() {
    on_each(async |world| {
        use axum::body::Body;
        use axum::http::Request;
        let path = format!("/api/v1/lands/{}/claim", world.free_lots()[0].token());
        let post = |headers: &[(&str, &str)]| {
            let request =
                headers.iter().fold(Request::post(&path), |it, (name, value)| it.header(*name, *value));
            request.body(Body::empty()).unwrap()
        };
        let token = ("authorization", "Bearer 1");
        for (headers, outcome) in [
            (&[][..], (401, "token_missing")),
            (&[("authorization", "Basic 1")], (401, "token_missing")),
            (&[("authorization", "Bearer ann")], (401, "token_invalid")),
            (&[token], (400, "idempotency_key_missing")),
            (&[token, ("idempotency-key", "")], (400, "idempotency_key_invalid")),
            (&[token, ("idempotency-key", "\"\"")], (400, "idempotency_key_invalid")),
            (&[token, ("idempotency-key", "a b")], (400, "idempotency_key_invalid")),
            (&[token, ("idempotency-key", "a"), ("idempotency-key", "b")], (400, "idempotency_key_invalid")),
            (&[token, ("idempotency-key", &"x".repeat(65))], (400, "idempotency_key_invalid")),
        ] {
            assert_eq!(world.send(post(headers)).await.outcome(), outcome, "{headers:?}");
        }
    });
}
