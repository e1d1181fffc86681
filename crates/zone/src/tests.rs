//! The zone as players, land and the operator meet it, with the clock moved by hand.

use crate::clock::Clock;
use crate::fences::FenceSource;
use crate::handle::{
    Command, Deps, EventFor, Handle, JoinError, JoinRequest, SessionId, ZoneConfig, assemble, start,
};
use crate::host::{Host, Origin, PlanetGround};
use crate::limits::{
    FORGOTTEN_PER_TICK_MAX, INBOX_MAX, QUEUED_CONTROLS_MAX, QUEUED_EVENTS_MAX, QUEUED_FRAMES_MAX,
    SLOW_READER_S,
};
use crate::saved::Saver;
use crate::{LINK_DEAD_S, MIGRATIONS, Session, SystemClock};
use bytes::Bytes;
use cell::LatLng;
use glam::DVec3;
use motion::{Buttons, Input};
use planet::{Planet, PlanetSpec};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use store::Store;
use store::testing::{TestDatabase, for_each_engine};
use uuid::Uuid;
use wire::{
    ClientMessage, Hello, InputBatch, Kind, LotChanged, Ping, Say, ServerMessage, View, Welcome, WhoIs,
};

mod fences;
mod opening;

static PLANET: LazyLock<Arc<Planet>> =
    LazyLock::new(|| Arc::new(Planet::generate(PlanetSpec::for_test(1, 9))));

const ANN: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);
const CAT: Uuid = Uuid::from_u128(3);

#[derive(Default)]
struct HandClock(AtomicU64);

impl HandClock {
    fn advance(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_nanos()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn unix_ms(&self) -> f64 {
        1.7e12 + self.elapsed().as_secs_f64() * 1e3
    }
}

/// A zone whose ticks are made here.
struct Stage {
    host: Host,
    handle: Handle,
    saver: Arc<Saver>,
    clock: Arc<HandClock>,
    _database: TestDatabase,
}

impl Stage {
    async fn new() -> Self {
        Self::with(ZoneConfig::default()).await
    }

    async fn with(config: ZoneConfig) -> Self {
        Self::fenced(config, None).await
    }

    async fn fenced(config: ZoneConfig, fences: Option<FenceSource>) -> Self {
        let database = TestDatabase::sqlite();
        let store = database.open(MIGRATIONS).await;
        let clock = Arc::<HandClock>::default();
        let deps = Deps { fences, ..deps(store, clock.clone()) };
        let (host, handle) =
            assemble(config, deps, Origin::default(), |_| tokio::spawn(std::future::pending()));
        let saver = Arc::clone(&handle.saver);
        Self { host, handle, saver, clock, _database: database }
    }

    fn ticks(&mut self, count: u64) {
        for _ in 0..count {
            self.clock.advance(Duration::from_secs(1) / 30);
            assert!(self.host.tick());
        }
    }

    fn seconds(&mut self, seconds: u64) {
        self.ticks(30 * seconds);
    }

    /// Ticks in which somebody walks, so that there is something to tell each time.
    fn walking(&mut self, session: &mut Session, seq: &mut u32, count: u64) {
        for _ in 0..count {
            *seq += 1;
            let inputs = vec![Input::new(Buttons::FORWARD, -PLANET.arrival().facing)];
            let message = ClientMessage::Input(InputBatch { first_seq: *seq, inputs });
            // One who was sent away is not heard, and does not mind.
            let _ = session.receive(&message.encode());
            self.ticks(1);
        }
    }

    async fn try_join(&mut self, request: JoinRequest) -> Result<Session, JoinError> {
        let handle = self.handle.clone();
        let connect = handle.connect(request);
        tokio::pin!(connect);
        loop {
            tokio::select! {
                session = &mut connect => return session,
                // The position is being read on another thread; nobody else needs this tick.
                () = tokio::time::sleep(Duration::from_millis(1)) => self.ticks(1),
            }
        }
    }

