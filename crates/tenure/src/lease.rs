//! Leases in SQL, and their states:
//!
//! ```text
//! offered ─ accepted by the tenant ──> active ─ all periods over, or ended by one side ──> ended
//!    ├───── declined by the tenant ──> declined      └─ rent not paid within the grace ──> defaulted
//!    ├───── taken back ──────────────> withdrawn
//!    └───── a week has passed ───────> expired
//! ```
//!
//! All but the first two are for ever.

use cell::CellId;
use serde::{Deserialize, Serialize};
use store::{Row, Tx, params};
use utoipa::ToSchema;
use uuid::Uuid;

/// The columns that a [`Lease`] is read from.
macro_rules! columns {
    () => {
        "lease_id, parcel_id, landlord_id, tenant_id, currency, rent_minor, deposit_minor, period_us, period_count, \
         periods_paid, state, end_reason, offered_at, expires_at, started_at, due_at, step, grace_until, ended_at, \
         acts_at"
    };
}

store::statements! {
    /// Offers one.
    ADD = "insert into leases (lease_id, parcel_id, landlord_id, tenant_id, currency, rent_minor, deposit_minor, \
           period_us, period_count, periods_paid, state, end_reason, offered_at, expires_at, started_at, due_at, step, \
           grace_until, ended_at, acts_at) \
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 'offered', null, $10, $11, null, null, 'collect', null, \
           null, $11)";
    /// One.
    FIND = concat!("select ", columns!(), " from leases where lease_id = $1");
    /// One, until the end of the transaction.
    TAKE = concat!("select ", columns!(), " from leases where lease_id = $1 for update");
    /// How many offers wait for a tenant.
    COUNT_OFFERED = "select count(*) from leases where tenant_id = $1 and state = 'offered'";
    /// Those in which there is something to do.
    DUE = "select lease_id from leases where acts_at <= $1 order by acts_at limit $2";
    /// One page of an owner's, newest first.
    OF_LANDLORD = concat!("select ", columns!(), " from leases where landlord_id = $1 and lease_id < $2 \
                           order by lease_id desc limit $3");
    /// One page of a tenant's, newest first.
    OF_TENANT = concat!("select ", columns!(), " from leases where tenant_id = $1 and lease_id < $2 \
                         order by lease_id desc limit $3");
    /// What changes in the course of one.
    WRITE = "update leases set landlord_id = $2, period_count = $3, periods_paid = $4, state = $5, end_reason = $6, \
             started_at = $7, due_at = $8, step = $9, grace_until = $10, ended_at = $11, acts_at = $12 \
             where lease_id = $1 and state in ('offered', 'active')";
    /// Land with a lease has another owner.
    SET_LANDLORD = "update leases set landlord_id = $2 where parcel_id = $1 and state = 'active'";
}

/// Where a lease stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaseState {
    /// It waits for the tenant.
    Offered,
    /// The tenant has the land.
    Active,
    /// The tenant did not want it.
    Declined,
    /// The owner took the offer back.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
    /// It is over; the deposit is free.
    Ended,
    /// It is over for want of rent; the deposit is the owner's.
    Defaulted,
}

impl LeaseState {
    const ALL: [Self; 7] = [
        Self::Offered,
        Self::Active,
        Self::Declined,
        Self::Withdrawn,
        Self::Expired,
        Self::Ended,
        Self::Defaulted,
    ];

    /// Its name in answers and the database.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Active => "active",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Ended => "ended",
            Self::Defaulted => "defaulted",
        }
    }
}

/// Why a lease ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// All its periods are over.
    Completed,
    /// The tenant ended it.
    Tenant,
    /// The owner ended it.
    Landlord,
    /// The rent was not paid.
    Unpaid,
    /// The tenant owns the land.
    Bought,
    /// There is no such land any more.
    LandGone,
}

impl EndReason {
    const ALL: [Self; 6] =
        [Self::Completed, Self::Tenant, Self::Landlord, Self::Unpaid, Self::Bought, Self::LandGone];

    /// Its name in answers and the database.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Tenant => "tenant",
            Self::Landlord => "landlord",
            Self::Unpaid => "unpaid",
            Self::Bought => "bought",
            Self::LandGone => "land_gone",
        }
    }
}

/// What is done next in a lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Say that rent is due soon.
    Remind,
    /// Take the rent of the next period, or end.
    Collect,
    /// The rent was missed: try again until the grace is over.
    Grace,
}

impl Step {
    const ALL: [Self; 3] = [Self::Remind, Self::Collect, Self::Grace];

    const fn code(self) -> &'static str {
        match self {
            Self::Remind => "remind",
            Self::Collect => "collect",
            Self::Grace => "grace",
        }
    }
}

/// A lease.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::struct_field_names, reason = "ids carry their names")]
pub(crate) struct Lease {
    pub(crate) lease_id: Uuid,
    pub(crate) parcel: CellId,
    pub(crate) landlord_id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) currency: String,
    pub(crate) rent_minor: i64,
    pub(crate) deposit_minor: i64,
    pub(crate) period_us: i64,
    pub(crate) period_count: u32,
    pub(crate) periods_paid: u32,
    pub(crate) state: LeaseState,
    pub(crate) end_reason: Option<EndReason>,
    pub(crate) offered_at_us: i64,
    pub(crate) expires_at_us: i64,
    pub(crate) started_at_us: Option<i64>,
    pub(crate) due_at_us: Option<i64>,
    pub(crate) step: Step,
    pub(crate) grace_until_us: Option<i64>,
    pub(crate) ended_at_us: Option<i64>,
    pub(crate) acts_at_us: Option<i64>,
}

