//! Every type goes in and comes out the same on both engines.

use store::testing::for_each_engine;
use store::{Error, Migration, Row, Value, params};
use uuid::Uuid;

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "tests",
    sql: "
create table things (
  thing_id uuid not null primary key,
  bytes bytea,
  document jsonb,
  at timestamptz,
  is_open boolean,
  count bigint,
  height double precision,
  name text -- a comment; with a semicolon
);
",
}];

const INSERT: &str = "insert into things (thing_id, bytes, document, at, is_open, count, height, name) \
     values ($1, $2, $3, $4, $5, $6, $7, $8) \
     returning thing_id, bytes, document, at, is_open, count, height, name";

#[test]
fn values_come_back_as_they_went_in() {
    for_each_engine(MIGRATIONS, async |store| {
        for (id, at, count, height) in [
            (1u8, 1_700_000_000_123_456i64, i64::MAX, 0.1),
            (2, -1, i64::MIN, -1e300),
            (3, 0, 0, f64::MIN_POSITIVE),
        ] {
            let id = Uuid::from_bytes([id; 16]);
            let row: Row = store
                .locked(move |tx| {
                    tx.query_one(
                        INSERT,
                        params![id, vec![0u8, 255], "{\"a\": 1}", at, true, count, height, "Ōsaka 大阪 👩‍🚀"],
                    )
                })
                .await
                .unwrap();
            assert_eq!(row.get(0), Ok(id));
            assert_eq!(row.get(1), Ok(vec![0u8, 255]));
            assert_eq!(row.get(1), Ok([0u8, 255]));
            assert_eq!(row.get(2), Ok("{\"a\": 1}".to_owned()));
            assert_eq!(row.get(3), Ok(at));
            assert_eq!(row.get(4), Ok(true));
            assert_eq!(row.get(5), Ok(count));
            assert_eq!(row.get(6), Ok(height));
            assert_eq!(row.get(7), Ok("Ōsaka 大阪 👩‍🚀".to_owned()));
        }
    });
}

#[test]
fn null_is_null_of_any_type() {
    for_each_engine(MIGRATIONS, async |store| {
        let row = store
            .locked(|tx| {
                let null = || Value::Null;
                tx.query_one(
                    INSERT,
                    params![[1u8; 16], null(), null(), null(), null(), null(), null(), null()],
                )
            })
            .await
            .unwrap();
        assert_eq!(row.get(1), Ok(None::<Vec<u8>>));
        assert_eq!(row.get(3), Ok(None::<i64>));
        assert_eq!(row.get(4), Ok(None::<bool>));
        assert_eq!(row.get::<i64>(5), Err(Error::Column { column: 5, expected: "integer", found: "null" }));
    });
}

#[test]
fn a_value_of_another_type_is_refused() {
    for_each_engine(MIGRATIONS, async |store| {
        let outcome = store
            .locked(|tx| {
                let null = || Value::Null;
                tx.execute(
                    "insert into things (thing_id, count, name) values ($1, $2, $3)",
                    params![[1u8; 16], "five", null()],
                )
            })
            .await;
        assert!(outcome.is_err(), "{outcome:?}");
    });
}
