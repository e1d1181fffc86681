//! What has to be so before the owner changes the shape of land or gives it away.

use cell::CellId;
use store::Tx;
use uuid::Uuid;

use crate::decide::may_act;
use crate::encumbrance::encumbrance;
use crate::parcel::{self, ParcelFacts};
use crate::rules::Refusal;
use crate::service::Deps;

/// Takes the parcel of a lot for somebody who owns it or acts for its owner.
pub(crate) fn take_own(
    tx: &mut Tx<'_>,
    deps: &Deps,
    lot: CellId,
    actor: Uuid,
) -> Result<ParcelFacts, Refusal> {
    let facts = parcel::take(tx, lot)?.ok_or(Refusal::NotOwner)?;
    if may_act(tx, deps, facts.owner_id, actor)? { Ok(facts) } else { Err(Refusal::NotOwner) }
}

/// Staff must not have frozen a parcel, which has been taken.
pub(crate) fn check_thawed(facts: &ParcelFacts) -> Result<(), Refusal> {
    if facts.frozen_at_us.is_some() { Err(Refusal::Frozen { parcel: facts.anchor }) } else { Ok(()) }
}

/// Nothing may be about to happen to a parcel, which has been taken and is not frozen.
pub(crate) fn check_unencumbered(tx: &mut Tx<'_>, facts: &ParcelFacts) -> Result<(), Refusal> {
    check_thawed(facts)?;
    match encumbrance(tx, facts.anchor)? {
        Some(found) => Err(Refusal::Encumbered { parcel: facts.anchor, kind: found.kind }),
        None => Ok(()),
    }
}

/// Nothing may be about to happen to a parcel, and no tenant may have it.
pub(crate) fn check_free(tx: &mut Tx<'_>, facts: &ParcelFacts) -> Result<(), Refusal> {
    check_unencumbered(tx, facts)?;
    if facts.lease_id.is_some() { Err(Refusal::Leased { parcel: facts.anchor }) } else { Ok(()) }
}
