//! The check that never ends.

use store::Store;

use super::walk::Walk;

store::statements! {
    /// How far the checker is.
    FIND = "select state from ledger_audit where ledger_audit_id = 1";
    /// Writes it down.
    SAVE = "insert into ledger_audit (ledger_audit_id, state) values (1, $1) \
            on conflict (ledger_audit_id) do update set state = excluded.state";
}

/// Where it writes down how far it is.
pub(crate) const PLACE: chain::Place = chain::Place { of: "the books", find: FIND, save: SAVE };

/// Walks through the books again and again, one small step at a time; goes on after a restart where it was.
#[derive(Debug)]
pub struct Checker(chain::Checker<Walk>);

impl Checker {
    /// Goes on where the last one was.
    pub async fn open(store: Store) -> Result<Self, store::Error> {
        Ok(Self(chain::Checker::open(store, PLACE).await?))
    }

    /// One step. Each fault is logged: a person should look.
    pub async fn step(&mut self, now_us: i64) -> Result<chain::Checked, store::Error> {
        self.0.step(now_us).await
    }
}
