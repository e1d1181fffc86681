//! Land changes hands between people, over HTTP and the WebSocket: sold, bid for, given, bought by a group, closed.

use cell::CellId;
use reqwest::Method;
use serde_json::{Value, json};
use wire::ServerMessage;

use crate::claims::free_lots;
use crate::support::{Account, Player, Server, run, wait_for};

const GRANT_MINOR: i64 = 50_000;

/// Ann with a lot and Bob, both in the world; what Ann paid.
async fn neighbours(server: &Server) -> (Account, Account, String, i64, [Player; 2]) {
    let (ann, bob) = (Account::new(server).await, Account::new(server).await);
    let present = [ann.enter(server).await, bob.enter(server).await];
    let lot = free_lots(&ann, 1).await.remove(0);
    let claimed = ann.claim(&lot, "claim").await.unwrap();
    (ann, bob, lot, claimed["price_minor"].as_i64().unwrap(), present)
}

fn listing_of(lot: &str, price_minor: i64) -> Value {
    json!({ "parcel": lot, "currency": "coin", "price_minor": price_minor })
}

async fn owner_of(account: &Account, lot: &str) -> Value {
    account.get(&format!("lands/{lot}")).await.unwrap()["owner"]["account_id"].clone()
}

/// Coins that nothing holds.
async fn available(account: &Account) -> i64 {
    let wallet = account.get("wallet").await.unwrap();
    let coins = wallet["balances"].as_array().unwrap().iter().find(|it| it["asset"] == "coin").unwrap();
    let (amount, held) = (coins["amount_minor"].as_i64().unwrap(), coins["held_minor"].as_i64().unwrap());
    assert_eq!(coins["available_minor"], amount - held);
    amount - held
}

/// Every line of the statement follows from the one before it, and the last is the balance.
async fn assert_statement_runs(account: &Account, lines: usize) {
    let page = account.get("wallet/statement?asset=coin&limit=100").await.unwrap();
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), lines, "{items:?}");
    let mut balance = account.coins().await;
    for item in items {
        assert_eq!(item["balance_minor"], balance, "{items:?}");
        balance -= item["amount_minor"].as_i64().unwrap();
    }
    assert_eq!(balance, 0, "it began with nothing: {items:?}");
}

/// What the socket says of an event of this kind.
async fn event(player: &mut Player, kind: &str) -> Value {
    let event = player.until(kind, |message| match message {
        ServerMessage::Event(event) if event.kind == kind => Some(event.data_json.clone()),
        _ => None,
    });
    serde_json::from_str(&event.await).unwrap()
}

async fn wait_for_notice(account: &Account, kind: &str) -> Value {
    let notice = wait_for(kind, || async {
        let page = account.get("notices?unread=true").await.unwrap();
        page["items"].as_array().unwrap().iter().find(|it| it["kind"] == kind).cloned()
    });
    notice.await
}

#[track_caller]
fn assert_books_sound(server: &mut Server) {
    assert_eq!(server.stop(), Some(0));
    let books = server.command(&["ledger", "verify", "--json"]);
    assert_eq!(books.code, Some(0), "{books:?}");
    let report: Value = serde_json::from_str(&books.stdout).unwrap();
    assert_eq!((&report["sound"], &report["faults"]), (&json!(true), &json!([])));
}

