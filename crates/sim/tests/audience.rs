//! What watchers of a crowd are sent: the same whoever makes it, never too much, and the nearest always.

use cell::CellId;
use glam::DVec3;
use motion::{Body, Buttons, ClosedLand, Ground, Input, Pace, Surface};
use sim::governor::Measures;
use sim::{
    Alone, Audience, AudienceConfig, BYTES_PER_S, Delivery, EntityId, Frame, Mover, NEAREST_ALWAYS, Spread,
    Zone, ZoneConfig,
};
use std::collections::BTreeMap;
use wire::stream::Tier;
use wire::{ServerMessage, View};

const RADIUS_M: f64 = 796_375.0;
const LEVEL: u8 = 14;

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

struct Threads;

impl Spread for Threads {
    fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(&mut T) + Sync) {
        // Backwards and on several threads: whatever the order, the result is the same.
        std::thread::scope(|scope| {
            for items in items.chunks_mut(items.len().div_ceil(3).max(1)).rev() {
                scope.spawn(|| items.iter_mut().rev().for_each(&work));
            }
        });
    }
}

fn audience() -> Audience {
    Audience::new(AudienceConfig { cell_level: LEVEL, radius_m: RADIUS_M, tick_hz: 30, send_ticks: 3 })
}

fn zone() -> Zone<Plain> {
    Zone::new(ZoneConfig { cell_level: LEVEL, bodies_max: 10_000, pace: Pace::default(), seed: 0 }, Plain)
}

