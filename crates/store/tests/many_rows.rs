//! One statement over many rows does the same on both engines.

use store::testing::{for_each_engine, prepare_all};
use store::{Error, Migration, Store, Value, params};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "tests",
    sql: "
create table purses (
  purse_id uuid not null primary key,
  coins bigint not null,
  label text,
  seal bytea,
  opened_at timestamptz,
  is_open boolean,
  weight double precision,
  constraint purses_not_negative check (coins >= 0)
);
",
}];

store::statements! {
    ADD = "insert into purses (purse_id, coins, label, seal, opened_at, is_open, weight) \
           select purse_id, coins, label, seal, opened_at, is_open, weight \
           from rows(purse_id uuid, coins bigint, label text, seal bytea, opened_at timestamptz, is_open boolean, \
           weight double precision) where true on conflict (purse_id) do nothing";
    GET = "select p.purse_id, p.coins, p.label, p.seal, p.opened_at, p.is_open, p.weight \
           from rows(purse_id uuid) join purses p on p.purse_id = rows.purse_id order by p.purse_id for update";
    TAKE = "update purses set coins = coins - rows.taken from rows(purse_id uuid, taken bigint) \
            where purses.purse_id = rows.purse_id and coins - rows.taken >= 0 \
            returning purses.purse_id, purses.coins";
    TAKE_BLINDLY = "update purses set coins = coins - rows.taken from rows(purse_id uuid, taken bigint) \
                    where purses.purse_id = rows.purse_id";
    DROP = "delete from purses where purse_id in (select purse_id from rows(purse_id uuid))";
    ALL = "select coins from purses order by purse_id";
    ONE = "select coins from purses where purse_id = $1 for update";
}

fn id(n: u8) -> [u8; 16] {
    [n; 16]
}

fn purse(n: u8, coins: i64) -> Vec<Value> {
    let nothing = Value::Null;
    let mut row = params![id(n), coins].to_vec();
    row.resize(7, nothing);
    row
}

async fn execute(store: &Store, sql: &'static str, rows: Vec<Vec<Value>>) -> Result<u64, Error> {
    store.locked(move |tx| tx.execute_rows(sql, &rows)).await
}

async fn all(store: &Store) -> Vec<i64> {
    store
        .read(|tx| tx.query(ALL, params![])?.iter().map(|it| it.get(0)).collect())
        .await
        .expect("it can be read")
}

#[test]
fn every_statement_is_understood() {
    for_each_engine(MIGRATIONS, async |store| prepare_all(&store, &[STATEMENTS]).await);
}

#[test]
fn every_type_and_null_come_back_as_they_went_in() {
    for_each_engine(MIGRATIONS, async |store| {
        let full = params![
            id(1),
            i64::MIN + 1 + i64::MAX,
            "it's {a, \"b\"}",
            vec![0u8, 255],
            1_763_715_600_000_001i64,
            true,
            -0.125
        ];
        let other = params![id(2), 7, "", Vec::<u8>::new(), -1i64, false, 1e300];
        let rows = vec![full.to_vec(), purse(3, 5), other.to_vec()];
        assert_eq!(execute(&store, ADD, rows).await, Ok(3));
        let ids: Vec<Vec<Value>> = [9, 3, 1, 2].map(|n| params![id(n)].to_vec()).to_vec();
        let mut found = store.locked(move |tx| tx.query_rows(GET, &ids)).await.unwrap();
        found.sort_by_key(|it| it.get::<[u8; 16]>(0).unwrap());
        assert_eq!(found.len(), 3, "the ninth is not there");
        assert_eq!(found[0].get::<Option<String>>(2), Ok(Some("it's {a, \"b\"}".to_owned())));
        assert_eq!(found[0].get::<Vec<u8>>(3), Ok(vec![0, 255]));
        assert_eq!(found[0].get::<i64>(4), Ok(1_763_715_600_000_001));
        assert_eq!((found[0].get::<bool>(5), found[0].get::<f64>(6)), (Ok(true), Ok(-0.125)));
        assert_eq!((found[1].get::<String>(2), found[1].get::<Vec<u8>>(3)), (Ok(String::new()), Ok(vec![])));
        assert_eq!((found[1].get::<i64>(4), found[1].get::<bool>(5)), (Ok(-1), Ok(false)));
        for column in 2..7 {
            assert_eq!(found[2].get::<Option<String>>(column), Ok(None), "column {column}");
        }
    });
}

