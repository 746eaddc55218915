//! A condition back as text: one spelling for every way to write the same tree.
//!
//! What must stay true: two trees with the same text have the same value on every call.

use super::ast::{Expr, Function, Kind, MacroKind, Operator};
use std::fmt::Write;
use std::sync::Arc;

/// How tightly an expression holds together; a looser one inside a tighter one gets parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bond {
    If,
    Or,
    And,
    Compare,
    Add,
    Multiply,
    Unary,
    Member,
}

/// The text of an expression; meters are named by `meters`, or by their place if that is too short.
#[must_use]
pub fn show(expr: &Expr, meters: &[Arc<str>]) -> String {
    let mut writer = Writer { out: String::with_capacity(32), meters };
    writer.expr(expr, Bond::If);
    writer.out
}

struct Writer<'a> {
    out: String,
    meters: &'a [Arc<str>],
}

impl Writer<'_> {
    fn expr(&mut self, expr: &Expr, least: Bond) {
        let bond = bond(&expr.kind);
        if bond < least {
            self.out.push('(');
        }
        self.kind(&expr.kind);
        if bond < least {
            self.out.push(')');
        }
    }

    fn kind(&mut self, kind: &Kind) {
        match kind {
            Kind::Null => self.out.push_str("null"),
            Kind::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Kind::Number(number) => self.put(number),
            Kind::Text(text) => self.text(text),
            Kind::Moment(moment) => self.put(format_args!("timestamp('{moment}')")),
            Kind::Length(span) => self.put(format_args!("duration('{span}')")),
            Kind::Type(word) => self.out.push_str(word.as_str()),
            Kind::Fact(fact) => self.out.push_str(fact.name()),
            Kind::Context => self.out.push_str("context"),
            Kind::Reading(inspector) => self.out.push_str(inspector.as_str()),
            Kind::Meter(index) => self.meter(*index),
            Kind::Variable(slot) => self.put(format_args!("v{slot}")),
            Kind::Unknown(name) => self.out.push_str(name),
            Kind::Select(operand, member) => self.member(operand, member),
            Kind::Has(operand, member) => {
                self.out.push_str("has(");
                self.member(operand, member);
                self.out.push(')');
            }
            Kind::HasFact(fact) => self.put(format_args!("has({})", fact.name())),
            Kind::Index(operand, index) => {
                self.expr(operand, Bond::Member);
                self.out.push('[');
                self.expr(index, Bond::If);
                self.out.push(']');
            }
            Kind::IsNull(operand) => {
                self.expr(operand, Bond::Add);
                self.out.push_str(" == null");
            }
            Kind::Not(operand) => self.prefixed('!', operand),
            Kind::Negate(operand) => self.prefixed('-', operand),
            Kind::And(left, right) => self.infix(left, "&&", right, Bond::And),
            Kind::Or(left, right) => self.infix(left, "||", right, Bond::Or),
            Kind::If(parts) => {
                let [test, then, otherwise] = parts.as_ref();
                self.expr(test, Bond::Or);
                self.out.push_str(" ? ");
                self.expr(then, Bond::Or);
                self.out.push_str(" : ");
                self.expr(otherwise, Bond::If);
            }
            Kind::Binary(operator, left, right) => self.infix(left, sign(*operator), right, of_operator(*operator)),
            Kind::List(items) => {
                self.out.push('[');
                self.listed(items);
                self.out.push(']');
            }
            Kind::Map(members) => {
                self.out.push('{');
                for (place, (name, value)) in members.iter().enumerate() {
                    self.out.push_str(if place > 0 { ", " } else { "" });
                    self.text(name);
                    self.out.push_str(": ");
                    self.expr(value, Bond::If);
                }
                self.out.push('}');
            }
            Kind::Macro(shape) => {
                self.expr(&shape.over, Bond::Member);
                self.put(format_args!(".{}(v{}, ", macro_name(shape.kind), shape.variable));
                if let Some(filter) = &shape.filter {
                    self.expr(filter, Bond::If);
                    self.out.push_str(", ");
                }
                self.expr(&shape.body, Bond::If);
                self.out.push(')');
            }
            Kind::Call(function, arguments) => self.call(*function, arguments),
            Kind::Matches(operand, pattern) => {
                self.expr(operand, Bond::Member);
                self.out.push_str(".matches(");
                self.text(pattern.as_str());
                self.out.push(')');
            }
        }
    }

    fn put(&mut self, shown: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{shown}");
    }

    fn text(&mut self, text: &str) {
        self.out.push('\'');
        for character in text.chars() {
            if matches!(character, '\'' | '\\') {
                self.out.push('\\');
            }
            self.out.push(character);
        }
        self.out.push('\'');
    }

    fn meter(&mut self, index: u32) {
        let meters = self.meters;
        match usize::try_from(index).ok().and_then(|index| meters.get(index)) {
            // A condition about the past is its own name.
            Some(name) if name.ends_with(')') => self.put(name),
            Some(name) => self.put(format_args!("meters.{name}")),
            None => self.put(format_args!("meters.{index}")),
        }
    }

    fn member(&mut self, operand: &Expr, member: &str) {
        self.expr(operand, Bond::Member);
        self.put(format_args!(".{member}"));
    }

    fn prefixed(&mut self, sign: char, operand: &Expr) {
        self.out.push(sign);
        self.expr(operand, Bond::Unary);
    }

    fn infix(&mut self, left: &Expr, sign: &str, right: &Expr, bond: Bond) {
        self.expr(left, bond);
        self.put(format_args!(" {sign} "));
        // Operators group to the left; `&&` and `||` mean the same either way.
        let same = matches!(bond, Bond::And | Bond::Or);
        self.expr(right, if same { bond } else { tighter(bond) });
    }

    fn listed(&mut self, items: &[Expr]) {
        for (place, item) in items.iter().enumerate() {
            self.out.push_str(if place > 0 { ", " } else { "" });
            self.expr(item, Bond::If);
        }
    }

    fn call(&mut self, function: Function, arguments: &[Expr]) {
        let name = function_name(function);
        if let (Function::Size | Function::Type, _) | (_, []) = (function, arguments) {
            self.put(format_args!("{name}("));
            self.listed(arguments);
        } else if let [first, rest @ ..] = arguments {
            self.expr(first, Bond::Member);
            self.put(format_args!(".{name}("));
            self.listed(rest);
        }
        self.out.push(')');
    }
}

