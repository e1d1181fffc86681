//! Pictures as they were when somebody last looked at them. `TERRANE_TEST_UPDATE=1` makes them anew: look before
//! committing.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod support;

use std::fs;
use std::path::Path;

use maps::{ImageFormat, MapLayer, Painter, Picture, TileXyz};
use support::planet;

/// Mean difference of a channel, of 255, that is let pass: rounding in another build, not another picture.
const DIFFERENCE_MAX: f64 = 0.5;

#[test]
fn pictures_look_as_they_did() {
    let painter = Painter::new(planet(), 16 << 20);
    let tile = |z, x, y| TileXyz::try_new(painter.planet(), z, x, y).unwrap();
    check("world_biome", &painter.world(MapLayer::Biome, 96));
    check("world_elevation", &painter.world(MapLayer::Elevation, 96));
    check("tile_3_biome", &painter.tile(MapLayer::Biome, tile(3, 2, 3)));
}

fn check(name: &str, picture: &Picture) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.png"));
    if std::env::var("TERRANE_TEST_UPDATE").is_ok_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, ImageFormat::Png.encode(picture)).unwrap();
    }
    let file = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let golden = decode(&file);
    assert_eq!((golden.width, golden.height), (picture.width, picture.height), "{name}");
    let differences = golden.rgb.iter().zip(&picture.rgb).map(|(a, b)| f64::from(a.abs_diff(*b)));
    let mean = differences.sum::<f64>() / golden.rgb.len() as f64;
    assert!(
        mean <= DIFFERENCE_MAX,
        "{name} differs by {mean:.2} of 255 on average; if it should, refresh it with TERRANE_TEST_UPDATE=1"
    );
}

fn decode(file: &[u8]) -> Picture {
    let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    Picture { width: info.width, height: info.height, rgb }
}
