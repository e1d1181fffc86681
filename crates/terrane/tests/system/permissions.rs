//! Every operation of the document, asked by everybody there can be: nobody, each role, the suspended, and API keys of
//! each scope. What is refused is refused by the guard with its exact code; what is allowed is never refused by it.
//!
//! The guard and the document come from one table; what staff may do stands here a second time, so that a line of that
//! table is not changed unseen.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use store::{Store, StoreConfig, params};
use uuid::Uuid;

use crate::support::{Account, Server, run_at_most};

const MINUTES: std::time::Duration = std::time::Duration::from_mins(5);

/// What the guard says, and only the guard.
const GUARD_CODES: [&str; 7] = [
    "token_missing",
    "token_invalid",
    "token_expired",
    "account_suspended",
    "role_required",
    "scope_required",
    "forbidden_for_keys",
];

/// Who may call the operations of staff: moderators, developers. Admins may call all of them; players none.
const STAFF: &[(&str, bool, bool)] = &[
    ("staff_audit_checkpoints", false, true),
    ("staff_audit", false, true),
    ("staff_audit_entry", false, true),
    ("staff_audit_proof", false, true),
    ("staff_audit_verification", false, true),
    ("staff_acts", false, false),
    ("staff_approve", false, false),
    ("staff_ban", false, false),
    ("staff_cancel", true, false),
    ("staff_end_sessions", true, false),
    ("staff_erase", false, false),
    ("staff_export", false, false),
    ("staff_freeze", true, false),
    ("staff_keep", false, false),
    ("staff_ledger_accounts", false, true),
    ("staff_ledger_check", false, true),
    ("staff_ledger_posting", false, true),
    ("staff_ledger_postings", false, true),
    ("staff_movement", true, false),
    ("staff_note", true, false),
    ("staff_notes", true, false),
    ("staff_people", true, false),
    ("staff_person", true, false),
    ("staff_put_role", false, false),
    ("staff_refuse", false, false),
    ("staff_restore", true, false),
    ("staff_restore_land", false, false),
    ("staff_reverse", false, false),
    ("staff_sessions", true, false),
    ("staff_suspend", true, false),
    ("staff_system", false, true),
    ("staff_thaw", true, false),
    ("staff_world", true, true),
];

/// Somebody who asks.
#[derive(Clone)]
struct Asker {
    name: String,
    token: Option<String>,
    role: &'static str,
    is_suspended: bool,
    /// The scopes of an API key; none for a person.
    scopes: Option<Vec<&'static str>>,
}

impl Asker {
    fn person(name: &str, role: &'static str, token: &str) -> Self {
        Self {
            name: name.to_owned(),
            token: Some(token.to_owned()),
            role,
            is_suspended: name == "suspended",
            scopes: None,
        }
    }

    /// Status and code of the guard's refusal; none where it lets through.
    fn refusal(&self, id: &str, wanted: &Value) -> Option<(u16, &'static str)> {
        let permission = wanted["permission"].as_str().unwrap();
        if permission == "public" {
            return None;
        }
        if self.token.is_none() {
            return Some((401, "token_missing"));
        }
        if self.is_suspended {
            return Some((403, "account_suspended"));
        }
        if permission != "signed_in" {
            let (_, moderator, developer) = STAFF.iter().find(|it| it.0 == id).unwrap_or_else(|| {
                panic!("{id} wants {permission} and is not in the list of this test");
            });
            let may = match self.role {
                "moderator" => *moderator,
                "developer" => *developer,
                role => role == "admin",
            };
            if !may {
                return Some((403, "role_required"));
            }
        }
        let scopes = self.scopes.as_ref()?;
        match wanted["api_key_scope"].as_str() {
            None => Some((403, "forbidden_for_keys")),
            Some(scope) if scopes.contains(&scope) => None,
            Some(_) => Some((403, "scope_required")),
        }
    }
}

struct Operation {
    id: String,
    method: Method,
    path: String,
    wanted: Value,
}

async fn document(server: &Server) -> Value {
    reqwest::get(format!("{}/api/openapi.json", server.url())).await.unwrap().json().await.unwrap()
}

/// Ids of nothing, of the right form.
fn filled(path: &str) -> String {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap();
        filled.push_str(before);
        filled.push_str(match name {
            "token" | "lot" => "4be64c3c",
            "z" | "x" | "face" | "level" | "i" | "sequence" => "1",
            "file" => "1.png",
            "layer" => "biomes",
            "planet_hash" => "0000000000000000000000000000000000000000000000000000000000000000",
            "provider_id" => "nobody",
            "key_id" => "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            _ => "019aa5c3-1f00-7000-8000-0000000000ff",
        });
        rest = after;
    }
    filled + rest
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: filled(path),
                wanted: operation["x-permission"].clone(),
            });
        }
    }
    all
}

