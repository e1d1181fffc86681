//! Sudden death: what was acknowledged is there afterwards, and nothing is there by half.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use store::testing::TestDatabase;
use store::{Migration, Store, StoreConfig, params};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "pairs",
    sql: "
create table lefts (number bigint not null primary key);
create table rights (number bigint not null primary key);
",
}];

/// Where the child finds its database, and the first number it writes.
const PATH: &str = "TERRANE_CRASH_TEST_PATH";
const FIRST: &str = "TERRANE_CRASH_TEST_FIRST";

const ROUNDS: i64 = 6;
const NUMBERS_A_ROUND: i64 = 1_000_000;
const WRITERS: i64 = 8;

#[tokio::test]
async fn after_a_kill_everything_acknowledged_is_there_and_nothing_by_half() {
    let database = TestDatabase::sqlite();
    let StoreConfig::Sqlite { path } = database.config() else { panic!("not the embedded engine") };
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "write_until_killed", "--ignored", "--nocapture"])
            .env(PATH, &path)
            .env(FIRST, (round * NUMBERS_A_ROUND).to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let numbers = lines.by_ref().filter_map(|line| line.strip_prefix("ack ")?.parse::<i64>().ok());
        // Another moment each round.
        acknowledged.extend(numbers.take(50 + 37 * round as usize));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(lines.filter_map(|line| line.strip_prefix("ack ")?.parse::<i64>().ok()));

        let store = database.open(MIGRATIONS).await;
        let [lefts, rights] =
            ["select number from lefts order by number", "select number from rights order by number"].map(
                |sql| {
                    let store = store.clone();
                    async move {
                        let rows = store.read(move |tx| tx.query(sql, params![])).await.unwrap();
                        rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>, _>>().unwrap()
                    }
                },
            );
        let (lefts, rights) = (lefts.await, rights.await);
        store.close().await;
        assert_eq!(lefts, rights, "round {round}: a half of a pair");
        let lost: Vec<_> = acknowledged.iter().filter(|it| lefts.binary_search(it).is_err()).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} lost of {}", acknowledged.len());
    }
    assert!(acknowledged.len() > 500, "only {} were acknowledged", acknowledged.len());
}

/// The child: writes pairs from several tasks and says so after each.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above, which kills it"]
async fn write_until_killed() {
    let (Ok(path), Ok(first)) = (std::env::var(PATH), std::env::var(FIRST)) else { return };
    let first: i64 = first.parse().unwrap();
    let store = Store::open(StoreConfig::Sqlite { path: path.into() }).await.unwrap();
    store.migrate(MIGRATIONS).await.unwrap();
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0.. {
                    let number = first + n * WRITERS + writer;
                    let written = store.locked(move |tx| {
                        tx.execute("insert into lefts (number) values ($1)", params![number])?;
                        tx.execute("insert into rights (number) values ($1)", params![number])
                    });
                    written.await.unwrap();
                    writeln!(std::io::stdout(), "ack {number}").unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
