//! Claiming free lots.

use api::idempotency::{Answer, Fingerprint};
use api::{Caller, IdempotencyKey, Problem};
use axum::http::StatusCode;
use cell::CellId;
use ledger::{AccountRef, Amount, Posting, PostingKind};
use planet::Planet;
use serde_json::json;
use store::Tx;
use uuid::Uuid;
use wallet::PostError;

use crate::books::{self, deed};
use crate::decide::{Asked, Done, changed, happened, may_act};
use crate::keep::{self, NewParcel};
use crate::rules::{self, Refusal};
use crate::seen::Seen;
use crate::service::{Deps, LandService};
use crate::shape::is_connected;
use crate::survey::{Survey, check_claimable};
use crate::title::{self, NewTitle, TitleKind};

impl LandService {
    /// Claims lots that hang together: parcel, posting, title and the kept answer in one transaction, all lots or none.
    /// The lots are different ones of the lot level, as many as one may claim, in any order.
    pub async fn claim(
        &self,
        caller: Caller,
        mut lots: Vec<CellId>,
        as_group: Option<Uuid>,
        key: IdempotencyKey,
    ) -> Result<Answer, Problem> {
        lots.sort_unstable();
        // One lot by either route is the same claim.
        let mut fingerprint = Fingerprint::of("POST /lands/{token}/claim");
        for lot in &lots {
            fingerprint = fingerprint.with(&lot.raw().to_be_bytes());
        }
        if let Some(group_id) = as_group {
            fingerprint = fingerprint.with(group_id.as_bytes());
        }
        if !is_connected(&lots) {
            return Err(Refusal::NotConnected { what: "the parcel" }.into());
        }
        let planet = std::sync::Arc::clone(&self.deps.planet);
        let surveyed = tokio::task::spawn_blocking(move || surveyed(&planet, lots))
            .await
            .map_err(|error| Problem::internal(&error))?;
        let asked = Asked { caller, key, fingerprint };
        let claim = Claim {
            owner_id: as_group.unwrap_or(caller.account_id),
            actor: caller.account_id,
            client_id: asked.client_id("land_claim"),
        };
        self.decide(asked, move |tx, deps, now_us| claim.run(tx, deps, &surveyed, now_us)).await
    }
}

/// Lots, and what the planet says of them if they are all land.
struct Surveyed {
    lots: Vec<CellId>,
    survey: Result<Survey, Refusal>,
}

fn surveyed(planet: &Planet, lots: Vec<CellId>) -> Surveyed {
    let check = |cell: &CellId| {
        check_claimable(planet, *cell).map_err(|reason| Refusal::Unclaimable { cell: *cell, reason })
    };
    let survey = lots.iter().try_for_each(check).map(|()| Survey::of(planet, &lots));
    Surveyed { lots, survey }
}

struct Claim {
    owner_id: Uuid,
    actor: Uuid,
    client_id: String,
}

impl Claim {
    /// The rules in the order of [`Refusal`]; each is decided by what is true when the lots are taken.
    fn run(&self, tx: &mut Tx<'_>, deps: &Deps, land: &Surveyed, now_us: i64) -> Result<Done, Refusal> {
        let Self { owner_id, actor, .. } = *self;
        let Surveyed { lots, survey } = land;
        let survey = survey.as_ref().map_err(Clone::clone)?;
        let (area_m2, max_m2) = (survey.area_m2, deps.economy.land.claim_area_max_m2);
        // One lot is never too large, whatever the planet's are.
        if area_m2 > max_m2 && lots.len() > 1 {
            return Err(Refusal::TooLarge { area_m2, max_m2 });
        }
        if !may_act(tx, deps, owner_id, actor)? {
            return Err(Refusal::NoAuthority);
        }
        rules::check_near(deps, lots, deps.presence.position_of(actor))?;
        let anchor = lots[0];
        let parcel = NewParcel { anchor, owner_id, cells: lots, survey, claimed_at_us: now_us };
        if !keep::add(tx, &parcel)? {
            return Err(Refusal::Taken);
        }
        let price = rules::price(deps.economy, survey.area_m2);
        let posted = wallet::post(tx, &self.posting(anchor, price), now_us).map_err(|error| match error {
            PostError::InsufficientFunds { account: AccountRef::Wallet(_), available, .. } => {
                Refusal::InsufficientFunds { available, price }
            }
            other => books::refused(other),
        })?;
        let title = NewTitle {
            by: audit::Actor::account(actor),
            parcel: anchor,
            kind: TitleKind::Claim,
            owner_id: Some(owner_id),
            from_id: None,
            price_minor: price.minor(),
            currency: books::CURRENCY,
            posting_id: posted.posting_id,
            other: None,
        };
        title::add(tx, &[title], now_us)?;
        let seen = Seen::now(tx, deps, anchor)?;
        let more = json!({"price_minor": price.minor(), "currency": books::CURRENCY});
        events::record(tx, &[happened("land.claimed", &seen, more)], now_us)?;
        let changed = vec![changed(&seen)];
        Ok(Done::new(StatusCode::CREATED, &seen.view(deps.economy), changed))
    }

    /// Money one way, the deed the other.
    fn posting(&self, anchor: CellId, price: Amount) -> Posting {
        let wallet = AccountRef::Wallet(self.owner_id);
        Posting::of(PostingKind::LandClaim, self.client_id.clone(), format!("lot:{}", anchor.token()))
            .transfer(wallet, AccountRef::Treasury, &books::currency(), price)
            .transfer(AccountRef::LandOffice, wallet, &deed(anchor), books::ONE)
            .finish()
            .expect("land has an area, so that its price is not zero")
    }
}
