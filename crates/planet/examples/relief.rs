//! A shaded relief of one cell, to look at: `cargo run --release -p planet --example relief -- SEED SHIFT RASTER_LEVEL
//! PLACE LEVEL QUADS FILE.ppm`. PLACE is `arrival`, `lat,lng` in degrees, or `mountain`, `river`, `coast`, `lake`,
//! `plain`, each with a number behind it for another one. Two cells side by side and two above each other are drawn.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Instant;

use cell::{CellId, FaceIj, LatLng};
use planet::{Biome, Planet, PlanetSpec, Receiver};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, shift, raster_level, place, level, quads, file] = &arguments[..] else {
        return Err("SEED SHIFT RASTER_LEVEL PLACE LEVEL QUADS FILE.ppm".into());
    };
    let spec = PlanetSpec { seed: seed.parse()?, shift: shift.parse()?, raster_level: raster_level.parse()? };
    let planet = Planet::generate(spec);
    let (level, quads): (u8, u32) = (level.parse()?, quads.parse()?);
    let home = CellId::from_point(find(&planet, place)?.center()).parent(level);
    let started = Instant::now();
    let picture = Picture::draw(&planet, home, quads);
    println!(
        "{place}: {} {:?}, vertices {:.2} m apart, {:.1} to {:.1} m, {:.2} s",
        home.token(),
        LatLng::from_point(home.center()),
        planet.spacing_m(level, quads),
        picture.lowest_m,
        picture.highest_m,
        started.elapsed().as_secs_f64(),
    );
    picture.write(file)?;
    Ok(())
}

/// The cell of a place in words.
fn find(planet: &Planet, place: &str) -> Result<CellId, Box<dyn std::error::Error>> {
    if place == "arrival" {
        return Ok(CellId::from_point(planet.arrival().ground));
    }
    if let Some((latitude, longitude)) = place.split_once(',') {
        return Ok(CellId::from_lat_lng(LatLng::from_degrees(latitude.parse()?, longitude.parse()?)?));
    }
    let kind = place.trim_end_matches(char::is_numeric);
    let number: usize = place[kind.len()..].parse().unwrap_or(0);
    let raster = planet.raster();
    let level = raster.level();
    let mut found: Vec<(f32, CellId)> = (0..6)
        .flat_map(|face| CellId::from_face(face).descendants(level))
        .filter_map(|cell| {
            let at = cell.face_ij();
            let here = raster.cell(level, at)?;
            let around: Vec<_> = planet::DIRECTIONS
                .iter()
                .filter_map(|step| raster.cell(level, FaceIj::stepped(at, *step, level)))
                .collect();
            let is_land = here.receiver != Receiver::Sea;
            let mild = (5.0..24.0).contains(&here.temperature_c) && here.rain_mm > 400.0;
            let relief =
                around.iter().map(|there| (there.ground_m - here.ground_m).abs()).fold(0.0, f32::max);
            let by_sea = around.iter().any(|there| there.receiver == Receiver::Sea);
            let merit = match kind {
                "mountain" if is_land => relief,
                "river" if is_land && !by_sea && mild => here.discharge_m3_s,
                "coast" if is_land && by_sea && mild => 1_000.0 - relief,
                "cliff" if is_land && by_sea && mild => relief,
                "lake" if here.lake_surface_m.is_some() && mild => relief,
                "plain" if is_land && !by_sea && mild => 1_000.0 - relief,
                _ => return None,
            };
            Some((merit, cell))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let step = (found.len() / 2_000).max(1);
    found.get(number * step).map(|(_, cell)| *cell).ok_or_else(|| format!("there is no {place}").into())
}

struct Picture {
    side: usize,
    pixels: Vec<[u8; 3]>,
    lowest_m: f32,
    highest_m: f32,
}

impl Picture {
    fn draw(planet: &Planet, home: CellId, quads: u32) -> Self {
        let FaceIj { face, i, j } = home.face_ij();
        let (i, j) = (i & !1, j & !1);
        let side = 2 * quads as usize;
        let mut picture =
            Self { side, pixels: vec![[0; 3]; side * side], lowest_m: f32::MAX, highest_m: f32::MIN };
        let spacing_m = planet.spacing_m(home.level(), quads) as f32;
        for (right, up) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let cell = CellId::from_face_ij(FaceIj { face, i: i + right, j: j + up }, home.level());
            let patch = planet.patch(cell, quads, 1);
            let stride = patch.side();
            for row in 0..quads as usize {
                for column in 0..quads as usize {
                    let at = (row + 1) * stride + column + 1;
                    let height_m = patch.elevations_m[at];
                    picture.lowest_m = picture.lowest_m.min(height_m);
                    picture.highest_m = picture.highest_m.max(height_m);
                    let east = (patch.elevations_m[at + 1] - patch.elevations_m[at - 1]) / (2.0 * spacing_m);
                    let north = (patch.elevations_m[at + stride] - patch.elevations_m[at - stride])
                        / (2.0 * spacing_m);
                    // Exaggerated, or plains would be blank.
                    let (east, north) = (2.0 * east, 2.0 * north);
                    let light =
                        (0.6 * east - 0.6 * north + 0.75) / (1.0 + east * east + north * north).sqrt();
                    let water_m = patch.water_m[at];
                    let color = if water_m.is_nan() {
                        shaded(color_of(patch.biomes[at]), light.clamp(0.1, 1.3))
                    } else {
                        let depth = ((water_m - height_m) / 20.0).clamp(0.0, 1.0);
                        shaded([70.0, 140.0 - 60.0 * depth, 200.0 - 60.0 * depth], 0.8 + 0.2 * light)
                    };
                    let x = right as usize * quads as usize + column;
                    let y = up as usize * quads as usize + row;
                    picture.pixels[(side - 1 - y) * side + x] = color;
                }
            }
        }
        picture
    }

    fn write(&self, file: &str) -> std::io::Result<()> {
        let mut out = BufWriter::new(File::create(file)?);
        write!(out, "P6\n{} {}\n255\n", self.side, self.side)?;
        self.pixels.iter().try_for_each(|pixel| out.write_all(pixel))?;
        out.flush()
    }
}

fn shaded(color: [f32; 3], light: f32) -> [u8; 3] {
    color.map(|value| (value * light).clamp(0.0, 255.0) as u8)
}

fn color_of(biome: Biome) -> [f32; 3] {
    match biome {
        Biome::Beach => [228.0, 214.0, 160.0],
        Biome::Ice => [240.0, 245.0, 250.0],
        Biome::BareRock => [150.0, 145.0, 140.0],
        Biome::Desert | Biome::ColdDesert => [220.0, 195.0, 140.0],
        Biome::Tundra => [165.0, 165.0, 130.0],
        Biome::Taiga => [85.0, 125.0, 95.0],
        Biome::TemperateForest => [90.0, 145.0, 80.0],
        Biome::TropicalForest => [60.0, 130.0, 60.0],
        Biome::Wetland => [100.0, 150.0, 120.0],
        Biome::Savanna | Biome::Steppe => [190.0, 185.0, 110.0],
        _ => [150.0, 180.0, 100.0],
    }
}
