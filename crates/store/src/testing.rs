//! The same test on a fresh database of each engine.
//!
//! `SQLite` always; `PostgreSQL` when `TERRANE_TEST_POSTGRES` holds the address of a server on which databases may be
//! made. With `TERRANE_TEST_POSTGRES_REQUIRED=1` a missing address is a failure, so that nobody believes a run that
//! left it out.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};
use tempfile::TempDir;

use crate::{Engine, Migration, Store, StoreConfig};

/// A database that goes away with this value. It can be opened and closed several times.
#[derive(Debug)]
pub struct TestDatabase {
    config: StoreConfig,
    home: Home,
}

#[derive(Debug)]
enum Home {
    /// Held for its destructor, which removes the folder.
    Folder {
        _folder: TempDir,
    },
    Server {
        url: String,
        name: String,
    },
}

impl TestDatabase {
    /// An empty database in a folder of its own.
    pub fn sqlite() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("terrane-test-")
            .tempdir()
            .expect("the temporary folder can be written");
        Self {
            config: StoreConfig::Sqlite { path: folder.path().join("terrane.db") },
            home: Home::Folder { _folder: folder },
        }
    }

    /// An empty database on the test server, or `None` where there is none.
    pub fn postgres() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(url) = std::env::var("TERRANE_TEST_POSTGRES") else {
            let is_required = std::env::var("TERRANE_TEST_POSTGRES_REQUIRED").is_ok_and(|it| it == "1");
            assert!(!is_required, "TERRANE_TEST_POSTGRES is not set: run this through scripts/with-postgres");
            return None;
        };
        let name = format!("terrane_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        on_server(&url, format!("create database {name}"));
        let mut address: String = url.clone();
        let query = address.find('?').map(|at| address.split_off(at)).unwrap_or_default();
        let host_end = address.find("://").map_or(0, |at| at + 3);
        if let Some(slash) = address[host_end..].find('/') {
            address.truncate(host_end + slash);
        }
        let config = StoreConfig::Postgres { url: format!("{address}/{name}{query}"), max_connections: 8 };
        Some(Self { config, home: Home::Server { url, name } })
    }

    /// One of each engine at hand; with `TERRANE_TEST_ENGINE` (`sqlite`, `postgres`), for long runs, of that one.
    pub fn each() -> Vec<Self> {
        match std::env::var("TERRANE_TEST_ENGINE").as_deref() {
            Ok("sqlite") => vec![Self::sqlite()],
            Ok("postgres") => vec![Self::postgres().expect("TERRANE_TEST_POSTGRES is set")],
            Ok(other) => panic!("TERRANE_TEST_ENGINE={other}: there are sqlite and postgres"),
            Err(_) => std::iter::once(Self::sqlite()).chain(Self::postgres()).collect(),
        }
    }

    /// How to open it.
    pub fn config(&self) -> StoreConfig {
        self.config.clone()
    }

    /// Which engine it is.
    pub fn engine(&self) -> Engine {
        match self.home {
            Home::Folder { .. } => Engine::Sqlite,
            Home::Server { .. } => Engine::Postgres,
        }
    }

    /// Opens it and brings it up to `migrations`.
    pub async fn open(&self, migrations: &[Migration]) -> Store {
        let store = Store::open(self.config()).await.expect("a test database opens");
        store.migrate(migrations).await.expect("the migrations apply");
        store
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Home::Server { url, name } = &self.home {
            on_server(url, format!("drop database if exists {name} with (force)"));
        }
    }
}

/// On a thread of its own, because the driver must not run inside an async runtime.
fn on_server(url: &str, command: String) {
    let url = url.to_owned();
    std::thread::spawn(move || {
        let mut client = Client::connect(&url, NoTls).expect("the test server answers");
        client.batch_execute(&command).expect("the test server allows making databases");
    })
    .join()
    .expect("the test server did as told");
}

/// Runs `test` on a fresh, migrated store of each engine, in a runtime of its own.
pub fn for_each_engine<F, Fut>(migrations: &[Migration], test: F)
where
    F: Fn(Store) -> Fut,
    Fut: Future<Output = ()>,
{
    for database in TestDatabase::each() {
        // Shown only if the test fails.
        println!("engine: {}", database.engine().name());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime starts");
        runtime.block_on(async {
            let store = database.open(migrations).await;
            test(store.clone()).await;
            store.close().await;
        });
    }
}

/// Shows each statement to the engine; a test in every crate that has SQL calls this on both engines.
pub async fn prepare_all(store: &Store, statements: &[&[&'static str]]) {
    for sql in statements.iter().flat_map(|it| it.iter()).copied() {
        let outcome = store.locked(move |tx| tx.prepare(sql)).await;
        assert!(outcome.is_ok(), "{} refuses `{sql}`: {outcome:?}", store.engine().name());
    }
}
