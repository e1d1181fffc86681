//! What comes of cheating, what does not come of bad lines, and that order, threads and borders decide nothing.

use cell::CellId;
use glam::DVec3;
use motion::{Buttons, ClosedLand, Ground, Input, Pace, RUN_M_S, Surface};
use proptest::prelude::*;
use sim::{
    EntityId, Grant, GrantReason, Incident, InputError, Mover, Offence, SET_BACK_SCORE, SUSPICIOUS_SCORE,
    Stretches, Zone, ZoneConfig, body_at,
};
use std::cell::Cell;

const RADIUS_M: f64 = 796_375.0;

#[derive(Clone, Copy)]
struct Plain;

impl Ground for Plain {
    fn surface(&self, _: DVec3) -> Surface {
        Surface::by_the_sea(5.0)
    }

    fn radius_m(&self) -> f64 {
        RADIUS_M
    }
}

fn zone<G: Ground>(ground: G) -> Zone<G> {
    Zone::new(ZoneConfig { cell_level: 14, bodies_max: 100, pace: Pace::default(), seed: 1 }, ground)
}

fn place(y_m: f64, z_m: f64) -> DVec3 {
    (DVec3::X + DVec3::new(0.0, y_m, z_m) / RADIUS_M).normalize()
}

fn enter<G: Ground>(zone: &mut Zone<G>, id: u32, place: DVec3) -> EntityId {
    let body = body_at(place, DVec3::Y, zone.ground());
    zone.enter(EntityId(id), Mover::new(body, ClosedLand::default())).expect("there is room");
    EntityId(id)
}

/// Runs along y for some seconds, `rate` inputs made for each tick, sent ten times a second unless the line stalls.
fn run(
    zone: &mut Zone<Plain>,
    id: EntityId,
    seconds: u32,
    rate: f64,
    stalls: impl Fn(u32) -> bool,
) -> Vec<Incident> {
    let (mut made, mut unsent, mut next) = (0.0, 0, zone.body(id).expect("it is here").1 + 1);
    let mut incidents = vec![];
    for tick in 0..seconds * 30 {
        made += rate;
        unsent += made as u32;
        made -= f64::from(made as u32);
        if tick % 3 == 2 && !stalls(tick) {
            while unsent > 0 {
                let count = unsent.min(16);
                let inputs = vec![Input::new(Buttons::FORWARD.with(Buttons::RUN), DVec3::Y); count as usize];
                if zone.take_inputs(id, next, &inputs) == Err(InputError::QueueFull) {
                    zone.blame(id, Offence::TooFast);
                }
                (next, unsent) = (next + count, unsent - count);
            }
        }
        zone.tick();
        incidents.extend(zone.take_incidents());
    }
    incidents
}

fn went_m(zone: &Zone<Plain>, id: EntityId) -> f64 {
    zone.body(id).expect("it is here").0.up().dot(DVec3::Y) * RADIUS_M
}

#[test]
fn a_clock_half_as_fast_again_is_set_back_and_gets_no_farther_than_others() {
    let mut zone = zone(Plain);
    let (cheat, honest) = (enter(&mut zone, 1, place(0.0, 0.0)), enter(&mut zone, 2, place(0.0, 20.0)));
    let incidents = run(&mut zone, cheat, 30, 1.5, |_| false);
    assert!(
        incidents.iter().all(|incident| incident.entity == cheat && incident.offence == Offence::TooFast)
    );
    let set_back: Vec<_> =
        incidents.iter().filter_map(|incident| incident.set_back_to.map(|to| (incident, to))).collect();
    assert!(set_back.len() >= 2, "{} set backs of {}", set_back.len(), incidents.len());
    for (incident, to) in &set_back {
        assert!(incident.score >= SET_BACK_SCORE && to.distance(incident.place) > 5.0);
    }
    let first_s = set_back[0].0.tick / 30;
    assert!((3..15).contains(&first_s), "set back after {first_s} s");
    let cheated_m = went_m(&zone, cheat);
    assert!(run(&mut zone, honest, 30, 1.0, |_| false).is_empty());
    let honest_m = went_m(&zone, honest);
    assert!(cheated_m < honest_m, "{cheated_m} m by cheating, {honest_m} m honestly");
    assert!(honest_m > 0.95 * 30.0 * RUN_M_S);
    // Staff see one stretch with all of it, and none of the honest one.
    let mut stretches = Stretches::new(30);
    for incident in &incidents {
        stretches.note(incident);
    }
    let seen: Vec<_> = stretches.iter().collect();
    assert_eq!((seen.len(), seen[0].entity, seen[0].is_suspicious()), (1, cheat, true));
    assert_eq!(seen[0].set_backs as usize, set_back.len());
    assert_eq!(seen[0].offences[Offence::TooFast as usize] as usize, incidents.len());
}

