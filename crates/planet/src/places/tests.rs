//! On a raster drawn for the purpose: two continents, a range, a lake, a river with a tributary.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::{Raster, RasterTile, TILE_SIDE, TileId, discharge_number};

const LEVEL: u8 = RASTER_LEVEL_MIN;
const SEA: u8 = 8;

/// Draws on faces of 64 × 64 cells that begin as sea.
struct Canvas([RasterTile; 6]);

impl Canvas {
    fn new() -> Self {
        let sea = RasterTile {
            ground_half_m: [-6_000; crate::TILE_CELLS],
            drainage: [SEA; crate::TILE_CELLS],
            ..RasterTile::default()
        };
        Self(std::array::from_fn(|_| sea.clone()))
    }

    fn draw(
        &mut self,
        face: usize,
        columns: std::ops::Range<usize>,
        rows: std::ops::Range<usize>,
        draw: impl Fn(&mut RasterTile, usize),
    ) {
        for j in rows {
            for i in columns.clone() {
                draw(&mut self.0[face], j * TILE_SIDE + i);
            }
        }
    }

    fn land(
        &mut self,
        face: usize,
        columns: std::ops::Range<usize>,
        rows: std::ops::Range<usize>,
        ground_m: i16,
    ) {
        // Everything drains towards lower i.
        self.draw(face, columns, rows, |tile, index| {
            tile.ground_half_m[index] = ground_m * 2;
            tile.drainage[index] = 4;
        });
    }

    fn raster(self) -> Raster {
        let raster = Raster::empty(LEVEL);
        for (face, tile) in self.0.into_iter().enumerate() {
            raster.insert(TileId { level: LEVEL, cell: CellId::from_face(face as u8) }, Arc::new(tile));
        }
        raster
    }
}

fn direction(face: u8, i: u32, j: u32) -> DVec3 {
    CellId::from_face_ij(FaceIj { face, i, j }, LEVEL).center()
}

fn world() -> Raster {
    let mut canvas = Canvas::new();
    canvas.land(0, 10..50, 10..50, 200);
    canvas.land(0, 30..34, 15..45, 3_000);
    canvas.land(1, 20..24, 20..24, 100);
    // A river along row 20 from the range to the sea, a tributary that comes in from above at column 20.
    for i in 10..30_usize {
        let discharge = discharge_number(6_000.0 - 100.0 * i as f32);
        canvas.draw(0, i..i + 1, 20..21, |tile, index| tile.discharge[index] = discharge);
    }
    canvas.draw(0, 20..21, 21..40, |tile, index| {
        tile.drainage[index] = 6;
        tile.discharge[index] = discharge_number(500.0);
    });
    canvas.draw(0, 42..46, 30..33, |tile, index| tile.lake_depth_half_m[index] = 40);
    canvas.raster()
}

#[test]
fn land_water_mountains_rivers_and_lakes_are_found_where_they_are() {
    let raster = world();
    let places = Places::find(&raster, &NameTable::default(), 1);
    let kinds: Vec<PlaceKind> = places.all().iter().map(|place| place.kind).collect();
    assert!(kinds.is_sorted());
    for kind in PlaceKind::ALL {
        let count = kinds.iter().filter(|other| **other == kind).count();
        let expected = match kind {
            PlaceKind::River => 2..=2,
            PlaceKind::Continent | PlaceKind::Island | PlaceKind::Range | PlaceKind::Lake => 1..=1,
            PlaceKind::Ocean => 1..=9,
            PlaceKind::Sea => 0..=60,
        };
        assert!(expected.contains(&count), "{count} of {kind:?}");
    }
    let here = |face, i, j| places.at(direction(face, i, j), face != 3);
    let kind = |place: Option<&Place>| place.map(|place| place.kind);
    assert_eq!(kind(here(0, 12, 12).region), Some(PlaceKind::Continent));
    assert_eq!(here(0, 12, 12).range, None);
    assert_eq!(kind(here(0, 31, 30).range), Some(PlaceKind::Range));
    assert_eq!(kind(here(1, 22, 22).region), Some(PlaceKind::Island));
    assert_eq!(kind(here(3, 32, 32).region), Some(PlaceKind::Ocean));
    assert_eq!(kind(here(0, 43, 31).lake), Some(PlaceKind::Lake));
    let (main, tributary) = (here(0, 15, 20).river.unwrap(), here(0, 20, 35).river.unwrap());
    assert_ne!(main, tributary);
    assert_eq!(here(0, 27, 20).river, Some(main), "above the confluence the greater water keeps the name");
    assert_eq!(main.anchor, CellId::from_face_ij(FaceIj { face: 0, i: 10, j: 20 }, LEVEL));
    assert!((main.line[0] - direction(0, 29, 20)).length() < 1e-9, "a river's line begins at its source");
    assert!(main.measure > tributary.measure);
}

#[test]
fn beside_a_shore_the_ground_decides_whether_one_is_at_sea() {
    let places = Places::find(&world(), &NameTable::default(), 1);
    let kind = |j, is_dry| places.at(direction(0, 10, j), is_dry).region.map(|region| region.kind);
    assert_eq!(kind(12, true), Some(PlaceKind::Continent));
    assert!(matches!(kind(12, false), Some(PlaceKind::Ocean | PlaceKind::Sea)));
    let off_shore = places.at(direction(0, 9, 12), true).region.map(|region| region.kind);
    assert_eq!(off_shore, Some(PlaceKind::Continent));
    // Far from any shore there is only one answer.
    assert_eq!(places.at(direction(0, 25, 30), false).region.map(|it| it.kind), Some(PlaceKind::Continent));
}

#[test]
fn areas_add_up_to_the_sphere() {
    let total: f64 = (0..6)
        .flat_map(|face| CellId::from_face(face).descendants(LEVEL))
        .map(|cell| shapes::area_share(cell.face_ij(), LEVEL))
        .sum();
    assert!((total - 1.0).abs() < 1e-3, "{total}");
}

#[test]
fn a_planet_of_sea_alone_has_oceans_and_nothing_else() {
    let places = Places::find(&Canvas::new().raster(), &NameTable::default(), 1);
    assert!(places.all().iter().all(|place| place.kind == PlaceKind::Ocean));
    assert_eq!(places.all().len(), 1);
}

#[test]
fn names_are_unique_and_found_by_their_parts() {
    let places = Places::find(&world(), &NameTable::default(), 1);
    let names: BTreeSet<&str> = places.all().iter().map(|place| place.name.as_str()).collect();
    assert_eq!(names.len(), places.all().len());
    for place in places.all() {
        assert_eq!(places.search(&place.name, 50)[0], place);
        assert!(places.search(&place.name[1..].to_uppercase(), 50).contains(&place));
    }
    assert!(places.search("  ", 50).is_empty());
    assert_eq!(places.search("a", 3).len(), 3);
}
