//! What a body can and cannot do, on grounds made for the question.

use glam::DVec3;
use motion::{
    Body, Buttons, FALL_MAX_M_S, Ground, Input, JUMP_M_S, Mode, Pace, RUN_M_S, STEP_HEIGHT_M, SWIM_DRAFT_M,
    SWIM_M_S, Surface, WALK_M_S, step,
};
use proptest::prelude::*;

const RADIUS_M: f64 = 796_375.0;

/// A ground given by a function of the direction.
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

/// Where the tests on ramps and cliffs take place, and the two directions along the ground there.
const HERE: DVec3 = DVec3::X;
const AHEAD: DVec3 = DVec3::Y;
const ASIDE: DVec3 = DVec3::Z;

/// A ground that depends on how far ahead of [`HERE`] one is.
fn profile(elevation_m: impl Fn(f64) -> f64) -> impl Ground {
    Shape(move |dir: DVec3| Surface::by_the_sea(elevation_m(dir.dot(AHEAD) * RADIUS_M)))
}

/// The same with water in hollows: wherever the ground is lower than its surface.
fn profile_with_water(elevation_m: impl Fn(f64) -> f64, water_m: impl Fn(f64) -> f64) -> impl Ground {
    Shape(move |dir: DVec3| {
        let x_m = dir.dot(AHEAD) * RADIUS_M;
        wet(elevation_m(x_m), water_m(x_m))
    })
}

/// Ground under water where that is higher.
fn wet(elevation_m: f64, water_m: f64) -> Surface {
    Surface { elevation_m, water_m: (elevation_m < water_m).then_some(water_m) }
}

/// Level to `x = 0`, then up at an angle for 60 m along the map, then level.
fn ramp(degrees: f64) -> impl Ground {
    let tan = libm::tan(degrees.to_radians());
    profile(move |x| 10.0 + x.clamp(0.0, 60.0) * tan)
}

/// Hills of tens of metres, gullies of a few, between them lakes whose surfaces rise and fall over each other and
/// end in walls of water; steep in places, and no place is special.
fn rough() -> impl Ground {
    Shape(|dir: DVec3| {
        let p = dir * RADIUS_M;
        let wave = |p: DVec3, length_m: f64| {
            let k = std::f64::consts::TAU / length_m;
            libm::sin(p.x * k) + libm::sin(p.y * k + 1.0) + libm::sin(p.z * k + 2.0)
        };
        let elevation_m = 20.0 * wave(p, 173.0) + 4.0 * wave(p, 31.0) + 0.8 * wave(p, 5.3);
        let terrace_m = if wave(p, 97.0) > 0.0 { 15.0 } else { 0.0 };
        wet(elevation_m, terrace_m + 0.3 * wave(p, 61.0))
    })
}

fn at(x_m: f64) -> DVec3 {
    (HERE + AHEAD * (x_m / RADIUS_M)).normalize()
}

fn x_of(body: &Body) -> f64 {
    body.up().dot(AHEAD) * RADIUS_M
}

fn height_of(body: &Body) -> f64 {
    body.position.length() - RADIUS_M
}

fn run(body: &mut Body, buttons: Buttons, look: DVec3, seconds: f64, ground: &impl Ground) {
    let input = Input::new(buttons, look);
    for _ in 0..(seconds * f64::from(Pace::default().hz())).round() as usize {
        step(body, input, ground, Pace::default());
    }
}

