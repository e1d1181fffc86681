//! What a planet is made of: all but the tiles themselves.

use std::ops::Range;

use super::{
    ArtifactError, Digest, ENCODED_TILE_BYTES_MAX, decode_tile, layers_of, tile_count_of_layer, tile_hash,
};
use crate::{
    GENERATOR_VERSION, PlanetSpec, RASTER_LEVEL_MAX, RASTER_LEVEL_MIN, RasterTile, SHIFT_MAX, TILE_SIDE,
    TileId,
};

const MAGIC: [u8; 8] = *b"TERRANE\x1a";

pub(super) const FORMAT_VERSION: u32 = 1;

const HEAD_BYTES: usize = 48;
const IDENTITY_HEAD_BYTES: usize = 56;
const LENGTH_BYTES: usize = 4;

/// A biome table is some hundred bytes; this is for those who write their own.
pub const BIOME_TABLE_BYTES_MAX: usize = 64 * 1024;

/// No manifest is longer.
pub const MANIFEST_BYTES_MAX: usize = HEAD_BYTES
    + IDENTITY_HEAD_BYTES
    + BIOME_TABLE_BYTES_MAX
    + tile_count(RASTER_LEVEL_MAX) * (Digest::BYTES + LENGTH_BYTES);

/// No artifact is longer.
pub const ARTIFACT_BYTES_MAX: usize =
    MANIFEST_BYTES_MAX + tile_count(RASTER_LEVEL_MAX) * ENCODED_TILE_BYTES_MAX;

/// Tiles of all layers.
const fn tile_count(raster_level: u8) -> usize {
    let mut level = raster_level;
    let mut count = tile_count_of_layer(level);
    while level >= RASTER_LEVEL_MIN + 2 {
        level -= 2;
        count += tile_count_of_layer(level);
    }
    count
}

/// What was wanted of the planet: all that its tiles follow from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Seed, size and fineness.
    pub spec: PlanetSpec,
    /// How many worlds of this seed were rejected before this one.
    pub sub_seed: u32,
    /// The heights it was made from, if they were imported; then the seed decides the rest only.
    pub import: Option<Digest>,
    /// The table that the global stage chose biomes by, as that stage writes it; at most [`BIOME_TABLE_BYTES_MAX`].
    pub biome_table: Vec<u8>,
}

/// An artifact without its tiles: tells which planet it is, what each tile is, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    identity: Identity,
    planet_hash: Digest,
    /// In the order of [`tiles_of`](super::tiles_of).
    tile_hashes: Vec<Digest>,
    /// Where each tile begins, and at last where the file ends.
    tile_begins: Vec<u64>,
}

impl Manifest {
    /// Both lists are in the order of [`tiles_of`](super::tiles_of).
    pub(super) fn new(identity: Identity, tile_hashes: Vec<Digest>, tile_lengths: &[u32]) -> Self {
        let tiles = tile_count(identity.spec.raster_level);
        assert_eq!((tile_hashes.len(), tile_lengths.len()), (tiles, tiles), "each tile is listed once");
        assert!(identity.biome_table.len() <= BIOME_TABLE_BYTES_MAX, "a biome table is not that long");
        let planet_hash = Digest::of(&identity_bytes(&identity, &tile_hashes));
        let tiles_begin = HEAD_BYTES
            + IDENTITY_HEAD_BYTES
            + identity.biome_table.len()
            + tiles * (Digest::BYTES + LENGTH_BYTES);
        let mut end = tiles_begin as u64;
        let mut tile_begins = vec![end];
        tile_begins.extend(tile_lengths.iter().map(|length| {
            end += u64::from(*length);
            end
        }));
        Self { identity, planet_hash, tile_hashes, tile_begins }
    }

