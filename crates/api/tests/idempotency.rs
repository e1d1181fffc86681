//! A decision happens once, on both engines.

use api::idempotency::{self, Answer, Decision, Fingerprint, KEPT_PER_ACCOUNT_MAX, KEPT_US};
use api::{IdempotencyKey, MIGRATIONS, Problem, ProblemKind};
use axum::http::StatusCode;
use serde_json::json;
use store::testing::{TestDatabase, for_each_engine};
use store::{Isolation, Migration, Store, params};
use uuid::Uuid;

const NOW_US: i64 = 1_763_715_600_000_000;
const BUSY: ProblemKind = ProblemKind::new(StatusCode::CONFLICT, "busy", "Busy");
const FORBIDDEN: ProblemKind = ProblemKind::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden");
const BROKEN: ProblemKind = ProblemKind::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", "Broken");

const ADD: &str = "insert into effects (effect) values ($1)";
const COUNT: &str = "select count(*) from effects";

fn on_each(test: impl AsyncFn(Store)) {
    let effects = Migration { number: 100, name: "effects", sql: "create table effects (effect bigint);" };
    let migrations: Vec<_> = MIGRATIONS.iter().copied().chain([effects]).collect();
    for_each_engine(&migrations, async |store| {
        test(store).await;
    });
}

fn decision(account: u128, key: &str, content: &str, now_us: i64) -> Decision {
    Decision {
        account_id: Uuid::from_u128(account),
        key: IdempotencyKey::parse(key).expect("a key"),
        fingerprint: Fingerprint::of("POST /effects").with(content.as_bytes()),
        now_us,
    }
}

/// Adds an effect and answers with how many there are, or refuses after adding it.
async fn decide(store: &Store, decision: Decision, refusal: Option<ProblemKind>) -> Result<Answer, Problem> {
    idempotency::run(store, Isolation::Serializable, decision, move |tx| {
        tx.execute(ADD, params![1])?;
        if let Some(kind) = refusal {
            return Err(Problem::from(kind));
        }
        Ok((StatusCode::CREATED, json!({"count": tx.query_one(COUNT, params![])?.get::<i64>(0)?})))
    })
    .await
}

async fn effects(store: &Store) -> i64 {
    store.read(|tx| tx.query_one(COUNT, params![])?.get(0)).await.expect("it can be read")
}

#[test]
fn the_same_key_gets_the_same_answer_and_no_second_effect() {
    on_each(async |store| {
        let first = decide(&store, decision(1, "a", "x", NOW_US), None).await.unwrap();
        assert_eq!(
            (first.status, &first.body, first.is_replay),
            (StatusCode::CREATED, &json!({"count": 1}), false)
        );
        let again = decide(&store, decision(1, "\"a\"", "x", NOW_US + 1), None).await.unwrap();
        assert_eq!(again, Answer { is_replay: true, ..first });
        let other = decide(&store, decision(1, "a", "y", NOW_US), None).await.unwrap_err();
        assert_eq!((other.status().as_u16(), other.code()), (422, "idempotency_key_reused"));
        assert_eq!(effects(&store).await, 1);
        let stranger = decide(&store, decision(2, "a", "y", NOW_US), None).await.unwrap();
        assert_eq!((stranger.body, stranger.is_replay), (json!({"count": 2}), false));
    });
}

#[test]
fn at_the_same_instant_one_decides_and_the_others_get_its_answer() {
    on_each(async |store| {
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { decide(&store, decision(1, "a", "x", NOW_US), None).await })
            })
            .collect();
        let mut firsts = 0;
        for task in tasks {
            let answer = task.await.unwrap().unwrap();
            assert_eq!(answer.body, json!({"count": 1}));
            firsts += u32::from(!answer.is_replay);
        }
        assert_eq!((firsts, effects(&store).await), (1, 1));
    });
}

#[test]
fn a_refusal_is_undone_and_kept_but_not_a_fault() {
    on_each(async |store| {
        let refused = decide(&store, decision(1, "a", "x", NOW_US), Some(BUSY)).await.unwrap_err();
        assert_eq!(refused.code(), "busy");
        let again = decide(&store, decision(1, "a", "x", NOW_US), None).await.unwrap();
        assert_eq!(
            (again.status, &again.body["code"], again.is_replay),
            (StatusCode::CONFLICT, &json!("busy"), true)
        );
        let other = decide(&store, decision(1, "a", "y", NOW_US), None).await.unwrap_err();
        assert_eq!(other.code(), "idempotency_key_reused");
        for (key, kind) in [("b", FORBIDDEN), ("c", BROKEN)] {
            let failed = decide(&store, decision(1, key, "x", NOW_US), Some(kind)).await.unwrap_err();
            assert_eq!(failed.code(), kind.code);
        }
        assert_eq!(effects(&store).await, 0);
        for key in ["b", "c"] {
            assert!(!decide(&store, decision(1, key, "x", NOW_US), None).await.unwrap().is_replay);
        }
        assert_eq!(effects(&store).await, 2);
    });
}

