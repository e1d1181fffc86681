//! Bots that trade in land while they walk.

use crate::run::Crew;
use crate::site::{Answer, Login};
use crate::tally::Tally;
use crate::watcher::Phase;
use cell::LatLng;
use glam::DVec3;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Between two looks at the market.
const PAUSE_S: std::ops::Range<f64> = 0.5..3.0;
/// How far around people look for land that is for sale.
const SEARCH_M: u32 = 500;
/// More land than this is sold and not claimed.
const LOTS_MAX: usize = 2;
const PRICES_MINOR: std::ops::Range<i64> = 500..2_000;

/// Claims, lists and buys near `position` until the run is over.
pub(crate) async fn trade(
    crew: Arc<Crew>,
    number: usize,
    login: Login,
    position: DVec3,
    mut phase: watch::Receiver<Phase>,
) -> Tally {
    let place = LatLng::from_point(position);
    let near = format!("{},{}", place.lat_deg(), place.lng_deg());
    let random = StdRng::seed_from_u64(crew.seed_of(number) ^ 0x7472_6164);
    let mut trader = Trader { crew, login, near, random, mine: vec![], tally: Tally::default() };
    // Trade is measured with everything else.
    let _ = phase.wait_for(|phase| *phase != Phase::Entering).await;
    while *phase.borrow() == Phase::Measuring {
        trader.turn().await;
        let pause = Duration::from_secs_f64(trader.random.random_range(PAUSE_S));
        let is_over = async {
            let _ = phase.wait_for(|phase| *phase == Phase::Leaving).await;
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = is_over => {}
        }
    }
    trader.tally
}

struct Trader {
    crew: Arc<Crew>,
    login: Login,
    near: String,
    random: StdRng,
    /// Lots that are neither sold nor for sale.
    mine: Vec<String>,
    tally: Tally,
}

impl Trader {
    async fn turn(&mut self) {
        match self.random.random_range(0..10) {
            0..=3 if self.mine.len() < LOTS_MAX => self.claim().await,
            0..=5 if !self.mine.is_empty() => self.list().await,
            _ => self.buy().await,
        }
    }

    async fn claim(&mut self) {
        let path = format!("lands/free?near={}&limit=10", self.near);
        let Some(free) = self.get(&path).await else { return };
        let lots = free["items"].as_array().map_or(&[][..], Vec::as_slice);
        if lots.is_empty() {
            return;
        }
        let lot = &lots[self.random.random_range(0..lots.len())];
        let Some(token) = lot["token"].as_str().map(str::to_owned) else { return };
        let answer = self.decide("claim", &format!("lands/{token}/claim"), &Value::Null).await;
        if answer.is_some_and(|answer| answer.is_success()) {
            self.mine.push(token);
        }
    }

    async fn list(&mut self) {
        let Some(token) = self.mine.pop() else { return };
        let price_minor = self.random.random_range(PRICES_MINOR);
        let body = json!({ "parcel": token, "currency": "coin", "price_minor": price_minor });
        self.decide("listing", "marketplace/listings", &body).await;
    }

    async fn buy(&mut self) {
        let path = format!(
            "marketplace/search?kind=fixed&near={}&radius_m={SEARCH_M}&sort=nearest&limit=20",
            self.near
        );
        let Some(found) = self.get(&path).await else { return };
        let others = |it: &&Value| it["is_yours"] != true;
        let offers: Vec<&Value> = found["items"].as_array().into_iter().flatten().filter(others).collect();
        if offers.is_empty() {
            return;
        }
        let offer = offers[self.random.random_range(0..offers.len())];
        let (Some(id), Some(price_minor)) = (offer["id"].as_str(), offer["price_minor"].as_i64()) else {
            return;
        };
        let parcel = offer["parcel"]["token"].as_str().or(offer["parcel"].as_str()).map(str::to_owned);
        let path = format!("marketplace/listings/{id}/purchase");
        let answer = self.decide("purchase", &path, &json!({ "price_minor": price_minor })).await;
        if answer.is_some_and(|answer| answer.is_success()) {
            self.mine.extend(parcel);
        }
    }

    async fn get(&mut self, path: &str) -> Option<Value> {
        match self.crew.site.ask(&self.login, path, None).await {
            Ok(answer) if answer.is_success() => Some(answer.body),
            Ok(answer) => {
                self.count("question", &answer);
                None
            }
            Err(error) => {
                *self.tally.decisions.entry(format!("question: no answer ({error})")).or_default() += 1;
                None
            }
        }
    }

    async fn decide(&mut self, what: &str, path: &str, body: &Value) -> Option<Answer> {
        match self.crew.site.ask(&self.login, path, Some(body)).await {
            Ok(answer) => {
                self.tally.decision_times.note(answer.took);
                self.count(what, &answer);
                Some(answer)
            }
            Err(error) => {
                *self.tally.decisions.entry(format!("{what}: no answer ({error})")).or_default() += 1;
                None
            }
        }
    }

    fn count(&mut self, what: &str, answer: &Answer) {
        let how = if answer.is_success() { "done" } else { answer.body["code"].as_str().unwrap_or("?") };
        *self.tally.decisions.entry(format!("{what}: {how}")).or_default() += 1;
    }
}
