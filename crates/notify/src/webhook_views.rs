//! Webhooks and deliveries as clients see them, and why requests about them are refused.

use api::{Problem, ProblemKind, timestamp};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ENDPOINTS_PER_ACCOUNT_MAX;
use crate::deliveries::{ASKED_PER_MINUTE_MAX, Delivery};
use crate::endpoints::Endpoint;

/// A webhook of the caller.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct WebhookView {
    /// Its id.
    pub webhook_id: Uuid,
    /// Where events are sent to.
    #[schema(example = "https://example.com/terrane")]
    pub url: String,
    /// What its owner calls it.
    pub description: String,
    /// Which kinds of events: a kind, a family like `market.*`, or `*`.
    #[schema(example = json!(["market.*", "rent.due"]))]
    pub kinds: Vec<String>,
    /// Whether anything is sent.
    pub is_enabled: bool,
    /// Why nothing is: `by_owner`, `gone` (it answered 410), `failing` (nothing was taken for 5 days) or
    /// `too_far_behind` (1000 deliveries waited).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// Since when nothing has been taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<jiff::Timestamp>,
    /// Until when the secret before the present one signs, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub rotating_until: Option<jiff::Timestamp>,
    /// When it was set up.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: jiff::Timestamp,
}

impl WebhookView {
    pub(crate) fn of(endpoint: Endpoint, now_us: i64) -> Self {
        Self {
            webhook_id: endpoint.endpoint_id,
            url: endpoint.url,
            description: endpoint.description,
            kinds: endpoint.kinds.as_slice().to_vec(),
            is_enabled: endpoint.is_enabled,
            disabled_reason: endpoint.disabled_reason,
            failing_since: endpoint.failing_since_us.map(timestamp),
            rotating_until: endpoint.is_rotating_until_us.filter(|it| *it > now_us).map(timestamp),
            created_at: timestamp(endpoint.created_at_us),
        }
    }
}

/// A webhook with its new secret, which is shown this once.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook.
    pub webhook: WebhookView,
    /// The key of its signatures: `whsec_` and base64. Keep it; it is not shown again.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
}

/// All webhooks of the caller.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct WebhooksView {
    /// In the order in which they were set up; at most 5.
    pub items: Vec<WebhookView>,
}

/// One event on its way to a webhook.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeliveryView {
    /// Its id.
    pub delivery_id: Uuid,
    /// What `webhook-id` says at each attempt.
    #[schema(example = "msg_019aa5c31f0070008000000000000001")]
    pub message_id: String,
    /// The event; of a test, an id of its own.
    pub event_id: Uuid,
    /// The event's kind; `webhook.test` of a test.
    pub kind: String,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub attempt_count: u32,
    /// When it is tried next, if it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<jiff::Timestamp>,
    /// Since when it is known.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: jiff::Timestamp,
    /// When it was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub attempted_at: Option<jiff::Timestamp>,
    /// When it was taken or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<jiff::Timestamp>,
    /// The status of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_status: Option<u32>,
    /// Why the last attempt had no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_fault: Option<String>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let is_waiting = delivery.state == "waiting";
        Self {
            delivery_id: delivery.delivery_id,
            message_id: message_id(delivery.delivery_id),
            event_id: delivery.event_id,
            kind: delivery.kind,
            state: delivery.state,
            attempt_count: delivery.attempt_count,
            next_attempt_at: is_waiting.then(|| timestamp(delivery.due_at_us)),
            created_at: timestamp(delivery.created_at_us),
            attempted_at: delivery.attempted_at_us.map(timestamp),
            finished_at: delivery.finished_at_us.map(timestamp),
            answer_status: delivery.answer_status,
            answer_fault: delivery.answer_fault,
        }
    }
}

/// What receivers know a delivery by.
pub(crate) fn message_id(delivery_id: Uuid) -> String {
    format!("msg_{}", delivery_id.simple())
}

const NO_WEBHOOK: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_webhook", "You have no such webhook");
const NO_DELIVERY: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_delivery", "The webhook has no such delivery");
const TOO_MANY_WEBHOOKS: ProblemKind = ProblemKind::new(
    StatusCode::CONFLICT,
    "too_many_webhooks",
    "You have as many webhooks as an account can have",
);
const DISABLED: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "webhook_disabled", "The webhook is disabled");
const TOO_OFTEN: ProblemKind =
    ProblemKind::new(StatusCode::TOO_MANY_REQUESTS, "asked_too_often", "Too many deliveries were asked for");

/// Why a request about a webhook is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("no such webhook")]
    NoWebhook,
    #[error("no such delivery")]
    NoDelivery,
    #[error("an account can have {ENDPOINTS_PER_ACCOUNT_MAX}")]
    TooMany,
    #[error("enable it first")]
    Disabled,
    #[error("{ASKED_PER_MINUTE_MAX} a minute can be asked for")]
    TooOften,
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            Refusal::NoWebhook => NO_WEBHOOK.into(),
            Refusal::NoDelivery => NO_DELIVERY.into(),
            Refusal::TooMany => TOO_MANY_WEBHOOKS.detail(sentence),
            Refusal::Disabled => DISABLED.detail(sentence),
            Refusal::TooOften => TOO_OFTEN.detail(sentence).retry_after_s(60),
            Refusal::Store(error) => error.into(),
        }
    }
}
