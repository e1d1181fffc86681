//! What players of one zone see, checked against the truth.

use cell::CellId;
use glam::DVec3;
use motion::{Buttons, ClosedLand, Ground, Input, Mode, Pace, RUN_M_S, Surface};
use proptest::prelude::*;
use sim::{
    Alone, Arrival, Audience, AudienceConfig, Delivery, EntityId, INTEREST_ENTER_M, INTEREST_LEAVE_M, Zone,
    ZoneConfig, ZoneFull,
};
use std::collections::BTreeMap;
use wire::stream::Stance;
use wire::{ServerMessage, View};

const RADIUS_M: f64 = 796_375.0;
const LEVEL: u8 = 14;

/// Low hills and ponds everywhere.
struct Hills;

impl Ground for Hills {
    fn surface(&self, dir: DVec3) -> Surface {
        let p = dir * (RADIUS_M / 20.0);
        Surface::by_the_sea(2.0 + 2.0 * (libm::sin(p.x) + libm::sin(p.y + 1.0) + libm::sin(p.z + 2.0)))
    }

    fn radius_m(&self) -> f64 {
        RADIUS_M
    }
}

/// Dry ground on one side of a shore through `DVec3::X`, deep sea on the other.
struct Shore;

impl Ground for Shore {
    fn surface(&self, dir: DVec3) -> Surface {
        Surface::by_the_sea((dir.y * RADIUS_M * 0.2).max(-50.0))
    }

    fn radius_m(&self) -> f64 {
        RADIUS_M
    }
}

/// Dry ground on one side of the bank of a mountain river through `DVec3::X`; its surface falls along z by 2 in 100.
struct Bank;

impl Ground for Bank {
    fn surface(&self, dir: DVec3) -> Surface {
        let water_m = 700.0 - 0.02 * dir.z * RADIUS_M;
        let elevation_m = water_m + (dir.y * RADIUS_M * 0.2).max(-5.0);
        Surface { elevation_m, water_m: (elevation_m < water_m).then_some(water_m) }
    }

    fn radius_m(&self) -> f64 {
        RADIUS_M
    }
}

fn zone<G: Ground>(ground: G) -> Zone<G> {
    Zone::new(ZoneConfig { cell_level: LEVEL, bodies_max: 100, pace: Pace::default(), seed: 0 }, ground)
}

fn audience() -> Audience {
    Audience::new(AudienceConfig { cell_level: LEVEL, radius_m: RADIUS_M, tick_hz: 30, send_ticks: 3 })
}

fn beside(place: DVec3, along: DVec3, metres: f64) -> DVec3 {
    (place + along * (metres / RADIUS_M)).normalize()
}

fn back(place: DVec3) -> Arrival {
    Arrival::Back { place, facing: DVec3::ZERO, otherwise: place }
}

/// Someone who watches: what was made of the frames that arrived.
#[derive(Default)]
struct Client {
    view: View,
    gaps: usize,
    next_seq: u32,
}

/// A zone and the clients of all who watch in it.
struct World<G> {
    zone: Zone<G>,
    audience: Audience,
    clients: BTreeMap<EntityId, Client>,
}

impl<G: Ground> World<G> {
    fn new(ground: G) -> Self {
        Self { zone: zone(ground), audience: audience(), clients: BTreeMap::new() }
    }

    fn join(&mut self, place: DVec3) -> EntityId {
        let id = self.zone.join(back(place), ClosedLand::default()).expect("there is room");
        self.audience.watch(id);
        self.clients.insert(id, Client { next_seq: 1, ..Client::default() });
        id
    }

    fn input(&mut self, id: EntityId, buttons: Buttons, look: DVec3) {
        let client = self.clients.get_mut(&id).expect("it joined");
        let input = Input::new(buttons, look);
        self.zone.take_inputs(id, client.next_seq, &[input]).expect("one input per tick");
        client.next_seq += 1;
    }

    /// One tick; `arrives` decides which frames reach their client and which the zone knows to be lost.
    fn tick(&mut self, mut arrives: impl FnMut(EntityId) -> (bool, Delivery)) -> Vec<EntityId> {
        self.zone.tick();
        self.zone.publish();
        let mut sent = vec![];
        let Self { zone, audience, clients } = self;
        audience.send(zone.tick_count(), &[zone.view()], &Alone, |id, frame| {
            let (arrives, delivery) = arrives(id);
            let client = clients.get_mut(&id).expect("only watchers are sent frames");
            if arrives {
                let message = frame.to_bytes();
                let Ok(ServerMessage::Frame(frame)) = ServerMessage::decode(&message) else {
                    panic!("no frame")
                };
                client.gaps = client.view.apply(&frame).expect("the zone's blocks are whole");
                sent.push(id);
            }
            delivery
        });
        sent
    }

