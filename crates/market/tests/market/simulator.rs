//! Random trade against the model, one request after the other, and random trade at once against what must always be
//! true. Clocks jump, requests arrive late, out of order and twice, the process dies between any two steps.
//!
//! `OPERATIONS` says how many requests (600 if absent), `SEED` where chance begins; a
//! failure prints the seed.

use std::sync::{Arc, Mutex};

use axum::http::Method;
use serde_json::{Value, json};
use store::params;
use uuid::Uuid;

use crate::model::{Kind, LEADERS, Model, Op, fall};
use crate::world::{Answer, DAY_US, HOUR_US, NOW_US, SECOND_US, World, account, group, lot, on_each, token};

const PLAYERS: u128 = 8;
const LOTS: u32 = 10;
const COINS: i64 = 60_000;
/// Kept answers are forgotten and everything is compared after so many requests.
const CHECK_EVERY: usize = 100;

/// A small generator of chance (`SplitMix64`): the same seed gives the same run everywhere.
#[derive(Clone, Debug)]
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    /// From 0 to below `end`.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn between(&mut self, first: i64, last: i64) -> i64 {
        first + (self.next() % (last - first + 1) as u64) as i64
    }
}

/// A setting of a run.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |it| it.parse().expect("a number"))
}

/// Somebody's request.
#[derive(Clone, Debug)]
struct Sent {
    number: u128,
    key: String,
    op: Op,
}

/// Chooses among what there is, the newest most of all; sometimes what there is not.
fn pick(chance: &mut Chance, count: usize) -> usize {
    match chance.below(8) {
        0 => chance.below(count + 1),
        _ => count.saturating_sub(1 + chance.below(6)),
    }
}

fn any_op(chance: &mut Chance, model: &Model) -> (u128, Op) {
    let number = 1 + chance.below(PLAYERS as usize) as u128;
    let as_group = if LEADERS.contains(&number) { chance.one_in(2) } else { chance.one_in(20) };
    let (sale, offer) = (pick(chance, model.sales.len()), pick(chance, model.offers.len()));
    let lot = chance.below(LOTS as usize + 1) as u32;
    let price = if chance.one_in(12) { chance.between(1, 200_000) } else { chance.between(100, 9_000) };
    let of_sale = model.sales.get(sale);
    let shown = of_sale.map_or(price, |it| it.visible(model.now));
    // Mostly those who can do something, and at the price they see.
    let owner_of = |owner: Option<&Uuid>| owner.map_or(number, Uuid::as_u128).min(PLAYERS);
    let owner = if chance.one_in(6) { number } else { owner_of(model.owners.get(&lot)).max(1) };
    let seller = if chance.one_in(6) { number } else { owner_of(of_sale.map(|it| &it.seller)).max(1) };
    let seen = if chance.one_in(5) { price } else { shown };
    let op = match chance.below(26) {
        0..=2 => return (owner, Op::List { lot, price, days: chance.between(1, 3) }),
        3 => return (seller, Op::Change { sale, price }),
        4 => return (seller, Op::CancelListing { sale }),
        5..=8 => Op::Buy { sale, price: seen, as_group },
        9..=11 => {
            let kind = [Kind::English, Kind::Dutch, Kind::Sealed, Kind::English][chance.below(4)];
            let start = price.clamp(2, 20_000);
            let has_reserve = kind != Kind::Dutch && chance.one_in(2);
            let reserve = has_reserve.then(|| start + chance.between(0, 5_000));
            let cap_s = (kind == Kind::English && chance.one_in(2)).then(|| chance.between(0, 300));
            let duration_s = chance.between(300, 20_000);
            return (owner, Op::Open { lot, kind, start, reserve, duration_s, cap_s });
        }
        12 => return (seller, Op::CancelAuction { sale }),
        13..=18 => Op::Bid { sale, max: shown + chance.between(-200, 4_000).max(1 - shown), as_group },
        19..=20 => Op::Accept { sale, price: seen, as_group },
        21..=22 => Op::Offer { lot, price, days: chance.between(1, 3), as_group },
        23 => return (owner, Op::AcceptOffer { offer }),
        24 => return (owner, Op::DeclineOffer { offer }),
        _ => Op::WithdrawOffer { offer },
    };
    (number, op)
}

