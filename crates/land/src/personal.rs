//! What land keeps about persons, and how it goes back to the planet when its owner is forgotten.

use std::sync::{Arc, Mutex, PoisonError};

use privacy::{Archive, Consequence, Erased, Form, Listing, OwnersOf, PersonalData, Settled, Stuck};
use store::{Tx, params};
use uuid::Uuid;

use crate::decide::freed;
use crate::gifts::end_gift;
use crate::parcel::{self, cell_at};
use crate::rules::Refusal;
use crate::service::{LandService, LotEvent};
use crate::view::GiftState;
use crate::{abandon, gift};

/// Parcels and gifts that are ended in one transaction.
const BATCH: i64 = 10;
/// Land that is promised or let is looked at again after this.
const RETRY_US: i64 = 60 * 60 * 1_000_000;

store::statements! {
    /// Land of somebody, some at a time.
    PARCELS_OF = "select parcel_id from parcels where owner_id = $1 and parcel_id > $2 order by parcel_id limit $3";
    /// How many.
    COUNT_PARCELS = "select count(*) from parcels where owner_id = $1";
    /// Gifts that wait, by or to somebody.
    OPEN_GIFTS = "select gift_id, from_id from gifts where state = 'offered' and (from_id = $1 or to_id = $1) \
                  order by gift_id limit $2";
    /// How many.
    COUNT_GIFTS = "select count(*) from gifts where state = 'offered' and (from_id = $1 or to_id = $1)";
    /// What somebody may do on land of others.
    FORGET_PERMISSIONS = "delete from permissions where subject_id = $1 and role <> 'tenant'";
    PARCELS = "select parcel_id, name, description, cell_count, area_m2, biome, claimed_at from parcels \
               where owner_id = $1 order by parcel_id limit $2 offset $3";
    TITLES = "select parcel_id, title_number, kind, case when owner_id = $1 then 'gained' else 'given up' end, \
              price_minor, currency, since from titles where owner_id = $1 or from_id = $1 \
              order by parcel_id, title_number limit $2 offset $3";
    GIFTS = "select gift_id, parcel_id, case when from_id = $1 then 'by you' else 'to you' end, state, offered_at, \
             decided_at from gifts where from_id = $1 or to_id = $1 order by gift_id limit $2 offset $3";
    PERMISSIONS = "select parcel_id, role, since, expires_at from permissions where subject_id = $1 \
                   order by parcel_id limit $2 offset $3";
    GRANTED = "select parcel_id, role, since, expires_at from permissions where granted_by = $1 \
               order by parcel_id, subject_id limit $2 offset $3";
}

const LISTINGS: &[Listing] = &[
    Listing {
        file: "land",
        kind: "parcel",
        sql: PARCELS,
        columns: &[
            ("parcel", Form::Cell),
            ("name", Form::Text),
            ("description", Form::Text),
            ("lots", Form::Number),
            ("area_m2", Form::Real),
            ("biome", Form::Text),
            ("claimed_at", Form::Time),
        ],
    },
    Listing {
        file: "land",
        kind: "title",
        sql: TITLES,
        columns: &[
            ("parcel", Form::Cell),
            ("number", Form::Number),
            ("why", Form::Text),
            ("you", Form::Text),
            ("price_minor", Form::Number),
            ("currency", Form::Text),
            ("since", Form::Time),
        ],
    },
    Listing {
        file: "land",
        kind: "gift",
        sql: GIFTS,
        columns: &[
            ("gift_id", Form::Id),
            ("parcel", Form::Cell),
            ("side", Form::Text),
            ("state", Form::Text),
            ("offered_at", Form::Time),
            ("decided_at", Form::Time),
        ],
    },
    Listing {
        file: "land",
        kind: "permission",
        sql: PERMISSIONS,
        columns: &[
            ("parcel", Form::Cell),
            ("role", Form::Text),
            ("since", Form::Time),
            ("expires_at", Form::Time),
        ],
    },
    Listing {
        file: "land",
        kind: "permission_given",
        sql: GRANTED,
        columns: &[
            ("parcel", Form::Cell),
            ("role", Form::Text),
            ("since", Form::Time),
            ("expires_at", Form::Time),
        ],
    },
];

