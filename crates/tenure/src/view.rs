//! Leases as clients see them.

use api::timestamp;
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::lease::{EndReason, Lease, LeaseState};
use crate::service::Deps;

/// One side of a lease.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PartyView {
    /// An account or a group.
    pub id: Uuid,
    /// What it is called.
    pub display_name: String,
}

/// A lease.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "lease_id": "019aa5c3-1f00-7000-8000-000000000001",
    "parcel": "4be64c3c",
    "state": "active",
    "landlord": {"id": "019aa5c3-1f00-7000-8000-000000000002", "display_name": "Ann"},
    "tenant": {"id": "019aa5c3-1f00-7000-8000-000000000003", "display_name": "Bob"},
    "currency": "coin",
    "rent_minor": 1_200,
    "deposit_minor": 2_400,
    "period_s": 604_800,
    "periods": 12,
    "periods_paid": 1,
    "offered_at": "2026-11-21T09:00:00Z",
    "started_at": "2026-11-21T10:00:00Z",
    "due_at": "2026-11-28T10:00:00Z"
}))]
pub struct LeaseView {
    /// Its id.
    pub lease_id: Uuid,
    /// The token of the parcel.
    pub parcel: String,
    /// Where it stands.
    pub state: LeaseState,
    /// Why it ended, or will end before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// Who owns the land.
    pub landlord: PartyView,
    /// Who uses it.
    pub tenant: PartyView,
    /// Of rent and deposit.
    pub currency: String,
    /// For each period, in advance.
    pub rent_minor: i64,
    /// Held while it lasts.
    pub deposit_minor: i64,
    /// Length of a period in seconds.
    pub period_s: i64,
    /// How many periods there are.
    pub periods: u32,
    /// How many are paid.
    pub periods_paid: u32,
    /// When it was offered.
    #[schema(value_type = String, format = DateTime)]
    pub offered_at: jiff::Timestamp,
    /// Until when it can be accepted, if it is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<jiff::Timestamp>,
    /// When it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<jiff::Timestamp>,
    /// When the next period begins, or the last one ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<jiff::Timestamp>,
    /// Until when missed rent can be paid: have the money in the wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub grace_until: Option<jiff::Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<jiff::Timestamp>,
}

impl LeaseView {
    pub(crate) fn of(tx: &mut Tx<'_>, deps: &Deps, lease: Lease) -> Result<Self, store::Error> {
        let mut party = |id: Uuid| {
            let display_name = (deps.name)(tx, id)?.unwrap_or_default();
            Ok::<_, store::Error>(PartyView { id, display_name })
        };
        let (landlord, tenant) = (party(lease.landlord_id)?, party(lease.tenant_id)?);
        let is_offered = lease.state == LeaseState::Offered;
        Ok(Self {
            lease_id: lease.lease_id,
            parcel: lease.parcel.token(),
            state: lease.state,
            end_reason: lease.end_reason,
            landlord,
            tenant,
            currency: lease.currency,
            rent_minor: lease.rent_minor,
            deposit_minor: lease.deposit_minor,
            period_s: lease.period_us / 1_000_000,
            periods: lease.period_count,
            periods_paid: lease.periods_paid,
            offered_at: timestamp(lease.offered_at_us),
            expires_at: is_offered.then(|| timestamp(lease.expires_at_us)),
            started_at: lease.started_at_us.map(timestamp),
            due_at: lease.due_at_us.map(timestamp),
            grace_until: lease.grace_until_us.map(timestamp),
            ended_at: lease.ended_at_us.map(timestamp),
        })
    }
}
