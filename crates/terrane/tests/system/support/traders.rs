//! People who trade with each other without pause while the test breaks things, and who remember every answer.
//!
//! Each asks again with the same key until there is an answer, as a good client does. So what happened is known
//! exactly, and what everybody must have in the end can be added up.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Account, Answer, DEADLINE};

/// What may come between a request and its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// The database is gone: the server says so, with a time to come back.
    Database,
    /// The server is gone.
    Server,
}

/// People and what they trade with.
pub(crate) struct Traders {
    people: Vec<Account>,
    lots: Vec<String>,
    auction: String,
    outage: Outage,
    url: RwLock<String>,
    has_ended: AtomicBool,
    known: Mutex<Known>,
    /// Answers so far, refusals included.
    answered: AtomicUsize,
    /// Requests that were not answered, or with 503.
    put_off: AtomicUsize,
}

/// What was answered.
#[derive(Default)]
struct Known {
    /// What each has gained or lost.
    gained_minor: Vec<i64>,
    /// Sales of each lot.
    sold: Vec<usize>,
    postings: BTreeSet<String>,
    postings_said: usize,
    /// What must never happen.
    faults: Vec<String>,
}

impl Traders {
    /// The lots belong to some of the people; so does the auction, which ends after the test.
    pub(crate) fn new(
        people: Vec<Account>,
        lots: Vec<String>,
        auction: String,
        outage: Outage,
        url: &str,
    ) -> Arc<Self> {
        let known =
            Known { gained_minor: vec![0; people.len()], sold: vec![0; lots.len()], ..Known::default() };
        Arc::new(Self {
            people,
            lots,
            auction,
            outage,
            url: RwLock::new(url.to_owned()),
            has_ended: AtomicBool::new(false),
            known: Mutex::new(known),
            answered: AtomicUsize::new(0),
            put_off: AtomicUsize::new(0),
        })
    }

    /// Everybody begins.
    pub(crate) fn begin(self: &Arc<Self>) -> Vec<tokio::task::JoinHandle<()>> {
        (0..self.people.len())
            .map(|who| {
                let traders = Arc::clone(self);
                tokio::spawn(async move {
                    let mut turn = who;
                    while !traders.has_ended.load(Ordering::Relaxed) {
                        match turn % 5 {
                            0 => traders.give(who, turn).await,
                            1 => traders.bid(who, turn).await,
                            _ => traders.buy_or_sell(who, turn).await,
                        }
                        turn += 1;
                    }
                })
            })
            .collect()
    }

    /// Nobody begins anything new.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }

    /// Answers so far.
    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// How often somebody had to ask again.
    pub(crate) fn put_off(&self) -> usize {
        self.put_off.load(Ordering::Relaxed)
    }

    /// Where the server listens now.
    pub(crate) fn moved_to(&self, url: &str) {
        url.clone_into(&mut self.url.write().unwrap());
    }

