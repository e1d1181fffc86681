//! The player's own body: moved at once by the rules of crate `motion`, corrected when the server's answer differs.
//!
//! A handle is an [`OwnBody`]. The state crosses the boundary as ten `f64`: position, velocity and facing (three each,
//! in metres, in the planet's axes), then the mode's number.
//!
//! The order of calls: [`body_new`] and [`body_set`] with the `Welcome`; [`body_step`] 30 times a second, and
//! [`body_take_inputs`] whenever a message should go out; [`body_reconcile`] after each frame, [`body_take_fences`] after
//! each message of fences.

use glam::DVec3;
use motion::{Body, Buttons, ClosedLand, Fenced, Ground, Input, Mode, Pace, Predictor, Surface};
use planet::Planet;
use wire::{ClientMessage, Fences, INPUT_BATCH_MAX, InputBatch, Kind};

use crate::planet::planet_ref;
use crate::stream::stream_ref;
use crate::write_values;

/// Numbers of a body's state.
pub const BODY_STATE_NUMBERS: usize = 10;

/// Room that [`body_take_inputs`] needs.
pub const INPUT_MESSAGE_BYTES_MAX: usize = Kind::Input.max_bytes();

/// The planet as the ground of crate `motion`.
#[derive(Clone, Copy)]
pub(crate) struct PlanetGround(pub(crate) &'static Planet);

impl Ground for PlanetGround {
    fn surface(&self, direction: DVec3) -> Surface {
        let planet::Ground { elevation_m, water_m } = self.0.ground(direction);
        Surface { elevation_m, water_m }
    }

    fn radius_m(&self) -> f64 {
        self.0.radius_m()
    }
}

/// A predicted body and how many of its inputs have been sent.
pub struct OwnBody {
    ground: PlanetGround,
    pace: Pace,
    predictor: Predictor,
    closed: ClosedLand,
    sent_seq: u32,
}

impl OwnBody {
    /// The message with the inputs made since the last one; none if there are none.
    fn take_inputs(&mut self) -> Option<Vec<u8>> {
        let batch = InputBatch::unsent(&self.predictor, self.sent_seq)?;
        self.sent_seq = batch.last_seq();
        Some(ClientMessage::Input(batch).encode())
    }

    /// Takes a whole `Fences` message and gives how far the body is moved by that, none if it cannot be read.
    fn take_fences(&mut self, message: &[u8]) -> Option<f64> {
        let Ok(fences) = Fences::decode_message(message) else { return None };
        fences.apply(&mut self.closed).ok()?;
        let fenced = Fenced { ground: &self.ground, closed: &self.closed };
        Some(self.predictor.repeat_after(fences.after_input_seq, &fenced))
    }
}

pub(crate) fn state_numbers(body: &Body) -> [f64; BODY_STATE_NUMBERS] {
    let mut numbers = [0.0; BODY_STATE_NUMBERS];
    numbers[0..3].copy_from_slice(&body.position.to_array());
    numbers[3..6].copy_from_slice(&body.velocity.to_array());
    numbers[6..9].copy_from_slice(&body.facing.to_array());
    numbers[9] = f64::from(body.mode as u8);
    numbers
}

fn body_of_numbers(numbers: &[f64; BODY_STATE_NUMBERS]) -> Option<Body> {
    if !numbers.iter().all(|number| number.is_finite()) {
        return None;
    }
    let mode = Mode::try_from_u8(numbers[9] as u8)?;
    let vector = |at: usize| DVec3::from_slice(&numbers[at..at + 3]);
    Some(Body { position: vector(0), velocity: vector(3), facing: vector(6), mode })
}

/// Makes a body standing under the direction (x, y, z) and returns its handle; give it back with [`body_free`].
///
/// # Safety
/// `planet` is a handle of [`crate::planet::planet_new`], not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_new(planet: usize, x: f64, y: f64, z: f64) -> usize {
    // SAFETY: the caller's promise above.
    let ground = PlanetGround(unsafe { planet_ref(planet) });
    let direction = DVec3::new(x, y, z).try_normalize().unwrap_or(DVec3::X);
    let pace = Pace::default();
    let predictor = Predictor::new(Body::standing_at(direction, &ground), 0, pace);
    let closed = ClosedLand::default();
    Box::into_raw(Box::new(OwnBody { ground, pace, predictor, closed, sent_seq: 0 })).expose_provenance()
}

