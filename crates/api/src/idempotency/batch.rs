//! Many decisions in one transaction, each with its own answer.

use std::collections::{HashMap, HashSet};

use axum::http::StatusCode;
use serde_json::Value;
use store::{Tx, params};
use uuid::Uuid;

use super::{Answer, Decision, Earlier, KEPT_PER_ACCOUNT_MAX, Slot, is_kept};
use crate::Problem;

store::statements! {
    /// Takes the keys that are new; gives those.
    TAKE_NEW = "insert into idempotency_keys (account_id, idempotency_key, fingerprint, expires_at) \
                select account_id, idempotency_key, fingerprint, expires_at \
                from rows(account_id uuid, idempotency_key text, fingerprint bytea, expires_at timestamptz) \
                where true on conflict (account_id, idempotency_key) do nothing \
                returning account_id, idempotency_key";
    /// How many each account has.
    COUNTS = "select account_id, count(*) from idempotency_keys \
              where account_id in (select account_id from rows(account_id uuid)) group by account_id";
    /// Keeps the answers.
    KEEP_ALL = "update idempotency_keys set status = rows.status, body = rows.body \
                from rows(account_id uuid, idempotency_key text, status bigint, body text) \
                where idempotency_keys.account_id = rows.account_id \
                and idempotency_keys.idempotency_key = rows.idempotency_key";
    /// Lets go of keys.
    RELEASE_ALL = "delete from idempotency_keys where (account_id, idempotency_key) in \
                   (select account_id, idempotency_key from rows(account_id uuid, idempotency_key text))";
}

/// What became of one key of many.
#[derive(Clone, PartialEq, Debug)]
pub enum Taken {
    /// It is ours: the decision is to be made, and its answer kept by [`keep_all`].
    New,
    /// This is the answer already: decided before, the key used for something else, or too many.
    Settled(Result<Answer, Problem>),
    /// The same decision stands at this place of the same list: its answer is this one's too.
    SameAs(usize),
}

/// What was decided under a key: an answer, or a refusal that changed nothing.
pub type Decided = Result<(StatusCode, Value), Problem>;

