//! People: finding them, looking at one, and what staff do to accounts.

use api::{Caller, Page, Permission, Problem, Role, kinds, timestamp};
use events::{Audience, NewEvent};
use identity::AccountState;
use identity::staff::{self, Person, Search};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Tx, params};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::act::Done;
use crate::rank::{actor_role, check_over};
use crate::refusal::Refusal;
use crate::service::{Deps, Staff};

store::statements! {
    /// How many notes there are about somebody.
    COUNT_NOTES = "select count(*) from staff_notes where account_id = $1";
}

/// Parcels shown with a person.
const LANDS_MAX: u32 = 100;
/// A longer suspension is a ban.
const SUSPENSION_MAX_US: i64 = 10 * 366 * 86_400 * 1_000_000;

/// Whether an account may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StateView {
    /// It may.
    Active,
    /// Not before a time.
    Suspended,
    /// Never again, unless somebody restores it.
    Banned,
    /// There is nobody any more.
    Erased,
}

/// A person as staff see them in lists.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "account_id": "019aa5c3-1f00-7000-8000-000000000001",
    "display_name": "Ann",
    "role": "player",
    "state": "active",
    "created_at": "2026-11-21T09:00:00Z"
}))]
pub(crate) struct PersonView {
    /// Whose account.
    pub(crate) account_id: Uuid,
    /// What they are called.
    pub(crate) display_name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// Whether the account may be used.
    pub(crate) state: StateView,
    /// When a suspension ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) suspended_until: Option<jiff::Timestamp>,
    /// Since when they are here.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: jiff::Timestamp,
}

/// One open session of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SessionView {
    /// Its id.
    pub(crate) session_id: Uuid,
    /// `key`, `password`, `email` or `provider`.
    pub(crate) method: String,
    /// When they signed in.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) signed_in_at: jiff::Timestamp,
    /// When it was last used.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) last_seen_at: jiff::Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) expires_at: jiff::Timestamp,
}

/// Land of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LandView {
    /// The parcel's token.
    pub(crate) token: String,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// How many lots it has.
    pub(crate) cell_count: u32,
    /// Whether staff have frozen it.
    pub(crate) is_frozen: bool,
}

/// What somebody has of one kind of money.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct MoneyView {
    /// Which money.
    #[schema(example = "coin")]
    pub(crate) asset: String,
    /// In smallest units.
    pub(crate) amount_minor: i64,
    /// How much of it is held.
    pub(crate) held_minor: i64,
}

/// A person as staff see them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PersonInFull {
    /// As in lists.
    pub(crate) person: PersonView,
    /// When they were last here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) last_seen_at: Option<jiff::Timestamp>,
    /// Open sessions, the one used last first.
    pub(crate) sessions: Vec<SessionView>,
    /// Their first hundred parcels.
    pub(crate) lands: Vec<LandView>,
    /// Whether there are more parcels.
    pub(crate) has_more_lands: bool,
    /// Their money.
    pub(crate) balances: Vec<MoneyView>,
    /// How many notes there are about them.
    pub(crate) note_count: i64,
}

/// What an account has become.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct EndedView {
    /// How many sessions were ended.
    pub(crate) ended: u64,
}

impl PersonView {
    pub(crate) fn of(person: Person, now_us: i64) -> Self {
        let Person { account, standing } = person;
        let state = standing.state.at(now_us);
        Self {
            account_id: account.account_id,
            display_name: account.display_name,
            role: standing.role,
            state: match state {
                AccountState::Active => StateView::Active,
                AccountState::Suspended { .. } => StateView::Suspended,
                AccountState::Banned => StateView::Banned,
                AccountState::Erased => StateView::Erased,
            },
            suspended_until: match state {
                AccountState::Suspended { until_us } => Some(timestamp(until_us)),
                _ => None,
            },
            created_at: timestamp(account.created_us),
        }
    }
}

