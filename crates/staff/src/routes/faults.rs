//! What any act may be answered with because of how it was asked.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::response::Response;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

/// Faults of the request, whatever the act.
pub(super) struct ActFaults;

impl IntoResponses for ActFaults {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let faults = [
            ("400", "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`, `malformed_json`"),
            ("413", "`body_too_large`"),
            ("415", "`unsupported_media_type`"),
            ("422", "`invalid_body` with a pointer; `idempotency_key_reused`"),
            ("429", "`too_many_decisions`: 1000 in 24 hours"),
        ];
        faults.into_iter().map(|(status, text)| (status.to_owned(), problem(text).into())).collect()
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}
