//! Groups: accounts that own together.
//!
//! A group has a name and members: owners, officers and members. Owners and officers may act for it, which means that
//! what they decide for the group binds it ([`may_act`]). Its land and money are booked under its own id. Nobody is a
//! member without having said yes, the last owner cannot leave, and a group that still owns something cannot be
//! dissolved. All changes run as serializable transactions, so that limits and the last owner hold against any race.
//!
//! It does not know what can be owned: [`Deps::property_of`] is handed in. Other crates are handed [`may_act`],
//! [`display_name`] and [`memberships`] and know no group.
//!
//! Read first: [`Groups`], [`Refusal`], `rules.rs`.

mod on_record;
mod personal;
mod refusal;
mod routes;
mod rows;
mod rules;
mod service;
mod view;

use store::Migration;

pub use personal::{Personal, owners_through};
pub use refusal::Refusal;
pub use routes::{CreateRequest, RoleRequest, routes};
pub use rows::{Membership, agents, display_name, display_names, may_act, memberships};
pub use rules::{GROUPS_PER_ACCOUNT_MAX, INVITATIONS_PER_ACCOUNT_MAX, MEMBERS_PER_GROUP_MAX, Role};
pub use service::{Deps, DisplayName, Groups, NewGroup, Property, PropertyOf};
pub use view::{GroupView, MemberView};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 10, name: "groups", sql: include_str!("../migrations/0010_groups.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[personal::STATEMENTS, rows::STATEMENTS];