#[test]
fn an_answer_is_forgotten_after_its_day() {
    on_each(async |store| {
        decide(&store, decision(1, "a", "x", NOW_US), None).await.unwrap();
        assert_eq!(idempotency::sweep(&store, NOW_US + KEPT_US - 1).await, Ok(0));
        let kept = decide(&store, decision(1, "a", "x", NOW_US + KEPT_US - 1), None).await.unwrap();
        assert!(kept.is_replay);
        // Not swept yet, and yet as if.
        let anew = decide(&store, decision(1, "a", "y", NOW_US + KEPT_US), None).await.unwrap();
        assert!(!anew.is_replay);
        decide(&store, decision(1, "b", "x", NOW_US), None).await.unwrap();
        assert_eq!(idempotency::sweep(&store, NOW_US + KEPT_US).await, Ok(1), "the renewed one stays");
        assert_eq!(idempotency::sweep(&store, NOW_US + 2 * KEPT_US).await, Ok(1));
    });
}

#[test]
fn an_account_that_makes_keys_without_end_is_stopped_and_its_rows_are_all_swept() {
    on_each(async |store| {
        for n in 0..KEPT_PER_ACCOUNT_MAX {
            decide(&store, decision(1, &format!("{n}"), "x", NOW_US), None).await.unwrap();
        }
        let refused = decide(&store, decision(1, "more", "x", NOW_US), None).await.unwrap_err();
        assert_eq!(refused.code(), "too_many_decisions");
        assert_eq!(effects(&store).await, KEPT_PER_ACCOUNT_MAX);
        let known = decide(&store, decision(1, "0", "x", NOW_US), None).await.unwrap();
        assert!(known.is_replay, "what was decided is still answered");
        decide(&store, decision(2, "more", "x", NOW_US), None).await.expect("others are not concerned");
        let (later, swept) = (NOW_US + KEPT_US, KEPT_PER_ACCOUNT_MAX as u64 + 1);
        assert_eq!(idempotency::sweep(&store, later).await, Ok(swept), "more than one batch");
        decide(&store, decision(1, "more", "x", later), None).await.unwrap();
    });
}

/// On one writer they cannot meet; on a server the sweep waits for a row that is old when it looks and new when it
/// gets it.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_leaves_a_key_that_is_being_used_again() {
    const WAITING: &str = "select count(*) from pg_locks where not granted";
    let Some(database) = TestDatabase::postgres() else { return };
    let store = database.open(MIGRATIONS).await;
    let later = NOW_US + KEPT_US;
    let answer = |count: i64| (StatusCode::CREATED, json!({"count": count}));
    idempotency::run(&store, Isolation::Locked, decision(1, "a", "x", NOW_US), move |_| {
        Ok::<_, Problem>(answer(1))
    })
    .await
    .unwrap();
    let (sweeping, runtime) = (store.clone(), tokio::runtime::Handle::current());
    let (sender, receiver) = std::sync::mpsc::channel();
    idempotency::run(&store, Isolation::Locked, decision(1, "a", "y", later), move |tx| {
        let store = sweeping.clone();
        let sweep = runtime.spawn(async move { idempotency::sweep(&store, later).await });
        sender.send(sweep).expect("the test waits for it");
        while tx.query_one(WAITING, params![])?.get::<i64>(0)? == 0 {}
        Ok::<_, Problem>(answer(2))
    })
    .await
    .unwrap();
    assert_eq!(receiver.recv().unwrap().await.unwrap(), Ok(0));
    let again = idempotency::run(&store, Isolation::Locked, decision(1, "a", "y", later), move |_| {
        Ok::<_, Problem>(answer(3))
    });
    assert_eq!(again.await.unwrap().body, json!({"count": 2}));
}

#[test]
fn every_statement_is_understood() {
    on_each(async |store| store::testing::prepare_all(&store, idempotency::ALL_STATEMENTS).await);
}

