//! Setting up webhooks and looking after them.

use std::sync::Arc;

use api::idempotency::{self, Answer, Decision, Fingerprint};
use api::text::{self, NameRule};
use api::{
    Caller, IdempotencyKey, Page, PageParams, Problem, SharedClock, ValidJson, ValidPath, ValidQuery, cursor,
    kinds, page_limit,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Isolation, Store, Tx, params};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::address::Destinations;
use crate::deliveries::{self, Delivery, NewDelivery};
use crate::endpoints::{self, ENDPOINTS_PER_ACCOUNT_MAX, Endpoint, Kinds};
use crate::signature::Secret;
use crate::webhook_views::{DeliveryView, Refusal, WebhookView, WebhookWithSecret, WebhooksView};
use crate::{dispatch, notice_routes};

/// How long the secret before signs, too, after a change: a day if nothing else is asked for, a week at most.
const GRACE_S_DEFAULT: u32 = 86_400;
const GRACE_S_MAX: u32 = 604_800;
const DESCRIPTION: NameRule = NameRule { chars_min: 1, chars_max: 100 };
const MINUTE_US: i64 = 60_000_000;

/// What the routes are given.
#[derive(Clone)]
pub struct Deps {
    /// Where notices and webhooks are.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// Where webhooks may be sent.
    pub destinations: Destinations,
}

/// All routes of notices and webhooks.
pub fn routes(deps: Deps) -> OpenApiRouter {
    let notices = notice_routes::routes(deps.store.clone());
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(change, remove))
        .routes(routes!(test))
        .routes(routes!(rotate))
        .routes(routes!(list_deliveries))
        .routes(routes!(replay))
        .with_state(Arc::new(deps))
        .merge(notices)
}

/// A new webhook.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookRequest {
    /// Where to send: `https` to a public address.
    #[schema(example = "https://example.com/terrane")]
    pub url: String,
    /// Which kinds of events: a kind, a family like `market.*`, or `*` for all of yours. 1 to 20.
    #[schema(example = json!(["market.*", "rent.due"]))]
    pub kinds: Vec<String>,
    /// What you call it, 1 to 100 characters.
    #[serde(default)]
    pub description: Option<String>,
}

/// What is to be changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    /// Other kinds.
    #[serde(default)]
    pub kinds: Option<Vec<String>>,
    /// Another description.
    #[serde(default)]
    pub description: Option<String>,
    /// Off or on. Switching off gives up what waits; switching on forgets the failures before.
    #[serde(default)]
    pub is_enabled: Option<bool>,
}

/// How the secret is to be changed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateRequest {
    /// How long the present secret signs, too, in seconds: 0 to 604800; a day if absent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 604_800)]
    pub grace_s: Option<u32>,
}

/// Your webhooks
#[utoipa::path(get, path = "/api/v1/webhooks", operation_id = "webhooks", tag = "notices",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "All of them", body = WebhooksView),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(State(deps): State<Arc<Deps>>, caller: Caller) -> Result<Json<WebhooksView>, Problem> {
    let now_us = deps.clock.now_us();
    let rows = deps.store.read(move |tx| tx.query(endpoints::LIST, params![caller.account_id])).await?;
    let items = rows
        .iter()
        .map(|row| Endpoint::from_row(row).map(|it| WebhookView::of(it, now_us)))
        .collect::<Result<_, _>>()?;
    Ok(Json(WebhooksView { items }))
}

