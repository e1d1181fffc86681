//! Errors as answers: RFC 9457 problem documents.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The header that carries the id of a request, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// One kind of problem: what stays the same each time it occurs. Crates keep theirs as constants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProblemKind {
    /// The answer's status.
    pub status: StatusCode,
    /// What programs switch on; never changes.
    pub code: &'static str,
    /// A short sentence for people.
    pub title: &'static str,
}

impl ProblemKind {
    /// `code` in `snake_case`, `title` without a full stop.
    pub const fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title }
    }

    /// A problem of this kind with a sentence about this case.
    pub fn detail(self, detail: impl Into<String>) -> Problem {
        Problem::from(self).detail(detail)
    }
}

/// Kinds that any route may answer with.
pub mod kinds {
    use super::{ProblemKind, StatusCode};

    /// No such route.
    pub const NOT_FOUND: ProblemKind =
        ProblemKind::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here");
    /// The route exists, the method does not.
    pub const METHOD_NOT_ALLOWED: ProblemKind = ProblemKind::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "The method is not allowed here",
    );
    /// The body is not JSON.
    pub const MALFORMED_JSON: ProblemKind =
        ProblemKind::new(StatusCode::BAD_REQUEST, "malformed_json", "The body is not well-formed JSON");
    /// The body is JSON of another shape, or a value breaks a rule.
    pub const INVALID_BODY: ProblemKind = ProblemKind::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_body",
        "The body does not have the expected form",
    );
    /// The body is not declared as JSON.
    pub const UNSUPPORTED_MEDIA_TYPE: ProblemKind = ProblemKind::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The body must be application/json",
    );
    /// The body is longer than this route takes.
    pub const BODY_TOO_LARGE: ProblemKind =
        ProblemKind::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large");
    /// A query parameter is missing or wrong.
    pub const INVALID_QUERY: ProblemKind =
        ProblemKind::new(StatusCode::BAD_REQUEST, "invalid_query", "A query parameter is missing or wrong");
    /// A part of the path cannot be read.
    pub const INVALID_PATH: ProblemKind =
        ProblemKind::new(StatusCode::BAD_REQUEST, "invalid_path", "A part of the path cannot be read");
    /// A cursor was not made by this list.
    pub const INVALID_CURSOR: ProblemKind = ProblemKind::new(
        StatusCode::BAD_REQUEST,
        "invalid_cursor",
        "The cursor was not given out by this list",
    );
    /// No access token.
    pub const TOKEN_MISSING: ProblemKind =
        ProblemKind::new(StatusCode::UNAUTHORIZED, "token_missing", "An access token is needed");
    /// The access token is not ours, or was altered.
    pub const TOKEN_INVALID: ProblemKind =
        ProblemKind::new(StatusCode::UNAUTHORIZED, "token_invalid", "The access token is not valid");
    /// The access token was good once.
    pub const TOKEN_EXPIRED: ProblemKind =
        ProblemKind::new(StatusCode::UNAUTHORIZED, "token_expired", "The access token has expired");
    /// The account is suspended or banned.
    pub const ACCOUNT_SUSPENDED: ProblemKind =
        ProblemKind::new(StatusCode::FORBIDDEN, "account_suspended", "This account is suspended");
    /// The caller's role is too little for this.
    pub const ROLE_REQUIRED: ProblemKind =
        ProblemKind::new(StatusCode::FORBIDDEN, "role_required", "This is for staff with another role");
    /// An API key was used for what its scopes do not cover.
    pub const SCOPE_REQUIRED: ProblemKind =
        ProblemKind::new(StatusCode::FORBIDDEN, "scope_required", "This API key is not for that");
    /// An API key was used for what only a person who signed in may do.
    pub const FORBIDDEN_FOR_KEYS: ProblemKind =
        ProblemKind::new(StatusCode::FORBIDDEN, "forbidden_for_keys", "API keys cannot do that: sign in");
    /// The person signed in too long ago for this.
    pub const FRESH_LOGIN_REQUIRED: ProblemKind =
        ProblemKind::new(StatusCode::FORBIDDEN, "fresh_login_required", "Sign in again to do this");
    /// A decision came without `Idempotency-Key`.
    pub const IDEMPOTENCY_KEY_MISSING: ProblemKind = ProblemKind::new(
        StatusCode::BAD_REQUEST,
        "idempotency_key_missing",
        "An Idempotency-Key header is needed",
    );
    /// The key cannot be read.
    pub const IDEMPOTENCY_KEY_INVALID: ProblemKind = ProblemKind::new(
        StatusCode::BAD_REQUEST,
        "idempotency_key_invalid",
        "The Idempotency-Key cannot be read",
    );
    /// The key was used for another request.
    pub const IDEMPOTENCY_KEY_REUSED: ProblemKind = ProblemKind::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "The Idempotency-Key was used for a different request",
    );
    /// More decisions in a day than an account may make.
    pub const TOO_MANY_DECISIONS: ProblemKind = ProblemKind::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_decisions",
        "Too many decisions in one day",
    );
    /// The database is away, full or overloaded.
    pub const STORAGE_UNAVAILABLE: ProblemKind = ProblemKind::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "storage_unavailable",
        "The server cannot store anything at the moment",
    );
    /// A fault of ours.
    pub const INTERNAL: ProblemKind =
        ProblemKind::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server made a mistake");
}

