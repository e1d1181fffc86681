//! How a body goes from one zone to another without being lost or doubled, whatever becomes of the messages.
//!
//! ```text
//!   source                                     target
//!   log OUT(seq, entity, epoch + 1, state)
//!   the body is frozen: nobody moves it
//!        ──── TRANSFER, again and again ────►
//!                                              known (source, seq)? answer again, do no more
//!                                              log IN(source, seq, entity, epoch + 1)
//!                                              the body moves again
//!        ◄──────────── ACK ─────────────────
//!   log DONE(seq), forget the body
//! ```
//!
//! Everything here is a plain value. A [`Book`] says which [`Entry`] a zone must log next; only what is in the log has
//! happened, so a zone that crashed comes back by applying its log to an empty book. The rules, each of which the model
//! check in `tests/handover_model.rs` shows to be needed:
//!
//! 1. OUT is logged before the transfer is sent, and IN before it is answered.
//! 2. From OUT on the source does not move the body.
//! 3. A transfer is repeated until it is answered.
//! 4. A target takes each number of each source once, and answers each time.
//! 5. Of two zones that claim a body the one with the newer epoch is right ([`Directory`]).
//! 6. A log takes nothing from the holder of an older lease ([`Fence`]).
//!
//! Numbers count per source *and* target, so that what a target remembers of a source is nearly always one number. A
//! zone's number is never given again, so a new zone begins without a memory, and that of one that has ended goes with it.

use crate::zone::EntityId;
use std::collections::{BTreeMap, BTreeSet};

/// A zone's number. Never used twice in the life of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(pub u32);

/// A body on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Passage<S> {
    /// Counts what this source sent to this target, from 1.
    pub seq: u64,
    /// Who is to have it.
    pub to: ZoneId,
    /// Whose body.
    pub entity: EntityId,
    /// How often it has changed its zone, this time included.
    pub epoch: u32,
    /// All there is to know of it.
    pub state: S,
}

/// What a zone writes down; only then it is so.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Entry<S> {
    /// A body begins here.
    Born(EntityId),
    /// A body ends here.
    Gone(EntityId),
    /// A body leaves for another zone.
    Out(Passage<S>),
    /// A body has come from another zone.
    In {
        /// From which.
        from: ZoneId,
        /// Its number there.
        seq: u64,
        /// Whose body.
        entity: EntityId,
        /// How often it has changed its zone.
        epoch: u32,
    },
    /// The other zone has it.
    Done {
        /// Which.
        to: ZoneId,
        /// The number of the passage.
        seq: u64,
    },
}

/// What zones say to each other; may be lost, doubled, delayed and overtaken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message<S> {
    /// Take this body.
    Transfer {
        /// Who gives it.
        from: ZoneId,
        /// What.
        passage: Passage<S>,
    },
    /// It was taken.
    Ack {
        /// Who took it.
        from: ZoneId,
        /// Who gave it.
        to: ZoneId,
        /// The number of the passage.
        seq: u64,
    },
}

impl<S> Message<S> {
    /// Whose it is to hear.
    pub fn to(&self) -> ZoneId {
        match self {
            Self::Transfer { passage, .. } => passage.to,
            Self::Ack { to, .. } => *to,
        }
    }
}

/// What follows from a message: first the entry is logged and applied, then the answer is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard<S> {
    /// None if it was known.
    pub entry: Option<Entry<S>>,
    /// None if none is due.
    pub answer: Option<Message<S>>,
}

/// Which numbers of one source were taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Taken {
    /// All up to this one.
    pub all_to: u64,
    /// And these.
    pub beyond: BTreeSet<u64>,
}

impl Taken {
    fn contains(&self, seq: u64) -> bool {
        seq <= self.all_to || self.beyond.contains(&seq)
    }

    fn insert(&mut self, seq: u64) {
        if !self.contains(seq) {
            self.beyond.insert(seq);
        }
        while self.beyond.remove(&(self.all_to + 1)) {
            self.all_to += 1;
        }
    }
}

/// What a zone knows of its bodies' comings and goings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Book<S> {
    zone: ZoneId,
    /// Whose body is here and moves, and how often it has changed its zone.
    residents: BTreeMap<EntityId, u32>,
    /// The last number given to a passage to each zone.
    given: BTreeMap<ZoneId, u64>,
    outgoing: BTreeMap<(ZoneId, u64), Passage<S>>,
    taken: BTreeMap<ZoneId, Taken>,
}

impl<S: Clone> Book<S> {
    /// An empty zone's.
    pub fn new(zone: ZoneId) -> Self {
        Self {
            zone,
            residents: BTreeMap::new(),
            given: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            taken: BTreeMap::new(),
        }
    }

