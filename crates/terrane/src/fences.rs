//! Between land and the zone: who may walk where.

use std::sync::Arc;

use cell::CellId;
use events::{Audience, StoredEvent};
use land::access::{self, Membership};
use serde_json::Value;
use store::{Store, Tx};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tracing::warn;
use uuid::Uuid;
use zone::{Admission, Fence, FenceSource, Visitor};

/// Events after which other lots of a parcel may be closed, or to others.
const ABOUT_FENCES: [&str; 5] =
    ["land.fence_changed", "land.merged", "land.split", "land.abandoned", "land.reclaimed"];

/// Where the zone reads fences: in the tables of land and groups.
pub(crate) fn source() -> FenceSource {
    FenceSource {
        fences_in: Arc::new(|tx, place| {
            Ok(access::fences_in(tx, place)?.into_iter().map(fence_of_zone).collect())
        }),
        groups_of: Arc::new(|tx, account_id| {
            let groups = memberships(tx, account_id)?;
            Ok(groups.into_iter().map(|it| (it.group_id, it.may_act)).collect())
        }),
    }
}

/// The groups of an account in the words of land.
pub(crate) fn memberships(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Membership>, store::Error> {
    let groups = groups::memberships(tx, account_id)?;
    Ok(groups.into_iter().map(|it| Membership { group_id: it.group_id, may_act: it.may_act }).collect())
}

/// What land says of a fence in the zone's words; the rule itself stays with land.
fn fence_of_zone(fence: access::Fence) -> Fence {
    Fence {
        parcel: fence.parcel,
        lots: fence.lots.clone(),
        admits: Arc::new(move |visitor: &Visitor, now_us| {
            let groups = visitor.groups.iter();
            let groups: Vec<_> =
                groups.map(|&(group_id, may_act)| Membership { group_id, may_act }).collect();
            let admission = fence.admission(visitor.account_id, &groups, now_us);
            Admission { is_admitted: admission.is_admitted, until_us: admission.until_us }
        }),
    }
}

/// Tells the zone what has changed about fences and groups, until the process ends.
pub(crate) async fn follow(
    mut events: broadcast::Receiver<Arc<StoredEvent>>,
    store: Store,
    zone: zone::Handle,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let heard = tokio::select! {
            heard = events.recv() => heard,
            _ = stop.wait_for(|is_stopping| *is_stopping) => return,
        };
        match heard {
            Ok(event) if event.kind.starts_with("group.") => groups_changed(&event, &zone),
            Ok(event) if ABOUT_FENCES.contains(&event.kind.as_str()) => {
                fence_changed(&event, &store, &zone).await;
            }
            Ok(_) => {}
            Err(RecvError::Lagged(count)) => {
                warn!(count, "changes of fences were missed, all are read again");
                zone.fences_lost();
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn groups_changed(event: &StoredEvent, zone: &zone::Handle) {
    let told = match &event.audience {
        Audience::Accounts(accounts) => accounts.as_slice(),
        Audience::Public | Audience::Near(_) => &[],
    };
    let named = event.data["account_id"].as_str().and_then(|id| id.parse::<Uuid>().ok());
    for account_id in told.iter().copied().chain(named.filter(|id| !told.contains(id))) {
        zone.groups_changed(account_id);
    }
}

async fn fence_changed(event: &StoredEvent, store: &Store, zone: &zone::Handle) {
    let token = |value: &Value| CellId::parse_token(value.as_str()?).ok();
    let Some(parcel) = token(&event.data["parcel"]) else { return };
    match store.read(move |tx| land::cells(tx, parcel)).await {
        Ok(lots) => zone.fence_changed(parcel, lots),
        Err(error) => {
            warn!(%error, "a changed fence could not be read");
            zone.fences_lost();
        }
    }
}