/// Decides all in one transaction: each content that says so is refused, the others are effects.
async fn decide_all(store: &Store, decisions: Vec<Decision>, contents: Vec<&'static str>) -> Vec<String> {
    let answers = store
        .locked(move |tx| {
            idempotency::run_all(tx, &decisions, |tx, new| {
                new.iter()
                    .map(|at| match contents[*at] {
                        "busy" => Ok(Err(BUSY.into())),
                        "forbidden" => Ok(Err(FORBIDDEN.into())),
                        content => {
                            tx.execute(ADD, params![1])?;
                            Ok(Ok((StatusCode::CREATED, json!(content))))
                        }
                    })
                    .collect()
            })
        })
        .await
        .expect("it is stored");
    let shown = |it: Result<Answer, Problem>| match it {
        Ok(it) => {
            format!("{} {} {}", it.status.as_u16(), it.body.get("code").unwrap_or(&it.body), it.is_replay)
        }
        Err(problem) => format!("{} {}", problem.status().as_u16(), problem.code()),
    };
    answers.into_iter().map(shown).collect()
}

async fn decide_list(store: &Store, list: &[(u128, &str, &'static str)], now_us: i64) -> Vec<String> {
    let decisions =
        list.iter().map(|(account, key, content)| decision(*account, key, content, now_us)).collect();
    decide_all(store, decisions, list.iter().map(|it| it.2).collect()).await
}

#[test]
fn many_in_one_transaction_have_each_their_own_answer() {
    on_each(async |store| {
        let list = [
            (1, "a", "x"),
            (1, "b", "busy"),
            (2, "a", "y"),
            (1, "a", "x"),
            (1, "a", "z"),
            (3, "c", "forbidden"),
        ];
        let answers = decide_list(&store, &list, NOW_US).await;
        assert_eq!(
            answers,
            [
                "201 \"x\" false",
                "409 busy",
                "201 \"y\" false",
                "201 \"x\" true",
                "422 idempotency_key_reused",
                "403 forbidden"
            ]
        );
        assert_eq!(effects(&store).await, 2);
        let again = [
            (3, "c", "w"),
            (1, "b", "busy"),
            (2, "a", "y"),
            (2, "a", "other"),
            (4, "a", "v"),
            (1, "a", "other"),
            (1, "a", "x"),
        ];
        let answers = decide_list(&store, &again, NOW_US + 1).await;
        assert_eq!(
            answers,
            [
                "201 \"w\" false",
                "409 \"busy\" true",
                "201 \"y\" true",
                "422 idempotency_key_reused",
                "201 \"v\" false",
                "422 idempotency_key_reused",
                "201 \"x\" true"
            ]
        );
        assert_eq!(effects(&store).await, 4);
        let later = decide_list(&store, &[(2, "a", "u"), (2, "a", "u")], NOW_US + KEPT_US).await;
        assert_eq!(later[0], "201 \"u\" false", "kept long enough");
        assert_eq!(effects(&store).await, 5);
        assert_eq!(decide_all(&store, Vec::new(), Vec::new()).await, [""; 0]);
    });
}

#[test]
fn too_many_are_refused_among_many_too() {
    on_each(async |store| {
        let keys: Vec<String> = (0..KEPT_PER_ACCOUNT_MAX + 3).map(|n| format!("{n:06}")).collect();
        let list: Vec<_> = keys.iter().map(|it| (1, it.as_str(), "x")).chain([(2, "a", "x")]).collect();
        let answers = decide_list(&store, &list, NOW_US).await;
        let refused: Vec<_> =
            (0..answers.len()).filter(|at| answers[*at] == "429 too_many_decisions").collect();
        let most = KEPT_PER_ACCOUNT_MAX as usize;
        assert_eq!(refused, [most, most + 1, most + 2]);
        assert_eq!(effects(&store).await, KEPT_PER_ACCOUNT_MAX + 1);
    });
}

#[test]
fn a_key_is_read_with_and_without_quotes() {
    for good in ["a", "\"a\"", " a ", "8e03978e-40d5-43e8-bc93-6894a57f9324"] {
        assert_eq!(IdempotencyKey::parse(good).unwrap().as_str(), good.trim().trim_matches('"'));
    }
    let long = "x".repeat(65);
    for bad in ["", "\"\"", "a b", "\"a", "a\"", "é", "a\\b", "a\u{7f}", &long] {
        assert_eq!(IdempotencyKey::parse(bad).unwrap_err().code(), "idempotency_key_invalid", "{bad:?}");
    }
}