    /// Appends its bytes.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let identity = identity_bytes(&self.identity, &self.tile_hashes);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&(identity.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.planet_hash.0);
        bytes.extend_from_slice(&identity);
        for ends in self.tile_begins.windows(2) {
            bytes.extend_from_slice(&((ends[1] - ends[0]) as u32).to_le_bytes());
        }
    }

    /// Reads a manifest; what comes behind it is not looked at.
    ///
    /// Its parts fit each other when this succeeds. That it is the manifest of a planet that somebody meant, only its
    /// [`planet_hash`](Self::planet_hash) can tell.
    pub fn decode(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let mut reader = Reader { bytes, at: 0 };
        if reader.take()? != MAGIC {
            return Err(ArtifactError::NotAnArtifact);
        }
        let found = reader.take_u32()?;
        if found != FORMAT_VERSION {
            return Err(ArtifactError::OtherFormat { found });
        }
        let identity_length = reader.take_u32()? as usize;
        let planet_hash = Digest(reader.take()?);

        let found = reader.take_u32()?;
        if found != GENERATOR_VERSION {
            return Err(ArtifactError::OtherGenerator { found });
        }
        let [shift, raster_level, zero, zero_too] = reader.take()?;
        let seed = u64::from_le_bytes(reader.take()?);
        let sub_seed = reader.take_u32()?;
        let table_length = reader.take_u32()? as usize;
        let import = Digest(reader.take()?);
        let is_possible = shift <= SHIFT_MAX
            && (RASTER_LEVEL_MIN..=RASTER_LEVEL_MAX).contains(&raster_level)
            && [zero, zero_too] == [0, 0]
            && table_length <= BIOME_TABLE_BYTES_MAX;
        if !is_possible {
            return Err(ArtifactError::Damaged("there is no such planet"));
        }
        let tiles = tile_count(raster_level);
        if identity_length != IDENTITY_HEAD_BYTES + table_length + tiles * Digest::BYTES {
            return Err(ArtifactError::Damaged("its lengths contradict each other"));
        }
        // Now that the length is known to be a possible one: is it there?
        let identity_bytes = reader.ahead(HEAD_BYTES, identity_length + tiles * LENGTH_BYTES)?;
        if Digest::of(&identity_bytes[..identity_length]) != planet_hash {
            return Err(ArtifactError::Damaged("its manifest does not have its hash"));
        }
        let biome_table = reader.take_slice(table_length)?.to_vec();
        let tile_hashes = (0..tiles).map(|_| reader.take().map(Digest)).collect::<Result<_, _>>()?;
        let tile_lengths: Vec<u32> = (0..tiles).map(|_| reader.take_u32()).collect::<Result<_, _>>()?;
        if tile_lengths.iter().any(|length| *length as usize > ENCODED_TILE_BYTES_MAX) {
            return Err(ArtifactError::Damaged("a tile is too long"));
        }
        let identity = Identity {
            spec: PlanetSpec { seed, shift, raster_level },
            sub_seed,
            import: (import.0 != [0; Digest::BYTES]).then_some(import),
            biome_table,
        };
        Ok(Self::new(identity, tile_hashes, &tile_lengths))
    }

    /// What was wanted of the planet.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Equal for equal planets, whoever made them and however they are packed.
    pub fn planet_hash(&self) -> Digest {
        self.planet_hash
    }

    /// How long the manifest is: the first tile begins there.
    pub fn bytes(&self) -> u64 {
        self.tile_begins[0]
    }

    /// How long the whole artifact is.
    pub fn artifact_bytes(&self) -> u64 {
        *self.tile_begins.last().expect("an end, at least")
    }

    /// Where the compressed bytes of a tile are within the artifact; `None` if the planet has no such tile.
    pub fn tile_range(&self, id: TileId) -> Option<Range<u64>> {
        let number = self.number(id)?;
        Some(self.tile_begins[number]..self.tile_begins[number + 1])
    }

    /// Where a layer and all coarser ones end within the artifact: what is before is enough to show the planet as far
    /// as that layer can. `None` if the planet has no such layer.
    pub fn layer_end(&self, level: u8) -> Option<u64> {
        let layers = layers_of(self.identity.spec.raster_level);
        let mut end = 0;
        for layer in layers {
            end += tile_count_of_layer(layer);
            if layer == level {
                return Some(self.tile_begins[end]);
            }
        }
        None
    }

    /// What the raw bytes of a tile hash to; `None` if the planet has no such tile.
    pub fn tile_hash(&self, id: TileId) -> Option<Digest> {
        self.number(id).map(|number| self.tile_hashes[number])
    }

    /// Unpacks a tile and verifies that it is the one of this planet.
    pub fn open_tile(&self, id: TileId, compressed: &[u8]) -> Result<RasterTile, ArtifactError> {
        let damaged = ArtifactError::damaged_tile(id);
        let tile = decode_tile(compressed).ok_or(damaged)?;
        if self.tile_hash(id) == Some(tile_hash(&tile)) { Ok(tile) } else { Err(damaged) }
    }

    /// Its place in the order of [`tiles_of`](super::tiles_of).
    fn number(&self, id: TileId) -> Option<usize> {
        let mut before = 0;
        for layer in layers_of(self.identity.spec.raster_level) {
            if layer == id.level {
                let tile_level = layer - TILE_SIDE.ilog2() as u8;
                // Of the 64 bits, what is behind the place along the curve is the same for all cells of a level.
                let place = || (id.cell.raw() >> (61 - 2 * u32::from(tile_level))) as usize;
                return (id.cell.level() == tile_level).then(|| before + place());
            }
            before += tile_count_of_layer(layer);
        }
        None
    }
}

/// The bytes that the planet hash is of.
fn identity_bytes(identity: &Identity, tile_hashes: &[Digest]) -> Vec<u8> {
    let Identity { spec: PlanetSpec { seed, shift, raster_level }, sub_seed, import, biome_table } = identity;
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&GENERATOR_VERSION.to_le_bytes());
    bytes.extend_from_slice(&[*shift, *raster_level, 0, 0]);
    bytes.extend_from_slice(&seed.to_le_bytes());
    bytes.extend_from_slice(&sub_seed.to_le_bytes());
    bytes.extend_from_slice(&(biome_table.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&import.map_or([0; Digest::BYTES], |import| import.0));
    bytes.extend_from_slice(biome_table);
    for hash in tile_hashes {
        bytes.extend_from_slice(&hash.0);
    }
    bytes
}

/// Takes one value after the other from the front.
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn take_slice(&mut self, length: usize) -> Result<&'b [u8], ArtifactError> {
        let slice = self.ahead(self.at, length)?;
        self.at += length;
        Ok(slice)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ArtifactError> {
        self.take_slice(N).map(|slice| slice.try_into().expect("a slice of this length"))
    }

    fn take_u32(&mut self) -> Result<u32, ArtifactError> {
        self.take().map(u32::from_le_bytes)
    }

    /// Bytes from anywhere, without taking them.
    fn ahead(&self, begin: usize, length: usize) -> Result<&'b [u8], ArtifactError> {
        let end = begin + length;
        let cut_off = ArtifactError::CutOff { needed: end as u64, found: self.bytes.len() as u64 };
        self.bytes.get(begin..end).ok_or(cut_off)
    }
}
