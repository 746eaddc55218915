//! Conditions about the past: `formerly`, `count`, `sum`, `previous` and `since`.
//!
//! Each becomes a counter that is kept while calls are recorded, and reading it costs the same however long the past
//! is. So what is asked about past calls may look at those calls alone; with the call that is being decided they are
//! only compared for equality, member with member, and what is compared is the key under which is counted. Refuses
//! everything else at publish, with its place and how to write it.

use super::ast::{Expr, Kind, Operator, TypeWord};
use super::lower::Lowering;
use super::names::{self, Names};
use super::{Condition, types};
use crate::decimal::Decimal;
use crate::digest::{Digest, sha256};
use crate::meter::{GroupId, On, Op};
use crate::policy::counter::{Counter, Counts, Own, Per};
use crate::policy::document::LONGEST_WINDOW;
use crate::policy::program::key;
use crate::policy::selector::{Actions, Targets};
use crate::time::Span;
use cel::common::ast::{CallExpr, Expr as Parsed, IdedExpr, LiteralValue};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All counters of a bundle in the making.
#[derive(Default)]
pub struct Counters {
    pub list: Vec<Counter>,
    /// Those of conditions about the past: the same question is counted once.
    known: BTreeMap<Digest, u32>,
}

impl Counters {
    pub fn push(&mut self, counter: Counter) -> u32 {
        self.list.push(counter);
        u32::try_from(self.list.len() - 1).unwrap_or(u32::MAX)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    Formerly,
    Count,
    Sum,
    Previous,
    Since,
}

const QUESTIONS: [(&str, Question, &str); 5] = [
    ("formerly", Question::Formerly, "`formerly(window, condition)`"),
    ("count", Question::Count, "`count(window, condition)`"),
    ("sum", Question::Sum, "`sum(window, number, condition)`"),
    ("previous", Question::Previous, "`previous(window, condition)`"),
    ("since", Question::Since, "`since(window, event, reset)`"),
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    QUESTIONS.iter().map(|(name, _, _)| *name)
}

/// The name by which the past call is asked about.
const PAST: &str = "past";

/// What a predicate over past calls says, taken apart.
#[derive(Default)]
struct Predicate {
    /// Of the past call, and of this one.
    keys: Vec<(Per, Per)>,
    on: Vec<On>,
    rest: Option<Expr>,
}

/// `None` if the name is none of ours.
pub(super) fn lower(lowering: &mut Lowering<'_>, call: &CallExpr, at: u32) -> Option<Kind> {
    let (name, question, form) = QUESTIONS.iter().find(|(name, _, _)| *name == call.func_name)?;
    if call.target.is_some() {
        return None;
    }
    if !lowering.names.state_allowed {
        return Some(lowering.refuse(at, "what is counted cannot itself look at the past"));
    }
    let kind = match (question, call.args.as_slice()) {
        (Question::Formerly | Question::Count | Question::Previous, [window, predicate]) => {
            let within = window_of(lowering, window);
            let predicate = read(lowering, predicate);
            within.zip(predicate).map(|(within, predicate)| (within, predicate, None, None))
        }
        (Question::Sum, [window, number, predicate]) => {
            let within = window_of(lowering, window);
            let number = number_of(lowering, number);
            let predicate = read(lowering, predicate);
            within
                .zip(predicate)
                .zip(number)
                .map(|((within, predicate), number)| (within, predicate, Some(number), None))
        }
        (Question::Since, [window, event, reset]) => {
            let within = window_of(lowering, window);
            let (first, second) = (read(lowering, event), read(lowering, reset));
            let asked =
                |predicate: &Predicate| -> Vec<Per> { predicate.keys.iter().map(|(_, own)| own.clone()).collect() };
            if let (Some(first), Some(second)) = (&first, &second)
                && asked(first) != asked(second)
            {
                let at = start(lowering, reset);
                return Some(
                    lowering.refuse(at, "the event and its reset have to compare the same members of this call"),
                );
            }
            within.zip(first).zip(second).map(|((within, first), second)| (within, first, None, Some(second)))
        }
        _ => return Some(lowering.refuse(at, format!("it is written {form}"))),
    };
    let Some((within, predicate, number, reset)) = kind else { return Some(Kind::Unknown("".into())) };
    let place = place(lowering, (name, *question), within, &predicate, number, reset.as_ref(), at);
    Some(match question {
        Question::Count | Question::Sum => Kind::Meter(place),
        Question::Formerly | Question::Previous | Question::Since => {
            let number = |kind: Kind| Box::new(Expr { at, kind });
            Kind::Binary(Operator::Greater, number(Kind::Meter(place)), number(Kind::Number(Decimal::ZERO)))
        }
    })
}

/// Everything that makes the counter what it is.
#[derive(Serialize)]
struct Identity<'a> {
    question: &'a str,
    shadow: bool,
    within: Span,
    parts: Vec<Written>,
    sum: Option<String>,
}

