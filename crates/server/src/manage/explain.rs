//! What the policies, or a draft beside them, say of a call. Nothing is recorded and nothing charged.
//!
//! The call goes through the guard's own normalising, reading and preparing. Under the policies in force it finds the
//! meters as they are at this moment; what it would then decide is what a guard would decide if nothing came between.

use super::{policies, publish};
use crate::app::App;
use crate::control::{Agent, AgentStatus, Control};
use crate::error::{Error, Kind};
use crate::guard::{Identity, Shape, normalise};
use crate::sequencer::{Look, Seen, Work};
use crate::tasks;
use crate::workspace::Workspace;
use runplane_core::call::Call;
use runplane_core::decide::{self, Facts, Prepared};
use runplane_core::inspect;
use runplane_core::policy::Bundle;
use runplane_core::policy::explain::{self, Explanation};
use runplane_core::time::Micros;
use std::sync::Arc;

/// What to explain.
pub struct Question {
    /// The body of a guard request.
    pub call: Vec<u8>,
    /// A registered agent; without it, a production agent that nobody registered.
    pub agent: Option<String>,
    /// A document to try in place of the published one of its name.
    pub yaml: Option<String>,
    /// When; without it, now.
    pub at: Option<Micros>,
}

pub struct Answer {
    pub explanation: Explanation,
    pub call: Call,
    pub readings: serde_json::Value,
    pub bundle: String,
    pub epoch: u64,
    pub is_draft: bool,
    pub at: Micros,
}

pub async fn explain(app: &App, workspace: &Arc<Workspace>, question: Question) -> Result<Answer, Error> {
    let control = workspace.control();
    let (now, is_draft) = (app.clock.now(), question.yaml.is_some());
    let asked_at = question.at;
    let agent = question.agent.clone();
    let identity = Identity {
        workspace: Arc::clone(workspace),
        agent: asking(&control, agent.as_deref(), now)?,
        control: Arc::clone(&control),
        key: String::new(),
    };
    let (bundle, policies, prepared) = tasks::blocking(move || prepare(&identity, question, now)).await?;
    let keys = prepared.meter_keys().copied().collect();
    let (types, size) = (Some(prepared.call().action.own_types.clone()), prepared.size());
    let seen = workspace.submit(|reply| Work::Look(Box::new(Look { keys, agent, types, size, reply }))).await?;
    let at = asked_at.unwrap_or(seen.now);
    let containment = control.containment.hit(prepared.call());
    let Seen { meters, open_approvals, usual, .. } = seen;
    let facts = Facts { now: at, meters, containment, approval: None, open_approvals, usual: Some(usual) };
    let readings = serde_json::from_slice(&runplane_core::json::to_canonical(&prepared.readings().to_value()));
    let digest = bundle.digest().to_string();
    let (explanation, call) = tasks::blocking(move || {
        let explanation = explain::explain(&bundle, &policies, &prepared, &facts);
        Ok((explanation, prepared.call().clone()))
    })
    .await?;
    Ok(Answer {
        explanation,
        call,
        readings: readings.unwrap_or_default(),
        bundle: digest,
        epoch: control.epoch,
        is_draft,
        at,
    })
}

type Made = (Arc<Bundle>, Vec<(String, String)>, Prepared);

/// The call under the bundle it is asked about.
fn prepare(identity: &Identity, question: Question, now: Micros) -> Result<Made, Error> {
    let control: &Control = &identity.control;
    let is_draft = question.yaml.is_some();
    let (drafted, _) = policies::drafted(control, question.yaml, now);
    let bundle = if is_draft {
        Arc::new(publish::compile(&drafted).map_err(|errors| publish::refused(&errors))?.0)
    } else {
        control.bundle.clone().ok_or_else(|| Error::new(Kind::InvalidRequest, "no policies are in force"))?
    };
    let request = normalise(&question.call, Shape::Guard, identity, &bundle)
        .map_err(|refusal| Error::new(Kind::InvalidRequest, refusal.reason))?;
    let mut call = request.call;
    let readings = inspect::read_all(&mut call, bundle.catalogue(), bundle.settings());
    let prepared = decide::prepare(&bundle, call, readings);
    Ok((bundle, publish::inputs(&drafted).policies, prepared))
}

/// The registered agent, or one in production that nobody registered.
fn asking(control: &Control, id: Option<&str>, now: Micros) -> Result<Arc<Agent>, Error> {
    let Some(id) = id else {
        return Ok(Arc::new(Agent {
            id: "agt_nobody".to_owned(),
            name: "nobody".to_owned(),
            environment: "production".to_owned(),
            labels: Vec::new(),
            owner: None,
            source: None,
            asserts_subject: false,
            status: AgentStatus::Active,
            created_at: now,
        }));
    };
    control.agents.get(id).cloned().ok_or_else(|| Error::plain(Kind::UnknownAgent))
}
