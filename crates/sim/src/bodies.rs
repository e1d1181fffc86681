//! All bodies of a zone: a structure of arrays, and the order of cells over it.
//!
//! A body has a slot for as long as it is here, so that coming and going cost the same however many there are. The order
//! lists the slots by cell and within a cell by id, so that a stream is a slice and a neighbourhood a few slices; it is
//! put right once a tick, and few bodies change their cell in a tick. Those that came since then stand at its end.

use crate::control::Control;
use crate::honesty::Honesty;
use crate::mover::Mover;
use crate::random::mix;
use crate::zone::EntityId;
use cell::CellId;
use motion::{Body, ClosedLand, Fenced, Ground, Pace, check_move};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

/// What a free slot holds.
const NOBODY: EntityId = EntityId(0);
/// One in so many of the bodies that move has its move checked.
pub(crate) const AUDIT_EVERY: u32 = 32;

/// A body in the order of cells.
#[derive(Clone, Copy)]
struct Place {
    cell: CellId,
    id: EntityId,
    slot: u32,
}

#[derive(Default)]
pub(crate) struct Bodies {
    pub(crate) ids: Vec<EntityId>,
    /// The leaf under each body's feet.
    pub(crate) leaves: Vec<CellId>,
    /// The leaf's ancestor at the streams' level.
    pub(crate) cells: Vec<CellId>,
    pub(crate) states: Vec<Body>,
    pub(crate) controls: Vec<Control>,
    /// Where each body may not go.
    pub(crate) closed: Vec<ClosedLand>,
    /// A fingerprint of that, which is long and seldom changes.
    closed_hashes: Vec<u64>,
    pub(crate) honesty: Vec<Honesty>,
    slot_of: HashMap<EntityId, u32, BuildHasherDefault<IdHasher>>,
    free: Vec<u32>,
    /// Slots that are free from the next sort on: until then the order may name them.
    freed: Vec<u32>,
    order: Vec<Place>,
    /// How many of the order are in order.
    sorted: usize,
}

/// What a tick of the bodies goes by.
pub(crate) struct TickRules<'a, G> {
    pub(crate) cell_level: u8,
    pub(crate) ground: &'a G,
    pub(crate) pace: Pace,
    /// The tick that is made.
    pub(crate) tick: u64,
    /// Which of [`AUDIT_EVERY`] are checked in this tick.
    pub(crate) audited: u32,
}

impl Bodies {
    pub(crate) fn len(&self) -> usize {
        self.slot_of.len()
    }

    /// The slot of a body.
    pub(crate) fn index(&self, id: EntityId) -> Option<usize> {
        self.slot_of.get(&id).map(|slot| *slot as usize)
    }

    /// Adds a body that is not here yet.
    pub(crate) fn add(&mut self, id: EntityId, mover: Mover, cell_level: u8) {
        debug_assert!(id != NOBODY && !self.slot_of.contains_key(&id));
        let Mover { body, control, closed, honesty } = mover;
        let leaf = CellId::from_point(body.position);
        let cell = leaf.parent(cell_level);
        let closed_hash = hash_of(&closed);
        let slot = if let Some(slot) = self.free.pop() {
            let at = slot as usize;
            (self.ids[at], self.leaves[at], self.cells[at]) = (id, leaf, cell);
            (self.states[at], self.controls[at], self.honesty[at]) = (body, control, honesty);
            (self.closed[at], self.closed_hashes[at]) = (closed, closed_hash);
            slot
        } else {
            self.ids.push(id);
            self.leaves.push(leaf);
            self.cells.push(cell);
            self.states.push(body);
            self.controls.push(control);
            self.honesty.push(honesty);
            self.closed.push(closed);
            self.closed_hashes.push(closed_hash);
            (self.ids.len() - 1) as u32
        };
        self.slot_of.insert(id, slot);
        self.order.push(Place { cell, id, slot });
    }

