//! Titles: every owner a parcel ever had.

use audit::{Actor, Entry};
use cell::CellId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Row, Tx, Value, params};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::parcel::cell_at;

store::statements! {
    /// Writes the next title of each parcel; the caller has taken them.
    ADD = "insert into titles (parcel_id, title_number, kind, owner_id, from_id, price_minor, currency, posting_id, \
           other_parcel_id, since) \
           select rows.parcel_id, \
           (select coalesce(max(t.title_number), 0) + 1 from titles t where t.parcel_id = rows.parcel_id), \
           rows.kind, rows.owner_id, rows.from_id, rows.price_minor, rows.currency, rows.posting_id, \
           rows.other_parcel_id, rows.since \
           from rows(parcel_id bigint, kind text, owner_id uuid, from_id uuid, price_minor bigint, currency text, \
           posting_id uuid, other_parcel_id bigint, since timestamptz)";
    /// Titles of one id, newest first, before a number.
    LIST = "select title_number, kind, owner_id, from_id, price_minor, currency, posting_id, other_parcel_id, since \
            from titles where parcel_id = $1 and title_number < $2 order by title_number desc limit $3";
}

/// Why a title changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TitleKind {
    /// Free lots were claimed.
    Claim,
    /// Sold at a fixed price.
    Sale,
    /// Sold by auction.
    AuctionSale,
    /// Sold to somebody who made an offer.
    OfferSale,
    /// Given away.
    Gift,
    /// Other parcels became part of it, or it of another.
    Merge,
    /// Lots were taken off it, or it was taken off another.
    Split,
    /// Its owner gave it up.
    Abandon,
    /// It was taken from an owner who neglected it.
    Reclaim,
    /// Staff gave it back to somebody who had it before.
    Restore,
}

impl TitleKind {
    const ALL: [Self; 10] = [
        Self::Claim,
        Self::Sale,
        Self::AuctionSale,
        Self::OfferSale,
        Self::Gift,
        Self::Merge,
        Self::Split,
        Self::Abandon,
        Self::Reclaim,
        Self::Restore,
    ];

    /// Its name in the database and in answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Sale => "sale",
            Self::AuctionSale => "auction_sale",
            Self::OfferSale => "offer_sale",
            Self::Gift => "gift",
            Self::Merge => "merge",
            Self::Split => "split",
            Self::Abandon => "abandon",
            Self::Reclaim => "reclaim",
            Self::Restore => "restore",
        }
    }

    /// Inverse of [`TitleKind::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// A title that is to be written.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct NewTitle<'a> {
    /// Who decided it.
    pub(crate) by: Actor,
    pub(crate) parcel: CellId,
    pub(crate) kind: TitleKind,
    pub(crate) owner_id: Option<Uuid>,
    pub(crate) from_id: Option<Uuid>,
    pub(crate) price_minor: i64,
    pub(crate) currency: &'a str,
    pub(crate) posting_id: Uuid,
    pub(crate) other: Option<CellId>,
}

impl NewTitle<'_> {
    /// For the audit log. What staff give back they put on record themselves, with their reason.
    fn entry(&self, now_us: i64) -> Option<Entry> {
        (self.kind != TitleKind::Restore).then(|| Entry {
            at_us: now_us,
            actor: self.by,
            action: "land.ownership_changed",
            subject_kind: "land",
            subject_id: self.parcel.token(),
            reason: None,
            details: json!({
                "why": self.kind.code(),
                "from_id": self.from_id,
                "to_id": self.owner_id,
                "price_minor": self.price_minor,
                "currency": self.currency,
                "posting_id": self.posting_id,
                "other_parcel": self.other.map(CellId::token),
            }),
        })
    }

    fn values(&self, now_us: i64) -> Vec<Value> {
        vec![
            self.parcel.to_sql().into(),
            self.kind.code().into(),
            self.owner_id.into(),
            self.from_id.into(),
            self.price_minor.into(),
            self.currency.into(),
            self.posting_id.into(),
            self.other.map(CellId::to_sql).into(),
            now_us.into(),
        ]
    }
}

/// Writes titles of parcels that the caller has taken, no two of one parcel, and puts them on record.
pub(crate) fn add(tx: &mut Tx<'_>, titles: &[NewTitle<'_>], now_us: i64) -> Result<(), store::Error> {
    let rows: Vec<_> = titles.iter().map(|it| it.values(now_us)).collect();
    tx.execute_rows(ADD, &rows)?;
    let entries: Vec<Entry> = titles.iter().filter_map(|it| it.entry(now_us)).collect();
    audit::record_all(tx, &entries).map(drop)
}

/// A title as it is written.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Title {
    pub(crate) number: i64,
    pub(crate) kind: TitleKind,
    pub(crate) owner_id: Option<Uuid>,
    pub(crate) from_id: Option<Uuid>,
    pub(crate) price_minor: i64,
    pub(crate) currency: String,
    pub(crate) posting_id: Uuid,
    pub(crate) other: Option<CellId>,
    pub(crate) since_us: i64,
}

impl Title {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        let kind = TitleKind::from_code(&row.get::<String>(1)?)
            .ok_or_else(|| store::Error::Damaged { detail: "titles: no such kind".to_owned() })?;
        let other = match row.get::<Option<i64>>(7)? {
            Some(_) => Some(cell_at(row, 7)?),
            None => None,
        };
        Ok(Self {
            number: row.get(0)?,
            kind,
            owner_id: row.get(2)?,
            from_id: row.get(3)?,
            price_minor: row.get(4)?,
            currency: row.get(5)?,
            posting_id: row.get(6)?,
            other,
            since_us: row.get(8)?,
        })
    }
}

/// Up to `count` titles written under an id, newest first, those before number `before`.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    parcel: CellId,
    before: i64,
    count: u32,
) -> Result<Vec<Title>, store::Error> {
    tx.query(LIST, params![parcel.to_sql(), before, count])?.iter().map(Title::from_row).collect()
}
