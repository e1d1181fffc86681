//! The same snapshot and the same log give the same zone; bytes that were changed give an error and nothing else.

use cell::CellId;
use glam::DVec3;
use motion::{Body, Buttons, ClosedLand, Ground, Input, Pace, Surface};
use proptest::prelude::*;
use sim::{
    EntityId, FrameError, FrameKind, Frames, Grant, GrantReason, HASH_TICKS, Mover, Offence, ReplayError,
    Replaying, RestoreError, Zone, ZoneConfig, body_at,
};
use std::ops::ControlFlow;

const RADIUS_M: f64 = 796_375.0;

/// Low hills and ponds everywhere.
#[derive(Clone, Copy)]
struct Hills;

impl Ground for Hills {
    fn surface(&self, dir: DVec3) -> Surface {
        let p = dir * (RADIUS_M / 20.0);
        Surface::by_the_sea(3.0 + 2.0 * (libm::sin(p.x) + libm::sin(p.y + 1.0) + libm::sin(p.z + 2.0)))
    }

    fn radius_m(&self) -> f64 {
        RADIUS_M
    }
}

fn config(hz: u32) -> ZoneConfig {
    let pace = Pace::try_from_hz(hz).expect("a rate there is");
    ZoneConfig { cell_level: 14, bodies_max: 40, pace, seed: 7 }
}

fn place(n: u32) -> DVec3 {
    let n = f64::from(n);
    (DVec3::X + DVec3::new(0.0, n * 7.0, -n * 3.0) / RADIUS_M).normalize()
}

/// Land closed around a place; the same for equal numbers.
fn closed(n: u32) -> ClosedLand {
    let mut closed = ClosedLand::default();
    for lot in 0..n % 4 {
        closed.close(CellId::from_point(place(n + 3 * lot)).parent(15), u64::from(n));
    }
    closed
}

/// Something that is done to a zone.
#[derive(Clone, Debug)]
enum Act {
    Enter(u32),
    Join(u32),
    TakeOut(u32),
    Inputs(u32, u32, Vec<Input>),
    Restart(u32),
    Close(u32, u32),
    Teleport(u32, u32),
    Blame(u32, u8),
    Tick(u8),
}

fn any_act() -> impl Strategy<Value = Act> {
    let id = 1..9_u32;
    let input = (any::<u8>(), prop_oneof![Just([0, 30_000, 5_000]), any::<[i16; 3]>()])
        .prop_map(|(buttons, heading)| Input { buttons: Buttons(buttons), heading });
    prop_oneof![
        3 => id.clone().prop_map(Act::Enter),
        1 => id.clone().prop_map(Act::Join),
        1 => id.clone().prop_map(Act::TakeOut),
        9 => (id.clone(), 0..9_u32, prop::collection::vec(input, 0..9)).prop_map(|(id, gap, inputs)| Act::Inputs(id, gap, inputs)),
        1 => id.clone().prop_map(Act::Restart),
        1 => (id.clone(), 0..9_u32).prop_map(|(id, n)| Act::Close(id, n)),
        1 => (id.clone(), 0..90_u32).prop_map(|(id, n)| Act::Teleport(id, n)),
        1 => (id, 0..5_u8).prop_map(|(id, offence)| Act::Blame(id, offence)),
        9 => (1..20_u8).prop_map(Act::Tick),
    ]
}

/// A zone with its log, as a host keeps it.
struct Kept {
    zone: Zone<Hills>,
    log: Vec<u8>,
}

impl Kept {
    fn new(hz: u32) -> Self {
        let mut zone = Zone::new(config(hz), Hills);
        zone.set_recording(true);
        Self { zone, log: vec![] }
    }

    fn act(&mut self, act: &Act) {
        let zone = &mut self.zone;
        match act {
            Act::Enter(id) if zone.body(EntityId(*id)).is_none() => {
                let mover = Mover::new(body_at(place(*id), DVec3::Y, &Hills), closed(*id));
                zone.enter(EntityId(*id), mover).expect("there is room");
            }
            Act::Enter(_) => {}
            Act::Join(n) => {
                let arrival = sim::Arrival::Newcomer { around: place(*n), facing: DVec3::Z };
                zone.join(arrival, closed(*n)).ok();
            }
            Act::TakeOut(id) => {
                zone.take_out(EntityId(*id));
            }
            Act::Inputs(id, gap, inputs) => {
                let applied = zone.body(EntityId(*id)).map_or(0, |(_, applied)| applied);
                let _ = zone.take_inputs(EntityId(*id), applied + 1 + gap * gap * gap * 4, inputs);
            }
            Act::Restart(id) => {
                zone.restart_inputs(EntityId(*id));
            }
            Act::Close(id, n) => {
                zone.set_closed(EntityId(*id), closed(*n));
            }
            Act::Teleport(id, n) => {
                let grant = Grant { place: place(*n), facing: DVec3::Z, reason: GrantReason::World };
                zone.teleport(EntityId(*id), grant);
            }
            Act::Blame(id, offence) => {
                zone.blame(EntityId(*id), Offence::ALL[usize::from(*offence)]);
            }
            Act::Tick(times) => {
                for _ in 0..*times {
                    self.zone.tick();
                    self.log.extend(self.zone.take_log());
                }
            }
        }
    }
}

