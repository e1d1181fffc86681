//! Which planet the data belongs to: decided at the first start, then never changed.
//!
//! Lots, positions and prices are about one planet's ground. Another ground under the same data would put houses into
//! the sea, so a start that asks for another planet, or finds another, is refused.

use planet::artifact::{Digest, Identity};
use planet::{Arrival, GENERATOR_VERSION, PlanetSpec, RASTER_LEVEL_MAX, RASTER_LEVEL_MIN};
use store::{Migration, Store, Tx, params};
use uuid::Uuid;

use crate::config::PlanetConfig;

/// The schema of this crate.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { number: 6, name: "planet", sql: include_str!("../migrations/0006_planet.sql") },
    Migration {
        number: 7,
        name: "planet_artifact",
        sql: include_str!("../migrations/0007_planet_artifact.sql"),
    },
];

/// What the data says of its planet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PlanetRecord {
    /// Names this planet among all: in tokens, for example.
    pub(crate) planet_id: Uuid,
    pub(crate) spec: PlanetSpec,
    /// The heights it was made from, if they were imported.
    pub(crate) import: Option<Digest>,
    /// Of its artifact, once that is made.
    pub(crate) planet_hash: Option<Digest>,
    /// Where newcomers arrive, once that is found.
    pub(crate) arrival: Option<Arrival>,
    /// Whether it was written just now.
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
    #[error(
        "the planet that was made has the hash {made}, but this data belongs to planet {stored}: this terrane does not \
         make the same ground; start the terrane it was made with, or restore the planet's file from a backup"
    )]
    OtherHash { stored: Digest, made: Digest },
    #[error("the planet's record cannot be read: {0}")]
    Unreadable(&'static str),
    #[error(transparent)]
    Store(#[from] store::Error),
}

store::statements! {
    FIND = "select planet_id, generator_version, seed, shift, raster_level, import_hash, planet_hash, arrival
        from planet";
    INSERT = "insert into planet
        (planet_id, only_row, seed, shift, generator_version, created_at, raster_level, import_hash)
        values ($1, 1, $2, $3, $4, $5, $6, $7) on conflict (only_row) do nothing";
    SET_MADE = "update planet set planet_hash = $1, sub_seed = $2 where planet_hash is null";
    HASH = "select planet_hash from planet";
    SET_ARRIVAL = "update planet set arrival = $1 where arrival is null";
}

/// The record, if there is one; refused, if `wanted` names another planet.
pub(crate) async fn load(
    store: &Store,
    wanted: &PlanetConfig,
) -> Result<Option<PlanetRecord>, PlanetRecordError> {
    let record = store.read(find).await?;
    if let Some(record) = &record {
        check(record.spec, wanted)?;
    }
    Ok(record)
}

/// Reads the record, or writes it at the first start. A planet that was `found` in the data folder without a record is
/// the one that is meant. `fresh_id` names the planet if it is new.
pub(crate) async fn load_or_create(
    store: &Store,
    wanted: &PlanetConfig,
    found: Option<&Identity>,
    fresh_id: Uuid,
    now_us: i64,
) -> Result<PlanetRecord, PlanetRecordError> {
    let spec = found.map_or_else(|| wanted.spec(), |found| found.spec);
    check(spec, wanted)?;
    let import = found.and_then(|found| found.import).map(|import| import.to_string());
    let record = store
        .locked(move |tx| {
            let values = params![
                fresh_id,
                spec.seed.to_string(),
                spec.shift,
                GENERATOR_VERSION,
                now_us,
                spec.raster_level,
                import.clone()
            ];
            // Two nodes may start at once on a shared database: one of them writes, both read.
            let is_new = tx.execute(INSERT, values)? == 1;
            let record = find(tx)?.ok_or(PlanetRecordError::Unreadable("it is gone"))?;
            Ok::<_, PlanetRecordError>(PlanetRecord { is_new, ..record })
        })
        .await?;
    check(record.spec, wanted)?;
    Ok(record)
}

/// Notes which planet was made; an error if the data knows another.
pub(crate) async fn set_made(
    store: &Store,
    planet_hash: Digest,
    sub_seed: u32,
) -> Result<(), PlanetRecordError> {
    let stored: String = store
        .locked(move |tx| {
            tx.execute(SET_MADE, params![planet_hash.to_string(), sub_seed])?;
            Ok::<_, PlanetRecordError>(tx.query_one(HASH, params![])?.get(0)?)
        })
        .await?;
    let stored = parse_digest(&stored)?;
    if stored == planet_hash {
        Ok(())
    } else {
        Err(PlanetRecordError::OtherHash { stored, made: planet_hash })
    }
}

/// Notes where newcomers arrive, so that no later start has to search for it.
pub(crate) async fn set_arrival(store: &Store, arrival: Arrival) -> Result<(), PlanetRecordError> {
    let Arrival { ground, facing } = arrival;
    // Rust writes and reads floats exactly; not every reader of JSON does.
    let numbers =
        [ground.x, ground.y, ground.z, facing.x, facing.y, facing.z].map(|number| number.to_string());
    let numbers = numbers.join(" ");
    store
        .locked(move |tx| {
            tx.execute(SET_ARRIVAL, params![numbers.clone()])?;
            Ok(())
        })
        .await
}

fn parse_arrival(text: &str) -> Result<Arrival, PlanetRecordError> {
    let unreadable = PlanetRecordError::Unreadable("its place of arrival is none");
    let numbers: Result<Vec<f64>, _> = text.split(' ').map(str::parse).collect();
    let numbers: [f64; 6] = numbers.ok().and_then(|it| it.try_into().ok()).ok_or(unreadable)?;
    let [x, y, z, facing @ ..] = numbers;
    Ok(Arrival { ground: [x, y, z].into(), facing: facing.into() })
}

fn check(spec: PlanetSpec, wanted: &PlanetConfig) -> Result<(), PlanetRecordError> {
    let wishes = [
        ("seed", "planet.seed", spec.seed, wanted.seed),
        ("shift", "planet.shift", spec.shift.into(), wanted.shift.map(u64::from)),
        ("raster level", "planet.raster_level", spec.raster_level.into(), wanted.raster_level.map(u64::from)),
    ];
    for (what, setting, stored, wanted) in wishes {
        if let Some(wanted) = wanted
            && wanted != stored
        {
            return Err(PlanetRecordError::Other { what, setting, stored, wanted });
        }
    }
    Ok(())
}

fn find(tx: &mut Tx<'_>) -> Result<Option<PlanetRecord>, PlanetRecordError> {
    let Some(row) = tx.query_opt(FIND, params![])? else { return Ok(None) };
    let generator: u32 = row.get(1)?;
    if generator != GENERATOR_VERSION {
        return Err(PlanetRecordError::OtherGenerator { stored: generator });
    }
    let seed: String = row.get(2)?;
    let seed = seed.parse().map_err(|_| PlanetRecordError::Unreadable("its seed is no number"))?;
    let (shift, raster_level) = (row.get::<u8>(3)?, row.get::<u8>(4)?);
    if shift > planet::SHIFT_MAX || !(RASTER_LEVEL_MIN..=RASTER_LEVEL_MAX).contains(&raster_level) {
        return Err(PlanetRecordError::Unreadable("its size is out of range"));
    }
    let digest = |column| {
        let text: Option<String> = row.get(column)?;
        text.map(|text| parse_digest(&text)).transpose()
    };
    Ok(Some(PlanetRecord {
        planet_id: row.get(0)?,
        spec: PlanetSpec { seed, shift, raster_level },
        import: digest(5)?,
        planet_hash: digest(6)?,
        arrival: row.get::<Option<String>>(7)?.map(|text| parse_arrival(&text)).transpose()?,
        is_new: false,
    }))
}

fn parse_digest(text: &str) -> Result<Digest, PlanetRecordError> {
    text.parse().map_err(|_| PlanetRecordError::Unreadable("a hash in it is none"))
}

#[cfg(test)]
mod tests {
    use store::testing::for_each_engine;

    use super::*;

    fn wanted(seed: Option<u64>, shift: Option<u8>) -> PlanetConfig {
        PlanetConfig { name: "Test".to_owned(), seed, shift, raster_level: None, day_length_s: 5_400 }
    }

    #[test]
    fn a_planet_stays_what_it_was_made_as() {
        for_each_engine(MIGRATIONS, |store| async move {
            let load = |id, seed, shift| {
                let store = store.clone();
                async move { load_or_create(&store, &wanted(seed, shift), None, Uuid::from_u128(id), 0).await }
            };
            assert_eq!(super::load(&store, &wanted(None, None)).await, Ok(None));
            let made = load(1, Some(u64::MAX), None).await.unwrap();
            let spec = PlanetSpec { seed: u64::MAX, ..PlanetSpec::default() };
            let new = PlanetRecord {
                planet_id: Uuid::from_u128(1),
                spec,
                import: None,
                planet_hash: None,
                arrival: None,
                is_new: true,
            };
            assert_eq!(made, new);
            let again = PlanetRecord { is_new: false, ..made };
            assert_eq!(load(2, None, None).await, Ok(again));
            assert_eq!(load(2, Some(u64::MAX), Some(3)).await, Ok(again));
            let refused = load(2, Some(1), None).await.unwrap_err();
            assert!(refused.to_string().contains("leave planet.seed out"), "{refused}");
            assert!(matches!(
                load(2, None, Some(4)).await,
                Err(PlanetRecordError::Other { what: "shift", .. })
            ));
            let coarse = PlanetConfig { raster_level: Some(6), ..wanted(None, None) };
            assert!(matches!(
                super::load(&store, &coarse).await,
                Err(PlanetRecordError::Other { setting: "planet.raster_level", stored: 10, wanted: 6, .. })
            ));
            assert_eq!(load(2, None, None).await, Ok(again), "a refused start changes nothing");
        });
    }

    #[test]
    fn the_first_hash_is_the_planets_for_ever() {
        for_each_engine(MIGRATIONS, |store| async move {
            let any = wanted(None, None);
            let load = || load_or_create(&store, &any, None, Uuid::from_u128(1), 0);
            load().await.unwrap();
            let (made, other) = (Digest::of(b"made"), Digest::of(b"other"));
            assert_eq!(set_made(&store, made, 2).await, Ok(()));
            assert_eq!(load().await.unwrap().planet_hash, Some(made));
            assert_eq!(set_made(&store, made, 2).await, Ok(()), "made again, the same");
            let refused = set_made(&store, other, 2).await.unwrap_err();
            assert_eq!(refused, PlanetRecordError::OtherHash { stored: made, made: other });
            assert_eq!(load().await.unwrap().planet_hash, Some(made));
        });
    }

    #[test]
    fn the_place_of_arrival_comes_back_to_the_bit() {
        for_each_engine(MIGRATIONS, |store| async move {
            let any = wanted(None, None);
            let load = || load_or_create(&store, &any, None, Uuid::from_u128(1), 0);
            assert_eq!(load().await.unwrap().arrival, None);
            let found = Arrival {
                ground: [1.0 / 3.0, -0.1, f64::EPSILON].into(),
                facing: [0.6, 0.3_f64.sqrt(), -0.7].into(),
            };
            set_arrival(&store, found).await.unwrap();
            let other = Arrival { ground: found.facing, facing: found.ground };
            set_arrival(&store, other).await.unwrap();
            assert_eq!(load().await.unwrap().arrival, Some(found), "the first stays");
        });
    }

    #[test]
    fn a_planet_that_was_brought_is_the_one_that_is_meant() {
        for_each_engine(MIGRATIONS, |store| async move {
            let spec = PlanetSpec { seed: 9, shift: 5, raster_level: 7 };
            let import = Some(Digest::of(b"heights"));
            let brought = Identity { spec, sub_seed: 0, import, biome_table: Vec::new() };
            let create = async |seed| {
                load_or_create(&store, &wanted(seed, None), Some(&brought), Uuid::from_u128(1), 0).await
            };
            let refused = create(Some(8)).await;
            assert!(matches!(refused, Err(PlanetRecordError::Other { what: "seed", .. })), "{refused:?}");
            let record = create(None).await.unwrap();
            assert_eq!((record.spec, record.import), (spec, import));
        });
    }

    #[test]
    fn a_planet_of_another_generator_is_refused_with_what_to_do() {
        for_each_engine(MIGRATIONS, |store| async move {
            load_or_create(&store, &wanted(None, None), None, Uuid::from_u128(1), 0).await.unwrap();
            store
                .locked(|tx| tx.execute("update planet set generator_version = 0", params![]))
                .await
                .unwrap();
            let refused = load(&store, &wanted(None, None)).await.unwrap_err();
            assert_eq!(refused, PlanetRecordError::OtherGenerator { stored: 0 });
            assert!(refused.to_string().contains("choose another data folder"), "{refused}");
        });
    }
}
