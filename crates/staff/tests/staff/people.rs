//! People: who may do what to whom, and that it is on record.

use axum::http::Method;
use serde_json::{Value, json};
use store::testing::{for_each_engine, prepare_all};
use uuid::Uuid;

use crate::world::{
    ADMIN, ANN, BOB, DAY_US, DEVELOPER, MODERATOR, NOW_US, OTHER_ADMIN, OTHER_MODERATOR, World, account,
    on_each,
};

fn person(number: u128, act: &str) -> String {
    format!("/staff/people/{}{act}", account(number))
}

fn until(after_us: i64) -> Value {
    json!({"until": api::timestamp(NOW_US + after_us).to_string(), "reason": "a test"})
}

#[test]
fn every_statement_is_understood() {
    let migrations =
        [audit::MIGRATIONS, identity::MIGRATIONS, privacy::MIGRATIONS, staff::MIGRATIONS].concat();
    for_each_engine(&migrations, async |store| prepare_all(&store, staff::STATEMENTS).await);
}

#[test]
fn people_are_found_by_name_role_and_state() {
    on_each(async |world: World| {
        let names = async |query: &str| {
            let answer = world.get(MODERATOR, &format!("/staff/people{query}")).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let names = answer.body["items"].as_array().unwrap().iter();
            names.map(|it| it["display_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("").await.len(), 7);
        assert_eq!(names("?name=person%2000").await, ["Person 001", "Person 002"]);
        assert_eq!(names("?role=developer").await, ["Person 013"]);
        assert!(names("?state=banned").await.is_empty());
        let first = world.get(MODERATOR, "/staff/people?limit=3").await;
        let cursor = first.body["next_cursor"].as_str().unwrap().to_owned();
        let rest = world.get(MODERATOR, &format!("/staff/people?cursor={cursor}")).await;
        assert_eq!(rest.body["items"][0]["display_name"], "Person 012");
        assert_eq!(rest.body["items"].as_array().unwrap().len(), 4);
        for bad in ["?cursor=x", "?limit=0", "?role=king", "?colour=1"] {
            assert_eq!(world.get(MODERATOR, &format!("/staff/people{bad}")).await.status, 400, "{bad}");
        }
        let one = world.get(MODERATOR, &person(ANN, "")).await;
        assert_eq!(one.body["balances"][0]["asset"], "coin");
        assert_eq!(one.body["person"]["role"], "player");
        let nobody = world.get(MODERATOR, &format!("/staff/people/{}", Uuid::from_u128(99))).await;
        assert_eq!(nobody.outcome(), (404, "account_unknown"));
    });
}

#[test]
fn a_suspension_is_made_replayed_on_record_and_lifted() {
    on_each(async |world: World| {
        let body = until(DAY_US);
        let suspend = person(ANN, "/suspend");
        let first = world.ask_as(MODERATOR, "k1", Method::POST, &suspend, body.clone()).await;
        assert_eq!((first.status, &first.body["state"]), (200, &json!("suspended")));
        let again = world.ask_as(MODERATOR, "k1", Method::POST, &suspend, body).await;
        assert_eq!((again.status, again.body), (first.status, first.body));
        let other = world.ask_as(MODERATOR, "k1", Method::POST, &suspend, until(2 * DAY_US)).await;
        assert_eq!(other.outcome(), (422, "idempotency_key_reused"));
        assert_eq!(world.act(MODERATOR, &person(ANN, "/restore")).await.0, 200);
        assert_eq!(world.act(MODERATOR, &person(ANN, "/restore")).await, (409, "already_so".to_owned()));
        let mut record = world.on_record(&account(ANN).to_string()).await;
        record.sort_unstable();
        assert_eq!(record, ["account.restored", "account.suspended"]);
        for (after_us, status) in [(-1, 422), (0, 422), (20 * 366 * DAY_US, 422)] {
            assert_eq!(world.post(MODERATOR, &suspend, until(after_us)).await.status, status, "{after_us}");
        }
        for reason in ["", " ", "a\u{202E}b", &"x".repeat(501)] {
            let answer = world.post(MODERATOR, &person(ANN, "/restore"), json!({"reason": reason})).await;
            assert_eq!(answer.outcome(), (422, "invalid_body"), "{reason:?}");
        }
        let more = json!({"reason": "a test", "role": "admin"});
        assert_eq!(world.post(MODERATOR, &person(ANN, "/restore"), more).await.status, 422);
    });
}

#[test]
fn nobody_acts_on_a_higher_or_equal_role_nor_on_themselves() {
    on_each(async |world: World| {
        for (actor, subject, outcome) in [
            (MODERATOR, OTHER_MODERATOR, (403, "rank_too_low")),
            (MODERATOR, DEVELOPER, (403, "rank_too_low")),
            (MODERATOR, ADMIN, (403, "rank_too_low")),
            (MODERATOR, MODERATOR, (403, "not_to_oneself")),
            (ADMIN, ADMIN, (403, "not_to_oneself")),
            (MODERATOR, ANN, (200, "")),
            (ADMIN, MODERATOR, (200, "")),
            (ADMIN, OTHER_ADMIN, (200, "")),
        ] {
            let answer = world.post(actor, &person(subject, "/suspend"), until(DAY_US)).await;
            assert_eq!(answer.outcome(), outcome, "{actor} {subject}");
        }
        let act = world.act(MODERATOR, &person(ADMIN, "/sessions/end")).await;
        assert_eq!(act, (403, "rank_too_low".to_owned()));
        let role = json!({"role": "player", "reason": "a test"});
        let own = world.ask(ADMIN, Method::PUT, &person(ADMIN, "/role"), role.clone()).await;
        assert_eq!(own.outcome(), (403, "not_to_oneself"));
    });
}

#[test]
fn a_ban_is_lifted_only_by_who_may_ban() {
    on_each(async |world: World| {
        assert_eq!(world.act(ADMIN, &person(BOB, "/ban")).await.0, 200);
        assert_eq!(world.act(ADMIN, &person(BOB, "/ban")).await, (409, "already_so".to_owned()));
        // A moderator cannot make a ban shorter by a suspension, nor lift it.
        let suspended = world.post(MODERATOR, &person(BOB, "/suspend"), until(DAY_US)).await;
        assert_eq!(suspended.outcome(), (409, "already_so"));
        assert_eq!(world.act(MODERATOR, &person(BOB, "/restore")).await, (403, "role_required".to_owned()));
        assert_eq!(world.act(ADMIN, &person(BOB, "/restore")).await.0, 200);
    });
}

#[test]
fn roles_are_given_and_taken_and_the_last_admin_stays() {
    on_each(async |world: World| {
        let put = async |actor: u128, subject: u128, role: &str| {
            let body = json!({"role": role, "reason": "a test"});
            let answer = world.ask(actor, Method::PUT, &person(subject, "/role"), body).await;
            (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(put(ADMIN, ANN, "moderator").await.0, 200);
        assert_eq!(put(ADMIN, ANN, "moderator").await, (409, "already_so".to_owned()));
        assert_eq!(put(ADMIN, ANN, "king").await.0, 422);
        assert_eq!(put(ADMIN, OTHER_ADMIN, "player").await.0, 200);
        // Whoever lost the role a moment ago can no longer use it.
        assert_eq!(put(OTHER_ADMIN, ADMIN, "player").await.0, 403);
        assert_eq!(put(ADMIN, OTHER_ADMIN, "admin").await.0, 200);
        assert!(world.told(ANN).await.contains(&"account.role_changed".to_owned()));
        // Two admins who take each other's role: one stays.
        let (one, two) = tokio::join!(put(ADMIN, OTHER_ADMIN, "player"), put(OTHER_ADMIN, ADMIN, "player"));
        let mut statuses = [one.0, two.0];
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200, "{one:?} {two:?}");
        assert!(statuses[1] >= 400, "{one:?} {two:?}");
        let admins = world.get(MODERATOR, "/staff/people?role=admin").await;
        assert_eq!(admins.body["items"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn notes_are_sealed_by_the_person_s_key_and_go_with_it() {
    on_each(async |world: World| {
        let notes = person(ANN, "/notes");
        let canary = "zebra crossing at midnight";
        let written = world.post(MODERATOR, &notes, json!({"text": canary})).await;
        assert_eq!((written.status, &written.body["text"]), (201, &json!(canary)));
        let listed = world.get(OTHER_MODERATOR, &notes).await;
        assert_eq!(listed.body["items"][0]["text"], canary);
        assert_eq!(listed.body["items"][0]["author_name"], "Person 011");
        let id = account(ANN);
        let plain = world.store.read(move |tx| {
            let row = tx.query_one("select sealed from staff_notes where account_id = $1", &[id.into()])?;
            row.get::<Vec<u8>>(0)
        });
        let plain: Vec<u8> = plain.await.unwrap();
        assert!(!plain.windows(5).any(|it| it == b"zebra"));
        let vault = world.vault.clone();
        let destroyed = world.store.locked(move |tx| vault.destroy(tx, id, NOW_US)).await;
        assert!(destroyed.unwrap());
        let listed = world.get(OTHER_MODERATOR, &notes).await;
        assert!(listed.body["items"][0].get("text").is_none(), "{}", listed.body);
        for text in ["", "a\0b", &"x".repeat(501)] {
            assert_eq!(world.post(MODERATOR, &notes, json!({"text": text})).await.status, 422, "{text:?}");
        }
    });
}

#[test]
fn exports_and_erasures_are_asked_for_and_taken_back() {
    on_each(async |world: World| {
        assert_eq!(world.act(ADMIN, &person(ANN, "/export")).await.0, 202);
        assert_eq!(world.act(ADMIN, &person(ANN, "/export")).await, (409, "export_pending".to_owned()));
        let erase = world.post(ADMIN, &person(ANN, "/erase"), json!({"reason": "asked by letter"})).await;
        let due = api::timestamp(NOW_US + 7 * DAY_US).to_string();
        assert_eq!((erase.status, erase.body["due_at"].as_str()), (202, Some(due.as_str())));
        assert_eq!(world.act(ADMIN, &person(ANN, "/keep")).await.0, 200);
        assert_eq!(world.act(ADMIN, &person(ANN, "/keep")).await, (409, "already_so".to_owned()));
        assert_eq!(world.act(ADMIN, &person(DEVELOPER, "/erase")).await, (409, "still_staff".to_owned()));
        let mut record = world.on_record(&account(ANN).to_string()).await;
        record.sort_unstable();
        assert_eq!(
            record,
            ["account.erasure_cancelled", "account.erasure_requested", "account.export_requested"]
        );
    });
}
