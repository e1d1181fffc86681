//! Where land ends: the floor under still water and how it comes ashore.
//!
//! The raster's fields say about how far a place is from a shore; noise bends that line into bays and capes. From it
//! follows a floor: deep off the shore, a beach at it, and behind the beach rising faster than any land. The ground is
//! the lower of that floor and of what courses of water shape, so low land ends on beaches and high land in cliffs, and
//! the mouth of every river is open.

use crate::local::fields::Fields;
use crate::local::scale::Scale;
use crate::noise::Fbm;

/// Largest bays, of a raster cell's edge, and how far they leave the line, of their length.
const BAY_SHARE: f64 = 1.3;
const BAY_BEND: f32 = 0.26;
/// Noise of bays beyond this, which is rare, is cut.
const BAY_MAX: f32 = 0.8;
/// Smallest bays.
const BAY_SMALLEST_M: f64 = 24.0;

/// How far from a lake, of a raster cell's edge, its shore can be.
const LAKE_REACH_SHARE: f32 = 0.08;

/// Rise of a beach.
const BEACH_SLOPE: f32 = 0.05;
const BEACH_WIDTH_MAX_M: f32 = 75.0;

/// Shores of one planet.
#[derive(Debug)]
pub(crate) struct Shores {
    pub(crate) bays: Fbm,
    pub(crate) beaches: Fbm,
    bend_m: f32,
    lake_reach_m: f32,
    /// How far from the sea its shore limits the height of the ground.
    sea_reach_m: f32,
    /// Beyond this distance from the line that the fields give, no noise moves the shore.
    pub(crate) near_m: f32,
}

/// Still water at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::struct_field_names, reason = "all are metres")]
pub(crate) struct Still {
    /// Level of the water.
    pub(crate) level_m: f32,
    /// Distance from its shore, below 0 on it.
    pub(crate) off_shore_m: f32,
    /// Its floor; ashore, what the ground cannot be higher than.
    pub(crate) floor_m: f32,
}

impl Shores {
    pub(crate) fn new(scale: &Scale) -> Self {
        let edge_m = scale.node_spacing_m(0);
        let largest_m = BAY_SHARE * edge_m;
        let mut octaves = 1;
        while largest_m / f64::from(1_u32 << octaves) > BAY_SMALLEST_M {
            octaves += 1;
        }
        let bend_m = BAY_BEND * edge_m as f32;
        Self {
            bays: Fbm::new(scale.seed, 40, 1.0 / largest_m, 0.5, octaves),
            beaches: Fbm::new(scale.seed, 41, 1.0 / 420.0, 0.5, 2),
            bend_m,
            lake_reach_m: LAKE_REACH_SHARE * edge_m as f32,
            sea_reach_m: 1.2 * bend_m,
            near_m: (1.2 + BAY_MAX) * bend_m,
        }
    }

    /// May a shore of the sea or of a lake be near a place?
    pub(crate) fn is_near(&self, fields: &Fields) -> bool {
        self.is_nearer(fields.inland_m, fields.off_lake_m)
    }

    pub(crate) fn is_nearer(&self, inland_m: f32, off_lake_m: f32) -> bool {
        inland_m < self.near_m || off_lake_m < self.near_m
    }

    /// The sea at a place, with the values of `bays` and `beaches` there.
    pub(crate) fn sea(&self, fields: &Fields, bay: f32, beach: f32) -> Still {
        let inland_m = fields.inland_m + self.bend_m * bay.clamp(-BAY_MAX, BAY_MAX);
        let shelf = 0.035 + 0.6 * fields.slope;
        let left = 1.0 - inland_m / self.sea_reach_m;
        let floor_m = if inland_m < 0.0 {
            let depth_m = fields.sea_depth_m.max(4.0);
            let near_m = settling(-inland_m, depth_m, shelf);
            // Out at sea the floor is what the raster says.
            let out = rising((-inland_m / fields.reach_m - 0.4) / 0.5);
            -(near_m + (depth_m - near_m) * out)
        } else if left > 0.0 {
            let low = (1.0 - 2.5 * fields.slope).clamp(0.0, 1.0);
            let width_m = BEACH_WIDTH_MAX_M * low * (0.45 + 1.2 * beach).clamp(0.0, 1.0);
            ashore(inland_m, width_m, 0.8) / left
        } else {
            f32::INFINITY
        };
        Still { level_m: 0.0, off_shore_m: inland_m, floor_m }
    }

    /// The lake near a place, if there is one near enough.
    pub(crate) fn lake(&self, fields: &Fields, bay: f32) -> Option<Still> {
        let off_shore_m = fields.off_lake_m + 0.4 * self.bend_m * bay.clamp(-BAY_MAX, BAY_MAX);
        let left = 1.0 - off_shore_m / self.lake_reach_m;
        if left <= 0.0 {
            return None;
        }
        let over_m = if off_shore_m < 0.0 {
            -settling(-off_shore_m, fields.lake_depth_m.max(1.5), 0.04 + 0.5 * fields.slope)
        } else {
            ashore(off_shore_m, 6.0, 1.0) / left
        };
        Some(Still { level_m: fields.lake_level_m, off_shore_m, floor_m: fields.lake_level_m + over_m })
    }
}

impl Still {
    /// The least height of the ground about the shore of a lake, so that the lake keeps its water where a lower valley
    /// is near. `water_m` is the level of the stream that the place drains to, −∞ without one: where the lake flows
    /// out, there is no dam.
    pub(crate) fn dam_m(&self, water_m: f32) -> f32 {
        const CREST_M: f32 = 0.4;
        const CREST_WIDTH_M: f32 = 10.0;
        const SLOPE: f32 = 1.2;
        const OPENING_M: f32 = 60.0;
        let down_m = SLOPE * (self.off_shore_m.abs() - CREST_WIDTH_M).max(0.0);
        let open = (water_m - self.level_m + 1.0).clamp(0.0, 1.0);
        self.level_m + CREST_M - down_m - OPENING_M * open
    }

    /// The level of a stream where it comes to this water: not above it at the shore.
    pub(crate) fn reached_by_m(&self, stream_m: f32) -> f32 {
        let above_m = (self.floor_m - self.level_m).max(0.0);
        // At the water's edge the stream is level with it; a few metres up it is what it is.
        let highest_m = self.level_m + 4.0 * above_m;
        if stream_m > highest_m { highest_m } else { stream_m }
    }
}

/// From 0 at 0 to 1 at 1, with level ends.
pub(crate) fn rising(x: f32) -> f32 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// From 0 with a slope towards a depth.
fn settling(distance_m: f32, depth_m: f32, slope: f32) -> f32 {
    depth_m * distance_m / (distance_m + depth_m / slope)
}

/// A beach of a width and the steep ground behind it.
fn ashore(distance_m: f32, width_m: f32, steepness: f32) -> f32 {
    const ROUND_M: f32 = 10.0;
    let behind_m = (distance_m - width_m).max(0.0);
    BEACH_SLOPE * distance_m + steepness * behind_m * behind_m / (behind_m + ROUND_M)
}
