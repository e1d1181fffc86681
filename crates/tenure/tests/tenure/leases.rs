//! Leases from their offer to their end.

use land::{EncumbranceKind, TitleKind, Transfer};
use ledger::AccountRef;
use serde_json::{Value, json};
use store::testing::for_each_engine;

use crate::world::{ANN, BOB, CAT, DAY, HOUR, S, WELCOME, World, account, lot, migrations};

fn terms(rent: i64, deposit: i64, periods: u32) -> Value {
    json!({
        "tenant_id": account(BOB), "currency": "coin", "rent_minor": rent, "deposit_minor": deposit,
        "period_days": 10, "periods": periods,
    })
}

async fn offer(world: &World, body: Value) -> String {
    let path = format!("/lands/{}/lease", lot(0).token());
    let (status, lease) = world.ask(ANN, "POST", &path, Some(body)).await;
    assert_eq!((status, &lease["state"]), (201, &json!("offered")), "{lease}");
    lease["lease_id"].as_str().expect("an id").to_owned()
}

/// Ann's lot is Bob's for 1000 a period, with 5000 of deposit.
async fn lease(world: &World, periods: u32) -> String {
    let id = offer(world, terms(1_000, 5_000, periods)).await;
    let (status, lease) = world.ask(BOB, "POST", &format!("/leases/{id}/accept"), None).await;
    assert_eq!((status, &lease["state"]), (200, &json!("active")), "{lease}");
    id
}

async fn view(world: &World, id: &str) -> Value {
    world.ask(BOB, "GET", &format!("/leases/{id}"), None).await.1
}

async fn encumbrance(world: &World) -> Option<EncumbranceKind> {
    let found = world.store.read(|tx| land::encumbrance(tx, lot(0))).await.expect("it can be read");
    found.map(|it| it.kind)
}

#[test]
fn a_lease_runs_its_course_and_ends_cleanly() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let id = offer(&world, terms(1_000, 5_000, 3)).await;
        assert_eq!(encumbrance(&world).await, Some(EncumbranceKind::LeaseOffer));
        assert_eq!(world.coins(BOB).await, WELCOME, "an offer costs nothing");
        let (status, _) = world.ask(BOB, "POST", &format!("/leases/{id}/accept"), None).await;
        assert_eq!(status, 200);
        assert_eq!(encumbrance(&world).await, None);
        assert!(world.is_tenant(BOB, 0).await);
        assert_eq!((world.coins(BOB).await, world.available(BOB).await), (WELCOME - 1_000, WELCOME - 6_000));
        assert_eq!(world.coins(ANN).await, WELCOME + 1_000);
        // Nothing before its time.
        world.pass(9 * DAY - S).await;
        assert_eq!(
            (world.count_told("rent.due").await, view(&world, &id).await["periods_paid"].as_u64()),
            (0, Some(1))
        );
        world.pass(S).await;
        assert_eq!(world.count_told("rent.due").await, 1);
        world.pass(DAY).await;
        assert_eq!(world.coins(ANN).await, WELCOME + 2_000);
        world.pass(10 * DAY).await;
        assert_eq!(world.coins(ANN).await, WELCOME + 3_000);
        // The last period is over.
        assert_eq!(view(&world, &id).await["state"], "active");
        world.pass(10 * DAY).await;
        let over = view(&world, &id).await;
        assert_eq!((&over["state"], &over["end_reason"]), (&json!("ended"), &json!("completed")));
        assert!(!world.is_tenant(BOB, 0).await);
        assert_eq!((world.coins(BOB).await, world.available(BOB).await), (WELCOME - 3_000, WELCOME - 3_000));
        world.pass(100 * DAY).await;
        assert_eq!(
            (world.coins(ANN).await, world.count_told("land.lease_ended").await),
            (WELCOME + 3_000, 1)
        );
        world.assert_books_sound().await;
        // The land is free for another.
        lease(&world, 1).await;
    });
}

