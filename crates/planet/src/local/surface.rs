//! Ground and water at places.

use std::ops;

use cell::{CellId, FaceIj};
use glam::DVec3;

use crate::WaterKind;
use crate::local::Local;
use crate::local::courses::{Grid, Shaped};
use crate::local::envelope::CALM_M;
use crate::local::fields::{FieldReader, Fields};
use crate::local::gather::Shown;
use crate::local::place::{Lattice, Place, Places};
use crate::local::scale::Scale;
use crate::local::shore::{Still, rising};
use crate::noise::{Fbm, Positions};

/// Levels between the raster's cells and the cells between whose corners fields are interpolated.
const CONTROL_DEPTH: u8 = 4;

/// Largest and smallest waves of the ground.
const WAVE_LARGEST_M: f64 = 500.0;
const WAVES: usize = 7;

/// Height of the largest waves on level ground and how it grows with the slope.
const WAVE_HEIGHT_M: f32 = 3.0;
const WAVE_HEIGHT_BY_SLOPE_M: f32 = 42.0;

/// How far from still water waves of the ground are as high as anywhere.
const SHORE_CALM_M: f32 = 60.0;

/// How high the ground lies over the raster's level, of its slope times the spacing of nodes, as courses make it.
const MEAN_RISE: f32 = 0.22;

/// Small forms.
#[derive(Debug)]
pub(crate) struct Relief {
    waves: Fbm,
}

impl Relief {
    pub(crate) fn new(scale: &Scale) -> Self {
        Self { waves: Fbm::new(scale.seed, 42, 1.0 / WAVE_LARGEST_M, 0.5, WAVES) }
    }
}

/// What a grid of a spacing can show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Detail {
    /// Layer of the raster.
    pub(crate) layer: u8,
    /// The courses that shape the ground.
    pub(crate) courses: Shown,
    spacing_m: f64,
}

/// The ground at places, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surface {
    pub(crate) elevation_m: Vec<f32>,
    /// Surface of the water over the ground, NaN where it is dry.
    pub(crate) water_m: Vec<f32>,
    /// The water that covers the place, or that it drains to.
    pub(crate) water: Vec<Option<WaterKind>>,
    /// Height over that water.
    pub(crate) over_water_m: Vec<f32>,
    pub(crate) slope: Vec<f32>,
    /// Value of the waves of the ground, about −0.7..0.7.
    pub(crate) wave: Vec<f32>,
    /// At the ground.
    pub(crate) temperature_c: Vec<f32>,
    pub(crate) rain_mm: Vec<f32>,
    /// Were all tiles there?
    pub(crate) is_complete: bool,
}

/// One place of a [`Surface`].
struct Spot {
    elevation_m: f32,
    water_m: f32,
    water: Option<WaterKind>,
    over_water_m: f32,
}

impl Detail {
    /// How many octaves of a noise it shows.
    fn octaves(&self, noise: &Fbm) -> usize {
        noise.octaves_longer_than(2.0 * self.spacing_m)
    }

    /// The level of detail for vertices so far apart; what is no number is as fine as can be.
    pub(crate) fn of(scale: &Scale, layers: impl Iterator<Item = u8>, spacing_m: f64) -> Self {
        let spacing_m = if spacing_m.is_nan() { 0.0 } else { spacing_m };
        let is_shown = |refinement: &u8| scale.node_spacing_m(*refinement) >= 1.9 * spacing_m;
        let refinements = (0..=scale.refinements).take_while(is_shown).count() as u8;
        let courses = Shown { refinements, straightened: scale.straightened(spacing_m) };
        let mut layer = scale.raster_level;
        for coarser in layers {
            if coarser < layer && scale.edge_m(coarser) <= 2.0 * spacing_m {
                layer = coarser;
            }
        }
        Self { layer, courses, spacing_m }
    }
}

impl Local {
    pub(crate) fn detail(&self, spacing_m: f64) -> Detail {
        Detail::of(&self.scale, crate::Raster::layers(self.raster.level()), spacing_m)
    }

