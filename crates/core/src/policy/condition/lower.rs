//! From the parser's tree to ours: resolves names, reads numbers exactly, compiles patterns.
//!
//! Refuses what could only fail or mislead at run time: unknown names, comparisons of different types,
//! patterns that are not literals, texts compared with a normalised name they can never equal. All
//! problems of a condition are reported, not only the first.

use super::ast::{Expr, Kind, Operator};
use super::names::{self, Names};
use super::parse::Tree;
use super::{calls, types};
use crate::decimal::Decimal;
use crate::policy::finding::Findings;
use crate::policy::source::Source;
use cel::common::ast::{EntryExpr, Expr as Parsed, IdedExpr, LiteralValue, SelectExpr};

/// The condition, or `None` with the reasons in `findings`.
pub fn lower(tree: &Tree, source: &Source, names: &Names<'_>, findings: &mut Findings) -> Option<Expr> {
    let before = findings.errors.len();
    let mut lowering = Lowering { tree, source, names, findings, bound: Vec::new() };
    let root = lowering.expr(&tree.root);
    (findings.errors.len() == before).then_some(root)
}

pub(super) struct Lowering<'a> {
    pub(super) tree: &'a Tree,
    pub(super) source: &'a Source,
    pub(super) names: &'a Names<'a>,
    pub(super) findings: &'a mut Findings,
    /// Variables of the enclosing macros, outermost first.
    pub(super) bound: Vec<String>,
}

