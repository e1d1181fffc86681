//! Means over blocks of pixels, gathered in any order, so that a great file needs only the memory of its result.

use super::{COLUMNS_MAX, Heights, ImportError};

/// The heights of a file while it is read.
pub(super) struct Reduced {
    from_columns: u32,
    from_rows: u32,
    columns: u32,
    rows: u32,
    sums: Vec<f32>,
    counts: Vec<u16>,
    holes: u64,
}

impl Reduced {
    /// For a file of a shape that has been checked.
    pub(super) fn new(from_columns: u32, from_rows: u32) -> Self {
        let factor = from_columns.div_ceil(COLUMNS_MAX);
        let (columns, rows) = (from_columns.div_ceil(factor), from_rows.div_ceil(factor));
        let count = columns as usize * rows as usize;
        Self {
            from_columns,
            from_rows,
            columns,
            rows,
            sums: vec![0.0; count],
            counts: vec![0; count],
            holes: 0,
        }
    }

    /// Takes the pixels of a row from a column on; what is no number is a hole.
    pub(super) fn put(&mut self, row: u32, column: u32, heights_m: impl Iterator<Item = f32>) {
        let scaled =
            |index: u32, to: u32, from: u32| (u64::from(index) * u64::from(to) / u64::from(from)) as usize;
        let start = scaled(row, self.rows, self.from_rows) * self.columns as usize;
        for (column, height_m) in (column..self.from_columns).zip(heights_m) {
            if height_m.is_nan() {
                self.holes += 1;
                continue;
            }
            let at = start + scaled(column, self.columns, self.from_columns);
            self.sums[at] += height_m;
            self.counts[at] += 1;
        }
    }

    /// The means, turned eastwards by a share of the way round.
    pub(super) fn finish(self, turn: f64) -> Result<Heights, ImportError> {
        if self.holes > 0 {
            return Err(ImportError::Holes { count: self.holes });
        }
        let means = self.sums.into_iter().zip(self.counts);
        let mut heights_m: Vec<f32> = means.map(|(sum, count)| sum / f32::from(count.max(1))).collect();
        let columns = self.columns as usize;
        let steps = (turn * f64::from(self.columns)).round() as usize % columns;
        heights_m.chunks_exact_mut(columns).for_each(|row| row.rotate_right(steps));
        Ok(Heights { columns: self.columns, rows: self.rows, heights_m })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn great_files_are_averaged_and_small_ones_kept() {
        let mut small = Reduced::new(64, 32);
        (0..32).for_each(|row| small.put(row, 0, (0..64).map(|column| (row * 64 + column) as f32)));
        let kept = small.finish(0.0).unwrap();
        assert_eq!((kept.columns, kept.rows), (64, 32));
        assert!(kept.heights_m.iter().enumerate().all(|(index, height_m)| *height_m == index as f32));

        let mut great = Reduced::new(2 * COLUMNS_MAX, COLUMNS_MAX);
        (0..COLUMNS_MAX)
            .for_each(|row| great.put(row, 0, (0..2 * COLUMNS_MAX).map(|column| (column % 4) as f32)));
        let means = great.finish(0.0).unwrap();
        assert_eq!((means.columns, means.rows), (COLUMNS_MAX, COLUMNS_MAX / 2));
        assert!(means.heights_m.chunks_exact(2).all(|pair| pair == [0.5, 2.5]));
    }

    #[test]
    fn a_raster_that_begins_at_greenwich_is_turned() {
        let mut raster = Reduced::new(64, 32);
        (0..32).for_each(|row| raster.put(row, 0, (0..64).map(|column| column as f32)));
        let turned = raster.finish(0.5).unwrap();
        assert_eq!((turned.heights_m[0], turned.heights_m[32]), (32.0, 0.0));
    }

    #[test]
    fn holes_are_counted() {
        let mut raster = Reduced::new(64, 32);
        raster.put(3, 10, [f32::NAN, 1.0, f32::NAN].into_iter());
        assert!(matches!(raster.finish(0.0), Err(ImportError::Holes { count: 2 })));
    }
}
