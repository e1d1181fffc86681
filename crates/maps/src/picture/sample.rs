//! What lies under each pixel: heights, water and colours, interpolated from pieces of ground.
//!
//! A value depends on the pixel's place on the sphere and on its row alone, so that neighbouring tiles meet without
//! a seam.

use std::sync::Arc;

use cell::{CellId, FaceIj, point_to_face_uv, uv_to_st};
use glam::Vec4;

use super::ground::{DRY_M, PIECE_DEPTH, PIECE_QUADS, PIECE_SIDE, Piece, Pieces};
use super::view::{Row, View};

/// Vertices are at most 1.5 and at least 0.75 pixels apart.
const SHARPNESS: f64 = 0.4;

/// The last part of a level over which the next one is faded in.
const FADE: f64 = 0.08;

/// Everything under the pixels of a view, with one pixel more on every side. Row by row, `width + 2` to a row.
pub(crate) struct Samples {
    /// Pixels to a row, the two outside included.
    pub(crate) stride: usize,
    /// Metres of the ground above the sea.
    pub(crate) elevations_m: Vec<f32>,
    /// Metres of water over the ground. Below zero on dry ground by the water, [`DRY_M`] elsewhere: the shore is
    /// where it passes zero.
    pub(crate) depths_m: Vec<f32>,
    /// Red, green and blue of the land, and ice upon the sea; each 0..=255.
    pub(crate) tints: Vec<Vec4>,
}

#[derive(Clone, Copy)]
struct Sample {
    elevation_m: f32,
    depth_m: f32,
    tint: Vec4,
}

impl Sample {
    fn faded(self, finer: Self, share: f32) -> Self {
        let mix = |a: f32, b: f32| a + (b - a) * share;
        // A shore that only one of the two knows is taken whole, or it would be drawn half a tile away.
        let depth_m = match (self.depth_m > DRY_M, finer.depth_m > DRY_M) {
            (true, true) => mix(self.depth_m, finer.depth_m),
            _ => self.depth_m.max(finer.depth_m),
        };
        Self {
            elevation_m: mix(self.elevation_m, finer.elevation_m),
            depth_m,
            tint: self.tint.lerp(finer.tint, share),
        }
    }
}

impl Samples {
    pub(crate) fn of(view: &View, pieces: &Pieces) -> Self {
        let stride = view.width as usize + 2;
        let count = stride * (view.height as usize + 2);
        let mut samples = Self {
            stride,
            elevations_m: Vec::with_capacity(count),
            depths_m: Vec::with_capacity(count),
            tints: Vec::with_capacity(count),
        };
        let columns: Vec<_> = (-1..=view.width as i32).map(|column| view.column(column)).collect();
        let mut reader = Reader { pieces, last: None };
        for row in -1..=view.height as i32 {
            let row = view.row(row);
            let (level, share) = detail(row, pieces.lattice_level_max());
            for column in &columns {
                let (face, u, v) = point_to_face_uv(view.direction(row, *column));
                let (s, t) = (uv_to_st(u), uv_to_st(v));
                let mut sample = reader.sample(face, s, t, level);
                if share > 0.0 {
                    sample = sample.faded(reader.sample(face, s, t, level + 1), share);
                }
                samples.elevations_m.push(sample.elevation_m);
                samples.depths_m.push(sample.depth_m);
                samples.tints.push(sample.tint);
            }
        }
        samples
    }

    /// Heights without the pixels outside, row by row.
    pub(crate) fn inner_elevations_m(&self, view: &View) -> impl Iterator<Item = f32> {
        let width = view.width as usize;
        let rows = self.elevations_m.chunks_exact(self.stride).skip(1).take(view.height as usize);
        rows.flat_map(move |row| row[1..=width].iter().copied())
    }
}

