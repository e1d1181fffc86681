//! Sales against what the same databases do at best, round by round.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use postgres::{Client, NoTls};
use store::{Store, StoreConfig};
use tokio::runtime::Runtime;

use crate::load::{self, Size};
use crate::pgbench::Pgbench;
use crate::sales::{Market, migrations};
use crate::server::Server;
use crate::{Latencies, bare, disk};

/// Enough listings for all rounds on the fastest disk.
const SIZE: Size = Size { parcels: 300_000, legs: 1_500_000, listings: 300_000 };
const CLIENTS: u64 = 64;
const SECONDS: f64 = 2.0;
const BATCH: u32 = 500;

/// Figures of one name over the rounds.
type Table = BTreeMap<&'static str, Vec<f64>>;

pub(crate) fn measure(url: &str, rounds: u32) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let runtime = Runtime::new()?;
    eprintln!("loading {} parcels and {} legs into both engines", SIZE.parcels, SIZE.legs);
    let file = folder.path().join("planet.db");
    let ours_sqlite = StoreConfig::Sqlite { path: file.clone() };
    migrate(&runtime, &ours_sqlite)?;
    load::sqlite(&file, SIZE)?;
    let ours_url = database(url, "sales")?;
    // As many connections as a server of this program opens.
    let ours_postgres = StoreConfig::Postgres { url: ours_url.clone(), max_connections: 8 };
    migrate(&runtime, &ours_postgres)?;
    load::postgres(&ours_url, SIZE)?;
    bare::prepare(url)?;
    let pgbench = Pgbench::prepare(url)?;
    let server = Server::of(url)?;

    let mut table = Table::new();
    let sqlite_store = runtime.block_on(Store::open(ours_sqlite))?;
    let postgres_store = runtime.block_on(Store::open(ours_postgres))?;
    let (on_sqlite, on_postgres) = runtime.block_on(async {
        anyhow::Ok((
            Arc::new(Market::open(&sqlite_store, SIZE)?),
            Arc::new(Market::open(&postgres_store, SIZE)?),
        ))
    })?;
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        one_round(&mut table, &runtime, folder.path(), url, &server, &pgbench, &on_sqlite, &on_postgres)?;
    }
    runtime.block_on(async {
        for market in [on_sqlite, on_postgres] {
            if let Some(market) = Arc::into_inner(market) {
                market.close().await;
            }
        }
        sqlite_store.close().await;
        postgres_store.close().await;
    });
    print(&mut table);
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "everything that takes its turn")]
fn one_round(
    table: &mut Table,
    runtime: &Runtime,
    folder: &Path,
    url: &str,
    server: &Server,
    pgbench: &Pgbench,
    on_sqlite: &Arc<Market>,
    on_postgres: &Arc<Market>,
) -> anyhow::Result<()> {
    let mut note = |name, value| table.entry(name).or_default().push(value);
    let mut syncs = disk::syncs(folder, 1.0)?;
    note("disk: fdatasync/s", syncs.per_s());
    let sync_p95_ms = syncs.quantile_ms(0.95);
    note("disk: p95 ms", sync_p95_ms);

    note("sqlite bare, 1 a commit", bare::sqlite(folder, 1, SECONDS)?);
    note("sqlite bare, 500 a commit", bare::sqlite(folder, BATCH, SECONDS)?);
    let one = runtime.block_on(on_sqlite.sell(1, SECONDS))?;
    note("sqlite sales, 1 client", one.per_s());
    let used = own_cpu_s();
    let mut many = runtime.block_on(on_sqlite.sell(CLIENTS, SECONDS))?;
    note("sqlite sales, 64 clients: own CPU us", (own_cpu_s() - used) * 1e6 / many.count() as f64);
    note("sqlite sales, 64 clients", many.per_s());
    note("sqlite sales, 64 clients: p95 ms", many.quantile_ms(0.95));
    note("sqlite sales, 64 clients: p95 / disk p95", many.quantile_ms(0.95) / sync_p95_ms);

    let cpu_us = |used: f64, count: usize| (server.cpu_s() - used) * 1e6 / count as f64;
    let used = server.cpu_s();
    let (rate, all) = bare::postgres(url, 1, SECONDS)?;
    note("postgres bare, 1 connection: CPU us", cpu_us(used, all.count()));
    note("postgres bare, 1 connection", rate);
    let used = server.cpu_s();
    let (rate, all) = bare::postgres(url, CLIENTS as u32, SECONDS)?;
    note("postgres bare, 64 connections: CPU us", cpu_us(used, all.count()));
    note("postgres bare, 64 connections", rate);
    let used = server.cpu_s();
    let rate = bare::postgres_batches(url, BATCH, SECONDS)?;
    note("postgres bare, 500 a commit: CPU us", cpu_us(used, (rate * SECONDS) as usize));
    note("postgres bare, 500 a commit", rate);
    let mut best = 0.0_f64;
    for clients in [1, 16, 64] {
        best = best.max(pgbench.rate(clients, SECONDS as u32)?);
    }
    note("pgbench TPC-B, best of 1, 16, 64 clients", best);
    let one = runtime.block_on(on_postgres.sell(1, SECONDS))?;
    note("postgres sales, 1 client", one.per_s());
    let used = server.cpu_s();
    let mut many: Latencies = runtime.block_on(on_postgres.sell(CLIENTS, SECONDS))?;
    note("postgres sales, 64 clients: CPU us", cpu_us(used, many.count()));
    note("postgres sales, 64 clients", many.per_s());
    note("postgres sales, 64 clients: p95 ms", many.quantile_ms(0.95));
    note("postgres sales, 64 clients: p95 / disk p95", many.quantile_ms(0.95) / sync_p95_ms);
    Ok(())
}

