//! How much memory this process has used.

/// The most this process has held at once, in millions of bytes; `None` where the system does not tell.
pub(crate) fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    peak_of(&status)
}

/// From the text of `proc_pid_status(5)`.
fn peak_of(status: &str) -> Option<u64> {
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = kibibytes.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024 / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_where_the_system_tells() {
        assert_eq!(peak_of("Name:\tterrane\nVmPeak:\t 900000 kB\nVmHWM:\t  500000 kB\n"), Some(512));
        assert_eq!(peak_of("Name:\tterrane\n"), None);
        assert_eq!(peak_of("VmHWM: a lot\n"), None);
    }
}
