//! The schema is brought up to date whole or not at all.

use store::testing::TestDatabase;
use store::{Error, MigrateError, Migration, Store, params};

const ONE: Migration =
    Migration { number: 1, name: "one", sql: "create table ones (one_id bigint not null primary key);" };
const TWO: Migration = Migration {
    number: 2,
    name: "two",
    sql: "create table twos (two_id bigint not null primary key); insert into ones (one_id) values (1);",
};
const BROKEN: Migration = Migration {
    number: 3,
    name: "broken",
    sql: "create table threes (three_id bigint not null primary key); insert into nowhere values (1);",
};

fn on_each(test: &impl AsyncFn(&TestDatabase, Store)) {
    for database in TestDatabase::each() {
        println!("engine: {}", database.engine().name());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
        runtime.block_on(async {
            let store = Store::open(database.config()).await.expect("a test database opens");
            test(&database, store).await;
        });
    }
}

#[test]
fn each_is_applied_once_in_the_order_of_numbers() {
    on_each(&async |_, store| {
        assert_eq!(store.applied_migrations().await, Ok(vec![]));
        assert_eq!(store.migrate(&[TWO, ONE]).await, Ok(vec![1, 2]));
        assert_eq!(store.migrate(&[ONE, TWO]).await, Ok(vec![]));
        assert_eq!(store.applied_migrations().await, Ok(vec![1, 2]));
    });
}

#[test]
fn a_failed_one_leaves_nothing_of_any() {
    on_each(&async |_, store| {
        store.migrate(&[ONE]).await.unwrap();
        let failed = store.migrate(&[ONE, TWO, BROKEN]).await;
        assert!(matches!(failed, Err(MigrateError::Failed { number: 3, name: "broken", .. })), "{failed:?}");
        assert_eq!(store.applied_migrations().await, Ok(vec![1]));
        let twos = store.read(|tx| tx.query("select two_id from twos", params![])).await;
        assert!(matches!(twos, Err(Error::Statement { .. })), "{twos:?}");
        assert_eq!(store.migrate(&[ONE, TWO]).await, Ok(vec![2]), "and it can go on from there");
    });
}

#[test]
fn a_database_that_does_not_fit_is_refused_with_a_sentence() {
    on_each(&async |_, store| {
        store.migrate(&[ONE, TWO]).await.unwrap();
        let newer = store.migrate(&[ONE]).await.unwrap_err();
        assert_eq!(newer, MigrateError::Newer { number: 2, name: "two".to_owned() });
        assert!(newer.to_string().contains("written by a newer version"), "{newer}");
        let changed = Migration { sql: "select 1;", ..TWO };
        let diverged = store.migrate(&[ONE, changed]).await;
        assert_eq!(diverged, Err(MigrateError::Diverged { number: 2, name: "two" }));
        let duplicate = store.migrate(&[ONE, TWO, Migration { number: 2, ..BROKEN }]).await;
        assert_eq!(duplicate, Err(MigrateError::Duplicate { number: 2 }));
    });
    on_each(&async |_, store| {
        store.migrate(&[TWO_ALONE]).await.unwrap();
        let late = store.migrate(&[ONE, TWO_ALONE]).await;
        assert_eq!(late, Err(MigrateError::OutOfOrder { number: 1, name: "one", newest: 2 }));
    });
}

const TWO_ALONE: Migration = Migration { number: 2, name: "two", sql: "create table twos (two_id bigint);" };

#[test]
fn several_that_migrate_at_once_do_it_once() {
    on_each(&async |_, store| {
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.migrate(&[ONE, TWO]).await })
            })
            .collect();
        let mut applied = Vec::new();
        for task in tasks {
            applied.extend(task.await.unwrap().unwrap());
        }
        assert_eq!(applied, [1, 2]);
    });
}

#[test]
fn what_was_stored_is_there_after_opening_again() {
    on_each(&async |database, store| {
        store.migrate(&[ONE]).await.unwrap();
        store.locked(|tx| tx.execute("insert into ones (one_id) values ($1)", params![41])).await.unwrap();
        store.close().await;
        let again = database.open(&[ONE]).await;
        let row = again.read(|tx| tx.query_one("select one_id from ones", params![])).await.unwrap();
        assert_eq!(row.get(0), Ok(41i64));
    });
}

#[test]
fn what_refuses_to_be_changed_is_not_changed() {
    const KEPT: Migration = Migration {
        number: 1,
        name: "kept",
        sql: "create table kept (kept_id bigint not null primary key);\n\
              -- For ever.\nrefuse update on kept;\nrefuse delete on kept;\n\
              create table worn (worn_id bigint not null primary key);\nrefuse update on worn;",
    };
    on_each(&async |_, store| {
        assert_eq!(store.migrate(&[KEPT]).await, Ok(vec![1]));
        let run = async |sql: &'static str| store.locked(move |tx| tx.execute(sql, params![])).await;
        assert_eq!(run("insert into kept (kept_id) values (1)").await, Ok(1));
        assert_eq!(run("insert into worn (worn_id) values (1)").await, Ok(1));
        for sql in [
            "update kept set kept_id = 2",
            "delete from kept where kept_id = 1",
            "update worn set worn_id = 2",
        ] {
            let outcome = run(sql).await;
            let Err(Error::Statement { detail }) = outcome else { panic!("{sql}: {outcome:?}") };
            assert!(detail.contains("refuses to be changed"), "{detail}");
        }
        assert_eq!(run("delete from worn").await, Ok(1));
    });
}
