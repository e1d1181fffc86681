//! Groups and members in SQL.

use std::collections::HashMap;

use store::{Row, Tx, Value, params};
use uuid::Uuid;

use crate::rules::{Place, Role};

store::statements! {
    ADD_GROUP = "insert into groups (group_id, name, created_at) values ($1, $2, $3)";
    GROUP = "select group_id, name, created_at, dissolved_at, \
             (select count(*) from group_members m where m.group_id = g.group_id and m.joined_at is not null) \
             from groups g where group_id = $1";
    NAMES = "select g.group_id, g.name from rows(group_id uuid) join groups g on g.group_id = rows.group_id";
    NAME = "select name from groups where group_id = $1";
    DISSOLVE = "update groups set dissolved_at = $2 where group_id = $1 and dissolved_at is null";
    /// All rows of one account; bounded by the limits on groups and invitations.
    OF_ACCOUNT = "select g.group_id, g.name, g.created_at, g.dissolved_at, \
                  (select count(*) from group_members o where o.group_id = g.group_id and o.joined_at is not null), \
                  m.role, m.joined_at from group_members m join groups g on g.group_id = m.group_id \
                  where m.account_id = $1 and g.dissolved_at is null order by m.group_id";
    MEMBER = "select role, joined_at from group_members where group_id = $1 and account_id = $2";
    MEMBERS = "select account_id, role, joined_at, invited_at from group_members where group_id = $1 \
               order by account_id";
    /// How many rows, and how many owners who have joined.
    COUNT = "select count(*), count(case when role = 'owner' and joined_at is not null then 1 end) \
             from group_members where group_id = $1";
    /// Groups that an account is in, and invitations that wait for it.
    COUNT_OF_ACCOUNT = "select count(m.joined_at), count(*) - count(m.joined_at) \
                        from group_members m join groups g on g.group_id = m.group_id \
                        where m.account_id = $1 and g.dissolved_at is null";
    ADD_MEMBER = "insert into group_members (group_id, account_id, role, invited_at, joined_at) \
                  values ($1, $2, $3, $4, $5)";
    SET_ROLE = "update group_members set role = $3 where group_id = $1 and account_id = $2";
    JOIN = "update group_members set joined_at = $3 where group_id = $1 and account_id = $2";
    REMOVE = "delete from group_members where group_id = $1 and account_id = $2";
    REMOVE_OTHERS = "delete from group_members where group_id = $1 and account_id <> $2";
    /// Who acts for a dissolved group is its last owner still: should it own something after all, that is not lost.
    ACTS = "select 1 from group_members where group_id = $1 and account_id = $2 \
            and joined_at is not null and role in ('owner', 'officer')";
    /// Everybody who acts for a group; bounded by its size.
    AGENTS = "select account_id from group_members where group_id = $1 \
              and joined_at is not null and role in ('owner', 'officer') order by account_id";
    MEMBERSHIPS = "select group_id, role from group_members where account_id = $1 and joined_at is not null \
                   order by group_id";
}

/// A group that an account is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Membership {
    /// Which group.
    pub group_id: Uuid,
    /// Whether the account may act for it.
    pub may_act: bool,
}

/// Whether an account may decide for an owner: for itself, and for a group whose owner or officer it is.
pub fn may_act(tx: &mut Tx<'_>, owner_id: Uuid, account_id: Uuid) -> Result<bool, store::Error> {
    Ok(owner_id == account_id || tx.query_opt(ACTS, params![owner_id, account_id])?.is_some())
}

/// The accounts that may act for a group; none if the id is no group's.
pub fn agents(tx: &mut Tx<'_>, group_id: Uuid) -> Result<Vec<Uuid>, store::Error> {
    tx.query(AGENTS, params![group_id])?.iter().map(|row| row.get(0)).collect()
}

/// The name of a group, dissolved ones included; `None` if the id is no group's.
pub fn display_name(tx: &mut Tx<'_>, group_id: Uuid) -> Result<Option<String>, store::Error> {
    tx.query_opt(NAME, params![group_id])?.map(|row| row.get(0)).transpose()
}

/// The names of some groups; ids that are no group's are left out.
pub fn display_names(tx: &mut Tx<'_>, group_ids: &[Uuid]) -> Result<HashMap<Uuid, String>, store::Error> {
    let rows: Vec<Vec<Value>> = group_ids.iter().map(|id| params![*id].to_vec()).collect();
    tx.query_rows(NAMES, &rows)?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The groups an account has joined, in the order of their ids.
pub fn memberships(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Membership>, store::Error> {
    let rows = tx.query(MEMBERSHIPS, params![account_id])?;
    rows.iter()
        .map(|row| Ok(Membership { group_id: row.get(0)?, may_act: role(row, 1)?.may_act() }))
        .collect()
}

pub(crate) struct GroupRow {
    pub(crate) group_id: Uuid,
    pub(crate) name: String,
    pub(crate) created_at_us: i64,
    pub(crate) dissolved_at_us: Option<i64>,
    pub(crate) member_count: u32,
}

impl GroupRow {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            group_id: row.get(0)?,
            name: row.get(1)?,
            created_at_us: row.get(2)?,
            dissolved_at_us: row.get(3)?,
            member_count: row.get(4)?,
        })
    }
}

