//! What grows on a spot, and how large: species by biome, thinned by slope, water and the edge of a grove.

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
    Acacia = 8,
    RainTree = 9,
    Birch = 10,
    Reed = 11,
    TallGrass = 12,
    Cushion = 13,
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

impl Site {
    /// Whether the sea washes over it now and then.
    fn is_beach(&self) -> bool {
        self.biome == Biome::Beach || (self.ground_m < 2.6 && self.water_m > -4.0)
    }

    /// Whether reeds have water, and not of the sea: from wet feet to knee-deep.
    fn is_bank(&self) -> bool {
        self.ground_m > 1.5 && (-0.25..0.5).contains(&self.water_m)
    }
}

/// What grows on a site, if anything does.
pub(crate) fn growth(layer: Layer, site: &Site, dice: &mut Dice) -> Option<(Kind, f64)> {
    let (kind, scale) = match layer {
        Layer::Trees => tree(site, dice),
        Layer::Grass => herb(site, dice),
        Layer::Canopy => canopy(site, dice),
    }?;
    let stands_dry = kind == Kind::Reed || site.water_m < -0.3;
    let slope_max = if kind == Kind::Rock { 1.2 } else { 0.62 };
    (stands_dry && site.slope <= slope_max).then_some((kind, scale))
}

/// The trees and bushes of a biome.
struct Wood {
    /// The share of places that something stands on, in a clearing and deep in a grove.
    open: f64,
    grove: f64,
    /// Species by weight.
    species: &'static [(Kind, f64)],
    /// Size of the largest against the shape's own.
    size: f64,
}

/// What stands in each biome; none where nothing taller than grass does.
fn wood_of(biome: Biome) -> Option<Wood> {
    use Kind::{Acacia, Birch, Broadleaf, Cactus, Conifer, Palm, RainTree, Shrub};
    let wood = |open, grove, size, species| Some(Wood { open, grove, species, size });
    match biome {
        Biome::Taiga => wood(0.24, 0.82, 1.25, &[(Conifer, 0.84), (Birch, 0.11), (Shrub, 0.05)]),
        Biome::TemperateForest => {
            wood(0.22, 0.80, 1.3, &[(Broadleaf, 0.70), (Birch, 0.08), (Conifer, 0.12), (Shrub, 0.10)])
        }
        Biome::TemperateRainForest => {
            wood(0.30, 0.85, 1.7, &[(Conifer, 0.58), (Broadleaf, 0.26), (Shrub, 0.16)])
        }
        Biome::TropicalForest => {
            wood(0.42, 0.90, 1.35, &[(RainTree, 0.46), (Broadleaf, 0.24), (Palm, 0.16), (Shrub, 0.14)])
        }
        Biome::SeasonalForest => {
            wood(0.16, 0.66, 1.25, &[(Broadleaf, 0.52), (RainTree, 0.12), (Acacia, 0.16), (Shrub, 0.20)])
        }
        Biome::Savanna => wood(0.014, 0.080, 1.35, &[(Acacia, 0.66), (Shrub, 0.28), (Broadleaf, 0.06)]),
        Biome::Grassland => wood(0.004, 0.030, 1.2, &[(Broadleaf, 0.55), (Shrub, 0.45)]),
        Biome::Steppe => wood(0.003, 0.010, 0.8, &[(Shrub, 1.0)]),
        Biome::Shrubland => wood(0.08, 0.26, 0.95, &[(Shrub, 0.74), (Broadleaf, 0.18), (Conifer, 0.08)]),
        Biome::Desert => wood(0.006, 0.036, 1.3, &[(Cactus, 0.58), (Shrub, 0.42)]),
        Biome::ColdDesert => wood(0.006, 0.012, 0.7, &[(Shrub, 1.0)]),
        Biome::Tundra => wood(0.004, 0.016, 0.6, &[(Shrub, 0.85), (Birch, 0.15)]),
        Biome::AlpineMeadow => wood(0.003, 0.012, 0.7, &[(Conifer, 0.4), (Shrub, 0.6)]),
        Biome::Wetland => wood(0.05, 0.26, 1.1, &[(Broadleaf, 0.45), (Birch, 0.30), (Shrub, 0.25)]),
        Biome::Beach => wood(0.014, 0.03, 1.2, &[(Palm, 1.0)]),
        _ => None,
    }
}

