//! Our files and tiles through GDAL, the tool that everybody opens maps with.
//!
//! Needs `gdalinfo` and its companions (Debian: `gdal-bin`). Where they are absent the tests say so and pass, unless
//! `TERRANE_TEST_GDAL_REQUIRED=1`.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod support;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;

use cell::LatLng;
use maps::export::{self, RasterFormat, WorldSize};
use maps::{ImageFormat, MapLayer, Painter, TileXyz};
use serde_json::Value;
use support::{LIMITS, Site, planet};
use tempfile::TempDir;

/// Metres on a planet of Earth's size for one on the planet of these tests, which is of shift 3.
const EARTH_SCALE: f64 = 4.0;

/// Runs a GDAL tool and gives what it prints; `None` where GDAL is absent and may be.
#[track_caller]
fn gdal(tool: &str, arguments: &[&str]) -> Option<String> {
    let run = Command::new(tool).args(arguments).env("GDAL_HTTP_TIMEOUT", "20").output();
    let output = match run {
        Ok(output) => output,
        Err(error) => {
            let is_required = std::env::var("TERRANE_TEST_GDAL_REQUIRED").is_ok_and(|value| value == "1");
            assert!(!is_required, "{tool} cannot be run ({error}): install gdal-bin");
            eprintln!("not tested, because {tool} cannot be run: {error}");
            return None;
        }
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool} {arguments:?}: {text}{errors}");
    Some(text)
}

fn info(path: &Path) -> Option<Value> {
    let text = gdal("gdalinfo", &["-json", path.to_str().unwrap()])?;
    Some(serde_json::from_str(&text).expect("gdalinfo prints JSON"))
}

/// The value of a raster at a place in degrees.
fn value_at(path: &Path, lat: f64, lng: f64) -> f64 {
    let (lng, lat) = (lng.to_string(), lat.to_string());
    let text = gdal("gdallocationinfo", &["-valonly", "-geoloc", path.to_str().unwrap(), &lng, &lat]);
    text.expect("it was there before").trim().parse().expect("one number")
}

/// Middles of pixels of a raster 512 wide, all over the planet, borders and poles included.
fn places() -> impl Iterator<Item = (f64, f64)> {
    let step = 180.0 / 256.0;
    let middle = move |index: u32, from: f64| from + (f64::from(index) + 0.5) * step;
    let rows = [0, 1, 17, 60, 127, 128, 200, 254, 255];
    rows.into_iter().flat_map(move |row| {
        [0, 3, 100, 256, 333, 511].map(|column| (-middle(row, -90.0), middle(column, -180.0)))
    })
}

struct Exports {
    folder: TempDir,
    painter: Painter,
    size: WorldSize,
}

impl Exports {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            painter: Painter::new(planet(), 32 << 20),
            size: WorldSize::try_from_width(512).unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn create(&self, name: &str) -> BufWriter<File> {
        BufWriter::new(File::create(self.path(name)).unwrap())
    }

    fn elevation(&self, name: &str, format: RasterFormat) -> PathBuf {
        let mut heard = Vec::new();
        export::elevation(&self.painter, self.size, format, self.create(name), &mut |done| heard.push(done))
            .unwrap();
        assert!(heard.is_sorted() && heard.last() == Some(&1.0), "{heard:?}");
        self.path(name)
    }

    fn biomes(&self, name: &str, format: RasterFormat) -> PathBuf {
        export::biomes(&self.painter, self.size, format, self.create(name), &mut |_| {}).unwrap();
        self.path(name)
    }
}

#[test]
fn gdal_reads_heights_with_their_place_on_a_sphere_of_the_planets_radius() {
    let exports = Exports::new();
    let path = exports.elevation("elevation.tif", RasterFormat::GeoTiff);
    let Some(info) = info(&path) else { return };
    assert_eq!((&info["driverShortName"], &info["size"]), (&"GTiff".into(), &serde_json::json!([512, 256])));
    let transform = serde_json::json!([-180.0, 0.703_125, 0.0, 90.0, 0.0, -0.703_125]);
    assert_eq!(info["geoTransform"], transform);
    let wkt = info["coordinateSystem"]["wkt"].as_str().unwrap();
    assert!(wkt.contains("ELLIPSOID[\"Terrane sphere\",796375,0"), "{wkt}");
    assert_eq!(info["bands"][0]["type"], "Int16");
    assert_eq!(info["bands"][0]["unit"], "metre");

    // The planet asked place by place is rougher than a raster of 39 km a pixel, but not elsewhere.
    let planet = exports.painter.planet();
    let pixel_m = std::f64::consts::PI / 256.0 * planet.radius_m();
    let differences = places().map(|(lat, lng)| {
        let at = LatLng::from_degrees(lat, lng).unwrap().to_point();
        (planet.elevation_coarse_m(at, pixel_m) * EARTH_SCALE - value_at(&path, lat, lng)).abs()
    });
    let mean_m = differences.sum::<f64>() / places().count() as f64;
    assert!(mean_m < 150.0, "GDAL reads other heights, by {mean_m} m");
}