    /// Takes a body out.
    pub(crate) fn remove(&mut self, id: EntityId) -> Option<Mover> {
        let slot = self.slot_of.remove(&id)?;
        let at = slot as usize;
        self.ids[at] = NOBODY;
        self.freed.push(slot);
        Some(Mover {
            body: self.states[at],
            control: std::mem::take(&mut self.controls[at]),
            closed: std::mem::take(&mut self.closed[at]),
            honesty: self.honesty[at],
        })
    }

    pub(crate) fn set_closed(&mut self, slot: usize, closed: ClosedLand) {
        self.closed_hashes[slot] = hash_of(&closed);
        self.closed[slot] = closed;
    }

    /// A body is elsewhere at once.
    pub(crate) fn put(&mut self, slot: usize, body: Body, cell_level: u8) {
        self.states[slot] = body;
        self.leaves[slot] = CellId::from_point(body.position);
        self.cells[slot] = self.leaves[slot].parent(cell_level);
    }

    /// Advances every body by this tick's steps, and names those whose move was not one; they are where they were.
    pub(crate) fn tick<G: Ground>(&mut self, rules: &TickRules<'_, G>) -> Vec<EntityId> {
        let TickRules { cell_level, ground, pace, tick, audited } = *rules;
        let second = u64::from(pace.hz());
        let mut offenders = vec![];
        // In the order of cells: bodies near each other stand on the same ground, and that is at hand.
        for place in &self.order {
            let slot = place.slot as usize;
            if self.ids[slot] != place.id {
                continue;
            }
            let body = &mut self.states[slot];
            let before = *body;
            let mut steps = 0;
            let (control, closed) = (&mut self.controls[slot], &self.closed[slot]);
            let fenced = Fenced { ground, closed };
            control.tick(pace, |input| {
                steps += 1;
                if closed.is_empty() {
                    motion::step(body, input, ground, pace);
                } else {
                    motion::step(body, input, &fenced, pace);
                }
            });
            if body.position != before.position {
                let is_audited = place.id.0 % AUDIT_EVERY == audited;
                if is_audited && check_move(&before, body, steps, &fenced, pace).is_err() {
                    *body = Body { velocity: glam::DVec3::ZERO, ..before };
                    offenders.push(place.id);
                } else {
                    self.leaves[slot] = CellId::from_point(body.position);
                    self.cells[slot] = self.leaves[slot].parent(cell_level);
                }
            }
            // Each body has its moment in the second.
            if (tick + u64::from(place.id.0)).is_multiple_of(second) {
                self.honesty[slot].pass_second(self.states[slot].position);
            }
        }
        self.sort();
        offenders
    }

    /// Brings the order in order.
    pub(crate) fn sort(&mut self) {
        let (ids, cells) = (&self.ids, &self.cells);
        self.order.retain_mut(|place| {
            place.cell = cells[place.slot as usize];
            ids[place.slot as usize] == place.id
        });
        let key = |place: &Place| (place.cell, place.id);
        if !self.order.is_sorted_by_key(key) {
            // This sort is quick where nearly all is in order.
            self.order.sort_by_key(key);
        }
        self.free.append(&mut self.freed);
        self.sorted = self.order.len();
    }

    /// Every slot with a body, in no order to rely on.
    pub(crate) fn slots(&self) -> impl Iterator<Item = usize> {
        self.ids.iter().enumerate().filter(|(_, id)| **id != NOBODY).map(|(slot, _)| slot)
    }

    /// The slots of all bodies in the order of cells. Needs the order.
    pub(crate) fn ordered(&self) -> impl ExactSizeIterator<Item = usize> {
        debug_assert_eq!((self.sorted, self.order.len()), (self.len(), self.len()));
        self.order.iter().map(|place| place.slot as usize)
    }

    /// The slots of the bodies that were in `cell` at the last sort.
    pub(crate) fn in_cell(&self, cell: CellId) -> impl Iterator<Item = usize> {
        let sorted = &self.order[..self.sorted];
        let start = sorted.partition_point(|place| place.cell < cell);
        let end = start + sorted[start..].partition_point(|place| place.cell == cell);
        self.alive(start..end)
    }

