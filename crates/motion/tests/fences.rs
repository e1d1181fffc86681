//! Closed land: nobody gets in, everybody gets along and out.

use cell::CellId;
use glam::DVec3;
use motion::{
    BORDER_M, Body, Buttons, ClosedLand, Fenced, Ground, Input, Mode, Pace, Predictor, RUN_M_S, Surface,
    WALK_M_S, step,
};
use proptest::prelude::*;

const RADIUS_M: f64 = 796_375.0;
const LOT_LEVEL: u8 = 15;

/// Level land, or hills with lakes between them.
struct Land {
    is_rough: bool,
}

impl Ground for Land {
    fn surface(&self, dir: DVec3) -> Surface {
        if !self.is_rough {
            return Surface::by_the_sea(10.0);
        }
        let p = dir * RADIUS_M;
        let wave = |length_m: f64| {
            let k = std::f64::consts::TAU / length_m;
            libm::sin(p.x * k) + libm::sin(p.y * k + 1.0) + libm::sin(p.z * k + 2.0)
        };
        let elevation_m = 5.0 * wave(97.0) + 0.8 * wave(11.3);
        Surface { elevation_m, water_m: (elevation_m < 0.0).then_some(0.0) }
    }

    fn radius_m(&self) -> f64 {
        RADIUS_M
    }
}

const LEVEL: Land = Land { is_rough: false };

fn lot(place: DVec3) -> CellId {
    CellId::from_point(place).parent(LOT_LEVEL)
}

/// In the middle of a face, where lots are square, in a corner of the cube, where three faces meet, and between.
fn places() -> [DVec3; 4] {
    [
        DVec3::new(1.0, 0.001, 0.002),
        DVec3::new(1.0, 1.0, 0.999_999),
        DVec3::new(0.3, -0.7, 0.31),
        DVec3::new(-1.0, 0.4, 0.999_99),
    ]
    .map(|place| lot(place.normalize()).center())
}

fn closing(lots: &[CellId], parcel: u64) -> ClosedLand {
    let mut closed = ClosedLand::default();
    assert!(lots.iter().all(|lot| closed.close(*lot, parcel)));
    closed
}

fn walk(body: &mut Body, look: DVec3, seconds: f64, closed: &ClosedLand) {
    let input = Input::new(Buttons::FORWARD, look);
    for _ in 0..(seconds * f64::from(Pace::default().hz())) as usize {
        step(body, input, &Fenced { ground: &LEVEL, closed }, Pace::default());
    }
}

/// The lot's border nearest to a neighbour's centre: middle of the edge, and the unit vector across, outwards.
fn border_towards(lot: CellId, neighbor: CellId) -> (DVec3, DVec3) {
    let corners = lot.corners();
    let edges = [0, 1, 2, 3].map(|k| {
        let (a, b) = (corners[k], corners[(k + 1) % 4]);
        ((a + b).normalize(), b.cross(a).normalize())
    });
    let near = |edge: &(DVec3, DVec3)| edge.0.distance(neighbor.center());
    edges.into_iter().min_by(|a, b| near(a).total_cmp(&near(b))).expect("four edges")
}

#[test]
fn a_walk_straight_against_closed_land_ends_at_its_border() {
    for home in places().map(lot) {
        for neighbor in home.edge_neighbors() {
            let closed = closing(&[neighbor], 7);
            let mut body = Body::standing_at(home.center(), &LEVEL);
            let (edge, outward) = border_towards(home, neighbor);
            walk(&mut body, edge - home.center(), 15.0, &closed);
            let room_m = -body.position.dot(outward);
            assert!((0.0..BORDER_M + 1e-6).contains(&room_m), "{room_m} m before the border of {neighbor}");
            assert_eq!(lot(body.position), home);
            // And away again as if nothing had been.
            walk(&mut body, home.center() - edge, 3.0, &closed);
            assert!(-body.position.dot(outward) - room_m > 2.0 * WALK_M_S);
        }
    }
}

