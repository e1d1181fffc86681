//! The same planet on PostgreSQL, where a test server is at hand.

use store::StoreConfig;
use store::testing::TestDatabase;

use crate::claims::free_lots;
use crate::support::{Account, Server, run};

#[test]
fn a_planet_lives_on_postgres_too() {
    let Some(database) = TestDatabase::postgres() else { return };
    let StoreConfig::Postgres { url, .. } = database.config() else { panic!("it is PostgreSQL") };
    let mut server = Server::start_configured(&format!("[database]\nurl = '{url}'\n"));
    assert!(server.lines().iter().any(|line| line.contains("postgres")), "{:?}", server.lines());
    let (account, lot) = run(async {
        let account = Account::new(&server).await;
        let _present = account.enter(&server).await;
        let lot = free_lots(&account, 1).await.remove(0);
        account.claim(&lot, "on-postgres").await.unwrap();
        (account, lot)
    });
    server.kill();
    server.start_again();
    run(async {
        let account = account.again(&server).await;
        let shown = account.get(&format!("lands/{lot}")).await.unwrap();
        assert_eq!(shown["owner"]["account_id"], account.id);
        account.enter(&server).await.frame().await;
    });
    assert_eq!(server.stop(), Some(0));
    let books = server.command(&["ledger", "verify"]);
    assert_eq!(books.code, Some(0), "{books:?}");
}
