//! From events to notices and deliveries, once each.

use events::{Audience, NewEvent, StoredEvent};
use serde_json::{Value, json};
use store::{Store, Tx, params};
use uuid::Uuid;

use crate::deliveries::{self, NewDelivery};
use crate::endpoints::{self, Wishes};
use crate::notices;

/// The name of this reader of events.
pub const READER: &str = "notify";

/// Events worked on in one transaction.
const BATCH_MAX: u32 = 200;

/// Works on the next events; how many there were. Notices and deliveries of an event are made once, whatever dies when
/// and however many processes do this.
pub async fn dispatch(store: &Store, now_us: i64) -> Result<usize, store::Error> {
    events::consume(store, READER, BATCH_MAX, move |tx, events| {
        notices::make(tx, events)?;
        queue(tx, events, now_us)
    })
    .await
}

/// Puts into the queue what webhooks want of these events.
fn queue(tx: &mut Tx<'_>, events: &[StoredEvent], now_us: i64) -> Result<(), store::Error> {
    let wishes = Wishes::of(tx, &accounts_of(events))?;
    for endpoint_id in wishes.endpoints() {
        // Taken before its deliveries are counted and added, so that whoever sends for it sees all or none of them.
        let row = tx.query_opt(endpoints::TAKE, params![endpoint_id])?;
        let is_enabled = row.map(|it| it.get::<bool>(0)).transpose()?.unwrap_or(false);
        let new: Vec<NewDelivery> = events
            .iter()
            // What becomes of webhooks is not told by webhooks: one that fails would make its own work.
            .filter(|event| !event.kind.starts_with("webhook."))
            .filter(|event| match &event.audience {
                Audience::Accounts(accounts) => wishes.wants(endpoint_id, &event.kind, accounts),
                Audience::Public | Audience::Near(_) => false,
            })
            .map(|event| delivery_of(endpoint_id, event))
            .collect();
        if !is_enabled || new.is_empty() {
            continue;
        }
        let waiting: i64 = tx.query_one(deliveries::COUNT_WAITING, params![endpoint_id])?.get(0)?;
        if waiting + new.len() as i64 > deliveries::WAITING_MAX {
            disable(tx, endpoint_id, "too_far_behind", now_us)?;
        } else {
            deliveries::add(tx, &new, now_us)?;
        }
    }
    Ok(())
}

fn accounts_of(events: &[StoredEvent]) -> Vec<Uuid> {
    let mut accounts: Vec<Uuid> = events
        .iter()
        .filter_map(|event| match &event.audience {
            Audience::Accounts(accounts) => Some(accounts.as_slice()),
            Audience::Public | Audience::Near(_) => None,
        })
        .flatten()
        .copied()
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}

fn delivery_of(endpoint_id: Uuid, event: &StoredEvent) -> NewDelivery {
    let mut data = event.data.clone();
    if let Value::Object(facts) = &mut data {
        // Deliveries may arrive in any order: of two about one thing, the one with the higher number is the later.
        facts.insert("sequence".to_owned(), event.position.into());
        facts.insert("event_id".to_owned(), event.event_id.to_string().into());
    }
    NewDelivery {
        endpoint_id,
        event_id: event.event_id,
        kind: event.kind.clone(),
        body: body(&event.kind, event.at_us, &data),
        is_asked: false,
    }
}

/// The bytes that are signed: the payload of Standard Webhooks. An event's data has at most 4 KiB, so this stays far
/// below the 20 kB that receivers expect.
pub(crate) fn body(kind: &str, at_us: i64, data: &Value) -> String {
    json!({ "type": kind, "timestamp": api::timestamp(at_us).to_string(), "data": data }).to_string()
}

/// Switches a webhook off and lets its owner know.
pub(crate) fn disable(
    tx: &mut Tx<'_>,
    endpoint_id: Uuid,
    reason: &str,
    now_us: i64,
) -> Result<(), store::Error> {
    if !deliveries::disable(tx, endpoint_id, reason, now_us)? {
        return Ok(());
    }
    let owner = tx.query_one(endpoints::OWNER, params![endpoint_id])?;
    metrics::counter!("terrane_webhooks_disabled_total", "reason" => reason.to_owned()).increment(1);
    let told = NewEvent {
        kind: "webhook.disabled",
        audience: Audience::Accounts(vec![owner.get(0)?]),
        data: json!({ "webhook_id": endpoint_id, "url": owner.get::<String>(1)?, "reason": reason }),
    };
    events::record(tx, &[told], now_us)
}
