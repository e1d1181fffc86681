//! What nobody may do with land and money: refused with a stable code, and nothing is different afterwards.

use cell::CellId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::claims::free_lots;
use crate::support::{Account, Server, run};

/// Ann owns three lots: one is for sale, one in an auction which Bob leads; Bob's own is offered to her as a gift. Cat has
/// nothing but money and a body near them.
struct Scene {
    ann: Account,
    bob: Account,
    cat: Account,
    plain: String,
    listed: String,
    listing: String,
    auctioned: String,
    auction: String,
    gift: String,
    given: String,
    group: String,
    free: Vec<String>,
}

impl Scene {
    async fn new(server: &Server) -> Self {
        let (ann, bob) = (Account::new(server).await, Account::new(server).await);
        let cat = Account::new(server).await;
        let present = [ann.enter(server).await, bob.enter(server).await, cat.enter(server).await];
        // They stay in the world for as long as their sockets are not closed.
        std::mem::forget(present);
        let mut free = free_lots(&ann, 7).await;
        let mut claimed = free.split_off(3);
        let (plain, listed) = (claimed.remove(0), claimed.remove(0));
        let (auctioned, given) = (claimed.remove(0), claimed.remove(0));
        for (account, lot) in [(&ann, &plain), (&ann, &listed), (&ann, &auctioned), (&bob, &given)] {
            account.claim(lot, lot).await.unwrap();
        }
        let made = async |account: &Account, path: &str, body: Value, id: &str| {
            let made = account.decide(Method::POST, path, body).await.expect(201);
            made[id].as_str().unwrap().to_owned()
        };
        let body = json!({ "parcel": listed, "currency": "coin", "price_minor": 10_000 });
        let listing = made(&ann, "marketplace/listings", body, "id").await;
        let body = json!({
            "parcel": auctioned, "kind": "english", "currency": "coin", "start_minor": 1_000, "duration_s": 3_600
        });
        let auction = made(&ann, "marketplace/auctions", body, "id").await;
        let bids = format!("marketplace/auctions/{auction}/bids");
        made(&bob, &bids, json!({ "max_minor": 2_000 }), "id").await;
        let gift = made(&bob, &format!("lands/{given}/gift"), json!({ "to_id": ann.id }), "gift_id").await;
        let group = made(&ann, "groups", json!({ "name": "Harbour Guild" }), "group_id").await;
        let body = json!({ "to_account_id": group, "currency": "coin", "amount_minor": 10 });
        made(&ann, "wallet/transfers", body, "posting_id").await;
        Self { ann, bob, cat, plain, listed, listing, auctioned, auction, gift, given, group, free }
    }

    /// All that a refused request could have changed.
    async fn property(&self) -> Value {
        let mut seen = Vec::new();
        for account in [&self.ann, &self.bob, &self.cat] {
            for path in
                ["wallet", "wallet/holds", "wallet/postings", "lands/mine", "groups/mine", "lands/gifts"]
            {
                seen.push(account.get(path).await.unwrap());
            }
        }
        for lot in [&self.plain, &self.listed, &self.auctioned, &self.given].into_iter().chain(&self.free) {
            seen.push(self.ann.get(&format!("lands/{lot}")).await.unwrap());
        }
        seen.push(self.ann.get(&format!("lands/{}/fence", self.plain)).await.unwrap());
        seen.push(self.ann.get(&format!("lands/{}/permissions", self.plain)).await.unwrap());
        seen.push(self.ann.get(&format!("wallet?as_group={}", self.group)).await.unwrap());
        let mut sales = Vec::new();
        for path in [format!("listings/{}", self.listing), format!("auctions/{}", self.auction)] {
            let mut sale = self.bob.get(&format!("marketplace/{path}")).await.unwrap();
            sale["server_time"] = Value::Null;
            sales.push(sale);
        }
        seen.extend(sales);
        Value::Array(seen)
    }

    /// Asks and is refused.
    async fn refuse(&self, who: &Account, method: &Method, path: &str, body: &str, expected: (u16, &str)) {
        let key = uuid::Uuid::now_v7().to_string();
        let answer = who.ask_text(method.clone(), path, &key, body).await;
        let body: String = body.chars().take(200).collect();
        assert_eq!(answer.outcome(), expected, "{method} {path} {body}: {}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{method} {path} {body}");
    }

