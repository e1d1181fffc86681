//! A zone that panics is made again from what was noted: nobody loses a connection, a body or a step.

use bots::{Client, Event, Site};
use motion::Buttons;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::crowd::{enter, log_in};
use crate::support::{DEADLINE, Server, run_at_most, wait_for};

const PEOPLE: usize = 10;
/// The way of a step and a bit: where one is after the panic differs by no more from where one should be.
const STEP_M: f64 = 0.3;

/// Walks until told to stop; the farthest correction, and how many frames came after the panic.
async fn walk(
    mut client: Client,
    mut panicked: watch::Receiver<bool>,
    mut stop: watch::Receiver<bool>,
) -> (f64, usize) {
    let (mut farthest_m, mut frames_after) = (0.0_f64, 0);
    let entity_id = client.entity_id();
    let look = client.body().facing;
    let hz = client.pace().hz();
    let mut wakes = interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            event = client.next() => match event.expect("nobody loses the connection") {
                Event::Frame { correction_m, .. } => {
                    farthest_m = farthest_m.max(correction_m);
                    frames_after += usize::from(*panicked.borrow_and_update());
                    assert_eq!(client.entity_id(), entity_id);
                }
                Event::Bye(bye) => panic!("{bye:?}"),
                _ => {}
            },
            _ = wakes.tick() => {
                for _ in 0..hz / 10 {
                    client.step(Buttons::FORWARD, look);
                }
                client.send_inputs().await.expect("nobody loses the connection");
            }
            // It is said once.
            _ = stop.changed() => return (farthest_m, frames_after),
        }
    }
}

#[test]
fn when_a_zone_panics_everybody_walks_on_from_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let door = folder.path().join("panic");
    let environment = [("TERRANE_TEST_ZONE_PANIC_FILE", door.to_str().unwrap())];
    let server = Server::start_in("[zone]\nzones_min = 3\n", &environment);
    run_at_most(4 * DEADLINE, async {
        let site = Site::open(server.url()).await.unwrap();
        let ((panicked, has_panicked), (stop, stopped)) = (watch::channel(false), watch::channel(false));
        let mut walking = JoinSet::new();
        for login in log_in(&site, PEOPLE).await {
            walking.spawn(walk(enter(&site, &login).await, has_panicked.clone(), stopped.clone()));
        }
        std::fs::write(&door, "now").unwrap();
        let recovered = wait_for("a zone that is made again", || async {
            (server.metric("terrane_zone_recoveries_total").await? >= 1.0).then_some(())
        });
        recovered.await;
        panicked.send_replace(true);
        // Somebody new comes into the world as it is now, and sees everybody.
        let login = log_in(&site, 1).await.remove(0);
        let mut newcomer = enter(&site, &login).await;
        let looking = async {
            while newcomer.view().body_count() < PEOPLE + 1 {
                newcomer.next().await.unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, looking).await.expect("a newcomer sees everybody");
        // And the world goes on: a second of it.
        let mut frames = 0;
        while frames < 10 {
            frames += usize::from(matches!(newcomer.next().await.unwrap(), Event::Frame { .. }));
        }
        stop.send_replace(true);
        for (farthest_m, frames_after) in walking.join_all().await {
            assert!(farthest_m < STEP_M, "set back by {farthest_m} m");
            assert!(frames_after > 0);
        }
    });
}
