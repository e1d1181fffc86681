//! What the host does about fences: it keeps each body's closed land up to date, tells its player, and lets nobody
//! arrive before it is known what is closed there.

use super::{Host, Player, encode};
use crate::fences::{FenceCache, Finding, LOOK_AGAIN_M, Question, Visitor};
use crate::handle::{JoinError, JoinRequest};
use crate::limits::FENCED_PER_TICK_MAX;
use crate::saved::SavedBody;
use crate::session::Session;
use cell::CellId;
use glam::DVec3;
use motion::ClosedLand;
use sim::{Arrival, EntityId};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;
use tokio::sync::oneshot;
use uuid::Uuid;
use wire::{Fences, ServerMessage};

/// Every body is looked after once in so many ticks.
const ROUND_TICKS: usize = 30;

/// Someone who waits to be let in.
pub(crate) struct Joining {
    pub(crate) request: JoinRequest,
    pub(crate) saved: Option<SavedBody>,
    /// See [`Visitor::groups`].
    pub(crate) groups: Vec<(Uuid, bool)>,
    pub(crate) answer: oneshot::Sender<Result<Session, JoinError>>,
}

/// What is around one body.
#[derive(Clone, Debug)]
pub(super) struct Around {
    visitor: Visitor,
    looked_from: Option<DVec3>,
    tiles: Vec<CellId>,
    /// When a fence admits or refuses them by itself.
    until_us: Option<i64>,
    /// In the queue of those who look again at once.
    is_due: bool,
}

impl Around {
    pub(super) fn new(account_id: Uuid, groups: Vec<(Uuid, bool)>) -> Self {
        let visitor = Visitor { account_id, groups };
        Self { visitor, looked_from: None, tiles: vec![], until_us: None, is_due: false }
    }

    pub(super) fn visitor(&self) -> &Visitor {
        &self.visitor
    }
}

/// The fences of a zone that has some.
pub(super) struct FenceKeeper {
    cache: FenceCache,
    /// Those for whom something has changed.
    due: VecDeque<Uuid>,
    /// Those still to be looked after in this round.
    round: Vec<Uuid>,
    /// Those whose ground is being read.
    parked: Vec<(Vec<CellId>, Joining)>,
    /// Accounts whose groups have changed while they were not here, or could not be read, and when.
    unread_groups: HashMap<Uuid, Duration>,
}

/// So long after a change of groups one who arrives may have read them before it.
const GROUPS_REMEMBERED: Duration = Duration::from_mins(1);

impl FenceKeeper {
    pub(super) fn new(cache: FenceCache) -> Self {
        Self { cache, due: VecDeque::new(), round: vec![], parked: vec![], unread_groups: HashMap::new() }
    }
}

impl Host {
    /// Lets somebody in, as soon as it is known what is closed where they arrive.
    pub(super) fn begin_join(&mut self, joining: Joining) {
        let arrival = self.places_of_arrival(&joining);
        if let Some(keeper) = &mut self.fences {
            let mut tiles: Vec<_> = arrival.iter().flat_map(|at| keeper.cache.tiles_around(*at)).collect();
            tiles.sort_unstable();
            tiles.dedup();
            if !keeper.cache.want(&tiles, self.clock.elapsed()) {
                keeper.parked.push((tiles, joining));
                return;
            }
        }
        let Joining { request, saved, groups, answer } = joining;
        let session = self.join(request, saved, groups);
        // A caller who went away drops the session, which is a lost connection.
        let _ = answer.send(session);
    }

    /// Where a body may be put; nowhere if the account has one that it goes on with.
    fn places_of_arrival(&self, joining: &Joining) -> Vec<DVec3> {
        if self.fences.is_none() || self.goes_on(&joining.request) {
            return vec![];
        }
        places(&self.arrival(&joining.request, joining.saved))
    }

