//! Somebody who has written one rare word wherever words can be written is forgotten, and the word is nowhere.
//!
//! The server runs at its most talkative, so that the same search shows what it logs of people.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use store::testing::TestDatabase;
use store::{Store, StoreConfig, params};

use crate::claims::free_lots;
use crate::support::{Account, Player, Server, run_at_most, wait_at_most, wait_for};

/// In everything that the person writes, and in nothing else.
const WORD: &str = "kqvxtzb";
const EMAIL: &str = "kqvxtzb@mail.example.org";
const PASSWORD: &str = "kqvxtzb walks 7 long miles";
/// Making a planet, some dozens of requests, two looks at an erasure.
const TIME_MAX: Duration = Duration::from_secs(150);

fn settings(database_url: Option<&str>) -> String {
    let database = database_url.map(|url| format!("[database]\nurl = '{url}'\n")).unwrap_or_default();
    format!("[privacy]\ncooling_off_days = 0\n[log]\nfilter = 'trace'\nformat = 'json'\n{database}")
}

/// What the person was given that nobody else may have.
#[derive(Default)]
struct Secrets {
    all: Vec<String>,
}

impl Secrets {
    fn keep(&mut self, value: &Value) -> String {
        let text = value.as_str().expect("a secret").to_owned();
        self.all.push(text.clone());
        text
    }
}

async fn ask(account: &Account, method: Method, path: &str, body: Value) -> Value {
    let answer = account.decide(method, path, body).await;
    assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.body);
    answer.body
}

/// Ann upgrades to e-mail and password, signs in by them from a browser with a telling name, and makes mistakes.
async fn sign_in_by_mail(server: &Server, ann: &Account, secrets: &mut Secrets) -> Account {
    ask(ann, Method::PUT, "users/me/email", json!({ "email": EMAIL, "password": PASSWORD })).await;
    let folder = server.data().join("mail");
    let token = wait_for("the letter", || async {
        let letters = std::fs::read_dir(&folder).ok()?;
        let mut text = letters.filter_map(|it| std::fs::read_to_string(it.ok()?.path()).ok());
        text.find_map(|it| {
            // Lines of a letter may be folded.
            let whole = it.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
            let (_, after) = whole.split_once("#confirm=")?;
            let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
            Some(after[..end.unwrap_or(after.len())].to_owned())
        })
    })
    .await;
    secrets.all.push(token.clone());
    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}/api/v1/{path}", server.url());
    let post = async |path: &str, body: Value| {
        let request = http.post(url(path)).header("user-agent", format!("{WORD} browser/7")).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let (status, body) = post("auth/email/confirm", json!({ "token": token })).await;
    assert_eq!(status, 200, "{body}");
    secrets.keep(&body["refresh_token"]);
    for wrong in ["kqvxtzb wrong password", "kqvxtzb also a wrong one"] {
        let (status, _) = post("auth/password", json!({ "email": EMAIL, "password": wrong })).await;
        assert_eq!(status, 401);
    }
    let (status, _) = post("auth/email/confirm", json!({ "token": "kqvxtzbkqvxtzb" })).await;
    assert!(status >= 400);
    let (status, _) = post("auth/password", json!({ "email": EMAIL, "password": 7, WORD: WORD })).await;
    assert!(status >= 400);
    let (status, body) = post("auth/password", json!({ "email": EMAIL, "password": PASSWORD })).await;
    assert_eq!(status, 200, "{body}");
    let mut signed_in = ann.clone();
    signed_in.access_token = secrets.keep(&body["access_token"]);
    signed_in.refresh_token = secrets.keep(&body["refresh_token"]);
    let (status, body) = post("auth/refresh", json!({ "refresh_token": signed_in.refresh_token })).await;
    assert_eq!(status, 200, "{body}");
    signed_in.access_token = secrets.keep(&body["access_token"]);
    secrets.keep(&body["refresh_token"]);
    signed_in
}