/// An error as the client sees it: `application/problem+json` (RFC 9457) with a stable `code`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Problem {
    /// Apart, so that results stay small.
    document: Box<Document>,
}

/// What an error looks like. Facts of a case may stand beside the members below, for example `available_minor` when
/// money is short.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "urn:problem-type:terrane:lot_taken",
    "title": "The lot is taken",
    "status": 409,
    "code": "lot_taken",
    "detail": "the lot has an owner",
    "request_id": "0199d0a5-7f9c-7c3e-9a51-0f6f7ad0c1de"
}))]
struct Document {
    /// A URI for the kind of problem: `urn:problem-type:terrane:` and the code, or a registered one. It names, it does
    /// not resolve.
    #[serde(rename = "type")]
    kind: String,
    /// What is wrong, the same for every problem of this kind.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What programs switch on.
    code: Cow<'static, str>,
    /// What is wrong in this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The id of the request, to quote when asking for help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// The id of the trace it belongs to (W3C Trace Context), the caller's own if it sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Each fault of the input, if the input is what is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldFault>,
    #[serde(flatten)]
    #[schema(ignore)]
    facts: Map<String, Value>,
    #[serde(skip)]
    #[schema(ignore)]
    headers: HeaderMap,
}

/// One fault of the input.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FieldFault {
    /// What is wrong there.
    pub detail: String,
    /// Where in the body, as a JSON Pointer fragment: `#/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Which query or path parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}

impl From<ProblemKind> for Problem {
    fn from(kind: ProblemKind) -> Self {
        Self { document: Box::new(Document::new(kind.status, Cow::Borrowed(kind.code), kind.title)) }
    }
}

impl Document {
    fn new(status: StatusCode, code: Cow<'static, str>, title: &str) -> Self {
        Self {
            kind: format!("urn:problem-type:terrane:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            code,
            detail: None,
            request_id: None,
            trace_id: None,
            errors: Vec::new(),
            facts: Map::new(),
            headers: HeaderMap::new(),
        }
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Document::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        Document::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Document::schemas(schemas);
    }
}

impl Problem {
    /// A fault of ours. What happened goes to the log, not to the client.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        kinds::INTERNAL.detail("it has been logged; quote the request id when you report it")
    }

