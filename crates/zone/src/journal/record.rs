//! What the journal's bytes say: the world in a snapshot, and a tick of it.

use super::codec::{Malformed, Reader, put_bytes, put_list};
use cell::CellId;
use sim::handover::{Entry, Parts, Passage, Taken, ZoneId};
use sim::{EntityId, Mover};
use uuid::Uuid;

/// Of what is written now; other versions are not read.
const VERSION: u8 = 1;

/// Whose body is whose. No name: what is erased elsewhere must not be found here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// The body.
    pub entity: EntityId,
    /// Whose.
    pub account_id: Uuid,
    /// Of the token by which its player comes back; the token itself is written nowhere.
    pub token_hash: [u8; 32],
}

/// What happened to the world between the ticks of its zones.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A zone's book.
    Entry {
        /// Whose.
        zone: ZoneId,
        /// What.
        entry: Entry<Mover>,
    },
    /// A body left the world while it was between two zones: it ends where it arrives.
    Leaving(EntityId),
    /// A zone gave its cells from one on to a new zone.
    Split {
        /// Which.
        zone: ZoneId,
        /// The new one.
        new: ZoneId,
        /// Its first cell.
        at: CellId,
        /// Ticks when it began.
        tick: u64,
        /// The bodies that it was given.
        entities: Vec<EntityId>,
    },
    /// A zone took over the one above it, which ended.
    Merge {
        /// The lower one.
        into: ZoneId,
        /// The one that ended.
        from: ZoneId,
    },
    /// Somebody has come, or has another token.
    Person(Person),
    /// A body has gone for good.
    Left(EntityId),
}

/// One tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TickRecord {
    /// The greatest number of a body so far.
    pub last_entity: u32,
    /// Where the search for a newcomer's place goes on.
    pub next_seed: u32,
    /// In their order.
    pub changes: Vec<Change>,
    /// What each zone noted of itself.
    pub logs: Vec<(ZoneId, Vec<u8>)>,
}

/// A zone in a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneSnapshot {
    /// Which.
    pub id: ZoneId,
    /// Its first cell.
    pub first: CellId,
    /// Its last cell.
    pub last: CellId,
    /// Its bodies' comings and goings.
    pub book: Parts<Mover>,
    /// The zone, for `sim::Zone::restore`.
    pub state: Vec<u8>,
}

/// Everything, after a tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorldSnapshot {
    /// The greatest number of a body so far.
    pub last_entity: u32,
    /// Where the search for a newcomer's place goes on.
    pub next_seed: u32,
    /// The greatest number of a zone so far.
    pub last_zone: u32,
    /// In the order of their cells.
    pub zones: Vec<ZoneSnapshot>,
    /// Bodies that have left the world and not yet arrived where they end.
    pub leaving: Vec<EntityId>,
    /// Everybody with a body.
    pub people: Vec<Person>,
}

impl TickRecord {
    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.logs.iter().map(|(_, log)| log.len() + 8).sum::<usize>());
        out.push(VERSION);
        out.extend(self.last_entity.to_le_bytes());
        out.extend(self.next_seed.to_le_bytes());
        put_list(&mut out, self.changes.iter(), put_change);
        put_list(&mut out, self.logs.iter(), |out, (zone, log)| {
            out.extend(zone.0.to_le_bytes());
            put_bytes(out, log);
        });
        out
    }

    /// From [`TickRecord::to_bytes`].
    pub fn try_from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        check_version(&mut reader)?;
        let record = Self {
            last_entity: reader.u32()?,
            next_seed: reader.u32()?,
            changes: reader.list(change)?,
            logs: reader.list(|it| Ok((zone_id(it)?, it.bytes()?.to_vec())))?,
        };
        reader.end()?;
        Ok(record)
    }
}

impl WorldSnapshot {
    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out =
            Vec::with_capacity(64 + self.zones.iter().map(|it| it.state.len() + 256).sum::<usize>());
        out.push(VERSION);
        for number in [self.last_entity, self.next_seed, self.last_zone] {
            out.extend(number.to_le_bytes());
        }
        put_list(&mut out, self.zones.iter(), |out, zone| {
            out.extend(zone.id.0.to_le_bytes());
            out.extend(zone.first.raw().to_le_bytes());
            out.extend(zone.last.raw().to_le_bytes());
            put_parts(out, &zone.book);
            put_bytes(out, &zone.state);
        });
        put_list(&mut out, self.leaving.iter(), |out, entity| out.extend(entity.0.to_le_bytes()));
        put_list(&mut out, self.people.iter(), put_person);
        out
    }

    /// From [`WorldSnapshot::to_bytes`].
    pub fn try_from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        check_version(&mut reader)?;
        let snapshot = Self {
            last_entity: reader.u32()?,
            next_seed: reader.u32()?,
            last_zone: reader.u32()?,
            zones: reader.list(|it| {
                Ok(ZoneSnapshot {
                    id: zone_id(it)?,
                    first: cell_id(it)?,
                    last: cell_id(it)?,
                    book: parts(it)?,
                    state: it.bytes()?.to_vec(),
                })
            })?,
            leaving: reader.list(entity_id)?,
            people: reader.list(person)?,
        };
        reader.end()?;
        Ok(snapshot)
    }
}

