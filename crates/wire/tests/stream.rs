//! Both sides of a cell's stream agree, and hostile blocks harm nobody.

use cell::CellId;
use glam::DVec3;
use proptest::prelude::*;
use std::collections::BTreeMap;
use wire::stream::{BlockOrder, CellStream, Placed, Placement, Stance, StreamError};

fn any_stance() -> impl Strategy<Value = Stance> {
    prop_oneof![Just(Stance::Grounded), Just(Stance::Airborne), Just(Stance::Swimming), Just(Stance::Diving)]
}

fn any_placed() -> impl Strategy<Value = Placed> {
    let id = prop_oneof![0..12_u32, any::<u32>(), Just(u32::MAX)];
    let at = || prop_oneof![0..1024_u16, Just(0), Just(1023)];
    (id, at(), at(), any::<u8>(), any_stance(), -100_000..100_000_i32, any::<u8>()).prop_map(
        |(entity_id, i, j, facing, stance, height, speed)| {
            let height = if stance.has_height() { height } else { 0 };
            Placed { placement: Placement { entity_id, i, j, facing, stance, height }, speed }
        },
    )
}

/// What a cell holds at successive sends: each send replaces, adds or takes away some bodies.
fn any_history() -> impl Strategy<Value = Vec<Vec<Placed>>> {
    let change = (any_placed(), any::<bool>());
    prop::collection::vec(prop::collection::vec(change, 0..8), 1..20).prop_map(|sends| {
        let mut bodies = BTreeMap::new();
        let send = |changes: Vec<(Placed, bool)>| {
            for (placed, stays) in changes {
                if stays {
                    bodies.insert(placed.placement.entity_id, placed);
                } else {
                    bodies.remove(&placed.placement.entity_id);
                }
            }
            bodies.values().copied().collect()
        };
        sends.into_iter().map(send).collect()
    })
}

const STRIDE: u32 = 46;

fn cell() -> CellId {
    CellId::from_point(DVec3::new(0.3, -0.8, 0.5)).parent(16)
}

fn sender() -> CellStream {
    CellStream::sender(cell(), 1)
}

fn reader() -> CellStream {
    CellStream::new(cell(), 1)
}

fn placements(stream: &CellStream) -> Vec<Placement> {
    stream.records().iter().map(|record| record.placement).collect()
}

/// The next delta, if there is something to say.
fn delta(sender: &mut CellStream, now: &[Placed]) -> Option<Vec<u8>> {
    let mut block = vec![];
    let is_said = sender.advance(now, STRIDE, |id| id % 2 == 0, &mut block);
    assert!(is_said || block.is_empty());
    is_said.then_some(block)
}

fn key(sender: &CellStream) -> Vec<u8> {
    let mut block = vec![];
    sender.keyframe(&mut block);
    block
}

/// Gives a reader a block of the sender's present state.
fn apply(
    reader: &mut CellStream,
    sender: &CellStream,
    is_key: bool,
    block: &[u8],
) -> Result<(), StreamError> {
    let order = BlockOrder { is_key, sequence: sender.sequence() };
    reader.apply(order, block, |record, has_left| assert_eq!(has_left, record.placement.entity_id % 2 == 0))
}

