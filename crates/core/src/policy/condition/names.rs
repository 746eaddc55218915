//! Which names a condition may use, and what they mean.

use super::ast::{Expr, FACTS, Fact, Kind, Operator, TypeWord};
use super::lower::Lowering;
use super::past::Counters;
use crate::catalogue::{ActionType, Catalogue};
use crate::environment::Environment;
use crate::inspect::Inspector;
use crate::policy::finding;
use crate::policy::selector::Actions;
use crate::text;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a particular condition may name beside what is always there.
pub struct Names<'a> {
    pub catalogue: &'a Catalogue,
    /// What the rule is about: the catalogue entries of these types name the members of `context`.
    pub actions: &'a Actions,
    /// Canonical action types.
    pub types: &'a BTreeSet<&'a str>,
    /// The policy's meters, by place in the bundle.
    pub meters: &'a BTreeMap<String, u32>,
    /// Whether `meters`, `now` and the past may be named.
    pub state_allowed: bool,
    /// Whether the policy only shows what it would say: it counts apart.
    pub shadow: bool,
    /// Where conditions about the past put what they count.
    pub counters: &'a RefCell<Counters>,
}

impl<'a> Names<'a> {
    /// Whether some call that the rule is about may carry this member of `context`.
    #[must_use]
    pub fn knows_context(&self, field: &str) -> bool {
        let catalogue = self.catalogue;
        self.actions.is_about_strangers()
            || catalogue.common_fields().contains_key(field)
            || self.about().any(|kind| kind.fields.contains_key(field))
    }

    fn context_fields(&self) -> impl Iterator<Item = &'a str> {
        let common = self.catalogue.common_fields().keys();
        common.chain(self.about().flat_map(|kind| kind.fields.keys())).map(String::as_str)
    }

    fn about(&self) -> impl Iterator<Item = &'a ActionType> {
        let types = self.actions.types();
        let chosen =
            move |kind: &&'a Arc<ActionType>| types.is_none_or(|types| types.binary_search(&kind.name).is_ok());
        self.catalogue.types().filter(chosen).map(|kind| &**kind)
    }
}

/// Groups whose members are facts or meters.
const GROUPS: [&str; 5] = ["action", "agent", "risk", "registration", "meters"];

/// The text that stands for what an inspector could not read.
pub const UNKNOWN: &str = "UNKNOWN";

#[must_use]
pub fn is_group(name: &str) -> bool {
    GROUPS.contains(&name)
}

#[must_use]
pub fn root(name: &str) -> Option<Kind> {
    if name == "context" {
        return Some(Kind::Context);
    }
    if name == UNKNOWN {
        return Some(Kind::Text(UNKNOWN.into()));
    }
    let fact = FACTS.iter().find(|(known, _)| *known == name).map(|(_, fact)| Kind::Fact(*fact));
    let word = || TypeWord::ALL.iter().find(|word| word.as_str() == name).map(|word| Kind::Type(*word));
    let inspector = || Inspector::ALL.iter().find(|known| known.as_str() == name).map(|known| Kind::Reading(*known));
    fact.or_else(inspector).or_else(word)
}

#[must_use]
pub fn fact(group: &str, member: &str) -> Option<Fact> {
    let parts = |name: &'static str| name.split_once('.');
    FACTS.iter().find(|(name, _)| parts(name) == Some((group, member))).map(|(_, fact)| *fact)
}

/// The members of a group, for messages.
#[must_use]
pub fn members(group: &str, names: &Names<'_>) -> Vec<String> {
    if group == "meters" {
        return names.meters.keys().cloned().collect();
    }
    let of_group = |name: &'static str| name.split_once('.').filter(|(found, _)| *found == group);
    FACTS.iter().filter_map(|(name, _)| of_group(name)).map(|(_, member)| member.to_owned()).collect()
}

/// The members an inspector's reading may have.
#[must_use]
pub fn fields(inspector: Inspector) -> &'static [&'static str] {
    inspector.members()
}

#[must_use]
pub fn nearest_root(name: &str, bound: &[String]) -> Option<String> {
    let roots = FACTS.iter().map(|(name, _)| *name).filter(|name| !name.contains('.'));
    let words = TypeWord::ALL.iter().map(|word| word.as_str());
    let inspectors = Inspector::ALL.iter().map(|inspector| inspector.as_str());
    let all = roots.chain(words).chain(inspectors).chain(GROUPS).chain(["context", UNKNOWN]);
    finding::nearest(name, all.chain(bound.iter().map(String::as_str)))
}

#[must_use]
pub fn nearest_field(root: &str, field: &str, names: &Names<'_>) -> Option<String> {
    if root == "context" {
        return finding::nearest(field, names.context_fields());
    }
    let inspector = Inspector::ALL.iter().find(|known| known.as_str() == root)?;
    let known = fields(*inspector);
    finding::nearest(field, known.iter().copied()).or_else(|| Some(format!("one of {}", known.join(", "))))
}

/// Literals compared with a normalised fact must be in its normal form: another spelling would
/// silently never match.
pub(super) fn check_literals(lowering: &mut Lowering<'_>, operator: Operator, left: &Expr, right: &Expr) {
    let compares = matches!(operator, Operator::Equal | Operator::NotEqual | Operator::In);
    if !compares {
        return;
    }
    match (&left.kind, &right.kind) {
        (Kind::Fact(fact), Kind::List(items)) => items.iter().for_each(|item| check_literal(lowering, *fact, item)),
        (Kind::Fact(fact), _) => check_literal(lowering, *fact, right),
        (_, Kind::Fact(fact)) => check_literal(lowering, *fact, left),
        _ => {}
    }
}

fn check_literal(lowering: &mut Lowering<'_>, fact: Fact, literal: &Expr) {
    let Kind::Text(written) = &literal.kind else { return };
    let written = written.as_ref();
    let normal = match fact {
        Fact::Environment | Fact::AgentEnvironment | Fact::RegistrationEnvironment => {
            Environment::new(written).ok().map(|environment| environment.as_str().to_owned())
        }
        Fact::Target => text::normal_target(written).ok(),
        Fact::ActionType | Fact::ActionTypes => {
            let help = finding::nearest(written, lowering.names.types.iter().copied());
            if !lowering.names.types.contains(written) {
                lowering.unknown(literal.at, written, format!("unknown action type `{written}`"), help);
            }
            return;
        }
        Fact::RiskSeverity => {
            let bands = ["low", "medium", "high", "critical"];
            if !bands.contains(&written) {
                let help = Some(format!("one of {}", bands.join(", ")));
                lowering.problem(literal.at, format!("unknown severity `{written}`"), help);
            }
            return;
        }
        _ => return,
    };
    if normal.as_deref() != Some(written) {
        let help = normal.map(|normal| format!("write `{normal}`"));
        let message = format!("`{}` is never `{written}`: it is compared in its normal form", fact.name());
        lowering.problem(literal.at, message, help);
    }
}
