//! Conditions: text to tree at publish, tree to truth per call.
//!
//! What must stay true: a condition that was published evaluates without panicking on every call, to
//! true, false or a failure; parsing happens at publish only.

pub mod ast;
mod calls;
pub mod evaluate;
pub mod failure;
pub(crate) mod functions;
pub mod known;
mod lower;
pub mod names;
mod parse;
pub mod past;
pub mod plain;
mod prescan;
pub mod show;
pub mod term;
mod types;
pub mod view;

pub use evaluate::{Budget, STEPS};
pub use failure::Failure;
pub use known::Known;
pub use names::Names;
pub use view::{State, View};

use super::finding::Findings;
use super::source::Source;
use ast::{Expr, Kind};
use std::collections::HashMap;

/// A published condition.
#[derive(Clone, Debug)]
pub struct Condition {
    pub root: Expr,
    /// It names `now`, `risk` or meters, so it has no value before the call is in its place in the log.
    pub needs_state: bool,
    /// The meters it names, by place in the bundle; ascending, no duplicates.
    pub meters: Vec<u32>,
}

/// What the value of a condition must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Truth,
    Number,
}

/// Condition texts that are parsed together, so that a publish needs one parser thread.
#[derive(Default)]
pub struct Batch<'a> {
    texts: Vec<&'a str>,
    /// Equal texts are parsed once.
    known: HashMap<&'a str, Ticket>,
}

/// A text's place in its batch.
#[derive(Clone, Copy, Debug)]
pub struct Ticket(usize);

/// The trees of a batch.
pub struct Parsed {
    trees: Vec<Result<parse::Tree, prescan::Refusal>>,
}

impl<'a> Batch<'a> {
    pub fn add(&mut self, source: &'a Source) -> Ticket {
        *self.known.entry(&source.text).or_insert_with(|| {
            self.texts.push(&source.text);
            Ticket(self.texts.len() - 1)
        })
    }

    #[must_use]
    pub fn parse(self) -> Parsed {
        Parsed { trees: parse::parse_all(&self.texts) }
    }
}

impl Parsed {
    /// The condition, or `None` with the reasons in `findings`.
    pub fn condition(
        &self,
        ticket: Ticket,
        source: &Source,
        wanted: Wanted,
        names: &Names<'_>,
        findings: &mut Findings,
    ) -> Option<Condition> {
        match self.trees.get(ticket.0)? {
            Ok(tree) => {
                let root = lower::lower(tree, source, names, findings)?;
                let needed = if wanted == Wanted::Truth { ast::TypeWord::Bool } else { ast::TypeWord::Number };
                if let Some(found) = types::known(&root).filter(|found| *found != needed) {
                    let message = format!("the condition is a {}, not a {}", found.as_str(), needed.as_str());
                    findings.error(source.place_of(0), message, None);
                    return None;
                }
                Some(Condition::of(root, names.state_allowed))
            }
            Err(refusal) => {
                findings.error(source.place_of(refusal.offset), refusal.message.clone(), None);
                None
            }
        }
    }
}

impl Condition {
    pub(crate) fn of(root: Expr, state_allowed: bool) -> Self {
        let mut meters = Vec::new();
        root.walk(&mut |expr| {
            if let Kind::Meter(index) = &expr.kind {
                meters.push(*index);
            }
        });
        meters.sort_unstable();
        meters.dedup();
        Self { needs_state: state_allowed && plain::needs_state(&root), meters, root }
    }
}

#[cfg(test)]
mod tests;
