//! Finding what is for sale.
//!
//! One statement per order and for each with and without a place, so that the index of the order is used. All filters
//! stand in each; one that is not asked for lets everything through.

use store::{Tx, Value};
use uuid::Uuid;

use crate::near::Near;
use crate::rules::AMOUNT_MINOR_MAX;
use crate::rules::state::SaleKind;
use crate::sales::{self, COLUMNS, Sale, columns};

/// The square of the chord to the middle asked for.
macro_rules! distance {
    () => {
        "((s.center_x - $14) * (s.center_x - $14) + (s.center_y - $15) * (s.center_y - $15) \
          + (s.center_z - $16) * (s.center_z - $16))"
    };
}

macro_rules! search {
    ($key:expr, $after:literal, $direction:literal, $ranges:expr) => {
        concat!(
            "select ", columns!(), ", ", $key, " from sales s where s.state = 'open' and s.currency = $1 \
             and s.price_minor >= $2 and s.price_minor <= $3 and s.area_m2 >= $4 and s.area_m2 <= $5 \
             and (cast($6 as text) is null or s.biome = $6) and (s.front & cast($7 as bigint)) = $7 \
             and s.kind in ($8, $9, $10, $11) and s.ends_at > $12 and s.ends_at <= $13 and ",
            distance!(), " <= $17 and (", $key, ", s.sale_id) ", $after, " ($18, $19)", $ranges, " \
             order by ", $key, " ", $direction, ", s.sale_id ", $direction, " limit $20"
        )
    };
    ($key:expr, $after:literal, $direction:literal) => {
        search!($key, $after, $direction, "")
    };
    (near $key:expr, $after:literal, $direction:literal) => {
        search!(
            $key,
            $after,
            $direction,
            " and (s.center between $21 and $22 or s.center between $23 and $24 or s.center between $25 and $26 \
             or s.center between $27 and $28 or s.center between $29 and $30 or s.center between $31 and $32 \
             or s.center between $33 and $34 or s.center between $35 and $36)"
        )
    };
}

store::statements! {
    /// Newest first.
    NEWEST = search!("s.opened_at", "<", "desc");
    /// Ending first.
    ENDING = search!("s.ends_at", ">", "asc");
    /// Cheapest first.
    CHEAPEST = search!("s.price_minor", ">", "asc");
    /// Dearest first.
    DEAREST = search!("s.price_minor", "<", "desc");
    /// Cheapest square metre first.
    CHEAPEST_M2 = search!("s.minor_per_m2", ">", "asc");
    /// Smallest first.
    SMALLEST = search!("s.area_m2", ">", "asc");
    /// Largest first.
    LARGEST = search!("s.area_m2", "<", "desc");
    /// Near a place: newest first.
    NEAR_NEWEST = search!(near "s.opened_at", "<", "desc");
    /// Near a place: ending first.
    NEAR_ENDING = search!(near "s.ends_at", ">", "asc");
    /// Near a place: cheapest first.
    NEAR_CHEAPEST = search!(near "s.price_minor", ">", "asc");
    /// Near a place: dearest first.
    NEAR_DEAREST = search!(near "s.price_minor", "<", "desc");
    /// Near a place: cheapest square metre first.
    NEAR_CHEAPEST_M2 = search!(near "s.minor_per_m2", ">", "asc");
    /// Near a place: smallest first.
    NEAR_SMALLEST = search!(near "s.area_m2", ">", "asc");
    /// Near a place: largest first.
    NEAR_LARGEST = search!(near "s.area_m2", "<", "desc");
    /// Near a place: nearest first.
    NEAREST = search!(near distance!(), ">", "asc");
}

/// The last instant that both engines know and JSON shows.
pub(crate) const LATEST_US: i64 = 253_402_300_799_000_000;

/// In which order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Order {
    #[default]
    Newest,
    Ending,
    Cheapest,
    Dearest,
    CheapestM2,
    Smallest,
    Largest,
    Nearest,
}

/// The value that a sale is ordered by.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Key {
    Whole(i64),
    Real(f64),
}

