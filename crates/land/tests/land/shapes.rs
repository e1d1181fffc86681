//! Parcels of several lots: claimed, merged, split, given up.

use crate::world::{GROUPS, World, account, migrations, tokens_of};
use land::EncumbranceKind;
use serde_json::{Value, json};
use store::testing::for_each_engine;
use uuid::Uuid;

fn on_each(test: impl AsyncFn(World)) {
    for_each_engine(&migrations(), async |store| test(World::new(store)).await);
}

fn cells(view: &Value) -> Vec<String> {
    view["cells"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

fn sorted(lots: &[cell::CellId]) -> Vec<String> {
    let mut lots = lots.to_vec();
    lots.sort();
    tokens_of(&lots)
}

#[test]
fn several_lots_are_claimed_as_one_parcel_or_not_at_all() {
    on_each(async |world| {
        let lots = world.dry_lots(12);
        world.magnate(1, lots[0]).await;
        world.settler(2, lots[11]).await;
        assert_eq!(world.claim(2, &lots[11].token(), "x").await.status.as_u16(), 201);
        let before = world.coins(1).await;
        let all = world.decide(1, "/claims", "a", &json!({"cells": tokens_of(&lots)})).await;
        assert_eq!(all.outcome(), (409, "lot_taken"));
        assert_eq!(world.coins(1).await, before);
        assert_eq!(world.lot(lots[0]).await["status"], "free", "nothing is left of it");

        let mine = &lots[..11];
        let claimed = world.decide(1, "/claims", "b", &json!({"cells": tokens_of(mine)})).await;
        assert_eq!(claimed.status.as_u16(), 201, "{}", claimed.body);
        assert_eq!(cells(&claimed.body), sorted(mine));
        assert_eq!((&claimed.body["cell_count"], &claimed.body["fence"]), (&json!(11), &json!("everyone")));
        let area: f64 = mine.iter().map(|it| it.area_sr()).sum::<f64>() * world.area_of_sr();
        assert!((claimed.body["area_m2"].as_f64().unwrap() - area).abs() < 0.01);
        let price = (area * 10.0).ceil() as i64;
        assert_eq!((before - world.coins(1).await, &claimed.body["price_minor"]), (price, &json!(price)));
        for lot in mine {
            assert_eq!(world.lot(*lot).await, claimed.body, "it is one parcel by each of its lots");
            world.put(1, *lot, 0.0, 0.0);
            let again = world.claim(1, &lot.token(), &format!("c{lot}")).await;
            assert_eq!(again.outcome(), (409, "lot_taken"));
        }
        let again = world.decide(1, "/claims", "b", &json!({"cells": tokens_of(mine)})).await;
        assert_eq!((again.status.as_u16(), &again.body), (201, &claimed.body));
        assert_eq!(again.headers["idempotency-replayed"], "true");
        world.assert_books_sound().await;
    });
}

#[test]
fn a_bad_list_is_refused_by_its_first_fault() {
    on_each(async |world| {
        let lots = world.dry_lots(70);
        world.magnate(1, lots[0]).await;
        let apart = [lots[0], lots[69]];
        let sea = world.sea_lot();
        let check = async |cells: Vec<String>, outcome: (u16, &str)| {
            let count = cells.len();
            let answer =
                world.decide(1, "/claims", &Uuid::now_v7().to_string(), &json!({"cells": cells})).await;
            assert_eq!(answer.outcome(), outcome, "{count} cells: {}", answer.body);
            answer.body
        };
        check(vec![], (422, "invalid_body")).await;
        let many = check(vec!["zz".to_owned(); 10_000], (422, "too_many_cells")).await;
        assert_eq!((&many["count"], &many["max"]), (&json!(10_000), &json!(64)));
        check(tokens_of(&lots[..65]), (422, "too_many_cells")).await;
        check(vec!["zz".to_owned()], (422, "invalid_body")).await;
        check(vec![lots[0].token(), lots[0].token()], (422, "duplicate_cells")).await;
        check(vec![lots[0].token(), lots[0].parent(12).token()], (422, "overlapping_cells")).await;
        check(vec![lots[0].token(), lots[0].children().unwrap()[1].token()], (422, "overlapping_cells"))
            .await;
        check(vec![lots[0].parent(12).token()], (422, "invalid_body")).await;
        check(tokens_of(&apart), (422, "not_connected")).await;
        check(vec![sea.token()], (422, "lot_unclaimable")).await;
        for body in [
            json!({"cells": [lots[0].token()], "owner_id": account(2)}),
            json!({"cells": [lots[0].token()], "price_minor": 1}),
            json!({"cells": lots[0].token()}),
            json!({"cells": [1]}),
            json!({"cells": [lots[0].token()], "as_group": "x"}),
            json!([]),
        ] {
            let answer = world.decide(1, "/claims", "k", &body).await;
            assert_eq!(answer.outcome(), (422, "invalid_body"), "{body}: {}", answer.body);
        }
        // Near enough is whoever is near the nearest of them.
        world.put(1, lots[0], 90.0, 0.0);
        assert_eq!(world.lot(lots[0]).await["status"], "free");
        check(tokens_of(&lots[..3]), (201, "")).await;
        world.put(1, lots[0], 5_000.0, 0.0);
        check(tokens_of(&lots[3..4]), (422, "lot_too_far")).await;
        world.assert_books_sound().await;
    });
}

#[test]
fn a_claim_has_a_largest_area() {
    on_each(async |world| {
        let lots = world.dry_lots(64);
        world.magnate(1, lots[0]).await;
        let area_m2 = lots.iter().map(|it| it.area_sr()).sum::<f64>() * world.area_of_sr();
        let max_m2 = wallet::Economy::embedded().land.claim_area_max_m2;
        let answer = world.decide(1, "/claims", "a", &json!({"cells": tokens_of(&lots)})).await;
        let expected = if area_m2 > max_m2 { (422, "land_too_large") } else { (201, "") };
        assert_eq!(answer.outcome(), expected, "{area_m2} m²: {}", answer.body);
    });
}

#[test]
fn neighbours_become_one_parcel_with_one_deed() {
    on_each(async |world| {
        let lots = world.dry_path(9);
        world.magnate(1, lots[0]).await;
        world.magnate(2, lots[0]).await;
        let first = world.own(1, &lots[..2]).await;
        let second = world.own(1, &lots[2..3]).await;
        let third = world.own(1, &lots[3..6]).await;
        let foreign = world.own(2, &lots[6..9]).await;
        world.rename(1, &first.token(), r#"{"name": "Home", "description": "One\n\nTwo"}"#).await;
        world.rename(1, &second.token(), r#"{"name": "Field"}"#).await;

        let merge = async |number, with: &[cell::CellId], key: &str| {
            let path = format!("/{}/merge", lots[1].token());
            world.decide(number, &path, key, &json!({"with": tokens_of(with)})).await
        };
        assert_eq!(merge(1, &[foreign], "a").await.outcome(), (403, "not_owner"));
        assert_eq!(merge(2, &[foreign], "a").await.outcome(), (403, "not_owner"));
        assert_eq!(merge(1, &[lots[3], lots[4]], "b").await.outcome(), (422, "duplicate_cells"));
        assert_eq!(merge(1, &[lots[0]], "c").await.outcome(), (422, "duplicate_cells"), "with itself");
        assert_eq!(merge(1, &[world.sea_lot()], "d").await.outcome(), (403, "not_owner"), "nobody's");
        assert_eq!(merge(1, &[], "e").await.outcome(), (422, "invalid_body"));
        assert_eq!(merge(1, &lots[..1].repeat(17), "f").await.outcome(), (422, "too_many_cells"));

        let merged = merge(1, &[lots[2], lots[5]], "g").await;
        assert_eq!(merged.status.as_u16(), 200, "{}", merged.body);
        assert_eq!((&merged.body["token"], &merged.body["name"]), (&json!(first.token()), &json!("Home")));
        assert_eq!(merged.body["description"], "One\n\nTwo");
        assert_eq!(cells(&merged.body), sorted(&lots[..6]));
        let deeds = [world.deeds(1, first).await, world.deeds(1, second).await, world.deeds(1, third).await];
        assert_eq!(deeds, [1, 0, 0]);
        for lot in &lots[..6] {
            assert_eq!(world.lot(*lot).await, merged.body);
        }
        world.assert_books_sound().await;

        let titles = world.titles(first, "").await;
        assert_eq!((&titles[0]["kind"], &titles[1]["kind"]), (&json!("merge"), &json!("claim")));
        let ended = world.titles(second, "?record=lot").await;
        assert_eq!((&ended[0]["kind"], &ended[0]["other_parcel"]), (&json!("merge"), &json!(first.token())));
        assert!(ended[0].get("owner").is_none() && ended.len() == 2, "{ended:?}");
    });
}

#[test]
fn a_parcel_is_split_into_two_that_hang_together() {
    on_each(async |world| {
        let lots = world.dry_lots(8);
        world.magnate(1, lots[0]).await;
        let anchor = world.own(1, &lots).await;
        world.rename(1, &anchor.token(), r#"{"name": "Home"}"#).await;
        let split = async |number, part: &[cell::CellId], key: &str| {
            let path = format!("/{}/split", lots[3].token());
            world.decide(number, &path, key, &json!({"cells": tokens_of(part)})).await
        };
        assert_eq!(split(2, &lots[7..], "a").await.outcome(), (403, "not_owner"));
        assert_eq!(split(1, &lots, "b").await.outcome(), (422, "nothing_left"));
        assert_eq!(split(1, &[], "c").await.outcome(), (422, "invalid_body"));
        assert_eq!(split(1, &[world.sea_lot()], "d").await.outcome(), (422, "not_in_parcel"));
        // The first lot holds the others together, in the order in which they were found.
        assert_eq!(split(1, &lots[..1], "e").await.outcome(), (422, "not_connected"));
        assert_eq!(split(1, &[lots[1], lots[3]], "e2").await.outcome(), (422, "not_connected"));
        world.assert_books_sound().await;

        // The part that has the anchor keeps the name, whichever of the two was asked for.
        let leaf = lots[7];
        let done = split(1, &[leaf], "f").await;
        assert_eq!(done.status.as_u16(), 200, "{}", done.body);
        let (kept, off) = (&done.body["kept"], &done.body["split_off"]);
        assert_eq!((&kept["token"], &kept["name"]), (&json!(anchor.token()), &json!("Home")));
        assert!(off.get("name").is_none());
        let (one, rest) = if anchor == leaf { (kept, off) } else { (off, kept) };
        assert_eq!((cells(one), cells(rest)), (sorted(&[leaf]), sorted(&lots[..7])));
        let new = cell::CellId::parse_token(off["token"].as_str().unwrap()).unwrap();
        assert_eq!([world.deeds(1, anchor).await, world.deeds(1, new).await], [1, 1]);
        assert_eq!(world.lot(leaf).await, *one);
        let area = kept["area_m2"].as_f64().unwrap() + off["area_m2"].as_f64().unwrap();
        let whole = lots.iter().map(|it| it.area_sr()).sum::<f64>() * world.area_of_sr();
        assert!((area - whole).abs() < 0.02);
        let again = split(1, &[leaf], "f").await;
        assert_eq!((again.status.as_u16(), &again.body), (200, &done.body));
        let titles = world.titles(new, "").await;
        assert_eq!(
            (&titles[0]["kind"], &titles[0]["other_parcel"]),
            (&json!("split"), &json!(anchor.token()))
        );
        world.assert_books_sound().await;
    });
}

#[test]
fn land_given_up_is_free_for_the_next() {
    on_each(async |world| {
        let lots = world.dry_lots(3);
        world.magnate(1, lots[0]).await;
        world.magnate(2, lots[0]).await;
        let anchor = world.own(1, &lots).await;
        let coins = world.coins(1).await;
        let path = format!("/{}/abandon", lots[1].token());
        assert_eq!(world.decide(2, &path, "a", &Value::Null).await.outcome(), (403, "not_owner"));
        let done = world.decide(1, &path, "b", &Value::Null).await;
        assert_eq!(done.body, json!({"token": anchor.token(), "cells": sorted(&lots)}));
        assert_eq!(world.decide(1, &path, "b", &Value::Null).await.body, done.body);
        assert_eq!(world.decide(1, &path, "c", &Value::Null).await.outcome(), (403, "not_owner"));
        assert_eq!((world.coins(1).await, world.deeds(1, anchor).await), (coins, 0));
        assert_eq!(world.lot(lots[2]).await["status"], "free");
        world.assert_books_sound().await;

        assert_eq!(world.own(2, &lots).await, anchor);
        let titles = world.titles(anchor, "").await;
        let kinds: Vec<_> = titles.iter().map(|it| it["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["claim", "abandon", "claim"]);
        assert_eq!(titles[0]["owner"]["account_id"], json!(account(2)));
        let first = world.get(1, &format!("/api/v1/lands/{}/titles?limit=2", anchor.token())).await;
        let cursor = first.body["next_cursor"].as_str().unwrap();
        assert_eq!(world.titles(anchor, &format!("?limit=2&cursor={cursor}")).await, titles[2..]);
        world.assert_books_sound().await;
    });
}

#[test]
fn a_group_owns_and_only_who_acts_for_it_decides() {
    on_each(async |world| {
        let lots = world.dry_lots(3);
        world.settler(1, lots[0]).await;
        world.settler(2, lots[0]).await;
        let group = account(GROUPS + 1);
        world.enrich(GROUPS + 1, 1_000_000).await;
        let body = json!({"cells": tokens_of(&lots), "as_group": group});
        assert_eq!(world.decide(2, "/claims", "a", &body).await.outcome(), (403, "no_authority"));
        let claimed = world.decide(1, "/claims", "a", &body).await;
        assert_eq!(claimed.status.as_u16(), 201, "{}", claimed.body);
        let owner = json!({"account_id": group, "kind": "group", "display_name": "group 1"});
        assert_eq!(claimed.body["owner"], owner);
        assert_eq!(world.coins(1).await, wallet::WELCOME_GRANT.minor(), "the group pays");
        let token = claimed.body["token"].as_str().unwrap();
        assert_eq!(world.rename(2, token, r#"{"name": "Ours"}"#).await.outcome(), (403, "not_owner"));
        assert_eq!(world.rename(1, token, r#"{"name": "Ours"}"#).await.status.as_u16(), 200);
        let listed = world.get(2, &format!("/api/v1/lands?owner={group}")).await;
        assert_eq!(listed.body["items"][0]["name"], "Ours");
        let path = format!("/{token}/abandon");
        assert_eq!(world.decide(2, &path, "b", &Value::Null).await.outcome(), (403, "not_owner"));
        assert_eq!(world.decide(1, &path, "b", &Value::Null).await.status.as_u16(), 200);
        world.assert_books_sound().await;
    });
}

#[test]
fn what_is_promised_or_leased_keeps_its_shape() {
    on_each(async |world| {
        let lots = world.dry_lots(4);
        world.magnate(1, lots[0]).await;
        let anchor = world.own(1, &lots[..3]).await;
        let other = world.own(1, &lots[3..]).await;
        let (listing, lease) = (Uuid::now_v7(), Uuid::now_v7());
        let refused = async |outcome: (u16, &str), keys: &str| {
            let all = [
                (format!("/{anchor}/merge"), json!({"with": [other.token()]})),
                (format!("/{other}/merge"), json!({"with": [anchor.token()]})),
                (format!("/{anchor}/split"), json!({"cells": [lots[2].token()]})),
                (format!("/{anchor}/abandon"), Value::Null),
            ];
            for (index, (path, body)) in all.iter().enumerate() {
                let answer = world.decide(1, path, &format!("{keys}{index}"), body).await;
                assert_eq!(answer.outcome(), outcome, "{path}: {}", answer.body);
            }
        };
        let promised = |kind, id| world.store.locked(move |tx| land::encumber(tx, anchor, kind, id));
        assert_eq!(promised(EncumbranceKind::Listing, listing).await, Ok(true));
        assert_eq!(promised(EncumbranceKind::Auction, Uuid::now_v7()).await, Ok(false), "one at a time");
        refused((409, "parcel_encumbered"), "a").await;
        let gift = world.decide(1, &format!("/{anchor}/gift"), "g", &json!({"to_id": account(2)})).await;
        assert_eq!(gift.outcome(), (409, "parcel_encumbered"));
        let shown = land::Shown { price_minor: Some(5), currency: Some("coin".into()), ends_at_us: None };
        world.store.locked(move |tx| land::show(tx, anchor, listing, &shown)).await.unwrap();
        let market = json!({"kind": "listing", "id": listing, "price_minor": 5, "currency": "coin"});
        assert_eq!(world.lot(lots[1]).await["market"], market);
        assert!(world.store.locked(move |tx| land::release(tx, anchor, listing)).await.unwrap());

        assert!(world.store.locked(move |tx| land::bind_lease(tx, anchor, lease)).await.unwrap());
        assert!(!world.store.locked(move |tx| land::bind_lease(tx, anchor, listing)).await.unwrap());
        refused((409, "parcel_leased"), "b").await;
        assert_eq!(world.lot(lots[1]).await["is_leased"], true);
        assert!(world.store.locked(move |tx| land::unbind_lease(tx, anchor, lease)).await.unwrap());
        let done = world.decide(1, &format!("/{anchor}/merge"), "c", &json!({"with": [other.token()]})).await;
        assert_eq!(done.status.as_u16(), 200, "{}", done.body);
        world.assert_books_sound().await;
    });
}
