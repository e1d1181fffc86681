//! What runs here: versions, health, limits and settings in force.

use api::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::service::Staff;

/// The program as it runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "version": "0.1.0",
    "engine": "sqlite",
    "database_bytes": 1_048_576,
    "migrations": [1, 2, 3],
    "is_storing": true,
    "is_zone_alive": true,
    "limits": [{"name": "api_account", "policy": "100/min burst 300"}],
    "configuration": "[planet]\nseed = 1  # default\n"
}))]
pub(crate) struct SystemView {
    /// Of the program.
    pub(crate) version: String,
    /// `sqlite` or `postgres`.
    pub(crate) engine: String,
    /// What the database holds; absent if it cannot be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) database_bytes: Option<u64>,
    /// Numbers of the changes of the schema that were made.
    pub(crate) migrations: Vec<u32>,
    /// Whether a decision could be stored now.
    pub(crate) is_storing: bool,
    /// Whether the zone ticks; absent in a process without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) is_zone_alive: Option<bool>,
    /// How often things may be done.
    pub(crate) limits: Vec<LimitView>,
    /// All settings in force as TOML, each with where it is from; secrets are hidden.
    pub(crate) configuration: String,
}

/// How often something may be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LimitView {
    /// What is counted.
    pub(crate) name: String,
    /// The policy, such as `100/min burst 300`, or `off`.
    pub(crate) policy: String,
}

impl Staff {
    /// What runs here.
    pub(crate) async fn system(&self) -> Result<SystemView, Problem> {
        let deps = &self.deps;
        let limits = deps.system.limits().into_iter().map(|(name, policy)| LimitView { name, policy });
        Ok(SystemView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: deps.store.engine().name().to_owned(),
            database_bytes: deps.store.size_bytes().await.ok(),
            migrations: deps.store.applied_migrations().await?,
            is_storing: deps.store.ready().await.is_ok(),
            is_zone_alive: deps.zone.as_ref().map(zone::Handle::is_alive),
            limits: limits.collect(),
            configuration: deps.system.configuration(),
        })
    }
}
