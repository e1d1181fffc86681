//! What a bot does with its time.

use cell::TangentFrame;
use glam::DVec3;
use motion::Buttons;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::f64::consts::TAU;
use std::time::Duration;

const PHRASES: [&str; 8] = [
    "hello",
    "nice view from here",
    "where is the water?",
    "which way to the hills?",
    "I like this place",
    "is anyone building near?",
    "see you around",
    "good morning",
];

/// Time between two things said. In a crowd everyone hears everyone: a thousand bots hear thirteen things a second.
const TALK_MIN_MS: u64 = 30_000;
const TALK_MAX_MS: u64 = 120_000;
/// Share of the people in a place who stand and look about at a time.
const STANDING: f64 = 0.26;
/// Share of the walks that are runs, and that begin with a jump.
const RUNNING: f64 = 0.2;
const JUMPING: f64 = 0.03;
/// How near a place counts as reached.
const REACHED_M: f64 = 3.0;
/// Steps after which a traveller looks whether it still gets on, and the metres that count as that.
const PROGRESS_STEPS: u32 = 90;
const PROGRESS_M: f64 = 1.0;

/// What a bot wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Want {
    /// Goes wherever chance leads.
    Stroll,
    /// Walks about within a disc; places are directions from the planet's centre.
    StayNear { centre: DVec3, radius_m: f64 },
    /// Goes straight on for ever, around what it cannot pass.
    Travel,
    /// Goes to and fro between two places.
    Cross { from: DVec3, to: DVec3 },
    /// Does nothing at all.
    Stand,
}

/// Moves and talks by chance; the same seed does the same in the same places.
pub(crate) struct Mind {
    random: StdRng,
    want: Want,
    radius_m: f64,
    buttons: Buttons,
    look: DVec3,
    steps_left: u32,
    /// Where a traveller was when it last looked.
    was_at: DVec3,
    next_say: Duration,
}

impl Mind {
    /// On a planet of this radius.
    pub(crate) fn new(seed: u64, want: Want, radius_m: f64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let next_say = Duration::from_millis(random.random_range(0..TALK_MAX_MS));
        let look = DVec3::from_array(std::array::from_fn(|_| random.random_range(-1.0..1.0)));
        Self {
            random,
            want,
            radius_m,
            buttons: Buttons::default(),
            look,
            steps_left: 0,
            was_at: DVec3::ZERO,
            next_say,
        }
    }

    /// The keys and the direction of the next step of a body at `position`.
    pub(crate) fn step(&mut self, position: DVec3) -> (Buttons, DVec3) {
        if self.steps_left == 0 {
            self.decide(position);
        }
        self.steps_left -= 1;
        (self.buttons, self.look)
    }

    fn decide(&mut self, position: DVec3) {
        match self.want {
            Want::Stroll => self.stroll(),
            Want::StayNear { centre, radius_m } => self.stay_near(position, centre, radius_m),
            Want::Travel => self.travel(position),
            Want::Cross { from, to } => self.cross(position, from, to),
            Want::Stand => self.steps_left = u32::MAX,
        }
    }

    fn stroll(&mut self) {
        self.steps_left = self.random.random_range(30..150);
        self.buttons = match self.random.random_range(0..10) {
            0..=2 => Buttons::default(),
            3 => Buttons::FORWARD.with(Buttons::RUN),
            4 => Buttons::FORWARD.with(Buttons::JUMP),
            5 => Buttons::FORWARD.with(Buttons::LEFT),
            _ => Buttons::FORWARD,
        };
        self.look = DVec3::from_array(std::array::from_fn(|_| self.random.random_range(-1.0..1.0)));
    }

    fn stay_near(&mut self, position: DVec3, centre: DVec3, radius_m: f64) {
        let is_outside = position.distance(centre * position.length()) > radius_m;
        self.steps_left = self.random.random_range(30..150);
        let there = disc_point(&mut self.random, centre, radius_m, self.radius_m);
        self.look = there * position.length() - position;
        self.buttons = if !is_outside && self.random.random_bool(STANDING) {
            // Who stands looks around.
            self.steps_left = self.steps_left.div_ceil(3);
            Buttons::default()
        } else if self.random.random_bool(RUNNING) {
            Buttons::FORWARD.with(Buttons::RUN)
        } else if self.random.random_bool(JUMPING) {
            Buttons::FORWARD.with(Buttons::JUMP)
        } else {
            Buttons::FORWARD
        };
    }

    fn travel(&mut self, position: DVec3) {
        let ways = TangentFrame::at(position);
        let along = self.look - ways.up * self.look.dot(ways.up);
        let is_stuck = position.distance(self.was_at) < PROGRESS_M;
        // A wall or a shore: some other way. Else on, with a little drift.
        let turn =
            if is_stuck { self.random.random_range(0.5..2.5) } else { self.random.random_range(-0.05..0.05) };
        let ahead = along.try_normalize().unwrap_or(ways.north);
        let (sin, cos) = libm::sincos(turn);
        self.look = ahead * cos + ways.up.cross(ahead) * sin;
        self.buttons = Buttons::FORWARD.with(Buttons::RUN);
        self.steps_left = PROGRESS_STEPS;
        self.was_at = position;
    }

