//! The numbers of movement. A change of any of them is a change of protocol: raise [`RULES_VERSION`].

/// Version of the movement rules; part of the protocol hash, because prediction needs equal rules.
pub const RULES_VERSION: u32 = 3;

/// Walking speed along the surface, m/s.
pub const WALK_M_S: f64 = 3.0;
/// Running speed along the surface, m/s. Nothing moves a body sideways faster than this.
pub const RUN_M_S: f64 = 7.0;
/// Swimming speed, m/s.
pub const SWIM_M_S: f64 = 2.2;

/// How quickly a body on the ground reaches the speed it wants, m/s².
pub const GROUND_ACCELERATION_M_S2: f64 = 40.0;
/// The same in water.
pub const WATER_ACCELERATION_M_S2: f64 = 8.0;
/// The same in the air: enough to correct a jump, not to turn it round.
pub const AIR_ACCELERATION_M_S2: f64 = 6.0;
/// How quickly a body gains speed down a slope it cannot hold, m/s².
pub const SLIDE_ACCELERATION_M_S2: f64 = 8.0;

/// Free fall, m/s².
pub const GRAVITY_M_S2: f64 = 9.81;
/// Speed at which a jump leaves the ground, m/s: 1.2 m high (`v = sqrt(2 g h)`).
pub const JUMP_M_S: f64 = 4.852_216_0;
/// The fastest fall, m/s.
pub const FALL_MAX_M_S: f64 = 55.0;

/// Tangent of the steepest slope that can be climbed: 50°.
pub const SLOPE_LIMIT_TAN: f64 = 1.191_753_592_594_21;
/// The highest ledge taken without a jump, and the deepest taken without a fall, in metres.
pub const STEP_HEIGHT_M: f64 = 0.6;
/// How far ahead the feet feel the ground: over this distance a ledge of [`STEP_HEIGHT_M`] is exactly as steep
/// as the slope limit, so one comparison serves both.
pub const REACH_M: f64 = STEP_HEIGHT_M / SLOPE_LIMIT_TAN;

/// A step over the border of land that is closed to the body ends so far before it, in metres: no rounding of a place
/// reaches over that.
pub const BORDER_M: f64 = 0.05;

/// How deep the feet of a floating body are below the water's surface; deeper water than this is swum in.
pub const SWIM_DRAFT_M: f64 = 1.2;
/// Pull of the water towards floating depth, 1/s². With [`BUOYANCY_DAMPING`] it is critically damped.
pub const BUOYANCY_STIFFNESS: f64 = 9.0;
/// Drag of the water on rising and sinking, 1/s.
pub const BUOYANCY_DAMPING: f64 = 6.0;
/// Nearer than this to floating depth, and slower than this per second, a swimmer is simply afloat.
pub const AFLOAT_TOLERANCE_M: f64 = 0.01;