/// The word in every place that takes words, and something under way of every kind that can be ended.
async fn live(ann: &Account, bob: &Account, secrets: &mut Secrets) -> Vec<String> {
    ask(ann, Method::PATCH, "users/me", json!({ "display_name": format!("{WORD} the first") })).await;
    let lots = free_lots(ann, 4).await;
    for lot in &lots[..3] {
        ann.claim(lot, &format!("claim-{lot}")).await.unwrap();
    }
    bob.claim(&lots[3], "bobs").await.unwrap();
    let words = json!({ "name": format!("{WORD} meadow"), "description": format!("where {WORD} walks") });
    ask(ann, Method::PATCH, &format!("lands/{}", lots[0]), words).await;
    let listing = json!({ "parcel": lots[0], "currency": "coin", "price_minor": 9_000 });
    ask(ann, Method::POST, "marketplace/listings", listing).await;
    ask(ann, Method::POST, &format!("lands/{}/gift", lots[1]), json!({ "to_id": bob.id })).await;
    let offer = json!({
        "parcel": lots[3], "currency": "coin", "price_minor": 500, "message": format!("{WORD} would like it"),
    });
    ask(ann, Method::POST, "marketplace/offers", offer).await;
    let offer = json!({ "parcel": lots[2], "currency": "coin", "price_minor": 500 });
    ask(bob, Method::POST, "marketplace/offers", offer).await;
    ask(ann, Method::PUT, &format!("marketplace/watch/{}", lots[3]), Value::Null).await;
    let transfer = json!({
        "to_account_id": bob.id, "currency": "coin", "amount_minor": 150, "message": format!("from {WORD}"),
    });
    ask(ann, Method::POST, "wallet/transfers", transfer).await;
    let group = ask(ann, Method::POST, "groups", json!({ "name": format!("{WORD} and nobody") })).await;
    assert!(group["group_id"].is_string());
    let shared = ask(ann, Method::POST, "groups", json!({ "name": "Two of us" })).await;
    let members = format!("groups/{}/members/{}", shared["group_id"].as_str().unwrap(), bob.id);
    ask(ann, Method::PUT, &members, json!({ "role": "member" })).await;
    ask(bob, Method::PUT, &members, json!({ "role": "member" })).await;
    let hook = json!({
        "url": format!("https://hooks.example.org/{WORD}"), "description": format!("{WORD} hook"), "kinds": ["*"],
    });
    let hook = ask(ann, Method::POST, "webhooks", hook).await;
    secrets.keep(&hook["secret"]);
    let key = json!({ "name": format!("{WORD} robot"), "scopes": ["read"], "expires_in_days": 30 });
    let key = ask(ann, Method::POST, "users/me/api-keys", key).await;
    secrets.keep(&key["secret"]);
    // Mistakes are logged, what was mistaken is not.
    for (path, body) in [
        ("wallet/transfers", json!({ "to_account_id": bob.id, "currency": WORD, "amount_minor": 1 })),
        ("groups", json!({ "name": format!("{WORD}\u{202e}") })),
        ("marketplace/offers", json!({ "parcel": WORD, "currency": "coin", "price_minor": 1 })),
    ] {
        assert!(ann.decide(Method::POST, path, body).await.status >= 400, "{path}");
    }
    let _ = ann.get(&format!("lands/{WORD}?{WORD}=1")).await.unwrap_err();
    lots
}

/// The archive of everything about Ann, once it is there.
async fn export(server: &Server, ann: &Account) -> Vec<u8> {
    let asked = ask(ann, Method::POST, "users/me/exports", Value::Null).await;
    let id = asked["export_id"].as_str().unwrap().to_owned();
    wait_for("the archive", || async {
        let list = ann.get("users/me/exports").await.unwrap();
        let found =
            list["items"].as_array().unwrap().iter().find(|it| it["export_id"] == id.as_str())?.clone();
        assert_ne!(found["state"], "failed", "{found}");
        (found["state"] == "ready").then_some(())
    })
    .await;
    let request = reqwest::Client::new()
        .get(format!("{}/api/v1/users/me/exports/{id}/file", server.url()))
        .bearer_auth(&ann.access_token);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/zip");
    answer.bytes().await.unwrap().to_vec()
}

