//! What land was sold for, and what it may be worth.

use cell::CellId;
use land::Front;
use store::{Row, Tx, Value, params};
use uuid::Uuid;

use crate::near::Near;
use crate::rules::hint::{self, Comparable};
use crate::rules::state::SaleKind;
use crate::sales::{cell_at, damaged};

macro_rules! sold {
    () => {
        "s.sale_id, s.kind, s.parcel_id, s.price_minor, s.currency, s.area_m2, s.biome, s.front, s.closed_at"
    };
}

macro_rules! distance {
    () => {
        "((s.center_x - $3) * (s.center_x - $3) + (s.center_y - $4) * (s.center_y - $4) \
          + (s.center_z - $5) * (s.center_z - $5))"
    };
}

macro_rules! around {
    () => {
        "s.state = 'sold' and s.currency = $1 and s.closed_at > $2 and \
         (s.center between $7 and $8 or s.center between $9 and $10 or s.center between $11 and $12 \
         or s.center between $13 and $14 or s.center between $15 and $16 or s.center between $17 and $18 \
         or s.center between $19 and $20 or s.center between $21 and $22)"
    };
}

store::statements! {
    /// What a parcel was sold for, newest first.
    OF_PARCEL = concat!("select ", sold!(), ", cast(0 as double precision) from sales s \
                         where s.parcel_id = $1 and s.state = 'sold' order by s.closed_at desc limit $2");
    /// What was sold around a place since an instant, newest first.
    AROUND = concat!("select ", sold!(), ", ", distance!(), " from sales s where ", around!(),
        " and ", distance!(), " <= $6 order by s.closed_at desc, s.sale_id desc limit $23");
    /// Comparable sales around a place, nearest first, of each parcel its last first.
    COMPARABLE = concat!("select ", sold!(), ", ", distance!(), " from sales s where ", around!(),
        " and ", distance!(), " <= $6 and s.biome = $23 and ((s.front & cast($24 as bigint)) <> 0 \
         or (s.front = 0 and $24 = 0)) and s.parcel_id <> $25 \
         order by ", distance!(), ", s.parcel_id, s.closed_at desc limit $26");
}

/// How old a sale may be to be compared with.
pub(crate) const WINDOW_US: i64 = 180 * 24 * 3_600 * 1_000_000;
/// How many sales are compared with.
const COMPARABLES_MAX: usize = 12;
/// Rings in which comparable sales are looked for, until there are enough.
const RADII_M: [f64; 3] = [1_000.0, 5_000.0, REGION_M];
/// What is called the region.
pub(crate) const REGION_M: f64 = 25_000.0;
/// Rows that are read for [`COMPARABLES_MAX`] parcels: one may have been sold several times.
const COMPARABLE_ROWS: u32 = 120;

/// A sale that was made.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Sold {
    pub(crate) sale_id: Uuid,
    pub(crate) kind: SaleKind,
    pub(crate) parcel: CellId,
    pub(crate) price_minor: i64,
    pub(crate) currency: String,
    pub(crate) area_m2: f64,
    pub(crate) biome: String,
    pub(crate) front: Front,
    pub(crate) at_us: i64,
    /// From the place that was asked about.
    pub(crate) chord_squared: f64,
}

impl Sold {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            sale_id: row.get(0)?,
            kind: SaleKind::from_code(&row.get::<String>(1)?).ok_or_else(|| damaged("a kind"))?,
            parcel: cell_at(row, 2)?,
            price_minor: row.get(3)?,
            currency: row.get(4)?,
            area_m2: row.get(5)?,
            biome: row.get(6)?,
            front: Front::from_bits(row.get(7)?),
            at_us: row.get(8)?,
            chord_squared: row.get(9)?,
        })
    }
}

fn all(rows: &[Row]) -> Result<Vec<Sold>, store::Error> {
    rows.iter().map(Sold::from_row).collect()
}

/// What a parcel was sold for, newest first.
pub(crate) fn of_parcel(tx: &mut Tx<'_>, parcel: CellId, count: u32) -> Result<Vec<Sold>, store::Error> {
    all(&tx.query(OF_PARCEL, params![parcel.to_sql(), count])?)
}

/// A place and a currency, and since when.
#[derive(Clone, Debug)]
pub(crate) struct Around<'a> {
    pub(crate) currency: &'a str,
    pub(crate) middle: CellId,
    pub(crate) planet_radius_m: f64,
    pub(crate) since_us: i64,
}

impl Around<'_> {
    fn values(&self, radius_m: f64) -> Vec<Value> {
        let near = Near::of_cell(self.middle, radius_m / self.planet_radius_m);
        let mut values: Vec<Value> = vec![self.currency.into(), self.since_us.into()];
        values.extend(Near::disc_values(Some(&near)));
        values.extend(near.range_values());
        values
    }

    /// The last sales of the region, newest first.
    pub(crate) fn sold(&self, tx: &mut Tx<'_>, count: u32) -> Result<Vec<Sold>, store::Error> {
        let mut values = self.values(REGION_M);
        values.push(count.into());
        all(&tx.query(AROUND, &values)?)
    }

    /// The nearest sales to compare a parcel with: the last of each other parcel.
    pub(crate) fn comparable(
        &self,
        tx: &mut Tx<'_>,
        biome: &str,
        front: Front,
        parcel: CellId,
    ) -> Result<Vec<Sold>, store::Error> {
        let mut found = Vec::new();
        for radius_m in RADII_M {
            let mut values = self.values(radius_m);
            values.extend([
                biome.into(),
                front.bits().into(),
                parcel.to_sql().into(),
                COMPARABLE_ROWS.into(),
            ]);
            found = all(&tx.query(COMPARABLE, &values)?)?;
            found.dedup_by_key(|it| it.parcel);
            found.truncate(COMPARABLES_MAX);
            if found.len() == COMPARABLES_MAX {
                break;
            }
        }
        Ok(found)
    }
}

/// The hint for an area.
pub(crate) fn fair_price_minor(comparables: &[Sold], area_m2: f64) -> Option<i64> {
    hint::fair_price_minor(&compared(comparables), area_m2)
}

/// The middle price of a square metre.
pub(crate) fn median_minor_per_m2(sold: &[Sold]) -> Option<f64> {
    hint::median_minor_per_m2(&compared(sold))
}

fn compared(sold: &[Sold]) -> Vec<Comparable> {
    sold.iter().map(|it| Comparable { price_minor: it.price_minor, area_m2: it.area_m2 }).collect()
}