    async fn join(&mut self, request: JoinRequest) -> (Session, Welcome) {
        let mut session = self.try_join(request).await.expect("there is room");
        let first = session.next().await.expect("a session begins with a message");
        let Ok(ServerMessage::Welcome(welcome)) = ServerMessage::decode(&first) else { panic!("no welcome") };
        (session, welcome)
    }
}

fn deps(store: Store, clock: Arc<dyn Clock>) -> Deps {
    Deps { planet: Arc::clone(&PLANET), store, clock, fences: None }
}

fn request(account_id: Uuid) -> JoinRequest {
    let display_name = format!("name {}", account_id.as_u128());
    JoinRequest { account_id, display_name, color: 0x33_66_99, resume_token: None, arrive_at: None }
}

/// A request to arrive so far from the arrival place, towards what newcomers look at less or more inland.
fn request_at(account_id: Uuid, metres: f64) -> JoinRequest {
    let arrival = PLANET.arrival();
    let place = arrival.ground - arrival.facing * (metres / PLANET.radius_m());
    JoinRequest { arrive_at: Some(LatLng::from_point(place)), ..request(account_id) }
}

fn resume(account_id: Uuid, welcome: &Welcome) -> JoinRequest {
    let resume_token = Some(welcome.resume_token.as_slice().try_into().unwrap());
    JoinRequest { resume_token, ..request(account_id) }
}

fn drain(session: &mut Session) -> Vec<Bytes> {
    std::iter::from_fn(|| session.try_next()).collect()
}

/// The messages that wait and are no frames, in a form to compare.
fn told(session: &mut Session) -> Vec<String> {
    drain(session)
        .iter()
        .filter_map(|bytes| match ServerMessage::decode(bytes).expect("the zone's messages are whole") {
            ServerMessage::Frame(_) => None,
            ServerMessage::Welcome(_) => Some("welcome".into()),
            ServerMessage::Said(said) => Some(format!("{}: {}", said.display_name, said.text)),
            ServerMessage::People(list) => Some(format!(
                "people {}",
                list.people.iter().map(|person| person.display_name.as_str()).collect::<Vec<_>>().join(", ")
            )),
            ServerMessage::Pong(pong) => Some(format!("pong {}", pong.client_time_ms)),
            ServerMessage::Refused(refused) => Some(format!("refused {}", refused.code)),
            ServerMessage::LotChanged(lot) => Some(format!("lot {}", lot.lot_token)),
            ServerMessage::Bye(bye) => Some(format!("bye {}", bye.code)),
            ServerMessage::Event(event) => Some(format!("event {}", event.kind)),
            ServerMessage::Fences(fences) => Some(fences_told(&fences)),
            ServerMessage::Pace(pace) => Some(format!("pace {}", pace.stretch)),
        })
        .collect()
}

fn fences_told(fences: &wire::Fences) -> String {
    let closed: usize = fences.closed.iter().map(|parcel| parcel.cells.len()).sum();
    let restart = if fences.is_restart { "all " } else { "" };
    format!("fences {restart}+{closed} -{}", fences.opened_cells.len())
}

fn say(session: &mut Session, text: &str) -> Result<(), &'static str> {
    let message = ClientMessage::Say(Say { text: text.into() });
    session.receive(&message.encode()).map_err(|fault| fault.code)
}

fn walk(session: &mut Session, first_seq: u32, look: DVec3) {
    let inputs = vec![Input::new(Buttons::FORWARD, look); 10];
    let message = ClientMessage::Input(InputBatch { first_seq, inputs });
    session.receive(&message.encode()).unwrap();
}

fn place_of(welcome: &Welcome) -> DVec3 {
    welcome.body.and_then(|body| body.to_body()).expect("a welcome holds a body").position
}

