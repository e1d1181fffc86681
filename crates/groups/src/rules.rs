//! Who may change whose place in a group.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Refusal;

/// Groups an account may be in.
pub const GROUPS_PER_ACCOUNT_MAX: u32 = 16;
/// Invitations that may wait for an account's answer.
pub const INVITATIONS_PER_ACCOUNT_MAX: u32 = 32;
/// Members a group may have, those who were invited included.
pub const MEMBERS_PER_GROUP_MAX: u32 = 100;

/// What somebody is in a group, the highest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
// In the interface's document another `Role` is what somebody is on a parcel.
#[schema(as = GroupRole)]
pub enum Role {
    /// Acts for the group and decides who else does.
    Owner,
    /// Acts for the group, invites and removes members.
    Officer,
    /// Belongs to it.
    Member,
}

impl Role {
    /// As it is written in the database and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Officer => "officer",
            Self::Member => "member",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Owner, Self::Officer, Self::Member].into_iter().find(|role| role.name() == name)
    }

    /// Whether it may decide for the group.
    pub const fn may_act(self) -> bool {
        matches!(self, Self::Owner | Self::Officer)
    }
}

/// Somebody's place in a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) role: Role,
    /// False as long as they were invited and have not answered.
    pub(crate) has_joined: bool,
}

/// What a permitted change does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    Nothing,
    /// Asks the account whether it will.
    Invite(Role),
    /// The account has said yes.
    Join(Role),
    /// Another role, of a member or in an invitation.
    Set(Role),
}

/// Who wants to change whose place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Parties {
    /// The place of the one who asks.
    pub(crate) actor: Option<Place>,
    /// The place in question.
    pub(crate) target: Option<Place>,
    /// Whether both are one account.
    pub(crate) is_self: bool,
    /// Owners who have joined.
    pub(crate) owners: u32,
}

impl Parties {
    /// What becomes of a wish to have `wanted` as the target's role.
    pub(crate) fn put(self, wanted: Role) -> Result<Change, Refusal> {
        if self.is_self { self.put_own(wanted) } else { self.put_other(wanted) }
    }

    fn put_own(self, wanted: Role) -> Result<Change, Refusal> {
        let Some(place) = self.target else { return Err(Refusal::NotInGroup) };
        match (place.has_joined, wanted.cmp(&place.role)) {
            (false, std::cmp::Ordering::Equal) => Ok(Change::Join(wanted)),
            (false, _) => Err(Refusal::RoleNotOffered { offered: place.role }),
            (true, std::cmp::Ordering::Equal) => Ok(Change::Nothing),
            // Greater stands further down.
            (true, std::cmp::Ordering::Greater) => {
                self.check_an_owner_stays(place.role)?;
                Ok(Change::Set(wanted))
            }
            (true, std::cmp::Ordering::Less) => Err(Refusal::NotAllowed),
        }
    }

    fn put_other(self, wanted: Role) -> Result<Change, Refusal> {
        let actor = self.acting_role()?;
        match self.target {
            Some(place) if place.role == wanted => Ok(Change::Nothing),
            Some(place) if actor == Role::Owner && !is_peer(place) => Ok(Change::Set(wanted)),
            None if actor == Role::Owner || wanted == Role::Member => Ok(Change::Invite(wanted)),
            _ => Err(Refusal::NotAllowed),
        }
    }

    /// Whether the target may be taken out; false if it is not in.
    pub(crate) fn remove(self) -> Result<bool, Refusal> {
        if self.is_self {
            let Some(place) = self.target else { return Ok(false) };
            if place.has_joined {
                self.check_an_owner_stays(place.role)?;
            }
            return Ok(true);
        }
        let actor = self.acting_role()?;
        match self.target {
            None => Ok(false),
            Some(place) if actor == Role::Owner && !is_peer(place) => Ok(true),
            Some(Place { role: Role::Member, .. }) => Ok(true),
            Some(_) => Err(Refusal::NotAllowed),
        }
    }