    /// Requests in which `§` stands for an amount of money, each right in all else.
    fn with_amounts(&self) -> Vec<(&Account, Method, String, String)> {
        let (post, market) = (Method::POST, "marketplace");
        let lot = &self.plain;
        vec![
            (
                &self.bob,
                post.clone(),
                "wallet/transfers".to_owned(),
                json!({ "to_account_id": self.ann.id, "currency": "coin", "amount_minor": "§" }).to_string(),
            ),
            (
                &self.ann,
                post.clone(),
                format!("{market}/listings"),
                json!({ "parcel": lot, "currency": "coin", "price_minor": "§" }).to_string(),
            ),
            (
                &self.ann,
                Method::PATCH,
                format!("{market}/listings/{}", self.listing),
                json!({ "price_minor": "§" }).to_string(),
            ),
            (
                &self.bob,
                post.clone(),
                format!("{market}/listings/{}/purchase", self.listing),
                json!({ "price_minor": "§" }).to_string(),
            ),
            (
                &self.ann,
                post.clone(),
                format!("{market}/auctions"),
                json!({ "parcel": lot, "kind": "english", "currency": "coin", "start_minor": "§" })
                    .to_string(),
            ),
            (
                &self.cat,
                post.clone(),
                format!("{market}/auctions/{}/bids", self.auction),
                json!({ "max_minor": "§" }).to_string(),
            ),
            (
                &self.bob,
                post,
                format!("{market}/offers"),
                json!({ "parcel": lot, "currency": "coin", "price_minor": "§" }).to_string(),
            ),
        ]
    }
}

#[test]
fn amounts_that_are_none_are_refused_and_move_nothing() {
    let server = Server::start();
    run(async {
        let scene = Scene::new(&server).await;
        let before = scene.property().await;
        for (who, method, path, body) in scene.with_amounts() {
            for amount in [
                "-1",
                "0",
                "-0",
                "1.5",
                "1.0",
                "1e3",
                "9007199254740992",
                "9223372036854775807",
                "9223372036854775808",
                "-9223372036854775808",
                "1e400",
                "\"100\"",
                "null",
                "true",
                "[100]",
            ] {
                let body = body.replace("\"§\"", amount);
                // 1e400 is no number that anything could hold.
                let code = if amount == "1e400" { (400, "malformed_json") } else { (422, "invalid_body") };
                scene.refuse(who, &method, &path, &body, code).await;
            }
            for amount in ["NaN", "0x10", "01", "1_000"] {
                let body = body.replace("\"§\"", amount);
                scene.refuse(who, &method, &path, &body, (400, "malformed_json")).await;
            }
            // More than there is; of what cannot exist at all, the receiver would have too much.
            if path.ends_with("transfers") || path.ends_with("bids") || path.ends_with("offers") {
                let body = body.replace("\"§\"", "50001");
                scene.refuse(who, &method, &path, &body, (422, "insufficient_funds")).await;
            }
            if body.contains("coin") {
                for currency in ["gold", "COIN", "", "coin ", "deed:4be64c3c"] {
                    let body = body.replace("\"§\"", "100").replace("coin", currency);
                    scene.refuse(who, &method, &path, &body, (422, "unknown_currency")).await;
                }
            }
        }
        assert_eq!(scene.property().await, before);
    });
}

