//! Signing in with address and password: `/auth/register`, `/auth/email/confirm`, `/auth/password…`,
//! `/users/me/email`, `/users/me/password`.

use std::sync::Arc;

use api::{Caller, ClientAddress, Problem, ProblemKind, ValidJson};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use limits::Limit;
use mail::Address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{SessionAnswer, fault, parse_display_name, require_fresh, session_response, user_agent};
use crate::base64url;
use crate::email::{EmailError, Registration};
use crate::link_token::LinkToken;
use crate::password::Password;
use crate::service::Identity;

const CREDENTIALS_REFUSED: ProblemKind =
    ProblemKind::new(StatusCode::UNAUTHORIZED, "credentials_refused", "The address or the password is wrong");
const PASSWORD_WRONG: ProblemKind =
    ProblemKind::new(StatusCode::FORBIDDEN, "password_wrong", "This is not the password of your account");
const PASSWORD_LOCKED: ProblemKind = ProblemKind::new(
    StatusCode::TOO_MANY_REQUESTS,
    "password_locked",
    "Too many wrong passwords for this address",
);
const LINK_NOT_VALID: ProblemKind =
    ProblemKind::new(StatusCode::UNAUTHORIZED, "link_not_valid", "This link is not valid any more");
const ADDRESS_TAKEN: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "address_taken", "Another account has this address");
const NO_ADDRESS: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "no_address", "A password needs an address to sign in with");
const PASSWORDS_BUSY: ProblemKind = ProblemKind::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "passwords_busy",
    "Too many people sign in at this moment",
);

/// When to come again if too many sign in: the queue is done by then.
const BUSY_RETRY_S: u32 = 3;

