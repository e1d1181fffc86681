//! What an account may do now: its role, and whether it may be used at all.

use api::Role;
use store::{Row, Tx, params};
use uuid::Uuid;

/// Whether an account may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountState {
    /// It may.
    Active,
    /// Not before this time (microseconds since 1970).
    Suspended {
        /// When it ends by itself.
        until_us: i64,
    },
    /// Never again, unless somebody restores it.
    Banned,
    /// There is nobody any more.
    Erased,
}

/// Role and state of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// What it is to this planet.
    pub role: Role,
    /// Whether it may be used.
    pub state: AccountState,
}

/// Why an account may not be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Barred {
    /// By staff; with the end if there is one (microseconds since 1970).
    Suspended {
        /// `None`: for good.
        until_us: Option<i64>,
    },
    /// The person has been forgotten.
    Erased,
}

impl AccountState {
    /// As it is written in the database and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended { .. } => "suspended",
            Self::Banned => "banned",
            Self::Erased => "erased",
        }
    }

    /// The state at `now_us`: a suspension ends by itself.
    #[must_use]
    pub const fn at(self, now_us: i64) -> Self {
        match self {
            Self::Suspended { until_us } if until_us <= now_us => Self::Active,
            other => other,
        }
    }

    /// Whether the account may be used at `now_us`.
    pub const fn check(self, now_us: i64) -> Result<(), Barred> {
        match self.at(now_us) {
            Self::Active => Ok(()),
            Self::Suspended { until_us } => Err(Barred::Suspended { until_us: Some(until_us) }),
            Self::Banned => Err(Barred::Suspended { until_us: None }),
            Self::Erased => Err(Barred::Erased),
        }
    }
}

store::statements! {
    STANDING = "select role, state, suspended_until from accounts where account_id = $1";
}

/// Role and state of an account, in the caller's transaction; `None` if there is no such account.
pub fn standing(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<Standing>, store::Error> {
    tx.query_opt(STANDING, params![account_id])?.map(|row| from_row(&row, 0)).transpose()
}

/// From three columns beginning with `first`: role, state, `suspended_until`.
pub(crate) fn from_row(row: &Row, first: usize) -> Result<Standing, store::Error> {
    let damaged = |what: &str| store::Error::Damaged { detail: format!("accounts: no such {what}") };
    let role = Role::parse(&row.get::<String>(first)?).ok_or_else(|| damaged("role"))?;
    let until_us: Option<i64> = row.get(first + 2)?;
    let state = match (row.get::<String>(first + 1)?.as_str(), until_us) {
        ("active", _) => AccountState::Active,
        ("suspended", Some(until_us)) => AccountState::Suspended { until_us },
        ("banned", _) => AccountState::Banned,
        ("erased", _) => AccountState::Erased,
        _ => return Err(damaged("state")),
    };
    Ok(Standing { role, state })
}
