//! `terrane planet …`.

mod export;
mod import;
mod stats;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use cell::LatLng;
use planet::artifact::Manifest;
use planet::{Planet, PlanetSpec, Raster};
use serde_json::{Value, json};

use crate::Failure;
use crate::cli::{PlanetCommand, SpecArgs, WhichArgs};
use crate::making::{self, Made};
use crate::memory;
use crate::planet_file::PlanetFile;
use crate::progress::{Bar, say};

pub(crate) fn run(command: &PlanetCommand) -> Result<(), Failure> {
    match command {
        PlanetCommand::Generate { spec, out, json } => generate(spec.into(), out.as_deref(), *json),
        PlanetCommand::Hash { which, json } => hash(which, *json),
        PlanetCommand::Stats { file, seeds, raster_level, json } => {
            stats::run(file.as_deref(), seeds, *raster_level, *json)
        }
        PlanetCommand::Export(arguments) => export::run(arguments),
        PlanetCommand::Import(arguments) => import::run(arguments),
        PlanetCommand::Arrival { which, json } => arrival(which, *json),
    }
}

impl From<&SpecArgs> for PlanetSpec {
    fn from(arguments: &SpecArgs) -> Self {
        let SpecArgs { seed, shift, fineness } = *arguments;
        Self { seed, shift, raster_level: fineness.raster_level }
    }
}

fn generate(spec: PlanetSpec, out: Option<&Path>, json: bool) -> Result<(), Failure> {
    let began_at = Instant::now();
    let Made { manifest, bytes, .. } = make(spec);
    let seconds = began_at.elapsed().as_secs_f64();
    if let Some(out) = out {
        write_whole(out, &bytes)?;
    }
    let memory_peak_mb = memory::peak_mb();
    if json {
        let mut report = description(&manifest);
        report["seconds"] = json!(seconds);
        report["memory_peak_mb"] = json!(memory_peak_mb);
        say(report);
    } else {
        let peak = memory_peak_mb.map_or_else(String::new, |peak| format!(", memory peak {peak} MB"));
        say(format_args!(
            "{}  {:.1} MB in {seconds:.1} s{peak}",
            manifest.planet_hash(),
            megabytes(&manifest)
        ));
        if let Some(out) = out {
            say(format_args!("written to {}", out.display()));
        }
    }
    Ok(())
}

fn hash(which: &WhichArgs, json: bool) -> Result<(), Failure> {
    let (manifest, _) = open(which.file.as_deref(), &which.spec)?;
    if json {
        say(description(&manifest));
    } else {
        say(manifest.planet_hash());
    }
    Ok(())
}

fn arrival(which: &WhichArgs, json: bool) -> Result<(), Failure> {
    let (manifest, raster) = open(which.file.as_deref(), &which.spec)?;
    let planet = Planet::new(manifest.identity().spec, raster);
    let ground = planet.arrival().ground;
    let place = LatLng::from_point(ground);
    let (elevation_m, biome) = (planet.elevation_m(ground), planet.biome(ground).name());
    let (lat_deg, lng_deg) = (place.lat_deg(), place.lng_deg());
    if json {
        say(json!({"lat_deg": lat_deg, "lng_deg": lng_deg, "elevation_m": elevation_m, "biome": biome}));
    } else {
        say(format_args!("{lat_deg:.6},{lng_deg:.6}  {elevation_m:.1} m above the sea, {biome}"));
    }
    Ok(())
}

/// A planet of this spec, with a bar on a terminal.
fn make(spec: PlanetSpec) -> Made {
    let mut bar = Bar::new();
    making::make(spec, &mut |now| bar.show(now))
}

/// The planet of a file, or of the spec if no file is named.
fn open(file: Option<&Path>, spec: &SpecArgs) -> Result<(Manifest, Arc<Raster>), Failure> {
    let Some(file) = file else {
        let Made { manifest, raster, .. } = make(spec.into());
        return Ok((manifest, raster));
    };
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let opened = PlanetFile::open(bytes).with_context(|| file.display().to_string())?;
    Ok((opened.manifest, opened.raster))
}

/// What an artifact says of itself, for programs.
fn description(manifest: &Manifest) -> Value {
    let identity = manifest.identity();
    json!({
        "planet_hash": manifest.planet_hash().to_string(),
        // As text, because JSON readers round such numbers.
        "seed": identity.spec.seed.to_string(),
        "shift": identity.spec.shift,
        "raster_level": identity.spec.raster_level,
        "sub_seed": identity.sub_seed,
        "import_hash": identity.import.map(|import| import.to_string()),
        "generator_version": planet::GENERATOR_VERSION,
        "bytes": manifest.artifact_bytes(),
    })
}

fn megabytes(manifest: &Manifest) -> f64 {
    manifest.artifact_bytes() as f64 / 1e6
}

/// Writes a file that is there whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("cannot write in {}", folder.display()))?;
    std::io::Write::write_all(&mut file, bytes)
        .map_err(anyhow::Error::from)
        .and_then(|()| Ok(file.persist(path)?))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(())
}
