//! The `RateLimit` fields of an answer (draft-ietf-httpapi-ratelimit-headers-11).
//!
//! Each policy that was asked is listed: its size and the time to fill it in `RateLimit-Policy`, what is left and
//! when that changes in `RateLimit`.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::Taken;

/// What may be asked how often.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What is left of it.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Adds `taken` to the fields of an answer, behind what stands there.
pub fn add_fields(headers: &mut HeaderMap, taken: &[Taken]) {
    if taken.is_empty() {
        return;
    }
    add(headers, RATE_LIMIT_POLICY, taken.iter().map(Taken::policy_item));
    add(headers, RATE_LIMIT, taken.iter().map(Taken::level_item));
}

fn add(headers: &mut HeaderMap, name: HeaderName, items: impl Iterator<Item = String>) {
    let before = headers.get(&name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let items: Vec<String> = before.into_iter().chain(items).collect();
    let value = HeaderValue::from_str(&items.join(", ")).expect("names and numbers are plain ASCII");
    headers.insert(name, value);
}