#[test]
fn what_breaks_a_rule_of_trade_is_refused_and_changes_nothing() {
    let server = Server::start();
    run(async {
        let scene = Scene::new(&server).await;
        let before = scene.property().await;
        let Scene { ann, bob, cat, plain, listed, listing, auctioned, auction, given, free, .. } = &scene;
        let nobody = uuid::Uuid::now_v7();
        let bids = format!("marketplace/auctions/{auction}/bids");
        let transfer = |to: &str| json!({ "to_account_id": to, "currency": "coin", "amount_minor": 5 });
        let sale = |lot: &str| json!({ "parcel": lot, "currency": "coin", "price_minor": 500 });
        let cases = [
            (bob, "wallet/transfers", transfer(&bob.id), (422, "self_transfer")),
            (bob, "wallet/transfers", transfer(&nobody.to_string()), (422, "unknown_account")),
            (bob, "wallet/transfers", transfer("ann"), (422, "invalid_body")),
            // The leader's visible price is 1000, the step 50.
            (cat, &bids, json!({ "max_minor": 1_049 }), (422, "bid_too_low")),
            (bob, &bids, json!({ "max_minor": 2_000 }), (422, "bid_not_higher")),
            (bob, &bids, json!({ "max_minor": 1_500 }), (422, "bid_not_higher")),
            (ann, &bids, json!({ "max_minor": 5_000 }), (422, "own_land")),
            (ann, "marketplace/offers", sale(plain), (422, "own_land")),
            (
                cat,
                &format!("marketplace/auctions/{nobody}/bids"),
                json!({ "max_minor": 5 }),
                (404, "auction_not_found"),
            ),
            (
                cat,
                &format!("marketplace/auctions/{listing}/bids"),
                json!({ "max_minor": 5 }),
                (404, "auction_not_found"),
            ),
            (
                cat,
                &format!("marketplace/auctions/{auction}/accept"),
                json!({ "price_minor": 5 }),
                (409, "wrong_kind"),
            ),
            (
                ann,
                &format!("marketplace/listings/{listing}/purchase"),
                json!({ "price_minor": 10_000 }),
                (422, "own_land"),
            ),
            (
                cat,
                &format!("marketplace/listings/{listing}/purchase"),
                json!({ "price_minor": 1 }),
                (409, "price_changed"),
            ),
            (
                cat,
                &format!("marketplace/listings/{auction}/purchase"),
                json!({ "price_minor": 1 }),
                (404, "listing_not_found"),
            ),
            (ann, "marketplace/listings", sale(listed), (409, "encumbered")),
            (ann, "marketplace/listings", sale(auctioned), (409, "encumbered")),
            (bob, "marketplace/listings", sale(given), (409, "encumbered")),
            (ann, "marketplace/listings", sale(&free[0]), (409, "not_owned")),
            (ann, "marketplace/listings", sale("zz"), (404, "not_a_lot")),
            (ann, &format!("lands/{plain}/gift"), json!({ "to_id": ann.id }), (422, "self_gift")),
            (ann, &format!("lands/{plain}/gift"), json!({ "to_id": nobody }), (422, "receiver_unknown")),
            (ann, &format!("marketplace/auctions/{auction}/cancel"), Value::Null, (409, "has_bids")),
            (ann, &format!("lands/{listed}/abandon"), Value::Null, (409, "parcel_encumbered")),
            (ann, &format!("lands/{plain}/split"), json!({ "cells": [plain] }), (422, "nothing_left")),
            (ann, &format!("lands/{plain}/split"), json!({ "cells": [listed] }), (422, "not_in_parcel")),
        ];
        for (who, path, body, expected) in cases {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            scene.refuse(who, &Method::POST, path, &body, expected).await;
        }
        assert_eq!(scene.property().await, before, "something is different");
    });
}

#[test]
fn land_that_is_none_is_not_claimed() {
    let server = Server::start();
    run(async {
        let scene = Scene::new(&server).await;
        let before = scene.property().await;
        let Scene { ann, cat, plain, free, .. } = &scene;
        let lot = CellId::parse_token(&free[0]).unwrap();
        let (parent, child) = (
            lot.parent(lot.level() - 1).token(),
            CellId::from_point(lot.center()).parent(lot.level() + 1).token(),
        );
        let far = CellId::from_point(-lot.center()).parent(lot.level()).token();
        let many: Vec<String> = {
            // Neighbours of neighbours, until there are so many.
            let (mut found, mut at) = (vec![lot], 0);
            let mut known: std::collections::HashSet<_> = found.iter().copied().collect();
            while found.len() < 4_000 {
                found.extend(
                    found[at].all_neighbors().into_iter().filter(|it| known.insert(*it)).collect::<Vec<_>>(),
                );
                at += 1;
            }
            found.truncate(4_000);
            found.into_iter().map(CellId::token).collect()
        };
        let cases = [
            (json!([lot.token(), parent]), "overlapping_cells"),
            (json!([lot.token(), child]), "overlapping_cells"),
            (json!([lot.token(), lot.token()]), "duplicate_cells"),
            (json!([lot.token(), far]), "not_connected"),
            (json!(many), "too_many_cells"),
            (json!(many[..65]), "too_many_cells"),
            (json!([]), "invalid_body"),
            (json!([parent]), "invalid_body"),
            (json!(["ffffffff"]), "invalid_body"),
            (json!(["zz"]), "invalid_body"),
            (json!([5]), "invalid_body"),
            (json!(lot.token()), "invalid_body"),
        ];
        for (cells, code) in cases {
            let body = json!({ "cells": cells }).to_string();
            scene.refuse(cat, &Method::POST, "lands/claims", &body, (422, code)).await;
        }
        let body = json!({ "cells": [plain] }).to_string();
        scene.refuse(cat, &Method::POST, "lands/claims", &body, (409, "lot_taken")).await;
        let merge = format!("lands/{plain}/merge");
        for (with, code) in [(json!([parent]), (422, "invalid_body")), (json!(many), (422, "too_many_cells"))]
        {
            scene.refuse(ann, &Method::POST, &merge, &json!({ "with": with }).to_string(), code).await;
        }
        assert_eq!(scene.property().await, before, "something is different");
    });
}

