//! Decoding of the realtime stream, and where to draw the bodies between two frames.
//!
//! A handle is a [`Stream`]. [`stream_apply`] takes each `Frame` message as it came; [`stream_sample`] places every
//! visible body at a moment between frames. Its results lie in arrays, one entry per body in ascending order of entity
//! id, at addresses that hold until the next call on the stream.

use cell::CellId;
use wire::stream::StreamError;
use wire::{ClientMessage, Frame, FrameHead, Kind, Missed, Seen, View};

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

/// Ticks from one send to the next until [`stream_set_send_ticks`] tells otherwise.
const SEND_TICKS: u32 = 3;
/// A cell that was asked for is asked for again after so many sends: half a second at ten a second.
const ASK_AGAIN_SENDS: u32 = 5;
/// Room that [`stream_take_missed`] needs.
pub const MISSED_MESSAGE_BYTES_MAX: usize = Kind::Missed.max_bytes();

/// The visible bodies and their ways.
pub struct Stream {
    ground: PlanetGround,
    view: View,
    head: Option<FrameHead>,
    tracks: Tracks,
    send_ticks: u32,
    /// The view holds what the tracks have not been told.
    has_news: bool,
}

impl Stream {
    fn new(ground: PlanetGround) -> Self {
        Self {
            ground,
            view: View::default(),
            head: None,
            tracks: Tracks::default(),
            send_ticks: SEND_TICKS,
            has_news: false,
        }
    }

    /// The reader's own part of the newest frame.
    pub(crate) fn head(&self) -> Option<&FrameHead> {
        self.head.as_ref()
    }

    fn apply(&mut self, message: &[u8]) -> i32 {
        let Ok(frame) = Frame::decode(message) else { return NOT_A_FRAME };
        let newest_tick = self.head.map_or(0, |head| head.tick);
        if frame.head.tick > newest_tick {
            // What is known of the tick before is all that will be known of it on time.
            self.follow();
        }
        let waiting = match self.view.apply(&frame) {
            Ok(waiting) => waiting,
            Err(StreamError::Malformed | StreamError::Gap) => return MALFORMED,
        };
        self.view.count_bytes(&frame, message.len());
        if frame.head.tick >= newest_tick {
            self.head = Some(frame.head);
        }
        self.has_news = true;
        if waiting == 0 { APPLIED } else { APPLIED_WITH_GAPS }
    }

    /// Tells the tracks what the view shows.
    fn follow(&mut self) {
        if std::mem::take(&mut self.has_news) {
            let ticks = self.send_ticks;
            let told = |seen: Seen| Report { interval_ticks: ticks * u32::from(seen.interval_sends), seen };
            self.tracks.follow(self.view.bodies().map(told), &self.ground);
        }
    }

    /// The message that asks for what was lost, if there is something to ask for now.
    fn take_missed(&mut self) -> Option<Vec<u8>> {
        let cells = self.view.take_missed(ASK_AGAIN_SENDS * self.send_ticks);
        let cells: Vec<_> = cells.into_iter().map(CellId::raw).collect();
        (!cells.is_empty()).then(|| ClientMessage::Missed(Missed { cells }).encode())
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

/// Sets how many ticks lie between two sends, as a `Welcome` tells by its rates; 3 before that, and never 0.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_set_send_ticks(stream: usize, ticks: u32) {
    // SAFETY: the caller's promise above.
    unsafe { stream_mut(stream) }.send_ticks = ticks.max(1);
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

/// Writes a whole `Missed` message that asks for the cells of which blocks were lost, and returns its length; 0 if there
/// is nothing to ask for now. Call it after [`stream_apply`].
///
/// # Safety
/// `stream` is a handle of [`stream_new`]; `out` has room for [`MISSED_MESSAGE_BYTES_MAX`] bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_take_missed(stream: usize, out: *mut u8) -> u32 {
    // SAFETY: the caller's promise above.
    let Some(message) = (unsafe { stream_mut(stream) }).take_missed() else { return 0 };
    // SAFETY: as before; the message is within its kind's limit.
    unsafe { write_values(out, &message) };
    message.len() as u32
}

/// Bytes of frames that came so far: 0 for the reader's own part, 1 to 3 for what came of cells near, in between and far.
/// Other numbers have none.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_tier_bytes(stream: usize, tier: u32) -> f64 {
    // SAFETY: the caller's promise above.
    let bytes = unsafe { stream_ref(stream) }.view.bytes();
    bytes.get(tier as usize).map_or(0.0, |bytes| *bytes as f64)
}

