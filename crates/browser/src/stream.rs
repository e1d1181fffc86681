//! Decoding of the realtime stream, and where to draw the bodies between two frames.
//!
//! A handle is a [`Stream`]. [`stream_apply`] takes each `Frame` message as it came; [`stream_sample`] places every
//! visible body at a moment between frames. Its results lie in arrays, one entry per body in ascending order of entity
//! id, at addresses that hold until the next call on the stream.

use std::collections::VecDeque;

use glam::{DVec3, Vec3};
use motion::{Ground, Mode};
use wire::stream::{Stance, StreamError};
use wire::{FrameHead, LatticePlace, Seen, ServerMessage, View, rest_height_m};

use crate::body::{BODY_STATE_NUMBERS, PlanetGround, state_numbers};
use crate::planet::planet_ref;
use crate::write_values;

/// [`stream_apply`] took the frame.
pub const APPLIED: i32 = 0;
/// Some cells wait for their next keyframe, because frames before this one are missing.
pub const APPLIED_WITH_GAPS: i32 = 1;
/// The message is no frame; nothing changed.
pub const NOT_A_FRAME: i32 = -1;
/// A block of the frame is malformed: end the connection.
pub const MALFORMED: i32 = -2;

/// Samples kept per body: at ten a second they reach back 0.7 s.
const SAMPLES_MAX: usize = 8;

/// Where a body was after some tick.
#[derive(Clone, Copy)]
struct Sample {
    tick: u32,
    position: DVec3,
    facing: Vec3,
    mode: Mode,
}

/// What is known of one body's way.
struct Track {
    entity_id: u32,
    samples: VecDeque<Sample>,
    /// The place of the newest sample and the height of rest there, which costs a look at the ground.
    rest: (LatticePlace, f64),
}

impl Track {
    /// The body at `tick`: between the samples around it, and at the nearest before the first and after the last.
    fn at(&self, tick: f64) -> Sample {
        let next = self.samples.partition_point(|sample| f64::from(sample.tick) <= tick);
        let newest = self.samples.len() - 1;
        let (from, to) = (self.samples[next.saturating_sub(1)], self.samples[next.min(newest)]);
        if from.tick == to.tick {
            return from;
        }
        let part = ((tick - f64::from(from.tick)) / f64::from(to.tick - from.tick)).clamp(0.0, 1.0);
        Sample {
            position: from.position.lerp(to.position, part),
            facing: from.facing.lerp(to.facing, part as f32).try_normalize().unwrap_or(to.facing),
            ..if part < 0.5 { from } else { to }
        }
    }
}

/// The visible bodies and their ways.
pub struct Stream {
    ground: PlanetGround,
    view: View,
    head: Option<FrameHead>,
    /// In ascending order of entity id.
    tracks: Vec<Track>,
    came: Vec<u32>,
    went: Vec<u32>,
    ids: Vec<u32>,
    positions: Vec<f64>,
    facings: Vec<f32>,
    modes: Vec<u8>,
}

impl Stream {
    fn new(ground: PlanetGround) -> Self {
        Self {
            ground,
            view: View::default(),
            head: None,
            tracks: vec![],
            came: vec![],
            went: vec![],
            ids: vec![],
            positions: vec![],
            facings: vec![],
            modes: vec![],
        }
    }

    /// The reader's own part of the newest frame.
    pub(crate) fn head(&self) -> Option<&FrameHead> {
        self.head.as_ref()
    }

    fn apply(&mut self, message: &[u8]) -> i32 {
        let Ok(ServerMessage::Frame(frame)) = ServerMessage::decode(message) else { return NOT_A_FRAME };
        let gaps = match self.view.apply(&frame) {
            Ok(gaps) => gaps,
            Err(StreamError::Malformed | StreamError::Gap) => return MALFORMED,
        };
        self.head = Some(frame.head);
        self.follow(frame.head.tick);
        if gaps == 0 { APPLIED } else { APPLIED_WITH_GAPS }
    }

    /// Adds what the view shows after `tick` to the tracks.
    fn follow(&mut self, tick: u32) {
        let mut seen: Vec<Seen> = self.view.bodies().collect();
        seen.sort_unstable_by_key(|body| body.entity_id);
        self.came.clear();
        self.went.clear();
        let mut before = std::mem::take(&mut self.tracks).into_iter().peekable();
        for body in &seen {
            while let Some(gone) = before.next_if(|track| track.entity_id < body.entity_id) {
                self.went.push(gone.entity_id);
            }
            let mut track = before.next_if(|track| track.entity_id == body.entity_id).unwrap_or_else(|| {
                self.came.push(body.entity_id);
                let rest = (body.place, rest_height_m(body.direction, &self.ground));
                Track { entity_id: body.entity_id, samples: VecDeque::with_capacity(SAMPLES_MAX), rest }
            });
            if track.rest.0 != body.place {
                track.rest = (body.place, rest_height_m(body.direction, &self.ground));
            }
            if track.samples.len() == SAMPLES_MAX {
                track.samples.pop_front();
            }
            let height_m = track.rest.1 + body.height_m;
            track.samples.push_back(Sample {
                tick,
                position: body.direction * (self.ground.radius_m() + height_m),
                facing: body.facing.as_vec3(),
                mode: match body.stance {
                    Stance::Grounded => Mode::Grounded,
                    Stance::Airborne => Mode::Airborne,
                    Stance::Swimming | Stance::Diving => Mode::Swimming,
                },
            });
            self.tracks.push(track);
        }
        self.went.extend(before.map(|track| track.entity_id));
    }