proptest! {
    #[test]
    fn a_reader_of_every_delta_has_what_the_sender_has(history in any_history()) {
        let (mut sender, mut reader) = (sender(), reader());
        let first = key(&sender);
        prop_assert_eq!(apply(&mut reader, &sender, true, &first), Ok(()));
        for now in history {
            let before = placements(&reader);
            if let Some(block) = delta(&mut sender, &now) {
                let mut gone = vec![];
                let order = BlockOrder { is_key: false, sequence: sender.sequence() };
                prop_assert_eq!(reader.apply(order, &block, |record, _| gone.push(record.placement)), Ok(()));
                let is_now = |was: &Placement| now.iter().any(|now| now.placement.entity_id == was.entity_id);
                prop_assert_eq!(gone, before.into_iter().filter(|was| !is_now(was)).collect::<Vec<_>>());
            }
            let told: Vec<_> = now.iter().map(|placed| placed.placement).collect();
            prop_assert_eq!(placements(&reader), told);
            prop_assert_eq!(&reader, &sender);
        }
    }

    #[test]
    fn a_reader_who_begins_with_any_keyframe_goes_on_with_the_shared_deltas(
        history in any_history(),
        begin in 0..20_usize,
    ) {
        let (mut sender, mut reader) = (sender(), reader());
        for (send, now) in history.into_iter().enumerate() {
            let block = delta(&mut sender, &now);
            if send == begin {
                prop_assert_eq!(apply(&mut reader, &sender, true, &key(&sender)), Ok(()));
            } else if let (true, Some(block)) = (send > begin, block) {
                prop_assert_eq!(apply(&mut reader, &sender, false, &block), Ok(()));
            }
            if send >= begin {
                prop_assert_eq!(&reader, &sender);
            }
        }
    }

    #[test]
    fn a_reader_who_misses_a_block_notices_shows_what_was_and_recovers_with_a_keyframe(
        history in any_history(),
        missed in 1..20_usize,
    ) {
        let (mut sender, mut reader) = (sender(), reader());
        let first = key(&sender);
        prop_assert_eq!(apply(&mut reader, &sender, true, &first), Ok(()));
        let mut has_missed = false;
        for (send, now) in history.into_iter().enumerate() {
            let Some(block) = delta(&mut sender, &now) else { continue };
            if send == missed {
                has_missed = true;
            } else if has_missed {
                let before = placements(&reader);
                prop_assert_eq!(apply(&mut reader, &sender, false, &block), Err(StreamError::Gap));
                prop_assert!(!reader.is_known());
                prop_assert_eq!(placements(&reader), before);
                prop_assert_eq!(apply(&mut reader, &sender, true, &key(&sender)), Ok(()));
                prop_assert_eq!(&reader, &sender);
                has_missed = false;
            } else {
                prop_assert_eq!(apply(&mut reader, &sender, false, &block), Ok(()));
            }
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic_or_grow_beyond_them(
        history in any_history(),
        blocks in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..200)), 1..8),
    ) {
        let (mut sender, mut reader) = (sender(), reader());
        for now in history {
            delta(&mut sender, &now);
        }
        prop_assert_eq!(apply(&mut reader, &sender, true, &key(&sender)), Ok(()));
        for (is_key, block) in &blocks {
            let bodies_before = reader.records().len();
            let order = BlockOrder { is_key: *is_key, sequence: reader.sequence().wrapping_add(1) };
            let applied = reader.apply(order, block, |_, _| ());
            if applied == Err(StreamError::Malformed) {
                prop_assert!(reader.records().is_empty() && !reader.is_known());
            }
            // A new body's place and facing are as likely as any other: 28 bits.
            prop_assert!(reader.records().len() <= bodies_before + (block.len() + 4) * 8 / 28);
            prop_assert!(reader.records().is_sorted_by(|a, b| a.placement.entity_id < b.placement.entity_id));
            prop_assert!(reader.records().iter().all(|r| r.placement.i < 1024 && r.placement.j < 1024));
        }
    }

    #[test]
    fn a_flipped_bit_is_an_error_or_a_state_never_a_panic(
        history in any_history(),
        flips in prop::collection::vec(any::<prop::sample::Index>(), 20),
    ) {
        let (mut sender, mut reader) = (sender(), reader());
        for (now, flip) in history.into_iter().zip(flips) {
            let mut blocks = vec![(true, key(&sender))];
            blocks.extend(delta(&mut sender, &now).map(|block| (false, block)));
            for (is_key, mut block) in blocks {
                if block.is_empty() {
                    continue;
                }
                let bit = flip.index(block.len() * 8);
                block[bit / 8] ^= 1 << (bit % 8);
                let order = BlockOrder { is_key, sequence: reader.sequence().wrapping_add(1) };
                let _ = reader.apply(order, &block, |_, _| ());
            }
        }
    }
}

#[test]
fn a_steady_walker_costs_two_bits_and_a_stander_next_to_nothing() {
    let mut sender = CellStream::sender(cell().parent(14), 0);
    let bodies = |tick: u16| -> Vec<Placed> {
        let walker = |n: u16| {
            // 17.3 lattice cells a send: the rounding that real movement has.
            let i = (f64::from(tick) * 17.3) as u16 + n;
            Placement { entity_id: n.into(), i, j: 2000 + n, ..Placement::default() }.into()
        };
        let stander = |n: u16| Placement { entity_id: n.into(), i: n, j: n, ..Placement::default() }.into();
        (0..100).map(walker).chain((100..200).map(stander)).collect()
    };
    let mut bytes = 0;
    for tick in 0..110 {
        let block = delta(&mut sender, &bodies(tick)).unwrap_or_default();
        if tick >= 10 {
            bytes += block.len();
        }
    }
    let bits_per_send = bytes as f64 * 8.0 / 100.0;
    assert!(bits_per_send < 100.0 * 2.0 + 100.0 * 0.2 + 16.0, "{bits_per_send} bits");
}

#[test]
fn one_who_turns_while_walking_is_predicted_to_go_where_they_look() {
    // A walk in a circle, once round in 6.4 s at ten sends a second.
    let cell = cell();
    let metres = 45.0 / 17.7;
    let walk = |says_facing: bool| -> usize {
        let mut sender = CellStream::sender(cell, 1);
        let (mut bytes, mut at) = (0, (512.0, 512.0));
        for send in 0..64_u8 {
            let angle = f64::from(send) * std::f64::consts::TAU / 64.0;
            at.0 += libm::cos(angle) * 8.0 * metres;
            at.1 += libm::sin(angle) * 8.0 * metres;
            let facing = if says_facing { send * 4 } else { 0 };
            let placement =
                Placement { entity_id: 1, i: at.0 as u16, j: at.1 as u16, facing, ..Placement::default() };
            bytes += delta(&mut sender, &[placement.into()]).map_or(0, |block| block.len());
        }
        bytes
    };
    let (told, untold) = (walk(true), walk(false));
    assert!(told < untold + 64, "{told} bytes with the facing, {untold} without");
}

#[test]
fn a_cell_in_which_nothing_moves_says_nothing() {
    let bodies = [Placement { entity_id: 3, i: 5, j: 6, ..Placement::default() }.into()];
    let mut sender = sender();
    assert!(delta(&mut sender, &bodies).is_some());
    assert_eq!(delta(&mut sender, &bodies), None);
}

#[test]
fn one_who_stops_is_quiet_from_the_second_send_on() {
    let mut sender = sender();
    let at = |i: u16| [Placement { entity_id: 3, i, j: 6, ..Placement::default() }.into()];
    for i in [0, 17, 34, 51, 51] {
        assert!(delta(&mut sender, &at(i)).is_some(), "{i}");
    }
    assert_eq!(delta(&mut sender, &at(51)), None);
}
