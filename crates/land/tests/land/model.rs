//! Random decisions against a plain model of who owns what.
//!
//! `TERRANE_LAND_STEPS` says how many on each engine, `TERRANE_LAND_SEED` which; a failure names both.

use std::collections::{BTreeMap, BTreeSet};

use cell::CellId;
use ledger::{AccountRef, Amount, Posting, PostingKind};
use serde_json::{Value, json};
use store::testing::for_each_engine;

use crate::world::{Answer, NOW_US, World, account, migrations, tokens_of};

const PLAYERS: u128 = 4;
const LOTS: usize = 40;
const STEPS: u64 = 120;

fn environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(default)
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % count as u64) as usize
    }

    fn player(&mut self) -> u128 {
        1 + self.below(PLAYERS as usize) as u128
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

#[derive(Clone, PartialEq, Debug)]
struct Parcel {
    owner: u128,
    cells: BTreeSet<CellId>,
    /// Offered to somebody: which gift, to whom.
    gift: Option<(String, u128)>,
}

/// Parcels by their anchors.
#[derive(Default)]
struct Model {
    parcels: BTreeMap<CellId, Parcel>,
}

/// Status and code.
type Outcome = (u16, &'static str);

const NOT_OWNER: Outcome = (403, "not_owner");
const ENCUMBERED: Outcome = (409, "parcel_encumbered");
const NOT_CONNECTED: Outcome = (422, "not_connected");

fn hangs_together(cells: &BTreeSet<CellId>) -> bool {
    let Some(first) = cells.first() else { return false };
    let mut reached = BTreeSet::from([*first]);
    loop {
        let more: BTreeSet<CellId> =
            reached.iter().flat_map(|it| it.edge_neighbors()).filter(|it| cells.contains(it)).collect();
        let before = reached.len();
        reached.extend(more);
        if reached.len() == before {
            return reached.len() == cells.len();
        }
    }
}

impl Model {
    fn anchor_of(&self, lot: CellId) -> Option<CellId> {
        self.parcels.iter().find(|(_, it)| it.cells.contains(&lot)).map(|(anchor, _)| *anchor)
    }

    /// The parcel of a lot, if it is the player's.
    fn own(&self, lot: CellId, player: u128) -> Result<CellId, Outcome> {
        let anchor = self.anchor_of(lot).ok_or(NOT_OWNER)?;
        if self.parcels[&anchor].owner == player { Ok(anchor) } else { Err(NOT_OWNER) }
    }

    fn claim(&mut self, player: u128, lots: &[CellId]) -> Result<(), Outcome> {
        if lots.iter().any(|it| self.anchor_of(*it).is_some()) {
            return Err((409, "lot_taken"));
        }
        let cells: BTreeSet<CellId> = lots.iter().copied().collect();
        let anchor = *cells.first().unwrap();
        self.parcels.insert(anchor, Parcel { owner: player, cells, gift: None });
        Ok(())
    }

    fn merge(&mut self, player: u128, lot: CellId, with: &[CellId]) -> Result<(), Outcome> {
        let lots: Vec<CellId> = std::iter::once(lot).chain(with.iter().copied()).collect();
        let anchors: Vec<CellId> =
            lots.iter().map(|it| self.anchor_of(*it).ok_or(NOT_OWNER)).collect::<Result<_, _>>()?;
        if anchors.iter().collect::<BTreeSet<_>>().len() < anchors.len() {
            return Err((422, "duplicate_cells"));
        }
        if anchors.iter().any(|it| self.parcels[it].owner != player) {
            return Err(NOT_OWNER);
        }
        let cells: BTreeSet<CellId> =
            anchors.iter().flat_map(|it| self.parcels[it].cells.iter().copied()).collect();
        if !hangs_together(&cells) {
            return Err(NOT_CONNECTED);
        }
        if anchors.iter().any(|it| self.parcels[it].gift.is_some()) {
            return Err(ENCUMBERED);
        }
        for anchor in &anchors[1..] {
            self.parcels.remove(anchor);
        }
        self.parcels.get_mut(&anchors[0]).unwrap().cells = cells;
        Ok(())
    }

    fn split(&mut self, player: u128, lot: CellId, part: &[CellId]) -> Result<(), Outcome> {
        let anchor = self.own(lot, player)?;
        let cells = self.parcels[&anchor].cells.clone();
        let part: BTreeSet<CellId> = part.iter().copied().collect();
        if !part.is_subset(&cells) {
            return Err((422, "not_in_parcel"));
        }
        let rest: BTreeSet<CellId> = cells.difference(&part).copied().collect();
        if rest.is_empty() {
            return Err((422, "nothing_left"));
        }
        if !hangs_together(&part) || !hangs_together(&rest) {
            return Err(NOT_CONNECTED);
        }
        if self.parcels[&anchor].gift.is_some() {
            return Err(ENCUMBERED);
        }
        let (kept, moved) = if rest.contains(&anchor) { (rest, part) } else { (part, rest) };
        self.parcels.get_mut(&anchor).unwrap().cells = kept;
        self.parcels.insert(*moved.first().unwrap(), Parcel { owner: player, cells: moved, gift: None });
        Ok(())
    }

    fn abandon(&mut self, player: u128, lot: CellId) -> Result<(), Outcome> {
        let anchor = self.own(lot, player)?;
        if self.parcels[&anchor].gift.is_some() {
            return Err(ENCUMBERED);
        }
        self.parcels.remove(&anchor);
        Ok(())
    }

    fn offer(&self, player: u128, lot: CellId, to: u128) -> Result<CellId, Outcome> {
        let anchor = self.own(lot, player)?;
        if player == to {
            return Err((422, "self_gift"));
        }
        if self.parcels[&anchor].gift.is_some() { Err(ENCUMBERED) } else { Ok(anchor) }
    }

    /// Compares everything that the routes tell with what it should be.
    async fn compare(&self, world: &World) {
        for player in 1..=PLAYERS {
            let page = world.get(player, "/api/v1/lands/mine?limit=100").await;
            let mut told = BTreeMap::new();
            for item in page.body["items"].as_array().unwrap() {
                let cells: BTreeSet<CellId> = item["cells"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| CellId::parse_token(it.as_str().unwrap()).unwrap())
                    .collect();
                let anchor = CellId::parse_token(item["token"].as_str().unwrap()).unwrap();
                let gift = item["market"]["id"].as_str().map(str::to_owned);
                told.insert(anchor, (cells, gift));
            }
            let own = self.parcels.iter().filter(|(_, it)| it.owner == player);
            let expected: BTreeMap<_, _> = own
                .map(|(anchor, it)| (*anchor, (it.cells.clone(), it.gift.clone().map(|(id, _)| id))))
                .collect();
            assert_eq!(told, expected, "player {player}");
        }
        world.assert_books_sound().await;
    }
}

/// The game being played.
struct Game {
    world: World,
    model: Model,
    random: Random,
    lots: Vec<CellId>,
    /// Gifts that were decided, which decides them for ever.
    closed: Vec<(String, u128, u128)>,
    /// The last request that was sent, to send it again.
    last: Option<(u128, String, String, Value, Value)>,
    step: u64,
}

/// What touches lots along an edge.
fn edge_of(lots: &[CellId]) -> Vec<CellId> {
    lots.iter().flat_map(|it| it.edge_neighbors()).collect()
}

impl Game {
    /// Lots that hang together, from a random one on.
    fn some_lots(&mut self) -> Vec<CellId> {
        let mut some = vec![self.random.of(&self.lots)];
        for _ in 0..self.random.below(5) {
            let next = self.random.of(&edge_of(&some));
            if self.lots.contains(&next) && !some.contains(&next) {
                some.push(next);
            }
        }
        some
    }

    /// Lots of which some may belong to a parcel: its own, or any.
    fn part(&mut self, lot: CellId) -> Vec<CellId> {
        let of = self.model.anchor_of(lot).map(|it| self.model.parcels[&it].cells.clone());
        let cells: Vec<CellId> = of.unwrap_or_default().into_iter().collect();
        match self.random.below(8) {
            0 => self.some_lots(),
            1 => cells,
            _ => {
                let count = 1 + self.random.below(cells.len().max(1));
                cells.into_iter().take(count).collect()
            }
        }
    }

    async fn ask(&mut self, player: u128, path: String, body: Value) -> Answer {
        let key = format!("step-{}", self.step);
        let answer = self.world.decide(player, &path, &key, &body).await;
        self.last = Some((player, path, key, body, answer.body.clone()));
        answer
    }

    async fn play(&mut self) {
        self.step += 1;
        let (player, lot) = (self.random.player(), self.random.of(&self.lots.clone()));
        // Mostly one's own land: otherwise nearly all is refused.
        let lots: Vec<CellId> = self
            .model
            .parcels
            .iter()
            .filter(|(_, it)| it.owner == player)
            .map(|(anchor, _)| *anchor)
            .collect();
        let lot = if lots.is_empty() || self.random.below(5) == 0 { lot } else { self.random.of(&lots) };
        let (path, body, expected) = match self.random.below(12) {
            0..3 => {
                let lots = self.some_lots();
                self.world.put(player, lots[0], 0.0, 0.0);
                let expected = self.model.claim(player, &lots);
                ("/claims".to_owned(), json!({"cells": tokens_of(&lots)}), expected)
            }
            3..5 => {
                let mut with: BTreeSet<CellId> = BTreeSet::new();
                for _ in 0..=self.random.below(2) {
                    let near = self.model.anchor_of(lot).map(|it| self.model.parcels[&it].cells.clone());
                    let near: Vec<CellId> = near.unwrap_or_default().into_iter().collect();
                    let around = edge_of(&near);
                    let any = self.random.of(&self.lots.clone());
                    let chosen = if around.is_empty() { any } else { self.random.of(&around) };
                    with.insert(if self.lots.contains(&chosen) { chosen } else { any });
                }
                let with: Vec<CellId> = with.into_iter().collect();
                let expected = self.model.merge(player, lot, &with);
                (format!("/{lot}/merge"), json!({"with": tokens_of(&with)}), expected)
            }
            5..7 => {
                let part = self.part(lot);
                if part.is_empty() {
                    return;
                }
                let expected = self.model.split(player, lot, &part);
                (format!("/{lot}/split"), json!({"cells": tokens_of(&part)}), expected)
            }
            7 => (format!("/{lot}/abandon"), Value::Null, self.model.abandon(player, lot)),
            8 => return self.offer(player, lot).await,
            9 => return self.decide_gift().await,
            10 => return self.transfer(player, lot).await,
            _ => return self.repeat().await,
        };
        let answer = self.ask(player, path.clone(), body.clone()).await;
        match expected {
            Ok(()) => assert!(answer.status.is_success(), "{player} {path} {body}: {}", answer.body),
            Err(outcome) => assert_eq!(answer.outcome(), outcome, "{player} {path} {body}: {}", answer.body),
        }
    }

    async fn offer(&mut self, player: u128, lot: CellId) {
        let to = self.random.player();
        let expected = self.model.offer(player, lot, to);
        let answer = self.ask(player, format!("/{lot}/gift"), json!({"to_id": account(to)})).await;
        match expected {
            Ok(anchor) => {
                let id = answer.body["gift_id"].as_str().unwrap_or_else(|| panic!("{}", answer.body));
                self.model.parcels.get_mut(&anchor).unwrap().gift = Some((id.to_owned(), to));
            }
            Err(outcome) => assert_eq!(answer.outcome(), outcome),
        }
    }

    async fn decide_gift(&mut self) {
        let what = self.random.of(&["accept", "accept", "decline", "cancel"]);
        let by = self.random.player();
        let open: Vec<CellId> = self
            .model
            .parcels
            .iter()
            .filter(|(_, it)| it.gift.is_some())
            .map(|(anchor, _)| *anchor)
            .collect();
        if open.is_empty() || (!self.closed.is_empty() && self.random.below(3) == 0) {
            let Some((id, from, to)) = self.closed.last().cloned() else { return };
            let answer = self.ask(by, format!("/gifts/{id}/{what}"), Value::Null).await;
            assert_eq!(
                answer.outcome(),
                expected_decision(what, by, from, to).err().unwrap_or((409, "gift_closed"))
            );
            return;
        }
        let anchor = self.random.of(&open);
        let parcel = self.model.parcels[&anchor].clone();
        let (id, to) = parcel.gift.clone().unwrap();
        let answer = self.ask(by, format!("/gifts/{id}/{what}"), Value::Null).await;
        if let Err(outcome) = expected_decision(what, by, parcel.owner, to) {
            assert_eq!(answer.outcome(), outcome);
            return;
        }
        assert!(answer.status.is_success(), "{}", answer.body);
        let left = self.model.parcels.get_mut(&anchor).unwrap();
        left.gift = None;
        if what == "accept" {
            left.owner = to;
        }
        self.closed.push((id, parcel.owner, to));
    }

    /// What a sale does: deed, title and owner in one transaction, if the seller has it.
    async fn transfer(&mut self, from: u128, lot: CellId) {
        let to = self.random.player();
        let Some(anchor) = self.model.anchor_of(lot) else { return };
        let parcel = self.model.parcels.get_mut(&anchor).unwrap();
        // A promised parcel is sold by what it is promised to alone, and nobody sells to themselves.
        if parcel.gift.is_some() || from == to {
            return;
        }
        let is_done = parcel.owner == from;
        if is_done {
            parcel.owner = to;
        }
        let step = self.step;
        let outcome: Result<bool, NotSold> = self
            .world
            .store
            .locked(move |tx| {
                let posting = Posting::of(PostingKind::Sale, format!("sale:{step}"), "")
                    .transfer(
                        AccountRef::Wallet(account(from)),
                        AccountRef::Wallet(account(to)),
                        &land::deed(anchor),
                        Amount::try_from_minor(1).unwrap(),
                    )
                    .finish()
                    .unwrap();
                let posted = wallet::post(tx, &posting, NOW_US).map_err(|_| NotSold)?;
                let transfer = land::Transfer {
                    by: audit::Actor::System,
                    parcel: anchor,
                    from: account(from),
                    to: account(to),
                    price_minor: 0,
                    currency: "coin".to_owned(),
                    kind: land::TitleKind::Sale,
                    posting_id: posted.posting_id,
                };
                Ok(land::transfer(tx, &transfer, NOW_US)?)
            })
            .await;
        assert_eq!(outcome.is_ok_and(|it| it), is_done);
    }

    /// The last request again gets the last answer and does nothing.
    async fn repeat(&mut self) {
        let Some((player, path, key, body, answered)) = self.last.clone() else { return };
        let is_kept = answered["status"] != json!(403);
        if is_kept {
            let answer = self.world.decide(player, &path, &key, &body).await;
            let (mut again, mut first) = (answer.body, answered);
            for it in [&mut again, &mut first] {
                it.as_object_mut().map(|it| it.remove("request_id"));
            }
            assert_eq!(again, first);
        }
    }
}

/// Whether somebody may decide a gift that is open.
fn expected_decision(what: &str, by: u128, from: u128, to: u128) -> Result<(), Outcome> {
    let is_side = by == if what == "cancel" { from } else { to };
    match (is_side, by == from || by == to) {
        (true, _) => Ok(()),
        (false, true) => Err((403, "no_authority")),
        (false, false) => Err((404, "gift_unknown")),
    }
}

/// The seller has no deed.
struct NotSold;

impl From<store::Error> for NotSold {
    fn from(error: store::Error) -> Self {
        panic!("{error}")
    }
}

#[test]
fn the_database_says_what_a_plain_model_says() {
    let seed = environment("TERRANE_LAND_SEED", 1);
    let steps = environment("TERRANE_LAND_STEPS", STEPS);
    println!("TERRANE_LAND_SEED={seed} TERRANE_LAND_STEPS={steps}");
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store);
        let lots = world.dry_lots(LOTS);
        for player in 1..=PLAYERS {
            world.magnate(player, lots[0]).await;
        }
        let (model, random) = (Model::default(), Random(seed));
        let mut game = Game { world, model, random, lots, closed: Vec::new(), last: None, step: 0 };
        for step in 0..steps {
            game.play().await;
            if step % 20 == 19 {
                // Keys of decisions are counted per account and day.
                game.model.compare(&game.world).await;
                let now_us = api::Clock::now_us(&*game.world.clock);
                api::idempotency::sweep(&game.world.store, now_us + 2 * api::idempotency::KEPT_US)
                    .await
                    .unwrap();
                game.last = None;
            }
        }
        game.model.compare(&game.world).await;
    });
}