    fn sample(&mut self, tick: f64) {
        self.ids.clear();
        self.positions.clear();
        self.facings.clear();
        self.modes.clear();
        for track in &self.tracks {
            let sample = track.at(tick);
            self.ids.push(track.entity_id);
            self.positions.extend(sample.position.to_array());
            self.facings.extend(sample.facing.to_array());
            self.modes.push(sample.mode as u8);
        }
    }
}

/// The fingerprint of protocol and rules to put into the `Hello`; the server refuses any other.
#[unsafe(no_mangle)]
pub extern "C" fn protocol_hash() -> u64 {
    wire::PROTOCOL_HASH
}

/// Makes a stream that has seen nothing and returns its handle; give it back with [`stream_free`].
///
/// # Safety
/// `planet` is a handle of [`crate::planet::planet_new`], not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_new(planet: usize) -> usize {
    // SAFETY: the caller's promise above.
    let ground = PlanetGround(unsafe { planet_ref(planet) });
    Box::into_raw(Box::new(Stream::new(ground))).expose_provenance()
}

/// The stream of a handle.
///
/// # Safety
/// `handle` came from [`stream_new`], is not 0 and was not freed; no exclusive reference to it lives.
pub(crate) unsafe fn stream_ref<'a>(handle: usize) -> &'a Stream {
    // SAFETY: the caller's promise above.
    unsafe { &*std::ptr::with_exposed_provenance::<Stream>(handle) }
}

/// The stream of a handle, to change it.
///
/// # Safety
/// As [`stream_ref`], and no other reference lives.
unsafe fn stream_mut<'a>(handle: usize) -> &'a mut Stream {
    // SAFETY: the caller's promise above.
    unsafe { &mut *std::ptr::with_exposed_provenance_mut::<Stream>(handle) }
}

/// Ends a stream.
///
/// # Safety
/// `stream` is a handle of [`stream_new`] and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_free(stream: usize) {
    // SAFETY: the caller's promise above.
    drop(unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut::<Stream>(stream)) });
}

/// Takes a whole `Frame` message, kind byte included. Returns [`APPLIED`], [`APPLIED_WITH_GAPS`], [`NOT_A_FRAME`] or
/// [`MALFORMED`].
///
/// # Safety
/// `stream` is a handle of [`stream_new`]; `message` points to `bytes` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_apply(stream: usize, message: *const u8, bytes: usize) -> i32 {
    // SAFETY: the caller's promise above.
    unsafe { stream_mut(stream).apply(std::slice::from_raw_parts(message, bytes)) }
}

/// Tick of the newest frame, 0 before the first.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_tick(stream: usize) -> u32 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.head().map_or(0, |head| head.tick)
}

/// Number of the last input the server had applied in the newest frame, 0 before the first.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_last_input_seq(stream: usize) -> u32 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.head().map_or(0, |head| head.last_input_seq)
}

/// Writes the reader's own state in the newest frame, ten `f64` as of a body, and returns 1; 0 before the first frame.
///
/// # Safety
/// `stream` is a handle of [`stream_new`]; `out` has room for ten `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_own(stream: usize, out: *mut f64) -> u32 {
    // SAFETY: the caller's promise above.
    let Some(head) = (unsafe { stream_ref(stream) }).head() else { return 0 };
    let numbers: [f64; BODY_STATE_NUMBERS] = state_numbers(&head.own);
    // SAFETY: as before.
    unsafe { write_values(out, &numbers) };
    1
}

/// Places every visible body at `tick`, which may lie between two ticks, and returns their number. Draw others some
/// three to six ticks behind [`stream_tick`], so that there is a frame on each side of the moment.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_sample(stream: usize, tick: f64) -> u32 {
    // SAFETY: the caller's promise above.
    let stream = unsafe { stream_mut(stream) };
    stream.sample(tick);
    stream.ids.len() as u32
}

/// Address of the sampled bodies' entity ids, one `u32` each.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_ids(stream: usize) -> *const u32 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.ids.as_ptr()
}

/// Address of the sampled bodies' feet, three `f64` each, in metres from the planet's centre.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_positions(stream: usize) -> *const f64 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.positions.as_ptr()
}

/// Address of the sampled bodies' facings, three `f32` each: unit vectors along the ground.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_facings(stream: usize) -> *const f32 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.facings.as_ptr()
}

/// Address of the sampled bodies' modes, one `u8` each: 0 on the ground, 1 in the air, 2 in the water.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_modes(stream: usize) -> *const u8 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.modes.as_ptr()
}

