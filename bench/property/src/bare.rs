//! What a database does at best with a bare transfer: two balances changed, one of them guarded, two entries written.
//! No rules, no keys, no titles: the limit that the whole service is held against.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use rusqlite::Connection;

use crate::{Latencies, Random};

const ACCOUNTS: i64 = 10_000;
/// Enough that nobody runs dry.
const FUNDS: i64 = 1_000_000_000;

const TABLES: &str = "
create table bare_accounts (account_id bigint primary key, balance bigint not null);
create table bare_entries (transfer_id bigint not null, account_id bigint not null, amount bigint not null);
create index bare_entries_by_account on bare_entries (account_id);
";

/// One transfer in one statement and one round trip.
const ONE: &str = "
with taken as (update bare_accounts set balance = balance - $3::bigint where account_id = $1::bigint and balance >= $3 returning 1),
given as (update bare_accounts set balance = balance + $3::bigint where account_id = $2::bigint and exists (select 1 from taken) returning 1)
insert into bare_entries select $4::bigint, $1::bigint, -$3::bigint where exists (select 1 from given) union all select $4::bigint, $2::bigint, $3::bigint where exists (select 1 from given)";

/// Many transfers, each table touched by one statement.
const TAKE_MANY: &str = "update bare_accounts a set balance = a.balance + d.amount from \
    (select account_id, sum(amount)::bigint as amount from unnest($1::bigint[], $2::bigint[]) as r(account_id, amount) \
     group by account_id) d where a.account_id = d.account_id and a.balance + d.amount >= 0";
const WRITE_MANY: &str =
    "insert into bare_entries select * from unnest($1::bigint[], $2::bigint[], $3::bigint[])";

fn pair(random: &mut Random) -> (i64, i64) {
    let from = random.below(ACCOUNTS as u64) as i64;
    (from, (from + 1 + random.below(ACCOUNTS as u64 - 1) as i64) % ACCOUNTS)
}

/// `SQLite`, every commit on disk, `per_commit` transfers in each, one writer.
pub(crate) fn sqlite(folder: &Path, per_commit: u32, seconds: f64) -> anyhow::Result<f64> {
    let mut db = Connection::open(folder.join(format!("bare-{per_commit}.db")))?;
    db.execute_batch("pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -65536")?;
    let is_new = !db.table_exists(None, "bare_accounts")?;
    if is_new {
        db.execute_batch(TABLES)?;
        let tx = db.transaction()?;
        for account in 0..ACCOUNTS {
            tx.execute("insert into bare_accounts values (?1, ?2)", (account, FUNDS))?;
        }
        tx.commit()?;
    }
    let (began, mut transfers, mut random) = (Instant::now(), 0_i64, Random(7));
    while began.elapsed().as_secs_f64() < seconds {
        let tx = db.transaction()?;
        {
            let mut take = tx.prepare_cached(
                "update bare_accounts set balance = balance - ?2 where account_id = ?1 and balance >= ?2",
            )?;
            let mut give =
                tx.prepare_cached("update bare_accounts set balance = balance + ?2 where account_id = ?1")?;
            let mut write = tx.prepare_cached("insert into bare_entries values (?1, ?2, ?3)")?;
            for _ in 0..per_commit {
                let (from, to) = pair(&mut random);
                take.execute((from, 7))?;
                give.execute((to, 7))?;
                write.execute((transfers, from, -7))?;
                write.execute((transfers, to, 7))?;
                transfers += 1;
            }
        }
        tx.commit()?;
    }
    Ok(transfers as f64 / began.elapsed().as_secs_f64())
}

/// Makes the tables on a `PostgreSQL` server.
pub(crate) fn prepare(url: &str) -> anyhow::Result<()> {
    let mut client = Client::connect(url, NoTls)?;
    client.batch_execute("drop table if exists bare_accounts, bare_entries")?;
    client.batch_execute(TABLES)?;
    client.execute(
        "insert into bare_accounts select n, $1::bigint from generate_series(0, $2::bigint - 1) as n",
        &[&FUNDS, &ACCOUNTS],
    )?;
    client.batch_execute("vacuum analyze bare_accounts")?;
    Ok(())
}

/// `PostgreSQL`, `connections` at once, each one transfer per commit in one statement.
pub(crate) fn postgres(url: &str, connections: u32, seconds: f64) -> anyhow::Result<(f64, Latencies)> {
    let (is_over, transfers) = (AtomicBool::new(false), AtomicU64::new(0));
    let clients: Result<Vec<_>, _> = (0..connections).map(|_| Client::connect(url, NoTls)).collect();
    let began = Instant::now();
    let latencies = std::thread::scope(|scope| -> anyhow::Result<Latencies> {
        let workers: Vec<_> = clients?
            .into_iter()
            .enumerate()
            .map(|(number, mut client)| {
                let (is_over, transfers) = (&is_over, &transfers);
                scope.spawn(move || -> anyhow::Result<Latencies> {
                    let statement = client.prepare(ONE)?;
                    let (mut random, mut latencies) = (Random(number as u64 + 1), Latencies::default());
                    while !is_over.load(Ordering::Relaxed) {
                        let (from, to) = pair(&mut random);
                        let id = transfers.fetch_add(1, Ordering::Relaxed) as i64;
                        let at = Instant::now();
                        // Two that meet in a circle: the server ends one of them, who tries again.
                        while let Err(error) = client.execute(&statement, &[&from, &to, &7_i64, &id]) {
                            let is_deadlock =
                                error.code() == Some(&postgres::error::SqlState::T_R_DEADLOCK_DETECTED);
                            anyhow::ensure!(is_deadlock, error);
                        }
                        latencies.add(at.elapsed());
                    }
                    Ok(latencies)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs_f64(seconds));
        is_over.store(true, Ordering::Relaxed);
        let mut all = Latencies::default();
        for worker in workers {
            all.join(worker.join().expect("a worker does not panic")?);
        }
        Ok(all)
    })?;
    let elapsed_s = began.elapsed().as_secs_f64();
    Ok((latencies.count() as f64 / elapsed_s, latencies))
}

/// `PostgreSQL`, one connection, `per_commit` transfers in two statements.
pub(crate) fn postgres_batches(url: &str, per_commit: u32, seconds: f64) -> anyhow::Result<f64> {
    let mut client = Client::connect(url, NoTls)?;
    let (take, write) = (client.prepare(TAKE_MANY)?, client.prepare(WRITE_MANY)?);
    let (began, mut transfers, mut random) = (Instant::now(), 0_i64, Random(7));
    while began.elapsed().as_secs_f64() < seconds {
        let (mut ids, mut accounts, mut amounts) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..per_commit {
            let (from, to) = pair(&mut random);
            ids.extend([transfers, transfers]);
            accounts.extend([from, to]);
            amounts.extend([-7_i64, 7]);
            transfers += 1;
        }
        let mut tx = client.transaction()?;
        tx.execute(&take, &[&accounts, &amounts])?;
        tx.execute(&write, &[&ids, &accounts, &amounts])?;
        tx.commit()?;
    }
    Ok(transfers as f64 / began.elapsed().as_secs_f64())
}
