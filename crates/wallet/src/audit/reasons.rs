//! What is held, against why.

use std::collections::BTreeMap;

use store::{Tx, params};
use uuid::Uuid;

use super::Fault;

store::statements! {
    /// Everything that is held.
    PENDING = "select hold_id, ledger_account_id, amount from holds where state = 'pending'";
}

/// Why money is held: the leading bid, an open offer, a tenant's deposit. Whoever holds money can list these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldReason {
    /// The hold it says it has.
    pub hold_id: Uuid,
    /// Whose money.
    pub account_id: Uuid,
    /// How much.
    pub amount_minor: i64,
}

/// Compares all pending holds with all reasons there are: each has the other, of the same account and amount. Both are
/// read in the transaction of the proof.
pub fn verify_reasons(tx: &mut Tx<'_>, reasons: &[HoldReason]) -> Result<Vec<Fault>, store::Error> {
    let mut faults = Vec::new();
    let mut expected: BTreeMap<Uuid, HoldReason> = BTreeMap::new();
    for reason in reasons {
        // Two reasons that count on the same money.
        if let Some(other) = expected.insert(reason.hold_id, *reason) {
            faults.push(missing(&other));
        }
    }
    for row in tx.query(PENDING, params![])? {
        let (hold_id, account_id, amount_minor) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match expected.remove(&hold_id) {
            Some(reason) if (reason.account_id, reason.amount_minor) == (account_id, amount_minor) => {}
            Some(reason) => {
                faults.push(missing(&reason));
                faults.push(Fault::HoldWithoutReason { hold_id, account_id, amount_minor });
            }
            None => faults.push(Fault::HoldWithoutReason { hold_id, account_id, amount_minor }),
        }
    }
    faults.extend(expected.values().map(missing));
    Ok(faults)
}

fn missing(reason: &HoldReason) -> Fault {
    let HoldReason { hold_id, account_id, amount_minor } = *reason;
    Fault::ReasonWithoutHold { hold_id, account_id, amount_minor }
}
