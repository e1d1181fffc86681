//! The sessions of an account as their owner sees them.

use uuid::Uuid;

use crate::service::Identity;
use crate::sessions::{self, SessionRow};

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSession {
    /// How it began and whether it goes on.
    pub row: SessionRow,
    /// What the browser called itself.
    pub user_agent: Option<String>,
}

impl Identity {
    /// The open sessions of an account, the one used last first.
    pub async fn sessions(&self, account_id: Uuid) -> Result<Vec<OwnSession>, store::Error> {
        let (vault, now_us) = (self.deps.vault.clone(), self.now_us());
        self.deps
            .store
            .read(move |tx| {
                let rows = sessions::list(tx, account_id, now_us)?;
                rows.into_iter()
                    .map(|row| {
                        let user_agent = match &row.user_agent {
                            Some(sealed) => vault.open_text(tx, account_id, "user_agent", sealed)?,
                            None => None,
                        };
                        Ok(OwnSession { row, user_agent })
                    })
                    .collect()
            })
            .await
    }

    /// Ends one session, at once; `false` if the account has no such open session.
    pub async fn end_session(&self, account_id: Uuid, session_id: Uuid) -> Result<bool, store::Error> {
        let now_us = self.now_us();
        let ended =
            self.deps.store.serializable(move |tx| sessions::end(tx, account_id, session_id, now_us)).await?;
        self.standing_changed(account_id);
        Ok(ended)
    }

    /// Ends all sessions but one; how many.
    pub async fn end_other_sessions(&self, account_id: Uuid, kept: Uuid) -> Result<u64, store::Error> {
        let now_us = self.now_us();
        let ended = self
            .deps
            .store
            .serializable(move |tx| sessions::end_all(tx, account_id, Some(kept), now_us))
            .await?;
        self.standing_changed(account_id);
        Ok(ended)
    }
}
