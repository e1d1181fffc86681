//! Postings, as far as they concern the caller.

use api::{Caller, Page, PageParams, Problem, ValidQuery, cursor, page_limit, timestamp};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::{Tx, params};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Deps;

store::statements! {
    /// One page of an account's postings with that account's legs, newest first.
    POSTINGS = "select p.posting_id, p.kind, p.reference, p.posted_at, l.asset_id, l.amount \
                from legs l join postings p on p.posting_id = l.posting_id \
                where l.ledger_account_id = $1 and l.posting_id in \
                (select distinct posting_id from legs where ledger_account_id = $1 and posting_id < $2 \
                 order by posting_id desc limit $3) \
                order by p.posting_id desc";
}

/// Every posting id is below this: the version digit sees to that.
const AFTER_ALL: Uuid = Uuid::max();

/// One posting, as far as it concerns the caller.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "posting_id": "019aa5c3-1f00-7000-8000-000000000001",
    "kind": "land_claim",
    "reference": "lot:4be64c3c",
    "posted_at": "2026-11-21T09:00:00Z",
    "legs": [{"asset": "coin", "amount_minor": -12_310}, {"asset": "deed:4be64c3c", "amount_minor": 1}]
}))]
pub struct PostingView {
    /// Its id.
    pub posting_id: Uuid,
    /// Why value moved: `welcome_grant`, `land_claim`, `sale` and so on.
    pub kind: String,
    /// What it is about, for example `lot:<token>`.
    pub reference: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub posted_at: jiff::Timestamp,
    /// What the caller gained or lost by it.
    pub legs: Vec<LegView>,
}

/// What the caller gained, or lost if negative.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LegView {
    /// The asset's name.
    pub asset: String,
    /// In smallest units.
    pub amount_minor: i64,
}

/// What came and went, newest first
#[utoipa::path(get, path = "/api/v1/wallet/postings", operation_id = "wallet_postings", tag = "wallet",
    security(("bearer" = [])),
    params(PageParams),
    responses(
        (status = 200, description = "One page of your postings", body = Page<PostingView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn postings(
    State(Deps { store, .. }): State<Deps>,
    caller: Caller,
    ValidQuery(page): ValidQuery<PageParams>,
) -> Result<Json<Page<PostingView>>, Problem> {
    let limit = page_limit(page.limit)?;
    let before = match &page.cursor {
        Some(text) => Uuid::from_bytes(cursor::decode(text)?),
        None => AFTER_ALL,
    };
    let found = store.read(move |tx| find_postings(tx, caller.account_id, before, limit + 1)).await?;
    Ok(Json(Page::from_surplus(found, limit, |last| cursor::encode(last.posting_id.as_bytes()))))
}

fn find_postings(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    before: Uuid,
    count: u32,
) -> Result<Vec<PostingView>, store::Error> {
    let mut found: Vec<PostingView> = Vec::new();
    for row in tx.query(POSTINGS, params![account_id, before, count])? {
        let posting_id = row.get(0)?;
        if found.last().is_none_or(|last| last.posting_id != posting_id) {
            found.push(PostingView {
                posting_id,
                kind: row.get(1)?,
                reference: row.get(2)?,
                posted_at: timestamp(row.get(3)?),
                legs: Vec::new(),
            });
        }
        if let Some(last) = found.last_mut() {
            last.legs.push(LegView { asset: row.get(4)?, amount_minor: row.get(5)? });
        }
    }
    for posting in &mut found {
        posting.legs.sort_by(|a, b| a.asset.cmp(&b.asset));
    }
    Ok(found)
}
