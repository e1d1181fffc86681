//! Who may enter and use a parcel.
//!
//! A parcel has a *fence* (everyone, only those on its list, nobody) and *permissions*: roles of accounts and groups,
//! some of which end at a time. The owner, and whoever acts for a group that owns, may everything; everything of the
//! others is cleared when the parcel changes hands, but for its tenant, who stays. The rules stand in `rule.rs` and
//! nowhere else: who walks is told by [`Fence::admission`], who builds by [`Access::may`].
//!
//! Read first: [`Access`], [`Permission`], [`Role`], [`fences_in`].

mod fence;
mod refusal;
mod routes;
mod rows;
mod rule;
mod service;

use std::sync::Arc;

use cell::CellId;
use store::Tx;
use uuid::Uuid;

pub use fence::{Admission, Fence, fences_in};
pub use refusal::AccessRefusal;
pub use routes::{FenceRequest, FenceView, GivenRole, PermissionRequest, PermissionView, routes};
pub use rows::{clear, copy, grant_tenant, owns_land, revoke_tenant, rule_of};
pub use rule::{FenceRule, Permission, Role, Standing};
pub use service::{AccessDeps, AccessService};

pub(crate) const STATEMENTS: &[&[&str]] = &[fence::STATEMENTS, rows::STATEMENTS];

/// Permissions of one parcel, its tenant's aside.
pub const PERMISSIONS_PER_PARCEL_MAX: u32 = 100;

/// A group that an account is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Membership {
    /// Which group.
    pub group_id: Uuid,
    /// Whether the account may act for it.
    pub may_act: bool,
}

/// The groups an account is in, read in the caller's transaction.
pub type MembershipsOf =
    Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<Vec<Membership>, store::Error> + Send + Sync>;

/// Answers what somebody may do on a parcel.
#[derive(Clone)]
pub struct Access {
    memberships: MembershipsOf,
}

impl Access {
    /// Knows groups by what it is handed.
    pub fn new(memberships: MembershipsOf) -> Self {
        Self { memberships }
    }

    /// Whether an account may do something on the parcel with this anchor; on nobody's land everybody may enter and
    /// nobody anything else.
    pub fn may(
        &self,
        tx: &mut Tx<'_>,
        parcel: CellId,
        account_id: Uuid,
        permission: Permission,
        now_us: i64,
    ) -> Result<bool, store::Error> {
        let Some(facts) = crate::parcel::by_anchor(tx, parcel)? else {
            return Ok(permission == Permission::Enter);
        };
        let standing = self.standing(tx, parcel, facts.owner_id, account_id, now_us)?;
        let rule = rule_of(tx, parcel)?;
        Ok(standing.may(permission, rule))
    }

    /// What somebody is to a parcel.
    pub fn standing(
        &self,
        tx: &mut Tx<'_>,
        parcel: CellId,
        owner_id: Uuid,
        account_id: Uuid,
        now_us: i64,
    ) -> Result<Standing, store::Error> {
        let memberships = (self.memberships)(tx, account_id)?;
        let permissions = rows::of_parcel(tx, parcel)?;
        let entries = permissions.iter().map(|it| (it.subject_id, it.role, it.expires_at_us));
        Ok(Standing::of(owner_id, entries, account_id, &memberships, now_us))
    }
}
