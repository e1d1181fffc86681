//! `kill -9` while two hundred purchases are under way: what was acknowledged is there afterwards, nothing is there
//! twice or by half, what nobody answered can be asked again, and no money stays held without its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use serde_json::{Value, json};
use store::testing::TestDatabase;
use store::{Engine, Store, StoreConfig, params};
use uuid::Uuid;

use crate::world::{HOUR_US, SECOND_US, World, account, lot, migrations};

/// Which database the child trades in, and which round it is.
const DATABASE: &str = "TERRANE_MARKET_CRASH_DATABASE";
const ROUND: &str = "TERRANE_MARKET_CRASH_ROUND";

const ROUNDS: u32 = 20;
/// `PostgreSQL` takes longer over each, and keeps its promise in another process than the one that is killed.
const ROUNDS_ON_POSTGRES: u32 = 5;
const PEOPLE: u128 = 40;
const COINS: i64 = 10_000_000;
/// Two buyers each: two hundred purchases at once.
const FOR_SALE: u32 = 100;
const AUCTIONED: u32 = 8;
const OFFERED: u32 = 8;
const LOTS: u32 = FOR_SALE + AUCTIONED + OFFERED;
/// 2.5 % fee and 1 % tax, each rounded down, are the seller's.
const FEE_BPS: i64 = 250;
const TAX_BPS: i64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_9_amid_purchases_nothing_is_lost_nothing_doubled_and_nothing_stays_held() {
    for database in TestDatabase::each() {
        println!("engine: {}", database.engine().name());
        let rounds = if database.engine() == Engine::Sqlite { ROUNDS } else { ROUNDS_ON_POSTGRES };
        let world = World::new(database.open(&migrations()).await);
        for number in 1..=PEOPLE {
            world.rich(number, COINS).await;
        }
        for number in 0..LOTS {
            world.landed(u128::from(number) % PEOPLE + 1, number).await;
        }
        world.store.close().await;

        let mut all = Journal::default();
        for round in 0..rounds {
            let killed_at = SystemTime::now();
            let journal = trade_and_kill(&database, round);
            assert_eq!(journal.faults, Vec::<String>::new(), "round {round}");
            let store = database.open(&migrations()).await;
            wait_for_the_end_of_the_killed(&store, killed_at).await;
            let world = World::new(store);
            all.append(journal);
            all.assert_kept(&world).await;
            assert_whole(&world).await;
            // Who got no answer asks again with the same key, as clients do.
            all.ask_again(&world).await;
            assert_whole(&world).await;
            all.assert_kept(&world).await;
            world.market.close().await;
            world.store.close().await;
        }
        println!("{}", all.summary());
        assert!(all.bought.len() > 20 * rounds as usize, "{}", all.summary());
        assert!(all.unanswered > 5 * rounds as usize, "killed when nothing was under way: {}", all.summary());
    }
}

/// Lets a child trade and kills it after some sales, after another number each round.
fn trade_and_kill(database: &TestDatabase, round: u32) -> Journal {
    let address = match database.config() {
        StoreConfig::Sqlite { path } => path.to_str().expect("a plain path").to_owned(),
        StoreConfig::Postgres { url, .. } => url,
    };
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "crash::trade_until_killed", "--ignored", "--nocapture"])
        .env(DATABASE, address)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this binary runs again");
    let mut journal = Journal::default();
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let enough = 15 + 4 * round as usize;
    // Whatever else the machine does: of everything something is under way.
    while journal.bought.len() < enough || journal.bids.is_empty() || journal.offers.is_empty() {
        let Some(line) = lines.next() else { break };
        journal.note(&line);
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    lines.for_each(|line| journal.note(&line));
    journal
}

