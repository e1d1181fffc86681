//! Places as the kernel wants them: one array per axis.

use glam::DVec3;

/// Many places in space.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Positions {
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) z: Vec<f64>,
}

impl Positions {
    /// None yet, with room for some.
    pub fn with_capacity(count: usize) -> Self {
        Self { x: Vec::with_capacity(count), y: Vec::with_capacity(count), z: Vec::with_capacity(count) }
    }

    /// All at once, axis by axis.
    ///
    /// # Panics
    /// If the axes have different numbers of places.
    pub fn from_axes([x, y, z]: [Vec<f64>; 3]) -> Self {
        assert!(x.len() == y.len() && y.len() == z.len(), "every place has three coordinates");
        Self { x, y, z }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Adds one at the end.
    pub fn push(&mut self, position: DVec3) {
        self.x.push(position.x);
        self.y.push(position.y);
        self.z.push(position.z);
    }

    /// One of them.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn get(&self, index: usize) -> DVec3 {
        DVec3::new(self.x[index], self.y[index], self.z[index])
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = DVec3> {
        let axes = self.x.iter().zip(&self.y).zip(&self.z);
        axes.map(|((x, y), z)| DVec3::new(*x, *y, *z))
    }

    /// Takes all out and keeps the memory.
    pub fn clear(&mut self) {
        self.x.clear();
        self.y.clear();
        self.z.clear();
    }

    /// Moves each place by the values of three fields times `amount`: what bends noise out of its regularity.
    ///
    /// # Panics
    /// If a field has not one value per place.
    pub fn warp(&mut self, fields: [&[f32]; 3], amount: f64) {
        for (axis, field) in [&mut self.x, &mut self.y, &mut self.z].into_iter().zip(fields) {
            assert_eq!(axis.len(), field.len(), "a field has a value for every place");
            for (coordinate, value) in axis.iter_mut().zip(field) {
                *coordinate += f64::from(*value) * amount;
            }
        }
    }
}

impl FromIterator<DVec3> for Positions {
    fn from_iter<T: IntoIterator<Item = DVec3>>(positions: T) -> Self {
        let mut all = Self::default();
        all.extend(positions);
        all
    }
}

impl Extend<DVec3> for Positions {
    fn extend<T: IntoIterator<Item = DVec3>>(&mut self, positions: T) {
        positions.into_iter().for_each(|position| self.push(position));
    }
}
