//! Closed land on its way to the player whom it is closed to.

use crate::proto::{ClosedParcel, Fences};
use cell::CellId;
use motion::ClosedLand;

/// A message of fences that cannot be: a number that is no cell, or cells of two levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:016x} is no cell, or of another level than the others")]
pub struct NoLot(pub u64);

impl Fences {
    /// Everything, for one who knows nothing yet. It holds for inputs numbered above `after_input_seq`.
    pub fn all(closed: &ClosedLand, after_input_seq: u32) -> Self {
        let closed = parcels(closed.lots().iter().copied());
        Self { is_restart: true, after_input_seq, closed, opened_cells: vec![] }
    }

    /// What makes `after` of `before`; none if they are equal.
    pub fn between(before: &ClosedLand, after: &ClosedLand, after_input_seq: u32) -> Option<Self> {
        let (was, is) = (before.lots(), after.lots());
        let has = |lots: &[(CellId, u64)], lot| lots.binary_search_by_key(&lot, |(lot, _)| *lot).is_ok();
        let new = is.iter().copied().filter(|entry| was.binary_search(entry).is_err());
        let closed = parcels(new);
        let gone = was.iter().map(|(lot, _)| *lot).filter(|lot| !has(is, *lot));
        let opened_cells: Vec<_> = gone.map(CellId::raw).collect();
        let is_same = closed.is_empty() && opened_cells.is_empty();
        (!is_same).then_some(Self { is_restart: false, after_input_seq, closed, opened_cells })
    }

    /// Brings `closed` up to date. After an error it is of no use.
    pub fn apply(&self, closed: &mut ClosedLand) -> Result<(), NoLot> {
        let parse = |raw| CellId::try_from_raw(raw).ok_or(NoLot(raw));
        if self.is_restart {
            closed.clear();
        }
        for raw in &self.opened_cells {
            closed.open(parse(*raw)?);
        }
        for ClosedParcel { parcel, cells } in &self.closed {
            for raw in cells {
                if !closed.close(parse(*raw)?, *parcel) {
                    return Err(NoLot(*raw));
                }
            }
        }
        Ok(())
    }
}

/// The lots by parcel, parcels and lots in ascending order.
fn parcels(lots: impl Iterator<Item = (CellId, u64)>) -> Vec<ClosedParcel> {
    let mut lots: Vec<_> = lots.map(|(lot, parcel)| (parcel, lot.raw())).collect();
    lots.sort_unstable();
    let parcels = lots.chunk_by(|(one, _), (other, _)| one == other);
    parcels
        .map(|lots| ClosedParcel { parcel: lots[0].0, cells: lots.iter().map(|(_, lot)| *lot).collect() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DVec3;
    use proptest::prelude::*;

    fn any_closed() -> impl Strategy<Value = ClosedLand> {
        prop::collection::vec((0..12_usize, 0..3_u64), 0..12).prop_map(|entries| {
            let home = CellId::from_point(DVec3::new(1.0, 0.5, -0.2)).parent(15);
            let around: Vec<_> = home.parent(13).descendants(15).collect();
            let mut closed = ClosedLand::default();
            for (index, parcel) in entries {
                assert!(closed.close(around[index], parcel));
            }
            closed
        })
    }

    proptest! {
        #[test]
        fn a_client_that_applies_every_change_has_what_the_server_has(
            steps in prop::collection::vec(any_closed(), 1..6),
        ) {
            let mut client = ClosedLand::default();
            client.close(CellId::from_face(3), 9);
            let mut server = &steps[0];
            Fences::all(server, 4).apply(&mut client).unwrap();
            prop_assert_eq!(&client, server);
            for step in &steps[1..] {
                if let Some(change) = Fences::between(server, step, 5) {
                    change.apply(&mut client).unwrap();
                } else {
                    prop_assert_eq!(server, step);
                }
                server = step;
                prop_assert_eq!(&client, server);
            }
        }
    }

    #[test]
    fn what_is_no_cell_or_of_another_level_is_refused() {
        let face = CellId::from_face(1).raw();
        let child = CellId::from_face(1).children().unwrap()[0].raw();
        for cells in [vec![0], vec![face, child], vec![u64::MAX]] {
            let fences = Fences { closed: vec![ClosedParcel { parcel: 1, cells }], ..Fences::default() };
            assert!(fences.apply(&mut ClosedLand::default()).is_err());
        }
        let opened = Fences { opened_cells: vec![2], ..Fences::default() };
        assert_eq!(opened.apply(&mut ClosedLand::default()), Err(NoLot(2)));
    }
}
