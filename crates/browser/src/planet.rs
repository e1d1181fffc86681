//! The planet: made from its manifest, filled with raster tiles as they come, asked for ground and biomes.
//!
//! A raster tile is named by the id of its cell alone: its layer is six levels below. Nothing but the page decides which
//! tiles are there; what is asked where one is missing is answered from coarser ones.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use cell::CellId;
use glam::DVec3;
use planet::artifact::{ArtifactError, Manifest};
use planet::{Biome, BiomeTable, Ground, Planet, Raster, TileId};
#[cfg(any(test, feature = "checks"))]
use {
    planet::artifact::Identity,
    planet::{PlanetSpec, RASTER_LEVEL_MAX, RASTER_LEVEL_MIN, SHIFT_MAX, golden_hash},
    std::num::NonZeroUsize,
};

use crate::write_values;

/// Room that [`biome_name`] needs.
pub const BIOME_NAME_BYTES_MAX: usize = 32;
/// Room that [`planet_hash`] needs.
pub const PLANET_HASH_BYTES: usize = 32;

/// [`planet_new`]: the bytes are no manifest, or a damaged one.
pub const MANIFEST_DAMAGED: u32 = 1;
/// [`planet_new`]: the planet is of another version of the generator, or of the format, than this code.
pub const MANIFEST_OF_OTHER_VERSION: u32 = 2;

/// [`planet_insert_tile`]: the tile is in its place.
pub const TILE_TAKEN: u32 = 0;
/// [`planet_insert_tile`]: the planet has no tile of that name.
pub const TILE_UNKNOWN: u32 = 1;
/// [`planet_insert_tile`]: the bytes are not what the manifest says of the tile.
pub const TILE_DAMAGED: u32 = 2;

/// Levels between a raster tile's cell and the raster's cells.
const TILE_DEPTH: u8 = 6;
/// Level, at shift 3, of the chunks that bodies walk on.
const CHUNK_LEVEL: u8 = 14;
/// Quads along the side of a chunk.
const CHUNK_QUADS: u32 = 64;
/// Chunks whose detail is remembered.
const DETAIL_MAX: usize = 4096;

/// A planet whose raster comes piece by piece.
pub(crate) struct HeldPlanet {
    planet: Planet,
    /// None for a planet that was made here, whole, as checks do.
    manifest: Option<Manifest>,
    /// Tiles of the finest layer in the order they came; the coarser layers are small and stay.
    fine_tiles: RefCell<VecDeque<TileId>>,
    fine_tiles_max: std::cell::Cell<usize>,
    /// Of chunks: the level of the cell whose chunk-like grid is exact with the tiles that are there; none if none is.
    detail: RefCell<HashMap<CellId, Option<u8>>>,
}

impl HeldPlanet {
    fn new(planet: Planet, manifest: Option<Manifest>) -> Self {
        Self {
            planet,
            manifest,
            fine_tiles: RefCell::default(),
            fine_tiles_max: std::cell::Cell::new(usize::MAX),
            detail: RefCell::default(),
        }
    }

    /// A planet without any tile, or the reason why not.
    fn try_from_manifest(bytes: &[u8]) -> Result<Self, u32> {
        let manifest = Manifest::decode(bytes).map_err(|error| match error {
            ArtifactError::OtherFormat { .. } | ArtifactError::OtherGenerator { .. } => {
                MANIFEST_OF_OTHER_VERSION
            }
            ArtifactError::NotAnArtifact
            | ArtifactError::CutOff { .. }
            | ArtifactError::Damaged(_)
            | ArtifactError::DamagedTile { .. } => MANIFEST_DAMAGED,
        })?;
        let identity = manifest.identity();
        let biomes = BiomeTable::from_bytes(&identity.biome_table).map_err(|_| MANIFEST_DAMAGED)?;
        let raster = Arc::new(Raster::empty(identity.spec.raster_level));
        Ok(Self::new(Planet::with_biomes(identity.spec, raster, biomes), Some(manifest)))
    }

