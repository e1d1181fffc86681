//! Who owns.

use uuid::Uuid;

use crate::{Amount, AssetId, AssetKind};

/// An account of the books.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AccountRef {
    /// What a player owns; its id is the player's account id.
    Wallet(Uuid),
    /// What the planet has earned.
    Treasury,
    /// Issues the deeds of lots.
    LandOffice,
    /// Issues coins.
    Mint,
}

/// Ids of the planet's own accounts end in a small number behind this. No wallet has such an id: account ids are
/// UUIDs of version 4 or 7, these say version 8.
const SYSTEM_IDS: u128 = 0xffff_ffff_ffff_8fff_bfff_0000_0000_0000;

impl AccountRef {
    /// Its id in the books. The planet's own accounts, which all postings share, sort after every wallet: taken last,
    /// they are held shortest.
    pub const fn id(self) -> Uuid {
        match self {
            Self::Wallet(id) => id,
            Self::Treasury => Uuid::from_u128(SYSTEM_IDS + 1),
            Self::LandOffice => Uuid::from_u128(SYSTEM_IDS + 2),
            Self::Mint => Uuid::from_u128(SYSTEM_IDS + 3),
        }
    }

    /// Its kind's name in the books.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Wallet(_) => "wallet",
            Self::Treasury => "treasury",
            Self::LandOffice => "land_office",
            Self::Mint => "mint",
        }
    }

    /// The account of a kind; `None` for a name that is none.
    pub fn from_kind(kind: &str, id: Uuid) -> Option<Self> {
        [Self::Wallet(id), Self::Treasury, Self::LandOffice, Self::Mint]
            .into_iter()
            .find(|it| it.kind() == kind)
    }

    /// The least it may hold of an asset: nothing, unless it issues that asset. The mint may issue any amount of
    /// coins, the land office each deed once.
    pub fn floor(self, asset: &AssetId) -> Amount {
        match (self, asset.kind()) {
            (Self::Mint, AssetKind::Coin) => Amount::MIN,
            (Self::LandOffice, AssetKind::Deed) => ONE_ISSUED,
            _ => Amount::ZERO,
        }
    }
}

const ONE_ISSUED: Amount = Amount::try_from_minor(-1).expect("-1 is in range");

impl PartialOrd for AccountRef {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// By id, which is the order in which rows are locked.
impl Ord for AccountRef {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.id().cmp(&other.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_issuers_go_below_zero_and_only_in_what_they_issue() {
        let (coin, deed) = (AssetId::coin(), AssetId::try_deed("4be64c3c").unwrap());
        let wallet = AccountRef::Wallet(Uuid::nil());
        for account in [wallet, AccountRef::Treasury, AccountRef::LandOffice] {
            assert_eq!(account.floor(&coin), Amount::ZERO, "{account:?}");
        }
        for account in [wallet, AccountRef::Treasury, AccountRef::Mint] {
            assert_eq!(account.floor(&deed), Amount::ZERO, "{account:?}");
        }
        assert_eq!(AccountRef::Mint.floor(&coin), Amount::MIN);
        assert_eq!(AccountRef::LandOffice.floor(&deed).minor(), -1);
    }

    #[test]
    fn accounts_are_known_by_kind_and_sort_wallets_first() {
        let id = Uuid::from_u128(u128::MAX >> 4);
        let accounts =
            [AccountRef::Wallet(id), AccountRef::Treasury, AccountRef::LandOffice, AccountRef::Mint];
        assert!(accounts.is_sorted());
        for account in accounts {
            assert_eq!(AccountRef::from_kind(account.kind(), id), Some(account));
        }
        assert_eq!(AccountRef::from_kind("bank", id), None);
    }
}
