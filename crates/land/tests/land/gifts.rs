//! Land given away.

use std::sync::Arc;

use crate::world::{GROUPS, World, account, migrations};
use serde_json::{Value, json};
use store::testing::for_each_engine;
use uuid::Uuid;

fn on_each(test: impl AsyncFn(World)) {
    for_each_engine(&migrations(), async |store| test(World::new(store)).await);
}

async fn offer(world: &World, lot: cell::CellId, to: u128, key: &str) -> Value {
    let answer = world.decide(1, &format!("/{lot}/gift"), key, &json!({"to_id": account(to)})).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.body);
    answer.body
}

async fn decide(world: &World, number: u128, gift: &Value, what: &str, key: &str) -> crate::world::Answer {
    let path = format!("/gifts/{}/{what}", gift["gift_id"].as_str().unwrap());
    world.decide(number, &path, key, &Value::Null).await
}

#[test]
fn a_gift_moves_deed_and_title_when_it_is_accepted() {
    on_each(async |world| {
        let lots = world.dry_lots(3);
        world.magnate(1, lots[0]).await;
        world.welcome(2).await;
        let anchor = world.own(1, &lots).await;
        let gift = offer(&world, lots[1], 2, "a").await;
        assert_eq!((&gift["state"], &gift["parcel"]), (&json!("offered"), &json!(anchor.token())));
        assert_eq!(world.lot(anchor).await["market"]["kind"], "gift");
        assert_eq!(world.lot(anchor).await["owner"]["account_id"], json!(account(1)), "not yet");
        let listed = world.get(2, "/api/v1/lands/gifts").await;
        assert_eq!(listed.body["items"], json!([gift]));
        assert_eq!(world.get(1, "/api/v1/lands/gifts?role=given").await.body["items"], json!([gift]));
        assert_eq!(world.get(1, "/api/v1/lands/gifts").await.body["items"], json!([]));

        // Who has nothing to do with it learns nothing; who has decides their own side.
        assert_eq!(decide(&world, 3, &gift, "accept", "x").await.outcome(), (404, "gift_unknown"));
        assert_eq!(decide(&world, 3, &gift, "cancel", "x2").await.outcome(), (404, "gift_unknown"));
        assert_eq!(decide(&world, 1, &gift, "accept", "x").await.outcome(), (403, "no_authority"));
        assert_eq!(decide(&world, 2, &gift, "cancel", "x").await.outcome(), (403, "no_authority"));

        let accepted = decide(&world, 2, &gift, "accept", "b").await;
        assert_eq!((accepted.status.as_u16(), &accepted.body["state"]), (200, &json!("accepted")));
        assert_eq!(decide(&world, 2, &gift, "accept", "b").await.body, accepted.body, "the same key");
        let late = decide(&world, 2, &gift, "accept", "c").await;
        assert_eq!((late.outcome(), &late.body["state"]), ((409, "gift_closed"), &json!("accepted")));
        assert_eq!(decide(&world, 1, &gift, "cancel", "d").await.outcome(), (409, "gift_closed"));
        assert_eq!((world.deeds(1, anchor).await, world.deeds(2, anchor).await), (0, 1));
        let view = world.lot(lots[2]).await;
        assert_eq!((&view["owner"]["account_id"], view.get("market")), (&json!(account(2)), None));
        let titles = world.titles(anchor, "").await;
        assert_eq!((&titles[0]["kind"], &titles[0]["price_minor"]), (&json!("gift"), &json!(0)));
        assert_eq!(titles[0]["from"]["account_id"], json!(account(1)));
        world.assert_books_sound().await;
    });
}

