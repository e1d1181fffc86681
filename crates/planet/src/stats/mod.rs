//! Is it like Earth? Measures of a raster, each with the band that it must be in and where the band comes from.
//!
//! [`measure`] looks at nothing but the finest layer of a raster, whatever made it: a planet from a seed, Earth from a
//! file, or a raster read back from an artifact. `docs/planet.md` explains the measures at length.
//!
//! Read first: [`measure`], [`Measure`], [`Stats::passes`].

mod coast;
mod heights;
mod life;
mod regression;
mod rivers;
mod survey;
#[cfg(test)]
mod tests;

use crate::Raster;
use survey::Survey;

/// Coarsest level whose rasters the bands are meant for. Below it rivers have too few cells to be counted.
pub const GATE_LEVEL_MIN: u8 = 8;

/// All measures of a raster.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    /// Level of the raster cells that were measured.
    pub level: u8,
    /// Always the same measures in the same order.
    pub measures: Vec<Measure>,
}

/// One figure and the band it must be in.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Unique, in `snake_case`.
    pub name: &'static str,
    /// NaN if there is nothing to measure.
    pub value: f64,
    /// `m`, `%` and so on; empty for plain numbers.
    pub unit: &'static str,
    /// Where the value must be.
    pub band: Band,
    /// Earth's own value, where one is published.
    pub earth: Option<f64>,
    /// What exactly was measured.
    pub definition: &'static str,
    /// Further figures that are not judged.
    pub details: Vec<Detail>,
}

/// A figure for information.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// Name and unit.
    pub name: String,
    /// NaN if there is nothing to measure.
    pub value: f64,
}

/// Both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Least value that passes, or negative infinity.
    pub low: f64,
    /// Greatest value that passes, or infinity.
    pub high: f64,
}

impl Measure {
    /// Is the value in its band? What could not be measured is not.
    pub fn passes(&self) -> bool {
        (self.band.low..=self.band.high).contains(&self.value)
    }
}

impl Stats {
    /// Are all measures in their bands?
    pub fn passes(&self) -> bool {
        self.measures.iter().all(Measure::passes)
    }

    /// Those out of their bands.
    pub fn failures(&self) -> impl Iterator<Item = &Measure> {
        self.measures.iter().filter(|measure| !measure.passes())
    }
}

/// Measures the finest layer.
///
/// # Panics
/// If a tile of the finest layer is missing.
pub fn measure(raster: &Raster) -> Stats {
    let survey = Survey::new(raster);
    let mut measures = heights::measures(&survey);
    measures.push(coast::measure(&survey));
    measures.extend(rivers::measures(&survey));
    measures.extend(life::measures(&survey));
    Stats { level: raster.level(), measures }
}

/// Is the planet good enough to live on? Rasters coarser than [`GATE_LEVEL_MIN`] always are: they only serve tests.
///
/// # Panics
/// If a tile of the finest layer is missing.
pub fn accepts(raster: &Raster) -> bool {
    raster.level() < GATE_LEVEL_MIN || measure(raster).passes()
}

fn detail(name: impl Into<String>, value: f64) -> Detail {
    Detail { name: name.into(), value }
}