impl Key {
    fn value(self) -> Value {
        match self {
            Self::Whole(it) => it.into(),
            Self::Real(it) => it.into(),
        }
    }
}

impl Order {
    fn sql(self, is_near: bool) -> &'static str {
        match (self, is_near) {
            (Self::Newest, false) => NEWEST,
            (Self::Ending, false) => ENDING,
            (Self::Cheapest, false) => CHEAPEST,
            (Self::Dearest, false) => DEAREST,
            (Self::CheapestM2, false) => CHEAPEST_M2,
            (Self::Smallest, false) => SMALLEST,
            (Self::Largest, false) => LARGEST,
            (Self::Newest, true) => NEAR_NEWEST,
            (Self::Ending, true) => NEAR_ENDING,
            (Self::Cheapest, true) => NEAR_CHEAPEST,
            (Self::Dearest, true) => NEAR_DEAREST,
            (Self::CheapestM2, true) => NEAR_CHEAPEST_M2,
            (Self::Smallest, true) => NEAR_SMALLEST,
            (Self::Largest, true) => NEAR_LARGEST,
            (Self::Nearest, _) => NEAREST,
        }
    }

    /// Whether the order is by a whole number.
    pub(crate) const fn is_whole(self) -> bool {
        matches!(self, Self::Newest | Self::Ending | Self::Cheapest | Self::Dearest)
    }

    /// Before everything.
    fn start(self) -> (Key, Uuid) {
        match self {
            Self::Newest => (Key::Whole(LATEST_US), Uuid::max()),
            Self::Dearest => (Key::Whole(i64::MAX), Uuid::max()),
            Self::Largest => (Key::Real(f64::MAX), Uuid::max()),
            Self::Ending | Self::Cheapest => (Key::Whole(0), Uuid::nil()),
            Self::CheapestM2 | Self::Smallest | Self::Nearest => (Key::Real(-1.0), Uuid::nil()),
        }
    }
}

/// What is looked for.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Search {
    pub(crate) currency: String,
    pub(crate) price_minor: (Option<i64>, Option<i64>),
    pub(crate) area_m2: (Option<f64>, Option<f64>),
    pub(crate) biome: Option<String>,
    /// Bits that must be there.
    pub(crate) front: i64,
    pub(crate) kinds: Vec<SaleKind>,
    /// It ends after the first and not after the second.
    pub(crate) ends_us: (i64, i64),
    pub(crate) near: Option<Near>,
    pub(crate) order: Order,
    pub(crate) after: Option<(Key, Uuid)>,
}

/// Up to `count` open sales, each with the value it is ordered by.
pub(crate) fn find(tx: &mut Tx<'_>, search: &Search, count: u32) -> Result<Vec<(Sale, Key)>, store::Error> {
    let order = search.order;
    let kind = |at: usize| search.kinds.get(at).or(search.kinds.last()).map_or("", |it| it.code());
    let (key, id) = search.after.unwrap_or(order.start());
    let mut values: Vec<Value> = vec![
        search.currency.as_str().into(),
        search.price_minor.0.unwrap_or(0).into(),
        search.price_minor.1.unwrap_or(AMOUNT_MINOR_MAX).into(),
        search.area_m2.0.unwrap_or(0.0).into(),
        search.area_m2.1.unwrap_or(f64::MAX).into(),
        search.biome.clone().into(),
        search.front.into(),
        kind(0).into(),
        kind(1).into(),
        kind(2).into(),
        kind(3).into(),
        search.ends_us.0.into(),
        search.ends_us.1.into(),
    ];
    values.extend(Near::disc_values(search.near.as_ref()));
    values.extend([key.value(), id.into(), count.into()]);
    if let Some(near) = &search.near {
        values.extend(near.range_values());
    }
    let rows = tx.query(order.sql(search.near.is_some()), &values)?;
    rows.iter()
        .map(|row| {
            let key =
                if order.is_whole() { Key::Whole(row.get(COLUMNS)?) } else { Key::Real(row.get(COLUMNS)?) };
            Ok((sales::Sale::from_row(row, 0)?, key))
        })
        .collect()
}
