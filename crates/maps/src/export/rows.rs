//! A raster of the whole planet, strip by strip, computed on all cores.

use std::thread;

use super::WorldSize;
use crate::painter::{Painter, WorldStrip};

/// Rows that are computed at once: as high as the pieces of ground that they are made from.
pub(super) const STRIP_ROWS: u32 = 64;

/// Strips in order, from the north.
pub(super) struct Rows<'p, F> {
    size: WorldSize,
    compute: F,
    progress: &'p mut dyn FnMut(f32),
}

impl<'p, F> Rows<'p, F> {
    pub(super) fn new(size: WorldSize, compute: F, progress: &'p mut dyn FnMut(f32)) -> Self {
        Self { size, compute, progress }
    }

    /// Gives all rows to `write`, [`STRIP_ROWS`] at a time. Only a few strips are in memory at once.
    pub(super) fn write<T, E>(self, mut write: impl FnMut(&[T]) -> Result<(), E>) -> Result<(), E>
    where
        T: Send,
        F: Fn(WorldStrip) -> Vec<T> + Sync,
    {
        let height = self.size.height();
        let strips: Vec<WorldStrip> = (0..height)
            .step_by(STRIP_ROWS as usize)
            .map(|top| WorldStrip { world_height: height, top, rows: STRIP_ROWS.min(height - top) })
            .collect();
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let compute = &self.compute;
        for batch in strips.chunks(threads) {
            let computed: Vec<Vec<T>> = thread::scope(|scope| {
                let workers: Vec<_> =
                    batch.iter().map(|strip| scope.spawn(move || compute(*strip))).collect();
                workers.into_iter().map(|it| it.join().expect("strips can be computed")).collect()
            });
            for values in computed {
                write(&values)?;
            }
            let last = batch[batch.len() - 1];
            (self.progress)((last.top + last.rows) as f32 / height as f32);
        }
        Ok(())
    }
}

/// Heights in whole metres on a planet of Earth's size; what does not fit is cut off at the ends of 16 bits.
pub(super) fn earth_heights(painter: &Painter, strip: WorldStrip) -> Vec<i16> {
    let scale = 1.0 / relief(painter.planet().spec().shift);
    let heights_m = painter.heights(strip);
    // The cast saturates.
    heights_m.into_iter().map(|height_m| (f64::from(height_m) * scale).round() as i16).collect()
}

/// Metres of height on a planet of this shift for one on Earth's: 2^(−2/3 · shift).
pub(super) fn relief(shift: u8) -> f64 {
    libm::exp2(-2.0 / 3.0 * f64::from(shift))
}
