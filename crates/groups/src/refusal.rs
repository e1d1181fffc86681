//! Why a change of a group is refused.

use api::{Problem, ProblemKind};
use axum::http::StatusCode;

use crate::rules::{GROUPS_PER_ACCOUNT_MAX, INVITATIONS_PER_ACCOUNT_MAX, MEMBERS_PER_GROUP_MAX, Role};
use crate::service::Property;

/// Why a request about a group is refused. If several reasons apply, the first in this order is the one given.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// No group has this id, or it has been dissolved.
    #[error("there is no such group")]
    NoSuchGroup,
    /// Only its members may ask that.
    #[error("you are not in this group")]
    NotInGroup,
    /// The caller's role is not enough.
    #[error("your role in the group does not allow this")]
    NotAllowed,
    /// Nobody to invite.
    #[error("there is no such account")]
    NoSuchAccount,
    /// An invitation is taken as it was made or not at all.
    #[error("you were invited as {}", offered.name())]
    RoleNotOffered {
        /// The role in the invitation.
        offered: Role,
    },
    /// A group without an owner could never be changed again.
    #[error("the last owner cannot leave: make somebody else an owner first")]
    LastOwner,
    /// [`GROUPS_PER_ACCOUNT_MAX`].
    #[error("an account may be in {GROUPS_PER_ACCOUNT_MAX} groups")]
    TooManyGroups,
    /// [`INVITATIONS_PER_ACCOUNT_MAX`].
    #[error("{INVITATIONS_PER_ACCOUNT_MAX} invitations wait for this account's answer already")]
    TooManyInvitations,
    /// [`MEMBERS_PER_GROUP_MAX`].
    #[error("a group may have {MEMBERS_PER_GROUP_MAX} members")]
    GroupFull,
    /// What it owns would belong to nobody.
    #[error("the group still has {}", .0.name())]
    OwnsSomething(Property),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

const NO_SUCH_GROUP: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_group", "There is no such group");
const NOT_IN_GROUP: ProblemKind =
    ProblemKind::new(StatusCode::FORBIDDEN, "not_in_group", "You are not in this group");
const NOT_ALLOWED: ProblemKind =
    ProblemKind::new(StatusCode::FORBIDDEN, "not_allowed", "Your role does not allow this");
const NO_SUCH_ACCOUNT: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_account", "There is no such account");
const ROLE_NOT_OFFERED: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "role_not_offered", "You were invited in another role");
const LAST_OWNER: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "last_owner", "The group needs an owner");
const TOO_MANY_GROUPS: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "too_many_groups", "You are in too many groups");
const TOO_MANY_INVITATIONS: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "too_many_invitations", "Too many invitations wait");
const GROUP_FULL: ProblemKind = ProblemKind::new(StatusCode::CONFLICT, "group_full", "The group is full");
const OWNS_SOMETHING: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "group_owns_something", "The group still owns something");

impl Refusal {
    const fn kind(&self) -> Option<ProblemKind> {
        Some(match self {
            Self::NoSuchGroup => NO_SUCH_GROUP,
            Self::NotInGroup => NOT_IN_GROUP,
            Self::NotAllowed => NOT_ALLOWED,
            Self::NoSuchAccount => NO_SUCH_ACCOUNT,
            Self::RoleNotOffered { .. } => ROLE_NOT_OFFERED,
            Self::LastOwner => LAST_OWNER,
            Self::TooManyGroups => TOO_MANY_GROUPS,
            Self::TooManyInvitations => TOO_MANY_INVITATIONS,
            Self::GroupFull => GROUP_FULL,
            Self::OwnsSomething(_) => OWNS_SOMETHING,
            Self::Store(_) => return None,
        })
    }

    /// What programs switch on.
    #[cfg(test)]
    pub(crate) fn code(&self) -> &'static str {
        self.kind().map_or("store", |kind| kind.code)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match (refusal.kind(), refusal) {
            (_, Refusal::Store(error)) => error.into(),
            (Some(kind), Refusal::RoleNotOffered { offered }) => {
                kind.detail(sentence).fact("offered", offered.name())
            }
            (Some(kind), Refusal::OwnsSomething(property)) => {
                kind.detail(sentence).fact("property", property.name())
            }
            (Some(kind), _) => kind.detail(sentence),
            (None, _) => Self::internal(&sentence),
        }
    }
}
