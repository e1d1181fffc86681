//! Showing that an entry is in the log, and that the log only grew.

use std::collections::HashMap;

use store::{Tx, params};

use crate::log;
use crate::merkle::{self, At, Hash, Span};

store::statements! {
    /// Nodes of the tree.
    NODES = "select n.level, n.node_index, n.hash from rows(level bigint, node_index bigint) \
             join audit_nodes n on n.level = rows.level and n.node_index = rows.node_index";
}

/// Nodes above level 0 as they are written down; those that are not are left out.
pub(crate) fn nodes(tx: &mut Tx<'_>, at: &[At]) -> Result<HashMap<At, Hash>, store::Error> {
    let keys: Vec<_> = at.iter().map(|it| params![it.level, it.index as i64].to_vec()).collect();
    let found = tx.query_rows(NODES, &keys)?;
    let read = |row: &store::Row| {
        let (level, index): (u32, i64) = (row.get(0)?, row.get(1)?);
        Ok((At { level, index: index as u64 }, row.get(2)?))
    };
    found.iter().map(read).collect()
}

/// The hashes over some parts of the log.
fn hashes(tx: &mut Tx<'_>, spans: &[Span]) -> Result<Vec<Hash>, store::Error> {
    let parts: Vec<Vec<At>> = spans.iter().map(|it| it.nodes()).collect();
    let (leaves, above): (Vec<At>, Vec<At>) = parts.concat().into_iter().partition(|it| it.level == 0);
    let mut known = nodes(tx, &above)?;
    // Few: a leaf beside the path, one at an odd right edge.
    for at in leaves {
        if let Some(entry) = log::find(tx, at.index as i64 + 1)? {
            known.insert(at, entry.leaf());
        }
    }
    let missing = || store::Error::Damaged { detail: "audit: the tree has a gap".to_owned() };
    let of_part = |part: &Vec<At>| {
        let hashes: Option<Vec<Hash>> = part.iter().map(|at| known.get(at).copied()).collect();
        hashes.map(|it| merkle::fold(&it)).ok_or_else(missing)
    };
    parts.iter().map(of_part).collect()
}

/// The root that the tree had when it had `size` leaves, by what is written down.
pub fn root_at(tx: &mut Tx<'_>, size: u64) -> Result<Hash, store::Error> {
    Ok(hashes(tx, &[Span { begin: 0, end: size }])?[0])
}

/// Shows that the entry at `sequence` is in the tree of `size`: RFC 9162, section 2.1.3. Its leaf has the index
/// `sequence − 1`.
///
/// # Panics
/// If the tree of that size has no such entry.
pub fn inclusion_proof(tx: &mut Tx<'_>, sequence: u64, size: u64) -> Result<Vec<Hash>, store::Error> {
    hashes(tx, &merkle::inclusion(sequence - 1, size))
}

/// Shows that the tree of `size` begins with that of `before`: RFC 9162, section 2.1.4.
///
/// # Panics
/// If `before` is 0 or more than `size`.
pub fn consistency_proof(tx: &mut Tx<'_>, before: u64, size: u64) -> Result<Vec<Hash>, store::Error> {
    hashes(tx, &merkle::consistency(before, size))
}
