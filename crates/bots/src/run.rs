//! Many bots at once.

use crate::churn;
use crate::client::{Client, ConnectOptions};
use crate::files_limit::{TooFewFiles, allow_sockets};
use crate::light::{LightSettings, Lights, enter};
use crate::market;
use crate::mind::Mind;
use crate::report::Report;
use crate::scenario::{Plan, Scenario};
use crate::server_cost::{ServerToWatch, Watching};
use crate::site::{DeviceKey, Login, Site, SiteError};
use crate::tally::Tally;
use crate::watcher::{Phase, Watcher, farewell};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// How long a bot waits to be let in.
const ENTER_TIME_MAX: Duration = Duration::from_secs(30);
/// Sockets that may be between their opening and their welcome at once: a server takes some hundreds.
const ENTRIES_AT_ONCE: usize = 128;
/// So many bots are watchers all, unless asked otherwise; of more, so many are.
const ALL_WATCH_MAX: usize = 200;
const WATCHERS: usize = 20;
/// After the last one has come in, until what happens counts.
const SETTLE: Duration = Duration::from_secs(2);
/// Sockets for logins and metrics.
const OTHER_SOCKETS: usize = 256;

/// What to let loose.
#[derive(Clone, Debug)]
pub struct BotsConfig {
    /// The server, `http://host:port`.
    pub url: String,
    /// What they do.
    pub scenario: Scenario,
    /// How many bots.
    pub count: usize,
    /// How long they stay once all are in.
    pub seconds: u64,
    /// Decides the bots' keys and ways: the same seed is the same people. Whoever knows it can be them.
    pub seed: u64,
    /// How many log in at the same time.
    pub logins_at_once: usize,
    /// How many decode and predict everything; the others read no more than the heads of frames.
    pub watchers: Option<usize>,
    /// Messages with inputs that each of the others sends a second.
    pub input_hz: f64,
    /// Threads that carry the others.
    pub threads: usize,
    /// Size of the crowd or of a town.
    pub disc_radius_m: Option<f64>,
    /// The server's cost is reported if it can be looked at.
    pub server: ServerToWatch,
}

impl Default for BotsConfig {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:7380".into(),
            scenario: Scenario::default(),
            count: 20,
            seconds: 30,
            seed: rand::random(),
            logins_at_once: 32,
            watchers: None,
            input_hz: 6.0,
            threads: 1,
            disc_radius_m: None,
            server: ServerToWatch::default(),
        }
    }
}

/// Why bots could not be let loose at all.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The server cannot be used.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// More sockets than the system allows.
    #[error(transparent)]
    Files(#[from] TooFewFiles),
    /// Threads or polls cannot be made.
    #[error("the system refuses: {0}")]
    System(#[from] std::io::Error),
}

/// What the bots of a run share.
pub(crate) struct Crew {
    pub(crate) site: Site,
    pub(crate) plan: Plan,
    pub(crate) seed: u64,
    logins: Semaphore,
    entries: Semaphore,
    tally: Mutex<Tally>,
}

impl Crew {
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        // Sums are whole after each addition.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What decides about one bot.
    pub(crate) fn seed_of(&self, number: usize) -> u64 {
        self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number as u64)
    }

    pub(crate) fn options(&self, number: usize) -> ConnectOptions {
        let (arrive_at, _) = self.plan.of(number, self.seed_of(number));
        ConnectOptions { arrive_at, resume_token: None }
    }

    pub(crate) fn mind(&self, number: usize) -> Mind {
        let seed = self.seed_of(number);
        let (_, want) = self.plan.of(number, seed);
        Mind::new(seed, want, self.site.planet().radius_m())
    }

    pub(crate) async fn log_in(&self, number: usize) -> Result<Login, String> {
        let _turn = self.logins.acquire().await;
        let key = DeviceKey::from_bytes(StdRng::seed_from_u64(self.seed_of(number)).random());
        let began_at = Instant::now();
        let login = self.site.log_in(&key, None).await.map_err(|error| error.to_string())?;
        self.tally().logins.note(began_at.elapsed());
        Ok(login)
    }

    /// Enters with a client that does all a page does.
    pub(crate) async fn enter(&self, login: &Login, options: ConnectOptions) -> Result<Client, String> {
        let _turn = self.entries.acquire().await;
        let began_at = Instant::now();
        let entering = Client::connect(&self.site, login, options);
        let client = timeout(ENTER_TIME_MAX, entering).await.map_err(|_| no_welcome())?;
        let client = client.map_err(|error| error.to_string())?;
        self.tally().entries.note(began_at.elapsed());
        Ok(client)
    }

    /// Enters with one of those that cost next to nothing.
    async fn enter_light(&self, number: usize, login: &Login, lights: &Lights) -> Result<(), String> {
        let _turn = self.entries.acquire().await;
        let entering = enter(self.site.host(), login, self.options(number));
        let entered = timeout(ENTER_TIME_MAX, entering).await.map_err(|_| no_welcome())?;
        let entered = entered.map_err(|error| error.to_string())?;
        self.tally().entries.note(entered.took);
        lights.take(number, entered, self.mind(number));
        Ok(())
    }
}

fn no_welcome() -> String {
    "the server did not answer the hello".into()
}