impl Lowering<'_> {
    /// The same with other names.
    pub(super) fn with<'b>(&'b mut self, names: &'b Names<'b>) -> Lowering<'b> {
        Lowering { tree: self.tree, source: self.source, names, findings: self.findings, bound: Vec::new() }
    }

    pub(super) fn expr(&mut self, node: &IdedExpr) -> Expr {
        let at = self.offset(node);
        let kind = match &node.expr {
            Parsed::Literal(literal) => self.literal(node, literal, at),
            Parsed::Ident(name) => self.identifier(name, at),
            Parsed::Select(select) => return self.select(select, at),
            Parsed::Call(call) => calls::lower(self, call, at),
            Parsed::List(list) => Kind::List(list.elements.iter().map(|item| self.expr(item)).collect()),
            Parsed::Map(map) => self.map(&map.entries, at),
            Parsed::Struct(_) => self.refuse(at, "there are no message types here; write a map as `{\"key\": value}`"),
            Parsed::Comprehension(_) | Parsed::Unspecified => self.refuse(at, "this cannot be read"),
        };
        Expr { at, kind }
    }

    pub(super) fn boxed(&mut self, node: &IdedExpr) -> Box<Expr> {
        Box::new(self.expr(node))
    }

    fn identifier(&mut self, name: &str, at: u32) -> Kind {
        if let Some(slot) = self.bound.iter().rposition(|bound| bound == name) {
            return Kind::Variable(u32::try_from(slot).unwrap_or(u32::MAX));
        }
        match names::root(name) {
            Some(kind) => {
                if let Kind::Fact(fact) = kind {
                    self.check_stateless(fact, at);
                }
                kind
            }
            None if names::is_group(name) => {
                let help = format!("one of {}", names::members(name, self.names).join(", "));
                self.problem(at, format!("`{name}` is no value by itself"), Some(help));
                Kind::Unknown(name.into())
            }
            None => {
                let help = names::nearest_root(name, &self.bound);
                self.unknown(at, name, format!("unknown name `{name}`"), help)
            }
        }
    }

    pub(super) fn select(&mut self, select: &SelectExpr, at: u32) -> Expr {
        let member_at = at.saturating_add(1);
        if let Parsed::Ident(root) = &select.operand.expr
            && !self.bound.contains(root)
            && names::is_group(root)
        {
            let at = self.offset(&select.operand);
            let kind = self.group_member(root, &select.field, at, member_at);
            return Expr { at, kind };
        }
        let operand = self.boxed(&select.operand);
        self.member(operand, &select.field, member_at)
    }

    /// `operand.field`, with the field's name checked where names are known.
    pub(super) fn member(&mut self, operand: Box<Expr>, field: &str, field_at: u32) -> Expr {
        let at = operand.at;
        let known = match &operand.kind {
            Kind::Context => Some(("context", self.names.knows_context(field))),
            Kind::Reading(inspector) => Some((inspector.as_str(), names::fields(*inspector).contains(&field))),
            _ => None,
        };
        if let Some((root, false)) = known {
            let help = names::nearest_field(root, field, self.names);
            let kind = self.unknown(field_at, field, format!("unknown name `{root}.{field}`"), help);
            // With `strict: false` an unknown member is still looked up: it may be there.
            if !matches!(operand.kind, Kind::Context) {
                return Expr { at, kind };
            }
        }
        Expr { at, kind: Kind::Select(operand, field.into()) }
    }

    pub(super) fn group_member(&mut self, group: &str, member: &str, at: u32, member_at: u32) -> Kind {
        if group == "meters" {
            if !self.names.state_allowed {
                return self.refuse(at, "a meter's own conditions cannot name meters");
            }
            if let Some(index) = self.names.meters.get(member) {
                return Kind::Meter(*index);
            }
        } else if let Some(fact) = names::fact(group, member) {
            return Kind::Fact(fact);
        }
        let known = names::members(group, self.names);
        let help = crate::policy::finding::nearest(member, known.iter().map(String::as_str));
        let help = help.or_else(|| (!known.is_empty()).then(|| format!("one of {}", known.join(", "))));
        self.unknown(member_at, member, format!("unknown name `{group}.{member}`"), help)
    }

    fn check_stateless(&mut self, fact: super::ast::Fact, at: u32) {
        if fact == super::ast::Fact::Now && !self.names.state_allowed {
            self.problem(at, "a meter's own conditions cannot name `now`", None);
        }
    }

    fn map(&mut self, entries: &[cel::common::ast::IdedEntryExpr], at: u32) -> Kind {
        let mut members: Vec<(Box<str>, Expr)> = Vec::new();
        for entry in entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return self.refuse(at, "a map is written `{\"key\": value}`");
            };
            let Parsed::Literal(LiteralValue::String(key)) = &entry.key.expr else {
                let at = self.offset(&entry.key);
                return self.refuse(at, "keys of a map are literal strings");
            };
            if members.iter().any(|(known, _)| known.as_ref() == key.inner()) {
                let at = self.offset(&entry.key);
                return self.refuse(at, format!("the key `{}` is given twice", key.inner()));
            }
            let value = self.expr(&entry.value);
            members.push((key.inner().into(), value));
        }
        Kind::Map(members)
    }

    fn literal(&mut self, node: &IdedExpr, literal: &LiteralValue, at: u32) -> Kind {
        match literal {
            LiteralValue::Null => Kind::Null,
            LiteralValue::Boolean(value) => Kind::Bool(*value.inner()),
            LiteralValue::String(text) => Kind::Text(text.inner().into()),
            LiteralValue::Int(number) => Kind::Number(Decimal::from(*number.inner())),
            LiteralValue::Double(number) => self
                .decimal(node, number.inner().is_sign_negative())
                .map_or_else(|| self.refuse(at, "a number has at most 34 digits"), Kind::Number),
            LiteralValue::UInt(_) => self.refuse(at, "numbers are written without `u`: there is one number type"),
            LiteralValue::Bytes(_) => self.refuse(at, "there are no byte strings here"),
        }
    }

    /// The exact number, from the text: the parser's double has already forgotten some digits.
    fn decimal(&self, node: &IdedExpr, negative: bool) -> Option<Decimal> {
        let (start, stop) = self.tree.places.offset_for(node.id)?;
        let range = usize::try_from(start).ok()?..=usize::try_from(stop).ok()?;
        let text = self.source.text.get(range)?;
        let text = if text.starts_with('.') { format!("0{text}") } else { text.to_owned() };
        let number: Decimal = text.trim_start_matches(['-', ' ']).parse().ok()?;
        Some(if negative { -number } else { number })
    }

    pub(super) fn binary(&mut self, operator: Operator, left: &IdedExpr, right: &IdedExpr, at: u32) -> Kind {
        let (left, right) = (self.boxed(left), self.boxed(right));
        let null = |expr: &Expr| matches!(expr.kind, Kind::Null);
        match operator {
            Operator::Equal | Operator::NotEqual if null(&left) || null(&right) => {
                let tested = if null(&right) { left } else { right };
                let test = Kind::IsNull(tested);
                return if operator == Operator::Equal { test } else { Kind::Not(Box::new(Expr { at, kind: test })) };
            }
            _ => {}
        }
        types::check_binary(self, operator, &left, &right, at);
        names::check_literals(self, operator, &left, &right);
        Kind::Binary(operator, left, right)
    }

    /// Reports and goes on, so that one mistake does not hide the next.
    pub(super) fn refuse(&mut self, at: u32, message: impl Into<String>) -> Kind {
        self.problem(at, message, None);
        Kind::Unknown("".into())
    }

    pub(super) fn problem(&mut self, at: u32, message: impl Into<String>, help: Option<String>) {
        let place = self.place(at);
        self.findings.error(place, message, help);
    }

    pub(super) fn unknown(&mut self, at: u32, name: &str, message: String, help: Option<String>) -> Kind {
        let place = self.place(at);
        self.findings.doubt(place, message, help);
        Kind::Unknown(name.into())
    }

    pub(super) fn place(&self, at: u32) -> crate::policy::finding::Place {
        self.source.place_of(usize::try_from(at).unwrap_or(usize::MAX))
    }

    /// Where the node's own token stands: the operator, the dot, the name.
    pub(super) fn offset(&self, node: &IdedExpr) -> u32 {
        self.tree.places.offset_for(node.id).map_or(0, |(start, _)| start)
    }

    /// Where the text of the node begins.
    pub(super) fn start(&self, node: &IdedExpr) -> u32 {
        match &node.expr {
            Parsed::Select(select) => self.start(&select.operand),
            Parsed::Call(call) => call.target.as_deref().map_or_else(|| self.offset(node), |target| self.start(target)),
            _ => self.offset(node),
        }
    }
}
