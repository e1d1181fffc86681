//! The proof that land and books agree.

use std::collections::BTreeMap;
use std::fmt;

use cell::CellId;
use ledger::AssetId;
use store::{Tx, params};
use uuid::Uuid;

store::statements! {
    /// Every lot with its owner and the owner of its newest title.
    OWNERS = "select p.parcel_id, p.owner_id, t.owner_id from parcels p \
              left join titles t on t.parcel_id = p.parcel_id and t.title_number = \
              (select max(title_number) from titles where titles.parcel_id = p.parcel_id)";
}

/// Something that cannot be if every claim was stored whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The owner of a lot does not hold its deed.
    OwnerWithoutDeed {
        /// Which lot.
        lot: CellId,
        /// Who owns it.
        owner_id: Uuid,
        /// Who holds the deed, if anybody.
        holder_id: Option<Uuid>,
    },
    /// Somebody holds the deed of a lot that nobody owns.
    DeedWithoutLot {
        /// Which deed.
        deed: AssetId,
        /// Who holds it.
        holder_id: Uuid,
    },
    /// The newest title is somebody else's, or there is none.
    OwnerWithoutTitle {
        /// Which lot.
        lot: CellId,
        /// Who owns it.
        owner_id: Uuid,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnerWithoutDeed { lot, owner_id, holder_id: Some(holder_id) } => {
                write!(f, "lot {lot} is owned by {owner_id}, its deed is held by {holder_id}")
            }
            Self::OwnerWithoutDeed { lot, owner_id, holder_id: None } => {
                write!(f, "lot {lot} is owned by {owner_id}, its deed is held by nobody")
            }
            Self::DeedWithoutLot { deed, holder_id } => {
                write!(f, "{holder_id} holds {deed}, a lot that nobody owns")
            }
            Self::OwnerWithoutTitle { lot, owner_id } => {
                write!(f, "lot {lot} is owned by {owner_id}, its newest title says otherwise")
            }
        }
    }
}

/// Compares every lot with its deed and its newest title. Reads it all: for an operator and for tests, in a read
/// transaction.
pub fn verify(tx: &mut Tx<'_>) -> Result<Vec<Fault>, store::Error> {
    let mut deeds: BTreeMap<AssetId, Uuid> = wallet::deed_holders(tx)?.into_iter().collect();
    let mut faults = Vec::new();
    for row in tx.query(OWNERS, params![])? {
        let lot = CellId::from_sql(row.get(0)?)
            .ok_or_else(|| store::Error::Damaged { detail: "parcels: a key is no cell".to_owned() })?;
        let owner_id: Uuid = row.get(1)?;
        let deed = AssetId::try_deed(&lot.token()).expect("a cell's token is lower-case hexadecimal");
        let holder_id = deeds.remove(&deed);
        if holder_id != Some(owner_id) {
            faults.push(Fault::OwnerWithoutDeed { lot, owner_id, holder_id });
        }
        if row.get::<Option<Uuid>>(2)? != Some(owner_id) {
            faults.push(Fault::OwnerWithoutTitle { lot, owner_id });
        }
    }
    faults.extend(deeds.into_iter().map(|(deed, holder_id)| Fault::DeedWithoutLot { deed, holder_id }));
    Ok(faults)
}
