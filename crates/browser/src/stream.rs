//! Decoding of the realtime stream, and where to draw the bodies between two frames.
//!
//! A handle is a [`Stream`]. [`stream_apply`] takes each `Frame` message as it came; [`stream_sample`] places every
//! visible body at a moment between frames. Its results lie in arrays, one entry per body in ascending order of entity
//! id, at addresses that hold until the next call on the stream.

use wire::stream::StreamError;
use wire::{FrameHead, ServerMessage, View};

use crate::body::{BODY_STATE_NUMBERS, PlanetGround, state_numbers};
use crate::planet::planet_ref;
use crate::tracks::{Report, Tracks};
use crate::write_values;

/// [`stream_apply`] took the frame.
pub const APPLIED: i32 = 0;
/// Some cells wait for their next keyframe, because frames before this one are missing.
pub const APPLIED_WITH_GAPS: i32 = 1;
/// The message is no frame; nothing changed.
pub const NOT_A_FRAME: i32 = -1;
/// A block of the frame is malformed: end the connection.
pub const MALFORMED: i32 = -2;

/// Ticks between two blocks of a cell that is near.
const NEAR_INTERVAL_TICKS: u8 = 3;

/// The visible bodies and their ways.
pub struct Stream {
    ground: PlanetGround,
    view: View,
    head: Option<FrameHead>,
    tracks: Tracks,
}

impl Stream {
    fn new(ground: PlanetGround) -> Self {
        Self { ground, view: View::default(), head: None, tracks: Tracks::default() }
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
        let told = |seen| Report { seen, tick, interval_ticks: NEAR_INTERVAL_TICKS, tier: 1 };
        let reports = self.view.bodies().map(told).collect();
        self.tracks.follow(tick, reports, &self.ground, |_| true);
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

/// Places every visible body and returns their number. `tick` is the moment up to which everything the server has sent
/// may be expected to be here, and may lie between two ticks; each body is drawn behind it by what its cell's rate asks
/// for. Later calls have later ticks.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_sample(stream: usize, tick: f64) -> u32 {
    // SAFETY: the caller's promise above.
    let Stream { tracks, .. } = unsafe { stream_mut(stream) };
    tracks.sample(tick);
    tracks.ids.len() as u32
}

/// Address of the sampled bodies' entity ids, one `u32` each.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_ids(stream: usize) -> *const u32 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.tracks.ids.as_ptr()
}

/// Address of the sampled bodies' feet, three `f64` each, in metres from the planet's centre.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_positions(stream: usize) -> *const f64 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.tracks.positions.as_ptr()
}

/// Address of the sampled bodies' facings, three `f32` each: unit vectors along the ground.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_facings(stream: usize) -> *const f32 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.tracks.facings.as_ptr()
}

/// Address of the sampled bodies' modes, one `u8` each: 0 on the ground, 1 in the air, 2 in the water.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_modes(stream: usize) -> *const u8 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.tracks.modes.as_ptr()
}

/// Address of the sampled bodies' tiers, one `u8` each: 1 near, 2 in between, 3 far.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_tiers(stream: usize) -> *const u8 {
    // SAFETY: the caller's promise above.
    unsafe { stream_ref(stream) }.tracks.tiers.as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planet::planet_generate;
    use cell::CellId;
    use glam::{DVec3, Vec3};
    use motion::Body;
    use wire::stream::{CellStream, Placement};
    use wire::{Block, Frame, LatticePlace};

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
            };
            apply(3, &[(5, 0), (9, 50)]);
            apply(6, &[(5, 40), (9, 50), (11, 7)]);
            apply(9, &[(5, 40), (11, 7)]);

            /// By how much bodies of a near cell are drawn behind the moment asked for.
            const LAG: f64 = 3.3;
            let position = |tick: f64| {
                assert_eq!(
                    stream_sample(handle, tick + LAG),
                    3,
                    "who is gone is let go with the next frames"
                );
                assert_eq!(std::slice::from_raw_parts(stream_ids(handle), 3), [5, 9, 11]);
                assert_eq!(std::slice::from_raw_parts(stream_modes(handle), 3).len(), 3);
                assert_eq!(std::slice::from_raw_parts(stream_tiers(handle), 3), [1, 1, 1]);
                let facing = std::slice::from_raw_parts(stream_facings(handle), 9);
                assert!((Vec3::from_slice(facing).length() - 1.0).abs() < 1e-5);
                DVec3::from_slice(std::slice::from_raw_parts(stream_positions(handle), 9))
            };
            let (start, end) = (position(3.0), position(6.0));
            assert!((end - start).length() > 0.1);
            assert!((position(4.5) - (start + end) / 2.0).length() < 1e-6);
            assert!((position(0.0) - start).length() < 1e-6);
            assert!((position(99.0) - end).length() < 1e-6);
            apply(39, &[(5, 40), (11, 7)]);
            assert_eq!(stream_sample(handle, 40.0), 2);

            let mut state = [0.0; BODY_STATE_NUMBERS];
            assert_eq!(stream_own(handle, state.as_mut_ptr()), 1);
            assert_eq!(state[..6], state_numbers(&own)[..6]);
            assert_eq!(stream_last_input_seq(handle), 39);
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
