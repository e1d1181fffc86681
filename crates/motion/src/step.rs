//! One step of movement.
//!
//! The state is split into a direction from the planet's centre and a height above sea level: gravity and
//! water act on the height, keys and slopes along the ground. Three samples of ground and water serve a walking
//! step: a reach ahead, a reach to the side, and under the new place.

use crate::body::{along_ground, any_along_ground};
use crate::{
    AFLOAT_TOLERANCE_M, AIR_ACCELERATION_M_S2, BUOYANCY_DAMPING, BUOYANCY_STIFFNESS, Body, Buttons,
    FALL_MAX_M_S, GRAVITY_M_S2, GROUND_ACCELERATION_M_S2, Ground, Input, JUMP_M_S, Mode, Pace, REACH_M,
    RUN_M_S, SLIDE_ACCELERATION_M_S2, SLOPE_LIMIT_TAN, STEP_HEIGHT_M, SWIM_DRAFT_M, SWIM_M_S, Surface,
    WALK_M_S, WATER_ACCELERATION_M_S2,
};
use glam::DVec3;

/// Advances `body` by one step of `pace`.
///
/// A body at rest that is asked for nothing keeps its bits and costs no ground sample. Where land is closed to it, it
/// ends at the border unless it was inside.
pub fn step(body: &mut Body, input: Input, ground: &impl Ground, pace: Pace) {
    let before = *body;
    advance(body, input, ground, pace.step_s());
    if ground.closed_land().is_some_and(|closed| closed.bars(before.position, body.position)) {
        // It stands on the very border, where the last bit of a place decides about the cell.
        *body = Body { velocity: DVec3::ZERO, ..before };
    }
}

fn advance(body: &mut Body, input: Input, ground: &impl Ground, step_s: f64) {
    let start = Start::of(body, ground, step_s);
    let wish = input.wish(start.up);
    let jumps = input.buttons.has(Buttons::JUMP);
    match body.mode {
        Mode::Grounded => {
            if wish.is_none() && !jumps && body.velocity == DVec3::ZERO {
                return;
            }
            step_grounded(body, &start, wish, input.buttons, ground);
        }
        Mode::Airborne => step_airborne(body, &start, wish, ground),
        Mode::Swimming => {
            if wish.is_none() && body.velocity == DVec3::ZERO {
                return;
            }
            step_swimming(body, &start, wish, ground);
        }
    }
    // What the body turned to before still lies along the ground of the new place.
    body.face(wish.unwrap_or(body.facing));
}

/// The body's state at the start of the step, split into along the ground and up.
struct Start {
    up: DVec3,
    height_m: f64,
    along_m_s: DVec3,
    climb_m_s: f64,
    /// Length of the step.
    step_s: f64,
}

impl Start {
    fn of(body: &Body, ground: &impl Ground, step_s: f64) -> Self {
        let distance = body.position.length();
        let up = body.position / distance;
        let climb_m_s = body.velocity.dot(up);
        Self {
            up,
            height_m: distance - ground.radius_m(),
            along_m_s: body.velocity - up * climb_m_s,
            climb_m_s,
            step_s,
        }
    }

    /// `velocity` along the ground, without what would lead in this step over the border of land that is closed.
    fn held(&self, velocity: DVec3, ground: &impl Ground) -> Option<DVec3> {
        let place_m = self.up * (ground.radius_m() + self.height_m);
        let way_m = ground.closed_land()?.turn_away(place_m, velocity * self.step_s)?;
        Some(way_m / self.step_s)
    }

    /// The direction of the place reached by going `offset_m` along the ground.
    fn moved(&self, offset_m: DVec3, ground: &impl Ground) -> DVec3 {
        let point = self.up * (ground.radius_m() + self.height_m) + offset_m;
        point / point.length()
    }

    fn surface_at(&self, offset_m: DVec3, ground: &impl Ground) -> Surface {
        ground.surface(self.moved(offset_m, ground))
    }

    fn elevation_at(&self, offset_m: DVec3, ground: &impl Ground) -> f64 {
        self.surface_at(offset_m, ground).elevation_m
    }
}

/// Puts the body at `up` and `height_m`, with a velocity made of its part along the old ground and `climb_m_s`.
fn place(body: &mut Body, up: DVec3, height_m: f64, along_m_s: DVec3, climb_m_s: f64, ground: &impl Ground) {
    body.position = up * (ground.radius_m() + height_m);
    body.velocity = along_m_s - up * along_m_s.dot(up) + up * climb_m_s;
}

/// `from` moved towards `to` by at most `most`.
fn approach(from: DVec3, to: DVec3, most: f64) -> DVec3 {
    let gap = to - from;
    let length = gap.length();
    if length <= most { to } else { from + gap * (most / length) }
}

fn limited(velocity: DVec3, most: f64) -> DVec3 {
    let length = velocity.length();
    if length <= most { velocity } else { velocity * (most / length) }
}