#[test]
fn a_gift_that_is_not_wanted_or_taken_back_or_late_changes_nothing() {
    on_each(async |world| {
        let lots = world.dry_lots(2);
        world.magnate(1, lots[0]).await;
        let anchor = world.own(1, &lots).await;
        for (index, (number, what, state)) in
            [(2, "decline", "declined"), (1, "cancel", "cancelled"), (2, "accept", "expired")]
                .into_iter()
                .enumerate()
        {
            let gift = offer(&world, anchor, 2, &format!("o{index}")).await;
            let again = world
                .decide(1, &format!("/{anchor}/gift"), &format!("p{index}"), &json!({"to_id": account(3)}))
                .await;
            assert_eq!(again.outcome(), (409, "parcel_encumbered"));
            if state == "expired" {
                world.clock.advance_us(land::limits::GIFT_TIME_US);
                let late = decide(&world, number, &gift, what, &format!("d{index}")).await;
                assert_eq!((late.outcome(), &late.body["state"]), ((409, "gift_closed"), &json!("expired")));
                assert_eq!(world.land.expire_gifts().await, Ok(1));
                // The clock goes back, the gift does not.
                world.clock.advance_us(-land::limits::GIFT_TIME_US);
                let late = decide(&world, number, &gift, what, &format!("e{index}")).await;
                assert_eq!((late.outcome(), &late.body["state"]), ((409, "gift_closed"), &json!("expired")));
                assert_eq!(world.land.expire_gifts().await, Ok(0));
            } else {
                let done = decide(&world, number, &gift, what, &format!("d{index}")).await;
                assert_eq!((done.status.as_u16(), &done.body["state"]), (200, &json!(state)));
            }
            let view = world.lot(anchor).await;
            assert_eq!((&view["owner"]["account_id"], view.get("market")), (&json!(account(1)), None));
            world.assert_books_sound().await;
        }
        let given = world.get(1, "/api/v1/lands/gifts?role=given&limit=2").await;
        assert_eq!(given.body["items"].as_array().unwrap().len(), 2);
        let cursor = given.body["next_cursor"].as_str().unwrap();
        let rest = world.get(1, &format!("/api/v1/lands/gifts?role=given&cursor={cursor}")).await;
        assert_eq!(rest.body["items"][0]["state"], "declined");
    });
}

#[test]
fn gifts_go_to_others_who_exist() {
    on_each(async |world| {
        let lots = world.dry_lots(1);
        world.magnate(1, lots[0]).await;
        world.own(1, &lots).await;
        let path = format!("/{}/gift", lots[0]);
        for (body, outcome) in [
            (json!({"to_id": account(1)}), (422, "self_gift")),
            (json!({"to_id": "me"}), (422, "invalid_body")),
            (json!({"to_id": account(2), "price_minor": 1}), (422, "invalid_body")),
            (json!({}), (422, "invalid_body")),
        ] {
            assert_eq!(
                world.decide(1, &path, &Uuid::now_v7().to_string(), &body).await.outcome(),
                outcome,
                "{body}"
            );
        }
        let theirs = json!({"to_id": account(3)});
        assert_eq!(world.decide(2, &path, "a", &theirs).await.outcome(), (403, "not_owner"));
        let gift = offer(&world, lots[0], GROUPS + 2, "b").await;
        assert_eq!(gift["to"]["kind"], "group");
        let list = format!("/api/v1/lands/gifts?as_group={}", account(GROUPS + 2));
        assert_eq!(world.get(2, &list).await.body["items"], json!([gift]));
        assert_eq!(world.get(3, &list).await.outcome(), (403, "no_authority"));
        assert_eq!(decide(&world, 3, &gift, "accept", "c").await.outcome(), (404, "gift_unknown"));
        assert_eq!(decide(&world, 2, &gift, "accept", "c").await.status.as_u16(), 200);
        assert_eq!(world.lot(lots[0]).await["owner"]["kind"], "group");
        world.assert_books_sound().await;
    });
}

#[test]
fn of_several_who_decide_at_once_one_does() {
    on_each(async |world| {
        let world = Arc::new(world);
        let lots = world.dry_lots(1);
        world.magnate(1, lots[0]).await;
        world.own(1, &lots).await;
        let gift = offer(&world, lots[0], 2, "a").await;
        let tasks: Vec<_> = (0..9)
            .map(|index| {
                let (world, gift) = (Arc::clone(&world), gift.clone());
                let (number, what) = [(2, "accept"), (1, "cancel"), (2, "decline")][index % 3];
                tokio::spawn(async move {
                    let answer = decide(&world, number, &gift, what, &format!("r{index}")).await;
                    answer.outcome().0
                })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            match task.await.unwrap() {
                200 => done += 1,
                409 => {}
                other => panic!("{other}"),
            }
        }
        assert_eq!(done, 1);
        world.assert_books_sound().await;
    });
}
