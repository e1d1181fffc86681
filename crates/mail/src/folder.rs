//! Letters as files, for whoever develops or hosts a planet for friends without a mail server.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Delivery, Letter, MailError, Mailer};

/// Letters kept; the oldest make room.
pub const LETTERS_MAX: usize = 200;

/// Writes each letter to a file of its own, readable by its owner only, and its path to the log.
pub struct Folder {
    path: Arc<Path>,
}

impl Folder {
    /// Letters go to this folder, which is made with the first of them.
    pub fn new(path: PathBuf) -> Self {
        Self { path: path.into() }
    }
}

impl Mailer for Folder {
    fn deliver<'a>(&'a self, letter: &'a Letter) -> Delivery<'a> {
        let (path, letter) = (Arc::clone(&self.path), letter.clone());
        Box::pin(async move {
            let written = tokio::task::spawn_blocking(move || write(&path, &letter)).await;
            match written {
                Ok(Ok(path)) => {
                    tracing::info!(path = %path.display(), "a mail was written to a file");
                    Ok(())
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a mail could not be written to its folder");
                    Err(MailError::Later { code: None })
                }
                Err(_) => Err(MailError::Refused { code: None }),
            }
        })
    }
}

fn write(folder: &Path, letter: &Letter) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let mut before: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|it| it == "eml"))
        .collect();
    before.sort_unstable();
    for oldest in before.iter().take(before.len().saturating_sub(LETTERS_MAX - 1)) {
        fs::remove_file(oldest)?;
    }
    let at_us = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_micros());
    // Names sort by time. Two letters of one microsecond get different ones, because a file is never written twice.
    for number in 0..1_000 {
        let path = folder.join(format!("{at_us:020}-{number:03}.eml"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => {
                let Letter { to, subject, text } = letter;
                write!(file, "To: {}\nSubject: {subject}\n\n{text}", to.as_str())?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    #[tokio::test]
    async fn a_letter_is_a_private_file_and_the_oldest_make_room() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mail");
        let folder = Folder::new(path.clone());
        for number in 0..LETTERS_MAX + 3 {
            let to = Address::parse("ann@example.org").unwrap();
            let letter = Letter { to, subject: format!("Letter {number}"), text: "Hello.\n".to_owned() };
            folder.deliver(&letter).await.unwrap();
        }
        let mut files: Vec<PathBuf> = fs::read_dir(&path).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort_unstable();
        assert_eq!(files.len(), LETTERS_MAX);
        let first = fs::read_to_string(&files[0]).unwrap();
        assert_eq!(first, "To: ann@example.org\nSubject: Letter 3\n\nHello.\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