fn chance(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// A crowd in a disc around `DVec3::X`, cut into zones at some cells.
struct Crowd {
    zones: Vec<Zone<Plain>>,
    borders: Vec<CellId>,
    ids: Vec<EntityId>,
    state: u64,
}

impl Crowd {
    fn new(bodies: u32, radius_m: f64, borders: Vec<CellId>) -> Self {
        let zones = (0..=borders.len()).map(|_| zone()).collect();
        let mut crowd = Self { zones, borders, ids: vec![], state: 1 };
        for id in 1..=bodies {
            let (angle, far) = (
                chance(&mut crowd.state) * std::f64::consts::TAU,
                chance(&mut crowd.state).sqrt() * radius_m,
            );
            let place = DVec3::X + DVec3::new(0.0, far * libm::cos(angle), far * libm::sin(angle)) / RADIUS_M;
            let mover = Mover::new(Body::standing_at(place.normalize(), &Plain), ClosedLand::default());
            let zone = crowd.zone_of(place);
            crowd.zones[zone].enter(EntityId(id), mover).expect("there is room");
            crowd.ids.push(EntityId(id));
        }
        crowd
    }

    fn zone_of(&self, point: DVec3) -> usize {
        let cell = CellId::from_point(point).parent(LEVEL);
        self.borders.partition_point(|border| *border <= cell)
    }

    fn body(&self, id: EntityId) -> (&Body, u32) {
        self.zones.iter().find_map(|zone| zone.body(id)).expect("everybody is somewhere")
    }

    /// One tick in which three quarters walk, and everybody is handed to the zone they are in.
    fn tick(&mut self) {
        let ids = self.ids.clone();
        for id in &ids {
            let (body, seq) = self.body(*id);
            let zone = self.zone_of(body.position);
            let turned = (self.zones[0].tick_count() + u64::from(id.0)) / 40;
            let angle = chance(&mut (turned * 7_919 + u64::from(id.0))) * std::f64::consts::TAU;
            let look = DVec3::Y * libm::cos(angle) + DVec3::Z * libm::sin(angle);
            let buttons = if (turned + u64::from(id.0)).is_multiple_of(4) {
                Buttons::default()
            } else {
                Buttons::FORWARD
            };
            let at =
                self.zones.iter().position(|zone| zone.body(*id).is_some()).expect("everybody is somewhere");
            if at != zone {
                let mover = self.zones[at].take_out(*id).expect("it was just found");
                self.zones[zone].enter(*id, mover).expect("there is room");
            }
            self.zones[zone]
                .take_inputs(*id, seq + 1, &[Input::new(buttons, look)])
                .expect("one input a tick");
        }
        for zone in &mut self.zones {
            zone.tick();
            zone.publish();
        }
    }

    fn send(&self, audience: &mut Audience, spread: &impl Spread) -> Vec<(EntityId, Frame)> {
        let views: Vec<_> = self.zones.iter().map(Zone::view).collect();
        let mut frames = vec![];
        audience.send(self.zones[0].tick_count(), &views, spread, |id, frame| {
            frames.push((id, frame));
            Delivery::Sent
        });
        frames
    }
}

fn apply(view: &mut View, message: &[u8]) -> usize {
    let Ok(ServerMessage::Frame(frame)) = ServerMessage::decode(message) else { panic!("no frame") };
    view.apply(&frame).expect("blocks are whole")
}

#[test]
fn threads_and_borders_of_zones_change_no_byte() {
    let middle = CellId::from_point(DVec3::X).parent(LEVEL);
    let borders = vec![middle, middle.next().unwrap()];
    let (mut one, mut three) = (Crowd::new(700, 60.0, vec![]), Crowd::new(700, 60.0, borders));
    let (mut alone, mut spread) = (audience(), audience());
    for id in one.ids.iter().step_by(5) {
        alone.watch(*id);
        spread.watch(*id);
    }
    alone.set_companions(EntityId(1), &[EntityId(2), EntityId(3)]);
    spread.set_companions(EntityId(1), &[EntityId(2), EntityId(3)]);
    let mut blocks = 0;
    for _ in 0..45 {
        one.tick();
        three.tick();
        let frames = one.send(&mut alone, &Alone);
        let others = three.send(&mut spread, &Threads);
        assert_eq!(frames.len(), others.len());
        for ((id, frame), (other_id, other)) in frames.iter().zip(&others) {
            assert_eq!((id, frame.to_bytes()), (other_id, other.to_bytes()));
            blocks += frame.slice_count() - 1;
        }
    }
    assert!(blocks > 500, "{blocks}");
    assert_eq!(alone.stats(), spread.stats());
}

#[test]
fn in_a_crowd_the_nearest_and_companions_are_told_of_in_every_frame_and_the_budget_holds() {
    let mut crowd = Crowd::new(5_000, 80.0, vec![]);
    let mut audience = audience();
    let watcher = EntityId(7);
    let companion = *crowd
        .ids
        .iter()
        .max_by_key(|id| (crowd.body(**id).0.position.distance(crowd.body(watcher).0.position) * 1e3) as u64)
        .unwrap();
    audience.watch(watcher);
    audience.set_companions(watcher, &[companion]);
    let mut view = View::default();
    let (mut bytes, mut tiers) = (0, BTreeMap::new());
    let seconds = 8;
    for tick in 0..30 * seconds {
        crowd.tick();
        for (_, frame) in crowd.send(&mut audience, &Alone) {
            bytes += frame.byte_count();
            assert_eq!(apply(&mut view, &frame.to_bytes()), 0);
            if tick < 60 {
                continue;
            }
            let seen: BTreeMap<_, _> = view.bodies().map(|seen| (seen.entity_id, seen)).collect();
            let here = crowd.body(watcher).0.position;
            let mut near: Vec<_> =
                crowd.ids.iter().map(|id| (crowd.body(*id).0.position.distance(here), *id)).collect();
            near.sort_by(|a, b| a.0.total_cmp(&b.0));
            let nearest = near[..=NEAREST_ALWAYS as usize].iter().map(|(_, id)| *id);
            for id in nearest.chain([companion]) {
                let seen = seen[&id.0];
                let off_m = seen.position(&Plain).distance(crowd.body(id).0.position);
                // Who has just entered a cell that is farther off is told of when its turn comes.
                assert!(
                    off_m < 0.03 || id == companion && off_m < 4.0,
                    "{id:?} is {off_m} m off, {:?}",
                    seen.tier
                );
            }
            for seen in seen.values() {
                *tiers.entry(seen.tier).or_insert(0) += 1;
            }
            assert!(seen.len() > 4_900, "{} in sight", seen.len());
        }
    }
    assert!(tiers.len() == 3 && tiers[&Tier::Far] > 0, "{tiers:?}");
    let per_s = bytes as f32 / seconds as f32;
    // The first seconds may spend what was saved up.
    assert!(per_s < BYTES_PER_S * (1.0 + 2.0 / seconds as f32), "{per_s} bytes a second");
}

#[test]
fn a_frame_in_parts_in_any_order_tells_the_same_as_in_one() {
    let mut crowd = Crowd::new(900, 60.0, vec![]);
    let mut audience = audience();
    audience.watch(EntityId(1));
    let (mut whole, mut parts) = (View::default(), View::default());
    for n in 0..90 {
        crowd.tick();
        for (_, frame) in crowd.send(&mut audience, &Alone) {
            apply(&mut whole, &frame.to_bytes());
            let mut pieces = frame.pieces(1_200);
            assert!(pieces.len() == 1 || pieces.iter().skip(1).all(|piece| !piece.must_arrive()));
            assert_eq!(pieces[0].must_arrive(), frame.must_arrive());
            pieces.rotate_left(n % frame.pieces(1_200).len());
            for piece in pieces.iter().chain(&pieces) {
                apply(&mut parts, &piece.to_bytes());
            }
            assert_eq!(whole.bodies().collect::<Vec<_>>(), parts.bodies().collect::<Vec<_>>());
        }
    }
    assert!(whole.body_count() > 890);
}

#[test]
fn who_has_no_news_is_sent_one_frame_a_second() {
    let mut crowd = Crowd::new(3, 5.0, vec![]);
    let mut audience = audience();
    audience.watch(EntityId(1));
    let mut sent = vec![];
    for tick in 0..300 {
        for zone in &mut crowd.zones {
            zone.tick();
            zone.publish();
        }
        sent.extend(crowd.send(&mut audience, &Alone).into_iter().map(|_| tick));
    }
    assert!((9..=13).contains(&sent.len()), "{sent:?}");
    assert!(sent.windows(2).all(|pair| pair[1] - pair[0] <= 30));
}

#[test]
fn a_square_that_fills_and_empties_tears_no_stream_of_many_watchers() {
    // So many that they look again in turns when cells are divided, and made whole again.
    const BODIES: u32 = 3_200;
    const STEP: usize = 400;
    let mut crowd = Crowd::new(BODIES, 15.0, vec![]);
    let mut audience = audience();
    // Little is near, so that most may wait for their turn.
    audience.set_measures(Measures { near_m: 3.0, mid_m: 6.0, bytes_per_s: 12_000.0, ..Measures::default() });
    let everybody = std::mem::take(&mut crowd.ids);
    let mut away: Vec<_> =
        everybody.iter().map(|id| (*id, crowd.zones[0].take_out(*id).expect("it is there"))).collect();
    let mut views: BTreeMap<EntityId, View> = BTreeMap::new();
    let steps = everybody.len() / STEP;
    for step in 0..2 * steps - 1 {
        if step < steps {
            for (id, mover) in away.drain(away.len() - STEP..) {
                crowd.zones[0].enter(id, mover).expect("there is room");
                audience.watch(id);
                crowd.ids.push(id);
                if id.0 % 40 == 0 {
                    views.insert(id, View::default());
                }
            }
        } else {
            // Those who came first stay.
            for id in crowd.ids.split_off(crowd.ids.len() - STEP) {
                audience.unwatch(id);
                views.remove(&id);
                crowd.zones[0].take_out(id).expect("it is there");
            }
        }
        // At last there is time to make up for what there was no room for.
        let seconds = if step == 2 * steps - 2 { 15 } else { 2 };
        for _ in 0..30 * seconds {
            crowd.tick();
            for (id, frame) in crowd.send(&mut audience, &Alone) {
                if let Some(view) = views.get_mut(&id) {
                    assert_eq!(apply(view, &frame.to_bytes()), 0, "{id:?} misses a block in step {step}");
                }
            }
        }
    }
    assert!(!views.is_empty());
    for (id, view) in &views {
        assert_eq!(view.body_count(), crowd.ids.len(), "{id:?}");
    }
}
