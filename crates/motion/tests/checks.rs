//! What can have happened and what cannot; who sees whom.

use glam::DVec3;
use motion::{
    BadMove, Body, Buttons, ClosedLand, EYE_HEIGHT_M, FALL_MAX_M_S, Fenced, Ground, Input, JUMP_M_S,
    MOVE_SLACK_M, Mode, Pace, RUN_M_S, SIGHT_M_MAX, SWIM_M_S, Surface, can_see, check_move, step,
};
use proptest::prelude::*;

const RADIUS_M: f64 = 796_375.0;

struct Shape<F>(F);

impl<F: Fn(DVec3) -> Surface> Ground for Shape<F> {
    fn surface(&self, dir: DVec3) -> Surface {
        (self.0)(dir)
    }

    fn radius_m(&self) -> f64 {
        RADIUS_M
    }
}

fn flat(elevation_m: f64) -> impl Ground {
    Shape(move |_| Surface::by_the_sea(elevation_m))
}

/// A ground that depends on how far along y one is from the x axis.
fn profile(elevation_m: impl Fn(f64) -> f64) -> impl Ground {
    Shape(move |dir: DVec3| Surface::by_the_sea(elevation_m(dir.y * RADIUS_M)))
}

/// Hills, gullies and lakes that end in walls of water; steep in places, and no place is special.
fn rough() -> impl Ground {
    Shape(|dir: DVec3| {
        let p = dir * RADIUS_M;
        let wave = |length_m: f64| {
            let k = std::f64::consts::TAU / length_m;
            libm::sin(p.x * k) + libm::sin(p.y * k + 1.0) + libm::sin(p.z * k + 2.0)
        };
        let elevation_m = 20.0 * wave(173.0) + 4.0 * wave(31.0) + 0.8 * wave(5.3);
        let water_m = if wave(97.0) > 0.0 { 15.0 } else { 0.0 } + 0.3 * wave(61.0);
        Surface { elevation_m, water_m: (elevation_m < water_m).then_some(water_m) }
    })
}

fn paces() -> [Pace; 3] {
    Pace::RATES_HZ.map(|hz| Pace::try_from_hz(hz).expect("they are the rates"))
}

fn at(y_m: f64) -> DVec3 {
    (DVec3::X + DVec3::Y * (y_m / RADIUS_M)).normalize()
}

/// A body as it would be after moving along and up, at rest.
fn moved(body: &Body, along_m: f64, up_m: f64) -> Body {
    let place = (body.position + DVec3::Y * along_m).normalize();
    Body { position: place * (body.position.length() + up_m), ..*body }
}

fn any_input() -> impl Strategy<Value = Input> {
    (any::<u8>(), any::<[i16; 3]>())
        .prop_map(|(buttons, heading)| Input { buttons: Buttons(buttons), heading })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_honest_move_is_refused_one_step_or_a_second_at_a_time(
        place in [-1.0..1.0, -1.0..1.0, -1.0..1.0_f64],
        inputs in prop::collection::vec((any_input(), 1..40_usize), 1..12),
        pace in (0..3_usize).prop_map(|n| paces()[n]),
        at_once in 1..4_u32,
    ) {
        let ground = rough();
        let dir = DVec3::from_array(place).try_normalize().unwrap_or(DVec3::X);
        let mut body = Body::standing_at(dir, &ground);
        let (mut looked, mut steps) = (body, 0);
        for (input, times) in inputs {
            for _ in 0..times {
                let before = body;
                step(&mut body, input, &ground, pace);
                prop_assert_eq!(check_move(&before, &body, 1, &ground, pace), Ok(()), "{:?} {:?}", before, body);
                steps += 1;
                if steps == at_once {
                    let checked = check_move(&looked, &body, steps, &ground, pace);
                    prop_assert_eq!(checked, Ok(()), "{} steps: {:?} {:?}", steps, looked, body);
                    (looked, steps) = (body, 0);
                }
            }
        }
    }

    #[test]
    fn nobody_gets_farther_than_running_whatever_else_is_claimed(
        along_m in 0.0..40.0_f64, up_m in -60.0..60.0_f64, velocity in any::<[f64; 3]>(), mode in 0..3_u8, steps in 1..31_u32,
    ) {
        let ground = flat(10.0);
        let before = Body::standing_at(DVec3::X, &ground);
        let after = Body {
            velocity: DVec3::from_array(velocity),
            mode: Mode::try_from_u8(mode).unwrap(),
            ..moved(&before, along_m, up_m)
        };
        let pace = Pace::default();
        let is_allowed = check_move(&before, &after, steps, &ground, pace).is_ok();
        let reach_m = RUN_M_S * f64::from(steps) * pace.step_s() + MOVE_SLACK_M;
        prop_assert!(!is_allowed || along_m <= reach_m + 1e-3, "{} m in {} steps", along_m, steps);
        prop_assert!(!is_allowed || after.velocity.is_finite());
        prop_assert!(!is_allowed || (up_m >= -0.02 && mode != Mode::Swimming as u8));
    }
}