#[test]
fn bad_lines_and_clocks_a_little_off_are_no_suspicion() {
    for (rate, stall_s) in [(1.0, 3), (1.01, 2), (1.02, 1), (0.9, 5)] {
        let mut zone = zone(Plain);
        let id = enter(&mut zone, 1, place(0.0, 0.0));
        // Every ten seconds the line says nothing for a while, and then everything at once.
        let incidents = run(&mut zone, id, 60, rate, |tick| tick % 300 < stall_s * 30);
        let worst = incidents.iter().map(|incident| incident.score).max().unwrap_or(0);
        assert!(worst < SUSPICIOUS_SCORE, "rate {rate}, stalls of {stall_s} s: score {worst}");
    }
}

#[test]
fn numbers_that_jump_and_what_the_session_saw_count_and_fade() {
    let mut zone = zone(Plain);
    let id = enter(&mut zone, 1, place(0.0, 0.0));
    let refused = zone.take_inputs(id, 5_000, &[Input::NEUTRAL]);
    assert!(matches!(refused, Err(InputError::TooFarAhead { .. })));
    assert!(zone.blame(id, Offence::Flood) && zone.blame(id, Offence::BrokenMessage));
    let points = [Offence::SequenceJump, Offence::Flood, Offence::BrokenMessage];
    assert_eq!(zone.score(id), Some(points.iter().map(|offence| offence.points()).sum()));
    assert_eq!(zone.take_incidents().iter().map(|incident| incident.offence).collect::<Vec<_>>(), points);
    assert!(zone.take_incidents().is_empty());
    (0..30 * 90).for_each(|_| zone.tick());
    assert_eq!(zone.score(id), Some(0));
    assert!(!zone.blame(EntityId(9), Offence::Flood));
    assert_eq!(zone.score(EntityId(9)), None);
}

#[test]
fn a_body_is_elsewhere_at_once_only_by_a_grant() {
    let mut zone = zone(Plain);
    let id = enter(&mut zone, 1, place(0.0, 0.0));
    run(&mut zone, id, 3, 1.0, |_| false);
    let (_, applied_before) = zone.body(id).unwrap();
    zone.take_inputs(id, 91, &[Input::new(Buttons::FORWARD, DVec3::Y); 9]).unwrap();
    let grant = Grant { place: place(5_000.0, 0.0), facing: DVec3::Z, reason: GrantReason::Staff };
    assert!(zone.teleport(id, grant));
    let (body, applied) = zone.body(id).unwrap();
    assert!((body.up() - grant.place).length() < 1e-12 && body.velocity == DVec3::ZERO);
    assert_eq!(applied, applied_before, "what waits is forgotten, and nothing counts as applied");
    let arrived = *body;
    (0..5).for_each(|_| zone.tick());
    assert_eq!(zone.body(id).unwrap().0.position, arrived.position);
    // Neighbours are found where it is now, and it is set back to there, not across the world.
    assert_eq!(zone.bodies_within(arrived.position, 1.0).collect::<Vec<_>>(), [id]);
    (0..2).for_each(|_| assert!(zone.blame(id, Offence::ImpossibleMove)));
    let back = zone.take_incidents().last().unwrap().set_back_to.expect("400 points");
    assert!(back.distance(arrived.position) < 1e-6);
    assert!(!zone.teleport(EntityId(2), grant));
}

#[test]
fn a_move_that_the_rules_do_not_know_is_undone_and_told() {
    /// A ground that is never the same twice.
    struct Quaking(Cell<u32>);
    impl Ground for Quaking {
        fn surface(&self, _: DVec3) -> Surface {
            self.0.set(self.0.get() + 1);
            Surface::by_the_sea(5.0 + 0.2 * f64::from(self.0.get() % 7))
        }

        fn radius_m(&self) -> f64 {
            RADIUS_M
        }
    }
    let mut zone = zone(Quaking(Cell::new(0)));
    let ids: Vec<_> = (1..=40).map(|n| enter(&mut zone, n, place(f64::from(n) * 9.0, 0.0))).collect();
    let mut told = 0;
    for tick in 1..=100 {
        for id in &ids {
            let _ = zone.take_inputs(*id, tick, &[Input::new(Buttons::FORWARD, DVec3::Y)]);
        }
        let before: Vec<_> = ids.iter().map(|id| zone.body(*id).unwrap().0.position).collect();
        zone.tick();
        for incident in zone.take_incidents() {
            told += 1;
            assert_eq!(incident.offence, Offence::ImpossibleMove);
            let index = ids.iter().position(|id| *id == incident.entity).unwrap();
            assert_eq!(incident.place, before[index], "it is where it was");
        }
    }
    // 4,000 moves, nearly all impossible, one in 32 looked at.
    assert!((60..200).contains(&told), "{told}");
}

