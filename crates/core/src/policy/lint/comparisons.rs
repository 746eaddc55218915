//! Comparisons that cannot hold because of what is compared: a text with a number, a word with a list of
//! words it is not on.
//!
//! The catalogue says what tools send; a caller may send something else, so a member that the condition
//! itself tests for its type is left alone.

use super::cube::{Cube, Key, Slot};
use super::domain::{self, Member};
use super::example::{Case, matched};
use super::finding::{Example, Kind};
use super::logic::{self, Literal, Want};
use super::numbers::Numbers;
use super::values::{Values, kinds};
use super::{Desk, Subject, place_of};
use crate::catalogue::FieldKind;
use crate::inspect::{Inspector, UNKNOWN};
use crate::policy::condition::Condition;
use crate::policy::condition::ast::{self, Expr, Function, Operator};
use crate::policy::finding::nearest;
use crate::policy::source::Source;

mod currencies;

/// A comparison that does not hold, at the side that is to blame.
struct Flaw<'e> {
    /// The whole comparison.
    whole: &'e Expr,
    at: &'e Expr,
    message: String,
    help: Option<String>,
    /// What the slot is in calls as the catalogue describes them.
    usual: Option<(Key, Values)>,
}

/// A sentence, advice, and what the slot usually is.
type Blame = (String, Option<String>, Option<(Key, Values)>);

impl<'a> Desk<'a> {
    /// Whether every comparison of the condition can hold.
    pub(super) fn look_at_comparisons(&mut self, subject: Subject<'a>, condition: &Condition, source: &Source) -> bool {
        let guarded = guarded(&condition.root);
        let mut parts: Vec<&Expr> = Vec::new();
        condition.root.walk(&mut |part| parts.push(part));
        let flaws: Vec<Flaw<'_>> = parts.into_iter().flat_map(|part| self.flaws(subject, part, &guarded)).collect();
        for flaw in &flaws {
            let example = self.unheld(subject, flaw);
            let finding = self.report(subject, Kind::NeverByType, place_of(source, flaw.at), flaw.message.clone());
            finding.help.clone_from(&flaw.help);
            finding.example = example;
        }
        flaws.is_empty()
    }

    fn flaws<'e>(&self, subject: Subject<'_>, part: &'e Expr, guarded: &[String]) -> Vec<Flaw<'e>> {
        match &part.kind {
            ast::Kind::Binary(operator, left, right) => {
                let (slot, literals) = match (&right.kind, logic::literal(left)) {
                    (ast::Kind::List(items), _) if *operator == Operator::In => (left, items.iter().collect()),
                    (_, Some(_)) if *operator != Operator::In => (right, vec![&**left]),
                    _ => (left, vec![&**right]),
                };
                let said = literals.into_iter().filter_map(|side| Some((side, logic::literal(side)?)));
                said.filter_map(|(side, literal)| self.flaw(subject, part, slot, side, literal, guarded)).collect()
            }
            ast::Kind::Call(function, arguments) => {
                let textual = matches!(function, Function::StartsWith | Function::EndsWith | Function::Contains);
                let first = arguments.first().filter(|_| textual);
                first.and_then(|slot| self.not_a_text(subject, part, slot, guarded)).into_iter().collect()
            }
            ast::Kind::Matches(slot, _) => self.not_a_text(subject, part, slot, guarded).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn flaw<'e>(
        &self,
        subject: Subject<'_>,
        whole: &'e Expr,
        slot: &'e Expr,
        at: &'e Expr,
        literal: Literal<'_>,
        guarded: &[String],
    ) -> Option<Flaw<'e>> {
        let known = self.known_side(subject, slot, literal, guarded, &self.show(at));
        if let Some((message, help, usual)) = known {
            return Some(Flaw { whole, at, message, help, usual });
        }
        let bounded = !matches!(domain::key(slot).slot, Slot::Context(_)) && domain::of(slot).kinds != u8::MAX;
        let single = matches!(&whole.kind, ast::Kind::Binary(operator, ..) if *operator != Operator::In);
        (bounded && single && logic::cubes(whole, Want::True).is_empty()).then(|| {
            let message = format!("`{}` never holds: `{}` is never like that", self.show(whole), self.show(slot));
            Flaw { whole, at: slot, message, help: None, usual: None }
        })
    }