    /// All that is closed to somebody around the places of an arrival.
    pub(super) fn closed_around(&self, arrival: &Arrival, visitor: &Visitor) -> ClosedLand {
        let Some(keeper) = &self.fences else { return ClosedLand::default() };
        let tiles: Vec<_> = places(arrival).iter().flat_map(|at| keeper.cache.tiles_around(*at)).collect();
        keeper.cache.closed_to(visitor, &tiles, None, self.now_us()).0
    }

    /// Tells one who has just been welcomed what is closed to them; before the welcome they knew nothing.
    pub(super) fn tell_all_fences(&mut self, account_id: Uuid) {
        if let Some(keeper) = &mut self.fences
            && keeper.unread_groups.remove(&account_id).is_some()
        {
            keeper.cache.groups_changed(account_id);
        }
        self.look_around(account_id, true);
    }

    pub(super) fn parcel_changed(&mut self, parcel: CellId, lots: &[CellId]) {
        if let Some(keeper) = &mut self.fences {
            keeper.cache.parcel_changed(parcel, lots);
        }
    }

    pub(super) fn all_fences_changed(&mut self) {
        if let Some(keeper) = &mut self.fences {
            keeper.cache.all_changed();
            self.players.keys().for_each(|account_id| keeper.cache.groups_changed(*account_id));
        }
    }

    pub(super) fn groups_changed(&mut self, account_id: Uuid) {
        let now = self.clock.elapsed();
        let Some(keeper) = &mut self.fences else { return };
        if self.players.contains_key(&account_id) {
            keeper.cache.groups_changed(account_id);
        } else {
            keeper.unread_groups.insert(account_id, now);
        }
    }

    pub(super) fn learn(&mut self, finding: Finding) {
        let now = self.clock.elapsed();
        let Some(keeper) = &mut self.fences else { return };
        match finding {
            Finding::Tile(tile, fences) => {
                if keeper.cache.learn(tile, fences) {
                    let touched = self.players.values_mut().filter(|it| it.around.tiles.contains(&tile));
                    touched.for_each(|player| mark_due(&mut keeper.due, player));
                }
                let parked = std::mem::take(&mut keeper.parked);
                let (ready, parked): (Vec<_>, _) =
                    parked.into_iter().partition(|(tiles, _)| keeper.cache.knows(tiles));
                keeper.parked = parked;
                for (_, joining) in ready {
                    self.begin_join(joining);
                }
            }
            Finding::Groups(account_id, groups) => {
                if let Some(player) = self.players.get_mut(&account_id) {
                    player.around.visitor.groups = groups;
                    mark_due(&mut keeper.due, player);
                    self.note_groups(account_id);
                }
            }
            Finding::Nothing(Question::Groups(account_id)) => {
                keeper.unread_groups.insert(account_id, now);
            }
            Finding::Nothing(Question::Tile(tile)) => {
                keeper.cache.fail(tile, now);
                let parked = std::mem::take(&mut keeper.parked);
                let (refused, parked) = parked.into_iter().partition(|(tiles, _)| tiles.contains(&tile));
                keeper.parked = parked;
                for (_, joining) in refused {
                    let error = JoinError::Store("fences cannot be read".into());
                    let _ = joining.answer.send(Err(error));
                }
            }
        }
    }

