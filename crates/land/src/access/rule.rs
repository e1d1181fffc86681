//! What each role may do behind each fence.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Membership;

/// Whom a parcel lets in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FenceRule {
    /// Everybody but the banned.
    #[default]
    Everyone,
    /// Those who have a role on it.
    List,
    /// Only its owner, who acts for it, and its tenant.
    Nobody,
}

impl FenceRule {
    /// As in the database and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::List => "list",
            Self::Nobody => "nobody",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Everyone, Self::List, Self::Nobody].into_iter().find(|rule| rule.name() == name)
    }
}

/// What somebody was made on a parcel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
// Another thing than the role of an account, and the document has one name for each.
#[schema(as = ParcelRole)]
pub enum Role {
    /// Has it by a lease: goes in and builds, whatever the fence. Only leases make tenants.
    Tenant,
    /// Sets the fence and lets others in, but makes no managers.
    Manager,
    /// Goes in and builds.
    Builder,
    /// Goes in.
    Guest,
    /// Is kept out always.
    Banned,
}

impl Role {
    const ALL: [Self; 5] = [Self::Tenant, Self::Manager, Self::Builder, Self::Guest, Self::Banned];

    /// As in the database and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Manager => "manager",
            Self::Builder => "builder",
            Self::Guest => "guest",
            Self::Banned => "banned",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Something one may or may not do on a parcel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permission {
    /// Walk in.
    Enter,
    /// Change what stands there.
    Build,
    /// Set the fence, let others in, put them out.
    Manage,
    /// All that binds the owner.
    Own,
}

/// What somebody is to a parcel at a moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Owner, or acts for the group that is.
    pub acts_for_owner: bool,
    /// The roles of the account and of its groups that hold at the moment.
    pub roles: Vec<Role>,
    /// When a role among them ends, the first that does.
    pub until_us: Option<i64>,
}

impl Standing {
    /// From the parcel's owner and permissions (subject, role, end) and the account's groups.
    pub(crate) fn of(
        owner_id: Uuid,
        permissions: impl Iterator<Item = (Uuid, Role, Option<i64>)>,
        account_id: Uuid,
        groups: &[Membership],
        now_us: i64,
    ) -> Self {
        let in_group = |id| groups.iter().find(|group| group.group_id == id);
        let mut standing = Self {
            acts_for_owner: owner_id == account_id || in_group(owner_id).is_some_and(|group| group.may_act),
            ..Self::default()
        };
        for (subject_id, role, ends_us) in permissions {
            let is_over = ends_us.is_some_and(|end| end <= now_us);
            if is_over || (subject_id != account_id && in_group(subject_id).is_none()) {
                continue;
            }
            standing.roles.push(role);
            standing.until_us = match (standing.until_us, ends_us) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        standing
    }

    /// Whether one of this standing may do something behind a fence.
    pub fn may(&self, permission: Permission, rule: FenceRule) -> bool {
        let has = |role| self.roles.contains(&role);
        if self.acts_for_owner {
            return true;
        }
        if has(Role::Banned) {
            return false;
        }
        let enters = match rule {
            FenceRule::Everyone => true,
            FenceRule::List => !self.roles.is_empty(),
            FenceRule::Nobody => has(Role::Tenant),
        };
        match permission {
            Permission::Enter => enters,
            Permission::Build => enters && (has(Role::Tenant) || has(Role::Manager) || has(Role::Builder)),
            Permission::Manage => has(Role::Manager),
            Permission::Own => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_what_each_may_behind_each_fence() {
        // e: enter, b: build, m: manage, o: own.
        let table = "
            -               everyone e     list -     nobody -
            guest           everyone e     list e     nobody -
            builder         everyone eb    list eb    nobody -
            manager         everyone ebm   list ebm   nobody m
            tenant          everyone eb    list eb    nobody eb
            banned          everyone -     list -     nobody -
            owner           everyone ebmo  list ebmo  nobody ebmo
            guest+banned    everyone -     list -     nobody -
            manager+banned  everyone -     list -     nobody -
            tenant+banned   everyone -     list -     nobody -
            owner+banned    everyone ebmo  list ebmo  nobody ebmo
            guest+builder   everyone eb    list eb    nobody -
        ";
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<_> = line.split_whitespace().collect();
            let mut standing = Standing::default();
            for role in words[0].split('+') {
                match role {
                    "-" => {}
                    "owner" => standing.acts_for_owner = true,
                    role => standing.roles.push(Role::parse(role).expect("a role")),
                }
            }
            for fence in words[1..].chunks(2) {
                let rule = FenceRule::parse(fence[0]).expect("a rule");
                let permissions = [
                    ('e', Permission::Enter),
                    ('b', Permission::Build),
                    ('m', Permission::Manage),
                    ('o', Permission::Own),
                ];
                for (letter, permission) in permissions {
                    let expected = fence[1].contains(letter);
                    assert_eq!(standing.may(permission, rule), expected, "{letter} in {line}");
                }
            }
        }
    }

    #[test]
    fn roles_come_by_account_and_by_group_and_go_at_their_time() {
        let id = Uuid::from_u128;
        let (ann, guild, club) = (id(1), id(100), id(101));
        let groups =
            [Membership { group_id: guild, may_act: false }, Membership { group_id: club, may_act: true }];
        let permissions = [
            (ann, Role::Guest, Some(50)),
            (guild, Role::Builder, None),
            (id(2), Role::Manager, None),
            (id(102), Role::Banned, None),
        ];
        let at = |owner, now_us| Standing::of(owner, permissions.into_iter(), ann, &groups, now_us);
        let standing = at(id(9), 49);
        assert_eq!((&standing.roles[..], standing.until_us), (&[Role::Guest, Role::Builder][..], Some(50)));
        let standing = at(id(9), 50);
        assert_eq!((&standing.roles[..], standing.until_us), (&[Role::Builder][..], None));
        assert!(!standing.acts_for_owner && !at(guild, 0).acts_for_owner, "a member does not act");
        assert!(at(club, 0).acts_for_owner && at(ann, 0).acts_for_owner);
    }
}
