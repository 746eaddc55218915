//! What is being done: the declared name turned into a canonical action.
//!
//! A known name becomes its canonical type with all its parents. An unknown name is evidence only: its
//! effect is guessed from its verbs in `evidence`, strictly. A tool's own name can add types, never
//! remove one. INVARIANT: types are only ever added; what was declared never leaves the set.

mod evidence;

use crate::catalogue::{ActionType, Catalogue, Domain, Effect, TypeName};
use crate::inspect::{Inspector, Inspectors};
use crate::text::{self, TextError};
use crate::value::Object;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// As the caller wrote it.
    pub declared: String,
    pub canonical: TypeName,
    /// Everything the call is: the canonical type, what its payload shows, and the parents of all these.
    pub types: Vec<TypeName>,
    /// The members of `types` that are there in their own right, not only as somebody's parent. An
    /// ALLOW has to cover each of these.
    pub own_types: Vec<TypeName>,
    /// Whether the catalogue knows the canonical type.
    pub known: bool,
    pub domain: Domain,
    /// The strictest of all types.
    pub effect: Effect,
    pub reversible: bool,
    /// The highest inherent risk of all types.
    pub base_risk: u8,
    /// The effect was guessed from an unknown name.
    pub inferred: bool,
    /// The tool the program will run, if it says so.
    pub tool: Option<String>,
    /// What reads the payload.
    pub inspectors: Inspectors,
}

/// Inherent risk of what nobody knows.
const UNKNOWN_RISK: u8 = 50;
/// What looks into the arguments of an action nobody knows, wherever there is something for it to read.
const UNKNOWN_INSPECTORS: Inspectors =
    Inspectors::of(&[Inspector::Sql, Inspector::Url, Inspector::Shell, Inspector::File]);
/// Where calls that run a tool by name put that name.
const TOOL_KEYS: [&str; 3] = ["tool", "toolName", "name"];
const RUNS_TOOL: &str = "execute_mcp_tool";
const CHANGES_STRUCTURE: &str = "modify_schema";
const DELETES: &str = "delete_records";

/// Turns a declared name into an action. Refuses only names that cannot be shown to a person.
pub fn resolve(
    catalogue: &Catalogue,
    declared: &str,
    tool: Option<&str>,
    context: &Object,
) -> Result<Action, TextError> {
    let mut action = match catalogue.find(declared) {
        Some(kind) => known(catalogue, kind, declared),
        None => unknown(catalogue, declared, context)?,
    };
    if let Some(tool) = tool {
        text::printable(tool)?;
        if tool.len() > text::MAX_NAME_BYTES {
            return Err(TextError::TooLong { limit: text::MAX_NAME_BYTES });
        }
        action.tool = Some(tool.to_owned());
        action.add_meant(catalogue, tool);
    }
    if &*action.canonical == RUNS_TOOL {
        for named in TOOL_KEYS.iter().filter_map(|key| context.get(key)?.as_text()) {
            action.add_meant(catalogue, named);
        }
    }
    Ok(action)
}

fn known(catalogue: &Catalogue, kind: &ActionType, declared: &str) -> Action {
    let definition = &kind.definition;
    let mut action = Action {
        declared: declared.to_owned(),
        canonical: TypeName::clone(&kind.name),
        types: Vec::with_capacity(kind.lineage.len()),
        own_types: Vec::with_capacity(1),
        known: true,
        domain: definition.domain,
        effect: definition.effect,
        reversible: definition.reversible,
        base_risk: definition.risk,
        inferred: false,
        tool: None,
        inspectors: Inspectors::default(),
    };
    action.take(kind);
    // What `DROP TABLE` is by its text, `drop_table` is by its name.
    if &*kind.name == CHANGES_STRUCTURE && evidence::removes_rows(declared) {
        action.add(catalogue, DELETES);
    }
    action
}

fn unknown(catalogue: &Catalogue, declared: &str, context: &Object) -> Result<Action, TextError> {
    text::printable(declared)?;
    let canonical: TypeName = evidence::canonical(declared)?.into();
    let effect = evidence::effect(declared, context);
    let mut action = Action {
        declared: declared.to_owned(),
        types: vec![TypeName::clone(&canonical)],
        own_types: vec![TypeName::clone(&canonical)],
        canonical,
        known: false,
        domain: Domain::Unknown,
        effect,
        reversible: effect == Effect::Read,
        base_risk: match effect {
            Effect::Read => 10,
            Effect::Write => 40,
            Effect::Destructive => 70,
            Effect::Unknown => UNKNOWN_RISK,
        },
        inferred: effect != Effect::Unknown,
        tool: None,
        inspectors: UNKNOWN_INSPECTORS,
    };
    // `db.delete_records` is not ours, but restrictions on `delete_records` hold for it.
    if let Some((_, last)) = declared.rsplit_once(['.', '/', ':']) {
        action.add_meant(catalogue, last);
    }
    for name in evidence::other_names(declared) {
        action.add_meant(catalogue, &name);
    }
    Ok(action)
}

impl Action {
    /// Whether the call is of this type, in its own right or as a child of it.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.types.iter().any(|member| **member == *name)
    }

    /// Adds a canonical type that the payload shows the call to be, with its parents.
    pub fn add(&mut self, catalogue: &Catalogue, name: &str) {
        if let Some(kind) = catalogue.get(name) {
            self.take(kind);
        }
    }

    /// Adds the type that a name means, if the catalogue knows it.
    fn add_meant(&mut self, catalogue: &Catalogue, name: &str) {
        if let Some(kind) = catalogue.find(name) {
            self.take(kind);
        }
    }

    fn take(&mut self, kind: &ActionType) {
        if self.own_types.contains(&kind.name) {
            return;
        }
        self.own_types.push(TypeName::clone(&kind.name));
        for name in &kind.lineage {
            if !self.types.contains(name) {
                self.types.push(TypeName::clone(name));
            }
        }
        let definition = &kind.definition;
        self.effect = self.effect.max(definition.effect);
        self.reversible &= definition.reversible;
        self.base_risk = self.base_risk.max(definition.risk);
        self.inspectors.add(&definition.inspectors);
    }
}

#[cfg(test)]
mod tests;
