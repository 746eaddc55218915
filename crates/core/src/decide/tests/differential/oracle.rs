//! A request evaluated slowly and obviously: every rule in order, every part by the reference evaluator.
//! A part that costs something is evaluated and paid for once in a request, wherever else it is written.

use crate::decide::Verdict;
use crate::policy::Bundle;
use crate::policy::condition::ast::Expr;
use crate::policy::condition::known::{Known, Seen};
use crate::policy::condition::{Budget, Condition, Failure, View, evaluate, plain};
use std::collections::HashMap;

pub struct Oracle {
    pub budget: Budget,
    said: HashMap<String, Result<bool, Failure>>,
}

impl Oracle {
    pub fn new(budget: u32) -> Self {
        Self { budget: Budget(budget), said: HashMap::new() }
    }

    /// The verdicts on these rules, those that are false left out.
    pub fn verdicts(
        &mut self,
        bundle: &Bundle,
        rules: &[u32],
        view: &View<'_>,
        later: &View<'_>,
    ) -> Vec<(u32, Verdict)> {
        let mut waiting = Vec::new();
        for place in rules {
            let rule = &bundle.rules()[*place as usize];
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
            let rule = &bundle.rules()[place as usize];
            let when = self.rest(rule.when.as_ref(), when, later);
            let verdict = Verdict::of(when, || self.rest(rule.unless.as_ref(), unless, later));
            if verdict != Verdict::False {
                verdicts.push((place, verdict));
            }
        }
        verdicts
    }

    fn first(&mut self, condition: Option<&Condition>, absent: Known, view: &View<'_>) -> Known {
        let Some(condition) = condition else { return absent };
        let mut seen = Seen { waits: plain::needs_state(&condition.root), failure: None };
        if self.look(condition, view, &mut seen, false) { seen.known() } else { Known::False }
    }

    fn rest(&mut self, condition: Option<&Condition>, known: Known, view: &View<'_>) -> Verdict {
        match (known, condition) {
            (Known::Later(failure), Some(condition)) => {
                let mut seen = Seen { waits: false, failure };
                let holds = self.look(condition, view, &mut seen, true);
                Verdict::from(if holds { seen.known() } else { Known::False })
            }
            (known, _) => Verdict::from(known),
        }
    }

    fn look(&mut self, condition: &Condition, view: &View<'_>, seen: &mut Seen, state: bool) -> bool {
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

    fn part(&mut self, part: &Expr, view: &View<'_>, state: bool) -> Result<bool, Failure> {
        if state || plain::is_plain(part) {
            return evaluate::holds(part, view, &mut self.budget);
        }
        let moved = |failure: Failure, by: i64| Failure { at: (i64::from(failure.at) + by) as u32, ..failure };
        let at = i64::from(part.at);
        let key = identity(part);
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
        identity += &format!("@{}{}", at - i64::from(part.at), &piece[digits.len()..]);
    }
    identity
}