pub(crate) struct MemberRow {
    pub(crate) account_id: Uuid,
    pub(crate) place: Place,
    /// Since joined or, before that, since invited.
    pub(crate) since_us: i64,
}

fn role(row: &Row, column: usize) -> Result<Role, store::Error> {
    let name: String = row.get(column)?;
    Role::parse(&name)
        .ok_or_else(|| store::Error::Damaged { detail: format!("group_members: no role {name}") })
}

fn place(row: &Row, role_column: usize) -> Result<Place, store::Error> {
    let has_joined = row.get::<Option<i64>>(role_column + 1)?.is_some();
    Ok(Place { role: role(row, role_column)?, has_joined })
}

pub(crate) fn add_group(
    tx: &mut Tx<'_>,
    group_id: Uuid,
    name: &str,
    now_us: i64,
) -> Result<(), store::Error> {
    tx.execute(ADD_GROUP, params![group_id, name, now_us]).map(drop)
}

pub(crate) fn group(tx: &mut Tx<'_>, group_id: Uuid) -> Result<Option<GroupRow>, store::Error> {
    tx.query_opt(GROUP, params![group_id])?.as_ref().map(GroupRow::from_row).transpose()
}

pub(crate) fn dissolve(
    tx: &mut Tx<'_>,
    group_id: Uuid,
    owner_id: Uuid,
    now_us: i64,
) -> Result<(), store::Error> {
    tx.execute(DISSOLVE, params![group_id, now_us])?;
    tx.execute(REMOVE_OTHERS, params![group_id, owner_id]).map(drop)
}

pub(crate) fn of_account(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<(GroupRow, Place)>, store::Error> {
    let rows = tx.query(OF_ACCOUNT, params![account_id])?;
    rows.iter().map(|row| Ok((GroupRow::from_row(row)?, place(row, 5)?))).collect()
}

pub(crate) fn member(
    tx: &mut Tx<'_>,
    group_id: Uuid,
    account_id: Uuid,
) -> Result<Option<Place>, store::Error> {
    tx.query_opt(MEMBER, params![group_id, account_id])?.as_ref().map(|row| place(row, 0)).transpose()
}

pub(crate) fn members(tx: &mut Tx<'_>, group_id: Uuid) -> Result<Vec<MemberRow>, store::Error> {
    let rows = tx.query(MEMBERS, params![group_id])?;
    let of = |row: &Row| {
        let since_us = row.get::<Option<i64>>(2)?.map_or_else(|| row.get(3), Ok)?;
        Ok(MemberRow { account_id: row.get(0)?, place: place(row, 1)?, since_us })
    };
    rows.iter().map(of).collect()
}

/// Members and invited ones together, and owners who have joined.
pub(crate) fn count(tx: &mut Tx<'_>, group_id: Uuid) -> Result<(u32, u32), store::Error> {
    let row = tx.query_one(COUNT, params![group_id])?;
    Ok((row.get(0)?, row.get(1)?))
}

/// Groups joined, invitations waiting.
pub(crate) fn count_of_account(tx: &mut Tx<'_>, account_id: Uuid) -> Result<(u32, u32), store::Error> {
    let row = tx.query_one(COUNT_OF_ACCOUNT, params![account_id])?;
    Ok((row.get(0)?, row.get(1)?))
}

pub(crate) fn add_member(
    tx: &mut Tx<'_>,
    (group_id, account_id): (Uuid, Uuid),
    place: Place,
    now_us: i64,
) -> Result<(), store::Error> {
    let joined_at = place.has_joined.then_some(now_us);
    tx.execute(ADD_MEMBER, params![group_id, account_id, place.role.name(), now_us, joined_at]).map(drop)
}

pub(crate) fn set_role(
    tx: &mut Tx<'_>,
    group_id: Uuid,
    account_id: Uuid,
    role: Role,
) -> Result<(), store::Error> {
    tx.execute(SET_ROLE, params![group_id, account_id, role.name()]).map(drop)
}

pub(crate) fn join(
    tx: &mut Tx<'_>,
    group_id: Uuid,
    account_id: Uuid,
    now_us: i64,
) -> Result<(), store::Error> {
    tx.execute(JOIN, params![group_id, account_id, now_us]).map(drop)
}

pub(crate) fn remove(tx: &mut Tx<'_>, group_id: Uuid, account_id: Uuid) -> Result<(), store::Error> {
    tx.execute(REMOVE, params![group_id, account_id]).map(drop)
}