#[test]
fn of_no_rows_nothing_is_asked() {
    for_each_engine(MIGRATIONS, async |store| {
        assert_eq!(execute(&store, ADD, Vec::new()).await, Ok(0));
        assert_eq!(store.locked(|tx| tx.query_rows(GET, &[])).await, Ok(Vec::new()));
        assert_eq!(execute(&store, ADD, vec![purse(1, 5)]).await, Ok(1));
        assert_eq!(execute(&store, ADD, vec![purse(1, 6), purse(2, 7)]).await, Ok(1), "one is there already");
        assert_eq!(all(&store).await, [5, 7]);
        let ids = vec![params![id(1)].to_vec(), params![id(2)].to_vec(), params![id(3)].to_vec()];
        assert_eq!(execute(&store, DROP, ids).await, Ok(2));
    });
}

#[test]
fn rows_of_another_width_and_statements_without_rows_are_refused() {
    for_each_engine(MIGRATIONS, async |store| {
        let narrow = execute(&store, TAKE, vec![params![id(1), 1].to_vec(), params![id(1)].to_vec()]).await;
        assert_eq!(narrow, Err(Error::Parameters { expected: 2, given: 1 }));
        let wide = execute(&store, TAKE, vec![params![id(1), 1, 2].to_vec()]).await;
        assert_eq!(wide, Err(Error::Parameters { expected: 2, given: 3 }));
        let none = execute(&store, ALL, vec![params![1].to_vec()]).await;
        assert!(matches!(none, Err(Error::Statement { .. })), "{none:?}");
        let mut bad = purse(1, 1);
        bad[2] = Value::Text("a\0b".to_owned());
        assert_eq!(execute(&store, ADD, vec![bad]).await, Err(Error::NotPortable));
        assert_eq!(all(&store).await, [0i64; 0]);
    });
}

#[test]
fn a_guarded_update_gives_the_rows_it_changed() {
    for_each_engine(MIGRATIONS, async |store| {
        execute(&store, ADD, (1..=4).map(|n| purse(n, 10)).collect()).await.unwrap();
        let takes = [(1, 10), (2, 11), (3, 0), (4, 4)].map(|(n, taken)| params![id(n), taken].to_vec());
        let mut changed: Vec<(u8, i64)> = store
            .locked(move |tx| tx.query_rows(TAKE, &takes))
            .await
            .unwrap()
            .iter()
            .map(|it| (it.get::<[u8; 16]>(0).unwrap()[0], it.get(1).unwrap()))
            .collect();
        changed.sort_unstable();
        assert_eq!(changed, [(1, 0), (3, 10), (4, 6)], "the second has not enough");
    });
}

#[test]
fn one_refused_row_undoes_all() {
    for_each_engine(MIGRATIONS, async |store| {
        execute(&store, ADD, (1..=3).map(|n| purse(n, 10)).collect()).await.unwrap();
        let takes = [(1, 1), (2, 99), (3, 1)].map(|(n, taken)| params![id(n), taken].to_vec()).to_vec();
        let refused = execute(&store, TAKE_BLINDLY, takes).await;
        assert_eq!(refused, Err(Error::Check { constraint: "purses_not_negative".to_owned() }));
        assert_eq!(all(&store).await, [10, 10, 10]);
    });
}

#[test]
fn a_query_may_take_what_it_reads() {
    for_each_engine(MIGRATIONS, async |store| {
        execute(&store, ADD, vec![purse(1, 0)]).await.unwrap();
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    store
                        .locked(|tx| {
                            let coins: i64 = tx.query_one(ONE, params![id(1)])?.get(0)?;
                            tx.execute_rows(TAKE_BLINDLY, &[params![id(1), -coins - 1 + coins].to_vec()])
                        })
                        .await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(1));
        }
        assert_eq!(all(&store).await, [20]);
    });
}