/// Where a request goes and what it says; `sales` and `offers` are their ids.
fn request(op: &Op, sales: &[Uuid], offers: &[Uuid]) -> (Method, String, Value) {
    let sale = |at: usize| sales.get(at).copied().unwrap_or(Uuid::max());
    let offer = |at: usize| offers.get(at).copied().unwrap_or(Uuid::max());
    let with_group = |mut body: Value, as_group: bool| {
        if as_group {
            body["as_group"] = json!(group(1));
        }
        body
    };
    let post = |path: String, body: Value| (Method::POST, path, body);
    match *op {
        Op::List { lot, price, days } => post(
            "listings".to_owned(),
            json!({ "parcel": token(lot), "currency": "coin", "price_minor": price, "days": days }),
        ),
        Op::Change { sale: at, price } => {
            (Method::PATCH, format!("listings/{}", sale(at)), json!({ "price_minor": price }))
        }
        Op::CancelListing { sale: at } => (Method::DELETE, format!("listings/{}", sale(at)), Value::Null),
        Op::Buy { sale: at, price, as_group } => post(
            format!("listings/{}/purchase", sale(at)),
            with_group(json!({ "price_minor": price }), as_group),
        ),
        Op::Open { lot, kind, start, reserve, duration_s, cap_s } => {
            let name = match kind {
                Kind::English | Kind::Fixed => "english",
                Kind::Dutch => "dutch",
                Kind::Sealed => "sealed",
            };
            let mut body = json!({
                "parcel": token(lot), "kind": name, "currency": "coin", "start_minor": start,
                "duration_s": duration_s
            });
            if let Some(reserve) = reserve {
                body["reserve_minor"] = json!(reserve);
            }
            if let Some(cap_s) = cap_s {
                body["extension_max_s"] = json!(cap_s);
            }
            if kind == Kind::Dutch {
                let (floor, step, step_s) = fall(start);
                body["floor_minor"] = json!(floor);
                body["step_minor"] = json!(step);
                body["step_s"] = json!(step_s);
            }
            post("auctions".to_owned(), body)
        }
        Op::CancelAuction { sale: at } => post(format!("auctions/{}/cancel", sale(at)), Value::Null),
        Op::Bid { sale: at, max, as_group } => {
            post(format!("auctions/{}/bids", sale(at)), with_group(json!({ "max_minor": max }), as_group))
        }
        Op::Accept { sale: at, price, as_group } => post(
            format!("auctions/{}/accept", sale(at)),
            with_group(json!({ "price_minor": price }), as_group),
        ),
        Op::Offer { lot, price, days, as_group } => post(
            "offers".to_owned(),
            with_group(
                json!({ "parcel": token(lot), "currency": "coin", "price_minor": price, "days": days }),
                as_group,
            ),
        ),
        Op::AcceptOffer { offer: at } => post(format!("offers/{}/accept", offer(at)), Value::Null),
        Op::DeclineOffer { offer: at } => post(format!("offers/{}/decline", offer(at)), Value::Null),
        Op::WithdrawOffer { offer: at } => post(format!("offers/{}/withdraw", offer(at)), Value::Null),
    }
}

/// Dutch auctions last at least one step.
fn settled(op: Op) -> Op {
    match op {
        Op::Open { lot, kind: Kind::Dutch, start, reserve, duration_s, cap_s } => {
            Op::Open { lot, kind: Kind::Dutch, start, reserve, duration_s: duration_s.max(600), cap_s }
        }
        other => other,
    }
}

async fn send(world: &World, sent: &Sent, sales: &[Uuid], offers: &[Uuid]) -> Answer {
    let (method, path, body) = request(&sent.op, sales, offers);
    let body = (!body.is_null()).then(|| body.to_string());
    world.send(World::request(method, sent.number, &path, Some(&sent.key), body)).await
}

/// People, land and a group.
async fn populate(world: &World) -> Model {
    let mut model = Model { now: NOW_US, ..Model::default() };
    world.found(1, &LEADERS);
    for owner in (1..=PLAYERS).map(account).chain([group(1)]) {
        world.give(owner, COINS).await;
        model.coins.insert(owner, COINS);
    }
    for number in 0..LOTS {
        let owner = if number == 0 { group(1) } else { account(u128::from(number) % PLAYERS + 1) };
        world.settle(lot(number), owner).await;
        model.owners.insert(number, owner);
    }
    model
}