#[test]
fn a_sale_moves_money_and_deed_and_everybody_hears_of_it() {
    let mut server = Server::start();
    run(async {
        let (ann, bob, lot, paid_minor, [_, mut bobs]) = neighbours(&server).await;
        let (mut anns_stream, mut bobs_stream) = (ann.listen().await, bob.listen().await);

        let listed =
            ann.decide(Method::POST, "marketplace/listings", listing_of(&lot, 12_000)).await.expect(201);
        let listing = listed["id"].as_str().unwrap();
        assert_eq!(bobs_stream.next("market.listed").await["parcel"], lot.as_str());
        let path = format!("marketplace/listings/{listing}/purchase");
        let bought =
            bob.ask(Method::POST, &path, Some("buy"), Some(&json!({ "price_minor": 12_000 }))).await.unwrap();
        let bought = bought.expect(200);
        assert_eq!((&bought["buyer_id"], &bought["seller_id"]), (&json!(bob.id), &json!(ann.id)));

        // The same again is the same answer, and nothing else with this key.
        let again =
            bob.ask(Method::POST, &path, Some("buy"), Some(&json!({ "price_minor": 12_000 }))).await.unwrap();
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(again.expect(200), bought);
        let other =
            bob.ask(Method::POST, &path, Some("buy"), Some(&json!({ "price_minor": 11_000 }))).await.unwrap();
        assert_eq!(other.outcome(), (422, "idempotency_key_reused"));

        // Fee and tax are the seller's: 2.5 % and 1 %.
        assert_eq!(bob.coins().await, GRANT_MINOR - 12_000);
        assert_eq!(ann.coins().await, GRANT_MINOR - paid_minor + 12_000 - 300 - 120);
        assert_eq!(owner_of(&ann, &lot).await, bob.id.as_str());
        assert_eq!(bob.get("lands/mine").await.unwrap()["items"][0]["token"], lot.as_str());
        assert_eq!(ann.get("lands/mine").await.unwrap()["items"], json!([]));
        let titles = ann.get(&format!("lands/{lot}/titles")).await.unwrap();
        assert_eq!(titles["items"].as_array().unwrap().len(), 2);
        assert_eq!(titles["items"][0]["posting_id"], bought["posting_id"]);
        assert_eq!(titles["items"][0]["owner"]["account_id"], bob.id.as_str());

        // On the socket, on both streams, and in the notices.
        let told = event(&mut bobs, "land.ownership_changed").await;
        assert_eq!((&told["parcel"], &told["owner_id"]), (&json!(lot), &json!(bob.id)));
        assert_eq!(bobs_stream.next("land.ownership_changed").await["owner_id"], bob.id.as_str());
        assert_eq!(anns_stream.next("market.sold").await["price_minor"], 12_000);
        let notice = wait_for_notice(&ann, "market.sold").await;
        let up_to = json!({ "up_to": notice["notice_id"] });
        assert_eq!(ann.post("notices/read", up_to).await.unwrap()["unread_count"], 0);

        assert_statement_runs(&ann, 3).await;
        assert_statement_runs(&bob, 2).await;
    });
    assert_books_sound(&mut server);
}

#[test]
fn a_bid_holds_its_money_and_being_outbid_frees_it_at_once() {
    let mut server = Server::start();
    run(async {
        let (ann, bob, lot, ..) = neighbours(&server).await;
        let cat = Account::new(&server).await;
        let body = json!({
            "parcel": lot, "kind": "english", "currency": "coin", "start_minor": 1_000, "duration_s": 600
        });
        let opened = ann.decide(Method::POST, "marketplace/auctions", body).await.expect(201);
        let path = format!("marketplace/auctions/{}", opened["id"].as_str().unwrap());
        let bids = format!("{path}/bids");
        let bid = |max_minor: i64| json!({ "max_minor": max_minor });

        assert_eq!(ann.decide(Method::POST, &bids, bid(5_000)).await.outcome(), (422, "own_land"));
        assert_eq!(bob.decide(Method::POST, &bids, bid(999)).await.outcome(), (422, "bid_too_low"));
        let led = bob.decide(Method::POST, &bids, bid(5_000)).await.expect(201);
        assert_eq!((&led["price_minor"], &led["is_leading"]), (&json!(1_000), &json!(true)));
        assert_eq!(available(&bob).await, GRANT_MINOR - 5_000);
        assert_eq!(bob.get("wallet/holds").await.unwrap()["items"][0]["amount_minor"], 5_000);

        // The proxy answers for Bob: Cat's bid is taken, outbid, and holds nothing.
        let beaten = cat.decide(Method::POST, &bids, bid(4_000)).await.expect(201);
        assert_eq!((&beaten["is_leading"], &beaten["price_minor"]), (&json!(false), &json!(4_100)));
        assert_eq!(available(&cat).await, GRANT_MINOR);

        let led = cat.decide(Method::POST, &bids, bid(20_000)).await.expect(201);
        assert_eq!((&led["is_leading"], &led["price_minor"]), (&json!(true), &json!(5_100)));
        assert_eq!(available(&bob).await, GRANT_MINOR, "free in the moment in which somebody else leads");
        assert_eq!(available(&cat).await, GRANT_MINOR - 20_000);
        assert_eq!(wait_for_notice(&bob, "market.outbid").await["data"]["price_minor"], 5_100);
        assert_eq!(bob.get(&path).await.unwrap()["your_max_minor"], 5_000);

        // What is held buys nothing else, and the land of an auction goes nowhere else.
        let gift = json!({ "to_account_id": bob.id, "currency": "coin", "amount_minor": 30_001 });
        let refused = cat.decide(Method::POST, "wallet/transfers", gift).await;
        assert_eq!(refused.outcome(), (422, "insufficient_funds"));
        assert_eq!(refused.body["available_minor"], 30_000);
        let listed = ann.decide(Method::POST, "marketplace/listings", listing_of(&lot, 500)).await;
        assert_eq!(listed.outcome(), (409, "encumbered"));
        for (path, body) in [("gift", json!({ "to_id": bob.id })), ("abandon", Value::Null)] {
            let refused = ann.decide(Method::POST, &format!("lands/{lot}/{path}"), body).await;
            assert_eq!(refused.outcome(), (409, "parcel_encumbered"), "{path}");
        }
        let cancelled = ann.decide(Method::POST, &format!("{path}/cancel"), Value::Null).await;
        assert_eq!(cancelled.outcome(), (409, "has_bids"));
        assert_eq!(owner_of(&bob, &lot).await, ann.id.as_str());
    });
    assert_books_sound(&mut server);
}

