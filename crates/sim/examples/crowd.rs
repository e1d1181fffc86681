//! What a crowd costs, in process and from really encoded bytes:
//! `cargo run --release -p sim --example crowd -- [option value]…`
//!
//! Options: `bodies` 10000, `metres` 226 (the disc's diameter), `seconds` 20, `tick_hz` 30, `send_hz` 10, `watchers` all,
//! `followers` 40 (watchers whose frames are decoded and compared with the truth), `fences` 0 (every n-th lot is closed
//! to everybody), `threads` 1.
//!
//! Everybody walks to places of the disc, turns on the way, stops, looks around; three quarters are on the move. Prints
//! what a tick takes and of what, bytes for each watcher, bits for each update of a body that a watcher sees, and how far
//! what is seen is from the truth.

use glam::DVec3;
use motion::{Buttons, ClosedLand, Ground, Input, Pace, Surface};
use planet::{Planet, PlanetSpec};
use sim::{Alone, Arrival, Audience, AudienceConfig, Delivery, EntityId, Spread, Zone, ZoneConfig};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use wire::stream::Tier;
use wire::{ServerMessage, View};

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

/// Chance that is the same in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }
}

/// One who walks about, on the plane of the disc.
struct Walker {
    goal: (f64, f64),
    heading: f64,
    /// How fast it turns, in radians a second, and for how long.
    turn: f64,
    turn_s: f64,
    rest_s: f64,
}

/// The disc, and the directions on it.
struct Disc {
    middle: DVec3,
    east: DVec3,
    north: DVec3,
    radius_m: f64,
    planet_m: f64,
}

impl Disc {
    fn goal(&self, chance: &mut Chance) -> (f64, f64) {
        let (angle, radius) =
            (chance.between(0.0, std::f64::consts::TAU), self.radius_m * chance.next().sqrt());
        (radius * libm::cos(angle), radius * libm::sin(angle))
    }

    fn place(&self, (x, y): (f64, f64)) -> DVec3 {
        (self.middle + (self.east * x + self.north * y) / self.planet_m).normalize()
    }

    fn coordinates(&self, position: DVec3) -> (f64, f64) {
        (position.dot(self.east), position.dot(self.north))
    }
}

impl Walker {
    fn input(&mut self, at: (f64, f64), disc: &Disc, step_s: f64, chance: &mut Chance) -> Input {
        let look = |heading: f64| disc.east * libm::cos(heading) + disc.north * libm::sin(heading);
        if self.rest_s > 0.0 {
            self.rest_s -= step_s;
            // Looks around now and then: a step of a tick turns the body.
            if chance.next() < step_s / 2.0 {
                self.heading += chance.between(-2.0, 2.0);
                return Input::new(Buttons::FORWARD, look(self.heading));
            }
            return Input::new(Buttons::default(), look(self.heading));
        }
        let way = (self.goal.0 - at.0, self.goal.1 - at.1);
        if way.0.hypot(way.1) < 2.0 || chance.next() < step_s / 8.0 {
            self.goal = disc.goal(chance);
            self.rest_s = chance.between(0.5, 5.0);
        }
        if self.turn_s > 0.0 {
            self.turn_s -= step_s;
            self.heading += self.turn * step_s;
        } else if chance.next() < step_s / 1.5 {
            // Half of the turns lead back to the goal, the others are curiosity.
            self.turn_s = chance.between(0.1, 0.8);
            let wanted = libm::atan2(way.1, way.0) - self.heading;
            let wanted = libm::atan2(libm::sin(wanted), libm::cos(wanted));
            let turn = if chance.next() < 0.6 { wanted } else { chance.between(-1.2, 1.2) };
            self.turn = turn / self.turn_s;
        }
        Input::new(Buttons::FORWARD, look(self.heading))
    }
}

/// So many threads, started anew for each piece of work: good enough to see that nothing changes.
struct Threads(usize);

impl Spread for Threads {
    fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(&mut T) + Sync) {
        if self.0 <= 1 || items.len() < 2 {
            return Alone.for_each(items, work);
        }
        let part = items.len().div_ceil(self.0);
        std::thread::scope(|scope| {
            for items in items.chunks_mut(part) {
                scope.spawn(|| items.iter_mut().for_each(&work));
            }
        });
    }
}

/// What one watcher was sent.
#[derive(Default)]
struct Account {
    bytes: u64,
    in_second: u64,
    most_in_second: u64,
}