/// Everything that the model knows, of the database.
async fn compare(world: &World, model: &Model, context: &str) {
    for (owner, coins) in &model.coins {
        let expected = (*coins, coins - model.held(*owner));
        assert_eq!(world.coins_of(*owner).await, expected, "{context}: coins of {owner}");
    }
    assert_eq!(world.coins_of(ledger::AccountRef::Fees.id()).await.0, model.fees, "{context}");
    assert_eq!(world.coins_of(ledger::AccountRef::Tax.id()).await.0, model.taxes, "{context}");
    for (number, owner) in &model.owners {
        assert_eq!(world.owner(lot(*number)).await, *owner, "{context}: lot {number}");
    }
    for sale in &model.sales {
        let kind = if sale.kind == Kind::Fixed { "listings" } else { "auctions" };
        let seen = world.get(99, &format!("{kind}/{}", sale.id)).await.body;
        assert_eq!(seen["state"], json!(sale.state), "{context}: {sale:?}");
        let ends_at: jiff::Timestamp = seen["ends_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(ends_at.as_microsecond(), sale.ends_at, "{context}: {sale:?}");
        // What a Dutch price stood at when nobody took it is written when the worker comes by.
        if sale.kind != Kind::Dutch || matches!(sale.state, "open" | "sold") {
            assert_eq!(seen["price_minor"], json!(sale.visible(model.now)), "{context}: {sale:?}");
        }
    }
    let states = world
        .store
        .read(|tx| tx.query("select offer_id, state from offers order by offer_id", params![]))
        .await
        .unwrap();
    let seen: Vec<(Uuid, String)> =
        states.iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect();
    let mut expected: Vec<_> = model.offers.iter().map(|it| (it.id, it.state.to_owned())).collect();
    expected.sort();
    assert_eq!(seen, expected, "{context}");
    world.assert_sound().await;
}

/// Answers kept under keys are forgotten: an account may make a thousand decisions a day.
async fn forget_answers(world: &World) {
    world.store.locked(|tx| tx.execute("delete from idempotency_keys", params![])).await.unwrap();
}

#[test]
fn random_trade_does_what_the_model_does() {
    let ops = setting("OPERATIONS", 600) as usize;
    let seed = setting("SEED", 20_251_121);
    on_each(async |mut world| {
        let mut chance = Chance(seed);
        let mut model = populate(&world).await;
        let mut answered: Vec<(Sent, Answer, i64)> = Vec::new();
        let mut delayed: Vec<Sent> = Vec::new();
        let mut outcomes = std::collections::BTreeMap::<(u16, String), usize>::new();
        for round in 0..ops {
            let context = format!("seed {seed}, request {round}");
            match chance.below(30) {
                0..=5 => {
                    let by = match chance.below(8) {
                        0 => -HOUR_US,
                        1 => chance.between(0, 8 * HOUR_US),
                        2 => chance.between(0, DAY_US),
                        _ => chance.between(0, 900 * SECOND_US),
                    };
                    world.clock.advance_us(by);
                    model.now += by;
                }
                6..=8 => {
                    world.market.run_due().await;
                    model.run_due();
                }
                9 => world.restart(),
                10..=12 if !answered.is_empty() => {
                    // The network repeats an old request: the same answer, and nothing happens. After a day the key
                    // would be free again.
                    let (sent, first, at) = &answered[chance.below(answered.len())];
                    if model.now - at >= DAY_US {
                        continue;
                    }
                    let sales: Vec<Uuid> = model.sales.iter().map(|it| it.id).collect();
                    let offers: Vec<Uuid> = model.offers.iter().map(|it| it.id).collect();
                    let again = send(&world, sent, &sales, &offers).await;
                    if matches!(sent.op, Op::List { .. } | Op::Open { .. } | Op::Offer { .. })
                        || names_known(sent, first)
                    {
                        assert_eq!(
                            (again.status, &again.body),
                            (first.status, &first.body),
                            "{context}: {sent:?}"
                        );
                        assert_eq!(again.headers["idempotency-replayed"], "true", "{context}");
                    }
                    continue;
                }
                _ => {}
            }
            let (number, op) = any_op(&mut chance, &model);
            let sent = Sent { number, key: format!("{round}"), op: settled(op) };
            // Some requests are overtaken by later ones.
            delayed.push(sent);
            if chance.one_in(3) && delayed.len() < 6 {
                continue;
            }
            let sent = delayed.swap_remove(chance.below(delayed.len()));
            let sales: Vec<Uuid> = model.sales.iter().map(|it| it.id).collect();
            let offers: Vec<Uuid> = model.offers.iter().map(|it| it.id).collect();
            let answer = send(&world, &sent, &sales, &offers).await;
            let id = answer.body["id"].as_str().or(answer.body["offer_id"].as_str());
            let id = id.and_then(|it| it.parse().ok()).unwrap_or(Uuid::nil());
            let expected = model.apply(sent.number, &sent.op, id);
            assert_eq!(answer.outcome(), expected, "{context}: {sent:?}: {}", answer.body);
            *outcomes
                .entry((expected.0, format!("{:?} {}", std::mem::discriminant(&sent.op), expected.1)))
                .or_default() += 1;
            if answer.status.as_u16() != 403 {
                answered.push((sent, answer, model.now));
            }
            if round % CHECK_EVERY == CHECK_EVERY - 1 {
                compare(&world, &model, &context).await;
                forget_answers(&world).await;
                answered.clear();
            }
        }
        compare(&world, &model, &format!("seed {seed}, at the end")).await;
        let sold = model.sales.iter().filter(|it| it.state == "sold").count();
        let accepted = model.offers.iter().filter(|it| it.state == "accepted").count();
        println!("{ops} requests: {sold} sales, {accepted} offers accepted, {} outcomes", outcomes.len());
        assert!(sold * 100 > ops, "too little happens to say anything: {sold} of {ops}: {outcomes:?}");
        // In the end everything ends.
        world.clock.advance_us(40 * DAY_US);
        model.now += 40 * DAY_US;
        world.market.run_due().await;
        model.run_due();
        compare(&world, &model, &format!("seed {seed}, after the end")).await;
        let held: i64 = model.coins.keys().map(|it| model.held(*it)).sum();
        assert_eq!(held, 0, "nothing stays held");
    });
}

/// Whether a request named something that was there already when it was first sent.
fn names_known(_sent: &Sent, first: &Answer) -> bool {
    first.status.as_u16() != 404
}

#[test]
fn random_trade_of_many_at_once_keeps_what_must_always_be_true() {
    let ops = setting("OPERATIONS", 600) as usize / 3;
    let seed = setting("SEED", 20_251_121);
    on_each(async |world| {
        let model = populate(&world).await;
        let (sum, owners) = (COINS * model.coins.len() as i64, model.owners.clone());
        let world = Arc::new(world);
        let known: Arc<Mutex<Model>> = Arc::new(Mutex::new(model));
        let mut tasks = Vec::new();
        for task in 0..8_u64 {
            let (world, known) = (Arc::clone(&world), Arc::clone(&known));
            tasks.push(tokio::spawn(async move {
                let mut chance = Chance(seed ^ (task << 32));
                for round in 0..ops / 8 {
                    if chance.one_in(12) {
                        world.clock.advance_us(chance.between(0, 1_800 * SECOND_US));
                        world.market.run_due().await;
                    }
                    let (number, op, sales, offers) = {
                        let mut known = known.lock().unwrap();
                        known.now = NOW_US;
                        let (number, op) = any_op(&mut chance, &known);
                        let sales: Vec<Uuid> = known.sales.iter().map(|it| it.id).collect();
                        let offers: Vec<Uuid> = known.offers.iter().map(|it| it.id).collect();
                        (number, settled(op), sales, offers)
                    };
                    let sent = Sent { number, key: format!("{task}-{round}"), op };
                    let answer = send(&world, &sent, &sales, &offers).await;
                    assert!(
                        answer.status.as_u16() < 500,
                        "seed {seed}: {sent:?}: {} {}",
                        answer.status,
                        answer.body
                    );
                    // What is known here is only what there is to talk about, not how it stands.
                    let id = answer.body["id"].as_str().or(answer.body["offer_id"].as_str());
                    if let (201, Some(id)) = (answer.status.as_u16(), id.and_then(|it| it.parse().ok())) {
                        let mut known = known.lock().unwrap();
                        if !matches!(sent.op, Op::Bid { .. }) {
                            known.remember(sent.number, &sent.op, id);
                        }
                    }
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        world.market.run_due().await;
        world.assert_sound().await;
        let mut total = world.coins_of(ledger::AccountRef::Fees.id()).await.0;
        total += world.coins_of(ledger::AccountRef::Tax.id()).await.0;
        for owner in (1..=PLAYERS).map(account).chain([group(1)]) {
            total += world.coins_of(owner).await.0;
        }
        assert_eq!(total, sum, "seed {seed}");
        let mut moved = 0;
        for (number, owner) in owners {
            moved += usize::from(world.owner(lot(number)).await != owner);
        }
        assert!(moved > 0, "seed {seed}: nothing was sold");
    });
}
