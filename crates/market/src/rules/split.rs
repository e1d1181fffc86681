//! Who gets what of a price.
//!
//! The buyer pays the price and nothing on top. Fee and tax are taken from it, each rounded down to the smallest unit,
//! both of the whole price; the seller gets the rest. So the parts are the price, whatever the rates are.

/// Hundredths of a per cent in a whole.
const WHOLE_BPS: i64 = 10_000;

/// What is taken from a price, in hundredths of a per cent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    fee_bps: i64,
    tax_bps: i64,
}

/// The rates cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("fee and tax are each at least 0 and together at most {WHOLE_BPS} hundredths of a per cent")]
pub struct ImpossibleRates;

/// The parts of a price; they sum to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Split {
    /// What the seller gets.
    pub seller_minor: i64,
    /// What the planet keeps for the market.
    pub fee_minor: i64,
    /// What is put aside as tax.
    pub tax_minor: i64,
}

impl Rates {
    /// Checks the rates.
    pub const fn try_new(fee_bps: i64, tax_bps: i64) -> Result<Self, ImpossibleRates> {
        if fee_bps < 0 || tax_bps < 0 || fee_bps > WHOLE_BPS || tax_bps > WHOLE_BPS - fee_bps {
            return Err(ImpossibleRates);
        }
        Ok(Self { fee_bps, tax_bps })
    }

    /// Splits a price of at least 0.
    pub fn split(self, price_minor: i64) -> Split {
        let part = |bps: i64| {
            let part = i128::from(price_minor) * i128::from(bps) / i128::from(WHOLE_BPS);
            // At most the price itself.
            i64::try_from(part).unwrap_or(price_minor)
        };
        let (fee_minor, tax_minor) = (part(self.fee_bps), part(self.tax_bps));
        Split { seller_minor: price_minor - fee_minor - tax_minor, fee_minor, tax_minor }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::AMOUNT_MINOR_MAX;

    #[test]
    fn parts_are_rounded_down_for_the_seller() {
        let rates = Rates::try_new(250, 100).unwrap();
        for (price, seller, fee, tax) in
            [(10_000, 9_650, 250, 100), (99, 97, 2, 0), (39, 39, 0, 0), (40, 39, 1, 0), (1, 1, 0, 0)]
        {
            assert_eq!(
                rates.split(price),
                Split { seller_minor: seller, fee_minor: fee, tax_minor: tax },
                "{price}"
            );
        }
    }

    #[test]
    fn rates_that_take_more_than_there_is_are_refused() {
        for (fee, tax) in [(-1, 0), (0, -1), (10_001, 0), (9_000, 1_001), (i64::MAX, i64::MAX)] {
            assert_eq!(Rates::try_new(fee, tax), Err(ImpossibleRates), "{fee} {tax}");
        }
        let all = Rates::try_new(9_000, 1_000).unwrap().split(AMOUNT_MINOR_MAX);
        assert!((0..=1).contains(&all.seller_minor));
    }

    proptest! {
        #[test]
        fn the_parts_are_the_price_and_none_is_negative(
            price in 0..=AMOUNT_MINOR_MAX, fee in 0i64..=10_000, tax in 0i64..=10_000,
        ) {
            prop_assume!(fee + tax <= 10_000);
            let Split { seller_minor, fee_minor, tax_minor } = Rates::try_new(fee, tax).unwrap().split(price);
            prop_assert_eq!(seller_minor + fee_minor + tax_minor, price);
            prop_assert!(seller_minor >= 0 && fee_minor >= 0 && tax_minor >= 0);
            // Less than one unit is lost to rounding.
            prop_assert!(i128::from(price) * i128::from(fee) - i128::from(fee_minor) * 10_000 < 10_000);
        }
    }
}
