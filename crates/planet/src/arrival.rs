//! Where newcomers arrive.

use glam::DVec3;

use crate::Planet;

/// A place to stand and what to look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Direction of the place from the centre: a unit vector.
    pub ground: DVec3,
    /// Where to look: a unit vector along the ground, towards the water.
    pub facing: DVec3,
}

pub(crate) fn find(planet: &Planet) -> Arrival {
    let golden_angle = std::f64::consts::PI * (3.0 - 5.0_f64.sqrt());
    let mut best = (f64::INFINITY, DVec3::X);
    for index in 0..4000 {
        let z = (f64::from(index) + 0.5) / 4000.0 - 0.5;
        let (sin, cos) = libm::sincos(golden_angle * f64::from(index));
        let ring = (1.0 - z * z).sqrt();
        let ground = DVec3::new(ring * cos, ring * sin, z);
        let badness = (planet.elevation_m(ground) - 6.0).abs();
        if badness < best.0 {
            best = (badness, ground);
        }
    }
    Arrival { ground: best.1, facing: cell::TangentFrame::at(best.1).north }
}
