//! Who makes the pictures.

use std::sync::Arc;

use planet::Planet;

use crate::address::{FaceTile, TileXyz};
use crate::picture::{MapLayer, Picture, Pieces, Rivers, Samples, View, biome_numbers, paint, terrarium};

/// Rows of an equirectangular raster of the whole planet, `2 * world_height` pixels wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorldStrip {
    pub(crate) world_height: u32,
    pub(crate) top: u32,
    pub(crate) rows: u32,
}

/// Makes pictures of one planet; keeps pieces of ground that neighbouring pictures share.
pub struct Painter {
    pieces: Pieces,
    rivers: Rivers,
}

impl Painter {
    /// Keeps about `ground_bytes_max` of ground between pictures; 16 MB hold what a screen full of tiles needs.
    pub fn new(planet: Arc<Planet>, ground_bytes_max: u64) -> Self {
        /// Of what is kept, lines of rivers may take this part.
        const RIVERS_SHARE: u64 = 8;
        let rivers_bytes = ground_bytes_max / RIVERS_SHARE;
        Self {
            pieces: Pieces::new(planet, ground_bytes_max - rivers_bytes),
            rivers: Rivers::new(rivers_bytes),
        }
    }

    /// The planet it paints.
    pub fn planet(&self) -> &Planet {
        self.pieces.planet()
    }

    /// A tile of the map.
    pub fn tile(&self, layer: MapLayer, tile: TileXyz) -> Picture {
        self.picture(layer, &View::of_tile(tile))
    }

    /// Heights of the ground as the colours of Terrarium: `red * 256 + green + blue / 256 - 32768` metres.
    pub fn terrarium(&self, tile: TileXyz) -> Picture {
        let view = View::of_tile(tile);
        terrarium(&view, &Samples::of(&view, &self.pieces))
    }

    /// A tile of a face of the cube.
    pub fn face_tile(&self, layer: MapLayer, tile: FaceTile) -> Picture {
        self.picture(layer, &View::of_face_tile(tile))
    }

    /// The whole planet, equirectangular, `2 * height` pixels wide.
    ///
    /// # Panics
    /// If `height` is 0.
    pub fn world(&self, layer: MapLayer, height: u32) -> Picture {
        assert!(height > 0, "a picture has rows");
        self.picture(layer, &View::of_world(height, 0, height))
    }

    /// Heights of the ground, metres above the sea, row by row.
    pub(crate) fn heights(&self, strip: WorldStrip) -> Vec<f32> {
        let view = View::of_world(strip.world_height, strip.top, strip.rows);
        Samples::of(&view, &self.pieces).inner_elevations_m(&view).collect()
    }

    /// Numbers of the biomes, row by row.
    pub(crate) fn biome_numbers(&self, strip: WorldStrip) -> Vec<u8> {
        biome_numbers(&View::of_world(strip.world_height, strip.top, strip.rows), &self.pieces)
    }

    fn picture(&self, layer: MapLayer, view: &View) -> Picture {
        let samples = Samples::of(view, &self.pieces);
        let rivers = self.rivers.under(self.planet(), view);
        paint(self.planet(), view, &samples, &rivers, layer)
    }
}
