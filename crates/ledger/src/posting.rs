//! One change of ownership, whole or not at all.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{AccountRef, Amount, AssetId, AssetKind};

/// Legs of one posting at most.
pub const LEGS_MAX: usize = 64;
const CLIENT_ID_LENGTH_MAX: usize = 128;
const REFERENCE_LENGTH_MAX: usize = 100;

/// Why value moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PostingKind {
    /// Money for somebody who is new.
    WelcomeGrant,
    /// Free land was claimed and paid for.
    LandClaim,
    /// Parcels became one.
    LandMerge,
    /// A parcel became several.
    LandSplit,
    /// A parcel was given up.
    LandAbandon,
    /// A parcel was given away.
    LandGift,
    /// A listed parcel was sold.
    Sale,
    /// A parcel was sold to the highest bidder.
    AuctionSale,
    /// A parcel was sold on an offer.
    OfferSale,
    /// A player gave money to another.
    Transfer,
    /// Rent for a period.
    Rent,
    /// A deposit was taken or kept.
    Deposit,
    /// A deposit went back.
    DepositReturn,
    /// Upkeep of land for a period.
    Upkeep,
    /// Abandoned land went back to the planet.
    Reclaim,
    /// Staff gave a parcel back to somebody who had it before.
    LandRestore,
    /// What somebody left who is forgotten.
    Erasure,
    /// An earlier posting was taken back.
    Reversal,
}

impl PostingKind {
    /// Its name in the books.
    pub const fn code(self) -> &'static str {
        match self {
            Self::WelcomeGrant => "welcome_grant",
            Self::LandClaim => "land_claim",
            Self::LandMerge => "land_merge",
            Self::LandSplit => "land_split",
            Self::LandAbandon => "land_abandon",
            Self::LandGift => "land_gift",
            Self::Sale => "sale",
            Self::AuctionSale => "auction_sale",
            Self::OfferSale => "offer_sale",
            Self::Transfer => "transfer",
            Self::Rent => "rent",
            Self::Deposit => "deposit",
            Self::DepositReturn => "deposit_return",
            Self::Upkeep => "upkeep",
            Self::Reclaim => "reclaim",
            Self::LandRestore => "land_restore",
            Self::Erasure => "erasure",
            Self::Reversal => "reversal",
        }
    }
}

/// What one account gains (or loses, if negative) of one asset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leg {
    /// Whose.
    pub account: AccountRef,
    /// Of what.
    pub asset: AssetId,
    /// How much; never zero.
    pub amount: Amount,
}

/// A checked posting: for each asset its legs sum to zero.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posting {
    client_id: String,
    kind: PostingKind,
    reference: String,
    reverses: Option<Uuid>,
    legs: Vec<Leg>,
}

/// Why a posting is refused. If several reasons apply, the first in this order is the one given.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PostingError {
    /// The client id is empty or too long.
    #[error("a client id has 1 to {CLIENT_ID_LENGTH_MAX} bytes")]
    ClientId,
    /// The reference is too long.
    #[error("a reference has at most {REFERENCE_LENGTH_MAX} bytes")]
    Reference,
    /// It moves nothing.
    #[error("a posting needs legs")]
    NoLegs,
    /// It moves too much at once.
    #[error("a posting has at most {LEGS_MAX} legs")]
    TooManyLegs,
    /// A leg of nothing.
    #[error("a leg of {asset} is zero")]
    ZeroLeg {
        /// Of what.
        asset: AssetId,
    },
    /// An account has two legs of one asset.
    #[error("two legs of {asset} for one account")]
    DoubleLeg {
        /// Of what.
        asset: AssetId,
    },
    /// A deed in parts, or more than the one there is.
    #[error("{asset} moves whole and once")]
    NotWhole {
        /// Which deed.
        asset: AssetId,
    },
    /// The legs of an asset do not sum to zero.
    #[error("the legs of {asset} sum to {sum_minor}, not to zero")]
    Unbalanced {
        /// Of what.
        asset: AssetId,
        /// What is too much, or missing if negative.
        sum_minor: i64,
    },
}

/// Collects legs; [`PostingBuilder::finish`] checks them.
#[derive(Clone, Debug)]
pub struct PostingBuilder {
    posting: Posting,
}

impl Posting {
    /// Begins a posting. `client_id` is unique over all postings for ever: the same one twice is the same posting.
    /// `reference` names what it is about, for people and programs; it holds no personal data.
    pub fn of(
        kind: PostingKind,
        client_id: impl Into<String>,
        reference: impl Into<String>,
    ) -> PostingBuilder {
        let (client_id, reference) = (client_id.into(), reference.into());
        PostingBuilder { posting: Self { client_id, kind, reference, reverses: None, legs: Vec::new() } }
    }