/// The body of a handle.
///
/// # Safety
/// `handle` came from [`body_new`], is not 0 and was not freed; no other reference to it lives.
unsafe fn body_mut<'a>(handle: usize) -> &'a mut OwnBody {
    // SAFETY: the caller's promise above.
    unsafe { &mut *std::ptr::with_exposed_provenance_mut::<OwnBody>(handle) }
}

/// Ends a body.
///
/// # Safety
/// `body` is a handle of [`body_new`] and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_free(body: usize) {
    // SAFETY: the caller's promise above.
    drop(unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut::<OwnBody>(body)) });
}

/// Sets the state (ten `f64`) after the input numbered `last_seq`, as a `Welcome` tells it. Returns 1, or 0 and changes
/// nothing if a number is not finite or the mode unknown.
///
/// # Safety
/// `body` is a handle of [`body_new`]; `state` points to ten `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_set(body: usize, state: *const f64, last_seq: u32) -> u32 {
    // SAFETY: the caller's promise above.
    let (body, numbers) = unsafe { (body_mut(body), &*state.cast::<[f64; BODY_STATE_NUMBERS]>()) };
    let Some(new) = body_of_numbers(numbers) else { return 0 };
    body.predictor = Predictor::new(new, last_seq, body.pace);
    body.sent_seq = last_seq;
    1
}

/// Sets how many steps make a second, as a `Welcome` tells it; 30 before that. Call it before [`body_set`]. Returns 1, or
/// 0 and changes nothing if there is no such rate.
///
/// # Safety
/// `body` is a handle of [`body_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_set_pace(body: usize, tick_hz: u32) -> u32 {
    let Some(pace) = Pace::try_from_hz(tick_hz) else { return 0 };
    // SAFETY: the caller's promise above.
    let body = unsafe { body_mut(body) };
    body.pace = pace;
    body.predictor = Predictor::new(*body.predictor.body(), body.predictor.last_seq(), pace);
    1
}

/// Writes the predicted state, ten `f64`.
///
/// # Safety
/// `body` is a handle of [`body_new`]; `out` has room for ten `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_get(body: usize, out: *mut f64) {
    // SAFETY: the caller's promise above.
    unsafe { write_values(out, &state_numbers(body_mut(body).predictor.body())) }
}

/// Moves the body by one step: `buttons` as in `motion::Buttons`, (hx, hy, hz) the camera's look direction of
/// any length. Returns the number of this input.
///
/// # Safety
/// `body` is a handle of [`body_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_step(body: usize, buttons: u32, hx: f64, hy: f64, hz: f64) -> u32 {
    // SAFETY: the caller's promise above.
    let OwnBody { ground, predictor, closed, .. } = unsafe { body_mut(body) };
    let input = Input::new(Buttons(buttons as u8), DVec3::new(hx, hy, hz));
    predictor.step(input, &Fenced { ground, closed })
}

/// Writes the `Input` message with the inputs made since the last call, at most 16, and returns its length; 0 if there
/// are none. Call again while it returns something.
///
/// # Safety
/// `body` is a handle of [`body_new`]; `out` has room for [`INPUT_MESSAGE_BYTES_MAX`] bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_take_inputs(body: usize, out: *mut u8) -> u32 {
    // SAFETY: the caller's promise above.
    let Some(message) = (unsafe { body_mut(body) }).take_inputs() else { return 0 };
    // SAFETY: as before; the message is within its kind's limit.
    unsafe { write_values(out, &message) };
    message.len() as u32
}

