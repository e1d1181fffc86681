//! An adaptive binary range coder: yes or no, at the price of its surprise.
//!
//! The interval `low..=high` of 32 bits is split in proportion to the chance of a yes; leading bytes that both ends share
//! are done with. There is no carry, so bytes are written once. (The same interval arithmetic as that of packed chunks;
//! there chances learn by division, here by a shift, because this runs for every body at every send.)

/// Probability of yes, in 65 536ths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chance(u16);

/// How quickly chances follow what happens.
const LEARNING: u32 = 5;

impl Chance {
    /// With this probability of yes, in 65 536ths: neither 0 nor 1.
    pub(crate) const fn of(yes: u16) -> Self {
        assert!(yes >= 64 && yes <= u16::MAX - 64, "nothing is certain");
        Self(yes)
    }

    /// As likely as not.
    pub(crate) const EVEN: Self = Self(1 << 15);

    // Stays within 31..=65504: the shift rounds down to nothing before an end is reached.
    fn learn(&mut self, is_yes: bool) {
        if is_yes {
            self.0 += (u16::MAX - self.0) >> LEARNING;
        } else {
            self.0 -= self.0 >> LEARNING;
        }
    }
}

/// Either direction, so that a model is written once.
pub(crate) trait Coder {
    /// Writes the decision and gives it back, or reads it and does not mind what was passed.
    fn code(&mut self, chance: &mut Chance, is_yes: bool) -> bool;

    /// The same for a decision of which nothing is known.
    fn code_even(&mut self, is_yes: bool) -> bool;

    /// More was read than there is. What comes out since then means nothing.
    fn has_starved(&self) -> bool;

    /// The low `count` bits of `value`, the highest first, each as likely as not.
    fn code_bits(&mut self, value: u32, count: u32) -> u32 {
        (0..count).rev().fold(0, |read, bit| read << 1 | u32::from(self.code_even(value >> bit & 1 == 1)))
    }
}

/// Where an interval is split: yes is below or at it.
fn split(low: u32, high: u32, chance: u16) -> u32 {
    low + ((u64::from(high - low) * u64::from(chance)) >> 16) as u32
}

/// Both ends begin with the same byte.
fn is_settled(low: u32, high: u32) -> bool {
    (low ^ high) >> 24 == 0
}

/// How few bytes, followed by zeros, fall into the last interval, and the number that they begin.
fn ending(low: u32, high: u32) -> (usize, u32) {
    let shortened = |count: usize| {
        let open = u32::MAX.checked_shr(8 * count as u32).unwrap_or(0);
        low.checked_add(open).map(|end| (count, end & !open)).filter(|(_, end)| *end <= high)
    };
    (0..4).find_map(shortened).unwrap_or((4, low))
}

/// Writes decisions behind what is in `bytes`.
pub(crate) struct Encoder<'a> {
    low: u32,
    high: u32,
    bytes: &'a mut Vec<u8>,
}

impl<'a> Encoder<'a> {
    pub(crate) fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self { low: 0, high: u32::MAX, bytes }
    }

    /// Writes the [`ending`].
    pub(crate) fn finish(self) {
        let (count, end) = ending(self.low, self.high);
        self.bytes.extend_from_slice(&end.to_be_bytes()[..count]);
    }

    #[inline]
    fn take(&mut self, split: u32, is_yes: bool) {
        if is_yes {
            self.high = split;
        } else {
            self.low = split + 1;
        }
        while is_settled(self.low, self.high) {
            self.bytes.push((self.low >> 24) as u8);
            self.low <<= 8;
            self.high = (self.high << 8) | 0xff;
        }
    }
}

impl Coder for Encoder<'_> {
    #[inline]
    fn code(&mut self, chance: &mut Chance, is_yes: bool) -> bool {
        self.take(split(self.low, self.high, chance.0), is_yes);
        chance.learn(is_yes);
        is_yes
    }

    #[inline]
    fn code_even(&mut self, is_yes: bool) -> bool {
        self.take(split(self.low, self.high, Chance::EVEN.0), is_yes);
        is_yes
    }

    fn has_starved(&self) -> bool {
        false
    }
}

