//! A policy as it is written: every part typed, with its place, and nothing compiled yet.
//!
//! Refuses unknown members, wrong types and contradictions, each with its place and the nearest name.
//! Names of actions, context fields and meters are checked later, by whoever knows the catalogue.

use super::finding::{Findings, Place};
use super::members::{Members, list_of_texts, outcome, span, text, whole};
use super::source::Source;
use super::yaml::{self, Content, Node};
use crate::outcome::Outcome;
use crate::risk::Severity;
use crate::time::Span;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Something written and where.
#[derive(Clone, Debug)]
pub struct At<T> {
    pub place: Place,
    pub value: T,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Enforce,
    /// Evaluated and shown, never part of the outcome.
    Shadow,
}

#[derive(Clone, Debug)]
pub struct Document {
    pub name: At<String>,
    pub description: String,
    /// Normalised name of the platform the policy is for.
    pub source: Option<String>,
    pub mode: Mode,
    pub meters: Vec<MeterTerms>,
    pub rules: Vec<RuleTerms>,
}

/// Who is asked; in a selector of actions either names and globs or attributes.
#[derive(Clone, Debug)]
pub enum ActionTerms {
    Names(Vec<At<String>>),
    Attributes { domains: Vec<At<String>>, effects: Vec<At<String>> },
}

#[derive(Clone, Debug)]
pub struct MeterTerms {
    pub name: At<String>,
    /// `None` counts calls.
    pub sum: Option<Source>,
    pub action: Option<ActionTerms>,
    pub target: Option<Vec<At<String>>>,
    pub when: Option<Source>,
    pub within: Span,
    pub per: Vec<At<String>>,
    pub ways: WaysTerms,
}

/// What a meter or limit makes of failures and of calls that are no longer kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaysTerms {
    /// A reported failure gives the share back.
    pub refund: bool,
    /// A past call whose payload is erased is left out.
    pub ignores_erased: bool,
}

