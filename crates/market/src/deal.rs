//! Land for money: one posting, the title, and the end of everything that was promised of the land.

use land::{TitleKind, Transfer};
use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use store::Tx;
use uuid::Uuid;
use wallet::{HoldError, PostError};

use crate::deps::{Deps, Terms};
use crate::news::{self, HeldMoney, News};
use crate::offers::{self, Offer};
use crate::party::Party;
use crate::refusal::Refusal;
use crate::rules::split::Split;
use crate::rules::state::{OfferState, SaleKind};
use crate::sales::Sale;

/// A sale that has found its buyer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deal<'a> {
    /// Who decided it.
    pub(crate) by: audit::Actor,
    pub(crate) sale: &'a Sale,
    pub(crate) buyer: Party,
    /// What is paid.
    pub(crate) paid_minor: i64,
}

impl Deal<'_> {
    pub(crate) fn split(&self, terms: &Terms) -> Split {
        terms.rates.split(self.paid_minor)
    }

    /// Money to the seller less fee and tax, those to their accounts, the deed to the buyer. Its client id is the
    /// sale's: whatever is repeated after a crash, it is booked once.
    pub(crate) fn posting(&self, terms: &Terms) -> Posting {
        let Sale { id: sale_id, kind, land, seller, currency, .. } = self.sale;
        let (kind, client_id) = match kind {
            SaleKind::Fixed => (PostingKind::Sale, format!("listing:{sale_id}:sale")),
            SaleKind::English | SaleKind::Dutch | SaleKind::Sealed => {
                (PostingKind::AuctionSale, format!("auction:{sale_id}:settle"))
            }
            SaleKind::Offer => (PostingKind::OfferSale, format!("offer:{sale_id}:accept")),
        };
        let money = AssetId::try_currency(currency).expect("a sale is in a currency of the table");
        let Split { seller_minor, fee_minor, tax_minor } = self.split(terms);
        let (buyer, seller) = (AccountRef::Wallet(self.buyer.owner_id), AccountRef::Wallet(seller.owner_id));
        let parts = [(seller, seller_minor), (AccountRef::Fees, fee_minor), (AccountRef::Tax, tax_minor)];
        let builder = Posting::of(kind, client_id, format!("lot:{}", land.parcel.token()))
            .leg(buyer, money.clone(), minor(-self.paid_minor))
            .transfer(seller, buyer, &land::deed(land.parcel), minor(1));
        parts
            .into_iter()
            .filter(|(_, part_minor)| *part_minor != 0)
            .fold(builder, |builder, (account, part_minor)| {
                builder.leg(account, money.clone(), minor(part_minor))
            })
            .finish()
            .expect("a price of at least 1 is split into parts that sum to it, for two who differ")
    }

    pub(crate) fn transfer(&self, posting_id: Uuid) -> Transfer {
        let Sale { kind, land, seller, currency, .. } = self.sale;
        Transfer {
            by: self.by,
            parcel: land.parcel,
            from: seller.owner_id,
            to: self.buyer.owner_id,
            price_minor: self.paid_minor,
            currency: currency.clone(),
            kind: match kind {
                SaleKind::Fixed => TitleKind::Sale,
                SaleKind::English | SaleKind::Dutch | SaleKind::Sealed => TitleKind::AuctionSale,
                SaleKind::Offer => TitleKind::OfferSale,
            },
            posting_id,
        }
    }

    /// Takes all balances that this deal and the releases of holds will touch, in the one order that everybody keeps.
    pub(crate) fn take_balances(
        &self,
        tx: &mut Tx<'_>,
        terms: &Terms,
        released: impl IntoIterator<Item = (Uuid, AssetId)>,
        now_us: i64,
    ) -> Result<(), store::Error> {
        let posting = self.posting(terms);
        let of_legs = posting.legs().iter().map(|it| (it.account, it.asset.clone()));
        let of_holds = released.into_iter().map(|(owner_id, asset)| (AccountRef::Wallet(owner_id), asset));
        let balances: Vec<_> = of_legs.chain(of_holds).collect();
        wallet::take_balances(tx, &balances, now_us)
    }

    /// Books the posting, from what is held if there is a hold, and writes the new owner. The encumbrance and the
    /// sale's row are the caller's.
    pub(crate) fn exchange(
        &self,
        tx: &mut Tx<'_>,
        deps: &Deps,
        hold_id: Option<Uuid>,
        now_us: i64,
    ) -> Result<Uuid, Refusal> {
        let posting = self.posting(&deps.terms);
        let posted = match hold_id {
            Some(hold_id) => wallet::post_hold(tx, hold_id, &posting, now_us)?,
            None => wallet::post(tx, &posting, now_us)?,
        };
        if !posted.is_new {
            return Err(Refusal::Books(format!("{} is open but was booked", posting.client_id())));
        }
        if !land::transfer(tx, &self.transfer(posted.posting_id), now_us)? {
            return Err(Refusal::Books(format!("{} is not the seller's", self.sale.land.parcel)));
        }
        Ok(posted.posting_id)
    }

    /// Tells of it: everybody that the land has another owner; seller and watchers what was paid.
    pub(crate) fn tell(&self, tx: &mut Tx<'_>, deps: &Deps, news: &mut News) -> Result<(), store::Error> {
        let name = deps.name_of(tx, self.buyer)?;
        news.ownership_changed(self.sale, self.buyer, &name, self.paid_minor);
        let received_minor = self.split(&deps.terms).seller_minor;
        let data = news::of_sold(self.sale, self.buyer, self.paid_minor, received_minor);
        let mut told = news::watchers(tx, &self.sale.land)?;
        told.extend(deps.acting.told(tx, self.sale.seller)?);
        news.to("market.sold", told, data);
        Ok(())
    }
}