fn tree(site: &Site, dice: &mut Dice) -> Option<(Kind, f64)> {
    let (chance, pick, size) = (dice.unit(), dice.unit(), dice.unit());
    let stone = stones_of(site);
    // Counted from the far end of the dice, so that stones do not depend on how dense the wood is.
    if chance > 1.0 - stone {
        return Some((Kind::Rock, 0.35 + 1.6 * size * size * size));
    }
    let Wood { open, grove, species, size: largest } =
        wood_of(if site.is_beach() { Biome::Beach } else { site.biome })?;
    // The last trees before the cold stand thin and small.
    let thrives = ramp(site.climate.temperature_c, -9.0, 1.0);
    let density = (open + (grove - open) * site.grove * (0.35 + 0.65 * site.grove)) * (0.25 + 0.75 * thrives);
    if chance >= density {
        return None;
    }
    let kind = species_at(species, pick)?;
    if kind == Kind::Palm && site.climate.temperature_c < 18.0 {
        return None;
    }
    Some((kind, largest * (0.55 + 0.45 * size) * (0.6 + 0.4 * thrives)))
}

/// Woods from far: one tree stands for the several that would be too many to draw, and is as wide as their crowns.
fn canopy(site: &Site, dice: &mut Dice) -> Option<(Kind, f64)> {
    let (chance, pick, size) = (dice.unit(), dice.unit(), dice.unit());
    let Wood { open, grove, species, size: largest } = wood_of(site.biome).filter(|_| !site.is_beach())?;
    let thrives = ramp(site.climate.temperature_c, -9.0, 1.0);
    let density = (open + (grove - open) * site.grove) * 1.5 * (0.25 + 0.75 * thrives);
    let kind = species_at(species, pick)?;
    let is_tall = !matches!(kind, Kind::Shrub | Kind::Cactus | Kind::Palm);
    (is_tall && chance < density).then_some((kind, largest * (0.9 + 0.5 * size) * (0.6 + 0.4 * thrives)))
}

/// The species that a share falls on; the last one's weight is what is left.
fn species_at(species: &[(Kind, f64)], share: f64) -> Option<Kind> {
    let mut left = share;
    for (kind, weight) in species {
        left -= weight;
        if left < 0.0 {
            return Some(*kind);
        }
    }
    species.last().map(|(kind, _)| *kind)
}

/// The share of places with a boulder on it.
fn stones_of(site: &Site) -> f64 {
    let bare = match site.biome {
        Biome::BareRock => 0.05,
        Biome::Tundra | Biome::AlpineMeadow | Biome::ColdDesert => 0.022,
        Biome::Desert | Biome::Steppe | Biome::Shrubland => 0.006,
        Biome::Ice | Biome::SaltFlat => 0.002,
        Biome::Ocean | Biome::Shallows | Biome::SeaIce | Biome::Lake | Biome::River | Biome::Wetland => 0.0,
        _ => 0.005,
    };
    bare * (1.0 + 2.0 * ramp(site.slope, 0.15, 0.6))
}

