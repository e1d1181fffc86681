//! Balances against their legs, their holds and their floor.

use std::collections::HashMap;

use ledger::AccountRef;
use serde::{Deserialize, Serialize};
use store::{Row, Tx, params};
use uuid::Uuid;

use super::Fault;
use super::walk::Stride;
use crate::balances::asset;

store::statements! {
    /// Some balances, in order.
    SOME = "select ledger_account_id, asset_id, amount, held, amount_min, leg_count from balances \
            where (ledger_account_id, asset_id) > ($1, $2) order by ledger_account_id, asset_id limit $3";
    /// One balance.
    ONE = "select ledger_account_id, asset_id, amount, held, amount_min, leg_count from balances \
           where ledger_account_id = $1 and asset_id = $2";
    /// All legs of balances with few.
    ALL_LEGS = "select l.ledger_account_id, l.asset_id, l.leg_number, l.amount, l.balance_after \
                from rows(account_id uuid, asset_id text) join legs l \
                on l.ledger_account_id = rows.account_id and l.asset_id = rows.asset_id";
    /// Some legs of a balance with many, in order.
    SOME_LEGS = "select ledger_account_id, asset_id, leg_number, amount, balance_after from legs \
                 where ledger_account_id = $1 and asset_id = $2 and leg_number > $3 order by leg_number limit $4";
    /// What is held of balances.
    HOLDS = "select h.ledger_account_id, h.asset_id, h.amount from rows(account_id uuid, asset_id text) \
             join holds h on h.ledger_account_id = rows.account_id and h.asset_id = rows.asset_id \
             where h.state = 'pending'";
}

/// After which balance the walk goes on, and how far it is in the next one if that has many legs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    account_id: Uuid,
    asset: String,
    within: Option<Within>,
}

/// How far in the balance that [`Place`] names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Within {
    running: Running,
}

/// Legs added up one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Running {
    leg_number: i64,
    sum: i64,
    /// The first that did not follow.
    wrong_at: Option<i64>,
}

impl Place {
    pub(crate) fn begin() -> Self {
        Self { account_id: Uuid::nil(), asset: String::new(), within: None }
    }
}

struct Balance {
    account_id: Uuid,
    asset: String,
    amount: i64,
    held: i64,
    amount_min: i64,
    leg_count: i64,
}

struct Leg {
    number: i64,
    amount: i64,
    balance_after: i64,
}

type Key = (Uuid, String);

/// One step; where the next one begins, or `None` after the last balance.
pub(super) fn step(
    tx: &mut Tx<'_>,
    place: Place,
    stride: Stride,
    faults: &mut Vec<Fault>,
) -> Result<Option<Place>, store::Error> {
    let many = i64::from(stride.0);
    if let Some(Within { running }) = place.within {
        return step_within(tx, place, running, stride, faults).map(Some);
    }
    let rows = tx.query(SOME, params![place.account_id, &place.asset, stride.0.div_ceil(4)])?;
    let found: Vec<Balance> = rows.iter().map(Balance::from_row).collect::<Result<_, _>>()?;
    // As many as fit, but the first in any case.
    let mut legs_left = many;
    let mut fitting = Vec::new();
    for balance in found {
        if balance.leg_count > legs_left {
            if fitting.is_empty() {
                let Balance { account_id, asset, .. } = balance;
                let within = Some(Within { running: Running::default() });
                return Ok(Some(Place { account_id, asset, within }));
            }
            break;
        }
        legs_left -= balance.leg_count;
        fitting.push(balance);
    }
    let Some(last) = fitting.last() else { return Ok(None) };
    let next = Place { account_id: last.account_id, asset: last.asset.clone(), within: None };
    let keys: Vec<_> = fitting.iter().map(|it| params![it.account_id, &it.asset].to_vec()).collect();
    let mut legs: HashMap<Key, Vec<Leg>> = HashMap::new();
    for row in tx.query_rows(ALL_LEGS, &keys)? {
        legs.entry((row.get(0)?, row.get(1)?)).or_default().push(Leg::from_row(&row)?);
    }
    let holds = holds(tx, &fitting)?;
    for balance in &fitting {
        let key = (balance.account_id, balance.asset.clone());
        let mut running = Running::default();
        let mut legs = legs.remove(&key).unwrap_or_default();
        legs.sort_by_key(|it| it.number);
        for leg in &legs {
            running.add(leg);
        }
        balance.check(running, holds.get(&key).copied().unwrap_or(0), faults)?;
    }
    Ok(Some(next))
}

