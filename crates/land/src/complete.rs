//! Asking the planet about parcels that were stored before it was asked.

use std::sync::Arc;

use cell::CellId;
use planet::Planet;
use store::{Store, params};

use crate::keep::{self, Shape};
use crate::parcel::{self, cell_at};
use crate::survey::Survey;

/// Parcels that are written in one transaction.
const BATCH: i64 = 100;

store::statements! {
    /// Parcels of which the planet has said nothing yet.
    UNSURVEYED = "select parcel_id from parcels where area_m2 is null order by parcel_id limit $1";
}

/// Fills in area, middle, biome and front of parcels from before they were kept; how many there were. Nothing else of
/// this crate works until it is done, so a start waits for it: about a millisecond a parcel, once.
pub async fn complete(store: &Store, planet: &Arc<Planet>) -> Result<u64, store::Error> {
    let mut done = 0;
    loop {
        let parcels = store
            .read(|tx| {
                let rows = tx.query(UNSURVEYED, params![BATCH])?;
                rows.iter()
                    .map(|row| cell_at(row, 0))
                    .map(|it| with_cells(tx, it?))
                    .collect::<Result<Vec<_>, store::Error>>()
            })
            .await?;
        if parcels.is_empty() {
            return Ok(done);
        }
        done += parcels.len() as u64;
        let planet = Arc::clone(planet);
        let survey = move || -> Vec<_> {
            parcels
                .into_iter()
                .map(|(anchor, cells)| (anchor, cells.len(), Survey::of(&planet, &cells)))
                .collect()
        };
        let surveyed = tokio::task::spawn_blocking(survey)
            .await
            .unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
        store
            .locked(move |tx| {
                surveyed.iter().try_for_each(|(anchor, cells, survey)| {
                    let Survey { area_m2, center, biome, front } = *survey;
                    let shape = Shape { cells: *cells, area_m2, center, biome: biome.name(), front };
                    keep::reshape(tx, *anchor, &shape)
                })
            })
            .await?;
    }
}

fn with_cells(tx: &mut store::Tx<'_>, anchor: CellId) -> Result<(CellId, Vec<CellId>), store::Error> {
    Ok((anchor, parcel::cells(tx, anchor)?))
}