#[test]
fn texts_that_disturb_and_fields_that_are_not_yours_are_refused() {
    let server = Server::start();
    run(async {
        let scene = Scene::new(&server).await;
        let before = scene.property().await;
        let Scene { ann, bob, plain, .. } = &scene;
        let land = format!("lands/{plain}");
        let long = "x".repeat(10_240);
        for text in
            ["a\u{0}b", "a\nb", "a\u{7f}b", "a\u{202e}b", "\u{2066}ab", "a\u{200b}b", "\u{feff}ab", &long]
        {
            for (who, method, path, body) in [
                (ann, Method::PATCH, land.as_str(), json!({ "name": text })),
                (ann, Method::POST, "groups", json!({ "name": text })),
                (
                    bob,
                    Method::POST,
                    "wallet/transfers",
                    json!({ "to_account_id": ann.id, "currency": "coin", "amount_minor": 1, "message": text }),
                ),
                (
                    bob,
                    Method::POST,
                    "marketplace/offers",
                    json!({ "parcel": plain, "currency": "coin", "price_minor": 1, "message": text }),
                ),
            ] {
                scene.refuse(who, &method, path, &body.to_string(), (422, "invalid_body")).await;
            }
            if text != "a\nb" {
                let body = json!({ "description": text }).to_string();
                scene.refuse(ann, &Method::PATCH, &land, &body, (422, "invalid_body")).await;
            }
        }
        // Each is right but for one field that nobody may set.
        for (who, method, path, body) in scene.with_amounts() {
            for field in ["owner_id", "seller_id", "account_id", "state", "held_minor", "__proto__"] {
                let mut body: Value = serde_json::from_str(&body.replace("\"§\"", "1500")).unwrap();
                body[field] = json!(bob.id);
                scene.refuse(who, &method, &path, &body.to_string(), (422, "invalid_body")).await;
            }
        }
        let body = json!({ "name": "Mine", "owner_id": bob.id }).to_string();
        scene.refuse(ann, &Method::PATCH, &land, &body, (422, "invalid_body")).await;
        assert_eq!(scene.property().await, before, "something is different");
    });
}

