//! The queue of what is to be sent, and what became of it.

use store::{Row, Tx, Value, params};
use uuid::Uuid;

use crate::endpoints;

/// Deliveries that may wait for one webhook. One that is further behind is disabled.
pub(crate) const WAITING_MAX: i64 = 1000;
/// Finished ones that are kept for one webhook.
pub(crate) const FINISHED_MAX: i64 = 500;
/// Tests and repetitions that the owner of a webhook may ask for in a minute.
pub(crate) const ASKED_PER_MINUTE_MAX: i64 = 10;

store::statements! {
    /// Puts deliveries into the queue; an event goes to a webhook once.
    ADD = "insert into webhook_deliveries (delivery_id, endpoint_id, event_id, kind, body, state, attempt_count, \
           due_at, created_at, asked_at, finished_at, attempted_at, answer_status, answer_fault) \
           select delivery_id, endpoint_id, event_id, kind, body, 'waiting', 0, due_at, due_at, asked_at, null, \
           null, null, null from rows(delivery_id uuid, endpoint_id uuid, event_id uuid, kind text, body text, \
           due_at timestamptz, asked_at timestamptz) where true on conflict (endpoint_id, event_id) do nothing";
    /// How many wait.
    COUNT_WAITING = "select count(*) from webhook_deliveries where endpoint_id = $1 and state = 'waiting'";
    /// How many its owner asked for lately.
    COUNT_ASKED = "select count(*) from webhook_deliveries where endpoint_id = $1 and asked_at > $2";
    /// Gives up what waits.
    GIVE_UP = "update webhook_deliveries set state = 'failed', finished_at = $2 \
               where endpoint_id = $1 and state = 'waiting'";
    /// The next one that is due.
    NEXT = "select delivery_id, event_id, kind, body, attempt_count from webhook_deliveries \
            where endpoint_id = $1 and state = 'waiting' and due_at <= $2 order by due_at, delivery_id limit 1";
    /// It was taken.
    DELIVERED = "update webhook_deliveries set state = 'delivered', attempt_count = $3 + 1, finished_at = $4, \
                 attempted_at = $4, answer_status = $5, answer_fault = null \
                 where delivery_id = $1 and endpoint_id = $2 and state = 'waiting' and attempt_count = $3";
    /// It was not, and is tried again.
    AGAIN = "update webhook_deliveries set attempt_count = $3 + 1, attempted_at = $4, due_at = $5, \
             answer_status = $6, answer_fault = $7 \
             where delivery_id = $1 and endpoint_id = $2 and state = 'waiting' and attempt_count = $3";
    /// It was not, and that was the last try.
    LOST = "update webhook_deliveries set state = 'failed', attempt_count = $3 + 1, finished_at = $4, \
            attempted_at = $4, answer_status = $5, answer_fault = $6 \
            where delivery_id = $1 and endpoint_id = $2 and state = 'waiting' and attempt_count = $3";
    /// Once more from the beginning, because its owner asks.
    REPLAY = "update webhook_deliveries set state = 'waiting', attempt_count = 0, due_at = $3, asked_at = $3, \
              finished_at = null where delivery_id = $1 and endpoint_id = $2";
    /// One page, newest first.
    LIST = "select delivery_id, event_id, kind, state, attempt_count, due_at, created_at, finished_at, attempted_at, \
            answer_status, answer_fault from webhook_deliveries where endpoint_id = $1 and delivery_id < $2 \
            order by delivery_id desc limit $3";
    /// One.
    FIND = "select delivery_id, event_id, kind, state, attempt_count, due_at, created_at, finished_at, attempted_at, \
            answer_status, answer_fault from webhook_deliveries where endpoint_id = $1 and delivery_id = $2";
    /// Removes a webhook's oldest finished ones beyond a number.
    TRIM = "delete from webhook_deliveries where endpoint_id = $1 and state <> 'waiting' and delivery_id <= \
            (select delivery_id from webhook_deliveries where endpoint_id = $1 and state <> 'waiting' \
             order by delivery_id desc limit 1 offset $2)";
}

/// A delivery that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) delivery_id: Uuid,
    pub(crate) body: String,
    pub(crate) attempt_count: u32,
}

impl Waiting {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self { delivery_id: row.get(0)?, body: row.get(3)?, attempt_count: row.get(4)? })
    }
}

/// A delivery as the webhook's owner sees it.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::struct_field_names, reason = "ids carry their names")]
pub(crate) struct Delivery {
    pub(crate) delivery_id: Uuid,
    pub(crate) event_id: Uuid,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) attempt_count: u32,
    pub(crate) due_at_us: i64,
    pub(crate) created_at_us: i64,
    pub(crate) finished_at_us: Option<i64>,
    pub(crate) attempted_at_us: Option<i64>,
    pub(crate) answer_status: Option<u32>,
    pub(crate) answer_fault: Option<String>,
}

impl Delivery {
    pub(crate) fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            delivery_id: row.get(0)?,
            event_id: row.get(1)?,
            kind: row.get(2)?,
            state: row.get(3)?,
            attempt_count: row.get(4)?,
            due_at_us: row.get(5)?,
            created_at_us: row.get(6)?,
            finished_at_us: row.get(7)?,
            attempted_at_us: row.get(8)?,
            answer_status: row.get(9)?,
            answer_fault: row.get(10)?,
        })
    }
}

/// What is to be put into the queue.
#[derive(Clone, Debug)]
pub(crate) struct NewDelivery {
    pub(crate) endpoint_id: Uuid,
    pub(crate) event_id: Uuid,
    pub(crate) kind: String,
    pub(crate) body: String,
    pub(crate) is_asked: bool,
}

/// Puts them into the queue; their endpoints' rows are taken. Gives their ids.
pub(crate) fn add(tx: &mut Tx<'_>, new: &[NewDelivery], now_us: i64) -> Result<Vec<Uuid>, store::Error> {
    // Lists and queues are in the order of these.
    let ids: Vec<Uuid> = new.iter().map(|_| events::next_id()).collect();
    let rows: Vec<Vec<Value>> = new
        .iter()
        .zip(&ids)
        .map(|(it, id)| {
            let asked_at = it.is_asked.then_some(now_us);
            params![*id, it.endpoint_id, it.event_id, &it.kind, &it.body, now_us, asked_at].to_vec()
        })
        .collect();
    tx.execute_rows(ADD, &rows)?;
    let mut touched: Vec<Uuid> = new.iter().map(|it| it.endpoint_id).collect();
    touched.dedup();
    for endpoint_id in touched {
        tx.execute(endpoints::PUT_DUE, params![endpoint_id, now_us])?;
    }
    Ok(ids)
}

/// The next one that is due.
pub(crate) fn next(tx: &mut Tx<'_>, endpoint_id: Uuid, now_us: i64) -> Result<Option<Waiting>, store::Error> {
    tx.query_opt(NEXT, params![endpoint_id, now_us])?.as_ref().map(Waiting::from_row).transpose()
}

/// Switches a webhook off and gives up what waits for it. Whether it was on.
pub(crate) fn disable(
    tx: &mut Tx<'_>,
    endpoint_id: Uuid,
    reason: &str,
    now_us: i64,
) -> Result<bool, store::Error> {
    let was_enabled = tx.execute(endpoints::DISABLE, params![endpoint_id, reason])? == 1;
    if was_enabled {
        tx.execute(GIVE_UP, params![endpoint_id, now_us])?;
    }
    Ok(was_enabled)
}