    /// The role of one who acts for the group.
    fn acting_role(self) -> Result<Role, Refusal> {
        let joined = self.actor.filter(|place| place.has_joined).ok_or(Refusal::NotInGroup)?;
        if joined.role.may_act() { Ok(joined.role) } else { Err(Refusal::NotAllowed) }
    }

    fn check_an_owner_stays(self, leaving: Role) -> Result<(), Refusal> {
        if leaving == Role::Owner && self.owners <= 1 { Err(Refusal::LastOwner) } else { Ok(()) }
    }
}

/// Owners do not decide about each other.
const fn is_peer(place: Place) -> bool {
    matches!(place, Place { role: Role::Owner, has_joined: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Option<Place> {
        let (text, has_joined) = text.strip_suffix('?').map_or((text, true), |role| (role, false));
        (text != "-").then(|| Place { role: Role::parse(text).expect("a role"), has_joined })
    }

    fn code(change: Result<Change, Refusal>) -> String {
        match change {
            Ok(Change::Nothing) => "nothing".into(),
            Ok(Change::Invite(role)) => format!("invite {}", role.name()),
            Ok(Change::Join(role)) => format!("join {}", role.name()),
            Ok(Change::Set(role)) => format!("set {}", role.name()),
            Err(refusal) => refusal.code().into(),
        }
    }

    #[test]
    fn the_table_of_changes() {
        // Who asks, whose place (`self`: their own), what it is to be; a question mark: invited only.
        let table = "
            owner   -        member   invite member
            owner   -        officer  invite officer
            owner   -        owner    invite owner
            owner   member   officer  set officer
            owner   member   owner    set owner
            owner   officer  member   set member
            owner   owner    member   not_allowed
            owner   owner?   member   set member
            owner   member?  officer  set officer
            owner   member   member   nothing
            officer -        member   invite member
            officer -        officer  not_allowed
            officer -        owner    not_allowed
            officer member   officer  not_allowed
            officer member   member   nothing
            officer member?  member   nothing
            officer officer  member   not_allowed
            officer owner    member   not_allowed
            member  -        member   not_allowed
            member  member   officer  not_allowed
            owner?  -        member   not_in_group
            -       -        member   not_in_group
            -       owner    member   not_in_group
            self    -        member   not_in_group
            self    member?  member   join member
            self    member?  officer  role_not_offered
            self    owner?   owner    join owner
            self    owner?   member   role_not_offered
            self    member   member   nothing
            self    member   owner    not_allowed
            self    officer  member   set member
            self    officer  owner    not_allowed
            self    owner    officer  last_owner
            self    owner    owner    nothing
        ";
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<_> = line.split_whitespace().collect();
            let [actor, target, wanted, expected @ ..] = &words[..] else { panic!("{line}") };
            let is_self = *actor == "self";
            let actor = if is_self { place(target) } else { place(actor) };
            let parties = Parties { actor, target: place(target), is_self, owners: 1 };
            let wanted = Role::parse(wanted).expect("a role");
            assert_eq!(code(parties.put(wanted)), expected.join(" "), "{line}");
            if line.ends_with("last_owner") {
                assert!(Parties { owners: 2, ..parties }.put(wanted).is_ok(), "another owner stays");
            }
        }
    }

    #[test]
    fn the_table_of_removals() {
        let table = "
            owner   member   true
            owner   officer  true
            owner   owner    not_allowed
            owner   owner?   true
            owner   -        false
            officer member   true
            officer member?  true
            officer officer  not_allowed
            officer officer? not_allowed
            officer owner    not_allowed
            member  member   not_allowed
            -       member   not_in_group
            member? member   not_in_group
            self    member   true
            self    member?  true
            self    owner?   true
            self    owner    last_owner
            self    -        false
        ";
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let [actor, target, expected] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let is_self = actor == "self";
            let actor = if is_self { place(target) } else { place(actor) };
            let parties = Parties { actor, target: place(target), is_self, owners: 1 };
            let outcome = parties.remove().map_or_else(|it| it.code().to_owned(), |it| it.to_string());
            assert_eq!(outcome, expected, "{line}");
        }
    }
}
