//! Who owns.

use uuid::Uuid;

use crate::{Amount, AssetId, AssetKind};

/// An account of the books.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AccountRef {
    /// What a player or a group owns; its id is the player's account id or the group's id.
    Wallet(Uuid),
    /// What the planet has earned.
    Treasury,
    /// Issues the deeds of lots.
    LandOffice,
    /// Issues money.
    Mint,
    /// Fees of sellers.
    Fees,
    /// Taxes.
    Tax,
    /// Money between two hands.
    Escrow,
}

/// The planet's own accounts.
const OF_THE_PLANET: [AccountRef; 6] = [
    AccountRef::Treasury,
    AccountRef::LandOffice,
    AccountRef::Mint,
    AccountRef::Fees,
    AccountRef::Tax,
    AccountRef::Escrow,
];

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
            Self::Fees => Uuid::from_u128(SYSTEM_IDS + 4),
            Self::Tax => Uuid::from_u128(SYSTEM_IDS + 5),
            Self::Escrow => Uuid::from_u128(SYSTEM_IDS + 6),
        }
    }

    /// Its kind's name in the books.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Wallet(_) => "wallet",
            Self::Treasury => "treasury",
            Self::LandOffice => "land_office",
            Self::Mint => "mint",
            Self::Fees => "fees",
            Self::Tax => "tax",
            Self::Escrow => "escrow",
        }
    }

    /// The account of a kind; `None` for a name that is none.
    pub fn from_kind(kind: &str, id: Uuid) -> Option<Self> {
        std::iter::once(Self::Wallet(id)).chain(OF_THE_PLANET).find(|it| it.kind() == kind)
    }

    /// The account that has this id: one of the planet's own, or else a wallet.
    pub fn from_id(id: Uuid) -> Self {
        OF_THE_PLANET.into_iter().find(|it| it.id() == id).unwrap_or(Self::Wallet(id))
    }

    /// The least it may hold of an asset: nothing, unless it issues that asset. The mint may issue any amount of
    /// money, the land office each deed once.
    pub fn floor(self, asset: &AssetId) -> Amount {
        match (self, asset.kind()) {
            (Self::Mint, AssetKind::Currency) => Amount::MIN,
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
        let others = OF_THE_PLANET.into_iter().chain([wallet]);
        for account in others.clone().filter(|it| *it != AccountRef::Mint) {
            assert_eq!(account.floor(&coin), Amount::ZERO, "{account:?}");
        }
        for account in others.filter(|it| *it != AccountRef::LandOffice) {
            assert_eq!(account.floor(&deed), Amount::ZERO, "{account:?}");
        }
        assert_eq!(AccountRef::Mint.floor(&coin), Amount::MIN);
        assert_eq!(AccountRef::LandOffice.floor(&deed).minor(), -1);
    }

    #[test]
    fn accounts_are_known_by_kind_and_sort_wallets_first() {
        let id = Uuid::from_u128(u128::MAX >> 4);
        let accounts: Vec<_> = std::iter::once(AccountRef::Wallet(id)).chain(OF_THE_PLANET).collect();
        assert!(accounts.is_sorted());
        for account in accounts {
            assert_eq!(AccountRef::from_kind(account.kind(), id), Some(account));
            assert_eq!(AccountRef::from_id(account.id()), account);
        }
        assert_eq!(AccountRef::from_kind("bank", id), None);
    }
}
