//! What can grow, how far, and what happens when it is full.

/// Frames waiting for one reader. One more drops all of them: the reader starts again from keyframes.
pub const QUEUED_FRAMES_MAX: usize = 8;
/// Control messages waiting for one reader. One more ends the connection with `too_slow`. There is room for an answer
/// to each message that a session may send at once, so that who sends too much is told so and not that it reads slowly.
pub const QUEUED_CONTROLS_MAX: usize = 256;
const _: () = assert!(QUEUED_CONTROLS_MAX as f64 > MESSAGES_BURST + MESSAGES_PER_S / 2.0);
/// With so many control messages waiting, events are left out: they can be read elsewhere, and a market that is busy
/// must not send anybody away.
pub const QUEUED_EVENTS_MAX: usize = QUEUED_CONTROLS_MAX / 4;
/// A reader whose frames are still being dropped after this many seconds is sent away with `too_slow`.
pub const SLOW_READER_S: u64 = 10;
/// So long without a dropped frame and a reader counts as quick again.
pub const SLOW_READER_FORGIVEN_S: u64 = 5;
/// Bodies whose players did not come back, taken out in one tick; the others follow in the next ones. When a network
/// fails thousands are due at once, and taking out one moves all.
pub const FORGOTTEN_PER_TICK_MAX: usize = 64;
/// Bodies for which it is found out anew in one tick what is closed to them, because a fence has changed; the others
/// follow in the next ones.
pub const FENCED_PER_TICK_MAX: usize = 200;
/// Commands waiting for the next tick, from all sessions together. One more is refused with `overloaded`.
pub const INBOX_MAX: usize = 65_536;
/// Messages a session may send per second, and at once. More are refused with `too_fast`,
/// which is told once until the session has kept the limit for a second.
pub const MESSAGES_PER_S: f64 = 90.0;
/// See [`MESSAGES_PER_S`].
pub const MESSAGES_BURST: f64 = 180.0;
/// A session with this many refused messages since it last kept the limit for a second is sent away with `flooding`.
pub const REFUSED_MESSAGES_MAX: u32 = 900;
/// Something said is heard so far, in metres.
pub const VOICE_M: f64 = 50.0;
/// Stretches of suspicious movement that are kept for staff, of all accounts together; of more, the newest.
pub const MOVEMENT_STRETCHES_MAX: usize = 4_096;
