//! Reading single members of a document: what is expected, and how it is said when it is not there.

use super::document::{ActionTerms, At};
use super::finding::{Findings, Place, nearest};
use super::source::text_of;
use super::yaml::{Content, Key, Node};
use crate::outcome::Outcome;
use crate::risk::Severity;
use crate::time::Span;

const SEVERITIES: [Severity; 4] = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// A map with a fixed set of members.
pub struct Members<'a> {
    place: Place,
    what: &'static str,
    entries: &'a [(Key, Node)],
}

impl<'a> Members<'a> {
    /// Reports every member that does not belong there.
    pub fn of(node: &'a Node, what: &'static str, allowed: &[&str], findings: &mut Findings) -> Option<Self> {
        let Content::Map(entries) = &node.value else {
            findings.error(node.place, format!("{what} is a map, not {}", node.kind()), None);
            return None;
        };
        for (key, _) in entries.iter().filter(|(key, _)| !allowed.contains(&key.name.as_str())) {
            let help =
                nearest(&key.name, allowed.iter().copied()).or_else(|| Some(format!("one of {}", allowed.join(", "))));
            findings.error(key.place, format!("{what} has no member `{}`", key.name), help);
        }
        Some(Self { place: node.place, what, entries })
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    pub fn required(&self, name: &str, findings: &mut Findings) -> Option<&'a Node> {
        let found = self.get(name);
        if found.is_none() {
            findings.error(self.place, format!("{} needs `{name}`", self.what), None);
        }
        found
    }
}

pub fn text(node: &Node, member: &str, findings: &mut Findings) -> Option<String> {
    let found = text_of(node).map(str::to_owned);
    if found.is_none() {
        let help = matches!(node.value, Content::Integer(_) | Content::Fraction | Content::Bool(_));
        let help = help.then(|| "put it in quotes".to_owned());
        findings.error(node.place, format!("`{member}` is text, not {}", node.kind()), help);
    }
    found
}

/// One text or a list of texts.
pub fn list_of_texts(node: &Node, member: &str, findings: &mut Findings) -> Vec<At<String>> {
    let single = std::slice::from_ref(node);
    let items = match &node.value {
        Content::List(items) => items.as_slice(),
        _ => single,
    };
    if items.is_empty() {
        findings.error(node.place, format!("`{member}` is an empty list"), None);
    }
    items.iter().filter_map(|item| text(item, member, findings).map(|value| At { place: item.place, value })).collect()
}

pub fn span(node: &Node, member: &str, findings: &mut Findings) -> Option<Span> {
    match text_of(node).map(str::parse) {
        Some(Ok(span)) => Some(span),
        _ => {
            let message = format!("`{member}` is {}", crate::time::TimeError::Span);
            findings.error(node.place, message, None);
            None
        }
    }
}

pub fn whole(node: &Node, member: &str, least: i64, most: i64, findings: &mut Findings) -> Option<i64> {
    match node.value {
        Content::Integer(number) if (least..=most).contains(&number) => Some(number),
        _ => {
            findings.error(node.place, format!("`{member}` is a whole number from {least} to {most}"), None);
            None
        }
    }
}

pub fn outcome(node: &Node, member: &str, findings: &mut Findings) -> Option<Outcome> {
    let written = text_of(node).unwrap_or_default();
    let found = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == written);
    if found.is_none() {
        let names = Outcome::ALL.map(Outcome::as_str);
        let message = format!("`{member}` is one of {}", names.join(", "));
        findings.error(node.place, message, nearest(written, names));
    }
    found
}

pub fn severity(node: &Node, findings: &mut Findings) -> Option<Severity> {
    let written = text_of(node).unwrap_or_default();
    let found = SEVERITIES.into_iter().find(|severity| severity.as_str() == written);
    if found.is_none() {
        let names = SEVERITIES.map(Severity::as_str);
        let message = format!("`severity` is one of {}", names.join(", "));
        findings.error(node.place, message, nearest(written, names));
    }
    found
}

/// A name for a policy or rule: what fits into an address and into `policy/rule`.
pub fn name(node: &Node, what: &str, findings: &mut Findings) -> Option<At<String>> {
    let value = text(node, what, findings)?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let ends = value.starts_with(|first: char| first.is_ascii_alphanumeric());
    if value.len() > 64 || !ends || !value.bytes().all(fits) {
        let message = format!(
            "`{value}` is not a name for a {what}: use at most 64 lower-case letters, digits, `-`, `_` and `.`"
        );
        findings.error(node.place, message, None);
        return None;
    }
    if what == "policy" && value == super::BUILT_IN {
        findings.error(node.place, format!("the name `{value}` belongs to the engine's own rules"), None);
        return None;
    }
    Some(At { place: node.place, value })
}

#[must_use]
pub fn is_meter_name(name: &str) -> bool {
    let first = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    first && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `action`: a name, a list of names and globs, or attributes. A selector that cannot be read matches
/// nothing; the error keeps the document from being used.
pub fn action(node: &Node, findings: &mut Findings) -> Option<ActionTerms> {
    if !matches!(node.value, Content::Map(_)) {
        return Some(ActionTerms::Names(list_of_texts(node, "action", findings)));
    }
    let members = Members::of(node, "a selector of actions", &["domain", "effect"], findings)?;
    let mut read = |member| members.get(member).map(|node| list_of_texts(node, member, findings)).unwrap_or_default();
    let (domains, effects) = (read("domain"), read("effect"));
    if domains.is_empty() && effects.is_empty() {
        findings.error(node.place, "a selector of actions needs `domain` or `effect`", None);
    }
    Some(ActionTerms::Attributes { domains, effects })
}
