//! Sales through the whole service: route, idempotency key, rules, money, deed, title, event, answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use api::{Caller, SystemClock, TokenFault, TokenVerifier, Verification, Verifier};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::{Extension, Router};
use market::{Acting, MarketService, Terms};
use store::{Migration, Store};
use tower::ServiceExt as _;
use uuid::Uuid;
use wallet::Economy;

use crate::Latencies;
use crate::load::{ACCOUNTS, LISTED_MINOR, LOT_LEVEL, Size, account_id, owner_of, sale_id};

/// Those of every crate whose tables are touched.
pub(crate) fn migrations() -> Vec<Migration> {
    let all = [
        identity::MIGRATIONS,
        privacy::MIGRATIONS,
        api::MIGRATIONS,
        audit::MIGRATIONS,
        wallet::MIGRATIONS,
        land::MIGRATIONS,
        groups::MIGRATIONS,
        events::MIGRATIONS,
        notify::MIGRATIONS,
        market::MIGRATIONS,
    ];
    all.into_iter().flatten().copied().collect()
}

/// A token is a person's number.
pub(crate) struct Numbers;

impl TokenVerifier for Numbers {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move {
            let number = token.parse().map_err(|_| TokenFault::Invalid)?;
            Ok(Caller::player(account_id(number)))
        })
    }
}

/// A market on a loaded database, and which of its listings is next.
pub(crate) struct Market {
    router: Router,
    service: Arc<MarketService>,
    next: AtomicU64,
    listings: u64,
}

impl Market {
    /// Inside a runtime.
    pub(crate) fn open(store: &Store, size: Size) -> anyhow::Result<Self> {
        let terms = Terms::of(Economy::embedded()).map_err(|error| anyhow::anyhow!("{error}"))?;
        let deps = market::Deps {
            store: store.clone(),
            clock: Arc::new(SystemClock),
            terms: Arc::new(terms),
            acting: Acting {
                may_act: Arc::new(|_, owner_id, account_id| Ok(owner_id == account_id)),
                agents: Arc::new(|_, owner_id| Ok(vec![owner_id])),
            },
            display_name: Arc::new(identity::display_name),
            group_name: Arc::new(|_, _| Ok(None)),
            lot_level: LOT_LEVEL,
            radius_m: 6_371_000.0 / 8.0,
            wake: events::Wake::default(),
        };
        let service = MarketService::new(deps);
        let (router, _) = market::routes(Arc::clone(&service)).split_for_parts();
        let verifier: Verifier = Arc::new(Numbers);
        let router = router.layer(Extension(verifier));
        Ok(Self { router, service, next: AtomicU64::new(0), listings: size.listings })
    }

    pub(crate) async fn close(self) {
        self.service.close().await;
    }

    /// So many clients, each buying the next listing as soon as it has the one before.
    pub(crate) async fn sell(self: &Arc<Self>, clients: u64, seconds: f64) -> anyhow::Result<Latencies> {
        let began = Instant::now();
        let end = began + Duration::from_secs_f64(seconds);
        let buying: Vec<_> = (0..clients)
            .map(|_| {
                let market = Arc::clone(self);
                tokio::spawn(async move {
                    let mut latencies = Latencies::default();
                    while Instant::now() < end {
                        let at = Instant::now();
                        market.buy_next().await?;
                        latencies.add(at.elapsed());
                    }
                    anyhow::Ok(latencies)
                })
            })
            .collect();
        let mut all = Latencies::default();
        for one in buying {
            all.join(one.await??);
        }
        all.elapsed_s = began.elapsed().as_secs_f64();
        Ok(all)
    }

    async fn buy_next(&self) -> anyhow::Result<()> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        ensure!(number < self.listings, "all {} listings are sold: load more", self.listings);
        // Spread over the people, and never the seller.
        let buyer = (owner_of(number) + 1 + number % (ACCOUNTS - 1)) % ACCOUNTS;
        let request = Request::post(format!("/api/v1/marketplace/listings/{}/purchase", sale_id(number)))
            .header(header::AUTHORIZATION, format!("Bearer {buyer}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", Uuid::new_v4().to_string())
            .body(Body::from(format!("{{\"price_minor\": {LISTED_MINOR}}}")))?;
        let response = self.router.clone().oneshot(request).await?;
        let status = response.status();
        if status != StatusCode::OK && status != StatusCode::CREATED {
            let body = axum::body::to_bytes(response.into_body(), 1 << 16).await?;
            anyhow::bail!("a purchase was answered {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    }
}