/// A predicate as it is written.
#[derive(Serialize)]
struct Written {
    keys: Vec<(String, String)>,
    on: Vec<On>,
    rest: Option<String>,
}

/// The place of the counter that answers the question; the same question has the same one.
fn place(
    lowering: &mut Lowering<'_>,
    (name, question): (&str, Question),
    within: Span,
    predicate: &Predicate,
    number: Option<Expr>,
    reset: Option<&Predicate>,
    at: u32,
) -> u32 {
    let written = |predicate: &Predicate| {
        let keys = predicate.keys.iter().map(|(past, own)| (past.name(), own.name())).collect();
        Written { keys, on: predicate.on.clone(), rest: predicate.rest.as_ref().map(key::key) }
    };
    let identity = Identity {
        question: name,
        shadow: lowering.names.shadow,
        within,
        parts: std::iter::once(predicate).chain(reset).map(written).collect(),
        sum: number.as_ref().map(key::key),
    };
    // A struct of texts and numbers always serialises.
    let identity = sha256(&[b"runplane-past-v1\n", &serde_json::to_vec(&identity).unwrap_or_default()]);
    // An event and its reset are counted from different calls and share a key: what is compared with is the same.
    let asked: Vec<String> = predicate.keys.iter().map(|(_, own)| own.name()).collect();
    let group = GroupId::new(&sha256(&[b"runplane-past-group-v1\n", asked.join(",").as_bytes()]));
    let shadow = lowering.names.shadow;
    let mut counters = lowering.names.counters.borrow_mut();
    if let Some(known) = counters.known.get(&identity) {
        return *known;
    }
    let text: Arc<str> = text_of_call(&lowering.source.text, at).unwrap_or(name).into();
    let usual = match question {
        Question::Count | Question::Sum => On::Use,
        _ => On::Allowed,
    };
    let counter = |predicate: &Predicate, op: Op, sum: Option<Expr>| Counter {
        name: text.clone(),
        identity,
        group,
        shadow,
        within,
        per: predicate.keys.iter().map(|(past, _)| past.clone()).collect(),
        asks: Some(predicate.keys.iter().map(|(_, own)| own.clone()).collect()),
        counts: Counts::Own(Box::new(Own {
            source: None,
            actions: Actions::Any,
            targets: Targets::default(),
            when: predicate.rest.clone().map(|root| Condition::of(root, false)),
            sum: sum.map(|root| Condition::of(root, false)),
        })),
        on: if predicate.on.is_empty() { [usual].into() } else { predicate.on.clone().into() },
        op,
        is_past: true,
        refund: false,
        ignores_erased: false,
    };
    let op = match question {
        Question::Formerly | Question::Count | Question::Sum => Op::Add,
        Question::Previous => Op::Last,
        Question::Since => Op::Event,
    };
    if let Some(reset) = reset {
        // Before the event: a call that is both is the event.
        counters.push(counter(reset, Op::Reset, None));
    }
    let place = counters.push(counter(predicate, op, number));
    counters.known.insert(identity, place);
    place
}

