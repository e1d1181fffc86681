//! Why a change of fence or permission is refused.

use api::{Problem, ProblemKind, kinds};
use axum::http::StatusCode;

use super::PERMISSIONS_PER_PARCEL_MAX;
use crate::rules::Refusal;

/// Why a request about access is refused. If several reasons apply, the first in this order is the one given.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum AccessRefusal {
    /// As for any request about land.
    #[error(transparent)]
    Land(#[from] Refusal),
    /// Neither the owner nor a manager.
    #[error("only the owner and managers do that")]
    NotAllowed,
    /// No account and no group.
    #[error("there is no such account or group")]
    NoSuchSubject,
    /// The owner needs no role and can be given none.
    #[error("the land is theirs: they need no role on it")]
    SubjectOwns,
    /// A lease ends in its own way.
    #[error("a tenant's role comes and goes with the lease")]
    SubjectIsTenant,
    /// Managers make no managers, and unmake none.
    #[error("only the owner decides who is a manager")]
    ManagersAreTheOwners,
    /// A role that would end before it begins.
    #[error("must be in the future")]
    ExpiresInThePast,
    /// [`PERMISSIONS_PER_PARCEL_MAX`].
    #[error("a parcel may have {PERMISSIONS_PER_PARCEL_MAX} permissions")]
    TooManyPermissions,
}

impl From<store::Error> for AccessRefusal {
    fn from(error: store::Error) -> Self {
        Self::Land(error.into())
    }
}

const NOT_ALLOWED: ProblemKind =
    ProblemKind::new(StatusCode::FORBIDDEN, "not_allowed", "You may not decide that here");
const NO_SUCH_SUBJECT: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_subject", "There is no such account or group");
const SUBJECT_OWNS: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "subject_owns", "The land is theirs");
const SUBJECT_IS_TENANT: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "subject_is_tenant", "The lease decides about that");
const ONLY_OWNER: ProblemKind =
    ProblemKind::new(StatusCode::FORBIDDEN, "only_owner_makes_managers", "Only the owner makes managers");
const TOO_MANY: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "too_many_permissions", "The parcel has too many permissions");

impl From<AccessRefusal> for Problem {
    fn from(refusal: AccessRefusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            AccessRefusal::Land(refusal) => refusal.into(),
            AccessRefusal::NotAllowed => NOT_ALLOWED.detail(sentence),
            AccessRefusal::NoSuchSubject => NO_SUCH_SUBJECT.detail(sentence),
            AccessRefusal::SubjectOwns => SUBJECT_OWNS.detail(sentence),
            AccessRefusal::SubjectIsTenant => SUBJECT_IS_TENANT.detail(sentence),
            AccessRefusal::ManagersAreTheOwners => ONLY_OWNER.detail(sentence),
            AccessRefusal::ExpiresInThePast => Self::from(kinds::INVALID_BODY).at("#/expires_at", sentence),
            AccessRefusal::TooManyPermissions => TOO_MANY.detail(sentence),
        }
    }
}
