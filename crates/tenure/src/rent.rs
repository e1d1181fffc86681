//! Rent, period by period, and how leases end.

use audit::Actor;
use land::ParcelFacts;
use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use serde_json::{Value, json};
use store::Tx;
use tracing::warn;
use uuid::Uuid;
use wallet::{HoldError, HoldState, PostError};

use crate::lease::{self, EndReason, Lease, LeaseState, Step};
use crate::refusal::Refusal;
use crate::service::Deps;
use crate::terms::{self, CATCH_UP_MAX, RETRIES_IN_GRACE};

/// Does what is due in a lease, several periods at once if it rested for long; whether there was anything.
pub(crate) fn act(tx: &mut Tx<'_>, deps: &Deps, lease_id: Uuid, now_us: i64) -> Result<bool, Refusal> {
    let Some((mut lease, facts)) = lease::take(tx, lease_id)? else { return Ok(false) };
    let is_due = |lease: &Lease| lease.is_open() && lease.acts_at_us.is_some_and(|it| it <= now_us);
    let was_due = is_due(&lease);
    for _ in 0..CATCH_UP_MAX {
        if !is_due(&lease) {
            break;
        }
        step(tx, deps, &mut lease, facts.as_ref(), now_us)?;
    }
    if was_due {
        lease::write(tx, &lease)?;
    }
    Ok(was_due)
}

fn step(
    tx: &mut Tx<'_>,
    deps: &Deps,
    lease: &mut Lease,
    facts: Option<&ParcelFacts>,
    now_us: i64,
) -> Result<(), Refusal> {
    if lease.state == LeaseState::Offered {
        land::release(tx, lease.parcel, lease.lease_id)?;
        lease.close(LeaseState::Expired, None, now_us);
        let parties = [lease.landlord_id, lease.tenant_id];
        return Ok(deps.tell(tx, "land.lease_ended", &parties, told(lease), now_us)?);
    }
    let Some(facts) = facts else {
        return end(tx, deps, Actor::System, lease, None, EndReason::LandGone, now_us);
    };
    lease.landlord_id = facts.owner_id;
    let due_at_us = lease.due_at_us.unwrap_or(now_us);
    if lease.step == Step::Remind {
        (lease.step, lease.acts_at_us) = (Step::Collect, Some(due_at_us));
        // Who was not reminded in time is told of the rent itself.
        if now_us < due_at_us {
            deps.tell(tx, "rent.due", &[lease.tenant_id], told(lease), now_us)?;
        }
        return Ok(());
    }
    if facts.owner_id == lease.tenant_id {
        return end(tx, deps, Actor::System, lease, Some(facts), EndReason::Bought, now_us);
    }
    if lease.periods_paid >= lease.period_count {
        let reason = lease.end_reason.unwrap_or(EndReason::Completed);
        return end(tx, deps, Actor::System, lease, Some(facts), reason, now_us);
    }
    if collect(tx, lease, facts.owner_id, now_us)? {
        begin_period(lease, due_at_us);
        let parties = [lease.tenant_id, lease.landlord_id];
        return Ok(deps.tell(tx, "rent.paid", &parties, told(lease), now_us)?);
    }
    miss(tx, deps, lease, facts, now_us)
}

/// The rent could not be taken.
fn miss(
    tx: &mut Tx<'_>,
    deps: &Deps,
    lease: &mut Lease,
    facts: &ParcelFacts,
    now_us: i64,
) -> Result<(), Refusal> {
    let grace_us = terms::grace_us(lease.period_us);
    let until_us = match lease.grace_until_us {
        Some(until_us) if until_us <= now_us => {
            return end(tx, deps, Actor::System, lease, Some(facts), EndReason::Unpaid, now_us);
        }
        Some(until_us) => until_us,
        None => {
            // From now and not from when it was due: while we rested nobody could be told.
            let until_us = now_us.saturating_add(grace_us);
            lease.grace_until_us = Some(until_us);
            let parties = [lease.tenant_id, lease.landlord_id];
            deps.tell(tx, "rent.missed", &parties, told(lease), now_us)?;
            until_us
        }
    };
    lease.step = Step::Grace;
    let again_us = now_us.saturating_add((grace_us / RETRIES_IN_GRACE).max(1));
    lease.acts_at_us = Some(again_us.min(until_us));
    Ok(())
}

/// Takes the rent of the next period; whether there was enough. The posting's name is the period's: it is booked once.
pub(crate) fn collect(tx: &mut Tx<'_>, lease: &Lease, owner_id: Uuid, now_us: i64) -> Result<bool, Refusal> {
    let period = lease.periods_paid + 1;
    let (from, to) = (AccountRef::Wallet(lease.tenant_id), AccountRef::Wallet(owner_id));
    let client_id = format!("lease:{}:rent:{period}", lease.lease_id);
    let posting = Posting::of(PostingKind::Rent, client_id, reference(lease))
        .transfer(from, to, &asset(lease), amount(lease.rent_minor))
        .finish()
        .map_err(|error| Refusal::Books(error.to_string()))?;
    match wallet::post(tx, &posting, now_us) {
        Ok(_) => Ok(true),
        Err(PostError::InsufficientFunds { .. }) => Ok(false),
        // An owner who cannot hold more waives it: the tenant has not failed.
        Err(PostError::TooMuch { .. }) => {
            warn!(lease = %lease.lease_id, "rent is waived: its owner can hold no more");
            Ok(true)
        }
        Err(error) => Err(error.into()),
    }
}

