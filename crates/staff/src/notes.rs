//! Notes that staff write about people, sealed by the key of whom they are about: erasure makes them unreadable.

use api::{Caller, Page, Problem, timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Tx, params};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::act::Done;
use crate::people::still_staff;
use crate::refusal::Refusal;
use crate::service::{Deps, Staff};

/// Notes about one person.
const NOTES_MAX: i64 = 1_000;
/// What the vault knows them as.
pub(crate) const FIELD: &str = "staff_note";

store::statements! {
    /// Writes one.
    ADD = "insert into staff_notes (note_id, account_id, author_id, sealed, written_at) values ($1, $2, $3, $4, $5)";
    /// How many there are.
    COUNT = "select count(*) from staff_notes where account_id = $1";
    /// One page, newest first.
    LIST = "select note_id, author_id, sealed, written_at from staff_notes where account_id = $1 and note_id < $2 \
            order by note_id desc limit $3";
}

/// What somebody on the staff wrote about a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "note_id": "019aa5c3-1f00-7000-8000-000000000001",
    "author_id": "019aa5c3-1f00-7000-8000-000000000002",
    "author_name": "Mo",
    "text": "Asked to stop, and did.",
    "written_at": "2026-11-21T09:00:00Z"
}))]
pub(crate) struct NoteView {
    /// Its id.
    pub(crate) note_id: Uuid,
    /// Who wrote it.
    pub(crate) author_id: Uuid,
    /// What they are called now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) author_name: Option<String>,
    /// What it says; absent once the person has been erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) written_at: jiff::Timestamp,
}

impl Staff {
    /// Notes about a person, newest first.
    pub(crate) async fn notes(
        &self,
        account_id: Uuid,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Page<NoteView>, Problem> {
        let deps = self.deps.clone();
        let before = before.unwrap_or(Uuid::max());
        let found = self
            .deps
            .store
            .read(move |tx| {
                identity::staff::person(tx, account_id)?.ok_or(Refusal::NoSuchPerson)?;
                let mut views = Vec::new();
                for row in tx.query(LIST, params![account_id, before, limit + 1])? {
                    let author_id: Uuid = row.get(1)?;
                    let sealed: Vec<u8> = row.get(2)?;
                    views.push(NoteView {
                        note_id: row.get(0)?,
                        author_id,
                        author_name: identity::display_name(tx, author_id)?,
                        text: deps.vault.open_text(tx, account_id, FIELD, &sealed)?,
                        written_at: timestamp(row.get(3)?),
                    });
                }
                Ok::<_, Refusal>(views)
            })
            .await?;
        Ok(Page::from_surplus(found, limit, |last| api::cursor::encode(last.note_id.as_bytes())))
    }
}

/// Writes a note. Notes may be about anybody, oneself and one's superiors included: they do nothing to them.
pub(crate) fn write(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: &Caller,
    account_id: Uuid,
    text: &str,
    now_us: i64,
) -> Result<Done, Refusal> {
    still_staff(tx, caller)?;
    let person = identity::staff::person(tx, account_id)?.ok_or(Refusal::NoSuchPerson)?;
    if person.standing.state == identity::AccountState::Erased {
        return Err(Refusal::Erased);
    }
    if tx.query_one(COUNT, params![account_id])?.get::<i64>(0)? >= NOTES_MAX {
        return Err(Refusal::TooManyNotes { max: NOTES_MAX });
    }
    let note_id = events::next_id();
    let sealed = deps.vault.seal(tx, account_id, FIELD, text.as_bytes())?;
    tx.execute(ADD, params![note_id, account_id, caller.account_id, sealed, now_us])?;
    let view = NoteView {
        note_id,
        author_id: caller.account_id,
        author_name: identity::display_name(tx, caller.account_id)?,
        // The answer is kept for a day in the clear; the words go into it on the way out.
        text: None,
        written_at: timestamp(now_us),
    };
    let subject = ("account", account_id.to_string());
    let mut done = Done::new(&view, "account.noted", subject, json!({"note_id": note_id}));
    done.status = axum::http::StatusCode::CREATED;
    Ok(done)
}
