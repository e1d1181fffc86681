//! The hot loop of a zone by plain arrays and by `bevy_ecs`: `bench/run ecs`, or `cargo run --release -- [bodies] [ticks]`.
//!
//! Both do the same with the same bits: take each body's input, step it by crate `motion` on the same ground, find its
//! cell, and bring all in the order of cells. Three runs: with the real step; with a step of a few instructions, so that
//! what differs is the store of bodies alone; and with people who come and go, one in a hundred each tick. `sim::Zone`
//! itself stands beside them, with all else that it does (token buckets, closed land, honesty, audits).

use bevy_ecs::prelude::{Component, Entity, World};
use bevy_ecs::query::QueryState;
use cell::CellId;
use glam::DVec3;
use motion::{Body, Buttons, ClosedLand, Ground, Input, Pace, Surface};
use sim::{EntityId, Mover, Purpose, Zone, ZoneConfig, body_at, draw};
use rustix::time::{ClockId, clock_gettime};
use std::collections::{HashMap, VecDeque};

const RADIUS_M: f64 = 796_375.0;
const LEVEL: u8 = 14;
/// One of so many leaves each tick, and another comes.
const CHURN: u32 = 100;

/// Low hills, cheap to sample: what is compared is the store, not the ground.
#[derive(Clone, Copy)]
struct Hills;

impl Ground for Hills {
    fn surface(&self, dir: DVec3) -> Surface {
        let (x, y) = (dir.y * RADIUS_M / 40.0, dir.z * RADIUS_M / 40.0);
        let bump = |t: f64| {
            let part = t - t.floor();
            part * (1.0 - part)
        };
        Surface::by_the_sea(20.0 + 6.0 * (bump(x) + bump(y)))
    }

