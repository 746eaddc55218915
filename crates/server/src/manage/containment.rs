//! Throwing and releasing containment switches. A switch holds from the next ledger index on.

use super::{apply, names};
use crate::app::App;
use crate::control::Change;
use crate::control::change::kind;
use crate::error::{Error, Kind};
use crate::id;
use crate::workspace::Workspace;
use runplane_core::action;
use runplane_core::catalogue::Catalogue;
use runplane_core::containment::{Scope, Switch};
use runplane_core::policy::finding::nearest;
use runplane_core::value::Object;
use serde_json::json;
use std::sync::Arc;

/// Switches a workspace may have at once: each call is held against all of them.
const MAX_SWITCHES: usize = 1_000;

pub async fn throw(
    app: &App,
    workspace: &Arc<Workspace>,
    by: &str,
    scope: Scope,
    reason: &str,
) -> Result<Switch, Error> {
    let now = app.clock.now();
    let switch = Switch {
        id: id::generate(id::SWITCH, now)?,
        scope: normal(workspace, scope)?,
        reason: names::printable("reason", reason, names::MAX_REASON_BYTES)?,
        by: by.to_owned(),
        at: now,
    };
    let thrown = switch.clone();
    apply(workspace, move |control| {
        if let Scope::Agent(agent) = &thrown.scope
            && !control.agents.contains_key(agent)
        {
            return Err(Error::plain(Kind::UnknownAgent));
        }
        if control.containment.all().len() >= MAX_SWITCHES {
            return Err(Error::new(Kind::InvalidRequest, format!("there are {MAX_SWITCHES} switches already")));
        }
        let detail = json!({ "reason": thrown.reason, "scope": thrown.scope, "switch": thrown.id });
        let mut change = Change::of(control, &thrown.by, "switch_thrown", detail);
        change.put(kind::SWITCH, &thrown.id, &thrown)?;
        let failed = |failure: runplane_core::containment::SwitchError| Error::internal(failure.to_string());
        change.next.containment.throw(thrown.clone()).map_err(failed)?;
        Ok((change, ()))
    })
    .await?;
    tracing::warn!(workspace = %workspace.name, switch = %switch.id, scope = ?switch.scope, "containment thrown");
    Ok(switch)
}

/// A switch on another spelling of a name would stop nothing.
fn normal(workspace: &Workspace, scope: Scope) -> Result<Scope, Error> {
    Ok(match scope {
        Scope::ActionType(name) => {
            if name.contains(['*', '?', '[']) {
                let detail = "`value` is one action type; a pattern would stop nothing";
                return Err(Error::new(Kind::InvalidRequest, detail));
            }
            let control = workspace.control();
            let catalogue =
                control.bundle.as_ref().map_or_else(Catalogue::builtin, |bundle| bundle.catalogue().clone());
            let action = action::resolve(&catalogue, name.trim(), None, &Object::new())
                .map_err(|problem| Error::new(Kind::InvalidRequest, format!("`value` {problem}")))?;
            let name = action.canonical.to_string();
            // Stopping what is misspelt stops nothing; a name of one's own, near no other, may be meant.
            if catalogue.get(&name).is_none()
                && let Some(help) = nearest(&name, catalogue.types().map(|known| known.name.as_ref()))
            {
                return Err(Error::new(Kind::InvalidRequest, format!("no action type is called `{name}`: {help}")));
            }
            Scope::ActionType(name)
        }
        Scope::Source(source) => Scope::Source(names::normal("value", &source)?),
        Scope::Workspace | Scope::Agent(_) => scope,
    })
}

pub async fn release(workspace: &Arc<Workspace>, by: &str, switch: String) -> Result<Switch, Error> {
    let by = by.to_owned();
    let (released, ..) = apply(workspace, move |control| {
        let mut containment = control.containment.clone();
        let released = containment.release(&switch).map_err(|_| Error::plain(Kind::UnknownSwitch))?;
        let detail = json!({ "scope": released.scope, "switch": released.id });
        let mut change = Change::of(control, &by, "switch_released", detail);
        change.delete(kind::SWITCH, &released.id);
        change.next.containment = containment;
        Ok((change, released))
    })
    .await?;
    tracing::warn!(workspace = %workspace.name, switch = %released.id, "containment released");
    Ok(released)
}