/// Bodies told of so far, numbered as in [`stream_tier_bytes`]; 0 counts none.
///
/// # Safety
/// `stream` is a handle of [`stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stream_tier_updates(stream: usize, tier: u32) -> f64 {
    // SAFETY: the caller's promise above.
    let updates = unsafe { stream_ref(stream) }.view.updates();
    (tier as usize).checked_sub(1).and_then(|tier| updates.get(tier)).map_or(0.0, |updates| *updates as f64)
}

/// Takes a whole `Frame` message, kind byte included; parts of a frame, late and repeated ones too. Returns [`APPLIED`], [`APPLIED_WITH_GAPS`], [`NOT_A_FRAME`] or
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
    let stream = unsafe { stream_mut(stream) };
    stream.follow();
    stream.tracks.sample(tick);
    stream.tracks.ids.len() as u32
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
    use glam::{DVec3, Vec3};
    use motion::Body;
    use wire::stream::{BlockOrder, CellStream, Placed, Placement, Tier};
    use wire::{Block, LatticePlace, ServerMessage};

    const LEVEL: u8 = 8;
    /// By how much bodies of a near cell are drawn behind the moment asked for.
    const LAG: f64 = 3.3;

    /// A cell's sender and the frames that a reader near it gets.
    struct Sender {
        cell: CellId,
        corner: (u16, u16),
        stream: CellStream,
        own: Body,
        has_sent: bool,
    }

    impl Sender {
        fn new(own: Body) -> Self {
            let place = LatticePlace::of_leaf(CellId::from_point(own.position), LEVEL);
            let stream = CellStream::sender(place.cell, 0);
            Self { cell: place.cell, corner: (place.i / 2, place.j), stream, own, has_sent: false }
        }

        fn head(&self, tick: u32, is_restart: bool) -> FrameHead {
            FrameHead { tick, is_restart, level: LEVEL, last_input_seq: tick, own: self.own }
        }

        /// A frame in which the cell holds `bodies`, given by their ids and how far they are along the column.
        fn frame(&mut self, tick: u32, bodies: &[(u32, u16)]) -> Vec<u8> {
            let placed: Vec<Placed> = bodies
                .iter()
                .map(|(entity_id, along)| {
                    let (i, j) = (self.corner.0 + along, self.corner.1);
                    Placement { entity_id: *entity_id, i, j, ..Placement::default() }.into()
                })
                .collect();
            let mut bytes = vec![];
            let has_news = self.stream.advance(&placed, 8, |_| true, &mut bytes);
            if !self.has_sent {
                bytes.clear();
                self.stream.keyframe(&mut bytes);
            }
            let is_key = !std::mem::replace(&mut self.has_sent, true);
            let order = BlockOrder { is_key, sequence: self.stream.sequence() };
            let block = Block { cell: self.cell, tier: Tier::Near, interval: 1, order, bytes: &bytes };
            let blocks = if has_news { vec![block] } else { vec![] };
            ServerMessage::Frame(Frame { head: self.head(tick, is_key), dropped: vec![], blocks }).encode()
        }
    }

    #[test]
    fn bodies_are_drawn_between_frames_and_come_and_go() {
        let planet = planet_generate(1, 9);
        // SAFETY: handles are live, arrays have the lengths told.
        unsafe {
            let ground = PlanetGround(planet_ref(planet));
            let own = Body::standing_at(ground.0.arrival().ground, &ground);
            let handle = stream_new(planet);
            let mut sender = Sender::new(own);
            let mut sent_bytes = 0;
            let mut apply = |tick, bodies: &[(u32, u16)]| {
                let message = sender.frame(tick, bodies);
                assert_eq!(stream_apply(handle, message.as_ptr(), message.len()), APPLIED);
                assert_eq!(stream_tick(handle), tick);
                sent_bytes += message.len();
            };
            apply(3, &[(5, 0), (9, 50)]);
            apply(6, &[(5, 40), (9, 50), (11, 7)]);
            apply(9, &[(5, 40), (11, 7)]);

            let position = |tick: f64| {
                assert_eq!(stream_sample(handle, tick + LAG), 2, "who is gone is gone");
                assert_eq!(std::slice::from_raw_parts(stream_ids(handle), 2), [5, 11]);
                assert_eq!(std::slice::from_raw_parts(stream_modes(handle), 2).len(), 2);
                assert_eq!(std::slice::from_raw_parts(stream_tiers(handle), 2), [1, 1]);
                let facing = std::slice::from_raw_parts(stream_facings(handle), 6);
                assert!((Vec3::from_slice(facing).length() - 1.0).abs() < 1e-5);
                DVec3::from_slice(std::slice::from_raw_parts(stream_positions(handle), 6))
            };
            let (start, end) = (position(3.0), position(6.0));
            assert!((end - start).length() > 0.1);
            assert!((position(4.5) - (start + end) / 2.0).length() < 1e-6);
            assert!((position(0.0) - start).length() < 1e-6);
            assert!((position(99.0) - end).length() < 1e-6);
            apply(39, &[(5, 40), (11, 7)]);
            assert_eq!((stream_tier_updates(handle, 1), stream_tier_updates(handle, 9)), (7.0, 0.0));
            let bytes = [0, 1, 2, 3].map(|tier| stream_tier_bytes(handle, tier));
            assert_eq!((bytes.iter().sum::<f64>(), bytes[2], bytes[3]), (sent_bytes as f64, 0.0, 0.0));
            assert!(bytes[0] > bytes[1] && bytes[1] > 0.0);

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
            let sender = Sender::new(own);
            let order = BlockOrder { is_key: true, sequence: 0 };
            let block =
                Block { cell: sender.cell, tier: Tier::Near, interval: 1, order, bytes: &[255, 255, 255] };
            let frame = Frame { head: sender.head(3, false), dropped: vec![], blocks: vec![block] };
            let message = ServerMessage::Frame(frame).encode();
            assert_eq!(stream_apply(handle, message.as_ptr(), message.len()), MALFORMED);
            stream_free(handle);
        }
    }

    #[test]
    fn what_is_lost_late_or_repeated_does_no_harm_and_is_asked_for() {
        let planet = planet_generate(1, 9);
        // SAFETY: handles are live, arrays have the lengths told.
        unsafe {
            let ground = PlanetGround(planet_ref(planet));
            let own = Body::standing_at(ground.0.arrival().ground, &ground);
            let handle = stream_new(planet);
            let mut sender = Sender::new(own);
            let messages: Vec<_> =
                (1..8_u16).map(|n| sender.frame(u32::from(n) * 3, &[(5, n * 20), (9, 50)])).collect();
            let apply = |n: usize| stream_apply(handle, messages[n].as_ptr(), messages[n].len());
            let mut out = [0; MISSED_MESSAGE_BYTES_MAX];
            let mut ask = || match stream_take_missed(handle, out.as_mut_ptr()) {
                0 => None,
                length => Some(ClientMessage::decode(&out[..length as usize]).unwrap()),
            };
            assert_eq!((apply(0), apply(1), apply(1), apply(0)), (APPLIED, APPLIED, APPLIED, APPLIED));
            assert_eq!(stream_tick(handle), 6, "it does not go back");
            assert!(ask().is_none());
            assert_eq!(apply(3), APPLIED_WITH_GAPS);
            assert_eq!(apply(2), APPLIED_WITH_GAPS, "too late to be of use");
            assert_eq!(stream_tick(handle), 12);
            let missed = ClientMessage::Missed(Missed { cells: vec![sender.cell.raw()] });
            assert_eq!(ask(), Some(missed.clone()));
            assert_eq!(ask(), None, "it was asked for a moment ago");
            assert_eq!(stream_sample(handle, 12.0), 2, "bodies stay where they were known to be");
            assert_eq!(
                (apply(4), apply(5), apply(6)),
                (APPLIED_WITH_GAPS, APPLIED_WITH_GAPS, APPLIED_WITH_GAPS)
            );
            assert_eq!(ask(), None);
            stream_set_send_ticks(handle, 1);
            assert_eq!(ask(), Some(missed), "half a second later it is asked for again");
            sender.has_sent = false;
            let key = sender.frame(24, &[(5, 160), (9, 50)]);
            assert_eq!(stream_apply(handle, key.as_ptr(), key.len()), APPLIED);
            stream_free(handle);
        }
    }
}
