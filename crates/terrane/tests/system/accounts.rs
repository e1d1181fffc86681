//! Accounts from outside: mail, passwords, sessions, and what the operator does by commands.

use std::future::ready;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Account, Server, run, wait_for};

const GOOD: &str = "correct horse battery staple";
const OTHER: &str = "four wooden boats at dawn";

/// The letters so far, oldest first.
fn letters(server: &Server) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(server.data().join("mail"));
    let mut letters: Vec<PathBuf> = folder.into_iter().flatten().map(|it| it.unwrap().path()).collect();
    letters.sort();
    letters
}

/// The token in the `number`th letter, which may still be on its way.
async fn token_in_letter(server: &Server, number: usize) -> String {
    wait_for("a letter", || ready((letters(server).len() >= number).then_some(()))).await;
    let text = || std::fs::read_to_string(&letters(server)[number - 1]).unwrap();
    // A file exists before it is written to its end.
    wait_for("all of it", || ready(text().ends_with('\n').then_some(()))).await;
    let text = text();
    let link = text.split_whitespace().find(|it| it.contains("/account#")).unwrap();
    link.split_once('=').unwrap().1.to_owned()
}

#[test]
fn a_person_registers_by_mail_and_neither_log_nor_database_says_who() {
    let mut server = Server::start();
    run(async {
        let visitor = Account::new(&server).await;
        let email = "canary-7f31@example.org";
        let ask =
            async |path: &str, body: Value| visitor.ask(Method::POST, path, None, Some(&body)).await.unwrap();
        let registration = json!({"email": email, "password": GOOD, "display_name": "Ann"});
        assert_eq!(ask("auth/register", registration.clone()).await.expect(202), json!({}));
        let token = token_in_letter(&server, 1).await;
        let session = ask("auth/email/confirm", json!({ "token": token })).await.expect(200);
        assert_eq!(session["account"]["display_name"], "Ann");
        // Again, with an address that is known: the same answer, another letter.
        assert_eq!(ask("auth/register", registration).await.expect(202), json!({}));
        let reset = token_in_letter(&server, 2).await;
        let sign_in =
            async |password: &str| ask("auth/password", json!({"email": email, "password": password})).await;
        assert_eq!(sign_in(GOOD).await.expect(200)["account"], without_new(&session["account"]));
        assert_eq!(sign_in(OTHER).await.outcome(), (401, "credentials_refused"));
        let body = json!({"token": reset, "password": OTHER});
        assert_eq!(ask("auth/password/reset", body).await.status, 204);
        assert_eq!(sign_in(OTHER).await.status, 200);
        for _ in 0..5 {
            assert_eq!(sign_in(GOOD).await.outcome(), (401, "credentials_refused"));
        }
        let locked = sign_in(OTHER).await;
        assert_eq!(locked.outcome(), (429, "password_locked"));
        assert!(locked.headers.contains_key("retry-after"));
        visitor.again(&server).await;
    });
    assert_eq!(server.stop(), Some(0));
    let log = server.log();
    assert!(log.contains(".eml"), "the path of a letter stands in the log: {log}");
    assert!(!log.contains("canary-7f31") && !log.contains("correct horse"), "{log}");
    let database = std::fs::read(server.data().join("terrane.db")).unwrap();
    let needle = b"canary-7f31";
    assert!(!database.windows(needle.len()).any(|it| it == needle), "the address stands in the database");
}

fn without_new(account: &Value) -> Value {
    let mut account = account.clone();
    account["is_new"] = json!(false);
    account
}

#[test]
fn an_ended_session_closes_its_socket() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let player = account.enter(&server).await;
        let elsewhere = account.again(&server).await;
        let ended = elsewhere.ask(Method::DELETE, "users/me/sessions", None, None).await.unwrap();
        assert_eq!(ended.expect(200)["ended"], 1);
        let bye = player.expect_bye().await;
        assert_eq!((bye.code.as_str(), bye.may_reconnect), ("session_ended", false));
        let refused = account.ask(Method::GET, "users/me", None, None).await.unwrap();
        assert_eq!(refused.outcome(), (401, "token_invalid"));
    });
}

#[test]
fn the_operator_makes_the_first_admin_and_brings_people() {
    let mut server = Server::start();
    let account = run(Account::new(&server));
    assert_eq!(server.stop(), Some(0));
    for (arguments, code, said) in [
        (["Nobody at all", "admin"], 1, "nobody has this name"),
        ([account.id.as_str(), "emperor"], 2, "there are the roles player, moderator, developer, admin"),
        ([account.display_name.as_str(), "admin"], 0, "was player and is admin now"),
        ([account.id.as_str(), "player"], 1, "this is the last admin"),
    ] {
        let [who, role] = arguments;
        let done = server.command(&["account", "role", who, role, "--reason", "a test"]);
        assert_eq!(done.code, Some(code), "{done:?}");
        assert!(done.stdout.contains(said) || done.stderr.contains(said), "{done:?}");
    }
    // A vector of jBCrypt, cost 10: the password is `a`.
    let hash = "$2a$10$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u";
    let file = server.data().join("people.csv");
    let bring = |text: String| {
        std::fs::write(&file, text).unwrap();
        server.command(&["account", "import", file.to_str().unwrap(), "--json"])
    };
    let head = "email,password_hash,display_name\n";
    let refused = bring(format!("{head}ann@example.org,{hash},Ann\nbob,{hash},Bob\n"));
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("line 3: email must look like"), "{refused:?}");
    for expected in [json!({"brought": 2, "known": 0}), json!({"brought": 0, "known": 2})] {
        let done = bring(format!("{head}ann@example.org,{hash},Ann\nbob@example.org,{hash},Bob\n"));
        let said: Value = serde_json::from_str(done.stdout.trim()).unwrap_or_else(|_| panic!("{done:?}"));
        assert_eq!(said, expected);
    }
    server.start_again();
    run(async {
        let account = account.again(&server).await;
        assert_eq!(account.get("users/me").await.unwrap()["role"], "admin");
        let log = account.get("staff/audit?action=account.role_changed").await.unwrap();
        assert_eq!(log["items"][0]["subject"]["id"], account.id, "{log}");
        let body = json!({"email": "ANN@example.org", "password": "a"});
        let answer = account.ask(Method::POST, "auth/password", None, Some(&body)).await.unwrap();
        assert_eq!(answer.expect(200)["account"]["display_name"], "Ann");
    });
}