    fn radius_m(&self) -> f64 {
        RADIUS_M
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Work {
    Step,
    Drift,
}

fn share(subject: u32, tick: u64) -> f64 {
    (draw(1, Purpose::Example, subject, tick) >> 11) as f64 / (1_u64 << 53) as f64
}

/// In a disc of 226 m.
fn place(id: u32) -> DVec3 {
    let (away_m, turn) = (113.0 * share(id, 0).sqrt(), std::f64::consts::TAU * share(id, 1));
    (DVec3::X + DVec3::new(0.0, libm::cos(turn), libm::sin(turn)) * (away_m / RADIUS_M)).normalize()
}

fn input(id: u32, tick: u32) -> Input {
    let leg = u64::from((tick + id) / 45);
    let buttons = if (leg + u64::from(id)) % 4 == 0 { Buttons::default() } else { Buttons::FORWARD };
    Input::new(buttons, DVec3::new(0.0, share(id, leg * 2 + 5) - 0.5, share(id, leg * 2 + 6) - 0.5))
}

fn advance(body: &mut Body, input: Input, work: Work) {
    match work {
        Work::Step => motion::step(body, input, &Hills, Pace::default()),
        Work::Drift => body.position += DVec3::new(0.0, f64::from(input.heading[1]), f64::from(input.heading[2])) * 3e-6,
    }
}

/// A store of bodies.
trait Store {
    fn add(&mut self, id: u32);
    fn remove(&mut self, id: u32);
    fn push(&mut self, id: u32, input: Input);
    /// One tick; gives a fingerprint of the bodies in the order of cells.
    fn tick(&mut self, work: Work) -> u64;
}

/// As `sim` does it.
#[derive(Default)]
struct Arrays {
    ids: Vec<u32>,
    cells: Vec<CellId>,
    states: Vec<Body>,
    queues: Vec<VecDeque<Input>>,
    slot_of: HashMap<u32, u32>,
    free: Vec<u32>,
    freed: Vec<u32>,
    order: Vec<(CellId, u32, u32)>,
}

impl Store for Arrays {
    fn add(&mut self, id: u32) {
        let body = body_at(place(id), DVec3::Y, &Hills);
        let cell = CellId::from_point(body.position).parent(LEVEL);
        let slot = if let Some(slot) = self.free.pop() {
            let at = slot as usize;
            (self.ids[at], self.cells[at], self.states[at]) = (id, cell, body);
            self.queues[at].clear();
            slot
        } else {
            self.ids.push(id);
            self.cells.push(cell);
            self.states.push(body);
            self.queues.push(VecDeque::new());
            self.ids.len() as u32 - 1
        };
        self.slot_of.insert(id, slot);
        self.order.push((cell, id, slot));
    }

    fn remove(&mut self, id: u32) {
        let slot = self.slot_of.remove(&id).expect("it is here");
        self.ids[slot as usize] = 0;
        self.freed.push(slot);
    }

    fn push(&mut self, id: u32, input: Input) {
        self.queues[self.slot_of[&id] as usize].push_back(input);
    }

    fn tick(&mut self, work: Work) -> u64 {
        for (_, id, slot) in &self.order {
            let slot = *slot as usize;
            if self.ids[slot] != *id {
                continue;
            }
            let body = &mut self.states[slot];
            let before = body.position;
            if let Some(input) = self.queues[slot].pop_front() {
                advance(body, input, work);
            }
            if body.position != before {
                self.cells[slot] = CellId::from_point(body.position).parent(LEVEL);
            }
        }
        let (ids, cells) = (&self.ids, &self.cells);
        self.order.retain_mut(|(cell, id, slot)| {
            *cell = cells[*slot as usize];
            ids[*slot as usize] == *id
        });
        let key = |place: &(CellId, u32, u32)| (place.0, place.1);
        if !self.order.is_sorted_by_key(key) {
            self.order.sort_by_key(key);
        }
        self.free.append(&mut self.freed);
        fingerprint(self.order.iter().map(|(_, id, slot)| (*id, &self.states[*slot as usize])))
    }
}

fn fingerprint<'a>(bodies: impl Iterator<Item = (u32, &'a Body)>) -> u64 {
    bodies.fold(0xcbf2_9ce4_8422_2325, |hash, (id, body)| {
        (hash ^ u64::from(id) ^ body.position.y.to_bits()).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[derive(Component)]
struct Cell(CellId);
#[derive(Component)]
struct State(Body);
#[derive(Component, Default)]
struct Queue(VecDeque<Input>);

struct Ecs {
    world: World,
    moving: QueryState<(&'static mut State, &'static mut Cell, &'static mut Queue)>,
    cells: QueryState<&'static Cell>,
    states: QueryState<&'static State>,
    entity_of: HashMap<u32, Entity>,
    order: Vec<(CellId, u32, Entity)>,
}

impl Default for Ecs {
    fn default() -> Self {
        let mut world = World::new();
        let (moving, cells, states) = (world.query(), world.query(), world.query());
        Self { world, moving, cells, states, entity_of: HashMap::new(), order: vec![] }
    }
}

impl Store for Ecs {
    fn add(&mut self, id: u32) {
        let body = body_at(place(id), DVec3::Y, &Hills);
        let cell = CellId::from_point(body.position).parent(LEVEL);
        let entity = self.world.spawn((Cell(cell), State(body), Queue::default())).id();
        self.entity_of.insert(id, entity);
        self.order.push((cell, id, entity));
    }

    fn remove(&mut self, id: u32) {
        let entity = self.entity_of.remove(&id).expect("it is here");
        self.world.despawn(entity);
    }

    fn push(&mut self, id: u32, input: Input) {
        let mut queue = self.world.get_mut::<Queue>(self.entity_of[&id]).expect("it has one");
        queue.0.push_back(input);
    }

    fn tick(&mut self, work: Work) -> u64 {
        for (mut state, mut cell, mut queue) in self.moving.iter_mut(&mut self.world) {
            let before = state.0.position;
            if let Some(input) = queue.0.pop_front() {
                advance(&mut state.0, input, work);
            }
            if state.0.position != before {
                cell.0 = CellId::from_point(state.0.position).parent(LEVEL);
            }
        }
        // The order over the entities is ours to keep here too: tables of an ECS have none.
        self.cells.update_archetypes(&self.world);
        self.states.update_archetypes(&self.world);
        let (world, cells, states) = (&self.world, &self.cells, &self.states);
        self.order.retain_mut(|(cell, _, entity)| match cells.get_manual(world, *entity) {
            Ok(now) => {
                *cell = now.0;
                true
            }
            Err(_) => false,
        });
        let key = |place: &(CellId, u32, Entity)| (place.0, place.1);
        if !self.order.is_sorted_by_key(key) {
            self.order.sort_by_key(key);
        }
        let seen = self.order.iter().map(|(_, id, entity)| (*id, &states.get_manual(world, *entity).expect("it is here").0));
        fingerprint(seen)
    }
}

/// The zone itself.
struct Real(Zone<Hills>, u32);

impl Store for Real {
    fn add(&mut self, id: u32) {
        let mover = Mover::new(body_at(place(id), DVec3::Y, &Hills), ClosedLand::default());
        self.0.enter(EntityId(id), mover).expect("there is room");
    }

    fn remove(&mut self, id: u32) {
        self.0.take_out(EntityId(id)).expect("it is here");
    }

    fn push(&mut self, id: u32, input: Input) {
        let seq = self.0.body(EntityId(id)).expect("it is here").1 + 1;
        self.0.take_inputs(EntityId(id), seq, &[input]).expect("one a tick");
    }

    fn tick(&mut self, _: Work) -> u64 {
        self.0.tick();
        self.1 += 1;
        0
    }
}

/// Of this thread, so that others on the same cores do not count.
fn cpu_ms() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}

/// Median milliseconds of (inputs and coming and going, tick), and what came of it.
fn run(store: &mut dyn Store, bodies: u32, ticks: u32, work: Work, churns: bool) -> (f64, f64, u64) {
    (1..=bodies).for_each(|id| store.add(id));
    let (mut first, mut last) = (1, bodies);
    let (mut given, mut ticked, mut hash) = (vec![], vec![], 0);
    for tick in 0..ticks {
        let inputs: Vec<_> = (first..=last).map(|id| (id, input(id, tick))).collect();
        let began_ms = cpu_ms();
        for (id, input) in inputs {
            store.push(id, input);
        }
        if churns {
            for _ in 0..bodies / CHURN {
                store.remove(first);
                last += 1;
                store.add(last);
                first += 1;
            }
        }
        given.push(cpu_ms() - began_ms);
        let began_ms = cpu_ms();
        hash ^= store.tick(work).rotate_left(tick % 64);
        ticked.push(cpu_ms() - began_ms);
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_unstable_by(f64::total_cmp);
        times[times.len() / 2]
    };
    (median(&mut given), median(&mut ticked), hash)
}

fn main() {
    let number = |at: usize, otherwise: u32| {
        std::env::args().nth(at).map_or(otherwise, |word| word.parse().expect("a number of bodies and of ticks"))
    };
    let (bodies, ticks) = (number(1, 10_000), number(2, 200));
    println!("{bodies} bodies in a disc of 226 m, medians of {ticks} ticks in ms of CPU: inputs (and churn), tick");
    for (name, work, churns) in
        [("real step", Work::Step, false), ("the store alone", Work::Drift, false), ("real step, 1 % come and go", Work::Step, true)]
    {
        let arrays = run(&mut Arrays::default(), bodies, ticks, work, churns);
        let ecs = run(&mut Ecs::default(), bodies, ticks, work, churns);
        assert_eq!(arrays.2, ecs.2, "both must do the same");
        println!("{name:>28}: plain arrays {:>6.3} {:>7.3}   bevy_ecs {:>6.3} {:>7.3}", arrays.0, arrays.1, ecs.0, ecs.1);
        if work == Work::Step {
            let config = ZoneConfig { cell_level: LEVEL, bodies_max: usize::MAX, pace: Pace::default(), seed: 1 };
            let mut real = Real(Zone::new(config, Hills), 0);
            let real = run(&mut real, bodies, ticks, work, churns);
            println!("{:>28}  sim::Zone    {:>6.3} {:>7.3}", "", real.0, real.1);
        }
    }
}
