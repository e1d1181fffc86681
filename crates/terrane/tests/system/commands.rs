//! Commands beside `serve`.

use crate::support::{Account, Server, run, terrane};

#[test]
fn the_template_is_a_configuration_that_passes_the_check() {
    let template = terrane(&["config", "template"]);
    assert_eq!(template.code, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("terrane.toml");
    std::fs::write(&file, &template.stdout).unwrap();
    let checked = terrane(&["config", "check", "--config", file.to_str().unwrap()]);
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_misused_command_ends_with_2_and_help_with_0() {
    for misused in [
        &["fly"][..],
        &["serve", "--role", "disk"],
        &["serve", "--listen", "here"],
        &["planet", "hash", "--shift", "40"],
        &[],
    ] {
        let finished = terrane(misused);
        assert_eq!(finished.code, Some(2), "{misused:?}");
        assert!(!finished.stderr.is_empty());
    }
    let help = terrane(&["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("terrane serve") && help.stdout.contains("Exit status"), "{}", help.stdout);
    assert!(terrane(&["--version"]).stdout.starts_with("terrane 0."));
}

#[test]
fn migrations_are_shown_and_applied() {
    let mut server = Server::start();
    assert_eq!(server.stop(), Some(0));
    let status = server.command(&["db", "status"]);
    assert_eq!(status.code, Some(0));
    assert!(status.stdout.lines().count() >= 6 && !status.stdout.contains("waiting"), "{}", status.stdout);
    assert!(server.command(&["db", "migrate"]).stdout.contains("up to date"));
}

#[test]
fn the_books_can_be_checked_while_people_play() {
    let server = Server::start();
    run(Account::new(&server));
    let books = server.command(&["ledger", "verify", "--json"]);
    assert_eq!(books.code, Some(0), "{books:?}");
    let report: serde_json::Value = serde_json::from_str(&books.stdout).unwrap();
    assert_eq!((&report["sound"], &report["postings"]), (&true.into(), &1.into()), "{report}");
    // A slip in the path is said, and makes no planet.
    let nothing = terrane(&["ledger", "verify", "--data", "elsewhere"]);
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.stderr.contains("there is no database at elsewhere"), "{nothing:?}");
}

#[test]
fn bots_report_what_they_saw() {
    let server = Server::start();
    let url = server.url();
    let bots = terrane(&["bots", "--url", url, "--count", "5", "--seconds", "2", "--json"]);
    assert_eq!(bots.code, Some(0), "{bots:?}\n{}", server.log());
    let report: serde_json::Value = serde_json::from_str(&bots.stdout).unwrap();
    assert_eq!(report["connected"], 5, "{report}");
    // Nobody there: a sentence and status 1.
    let nobody = terrane(&["bots", "--url", "http://127.0.0.1:1", "--count", "1", "--seconds", "1"]);
    assert_eq!(nobody.code, Some(1));
    assert!(!nobody.stderr.is_empty());
}
