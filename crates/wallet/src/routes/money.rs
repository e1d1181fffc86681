//! What somebody has.

use api::{Caller, Problem, ValidQuery};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Deps, OwnerParams, read_for};
use crate::balances;

/// What the caller has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct WalletView {
    /// One entry per currency.
    pub balances: Vec<BalanceView>,
}

/// An amount of money.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"asset": "coin", "code": "coin", "amount_minor": 50_000, "held_minor": 12_000,
    "available_minor": 38_000, "scale": 2}))]
pub struct BalanceView {
    /// The asset's name.
    pub asset: String,
    /// The currency's code.
    pub code: String,
    /// In smallest units, at most 2⁵³ − 1; what is held is part of it.
    pub amount_minor: i64,
    /// What of it is promised, by bids and the like, and cannot be spent.
    pub held_minor: i64,
    /// What can be spent.
    pub available_minor: i64,
    /// Decimal places of the amounts.
    pub scale: u8,
}

/// What you have
#[utoipa::path(get, path = "/api/v1/wallet", operation_id = "wallet", tag = "wallet",
    security(("bearer" = [])),
    params(OwnerParams),
    responses(
        (status = 200, description = "Your money", body = WalletView),
        (status = 400, description = "`invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You do not act for that group (`no_authority`)", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn wallet(
    State(deps): State<Deps>,
    caller: Caller,
    ValidQuery(owner): ValidQuery<OwnerParams>,
) -> Result<Json<WalletView>, Problem> {
    let money = read_for(&deps, caller, owner.as_group, balances::money).await?;
    let balances = money
        .into_iter()
        .map(|it| BalanceView {
            asset: it.asset.to_string(),
            code: it.asset.to_string(),
            amount_minor: it.amount.minor(),
            held_minor: it.held.minor(),
            available_minor: it.amount.minor() - it.held.minor(),
            scale: it.scale,
        })
        .collect();
    Ok(Json(WalletView { balances }))
}
