//! The first start makes the planet: who asks meanwhile is told, whoever kills it meanwhile loses nothing, and no file
//! but the right one is ever taken for the planet.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Finished, Server, run, terrane};

/// Where a planet's artifact is.
fn artifact_of(server: &Server) -> PathBuf {
    server.data().join("blobs/planet.trp")
}

async fn planet_hash(server: &Server) -> String {
    let planet: Value =
        reqwest::get(format!("{}/api/v1/planet", server.url())).await.unwrap().json().await.unwrap();
    planet["planet_hash"].as_str().unwrap().to_owned()
}

/// A start that fails, with a sentence that says what to do.
#[track_caller]
fn check_refused(server: &Server, parts: &[&str]) -> Finished {
    let refused = server.command(&["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(!refused.stdout.contains("Terrane is ready"), "{refused:?}");
    for part in parts {
        assert!(refused.stderr.contains(part), "{part:?} is not in {:?}", refused.stderr);
    }
    refused
}

#[test]
fn while_the_planet_is_made_people_see_how_far_it_is() {
    // Fine enough to be seen being made.
    let mut server = Server::begin_with_level(7);
    let url = server.url().to_owned();
    run(async {
        let get = async |path: &str, accept: &str| {
            let request = reqwest::Client::new().get(format!("{url}{path}")).header("accept", accept);
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let (status, page) = get("/", "text/html").await;
        assert_eq!(status, 200);
        assert!(page.contains("<progress") && page.contains("being made"), "{page}");
        let (status, progress) = get("/api/v1/planet/progress", "*/*").await;
        let progress: Value = serde_json::from_str(&progress).unwrap();
        assert_eq!((status, &progress["state"]), (200, &"preparing".into()));
        assert!(progress["percent"].as_u64().is_some_and(|percent| percent <= 100), "{progress}");
        for path in ["/api/v1/planet", "/health/ready", "/api/v1/lands"] {
            let (status, problem) = get(path, "*/*").await;
            let problem: Value = serde_json::from_str(&problem).unwrap();
            assert_eq!((status, &problem["code"]), (503, &"preparing".into()), "{path}");
        }
        assert_eq!(get("/health/live", "*/*").await.0, 200);
    });
    server.wait_until_ready();
    run(async {
        let progress = reqwest::get(format!("{url}/api/v1/planet/progress")).await.unwrap();
        let progress: Value = progress.json().await.unwrap();
        assert_eq!((&progress["state"], &progress["percent"]), (&"ready".into(), &100.into()));
        assert_eq!(planet_hash(&server).await.len(), 64);
    });
}

#[test]
fn a_start_can_be_ended_while_the_planet_is_made() {
    let mut server = Server::begin_with_level(7);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_kill_at_any_moment_of_the_making_leaves_nothing_half() {
    let mut server = Server::begin_with_level(7);
    let mut kills = 0;
    // Later and later, until one start is through before it is killed.
    for after_ms in (0..).map(|kill| 20 * kill * kill) {
        std::thread::sleep(std::time::Duration::from_millis(after_ms));
        let was_ready = server.kill_unless_ready();
        if was_ready {
            break;
        }
        kills += 1;
        let artifact = artifact_of(&server);
        if artifact.exists() {
            let hash = terrane(&["planet", "hash", artifact.to_str().unwrap()]);
            assert_eq!(hash.code, Some(0), "after {after_ms} ms: {hash:?}");
        }
        server.begin_again();
    }
    assert!(kills > 1, "{kills} kills");
    let hash = run(planet_hash(&server));
    let blobs = server.data().join("blobs");
    let leftovers: Vec<_> = fs::read_dir(blobs)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "planet.trp" && name != ".lock")
        .collect();
    assert_eq!(leftovers, [""; 0]);
    assert_eq!(server.stop(), Some(0));
    server.start_again();
    assert_eq!(run(planet_hash(&server)), hash);
}

#[test]
fn a_damaged_artifact_is_noticed_and_made_anew() {
    let mut server = Server::start();
    let hash = run(planet_hash(&server));
    assert_eq!(server.stop(), Some(0));
    let artifact = artifact_of(&server);
    let whole = fs::read(&artifact).unwrap();

    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    for damaged in [&whole[..whole.len() - 1], &whole[..100], &flipped, b"", b"not a planet"] {
        fs::write(&artifact, damaged).unwrap();
        server.start_again();
        let said = server.lines().join("\n");
        assert!(said.contains("damaged and made anew"), "{said}");
        assert_eq!(run(planet_hash(&server)), hash);
        assert_eq!(fs::read(&artifact).unwrap(), whole);
        assert_eq!(server.stop(), Some(0));
    }
    fs::remove_file(&artifact).unwrap();
    server.start_again();
    assert_eq!(fs::read(&artifact).unwrap(), whole);
    assert_eq!(run(planet_hash(&server)), hash);
}

#[test]
fn another_planets_file_is_refused_and_left_alone() {
    let mut server = Server::start();
    assert_eq!(server.stop(), Some(0));
    let artifact = artifact_of(&server);
    let other = terrane_out(&["planet", "generate", "--seed", "2", "--raster-level", "6"], "other.trp");
    fs::write(&artifact, &other).unwrap();
    check_refused(&server, &["planet.trp is refused", "this data belongs to planet", "remove this one"]);
    assert_eq!(fs::read(&artifact).unwrap(), other);
    fs::remove_file(&artifact).unwrap();
    server.start_again();
}

#[test]
fn a_planet_that_comes_out_otherwise_is_an_error_and_not_taken() {
    let mut server = Server::start();
    assert_eq!(server.stop(), Some(0));
    let artifact = artifact_of(&server);
    fs::remove_file(&artifact).unwrap();
    // As if another build had made it.
    let database = rusqlite::Connection::open(server.data().join("terrane.db")).unwrap();
    let other = "0".repeat(64);
    assert_eq!(database.execute("update planet set planet_hash = ?1", [&other]).unwrap(), 1);
    check_refused(&server, &["the planet that was made has the hash", &other, "from a backup"]);
    assert!(!artifact.exists());
}

#[test]
fn a_planet_of_an_older_generator_is_refused_with_what_to_do() {
    let mut server = Server::start();
    assert_eq!(server.stop(), Some(0));
    let database = rusqlite::Connection::open(server.data().join("terrane.db")).unwrap();
    database.execute("update planet set generator_version = 1", []).unwrap();
    check_refused(
        &server,
        &["a planet of generator 1", "start the terrane it was made with, or choose another data folder"],
    );
}

#[test]
fn a_planet_that_was_brought_is_the_one_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = folder.path().join("data/blobs");
    fs::create_dir_all(&blobs).unwrap();
    let brought = terrane_out(
        &["planet", "generate", "--seed", "77", "--shift", "5", "--raster-level", "6"],
        "brought.trp",
    );
    fs::write(blobs.join("planet.trp"), &brought[..1_000]).unwrap();
    let mut server = Server::in_folder(folder);
    check_refused(&server, &["planet.trp cannot be used", "put the right file there, or remove it"]);
    fs::write(blobs.join("planet.trp"), &brought).unwrap();
    server.start_again();
    run(async {
        let planet: Value =
            reqwest::get(format!("{}/api/v1/planet", server.url())).await.unwrap().json().await.unwrap();
        assert_eq!((&planet["seed"], &planet["shift"]), (&"77".into(), &5.into()));
        let fetched = reqwest::get(format!(
            "{}/api/v1/planet/{}/artifact",
            server.url(),
            planet["planet_hash"].as_str().unwrap()
        ));
        assert!(fetched.await.unwrap().bytes().await.unwrap() == brought[..], "served as it was brought");
    });
}

/// The bytes that a command writes to its `--out`.
#[track_caller]
fn terrane_out(arguments: &[&str], name: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join(name);
    let finished = terrane(&[arguments, &["--out", out.to_str().unwrap()]].concat());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    fs::read(out).unwrap()
}