/// What each of some players sends in each tick, as batches of (first number, how many).
type Script = Vec<Vec<Vec<(u32, u32)>>>;

fn any_script() -> impl Strategy<Value = Script> {
    let tick = prop::collection::vec(prop::collection::vec((1..40_u32, 1..5_u32), 0..3), 5);
    prop::collection::vec(tick, 1..25)
}

/// Input number `seq` of a player: a client never says of one number now this and now that.
fn inputs(id: u32, first_seq: u32, count: u32) -> Vec<Input> {
    let input = |seq: u32| {
        let bits = sim::draw(3, sim::Purpose::Example, id, seq.into());
        let heading = [bits as i16, (bits >> 16) as i16, (bits >> 32) as i16];
        Input { buttons: Buttons((bits >> 48) as u8), heading }
    };
    (first_seq..first_seq + count).map(input).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_order_in_which_players_messages_arrive_decides_nothing(script in any_script(), turns in any::<u64>()) {
        let mut zones = [zone(Plain), zone(Plain)];
        for zone in &mut zones {
            (1..=5).for_each(|n| { enter(zone, n, place(f64::from(n) * 30.0, 0.0)); });
        }
        for (tick, players) in script.iter().enumerate() {
            for (which, zone) in zones.iter_mut().enumerate() {
                let mut calls: Vec<_> = (1..).zip(players).flat_map(|(id, batches)| batches.iter().map(move |batch| (id, batch))).collect();
                if which == 1 {
                    // Players in another order, and each player's batches the other way round.
                    calls.reverse();
                    let middle = calls.len().min((turns >> (tick % 60)) as usize % 4);
                    calls.rotate_left(middle);
                }
                let applied: Vec<_> = (1..=5).map(|id| zone.body(EntityId(id)).unwrap().1).collect();
                for (id, (first, count)) in calls {
                    // Few enough that none is refused: what comes first into a full queue is all that order decides.
                    let first = applied[id as usize - 1] + first % 8;
                    zone.take_inputs(EntityId(id), first, &inputs(id, first, *count)).unwrap();
                }
                zone.tick();
            }
            prop_assert_eq!(zones[0].state_hash(), zones[1].state_hash(), "after tick {}", tick + 1);
        }
    }

    #[test]
    fn a_world_in_two_zones_is_the_same_world(script in any_script()) {
        let mut whole = zone(Plain);
        let mut halves = [zone(Plain), zone(Plain)];
        for n in 1..=5 {
            let at = place(f64::from(n) * 30.0 - 90.0, 0.0);
            enter(&mut whole, n, at);
            enter(&mut halves[(n % 2) as usize], n, at);
        }
        // The border lies where the crowd is; whoever walks over it changes its zone after the tick.
        let border = CellId::from_point(place(0.0, 0.0)).parent(14);
        let (first, last) = (CellId::from_face(0).range_min(), CellId::from_face(5).range_max());
        for players in &script {
            for (n, batches) in (1..).zip(players) {
                let id = EntityId(n);
                for (first, count) in batches {
                    let first = whole.body(id).unwrap().1 + first;
                    let half = halves.iter_mut().find(|half| half.body(id).is_some()).unwrap();
                    let outcome = whole.take_inputs(id, first, &inputs(n, first, *count));
                    prop_assert_eq!(half.take_inputs(id, first, &inputs(n, first, *count)), outcome);
                }
            }
            whole.tick();
            halves.iter_mut().for_each(Zone::tick);
            let [low, high] = &mut halves;
            for id in low.outside(first, border) {
                high.enter(id, low.take_out(id).unwrap()).unwrap();
            }
            for id in high.outside(border.next().unwrap(), last) {
                low.enter(id, high.take_out(id).unwrap()).unwrap();
            }
            let sum = halves.iter().fold(0_u64, |sum, half| sum.wrapping_add(half.bodies_hash()));
            prop_assert_eq!(sum, whole.bodies_hash());
        }
    }
}