    fn leave(&mut self, id: EntityId) {
        assert!(self.zone.leave(id).is_some());
        self.audience.unwatch(id);
        self.clients.remove(&id);
    }

    fn sees(&self, watcher: EntityId, id: EntityId) -> bool {
        let point = self.zone.body(id).map(|(body, _)| body.position);
        point.is_some_and(|point| self.audience.sees(watcher, point))
    }

    fn tick_all(&mut self) -> Vec<EntityId> {
        self.tick(|_| (true, Delivery::Sent))
    }

    /// What a client sees must be true: bodies where they are, each once, all that are near and none that are far.
    fn check(&self, watcher: EntityId) {
        let here = self.zone.body(watcher).expect("it watches").0.position;
        let client = &self.clients[&watcher];
        let mut seen = BTreeMap::new();
        for body in client.view.bodies() {
            assert_eq!(seen.insert(body.entity_id, body), None, "body {} is doubled", body.entity_id);
            let shown = body.position(self.zone.ground());
            let Some((truth, _)) = self.zone.body(EntityId(body.entity_id)) else {
                // It had walked out of sight before it left: nobody told of that.
                assert!(shown.distance(here) > INTEREST_ENTER_M - 20.0, "a body that has left is shown");
                continue;
            };
            let error_m = shown.distance(truth.position);
            // One who has just walked out of sight is shown for a moment where they were.
            let is_leaving = truth.position.distance(here) > INTEREST_ENTER_M;
            if is_leaving {
                assert!(error_m < 1.6 * RUN_M_S, "body {} is {error_m} m off on its way out", body.entity_id);
                continue;
            }
            assert!(error_m < 0.05, "body {} is {error_m} m off in {:?}", body.entity_id, truth.mode);
            assert!(body.facing.dot(truth.facing) > 0.999);
        }
        for (id, body) in self.zone.bodies() {
            let distance_m = body.position.distance(here);
            let is_seen = seen.contains_key(&id.0);
            assert!(is_seen || distance_m > INTEREST_ENTER_M, "body {} is missing at {distance_m} m", id.0);
            // The far corner of the farthest cell.
            assert!(
                !is_seen || distance_m < INTEREST_LEAVE_M + 120.0,
                "body {} shows at {distance_m} m",
                id.0
            );
        }
    }
}

#[test]
fn two_bodies_see_each_other_and_no_longer_when_one_has_left() {
    let mut world = World::new(Hills);
    let ann = world.join(DVec3::X);
    let bob = world.join(beside(DVec3::X, DVec3::Y, 5.0));
    let ids = |world: &World<Hills>, id| {
        let mut ids: Vec<_> = world.clients[&id].view.bodies().map(|body| body.entity_id).collect();
        ids.sort_unstable();
        ids
    };
    for _ in 0..3 {
        world.tick_all();
    }
    assert_eq!(ids(&world, ann), [ann.0, bob.0]);
    assert_eq!(ids(&world, bob), [ann.0, bob.0]);
    assert!(world.sees(ann, bob));
    world.leave(bob);
    for _ in 0..3 {
        world.tick_all();
    }
    assert_eq!(ids(&world, ann), [ann.0]);
    assert!(!world.sees(ann, bob));
}

#[test]
fn one_who_comes_late_sees_a_crowd_at_rest_at_once() {
    let mut world = World::new(Hills);
    for n in 0..20 {
        world.join(beside(DVec3::X, DVec3::Y, f64::from(n)));
    }
    for _ in 0..60 {
        world.tick_all();
    }
    let late = world.join(beside(DVec3::X, DVec3::Z, 3.0));
    while !world.tick_all().contains(&late) {}
    assert_eq!(world.clients[&late].view.body_count(), 21);
    world.check(late);
}

