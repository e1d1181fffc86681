//! What staff keep about persons: notes and reasons, sealed by keys that erasure destroys. The rows go, too.

use privacy::{Archive, Erased, PersonalData, Vault};
use serde_json::json;
use store::{Tx, params};
use uuid::Uuid;

use crate::{acts, notes};

store::statements! {
    /// Notes about somebody.
    NOTES = "select note_id, sealed, written_at from staff_notes where account_id = $1 order by note_id";
    /// They go.
    FORGET_NOTES = "delete from staff_notes where account_id = $1";
    /// Why somebody asked for acts that need two.
    ACTS = "select act_id, reason_sealed, requested_at from staff_acts where requested_by = $1 and length(reason_sealed) > 0 \
            order by act_id";
    /// The words go, the act stays.
    FORGET_REASONS = "update staff_acts set reason_sealed = $2 where requested_by = $1";
}

/// Notes about persons, and what they wrote as staff.
pub struct Personal {
    vault: Vault,
}

impl Personal {
    /// Opens what it gives out with this vault.
    pub fn new(vault: Vault) -> Self {
        Self { vault }
    }
}

impl PersonalData for Personal {
    fn domain(&self) -> &'static str {
        "staff"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        for row in tx.query(NOTES, params![account_id])? {
            let sealed: Vec<u8> = row.get(1)?;
            let text = self.vault.open_text(tx, account_id, notes::FIELD, &sealed)?;
            let at_us = row.get(2)?;
            // Who on the staff wrote it is not the person's data.
            let note = json!({
                "kind": "note",
                "note_id": row.get::<Uuid>(0)?,
                "text": text,
                "written_at": api::timestamp(at_us).to_string(),
            });
            out.row("staff", &note);
            out.note_time("staff", at_us);
        }
        for row in tx.query(ACTS, params![account_id])? {
            let sealed: Vec<u8> = row.get(1)?;
            let at_us = row.get(2)?;
            let act = json!({
                "kind": "act",
                "act_id": row.get::<Uuid>(0)?,
                "reason": self.vault.open_text(tx, account_id, acts::FIELD, &sealed)?,
                "requested_at": api::timestamp(at_us).to_string(),
            });
            out.row("staff", &act);
            out.note_time("staff", at_us);
        }
        Ok(())
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _now_us: i64) -> Result<Erased, store::Error> {
        tx.execute(FORGET_NOTES, params![account_id])?;
        tx.execute(FORGET_REASONS, params![account_id, Vec::<u8>::new()])?;
        Ok(Erased::Done)
    }
}
