//! What is held of somebody's money, and what for.

use api::{Caller, Page, Problem, ValidQuery, cursor, page_limit, timestamp};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::{Row, Tx, params};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Deps, read_for};

store::statements! {
    /// One page of an account's pending holds.
    PENDING = "select hold_id, asset_id, amount, kind, reference, created_at, expires_at from holds \
               where ledger_account_id = $1 and hold_id > $2 and state = 'pending' order by hold_id limit $3";
}

/// Money that is promised and cannot be spent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "hold_id": "019aa5c3-1f00-7000-8000-000000000001",
    "asset": "coin",
    "amount_minor": 12_000,
    "kind": "bid",
    "reference": "auction:019aa5c3-1f00-7000-8000-000000000002",
    "created_at": "2026-11-21T09:00:00Z"
}))]
pub struct HoldView {
    /// Its id.
    pub hold_id: Uuid,
    /// Of what.
    pub asset: String,
    /// How much.
    pub amount_minor: i64,
    /// What for: `bid`, `offer`, `deposit`, `checkout`.
    pub kind: String,
    /// What it is about.
    pub reference: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: jiff::Timestamp,
    /// When it ends by itself; absent if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<jiff::Timestamp>,
}

impl HoldView {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            hold_id: row.get(0)?,
            asset: row.get(1)?,
            amount_minor: row.get(2)?,
            kind: row.get(3)?,
            reference: row.get(4)?,
            created_at: timestamp(row.get(5)?),
            expires_at: row.get::<Option<i64>>(6)?.map(timestamp),
        })
    }
}

/// Which holds.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HoldsParams {
    /// A group whose officer you are; your own wallet if absent.
    as_group: Option<Uuid>,
    /// `next_cursor` of the page before; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// What of your money is held, and what for
#[utoipa::path(get, path = "/api/v1/wallet/holds", operation_id = "wallet_holds", tag = "wallet",
    security(("bearer" = [])),
    params(HoldsParams),
    responses(
        (status = 200, description = "One page of pending holds", body = Page<HoldView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You do not act for that group (`no_authority`)", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn holds(
    State(deps): State<Deps>,
    caller: Caller,
    ValidQuery(asked): ValidQuery<HoldsParams>,
) -> Result<Json<Page<HoldView>>, Problem> {
    let limit = page_limit(asked.limit)?;
    let after = match &asked.cursor {
        Some(text) => Uuid::from_bytes(cursor::decode(text)?),
        None => Uuid::nil(),
    };
    let found =
        read_for(&deps, caller, asked.as_group, move |tx, owner_id| pending(tx, owner_id, after, limit + 1))
            .await?;
    Ok(Json(Page::from_surplus(found, limit, |last| cursor::encode(last.hold_id.as_bytes()))))
}

fn pending(tx: &mut Tx<'_>, owner_id: Uuid, after: Uuid, count: u32) -> Result<Vec<HoldView>, store::Error> {
    tx.query(PENDING, params![owner_id, after, count])?.iter().map(HoldView::from_row).collect()
}
