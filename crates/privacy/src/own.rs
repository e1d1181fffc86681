//! What this crate itself keeps about persons, and the answers that `api` keeps for repeated requests.

use serde_json::json;
use store::{Tx, params};
use uuid::Uuid;

use crate::archive::{Archive, Form, Listing};
use crate::person::{Erased, PersonalData};
use crate::scrub::without_names;

/// Answers that are read at once.
const PAGE: i64 = 200;

store::statements! {
    /// Exports that were asked for.
    EXPORTS = "select export_id, state, requested_at, finished_at from exports \
               where account_id = $1 order by export_id limit $2 offset $3";
    /// Erasures that were asked for.
    ERASURES = "select erasure_id, state, requested_at, due_at, cancelled_at from erasures \
                where account_id = $1 order by erasure_id limit $2 offset $3";
    /// How many answers are kept.
    ANSWERS = "select count(*) from idempotency_keys where account_id = $1";
    /// Forgets them.
    FORGET_ANSWERS = "delete from idempotency_keys where account_id = $1";
    /// Answers to others that name a person.
    NAMING = "select account_id, idempotency_key, body from idempotency_keys \
              where (account_id, idempotency_key) > ($1, $2) and body like $3 and status is not null \
              order by account_id, idempotency_key limit $4";
    /// Writes one without the name.
    REWRITE = "update idempotency_keys set body = $3 where account_id = $1 and idempotency_key = $2";
}

/// Exports, erasures, kept answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own;

const EXPORT_ROWS: Listing = Listing {
    file: "privacy",
    kind: "export",
    sql: EXPORTS,
    columns: &[
        ("export_id", Form::Id),
        ("state", Form::Text),
        ("requested_at", Form::Time),
        ("finished_at", Form::Time),
    ],
};

const ERASURE_ROWS: Listing = Listing {
    file: "privacy",
    kind: "erasure",
    sql: ERASURES,
    columns: &[
        ("erasure_id", Form::Id),
        ("state", Form::Text),
        ("requested_at", Form::Time),
        ("due_at", Form::Time),
        ("cancelled_at", Form::Time),
    ],
};

impl PersonalData for Own {
    fn domain(&self) -> &'static str {
        "privacy"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        out.list(tx, account_id, &EXPORT_ROWS)?;
        out.list(tx, account_id, &ERASURE_ROWS)?;
        let count: i64 = tx.query_one(ANSWERS, params![account_id])?.get(0)?;
        out.row("privacy", &json!({ "kind": "kept_answers", "count": count }));
        out.leave_out(
            "answers kept for repeated requests",
            "copies of what the other files hold, gone after a day",
        );
        out.leave_out("the key under which your data is encrypted", "a secret");
        Ok(())
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _: i64) -> Result<Erased, store::Error> {
        tx.execute(FORGET_ANSWERS, params![account_id])?;
        // Their owners may repeat the request they answer, so they stay; the name in them does not.
        let naming = format!("%{account_id}%");
        let (mut after_account, mut after_key) = (Uuid::nil(), String::new());
        loop {
            let rows = tx.query(NAMING, params![after_account, &after_key, &naming, PAGE])?;
            for row in &rows {
                (after_account, after_key) = (row.get(0)?, row.get(1)?);
                if let Some(body) = without_names(&row.get::<String>(2)?, account_id) {
                    tx.execute(REWRITE, params![after_account, &after_key, body])?;
                }
            }
            if (rows.len() as i64) < PAGE {
                return Ok(Erased::Done);
            }
        }
    }
}
