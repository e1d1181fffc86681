//! HTTP: `/api/v1/auth/providers…`, `/api/v1/users/me/identities…`.

use std::sync::Arc;

use api::{Caller, ClientAddress, Page, Problem, ValidJson, ValidPath, timestamp};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, FromRequestParts as _, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use identity::{SessionAnswer, SignIn, SignInMethod, SiteOrigin};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::binding;
use crate::fault::Fault;
use crate::service::{Answer, Finished, Oidc, Purpose};

/// The page that a browser comes back to; what it is to do stands behind the `#`, where no server sees it.
const PAGE: &str = "/account";

/// All routes of this crate.
pub fn routes(oidc: Arc<Oidc>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(providers))
        .routes(routes!(start))
        .routes(routes!(callback))
        .routes(routes!(finish))
        .routes(routes!(identities))
        .routes(routes!(unlink))
        .with_state(oidc)
}

/// A provider to sign in with.
#[derive(Serialize, ToSchema)]
struct ProviderView {
    /// For the addresses of the other routes.
    #[schema(example = "home")]
    id: String,
    /// For people.
    #[schema(example = "Home")]
    name: String,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PurposeWord {
    /// To open a session; the first time, an account.
    SignIn,
    /// To let the provider open the account that asks, too.
    Link,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StartRequest {
    #[schema(example = "sign_in")]
    purpose: PurposeWord,
}

#[derive(Serialize, ToSchema)]
struct StartAnswer {
    /// Where the browser goes now, as a whole page.
    #[schema(example = "https://login.example/authorize?response_type=code&client_id=terrane")]
    authorize_url: String,
}

#[derive(Deserialize)]
struct CallbackQuery {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FinishRequest {
    /// What stood behind `#oidc=`.
    #[schema(example = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc", min_length = 43, max_length = 43)]
    code: String,
}

/// A person at a provider who opens your account.
#[derive(Serialize, ToSchema)]
struct IdentityView {
    identity_id: Uuid,
    /// Absent when the provider is not configured any more; the identity opens nothing then.
    #[schema(example = "home")]
    provider_id: Option<String>,
    /// The provider's name, or its issuer when it is not configured any more.
    #[schema(example = "Home")]
    provider_name: String,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
    linked_at: jiff::Timestamp,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
    last_used_at: jiff::Timestamp,
}

/// Providers to sign in with
///
/// Those that the operator has configured, in that order; often none.
#[utoipa::path(get, path = "/api/v1/auth/providers", operation_id = "auth_providers", tag = "auth",
    responses((status = 200, description = "The providers, all on one page", body = Page<ProviderView>)))]
async fn providers(State(oidc): State<Arc<Oidc>>) -> Json<Page<ProviderView>> {
    let items =
        oidc.providers().map(|it| ProviderView { id: it.id.clone(), name: it.name.clone() }).collect();
    Json(Page { items, next_cursor: None })
}

/// Leave for a provider
///
/// Sets a cookie that binds the login to this browser for ten minutes, and tells where to send it. `link` needs a
/// session that was signed in to within 15 minutes.
#[utoipa::path(post, path = "/api/v1/auth/providers/{provider_id}/start", operation_id = "auth_provider_start", tag = "auth",
    security((), ("bearer" = [])),
    params(("provider_id" = String, Path, description = "One of the configured providers", example = "home")),
    request_body = StartRequest,
    responses(
        (status = 200, description = "Where to go; with the cookie `__Host-terrane-oidc` (over plain HTTP on this machine `terrane-oidc`)", body = StartAnswer),
        (status = 400, description = "`malformed_json`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "To link without a session: `token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`https_required`; `fresh_login_required`, `forbidden_for_keys`, `account_suspended` to link", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_provider`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No such purpose (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The provider is away or not what it must be: `oidc_provider_unavailable`, `oidc_discovery_issuer_wrong`, `oidc_discovery_unusable`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn start(
    State(oidc): State<Arc<Oidc>>,
    Extension(SiteOrigin(origin)): Extension<SiteOrigin>,
    ValidPath(provider_id): ValidPath<String>,
    mut parts: Parts,
    ValidJson(request): ValidJson<StartRequest>,
) -> Result<Response, Problem> {
    let purpose = match request.purpose {
        PurposeWord::SignIn => Purpose::SignIn,
        PurposeWord::Link => {
            let caller = Caller::from_request_parts(&mut parts, &()).await?;
            caller.require_fresh(oidc.now_s())?;
            Purpose::Link(caller.account_id)
        }
    };
    let started = oidc.start(&provider_id, purpose, &origin).await?;
    let headers = [
        (header::SET_COOKIE, binding::cookie(&started.binding, started.is_secure)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Json(StartAnswer { authorize_url: started.authorize_url })).into_response())
}

/// Come back from a provider
///
/// Where the provider sends the browser. Whatever happened, the browser goes on to the account page: behind
/// `#oidc=` stands a one-time code for `POST /api/v1/auth/providers/finish`, behind `#oidc_error=` one of
/// `oidc_state_unknown`, `oidc_other_browser`, `oidc_answer_issuer_wrong`, `oidc_denied`, `oidc_provider_error`,
/// `oidc_answer_malformed`, `oidc_provider_unavailable`, `oidc_discovery_issuer_wrong`, `oidc_discovery_unusable`,
/// `oidc_code_refused`, `oidc_token_malformed`, `oidc_token_algorithm_refused`, `oidc_token_key_unknown`,
/// `oidc_token_signature_wrong`, `oidc_token_issuer_wrong`, `oidc_token_audience_wrong`, `oidc_token_nonce_wrong`,
/// `oidc_token_expired`, `oidc_token_early`, `storage_unavailable`.
#[utoipa::path(get, path = "/api/v1/auth/providers/{provider_id}/callback", operation_id = "auth_provider_callback", tag = "auth",
    params(
        ("provider_id" = String, Path, description = "Which provider the browser comes from", example = "home"),
        ("state" = Option<String>, Query, description = "As it was given on leaving"),
        ("code" = Option<String>, Query, description = "The provider's code"),
        ("error" = Option<String>, Query, description = "Why there is none", example = "access_denied"),
        ("iss" = Option<String>, Query, description = "The provider's issuer (RFC 9207)", example = "https://login.example"),
    ),
    responses((status = 303, description = "To the account page",
        headers(("Location" = String, description = "`/account#oidc=…` or `/account#oidc_error=…`")))))]
async fn callback(
    State(oidc): State<Arc<Oidc>>,
    path: Result<ValidPath<String>, Problem>,
    headers: HeaderMap,
    query: Result<Query<CallbackQuery>, QueryRejection>,
) -> Response {
    let (Ok(ValidPath(provider_id)), Ok(Query(query))) = (path, query) else {
        return to_page("oidc_error", Fault::AnswerMalformed.code());
    };
    let answer = Answer { state: query.state, code: query.code, error: query.error, iss: query.iss };
    match oidc.come_back(&provider_id, &answer, |is_secure| binding::shown(&headers, is_secure)).await {
        Ok(Ok(code)) => to_page("oidc", &code),
        Ok(Err(fault)) => to_page("oidc_error", fault.code()),
        Err(error) => to_page("oidc_error", Problem::from(error).code()),
    }
}

/// Take the session
///
/// The page asks once, within two minutes, in the browser that left; the cookie is taken back. After `link` it sends
/// its access token, too.
#[utoipa::path(post, path = "/api/v1/auth/providers/finish", operation_id = "auth_provider_finish", tag = "auth",
    security((), ("bearer" = [])),
    request_body = FinishRequest,
    responses(
        (status = 200, description = "A session", body = SessionAnswer),
        (status = 204, description = "The identity opens the account that asks from now on"),
        (status = 400, description = "`malformed_json`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`oidc_code_invalid`; `token_invalid`, `token_expired` when a token is sent", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`oidc_other_browser`, `oidc_link_of_another_account`, `account_suspended`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`identity_taken`, `too_many_identities`: 16", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body has another form (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many new accounts from this address (`quota_exceeded`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn finish(
    State(oidc): State<Arc<Oidc>>,
    address: ClientAddress,
    mut parts: Parts,
    ValidJson(request): ValidJson<FinishRequest>,
) -> Result<Response, Problem> {
    let caller = if parts.headers.contains_key(header::AUTHORIZATION) {
        Some(Caller::from_request_parts(&mut parts, &()).await?)
    } else {
        None
    };
    let shown = |is_secure| binding::shown(&parts.headers, is_secure);
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok()).map(str::to_owned);
    let sign_in = SignIn { method: SignInMethod::Provider, public_key: None, user_agent };
    let finished = oidc.finish(&request.code, shown, caller, sign_in, address).await?;
    let answer = match finished {
        Finished::Session(session) => identity::session_response(*session),
        Finished::Linked => StatusCode::NO_CONTENT.into_response(),
    };
    let gone = [true, false].map(|is_secure| (header::SET_COOKIE, binding::cookie_gone(is_secure)));
    Ok((AppendHeaders(gone), answer).into_response())
}

/// Your identities
///
/// The people at providers who open your account, oldest first, all on one page.
#[utoipa::path(get, path = "/api/v1/users/me/identities", operation_id = "users_me_identities", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Your identities", body = Page<IdentityView>),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn identities(
    State(oidc): State<Arc<Oidc>>,
    caller: Caller,
) -> Result<Json<Page<IdentityView>>, Problem> {
    let linked = oidc.identities(caller.account_id).await?;
    let items = linked.into_iter().map(|(identity, provider)| IdentityView {
        identity_id: identity.identity_id,
        provider_id: provider.map(|it| it.id.clone()),
        provider_name: provider.map_or(identity.issuer, |it| it.name.clone()),
        linked_at: timestamp(identity.linked_us),
        last_used_at: timestamp(identity.last_used_us),
    });
    Ok(Json(Page { items: items.collect(), next_cursor: None }))
}

/// Unlink an identity
///
/// It opens your account no more. The last way in stays: add a key or a password first. Needs a session that was
/// signed in to within 15 minutes.
#[utoipa::path(delete, path = "/api/v1/users/me/identities/{identity_id}", operation_id = "users_me_identity_unlink", tag = "users",
    security(("bearer" = [])),
    params(("identity_id" = Uuid, Path, description = "One of your identities")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`fresh_login_required`, `forbidden_for_keys`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_identity`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`last_way_in`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn unlink(
    State(oidc): State<Arc<Oidc>>,
    caller: Caller,
    ValidPath(identity_id): ValidPath<Uuid>,
) -> Result<StatusCode, Problem> {
    oidc.unlink(&caller, identity_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `word` and `value` are ours: nothing of the request gets into the address.
fn to_page(word: &str, value: &str) -> Response {
    let location = HeaderValue::from_str(&format!("{PAGE}#{word}={value}")).expect("our own words");
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}
