//! Plates: which piece of the shell a place belongs to, how the pieces move, and what happens where they meet.
//!
//! Plates are cells of a weighted Voronoi diagram of points on the sphere, with borders bent by noise. Each turns about
//! an Euler pole of its own. Along a border the difference of the two motions tells whether the plates part or collide,
//! and the crust on both sides tells what grows there (after Cortial et al. 2019, "Procedural Tectonic Planets").

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use glam::DVec3;

use super::EARTH_RADIUS_M;
use super::lattice::{Lattice, NOWHERE};
use super::parallel::for_chunks;
use super::random::Random;
use super::rows::{field_by_rows, noise_along, row};
use crate::noise::Fbm;

/// Some seven large and many small ones, as on Earth.
const PLATES: usize = 26;

/// Speed of the fastest plates where they move fastest, in the unit of [`Boundary::closing`].
const SPEED_MAX: f64 = 1.3;

/// Motions slower than this make nothing worth mentioning.
const CLOSING_MIN: f32 = 0.05;

/// Collisions shape the land up to so far from the border.
const REACH_M: f32 = 2.0e6;

/// What a border between plates that collide makes on one of its sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// No collision within reach.
    None,
    /// The continent that rides up where two collide: folded mountains and a plateau.
    Collision,
    /// The continent that is pushed under: a narrow range.
    Foreland,
    /// A continent under which sea floor dives: a mountain range with volcanoes along its coast.
    ContinentalArc,
    /// Sea floor that dives: a trench.
    Trench,
    /// Sea floor under which other sea floor dives: a chain of volcanic islands.
    IslandArc,
}

/// The nearest collision of a place, seen from its own plate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Boundary {
    pub(crate) meeting: Meeting,
    /// How fast the plates close up there, about 0 to 2.
    pub(crate) closing: f32,
    pub(crate) distance_m: f32,
}

impl Boundary {
    /// No collision within reach.
    pub(crate) const NONE: Self = Self { meeting: Meeting::None, closing: 0.0, distance_m: f32::MAX };
}

/// The moving shell, on a lattice of its own.
#[derive(Debug)]
pub(crate) struct Plates {
    /// Continental where high. No unit: only its order over the sphere counts.
    pub(crate) continent: Vec<f32>,
    /// The nearest collision.
    pub(crate) boundary: Vec<Boundary>,
    /// Distance to the nearest border where plates part.
    pub(crate) ridge_m: Vec<f32>,
}

struct Plate {
    center: DVec3,
    /// Subtracted from distances: heavy plates are large.
    weight: f64,
    /// Angular velocity.
    turn: DVec3,
    carries_continent: bool,
}

impl Plates {
    pub(crate) fn new(lattice: &Lattice, seed: u64, threads: usize) -> Self {
        let plates = scattered(seed);
        let owner = owners(lattice, &plates, seed, threads);
        let continent = continents(lattice, &plates, &owner, seed, threads);
        let threshold = quantile(&continent, 1.0 - CONTINENTAL_SHARE);
        let is_continental = |index: usize| continent[index] > threshold;

        let mut boundary = vec![Boundary::NONE; lattice.count()];
        let mut ridge_m = vec![f32::MAX; lattice.count()];
        for index in 0..lattice.count() {
            for neighbor in lattice.neighbors(index).into_iter().filter(|cell| *cell != NOWHERE) {
                let (ours, theirs) = (owner[index], owner[neighbor as usize]);
                if ours == theirs {
                    continue;
                }
                let closing = closing(lattice, &plates, (index, ours), (neighbor as usize, theirs));
                if closing < -CLOSING_MIN {
                    ridge_m[index] = 0.0;
                } else if closing > CLOSING_MIN && closing > boundary[index].closing {
                    let meeting = match (is_continental(index), is_continental(neighbor as usize)) {
                        (true, true) if ours < theirs => Meeting::Collision,
                        (true, true) => Meeting::Foreland,
                        (true, false) => Meeting::ContinentalArc,
                        (false, false) if ours < theirs => Meeting::IslandArc,
                        (false, _) => Meeting::Trench,
                    };
                    boundary[index] = Boundary { meeting, closing, distance_m: 0.0 };
                }
            }
        }
        spread_boundaries(lattice, &owner, &mut boundary);
        spread_distances(lattice, &mut ridge_m);
        Self { continent, boundary, ridge_m }
    }
}

/// Share of the sphere that is continental crust: the land, its shelves and slopes (Cogley 1984: 0.41 on Earth).
const CONTINENTAL_SHARE: f64 = 0.40;

fn scattered(seed: u64) -> Vec<Plate> {
    let mut random = Random::new(seed, 1);
    (0..PLATES)
        .map(|number| Plate {
            center: random.direction(),
            weight: 0.35 * random.share(),
            turn: random.direction() * (SPEED_MAX - random.share()),
            carries_continent: number % 5 < 2,
        })
        .collect()
}

/// The plate of each cell.
fn owners(lattice: &Lattice, plates: &[Plate], seed: u64, threads: usize) -> Vec<u8> {
    const BEND: f32 = 0.35;
    let bends = [21, 22, 23].map(|salt| Fbm::new(seed, salt, 2.5, 0.55, 5));
    let mut owner = vec![0; lattice.count()];
    for_chunks(threads, &mut owner, lattice.side(), |number, values| {
        let row = row(lattice, number);
        let [x, y, z] = [0, 1, 2].map(|axis| &bends[axis]).map(|bend| noise_along(bend, &row));
        for (i, value) in values.iter_mut().enumerate() {
            let bend = DVec3::new(f64::from(x[i]), f64::from(y[i]), f64::from(z[i])) * f64::from(BEND);
            let place = lattice.direction(number * lattice.side() + i) + bend;
            let distance = |plate: &Plate| (place - plate.center).length() - plate.weight;
            let nearest =
                (0..plates.len()).min_by(|a, b| distance(&plates[*a]).total_cmp(&distance(&plates[*b])));
            *value = nearest.expect("there are plates") as u8;
        }
    });
    owner
}