#[tokio::test]
async fn a_session_begins_with_a_welcome_and_goes_on_with_ten_frames_a_second() {
    let mut stage = Stage::new().await;
    let (mut session, welcome) = stage.join(request(ANN)).await;
    assert_eq!((welcome.tick_hz, welcome.send_hz, welcome.resumed), (30, 10, false));
    stage.ticks(3);
    let mut view = View::default();
    let mut ticks = vec![];
    let mut read = |session: &mut Session| {
        let messages = drain(session);
        for bytes in &messages {
            let Ok(ServerMessage::Frame(frame)) = ServerMessage::decode(bytes) else { panic!("no frame") };
            assert_eq!(view.apply(&frame), Ok(0));
            assert_eq!(frame.head.is_restart, ticks.is_empty());
            ticks.push(frame.head.tick);
        }
        messages.len()
    };
    read(&mut session);
    let mut seq = 0;
    // The queue takes eight: read in time.
    let frames: usize = (0..5)
        .map(|_| {
            stage.walking(&mut session, &mut seq, 6);
            read(&mut session)
        })
        .sum();
    assert_eq!(frames, 10);
    // Before the first step there was nothing to tell.
    let walked = &ticks[ticks.len() - frames..];
    assert!(walked.windows(2).all(|pair| pair[1] - pair[0] == 3), "{ticks:?}");
    assert_eq!(view.bodies().map(|body| body.entity_id).collect::<Vec<_>>(), [welcome.entity_id]);
    assert!(stage.handle.position_of(ANN).unwrap().distance(place_of(&welcome)) < 5.0);
    let stats = stage.handle.stats();
    assert_eq!((stats.connected, stats.bodies, stats.dropped_frames), (1, 1, 0));
}

/// A claim may follow at once.
#[tokio::test]
async fn whoever_was_welcomed_is_known_to_be_there() {
    let mut stage = Stage::new().await;
    let mut sessions = vec![];
    // On whichever tick between two publications they come.
    for account_id in (10..20).map(Uuid::from_u128) {
        let (session, welcome) = stage.join(request(account_id)).await;
        assert_eq!(stage.handle.position_of(account_id), Some(place_of(&welcome)));
        sessions.push(session);
    }
}

#[tokio::test]
async fn inputs_move_the_body_and_the_frames_tell_which_were_applied() {
    let mut stage = Stage::new().await;
    let (mut session, welcome) = stage.join(request(ANN)).await;
    let look = -PLANET.arrival().facing;
    for batch in 0..6 {
        walk(&mut session, 1 + batch * 10, look);
        stage.ticks(10);
    }
    stage.ticks(3);
    let last = drain(&mut session).pop().unwrap();
    let Ok(ServerMessage::Frame(frame)) = ServerMessage::decode(&last) else { panic!("no frame") };
    assert_eq!(frame.head.last_input_seq, 60);
    let moved_m = frame.head.own.position.distance(place_of(&welcome));
    assert!((4.0..7.0).contains(&moved_m), "{moved_m} m in 2 s");
}

#[tokio::test]
async fn two_strangers_arrive_a_few_metres_apart_and_see_and_name_each_other() {
    let mut stage = Stage::new().await;
    let (mut ann, ann_welcome) = stage.join(request(ANN)).await;
    let (_bob, bob_welcome) = stage.join(request(BOB)).await;
    let apart_m = place_of(&ann_welcome).distance(place_of(&bob_welcome));
    assert!((1.5..10.0).contains(&apart_m), "{apart_m} m apart");
    stage.ticks(6);
    drain(&mut ann);
    let entity_ids = vec![ann_welcome.entity_id, bob_welcome.entity_id, 999];
    ann.receive(&ClientMessage::WhoIs(WhoIs { entity_ids }).encode()).unwrap();
    stage.ticks(1);
    assert_eq!(told(&mut ann), ["people name 1, name 2"]);
}

#[tokio::test]
async fn one_who_is_out_of_sight_is_not_named() {
    let mut stage = Stage::new().await;
    let (mut ann, _) = stage.join(request(ANN)).await;
    let (_bob, bob_welcome) = stage.join(request_at(BOB, 900.0)).await;
    stage.ticks(6);
    drain(&mut ann);
    let entity_ids = vec![bob_welcome.entity_id];
    ann.receive(&ClientMessage::WhoIs(WhoIs { entity_ids }).encode()).unwrap();
    stage.ticks(1);
    assert_eq!(told(&mut ann), ["people "]);
}

