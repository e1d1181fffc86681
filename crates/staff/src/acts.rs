//! Acts that need two: a reversal of much money waits until somebody else approves it.
//!
//! ```text
//! waiting ── approved, by another: done in the same transaction, once
//!         ├─ refused, by another
//!         └─ expired, a day after it was asked for
//! ```
//!
//! Expiry is a matter of reading: nobody has to come by for it.

use api::{Caller, Page, Permission, Problem, timestamp};
use axum::http::StatusCode;
use events::{Audience, NewEvent};
use ledger::AccountRef;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Row, Tx, params};
use utoipa::ToSchema;
use uuid::Uuid;
use wallet::PostingFacts;

use crate::act::Done;
use crate::people::still_staff;
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::service::{Deps, Staff};

/// How long an act waits for a second person.
pub const WAITING_TIME_US: i64 = 24 * 60 * 60 * 1_000_000;

const REVERSE: &str = "reverse_posting";
/// What the vault knows the reasons of waiting acts as.
pub(crate) const FIELD: &str = "staff_act_reason";

/// The columns that [`Waiting`] is read from.
macro_rules! columns {
    () => {
        "act_id, subject_id, amount_minor, requested_by, requested_at, expires_at, reason_sealed, state, decided_by, \
         decided_at, posting_id"
    };
}

store::statements! {
    /// Writes one that waits.
    ADD = "insert into staff_acts (act_id, kind, subject_id, amount_minor, requested_by, requested_at, expires_at, \
           reason_sealed, state, decided_by, decided_at, posting_id) \
           values ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', null, null, null) \
           on conflict (kind, subject_id) where state = 'waiting' do nothing";
    /// Ends those whose time is up, so that the same may be asked for again.
    EXPIRE = "update staff_acts set state = 'expired', decided_at = expires_at \
              where kind = $1 and subject_id = $2 and state = 'waiting' and expires_at <= $3";
    /// One, until the transaction ends.
    TAKE = concat!("select ", columns!(), " from staff_acts where act_id = $1 for update");
    /// Decides.
    DECIDE = "update staff_acts set state = $2, decided_by = $3, decided_at = $4, posting_id = $5 \
              where act_id = $1 and state = 'waiting'";
    /// One page, newest first.
    LIST = concat!("select ", columns!(), " from staff_acts where act_id < $1 order by act_id desc limit $2");
}

/// Where an act is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActState {
    /// For a second person.
    Waiting,
    /// It is done.
    Approved,
    /// It is not done.
    Refused,
    /// Its time was up.
    Expired,
}

impl ActState {
    const ALL: [Self; 4] = [Self::Waiting, Self::Approved, Self::Refused, Self::Expired];

    const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }
}

/// An act that waits for a second person, or did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "act_id": "019aa5c3-1f00-7000-8000-000000000009",
    "kind": "reverse_posting",
    "subject_id": "019aa5c3-1f00-7000-8000-000000000001",
    "amount_minor": 2_000_000,
    "requested_by": "019aa5c3-1f00-7000-8000-000000000002",
    "requested_by_name": "Ada",
    "requested_at": "2026-11-21T09:00:00Z",
    "expires_at": "2026-11-22T09:00:00Z",
    "reason": "Paid twice, see the statement.",
    "state": "waiting"
}))]
pub(crate) struct ActView {
    /// Its id.
    pub(crate) act_id: Uuid,
    /// What is to be done: `reverse_posting`.
    pub(crate) kind: String,
    /// To what: the posting.
    pub(crate) subject_id: Uuid,
    /// How much it moves.
    pub(crate) amount_minor: i64,
    /// Who asked for it.
    pub(crate) requested_by: Uuid,
    /// What they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) requested_by_name: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) requested_at: jiff::Timestamp,
    /// Until when somebody may approve it.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) expires_at: jiff::Timestamp,
    /// Why, in lists; absent once whoever asked has been erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Where it is.
    pub(crate) state: ActState,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) decided_by: Option<Uuid>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) decided_at: Option<jiff::Timestamp>,
    /// The posting it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) posting_id: Option<Uuid>,
}

/// A posting that was taken back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "posting_id": "019aa5c3-1f00-7000-8000-000000000009",
    "reverses": "019aa5c3-1f00-7000-8000-000000000001"
}))]
pub(crate) struct ReversedView {
    /// The posting that takes it back.
    pub(crate) posting_id: Uuid,
    /// What was taken back.
    pub(crate) reverses: Uuid,
}

