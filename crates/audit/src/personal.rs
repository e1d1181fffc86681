//! What the log keeps about persons: ids, which stay, and words, which go.

use privacy::{Archive, Erased, PersonalData, Vault};
use serde_json::json;
use store::Tx;
use uuid::Uuid;

use crate::list::{Filter, list};
use crate::reasons::{REASON_FIELD, forget_reasons, reasons_of};

/// Entries that are read at once.
const PAGE: u32 = 1000;
/// Words of one person that an archive holds at most.
const REASONS_MAX: u32 = 10_000;
/// What stands before the words that open.
const SALT_BYTES: usize = 32;

/// Entries about persons and the words of reasons.
#[derive(Clone, Debug)]
pub struct Personal {
    vault: Vault,
}

impl Personal {
    /// The vault opens the words, for the archive.
    pub fn new(vault: Vault) -> Self {
        Self { vault }
    }
}

impl PersonalData for Personal {
    fn domain(&self) -> &'static str {
        "audit"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        out.leave_out("which member of staff did what is in audit_about_me", "data of other people");
        let mut filter = Filter { subject: Some(account_id.to_string()), ..Filter::default() };
        loop {
            let entries = list(tx, &filter, PAGE)?;
            for entry in &entries {
                let by = match entry.actor_account_id {
                    Some(actor_id) if actor_id == account_id => "you",
                    Some(_) => "staff",
                    None => "the system or its operator",
                };
                out.row(
                    "audit_about_me",
                    &json!({
                        "kind": "entry",
                        "entry_id": entry.entry_id,
                        "at": api::timestamp(entry.at_us).to_string(),
                        "action": entry.action,
                        "by": by,
                        "details": serde_json::from_str::<serde_json::Value>(&entry.details).ok(),
                    }),
                );
                out.note_time("audit_about_me", entry.at_us);
            }
            if entries.len() < PAGE as usize {
                break;
            }
            filter.before = entries.last().map(|it| it.entry_id);
        }
        for (entry_id, sealed) in reasons_of(tx, account_id, REASONS_MAX)? {
            let opened = self.vault.open(tx, account_id, REASON_FIELD, &sealed)?;
            let words = opened.as_deref().and_then(|it| it.get(SALT_BYTES..)).map(String::from_utf8_lossy);
            out.row("audit_about_me", &json!({ "kind": "reason", "entry_id": entry_id, "words": words }));
        }
        Ok(())
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _: i64) -> Result<Erased, store::Error> {
        forget_reasons(tx, account_id)?;
        Ok(Erased::Done)
    }
}