    fn leak(self) -> usize {
        std::ptr::from_ref(Box::leak(Box::new(self))).expose_provenance()
    }

    fn insert(&self, id: TileId, compressed: &[u8]) -> u32 {
        let Some(manifest) = self.manifest.as_ref().filter(|manifest| manifest.tile_hash(id).is_some())
        else {
            return TILE_UNKNOWN;
        };
        let Ok(tile) = manifest.open_tile(id, compressed) else { return TILE_DAMAGED };
        let raster = self.planet.raster();
        let is_new = raster.tile(id).is_none();
        raster.insert(id, Arc::new(tile));
        self.detail.borrow_mut().clear();
        if is_new && id.level == raster.level() {
            let mut fine_tiles = self.fine_tiles.borrow_mut();
            fine_tiles.push_back(id);
            while fine_tiles.len() > self.fine_tiles_max.get() {
                fine_tiles.pop_front().into_iter().for_each(|oldest| raster.remove(oldest));
            }
        }
        TILE_TAKEN
    }

    /// The level of the finest cell about a direction whose ground is exact with the tiles that are there.
    fn detail(&self, direction: DVec3) -> Option<u8> {
        let chunk_level = self.planet.grid_level(CHUNK_LEVEL);
        let chunk = CellId::from_point(direction).parent(chunk_level);
        let mut detail = self.detail.borrow_mut();
        if detail.len() >= DETAIL_MAX {
            detail.clear();
        }
        *detail.entry(chunk).or_insert_with(|| {
            (0..=chunk_level).rev().find(|level| {
                let spacing_m = self.planet.spacing_m(*level, CHUNK_QUADS);
                self.planet.missing(chunk.parent(*level), spacing_m).is_empty()
            })
        })
    }

    /// The ground under a direction as well as it can be told, and whether that is exact.
    fn ground(&self, direction: DVec3) -> (Ground, bool) {
        let exact_level = self.planet.grid_level(CHUNK_LEVEL);
        match self.detail(direction) {
            Some(level) if level == exact_level => (self.planet.ground(direction), true),
            level => {
                let elevation_m = level.map_or(0.0, |level| {
                    self.planet.elevation_coarse_m(direction, self.planet.spacing_m(level, CHUNK_QUADS))
                });
                (Ground { elevation_m, water_m: (elevation_m < 0.0).then_some(0.0) }, false)
            }
        }
    }
}

/// Makes a planet without any tile from the bytes of a manifest and returns its handle. It lives as long as the instance.
/// If that cannot be it returns 0 and writes the reason: [`MANIFEST_DAMAGED`] or [`MANIFEST_OF_OTHER_VERSION`].
///
/// # Safety
/// `manifest` points to `manifest_bytes` bytes; `reason` has room for a `u32`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_new(manifest: *const u8, manifest_bytes: usize, reason: *mut u32) -> usize {
    // SAFETY: the caller's promise above.
    let bytes = unsafe { std::slice::from_raw_parts(manifest, manifest_bytes) };
    match HeldPlanet::try_from_manifest(bytes) {
        Ok(held) => held.leak(),
        Err(why) => {
            // SAFETY: the caller's promise above.
            unsafe { write_values(reason, &[why]) };
            0
        }
    }
}

/// Makes a whole planet of the coarsest raster from nothing but its seed and returns its handle, 0 if the shift is above
/// 9: for comparisons with the server's own. It lives as long as the instance.
#[cfg(any(test, feature = "checks"))]
#[unsafe(no_mangle)]
pub extern "C" fn planet_generate(seed: u64, shift: u32) -> usize {
    spec_for_test(seed, shift).map_or(0, |spec| HeldPlanet::new(Planet::generate(spec), None).leak())
}

/// What a handle stands for.
///
/// # Safety
/// `handle` came from [`planet_new`] and is not 0.
unsafe fn held(handle: usize) -> &'static HeldPlanet {
    // SAFETY: the caller's promise above; it was leaked, so it lives for ever.
    unsafe { &*std::ptr::with_exposed_provenance::<HeldPlanet>(handle) }
}