/// Lets the bots loose, waits for the last and reports. Fails only if the server cannot be used at all.
pub async fn run(config: BotsConfig) -> Result<Report, RunError> {
    allow_sockets(config.count + OTHER_SOCKETS)?;
    let site = Site::open(&config.url).await?;
    let plan = {
        let (planet, config) = (Arc::clone(site.planet()), config.clone());
        let find =
            move || Plan::new(config.scenario, &planet, config.count, config.seed, config.disc_radius_m);
        tokio::task::spawn_blocking(find).await.map_err(std::io::Error::other)?
    };
    let crew = Arc::new(Crew {
        site,
        plan,
        seed: config.seed,
        logins: Semaphore::new(config.logins_at_once.max(1)),
        entries: Semaphore::new(ENTRIES_AT_ONCE),
        tally: Mutex::default(),
    });
    let (phases, phase) = watch::channel(Phase::Entering);
    if config.scenario == Scenario::Churn {
        return Ok(churn::run(&config, &crew, phases, phase).await);
    }

    let watchers = config.watchers.unwrap_or(match config.scenario {
        Scenario::Market => config.count,
        Scenario::Idle => 0,
        _ if config.count <= ALL_WATCH_MAX => config.count,
        _ => WATCHERS,
    });
    let input_hz = if config.scenario == Scenario::Idle { 0.0 } else { config.input_hz };
    let lights = Arc::new(Lights::start(LightSettings { threads: config.threads, input_hz })?);
    let mut entering = JoinSet::new();
    let mut visits = JoinSet::new();
    for number in 0..config.count {
        let (crew, lights) = (Arc::clone(&crew), Arc::clone(&lights));
        entering.spawn(async move { enter_as(&crew, number, number < watchers, &lights).await });
    }
    while let Some(entered) = entering.join_next().await {
        match entered.map_err(|error| error.to_string()).flatten() {
            Ok(entered) => {
                crew.tally().connected += 1;
                if let Some((number, client, login)) = entered {
                    let stays_to_trade = config.scenario == Scenario::Market;
                    visits.spawn(visit(
                        Arc::clone(&crew),
                        number,
                        client,
                        login,
                        phase.clone(),
                        stays_to_trade,
                    ));
                }
            }
            Err(reason) => crew.tally().note_failure(reason),
        }
    }
    sleep(SETTLE).await;
    let server = measure(&config, &phases, || lights.measure()).await;
    let seconds = config.seconds as f64;
    let leaving = tokio::task::spawn_blocking(move || {
        // All who entered have let go of it.
        Arc::into_inner(lights).map(Lights::leave).unwrap_or_default()
    });
    let mut sums = leaving.await.map_err(std::io::Error::other)?;
    while let Some(seen) = visits.join_next().await {
        match seen {
            Ok(seen) => sums.add(&seen),
            Err(error) => sums.note_drop(error.to_string()),
        }
    }
    sums.add(&crew.tally());
    Ok(Report::new(config.scenario.name(), config.seed, config.count, seconds, sums, server))
}

/// The time that counts, from beginning to end.
pub(crate) async fn measure(
    config: &BotsConfig,
    phases: &watch::Sender<Phase>,
    begin: impl FnOnce(),
) -> Option<crate::server_cost::ServerCost> {
    let watching = Watching::begin(config.server.clone());
    begin();
    phases.send_replace(Phase::Measuring);
    sleep(Duration::from_secs(config.seconds)).await;
    let server = match watching {
        Some(watching) => Some(watching.end().await),
        None => None,
    };
    phases.send_replace(Phase::Leaving);
    server
}

/// Lets one in. A watcher is given back.
async fn enter_as(
    crew: &Crew,
    number: usize,
    watches: bool,
    lights: &Lights,
) -> Result<Option<(usize, Client, Login)>, String> {
    let login = crew.log_in(number).await?;
    if watches {
        let client = crew.enter(&login, crew.options(number)).await?;
        Ok(Some((number, client, login)))
    } else {
        crew.enter_light(number, &login, lights).await?;
        Ok(None)
    }
}

/// A watcher's visit, and its business if it has any.
async fn visit(
    crew: Arc<Crew>,
    number: usize,
    mut client: Client,
    login: Login,
    mut phase: watch::Receiver<Phase>,
    trades: bool,
) -> Tally {
    let mut mind = crew.mind(number);
    let business = trades.then(|| {
        tokio::spawn(market::trade(Arc::clone(&crew), number, login, client.body().position, phase.clone()))
    });
    let (mut tally, outcome) = Watcher::new(&mut client, &mut mind).stay(number, &mut phase, None).await;
    if outcome.is_ok()
        && let Err(reason) = farewell(&mut client).await
    {
        tally.note_drop(reason);
    }
    if let Some(business) = business {
        match business.await {
            Ok(done) => tally.add(&done),
            Err(error) => tally.note_drop(error.to_string()),
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_none_and_a_server_that_is_not_there_are_told_apart() {
        let run_at = |url: &str| run(BotsConfig { url: url.into(), count: 1, ..BotsConfig::default() });
        for url in ["", "127.0.0.1:7380", "https://planet.example", "http://", "http://a/b"] {
            assert!(matches!(run_at(url).await, Err(RunError::Site(SiteError::Address(_)))), "{url}");
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refused = run_at(&format!("http://{free}/")).await;
        assert!(matches!(refused, Err(RunError::Site(SiteError::Unreachable(_)))));
    }

    #[tokio::test]
    async fn more_bots_than_sockets_are_refused_before_anything_is_asked() {
        let config = BotsConfig { count: usize::MAX >> 8, ..BotsConfig::default() };
        assert!(matches!(run(config).await, Err(RunError::Files(_) | RunError::Site(_))));
    }
}
