//! A plain model of the books: maps and the rules, written down once more without a database.

mod operations;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use uuid::Uuid;
use wallet::{HoldError, HoldRequest, HoldState, PostError, Posted, ReverseError};

pub(crate) use operations::Operation;

type Key = (AccountRef, AssetId);

/// What became of an operation, without ids that only the database knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Nothing,
    New,
    Again,
    Done,
    Refused(&'static str, i64),
    Posted(Vec<Fate>),
    Expired(Vec<Uuid>),
}

impl Fate {
    pub(crate) fn of_posting(fate: Result<Posted, PostError>) -> Self {
        match fate {
            Ok(Posted { is_new: true, .. }) => Self::New,
            Ok(_) => Self::Again,
            Err(PostError::InsufficientFunds { available, .. }) => {
                Self::Refused("insufficient", available.minor())
            }
            Err(PostError::TooMuch { .. }) => Self::Refused("too much", 0),
            Err(PostError::ClientIdTaken) => Self::Refused("client id", 0),
            Err(PostError::ReversedBefore { .. }) => Self::Refused("reversed", 0),
            Err(PostError::Store(error)) => panic!("{error}"),
        }
    }

    pub(crate) fn of_hold(fate: Result<(), HoldError>) -> Self {
        match fate {
            Ok(()) => Self::Done,
            Err(error) => Self::of_hold_error(error),
        }
    }

    pub(crate) fn of_hold_posting(fate: Result<Posted, HoldError>) -> Self {
        match fate {
            Ok(posted) => Self::of_posting(Ok(posted)),
            Err(error) => Self::of_hold_error(error),
        }
    }

    pub(crate) fn of_reversal(fate: Result<Posted, ReverseError>) -> Self {
        match fate {
            Ok(posted) => Self::of_posting(Ok(posted)),
            Err(ReverseError::Post(error)) => Self::of_posting(Err(error)),
            Err(ReverseError::IsReversal) => Self::Refused("is reversal", 0),
            Err(other) => panic!("{other}"),
        }
    }

    fn of_hold_error(error: HoldError) -> Self {
        match error {
            HoldError::InsufficientFunds { available, .. } => {
                Self::Refused("insufficient", available.minor())
            }
            HoldError::IdTaken => Self::Refused("id", 0),
            HoldError::NotFound => Self::Refused("not found", 0),
            HoldError::Settled { state } => Self::Refused(state.code(), 0),
            HoldError::Post(error) => Self::of_posting(Err(error)),
            other => panic!("{other}"),
        }
    }
}

struct Hold {
    request: HoldRequest,
    amount: i64,
    state: HoldState,
    posted: Option<String>,
}

/// A posting by its content; what a reversal takes back is known by that posting's client id.
#[derive(Clone, PartialEq, Eq)]
struct Booked {
    kind: PostingKind,
    reference: String,
    reverses: Option<String>,
    legs: Vec<(AccountRef, AssetId, i64)>,
}