/// The planet of a handle.
///
/// # Safety
/// As [`held`].
pub(crate) unsafe fn planet_ref(handle: usize) -> &'static Planet {
    // SAFETY: the caller's promise above.
    unsafe { &held(handle).planet }
}

/// Writes the hash that names the planet, 32 bytes, and returns 1; 0 for one that was not made from a manifest.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0; `out` has room for [`PLANET_HASH_BYTES`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_hash(planet: usize, out: *mut u8) -> u32 {
    // SAFETY: the caller's promise above.
    unsafe {
        let Some(manifest) = &held(planet).manifest else { return 0 };
        write_values(out, &manifest.planet_hash().0);
    }
    1
}

/// Shift of the planet: its radius is Earth's / 2^shift.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_shift(planet: usize) -> u32 {
    // SAFETY: the caller's promise above.
    u32::from(unsafe { planet_ref(planet) }.spec().shift)
}

/// Level of the finest layer of raster tiles' cells.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_raster_level(planet: usize) -> u32 {
    // SAFETY: the caller's promise above.
    u32::from(unsafe { planet_ref(planet) }.spec().raster_level)
}

/// Keeps at most so many tiles of the finest layer from now on; the first that came are the first to go.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_keep_tiles(planet: usize, fine_tiles_max: u32) {
    // SAFETY: the caller's promise above.
    unsafe { held(planet) }.fine_tiles_max.set(fine_tiles_max as usize);
}

/// Unpacks a compressed raster tile, verifies it and puts it in its place. Returns [`TILE_TAKEN`], [`TILE_UNKNOWN`] or
/// [`TILE_DAMAGED`].
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0; `tile` points to `tile_bytes` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_insert_tile(
    planet: usize,
    cell: u64,
    tile: *const u8,
    tile_bytes: usize,
) -> u32 {
    let Some(id) = tile_id(cell) else { return TILE_UNKNOWN };
    // SAFETY: the caller's promise above.
    unsafe { held(planet).insert(id, std::slice::from_raw_parts(tile, tile_bytes)) }
}

/// Writes the raster tiles that are missing for bodies to walk within a distance of a direction: at most `capacity` ids.
/// Returns how many are missing, which may be more.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0; `out` has room for `capacity` ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_missing_around(
    planet: usize,
    x: f64,
    y: f64,
    z: f64,
    radius_m: f64,
    out: *mut u64,
    capacity: u32,
) -> u32 {
    // SAFETY: the caller's promise above.
    let planet = unsafe { planet_ref(planet) };
    // Cells about as wide as the circle, so that there are few.
    let chunk_level = planet.grid_level(CHUNK_LEVEL);
    let level = (0..chunk_level)
        .rev()
        .find(|level| planet.spacing_m(*level, 1) > radius_m)
        .unwrap_or(0)
        .max(chunk_level.saturating_sub(CHUNK_DEPTH_MAX));
    let Ok(cells) = cell::cover_cap(DVec3::new(x, y, z), radius_m / planet.radius_m(), level) else {
        return 0;
    };
    let spacing_m = planet.spacing_m(chunk_level, CHUNK_QUADS);
    let tiles = cells.into_iter().flat_map(|cell| planet.missing(cell, spacing_m)).collect();
    // SAFETY: the caller's promise above.
    unsafe { write_tile_ids(tiles, out, capacity) }
}

/// So many levels above the chunks are looked at at once.
const CHUNK_DEPTH_MAX: u8 = 4;

/// Writes the cells of tiles, each once, and returns how many there are.
///
/// # Safety
/// `out` has room for `capacity` ids.
pub(crate) unsafe fn write_tile_ids(mut tiles: Vec<TileId>, out: *mut u64, capacity: u32) -> u32 {
    tiles.sort_unstable();
    tiles.dedup();
    let ids: Vec<u64> = tiles.iter().take(capacity as usize).map(|tile| tile.cell.raw()).collect();
    // SAFETY: the caller's promise above.
    unsafe { write_values(out, &ids) };
    tiles.len() as u32
}

