//! The world and the program over HTTP.

use std::sync::Arc;

use api::Problem;
use axum::Json;
use axum::extract::State;

use crate::service::Staff;
use crate::system::SystemView;
use crate::world::WorldView;

/// Who is where, and how the zones do
#[utoipa::path(get, path = "/api/v1/staff/world", operation_id = "staff_world", tag = "staff",
    responses(
        (status = 200, description = "At most a tenth of a second ago", body = WorldView),
    ))]
pub(super) async fn world(State(staff): State<Arc<Staff>>) -> Result<Json<WorldView>, Problem> {
    Ok(Json(staff.world().await?))
}

/// What runs here: version, health, limits and settings in force
#[utoipa::path(get, path = "/api/v1/staff/system", operation_id = "staff_system", tag = "staff",
    responses(
        (status = 200, description = "Secrets are hidden", body = SystemView),
    ))]
pub(super) async fn system(State(staff): State<Arc<Staff>>) -> Result<Json<SystemView>, Problem> {
    Ok(Json(staff.system().await?))
}
