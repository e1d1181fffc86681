//! Checkpoints in a file, one JSON object in each line: for an operator to copy to a place that whoever holds the
//! database cannot write.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use store::Tx;
use uuid::Uuid;

use crate::checkpoint::Checkpoint;
use crate::fault::Fault;
use crate::hex;
use crate::proof::root_at;
use crate::verify::Report;

/// A line; hashes, key and signature in lower-case hexadecimal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    log_id: Uuid,
    tree_size: i64,
    at_us: i64,
    root: String,
    chain_hash: String,
    public_key: String,
    signature: String,
}

/// The checkpoint as a line without its end.
pub fn to_line(it: &Checkpoint) -> String {
    let line = Line {
        log_id: it.log_id,
        tree_size: it.tree_size,
        at_us: it.at_us,
        root: hex::encode(&it.root),
        chain_hash: hex::encode(&it.chain_hash),
        public_key: hex::encode(&it.public_key),
        signature: hex::encode(&it.signature),
    };
    serde_json::to_string(&line).expect("a line has only text keys")
}

/// The checkpoint that a line holds.
pub fn from_line(line: &str) -> Option<Checkpoint> {
    let line: Line = serde_json::from_str(line).ok()?;
    Some(Checkpoint {
        tree_size: line.tree_size,
        log_id: line.log_id,
        at_us: line.at_us,
        root: hex::decode(&line.root)?,
        chain_hash: hex::decode(&line.chain_hash)?,
        public_key: hex::decode(&line.public_key)?,
        signature: hex::decode(&line.signature)?,
    })
}

/// What is wrong with checkpoints that were kept elsewhere, or with the log: each must be signed with a key of the log,
/// and say of it what it says of itself.
pub fn compare(tx: &mut Tx<'_>, report: &Report, kept: &[Checkpoint]) -> Result<Vec<Fault>, store::Error> {
    let mut faults = Vec::new();
    for it in kept {
        let tree_size = it.tree_size;
        let is_ours = report.log_id.is_none_or(|log_id| log_id == it.log_id)
            && (report.keys.is_empty() || report.keys.contains(&it.public_key));
        if !it.is_signed() {
            faults.push(Fault::CheckpointForged { tree_size });
        } else if !is_ours {
            faults.push(Fault::CheckpointForeign { tree_size });
        } else if tree_size > report.entries || tree_size < 1 {
            faults.push(Fault::Cut { sequence: report.entries, tree_size });
        } else {
            let is_so = match root_at(tx, tree_size as u64) {
                Ok(root) => root == it.root,
                Err(store::Error::Damaged { .. }) => false,
                Err(error) => return Err(error),
            };
            if !is_so {
                faults.push(Fault::CheckpointDiffers { tree_size });
            }
        }
    }
    Ok(faults)
}

/// The end of a file is looked for in so many bytes: many lines.
const TAIL_BYTES: u64 = 64 * 1024;

/// The last whole line of a file; `None` if it is not there or has none.
pub(crate) fn last(path: &Path) -> io::Result<Option<Checkpoint>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
    let text = String::from_utf8_lossy(&tail[..whole]);
    Ok(text.lines().next_back().and_then(from_line))
}

/// Adds lines and waits until they are on the disk. What a power cut left of a line is taken away first.
pub(crate) fn append(path: &Path, checkpoints: &[Checkpoint]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let torn = tail.iter().rev().take_while(|it| **it != b'\n').count() as u64;
    if torn > 0 {
        file.set_len(length - torn)?;
    }
    let lines: String = checkpoints.iter().map(|it| to_line(it) + "\n").collect();
    file.write_all(lines.as_bytes())?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(tree_size: i64) -> Checkpoint {
        Checkpoint {
            tree_size,
            log_id: Uuid::from_u128(1),
            at_us: 5,
            root: [1; 32],
            chain_hash: [2; 32],
            public_key: [3; 32],
            signature: [4; 64],
        }
    }

    #[test]
    fn what_is_appended_is_read_and_a_torn_line_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit/checkpoints.jsonl");
        assert_eq!(last(&path).unwrap(), None);
        append(&path, &[checkpoint(1), checkpoint(2)]).unwrap();
        assert_eq!(last(&path).unwrap(), Some(checkpoint(2)));
        let torn = to_line(&checkpoint(3));
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&torn.as_bytes()[..40]).unwrap();
        assert_eq!(last(&path).unwrap(), Some(checkpoint(2)));
        append(&path, &[checkpoint(4)]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let read: Vec<_> = text.lines().map(from_line).collect();
        assert_eq!(read, [1, 2, 4].map(|it| Some(checkpoint(it))));
    }
}
