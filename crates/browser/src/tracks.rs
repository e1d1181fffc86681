//! Where to draw other bodies: each on its own way between what the blocks of its cell told.
//!
//! A body is drawn as far in the past as its cell is seldom sent, so that there is a sample on either side of the moment
//! drawn. Where a block comes late it goes on as it went for a moment, and what turns out to have been otherwise is made
//! good in a glide. Where one is lost it stands rather than flickers.

use std::collections::VecDeque;

use glam::{DVec3, Vec3};
use motion::{Ground, Mode};
use wire::stream::Stance;
use wire::{LatticePlace, Seen, rest_height_m};

/// Samples kept per body: more than a seldom sent cell needs, and at ten a second they reach back 0.7 s.
const SAMPLES_MAX: usize = 8;
/// A body is drawn so many of its cell's intervals in the past, before what the network's jitter asks for.
const LAG_INTERVALS: f64 = 1.1;
/// Ticks of another lag that may be made up in one tick.
const LAG_PACE: f64 = 0.15;
/// Ticks for which a body that was moving goes on without news.
const GO_ON_TICKS_MAX: f64 = 8.0;
/// Two samples of one body farther apart than so many metres a tick are a jump, not a way.
const JUMP_M_PER_TICK: f64 = 3.0;
/// Ticks in which a glide fades to a third.
const GLIDE_TICKS: f64 = 2.5;
/// A larger error is not made good in a glide.
const GLIDE_MAX_M: f64 = 5.0;

/// What was last told of one body.
#[derive(Clone, Copy)]
pub(crate) struct Report {
    pub(crate) seen: Seen,
    /// Ticks between two blocks of its cell.
    pub(crate) interval_ticks: u32,
}

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
    interval_ticks: f64,
    tier: u8,
    /// Ticks by which it is drawn behind the others' common moment.
    lag_ticks: f64,
    /// The tick drawn last.
    drawn_tick: Option<f64>,
    /// Added to what is drawn, and fading.
    glide: DVec3,
}

impl Track {
    fn new(report: &Report, ground: &impl Ground) -> Self {
        let seen = &report.seen;
        let interval_ticks = f64::from(report.interval_ticks);
        Self {
            entity_id: seen.entity_id,
            samples: VecDeque::with_capacity(SAMPLES_MAX),
            rest: (seen.place, rest_height_m(seen.direction, ground)),
            interval_ticks,
            tier: 0,
            lag_ticks: interval_ticks * LAG_INTERVALS,
            drawn_tick: None,
            glide: DVec3::ZERO,
        }
    }

    fn take(&mut self, report: &Report, ground: &impl Ground) {
        let seen = &report.seen;
        self.tier = 1 + seen.tier as u8;
        self.interval_ticks = f64::from(report.interval_ticks);
        let newest = self.samples.back().copied();
        if newest.is_some_and(|newest| newest.tick >= seen.updated_tick) {
            return;
        }
        let before = self.drawn_tick.map(|tick| self.at(tick).position);
        if self.rest.0 != seen.place {
            self.rest = (seen.place, rest_height_m(seen.direction, ground));
        }
        if let Some(newest) = newest {
            // Nothing was told of a cell in which nothing moved: it stood there until one interval ago.
            let since = seen.updated_tick.saturating_sub(report.interval_ticks);
            if since > newest.tick && self.step_per_tick() == DVec3::ZERO {
                self.push(Sample { tick: since, ..newest });
            }
        }
        self.push(Sample {
            tick: seen.updated_tick,
            position: seen.direction * (ground.radius_m() + self.rest.1 + seen.height_m),
            facing: seen.facing.as_vec3(),
            mode: match seen.stance {
                Stance::Grounded => Mode::Grounded,
                Stance::Airborne => Mode::Airborne,
                Stance::Swimming | Stance::Diving => Mode::Swimming,
            },
        });
        if let (Some(before), Some(tick)) = (before, self.drawn_tick) {
            let error = self.glide + before - self.at(tick).position;
            self.glide = if error.length() <= GLIDE_MAX_M { error } else { DVec3::ZERO };
        }
    }