/// Parcels, titles, gifts, permissions.
pub struct Personal {
    land: Arc<LandService>,
    owners: OwnersOf,
    /// Lots that were freed in a transaction; told when it is known to have been kept.
    freed: Mutex<Vec<LotEvent>>,
}

impl Personal {
    /// See [`OwnersOf`].
    pub fn new(land: Arc<LandService>, owners: OwnersOf) -> Self {
        Self { land, owners, freed: Mutex::new(Vec::new()) }
    }

    /// Ends gifts and gives land back, some of each.
    fn settle_owner(&self, tx: &mut Tx<'_>, owner_id: Uuid, now_us: i64) -> Result<Settled, Refusal> {
        let gifts = tx.query(OPEN_GIFTS, params![owner_id, BATCH])?;
        for row in &gifts {
            let (gift_id, from_id): (Uuid, Uuid) = (row.get(0)?, row.get(1)?);
            let Some(found) = gift::find(tx, gift_id)? else { continue };
            // Parcels are taken before gifts.
            parcel::take(tx, found.parcel)?;
            let state = if from_id == owner_id { GiftState::Cancelled } else { GiftState::Declined };
            end_gift(tx, &self.land.deps, &found, state, now_us)?;
        }
        let (mut is_any, mut is_bound, mut after) = (!gifts.is_empty(), false, i64::MIN);
        loop {
            let rows = tx.query(PARCELS_OF, params![owner_id, after, BATCH])?;
            for row in &rows {
                after = row.get(0)?;
                let client_id = format!("erasure:{}", Uuid::now_v7());
                match abandon::give_up(tx, cell_at(row, 0)?, client_id, now_us) {
                    Ok(lots) => {
                        is_any = true;
                        self.freed().extend(lots.into_iter().map(freed));
                    }
                    // Sold with its lease, or when the auction is over, or thawed by staff.
                    Err(Refusal::Encumbered { .. } | Refusal::Leased { .. } | Refusal::Frozen { .. }) => {
                        is_bound = true;
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
        let until_us = now_us.saturating_add(RETRY_US);
        Ok(if is_bound { Settled::Waits { what: "land", until_us } } else { Settled::Done })
    }

    fn freed(&self) -> std::sync::MutexGuard<'_, Vec<LotEvent>> {
        self.freed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PersonalData for Personal {
    fn domain(&self) -> &'static str {
        "land"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        out.leave_out("who gave, took or may use land with you", "data of other people");
        LISTINGS.iter().try_for_each(|it| out.list(tx, account_id, it))
    }

    fn consequences(&self, tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Consequence>, store::Error> {
        let (mut parcels, mut gifts) = (0, 0);
        for owner_id in (self.owners)(tx, account_id)? {
            parcels += tx.query_one(COUNT_PARCELS, params![owner_id])?.get::<i64>(0)?;
            gifts += tx.query_one(COUNT_GIFTS, params![owner_id])?.get::<i64>(0)?;
        }
        let all = [Consequence::of("land_returned", parcels), Consequence::of("gifts_cancelled", gifts)];
        Ok(all.into_iter().flatten().collect())
    }

    fn settle(&self, tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<Settled, Stuck> {
        // The transaction before this one was kept, or this one would not be asked for: its lots are told now. If it
        // was not, they are told once too often, which does no harm.
        for event in std::mem::take(&mut *self.freed()) {
            self.land.tell(event);
        }
        let mut settled = Settled::Done;
        for owner_id in (self.owners)(tx, account_id)? {
            match self.settle_owner(tx, owner_id, now_us) {
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
        tx.execute(FORGET_PERMISSIONS, params![account_id])?;
        Ok(Erased::Done)
    }
}
