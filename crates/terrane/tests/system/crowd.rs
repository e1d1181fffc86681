//! Crowds: hundreds who come at once, people who never read, floods and connections that say nothing. Whoever behaves
//! notices none of it.
//!
//! The same with a thousand joins in five seconds, against the release program: `bench/run storm`.

use std::time::Duration;

use bots::{Client, ConnectOptions, DeviceKey, Event, Login, Site};
use motion::Buttons;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use wire::{ClientMessage, InputBatch};

use crate::support::{Account, DEADLINE, Player, Server, run, run_at_most, terrane, wait_for};

const LOGINS_AT_ONCE: usize = 16;

/// Logs in as so many new people.
pub(crate) async fn log_in(site: &Site, count: usize) -> Vec<Login> {
    let mut logins = Vec::new();
    while logins.len() < count {
        let mut some = JoinSet::new();
        for _ in 0..LOGINS_AT_ONCE.min(count - logins.len()) {
            let site = site.clone();
            some.spawn(async move { site.log_in(&DeviceKey::random(), None).await.unwrap() });
        }
        logins.extend(some.join_all().await);
    }
    logins
}

/// What somebody saw who walks and reads all the time.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    pub(crate) frames: usize,
    /// Frames that told to start again, after the first: others were dropped.
    pub(crate) restarts: usize,
    /// Frames after which something was missing.
    pub(crate) gaps: usize,
    /// The most bodies in view.
    pub(crate) seen_max: usize,
    /// Why it ended early.
    pub(crate) lost: Option<String>,
}

/// Walks in circles and reads everything until it has seen as many bodies at once as it is told to.
pub(crate) async fn witness(mut client: Client, mut until: watch::Receiver<Option<usize>>) -> Witness {
    let mut seen = Witness::default();
    let mut wakes = interval(Duration::from_millis(100));
    wakes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let hz = client.pace().hz();
    while until.borrow().is_none_or(|bodies| seen.seen_max < bodies) {
        tokio::select! {
            event = client.next() => match event {
                Ok(Event::Frame { is_restart, gaps, .. }) => {
                    seen.restarts += usize::from(is_restart && seen.frames > 0);
                    seen.gaps += usize::from(gaps > 0);
                    seen.frames += 1;
                    seen.seen_max = seen.seen_max.max(client.view().body_count());
                }
                Ok(Event::Bye(bye)) => {
                    seen.lost = Some(bye.code);
                    return seen;
                }
                Ok(_) => {}
                Err(error) => {
                    seen.lost = Some(error.to_string());
                    return seen;
                }
            },
            _ = wakes.tick() => {
                let look = client.body().facing;
                for _ in 0..hz / 10 {
                    client.step(Buttons::FORWARD.with(Buttons::LEFT), look);
                }
                if let Err(error) = client.send_inputs().await {
                    seen.lost = Some(error.to_string());
                    return seen;
                }
            }
            // The end of it is the end of the test.
            changed = until.changed() => if changed.is_err() { return seen },
        }
    }
    seen
}

pub(crate) async fn enter(site: &Site, login: &Login) -> Client {
    Client::connect(site, login, ConnectOptions::default()).await.unwrap()
}

/// Enters with the smallest buffers and never reads again.
async fn enter_deaf(server: &Server, login: &Login) -> Player {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let stream = socket.connect(server.host().parse().unwrap()).await.unwrap();
    let mut player = Player::over(stream, server).await;
    let hello = wire::Hello {
        protocol_version: wire::PROTOCOL_VERSION,
        protocol_hash: wire::PROTOCOL_HASH,
        access_token: login.access_token.clone(),
        ..wire::Hello::default()
    };
    player.send(&ClientMessage::Hello(hello)).await;
    player
}