/// Everything that was planted is in the archive, and nothing of Bob but his id.
fn assert_archive_is_complete(zip: Vec<u8>, bob: &Account) {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let mut all = String::new();
    let manifest: Value = serde_json::from_reader(archive.by_name("manifest.json").unwrap()).unwrap();
    for entry in manifest["files"].as_array().unwrap() {
        let mut file = archive.by_name(entry["path"].as_str().unwrap()).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut file, &mut text).unwrap();
        let hash = <sha2::Sha256 as sha2::Digest>::digest(text.as_bytes());
        let hash = in_hex(&hash);
        assert_eq!(entry["sha256"], hash.as_str(), "{entry}");
        if let Some(rows) = entry["rows"].as_u64() {
            assert_eq!(text.lines().count() as u64, rows, "{entry}");
            assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
        }
        all.push_str(&text);
    }
    for planted in [
        EMAIL,
        "kqvxtzb the first",
        "kqvxtzb meadow",
        "where kqvxtzb walks",
        "kqvxtzb would like it",
        "from kqvxtzb",
        "kqvxtzb and nobody",
        "https://hooks.example.org/kqvxtzb",
        "kqvxtzb hook",
        "kqvxtzb robot",
        "kqvxtzb browser/7",
        "kqvxtzb is polite",
        "kqvxtzb was loud",
    ] {
        assert!(all.contains(planted), "{planted:?} is not in the archive");
    }
    assert!(!all.contains(&bob.display_name), "other people have no name in it");
    assert!(!all.contains(PASSWORD));
}

fn in_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Every file below a folder in which the word stands, but for letters, which have been sent.
fn files_with(word: &[u8], folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("mail") {
                files_with(word, &path, found);
            }
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(word.len()).any(|it| it == word)
        {
            found.push(path.display().to_string());
        }
    }
}

/// Waits until the erasure is recorded as done.
async fn wait_until_erased(config: StoreConfig, account_id: &str) {
    let store = Store::open_read_only(config).await.unwrap();
    let id: uuid::Uuid = account_id.parse().unwrap();
    wait_at_most(Duration::from_mins(1), "the end of the erasure", || async {
        let sql = "select count(*) from erasures where account_id = $1 and state = 'done'";
        let done = store.read(move |tx| tx.query_one(sql, params![id])?.get::<i64>(0)).await.unwrap();
        (done == 1).then_some(())
    })
    .await;
    store.close().await;
}

/// How many names hold the word.
async fn words_in_the_database(config: &StoreConfig) -> i64 {
    let store = Store::open_read_only(config.clone()).await.unwrap();
    let sql = "select count(*) from accounts where display_name like $1";
    let like = format!("%{WORD}%");
    let count = store.read(move |tx| tx.query_one(sql, params![&like])?.get::<i64>(0)).await.unwrap();
    store.close().await;
    count
}

/// Makes somebody staff, as an operator does.
async fn make_admin(config: &StoreConfig, account: &Account) {
    let store = Store::open(config.clone()).await.unwrap();
    let id: uuid::Uuid = account.id.parse().unwrap();
    let sql = "update accounts set role = 'admin' where account_id = $1";
    assert_eq!(store.locked(move |tx| tx.execute(sql, params![id])).await, Ok(1));
    store.close().await;
}

async fn enter_all(server: &Server, people: &[&Account]) -> Vec<Player> {
    let mut present = Vec::new();
    for account in people {
        present.push(account.enter(server).await);
    }
    present
}

/// The whole story; what it leaves in the data folder and the log is for the caller to search.
fn tell(server: &mut Server, config: &StoreConfig) -> Secrets {
    let mut secrets = Secrets::default();
    let (ann, bob, staff) = run_at_most(TIME_MAX, async {
        (Account::new(server).await, Account::new(server).await, Account::new(server).await)
    });
    assert_eq!(server.stop(), Some(0));
    run_at_most(TIME_MAX, make_admin(config, &staff));
    server.start_again();
    run_at_most(TIME_MAX, async {
        let (ann, bob, staff) = (ann.again(server).await, bob.again(server).await, staff.again(server).await);
        secrets.all.extend([ann.access_token.clone(), ann.refresh_token.clone()]);
        let present = enter_all(server, &[&ann, &bob]).await;
        let lots = live(&ann, &bob, &mut secrets).await;
        let person = format!("staff/people/{}", ann.id);
        let reason = json!({ "until": "2030-01-01T00:00:00Z", "reason": format!("{WORD} was loud") });
        ask(&staff, Method::POST, &format!("{person}/suspend"), reason).await;
        assert_eq!(ann.get("users/me").await.unwrap_err().status, 403);
        let reason = json!({ "reason": format!("{WORD} was not loud") });
        ask(&staff, Method::POST, &format!("{person}/restore"), reason).await;
        let ann = ann.again(server).await;
        secrets.all.extend([ann.access_token.clone(), ann.refresh_token.clone()]);
        let ann = sign_in_by_mail(server, &ann, &mut secrets).await;
        let note = json!({ "text": format!("{WORD} is polite") });
        ask(&staff, Method::POST, &format!("{person}/notes"), note).await;

        assert_archive_is_complete(export(server, &ann).await, &bob);
        let mut found = Vec::new();
        files_with(format!("{WORD} is polite").as_bytes(), &server.data(), &mut found);
        assert_eq!(found, Vec::<String>::new(), "notes and archives are encrypted");

        // What is looked for later can be found.
        assert_ne!(words_in_the_database(config).await, 0);
        let planned = ask(&ann, Method::POST, "users/me/erasure", Value::Null).await;
        assert_eq!(planned["cooling_off_days"], 0, "{planned}");
        drop(present);
        wait_until_erased(config.clone(), &ann.id).await;

        assert_eq!(ann.get("users/me").await.unwrap_err().status, 401);
        let seen = bob.get(&format!("users/{}", ann.id)).await.unwrap();
        assert!(seen["display_name"].as_str().unwrap().starts_with("Deleted player "), "{seen}");
        for lot in &lots[..3] {
            assert_eq!(bob.get(&format!("lands/{lot}")).await.unwrap()["status"], "free", "{lot}");
        }
        // Nothing of Bob's is held for her land, and what she gave him he has.
        let wallet = bob.get("wallet").await.unwrap();
        let coins = wallet["balances"].as_array().unwrap().iter().find(|it| it["asset"] == "coin").unwrap();
        assert_eq!(coins["held_minor"], 0, "{wallet}");
        let groups = bob.get("groups/mine").await.unwrap();
        assert_eq!(groups["items"][0]["role"], "owner", "leadership was handed on: {groups}");
    });
    assert_eq!(server.stop(), Some(0));
    secrets
}

