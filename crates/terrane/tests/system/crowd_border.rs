//! People run to and fro over the borders of zones: for those who look on there are none.

use std::collections::BTreeSet;
use std::time::Duration;

use bots::{Client, ConnectOptions, Event, Login, Site};
use cell::{LatLng, TangentFrame};
use glam::DVec3;
use motion::Buttons;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::crowd::log_in;
use crate::support::{DEADLINE, Server, run_at_most, wait_at_most};

/// Directions of the ways, east and north; on each two people meet.
const WAYS: [(f64, f64); 7] =
    [(1.0, 0.0), (0.0, 1.0), (0.6, 0.8), (0.8, 0.6), (0.8, -0.6), (0.6, -0.8), (-0.28, 0.96)];
const PEOPLE: usize = 2 * WAYS.len();
/// Half of the way to and fro: over the middle of the place and a cell to each side, but always in view of everybody.
const HALF_WAY_M: f64 = 65.0;
const HANDOVERS_MIN: f64 = 20.0;
const PATIENCE: Duration = Duration::from_mins(1);

/// What somebody saw who ran to and fro.
struct Run {
    entity_id: u32,
    frames: usize,
    /// Frames in which somebody was missing who had been in view before and was not far away.
    missing: Vec<(u32, u32)>,
    corrections: usize,
    restarts: usize,
    ways: usize,
}

/// Runs between two places until told to stop.
async fn cross(mut client: Client, mut places: [DVec3; 2], mut stop: watch::Receiver<bool>) -> Run {
    let mut run = Run {
        entity_id: client.entity_id(),
        frames: 0,
        missing: vec![],
        corrections: 0,
        restarts: 0,
        ways: 0,
    };
    let mut known = BTreeSet::new();
    let hz = client.pace().hz();
    let mut wakes = interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            event = client.next() => match event.expect("nobody loses the connection") {
                Event::Frame { tick, correction_m, is_restart, .. } => {
                    run.restarts += usize::from(is_restart && run.frames > 0);
                    run.frames += 1;
                    run.corrections += usize::from(correction_m > 0.01);
                    let seen: BTreeSet<u32> = client.view().bodies().map(|body| body.entity_id).collect();
                    run.missing.extend(known.difference(&seen).map(|entity_id| (tick, *entity_id)));
                    known.extend(seen);
                }
                Event::Bye(bye) => panic!("{bye:?}"),
                _ => {}
            },
            _ = wakes.tick() => {
                let at = client.body().position;
                if at.distance(places[1] * at.length()) < 5.0 {
                    places.swap(0, 1);
                    run.ways += 1;
                }
                let look = places[1] * at.length() - at;
                for _ in 0..hz / 10 {
                    client.step(Buttons::FORWARD.with(Buttons::RUN), look);
                }
                client.send_inputs().await.expect("nobody loses the connection");
            }
            // It is said once.
            _ = stop.changed() => return run,
        }
    }
}

#[test]
fn nobody_sees_a_border_of_zones_however_often_it_is_crossed() {
    let server = Server::start_configured("[zone]\nzones_min = 6\nthreads = 2\n");
    run_at_most(6 * DEADLINE, async {
        let site = Site::open(server.url()).await.unwrap();
        let centre = site.planet().arrival().ground;
        let (ways, far) = (TangentFrame::at(centre), HALF_WAY_M / site.planet().radius_m());
        let logins = log_in(&site, PEOPLE).await;
        let (stop, stopped) = watch::channel(false);
        let mut running = JoinSet::new();
        let enter = async |login: &Login, place: DVec3| {
            let options = ConnectOptions { arrive_at: Some(LatLng::from_point(place)), resume_token: None };
            Client::connect(&site, login, options).await.unwrap()
        };
        // All directions of the wind, so that some way leads over whatever border lies here.
        let mut clients = vec![];
        for (number, login) in logins.iter().enumerate() {
            let (east, north) = WAYS[number % WAYS.len()];
            let aside = (ways.east * east + ways.north * north) * far;
            let mut places = [(centre + aside).normalize(), (centre - aside).normalize()];
            if number >= WAYS.len() {
                places.swap(0, 1);
            }
            clients.push((enter(login, places[0]).await, places));
        }
        // They begin when all are there: from then on nobody comes into view or goes.
        for (client, places) in clients {
            running.spawn(cross(client, places, stopped.clone()));
        }
        let crossed = wait_at_most(PATIENCE, "bodies handed over between zones", || async {
            let count = server.metric("terrane_zone_handovers_total").await?;
            (count >= HANDOVERS_MIN).then_some(count)
        });
        crossed.await;
        assert!(server.metric("terrane_zones").await.unwrap() >= 2.0);
        stop.send_replace(true);
        let runs = running.join_all().await;
        let bodies: BTreeSet<u32> = runs.iter().map(|run| run.entity_id).collect();
        assert_eq!(bodies.len(), PEOPLE, "everybody has a body of their own to the end");
        for run in runs {
            assert!(
                run.missing.is_empty(),
                "body {} did not see (tick, body) {:?}",
                run.entity_id,
                run.missing
            );
            assert_eq!(
                (run.corrections, run.restarts),
                (0, 0),
                "body {} of {} frames",
                run.entity_id,
                run.frames
            );
        }
    });
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
