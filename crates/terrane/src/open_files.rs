//! How many files, and so sockets, this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{debug, warn};

/// What is open beside connections: the database, logs, the planet.
const OTHERS: u64 = 128;

/// Takes as many as this user may have, and warns if that is fewer than the configuration promises.
pub(crate) fn allow(connections_max: usize, sockets_max: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            debug!(%error, "the limit of open files stays as it is");
            limit.current
        }
    };
    let wanted = connections_max.max(sockets_max) as u64 + OTHERS;
    // None: without limit.
    if let Some(allowed) = allowed.filter(|allowed| *allowed < wanted) {
        warn!(
            allowed,
            wanted,
            "this user may open fewer files than http.connections_max or http.sockets_max: raise the limit (ulimit -n, \
             LimitNOFILE in systemd), or lower them"
        );
    }
}
