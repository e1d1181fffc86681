//! Why staff cannot do something, and what they are told.

use api::{Problem, ProblemKind, kinds};
use axum::http::StatusCode;
use identity::staff::StaffError;
use land::RestoreError;
use wallet::{PostError, ReverseError};

/// Why an act is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nobody has that id.
    #[error("there is no such account")]
    NoSuchPerson,
    /// The person was forgotten.
    #[error("the account has been erased")]
    Erased,
    /// Whoever acts has lost the role they were let in with.
    #[error("your role has changed")]
    NoLongerStaff,
    /// The other's role is higher or the same.
    #[error("only an admin acts on somebody of a higher or equal role")]
    RankTooLow,
    /// To oneself.
    #[error("nobody does that to themselves")]
    Oneself,
    /// The planet would be without an admin.
    #[error("this is the last admin")]
    LastAdmin,
    /// Of somebody on the staff.
    #[error("take their role first")]
    StillStaff,
    /// A suspension must end in the future.
    #[error("the end must be in the future")]
    EndsInThePast,
    /// It is so already.
    #[error("it is {state} already")]
    Already {
        /// What it is.
        state: &'static str,
    },
    /// There are as many notes as may be.
    #[error("there are {max} notes already")]
    TooManyNotes {
        /// The most.
        max: i64,
    },
    /// The lot is nobody's.
    #[error("the land belongs to nobody")]
    NotOwned,
    /// Land cannot be given back.
    #[error(transparent)]
    Restore(RestoreError),
    /// What is for sale cannot be ended.
    #[error(transparent)]
    Market(market::Refusal),
    /// No such posting or account.
    #[error("there is no such {what}")]
    NoSuchEntry {
        /// `posting`, `account`.
        what: &'static str,
    },
    /// It is part of a change of ownership.
    #[error("the posting moves a deed: give the land back instead")]
    MovesDeeds,
    /// It is a reversal.
    #[error("the posting is itself a reversal")]
    IsReversal,
    /// It was taken back before.
    #[error("the posting was taken back before")]
    ReversedBefore,
    /// Somebody no longer has what they would give back.
    #[error("somebody has spent it: {available_minor} of {needed_minor} are there")]
    Spent {
        /// What they have.
        available_minor: i64,
        /// What they would give.
        needed_minor: i64,
    },
    /// The same waits already.
    #[error("the same act waits for a second person already")]
    Waiting,
    /// No such act.
    #[error("there is no such act")]
    NoSuchAct,
    /// It was decided, or its time was up.
    #[error("the act is {state}")]
    ActClosed {
        /// What it is.
        state: &'static str,
    },
    /// The one who asked for it.
    #[error("another person must decide about it")]
    OwnAct,
    /// Another part of the program says why.
    #[error("{}", .0.code())]
    Other(Problem),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A fault of ours.
    #[error("{0}")]
    Fault(String),
}

const fn kind(status: StatusCode, code: &'static str, title: &'static str) -> ProblemKind {
    ProblemKind::new(status, code, title)
}

const NO_SUCH_PERSON: ProblemKind =
    kind(StatusCode::NOT_FOUND, "account_unknown", "There is no such account");
const ERASED: ProblemKind = kind(StatusCode::CONFLICT, "account_erased", "The account has been erased");
const RANK: ProblemKind = kind(StatusCode::FORBIDDEN, "rank_too_low", "Their role is not below yours");
const ONESELF: ProblemKind = kind(StatusCode::FORBIDDEN, "not_to_oneself", "Somebody else must do that");
const LAST_ADMIN: ProblemKind = kind(StatusCode::CONFLICT, "last_admin", "The planet needs an admin");
const STILL_STAFF: ProblemKind = kind(StatusCode::CONFLICT, "still_staff", "They are on the staff");
const ALREADY: ProblemKind = kind(StatusCode::CONFLICT, "already_so", "It is so already");
const TOO_MANY_NOTES: ProblemKind = kind(StatusCode::CONFLICT, "too_many_notes", "There are too many notes");
const NOT_OWNED: ProblemKind = kind(StatusCode::CONFLICT, "not_owned", "The land belongs to nobody");
const TITLE_UNKNOWN: ProblemKind =
    kind(StatusCode::UNPROCESSABLE_ENTITY, "title_unknown", "There is no such title");
const SHAPE_CHANGED: ProblemKind =
    kind(StatusCode::CONFLICT, "shape_changed", "It is not the same land any more");
const ENCUMBERED: ProblemKind =
    kind(StatusCode::CONFLICT, "parcel_encumbered", "Something is about to happen to the parcel");
const ENTRY_UNKNOWN: ProblemKind =
    kind(StatusCode::NOT_FOUND, "entry_unknown", "There is no such entry in the books");
