//! A quantity of an asset.

/// A signed number of an asset's smallest units, at most 2⁵³ − 1 either way, so that every client, JavaScript
/// included, reads it exactly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The most there can be of anything: 2⁵³ − 1.
    pub const MAX: Self = Self((1 << 53) - 1);
    /// The least: −(2⁵³ − 1).
    pub const MIN: Self = Self(-Self::MAX.0);

    /// `None` outside [`Amount::MIN`] to [`Amount::MAX`].
    pub const fn try_from_minor(minor: i64) -> Option<Self> {
        if minor >= Self::MIN.0 && minor <= Self::MAX.0 { Some(Self(minor)) } else { None }
    }

    /// In smallest units.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// `None` where the sum is out of range.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        // Two values of 53 bits cannot overflow 63.
        Self::try_from_minor(self.0 + other.0)
    }

    /// The other way. Always possible: the range is symmetric.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(-self.0)
    }

    /// Whether it is less than nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;

    #[test]
    fn the_range_is_symmetric_and_closed() {
        assert_eq!(Amount::try_from_minor((1 << 53) - 1), Some(Amount::MAX));
        assert_eq!(Amount::try_from_minor(1 << 53), None);
        assert_eq!(Amount::try_from_minor(-(1 << 53)), None);
        assert_eq!(Amount::try_from_minor(i64::MIN), None);
        assert_eq!(Amount::MIN.negated(), Amount::MAX);
        assert_eq!(Amount::MAX.checked_add(Amount::MAX), None);
        assert_eq!(Amount::MIN.checked_add(Amount::MIN), None);
        assert_eq!(Amount::MAX.checked_add(Amount::MIN), Some(Amount::ZERO));
    }
}
