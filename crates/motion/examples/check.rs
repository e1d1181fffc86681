//! What a look at a move and a line of sight cost: `cargo run --release -p motion --example check`.
//!
//! On a ground like a page of heights (a grid of a metre, as the ground under a walking body is kept) and on the ground of
//! the default planet. Medians of rounds, in nanoseconds each.

use glam::DVec3;
use motion::{
    Body, Buttons, EYE_HEIGHT_M, Ground, Input, Pace, SIGHT_M_MAX, Surface, can_see, check_move, step,
};
use planet::{Planet, PlanetSpec};
use std::hint::black_box;
use std::time::Instant;

const RADIUS_M: f64 = 796_375.0;
/// A side of the page, in vertices a metre apart.
const SIDE: usize = 2_048;

/// Rough heights around `DVec3::X`, interpolated.
struct Page(Vec<f32>);

impl Page {
    fn new() -> Self {
        let height = |n: usize| {
            let (x, y) = ((n % SIDE) as f64, (n / SIDE) as f64);
            let wave = |length_m: f64, steep: f64| {
                let k = std::f64::consts::TAU / length_m;
                steep * length_m * (libm::sin(x * k + 1.0) + libm::sin(y * k + libm::sin(x * k * 0.6)))
            };
            (60.0 + wave(173.0, 0.06) + wave(31.0, 0.04) + wave(7.3, 0.02)) as f32
        };
        Self((0..SIDE * SIDE).map(height).collect())
    }
}

impl Ground for Page {
    fn surface(&self, dir: DVec3) -> Surface {
        let at = |part: f64| (part / dir.x * RADIUS_M + SIDE as f64 / 2.0).clamp(0.0, SIDE as f64 - 1.001);
        let (x, y) = (at(dir.y), at(dir.z));
        let (i, j) = (x as usize, y as usize);
        let (u, v) = (x - i as f64, y - j as f64);
        let h = |i: usize, j: usize| f64::from(self.0[j * SIDE + i]);
        let low = h(i, j) + (h(i + 1, j) - h(i, j)) * u;
        let high = h(i, j + 1) + (h(i + 1, j + 1) - h(i, j + 1)) * u;
        Surface::by_the_sea(low + (high - low) * v)
    }

    fn radius_m(&self) -> f64 {
        RADIUS_M
    }
}

struct PlanetGround(Planet);

impl Ground for PlanetGround {
    fn surface(&self, dir: DVec3) -> Surface {
        let planet::Ground { elevation_m, water_m } = self.0.ground(dir);
        Surface { elevation_m, water_m }
    }

    fn radius_m(&self) -> f64 {
        self.0.radius_m()
    }
}

struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn beside(&mut self, place: DVec3, within_m: f64) -> DVec3 {
        let aside = DVec3::new(self.next() - 0.5, self.next() - 0.5, self.next() - 0.5) * 2.0;
        (place + aside * (within_m / RADIUS_M)).normalize()
    }
}

/// The median of some rounds over all items, in nanoseconds an item.
fn median_ns<T>(items: &[T], work: impl Fn(&T) -> bool) -> f64 {
    let mut rounds: Vec<f64> = (0..31)
        .map(|_| {
            let began_at = Instant::now();
            let yes = items.iter().filter(|item| work(black_box(item))).count();
            black_box(yes);
            began_at.elapsed().as_secs_f64() * 1e9 / items.len() as f64
        })
        .collect();
    rounds.sort_unstable_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn report(name: &str, ground: &impl Ground, middle: DVec3) {
    let (pace, mut chance) = (Pace::default(), Chance(7));
    let mut moves = vec![];
    for _ in 0..400 {
        let mut body = Body::standing_at(chance.beside(middle, 300.0), ground);
        let look = chance.beside(DVec3::ZERO, RADIUS_M);
        for _ in 0..20 {
            let before = body;
            step(&mut body, Input::new(Buttons::FORWARD, look), ground, pace);
            moves.push((before, body));
        }
    }
    let step_ns = median_ns(&moves, |(before, _)| {
        let mut body = *before;
        step(&mut body, Input::new(Buttons::FORWARD, DVec3::Y), ground, pace);
        body.position.x > 0.0
    });
    let ground_ns = median_ns(&moves, |(before, _)| ground.surface(before.up()).elevation_m > 0.0);
    let check_ns = median_ns(&moves, |(before, after)| check_move(before, after, 1, ground, pace).is_ok());
    let refused = moves.iter().filter(|(a, b)| check_move(a, b, 1, ground, pace).is_err()).count();
    println!(
        "{name}: sample of the ground {ground_ns:.0} ns, step {step_ns:.0} ns, check of a move {check_ns:.0} ns (goal 150), {refused} of {} refused",
        moves.len()
    );

    let eye = |place: DVec3| {
        place * (ground.radius_m() + ground.surface(place).elevation_m.max(0.0) + EYE_HEIGHT_M)
    };
    let lines: Vec<_> = (0..2_000)
        .filter_map(|_| {
            let from = chance.beside(middle, 300.0);
            let distance_m = 20.0 + 480.0 * chance.next();
            let to = (from + (chance.beside(from, SIGHT_M_MAX) - from).normalize() * (distance_m / RADIUS_M))
                .normalize();
            let (from, to) = (eye(from), eye(to));
            (20.0..SIGHT_M_MAX).contains(&from.distance(to)).then_some((from, to))
        })
        .collect();
    let sight_ns = median_ns(&lines, |(from, to)| can_see(*from, *to, ground));
    // The truth, as far as half a metre tells it.
    let is_free = |from: DVec3, to: DVec3| {
        let pieces = (from.distance(to) * 2.0) as u32;
        (1..pieces).all(|piece| {
            let point = from + (to - from) * (f64::from(piece) / f64::from(pieces));
            point.length() - ground.radius_m() >= ground.surface(point / point.length()).elevation_m
        })
    };
    let (mut agrees, mut visible) = (0, 0);
    for (from, to) in &lines {
        let truth = is_free(*from, *to);
        visible += usize::from(truth);
        agrees += usize::from(can_see(*from, *to, ground) == truth);
    }
    println!(
        "{name}: line of sight of 20 to 500 m {:.2} µs (goal 3), as a march of half metres says in {:.1} %; {:.0} % see each other",
        sight_ns / 1e3,
        100.0 * agrees as f64 / lines.len() as f64,
        100.0 * visible as f64 / lines.len() as f64
    );
}

fn main() {
    report("page of heights", &Page::new(), DVec3::X);
    let planet = Planet::generate(PlanetSpec::default());
    let middle = planet.arrival().ground;
    report("planet", &PlanetGround(planet), middle);
}