#[test]
fn a_walker_over_cell_borders_face_edges_and_poles_is_never_missing_and_never_doubled() {
    let edge = DVec3::new(1.0, 1.0, 0.2).normalize();
    let across_edge = DVec3::new(-1.0, 1.0, 0.0).normalize();
    for (place, ahead) in [
        (DVec3::new(0.9, 0.2, 0.3).normalize(), DVec3::new(-0.3, 0.7, 0.4)),
        (edge, across_edge),
        (DVec3::ONE.normalize(), DVec3::new(1.0, -1.0, 0.0).normalize()),
        (DVec3::Z, DVec3::X),
        (-DVec3::Z, DVec3::new(0.3, -0.8, 0.0)),
    ] {
        let ahead = (ahead - place * ahead.dot(place)).normalize();
        let mut world = World::new(Hills);
        let walker = world.join(beside(place, ahead, -100.0));
        let watchers: Vec<_> =
            (0..3).map(|n| world.join(beside(place, place.cross(ahead), f64::from(n) * 4.0))).collect();
        let mut cells = vec![];
        for tick in 0..30 * 40 {
            let jump = if tick % 50 < 2 { Buttons::JUMP } else { Buttons::default() };
            world.input(walker, Buttons::FORWARD.with(Buttons::RUN).with(jump), ahead);
            for id in world.tick_all() {
                world.check(id);
                if id == walker {
                    continue;
                }
                let shows =
                    world.clients[&id].view.bodies().filter(|body| body.entity_id == walker.0).count();
                let (body, _) = world.zone.body(walker).unwrap();
                let distance_m = body.position.distance(world.zone.body(id).unwrap().0.position);
                assert!(shows == 1 || distance_m > INTEREST_ENTER_M, "{shows} at {distance_m} m");
                cells.push(CellId::from_point(body.position).parent(LEVEL));
            }
        }
        cells.dedup();
        assert!(cells.len() >= 4 && watchers.len() == 3, "only {} cells", cells.len());
    }
}

#[test]
fn a_watcher_whose_frames_were_dropped_starts_again_and_sees_the_truth() {
    let mut world = World::new(Hills);
    let walkers: Vec<_> =
        (0..6).map(|n| world.join(beside(DVec3::X, DVec3::Y, f64::from(n) * 9.0))).collect();
    let mut random = 7_u32;
    for tick in 0..900 {
        for (n, id) in (0_u8..).zip(&walkers) {
            let look = if (tick / 60 + usize::from(n)).is_multiple_of(2) { DVec3::Z } else { DVec3::Y };
            world.input(*id, Buttons::FORWARD, look);
        }
        let sent = world.tick(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if random >> 30 == 0 { (false, Delivery::Dropped) } else { (true, Delivery::Sent) }
        });
        for id in sent {
            assert_eq!(world.clients[&id].gaps, 0);
            world.check(id);
        }
    }
}

#[test]
fn a_watcher_who_loses_frames_asks_for_what_is_missing_and_has_it_with_the_next_frame() {
    let mut world = World::new(Hills);
    let watcher = world.join(DVec3::X);
    let walker = world.join(beside(DVec3::X, DVec3::Y, 9.0));
    let mut lost = 0;
    let mut asked = 0;
    let mut is_owed = false;
    for tick in 0..900_u64 {
        let turn = if (tick / 45).is_multiple_of(2) { DVec3::Y } else { -DVec3::Y };
        world.input(walker, Buttons::FORWARD, turn);
        let is_lost = tick > 30 && (tick / 3) % 20 == 0;
        let sent = world.tick(|id| {
            lost += usize::from(id == watcher && is_lost);
            (id != watcher || !is_lost, Delivery::Sent)
        });
        if sent.contains(&watcher) {
            if is_owed {
                world.check(watcher);
            }
            let client = world.clients.get_mut(&watcher).unwrap();
            let missed = client.view.take_missed(30);
            assert_eq!(missed.is_empty(), client.gaps == 0);
            is_owed = !missed.is_empty();
            asked += missed.len();
            world.audience.missed(watcher, &missed);
            // Meanwhile both are shown, one of them where it was.
            assert_eq!(world.clients[&watcher].view.body_count(), 2);
        }
    }
    assert!(lost >= 14 && asked >= lost, "{asked} cells asked for after {lost} losses");
}

