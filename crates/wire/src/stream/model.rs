//! What a block says and how likely that is.
//!
//! The same functions write and read: a coder that writes gives back what it was given, one that reads gives what the
//! writer was given. What depends on what is said goes by the answer, so that both sides take the same way.

use super::turn::{LENGTH_MAX, Metric, STEP_MAX};
use super::{HEIGHT_MAX, Placement, Record, Stance, StreamError};
use crate::range::{Chance, Coder};

/// A whole number from 0: the number of bits of `v + 1` less 1 in unary, then the bits below the highest; the first of
/// them has a chance of its own.
#[derive(Clone, Copy)]
pub(super) struct Size {
    more: [Chance; 12],
    first: [Chance; 6],
}

impl Size {
    const fn read(from: &mut Chances) -> Self {
        Self { more: from.take(), first: from.take() }
    }

    pub(super) fn code(&mut self, coder: &mut impl Coder, value: u32) -> Result<u32, StreamError> {
        let w = u64::from(value) + 1;
        let wanted = w.ilog2();
        let mut bits = 0;
        while coder.code(&mut self.more[(bits as usize).min(11)], bits < wanted) {
            bits += 1;
            if bits > 32 {
                return Err(StreamError::Malformed);
            }
        }
        if bits == 0 {
            return Ok(0);
        }
        let first = w >> (bits - 1) & 1 == 1;
        let first = match self.first.get_mut(bits as usize - 1) {
            Some(chance) => coder.code(chance, first),
            None => coder.code_even(first),
        };
        let below = bits - 1;
        let rest = coder.code_bits((w & ((1 << below) - 1)) as u32, below);
        let w = 1_u64 << bits | u64::from(first) << below | u64::from(rest);
        u32::try_from(w - 1).map_err(|_| StreamError::Malformed)
    }
}

/// A whole number around 0: whether it is 0, its sign, its size less 1.
#[derive(Clone, Copy)]
pub(super) struct Signed {
    zero: Chance,
    size: Size,
}

impl Signed {
    const fn read(from: &mut Chances) -> Self {
        Self { zero: from.one(), size: Size::read(from) }
    }

    fn code(&mut self, coder: &mut impl Coder, value: i32) -> Result<i32, StreamError> {
        if coder.code(&mut self.zero, value == 0) {
            return Ok(0);
        }
        let is_negative = coder.code_even(value < 0);
        let size = self.size.code(coder, value.unsigned_abs().wrapping_sub(1))?;
        let size =
            i32::try_from(size).ok().and_then(|size| size.checked_add(1)).ok_or(StreamError::Malformed)?;
        Ok(if is_negative { -size } else { size })
    }
}

/// A tree of two decisions: one of four.
#[derive(Clone, Copy)]
struct OneOfFour([Chance; 3]);

impl OneOfFour {
    fn code(&mut self, coder: &mut impl Coder, value: u8) -> u8 {
        let high = coder.code(&mut self.0[0], value & 2 != 0);
        let low = coder.code(&mut self.0[1 + usize::from(high)], value & 1 != 0);
        u8::from(high) << 1 | u8::from(low)
    }
}

/// The chances of what is said of bodies that begin.
#[derive(Clone, Copy)]
pub(super) struct Beginnings {
    pub(super) gap: Size,
    stance: OneOfFour,
    moves: Chance,
    speed: Signed,
    step: [Signed; 2],
    activity: OneOfFour,
}

/// Every chance of a block, as it stands at the block's start.
#[derive(Clone, Copy)]
pub(super) struct Model {
    /// How many bodies a key has, a delta removes, a delta adds.
    pub(super) counts: [Size; 3],
    pub(super) removed_gap: Size,
    pub(super) has_left: Chance,
    /// In a key, and added in a delta.
    pub(super) beginnings: [Beginnings; 2],
    /// By what the body did last: at rest or moving, and its activity.
    as_predicted: [Chance; 6],
    has_turned: [Chance; 6],
    turn: [Signed; 3],
    new_stance: [Chance; 4],
    stance: OneOfFour,
    /// By activity, or 2 if it has turned.
    step_i: [Signed; 3],
    /// The same, and whether the other is 0.
    step_j: [Signed; 6],
    height: Signed,
}