    /// The slots of the bodies that came since the last sort.
    pub(crate) fn unsorted(&self) -> impl Iterator<Item = usize> {
        self.alive(self.sorted..self.order.len())
    }

    /// The bodies that were in cells before `first` or after `last` at the last sort, in the order of ids.
    pub(crate) fn outside(&self, first: CellId, last: CellId) -> Vec<EntityId> {
        let sorted = &self.order[..self.sorted];
        let before = sorted.partition_point(|place| place.cell < first);
        let after = sorted.partition_point(|place| place.cell <= last).max(before);
        let mut outside: Vec<_> =
            self.alive(0..before).chain(self.alive(after..self.sorted)).map(|slot| self.ids[slot]).collect();
        outside.sort_unstable();
        outside
    }

    fn alive(&self, places: Range<usize>) -> impl Iterator<Item = usize> {
        let alive = self.order[places].iter().filter(|place| self.ids[place.slot as usize] == place.id);
        alive.map(|place| place.slot as usize)
    }

    /// Each cell with bodies and which of the order they are, in the order of cells. Needs the order.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (CellId, Range<usize>)> {
        debug_assert_eq!((self.sorted, self.order.len()), (self.len(), self.len()));
        let mut start = 0;
        std::iter::from_fn(move || {
            let cell = self.order.get(start)?.cell;
            let end = start + self.order[start..].partition_point(|other| other.cell == cell);
            let run = (cell, start..end);
            start = end;
            Some(run)
        })
    }

    /// A fingerprint of everything that decides what happens next with a body.
    pub(crate) fn hash(&self, slot: usize) -> u64 {
        let body = &self.states[slot];
        let vectors = [body.position, body.velocity, body.facing];
        let mut hash = Words(self.ids[slot].0.into());
        vectors.iter().flat_map(glam::DVec3::to_array).for_each(|number| hash.add(number.to_bits()));
        hash.add(body.mode as u64);
        self.controls[slot].words().for_each(|word| hash.add(word));
        self.honesty[slot].words().into_iter().for_each(|word| hash.add(word));
        hash.add(self.closed_hashes[slot]);
        mix(hash.0)
    }
}

fn hash_of(closed: &ClosedLand) -> u64 {
    let mut hash = Words(closed.lots().len() as u64);
    for (lot, parcel) in closed.lots() {
        hash.add(lot.raw());
        hash.add(*parcel);
    }
    hash.0
}

/// FNV-1a over whole words.
pub(crate) struct Words(pub(crate) u64);

impl Words {
    pub(crate) fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        self.0 ^= self.0 >> 29;
    }
}

