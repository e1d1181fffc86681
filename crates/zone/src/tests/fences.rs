//! Fences as walkers and those who change them meet them.

use super::*;
use crate::fences::{Admission, Fence};
use cell::CellId;
use motion::{ClosedLand, Fenced, Predictor};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use wire::Fences;

/// A fence in words that tests can change.
#[derive(Clone)]
struct Sign {
    parcel: CellId,
    lots: Vec<CellId>,
    /// Accounts and groups that may come in, each until a time if there is one.
    admitted: Vec<(Uuid, Option<i64>)>,
}

/// All fences of a world, and who is in which group.
#[derive(Default)]
struct World {
    signs: Mutex<Vec<Sign>>,
    groups: Mutex<Vec<(Uuid, Uuid)>>,
    is_broken: Mutex<bool>,
    reads: AtomicUsize,
}

impl World {
    fn source(self: &Arc<Self>) -> FenceSource {
        let (world, people) = (Arc::clone(self), Arc::clone(self));
        FenceSource {
            fences_in: Arc::new(move |_, tile| {
                world.reads.fetch_add(1, Ordering::Relaxed);
                if *world.is_broken.lock().unwrap() {
                    return Err(store::Error::Unavailable { detail: "broken for a test".into() });
                }
                let signs = world.signs.lock().unwrap().clone();
                let of = |sign: Sign| {
                    let lots: Vec<_> = sign.lots.iter().copied().filter(|lot| tile.contains(*lot)).collect();
                    (!lots.is_empty()).then(|| Fence {
                        parcel: sign.parcel,
                        lots,
                        admits: admits(sign.admitted),
                    })
                };
                Ok(signs.into_iter().filter_map(of).collect())
            }),
            groups_of: Arc::new(move |_, account_id| {
                let groups = people.groups.lock().unwrap();
                let of_account = groups.iter().filter(|(_, member)| *member == account_id);
                Ok(of_account.map(|(group, _)| (*group, true)).collect())
            }),
        }
    }

    fn put(&self, lots: &[CellId], admitted: &[(Uuid, Option<i64>)]) {
        let sign = Sign { parcel: lots[0], lots: lots.to_vec(), admitted: admitted.to_vec() };
        let mut signs = self.signs.lock().unwrap();
        signs.retain(|other| other.parcel != sign.parcel);
        signs.push(sign);
    }
}

fn admits(admitted: Vec<(Uuid, Option<i64>)>) -> crate::fences::Admits {
    Arc::new(move |visitor, now_us| {
        let is_meant =
            |id: Uuid| id == visitor.account_id || visitor.groups.iter().any(|(group, _)| *group == id);
        let mut admission = Admission { is_admitted: false, until_us: None };
        for (id, until_us) in &admitted {
            if is_meant(*id) && until_us.is_none_or(|until_us| now_us < until_us) {
                admission = Admission { is_admitted: true, until_us: *until_us };
            }
        }
        admission
    })
}

async fn stage(world: &Arc<World>) -> Stage {
    Stage::fenced(ZoneConfig::default(), Some(world.source())).await
}

fn lot_at(place: DVec3) -> CellId {
    CellId::from_point(place).parent(PLANET.grid_level(15))
}

/// The lot of arrival, and the one next to it that lies inland.
fn home() -> (CellId, CellId) {
    let arrival = PLANET.arrival();
    let home = lot_at(arrival.ground);
    let inland = arrival.ground - arrival.facing * (60.0 / PLANET.radius_m());
    let nearest = |lot: &CellId| lot.center().distance(inland);
    let next = home.edge_neighbors().into_iter().min_by(|a, b| nearest(a).total_cmp(&nearest(b)));
    (home, next.expect("a lot has four neighbours"))
}

/// What messages of fences make of a list.
fn follow(session: &mut Session, closed: &mut ClosedLand) -> Vec<Fences> {
    let mut heard = vec![];
    for bytes in drain(session) {
        if let Ok(ServerMessage::Fences(fences)) = ServerMessage::decode(&bytes) {
            fences.apply(closed).unwrap();
            heard.push(fences);
        }
    }
    heard
}

