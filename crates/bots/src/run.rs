//! Many bots at once.

use crate::client::{Client, ClientError, ConnectOptions, Event};
use crate::report::Report;
use crate::site::{DeviceKey, Site, SiteError};
use crate::walker::Walker;
use hdrhistogram::Histogram;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout, timeout_at};

/// How often a bot wakes to move, and sends what it did.
const WAKE: Duration = Duration::from_millis(100);
const PING_EVERY_WAKES: u64 = 10;
/// How long a bot waits to be let in.
const ENTER_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a bot waits for the server's good bye.
const FAREWELL: Duration = Duration::from_secs(5);
/// A prediction this far off counts as corrected.
const CORRECTION_M: f64 = 0.01;
/// Round trips are recorded up to a minute, in microseconds.
const ROUND_TRIP_MAX_US: u64 = 60_000_000;

/// What to let loose.
#[derive(Clone, Debug)]
pub struct BotsConfig {
    /// The server, `http://host:port`.
    pub url: String,
    /// How many bots.
    pub count: usize,
    /// How long they stay once all are in.
    pub seconds: u64,
    /// Decides the bots' keys and ways: the same seed is the same people. Whoever knows it can be them.
    pub seed: u64,
    /// How many log in at the same time.
    pub logins_at_once: usize,
}

impl Default for BotsConfig {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:7380".into(),
            count: 20,
            seconds: 30,
            seed: rand::random(),
            logins_at_once: 32,
        }
    }
}

/// What one bot saw.
struct Visit {
    stayed: Duration,
    frames: u64,
    bytes: u64,
    peak_bytes: u64,
    corrections: u64,
    correction_max_m: f64,
    frames_with_gaps: u64,
    restarts: u64,
    heard: u64,
    refused: u64,
    visible_bodies: usize,
    round_trips: Histogram<u64>,
    /// Why it ended early.
    dropped: Option<String>,
}

impl Visit {
    fn new() -> Self {
        let round_trips =
            Histogram::new_with_max(ROUND_TRIP_MAX_US, 3).expect("a minute with three digits is in range");
        Self {
            stayed: Duration::ZERO,
            frames: 0,
            bytes: 0,
            peak_bytes: 0,
            corrections: 0,
            correction_max_m: 0.0,
            frames_with_gaps: 0,
            restarts: 0,
            heard: 0,
            refused: 0,
            visible_bodies: 0,
            round_trips,
            dropped: None,
        }
    }
}

/// Lets the bots loose, waits for the last and reports. Fails only if the server cannot be used at all.
pub async fn run(config: BotsConfig) -> Result<Report, SiteError> {
    let site = Site::open(&config.url).await?;
    let logins = Arc::new(Semaphore::new(config.logins_at_once.max(1)));
    // Tells the bots that are in when to leave: counted from the moment the last one has come in or failed.
    let (all_in, leave_at) = watch::channel(None);
    let (arrived, mut arrivals) = tokio::sync::mpsc::channel::<Infallible>(1);
    let mut bots = JoinSet::new();
    for number in 0..config.count as u64 {
        let (site, logins, arrived, leave_at) =
            (site.clone(), Arc::clone(&logins), arrived.clone(), leave_at.clone());
        let seed = config.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number);
        bots.spawn(async move {
            let entered = {
                let _turn = logins.acquire().await;
                enter(&site, seed).await
            };
            // The sender's end is the message: this one is in, or will never be.
            drop(arrived);
            match entered {
                Ok(client) => Ok(visit(client, seed, leave_at).await),
                Err(reason) => Err(reason),
            }
        });
    }
    drop(arrived);
    let started = Instant::now();
    // Ends when every bot has dropped its sender.
    arrivals.recv().await;
    let stay = Duration::from_secs(config.seconds);
    all_in.send_replace(Some(Instant::now() + stay));
    let outcomes = bots.join_all().await;
    Ok(summarize(config.count, started.elapsed(), outcomes))
}

async fn enter(site: &Site, seed: u64) -> Result<Client, String> {
    let key = DeviceKey::from_bytes(StdRng::seed_from_u64(seed).random());
    let login = site.log_in(&key, None).await.map_err(|error| error.to_string())?;
    match timeout(ENTER_TIME_MAX, Client::connect(site, &login, ConnectOptions::default())).await {
        Ok(entered) => entered.map_err(|error| error.to_string()),
        Err(_) => Err("the server did not answer the hello".into()),
    }
}

