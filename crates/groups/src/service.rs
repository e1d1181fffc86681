//! What can be done with groups.

use std::sync::Arc;

use api::idempotency::{self, Answer, Decision, Fingerprint};
use api::{Caller, IdempotencyKey, Problem, SharedClock, timestamp};
use audit::Actor;
use axum::http::StatusCode;
use events::{Audience, NewEvent};
use serde_json::{Value, json};
use store::{Isolation, Store, Tx};
use uuid::Uuid;

use crate::on_record;
use crate::refusal::Refusal;
use crate::rows::{self, GroupRow};
use crate::rules::{
    Change, GROUPS_PER_ACCOUNT_MAX, INVITATIONS_PER_ACCOUNT_MAX, MEMBERS_PER_GROUP_MAX, Parties, Place, Role,
};
use crate::view::{GroupView, MemberView};

/// What an account is called now, read in the caller's transaction; `None` if there is no such account.
pub type DisplayName = Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<Option<String>, store::Error> + Send + Sync>;
/// What must happen in the transaction that makes a group: its wallet is opened.
pub type NewGroup = Arc<dyn Fn(&mut Tx<'_>, Uuid, i64) -> Result<(), store::Error> + Send + Sync>;
/// What a group still owns, the first that is found.
pub type PropertyOf = Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<Option<Property>, store::Error> + Send + Sync>;

/// Why a group cannot be dissolved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Property {
    /// Parcels.
    Land,
    /// Money or other assets, held amounts included.
    Money,
}

impl Property {
    /// `land` or `money`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Land => "land",
            Self::Money => "money",
        }
    }
}

/// What the service is given.
#[derive(Clone)]
pub struct Deps {
    /// Where everything is kept.
    pub store: Store,
    /// What accounts are called.
    pub display_name: DisplayName,
    /// Runs when a group is made.
    pub new_group: NewGroup,
    /// What stands against dissolving.
    pub property_of: PropertyOf,
    /// The time.
    pub clock: SharedClock,
}

/// Groups: making, joining, leaving, handing over, dissolving.
pub struct Groups {
    deps: Deps,
}

impl Groups {
    /// Nothing runs until it is asked.
    pub fn new(deps: Deps) -> Self {
        Self { deps }
    }

    /// Makes a group of the caller alone, its first owner. The name has been checked.
    pub async fn create(&self, caller: Caller, name: String, key: IdempotencyKey) -> Result<Answer, Problem> {
        let now_us = self.deps.clock.now_us();
        let fingerprint = Fingerprint::of("POST /groups").with(name.as_bytes());
        let decision = Decision { account_id: caller.account_id, key, fingerprint, now_us };
        let new_group = Arc::clone(&self.deps.new_group);
        let (account_id, group_id) = (caller.account_id, Uuid::now_v7());
        idempotency::run(&self.deps.store, Isolation::Serializable, decision, move |tx| {
            check_room_for_a_group(tx, account_id)?;
            rows::add_group(tx, group_id, &name, now_us)?;
            let place = Place { role: Role::Owner, has_joined: true };
            rows::add_member(tx, (group_id, account_id), place, now_us)?;
            new_group(tx, group_id, now_us)?;
            record(tx, "group.joined", vec![account_id], group_id, account_id, now_us)?;
            on_record::role_changed(
                tx,
                Actor::account(account_id),
                (group_id, account_id),
                (None, Some(place)),
                now_us,
            )?;
            let view = view_of(tx, group_id, Some(place))?;
            let body = serde_json::to_value(view).expect("a group has only text keys");
            Ok::<(StatusCode, Value), Refusal>((StatusCode::CREATED, body))
        })
        .await
    }

    /// The caller's groups and the invitations that wait.
    pub async fn of_account(&self, account_id: Uuid) -> Result<Vec<GroupView>, Problem> {
        let rows = self.deps.store.read(move |tx| rows::of_account(tx, account_id)).await?;
        Ok(rows.into_iter().map(|(row, place)| view(row, Some(place))).collect())
    }