#[test]
fn an_offer_is_declined_taken_back_or_forgotten_and_stays_so() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        for (who, choice, state) in
            [(BOB, "decline", "declined"), (ANN, "end", "withdrawn"), (BOB, "wait", "expired")]
        {
            let id = offer(&world, terms(1_000, 0, 1)).await;
            if choice == "wait" {
                world.pass(7 * DAY).await;
            } else {
                let (status, answer) =
                    world.ask(who, "POST", &format!("/leases/{id}/{choice}"), Some(json!({}))).await;
                assert_eq!((status, &answer["state"]), (200, &json!(state)));
            }
            assert_eq!(view(&world, &id).await["state"], state);
            assert_eq!(encumbrance(&world).await, None);
            // A clock set back does not open it again.
            world.clock.advance_us(-7 * DAY);
            for again in ["accept", "decline"] {
                let refused = world.refused(BOB, "POST", &format!("/leases/{id}/{again}"), None).await;
                assert_eq!(refused, (409, "lease_closed".into()));
            }
            world.clock.advance_us(7 * DAY);
        }
        assert_eq!(world.coins(BOB).await, WELCOME);
    });
}

#[test]
fn an_offer_that_is_too_old_is_not_accepted_even_before_the_worker_comes() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let id = offer(&world, terms(1_000, 0, 1)).await;
        world.clock.advance_us(7 * DAY);
        let refused = world.refused(BOB, "POST", &format!("/leases/{id}/accept"), None).await;
        assert_eq!(refused, (409, "lease_closed".into()));
    });
}

#[test]
fn rent_that_is_missed_has_some_grace() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let id = lease(&world, 3).await;
        let rest = world.available(BOB).await;
        world.pay(BOB, AccountRef::Wallet(account(CAT)), rest).await;
        world.pass(10 * DAY).await;
        let missed = view(&world, &id).await;
        assert_eq!((&missed["state"], missed["grace_until"].is_string()), (&json!("active"), true));
        assert_eq!(world.count_told("rent.missed").await, 1);
        let leaving =
            world.refused(BOB, "POST", &format!("/leases/{id}/end"), Some(json!({ "at_once": true }))).await;
        assert_eq!(leaving, (409, "rent_overdue".into()));
        world.pass(2 * DAY).await;
        world.pay(CAT, AccountRef::Wallet(account(BOB)), 2_500).await;
        world.pass(DAY / 2).await;
        let paid = view(&world, &id).await;
        assert_eq!((paid["periods_paid"].as_u64(), &paid["grace_until"]), (Some(2), &Value::Null));
        // The next period begins when it would have begun.
        world.pass(7 * DAY + DAY / 2).await;
        assert_eq!(view(&world, &id).await["periods_paid"], 3);
        assert_eq!((world.count_told("rent.missed").await, world.coins(ANN).await), (1, WELCOME + 3_000));
        world.assert_books_sound().await;
    });
}

#[test]
fn who_does_not_pay_within_the_grace_loses_deposit_and_land() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let id = lease(&world, 3).await;
        let rest = world.available(BOB).await;
        world.pay(BOB, AccountRef::Wallet(account(CAT)), rest).await;
        world.pass(10 * DAY).await;
        world.pass(3 * DAY).await;
        let over = view(&world, &id).await;
        assert_eq!((&over["state"], &over["end_reason"]), (&json!("defaulted"), &json!("unpaid")));
        assert_eq!((world.coins(ANN).await, world.coins(BOB).await), (WELCOME + 6_000, 0));
        assert!(!world.is_tenant(BOB, 0).await);
        world.pay(CAT, AccountRef::Wallet(account(BOB)), 50_000).await;
        world.clock.advance_us(-5 * DAY);
        world.pass(100 * DAY).await;
        assert_eq!(world.coins(ANN).await, WELCOME + 6_000, "it is over");
        world.assert_books_sound().await;
    });
}

