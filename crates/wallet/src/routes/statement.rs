//! The statement of one balance: every leg, and what was there after it.

use api::{Caller, Page, Problem, ValidQuery, cursor, page_limit, timestamp};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::{Row, Tx, params};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Deps, asset_named, read_for};

store::statements! {
    /// One page of a balance's legs, newest first.
    NEWEST = "select l.leg_number, l.posting_id, p.posted_at, p.kind, p.reference, l.amount, l.balance_after, \
              t.from_account_id, t.to_account_id, t.message \
              from legs l join postings p on p.posting_id = l.posting_id \
              left join transfers t on t.posting_id = l.posting_id \
              where l.ledger_account_id = $1 and l.asset_id = $2 and l.leg_number < $3 \
              order by l.leg_number desc limit $4";
}

/// One change of a balance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "number": 17,
    "posting_id": "019aa5c3-1f00-7000-8000-000000000001",
    "posted_at": "2026-11-21T09:00:00Z",
    "kind": "transfer",
    "reference": "",
    "amount_minor": -1_500,
    "balance_minor": 48_500,
    "counterparty_id": "019aa5c3-1f00-7000-8000-000000000002",
    "message": "for the bench"
}))]
pub struct StatementLine {
    /// 1, 2, 3 and so on in this balance, without a gap.
    pub number: i64,
    /// The posting it belongs to.
    pub posting_id: Uuid,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub posted_at: jiff::Timestamp,
    /// Why value moved: `welcome_grant`, `land_claim`, `sale`, `transfer` and so on.
    pub kind: String,
    /// What it is about, for example `lot:<token>`.
    pub reference: String,
    /// Gained, or lost if negative.
    pub amount_minor: i64,
    /// What was there afterwards.
    pub balance_minor: i64,
    /// Who was on the other side of a transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty_id: Option<Uuid>,
    /// What was said with a transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl StatementLine {
    /// From the columns `leg_number, posting_id, posted_at, kind, reference, amount, balance_after, from_account_id,
    /// to_account_id, message`.
    pub(super) fn from_row(row: &Row, owner_id: Uuid) -> Result<Self, store::Error> {
        let (from, to): (Option<Uuid>, Option<Uuid>) = (row.get(7)?, row.get(8)?);
        Ok(Self {
            number: row.get(0)?,
            posting_id: row.get(1)?,
            posted_at: timestamp(row.get(2)?),
            kind: row.get(3)?,
            reference: row.get(4)?,
            amount_minor: row.get(5)?,
            balance_minor: row.get(6)?,
            counterparty_id: [from, to].into_iter().flatten().find(|it| *it != owner_id),
            message: row.get(9)?,
        })
    }
}

/// Which part of which statement.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StatementParams {
    /// A currency's code, or `deed:<token>`; `coin` if absent.
    asset: Option<String>,
    /// A group whose officer you are; your own wallet if absent.
    as_group: Option<Uuid>,
    /// `next_cursor` of the page before; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Every change of one balance, newest first, with what was there after it
#[utoipa::path(get, path = "/api/v1/wallet/statement", operation_id = "wallet_statement", tag = "wallet",
    security(("bearer" = [])),
    params(StatementParams),
    responses(
        (status = 200, description = "One page of the statement", body = Page<StatementLine>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You do not act for that group (`no_authority`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`unknown_asset`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn statement(
    State(deps): State<Deps>,
    caller: Caller,
    ValidQuery(asked): ValidQuery<StatementParams>,
) -> Result<Json<Page<StatementLine>>, Problem> {
    let limit = page_limit(asked.limit)?;
    let before = match &asked.cursor {
        Some(text) => i64::from_be_bytes(cursor::decode(text)?),
        None => i64::MAX,
    };
    let asset = asset_named(asked.asset.as_deref())?;
    let lines = read_for(&deps, caller, asked.as_group, move |tx, owner_id| {
        newest(tx, owner_id, asset.as_str(), before, limit + 1)
    })
    .await?;
    Ok(Json(Page::from_surplus(lines, limit, |last| cursor::encode(&last.number.to_be_bytes()))))
}

fn newest(
    tx: &mut Tx<'_>,
    owner_id: Uuid,
    asset: &str,
    before: i64,
    count: u32,
) -> Result<Vec<StatementLine>, store::Error> {
    let rows = tx.query(NEWEST, params![owner_id, asset, before, count])?;
    rows.iter().map(|row| StatementLine::from_row(row, owner_id)).collect()
}
