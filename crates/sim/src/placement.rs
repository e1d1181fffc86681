//! A body in the words of its cell's stream.

use crate::bodies::Bodies;
use motion::{Ground, Mode};
use wire::stream::{HEIGHT_STEPS_PER_M, Placed, Placement, Stance};
use wire::{LatticePlace, facing_to_u8, rest_height_m};

/// Heights are kept in what the stream can say.
const HEIGHT_STEPS_MAX: f64 = (1 << 24) as f64;

/// A body as its cell's stream says it.
pub(crate) fn placement(bodies: &Bodies, index: usize, ground: &impl Ground) -> Placed {
    let body = &bodies.states[index];
    let cell = bodies.cells[index];
    let place = LatticePlace::of_leaf(bodies.leaves[index], cell.level());
    let above_sea_m = body.position.length() - ground.radius_m();
    // Looks at the ground, so only where it has to.
    let above_rest = || {
        let above_m = above_sea_m - rest_height_m(place.direction(), ground);
        (above_m * HEIGHT_STEPS_PER_M).round().clamp(-HEIGHT_STEPS_MAX, HEIGHT_STEPS_MAX) as i32
    };
    let (stance, height) = match body.mode {
        Mode::Grounded => (Stance::Grounded, 0),
        Mode::Airborne => (Stance::Airborne, above_rest()),
        Mode::Swimming => match above_rest() {
            0 => (Stance::Swimming, 0),
            height => (Stance::Diving, height),
        },
    };
    let facing = facing_to_u8(cell, body.up(), body.facing);
    let placement =
        Placement { entity_id: bodies.ids[index].0, i: place.i, j: place.j, facing, stance, height };
    Placed { placement, speed: (body.velocity.length() * 16.0) as u8 }
}
