//! Making a planet: the global stage, then packing. Says how far it is.

use std::sync::Arc;

use gateway::Preparation;
use planet::artifact::{self, Identity, Manifest};
use planet::global::{self, GlobalSpec, Stage};
use planet::{BiomeTable, PlanetSpec, Raster};

use crate::planet_file::threads;

/// Share of the whole that the global stage takes; the rest is packing.
const GLOBAL_SHARE: f32 = 0.88;

/// A planet that was made just now.
pub(crate) struct Made {
    pub(crate) manifest: Manifest,
    pub(crate) raster: Arc<Raster>,
    /// The whole artifact.
    pub(crate) bytes: Vec<u8>,
}

/// Makes the planet of a spec on all cores.
pub(crate) fn make(spec: PlanetSpec, tell: &mut dyn FnMut(Preparation)) -> Made {
    let biomes = BiomeTable::default();
    let global = GlobalSpec { seed: spec.seed, raster_level: spec.raster_level, threads: threads().get() };
    let raster = global::generate(&global, &biomes, &mut |progress| tell(of_stage(progress)));
    pack(Identity { spec, sub_seed: 0, import: None, biome_table: biomes.to_bytes() }, raster, tell)
}

/// Packs a raster that is filled.
pub(crate) fn pack(identity: Identity, raster: Raster, tell: &mut dyn FnMut(Preparation)) -> Made {
    tell(Preparation { stage: "packing the planet", percent: percent(GLOBAL_SHARE) });
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
