//! The books: what is taken back at once, and what waits for a second person.

use axum::http::Method;
use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use serde_json::json;
use uuid::Uuid;

use crate::world::{
    ADMIN, ANN, Answer, BOB, DAY_US, DEVELOPER, NOW_US, OTHER_ADMIN, World, account, on_each,
};

/// Money from one to another; the posting.
async fn pay(world: &World, from: u128, to: u128, minor: i64) -> Uuid {
    let paid = world.store.locked(move |tx| {
        let posting = Posting::of(PostingKind::Transfer, format!("test:{}", Uuid::now_v7()), "")
            .transfer(
                AccountRef::Wallet(account(from)),
                AccountRef::Wallet(account(to)),
                &AssetId::coin(),
                Amount::try_from_minor(minor).unwrap(),
            )
            .finish()
            .unwrap();
        let posted = wallet::post(tx, &posting, NOW_US);
        posted.map(|it| it.posting_id).map_err(|it| store::Error::Damaged { detail: it.to_string() })
    });
    paid.await.unwrap()
}

fn reverse(posting_id: Uuid) -> String {
    format!("/staff/ledger/postings/{posting_id}/reverse")
}

#[test]
fn little_is_taken_back_at_once_and_only_once() {
    on_each(async |world: World| {
        let before = (world.available(ANN).await, world.available(BOB).await);
        let posting_id = pay(&world, ANN, BOB, 1_000).await;
        let seen = world.get(DEVELOPER, &format!("/staff/ledger/postings/{posting_id}")).await;
        assert_eq!((&seen.body["amount_minor"], &seen.body["moves_deeds"]), (&json!(1_000), &json!(false)));
        assert_eq!(world.act(ADMIN, &reverse(posting_id)).await.0, 200);
        assert_eq!((world.available(ANN).await, world.available(BOB).await), before);
        assert_eq!(world.act(ADMIN, &reverse(posting_id)).await, (409, "posting_reversed".to_owned()));
        let seen = world.get(DEVELOPER, &format!("/staff/ledger/postings/{posting_id}")).await;
        let reversal = seen.id("reversed_by");
        assert_eq!(world.act(ADMIN, &reverse(reversal)).await, (409, "posting_is_reversal".to_owned()));
        assert_eq!(world.act(ADMIN, &reverse(account(9))).await, (404, "entry_unknown".to_owned()));
        assert!(world.told(BOB).await.contains(&"wallet.reversed".to_owned()));
        assert_eq!(world.on_record(&posting_id.to_string()).await, ["ledger.reversed"]);
        world.check_sound().await;
    });
}

#[test]
fn money_that_is_spent_a_deed_and_one_s_own_gain_are_not_taken_back() {
    on_each(async |world: World| {
        let gift = pay(&world, ANN, BOB, 500).await;
        let all = world.available(BOB).await;
        pay(&world, BOB, ANN, all).await;
        let answer = world.post(ADMIN, &reverse(gift), json!({"reason": "a test"})).await;
        assert_eq!(answer.outcome(), (409, "insufficient_funds"));
        let own = pay(&world, ANN, ADMIN, 10).await;
        assert_eq!(world.act(ADMIN, &reverse(own)).await, (403, "not_to_oneself".to_owned()));
        world.own(ANN, &[0]).await;
        let postings =
            world.get(DEVELOPER, &format!("/staff/ledger/postings?account={}", account(ANN))).await;
        let mut postings = postings.body["items"].as_array().unwrap().iter();
        let deed = postings.find(|it| it["moves_deeds"] == true).unwrap();
        let deed = deed["posting_id"].as_str().unwrap().parse().unwrap();
        assert_eq!(world.act(ADMIN, &reverse(deed)).await, (409, "posting_moves_deeds".to_owned()));
        world.check_sound().await;
    });
}