    /// What makes it unique.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Why value moves.
    pub fn kind(&self) -> PostingKind {
        self.kind
    }

    /// What it is about.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The posting that this one takes back.
    pub fn reverses(&self) -> Option<Uuid> {
        self.reverses
    }

    /// In ascending order of account, then asset: the order in which rows are locked.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }
}

impl PostingBuilder {
    /// Adds a leg.
    #[must_use]
    pub fn leg(mut self, account: AccountRef, asset: AssetId, amount: Amount) -> Self {
        self.posting.legs.push(Leg { account, asset, amount });
        self
    }

    /// Adds the two legs of a transfer.
    #[must_use]
    pub fn transfer(self, from: AccountRef, to: AccountRef, asset: &AssetId, amount: Amount) -> Self {
        self.leg(from, asset.clone(), amount.negated()).leg(to, asset.clone(), amount)
    }

    /// Says that it takes back an earlier posting; each can be taken back once.
    #[must_use]
    pub fn reversing(mut self, posting_id: Uuid) -> Self {
        self.posting.reverses = Some(posting_id);
        self
    }

    /// The posting, if it keeps the rules.
    pub fn finish(self) -> Result<Posting, PostingError> {
        let mut posting = self.posting;
        if posting.client_id.is_empty() || posting.client_id.len() > CLIENT_ID_LENGTH_MAX {
            return Err(PostingError::ClientId);
        }
        if posting.reference.len() > REFERENCE_LENGTH_MAX {
            return Err(PostingError::Reference);
        }
        posting.legs.sort_by(|a, b| (a.account, &a.asset).cmp(&(b.account, &b.asset)));
        check_legs(&posting.legs)?;
        Ok(posting)
    }
}

