//! Buying listed land: the decisions that wait are made together, in one transaction and few statements, each with its
//! own answer.
//!
//! What a batch does, in this order: take the idempotency keys; read the listings; check each decision by the rules;
//! book the postings, every listing's first candidate first; write owners, titles, closed sales, released promises,
//! events and answers. A refused decision changes nothing and leaves its neighbours alone; if several want one
//! listing, the first who can pay gets it and the others are told that it is sold.
//!
//! Listings are read without being taken. Should one have changed before its row is written (another price, taken
//! back), the batch is undone and each decision is made by itself; then its listing is taken first.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use api::idempotency::{self, Answer, Decided, Decision};
use api::{Problem, timestamp};
use axum::http::StatusCode;
use store::{Tx, Value, params};
use uuid::Uuid;

use crate::deal::{Deal, lapse};
use crate::deps::Deps;
use crate::listing;
use crate::news::{self, News, WATCHERS_TOLD_MAX};
use crate::offers;
use crate::party::Party;
use crate::refusal::{Refusal, Subject};
use crate::rules::state::{SaleKind, SaleState};
use crate::sales::{self, Closing, Sale};
use crate::service::Actor;
use crate::view::PurchaseView;

store::statements! {
    /// Who watches some parcels.
    WATCHERS = "select w.parcel_id, w.account_id from rows(parcel_id bigint) \
                join watches w on w.parcel_id = rows.parcel_id";
}

/// Names that are remembered for events.
const NAMES_MAX: usize = 4096;
/// How long a name in events may be behind.
const NAME_KEPT_US: i64 = 60 * 1_000_000;

/// A decision to buy.
#[derive(Clone, Debug)]
pub(crate) struct Purchase {
    pub(crate) decision: Decision,
    pub(crate) actor: Actor,
    pub(crate) listing_id: Uuid,
    /// What the buyer has seen and agrees to.
    pub(crate) price_minor: i64,
}

/// What a buyer is told.
pub(crate) type PurchaseAnswer = Result<Answer, Problem>;

/// What buyers are called, remembered for a minute: events carry names, and a batch must not ask for each.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: Mutex<HashMap<Uuid, (String, i64)>>,
}

impl Names {
    fn of(&self, tx: &mut Tx<'_>, deps: &Deps, party: Party, now_us: i64) -> Result<String, store::Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, since_us)) = known.get(&party.owner_id)
            && (0..NAME_KEPT_US).contains(&now_us.saturating_sub(*since_us))
        {
            return Ok(name.clone());
        }
        let name = deps.name_of(tx, party)?;
        if known.len() >= NAMES_MAX {
            known.clear();
        }
        known.insert(party.owner_id, (name.clone(), now_us));
        Ok(name)
    }
}

/// Makes the decisions of one transaction.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    deps: &Deps,
    names: &Names,
    batch: &[Purchase],
) -> Result<Vec<PurchaseAnswer>, store::Error> {
    let decisions: Vec<Decision> = batch.iter().map(|it| it.decision.clone()).collect();
    let is_alone = batch.len() == 1;
    idempotency::run_all(tx, &decisions, |tx, new| {
        let asked: Vec<&Purchase> = new.iter().map(|at| &batch[*at]).collect();
        Batch { deps, names, asked, is_alone }.run(tx)
    })
}

struct Batch<'a> {
    deps: &'a Deps,
    names: &'a Names,
    asked: Vec<&'a Purchase>,
    is_alone: bool,
}

/// A purchase that was booked.
struct Bought<'a> {
    /// Its place in the batch.
    at: usize,
    deal: Deal<'a>,
    posting_id: Uuid,
}