/// Where the crust is continental: broad noise, more on plates that carry a continent, smooth over their borders.
fn continents(lattice: &Lattice, plates: &[Plate], owner: &[u8], seed: u64, threads: usize) -> Vec<f32> {
    const CARRIED: f32 = 0.25;
    const BROADNESS_M: f64 = 500e3;
    let broad = Fbm::new(seed, 24, 1.3, 0.5, 6);
    let mut field = field_by_rows(lattice, threads, |row, first, values| {
        broad.sum(row, broad.octaves(), values);
        for (value, owner) in values.iter_mut().zip(&owner[first..]) {
            let carried = if plates[usize::from(*owner)].carries_continent { CARRIED } else { -CARRIED };
            *value = 1.25 * *value + carried;
        }
    });
    // Each pass spreads by about half a cell in the sense of a standard deviation.
    let spacing_m = EARTH_RADIUS_M * (4.0 * std::f64::consts::PI / lattice.count() as f64).sqrt();
    let cells = 0.3 * BROADNESS_M / spacing_m;
    let passes = (2.0 * cells * cells).ceil() as usize;
    for _ in 0..passes.min(40) {
        field = smoothed(lattice, &field, threads);
    }
    field
}

/// Means of each cell, counted twice, and its neighbours.
fn smoothed(lattice: &Lattice, field: &[f32], threads: usize) -> Vec<f32> {
    let mut means = vec![0.0; field.len()];
    for_chunks(threads, &mut means, lattice.side(), |number, values| {
        for (i, value) in values.iter_mut().enumerate() {
            let index = number * lattice.side() + i;
            let (mut sum, mut weight) = (2.0 * field[index], 2.0);
            for neighbor in lattice.neighbors(index).into_iter().filter(|cell| *cell != NOWHERE) {
                sum += field[neighbor as usize];
                weight += 1.0;
            }
            *value = sum / weight;
        }
    });
    means
}

/// How fast two neighbouring cells on different plates approach each other; negative where they part.
fn closing(
    lattice: &Lattice,
    plates: &[Plate],
    (index, ours): (usize, u8),
    (neighbor, theirs): (usize, u8),
) -> f32 {
    let (here, there) = (lattice.direction(index), lattice.direction(neighbor));
    let between = plates[usize::from(ours)].turn.cross(here) - plates[usize::from(theirs)].turn.cross(there);
    let towards = there - here;
    (between.dot(towards) / towards.length()) as f32
}

/// Carries the nearest collision over each plate, up to [`REACH_M`] (Dijkstra's algorithm).
fn spread_boundaries(lattice: &Lattice, owner: &[u8], boundary: &mut [Boundary]) {
    let mut queue: BinaryHeap<Reverse<(u32, u32)>> = (0..boundary.len() as u32)
        .filter(|index| boundary[*index as usize].meeting != Meeting::None)
        .map(|index| Reverse((0, index)))
        .collect();
    while let Some(Reverse((bits, index))) = queue.pop() {
        let from = boundary[index as usize];
        if f32::from_bits(bits) > from.distance_m {
            continue;
        }
        for (neighbor, distance_m) in around(lattice, index) {
            let distance_m = from.distance_m + distance_m;
            let is_nearer = distance_m < boundary[neighbor as usize].distance_m && distance_m < REACH_M;
            if is_nearer && owner[neighbor as usize] == owner[index as usize] {
                boundary[neighbor as usize] = Boundary { distance_m, ..from };
                queue.push(Reverse((distance_m.to_bits(), neighbor)));
            }
        }
    }
}

/// Distances to the nearest cell whose distance is 0.
pub(crate) fn spread_distances(lattice: &Lattice, distances_m: &mut [f32]) {
    let mut queue: BinaryHeap<Reverse<(u32, u32)>> = (0..distances_m.len() as u32)
        .filter(|index| distances_m[*index as usize] == 0.0)
        .map(|index| Reverse((0, index)))
        .collect();
    while let Some(Reverse((bits, index))) = queue.pop() {
        let from_m = f32::from_bits(bits);
        if from_m > distances_m[index as usize] {
            continue;
        }
        for (neighbor, distance_m) in around(lattice, index) {
            let distance_m = from_m + distance_m;
            if distance_m < distances_m[neighbor as usize] {
                distances_m[neighbor as usize] = distance_m;
                // Distances are not negative, so their bits sort as they do.
                queue.push(Reverse((distance_m.to_bits(), neighbor)));
            }
        }
    }
}

/// The neighbours of a cell and how far they are.
fn around(lattice: &Lattice, index: u32) -> impl Iterator<Item = (u32, f32)> {
    let inverse = lattice.inverse_distances(index as usize);
    let neighbors = lattice.neighbors(index as usize).into_iter().zip(inverse);
    neighbors
        .filter(|(neighbor, _)| *neighbor != NOWHERE)
        .map(|(neighbor, inverse)| (neighbor, EARTH_RADIUS_M as f32 / inverse))
}

/// The value below which this share of the values is.
pub(crate) fn quantile(values: &[f32], share: f64) -> f32 {
    let mut values = values.to_vec();
    let rank = ((share * values.len() as f64) as usize).min(values.len() - 1);
    *values.select_nth_unstable_by(rank, f32::total_cmp).1
}
