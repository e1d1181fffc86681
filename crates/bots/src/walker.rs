//! What a bot does with its time.

use glam::DVec3;
use motion::Buttons;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
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

/// Walks, turns, stops, jumps and talks by chance; the same seed does the same.
pub(crate) struct Walker {
    random: StdRng,
    buttons: Buttons,
    look: DVec3,
    steps_left: u32,
    next_say: Duration,
}

impl Walker {
    /// Looks along `look` first.
    pub(crate) fn new(seed: u64, look: DVec3) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let next_say = Duration::from_millis(random.random_range(0..TALK_MAX_MS));
        Self { random, buttons: Buttons::default(), look, steps_left: 0, next_say }
    }

    /// The keys and the direction of the next step.
    pub(crate) fn step(&mut self) -> (Buttons, DVec3) {
        if self.steps_left == 0 {
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
        self.steps_left -= 1;
        (self.buttons, self.look)
    }

    /// What to say now, `since_start` into the visit, if anything.
    pub(crate) fn talk(&mut self, since_start: Duration) -> Option<&'static str> {
        if since_start < self.next_say {
            return None;
        }
        self.next_say =
            since_start + Duration::from_millis(self.random.random_range(TALK_MIN_MS..TALK_MAX_MS));
        Some(PHRASES[self.random.random_range(0..PHRASES.len())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walker_does_all_its_things_and_the_same_again_with_the_same_seed() {
        let steps = |seed| {
            let mut walker = Walker::new(seed, DVec3::X);
            (0..9_000).map(|_| walker.step()).collect::<Vec<_>>()
        };
        let one = steps(5);
        assert_eq!(one, steps(5));
        assert_ne!(one, steps(6));
        for buttons in [Buttons::default(), Buttons::FORWARD, Buttons::FORWARD.with(Buttons::RUN)] {
            assert!(one.iter().any(|(held, _)| *held == buttons), "never {buttons:?}");
        }
        let mut walker = Walker::new(5, DVec3::X);
        let said = (0..600).filter_map(|s| walker.talk(Duration::from_secs(s))).count();
        assert!((5..=20).contains(&said), "{said} things said in ten minutes");
    }
}
