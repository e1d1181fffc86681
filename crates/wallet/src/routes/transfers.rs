//! Giving money to somebody.

use std::collections::HashSet;
use std::sync::Arc;

use api::idempotency::{self, Answer, Decided, Decision, Fingerprint};
use api::text::{NameRule, parse_name};
use api::{Caller, IdempotencyKey, Problem, ProblemKind, SharedClock, ValidJson, kinds, timestamp};
use axum::extract::State;
use axum::http::StatusCode;
use events::{Audience, NewEvent};
use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Group, Isolation, Tx, params};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Authority, Deps, NO_AUTHORITY, UNKNOWN_CURRENCY, may_act};
use crate::{Economy, PostError, post_all};

/// Transfers that share a commit at most.
const TOGETHER_MAX: usize = 256;
const MESSAGE: NameRule = NameRule { chars_min: 1, chars_max: 140 };

store::statements! {
    /// Which of these are accounts of players or groups.
    KNOWN = "select a.ledger_account_id from rows(account_id uuid) \
             join ledger_accounts a on a.ledger_account_id = rows.account_id where a.kind = 'wallet'";
    /// Who gave to whom, and what they said.
    ADD = "insert into transfers (posting_id, from_account_id, to_account_id, message) \
           select posting_id, from_account_id, to_account_id, message \
           from rows(posting_id uuid, from_account_id uuid, to_account_id uuid, message text) \
           where true on conflict (posting_id) do nothing";
}

const SELF_TRANSFER: ProblemKind = ProblemKind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "self_transfer",
    "Money cannot be given to its own owner",
);
const UNKNOWN_ACCOUNT: ProblemKind =
    ProblemKind::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_account", "There is no such account");
const INSUFFICIENT_FUNDS: ProblemKind =
    ProblemKind::new(StatusCode::UNPROCESSABLE_ENTITY, "insufficient_funds", "You do not have enough");
const BALANCE_TOO_LARGE: ProblemKind = ProblemKind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "balance_too_large",
    "They would have more than can be counted",
);

/// Money for somebody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "to_account_id": "019aa5c3-1f00-7000-8000-000000000002",
    "currency": "coin",
    "amount_minor": 1_500,
    "message": "for the bench"
}))]
pub struct TransferRequest {
    /// A player or a group.
    pub to_account_id: Uuid,
    /// The currency's code.
    pub currency: String,
    /// How much, in smallest units.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount_minor: i64,
    /// A few words for them, 140 characters at most.
    #[serde(default)]
    pub message: Option<String>,
    /// A group whose officer you are, to give its money; your own if absent.
    #[serde(default)]
    pub as_group: Option<Uuid>,
}

/// Money that was given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TransferView {
    /// Its posting.
    pub posting_id: Uuid,
    /// Who gave.
    pub from_account_id: Uuid,
    /// Who got.
    pub to_account_id: Uuid,
    /// The currency's code.
    pub currency: String,
    /// How much.
    pub amount_minor: i64,
    /// What was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub posted_at: jiff::Timestamp,
}

/// Makes transfers; those that arrive together share a commit.
pub(super) struct Transfers {
    group: Group<Transfer, Result<Answer, Problem>>,
    clock: SharedClock,
    wake: events::Wake,
}

impl Transfers {
    pub(super) fn start(deps: &Deps) -> Self {
        let authority = Arc::clone(&deps.authority);
        let body = move |tx: &mut Tx<'_>, transfers: &[Transfer]| make_all(tx, transfers, &authority);
        let group = Group::start(deps.store.clone(), "transfers", Isolation::Locked, TOGETHER_MAX, body);
        Self { group, clock: Arc::clone(&deps.clock), wake: deps.wake.clone() }
    }
}

