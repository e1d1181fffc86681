//! What a tick costs: `cargo run --release -p sim --example crowd -- [bodies] [seconds] [fences]`.
//!
//! Everybody walks and turns around the arrival place of the default planet and watches everybody near. Prints
//! milliseconds per tick for movement and for sends, and bytes per watcher. With fences every n-th lot is closed to
//! everybody.

use glam::DVec3;
use motion::{Buttons, ClosedLand, Ground, Input, Pace, Surface};
use planet::{Planet, PlanetSpec};
use sim::{Alone, Arrival, Audience, AudienceConfig, Delivery, Zone, ZoneConfig};
use std::time::{Duration, Instant};

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

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<usize>().expect("a number"));
    let bodies = args.next().unwrap_or(1_000);
    let seconds = args.next().unwrap_or(10);
    let fences = args.next().unwrap_or(0);

    let planet = Planet::generate(PlanetSpec::default());
    let arrival = planet.arrival();
    let lot_level = planet.grid_level(15);
    let lots = cell::cover_cap(arrival.ground, 240.0 / planet.radius_m(), lot_level).expect("some lots");
    let config =
        ZoneConfig { cell_level: planet.grid_level(14), bodies_max: bodies, pace: Pace::default(), seed: 0 };
    let mut audience = Audience::new(AudienceConfig {
        cell_level: config.cell_level,
        radius_m: planet.radius_m(),
        tick_hz: 30,
        send_ticks: 3,
    });
    let mut zone = Zone::new(config, PlanetGround(planet));
    let started = Instant::now();
    let ids: Vec<_> = (0..bodies)
        .map(|_| {
            let id = zone
                .join(
                    Arrival::Newcomer { around: arrival.ground, facing: arrival.facing },
                    ClosedLand::default(),
                )
                .expect("there is room for all");
            audience.watch(id);
            id
        })
        .collect();
    let joined = started.elapsed();
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

    let mut looks: Vec<DVec3> = vec![arrival.facing; bodies];
    let mut random = 1_u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    let (mut moving, mut sending) = (vec![], vec![]);
    let (mut frames, mut bytes) = (0_u64, 0_u64);
    for tick in 0..seconds * 30 {
        for (n, id) in ids.iter().enumerate() {
            if (tick + n) % 45 == 0 {
                looks[n] = DVec3::new(next(), next(), next());
            }
            // A quarter of the crowd stands.
            let buttons = if (n + tick / 90) % 4 == 0 { Buttons::default() } else { Buttons::FORWARD };
            let input = Input::new(buttons, looks[n]);
            zone.take_inputs(*id, tick as u32 + 1, &[input]).expect("one input per tick");
        }
        moving.push(timed(|| zone.tick()));
        sending.push(timed(|| {
            zone.publish();
            audience.send(zone.tick_count(), &[zone.view()], &Alone, |_, frame| {
                frames += 1;
                bytes += frame.byte_count() as u64;
                Delivery::Sent
            });
        }));
    }
    println!("{bodies} bodies joined in {:.1} ms", ms(joined));
    report("move", &mut moving);
    report("send", &mut sending);
    println!(
        "{frames} frames, {} bytes each, {} KB/s per watcher",
        bytes / frames,
        bytes * 10 / frames / 1_000
    );
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |part: f64| ms(times[((times.len() - 1) as f64 * part) as usize]);
    println!("{what}: p50 {:.3} ms, p95 {:.3} ms, max {:.3} ms per tick", at(0.5), at(0.95), at(1.0));
}
