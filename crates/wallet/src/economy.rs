//! The numbers of the planet's economy: `content/economy.toml`.

use std::sync::OnceLock;

use ledger::{Amount, AssetId};
use serde::Deserialize;

const BPS_MAX: u32 = 10_000;
const SCALE_MAX: u8 = 6;
const SECONDS_MAX: i64 = 366 * 86_400;
const DAYS_MAX: u32 = 36_600;
const CELLS_MAX: u32 = 10_000;
const NAME_LENGTH_MAX: usize = 32;
/// An Earth of it costs less than there can be of a currency.
const PER_M2_MAX: f64 = 10_000.0;

static INSTALLED: OnceLock<Economy> = OnceLock::new();

/// Currencies, the market's rates and times, the price and the limits of land. Checked when it is read.
#[derive(Clone, PartialEq, Debug)]
pub struct Economy {
    currencies: Vec<Currency>,
    /// Rates and times of the market.
    pub market: Market,
    /// Price and limits of land.
    pub land: Land,
}

/// A kind of money.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Currency {
    asset: AssetId,
    /// What people call it.
    pub name: String,
    /// Decimal places between the smallest unit and the one people speak of.
    pub scale: u8,
    /// What a newcomer gets.
    pub welcome: Amount,
    /// The least steps between bids, ascending; the first holds from 1 on.
    pub increments: Vec<Increment>,
}

/// The least step between two bids from a price on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Increment {
    /// The first price it holds for.
    pub from_minor: i64,
    /// The step.
    pub step_minor: i64,
}

/// Rates and times of the market.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Of the price, paid by the seller.
    pub seller_fee_bps: u32,
    /// Of the price, paid by the seller.
    pub sales_tax_bps: u32,
    /// A bid so late moves the end to this long after it.
    pub soft_close_s: i64,
    /// The shortest auction.
    pub auction_duration_min_s: i64,
    /// The longest auction.
    pub auction_duration_max_s: i64,
    /// An auction for which nothing else is asked.
    pub auction_duration_default_s: i64,
    /// The longest listing.
    pub listing_days_max: u32,
    /// The longest offer.
    pub offer_days_max: u32,
}

/// Price and limits of land.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Land {
    /// In coins.
    pub price_minor_per_m2: f64,
    /// Cells claimed at once.
    pub claim_cells_max: u32,
    /// True area claimed at once.
    pub claim_area_max_m2: f64,
    /// Cells of one parcel.
    pub parcel_cells_max: u32,
    /// From the claimant's body to the nearest cell's centre.
    pub claim_distance_max_m: f64,
    /// A charge on owned land.
    pub upkeep: Upkeep,
    /// What becomes of abandoned land.
    pub reclaim: Reclaim,
}

/// A charge on owned land for each period.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upkeep {
    /// Whether there is one.
    pub enabled: bool,
    /// In coins.
    pub minor_per_m2_per_period: f64,
    /// Length of a period.
    pub period_days: u32,
}

/// Land whose owner has not been seen for long goes back to the planet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reclaim {
    /// Whether it does.
    pub enabled: bool,
    /// Since the owner was last seen.
    pub after_days: u32,
    /// Between notice and reclaim.
    pub notice_days: u32,
}

/// Everything that is wrong with a table.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the economy's table is wrong:\n- {}", faults.join("\n- "))]
pub struct EconomyError {
    /// One sentence each.
    pub faults: Vec<String>,
}

impl Economy {
    /// The table that holds in this process: the operator's, if one was [installed](Self::install), or that of the
    /// program, `content/economy.toml`.
    pub fn embedded() -> &'static Self {
        INSTALLED.get_or_init(|| {
            Self::parse(include_str!("../../../content/economy.toml"))
                .expect("a test reads the table of the program")
        })
    }

    /// Makes an operator's table the one that holds, before anything has asked for it; `false` if that is too late.
    pub fn install(economy: Self) -> bool {
        INSTALLED.set(economy).is_ok()
    }

    /// Reads a table; `content/economy.toml` shows and explains the form.
    pub fn parse(text: &str) -> Result<Self, EconomyError> {
        let table: Table = toml::from_str(text)
            .map_err(|error| EconomyError { faults: vec![error.to_string().trim_end().to_owned()] })?;
        table.check()
    }

    /// All currencies; `coin` is among them.
    pub fn currencies(&self) -> &[Currency] {
        &self.currencies
    }

    /// The currency of a code.
    pub fn currency(&self, code: &str) -> Option<&Currency> {
        self.currencies.iter().find(|it| it.code() == code)
    }
}

