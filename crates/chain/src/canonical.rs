//! One sequence of bytes for one record, and the hash that ties it to what came before.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A hash of a chain.
pub type Hash = [u8; 32];

/// The hash before the first, from a name that no other chain has.
pub fn genesis(name: &[u8]) -> Hash {
    Sha256::digest(name).into()
}

/// The hash of a place: `SHA-256(hash before ‖ record)`.
pub fn link(before: &Hash, record: &[u8]) -> Hash {
    Sha256::new().chain_update(before).chain_update(record).finalize().into()
}

/// Bytes of a record. Numbers are big-endian, negative ones two's complement; a text is its length in four bytes and
/// then itself, so that no two records have the same bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Canonical(Vec<u8>);

impl Canonical {
    /// Nothing yet.
    pub fn new() -> Self {
        Self(Vec::with_capacity(256))
    }

    /// One byte.
    #[must_use]
    pub fn byte(self, byte: u8) -> Self {
        self.raw(&[byte])
    }

    /// A count, in four bytes.
    #[must_use]
    pub fn count(self, count: usize) -> Self {
        self.raw(&(count as u32).to_be_bytes())
    }

    /// A number, in eight bytes.
    #[must_use]
    pub fn number(self, number: i64) -> Self {
        self.raw(&number.to_be_bytes())
    }

    /// An id, or sixteen zeros.
    #[must_use]
    pub fn id(self, id: Option<Uuid>) -> Self {
        self.raw(id.unwrap_or(Uuid::nil()).as_bytes())
    }

    /// A text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.count(text.len()).raw(text.as_bytes())
    }

    /// Bytes whose number is always the same.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// What it came to.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_written_as_drawn_and_texts_do_not_run_together() {
        let bytes = Canonical::new().byte(7).number(-2).text("ü").id(None).finish();
        let mut expected = vec![7, 255, 255, 255, 255, 255, 255, 255, 254, 0, 0, 0, 2, 0xc3, 0xbc];
        expected.extend([0; 16]);
        assert_eq!(bytes, expected);
        let two = |a: &str, b: &str| Canonical::new().text(a).text(b).finish();
        assert_ne!(two("ab", "c"), two("a", "bc"));
    }

    #[test]
    fn a_link_covers_the_record_and_what_was_before() {
        let first = link(&genesis(b"one"), b"record");
        assert_ne!(first, link(&genesis(b"other"), b"record"));
        assert_ne!(first, link(&genesis(b"one"), b"Record"));
    }
}
