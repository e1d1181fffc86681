//! What a whole planet of people costs: `cargo run --release -p sim --example cities -- [bodies] [towns] [zones] [seconds] [growth]`.
//!
//! 100,000 bodies walk about 400 towns of the default planet, cut into 64 zones of nearly equal load; without sockets
//! and watchers: what is measured is what a tick of the zones costs a core, on one thread and on all. With `growth` (the
//! default) the same is done for 1,000 to all bodies, which shows how the cost of one grows with how many there are.

use cell::CellId;
use glam::DVec3;
use motion::{Buttons, ClosedLand, Ground, Input, Pace, Surface};
use planet::{Planet, PlanetSpec};
use sim::{EntityId, Mover, Purpose, Zone, ZoneConfig, body_at, draw, find_place};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bodies of a town stand within this of its middle. The ground that a planet keeps at hand is some 5 km² in all; where
/// people are spread over more of it than that, it is made again and again, and that is what would be measured.
const TOWN_M: f64 = 45.0;
const LEVEL: u8 = 14;

#[derive(Clone)]
struct PlanetGround(Arc<Planet>);

impl Ground for PlanetGround {
    fn surface(&self, dir: DVec3) -> Surface {
        let planet::Ground { elevation_m, water_m } = self.0.ground(dir);
        Surface { elevation_m, water_m }
    }

    fn radius_m(&self) -> f64 {
        self.0.radius_m()
    }
}