/// Ids are counted by ourselves: nobody chooses them to collide, so a multiplication spreads them well enough.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32((*byte).into());
        }
    }

    fn write_u32(&mut self, id: u32) {
        self.0 = (self.0 ^ u64::from(id)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DVec3;
    use motion::Surface;
    use proptest::prelude::*;

    const LEVEL: u8 = 14;

    struct Plain;

    impl Ground for Plain {
        fn surface(&self, _: DVec3) -> Surface {
            Surface::by_the_sea(5.0)
        }

        fn radius_m(&self) -> f64 {
            796_375.0
        }
    }

    fn mover(metres: f64) -> Mover {
        let place = (DVec3::X + DVec3::Y * (metres / 796_375.0)).normalize();
        Mover::new(Body::standing_at(place, &Plain), ClosedLand::default())
    }

    #[derive(Clone, Debug)]
    enum Act {
        Come(u32, f64),
        Go(u32),
        Move(u32, f64),
        Sort,
    }

    fn any_act() -> impl Strategy<Value = Act> {
        let (id, metres) = (1..12_u32, -400.0..400.0_f64);
        prop_oneof![
            (id.clone(), metres.clone()).prop_map(|(id, metres)| Act::Come(id, metres)),
            id.clone().prop_map(Act::Go),
            (id, metres).prop_map(|(id, metres)| Act::Move(id, metres)),
            Just(Act::Sort),
        ]
    }

    proptest! {
        #[test]
        fn whoever_comes_and_goes_the_order_holds_each_body_once_in_its_cell(acts in prop::collection::vec(any_act(), 1..80)) {
            let mut bodies = Bodies::default();
            let mut truth = std::collections::BTreeMap::new();
            for act in acts {
                match act {
                    Act::Come(id, metres) if !truth.contains_key(&id) => {
                        bodies.add(EntityId(id), mover(metres), LEVEL);
                        truth.insert(id, mover(metres).body);
                    }
                    Act::Come(..) => {}
                    Act::Go(id) => {
                        let gone = bodies.remove(EntityId(id)).map(|mover| mover.body);
                        prop_assert_eq!(gone, truth.remove(&id));
                    }
                    Act::Move(id, metres) => {
                        if let Some(slot) = bodies.index(EntityId(id)) {
                            bodies.put(slot, mover(metres).body, LEVEL);
                            truth.insert(id, mover(metres).body);
                        }
                    }
                    Act::Sort => bodies.sort(),
                }
                // Before it is sorted: every body is found once by walking all cells and those who just came.
                prop_assert_eq!(bodies.len(), truth.len());
                let mut found: Vec<u32> = bodies.alive(0..bodies.order.len()).map(|slot| bodies.ids[slot].0).collect();
                found.sort_unstable();
                prop_assert_eq!(found, truth.keys().copied().collect::<Vec<_>>());
                for (id, body) in &truth {
                    let slot = bodies.index(EntityId(*id)).unwrap();
                    prop_assert_eq!(&bodies.states[slot], body);
                }
            }
            bodies.sort();
            let expected: Vec<_> = {
                let cell = |body: &Body| CellId::from_point(body.position).parent(LEVEL);
                let mut expected: Vec<_> = truth.iter().map(|(id, body)| (cell(body), *id)).collect();
                expected.sort_unstable();
                expected
            };
            let ordered: Vec<_> = bodies.ordered().map(|slot| (bodies.cells[slot], bodies.ids[slot].0)).collect();
            prop_assert_eq!(&ordered, &expected);
            let runs: Vec<_> = bodies.runs().flat_map(|(cell, run)| run.map(move |_| cell)).collect();
            prop_assert_eq!(runs, expected.iter().map(|(cell, _)| *cell).collect::<Vec<_>>());
            for (cell, _) in &expected {
                let inside = bodies.in_cell(*cell).count();
                prop_assert_eq!(inside, expected.iter().filter(|(other, _)| other == cell).count());
            }
            if let (Some((first, _)), Some((last, _))) = (expected.first(), expected.last()) {
                prop_assert_eq!(bodies.outside(*first, *last), vec![]);
                let middle = expected[expected.len() / 2].0;
                let mut outside: Vec<_> = expected.iter().filter(|(cell, _)| *cell != middle).map(|(_, id)| EntityId(*id)).collect();
                outside.sort_unstable();
                prop_assert_eq!(bodies.outside(middle, middle), outside);
            }
        }
    }

    #[test]
    fn slots_are_used_again() {
        let mut bodies = Bodies::default();
        for id in 1..10_000 {
            bodies.add(EntityId(id), mover(f64::from(id % 300)), LEVEL);
            if id > 50 {
                bodies.remove(EntityId(id - 50)).expect("it is here");
            }
            if id % 10 == 0 {
                bodies.sort();
            }
        }
        assert!(bodies.ids.len() <= 70, "{} slots for 50 bodies", bodies.ids.len());
    }

    #[test]
    fn ids_in_a_row_fall_into_different_buckets() {
        // What the map takes of a hash: its highest seven bits and its lowest ones.
        let hash = |id: u32| {
            let mut hasher = IdHasher::default();
            hasher.write_u32(id);
            hasher.finish()
        };
        let low: std::collections::HashSet<_> = (0..4_096).map(|id| hash(id) & 4_095).collect();
        let high: std::collections::HashSet<_> = (0..4_096).map(|id| hash(id) >> 57).collect();
        assert!(low.len() > 2_300 && high.len() == 128, "{} {}", low.len(), high.len());
    }
}