#[tokio::test]
async fn something_said_is_heard_within_50_metres_and_by_oneself() {
    let mut stage = Stage::new().await;
    let (mut ann, ann_welcome) = stage.join(request(ANN)).await;
    let (mut bob, bob_welcome) = stage.join(request_at(BOB, 25.0)).await;
    let (mut cat, cat_welcome) = stage.join(request_at(CAT, 90.0)).await;
    let distance_m = |other: &Welcome| place_of(&ann_welcome).distance(place_of(other));
    assert!(distance_m(&bob_welcome) < 50.0 && distance_m(&cat_welcome) > 50.0);
    stage.ticks(3);
    say(&mut ann, " hello ").unwrap();
    stage.ticks(1);
    assert_eq!(told(&mut ann), ["name 1: hello"]);
    assert_eq!(told(&mut bob), ["name 1: hello"]);
    assert_eq!(told(&mut cat), Vec::<String>::new());
}

#[tokio::test]
async fn talk_that_is_empty_long_or_tricky_is_refused_and_the_connection_goes_on() {
    let mut stage = Stage::new().await;
    let (mut ann, _) = stage.join(request(ANN)).await;
    assert_eq!(say(&mut ann, "  "), Err("text_empty"));
    assert_eq!(say(&mut ann, &"x".repeat(241)), Err("text_too_long"));
    assert_eq!(say(&mut ann, "a\u{202e}b"), Err("text_characters"));
    assert_eq!(say(&mut ann, "x"), Ok(()));
    assert_eq!(ann.refuse("too_fast", "as the gateway does".into()).code, "too_fast");
    stage.ticks(1);
    let told = told(&mut ann);
    let refused: Vec<_> = told.iter().filter(|line| line.starts_with("refused")).collect();
    let codes = ["text_empty", "text_too_long", "text_characters", "too_fast"];
    assert_eq!(refused, codes.map(|code| format!("refused {code}")).iter().collect::<Vec<_>>());
    assert_eq!(told.iter().filter(|line| line.as_str() == "name 1: x").count(), 1);
    assert_eq!(say(&mut ann, "y"), Ok(()));
}

#[tokio::test]
async fn bytes_that_are_no_message_end_the_connection_with_a_reason_and_the_body_waits() {
    let hello = ClientMessage::Hello(Hello::default()).encode();
    let oversized = vec![Kind::Say as u8; Kind::Say.max_bytes() + 1];
    for bytes in [&[][..], &[0], &[66, 1, 2], &[2, 0, 0], &hello, &oversized] {
        let mut stage = Stage::new().await;
        let (mut ann, welcome) = stage.join(request(ANN)).await;
        let fault = ann.receive(bytes).unwrap_err();
        assert_eq!((fault.code, fault.is_fatal), ("bad_message", true));
        stage.ticks(1);
        assert_eq!(told(&mut ann), ["bye bad_message"]);
        assert_eq!(ann.next().await, None);
        let (_, again) = stage.join(resume(ANN, &welcome)).await;
        assert_eq!((again.resumed, again.entity_id), (true, welcome.entity_id));
    }
}

#[tokio::test]
async fn a_flood_of_messages_is_refused_and_in_the_end_sent_away() {
    let mut stage = Stage::new().await;
    let (mut ann, _) = stage.join(request(ANN)).await;
    let ping = ClientMessage::Ping(Ping { client_time_ms: 5.0 }).encode();
    let mut refused = 0;
    let end = loop {
        match ann.receive(&ping) {
            Ok(()) => {}
            Err(fault) if fault.is_fatal => break fault.code,
            Err(fault) => {
                assert_eq!(fault.code, "too_fast");
                refused += 1;
            }
        }
        assert!(refused < 5_000, "never sent away");
    };
    assert!(end == "flooding" && refused > 100);
    stage.ticks(1);
    let mut told = told(&mut ann);
    told.dedup();
    // What was within the limit is answered, what was not is said once, and the reason is the true one.
    assert_eq!(told, ["pong 5", "refused too_fast", "bye flooding"]);
}

