//! What the zones kept makes everything happen again, and says so if it does not.

use std::time::Duration;

use bots::Site;
use motion::Buttons;
use serde_json::{Value, json};
use tokio::time::interval;
use wire::{ClientMessage, InputBatch};

use crate::crowd::{enter, log_in};
use crate::support::{Account, Server, run, terrane};

/// Somebody runs for some seconds; gives the number of the body and where it was told to be last.
fn somebody_runs(server: &Server) -> (u32, glam::DVec3) {
    run(async {
        let site = Site::open(server.url()).await.unwrap();
        let login = log_in(&site, 1).await.pop().unwrap();
        let mut client = enter(&site, &login).await;
        let (look, hz) = (client.body().facing, client.pace().hz());
        let mut wakes = interval(Duration::from_millis(100));
        let mut left = 30;
        while left > 0 {
            tokio::select! {
                event = client.next() => { event.unwrap(); }
                _ = wakes.tick() => {
                    for _ in 0..hz / 10 {
                        client.step(Buttons::FORWARD.with(Buttons::RUN), look);
                    }
                    client.send_inputs().await.unwrap();
                    left -= 1;
                }
            }
        }
        (client.entity_id(), client.body().position)
    })
}

#[test]
fn what_happened_happens_again_and_on_another_ground_it_does_not() {
    let mut server = Server::start();
    let (body, last) = somebody_runs(&server);
    // Killed, so that nobody tidies up behind the last tick.
    server.kill();
    let body = body.to_string();
    let replayed = server.command(&["zone", "replay", "--json", "--body", &body]);
    assert_eq!(replayed.code, Some(0), "{replayed:?}");
    let report: Value = serde_json::from_str(&replayed.stdout).unwrap();
    assert_eq!(report["equal"], true);
    let hashes: u64 =
        report["stretches"].as_array().unwrap().iter().map(|it| it["hashes"].as_u64().unwrap()).sum();
    assert!(hashes >= 2, "{report}");
    let way = report["body"].as_array().unwrap();
    let ran_m = {
        let place = |at: &Value| {
            let degrees = |name: &str| at[name].as_f64().unwrap();
            cell::LatLng::from_degrees(degrees("lat_deg"), degrees("lng_deg")).unwrap().to_point()
        };
        let (first, end) = (place(way.first().unwrap()), place(way.last().unwrap()));
        // What was told last is at most a second or so newer than what is on the disk.
        assert!(end.distance(last.normalize()) * last.length() < 25.0);
        first.distance(end) * last.length()
    };
    assert!(ran_m > 3.0, "{ran_m} m");

    // A part of it, as a table.
    let to = way[way.len() / 2]["tick"].as_u64().unwrap();
    let part = server.command(&["zone", "replay", "--to", &to.to_string()]);
    assert_eq!(part.code, Some(0), "{part:?}");
    assert!(part.stdout.contains("equal") && part.stdout.contains(" 0 wrong"), "{}", part.stdout);

    // The same on the ground of another planet: it is told, and where.
    let other = tempfile::tempdir().unwrap();
    let (home, kept) = (other.path().to_str().unwrap(), server.data().join("zones"));
    std::fs::create_dir(other.path().join("blobs")).unwrap();
    let planet = other.path().join("blobs/planet.trp");
    let made =
        ["planet", "generate", "--seed", "99", "--raster-level", "6", "--out", planet.to_str().unwrap()];
    assert_eq!(terrane(&made).code, Some(0));
    let wrong = terrane(&["zone", "replay", kept.to_str().unwrap(), "--data", home]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stdout.contains("wrong:"), "{}", wrong.stdout);

    // What is none, and what cannot be asked.
    let none = terrane(&["zone", "replay", planet.to_str().unwrap(), "--data", home]);
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(none.stderr.contains("no journal of zones"), "{}", none.stderr);
    assert_eq!(server.command(&["zone", "replay", "--from", "soon"]).code, Some(2));
}

#[test]
fn staff_are_shown_what_speaks_against_somebody_and_see_the_way_they_went() {
    let mut server = Server::start();
    let (account, staff) = run(async { (Account::new(&server).await, Account::new(&server).await) });
    server.stop();
    let made = server.command(&["account", "role", &staff.id, "admin", "--reason", "the first admin"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    server.start_again();
    let stretch = run(async {
        let (account, staff) = (account.again(&server).await, staff.again(&server).await);
        let path = format!("staff/people/{}/movement", account.id);
        assert_eq!(staff.get(&path).await.unwrap(), json!({ "items": [] }));
        let mut player = account.enter(&server).await;
        let mut first_seq = player.welcome.last_input_seq + 1;
        let mut wakes = interval(Duration::from_millis(100));
        loop {
            wakes.tick().await;
            // Several times as many steps as there is time.
            let inputs = vec![motion::Input::NEUTRAL; wire::INPUT_BATCH_MAX];
            let batch = InputBatch { first_seq, inputs };
            player.send(&ClientMessage::Input(batch)).await;
            first_seq += wire::INPUT_BATCH_MAX as u32;
            let seen = staff.get(&path).await.unwrap();
            if let Some(stretch) = seen["items"].as_array().unwrap().first() {
                assert_eq!(stretch["entity_id"], player.welcome.entity_id);
                break stretch.clone();
            }
        }
    });
    assert_eq!(stretch["offences"][0]["offence"], "too_fast", "{stretch}");
    assert!(stretch["score_max"].as_u64().unwrap() >= 200, "{stretch}");
    server.stop();
    let command: Vec<_> = stretch["replay"].as_str().unwrap().split(' ').skip(1).collect();
    let replayed = server.command(&[&command[..], &["--json"]].concat());
    assert_eq!(replayed.code, Some(0), "{replayed:?}");
    let report: Value = serde_json::from_str(&replayed.stdout).unwrap();
    assert!(report["body"].as_array().unwrap().len() > 1, "{report}");
}