#[test]
fn much_money_waits_for_another_person_and_moves_once() {
    on_each(async |world: World| {
        let before = (world.available(ANN).await, world.available(BOB).await);
        let posting_id = pay(&world, ANN, BOB, 1_001).await;
        let asked = world.post(ADMIN, &reverse(posting_id), json!({"reason": "paid twice"})).await;
        assert_eq!((asked.status, &asked.body["state"]), (202, &json!("waiting")), "{}", asked.body);
        let act_id = asked.id("act_id");
        assert_eq!(world.act(OTHER_ADMIN, &reverse(posting_id)).await, (409, "act_waiting".to_owned()));
        let listed = world.get(OTHER_ADMIN, "/staff/acts").await;
        assert_eq!(listed.body["items"][0]["reason"], "paid twice");
        let approve = format!("/staff/acts/{act_id}/approve");
        assert_eq!(world.act(ADMIN, &approve).await, (403, "own_act".to_owned()));
        assert_eq!(world.act(ADMIN, &format!("/staff/acts/{act_id}/refuse")).await.1, "own_act");
        assert_eq!(world.available(ANN).await, before.0 - 1_001);
        // Whatever arrives how often at once: it is done once.
        let reason = json!({"reason": "checked"});
        let ask = |key: &'static str| {
            let (world, approve, reason) = (&world, approve.clone(), reason.clone());
            async move { world.ask_as(OTHER_ADMIN, key, Method::POST, &approve, reason).await }
        };
        let (one, two, three) = tokio::join!(ask("a"), ask("b"), ask("a"));
        let mut outcomes: Vec<_> = [&one, &two, &three].map(Answer::outcome).to_vec();
        outcomes.sort_unstable();
        assert!(outcomes.contains(&(200, "")) && outcomes.contains(&(409, "act_closed")), "{outcomes:?}");
        assert_eq!((world.available(ANN).await, world.available(BOB).await), before);
        let mut record = world.on_record(&posting_id.to_string()).await;
        record.sort_unstable();
        assert_eq!(record, ["ledger.reversal_requested", "ledger.reversed"]);
        world.check_sound().await;
    });
}

#[test]
fn an_act_is_refused_expires_or_is_void_and_then_is_not_done() {
    on_each(async |world: World| {
        let posting_id = pay(&world, ANN, BOB, 5_000).await;
        let paid = world.available(ANN).await;
        let ask = async || {
            let asked = world.post(ADMIN, &reverse(posting_id), json!({"reason": "a test"})).await;
            assert_eq!(asked.status, 202, "{}", asked.body);
            asked.id("act_id")
        };
        let refused = ask().await;
        let answer =
            world.post(OTHER_ADMIN, &format!("/staff/acts/{refused}/refuse"), json!({"reason": "no"})).await;
        assert_eq!(answer.body["state"], "refused", "{}", answer.body);
        let approve = |id: Uuid| format!("/staff/acts/{id}/approve");
        assert_eq!(world.act(OTHER_ADMIN, &approve(refused)).await, (409, "act_closed".to_owned()));
        let late = ask().await;
        world.clock.advance_us(DAY_US);
        let answer = world.post(OTHER_ADMIN, &approve(late), json!({"reason": "a test"})).await;
        assert_eq!((answer.outcome(), &answer.body["state"]), ((409, "act_closed"), &json!("expired")));
        // The same may be asked for again.
        let void = ask().await;
        let role = json!({"role": "moderator", "reason": "a test"});
        let path = format!("/staff/people/{}/role", account(ADMIN));
        assert_eq!(world.ask(OTHER_ADMIN, Method::PUT, &path, role).await.status, 200);
        let answer = world.post(OTHER_ADMIN, &approve(void), json!({"reason": "a test"})).await;
        assert_eq!((answer.outcome(), &answer.body["state"]), ((409, "act_closed"), &json!("void")));
        assert_eq!(world.act(OTHER_ADMIN, &approve(account(5))).await, (404, "act_unknown".to_owned()));
        assert_eq!(world.available(ANN).await, paid);
    });
}

#[test]
fn the_books_are_looked_at_and_add_up() {
    on_each(async |world: World| {
        pay(&world, ANN, BOB, 7).await;
        let check = world.get(DEVELOPER, "/staff/ledger/check").await;
        assert_eq!((&check.body["is_sound"], &check.body["sums"]["coin"]), (&json!(true), &json!(0)));
        let mine = world.get(DEVELOPER, &format!("/staff/ledger/accounts?owner={}", account(ANN))).await;
        assert_eq!(mine.body["items"][0]["name"], "Person 001");
        let planet = world.get(DEVELOPER, "/staff/ledger/accounts").await;
        assert!(planet.body["items"].as_array().unwrap().iter().any(|it| it["kind"] == "mint"));
        let nobody = world.get(DEVELOPER, &format!("/staff/ledger/accounts?owner={}", account(99))).await;
        assert_eq!(nobody.outcome(), (404, "entry_unknown"));
        let system = world.get(DEVELOPER, "/staff/system").await;
        assert_eq!(system.body["limits"][0]["policy"], "5/min burst 10");
        assert!(system.body["database_bytes"].as_u64().is_some_and(|it| it > 0), "{}", system.body);
        let world = world.get(DEVELOPER, "/staff/world").await;
        assert_eq!(world.body["people_count"], 0);
    });
}
