//! Fences as the zone needs them: all of a piece of ground at once.

use std::collections::BTreeMap;

use cell::CellId;
use store::{Tx, params};
use uuid::Uuid;

use super::rule::{FenceRule, Permission, Role, Standing};
use super::{Membership, rows};
use crate::parcel::cell_at;

store::statements! {
    /// Lots of a range that not everybody may enter.
    FENCED = "select c.cell, c.parcel_id, p.owner_id, f.rule from parcel_cells c \
              join parcels p on p.parcel_id = c.parcel_id left join fences f on f.parcel_id = c.parcel_id \
              where c.cell between $1 and $2 and (f.parcel_id is not null or exists \
              (select 1 from permissions b where b.parcel_id = c.parcel_id and b.role = 'banned')) order by c.cell";
    /// Permissions on those of them that have a fence, and bans on the others.
    LISTED = "select q.parcel_id, q.subject_id, q.role, q.expires_at from \
              (select distinct parcel_id from parcel_cells where cell between $1 and $2) c \
              join permissions q on q.parcel_id = c.parcel_id left join fences f on f.parcel_id = c.parcel_id \
              where f.parcel_id is not null or q.role = 'banned'";
}

/// A parcel that not everybody may enter, or the part of it on some piece of ground.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fence {
    /// Its anchor.
    pub parcel: CellId,
    /// Its lots there, ascending.
    pub lots: Vec<CellId>,
    owner_id: Uuid,
    rule: FenceRule,
    /// Who, what, until when.
    permissions: Vec<(Uuid, Role, Option<i64>)>,
}

/// Whether somebody may walk in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Admission {
    /// At the moment.
    pub is_admitted: bool,
    /// When to ask again, because something ends.
    pub until_us: Option<i64>,
}

impl Fence {
    /// Whether an account may walk in, as [`super::Access::may`] would say.
    pub fn admission(&self, account_id: Uuid, groups: &[Membership], now_us: i64) -> Admission {
        let permissions = self.permissions.iter().copied();
        let standing = Standing::of(self.owner_id, permissions, account_id, groups, now_us);
        Admission { is_admitted: standing.may(Permission::Enter, self.rule), until_us: standing.until_us }
    }
}

/// The fences inside a cell of the lot level or above, by ascending anchor.
pub fn fences_in(tx: &mut Tx<'_>, place: CellId) -> Result<Vec<Fence>, store::Error> {
    // All keys of one cell have one sign, so their order as SQL integers is the order of cells.
    let range = params![place.range_min().to_sql(), place.range_max().to_sql()];
    let mut fences: BTreeMap<CellId, Fence> = BTreeMap::new();
    for row in tx.query(FENCED, range)? {
        let parcel = cell_at(&row, 1)?;
        let rule = row.get::<Option<String>>(3)?;
        let rule = rule.map_or(Ok(FenceRule::Everyone), |name| rows::parse_rule(&name))?;
        let (owner_id, lot) = (row.get(2)?, cell_at(&row, 0)?);
        let fence = fences.entry(parcel).or_insert_with(|| Fence {
            parcel,
            lots: Vec::new(),
            owner_id,
            rule,
            permissions: Vec::new(),
        });
        fence.lots.push(lot);
    }
    if fences.is_empty() {
        return Ok(Vec::new());
    }
    for row in tx.query(LISTED, range)? {
        if let Some(fence) = fences.get_mut(&cell_at(&row, 0)?) {
            fence.permissions.push((row.get(1)?, rows::role_at(&row, 2)?, row.get(3)?));
        }
    }
    Ok(fences.into_values().collect())
}