    /// Whose book it is.
    pub fn zone(&self) -> ZoneId {
        self.zone
    }

    /// Whether this zone moves a body.
    pub fn holds(&self, entity: EntityId) -> bool {
        self.residents.contains_key(&entity)
    }

    /// Who is here, and how often each has changed its zone.
    pub fn residents(&self) -> impl Iterator<Item = (EntityId, u32)> {
        self.residents.iter().map(|(entity, epoch)| (*entity, *epoch))
    }

    /// The bodies that have left and of which it is not known whether they arrived.
    pub fn outgoing(&self) -> impl Iterator<Item = &Passage<S>> {
        self.outgoing.values()
    }

    /// Whether nothing is on its way from here.
    pub fn is_quiet(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// What must be logged for a body to leave; none if it is not here.
    pub fn depart(&self, entity: EntityId, to: ZoneId, state: S) -> Option<Entry<S>> {
        let epoch = self.residents.get(&entity)?.checked_add(1)?;
        let seq = self.given.get(&to).copied().unwrap_or(0) + 1;
        Some(Entry::Out(Passage { seq, to, entity, epoch, state }))
    }

    /// The transfers that are not answered yet, to be sent until they are.
    pub fn unanswered(&self) -> impl Iterator<Item = Message<S>> {
        self.outgoing.values().map(|passage| Message::Transfer { from: self.zone, passage: passage.clone() })
    }

    /// What follows from a message to this zone.
    pub fn hear(&self, message: &Message<S>) -> Heard<S> {
        match message {
            Message::Transfer { from, passage } if passage.to == self.zone => {
                let Passage { seq, entity, epoch, .. } = *passage;
                let is_known = self.taken.get(from).is_some_and(|taken| taken.contains(seq));
                let entry = (!is_known).then_some(Entry::In { from: *from, seq, entity, epoch });
                Heard { entry, answer: Some(Message::Ack { from: self.zone, to: *from, seq }) }
            }
            Message::Ack { from, to, seq } if *to == self.zone => {
                let is_open = self.outgoing.contains_key(&(*from, *seq));
                Heard { entry: is_open.then_some(Entry::Done { to: *from, seq: *seq }), answer: None }
            }
            Message::Transfer { .. } | Message::Ack { .. } => Heard { entry: None, answer: None },
        }
    }

    /// Makes true what was logged. Applying a log from its beginning gives the book again.
    pub fn apply(&mut self, entry: &Entry<S>) {
        match entry {
            Entry::Born(entity) => {
                self.residents.insert(*entity, 0);
            }
            Entry::Gone(entity) => {
                self.residents.remove(entity);
            }
            Entry::Out(passage) => {
                self.residents.remove(&passage.entity);
                self.given.insert(passage.to, passage.seq);
                self.outgoing.insert((passage.to, passage.seq), passage.clone());
            }
            Entry::In { from, seq, entity, epoch } => {
                self.taken.entry(*from).or_default().insert(*seq);
                self.residents.insert(*entity, *epoch);
            }
            Entry::Done { to, seq } => {
                self.outgoing.remove(&(*to, *seq));
            }
        }
    }

    /// Gives some of the bodies to a new zone. Whatever was sent here before is for this one alone: nobody has numbered
    /// anything for the new zone yet, so it begins without a memory.
    #[must_use]
    pub fn split_off(&mut self, zone: ZoneId, entities: &[EntityId]) -> Self {
        let mut new = Self::new(zone);
        for entity in entities {
            if let Some(epoch) = self.residents.remove(entity) {
                new.residents.insert(*entity, epoch.saturating_add(1));
            }
        }
        new
    }

    /// Takes in all that another zone has, which ends. Nothing may be on its way from it or to it; copies that still come
    /// for it find nobody.
    pub fn absorb(&mut self, other: Self) {
        debug_assert!(other.is_quiet(), "what is on its way is not lost");
        self.residents
            .extend(other.residents.into_iter().map(|(entity, epoch)| (entity, epoch.saturating_add(1))));
    }

    /// All of it, to be kept.
    pub fn to_parts(&self) -> Parts<S> {
        Parts {
            zone: self.zone,
            residents: self.residents().collect(),
            given: self.given.iter().map(|(zone, seq)| (*zone, *seq)).collect(),
            outgoing: self.outgoing.values().cloned().collect(),
            taken: self.taken.iter().map(|(zone, taken)| (*zone, taken.clone())).collect(),
        }
    }

    /// As it was kept.
    pub fn from_parts(parts: Parts<S>) -> Self {
        let outgoing = parts.outgoing.into_iter().map(|passage| ((passage.to, passage.seq), passage));
        Self {
            zone: parts.zone,
            residents: parts.residents.into_iter().collect(),
            given: parts.given.into_iter().collect(),
            outgoing: outgoing.collect(),
            taken: parts.taken.into_iter().collect(),
        }
    }
}

/// A [`Book`] as lists, for who writes it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts<S> {
    /// Whose.
    pub zone: ZoneId,
    /// See [`Book::residents`].
    pub residents: Vec<(EntityId, u32)>,
    /// The last number given to each zone.
    pub given: Vec<(ZoneId, u64)>,
    /// See [`Book::outgoing`].
    pub outgoing: Vec<Passage<S>>,
    /// What was taken of each zone.
    pub taken: Vec<(ZoneId, Taken)>,
}