/// Walks about until it is time to leave.
async fn visit(mut client: Client, seed: u64, mut leave_at: watch::Receiver<Option<Instant>>) -> Visit {
    let mut visit = Visit::new();
    let start = Instant::now();
    let outcome = stay(&mut client, &mut visit, seed, start, &mut leave_at).await;
    visit.stayed = start.elapsed();
    visit.bytes = client.received_bytes();
    visit.visible_bodies = client.view().body_count();
    visit.dropped = match outcome {
        Ok(()) => farewell(&mut client).await.err(),
        Err(reason) => Some(reason),
    };
    visit
}

async fn stay(
    client: &mut Client,
    visit: &mut Visit,
    seed: u64,
    start: Instant,
    leave_at: &mut watch::Receiver<Option<Instant>>,
) -> Result<(), String> {
    let mut walker = Walker::new(seed, client.body().facing);
    // Bots that came in the same moment do not all wake in the same moment.
    let offset = WAKE.mul_f64((seed % 97) as f64 / 97.0);
    let mut wakes = interval_at(start + offset, WAKE);
    wakes.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut wake, mut second_bytes) = (seed % PING_EVERY_WAKES, client.received_bytes());
    loop {
        let end = *leave_at.borrow_and_update();
        tokio::select! {
            event = client.next() => note(visit, event.map_err(|error| error.to_string())?, start)?,
            _ = wakes.tick() => {
                act(client, &mut walker, wake, start).await.map_err(|error| error.to_string())?;
                wake += 1;
                if wake.is_multiple_of(10) {
                    visit.peak_bytes = visit.peak_bytes.max(client.received_bytes() - second_bytes);
                    second_bytes = client.received_bytes();
                }
            }
            () = sleep_until(end.unwrap_or(start)), if end.is_some() => return Ok(()),
            Ok(()) = leave_at.changed(), if end.is_none() => {}
        }
    }
}

/// Moves a tenth of a second on, and now and then talks and pings.
async fn act(client: &mut Client, walker: &mut Walker, wake: u64, start: Instant) -> Result<(), ClientError> {
    for _ in 0..client.pace().hz() / 10 {
        let (buttons, look) = walker.step();
        client.step(buttons, look);
    }
    client.send_inputs().await?;
    if let Some(text) = walker.talk(start.elapsed()) {
        client.say(text).await?;
    }
    if wake.is_multiple_of(PING_EVERY_WAKES) {
        client.ping(start.elapsed().as_secs_f64() * 1e3).await?;
    }
    Ok(())
}

fn note(visit: &mut Visit, event: Event, start: Instant) -> Result<(), String> {
    match event {
        Event::Frame { correction_m, gaps, is_restart, .. } => {
            visit.restarts += u64::from(is_restart && visit.frames > 0);
            visit.frames += 1;
            visit.frames_with_gaps += u64::from(gaps > 0);
            visit.corrections += u64::from(correction_m > CORRECTION_M);
            visit.correction_max_m = visit.correction_max_m.max(correction_m);
        }
        Event::Pong(pong) => {
            let round_trip_us = (start.elapsed().as_secs_f64() * 1e6 - pong.client_time_ms * 1e3).max(0.0);
            visit.round_trips.saturating_record(round_trip_us as u64);
        }
        Event::Said(_) => visit.heard += 1,
        Event::Refused(refused) => {
            tracing::debug!(code = refused.code, detail = refused.detail, "refused");
            visit.refused += 1;
        }
        Event::Bye(bye) => return Err(format!("bye {}: {}", bye.code, bye.detail)),
        Event::People(_) | Event::LotChanged(_) | Event::Happened(_) | Event::Fences(_) => {}
    }
    Ok(())
}

/// Leaves, and waits for the server to say so.
async fn farewell(client: &mut Client) -> Result<(), String> {
    client.leave().await.map_err(|error| error.to_string())?;
    let patience = Instant::now() + FAREWELL;
    loop {
        match timeout_at(patience, client.next()).await {
            Ok(Ok(Event::Bye(_))) => return Ok(()),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err("the server did not say good bye".into()),
        }
    }
}

