//! Lint against the corpus of wrong policies in `contracts/lint`, and against the shipped packs.

use crate::sandbox::{action, production_agent, shipped};
use runplane_core::call::{Asked, Call, Established};
use runplane_core::decide::{decide, prepare};
use runplane_core::environment::Environment;
use runplane_core::inspect;
use runplane_core::meter::MeterValue;
use runplane_core::outcome::Outcome;
use runplane_core::policy::lint::{Example, Finding, Kind, Options, Report, lint};
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::settings::Settings;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A wrong policy and what has to be found in it.
struct Planted {
    file: String,
    text: String,
    kind: String,
    rule: String,
    line: u32,
    column: u32,
    options: Options,
}

fn corpus() -> Vec<Planted> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/lint");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    paths.iter().map(|path| planted(path)).collect()
}

fn planted(path: &Path) -> Planted {
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap();
    let said = |name: &str| text.lines().find_map(|line| line.strip_prefix(&format!("# {name}: ")));
    let (what, at) = said("expect").and_then(|line| line.split_once(" at ")).unwrap_or_else(|| panic!("{file}"));
    let (kind, rule) = what.split_once(' ').unwrap();
    let (line, column) = (1u32..)
        .zip(text.lines())
        .filter(|(_, line)| !line.starts_with('#'))
        .find_map(|(number, line)| Some((number, line.split_once(at)?.0.chars().count())))
        .unwrap_or_else(|| panic!("{file} has no `{at}`"));
    let groups = said("groups").map(|groups| {
        let group =
            |group: &str| group.split_once('=').map(|(name, people)| (name.to_owned(), people.parse().unwrap()));
        groups.split(", ").map(|text| group(text).unwrap()).collect::<BTreeMap<_, _>>()
    });
    let column = u32::try_from(column + 1).unwrap();
    let (kind, rule) = (kind.to_owned(), rule.to_owned());
    Planted { file, kind, rule, line, column, options: Options { groups, ..Options::default() }, text }
}

fn look(file: &str, text: &str, options: &Options) -> Report {
    let inputs = BundleInputs { policies: vec![(file.to_owned(), text.to_owned())], ..shipped(Settings::default()) };
    lint(&inputs, options).unwrap_or_else(|errors| panic!("{file} does not publish: {errors:?}"))
}

fn shown(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| {
            let Finding { file, line, column, kind, message, .. } = finding;
            format!("{file}:{line}:{column}: {}: {message}", kind.as_str())
        })
        .collect()
}

#[test]
fn every_planted_mistake_is_found_at_its_place_and_nothing_else() {
    let corpus = corpus();
    assert!(corpus.len() >= 60, "only {} wrong policies", corpus.len());
    let mut wrong = Vec::new();
    for planted in &corpus {
        let Planted { file, kind, rule, line, column, .. } = planted;
        let found = look(file, &planted.text, &planted.options).findings;
        let is_it = |finding: &Finding| {
            let names = finding.rules.first().map_or("-", |id| &id.rule);
            finding.kind.as_str() == kind && names == rule && (finding.line, finding.column) == (*line, *column)
        };
        if found.len() != 1 || !is_it(&found[0]) {
            wrong.push(format!("{file}: expected {kind} of {rule} at {line}:{column}, found {:#?}", shown(&found)));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), corpus.len(), wrong.join("\n"));
}

#[test]
fn every_kind_that_can_be_planted_is_in_the_corpus() {
    let planted: BTreeSet<String> = corpus().into_iter().map(|planted| planted.kind).collect();
    for kind in Kind::ALL {
        // Who is there to vote is not known where a policy is compiled.
        assert!(planted.contains(kind.as_str()) || kind == Kind::UnsatisfiableQuorum, "{}", kind.as_str());
    }
}

#[test]
fn nothing_is_found_in_the_shipped_packs() {
    let inputs = shipped(Settings::default());
    let together = lint(&inputs, &Options::default()).unwrap();
    assert_eq!(shown(&together.findings), [""; 0]);
    assert!(!together.partial && together.rules > 50);
    for policy in &inputs.policies {
        let alone = BundleInputs { policies: vec![policy.clone()], ..inputs.clone() };
        assert_eq!(shown(&lint(&alone, &Options::default()).unwrap().findings), [""; 0], "{}", policy.0);
    }
}