    /// The ground at some places.
    pub(crate) fn surface(&self, places: &Places, detail: Detail) -> Surface {
        let terrain = Terrain::read(self, places, detail);
        let shaped = self.courses(places, &terrain, detail);
        let count = places.len();
        let mut surface = Surface::with(count);
        surface.is_complete = terrain.is_complete && shaped.is_complete;
        self.relief.waves.sum(&self.positions(places), detail.octaves(&self.relief.waves), &mut surface.wave);
        let bays = self.shore_noise(places, &terrain, detail);
        let mut row = 0..0;
        let mut near = 0;
        while row.end < count {
            row = row.end..row.end + places.side;
            let is_near = |index: &usize| terrain.is_near[*index];
            if row.clone().any(|index| is_near(&index)) {
                for index in row.clone() {
                    let spot = if is_near(&index) {
                        near += 1;
                        let fields = terrain.fields(index);
                        self.spot(&shaped, index, &terrain, &surface, Some((&fields, bays[near - 1])))
                    } else {
                        self.spot(&shaped, index, &terrain, &surface, None)
                    };
                    surface.put(index, &spot);
                }
            } else {
                surface.put_inland(row.clone(), &shaped, &terrain);
            }
        }
        let lapse = self.lapse_c_per_m();
        let sites = surface.elevation_m.iter().zip(&terrain.temperature_c);
        for (temperature_c, (elevation_m, at_sea_c)) in surface.temperature_c.iter_mut().zip(sites) {
            *temperature_c = at_sea_c - lapse * elevation_m.max(0.0);
        }
        surface.slope = terrain.slope;
        surface.rain_mm = terrain.rain_mm;
        surface
    }

    fn positions(&self, places: &Places) -> Positions {
        let scaled = |unit: &Vec<f64>| unit.iter().map(|unit| unit * self.scale.radius_m).collect();
        Positions::from_axes([0, 1, 2].map(|axis| scaled(&places.unit[axis])))
    }

    /// What courses of water make of the ground.
    fn courses(&self, places: &Places, terrain: &Terrain, detail: Detail) -> Shaped {
        let count = places.len();
        if detail.courses.refinements == 0 {
            let mut shaped = Shaped::none(count);
            for index in 0..count {
                let fields = terrain.fields(index);
                let rise_m = MEAN_RISE * fields.slope * self.scale.node_spacing_m(0) as f32;
                shaped.ground_m[index] = fields.level_m.max(0.5) + rise_m;
            }
            return shaped;
        }
        let origin = self.scale.fixed(places.unit(count / 2));
        let is_out = |inland_m: &f32| *inland_m <= -self.shores.near_m;
        let is_any_out = terrain.inland_m.iter().any(is_out);
        let grid = Grid {
            side: places.side,
            place: [0, 1, 2].map(|axis| self.scale.fixed_from(&places.unit[axis], origin[axis])),
            slope: terrain.slope.clone(),
            is_out: if is_any_out { terrain.inland_m.iter().map(is_out).collect() } else { Vec::new() },
            origin,
            is_even: places.is_even,
        };
        let mut shaped = self.shaped(&grid, detail.courses, |index| places.unit(index));
        // Where no course counts it does not matter who else was asked for.
        for (index, is_out) in grid.is_out.iter().enumerate() {
            if *is_out {
                shaped.forget(index);
            }
        }
        shaped
    }

    /// Noise of bays and beaches at the places near a shore, in their order.
    fn shore_noise(&self, places: &Places, terrain: &Terrain, detail: Detail) -> Vec<(f32, f32)> {
        let near = || (0..places.len()).filter(|index| terrain.is_near[*index]);
        let count = near().count();
        if count == 0 {
            return Vec::new();
        }
        let positions: Positions = near().map(|index| places.unit(index) * self.scale.radius_m).collect();
        let [bays, beaches] = [&self.shores.bays, &self.shores.beaches].map(|noise| {
            let mut sums = vec![0.0; count];
            noise.sum(&positions, detail.octaves(noise), &mut sums);
            sums
        });
        bays.into_iter().zip(beaches).collect()
    }

