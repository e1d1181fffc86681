//! The model check of handover: every order of every loss, copy, delay and crash, up to a bound, over the very types
//! that the host uses. Each rule is needed: without any one of them the check finds how a body is lost or doubled.

use sim::EntityId;
use sim::handover::{Book, Directory, Entry, Fence, Message, Parts, Passage, ZoneId};
use stateright::{Checker, HasDiscoveries, Model, Property};
use std::collections::BTreeSet;

const BODY: EntityId = EntityId(1);
const ZONES: [ZoneId; 2] = [ZoneId(0), ZoneId(1)];

/// One of the rules of handover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    LogBeforeSending,
    LogBeforeAnswering,
    Freeze,
    Retry,
    TakeOnce,
    NewestClaim,
    FenceOfLeases,
}

/// The world in which all can go wrong.
struct Network {
    hops_max: u32,
    crashes_max: u8,
    /// The rule that nobody keeps.
    without: Option<Rule>,
}

/// One zone in the life of one process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Life {
    lease: u64,
    book: Book<()>,
    /// Done, and not written down yet: where a rule is broken.
    unlogged: Vec<Entry<()>>,
}

/// A zone's log, which outlives it, and all lives that believe to be it; the last is right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    log: Vec<Entry<()>>,
    fence: Fence,
    lives: Vec<Life>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    places: Vec<Place>,
    /// On their way. A message in the set may arrive any number of times, in any order.
    messages: BTreeSet<(u64, Message2)>,
    claims: BTreeSet<(u32, ZoneId)>,
    directory: Directory,
    hops: u32,
    crashes: u8,
}

/// A message in an order.
type Message2 = (bool, ZoneId, ZoneId, u32);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Action {
    Depart { zone: usize, life: usize },
    Repeat { zone: usize, life: usize },
    Deliver { message: (u64, Message2), life: usize, stays: bool },
    Lose { message: (u64, Message2) },
    Claim { claim: (u32, ZoneId), stays: bool },
    WriteLate { zone: usize, life: usize },
    Crash { zone: usize, leaves_a_ghost: bool },
}

/// Breaks a rule.
fn change(book: &mut Book<()>, how: impl FnOnce(&mut Parts<()>)) {
    let mut parts = book.to_parts();
    how(&mut parts);
    *book = Book::from_parts(parts);
}

fn pack(message: &Message<()>) -> (u64, Message2) {
    match message {
        Message::Transfer { from, passage } => (passage.seq, (false, *from, passage.to, passage.epoch)),
        Message::Ack { from, to, seq } => (*seq, (true, *from, *to, 0)),
    }
}

fn unpack((seq, (is_ack, from, to, epoch)): (u64, Message2)) -> Message<()> {
    if is_ack {
        Message::Ack { from, to, seq }
    } else {
        Message::Transfer { from, passage: Passage { seq, to, entity: BODY, epoch, state: () } }
    }
}