/// Who has which body, as those know who send it inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Directory {
    zones: BTreeMap<EntityId, (u32, ZoneId)>,
}

impl Directory {
    /// Where a body is.
    pub fn zone_of(&self, entity: EntityId) -> Option<ZoneId> {
        self.zones.get(&entity).map(|(_, zone)| *zone)
    }

    /// A zone says that it has a body since its `epoch`th change; whether it is right. News that come late are old.
    pub fn claim(&mut self, entity: EntityId, epoch: u32, zone: ZoneId) -> bool {
        let is_newer = self.zones.get(&entity).is_none_or(|(known, _)| *known < epoch);
        if is_newer {
            self.zones.insert(entity, (epoch, zone));
        }
        is_newer
    }

    /// The body is no more.
    pub fn forget(&mut self, entity: EntityId) {
        self.zones.remove(&entity);
    }

    /// How many bodies are known.
    pub fn len(&self) -> usize {
        self.zones.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }
}

/// Who may append to a log: the holder of the newest lease that it has heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

impl Fence {
    /// Whether the holder of a lease of this epoch may append.
    pub fn admits(self, epoch: u64) -> bool {
        epoch >= self.0
    }

    /// From now on only this epoch and newer ones may.
    #[must_use]
    pub fn raised(self, epoch: u64) -> Self {
        self.max(Self(epoch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ZoneId = ZoneId(1);
    const B: ZoneId = ZoneId(2);

    #[test]
    fn numbers_that_come_out_of_order_end_as_one() {
        let mut taken = Taken::default();
        for seq in [3, 1, 5, 2] {
            assert!(!taken.contains(seq));
            taken.insert(seq);
            assert!(taken.contains(seq));
        }
        assert_eq!((taken.all_to, taken.beyond.len()), (3, 1));
        taken.insert(4);
        assert_eq!(taken, Taken { all_to: 5, beyond: BTreeSet::new() });
    }

    /// Sends a body and lets it arrive; whether it was taken.
    fn pass(from: &mut Book<&'static str>, to: &mut Book<&'static str>, entity: EntityId) -> bool {
        let out = from.depart(entity, to.zone(), "state").unwrap();
        from.apply(&out);
        let transfer = from.unanswered().next().unwrap();
        let heard = to.hear(&transfer);
        if let Some(entry) = &heard.entry {
            to.apply(entry);
        }
        let done = from.hear(&heard.answer.unwrap()).entry.unwrap();
        from.apply(&done);
        assert_eq!(to.hear(&transfer).entry, None, "a late copy is taken once more");
        heard.entry.is_some()
    }

    #[test]
    fn zones_that_were_split_and_merged_take_all_that_is_new_and_nothing_twice() {
        let (mut a, mut b) = (Book::new(A), Book::new(B));
        let walkers: Vec<_> = (1..10).map(EntityId).collect();
        for walker in &walkers {
            a.apply(&Entry::Born(*walker));
        }
        assert!(walkers[..4].iter().all(|walker| pass(&mut a, &mut b, *walker)));
        let mut c = b.split_off(ZoneId(3), &walkers[..2]);
        assert!(c.holds(walkers[0]) && !b.holds(walkers[0]) && b.holds(walkers[2]));
        // Numbered from one, for the new zone.
        assert!(pass(&mut a, &mut c, walkers[5]) && pass(&mut c, &mut a, walkers[5]));
        assert!(pass(&mut a, &mut b, walkers[6]));
        b.absorb(c);
        assert!(walkers[..4].iter().all(|walker| b.holds(*walker)));
        assert!(pass(&mut a, &mut b, walkers[7]) && pass(&mut b, &mut a, walkers[7]));
    }

    #[test]
    fn a_book_comes_back_from_its_parts() {
        let mut a = Book::new(A);
        for entity in 1..6 {
            a.apply(&Entry::Born(EntityId(entity)));
        }
        let out = a.depart(EntityId(3), B, "three").unwrap();
        a.apply(&out);
        a.apply(&Entry::In { from: B, seq: 4, entity: EntityId(9), epoch: 2 });
        assert_eq!(Book::from_parts(a.to_parts()), a);
    }
}