fn bond(kind: &Kind) -> Bond {
    match kind {
        Kind::If(_) => Bond::If,
        Kind::Or(..) => Bond::Or,
        Kind::And(..) => Bond::And,
        Kind::IsNull(_) => Bond::Compare,
        Kind::Binary(operator, ..) => of_operator(*operator),
        Kind::Not(_) | Kind::Negate(_) => Bond::Unary,
        _ => Bond::Member,
    }
}

fn of_operator(operator: Operator) -> Bond {
    match operator {
        Operator::Add | Operator::Subtract => Bond::Add,
        Operator::Multiply | Operator::Divide | Operator::Remainder => Bond::Multiply,
        _ => Bond::Compare,
    }
}

fn tighter(bond: Bond) -> Bond {
    match bond {
        Bond::Compare => Bond::Add,
        Bond::Add => Bond::Multiply,
        _ => Bond::Unary,
    }
}

/// The operator as it is written.
#[must_use]
pub fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "==",
        Operator::NotEqual => "!=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::In => "in",
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Remainder => "%",
    }
}

fn macro_name(kind: MacroKind) -> &'static str {
    match kind {
        MacroKind::Exists => "exists",
        MacroKind::ExistsOne => "exists_one",
        MacroKind::All => "all",
        MacroKind::Map => "map",
        MacroKind::Filter => "filter",
    }
}

fn function_name(function: Function) -> &'static str {
    match function {
        Function::Size => "size",
        Function::StartsWith => "startsWith",
        Function::EndsWith => "endsWith",
        Function::Contains => "contains",
        Function::LowerAscii => "lowerAscii",
        Function::UpperAscii => "upperAscii",
        Function::Type => "type",
        Function::FullYear => "getFullYear",
        Function::Month => "getMonth",
        Function::Date => "getDate",
        Function::DayOfWeek => "getDayOfWeek",
        Function::Hours => "getHours",
        Function::Minutes => "getMinutes",
        Function::Seconds => "getSeconds",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::publish;
    use super::show;

    #[test]
    fn what_is_shown_reads_back_as_the_same_tree() {
        for text in [
            "context.amount > 500 && (has(context.deep.a) || !(sql.kind in ['SELECT', 'SHOW']))",
            "(context.amount - 1) * 2 - (3 - context.count) >= -4.5",
            "context.list.exists(v0, v0 > 1) ? size(context.text) == 3 : context.text.startsWith('it\\'s')",
            "type(context.amount) == number && context.nothing == null && context.text.matches('^a\\\\.b$')",
            "now.getHours() < 9 || now - timestamp('2026-01-01T00:00:00Z') > duration('90m')",
            "context.list.map(v0, v0 > 1, v0 * 2)[0] == 4 && {'a': 1}.a == 1",
            "!action.known && -context.amount < 0 && context.amount % 2 == 1",
        ] {
            let once = show(&publish(text, true).unwrap().root, &[]);
            let twice = show(&publish(&once, true).unwrap().root, &[]);
            assert_eq!(once, twice, "{text}");
        }
        assert_eq!(show(&publish("((context.amount)>(5e2))", true).unwrap().root, &[]), "context.amount > 500");
        assert_eq!(show(&publish("meters.spent > 5", true).unwrap().root, &["spent".into()]), "meters.spent > 5");
    }
}