impl Currency {
    /// Its code in requests and books.
    pub fn code(&self) -> &str {
        self.asset.as_str()
    }

    /// Its name as an asset.
    pub fn asset(&self) -> AssetId {
        self.asset.clone()
    }

    /// The least step from a price to the next bid.
    pub fn increment_at(&self, price_minor: i64) -> i64 {
        let row = self.increments.iter().rev().find(|it| it.from_minor <= price_minor);
        row.or(self.increments.first()).map_or(1, |it| it.step_minor)
    }
}

/// The text's shape.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    currency: Vec<CurrencyTable>,
    market: Market,
    land: Land,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CurrencyTable {
    code: String,
    name: String,
    scale: u8,
    welcome_minor: i64,
    increments: Vec<Increment>,
}

/// Collects what is wrong.
struct Faults(Vec<String>);

impl Faults {
    fn unless(&mut self, is_right: bool, fault: impl FnOnce() -> String) {
        if !is_right {
            self.0.push(fault());
        }
    }

    fn unless_in<T: PartialOrd + Copy + std::fmt::Display>(&mut self, name: &str, value: &T, min: T, max: T) {
        self.unless(*value >= min && *value <= max, || {
            format!("{name} = {value}: must be from {min} to {max}")
        });
    }
}

impl Table {
    fn check(self) -> Result<Economy, EconomyError> {
        let Self { currency, market, land } = self;
        let mut faults = Faults(Vec::new());
        let mut currencies: Vec<Currency> = Vec::new();
        for table in currency {
            let code = table.code.clone();
            faults.unless(currencies.iter().all(|it| it.code() != code), || {
                format!("currency {code}: stands twice")
            });
            currencies.extend(table.check(&mut faults));
        }
        faults.unless(currencies.iter().any(|it| it.code() == "coin"), || {
            "there is no currency coin, in which land is priced".to_owned()
        });
        check_market(&market, &mut faults);
        check_land(&land, &mut faults);
        if faults.0.is_empty() {
            Ok(Economy { currencies, market, land })
        } else {
            Err(EconomyError { faults: faults.0 })
        }
    }
}

impl CurrencyTable {
    fn check(self, faults: &mut Faults) -> Option<Currency> {
        let Self { code, name, scale, welcome_minor, increments } = self;
        let of = |what: &str| format!("currency {code}: {what}");
        let asset = AssetId::try_currency(&code).ok();
        faults.unless(asset.is_some(), || {
            of("a code is a lower-case letter, then up to 15 letters, digits or `_`")
        });
        let is_named =
            !name.trim().is_empty() && name.len() <= NAME_LENGTH_MAX && !name.chars().any(char::is_control);
        faults.unless(is_named, || of("the name is empty, too long or has control characters"));
        faults.unless_in(&of("scale"), &scale, 0, SCALE_MAX);
        faults.unless_in(&of("welcome_minor"), &welcome_minor, 0, Amount::MAX.minor());
        faults.unless(increments.first().is_some_and(|it| it.from_minor == 1), || {
            of("increments: the first row begins at from_minor = 1")
        });
        faults.unless(increments.windows(2).all(|it| it[0].from_minor < it[1].from_minor), || {
            of("increments: from_minor must rise from row to row")
        });
        for Increment { from_minor, step_minor } in &increments {
            faults.unless_in(&of("increments: from_minor"), from_minor, 1, Amount::MAX.minor());
            faults.unless_in(&of("increments: step_minor"), step_minor, 1, Amount::MAX.minor());
        }
        let welcome = Amount::try_from_minor(welcome_minor).unwrap_or_default();
        Some(Currency { asset: asset?, name, scale, welcome, increments })
    }
}

