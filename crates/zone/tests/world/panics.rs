//! Zones that panic.

use super::*;

#[test]
fn a_zone_that_panics_is_as_it_would_have_been_and_the_others_notice_nothing() {
    let (mut struck, mut calm) = (world(2), world(1));
    for world in [&mut struck, &mut calm] {
        world.split(middle_cell()).unwrap();
    }
    let mut crowds = [&mut struck, &mut calm].map(|world| Crowd::new(world, 60, 100.0));
    for tick in 0..200 {
        if tick % 37 == 20 {
            let zones = struck.zones();
            struck.plant_panic(zones[tick / 37 % zones.len()].id);
        }
        if tick == 100 {
            // From a snapshot and from the beginning.
            struck.snapshot();
        }
        for (world, crowd) in [&mut struck, &mut calm].into_iter().zip(&mut crowds) {
            crowd.walk(world);
            world.tick();
            world.publish();
            world.take_record();
        }
        assert_all_once(&struck, &crowds[0].people);
        assert_eq!(struck.bodies_hash(), calm.bodies_hash(), "tick {tick}");
    }
    assert_eq!((struck.counts().recoveries, struck.counts().lost), (5, 0));
    assert!(struck.take_lost().is_empty());
}

#[test]
fn all_zones_that_panic_in_one_tick_come_back() {
    let mut world = world(3);
    world.split(middle_cell()).unwrap();
    world.split(middle_cell().next().unwrap()).unwrap();
    let mut crowd = Crowd::new(&mut world, 30, 100.0);
    for _ in 0..20 {
        crowd.walk(&mut world);
        world.tick();
        world.take_record();
    }
    world.zones().iter().for_each(|zone| world.plant_panic(zone.id));
    let before: Vec<_> = crowd.people.iter().map(|it| world.body(*it).unwrap().0.position).collect();
    world.tick();
    assert_all_once(&world, &crowd.people);
    for (entity, before) in crowd.people.iter().zip(before) {
        // A run is eight metres a second at most.
        assert!(world.body(*entity).unwrap().0.position.distance(before) < 0.5);
    }
    assert_eq!(world.counts().recoveries, 3);
}
