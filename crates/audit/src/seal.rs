//! Giving entries their place in the log, by one hand at a time.

use store::{Row, Tx, Value, params};

use crate::log::{Logged, genesis};
use crate::merkle::{Hash, Peaks};

store::statements! {
    /// Takes the end of the log.
    TAKE_HEAD = "select sequence, hash, peaks from audit_head where audit_head_id = 1 for update";
    /// The end of the log.
    HEAD = "select sequence, hash, peaks from audit_head where audit_head_id = 1";
    /// The beginning.
    ADD_HEAD = "insert into audit_head (audit_head_id, sequence, hash, peaks) values (1, 0, $1, $2) \
                on conflict (audit_head_id) do nothing";
    /// Moves the end.
    MOVE_HEAD = "update audit_head set sequence = $1, hash = $2, peaks = $3 where audit_head_id = 1";
    /// Some that wait.
    WAITING = "select audit_entry_id, at, actor, actor_account_id, action, subject_kind, subject_id, details, \
               reason_commitment from audit_waiting order by audit_entry_id limit $1";
    /// How many wait.
    COUNT_WAITING = "select count(*) from audit_waiting";
    /// Gives them their places.
    ADD = "insert into audit_entries (sequence, audit_entry_id, at, actor, actor_account_id, action, subject_kind, \
           subject_id, details, reason_commitment, hash) select sequence, audit_entry_id, at, actor, \
           actor_account_id, action, subject_kind, subject_id, details, reason_commitment, hash \
           from rows(sequence bigint, audit_entry_id uuid, at timestamptz, actor text, actor_account_id uuid, \
           action text, subject_kind text, subject_id text, details text, reason_commitment bytea, hash bytea)";
    /// Nodes of the tree that are whole now.
    ADD_NODES = "insert into audit_nodes (level, node_index, hash) select level, node_index, hash \
                 from rows(level bigint, node_index bigint, hash bytea)";
    /// They wait no more.
    DROP_WAITING = "delete from audit_waiting \
                    where audit_entry_id in (select audit_entry_id from rows(audit_entry_id uuid))";
}

/// Where the log ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// How many entries it has.
    pub sequence: i64,
    /// The last hash of the chain.
    pub hash: Hash,
    /// The right edge of the tree.
    pub peaks: Peaks,
}

impl Head {
    fn empty() -> Self {
        Self { sequence: 0, hash: genesis(), peaks: Peaks::default() }
    }

    fn from_row(row: &Row) -> Result<Self, store::Error> {
        let (sequence, peaks): (i64, Vec<u8>) = (row.get(0)?, row.get(2)?);
        let nodes = peaks.chunks(32).map(|it| it.try_into().unwrap_or([0; 32])).collect();
        let peaks = u64::try_from(sequence).ok().and_then(|size| Peaks::of(size, nodes));
        let damaged =
            || store::Error::Damaged { detail: "audit: the end of the log makes no tree".to_owned() };
        Ok(Self { sequence, hash: row.get(1)?, peaks: peaks.ok_or_else(damaged)? })
    }
}

/// Seals up to `count` entries that wait; how many. Others that seal at the same time are waited for.
pub fn seal(tx: &mut Tx<'_>, count: u32) -> Result<u32, store::Error> {
    // Whoever finds nothing to do takes nothing.
    if tx.query(WAITING, params![1])?.is_empty() {
        return Ok(0);
    }
    let Head { mut sequence, mut hash, mut peaks } = take_head(tx)?;
    let waiting = tx.query(WAITING, params![count])?;
    let (mut entries, mut nodes, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
    for row in &waiting {
        sequence += 1;
        let mut logged = waiting_entry(row, sequence)?;
        hash = logged.expected_hash(&hash);
        logged.hash = hash;
        peaks.push(logged.leaf(), |at, hash| {
            nodes.push(params![at.level, at.index as i64, hash].to_vec());
            hash
        });
        sealed.push(params![logged.entry_id].to_vec());
        entries.push(row_of(logged));
    }
    if !entries.is_empty() {
        tx.execute_rows(ADD, &entries)?;
        tx.execute_rows(ADD_NODES, &nodes)?;
        tx.execute_rows(DROP_WAITING, &sealed)?;
        tx.execute(MOVE_HEAD, params![sequence, hash, peaks.nodes().concat()])?;
    }
    Ok(entries.len() as u32)
}

fn waiting_entry(row: &Row, sequence: i64) -> Result<Logged, store::Error> {
    Ok(Logged {
        sequence,
        entry_id: row.get(0)?,
        at_us: row.get(1)?,
        actor: row.get(2)?,
        actor_account_id: row.get(3)?,
        action: row.get(4)?,
        subject_kind: row.get(5)?,
        subject_id: row.get(6)?,
        details: row.get(7)?,
        reason_commitment: row.get(8)?,
        hash: [0; 32],
    })
}

fn row_of(it: Logged) -> Vec<Value> {
    vec![
        it.sequence.into(),
        it.entry_id.into(),
        it.at_us.into(),
        it.actor.into(),
        it.actor_account_id.into(),
        it.action.into(),
        it.subject_kind.into(),
        it.subject_id.into(),
        it.details.into(),
        it.reason_commitment.into(),
        it.hash.into(),
    ]
}

pub(crate) fn take_head(tx: &mut Tx<'_>) -> Result<Head, store::Error> {
    if let Some(row) = tx.query_opt(TAKE_HEAD, params![])? {
        return Head::from_row(&row);
    }
    tx.execute(ADD_HEAD, params![genesis(), Vec::<u8>::new()])?;
    Head::from_row(&tx.query_one(TAKE_HEAD, params![])?)
}

/// Where the log ends.
pub fn head(tx: &mut Tx<'_>) -> Result<Head, store::Error> {
    tx.query_opt(HEAD, params![])?.map_or_else(|| Ok(Head::empty()), |row| Head::from_row(&row))
}

/// How many entries wait for their place.
pub fn waiting(tx: &mut Tx<'_>) -> Result<i64, store::Error> {
    tx.query_one(COUNT_WAITING, params![])?.get(0)
}