/// Some minutes of a zone with everything in it.
fn eventful(hz: u32) -> Kept {
    let mut kept = Kept::new(hz);
    for n in 1..9 {
        kept.act(&Act::Enter(n));
        kept.act(&Act::Close(n, n / 2));
    }
    for n in 0..40_u32 {
        let heading = [n as i16 * 700, 20_000, -(n as i16) * 300];
        for id in 1..9 {
            let inputs = vec![Input { buttons: Buttons((id + n) as u8 % 64), heading }; 3];
            kept.act(&Act::Inputs(id, u32::from((id + n) % 17 == 0) * 7, inputs));
        }
        kept.act(&Act::Tick(3));
        if n % 9 == 5 {
            kept.act(&Act::Teleport(1 + n % 7, n));
            kept.act(&Act::Blame(1 + n % 5, 4));
            kept.act(&Act::TakeOut(8));
            kept.act(&Act::Join(n));
        }
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_log_makes_the_zone_again_from_the_start_and_from_any_snapshot(
        acts in prop::collection::vec(any_act(), 1..60),
        snapshot_at in 0..60_usize,
        hz in (0..3_usize).prop_map(|n| Pace::RATES_HZ[n]),
        takes_log_first: bool,
    ) {
        let mut kept = Kept::new(hz);
        let mut snapshot = None;
        for (n, act) in acts.iter().enumerate() {
            kept.act(act);
            if n == snapshot_at {
                if takes_log_first {
                    let log = kept.zone.take_log();
                    kept.log.extend(log);
                }
                snapshot = Some(kept.zone.snapshot());
            }
        }
        kept.act(&Act::Tick(1));
        let mut again = Zone::new(config(hz), Hills);
        let replayed = again.replay(&kept.log).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(replayed.ticks, kept.zone.tick_count());
        prop_assert_eq!(replayed.hashes, kept.zone.tick_count() / HASH_TICKS);
        prop_assert_eq!(again.state_hash(), kept.zone.state_hash());
        prop_assert_eq!(again.snapshot(), kept.zone.snapshot());
        if let Some(snapshot) = snapshot {
            let mut restored = Zone::restore(&snapshot, Hills).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(restored.snapshot(), snapshot);
            restored.replay(&kept.log).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(restored.state_hash(), kept.zone.state_hash());
        }
    }

    #[test]
    fn a_body_comes_back_from_its_bytes_and_goes_on_alike(acts in prop::collection::vec(any_act(), 10..40)) {
        let mut kept = Kept::new(30);
        kept.act(&Act::Enter(1));
        acts.iter().filter(|act| !matches!(act, Act::TakeOut(_) | Act::Join(_))).for_each(|act| kept.act(act));
        let mut other = Zone::restore(&kept.zone.snapshot(), Hills).unwrap();
        // Out and in again by its bytes, as between zones: nothing of the body is lost by that.
        let mover = other.take_out(EntityId(1)).expect("it is here");
        let bytes = mover.to_bytes();
        let read = Mover::try_from_bytes(&bytes).unwrap();
        prop_assert_eq!(&read, &mover);
        prop_assert_eq!(read.to_bytes(), bytes);
        other.enter(EntityId(1), read).unwrap();
        prop_assert_eq!(other.state_hash(), kept.zone.state_hash());
        for zone in [&mut other, &mut kept.zone] {
            (0..50).for_each(|_| zone.tick());
        }
        prop_assert_eq!(other.state_hash(), kept.zone.state_hash());
    }

    #[test]
    fn changed_and_cut_bytes_are_errors_and_nothing_else(
        at in any::<prop::sample::Index>(), bit in 0..8_u8, cut in any::<prop::sample::Index>(),
    ) {
        let kept = eventful(30);
        let mut log = kept.log.clone();
        let at_log = at.index(log.len());
        log[at_log] ^= 1 << bit;
        let outcome = Zone::new(config(30), Hills).replay(&log);
        // A length that grew beyond the end looks cut off; everything else is told.
        let is_noticed = outcome.is_err() || outcome.is_ok_and(|replayed| replayed.is_torn);
        prop_assert!(is_noticed, "bit {} of byte {} changed unnoticed: {:?}", bit, at_log, outcome);

        let length = cut.index(kept.log.len());
        let mut short = Zone::new(config(30), Hills);
        let replayed = short.replay(&kept.log[..length]).unwrap();
        prop_assert!(replayed.is_torn || Frames::new(&kept.log[..length]).all(|frame| frame.is_ok()));
        prop_assert!(replayed.ticks < kept.zone.tick_count());

        let mut snapshot = kept.zone.snapshot();
        let at_snapshot = at.index(snapshot.len());
        snapshot[at_snapshot] ^= 1 << bit;
        prop_assert!(Zone::restore(&snapshot, Hills).is_err());
        prop_assert!(Zone::restore(&kept.zone.snapshot()[..cut.index(snapshot.len())], Hills).is_err());
    }

    #[test]
    fn frames_with_right_checksums_and_wrong_insides_are_errors_too(
        at in any::<prop::sample::Index>(), value: u8, junk in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        // What an attacker who can write the file would make: the checksum is no secret.
        let kept = eventful(30);
        for (kind, original) in [(b'T', first_frame(&kept.log)), (b'S', first_frame(&kept.zone.snapshot()))] {
            let mut body = original;
            let index = at.index(body.len());
            body[index] = value;
            for body in [&body, &junk] {
                let forged = forge(kind, body);
                let _ = Zone::new(config(30), Hills).replay(&forged);
                let _ = Zone::restore(&forged, Hills);
            }
        }
        let _ = Mover::try_from_bytes(&junk);
    }
}

/// The body of the first frame.
fn first_frame(bytes: &[u8]) -> Vec<u8> {
    Frames::new(bytes).next().expect("one frame").expect("it is whole").1.to_vec()
}

fn forge(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut checked = crc32fast::Hasher::new();
    checked.update(&[kind]);
    checked.update(&(body.len() as u64).to_le_bytes());
    checked.update(body);
    let mut frame = vec![kind];
    frame.extend((body.len() as u32).to_le_bytes());
    frame.extend(checked.finalize().to_le_bytes());
    frame.extend(body);
    frame
}

#[test]
fn a_log_that_lacks_a_tick_or_belongs_to_another_state_says_so() {
    let kept = eventful(30);
    let frames: Vec<_> = Frames::new(&kept.log).map(|frame| forge(b'T', frame.unwrap().1)).collect();
    let without_one = [&frames[..10], &frames[11..]].concat().concat();
    let gap = Zone::new(config(30), Hills).replay(&without_one);
    assert_eq!(gap, Err(ReplayError::Gap { tick: 10, found: 10 + 1 }));

    let otherwise = ZoneConfig { seed: 8, ..config(30) };
    let diverged = Zone::new(otherwise, Hills).replay(&kept.log);
    assert!(matches!(diverged, Err(ReplayError::Diverged { tick: 32, .. })), "{diverged:?}");
}

#[test]
fn the_first_step_that_differs_shows_at_the_next_hash() {
    /// As [`Hills`], a millimetre higher beyond a line.
    struct Raised;
    impl Ground for Raised {
        fn surface(&self, dir: DVec3) -> Surface {
            let surface = Hills.surface(dir);
            Surface { elevation_m: surface.elevation_m + 0.001, ..surface }
        }

        fn radius_m(&self) -> f64 {
            RADIUS_M
        }
    }
    let kept = eventful(30);
    let diverged = Zone::new(config(30), Raised).replay(&kept.log);
    assert!(matches!(diverged, Err(ReplayError::Diverged { tick: 32, .. })), "{diverged:?}");
}

#[test]
fn a_tick_that_broke_leaves_its_inputs_in_the_log() {
    // What is taken of a zone whose tick panicked: the calls, the tick's record, and no hash.
    let mut kept = eventful(30);
    let (ticks, snapshot) = (kept.zone.tick_count(), kept.zone.snapshot());
    kept.act(&Act::Inputs(1, 0, vec![Input::new(Buttons::FORWARD, DVec3::Y); 4]));
    kept.act(&Act::Tick(1));
    let mut recovered = Zone::restore(&snapshot, Hills).unwrap();
    let replayed = recovered.replay(&kept.log).unwrap();
    assert_eq!((replayed.ticks, recovered.tick_count()), (1, ticks + 1));
    assert_eq!(recovered.state_hash(), kept.zone.state_hash());
}

#[test]
fn a_replay_can_be_watched_and_ended() {
    let kept = eventful(30);
    let mut zone = Zone::new(config(30), Hills);
    let (mut seen, mut hashes) = (vec![], 0);
    let replayed = zone.replay_with(&kept.log, |zone, at| {
        match at {
            Replaying::Tick => seen.push(zone.tick_count()),
            Replaying::Hash(_) => hashes += 1,
        }
        if zone.tick_count() == 70 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(replayed.map(|replayed| (replayed.ticks, replayed.hashes)), Ok((70, 2)));
    assert_eq!((seen, hashes), ((1..=70).collect(), 2));
}

#[test]
fn recording_begins_in_the_middle_and_costs_few_bytes() {
    let mut zone = Zone::new(config(30), Hills);
    for n in 1..=30 {
        zone.enter(EntityId(n), Mover::new(body_at(place(n), DVec3::Y, &Hills), ClosedLand::default()))
            .unwrap();
    }
    assert_eq!(zone.take_log(), vec![]);
    let snapshot = zone.snapshot();
    zone.set_recording(true);
    let mut log = vec![];
    for tick in 0..300_u32 {
        if tick % 3 == 0 {
            for n in 1..=30 {
                // Turning all the time: three inputs a message, as clients send them.
                let look = DVec3::new(f64::from(n), f64::from(tick), 3.0);
                let inputs = vec![Input::new(Buttons::FORWARD, look); 3];
                zone.take_inputs(EntityId(n), tick + 1, &inputs).unwrap();
            }
        }
        zone.tick();
        log.extend(zone.take_log());
    }
    let bytes = log.len() as f64 / (30.0 * 300.0);
    assert!(bytes < 6.0, "{bytes} bytes for each body and tick");
    let mut restored = Zone::restore(&snapshot, Hills).unwrap();
    restored.replay(&log).unwrap();
    assert_eq!(restored.state_hash(), zone.state_hash());
}

#[test]
fn a_snapshot_is_no_log_and_a_log_no_snapshot() {
    let kept = eventful(30);
    assert!(matches!(Zone::restore(&kept.log, Hills), Err(RestoreError::Malformed(_))));
    let two = [kept.zone.snapshot(), kept.zone.snapshot()].concat();
    assert!(matches!(Zone::restore(&two, Hills), Err(RestoreError::Malformed(_))));
    assert!(matches!(Zone::restore(&[], Hills), Err(RestoreError::Malformed(_))));
    let kinds: Vec<_> = Frames::new(&two).map(|frame| frame.unwrap().0).collect();
    assert_eq!(kinds, [FrameKind::Snapshot; 2]);
    assert_eq!(Frames::new(b"what is this").next(), Some(Err(FrameError::Damaged { at: 0 })));
}

#[test]
fn people_with_the_same_fences_cost_a_snapshot_the_fences_once() {
    let mut many = ClosedLand::default();
    for n in 0..200 {
        many.close(CellId::from_point(place(n * 9)).parent(15), 5);
    }
    let size = |people: u32| {
        let mut zone = Zone::new(config(30), Hills);
        for n in 1..=people {
            zone.enter(EntityId(n), Mover::new(body_at(place(n), DVec3::Y, &Hills), many.clone())).unwrap();
        }
        zone.snapshot().len()
    };
    let each = (size(30) - size(10)) / 20;
    assert!(each < 140, "{each} bytes a body");
}

#[test]
fn what_is_kept_reads_as_ever() {
    // A change of these bytes is a change of format: raise the version in `log.rs` and `snapshot.rs`, and read both.
    let kept = eventful(20);
    let checksum = |bytes: &[u8]| crc32fast::hash(bytes);
    let seen = (kept.zone.state_hash(), checksum(&kept.log), checksum(&kept.zone.snapshot()));
    assert_eq!(seen, GOLDEN);
    let mover = Mover::new(Body::standing_at(DVec3::X, &Hills), closed(3));
    assert_eq!(checksum(&mover.to_bytes()), GOLDEN_MOVER);
}

const GOLDEN: (u64, u32, u32) = (4_057_364_947_781_439_512, 4_134_279_877, 2_229_654_612);
const GOLDEN_MOVER: u32 = 4_061_415_888;