    /// Asks until there is an answer.
    async fn answer(
        &self,
        who: usize,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let asking = async {
            loop {
                let account = self.people[who].at(&self.url.read().unwrap().clone());
                match account.ask(method.clone(), path, key, body).await {
                    Ok(answer) if answer.status == 503 => {
                        if !answer.headers.contains_key("retry-after") {
                            self.fault(format!("503 without Retry-After: {path} {}", answer.body));
                        }
                    }
                    Ok(answer) => {
                        if answer.status >= 500 {
                            self.fault(format!("{method} {path}: {} {}", answer.status, answer.body));
                        }
                        self.answered.fetch_add(1, Ordering::Relaxed);
                        return answer;
                    }
                    Err(error) if self.outage == Outage::Database => {
                        self.fault(format!("{method} {path}: {error:?}"));
                    }
                    Err(_) => {}
                }
                self.put_off.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(2 * DEADLINE, asking)
            .await
            .unwrap_or_else(|_| panic!("no answer for {method} {path}"))
    }

    async fn decide(&self, who: usize, path: &str, body: Value) -> Answer {
        let key = uuid::Uuid::now_v7().to_string();
        self.answer(who, Method::POST, path, Some(&key), Some(&body)).await
    }

    fn fault(&self, what: String) {
        self.known.lock().unwrap().faults.push(what);
    }

    fn who_is(&self, account_id: &str) -> usize {
        self.people.iter().position(|it| it.id == account_id).expect("one of the people")
    }

    async fn give(&self, who: usize, turn: usize) {
        let to = (who + 1 + turn % (self.people.len() - 1)) % self.people.len();
        let amount_minor = 1 + (turn % 40) as i64;
        let body =
            json!({ "to_account_id": self.people[to].id, "currency": "coin", "amount_minor": amount_minor });
        let answer = self.decide(who, "wallet/transfers", body).await;
        match answer.outcome() {
            (201, _) => {
                let mut known = self.known.lock().unwrap();
                known.gained_minor[who] -= amount_minor;
                known.gained_minor[to] += amount_minor;
                known.note_posting(&answer.body);
            }
            (422, "insufficient_funds") => {}
            outcome => self.fault(format!("a transfer: {outcome:?}")),
        }
    }

    async fn buy_or_sell(&self, who: usize, turn: usize) {
        let at = turn % self.lots.len();
        let token = &self.lots[at];
        let lot = self.answer(who, Method::GET, &format!("lands/{token}"), None, None).await;
        let is_mine = lot.body["owner"]["account_id"] == self.people[who].id.as_str();
        let listing = lot.body["market"]["id"].as_str();
        match (is_mine, listing) {
            (true, None) => {
                let price_minor = 1_000 + (turn % 100) as i64;
                let body = json!({ "parcel": token, "currency": "coin", "price_minor": price_minor });
                let answer = self.decide(who, "marketplace/listings", body).await;
                // It may have changed since it was looked at.
                if !matches!(answer.outcome(), (201, _) | (409, "encumbered") | (403, "not_owner")) {
                    self.fault(format!("a listing: {:?}", answer.outcome()));
                }
            }
            (false, Some(listing)) => {
                let price_minor = lot.body["market"]["price_minor"].as_i64().unwrap();
                let path = format!("marketplace/listings/{listing}/purchase");
                let answer = self.decide(who, &path, json!({ "price_minor": price_minor })).await;
                match answer.outcome() {
                    (200, _) => {
                        let seller = self.who_is(answer.body["seller_id"].as_str().unwrap());
                        let mut known = self.known.lock().unwrap();
                        known.gained_minor[who] -= price_minor;
                        // 2.5 % fee and 1 % tax, each rounded down.
                        known.gained_minor[seller] +=
                            price_minor - price_minor * 250 / 10_000 - price_minor * 100 / 10_000;
                        known.sold[at] += 1;
                        known.note_posting(&answer.body);
                    }
                    (409, "not_open" | "price_changed") | (422, "own_land" | "insufficient_funds") => {}
                    outcome => self.fault(format!("a purchase: {outcome:?}")),
                }
            }
            _ => {}
        }
    }

    async fn bid(&self, who: usize, turn: usize) {
        let path = format!("marketplace/auctions/{}", self.auction);
        let seen = self.answer(who, Method::GET, &path, None, None).await;
        // One bids until it would be dear.
        let minimum_minor = seen.body["minimum_bid_minor"].as_i64().unwrap_or(i64::MAX);
        if seen.body["is_yours"] == true || minimum_minor > 12_000 {
            return;
        }
        let body = json!({ "max_minor": minimum_minor + 40 * (turn % 3) as i64 });
        let answer = self.decide(who, &format!("{path}/bids"), body).await;
        if !matches!(
            answer.outcome(),
            (201, _) | (422, "bid_too_low" | "bid_not_higher" | "insufficient_funds")
        ) {
            self.fault(format!("a bid: {:?} {}", answer.outcome(), answer.body));
        }
    }

    /// Every answer was right: everybody has what follows from the answers, each lot was sold as often as somebody was
    /// told so, and nothing is held but for the auction's leader. `before_minor`: what each had at the beginning.
    pub(crate) async fn assert_right(&self, before_minor: &[i64]) {
        let (gained_minor, sold) = {
            let known = self.known.lock().unwrap();
            assert_eq!(known.faults, Vec::<String>::new());
            assert_eq!(known.postings.len(), known.postings_said, "no two answers are about one posting");
            (known.gained_minor.clone(), known.sold.clone())
        };
        let url = self.url.read().unwrap().clone();
        let path = format!("marketplace/auctions/{}", self.auction);
        for (who, account) in self.people.iter().enumerate() {
            let account = account.at(&url);
            let wallet = account.get("wallet").await.unwrap();
            let coins =
                wallet["balances"].as_array().unwrap().iter().find(|it| it["asset"] == "coin").unwrap();
            assert_eq!(
                coins["amount_minor"],
                before_minor[who] + gained_minor[who],
                "{}",
                account.display_name
            );
            let seen = account.get(&path).await.unwrap();
            let held_minor =
                if seen["is_leading"] == true { seen["your_max_minor"].as_i64().unwrap() } else { 0 };
            assert_eq!(coins["held_minor"], held_minor, "{}: {seen}", account.display_name);
        }
        for (token, sales) in self.lots.iter().zip(sold) {
            let mut titles = 0;
            let mut cursor = String::new();
            loop {
                let path = format!("lands/{token}/titles?limit=100{cursor}");
                let page = self.people[0].at(&url).get(&path).await.unwrap();
                titles += page["items"].as_array().unwrap().len();
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(titles, 1 + sales, "the claim of {token}, and each sale that was acknowledged");
        }
    }

    /// How many sales there were.
    pub(crate) fn sales(&self) -> usize {
        self.known.lock().unwrap().sold.iter().sum()
    }
}

impl Known {
    fn note_posting(&mut self, body: &Value) {
        self.postings.insert(body["posting_id"].as_str().unwrap().to_owned());
        self.postings_said += 1;
    }
}