pub(super) fn routes() -> OpenApiRouter<Arc<Identity>> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(confirm))
        .routes(routes!(sign_in))
        .routes(routes!(forgot))
        .routes(routes!(reset))
        .routes(routes!(claim))
        .routes(routes!(change_password))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RegisterRequest {
    #[schema(example = "ann@example.org", min_length = 3, max_length = 254)]
    email: String,
    /// Any characters but U+0000, 12 at least, 1024 bytes at most; not one of the first that others would try. Taken as
    /// it is: nothing is cut, trimmed or replaced.
    #[schema(example = "correct horse battery staple", min_length = 12, max_length = 1024)]
    password: String,
    /// Made up if absent.
    #[schema(example = "Quiet Heron", min_length = 1, max_length = 32)]
    display_name: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CredentialsRequest {
    #[schema(example = "ann@example.org", min_length = 3, max_length = 254)]
    email: String,
    #[schema(example = "correct horse battery staple", min_length = 1, max_length = 1024)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ForgotRequest {
    #[schema(example = "ann@example.org", min_length = 3, max_length = 254)]
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConfirmRequest {
    /// From the link.
    #[schema(example = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc", min_length = 43, max_length = 43)]
    token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResetRequest {
    /// From the link.
    #[schema(example = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc", min_length = 43, max_length = 43)]
    token: String,
    /// As for registering.
    #[schema(example = "correct horse battery staple", min_length = 12, max_length = 1024)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddressRequest {
    #[schema(example = "ann@example.org", min_length = 3, max_length = 254)]
    email: String,
    /// The password of the account; of one that has none, the one it shall have.
    #[schema(example = "correct horse battery staple", min_length = 1, max_length = 1024)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordRequest {
    /// The new one, as for registering.
    #[schema(example = "correct horse battery staple", min_length = 12, max_length = 1024)]
    password: String,
    /// The one until now; needed if there is one.
    #[schema(example = "tr0ub4dor and three more", min_length = 1, max_length = 1024)]
    current_password: Option<String>,
}

/// Nothing is told.
#[derive(Serialize, ToSchema)]
struct SentAnswer {}

/// Register with an address and a password.
///
/// A link is sent to the address; the account is made when it is followed, within 24 hours. The answer is the same
/// whether or not the address has an account: its owner learns it by mail.
#[utoipa::path(post, path = "/api/v1/auth/register", operation_id = "auth_register", tag = "auth",
    request_body = RegisterRequest,
    responses(
        (status = 202, description = "If the address can be written to, a letter is on its way", body = SentAnswer),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not an address, a password that is too short or too common, or a name that is not allowed (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many registrations from this address (`quota_exceeded`)", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`passwords_busy`; come again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn register(
    State(identity): State<Arc<Identity>>,
    from: ClientAddress,
    ValidJson(request): ValidJson<RegisterRequest>,
) -> Result<Response, Problem> {
    let address = parse_address(&request.email)?;
    let display_name = request.display_name.as_deref().map(parse_display_name).transpose()?;
    let near = [address.as_str(), display_name.as_deref().unwrap_or_default()];
    let password = parse_new(request.password, &near)?;
    identity.take_registration(from).await?;
    identity.register(Registration { address, password, display_name }).await?;
    Ok(sent())
}

/// Follow a link that confirms an address.
///
/// Makes the account of a registration, or gives an account its address, and opens a session.
#[utoipa::path(post, path = "/api/v1/auth/email/confirm", operation_id = "auth_email_confirm", tag = "auth",
    request_body = ConfirmRequest,
    responses(
        (status = 200, description = "A session", body = SessionAnswer),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`link_not_valid`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`account_suspended`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody else has confirmed it meanwhile (`address_taken`)", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body has another form (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn confirm(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    ValidJson(request): ValidJson<ConfirmRequest>,
) -> Result<Response, Problem> {
    let token = LinkToken::parse(&request.token).ok_or(LINK_NOT_VALID)?;
    Ok(session_response(identity.confirm(token, user_agent(&headers)).await?))
}

/// Sign in with address and password.
///
/// Nobody is told which of the two is wrong. After five wrong passwords for an address no password is looked at for 15
/// minutes (`password_locked`), whether or not the address has an account; other ways in stay open.
#[utoipa::path(post, path = "/api/v1/auth/password", operation_id = "auth_password", tag = "auth",
    request_body = CredentialsRequest,
    responses(
        (status = 200, description = "A session", body = SessionAnswer),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`credentials_refused`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The password is right and the account suspended (`account_suspended`)", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not an address (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`password_locked`, `quota_exceeded`; come again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`passwords_busy`; come again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn sign_in(
    State(identity): State<Arc<Identity>>,
    from: ClientAddress,
    headers: HeaderMap,
    ValidJson(request): ValidJson<CredentialsRequest>,
) -> Result<Response, Problem> {
    let address = parse_address(&request.email)?;
    let password = parse_given("password", request.password)?;
    let limiter = &identity.deps.limiter;
    limiter.take(Limit::Login, &from.network().to_string()).await?;
    limiter.take(Limit::LoginName, &base64url::encode(&identity.address_index(&address))).await?;
    let session = identity.sign_in_with_password(&address, password, user_agent(&headers)).await?;
    Ok(session_response(session))
}

/// Ask for a link that sets a new password.
///
/// The answer is the same whether or not the address has an account.
#[utoipa::path(post, path = "/api/v1/auth/password/forgot", operation_id = "auth_password_forgot", tag = "auth",
    request_body = ForgotRequest,
    responses(
        (status = 202, description = "If somebody has this address, a letter is on its way", body = SentAnswer),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not an address (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many questions from this address (`quota_exceeded`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn forgot(
    State(identity): State<Arc<Identity>>,
    from: ClientAddress,
    ValidJson(request): ValidJson<ForgotRequest>,
) -> Result<Response, Problem> {
    let address = parse_address(&request.email)?;
    identity.deps.limiter.take(Limit::Login, &from.network().to_string()).await?;
    identity.forgot_password(address).await?;
    Ok(sent())
}

/// Follow a link that sets a new password.
///
/// Ends all sessions of the account. Sign in with the new password afterwards.
#[utoipa::path(post, path = "/api/v1/auth/password/reset", operation_id = "auth_password_reset", tag = "auth",
    request_body = ResetRequest,
    responses(
        (status = 204, description = "The password is set"),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`link_not_valid`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A password that is too short or too common (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`passwords_busy`; come again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn reset(
    State(identity): State<Arc<Identity>>,
    ValidJson(request): ValidJson<ResetRequest>,
) -> Result<StatusCode, Problem> {
    let token = LinkToken::parse(&request.token).ok_or(LINK_NOT_VALID)?;
    let password = parse_new(request.password, &[])?;
    identity.reset_password(token, password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give one's account an address, or another one.
///
/// A link is sent there; the address counts when it is followed, within 24 hours. A guest's account gets the password
/// with it and stays the same account. Needs a login of the last 15 minutes.
#[utoipa::path(put, path = "/api/v1/users/me/email", operation_id = "users_me_email_change", tag = "users",
    security(("bearer" = [])),
    request_body = AddressRequest,
    responses(
        (status = 202, description = "If the address can be written to, a letter is on its way", body = SentAnswer),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`password_wrong`, `fresh_login_required`, `forbidden_for_keys`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not an address, or a password that is too short or too common (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`password_locked`, `quota_exceeded`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`passwords_busy`; come again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn claim(
    State(identity): State<Arc<Identity>>,
    from: ClientAddress,
    caller: Caller,
    ValidJson(request): ValidJson<AddressRequest>,
) -> Result<Response, Problem> {
    require_fresh(&identity, &caller)?;
    let address = parse_address(&request.email)?;
    let has_password = identity.has_password(caller.account_id).await?;
    let password = if has_password {
        parse_given("password", request.password)?
    } else {
        parse_new(request.password, &[address.as_str()])?
    };
    identity.deps.limiter.take(Limit::Login, &from.network().to_string()).await?;
    identity.claim_address(&caller, address, password).await?;
    Ok(sent())
}

/// Set another password.
///
/// Needs the password until now, if there is one, and a login of the last 15 minutes. Ends all other sessions.
#[utoipa::path(put, path = "/api/v1/users/me/password", operation_id = "users_me_password_change", tag = "users",
    security(("bearer" = [])),
    request_body = PasswordRequest,
    responses(
        (status = 204, description = "The password is set"),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`password_wrong`, `fresh_login_required`, `forbidden_for_keys`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`no_address`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A password that is too short or too common (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`password_locked`, `quota_exceeded`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`passwords_busy`; come again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn change_password(
    State(identity): State<Arc<Identity>>,
    from: ClientAddress,
    caller: Caller,
    ValidJson(request): ValidJson<PasswordRequest>,
) -> Result<StatusCode, Problem> {
    require_fresh(&identity, &caller)?;
    let own = identity.own_account(caller.account_id).await?;
    let name = own.as_ref().map(|it| it.account.display_name.as_str()).unwrap_or_default();
    let address = own.as_ref().and_then(|it| Some(it.address.as_ref()?.0.as_str())).unwrap_or_default();
    let password = parse_new(request.password, &[name, address])?;
    let current = request.current_password.map(|it| parse_given("current_password", it)).transpose()?;
    identity.deps.limiter.take(Limit::Login, &from.network().to_string()).await?;
    identity.change_password(&caller, current, password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Told to whoever names an address, whatever came of it.
fn sent() -> Response {
    (StatusCode::ACCEPTED, Json(SentAnswer {})).into_response()
}

fn parse_address(text: &str) -> Result<Address, Problem> {
    Address::parse(text).map_err(|error| fault("email", error.to_string()))
}

/// A password to be compared with one that exists: its length tells nothing.
fn parse_given(field: &str, text: String) -> Result<Password, Problem> {
    Password::parse(text).map_err(|error| fault(field, error.to_string()))
}

fn parse_new(text: String, near: &[&str]) -> Result<Password, Problem> {
    Password::parse_new(text, near).map_err(|error| fault("password", error.to_string()))
}

impl From<EmailError> for Problem {
    fn from(error: EmailError) -> Self {
        match error {
            EmailError::CredentialsRefused => CREDENTIALS_REFUSED.into(),
            EmailError::PasswordWrong => PASSWORD_WRONG.into(),
            EmailError::Locked { retry_after_s } => PASSWORD_LOCKED
                .detail("a device key, or a link by mail, still opens it")
                .retry_after_s(retry_after_s),
            EmailError::LinkNotValid => LINK_NOT_VALID.detail("ask for another one"),
            EmailError::AddressTaken => ADDRESS_TAKEN.into(),
            EmailError::NoAddress => NO_ADDRESS.into(),
            EmailError::Busy => PASSWORDS_BUSY.detail("come again in a moment").retry_after_s(BUSY_RETRY_S),
            EmailError::Login(error) => error.into(),
        }
    }
}