/// Numbers of the biomes nearest to the pixels of a view, row by row.
pub(crate) fn biome_numbers(view: &View, pieces: &Pieces) -> Vec<u8> {
    let columns: Vec<_> = (0..view.width as i32).map(|column| view.column(column)).collect();
    let mut reader = Reader { pieces, last: None };
    let mut numbers = Vec::with_capacity((view.width * view.height) as usize);
    for row in 0..view.height as i32 {
        let row = view.row(row);
        let (level, _) = detail(row, pieces.lattice_level_max());
        for column in &columns {
            let (face, u, v) = point_to_face_uv(view.direction(row, *column));
            let quad = reader.quad(face, uv_to_st(u), uv_to_st(v), level);
            numbers.push(quad.piece.biomes[quad.nearest()] as u8);
        }
    }
    numbers
}

/// The lattice level for a row, and how much of the next one is mixed in.
fn detail(row: Row, finest: u8) -> (u8, f32) {
    let exact = (View::lattice_level(row) + SHARPNESS).max(f64::from(PIECE_DEPTH));
    if exact >= f64::from(finest) {
        return (finest, 0.0);
    }
    let level = exact.floor();
    let share = ((exact - level - (1.0 - FADE)) / FADE).clamp(0.0, 1.0);
    (level as u8, share as f32)
}

/// Reads pieces; remembers the last, which nearly always is the next.
struct Reader<'p> {
    pieces: &'p Pieces,
    last: Option<(CellAt, Arc<Piece>)>,
}

type CellAt = (u8, FaceIj);

impl Reader<'_> {
    fn sample(&mut self, face: u8, s: f64, t: f64, lattice_level: u8) -> Sample {
        self.quad(face, s, t, lattice_level).interpolate()
    }

    fn quad(&mut self, face: u8, s: f64, t: f64, lattice_level: u8) -> Quad<'_> {
        let side = f64::from(1_u32 << lattice_level);
        let index = |x: f64| (x as u32).min((1 << lattice_level) - 1);
        let (x, y) = (s * side, t * side);
        let (i, j) = (index(x), index(y));
        let at = FaceIj { face, i: i >> PIECE_DEPTH, j: j >> PIECE_DEPTH };
        let (column, row) = (i % PIECE_QUADS, j % PIECE_QUADS);
        let corner = row as usize * PIECE_SIDE + column as usize;
        Quad {
            piece: self.piece((lattice_level - PIECE_DEPTH, at)),
            corners: [corner, corner + 1, corner + PIECE_SIDE, corner + PIECE_SIDE + 1],
            right: (x - f64::from(i)) as f32,
            up: (y - f64::from(j)) as f32,
        }
    }

    fn piece(&mut self, at: CellAt) -> &Piece {
        if self.last.as_ref().is_none_or(|(last, _)| *last != at) {
            self.last = Some((at, self.pieces.get(CellId::from_face_ij(at.1, at.0))));
        }
        &self.last.as_ref().expect("put there above").1
    }
}

/// A place between four vertices.
struct Quad<'p> {
    piece: &'p Piece,
    /// Lower left, lower right, upper left, upper right.
    corners: [usize; 4],
    /// How far from the left and the lower side, 0..=1.
    right: f32,
    up: f32,
}

impl Quad<'_> {
    fn nearest(&self) -> usize {
        self.corners[usize::from(self.right >= 0.5) + 2 * usize::from(self.up >= 0.5)]
    }

    fn interpolate(&self) -> Sample {
        let Self { piece, corners, right, up } = self;
        let weights = [(1.0 - right) * (1.0 - up), right * (1.0 - up), (1.0 - right) * up, right * up];
        let mut sample = Sample { elevation_m: 0.0, depth_m: 0.0, tint: Vec4::ZERO };
        let mut is_dry = false;
        for (corner, weight) in corners.iter().zip(weights) {
            let depth_m = piece.depths_m[*corner];
            is_dry |= depth_m == DRY_M;
            sample.depth_m += depth_m * weight;
            sample.elevation_m += piece.elevations_m[*corner] * weight;
            sample.tint += Vec4::from_array(piece.tints[*corner].map(f32::from)) * weight;
        }
        // A quad with water has no corner that is far from it.
        if is_dry {
            sample.depth_m = DRY_M;
        }
        sample
    }
}