    /// What is wrong with comparing the slot with the literal: a sentence, advice, and what the slot usually is.
    fn known_side(
        &self,
        subject: Subject<'_>,
        slot: &Expr,
        literal: Literal<'_>,
        guarded: &[String],
        written: &str,
    ) -> Option<Blame> {
        let name = self.show(slot);
        let key = domain::key(slot);
        let never = format!("`{name}` is never `{written}`");
        let words = |words: &[&str]| match literal {
            Literal::Text(text) => {
                nearest(text, words.iter().copied()).or_else(|| Some(format!("one of {}", words.join(", "))))
            }
            _ => None,
        };
        match &key.slot {
            Slot::Context(path) if !guarded.contains(&name) => {
                if let Some(kind) = self.usual_kind(subject, path).filter(|kind| !compares(*kind, literal)) {
                    let message = format!("`{name}` is a {}, which never compares with `{written}`", kind_name(kind));
                    return Some((message, None, Some((key, of_kind(kind)))));
                }
                let currency = path.last().is_some_and(|last| &**last == "currency");
                let help = currency.then(|| currencies::doubt(literal, false)).flatten()?;
                Some((format!("{never}: that is no currency code"), Some(help), None))
            }
            Slot::Reading(inspector, member) => {
                let kind = domain::member(*inspector, member)?;
                if let Some(what) = not_read(kind, literal) {
                    let help = if let Member::Word(known) = kind { words(known) } else { None };
                    return Some((format!("`{name}` is {what}, never `{written}`"), help, None));
                }
                self.odd_word(*inspector, member, literal).map(|help| (never, Some(help), None))
            }
            Slot::Fact(fact) => {
                let known = domain::words(*fact)?;
                let Literal::Text(text) = literal else { return None };
                (!known.contains(&text)).then(|| (never, words(known), None))
            }
            _ => out_of_case(slot, literal).map(|help| (never, Some(help), None)),
        }
    }

    /// Words with one spelling.
    fn odd_word(&self, inspector: Inspector, member: &str, literal: Literal<'_>) -> Option<String> {
        let Literal::Text(text) = literal else { return None };
        match (inspector, member) {
            _ if text == UNKNOWN => None,
            (Inspector::Url, "method") if text != text.to_ascii_uppercase() => {
                Some(format!("methods are read in upper case: write `{}`", text.to_ascii_uppercase()))
            }
            (Inspector::Url, "scheme" | "host") if text != text.to_ascii_lowercase() => {
                Some(format!("it is read in lower case: write `{}`", text.to_ascii_lowercase()))
            }
            (Inspector::Money, "currency") => currencies::doubt(literal, true),
            _ => None,
        }
    }

