//! What can be done with fences and permissions.

use std::sync::Arc;

use api::{Caller, Problem, SharedClock, timestamp};
use cell::CellId;
use events::{Audience, NewEvent};
use planet::Planet;
use serde_json::json;
use store::{Store, Tx};
use uuid::Uuid;

use super::refusal::AccessRefusal;
use super::routes::{FenceView, PermissionView};
use super::rows::{self, RoleGrant};
use super::rule::{FenceRule, Permission, Role, Standing};
use super::{Access, PERMISSIONS_PER_PARCEL_MAX};
use crate::parcel::{self, ParcelFacts};
use crate::rules::Refusal;
use crate::service::DisplayName;

/// What the service is given.
#[derive(Clone)]
pub struct AccessDeps {
    /// Where everything is kept.
    pub store: Store,
    /// For the level of its lots.
    pub planet: Arc<Planet>,
    /// Who is in which group.
    pub access: Access,
    /// What accounts are called.
    pub display_name: DisplayName,
    /// What groups are called.
    pub group_name: DisplayName,
    /// Told when something was recorded.
    pub wake: events::Wake,
    /// The time.
    pub clock: SharedClock,
}

/// Fences and permissions over HTTP.
pub struct AccessService {
    deps: AccessDeps,
}

impl AccessService {
    /// Nothing runs until it is asked.
    pub fn new(deps: AccessDeps) -> Self {
        Self { deps }
    }

    pub(super) fn parse_lot(&self, token: &str) -> Result<CellId, Refusal> {
        let lot_level = self.deps.planet.grid_level(crate::LOT_LEVEL_AT_DEFAULT);
        let lot = CellId::parse_token(token).ok().filter(|it| it.level() == lot_level);
        lot.ok_or_else(|| Refusal::NotALot { token: token.chars().take(20).collect(), lot_level })
    }

    /// The fence of a parcel, and what it means for the caller. Land of nobody is open.
    pub async fn fence(&self, caller: Caller, lot: CellId) -> Result<FenceView, Problem> {
        let now_us = self.deps.clock.now_us();
        let access = self.deps.access.clone();
        let view = self.deps.store.read(move |tx| {
            let Some(facts) = parcel::parcel(tx, lot)? else {
                return Ok(FenceView::of(lot, FenceRule::Everyone, &Standing::default()));
            };
            let standing = access.standing(tx, facts.anchor, facts.owner_id, caller.account_id, now_us)?;
            Ok::<_, store::Error>(FenceView::of(facts.anchor, rows::rule_of(tx, facts.anchor)?, &standing))
        });
        Ok(view.await?)
    }

    /// Sets the fence of a parcel.
    pub async fn set_fence(
        &self,
        caller: Caller,
        lot: CellId,
        rule: FenceRule,
    ) -> Result<FenceView, Problem> {
        let now_us = self.deps.clock.now_us();
        let access = self.deps.access.clone();
        let change = move |tx: &mut Tx<'_>| -> Result<FenceView, AccessRefusal> {
            let (facts, standing) = taken(tx, &access, lot, caller, now_us)?;
            if rows::set_rule(tx, facts.anchor, rule)? {
                events::record(tx, &[rows::fence_changed(facts.anchor)], now_us)?;
            }
            Ok(FenceView::of(facts.anchor, rule, &standing))
        };
        let view = self.deps.store.locked(change).await?;
        self.deps.wake.wake();
        Ok(view)
    }

    /// The roles that hold on a parcel, for those who may change them.
    pub async fn permissions(&self, caller: Caller, lot: CellId) -> Result<Vec<PermissionView>, Problem> {
        let now_us = self.deps.clock.now_us();
        let deps = self.deps.clone();
        let list = self.deps.store.read(move |tx| {
            let facts = parcel::parcel(tx, lot)?.ok_or(AccessRefusal::NotAllowed)?;
            check_manages(tx, &deps.access, &facts, caller, now_us)?;
            let mut list = Vec::new();
            for granted in rows::of_parcel(tx, facts.anchor)? {
                if !granted.has_ended(now_us) {
                    list.push(view(tx, &deps, &granted)?);
                }
            }
            Ok::<_, AccessRefusal>(list)
        });
        Ok(list.await?)
    }

    /// Gives an account or a group a role on a parcel, in place of the one it had.
    pub async fn grant(
        &self,
        caller: Caller,
        lot: CellId,
        subject_id: Uuid,
        role: Role,
        expires_at_us: Option<i64>,
    ) -> Result<PermissionView, Problem> {
        let now_us = self.deps.clock.now_us();
        let deps = self.deps.clone();
        let granted =
            RoleGrant { subject_id, role, expires_at_us, granted_by: caller.account_id, since_us: now_us };
        let change = move |tx: &mut Tx<'_>| -> Result<PermissionView, AccessRefusal> {
            let (facts, standing) = taken(tx, &deps.access, lot, caller, now_us)?;
            let shown = view(tx, &deps, &granted)?;
            if shown.display_name.is_empty() {
                return Err(AccessRefusal::NoSuchSubject);
            }
            if subject_id == facts.owner_id {
                return Err(AccessRefusal::SubjectOwns);
            }
            rows::forget_ended(tx, facts.anchor, now_us)?;
            let permissions = rows::of_parcel(tx, facts.anchor)?;
            let before = permissions.iter().find(|it| it.subject_id == subject_id);
            check_may_change(&standing, before.map(|it| it.role), Some(role))?;
            if granted.has_ended(now_us) {
                return Err(AccessRefusal::ExpiresInThePast);
            }
            let others = permissions.iter().filter(|it| it.role != Role::Tenant).count();
            if before.is_none() && others >= PERMISSIONS_PER_PARCEL_MAX as usize {
                return Err(AccessRefusal::TooManyPermissions);
            }
            let is_same =
                before.is_some_and(|it| it.role == role && it.expires_at_us == granted.expires_at_us);
            if !is_same {
                rows::grant(tx, facts.anchor, &granted)?;
                let before = before.map(|it| it.role);
                record(tx, facts.anchor, caller, subject_id, (before, Some(role)), now_us)?;
            }
            Ok(shown)
        };
        let view = self.deps.store.locked(change).await?;
        self.deps.wake.wake();
        Ok(view)
    }

    /// Takes a role back; nothing happens if there is none.
    pub async fn revoke(&self, caller: Caller, lot: CellId, subject_id: Uuid) -> Result<(), Problem> {
        let now_us = self.deps.clock.now_us();
        let access = self.deps.access.clone();
        let change = move |tx: &mut Tx<'_>| -> Result<(), AccessRefusal> {
            let (facts, standing) = taken(tx, &access, lot, caller, now_us)?;
            let permissions = rows::of_parcel(tx, facts.anchor)?;
            let before = permissions.iter().find(|it| it.subject_id == subject_id);
            check_may_change(&standing, before.map(|it| it.role), None)?;
            if rows::revoke(tx, facts.anchor, subject_id)? {
                record(tx, facts.anchor, caller, subject_id, (before.map(|it| it.role), None), now_us)?;
            }
            Ok(())
        };
        self.deps.store.locked(change).await?;
        self.deps.wake.wake();
        Ok(())
    }
}

