//! Closed land in the zone: nobody gets in, whatever they send, and a client that knows the fences predicts it all.

use cell::CellId;
use glam::DVec3;
use motion::{Buttons, ClosedLand, Fenced, Ground, Input, Pace, Predictor, Surface};
use proptest::prelude::*;
use sim::{Alone, Arrival, Audience, AudienceConfig, Delivery, EntityId, Zone, ZoneConfig};
use std::collections::{HashMap, VecDeque};
use wire::{Fences, ServerMessage};

const RADIUS_M: f64 = 796_375.0;
const LOT_LEVEL: u8 = 15;

/// Low hills and ponds everywhere.
struct Hills;

impl Ground for Hills {
    fn surface(&self, dir: DVec3) -> Surface {
        let p = dir * (RADIUS_M / 20.0);
        Surface::by_the_sea(4.0 + 2.0 * (libm::sin(p.x) + libm::sin(p.y + 1.0) + libm::sin(p.z + 2.0)))
    }

    fn radius_m(&self) -> f64 {
        RADIUS_M
    }
}

fn zone() -> Zone<Hills> {
    Zone::new(ZoneConfig { cell_level: 14, bodies_max: 50, pace: Pace::default(), seed: 0 }, Hills)
}

fn lot(place: DVec3) -> CellId {
    CellId::from_point(place).parent(LOT_LEVEL)
}

/// A place where three faces of the cube meet, and one in the middle of a face.
fn middles() -> [DVec3; 2] {
    [DVec3::ONE.normalize(), DVec3::new(0.2, -1.0, 0.3).normalize()]
}

/// The lots around a place, some forty.
fn around(middle: DVec3) -> Vec<CellId> {
    cell::cover_cap(middle, 110.0 / RADIUS_M, LOT_LEVEL).expect("a small cap")
}

fn closing(lots: &[CellId], parcel_of: impl Fn(usize) -> Option<u64>) -> ClosedLand {
    let mut closed = ClosedLand::default();
    for (index, lot) in lots.iter().enumerate() {
        if let Some(parcel) = parcel_of(index) {
            assert!(closed.close(*lot, parcel));
        }
    }
    closed
}

/// What is done to one body in one tick.
#[derive(Clone, Debug)]
struct Deed {
    body: usize,
    /// Inputs sent at once: more than one is catching up.
    inputs: usize,
    buttons: u8,
    heading: [i16; 3],
    /// A new set of fences for it: bits of the lots, and how many parcels share them.
    fences: Option<(u64, u64)>,
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let fences = prop::option::weighted(0.05, (any::<u64>(), 1..5_u64));
    (0..8_usize, 0..4_usize, any::<u8>(), any::<[i16; 3]>(), fences)
        .prop_map(|(body, inputs, buttons, heading, fences)| Deed { body, inputs, buttons, heading, fences })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_body_ends_a_tick_in_closed_land_that_it_was_not_in_before_and_clients_predict_it(
        which in 0..2_usize,
        deeds in prop::collection::vec(any_deed(), 2_000),
    ) {
        let middle = middles()[which];
        let lots = around(middle);
        let mut zone = zone();
        let mut audience = Audience::new(AudienceConfig { cell_level: 14, radius_m: RADIUS_M, tick_hz: 30, send_ticks: 3 });
        let mut predictors: HashMap<EntityId, (Predictor, ClosedLand)> = HashMap::new();
        let mut ids = vec![];
        for n in 0..8 {
            let place = lots[n * 3 % lots.len()].center();
            let arrival = Arrival::Back { place, facing: DVec3::ZERO, otherwise: middle };
            let id = zone.join(arrival, ClosedLand::default()).unwrap();
            audience.watch(id);
            let (body, seq) = zone.body(id).unwrap();
            predictors.insert(id, (Predictor::new(*body, seq, Pace::default()), ClosedLand::default()));
            ids.push(id);
        }
        for tick in deeds.chunks(3) {
            for deed in tick {
                let id = ids[deed.body];
                if let Some((bits, parcels)) = deed.fences {
                    let after = closing(&lots, |n| (bits >> (n % 64) & 1 == 1).then_some(n as u64 % parcels));
                    // As the zone's host does: the change is told with the number of the last input applied.
                    let seq = zone.body(id).unwrap().1;
                    let (predictor, closed) = predictors.get_mut(&id).unwrap();
                    if let Some(change) = Fences::between(zone.closed(id).unwrap(), &after, seq) {
                        change.apply(closed).unwrap();
                        predictor.repeat_after(seq, &Fenced { ground: &Hills, closed });
                    }
                    zone.set_closed(id, after);
                }
                let (predictor, closed) = predictors.get_mut(&id).unwrap();
                let input = Input { buttons: Buttons(deed.buttons | 0x11), heading: deed.heading };
                for _ in 0..deed.inputs {
                    predictor.step(input, &Fenced { ground: &Hills, closed });
                    // A queue that is full is refused: that input is lost, and the prediction will be corrected.
                    let _ = zone.take_inputs(id, predictor.last_seq(), &[input]);
                }
            }
            let before: Vec<_> = ids.iter().map(|id| zone.body(*id).unwrap().0.position).collect();
            zone.tick();
            for (id, before) in ids.iter().zip(before) {
                let (body, closed) = (zone.body(*id).unwrap().0, zone.closed(*id).unwrap());
                let (was, is) = (closed.parcel_at(before), closed.parcel_at(body.position));
                prop_assert!(is.is_none() || is == was, "{id:?} went from {was:?} to {is:?}");
            }
            let mut frames = vec![];
            zone.publish();
            audience.send(zone.tick_count(), &[zone.view()], &Alone, |id, frame| {
                frames.push((id, frame.to_bytes()));
                Delivery::Sent
            });
            for (id, message) in frames {
                let Ok(ServerMessage::Frame(frame)) = ServerMessage::decode(&message) else { panic!("no frame") };
                let (predictor, closed) = predictors.get_mut(&id).unwrap();
                let fenced = Fenced { ground: &Hills, closed };
                predictor.reconcile(frame.head.own, frame.head.last_input_seq, &fenced);
            }
        }
    }
}