/// A server goes on for a moment with what a killed client asked of it.
async fn wait_for_the_end_of_the_killed(store: &Store, killed_at: SystemTime) {
    if store.engine() == Engine::Sqlite {
        return;
    }
    let killed_s = killed_at.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    loop {
        let rows = store.read(move |tx| {
            tx.query(
                "select count(*) from pg_stat_activity where datname = current_database() \
                 and backend_type = 'client backend' and backend_start < to_timestamp($1)",
                params![killed_s],
            )
        });
        let others: i64 = rows.await.expect("it can be read")[0].get(0).expect("a number");
        if others == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What a child said.
#[derive(Default)]
struct Journal {
    /// Asked for, by key: buyer, listing, price.
    tried: BTreeMap<String, (u128, String, i64)>,
    /// Sold by what key: posting.
    bought: BTreeMap<String, String>,
    refused: BTreeSet<String>,
    bids: Vec<(String, u128, i64)>,
    offers: Vec<(String, String)>,
    faults: Vec<String>,
    unanswered: usize,
}

impl Journal {
    fn note(&mut self, line: &str) {
        // The harness may have begun a line of its own.
        let Some((_, said)) = line.split_once("crash: ") else { return };
        let words: Vec<&str> = said.split(' ').collect();
        match words[..] {
            ["try", key, buyer, listing, price] => {
                let (buyer, price) = (buyer.parse().expect("a number"), price.parse().expect("a number"));
                self.tried.insert(key.to_owned(), (buyer, listing.to_owned(), price));
            }
            ["bought", key, posting] => {
                self.bought.insert(key.to_owned(), posting.to_owned());
            }
            ["refused", key] => {
                self.refused.insert(key.to_owned());
            }
            ["bid", auction, bidder, max] => {
                let (bidder, max) = (bidder.parse().expect("a number"), max.parse().expect("a number"));
                self.bids.push((auction.to_owned(), bidder, max));
            }
            ["offer", offer, state] => self.offers.push((offer.to_owned(), state.to_owned())),
            // The kill may cut the last line anywhere.
            _ if said.starts_with("fault ") => self.faults.push(said.to_owned()),
            _ => {}
        }
    }

    fn append(&mut self, later: Self) {
        self.tried.extend(later.tried);
        self.bought.extend(later.bought);
        self.refused.extend(later.refused);
        self.bids.extend(later.bids);
        self.offers.extend(later.offers);
    }

    /// Everything that was acknowledged is there, exactly as it was said.
    async fn assert_kept(&self, world: &World) {
        let [sales, bids, offers] = [
            "select sale_id, buyer_id, posting_id, price_minor from sales where state = 'sold' and kind = 'fixed'",
            "select auction_id, bidder_id, max_minor from bids",
            "select offer_id, state from offers",
        ]
        .map(|sql| world.store.read(move |tx| tx.query(sql, params![])));
        let mut sold = BTreeMap::new();
        for row in sales.await.expect("it can be read") {
            let by: (Uuid, Uuid, i64) =
                (row.get(1).expect("a column"), row.get(2).expect("a column"), row.get(3).expect("a column"));
            sold.insert(row.get::<Uuid>(0).expect("a column").to_string(), by);
        }
        for (key, posting) in &self.bought {
            let (buyer, listing, price) = &self.tried[key];
            let expected = (account(*buyer), posting.parse().expect("an id"), *price);
            assert_eq!(sold.get(listing), Some(&expected), "the sale of {listing} was acknowledged");
        }
        // Who was told that they were too late has not bought it after all.
        let bought: BTreeSet<_> =
            self.bought.keys().map(|key| (&self.tried[key].1, self.tried[key].0)).collect();
        for key in &self.refused {
            let (buyer, listing, _) = &self.tried[key];
            let is_theirs = sold.get(listing).is_some_and(|it| it.0 == account(*buyer));
            assert!(
                !is_theirs || bought.contains(&(listing, *buyer)),
                "{listing} was bought and then refused"
            );
        }
        let mut taken = BTreeSet::new();
        for row in bids.await.expect("it can be read") {
            let (auction, bidder): (Uuid, Uuid) =
                (row.get(0).expect("a column"), row.get(1).expect("a column"));
            taken.insert((auction.to_string(), bidder.as_u128(), row.get::<i64>(2).expect("a column")));
        }
        let lost: Vec<_> = self.bids.iter().filter(|it| !taken.contains(it)).collect();
        assert!(lost.is_empty(), "bids were acknowledged and are gone: {lost:?}");
        let mut states = BTreeMap::new();
        for row in offers.await.expect("it can be read") {
            states.insert(
                row.get::<Uuid>(0).expect("a column").to_string(),
                row.get::<String>(1).expect("a column"),
            );
        }
        for (offer, state) in &self.offers {
            let now = states.get(offer).map(String::as_str);
            // What was open may have ended since.
            assert!(now.is_some() && (state == "open" || now == Some(state)), "{offer}: {state}, {now:?}");
        }
    }

    /// Each purchase that got no answer gets one now, and what it says is so.
    async fn ask_again(&mut self, world: &World) {
        let unanswered: Vec<_> = self
            .tried
            .iter()
            .filter(|(key, _)| !self.bought.contains_key(*key) && !self.refused.contains(*key))
            .map(|(key, asked)| (key.clone(), asked.clone()))
            .collect();
        self.unanswered += unanswered.len();
        for (key, (buyer, listing, price)) in unanswered {
            let path = format!("listings/{listing}/purchase");
            let answer = world.post_as(buyer, &path, &key, json!({ "price_minor": price })).await;
            match answer.outcome() {
                (200, _) => {
                    let posting = answer.body["posting_id"].as_str().expect("an id").to_owned();
                    self.bought.insert(key, posting);
                }
                (409, "not_open") => {
                    self.refused.insert(key);
                }
                other => panic!("{other:?}: {}", answer.body),
            }
        }
    }

    fn summary(&self) -> String {
        format!(
            "{} purchases, {} too late, {} asked again, {} bids, {} changes of offers",
            self.bought.len(),
            self.refused.len(),
            self.unanswered,
            self.bids.len(),
            self.offers.len()
        )
    }
}

/// The books, the land and the holds agree with each other, each sale is there as a whole and once, and everybody has
/// what follows from the sales.
async fn assert_whole(world: &World) {
    world.assert_sound().await;
    let counts = world.store.read(|tx| {
        tx.query(
            "select (select count(*) from sales where state = 'sold'), \
             (select count(*) from titles where kind in ('sale', 'auction_sale', 'offer_sale')), \
             (select count(*) from postings where kind in ('sale', 'auction_sale', 'offer_sale')), \
             (select count(*) from sales s join titles t on t.posting_id = s.posting_id \
                and t.parcel_id = s.parcel_id and t.owner_id = s.buyer_id and t.from_id = s.seller_id \
                and t.price_minor = s.price_minor \
              join postings p on p.posting_id = s.posting_id where s.state = 'sold')",
            params![],
        )
    });
    let counts = &counts.await.expect("it can be read")[0];
    let counts: Vec<i64> = (0..4).map(|at| counts.get(at).expect("a count")).collect();
    assert!(
        counts.iter().all(|it| *it == counts[0]),
        "sales, titles, postings, all three together: {counts:?}"
    );

    let sold = world.store.read(|tx| {
        tx.query("select buyer_id, seller_id, price_minor from sales where state = 'sold'", params![])
    });
    let mut coins: BTreeMap<Uuid, i64> = (1..=PEOPLE).map(|number| (account(number), COINS)).collect();
    for row in sold.await.expect("it can be read") {
        let (buyer, seller): (Uuid, Uuid) = (row.get(0).expect("a column"), row.get(1).expect("a column"));
        let price: i64 = row.get(2).expect("a column");
        *coins.get_mut(&buyer).expect("one of the people") -= price;
        *coins.get_mut(&seller).expect("one of the people") +=
            price - price * FEE_BPS / 10_000 - price * TAX_BPS / 10_000;
    }
    for (owner, expected) in coins {
        assert_eq!(world.coins_of(owner).await.0, expected, "{owner}");
    }
}

/// The child: people sell and buy round and round, bid and make offers, and say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above, which kills it"]
async fn trade_until_killed() {
    let (Ok(address), Ok(round)) = (std::env::var(DATABASE), std::env::var(ROUND)) else { return };
    let config = if address.contains("://") {
        StoreConfig::Postgres { url: address, max_connections: 8 }
    } else {
        StoreConfig::Sqlite { path: address.into() }
    };
    let world = Arc::new(World::new(Store::open(config).await.expect("it opens")));
    world.clock.advance_us(HOUR_US * round.parse::<i64>().expect("a number"));
    let mut tasks = Vec::new();
    for number in 0..LOTS {
        let world = Arc::clone(&world);
        tasks.push(tokio::spawn(async move {
            for turn in 0.. {
                let outcome = match number {
                    0..FOR_SALE => sell(&world, number, turn).await,
                    _ if number < FOR_SALE + AUCTIONED => auction(&world, number).await,
                    _ => offer(&world, number, turn).await,
                };
                if let Err(fault) = outcome {
                    say(&format!("fault lot {number}: {fault}"));
                }
            }
        }));
    }
    // A minute passes in ten milliseconds, so that auctions end while others buy.
    loop {
        tokio::time::sleep(Duration::from_millis(10)).await;
        world.clock.advance_us(60 * SECOND_US);
        world.market.run_due().await;
    }
}

fn say(what: &str) {
    writeln!(std::io::stdout(), "crash: {what}").expect("the parent listens");
}

/// Who owns a lot, and the sale that binds it.
async fn standing(world: &World, number: u32) -> (u128, Option<String>) {
    let owner = world.owner(lot(number)).await.as_u128();
    let bound = world.store.read(move |tx| {
        tx.query("select reference_id from encumbrances where parcel_id = $1", params![lot(number).to_sql()])
    });
    let bound = bound.await.expect("it can be read");
    (owner, bound.first().map(|row| row.get::<Uuid>(0).expect("an id").to_string()))
}

/// Somebody else, another each turn.
fn other(owner: u128, turn: u128) -> u128 {
    (owner + turn % (PEOPLE - 1)) % PEOPLE + 1
}

/// The owner lists the lot, two others want it, one gets it.
async fn sell(world: &Arc<World>, number: u32, turn: u128) -> Result<(), String> {
    let (owner, listing) = standing(world, number).await;
    let price = 100 + i64::from(number);
    let listing = match listing {
        Some(listing) => listing,
        None => world.list(owner, number, price).await,
    };
    let mut buyers = Vec::new();
    for nth in 0..2 {
        let (world, listing) = (Arc::clone(world), listing.clone());
        let buyer = other(owner, 2 * turn + nth + u128::from(number));
        buyers.push(tokio::spawn(async move {
            let key = Uuid::now_v7().to_string();
            say(&format!("try {key} {buyer} {listing} {price}"));
            let path = format!("listings/{listing}/purchase");
            let answer = world.post_as(buyer, &path, &key, json!({ "price_minor": price })).await;
            match answer.outcome() {
                (200, _) => say(&format!("bought {key} {}", text(&answer.body["posting_id"]))),
                (409, "not_open") => say(&format!("refused {key}")),
                outcome => return Err(format!("{outcome:?} {}", answer.body)),
            }
            Ok(())
        }));
    }
    for buyer in buyers {
        buyer.await.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// The owner auctions the lot, others bid until it has ended.
async fn auction(world: &Arc<World>, number: u32) -> Result<(), String> {
    let (owner, auction) = standing(world, number).await;
    let auction = match auction {
        Some(auction) => auction,
        None => world.auction(owner, number, "english", json!({ "duration_s": 900 })).await,
    };
    for turn in 0..12 {
        let seen = world.get(owner, &format!("auctions/{auction}")).await;
        if seen.body["state"] != "open" {
            return Ok(());
        }
        let max = seen.body["minimum_bid_minor"].as_i64().ok_or("no minimum")? + 500 * (turn % 3);
        let bidder = other(owner, turn as u128);
        let answer = world.bid(bidder, &auction, max).await;
        match answer.outcome() {
            (201, _) => say(&format!("bid {auction} {bidder} {max}")),
            (409, "auction_ended" | "not_open") => return Ok(()),
            (422, "bid_too_low" | "bid_not_higher") => {}
            outcome => return Err(format!("{outcome:?} {}", answer.body)),
        }
    }
    while world.get(owner, &format!("auctions/{auction}")).await.body["state"] == "open" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Two others offer for the lot; the owner takes one, and the other one's money is free again.
async fn offer(world: &Arc<World>, number: u32, turn: u128) -> Result<(), String> {
    let (owner, _) = standing(world, number).await;
    let mut offers = Vec::new();
    for nth in 0..2 {
        let buyer = other(owner, 2 * turn + nth);
        let body = json!({ "parcel": lot(number).token(), "currency": "coin", "price_minor": 300 + nth });
        let answer = world.post(buyer, "offers", body).await;
        match answer.outcome() {
            (201, _) => {
                offers.push(answer.id());
                say(&format!("offer {} open", answer.id()));
            }
            // One from before the kill.
            (409, "offer_exists") => {}
            outcome => return Err(format!("{outcome:?} {}", answer.body)),
        }
    }
    let Some(wanted) = offers.pop() else { return Ok(()) };
    let answer = world.post(owner, &format!("offers/{wanted}/accept"), Value::Null).await;
    if answer.status != StatusCode::OK {
        return Err(format!("{:?} {}", answer.outcome(), answer.body));
    }
    say(&format!("offer {wanted} accepted"));
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
