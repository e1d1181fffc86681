//! CPU time that a `PostgreSQL` server on this machine has used: all its processes, those that ended included.

use std::fs;

use anyhow::Context as _;
use postgres::{Client, NoTls};

/// Ticks a second in `/proc`, the same on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// The process that is the parent of all the server's others.
pub(crate) struct Server {
    postmaster: u32,
}

impl Server {
    pub(crate) fn of(url: &str) -> anyhow::Result<Self> {
        let backend: i32 = Client::connect(url, NoTls)?.query_one("select pg_backend_pid()", &[])?.get(0);
        Ok(Self { postmaster: stat(backend as u32).context("the server runs on this machine")?.parent })
    }

    /// In seconds, since the server started.
    pub(crate) fn cpu_s(&self) -> f64 {
        let own = stat(self.postmaster).map_or(0, |it| it.own + it.ended);
        let living: u64 = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .filter_map(|entry| stat(entry.ok()?.file_name().to_str()?.parse().ok()?))
            .filter(|it| it.parent == self.postmaster)
            .map(|it| it.own)
            .sum();
        (own + living) as f64 / TICKS_PER_S
    }
}

/// Of one process alone.
pub(crate) fn cpu_s_of(process: u32) -> f64 {
    stat(process).map_or(0.0, |it| it.own as f64 / TICKS_PER_S)
}

struct Stat {
    parent: u32,
    own: u64,
    ended: u64,
}

/// Fields 4 and 14 to 17 of `/proc/<pid>/stat`; the name before them may hold anything but ends with `)`.
fn stat(process: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat { parent: number(1)? as u32, own: number(11)? + number(12)?, ended: number(13)? + number(14)? })
}
