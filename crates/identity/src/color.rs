//! The colour a person is drawn in.

use std::fmt;

/// Readable on grass, sand, snow and water, in the order a random number picks them.
const PALETTE: [u32; 16] = [
    0x00E4_572E,
    0x0029_7373,
    0x00F2_A541,
    0x006A_4C93,
    0x0019_82C4,
    0x00C4_4536,
    0x003D_8361,
    0x00D6_4187,
    0x0077_9B2A,
    0x00B8_6F3C,
    0x004E_6BC4,
    0x009B_3D6E,
    0x0023_8C9E,
    0x00D9_8324,
    0x0087_5AB5,
    0x0050_7D3A,
];

/// A colour as `0xRRGGBB`; the top byte is zero by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(u32);

impl Color {
    /// Reads `#rrggbb`, either case.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        // `from_str_radix` alone would take a sign.
        let is_hex = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u32::from_str_radix(digits, 16).ok().map(Self)).flatten()
    }

    /// One of the colours that look well in the world.
    pub fn from_palette(random: u32) -> Self {
        Self(PALETTE[random as usize % PALETTE.len()])
    }

    /// From a database row; `None` when it is not `0xRRGGBB`.
    pub fn try_from_rgb(rgb: i64) -> Option<Self> {
        u32::try_from(rgb).ok().filter(|rgb| *rgb <= 0x00FF_FFFF).map(Self)
    }

    /// `0xRRGGBB`.
    pub fn rgb(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:06x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_number_agree() {
        assert_eq!(Color::parse("#E4572e").map(Color::rgb), Some(0x00E4_572E));
        for random in 0..64 {
            let color = Color::from_palette(random);
            assert_eq!(Color::parse(&color.to_string()), Some(color));
            assert_eq!(Color::try_from_rgb(i64::from(color.rgb())), Some(color));
        }
    }

    #[test]
    fn anything_but_six_hex_digits_is_refused() {
        for text in ["", "#", "#fff", "e4572e", "#e4572e0", "#+12345", "#e4572g", "#é4572", "# e4572"] {
            assert_eq!(Color::parse(text), None, "{text:?}");
        }
        assert_eq!(Color::try_from_rgb(0x0100_0000), None);
        assert_eq!(Color::try_from_rgb(-1), None);
    }
}
