//! Who buys, sells and bids: an account for itself, or for a group.

use std::sync::Arc;

use store::Tx;
use uuid::Uuid;

use crate::refusal::Refusal;

/// Whose money and land it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Party {
    /// The account or group.
    pub owner_id: Uuid,
    /// Which of the two.
    pub is_group: bool,
}

impl Party {
    /// An account that acts for itself.
    pub const fn account(account_id: Uuid) -> Self {
        Self { owner_id: account_id, is_group: false }
    }

    /// As requests say it: for a group if one is named.
    pub const fn of(account_id: Uuid, as_group: Option<Uuid>) -> Self {
        match as_group {
            Some(group_id) => Self { owner_id: group_id, is_group: true },
            None => Self::account(account_id),
        }
    }
}

/// The accounts that may act for an owner: the account itself, or those of the group; read in the caller's
/// transaction.
pub type Agents = Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<Vec<Uuid>, store::Error> + Send + Sync>;

/// Who may act for whom, as it is handed in.
#[derive(Clone)]
pub struct Acting {
    /// Whether an account may act for an owner.
    pub may_act: land::Authority,
    /// Who may act for a group.
    pub agents: Agents,
}

impl std::fmt::Debug for Acting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acting").finish_non_exhaustive()
    }
}

impl Acting {
    /// Whether an account may act for a party. Of accounts nothing is asked.
    pub(crate) fn is_allowed(
        &self,
        tx: &mut Tx<'_>,
        party: Party,
        account_id: Uuid,
    ) -> Result<bool, store::Error> {
        if party.is_group {
            (self.may_act)(tx, party.owner_id, account_id)
        } else {
            Ok(party.owner_id == account_id)
        }
    }

    /// Refuses whoever may not act for a party.
    pub(crate) fn check(&self, tx: &mut Tx<'_>, party: Party, account_id: Uuid) -> Result<(), Refusal> {
        if self.is_allowed(tx, party, account_id)? { Ok(()) } else { Err(Refusal::MayNotAct) }
    }

    /// Refuses to sell to the seller, in whatever guise: who acts may act for the seller, or the seller for the buyer.
    pub(crate) fn check_strangers(
        &self,
        tx: &mut Tx<'_>,
        seller: Party,
        buyer: Party,
        account_id: Uuid,
    ) -> Result<(), Refusal> {
        let is_own = seller.owner_id == buyer.owner_id
            || self.is_allowed(tx, seller, account_id)?
            || (!seller.is_group && buyer.is_group && self.is_allowed(tx, buyer, seller.owner_id)?);
        if is_own { Err(Refusal::OwnLand) } else { Ok(()) }
    }

    /// Who is told what concerns a party.
    pub(crate) fn told(&self, tx: &mut Tx<'_>, party: Party) -> Result<Vec<Uuid>, store::Error> {
        if party.is_group { (self.agents)(tx, party.owner_id) } else { Ok(vec![party.owner_id]) }
    }
}
