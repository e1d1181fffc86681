//! Worlds made by hand, of which one knows what must be measured.

use std::sync::Arc;

use cell::{CellId, FaceIj, LatLng};

use super::survey::{END, Survey};
use super::*;
use crate::raster::{DIRECTIONS, TILE_SIDE};
use crate::{Biome, RasterTile, TileId};

const LEVEL: u8 = 8;
const SEA: u8 = 8;
const SINK: u8 = 9;

/// One cell of a world: height in metres, where its water goes, its biome.
#[derive(Clone, Copy)]
struct Spot {
    ground_m: f64,
    way: u8,
    biome: Biome,
}

const OCEAN: Spot = Spot { ground_m: -4_000.0, way: SEA, biome: Biome::Ocean };
const LAND: Spot = Spot { ground_m: 800.0, way: SINK, biome: Biome::Grassland };

fn world(level: u8, spot: impl Fn(FaceIj, LatLng) -> Spot) -> Raster {
    let raster = Raster::empty(level);
    for id in TileId::all_of(level) {
        let corner = id.cell.face_ij();
        let mut tile = RasterTile::default();
        for index in 0..crate::TILE_CELLS {
            let side = TILE_SIDE as u32;
            let at = FaceIj {
                face: corner.face,
                i: corner.i * side + index as u32 % side,
                j: corner.j * side + index as u32 / side,
            };
            let place = LatLng::from_point(CellId::from_face_ij(at, level).center());
            let Spot { ground_m, way, biome } = spot(at, place);
            tile.ground_half_m[index] = (2.0 * ground_m) as i16;
            tile.drainage[index] = way;
            tile.biome[index] = biome as u8;
        }
        raster.insert(id, Arc::new(tile));
    }
    raster
}

fn named(stats: &Stats, name: &str) -> Measure {
    let found = stats.measures.iter().find(|measure| measure.name == name);
    found.unwrap_or_else(|| panic!("there is no {name}")).clone()
}

fn detail_of(measure: &Measure, name: &str) -> f64 {
    let found = measure.details.iter().find(|detail| detail.name == name);
    found.unwrap_or_else(|| panic!("there is no {name}")).value
}

/// Land where this holds, sea elsewhere.
fn where_land(level: u8, is_land: impl Fn(LatLng) -> bool) -> Raster {
    world(level, |_, place| if is_land(place) { LAND } else { OCEAN })
}

#[test]
fn a_cap_of_land_has_its_area_heights_and_modes() {
    // A cap to 60° from the pole has a quarter of the sphere.
    let stats = measure(&where_land(LEVEL, |place| place.lat_deg() > 30.0));
    assert!((named(&stats, "land_fraction").value - 0.25).abs() < 1e-3);
    assert_eq!(named(&stats, "land_mean").value, 800.0);
    assert_eq!(named(&stats, "ocean_mean").value, -4_000.0);
    assert_eq!(named(&stats, "highest_point").value, 800.0);
    let valley = named(&stats, "hypsometric_valley");
    assert_eq!(valley.value, 0.0);
    assert_eq!(detail_of(&valley, "land mode, m"), 875.0);
    assert_eq!(detail_of(&valley, "sea floor mode, m"), -3_875.0);
}

#[test]
fn heights_between_the_modes_fill_the_valley() {
    let ramp = world(LEVEL, |_, place| {
        let ground_m = -4_000.0 + (place.lat_deg() + 90.0) * 28.0;
        if ground_m > 0.0 { Spot { ground_m, ..LAND } } else { Spot { ground_m, ..OCEAN } }
    });
    assert!(!named(&measure(&ramp), "hypsometric_valley").passes());
}

#[test]
fn a_smooth_coast_has_dimension_one_and_a_winding_one_more() {
    for level in [8, 10] {
        let smooth = named(&measure(&where_land(level, |place| place.lat_deg() > 30.0)), "coast_dimension");
        assert!((smooth.value - 1.0).abs() < 0.03, "{} at level {level}", smooth.value);
    }
    // Bays within bays within bays.
    let winding = where_land(LEVEL, |place| {
        let bays = [(7.0, 8.0), (19.0, 4.5), (47.0, 2.6), (113.0, 1.5)];
        place.lat_deg()
            > 30.0 + bays.iter().map(|(waves, deg)| deg * libm::sin(waves * place.lng_rad())).sum::<f64>()
    });
    let winding = named(&measure(&winding), "coast_dimension").value;
    assert!(winding > 1.06, "{winding}");
}

/// Land in the middle of face 0 whose water runs towards lower i, over ground that falls that way.
fn slope_of_face_0(way: impl Fn(FaceIj) -> u8, ground_m: impl Fn(FaceIj) -> f64) -> Raster {
    world(6, |at, _| {
        let is_land = at.face == 0 && (8..56).contains(&at.i) && (8..56).contains(&at.j);
        if is_land { Spot { ground_m: ground_m(at), way: way(at), biome: Biome::Grassland } } else { OCEAN }
    })
}