/// Ticks until the condition holds; what is read meanwhile is read on another thread.
async fn until(stage: &mut Stage, what: &str, mut condition: impl FnMut(&mut Stage) -> bool) {
    for _ in 0..2_000 {
        if condition(stage) {
            return;
        }
        stage.ticks(1);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{what} never came");
}

/// As it was published last: at most three ticks ago.
fn body_of(stage: &Stage, account_id: Uuid) -> DVec3 {
    stage.handle.position_of(account_id).expect("it is here")
}

#[tokio::test]
async fn who_arrives_is_told_what_is_closed_before_the_first_frame_and_nothing_where_all_is_open() {
    let world = Arc::<World>::default();
    let mut stage = stage(&world).await;
    let (mut ann, _) = stage.join(request(ANN)).await;
    stage.ticks(6);
    assert_eq!(told(&mut ann), Vec::<String>::new());
    drop(ann);
    let (_, next) = home();
    world.put(&[next], &[(BOB, None)]);
    stage.handle.fence_changed(next, vec![next]);
    let before = world.reads.load(Ordering::Relaxed);
    until(&mut stage, "the fence", |_| world.reads.load(Ordering::Relaxed) > before).await;
    stage.seconds(LINK_DEAD_S + 1);
    let (mut ann, welcome) = stage.join(request(ANN)).await;
    let messages = drain(&mut ann);
    let Ok(ServerMessage::Fences(fences)) = ServerMessage::decode(&messages[0]) else {
        panic!("{:?}", messages.len())
    };
    assert!(fences.is_restart && fences.after_input_seq == welcome.last_input_seq);
    let mut closed = ClosedLand::default();
    fences.apply(&mut closed).unwrap();
    assert_eq!(closed.lots(), [(next, next.raw())]);
    // Who is on the list is told nothing.
    let (mut bob, _) = stage.join(request(BOB)).await;
    stage.ticks(6);
    assert_eq!(told(&mut bob), Vec::<String>::new());
    // One who comes back over another connection is told again.
    let (mut ann, _) = stage.join(resume(ANN, &welcome)).await;
    assert_eq!(told(&mut ann), ["fences all +1 -0"]);
}

#[tokio::test]
async fn a_walker_is_held_at_a_fence_and_a_client_that_follows_it_needs_no_correction() {
    let world = Arc::<World>::default();
    let (home, next) = home();
    world.put(&[next], &[]);
    let mut stage = stage(&world).await;
    let (mut ann, welcome) = stage.join(request(ANN)).await;
    let mut closed = ClosedLand::default();
    follow(&mut ann, &mut closed);
    assert_eq!(closed.lots().len(), 1);
    let ground = PlanetGround(Arc::clone(&PLANET));
    let start = welcome.body.and_then(|body| body.to_body()).unwrap();
    let mut predictor = Predictor::new(start, welcome.last_input_seq, motion::Pace::default());
    let mut is_open = false;
    for (round, seq) in (0..900).zip(1..) {
        if round == 600 {
            assert_eq!(lot_at(body_of(&stage, ANN)), home, "held");
            world.signs.lock().unwrap().clear();
            stage.handle.fence_changed(next, vec![next]);
        }
        let look = next.center() - predictor.body().up();
        let input = Input::new(Buttons::FORWARD, look);
        predictor.step(input, &Fenced { ground: &ground, closed: &closed });
        let batch = InputBatch { first_seq: seq, inputs: vec![input] };
        ann.receive(&ClientMessage::Input(batch).encode()).unwrap();
        stage.ticks(1);
        if round >= 600 && !is_open {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for bytes in drain(&mut ann) {
            match ServerMessage::decode(&bytes) {
                Ok(ServerMessage::Fences(fences)) => {
                    fences.apply(&mut closed).unwrap();
                    let fenced = Fenced { ground: &ground, closed: &closed };
                    predictor.repeat_after(fences.after_input_seq, &fenced);
                    is_open = closed.is_empty();
                }
                Ok(ServerMessage::Frame(frame)) => {
                    let fenced = Fenced { ground: &ground, closed: &closed };
                    let off_m = predictor.reconcile(frame.head.own, frame.head.last_input_seq, &fenced);
                    assert_eq!(off_m, 0.0, "round {round}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(is_open, "the change was told");
    assert_eq!(lot_at(body_of(&stage, ANN)), next, "and the way was free");
}

#[tokio::test]
async fn who_is_inside_when_it_is_closed_stays_and_who_comes_back_later_stands_outside() {
    let world = Arc::<World>::default();
    let (home, next) = home();
    let mut stage = stage(&world).await;
    let (mut ann, welcome) = stage.join(request(ANN)).await;
    let inside = lot_at(body_of(&stage, ANN));
    assert_eq!(inside, home);
    world.put(&[home, next], &[]);
    stage.handle.fence_changed(home, vec![home, next]);
    let mut closed = ClosedLand::default();
    until(&mut stage, "the fence", |_| !follow(&mut ann, &mut closed).is_empty()).await;
    let before = body_of(&stage, ANN);
    stage.ticks(30);
    assert_eq!(body_of(&stage, ANN), before, "nobody is thrown out");
    // A connection that was lost goes on in the same place.
    let (ann, _) = stage.join(resume(ANN, &welcome)).await;
    assert_eq!(body_of(&stage, ANN), before);
    // One who has been away begins outside, as near as can be.
    drop(ann);
    stage.seconds(LINK_DEAD_S + 1);
    let (_ann, _) = stage.join(request(ANN)).await;
    let place = body_of(&stage, ANN);
    assert!(closed.parcel_at(place).is_none());
    assert!(place.distance(before) < 120.0, "{} m away", place.distance(before));
}

#[tokio::test]
async fn a_role_that_ends_closes_the_land_within_a_second_and_a_group_opens_it() {
    let world = Arc::<World>::default();
    let (_, next) = home();
    let guild = Uuid::from_u128(77);
    let mut stage = stage(&world).await;
    let ends_us = (stage.clock.unix_ms() * 1e3) as i64 + 20_000_000;
    world.put(&[next], &[(ANN, Some(ends_us)), (guild, None)]);
    let (mut ann, _) = stage.join(request(ANN)).await;
    let mut closed = ClosedLand::default();
    for _ in 0..57 {
        stage.ticks(10);
        assert!(follow(&mut ann, &mut closed).is_empty());
    }
    let since_ms = stage.clock.unix_ms();
    until(&mut stage, "the end of the role", |_| !follow(&mut ann, &mut closed).is_empty()).await;
    let late_ms = stage.clock.unix_ms() - (ends_us as f64 / 1e3);
    assert!((-40.0..1_100.0).contains(&late_ms), "{late_ms} ms late, looked from {since_ms}");
    assert_eq!(closed.lots().len(), 1);
    world.groups.lock().unwrap().push((guild, ANN));
    stage.handle.groups_changed(ANN);
    until(&mut stage, "the group", |_| !follow(&mut ann, &mut closed).is_empty()).await;
    assert!(closed.is_empty());
    world.groups.lock().unwrap().clear();
    stage.handle.fences_lost();
    until(&mut stage, "what was missed", |_| !follow(&mut ann, &mut closed).is_empty()).await;
    assert_eq!(closed.lots().len(), 1);
}

#[tokio::test]
async fn when_fences_cannot_be_read_nobody_new_arrives_and_those_here_go_on() {
    let world = Arc::<World>::default();
    let (_, next) = home();
    world.put(&[next], &[]);
    let mut stage = stage(&world).await;
    let (mut ann, _) = stage.join(request(ANN)).await;
    let mut closed = ClosedLand::default();
    follow(&mut ann, &mut closed);
    *world.is_broken.lock().unwrap() = true;
    // Ground that is known is no matter; further away it is.
    assert!(stage.try_join(request(BOB)).await.is_ok());
    let refused = stage.try_join(request_at(CAT, 30_000.0)).await;
    assert!(matches!(refused, Err(JoinError::Store(_))), "{:?}", refused.err());
    world.put(&[next], &[(ANN, None)]);
    stage.handle.fence_changed(next, vec![next]);
    stage.seconds(3);
    tokio::time::sleep(Duration::from_millis(30)).await;
    stage.ticks(1);
    assert!(follow(&mut ann, &mut closed).is_empty(), "what was known stays");
    *world.is_broken.lock().unwrap() = false;
    until(&mut stage, "the fence at last", |_| !follow(&mut ann, &mut closed).is_empty()).await;
    assert!(closed.is_empty());
    assert!(stage.try_join(request_at(CAT, 30_000.0)).await.is_ok());
}

fn around_the_planet(n: u32) -> JoinRequest {
    let place = LatLng::from_degrees(20.0, 14.0 * f64::from(n) - 179.0).unwrap();
    JoinRequest { arrive_at: Some(place), ..request(ANN) }
}

#[tokio::test]
async fn ground_that_nobody_is_near_any_more_is_forgotten() {
    let world = Arc::<World>::default();
    let mut stage = stage(&world).await;
    let mut sessions = vec![];
    for n in 0..24 {
        // The same traveller, all around the planet.
        sessions.push(stage.join(around_the_planet(n)).await.0);
        stage.seconds(1);
    }
    let tiles = stage.host.fence_tile_count();
    assert!(tiles <= 64 + 3 * 18, "{tiles} tiles are remembered");
    let reads = world.reads.load(Ordering::Relaxed);
    let (_ann, _) = stage.join(around_the_planet(23)).await;
    assert_eq!(world.reads.load(Ordering::Relaxed), reads, "what is known is not read again");
}

#[tokio::test]
async fn a_fence_that_changes_near_many_is_told_to_all_of_them_over_some_ticks() {
    let world = Arc::<World>::default();
    let (_, next) = home();
    let mut stage = stage(&world).await;
    let mut crowd = vec![];
    for n in 0..300 {
        crowd.push(stage.join(request(Uuid::from_u128(1_000 + n))).await.0);
    }
    world.put(&[next], &[]);
    stage.handle.fence_changed(next, vec![next]);
    let mut left = crowd.len();
    until(&mut stage, "the fence for all", |_| {
        for session in &mut crowd {
            left -= follow(session, &mut ClosedLand::default()).len();
        }
        left == 0
    })
    .await;
}
