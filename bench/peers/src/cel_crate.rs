//! The `cel` crate: programs compiled once, found by action, the environment shared.

use crate::Engine;
use crate::rules::{self, BODY};
use anyhow::{Result, anyhow};
use cel::{Context, Env, Program, Value};
use std::sync::Arc;

struct Cel {
    /// Those of the measured action; no other is looked at.
    restrictions: Vec<Program>,
    environment: Arc<Env>,
    prepared: Context<'static, 'static>,
}

pub fn load(size: usize) -> Result<Box<dyn Engine>> {
    let environment = Arc::new(Env::stdlib());
    let mut restrictions = Vec::new();
    for (kind, target, amount) in rules::restrictions(size) {
        let target = rules::target(&target, amount);
        let text = format!("action.target == \"{target}\" && action.context.amount > {amount}");
        let program = environment.compile(&text).map_err(|error| anyhow!("{error}"))?;
        if kind == 0 {
            restrictions.push(program);
        }
    }
    let prepared = context(&environment)?;
    Ok(Box::new(Cel { restrictions, environment, prepared }))
}

fn context(environment: &Arc<Env>) -> Result<Context<'static, 'static>> {
    let body: serde_json::Value = serde_json::from_str(BODY)?;
    let mut context = Context::with_env(Arc::clone(environment));
    let action = cel::to_value(&body["action"]).map_err(|error| anyhow!("{error}"))?;
    context.add_variable("action", action).map_err(|_| anyhow!("the action is no value"))?;
    Ok(context)
}

impl Cel {
    fn decide_on(&self, context: &Context<'_, '_>) -> Result<bool> {
        for program in &self.restrictions {
            match program.execute(context) {
                Ok(Value::Bool(false)) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

impl Engine for Cel {
    fn decide(&mut self) -> Result<bool> {
        self.decide_on(&self.prepared)
    }

    fn decide_bytes(&mut self) -> Result<bool> {
        self.decide_on(&context(&self.environment)?)
    }
}