#[test]
fn a_slanting_walk_slides_along_the_border_and_into_what_is_open() {
    for home in places().map(lot) {
        let neighbor = home.edge_neighbors()[0];
        let closed = closing(&[neighbor], 7);
        let (edge, outward) = border_towards(home, neighbor);
        let along = outward.cross(edge).normalize();
        let mut body = Body::standing_at(home.center(), &LEVEL);
        walk(&mut body, outward * 2.0 + along, 30.0, &closed);
        assert_ne!(lot(body.position), home, "it went past the closed lot");
        assert!(closed.parcel_at(body.position).is_none());
        let aside_m = (body.position - home.center() * body.position.length()).dot(along);
        assert!(aside_m > 30.0, "{aside_m} m along {neighbor}");
    }
}

#[test]
fn a_corner_of_two_borders_holds_a_walker_and_lets_it_go() {
    for home in places().map(lot) {
        let around = home.all_neighbors();
        let closed = closing(&around, 7);
        for corner in home.corners() {
            let mut body = Body::standing_at(home.center(), &LEVEL);
            walk(&mut body, corner - home.center(), 25.0, &closed);
            assert_eq!(lot(body.position), home);
            let off_m = (body.up() - corner).length() * RADIUS_M;
            assert!(off_m < 0.5, "{off_m} m from the corner");
            walk(&mut body, home.center() - corner, 3.0, &closed);
            assert!((body.up() - corner).length() * RADIUS_M > 8.0, "stuck in a corner");
        }
    }
}

#[test]
fn who_stood_inside_when_it_was_closed_walks_about_and_out_and_not_in_again() {
    for home in places().map(lot) {
        let (second, foreign) = (home.edge_neighbors()[0], home.edge_neighbors()[2]);
        let mut closed = closing(&[home, second], 7);
        assert!(closed.close(foreign, 8));
        let mut body = Body::standing_at(home.center(), &LEVEL);
        walk(&mut body, second.center() - home.center(), 11.0, &closed);
        assert_eq!(lot(body.position), second, "within its parcel it may walk");
        walk(&mut body, home.center() - second.center(), 20.0, &closed);
        assert_eq!(lot(body.position), home, "from one closed parcel into another it may not");
        let open = home.edge_neighbors()[1];
        let out = open.center() - body.up();
        walk(&mut body, out, 14.0, &closed);
        assert_eq!(closed.parcel_at(body.position), None, "out it may");
        let back = home.center() - body.up();
        walk(&mut body, back, 30.0, &closed);
        assert_eq!(closed.parcel_at(body.position), None, "and not in again");
    }
}

#[test]
fn a_fall_goes_on_at_a_border() {
    let home = lot(places()[0]);
    let neighbor = home.edge_neighbors()[0];
    let closed = closing(&[neighbor], 7);
    let (edge, outward) = border_towards(home, neighbor);
    let mut body = Body::standing_at((edge - outward * (0.5 / RADIUS_M)).normalize(), &LEVEL);
    body.position += body.up() * 30.0;
    body.velocity = outward * RUN_M_S;
    body.mode = Mode::Airborne;
    let input = Input::new(Buttons::FORWARD, outward);
    for _ in 0..90 {
        step(&mut body, input, &Fenced { ground: &LEVEL, closed: &closed }, Pace::default());
    }
    assert_eq!((body.mode, lot(body.position)), (Mode::Grounded, home));
}

#[test]
fn cells_of_two_levels_are_not_mixed_and_open_land_costs_nothing() {
    let home = lot(places()[0]);
    let mut closed = closing(&[home], 7);
    assert!(!closed.close(home.parent(LOT_LEVEL - 1), 7));
    assert!(closed.close(home, 9));
    assert_eq!(closed.lots(), [(home, 9)]);
    closed.open(home.edge_neighbors()[0]);
    closed.open(home);
    assert!(closed.is_empty() && Fenced { ground: &LEVEL, closed: &closed }.closed_land().is_none());
}