/// The document without the item of one rule.
fn without_rule(text: &str, rule: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let starts = |line: &str| line.starts_with("  - ");
    let first = lines.iter().position(|line| {
        starts(line) && (line.contains(&format!("id: {rule},")) || line.ends_with(&format!("id: {rule}")))
    });
    let first = first.unwrap_or_else(|| panic!("no rule `{rule}`"));
    let length = 1 + lines[first + 1..].iter().take_while(|line| !starts(line)).count();
    [&lines[..first], &lines[first + length..]].concat().join("\n")
}

/// The outcome that a bundle of this text gives the example's call, all limits used up if asked for.
fn decided(file: &str, text: &str, example: &Example, used_up: bool) -> Outcome {
    let inputs = BundleInputs { policies: vec![(file.to_owned(), text.to_owned())], ..shipped(Settings::default()) };
    let (bundle, _) = Bundle::publish(&inputs).unwrap_or_else(|errors| panic!("{file}: {errors:?}"));
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let (call, agent) = (&example.call, example.agent.as_ref());
    let asked = Asked {
        action: text(&call["action"]["type"]).unwrap(),
        tool: None,
        target: text(&call["action"]["target"]).unwrap(),
        subject: text(&call["subject"]),
        session: text(&call["session"]),
        context: action(&call["action"]["context"].to_string()),
    };
    let mut who = production_agent();
    if let Some(agent) = agent {
        who.environment = Environment::new(&agent.environment).unwrap();
        who.labels.clone_from(&agent.labels);
    }
    let source = agent.and_then(|agent| agent.source.clone());
    let established = Established { workspace: "ws_1".to_owned(), agent: who, source, asserts_subject: true };
    let mut call = Call::new(asked, established, bundle.catalogue(), bundle.settings()).unwrap();
    let readings = inspect::read_all(&mut call, bundle.catalogue(), bundle.settings());
    let prepared = prepare(&bundle, call, readings);
    let limit =
        |counter| bundle.rules().iter().filter_map(|rule| rule.limit.as_ref()).find(|limit| limit.counter == counter);
    let facts = prepared.supposing("2026-01-05T12:00:00Z".parse().unwrap(), |counter| {
        MeterValue::Ready(limit(counter).filter(|_| used_up).map_or(0u64.into(), |limit| limit.count))
    });
    decide(&bundle, &prepared, &facts).outcome
}

#[test]
fn every_example_is_decided_as_its_finding_says() {
    let mut shown = 0;
    for planted in corpus() {
        for finding in look(&planted.file, &planted.text, &planted.options).findings {
            let Some(example) = &finding.example else { continue };
            shown += 1;
            let used_up = finding.kind == Kind::UnbindingLimit;
            let file = &planted.file;
            assert_eq!(decided(file, &planted.text, example, used_up), example.outcome, "{file}: {example:?}");
            let rest = without_rule(&planted.text, &planted.rule);
            assert_eq!(decided(file, &rest, example, used_up), example.without, "{file} without: {example:?}");
            let same =
                matches!(finding.kind, Kind::Shadowed | Kind::Duplicate | Kind::Unreachable | Kind::AlwaysTrueUnless);
            let equal = example.outcome == example.without;
            assert!(equal || !same, "{file}: {example:?}");
            assert!(!equal || finding.kind != Kind::OpensDefault, "{file}: {example:?}");
        }
    }
    assert!(shown >= 60, "only {shown} findings have an example");
}

/// Kinds that nobody has to believe without seeing a call.
const SHOWN: [Kind; 8] = [
    Kind::Unreachable,
    Kind::Shadowed,
    Kind::Contradiction,
    Kind::NeverByType,
    Kind::UnknownGroup,
    Kind::UnknownField,
    Kind::NarrowerThanAllow,
    Kind::OpensDefault,
];

#[test]
fn every_mistake_in_what_a_rule_decides_comes_with_a_call() {
    let mut counts: BTreeMap<&str, usize> = SHOWN.iter().map(|kind| (kind.as_str(), 0)).collect();
    let mut without = Vec::new();
    for planted in corpus() {
        for finding in look(&planted.file, &planted.text, &planted.options).findings {
            let Some(count) = counts.get_mut(finding.kind.as_str()) else { continue };
            *count += 1;
            let call = finding.example.as_ref().map(|example| &example.call["action"]);
            let is_call = call.is_some_and(|action| action["type"].is_string() && action["target"].is_string());
            if !is_call {
                without.push(format!("{}: {}", planted.file, finding.message));
            }
        }
    }
    assert!(counts.values().all(|count| *count > 0), "{counts:?}");
    assert!(without.is_empty(), "{} findings without a call:\n{}", without.len(), without.join("\n"));
}
