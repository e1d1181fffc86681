//! What can be wrong with the books.

use std::fmt;

use uuid::Uuid;

/// Something that cannot be if every posting was booked whole and nobody changed it afterwards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The balances of an asset do not sum to zero.
    AssetNotZero {
        /// Of what.
        asset: String,
        /// Too much, or missing if negative.
        sum_minor: i64,
    },
    /// The legs of a posting do not sum to zero.
    PostingNotZero {
        /// Which.
        posting_id: Uuid,
        /// Of what.
        asset: String,
        /// Too much, or missing if negative.
        sum_minor: i64,
    },
    /// A posting has no legs.
    PostingEmpty {
        /// Which.
        posting_id: Uuid,
    },
    /// A posting is neither in the chain nor waiting for its place there, or is both.
    NotSealed {
        /// Which.
        posting_id: Uuid,
    },
    /// The legs of a balance have a gap, or a balance after one of them is not what the legs say.
    RunningWrong {
        /// Whose.
        account_id: Uuid,
        /// Of what.
        asset: String,
        /// The number of the first wrong leg.
        leg_number: i64,
    },
    /// A balance is not the sum of its legs.
    BalanceNotLegs {
        /// Whose.
        account_id: Uuid,
        /// Of what.
        asset: String,
        /// What the balance says.
        balance_minor: i64,
        /// What the legs say.
        legs_minor: i64,
    },
    /// What is held is not the sum of the pending holds.
    HeldNotHolds {
        /// Whose.
        account_id: Uuid,
        /// Of what.
        asset: String,
        /// What the balance says.
        held_minor: i64,
        /// What the holds say.
        holds_minor: i64,
    },
    /// A balance without what is held of it is below what it may be.
    BalanceBelowMin {
        /// Whose.
        account_id: Uuid,
        /// Of what.
        asset: String,
        /// What it is.
        balance_minor: i64,
        /// What of it is held.
        held_minor: i64,
        /// The least it may be.
        min_minor: i64,
    },
    /// An account may go below zero though it does not issue the asset, or may not though it does.
    NoIssuer {
        /// Whose.
        account_id: Uuid,
        /// Of what.
        asset: String,
        /// What the books allow it.
        min_minor: i64,
    },
    /// Money is held and nothing says why, or for another amount or person than it says.
    HoldWithoutReason {
        /// Which hold.
        hold_id: Uuid,
        /// Whose money.
        account_id: Uuid,
        /// How much.
        amount_minor: i64,
    },
    /// A bid, an offer or a lease counts on money that is not held for it.
    ReasonWithoutHold {
        /// The hold that should be.
        hold_id: Uuid,
        /// Whose money.
        account_id: Uuid,
        /// How much.
        amount_minor: i64,
    },
    /// A deed that was issued is not in exactly one account.
    DeedNotOnce {
        /// Which.
        asset: String,
        /// How many accounts have it.
        holders: usize,
    },
    /// A place in the chain of postings is empty, or its hash is not that of the posting and the hash before it.
    ChainBroken {
        /// Which place.
        chain_number: i64,
    },
    /// The chain does not end where its end is written down.
    ChainCut {
        /// The last place.
        chain_number: i64,
        /// What is written down.
        head_number: i64,
    },
}

impl Fault {
    /// The name of its sort.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AssetNotZero { .. } => "asset_not_zero",
            Self::PostingNotZero { .. } => "posting_not_zero",
            Self::PostingEmpty { .. } => "posting_empty",
            Self::NotSealed { .. } => "not_sealed",
            Self::RunningWrong { .. } => "running_wrong",
            Self::BalanceNotLegs { .. } => "balance_not_legs",
            Self::HeldNotHolds { .. } => "held_not_holds",
            Self::BalanceBelowMin { .. } => "balance_below_min",
            Self::NoIssuer { .. } => "no_issuer",
            Self::HoldWithoutReason { .. } => "hold_without_reason",
            Self::ReasonWithoutHold { .. } => "reason_without_hold",
            Self::DeedNotOnce { .. } => "deed_not_once",
            Self::ChainBroken { .. } => "chain_broken",
            Self::ChainCut { .. } => "chain_cut",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AssetNotZero { asset, sum_minor } => {
                write!(f, "the balances of {asset} sum to {sum_minor}")
            }
            Self::PostingNotZero { posting_id, asset, sum_minor } => {
                write!(f, "the legs of posting {posting_id} sum to {sum_minor} of {asset}")
            }
            Self::PostingEmpty { posting_id } => write!(f, "posting {posting_id} has no legs"),
            Self::NotSealed { posting_id } => {
                write!(f, "posting {posting_id} has not exactly one place, in the chain or waiting for it")
            }
            Self::RunningWrong { account_id, asset, leg_number } => {
                write!(
                    f,
                    "leg {leg_number} of {asset} of account {account_id} does not follow from those before"
                )
            }
            Self::BalanceNotLegs { account_id, asset, balance_minor, legs_minor } => {
                write!(f, "account {account_id} has {balance_minor} of {asset}, its legs say {legs_minor}")
            }
            Self::HeldNotHolds { account_id, asset, held_minor, holds_minor } => {
                write!(
                    f,
                    "account {account_id} has {held_minor} of {asset} held, its holds say {holds_minor}"
                )
            }
            Self::BalanceBelowMin { account_id, asset, balance_minor, held_minor, min_minor } => {
                write!(
                    f,
                    "account {account_id} has {balance_minor} of {asset} and {held_minor} of it held, \
                     at least {min_minor} must be free"
                )
            }
            Self::NoIssuer { account_id, asset, min_minor } => {
                write!(f, "account {account_id} may fall to {min_minor} of {asset}, which is not its rule")
            }
            Self::HoldWithoutReason { hold_id, account_id, amount_minor } => {
                write!(f, "hold {hold_id} keeps {amount_minor} of account {account_id} for nothing")
            }
            Self::ReasonWithoutHold { hold_id, account_id, amount_minor } => {
                write!(f, "{amount_minor} of account {account_id} are counted on but not held by {hold_id}")
            }
            Self::DeedNotOnce { asset, holders } => write!(f, "{asset} is in {holders} accounts"),
            Self::ChainBroken { chain_number } => {
                write!(f, "the chain of postings is broken at {chain_number}")
            }
            Self::ChainCut { chain_number, head_number } => {
                write!(f, "the chain of postings ends at {chain_number}, not at {head_number}")
            }
        }
    }
}