/// Writes the `Input` message with the newest inputs that were not answered yet, at most 16, whether they were sent
/// before or not, and returns its length; 0 if there are none. For a transport that loses messages: a lost one is
/// contained in the next.
///
/// # Safety
/// As [`body_take_inputs`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_repeat_inputs(body: usize, out: *mut u8) -> u32 {
    // SAFETY: the caller's promise above.
    let body = unsafe { body_mut(body) };
    let before = body.predictor.last_seq().saturating_sub(INPUT_BATCH_MAX as u32);
    let Some(batch) = InputBatch::unsent(&body.predictor, before) else { return 0 };
    body.sent_seq = batch.last_seq();
    let message = ClientMessage::Input(batch).encode();
    // SAFETY: as before; the message is within its kind's limit.
    unsafe { write_values(out, &message) };
    message.len() as u32
}

/// Takes over the server's answer in the newest frame of `stream` and repeats the inputs it does not hold yet. Returns
/// how far the prediction was off in metres, 0 when nothing went wrong: the amount to smooth away in the picture.
///
/// # Safety
/// `body` is a handle of [`body_new`], `stream` one of [`crate::stream::stream_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_reconcile(body: usize, stream: usize) -> f64 {
    // SAFETY: the caller's promise above.
    let (body, stream) = unsafe { (body_mut(body), stream_ref(stream)) };
    let Some(head) = stream.head() else { return 0.0 };
    let fenced = Fenced { ground: &body.ground, closed: &body.closed };
    let correction_m = body.predictor.reconcile(head.own, head.last_input_seq, &fenced);
    // A prediction that was started again goes on numbering where the server is.
    body.sent_seq = body.sent_seq.min(body.predictor.last_seq());
    correction_m
}

/// Takes a whole `Fences` message, kind byte included, and repeats the inputs that the server steps by it. Returns how
/// far the body is moved by that in metres, or −1 if the message cannot be read.
///
/// # Safety
/// `body` is a handle of [`body_new`]; `message` points to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_take_fences(body: usize, message: *const u8, length: usize) -> f64 {
    // SAFETY: the caller's promise above.
    let (body, message) = unsafe { (body_mut(body), std::slice::from_raw_parts(message, length)) };
    body.take_fences(message).unwrap_or(-1.0)
}

/// Writes the lots nearby that are closed to the body, at most `capacity`, and returns how many are written.
///
/// # Safety
/// `body` is a handle of [`body_new`]; `out` has room for `capacity` ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_closed_lots(body: usize, out: *mut u64, capacity: u32) -> u32 {
    // SAFETY: the caller's promise above.
    let lots = unsafe { body_mut(body) }.closed.lots();
    let ids: Vec<u64> = lots.iter().take(capacity as usize).map(|(lot, _)| lot.raw()).collect();
    // SAFETY: as before.
    unsafe { write_values(out, &ids) };
    ids.len() as u32
}

