//! Deeds and money, as the books know them.

use cell::CellId;
use ledger::{Amount, AssetId};
use wallet::PostError;

use crate::rules::Refusal;

/// The money that land is claimed with.
pub(crate) const CURRENCY: &str = "coin";

/// A deed is one and whole.
pub(crate) const ONE: Amount = Amount::try_from_minor(1).expect("one is in range");

/// The asset of [`CURRENCY`].
pub(crate) fn currency() -> AssetId {
    AssetId::parse(CURRENCY).expect("the name of a currency")
}

/// The deed of a parcel: `deed:<token of its anchor>`.
pub fn deed(parcel: CellId) -> AssetId {
    AssetId::try_deed(&parcel.token()).expect("a cell's token is lower-case hexadecimal")
}

/// Why a posting of land was refused, where it has nothing to do with funds.
pub(crate) fn refused(error: PostError) -> Refusal {
    match error {
        PostError::ClientIdTaken => Refusal::KeyReused,
        PostError::Store(error) => Refusal::Store(error),
        other => Refusal::Books(other),
    }
}
