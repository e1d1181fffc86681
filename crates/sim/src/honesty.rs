//! What speaks against a player, and what comes of it.
//!
//! Nobody is banned by a machine: lines are bad, clocks run fast, and a score that decays tells chance from habit. Each
//! [`Offence`] adds to the score of the body it was made with; every second takes a sixteenth away. A score of
//! [`SET_BACK_SCORE`] sets the body back to where it stood when nothing spoke against it, and halves the score.
//! People of the staff look at [`Stretches`] and at the log.

use crate::packed::{Malformed, Reader, put_number, put_vector};
use crate::zone::EntityId;
use glam::DVec3;
use std::collections::VecDeque;

/// From here on a body's place is not taken for an honest one, and staff are shown the stretch.
pub const SUSPICIOUS_SCORE: u32 = 200;
/// A body is set back when its score gets here.
pub const SET_BACK_SCORE: u32 = 400;
/// No score is higher.
pub const SCORE_MAX: u32 = 1_000;
/// Offences of one tick that a zone tells of; more are only counted.
pub const INCIDENTS_MAX: usize = 1_024;

/// What can speak against a player.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Offence {
    /// More inputs than time.
    TooFast = 0,
    /// Inputs numbered far ahead.
    SequenceJump = 1,
    /// More messages than allowed, as the session saw it.
    Flood = 2,
    /// A message that no client makes, as the session saw it.
    BrokenMessage = 3,
    /// A move that the rules do not know.
    ImpossibleMove = 4,
}

impl Offence {
    /// All there are.
    pub const ALL: [Self; 5] =
        [Self::TooFast, Self::SequenceJump, Self::Flood, Self::BrokenMessage, Self::ImpossibleMove];

    /// A stable name, good for a metric's label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooFast => "too_fast",
            Self::SequenceJump => "sequence_jump",
            Self::Flood => "flood",
            Self::BrokenMessage => "broken_message",
            Self::ImpossibleMove => "impossible_move",
        }
    }

    /// What it adds to the score. A line that stalls for three seconds and then delivers all at once makes two or three
    /// batches too many: far from suspicious. A client that is half as fast again is set back after some seconds.
    pub const fn points(self) -> u32 {
        match self {
            Self::TooFast => 20,
            Self::SequenceJump => 30,
            Self::Flood => 40,
            Self::BrokenMessage => 100,
            Self::ImpossibleMove => 200,
        }
    }

    pub(crate) fn try_from_u8(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// One offence, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    /// Ticks when it was noticed.
    pub tick: u64,
    /// Whose body.
    pub entity: EntityId,
    /// What it was.
    pub offence: Offence,
    /// The score with it.
    pub score: u32,
    /// Where the body was.
    pub place: DVec3,
    /// Where it was set back to.
    pub set_back_to: Option<DVec3>,
}

/// What is known about a body's honesty.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Honesty {
    pub(crate) score: u32,
    /// Where it stood when nothing spoke against it, none before the first second.
    pub(crate) anchor: Option<DVec3>,
}

impl Honesty {
    /// Adds an offence. True if the body is to be set back.
    pub(crate) fn blame(&mut self, offence: Offence) -> bool {
        self.score = (self.score + offence.points()).min(SCORE_MAX);
        self.score >= SET_BACK_SCORE
    }

    /// Where a body is set back to, if it stood somewhere.
    pub(crate) fn set_back(&mut self) -> Option<DVec3> {
        self.score = SET_BACK_SCORE / 2;
        self.anchor
    }

    /// Once a second.
    pub(crate) fn pass_second(&mut self, position: DVec3) {
        self.score -= self.score.div_ceil(16);
        if self.score < SUSPICIOUS_SCORE {
            self.anchor = Some(position);
        }
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_number(out, self.score.into());
        out.push(self.anchor.is_some().into());
        if let Some(anchor) = self.anchor {
            put_vector(out, anchor);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let score = reader.number_u32()?;
        if score > SCORE_MAX {
            return Err(Malformed("a score out of range"));
        }
        let anchor = match reader.byte()? {
            0 => None,
            1 => Some(reader.vector()?),
            _ => return Err(Malformed("neither there nor not")),
        };
        if anchor.is_some_and(|anchor| anchor.length_squared() < 1.0) {
            return Err(Malformed("an anchor in the planet's centre"));
        }
        Ok(Self { score, anchor })
    }

    pub(crate) fn words(&self) -> [u64; 5] {
        let [x, y, z] = self.anchor.unwrap_or(DVec3::ZERO).to_array().map(f64::to_bits);
        [self.score.into(), self.anchor.is_some().into(), x, y, z]
    }
}

/// Why a body may be somewhere else at once. Only the server makes one: there is no message for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum GrantReason {
    /// A person of the staff moved it.
    Staff = 0,
    /// It asked for a way back to where newcomers arrive.
    Home = 1,
    /// A rule of the world moved it, such as land given to another.
    World = 2,
}

/// A granted teleport.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grant {
    /// Where to, a unit vector.
    pub place: DVec3,
    /// Where to look; zero for wherever.
    pub facing: DVec3,
    /// Why.
    pub reason: GrantReason,
}

impl Grant {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_vector(out, self.place);
        put_vector(out, self.facing);
        out.push(self.reason as u8);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (place, facing) = (reader.vector()?, reader.vector()?);
        let reason = match reader.byte()? {
            0 => GrantReason::Staff,
            1 => GrantReason::Home,
            2 => GrantReason::World,
            _ => return Err(Malformed("a reason that is none")),
        };
        if (place.length() - 1.0).abs() > 1e-6 {
            return Err(Malformed("a place that is no unit vector"));
        }
        Ok(Self { place, facing, reason })
    }
}