#[test]
fn each_rule_has_its_answer() {
    let ground = flat(10.0);
    let pace = Pace::default();
    let stands = Body::standing_at(DVec3::X, &ground);
    let check = |after: Body| check_move(&stands, &after, 1, &ground, pace);
    assert_eq!(check(stands), Ok(()));
    assert_eq!(check(moved(&stands, 0.7, 0.0)), Ok(()), "within the slack");
    assert_eq!(check(moved(&stands, 0.8, 0.0)), Err(BadMove::TooFar));
    assert_eq!(check(moved(&stands, 1e6, 0.0)), Err(BadMove::TooFar));
    let flies = |up_m: f64, climb_m_s: f64| Body {
        mode: Mode::Airborne,
        velocity: DVec3::X * climb_m_s,
        ..moved(&stands, 0.0, up_m)
    };
    assert_eq!(check(flies(0.15, JUMP_M_S - 0.3)), Ok(()));
    assert_eq!(check(flies(0.15, JUMP_M_S + 1.0)), Err(BadMove::NotBallistic));
    assert_eq!(check(flies(1.0, 0.0)), Err(BadMove::TooHigh));
    assert_eq!(check(flies(-5.0, 0.0)), Err(BadMove::TooDeep));
    assert_eq!(check(moved(&stands, 0.0, 0.3)), Err(BadMove::NoFooting), "hovers");
    assert_eq!(check(moved(&stands, 0.0, -0.3)), Err(BadMove::NoFooting), "sinks in");
    assert_eq!(check(Body { mode: Mode::Swimming, ..stands }), Err(BadMove::NoFooting), "swims on land");
    assert_eq!(check(Body { velocity: DVec3::NAN, ..stands }), Err(BadMove::NotFinite));
    assert_eq!(check(Body { position: DVec3::INFINITY, ..stands }), Err(BadMove::NotFinite));
    assert_eq!(check(Body { position: DVec3::ZERO, ..stands }).map_err(|_| ()), Err(()));
    // A flight that hangs in the air, and one that falls as it must.
    let high = flies(20.0, 0.0);
    assert_eq!(check_move(&high, &high, 1, &ground, pace), Err(BadMove::NotBallistic));
    let falls = Body { velocity: DVec3::X * (-9.81 / 30.0), ..moved(&high, 0.0, -0.005) };
    assert_eq!(check_move(&high, &falls, 1, &ground, pace), Ok(()));
    let plunges = Body { velocity: DVec3::X * (-FALL_MAX_M_S - 5.0), ..moved(&high, 0.0, -1.0) };
    assert_eq!(check_move(&high, &plunges, 1, &ground, pace), Err(BadMove::NotBallistic));
}

#[test]
fn a_swimmer_is_no_runner() {
    let ground = flat(-20.0);
    let swims = Body::standing_at(DVec3::X, &ground);
    assert_eq!(swims.mode, Mode::Swimming);
    let pace = Pace::try_from_hz(20).unwrap();
    let reach_m = SWIM_M_S * pace.step_s() + MOVE_SLACK_M;
    assert_eq!(check_move(&swims, &moved(&swims, reach_m - 0.01, 0.0), 1, &ground, pace), Ok(()));
    let too_far = check_move(&swims, &moved(&swims, reach_m + 0.01, 0.0), 1, &ground, pace);
    assert_eq!(too_far, Err(BadMove::TooFarSwimming));
}

#[test]
fn nobody_walks_up_a_wall() {
    let pace = Pace::default();
    for (degrees, answer) in
        [(40.0, Ok(())), (49.0, Ok(())), (62.0, Err(BadMove::TooSteep)), (80.0, Err(BadMove::TooSteep))]
    {
        let tan = libm::tan(f64::to_radians(degrees));
        let ground = profile(|y_m| 50.0 + y_m * tan);
        let before = Body::standing_at(at(0.0), &ground);
        // A tenth of a metre up the slope in a step.
        let along_m = 0.1 / (1.0 + tan * tan).sqrt();
        let after = Body { velocity: DVec3::Y * 3.0, ..Body::standing_at(at(along_m), &ground) };
        assert_eq!(check_move(&before, &after, 1, &ground, pace), answer, "{degrees}°");
    }
}

#[test]
fn a_closed_border_is_crossed_by_nobody_but_who_is_inside() {
    let ground = flat(10.0);
    let lot = cell::CellId::from_point(at(0.0)).parent(15);
    let mut closed = ClosedLand::default();
    closed.close(lot, 7);
    let fenced = Fenced { ground: &ground, closed: &closed };
    let corner = lot.corners()[0];
    let (inside, outside) = (lot.center(), corner + (corner - lot.center()) * 0.01);
    let inside = (corner + (inside - corner) * 0.01).normalize();
    let stands = |place: DVec3| Body::standing_at(place.normalize(), &ground);
    let pace = Pace::default();
    let check = |from, to| check_move(&stands(from), &stands(to), 1, &fenced, pace);
    assert_eq!(check(outside, inside), Err(BadMove::Closed));
    assert_eq!(
        (check(inside, outside), check(inside, inside), check(outside, outside)),
        (Ok(()), Ok(()), Ok(()))
    );
}