    /// One group; its members only for those who have joined.
    pub async fn group(&self, account_id: Uuid, group_id: Uuid) -> Result<GroupView, Problem> {
        let names = Arc::clone(&self.deps.display_name);
        let group = self.deps.store.read(move |tx| {
            let place = rows::member(tx, group_id, account_id)?;
            let mut view = view_of(tx, group_id, place)?;
            if place.is_some_and(|place| place.has_joined) {
                let mut members = Vec::new();
                for row in rows::members(tx, group_id)? {
                    members.push(MemberView {
                        account_id: row.account_id,
                        display_name: names(tx, row.account_id)?.unwrap_or_default(),
                        role: row.place.role,
                        is_invited: !row.place.has_joined,
                        since: timestamp(row.since_us),
                    });
                }
                view.members = Some(members);
            }
            Ok::<_, Refusal>(view)
        });
        Ok(group.await?)
    }

    /// Invites, accepts an invitation or changes a role; gives the group as the caller sees it.
    pub async fn put_member(
        &self,
        caller: Caller,
        group_id: Uuid,
        account_id: Uuid,
        wanted: Role,
    ) -> Result<GroupView, Problem> {
        let now_us = self.deps.clock.now_us();
        let names = Arc::clone(&self.deps.display_name);
        let change = move |tx: &mut Tx<'_>| -> Result<GroupView, Refusal> {
            let parties = parties(tx, group_id, caller.account_id, account_id)?;
            let (by, of) = (Actor::account(caller.account_id), (group_id, account_id));
            match parties.put(wanted)? {
                Change::Nothing => {}
                Change::Invite(role) => {
                    names(tx, account_id)?.ok_or(Refusal::NoSuchAccount)?;
                    check_room_for_an_invitation(tx, group_id, account_id)?;
                    let place = Place { role, has_joined: false };
                    rows::add_member(tx, (group_id, account_id), place, now_us)?;
                    record(tx, "group.invited", vec![account_id], group_id, account_id, now_us)?;
                    on_record::role_changed(tx, by, of, (None, Some(place)), now_us)?;
                }
                Change::Join(role) => {
                    check_room_for_a_group(tx, account_id)?;
                    rows::join(tx, group_id, account_id, now_us)?;
                    record(tx, "group.joined", vec![account_id], group_id, account_id, now_us)?;
                    let place = Place { role, has_joined: true };
                    on_record::role_changed(tx, by, of, (parties.target, Some(place)), now_us)?;
                }
                Change::Set(role) => {
                    rows::set_role(tx, group_id, account_id, role)?;
                    record(tx, "group.role_changed", vec![account_id], group_id, account_id, now_us)?;
                    let place = parties.target.map(|it| Place { role, ..it });
                    on_record::role_changed(tx, by, of, (parties.target, place), now_us)?;
                }
            }
            let place = rows::member(tx, group_id, caller.account_id)?;
            view_of(tx, group_id, place)
        };
        Ok(self.deps.store.serializable(change).await?)
    }

    /// Leaves, declines an invitation, or takes somebody out. Nothing happens if they are not in.
    pub async fn remove_member(
        &self,
        caller: Caller,
        group_id: Uuid,
        account_id: Uuid,
    ) -> Result<(), Problem> {
        let now_us = self.deps.clock.now_us();
        let change = move |tx: &mut Tx<'_>| -> Result<(), Refusal> {
            let parties = parties(tx, group_id, caller.account_id, account_id)?;
            if parties.remove()? {
                rows::remove(tx, group_id, account_id)?;
                let by = Actor::account(caller.account_id);
                on_record::role_changed(tx, by, (group_id, account_id), (parties.target, None), now_us)?;
                let kind = if caller.account_id == account_id { "group.left" } else { "group.removed" };
                record(tx, kind, vec![account_id], group_id, account_id, now_us)?;
            }
            Ok(())
        };
        Ok(self.deps.store.serializable(change).await?)
    }

    /// Ends a group that owns nothing. Nothing happens if its last owner has done so before.
    pub async fn dissolve(&self, caller: Caller, group_id: Uuid) -> Result<(), Problem> {
        let now_us = self.deps.clock.now_us();
        let property_of = Arc::clone(&self.deps.property_of);
        let change = move |tx: &mut Tx<'_>| -> Result<(), Refusal> {
            let group = rows::group(tx, group_id)?.ok_or(Refusal::NoSuchGroup)?;
            let place = rows::member(tx, group_id, caller.account_id)?.filter(|place| place.has_joined);
            let role = place.ok_or(Refusal::NotInGroup)?.role;
            if role != Role::Owner {
                return Err(Refusal::NotAllowed);
            }
            if group.dissolved_at_us.is_some() {
                return Ok(());
            }
            if let Some(property) = property_of(tx, group_id)? {
                return Err(Refusal::OwnsSomething(property));
            }
            let members: Vec<_> =
                rows::members(tx, group_id)?.into_iter().map(|row| row.account_id).collect();
            rows::dissolve(tx, group_id, caller.account_id, now_us)?;
            on_record::dissolved(tx, Actor::account(caller.account_id), group_id, now_us)?;
            record(tx, "group.dissolved", members, group_id, caller.account_id, now_us)?;
            Ok(())
        };
        Ok(self.deps.store.serializable(change).await?)
    }
}

