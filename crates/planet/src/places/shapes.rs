//! Finds the shapes of places in the raster.

use std::collections::{BTreeMap, BinaryHeap};

use cell::{CellId, FaceIj, face_uv_to_point, st_to_uv};
use glam::DVec3;

use super::basins::{self, OUTSIDE, Rule};
use super::{Found, NOTHING, Place, PlaceKind};
use crate::{DIRECTIONS, Raster, Receiver, TILE_SIDE, TileId};

/// The whole sphere.
const SPHERE_SR: f64 = 4.0 * std::f64::consts::PI;

/// Shares of the sphere from which on a sea is an ocean, land a continent, and either has a name at all.
const OCEAN_SHARE_MIN: f64 = 0.04;
const CONTINENT_SHARE_MIN: f64 = 0.005;
const REGION_SHARE_MIN: f64 = 0.000_05;

/// Seas part at straits of this share of their width; land is one until it is nearly cut through.
const STRAIT_SHARE: f64 = 0.6;
const ISTHMUS_SHARE: f64 = 0.3;

/// Share of the land that is mountains, and how high they are at least on a planet of Earth's size.
const MOUNTAIN_SHARE: f64 = 0.10;
const MOUNTAIN_HEIGHT_MIN_M: f32 = 900.0;

/// Smallest discharge of a river with a name, m³/s on a planet of Earth's size.
const RIVER_DISCHARGE_MIN: f32 = 60.0;
/// A main stem is followed up to where it carries this.
const SOURCE_DISCHARGE_MIN: f32 = 4.0;
/// Shortest river with a name, as a share of the radius: 90 km on Earth.
const RIVER_LENGTH_MIN: f64 = 0.014;

const RANGES_MAX: usize = 120;
const RIVERS_MAX: usize = 400;
const LAKES_MAX: usize = 200;
/// Points of a range's line.
const RANGE_POINTS: usize = 12;

/// A place without its name.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) kind: PlaceKind,
    pub(super) anchor: CellId,
    pub(super) center: DVec3,
    area_share: f64,
    line: Vec<DVec3>,
    measure: f32,
}

impl Shape {
    pub(super) fn named(self, name: String) -> Place {
        let Self { kind, anchor, center, area_share, line, measure } = self;
        let length_rad = line.windows(2).map(|ends| (ends[1] - ends[0]).length()).sum();
        Place { kind, name, anchor, center, area_share, line, length_rad, measure }
    }
}

/// Where a position of a level is in arrays over all faces.
pub(super) fn index(at: FaceIj, level: u8) -> usize {
    let side = 1_usize << level;
    (usize::from(at.face) * side + at.j as usize) * side + at.i as usize
}

fn position(index: u32, level: u8) -> FaceIj {
    let side = 1_u32 << level;
    FaceIj { face: (index / side / side) as u8, i: index % side, j: index / side % side }
}

fn center(at: FaceIj, level: u8) -> DVec3 {
    let uv = |index: u32| st_to_uv((f64::from(index) + 0.5) / f64::from(1_u32 << level));
    face_uv_to_point(at.face, uv(at.i), uv(at.j)).normalize()
}

/// Share of the sphere of a cell, by the area element of the projection at its middle; exact to 1/1000 from level 6 on.
pub(super) fn area_share(at: FaceIj, level: u8) -> f64 {
    let side = f64::from(1_u32 << level);
    let uv = |index: f64| st_to_uv(index / side);
    let (i, j) = (f64::from(at.i), f64::from(at.j));
    let (u, v) = (uv(i + 0.5), uv(j + 0.5));
    let stretch = 1.0 + u * u + v * v;
    (uv(i + 1.0) - uv(i)) * (uv(j + 1.0) - uv(j)) / (stretch * stretch.sqrt()) / SPHERE_SR
}

/// A layer of the raster as flat arrays.
pub(super) struct Field {
    level: u8,
    is_sea: Vec<bool>,
    ground_m: Vec<f32>,
}

impl Field {
    pub(super) fn read(raster: &Raster, level: u8) -> Self {
        let cells = 6 << (2 * level);
        let mut field = Self { level, is_sea: vec![false; cells], ground_m: vec![0.0; cells] };
        for (at, cell) in cells_of(raster, level) {
            let index = index(at, level);
            field.is_sea[index] = cell.receiver == Receiver::Sea;
            field.ground_m[index] = cell.ground_m;
        }
        field
    }

