//! The service: what it holds, and how a decision is made once.

use std::sync::Arc;

use api::idempotency::{self, Answer, Decision, Fingerprint};
use api::{Caller, IdempotencyKey, Problem};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use store::{Group, Isolation, Tx};
use tokio::sync::watch;
use uuid::Uuid;

use crate::deps::Deps;
use crate::party::Party;
use crate::purchase::{self, Names, Purchase, PurchaseAnswer};
use crate::refusal::Refusal;
use crate::worker;

/// Purchases of one transaction.
const PURCHASES_MAX: usize = 128;

/// Listings, auctions and offers.
pub struct MarketService {
    pub(crate) deps: Deps,
    purchases: Group<Purchase, PurchaseAnswer>,
}

/// A decision about to be made.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    pub(crate) key: IdempotencyKey,
    pub(crate) fingerprint: Fingerprint,
}

impl Asked {
    /// `operation` names the route, `input` is everything that the effect depends on.
    pub(crate) fn new(caller: Caller, key: IdempotencyKey, operation: &str, input: &impl Serialize) -> Self {
        let input = serde_json::to_vec(input).expect("requests have only text keys and whole numbers");
        Self { caller, key, fingerprint: Fingerprint::of(operation).with(&input) }
    }
}

/// What a decision did.
pub(crate) struct Done {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Done {
    pub(crate) fn created(body: &impl Serialize) -> Self {
        Self::new(StatusCode::CREATED, body)
    }

    pub(crate) fn changed(body: &impl Serialize) -> Self {
        Self::new(StatusCode::OK, body)
    }

    fn new(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_value(body).expect("answers have only text keys and finite numbers");
        Self { status, body }
    }
}

/// Who decides, and for whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor {
    pub(crate) account_id: Uuid,
    pub(crate) party: Party,
}

impl Actor {
    pub(crate) const fn of(caller: Caller, as_group: Option<Uuid>) -> Self {
        Self { account_id: caller.account_id, party: Party::of(caller.account_id, as_group) }
    }
}

impl MarketService {
    /// Answers requests; nothing ends by itself before [`MarketService::work`] runs. Inside a runtime.
    pub fn new(deps: Deps) -> Arc<Self> {
        let (in_group, names) = (deps.clone(), Names::default());
        let purchases = Group::start(
            deps.store.clone(),
            "purchases",
            Isolation::Locked,
            PURCHASES_MAX,
            move |tx, batch| purchase::decide(tx, &in_group, &names, batch),
        );
        Arc::new(Self { deps, purchases })
    }

    /// Ends what is due, again and again until `stop` is true.
    pub async fn work(self: Arc<Self>, stop: watch::Receiver<bool>) {
        worker::run(&self.deps, stop).await;
    }

    /// Ends what is due now, once; how much that was.
    pub async fn run_due(&self) -> usize {
        worker::run_due(&self.deps).await
    }

    /// Finishes the purchases that were accepted and takes no more.
    pub async fn close(&self) {
        self.purchases.close().await;
    }

    /// For what staff do, in transactions of theirs.
    pub(crate) fn deps(&self) -> &Deps {
        &self.deps
    }

    /// Buys for the caller, or for a group, at the price they have seen; together with whoever buys at the same time.
    pub(crate) async fn purchase(
        &self,
        asked: Asked,
        actor: Actor,
        listing_id: Uuid,
        price_minor: i64,
    ) -> Result<Answer, Problem> {
        let Asked { caller, key, fingerprint } = asked;
        let now_us = self.deps.clock.now_us();
        let decision = Decision { account_id: caller.account_id, key, fingerprint, now_us };
        let answer = self.purchases.submit(Purchase { decision, actor, listing_id, price_minor }).await??;
        if !answer.is_replay {
            self.deps.wake.wake();
        }
        Ok(answer)
    }

    /// Runs `effect` once for its key. The time is read when its turn has come, by the effect itself, so that the
    /// order of bids is the order of their transactions.
    pub(crate) async fn decide<F>(&self, asked: Asked, mut effect: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Tx<'_>, &Deps) -> Result<Done, Refusal> + Send + 'static,
    {
        let Asked { caller, key, fingerprint } = asked;
        let now_us = self.deps.clock.now_us();
        let decision = Decision { account_id: caller.account_id, key, fingerprint, now_us };
        let deps = self.deps.clone();
        let decided = idempotency::run(&self.deps.store, Isolation::Locked, decision, move |tx| {
            let done = effect(tx, &deps)?;
            Ok::<_, Refusal>((done.status, done.body))
        });
        let answer = decided.await?;
        if !answer.is_replay {
            self.deps.wake.wake();
        }
        Ok(answer)
    }

    /// Reads for an answer.
    pub(crate) async fn read<T, F>(&self, body: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>, &Deps, i64) -> Result<T, Refusal> + Send + 'static,
    {
        let (deps, now_us) = (self.deps.clone(), self.deps.clock.now_us());
        let mut body = body;
        self.deps.store.read(move |tx| body(tx, &deps, now_us)).await.map_err(Problem::from)
    }
}
