//! Fences and permissions in SQL.

use std::collections::BTreeSet;

use cell::CellId;
use events::{Audience, NewEvent};
use serde_json::json;
use store::{Row, Tx, Value, params};
use uuid::Uuid;

use super::rule::{FenceRule, Role};
use crate::parcel::cell_at;

store::statements! {
    RULE = "select rule from fences where parcel_id = $1";
    SET_RULE = "insert into fences (parcel_id, rule) values ($1, $2) \
                on conflict (parcel_id) do update set rule = excluded.rule where fences.rule <> excluded.rule";
    OPEN = "delete from fences where parcel_id = $1";
    OF_PARCEL = "select subject_id, role, expires_at, granted_by, since from permissions where parcel_id = $1 \
                 order by subject_id";
    GRANT = "insert into permissions (parcel_id, subject_id, role, expires_at, granted_by, since) \
             values ($1, $2, $3, $4, $5, $6) on conflict (parcel_id, subject_id) do update \
             set role = excluded.role, expires_at = excluded.expires_at, granted_by = excluded.granted_by, \
             since = excluded.since";
    REVOKE = "delete from permissions where parcel_id = $1 and subject_id = $2";
    /// What has ended takes no room.
    FORGET_ENDED = "delete from permissions where parcel_id = $1 and expires_at is not null and expires_at <= $2";
    REVOKE_TENANT = "delete from permissions where parcel_id = $1 and subject_id = $2 and role = 'tenant'";
    CLEAR_FENCES = "delete from fences where parcel_id in (select rows.parcel_id from rows(parcel_id bigint)) \
                    returning parcel_id";
    CLEAR_PERMISSIONS = "delete from permissions where role <> 'tenant' and parcel_id in \
                         (select rows.parcel_id from rows(parcel_id bigint)) returning parcel_id";
    OWNS = "select parcel_id from parcels where owner_id = $1 limit 1";
    COPY_FENCE = "insert into fences (parcel_id, rule) select $2, rule from fences where parcel_id = $1";
    COPY_PERMISSIONS = "insert into permissions (parcel_id, subject_id, role, expires_at, granted_by, since) \
                        select $2, subject_id, role, expires_at, granted_by, since from permissions \
                        where parcel_id = $1";
}

/// A role that somebody was given on a parcel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RoleGrant {
    pub(crate) subject_id: Uuid,
    pub(crate) role: Role,
    pub(crate) expires_at_us: Option<i64>,
    pub(crate) granted_by: Uuid,
    pub(crate) since_us: i64,
}

impl RoleGrant {
    pub(crate) fn has_ended(&self, now_us: i64) -> bool {
        self.expires_at_us.is_some_and(|end| end <= now_us)
    }
}

pub(super) fn parse_rule(name: &str) -> Result<FenceRule, store::Error> {
    FenceRule::parse(name)
        .ok_or_else(|| store::Error::Damaged { detail: format!("fences: there is no rule {name}") })
}

pub(super) fn role_at(row: &Row, column: usize) -> Result<Role, store::Error> {
    let name: String = row.get(column)?;
    Role::parse(&name)
        .ok_or_else(|| store::Error::Damaged { detail: format!("permissions: there is no role {name}") })
}

/// Whom a parcel lets in.
pub fn rule_of(tx: &mut Tx<'_>, parcel: CellId) -> Result<FenceRule, store::Error> {
    let row = tx.query_opt(RULE, params![parcel.to_sql()])?;
    row.map_or(Ok(FenceRule::Everyone), |row| parse_rule(&row.get::<String>(0)?))
}

/// Whether that is a change.
pub(crate) fn set_rule(tx: &mut Tx<'_>, parcel: CellId, rule: FenceRule) -> Result<bool, store::Error> {
    let changed = match rule {
        FenceRule::Everyone => tx.execute(OPEN, params![parcel.to_sql()])?,
        _ => tx.execute(SET_RULE, params![parcel.to_sql(), rule.name()])?,
    };
    Ok(changed > 0)
}