    fn neighbors(&self, cell: u32) -> [u32; 4] {
        let at = position(cell, self.level);
        [(1, 0), (0, 1), (-1, 0), (0, -1)].map(|step| index(at.stepped(step, self.level), self.level) as u32)
    }

    fn shape(&self, kind: PlaceKind, cell: u32, area_share: f64) -> Shape {
        let at = position(cell, self.level);
        Shape {
            kind,
            anchor: CellId::from_face_ij(at, self.level),
            center: center(at, self.level),
            area_share,
            line: Vec::new(),
            measure: 0.0,
        }
    }

    fn area_shares(&self, labels: &[u32], basins: usize) -> Vec<f64> {
        let mut shares = vec![0.0; basins];
        for (cell, label) in labels.iter().enumerate().filter(|(_, label)| **label != OUTSIDE) {
            shares[*label as usize] += area_share(position(cell as u32, self.level), self.level);
        }
        shares
    }

    /// Smallest group of cells that counts: 24 of the 393 216 of level 8.
    fn cells_min(&self) -> usize {
        (self.is_sea.len() / 16_384).max(3)
    }
}

/// All cells of a layer with their places.
fn cells_of(raster: &Raster, level: u8) -> impl Iterator<Item = (FaceIj, crate::RasterCell)> + '_ {
    TileId::all_of(level).flat_map(move |id| {
        let tile = raster.tile(id).expect("places are found on whole rasters");
        let FaceIj { face, i, j } = id.cell.face_ij();
        let side = TILE_SIDE as u32;
        (0..side * side).map(move |index| {
            let at = FaceIj { face, i: i * side + index % side, j: j * side + index / side };
            (at, tile.cell(index as usize))
        })
    })
}

impl Found {
    /// Continents, islands, oceans and seas; returns the region of every cell.
    pub(super) fn add_regions(&mut self, field: &Field) -> Vec<u16> {
        let mut regions = vec![NOTHING; field.is_sea.len()];
        let mut found = Vec::new();
        for (is_sea, neck_share) in [(true, STRAIT_SHARE), (false, ISTHMUS_SHARE)] {
            let mask: Vec<bool> = field.is_sea.iter().map(|sea| *sea == is_sea).collect();
            let rule = Rule { neck_share, cells_min: field.cells_min() };
            let (basins, labels) = basins::divide(&mask, |cell| field.neighbors(cell), rule);
            let shares = field.area_shares(&labels, basins.len());
            let labels = std::rc::Rc::new(labels);
            for (number, (basin, share)) in basins.iter().zip(shares).enumerate() {
                let kind = match (is_sea, share) {
                    (_, ..REGION_SHARE_MIN) => continue,
                    (true, OCEAN_SHARE_MIN..) => PlaceKind::Ocean,
                    (true, _) => PlaceKind::Sea,
                    (false, CONTINENT_SHARE_MIN..) => PlaceKind::Continent,
                    (false, _) => PlaceKind::Island,
                };
                found.push((field.shape(kind, basin.peak, share), number as u32, labels.clone()));
            }
        }
        found.sort_by(|(a, ..), (b, ..)| {
            a.kind.cmp(&b.kind).then(b.area_share.total_cmp(&a.area_share)).then(a.anchor.cmp(&b.anchor))
        });
        for (shape, number, labels) in found {
            let region = self.shapes.len() as u16;
            for (of_cell, label) in regions.iter_mut().zip(labels.iter()) {
                if *label == number {
                    *of_cell = region;
                }
            }
            self.shapes.push(shape);
        }
        regions
    }

