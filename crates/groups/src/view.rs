//! A group as clients see it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rules::Role;

/// A group of accounts that owns together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "group_id": "019aa5c3-1f00-7000-8000-0000000000aa",
    "name": "Harbour Guild",
    "member_count": 3,
    "created_at": "2026-11-21T09:00:00Z",
    "is_dissolved": false,
    "role": "officer",
    "is_invited": false
}))]
pub struct GroupView {
    /// The owner id of what it owns.
    pub group_id: Uuid,
    /// What it is called.
    pub name: String,
    /// Those who have joined.
    pub member_count: u32,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: jiff::Timestamp,
    /// It is no more; only its name is left.
    pub is_dissolved: bool,
    /// What you are in it, or were invited as; absent if you have nothing to do with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// You were invited and have not answered.
    pub is_invited: bool,
    /// Who is in it and who was invited; for those who have joined, and only where one group is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<MemberView>>,
}

/// Somebody in a group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// Who.
    pub account_id: Uuid,
    /// What they are called now.
    pub display_name: String,
    /// What they are in it, or were invited as.
    pub role: Role,
    /// They have not answered yet.
    pub is_invited: bool,
    /// Since they joined or, before that, were invited.
    #[schema(value_type = String, format = DateTime)]
    pub since: jiff::Timestamp,
}