impl Staff {
    /// People by the beginning of their name; `after` is the last one of the page before.
    pub(crate) async fn people(
        &self,
        search: Search,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Page<PersonView>, Problem> {
        let now_us = self.deps.clock.now_us();
        let found = self
            .deps
            .store
            .read(move |tx| {
                let mut search = Search { limit: limit + 1, ..search.clone() };
                if let Some(account_id) = after {
                    let Some(last) = staff::person(tx, account_id)? else {
                        return Err(Refusal::Other(kinds::INVALID_CURSOR.into()));
                    };
                    search.after = Some((staff::search_key_of(&last.account.display_name), account_id));
                }
                Ok(staff::find(tx, &search, now_us)?)
            })
            .await?;
        let views: Vec<_> = found.into_iter().map(|it| PersonView::of(it, now_us)).collect();
        Ok(Page::from_surplus(views, limit, |last| api::cursor::encode(last.account_id.as_bytes())))
    }

    /// One person with what they have.
    pub(crate) async fn person(&self, account_id: Uuid) -> Result<PersonInFull, Problem> {
        let now_us = self.deps.clock.now_us();
        let mut view = self.deps.store.read(move |tx| in_full(tx, account_id, now_us)).await?;
        let lands = self.deps.land.lots_of(account_id, None, LANDS_MAX).await?;
        view.has_more_lands = lands.next_cursor.is_some();
        view.lands = lands
            .items
            .into_iter()
            .map(|it| LandView {
                token: it.token,
                name: it.name,
                cell_count: it.cell_count,
                is_frozen: it.is_frozen,
            })
            .collect();
        Ok(view)
    }

    /// Open sessions of a person.
    pub(crate) async fn sessions(&self, account_id: Uuid) -> Result<Vec<SessionView>, Problem> {
        let now_us = self.deps.clock.now_us();
        let found = self.deps.store.read(move |tx| {
            staff::person(tx, account_id)?.ok_or(Refusal::NoSuchPerson)?;
            Ok::<_, Refusal>(sessions_of(tx, account_id, now_us)?)
        });
        Ok(found.await?)
    }
}

fn in_full(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<PersonInFull, Refusal> {
    let person = staff::person(tx, account_id)?.ok_or(Refusal::NoSuchPerson)?;
    let money = wallet::money(tx, account_id)?;
    let balances = money
        .into_iter()
        .map(|it| MoneyView {
            asset: it.asset.as_str().to_owned(),
            amount_minor: it.amount.minor(),
            held_minor: it.held.minor(),
        })
        .collect();
    Ok(PersonInFull {
        person: PersonView::of(person, now_us),
        last_seen_at: identity::last_seen(tx, account_id)?.map(timestamp),
        sessions: sessions_of(tx, account_id, now_us)?,
        lands: Vec::new(),
        has_more_lands: false,
        balances,
        note_count: tx.query_one(COUNT_NOTES, params![account_id])?.get(0)?,
    })
}

fn sessions_of(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<Vec<SessionView>, store::Error> {
    let rows = staff::sessions_of(tx, account_id, now_us)?;
    let view = |it: identity::SessionRow| SessionView {
        session_id: it.session_id,
        method: it.method,
        signed_in_at: timestamp(it.signed_in_us),
        last_seen_at: timestamp(it.last_seen_us),
        expires_at: timestamp(it.expires_us),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The person to whom something is about to be done: somebody else, of a lesser role.
pub(crate) fn subject(tx: &mut Tx<'_>, caller: &Caller, account_id: Uuid) -> Result<Person, Refusal> {
    let person = staff::person(tx, account_id)?.ok_or(Refusal::NoSuchPerson)?;
    if person.standing.state == AccountState::Erased {
        return Err(Refusal::Erased);
    }
    if account_id == caller.account_id {
        return Err(Refusal::Oneself);
    }
    check_over(tx, caller, account_id)?;
    Ok(person)
}

/// The person as they are now, and what to tell.
fn changed(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    action: &'static str,
    details: serde_json::Value,
    now_us: i64,
) -> Result<Done, Refusal> {
    let person = staff::person(tx, account_id)?.ok_or(Refusal::NoSuchPerson)?;
    let subject = ("account", account_id.to_string());
    let mut done = Done::new(&PersonView::of(person, now_us), action, subject, details);
    (done.about, done.standing_of) = (Some(account_id), Some(account_id));
    Ok(done)
}

pub(crate) fn suspend(
    tx: &mut Tx<'_>,
    caller: &Caller,
    account_id: Uuid,
    until_us: i64,
    now_us: i64,
) -> Result<Done, Refusal> {
    let person = subject(tx, caller, account_id)?;
    // A ban is more than any suspension: it is lifted first, by whoever may.
    if person.standing.state == AccountState::Banned {
        return Err(Refusal::Already { state: "banned" });
    }
    if until_us > now_us.saturating_add(SUSPENSION_MAX_US) {
        let fault = Problem::from(kinds::INVALID_BODY).at("#/until", "must be within ten years");
        return Err(Refusal::Other(fault));
    }
    let before = staff::suspend(tx, account_id, until_us, now_us)?;
    let details = json!({"from": before.name(), "until": timestamp(until_us).to_string()});
    changed(tx, account_id, "account.suspended", details, now_us)
}

pub(crate) fn ban(tx: &mut Tx<'_>, caller: &Caller, account_id: Uuid, now_us: i64) -> Result<Done, Refusal> {
    let person = subject(tx, caller, account_id)?;
    if person.standing.state == AccountState::Banned {
        return Err(Refusal::Already { state: "banned" });
    }
    let before = staff::ban(tx, account_id, now_us)?;
    changed(tx, account_id, "account.banned", json!({"from": before.name()}), now_us)
}

/// Lifts a suspension, or, by whoever may ban, a ban.
pub(crate) fn restore(
    tx: &mut Tx<'_>,
    caller: &Caller,
    account_id: Uuid,
    now_us: i64,
) -> Result<Done, Refusal> {
    let person = subject(tx, caller, account_id)?;
    match person.standing.state.at(now_us) {
        AccountState::Active => return Err(Refusal::Already { state: "active" }),
        AccountState::Banned if !caller.role.may(Permission::PeopleBan) => {
            return Err(Refusal::Other(kinds::ROLE_REQUIRED.into()));
        }
        _ => {}
    }
    let before = staff::restore(tx, account_id, now_us)?;
    changed(tx, account_id, "account.restored", json!({"from": before.name()}), now_us)
}

pub(crate) fn change_role(
    tx: &mut Tx<'_>,
    caller: &Caller,
    account_id: Uuid,
    role: Role,
    now_us: i64,
) -> Result<Done, Refusal> {
    let person = subject(tx, caller, account_id)?;
    if person.standing.role == role {
        return Err(Refusal::Already { state: role.name() });
    }
    let before = staff::set_role(tx, account_id, role, now_us)?;
    let details = json!({"from": before.name(), "to": role.name()});
    let mut done = changed(tx, account_id, "account.role_changed", details.clone(), now_us)?;
    done.news.push(NewEvent {
        kind: "account.role_changed",
        audience: Audience::Accounts(vec![account_id]),
        data: details,
    });
    Ok(done)
}

pub(crate) fn end_sessions(
    tx: &mut Tx<'_>,
    caller: &Caller,
    account_id: Uuid,
    now_us: i64,
) -> Result<Done, Refusal> {
    subject(tx, caller, account_id)?;
    let ended = staff::end_sessions(tx, account_id, now_us)?;
    let subject = ("account", account_id.to_string());
    let mut done =
        Done::new(&EndedView { ended }, "account.sessions_ended", subject, json!({"ended": ended}));
    (done.about, done.standing_of) = (Some(account_id), Some(account_id));
    Ok(done)
}

/// An export that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ExportAsked {
    /// Its id. The person finds the archive on their page; staff do not get it.
    pub(crate) export_id: Uuid,
}

pub(crate) fn export(
    tx: &mut Tx<'_>,
    caller: &Caller,
    account_id: Uuid,
    now_us: i64,
) -> Result<Done, Refusal> {
    subject(tx, caller, account_id)?;
    let export = privacy::request_export(tx, account_id, caller.account_id, now_us);
    let export_id = export.map_err(|it| Refusal::Other(it.into()))?.export_id;
    let subject = ("account", account_id.to_string());
    let details = json!({"export_id": export_id});
    let mut done = Done::new(&ExportAsked { export_id }, "account.export_requested", subject, details);
    (done.about, done.status) = (Some(account_id), axum::http::StatusCode::ACCEPTED);
    done.is_about_data = true;
    Ok(done)
}

/// An erasure that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ErasureAsked {
    /// When it will be done. Until then it can be taken back.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) due_at: jiff::Timestamp,
}

pub(crate) fn erase(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: &Caller,
    account_id: Uuid,
    now_us: i64,
) -> Result<Done, Refusal> {
    let person = subject(tx, caller, account_id)?;
    // Whoever is on the staff leaves it first, so that the last admin cannot be forgotten.
    if person.standing.role.is_staff() {
        return Err(Refusal::StillStaff);
    }
    let wish = (caller.account_id, deps.cooling_off_us);
    let due_us = privacy::request_erasure(tx, account_id, wish.0, wish.1, now_us)?.due_us;
    let subject = ("account", account_id.to_string());
    let details = json!({"due_at": timestamp(due_us).to_string()});
    let view = ErasureAsked { due_at: timestamp(due_us) };
    let mut done = Done::new(&view, "account.erasure_requested", subject, details);
    (done.status, done.is_about_data) = (axum::http::StatusCode::ACCEPTED, true);
    // Its reason must outlive the person's key: it is the only answer to why somebody was forgotten.
    done.about = Some(caller.account_id);
    Ok(done)
}

pub(crate) fn keep(tx: &mut Tx<'_>, caller: &Caller, account_id: Uuid, now_us: i64) -> Result<Done, Refusal> {
    subject(tx, caller, account_id)?;
    if !privacy::cancel_erasure(tx, account_id, now_us)? {
        return Err(Refusal::Already { state: "kept" });
    }
    changed(tx, account_id, "account.erasure_cancelled", json!({}), now_us)
}

/// Refuses whoever is no longer what they were let in as; for acts on nobody in particular.
pub(crate) fn still_staff(tx: &mut Tx<'_>, caller: &Caller) -> Result<(), Refusal> {
    actor_role(tx, caller).map(drop)
}