/// Set up a webhook
///
/// From now on your own events of these kinds are sent to the URL by Standard Webhooks 1.0.0: `POST` with `webhook-id`
/// (the same at each attempt), `webhook-timestamp` and `webhook-signature`. Any 2xx within 20 seconds takes a delivery;
/// it is tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h otherwise. 410 disables the webhook.
/// Redirects are not followed. The order is not promised: of two deliveries about one thing, the one with the higher
/// `sequence` in its data is the later.
#[utoipa::path(post, path = "/api/v1/webhooks", operation_id = "webhook_create", tag = "notices",
    security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"")),
    request_body = WebhookRequest,
    responses(
        (status = 201, description = "The webhook and its secret, which is shown this once", body = WebhookWithSecret),
        (status = 400, description = "`malformed_json`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`too_many_webhooks`: 5 of one account", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`, `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn create(
    State(deps): State<Arc<Deps>>,
    caller: Caller,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<WebhookRequest>,
) -> Result<Answer, Problem> {
    let url = deps.destinations.check_url(&request.url).map_err(|fault| invalid("#/url", &fault))?;
    let wanted = parse_kinds(request.kinds)?;
    let description = request.description.as_deref().map(parse_description).transpose()?.unwrap_or_default();
    let now_us = deps.clock.now_us();
    let fingerprint = Fingerprint::of("POST /webhooks")
        .with(url.as_str().as_bytes())
        .with(wanted.to_text().as_bytes())
        .with(description.as_bytes());
    let decision = Decision { account_id: caller.account_id, key, fingerprint, now_us };
    let (endpoint_id, secret) = (Uuid::now_v7(), Secret::random());
    idempotency::run(&deps.store, Isolation::Serializable, decision, move |tx| {
        let account_id = caller.account_id;
        let row = params![
            endpoint_id,
            account_id,
            url.as_str(),
            &description,
            wanted.to_text(),
            secret.as_bytes(),
            now_us,
            ENDPOINTS_PER_ACCOUNT_MAX,
            endpoints::NEVER_US,
        ];
        if tx.execute(endpoints::ADD, row)? == 0 {
            return Err(Refusal::TooMany);
        }
        let webhook = own(tx, endpoint_id, account_id, now_us)?;
        let body = WebhookWithSecret { webhook, secret: secret.reveal() };
        Ok((StatusCode::CREATED, serde_json::to_value(body).expect("text keys and plain values")))
    })
    .await
}

/// Change a webhook, switch it off or on
#[utoipa::path(patch, path = "/api/v1/webhooks/{webhook_id}", operation_id = "webhook_change", tag = "notices",
    security(("bearer" = [])),
    params(("webhook_id" = Uuid, Path, description = "The webhook")),
    request_body = WebhookChange,
    responses(
        (status = 200, description = "As it is now", body = WebhookView),
        (status = 400, description = "`malformed_json`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_webhook`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn change(
    State(deps): State<Arc<Deps>>,
    caller: Caller,
    ValidPath(endpoint_id): ValidPath<Uuid>,
    ValidJson(request): ValidJson<WebhookChange>,
) -> Result<Json<WebhookView>, Problem> {
    let wanted = request.kinds.map(parse_kinds).transpose()?;
    let description = request.description.as_deref().map(parse_description).transpose()?;
    let (account_id, now_us) = (caller.account_id, deps.clock.now_us());
    let view = deps
        .store
        .locked(move |tx| {
            take(tx, endpoint_id, account_id)?;
            let before = own(tx, endpoint_id, account_id, now_us)?;
            let kinds = wanted.as_ref().map_or_else(|| before.kinds.join(" "), Kinds::to_text);
            let described = description.as_ref().unwrap_or(&before.description);
            tx.execute(endpoints::CHANGE, params![endpoint_id, account_id, described, kinds])?;
            match request.is_enabled {
                Some(true) => drop(tx.execute(endpoints::ENABLE, params![endpoint_id, endpoints::NEVER_US])?),
                Some(false) => drop(deliveries::disable(tx, endpoint_id, "by_owner", now_us)?),
                None => {}
            }
            own(tx, endpoint_id, account_id, now_us)
        })
        .await?;
    Ok(Json(view))
}

/// Remove a webhook and all that waits for it
#[utoipa::path(delete, path = "/api/v1/webhooks/{webhook_id}", operation_id = "webhook_remove", tag = "notices",
    security(("bearer" = [])),
    params(("webhook_id" = Uuid, Path, description = "The webhook")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_webhook`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn remove(
    State(deps): State<Arc<Deps>>,
    caller: Caller,
    ValidPath(endpoint_id): ValidPath<Uuid>,
) -> Result<StatusCode, Problem> {
    let removed = deps
        .store
        .locked(move |tx| tx.execute(endpoints::REMOVE, params![endpoint_id, caller.account_id]))
        .await?;
    if removed == 1 { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::NoWebhook.into()) }
}

/// Send a test
///
/// A delivery of kind `webhook.test` is put into the queue. Look at the deliveries for what becomes of it.
#[utoipa::path(post, path = "/api/v1/webhooks/{webhook_id}/test", operation_id = "webhook_test", tag = "notices",
    security(("bearer" = [])),
    params(("webhook_id" = Uuid, Path, description = "The webhook")),
    responses(
        (status = 202, description = "It is on its way", body = DeliveryView),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_webhook`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`webhook_disabled`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`asked_too_often`: 10 in a minute", body = Problem, content_type = "application/problem+json"),
    ))]
async fn test(
    State(deps): State<Arc<Deps>>,
    caller: Caller,
    ValidPath(endpoint_id): ValidPath<Uuid>,
) -> Result<(StatusCode, Json<DeliveryView>), Problem> {
    let (account_id, now_us) = (caller.account_id, deps.clock.now_us());
    let event_id = Uuid::now_v7();
    let view = deps
        .store
        .locked(move |tx| {
            take_to_ask(tx, endpoint_id, account_id, now_us)?;
            let data = json!({ "webhook_id": endpoint_id });
            let new = NewDelivery {
                endpoint_id,
                event_id,
                kind: "webhook.test".to_owned(),
                body: dispatch::body("webhook.test", now_us, &data),
                is_asked: true,
            };
            let ids = deliveries::add(tx, &[new], now_us)?;
            delivery(tx, endpoint_id, ids[0])
        })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// Change the secret
///
/// The new secret is shown this once. Until the grace ends each delivery is signed with both.
#[utoipa::path(post, path = "/api/v1/webhooks/{webhook_id}/rotate", operation_id = "webhook_rotate", tag = "notices",
    security(("bearer" = [])),
    params(
        ("webhook_id" = Uuid, Path, description = "The webhook"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = RotateRequest,
    responses(
        (status = 200, description = "The webhook and its new secret", body = WebhookWithSecret),
        (status = 400, description = "`malformed_json`, `invalid_path`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_webhook`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`, `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn rotate(
    State(deps): State<Arc<Deps>>,
    caller: Caller,
    ValidPath(endpoint_id): ValidPath<Uuid>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<RotateRequest>,
) -> Result<Answer, Problem> {
    let grace_s = request.grace_s.unwrap_or(GRACE_S_DEFAULT);
    if grace_s > GRACE_S_MAX {
        return Err(invalid("#/grace_s", &format!("must be from 0 to {GRACE_S_MAX}")));
    }
    let (account_id, now_us) = (caller.account_id, deps.clock.now_us());
    let fingerprint = Fingerprint::of("POST /webhooks/{webhook_id}/rotate")
        .with(endpoint_id.as_bytes())
        .with(&grace_s.to_le_bytes());
    let secret = Secret::random();
    let decision = Decision { account_id, key, fingerprint, now_us };
    idempotency::run(&deps.store, Isolation::Locked, decision, move |tx| {
        take(tx, endpoint_id, account_id)?;
        let until_us = now_us.saturating_add(i64::from(grace_s) * 1_000_000);
        tx.execute(endpoints::ROTATE, params![endpoint_id, account_id, until_us, secret.as_bytes()])?;
        let webhook = own(tx, endpoint_id, account_id, now_us)?;
        let body = WebhookWithSecret { webhook, secret: secret.reveal() };
        Ok::<_, Refusal>((StatusCode::OK, serde_json::to_value(body).expect("text keys and plain values")))
    })
    .await
}

/// What was sent to a webhook
///
/// The newest 500 that are finished, for 7 days, and all that wait.
#[utoipa::path(get, path = "/api/v1/webhooks/{webhook_id}/deliveries", operation_id = "webhook_deliveries", tag = "notices",
    security(("bearer" = [])),
    params(("webhook_id" = Uuid, Path, description = "The webhook"), PageParams),
    responses(
        (status = 200, description = "One page, newest first", body = Page<DeliveryView>),
        (status = 400, description = "`invalid_path`, `invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_webhook`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list_deliveries(
    State(deps): State<Arc<Deps>>,
    caller: Caller,
    ValidPath(endpoint_id): ValidPath<Uuid>,
    ValidQuery(params): ValidQuery<PageParams>,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    let limit = page_limit(params.limit)?;
    let before =
        params.cursor.as_deref().map(cursor::decode).transpose()?.map_or(Uuid::max(), Uuid::from_bytes);
    let found = deps
        .store
        .read(move |tx| {
            endpoints::find(tx, endpoint_id, caller.account_id)?.ok_or(Refusal::NoWebhook)?;
            let rows = tx.query(deliveries::LIST, params![endpoint_id, before, limit + 1])?;
            rows.iter()
                .map(|row| Delivery::from_row(row).map_err(Refusal::from))
                .collect::<Result<Vec<_>, _>>()
        })
        .await?;
    let page = Page::from_surplus(found, limit, |last| cursor::encode(last.delivery_id.as_bytes()));
    Ok(Json(page.map(DeliveryView::from)))
}

/// Send a delivery once more
///
/// With all its attempts, under the same `webhook-id`.
#[utoipa::path(post, path = "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", operation_id = "webhook_replay", tag = "notices",
    security(("bearer" = [])),
    params(
        ("webhook_id" = Uuid, Path, description = "The webhook"),
        ("delivery_id" = Uuid, Path, description = "The delivery"),
    ),
    responses(
        (status = 202, description = "It is on its way", body = DeliveryView),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_webhook`, `no_such_delivery`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`webhook_disabled`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`asked_too_often`: 10 in a minute", body = Problem, content_type = "application/problem+json"),
    ))]
async fn replay(
    State(deps): State<Arc<Deps>>,
    caller: Caller,
    ValidPath((endpoint_id, delivery_id)): ValidPath<(Uuid, Uuid)>,
) -> Result<(StatusCode, Json<DeliveryView>), Problem> {
    let (account_id, now_us) = (caller.account_id, deps.clock.now_us());
    let view = deps
        .store
        .locked(move |tx| {
            take_to_ask(tx, endpoint_id, account_id, now_us)?;
            if tx.execute(deliveries::REPLAY, params![delivery_id, endpoint_id, now_us])? == 0 {
                return Err(Refusal::NoDelivery);
            }
            tx.execute(endpoints::PUT_DUE, params![endpoint_id, now_us])?;
            delivery(tx, endpoint_id, delivery_id)
        })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// Takes the webhook's row, if it is the account's; whether it is enabled.
fn take(tx: &mut Tx<'_>, endpoint_id: Uuid, account_id: Uuid) -> Result<bool, Refusal> {
    let row = tx.query_opt(endpoints::TAKE_OWN, params![endpoint_id, account_id])?;
    Ok(row.ok_or(Refusal::NoWebhook)?.get(0)?)
}

/// The same for a delivery that its owner asks for.
fn take_to_ask(tx: &mut Tx<'_>, endpoint_id: Uuid, account_id: Uuid, now_us: i64) -> Result<(), Refusal> {
    if !take(tx, endpoint_id, account_id)? {
        return Err(Refusal::Disabled);
    }
    let since_us = now_us.saturating_sub(MINUTE_US);
    let asked: i64 = tx.query_one(deliveries::COUNT_ASKED, params![endpoint_id, since_us])?.get(0)?;
    if asked >= deliveries::ASKED_PER_MINUTE_MAX { Err(Refusal::TooOften) } else { Ok(()) }
}

fn own(tx: &mut Tx<'_>, endpoint_id: Uuid, account_id: Uuid, now_us: i64) -> Result<WebhookView, Refusal> {
    let endpoint = endpoints::find(tx, endpoint_id, account_id)?.ok_or(Refusal::NoWebhook)?;
    Ok(WebhookView::of(endpoint, now_us))
}

fn delivery(tx: &mut Tx<'_>, endpoint_id: Uuid, delivery_id: Uuid) -> Result<DeliveryView, Refusal> {
    let row = tx.query_opt(deliveries::FIND, params![endpoint_id, delivery_id])?;
    Ok(Delivery::from_row(&row.ok_or(Refusal::NoDelivery)?)?.into())
}

fn parse_kinds(patterns: Vec<String>) -> Result<Kinds, Problem> {
    Kinds::try_new(patterns).ok_or_else(|| {
        invalid(
            "#/kinds",
            &format!("must be 1 to {} of: a kind, a family like market.*, or *", Kinds::COUNT_MAX),
        )
    })
}

fn parse_description(text: &str) -> Result<String, Problem> {
    text::parse_name(text, DESCRIPTION).map_err(|fault| invalid("#/description", &fault))
}

fn invalid(pointer: &'static str, fault: &impl ToString) -> Problem {
    Problem::from(kinds::INVALID_BODY).at(pointer, fault.to_string())
}
