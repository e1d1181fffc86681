//! `kill -9` while people walk: where they were a second ago at most, in the same bodies, and not a coin is missing.

use std::time::{Duration, Instant};

use bots::{Client, ConnectOptions, Event, Login, Site};
use glam::DVec3;
use motion::Buttons;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::claims::free_lots;
use crate::crowd::{enter, log_in};
use crate::support::{Account, DEADLINE, Server, run_at_most};

const PEOPLE: usize = 8;
/// How old a place may be.
const AGE_MAX: Duration = Duration::from_secs(1);
/// Longer than that, and than the first snapshot takes.
const WALK_TIME: Duration = Duration::from_secs(4);

/// Where one was, by one's own frames, until the connection broke.
struct Walked {
    login: Login,
    resume_token: [u8; wire::RESUME_TOKEN_BYTES],
    path: Vec<(Instant, DVec3)>,
}

async fn walk(mut client: Client, login: Login) -> Walked {
    let resume_token = client.resume_token();
    let look = client.body().facing;
    let hz = client.pace().hz();
    let mut path = vec![];
    let mut wakes = interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            event = client.next() => match event {
                Ok(Event::Frame { .. }) => path.push((Instant::now(), client.body().position)),
                Ok(_) => {}
                Err(_) => return Walked { login, resume_token, path },
            },
            _ = wakes.tick() => {
                for _ in 0..hz / 10 {
                    client.step(Buttons::FORWARD.with(Buttons::RUN), look);
                }
                // It fails when the server dies; then so does reading.
                let _ = client.send_inputs().await;
            }
        }
    }
}

#[test]
fn after_kill_9_everybody_is_where_they_were_a_second_ago_and_no_coin_is_missing() {
    let mut server = Server::start();
    let (owner, lot, coins, walked, killed_at) = run_at_most(4 * DEADLINE, async {
        let owner = Account::new(&server).await;
        let present = owner.enter(&server).await;
        let lot = free_lots(&owner, 1).await.remove(0);
        owner.claim(&lot, "the-only-one").await.unwrap();
        let coins = owner.coins().await;

        let site = Site::open(server.url()).await.unwrap();
        let mut walking = JoinSet::new();
        for login in log_in(&site, PEOPLE).await {
            walking.spawn(walk(enter(&site, &login).await, login));
        }
        // This is the time over which places age, not a wait for luck.
        tokio::time::sleep(WALK_TIME).await;
        server.kill();
        let killed_at = Instant::now();
        drop(present);
        (owner, lot, coins, walking.join_all().await, killed_at)
    });
    server.start_again();
    run_at_most(4 * DEADLINE, async {
        let site = Site::open(server.url()).await.unwrap();
        for Walked { login, resume_token, path } in walked {
            let options = ConnectOptions { resume_token: Some(resume_token), arrive_at: None };
            let client = Client::connect(&site, &login, options).await.unwrap();
            let restored = client.body().position;
            // They run straight on, so a place is as old as it is near to the start. The server may have been ahead of
            // what had come to them.
            let first = path[0].1;
            let ways = path.iter().map(|(at, place)| (*at, first.distance(*place)));
            let is_old = |at: &Instant| killed_at.saturating_duration_since(*at) > AGE_MAX;
            let least_m = ways.clone().filter(|(at, _)| is_old(at)).map(|it| it.1).fold(0.0, f64::max);
            let most_m = ways.map(|it| it.1).fold(0.0, f64::max) + 2.0 * motion::RUN_M_S;
            let way_m = first.distance(restored);
            assert!(
                (least_m - 1.0..=most_m).contains(&way_m),
                "{way_m} m from the start, expected {least_m} to {most_m} m"
            );
        }
        let owner = owner.again(&server).await;
        assert_eq!(owner.coins().await, coins);
        let shown = owner.get(&format!("lands/{lot}")).await.unwrap();
        assert_eq!(shown["owner"]["account_id"], owner.id);
    });
    assert_eq!(server.stop(), Some(0));
    let books = server.command(&["ledger", "verify", "--json"]);
    assert_eq!(books.code, Some(0), "{books:?}");
}