#[test]
fn knowing_an_id_gives_no_power_over_it() {
    let server = Server::start();
    run(async {
        let scene = Scene::new(&server).await;
        let before = scene.property().await;
        let Scene { ann, bob, cat, plain, listed, listing, auction, gift, group, free, .. } = &scene;
        let hook = json!({ "url": "https://example.com/hook", "kinds": ["market.*"] });
        let hook = ann.decide(Method::POST, "webhooks", hook).await.expect(201)["webhook"].clone();
        let hook = hook["webhook_id"].as_str().unwrap();
        let text = |body: Value| if body.is_null() { String::new() } else { body.to_string() };
        let price = json!({ "price_minor": 10_000 });
        // Ann's account is no group, and Bob is not in hers.
        for owner in [&ann.id, group] {
            for (path, code) in [
                ("wallet?", "no_authority"),
                ("wallet/statement?asset=coin&", "no_authority"),
                ("wallet/statement.csv?asset=coin&", "no_authority"),
                ("wallet/holds?", "no_authority"),
                ("lands/gifts?", "no_authority"),
                ("marketplace/listings/mine?", "may_not_act"),
                ("marketplace/auctions/mine?", "may_not_act"),
                ("marketplace/bids/mine?", "may_not_act"),
                ("marketplace/offers?", "may_not_act"),
            ] {
                let path = format!("{path}as_group={owner}");
                let answer = bob.ask(Method::GET, &path, None, None).await.unwrap();
                assert_eq!(answer.outcome(), (403, code), "{path}");
            }
            let pay =
                json!({ "to_account_id": bob.id, "currency": "coin", "amount_minor": 5, "as_group": owner });
            let offer = json!({ "parcel": plain, "currency": "coin", "price_minor": 5, "as_group": owner });
            let bid = json!({ "max_minor": 3_000, "as_group": owner });
            let buy = json!({ "price_minor": 10_000, "as_group": owner });
            for (path, body, code) in [
                ("wallet/transfers".to_owned(), pay, "no_authority"),
                ("lands/claims".to_owned(), json!({ "cells": [free[0]], "as_group": owner }), "no_authority"),
                (format!("marketplace/listings/{listing}/purchase"), buy, "may_not_act"),
                (format!("marketplace/auctions/{auction}/bids"), bid, "may_not_act"),
                ("marketplace/offers".to_owned(), offer, "may_not_act"),
            ] {
                scene.refuse(bob, &Method::POST, &path, &body.to_string(), (403, code)).await;
            }
        }
        let sale = json!({ "parcel": plain, "currency": "coin", "price_minor": 500 });
        let lot = |rest: &str| format!("lands/{plain}{rest}");
        for (who, method, path, body, expected) in [
            (bob, Method::PATCH, lot(""), json!({ "name": "Mine" }), (403, "not_owner")),
            (bob, Method::POST, lot("/abandon"), Value::Null, (403, "not_owner")),
            (bob, Method::POST, lot("/gift"), json!({ "to_id": cat.id }), (403, "not_owner")),
            (bob, Method::POST, lot("/split"), json!({ "cells": [plain] }), (403, "not_owner")),
            (bob, Method::POST, lot("/merge"), json!({ "with": [listed] }), (403, "not_owner")),
            (bob, Method::PUT, lot("/fence"), json!({ "rule": "nobody" }), (403, "not_allowed")),
            (
                bob,
                Method::PUT,
                lot(&format!("/permissions/{}", bob.id)),
                json!({ "role": "manager" }),
                (403, "not_allowed"),
            ),
            (bob, Method::GET, lot("/permissions"), Value::Null, (403, "not_allowed")),
            (bob, Method::POST, "marketplace/listings".to_owned(), sale, (403, "not_owner")),
            (
                bob,
                Method::PATCH,
                format!("marketplace/listings/{listing}"),
                price.clone(),
                (403, "not_owner"),
            ),
            (bob, Method::DELETE, format!("marketplace/listings/{listing}"), Value::Null, (403, "not_owner")),
            (
                bob,
                Method::POST,
                format!("marketplace/auctions/{auction}/cancel"),
                Value::Null,
                (403, "not_owner"),
            ),
            (cat, Method::POST, format!("lands/gifts/{gift}/accept"), Value::Null, (404, "gift_unknown")),
            (ann, Method::POST, format!("lands/gifts/{gift}/cancel"), Value::Null, (403, "no_authority")),
            (
                bob,
                Method::PUT,
                format!("groups/{group}/members/{}", bob.id),
                json!({ "role": "owner" }),
                (403, "not_in_group"),
            ),
            (bob, Method::DELETE, format!("groups/{group}"), Value::Null, (403, "not_in_group")),
            (bob, Method::DELETE, format!("webhooks/{hook}"), Value::Null, (404, "no_such_webhook")),
            (bob, Method::GET, format!("webhooks/{hook}/deliveries"), Value::Null, (404, "no_such_webhook")),
            (bob, Method::POST, format!("webhooks/{hook}/rotate"), json!({}), (404, "no_such_webhook")),
        ] {
            scene.refuse(who, &method, &path, &text(body), expected).await;
        }
        assert_eq!(scene.property().await, before, "something is different");
    });
}
