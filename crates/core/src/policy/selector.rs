//! Which calls a rule or meter is about: by action, target and source.
//!
//! What must stay true: a restrictive rule, a duty, a limit or a meter looks at every member of
//! `action.types` and takes an unknown source for its own; an ALLOW covers single members and never
//! guesses. Names are resolved against the catalogue once, at publish.

mod cover;

use super::document::{ActionTerms, At};
use super::finding::{Findings, nearest};
use super::glob;
use crate::action::Action;
use crate::call::Call;
use crate::catalogue::{ActionType, Catalogue, TypeName};
use crate::text;
use serde::Serialize;

/// The actions a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actions {
    Any,
    Some(Named),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Catalogue types; sorted.
    types: Vec<TypeName>,
    /// Names the catalogue does not know, let through by `strict: false`.
    foreign: Vec<Box<str>>,
    /// Globs as written: restrictions also hold for names outside of the catalogue that fit them.
    globs: Vec<Box<str>>,
    domains: Vec<Box<str>>,
    effects: Vec<Box<str>>,
}

/// Targets in normal form, and globs over them; none at all means any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Targets {
    names: Vec<Box<str>>,
    globs: Vec<Box<str>>,
}

pub(super) const DOMAINS: [&str; 7] =
    ["payments", "database", "infrastructure", "communication", "integrations", "enterprise", "unknown"];
pub(super) const EFFECTS: [&str; 4] = ["read", "write", "destructive", "unknown"];

impl Actions {
    /// Resolves what is written; whatever resolves to nothing is reported.
    pub fn read(terms: Option<&ActionTerms>, catalogue: &Catalogue, findings: &mut Findings) -> Self {
        match terms {
            None => Self::Any,
            Some(ActionTerms::Names(names)) => Self::Some(Named::from_names(names, catalogue, findings)),
            Some(ActionTerms::Attributes { domains, effects }) => {
                Self::Some(Named::from_attributes(domains, effects, catalogue, findings))
            }
        }
    }

    /// The catalogue types it is about; `None` means all actions.
    #[must_use]
    pub fn types(&self) -> Option<&[TypeName]> {
        match self {
            Self::Any => None,
            Self::Some(named) => Some(&named.types),
        }
    }

    /// Whether it may be about an action type that the catalogue does not know.
    #[must_use]
    pub fn may_be_foreign(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Some(named) => {
                let lists = [&named.foreign, &named.globs, &named.domains, &named.effects];
                lists.iter().any(|list| !list.is_empty())
            }
        }
    }

    /// Whether it names types that the catalogue does not know, whose fields nobody can check.
    #[must_use]
    pub fn is_about_strangers(&self) -> bool {
        matches!(self, Self::Some(named) if !named.foreign.is_empty())
    }

    /// For restrictions, duties, limits and meters: any member decides.
    #[must_use]
    pub fn touches(&self, action: &Action) -> bool {
        match self {
            Self::Any => true,
            Self::Some(named) => {
                let foreign = !action.known && (named.is_foreign(action) || named.fits_glob(&action.canonical));
                foreign || action.types.iter().any(|member| named.has(member))
            }
        }
    }

    /// For ALLOW: whether this one member is covered.
    #[must_use]
    pub fn covers(&self, member: &TypeName, action: &Action) -> bool {
        match self {
            Self::Any => true,
            Self::Some(named) => {
                let foreign = !action.known && *member == action.canonical && named.is_foreign(action);
                foreign || named.has(member)
            }
        }
    }
}

impl Named {
    fn from_names(names: &[At<String>], catalogue: &Catalogue, findings: &mut Findings) -> Self {
        let mut named = Self::default();
        for name in names {
            let before = named.types.len();
            if glob::is_glob(&name.value) {
                named.take(catalogue, |kind| glob::matches(&name.value, &kind.name));
                named.globs.push(name.value.as_str().into());
            } else {
                named.take(catalogue, |kind| *kind.name == *name.value);
            }
            if named.types.len() == before {
                report_unknown(name, catalogue, findings);
                if !glob::is_glob(&name.value) {
                    named.foreign.push(name.value.as_str().into());
                }
            }
        }
        named.settle()
    }

