//! Both sides of a cell's stream agree, and hostile blocks harm nobody.

use proptest::prelude::*;
use std::collections::BTreeMap;
use wire::stream::{CellStream, Placement, Stance, StreamError};

fn any_stance() -> impl Strategy<Value = Stance> {
    prop_oneof![Just(Stance::Grounded), Just(Stance::Airborne), Just(Stance::Swimming), Just(Stance::Diving)]
}

fn any_placement() -> impl Strategy<Value = Placement> {
    let id = prop_oneof![0..12_u32, any::<u32>(), Just(u32::MAX)];
    let at = || prop_oneof![0..4096_u16, Just(0), Just(4095)];
    (id, at(), at(), any::<u8>(), any_stance(), -100_000..100_000_i32).prop_map(
        |(entity_id, i, j, facing, stance, height)| {
            let height = if stance.has_height() { height } else { 0 };
            Placement { entity_id, i, j, facing, stance, height }
        },
    )
}

/// What a cell holds at successive sends: each send replaces, adds or takes away some bodies.
fn any_history() -> impl Strategy<Value = Vec<Vec<Placement>>> {
    let change = (any_placement(), any::<bool>());
    prop::collection::vec(prop::collection::vec(change, 0..8), 1..20).prop_map(|sends| {
        let mut bodies = BTreeMap::new();
        let send = |changes: Vec<(Placement, bool)>| {
            for (placement, stays) in changes {
                if stays {
                    bodies.insert(placement.entity_id, placement);
                } else {
                    bodies.remove(&placement.entity_id);
                }
            }
            bodies.values().copied().collect()
        };
        sends.into_iter().map(send).collect()
    })
}

fn placements(stream: &CellStream) -> Vec<Placement> {
    stream.records().iter().map(|record| record.placement).collect()
}

proptest! {
    #[test]
    fn a_reader_of_every_delta_has_what_the_sender_has(history in any_history()) {
        let mut sender = CellStream::new();
        let mut reader = CellStream::default();
        let mut key = vec![];
        sender.keyframe(&mut key);
        prop_assert_eq!(reader.apply(&key), Ok(()));
        for now in history {
            let mut block = vec![];
            if sender.advance(&now, &mut block) {
                prop_assert_eq!(reader.apply(&block), Ok(()));
            } else {
                prop_assert!(block.is_empty());
            }
            prop_assert_eq!(placements(&reader), now);
            prop_assert_eq!(&reader, &sender);
        }
    }

    #[test]
    fn a_reader_who_begins_with_any_keyframe_goes_on_with_the_shared_deltas(
        history in any_history(),
        begin in 0..20_usize,
    ) {
        let mut sender = CellStream::new();
        let mut reader = CellStream::default();
        for (send, now) in history.into_iter().enumerate() {
            let mut block = vec![];
            let is_said = sender.advance(&now, &mut block);
            if send == begin {
                let mut key = vec![];
                sender.keyframe(&mut key);
                prop_assert_eq!(reader.apply(&key), Ok(()));
            } else if send > begin && is_said {
                prop_assert_eq!(reader.apply(&block), Ok(()));
            }
            if send >= begin {
                prop_assert_eq!(&reader, &sender);
            }
        }
    }

    #[test]
    fn a_reader_who_misses_a_block_notices_and_recovers_at_the_next_keyframe(
        history in any_history(),
        missed in 1..20_usize,
    ) {
        let mut sender = CellStream::new();
        let mut reader = CellStream::new();
        let mut has_missed = false;
        for (send, now) in history.into_iter().enumerate() {
            let mut block = vec![];
            if !sender.advance(&now, &mut block) {
                continue;
            }
            if send == missed {
                has_missed = true;
            } else if has_missed {
                prop_assert_eq!(reader.apply(&block), Err(StreamError::Gap));
                prop_assert!(!reader.is_known() && reader.records().is_empty());
                let mut key = vec![];
                sender.keyframe(&mut key);
                prop_assert_eq!(reader.apply(&key), Ok(()));
                prop_assert_eq!(&reader, &sender);
                has_missed = false;
            } else {
                prop_assert_eq!(reader.apply(&block), Ok(()));
            }
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic_or_grow_beyond_them(
        blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
    ) {
        let mut reader = CellStream::new();
        for block in &blocks {
            let bodies_before = reader.records().len();
            if reader.apply(block) == Err(StreamError::Malformed) {
                prop_assert!(reader.records().is_empty());
            }
            // A new body takes at least 37 bits.
            prop_assert!(reader.records().len() <= bodies_before + block.len() * 8 / 37);
            prop_assert!(reader.records().is_sorted_by(|a, b| a.placement.entity_id < b.placement.entity_id));
            prop_assert!(reader.records().iter().all(|r| r.placement.i < 4096 && r.placement.j < 4096));
        }
    }

    #[test]
    fn a_flipped_bit_is_an_error_or_a_state_never_a_panic(
        history in any_history(),
        flips in prop::collection::vec(any::<prop::sample::Index>(), 20),
    ) {
        let mut sender = CellStream::new();
        let mut reader = CellStream::new();
        for (now, flip) in history.into_iter().zip(flips) {
            let mut block = vec![];
            if sender.advance(&now, &mut block) {
                let bit = flip.index(block.len() * 8);
                block[bit / 8] ^= 1 << (bit % 8);
                let _ = reader.apply(&block);
            }
        }
    }
}

#[test]
fn a_steady_walker_costs_a_byte_and_a_stander_one_bit() {
    let mut sender = CellStream::new();
    let bodies = |tick: u16| -> Vec<Placement> {
        let walker = |n: u16| {
            // 17.3 lattice cells a send: the rounding that real movement has.
            let i = (f64::from(tick) * 17.3) as u16 + n;
            Placement { entity_id: n.into(), i, j: 2000 + n, ..Placement::default() }
        };
        let stander = |n: u16| Placement { entity_id: n.into(), i: n, j: n, ..Placement::default() };
        (0..100).map(walker).chain((100..200).map(stander)).collect()
    };
    let mut bytes = 0;
    for tick in 0..110 {
        let mut block = vec![];
        sender.advance(&bodies(tick), &mut block);
        if tick >= 10 {
            bytes += block.len();
        }
    }
    let bits_per_send = bytes as f64 * 8.0 / 100.0;
    assert!(bits_per_send < 100.0 * 8.0 + 100.0 + 24.0, "{bits_per_send} bits");
}

#[test]
fn a_cell_in_which_nothing_moves_says_nothing() {
    let bodies = [Placement { entity_id: 3, i: 5, j: 6, ..Placement::default() }];
    let mut sender = CellStream::new();
    let mut block = vec![];
    assert!(sender.advance(&bodies, &mut block));
    block.clear();
    assert!(!sender.advance(&bodies, &mut block));
    assert_eq!(block, []);
}
