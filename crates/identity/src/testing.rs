//! For tests of this and other crates.

use std::sync::{Arc, Mutex, PoisonError};

use mail::{Delivery, Letter, Mailer};

/// Takes letters and forgets them.
pub struct Nowhere;

impl Mailer for Nowhere {
    fn deliver<'a>(&'a self, _: &'a Letter) -> Delivery<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Keeps letters to be read by the test.
#[derive(Clone, Default)]
pub struct Mailbox {
    letters: Arc<Mutex<Vec<Letter>>>,
    came: Arc<tokio::sync::Notify>,
}

impl Mailbox {
    /// Takes out the oldest letter, waiting for it if need be.
    pub async fn next(&self) -> Letter {
        loop {
            let came = self.came.notified();
            {
                let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
                if !letters.is_empty() {
                    return letters.remove(0);
                }
            }
            came.await;
        }
    }

    /// How many letters are in it.
    pub fn count(&self) -> usize {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Mailer for Mailbox {
    fn deliver<'a>(&'a self, letter: &'a Letter) -> Delivery<'a> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter.clone());
        self.came.notify_one();
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The token in the link of a letter: what stands behind `#confirm=` or `#reset=`.
pub fn token_in(letter: &Letter) -> Option<crate::LinkToken> {
    let link = letter.text.split_whitespace().find(|it| it.contains("/account#"))?;
    crate::LinkToken::parse(link.split_once('=')?.1)
}