fn summarize(asked: usize, lasted: Duration, outcomes: Vec<Result<Visit, String>>) -> Report {
    let mut report = Report { asked, seconds: lasted.as_secs_f64(), ..Report::default() };
    let mut reasons = BTreeMap::<String, usize>::new();
    let mut round_trips = Visit::new().round_trips;
    report.frames_per_s_min = f64::INFINITY;
    for outcome in outcomes {
        let visit = match outcome {
            Ok(visit) => visit,
            Err(reason) => {
                report.failed += 1;
                *reasons.entry(reason).or_default() += 1;
                continue;
            }
        };
        let stayed_s = visit.stayed.as_secs_f64().max(1e-3);
        report.connected += 1;
        report.frames_per_s += visit.frames as f64 / stayed_s;
        report.frames_per_s_min = report.frames_per_s_min.min(visit.frames as f64 / stayed_s);
        report.bytes_per_s += visit.bytes as f64 / stayed_s;
        report.bytes_per_s_peak = report.bytes_per_s_peak.max(visit.peak_bytes);
        report.corrections += visit.corrections;
        report.correction_max_m = report.correction_max_m.max(visit.correction_max_m);
        report.visible_bodies += visit.visible_bodies as f64;
        report.visible_bodies_max = report.visible_bodies_max.max(visit.visible_bodies);
        report.frames_with_gaps += visit.frames_with_gaps;
        report.restarts += visit.restarts;
        report.heard += visit.heard;
        report.refused += visit.refused;
        round_trips.add(&visit.round_trips).expect("they have the same range");
        if let Some(reason) = visit.dropped {
            report.dropped += 1;
            *reasons.entry(reason).or_default() += 1;
        }
    }
    if report.connected == 0 {
        report.frames_per_s_min = 0.0;
    } else {
        let connected = report.connected as f64;
        report.frames_per_s /= connected;
        report.bytes_per_s /= connected;
        report.visible_bodies /= connected;
    }
    report.round_trip_p50_ms = round_trips.value_at_quantile(0.5) as f64 / 1e3;
    report.round_trip_p99_ms = round_trips.value_at_quantile(0.99) as f64 / 1e3;
    report.reasons = reasons.into_iter().collect();
    report.reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(frames: u64, dropped: Option<&str>) -> Visit {
        let mut visit = Visit::new();
        visit.stayed = Duration::from_secs(10);
        visit.frames = frames;
        visit.bytes = 5_000;
        visit.peak_bytes = frames;
        visit.corrections = 1;
        visit.round_trips.record(frames * 1_000).unwrap();
        visit.dropped = dropped.map(str::to_owned);
        visit
    }

    #[test]
    fn a_report_adds_up_what_the_bots_saw() {
        let outcomes = vec![
            Ok(visit(100, None)),
            Ok(visit(50, Some("bye too_slow: x"))),
            Err("no".into()),
            Err("no".into()),
        ];
        let report = summarize(4, Duration::from_secs(12), outcomes);
        assert_eq!((report.asked, report.connected, report.failed, report.dropped), (4, 2, 2, 1));
        assert_eq!((report.frames_per_s, report.frames_per_s_min), (7.5, 5.0));
        assert_eq!((report.bytes_per_s, report.bytes_per_s_peak), (500.0, 100));
        assert!(
            (report.round_trip_p50_ms - 50.0).abs() < 0.1 && (report.round_trip_p99_ms - 100.0).abs() < 0.1
        );
        assert_eq!(report.reasons, [("no".to_owned(), 2), ("bye too_slow: x".to_owned(), 1)]);
        let text = report.to_string();
        assert!(text.contains("2 of 4 connected, 2 failed, 1 dropped") && text.contains("2 × no"), "{text}");
    }

    #[test]
    fn a_run_nobody_joined_is_reported_in_numbers_too() {
        let report = summarize(1, Duration::ZERO, vec![Err("no".into())]);
        assert_eq!((report.frames_per_s, report.frames_per_s_min, report.visible_bodies), (0.0, 0.0, 0.0));
    }

    #[tokio::test]
    async fn an_address_that_is_none_and_a_server_that_is_not_there_are_told_apart() {
        let run_at = |url: &str| run(BotsConfig { url: url.into(), count: 1, ..BotsConfig::default() });
        for url in ["", "127.0.0.1:7380", "https://planet.example", "http://", "http://a/b"] {
            assert!(matches!(run_at(url).await, Err(SiteError::Address(_))), "{url}");
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(matches!(run_at(&format!("http://{free}/")).await, Err(SiteError::Unreachable(_))));
    }
}
