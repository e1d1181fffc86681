//! Frames to those who watch, and whom each of them never loses from sight.

use super::{Host, Link, Player, encode, too_slow};
use crate::post::Batch;
use sim::{Delivery, EntityId};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use uuid::Uuid;
use wire::ServerMessage;

/// Companions of one watcher; of more, those who have been here longest.
const COMPANIONS_MAX: usize = 64;
/// Watchers whose companions are told anew in one tick; the others follow in the next ones.
const TOLD_PER_TICK_MAX: usize = 200;

/// Who belongs together: those who are in a group with each other.
#[derive(Default)]
pub(super) struct Companions {
    members: HashMap<Uuid, BTreeSet<EntityId>>,
    groups: HashMap<EntityId, Vec<Uuid>>,
    /// Those of whose groups somebody has come or gone.
    due: BTreeSet<EntityId>,
}

impl Companions {
    /// A body has come, or belongs to other groups now; none when it has gone.
    pub(super) fn set(&mut self, entity: EntityId, groups: &[Uuid]) {
        for group in self.groups.remove(&entity).unwrap_or_default() {
            if let Some(members) = self.members.get_mut(&group) {
                members.remove(&entity);
                self.due.extend(members.iter());
                if members.is_empty() {
                    self.members.remove(&group);
                }
            }
        }
        self.due.remove(&entity);
        if groups.is_empty() {
            return;
        }
        self.groups.insert(entity, groups.to_vec());
        for group in groups {
            let members = self.members.entry(*group).or_default();
            members.insert(entity);
            self.due.extend(members.iter());
        }
    }

    fn of(&self, entity: EntityId) -> Vec<EntityId> {
        let groups = self.groups.get(&entity).into_iter().flatten();
        let members: BTreeSet<_> = groups.filter_map(|group| self.members.get(group)).flatten().collect();
        members.into_iter().copied().filter(|other| *other != entity).take(COMPANIONS_MAX).collect()
    }

    fn next_due(&mut self) -> Option<(EntityId, Vec<EntityId>)> {
        let entity = self.due.pop_first()?;
        Some((entity, self.of(entity)))
    }
}

impl Host {
    /// Tells the audience who belongs together.
    pub(super) fn keep_companions(&mut self) {
        for _ in 0..TOLD_PER_TICK_MAX {
            let Some((entity, companions)) = self.companions.next_due() else { break };
            self.audience.set_companions(entity, &companions);
        }
    }

    /// The groups of an account have been read.
    pub(super) fn note_groups(&mut self, account_id: Uuid) {
        let Some(player) = self.players.get(&account_id) else { return };
        let groups: Vec<Uuid> = player.around.visitor().groups.iter().map(|(group, _)| *group).collect();
        self.companions.set(player.entity, &groups);
    }

    pub(super) fn send_frames(&mut self, now: Duration) {
        let Self { world, audience, players, accounts, meters, dropped_frames, post, .. } = self;
        let mut too_slow_ones = vec![];
        let mut batch = Batch::default();
        world.publish();
        audience.send(world.tick_count(), &world.views(), world.threads(), |entity, frame| {
            let player = accounts.get(&entity).and_then(|account_id| players.get_mut(account_id));
            let Some(Player { account_id, link: Link::Connected { outbox, slow, .. }, .. }) = player else {
                return Delivery::Dropped;
            };
            let bytes = frame.byte_count() as u64;
            if outbox.push_frame(frame, &mut batch).is_ok() {
                meters.frames.increment(1);
                meters.frame_bytes.increment(bytes);
                return Delivery::Sent;
            }
            *dropped_frames += 1;
            meters.dropped_frames.increment(1);
            if slow.note_drop(now) {
                too_slow_ones.push(*account_id);
            }
            Delivery::Dropped
        });
        batch.post(post);
        for account_id in too_slow_ones {
            self.disconnect(account_id, Some(too_slow()));
        }
    }

    /// Tells everybody how fast time passes.
    pub(super) fn tell_pace(&mut self, stretch: f64) {
        let pace = wire::Pace { stretch, from_tick: self.world.tick_count() + 1 };
        let bytes = encode(&ServerMessage::Pace(pace));
        let connected: Vec<Uuid> = self.sessions.values().copied().collect();
        for account_id in connected {
            self.tell_bytes(account_id, bytes.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(companions: &mut Companions) -> Vec<(u32, Vec<u32>)> {
        std::iter::from_fn(|| companions.next_due())
            .map(|(entity, others)| (entity.0, others.into_iter().map(|it| it.0).collect()))
            .collect()
    }

    #[test]
    fn those_of_one_group_are_companions_until_one_goes() {
        let mut companions = Companions::default();
        let [red, blue] = [1, 2].map(Uuid::from_u128);
        companions.set(EntityId(1), &[red]);
        companions.set(EntityId(2), &[red, blue]);
        companions.set(EntityId(3), &[blue]);
        assert_eq!(due(&mut companions), [(1, vec![2]), (2, vec![1, 3]), (3, vec![2])]);
        companions.set(EntityId(2), &[blue]);
        assert_eq!(due(&mut companions), [(1, vec![]), (2, vec![3]), (3, vec![2])]);
        companions.set(EntityId(3), &[]);
        assert_eq!(due(&mut companions), [(2, vec![])]);
        companions.set(EntityId(2), &[]);
        companions.set(EntityId(1), &[]);
        assert!(due(&mut companions).is_empty() && companions.members.is_empty());
    }
}
