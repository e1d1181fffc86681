//! People over HTTP.

use std::sync::Arc;

use api::idempotency::{Answer, Fingerprint};
use api::{
    Caller, IdempotencyKey, Page, PageParams, Problem, Role, ValidJson, ValidPath, ValidQuery, kinds,
    page_limit,
};
use axum::Json;
use axum::extract::State;
use identity::staff::Search;
use serde::{Deserialize, Serialize};
use store::Isolation;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::faults::ActFaults;
use super::{Items, ReasonRequest, asked, parse_cursor, to_the_end};
use crate::act::Asked;
use crate::movement::MovementView;
use crate::notes::{self, NoteView};
use crate::people::{
    self, EndedView, ErasureAsked, ExportAsked, PersonInFull, PersonView, SessionView, StateView,
};
use crate::reason::parse_text;
use crate::service::Staff;

/// Longer beginnings of names are refused.
const NAME_CHARS_MAX: usize = 64;

/// Whom to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PeopleParams {
    /// How the name begins, case aside; everybody if absent.
    #[param(max_length = 64)]
    name: Option<String>,
    /// Only with this role.
    #[param(inline)]
    role: Option<Role>,
    /// Only in this state.
    #[param(inline)]
    state: Option<StateView>,
    /// `next_cursor` of the page before; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

const fn state_name(state: StateView) -> &'static str {
    match state {
        StateView::Active => "active",
        StateView::Suspended => "suspended",
        StateView::Banned => "banned",
        StateView::Erased => "erased",
    }
}