    /// Mountain ranges; returns the range of every cell.
    pub(super) fn add_ranges(&mut self, field: &Field) -> Vec<u16> {
        let mut heights: Vec<f32> =
            field.ground_m.iter().zip(&field.is_sea).filter(|(_, sea)| !**sea).map(|(m, _)| *m).collect();
        let mut ranges = vec![NOTHING; field.is_sea.len()];
        if heights.is_empty() {
            return ranges;
        }
        let index = ((1.0 - MOUNTAIN_SHARE) * heights.len() as f64) as usize;
        let threshold_m = heights.select_nth_unstable_by(index, f32::total_cmp).1.max(MOUNTAIN_HEIGHT_MIN_M);
        let mask: Vec<bool> = field.ground_m.iter().map(|ground_m| *ground_m >= threshold_m).collect();
        let whole = Rule { neck_share: 0.0, cells_min: 0 };
        let (basins, labels) = basins::divide(&mask, |cell| field.neighbors(cell), whole);
        let shares = field.area_shares(&labels, basins.len());
        let great = basins.iter().zip(shares).take(RANGES_MAX).filter(|(b, _)| b.cells >= field.cells_min());
        for (number, (basin, share)) in great.enumerate() {
            let cells: Vec<u32> =
                (0..labels.len() as u32).filter(|cell| labels[*cell as usize] == number as u32).collect();
            let range = self.shapes.len() as u16;
            for cell in &cells {
                ranges[*cell as usize] = range;
            }
            let line = ridge_line(field, basin.peak, number as u32, &labels);
            let middle = line[line.len() / 2];
            let highest_m = cells.iter().map(|cell| field.ground_m[*cell as usize]).fold(0.0, f32::max);
            let shape = field.shape(PlaceKind::Range, basin.peak, share);
            self.shapes.push(Shape { line, center: middle, measure: highest_m, ..shape });
        }
        ranges
    }

    /// Rivers with their greater tributaries; returns the river of every cell on a main stem.
    pub(super) fn add_rivers(&mut self, raster: &Raster) -> BTreeMap<CellId, u16> {
        let level = raster.level();
        let mut mouths: BinaryHeap<(u32, std::cmp::Reverse<CellId>)> = cells_of(raster, level)
            .filter(|(at, cell)| {
                cell.discharge_m3_s >= RIVER_DISCHARGE_MIN && is_mouth(raster, *at, cell.receiver)
            })
            .map(|(at, cell)| candidate(at, level, cell.discharge_m3_s))
            .collect();
        let mut rivers = BTreeMap::new();
        let mut count = 0;
        // By falling discharge: a tributary comes after the river it joins.
        while let Some((discharge, std::cmp::Reverse(anchor))) = mouths.pop() {
            if count == RIVERS_MAX {
                break;
            }
            let stem = main_stem(raster, anchor, &mut mouths);
            let line: Vec<DVec3> = stem.iter().rev().map(|cell| cell.center()).collect();
            let shape = Shape {
                kind: PlaceKind::River,
                anchor,
                center: line[line.len() / 2],
                area_share: 0.0,
                line,
                measure: f32::from_bits(discharge),
            };
            if shape.line.windows(2).map(|ends| (ends[1] - ends[0]).length()).sum::<f64>() < RIVER_LENGTH_MIN
            {
                continue;
            }
            let river = self.shapes.len() as u16;
            rivers.extend(stem.into_iter().map(|cell| (cell, river)));
            self.shapes.push(shape);
            count += 1;
        }
        rivers
    }

    /// Lakes of at least two raster cells; returns the lake of every cell.
    pub(super) fn add_lakes(&mut self, raster: &Raster) -> BTreeMap<CellId, u16> {
        let level = raster.level();
        let mut wet: BTreeMap<CellId, f32> = cells_of(raster, level)
            .filter_map(|(at, cell)| {
                let depth_m = cell.lake_surface_m? - cell.ground_m;
                Some((CellId::from_face_ij(at, level), depth_m))
            })
            .collect();
        let mut found = Vec::new();
        while let Some((first, depth_m)) = wet.pop_first() {
            let mut cells = vec![(first, depth_m)];
            let mut next = 0;
            while let Some((cell, _)) = cells.get(next).copied() {
                next += 1;
                cells.extend(cell.all_neighbors().into_iter().filter_map(|cell| wet.remove_entry(&cell)));
            }
            let share: f64 = cells.iter().map(|(cell, _)| area_share(cell.face_ij(), level)).sum();
            if cells.len() > 1 {
                found.push((share, cells));
            }
        }
        found.sort_by(|(a, a_cells), (b, b_cells)| b.total_cmp(a).then(a_cells[0].0.cmp(&b_cells[0].0)));
        let mut lakes = BTreeMap::new();
        for (share, cells) in found.into_iter().take(LAKES_MAX) {
            let deepest = cells.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a });
            let (anchor, depth_m) = deepest.expect("a lake has cells");
            let lake = self.shapes.len() as u16;
            lakes.extend(cells.into_iter().map(|(cell, _)| (cell, lake)));
            self.shapes.push(Shape {
                kind: PlaceKind::Lake,
                anchor,
                center: anchor.center(),
                area_share: share,
                line: Vec::new(),
                measure: depth_m,
            });
        }
        lakes
    }
}