/// `legs` are sorted by account and asset.
fn check_legs(legs: &[Leg]) -> Result<(), PostingError> {
    if legs.is_empty() {
        return Err(PostingError::NoLegs);
    }
    if legs.len() > LEGS_MAX {
        return Err(PostingError::TooManyLegs);
    }
    if let Some(leg) = legs.iter().find(|it| it.amount == Amount::ZERO) {
        return Err(PostingError::ZeroLeg { asset: leg.asset.clone() });
    }
    let double =
        legs.windows(2).find(|pair| pair[0].account == pair[1].account && pair[0].asset == pair[1].asset);
    if let Some(pair) = double {
        return Err(PostingError::DoubleLeg { asset: pair[0].asset.clone() });
    }
    let is_broken = |it: &&Leg| it.asset.kind() == AssetKind::Deed && it.amount.minor().abs() != 1;
    if let Some(leg) = legs.iter().find(is_broken) {
        return Err(PostingError::NotWhole { asset: leg.asset.clone() });
    }
    // 64 amounts of 53 bits fit in 63 with room to spare.
    let mut sums: BTreeMap<&AssetId, i64> = BTreeMap::new();
    for leg in legs {
        *sums.entry(&leg.asset).or_default() += leg.amount.minor();
    }
    match sums.into_iter().find(|(_, sum)| *sum != 0) {
        Some((asset, sum_minor)) => Err(PostingError::Unbalanced { asset: asset.clone(), sum_minor }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use proptest::prelude::*;

    fn ann() -> AccountRef {
        AccountRef::Wallet(Uuid::from_u128(1))
    }

    fn bob() -> AccountRef {
        AccountRef::Wallet(Uuid::from_u128(2))
    }

    fn deed() -> AssetId {
        AssetId::try_deed("4be64c3c").unwrap()
    }

    fn minor(minor: i64) -> Amount {
        Amount::try_from_minor(minor).unwrap()
    }

    fn posting(legs: &[(AccountRef, AssetId, i64)]) -> Result<Posting, PostingError> {
        legs.iter()
            .fold(Posting::of(PostingKind::LandClaim, "id", "lot"), |builder, (account, asset, amount)| {
                builder.leg(*account, asset.clone(), minor(*amount))
            })
            .finish()
    }

    #[test]
    fn a_sale_is_one_posting_in_locking_order() {
        let sale = Posting::of(PostingKind::LandClaim, "id", "lot")
            .transfer(AccountRef::LandOffice, ann(), &deed(), minor(1))
            .transfer(ann(), AccountRef::Treasury, &AssetId::coin(), minor(500))
            .finish()
            .unwrap();
        let order: Vec<_> =
            sale.legs().iter().map(|it| (it.account, it.asset.as_str(), it.amount.minor())).collect();
        assert_eq!(
            order,
            [
                (ann(), "coin", -500),
                (ann(), "deed:4be64c3c", 1),
                (AccountRef::Treasury, "coin", 500),
                (AccountRef::LandOffice, "deed:4be64c3c", -1),
            ]
        );
    }

    #[test]
    fn each_rule_refuses_and_the_first_that_applies_is_named() {
        let coin = AssetId::coin;
        assert_eq!(posting(&[]), Err(PostingError::NoLegs));
        assert_eq!(posting(&[(ann(), coin(), 0)]), Err(PostingError::ZeroLeg { asset: coin() }));
        assert_eq!(
            posting(&[(ann(), coin(), 5), (bob(), coin(), -9), (ann(), coin(), 4)]),
            Err(PostingError::DoubleLeg { asset: coin() })
        );
        assert_eq!(
            posting(&[(ann(), deed(), 2), (bob(), deed(), -2)]),
            Err(PostingError::NotWhole { asset: deed() })
        );
        assert_eq!(
            posting(&[(ann(), coin(), 5), (bob(), coin(), -4)]),
            Err(PostingError::Unbalanced { asset: coin(), sum_minor: 1 })
        );
        assert_eq!(
            posting(&[(ann(), coin(), 1), (bob(), deed(), -1)]),
            Err(PostingError::Unbalanced { asset: coin(), sum_minor: 1 }),
            "one asset does not pay for another"
        );
        let many: Vec<_> = (0..=LEGS_MAX as u128)
            .map(|n| (AccountRef::Wallet(Uuid::from_u128(n)), coin(), if n % 2 == 0 { 1 } else { -1 }))
            .collect();
        assert_eq!(posting(&many), Err(PostingError::TooManyLegs));
        let named = |client_id: &str, reference: &str| {
            Posting::of(PostingKind::LandClaim, client_id, reference)
                .transfer(ann(), bob(), &coin(), minor(1))
                .finish()
                .map(drop)
        };
        assert_eq!(named("", ""), Err(PostingError::ClientId));
        assert_eq!(named(&"x".repeat(129), &"x".repeat(101)), Err(PostingError::ClientId));
        assert_eq!(named("id", &"x".repeat(101)), Err(PostingError::Reference));
        assert_eq!(named("id", ""), Ok(()));
    }

    #[test]
    fn the_largest_amounts_are_summed_without_overflow() {
        let most = Amount::MAX.minor();
        let legs: Vec<_> = (0..LEGS_MAX as u128)
            .map(|n| (AccountRef::Wallet(Uuid::from_u128(n)), AssetId::coin(), most))
            .collect();
        let sum_minor = most * LEGS_MAX as i64;
        assert_eq!(posting(&legs), Err(PostingError::Unbalanced { asset: AssetId::coin(), sum_minor }));
    }

    proptest! {
        /// The builder against the rules written down once more, slowly.
        #[test]
        fn a_posting_is_accepted_if_and_only_if_it_keeps_the_rules(
            legs in prop::collection::vec((0u128..4, 0u8..3, -2i64..=2), 0..8)
        ) {
            let legs: Vec<_> = legs
                .into_iter()
                .map(|(account, asset, amount)| {
                    let asset = if asset == 0 { AssetId::coin() } else { AssetId::try_deed(&asset.to_string()).unwrap() };
                    (AccountRef::Wallet(Uuid::from_u128(account)), asset, amount)
                })
                .collect();
            let mut sums: HashMap<AssetId, i64> = HashMap::new();
            let mut pairs = std::collections::HashSet::new();
            let mut is_sound = !legs.is_empty();
            for (account, asset, amount) in &legs {
                *sums.entry(asset.clone()).or_default() += amount;
                is_sound &= *amount != 0 && pairs.insert((*account, asset.clone()));
                is_sound &= asset.kind() == AssetKind::Currency || amount.abs() == 1;
            }
            is_sound &= sums.values().all(|it| *it == 0);
            let posting = posting(&legs);
            prop_assert_eq!(posting.is_ok(), is_sound, "{:?}", posting);
            if let Ok(posting) = posting {
                prop_assert_eq!(posting.legs().len(), legs.len());
                prop_assert!(posting.legs().is_sorted_by_key(|it| (it.account, it.asset.clone())));
            }
        }
    }
}