    /// One place. Of one that is near a shore: its fields, and noise of bays and beaches there.
    fn spot(
        &self,
        shaped: &Shaped,
        index: usize,
        terrain: &Terrain,
        surface: &Surface,
        shore: Option<(&Fields, (f32, f32))>,
    ) -> Spot {
        /// So near still water counts as what a place drains to.
        const NEAR_M: f32 = 150.0;
        let stream_m = shaped.stream_m[index];
        let mut ground_m = shaped.ground_m[index];
        let mut calm = rising(shaped.bank_m[index] / CALM_M);
        let still: [Option<(WaterKind, Still)>; 2] = match shore {
            Some((fields, (bay, beach))) => {
                let lake = self.shores.lake(fields, bay).map(|lake| (WaterKind::Lake, lake));
                [lake, Some((WaterKind::Sea, self.shores.sea(fields, bay, beach)))]
            }
            None => [None, None],
        };
        if let Some((_, lake)) = &still[0] {
            ground_m = ground_m.max(lake.dam_m(stream_m));
        }
        for (_, still) in still.iter().flatten() {
            ground_m = ground_m.min(still.floor_m);
            calm = calm.min(rising(still.off_shore_m.abs() / SHORE_CALM_M));
        }
        let mut water = None;
        let mut water_m = f32::NAN;
        if stream_m > ground_m {
            let level_m =
                still.iter().flatten().fold(stream_m, |level_m, (_, still)| still.reached_by_m(level_m));
            if level_m > ground_m {
                (water, water_m) = (Some(WaterKind::River), level_m);
            }
        }
        for (kind, still) in still.iter().flatten() {
            if still.off_shore_m < 0.0 && ground_m < still.level_m {
                (water, water_m) = (Some(*kind), still.level_m);
            }
        }
        let wave_m = calm * wave_height_m(terrain.slope[index]) * surface.wave[index];
        let elevation_m = if water.is_some() {
            // What is under water stays there.
            ground_m + wave_m.min(0.8 * (water_m - ground_m))
        } else {
            let least_m = still.iter().flatten().fold(-f32::INFINITY, |least_m, (_, still)| {
                if still.level_m <= ground_m {
                    least_m.max(0.5 * (still.level_m - ground_m))
                } else {
                    least_m
                }
            });
            ground_m + wave_m.max(least_m)
        };
        let over = |level_m: f32| elevation_m - level_m;
        if water.is_some() {
            return Spot { elevation_m, water_m, water, over_water_m: over(water_m) };
        }
        let near = still.iter().flatten().find(|(_, still)| still.off_shore_m < NEAR_M);
        let (water, over_water_m) = match near {
            Some((kind, still)) => (Some(*kind), over(still.level_m)),
            None if stream_m > f32::NEG_INFINITY => (Some(WaterKind::River), over(stream_m)),
            None => (None, f32::INFINITY),
        };
        Spot { elevation_m, water_m, water, over_water_m }
    }
}

impl Surface {
    fn with(count: usize) -> Self {
        Self {
            elevation_m: vec![0.0; count],
            water_m: vec![f32::NAN; count],
            water: vec![None; count],
            over_water_m: vec![f32::INFINITY; count],
            slope: Vec::new(),
            wave: vec![0.0; count],
            temperature_c: vec![0.0; count],
            rain_mm: Vec::new(),
            is_complete: true,
        }
    }

    fn put(&mut self, index: usize, spot: &Spot) {
        self.elevation_m[index] = spot.elevation_m;
        self.water_m[index] = spot.water_m;
        self.water[index] = spot.water;
        self.over_water_m[index] = spot.over_water_m;
    }