/// Incidents of one body nearer to each other than this are one stretch, in seconds.
const STRETCH_GAP_S: u64 = 10;
/// Stretches kept; older ones are forgotten.
const STRETCHES_MAX: usize = 4_096;

/// A while in which things spoke against a body: what staff look at, and replay from the log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Whose body.
    pub entity: EntityId,
    /// Tick of the first incident.
    pub first_tick: u64,
    /// Tick of the last incident.
    pub last_tick: u64,
    /// Where the body was then.
    pub last_place: DVec3,
    /// The highest score.
    pub score_max: u32,
    /// How many of each of [`Offence::ALL`].
    pub offences: [u32; Offence::ALL.len()],
    /// How often the body was set back.
    pub set_backs: u32,
}

impl Stretch {
    /// Whether staff should look: a single slip is not worth it.
    pub fn is_suspicious(&self) -> bool {
        self.score_max >= SUSPICIOUS_SCORE
    }
}

/// The stretches of all bodies, the newest [`STRETCHES_MAX`].
#[derive(Clone, Debug)]
pub struct Stretches {
    gap_ticks: u64,
    stretches: VecDeque<Stretch>,
}

impl Stretches {
    /// None yet, of zones with this many ticks a second.
    pub fn new(tick_hz: u32) -> Self {
        Self { gap_ticks: STRETCH_GAP_S * u64::from(tick_hz), stretches: VecDeque::new() }
    }

    /// Notes an incident.
    pub fn note(&mut self, incident: &Incident) {
        let begun_after = incident.tick.saturating_sub(self.gap_ticks);
        let known = self.stretches.iter_mut().rev();
        let known = known
            .take(INCIDENTS_MAX)
            .find(|known| known.entity == incident.entity && known.last_tick >= begun_after);
        let stretch = if let Some(known) = known {
            known
        } else {
            if self.stretches.len() >= STRETCHES_MAX {
                self.stretches.pop_front();
            }
            self.stretches.push_back(Stretch {
                entity: incident.entity,
                first_tick: incident.tick,
                last_tick: incident.tick,
                last_place: incident.place,
                score_max: 0,
                offences: [0; Offence::ALL.len()],
                set_backs: 0,
            });
            self.stretches.back_mut().expect("it was just pushed")
        };
        stretch.last_tick = incident.tick;
        stretch.last_place = incident.place;
        stretch.score_max = stretch.score_max.max(incident.score);
        stretch.offences[incident.offence as usize] += 1;
        stretch.set_backs += u32::from(incident.set_back_to.is_some());
    }

    /// All that are kept, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Stretch> {
        self.stretches.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(entity: u32, tick: u64, offence: Offence, score: u32) -> Incident {
        let place = DVec3::X * f64::from(entity);
        Incident { tick, entity: EntityId(entity), offence, score, place, set_back_to: None }
    }

    #[test]
    fn a_score_halves_in_some_ten_seconds_and_ends_at_nothing() {
        let mut honesty = Honesty { score: SCORE_MAX, anchor: None };
        let mut seconds = 0;
        while honesty.score > SCORE_MAX / 2 {
            honesty.pass_second(DVec3::X);
            seconds += 1;
        }
        assert!((9..13).contains(&seconds), "{seconds}");
        assert_eq!(honesty.anchor, None, "no anchor where the score is suspicious");
        (0..100).for_each(|_| honesty.pass_second(DVec3::X));
        assert_eq!((honesty.score, honesty.anchor), (0, Some(DVec3::X)));
    }

    #[test]
    fn a_stalled_line_is_no_suspicion_and_a_fast_clock_is_set_back() {
        let mut stalled = Honesty::default();
        assert!((0..3).all(|_| !stalled.blame(Offence::TooFast)));
        assert!(stalled.score < SUSPICIOUS_SCORE);
        // Five batches a second too many, for as long as it takes.
        let mut fast = Honesty::default();
        let seconds = (1..60).find(|_| {
            fast.pass_second(DVec3::Y);
            (0..5).any(|_| fast.blame(Offence::TooFast))
        });
        assert!(seconds.is_some_and(|seconds| seconds < 10), "{seconds:?}");
        assert_eq!(fast.set_back(), Some(DVec3::Y));
        assert_eq!(fast.score, SET_BACK_SCORE / 2);
    }

    #[test]
    fn incidents_near_each_other_are_one_stretch_of_their_body() {
        let mut stretches = Stretches::new(30);
        stretches.note(&incident(1, 100, Offence::Flood, 40));
        stretches.note(&incident(2, 150, Offence::TooFast, 20));
        stretches.note(&incident(1, 400, Offence::TooFast, 260));
        stretches.note(&incident(1, 701, Offence::TooFast, 20));
        let seen: Vec<_> =
            stretches.iter().map(|s| (s.entity.0, s.first_tick, s.last_tick, s.score_max)).collect();
        assert_eq!(seen, [(1, 701, 701, 20), (2, 150, 150, 20), (1, 100, 400, 260)]);
        let first = stretches.iter().last().unwrap();
        assert_eq!(first.offences, [1, 0, 1, 0, 0]);
        assert!(first.is_suspicious());
    }

    #[test]
    fn stretches_are_bounded() {
        let mut stretches = Stretches::new(30);
        for entity in 0..2 * STRETCHES_MAX as u32 {
            stretches.note(&incident(entity, entity.into(), Offence::Flood, 40));
        }
        assert_eq!(stretches.iter().count(), STRETCHES_MAX);
        assert_eq!(stretches.iter().next().unwrap().entity.0, 2 * STRETCHES_MAX as u32 - 1);
    }
}