/// Checks after every step what must hold whatever is asked of the body.
fn step_checked(body: &mut Body, input: Input, ground: &impl Ground) {
    let before = *body;
    step(body, input, ground, Pace::default());
    assert!(body.position.is_finite() && body.velocity.is_finite() && body.facing.is_finite(), "{body:?}");
    let surface = ground.surface(body.up());
    let elevation_m = surface.elevation_m;
    let height_m = height_of(body);
    assert!(
        height_m >= elevation_m - 1e-6,
        "under the ground by {}: {before:?} {body:?}",
        elevation_m - height_m
    );
    assert!((body.facing.length() - 1.0).abs() < 1e-9 && body.facing.dot(body.up()).abs() < 1e-9);

    let moved_m = (body.up() - before.up()).length() * RADIUS_M;
    assert!(
        moved_m <= RUN_M_S * Pace::default().step_s() + 1e-6,
        "{moved_m} m in one step: {before:?} {body:?}"
    );
    let rise_m = height_m - height_of(&before);
    assert!(rise_m <= STEP_HEIGHT_M + 1e-6, "rose {rise_m} m in one step: {before:?} {body:?}");
    assert!(
        rise_m >= -FALL_MAX_M_S * Pace::default().step_s() - 1e-6,
        "sank {rise_m} m in one step: {before:?} {body:?}"
    );
    let climb_m_s = body.velocity.dot(body.up());
    let along_m_s = (body.velocity - body.up() * climb_m_s).length();
    assert!(along_m_s <= RUN_M_S + 1e-6);
    assert!((-FALL_MAX_M_S - 1e-6..=JUMP_M_S + 1e-6).contains(&climb_m_s));
    match body.mode {
        Mode::Grounded => {
            assert!((height_m - elevation_m).abs() < 1e-6, "off the ground: {before:?} {body:?}");
            assert!(elevation_m >= surface.afloat_m() - 1e-6, "walks in deep water: {before:?} {body:?}");
        }
        Mode::Airborne => {}
        Mode::Swimming => assert!(surface.is_deep(), "swims on land: {before:?} {body:?}"),
    }
}

fn any_input() -> impl Strategy<Value = Input> {
    let part = prop_oneof![any::<i16>(), Just(0), Just(i16::MIN), Just(i16::MAX)];
    (any::<u8>(), [part.clone(), part.clone(), part])
        .prop_map(|(buttons, heading)| Input { buttons: Buttons(buttons), heading })
}