fn window_of(lowering: &mut Lowering<'_>, node: &IdedExpr) -> Option<Span> {
    let text = match &node.expr {
        Parsed::Literal(LiteralValue::String(text)) => Some(text.inner()),
        Parsed::Call(CallExpr { func_name, target: None, args }) if func_name == "duration" => match args.as_slice() {
            [IdedExpr { expr: Parsed::Literal(LiteralValue::String(text)), .. }] => Some(text.inner()),
            _ => None,
        },
        _ => None,
    };
    let within = text.and_then(|text| text.parse::<Span>().ok());
    let within = within.filter(|within| *within >= Span::seconds(1) && *within <= LONGEST_WINDOW);
    if within.is_none() {
        let at = start(lowering, node);
        let message =
            format!("the first argument is how far back it looks, from '1s' to '{LONGEST_WINDOW}', as a literal");
        lowering.problem(at, message, None);
    }
    within
}

fn number_of(lowering: &mut Lowering<'_>, node: &IdedExpr) -> Option<Expr> {
    let found = uses(node, &[]);
    if !found.past || found.own {
        let at = start(lowering, node);
        lowering.problem(at, "what is added up is a number of the past call, such as `past.context.amount`", None);
        return None;
    }
    let number = of_past(lowering, node)?;
    types::check(lowering, &number, TypeWord::Number, "a number");
    Some(number)
}

/// Takes a predicate apart: keys, events, and what is asked of the past call alone.
fn read(lowering: &mut Lowering<'_>, node: &IdedExpr) -> Option<Predicate> {
    let before = lowering.findings.errors.len();
    let mut predicate = Predicate::default();
    let mut sides = Vec::new();
    flatten(node, &mut sides);
    for side in sides {
        if asks(side) {
            lowering.problem(start(lowering, side), "what is counted cannot itself look at the past", None);
            continue;
        }
        if let Some(pair) = keys_of(side) {
            match pair {
                Ok(pair) if predicate.keys.contains(&pair) => {}
                Ok(pair) => predicate.keys.push(pair),
                Err(message) => lowering.problem(start(lowering, side), message, None),
            }
            continue;
        }
        if names_outcome(side) {
            match outcomes(side) {
                Some(on) if predicate.on.is_empty() => predicate.on = on,
                _ => {
                    let words: Vec<&str> = On::NAMED.iter().map(|(name, _)| *name).collect();
                    let help = format!("one of {}", words.join(", "));
                    let message =
                        "`past.outcome` is compared once, with `==` or `in` and literals, between the outermost `&&`";
                    lowering.problem(start(lowering, side), message, Some(help));
                }
            }
            continue;
        }
        let found = uses(side, &[]);
        if found.past && found.own {
            let help = "as in `past.target == target`, between the outermost `&&`".to_owned();
            let message = "a past call and this one can only be compared for equality, member with member";
            lowering.problem(start(lowering, side), message, Some(help));
        } else if !found.past {
            let message = "this says nothing about the past call: write it outside, joined with `&&`";
            lowering.problem(start(lowering, side), message, None);
        } else if let Some(part) = of_past(lowering, side) {
            types::check_bool(lowering, &part);
            let at = part.at;
            predicate.rest = Some(match predicate.rest.take() {
                None => part,
                Some(rest) => Expr { at, kind: Kind::And(Box::new(rest), Box::new(part)) },
            });
        }
    }
    if predicate.keys.is_empty() && lowering.findings.errors.len() == before {
        let help = "add `past.agent.id == agent.id`, `past.target == target`, `past.context.… == context.…`, or \
                    `past.workspace == workspace` for all calls of the workspace";
        let message = "nothing says which past calls belong to this one";
        lowering.problem(start(lowering, node), message, Some(help.to_owned()));
    }
    predicate.keys.sort_by_cached_key(|(past, own)| (own.name(), past.name()));
    (lowering.findings.errors.len() == before).then_some(predicate)
}

/// Where the text of the node begins; of an operator that is where its left side does.
fn start(lowering: &Lowering<'_>, node: &IdedExpr) -> u32 {
    match &node.expr {
        Parsed::Call(CallExpr { func_name, target: None, args })
            if func_name.starts_with('_') || func_name == "@in" =>
        {
            args.first().map_or_else(|| lowering.offset(node), |left| start(lowering, left))
        }
        _ => lowering.start(node),
    }
}