/// The land has gone to somebody: open offers for it are over, their money is free. The caller has taken the
/// balances.
pub(crate) fn lapse(
    tx: &mut Tx<'_>,
    deps: &Deps,
    news: &mut News,
    offers: Vec<Offer>,
    now_us: i64,
) -> Result<(), Refusal> {
    for offer in offers {
        end_offer(tx, deps, news, offer, OfferState::Lapsed, now_us)?;
    }
    Ok(())
}

/// Ends an open offer, which the caller has taken, in another way than by accepting it: its money is free.
pub(crate) fn end_offer(
    tx: &mut Tx<'_>,
    deps: &Deps,
    news: &mut News,
    mut offer: Offer,
    state: OfferState,
    now_us: i64,
) -> Result<(), Refusal> {
    if !offers::decide(tx, offer.id, state, now_us)? {
        return Ok(());
    }
    wallet::void_hold(tx, offer.hold_id, now_us)?;
    offer.state = state;
    offer.decided_at_us = Some(now_us);
    let owner = deps.party_of(tx, offer.owner_id)?;
    // Whoever ended it knows.
    let (kind, told): (_, &[Party]) = match state {
        OfferState::Declined => ("market.offer_declined", &[offer.buyer]),
        OfferState::Withdrawn => ("market.offer_withdrawn", &[owner]),
        OfferState::Expired => ("market.offer_expired", &[offer.buyer, owner]),
        OfferState::Lapsed | OfferState::Open | OfferState::Accepted => {
            ("market.offer_lapsed", &[offer.buyer])
        }
    };
    for party in told {
        news.tell_party(tx, deps, kind, *party, news::of_offer(&offer))?;
    }
    let money = HeldMoney {
        hold_id: offer.hold_id,
        currency: &offer.currency,
        amount_minor: offer.price_minor,
        reason: ("offer_id", offer.id),
    };
    news.held_money(tx, deps, "wallet.released", offer.buyer, money)?;
    Ok(())
}

/// An amount that a rule has checked.
pub(crate) fn minor(minor: i64) -> Amount {
    Amount::try_from_minor(minor).expect("amounts of sales are checked when they come in")
}

impl From<HoldError> for Refusal {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::InsufficientFunds { available, needed } => {
                Self::InsufficientFunds { available, needed }
            }
            HoldError::Store(error) => Self::Store(error),
            HoldError::Post(error) => error.into(),
            other => Self::Books(other.to_string()),
        }
    }
}

/// Of a sale's posting only the buyer's money can be missing: the deed is the seller's as long as the sale is open.
impl From<PostError> for Refusal {
    fn from(error: PostError) -> Self {
        match error {
            PostError::InsufficientFunds { account: AccountRef::Wallet(_), asset, available, needed }
                if asset.kind() == ledger::AssetKind::Currency =>
            {
                Self::InsufficientFunds { available, needed }
            }
            PostError::Store(error) => Self::Store(error),
            other => Self::Books(other.to_string()),
        }
    }
}