async fn ask(http: &Client, server: &Server, asker: &Asker, method: Method, path: &str) -> (u16, String) {
    let mut request = http.request(method.clone(), format!("{}{path}", server.url()));
    if let Some(token) = &asker.token {
        request = request.bearer_auth(token);
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        // Nothing that any operation does: its form is looked at after who asks.
        request = request
            .header("idempotency-key", Uuid::now_v7().to_string())
            .json(&json!({"not_a_member_of_any_body": true}));
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let is_problem = answer.headers().get("content-type").is_some_and(|it| it == "application/problem+json");
    // A stream of events does not end.
    let body: Value = if is_problem { answer.json().await.unwrap_or_default() } else { Value::Null };
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

/// Gives roles where no one has one yet: in the file of a server that is stopped.
async fn set_standing(server: &Server, people: &[(&Account, &'static str, bool)]) {
    let path = server.data().join("terrane.db");
    let store = Store::open(StoreConfig::Sqlite { path }).await.unwrap();
    for (account, role, is_suspended) in people {
        let (id, role): (Uuid, _) = (account.id.parse().unwrap(), *role);
        let until_us = is_suspended.then_some(4_000_000_000_000_000_i64);
        let state = if *is_suspended { "suspended" } else { "active" };
        let set = store.locked(move |tx| {
            tx.execute(
                "update accounts set role = $2, state = $3, suspended_until = $4 where account_id = $1",
                params![id, role, state, until_us],
            )
        });
        assert_eq!(set.await.unwrap(), 1);
    }
    store.close().await;
}

async fn api_key(account: &Account, scopes: &[&str]) -> String {
    let body = json!({"name": "machine", "scopes": scopes, "expires_in_days": 1});
    let made = account.decide(Method::POST, "users/me/api-keys", body).await;
    assert!((200..300).contains(&made.status), "{}", made.body);
    made.body["secret"].as_str().unwrap().to_owned()
}

const ROLES: [&str; 4] = ["player", "moderator", "developer", "admin"];
const SCOPES: [&str; 4] = ["read", "land", "trade", "staff"];

/// Everybody there can be, on a server that runs.
async fn askers(server: &mut Server) -> Vec<Asker> {
    let mut people = Vec::new();
    for _ in 0..5 {
        people.push(Account::new(server).await);
    }
    // Only staff get keys for staff: all are admins for a moment, and the keys outlive that.
    assert_eq!(server.stop(), Some(0));
    set_standing(server, &people.iter().map(|it| (it, "admin", false)).collect::<Vec<_>>()).await;
    server.start_again();
    for account in &mut people {
        *account = account.again(server).await;
    }
    let mut askers = vec![Asker {
        name: "nobody".to_owned(),
        token: None,
        role: "player",
        is_suspended: false,
        scopes: None,
    }];
    // The role of a key is what the account is when it is used.
    for (role, account) in ROLES.into_iter().zip(&people) {
        if role == "player" || role == "admin" {
            for scope in SCOPES {
                let token = api_key(account, &[scope]).await;
                let mut asker = Asker::person(&format!("key of a {role} for {scope}"), role, &token);
                asker.scopes = Some(vec![scope]);
                askers.push(asker);
            }
        }
        let token = api_key(account, &SCOPES).await;
        let mut asker = Asker::person(&format!("key of a {role} for everything"), role, &token);
        asker.scopes = Some(SCOPES.to_vec());
        askers.push(asker);
    }
    assert_eq!(server.stop(), Some(0));
    let standing: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(at, account)| (account, ROLES.get(at).copied().unwrap_or("player"), at == ROLES.len()))
        .collect();
    set_standing(server, &standing).await;
    server.start_again();
    for (role, account) in ROLES.into_iter().zip(&people) {
        let token = account.again(server).await.access_token;
        askers.push(Asker::person(role, role, &token));
    }
    // Who is suspended cannot sign in, but may have a token from before.
    askers.push(Asker::person("suspended", "player", &people[ROLES.len()].access_token));
    askers
}

#[test]
fn every_operation_is_open_to_whom_the_table_names_and_to_no_one_else() {
    let mut server = Server::start();
    run_at_most(MINUTES, async {
        let askers = askers(&mut server).await;
        let operations = operations(&document(&server).await);
        let http = Client::builder().timeout(crate::support::DEADLINE).build().unwrap();
        let mut faults = Vec::new();
        let mut asked = 0;
        for operation in &operations {
            let Operation { id, method, path, wanted } = operation;
            for asker in &askers {
                let (status, code) = ask(&http, &server, asker, method.clone(), path).await;
                asked += 1;
                let is_right = match asker.refusal(id, wanted) {
                    Some((refused, why)) => status == refused && code == why,
                    None => !GUARD_CODES.contains(&code.as_str()),
                };
                if !is_right {
                    faults.push(format!("{} {id}: {status} {code}", asker.name));
                }
            }
            // HEAD is let through and refused as GET is.
            if *method == Method::GET && wanted["permission"] != "public" {
                let (status, _) = ask(&http, &server, &askers[0], Method::HEAD, path).await;
                asked += 1;
                if status != 401 {
                    faults.push(format!("nobody {id} by HEAD: {status}"));
                }
            }
        }
        println!("{} operations, {} askers, {asked} requests", operations.len(), askers.len());
        assert!(faults.is_empty(), "{} wrong:\n{}", faults.len(), faults.join("\n"));
    });
}

#[test]
fn what_is_for_staff_is_named_here_and_everything_else_is_for_everybody_or_for_players() {
    let server = Server::start();
    run_at_most(MINUTES, async {
        let document = document(&server).await;
        let named: BTreeSet<&str> = STAFF.iter().map(|it| it.0).collect();
        assert_eq!(named.len(), STAFF.len());
        let mut found = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for operation in item.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                let permission = operation["x-permission"]["permission"].as_str().unwrap();
                let is_for_staff = permission != "public" && permission != "signed_in";
                assert_eq!(is_for_staff, path.starts_with("/api/v1/staff/"), "{id} wants {permission}");
                if is_for_staff {
                    found.insert(id);
                }
                let is_open = operation["security"] == json!([]);
                assert_eq!(is_open, permission == "public", "{id}");
            }
        }
        assert_eq!(found, named);
    });
}

/// No request can name more than it is meant to: what a body may not hold is refused, nowhere passed over.
#[test]
fn no_body_takes_members_that_it_does_not_name() {
    let server = Server::start();
    run_at_most(MINUTES, async {
        let document = document(&server).await;
        let mut open = Vec::new();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                if schema.is_null() {
                    continue;
                }
                let schema = match schema["$ref"].as_str() {
                    Some(name) => &document["components"]["schemas"][name.rsplit('/').next().unwrap()],
                    None => schema,
                };
                if schema["additionalProperties"] != json!(false) {
                    open.push(operation["operationId"].as_str().unwrap().to_owned());
                }
            }
        }
        assert!(open.is_empty(), "these bodies take members that nobody named: {open:?}");
    });
}