/// All roles on a parcel, ended ones included; bounded by [`super::PERMISSIONS_PER_PARCEL_MAX`].
pub(crate) fn of_parcel(tx: &mut Tx<'_>, parcel: CellId) -> Result<Vec<RoleGrant>, store::Error> {
    let of = |row: &Row| {
        Ok(RoleGrant {
            subject_id: row.get(0)?,
            role: role_at(row, 1)?,
            expires_at_us: row.get(2)?,
            granted_by: row.get(3)?,
            since_us: row.get(4)?,
        })
    };
    tx.query(OF_PARCEL, params![parcel.to_sql()])?.iter().map(of).collect()
}

pub(crate) fn grant(tx: &mut Tx<'_>, parcel: CellId, granted: &RoleGrant) -> Result<(), store::Error> {
    let RoleGrant { subject_id, role, expires_at_us, granted_by, since_us } = granted;
    let values = params![parcel.to_sql(), *subject_id, role.name(), *expires_at_us, *granted_by, *since_us];
    tx.execute(GRANT, values).map(drop)
}

/// Whether there was something to take back.
pub(crate) fn revoke(tx: &mut Tx<'_>, parcel: CellId, subject_id: Uuid) -> Result<bool, store::Error> {
    Ok(tx.execute(REVOKE, params![parcel.to_sql(), subject_id])? > 0)
}

pub(crate) fn forget_ended(tx: &mut Tx<'_>, parcel: CellId, now_us: i64) -> Result<(), store::Error> {
    tx.execute(FORGET_ENDED, params![parcel.to_sql(), now_us]).map(drop)
}

/// Makes somebody the tenant of a parcel, which has been taken: they go in and build, whatever the fence, and stay when
/// the owner changes.
pub fn grant_tenant(
    tx: &mut Tx<'_>,
    parcel: CellId,
    tenant_id: Uuid,
    now_us: i64,
) -> Result<(), store::Error> {
    let role = Role::Tenant;
    let granted = RoleGrant {
        subject_id: tenant_id,
        role,
        expires_at_us: None,
        granted_by: tenant_id,
        since_us: now_us,
    };
    grant(tx, parcel, &granted)?;
    events::record(tx, &[fence_changed(parcel)], now_us)
}

/// Ends what [`grant_tenant`] gave.
pub fn revoke_tenant(
    tx: &mut Tx<'_>,
    parcel: CellId,
    tenant_id: Uuid,
    now_us: i64,
) -> Result<(), store::Error> {
    tx.execute(REVOKE_TENANT, params![parcel.to_sql(), tenant_id])?;
    events::record(tx, &[fence_changed(parcel)], now_us)
}

/// Opens parcels, which have been taken, and takes back every role on them but a tenant's: they have other owners now, or
/// none. Tells of those that were not open.
pub fn clear(tx: &mut Tx<'_>, parcels: &[CellId], now_us: i64) -> Result<(), store::Error> {
    let rows: Vec<Vec<Value>> = parcels.iter().map(|it| vec![it.to_sql().into()]).collect();
    let mut cleared = BTreeSet::new();
    for statement in [CLEAR_FENCES, CLEAR_PERMISSIONS] {
        for row in tx.query_rows(statement, &rows)? {
            cleared.insert(cell_at(&row, 0)?);
        }
    }
    let events: Vec<_> = cleared.into_iter().map(fence_changed).collect();
    if events.is_empty() { Ok(()) } else { events::record(tx, &events, now_us) }
}

/// Gives a parcel that was split off the fence and the roles of the one that it was part of.
pub fn copy(tx: &mut Tx<'_>, from: CellId, to: CellId, now_us: i64) -> Result<(), store::Error> {
    let fences = tx.execute(COPY_FENCE, params![from.to_sql(), to.to_sql()])?;
    let roles = tx.execute(COPY_PERMISSIONS, params![from.to_sql(), to.to_sql()])?;
    if fences + roles == 0 { Ok(()) } else { events::record(tx, &[fence_changed(to)], now_us) }
}

/// Whether an account or group owns any land.
pub fn owns_land(tx: &mut Tx<'_>, owner_id: Uuid) -> Result<bool, store::Error> {
    Ok(tx.query_opt(OWNS, params![owner_id])?.is_some())
}

/// Something about who may enter a parcel has changed; whoever wants to know what asks.
pub(crate) fn fence_changed(parcel: CellId) -> NewEvent {
    let data = json!({ "parcel": parcel.token() });
    NewEvent { kind: "land.fence_changed", audience: Audience::Near(parcel), data }
}