fn check_market(market: &Market, faults: &mut Faults) {
    faults.unless_in("market.seller_fee_bps", &market.seller_fee_bps, 0, BPS_MAX);
    faults.unless_in("market.sales_tax_bps", &market.sales_tax_bps, 0, BPS_MAX);
    let together = market.seller_fee_bps.saturating_add(market.sales_tax_bps);
    faults.unless_in("market.seller_fee_bps + market.sales_tax_bps", &together, 0, BPS_MAX);
    let durations = [
        ("market.soft_close_s", market.soft_close_s),
        ("market.auction_duration_min_s", market.auction_duration_min_s),
        ("market.auction_duration_max_s", market.auction_duration_max_s),
    ];
    for (name, value) in durations {
        faults.unless_in(name, &value, 1, SECONDS_MAX);
    }
    faults.unless_in(
        "market.auction_duration_default_s",
        &market.auction_duration_default_s,
        market.auction_duration_min_s,
        market.auction_duration_max_s,
    );
    faults.unless_in("market.listing_days_max", &market.listing_days_max, 1, DAYS_MAX);
    faults.unless_in("market.offer_days_max", &market.offer_days_max, 1, DAYS_MAX);
}

fn check_land(land: &Land, faults: &mut Faults) {
    faults.unless_in("land.price_minor_per_m2", &land.price_minor_per_m2, 0.0001, PER_M2_MAX);
    faults.unless_in("land.claim_cells_max", &land.claim_cells_max, 1, CELLS_MAX);
    faults.unless_in("land.claim_area_max_m2", &land.claim_area_max_m2, 1.0, 1e9);
    faults.unless_in("land.parcel_cells_max", &land.parcel_cells_max, land.claim_cells_max, CELLS_MAX);
    faults.unless_in("land.claim_distance_max_m", &land.claim_distance_max_m, 1.0, 100_000.0);
    let upkeep = &land.upkeep;
    faults.unless_in("land.upkeep.minor_per_m2_per_period", &upkeep.minor_per_m2_per_period, 0.0, PER_M2_MAX);
    faults.unless_in("land.upkeep.period_days", &upkeep.period_days, 1, DAYS_MAX);
    faults.unless_in("land.reclaim.after_days", &land.reclaim.after_days, 1, DAYS_MAX);
    faults.unless_in("land.reclaim.notice_days", &land.reclaim.notice_days, 1, DAYS_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../../content/economy.toml");

    #[test]
    fn the_table_of_the_program_is_right() {
        let economy = Economy::parse(TEXT).unwrap();
        assert_eq!(&economy, Economy::embedded());
        let coin = economy.currency("coin").unwrap();
        assert_eq!((coin.asset(), coin.scale), (AssetId::coin(), 2));
        assert_eq!(economy.currency("gem"), None);
    }

    #[test]
    fn the_step_goes_by_the_price() {
        let coin = Economy::embedded().currency("coin").unwrap();
        let steps = [0, 1, 99, 100, 499, 500, 9_999_999].map(|price| coin.increment_at(price));
        assert_eq!(steps, [5, 5, 5, 25, 25, 50, 10_000]);
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let text = TEXT
            .replace("code = \"coin\"", "code = \"Coin\"")
            .replace("from_minor = 1,", "from_minor = 600,")
            .replace("seller_fee_bps = 250", "seller_fee_bps = 10001")
            .replace("soft_close_s = 120", "soft_close_s = 0")
            .replace("parcel_cells_max = 1_024", "parcel_cells_max = 63")
            .replace("price_minor_per_m2 = 10.0", "price_minor_per_m2 = nan");
        let faults = Economy::parse(&text).unwrap_err().faults;
        for (fault, expected) in faults.iter().zip([
            "currency Coin: a code",
            "currency Coin: increments: the first row",
            "currency Coin: increments: from_minor must rise",
            "there is no currency coin",
            "market.seller_fee_bps = 10001",
            "market.seller_fee_bps + market.sales_tax_bps = 10101",
            "market.soft_close_s = 0",
            "land.price_minor_per_m2 = NaN",
            "land.parcel_cells_max = 63: must be from 64",
        ]) {
            assert!(fault.starts_with(expected), "{fault}, not {expected}");
        }
        assert_eq!(faults.len(), 9, "{faults:#?}");
    }

    #[test]
    fn unknown_and_missing_keys_are_refused() {
        for text in [
            TEXT.replace("scale = 2", "scale = 2\ncolour = 3"),
            TEXT.replace("soft_close_s = 120", ""),
            TEXT.replace("seller_fee_bps = 250", "seller_fee_bps = 2.5"),
            format!("{TEXT}\n[mint]"),
        ] {
            assert_eq!(Economy::parse(&text).unwrap_err().faults.len(), 1);
        }
    }
}
