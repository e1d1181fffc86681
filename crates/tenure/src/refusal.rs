//! Why a request about a lease is refused.

use api::{Problem, ProblemKind, kinds};
use axum::http::StatusCode;
use ledger::Amount;
use wallet::{HoldError, PostError};

use crate::lease::LeaseState;

/// Why a request about a lease is refused. If several reasons apply, the first in this order is the one given.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// As land has it: no lot, not the owner, promised or leased already.
    #[error(transparent)]
    Land(#[from] land::Refusal),
    /// No such money.
    #[error("there is no currency {code}")]
    UnknownCurrency {
        /// As it came, cut to a sensible length.
        code: String,
    },
    /// The owner cannot be the tenant.
    #[error("a lease is with somebody else")]
    SelfLease,
    /// No account and no group.
    #[error("there is no such tenant")]
    TenantUnknown,
    /// Too many offers wait for the tenant.
    #[error("too many offers are waiting for the tenant")]
    TooManyOffers,
    /// No lease, or none that concerns the caller.
    #[error("there is no such lease")]
    LeaseUnknown,
    /// For the other side to decide.
    #[error("that is for the other side to decide")]
    NoAuthority,
    /// It is decided or over.
    #[error("the lease is {}", state.code())]
    LeaseClosed {
        /// Where it stands.
        state: LeaseState,
    },
    /// The tenant owes rent.
    #[error("the rent of the present period is not paid")]
    RentOverdue,
    /// The tenant has not enough for deposit and rent.
    #[error("{} are available, {} needed", available.minor(), needed.minor())]
    InsufficientFunds {
        /// What there is.
        available: Amount,
        /// What it takes.
        needed: Amount,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The books are not as they must be.
    #[error("it could not be booked: {0}")]
    Books(String),
}

impl From<HoldError> for Refusal {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::InsufficientFunds { available, needed } => {
                Self::InsufficientFunds { available, needed }
            }
            HoldError::Store(error) => Self::Store(error),
            HoldError::Post(error) => error.into(),
            other => Self::Books(other.to_string()),
        }
    }
}

impl From<PostError> for Refusal {
    fn from(error: PostError) -> Self {
        match error {
            PostError::InsufficientFunds { available, needed, .. } => {
                Self::InsufficientFunds { available, needed }
            }
            PostError::Store(error) => Self::Store(error),
            other => Self::Books(other.to_string()),
        }
    }
}

const fn unprocessable(code: &'static str, title: &'static str) -> ProblemKind {
    ProblemKind::new(StatusCode::UNPROCESSABLE_ENTITY, code, title)
}

const fn conflict(code: &'static str, title: &'static str) -> ProblemKind {
    ProblemKind::new(StatusCode::CONFLICT, code, title)
}

const UNKNOWN_CURRENCY: ProblemKind = unprocessable("unknown_currency", "There is no such currency");
const SELF_LEASE: ProblemKind = unprocessable("self_lease", "A lease is with somebody else");
const TENANT_UNKNOWN: ProblemKind = unprocessable("tenant_unknown", "There is no such tenant");
const TOO_MANY_OFFERS: ProblemKind =
    conflict("too_many_leases", "Too many offers are waiting for the tenant");
const LEASE_UNKNOWN: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "lease_unknown", "There is no such lease");
const NO_AUTHORITY: ProblemKind =
    ProblemKind::new(StatusCode::FORBIDDEN, "no_authority", "You do not act for this side");
const LEASE_CLOSED: ProblemKind = conflict("lease_closed", "The lease is decided");
const RENT_OVERDUE: ProblemKind = conflict("rent_overdue", "Rent is owed");
const INSUFFICIENT_FUNDS: ProblemKind = unprocessable("insufficient_funds", "You do not have enough");

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            Refusal::Land(refusal) => refusal.into(),
            Refusal::UnknownCurrency { code } => UNKNOWN_CURRENCY.detail(sentence).fact("currency", code),
            Refusal::SelfLease => SELF_LEASE.detail(sentence),
            Refusal::TenantUnknown => TENANT_UNKNOWN.detail(sentence),
            Refusal::TooManyOffers => TOO_MANY_OFFERS.detail(sentence),
            Refusal::LeaseUnknown => LEASE_UNKNOWN.into(),
            Refusal::NoAuthority => NO_AUTHORITY.detail(sentence),
            Refusal::LeaseClosed { state } => LEASE_CLOSED.detail(sentence).fact("state", state.code()),
            Refusal::RentOverdue => RENT_OVERDUE.detail(sentence),
            Refusal::InsufficientFunds { available, needed } => INSUFFICIENT_FUNDS
                .detail(sentence)
                .fact("available_minor", available.minor())
                .fact("price_minor", needed.minor()),
            Refusal::Store(error) => error.into(),
            Refusal::Books(cause) => Self::internal(&cause),
        }
    }
}

/// For requests that name no rule of ours.
pub(crate) fn invalid(pointer: &'static str, detail: impl Into<String>) -> Problem {
    Problem::from(kinds::INVALID_BODY).at(pointer, detail)
}
