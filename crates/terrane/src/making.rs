//! Making a planet: the global stage, then packing. Says how far it is.

use std::sync::Arc;

use gateway::Preparation;
use planet::artifact::{self, Identity, Manifest};
use planet::global::{self, GlobalSpec, Stage};
use planet::{BiomeTable, PlanetSpec, Raster, stats};
use tracing::warn;

use crate::planet_file::threads;

/// Share of the whole that the global stage takes; the rest is measuring and packing.
const GLOBAL_SHARE: f32 = 0.85;

/// Worlds of one seed that are made at most. The measures let nearly every one pass; this is against waiting for ever.
const ATTEMPTS_MAX: u32 = 4;

/// A planet that was made just now.
pub(crate) struct Made {
    pub(crate) manifest: Manifest,
    pub(crate) raster: Arc<Raster>,
    /// The whole artifact.
    pub(crate) bytes: Vec<u8>,
}

/// Makes the planet of a spec on all cores. A world that is too little like Earth is rejected, and the seed gives
/// another.
pub(crate) fn make(spec: PlanetSpec, tell: &mut dyn FnMut(Preparation)) -> Made {
    let biomes = BiomeTable::default();
    let mut attempt = 0;
    let raster = loop {
        let seed = global::sub_seed(spec.seed, attempt);
        let global = GlobalSpec { seed, raster_level: spec.raster_level, threads: threads().get() };
        let raster = global::generate(&global, &biomes, &mut |progress| tell(of_stage(progress)));
        tell(Preparation { stage: "measuring the world", percent: percent(GLOBAL_SHARE) });
        let faults = faults_of(&raster);
        if faults.is_empty() {
            break raster;
        }
        let faults = faults.join(", ");
        if attempt + 1 == ATTEMPTS_MAX {
            warn!(
                seed = spec.seed,
                attempt, faults, "no world of this seed is like Earth; the last is taken"
            );
            break raster;
        }
        warn!(seed = spec.seed, attempt, faults, "a world is too little like Earth; the seed gives another");
        attempt += 1;
    };
    pack(Identity { spec, sub_seed: attempt, import: None, biome_table: biomes.to_bytes() }, raster, tell)
}

/// The measures that a raster fails; those too coarse for the measures fail none.
fn faults_of(raster: &Raster) -> Vec<&'static str> {
    if raster.level() < stats::GATE_LEVEL_MIN {
        return Vec::new();
    }
    stats::measure(raster).failures().map(|measure| measure.name).collect()
}

/// Packs a raster that is filled.
pub(crate) fn pack(identity: Identity, raster: Raster, tell: &mut dyn FnMut(Preparation)) -> Made {
    tell(Preparation { stage: "packing the planet", percent: 90 });
    let bytes = artifact::write(identity, &raster, threads());
    let manifest = Manifest::decode(&bytes).expect("what was written can be read");
    tell(Preparation { stage: "packing the planet", percent: 99 });
    Made { manifest, raster: Arc::new(raster), bytes }
}

/// The global stage's own account as a part of the whole.
pub(crate) fn of_stage(progress: global::Progress) -> Preparation {
    Preparation { stage: in_words(progress.stage), percent: percent(progress.done * GLOBAL_SHARE) }
}

fn percent(share: f32) -> u8 {
    (share.clamp(0.0, 1.0) * 100.0) as u8
}

/// What a stage does, for people who wait for it.
fn in_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Plates => "moving the plates",
        Stage::Crust => "raising the continents",
        Stage::Erosion => "letting rivers cut their valleys",
        Stage::Water => "filling the lakes",
        Stage::Tiles => "sowing what grows",
    }
}