#[expect(clippy::too_many_lines, reason = "one measurement, told from its beginning to its end")]
fn main() {
    let mut options: HashMap<String, usize> = HashMap::new();
    let words: Vec<String> = std::env::args().skip(1).collect();
    for pair in words.chunks(2) {
        let [name, value] = pair else { panic!("an option and its value, not {pair:?}") };
        options.insert(name.clone(), value.parse().expect("a number"));
    }
    let mut option = |name: &str, otherwise: usize| options.remove(name).unwrap_or(otherwise);
    let bodies = option("bodies", 10_000);
    let metres = option("metres", 226);
    let seconds = option("seconds", 20);
    let tick_hz = option("tick_hz", 30);
    let send_hz = option("send_hz", 10);
    let watchers = option("watchers", bodies);
    let followers = option("followers", 40);
    let fences = option("fences", 0);
    let spread = Threads(option("threads", 1));
    assert!(options.is_empty(), "no such option: {options:?}");

    let planet = Planet::generate(PlanetSpec::default());
    let arrival = planet.arrival();
    let lot_level = planet.grid_level(15);
    let lots = cell::cover_cap(arrival.ground, 240.0 / planet.radius_m(), lot_level).expect("some lots");
    let pace = Pace::try_from_hz(tick_hz as u32).expect("20, 30 or 60 ticks a second");
    let config = ZoneConfig { cell_level: planet.grid_level(14), bodies_max: bodies, pace, seed: 0 };
    let send_ticks = (tick_hz / send_hz) as u32;
    let mut audience = Audience::new(AudienceConfig {
        cell_level: config.cell_level,
        radius_m: planet.radius_m(),
        tick_hz: tick_hz as u32,
        send_ticks,
    });
    let east = arrival.ground.any_orthonormal_vector();
    let disc = Disc {
        middle: arrival.ground,
        east,
        north: arrival.ground.cross(east),
        radius_m: metres as f64 / 2.0,
        planet_m: planet.radius_m(),
    };
    let mut zone = Zone::new(config, PlanetGround(planet));
    let mut chance = Chance(1);
    let mut walkers = vec![];
    let ids: Vec<EntityId> = (0..bodies)
        .map(|_| {
            let place = disc.place(disc.goal(&mut chance));
            let arrival = Arrival::Back { place, facing: arrival.facing, otherwise: arrival.ground };
            walkers.push(Walker {
                goal: disc.goal(&mut chance),
                heading: chance.between(0.0, std::f64::consts::TAU),
                turn: 0.0,
                turn_s: 0.0,
                rest_s: chance.between(-3.0, 3.0),
            });
            zone.join(arrival, ClosedLand::default()).expect("there is room for all")
        })
        .collect();
    let watchers = watchers.min(bodies);
    let mut followed: HashMap<EntityId, View> = HashMap::new();
    for n in 0..watchers {
        let id = ids[n * bodies / watchers];
        audience.watch(id);
        if n * followers / watchers != (n + 1) * followers / watchers {
            followed.insert(id, View::default());
        }
    }
    if fences > 0 {
        let mut closed = ClosedLand::default();
        for lot in lots.iter().step_by(fences) {
            closed.close(*lot, lot.raw());
        }
        println!("{} of {} lots are closed", closed.lots().len(), lots.len());
        for id in &ids {
            zone.set_closed(*id, closed.clone());
        }
    }

    let mut accounts: HashMap<EntityId, Account> = HashMap::new();
    let step_s = pace.step_s();
    let warm_ticks = 6 * tick_hz;
    let (mut move_times, mut publish_times, mut send_times, mut whole_times) =
        (vec![], vec![], vec![], vec![]);
    let (mut moving, mut frames) = (0_usize, 0_u64);
    let (mut errors_m, mut before) = (vec![], ([0; 3], [0; 4], sim::AudienceStats::default()));
    for tick in 0..warm_ticks + seconds * tick_hz {
        let is_counted = tick >= warm_ticks;
        if tick == warm_ticks {
            accounts.clear();
            before = (updates(&followed), bytes(&followed), audience.stats());
        }
        for (id, walker) in ids.iter().zip(&mut walkers) {
            let (body, seq) = zone.body(*id).expect("nobody leaves");
            let input = walker.input(disc.coordinates(body.position), &disc, step_s, &mut chance);
            moving += usize::from(is_counted && body.velocity != DVec3::ZERO);
            zone.take_inputs(*id, seq + 1, &[input]).expect("one input per tick");
        }
        let move_time = timed(|| zone.tick());
        let publish_time = timed(|| zone.publish());
        let mut kept = vec![];
        let send_time = timed(|| {
            audience.send(zone.tick_count(), &[zone.view()], &spread, |id, frame| {
                kept.push((id, frame));
                Delivery::Sent
            });
        });
        for (id, frame) in kept {
            frames += u64::from(is_counted);
            let account = accounts.entry(id).or_default();
            account.bytes += frame.byte_count() as u64;
            account.in_second += frame.byte_count() as u64;
            if let Some(view) = followed.get_mut(&id) {
                let message = frame.to_bytes();
                let Ok(ServerMessage::Frame(frame)) = ServerMessage::decode(&message) else {
                    panic!("no frame")
                };
                assert_eq!(view.apply(&frame), Ok(0), "a block is missing");
                view.count_bytes(&frame, message.len());
                if is_counted && tick % tick_hz < send_ticks as usize {
                    errors_m.extend(errors(view, id, &zone));
                }
            }
        }
        if is_counted {
            move_times.push(move_time);
            publish_times.push(publish_time);
            send_times.push(send_time);
            whole_times.push(move_time + publish_time + send_time);
        }
        if tick % tick_hz == tick_hz - 1 {
            for account in accounts.values_mut() {
                account.most_in_second = account.most_in_second.max(std::mem::take(&mut account.in_second));
            }
        }
    }

    let ticks = seconds * tick_hz;
    println!(
        "{bodies} bodies in a disc of {metres} m, {:.0} % moving, {watchers} watchers, {tick_hz} ticks and {send_hz} sends a second",
        moving as f64 / (bodies * ticks) as f64 * 100.0
    );
    report("move", &mut move_times);
    report("publish", &mut publish_times);
    report("send", &mut send_times);
    report("tick", &mut whole_times);

    let clients = accounts.len() as f64;
    let mean = accounts.values().map(|account| account.bytes).sum::<u64>() as f64 / clients / seconds as f64;
    let most = accounts.values().map(|account| account.bytes).max().unwrap_or(0) as f64 / seconds as f64;
    let peak = accounts.values().map(|account| account.most_in_second).max().unwrap_or(0);
    println!(
        "bytes a second for each watcher: {:.1} KB on average, {:.1} KB for the busiest, {:.1} KB in the busiest second",
        mean / 1e3,
        most / 1e3,
        peak as f64 / 1e3
    );

    let seen = followed.values().map(View::body_count).sum::<usize>() as f64 / followed.len() as f64;
    let told = minus(updates(&followed), before.0);
    let sent = minus(bytes(&followed), before.1);
    let per_s = |count: u64| count as f64 / followed.len() as f64 / seconds as f64;
    println!(
        "{} watchers' frames decoded: {seen:.0} bodies in sight, own part {:.1} KB/s",
        followed.len(),
        per_s(sent[0]) / 1e3
    );
    for tier in Tier::ALL {
        let (updates, bytes) = (told[tier as usize], sent[1 + tier as usize]);
        println!(
            "  {tier:?}: {:.0} updates a second, {:.1} KB/s, {:.2} bits an update",
            per_s(updates),
            per_s(bytes) / 1e3,
            bytes as f64 * 8.0 / updates.max(1) as f64
        );
    }
    let (updates, bytes) = (told.iter().sum::<u64>(), sent[1..].iter().sum::<u64>());
    println!(
        "  all: {:.0} updates a second, {:.2} bits an update",
        per_s(updates),
        bytes as f64 * 8.0 / updates.max(1) as f64
    );
    let moving_part = moving as f64 / (bodies * ticks) as f64;
    let send_ns = send_times.iter().sum::<Duration>().as_nanos() as f64;
    let shown = per_s(updates) * seconds as f64 * clients * moving_part;
    println!(
        "encoding and frames: {:.2} ns and {:.2} bytes for each moving body that a watcher is told of; {:.2} us a frame",
        send_ns / shown,
        bytes as f64 / (updates as f64 * moving_part),
        send_ns / 1e3 / frames as f64
    );
    let after = audience.stats();
    println!(
        "encoded {:.1} MB, sent {:.1} MB of blocks: each byte shared by {:.0}",
        (after.encoded_bytes - before.2.encoded_bytes) as f64 / 1e6,
        (after.bytes[1..].iter().sum::<u64>() - before.2.bytes[1..].iter().sum::<u64>()) as f64 / 1e6,
        (after.bytes[1..].iter().sum::<u64>() - before.2.bytes[1..].iter().sum::<u64>()) as f64
            / (after.encoded_bytes - before.2.encoded_bytes) as f64
    );
    errors_m.sort_unstable_by(f64::total_cmp);
    let at = |part: f64| errors_m[((errors_m.len() - 1) as f64 * part) as usize];
    println!(
        "what is told last is off by {:.3} m (median), {:.3} m (p99), {:.3} m (most)",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

fn errors<'a>(view: &'a View, id: EntityId, zone: &'a Zone<PlanetGround>) -> impl Iterator<Item = f64> + 'a {
    let tick = zone.tick_count() as u32;
    let near = view.bodies().filter(move |seen| seen.updated_tick == tick || seen.entity_id == id.0);
    near.filter_map(|seen| {
        let (truth, _) = zone.body(EntityId(seen.entity_id))?;
        Some(seen.position(zone.ground()).distance(truth.position))
    })
}

fn updates(views: &HashMap<EntityId, View>) -> [u64; 3] {
    views.values().map(View::updates).fold([0; 3], |sums, one| [0, 1, 2].map(|n: usize| sums[n] + one[n]))
}

fn bytes(views: &HashMap<EntityId, View>) -> [u64; 4] {
    views.values().map(View::bytes).fold([0; 4], |sums, one| [0, 1, 2, 3].map(|n: usize| sums[n] + one[n]))
}

fn minus<const N: usize>(after: [u64; N], before: [u64; N]) -> [u64; N] {
    std::array::from_fn(|n| after[n] - before[n])
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    println!("{what}: p50 {:.3} ms, p99 {:.3} ms, most {:.3} ms a tick", at(0.5), at(0.99), at(1.0));
}