#[test]
fn a_clock_that_jumps_pays_each_period_once() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let id = lease(&world, 30).await;
        // A rest of 25 periods is caught up with.
        world.clock.advance_us(250 * DAY);
        let workers = (0..4).map(|_| {
            let tenure = std::sync::Arc::clone(&world.tenure);
            tokio::spawn(async move { tenure.round().await.expect("it is worked on") })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
        assert_eq!(view(&world, &id).await["periods_paid"], 26);
        assert_eq!((world.coins(ANN).await, world.coins(BOB).await), (WELCOME + 26_000, WELCOME - 26_000));
        for back in [HOUR, 20 * DAY, 100 * DAY] {
            world.pass(-back).await;
            world.pass(back).await;
        }
        assert_eq!(world.coins(ANN).await, WELCOME + 26_000);
        world.pass(10 * DAY).await;
        assert_eq!((world.coins(ANN).await, world.count_told("rent.paid").await), (WELCOME + 27_000, 26));
        world.assert_books_sound().await;
    });
}

#[test]
fn land_is_sold_with_its_lease() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let id = lease(&world, 2).await;
        sell(&world, ANN, CAT).await;
        world.pass(10 * DAY).await;
        assert_eq!((world.coins(ANN).await, world.coins(CAT).await), (WELCOME + 1_000, WELCOME + 1_000));
        let (_, page) = world.ask(CAT, "GET", "/leases?role=landlord", None).await;
        assert_eq!(
            (&page["items"][0]["lease_id"], &page["items"][0]["landlord"]["display_name"]),
            (&json!(id), &json!("player 3"))
        );
        let (_, page) = world.ask(ANN, "GET", "/leases?role=landlord", None).await;
        assert_eq!(page["items"], json!([]));
        // Who buys the land they rent pays rent to nobody.
        sell(&world, CAT, BOB).await;
        world.pass(10 * DAY).await;
        let over = view(&world, &id).await;
        assert_eq!((&over["state"], &over["end_reason"]), (&json!("ended"), &json!("bought")));
        assert_eq!(world.available(BOB).await, WELCOME - 2_000);
        world.assert_books_sound().await;
    });
}

/// Deed and title change hands.
async fn sell(world: &World, from: u128, to: u128) {
    let one = ledger::Amount::try_from_minor(1).expect("one");
    let deed = ledger::Posting::of(ledger::PostingKind::Sale, format!("sale {from} {to}"), "")
        .transfer(
            AccountRef::Wallet(account(from)),
            AccountRef::Wallet(account(to)),
            &land::deed(lot(0)),
            one,
        )
        .finish()
        .expect("one deed moves");
    let now_us = crate::world::NOW_US;
    let sold = world.store.locked(move |tx| {
        let posted =
            wallet::post(tx, &deed, now_us).map_err(|it| store::Error::Damaged { detail: it.to_string() })?;
        let transfer = Transfer {
            by: audit::Actor::System,
            parcel: lot(0),
            from: account(from),
            to: account(to),
            price_minor: 0,
            currency: "coin".into(),
            kind: TitleKind::Sale,
            posting_id: posted.posting_id,
        };
        land::transfer(tx, &transfer, now_us)
    });
    assert_eq!(sold.await, Ok(true));
}

#[test]
fn both_sides_can_end_a_lease_in_their_own_time() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        // The tenant, at the end of what is paid.
        let id = lease(&world, 5).await;
        let (status, answer) = world.ask(BOB, "POST", &format!("/leases/{id}/end"), Some(json!({}))).await;
        assert_eq!((status, &answer["state"], &answer["periods"]), (200, &json!("active"), &json!(1)));
        world.pass(10 * DAY).await;
        assert_eq!(view(&world, &id).await["end_reason"], "tenant");
        assert_eq!((world.coins(ANN).await, world.available(BOB).await), (WELCOME + 1_000, WELCOME - 1_000));
        // The tenant, at once.
        let id = lease(&world, 5).await;
        let (_, answer) =
            world.ask(BOB, "POST", &format!("/leases/{id}/end"), Some(json!({ "at_once": true }))).await;
        assert_eq!(answer["state"], "ended");
        assert_eq!(world.available(BOB).await, WELCOME - 2_000);
        assert!(!world.is_tenant(BOB, 0).await);
        // The owner, one period ahead.
        let id = lease(&world, 5).await;
        let (_, answer) =
            world.ask(ANN, "POST", &format!("/leases/{id}/end"), Some(json!({ "at_once": true }))).await;
        assert_eq!((&answer["state"], &answer["periods"]), (&json!("active"), &json!(2)));
        world.pass(10 * DAY).await;
        assert_eq!(view(&world, &id).await["periods_paid"], 2);
        world.pass(10 * DAY).await;
        assert_eq!(view(&world, &id).await["end_reason"], "landlord");
        world.assert_books_sound().await;
    });
}