/// An act as it is written.
struct Waiting {
    act_id: Uuid,
    subject_id: Uuid,
    amount_minor: i64,
    requested_by: Uuid,
    requested_at_us: i64,
    expires_at_us: i64,
    reason_sealed: Vec<u8>,
    state: ActState,
    decided_by: Option<Uuid>,
    decided_at_us: Option<i64>,
    posting_id: Option<Uuid>,
}

impl Waiting {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        let code: String = row.get(7)?;
        let state = ActState::ALL
            .into_iter()
            .find(|it| it.code() == code)
            .ok_or_else(|| store::Error::Damaged { detail: "staff_acts: no such state".to_owned() })?;
        Ok(Self {
            act_id: row.get(0)?,
            subject_id: row.get(1)?,
            amount_minor: row.get(2)?,
            requested_by: row.get(3)?,
            requested_at_us: row.get(4)?,
            expires_at_us: row.get(5)?,
            reason_sealed: row.get(6)?,
            state,
            decided_by: row.get(8)?,
            decided_at_us: row.get(9)?,
            posting_id: row.get(10)?,
        })
    }

    fn state_at(&self, now_us: i64) -> ActState {
        let is_over = self.state == ActState::Waiting && self.expires_at_us <= now_us;
        if is_over { ActState::Expired } else { self.state }
    }

    fn view(self, tx: &mut Tx<'_>, deps: &Deps, now_us: i64) -> Result<ActView, store::Error> {
        let state = self.state_at(now_us);
        // Erasure empties it.
        let reason = match self.reason_sealed.as_slice() {
            [] => None,
            sealed => deps.vault.open_text(tx, self.requested_by, FIELD, sealed)?,
        };
        Ok(ActView {
            act_id: self.act_id,
            kind: REVERSE.to_owned(),
            subject_id: self.subject_id,
            amount_minor: self.amount_minor,
            requested_by: self.requested_by,
            requested_by_name: identity::display_name(tx, self.requested_by)?,
            requested_at: timestamp(self.requested_at_us),
            expires_at: timestamp(self.expires_at_us),
            reason,
            state,
            decided_by: self.decided_by,
            decided_at: self.decided_at_us.map(timestamp),
            posting_id: self.posting_id,
        })
    }
}

impl Staff {
    /// Acts that wait or waited, newest first.
    pub(crate) async fn acts(&self, before: Option<Uuid>, limit: u32) -> Result<Page<ActView>, Problem> {
        let deps = self.deps.clone();
        let (before, now_us) = (before.unwrap_or(Uuid::max()), deps.clock.now_us());
        let found = self.deps.store.read(move |tx| {
            let rows = tx.query(LIST, params![before, limit + 1])?;
            let mut views = Vec::with_capacity(rows.len());
            for row in rows {
                views.push(Waiting::from_row(&row)?.view(tx, &deps, now_us)?);
            }
            Ok::<_, Refusal>(views)
        });
        Ok(Page::from_surplus(found.await?, limit, |last| api::cursor::encode(last.act_id.as_bytes())))
    }
}

/// Takes a posting back, or asks for it if it moved much.
pub(crate) fn reverse(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: &Caller,
    posting_id: Uuid,
    reason: &Reason,
    now_us: i64,
) -> Result<Done, Refusal> {
    still_staff(tx, caller)?;
    let facts = reversible(tx, caller, posting_id)?;
    let amount_minor = facts.moved_minor();
    if amount_minor <= deps.second_person_minor {
        let mut done = execute(tx, deps, &facts, now_us)?;
        done.details["amount_minor"] = amount_minor.into();
        return Ok(done);
    }
    tx.execute(EXPIRE, params![REVERSE, posting_id, now_us])?;
    let act = Waiting {
        act_id: events::next_id(),
        subject_id: posting_id,
        amount_minor,
        requested_by: caller.account_id,
        requested_at_us: now_us,
        expires_at_us: now_us.saturating_add(WAITING_TIME_US),
        reason_sealed: deps.vault.seal(tx, caller.account_id, FIELD, reason.words().as_bytes())?,
        state: ActState::Waiting,
        decided_by: None,
        decided_at_us: None,
        posting_id: None,
    };
    let added = tx.execute(
        ADD,
        params![
            act.act_id,
            REVERSE,
            act.subject_id,
            act.amount_minor,
            act.requested_by,
            act.requested_at_us,
            act.expires_at_us,
            act.reason_sealed.clone()
        ],
    )?;
    if added == 0 {
        return Err(Refusal::Waiting);
    }
    let details = json!({"act_id": act.act_id, "amount_minor": amount_minor});
    let subject = ("posting", posting_id.to_string());
    let view = ActView { reason: None, ..act.view(tx, deps, now_us)? };
    let mut done = Done::new(&view, "ledger.reversal_requested", subject, details);
    done.status = StatusCode::ACCEPTED;
    Ok(done)
}