#[test]
fn a_gift_is_the_receivers_once_they_take_it() {
    let mut server = Server::start();
    run(async {
        let (ann, bob, lot, paid_minor, _present) = neighbours(&server).await;
        let give = format!("lands/{lot}/gift");
        let given = ann.decide(Method::POST, &give, json!({ "to_id": bob.id })).await.expect(201);
        let gift = format!("lands/gifts/{}", given["gift_id"].as_str().unwrap());
        assert_eq!(owner_of(&bob, &lot).await, ann.id.as_str());
        assert_eq!(wait_for_notice(&bob, "land.gift_offered").await["data"]["parcel"], lot.as_str());
        // Not for the giver to accept, nor a stranger's business.
        let accept = format!("{gift}/accept");
        assert_eq!(ann.decide(Method::POST, &accept, Value::Null).await.outcome(), (403, "no_authority"));
        let stranger = Account::new(&server).await;
        assert_eq!(
            stranger.decide(Method::POST, &accept, Value::Null).await.outcome(),
            (404, "gift_unknown")
        );
        bob.decide(Method::POST, &accept, Value::Null).await.expect(200);
        assert_eq!(owner_of(&ann, &lot).await, bob.id.as_str());
        let cancel = ann.decide(Method::POST, &format!("{gift}/cancel"), Value::Null).await;
        assert_eq!(cancel.outcome(), (409, "gift_closed"));
        assert_eq!((ann.coins().await, bob.coins().await), (GRANT_MINOR - paid_minor, GRANT_MINOR));
    });
    assert_books_sound(&mut server);
}