/// The figures, and the ratios that are goals.
fn print(table: &mut Table) {
    const RATIOS: [(&str, &str, &str); 8] = [
        ("sqlite: 64 clients / bare one at a time", "sqlite sales, 64 clients", "sqlite bare, 1 a commit"),
        ("sqlite: 64 clients / one client", "sqlite sales, 64 clients", "sqlite sales, 1 client"),
        (
            "postgres: 64 clients / bare one at a time",
            "postgres sales, 64 clients",
            "postgres bare, 1 connection",
        ),
        ("postgres: 64 clients / one client", "postgres sales, 64 clients", "postgres sales, 1 client"),
        (
            "postgres: 64 clients / bare on 64 connections",
            "postgres sales, 64 clients",
            "postgres bare, 64 connections",
        ),
        (
            "postgres: 64 clients / pgbench at its best",
            "postgres sales, 64 clients",
            "pgbench TPC-B, best of 1, 16, 64 clients",
        ),
        (
            "postgres CPU: bare on 64 connections / a sale",
            "postgres bare, 64 connections: CPU us",
            "postgres sales, 64 clients: CPU us",
        ),
        (
            "postgres CPU: a sale / bare batch",
            "postgres sales, 64 clients: CPU us",
            "postgres bare, 500 a commit: CPU us",
        ),
    ];
    let ratios: Vec<(&str, Vec<f64>)> = RATIOS
        .into_iter()
        .map(|(name, ours, theirs)| {
            let pairs = table[ours].iter().zip(&table[theirs]);
            (name, pairs.map(|(ours, theirs)| ours / theirs).collect())
        })
        .collect();
    println!("\n| figure | median | least | most |\n|---|---|---|---|");
    for (name, values) in table.iter_mut() {
        row(name, values);
    }
    println!("\n| ratio within a round | median | least | most |\n|---|---|---|---|");
    for (name, mut values) in ratios {
        row(name, &mut values);
    }
}

fn row(name: &str, values: &mut [f64]) {
    values.sort_by(f64::total_cmp);
    let show = |it: f64| if it >= 100.0 { format!("{it:.0}") } else { format!("{it:.2}") };
    let (least, most) = (values[0], values[values.len() - 1]);
    println!("| {name} | {} | {} | {} |", show(values[values.len() / 2]), show(least), show(most));
}

pub(crate) fn migrate(runtime: &Runtime, config: &StoreConfig) -> anyhow::Result<()> {
    runtime.block_on(async {
        let store = Store::open(config.clone()).await?;
        store.migrate(&migrations()).await?;
        store.close().await;
        Ok(())
    })
}

/// A new database on the server; its address.
pub(crate) fn database(url: &str, name: &str) -> anyhow::Result<String> {
    Client::connect(url, NoTls)?.batch_execute(&format!("create database {name}"))?;
    let base = url.rsplit_once('/').map_or(url, |it| it.0);
    Ok(format!("{base}/{name}"))
}

/// User and system time of this process.
fn own_cpu_s() -> f64 {
    crate::server::cpu_s_of(std::process::id())
}