/// Grass and flowers, by the share of places that they cover and the share of each kind.
fn herb(site: &Site, dice: &mut Dice) -> Option<(Kind, f64)> {
    let (chance, pick, size) = (dice.unit(), dice.unit(), dice.unit());
    let Climate { temperature_c, .. } = site.climate;
    if site.is_bank() && temperature_c > 2.0 && chance < 0.75 * ramp(site.grove, 0.15, 0.6) {
        return Some((Kind::Reed, 0.7 + 0.6 * size));
    }
    // Cover, then the shares of flowers, tall grass and cushions; the rest is short grass.
    let (cover, flowers, tall, cushions) = match site.biome {
        _ if site.is_beach() => (0.03, 0.0, 1.0, 0.0),
        Biome::Grassland => (0.75, 0.14, 0.12, 0.0),
        Biome::TemperateForest => (0.55, 0.10, 0.03, 0.05),
        Biome::TemperateRainForest => (0.55, 0.05, 0.0, 0.30),
        Biome::SeasonalForest => (0.50, 0.05, 0.25, 0.0),
        Biome::TropicalForest => (0.40, 0.05, 0.30, 0.10),
        Biome::Savanna => (0.75, 0.02, 0.62, 0.0),
        Biome::Steppe => (0.45, 0.03, 0.55, 0.05),
        Biome::Shrubland => (0.28, 0.08, 0.35, 0.10),
        Biome::Taiga => (0.40, 0.04, 0.0, 0.45),
        Biome::Tundra => (0.34, 0.07, 0.0, 0.70),
        Biome::AlpineMeadow => (0.62, 0.30, 0.0, 0.15),
        Biome::Wetland => (0.80, 0.05, 0.55, 0.05),
        Biome::Desert => (0.010, 0.0, 1.0, 0.0),
        Biome::ColdDesert => (0.04, 0.0, 0.5, 0.5),
        _ => return None,
    };
    // Patches: thicker in the wood's own clearings of damp soil.
    if chance > cover * (0.55 + 0.6 * site.grove) * ramp(temperature_c, -9.0, 2.0) {
        return None;
    }
    Some(match pick {
        share if share < flowers * (1.6 - 1.2 * site.grove) => (Kind::Flower, 0.7 + 0.5 * size),
        share if share > 1.0 - tall => (Kind::TallGrass, 0.65 + 0.7 * size),
        share if share > 1.0 - tall - cushions => (Kind::Cushion, 0.6 + 0.9 * size),
        _ => (Kind::Grass, 0.6 + 0.8 * size),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(biome: Biome, temperature_c: f64) -> Site {
        Site {
            biome,
            climate: Climate { temperature_c, rain_mm: 900.0 },
            ground_m: 80.0,
            water_m: -1000.0,
            slope: 0.05,
            grove: 0.8,
        }
    }

    /// How often each kind comes up on a thousand such sites.
    fn count(layer: Layer, site: &Site) -> [usize; 14] {
        let mut counts = [0; 14];
        for seed in 0..1000 {
            if let Some((kind, scale)) = growth(layer, site, &mut Dice::new(seed)) {
                assert!((0.1..3.0).contains(&scale), "{kind:?} of size {scale}");
                counts[kind as usize] += 1;
            }
        }
        counts
    }

    #[test]
    fn every_biome_has_the_trees_it_is_known_for() {
        let check = |biome, temperature_c, expected: Kind, never: Kind| {
            let counts = count(Layer::Trees, &site(biome, temperature_c));
            let most = (0..14).max_by_key(|kind| counts[*kind]);
            assert_eq!(most, Some(expected as usize), "{biome:?}: {counts:?}");
            assert_eq!(counts[never as usize], 0, "{biome:?}: {counts:?}");
        };
        check(Biome::Taiga, -1.0, Kind::Conifer, Kind::Palm);
        check(Biome::TemperateForest, 10.0, Kind::Broadleaf, Kind::Cactus);
        check(Biome::TropicalForest, 26.0, Kind::RainTree, Kind::Conifer);
        check(Biome::Savanna, 26.0, Kind::Acacia, Kind::Conifer);
        check(Biome::Desert, 26.0, Kind::Cactus, Kind::Broadleaf);
        check(Biome::BareRock, -3.0, Kind::Rock, Kind::Conifer);
    }

    #[test]
    fn nothing_but_reeds_stands_in_water_and_nothing_at_all_in_the_sea() {
        for water_m in [-0.2, 0.1, 0.4, 3.0] {
            let mut wet = site(Biome::TemperateForest, 12.0);
            wet.water_m = water_m;
            assert_eq!(count(Layer::Trees, &wet), [0; 14]);
            let herbs = count(Layer::Grass, &wet);
            assert_eq!(herbs[Kind::Reed as usize] > 0, water_m < 0.5, "{water_m} m");
            assert_eq!(herbs.iter().sum::<usize>(), herbs[Kind::Reed as usize]);
            wet.ground_m = -water_m;
            assert_eq!(count(Layer::Grass, &wet), [0; 14]);
        }
    }

    #[test]
    fn a_clearing_is_lighter_than_the_grove_and_a_wall_is_bare() {
        let grove = site(Biome::TemperateForest, 12.0);
        let clearing = Site { grove: 0.0, ..site(Biome::TemperateForest, 12.0) };
        let wall = Site { slope: 1.3, ..site(Biome::TemperateForest, 12.0) };
        let total = |site: &Site| count(Layer::Trees, site).iter().sum::<usize>();
        assert!(total(&clearing) * 2 < total(&grove));
        assert_eq!(total(&wall), 0);
    }
}