    /// A sentence about this case. Must not hold anything that the caller may not know.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.document.detail = Some(detail.into());
        self
    }

    /// Adds a fault of the body at `pointer` (`#/name`).
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.document.errors.push(FieldFault {
            detail: detail.into(),
            pointer: Some(pointer.into()),
            parameter: None,
        });
        self
    }

    /// Adds a fault of a query or path parameter.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, detail: impl Into<String>) -> Self {
        self.document.errors.push(FieldFault {
            detail: detail.into(),
            pointer: None,
            parameter: Some(name.into()),
        });
        self
    }

    /// Adds a fact for programs, as a member of its own.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.document.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Names a registered kind of problem instead of one of ours, for clients that know those.
    #[must_use]
    pub fn of_type(mut self, uri: &'static str) -> Self {
        uri.clone_into(&mut self.document.kind);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.document.headers.insert(name, value);
        self
    }

    /// Says when asking again may succeed.
    #[must_use]
    pub fn retry_after_s(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, seconds.into())
    }

    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.document.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What programs switch on.
    pub fn code(&self) -> &str {
        &self.document.code
    }

    /// The faults of the input.
    pub fn errors(&self) -> &[FieldFault] {
        &self.document.errors
    }
}

/// Storage failing is no fault of the request: the caller may try again later.
impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        if error.is_temporary() {
            tracing::warn!(%error, "storage unavailable");
            Self::from(kinds::STORAGE_UNAVAILABLE).retry_after_s(2)
        } else {
            Self::internal(&error)
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("a problem has only text keys and plain values");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status();
        response.headers_mut().extend(self.document.headers.clone());
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        // An error must never be kept by a cache between us and the caller.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(self);
        response
    }
}

/// For the router's `fallback`.
pub async fn not_found() -> Problem {
    kinds::NOT_FOUND.into()
}

/// For the router's `method_not_allowed_fallback`.
pub async fn method_not_allowed() -> Problem {
    kinds::METHOD_NOT_ALLOWED.into()
}

/// For `tower_http`'s `CatchPanicLayer::custom`: the panic hook has written the message already.
pub fn panicked(_payload: Box<dyn std::any::Any + Send + 'static>) -> Response {
    Problem::internal(&"a handler panicked").into_response()
}

/// Middleware for `axum::middleware::from_fn`, inside the layer that sets [`REQUEST_ID`] on the request: writes the
/// request's id into problems, and turns errors that are not problem documents (a timeout, a body over the limit)
/// into such.
pub async fn problem_layer(request: Request, next: Next) -> Response {
    let request_id = request.headers().get(REQUEST_ID).and_then(|it| it.to_str().ok()).map(str::to_owned);
    // The gateway has put a well-formed one there: version, trace, parent, flags.
    let trace_id = request.headers().get("traceparent").and_then(|it| it.to_str().ok());
    let trace_id = trace_id.and_then(|parent| parent.split('-').nth(1)).map(str::to_owned);
    let mut response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let mut problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None => plain(status),
    };
    problem.document.request_id = request_id;
    problem.document.trace_id = trace_id;
    // `Allow` or `Retry-After` of whoever refused, and what layers between have added.
    problem.document.headers = std::mem::take(response.headers_mut());
    problem.document.headers.remove(header::CONTENT_LENGTH);
    problem.into_response()
}

/// A problem of which nothing is known but the status.
fn plain(status: StatusCode) -> Problem {
    let known = [
        kinds::NOT_FOUND,
        kinds::METHOD_NOT_ALLOWED,
        kinds::UNSUPPORTED_MEDIA_TYPE,
        kinds::BODY_TOO_LARGE,
        kinds::STORAGE_UNAVAILABLE,
        kinds::INTERNAL,
    ];
    known.into_iter().find(|kind| kind.status == status).map_or_else(
        || {
            let title = status.canonical_reason().unwrap_or("Error");
            let code = title.to_ascii_lowercase().replace([' ', '-'], "_");
            Problem { document: Box::new(Document::new(status, Cow::Owned(code), title)) }
        },
        Problem::from,
    )
}