    /// `startsWith` and its like on a member that is no text.
    fn not_a_text<'e>(
        &self,
        subject: Subject<'_>,
        whole: &'e Expr,
        slot: &'e Expr,
        guarded: &[String],
    ) -> Option<Flaw<'e>> {
        let key = domain::key(slot);
        let name = self.show(slot);
        let (what, usual) = match &key.slot {
            Slot::Context(path) if !guarded.contains(&name) => {
                let kind = self.usual_kind(subject, path).filter(|kind| *kind != FieldKind::Text)?;
                (kind_name(kind), Some((key.clone(), of_kind(kind))))
            }
            Slot::Reading(inspector, member) => match domain::member(*inspector, member)? {
                Member::Number | Member::Count => ("number", None),
                Member::Bool => ("true or false", None),
                Member::List => ("list", None),
                Member::Text | Member::Word(_) => return None,
            },
            _ => return None,
        };
        let message = format!("`{name}` is a {what} and no text, so `{}` never has a value", self.show(whole));
        Some(Flaw { whole, at: slot, message, help: None, usual })
    }

    /// The one kind that a member of the context has in all actions of the rule that know it.
    fn usual_kind(&self, subject: Subject<'_>, path: &[Box<str>]) -> Option<FieldKind> {
        let [name] = path else { return None };
        let catalogue = self.bundle.catalogue();
        let chosen = subject.rule.actions.types();
        let about = catalogue.types().filter(|kind| chosen.is_none_or(|types| types.contains(&kind.name)));
        let fields = about.filter_map(|kind| kind.fields.get(&**name));
        let mut kinds: Vec<FieldKind> =
            fields.chain(catalogue.common_fields().get(&**name)).map(|field| field.kind).collect();
        kinds.dedup();
        match kinds.as_slice() {
            [kind] if *kind != FieldKind::Any && !subject.rule.actions.is_about_strangers() => Some(*kind),
            _ => None,
        }
    }

    /// A call as tools send it, which the rule does not match.
    fn unheld(&self, subject: Subject<'_>, flaw: &Flaw<'_>) -> Option<Example> {
        let id = &subject.rule.id;
        let usual = flaw.usual.clone().and_then(|(key, values)| Cube::of(key, values, None));
        let cubes = match usual {
            Some(cube) => vec![cube],
            None => logic::cubes(flaw.whole, Want::NotTrue),
        };
        cubes.iter().take(4).find_map(|cube| {
            let case = Case::of(self.bundle, subject.rule, None, cube);
            let decision = case.tried(self.bundle, &[]).filter(|decision| !matched(decision, id))?;
            let without = case.tried(self.bundle, &[subject.place])?;
            let shows = format!("`{id}` does not match this call, and no call as tools send it");
            Some(case.example(decision.outcome, without.outcome, shows))
        })
    }
}

/// Members whose type the condition tests itself.
fn guarded(root: &Expr) -> Vec<String> {
    let mut names = Vec::new();
    root.walk(&mut |part| {
        if let ast::Kind::Call(Function::Type, arguments) = &part.kind {
            names.extend(arguments.first().map(|slot| crate::policy::condition::show::show(slot, &[])));
        }
    });
    names
}

fn compares(kind: FieldKind, literal: Literal<'_>) -> bool {
    match kind {
        FieldKind::Number => matches!(literal, Literal::Number(_)),
        FieldKind::Text => matches!(literal, Literal::Text(_)),
        FieldKind::Bool => matches!(literal, Literal::Bool(_)),
        FieldKind::List | FieldKind::Object => false,
        FieldKind::Any => true,
    }
}

fn kind_name(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Number => "number",
        FieldKind::Text => "text",
        FieldKind::Bool => "true or false",
        FieldKind::List => "list",
        FieldKind::Object => "map",
        FieldKind::Any => "value",
    }
}

fn of_kind(kind: FieldKind) -> Values {
    match kind {
        FieldKind::Number => Values::of_numbers(Numbers::all()),
        FieldKind::Text => Values::any_text(),
        FieldKind::Bool => Values::of_kinds(kinds::YES | kinds::NO),
        FieldKind::List => Values::of_kinds(kinds::LIST),
        FieldKind::Object => Values::of_kinds(kinds::MAP),
        FieldKind::Any => Values::all(),
    }
}

/// What the member is, if it never equals the literal nor compares with it.
fn not_read(member: Member, literal: Literal<'_>) -> Option<&'static str> {
    if matches!(literal, Literal::Text(UNKNOWN)) {
        return None;
    }
    match (member, literal) {
        (Member::Number | Member::Count, Literal::Number(_)) | (Member::Bool, Literal::Bool(_)) => None,
        (Member::Text, Literal::Text(_)) => None,
        (Member::Word(words), Literal::Text(text)) => (!words.contains(&text)).then_some("one of a few words"),
        (Member::Number | Member::Count, _) => Some("a number"),
        (Member::Bool, _) => Some("true or false"),
        (Member::List, _) => Some("a list"),
        (Member::Text | Member::Word(_), _) => Some("a text"),
    }
}

/// A text in one case compared with one in another.
fn out_of_case(slot: &Expr, literal: Literal<'_>) -> Option<String> {
    let (ast::Kind::Call(function, _), Literal::Text(text)) = (&slot.kind, literal) else { return None };
    let normal = match function {
        Function::LowerAscii => text.to_ascii_lowercase(),
        Function::UpperAscii => text.to_ascii_uppercase(),
        _ => return None,
    };
    (normal != text).then(|| format!("write `{normal}`"))
}