/// Another period is paid that begins when it was due.
pub(crate) fn begin_period(lease: &mut Lease, begins_at_us: i64) {
    lease.periods_paid += 1;
    let due_at_us = begins_at_us.saturating_add(lease.period_us);
    lease.due_at_us = Some(due_at_us);
    lease.grace_until_us = None;
    // Before the end there is nothing to pay, and nothing to remind of.
    (lease.step, lease.acts_at_us) = if lease.periods_paid < lease.period_count {
        (Step::Remind, Some(due_at_us.saturating_sub(terms::reminder_us(lease.period_us))))
    } else {
        (Step::Collect, Some(due_at_us))
    };
}

/// Ends an active lease: the deposit goes where it belongs, the tenant goes, the land is free of it.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    deps: &Deps,
    by: Actor,
    lease: &mut Lease,
    facts: Option<&ParcelFacts>,
    reason: EndReason,
    now_us: i64,
) -> Result<(), Refusal> {
    let state = if reason == EndReason::Unpaid { LeaseState::Defaulted } else { LeaseState::Ended };
    if lease.deposit_minor > 0 {
        match (state, facts) {
            (LeaseState::Defaulted, Some(facts)) => forfeit(tx, lease, facts.owner_id, now_us)?,
            _ => wallet::void_hold(tx, lease.lease_id, now_us)?,
        }
    }
    if let Some(facts) = facts {
        land::access::revoke_tenant(tx, facts.anchor, lease.tenant_id, now_us)?;
        land::unbind_lease(tx, facts.anchor, lease.lease_id)?;
    }
    lease.close(state, Some(reason), now_us);
    on_record(tx, "lease.ended", by, lease, now_us)?;
    let parties = [lease.landlord_id, lease.tenant_id];
    Ok(deps.tell(tx, "land.lease_ended", &parties, told(lease), now_us)?)
}

/// Puts on record what a lease costs, who lets the land and who is or was its tenant.
pub(crate) fn on_record(
    tx: &mut Tx<'_>,
    action: &'static str,
    actor: Actor,
    lease: &Lease,
    now_us: i64,
) -> Result<(), store::Error> {
    let entry = audit::Entry {
        at_us: now_us,
        actor,
        action,
        subject_kind: "lease",
        subject_id: lease.lease_id.to_string(),
        reason: None,
        details: told(lease),
    };
    audit::record(tx, &entry).map(drop)
}

/// The deposit becomes the owner's.
fn forfeit(tx: &mut Tx<'_>, lease: &Lease, owner_id: Uuid, now_us: i64) -> Result<(), Refusal> {
    let (from, to) = (AccountRef::Wallet(lease.tenant_id), AccountRef::Wallet(owner_id));
    let client_id = format!("lease:{}:deposit", lease.lease_id);
    let posting = Posting::of(PostingKind::Deposit, client_id, reference(lease))
        .transfer(from, to, &asset(lease), amount(lease.deposit_minor))
        .finish()
        .map_err(|error| Refusal::Books(error.to_string()))?;
    match wallet::post_hold(tx, lease.lease_id, &posting, now_us) {
        // An owner who can hold no more leaves it to the tenant.
        Err(HoldError::Post(PostError::TooMuch { .. })) => Ok(wallet::void_hold(tx, lease.lease_id, now_us)?),
        Err(HoldError::Settled { state: HoldState::Posted }) | Ok(_) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn reference(lease: &Lease) -> String {
    format!("lease:{}", lease.lease_id)
}

/// The currency was looked up when the lease was offered.
pub(crate) fn asset(lease: &Lease) -> AssetId {
    AssetId::try_currency(&lease.currency).expect("a lease is in a currency")
}

/// Amounts of leases were checked when they were offered.
pub(crate) fn amount(minor: i64) -> Amount {
    Amount::try_from_minor(minor).expect("amounts of a lease are in range")
}

/// What an event says of a lease.
pub(crate) fn told(lease: &Lease) -> Value {
    let mut data = json!({
        "lease_id": lease.lease_id,
        "parcel": lease.parcel.token(),
        "landlord_id": lease.landlord_id,
        "tenant_id": lease.tenant_id,
        "currency": lease.currency,
        "price_minor": lease.rent_minor,
        "deposit_minor": lease.deposit_minor,
        "periods_paid": lease.periods_paid,
        "periods": lease.period_count,
        "state": lease.state.code(),
    });
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            data[name] = value.into();
        }
    };
    add("reason", lease.end_reason.map(|it| it.code().to_owned()));
    add("due_at", lease.due_at_us.map(|it| api::timestamp(it).to_string()));
    add("grace_until", lease.grace_until_us.map(|it| api::timestamp(it).to_string()));
    data
}