#[test]
fn a_walk_against_fences_that_come_and_go_needs_no_correction() {
    let lots = around(middles()[1]);
    let mut zone = zone();
    let arrival = Arrival::Back { place: middles()[1], facing: DVec3::ZERO, otherwise: middles()[1] };
    let id = zone.join(arrival, ClosedLand::default()).unwrap();
    let (body, seq) = zone.body(id).unwrap();
    let (mut predictor, mut closed) = (Predictor::new(*body, seq, Pace::default()), ClosedLand::default());
    let mut blocked_ticks = 0;
    let mut on_the_way = VecDeque::new();
    for tick in 0..3_000_u32 {
        if tick % 150 == 0 {
            let turn = u64::from(tick / 150);
            let here = lot(zone.body(id).unwrap().0.position);
            let mut after =
                closing(&lots, |n| (n as u64).wrapping_mul(turn + 7).is_multiple_of(3).then_some(1));
            after.open(here);
            let seq = zone.body(id).unwrap().1;
            let change = Fences::between(zone.closed(id).unwrap(), &after, seq);
            zone.set_closed(id, after);
            if let Some(change) = change {
                change.apply(&mut closed).unwrap();
                predictor.repeat_after(seq, &Fenced { ground: &Hills, closed: &closed });
            }
        }
        let angle = f64::from(tick / 100) * 2.1;
        let (ahead, aside) = (DVec3::Z, DVec3::Z.cross(middles()[1]));
        let look = ahead * libm::cos(angle) + aside * libm::sin(angle);
        let input = Input::new(Buttons::FORWARD.with(Buttons::RUN), look);
        let before = predictor.body().position;
        predictor.step(input, &Fenced { ground: &Hills, closed: &closed });
        blocked_ticks += u32::from(predictor.body().position.distance(before) < 0.1);
        // The server is six inputs behind: it answers late, and never differs.
        on_the_way.push_back((predictor.last_seq(), input));
        if on_the_way.len() > 6 {
            let (seq, input) = on_the_way.pop_front().unwrap();
            zone.take_inputs(id, seq, &[input]).unwrap();
        }
        zone.tick();
        let (own, applied) = zone.body(id).unwrap();
        let off_m = predictor.reconcile(*own, applied, &Fenced { ground: &Hills, closed: &closed });
        assert_eq!(off_m, 0.0, "tick {tick}");
    }
    assert!(blocked_ticks > 30, "fences were met in {blocked_ticks} ticks");
}

#[test]
fn who_comes_back_to_land_that_is_closed_by_now_stands_beside_it() {
    for middle in middles() {
        let home = lot(middle);
        let closed = closing(&[home, home.edge_neighbors()[0]], |_| Some(1));
        let mut zone = zone();
        let arrival = |place| Arrival::Back { place, facing: DVec3::ZERO, otherwise: middle };
        let id = zone.join(arrival(home.center()), closed.clone()).unwrap();
        let place = zone.body(id).unwrap().0.position;
        assert_eq!(closed.parcel_at(place), None);
        let off_m = place.normalize().distance(home.center()) * RADIUS_M;
        assert!(off_m < 60.0, "{off_m} m away");
        // Who comes to open land stands where they were, to the millimetre.
        let open = home.edge_neighbors()[2].center();
        let id = zone.join(arrival(open), closed.clone()).unwrap();
        assert!(zone.body(id).unwrap().0.position.normalize().distance(open) * RADIUS_M < 0.001);
        // Newcomers and travellers are not put inside either.
        for arrival in [
            Arrival::Newcomer { around: home.center(), facing: DVec3::ZERO },
            Arrival::At { place: home.center(), otherwise: middle },
        ] {
            let id = zone.join(arrival, closed.clone()).unwrap();
            assert_eq!(closed.parcel_at(zone.body(id).unwrap().0.position), None, "{arrival:?}");
        }
    }
}

#[test]
fn where_everything_near_is_closed_one_arrives_as_a_newcomer() {
    let middle = middles()[1];
    let far = DVec3::new(-0.2, 1.0, 0.1).normalize();
    let near = cell::cover_cap(middle, 400.0 / RADIUS_M, LOT_LEVEL).unwrap();
    let closed = closing(&near, |_| Some(1));
    let mut zone = zone();
    let arrival = Arrival::Back { place: middle, facing: DVec3::ZERO, otherwise: far };
    let id = zone.join(arrival, closed).unwrap();
    let off_m = zone.body(id).unwrap().0.position.normalize().distance(far) * RADIUS_M;
    assert!(off_m < 50.0, "{off_m}");
}
