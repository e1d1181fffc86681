//! What owners and tenants decide.

use api::idempotency::{self, Answer, Decision, Fingerprint};
use api::{Caller, IdempotencyKey, Page, Problem, cursor};
use axum::http::StatusCode;
use cell::CellId;
use land::{Encumbrance, EncumbranceKind, Shown};
use ledger::AccountRef;
use store::{Isolation, Tx};
use uuid::Uuid;
use wallet::{HoldKind, HoldRequest};

use crate::lease::{self, EndReason, Lease, LeaseState, Side, Step};
use crate::refusal::Refusal;
use crate::rent::{self, told};
use crate::service::{Deps, Tenure};
use crate::terms::{OFFER_TIME_US, OFFERS_WAITING_MAX};
use crate::view::LeaseView;

/// What a lease is offered for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Terms {
    pub(crate) tenant_id: Uuid,
    pub(crate) currency: String,
    pub(crate) rent_minor: i64,
    pub(crate) deposit_minor: i64,
    pub(crate) period_us: i64,
    pub(crate) period_count: u32,
}

/// What somebody decides about a lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Choice {
    /// By the tenant.
    Accept,
    /// By the tenant.
    Decline,
    /// By either side.
    End {
        /// By the tenant alone: without waiting for the end of the period that is paid.
        is_at_once: bool,
    },
}

impl Choice {
    const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::End { is_at_once: false } => "end",
            Self::End { is_at_once: true } => "end at once",
        }
    }
}

impl Tenure {
    /// The lot that a token names.
    pub(crate) fn parse_lot(&self, token: &str) -> Result<CellId, Refusal> {
        let lot_level = self.deps.lot_level;
        let lot = CellId::parse_token(token).ok().filter(|it| it.level() == lot_level);
        let token = || token.chars().take(20).collect();
        lot.ok_or_else(|| land::Refusal::NotALot { token: token(), lot_level }.into())
    }

    /// Offers a parcel to somebody.
    pub(crate) async fn offer(
        &self,
        caller: Caller,
        lot: CellId,
        terms: Terms,
        key: IdempotencyKey,
    ) -> Result<Answer, Problem> {
        let fingerprint = Fingerprint::of("POST /lands/{token}/lease")
            .with(&lot.raw().to_be_bytes())
            .with(terms.tenant_id.as_bytes())
            .with(terms.currency.as_bytes())
            .with(&terms.rent_minor.to_le_bytes())
            .with(&terms.deposit_minor.to_le_bytes())
            .with(&terms.period_us.to_le_bytes())
            .with(&terms.period_count.to_le_bytes());
        self.decide(caller, key, fingerprint, StatusCode::CREATED, move |tx, deps, now_us| {
            offer(tx, deps, lot, &terms, caller.account_id, now_us)
        })
        .await
    }

    /// Decides about a lease.
    pub(crate) async fn choose(
        &self,
        caller: Caller,
        lease_id: Uuid,
        choice: Choice,
        key: IdempotencyKey,
    ) -> Result<Answer, Problem> {
        let fingerprint =
            Fingerprint::of("POST /leases/{id}").with(choice.name().as_bytes()).with(lease_id.as_bytes());
        self.decide(caller, key, fingerprint, StatusCode::OK, move |tx, deps, now_us| {
            choose(tx, deps, lease_id, choice, caller.account_id, now_us)
        })
        .await
    }

