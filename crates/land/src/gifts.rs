//! Giving land away: offered by its owner, accepted by the receiver.

use std::collections::BTreeSet;
use std::time::Duration;

use api::idempotency::{Answer, Fingerprint};
use api::{Caller, IdempotencyKey, Page, Problem, cursor};
use axum::http::StatusCode;
use cell::CellId;
use events::{Audience, NewEvent};
use ledger::{AccountRef, Posting, PostingKind};
use serde_json::json;
use store::Tx;
use tokio::sync::watch;
use uuid::Uuid;

use crate::books::{self, deed};
use crate::decide::{Asked, Done, changed, happened, may_act};
use crate::encumbrance::{EncumbranceKind, encumber, release};
use crate::gift::{self, Gift, GiftsOf};
use crate::hold::{check_thawed, check_unencumbered, take_own};
use crate::limits::{GIFT_TIME_US, GIFTS_WAITING_MAX};
use crate::parcel;
use crate::rules::Refusal;
use crate::seen::{Owners, Seen};
use crate::service::{Deps, LandService};
use crate::title::TitleKind;
use crate::transfer::{Transfer, transfer};
use crate::view::{GiftState, GiftView};

/// Offers that [`LandService::expire_gifts`] ends at a time.
const EXPIRED_AT_ONCE: u32 = 100;

/// How often offers are looked through.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(15);

/// What somebody decides about a gift.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GiftDecision {
    /// By the receiver.
    Accept,
    /// By the receiver.
    Decline,
    /// By the giver.
    Cancel,
}

impl GiftDecision {
    const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Cancel => "cancel",
        }
    }

    const fn outcome(self) -> GiftState {
        match self {
            Self::Accept => GiftState::Accepted,
            Self::Decline => GiftState::Declined,
            Self::Cancel => GiftState::Cancelled,
        }
    }
}

impl LandService {
    /// Offers the parcel of a lot to somebody. Until that is decided or a week has passed nothing else is done with it.
    pub async fn offer_gift(
        &self,
        caller: Caller,
        lot: CellId,
        to_id: Uuid,
        key: IdempotencyKey,
    ) -> Result<Answer, Problem> {
        let fingerprint =
            Fingerprint::of("POST /lands/{token}/gift").with(&lot.raw().to_be_bytes()).with(to_id.as_bytes());
        let asked = Asked { caller, key, fingerprint };
        self.decide(asked, move |tx, deps, now_us| offer(tx, deps, lot, to_id, caller.account_id, now_us))
            .await
    }

    /// Decides about a gift.
    pub async fn decide_gift(
        &self,
        caller: Caller,
        gift_id: Uuid,
        decision: GiftDecision,
        key: IdempotencyKey,
    ) -> Result<Answer, Problem> {
        let fingerprint = Fingerprint::of("POST /lands/gifts/{id}")
            .with(decision.name().as_bytes())
            .with(gift_id.as_bytes());
        let asked = Asked { caller, key, fingerprint };
        self.decide(asked, move |tx, deps, now_us| {
            decide(tx, deps, gift_id, decision, caller.account_id, now_us)
        })
        .await
    }

