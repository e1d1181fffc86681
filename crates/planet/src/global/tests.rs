//! What every raster keeps, whatever its seed.

use std::f64::consts::PI;
use std::sync::OnceLock;

use super::finish::DischargeNumbers;
use super::*;
use crate::raster::{DIRECTIONS, RasterCell, Receiver, TILE_CELLS, TileId};
use cell::FaceIj;

fn made(seed: u64, raster_level: u8, threads: usize) -> Raster {
    generate(&GlobalSpec { seed, raster_level, threads }, &BiomeTable::default(), &mut |_| {})
}

/// One layer, cell by cell.
struct Cells {
    seed: u64,
    lattice: Lattice,
    all: Vec<RasterCell>,
}

impl Cells {
    fn of(raster: &Raster, level: u8, seed: u64) -> Self {
        let lattice = Lattice::new(level);
        let all = (0..lattice.count())
            .map(|index| raster.cell(level, lattice.position(index)).expect("every tile is filled"))
            .collect();
        Self { seed, lattice, all }
    }

    fn receiver(&self, index: usize) -> Option<usize> {
        let Receiver::Neighbor(direction) = self.all[index].receiver else { return None };
        let step = DIRECTIONS[usize::from(direction)];
        Some(self.lattice.index(self.lattice.position(index).stepped(step, self.lattice.level())))
    }

    fn surface_m(&self, index: usize) -> f32 {
        match self.all[index] {
            RasterCell { receiver: Receiver::Sea, .. } => 0.0,
            RasterCell { lake_surface_m: Some(surface_m), .. } => surface_m,
            RasterCell { ground_m, .. } => ground_m,
        }
    }
}

/// All layers of some planets, made once for all tests.
fn all_layers() -> &'static [Cells] {
    static LAYERS: OnceLock<Vec<Cells>> = OnceLock::new();
    LAYERS.get_or_init(|| {
        let rasters = [(7, 8), (1, 6), (2, 6)].map(|(seed, level)| (seed, made(seed, level, 2)));
        let layers_of = |(seed, raster): (u64, Raster)| {
            Raster::layers(raster.level())
                .map(move |level| Cells::of(&raster, level, seed))
                .collect::<Vec<_>>()
        };
        rasters.into_iter().flat_map(layers_of).collect()
    })
}

/// The layers of a planet of level 8, the finest first.
fn fine_and_coarse() -> [&'static Cells; 2] {
    [&all_layers()[0], &all_layers()[1]]
}

/// Calls the check for all layers of some planets.
fn for_all_layers(check: impl Fn(&Cells, &str)) {
    for layer in all_layers() {
        check(layer, &format!("layer {} of seed {}", layer.lattice.level(), layer.seed));
    }
}

#[test]
fn all_water_reaches_the_sea_or_a_sink() {
    for_all_layers(|layer, name| {
        // What is known to arrive; walks stop there.
        let mut arrives = vec![false; layer.all.len()];
        for start in 0..layer.all.len() {
            let mut walk = vec![];
            let mut index = start;
            while let Some(next) = layer.receiver(index).filter(|_| !arrives[index]) {
                walk.push(index);
                assert!(walk.len() <= layer.all.len(), "{name}: a circle through cell {index}");
                index = next;
            }
            for index in walk {
                arrives[index] = true;
            }
        }
    });
}

#[test]
fn no_water_rises_along_its_way() {
    for_all_layers(|layer, name| {
        for index in 0..layer.all.len() {
            let Some(receiver) = layer.receiver(index) else { continue };
            let (from_m, to_m) = (layer.surface_m(index), layer.surface_m(receiver));
            assert!(from_m >= to_m, "{name}: cell {index} drains from {from_m} m to {to_m} m");
        }
    });
}

#[test]
fn land_lies_above_the_sea_and_the_sea_below() {
    for_all_layers(|layer, name| {
        for (index, cell) in layer.all.iter().enumerate() {
            match cell.receiver {
                Receiver::Sea => assert!(cell.ground_m < 0.0 && cell.lake_surface_m.is_none()),
                _ => assert!(layer.surface_m(index) > 0.0, "{name}: land cell {index} is under the sea"),
            }
        }
    });
}

#[test]
fn lakes_are_level_and_no_shore_is_below_them() {
    for_all_layers(|layer, name| {
        for (index, cell) in layer.all.iter().enumerate() {
            let (Some(surface_m), Some(receiver)) = (cell.lake_surface_m, layer.receiver(index)) else {
                continue;
            };
            assert!(surface_m > cell.ground_m);
            if let Some(next_m) = layer.all[receiver].lake_surface_m {
                assert!(surface_m >= next_m, "{name}: the lake rises from cell {index} to {receiver}");
            }
        }
    });
    // On the finest layer, all that touches a lake is in it, at the same level, or higher and dry; or it is an outlet.
    let [finest, _] = fine_and_coarse();
    let mut lake_cells = 0;
    for (index, cell) in finest.all.iter().enumerate() {
        let Some(surface_m) = cell.lake_surface_m else { continue };
        lake_cells += 1;
        for neighbor in (0..8).filter_map(|direction| finest.lattice.neighbor(index, direction)) {
            let beside = finest.all[neighbor];
            match beside.lake_surface_m {
                Some(beside_m) => assert_eq!(beside_m, surface_m, "cells {index} and {neighbor} of one lake"),
                None => assert!(
                    beside.ground_m >= surface_m || finest.receiver(index) == Some(neighbor),
                    "cell {neighbor} is below the lake beside it"
                ),
            }
        }
    }
    assert!(lake_cells > 100, "{lake_cells} cells of lakes");
}