#[test]
fn a_group_buys_with_its_own_money_through_those_who_may_act_for_it() {
    let mut server = Server::start();
    run(async {
        let (ann, bob, lot, ..) = neighbours(&server).await;
        let cat = Account::new(&server).await;
        let group = bob.decide(Method::POST, "groups", json!({ "name": "Harbour Guild" })).await.expect(201);
        let group = group["group_id"].as_str().unwrap().to_owned();
        let member = format!("groups/{group}/members/{}", cat.id);
        for account in [&bob, &cat] {
            account
                .ask(Method::PUT, &member, None, Some(&json!({ "role": "member" })))
                .await
                .unwrap()
                .expect(200);
        }
        let gift = json!({ "to_account_id": group, "currency": "coin", "amount_minor": 20_000 });
        bob.decide(Method::POST, "wallet/transfers", gift).await.expect(201);
        let listed =
            ann.decide(Method::POST, "marketplace/listings", listing_of(&lot, 15_000)).await.expect(201);
        let path = format!("marketplace/listings/{}/purchase", listed["id"].as_str().unwrap());
        let body = json!({ "price_minor": 15_000, "as_group": group });
        // A member does not act for the group, a stranger even less.
        for account in [&cat, &ann] {
            assert_eq!(
                account.decide(Method::POST, &path, body.clone()).await.outcome(),
                (403, "may_not_act")
            );
        }
        bob.decide(Method::POST, &path, body).await.expect(200);
        let land = ann.get(&format!("lands/{lot}")).await.unwrap();
        assert_eq!((&land["owner"]["account_id"], &land["owner"]["kind"]), (&json!(group), &json!("group")));
        let wallet = bob.get(&format!("wallet?as_group={group}")).await.unwrap();
        let coins = wallet["balances"].as_array().unwrap().iter().find(|it| it["asset"] == "coin").unwrap();
        assert_eq!(coins["amount_minor"], 5_000);
        assert_eq!(bob.coins().await, GRANT_MINOR - 20_000);
        let refused = ann.ask(Method::GET, &format!("wallet?as_group={group}"), None, None).await.unwrap();
        assert_eq!(refused.outcome(), (403, "no_authority"));
        // Land of the group is sold by those who act for it, not by its members.
        let body = listing_of(&lot, 1_000);
        let refused = cat.decide(Method::POST, "marketplace/listings", body.clone()).await;
        assert_eq!(refused.outcome(), (403, "not_owner"));
        bob.decide(Method::POST, "marketplace/listings", body).await.expect(201);
    });
    assert_books_sound(&mut server);
}

#[test]
fn a_fence_keeps_a_stranger_out_until_it_is_opened() {
    const STEPS_AT_ONCE: u32 = 30;
    let server = Server::start();
    run(async {
        let (ann, bob) = (Account::new(&server).await, Account::new(&server).await);
        let _ann = ann.enter(&server).await;
        let mut walker = bob.enter(&server).await;
        walker.frame().await;
        let here = CellId::from_point(walker.seen.position.normalize());
        let free = free_lots(&ann, 9).await;
        let lots: Vec<CellId> = free.iter().map(|it| CellId::parse_token(it).unwrap()).collect();
        let start = here.parent(lots[0].level());
        // The nearest other lot.
        let distance = |lot: &CellId| lot.center().distance(walker.seen.position.normalize());
        let others = lots.iter().filter(|it| **it != start);
        let lot = *others.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
        let token = lot.token();
        ann.claim(&token, "claim").await.unwrap();
        let path = format!("lands/{token}/fence");
        let set = async |rule: &str| {
            let set =
                ann.ask(Method::PUT, &path, None, Some(&json!({ "rule": rule }))).await.unwrap().expect(200);
            assert_eq!(set["rule"], rule);
        };
        let refused = bob.ask(Method::PUT, &path, None, Some(&json!({ "rule": "everyone" }))).await.unwrap();
        assert_eq!(refused.outcome(), (403, "not_allowed"));
        set("nobody").await;
        assert_eq!(bob.get(&path).await.unwrap()["may_enter"], false);

        let radius_m = walker.seen.position.length();
        let toward = |walker: &Player| (lot.center() * radius_m - walker.seen.position).normalize();
        let is_inside = |walker: &Player| lot.contains(CellId::from_point(walker.seen.position.normalize()));
        // Up to the fence and against it, until nothing moves any more; it holds within a second.
        event(&mut walker, "land.fence_changed").await;
        walker.walk(STEPS_AT_ONCE, -toward(&walker)).await;
        let mut still = 0;
        while still < 3 {
            let before = walker.seen.position;
            walker.walk(STEPS_AT_ONCE, toward(&walker)).await;
            assert!(!is_inside(&walker), "the fence is closed");
            still = if walker.seen.position.distance(before) < 0.05 { still + 1 } else { 0 };
        }
        set("everyone").await;
        while !is_inside(&walker) {
            walker.walk(STEPS_AT_ONCE, toward(&walker)).await;
        }
    });
}
