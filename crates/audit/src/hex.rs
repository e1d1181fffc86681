//! Hashes as people read them.

use std::fmt::Write as _;

/// Lower case, two digits a byte.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, it| {
        let _ = write!(hex, "{it:02x}");
        hex
    })
}

/// So many bytes, or `None`.
pub(crate) fn decode<const N: usize>(hex: &str) -> Option<[u8; N]> {
    if hex.len() != 2 * N || !hex.is_ascii() {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok();
    let bytes: Option<Vec<u8>> = (0..N).map(byte).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        assert_eq!(encode(&[0, 171, 255]), "00abff");
        assert_eq!(decode::<3>("00abff"), Some([0, 171, 255]));
        for wrong in ["00abf", "00abff00", "00abfg", "00abü", ""] {
            assert_eq!(decode::<3>(wrong), None, "{wrong}");
        }
    }
}