fn tile_id(raw: u64) -> Option<TileId> {
    let cell = CellId::try_from_raw(raw)?;
    Some(TileId { level: cell.level() + TILE_DEPTH, cell })
}

/// Distance of the sea surface from the centre, metres.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_radius_m(planet: usize) -> f64 {
    // SAFETY: the caller's promise above.
    unsafe { planet_ref(planet) }.radius_m()
}

/// Writes the height of the ground under a direction and of the water's surface over it (NaN where it is dry), two
/// `f64` in metres over the sea. Returns 1 if that is what bodies walk on, 0 if tiles are missing and it was told from
/// coarser ones.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0; `out` has room for two `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_ground(planet: usize, x: f64, y: f64, z: f64, out: *mut f64) -> u32 {
    // SAFETY: the caller's promise above.
    unsafe {
        let (ground, is_exact) = held(planet).ground(DVec3::new(x, y, z));
        write_values(out, &[ground.elevation_m, ground.water_m.unwrap_or(f64::NAN)]);
        u32::from(is_exact)
    }
}

/// Number of the biome under a direction; [`biome_name`] has its name.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_biome(planet: usize, x: f64, y: f64, z: f64) -> u32 {
    // SAFETY: the caller's promise above.
    unsafe { planet_ref(planet) }.biome(DVec3::new(x, y, z)) as u32
}

/// The hash over a fixed set of samples of a whole planet of the coarsest raster, equal to the server's; 0 if the shift
/// is above 9.
#[cfg(any(test, feature = "checks"))]
#[unsafe(no_mangle)]
pub extern "C" fn planet_golden(seed: u64, shift: u32) -> u64 {
    spec_for_test(seed, shift).map_or(0, golden_hash)
}

/// Makes a planet by its seed alone, writes the hash that names it, 32 bytes, and returns 1; 0 if there is no such shift or
/// raster level. The hash covers every tile of the raster.
///
/// # Safety
/// `out` has room for [`PLANET_HASH_BYTES`].
#[cfg(any(test, feature = "checks"))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_golden_name(seed: u64, shift: u32, raster_level: u32, out: *mut u8) -> u32 {
    let raster_level = raster_level as u8;
    if !(RASTER_LEVEL_MIN..=RASTER_LEVEL_MAX).contains(&raster_level) {
        return 0;
    }
    let Some(spec) = spec_for_test(seed, shift) else { return 0 };
    let spec = PlanetSpec { raster_level, ..spec };
    let planet = Planet::generate(spec);
    let biome_table = BiomeTable::default().to_bytes();
    let identity = Identity { spec, sub_seed: 0, import: None, biome_table };
    let artifact = planet::artifact::write(identity, planet.raster(), NonZeroUsize::MIN);
    let Ok(manifest) = Manifest::decode(&artifact) else { return 0 };
    // SAFETY: the caller's promise above.
    unsafe { write_values(out, &manifest.planet_hash().0) };
    1
}

/// Writes the English name of a biome and returns its length in bytes, 0 if there is none of that number.
///
/// # Safety
/// `out` has room for [`BIOME_NAME_BYTES_MAX`] bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn biome_name(number: u32, out: *mut u8) -> u32 {
    let Some(biome) = u8::try_from(number).ok().and_then(Biome::from_number) else { return 0 };
    let name = biome.name().as_bytes();
    // SAFETY: the caller's promise above, and no name is longer (tested).
    unsafe { write_values(out, name) };
    name.len() as u32
}

