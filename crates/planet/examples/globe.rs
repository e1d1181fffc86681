//! Makes a planet's raster and says how long each stage took, how much memory it needed, and a hash of the result.
//!
//! `cargo run --release -p planet --example globe -- [seed] [level] [threads] [pictures]`: with a path, it writes
//! `<pictures>_{height,biome,rivers,rock}.ppm`, the whole planet as maps with equal degrees.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Instant;

use cell::{CellId, LatLng};
use planet::global::{GlobalSpec, Progress, generate};
use planet::{Biome, BiomeTable, Raster, RasterCell, TileId};

const WIDTH: u32 = 2_048;
const HEIGHT: u32 = 1_024;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u64| arguments.get(index).map_or(Ok(default), |text| text.parse());
    let spec = GlobalSpec {
        seed: number(0, 1)?,
        raster_level: number(1, 10)?.try_into()?,
        threads: number(2, 1)?.try_into()?,
    };
    let start = Instant::now();
    let mut last: Option<(Progress, f64)> = None;
    let raster = generate(&spec, &BiomeTable::default(), &mut |progress| {
        let now_s = cpu_s().unwrap_or_else(|| start.elapsed().as_secs_f64());
        match &last {
            Some((before, _)) if before.stage == progress.stage && progress.done < 1.0 => {}
            Some((before, since_s)) => {
                println!("{:<8} {:6.2} s cpu, at {:.2}", before.stage.name(), now_s - since_s, progress.done);
                last = Some((progress, now_s));
            }
            None => last = Some((progress, now_s)),
        }
    });
    println!("total    {:6.2} s", start.elapsed().as_secs_f64());
    if let Some(cpu_s) = cpu_s() {
        println!("cpu      {cpu_s:6.2} s over all threads");
    }
    if let Some(peak) = peak_memory() {
        println!("peak     {peak}");
    }
    println!("hash     {:016x}", hash(&raster));
    if let Some(path) = arguments.get(3) {
        draw(&raster, &format!("{path}_height.ppm"), height_color)?;
        draw(&raster, &format!("{path}_biome.ppm"), biome_color)?;
        draw(&raster, &format!("{path}_rivers.ppm"), river_color)?;
        draw(&raster, &format!("{path}_rock.ppm"), rock_color)?;
    }
    Ok(())
}

/// Seconds of processor time of all threads so far, by Linux's count of hundredths.
fn cpu_s() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Fields 14 and 15 (proc(5)); the second, a name in brackets, may hold blanks.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

/// What Linux says about the most memory the process has had.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}

/// FNV-1a over all cells of all layers.
fn hash(raster: &Raster) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for tile in Raster::layers(raster.level()).flat_map(TileId::all_of).filter_map(|id| raster.tile(id)) {
        for index in 0..planet::TILE_CELLS {
            let words = [
                i64::from(tile.ground_half_m[index]) << 32 | i64::from(tile.lake_depth_half_m[index]),
                i64::from(u32::from_le_bytes([
                    tile.drainage[index],
                    tile.discharge[index],
                    tile.temperature[index],
                    tile.rain[index],
                ])),
                i64::from(u32::from_le_bytes([
                    tile.biome[index],
                    tile.geology[index],
                    tile.uplift[index],
                    0,
                ])),
            ];
            for word in words {
                hash = (hash ^ word as u64).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
    }
    hash
}

/// A map of the finest layer. `color` gets a cell and the one to its south-east, for shade.
fn draw(raster: &Raster, path: &str, color: fn(&RasterCell, f32) -> [u8; 3]) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(path)?);
    write!(file, "P6\n{WIDTH} {HEIGHT}\n255\n")?;
    let cell = |x: u32, y: u32| {
        let latitude = 90.0 - 180.0 * (f64::from(y.min(HEIGHT - 1)) + 0.5) / f64::from(HEIGHT);
        let longitude = 360.0 * (f64::from(x % WIDTH) + 0.5) / f64::from(WIDTH) - 180.0;
        let place = LatLng::from_degrees(latitude, longitude)?;
        let at = CellId::from_lat_lng(place).parent(raster.level()).face_ij();
        raster.cell(raster.level(), at).ok_or_else(|| Box::<dyn Error>::from("a tile is missing"))
    };
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let (here, beside) = (cell(x, y)?, cell(x + 1, y + 1)?);
            let shade = (here.ground_m.max(0.0) - beside.ground_m.max(0.0)) / 900.0;
            file.write_all(&color(&here, (1.0 - shade).clamp(0.55, 1.35)))?;
        }
    }
    Ok(())
}

