//! Who may act on whom.

use api::{Caller, Role};
use store::Tx;
use uuid::Uuid;

use crate::refusal::Refusal;

/// The role of whoever acts, and of whom it is done to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rank {
    /// Of whoever acts.
    pub actor: Role,
    /// Of the other.
    pub subject: Role,
}

impl Rank {
    /// Admins act on everybody; all others on those of a lesser role.
    pub fn check(self) -> Result<(), Refusal> {
        if self.actor == Role::Admin || self.subject < self.actor { Ok(()) } else { Err(Refusal::RankTooLow) }
    }
}

/// The role of whoever acts, as it is now: it may have been taken since the request was let in.
pub(crate) fn actor_role(tx: &mut Tx<'_>, caller: &Caller) -> Result<Role, Refusal> {
    let standing = identity::standing(tx, caller.account_id)?.ok_or(Refusal::NoLongerStaff)?;
    if standing.role == caller.role { Ok(standing.role) } else { Err(Refusal::NoLongerStaff) }
}

/// Refuses what `caller` may not do to `subject_id`, whoever's object it is. Groups and the planet have no role.
pub(crate) fn check_over(tx: &mut Tx<'_>, caller: &Caller, subject_id: Uuid) -> Result<(), Refusal> {
    let actor = actor_role(tx, caller)?;
    let Some(standing) = identity::standing(tx, subject_id)? else { return Ok(()) };
    // One's own land and sales are an admin's matter, too: nobody is a judge of their own.
    Rank { actor, subject: standing.role }.check()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_an_admin_acts_on_a_higher_or_equal_role() {
        for actor in Role::ALL {
            for subject in Role::ALL {
                let expected = actor == Role::Admin || subject < actor;
                assert_eq!(Rank { actor, subject }.check().is_ok(), expected, "{actor:?} on {subject:?}");
            }
        }
    }
}
