//! Starts that cannot be: each with a sentence that says what to do, and nothing harmed.

use std::fs;

use crate::support::{Finished, Server, terrane};

/// The status and a part of the one line that says why.
#[track_caller]
fn check(finished: &Finished, code: i32, parts: &[&str]) {
    assert_eq!(finished.code, Some(code), "{finished:?}");
    assert!(finished.stderr.starts_with("terrane: "), "{finished:?}");
    assert!(!finished.stdout.contains("Terrane is ready"), "{finished:?}");
    for part in parts {
        assert!(finished.stderr.contains(part), "{part:?} is not in {:?}", finished.stderr);
    }
}

fn serve(data: &str, more: &[&str]) -> Finished {
    let base = ["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off", "--data", data];
    terrane(&[&base, more].concat())
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_made() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port = address.split(':').next_back().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let refused = serve(data.to_str().unwrap(), &["--listen", &address]);
    // clap takes one value for --listen, so the first case names it once only.
    assert_eq!(refused.code, Some(2));
    let refused = terrane(&[
        "serve",
        "--listen",
        &address,
        "--metrics-listen",
        "off",
        "--data",
        data.to_str().unwrap(),
    ]);
    check(&refused, 1, &[&format!("port {port} on 127.0.0.1 is in use"), "--listen"]);
    let refused = terrane(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--metrics-listen",
        &address,
        "--data",
        data.to_str().unwrap(),
    ]);
    check(&refused, 1, &[&format!("port {port} on 127.0.0.1 is in use"), "--metrics-listen"]);
    assert!(!data.exists());
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a_file");
    fs::write(&file, "not a folder").unwrap();
    check(&serve(file.to_str().unwrap(), &[]), 1, &["a_file", "choose another data folder"]);
    // Not even for root.
    check(&serve("/proc/terrane", &[]), 1, &["/proc/terrane", "choose another data folder"]);
}

#[test]
fn a_data_folder_in_use_is_left_alone() {
    let server = Server::start();
    let second = serve(server.data().to_str().unwrap(), &[]);
    check(&second, 1, &["in use by another terrane"]);
    // The first does not notice.
    let alive = server.command(&["db", "status"]);
    check(&alive, 1, &["in use by another terrane"]);
    assert!(std::net::TcpStream::connect(server.host()).is_ok());
}

#[test]
fn a_damaged_database_or_key_is_named_and_not_overwritten() {
    let mut server = Server::start();
    assert_eq!(server.stop(), Some(0));
    let data = server.data();
    let (database, key) = (data.join("terrane.db"), data.join("keys/access_token.jwk"));
    let (whole_database, whole_key) = (fs::read(&database).unwrap(), fs::read(&key).unwrap());

    let garbage = vec![0x5a; 8_192];
    // What a full disk or a broken copy leaves: garbage, half of it.
    for broken in [&garbage[..], &whole_database[..whole_database.len() / 2 / 4096 * 4096 + 100]] {
        fs::write(&database, broken).unwrap();
        let _ = fs::remove_file(data.join("terrane.db-wal"));
        check(&serve(data.to_str().unwrap(), &[]), 1, &["terrane.db"]);
        assert_eq!(fs::read(&database).unwrap(), broken);
    }
    fs::write(&database, &whole_database).unwrap();

    fs::write(&key, &whole_key[..whole_key.len() / 2]).unwrap();
    check(&serve(data.to_str().unwrap(), &[]), 1, &["access_token.jwk", "restore it from a backup"]);
    fs::write(&key, &whole_key).unwrap();
    server.start_again();
}

#[test]
fn a_planet_is_not_started_as_another() {
    let mut server = Server::start_with(&["--seed", "42"]);
    assert!(server.lines().iter().any(|line| line.contains("seed 42")), "{:?}", server.lines());
    assert_eq!(server.stop(), Some(0));
    let data = server.data();
    let refused = serve(data.to_str().unwrap(), &["--seed", "43"]);
    check(&refused, 1, &["planet of seed 42", "seed 43 is asked for", "leave planet.seed out"]);
    let same = server.command(&["db", "status"]);
    assert_eq!(same.code, Some(0), "{same:?}");
    server.start_again();
}

#[test]
fn unknown_keys_and_bad_values_are_all_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("terrane.toml");
    fs::write(&file, "[http]\nlisen = '127.0.0.1:1'\n[planet]\nshift = 99\n").unwrap();
    let file = file.to_str().unwrap();
    for command in ["serve", "config check"] {
        let arguments: Vec<&str> = command.split(' ').chain(["--config", file]).collect();
        let refused = terrane(&arguments);
        check(&refused, 2, &["unknown key \"http.lisen\"", "planet.shift must be 0 to 9"]);
    }
    check(
        &terrane(&["config", "check", "--config", "/nowhere.toml"]),
        2,
        &["/nowhere.toml", "cannot be read"],
    );
}

#[test]
fn the_first_start_says_what_it_makes_and_the_next_what_it_opens() {
    let mut server = Server::start();
    let first = server.lines().join("\n");
    assert!(first.contains("A new planet") && first.contains("migrations applied"), "{first}");
    assert_eq!(server.stop(), Some(0));
    server.start_again();
    let next = server.lines().join("\n");
    assert!(!next.contains("A new planet") && next.contains("up to date"), "{next}");
}
