//! What is usual for an agent, as the risk of its next call is scored by.

use super::caller::Admin;
use super::moment::Moment;
use super::problems::problems;
use crate::error::Error;
use crate::manage::agents;
use crate::sequencer::{Look, Work};
use axum::Json;
use axum::extract::Path;
use runplane_core::profile::{NEEDED, UsualType};
use serde::Serialize;
use utoipa::ToSchema;

problems! {
    /// A question about what is usual for an agent.
    Profiling: InvalidKey, Forbidden, UnknownWorkspace, UnknownAgent, AuditUnavailable, Overloaded, Internal
}

/// What an agent usually does: learned from what was allowed and succeeded.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileView {
    at: Moment,
    /// Actions it was learned from.
    observations: u64,
    /// As many are needed before anything is called usual or unusual.
    needed: u64,
    /// Most observed first.
    types: Vec<UsualView>,
}

/// What is usual of one action type.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsualView {
    r#type: String,
    observations: u64,
    /// Decisions within the last hour, whatever was decided.
    last_hour: u32,
    /// Usual hours have fewer than this; absent while that is not known.
    usually_below_per_hour: Option<u64>,
    /// Usual calls are smaller than this, a decimal as text; absent while that is not known or nothing is measured.
    usually_smaller_than: Option<String>,
}

impl From<UsualType> for UsualView {
    fn from(usual: UsualType) -> Self {
        Self {
            r#type: usual.r#type,
            observations: usual.observations,
            // What is read counts a call that is about to come.
            last_hour: usual.pace.saturating_sub(1),
            usually_below_per_hour: usual.usual_pace.map(|power| 2u64.saturating_pow(u32::from(power) + 1)),
            usually_smaller_than: usual.usual_size.map(|size| size.end().to_string()),
        }
    }
}

/// Read what is usual for an agent.
///
/// Per action type: how often it succeeded, how many calls an hour and which sizes are usual. The risk factor `profile`
/// of the agent's next call is made of this.
#[utoipa::path(get, path = "/api/v1/agents/{id}/profile", operation_id = "getAgentProfile", tag = "agents",
    params(("id" = String, Path, description = "Id of the agent")),
    responses((status = 200, description = "What is usual, as of now", body = ProfileView), Profiling),
    security(("adminToken" = [])))]
pub async fn get_profile(admin: Admin, Path(id): Path<String>) -> Result<Json<ProfileView>, Error> {
    agents::find_agent(&admin.workspace.control(), &id)?;
    let look = |reply| Look { keys: Vec::new(), agent: Some(id), types: None, size: None, reply };
    let seen = admin.workspace.submit(|reply| Work::Look(Box::new(look(reply)))).await?;
    let observations = seen.usual.agent;
    let mut types: Vec<UsualView> = seen.usual.types.into_iter().map(UsualView::from).collect();
    types.sort_by(|a, b| b.observations.cmp(&a.observations).then_with(|| a.r#type.cmp(&b.r#type)));
    Ok(Json(ProfileView { at: Moment(seen.now), observations, needed: NEEDED, types }))
}