/// What is in a column is none of what was ever written there.
pub(crate) fn damaged(what: &str) -> store::Error {
    store::Error::Damaged { detail: format!("leases: no such {what}") }
}

impl Lease {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        let (state, step) = (row.get::<String>(10)?, row.get::<String>(16)?);
        let end_reason = match row.get::<Option<String>>(11)? {
            None => None,
            Some(code) => {
                let known = EndReason::ALL.into_iter().find(|it| it.code() == code);
                Some(known.ok_or_else(|| damaged("reason"))?)
            }
        };
        Ok(Self {
            lease_id: row.get(0)?,
            parcel: CellId::from_sql(row.get(1)?).ok_or_else(|| damaged("cell"))?,
            landlord_id: row.get(2)?,
            tenant_id: row.get(3)?,
            currency: row.get(4)?,
            rent_minor: row.get(5)?,
            deposit_minor: row.get(6)?,
            period_us: row.get(7)?,
            period_count: row.get(8)?,
            periods_paid: row.get(9)?,
            state: LeaseState::ALL
                .into_iter()
                .find(|it| it.code() == state)
                .ok_or_else(|| damaged("state"))?,
            end_reason,
            offered_at_us: row.get(12)?,
            expires_at_us: row.get(13)?,
            started_at_us: row.get(14)?,
            due_at_us: row.get(15)?,
            step: Step::ALL.into_iter().find(|it| it.code() == step).ok_or_else(|| damaged("step"))?,
            grace_until_us: row.get(17)?,
            ended_at_us: row.get(18)?,
            acts_at_us: row.get(19)?,
        })
    }

    /// Whether both sides still have something to do with it.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, LeaseState::Offered | LeaseState::Active)
    }

    /// Makes it one of the states that are for ever.
    pub(crate) fn close(&mut self, state: LeaseState, reason: Option<EndReason>, now_us: i64) {
        (self.state, self.end_reason, self.ended_at_us) = (state, reason, Some(now_us));
        (self.acts_at_us, self.grace_until_us, self.due_at_us) = (None, None, None);
    }
}

pub(crate) fn add(tx: &mut Tx<'_>, lease: &Lease) -> Result<(), store::Error> {
    let row = params![
        lease.lease_id,
        lease.parcel.to_sql(),
        lease.landlord_id,
        lease.tenant_id,
        &lease.currency,
        lease.rent_minor,
        lease.deposit_minor,
        lease.period_us,
        lease.period_count,
        lease.offered_at_us,
        lease.expires_at_us,
    ];
    tx.execute(ADD, row).map(drop)
}

pub(crate) fn find(tx: &mut Tx<'_>, lease_id: Uuid) -> Result<Option<Lease>, store::Error> {
    tx.query_opt(FIND, params![lease_id])?.as_ref().map(Lease::from_row).transpose()
}

/// The lease and its parcel, which is taken before it, until the end of the transaction.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    lease_id: Uuid,
) -> Result<Option<(Lease, Option<land::ParcelFacts>)>, store::Error> {
    let Some(seen) = find(tx, lease_id)? else { return Ok(None) };
    let facts = land::take(tx, seen.parcel)?.filter(|it| it.anchor == seen.parcel);
    let row = tx.query_one(TAKE, params![lease_id])?;
    Ok(Some((Lease::from_row(&row)?, facts)))
}

/// Writes what changed of a lease that has been taken and was open.
pub(crate) fn write(tx: &mut Tx<'_>, lease: &Lease) -> Result<(), store::Error> {
    let row = params![
        lease.lease_id,
        lease.landlord_id,
        lease.period_count,
        lease.periods_paid,
        lease.state.code(),
        lease.end_reason.map(EndReason::code),
        lease.started_at_us,
        lease.due_at_us,
        lease.step.code(),
        lease.grace_until_us,
        lease.ended_at_us,
        lease.acts_at_us,
    ];
    tx.execute(WRITE, row).map(drop)
}

/// How many offers wait for a tenant.
pub(crate) fn offered_to(tx: &mut Tx<'_>, tenant_id: Uuid) -> Result<i64, store::Error> {
    tx.query_one(COUNT_OFFERED, params![tenant_id])?.get(0)
}

/// Up to `count` leases in which there is something to do.
pub(crate) fn due(tx: &mut Tx<'_>, now_us: i64, count: u32) -> Result<Vec<Uuid>, store::Error> {
    tx.query(DUE, params![now_us, count])?.iter().map(|row| row.get(0)).collect()
}

/// On which side of leases.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    Landlord,
    Tenant,
}

/// Up to `count` leases of somebody, those before one, newest first.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    side: Side,
    who: Uuid,
    before: Option<Uuid>,
    count: u32,
) -> Result<Vec<Lease>, store::Error> {
    let sql = match side {
        Side::Landlord => OF_LANDLORD,
        Side::Tenant => OF_TENANT,
    };
    let rows = tx.query(sql, params![who, before.unwrap_or(Uuid::max()), count])?;
    rows.iter().map(Lease::from_row).collect()
}

/// Land has another owner: its lease has another landlord.
pub(crate) fn set_landlord(tx: &mut Tx<'_>, parcel: CellId, owner_id: Uuid) -> Result<(), store::Error> {
    tx.execute(SET_LANDLORD, params![parcel.to_sql(), owner_id]).map(drop)
}