/// How the ground rises around the feet, and how deep they are in water.
struct Slope {
    /// Unit vector along the ground, uphill; meaningless where `tan` is 0.
    uphill: DVec3,
    tan: f64,
    /// Rise per metre in the direction it was measured along.
    tan_ahead: f64,
    /// How deep in water the feet are, by the water within reach.
    depth_m: f64,
}

impl Slope {
    /// Measures along the direction of a movement and across it.
    fn measure(start: &Start, feet_m: f64, movement: DVec3, ground: &impl Ground) -> Self {
        let ahead = along_ground(movement, start.up).unwrap_or_else(|| any_along_ground(start.up));
        let aside = start.up.cross(ahead);
        let (ahead_surface, aside_surface) =
            (start.surface_at(ahead * REACH_M, ground), start.surface_at(aside * REACH_M, ground));
        let tan_ahead = (ahead_surface.elevation_m - feet_m) / REACH_M;
        let tan_aside = (aside_surface.elevation_m - feet_m) / REACH_M;
        let tan = (tan_ahead * tan_ahead + tan_aside * tan_aside).sqrt();
        let uphill = if tan > 0.0 { (ahead * tan_ahead + aside * tan_aside) / tan } else { ahead };
        let depth_m = ahead_surface.depth_m(feet_m).max(aside_surface.depth_m(feet_m));
        Self { uphill, tan, tan_ahead, depth_m }
    }

    /// Whether the feet cannot hold here: too steep, and so on both sides. At the foot of a cliff the ground
    /// below holds, on its edge the ground above.
    fn slides(&self, start: &Start, feet_m: f64, ground: &impl Ground) -> bool {
        self.tan > SLOPE_LIMIT_TAN
            && start.elevation_at(self.uphill * REACH_M, ground) - feet_m > STEP_HEIGHT_M
            && feet_m - start.elevation_at(self.uphill * -REACH_M, ground) > STEP_HEIGHT_M
    }

    /// What is left of a movement against ground too steep to climb: its part along the foot of it, if that way
    /// is open.
    fn along_the_foot(&self, along_m_s: DVec3, start: &Start, ground: &impl Ground) -> DVec3 {
        let aside = along_m_s - self.uphill * along_m_s.dot(self.uphill).max(0.0);
        let is_open = along_ground(aside, start.up).is_some_and(|direction| {
            start.elevation_at(direction * REACH_M, ground) - start.height_m <= STEP_HEIGHT_M
        });
        if is_open { aside } else { DVec3::ZERO }
    }

    fn slide(&self, along_m_s: DVec3, step_s: f64) -> DVec3 {
        let without_climbing = along_m_s - self.uphill * along_m_s.dot(self.uphill).max(0.0);
        limited(without_climbing - self.uphill * (SLIDE_ACCELERATION_M_S2 * step_s), RUN_M_S)
    }
}

/// Wading slows evenly from walking or running on dry ground to swimming.
fn ground_speed(buttons: Buttons, depth_m: f64) -> f64 {
    let dry = if buttons.has(Buttons::RUN) { RUN_M_S } else { WALK_M_S };
    let wet = (depth_m / SWIM_DRAFT_M).min(1.0);
    dry + (SWIM_M_S - dry) * wet
}

fn step_grounded(
    body: &mut Body,
    start: &Start,
    wish: Option<DVec3>,
    buttons: Buttons,
    ground: &impl Ground,
) {
    let with_speed_of = |depth_m| {
        let wanted = wish.map_or(DVec3::ZERO, |wish| wish * ground_speed(buttons, depth_m));
        approach(start.along_m_s, wanted, GROUND_ACCELERATION_M_S2 * start.step_s)
    };
    // The way as on dry ground shows the water, and the water the speed.
    let slope = Slope::measure(start, start.height_m, with_speed_of(0.0), ground);
    let mut along = with_speed_of(slope.depth_m);
    let slides = slope.slides(start, start.height_m, ground);
    if slides {
        along = slope.slide(start.along_m_s, start.step_s);
    } else if slope.tan_ahead > SLOPE_LIMIT_TAN {
        along = slope.along_the_foot(along, start, ground);
    }
    // Speed is along the surface: a slope costs distance on the map. What is steeper than the limit is a ledge.
    let tan_along =
        along_ground(along, start.up).map_or(0.0, |direction| slope.tan * direction.dot(slope.uphill));
    let tan_walked = tan_along.clamp(-SLOPE_LIMIT_TAN, SLOPE_LIMIT_TAN);
    let stretch = (1.0 + tan_walked * tan_walked).sqrt();
    let mut on_map = along / stretch;
    if let Some(held) = start.held(on_map, ground) {
        on_map = held;
        along = held * stretch;
    }
    if buttons.has(Buttons::JUMP) && !slides {
        place(body, start.up, start.height_m, on_map, JUMP_M_S, ground);
        body.mode = Mode::Airborne;
        return step_airborne(body, &Start::of(body, ground, start.step_s), wish, ground);
    }
    let up = start.moved(on_map * start.step_s, ground);
    let surface = ground.surface(up);
    let elevation_m = surface.elevation_m;
    if elevation_m > start.height_m + STEP_HEIGHT_M {
        place(body, start.up, start.height_m, DVec3::ZERO, 0.0, ground);
    } else if surface.is_deep() && start.height_m <= surface.afloat_m() + STEP_HEIGHT_M {
        // Water that stands higher than a step lifts the body in time.
        let height_m = surface.afloat_m().min(start.height_m + STEP_HEIGHT_M).max(elevation_m);
        place(body, up, height_m, along, 0.0, ground);
        body.mode = Mode::Swimming;
    } else if elevation_m < start.height_m - STEP_HEIGHT_M {
        place(body, up, start.height_m, along, 0.0, ground);
        body.mode = Mode::Airborne;
    } else {
        place(body, up, elevation_m, along, 0.0, ground);
    }
}