/// The hash over 20 s of scripted movement from some dry place, equal to the same function's on the server.
///
/// # Safety
/// `planet` is a handle of [`crate::planet::planet_new`], not 0.
#[cfg(any(test, feature = "checks"))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn body_golden(planet: usize) -> u64 {
    /// Cells of this level are looked at, one after the other, for ground so high.
    const LOOK_LEVEL: u8 = 3;
    const DRY_M: f64 = 20.0;
    // SAFETY: the caller's promise above.
    let ground = PlanetGround(unsafe { planet_ref(planet) });
    let mut places = (0..6).flat_map(|face| cell::CellId::from_face(face).descendants(LOOK_LEVEL));
    let place = places
        .find(|cell| ground.0.elevation_m(cell.center()) > DRY_M)
        .map_or(DVec3::X, cell::CellId::center);
    let mut body = Body::standing_at(place, &ground);
    let mut random = 1_u64;
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for step in 0..600 {
        if step % 20 == 0 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        }
        let heading = [random as i16, (random >> 16) as i16, (random >> 32) as i16];
        let buttons = Buttons((random >> 58) as u8).with(Buttons::FORWARD);
        motion::step(&mut body, Input { buttons, heading }, &ground, Pace::default());
        for number in state_numbers(&body) {
            hash = (hash ^ number.to_bits()).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planet::planet_generate;
    use wire::ServerMessage;

    #[test]
    fn the_golden_walks_end_as_ever_here_and_in_the_browser() {
        // `tests/golden.mjs` holds the WebAssembly module against the same file.
        let golden = include_str!("../tests/golden_walks.txt");
        let walks: Vec<_> = golden.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(walks.len() >= 3);
        let walked: Vec<_> = walks
            .iter()
            .map(|walk| {
                let [seed, shift, _] = walk.split(' ').collect::<Vec<_>>()[..] else { panic!("{walk}") };
                let planet = planet_generate(seed.parse().unwrap(), shift.parse().unwrap());
                // SAFETY: the handle is live.
                format!("{seed} {shift} {:016x}", unsafe { body_golden(planet) })
            })
            .collect();
        assert_eq!(walked, walks);
    }

    #[test]
    fn a_body_steps_as_the_rules_say_and_hands_out_each_input_once() {
        let planet = planet_generate(1, 9);
        // SAFETY: handles are live, buffers have the asked sizes.
        unsafe {
            let ground = PlanetGround(planet_ref(planet));
            let start = ground.0.arrival();
            let [x, y, z] = start.ground.to_array();
            let body = body_new(planet, x, y, z);
            let mut expected = Body::standing_at(start.ground, &ground);
            let look = start.facing;
            for n in 1..=40 {
                assert_eq!(body_step(body, 17, look.x, look.y, look.z), n);
                motion::step(&mut expected, Input::new(Buttons(17), look), &ground, Pace::default());
            }
            let mut state = [0.0; BODY_STATE_NUMBERS];
            body_get(body, state.as_mut_ptr());
            assert_eq!(state, state_numbers(&expected));

            let mut seen = 0;
            let mut message = [0; INPUT_MESSAGE_BYTES_MAX];
            loop {
                let length = body_take_inputs(body, message.as_mut_ptr()) as usize;
                if length == 0 {
                    break;
                }
                let Ok(ClientMessage::Input(batch)) = ClientMessage::decode(&message[..length]) else {
                    panic!("not an input message");
                };
                assert_eq!(batch.first_seq, seen + 1);
                assert!(batch.inputs.iter().all(|input| *input == Input::new(Buttons(17), look)));
                seen += u32::try_from(batch.inputs.len()).unwrap();
            }
            assert_eq!(seen, 40);

            for (made, first, count) in [(0, 25, 16), (1, 26, 16)] {
                for _ in 0..made {
                    body_step(body, 17, look.x, look.y, look.z);
                }
                let length = body_repeat_inputs(body, message.as_mut_ptr()) as usize;
                let Ok(ClientMessage::Input(batch)) = ClientMessage::decode(&message[..length]) else {
                    panic!("not an input message");
                };
                assert_eq!((batch.first_seq, batch.inputs.len()), (first, count));
            }
            assert_eq!(body_take_inputs(body, message.as_mut_ptr()), 0, "what was repeated has been sent");

            let lot = cell::CellId::from_point(expected.position).parent(9);
            let mut closed = ClosedLand::default();
            assert!(closed.close(lot, 5));
            let fences = ServerMessage::Fences(wire::Fences::all(&closed, 30)).encode();
            assert_eq!(body_take_fences(body, fences.as_ptr(), fences.len()), 0.0, "who is inside may go on");
            assert_eq!(body_take_fences(body, fences.as_ptr(), 2), -1.0);
            let mut lots = [0; 4];
            assert_eq!(body_closed_lots(body, lots.as_mut_ptr(), 4), 1);
            assert_eq!((lots[0], body_closed_lots(body, lots.as_mut_ptr(), 0)), (lot.raw(), 0));

            state[4] = f64::NAN;
            assert_eq!(body_set(body, state.as_ptr(), 7), 0);
            state[4] = 0.0;
            assert_eq!(body_set(body, state.as_ptr(), 7), 1);
            assert_eq!(body_step(body, 0, 1.0, 0.0, 0.0), 8);
            body_free(body);
        }
    }
}
