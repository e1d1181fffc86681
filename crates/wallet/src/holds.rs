//! Holds: money that is promised but not yet given.
//!
//! ```text
//!            ┌──── change_hold
//!            ▼
//! hold ──▶ pending ──▶ posted   (post_hold: released and spent in one go)
//!                 ├──▶ voided   (void_hold: released)
//!                 └──▶ expired  (expire_holds: released, after its time)
//! ```
//!
//! A hold moves nothing: it stays in the balance, counted in its `held`, and cannot be spent. What a hold became it
//! stays for ever, whatever clocks do.
//!
//! Order of locks: the hold, then balances. Whoever touches several balances in one transaction takes them first
//! ([`crate::take_balances`]).

use std::collections::BTreeSet;

use ledger::{AccountRef, Amount, AssetId, Posting};
use store::{Row, Tx, params};
use uuid::Uuid;

use crate::balances::{self, Key, amount, asset, damaged};
use crate::books::{PostError, Posted, post_released, posted};

const REFERENCE_LENGTH_MAX: usize = 100;

store::statements! {
    /// Writes a new hold down, unless there is one of this id.
    ADD = "insert into holds (hold_id, ledger_account_id, asset_id, amount, kind, reference, state, posting_id, \
           created_at, expires_at, settled_at) \
           values ($1, $2, $3, $4, $5, $6, 'pending', null, $7, $8, null) on conflict (hold_id) do nothing";
    /// Takes one.
    TAKE = "select ledger_account_id, asset_id, amount, kind, reference, state, expires_at, posting_id from holds \
            where hold_id = $1 for update";
    /// One as it is.
    FIND = "select ledger_account_id, asset_id, amount, kind, reference, state, expires_at, posting_id from holds \
            where hold_id = $1";
    /// Makes it larger or smaller.
    CHANGE = "update holds set amount = $2 where hold_id = $1";
    /// What became of it.
    SETTLE = "update holds set state = $2, posting_id = $3, settled_at = $4 where hold_id = $1 and state = 'pending'";
    /// Some whose time is over, earliest first.
    DUE = "select hold_id, ledger_account_id, asset_id, amount, kind, reference from holds \
           where state = 'pending' and expires_at <= $1 order by expires_at limit $2";
    /// Ends those that nobody settled in between.
    EXPIRE = "update holds set state = 'expired', settled_at = rows.settled_at \
              from rows(hold_id uuid, settled_at timestamptz) \
              where holds.hold_id = rows.hold_id and holds.state = 'pending' returning holds.hold_id";
}

/// What a hold is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HoldKind {
    /// A bid in an auction.
    Bid,
    /// An offer for land that is not listed.
    Offer,
    /// A tenant's deposit.
    Deposit,
    /// Something about to be paid.
    Checkout,
}

impl HoldKind {
    /// Its name in the books.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::Offer => "offer",
            Self::Deposit => "deposit",
            Self::Checkout => "checkout",
        }
    }

    /// The kind of a name.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Bid, Self::Offer, Self::Deposit, Self::Checkout].into_iter().find(|it| it.code() == code)
    }
}

/// Where a hold stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HoldState {
    /// The money is held.
    Pending,
    /// It was spent.
    Posted,
    /// It was released.
    Voided,
    /// It was released because its time was over.
    Expired,
}

impl HoldState {
    /// Its name in the books.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Posted => "posted",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        [Self::Pending, Self::Posted, Self::Voided, Self::Expired].into_iter().find(|it| it.code() == code)
    }
}

/// A hold to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldRequest {
    /// Chosen by whoever holds: the same one twice is the same hold.
    pub hold_id: Uuid,
    /// Whose money: a player's or a group's wallet.
    pub account_id: Uuid,
    /// Of what.
    pub asset: AssetId,
    /// How much; more than nothing.
    pub amount: Amount,
    /// What for.
    pub kind: HoldKind,
    /// What it is about, for example `auction:<id>`; no personal data, 100 bytes at most.
    pub reference: String,
    /// When it ends by itself; never if absent.
    pub expires_at_us: Option<i64>,
}

/// A hold as it stands in the books.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Whose money.
    pub account_id: Uuid,
    /// Of what.
    pub asset: AssetId,
    /// How much.
    pub amount: Amount,
    /// What for.
    pub kind: HoldKind,
    /// What it is about.
    pub reference: String,
    /// Where it stands.
    pub state: HoldState,
    /// When it ends by itself.
    pub expires_at_us: Option<i64>,
    /// What it was spent on.
    pub posting_id: Option<Uuid>,
}

/// A hold whose time was over and that was released.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpiredHold {
    /// Which.
    pub hold_id: Uuid,
    /// Whose money is free again.
    pub account_id: Uuid,
    /// Of what.
    pub asset: AssetId,
    /// How much.
    pub amount: Amount,
    /// What it was for.
    pub kind: HoldKind,
    /// What it was about.
    pub reference: String,
}

