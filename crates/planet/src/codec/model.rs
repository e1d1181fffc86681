//! What is known of a vertex before it is told: from the vertices west, north-west, north and north-east of it.

use super::arithmetic::{Chance, Coder};
use crate::{Biome, CHUNK_SIDE};

/// Heights and water surfaces are at most so many quanta from the sea, so that an `f32` holds them exactly.
pub(super) const HEIGHT_QUANTA_MAX: i32 = 1 << 24;

/// What is told of a vertex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vertex {
    /// Quanta over the sea.
    pub(super) height: i32,
    /// Surface of the water over it, quanta over the sea.
    pub(super) water: Option<i32>,
    pub(super) biome: Biome,
}

impl Default for Vertex {
    fn default() -> Self {
        Self { height: 0, water: None, biome: Biome::Ocean }
    }
}

/// Everything learnt so far in a chunk; the same in both directions.
pub(super) struct Model {
    minimum: i32,
    /// Vertices done, and how far the prediction of each height was off.
    vertices: Vec<(Vertex, i32)>,
    /// By how far the neighbours' heights were off.
    height: [Number; ROUGHNESSES],
    /// By the neighbours' water, and where the ground is against its surface.
    is_wet: [Chance; 27],
    /// By whether there is water beside it.
    water: [Number; 2],
    /// By which neighbours' biomes agree, and whether water begins or ends here.
    is_biome_of_west: [Chance; 16],
    is_biome_of_north: [Chance; 2],
    biome: [Chance; 64],
}

/// Kinds of surroundings, from smooth to rough.
const ROUGHNESSES: usize = 12;

impl Model {
    pub(super) fn new(minimum: i32) -> Self {
        Self {
            minimum,
            vertices: Vec::with_capacity(CHUNK_SIDE * CHUNK_SIDE),
            height: [Number::NEW; ROUGHNESSES],
            is_wet: [Chance::EVEN; 27],
            water: [Number::NEW; 2],
            is_biome_of_west: [Chance::EVEN; 16],
            is_biome_of_north: [Chance::EVEN; 2],
            biome: [Chance::EVEN; 64],
        }
    }

    /// Tells the next vertex, or hears of it; `None` if it cannot be.
    pub(super) fn code(&mut self, coder: &mut impl Coder, vertex: Vertex) -> Option<Vertex> {
        let around = Around::of(&self.vertices, self.minimum);
        let height = self.code_height(coder, &around, vertex.height)?;
        let water = self.code_water(coder, &around, height, vertex.water)?;
        let biome = self.code_biome(coder, &around, water.is_some(), vertex.biome)?;
        let vertex = Vertex { height, water, biome };
        self.vertices.push((vertex, height - around.plane()));
        Some(vertex)
    }

    fn code_height(&mut self, coder: &mut impl Coder, around: &Around, height: i32) -> Option<i32> {
        let number = &mut self.height[around.roughness()];
        let residual = number.code(coder, around.signs(), height - around.plane())?;
        possible_height(around.plane() + residual)
    }

    #[expect(clippy::option_option, reason = "no such vertex, no water, water")]
    fn code_water(
        &mut self,
        coder: &mut impl Coder,
        around: &Around,
        height: i32,
        water: Option<i32>,
    ) -> Option<Option<i32>> {
        let nearest = around.west.water.or(around.north.water).or(around.north_east.water);
        let expected = nearest.unwrap_or(0);
        let side = (height - expected).signum() + 1;
        let wet = |vertex: Vertex| usize::from(vertex.water.is_some());
        let neighbors = 4 * wet(around.west) + 2 * wet(around.north) + wet(around.north_east);
        if !coder.code(&mut self.is_wet[side as usize + 3 * neighbors], water.is_some()) {
            return Some(None);
        }
        let number = &mut self.water[usize::from(nearest.is_some())];
        let residual = number.code(coder, 0, water.unwrap_or(expected) - expected)?;
        Some(Some(possible_height(expected + residual)?))
    }

    fn code_biome(
        &mut self,
        coder: &mut impl Coder,
        around: &Around,
        is_wet: bool,
        biome: Biome,
    ) -> Option<Biome> {
        let [west, north_west, north, north_east] =
            [around.west, around.north_west, around.north, around.north_east].map(|vertex| vertex.biome);
        let is_like = usize::from(west == north)
            + 2 * usize::from(west == north_west)
            + 4 * usize::from(north == north_east);
        let water_changes = usize::from(is_wet != around.west.water.is_some());
        if coder.code(&mut self.is_biome_of_west[is_like + 8 * water_changes], biome == west) {
            return Some(west);
        }
        if north != west && coder.code(&mut self.is_biome_of_north[water_changes], biome == north) {
            return Some(north);
        }
        // Six bits, the highest first; every prefix has its own chance.
        let mut prefix = 1_usize;
        while prefix < 64 {
            let bit = (biome as usize >> (5 - prefix.ilog2())) & 1 == 1;
            prefix = 2 * prefix + usize::from(coder.code(&mut self.biome[prefix], bit));
        }
        Biome::from_number((prefix - 64) as u8)
    }
}