/// The books as maps.
pub(crate) struct Model {
    /// Amount and what of it is held.
    balances: BTreeMap<Key, (i64, i64)>,
    postings: HashMap<String, Booked>,
    /// In the order of booking, for whoever wants one of them.
    booked: Vec<String>,
    reversed: BTreeSet<String>,
    holds: HashMap<Uuid, Hold>,
    hold_ids: Vec<Uuid>,
    fates: HashMap<&'static str, u64>,
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            balances: BTreeMap::new(),
            postings: HashMap::new(),
            booked: Vec::new(),
            reversed: BTreeSet::new(),
            holds: HashMap::new(),
            hold_ids: Vec::new(),
            fates: HashMap::new(),
        }
    }

    pub(crate) fn balances(&self) -> impl Iterator<Item = (&Key, &(i64, i64))> {
        self.balances.iter()
    }

    pub(crate) fn assert_sums_are_zero(&self) {
        let mut sums: BTreeMap<&AssetId, i64> = BTreeMap::new();
        for ((_, asset), (amount, _)) in &self.balances {
            *sums.entry(asset).or_default() += amount;
        }
        assert!(sums.values().all(|it| *it == 0), "{sums:?}");
    }

    /// A test in which everything is refused proves nothing.
    pub(crate) fn assert_was_busy(&self) {
        println!("{:?}", self.fates);
        for fate in
            ["new", "again", "done", "insufficient", "posted", "voided", "expired", "reversed", "ended"]
        {
            assert!(self.fates.contains_key(fate), "nothing was ever {fate}: {:?}", self.fates);
        }
    }

    pub(crate) fn perform(&mut self, operation: &Operation, now_us: i64) -> Fate {
        let fate = match operation {
            Operation::Post(postings) => {
                Fate::Posted(postings.iter().map(|it| self.post(it, None, None)).collect())
            }
            Operation::Hold(request) => self.hold(request),
            Operation::Change { hold_id, amount } => self.change(*hold_id, amount.minor()),
            Operation::Void { hold_id } => self.void(*hold_id),
            Operation::PostHold { hold_id, posting } => self.post_hold(*hold_id, posting, now_us),
            Operation::Expire => self.expire(now_us),
            Operation::Reverse { posting_client_id, client_id } => self.reverse(posting_client_id, client_id),
            Operation::Seal => Fate::Nothing,
        };
        self.count(&fate);
        fate
    }

    fn count(&mut self, fate: &Fate) {
        let name = match fate {
            Fate::Nothing => "nothing",
            Fate::New => "new",
            Fate::Again => "again",
            Fate::Done => "done",
            Fate::Refused(why, _) => why,
            Fate::Expired(ended) if ended.is_empty() => "nothing ended",
            Fate::Expired(_) => "ended",
            Fate::Posted(fates) => return fates.iter().for_each(|it| self.count(it)),
        };
        *self.fates.entry(name).or_default() += 1;
    }

    /// `released`: what is held no more if the posting is booked.
    fn post(&mut self, posting: &Posting, reverses: Option<&str>, released: Option<(&Key, i64)>) -> Fate {
        let legs: Vec<_> =
            posting.legs().iter().map(|it| (it.account, it.asset.clone(), it.amount.minor())).collect();
        let booked = Booked {
            kind: posting.kind(),
            reference: posting.reference().to_owned(),
            reverses: reverses.map(str::to_owned),
            legs,
        };
        if let Some(earlier) = self.postings.get(posting.client_id()) {
            return if *earlier == booked { Fate::Again } else { Fate::Refused("client id", 0) };
        }
        if reverses.is_some_and(|it| self.reversed.contains(it)) {
            return Fate::Refused("reversed", 0);
        }
        for (account, asset, change) in &booked.legs {
            let key = (*account, asset.clone());
            let (amount, mut held) = self.balances.get(&key).copied().unwrap_or_default();
            held -= released.filter(|it| *it.0 == key).map_or(0, |it| it.1);
            if *change < 0 && amount + change - held < account.floor(asset).minor() {
                return Fate::Refused("insufficient", amount - held);
            }
            if amount + change > Amount::MAX.minor() {
                return Fate::Refused("too much", 0);
            }
        }
        if let Some((key, amount)) = released {
            self.balances.get_mut(key).expect("there is a hold").1 -= amount;
        }
        for (account, asset, change) in &booked.legs {
            self.balances.entry((*account, asset.clone())).or_default().0 += change;
        }
        self.reversed.extend(booked.reverses.clone());
        self.postings.insert(posting.client_id().to_owned(), booked);
        self.booked.push(posting.client_id().to_owned());
        Fate::New
    }

    fn reverse(&mut self, posting_client_id: &str, client_id: &str) -> Fate {
        let Some(booked) = self.postings.get(posting_client_id) else { return Fate::Nothing };
        if booked.kind == PostingKind::Reversal {
            return Fate::Refused("is reversal", 0);
        }
        let mut builder = Posting::of(PostingKind::Reversal, client_id, "mistake");
        for (account, asset, amount) in &booked.legs {
            let back = Amount::try_from_minor(-amount).expect("the range is symmetric");
            builder = builder.leg(*account, asset.clone(), back);
        }
        let reversal = builder.finish().expect("what is balanced is so backwards");
        self.post(&reversal, Some(posting_client_id), None)
    }

    /// Holds more of a balance, if it is there.
    fn hold_more(&mut self, key: &Key, more: i64) -> Result<(), Fate> {
        let (amount, held) = self.balances.get(key).copied().unwrap_or_default();
        if more > amount - held {
            return Err(Fate::Refused("insufficient", amount - held));
        }
        self.balances.entry(key.clone()).or_default().1 += more;
        Ok(())
    }

    fn hold(&mut self, request: &HoldRequest) -> Fate {
        if let Some(earlier) = self.holds.get(&request.hold_id) {
            let is_same = HoldRequest { amount: request.amount, ..earlier.request.clone() } == *request
                && earlier.amount == request.amount.minor();
            return match earlier.state {
                _ if !is_same => Fate::Refused("id", 0),
                HoldState::Pending => Fate::Done,
                state => Fate::Refused(state.code(), 0),
            };
        }
        let key = (AccountRef::Wallet(request.account_id), request.asset.clone());
        let amount = request.amount.minor();
        if let Err(refused) = self.hold_more(&key, amount) {
            return refused;
        }
        let hold = Hold { request: request.clone(), amount, state: HoldState::Pending, posted: None };
        self.holds.insert(request.hold_id, hold);
        self.hold_ids.push(request.hold_id);
        Fate::Done
    }

    /// The hold's balance and amount, if it is pending.
    fn pending(&self, hold_id: Uuid) -> Result<(Key, i64), Fate> {
        let hold = self.holds.get(&hold_id).ok_or(Fate::Refused("not found", 0))?;
        match hold.state {
            HoldState::Pending => Ok((hold.key(), hold.amount)),
            state => Err(Fate::Refused(state.code(), 0)),
        }
    }

    fn settle(&mut self, hold_id: Uuid, state: HoldState) {
        self.holds.get_mut(&hold_id).expect("it is there").state = state;
    }

    fn change(&mut self, hold_id: Uuid, amount: i64) -> Fate {
        let (key, before) = match self.pending(hold_id) {
            Ok(pending) => pending,
            Err(refused) => return refused,
        };
        if let Err(refused) = self.hold_more(&key, amount - before) {
            return refused;
        }
        self.holds.get_mut(&hold_id).expect("it is there").amount = amount;
        Fate::Done
    }

    fn void(&mut self, hold_id: Uuid) -> Fate {
        match self.pending(hold_id) {
            Ok((key, amount)) => {
                self.balances.get_mut(&key).expect("there is a hold").1 -= amount;
                self.settle(hold_id, HoldState::Voided);
                Fate::Done
            }
            Err(Fate::Refused("voided" | "expired", _)) => Fate::Done,
            Err(refused) => refused,
        }
    }

    fn post_hold(&mut self, hold_id: Uuid, posting: &Posting, now_us: i64) -> Fate {
        let (key, amount) = match self.pending(hold_id) {
            Ok(pending) => pending,
            Err(Fate::Refused("posted", _)) => {
                let is_same = self.holds[&hold_id].posted.as_deref() == Some(posting.client_id());
                return match self.postings.get(posting.client_id()) {
                    Some(earlier) if !earlier.is(posting) => Fate::Refused("client id", 0),
                    Some(_) if is_same => Fate::Again,
                    _ => Fate::Refused("posted", 0),
                };
            }
            Err(refused) => return refused,
        };
        if self.holds[&hold_id].request.expires_at_us.is_some_and(|it| it <= now_us) {
            return Fate::Refused("expired", 0);
        }
        match self.post(posting, None, Some((&key, amount))) {
            Fate::New => {
                self.settle(hold_id, HoldState::Posted);
                self.holds.get_mut(&hold_id).expect("it is there").posted =
                    Some(posting.client_id().to_owned());
                Fate::New
            }
            Fate::Again => Fate::Refused("client id", 0),
            refused => refused,
        }
    }

    fn expire(&mut self, now_us: i64) -> Fate {
        let is_due = |it: &&Uuid| {
            let hold = &self.holds[*it];
            hold.state == HoldState::Pending && hold.request.expires_at_us.is_some_and(|it| it <= now_us)
        };
        let mut due: Vec<Uuid> = self.hold_ids.iter().filter(is_due).copied().collect();
        for hold_id in &due {
            let (key, amount) = self.pending(*hold_id).expect("it is pending");
            self.balances.get_mut(&key).expect("there is a hold").1 -= amount;
            self.settle(*hold_id, HoldState::Expired);
        }
        due.sort_unstable();
        Fate::Expired(due)
    }
}

impl Hold {
    fn key(&self) -> Key {
        (AccountRef::Wallet(self.request.account_id), self.request.asset.clone())
    }
}

impl Booked {
    fn is(&self, posting: &Posting) -> bool {
        let legs = posting.legs().iter().map(|it| (it.account, it.asset.clone(), it.amount.minor()));
        self.kind == posting.kind()
            && self.reference == posting.reference()
            && self.reverses.is_none()
            && self.legs.iter().cloned().eq(legs)
    }
}
