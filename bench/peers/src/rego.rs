//! regorus: one module compiled for its virtual machine, which looks through all rules.

use crate::Engine;
use crate::rules::{self, ACTION, BODY};
use anyhow::Result;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Rc, Value};
use std::fmt::Write;

const ENTRY: &str = "data.bench.allowed";

struct Rego {
    machine: RegoVM,
    input: Value,
}

pub fn load(size: usize) -> Result<Box<dyn Engine>> {
    let mut text = String::from("package bench\nimport rego.v1\n");
    for (kind, target, amount) in rules::restrictions(size) {
        let (name, target) = (rules::name(kind), rules::target(&target, amount));
        writeln!(
            text,
            "denied if {{ input.action.type == \"{name}\"; input.action.target == \"{target}\"; \
             input.action.context.amount > {amount} }}"
        )?;
    }
    writeln!(text, "default allowed := false\nallowed if {{ input.action.type == \"{ACTION}\"; not denied }}")?;
    let mut engine = regorus::Engine::new();
    engine.add_policy("bench.rego".to_owned(), text)?;
    let compiled = engine.compile_with_entrypoint(&Rc::from(ENTRY))?;
    let program = Compiler::compile_from_policy(&compiled, &[ENTRY])?;
    let mut machine = RegoVM::new();
    machine.load_program(program);
    Ok(Box::new(Rego { machine, input: Value::from_json_str(BODY)? }))
}

impl Rego {
    fn decide_on(&mut self, input: Value) -> Result<bool> {
        self.machine.set_input(input);
        Ok(self.machine.execute()? == Value::from(true))
    }
}

impl Engine for Rego {
    fn decide(&mut self) -> Result<bool> {
        self.decide_on(self.input.clone())
    }

    fn decide_bytes(&mut self) -> Result<bool> {
        self.decide_on(Value::from_json_str(BODY)?)
    }
}