/// Makes decisions of which none was made before, in one transaction and each with its own answer: like
/// [`super::run`], for many. `effect` gets the places of those that are new, every key once, and gives as many
/// outcomes; a refusal among them has changed nothing. To be called by the body of a [`store::Group`].
pub fn run_all<F>(
    tx: &mut Tx<'_>,
    decisions: &[Decision],
    effect: F,
) -> Result<Vec<Result<Answer, Problem>>, store::Error>
where
    F: FnOnce(&mut Tx<'_>, &[usize]) -> Result<Vec<Decided>, store::Error>,
{
    let taken = take_all(tx, decisions)?;
    let new: Vec<usize> = (0..taken.len()).filter(|at| taken[*at] == Taken::New).collect();
    let decided = effect(tx, &new)?;
    assert_eq!(decided.len(), new.len(), "each new decision is made");
    let made: HashMap<usize, Decided> = new.into_iter().zip(decided).collect();
    let kept: Vec<_> = made.iter().map(|(at, decided)| (&decisions[*at], decided)).collect();
    keep_all(tx, &kept)?;
    let answer = |at: &usize, is_replay| match &made[at] {
        Ok((status, body)) => Ok(Answer { status: *status, body: body.clone(), is_replay }),
        Err(problem) => Err(problem.clone()),
    };
    let answers = taken.into_iter().enumerate().map(|(at, taken)| match taken {
        Taken::New => answer(&at, false),
        Taken::Settled(settled) => settled,
        Taken::SameAs(first) => answer(&first, true),
    });
    Ok(answers.collect())
}

/// Makes the keys ours, or says why they cannot be. Another transaction that holds one is waited for.
pub fn take_all(tx: &mut Tx<'_>, decisions: &[Decision]) -> Result<Vec<Taken>, store::Error> {
    let slots: Vec<Slot> = decisions.iter().map(Slot::of).collect();
    let mut firsts: HashMap<(Uuid, &str), usize> = HashMap::new();
    for (at, slot) in slots.iter().enumerate() {
        firsts.entry((slot.account_id, &slot.key)).or_insert(at);
    }
    // In one order everywhere, so that nobody waits in a circle.
    let mut in_order: Vec<&Slot> = firsts.values().map(|at| &slots[*at]).collect();
    in_order.sort_by_key(|it| (it.account_id, &it.key));
    let rows: Vec<_> = in_order
        .iter()
        .map(|it| params![it.account_id, &it.key, it.fingerprint, it.expires_at()].to_vec())
        .collect();
    let mut new: HashSet<(Uuid, String)> = HashSet::new();
    for row in tx.query_rows(TAKE_NEW, &rows)? {
        new.insert((row.get(0)?, row.get(1)?));
    }
    let too_many = release_surplus(tx, &in_order, &new)?;
    let mut taken: Vec<Taken> = Vec::with_capacity(slots.len());
    for (at, slot) in slots.iter().enumerate() {
        let first = firsts[&(slot.account_id, slot.key.as_str())];
        taken.push(match taken.get(first) {
            Some(Taken::New) if slots[first].fingerprint == slot.fingerprint => Taken::SameAs(first),
            Some(Taken::New) => Taken::Settled(Earlier::OtherRequest.into_result()),
            _ if too_many.contains(&key_of(slot)) => Taken::Settled(Earlier::TooMany.into_result()),
            _ if first == at && new.contains(&key_of(slot)) => Taken::New,
            // Kept, or kept longer than promised and ours to take.
            _ => slot.take(tx)?.map_or(Taken::New, |it| Taken::Settled(it.into_result())),
        });
    }
    Ok(taken)
}

fn key_of(slot: &Slot) -> (Uuid, String) {
    (slot.account_id, slot.key.clone())
}

/// Lets go of keys just taken by accounts that have too many now; which.
fn release_surplus(
    tx: &mut Tx<'_>,
    slots: &[&Slot],
    new: &HashSet<(Uuid, String)>,
) -> Result<HashSet<(Uuid, String)>, store::Error> {
    let accounts: HashSet<Uuid> = new.iter().map(|it| it.0).collect();
    let rows: Vec<_> = accounts.into_iter().map(|it| params![it].to_vec()).collect();
    let mut surplus = HashMap::new();
    for row in tx.query_rows(COUNTS, &rows)? {
        let (account_id, count): (Uuid, i64) = (row.get(0)?, row.get(1)?);
        surplus.insert(account_id, count - KEPT_PER_ACCOUNT_MAX);
    }
    let mut released = HashSet::new();
    for slot in slots.iter().rev() {
        let left = surplus.get_mut(&slot.account_id).filter(|it| **it > 0);
        if let Some(left) = left
            && new.contains(&key_of(slot))
        {
            *left -= 1;
            released.insert(key_of(slot));
        }
    }
    let rows: Vec<_> = released.iter().map(|it| params![it.0, &it.1].to_vec()).collect();
    tx.execute_rows(RELEASE_ALL, &rows)?;
    Ok(released)
}

/// Keeps the answers of decisions whose keys are ours; lets go of the keys of those that are not kept.
pub fn keep_all(tx: &mut Tx<'_>, decided: &[(&Decision, &Decided)]) -> Result<(), store::Error> {
    let (mut kept, mut released) = (Vec::new(), Vec::new());
    for (decision, outcome) in decided {
        let key = decision.key.as_str();
        match outcome {
            Ok((status, body)) => {
                let status = i64::from(status.as_u16());
                kept.push(params![decision.account_id, key, status, body.to_string()].to_vec());
            }
            Err(problem) if is_kept(problem.status()) => {
                let status = i64::from(problem.status().as_u16());
                let body = serde_json::to_string(problem).expect("a problem has only text keys");
                kept.push(params![decision.account_id, key, status, body].to_vec());
            }
            Err(_) => released.push(params![decision.account_id, key].to_vec()),
        }
    }
    tx.execute_rows(KEEP_ALL, &kept)?;
    tx.execute_rows(RELEASE_ALL, &released)?;
    Ok(())
}
