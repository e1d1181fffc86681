//! How many sockets this process may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that a process has open beside its sockets.
const OTHER_FILES: u64 = 64;

/// More sockets are wanted than the system allows this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{sockets} sockets need {needed} open files and this process may have {allowed}: raise the hard limit \
     (`ulimit -Hn`), or share the bots among several processes and add their reports up"
)]
pub struct TooFewFiles {
    /// Wanted.
    pub sockets: usize,
    /// With what else is open.
    pub needed: u64,
    /// The hard limit.
    pub allowed: u64,
}

/// Raises the soft limit of open files as far as `sockets` need it.
pub fn allow_sockets(sockets: usize) -> Result<(), TooFewFiles> {
    let needed = sockets as u64 + OTHER_FILES;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit { current: maximum.map_or(Some(needed), Some), maximum };
    if maximum.is_some_and(|maximum| maximum < needed) || setrlimit(Resource::Nofile, raised).is_err() {
        return Err(TooFewFiles { sockets, needed, allowed: maximum.or(current).unwrap_or_default() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_sockets_are_allowed_and_too_many_are_refused_in_words() {
        assert_eq!(allow_sockets(10), Ok(()));
        // Where files are not limited nothing can be refused.
        if getrlimit(Resource::Nofile).maximum.is_some() {
            let refused = allow_sockets(usize::MAX >> 8).unwrap_err();
            assert!(refused.to_string().contains("raise the hard limit"), "{refused}");
        }
    }
}