const MOVES_DEEDS: ProblemKind =
    kind(StatusCode::CONFLICT, "posting_moves_deeds", "The posting moves a deed");
const IS_REVERSAL: ProblemKind =
    kind(StatusCode::CONFLICT, "posting_is_reversal", "The posting is a reversal");
const REVERSED: ProblemKind =
    kind(StatusCode::CONFLICT, "posting_reversed", "The posting was taken back before");
const SPENT: ProblemKind = kind(StatusCode::CONFLICT, "insufficient_funds", "The money is spent");
const WAITING: ProblemKind = kind(StatusCode::CONFLICT, "act_waiting", "The same act waits already");
const NO_SUCH_ACT: ProblemKind = kind(StatusCode::NOT_FOUND, "act_unknown", "There is no such act");
const ACT_CLOSED: ProblemKind = kind(StatusCode::CONFLICT, "act_closed", "The act is decided");
const OWN_ACT: ProblemKind = kind(StatusCode::FORBIDDEN, "own_act", "Another person must decide about it");

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            Refusal::NoSuchPerson => NO_SUCH_PERSON.into(),
            Refusal::Erased => ERASED.into(),
            Refusal::NoLongerStaff => kinds::ROLE_REQUIRED.detail(sentence),
            Refusal::RankTooLow => RANK.detail(sentence),
            Refusal::Oneself => ONESELF.detail(sentence),
            Refusal::LastAdmin => LAST_ADMIN.detail(sentence),
            Refusal::StillStaff => STILL_STAFF.detail(sentence),
            Refusal::EndsInThePast => Self::from(kinds::INVALID_BODY).at("#/until", sentence),
            Refusal::Already { state } => ALREADY.detail(sentence).fact("state", state),
            Refusal::TooManyNotes { .. } => TOO_MANY_NOTES.detail(sentence),
            Refusal::NotOwned | Refusal::Restore(RestoreError::NotOwned) => NOT_OWNED.into(),
            Refusal::Restore(RestoreError::NoSuchTitle { .. }) => TITLE_UNKNOWN.detail(sentence),
            Refusal::Restore(RestoreError::OwnsAlready) => ALREADY.detail(sentence).fact("state", "theirs"),
            Refusal::Restore(RestoreError::ShapeChanged) => SHAPE_CHANGED.detail(sentence),
            Refusal::Restore(RestoreError::Encumbered { kind, reference_id }) => ENCUMBERED
                .detail(sentence)
                .fact("kind", kind.code())
                .fact("reference_id", reference_id.to_string()),
            Refusal::Restore(RestoreError::Store(error)) | Refusal::Store(error) => error.into(),
            Refusal::Restore(RestoreError::Books(error)) => Self::internal(&error),
            Refusal::Market(refusal) => refusal.into(),
            Refusal::NoSuchEntry { .. } => ENTRY_UNKNOWN.detail(sentence),
            Refusal::MovesDeeds => MOVES_DEEDS.detail(sentence),
            Refusal::IsReversal => IS_REVERSAL.into(),
            Refusal::ReversedBefore => REVERSED.into(),
            Refusal::Spent { available_minor, needed_minor } => SPENT
                .detail(sentence)
                .fact("available_minor", available_minor)
                .fact("needed_minor", needed_minor),
            Refusal::Waiting => WAITING.detail(sentence),
            Refusal::NoSuchAct => NO_SUCH_ACT.into(),
            Refusal::ActClosed { state } => ACT_CLOSED.detail(sentence).fact("state", state),
            Refusal::OwnAct => OWN_ACT.into(),
            Refusal::Other(problem) => problem,
            Refusal::Fault(cause) => Self::internal(&cause),
        }
    }
}

impl From<StaffError> for Refusal {
    fn from(error: StaffError) -> Self {
        match error {
            StaffError::NoSuchAccount => Self::NoSuchPerson,
            StaffError::Erased => Self::Erased,
            StaffError::LastAdmin => Self::LastAdmin,
            StaffError::EndsInThePast => Self::EndsInThePast,
            StaffError::Store(error) => Self::Store(error),
        }
    }
}

impl From<ReverseError> for Refusal {
    fn from(error: ReverseError) -> Self {
        match error {
            ReverseError::NotFound => Self::NoSuchEntry { what: "posting" },
            ReverseError::IsReversal => Self::IsReversal,
            ReverseError::Post(PostError::ReversedBefore { .. }) => Self::ReversedBefore,
            ReverseError::Post(PostError::InsufficientFunds { available, needed, .. }) => {
                Self::Spent { available_minor: available.minor(), needed_minor: needed.minor() }
            }
            ReverseError::Store(error) => Self::Store(error),
            other => Self::Fault(other.to_string()),
        }
    }
}
