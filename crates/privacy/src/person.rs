//! What every crate that keeps something about persons must be able to do with it.

use std::sync::Arc;

use store::Tx;
use uuid::Uuid;

use crate::archive::Archive;

/// An account and what is owned through it alone: groups without another member.
pub type OwnersOf = Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<Vec<Uuid>, store::Error> + Send + Sync>;

/// What a crate keeps about persons. Every method runs in a transaction and may be run again.
pub trait PersonalData: Send + Sync {
    /// Names it in the steps of an erasure: the crate's name.
    fn domain(&self) -> &'static str;

    /// Writes everything about a person into their archive. What concerns others is left out or masked.
    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error>;

    /// What erasing the person would end, for them to know before.
    fn consequences(&self, _: &mut Tx<'_>, _: Uuid) -> Result<Vec<Consequence>, store::Error> {
        Ok(Vec::new())
    }

    /// The first step of an erasure: nobody can act as this person any more.
    fn lock_out(&self, _: &mut Tx<'_>, _: Uuid, _now_us: i64) -> Result<(), store::Error> {
        Ok(())
    }

    /// The second: ends by the rules of the world what the person has running.
    fn settle(&self, _: &mut Tx<'_>, _: Uuid, _now_us: i64) -> Result<Settled, Stuck> {
        Ok(Settled::Done)
    }

    /// The third: removes or overwrites what is personal.
    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<Erased, store::Error>;
}

/// How far settling is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settled {
    /// Nothing runs any more.
    Done,
    /// There is more; a transaction should not take it all.
    More,
    /// Something runs on by the rules, until about then.
    Waits {
        /// A code: `auctions`.
        what: &'static str,
        /// When to look again, microseconds since 1970.
        until_us: i64,
    },
}

/// How far erasing is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Erased {
    /// Nothing is left.
    Done,
    /// There is more; a transaction should not take it all.
    More,
}

/// Why something could not be settled.
#[derive(Debug, thiserror::Error)]
pub enum Stuck {
    /// The rules refuse; a person should look.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Something that an erasure would end.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(example = json!({"code": "land_returned", "count": 3}))]
pub struct Consequence {
    /// What: `land_returned`, `money_forfeited`, `listings_cancelled`, `auctions_run_on`, `bids_stand`,
    /// `offers_withdrawn`, `gifts_cancelled`, `leases_ended`, `groups_left`.
    pub code: &'static str,
    /// How many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// How much, in smallest units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
    /// Of which money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

impl Consequence {
    /// So many of something; `None` for none.
    pub fn of(code: &'static str, count: i64) -> Option<Self> {
        (count > 0).then_some(Self { code, count: Some(count), amount_minor: None, currency: None })
    }
}