impl Network {
    fn keeps(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    fn may_append(&self, place: &Place, life: &Life) -> bool {
        !self.keeps(Rule::FenceOfLeases) || place.fence.admits(life.lease)
    }

    /// Logs an entry and makes it true; false if the log refused it, which ends that life.
    fn happen(&self, place: &mut Place, life: usize, entry: &Entry<()>, rule: Rule) -> bool {
        if !self.may_append(place, &place.lives[life]) {
            place.lives.remove(life);
            return false;
        }
        if self.keeps(rule) {
            place.log.push(entry.clone());
        } else {
            place.lives[life].unlogged.push(entry.clone());
        }
        place.lives[life].book.apply(entry);
        true
    }

    fn depart(&self, state: &mut State, zone: usize, life: usize) -> bool {
        let place = &mut state.places[zone];
        let Some(entry) = place.lives[life].book.depart(BODY, ZONES[1 - zone], ()) else { return false };
        state.hops += 1;
        if !self.happen(place, life, &entry, Rule::LogBeforeSending) {
            return true;
        }
        if !self.keeps(Rule::Freeze) {
            let Entry::Out(passage) = &entry else { unreachable!("a departure is an OUT") };
            change(&mut place.lives[life].book, |parts| parts.residents.push((BODY, passage.epoch - 1)));
        }
        state.messages.extend(place.lives[life].book.unanswered().map(|message| pack(&message)));
        true
    }

    fn deliver(&self, state: &mut State, packed: (u64, Message2), life: usize) {
        let message = unpack(packed);
        let zone = message.to().0 as usize;
        let place = &mut state.places[zone];
        if !self.keeps(Rule::TakeOnce) {
            change(&mut place.lives[life].book, |parts| parts.taken.clear());
        }
        let heard = place.lives[life].book.hear(&message);
        if let Some(entry) = &heard.entry {
            let rule = match entry {
                Entry::In { .. } => Rule::LogBeforeAnswering,
                // Of DONE only that it is written some time matters; it is always written here.
                _ => Rule::Retry,
            };
            let is_logged = if rule == Rule::Retry {
                let life_may = self.may_append(place, &place.lives[life]);
                if life_may {
                    place.log.push(entry.clone());
                    place.lives[life].book.apply(entry);
                } else {
                    place.lives.remove(life);
                }
                life_may
            } else {
                self.happen(place, life, entry, rule)
            };
            if !is_logged {
                return;
            }
            if let Entry::In { epoch, .. } = entry {
                state.claims.insert((*epoch, ZONES[zone]));
            }
        }
        state.messages.extend(heard.answer.iter().map(pack));
    }

    fn crash(state: &mut State, zone: usize, leaves_a_ghost: bool) {
        let place = &mut state.places[zone];
        let lease = place.fence.0 + 1;
        place.fence = place.fence.raised(lease);
        let mut book = Book::new(ZONES[zone]);
        place.log.iter().for_each(|entry| book.apply(entry));
        // Who begins again says what it has: it may not have come to that before.
        state.claims.extend(book.residents().map(|(_, epoch)| (epoch, ZONES[zone])));
        if !leaves_a_ghost {
            place.lives.pop();
        }
        place.lives.push(Life { lease, book, unlogged: vec![] });
        state.crashes += 1;
    }

    /// Nothing will happen any more unless the body sets out again or something breaks.
    fn is_quiet(&self, state: &State) -> bool {
        let repeats = self.keeps(Rule::Retry)
            && state.places.iter().flat_map(|place| &place.lives).any(|life| !life.book.is_quiet());
        state.messages.is_empty() && state.claims.is_empty() && !repeats
    }

    /// The zones that move the body and whose word counts.
    fn live(&self, state: &State) -> Vec<ZoneId> {
        let lives = state.places.iter().flat_map(|place| place.lives.iter().map(move |life| (place, life)));
        lives
            .filter(|(place, life)| life.book.holds(BODY) && self.may_append(place, life))
            .map(|(_, life)| life.book.zone())
            .collect()
    }
}

/// Whether the body would be found again if all zones crashed now.
fn is_kept(state: &State) -> bool {
    state.places.iter().zip(ZONES).any(|(place, zone)| {
        let mut book = Book::new(zone);
        place.log.iter().for_each(|entry| book.apply(entry));
        book.holds(BODY) || !book.is_quiet()
    })
}

impl Model for Network {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let born = Entry::Born(BODY);
        let places = ZONES.map(|zone| {
            let mut book = Book::new(zone);
            let log = if zone == ZONES[0] { vec![born.clone()] } else { vec![] };
            for entry in &log {
                book.apply(entry);
            }
            let lives = vec![Life { lease: 1, book, unlogged: vec![] }];
            Place { log, fence: Fence(1), lives }
        });
        let mut directory = Directory::default();
        directory.claim(BODY, 0, ZONES[0]);
        vec![State {
            places: places.into(),
            messages: BTreeSet::new(),
            claims: BTreeSet::new(),
            directory,
            hops: 0,
            crashes: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (zone, place) in state.places.iter().enumerate() {
            for (life, it) in place.lives.iter().enumerate() {
                if it.book.holds(BODY) && state.hops < self.hops_max {
                    actions.push(Action::Depart { zone, life });
                }
                if !it.book.is_quiet() && self.keeps(Rule::Retry) {
                    actions.push(Action::Repeat { zone, life });
                }
                if !it.unlogged.is_empty() {
                    actions.push(Action::WriteLate { zone, life });
                }
            }
            if state.crashes < self.crashes_max {
                actions.extend([true, false].map(|leaves_a_ghost| Action::Crash { zone, leaves_a_ghost }));
            }
        }
        for message in &state.messages {
            actions.push(Action::Lose { message: *message });
            for life in 0..state.places[message.1.2.0 as usize].lives.len() {
                actions.extend([true, false].map(|stays| Action::Deliver { message: *message, life, stays }));
            }
        }
        for claim in &state.claims {
            actions.extend([true, false].map(|stays| Action::Claim { claim: *claim, stays }));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Depart { zone, life } => {
                if !self.depart(&mut state, zone, life) {
                    return None;
                }
            }
            Action::Repeat { zone, life } => {
                let book = &last.places[zone].lives[life].book;
                state.messages.extend(book.unanswered().map(|message| pack(&message)));
            }
            Action::Deliver { message, life, stays } => {
                if !stays {
                    state.messages.remove(&message);
                }
                self.deliver(&mut state, message, life);
            }
            Action::Lose { message } => {
                state.messages.remove(&message);
            }
            Action::Claim { claim: (epoch, zone), stays } => {
                if !stays {
                    state.claims.remove(&(epoch, zone));
                }
                if !self.keeps(Rule::NewestClaim) {
                    state.directory.forget(BODY);
                }
                state.directory.claim(BODY, epoch, zone);
            }
            Action::WriteLate { zone, life } => {
                let place = &mut state.places[zone];
                let entries = std::mem::take(&mut place.lives[life].unlogged);
                place.log.extend(entries);
            }
            Action::Crash { zone, leaves_a_ghost } => Self::crash(&mut state, zone, leaves_a_ghost),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no body is doubled", |model: &Self, state: &State| {
                model.live(state).len() <= 1
            }),
            Property::always("no body is lost", |_, state| is_kept(state)),
            Property::always(
                "in the end the body is somewhere, and found there",
                |model: &Self, state: &State| {
                    !model.is_quiet(state)
                        || model
                            .live(state)
                            .first()
                            .is_some_and(|zone| state.directory.zone_of(BODY) == Some(*zone))
                },
            ),
            Property::sometimes("a body goes there and back", |model: &Self, state: &State| {
                state.hops >= 2 && model.is_quiet(state) && model.live(state) == [ZONES[0]]
            }),
        ]
    }
}

