//! What groups keep about persons, and how somebody who is forgotten leaves them: leadership is handed on.

use audit::Actor;
use events::{Audience, NewEvent};
use privacy::{Archive, Consequence, Erased, Form, Listing, PersonalData, Settled, Stuck};
use serde_json::json;
use store::{Tx, params};
use uuid::Uuid;

use crate::on_record;
use crate::rows;
use crate::rules::{Place, Role};
use crate::service::PropertyOf;

/// A group that still owns something is looked at again after this.
const RETRY_US: i64 = 60 * 60 * 1_000_000;

store::statements! {
    /// Groups that somebody is in or invited to.
    OF = "select m.group_id, m.role, m.joined_at from group_members m join groups g on g.group_id = m.group_id \
          where m.account_id = $1 and g.dissolved_at is null order by m.group_id";
    /// Who else has joined, the highest and then the longest there first.
    OTHERS = "select account_id, role from group_members where group_id = $1 and account_id <> $2 \
              and joined_at is not null order by case role when 'owner' then 0 when 'officer' then 1 else 2 end, \
              joined_at, account_id";
    /// Groups in which somebody is the only one.
    SOLE = "select m.group_id from group_members m where m.account_id = $1 and m.joined_at is not null \
            and not exists (select 1 from group_members o where o.group_id = m.group_id \
            and o.account_id <> $1 and o.joined_at is not null) order by m.group_id";
    /// The name of a group that was somebody's alone.
    RENAME = "update groups set name = $2 where group_id = $1";
    /// Takes somebody out of groups that are no more.
    FORGET = "delete from group_members where account_id = $1 and group_id in \
              (select group_id from groups where dissolved_at is not null)";
    MEMBERSHIPS = "select m.group_id, g.name, m.role, m.invited_at, m.joined_at, g.dissolved_at from group_members m \
                   join groups g on g.group_id = m.group_id where m.account_id = $1 \
                   order by m.group_id limit $2 offset $3";
}

const ROWS: Listing = Listing {
    file: "groups",
    kind: "membership",
    sql: MEMBERSHIPS,
    columns: &[
        ("group_id", Form::Id),
        ("name", Form::Text),
        ("role", Form::Text),
        ("invited_at", Form::Time),
        ("joined_at", Form::Time),
        ("dissolved_at", Form::Time),
    ],
};

/// An account and the groups of which it is the only member.
pub fn owners_through(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Uuid>, store::Error> {
    let mut owners = vec![account_id];
    for row in tx.query(SOLE, params![account_id])? {
        owners.push(row.get(0)?);
    }
    Ok(owners)
}

/// Memberships and invitations.
pub struct Personal {
    property_of: PropertyOf,
}

impl Personal {
    /// What stands against dissolving a group is handed in.
    pub fn new(property_of: PropertyOf) -> Self {
        Self { property_of }
    }
}

impl PersonalData for Personal {
    fn domain(&self) -> &'static str {
        "groups"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        out.leave_out("other members of your groups", "data of other people");
        out.list(tx, account_id, &ROWS)
    }

    fn consequences(&self, tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Consequence>, store::Error> {
        let sole = owners_through(tx, account_id)?.len() as i64 - 1;
        let (joined, _) = rows::count_of_account(tx, account_id)?;
        let left = Consequence::of("groups_left", i64::from(joined) - sole);
        Ok(left.into_iter().chain(Consequence::of("groups_dissolved", sole)).collect())
    }

    fn settle(&self, tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<Settled, Stuck> {
        let mut settled = Settled::Done;
        for row in tx.query(OF, params![account_id])? {
            let (group_id, role): (Uuid, String) = (row.get(0)?, row.get(1)?);
            let has_joined = row.get::<Option<i64>>(2)?.is_some();
            let others = tx.query(OTHERS, params![group_id, account_id])?;
            let others: Vec<(Uuid, String)> =
                others.iter().map(|it| Ok((it.get(0)?, it.get(1)?))).collect::<Result<_, store::Error>>()?;
            match others.first() {
                _ if !has_joined => rows::remove(tx, group_id, account_id)?,
                Some((heir, heir_role)) => {
                    if role == Role::Owner.name() && heir_role != Role::Owner.name() {
                        rows::set_role(tx, group_id, *heir, Role::Owner)?;
                        let was = Role::parse(heir_role).map(place);
                        let roles = (was, Some(place(Role::Owner)));
                        on_record::role_changed(tx, Actor::System, (group_id, *heir), roles, now_us)?;
                        tell(tx, "group.role_changed", group_id, *heir, now_us)?;
                    }
                    rows::remove(tx, group_id, account_id)?;
                    let roles = (Role::parse(&role).map(place), None);
                    on_record::role_changed(tx, Actor::System, (group_id, account_id), roles, now_us)?;
                    for (other, _) in &others {
                        tell(tx, "group.left", group_id, *other, now_us)?;
                    }
                }
                None if (self.property_of)(tx, group_id)?.is_some() => {
                    let until_us = now_us.saturating_add(RETRY_US);
                    settled = Settled::Waits { what: "groups", until_us };
                }
                None => {
                    rows::dissolve(tx, group_id, account_id, now_us)?;
                    on_record::dissolved(tx, Actor::System, group_id, now_us)?;
                    rows::remove(tx, group_id, account_id)?;
                    tx.execute(RENAME, params![group_id, dissolved_name()])?;
                }
            }
        }
        Ok(settled)
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _: i64) -> Result<Erased, store::Error> {
        for group_id in owners_through(tx, account_id)?.into_iter().skip(1) {
            tx.execute(RENAME, params![group_id, dissolved_name()])?;
        }
        tx.execute(FORGET, params![account_id])?;
        Ok(Erased::Done)
    }
}

const fn place(role: Role) -> Place {
    Place { role, has_joined: true }
}

/// What a group is called whose only member is forgotten: it was their word.
fn dissolved_name() -> String {
    format!("Dissolved group {}", &Uuid::new_v4().simple().to_string()[..8])
}

fn tell(
    tx: &mut Tx<'_>,
    kind: &'static str,
    group_id: Uuid,
    told: Uuid,
    now_us: i64,
) -> Result<(), store::Error> {
    let data = json!({ "group_id": group_id });
    events::record(tx, &[NewEvent { kind, audience: Audience::Accounts(vec![told]), data }], now_us)
}
