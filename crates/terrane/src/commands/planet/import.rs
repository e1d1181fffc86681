//! `terrane planet import`.

use anyhow::{Context as _, anyhow};
use gateway::Preparation;
use maps::import::Heights;
use planet::artifact::{Digest, Identity, Manifest};
use planet::global::{self, GlobalSpec};
use planet::import::HeightGrid;
use planet::{BiomeTable, PlanetSpec};
use store::Store;

use crate::cli::ImportArgs;
use crate::config::Config;
use crate::making::{self, Made};
use crate::planet_file::{self, Found, threads};
use crate::planet_record::{self, PlanetRecord};
use crate::progress::{Bar, say};
use crate::{Failure, node};

pub(super) fn run(arguments: &ImportArgs) -> Result<(), Failure> {
    let mut sources = crate::commands::sources(&arguments.place);
    sources.flag("planet.seed", arguments.seed);
    sources.flag("planet.shift", arguments.shift);
    sources.flag("planet.raster_level", arguments.raster_level);
    let config = crate::commands::read(sources)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // The database is held open, so that nobody starts with the planet that is being replaced.
    let (store, record) = runtime.block_on(async {
        let store = open(&config).await?;
        let record = match &store {
            Some(store) => planet_record::load(store, &config.planet).await?,
            None => None,
        };
        anyhow::Ok((store, record))
    })?;

    let blobs = planet_file::blobs(&config)?;
    let file = arguments.file.as_path();
    let Made { manifest, bytes, .. } = make(file, config.planet.spec())?;
    let hash = manifest.planet_hash();
    if !record.is_none_or(|record| is_the_planet_of(&record, &manifest)) {
        let data = config.node.data.display();
        return Err(anyhow!(
            "the data in {data} belongs to another planet, and this would be planet {hash}: choose another folder with \
             --data"
        )
        .into());
    }
    if record.is_none()
        && let Found::Whole(other) = planet_file::find(&blobs)?
        && other.manifest.planet_hash() != hash
    {
        let path = planet_file::path(&blobs);
        return Err(anyhow!("{} is another planet: remove it first", path.display()).into());
    }
    planet_file::keep(&blobs, &bytes)?;
    if let Some(store) = store {
        runtime.block_on(store.close());
    }
    if arguments.json {
        say(super::description(&manifest));
    } else {
        say(format_args!("{hash}  {:.1} MB", super::megabytes(&manifest)));
        say(format_args!("`terrane serve --data {}` runs it", config.node.data.display()));
    }
    Ok(())
}

/// Whether data with this record may have this planet.
fn is_the_planet_of(record: &PlanetRecord, manifest: &Manifest) -> bool {
    match record.planet_hash {
        Some(recorded) => recorded == manifest.planet_hash(),
        None => record.import == manifest.identity().import,
    }
}

/// The database of this place, if it has one.
async fn open(config: &Config) -> anyhow::Result<Option<Store>> {
    if config.database.url.is_none() && !node::database_file(config).exists() {
        return Ok(None);
    }
    let store = Store::open(node::store_config(config)).await?;
    store.migrate(&node::migrations()).await?;
    Ok(Some(store))
}

fn make(file: &std::path::Path, spec: PlanetSpec) -> anyhow::Result<Made> {
    let mut bar = Bar::new();
    let mut tell = |now: Preparation| bar.show(now);
    tell(Preparation { stage: "reading the heights", percent: 0 });
    let read = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let import = Digest::of(&read);
    drop(read);
    let Heights { columns, rows, heights_m } =
        maps::import::read(file).with_context(|| file.display().to_string())?;
    let threads = threads().get();
    let grid = HeightGrid::new(columns as usize, rows as usize, &heights_m);
    grid.check().with_context(|| file.display().to_string())?;
    let elevation_m = grid.on_cells(spec.raster_level, threads);
    let biomes = BiomeTable::default();
    let global = GlobalSpec { seed: spec.seed, raster_level: spec.raster_level, threads };
    let raster = global::generate_from_elevation(&global, &elevation_m, &biomes, &mut |progress| {
        tell(making::of_stage(progress));
    });
    let identity = Identity { spec, sub_seed: 0, import: Some(import), biome_table: biomes.to_bytes() };
    Ok(making::pack(identity, raster, &mut tell))
}