#[test]
fn land_covers_its_share_of_the_sphere() {
    for_all_layers(|layer, name| {
        let area_sr = |is_counted: &dyn Fn(&RasterCell) -> bool| -> f64 {
            let counted = layer.all.iter().enumerate().filter(|(_, cell)| is_counted(cell));
            counted.map(|(index, _)| f64::from(layer.lattice.area_sr(index))).sum()
        };
        let share = area_sr(&|cell| cell.receiver != Receiver::Sea) / area_sr(&|_| true);
        assert!((area_sr(&|_| true) / (4.0 * PI) - 1.0).abs() < 1e-6);
        assert!((share - 0.29).abs() < 0.012, "{name}: {share}");
    });
    for seed in 1..7 {
        let finest = Cells::of(&made(seed, 7, 2), 7, seed);
        let land = (0..finest.all.len()).filter(|index| finest.all[*index].receiver != Receiver::Sea);
        let share = land.map(|index| f64::from(finest.lattice.area_sr(index))).sum::<f64>() / (4.0 * PI);
        assert!((share - 0.29).abs() < 0.001, "seed {seed}: {share}");
    }
}

#[test]
fn streams_grow_downwards() {
    for_all_layers(|layer, name| {
        for (index, cell) in layer.all.iter().enumerate() {
            let Some(receiver) = layer.receiver(index) else { continue };
            if layer.all[receiver].receiver != Receiver::Sea {
                let (here, next) = (cell.stream_order, layer.all[receiver].stream_order);
                assert!(next >= here, "{name}: order {here} runs into {next} at cell {index}");
            }
        }
    });
}

#[test]
fn the_mouths_of_large_rivers_agree_between_layers() {
    let [fine, coarse] = fine_and_coarse();
    let is_mouth = |layer: &Cells, index: usize| {
        // Small bays of the sea are sinks of the coarser layer.
        let reaches_sea = |receiver: usize| layer.all[receiver].receiver == Receiver::Sea;
        layer.receiver(index).map_or(layer.all[index].receiver == Receiver::Sink, reaches_sea)
    };
    let (mut large, mut found) = (0, 0);
    for index in (0..fine.all.len()).filter(|index| is_mouth(fine, *index)) {
        let discharge_m3_s = fine.all[index].discharge_m3_s;
        if discharge_m3_s < 2_000.0 {
            continue;
        }
        let FaceIj { face, i, j } = fine.lattice.position(index);
        let over = coarse.lattice.index(FaceIj { face, i: i / 4, j: j / 4 });
        let beside = (0..8).filter_map(|direction| coarse.lattice.neighbor(over, direction));
        let is_same =
            |cell: usize| is_mouth(coarse, cell) && coarse.all[cell].discharge_m3_s >= discharge_m3_s;
        large += 1;
        found += usize::from(beside.chain([over]).any(is_same));
    }
    assert!(large > 20 && 5 * found >= 4 * large, "{found} of {large}");
}

#[test]
fn threads_change_no_bit() {
    let (one, three) = (made(5, 7, 1), made(5, 7, 3));
    for id in TileId::all_of(7) {
        assert_eq!(one.tile(id), three.tile(id));
    }
}

#[test]
fn progress_only_grows_and_ends_at_one() {
    let mut told = vec![];
    let spec = GlobalSpec { seed: 1, raster_level: 6, threads: 1 };
    generate(&spec, &BiomeTable::default(), &mut |progress| told.push(progress.done));
    assert_eq!((told.first(), told.last()), (Some(&0.0), Some(&1.0)));
    assert!(told.windows(2).all(|pair| pair[0] <= pair[1]), "{told:?}");
}

#[test]
fn discharges_are_rounded_as_the_raster_does() {
    let numbers = DischargeNumbers::new();
    for value in [0.0, 0.001, 0.0039, 0.00391, 1.0, 1.09, 1.0906, 250.0, 2e5, 1e9, -4.0] {
        assert_eq!(numbers.number(value), crate::discharge_number(value), "{value} m³/s");
    }
}

/// Changes with any bit of any plane of any layer.
fn hash(raster: &Raster) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    for id in Raster::layers(raster.level()).flat_map(TileId::all_of) {
        let tile = raster.tile(id).expect("every tile is filled");
        for index in 0..TILE_CELLS {
            tile.ground_half_m[index].to_le_bytes().into_iter().for_each(&mut add);
            tile.lake_depth_half_m[index].to_le_bytes().into_iter().for_each(&mut add);
            [
                tile.drainage[index],
                tile.discharge[index],
                tile.temperature[index],
                tile.rain[index],
                tile.biome[index],
                tile.geology[index],
                tile.uplift[index],
            ]
            .into_iter()
            .for_each(&mut add);
        }
    }
    hash
}

#[test]
fn the_same_seed_gives_the_same_planet_everywhere() {
    let mut found = String::new();
    for (seed, level) in [(1, 6), (2, 6), (3, 6), (1, 7), (2, 7), (u64::MAX, 7)] {
        use std::fmt::Write;
        writeln!(found, "{seed} {level} {:016x}", hash(&made(seed, level, 2))).expect("strings take all");
    }
    assert_eq!(found, include_str!("golden.txt"), "a change of these is a change of GENERATOR_VERSION");
}