/// Any direction, and often one where some axis or face of the cube is special.
fn any_dir() -> impl Strategy<Value = DVec3> {
    let part = prop_oneof![-1.0..1.0_f64, Just(0.0), Just(1.0), Just(-1.0)];
    [part.clone(), part.clone(), part]
        .prop_filter_map("no direction", |parts| DVec3::from_array(parts).try_normalize())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_input_brings_a_body_under_the_ground_or_out_of_its_envelope(
        dir in any_dir(),
        inputs in prop::collection::vec((any_input(), 1..40_usize), 1..40),
    ) {
        let ground = rough();
        let mut body = Body::standing_at(dir, &ground);
        for (input, count) in inputs {
            for _ in 0..count {
                step_checked(&mut body, input, &ground);
            }
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_bits_and_the_facing_has_no_part_in_it(
        dir in any_dir(),
        inputs in prop::collection::vec(any_input(), 1..400),
    ) {
        let ground = rough();
        let mut first = Body::standing_at(dir, &ground);
        let mut second = first;
        let mut rounded = first;
        for input in inputs {
            step(&mut first, input, &ground, Pace::default());
            step(&mut second, input, &ground, Pace::default());
            step(&mut rounded, input, &ground, Pace::default());
            rounded.facing = rounded.facing.as_vec3().as_dvec3();
            prop_assert_eq!(bits(&first), bits(&second));
            prop_assert_eq!(bits(&first)[..6].to_vec(), bits(&rounded)[..6].to_vec());
        }
    }

    #[test]
    fn no_input_climbs_a_slope_of_55_degrees(
        inputs in prop::collection::vec((any_input(), 1..30_usize), 1..60),
        start_m in -3.0..0.0_f64,
    ) {
        let ground = ramp(55.0);
        let mut body = Body::standing_at(at(start_m), &ground);
        for (input, count) in inputs {
            // Mostly uphill, whatever the rest of the input says.
            let heading = Input::new(input.buttons, AHEAD).heading;
            let input = Input { buttons: input.buttons.with(Buttons::FORWARD), heading };
            for _ in 0..count {
                step_checked(&mut body, input, &ground);
                // A jump from the lowest reach of the slope, where the level ground below still holds the feet.
                prop_assert!(height_of(&body) <= 10.0 + 1.2 + 1.5 * STEP_HEIGHT_M, "at {}", height_of(&body));
            }
        }
    }
}

fn bits(body: &Body) -> [u64; 9] {
    let mut bits = [0; 9];
    let numbers = [body.position, body.velocity, body.facing]
        .into_iter()
        .flat_map(|vector| vector.to_array())
        .map(f64::to_bits);
    bits.iter_mut().zip(numbers).for_each(|(to, from)| *to = from);
    bits
}

#[test]
fn speeds_on_level_ground_are_the_published_ones_in_every_direction() {
    let cases = [
        (10.0, Buttons::FORWARD, WALK_M_S),
        (10.0, Buttons::BACK, WALK_M_S),
        (10.0, Buttons::FORWARD.with(Buttons::LEFT), WALK_M_S),
        (10.0, Buttons::FORWARD.with(Buttons::RUN), RUN_M_S),
        (10.0, Buttons::RIGHT.with(Buttons::RUN).with(Buttons::BACK), RUN_M_S),
        (-50.0, Buttons::FORWARD.with(Buttons::RUN), SWIM_M_S),
    ];
    for (elevation_m, buttons, speed_m_s) in cases {
        let ground = flat(elevation_m);
        let mut body = Body::standing_at(HERE, &ground);
        run(&mut body, buttons, AHEAD, 1.0, &ground);
        let from = body.position;
        run(&mut body, buttons, AHEAD, 10.0, &ground);
        let moved_m = (body.position - from).length();
        assert!((moved_m / 10.0 - speed_m_s).abs() < 0.01, "{buttons:?}: {moved_m} m in 10 s");
    }
}

#[test]
fn keys_point_where_the_camera_says() {
    let ground = flat(10.0);
    // Seen from outside with x towards us, y is to the right of z; a person looking along y has z to the left.
    for (buttons, direction) in
        [(Buttons::FORWARD, AHEAD), (Buttons::BACK, -AHEAD), (Buttons::LEFT, ASIDE), (Buttons::RIGHT, -ASIDE)]
    {
        let mut body = Body::standing_at(HERE, &ground);
        run(&mut body, buttons, AHEAD, 1.0, &ground);
        assert!(body.velocity.normalize().dot(direction) > 0.999, "{buttons:?} went {}", body.velocity);
        assert!(body.facing.dot(direction) > 0.999, "{buttons:?} faces {}", body.facing);
    }
}

#[test]
fn a_heading_without_direction_along_the_ground_asks_for_nothing() {
    let ground = flat(10.0);
    for heading in [[0; 3], [32_767, 0, 0], [i16::MIN, 0, 0], [32_767, 3, -2]] {
        let mut body = Body::standing_at(HERE, &ground);
        let before = body;
        for _ in 0..30 {
            step(
                &mut body,
                Input { buttons: Buttons::FORWARD.with(Buttons::RUN), heading },
                &ground,
                Pace::default(),
            );
        }
        assert_eq!(body, before, "{heading:?}");
    }
}

#[test]
fn a_body_asked_for_nothing_comes_to_rest_and_keeps_its_bits() {
    let ground = rough();
    for dir in [DVec3::X, DVec3::Z, DVec3::ONE.normalize()] {
        let mut body = Body::standing_at(dir, &ground);
        run(&mut body, Buttons::FORWARD.with(Buttons::RUN), DVec3::new(0.3, 0.5, -0.7), 3.0, &ground);
        run(&mut body, Buttons::default(), DVec3::Y, 20.0, &ground);
        let rested = body;
        run(&mut body, Buttons::default(), DVec3::Y, 1.0, &ground);
        assert_eq!(bits(&body), bits(&rested));
        assert_eq!(body.velocity, DVec3::ZERO);
    }
}

#[test]
fn a_jump_is_1_2_m_high_and_ends_on_the_ground() {
    let ground = flat(10.0);
    let mut body = Body::standing_at(HERE, &ground);
    run(&mut body, Buttons::JUMP, AHEAD, Pace::default().step_s(), &ground);
    assert_eq!(body.mode, Mode::Airborne);
    let mut top_m: f64 = 0.0;
    while body.mode == Mode::Airborne {
        step_checked(&mut body, Input::NEUTRAL, &ground);
        top_m = top_m.max(height_of(&body) - 10.0);
    }
    assert!((1.15..1.21).contains(&top_m), "{top_m}");
    assert_eq!(body.mode, Mode::Grounded);
}

#[test]
fn slopes_up_to_the_limit_are_climbed_at_the_speed_along_the_surface() {
    for degrees in [10.0_f64, 30.0, 45.0, 49.0] {
        let ground = ramp(degrees);
        let mut body = Body::standing_at(at(1.0), &ground);
        run(&mut body, Buttons::FORWARD, AHEAD, 1.0, &ground);
        let from = body.position;
        run(&mut body, Buttons::FORWARD, AHEAD, 5.0, &ground);
        let moved_m = (body.position - from).length();
        assert!((moved_m / 5.0 - WALK_M_S).abs() < 0.02, "{degrees}°: {moved_m} m in 5 s");
    }
}

#[test]
fn too_steep_a_slope_stops_a_walker_at_its_foot_and_turns_a_slanting_one_along_it() {
    let ground = ramp(60.0);
    let mut body = Body::standing_at(at(-5.0), &ground);
    run(&mut body, Buttons::FORWARD.with(Buttons::RUN), AHEAD, 5.0, &ground);
    assert!(x_of(&body) < 0.6 && height_of(&body) < 11.0, "{} {}", x_of(&body), height_of(&body));

    let mut body = Body::standing_at(at(-2.0), &ground);
    run(&mut body, Buttons::FORWARD, AHEAD + ASIDE, 6.0, &ground);
    let along_m = body.up().dot(ASIDE) * RADIUS_M;
    assert!(along_m > 8.0, "went {along_m} m along the foot");
}

#[test]
fn a_body_dropped_on_a_steep_slope_slides_to_its_foot_and_rests_there() {
    let ground = ramp(60.0);
    let mut body = Body::standing_at(at(20.0), &ground);
    body.position += body.up() * 5.0;
    body.mode = Mode::Airborne;
    run(&mut body, Buttons::default(), AHEAD, 20.0, &ground);
    assert_eq!(body.mode, Mode::Grounded);
    assert!(x_of(&body) < 0.6, "still at {}", x_of(&body));
    assert_eq!(body.velocity, DVec3::ZERO);
}

#[test]
fn ledges_up_to_the_step_height_are_taken_higher_ones_need_a_jump() {
    let cases = [
        (0.5, Buttons::FORWARD, true),
        (0.59, Buttons::FORWARD.with(Buttons::RUN), true),
        (0.7, Buttons::FORWARD, false),
        (0.7, Buttons::FORWARD.with(Buttons::RUN), false),
        (0.9, Buttons::FORWARD.with(Buttons::JUMP), true),
        (3.0, Buttons::FORWARD.with(Buttons::JUMP).with(Buttons::RUN), false),
    ];
    for (ledge_m, buttons, is_taken) in cases {
        let ground = profile(move |x| if x < 0.0 { 10.0 } else { 10.0 + ledge_m });
        let mut body = Body::standing_at(at(-3.0), &ground);
        run(&mut body, buttons, AHEAD, 4.0, &ground);
        assert_eq!(x_of(&body) > 1.0, is_taken, "ledge of {ledge_m} m, {buttons:?}: {}", x_of(&body));
    }
}

#[test]
fn a_runner_over_a_cliff_falls_and_lands_at_its_foot() {
    let ground = profile(|x| if x < 0.0 { 60.0 } else { 10.0 });
    let mut body = Body::standing_at(at(-4.0), &ground);
    run(&mut body, Buttons::FORWARD.with(Buttons::RUN), AHEAD, 1.0, &ground);
    assert_eq!(body.mode, Mode::Airborne);
    let mut seconds = 0.0;
    while body.mode == Mode::Airborne {
        step_checked(&mut body, Input::NEUTRAL, &ground);
        seconds += Pace::default().step_s();
    }
    assert_eq!(body.mode, Mode::Grounded);
    assert!((height_of(&body) - 10.0).abs() < 1e-6);
    // sqrt(2 · 50 m / g), less the part of it that passed in the second of running.
    assert!((2.5..3.3).contains(&seconds), "{seconds}");
}

#[test]
fn a_body_in_deep_water_floats_at_the_surface_even_after_a_fall() {
    let ground = flat(-30.0);
    let mut body = Body::standing_at(HERE, &ground);
    assert_eq!(body.mode, Mode::Swimming);
    assert!((height_of(&body) + SWIM_DRAFT_M).abs() < 1e-6);
    body.position += body.up() * 20.0;
    body.mode = Mode::Airborne;
    let mut deepest_m: f64 = 0.0;
    for _ in 0..30 * 10 {
        step_checked(&mut body, Input::NEUTRAL, &ground);
        deepest_m = deepest_m.min(height_of(&body));
    }
    assert!((-12.0..-2.0).contains(&deepest_m), "dived to {deepest_m}");
    assert_eq!(body.mode, Mode::Swimming);
    assert!((height_of(&body) + SWIM_DRAFT_M).abs() < 1e-6);
    assert_eq!(body.velocity, DVec3::ZERO);
}

#[test]
fn walking_into_the_sea_and_back_is_smooth() {
    let ground = profile(|x| -x * 0.2);
    let mut body = Body::standing_at(at(-10.0), &ground);
    let mut modes = vec![body.mode];
    for (look, seconds) in [(AHEAD, 15), (-AHEAD, 15)] {
        let input = Input::new(Buttons::FORWARD, look);
        for _ in 0..seconds * 30 {
            let before_m = height_of(&body);
            step_checked(&mut body, input, &ground);
            assert!((height_of(&body) - before_m).abs() < 0.05, "a jolt at {}", x_of(&body));
            if modes.last() != Some(&body.mode) {
                modes.push(body.mode);
            }
        }
    }
    assert_eq!(modes, [Mode::Grounded, Mode::Swimming, Mode::Grounded]);
    assert!(x_of(&body) < -3.0);
}

#[test]
fn walking_into_a_mountain_lake_and_out_at_the_other_shore_is_smooth() {
    let ground = profile_with_water(|x| 840.0 + (x.abs() - 20.0) * 0.25, |_| 840.0);
    let mut body = Body::standing_at(at(-30.0), &ground);
    let mut modes = vec![body.mode];
    for _ in 0..30 * 40 {
        let before_m = height_of(&body);
        step_checked(&mut body, Input::new(Buttons::FORWARD, AHEAD), &ground);
        assert!((height_of(&body) - before_m).abs() < 0.05, "a jolt at {}", x_of(&body));
        if body.mode == Mode::Swimming {
            assert!((height_of(&body) - (840.0 - SWIM_DRAFT_M)).abs() < 0.05);
        }
        if modes.last() != Some(&body.mode) {
            modes.push(body.mode);
        }
    }
    assert_eq!(modes, [Mode::Grounded, Mode::Swimming, Mode::Grounded]);
    assert!(x_of(&body) > 22.0, "out of the water: {}", x_of(&body));
}

#[test]
fn ground_below_the_sea_without_water_is_walked_on() {
    let ground = Shape(|_| Surface { elevation_m: -300.0, water_m: None });
    let mut body = Body::standing_at(HERE, &ground);
    run(&mut body, Buttons::FORWARD, AHEAD, 3.0, &ground);
    assert_eq!(body.mode, Mode::Grounded);
    assert!((x_of(&body) - 9.0).abs() < 0.5, "at walking speed: {}", x_of(&body));
}

#[test]
fn a_swimmer_follows_a_river_down_its_slope() {
    let ground = profile_with_water(|x| 96.0 - 0.03 * x, |x| 100.0 - 0.03 * x);
    let mut body = Body::standing_at(HERE, &ground);
    for _ in 0..30 * 60 {
        step_checked(&mut body, Input::new(Buttons::FORWARD, AHEAD), &ground);
        assert_eq!(body.mode, Mode::Swimming);
        let afloat_m = 100.0 - 0.03 * x_of(&body) - SWIM_DRAFT_M;
        assert!((height_of(&body) - afloat_m).abs() < 0.1, "{} over the river", height_of(&body) - afloat_m);
    }
    assert!(x_of(&body) > 120.0);
}

#[test]
fn a_swimmer_over_a_waterfall_falls_and_swims_on() {
    let ground =
        profile_with_water(|x| if x < 5.0 { 46.0 } else { 20.0 }, |x| if x < 5.0 { 50.0 } else { 30.0 });
    let mut body = Body::standing_at(HERE, &ground);
    let mut modes = vec![body.mode];
    for _ in 0..30 * 20 {
        step_checked(&mut body, Input::new(Buttons::FORWARD, AHEAD), &ground);
        if modes.last() != Some(&body.mode) {
            modes.push(body.mode);
        }
    }
    assert_eq!(modes, [Mode::Swimming, Mode::Airborne, Mode::Swimming]);
    assert!((height_of(&body) - (30.0 - SWIM_DRAFT_M)).abs() < 0.05);
}

#[test]
fn wading_slows_evenly_in_a_ford_as_in_the_sea() {
    for water_m in [0.0, 700.0] {
        let speed_at = |depth_m: f64| {
            let ground = Shape(move |_| wet(water_m - depth_m, water_m));
            let mut body = Body::standing_at(HERE, &ground);
            run(&mut body, Buttons::FORWARD.with(Buttons::RUN), AHEAD, 2.0, &ground);
            body.velocity.length()
        };
        for (depth_m, speed_m_s) in [(0.0, RUN_M_S), (0.6, f64::midpoint(RUN_M_S, SWIM_M_S)), (1.2, SWIM_M_S)]
        {
            assert!((speed_at(depth_m) - speed_m_s).abs() < 1e-6, "{depth_m} m deep: {}", speed_at(depth_m));
        }
    }
}

#[test]
fn poles_and_cube_edges_are_walked_over_like_any_other_place() {
    let ground = flat(10.0);
    let places = [
        (DVec3::Z, DVec3::X),
        (-DVec3::Z, DVec3::new(0.6, 0.8, 0.0)),
        (DVec3::new(1.0, 1.0, 0.0).normalize(), DVec3::new(-1.0, 1.0, 0.0).normalize()),
        (DVec3::ONE.normalize(), DVec3::new(1.0, -1.0, 0.0).normalize()),
    ];
    for (place, ahead) in places {
        let start = (place - ahead * (15.0 / RADIUS_M)).normalize();
        let mut body = Body::standing_at(start, &ground);
        run(&mut body, Buttons::FORWARD, ahead, 1.0, &ground);
        for _ in 0..30 * 9 {
            let before = body.position;
            step_checked(&mut body, Input::new(Buttons::FORWARD, ahead), &ground);
            let moved_m = (body.position - before).length();
            assert!((moved_m - WALK_M_S * Pace::default().step_s()).abs() < 1e-4, "{moved_m} m near {place}");
        }
        let beyond_m = body.up().dot(ahead) * RADIUS_M;
        let astray_m = body.up().dot(place.cross(ahead)) * RADIUS_M;
        assert!((14.0..16.0).contains(&beyond_m), "{beyond_m} m beyond {place}");
        assert!(astray_m.abs() < 0.01, "{astray_m} m astray near {place}");
    }
}

#[test]
fn the_golden_walk_ends_in_the_golden_bits() {
    let ground = rough();
    let mut body = Body::standing_at(DVec3::new(0.2, -0.3, 0.9).normalize(), &ground);
    let mut random = 1_u64;
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for _ in 0..2_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let part = |shift: u32| (random >> shift) as i16;
        let buttons = Buttons((random >> 58) as u8).with(Buttons::FORWARD);
        let input = Input { buttons, heading: [part(0), part(16), part(32)] };
        for _ in 0..10 {
            step_checked(&mut body, input, &ground);
        }
        for word in bits(&body) {
            hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    assert_eq!(
        hash, 18_141_810_485_415_744_122,
        "the rules changed: raise RULES_VERSION and write the new hash here"
    );
}
