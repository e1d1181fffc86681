//! Gifts in SQL: a state machine whose ends are ends.

use api::timestamp;
use cell::CellId;
use store::{Row, Tx, params};
use uuid::Uuid;

use crate::parcel::{self, cell_at};
use crate::seen::Owners;
use crate::service::Deps;
use crate::view::{GiftState, GiftView};

/// The columns that [`Gift`] is read from.
macro_rules! columns {
    () => {
        "gift_id, parcel_id, from_id, to_id, state, offered_at, expires_at, decided_at"
    };
}

store::statements! {
    /// Writes an offer.
    ADD = "insert into gifts (gift_id, parcel_id, from_id, to_id, state, offered_at, expires_at, decided_at) \
           values ($1, $2, $3, $4, 'offered', $5, $6, null)";
    /// A gift.
    FIND = concat!("select ", columns!(), " from gifts where gift_id = $1");
    /// A gift, until the transaction ends.
    TAKE = concat!("select ", columns!(), " from gifts where gift_id = $1 for update");
    /// Ends an offer.
    END = "update gifts set state = $2, decided_at = $3 where gift_id = $1 and state = 'offered'";
    /// Offers that wait for somebody, up to a number.
    COUNT = "select count(*) from (select gift_id from gifts where to_id = $1 and state = 'offered' limit $2) as waiting";
    /// Gifts to somebody, newest first.
    RECEIVED = concat!("select ", columns!(), " from gifts where to_id = $1 and gift_id < $2 \
                        order by gift_id desc limit $3");
    /// Gifts by somebody, newest first.
    GIVEN = concat!("select ", columns!(), " from gifts where from_id = $1 and gift_id < $2 \
                     order by gift_id desc limit $3");
    /// Offers whose time is over.
    OVERDUE = concat!("select ", columns!(), " from gifts where state = 'offered' and expires_at <= $1 \
                       order by expires_at limit $2");
}

/// A gift as it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Gift {
    pub(crate) id: Uuid,
    pub(crate) parcel: CellId,
    pub(crate) from_id: Uuid,
    pub(crate) to_id: Uuid,
    pub(crate) state: GiftState,
    pub(crate) offered_at_us: i64,
    pub(crate) expires_at_us: i64,
    pub(crate) decided_at_us: Option<i64>,
}

impl GiftState {
    const ALL: [Self; 5] = [Self::Offered, Self::Accepted, Self::Declined, Self::Cancelled, Self::Expired];

    /// Its name in the database and in answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

impl Gift {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        let code: String = row.get(4)?;
        let state = GiftState::ALL
            .into_iter()
            .find(|it| it.code() == code)
            .ok_or_else(|| store::Error::Damaged { detail: "gifts: no such state".to_owned() })?;
        Ok(Self {
            id: row.get(0)?,
            parcel: cell_at(row, 1)?,
            from_id: row.get(2)?,
            to_id: row.get(3)?,
            state,
            offered_at_us: row.get(5)?,
            expires_at_us: row.get(6)?,
            decided_at_us: row.get(7)?,
        })
    }

    pub(crate) fn view(
        self,
        tx: &mut Tx<'_>,
        deps: &Deps,
        owners: &mut Owners,
    ) -> Result<GiftView, store::Error> {
        Ok(GiftView {
            gift_id: self.id,
            parcel: self.parcel.token(),
            name: parcel::by_anchor(tx, self.parcel)?.and_then(|it| it.name),
            from: owners.view(tx, deps, self.from_id)?,
            to: owners.view(tx, deps, self.to_id)?,
            state: self.state,
            offered_at: timestamp(self.offered_at_us),
            expires_at: timestamp(self.expires_at_us),
            decided_at: self.decided_at_us.map(timestamp),
        })
    }
}

pub(crate) fn add(tx: &mut Tx<'_>, gift: &Gift) -> Result<(), store::Error> {
    let Gift { id, parcel, from_id, to_id, offered_at_us, expires_at_us, .. } = gift;
    let values = params![*id, parcel.to_sql(), *from_id, *to_id, *offered_at_us, *expires_at_us];
    tx.execute(ADD, values).map(drop)
}

pub(crate) fn find(tx: &mut Tx<'_>, gift_id: Uuid) -> Result<Option<Gift>, store::Error> {
    tx.query_opt(FIND, params![gift_id])?.as_ref().map(Gift::from_row).transpose()
}

/// A gift that nobody else decides until the transaction ends.
pub(crate) fn take(tx: &mut Tx<'_>, gift_id: Uuid) -> Result<Option<Gift>, store::Error> {
    tx.query_opt(TAKE, params![gift_id])?.as_ref().map(Gift::from_row).transpose()
}

/// Ends an offer; `false` if it was ended before.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    gift_id: Uuid,
    state: GiftState,
    now_us: i64,
) -> Result<bool, store::Error> {
    Ok(tx.execute(END, params![gift_id, state.code(), now_us])? == 1)
}

/// Offers that wait for somebody, counted up to a number.
pub(crate) fn waiting(tx: &mut Tx<'_>, to_id: Uuid, count_max: i64) -> Result<i64, store::Error> {
    tx.query_one(COUNT, params![to_id, count_max])?.get(0)
}

/// Whose gifts, and which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum GiftsOf {
    Receiver(Uuid),
    Giver(Uuid),
}

/// Up to `count` gifts, newest first, before one of them.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    of: GiftsOf,
    before: Option<Uuid>,
    count: u32,
) -> Result<Vec<Gift>, store::Error> {
    let before = before.unwrap_or(Uuid::max());
    let rows = match of {
        GiftsOf::Receiver(id) => tx.query(RECEIVED, params![id, before, count])?,
        GiftsOf::Giver(id) => tx.query(GIVEN, params![id, before, count])?,
    };
    rows.iter().map(Gift::from_row).collect()
}

/// Up to `count` offers whose time is over.
pub(crate) fn overdue(tx: &mut Tx<'_>, now_us: i64, count: u32) -> Result<Vec<Gift>, store::Error> {
    tx.query(OVERDUE, params![now_us, count])?.iter().map(Gift::from_row).collect()
}
