//! The console over HTTP. Who may call what is decided before any of this runs.

mod faults;
mod ledger;
mod people;
mod property;
mod system;

use std::sync::Arc;

use api::idempotency::Fingerprint;
use api::{Caller, IdempotencyKey, Problem, cursor};
use serde::{Deserialize, Serialize};
use store::Isolation;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::act::Asked;
use crate::reason::Reason;
use crate::service::Staff;

/// The routes of this crate, to be merged at the root.
pub fn routes(staff: Arc<Staff>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(people::list))
        .routes(routes!(people::get_one))
        .routes(routes!(people::notes, people::add_note))
        .routes(routes!(people::suspend))
        .routes(routes!(people::ban))
        .routes(routes!(people::restore))
        .routes(routes!(people::put_role))
        .routes(routes!(people::movement))
        .routes(routes!(people::sessions))
        .routes(routes!(people::end_sessions))
        .routes(routes!(people::export))
        .routes(routes!(people::erase))
        .routes(routes!(people::keep))
        .routes(routes!(property::freeze))
        .routes(routes!(property::thaw))
        .routes(routes!(property::restore))
        .routes(routes!(property::cancel))
        .routes(routes!(ledger::accounts))
        .routes(routes!(ledger::postings))
        .routes(routes!(ledger::posting))
        .routes(routes!(ledger::reverse))
        .routes(routes!(ledger::check))
        .routes(routes!(ledger::acts))
        .routes(routes!(ledger::approve))
        .routes(routes!(ledger::refuse))
        .routes(routes!(system::world))
        .routes(routes!(system::system))
        .with_state(staff)
}

/// Why you do it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Reported by three players, see ticket 12."}))]
pub(crate) struct ReasonRequest {
    /// 1 to 500 characters, on record.
    #[schema(min_length = 1, max_length = 500)]
    pub(crate) reason: String,
}

/// A list that has one page.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Items<T> {
    /// All of it.
    pub(crate) items: Vec<T>,
}

/// What every act is asked with. `parts` is what its effect depends on beside the reason.
fn asked(
    operation: &str,
    parts: &[&[u8]],
    (caller, key, reason): (Caller, IdempotencyKey, &str),
    isolation: Isolation,
) -> Result<Asked, Problem> {
    let reason = Reason::parse(reason)?;
    let fingerprint = parts.iter().fold(Fingerprint::of(operation), |it, part| it.with(part));
    let fingerprint = fingerprint.with(reason.words().as_bytes());
    Ok(Asked { caller, key, fingerprint, reason: Some(reason), isolation })
}

fn parse_cursor(text: Option<&str>) -> Result<Option<Uuid>, Problem> {
    Ok(text.map(cursor::decode).transpose()?.map(Uuid::from_bytes))
}

/// Goes on when the caller hangs up, so that others hear of what was stored.
async fn to_the_end<T: Send + 'static>(change: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(change).await.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}