/// Between 0 and 1, of chance that does not depend on the order of asking.
fn share(subject: u32, tick: u64) -> f64 {
    (draw(1, Purpose::Example, subject, tick) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Dry places spread over the land.
fn towns(ground: &PlanetGround, count: usize) -> Vec<DVec3> {
    let places = (0..).map(|n| {
        let (z, turn) = (2.0 * share(n, 1) - 1.0, std::f64::consts::TAU * share(n, 2));
        let around = (1.0 - z * z).sqrt();
        DVec3::new(around * libm::cos(turn), around * libm::sin(turn), z)
    });
    let is_town = |place: &DVec3| {
        let here = ground.surface(*place);
        here.water_m.is_none() && (2.0..600.0).contains(&here.elevation_m)
    };
    places.filter(is_town).take(count).collect()
}

/// The zones, by the first cell of each, with their bodies: nearly equally many in each.
fn zones(ground: &PlanetGround, towns: &[DVec3], bodies: usize, count: usize) -> Vec<Zone<PlanetGround>> {
    let mut people: Vec<(CellId, EntityId, Mover)> = (1..=bodies as u32)
        .map(|id| {
            let town = towns[id as usize % towns.len()];
            let aside = DVec3::new(share(id, 3) - 0.5, share(id, 4) - 0.5, share(id, 5) - 0.5);
            let around = (town + aside * (2.0 * TOWN_M / ground.radius_m())).normalize();
            let arrival = sim::Arrival::At { place: around, otherwise: town };
            let (place, facing) = find_place(arrival, &ClosedLand::default(), ground, &mut 0, 0, |_| true);
            let mover = Mover::new(body_at(place, facing, ground), ClosedLand::default());
            (CellId::from_point(place).parent(LEVEL), EntityId(id), mover)
        })
        .collect();
    people.sort_unstable_by_key(|(cell, id, _)| (*cell, *id));
    let config = ZoneConfig { cell_level: LEVEL, bodies_max: bodies, pace: Pace::default(), seed: 1 };
    let mut zones: Vec<Zone<PlanetGround>> = vec![];
    let (mut last, mut left) = (None, 0);
    for (n, (cell, id, mover)) in people.into_iter().enumerate() {
        // A border lies between cells.
        if left == 0 && last != Some(cell) {
            zones.push(Zone::new(config, ground.clone()));
            left = (bodies - n).div_ceil(count.saturating_sub(zones.len() - 1).max(1));
        }
        let zone = zones.last_mut().expect("one was begun");
        zone.enter(id, mover).expect("there is room");
        (last, left) = (Some(cell), left.saturating_sub(1));
    }
    zones
}

/// Everybody's input of a tick: three quarters walk, and turn now and then.
fn steer(zone: &mut Zone<PlanetGround>, tick: u32) {
    let ids: Vec<EntityId> = zone.bodies().map(|(id, _)| id).collect();
    for id in ids {
        let leg = u64::from((tick + id.0) / 45);
        let look = DVec3::new(
            share(id.0, leg * 3) - 0.5,
            share(id.0, leg * 3 + 1) - 0.5,
            share(id.0, leg * 3 + 2) - 0.5,
        );
        let buttons =
            if (leg + u64::from(id.0)).is_multiple_of(4) { Buttons::default() } else { Buttons::FORWARD };
        zone.take_inputs(id, tick + 1, &[Input::new(buttons, look)]).expect("one input per tick");
    }
}

struct Cost {
    /// Of all zones one after the other, of each tick.
    one_core: Vec<Duration>,
    /// Until all threads are done.
    all_cores: Vec<Duration>,
}

fn measure(zones: &mut [Zone<PlanetGround>], seconds: u32, threads: usize) -> Cost {
    let (mut one_core, mut all_cores) = (vec![], vec![]);
    // A second to warm up: grounds are fetched when somebody first stands on them.
    for tick in 0..(seconds + 1) * 30 {
        for zone in &mut *zones {
            steer(zone, tick);
        }
        let began_at = Instant::now();
        // Ticks take turns: on one core, and on all.
        let is_spread = tick % 2 == 1 && threads > 1;
        let work = |zone: &mut Zone<PlanetGround>| {
            zone.tick();
            zone.publish();
        };
        if is_spread {
            std::thread::scope(|scope| {
                for part in zones.chunks_mut(zones.len().div_ceil(threads)) {
                    scope.spawn(move || part.iter_mut().for_each(work));
                }
            });
        } else {
            zones.iter_mut().for_each(work);
        }
        if tick >= 30 {
            if is_spread { &mut all_cores } else { &mut one_core }.push(began_at.elapsed());
        }
    }
    Cost { one_core, all_cores }
}

fn at(times: &mut [Duration], part: f64) -> f64 {
    times.sort_unstable();
    times
        .get(((times.len().max(1) - 1) as f64 * part) as usize)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: usize| {
        words
            .get(at)
            .map_or(otherwise, |word| word.parse().expect("a number of bodies, towns, zones, seconds"))
    };
    let (bodies, town_count, zone_count) = (number(0, 100_000), number(1, 400), number(2, 64));
    let seconds = number(3, 4) as u32;
    let grows = words.get(4).is_none_or(|word| word == "growth");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);

    let ground = PlanetGround(Arc::new(Planet::generate(PlanetSpec::default())));
    let towns = towns(&ground, town_count);
    let sizes: Vec<usize> = if grows {
        [1_000, 3_000, 10_000, 30_000].into_iter().filter(|size| *size < bodies).chain([bodies]).collect()
    } else {
        vec![bodies]
    };
    println!("{} towns, up to {zone_count} zones, {threads} threads; milliseconds of a tick", towns.len());
    println!(
        "  bodies  zones   one core p50     p99    us a body   {threads} threads p50     p99   snapshot"
    );
    for size in sizes {
        // As many to a zone as with all bodies, so that what grows is the world and not its zones.
        let wanted = (zone_count * size).div_ceil(bodies).max(1);
        let mut zones = zones(&ground, &towns, size, wanted);
        let mut cost = measure(&mut zones, seconds, threads);
        let median = at(&mut cost.one_core, 0.5);
        let snapshot_bytes: usize = zones.iter().map(|zone| zone.snapshot().len()).sum();
        println!(
            "{size:>8} {:>6} {median:>14.2} {:>7.2} {:>12.3} {:>15.2} {:>7.2} {:>7.1} B a body",
            zones.len(),
            at(&mut cost.one_core, 0.99),
            median * 1e3 / size as f64,
            at(&mut cost.all_cores, 0.5),
            at(&mut cost.all_cores, 0.99),
            snapshot_bytes as f64 / size as f64,
        );
    }
}