/// A posting that may be taken back by somebody who neither gained nor lost by it.
fn reversible(tx: &mut Tx<'_>, caller: &Caller, posting_id: Uuid) -> Result<PostingFacts, Refusal> {
    let facts = wallet::posting_facts(tx, posting_id)?;
    let facts = facts.ok_or(Refusal::NoSuchEntry { what: "posting" })?;
    if facts.moves_deeds() {
        return Err(Refusal::MovesDeeds);
    }
    if facts.reverses.is_some() {
        return Err(Refusal::IsReversal);
    }
    if facts.reversed_by.is_some() {
        return Err(Refusal::ReversedBefore);
    }
    if facts.legs.iter().any(|it| it.account_id == caller.account_id) {
        return Err(Refusal::Oneself);
    }
    Ok(facts)
}

/// Books the opposite, and tells those whose money it is.
fn execute(tx: &mut Tx<'_>, deps: &Deps, facts: &PostingFacts, now_us: i64) -> Result<Done, Refusal> {
    let posting_id = facts.posting_id;
    // A posting is taken back once, so its own id is name enough.
    let client_id = format!("staff_reversal:{posting_id}");
    let posted = wallet::reverse(tx, posting_id, client_id, format!("posting:{posting_id}"), now_us)?;
    if !posted.is_new {
        return Err(Refusal::ReversedBefore);
    }
    let view = ReversedView { posting_id: posted.posting_id, reverses: posting_id };
    let subject = ("posting", posting_id.to_string());
    let details = json!({"posting_id": posted.posting_id});
    let mut done = Done::new(&view, "ledger.reversed", subject, details);
    for leg in &facts.legs {
        if !matches!(AccountRef::from_id(leg.account_id), AccountRef::Wallet(_)) {
            continue;
        }
        done.news.push(NewEvent {
            kind: "wallet.reversed",
            audience: Audience::Accounts(deps.told(tx, leg.account_id)?),
            data: json!({
                "posting_id": posted.posting_id,
                "reverses": posting_id,
                "kind": facts.kind,
                "currency": leg.asset,
                "amount_minor": -leg.amount_minor,
            }),
        });
    }
    Ok(done)
}

/// What the second person says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Approve,
    Refuse,
}

/// Decides about an act that waits; approved, it is done now.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: &Caller,
    act_id: Uuid,
    verdict: Verdict,
    now_us: i64,
) -> Result<Done, Refusal> {
    still_staff(tx, caller)?;
    let act = tx.query_opt(TAKE, params![act_id])?.ok_or(Refusal::NoSuchAct)?;
    let mut act = Waiting::from_row(&act)?;
    if act.requested_by == caller.account_id {
        return Err(Refusal::OwnAct);
    }
    match act.state_at(now_us) {
        ActState::Waiting => {}
        state => return Err(Refusal::ActClosed { state: state.code() }),
    }
    let details =
        json!({"act_id": act_id, "requested_by": act.requested_by, "amount_minor": act.amount_minor});
    let (state, mut done) = match verdict {
        Verdict::Refuse => {
            let subject = ("posting", act.subject_id.to_string());
            (ActState::Refused, Done::new(&json!({}), "ledger.reversal_refused", subject, details))
        }
        Verdict::Approve => {
            // What somebody asked for who may no longer ask is not done.
            let standing = identity::standing(tx, act.requested_by)?;
            let may = standing
                .is_some_and(|it| it.role.may(Permission::LedgerReverse) && it.state.check(now_us).is_ok());
            if !may {
                return Err(Refusal::ActClosed { state: "void" });
            }
            let facts = reversible(tx, caller, act.subject_id)?;
            let mut done = execute(tx, deps, &facts, now_us)?;
            act.posting_id = serde_json::from_value(done.details["posting_id"].clone()).ok();
            let posting_id = done.details["posting_id"].take();
            done.details = details;
            done.details["posting_id"] = posting_id;
            (ActState::Approved, done)
        }
    };
    let decided = params![act_id, state.code(), caller.account_id, now_us, act.posting_id];
    if tx.execute(DECIDE, decided)? != 1 {
        return Err(Refusal::ActClosed { state: state.code() });
    }
    (act.state, act.decided_by, act.decided_at_us) = (state, Some(caller.account_id), Some(now_us));
    // Answers are kept for a while as they are: words belong where erasure reaches them.
    let view = ActView { reason: None, ..act.view(tx, deps, now_us)? };
    done.body = serde_json::to_value(view).expect("an act has text keys and plain values");
    Ok(done)
}
