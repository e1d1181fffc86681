//! The peer that comes with the database: pgbench's TPC-B-like transaction on the same server.

use std::process::Command;

use anyhow::{Context as _, ensure};
use postgres::{Client, NoTls};

const SCALE: &str = "10";
const DATABASE: &str = "pgbench";

pub(crate) struct Pgbench {
    program: String,
    url: String,
}

impl Pgbench {
    /// Makes its database; to be called from the project's folder.
    pub(crate) fn prepare(url: &str) -> anyhow::Result<Self> {
        let found = Command::new("scripts/postgres-bin").output().context("scripts/postgres-bin")?;
        let folder = String::from_utf8(found.stdout)?;
        Client::connect(url, NoTls)?.batch_execute(&format!("create database {DATABASE}"))?;
        let base = url.rsplit_once('/').context("an address with a database")?.0;
        let this = Self { program: format!("{}/pgbench", folder.trim()), url: format!("{base}/{DATABASE}") };
        this.run(&["-i", "-q", "-s", SCALE])?;
        Ok(this)
    }

    /// Transactions a second.
    pub(crate) fn rate(&self, clients: u32, seconds: u32) -> anyhow::Result<f64> {
        let (clients, seconds) = (clients.to_string(), seconds.to_string());
        let text = self.run(&["-n", "-M", "prepared", "-j", "1", "-c", &clients, "-T", &seconds])?;
        let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        tps.with_context(|| format!("pgbench said {text}"))
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.program).args(arguments).arg(&self.url).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench {arguments:?}: {said}");
        Ok(String::from_utf8(output.stdout)?)
    }
}