/// The sides of the outermost `&&`.
fn flatten<'n>(node: &'n IdedExpr, sides: &mut Vec<&'n IdedExpr>) {
    match &node.expr {
        Parsed::Call(CallExpr { func_name, target: None, args }) if func_name == "_&&_" => {
            args.iter().for_each(|side| flatten(side, sides));
        }
        _ => sides.push(node),
    }
}

fn comparison<'n>(node: &'n IdedExpr, operators: &[&str]) -> Option<(&'n IdedExpr, &'n IdedExpr)> {
    match &node.expr {
        Parsed::Call(CallExpr { func_name, target: None, args }) if operators.contains(&func_name.as_str()) => {
            match args.as_slice() {
                [left, right] => Some((left, right)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What a comparison of the past call with this one keeps apart; `None` if it is no such comparison.
fn keys_of(node: &IdedExpr) -> Option<Result<(Per, Per), String>> {
    let (left, right) = comparison(node, &["_==_"])?;
    let side = |node: &IdedExpr| (uses(node, &[]).past, uses(node, &[]).own);
    let (past, own) = match (side(left), side(right)) {
        ((true, false), (false, true)) => (left, right),
        ((false, true), (true, false)) => (right, left),
        _ => return None,
    };
    let known = per_of(&without_past(past)).zip(per_of(own));
    Some(match known {
        Some((Per::Context(past), Per::Context(own))) => Ok((Per::Context(past), Per::Context(own))),
        Some((past, own)) if past == own => Ok((past, own)),
        _ => Err("past calls belong to this one by `agent.id`, `target`, `session`, `subject`, `environment`, \
                  `action.type`, `action.source`, `workspace` or a member of `context`, each compared with its like"
            .to_owned()),
    })
}

fn per_of(node: &IdedExpr) -> Option<Per> {
    let mut path: Vec<Box<str>> = Vec::new();
    let mut at = node;
    loop {
        match &at.expr {
            Parsed::Select(select) => {
                path.push(select.field.as_str().into());
                at = &select.operand;
            }
            Parsed::Ident(root) => {
                path.push(root.as_str().into());
                break;
            }
            _ => return None,
        }
    }
    path.reverse();
    let parts: Vec<&str> = path.iter().map(|part| &**part).collect();
    Some(match parts.as_slice() {
        ["agent", "id"] => Per::Agent,
        ["target"] => Per::Target,
        ["session"] => Per::Session,
        ["subject"] => Per::Subject,
        ["environment"] => Per::Environment,
        ["workspace"] => Per::Workspace,
        ["action", "type"] => Per::Action,
        ["action", "source"] => Per::Source,
        ["context", _, ..] => Per::Context(path.iter().skip(1).cloned().collect()),
        _ => return None,
    })
}

/// Whether a question about the past is in it.
fn asks(node: &IdedExpr) -> bool {
    let mut found = matches!(&node.expr, Parsed::Call(CallExpr { func_name, target: None, .. })
        if names().any(|name| name == func_name));
    each_child(node, &mut |child| found |= asks(child));
    found
}

fn is_outcome(node: &IdedExpr) -> bool {
    let Parsed::Select(select) = &node.expr else { return false };
    select.field == "outcome" && matches!(&select.operand.expr, Parsed::Ident(root) if root == PAST)
}

fn names_outcome(node: &IdedExpr) -> bool {
    let mut found = is_outcome(node);
    each_child(node, &mut |child| found |= names_outcome(child));
    found
}

fn outcomes(node: &IdedExpr) -> Option<Vec<On>> {
    let (left, right) = comparison(node, &["_==_", "@in"])?;
    let is_in = comparison(node, &["@in"]).is_some();
    let named = |node: &IdedExpr| match &node.expr {
        Parsed::Literal(LiteralValue::String(text)) => On::named(text.inner()),
        _ => None,
    };
    match &right.expr {
        Parsed::List(list) if is_in && is_outcome(left) => {
            let mut on = list.elements.iter().map(named).collect::<Option<Vec<On>>>()?;
            on.sort_unstable();
            on.dedup();
            (!on.is_empty()).then_some(on)
        }
        _ if !is_in && is_outcome(left) => Some(vec![named(right)?]),
        _ if !is_in && is_outcome(right) => Some(vec![named(left)?]),
        _ => None,
    }
}

/// What an expression looks at.
#[derive(Clone, Copy, Default)]
struct Uses {
    past: bool,
    own: bool,
}

fn uses(node: &IdedExpr, bound: &[&str]) -> Uses {
    let mut found = Uses::default();
    let mut bound = bound.to_vec();
    match &node.expr {
        Parsed::Ident(name) if name == PAST => found.past = true,
        Parsed::Ident(name) => {
            let is_word = TypeWord::ALL.iter().any(|word| word.as_str() == name) || name == names::UNKNOWN;
            found.own = !is_word && !bound.contains(&name.as_str());
        }
        Parsed::Call(CallExpr { func_name, target: Some(_), args }) if super::calls::is_macro(func_name) => {
            if let Some(IdedExpr { expr: Parsed::Ident(variable), .. }) = args.first() {
                bound.push(variable);
            }
        }
        _ => {}
    }
    each_child(node, &mut |child| {
        let inner = uses(child, &bound);
        found.past |= inner.past;
        found.own |= inner.own;
    });
    found
}

fn each_child<'n>(node: &'n IdedExpr, visit: &mut dyn FnMut(&'n IdedExpr)) {
    match &node.expr {
        Parsed::Call(call) => call.target.as_deref().into_iter().chain(&call.args).for_each(visit),
        Parsed::Select(select) => visit(&select.operand),
        Parsed::List(list) => list.elements.iter().for_each(visit),
        Parsed::Map(map) => {
            for entry in &map.entries {
                if let cel::common::ast::EntryExpr::MapEntry(entry) = &entry.expr {
                    visit(&entry.key);
                    visit(&entry.value);
                }
            }
        }
        _ => {}
    }
}

/// The same as the past call would say it of itself: `past.target` is its `target`.
fn without_past(node: &IdedExpr) -> IdedExpr {
    let mut node = node.clone();
    drop_past(&mut node);
    node
}

fn drop_past(node: &mut IdedExpr) {
    match &mut node.expr {
        Parsed::Select(select) => {
            if matches!(&select.operand.expr, Parsed::Ident(root) if root == PAST) && !select.test {
                node.expr = Parsed::Ident(select.field.clone());
            } else {
                drop_past(&mut select.operand);
            }
        }
        Parsed::Call(call) => call.target.as_deref_mut().into_iter().chain(&mut call.args).for_each(drop_past),
        Parsed::List(list) => list.elements.iter_mut().for_each(drop_past),
        Parsed::Map(map) => {
            for entry in &mut map.entries {
                if let cel::common::ast::EntryExpr::MapEntry(entry) = &mut entry.expr {
                    drop_past(&mut entry.key);
                    drop_past(&mut entry.value);
                }
            }
        }
        _ => {}
    }
}

/// The expression over a past call, in the names of that call.
fn of_past(lowering: &mut Lowering<'_>, node: &IdedExpr) -> Option<Expr> {
    let before = lowering.findings.errors.len();
    let names = Names { actions: &Actions::Any, meters: &BTreeMap::new(), state_allowed: false, ..*lowering.names };
    let expr = lowering.with(&names).expr(&without_past(node));
    (lowering.findings.errors.len() == before).then_some(expr)
}

/// Longest text of a question that is shown.
const SHOWN: usize = 200;

/// The text of the call that is written at this offset.
fn text_of_call(text: &str, at: u32) -> Option<&str> {
    let at = usize::try_from(at).ok()?;
    let open = at + text.get(at..)?.find('(')?;
    let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let name = text.get(..open)?.trim_end();
    let start = name.len() - name.chars().rev().take_while(|character| word(*character)).count();
    let (mut depth, mut quote) = (0usize, None);
    for (offset, character) in text.get(open..)?.char_indices() {
        match (quote, character) {
            (Some(open), character) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return text.get(start..open + offset + 1).filter(|text| text.len() <= SHOWN);
        }
    }
    None
}
