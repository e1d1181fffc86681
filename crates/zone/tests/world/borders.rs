//! Walkers over borders.

use super::*;
use sim::Mover;
use sim::handover::Message;
use zone::Messenger;

#[test]
fn a_walker_over_a_border_a_thousand_times_is_never_lost_nor_doubled_and_walks_as_without_it() {
    let (mut cut, mut whole) = (world(1), world(1));
    cut.split(middle_cell()).expect("there are cells on both sides");
    cut.split(middle_cell().next().unwrap()).expect("there are cells on both sides");
    // Beside an edge of the cell, in the middle of it.
    let [a, b, ..] = middle_cell().corners();
    let edge = (a + b).normalize();
    let inwards = middle_cell().center() - edge;
    // A little outside: as fast as it starts it turns, and each turn is on the other side.
    let start = edge - inwards.normalize() * (0.6 / Ball.radius_m());
    let walkers = [&mut cut, &mut whole].map(|world| join(world, start));
    assert_eq!(walkers[0], walkers[1]);
    let walker = walkers[0];
    let mut ticks = 0;
    while cut.counts().handovers < 1_000 {
        ticks += 1;
        let heading = if ticks / 12 % 2 == 0 { inwards } else { -inwards };
        for world in [&mut cut, &mut whole] {
            world.take_inputs(walker, ticks, &[Input::new(Buttons::FORWARD, heading)]).unwrap();
            world.tick();
        }
        assert_all_once(&cut, &[walker]);
        assert_eq!(cut.body(walker), whole.body(walker), "tick {ticks}");
        assert_eq!(cut.bodies_hash(), whole.bodies_hash(), "tick {ticks}");
        assert!(ticks < 40_000, "{} crossings in {ticks} ticks", cut.counts().handovers);
    }
}

/// Loses, doubles, delays and shuffles.
struct BadLine {
    dice: Dice,
    ticks: u64,
    on_the_way: Vec<(u64, Message<Mover>)>,
    is_bad: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Messenger for BadLine {
    fn send(&mut self, message: Message<Mover>) {
        if !self.is_bad.load(std::sync::atomic::Ordering::Relaxed) {
            self.on_the_way.push((self.ticks, message));
            return;
        }
        for _ in 0..self.dice.below(4) {
            // None, or up to three copies, each in its own time.
            self.on_the_way.push((self.ticks + self.dice.below(9), message.clone()));
        }
    }

    fn next(&mut self) -> Option<Message<Mover>> {
        let due: Vec<_> =
            (0..self.on_the_way.len()).filter(|at| self.on_the_way[*at].0 <= self.ticks).collect();
        if due.is_empty() {
            return None;
        }
        let at = due[self.dice.below(due.len() as u64) as usize];
        Some(self.on_the_way.swap_remove(at).1)
    }

    fn pass_tick(&mut self) {
        self.ticks += 1;
    }

    fn is_empty(&self) -> bool {
        self.on_the_way.is_empty()
    }
}

#[test]
fn messages_that_are_lost_doubled_and_late_lose_nobody_and_double_nobody() {
    for seed in 1..6 {
        let mut world = world(1);
        let is_bad = Arc::new(std::sync::atomic::AtomicBool::new(true));
        world.set_messenger(Box::new(BadLine {
            dice: Dice(seed),
            ticks: 0,
            on_the_way: vec![],
            is_bad: Arc::clone(&is_bad),
        }));
        for cell in middle_cell().parent(LEVEL - 1).descendants(LEVEL).skip(1) {
            world.split(cell);
        }
        let mut crowd = Crowd::new(&mut world, 60, 60.0);
        for tick in 0..600 {
            crowd.walk(&mut world);
            world.tick();
            assert_all_once(&world, &crowd.people);
            if tick == 300 {
                // One leaves wherever it is just then.
                let left = crowd.people.remove(7);
                crowd.headings.remove(7);
                assert!(world.leave(left).is_some());
            }
        }
        is_bad.store(false, std::sync::atomic::Ordering::Relaxed);
        for _ in 0..12 {
            world.tick();
        }
        assert_all_once(&world, &crowd.people);
        assert_eq!(world.bodies().count(), crowd.people.len(), "somebody is still on the way");
        let crossings = world.counts().handovers;
        assert!(crossings > 20, "{crossings} crossings are no test");
    }
}

#[test]
fn neighbours_are_heard_and_given_room_over_a_border() {
    let mut world = world(1);
    world.split(middle_cell()).unwrap();
    let [a, b, ..] = middle_cell().corners();
    let edge = (a + b).normalize();
    let step =
        (middle_cell().center() - edge) * (3.0 / Ball.radius_m() / (middle_cell().center() - edge).length());
    let people: Vec<_> = [-1.0, 1.0].map(|side| join(&mut world, edge + step * side)).into();
    world.tick();
    let zones: Vec<_> = world.zones().iter().map(|zone| zone.bodies).collect();
    let near = world.bodies_within(edge * Ball.radius_m(), 20.0);
    assert_eq!(near.len(), 2, "zones with {zones:?} bodies");
    // Who arrives where somebody stands on the other side stands aside.
    let arrival = Arrival::At { place: edge + step, otherwise: middle() };
    let third = world.join(arrival, ClosedLand::default()).unwrap();
    let apart =
        |one: EntityId| world.body(one).unwrap().0.position.distance(world.body(third).unwrap().0.position);
    assert!(people.iter().all(|one| apart(*one) >= 1.5));
}
