//! Bots that come and go.

use crate::client::ConnectOptions;
use crate::report::Report;
use crate::run::{BotsConfig, Crew, measure};
use crate::tally::Tally;
use crate::watcher::{Phase, Watcher, farewell};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// How long a visit is, and the pause after it.
const STAY_S: std::ops::Range<f64> = 2.0..25.0;
const AWAY_S: std::ops::Range<f64> = 0.2..6.0;
/// A lost connection is taken up again so soon: within the time that a body waits.
const RESUME_S: std::ops::Range<f64> = 0.0..2.0;
/// Shares of the ways to end a visit.
const LEAVES: f64 = 0.5;
const LOSES: f64 = 0.35;
/// Tokens hold fifteen minutes.
const LOGIN_AGE_MAX: Duration = Duration::from_mins(10);

/// Everybody comes and goes until the time is over.
pub(crate) async fn run(
    config: &BotsConfig,
    crew: &Arc<Crew>,
    phases: watch::Sender<Phase>,
    phase: watch::Receiver<Phase>,
) -> Report {
    let mut bots = JoinSet::new();
    for number in 0..config.count {
        bots.spawn(come_and_go(Arc::clone(crew), number, phase.clone()));
    }
    // They are never all there: what counts begins at once.
    let server = measure(config, &phases, || {}).await;
    let mut sums = Tally::default();
    while let Some(seen) = bots.join_next().await {
        match seen {
            Ok(seen) => sums.add(&seen),
            Err(error) => sums.note_drop(error.to_string()),
        }
    }
    sums.add(&crew.tally());
    Report::new(config.scenario.name(), config.seed, config.count, config.seconds as f64, sums, server)
}

/// How a visit ends.
enum Way {
    Leave,
    /// The connection breaks, and is taken up again.
    Lose,
    /// The connection breaks, and nobody comes back to that body for a while.
    Vanish,
}

async fn come_and_go(crew: Arc<Crew>, number: usize, mut phase: watch::Receiver<Phase>) -> Tally {
    let mut random = StdRng::seed_from_u64(crew.seed_of(number) ^ 0x6368_7572);
    let mut sums = Tally::default();
    let mut mind = crew.mind(number);
    let mut kept: Option<(Instant, crate::site::Login)> = None;
    let mut lost: Option<([u8; wire::RESUME_TOKEN_BYTES], u32)> = None;
    // They do not all come in the same moment.
    pause(random.random_range(0.0..STAY_S.end / 2.0), &mut phase).await;
    while *phase.borrow() != Phase::Leaving {
        let login = match &kept {
            Some((since, login)) if since.elapsed() < LOGIN_AGE_MAX => login.clone(),
            _ => match crew.log_in(number).await {
                Ok(login) => {
                    kept = Some((Instant::now(), login.clone()));
                    login
                }
                Err(reason) => {
                    sums.note_failure(reason);
                    pause(1.0, &mut phase).await;
                    continue;
                }
            },
        };
        let resume_token = lost.map(|(token, _)| token);
        let options = ConnectOptions { resume_token, ..crew.options(number) };
        let mut client = match crew.enter(&login, options).await {
            Ok(client) => client,
            Err(reason) => {
                sums.note_failure(reason);
                lost = None;
                pause(1.0, &mut phase).await;
                continue;
            }
        };
        if let Some((_, entity_id)) = lost.take() {
            let is_same = client.welcome().resumed && client.entity_id() == entity_id;
            sums.resumed += u64::from(is_same);
            sums.resumed_elsewhere += u64::from(!is_same);
        } else if sums.connected == 0 {
            sums.connected = 1;
        } else {
            sums.visits += 1;
        }
        let until = Instant::now() + Duration::from_secs_f64(random.random_range(STAY_S));
        let watcher = Watcher::new(&mut client, &mut mind);
        let (seen, outcome) = watcher.stay(number, &mut phase, Some(until)).await;
        sums.add(&seen);
        if outcome.is_err() {
            continue;
        }
        let is_over = *phase.borrow() == Phase::Leaving;
        match choose(&mut random) {
            way if is_over || matches!(way, Way::Leave) => {
                if let Err(reason) = farewell(&mut client).await {
                    sums.note_drop(reason);
                }
                pause(random.random_range(AWAY_S), &mut phase).await;
            }
            Way::Lose => {
                sums.lost += 1;
                lost = Some((client.resume_token(), client.entity_id()));
                drop(client);
                pause(random.random_range(RESUME_S), &mut phase).await;
            }
            Way::Vanish | Way::Leave => {
                drop(client);
                pause(random.random_range(AWAY_S) * 2.0, &mut phase).await;
            }
        }
    }
    sums
}

fn choose(random: &mut StdRng) -> Way {
    match random.random_range(0.0..1.0) {
        share if share < LEAVES => Way::Leave,
        share if share < LEAVES + LOSES => Way::Lose,
        _ => Way::Vanish,
    }
}

/// Waits, but no longer than the run lasts.
async fn pause(seconds: f64, phase: &mut watch::Receiver<Phase>) {
    let is_over = async {
        // An error means that the run is over too.
        let _ = phase.wait_for(|phase| *phase == Phase::Leaving).await;
    };
    tokio::select! {
        () = sleep(Duration::from_secs_f64(seconds)) => {}
        () = is_over => {}
    }
}