fn eye(y_m: f64, ground: &impl Ground) -> DVec3 {
    let place = at(y_m);
    place * (RADIUS_M + ground.surface(place).elevation_m + EYE_HEIGHT_M)
}

#[test]
fn a_hill_hides_and_a_plain_does_not() {
    let plain = flat(3.0);
    let hill = profile(|y_m| if (40.0..90.0).contains(&y_m) { 10.0 } else { 3.0 });
    for distance_m in [5.0, 35.0, 120.0, 300.0, 499.0] {
        assert!(can_see(eye(0.0, &plain), eye(distance_m, &plain), &plain), "{distance_m} m over a plain");
        let is_behind = distance_m > 90.0;
        assert_eq!(can_see(eye(0.0, &hill), eye(distance_m, &hill), &hill), !is_behind, "{distance_m} m");
    }
    assert!(can_see(eye(0.0, &hill), eye(44.0, &hill), &hill), "one at the edge of the hill");
    assert!(!can_see(eye(0.0, &plain), eye(SIGHT_M_MAX + 1.0, &plain), &plain), "beyond what is asked");
    assert!(!can_see(DVec3::NAN, eye(0.0, &plain), &plain));
    assert!(can_see(eye(0.0, &plain), eye(0.0, &plain), &plain), "oneself");
}

proptest! {
    #[test]
    fn both_ends_are_told_the_same(from in any::<[i8; 3]>(), way in any::<[i8; 3]>()) {
        let ground = rough();
        let from = DVec3::from_array(from.map(f64::from)) + DVec3::X * 0.5;
        let eye = |place: DVec3| place * (RADIUS_M + ground.surface(place).elevation_m + EYE_HEIGHT_M);
        let one = from.normalize();
        let other = (one + DVec3::from_array(way.map(f64::from)) * (2.0 / RADIUS_M)).normalize();
        let (one, other) = (eye(one), eye(other));
        prop_assert_eq!(can_see(one, other, &ground), can_see(other, one, &ground));
        prop_assert!(can_see(one, one, &ground));
    }
}

#[test]
fn a_jump_is_as_high_and_a_walk_as_far_at_every_pace() {
    let ground = flat(10.0);
    for pace in paces() {
        let height_m = |body: &Body| body.position.length() - RADIUS_M - 10.0;
        let mut body = Body::standing_at(DVec3::X, &ground);
        let (mut highest_m, mut steps) = (0.0_f64, 0);
        step(&mut body, Input::new(Buttons::JUMP, DVec3::Y), &ground, pace);
        while body.mode == Mode::Airborne {
            highest_m = highest_m.max(height_m(&body));
            step(&mut body, Input::NEUTRAL, &ground, pace);
            steps += 1;
        }
        assert!((highest_m - 1.2).abs() < 0.02, "{highest_m} m high at {} Hz", pace.hz());
        assert!((f64::from(steps) * pace.step_s() - 2.0 * JUMP_M_S / 9.81).abs() < 0.06, "{steps} steps");

        let mut body = Body::standing_at(DVec3::X, &ground);
        for _ in 0..10 * pace.hz() {
            step(&mut body, Input::new(Buttons::FORWARD.with(Buttons::RUN), DVec3::Y), &ground, pace);
        }
        let ran_m = body.up().y * RADIUS_M;
        assert!((ran_m - 10.0 * RUN_M_S).abs() < 0.8, "{ran_m} m at {} Hz", pace.hz());

        // From the bank into deep water and afloat there, without ever rocking up.
        let shore = profile(|y_m| -y_m.max(-3.0));
        let mut body = Body::standing_at(at(-1.0), &shore);
        for _ in 0..15 * pace.hz() {
            step(&mut body, Input::new(Buttons::FORWARD, DVec3::Y), &shore, pace);
        }
        let afloat_m = body.position.length() - RADIUS_M + motion::SWIM_DRAFT_M;
        assert!(body.mode == Mode::Swimming && afloat_m.abs() < 0.05, "{afloat_m} m at {} Hz", pace.hz());
    }
}

#[test]
fn a_pace_is_one_of_three() {
    assert_eq!(paces().map(Pace::hz), [20, 30, 60]);
    assert!([0, 1, 10, 31, 120, u32::MAX].into_iter().all(|hz| Pace::try_from_hz(hz).is_none()));
    assert_eq!((Pace::default().hz(), Pace::default().step_s()), (30, 1.0 / 30.0));
}
