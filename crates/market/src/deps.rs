//! What the market is given.

use std::sync::Arc;

use api::SharedClock;
use cell::CellId;
use land::DisplayName;
use ledger::AssetId;
use store::{Store, Tx};
use uuid::Uuid;
use wallet::Economy;

use crate::party::{Acting, Party};
use crate::refusal::Refusal;
use crate::rules::increment::{Increments, Step};
use crate::rules::split::Rates;

/// What the market is given.
#[derive(Clone)]
pub struct Deps {
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// Currencies, rates and times.
    pub terms: Arc<Terms>,
    /// Who may act for whom.
    pub acting: Acting,
    /// What accounts are called.
    pub display_name: DisplayName,
    /// What groups are called.
    pub group_name: DisplayName,
    /// The level of the planet's lots.
    pub lot_level: u8,
    /// The planet's radius.
    pub radius_m: f64,
    /// Told when something was recorded.
    pub wake: events::Wake,
}

impl Deps {
    /// The lot that a token names.
    pub(crate) fn parse_lot(&self, token: &str) -> Result<CellId, Refusal> {
        CellId::parse_token(token).ok().filter(|it| it.level() == self.lot_level).ok_or(Refusal::NotALot)
    }

    /// What an account or group is called; empty for one that nobody knows any more.
    pub(crate) fn name_of(&self, tx: &mut Tx<'_>, party: Party) -> Result<String, store::Error> {
        let names = if party.is_group { &self.group_name } else { &self.display_name };
        Ok(names(tx, party.owner_id)?.unwrap_or_default())
    }

    /// What the owner of a parcel is: an account, or a group if a group has that id.
    pub(crate) fn party_of(&self, tx: &mut Tx<'_>, owner_id: Uuid) -> Result<Party, store::Error> {
        let is_group = (self.group_name)(tx, owner_id)?.is_some();
        Ok(Party { owner_id, is_group })
    }
}

/// The economy as the market uses it.
#[derive(Clone, PartialEq, Debug)]
pub struct Terms {
    /// The table it is from.
    pub economy: Economy,
    /// What is taken from a price.
    pub rates: Rates,
    increments: Vec<(String, Increments)>,
}

/// The table cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the economy's table: {0}")]
pub struct TermsError(String);

impl Terms {
    /// Checks the table.
    pub fn of(economy: &Economy) -> Result<Self, TermsError> {
        let market = &economy.market;
        let rates = Rates::try_new(i64::from(market.seller_fee_bps), i64::from(market.sales_tax_bps))
            .map_err(|error| TermsError(error.to_string()))?;
        let mut increments = Vec::new();
        for currency in economy.currencies() {
            // The first row holds for every price below the second.
            let steps = currency.increments.iter().enumerate().map(|(row, it)| Step {
                from_minor: if row == 0 { 0 } else { it.from_minor },
                step_minor: it.step_minor,
            });
            let table = Increments::try_new(steps).map_err(|error| TermsError(error.to_string()))?;
            increments.push((currency.code().to_owned(), table));
        }
        Ok(Self { economy: economy.clone(), rates, increments })
    }

    /// The asset of a currency's code.
    pub(crate) fn asset(&self, currency: &str) -> Result<AssetId, Refusal> {
        self.economy.currency(currency).map(wallet::Currency::asset).ok_or(Refusal::UnknownCurrency)
    }

    /// By how much bids in a currency rise.
    pub(crate) fn increments(&self, currency: &str) -> Result<&Increments, Refusal> {
        let found = self.increments.iter().find(|(code, _)| code == currency);
        found.map(|(_, table)| table).ok_or(Refusal::UnknownCurrency)
    }
}