impl Batch<'_> {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Decided>, store::Error> {
        let listings = self.listings(tx)?;
        let parcels: Vec<_> = listings.values().map(|it| it.land.parcel).collect();
        let frozen: HashSet<_> = land::frozen(tx, &parcels)?.into_iter().collect();
        let now_us = self.deps.clock.now_us();
        let mut refused: HashMap<usize, Refusal> = HashMap::new();
        let mut candidates: Vec<(usize, Deal<'_>)> = Vec::new();
        for (at, asked) in self.asked.iter().enumerate() {
            match self.check(tx, &listings, asked, now_us) {
                Ok(deal) if frozen.contains(&deal.sale.land.parcel) => {
                    drop(refused.insert(at, Refusal::Frozen));
                }
                Ok(deal) => candidates.push((at, deal)),
                Err(Refusal::Store(error)) => return Err(error),
                Err(refusal) => drop(refused.insert(at, refusal)),
            }
        }
        let bought = self.book(tx, candidates, &mut refused, now_us)?;
        self.write(tx, &bought, now_us)?;

        let mut decided: Vec<Option<Decided>> = self.asked.iter().map(|_| None).collect();
        for (at, refusal) in refused {
            decided[at] = Some(Err(refusal.into()));
        }
        for Bought { at, deal, posting_id } in &bought {
            let view = purchase_view(deal, *posting_id, now_us);
            let body = serde_json::to_value(view).expect("a purchase has only text keys and whole numbers");
            decided[*at] = Some(Ok((StatusCode::OK, body)));
        }
        Ok(decided.into_iter().map(|it| it.expect("each was bought or refused")).collect())
    }

    fn listings(&self, tx: &mut Tx<'_>) -> Result<HashMap<Uuid, Sale>, store::Error> {
        let ids: HashSet<Uuid> = self.asked.iter().map(|it| it.listing_id).collect();
        let mut ids: Vec<Uuid> = ids.into_iter().collect();
        ids.sort_unstable();
        let found = match ids.as_slice() {
            [id] if self.is_alone => sales::take(tx, *id)?.into_iter().collect(),
            ids => sales::find_many(tx, ids)?,
        };
        Ok(found.into_iter().map(|it| (it.id, it)).collect())
    }

    /// The rules in the order of [`Refusal`].
    fn check<'s>(
        &self,
        tx: &mut Tx<'_>,
        listings: &'s HashMap<Uuid, Sale>,
        asked: &Purchase,
        now_us: i64,
    ) -> Result<Deal<'s>, Refusal> {
        let Purchase { actor, listing_id, price_minor, .. } = asked;
        let sale = listings.get(listing_id).filter(|it| it.kind == SaleKind::Fixed);
        let sale = sale.ok_or(Refusal::NotFound { what: Subject::Listing })?;
        let acting = &self.deps.acting;
        acting.check(tx, actor.party, actor.account_id)?;
        listing::check_open(sale, now_us)?;
        acting.check_strangers(tx, sale.seller, actor.party, actor.account_id)?;
        if sale.price_minor != *price_minor {
            return Err(Refusal::PriceChanged { price_minor: sale.price_minor });
        }
        let by = audit::Actor::account(actor.account_id);
        Ok(Deal { by, sale, buyer: actor.party, paid_minor: *price_minor })
    }

    /// Books in rounds: of each listing the first who is left. Nearly always there is one round.
    fn book<'s>(
        &self,
        tx: &mut Tx<'_>,
        mut candidates: Vec<(usize, Deal<'s>)>,
        refused: &mut HashMap<usize, Refusal>,
        now_us: i64,
    ) -> Result<Vec<Bought<'s>>, store::Error> {
        let (mut bought, mut sold): (Vec<Bought<'s>>, HashSet<Uuid>) = (Vec::new(), HashSet::new());
        while !candidates.is_empty() {
            let mut first: HashSet<Uuid> = HashSet::new();
            let (now, later): (Vec<_>, Vec<_>) =
                candidates.into_iter().partition(|(_, deal)| first.insert(deal.sale.id));
            let postings: Vec<_> = now.iter().map(|(_, deal)| deal.posting(&self.deps.terms)).collect();
            for ((at, deal), fate) in now.into_iter().zip(wallet::post_all(tx, &postings, now_us)?) {
                match fate {
                    Ok(posted) if posted.is_new => {
                        sold.insert(deal.sale.id);
                        bought.push(Bought { at, deal, posting_id: posted.posting_id });
                    }
                    Ok(_) => {
                        let cause = format!("listing {} is open but was booked", deal.sale.id);
                        refused.insert(at, Refusal::Books(cause));
                    }
                    Err(wallet::PostError::Store(error)) => return Err(error),
                    Err(error) => drop(refused.insert(at, error.into())),
                }
            }
            let (gone, left): (Vec<_>, Vec<_>) =
                later.into_iter().partition(|(_, deal)| sold.contains(&deal.sale.id));
            refused.extend(gone.into_iter().map(|(at, _)| (at, Refusal::NotOpen { state: SaleState::Sold })));
            candidates = left;
        }
        Ok(bought)
    }

    /// Everything beside the books.
    fn write(&self, tx: &mut Tx<'_>, bought: &[Bought<'_>], now_us: i64) -> Result<(), store::Error> {
        if bought.is_empty() {
            return Ok(());
        }
        let closings: Vec<_> = bought
            .iter()
            .map(|Bought { deal, posting_id, .. }| Closing {
                sale_id: deal.sale.id,
                buyer_id: deal.buyer.owner_id,
                posting_id: *posting_id,
                paid_minor: deal.paid_minor,
                seen_minor: deal.sale.price_minor,
            })
            .collect();
        if sales::sell(tx, &closings, now_us)? != closings.len() as u64 {
            return Err(store::Error::Retry);
        }
        let transfers: Vec<_> = bought.iter().map(|it| it.deal.transfer(it.posting_id)).collect();
        let given = land::transfer_all(tx, &transfers, now_us)?;
        let promises: Vec<_> = bought.iter().map(|it| (it.deal.sale.land.parcel, it.deal.sale.id)).collect();
        let released = land::release_all(tx, &promises)?;
        if given.iter().any(|is_done| !is_done) {
            let parcels: Vec<_> = transfers.iter().map(|it| it.parcel).collect();
            if !land::frozen(tx, &parcels)?.is_empty() {
                // Frozen since we looked: the next look refuses it.
                return Err(store::Error::Retry);
            }
        }
        if given.into_iter().chain(released).any(|is_done| !is_done) {
            return Err(store::Error::Damaged {
                detail: "market: listed land is not the seller's or not bound to its listing".to_owned(),
            });
        }
        let mut news = News::default();
        self.lapse_offers(tx, bought, &mut news, now_us)?;
        self.tell(tx, bought, &mut news, now_us)?;
        news.record(tx, now_us)
    }

    fn lapse_offers(
        &self,
        tx: &mut Tx<'_>,
        bought: &[Bought<'_>],
        news: &mut News,
        now_us: i64,
    ) -> Result<(), store::Error> {
        let parcels: Vec<_> = bought.iter().map(|it| it.deal.sale.land.parcel).collect();
        let mut open = offers::find_of_parcels(tx, &parcels)?;
        open.sort_by_key(|it| it.id);
        lapse(tx, self.deps, news, open, now_us).map_err(|refusal| match refusal {
            Refusal::Store(error) => error,
            other => store::Error::Damaged { detail: format!("market: an offer does not end: {other}") },
        })
    }

    fn tell(
        &self,
        tx: &mut Tx<'_>,
        bought: &[Bought<'_>],
        news: &mut News,
        now_us: i64,
    ) -> Result<(), store::Error> {
        let rows: Vec<Vec<Value>> =
            bought.iter().map(|it| params![it.deal.sale.land.parcel.to_sql()].to_vec()).collect();
        let mut watchers: HashMap<i64, Vec<Uuid>> = HashMap::new();
        for row in tx.query_rows(WATCHERS, &rows)? {
            let of_parcel = watchers.entry(row.get(0)?).or_default();
            if of_parcel.len() < WATCHERS_TOLD_MAX as usize {
                of_parcel.push(row.get(1)?);
            }
        }
        for Bought { deal, .. } in bought {
            let name = self.names.of(tx, self.deps, deal.buyer, now_us)?;
            news.ownership_changed(deal.sale, deal.buyer, &name, deal.paid_minor);
            let received_minor = deal.split(&self.deps.terms).seller_minor;
            let data = news::of_sold(deal.sale, deal.buyer, deal.paid_minor, received_minor);
            let mut told = watchers.remove(&deal.sale.land.parcel.to_sql()).unwrap_or_default();
            told.extend(self.deps.acting.told(tx, deal.sale.seller)?);
            news.to("market.sold", told, data.clone());
            if deal.buyer.is_group {
                news.tell_party(tx, self.deps, "market.bought", deal.buyer, data)?;
            }
        }
        Ok(())
    }
}

fn purchase_view(deal: &Deal<'_>, posting_id: Uuid, now_us: i64) -> PurchaseView {
    PurchaseView {
        sale_id: deal.sale.id,
        parcel: deal.sale.land.parcel.token(),
        buyer_id: deal.buyer.owner_id,
        seller_id: deal.sale.seller.owner_id,
        currency: deal.sale.currency.clone(),
        price_minor: deal.paid_minor,
        posting_id,
        at: timestamp(now_us),
    }
}
