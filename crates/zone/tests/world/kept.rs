//! The world in the journal, and back from it.

use super::*;
use zone::journal::{Folder, Journal, Stretch};

/// A world in which all happens that can, and what it was after each tick.
fn eventful(ticks: u64) -> (Stretch, Vec<(u64, usize)>) {
    let mut world = world(2);
    for cell in [Some(middle_cell()), middle_cell().next()].into_iter().flatten() {
        world.split(cell).expect("there are cells on both sides");
    }
    let mut crowd = Crowd::new(&mut world, 60, 30.0);
    let around: Vec<_> = middle_cell().parent(LEVEL - 3).descendants(LEVEL).collect();
    let mut dice = Dice(8);
    for _ in 0..5 {
        crowd.walk(&mut world);
        world.tick();
    }
    world.take_record();
    let snapshot = world.snapshot().to_bytes();
    let mut stretch = Stretch { tick: world.tick_count(), snapshot, records: vec![], is_torn: false };
    let mut hashes = vec![(world.bodies_hash(), world.zones().len())];
    for tick in 0..ticks {
        if tick % 11 == 3 {
            crowd.people.push(join(&mut world, middle()));
            crowd.headings.push(DVec3::X);
        }
        if tick % 13 == 5 {
            world.leave(crowd.people.remove(0));
            crowd.headings.remove(0);
        }
        crowd.walk(&mut world);
        if tick % 9 == 4 {
            world.split(around[dice.below(around.len() as u64) as usize]);
        }
        if tick % 17 == 9 {
            let zones = world.zones();
            world.merge(zones[dice.below(zones.len() as u64) as usize].id);
        }
        if tick % 23 == 7 {
            let zones = world.zones();
            world.plant_panic(zones[dice.below(zones.len() as u64) as usize].id);
        }
        world.tick();
        world.publish();
        stretch.records.push((world.tick_count(), world.take_record().to_bytes()));
        hashes.push((world.bodies_hash(), world.zones().len()));
    }
    assert!(world.counts().handovers > 0 && world.counts().merges > 0, "{:?}", world.counts());
    (stretch, hashes)
}

fn restore(stretch: &Stretch) -> World<Ball> {
    World::restore(config(1), Ball, Arc::new(StandingClock), stretch).expect("the stretch is whole").0
}

#[test]
fn a_world_comes_back_as_it_was_after_whatever_tick_the_journal_ends() {
    let (stretch, hashes) = eventful(70);
    for end in (0..=stretch.records.len()).step_by(3) {
        let cut = Stretch { records: stretch.records[..end].to_vec(), ..stretch.clone() };
        let world = restore(&cut);
        assert_eq!(world.tick_count(), stretch.tick + end as u64);
        assert_eq!((world.bodies_hash(), world.zones().len()), hashes[end], "after {end} ticks");
        assert!(world.census().values().all(|count| *count == 1));
    }
}

#[test]
fn a_world_that_came_back_goes_on_and_can_come_back_again() {
    let (stretch, _) = eventful(40);
    let (mut world, mut twin) = (restore(&stretch), restore(&stretch));
    let people: Vec<_> = world.census().into_keys().collect();
    let snapshot = world.snapshot().to_bytes();
    let mut again = Stretch { tick: world.tick_count(), snapshot, records: vec![], is_torn: false };
    for _ in 0..40 {
        for world in [&mut world, &mut twin] {
            let _ = world.take_inputs(people[3], 10_000, &[Input::new(Buttons::FORWARD, DVec3::X)]);
            world.tick();
        }
        again.records.push((world.tick_count(), world.take_record().to_bytes()));
    }
    let new = join(&mut world, middle());
    assert!(people.iter().all(|entity| *entity < new), "a number was given twice");
    assert_eq!(twin.bodies_hash(), restore(&again).bodies_hash());
}

#[test]
fn a_record_that_cannot_be_followed_ends_the_world_before_it() {
    let (mut stretch, hashes) = eventful(20);
    stretch.records[12].1 = vec![9; 30];
    let world = restore(&stretch);
    assert_eq!((world.tick_count(), world.bodies_hash()), (stretch.tick + 12, hashes[12].0));
}

#[test]
fn bodies_come_back_into_a_world_of_another_pace_and_other_cells() {
    let (stretch, _) = eventful(20);
    let before = restore(&stretch);
    let other = WorldConfig { cell_level: LEVEL - 1, pace: Pace::try_from_hz(60).unwrap(), ..config(1) };
    let (world, _) = World::restore(other, Ball, Arc::new(StandingClock), &stretch).unwrap();
    assert_eq!(world.zones().len(), 1);
    for (entity, body) in before.bodies() {
        assert_eq!(world.body(entity).unwrap().0.position, body.position);
    }
    assert_eq!(world.body_count(), before.body_count());
}

#[test]
fn a_folder_gives_back_what_a_world_was() {
    let home = tempfile::tempdir().unwrap();
    let (stretch, hashes) = eventful(10);
    let mut folder = Folder::lock(home.path()).unwrap().open(1, 10).unwrap();
    folder.begin(stretch.tick, &stretch.snapshot).unwrap();
    for (tick, record) in &stretch.records {
        folder.append(*tick, record).unwrap();
    }
    drop(folder);
    let read = Folder::lock(home.path()).unwrap().open(2, 10).unwrap().read_back().unwrap().unwrap();
    assert_eq!(read, stretch);
    assert_eq!(restore(&read).bodies_hash(), hashes[10].0);
}