    /// Gifts to or by somebody whom the caller is or acts for, newest first.
    pub async fn gifts(
        &self,
        caller: Caller,
        owner_id: Uuid,
        is_giver: bool,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Page<GiftView>, Problem> {
        let deps = self.deps.clone();
        let views = self
            .deps
            .store
            .read(move |tx| {
                if !may_act(tx, &deps, owner_id, caller.account_id)? {
                    return Err(Refusal::NoAuthority);
                }
                let of = if is_giver { GiftsOf::Giver(owner_id) } else { GiftsOf::Receiver(owner_id) };
                let mut owners = Owners::default();
                let gifts = gift::list(tx, of, before, limit + 1)?;
                let views = gifts.into_iter().map(|it| it.view(tx, &deps, &mut owners));
                Ok(views.collect::<Result<Vec<_>, _>>()?)
            })
            .await?;
        Ok(Page::from_surplus(views, limit, |last| cursor::encode(last.gift_id.as_bytes())))
    }

    /// Ends offers whose time is over, now and then, until `stop` says true.
    pub async fn work(&self, mut stop: watch::Receiver<bool>) {
        loop {
            match self.expire_gifts().await {
                Ok(0) => {}
                Ok(_) => self.deps.wake.wake(),
                // The next round tries again.
                Err(error) => tracing::warn!(%error, "gifts whose time is over were not ended"),
            }
            let is_stopping = stop.wait_for(|is_stopping| *is_stopping);
            if tokio::time::timeout(EXPIRY_INTERVAL, is_stopping).await.is_ok() {
                return;
            }
        }
    }

    /// Ends offers whose time is over; how many.
    pub async fn expire_gifts(&self) -> Result<u64, store::Error> {
        let now_us = self.deps.clock.now_us();
        let mut expired = 0;
        loop {
            let deps = self.deps.clone();
            let batch = self
                .deps
                .store
                .locked(move |tx| {
                    let overdue = gift::overdue(tx, now_us, EXPIRED_AT_ONCE)?;
                    for gift in &overdue {
                        // It may have been decided in between.
                        if gift::end(tx, gift.id, GiftState::Expired, now_us)? {
                            release(tx, gift.parcel, gift.id)?;
                            let event = ended(tx, &deps, gift, GiftState::Expired)?;
                            events::record(tx, &[event], now_us)?;
                        }
                    }
                    Ok::<_, store::Error>(overdue.len())
                })
                .await?;
            expired += batch as u64;
            if batch < EXPIRED_AT_ONCE as usize {
                return Ok(expired);
            }
        }
    }
}

fn offer(
    tx: &mut Tx<'_>,
    deps: &Deps,
    lot: CellId,
    to_id: Uuid,
    actor: Uuid,
    now_us: i64,
) -> Result<Done, Refusal> {
    let facts = take_own(tx, deps, lot, actor)?;
    if facts.owner_id == to_id {
        return Err(Refusal::SelfGift);
    }
    if (deps.account_names)(tx, &[to_id])?.is_empty() && (deps.group_names)(tx, &[to_id])?.is_empty() {
        return Err(Refusal::ReceiverUnknown);
    }
    check_unencumbered(tx, &facts)?;
    if gift::waiting(tx, to_id, GIFTS_WAITING_MAX)? >= GIFTS_WAITING_MAX {
        return Err(Refusal::TooManyGifts);
    }
    let gift = Gift {
        id: Uuid::now_v7(),
        parcel: facts.anchor,
        from_id: facts.owner_id,
        to_id,
        state: GiftState::Offered,
        offered_at_us: now_us,
        expires_at_us: now_us.saturating_add(GIFT_TIME_US),
        decided_at_us: None,
    };
    if !encumber(tx, facts.anchor, EncumbranceKind::Gift, gift.id)? {
        return Err(Refusal::Encumbered { parcel: facts.anchor, kind: EncumbranceKind::Gift });
    }
    gift::add(tx, &gift)?;
    let event = told(tx, deps, "land.gift_offered", &gift)?;
    events::record(tx, &[event], now_us)?;
    let seen = Seen::now(tx, deps, facts.anchor)?;
    let view = gift.view(tx, deps, &mut Owners::default())?;
    Ok(Done::new(StatusCode::CREATED, &view, vec![changed(&seen)]))
}

fn decide(
    tx: &mut Tx<'_>,
    deps: &Deps,
    gift_id: Uuid,
    decision: GiftDecision,
    actor: Uuid,
    now_us: i64,
) -> Result<Done, Refusal> {
    // Parcels are taken before gifts, as by an offer and a sale.
    let gift = gift::find(tx, gift_id)?.ok_or(Refusal::GiftUnknown)?;
    let (is_giver, is_receiver) =
        (may_act(tx, deps, gift.from_id, actor)?, may_act(tx, deps, gift.to_id, actor)?);
    // Whoever has nothing to do with it learns not even that it is there.
    let may = if decision == GiftDecision::Cancel { is_giver } else { is_receiver };
    if !may {
        return Err(if is_giver || is_receiver { Refusal::NoAuthority } else { Refusal::GiftUnknown });
    }
    let facts = parcel::take(tx, gift.parcel)?;
    let mut gift = gift::take(tx, gift_id)?.ok_or(Refusal::GiftUnknown)?;
    if gift.state == GiftState::Offered && gift.expires_at_us <= now_us {
        gift.state = GiftState::Expired;
    }
    if gift.state != GiftState::Offered {
        return Err(Refusal::GiftClosed { state: gift.state.code().to_owned() });
    }
    if decision == GiftDecision::Accept
        && let Some(facts) = &facts
    {
        check_thawed(facts)?;
    }
    let outcome = decision.outcome();
    gift::end(tx, gift_id, outcome, now_us)?;
    release(tx, gift.parcel, gift_id)?;
    let mut news = vec![ended(tx, deps, &gift, outcome)?];
    if decision == GiftDecision::Accept {
        hand_over(tx, &gift, actor, now_us)?;
    }
    let seen = Seen::now(tx, deps, gift.parcel)?;
    if decision == GiftDecision::Accept {
        let more =
            json!({"from_id": gift.from_id, "kind": "gift", "price_minor": 0, "currency": books::CURRENCY});
        news.push(happened("land.ownership_changed", &seen, more));
    }
    events::record(tx, &news, now_us)?;
    (gift.state, gift.decided_at_us) = (outcome, Some(now_us));
    let view = gift.view(tx, deps, &mut Owners::default())?;
    Ok(Done::new(StatusCode::OK, &view, vec![changed(&seen)]))
}

/// Ends an offer without anybody asking: one side is forgotten. Nothing happens if it was ended before.
pub(crate) fn end_gift(
    tx: &mut Tx<'_>,
    deps: &Deps,
    gift: &Gift,
    outcome: GiftState,
    now_us: i64,
) -> Result<(), store::Error> {
    if gift::end(tx, gift.id, outcome, now_us)? {
        release(tx, gift.parcel, gift.id)?;
        let event = ended(tx, deps, gift, outcome)?;
        events::record(tx, &[event], now_us)?;
    }
    Ok(())
}

/// Deed and title go to the receiver.
fn hand_over(tx: &mut Tx<'_>, gift: &Gift, actor: Uuid, now_us: i64) -> Result<(), Refusal> {
    let (from, to) = (AccountRef::Wallet(gift.from_id), AccountRef::Wallet(gift.to_id));
    let client_id = format!("land_gift:{}", gift.id);
    let posting = Posting::of(PostingKind::LandGift, client_id, format!("parcel:{}", gift.parcel.token()))
        .transfer(from, to, &deed(gift.parcel), books::ONE)
        .finish()
        .expect("one deed moves");
    let posted = wallet::post(tx, &posting, now_us).map_err(books::refused)?;
    let transfer_of = Transfer {
        by: audit::Actor::account(actor),
        parcel: gift.parcel,
        from: gift.from_id,
        to: gift.to_id,
        price_minor: 0,
        currency: books::CURRENCY.to_owned(),
        kind: TitleKind::Gift,
        posting_id: posted.posting_id,
    };
    // An offered parcel keeps its owner: the offer stands in the way of everything else.
    if transfer(tx, &transfer_of, now_us)? { Ok(()) } else { Err(Refusal::NotOwner) }
}

/// An event for giver and receiver, and for those who act for them.
fn told(tx: &mut Tx<'_>, deps: &Deps, kind: &'static str, gift: &Gift) -> Result<NewEvent, store::Error> {
    let data = json!({
        "gift_id": gift.id,
        "parcel": gift.parcel.token(),
        "from_id": gift.from_id,
        "to_id": gift.to_id,
    });
    let mut accounts = BTreeSet::new();
    for id in [gift.from_id, gift.to_id] {
        let agents = (deps.agents)(tx, id)?;
        if agents.is_empty() {
            accounts.insert(id);
        }
        accounts.extend(agents);
    }
    Ok(NewEvent { kind, audience: Audience::Accounts(accounts.into_iter().collect()), data })
}

fn ended(tx: &mut Tx<'_>, deps: &Deps, gift: &Gift, state: GiftState) -> Result<NewEvent, store::Error> {
    let mut event = told(tx, deps, "land.gift_ended", gift)?;
    event.data["state"] = state.code().into();
    Ok(event)
}