#[track_caller]
fn assert_log_tells_nothing(server: &Server, secrets: &Secrets) {
    let log = server.log();
    assert!(log.lines().any(|line| line.contains("\"TRACE\"")), "it is talkative");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(WORD)).take(5).collect();
    assert_eq!(lines, Vec::<&str>::new(), "what people write is not logged");
    for secret in &secrets.all {
        let line = log.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "a secret is in the log");
    }
}

#[track_caller]
fn assert_books_and_audit_sound(server: &Server) {
    for command in [["ledger", "verify"], ["audit", "verify"]] {
        let checked = server.command(&command);
        assert_eq!(checked.code, Some(0), "{command:?}: {checked:?}");
    }
}

#[test]
fn no_byte_of_an_erased_person_is_left_in_files_log_or_backup() {
    let mut server = Server::start_configured(&settings(None));
    let database = server.data().join("terrane.db");
    let secrets = tell(&mut server, &StoreConfig::Sqlite { path: database.clone() });
    assert_log_tells_nothing(&server, &secrets);
    assert_books_and_audit_sound(&server);

    let source = rusqlite::Connection::open(&database).unwrap();
    let copy = server.data().join("copy.db");
    source.backup("main", &copy, None::<fn(rusqlite::backup::Progress)>).unwrap();
    drop(source);
    let mut found = Vec::new();
    files_with(WORD.as_bytes(), &server.data(), &mut found);
    assert_eq!(found, Vec::<String>::new(), "the word of an erased person is left");
}

#[test]
fn no_byte_of_an_erased_person_is_left_in_a_dump_of_postgres() {
    let Some(postgres) = TestDatabase::postgres() else { return };
    let StoreConfig::Postgres { url, .. } = postgres.config() else { panic!("it is PostgreSQL") };
    let mut server = Server::start_configured(&settings(Some(&url)));
    let secrets = tell(&mut server, &postgres.config());
    assert_log_tells_nothing(&server, &secrets);
    assert_books_and_audit_sound(&server);

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres-bin");
    let programs = std::process::Command::new(script).output().unwrap().stdout;
    let pg_dump = Path::new(std::str::from_utf8(&programs).unwrap().trim()).join("pg_dump");
    let dump = std::process::Command::new(pg_dump).arg("-d").arg(&url).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let dump = String::from_utf8_lossy(&dump.stdout).into_owned();
    assert!(dump.contains("Deleted player "));
    // Bytes are written in hexadecimal.
    let word_in_hex = in_hex(WORD.as_bytes());
    let lines: Vec<&str> =
        dump.lines().filter(|line| line.contains(WORD) || line.contains(&word_in_hex)).take(5).collect();
    assert_eq!(lines, Vec::<&str>::new());
    let mut found = Vec::new();
    files_with(WORD.as_bytes(), &server.data(), &mut found);
    assert_eq!(found, Vec::<String>::new());
}