    fn from_attributes(
        domains: &[At<String>],
        effects: &[At<String>],
        catalogue: &Catalogue,
        findings: &mut Findings,
    ) -> Self {
        let mut checked = |words: &[At<String>], known: &[&str], what: &str| -> Vec<Box<str>> {
            for word in words.iter().filter(|word| !known.contains(&word.value.as_str())) {
                let help = nearest(&word.value, known.iter().copied())
                    .or_else(|| Some(format!("one of {}", known.join(", "))));
                findings.error(word.place, format!("unknown {what} `{}`", word.value), help);
            }
            words.iter().map(|word| word.value.as_str().into()).collect()
        };
        let mut named = Self {
            domains: checked(domains, &DOMAINS, "domain"),
            effects: checked(effects, &EFFECTS, "effect"),
            ..Self::default()
        };
        let accepts = named.clone();
        named.take(catalogue, |kind| {
            accepts.has_attributes(kind.definition.domain.as_str(), kind.definition.effect.as_str())
        });
        named.settle()
    }

    fn take(&mut self, catalogue: &Catalogue, accept: impl Fn(&ActionType) -> bool) {
        self.types.extend(catalogue.types().filter(|kind| accept(kind)).map(|kind| TypeName::clone(&kind.name)));
    }

    fn settle(mut self) -> Self {
        self.types.sort();
        self.types.dedup();
        self
    }

    fn has(&self, member: &TypeName) -> bool {
        self.types.binary_search(member).is_ok()
    }

    fn is_foreign(&self, action: &Action) -> bool {
        let attributes = !(self.domains.is_empty() && self.effects.is_empty());
        let named = self.foreign.iter().any(|name| **name == *action.canonical);
        named || (attributes && self.has_attributes(action.domain.as_str(), action.effect.as_str()))
    }

    fn fits_glob(&self, name: &str) -> bool {
        self.globs.iter().any(|pattern| glob::matches(pattern, name))
    }

    fn has_attributes(&self, domain: &str, effect: &str) -> bool {
        let among = |words: &[Box<str>], word: &str| words.is_empty() || words.iter().any(|known| **known == *word);
        among(&self.domains, domain) && among(&self.effects, effect)
    }
}

fn report_unknown(name: &At<String>, catalogue: &Catalogue, findings: &mut Findings) {
    let known = catalogue.types().map(|kind| &*kind.name);
    let meant = catalogue.find(&name.value).map(|kind| format!("write its canonical name `{}`", kind.name));
    let help = meant.or_else(|| nearest(&name.value, known));
    let what = if glob::is_glob(&name.value) { "no action type is named like" } else { "unknown action type" };
    findings.doubt(name.place, format!("{what} `{}`", name.value), help);
}

impl Targets {
    pub fn read(terms: Option<&[At<String>]>, findings: &mut Findings) -> Self {
        let mut targets = Self::default();
        for target in terms.unwrap_or_default() {
            match text::normal_target(&target.value) {
                Ok(normal) if glob::is_glob(&normal) => targets.globs.push(normal.into()),
                Ok(normal) if !normal.is_empty() => targets.names.push(normal.into()),
                Ok(_) => findings.error(target.place, "a target is empty", None),
                Err(problem) => {
                    findings.error(target.place, format!("`{}` is no target: it {problem}", target.value), None);
                }
            }
        }
        targets
    }

    #[must_use]
    pub fn has(&self, target: &str) -> bool {
        let any = self.names.is_empty() && self.globs.is_empty();
        any || self.names.iter().any(|name| **name == *target)
            || self.globs.iter().any(|pattern| glob::matches(pattern, target))
    }

    /// The names, if names are all there is: then no other target fits.
    #[must_use]
    pub fn names(&self) -> Option<&[Box<str>]> {
        (self.globs.is_empty() && !self.names.is_empty()).then_some(&self.names)
    }
}

/// Whether a policy's source takes in the call: `strictly` an unknown source is nobody's, else everybody's.
#[must_use]
pub fn in_scope(scope: Option<&str>, call: &Call, strictly: bool) -> bool {
    match (scope, call.source.as_deref()) {
        (None, _) => true,
        (Some(_), None) => !strictly,
        (Some(scope), Some(source)) => text::normal_target(source).is_ok_and(|source| source == scope),
    }
}

/// What is written, for a meter's identity: it must not depend on today's catalogue.
#[must_use]
pub fn written(terms: Option<&ActionTerms>) -> Vec<String> {
    let mut words: Vec<String> = match terms {
        None => Vec::new(),
        Some(ActionTerms::Names(names)) => names.iter().map(|name| name.value.clone()).collect(),
        Some(ActionTerms::Attributes { domains, effects }) => {
            let domains = domains.iter().map(|domain| format!("domain:{}", domain.value));
            domains.chain(effects.iter().map(|effect| format!("effect:{}", effect.value))).collect()
        }
    };
    words.sort();
    words
}