#[test]
fn heights_are_the_same_in_both_formats() {
    let exports = Exports::new();
    let tiff = exports.elevation("elevation.tif", RasterFormat::GeoTiff);
    let png = exports.elevation("elevation.png", RasterFormat::Png);
    std::fs::write(exports.path("elevation.pgw"), export::world_file(exports.size)).unwrap();
    let Some(info) = info(&png) else { return };
    assert_eq!((&info["driverShortName"], &info["bands"][0]["type"]), (&"PNG".into(), &"UInt16".into()));
    assert_eq!(info["geoTransform"][0], -180.0);
    for (lat, lng) in places() {
        let offset = f64::from(export::HEIGHT_OFFSET_M);
        assert_eq!(value_at(&tiff, lat, lng), value_at(&png, lat, lng) - offset, "{lat}, {lng}");
    }
}

#[test]
fn gdal_reads_biomes_with_their_colors_and_names() {
    let exports = Exports::new();
    for (name, format) in [("biomes.tif", RasterFormat::GeoTiff), ("biomes.png", RasterFormat::Png)] {
        let path = exports.biomes(name, format);
        let Some(info) = info(&path) else { return };
        let band = &info["bands"][0];
        assert_eq!((&band["type"], &band["colorInterpretation"]), (&"Byte".into(), &"Palette".into()));
        let ice = planet::Biome::Ice;
        let [red, green, blue] = maps::biome_color(ice);
        let color = &band["colorTable"]["entries"][ice as usize];
        assert_eq!(*color, serde_json::json!([red, green, blue, 255]), "{name}");
    }
    let tiff = exports.path("biomes.tif");
    let image = info(&tiff).expect("it was there before");
    assert_eq!(image["metadata"][""]["BIOME_3"], "ice");

    let legend = export::biome_legend(&exports.painter);
    assert!(legend.starts_with("number,name,color\n0,ocean,#"), "{legend}");
    assert_eq!(legend.lines().count(), planet::Biome::ALL.len() + 1);
    for (lat, lng) in places() {
        let number = value_at(&tiff, lat, lng) as u8;
        assert!(planet::Biome::from_number(number).is_some());
        // PNG has no place of its own: its pixels are counted.
        let step = 180.0 / 256.0;
        let (x, y) = (((lng + 180.0) / step).floor().to_string(), ((90.0 - lat) / step).floor().to_string());
        let png = exports.path("biomes.png");
        let same = gdal("gdallocationinfo", &["-valonly", png.to_str().unwrap(), &x, &y]).unwrap();
        assert_eq!(same.trim(), number.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gdal_opens_the_tile_service_as_one_great_picture() {
    let site = Site::new(LIMITS);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let planet_hash = site.maps.planet_hash().to_owned();
    let server = tokio::spawn(site.serve(listener));

    let folder = tempfile::tempdir().unwrap();
    let checked = tokio::task::spawn_blocking(move || {
        let service = folder.path().join("service.xml");
        std::fs::write(&service, service_xml(&format!("http://{address}/api/v1/planet/{planet_hash}")))
            .unwrap();
        let Some(info) = info(&service) else { return };
        assert_eq!(info["size"], serde_json::json!([256 << 14, 256 << 14]));

        // Two by two tiles of zoom 2, which GDAL fetches and puts together.
        let corner = folder.path().join("corner.png");
        let (service, corner) = (service.to_str().unwrap(), corner.to_str().unwrap());
        let window = ["-srcwin", "0", "0", "2097152", "2097152", "-outsize", "512", "512"];
        let mut arguments = vec!["-q", "-of", "PNG"];
        arguments.extend(window);
        arguments.extend([service, corner]);
        gdal("gdal_translate", &arguments).unwrap();
        let painter = Painter::new(planet(), 16 << 20);
        for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let tile = TileXyz::try_new(painter.planet(), 2, x, y).unwrap();
            let ours = painter.tile(MapLayer::Biome, tile);
            let name = folder.path().join("ours.png");
            std::fs::write(&name, ImageFormat::Png.encode(&ours)).unwrap();
            for (column, row) in [(0, 0), (17, 99), (255, 255)] {
                let at = 3 * (row * 256 + column) as usize;
                let (left, top) = ((x * 256 + column).to_string(), (y * 256 + row).to_string());
                let theirs = gdal("gdallocationinfo", &["-valonly", corner, &left, &top]).unwrap();
                let theirs: Vec<u8> = theirs.lines().map(|line| line.parse().unwrap()).collect();
                assert_eq!(theirs, ours.rgb[at..at + 3], "tile {x}/{y}, pixel {column}, {row}");
            }
        }
    });
    checked.await.unwrap();
    server.abort();
}

/// A description of the tiles for GDAL's WMS driver.
fn service_xml(base: &str) -> String {
    format!(
        r#"<GDAL_WMS>
  <Service name="TMS"><ServerUrl>{base}/map/biome/${{z}}/${{x}}/${{y}}.png</ServerUrl></Service>
  <DataWindow>
    <UpperLeftX>-20037508.34</UpperLeftX><UpperLeftY>20037508.34</UpperLeftY>
    <LowerRightX>20037508.34</LowerRightX><LowerRightY>-20037508.34</LowerRightY>
    <TileLevel>14</TileLevel><TileCountX>1</TileCountX><TileCountY>1</TileCountY><YOrigin>top</YOrigin>
  </DataWindow>
  <BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY><BandsCount>3</BandsCount>
</GDAL_WMS>"#
    )
}
