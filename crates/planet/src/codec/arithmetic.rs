//! An adaptive binary arithmetic coder: yes or no, at the price of its surprise.
//!
//! The interval `low..=high` of 32 bits is split in proportion to the probability; leading bytes that both ends share
//! are done with (after Mahoney's `lpaq`). There is no carry, so bytes are written once.

/// One kind of decision and how it went so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    /// Probability of yes, in 65 536ths, never 0 or 1.
    yes: u16,
    /// Decisions seen, up to [`MEMORY`].
    seen: u8,
}

/// Decisions that an estimate remembers: the first ones count much, later ones a little.
const MEMORY: u8 = 90;

impl Chance {
    /// As likely as not.
    pub(super) const EVEN: Self = Self { yes: 1 << 15, seen: 0 };

    fn learn(&mut self, is_yes: bool) {
        let target = if is_yes { 65_535 - 16 } else { 16 };
        let rate = i32::from(self.seen) * 2 + 3;
        self.yes = (i32::from(self.yes) + (target - i32::from(self.yes)) * 2 / rate) as u16;
        self.seen = (self.seen + 1).min(MEMORY);
    }
}

/// Either direction, so that a model is written once.
pub(super) trait Coder {
    /// Writes the decision and gives it back, or reads it and does not mind what was passed.
    fn code(&mut self, chance: &mut Chance, is_yes: bool) -> bool;
}

/// Where an interval is split: yes is below or at it.
fn split(low: u32, high: u32, chance: Chance) -> u32 {
    low + ((u64::from(high - low) * u64::from(chance.yes)) >> 16) as u32
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

/// Writes decisions.
#[derive(Debug)]
pub(super) struct Encoder {
    low: u32,
    high: u32,
    bytes: Vec<u8>,
}

impl Encoder {
    /// Writes behind what is there.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { low: 0, high: u32::MAX, bytes }
    }

    /// Writes the [`ending`].
    pub(super) fn finish(mut self) -> Vec<u8> {
        let (count, end) = ending(self.low, self.high);
        self.bytes.extend_from_slice(&end.to_be_bytes()[..count]);
        self.bytes
    }
}

impl Coder for Encoder {
    fn code(&mut self, chance: &mut Chance, is_yes: bool) -> bool {
        let split = split(self.low, self.high, *chance);
        if is_yes {
            self.high = split;
        } else {
            self.low = split + 1;
        }
        chance.learn(is_yes);
        while is_settled(self.low, self.high) {
            self.bytes.push((self.low >> 24) as u8);
            self.low <<= 8;
            self.high = (self.high << 8) | 0xff;
        }
        is_yes
    }
}

/// Reads decisions.
#[derive(Debug)]
pub(super) struct Decoder<'a> {
    low: u32,
    high: u32,
    at: u32,
    bytes: &'a [u8],
    /// Bytes read beyond the end, all zeros.
    missing: usize,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self { low: 0, high: u32::MAX, at: 0, bytes, missing: 0 };
        for _ in 0..4 {
            decoder.shift();
        }
        decoder
    }

    /// It has read on after the end by more than any ending leaves out.
    pub(super) fn has_starved(&self) -> bool {
        self.missing > 4
    }

    /// The bytes end here, and as an encoder ends them.
    pub(super) fn is_at_end(&self) -> bool {
        let (count, end) = ending(self.low, self.high);
        self.bytes.is_empty() && self.missing == 4 - count && self.at == end
    }

    fn shift(&mut self) {
        let byte = if let Some((first, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            *first
        } else {
            self.missing += 1;
            0
        };
        self.at = (self.at << 8) | u32::from(byte);
    }
}

impl Coder for Decoder<'_> {
    fn code(&mut self, chance: &mut Chance, _: bool) -> bool {
        let split = split(self.low, self.high, *chance);
        let is_yes = self.at <= split;
        if is_yes {
            self.high = split;
        } else {
            self.low = split + 1;
        }
        chance.learn(is_yes);
        while is_settled(self.low, self.high) {
            self.low <<= 8;
            self.high = (self.high << 8) | 0xff;
            self.shift();
        }
        is_yes
    }
}