/// People by name
#[utoipa::path(get, path = "/api/v1/staff/people", operation_id = "staff_people", tag = "staff",
    params(PeopleParams),
    responses(
        (status = 200, description = "One page, in the order of names", body = Page<PersonView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list(
    State(staff): State<Arc<Staff>>,
    ValidQuery(params): ValidQuery<PeopleParams>,
) -> Result<Json<Page<PersonView>>, Problem> {
    let limit = page_limit(params.limit)?;
    let after = parse_cursor(params.cursor.as_deref())?;
    if params.name.as_ref().is_some_and(|it| it.chars().count() > NAME_CHARS_MAX) {
        let fault = format!("must have at most {NAME_CHARS_MAX} characters");
        return Err(Problem::from(kinds::INVALID_QUERY).parameter("name", fault));
    }
    let search = Search {
        name_prefix: params.name,
        role: params.role,
        state: params.state.map(|it| state_name(it).to_owned()),
        ..Search::default()
    };
    Ok(Json(staff.people(search, after, limit).await?))
}

/// One person with what they have
#[utoipa::path(get, path = "/api/v1/staff/people/{account_id}", operation_id = "staff_person", tag = "staff",
    params(("account_id" = Uuid, Path, description = "Whose account")),
    responses(
        (status = 200, description = "Role, state, sessions, land and money", body = PersonInFull),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`account_unknown`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn get_one(
    State(staff): State<Arc<Staff>>,
    ValidPath(account_id): ValidPath<Uuid>,
) -> Result<Json<PersonInFull>, Problem> {
    Ok(Json(staff.person(account_id).await?))
}

/// What staff wrote about a person
#[utoipa::path(get, path = "/api/v1/staff/people/{account_id}/notes", operation_id = "staff_notes", tag = "staff",
    params(("account_id" = Uuid, Path, description = "Whose account"), PageParams),
    responses(
        (status = 200, description = "One page of notes, newest first", body = Page<NoteView>),
        (status = 400, description = "`invalid_path`, `invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`account_unknown`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn notes(
    State(staff): State<Arc<Staff>>,
    ValidPath(account_id): ValidPath<Uuid>,
    ValidQuery(page): ValidQuery<PageParams>,
) -> Result<Json<Page<NoteView>>, Problem> {
    let limit = page_limit(page.limit)?;
    let before = parse_cursor(page.cursor.as_deref())?;
    Ok(Json(staff.notes(account_id, before, limit).await?))
}

/// A note.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "Asked to stop, and did."}))]
pub(super) struct NoteRequest {
    /// 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    text: String,
}

/// Write a note about a person
///
/// It is sealed by the person's key, is part of their export, and goes with their erasure.
#[utoipa::path(post, path = "/api/v1/staff/people/{account_id}/notes", operation_id = "staff_note", tag = "staff",
    params(
        ("account_id" = Uuid, Path, description = "Whose account"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = NoteRequest,
    responses(
        (status = 201, description = "It is written", body = NoteView),
        (status = 404, description = "`account_unknown`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`account_erased`, `too_many_notes`", body = Problem, content_type = "application/problem+json"),
        ActFaults,
    ))]
pub(super) async fn add_note(
    State(staff): State<Arc<Staff>>,
    caller: Caller,
    ValidPath(account_id): ValidPath<Uuid>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<NoteRequest>,
) -> Result<Answer, Problem> {
    let text = parse_text(&request.text, "#/text")?;
    let fingerprint = Fingerprint::of("POST /staff/people/{account_id}/notes")
        .with(account_id.as_bytes())
        .with(text.as_bytes());
    let asked = Asked { caller, key, fingerprint, reason: None, isolation: Isolation::Locked };
    to_the_end(async move {
        let words = text.clone();
        let write = move |tx: &mut store::Tx<'_>, deps: &crate::Deps, now_us| {
            notes::write(tx, deps, &caller, account_id, &text, now_us)
        };
        let mut answer = staff.act(asked, write).await?;
        if answer.status.is_success() {
            answer.body["text"] = words.into();
        }
        Ok(answer)
    })
    .await
}

/// A suspension.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"until": "2026-11-28T09:00:00Z", "reason": "Insults, after a warning."}))]
pub(super) struct SuspendRequest {
    /// When it ends by itself; within ten years.
    #[schema(value_type = String, format = DateTime)]
    until: jiff::Timestamp,
    /// 1 to 500 characters, on record.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Suspend a person for a time
///
/// Their sessions wait for the end of it. Undone by `restore`.
#[utoipa::path(post, path = "/api/v1/staff/people/{account_id}/suspend", operation_id = "staff_suspend", tag = "staff",
    params(
        ("account_id" = Uuid, Path, description = "Whose account"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = SuspendRequest,
    responses(
        (status = 200, description = "The person as they are now", body = PersonView),
        (status = 403, description = "`not_to_oneself`, `rank_too_low`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`account_unknown`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`account_erased`; `already_so`: they are banned; `last_admin`", body = Problem, content_type = "application/problem+json"),
        ActFaults,
    ))]
pub(super) async fn suspend(
    State(staff): State<Arc<Staff>>,
    caller: Caller,
    ValidPath(account_id): ValidPath<Uuid>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<SuspendRequest>,
) -> Result<Answer, Problem> {
    let until_us = request.until.as_microsecond();
    let parts = [&account_id.as_bytes()[..], &until_us.to_le_bytes()];
    let asked = asked(
        "POST /staff/people/{account_id}/suspend",
        &parts,
        (caller, key, &request.reason),
        Isolation::Serializable,
    )?;
    to_the_end(async move {
        staff
            .act(asked, move |tx, _, now_us| people::suspend(tx, &caller, account_id, until_us, now_us))
            .await
    })
    .await
}

type Act =
    fn(&mut store::Tx<'_>, &crate::Deps, &Caller, Uuid, i64) -> Result<crate::act::Done, crate::Refusal>;

/// An act on a person that says only why.
macro_rules! person_act {
    ($(#[$doc:meta])* $name:ident, $path:literal, $id:literal, $act:expr, ($status:literal, $said:literal, $body:ty), $conflict:literal) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, operation_id = $id, tag = "staff",
            params(
                ("account_id" = Uuid, Path, description = "Whose account"),
                ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
            ),
            request_body = ReasonRequest,
            responses(
                (status = $status, description = $said, body = $body),
                (status = 403, description = "`not_to_oneself`, `rank_too_low`", body = Problem, content_type = "application/problem+json"),
                (status = 404, description = "`account_unknown`", body = Problem, content_type = "application/problem+json"),
                (status = 409, description = $conflict, body = Problem, content_type = "application/problem+json"),
                ActFaults,
            ))]
        pub(super) async fn $name(
            State(staff): State<Arc<Staff>>,
            caller: Caller,
            ValidPath(account_id): ValidPath<Uuid>,
            key: IdempotencyKey,
            ValidJson(request): ValidJson<ReasonRequest>,
        ) -> Result<Answer, Problem> {
            let asked =
                asked($id, &[account_id.as_bytes()], (caller, key, &request.reason), Isolation::Serializable)?;
            let act: Act = $act;
            to_the_end(async move {
                staff.act(asked, move |tx, deps, now_us| act(tx, deps, &caller, account_id, now_us)).await
            })
            .await
        }
    };
}

person_act! {
    /// Ban a person for good
    ///
    /// Ends all their sessions. Undone by `restore`.
    ban, "/api/v1/staff/people/{account_id}/ban", "staff_ban",
    |tx, _, caller, id, now_us| people::ban(tx, caller, id, now_us),
    (200, "The person as they are now", PersonView), "`account_erased`; `already_so`; `last_admin`"
}

person_act! {
    /// Lift a suspension or a ban
    ///
    /// A ban is lifted only by who may ban.
    restore, "/api/v1/staff/people/{account_id}/restore", "staff_restore",
    |tx, _, caller, id, now_us| people::restore(tx, caller, id, now_us),
    (200, "The person as they are now", PersonView), "`account_erased`; `already_so`: nothing is to be lifted"
}

person_act! {
    /// End all sessions of a person
    ///
    /// They may sign in again. Cannot be undone.
    end_sessions, "/api/v1/staff/people/{account_id}/sessions/end", "staff_end_sessions",
    |tx, _, caller, id, now_us| people::end_sessions(tx, caller, id, now_us),
    (200, "How many were ended", EndedView), "`account_erased`"
}

person_act! {
    /// Ask for an export of a person's data
    ///
    /// They find the archive on their page; staff do not see it.
    export, "/api/v1/staff/people/{account_id}/export", "staff_export",
    |tx, _, caller, id, now_us| people::export(tx, caller, id, now_us),
    (202, "It is being made", ExportAsked), "`account_erased`; `export_pending`; `too_many_exports`"
}

person_act! {
    /// Ask for the erasure of a person
    ///
    /// Done after the time to think again; until then it is undone by `keep`, and by the person signing in. Whoever is
    /// on the staff loses their role first.
    erase, "/api/v1/staff/people/{account_id}/erase", "staff_erase", people::erase,
    (202, "When it will be done", ErasureAsked), "`account_erased`; `still_staff`"
}

person_act! {
    /// Take the erasure of a person back
    keep, "/api/v1/staff/people/{account_id}/keep", "staff_keep",
    |tx, _, caller, id, now_us| people::keep(tx, caller, id, now_us),
    (200, "The person as they are now", PersonView), "`account_erased`; `already_so`: none was asked for"
}

/// A role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StaffRoleRequest, example = json!({"role": "moderator", "reason": "Joins the evening shift."}))]
pub(super) struct RoleRequest {
    /// The role to give.
    role: Role,
    /// 1 to 500 characters, on record.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Give a person another role
///
/// Nobody changes their own, and the last admin stays one.
#[utoipa::path(put, path = "/api/v1/staff/people/{account_id}/role", operation_id = "staff_put_role", tag = "staff",
    params(
        ("account_id" = Uuid, Path, description = "Whose account"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = RoleRequest,
    responses(
        (status = 200, description = "The person as they are now", body = PersonView),
        (status = 403, description = "`not_to_oneself`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`account_unknown`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`account_erased`; `already_so`; `last_admin`", body = Problem, content_type = "application/problem+json"),
        ActFaults,
    ))]
pub(super) async fn put_role(
    State(staff): State<Arc<Staff>>,
    caller: Caller,
    ValidPath(account_id): ValidPath<Uuid>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<RoleRequest>,
) -> Result<Answer, Problem> {
    let role = request.role;
    let parts = [&account_id.as_bytes()[..], role.name().as_bytes()];
    let asked = asked(
        "PUT /staff/people/{account_id}/role",
        &parts,
        (caller, key, &request.reason),
        Isolation::Serializable,
    )?;
    to_the_end(async move {
        staff
            .act(asked, move |tx, _, now_us| people::change_role(tx, &caller, account_id, role, now_us))
            .await
    })
    .await
}

/// Open sessions of a person
#[utoipa::path(get, path = "/api/v1/staff/people/{account_id}/sessions", operation_id = "staff_sessions", tag = "staff",
    params(("account_id" = Uuid, Path, description = "Whose account")),
    responses(
        (status = 200, description = "The one used last first", body = Items<SessionView>),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`account_unknown`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn sessions(
    State(staff): State<Arc<Staff>>,
    ValidPath(account_id): ValidPath<Uuid>,
) -> Result<Json<Items<SessionView>>, Problem> {
    Ok(Json(Items { items: staff.sessions(account_id).await? }))
}

/// What spoke against how a person moved
///
/// Since this process runs the world, the 4,096 newest of all people. Nobody is banned by a machine: look at the way
/// they went before you act.
#[utoipa::path(get, path = "/api/v1/staff/people/{account_id}/movement", operation_id = "staff_movement", tag = "staff",
    params(("account_id" = Uuid, Path, description = "Whose account")),
    responses(
        (status = 200, description = "The newest first", body = Items<MovementView>),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`account_unknown`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn movement(
    State(staff): State<Arc<Staff>>,
    ValidPath(account_id): ValidPath<Uuid>,
) -> Result<Json<Items<MovementView>>, Problem> {
    Ok(Json(Items { items: staff.movement(account_id).await? }))
}