/// What went wrong.
fn check(without: Option<Rule>, hops_max: u32, crashes_max: u8) -> (Vec<&'static str>, usize) {
    let model = Network { hops_max, crashes_max, without };
    let checker = model.checker().spawn_bfs().join();
    let mut found: Vec<_> =
        checker.discoveries().into_keys().filter(|name| *name != "a body goes there and back").collect();
    found.sort_unstable();
    if without.is_none() {
        checker.assert_any_discovery("a body goes there and back");
        assert!(checker.is_done());
    }
    (found, checker.unique_state_count())
}

#[test]
fn nothing_is_lost_and_nothing_doubled_whatever_becomes_of_messages_and_zones() {
    let (found, states) = check(None, 2, 1);
    assert_eq!(found, Vec::<&str>::new());
    assert!(states > 1_000, "{states} states are no search");
    println!("{states} states");
}

#[test]
fn each_rule_is_needed() {
    let cases = [
        (Rule::LogBeforeSending, "no body is doubled"),
        (Rule::LogBeforeAnswering, "no body is lost"),
        (Rule::Freeze, "no body is doubled"),
        (Rule::Retry, "in the end the body is somewhere, and found there"),
        (Rule::TakeOnce, "no body is doubled"),
        (Rule::NewestClaim, "in the end the body is somewhere, and found there"),
        (Rule::FenceOfLeases, "no body is doubled"),
    ];
    for (rule, harm) in cases {
        let model = Network { hops_max: 2, crashes_max: 1, without: Some(rule) };
        let harms = HasDiscoveries::AnyOf(BTreeSet::from([harm]));
        let checker = model.checker().finish_when(harms).spawn_bfs().join();
        assert!(checker.discovery(harm).is_some(), "without {rule:?}: {:?}", checker.discoveries().keys());
        println!("without {rule:?}: {} states", checker.unique_state_count());
    }
}

/// The same with more of everything; some minutes: `cargo test --release -p sim --test handover_model -- --ignored`.
#[test]
#[ignore = "minutes"]
fn nothing_is_lost_on_longer_ways_with_more_crashes() {
    let (found, states) = check(None, 3, 1);
    assert_eq!(found, Vec::<&str>::new());
    println!("{states} states");
}