#[tokio::test]
async fn one_who_leaves_while_the_inbox_is_full_has_left() {
    let mut stage = Stage::new().await;
    let (mut ann, _) = stage.join(request(ANN)).await;
    stage.ticks(1);
    for _ in 0..INBOX_MAX {
        stage.handle.shared.send(Command::Lost { session: SessionId(u64::MAX) }).unwrap();
    }
    assert_eq!(say(&mut ann, "hello"), Err("overloaded"));
    ann.receive(&ClientMessage::Leave.encode()).unwrap();
    drop(ann);
    stage.ticks(3);
    assert_eq!(stage.handle.stats().bodies, 0);
}

#[tokio::test]
async fn a_ping_is_answered_with_its_own_time() {
    let mut stage = Stage::new().await;
    let (mut ann, _) = stage.join(request(ANN)).await;
    ann.receive(&ClientMessage::Ping(Ping { client_time_ms: 12.5 }).encode()).unwrap();
    stage.ticks(1);
    assert_eq!(told(&mut ann), ["pong 12.5"]);
}

#[tokio::test]
async fn inputs_beyond_the_queue_or_far_ahead_are_refused() {
    let mut stage = Stage::new().await;
    let (mut ann, _) = stage.join(request(ANN)).await;
    for batch in 0..8 {
        walk(&mut ann, 1 + batch * 10, DVec3::X);
    }
    walk(&mut ann, 5_000, DVec3::X);
    stage.ticks(1);
    // Each once a second.
    assert_eq!(told(&mut ann), ["refused too_fast", "refused bad_sequence"]);
    stage.seconds(1);
    walk(&mut ann, 9_000, DVec3::X);
    stage.ticks(1);
    assert_eq!(told(&mut ann), ["refused bad_sequence"]);
}

#[tokio::test]
async fn more_inputs_than_time_speak_against_somebody_but_not_where_the_server_is_late() {
    for is_late in [false, true] {
        let mut stage = Stage::new().await;
        let (mut ann, _) = stage.join(request(ANN)).await;
        let mut first_seq = 1;
        for _ in 0..30 {
            if is_late {
                stage.host.skip(1);
            }
            for _ in 0..5 {
                walk(&mut ann, first_seq, DVec3::X);
                first_seq += 10;
            }
            stage.ticks(1);
        }
        let seen = stage.handle.movement(ANN);
        assert_eq!(seen.is_empty(), is_late, "{seen:?}");
        // Time goes on as it should, and after some seconds nobody is excused any more.
        stage.seconds(6);
        for _ in 0..30 {
            walk(&mut ann, first_seq, DVec3::X);
            first_seq += 10;
        }
        stage.ticks(1);
        assert!(!stage.handle.movement(ANN).is_empty());
    }
}

#[tokio::test]
async fn a_lost_connection_is_resumed_in_the_same_body_at_the_same_place() {
    let mut stage = Stage::new().await;
    let (mut ann, welcome) = stage.join(request(ANN)).await;
    walk(&mut ann, 1, -PLANET.arrival().facing);
    stage.seconds(2);
    let place = stage.handle.position_of(ANN).unwrap();
    drop(ann);
    stage.seconds(LINK_DEAD_S - 2);
    assert_eq!(stage.handle.stats().connected, 0);
    assert_eq!(stage.handle.position_of(ANN), Some(place));
    // A place asked for does not count on resume.
    let arrive_at = request_at(ANN, 500.0).arrive_at;
    let (mut ann, again) = stage.join(JoinRequest { arrive_at, ..resume(ANN, &welcome) }).await;
    assert_eq!((again.resumed, again.entity_id, again.last_input_seq), (true, welcome.entity_id, 10));
    assert_eq!(place_of(&again), place);
    assert_ne!(again.resume_token, welcome.resume_token);
    walk(&mut ann, 11, PLANET.arrival().facing);
    stage.seconds(1);
    assert_ne!(stage.handle.position_of(ANN), Some(place));
}

