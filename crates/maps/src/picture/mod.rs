//! Pictures of the ground: colours by what grows or by height, relief in the light, seas by depth, rivers and lakes.
//!
//! Pure computation on the calling thread: a view says where the pixels are, samples what lies under them, and the
//! painter gives them colours.

mod ground;
mod paint;
mod palette;
mod rivers;
mod sample;
mod terrarium;
mod view;

pub(crate) use ground::Pieces;
pub(crate) use paint::paint;
pub use palette::biome_color;
pub(crate) use palette::height_colors;
pub(crate) use rivers::Rivers;
pub(crate) use sample::{Samples, biome_numbers};
pub(crate) use terrarium::terrarium;
pub(crate) use view::View;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MapLayer {
    /// What grows there: natural colours.
    Biome,
    /// How high it is: tints by height.
    Elevation,
}

impl MapLayer {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Biome, Self::Elevation];

    /// The name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Biome => "biome",
            Self::Elevation => "elevation",
        }
    }

    /// Inverse of [`name`](Self::name).
    pub fn parse_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.name() == name)
    }
}

/// A picture, row by row from the top, three bytes a pixel: red, green, blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels to a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `3 * width * height` bytes.
    pub rgb: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use planet::{Planet, PlanetSpec};

    use super::*;
    use crate::address::{FaceTile, TILE_PIXELS, TileXyz};

    struct Studio {
        pieces: Pieces,
        rivers: Rivers,
    }

    impl Studio {
        fn new() -> Self {
            let planet = Arc::new(Planet::generate(PlanetSpec::for_test(3, 3)));
            Self { pieces: Pieces::new(planet, 32 << 20), rivers: Rivers::new(1 << 20) }
        }

        fn paint(&self, view: &View, layer: MapLayer) -> Picture {
            let planet = self.pieces.planet();
            let rivers = self.rivers.under(planet, view);
            paint(planet, view, &Samples::of(view, &self.pieces), &rivers, layer)
        }

        /// The tile in the view, and a window half a tile to the right and down, agree where both are.
        fn check_seamless(&self, view: &View) {
            const HALF: usize = TILE_PIXELS as usize / 2;
            const SIDE: usize = TILE_PIXELS as usize;
            for layer in MapLayer::ALL {
                let [tile, moved] = [*view, view.moved(HALF as f64)].map(|it| self.paint(&it, layer).rgb);
                for row in 0..HALF {
                    let ours = 3 * ((row + HALF) * SIDE + HALF);
                    let theirs = 3 * row * SIDE;
                    assert!(
                        tile[ours..ours + 3 * HALF] == moved[theirs..theirs + 3 * HALF],
                        "{view:?} has a seam in {layer:?}, row {row}"
                    );
                }
            }
        }
    }

    #[test]
    fn light_and_water_pass_over_the_borders_of_tiles() {
        let studio = Studio::new();
        let planet = studio.pieces.planet();
        for (z, x, y) in [(3, 5, 2), (10, 700, 400)] {
            studio.check_seamless(&View::of_tile(TileXyz::try_new(planet, z, x, y).unwrap()));
        }
        studio.check_seamless(&View::of_face_tile(FaceTile::try_new(planet, 2, 3, 4, 4).unwrap()));
    }

    #[test]
    fn a_picture_does_not_depend_on_what_was_painted_before() {
        let (busy, fresh) = (Studio::new(), Studio::new());
        let planet = busy.pieces.planet();
        let view = |x| View::of_tile(TileXyz::try_new(planet, 5, x, 12).unwrap());
        let pictures: Vec<Picture> = (9..12).map(|x| busy.paint(&view(x), MapLayer::Biome)).collect();
        assert!(pictures[1] == fresh.paint(&view(10), MapLayer::Biome));
    }
}
