//! What tenure keeps about persons, and how leases end when one side is forgotten.

use std::sync::Arc;

use privacy::{Archive, Consequence, Erased, Form, Listing, OwnersOf, PersonalData, Settled, Stuck};
use store::{Tx, params};
use uuid::Uuid;

use crate::Tenure;
use crate::decisions::{Choice, choose};
use crate::lease::LeaseState;
use crate::refusal::Refusal;

/// Leases that are ended in one transaction.
const BATCH: i64 = 20;
/// What runs on is looked at again after this at the latest.
const RETRY_US: i64 = 24 * 60 * 60 * 1_000_000;
/// And not before this.
const SOON_US: i64 = 60 * 1_000_000;

store::statements! {
    /// Leases of somebody that are open.
    OPEN = "select lease_id, tenant_id, state, period_count, periods_paid, acts_at from leases \
            where state in ('offered', 'active') and (landlord_id = $1 or tenant_id = $1) \
            and lease_id > $2 order by lease_id limit $3";
    /// How many.
    COUNT = "select count(*) from leases where state in ('offered', 'active') and (landlord_id = $1 or tenant_id = $1)";
    /// Debts of somebody.
    FORGET_DEBTS = "delete from upkeep_debts where owner_id = $1";
    /// What somebody was told about their land.
    FORGET_NOTICES = "delete from reclaim_notices where owner_id = $1";
    LEASES = "select lease_id, case when landlord_id = $1 then 'landlord' else 'tenant' end, parcel_id, currency, \
              rent_minor, deposit_minor, state, end_reason, periods_paid, offered_at, started_at, ended_at from leases \
              where landlord_id = $1 or tenant_id = $1 order by lease_id limit $2 offset $3";
    DEBTS = "select parcel_id, missed_count, since from upkeep_debts where owner_id = $1 \
             order by parcel_id limit $2 offset $3";
    NOTICES = "select parcel_id, reason, noticed_at, due_at from reclaim_notices where owner_id = $1 \
               order by parcel_id limit $2 offset $3";
}

const LISTINGS: &[Listing] = &[
    Listing {
        file: "leases",
        kind: "lease",
        sql: LEASES,
        columns: &[
            ("lease_id", Form::Id),
            ("you_are", Form::Text),
            ("parcel", Form::Cell),
            ("currency", Form::Text),
            ("rent_minor", Form::Number),
            ("deposit_minor", Form::Number),
            ("state", Form::Text),
            ("end_reason", Form::Text),
            ("periods_paid", Form::Number),
            ("offered_at", Form::Time),
            ("started_at", Form::Time),
            ("ended_at", Form::Time),
        ],
    },
    Listing {
        file: "leases",
        kind: "upkeep_debt",
        sql: DEBTS,
        columns: &[("parcel", Form::Cell), ("missed", Form::Number), ("since", Form::Time)],
    },
    Listing {
        file: "leases",
        kind: "reclaim_notice",
        sql: NOTICES,
        columns: &[
            ("parcel", Form::Cell),
            ("reason", Form::Text),
            ("noticed_at", Form::Time),
            ("due_at", Form::Time),
        ],
    },
];

/// Leases, debts, notices of reclaim.
pub struct Personal {
    tenure: Arc<Tenure>,
    owners: OwnersOf,
}

impl Personal {
    /// See [`OwnersOf`].
    pub fn new(tenure: Arc<Tenure>, owners: OwnersOf) -> Self {
        Self { tenure, owners }
    }

    /// Offers end; a tenant leaves at once if nothing is owed; a landlord gives notice, and the tenant keeps the period
    /// that the rules give them.
    fn settle_owner(
        &self,
        tx: &mut Tx<'_>,
        account_id: Uuid,
        owner_id: Uuid,
        now_us: i64,
    ) -> Result<Settled, Refusal> {
        let (mut after, mut is_any, mut until_us) = (Uuid::nil(), false, None);
        loop {
            let rows = tx.query(OPEN, params![owner_id, after, BATCH])?;
            for row in &rows {
                after = row.get(0)?;
                let (tenant_id, state): (Uuid, String) = (row.get(1)?, row.get(2)?);
                let (periods, paid): (i64, i64) = (row.get(3)?, row.get(4)?);
                let acts_us: Option<i64> = row.get(5)?;
                let (is_tenant, is_offer) = (tenant_id == owner_id, state == LeaseState::Offered.code());
                if !is_offer && !is_tenant && periods <= paid + 1 {
                    // Notice was given.
                    until_us = Some(earlier(until_us, acts_us));
                    continue;
                }
                let choice = match (is_offer, is_tenant) {
                    (true, true) => Choice::Decline,
                    (false, true) => Choice::End { is_at_once: true },
                    (_, false) => Choice::End { is_at_once: false },
                };
                match choose(tx, &self.tenure.deps, after, choice, account_id, now_us) {
                    Ok(lease) => {
                        is_any = true;
                        if lease.is_open() {
                            until_us = Some(earlier(until_us, lease.acts_at_us));
                        }
                    }
                    // The deposit answers for it, or the worker has to end it.
                    Err(Refusal::RentOverdue | Refusal::LeaseClosed { .. }) => {
                        until_us = Some(earlier(until_us, acts_us));
                    }
                    Err(refusal) => return Err(refusal),
                }
            }
            if is_any {
                return Ok(Settled::More);
            }
            if (rows.len() as i64) < BATCH {
                break;
            }
        }
        Ok(until_us.map_or(Settled::Done, |until_us| Settled::Waits {
            what: "leases",
            until_us: until_us.clamp(now_us.saturating_add(SOON_US), now_us.saturating_add(RETRY_US)),
        }))
    }
}

/// The earlier of both; without one it is soon.
fn earlier(so_far: Option<i64>, acts_us: Option<i64>) -> i64 {
    so_far.unwrap_or(i64::MAX).min(acts_us.unwrap_or(0))
}

impl PersonalData for Personal {
    fn domain(&self) -> &'static str {
        "tenure"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        out.leave_out("who the other side of a lease is", "data of other people");
        LISTINGS.iter().try_for_each(|it| out.list(tx, account_id, it))
    }

    fn consequences(&self, tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Consequence>, store::Error> {
        let mut count = 0;
        for owner_id in (self.owners)(tx, account_id)? {
            count += tx.query_one(COUNT, params![owner_id])?.get::<i64>(0)?;
        }
        Ok(Consequence::of("leases_ended", count).into_iter().collect())
    }

    fn settle(&self, tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<Settled, Stuck> {
        let mut settled = Settled::Done;
        for owner_id in (self.owners)(tx, account_id)? {
            match self.settle_owner(tx, account_id, owner_id, now_us) {
                Ok(Settled::Done) => {}
                Ok(Settled::More) => return Ok(Settled::More),
                Ok(waits @ Settled::Waits { .. }) => settled = waits,
                Err(Refusal::Store(error)) => return Err(error.into()),
                Err(refusal) => return Err(Stuck::Refused(refusal.to_string())),
            }
        }
        Ok(settled)
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _: i64) -> Result<Erased, store::Error> {
        tx.execute(FORGET_DEBTS, params![account_id])?;
        tx.execute(FORGET_NOTICES, params![account_id])?;
        Ok(Erased::Done)
    }
}
