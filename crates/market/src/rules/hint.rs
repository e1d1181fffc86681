//! A fair price from what similar land was sold for: the median price of a square metre times the area.

/// With fewer comparable sales there is no hint: two can be arranged between friends.
pub const COMPARABLES_MIN: usize = 3;

/// A sale to compare with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Comparable {
    /// What was paid.
    pub price_minor: i64,
    /// For how much.
    pub area_m2: f64,
}

/// The middle price of a square metre; of an even number the mean of the two in the middle. `None` with fewer than
/// [`COMPARABLES_MIN`].
pub fn median_minor_per_m2(comparables: &[Comparable]) -> Option<f64> {
    if comparables.len() < COMPARABLES_MIN {
        return None;
    }
    let mut rates: Vec<f64> = comparables.iter().map(|it| it.price_minor as f64 / it.area_m2).collect();
    rates.sort_by(f64::total_cmp);
    let middle = rates.len() / 2;
    Some(if rates.len().is_multiple_of(2) {
        f64::midpoint(rates[middle - 1], rates[middle])
    } else {
        rates[middle]
    })
}

/// The hint for an area: to the nearest unit, at least 1.
pub fn fair_price_minor(comparables: &[Comparable], area_m2: f64) -> Option<i64> {
    let price = (median_minor_per_m2(comparables)? * area_m2).round();
    // The cast saturates: an absurd area gives the largest amount.
    Some((price as i64).clamp(1, super::AMOUNT_MINOR_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sold(sales: &[(i64, f64)]) -> Vec<Comparable> {
        sales.iter().map(|&(price_minor, area_m2)| Comparable { price_minor, area_m2 }).collect()
    }

    #[test]
    fn the_median_is_not_moved_by_one_absurd_sale() {
        assert_eq!(fair_price_minor(&sold(&[(10, 1.0), (20, 1.0)]), 5.0), None);
        let sales = sold(&[(1_000, 100.0), (1_200, 100.0), (900_000_000, 100.0)]);
        assert_eq!(median_minor_per_m2(&sales), Some(12.0));
        assert_eq!(fair_price_minor(&sales, 250.0), Some(3_000));
        let even = sold(&[(1, 1.0), (10, 1.0), (20, 1.0), (99, 1.0)]);
        assert_eq!(median_minor_per_m2(&even), Some(15.0));
        assert_eq!(fair_price_minor(&sold(&[(1, 1e9); 3]), 1.0), Some(1), "never nothing");
        assert_eq!(fair_price_minor(&sold(&[(1 << 52, 1.0); 3]), 1e30), Some((1 << 53) - 1));
    }
}