    /// Leases of somebody whom the caller is or acts for, newest first.
    pub(crate) async fn leases(
        &self,
        caller: Caller,
        side: Side,
        who: Uuid,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Page<LeaseView>, Problem> {
        let deps = self.deps.clone();
        let views = self
            .deps
            .store
            .read(move |tx| {
                if !deps.may_act(tx, who, caller.account_id)? {
                    return Err(Refusal::NoAuthority);
                }
                let leases = lease::list(tx, side, who, before, limit + 1)?;
                Ok(leases
                    .into_iter()
                    .map(|it| LeaseView::of(tx, &deps, it))
                    .collect::<Result<Vec<_>, _>>()?)
            })
            .await?;
        Ok(Page::from_surplus(views, limit, |last| cursor::encode(last.lease_id.as_bytes())))
    }

    /// One lease, for either side.
    pub(crate) async fn lease(&self, caller: Caller, lease_id: Uuid) -> Result<LeaseView, Problem> {
        let deps = self.deps.clone();
        let view = self
            .deps
            .store
            .read(move |tx| {
                let found = lease::find(tx, lease_id)?.ok_or(Refusal::LeaseUnknown)?;
                let (is_landlord, is_tenant) = sides(tx, &deps, &found, caller.account_id)?;
                if !is_landlord && !is_tenant {
                    return Err(Refusal::LeaseUnknown);
                }
                Ok(LeaseView::of(tx, &deps, found)?)
            })
            .await?;
        Ok(view)
    }

    /// Runs `effect` once for its key.
    async fn decide<F>(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
        status: StatusCode,
        mut effect: F,
    ) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Tx<'_>, &Deps, i64) -> Result<Lease, Refusal> + Send + 'static,
    {
        let now_us = self.deps.clock.now_us();
        let decision = Decision { account_id: caller.account_id, key, fingerprint, now_us };
        let deps = self.deps.clone();
        let answer = idempotency::run(&self.deps.store, Isolation::Locked, decision, move |tx| {
            let lease = effect(tx, &deps, now_us)?;
            let view = LeaseView::of(tx, &deps, lease)?;
            Ok::<_, Refusal>((status, serde_json::to_value(view).expect("text keys and plain values")))
        })
        .await?;
        self.deps.wake.wake();
        Ok(answer)
    }
}

fn offer(
    tx: &mut Tx<'_>,
    deps: &Deps,
    lot: CellId,
    terms: &Terms,
    actor: Uuid,
    now_us: i64,
) -> Result<Lease, Refusal> {
    let facts = land::take(tx, lot)?.ok_or(land::Refusal::NotOwner)?;
    if !deps.may_act(tx, facts.owner_id, actor)? {
        return Err(land::Refusal::NotOwner.into());
    }
    if facts.frozen_at_us.is_some() {
        return Err(land::Refusal::Frozen { parcel: facts.anchor }.into());
    }
    if let Some(Encumbrance { kind, .. }) = land::encumbrance(tx, facts.anchor)? {
        return Err(land::Refusal::Encumbered { parcel: facts.anchor, kind }.into());
    }
    if facts.lease_id.is_some() {
        return Err(land::Refusal::Leased { parcel: facts.anchor }.into());
    }
    if deps.economy.currency(&terms.currency).is_none() {
        return Err(Refusal::UnknownCurrency { code: terms.currency.chars().take(32).collect() });
    }
    if terms.tenant_id == facts.owner_id {
        return Err(Refusal::SelfLease);
    }
    if (deps.name)(tx, terms.tenant_id)?.is_none() {
        return Err(Refusal::TenantUnknown);
    }
    if lease::offered_to(tx, terms.tenant_id)? >= OFFERS_WAITING_MAX {
        return Err(Refusal::TooManyOffers);
    }
    let expires_at_us = now_us.saturating_add(OFFER_TIME_US);
    let lease = Lease {
        lease_id: events::next_id(),
        parcel: facts.anchor,
        landlord_id: facts.owner_id,
        tenant_id: terms.tenant_id,
        currency: terms.currency.clone(),
        rent_minor: terms.rent_minor,
        deposit_minor: terms.deposit_minor,
        period_us: terms.period_us,
        period_count: terms.period_count,
        periods_paid: 0,
        state: LeaseState::Offered,
        end_reason: None,
        offered_at_us: now_us,
        expires_at_us,
        started_at_us: None,
        due_at_us: None,
        step: Step::Collect,
        grace_until_us: None,
        ended_at_us: None,
        acts_at_us: Some(expires_at_us),
    };
    if !land::encumber(tx, facts.anchor, EncumbranceKind::LeaseOffer, lease.lease_id)? {
        let kind = EncumbranceKind::LeaseOffer;
        return Err(land::Refusal::Encumbered { parcel: facts.anchor, kind }.into());
    }
    let shown = Shown {
        price_minor: Some(lease.rent_minor),
        currency: Some(lease.currency.clone()),
        ends_at_us: Some(expires_at_us),
    };
    land::show(tx, facts.anchor, lease.lease_id, &shown)?;
    lease::add(tx, &lease)?;
    deps.tell(tx, "land.lease_offered", &[lease.tenant_id, lease.landlord_id], told(&lease), now_us)?;
    rent::on_record(tx, "lease.terms_offered", audit::Actor::account(actor), &lease, now_us)?;
    Ok(lease)
}

pub(crate) fn choose(
    tx: &mut Tx<'_>,
    deps: &Deps,
    lease_id: Uuid,
    choice: Choice,
    actor: Uuid,
    now_us: i64,
) -> Result<Lease, Refusal> {
    let (mut lease, facts) = lease::take(tx, lease_id)?.ok_or(Refusal::LeaseUnknown)?;
    if let Some(facts) = &facts
        && lease.state == LeaseState::Active
    {
        lease.landlord_id = facts.owner_id;
    }
    let (is_landlord, is_tenant) = sides(tx, deps, &lease, actor)?;
    // Whoever has nothing to do with it learns not even that it is there.
    if !is_landlord && !is_tenant {
        return Err(Refusal::LeaseUnknown);
    }
    let is_too_late = lease.state == LeaseState::Offered && lease.expires_at_us <= now_us;
    let state = if is_too_late { LeaseState::Expired } else { lease.state };
    let closed = Refusal::LeaseClosed { state };
    let by = audit::Actor::account(actor);
    match (choice, state) {
        (Choice::Accept | Choice::Decline, _) if !is_tenant => return Err(Refusal::NoAuthority),
        (Choice::Accept, LeaseState::Offered) => {
            accept(tx, deps, &mut lease, facts.as_ref(), now_us)?;
            rent::on_record(tx, "lease.accepted", by, &lease, now_us)?;
        }
        (Choice::Decline, LeaseState::Offered) => {
            close_offer(tx, deps, &mut lease, LeaseState::Declined, "land.lease_declined", now_us)?;
        }
        (Choice::End { .. }, LeaseState::Offered) if is_landlord => {
            close_offer(tx, deps, &mut lease, LeaseState::Withdrawn, "land.lease_withdrawn", now_us)?;
        }
        (Choice::End { .. }, LeaseState::Offered) => return Err(Refusal::NoAuthority),
        (Choice::End { is_at_once }, LeaseState::Active) if is_tenant => {
            // Who owes rent cannot leave with the deposit.
            if lease.step == Step::Grace || lease.due_at_us.is_some_and(|it| it <= now_us) {
                return Err(Refusal::RentOverdue);
            }
            if is_at_once {
                rent::end(tx, deps, by, &mut lease, facts.as_ref(), EndReason::Tenant, now_us)?;
            } else {
                let last = lease.periods_paid;
                give_notice(tx, deps, &mut lease, last, EndReason::Tenant, now_us)?;
            }
        }
        (Choice::End { .. }, LeaseState::Active) => {
            // The tenant has one whole period to find other land.
            let last = lease.periods_paid + 1;
            give_notice(tx, deps, &mut lease, last, EndReason::Landlord, now_us)?;
        }
        _ => return Err(closed),
    }
    lease::write(tx, &lease)?;
    Ok(lease)
}

fn accept(
    tx: &mut Tx<'_>,
    deps: &Deps,
    lease: &mut Lease,
    facts: Option<&land::ParcelFacts>,
    now_us: i64,
) -> Result<(), Refusal> {
    let facts = facts.ok_or(Refusal::LeaseClosed { state: LeaseState::Expired })?;
    if facts.frozen_at_us.is_some() {
        return Err(land::Refusal::Frozen { parcel: facts.anchor }.into());
    }
    let asset = rent::asset(lease);
    let (tenant, owner) = (AccountRef::Wallet(lease.tenant_id), AccountRef::Wallet(facts.owner_id));
    wallet::take_balances(tx, &[(tenant, asset.clone()), (owner, asset.clone())], now_us)?;
    if lease.deposit_minor > 0 {
        let deposit = HoldRequest {
            hold_id: lease.lease_id,
            account_id: lease.tenant_id,
            asset: asset.clone(),
            amount: rent::amount(lease.deposit_minor),
            kind: HoldKind::Deposit,
            reference: rent::reference(lease),
            expires_at_us: None,
        };
        wallet::hold(tx, &deposit, now_us)?;
    }
    if !rent::collect(tx, lease, facts.owner_id, now_us)? {
        let available = wallet::available(tx, tenant, &asset)?;
        return Err(Refusal::InsufficientFunds { available, needed: rent::amount(lease.rent_minor) });
    }
    land::release(tx, facts.anchor, lease.lease_id)?;
    if !land::bind_lease(tx, facts.anchor, lease.lease_id)? {
        return Err(land::Refusal::Leased { parcel: facts.anchor }.into());
    }
    land::access::grant_tenant(tx, facts.anchor, lease.tenant_id, now_us)?;
    lease.state = LeaseState::Active;
    lease.started_at_us = Some(now_us);
    rent::begin_period(lease, now_us);
    let parties = [lease.landlord_id, lease.tenant_id];
    Ok(deps.tell(tx, "land.lease_accepted", &parties, told(lease), now_us)?)
}

fn close_offer(
    tx: &mut Tx<'_>,
    deps: &Deps,
    lease: &mut Lease,
    state: LeaseState,
    kind: &'static str,
    now_us: i64,
) -> Result<(), Refusal> {
    land::release(tx, lease.parcel, lease.lease_id)?;
    lease.close(state, None, now_us);
    Ok(deps.tell(tx, kind, &[lease.landlord_id, lease.tenant_id], told(lease), now_us)?)
}

/// The lease ends after period number `last`, unless it ends before anyway.
fn give_notice(
    tx: &mut Tx<'_>,
    deps: &Deps,
    lease: &mut Lease,
    last: u32,
    reason: EndReason,
    now_us: i64,
) -> Result<(), Refusal> {
    if last >= lease.period_count {
        return Ok(());
    }
    lease.period_count = last.max(1);
    lease.end_reason = Some(reason);
    // Of a period that will not be there is nothing to be reminded.
    if lease.periods_paid >= lease.period_count && lease.step == Step::Remind {
        (lease.step, lease.acts_at_us) = (Step::Collect, lease.due_at_us);
    }
    let parties = [lease.landlord_id, lease.tenant_id];
    Ok(deps.tell(tx, "land.lease_notice", &parties, told(lease), now_us)?)
}

/// Whether an account is or acts for the landlord, and for the tenant.
fn sides(tx: &mut Tx<'_>, deps: &Deps, lease: &Lease, actor: Uuid) -> Result<(bool, bool), store::Error> {
    Ok((deps.may_act(tx, lease.landlord_id, actor)?, deps.may_act(tx, lease.tenant_id, actor)?))
}