fn possible_height(height: i32) -> Option<i32> {
    (height.abs() <= HEIGHT_QUANTA_MAX).then_some(height)
}

/// The neighbours of a vertex that came before it. Beyond the western and northern edge, and north-east of the last
/// column, the nearest one known stands in; before the first vertex, dry ground at the minimum.
struct Around {
    west: Vertex,
    north_west: Vertex,
    north: Vertex,
    north_east: Vertex,
    /// By how much the heights of west and north were off.
    west_residual: i32,
    north_residual: i32,
    /// How much all four were off together.
    surprise: u32,
}

impl Around {
    fn of(done: &[(Vertex, i32)], minimum: i32) -> Self {
        let column = done.len() % CHUNK_SIDE;
        let ago = |count: usize| done[done.len() - count];
        let nothing = (Vertex { height: minimum, ..Vertex::default() }, 0);
        let (west, north_west, north, north_east) = if done.is_empty() {
            (nothing, nothing, nothing, nothing)
        } else if done.len() < CHUNK_SIDE {
            (ago(1), ago(1), ago(1), ago(1))
        } else if column == 0 {
            (ago(CHUNK_SIDE), ago(CHUNK_SIDE), ago(CHUNK_SIDE), ago(CHUNK_SIDE - 1))
        } else {
            let north_east = if column + 1 == CHUNK_SIDE { ago(CHUNK_SIDE) } else { ago(CHUNK_SIDE - 1) };
            (ago(1), ago(CHUNK_SIDE + 1), ago(CHUNK_SIDE), north_east)
        };
        Self {
            west: west.0,
            north_west: north_west.0,
            north: north.0,
            north_east: north_east.0,
            west_residual: west.1,
            north_residual: north.1,
            surprise: [west, north_west, north, north_east].map(|near| near.1.unsigned_abs()).iter().sum(),
        }
    }

    /// The height of the plane through the three nearest neighbours.
    fn plane(&self) -> i32 {
        self.west.height + self.north.height - self.north_west.height
    }

    /// Which of [`ROUGHNESSES`].
    fn roughness(&self) -> usize {
        const FROM: [u32; ROUGHNESSES - 1] = [1, 2, 3, 4, 6, 8, 11, 16, 24, 48, 200];
        FROM.iter().take_while(|from| self.surprise >= **from).count()
    }

    /// Which of [`SIGNS`]: on which sides of their planes the neighbours were.
    fn signs(&self) -> usize {
        (3 * (self.west_residual.signum() + 1) + self.north_residual.signum() + 1) as usize
    }
}

/// Combinations of two signs.
const SIGNS: usize = 9;

/// A whole number that is small as a rule.
#[derive(Clone, Copy)]
struct Number {
    is_not_zero: [Chance; SIGNS],
    is_negative: [Chance; SIGNS],
    /// Is the magnitude above 1, above 2, …?
    is_above: [Chance; SMALL],
    /// What is above them: how many binary digits, then the digits.
    has_digit: [Chance; DIGITS],
    digit: Chance,
}

/// Magnitudes that are counted one by one.
const SMALL: usize = 14;

/// Binary digits of what remains: enough for a difference of four heights.
const DIGITS: usize = 28;

impl Number {
    const NEW: Self = Self {
        is_not_zero: [Chance::EVEN; SIGNS],
        is_negative: [Chance::EVEN; SIGNS],
        is_above: [Chance::EVEN; SMALL],
        has_digit: [Chance::EVEN; DIGITS],
        digit: Chance::EVEN,
    };

    fn code(&mut self, coder: &mut impl Coder, signs: usize, number: i32) -> Option<i32> {
        if !coder.code(&mut self.is_not_zero[signs], number != 0) {
            return Some(0);
        }
        let is_negative = coder.code(&mut self.is_negative[signs], number < 0);
        let magnitude = self.code_magnitude(coder, number.unsigned_abs())?;
        Some(if is_negative { -magnitude } else { magnitude })
    }

    /// Of a number that is not 0.
    fn code_magnitude(&mut self, coder: &mut impl Coder, magnitude: u32) -> Option<i32> {
        let mut least = 1;
        for chance in &mut self.is_above {
            if !coder.code(chance, magnitude > least) {
                return Some(least as i32);
            }
            least += 1;
        }
        // Elias' gamma: the leading one is understood.
        let rest = magnitude.saturating_sub(least) + 1;
        let mut digits = 0;
        while coder.code(self.has_digit.get_mut(digits as usize)?, rest.ilog2() > digits) {
            digits += 1;
        }
        let mut value = 1;
        for place in (0..digits).rev() {
            value = 2 * value + u32::from(coder.code(&mut self.digit, (rest >> place) & 1 == 1));
        }
        Some((value - 1 + least) as i32)
    }
}