#[test]
fn an_offer_must_be_the_owners_of_free_land_to_somebody_else_for_something() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let with = |name: &str, value: Value| {
            let mut body = terms(1_000, 5_000, 3);
            body[name] = value;
            body
        };
        let path = format!("/lands/{}/lease", lot(0).token());
        let cases = [
            (BOB, terms(1, 0, 1), 403, "not_owner"),
            (ANN, with("currency", json!("gold")), 422, "unknown_currency"),
            (ANN, with("tenant_id", json!(account(ANN))), 422, "self_lease"),
            (ANN, with("tenant_id", json!(account(77))), 422, "tenant_unknown"),
            (ANN, with("rent_minor", json!(0)), 422, "invalid_body"),
            (ANN, with("rent_minor", json!(-1)), 422, "invalid_body"),
            (ANN, with("rent_minor", json!(1.5)), 422, "invalid_body"),
            (ANN, with("rent_minor", json!(9_007_199_254_740_992_i64)), 422, "invalid_body"),
            (ANN, with("deposit_minor", json!(-1)), 422, "invalid_body"),
            (ANN, with("periods", json!(0)), 422, "invalid_body"),
            (ANN, with("periods", json!(1_001)), 422, "invalid_body"),
            (ANN, with("period_days", json!(0)), 422, "invalid_body"),
            (ANN, with("period_days", json!(i64::MAX)), 422, "invalid_body"),
            (ANN, with("period_s", json!(3_600)), 422, "invalid_body"),
            (ANN, with("state", json!("active")), 422, "invalid_body"),
        ];
        for (who, body, status, code) in cases {
            let refused = world.refused(who, "POST", &path, Some(body.clone())).await;
            assert_eq!(refused, (status, code.to_owned()), "{body}");
        }
        assert_eq!(
            world.refused(ANN, "POST", "/lands/4be64/lease", Some(terms(1, 0, 1))).await,
            (404, "not_a_lot".into())
        );
        let id = offer(&world, terms(1_000, 49_500, 3)).await;
        assert_eq!(
            world.refused(ANN, "POST", &path, Some(terms(1, 0, 1))).await,
            (409, "parcel_encumbered".into())
        );
        for (who, choice, status, code) in [
            (ANN, "accept", 403, "no_authority"),
            (ANN, "decline", 403, "no_authority"),
            (BOB, "end", 403, "no_authority"),
            (CAT, "accept", 404, "lease_unknown"),
            (CAT, "end", 404, "lease_unknown"),
            (BOB, "accept", 422, "insufficient_funds"),
        ] {
            let refused =
                world.refused(who, "POST", &format!("/leases/{id}/{choice}"), Some(json!({}))).await;
            assert_eq!(refused, (status, code.to_owned()), "{who} {choice}");
        }
        assert_eq!(
            world.refused(CAT, "GET", &format!("/leases/{id}"), None).await,
            (404, "lease_unknown".into())
        );
        assert_eq!(
            (world.available(BOB).await, world.is_tenant(BOB, 0).await),
            (WELCOME, false),
            "nothing half done"
        );
        world.ask(BOB, "POST", &format!("/leases/{id}/decline"), None).await;
        lease(&world, 1).await;
        assert_eq!(
            world.refused(ANN, "POST", &path, Some(terms(1, 0, 1))).await,
            (409, "parcel_leased".into())
        );
    });
}
