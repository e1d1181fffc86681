//! Bits in and out of bytes.
//!
//! Bit `n` of a stream is bit `n % 8` (0 the least significant) of byte `n / 8`; numbers are written least
//! significant bit first; what is left of the last byte is 0.
//!
//! Small numbers are written short by exponential Golomb codes of order `k`: for `v`, let `w = (v >> k) + 1` and
//! `n = floor(log2(w))`; then `n` zeros, a one, the low `n` bits of `w`, the low `k` bits of `v`. Signed numbers are
//! folded first: 0, -1, 1, -2, 2 … become 0, 1, 2, 3, 4 ….

/// Appends bits to bytes.
pub(crate) struct BitWriter<'a> {
    bytes: &'a mut Vec<u8>,
    /// Bits not yet in `bytes`, the first the least significant.
    pending: u64,
    pending_bits: u32,
}

impl<'a> BitWriter<'a> {
    pub(crate) fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self { bytes, pending: 0, pending_bits: 0 }
    }

    /// Writes the low `count` bits of `value`, at most 32; the others are 0.
    pub(crate) fn bits(&mut self, value: u32, count: u32) {
        debug_assert!(count <= 32 && u64::from(value) >> count == 0, "{value} has more than {count} bits");
        self.pending |= u64::from(value) << self.pending_bits;
        self.pending_bits += count;
        if self.pending_bits >= 32 {
            self.bytes.extend((self.pending as u32).to_le_bytes());
            self.pending >>= 32;
            self.pending_bits -= 32;
        }
    }

    pub(crate) fn bit(&mut self, value: bool) {
        self.bits(u32::from(value), 1);
    }

    pub(crate) fn unsigned(&mut self, value: u32, order: u32) {
        let w = (u64::from(value) >> order) + 1;
        let n = w.ilog2();
        self.bits(0, n);
        self.bit(true);
        self.bits((w ^ (1 << n)) as u32, n);
        self.bits(value & ((1 << order) - 1), order);
    }

    pub(crate) fn signed(&mut self, value: i32, order: u32) {
        self.unsigned(((value << 1) ^ (value >> 31)) as u32, order);
    }

    /// Fills up the last byte.
    pub(crate) fn finish(self) {
        let count = self.pending_bits.div_ceil(8) as usize;
        self.bytes.extend(&self.pending.to_le_bytes()[..count]);
    }
}

/// Takes bits out of bytes.
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits taken so far.
    position: usize,
}

/// What was read is no code of this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadBits;

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn bits_left(&self) -> usize {
        self.bytes.len() * 8 - self.position
    }

    /// The next 57 bits or more, what is beyond the end as 0.
    fn peek(&self) -> u64 {
        let start = self.position / 8;
        let word = if let Some(chunk) = self.bytes[start..].first_chunk::<8>() {
            u64::from_le_bytes(*chunk)
        } else {
            let mut chunk = [0; 8];
            let rest = &self.bytes[start..];
            chunk[..rest.len()].copy_from_slice(rest);
            u64::from_le_bytes(chunk)
        };
        word >> (self.position % 8)
    }

    /// Takes `count` bits, at most 32.
    pub(crate) fn bits(&mut self, count: u32) -> Result<u32, BadBits> {
        if self.bits_left() < count as usize {
            return Err(BadBits);
        }
        let value = self.peek() & ((1 << count) - 1);
        self.position += count as usize;
        Ok(value as u32)
    }

    pub(crate) fn bit(&mut self) -> Result<bool, BadBits> {
        self.bits(1).map(|bit| bit == 1)
    }

    pub(crate) fn unsigned(&mut self, order: u32) -> Result<u32, BadBits> {
        let n = self.peek().trailing_zeros();
        if n > 32 {
            return Err(BadBits);
        }
        self.bits(n)?;
        self.bits(1)?;
        let w = (1_u64 << n) | u64::from(self.bits(n)?);
        let value = ((w - 1) << order) | u64::from(self.bits(order)?);
        u32::try_from(value).map_err(|_| BadBits)
    }

    pub(crate) fn signed(&mut self, order: u32) -> Result<i32, BadBits> {
        let folded = self.unsigned(order)?;
        Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    /// Checks that only the filling of the last byte is left.
    pub(crate) fn finish(mut self) -> Result<(), BadBits> {
        let left = self.bits_left();
        if left < 8 && self.bits(left as u32)? == 0 { Ok(()) } else { Err(BadBits) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Copy, Debug)]
    enum Item {
        Bits(u32, u32),
        Unsigned(u32, u32),
        Signed(i32, u32),
    }

    fn any_item() -> impl Strategy<Value = Item> {
        let bits = (any::<u32>(), 0..=32_u32)
            .prop_map(|(value, count)| Item::Bits((u64::from(value) & ((1 << count) - 1)) as u32, count));
        let number = prop_oneof![0..40_u32, any::<u32>(), Just(u32::MAX), Just(0)];
        prop_oneof![
            bits,
            (number.clone(), 0..8_u32).prop_map(|(value, order)| Item::Unsigned(value, order)),
            (number, 0..8_u32).prop_map(|(value, order)| Item::Signed(value.cast_signed(), order)),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(items in prop::collection::vec(any_item(), 0..60)) {
            let mut bytes = vec![];
            let mut writer = BitWriter::new(&mut bytes);
            for item in &items {
                match *item {
                    Item::Bits(value, count) => writer.bits(value, count),
                    Item::Unsigned(value, order) => writer.unsigned(value, order),
                    Item::Signed(value, order) => writer.signed(value, order),
                }
            }
            writer.finish();
            let mut reader = BitReader::new(&bytes);
            for item in items {
                match item {
                    Item::Bits(value, count) => prop_assert_eq!(reader.bits(count), Ok(value)),
                    Item::Unsigned(value, order) => prop_assert_eq!(reader.unsigned(order), Ok(value)),
                    Item::Signed(value, order) => prop_assert_eq!(reader.signed(order), Ok(value)),
                }
            }
            prop_assert_eq!(reader.finish(), Ok(()));
        }
    }

    #[test]
    fn codes_are_the_documented_ones() {
        // (value, order, bits in the order they are written)
        for (value, order, bits) in
            [(0, 0, "1"), (1, 0, "010"), (2, 0, "011"), (3, 0, "00100"), (0, 2, "100"), (5, 2, "01010")]
        {
            let mut bytes = vec![];
            let mut writer = BitWriter::new(&mut bytes);
            writer.unsigned(value, order);
            writer.finish();
            let written: String =
                (0..bits.len()).map(|n| if bytes[n / 8] >> (n % 8) & 1 == 1 { '1' } else { '0' }).collect();
            assert_eq!(written, bits, "{value} of order {order}");
        }
    }
}
