//! The list of who was forgotten, in a file beside the database: after an old copy of the database was restored, it
//! says who must be forgotten again. It holds ids and times only.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One line of the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) account_id: Uuid,
    pub(crate) at: String,
}

/// The file. What it says is never taken back.
#[derive(Clone, Debug)]
pub struct ErasureList {
    path: PathBuf,
}

impl ErasureList {
    /// The list in this file, which need not be there yet.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds an account, unless it is there. On disk when this returns.
    pub(crate) fn add(&self, entry: &Entry) -> io::Result<()> {
        if self.read()?.iter().any(|it| it.account_id == entry.account_id) {
            return Ok(());
        }
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&self.path)?;
        // What a crash has cut is written over.
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        file.write_all(&line)?;
        file.sync_all()
    }

    /// All of it. A last line that was cut by a crash is none; any other that cannot be read is an error.
    pub(crate) fn read(&self) -> io::Result<Vec<Entry>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let lines = BufReader::new(file).lines().collect::<io::Result<Vec<_>>>()?;
        let last = lines.len().saturating_sub(1);
        let mut entries = Vec::with_capacity(lines.len());
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
            match serde_json::from_str(line) {
                Ok(entry) => entries.push(entry),
                Err(_) if number == last => {}
                Err(error) => {
                    let said = format!("{}, line {}: {error}", self.path.display(), number + 1);
                    return Err(io::Error::other(said));
                }
            }
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_a_crash_has_cut_is_none_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let list = ErasureList::at(folder.path().join("erasures.ndjson"));
        assert_eq!(list.read().unwrap(), []);
        let entry =
            |number| Entry { account_id: Uuid::from_u128(number), at: "2026-11-21T00:00:00Z".to_owned() };
        for number in [1, 2, 1] {
            list.add(&entry(number)).unwrap();
        }
        assert_eq!(list.read().unwrap(), [entry(1), entry(2)]);
        let whole = std::fs::read(list.path()).unwrap();
        std::fs::write(list.path(), &whole[..whole.len() - 9]).unwrap();
        assert_eq!(list.read().unwrap(), [entry(1)]);
        list.add(&entry(3)).unwrap();
        assert_eq!(list.read().unwrap(), [entry(1), entry(3)]);
    }
}
