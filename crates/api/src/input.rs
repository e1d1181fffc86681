//! Extractors whose faults are problem documents.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::{Problem, kinds};

/// A JSON object as body. Answers 400 if it is not JSON, 422 with a pointer if it has another shape, 413 or 415 as due.
#[derive(Clone, Copy, Debug)]
pub struct ValidJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ValidJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(kinds::UNSUPPORTED_MEDIA_TYPE.into());
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                Problem::from(kinds::BODY_TOO_LARGE)
            }
            rejection => kinds::MALFORMED_JSON.detail(rejection.body_text()),
        })?;
        // Serde would take a list for an object, its values in the order of the members.
        if body.iter().find(|it| !it.is_ascii_whitespace()) == Some(&b'[') {
            return Err(Problem::from(kinds::INVALID_BODY).at("#", "must be an object"));
        }
        let mut json = serde_json::Deserializer::from_slice(&body);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let pointer = pointer(error.path());
            let cause = error.into_inner();
            match cause.classify() {
                serde_json::error::Category::Data => {
                    Problem::from(kinds::INVALID_BODY).at(pointer, without_position(&cause))
                }
                _ => kinds::MALFORMED_JSON.detail(cause.to_string()),
            }
        })?;
        json.end().map_err(|cause| kinds::MALFORMED_JSON.detail(cause.to_string()))?;
        Ok(Self(value))
    }
}

/// `application/json`, or a type that ends in `+json`, with any parameters.
fn is_json(request: &Request) -> bool {
    let declared =
        request.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Where in the body, as a JSON Pointer fragment: `#/colors/0`.
fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold("#".to_owned(), |pointer, segment| match segment {
        Segment::Map { key } => format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { variant } => format!("{pointer}/{variant}"),
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Unknown => pointer,
    })
}

/// The pointer says where; line and column only repeat it.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").map_or(text.clone(), |end| text[..end].to_owned())
}

/// Query parameters. Answers 400 if one is missing or wrong.
#[derive(Clone, Copy, Debug)]
pub struct ValidQuery<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for ValidQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(value) = Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection| kinds::INVALID_QUERY.detail(rejection.body_text()))?;
        Ok(Self(value))
    }
}

/// Path parameters. Answers 400 if one cannot be read.
#[derive(Clone, Copy, Debug)]
pub struct ValidPath<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for ValidPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(value) = Path::from_request_parts(parts, state)
            .await
            .map_err(|rejection| kinds::INVALID_PATH.detail(rejection.body_text()))?;
        Ok(Self(value))
    }
}
