//! An event and who may know of it.

use cell::CellId;
use serde_json::Value;
use store::Row;
use uuid::Uuid;

/// The most bytes of an event's data as JSON. Who needs more puts an id there and lets readers ask.
pub const DATA_BYTES_MAX: usize = 4 * 1024;

/// Who may know of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Audience {
    /// Everybody.
    Public,
    /// Everybody, and those near the cell are told without asking.
    Near(CellId),
    /// These accounts alone.
    Accounts(Vec<Uuid>),
}

impl Audience {
    /// Whether an account may see it.
    pub fn admits(&self, account_id: Uuid) -> bool {
        match self {
            Self::Public | Self::Near(_) => true,
            Self::Accounts(accounts) => accounts.contains(&account_id),
        }
    }
}

/// What is to be recorded.
#[derive(Clone, PartialEq, Debug)]
pub struct NewEvent {
    /// Dotted, of letters, digits and `_`: `market.outbid`. Never changes its meaning.
    pub kind: &'static str,
    /// Who may know.
    pub audience: Audience,
    /// A flat JSON object of at most [`DATA_BYTES_MAX`] bytes: ids as text, money in whole minor units.
    pub data: Value,
}

/// An event that is stored and has its place in the order.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredEvent {
    /// Its name for ever.
    pub event_id: Uuid,
    /// Its place: higher than that of each event whose position was given before.
    pub position: i64,
    /// What kind.
    pub kind: String,
    /// When it happened by the clock of its process; says nothing about the order.
    pub at_us: i64,
    /// Who may know.
    pub audience: Audience,
    /// A JSON object.
    pub data: Value,
}

impl StoredEvent {
    /// From the columns `event_id, event_position, kind, at, audience, near_cell, account_ids, data`.
    pub(crate) fn from_row(row: &Row) -> Result<Self, store::Error> {
        let damaged = |what: &str| store::Error::Damaged { detail: format!("events: {what}") };
        let audience = match row.get::<String>(4)?.as_str() {
            "public" => Audience::Public,
            "near" => Audience::Near(
                CellId::from_sql(row.get(5)?).ok_or_else(|| damaged("a place that is no cell"))?,
            ),
            "accounts" => Audience::Accounts(
                row.get::<Vec<u8>>(6)?
                    .chunks(16)
                    .map(|bytes| Uuid::from_slice(bytes).map_err(|_| damaged("a cut account id")))
                    .collect::<Result<_, _>>()?,
            ),
            _ => return Err(damaged("an unknown audience")),
        };
        Ok(Self {
            event_id: row.get(0)?,
            position: row.get(1)?,
            kind: row.get(2)?,
            at_us: row.get(3)?,
            audience,
            data: serde_json::from_str(&row.get::<String>(7)?).map_err(|_| damaged("data is not JSON"))?,
        })
    }
}
