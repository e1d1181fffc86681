//! The limit: how often, and how late, the disk itself says that eight kibibytes are safe.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Instant;

use crate::Latencies;

/// One page of either database's log.
const PAGE_BYTES: usize = 8192;
const PAGES: u64 = 64;

/// Writes a page and waits for it, again and again.
pub(crate) fn syncs(folder: &Path, seconds: f64) -> anyhow::Result<Latencies> {
    let mut file = File::create(folder.join("sync"))?;
    file.set_len(PAGES * PAGE_BYTES as u64)?;
    file.sync_all()?;
    let page = vec![0x5a; PAGE_BYTES];
    let (began, mut latencies) = (Instant::now(), Latencies::default());
    let mut number = 0;
    while began.elapsed().as_secs_f64() < seconds {
        let at = Instant::now();
        file.seek(SeekFrom::Start(number % PAGES * PAGE_BYTES as u64))?;
        file.write_all(&page)?;
        file.sync_data()?;
        latencies.add(at.elapsed());
        number += 1;
    }
    latencies.elapsed_s = began.elapsed().as_secs_f64();
    Ok(latencies)
}
