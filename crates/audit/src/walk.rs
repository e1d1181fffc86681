//! The way along the log, from its first entry to its end, in small steps.

use serde::{Deserialize, Serialize};
use store::{Tx, params};
use uuid::Uuid;

use crate::checkpoint::{Checkpoint, KEY_CHANGED, checkpoints_between, last_checkpoint};
use crate::fault::Fault;
use crate::hex;
use crate::log::{self, Logged, genesis};
use crate::merkle::{Hash, Peaks};
use crate::proof::nodes;
use crate::seal::head;

/// Entries of one step: some milliseconds.
const STRIDE: u32 = 500;
/// No tree of ours will be higher.
const LEVELS: u32 = 62;

store::statements! {
    /// How far the checker is.
    FIND = "select state from audit_check where audit_check_id = 1";
    /// Writes it down.
    SAVE = "insert into audit_check (audit_check_id, state) values (1, $1) \
            on conflict (audit_check_id) do update set state = excluded.state";
    /// Nodes of a level from an index on.
    NODES_FROM = "select n.level, n.node_index from rows(level bigint, node_index bigint) \
                  join audit_nodes n on n.level = rows.level and n.node_index >= rows.node_index";
}

/// Where the checker writes down how far it is.
pub(crate) const PLACE: ::chain::Place = ::chain::Place { of: "the audit log", find: FIND, save: SAVE };

/// How far a check is, and what it has seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Walk {
    /// The last entry that was looked at.
    sequence: i64,
    /// Its hash as it is written.
    hash: Hash,
    /// Of the tree up to there.
    peaks: Vec<Hash>,
    /// Keys that checkpoints may be signed with: that of the first, and those the log tells of.
    keys: Vec<[u8; 32]>,
    /// What all checkpoints are about.
    log_id: Option<Uuid>,
    is_done: bool,
}

impl Walk {
    fn peaks(&self) -> Peaks {
        Peaks::of(self.sequence as u64, self.peaks.clone())
            .expect("a walk keeps as many as its size asks for")
    }

    /// Looks at some entries and at the checkpoints among them.
    fn look_at(&mut self, tx: &mut Tx<'_>, entries: &[Logged]) -> Result<Vec<Fault>, store::Error> {
        let mut faults = Vec::new();
        let last = entries.last().map_or(self.sequence, |it| it.sequence);
        let signed = checkpoints_between(tx, self.sequence, last, u32::MAX >> 1)?;
        let mut signed = signed.iter().peekable();
        let mut peaks = self.peaks();
        let written = nodes(tx, &peaks.to_come((last - self.sequence) as u64))?;
        for entry in entries {
            if entry.sequence != self.sequence + 1 {
                faults.push(Fault::Missing { from: self.sequence + 1, to: entry.sequence - 1 });
                // Nothing can be said of the tree over a gap; what lies behind it is still looked at.
                peaks = self.skip(tx, entry.sequence - 1)?;
            }
            if entry.expected_hash(&self.hash) != entry.hash {
                faults.push(Fault::ChainBroken { sequence: entry.sequence });
            }
            peaks.push(entry.leaf(), |at, hash| {
                let written = written.get(&at).copied();
                if written != Some(hash) {
                    let (from, to) = at.leaves();
                    faults.push(Fault::TreeBroken { from: from as i64 + 1, to: to as i64 });
                }
                // On with what is written: one fault is told once, not at every node above it.
                written.unwrap_or(hash)
            });
            (self.sequence, self.hash) = (entry.sequence, entry.hash);
            self.take_note_of_keys(entry);
            while let Some(it) = signed.next_if(|it| it.tree_size <= entry.sequence) {
                faults.extend(self.check(it, &peaks));
            }
        }
        self.peaks = peaks.nodes().to_vec();
        Ok(faults)
    }

    /// The tree as it is written down before an entry, for a walk that met a gap.
    fn skip(&mut self, tx: &mut Tx<'_>, size: i64) -> Result<Peaks, store::Error> {
        let parts = crate::merkle::Span { begin: 0, end: size as u64 }.nodes();
        let written = nodes(tx, &parts)?;
        let hashes = parts.iter().map(|at| written.get(at).copied().unwrap_or_default()).collect();
        self.sequence = size;
        Ok(Peaks::of(size as u64, hashes).expect("a tree has a whole node for each bit of its size"))
    }

    fn take_note_of_keys(&mut self, entry: &Logged) {
        if entry.action == KEY_CHANGED {
            let details: serde_json::Value = serde_json::from_str(&entry.details).unwrap_or_default();
            self.keys.extend(details["to"].as_str().and_then(hex::decode::<32>));
        }
    }

    fn check(&mut self, it: &Checkpoint, peaks: &Peaks) -> Option<Fault> {
        let tree_size = it.tree_size;
        if self.keys.is_empty() {
            self.keys.push(it.public_key);
        }
        let log_id = *self.log_id.get_or_insert(it.log_id);
        if !it.is_signed() {
            return Some(Fault::CheckpointForged { tree_size });
        }
        if log_id != it.log_id || !self.keys.contains(&it.public_key) {
            return Some(Fault::CheckpointForeign { tree_size });
        }
        let is_so = (it.root, it.chain_hash, tree_size) == (peaks.root(), self.hash, self.sequence);
        (!is_so).then_some(Fault::CheckpointDiffers { tree_size })
    }

    /// Behind the last entry: what is written down about the end, and what was signed beyond it.
    fn look_at_end(&mut self, tx: &mut Tx<'_>) -> Result<Vec<Fault>, store::Error> {
        let (sequence, mut faults) = (self.sequence, Vec::new());
        match head(tx) {
            Ok(it) if (it.sequence, it.hash, &it.peaks) == (sequence, self.hash, &self.peaks()) => {}
            Ok(it) => faults.push(Fault::EndWrong { sequence, written: it.sequence }),
            Err(store::Error::Damaged { .. }) => faults.push(Fault::EndWrong { sequence, written: 0 }),
            Err(error) => return Err(error),
        }
        let beyond = (1..=LEVELS).map(|level| params![level, sequence >> level].to_vec());
        let mut surplus = Vec::new();
        for row in tx.query_rows(NODES_FROM, &beyond.collect::<Vec<_>>())? {
            let (level, index): (u32, i64) = (row.get(0)?, row.get(1)?);
            surplus.push((index << level) + 1);
        }
        faults.extend(surplus.into_iter().min().map(|it| Fault::TreeTooLarge { from: it.max(sequence + 1) }));
        if let Some(last) = last_checkpoint(tx)?.filter(|it| it.tree_size > sequence) {
            faults.push(Fault::Cut { sequence, tree_size: last.tree_size });
        }
        self.is_done = true;
        Ok(faults)
    }

    /// The key that the last checkpoint should be signed with, and the log that all are about.
    pub(crate) fn keys(&self) -> (&[[u8; 32]], Option<Uuid>) {
        (&self.keys, self.log_id)
    }
}

impl ::chain::Walk for Walk {
    type Fault = Fault;

    fn begin() -> Self {
        let (peaks, keys) = (Vec::new(), Vec::new());
        Self { sequence: 0, hash: genesis(), peaks, keys, log_id: None, is_done: false }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn step(&mut self, tx: &mut Tx<'_>) -> Result<Vec<Fault>, store::Error> {
        let entries = log::after(tx, self.sequence, STRIDE)?;
        let mut faults = self.look_at(tx, &entries)?;
        if entries.len() < STRIDE as usize {
            faults.extend(self.look_at_end(tx)?);
        }
        Ok(faults)
    }

    fn code(fault: &Fault) -> &'static str {
        fault.code()
    }
}
