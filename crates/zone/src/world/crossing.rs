//! Bodies that cross a border.

use super::World;
use crate::journal::Change;
use motion::Ground;
use sim::Mover;
use sim::handover::{Entry, Message};
use std::collections::VecDeque;

/// How messages go from zone to zone. They may be lost, doubled and delayed: nothing but time is lost by it.
pub trait Messenger: Send + Sync {
    /// Takes a message on its way.
    fn send(&mut self, message: Message<Mover>);

    /// The next that has arrived.
    fn next(&mut self) -> Option<Message<Mover>>;

    /// A tick has passed.
    fn pass_tick(&mut self) {}

    /// Whether nothing is on its way.
    fn is_empty(&self) -> bool;
}

/// Within a process: at once, in order, nothing is lost.
#[derive(Debug, Default)]
pub struct InProcess(VecDeque<Message<Mover>>);

impl Messenger for InProcess {
    fn send(&mut self, message: Message<Mover>) {
        self.0.push_back(message);
    }

    fn next(&mut self) -> Option<Message<Mover>> {
        self.0.pop_front()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<G: Ground + Clone + Send + Sync> World<G> {
    /// Hands over all that are outside of their zones, and goes on with what is not answered yet.
    pub(super) fn hand_over(&mut self) {
        if self.zones.len() == 1 && self.zones[0].book.is_quiet() && self.messenger.is_empty() {
            return;
        }
        self.messenger.pass_tick();
        for at in 0..self.zones.len() {
            self.let_go(at);
        }
        for held in &self.zones {
            held.book.unanswered().for_each(|message| self.messenger.send(message));
        }
        while let Some(message) = self.messenger.next() {
            self.hear(&message);
        }
    }

    fn let_go(&mut self, at: usize) {
        for entity in self.zones[at].zone.outside(self.zones[at].first, self.zones[at].last) {
            let held = &self.zones[at];
            let Some((body, _)) = held.zone.body(entity) else { continue };
            let to = self.zones[self.index_of_cell(self.cell_at(body.position))].id;
            if to == held.id || !held.book.holds(entity) {
                continue;
            }
            let held = &mut self.zones[at];
            let Some(mover) = held.zone.take_out(entity) else { continue };
            let entry = held.book.depart(entity, to, mover).expect("a resident can leave");
            held.book.apply(&entry);
            self.changes.push(Change::Entry { zone: held.id, entry });
        }
    }

    fn hear(&mut self, message: &Message<Mover>) {
        // A zone that has ended had nothing on its way: what still comes for it is a copy.
        let Some(at) = self.index_of_zone(message.to()) else { return };
        let held = &mut self.zones[at];
        let heard = held.book.hear(message);
        if let Some(entry) = heard.entry {
            if let Entry::In { entity, .. } = entry
                && self.leaving.remove(&entity)
            {
                for entry in [entry, Entry::Gone(entity)] {
                    held.book.apply(&entry);
                    self.changes.push(Change::Entry { zone: held.id, entry });
                }
                heard.answer.into_iter().for_each(|answer| self.messenger.send(answer));
                return;
            }
            if let (Entry::In { entity, epoch, .. }, Message::Transfer { passage, .. }) = (&entry, message) {
                // Room for all is room for this one: it was counted before it set out.
                if held.zone.enter(*entity, passage.state.clone()).is_err() {
                    return;
                }
                self.directory.claim(*entity, *epoch, held.id);
                self.counts.handovers += 1;
            }
            held.book.apply(&entry);
            self.changes.push(Change::Entry { zone: held.id, entry });
        }
        if let Some(answer) = heard.answer {
            self.messenger.send(answer);
        }
    }
}