mod priors;
pub(crate) use priors::CHANCES;

/// The model that every block begins with.
pub(super) const PRIORS: Model = Model::read(&mut Chances { at: 0 });

/// The table of chances, read one after the other.
struct Chances {
    at: usize,
}

impl Chances {
    const fn one(&mut self) -> Chance {
        self.at += 1;
        Chance::of(CHANCES[self.at - 1])
    }

    const fn take<const N: usize>(&mut self) -> [Chance; N] {
        let mut chances = [Chance::EVEN; N];
        let mut n = 0;
        while n < N {
            chances[n] = self.one();
            n += 1;
        }
        chances
    }
}

impl Beginnings {
    const fn read(from: &mut Chances) -> Self {
        Self {
            gap: Size::read(from),
            stance: OneOfFour(from.take()),
            moves: from.one(),
            speed: Signed::read(from),
            step: [Signed::read(from), Signed::read(from)],
            activity: OneOfFour(from.take()),
        }
    }
}

impl Model {
    const fn read(from: &mut Chances) -> Self {
        let model = Self {
            counts: [Size::read(from), Size::read(from), Size::read(from)],
            removed_gap: Size::read(from),
            has_left: from.one(),
            beginnings: [Beginnings::read(from), Beginnings::read(from)],
            as_predicted: from.take(),
            has_turned: from.take(),
            turn: [Signed::read(from), Signed::read(from), Signed::read(from)],
            new_stance: from.take(),
            stance: OneOfFour(from.take()),
            step_i: [Signed::read(from), Signed::read(from), Signed::read(from)],
            step_j: [
                Signed::read(from),
                Signed::read(from),
                Signed::read(from),
                Signed::read(from),
                Signed::read(from),
                Signed::read(from),
            ],
            height: Signed::read(from),
        };
        assert!(from.at == priors::COUNT, "every chance has its place");
        model
    }
}

/// Sub-places of a lattice cell along each axis.
pub(super) const SUB: i32 = 8;

/// What every record of a stream has in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lattice {
    /// Bits of the lattice coordinates.
    pub(super) bits: u32,
    pub(super) metric: Metric,
}

impl Lattice {
    fn last(&self) -> i32 {
        (1 << self.bits) - 1
    }
}

/// The middle of a lattice cell.
fn middle(index: u16) -> u16 {
    index * SUB as u16 + SUB as u16 / 2
}

fn limited((i, j): (i32, i32)) -> (i16, i16) {
    let limit = |step: i32| step.clamp(-STEP_MAX, STEP_MAX) as i16;
    (limit(i), limit(j))
}

fn wide((i, j): (i16, i16)) -> (i32, i32) {
    (i.into(), j.into())
}

