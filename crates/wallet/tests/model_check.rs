//! The books against a plain model of them, on both engines: random operations, some of them delivered twice, some out
//! of order, some in transactions that are lost before their commit, under a clock that is set back now and then.
//!
//! `SEED` repeats a run, `LEDGER_OPERATIONS` sets how many operations there are (1,000,000 for the long run, which goes
//! quicker by engine: `TERRANE_TEST_ENGINE`).

mod model;
mod support;

use std::collections::VecDeque;

use model::{Fate, Model, Operation};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use store::testing::for_each_engine;
use store::{Store, Tx};
use support::{NOW_US, assert_sound, seal_all};
use wallet::MIGRATIONS;

const OPERATIONS_DEFAULT: usize = 3_000;
/// In one transaction at most.
const TOGETHER_MAX: usize = 40;
/// Operations of the past that may be delivered once more.
const REMEMBERED_MAX: usize = 500;

fn from_environment<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|it| it.parse().ok())
}

/// Does one operation and says what became of it.
fn perform(tx: &mut Tx<'_>, operation: &Operation, now_us: i64) -> Result<Fate, store::Error> {
    Ok(match operation {
        Operation::Post(postings) => {
            let fates = wallet::post_all(tx, postings, now_us)?;
            Fate::Posted(fates.into_iter().map(Fate::of_posting).collect())
        }
        Operation::Hold(request) => Fate::of_hold(wallet::hold(tx, request, now_us)),
        Operation::Change { hold_id, amount } => {
            Fate::of_hold(wallet::change_hold(tx, *hold_id, *amount, now_us))
        }
        Operation::Void { hold_id } => Fate::of_hold(wallet::void_hold(tx, *hold_id, now_us)),
        Operation::PostHold { hold_id, posting } => {
            Fate::of_hold_posting(wallet::post_hold(tx, *hold_id, posting, now_us))
        }
        Operation::Expire => {
            let mut ended: Vec<_> =
                wallet::expire_holds(tx, now_us, 1_000)?.iter().map(|it| it.hold_id).collect();
            ended.sort_unstable();
            Fate::Expired(ended)
        }
        Operation::Reverse { posting_client_id, client_id } => {
            let found = tx.query_opt(
                "select posting_id from postings where client_id = $1",
                store::params![posting_client_id],
            )?;
            match found {
                None => Fate::Nothing,
                Some(row) => {
                    let reference = "mistake".to_owned();
                    Fate::of_reversal(wallet::reverse(tx, row.get(0)?, client_id.clone(), reference, now_us))
                }
            }
        }
        Operation::Seal => {
            wallet::seal(tx, 50)?;
            Fate::Nothing
        }
    })
}

/// A transaction that is lost just before its commit.
#[derive(Debug)]
struct Lost;

impl From<store::Error> for Lost {
    fn from(error: store::Error) -> Self {
        panic!("{error}")
    }
}

/// The random world between the operations and the books.
struct World {
    random: StdRng,
    model: Model,
    now_us: i64,
    /// Arrived, not yet done.
    waiting: VecDeque<Operation>,
    past: VecDeque<Operation>,
}

impl World {
    /// The next operations to be done together, in the order of their arrival: not always that of their making.
    fn next(&mut self) -> Vec<Operation> {
        let count = self.random.random_range(1..=TOGETHER_MAX);
        while self.waiting.len() < count {
            let operation = match self.random.random_range(0..10) {
                0 if !self.past.is_empty() => {
                    let at = self.random.random_range(0..self.past.len());
                    self.past[at].clone()
                }
                _ => Operation::random(&mut self.random, &self.model, self.now_us),
            };
            let at = self.waiting.len() - self.random.random_range(0..=self.waiting.len().min(5));
            self.waiting.insert(at, operation);
        }
        self.waiting.drain(..count).collect()
    }

    fn move_clock(&mut self) {
        self.now_us += match self.random.random_range(0..50) {
            0 => -3_600_000_000,
            1 => 3_600_000_000,
            _ => self.random.random_range(0..2_000_000),
        };
    }

    async fn turn(&mut self, store: &Store) -> usize {
        self.move_clock();
        let (operations, now_us) = (self.next(), self.now_us);
        if self.random.random_range(0..8) == 0 {
            // The transaction is lost after some of its operations; the client does not know and sends all again.
            let (lost, done) = (operations.clone(), self.random.random_range(0..=operations.len()));
            let outcome: Result<(), Lost> = store
                .locked(move |tx| {
                    for operation in &lost[..done] {
                        perform(tx, operation, now_us)?;
                    }
                    Err(Lost)
                })
                .await;
            assert!(outcome.is_err());
        }
        let performed = operations.clone();
        let fates: Vec<Fate> = store
            .locked(move |tx| performed.iter().map(|it| perform(tx, it, now_us)).collect::<Result<_, _>>())
            .await
            .expect("it is stored");
        for (operation, fate) in operations.iter().zip(fates) {
            let expected = self.model.perform(operation, now_us);
            assert_eq!(fate, expected, "{operation:?} at {now_us}");
        }
        let count = operations.len();
        self.past.extend(operations);
        while self.past.len() > REMEMBERED_MAX {
            self.past.pop_front();
        }
        count
    }

    /// Every balance and every hold of the model is in the books.
    async fn compare(&self, store: &Store) {
        let keys: Vec<_> = self.model.balances().map(|(key, _)| key.clone()).collect();
        let read = move |tx: &mut Tx<'_>| {
            keys.iter()
                .map(|(account, asset)| {
                    let amount = wallet::balance(tx, *account, asset)?.minor();
                    Ok((amount, amount - wallet::available(tx, *account, asset)?.minor()))
                })
                .collect::<Result<Vec<_>, store::Error>>()
        };
        let stored = store.read(read).await.expect("it can be read");
        let expected: Vec<_> = self.model.balances().map(|(_, it)| *it).collect();
        assert_eq!(stored, expected);
        self.model.assert_sums_are_zero();
        assert_sound(store).await;
    }
}

#[test]
fn the_books_equal_a_plain_model_whatever_is_repeated_reordered_or_lost() {
    let seed: u64 = from_environment("SEED").unwrap_or_else(rand::random);
    let operations: usize = from_environment("LEDGER_OPERATIONS").unwrap_or(OPERATIONS_DEFAULT);
    println!("SEED={seed} LEDGER_OPERATIONS={operations}");
    for_each_engine(MIGRATIONS, async |store| {
        let mut world = World {
            random: StdRng::seed_from_u64(seed),
            model: Model::new(),
            now_us: NOW_US,
            waiting: VecDeque::new(),
            past: VecDeque::new(),
        };
        let (mut done, mut compared) = (0, 0);
        while done < operations {
            done += world.turn(&store).await;
            if done - compared > operations / 10 {
                world.compare(&store).await;
                compared = done;
            }
        }
        seal_all(&store).await;
        world.compare(&store).await;
        world.model.assert_was_busy();
    });
}