#[cfg(any(test, feature = "checks"))]
fn spec_for_test(seed: u64, shift: u32) -> Option<PlanetSpec> {
    let shift = u8::try_from(shift).ok().filter(|shift| *shift <= SHIFT_MAX)?;
    Some(PlanetSpec::for_test(seed, shift))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use planet::artifact::{Digest, encode_tile, tiles_of};

    use super::*;

    const SPEC: PlanetSpec = PlanetSpec::for_test(7, 6);

    /// A planet, its artifact, and a handle of it without tiles.
    fn planet_in_pieces() -> (Planet, Vec<u8>, usize) {
        let planet = Planet::generate(SPEC);
        let whole = Raster::empty(SPEC.raster_level);
        for id in tiles_of(SPEC.raster_level) {
            whole.insert(id, planet.raster().tile(id).unwrap_or_default());
        }
        let identity =
            Identity { spec: SPEC, sub_seed: 0, import: None, biome_table: BiomeTable::default().to_bytes() };
        let artifact = planet::artifact::write(identity, &whole, NonZeroUsize::MIN);
        let mut reason = 9;
        // SAFETY: pointers to live values, of the lengths told.
        let handle = unsafe { planet_new(artifact.as_ptr(), artifact.len(), &raw mut reason) };
        assert_ne!(handle, 0, "reason {reason}");
        (planet, artifact, handle)
    }

    fn insert(handle: usize, cell: u64, tile: &[u8]) -> u32 {
        // SAFETY: a live handle and a live slice.
        unsafe { planet_insert_tile(handle, cell, tile.as_ptr(), tile.len()) }
    }

    #[test]
    fn a_planet_put_together_from_its_tiles_is_the_servers() {
        let (planet, artifact, handle) = planet_in_pieces();
        let manifest = Manifest::decode(&artifact).expect("written above");
        for id in tiles_of(SPEC.raster_level) {
            let range = manifest.tile_range(id).expect("a tile of the planet");
            let tile = &artifact[range.start as usize..range.end as usize];
            assert_eq!(insert(handle, id.cell.raw(), tile), TILE_TAKEN);
        }
        let (mut ground, mut hash) = ([0.0; 2], [0; PLANET_HASH_BYTES]);
        // SAFETY: a live handle, and arrays of the sizes asked for.
        unsafe {
            assert_eq!(planet_radius_m(handle), planet.radius_m());
            assert_eq!((planet_shift(handle), planet_raster_level(handle)), (6, 6));
            assert_eq!(planet_hash(handle, hash.as_mut_ptr()), 1);
            assert_eq!(planet_missing_around(handle, 0.3, -0.5, 0.8, 500.0, std::ptr::null_mut(), 0), 0);
            for direction in [DVec3::new(0.3, -0.5, 0.8), DVec3::new(-0.9, 0.1, 0.2)] {
                let [x, y, z] = direction.to_array();
                assert_eq!(planet_ground(handle, x, y, z, ground.as_mut_ptr()), 1);
                assert_eq!(ground[0].to_bits(), planet.ground(direction).elevation_m.to_bits());
                assert_eq!(ground[1].is_nan(), planet.ground(direction).water_m.is_none());
                assert_eq!(planet_biome(handle, x, y, z), planet.biome(direction) as u32);
            }
        }
        assert_eq!(hash, manifest.planet_hash().0);
    }

    #[test]
    fn tiles_are_taken_only_as_the_manifest_says() {
        let (_, artifact, handle) = planet_in_pieces();
        let manifest = Manifest::decode(&artifact).expect("written above");
        let id = tiles_of(SPEC.raster_level).next().expect("six tiles");
        let range = manifest.tile_range(id).expect("a tile of the planet");
        let good = &artifact[range.start as usize..range.end as usize];
        let mut other = planet::RasterTile::default();
        other.uplift[0] = 1;
        assert_eq!(insert(handle, id.cell.raw(), &encode_tile(&other)), TILE_DAMAGED);
        assert_eq!(insert(handle, id.cell.raw(), &good[1..]), TILE_DAMAGED);
        assert_eq!(insert(handle, id.cell.raw(), &[]), TILE_DAMAGED);
        for unknown in [0, u64::MAX, id.cell.children().expect("no leaf")[0].raw()] {
            assert_eq!(insert(handle, unknown, good), TILE_UNKNOWN);
        }
        assert_eq!(insert(handle, id.cell.raw(), good), TILE_TAKEN);
    }

    #[test]
    fn only_so_many_tiles_of_the_finest_layer_are_kept() {
        let (_, artifact, handle) = planet_in_pieces();
        let manifest = Manifest::decode(&artifact).expect("written above");
        // SAFETY: a live handle.
        let raster = unsafe {
            planet_keep_tiles(handle, 2);
            planet_ref(handle).raster()
        };
        let ids: Vec<_> = tiles_of(SPEC.raster_level).take(3).collect();
        for id in ids.iter().chain(&ids[2..]) {
            let range = manifest.tile_range(*id).expect("a tile of the planet");
            insert(handle, id.cell.raw(), &artifact[range.start as usize..range.end as usize]);
        }
        assert!(raster.tile(ids[0]).is_none(), "the first that came");
        assert!(raster.tile(ids[1]).is_some() && raster.tile(ids[2]).is_some());
    }

    #[test]
    fn bytes_that_are_no_manifest_are_refused_with_a_reason() {
        let (_, artifact, _) = planet_in_pieces();
        let why = |bytes: &[u8]| {
            let mut reason = 0;
            // SAFETY: pointers to live values, of the lengths told.
            assert_eq!(unsafe { planet_new(bytes.as_ptr(), bytes.len(), &raw mut reason) }, 0);
            reason
        };
        assert_eq!(why(&[]), MANIFEST_DAMAGED);
        assert_eq!(why(&artifact[..100]), MANIFEST_DAMAGED);
        let mut of_other_format = artifact.clone();
        of_other_format[8] = 200;
        assert_eq!(why(&of_other_format), MANIFEST_OF_OTHER_VERSION);
        let mut spoilt = artifact;
        spoilt[60] ^= 1;
        assert_eq!(why(&spoilt), MANIFEST_DAMAGED);
    }

    #[test]
    fn a_planet_of_no_size_is_refused() {
        assert_eq!(planet_generate(1, 10), 0);
        assert_eq!(planet_generate(1, u32::MAX), 0);
        assert_eq!(planet_golden(1, 256), 0);
    }

    #[test]
    fn the_golden_planets_are_named_as_ever_here_and_in_the_browser() {
        // `tests/golden.mjs` holds the WebAssembly module against the same file.
        let golden = include_str!("../tests/golden_planets.txt");
        let mut found = String::new();
        for line in golden.lines() {
            let fields: Vec<_> = line.split(' ').collect();
            let (&[seed, shift, level], true) = (&fields[..3], fields.len() == 4) else { panic!("{line}") };
            let numbers = [shift, level].map(|field| field.parse().expect("a number"));
            let mut name = Digest([0; PLANET_HASH_BYTES]);
            // SAFETY: the array has the size asked for.
            let is_made = unsafe {
                planet_golden_name(seed.parse().expect("a seed"), numbers[0], numbers[1], name.0.as_mut_ptr())
            };
            assert_eq!(is_made, 1, "{line}");
            writeln!(found, "{seed} {shift} {level} {name}").expect("strings take all");
        }
        assert_eq!(found, golden, "a change of these is a change of GENERATOR_VERSION");
    }

    #[test]
    fn every_biome_has_a_name_that_fits() {
        let mut name = [0; BIOME_NAME_BYTES_MAX];
        for biome in Biome::ALL {
            assert!(biome.name().len() <= BIOME_NAME_BYTES_MAX);
            // SAFETY: the array has the size asked for.
            let length = unsafe { biome_name(biome as u32, name.as_mut_ptr()) } as usize;
            assert_eq!(&name[..length], biome.name().as_bytes());
        }
        // SAFETY: as above.
        assert_eq!(unsafe { biome_name(Biome::ALL.len() as u32, name.as_mut_ptr()) }, 0);
    }
}