fn step_airborne(body: &mut Body, start: &Start, wish: Option<DVec3>, ground: &impl Ground) {
    let mut along = match wish {
        Some(wish) => {
            // Steering may turn the flight but not lengthen it beyond what the jump brought along.
            let most = start.along_m_s.length().max(WALK_M_S);
            limited(start.along_m_s + wish * (AIR_ACCELERATION_M_S2 * start.step_s), most)
        }
        None => start.along_m_s,
    };
    along = limited(along, RUN_M_S);
    along = start.held(along, ground).unwrap_or(along);
    let climb = (start.climb_m_s - GRAVITY_M_S2 * start.step_s).max(-FALL_MAX_M_S);
    // The mean of old and new speed: the height of a jump does not depend on the length of a step.
    let height_m = start.height_m + (start.climb_m_s + climb) * (0.5 * start.step_s);

    let mut up = start.moved(along * start.step_s, ground);
    let mut surface = ground.surface(up);
    if surface.elevation_m > start.height_m.max(height_m) + STEP_HEIGHT_M {
        // Against a wall: only the fall goes on.
        along = DVec3::ZERO;
        up = start.up;
        surface = ground.surface(up);
    }
    if height_m <= surface.elevation_m && !surface.is_deep() {
        land(body, up, surface.elevation_m, along, start.step_s, ground);
    } else if height_m <= surface.afloat_m() {
        place(body, up, height_m.max(surface.elevation_m), limited(along, SWIM_M_S), climb, ground);
        body.mode = Mode::Swimming;
    } else {
        place(body, up, height_m, along, climb, ground);
    }
}

/// Feet on the ground at `up`; on a slope too steep to hold they start to slide at once.
fn land(body: &mut Body, up: DVec3, elevation_m: f64, along_m_s: DVec3, step_s: f64, ground: &impl Ground) {
    place(body, up, elevation_m, along_m_s, 0.0, ground);
    body.mode = Mode::Grounded;
    let start = Start::of(body, ground, step_s);
    let slope = Slope::measure(&start, elevation_m, body.velocity, ground);
    if slope.slides(&start, elevation_m, ground) {
        body.velocity = slope.slide(body.velocity, step_s);
    }
}

fn step_swimming(body: &mut Body, start: &Start, wish: Option<DVec3>, ground: &impl Ground) {
    let wanted = wish.map_or(DVec3::ZERO, |wish| wish * SWIM_M_S);
    let mut along = approach(start.along_m_s, wanted, WATER_ACCELERATION_M_S2 * start.step_s);
    along = start.held(along, ground).unwrap_or(along);
    let mut up = start.moved(along * start.step_s, ground);
    let mut surface = ground.surface(up);
    if surface.elevation_m > start.height_m.max(surface.afloat_m()) + STEP_HEIGHT_M {
        along = DVec3::ZERO;
        up = start.up;
        surface = ground.surface(up);
    }
    if start.height_m > surface.rest_m() + STEP_HEIGHT_M {
        // Over the edge of a fall.
        place(body, up, start.height_m, along, 0.0, ground);
        body.mode = Mode::Airborne;
        return;
    }
    if !surface.is_deep() {
        return land(body, up, surface.elevation_m, along, start.step_s, ground);
    }
    let sunk_m = surface.afloat_m() - start.height_m;
    let lift_m_s2 = sunk_m * BUOYANCY_STIFFNESS - start.climb_m_s * BUOYANCY_DAMPING;
    let climb = (start.climb_m_s + lift_m_s2 * start.step_s).min(JUMP_M_S);
    let height_m = start.height_m + climb * start.step_s;
    let is_afloat = (height_m - surface.afloat_m()).abs() < AFLOAT_TOLERANCE_M;
    if is_afloat && climb.abs() < AFLOAT_TOLERANCE_M {
        place(body, up, surface.afloat_m(), along, 0.0, ground);
    } else if height_m <= surface.elevation_m {
        place(body, up, surface.elevation_m, along, 0.0, ground);
    } else {
        place(body, up, height_m, along, climb, ground);
    }
}