/// Does the water of a cell end in the sea or a sink?
fn is_mouth(raster: &Raster, at: FaceIj, receiver: Receiver) -> bool {
    match receiver {
        Receiver::Sea => false,
        Receiver::Sink => true,
        Receiver::Neighbor(direction) => {
            let next = at.stepped(DIRECTIONS[usize::from(direction)], raster.level());
            raster.cell(raster.level(), next).is_some_and(|cell| cell.receiver == Receiver::Sea)
        }
    }
}

fn candidate(at: FaceIj, level: u8, discharge_m3_s: f32) -> (u32, std::cmp::Reverse<CellId>) {
    // The bits of positive floats sort as the floats do.
    (discharge_m3_s.to_bits(), std::cmp::Reverse(CellId::from_face_ij(at, level)))
}

/// The cells from a mouth up to the source, always along the greater water. Great tributaries become candidates.
fn main_stem(
    raster: &Raster,
    mouth: CellId,
    tributaries: &mut BinaryHeap<(u32, std::cmp::Reverse<CellId>)>,
) -> Vec<CellId> {
    let level = raster.level();
    let mut stem = vec![mouth];
    let mut at = mouth.face_ij();
    loop {
        let mut upstream: Vec<(f32, FaceIj)> = DIRECTIONS
            .into_iter()
            .filter_map(|step| {
                let from = at.stepped(step, level);
                let cell = raster.cell(level, from)?;
                let Receiver::Neighbor(direction) = cell.receiver else { return None };
                let drains_here = from.stepped(DIRECTIONS[usize::from(direction)], level) == at;
                drains_here.then_some((cell.discharge_m3_s, from))
            })
            .collect();
        upstream.sort_by(|(a, a_at), (b, b_at)| {
            b.total_cmp(a).then_with(|| index(*a_at, level).cmp(&index(*b_at, level)))
        });
        // A corner of the cube is reached by two steps.
        upstream.dedup_by_key(|(_, at)| *at);
        let greater = upstream.iter().skip(1).filter(|(discharge, _)| *discharge >= RIVER_DISCHARGE_MIN);
        tributaries.extend(greater.map(|(discharge, at)| candidate(*at, level, *discharge)));
        match upstream.first() {
            Some((discharge, source)) if *discharge >= SOURCE_DISCHARGE_MIN => {
                at = *source;
                stem.push(CellId::from_face_ij(at, level));
            }
            _ => return stem,
        }
    }
}

/// A line through a range, from one end to the other, by steps within it.
fn ridge_line(field: &Field, start: u32, number: u32, labels: &[u32]) -> Vec<DVec3> {
    let (one_end, _) = farthest(field, start, number, labels);
    let (mut cell, came_from) = farthest(field, one_end, number, labels);
    let mut path = vec![cell];
    while let Some(before) = came_from.get(&cell).filter(|before| **before != cell) {
        cell = *before;
        path.push(cell);
    }
    let step = path.len().div_ceil(RANGE_POINTS);
    let last = path.len() - 1;
    let chosen = (0..last).step_by(step).chain([last]);
    chosen.map(|index| center(position(path[index], field.level), field.level)).collect()
}

/// The cell most steps away within a label, and for each cell the one it was reached from.
fn farthest(field: &Field, start: u32, number: u32, labels: &[u32]) -> (u32, BTreeMap<u32, u32>) {
    let mut came_from = BTreeMap::from([(start, start)]);
    let mut queue = vec![start];
    let mut next = 0;
    while let Some(cell) = queue.get(next).copied() {
        next += 1;
        for neighbor in field.neighbors(cell) {
            if labels[neighbor as usize] == number && !came_from.contains_key(&neighbor) {
                came_from.insert(neighbor, cell);
                queue.push(neighbor);
            }
        }
    }
    (*queue.last().expect("the start is there"), came_from)
}
