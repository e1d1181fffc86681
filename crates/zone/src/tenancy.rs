//! The lease of a running process: renewed by a task, asked by the tick thread.

use crate::clock::Clock;
use crate::handle::{Keeping, OpenError};
use crate::host::PlanetGround;
use crate::journal::{self, Folder, Journal as _, Locked, Person};
use crate::lease::{self, LEASE_S, MARGIN_S, RENEW_S};
use crate::world::{World, WorldConfig};
use planet::Planet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use store::Store;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};
use uuid::Uuid;

/// What is known of our lease.
pub(crate) struct Tenancy {
    epoch: u64,
    /// Until when it is surely ours, in milliseconds of the clock.
    until_ms: AtomicU64,
    is_lost: AtomicBool,
}

impl Tenancy {
    /// A lease that was asked for at `asked`.
    pub(crate) fn new(epoch: u64, asked: Duration) -> Self {
        let tenancy = Self { epoch, until_ms: AtomicU64::new(0), is_lost: AtomicBool::new(false) };
        tenancy.prolong(asked);
        tenancy
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    fn prolong(&self, asked: Duration) {
        let until = asked + Duration::from_secs(LEASE_S - MARGIN_S);
        self.until_ms.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether nobody else can have it.
    pub(crate) fn is_valid(&self, now: Duration) -> bool {
        now.as_millis() < u128::from(self.until_ms.load(Ordering::Relaxed))
    }

    /// Whether somebody else has it.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    fn lose(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
    }
}

/// A lease and the task that renews it.
pub(crate) struct Rented {
    pub(crate) tenancy: Arc<Tenancy>,
    pub(crate) renewing: JoinHandle<()>,
}

impl Rented {
    /// The next may have it at once.
    pub(crate) async fn let_go(&self, store: &Store, clock: &Arc<dyn Clock>) {
        if let Err(error) = lease::release(store, self.tenancy.epoch(), now_us(clock)).await {
            warn!(%error, "the lease could not be let go; it runs out by itself");
        }
    }
}

/// The journal's folder, and the lease that goes with it.
pub(crate) struct Taken {
    pub(crate) folder: Folder,
    pub(crate) tenancy: Arc<Tenancy>,
}

/// The name of the folder itself, by which its former holder is known.
const HOME_FILE: &str = "home";
/// A stretch of the journal is so long.
const STRETCH_S: u64 = 10;

/// Takes the folder and then the lease.
pub(crate) async fn rent(
    store: &Store,
    clock: &Arc<dyn Clock>,
    keeping: &Keeping,
) -> Result<Taken, OpenError> {
    let path = keeping.folder.clone();
    let (locked, home) = on_own_thread(move || {
        let locked = Folder::lock(&path)?;
        let home = home_of(&path)?;
        Ok::<(Locked, Uuid), journal::Error>((locked, home))
    })
    .await?;
    let asked = clock.elapsed();
    let epoch = lease::take(store, home, now_us(clock)).await?;
    let stretches =
        usize::try_from(keeping.past.as_secs() / STRETCH_S).unwrap_or(usize::MAX).saturating_add(1);
    let folder = on_own_thread(move || locked.open(epoch, stretches)).await?;
    Ok(Taken { folder, tenancy: Arc::new(Tenancy::new(epoch, asked)) })
}

/// What a folder's journal says of the world.
type Found = Option<(World<PlanetGround>, Vec<Person>)>;

/// The world as it was last; none if there was none or it cannot be read.
pub(crate) async fn find_world(
    folder: Folder,
    config: WorldConfig,
    planet: Arc<Planet>,
    clock: Arc<dyn Clock>,
) -> Result<(Found, Folder), OpenError> {
    let found = on_own_thread(move || {
        let stretch = folder.read_back()?;
        let restored = stretch.map(|stretch| World::restore(config, PlanetGround(planet), clock, &stretch));
        let world = match restored {
            Some(Ok((world, people))) => {
                if !people.is_empty() {
                    info!(
                        people = people.len(),
                        tick = world.tick_count(),
                        "the world goes on where it ended"
                    );
                }
                Some((world, people))
            }
            Some(Err(error)) => {
                error!(%error, "the journal cannot be read: everybody comes back where they were last saved");
                None
            }
            None => None,
        };
        Ok::<_, journal::Error>((world, folder))
    });
    Ok(found.await?)
}

/// Made the first time.
fn home_of(path: &Path) -> std::io::Result<Uuid> {
    let file = path.join(HOME_FILE);
    match std::fs::read_to_string(&file) {
        Ok(text) => Uuid::parse_str(text.trim()).map_err(std::io::Error::other),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let home = Uuid::from_u128(rand::random());
            std::fs::write(&file, home.to_string())?;
            Ok(home)
        }
        Err(error) => Err(error),
    }
}

fn now_us(clock: &Arc<dyn Clock>) -> i64 {
    (clock.unix_ms() * 1e3) as i64
}

async fn on_own_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// Renews the lease until it is lost or this is aborted.
pub(crate) async fn keep(tenancy: Arc<Tenancy>, store: Store, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(Duration::from_secs(RENEW_S)).await;
        let asked = clock.elapsed();
        match lease::renew(&store, tenancy.epoch(), now_us(&clock)).await {
            Ok(true) => tenancy.prolong(asked),
            Ok(false) => {
                error!(epoch = tenancy.epoch(), "the lease of this process has been given to another");
                tenancy.lose();
                return;
            }
            Err(error) => {
                warn!(%error, "the lease could not be renewed; the world stands still if that goes on");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_that_is_not_renewed_ends_before_anybody_else_can_have_it() {
        let tenancy = Tenancy::new(1, Duration::from_secs(100));
        let ends = 100 + LEASE_S;
        assert!(tenancy.is_valid(Duration::from_secs(ends - MARGIN_S - 1)));
        assert!(!tenancy.is_valid(Duration::from_secs(ends - MARGIN_S)));
        tenancy.prolong(Duration::from_secs(105));
        assert!(tenancy.is_valid(Duration::from_secs(ends - MARGIN_S)));
    }
}