/// The parcel of a lot, taken, and what the caller is to it, who may manage it.
fn taken(
    tx: &mut Tx<'_>,
    access: &Access,
    lot: CellId,
    caller: Caller,
    now_us: i64,
) -> Result<(ParcelFacts, Standing), AccessRefusal> {
    let facts = parcel::take(tx, lot)?.ok_or(AccessRefusal::NotAllowed)?;
    let standing = check_manages(tx, access, &facts, caller, now_us)?;
    Ok((facts, standing))
}

fn check_manages(
    tx: &mut Tx<'_>,
    access: &Access,
    facts: &ParcelFacts,
    caller: Caller,
    now_us: i64,
) -> Result<Standing, AccessRefusal> {
    let standing = access.standing(tx, facts.anchor, facts.owner_id, caller.account_id, now_us)?;
    // The fence has no part in who manages.
    let manages = standing.may(Permission::Manage, FenceRule::Everyone);
    if manages { Ok(standing) } else { Err(AccessRefusal::NotAllowed) }
}

/// Whether one who manages may make one role of another, or none.
fn check_may_change(
    standing: &Standing,
    before: Option<Role>,
    after: Option<Role>,
) -> Result<(), AccessRefusal> {
    if before == Some(Role::Tenant) {
        return Err(AccessRefusal::SubjectIsTenant);
    }
    let is_about_managers = before == Some(Role::Manager) || after == Some(Role::Manager);
    if is_about_managers && before != after && !standing.acts_for_owner {
        return Err(AccessRefusal::ManagersAreTheOwners);
    }
    Ok(())
}

fn view(tx: &mut Tx<'_>, deps: &AccessDeps, granted: &RoleGrant) -> Result<PermissionView, store::Error> {
    let account = (deps.display_name)(tx, granted.subject_id)?;
    let name = match account {
        Some(name) => Some(name),
        None => (deps.group_name)(tx, granted.subject_id)?,
    };
    Ok(PermissionView {
        subject_id: granted.subject_id,
        display_name: name.unwrap_or_default(),
        role: granted.role,
        expires_at: granted.expires_at_us.map(timestamp),
        since: timestamp(granted.since_us),
        granted_by: granted.granted_by,
    })
}

/// Puts another role on record, tells those near that something has changed, and the two whom it concerns what.
fn record(
    tx: &mut Tx<'_>,
    parcel: CellId,
    caller: Caller,
    subject_id: Uuid,
    (before, role): (Option<Role>, Option<Role>),
    now_us: i64,
) -> Result<(), store::Error> {
    let entry = audit::Entry {
        at_us: now_us,
        actor: audit::Actor::account(caller.account_id),
        action: "land.permission_changed",
        subject_kind: "land",
        subject_id: parcel.token(),
        reason: None,
        details: json!({
            "for_id": subject_id,
            "from": before.map(Role::name),
            "to": role.map(Role::name),
        }),
    };
    audit::record(tx, &entry)?;
    let data = json!({
        "parcel": parcel.token(),
        "subject_id": subject_id,
        "role": role.map(Role::name),
    });
    let audience = Audience::Accounts(vec![caller.account_id, subject_id]);
    let told = NewEvent { kind: "land.permission_changed", audience, data };
    events::record(tx, &[rows::fence_changed(parcel), told], now_us)
}