    /// This tick's share of looking after what is closed to whom.
    pub(super) fn keep_fences(&mut self) {
        let now_us = self.now_us();
        let Some(keeper) = &mut self.fences else { return };
        let mut due: Vec<_> = keeper.due.drain(..keeper.due.len().min(FENCED_PER_TICK_MAX)).collect();
        if keeper.round.is_empty() {
            keeper.round = self.players.keys().copied().collect();
            let now = self.clock.elapsed();
            keeper.cache.retry(now);
            let (players, cache) = (&self.players, &keeper.cache);
            keeper.unread_groups.retain(|account_id, since| {
                let is_here = players.contains_key(account_id);
                if is_here {
                    cache.groups_changed(*account_id);
                }
                !is_here && now.saturating_sub(*since) < GROUPS_REMEMBERED
            });
            if keeper.cache.is_crowded() {
                let around = self.players.values().flat_map(|player| &player.around.tiles);
                let waited_for = keeper.parked.iter().flat_map(|(tiles, _)| tiles);
                let in_use: HashSet<_> = around.chain(waited_for).copied().collect();
                keeper.cache.keep(&in_use);
            }
        }
        let share = self.players.len().div_ceil(ROUND_TICKS).min(keeper.round.len());
        let left = keeper.round.len() - share;
        for account_id in keeper.round.drain(left..) {
            let Some(player) = self.players.get(&account_id) else { continue };
            let Some((body, _)) = self.world.body(player.entity) else { continue };
            let around = &player.around;
            let has_moved = around.looked_from.is_none_or(|from| from.distance(body.position) > LOOK_AGAIN_M);
            let is_over = around.until_us.is_some_and(|until_us| until_us <= now_us);
            if has_moved || is_over || !keeper.cache.want(&around.tiles, self.clock.elapsed()) {
                due.push(account_id);
            }
        }
        self.meters.fence_tiles.set(keeper.cache.tile_count() as f64);
        for account_id in due {
            self.look_around(account_id, false);
        }
    }

    /// Finds out what is closed to somebody now, has it kept, and tells them what has changed, or all of it.
    fn look_around(&mut self, account_id: Uuid, tell_all: bool) {
        let now_us = self.now_us();
        let (Some(keeper), Some(player)) = (&mut self.fences, self.players.get_mut(&account_id)) else {
            return;
        };
        let Some((body, applied_seq)) = self.world.body(player.entity) else { return };
        let place = body.position / body.position.length();
        let around = &mut player.around;
        around.is_due = false;
        around.looked_from = Some(body.position);
        around.tiles = keeper.cache.tiles_around(place);
        keeper.cache.want(&around.tiles, self.clock.elapsed());
        let (closed, until_us) = keeper.cache.closed_to(&around.visitor, &around.tiles, Some(place), now_us);
        around.until_us = until_us;
        let entity = player.entity;
        if let Some(news) = self.set_closed(entity, closed, applied_seq, tell_all) {
            self.tell_bytes(account_id, encode(&ServerMessage::Fences(news)));
        }
    }

    /// Gives what the player must be told.
    fn set_closed(
        &mut self,
        entity: EntityId,
        closed: ClosedLand,
        applied_seq: u32,
        tell_all: bool,
    ) -> Option<Fences> {
        let before = self.world.closed(entity)?;
        let change = Fences::between(before, &closed, applied_seq);
        let news = if tell_all && !closed.is_empty() {
            Some(Fences::all(&closed, applied_seq))
        } else {
            change.clone().filter(|_| !tell_all)
        };
        if change.is_some() {
            self.world.set_closed(entity, closed);
        }
        news
    }

    #[cfg(test)]
    pub(crate) fn fence_tile_count(&self) -> usize {
        self.fences.as_ref().map_or(0, |keeper| keeper.cache.tile_count())
    }

    /// Whether an account goes on in the body that it has.
    pub(super) fn goes_on(&self, request: &JoinRequest) -> bool {
        let Some(player) = self.players.get(&request.account_id) else { return false };
        let is_owner =
            request.resume_token.is_some_and(|token| super::join::hash_of(&token) == player.token_hash);
        request.arrive_at.is_none() || is_owner
    }
}

/// Around which places a body may be put.
fn places(arrival: &Arrival) -> Vec<DVec3> {
    match *arrival {
        Arrival::Newcomer { around, .. } => vec![around],
        Arrival::At { place, otherwise } | Arrival::Back { place, otherwise, .. } => vec![place, otherwise],
    }
}

fn mark_due(due: &mut VecDeque<Uuid>, player: &mut Player) {
    if !std::mem::replace(&mut player.around.is_due, true) {
        due.push_back(player.account_id);
    }
}