fn parties(tx: &mut Tx<'_>, group_id: Uuid, actor_id: Uuid, target_id: Uuid) -> Result<Parties, Refusal> {
    let group = rows::group(tx, group_id)?.filter(|group| group.dissolved_at_us.is_none());
    group.ok_or(Refusal::NoSuchGroup)?;
    let target = rows::member(tx, group_id, target_id)?;
    let is_self = actor_id == target_id;
    let actor = if is_self { target } else { rows::member(tx, group_id, actor_id)? };
    let (_, owners) = rows::count(tx, group_id)?;
    Ok(Parties { actor, target, is_self, owners })
}

fn check_room_for_a_group(tx: &mut Tx<'_>, account_id: Uuid) -> Result<(), Refusal> {
    let (groups, _) = rows::count_of_account(tx, account_id)?;
    if groups < GROUPS_PER_ACCOUNT_MAX { Ok(()) } else { Err(Refusal::TooManyGroups) }
}

fn check_room_for_an_invitation(tx: &mut Tx<'_>, group_id: Uuid, account_id: Uuid) -> Result<(), Refusal> {
    let (_, waiting) = rows::count_of_account(tx, account_id)?;
    if waiting >= INVITATIONS_PER_ACCOUNT_MAX {
        return Err(Refusal::TooManyInvitations);
    }
    let (members, _) = rows::count(tx, group_id)?;
    if members < MEMBERS_PER_GROUP_MAX { Ok(()) } else { Err(Refusal::GroupFull) }
}

fn record(
    tx: &mut Tx<'_>,
    kind: &'static str,
    told: Vec<Uuid>,
    group_id: Uuid,
    account_id: Uuid,
    now_us: i64,
) -> Result<(), store::Error> {
    let data = json!({ "group_id": group_id, "account_id": account_id });
    events::record(tx, &[NewEvent { kind, audience: Audience::Accounts(told), data }], now_us)
}

fn view_of(tx: &mut Tx<'_>, group_id: Uuid, place: Option<Place>) -> Result<GroupView, Refusal> {
    Ok(view(rows::group(tx, group_id)?.ok_or(Refusal::NoSuchGroup)?, place))
}

fn view(row: GroupRow, place: Option<Place>) -> GroupView {
    GroupView {
        group_id: row.group_id,
        name: row.name,
        member_count: row.member_count,
        created_at: timestamp(row.created_at_us),
        is_dissolved: row.dissolved_at_us.is_some(),
        role: place.map(|place| place.role),
        is_invited: place.is_some_and(|place| !place.has_joined),
        members: None,
    }
}
