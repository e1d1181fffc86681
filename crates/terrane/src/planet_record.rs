//! Which planet the data belongs to: decided at the first start, then never changed.
//!
//! Lots, positions and prices are about one planet's ground. Another seed under the same data would put houses into
//! the sea, so a start that asks for another planet is refused.

use planet::{GENERATOR_VERSION, PlanetSpec};
use store::{Migration, Store, Tx, params};
use uuid::Uuid;

use crate::config::PlanetConfig;

/// The schema of this crate.
pub(crate) const MIGRATIONS: &[Migration] =
    &[Migration { number: 6, name: "planet", sql: include_str!("../migrations/0006_planet.sql") }];

/// What the data says of its planet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlanetRecord {
    /// Names this planet among all: in tokens, for example.
    pub(crate) planet_id: Uuid,
    pub(crate) spec: PlanetSpec,
    /// Whether it was made just now.
    pub(crate) is_new: bool,
}

/// Why the data is not used.
#[derive(Debug, thiserror::Error, PartialEq)]
pub(crate) enum PlanetRecordError {
    #[error(
        "this data holds a planet of {what} {stored}, but {what} {wanted} is asked for: leave {setting} out to go on \
         with it, or choose another data folder for a new planet"
    )]
    Other { what: &'static str, setting: &'static str, stored: u64, wanted: u64 },
    #[error(
        "this data holds a planet of generator {stored}, this terrane has generator {GENERATOR_VERSION}: its ground \
         would change under what people own; start the terrane it was made with, or choose another data folder"
    )]
    OtherGenerator { stored: u32 },
    #[error("the planet's record cannot be read: {0}")]
    Unreadable(&'static str),
    #[error(transparent)]
    Store(#[from] store::Error),
}

store::statements! {
    FIND = "select planet_id, seed, shift, generator_version from planet";
    INSERT = "insert into planet (planet_id, only_row, seed, shift, generator_version, created_at)
        values ($1, 1, $2, $3, $4, $5) on conflict (only_row) do nothing";
}

/// Reads the record, or writes it at the first start. `fresh_id` names the planet if it is new.
pub(crate) async fn load_or_create(
    store: &Store,
    wanted: &PlanetConfig,
    fresh_id: Uuid,
    now_us: i64,
) -> Result<PlanetRecord, PlanetRecordError> {
    let (wanted_seed, wanted_shift) = (wanted.seed, wanted.shift);
    let default = PlanetSpec::default();
    let spec = PlanetSpec {
        seed: wanted_seed.unwrap_or(default.seed),
        shift: wanted_shift.unwrap_or(default.shift),
        ..default
    };
    let record = store
        .locked(move |tx| {
            let values = params![fresh_id, spec.seed.to_string(), spec.shift, GENERATOR_VERSION, now_us];
            // Two nodes may start at once on a shared database: one of them writes, both read.
            let is_new = tx.execute(INSERT, values)? == 1;
            find(tx, is_new)
        })
        .await?;
    let wishes = [
        ("seed", "planet.seed", record.spec.seed, wanted_seed),
        ("shift", "planet.shift", record.spec.shift.into(), wanted_shift.map(u64::from)),
    ];
    for (what, setting, stored, wanted) in wishes {
        if let Some(wanted) = wanted
            && wanted != stored
        {
            return Err(PlanetRecordError::Other { what, setting, stored, wanted });
        }
    }
    Ok(record)
}

fn find(tx: &mut Tx<'_>, is_new: bool) -> Result<PlanetRecord, PlanetRecordError> {
    let row = tx.query_one(FIND, params![])?;
    let generator: u32 = row.get(3)?;
    if generator != GENERATOR_VERSION {
        return Err(PlanetRecordError::OtherGenerator { stored: generator });
    }
    let seed: String = row.get(1)?;
    let seed = seed.parse().map_err(|_| PlanetRecordError::Unreadable("its seed is no number"))?;
    let shift = row.get::<u8>(2)?;
    if shift > planet::SHIFT_MAX {
        return Err(PlanetRecordError::Unreadable("its size is out of range"));
    }
    Ok(PlanetRecord {
        planet_id: row.get(0)?,
        spec: PlanetSpec { seed, shift, ..PlanetSpec::default() },
        is_new,
    })
}

#[cfg(test)]
mod tests {
    use store::testing::for_each_engine;

    use super::*;

    fn wanted(seed: Option<u64>, shift: Option<u8>) -> PlanetConfig {
        PlanetConfig { name: "Test".to_owned(), seed, shift }
    }

    #[test]
    fn a_planet_stays_what_it_was_made_as() {
        for_each_engine(MIGRATIONS, |store| async move {
            let load = |id, seed, shift| {
                let store = store.clone();
                async move { load_or_create(&store, &wanted(seed, shift), Uuid::from_u128(id), 0).await }
            };
            let made = load(1, Some(u64::MAX), None).await.unwrap();
            let spec = PlanetSpec { seed: u64::MAX, ..PlanetSpec::default() };
            assert_eq!(made, PlanetRecord { planet_id: Uuid::from_u128(1), spec, is_new: true });
            let again = PlanetRecord { is_new: false, ..made };
            assert_eq!(load(2, None, None).await, Ok(again));
            assert_eq!(load(2, Some(u64::MAX), Some(3)).await, Ok(again));
            let refused = load(2, Some(1), None).await.unwrap_err();
            assert!(refused.to_string().contains("leave planet.seed out"), "{refused}");
            assert!(matches!(
                load(2, None, Some(4)).await,
                Err(PlanetRecordError::Other { what: "shift", .. })
            ));
            assert_eq!(load(2, None, None).await, Ok(again), "a refused start changes nothing");
        });
    }
}