/// Reads decisions.
pub(crate) struct Decoder<'a> {
    low: u32,
    high: u32,
    at: u32,
    bytes: &'a [u8],
    /// Bytes taken in, those beyond the end, all zeros, included.
    taken: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self { low: 0, high: u32::MAX, at: 0, bytes, taken: 0 };
        for _ in 0..4 {
            decoder.shift();
        }
        decoder
    }

    fn shift(&mut self) {
        self.at = self.at << 8 | u32::from(self.bytes.get(self.taken).copied().unwrap_or(0));
        self.taken += 1;
    }

    /// Whether the bytes end here, as an encoder ends them.
    pub(crate) fn is_finished(&self) -> bool {
        let settled = self.taken - 4;
        let (count, end) = ending(self.low, self.high);
        self.bytes.len() == settled + count && self.at == end
    }

    #[inline]
    fn take(&mut self, split: u32) -> bool {
        let is_yes = self.at <= split;
        if is_yes {
            self.high = split;
        } else {
            self.low = split + 1;
        }
        while is_settled(self.low, self.high) {
            self.low <<= 8;
            self.high = (self.high << 8) | 0xff;
            self.shift();
        }
        is_yes
    }
}

impl Coder for Decoder<'_> {
    #[inline]
    fn code(&mut self, chance: &mut Chance, _: bool) -> bool {
        let is_yes = self.take(split(self.low, self.high, chance.0));
        chance.learn(is_yes);
        is_yes
    }

    #[inline]
    fn code_even(&mut self, _: bool) -> bool {
        self.take(split(self.low, self.high, Chance::EVEN.0))
    }

    fn has_starved(&self) -> bool {
        self.taken > self.bytes.len() + 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_and_ends_where_it_ended(
            decisions in prop::collection::vec((0..3_usize, any::<bool>()), 0..800),
            lopsided in any::<bool>(),
        ) {
            let mut bytes = vec![9];
            let start = || [Chance::EVEN, Chance::of(600), Chance::of(65_000)];
            let mut chances = start();
            let mut encoder = Encoder::new(&mut bytes);
            for (which, is_yes) in &decisions {
                encoder.code(&mut chances[*which], *is_yes || lopsided);
                encoder.code_even(*is_yes);
            }
            encoder.finish();
            let mut decoder = Decoder::new(&bytes[1..]);
            let mut chances = start();
            for (which, is_yes) in &decisions {
                prop_assert_eq!(decoder.code(&mut chances[*which], false), *is_yes || lopsided);
                prop_assert_eq!(decoder.code_even(false), *is_yes);
            }
            prop_assert!(decoder.is_finished() && !decoder.has_starved());
            // One byte more, and the end is not the end.
            bytes.push(0);
            let mut longer = Decoder::new(&bytes[1..]);
            let mut chances = start();
            for (which, _) in &decisions {
                longer.code(&mut chances[*which], false);
                longer.code_even(false);
            }
            prop_assert!(!longer.is_finished());
        }
    }

    #[test]
    fn a_foreseen_decision_costs_next_to_nothing() {
        let mut bytes = vec![];
        let mut chance = Chance::EVEN;
        let mut encoder = Encoder::new(&mut bytes);
        for _ in 0..10_000 {
            encoder.code(&mut chance, true);
        }
        encoder.finish();
        assert!(bytes.len() < 16, "{} bytes", bytes.len());
    }

    #[test]
    fn chances_never_become_certain() {
        for is_yes in [true, false] {
            let mut chance = Chance::EVEN;
            (0..10_000).for_each(|_| chance.learn(is_yes));
            assert!(chance.0 > 30 && chance.0 < u16::MAX - 30);
        }
    }
}
