//! Cedar: all rules in one policy set, which it looks through itself.

use crate::Engine;
use crate::rules::{self, ACTION, BODY, TARGET};
use anyhow::Result;
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use std::fmt::Write;

struct Cedar {
    policies: PolicySet,
    entities: Entities,
    authorizer: Authorizer,
    uids: [EntityUid; 3],
    request: Request,
}

pub fn load(size: usize) -> Result<Box<dyn Engine>> {
    let mut text = format!("permit(principal, action == Action::\"{ACTION}\", resource);\n");
    for (kind, target, amount) in rules::restrictions(size) {
        let (name, target) = (rules::name(kind), rules::target(&target, amount));
        writeln!(
            text,
            "forbid(principal, action == Action::\"{name}\", resource == Target::\"{target}\") \
             when {{ context.amount > {amount} }};"
        )?;
    }
    let uids = [
        "Agent::\"bench\"".parse()?,
        format!("Action::\"{ACTION}\"").parse()?,
        format!("Target::\"{TARGET}\"").parse()?,
    ];
    let request = request(&uids, &serde_json::from_str(BODY)?)?;
    let (authorizer, entities) = (Authorizer::new(), Entities::empty());
    Ok(Box::new(Cedar { policies: text.parse()?, entities, authorizer, uids, request }))
}

fn request(uids: &[EntityUid; 3], body: &serde_json::Value) -> Result<Request> {
    let [principal, action, resource] = uids.clone();
    let context = Context::from_json_value(body["action"]["context"].clone(), None)?;
    Ok(Request::new(principal, action, resource, context, None)?)
}

impl Cedar {
    fn decide_on(&self, request: &Request) -> bool {
        self.authorizer.is_authorized(request, &self.policies, &self.entities).decision() == Decision::Allow
    }
}

impl Engine for Cedar {
    fn decide(&mut self) -> Result<bool> {
        Ok(self.decide_on(&self.request))
    }

    fn decide_bytes(&mut self) -> Result<bool> {
        let request = request(&self.uids, &serde_json::from_str(BODY)?)?;
        Ok(self.decide_on(&request))
    }
}