#[tokio::test]
async fn after_half_a_minute_the_body_is_gone_and_comes_back_where_it_was_under_a_new_id() {
    let mut stage = Stage::new().await;
    let (mut ann, welcome) = stage.join(request(ANN)).await;
    walk(&mut ann, 1, -PLANET.arrival().facing);
    stage.seconds(1);
    let place = stage.handle.position_of(ANN).unwrap();
    drop(ann);
    stage.seconds(LINK_DEAD_S + 1);
    assert_eq!((stage.handle.stats().bodies, stage.handle.position_of(ANN)), (0, None));
    let (_ann, again) = stage.join(resume(ANN, &welcome)).await;
    assert!(!again.resumed && again.entity_id != welcome.entity_id);
    assert!(place_of(&again).distance(place) < 1e-6);
}

#[tokio::test]
async fn a_crowd_that_is_lost_at_once_goes_in_parts() {
    let mut stage = Stage::new().await;
    let mut crowd = vec![];
    for n in 0..4 * FORGOTTEN_PER_TICK_MAX {
        crowd.push(stage.join(request(Uuid::from_u128(n as u128))).await.0);
    }
    drop(crowd);
    let mut bodies = 4 * FORGOTTEN_PER_TICK_MAX;
    for _ in 0..LINK_DEAD_S * 10 + 10 {
        // As often as the number is published.
        stage.ticks(3);
        let left = stage.handle.stats().bodies;
        assert!(bodies - left <= 3 * FORGOTTEN_PER_TICK_MAX, "{bodies} became {left}");
        bodies = left;
    }
    assert_eq!(bodies, 0);
}

#[tokio::test]
async fn a_second_connection_takes_the_body_and_the_first_is_told() {
    let mut stage = Stage::new().await;
    let (mut first, welcome) = stage.join(request(ANN)).await;
    stage.ticks(3);
    let (mut second, again) = stage.join(request(ANN)).await;
    assert_eq!((again.resumed, again.entity_id), (true, welcome.entity_id));
    assert_eq!(told(&mut first), ["bye replaced"]);
    assert_eq!(first.next().await, None);
    // What the first still says is not heard, and its end changes nothing.
    say(&mut first, "boo").unwrap();
    drop(first);
    stage.ticks(6);
    assert_eq!(told(&mut second), Vec::<String>::new());
    assert_eq!(stage.handle.stats().connected, 1);
}

#[tokio::test]
async fn a_link_to_a_place_moves_a_waiting_body_there() {
    let mut stage = Stage::new().await;
    let (ann, welcome) = stage.join(request(ANN)).await;
    drop(ann);
    stage.ticks(3);
    let (_ann, again) = stage.join(request_at(ANN, 300.0)).await;
    assert!(!again.resumed && again.entity_id != welcome.entity_id);
    let moved_m = place_of(&again).distance(place_of(&welcome));
    assert!((200.0..400.0).contains(&moved_m), "{moved_m}");
    assert_eq!(stage.handle.stats().bodies, 1);
}

#[tokio::test]
async fn one_who_leaves_is_gone_at_once() {
    let mut stage = Stage::new().await;
    let (mut ann, _) = stage.join(request(ANN)).await;
    ann.receive(&ClientMessage::Leave.encode()).unwrap();
    stage.ticks(3);
    assert_eq!(told(&mut ann), ["bye left"]);
    assert_eq!(stage.handle.stats().bodies, 0);
    assert!(stage.saver.unwritten(ANN).is_some());
}