    fn cross(&mut self, position: DVec3, from: DVec3, to: DVec3) {
        let reach = |place: DVec3| (place * position.length()).distance(position) < REACHED_M;
        if reach(to) {
            self.want = Want::Cross { from: to, to: from };
            return self.cross(position, to, from);
        }
        self.look = to * position.length() - position;
        let is_stuck = position.distance(self.was_at) < 0.1;
        if is_stuck {
            let ways = TangentFrame::at(position);
            self.look = toward(ways, self.random.random_range(0.0..TAU));
        }
        self.buttons = Buttons::FORWARD.with(Buttons::RUN);
        self.steps_left = if is_stuck { 30 } else { 10 };
        self.was_at = position;
    }

    /// What to say now, `since_start` into the visit, if anything.
    pub(crate) fn talk(&mut self, since_start: Duration) -> Option<&'static str> {
        if since_start < self.next_say || self.want == Want::Stand {
            return None;
        }
        self.next_say =
            since_start + Duration::from_millis(self.random.random_range(TALK_MIN_MS..TALK_MAX_MS));
        Some(PHRASES[self.random.random_range(0..PHRASES.len())])
    }
}

/// A direction evenly chosen in a disc around another.
pub(crate) fn disc_point(
    random: &mut StdRng,
    centre: DVec3,
    disc_radius_m: f64,
    planet_radius_m: f64,
) -> DVec3 {
    let far = disc_radius_m / planet_radius_m * random.random_range(0.0_f64..1.0).sqrt();
    let ways = TangentFrame::at(centre);
    (ways.up + far * toward(ways, random.random_range(0.0..TAU))).normalize()
}

/// A unit vector along the ground, counted from east to north.
pub(crate) fn toward(ways: TangentFrame, angle_rad: f64) -> DVec3 {
    let (sin, cos) = libm::sincos(angle_rad);
    ways.east * cos + ways.north * sin
}

#[cfg(test)]
mod tests {
    use super::*;

    const RADIUS_M: f64 = 796_375.0;

    /// The ways of a body that goes where it is sent, at 0.1 m a step, over a perfect ball.
    fn walk(mind: &mut Mind, from: DVec3, steps: usize) -> Vec<(DVec3, Buttons)> {
        let mut at = from * RADIUS_M;
        let mut path = vec![];
        for _ in 0..steps {
            let (buttons, look) = mind.step(at);
            if buttons.has(Buttons::FORWARD) {
                let up = at.normalize();
                let along = (look - up * look.dot(up)).normalize();
                at = (at + along * 0.1).normalize() * RADIUS_M;
            }
            path.push((at, buttons));
        }
        path
    }

    #[test]
    fn a_stroller_does_all_its_things_and_the_same_again_with_the_same_seed() {
        let steps = |seed| {
            let mut mind = Mind::new(seed, Want::Stroll, RADIUS_M);
            (0..9_000).map(|_| mind.step(DVec3::X)).collect::<Vec<_>>()
        };
        let one = steps(5);
        assert_eq!(one, steps(5));
        assert_ne!(one, steps(6));
        for buttons in [Buttons::default(), Buttons::FORWARD, Buttons::FORWARD.with(Buttons::RUN)] {
            assert!(one.iter().any(|(held, _)| *held == buttons), "never {buttons:?}");
        }
        let mut mind = Mind::new(5, Want::Stroll, RADIUS_M);
        let said = (0..600).filter_map(|s| mind.talk(Duration::from_secs(s))).count();
        assert!((5..=20).contains(&said), "{said} things said in ten minutes");
    }

    #[test]
    fn who_stays_near_neither_leaves_nor_stands_all_the_time() {
        let centre = DVec3::new(0.2, -0.7, 0.4).normalize();
        let mut mind = Mind::new(3, Want::StayNear { centre, radius_m: 40.0 }, RADIUS_M);
        let path = walk(&mut mind, centre, 20_000);
        let far_m = path.iter().map(|(at, _)| at.distance(centre * RADIUS_M)).fold(0.0, f64::max);
        assert!((20.0..56.0).contains(&far_m), "{far_m} m from the middle");
        let moving = path.iter().filter(|(_, buttons)| buttons.has(Buttons::FORWARD)).count();
        assert!((0.6..0.95).contains(&(moving as f64 / 20_000.0)), "{moving} of 20,000 steps");
    }

    #[test]
    fn a_traveller_gets_far_and_who_crosses_comes_back() {
        let start = DVec3::new(0.5, 0.5, -0.3).normalize();
        let path = walk(&mut Mind::new(1, Want::Travel, RADIUS_M), start, 10_000);
        assert!(path[9_999].0.distance(start * RADIUS_M) > 800.0);
        let ways = TangentFrame::at(start);
        let there = (start + ways.east * 60.0 / RADIUS_M).normalize();
        let path = walk(&mut Mind::new(1, Want::Cross { from: start, to: there }, RADIUS_M), start, 10_000);
        let side = |at: &DVec3| (*at - start * RADIUS_M).dot(ways.east) > 30.0;
        let crossings = path.windows(2).filter(|pair| side(&pair[0].0) != side(&pair[1].0)).count();
        assert!((14..=19).contains(&crossings), "{crossings} crossings in a kilometre");
    }
}