#[derive(Clone, Debug)]
pub struct RuleTerms {
    pub id: At<String>,
    pub action: Option<ActionTerms>,
    pub target: Option<Vec<At<String>>>,
    pub when: Option<Source>,
    pub unless: Option<Source>,
    pub decision: Option<Outcome>,
    pub severity: Option<Severity>,
    pub reason: Option<String>,
    pub approval: Option<ApprovalTerms>,
    pub limit: Option<LimitTerms>,
    pub audit: Option<AuditTerms>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalTerms {
    pub from: Vec<String>,
    /// How many different people; 0 where nothing is said, which is one.
    pub quorum: u32,
    pub expires: Option<Span>,
}

#[derive(Clone, Debug)]
pub struct LimitTerms {
    pub count: i64,
    pub within: Span,
    pub per: Vec<At<String>>,
    pub otherwise: Outcome,
    pub ways: WaysTerms,
}

/// How much of a call's payload is kept. The order is from less to more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retention {
    None,
    /// Kept for recomputing, not shown.
    Replay,
    /// Kept and shown to people.
    Full,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditTerms {
    pub payload: Option<Retention>,
    pub tags: Vec<String>,
}

pub(super) const POLICY_MEMBERS: [&str; 7] = ["policy", "description", "source", "mode", "strict", "meters", "rules"];
pub(super) const RULE_MEMBERS: [&str; 11] =
    ["id", "action", "target", "when", "unless", "decision", "severity", "reason", "approval", "limit", "audit"];
pub(super) const METER_MEMBERS: [&str; 9] =
    ["count", "sum", "action", "target", "when", "within", "per", "refund", "erased"];
pub(super) const APPROVAL_MEMBERS: [&str; 3] = ["from", "quorum", "expires"];
pub(super) const LIMIT_MEMBERS: [&str; 6] = ["count", "within", "per", "otherwise", "refund", "erased"];
pub(super) const AUDIT_MEMBERS: [&str; 2] = ["payload", "tags"];
/// Longest window; snapshots and retention are sized for it.
pub(super) const LONGEST_WINDOW: Span = Span::seconds(31 * 86_400);

/// Reads a document as far as it can be read; whether it may be used is for `findings` to say.
pub fn read(text: &str, findings: &mut Findings) -> Option<Document> {
    let root = yaml::read(text, findings)?;
    let members = Members::of(&root, "a policy", &POLICY_MEMBERS, findings)?;
    findings.lenient = matches!(members.get("strict"), Some(Node { value: Content::Bool(false), .. }));
    if let Some(node) = members.get("strict").filter(|node| !matches!(node.value, Content::Bool(_))) {
        findings.error(node.place, "`strict` is true or false", None);
    }
    let name = members.required("policy", findings).and_then(|node| super::members::name(node, "policy", findings));
    let mode = members.get("mode").and_then(|node| mode(node, findings)).unwrap_or(Mode::Enforce);
    let source = members.get("source").and_then(|node| source_name(node, findings));
    let description = members.get("description").and_then(|node| super::members::text(node, "description", findings));
    let meters = members.get("meters").map(|node| meters(node, text, findings)).unwrap_or_default();
    let rules = members.required("rules", findings).map(|node| rules(node, text, findings)).unwrap_or_default();
    Some(Document { name: name?, description: description.unwrap_or_default(), source, mode, meters, rules })
}

fn mode(node: &Node, findings: &mut Findings) -> Option<Mode> {
    match super::source::text_of(node) {
        Some("enforce") => Some(Mode::Enforce),
        Some("shadow") => Some(Mode::Shadow),
        _ => {
            findings.error(node.place, "`mode` is `enforce` or `shadow`", None);
            None
        }
    }
}

/// The source a policy is for. An unreadable one is an error, never a wider scope.
fn source_name(node: &Node, findings: &mut Findings) -> Option<String> {
    let written = text(node, "source", findings)?;
    match crate::text::normal_target(&written) {
        Ok(normal) if !normal.is_empty() => Some(normal),
        _ => {
            findings.error(node.place, "`source` is the name of a platform, such as `stripe`", None);
            None
        }
    }
}

fn meters(node: &Node, document: &str, findings: &mut Findings) -> Vec<MeterTerms> {
    let Content::Map(entries) = &node.value else {
        findings.error(node.place, format!("`meters` is a map from names to meters, not {}", node.kind()), None);
        return Vec::new();
    };
    let mut meters = Vec::new();
    for (key, node) in entries {
        if !super::members::is_meter_name(&key.name) {
            let message = format!("`{}` is not a name for a meter: use letters, digits and `_`", key.name);
            findings.error(key.place, message, None);
            continue;
        }
        let name = At { place: key.place, value: key.name.clone() };
        meters.extend(meter(name, node, document, findings));
    }
    meters
}

fn meter(name: At<String>, node: &Node, document: &str, findings: &mut Findings) -> Option<MeterTerms> {
    let members = Members::of(node, "a meter", &METER_MEMBERS, findings)?;
    let sum = members.get("sum").and_then(|node| condition(node, "sum", document, findings));
    match (members.get("count"), members.get("sum")) {
        (Some(count), None) if !matches!(count.value, Content::Bool(true)) => {
            findings.error(count.place, "a counting meter is written `count: true`", None);
        }
        (Some(_), None) | (None, Some(_)) => {}
        _ => findings.error(node.place, "a meter has either `count: true` or `sum`", None),
    }
    let within = members.required("within", findings).and_then(|node| window(node, findings))?;
    Some(MeterTerms {
        name,
        sum,
        action: members.get("action").and_then(|node| super::members::action(node, findings)),
        target: members.get("target").map(|node| list_of_texts(node, "target", findings)),
        when: members.get("when").and_then(|node| condition(node, "when", document, findings)),
        within,
        per: members.get("per").map(|node| list_of_texts(node, "per", findings)).unwrap_or_default(),
        ways: ways(&members, findings),
    })
}

fn ways(members: &Members<'_>, findings: &mut Findings) -> WaysTerms {
    let mut word = |name: &str, wanted: &str| {
        let Some(node) = members.get(name) else { return false };
        let given = super::source::text_of(node) == Some(wanted);
        if !given {
            findings.error(node.place, format!("`{name}` is `{wanted}`, or it is left out"), None);
        }
        given
    };
    WaysTerms { refund: word("refund", "reported_failure"), ignores_erased: word("erased", "ignore") }
}

fn window(node: &Node, findings: &mut Findings) -> Option<Span> {
    let within = span(node, "within", findings)?;
    if within < Span::seconds(1) || within > LONGEST_WINDOW {
        findings.error(node.place, format!("`within` is from 1s to {LONGEST_WINDOW}"), None);
        return None;
    }
    Some(within)
}

fn condition(node: &Node, member: &str, document: &str, findings: &mut Findings) -> Option<Source> {
    if let Some(text) = super::source::text_of(node) {
        return Some(Source::new(text, node, document));
    }
    let help = "write the condition in quotes".to_owned();
    findings.error(node.place, format!("`{member}` is a condition, not {}", node.kind()), Some(help));
    None
}

fn rules(node: &Node, document: &str, findings: &mut Findings) -> Vec<RuleTerms> {
    let Content::List(items) = &node.value else {
        if !matches!(node.value, Content::Null) {
            findings.error(node.place, format!("`rules` is a list of rules, not {}", node.kind()), None);
        }
        return Vec::new();
    };
    let mut rules: Vec<RuleTerms> = Vec::with_capacity(items.len());
    let mut ids = HashSet::with_capacity(items.len());
    for item in items {
        let Some(rule) = rule(item, document, findings) else { continue };
        if !ids.insert(rule.id.value.clone()) {
            findings.error(rule.id.place, format!("there already is a rule `{}`", rule.id.value), None);
        }
        rules.push(rule);
    }
    rules
}

fn rule(node: &Node, document: &str, findings: &mut Findings) -> Option<RuleTerms> {
    let members = Members::of(node, "a rule", &RULE_MEMBERS, findings)?;
    let id = members.required("id", findings).and_then(|node| super::members::name(node, "rule", findings));
    let rule = RuleTerms {
        id: id?,
        action: members.get("action").and_then(|node| super::members::action(node, findings)),
        target: members.get("target").map(|node| list_of_texts(node, "target", findings)),
        when: members.get("when").and_then(|node| condition(node, "when", document, findings)),
        unless: members.get("unless").and_then(|node| condition(node, "unless", document, findings)),
        decision: members.get("decision").and_then(|node| outcome(node, "decision", findings)),
        severity: members.get("severity").and_then(|node| super::members::severity(node, findings)),
        reason: members.get("reason").and_then(|node| text(node, "reason", findings)),
        approval: members.get("approval").and_then(|node| approval(node, findings)),
        limit: members.get("limit").and_then(|node| limit(node, findings)),
        audit: members.get("audit").and_then(|node| audit(node, findings)),
    };
    if rule.decision.is_none() && rule.limit.is_none() && rule.audit.is_none() {
        let message = format!("rule `{}` does nothing: it needs `decision`, `limit` or `audit`", rule.id.value);
        findings.error(rule.id.place, message, None);
    }
    if let Some(node) = members.get("approval").filter(|_| !asks_people(&rule)) {
        let message = "`approval` belongs to a rule that can require one (`decision` or `otherwise: REQUIRE_APPROVAL`)";
        findings.error(node.place, message, None);
    }
    Some(rule)
}

fn asks_people(rule: &RuleTerms) -> bool {
    let limit = rule.limit.as_ref().map(|limit| limit.otherwise);
    [rule.decision, limit].contains(&Some(Outcome::RequireApproval))
}

/// Most people one rule can ask for.
const MOST_VOTES: i64 = 100;

fn approval(node: &Node, findings: &mut Findings) -> Option<ApprovalTerms> {
    let members = Members::of(node, "`approval`", &APPROVAL_MEMBERS, findings)?;
    let quorum = members.get("quorum").and_then(|node| whole(node, "quorum", 1, MOST_VOTES, findings)).unwrap_or(1);
    let from = members.get("from").map(|node| list_of_texts(node, "from", findings)).unwrap_or_default();
    Some(ApprovalTerms {
        from: from.into_iter().map(|group| group.value).collect(),
        quorum: u32::try_from(quorum).unwrap_or(1),
        expires: members.get("expires").and_then(|node| expiry(node, findings)),
    })
}

fn expiry(node: &Node, findings: &mut Findings) -> Option<Span> {
    let expires = span(node, "expires", findings)?;
    if expires < Span::seconds(1) || expires > LONGEST_WINDOW {
        findings.error(node.place, format!("`expires` is from 1s to {LONGEST_WINDOW}"), None);
        return None;
    }
    Some(expires)
}

fn limit(node: &Node, findings: &mut Findings) -> Option<LimitTerms> {
    let members = Members::of(node, "`limit`", &LIMIT_MEMBERS, findings)?;
    let count = members.required("count", findings).and_then(|node| whole(node, "count", 0, 1_000_000_000, findings));
    let within = members.required("within", findings).and_then(|node| window(node, findings));
    let otherwise = match members.get("otherwise") {
        None => Outcome::Block,
        Some(node) => outcome(node, "otherwise", findings).unwrap_or(Outcome::Block),
    };
    if let Some(node) = members.get("otherwise").filter(|_| otherwise == Outcome::Allow) {
        findings.error(node.place, "`otherwise` is BLOCK or REQUIRE_APPROVAL: a limit cannot allow", None);
    }
    let per = members.get("per").map(|node| list_of_texts(node, "per", findings)).unwrap_or_default();
    let ways = ways(&members, findings);
    Some(LimitTerms { count: count?, within: within?, per, otherwise, ways })
}

fn audit(node: &Node, findings: &mut Findings) -> Option<AuditTerms> {
    let members = Members::of(node, "`audit`", &AUDIT_MEMBERS, findings)?;
    let payload = members.get("payload").and_then(|node| match super::source::text_of(node) {
        Some("none") => Some(Retention::None),
        Some("replay") => Some(Retention::Replay),
        Some("full") => Some(Retention::Full),
        _ => {
            findings.error(node.place, "`payload` is `none`, `replay` or `full`", None);
            None
        }
    });
    let tags = members.get("tags").map(|node| list_of_texts(node, "tags", findings)).unwrap_or_default();
    Some(AuditTerms { payload, tags: tags.into_iter().map(|tag| tag.value).collect() })
}
