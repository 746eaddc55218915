//! What would have been decided otherwise: by policies in shadow mode, and by enforcement where a workspace observed.
//!
//! Read from the recorded entries, page by page and in bounded memory; whoever wants a long range asks again from where
//! a page ended and adds the pages up. Refuses to decide anything again: every decision was weighed in its place in the
//! log, with what was known there.

use crate::error::Error;
use crate::record::{DecisionBody, Entry, Kind, Verdict};
use crate::workspace::Workspace;
use runplane_core::outcome::Outcome;
use runplane_core::time::Micros;
use runplane_store::Store;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Entries that one page reads.
const PAGE: u64 = 10_000;
/// Entries read from the store at once.
const AT_ONCE: usize = 500;
/// Rules that are counted; more than anybody looks at.
const MAX_RULES: usize = 1_000;
/// Examples of a rule.
const EXAMPLES: usize = 3;

/// What to look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Range {
    /// The first entry; without it the first of `from`.
    pub after: Option<u64>,
    pub from: Option<Micros>,
    /// The end, not included.
    pub to: Option<Micros>,
}

/// What would have been different in a range of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShadowReport {
    /// Decisions that were looked at.
    pub decisions: u64,
    /// Rules by how much would have been different.
    pub rules: Vec<ShadowTally>,
    /// Findings of rules beyond those that are counted, or that an entry had no room for.
    pub omitted: u64,
    /// Where the next page starts, if the range goes on.
    pub next: Option<u64>,
}

/// What one rule would have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShadowTally {
    /// `policy/rule`.
    pub rule: String,
    /// `shadow`: the rule's policy is in shadow mode. `observed`: the rule decided while the workspace observed.
    pub mode: String,
    /// Calls that the rule was about and whose condition was not false.
    pub calls: u64,
    /// Those that would have been decided otherwise.
    pub different: u64,
    /// Those where its condition had no value.
    pub errors: u64,
    pub changes: Vec<Change>,
    /// The first of those that would have been different.
    pub examples: Vec<ShadowExample>,
}

/// How often one outcome would have been another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// What was decided: `ALLOW`, `REQUIRE_APPROVAL` or `BLOCK`.
    #[schema(value_type = String)]
    pub from: Outcome,
    /// What would have been.
    #[schema(value_type = String)]
    pub to: Outcome,
    pub count: u64,
}

/// A decision that would have been another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShadowExample {
    pub index: u64,
    pub request_id: String,
    /// RFC 3339.
    pub at: String,
    pub agent: String,
    pub action: String,
    pub target: String,
    #[schema(value_type = String)]
    pub decided: Outcome,
    #[schema(value_type = String)]
    pub would: Outcome,
}

/// One rule's word on one decision.
struct Word<'a> {
    rule: String,
    mode: &'a str,
    decided: Outcome,
    would: Outcome,
    error: bool,
}

impl ShadowReport {
    /// Reads one page of the range.
    pub fn read(store: &dyn Store, workspace: &Workspace, range: Range) -> Result<Self, Error> {
        let size = workspace.published.head.load().size;
        let start = match range.after {
            Some(index) => index,
            None => match range.from {
                Some(from) => first_at(store, &workspace.id, size, from)?,
                None => 0,
            },
        };
        let mut report = Self::default();
        let end = size.min(start.saturating_add(PAGE));
        let mut index = start;
        while index < end {
            let rows = store.read_entries(&workspace.id, index, AT_ONCE)?;
            let Some(last) = rows.last() else { return Ok(report) };
            index = last.index + 1;
            for row in rows.iter().filter(|row| row.index < end) {
                let entry = Entry::parse(&row.bytes)?;
                if range.to.is_some_and(|to| entry.at >= to) {
                    return Ok(report);
                }
                if matches!(entry.kind, Kind::Decision | Kind::Redemption) {
                    report.add(entry.index, entry.at, &entry.body()?);
                }
            }
        }
        report.next = (end < size).then_some(end);
        Ok(report)
    }

    fn add(&mut self, index: u64, at: Micros, body: &DecisionBody) {
        self.decisions += body.count;
        let shadow = &body.decision.shadow;
        self.omitted += u64::try_from(shadow.count - shadow.first.len()).unwrap_or(0);
        for word in words(&body.decision) {
            let Some(tally) = self.tally(&word.rule, word.mode) else { continue };
            tally.calls += 1;
            tally.errors += u64::from(word.error);
            if word.would == word.decided {
                continue;
            }
            tally.different += 1;
            tally.change(word.decided, word.would, 1);
            if tally.examples.len() < EXAMPLES {
                tally.examples.push(ShadowExample {
                    index,
                    request_id: body.request_id.clone(),
                    at: at.to_string(),
                    agent: body.agent.clone(),
                    action: body.action.r#type.clone(),
                    target: body.target.clone(),
                    decided: word.decided,
                    would: word.would,
                });
            }
        }
    }