/// A walk of a crowd by a seed: who joins, leaves, watches, goes where.
fn crowd(seed: u64, ticks: u64, mut check: impl FnMut(&World<Hills>, &[EntityId])) -> u64 {
    let mut random = seed;
    let mut next = move |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let middle = [DVec3::Z, DVec3::X, DVec3::new(1.0, 1.0, 0.0), DVec3::ONE][next(4) as usize].normalize();
    let mut world = World::new(Hills);
    let mut looks = BTreeMap::new();
    for tick in 0..ticks {
        if tick % 20 == 0 && world.clients.len() < 12 {
            let along = DVec3::new(next(99) as f64 - 49.0, next(99) as f64 - 49.0, next(99) as f64 - 49.0);
            let id = world.join(beside(middle, along.normalize_or(DVec3::Y), next(300) as f64));
            looks.insert(id, (Buttons::FORWARD, along));
        }
        if next(150) == 0 && world.clients.len() > 4 {
            let id =
                *world.clients.keys().nth(next(world.clients.len() as u64) as usize).expect("some are left");
            world.leave(id);
            looks.remove(&id);
        }
        for (id, look) in &mut looks {
            if next(60) == 0 {
                let part = |n: u64| n as f64 - 50.0;
                let buttons = Buttons(next(64) as u8);
                *look = (buttons, DVec3::new(part(next(101)), part(next(101)), part(next(101))));
            }
            // Now and then a message is late and the next brings two.
            if next(10) > 0 {
                world.input(*id, look.0, look.1);
            }
        }
        let sent = world.tick_all();
        check(&world, &sent);
    }
    world.zone.state_hash()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_frame_shows_every_near_body_once_and_where_it_is(seed in any::<u64>()) {
        crowd(seed, 1_200, |world, sent| sent.iter().for_each(|id| world.check(*id)));
    }

    #[test]
    fn the_same_seed_and_inputs_give_the_same_world(seed in any::<u64>()) {
        let hash = crowd(seed, 300, |_, _| {});
        prop_assert_eq!(hash, crowd(seed, 300, |_, _| {}));
        prop_assert_ne!(hash, crowd(seed, 301, |_, _| {}));
        prop_assert_ne!(hash, crowd(seed ^ 1, 300, |_, _| {}));
    }
}

#[test]
fn a_flood_of_inputs_moves_nobody_faster() {
    let mut zone = zone(Hills);
    let place = (0..1_000)
        .map(|n| beside(DVec3::X, DVec3::Y, f64::from(n)))
        .find(|place| Hills.surface(*place).elevation_m > 3.0);
    let id = zone.join(back(place.expect("a dry place")), ClosedLand::default()).unwrap();
    let start = zone.body(id).unwrap().0.position;
    let input = Input::new(Buttons::FORWARD.with(Buttons::RUN), DVec3::Z);
    let mut seq = 1;
    for _ in 0..300 {
        for _ in 0..4 {
            if zone.take_inputs(id, seq, &[input; 16]).is_ok() {
                seq += 16;
            }
        }
        zone.tick();
    }
    let moved_m = zone.body(id).unwrap().0.position.distance(start);
    assert!(moved_m <= RUN_M_S * 10.5 * 1.03, "{moved_m} m in 10 s");
    assert!(zone.take_inputs(EntityId(99), 1, &[input]).is_err());
}

#[test]
fn newcomers_stand_a_few_metres_apart_and_dry_wherever_they_ask_for() {
    let mut zone = zone(Shore);
    let around = beside(DVec3::X, DVec3::Y, 8.0);
    let arrivals = [
        Arrival::Newcomer { around, facing: -DVec3::Y },
        Arrival::Newcomer { around, facing: -DVec3::Y },
        Arrival::Newcomer { around, facing: -DVec3::Y },
        // A dry place twice, one just off the shore, one far out.
        Arrival::At { place: beside(DVec3::X, DVec3::Y, 100.0), otherwise: around },
        Arrival::At { place: beside(DVec3::X, DVec3::Y, 100.0), otherwise: around },
        Arrival::At { place: beside(DVec3::X, DVec3::Y, -60.0), otherwise: around },
        Arrival::At { place: beside(DVec3::X, DVec3::Y, -5_000.0), otherwise: around },
    ];
    let places: Vec<_> = arrivals
        .into_iter()
        .map(|arrival| {
            let id = zone.join(arrival, ClosedLand::default()).unwrap();
            let (body, seq) = zone.body(id).unwrap();
            assert_eq!((body.mode, seq), (Mode::Grounded, 0));
            assert!(Shore.surface(body.up()).elevation_m > 0.2, "wet feet");
            body.position
        })
        .collect();
    for (n, place) in places.iter().enumerate() {
        for other in &places[..n] {
            assert!(place.distance(*other) >= 1.5, "two bodies at one place");
        }
    }
    let from = |place: DVec3, n: usize| places[n].distance(place * places[n].length());
    assert!(from(around, 0) < 6.0 && from(around, 1) < 6.0 && from(around, 2) < 6.0);
    assert!(from(beside(DVec3::X, DVec3::Y, 100.0), 3) < 0.1, "a free dry place is taken exactly");
    assert!(from(beside(DVec3::X, DVec3::Y, 100.0), 4) < 4.0);
    assert!(from(DVec3::X, 5) < 40.0, "the near shore is found");
    assert!(from(around, 6) < 12.0, "from the open sea to the newcomers");
    let (facing, _) = zone.body(EntityId(1)).unwrap();
    assert!(facing.facing.dot(-DVec3::Y) > 0.99);
}