#[test]
fn water_that_reaches_the_sea_arrives_and_water_in_circles_or_uphill_does_not() {
    let falling = |at: FaceIj| 10.0 * f64::from(at.i);
    let drained = |raster: &Raster| named(&measure(raster), "land_drained");
    let good = drained(&slope_of_face_0(|_| 4, falling));
    assert!(good.passes(), "{good:?}");
    assert_eq!(detail_of(&good, "share to closed basins"), 0.0);

    let closed = drained(&slope_of_face_0(|at| if at.i == 8 { SINK } else { 4 }, falling));
    assert!(closed.passes(), "a declared sink is an end: {closed:?}");
    assert!(detail_of(&closed, "share to closed basins") > 0.99);

    // One row turns back on itself half way: half of that row is lost.
    let circling = drained(&slope_of_face_0(|at| if (at.i, at.j) == (30, 20) { 0 } else { 4 }, falling));
    assert!(!circling.passes(), "{circling:?}");
    assert!((circling.value - (1.0 - 26.0 / 48.0 / 48.0)).abs() < 0.003, "{circling:?}");

    let uphill = drained(&slope_of_face_0(|_| 4, |at| if at.i == 20 { 0.5 } else { falling(at) }));
    assert!(!uphill.passes(), "{uphill:?}");
    assert!((uphill.value - 0.25).abs() < 0.02, "what lies before the step: {uphill:?}");
}

#[test]
fn the_order_of_the_survey_sums_what_walking_down_from_every_cell_sums() {
    let spec = crate::global::GlobalSpec { seed: 3, raster_level: 6, threads: 1 };
    let raster = crate::global::generate(&spec, &crate::BiomeTable::default(), &mut |_| {});
    let survey = Survey::new(&raster);
    assert_eq!(survey.order.len(), survey.land().count(), "no water runs in circles");
    let mut walked = vec![0_u32; survey.lattice.count()];
    for start in survey.land() {
        let mut at = Some(start);
        while let Some(cell) = at {
            walked[cell] += 1;
            at = survey.next(cell);
        }
    }
    let mut summed = vec![1_u32; survey.lattice.count()];
    for cell in &survey.order {
        if let Some(next) = survey.next(*cell as usize) {
            summed[next] += summed[*cell as usize];
        }
    }
    for cell in survey.land() {
        assert_eq!(summed[cell], walked[cell], "cell {cell}");
        if survey.receiver[cell] != END {
            let at = survey.lattice.position(cell);
            let near = DIRECTIONS.map(|step| survey.lattice.index(at.stepped(step, 6)));
            assert!(near.contains(&(survey.receiver[cell] as usize)), "cell {cell}");
        }
    }
}

/// Rivers of a known law: all of a face drains along rows into one trunk, slopes fall as a power of the drained area.
#[test]
fn concavity_is_the_exponent_by_which_slopes_fall() {
    // The j of a row decides nothing: each row is a river of its own, draining n cells after n steps.
    let spacing_m = 10_007_000.0 / 64.0;
    let theta = 0.45;
    let heights: Vec<f64> = (0..64)
        .scan(0.0, |height_m, i| {
            let cells = f64::from(57 - i).max(1.0);
            *height_m += 0.002 * spacing_m * libm::pow(cells, -theta);
            Some(*height_m)
        })
        .collect();
    let raster = slope_of_face_0(|_| 4, |at| heights[at.i as usize]);
    let concavity = named(&measure(&raster), "concavity").value;
    assert!((concavity - theta).abs() < 0.08, "{concavity}");
}

#[test]
fn biomes_in_belts_are_in_order_and_swapped_belts_are_not() {
    let belts =
        [Biome::TropicalForest, Biome::Desert, Biome::Grassland, Biome::Taiga, Biome::Tundra, Biome::Ice];
    let zonal = |belts: [Biome; 6]| {
        where_biome(move |latitude_deg| {
            let biome = belts[(latitude_deg / 15.0) as usize % 6];
            if (10.0..18.0).contains(&latitude_deg) { Biome::Savanna } else { biome }
        })
    };
    let order = |raster: &Raster| named(&measure(raster), "biome_order");
    assert_eq!(order(&zonal(belts)).value, 0.0);
    let [rain_forest, desert, grassland, taiga, tundra, ice] = belts;
    assert!(!order(&zonal([desert, rain_forest, grassland, taiga, tundra, ice])).passes());
    assert!(!order(&zonal([rain_forest, desert, grassland, tundra, taiga, ice])).passes());
    assert!(
        !order(&zonal([rain_forest, desert, grassland, taiga, tundra, tundra])).passes(),
        "ice is missing"
    );
}

fn where_biome(biome: impl Fn(f64) -> Biome) -> Raster {
    world(6, |_, place| Spot { biome: biome(place.lat_deg().abs()), ..LAND })
}

#[test]
fn shares_of_biomes_are_shares_of_the_land() {
    let raster = world(6, |_, place| match place.lat_deg() {
        ..0.0 => OCEAN,
        ..30.0 => Spot { biome: Biome::Desert, ..LAND },
        _ => LAND,
    });
    // Between the equator and 30° lies half of a hemisphere.
    assert!((named(&measure(&raster), "hot_desert").value - 50.0).abs() < 1.5);
}

#[test]
fn what_cannot_be_measured_does_not_pass() {
    let stats = measure(&world(6, |_, _| OCEAN));
    assert!(named(&stats, "land_mean").value.is_nan());
    assert!(!named(&stats, "land_mean").passes());
    assert!(!named(&stats, "bifurcation_ratio").passes());
    assert!(!stats.passes());
}

#[test]
fn names_are_unique_and_every_measure_is_explained() {
    let stats = measure(&world(6, |_, _| OCEAN));
    for measure in &stats.measures {
        assert_eq!(stats.measures.iter().filter(|other| other.name == measure.name).count(), 1);
        assert!(measure.definition.len() > 10, "{}", measure.name);
        assert!(measure.band.low <= measure.band.high, "{}", measure.name);
    }
}
