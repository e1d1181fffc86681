//! Noise of many sizes added up.

use glam::DVec3;

use crate::noise::Noise;

/// A sum of noise fields, each finer and lower than the one before.
#[derive(Clone, Debug)]
pub(crate) struct Octaves {
    octaves: Vec<Octave>,
}

#[derive(Clone, Copy, Debug)]
struct Octave {
    noise: Noise,
    wavelength_m: f64,
    /// Waves per radius of the planet.
    frequency: f64,
    amplitude: f64,
}

/// From which size to which, and how fast the height falls with the size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ladder {
    pub(crate) largest_m: f64,
    pub(crate) smallest_m: f64,
    /// Height of an octave over the height of the one before.
    pub(crate) gain: f64,
}

/// Wavelength of an octave over that of the next. Not 2, so that the lattices do not line up.
const LACUNARITY: f64 = 2.07;

impl Octaves {
    /// The first octave has amplitude 1. `salt` leaves room for a hundred octaves.
    pub(crate) fn new(seed: u64, salt: u64, radius_m: f64, ladder: Ladder) -> Self {
        let mut octaves = Vec::new();
        let (mut wavelength_m, mut amplitude) = (ladder.largest_m, 1.0);
        while wavelength_m >= ladder.smallest_m {
            let noise = Noise::new(seed, 100 * salt + octaves.len() as u64);
            octaves.push(Octave { noise, wavelength_m, frequency: radius_m / wavelength_m, amplitude });
            wavelength_m /= LACUNARITY;
            amplitude *= ladder.gain;
        }
        Self { octaves }
    }

    /// The plain sum at a unit vector, of the octaves that a grid of this spacing can show.
    pub(crate) fn sum(&self, unit: DVec3, spacing_m: f64) -> f64 {
        let shown = self.octaves.iter().take_while(|octave| octave.is_shown(spacing_m));
        shown.map(|octave| octave.amplitude * octave.at(unit)).sum()
    }

    /// Ridges, 0 to about 1: sharp crests that carry finer ridges, broad smooth valleys between them (Musgrave's
    /// ridged multifractal, "Texturing and Modeling", chapter 16).
    pub(crate) fn ridges(&self, unit: DVec3, spacing_m: f64) -> f64 {
        /// Half the width of the rounded edge of a crest, which as a crease would cut through any grid.
        const CREST_M: f64 = 10.0;
        /// The same as a share of the wave: large crests are broad.
        const CREST: f64 = 0.07;
        let (mut sum, mut weight) = (0.0, 1.0);
        for octave in self.octaves.iter().take_while(|octave| octave.is_shown(spacing_m)) {
            let value = 1.6 * octave.at(unit);
            let roundness = CREST + CREST_M / octave.wavelength_m;
            let ridge = (1.0 - (value * value + roundness * roundness).sqrt()).max(0.0);
            let ridge = ridge * ridge * weight;
            sum += octave.amplitude * ridge;
            weight = (1.8 * ridge).min(1.0);
        }
        sum
    }
}

impl Octave {
    fn is_shown(&self, spacing_m: f64) -> bool {
        self.wavelength_m >= 2.0 * spacing_m
    }

    fn at(&self, unit: DVec3) -> f64 {
        self.noise.at(unit * self.frequency)
    }
}
