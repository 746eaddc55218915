//! An approval as people and programs see it.

use super::shown::Shown;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::find;
use crate::guard::RequirementView;
use crate::held::Held;
use crate::people::{Person, Role, name_of};
use crate::workspace::Workspace;
use runplane_core::approval::Verdict;
use runplane_core::call::Call;
use runplane_core::json;
use runplane_core::time::Micros;
use runplane_core::value::Value;
use runplane_store::Payload;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The human step of a held action.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalView {
    pub id: String,
    /// `pending`, `approved`, `denied` or `expired`.
    pub status: String,
    /// The same with all its states: `redeemed`, `refused` and `cancelled` besides.
    pub state: String,
    pub request_id: String,
    pub agent: AskingAgent,
    /// RFC 3339.
    pub created_at: String,
    pub expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    pub action: HeldAction,
    /// Digest of the exact action that is approved, and of no other.
    pub digest: String,
    /// Why it is held.
    pub reason: String,
    pub matched_rule: String,
    pub risk_score: u8,
    pub severity: String,
    pub requirements: Vec<RequirementView>,
    pub votes: Vec<VoteView>,
    /// Whether the person who asks may approve or deny it now; absent for agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_decide: Option<bool>,
    /// Why not, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cannot_decide_because: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AskingAgent {
    pub id: String,
    pub name: String,
}

/// What would happen.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldAction {
    pub r#type: String,
    pub declared: String,
    pub target: String,
    pub environment: String,
    /// The arguments; `null` when they are no longer kept.
    #[schema(value_type = Object)]
    pub context: serde_json::Value,
    /// One line, made by the server from the stored action.
    pub summary: String,
    /// All of it, field by field, hidden characters spelled out.
    pub text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VoteView {
    /// Id of a user, or `admin` for the admin token.
    pub by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_name: Option<String>,
    pub at: String,
    /// `approve` or `deny`.
    pub verdict: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// WIRE: all that the published client reads.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolledStatus {
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// The stored action of a held call, as it was recorded; `None` when the payload is no longer kept.
pub fn stored_call(workspace: &Workspace, index: u64) -> Result<Option<Call>, Error> {
    let Payload::Present(payload) = workspace.store.load_payload(&workspace.id, index)? else { return Ok(None) };
    let control = workspace.control();
    let Some(bundle) = control.bundle.as_ref() else { return Ok(None) };
    let stored = Call::from_payload(&payload.bytes)
        .map_err(|failure| Error::internal("a stored action could not be read").because(failure))?;
    // A catalogue of today may resolve it differently; what is shown is then the declared form only.
    Ok(stored.as_recorded(bundle.catalogue()).ok())
}

impl ApprovalView {
    /// As `person` sees it; an agent is nobody here.
    pub fn of(workspace: &Workspace, held: &Held, person: Option<&Person>) -> Result<Self, Error> {
        let objection = person.map(|person| objection(person, held, workspace.clock.now()));
        let approval = &held.approval;
        let body = find::decision_at(&*workspace.store, &workspace.id, held.index)?
            .ok_or_else(|| Error::internal("the decision behind an approval is missing"))?;
        let control = workspace.control();
        let call = stored_call(workspace, held.index)?;
        let shown =
            call.as_ref().zip(control.bundle.as_ref()).map(|(call, bundle)| Shown::of(call, bundle.catalogue()));
        let context = match &call {
            Some(call) => to_json(&Value::Object(call.context.clone()))?,
            None => serde_json::Value::Null,
        };
        let name = control.agents.get(&approval.agent).map(|agent| agent.name.clone()).unwrap_or_default();
        let fallback = format!("{} on {}", body.action.r#type, body.target);
        Ok(Self {
            id: approval.id.clone(),
            status: approval.state.status().to_owned(),
            state: approval.state.as_str().to_owned(),
            request_id: approval.request_id.clone(),
            agent: AskingAgent { id: approval.agent.clone(), name },
            created_at: rfc3339(approval.created_at),
            expires_at: rfc3339(approval.expires_at),
            resolved_at: approval.resolved_at.map(rfc3339),
            resolved_by: approval.resolved_by.clone(),
            comment: approval.comment.clone(),
            action: HeldAction {
                r#type: body.action.r#type.clone(),
                declared: body.action.declared.clone(),
                target: body.target.clone(),
                environment: body.environment.clone(),
                context,
                summary: shown.as_ref().map_or(fallback, |shown| shown.summary.clone()),
                text: shown.map(|shown| shown.text).unwrap_or_default(),
            },
            digest: approval.digest.to_string(),
            reason: body.decision.reason.clone(),
            matched_rule: body.decision.matched_rule.to_string(),
            risk_score: body.decision.risk.score,
            severity: body.decision.severity.as_str().to_owned(),
            requirements: approval.requirements.iter().map(RequirementView::from).collect(),
            votes: approval
                .votes
                .iter()
                .map(|vote| VoteView {
                    by: vote.by.clone(),
                    by_name: name_of(&control, &vote.by),
                    at: rfc3339(vote.at),
                    verdict: match vote.verdict {
                        Verdict::Approve => "approve".to_owned(),
                        Verdict::Deny => "deny".to_owned(),
                    },
                    comment: vote.comment.clone(),
                })
                .collect(),
            can_decide: objection.as_ref().map(Option::is_none),
            cannot_decide_because: objection.flatten(),
        })
    }
}

/// Why a vote of this person would not count, if so. The same questions are asked when the vote comes.
fn objection(person: &Person, held: &Held, now: Micros) -> Option<String> {
    let role = person.require(Role::Approver).err().map(|refused| refused.detail);
    role.or_else(|| held.approval.may_vote(&person.voter(), now).err().map(|refused| refused.to_string()))
}

/// Exact numbers survive: the canonical text is what is parsed.
fn to_json(value: &Value) -> Result<serde_json::Value, Error> {
    serde_json::from_slice(&json::to_canonical(value))
        .map_err(|failure| Error::internal("a stored action could not be shown").because(failure))
}

impl PolledStatus {
    /// WIRE: `expired` would be a time-out to this client, and in fail-open mode it would run the action.
    #[must_use]
    pub fn of(held: &Held) -> Self {
        let approval = &held.approval;
        let status = match approval.state.status() {
            "expired" => "denied",
            status => status,
        };
        Self {
            status: status.to_owned(),
            resolved_at: approval.resolved_at.map(rfc3339),
            resolved_by: approval.resolved_by.clone(),
            comment: approval.comment.clone(),
        }
    }

    /// Its one run belongs to whoever redeemed it through the other door.
    #[must_use]
    pub fn redeemed_elsewhere(held: &Held) -> Self {
        Self {
            status: "denied".to_owned(),
            comment: Some("the approval was redeemed before".to_owned()),
            ..Self::of(held)
        }
    }

    /// The same for an approval that does not exist and one that is somebody else's.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            status: "denied".to_owned(),
            resolved_at: None,
            resolved_by: None,
            comment: Some("unknown approval".to_owned()),
        }
    }
}