#[test]
fn a_fence_that_closes_between_two_inputs_leaves_the_prediction_right() {
    let home = lot(places()[2]);
    let neighbor = home.edge_neighbors()[0];
    let (edge, _) = border_towards(home, neighbor);
    let (open, closed) = (ClosedLand::default(), closing(&[neighbor], 7));
    let input = Input::new(Buttons::FORWARD, edge - home.center());
    let mut server = Body::standing_at(home.center(), &LEVEL);
    let mut client = Predictor::new(server, 0, Pace::default());
    // It closes for inputs after the 100th, of which the client hears ten inputs later.
    let fenced = |closed| Fenced { ground: &LEVEL, closed };
    for seq in 1..=400_u32 {
        client.step(input, &fenced(if seq <= 110 { &open } else { &closed }));
        step(&mut server, input, &fenced(if seq <= 100 { &open } else { &closed }), Pace::default());
        if seq == 110 {
            assert_eq!(client.repeat_after(100, &fenced(&closed)), 0.0, "the border is far");
        }
    }
    assert_eq!(*client.body(), server);
    assert_eq!(client.reconcile(server, 400, &fenced(&closed)), 0.0);
    // It opens, and what was predicted against the border is made again.
    for seq in 401..=420_u32 {
        client.step(input, &fenced(&closed));
        step(&mut server, input, &fenced(if seq <= 405 { &closed } else { &open }), Pace::default());
    }
    let moved_m = client.repeat_after(405, &fenced(&open));
    assert!(moved_m > 14.0 * Pace::default().step_s() * WALK_M_S - 0.5, "{moved_m}");
    assert_eq!(*client.body(), server);
}

/// Some of the 25 lots around a place, of three parcels.
fn any_closed() -> impl Strategy<Value = Vec<Option<u64>>> {
    prop::collection::vec(prop::option::of(0..3_u64), 25)
}

fn around(home: CellId) -> Vec<CellId> {
    let mut lots = vec![home];
    for ring in 0..2 {
        for inner in lots.clone() {
            lots.extend(inner.all_neighbors().iter().copied());
        }
        lots.sort_unstable();
        lots.dedup();
        assert!(ring == 1 || lots.len() >= 8);
    }
    lots
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_step_ends_in_closed_land_that_it_did_not_begin_in(
        place in 0..4_usize,
        is_rough in any::<bool>(),
        closed in any_closed(),
        start in [-60.0..60.0_f64, -60.0..60.0],
        height_m in prop_oneof![Just(0.0), 0.0..20.0_f64],
        inputs in prop::collection::vec((any::<u8>(), any::<[i16; 3]>(), 1..40_usize), 30),
    ) {
        let home = lot(places()[place]);
        let mut land = ClosedLand::default();
        for (lot, parcel) in around(home).into_iter().zip(closed) {
            if let Some(parcel) = parcel {
                prop_assert!(land.close(lot, parcel));
            }
        }
        let ground = Land { is_rough };
        let fenced = Fenced { ground: &ground, closed: &land };
        let aside = home.center().any_orthonormal_vector();
        let offset = aside * start[0] + home.center().cross(aside) * start[1];
        let mut body = Body::standing_at((home.center() + offset / RADIUS_M).normalize(), &ground);
        if height_m > 0.0 {
            body.position += body.up() * height_m;
            body.mode = Mode::Airborne;
        }
        for (buttons, heading, steps) in inputs {
            for _ in 0..steps {
                let before = body;
                step(&mut body, Input { buttons: Buttons(buttons | 1), heading }, &fenced, Pace::default());
                let (was, is) = (land.parcel_at(before.position), land.parcel_at(body.position));
                prop_assert!(is.is_none() || is == was, "{was:?} to {is:?}: {before:?} {body:?}");
                let moved_m = (body.up() - before.up()).length() * RADIUS_M;
                prop_assert!(moved_m <= RUN_M_S * Pace::default().step_s() + 1e-6, "{moved_m} m in one step");
                prop_assert!(body.position.is_finite() && body.velocity.is_finite());
            }
        }
    }

    #[test]
    fn where_all_is_open_every_bit_is_as_without_fences(
        inputs in prop::collection::vec((any::<u8>(), any::<[i16; 3]>()), 300),
    ) {
        let ground = Land { is_rough: true };
        let closed = closing(&[lot(-places()[0])], 1);
        let mut plain = Body::standing_at(places()[0], &ground);
        let mut fenced = plain;
        for (buttons, heading) in inputs {
            let input = Input { buttons: Buttons(buttons), heading };
            step(&mut plain, input, &ground, Pace::default());
            step(&mut fenced, input, &Fenced { ground: &ground, closed: &closed }, Pace::default());
            prop_assert_eq!(plain, fenced);
        }
    }
}
