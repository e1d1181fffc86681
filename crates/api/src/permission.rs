//! Who may do what: the one table of roles and permissions, and what an API key is for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody is to this planet. Each account has one; most are players.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Lives here.
    #[default]
    Player,
    /// Keeps the peace: looks at people, notes, suspends, freezes land.
    Moderator,
    /// Looks at everything that machines do, and at no one's private data.
    Developer,
    /// May do all that staff can do.
    Admin,
}

/// What an operation asks of its caller. Every operation of the API has exactly one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Permission {
    /// Nothing: anybody, signed in or not.
    Public,
    /// An account that is not suspended. The rules of the subject decide the rest.
    SignedIn,
    /// Find people and look at them.
    PeopleRead,
    /// Write notes about people.
    PeopleNote,
    /// Suspend for a time and end sessions.
    PeopleSuspend,
    /// Ban for good, and lift it.
    PeopleBan,
    /// Give and take roles.
    PeopleRoles,
    /// Export or erase somebody else's data.
    PeopleData,
    /// Freeze land and thaw it.
    LandFreeze,
    /// Give land back to whom it was taken from.
    LandRestore,
    /// Cancel a listing, an auction or an offer.
    MarketCancel,
    /// Look at accounts and postings of the books.
    LedgerRead,
    /// Reverse a posting.
    LedgerReverse,
    /// Be the second person of an act that needs two.
    ActApprove,
    /// Read the audit log and check it.
    AuditRead,
    /// See the whole planet: people, zones, load.
    WorldRead,
    /// See limits, configuration and health.
    SystemRead,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Public,
        Self::SignedIn,
        Self::PeopleRead,
        Self::PeopleNote,
        Self::PeopleSuspend,
        Self::PeopleBan,
        Self::PeopleRoles,
        Self::PeopleData,
        Self::LandFreeze,
        Self::LandRestore,
        Self::MarketCancel,
        Self::LedgerRead,
        Self::LedgerReverse,
        Self::ActApprove,
        Self::AuditRead,
        Self::WorldRead,
        Self::SystemRead,
    ];
}

impl Permission {
    /// As it is written in the document of the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::SignedIn => "signed_in",
            Self::PeopleRead => "people_read",
            Self::PeopleNote => "people_note",
            Self::PeopleSuspend => "people_suspend",
            Self::PeopleBan => "people_ban",
            Self::PeopleRoles => "people_roles",
            Self::PeopleData => "people_data",
            Self::LandFreeze => "land_freeze",
            Self::LandRestore => "land_restore",
            Self::MarketCancel => "market_cancel",
            Self::LedgerRead => "ledger_read",
            Self::LedgerReverse => "ledger_reverse",
            Self::ActApprove => "act_approve",
            Self::AuditRead => "audit_read",
            Self::WorldRead => "world_read",
            Self::SystemRead => "system_read",
        }
    }

    /// Whether only staff can have it.
    pub const fn is_for_staff(self) -> bool {
        !matches!(self, Self::Public | Self::SignedIn)
    }
}

impl Role {
    /// All of them, from the least to the most.
    pub const ALL: [Self; 4] = [Self::Player, Self::Moderator, Self::Developer, Self::Admin];

    /// The table.
    pub const fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Player => matches!(permission, P::Public | P::SignedIn),
            Self::Moderator => matches!(
                permission,
                P::Public
                    | P::SignedIn
                    | P::PeopleRead
                    | P::PeopleNote
                    | P::PeopleSuspend
                    | P::LandFreeze
                    | P::MarketCancel
                    | P::WorldRead
            ),
            Self::Developer => matches!(
                permission,
                P::Public | P::SignedIn | P::LedgerRead | P::AuditRead | P::WorldRead | P::SystemRead
            ),
            Self::Admin => true,
        }
    }

    /// Whether it is more than a player's.
    pub const fn is_staff(self) -> bool {
        !matches!(self, Self::Player)
    }

    /// As it is written in the database and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Player => "player",
            Self::Moderator => "moderator",
            Self::Developer => "developer",
            Self::Admin => "admin",
        }
    }

    /// The role with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// What an API key may be used for. A session of a person has all of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read what the account may read.
    Read,
    /// Claim, change and give land.
    Land,
    /// Buy, sell, bid and offer.
    Trade,
    /// Act as staff, as far as the account's role goes.
    Staff,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Land, Self::Trade, Self::Staff];

    /// As it is written in the database and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Land => "land",
            Self::Trade => "trade",
            Self::Staff => "staff",
        }
    }

    /// The scope with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// No scope.
    pub const NONE: Self = Self(0);
    /// Every scope, and what no API key may do: change the account itself.
    pub const PERSON: Self = Self(u8::MAX);

    /// This set and one more.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | 1 << scope as u8)
    }

    /// Whether a scope is in it.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & 1 << scope as u8 != 0
    }

    /// Whether it is a person who has signed in, not a key for a machine.
    pub const fn is_person(self) -> bool {
        self.0 == u8::MAX
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
        }
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.name()), Some(scope));
        }
        assert_eq!(Role::parse("Admin"), None);
    }

    #[test]
    fn an_api_key_with_every_scope_is_still_no_person() {
        let all: Scopes = Scope::ALL.into_iter().collect();
        assert!(
            Scope::ALL.into_iter().all(|it| all.has(it) && Scopes::PERSON.has(it) && !Scopes::NONE.has(it))
        );
        assert!(!all.is_person() && Scopes::PERSON.is_person());
    }

    #[test]
    fn a_player_may_nothing_that_staff_may_and_an_admin_everything() {
        for permission in Permission::ALL {
            assert!(Role::Admin.may(permission));
            let is_anybody_s = matches!(permission, Permission::Public | Permission::SignedIn);
            assert_eq!(Role::Player.may(permission), is_anybody_s);
        }
    }
}