/// Give money to a player or a group
#[utoipa::path(post, path = "/api/v1/wallet/transfers", operation_id = "wallet_transfer", tag = "wallet",
    security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "A new UUID for each transfer, the same one when repeating it", min_length = 1, max_length = 64)),
    request_body = TransferRequest,
    responses(
        (status = 201, description = "It was given", body = TransferView),
        (status = 400, description = "`malformed_json`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You do not act for that group (`no_authority`)", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`, `unknown_currency`, `self_transfer`, `unknown_account`, `insufficient_funds` (with `available_minor`), `balance_too_large`, `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`storage_unavailable`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn transfer(
    State(transfers): State<Arc<Transfers>>,
    caller: Caller,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<TransferRequest>,
) -> Result<Answer, Problem> {
    let transfer = Transfer::try_new(caller, key, request, transfers.clock.now_us())?;
    let answer = transfers.group.submit(transfer).await??;
    transfers.wake.wake();
    Ok(answer)
}

/// A transfer whose form is right.
struct Transfer {
    decision: Decision,
    caller_id: Uuid,
    from: Uuid,
    to: Uuid,
    asset: AssetId,
    amount: Amount,
    message: Option<String>,
    posting: Posting,
}

impl Transfer {
    fn try_new(
        caller: Caller,
        key: IdempotencyKey,
        request: TransferRequest,
        now_us: i64,
    ) -> Result<Self, Problem> {
        let TransferRequest { to_account_id: to, currency, amount_minor, message, as_group } = request;
        let invalid = || Problem::from(kinds::INVALID_BODY);
        let amount = Amount::try_from_minor(amount_minor)
            .filter(|it| *it > Amount::ZERO)
            .ok_or_else(|| invalid().at("#/amount_minor", "must be from 1 to 9007199254740991"))?;
        let message = message
            .map(|it| parse_name(&it, MESSAGE))
            .transpose()
            .map_err(|fault| invalid().at("#/message", fault.to_string()))?;
        let asset = Economy::embedded()
            .currency(&currency)
            .ok_or_else(|| Problem::from(UNKNOWN_CURRENCY).at("#/currency", "not among the currencies"))?
            .asset();
        let caller_id = caller.account_id;
        let from = as_group.unwrap_or(caller_id);
        if from == to {
            return Err(SELF_TRANSFER.into());
        }
        let fingerprint = Fingerprint::of("POST /wallet/transfers")
            .with(from.as_bytes())
            .with(to.as_bytes())
            .with(asset.as_str().as_bytes())
            .with(&amount_minor.to_be_bytes())
            .with(message.as_deref().unwrap_or_default().as_bytes());
        let client_id = format!("transfer:{caller_id}:{}", key.as_str());
        let posting = Posting::of(PostingKind::Transfer, client_id, "")
            .transfer(AccountRef::Wallet(from), AccountRef::Wallet(to), &asset, amount)
            .finish()
            .expect("two legs of one amount between two owners are balanced");
        let decision = Decision { account_id: caller_id, key, fingerprint, now_us };
        Ok(Self { decision, caller_id, from, to, asset, amount, message, posting })
    }

    fn view(&self, posting_id: Uuid) -> TransferView {
        TransferView {
            posting_id,
            from_account_id: self.from,
            to_account_id: self.to,
            currency: self.asset.to_string(),
            amount_minor: self.amount.minor(),
            message: self.message.clone(),
            posted_at: timestamp(self.decision.now_us),
        }
    }

    /// What the two are told.
    fn events(&self, posting_id: Uuid) -> [NewEvent; 2] {
        let of = |kind, whose: Uuid, other: Uuid| NewEvent {
            kind,
            audience: Audience::Accounts(vec![whose]),
            data: json!({
                "posting_id": posting_id,
                "reason": PostingKind::Transfer.code(),
                "counterparty_id": other,
                "currency": self.asset.as_str(),
                "amount_minor": self.amount.minor(),
                "message": self.message,
            }),
        };
        [of("wallet.paid", self.from, self.to), of("wallet.received", self.to, self.from)]
    }
}

fn make_all(
    tx: &mut Tx<'_>,
    transfers: &[Transfer],
    authority: &Authority,
) -> Result<Vec<Result<Answer, Problem>>, store::Error> {
    let decisions: Vec<Decision> = transfers.iter().map(|it| it.decision.clone()).collect();
    idempotency::run_all(tx, &decisions, |tx, new| {
        let transfers: Vec<&Transfer> = new.iter().map(|at| &transfers[*at]).collect();
        make_new(tx, &transfers, authority)
    })
}

/// Each refusal in the order of the codes in the route's document.
fn make_new(
    tx: &mut Tx<'_>,
    transfers: &[&Transfer],
    authority: &Authority,
) -> Result<Vec<Decided>, store::Error> {
    let rows: Vec<_> = transfers.iter().map(|it| params![it.to].to_vec()).collect();
    let known: HashSet<Uuid> =
        tx.query_rows(KNOWN, &rows)?.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    let mut outcomes: Vec<Option<Decided>> = Vec::with_capacity(transfers.len());
    let mut allowed = Vec::new();
    for transfer in transfers {
        outcomes.push(if !may_act(authority, tx, transfer.from, transfer.caller_id)? {
            Some(Err(NO_AUTHORITY.into()))
        } else if known.contains(&transfer.to) {
            allowed.push(*transfer);
            None
        } else {
            Some(Err(Problem::from(UNKNOWN_ACCOUNT).at("#/to_account_id", "no player and no group")))
        });
    }
    let mut made = book(tx, &allowed)?.into_iter();
    let outcomes = outcomes.into_iter().map(|it| it.or_else(|| made.next()));
    Ok(outcomes.map(|it| it.expect("each allowed transfer was decided")).collect())
}

fn book(tx: &mut Tx<'_>, transfers: &[&Transfer]) -> Result<Vec<Decided>, store::Error> {
    let Some(now_us) = transfers.iter().map(|it| it.decision.now_us).max() else { return Ok(Vec::new()) };
    let postings: Vec<Posting> = transfers.iter().map(|it| it.posting.clone()).collect();
    let (mut rows, mut events, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
    for (transfer, fate) in transfers.iter().zip(post_all(tx, &postings, now_us)?) {
        outcomes.push(match fate {
            Ok(posted) => {
                let id = posted.posting_id;
                rows.push(params![id, transfer.from, transfer.to, transfer.message.clone()].to_vec());
                if posted.is_new {
                    events.extend(transfer.events(id));
                }
                let view = serde_json::to_value(transfer.view(id)).expect("a transfer has only text keys");
                Ok((StatusCode::CREATED, view))
            }
            Err(error) => Err(refusal(error)?),
        });
    }
    tx.execute_rows(ADD, &rows)?;
    events::record(tx, &events, now_us)?;
    Ok(outcomes)
}

fn refusal(error: PostError) -> Result<Problem, store::Error> {
    let sentence = error.to_string();
    Ok(match error {
        PostError::InsufficientFunds { available, needed, .. } => INSUFFICIENT_FUNDS
            .detail(format!("{} are available, {} needed", available.minor(), needed.minor()))
            .fact("available_minor", available.minor()),
        PostError::TooMuch { .. } => BALANCE_TOO_LARGE.into(),
        PostError::ClientIdTaken => kinds::IDEMPOTENCY_KEY_REUSED
            .detail("this key named another transfer before; make a new key for each decision"),
        PostError::ReversedBefore { .. } => Problem::internal(&sentence),
        PostError::Store(error) => return Err(error),
    })
}
