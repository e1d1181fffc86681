//! What is under a direction.

use crate::SWIM_DRAFT_M;

/// The ground at a place, and the water over it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surface {
    /// Metres above sea level, negative on the sea floor.
    pub elevation_m: f64,
    /// Metres above sea level of the surface of the sea, lake or river that covers the ground; none where it is dry.
    pub water_m: Option<f64>,
}

impl Surface {
    /// Ground whose only water is the sea.
    pub fn by_the_sea(elevation_m: f64) -> Self {
        Self { elevation_m, water_m: (elevation_m < 0.0).then_some(0.0) }
    }

    /// Where the feet of a floating body are; under everything where it is dry.
    pub fn afloat_m(self) -> f64 {
        self.water_m.map_or(f64::NEG_INFINITY, |water_m| water_m - SWIM_DRAFT_M)
    }

    /// Whether the water is too deep to stand in.
    pub fn is_deep(self) -> bool {
        self.elevation_m < self.afloat_m()
    }

    /// Where the feet of a body at rest are: on the ground, or afloat.
    pub fn rest_m(self) -> f64 {
        self.elevation_m.max(self.afloat_m())
    }

    /// How deep in the water feet at a height are; 0 above it and where it is dry.
    pub fn depth_m(self, feet_m: f64) -> f64 {
        self.water_m.map_or(0.0, |water_m| (water_m - feet_m).max(0.0))
    }
}
