//! A database that cannot be used is refused with a sentence, never with a panic and never half.

use std::path::Path;

use store::testing::TestDatabase;
use store::{Error, Migration, OpenError, Store, StoreConfig, params};

const MIGRATIONS: &[Migration] =
    &[Migration { number: 1, name: "notes", sql: "create table notes (note_id bigint, words text);" }];

async fn open(path: &Path) -> Result<Store, OpenError> {
    Store::open(StoreConfig::Sqlite { path: path.to_owned() }).await
}

fn path_of(database: &TestDatabase) -> std::path::PathBuf {
    let StoreConfig::Sqlite { path } = database.config() else { panic!("not the embedded engine") };
    path
}

#[tokio::test]
async fn a_second_holder_of_the_folder_is_refused_until_the_first_is_gone() {
    let database = TestDatabase::sqlite();
    let first = database.open(MIGRATIONS).await;
    let second = open(&path_of(&database)).await.unwrap_err();
    assert!(matches!(second, OpenError::InUse { .. }), "{second}");
    assert!(second.to_string().contains("is in use by another terrane"), "{second}");
    first.close().await;
    open(&path_of(&database)).await.unwrap();
}

#[tokio::test]
async fn a_database_in_use_can_be_read_from_outside_but_not_written() {
    const NOTE: &str = "insert into notes (note_id, words) values ($1, 'x')";
    for database in TestDatabase::each() {
        let count = async |store: &Store| -> i64 {
            let count = "select count(*) from notes";
            store.read(move |tx| tx.query_one(count, params![])?.get(0)).await.unwrap()
        };
        let server = database.open(MIGRATIONS).await;
        server.locked(|tx| tx.execute(NOTE, params![1])).await.unwrap();
        let visitor = Store::open_read_only(database.config()).await.unwrap();
        assert_eq!(count(&visitor).await, 1);
        server.locked(|tx| tx.execute(NOTE, params![2])).await.unwrap();
        assert_eq!(count(&visitor).await, 2);
        for refused in [
            visitor.locked(|tx| tx.execute(NOTE, params![3])).await,
            visitor.serializable(|tx| tx.execute(NOTE, params![3])).await,
            visitor.read(|tx| tx.execute(NOTE, params![3])).await,
        ] {
            assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
        }
        visitor.close().await;
        server.locked(|tx| tx.execute(NOTE, params![4])).await.expect("the visitor has left no trace");
        server.close().await;
        let alone = Store::open_read_only(database.config()).await.unwrap();
        assert_eq!(count(&alone).await, 3);
        let server = database.open(MIGRATIONS).await;
        server.locked(|tx| tx.execute(NOTE, params![5])).await.expect("a visitor keeps nobody out");
        assert_eq!(count(&alone).await, 4);
    }
}

#[tokio::test]
async fn a_visitor_makes_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deeper").join("terrane.db");
    let refused = Store::open_read_only(StoreConfig::Sqlite { path }).await.unwrap_err();
    assert!(matches!(refused, OpenError::Missing { .. }), "{refused}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let error = open(&file.join("deeper").join("terrane.db")).await.unwrap_err();
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
    assert!(error.to_string().starts_with("cannot write in /"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("terrane.db");
    let words = "dear diary, ".repeat(1000);
    std::fs::write(&path, &words).unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), words);
}

#[tokio::test]
async fn a_half_written_database_is_refused_wherever_it_was_cut() {
    let database = TestDatabase::sqlite();
    let store = database.open(MIGRATIONS).await;
    for n in 0..50i64 {
        store
            .locked(move |tx| {
                tx.execute(
                    "insert into notes (note_id, words) values ($1, $2)",
                    params![n, "word ".repeat(300)],
                )
            })
            .await
            .unwrap();
    }
    store.close().await;
    let whole = std::fs::read(path_of(&database)).unwrap();
    assert!(whole.len() > 40_000, "closing moved the log into the file: {}", whole.len());
    for length in [1, 99, 100, 4095, 4096, 5000, 8192, whole.len() / 2, whole.len() - 1] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terrane.db");
        std::fs::write(&path, &whole[..length]).unwrap();
        let outcome = open(&path).await.map(drop);
        assert!(matches!(outcome, Err(OpenError::Damaged { .. })), "cut at {length}: {outcome:?}");
        assert_eq!(std::fs::read(&path).unwrap(), whole[..length], "cut at {length}: left alone");
    }
    open(&path_of(&database)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_refused_with_a_sentence_and_without_the_password() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (url, expected) in [
        (format!("postgres://ann:s3cret@127.0.0.1:{port}/terrane"), "cannot connect to the database server"),
        (format!("postgres://ann:s3cret@127.0.0.1:{port}/terrane?sslmode=require"), "asks for TLS"),
        (format!("postgres://ann:s3cret@127.0.0.1:{port}/terrane?sslmode=verify-full"), "asks for TLS"),
        ("postgres://ann:s3cret@127.0.0.1:huge/terrane".to_owned(), "address is not understood"),
        ("mysql://ann:s3cret@127.0.0.1/terrane".to_owned(), "address is not understood"),
    ] {
        let config = StoreConfig::Postgres { url, max_connections: 2 };
        assert!(!format!("{config:?}").contains("s3cret"));
        let error = Store::open(config).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}