#[test]
fn no_field_of_one_s_own_account_gives_a_role() {
    let server = Server::start();
    run_at_most(MINUTES, async {
        let bob = Account::new(&server).await;
        let ann = Account::new(&server).await;
        let extras = [
            ("role", json!("admin")),
            ("state", json!("active")),
            ("is_admin", json!(true)),
            ("account_id", json!(ann.id)),
            ("user_id", json!(ann.id)),
            ("suspended_until", Value::Null),
            ("permissions", json!(["people_roles"])),
            ("scopes", json!(["staff"])),
            ("email_is_confirmed", json!(true)),
            ("__proto__", json!({"role": "admin"})),
        ];
        let bodies = [
            (Method::PATCH, "users/me", json!({"display_name": "Bob"})),
            (Method::PUT, "users/me/settings", json!({})),
            (
                Method::PUT,
                "users/me/email",
                json!({"email": "bob@example.org", "password": "a long pass phrase 7"}),
            ),
            (Method::PUT, "users/me/password", json!({"password": "a long pass phrase 7"})),
            (
                Method::POST,
                "auth/register",
                json!({"email": "bo@example.org", "password": "a long pass phrase 7"}),
            ),
            (Method::POST, "groups", json!({"name": "Friends"})),
        ];
        for (method, path, body) in &bodies {
            for (name, value) in &extras {
                let mut body = body.clone();
                body[*name] = value.clone();
                let answer = bob.decide(method.clone(), path, body).await;
                assert_eq!(answer.outcome(), (422, "invalid_body"), "{path} with {name}: {}", answer.body);
            }
        }
        // The member that there is takes nothing that there is not.
        for scope in ["staff", "admin", "Staff", "people_roles", "*", ""] {
            let body = json!({"name": "machine", "scopes": [scope], "expires_in_days": 1});
            let answer = bob.decide(Method::POST, "users/me/api-keys", body).await;
            assert_eq!(answer.status, 422, "{scope}: {}", answer.body);
        }
        let me = bob.get("users/me").await.unwrap();
        assert_eq!((&me["role"], &me["account_id"]), (&json!("player"), &json!(bob.id)));
    });
}