fn check_version(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    if reader.u8()? == VERSION { Ok(()) } else { Err(Malformed) }
}

fn zone_id(reader: &mut Reader<'_>) -> Result<ZoneId, Malformed> {
    reader.u32().map(ZoneId)
}

fn entity_id(reader: &mut Reader<'_>) -> Result<EntityId, Malformed> {
    reader.u32().map(EntityId)
}

fn cell_id(reader: &mut Reader<'_>) -> Result<CellId, Malformed> {
    CellId::try_from_raw(reader.u64()?).ok_or(Malformed)
}

fn put_person(out: &mut Vec<u8>, person: &Person) {
    out.extend(person.entity.0.to_le_bytes());
    out.extend(person.account_id.as_bytes());
    out.extend(person.token_hash);
}

fn person(reader: &mut Reader<'_>) -> Result<Person, Malformed> {
    Ok(Person { entity: entity_id(reader)?, account_id: reader.uuid()?, token_hash: reader.hash()? })
}

fn put_passage(out: &mut Vec<u8>, passage: &Passage<Mover>) {
    out.extend(passage.seq.to_le_bytes());
    out.extend(passage.to.0.to_le_bytes());
    out.extend(passage.entity.0.to_le_bytes());
    out.extend(passage.epoch.to_le_bytes());
    put_bytes(out, &passage.state.to_bytes());
}

fn passage(reader: &mut Reader<'_>) -> Result<Passage<Mover>, Malformed> {
    Ok(Passage {
        seq: reader.u64()?,
        to: zone_id(reader)?,
        entity: entity_id(reader)?,
        epoch: reader.u32()?,
        state: Mover::try_from_bytes(reader.bytes()?).map_err(|_| Malformed)?,
    })
}

fn put_parts(out: &mut Vec<u8>, parts: &Parts<Mover>) {
    out.extend(parts.zone.0.to_le_bytes());
    put_list(out, parts.residents.iter(), |out, (entity, epoch)| {
        out.extend(entity.0.to_le_bytes());
        out.extend(epoch.to_le_bytes());
    });
    put_list(out, parts.given.iter(), |out, (zone, seq)| {
        out.extend(zone.0.to_le_bytes());
        out.extend(seq.to_le_bytes());
    });
    put_list(out, parts.outgoing.iter(), put_passage);
    put_list(out, parts.taken.iter(), |out, (zone, taken)| {
        out.extend(zone.0.to_le_bytes());
        out.extend(taken.all_to.to_le_bytes());
        put_list(out, taken.beyond.iter(), |out, seq| out.extend(seq.to_le_bytes()));
    });
}

fn parts(reader: &mut Reader<'_>) -> Result<Parts<Mover>, Malformed> {
    Ok(Parts {
        zone: zone_id(reader)?,
        residents: reader.list(|it| Ok((entity_id(it)?, it.u32()?)))?,
        given: reader.list(|it| Ok((zone_id(it)?, it.u64()?)))?,
        outgoing: reader.list(passage)?,
        taken: reader.list(|it| {
            let zone = zone_id(it)?;
            Ok((zone, Taken { all_to: it.u64()?, beyond: it.list(Reader::u64)?.into_iter().collect() }))
        })?,
    })
}

fn put_change(out: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Entry { zone, entry } => {
            out.push(0);
            out.extend(zone.0.to_le_bytes());
            put_entry(out, entry);
        }
        Change::Leaving(entity) => {
            out.push(1);
            out.extend(entity.0.to_le_bytes());
        }
        Change::Split { zone, new, at, tick, entities } => {
            out.push(2);
            out.extend(zone.0.to_le_bytes());
            out.extend(new.0.to_le_bytes());
            out.extend(at.raw().to_le_bytes());
            out.extend(tick.to_le_bytes());
            put_list(out, entities.iter(), |out, entity| out.extend(entity.0.to_le_bytes()));
        }
        Change::Merge { into, from } => {
            out.push(3);
            out.extend(into.0.to_le_bytes());
            out.extend(from.0.to_le_bytes());
        }
        Change::Person(person) => {
            out.push(4);
            put_person(out, person);
        }
        Change::Left(entity) => {
            out.push(5);
            out.extend(entity.0.to_le_bytes());
        }
    }
}

fn change(reader: &mut Reader<'_>) -> Result<Change, Malformed> {
    Ok(match reader.u8()? {
        0 => Change::Entry { zone: zone_id(reader)?, entry: entry(reader)? },
        1 => Change::Leaving(entity_id(reader)?),
        2 => Change::Split {
            zone: zone_id(reader)?,
            new: zone_id(reader)?,
            at: cell_id(reader)?,
            tick: reader.u64()?,
            entities: reader.list(entity_id)?,
        },
        3 => Change::Merge { into: zone_id(reader)?, from: zone_id(reader)? },
        4 => Change::Person(person(reader)?),
        5 => Change::Left(entity_id(reader)?),
        _ => return Err(Malformed),
    })
}

