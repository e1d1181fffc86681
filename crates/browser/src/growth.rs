//! What grows on a spot, and how large.

use planet::{Biome, Climate};

use crate::plants::{Dice, Layer, ramp};

/// What stands on a spot; the numbers are the renderer's shapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Conifer = 0,
    Broadleaf = 1,
    Palm = 2,
    Shrub = 3,
    Cactus = 4,
    Rock = 5,
    Grass = 6,
    Flower = 7,
}

/// A spot that something may grow on.
pub(crate) struct Site {
    pub(crate) biome: Biome,
    pub(crate) climate: Climate,
    /// Height of the ground over the sea.
    pub(crate) ground_m: f64,
    /// Depth of water over the ground; below zero, the height over water a step or two away; −1000 far from any.
    pub(crate) water_m: f64,
    /// Rise over run.
    pub(crate) slope: f64,
    /// 0 in a clearing, 1 deep in a wood.
    pub(crate) grove: f64,
}

/// What grows on a site, if anything does.
pub(crate) fn growth(layer: Layer, site: &Site, dice: &mut Dice) -> Option<(Kind, f64)> {
    let (kind, scale) = species(layer, site, dice)?;
    let is_beach = site.ground_m < 3.0 && site.water_m > -4.0;
    // Nothing stands in the surf, and the beach stays open.
    if site.water_m > -0.3 || (is_beach && kind != Kind::Palm && dice.unit() < 0.7) {
        return None;
    }
    let slope_max = if kind == Kind::Rock { 1.2 } else { 0.62 };
    (site.slope <= slope_max).then_some((kind, scale))
}

fn species(layer: Layer, site: &Site, dice: &mut Dice) -> Option<(Kind, f64)> {
    let Climate { temperature_c, rain_mm } = site.climate;
    let grove = site.grove;
    let chance = dice.unit();
    let size = dice.unit();
    if matches!(site.biome, Biome::Ice | Biome::BareRock) && layer == Layer::Grass {
        return None;
    }
    if layer == Layer::Grass {
        let lush = ramp(rain_mm, 200.0, 900.0) * ramp(temperature_c, -4.0, 6.0);
        if chance > lush * (0.35 + 0.5 * grove) {
            return None;
        }
        let is_flower = temperature_c > 4.0 && grove < 0.45 && dice.unit() < 0.16;
        return Some(if is_flower {
            (Kind::Flower, 0.7 + 0.5 * size)
        } else {
            (Kind::Grass, 0.6 + 0.8 * size)
        });
    }
    let wood = ramp(rain_mm, 250.0, 1400.0) * ramp(temperature_c, -7.0, 4.0);
    let density = wood * (0.035 + 0.2 * grove + 0.4 * grove * grove);
    if chance < density {
        let kind = dice.unit();
        return Some(match temperature_c {
            t if t < 6.0 + 5.0 * (kind - 0.5) => (Kind::Conifer, 0.75 + 0.7 * size),
            t if t > 21.0 && (rain_mm > 900.0 || kind < 0.3) && kind < 0.65 => (Kind::Palm, 0.8 + 0.6 * size),
            _ if kind > 0.88 => (Kind::Shrub, 0.8 + 0.8 * size),
            _ => (Kind::Broadleaf, 0.7 + 0.75 * size),
        });
    }
    if rain_mm < 520.0 && chance < 0.035 && temperature_c > 2.0 {
        let is_cactus = temperature_c > 16.0 && size > 0.45;
        return Some(if is_cactus { (Kind::Cactus, 0.6 + size) } else { (Kind::Shrub, 0.4 + 0.7 * size) });
    }
    // Counted from the far end of the dice, so that rocks do not depend on how dense the wood is.
    if chance > 0.988 - 0.012 * ramp(temperature_c, 6.0, -8.0) {
        return Some((Kind::Rock, 0.35 + 1.6 * size * size * size));
    }
    (chance > 0.955 && wood > 0.2).then_some((Kind::Shrub, 0.5 + 0.6 * size))
}