#[test]
fn whoever_guesses_an_id_learns_nothing_and_changes_nothing() {
    let server = Server::start();
    run_at_most(MINUTES, async {
        let (ann, bob) = (Account::new(&server).await, Account::new(&server).await);
        let key = json!({"name": "machine", "scopes": ["read"], "expires_in_days": 1});
        ann.decide(Method::POST, "users/me/api-keys", key).await.expect(201);
        let webhook = json!({"url": "https://example.org/hook", "kinds": ["market.sold"]});
        let webhook = ann.decide(Method::POST, "webhooks", webhook).await;
        assert_eq!(webhook.status, 201, "{}", webhook.body);
        let group = ann.decide(Method::POST, "groups", json!({"name": "Friends"})).await;
        assert_eq!(group.status, 201, "{}", group.body);
        ann.decide(Method::POST, "users/me/exports", Value::Null).await;
        let id =
            |value: &Value, name: &str| value[name].as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
        let first = async |path: &str, name: &str| id(&ann.get(path).await.unwrap()["items"][0], name);
        let session = first("users/me/sessions", "session_id").await;
        let device = first("users/me/keys", "key_id").await;
        let machine = first("users/me/api-keys", "api_key_id").await;
        let export = first("users/me/exports", "export_id").await;
        let hook = id(&webhook.body["webhook"], "webhook_id");
        let group = id(&group.body, "group_id");
        let seen = async || {
            let mut seen = BTreeMap::new();
            for path in ["users/me/sessions", "users/me/keys", "users/me/api-keys", "webhooks", "groups/mine"]
            {
                let list = ann.get(path).await.unwrap();
                seen.insert(path, list["items"].as_array().unwrap().len());
            }
            seen
        };
        let before = seen().await;
        let (ann_id, bob_id) = (ann.id.clone(), bob.id.clone());
        for (method, path, body) in [
            (Method::DELETE, format!("users/me/sessions/{session}"), Value::Null),
            (Method::DELETE, format!("users/me/keys/{device}"), Value::Null),
            (Method::PATCH, format!("users/me/keys/{device}"), json!({"label": "mine"})),
            (Method::DELETE, format!("users/me/api-keys/{machine}"), Value::Null),
            (Method::GET, format!("users/me/exports/{export}/file"), Value::Null),
            (Method::PATCH, format!("webhooks/{hook}"), json!({"kinds": ["market.won"]})),
            (Method::DELETE, format!("webhooks/{hook}"), Value::Null),
            (Method::POST, format!("webhooks/{hook}/rotate"), json!({})),
            (Method::POST, format!("webhooks/{hook}/test"), Value::Null),
            (Method::GET, format!("webhooks/{hook}/deliveries"), Value::Null),
            (Method::DELETE, format!("groups/{group}"), Value::Null),
            (Method::PUT, format!("groups/{group}/members/{bob_id}"), json!({"role": "owner"})),
            (Method::DELETE, format!("groups/{group}/members/{ann_id}"), Value::Null),
            (Method::GET, format!("wallet?as_group={group}"), Value::Null),
            (Method::GET, format!("wallet/postings?account={ann_id}"), Value::Null),
            (Method::GET, format!("users/me/sessions?account_id={ann_id}"), Value::Null),
            (Method::GET, format!("lands/gifts?as_group={group}"), Value::Null),
            (Method::GET, format!("leases?as_group={group}"), Value::Null),
        ] {
            let answer = bob.decide(method.clone(), &path, body).await;
            let is_own = answer.status == 200
                && !answer.body.to_string().contains(&ann_id)
                && !answer.body.to_string().contains(&session);
            assert!(
                matches!(answer.status, 400 | 403 | 404) || is_own,
                "{method} {path}: {} {}",
                answer.status,
                answer.body
            );
        }
        assert_eq!(seen().await, before);
        // To a stranger there is no difference between what is another's and what is not there.
        let nobody_s = Uuid::now_v7();
        for (others, none) in [
            (format!("users/me/api-keys/{machine}"), format!("users/me/api-keys/{nobody_s}")),
            (format!("users/me/sessions/{session}"), format!("users/me/sessions/{nobody_s}")),
            (format!("webhooks/{hook}"), format!("webhooks/{nobody_s}")),
        ] {
            let one = bob.decide(Method::DELETE, &others, Value::Null).await;
            let other = bob.decide(Method::DELETE, &none, Value::Null).await;
            assert_eq!(one.outcome(), other.outcome(), "{others}");
        }
    });
}