#[test]
fn a_storm_of_joins_and_people_who_never_read_cost_nobody_a_frame() {
    const WITNESSES: usize = 6;
    const DEAF: usize = 8;
    const JOINS: usize = 150;
    let server = Server::start_configured("[http]\nsocket_send_buffer_bytes = 4096\n");
    run_at_most(6 * DEADLINE, async {
        let site = Site::open(server.url()).await.unwrap();
        let mut logins = log_in(&site, WITNESSES + DEAF + JOINS).await.into_iter();
        let (stop, stopped) = watch::channel(None);
        let mut witnesses = JoinSet::new();
        for login in logins.by_ref().take(WITNESSES) {
            witnesses.spawn(witness(enter(&site, &login).await, stopped.clone()));
        }
        let mut deaf = Vec::new();
        for login in logins.by_ref().take(DEAF) {
            deaf.push(enter_deaf(&server, &login).await);
        }
        // Everybody at once.
        let mut joining = JoinSet::new();
        for login in logins {
            let site = site.clone();
            joining.spawn(async move { enter(&site, &login).await });
        }
        let mut crowd: Vec<Client> = Vec::new();
        while let Some(client) = joining.join_next().await {
            crowd.push(client.expect("everybody gets in"));
        }
        let mut last = crowd.pop().expect("somebody came last");
        // One who has come last is seen by those who came first: nobody's stream has stopped.
        let everybody = WITNESSES + DEAF + JOINS;
        let looking = async {
            while last.view().body_count() < everybody {
                last.next().await.unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, looking).await.expect("all are in view of one who came last");
        stop.send_replace(Some(JOINS));
        for seen in witnesses.join_all().await {
            assert_eq!((seen.lost.as_deref(), seen.restarts, seen.gaps), (None, 0, 0), "{seen:?}");
        }
        drop(deaf);
    });
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn floods_and_connections_that_say_nothing_are_noticed_by_nobody_else() {
    const HALF_OPEN: usize = 60;
    const FLOODERS: usize = 3;
    let server = Server::start();
    run_at_most(4 * DEADLINE, async {
        let site = Site::open(server.url()).await.unwrap();
        let logins = log_in(&site, 2).await;
        let (stop, stopped) = watch::channel(None);
        let walking = tokio::spawn(witness(enter(&site, &logins[0]).await, stopped));
        // Nothing said; a request cut short; an upgrade without a hello.
        let mut silent = Vec::new();
        let mut waiting = Vec::new();
        for number in 0..HALF_OPEN {
            let stream = TcpStream::connect(server.host()).await.unwrap();
            match number % 3 {
                0 => silent.push(stream),
                1 => {
                    stream.writable().await.unwrap();
                    stream.try_write(b"GET /ws HTTP/1.1\r\nHost: ").unwrap();
                    silent.push(stream);
                }
                _ => waiting.push(Player::over(stream, &server).await),
            }
        }
        // As fast as the sockets take it: inputs that are right, bytes that are none.
        let mut flooding = JoinSet::new();
        for number in 0..FLOODERS {
            let account = Account::new(&server).await;
            let mut flooder = account.enter(&server).await;
            flooding.spawn(async move {
                let inputs = vec![motion::Input::NEUTRAL; wire::INPUT_BATCH_MAX];
                let first_seq = flooder.welcome.last_input_seq + 1;
                let batch = ClientMessage::Input(InputBatch { first_seq, inputs });
                for _ in 0..3_000 {
                    flooder.send(&batch).await;
                }
                if number == 0 {
                    flooder.send_raw(Message::Binary(Bytes::from_static(&[250; 40]))).await;
                }
                flooder.expect_bye().await.code
            });
        }
        while let Some(code) = flooding.join_next().await {
            let code = code.unwrap();
            assert!(["flooding", "bad_message"].contains(&code.as_str()), "{code}");
        }
        // Somebody new comes in and sees who was there, while the others still say nothing.
        let mut newcomer = enter(&site, &logins[1]).await;
        let looking = async {
            while newcomer.view().body_count() < 2 {
                newcomer.next().await.unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, looking).await.expect("a newcomer sees who is there");
        stop.send_replace(Some(1));
        let seen = walking.await.unwrap();
        assert_eq!((seen.lost.as_deref(), seen.restarts, seen.gaps), (None, 0, 0), "{seen:?}");
        for player in waiting {
            assert_eq!(player.expect_bye().await.code, "hello_timeout");
        }
    });
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn every_scenario_of_bots_runs_and_reports_of_several_processes_add_up() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let url = server.url();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::thread::scope(|scope| {
        let scenarios = ["crowd", "cities", "travel", "border", "market", "churn", "idle"];
        let runs = scenarios.into_iter().enumerate().map(|(seed, scenario)| {
            let out = file(scenario);
            scope.spawn(move || {
                let seed = seed.to_string();
                // One decodes everything, the others read heads: both kinds everywhere.
                let how = ["--count", "4", "--watchers", "1", "--seconds", "3", "--seed", &seed];
                let words = ["bots", scenario, "--url", url, "--out", &out];
                (scenario, terrane(&[&words[..], &how[..]].concat()))
            })
        });
        for run in runs.collect::<Vec<_>>() {
            let (scenario, run) = run.join().unwrap();
            // Those who come and go need not all have come in so short a time.
            assert!(run.code == Some(0) || scenario == "churn", "{scenario}: {run:?}\n{}", server.log());
            assert!(run.stdout.contains(&format!("scenario                    {scenario}")), "{run:?}");
        }
    });
    let crowd = file("crowd");
    let added = terrane(&["bots", "report", &crowd, &crowd, "--json"]);
    assert_eq!(added.code, Some(0), "{added:?}");
    let report: serde_json::Value = serde_json::from_str(&added.stdout).unwrap();
    assert_eq!((&report["connected"], &report["processes"]), (&8.into(), &2.into()), "{report}");
    assert!(report["updates_per_s"][0].as_f64().unwrap() > 1.0, "{report}");
    let mixed = terrane(&["bots", "report", &crowd, &file("border")]);
    assert_eq!(mixed.code, Some(1));
    assert!(mixed.stderr.contains("do not add up"), "{mixed:?}");
}

#[test]
fn the_same_person_of_a_seed_comes_back() {
    let server = Server::start();
    run(async {
        let key = DeviceKey::from_bytes([7; 32]);
        let site = Site::open(server.url()).await.unwrap();
        let first = site.log_in(&key, None).await.unwrap();
        let again = wait_for("another login", || async { site.log_in(&key, None).await.ok() }).await;
        assert_eq!((first.is_new, again.is_new), (true, false));
        assert_eq!(first.account_id, again.account_id);
    });
}
