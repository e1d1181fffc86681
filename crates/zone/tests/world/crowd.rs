//! Borders that move while people walk.

use super::*;
use sim::{Alone, Audience, AudienceConfig, Delivery};

fn audience(crowd: &Crowd) -> Audience {
    let pace = Pace::default();
    let mut audience = Audience::new(AudienceConfig {
        cell_level: LEVEL,
        radius_m: Ball.radius_m(),
        tick_hz: pace.hz(),
        send_ticks: 3,
    });
    crowd.people.iter().for_each(|entity| audience.watch(*entity));
    audience
}

fn frames(audience: &mut Audience, world: &mut World<Ball>) -> Vec<(EntityId, Vec<u8>)> {
    world.publish();
    let mut frames = vec![];
    audience.send(world.tick_count(), &world.views(), &Alone, |entity, frame| {
        frames.push((entity, frame.to_bytes().to_vec()));
        Delivery::Sent
    });
    frames
}

#[test]
fn zones_that_are_split_and_merged_among_a_walking_crowd_change_nothing_that_anybody_sees() {
    let (mut cut, mut whole) = (world(3), world(1));
    let mut crowds = [&mut cut, &mut whole].map(|world| Crowd::new(world, 120, 150.0));
    let mut audiences = crowds.each_ref().map(audience);
    let mut dice = Dice(3);
    let around: Vec<_> = middle_cell().parent(LEVEL - 3).descendants(LEVEL).collect();
    for tick in 0..450 {
        for (world, crowd) in [&mut cut, &mut whole].into_iter().zip(&mut crowds) {
            crowd.walk(world);
            world.tick();
        }
        if tick % 7 == 0 {
            let zones = cut.zones();
            if zones.len() < 6 || dice.below(2) == 0 {
                cut.split(around[dice.below(around.len() as u64) as usize]);
            } else {
                cut.merge(zones[dice.below(zones.len() as u64) as usize].id);
            }
        }
        assert_all_once(&cut, &crowds[0].people);
        assert_eq!(cut.bodies_hash(), whole.bodies_hash(), "tick {tick}");
        let [one, other] = &mut audiences;
        assert!(frames(one, &mut cut) == frames(other, &mut whole), "frames differ after tick {tick}");
    }
    let counts = cut.counts();
    assert!(counts.splits > 10 && counts.merges > 10 && counts.handovers > 20, "{counts:?}");
}

#[test]
fn the_number_of_threads_decides_nothing() {
    let run = |threads| {
        let mut world = world(threads);
        for cell in middle_cell().parent(LEVEL - 2).descendants(LEVEL).skip(1) {
            world.split(cell);
        }
        let mut crowd = Crowd::new(&mut world, 80, 120.0);
        let records: Vec<_> = (0..90)
            .map(|_| {
                crowd.walk(&mut world);
                world.tick();
                world.take_record().to_bytes()
            })
            .collect();
        (records, world.snapshot().to_bytes())
    };
    let alone = run(1);
    assert!(alone == run(2) && alone == run(5));
}

#[test]
fn a_crowded_zone_is_split_where_its_load_halves_and_two_empty_ones_become_one() {
    let mut config = config(1);
    // A hundred bodies are a whole tick.
    let each = Duration::from_secs(1) / (30 * 100);
    config.balance = Balance { cells_min: 1, cost: Cost::PerBody(each), ..Balance::default() };
    let mut world = World::new(config, Ball, Arc::new(StandingClock));
    let mut crowd = Crowd::new(&mut world, 100, 300.0);
    for _ in 0..30 * 8 {
        crowd.walk(&mut world);
        world.tick();
    }
    let bodies: Vec<_> = world.zones().iter().map(|zone| zone.bodies).collect();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(bodies.iter().all(|count| (35..=65).contains(count)), "{bodies:?}");
    for entity in crowd.people.drain(..95) {
        world.leave(entity);
    }
    for _ in 0..30 * 8 {
        world.tick();
    }
    assert_eq!(world.zones().len(), 1);
    assert_all_once(&world, &crowd.people);
}

#[test]
fn no_zone_becomes_smaller_than_sixteen_cells() {
    let mut config = config(1);
    config.balance = Balance::default();
    let mut world = World::new(config, Ball, Arc::new(StandingClock));
    let first = world.zones()[0].first;
    let nth = |n: usize| std::iter::successors(Some(first), |cell| cell.next()).nth(n).unwrap();
    assert_eq!(world.split(nth(15)), None);
    assert!(world.split(nth(16)).is_some());
    assert_eq!(world.split(nth(24)), None);
    assert!(world.split(nth(32)).is_some());
}