impl Model {
    /// A record that begins. Of one that is added, nobody has made predictions yet: it goes straight ahead from the
    /// middle of its lattice cell, whatever `record` says.
    pub(super) fn begin<C: Coder>(
        &mut self,
        coder: &mut C,
        lattice: &Lattice,
        record: &Record,
        is_added: bool,
        last_length: &mut i32,
    ) -> Result<Record, StreamError> {
        let chances = &mut self.beginnings[usize::from(is_added)];
        let was = &record.placement;
        let i = coder.code_bits(was.i.into(), lattice.bits) as u16;
        let j = coder.code_bits(was.j.into(), lattice.bits) as u16;
        let facing = coder.code_bits(was.facing.into(), 8) as u8;
        let stance = Stance::from_two_bits(chances.stance.code(coder, was.stance as u8));
        let mut placement = Placement { entity_id: was.entity_id, i, j, facing, stance, height: 0 };
        let mut climb = 0;
        if stance.has_height() {
            placement.height = inside_heights(self.height.code(coder, was.height)?)?;
            climb = small(self.height.code(coder, record.climb.into())?)?;
        }
        let mut at = (middle(i), middle(j));
        let mut step = (0, 0);
        let mut activity = 0;
        if coder.code(&mut chances.moves, record.step != (0, 0)) {
            let length = lattice.metric.length(wide(record.step));
            let difference = chances.speed.code(coder, length - *last_length)?;
            let length =
                last_length.checked_add(difference).filter(|length| (0..=LENGTH_MAX).contains(length));
            let length = length.ok_or(StreamError::Malformed)?;
            *last_length = length;
            step = limited(lattice.metric.towards(facing, length));
            if !is_added {
                let [off_i, off_j] = &mut chances.step;
                let off = |told: i16, ahead: i16| i32::from(told) - i32::from(ahead);
                let off = (off(record.step.0, step.0), off(record.step.1, step.1));
                let put =
                    |ahead: i16, off: i32| i32::from(ahead).checked_add(off).ok_or(StreamError::Malformed);
                step.0 = whole_step(put(step.0, off_i.code(coder, off.0)?)?)?;
                step.1 = whole_step(put(step.1, off_j.code(coder, off.1)?)?)?;
                let inside =
                    |at: u16, index: u16| u32::from(at.wrapping_sub(index.wrapping_mul(SUB as u16))) & 7;
                at.0 = i * SUB as u16 + coder.code_bits(inside(record.at.0, was.i), 3) as u16;
                at.1 = j * SUB as u16 + coder.code_bits(inside(record.at.1, was.j), 3) as u16;
            }
        }
        if !is_added {
            activity = chances.activity.code(coder, record.activity);
            if activity > 2 {
                return Err(StreamError::Malformed);
            }
        }
        if coder.has_starved() {
            return Err(StreamError::Malformed);
        }
        Ok(Record { placement, at, step, climb, activity })
    }

    /// What became of a body since the block before.
    #[inline]
    pub(super) fn change<C: Coder>(
        &mut self,
        coder: &mut C,
        lattice: &Lattice,
        old: &Record,
        told: &Placement,
    ) -> Result<Record, StreamError> {
        let was = &old.placement;
        let moves = old.step != (0, 0);
        let context = usize::from(moves) * 3 + usize::from(old.activity);
        let height_then = if was.stance.has_height() { was.height + i32::from(old.climb) } else { 0 };
        let (place, at) = old.next(lattice, old.step);
        let is_as_predicted = told.i == place.0
            && told.j == place.1
            && told.facing == was.facing
            && told.stance == was.stance
            && told.height == height_then;
        if coder.code(&mut self.as_predicted[context], is_as_predicted) {
            let height = inside_heights(height_then)?;
            let placement = Placement { i: place.0, j: place.1, height, ..*was };
            return Ok(Record { placement, at, activity: 0, ..*old });
        }
        let mut now = *was;
        let mut step = old.step;
        let mut kind = usize::from(old.activity);
        if coder.code(&mut self.has_turned[context], told.facing != was.facing) {
            let turn = told.facing.wrapping_sub(was.facing).cast_signed();
            let turn = self.turn[usize::from(old.activity)].code(coder, turn.into())?;
            let turn = i8::try_from(turn).map_err(|_| StreamError::Malformed)?;
            now.facing = was.facing.wrapping_add_signed(turn);
            kind = 2;
            if moves {
                step = limited(lattice.metric.turned(wide(step), turn.cast_unsigned()));
            }
        }
        if coder.code(&mut self.new_stance[was.stance as usize], told.stance != was.stance) {
            now.stance = Stance::from_two_bits(self.stance.code(coder, told.stance as u8));
        }
        let (place, at) = old.next(lattice, step);
        let off = |told: u16, predicted: u16| i32::from(told) - i32::from(predicted);
        let di = self.step_i[kind].code(coder, off(told.i, place.0))?;
        let dj = self.step_j[kind * 2 + usize::from(di == 0)].code(coder, off(told.j, place.1))?;
        now.i = inside(place.0, di, lattice)?;
        now.j = inside(place.1, dj, lattice)?;
        now.height = 0;
        let mut climb = 0;
        if now.stance.has_height() {
            now.height = height_then
                .checked_add(self.height.code(coder, told.height.wrapping_sub(height_then))?)
                .ok_or(StreamError::Malformed)
                .and_then(inside_heights)?;
            climb = (now.height - was.height).clamp(-STEP_MAX, STEP_MAX) as i16;
        }
        if coder.has_starved() {
            return Err(StreamError::Malformed);
        }
        let mut record = Record { placement: now, at, step, climb, activity: 1 };
        record.correct(old, (di, dj), kind == 2);
        Ok(record)
    }
}

