//! Writes pictures of a planet.
//!
//! `cargo run --release -p maps --example picture -- SEED world LAYER HEIGHT FILE.png`
//! `cargo run --release -p maps --example picture -- SEED tiles LAYER Z/LAT/LNG TILES FILE.png`
//! `cargo run --release -p maps --example picture -- SEED export LAYER WIDTH FILE.tif`

use std::fs;
use std::io::BufWriter;
use std::sync::Arc;
use std::time::Instant;

use maps::export::{self, RasterFormat, WorldSize};
use maps::{ImageFormat, MapLayer, Painter, Picture, TILE_PIXELS, TileXyz};
use planet::{Planet, PlanetSpec};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, kind, layer, rest @ ..] = arguments.as_slice() else { return usage() };
    let Some(layer) = MapLayer::parse_name(layer) else { return usage() };
    let spec = PlanetSpec { seed: seed.parse().expect("a number"), ..PlanetSpec::default() };
    let painter = Painter::new(Arc::new(Planet::generate(spec)), 64 << 20);
    if let ("export", [width, file]) = (kind.as_str(), rest) {
        return export(&painter, layer, width.parse().expect("a number"), file);
    }
    let (picture, file) = match (kind.as_str(), rest) {
        ("world", [height, file]) => (painter.world(layer, height.parse().expect("a number")), file),
        ("tiles", [place, tiles, file]) => {
            (mosaic(&painter, layer, place, tiles.parse().expect("a number")), file)
        }
        _ => return usage(),
    };
    fs::write(file, ImageFormat::Png.encode(&picture)).expect("the file can be written");
}

fn usage() {
    eprintln!(
        "SEED world biome|elevation HEIGHT FILE.png, or SEED tiles biome|elevation Z/LAT/LNG TILES FILE.png"
    );
}

/// The raster behind a layer.
fn export(painter: &Painter, layer: MapLayer, width: u32, file: &str) {
    let size = WorldSize::try_from_width(width).expect("a width of the whole planet");
    let file = BufWriter::new(fs::File::create(file).expect("the file can be made"));
    let export = match layer {
        MapLayer::Biome => export::biomes,
        MapLayer::Elevation => export::elevation,
    };
    let started = Instant::now();
    export(painter, size, RasterFormat::GeoTiff, file, &mut |_| {}).expect("the file can be written");
    println!("{width} wide: {:?}", started.elapsed());
}

/// `tiles` × `tiles` tiles around a place.
fn mosaic(painter: &Painter, layer: MapLayer, place: &str, tiles: u32) -> Picture {
    let numbers: Vec<f64> = place.split('/').map(|number| number.parse().expect("a number")).collect();
    let [z, lat, lng] = numbers[..] else { panic!("Z/LAT/LNG") };
    let world = libm::exp2(z);
    let sin = libm::sin(lat.to_radians());
    let x = (lng / 360.0 + 0.5) * world - f64::from(tiles) / 2.0;
    let y = (0.5 - libm::atanh(sin) / std::f64::consts::TAU) * world - f64::from(tiles) / 2.0;
    let (x, y) = (x.round().max(0.0) as u32, y.round().max(0.0) as u32);
    let side = tiles * TILE_PIXELS;
    let mut rgb = vec![0; (3 * side * side) as usize];
    for (row, column) in (0..tiles).flat_map(|row| (0..tiles).map(move |column| (row, column))) {
        let tile = TileXyz::try_new(painter.planet(), z as u8, x + column, y + row).expect("on the map");
        let started = Instant::now();
        let picture = painter.tile(layer, tile);
        println!("{}/{}/{}: {:?}", tile.z(), tile.x(), tile.y(), started.elapsed());
        let row_bytes = (3 * TILE_PIXELS) as usize;
        for (line, pixels) in picture.rgb.chunks_exact(row_bytes).enumerate() {
            let at = 3 * ((row * TILE_PIXELS + line as u32) * side + column * TILE_PIXELS) as usize;
            rgb[at..at + row_bytes].copy_from_slice(pixels);
        }
    }
    Picture { width: side, height: side, rgb }
}