    /// Places far from every shore: what [`Local::spot`] says of them, without a branch.
    fn put_inland(&mut self, places: ops::Range<usize>, shaped: &Shaped, terrain: &Terrain) {
        let ground_m = &shaped.ground_m[places.clone()];
        let stream_m = &shaped.stream_m[places.clone()];
        let bank_m = &shaped.bank_m[places.clone()];
        let slope = &terrain.slope[places.clone()];
        let wave = &self.wave[places.clone()];
        let elevation_m = &mut self.elevation_m[places.clone()];
        for (index, elevation_m) in elevation_m.iter_mut().enumerate() {
            let (ground_m, stream_m) = (ground_m[index], stream_m[index]);
            let wave_m = rising(bank_m[index] / CALM_M) * wave_height_m(slope[index]) * wave[index];
            let under_water_m = 0.8 * (stream_m - ground_m);
            let is_kept_under = stream_m > ground_m && under_water_m < wave_m;
            *elevation_m = ground_m + if is_kept_under { under_water_m } else { wave_m };
        }
        for index in 0..ground_m.len() {
            let at = places.start + index;
            let stream_m = stream_m[index];
            if stream_m > f32::NEG_INFINITY {
                self.water[at] = Some(WaterKind::River);
                self.over_water_m[at] = self.elevation_m[at] - stream_m;
                if stream_m > ground_m[index] {
                    self.water_m[at] = stream_m;
                }
            }
        }
    }
}

/// How high the waves of the ground are.
fn wave_height_m(slope: f32) -> f32 {
    WAVE_HEIGHT_M + WAVE_HEIGHT_BY_SLOPE_M * slope
}

/// What the raster says of the places of a surface.
struct Terrain {
    /// Of the ground, as courses take it.
    slope: Vec<f32>,
    inland_m: Vec<f32>,
    temperature_c: Vec<f32>,
    rain_mm: Vec<f32>,
    /// May a shore be near?
    is_near: Vec<bool>,
    source: Source,
    is_complete: bool,
}

/// Where all fields of a place can be had.
enum Source {
    Each(Vec<Fields>),
    /// Stretches of rows within one cell of the control level, and how far along it each place is.
    Between {
        stretches: Vec<Stretch>,
        share: Vec<f32>,
    },
}

/// Consecutive places in a row.
struct Stretch {
    end: usize,
    /// At the sides of the cell.
    low: Fields,
    high: Fields,
}

impl Terrain {
    fn read(local: &Local, places: &Places, detail: Detail) -> Self {
        let level = local.scale.raster_level + CONTROL_DEPTH;
        let mut reader = FieldReader::new(local, detail.layer);
        let source = if detail.spacing_m >= 0.99 * local.scale.edge_m(level) {
            Source::Each((0..places.len()).map(|index| reader.fields(&places.get(index))).collect())
        } else {
            stretches(&mut reader, places, level)
        };
        let mut terrain = Self {
            slope: Vec::new(),
            inland_m: Vec::new(),
            temperature_c: Vec::new(),
            rain_mm: Vec::new(),
            is_near: Vec::new(),
            is_complete: reader.is_complete,
            source,
        };
        terrain.slope = terrain.all(|fields| fields.slope);
        Local::steepen(&mut terrain.slope, detail.courses.refinements);
        terrain.inland_m = terrain.all(|fields| fields.inland_m);
        terrain.temperature_c = terrain.all(|fields| fields.temperature_c);
        terrain.rain_mm = terrain.all(|fields| fields.rain_mm);
        let off_lake_m = terrain.off_lake_m();
        let nearest_m = terrain.inland_m.iter().zip(&off_lake_m);
        terrain.is_near =
            nearest_m.map(|(inland_m, off_lake_m)| local.shores.is_nearer(*inland_m, *off_lake_m)).collect();
        terrain
    }

    /// One of the fields at every place.
    fn all(&self, field: fn(&Fields) -> f32) -> Vec<f32> {
        match &self.source {
            Source::Each(fields) => fields.iter().map(field).collect(),
            Source::Between { stretches, share } => {
                let mut all = Vec::with_capacity(share.len());
                for Stretch { end, low, high } in stretches {
                    let (low, high) = (field(low), field(high));
                    all.extend(share[all.len()..*end].iter().map(|share| low * (1.0 - share) + high * share));
                }
                all
            }
        }
    }

