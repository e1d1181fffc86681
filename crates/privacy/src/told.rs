//! Events about persons. They are kept for days; what is in them by name goes with the person.

use store::{Tx, params};
use uuid::Uuid;

use crate::archive::{Archive, Form, Listing};
use crate::person::{Erased, PersonalData};
use crate::scrub::without_names;

/// Events that are read at once.
const PAGE: i64 = 500;

store::statements! {
    /// Events for one person alone.
    EVENTS = "select event_id, kind, at, data from events where account_ids = $1 \
              order by event_id limit $2 offset $3";
    /// Forgets them.
    FORGET = "delete from events where account_ids = $1";
    /// Events for others that name a person.
    NAMING = "select event_id, data from events where event_id > $1 and data like $2 order by event_id limit $3";
    /// Writes one without the name.
    REWRITE = "update events set data = $2 where event_id = $1";
}

const ROWS: Listing = Listing {
    file: "events",
    kind: "event",
    sql: EVENTS,
    columns: &[("event_id", Form::Id), ("event", Form::Text), ("at", Form::Time), ("data", Form::Json)],
};

/// What happened, as long as it is kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told;

impl PersonalData for Told {
    fn domain(&self) -> &'static str {
        "events"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        out.leave_out(
            "events for you and others together",
            "they are about others too; your notices tell of them",
        );
        out.list(tx, account_id, &ROWS)
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _: i64) -> Result<Erased, store::Error> {
        tx.execute(FORGET, params![account_id.as_bytes().as_slice()])?;
        let naming = format!("%{account_id}%");
        let mut after = Uuid::nil();
        loop {
            let rows = tx.query(NAMING, params![after, &naming, PAGE])?;
            for row in &rows {
                after = row.get(0)?;
                if let Some(data) = without_names(&row.get::<String>(1)?, account_id) {
                    tx.execute(REWRITE, params![after, data])?;
                }
            }
            if (rows.len() as i64) < PAGE {
                return Ok(Erased::Done);
            }
        }
    }
}
