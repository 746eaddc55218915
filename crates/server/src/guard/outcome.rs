//! What the program says happened after it was allowed to run.

use super::identify::Identity;
use super::sequence::caller;
use crate::error::{Error, Kind};
use crate::find;
use crate::held::Held;
use crate::sequencer::{Report, Reported, Work};
use crate::tasks;
use runplane_core::approval::State;
use runplane_core::outcome::Outcome as Decided;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// How the action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Succeeded,
    Failed,
    /// It may or may not have taken effect.
    Unknown,
}

impl Outcome {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// Records the report for a decision of this agent that let the action run.
pub async fn report(
    identity: &Identity,
    request_id: String,
    outcome: Outcome,
    detail: Option<String>,
) -> Result<Reported, Error> {
    let workspace = Arc::clone(&identity.workspace);
    let (agent, wanted) = (identity.agent.id.clone(), request_id.clone());
    let (index, charged, learned) = tasks::blocking(move || {
        let found = find::decision_of(&*workspace.store, &workspace.id, &agent, &wanted)?;
        let (index, body) = found.ok_or_else(|| Error::plain(Kind::UnknownRequest))?;
        let ran = match (&body.decision.outcome, &body.held_as) {
            (Decided::Allow, _) => Some(index),
            (Decided::RequireApproval, Some(held_as)) => workspace
                .store
                .load_approval(&workspace.id, &held_as.id)?
                .map(|row| Held::parse(&row.bytes))
                .transpose()?
                .filter(|held| held.approval.state == State::Redeemed)
                .and_then(|held| held.redeemed_index),
            _ => None,
        };
        let not_run = || Error::new(Kind::NotExecutable, "the action was not allowed to run, so there is no outcome");
        let charged = {
            let control = workspace.control();
            find::charged_at(&*workspace.store, &workspace.id, ran.ok_or_else(not_run)?, control.bundle.as_deref())?
        };
        let learned = body.observation().filter(|_| outcome == Outcome::Succeeded);
        Ok((index, charged, learned))
    })
    .await?;
    let caller = caller(identity, false);
    let status = outcome.as_str();
    identity
        .workspace
        .submit(|reply| {
            Work::Report(Box::new(Report { caller, index, request_id, status, detail, charged, learned, reply }))
        })
        .await
}
