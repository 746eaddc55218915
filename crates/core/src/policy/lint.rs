//! Lint: mistakes in policies that publish, each with a call that shows it.
//!
//! Pure analysis of the published rules and their syntax trees over a small abstract domain (`values`,
//! `cube`, `logic`). Refuses to guess: what is reported is proved over everything that a call can be, or
//! was seen in decisions on the example. What must stay true: nothing is found in the shipped packs.

mod comparisons;
mod conditions;
mod cube;
mod domain;
mod example;
mod fields;
pub mod finding;
mod holds;
mod logic;
mod meters;
mod numbers;
mod pairs;
mod people;
mod scope;
mod values;

pub use finding::{Asker, Example, Finding, Kind};

use super::bundle::{Bundle, BundleInputs};
use super::document::{self, Document, RuleTerms};
use super::finding::{Findings, LoadError, Place, Warning};
use super::rule::Rule;
use super::source::Source;
use crate::settings::Settings;
use cube::Cubes;
use std::collections::{BTreeMap, BTreeSet};

/// What is known beside the policies.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Approver groups and how many people are in each; `None` if nobody knows.
    pub groups: Option<BTreeMap<String, u32>>,
    /// Whether the settings are those of the workspace, so that a target they do not name is unregistered.
    pub settings_known: bool,
}

/// Everything that was found, in the order of files and places.
#[derive(Clone, Debug)]
pub struct Report {
    pub warnings: Vec<Warning>,
    pub findings: Vec<Finding>,
    pub rules: usize,
    /// There were too many rules to compare each with each.
    pub partial: bool,
}

/// Publishes and looks for mistakes; documents that do not publish have load errors instead.
pub fn lint(inputs: &BundleInputs, options: &Options) -> Result<Report, Vec<LoadError>> {
    // What is only observed now is enforced some day: findings are about that.
    let settings = Settings { observe: None, ..inputs.settings.clone() };
    let (bundle, warnings) = Bundle::publish(&BundleInputs { settings, ..inputs.clone() })?;
    let documents: Vec<Written> = inputs.policies.iter().filter_map(|(file, text)| Written::read(file, text)).collect();
    let mut desk = Desk::new(&bundle, options, &documents);
    desk.look();
    let mut findings = desk.findings;
    findings.sort_by(|left, right| {
        let order = |finding: &Finding| (finding.file.clone(), finding.line, finding.column, finding.kind);
        order(left).cmp(&order(right))
    });
    findings.dedup();
    Ok(Report { warnings, findings, rules: bundle.rules().len(), partial: desk.partial })
}

/// A document with its text.
struct Written {
    file: String,
    text: String,
    document: Document,
}

impl Written {
    fn read(file: &str, text: &str) -> Option<Self> {
        let document = document::read(text, &mut Findings::new(file))?;
        Some(Self { file: file.to_owned(), text: text.to_owned(), document })
    }
}

/// A rule as published and as written.
#[derive(Clone, Copy)]
struct Subject<'a> {
    /// Place in the bundle.
    place: u32,
    rule: &'a Rule,
    terms: &'a RuleTerms,
    written: &'a Written,
}

struct Desk<'a> {
    bundle: &'a Bundle,
    options: &'a Options,
    documents: &'a [Written],
    /// In the order of the bundle.
    subjects: Vec<Subject<'a>>,
    /// What the selectors of the rules say, by place in the bundle.
    bases: Vec<Cubes>,
    /// Rules that can do nothing at all: no use comparing them.
    dead: BTreeSet<u32>,
    findings: Vec<Finding>,
    partial: bool,
}

impl<'a> Desk<'a> {
    fn new(bundle: &'a Bundle, options: &'a Options, documents: &'a [Written]) -> Self {
        let mut terms: BTreeMap<(&str, &str), (&Written, &RuleTerms)> = BTreeMap::new();
        for written in documents {
            for rule in &written.document.rules {
                terms.insert((&written.document.name.value, &rule.id.value), (written, rule));
            }
        }
        let subject = |(place, rule): (u32, &'a Rule)| {
            let (written, terms) = terms.get(&(&*rule.id.policy, &*rule.id.rule))?;
            Some(Subject { place, rule, terms, written })
        };
        let subjects: Vec<Subject<'a>> = (0u32..).zip(bundle.rules()).filter_map(subject).collect();
        let bases = bundle.rules().iter().map(|rule| scope::base(rule, bundle, options)).collect();
        Self {
            bundle,
            options,
            documents,
            subjects,
            bases,
            dead: BTreeSet::new(),
            findings: Vec::new(),
            partial: false,
        }
    }

    fn look(&mut self) {
        for subject in self.subjects.clone() {
            self.look_at_selector(subject);
            self.look_at_conditions(subject);
            self.look_at_fields(subject);
            self.look_at_limit(subject);
            self.look_at_people(subject);
        }
        self.look_at_pairs();
        self.look_at_holds();
        self.look_at_meters();
    }

    fn base(&self, subject: Subject<'_>) -> Cubes {
        let place = usize::try_from(subject.place).unwrap_or(usize::MAX);
        self.bases.get(place).cloned().unwrap_or_else(cube::anything)
    }

    fn show(&self, expr: &super::condition::ast::Expr) -> String {
        super::condition::show::show(expr, self.bundle.counter_names())
    }

    fn report(&mut self, subject: Subject<'_>, kind: Kind, place: Place, message: String) -> &mut Finding {
        self.findings.push(Finding {
            file: subject.written.file.clone(),
            line: place.line,
            column: place.column,
            kind,
            rules: vec![subject.rule.id.clone()],
            message,
            help: None,
            example: None,
        });
        let last = self.findings.len() - 1;
        #[allow(clippy::indexing_slicing)] // pushed just now
        &mut self.findings[last]
    }
}

/// Where the leftmost part of an expression stands.
fn place_of(source: &Source, expr: &super::condition::ast::Expr) -> Place {
    let mut first = expr.at;
    expr.walk(&mut |part| first = first.min(part.at));
    let offset = usize::try_from(first).unwrap_or(0);
    // A call in front of its arguments is known by its parenthesis.
    let before =
        source.text.get(..offset).filter(|_| source.text.get(offset..).is_some_and(|rest| rest.starts_with('(')));
    let name = before
        .map_or(0, |before| before.len() - before.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).len());
    source.place_of(offset - name)
}

#[cfg(test)]
mod tests;