    fn tally(&mut self, rule: &str, mode: &str) -> Option<&mut ShadowTally> {
        let found = self.rules.binary_search_by(|tally| (&*tally.rule, &*tally.mode).cmp(&(rule, mode)));
        let place = match found {
            Ok(place) => place,
            Err(_) if self.rules.len() >= MAX_RULES => {
                self.omitted += 1;
                return None;
            }
            Err(place) => {
                let (rule, mode) = (rule.to_owned(), mode.to_owned());
                let (changes, examples) = (Vec::new(), Vec::new());
                self.rules
                    .insert(place, ShadowTally { rule, mode, calls: 0, different: 0, errors: 0, changes, examples });
                place
            }
        };
        self.rules.get_mut(place)
    }

    /// Adds the page that follows.
    pub fn follow(&mut self, page: Self) {
        self.decisions += page.decisions;
        self.omitted += page.omitted;
        self.next = page.next;
        for one in page.rules {
            let Some(tally) = self.tally(&one.rule, &one.mode) else { continue };
            tally.calls += one.calls;
            tally.different += one.different;
            tally.errors += one.errors;
            one.changes.iter().for_each(|change| tally.change(change.from, change.to, change.count));
            tally.examples.extend(one.examples);
            tally.examples.truncate(EXAMPLES);
        }
    }
}

impl ShadowTally {
    fn change(&mut self, from: Outcome, to: Outcome, count: u64) {
        match self.changes.iter_mut().find(|change| (change.from, change.to) == (from, to)) {
            Some(change) => change.count += count,
            None => {
                self.changes.push(Change { from, to, count });
                self.changes.sort_by_key(|change| (change.from, change.to));
            }
        }
    }
}

/// What the rules of a recorded decision would have changed; a rule that spoke twice counts at its strictest.
fn words(decision: &Verdict) -> Vec<Word<'static>> {
    let decided = decision.enforced();
    let mut by_rule: BTreeMap<String, (Outcome, bool)> = BTreeMap::new();
    for rule in &decision.shadow.first {
        // Entries of before say only what the rule itself says.
        let would = rule.would.unwrap_or_else(|| rule.outcome.max(decided));
        let seen = by_rule.entry(rule.rule.to_string()).or_insert((would, false));
        seen.0 = if seen.0 == decided { would } else { seen.0.max(would) };
        seen.1 |= rule.error.is_some();
    }
    let mut words: Vec<Word<'static>> = by_rule
        .into_iter()
        .map(|(rule, (would, error))| Word { rule, mode: "shadow", decided, would, error })
        .collect();
    if let Some(observed) = &decision.observed {
        let rule = decision.matched_rule.to_string();
        let (decided, would) = (decision.outcome, observed.outcome);
        words.push(Word { rule, mode: "observed", decided, would, error: observed.code == "evaluation_error" });
    }
    words
}

/// The first entry that is not before `from`; ledger time never goes back.
fn first_at(store: &dyn Store, workspace: &str, size: u64, from: Micros) -> Result<u64, Error> {
    let (mut low, mut high) = (0, size);
    while low < high {
        let middle = low + (high - low) / 2;
        let row = store.read_entries(workspace, middle, 1)?.into_iter().next();
        let row = row.ok_or_else(|| Error::internal("an entry of the ledger is missing"))?;
        if Entry::parse(&row.bytes)?.at < from {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(count: u64) -> ShadowReport {
        let mut report = ShadowReport { decisions: count, ..ShadowReport::default() };
        let tally = report.tally("p/r", "shadow").unwrap();
        tally.calls = count;
        tally.different = count;
        tally.change(Outcome::Allow, Outcome::Block, count);
        report
    }

    #[test]
    fn pages_add_up_to_the_whole() {
        let mut whole = page(2);
        whole.follow(ShadowReport { next: Some(7), ..page(3) });
        assert_eq!((whole.decisions, whole.next, whole.rules.len()), (5, Some(7), 1));
        let tally = &whole.rules[0];
        assert_eq!((tally.calls, tally.different), (5, 5));
        assert_eq!(tally.changes, [Change { from: Outcome::Allow, to: Outcome::Block, count: 5 }]);
    }

    #[test]
    fn rules_beyond_those_that_are_counted_are_counted_as_omitted() {
        let mut report = ShadowReport::default();
        let counted = (0..MAX_RULES + 5).filter(|rule| report.tally(&format!("p/{rule}"), "shadow").is_some()).count();
        assert_eq!((counted, report.omitted), (MAX_RULES, 5));
        assert!(report.tally("p/0", "shadow").is_some());
    }
}
