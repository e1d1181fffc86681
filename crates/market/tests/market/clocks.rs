//! A clock that jumps back and forth by hours: whatever has ended stays as it ended, and ends once.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use store::params;
use uuid::Uuid;

use crate::world::{HOUR_US, SECOND_US, World, account, lot, on_each, token};

const PEOPLE: u128 = 6;
const LOTS: u32 = 8;
const TURNS: u32 = 40;

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A sale that is over, as it is over: state, buyer, posting, price.
type End = (String, Option<Uuid>, Option<Uuid>, i64);

#[test]
fn what_has_ended_stays_ended_however_the_clock_jumps() {
    on_each(async |world| {
        for number in 1..=PEOPLE {
            world.rich(number, 10_000_000).await;
        }
        for number in 0..LOTS {
            world.landed(u128::from(number) % PEOPLE + 1, number).await;
        }
        let mut dice = Dice(20_261_121);
        let mut ends: BTreeMap<Uuid, End> = BTreeMap::new();
        for turn in 0..TURNS {
            let number = dice.below(u64::from(LOTS)) as u32;
            put_up(&world, &mut dice, number).await;
            for _ in 0..4 {
                act(&world, &mut dice).await;
            }
            // Mostly on, sometimes far back, and two workers at once.
            let hours = dice.below(7) as i64 - 2;
            world.clock.advance_us(hours * HOUR_US + dice.below(3_600) as i64 * SECOND_US);
            tokio::join!(world.market.run_due(), world.market.run_due());
            let now = ended(&world).await;
            for (sale, end) in &ends {
                assert_eq!(now.get(sale), Some(end), "turn {turn}: {sale} was over");
            }
            ends = now;
        }
        world.assert_sound().await;
        let sold = ends.values().filter(|it| it.0 == "sold").count();
        assert!(sold > 5 && ends.len() > sold + 5, "{sold} sold of {} that ended", ends.len());
        assert_told_once(&world).await;
    });
}

/// The owner offers the lot, each time in another way, if nothing binds it.
async fn put_up(world: &World, dice: &mut Dice, number: u32) {
    let owner = world.owner(lot(number)).await.as_u128();
    let duration_s = 300 + dice.below(3 * 3_600);
    let kind = ["english", "sealed", "dutch", "fixed"][dice.below(4) as usize];
    let (path, mut body) = match kind {
        "fixed" => ("listings", json!({ "price_minor": 1_000, "days": 1 })),
        "dutch" => (
            "auctions",
            json!({ "start_minor": 5_000, "floor_minor": 1_000, "step_minor": 500, "step_s": 60 }),
        ),
        _ => ("auctions", json!({ "start_minor": 1_000 })),
    };
    if path == "auctions" {
        body["kind"] = json!(kind);
        body["duration_s"] = json!(duration_s);
    }
    body["parcel"] = json!(token(number));
    body["currency"] = json!("coin");
    let answer = world.post(owner, path, body).await;
    assert!(matches!(answer.outcome(), (201, _) | (409, "encumbered")), "{}", answer.body);
}

/// Somebody bids, buys, accepts or makes an offer; what they may not is refused.
async fn act(world: &World, dice: &mut Dice) {
    let who = u128::from(dice.below(PEOPLE as u64)) + 1;
    let number = dice.below(u64::from(LOTS)) as u32;
    let open = world.store.read(move |tx| {
        tx.query(
            "select sale_id, kind, price_minor from sales where parcel_id = $1 and state = 'open'",
            params![lot(number).to_sql()],
        )
    });
    let open = open.await.expect("it can be read");
    let answer = if let Some(row) = open.first() {
        let (sale, kind): (Uuid, String) = (row.get(0).expect("a column"), row.get(1).expect("a column"));
        let price: i64 = row.get(2).expect("a column");
        match kind.as_str() {
            "fixed" => world.buy(who, &sale.to_string(), price).await,
            "dutch" => {
                let path = format!("auctions/{sale}/accept");
                world.post(who, &path, json!({ "price_minor": price })).await
            }
            _ => world.bid(who, &sale.to_string(), 1_000 + dice.below(50_000) as i64).await,
        }
    } else {
        let body = json!({ "parcel": token(number), "currency": "coin", "price_minor": 700, "days": 1 });
        world.post(who, "offers", body).await
    };
    assert!(answer.status.as_u16() < 500, "{}", answer.body);
}

/// All that is over.
async fn ended(world: &World) -> BTreeMap<Uuid, End> {
    let rows = world.store.read(|tx| {
        tx.query(
            "select sale_id, state, buyer_id, posting_id, price_minor from sales where state <> 'open' \
             union all select offer_id, state, buyer_id, hold_id, price_minor from offers where state <> 'open'",
            params![],
        )
    });
    let rows = rows.await.expect("it can be read");
    rows.iter()
        .map(|row| {
            let end = (
                row.get(1).expect("a column"),
                row.get(2).expect("a column"),
                row.get(3).expect("a column"),
                row.get(4).expect("a column"),
            );
            (row.get(0).expect("a column"), end)
        })
        .collect()
}

/// Nobody was told twice of one end, and nobody's money was freed twice.
async fn assert_told_once(world: &World) {
    let mut told: HashMap<String, usize> = HashMap::new();
    for (kind, audience, data) in world.events().await {
        let of = match kind.as_str() {
            "market.auction_closed"
            | "market.sold"
            | "market.won"
            | "market.unsold"
            | "market.listing_expired" => {
                ["auction_id", "listing_id", "sale_id", "offer_id"].map(|name| text(&data[name])).concat()
            }
            "wallet.released" => text(&data["hold_id"]),
            _ => continue,
        };
        *told.entry(format!("{kind} {audience} {of}")).or_default() += 1;
    }
    let twice: Vec<_> = told.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    // Whatever the dice did, somebody won something.
    assert!(
        (1..=PEOPLE).any(|it| told
            .keys()
            .any(|key| key.starts_with(&format!("market.won {} ", account(it).as_u128()))))
    );
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
