//! `terrane planet export`.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use gateway::Preparation;
use maps::Painter;
use maps::export::{self, ExportError, RasterFormat, WorldSize};
use planet::Planet;

use crate::Failure;
use crate::cli::{ExportArgs, Exported};
use crate::config::Problem;
use crate::progress::{Bar, say};

/// Ground that is kept between strips.
const GROUND_BYTES_MAX: u64 = 64 << 20;

pub(super) fn run(arguments: &ExportArgs) -> Result<(), Failure> {
    // What is wrong with the command is said before a planet is made for it.
    let misused = |reason: String| Failure::Misused(vec![Problem::of_command(reason)]);
    let size = WorldSize::try_from_width(arguments.width).map_err(|error| misused(error.to_string()))?;
    let out = arguments.out.as_path();
    let format =
        format_of(out).ok_or_else(|| misused(format!("{} must end in .tif or .png", out.display())))?;

    let (manifest, raster) = super::open(arguments.artifact.as_deref(), &arguments.spec)?;
    let painter = Painter::new(Arc::new(Planet::new(manifest.identity().spec, raster)), GROUND_BYTES_MAX);
    let mut bar = Bar::new();
    let mut tell = |share: f32| {
        let percent = (share.clamp(0.0, 1.0) * 100.0) as u8;
        bar.show(Preparation { stage: "drawing", percent });
    };
    let file = File::create(out).with_context(|| format!("{} cannot be written", out.display()))?;
    let mut file = BufWriter::new(file);
    let written: Result<(), ExportError> = match arguments.what {
        Exported::Elevation => export::elevation(&painter, size, format, &mut file, &mut tell),
        Exported::Biomes => export::biomes(&painter, size, format, &mut file, &mut tell),
    };
    written.map_err(anyhow::Error::from).and_then(|()| Ok(file.into_inner()?.sync_all()?)).with_context(
        || {
            // Half a raster looks like a whole one to some readers.
            let _ = std::fs::remove_file(out);
            out.display().to_string()
        },
    )?;
    drop(bar);
    say(out.display());

    let beside = |ending: &str, text: String| -> Result<(), Failure> {
        let path = out.with_extension(ending);
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
        say(path.display());
        Ok(())
    };
    if format == RasterFormat::Png {
        beside("pgw", export::world_file(size))?;
    }
    if arguments.what == Exported::Biomes {
        beside("csv", export::biome_legend(&painter))?;
    }
    Ok(())
}

fn format_of(out: &Path) -> Option<RasterFormat> {
    match out.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "tif" | "tiff" => Some(RasterFormat::GeoTiff),
        "png" => Some(RasterFormat::Png),
        _ => None,
    }
}