    fn push(&mut self, sample: Sample) {
        if self.samples.len() == SAMPLES_MAX {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// Metres a tick of the newest step; none across a jump.
    fn step_per_tick(&self) -> DVec3 {
        let mut newest = self.samples.iter().rev();
        let (Some(to), Some(from)) = (newest.next(), newest.next()) else { return DVec3::ZERO };
        let step = (to.position - from.position) / f64::from(to.tick - from.tick);
        if step.length() > JUMP_M_PER_TICK { DVec3::ZERO } else { step }
    }

    /// The body at `tick`: between the samples around it, at the first before that, and after the last it goes on for a
    /// moment.
    fn at(&self, tick: f64) -> Sample {
        let next = self.samples.partition_point(|sample| f64::from(sample.tick) <= tick);
        let newest = self.samples.len() - 1;
        let (from, to) = (self.samples[next.saturating_sub(1)], self.samples[next.min(newest)]);
        if from.tick == to.tick {
            let late = (tick - f64::from(from.tick)).clamp(0.0, GO_ON_TICKS_MAX);
            let gone_on = if next > newest { self.step_per_tick() * late } else { DVec3::ZERO };
            return Sample { position: from.position + gone_on, ..from };
        }
        let ticks = f64::from(to.tick - from.tick);
        let part = ((tick - f64::from(from.tick)) / ticks).clamp(0.0, 1.0);
        if from.position.distance(to.position) > JUMP_M_PER_TICK * ticks {
            return if part < 0.5 { from } else { to };
        }
        Sample {
            position: from.position.lerp(to.position, part),
            facing: from.facing.lerp(to.facing, part as f32).try_normalize().unwrap_or(to.facing),
            ..if part < 0.5 { from } else { to }
        }
    }

    /// The body at the common moment `tick`, behind it by its own lag; later calls have later ticks.
    fn draw(&mut self, tick: f64, elapsed_ticks: f64) -> Sample {
        let behind = self.interval_ticks * LAG_INTERVALS - self.lag_ticks;
        let slack = elapsed_ticks * LAG_PACE;
        // Not `clamp`: its panic brings along the code that writes numbers.
        self.lag_ticks += behind.max(-slack).min(slack);
        // As good as an exponential, without the code for one.
        let part = elapsed_ticks / GLIDE_TICKS;
        self.glide /= 1.0 + part + part * part / 2.0;
        let own_tick = tick - self.lag_ticks;
        self.drawn_tick = Some(own_tick);
        let sample = self.at(own_tick);
        Sample { position: sample.position + self.glide, ..sample }
    }
}

/// The ways of all bodies in sight, and the arrays that the page reads.
#[derive(Default)]
pub(crate) struct Tracks {
    /// In ascending order of entity id.
    all: Vec<Track>,
    drawn_tick: Option<f64>,
    pub(crate) ids: Vec<u32>,
    pub(crate) positions: Vec<f64>,
    pub(crate) facings: Vec<f32>,
    pub(crate) modes: Vec<u8>,
    pub(crate) tiers: Vec<u8>,
}

impl Tracks {
    /// Takes what is known now, in ascending order of entity id. Who is not told of is gone.
    pub(crate) fn follow(&mut self, reports: impl Iterator<Item = Report>, ground: &impl Ground) {
        let mut before = std::mem::take(&mut self.all).into_iter().peekable();
        for report in reports {
            let id = report.seen.entity_id;
            while before.next_if(|track| track.entity_id < id).is_some() {}
            let known = before.next_if(|track| track.entity_id == id);
            let mut track = known.unwrap_or_else(|| Track::new(&report, ground));
            track.take(&report, ground);
            self.all.push(track);
        }
    }

    /// Places everybody at the common moment `tick`, in arrays in ascending order of entity id.
    pub(crate) fn sample(&mut self, tick: f64) {
        let elapsed = self.drawn_tick.map_or(0.0, |drawn| (tick - drawn).clamp(0.0, 60.0));
        self.drawn_tick = Some(tick);
        self.ids.clear();
        self.positions.clear();
        self.facings.clear();
        self.modes.clear();
        self.tiers.clear();
        for track in &mut self.all {
            let sample = track.draw(tick, elapsed);
            self.ids.push(track.entity_id);
            self.positions.extend(sample.position.to_array());
            self.facings.extend(sample.facing.to_array());
            self.modes.push(sample.mode as u8);
            self.tiers.push(track.tier);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cell::CellId;
    use motion::Surface;
    use wire::stream::Tier;

    const LEVEL: u8 = 14;

    struct Plain;
    impl Ground for Plain {
        fn surface(&self, _: DVec3) -> Surface {
            Surface { elevation_m: 0.0, water_m: None }
        }
        fn radius_m(&self) -> f64 {
            796_375.0
        }
    }

    /// A body `along` lattice steps from a corner of a cell, as the block of `tick` tells.
    fn report(entity_id: u32, along: u16, tick: u32, interval_ticks: u32) -> Report {
        let cell = CellId::from_point(DVec3::new(1.0, 0.2, 0.3)).parent(LEVEL);
        let place = LatticePlace { cell, i: 1000 + along, j: 1000 };
        let direction = place.direction();
        let facing = direction.any_orthonormal_vector();
        let seen = Seen {
            entity_id,
            place,
            direction,
            facing,
            stance: Stance::Grounded,
            height_m: 0.0,
            tier: Tier::Near,
            updated_tick: tick,
            interval_sends: 1,
        };
        Report { seen, interval_ticks }
    }

    fn follow(tracks: &mut Tracks, reports: &[Report]) {
        tracks.follow(reports.iter().copied(), &Plain);
    }

    fn place(tracks: &mut Tracks, tick: f64) -> DVec3 {
        tracks.sample(tick);
        DVec3::from_slice(&tracks.positions)
    }

    fn where_told(along: u16) -> DVec3 {
        report(1, along, 0, 3).seen.direction * Plain.radius_m()
    }

    /// Walks 40 lattice steps an interval and draws thirds of a tick; gives every place drawn.
    fn drawn(interval: u32, hears: impl Fn(u32) -> bool) -> Vec<DVec3> {
        let mut tracks = Tracks::default();
        let mut places = vec![];
        for tick in 0..240 {
            let is_due = tick % interval == 0;
            if is_due && (tick == 0 || hears(tick)) {
                let along = u16::try_from(tick).unwrap() * 10;
                follow(&mut tracks, &[report(1, along, tick, interval)]);
            }
            for third in 0..3 {
                places.push(place(&mut tracks, f64::from(tick) + f64::from(third) / 3.0));
            }
        }
        places
    }

    fn longest_step(places: &[DVec3]) -> f64 {
        places.windows(2).map(|pair| pair[0].distance(pair[1])).fold(0.0, f64::max)
    }

    /// Metres of a steady walk between two drawn moments.
    fn steady_step() -> f64 {
        where_told(1000).distance(where_told(0)) / 300.0
    }

    #[test]
    fn a_walk_is_steady_at_every_rate_of_its_cell() {
        for interval in [1, 3, 6, 15, 30] {
            let places = drawn(interval, |_| true);
            let settled = &places[interval as usize * 9..];
            assert!(longest_step(settled) < steady_step() * 1.3, "every {interval} ticks");
            let lag = where_told(2390).distance(*settled.last().unwrap()) / (steady_step() * 3.0);
            assert!(lag < f64::from(interval) * 1.2 + 1.1, "every {interval} ticks: {lag} ticks behind");
        }
    }

    #[test]
    fn a_lost_block_neither_stops_nor_throws_a_walker() {
        let places = drawn(3, |tick| tick % 21 != 0);
        assert!(longest_step(&places[30..]) < steady_step() * 2.5);
        let places = drawn(3, |tick| !(90..120).contains(&tick));
        assert!(
            longest_step(&places[30..]) < steady_step() * 60.0,
            "a second of silence is made good in a glide"
        );
        assert!(places.last().unwrap().distance(where_told(2390)) < steady_step() * 20.0);
    }

    #[test]
    fn who_stood_while_nothing_was_told_starts_now_and_not_long_ago() {
        let mut tracks = Tracks::default();
        follow(&mut tracks, &[report(1, 0, 3, 3)]);
        follow(&mut tracks, &[report(1, 40, 300, 3)]);
        assert!(place(&mut tracks, 297.0).distance(where_told(0)) < 1e-6);
        assert!(place(&mut tracks, 303.3).distance(where_told(40)) < 1e-3);
    }

    #[test]
    fn a_jump_is_no_way() {
        let mut tracks = Tracks::default();
        follow(&mut tracks, &[report(1, 0, 3, 3)]);
        follow(&mut tracks, &[report(1, 3000, 6, 3)]);
        for tenth in 0..60 {
            let at = place(&mut tracks, 3.0 + f64::from(tenth) / 10.0);
            assert!(at.distance(where_told(0)).min(at.distance(where_told(3000))) < 1e-6);
        }
    }

    #[test]
    fn another_rate_of_the_cell_moves_nobody_backwards() {
        let mut tracks = Tracks::default();
        let mut places = vec![];
        for tick in 0..240_u32 {
            let interval = if (60..150).contains(&tick) { 15 } else { 3 };
            if tick % interval == 0 {
                let along = u16::try_from(tick).unwrap() * 10;
                follow(&mut tracks, &[report(1, along, tick, interval)]);
            }
            places.push(place(&mut tracks, f64::from(tick)));
        }
        let way = (where_told(2000) - where_told(0)).normalize();
        assert!(places.windows(2).all(|pair| (pair[1] - pair[0]).dot(way) > -0.02));
    }

    #[test]
    fn who_is_not_told_of_any_more_is_gone_and_an_old_word_changes_nothing() {
        let mut tracks = Tracks::default();
        follow(&mut tracks, &[report(1, 0, 3, 3), report(2, 9, 3, 3)]);
        tracks.sample(6.0);
        assert_eq!((&tracks.ids[..], &tracks.tiers[..]), (&[1, 2][..], &[1, 1][..]));
        follow(&mut tracks, &[report(2, 9, 9, 3), report(4, 9, 9, 3)]);
        follow(&mut tracks, &[report(2, 700, 6, 3), report(4, 9, 9, 3)]);
        tracks.sample(60.0);
        assert_eq!(tracks.ids, [2, 4]);
        assert!(DVec3::from_slice(&tracks.positions).distance(where_told(9)) < 1e-6);
    }
}