impl Record {
    /// A body that begins, on its way towards its facing by so many sub-places a send.
    pub(super) fn added(placement: Placement, length: i32, lattice: &Lattice) -> Self {
        let step = limited(lattice.metric.towards(placement.facing, length.min(LENGTH_MAX)));
        let at = (middle(placement.i), middle(placement.j));
        Self { placement, at, step, climb: 0, activity: 0 }
    }

    /// The lattice cell and the place inside it after one more such step.
    fn next(&self, lattice: &Lattice, step: (i16, i16)) -> ((u16, u16), (u16, u16)) {
        let end = lattice.last() * SUB + SUB - 1;
        let on = |at: u16, step: i16| (i32::from(at) + i32::from(step)).clamp(0, end) as u16;
        let at = (on(self.at.0, step.0), on(self.at.1, step.1));
        ((at.0 / SUB as u16, at.1 / SUB as u16), at)
    }

    /// Learns from how far the prediction was off.
    fn correct(&mut self, old: &Self, (di, dj): (i32, i32), has_turned: bool) {
        let Placement { i, j, .. } = self.placement;
        let stood = (i, j) == (old.placement.i, old.placement.j);
        if stood {
            self.step = (0, 0);
        } else if di.abs() > 2 || dj.abs() > 2 {
            let way = |from: u16, to: u16| i32::from(middle(to)) - i32::from(from);
            self.step = limited((way(old.at.0, i), way(old.at.1, j)));
            self.at = (middle(i), middle(j));
            self.activity = 2;
        } else {
            let within =
                |at: u16, index: u16| at.clamp(index * SUB as u16, index * SUB as u16 + SUB as u16 - 1);
            let at = (within(self.at.0, i), within(self.at.1, j));
            let missed = |told: u16, predicted: u16| i32::from(told) - i32::from(predicted);
            let (step_i, step_j) = wide(self.step);
            self.step = limited((step_i + missed(at.0, self.at.0), step_j + missed(at.1, self.at.1)));
            self.at = at;
            self.activity = 1 + u8::from(has_turned);
        }
        if self.step == (0, 0) {
            self.at = (middle(i), middle(j));
            self.activity = if stood && old.step == (0, 0) { self.activity } else { 2 };
        }
    }
}

fn inside(predicted: u16, off: i32, lattice: &Lattice) -> Result<u16, StreamError> {
    let index = i32::from(predicted).checked_add(off).filter(|index| (0..=lattice.last()).contains(index));
    index.map(|index| index as u16).ok_or(StreamError::Malformed)
}

fn inside_heights(height: i32) -> Result<i32, StreamError> {
    if height.abs() <= HEIGHT_MAX { Ok(height) } else { Err(StreamError::Malformed) }
}

fn small(climb: i32) -> Result<i16, StreamError> {
    if climb.abs() <= STEP_MAX { Ok(climb as i16) } else { Err(StreamError::Malformed) }
}

fn whole_step(step: i32) -> Result<i16, StreamError> {
    if step.abs() <= STEP_MAX { Ok(step as i16) } else { Err(StreamError::Malformed) }
}