/// Some legs of a balance that has many. Its last leg and the balance itself are read in one snapshot.
fn step_within(
    tx: &mut Tx<'_>,
    place: Place,
    mut running: Running,
    stride: Stride,
    faults: &mut Vec<Fault>,
) -> Result<Place, store::Error> {
    let Place { account_id, asset, .. } = &place;
    let rows = tx.query(SOME_LEGS, params![*account_id, asset, running.leg_number, stride.0])?;
    for row in &rows {
        running.add(&Leg::from_row(row)?);
    }
    if rows.len() == stride.0 as usize {
        return Ok(Place { within: Some(Within { running }), ..place });
    }
    if let Some(row) = tx.query_opt(ONE, params![*account_id, asset])? {
        let balance = [Balance::from_row(&row)?];
        let held = holds(tx, &balance)?.into_values().sum();
        balance[0].check(running, held, faults)?;
    }
    Ok(Place { within: None, ..place })
}

fn holds(tx: &mut Tx<'_>, balances: &[Balance]) -> Result<HashMap<Key, i64>, store::Error> {
    // Balances of which nothing is held and which have no holds are the rule; asking costs an index look each.
    let keys: Vec<_> = balances.iter().map(|it| params![it.account_id, &it.asset].to_vec()).collect();
    let mut held: HashMap<Key, i64> = HashMap::new();
    for row in tx.query_rows(HOLDS, &keys)? {
        *held.entry((row.get(0)?, row.get(1)?)).or_default() += row.get::<i64>(2)?;
    }
    Ok(held)
}

impl Running {
    fn add(&mut self, leg: &Leg) {
        let expected = self.leg_number + 1;
        self.leg_number = leg.number;
        // Whatever a tampered file holds, adding it up must not panic.
        self.sum = self.sum.saturating_add(leg.amount);
        if self.wrong_at.is_none() && (leg.number != expected || leg.balance_after != self.sum) {
            self.wrong_at = Some(leg.number);
        }
    }
}

impl Balance {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            account_id: row.get(0)?,
            asset: row.get(1)?,
            amount: row.get(2)?,
            held: row.get(3)?,
            amount_min: row.get(4)?,
            leg_count: row.get(5)?,
        })
    }

    fn check(&self, running: Running, holds: i64, faults: &mut Vec<Fault>) -> Result<(), store::Error> {
        let (account_id, name) = (self.account_id, || self.asset.clone());
        let wrong_at = running.wrong_at.or((running.leg_number != self.leg_count).then_some(self.leg_count));
        if let Some(leg_number) = wrong_at {
            faults.push(Fault::RunningWrong { account_id, asset: name(), leg_number });
        }
        if running.sum != self.amount {
            let (balance_minor, legs_minor) = (self.amount, running.sum);
            faults.push(Fault::BalanceNotLegs { account_id, asset: name(), balance_minor, legs_minor });
        }
        if holds != self.held {
            let (held_minor, holds_minor) = (self.held, holds);
            faults.push(Fault::HeldNotHolds { account_id, asset: name(), held_minor, holds_minor });
        }
        if self.amount.saturating_sub(self.held) < self.amount_min {
            faults.push(Fault::BalanceBelowMin {
                account_id,
                asset: name(),
                balance_minor: self.amount,
                held_minor: self.held,
                min_minor: self.amount_min,
            });
        }
        if AccountRef::from_id(account_id).floor(&asset(&self.asset)?).minor() != self.amount_min {
            faults.push(Fault::NoIssuer { account_id, asset: name(), min_minor: self.amount_min });
        }
        Ok(())
    }
}

impl Leg {
    /// From the columns `_, _, leg_number, amount, balance_after`.
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self { number: row.get(2)?, amount: row.get(3)?, balance_after: row.get(4)? })
    }
}
