//! Takes letters without waiting for the mail server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::{Letter, MailError, Mailer};

/// Letters that may wait; a further one is refused.
pub const WAITING_MAX: usize = 1_000;

/// Letters handed to the mail server at once.
const SENDING_MAX: usize = 4;

/// How long to wait after each try that failed for now.
const TRY_AGAIN_AFTER: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_mins(2), Duration::from_mins(10)];

/// As many letters wait as may.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("as many letters wait as may")]
pub struct Full;

/// Where letters are posted. Cheap to clone.
#[derive(Clone)]
pub struct Post {
    mailer: Arc<dyn Mailer>,
    waiting: Arc<Semaphore>,
    sending: Arc<Semaphore>,
}

impl Post {
    /// Letters go on by this mailer.
    pub fn new(mailer: Arc<dyn Mailer>) -> Self {
        Self {
            mailer,
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            sending: Arc::new(Semaphore::new(SENDING_MAX)),
        }
    }

    /// Takes a letter. It is sent from a task of its own, and tried again for a quarter of an hour.
    pub fn send(&self, letter: Letter) -> Result<(), Full> {
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| Full)?;
        let (mailer, sending) = (Arc::clone(&self.mailer), Arc::clone(&self.sending));
        tokio::spawn(async move {
            let _place = place;
            let mut waits = TRY_AGAIN_AFTER.into_iter();
            loop {
                let turn = sending.acquire().await;
                let outcome = mailer.deliver(&letter).await;
                drop(turn);
                let result = match &outcome {
                    Ok(()) => "sent",
                    Err(MailError::Later { .. }) => "later",
                    Err(MailError::Refused { .. }) => "refused",
                };
                metrics::counter!("terrane_mails_total", "result" => result).increment(1);
                match (outcome, waits.next()) {
                    (Ok(()), _) => return,
                    (Err(MailError::Later { .. }), Some(wait)) => tokio::time::sleep(wait).await,
                    (Err(error), _) => {
                        tracing::warn!(%error, "a mail was given up");
                        return;
                    }
                }
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::Notify;

    use super::*;
    use crate::{Address, Delivery};

    /// Answers as it is told, then takes everything.
    struct Scripted {
        answers: Mutex<Vec<MailError>>,
        tries: Arc<Semaphore>,
    }

    impl Mailer for Scripted {
        fn deliver<'a>(&'a self, _: &'a Letter) -> Delivery<'a> {
            Box::pin(async move {
                self.tries.add_permits(1);
                self.answers.lock().unwrap().pop().map_or(Ok(()), Err)
            })
        }
    }

    fn letter() -> Letter {
        let to = Address::parse("ann@example.org").unwrap();
        Letter { to, subject: String::new(), text: String::new() }
    }

    async fn tries_after(answers: Vec<MailError>) -> usize {
        let tries = Arc::new(Semaphore::new(0));
        let mailer = Scripted { answers: Mutex::new(answers), tries: Arc::clone(&tries) };
        Post::new(Arc::new(mailer)).send(letter()).unwrap();
        tokio::time::sleep(Duration::from_hours(1)).await;
        tries.available_permits()
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_away_is_tried_again_and_a_refusal_is_final() {
        let later = MailError::Later { code: Some(451) };
        assert_eq!(tries_after(vec![]).await, 1);
        assert_eq!(tries_after(vec![later, later]).await, 3);
        assert_eq!(tries_after(vec![later; 20]).await, 5);
        assert_eq!(tries_after(vec![MailError::Refused { code: Some(550) }]).await, 1);
    }

    /// Never done.
    struct Stuck(Notify);

    impl Mailer for Stuck {
        fn deliver<'a>(&'a self, _: &'a Letter) -> Delivery<'a> {
            Box::pin(async move {
                self.0.notified().await;
                Ok(())
            })
        }
    }

    #[tokio::test]
    async fn more_letters_than_may_wait_are_refused() {
        let post = Post::new(Arc::new(Stuck(Notify::new())));
        for _ in 0..WAITING_MAX {
            post.send(letter()).unwrap();
        }
        assert_eq!(post.send(letter()), Err(Full));
    }
}
