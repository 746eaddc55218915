//! A request evaluated slowly and obviously: every rule in order, every part by the reference evaluator.
//! A part that costs something is evaluated and paid for once in a request, wherever else it is written.

use crate::decide::Verdict;
use crate::policy::Bundle;
use crate::policy::condition::ast::Expr;
use crate::policy::condition::known::{Known, Seen};
use crate::policy::condition::{Budget, Condition, Failure, View, evaluate, plain};
use crate::policy::rule::Rule;
use std::collections::HashMap;

pub struct Oracle<'b> {
    pub budget: Budget,
    bundle: &'b Bundle,
    names: &'b Names,
    said: HashMap<usize, Result<bool, Failure>>,
}

/// Which parts of a bundle's conditions are the same: the name of each, by where it is kept in memory.
pub struct Names(HashMap<*const Expr, usize>);

impl Names {
    pub fn of(bundle: &Bundle) -> Self {
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut names = HashMap::new();
        for condition in bundle.rules().iter().flat_map(Rule::conditions) {
            for part in plain::parts(&condition.root) {
                let next = known.len();
                names.insert(std::ptr::from_ref(part), *known.entry(identity(part)).or_insert(next));
            }
        }
        Self(names)
    }
}

impl<'b> Oracle<'b> {
    pub fn new(bundle: &'b Bundle, names: &'b Names, budget: u32) -> Self {
        Self { budget: Budget(budget), bundle, names, said: HashMap::new() }
    }

    /// The verdicts on these rules, those that are false left out.
    pub fn verdicts(&mut self, rules: &[u32], view: &View<'b>, later: &View<'b>) -> Vec<(u32, Verdict)> {
        let mut waiting = Vec::new();
        for place in rules {
            let rule = &self.bundle.rules()[*place as usize];
            if !rule.touches(view.call) {
                continue;
            }
            let when = self.first(rule.when.as_ref(), Known::True, view);
            if when == Known::False {
                continue;
            }
            let unless = self.first(rule.unless.as_ref(), Known::False, view);
            if unless != Known::True {
                waiting.push((*place, when, unless));
            }
        }
        let mut verdicts = Vec::new();
        for (place, when, unless) in waiting {
            let rule = &self.bundle.rules()[place as usize];
            let when = self.rest(rule.when.as_ref(), when, later);
            let verdict = Verdict::of(when, || self.rest(rule.unless.as_ref(), unless, later));
            if verdict != Verdict::False {
                verdicts.push((place, verdict));
            }
        }
        verdicts
    }

    fn first(&mut self, condition: Option<&'b Condition>, absent: Known, view: &View<'b>) -> Known {
        let Some(condition) = condition else { return absent };
        let mut seen = Seen { waits: plain::needs_state(&condition.root), failure: None };
        if self.look(condition, view, &mut seen, false) { seen.known() } else { Known::False }
    }

    fn rest(&mut self, condition: Option<&'b Condition>, known: Known, view: &View<'b>) -> Verdict {
        match (known, condition) {
            (Known::Later(failure), Some(condition)) => {
                let mut seen = Seen { waits: false, failure };
                let holds = self.look(condition, view, &mut seen, true);
                Verdict::from(if holds { seen.known() } else { Known::False })
            }
            (known, _) => Verdict::from(known),
        }
    }

    fn look(&mut self, condition: &'b Condition, view: &View<'b>, seen: &mut Seen, state: bool) -> bool {
        let parts = (0u16..).zip(plain::parts(&condition.root));
        let chosen = parts.filter(|(_, part)| plain::needs_state(part) == state);
        let (free, costly): (Vec<(u16, &Expr)>, Vec<_>) = chosen.partition(|(_, part)| plain::is_plain(part));
        for (place, part) in free.into_iter().chain(costly) {
            match self.part(part, view, state) {
                Ok(true) => {}
                Ok(false) => return false,
                Err(failure) => seen.fail(place, failure),
            }
        }
        true
    }

    fn part(&mut self, part: &'b Expr, view: &View<'b>, state: bool) -> Result<bool, Failure> {
        if state || plain::is_plain(part) {
            return evaluate::holds(part, view, &mut self.budget);
        }
        let moved = |failure: Failure, by: i64| Failure { at: (i64::from(failure.at) + by) as u32, ..failure };
        let at = i64::from(part.at);
        let key = self.names.0[&std::ptr::from_ref(part)];
        if let Some(said) = self.said.get(&key) {
            return said.clone().map_err(|failure| moved(failure, at));
        }
        let said = evaluate::holds(part, view, &mut self.budget);
        self.said.insert(key, said.clone().map_err(|failure| moved(failure, -at)));
        said
    }
}

/// How the tree prints, with offsets relative to its own.
fn identity(part: &Expr) -> String {
    let text = format!("{part:?}");
    let mut pieces = text.split("at: ");
    let mut identity = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits: String = piece.chars().take_while(char::is_ascii_digit).collect();
        let at: i64 = digits.parse().unwrap_or_default();
        let rest = piece.trim_start_matches(|digit: char| digit.is_ascii_digit());
        identity += &format!("@{}{rest}", at - i64::from(part.at));
    }
    identity
}