#[tokio::test]
async fn a_slow_reader_is_dropped_to_keyframes() {
    let mut stage = Stage::new().await;
    let (mut ann, _) = stage.join(request(ANN)).await;
    let (_bob, _) = stage.join(request(BOB)).await;
    drain(&mut ann);
    // One frame more than the queue takes: all are dropped, the next one starts again.
    stage.walking(&mut ann, &mut 0, 3 * (QUEUED_FRAMES_MAX as u64 + 2));
    let waiting = drain(&mut ann);
    assert_eq!(waiting.len(), 1);
    let Ok(ServerMessage::Frame(frame)) = ServerMessage::decode(&waiting[0]) else { panic!("no frame") };
    let mut view = View::default();
    assert!(frame.head.is_restart);
    assert_eq!((view.apply(&frame), view.body_count()), (Ok(0), 2));
    assert!(stage.handle.stats().dropped_frames > 0);
}

#[tokio::test]
async fn a_reader_who_stays_slow_is_sent_away_and_can_resume() {
    let mut stage = Stage::new().await;
    let (mut ann, welcome) = stage.join(request(ANN)).await;
    let mut seq = 0;
    stage.walking(&mut ann, &mut seq, 30 * SLOW_READER_S);
    assert_eq!(stage.handle.stats().connected, 1);
    stage.walking(&mut ann, &mut seq, 60);
    assert_eq!(stage.handle.stats().connected, 0);
    assert_eq!(told(&mut ann).last().unwrap(), "bye too_slow");
    assert_eq!(ann.next().await, None);
    let (_, again) = stage.join(resume(ANN, &welcome)).await;
    assert_eq!((again.resumed, again.entity_id), (true, welcome.entity_id));
}

#[tokio::test]
async fn a_new_name_and_a_lot_are_told_to_those_near() {
    let mut stage = Stage::new().await;
    let (mut ann, welcome) = stage.join(request(ANN)).await;
    let (mut bob, _) = stage.join(request(BOB)).await;
    let (mut cat, _) = stage.join(request_at(CAT, 900.0)).await;
    stage.ticks(3);
    drain(&mut ann);
    stage.handle.rename(ANN, "Ann".into(), 0xff_00_00);
    let lot = LotChanged { lot_token: "89c2".into(), ..LotChanged::default() };
    stage.handle.announce_lot(lot, place_of(&welcome));
    stage.ticks(1);
    assert_eq!(told(&mut ann), ["people Ann", "lot 89c2"]);
    assert_eq!(told(&mut bob), ["people Ann", "lot 89c2"]);
    assert_eq!(told(&mut cat), Vec::<String>::new());
    say(&mut ann, "it is me").unwrap();
    stage.ticks(1);
    assert_eq!(told(&mut bob), ["Ann: it is me"]);
}

#[tokio::test]
async fn an_event_is_told_to_those_near_or_to_those_it_is_for() {
    let mut stage = Stage::new().await;
    let (mut ann, welcome) = stage.join(request(ANN)).await;
    let (mut bob, _) = stage.join(request(BOB)).await;
    let (mut cat, _) = stage.join(request_at(CAT, 900.0)).await;
    stage.ticks(3);
    for session in [&mut ann, &mut bob, &mut cat] {
        drain(session);
    }
    let event = |kind: &str| wire::Event { kind: kind.into(), ..wire::Event::default() };
    stage.handle.tell_event(event("market.listed"), EventFor::Near(place_of(&welcome)));
    stage.handle.tell_event(event("market.sold"), EventFor::Accounts(vec![CAT, Uuid::from_u128(77)]));
    stage.ticks(1);
    assert_eq!(told(&mut ann), ["event market.listed"]);
    assert_eq!(told(&mut bob), ["event market.listed"]);
    assert_eq!(told(&mut cat), ["event market.sold"]);
}

#[tokio::test]
async fn a_flood_of_events_sends_nobody_away() {
    let mut stage = Stage::new().await;
    let (mut ann, _) = stage.join(request(ANN)).await;
    stage.ticks(3);
    drain(&mut ann);
    for _ in 0..10 * QUEUED_CONTROLS_MAX {
        stage.handle.tell_event(wire::Event::default(), EventFor::Accounts(vec![ANN]));
    }
    stage.ticks(3);
    assert_eq!(stage.handle.stats().connected, 1);
    assert_eq!(told(&mut ann).len(), QUEUED_EVENTS_MAX);
}