#[test]
fn one_who_comes_back_stands_where_they_left_even_afloat() {
    let mut zone = zone(Shore);
    let place = beside(DVec3::X, DVec3::Y, -60.0);
    let id = zone
        .join(Arrival::Back { place, facing: DVec3::Z, otherwise: place }, ClosedLand::default())
        .unwrap();
    let body = *zone.body(id).unwrap().0;
    assert_eq!(body.mode, Mode::Swimming);
    assert!(body.up().distance(place) < 1e-12 && body.facing.dot(DVec3::Z) > 0.99);
    assert_eq!(zone.leave(id), Some(body));
    assert_eq!(zone.leave(id), None);
}

#[test]
fn swimmers_in_a_river_are_seen_at_its_surface_and_cost_no_height() {
    let mut world = World::new(Bank);
    let watcher = world.join(beside(DVec3::X, DVec3::Y, 20.0));
    let swimmer = world.join(beside(DVec3::X, DVec3::Y, -60.0));
    for _ in 0..30 * 20 {
        world.input(swimmer, Buttons::FORWARD, DVec3::Z);
        if world.tick_all().contains(&watcher) {
            world.check(watcher);
            let seen = world.clients[&watcher].view.bodies().find(|body| body.entity_id == swimmer.0);
            let seen = seen.expect("it is near");
            assert_eq!((seen.stance, seen.height_m), (Stance::Swimming, 0.0));
        }
    }
    let (body, _) = world.zone.body(swimmer).unwrap();
    assert_eq!(body.mode, Mode::Swimming);
    assert!(body.up().z * RADIUS_M > 40.0, "it swam {} m down the river", body.up().z * RADIUS_M);
}

#[test]
fn newcomers_beside_a_river_arrive_dry() {
    let mut zone = zone(Bank);
    let around = beside(DVec3::X, DVec3::Y, 3.0);
    for _ in 0..60 {
        let id = zone.join(Arrival::Newcomer { around, facing: DVec3::Z }, ClosedLand::default()).unwrap();
        let (body, _) = zone.body(id).unwrap();
        assert_eq!(Bank.surface(body.up()).water_m, None, "wet feet");
        assert_eq!(body.mode, Mode::Grounded);
    }
}

#[test]
fn a_full_zone_refuses_and_an_id_is_never_used_twice() {
    let mut zone = zone(Hills);
    let ids: Vec<_> = (0..100).map(|_| zone.join(back(DVec3::X), ClosedLand::default()).unwrap()).collect();
    assert_eq!(zone.join(back(DVec3::X), ClosedLand::default()), Err(ZoneFull));
    zone.leave(ids[50]);
    let again = zone.join(back(DVec3::X), ClosedLand::default()).unwrap();
    assert!(!ids.contains(&again));
}

#[test]
fn neighbours_and_watchers_of_a_place_are_found_before_and_after_the_sort() {
    let mut world = World::new(Hills);
    let near = world.join(beside(DVec3::X, DVec3::Y, 49.0));
    let far = world.join(beside(DVec3::X, DVec3::Y, 51.0));
    let point = DVec3::X * (RADIUS_M + Hills.surface(DVec3::X).elevation_m);
    for _ in 0..2 {
        let found: Vec<_> = world.zone.bodies_within(point, 50.0).collect();
        assert!(found.contains(&near) && !found.contains(&far), "{found:?}");
        for _ in 0..3 {
            world.tick_all();
        }
    }
    let watchers: Vec<_> = world.audience.watchers_of(point).collect();
    assert_eq!(watchers, [near, far]);
    assert_eq!(world.audience.watchers_of(beside(DVec3::X, DVec3::Y, 600.0) * RADIUS_M).count(), 0);
}
