//! What shadow rules would have changed. Computed beside the decision, never read by it.

use super::decision::ShadowRule;
use super::ground::Ground;
use super::weigh::Weighing;
use crate::outcome::Outcome;
use crate::policy::rule::Rule;

/// What a shadow rule says of the call.
#[derive(Clone, Debug)]
pub enum Shadowed<'a> {
    Allow(&'a Rule),
    Restrict(Ground),
}

impl Weighing<'_, '_> {
    /// Every shadow rule that spoke, with what would be decided were it enforced.
    pub(super) fn shadows(&mut self) -> Vec<ShadowRule> {
        let said = std::mem::take(&mut self.shadow);
        let mut shadow: Vec<ShadowRule> = said
            .into_iter()
            .map(|shadowed| {
                let would = Some(self.outcome_with(Some(&shadowed)));
                match shadowed {
                    Shadowed::Allow(rule) => {
                        ShadowRule { error: None, outcome: Outcome::Allow, rule: rule.id.clone(), would }
                    }
                    Shadowed::Restrict(Ground { error, outcome, rule, .. }) => {
                        ShadowRule { error, outcome, rule, would }
                    }
                }
            })
            .collect();
        shadow.sort_by(|left, right| (&left.rule, left.outcome).cmp(&(&right.rule, right.outcome)));
        shadow
    }

    /// The outcome rule once more, with one rule beside those that are enforced; observing left aside.
    pub(super) fn outcome_with(&self, shadowed: Option<&Shadowed<'_>>) -> Outcome {
        if self.facts.containment.is_some() {
            return Outcome::Block;
        }
        let added = match shadowed {
            Some(Shadowed::Restrict(ground)) => Some(ground),
            _ => None,
        };
        let allowing = match shadowed {
            Some(Shadowed::Allow(rule)) => Some(*rule),
            _ => None,
        };
        let grounds = || self.grounds.iter().chain(added);
        let allows = || self.allows.iter().copied().chain(allowing);
        let action = &self.prepared.call.action;
        let covers_all =
            || action.own_types.iter().all(|member| allows().any(|rule| rule.actions.covers(member, action)));
        let allowed = allows().next().is_some() && covers_all();
        let matched = allowed || grounds().any(|ground| ground.error.is_none());
        let default = Ground::of_default(self.bundle.settings().default_decision, String::new());
        let default = (!matched).then_some(&default);
        let is_open =
            |ground: &&Ground| !self.evidence.is_some_and(|evidence| ground.is_satisfied_by(evidence, self.facts.now));
        let strictest = grounds().chain(default).filter(is_open).map(|ground| ground.outcome).max();
        match strictest.unwrap_or(Outcome::Allow) {
            Outcome::RequireApproval if self.facts.approval.is_some() => Outcome::Block,
            Outcome::RequireApproval if self.facts.open_approvals >= self.open_approvals_cap() => Outcome::Block,
            outcome => outcome,
        }
    }

    fn open_approvals_cap(&self) -> u32 {
        self.bundle.settings().limits.open_approvals_per_agent
    }
}