/// Why something could not be done with a hold. Nothing was changed then.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HoldError {
    /// There is not enough to hold.
    #[error("{} are available, {} needed", available.minor(), needed.minor())]
    InsufficientFunds {
        /// What the account has that is not held.
        available: Amount,
        /// What was to be held beyond what is.
        needed: Amount,
    },
    /// A hold of nothing, or of less.
    #[error("a hold is of more than nothing")]
    NotPositive,
    /// The reference is too long.
    #[error("a reference has at most {REFERENCE_LENGTH_MAX} bytes")]
    Reference,
    /// The id belongs to another hold.
    #[error("another hold has this id")]
    IdTaken,
    /// There is no such hold.
    #[error("there is no such hold")]
    NotFound,
    /// It became something else before.
    #[error("the hold is {}", state.code())]
    Settled {
        /// What it became.
        state: HoldState,
    },
    /// What it was to be spent on was refused.
    #[error(transparent)]
    Post(PostError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Holds money. The same hold (by id and content) again changes nothing, as long as it is pending.
pub fn hold(tx: &mut Tx<'_>, request: &HoldRequest, now_us: i64) -> Result<(), HoldError> {
    let HoldRequest { hold_id, account_id, asset, amount, kind, reference, expires_at_us } = request;
    if *amount <= Amount::ZERO {
        return Err(HoldError::NotPositive);
    }
    if reference.len() > REFERENCE_LENGTH_MAX {
        return Err(HoldError::Reference);
    }
    let key = (AccountRef::Wallet(*account_id), asset.clone());
    if let Some(earlier) = take(tx, *hold_id)? {
        return is_same(&earlier, request);
    }
    let mut balances = balances::take(tx, BTreeSet::from([key.clone()]), now_us)?;
    // With the balance taken, the same hold made in between is seen here, and does not change.
    if let Some(earlier) = find_hold(tx, *hold_id)? {
        return is_same(&earlier, request);
    }
    hold_more(&mut balances, &key, amount.minor())?;
    let (asset_id, kind, amount) = (asset.as_str(), kind.code(), amount.minor());
    let (reference, expires_at) = (reference.as_str(), *expires_at_us);
    let hold = params![*hold_id, *account_id, asset_id, amount, kind, reference, now_us, expires_at];
    if tx.execute(ADD, hold)? == 0 {
        // One of another balance, at the same instant.
        return Err(HoldError::IdTaken);
    }
    balances::write(tx, &balances)?;
    Ok(())
}

fn is_same(earlier: &Hold, request: &HoldRequest) -> Result<(), HoldError> {
    let Hold { account_id, asset, amount, kind, reference, state, expires_at_us, posting_id: _ } = earlier;
    let is_same = (account_id, asset, amount) == (&request.account_id, &request.asset, &request.amount)
        && (kind, reference, expires_at_us) == (&request.kind, &request.reference, &request.expires_at_us);
    match state {
        _ if !is_same => Err(HoldError::IdTaken),
        HoldState::Pending => Ok(()),
        state => Err(HoldError::Settled { state: *state }),
    }
}

/// Makes a pending hold larger or smaller.
pub fn change_hold(tx: &mut Tx<'_>, hold_id: Uuid, amount: Amount, now_us: i64) -> Result<(), HoldError> {
    if amount <= Amount::ZERO {
        return Err(HoldError::NotPositive);
    }
    let pending = take_pending(tx, hold_id)?;
    let more = amount.minor() - pending.amount.minor();
    if more == 0 {
        return Ok(());
    }
    let key = pending.key();
    let mut balances = balances::take(tx, BTreeSet::from([key.clone()]), now_us)?;
    hold_more(&mut balances, &key, more)?;
    balances::write(tx, &balances)?;
    tx.execute(CHANGE, params![hold_id, amount.minor()])?;
    Ok(())
}

/// Releases a hold. One that was released before stays so; one that was spent is refused.
pub fn void_hold(tx: &mut Tx<'_>, hold_id: Uuid, now_us: i64) -> Result<(), HoldError> {
    let pending = match take_pending(tx, hold_id) {
        Err(HoldError::Settled { state: HoldState::Voided | HoldState::Expired }) => return Ok(()),
        other => other?,
    };
    release(tx, &pending, now_us)?;
    settle(tx, hold_id, HoldState::Voided, None, now_us)
}

/// Releases the whole hold and books the posting, in one go: the posting may give what was held, or less of it. Again
/// with the same posting it answers with the first. A hold whose time is over is spent no more, even if it was not
/// released yet.
pub fn post_hold(
    tx: &mut Tx<'_>,
    hold_id: Uuid,
    posting: &Posting,
    now_us: i64,
) -> Result<Posted, HoldError> {
    let of_posting = |error| match error {
        PostError::Store(error) => HoldError::Store(error),
        other => HoldError::Post(other),
    };
    let found = take(tx, hold_id)?.ok_or(HoldError::NotFound)?;
    match found.state {
        HoldState::Pending if found.expires_at_us.is_some_and(|it| it <= now_us) => {
            return Err(HoldError::Settled { state: HoldState::Expired });
        }
        HoldState::Pending => {}
        HoldState::Posted => {
            let posted = posted(tx, posting).map_err(of_posting)?;
            return posted
                .filter(|it| Some(it.posting_id) == found.posting_id)
                .ok_or(HoldError::Settled { state: HoldState::Posted });
        }
        state => return Err(HoldError::Settled { state }),
    }
    let held = (found.key(), found.amount.minor());
    let posted = post_released(tx, posting, &held, now_us).map_err(of_posting)?;
    if !posted.is_new {
        // It was paid before, without this hold.
        return Err(HoldError::Post(PostError::ClientIdTaken));
    }
    settle(tx, hold_id, HoldState::Posted, Some(posted.posting_id), now_us)?;
    Ok(posted)
}

/// One hold.
pub fn find_hold(tx: &mut Tx<'_>, hold_id: Uuid) -> Result<Option<Hold>, store::Error> {
    tx.query_opt(FIND, params![hold_id])?.as_ref().map(Hold::from_row).transpose()
}

/// Releases up to `count` holds whose time is over; which. Fewer than `count` means that there are no more.
pub fn expire_holds(tx: &mut Tx<'_>, now_us: i64, count: u32) -> Result<Vec<ExpiredHold>, store::Error> {
    let mut due: Vec<ExpiredHold> =
        tx.query(DUE, params![now_us, count])?.iter().map(ExpiredHold::from_row).collect::<Result<_, _>>()?;
    // In one order, as all who take several.
    due.sort_by_key(|it| it.hold_id);
    let rows: Vec<_> = due.iter().map(|it| params![it.hold_id, now_us].to_vec()).collect();
    let ended: BTreeSet<Uuid> =
        tx.query_rows(EXPIRE, &rows)?.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    due.retain(|it| ended.contains(&it.hold_id));
    let key = |it: &ExpiredHold| (AccountRef::Wallet(it.account_id), it.asset.clone());
    let mut balances = balances::take(tx, due.iter().map(key).collect(), now_us)?;
    for expired in &due {
        let balance = balances.get_mut(&key(expired)).expect("the balances of all of them were taken");
        balance.held -= expired.amount.minor();
        balance.is_changed = true;
    }
    balances::write(tx, &balances)?;
    Ok(due)
}

fn take(tx: &mut Tx<'_>, hold_id: Uuid) -> Result<Option<Hold>, store::Error> {
    tx.query_opt(TAKE, params![hold_id])?.as_ref().map(Hold::from_row).transpose()
}

fn take_pending(tx: &mut Tx<'_>, hold_id: Uuid) -> Result<Hold, HoldError> {
    let found = take(tx, hold_id)?.ok_or(HoldError::NotFound)?;
    match found.state {
        HoldState::Pending => Ok(found),
        state => Err(HoldError::Settled { state }),
    }
}

/// Makes the money free again.
fn release(tx: &mut Tx<'_>, hold: &Hold, now_us: i64) -> Result<(), store::Error> {
    let mut balances = balances::take(tx, BTreeSet::from([hold.key()]), now_us)?;
    let balance = balances.get_mut(&hold.key()).expect("it was taken");
    balance.held -= hold.amount.minor();
    balance.is_changed = true;
    balances::write(tx, &balances)
}

fn settle(
    tx: &mut Tx<'_>,
    hold_id: Uuid,
    state: HoldState,
    posting_id: Option<Uuid>,
    now_us: i64,
) -> Result<(), HoldError> {
    tx.execute(SETTLE, params![hold_id, state.code(), posting_id, now_us])?;
    Ok(())
}

fn hold_more(balances: &mut balances::Balances, key: &Key, more: i64) -> Result<(), HoldError> {
    let balance = balances.get_mut(key).expect("it was taken");
    let free = balance.amount - balance.held - balance.amount_min;
    if more > free {
        let available = amount(balance.amount - balance.held)?;
        return Err(HoldError::InsufficientFunds { available, needed: amount(more)? });
    }
    balance.held += more;
    balance.is_changed = true;
    Ok(())
}

impl Hold {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            account_id: row.get(0)?,
            asset: asset(&row.get::<String>(1)?)?,
            amount: amount(row.get(2)?)?,
            kind: kind(row, 3)?,
            reference: row.get(4)?,
            state: HoldState::from_code(&row.get::<String>(5)?).ok_or_else(|| damaged("no such state"))?,
            expires_at_us: row.get(6)?,
            posting_id: row.get(7)?,
        })
    }

    fn key(&self) -> Key {
        (AccountRef::Wallet(self.account_id), self.asset.clone())
    }
}

impl ExpiredHold {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            hold_id: row.get(0)?,
            account_id: row.get(1)?,
            asset: asset(&row.get::<String>(2)?)?,
            amount: amount(row.get(3)?)?,
            kind: kind(row, 4)?,
            reference: row.get(5)?,
        })
    }
}

fn kind(row: &Row, column: usize) -> Result<HoldKind, store::Error> {
    HoldKind::from_code(&row.get::<String>(column)?).ok_or_else(|| damaged("no such kind of hold"))
}