/// Number of bodies that came into view with the newest frame.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_came_count(stream: usize) -> u32 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.came.len() as u32
}

/// Address of their entity ids, one `u32` each.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_came(stream: usize) -> *const u32 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.came.as_ptr()
}

/// Number of bodies that went out of view with the newest frame.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_went_count(stream: usize) -> u32 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.went.len() as u32
}

/// Address of their entity ids, one `u32` each.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_went(stream: usize) -> *const u32 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.went.as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planet::planet_generate;
    use cell::CellId;
    use motion::Body;
    use wire::stream::{CellStream, Placement};
    use wire::{Block, Frame};

    const LEVEL: u8 = 8;

    /// A frame in which the cell of `own` holds `bodies`, given by their ids and how far they are along the column.
    fn frame(stream: &mut CellStream, own: &Body, tick: u32, bodies: &[(u32, u16)]) -> Vec<u8> {
        let place = LatticePlace::of_leaf(CellId::from_point(own.position), LEVEL);
        let placements: Vec<_> = bodies
            .iter()
            .map(|(entity_id, along)| Placement {
                entity_id: *entity_id,
                i: place.i / 2 + along,
                j: place.j,
                ..Placement::default()
            })
            .collect();
        let mut block = vec![];
        let has_news = stream.advance(&placements, &mut block);
        if tick == 3 {
            block.clear();
            stream.keyframe(&mut block);
        }
        let blocks = if has_news { vec![Block { cell: place.cell, bytes: &block }] } else { vec![] };
        let head = FrameHead { tick, is_restart: tick == 3, last_input_seq: tick, own: *own };
        ServerMessage::Frame(Frame { head, dropped: vec![], blocks }).encode()
    }

    #[test]
    fn bodies_are_drawn_between_frames_and_come_and_go() {
        let planet = planet_generate(1, 9);
        // SAFETY: handles are live, arrays have the lengths told.
        unsafe {
            let ground = PlanetGround(planet_ref(planet));
            let own = Body::standing_at(ground.0.arrival().ground, &ground);
            let handle = stream_new(planet);
            let mut sender = CellStream::new();
            let mut apply = |tick, bodies: &[(u32, u16)]| {
                let message = frame(&mut sender, &own, tick, bodies);
                assert_eq!(stream_apply(handle, message.as_ptr(), message.len()), APPLIED);
                assert_eq!(stream_tick(handle), tick);
                (stream_ref(handle).came.clone(), stream_ref(handle).went.clone())
            };
            assert_eq!(apply(3, &[(5, 0), (9, 50)]), (vec![5, 9], vec![]));
            assert_eq!(apply(6, &[(5, 40), (9, 50), (11, 7)]), (vec![11], vec![]));
            assert_eq!(apply(9, &[(5, 40), (11, 7)]), (vec![], vec![9]));

            let position = |tick: f64| {
                assert_eq!(stream_sample(handle, tick), 2);
                assert_eq!(std::slice::from_raw_parts(stream_ids(handle), 2), [5, 11]);
                assert_eq!(std::slice::from_raw_parts(stream_modes(handle), 2).len(), 2);
                let facing = std::slice::from_raw_parts(stream_facings(handle), 6);
                assert!((Vec3::from_slice(facing).length() - 1.0).abs() < 1e-5);
                DVec3::from_slice(std::slice::from_raw_parts(stream_positions(handle), 6))
            };
            let (start, end) = (position(3.0), position(6.0));
            assert!((end - start).length() > 0.1);
            assert!((position(4.5) - (start + end) / 2.0).length() < 1e-6);
            assert_eq!(position(0.0), start);
            assert_eq!(position(99.0), end);

            let mut state = [0.0; BODY_STATE_NUMBERS];
            assert_eq!(stream_own(handle, state.as_mut_ptr()), 1);
            assert_eq!(state[..6], state_numbers(&own)[..6]);
            assert_eq!(stream_last_input_seq(handle), 9);
            stream_free(handle);
        }
    }

    #[test]
    fn what_is_no_frame_is_told_apart_from_a_broken_one() {
        let planet = planet_generate(1, 9);
        // SAFETY: handles are live.
        unsafe {
            let ground = PlanetGround(planet_ref(planet));
            let own = Body::standing_at(DVec3::X, &ground);
            let handle = stream_new(planet);
            assert_eq!(stream_apply(handle, [69_u8, 1, 2].as_ptr(), 3), NOT_A_FRAME);
            let cell = CellId::from_point(own.position).parent(LEVEL);
            let head = FrameHead { tick: 3, is_restart: false, last_input_seq: 0, own };
            for (bytes, answer) in [(&[255_u8; 3][..], MALFORMED), (&[0, 0], APPLIED_WITH_GAPS)] {
                let blocks = vec![Block { cell, bytes }];
                let message = ServerMessage::Frame(Frame { head, dropped: vec![], blocks }).encode();
                assert_eq!(stream_apply(handle, message.as_ptr(), message.len()), answer);
            }
            stream_free(handle);
        }
    }
}
