//! Searching the list of decisions for words, and for risk.
//!
//! There is no index of either: rows are read as any page is, newest first, and looked through. What one request reads
//! is bounded; whoever wants more goes on from where it stopped. The same on every store.

use crate::control::Control;
use crate::decisions::{Listed, Page};
use crate::error::{Error, Kind};
use crate::tasks;
use crate::workspace::Workspace;
use runplane_core::text::fold;
use runplane_core::time::Micros;
use runplane_store::{DecisionFilter, MAX_PAGE};
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Most rows one request looks at.
const MOST_ROWS: usize = 20_000;
const LONGEST: usize = 200;

/// Words that all have to occur, in any spelling of theirs.
pub struct Words(Vec<String>);

/// What the rows are looked through for.
pub struct Wanted {
    pub words: Option<Words>,
    /// Risk scores from the first to the last.
    pub risk: RangeInclusive<u8>,
}

impl Wanted {
    /// Whether there is nothing to look for that the list itself does not filter by.
    #[must_use]
    pub fn is_anything(&self) -> bool {
        self.words.is_none() && *self.risk.start() == 0 && *self.risk.end() >= 100
    }
}

/// Where a search stopped: the last decision it looked at.
pub type Reached = (u64, Micros);

impl Words {
    /// `None` where there is no word.
    pub fn of(text: &str) -> Result<Option<Self>, Error> {
        if text.chars().count() > LONGEST {
            return Err(Error::new(Kind::InvalidRequest, format!("`q` has more than {LONGEST} characters")));
        }
        let words: Vec<String> = fold(text).split_whitespace().map(str::to_owned).collect();
        Ok((!words.is_empty()).then_some(Self(words)))
    }

    fn occur_in(&self, Listed { row, line }: &Listed, name: &str, text: &mut String) -> bool {
        text.clear();
        let approval = line.approval_id.as_deref().unwrap_or_default();
        let parts = [
            &row.request_id,
            &row.agent,
            name,
            &row.action_type,
            &line.declared,
            &row.target,
            &line.environment,
            &row.rule,
            &line.reason,
            &line.reason_code,
            &row.severity,
            &row.outcome,
            &line.domain,
            &line.effect,
            approval,
        ];
        for part in parts {
            text.push_str(part);
            // Nothing that is searched for goes over the end of a part.
            text.push('\n');
        }
        let folded = fold(text);
        self.0.iter().all(|word| folded.contains(word))
    }
}

/// The page of what fits both, and where the search stopped unless it came to the end.
///
/// Upwards it always says how far it has looked, so that what does not fit is not looked at again.
pub async fn search(
    workspace: &Arc<Workspace>,
    filter: DecisionFilter,
    wanted: Wanted,
) -> Result<(Page, Option<Reached>), Error> {
    let workspace = Arc::clone(workspace);
    tasks::blocking(move || {
        let projected_to = workspace.store.projection_cursor(&workspace.id)?;
        let (mut decisions, reached) =
            if filter.after.is_some() { up(&workspace, filter, &wanted)? } else { down(&workspace, filter, &wanted)? };
        decisions.sort_unstable_by_key(|listed| std::cmp::Reverse(listed.row.index));
        Ok((Page { decisions, projected_to }, reached))
    })
    .await
}

type Found = (Vec<Listed>, Option<Reached>);

fn down(workspace: &Workspace, filter: DecisionFilter, wanted: &Wanted) -> Result<Found, Error> {
    let limit = filter.limit;
    let mut looking = Looking::new(workspace, wanted);
    let mut part = DecisionFilter { limit: MAX_PAGE, ..filter };
    loop {
        let rows = workspace.store.list_decisions(&workspace.id, &part)?;
        let is_last = rows.len() < MAX_PAGE;
        for row in rows {
            looking.at(Listed::parse(row)?);
            if looking.found.len() == limit {
                return Ok((looking.found, None));
            }
        }
        if is_last {
            return Ok((looking.found, None));
        }
        if looking.looked_at >= MOST_ROWS {
            return Ok((looking.found, looking.reached));
        }
        part.before = looking.reached.map(|(index, _)| index);
    }
}

fn up(workspace: &Workspace, filter: DecisionFilter, wanted: &Wanted) -> Result<Found, Error> {
    let limit = filter.limit;
    let mut looking = Looking::new(workspace, wanted);
    let mut part = DecisionFilter { limit: MAX_PAGE, ..filter };
    loop {
        let rows = workspace.store.list_decisions(&workspace.id, &part)?;
        let is_last = rows.len() < MAX_PAGE;
        for row in rows.into_iter().rev() {
            looking.at(Listed::parse(row)?);
            if looking.found.len() == limit {
                return Ok((looking.found, looking.reached));
            }
        }
        if is_last || looking.looked_at >= MOST_ROWS {
            return Ok((looking.found, looking.reached));
        }
        part.after = looking.reached.map(|(index, _)| index);
    }
}

struct Looking<'a> {
    wanted: &'a Wanted,
    /// What people call agents: a search may be for that, though the list says ids.
    names: HashMap<String, String>,
    found: Vec<Listed>,
    looked_at: usize,
    reached: Option<Reached>,
    text: String,
}

impl<'a> Looking<'a> {
    fn new(workspace: &Workspace, wanted: &'a Wanted) -> Self {
        let control: &Control = &workspace.control();
        let names = control.agents.values().map(|agent| (agent.id.clone(), agent.name.clone())).collect();
        Self { wanted, names, found: Vec::new(), looked_at: 0, reached: None, text: String::new() }
    }

    fn at(&mut self, listed: Listed) {
        self.looked_at += 1;
        self.reached = Some((listed.row.index, Micros(listed.row.at_us)));
        let name = self.names.get(&listed.row.agent).map(String::as_str).unwrap_or_default();
        let is_as_risky = self.wanted.risk.contains(&listed.line.risk_score);
        let words = self.wanted.words.as_ref();
        if is_as_risky && words.is_none_or(|words| words.occur_in(&listed, name, &mut self.text)) {
            self.found.push(listed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_bounded_and_blank_is_none() {
        assert!(Words::of(" \t").unwrap().is_none());
        assert_eq!(Words::of("  Refund  STRIPE").unwrap().unwrap().0, ["refund", "stripe"]);
        assert!(Words::of(&"x".repeat(201)).is_err());
    }
}
