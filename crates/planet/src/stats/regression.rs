//! Straight lines through points.

/// Slope and coefficient of determination of the least-squares line through (x, y); NaN for fewer than two different x.
pub(super) fn fit(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in points {
        let (x, y) = (x - mean_x, y - mean_y);
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    (xy / xx, xy * xy / (xx * yy))
}

/// The middle of values, their order lost; NaN for none.
pub(super) fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this share of the values lies; NaN for none.
pub(super) fn quantile(values: &mut [f64], share: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let index = ((values.len() as f64 * share) as usize).min(values.len() - 1);
    *values.select_nth_unstable_by(index, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope_and_scatter_lowers_the_fit() {
        let line: Vec<_> = (0..9).map(|x| (f64::from(x), 3.0 - 2.0 * f64::from(x))).collect();
        assert_eq!(fit(&line), (-2.0, 1.0));
        assert!(fit(&line[..1]).0.is_nan());
        let (tilt, share) = fit(&[(0.0, 0.0), (1.0, 2.0), (2.0, 1.0), (3.0, 3.0)]);
        assert!((tilt - 0.8).abs() < 1e-12 && (share - 0.64).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_values_of_the_list() {
        let mut values: Vec<f64> = (0..100).rev().map(f64::from).collect();
        assert_eq!(
            (median(&mut values), quantile(&mut values, 0.99), quantile(&mut values, 1.0)),
            (50.0, 99.0, 99.0)
        );
        assert!(median(&mut []).is_nan());
    }
}