fn put_entry(out: &mut Vec<u8>, entry: &Entry<Mover>) {
    match entry {
        Entry::Born(entity) => {
            out.push(0);
            out.extend(entity.0.to_le_bytes());
        }
        Entry::Gone(entity) => {
            out.push(1);
            out.extend(entity.0.to_le_bytes());
        }
        Entry::Out(passage) => {
            out.push(2);
            put_passage(out, passage);
        }
        Entry::In { from, seq, entity, epoch } => {
            out.push(3);
            out.extend(from.0.to_le_bytes());
            out.extend(seq.to_le_bytes());
            out.extend(entity.0.to_le_bytes());
            out.extend(epoch.to_le_bytes());
        }
        Entry::Done { to, seq } => {
            out.push(4);
            out.extend(to.0.to_le_bytes());
            out.extend(seq.to_le_bytes());
        }
    }
}

fn entry(reader: &mut Reader<'_>) -> Result<Entry<Mover>, Malformed> {
    Ok(match reader.u8()? {
        0 => Entry::Born(entity_id(reader)?),
        1 => Entry::Gone(entity_id(reader)?),
        2 => Entry::Out(passage(reader)?),
        3 => Entry::In {
            from: zone_id(reader)?,
            seq: reader.u64()?,
            entity: entity_id(reader)?,
            epoch: reader.u32()?,
        },
        4 => Entry::Done { to: zone_id(reader)?, seq: reader.u64()? },
        _ => return Err(Malformed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DVec3;
    use motion::{Body, ClosedLand, Ground, Surface};

    struct Ball;

    impl Ground for Ball {
        fn surface(&self, _: DVec3) -> Surface {
            Surface { elevation_m: 1.0, water_m: None }
        }

        fn radius_m(&self) -> f64 {
            10_000.0
        }
    }

    fn mover() -> Mover {
        Mover::new(Body::standing_at(DVec3::X, &Ball), ClosedLand::default())
    }

    fn passed() -> Passage<Mover> {
        Passage { seq: 3, to: ZoneId(2), entity: EntityId(9), epoch: 4, state: mover() }
    }

    fn ann() -> Person {
        Person { entity: EntityId(9), account_id: Uuid::from_u128(7), token_hash: [8; 32] }
    }

    fn a_tick() -> TickRecord {
        let zone = ZoneId(1);
        let cell = CellId::from_point(DVec3::X).parent(14);
        let entries = [
            Entry::Born(EntityId(9)),
            Entry::Out(passed()),
            Entry::In { from: zone, seq: 3, entity: EntityId(9), epoch: 4 },
            Entry::Done { to: ZoneId(2), seq: 3 },
            Entry::Gone(EntityId(9)),
        ];
        let mut changes: Vec<_> = entries.map(|entry| Change::Entry { zone, entry }).into();
        changes.extend([
            Change::Split { zone, new: ZoneId(5), at: cell, tick: 4, entities: vec![EntityId(9)] },
            Change::Merge { into: zone, from: ZoneId(5) },
            Change::Leaving(EntityId(9)),
            Change::Person(ann()),
            Change::Left(EntityId(9)),
        ]);
        TickRecord { last_entity: 9, next_seed: 2, changes, logs: vec![(zone, vec![1, 2, 3])] }
    }

    #[test]
    fn a_tick_comes_back_from_its_bytes() {
        let record = a_tick();
        assert_eq!(TickRecord::try_from_bytes(&record.to_bytes()), Ok(record));
    }

    #[test]
    fn a_world_comes_back_from_its_bytes() {
        let cell = CellId::from_point(DVec3::X).parent(14);
        let book = Parts {
            zone: ZoneId(1),
            residents: vec![(EntityId(4), 0), (EntityId(5), 7)],
            given: vec![(ZoneId(2), 3)],
            outgoing: vec![passed()],
            taken: vec![(ZoneId(2), Taken { all_to: 4, beyond: [6, 9].into() })],
        };
        let zones = vec![ZoneSnapshot { id: ZoneId(1), first: cell, last: cell, book, state: vec![7; 40] }];
        let world = WorldSnapshot {
            last_entity: 9,
            next_seed: 2,
            last_zone: 1,
            zones,
            leaving: vec![EntityId(4)],
            people: vec![ann()],
        };
        let bytes = world.to_bytes();
        assert_eq!(WorldSnapshot::try_from_bytes(&bytes), Ok(world));
    }

    #[test]
    fn bytes_that_were_cut_or_changed_give_an_error_and_no_panic() {
        let bytes = a_tick().to_bytes();
        for at in 0..bytes.len() {
            assert!(TickRecord::try_from_bytes(&bytes[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut wrong = bytes.clone();
                wrong[at] ^= 1 << bit;
                let _ = TickRecord::try_from_bytes(&wrong);
                let _ = WorldSnapshot::try_from_bytes(&wrong);
            }
        }
    }
}
