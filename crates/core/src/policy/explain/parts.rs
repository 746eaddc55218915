//! The parts of a rule's conditions: what each came out as, and what it looked at.

use super::{place_at, plain};
use crate::policy::condition::ast::{Expr, Function, Kind, Operator};
use crate::policy::condition::failure::What;
use crate::policy::condition::show::{show, sign};
use crate::policy::condition::{Budget, STEPS, View, evaluate, plain as plainly};
use crate::policy::document::RuleTerms;
use crate::policy::rule::Rule;
use crate::policy::source::Source;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longest text of a value that is shown.
const MOST: usize = 120;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    True,
    False,
    /// It has no value.
    Error,
    /// It names a meter that the decision did not need.
    NotRead,
}

/// A side of the outermost `&&` of `when`, or of `unless`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The part in its normal spelling.
    pub text: String,
    /// It belongs to `unless`: the rule holds only if this does not.
    pub excepts: bool,
    pub result: Truth,
    /// What it looked at, and what was there.
    pub found: BTreeMap<String, String>,
    pub says: String,
    pub line: u32,
    pub column: u32,
}

impl Part {
    /// Whether it keeps the rule from holding.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.result == if self.excepts { Truth::True } else { Truth::False }
    }
}

/// Looks at one call.
pub struct Eye<'a, 'v> {
    pub view: &'v View<'a>,
    pub meters: &'a [Arc<str>],
}

impl<'a> Eye<'a, '_> {
    pub fn look(&self, rule: &'a Rule, terms: &RuleTerms) -> Vec<Part> {
        let mut parts = Vec::new();
        if let (Some(when), Some(source)) = (&rule.when, &terms.when) {
            parts.extend(plainly::parts(&when.root).map(|part| self.part(part, source, false)));
        }
        if let (Some(unless), Some(source)) = (&rule.unless, &terms.unless) {
            parts.push(self.part(&unless.root, source, true));
        }
        parts
    }

    fn part(&self, expr: &'a Expr, source: &Source, excepts: bool) -> Part {
        let outcome = evaluate::holds(expr, self.view, &mut Budget(STEPS));
        let text = show(expr, self.meters);
        let found = self.found(expr);
        let (result, says) = match &outcome {
            Ok(true) if excepts => (Truth::True, format!("`{text}` is true, and the rule excepts that")),
            Ok(true) => (Truth::True, format!("`{text}` is true")),
            Ok(false) => (Truth::False, self.why_false(expr, &text, &found)),
            Err(failure) if matches!(failure.what, What::NotRead(_)) => {
                (Truth::NotRead, format!("`{text}` was not needed"))
            }
            Err(failure) => (Truth::Error, plain(&failure.to_string()).to_owned()),
        };
        let mut first = expr.at;
        expr.walk(&mut |inner| first = first.min(inner.at));
        let place = place_at(source, first);
        Part { text, excepts, result, found, says, line: place.line, column: place.column }
    }

    /// `context.amount is 120, needs > 500`.
    fn why_false(&self, expr: &Expr, text: &str, found: &BTreeMap<String, String>) -> String {
        let sides = match &expr.kind {
            Kind::Binary(operator, left, right) => Some((*operator, left, right, "needs")),
            Kind::Not(inner) => match &inner.kind {
                Kind::Binary(operator, left, right) => Some((*operator, left, right, "must not be")),
                _ => None,
            },
            _ => None,
        };
        if let Some((operator, left, right, needs)) = sides {
            let (left, right) = (show(left, self.meters), show(right, self.meters));
            if let Some(value) = found.get(&left) {
                let wanted = match operator {
                    Operator::In => format!("one of {right}"),
                    other => format!("{} {right}", sign(other)),
                };
                let beside = found.get(&right).map(|value| format!(" ({value})")).unwrap_or_default();
                return format!("{left} is {value}, {needs} {wanted}{beside}");
            }
        }
        let seen: Vec<String> = found.iter().take(3).map(|(name, value)| format!("{name} is {value}")).collect();
        if seen.is_empty() { format!("`{text}` is false") } else { format!("{}; needs {text}", seen.join(", ")) }
    }

    /// Members, facts, meters and sizes that the part names, with their values.
    fn found(&self, expr: &'a Expr) -> BTreeMap<String, String> {
        let mut places = Vec::new();
        gather(expr, &mut places);
        places.into_iter().map(|place| (show(place, self.meters), self.value(place))).collect()
    }

    fn value(&self, place: &'a Expr) -> String {
        let text = match evaluate::shown(place, self.view, &mut Budget(STEPS)) {
            Ok(text) => text,
            Err(failure) => match failure.what {
                What::Missing(_) => "missing".to_owned(),
                What::NotRead(_) => "not read".to_owned(),
                _ => format!("without a value ({})", plain(&failure.to_string())),
            },
        };
        match text.char_indices().nth(MOST) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        }
    }
}

/// The outermost places of the call in an expression; what a macro's variable stands for is none.
fn gather<'e>(expr: &'e Expr, places: &mut Vec<&'e Expr>) {
    match &expr.kind {
        Kind::Fact(_) | Kind::Meter(_) => places.push(expr),
        Kind::Select(..) if of_the_call(expr) => places.push(expr),
        Kind::Call(Function::Size, arguments) if arguments.iter().all(of_the_call) => places.push(expr),
        Kind::Macro(shape) => gather(&shape.over, places),
        _ => expr.each_child(&mut |child| gather(child, places)),
    }
}

fn of_the_call(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Select(operand, _) => of_the_call(operand),
        Kind::Context | Kind::Reading(_) => true,
        _ => false,
    }
}