fn shaded(color: [u8; 3], shade: f32) -> [u8; 3] {
    color.map(|part| (f32::from(part) * shade).min(255.0) as u8)
}

fn mixed(from: [u8; 3], to: [u8; 3], share: f32) -> [u8; 3] {
    let share = share.clamp(0.0, 1.0);
    std::array::from_fn(|part| {
        (f32::from(from[part]) + (f32::from(to[part]) - f32::from(from[part])) * share) as u8
    })
}

fn sea_color(cell: &RasterCell) -> [u8; 3] {
    if cell.ground_m > -250.0 {
        return [130, 190, 220];
    }
    mixed([90, 150, 200], [8, 20, 60], -cell.ground_m / 6_500.0)
}

fn height_color(cell: &RasterCell, shade: f32) -> [u8; 3] {
    const STEPS: [(f32, [u8; 3]); 6] = [
        (0.0, [70, 130, 80]),
        (300.0, [140, 170, 90]),
        (1_000.0, [215, 200, 130]),
        (2_500.0, [170, 120, 80]),
        (4_500.0, [150, 140, 140]),
        (7_000.0, [255, 255, 255]),
    ];
    if cell.ground_m < 0.0 && cell.lake_surface_m.is_none() {
        return sea_color(cell);
    }
    if cell.lake_surface_m.is_some() {
        return [40, 90, 220];
    }
    let upper =
        STEPS.iter().position(|(height_m, _)| cell.ground_m < *height_m).unwrap_or(STEPS.len() - 1).max(1);
    let ((low_m, low), (high_m, high)) = (STEPS[upper - 1], STEPS[upper]);
    shaded(mixed(low, high, (cell.ground_m - low_m) / (high_m - low_m)), shade)
}

fn biome_color(cell: &RasterCell, shade: f32) -> [u8; 3] {
    let color = match Biome::from_number(cell.biome) {
        Some(Biome::Ocean | Biome::Shallows) | None => return sea_color(cell),
        Some(Biome::SeaIce) => [215, 230, 240],
        Some(Biome::Lake | Biome::River) => [40, 90, 220],
        Some(Biome::Beach) => [230, 215, 160],
        Some(Biome::Ice) => [245, 248, 250],
        Some(Biome::Tundra) => [150, 150, 130],
        Some(Biome::Taiga) => [60, 100, 70],
        Some(Biome::TemperateForest) => [60, 130, 55],
        Some(Biome::TemperateRainForest) => [30, 110, 70],
        Some(Biome::Grassland) => [130, 160, 80],
        Some(Biome::Steppe) => [190, 180, 110],
        Some(Biome::Shrubland) => [160, 150, 80],
        Some(Biome::Desert) => [228, 205, 150],
        Some(Biome::ColdDesert) => [200, 185, 160],
        Some(Biome::Savanna) => [175, 175, 80],
        Some(Biome::SeasonalForest) => [90, 140, 50],
        Some(Biome::TropicalForest) => [20, 100, 30],
        Some(Biome::BareRock) => [130, 120, 115],
        Some(Biome::AlpineMeadow) => [140, 160, 110],
        Some(Biome::Wetland) => [80, 120, 110],
        Some(Biome::SaltFlat) => [235, 230, 235],
    };
    shaded(color, shade)
}

fn river_color(cell: &RasterCell, _shade: f32) -> [u8; 3] {
    if cell.receiver == planet::Receiver::Sea {
        return [20, 30, 60];
    }
    if cell.receiver == planet::Receiver::Sink {
        return [255, 60, 60];
    }
    if cell.lake_surface_m.is_some() {
        return [60, 140, 255];
    }
    mixed([235, 230, 215], [0, 50, 200], cell.discharge_m3_s.sqrt() / 60.0)
}

fn rock_color(cell: &RasterCell, _shade: f32) -> [u8; 3] {
    const COLORS: [[u8; 3]; 10] = [
        [20, 30, 60],
        [120, 160, 200],
        [220, 150, 140],
        [220, 210, 160],
        [240, 240, 120],
        [150, 90, 60],
        [220, 60, 40],
        [90, 40, 110],
        [110, 180, 90],
        [255, 255, 255],
    ];
    COLORS[usize::from(cell.geology) % COLORS.len()]
}