    fn off_lake_m(&self) -> Vec<f32> {
        let mut off_lake_m = self.all(|fields| fields.off_lake_m);
        if let Source::Between { stretches, share } = &self.source {
            let mut start = 0;
            for Stretch { end, low, high } in stretches {
                if low.lake_level_m != high.lake_level_m {
                    for index in start..*end {
                        off_lake_m[index] = low.between(high, share[index]).off_lake_m;
                    }
                }
                start = *end;
            }
        }
        off_lake_m
    }

    /// All fields of a place.
    fn fields(&self, index: usize) -> Fields {
        match &self.source {
            Source::Each(fields) => fields[index],
            Source::Between { stretches, share } => {
                let at = stretches.partition_point(|stretch| stretch.end <= index);
                stretches[at].low.between(&stretches[at].high, share[index])
            }
        }
    }
}

/// Fields between the corners of the cells of a level: the same to the bit whichever places are asked for.
fn stretches(reader: &mut FieldReader<'_>, places: &Places, level: u8) -> Source {
    let mut corners = Corners::about(places, level);
    let mut lattice = Lattice::new(level, places.side);
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut share = Vec::with_capacity(places.len());
    let mut open: Option<(FaceIj, f64)> = None;
    for index in 0..places.len() {
        // Along the rows of a grid little changes.
        let (at, x, y) = lattice.in_cell(places, index);
        share.push(x as f32);
        if open == Some((at, y)) {
            stretches.last_mut().expect("one is open").end = index + 1;
            continue;
        }
        // Low i and j, high i, high j, both high.
        let [a, b, c, d] = [0, 1, 3, 2].map(|corner| corners.fields(reader, at, corner));
        let (low, high) = (a.between(&c, y as f32), b.between(&d, y as f32));
        stretches.push(Stretch { end: index + 1, low, high });
        open = Some((at, y));
    }
    Source::Between { stretches, share }
}

/// Fields at the corners of cells of a level, each found once.
struct Corners {
    level: u8,
    face: u8,
    /// Columns and rows of corners on the face that are remembered.
    i: ops::Range<u32>,
    j: ops::Range<u32>,
    known: Vec<Option<Fields>>,
}

impl Corners {
    fn about(places: &Places, level: u8) -> Self {
        let (middle, _, _) = places.get(places.len() / 2).in_cell(level);
        let rims = [0, places.side - 1, places.len() - places.side, places.len() - 1];
        let (mut i, mut j) = (middle.i..middle.i + 2, middle.j..middle.j + 2);
        for (at, ..) in rims.map(|index| places.get(index).in_cell(level)) {
            if at.face == middle.face {
                (i.start, i.end) = (i.start.min(at.i), i.end.max(at.i + 2));
                (j.start, j.end) = (j.start.min(at.j), j.end.max(at.j + 2));
            }
        }
        // A few places far from each other are not worth a table.
        let count = i.len().saturating_mul(j.len());
        let known = if count <= 4 * places.len() + 16 { vec![None; count] } else { Vec::new() };
        Self { level, face: middle.face, i, j, known }
    }

    fn fields(&mut self, reader: &mut FieldReader<'_>, at: FaceIj, corner: usize) -> Fields {
        let mut read = || {
            let cell = CellId::from_face_ij(at, self.level);
            reader.fields(&Place::of(cell.vertex(corner) + DVec3::ZERO))
        };
        let (i, j) = (at.i + u32::from(matches!(corner, 1 | 2)), at.j + u32::from(corner > 1));
        let is_in_table = at.face == self.face && self.i.contains(&i) && self.j.contains(&j);
        if !is_in_table || self.known.is_empty() {
            return read();
        }
        let slot = (j - self.j.start) as usize * self.i.len() + (i - self.i.start) as usize;
        *self.known[slot].get_or_insert_with(read)
    }
}