async fn both<A: Send + 'static, B: Send + 'static>(
    one: impl Future<Output = A> + Send + 'static,
    other: impl Future<Output = B> + Send + 'static,
) -> (A, B) {
    let (one, other) = (tokio::spawn(one), tokio::spawn(other));
    (one.await.unwrap(), other.await.unwrap())
}

#[test]
fn of_two_who_want_the_same_at_once_one_gets_it() {
    for_each_engine(&migrations(), async |store| {
        let world = std::sync::Arc::new(World::new(store));
        let lots = world.dry_path(6);
        for player in 1..=2 {
            world.magnate(player, lots[2]).await;
        }
        let decide = |player, path: String, key: String, body: Value| {
            let world = std::sync::Arc::clone(&world);
            async move { world.decide(player, &path, &key, &body).await }
        };
        for round in 0..6 {
            // Claims that overlap.
            let claim = |player: u128, lots: &[CellId]| {
                decide(
                    player,
                    "/claims".to_owned(),
                    format!("claim {round}").replace(' ', "-"),
                    json!({"cells": tokens_of(lots)}),
                )
            };
            for player in 1..=2 {
                world.put(player, lots[2], 0.0, 0.0);
            }
            let (one, other) = both(claim(1, &lots[..4]), claim(2, &lots[2..])).await;
            let mut statuses = [one.status.as_u16(), other.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409], "{} {}", one.body, other.body);
            let (winner, loser, owned) =
                if one.status.is_success() { (1, 2, &lots[..4]) } else { (2, 1, &lots[2..]) };
            world.assert_books_sound().await;

            // Two ways to split it: one after the other, so that the second meets another parcel.
            let split = |part: &[CellId], key: &str| {
                decide(
                    winner,
                    format!("/{}/split", owned[0]),
                    format!("{key}-{round}"),
                    json!({"cells": tokens_of(part)}),
                )
            };
            let (one, other) = both(split(&owned[..2], "s"), split(&owned[..1], "t")).await;
            assert!(one.status.is_success() || other.status.is_success(), "{} {}", one.body, other.body);
            world.assert_books_sound().await;

            // A merge against a transfer of one of its parts: owned by one of them, whole.
            let anchors: Vec<CellId> = {
                let page = world.get(winner, "/api/v1/lands/mine").await;
                let items = page.body["items"].as_array().unwrap().clone();
                items.iter().map(|it| CellId::parse_token(it["token"].as_str().unwrap()).unwrap()).collect()
            };
            let merged = decide(
                winner,
                format!("/{}/merge", anchors[0]),
                format!("m-{round}"),
                json!({"with": tokens_of(&anchors[1..2])}),
            );
            let (store, sold) = (world.store.clone(), anchors[1]);
            let sale = async move {
                store
                    .locked(move |tx| {
                        let Some(facts) = land::take(tx, sold)? else { return Ok(false) };
                        if facts.anchor != sold {
                            return Ok(false);
                        }
                        let posting = Posting::of(PostingKind::Sale, format!("race:{round}"), "")
                            .transfer(
                                AccountRef::Wallet(account(winner)),
                                AccountRef::Wallet(account(loser)),
                                &land::deed(sold),
                                Amount::try_from_minor(1).unwrap(),
                            )
                            .finish()
                            .unwrap();
                        let posted = wallet::post(tx, &posting, NOW_US).expect("the deed is the owner's");
                        let transfer = land::Transfer {
                            by: audit::Actor::System,
                            parcel: sold,
                            from: account(winner),
                            to: account(loser),
                            price_minor: 0,
                            currency: "coin".to_owned(),
                            kind: land::TitleKind::Sale,
                            posting_id: posted.posting_id,
                        };
                        land::transfer(tx, &transfer, NOW_US)
                    })
                    .await
                    .unwrap()
            };
            let (merged, is_sold) = both(merged, sale).await;
            assert!(!(merged.status.is_success() && is_sold), "{}", merged.body);
            world.assert_books_sound().await;
            for player in 1..=2 {
                let page = world.get(player, "/api/v1/lands/mine").await;
                for (index, item) in page.body["items"].as_array().unwrap().iter().enumerate() {
                    let path = format!("/{}/abandon", item["token"].as_str().unwrap());
                    let gone =
                        world.decide(player, &path, &format!("gone-{round}-{index}"), &Value::Null).await;
                    assert_eq!(gone.status.as_u16(), 200, "{}", gone.body);
                }
            }
            world.assert_books_sound().await;
        }
    });
}
