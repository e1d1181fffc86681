//! Hashing on threads of its own.
//!
//! A hash takes 19 MiB and tens of milliseconds. A fixed number of threads does them, a bounded number may wait, and
//! whoever comes then is told to come again: so signing in can be slow or refused, but nobody else's request waits for
//! it, and memory has a bound.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use super::{Password, hash, is_current, verify};

/// As many wait as may; to be asked again in a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("as many passwords wait to be hashed as may")]
pub(crate) struct Busy;

/// What a check has found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Checked {
    /// Whether the password was right.
    pub(crate) is_right: bool,
    /// A hash of it as we make them now, if it was right and the one stored is another kind.
    pub(crate) upgraded: Option<String>,
}

enum Work {
    Hash(Password, oneshot::Sender<String>),
    Check(Password, Option<String>, oneshot::Sender<Checked>),
}

/// The pool. Its threads end when the last of its clones is gone.
#[derive(Clone)]
pub(crate) struct Hashing {
    queue: SyncSender<(Work, Instant)>,
    /// What an unknown person's password is compared with, so that it takes as long as a known one's.
    nobody: Arc<str>,
}

impl Hashing {
    /// `threads` that hash, and at most `waiting_max` that wait for them.
    pub(crate) fn start(threads: usize, waiting_max: usize) -> Self {
        let (queue, work) = sync_channel(waiting_max.max(1));
        let work = Arc::new(Mutex::new(work));
        for number in 0..threads.max(1) {
            let work = Arc::clone(&work);
            std::thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || run(&work))
                .expect("the system has a thread left at the start");
        }
        let nobody = Password::parse(String::new()).expect("nothing is short enough");
        Self { queue, nobody: hash(&nobody).into() }
    }

    /// A hash of a new password.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, Busy> {
        let (answer, hashed) = oneshot::channel();
        self.push(Work::Hash(password, answer))?;
        hashed.await.map_err(|_| Busy)
    }

    /// Whether a password fits a stored hash. Without a hash (an unknown person) it takes as long and is wrong.
    pub(crate) async fn check(&self, password: Password, phc: Option<String>) -> Result<Checked, Busy> {
        let is_known = phc.is_some();
        let (answer, checked) = oneshot::channel();
        let against = phc.unwrap_or_else(|| self.nobody.to_string());
        self.push(Work::Check(password, Some(against), answer))?;
        let checked = checked.await.map_err(|_| Busy)?;
        Ok(if is_known { checked } else { Checked { is_right: false, upgraded: None } })
    }

    fn push(&self, work: Work) -> Result<(), Busy> {
        match self.queue.try_send((work, Instant::now())) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                metrics::counter!("terrane_passwords_refused_total").increment(1);
                Err(Busy)
            }
        }
    }
}

fn run(work: &Mutex<Receiver<(Work, Instant)>>) {
    loop {
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((work, asked_at)) = next else { return };
        match work {
            // Nobody waits for it any more.
            Work::Hash(_, answer) if answer.is_closed() => continue,
            Work::Check(_, _, answer) if answer.is_closed() => continue,
            Work::Hash(password, answer) => {
                let _ = answer.send(hash(&password));
            }
            Work::Check(password, phc, answer) => {
                let phc = phc.unwrap_or_default();
                let is_right = verify(&password, &phc);
                let upgraded = (is_right && !is_current(&phc)).then(|| hash(&password));
                let _ = answer.send(Checked { is_right, upgraded });
            }
        }
        metrics::histogram!("terrane_password_seconds").record(asked_at.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_right_password_of_an_old_hash_brings_a_new_one() {
        let pool = Hashing::start(1, 4);
        let old = bcrypt::hash("brought along", 4).unwrap();
        let checked = pool.check(password("brought along"), Some(old.clone())).await.unwrap();
        let new = checked.upgraded.unwrap();
        assert!(checked.is_right && is_current(&new));
        let again = pool.check(password("brought along"), Some(new)).await.unwrap();
        assert_eq!(again, Checked { is_right: true, upgraded: None });
        let wrong = pool.check(password("something else"), Some(old)).await.unwrap();
        assert_eq!(wrong, Checked { is_right: false, upgraded: None });
        // Not even with the password that nobody's hash is made of.
        assert!(!pool.check(password(""), None).await.unwrap().is_right);
    }

    #[tokio::test]
    async fn more_than_may_wait_are_refused_at_once_and_others_are_served_meanwhile() {
        let pool = Hashing::start(1, 2);
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.hash(password("some password")).await })
            })
            .collect();
        // The runtime of this test has one thread: it goes on while the pool works.
        tokio::task::yield_now().await;
        let mut hashed = 0;
        for task in tasks {
            hashed += usize::from(task.await.unwrap().is_ok());
        }
        assert!((2..=4).contains(&hashed), "{hashed}");
        assert!(pool.hash(password("some password")).await.is_ok(), "it goes on afterwards");
    }
}