#[tokio::test]
async fn a_full_zone_refuses_and_lets_those_inside_come_back() {
    let mut stage = Stage::with(ZoneConfig { bodies_max: 1, ..ZoneConfig::default() }).await;
    let (_ann, _) = stage.join(request(ANN)).await;
    assert_eq!(stage.try_join(request(BOB)).await.err(), Some(JoinError::Full));
    assert!(stage.try_join(request(ANN)).await.is_ok());
}

#[tokio::test]
async fn positions_of_those_who_move_are_noted_every_save_interval() {
    let mut stage = Stage::new().await;
    let (mut ann, welcome) = stage.join(request(ANN)).await;
    stage.seconds(6);
    stage.saver.flush().await.unwrap();
    assert_eq!(stage.saver.unwritten(ANN), None);
    drain(&mut ann);
    walk(&mut ann, 1, -PLANET.arrival().facing);
    stage.seconds(6);
    let noted = stage.saver.unwritten(ANN).expect("it moved");
    assert_eq!(Some(noted.position), stage.handle.position_of(ANN));
    assert_ne!(noted.position, place_of(&welcome));
    stage.saver.flush().await.unwrap();
    stage.seconds(6);
    assert_eq!(stage.saver.unwritten(ANN), None, "a body at rest is saved once");
}

#[test]
fn a_zone_that_is_shut_down_says_bye_and_has_saved_every_position() {
    for_each_engine(MIGRATIONS, |store| async move {
        let zone = start(ZoneConfig::default(), deps(store.clone(), Arc::new(SystemClock::default())));
        let mut ann = zone.connect(request(ANN)).await.unwrap();
        assert!(zone.is_alive());
        let first = ann.next().await.unwrap();
        let Ok(ServerMessage::Welcome(welcome)) = ServerMessage::decode(&first) else { panic!("no welcome") };
        zone.shutdown().await;
        assert!(!zone.is_alive());
        assert_eq!(told(&mut ann), ["bye shutting_down"]);
        assert_eq!(ann.next().await, None);
        assert_eq!(zone.connect(request(BOB)).await.err(), Some(JoinError::ShuttingDown));
        zone.shutdown().await;

        let again = start(ZoneConfig::default(), deps(store, Arc::new(SystemClock::default())));
        let mut ann = again.connect(request(ANN)).await.unwrap();
        let first = ann.next().await.unwrap();
        let Ok(ServerMessage::Welcome(later)) = ServerMessage::decode(&first) else { panic!("no welcome") };
        assert!(place_of(&later).distance(place_of(&welcome)) < 1e-6);
        again.shutdown().await;
    });
}

/// A clock by which the zone's thread, and nobody else, can be made to panic.
#[derive(Default)]
struct BrokenClock(SystemClock, AtomicBool);

impl Clock for BrokenClock {
    fn elapsed(&self) -> Duration {
        let is_zone = std::thread::current().name() == Some("zone");
        assert!(!(is_zone && self.1.load(Ordering::Relaxed)), "the clock is broken, as the test wants");
        self.0.elapsed()
    }

    fn unix_ms(&self) -> f64 {
        self.0.unix_ms()
    }
}

#[tokio::test]
async fn a_panic_of_the_thread_ends_every_session_and_shows_in_the_health() {
    let database = TestDatabase::sqlite();
    let clock = Arc::<BrokenClock>::default();
    let store = database.open(MIGRATIONS).await;
    let zone = start(ZoneConfig::default(), deps(store, Arc::clone(&clock) as Arc<dyn Clock>));
    let mut ann = zone.connect(request(ANN)).await.unwrap();
    clock.1.store(true, Ordering::Relaxed);
    while ann.next().await.is_some() {}
    while zone.is_alive() {
        tokio::task::yield_now().await;
    }
    assert_eq!(zone.connect(request(BOB)).await.err(), Some(JoinError::ShuttingDown));
    assert_eq!(say(&mut ann, "anyone?"), Ok(()));
    zone.shutdown().await;
}
