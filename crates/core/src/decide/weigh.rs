//! The outcome rule.
//!
//! Every restriction that holds or may hold is a ground, and the strictest ground decides. ALLOW rules
//! only matter together: they must cover every own type of the call. INVARIANT: a ground can only
//! tighten; nothing but an approval bound to this very action takes one away.

use super::candidate::Verdict;
use super::decision::{Decision, MatchedRule, Observed, ReasonCode, Share, SuspectedRule};
use super::duties::Gathered;
use super::facts::Facts;
use super::ground::Ground;
use super::prepare::{Prepared, Why, counter_at, rule_at};
use super::shadow::Shadowed;
use crate::approval::{self, Evidence};
use crate::catalogue::TypeName;
use crate::decimal::Decimal;
use crate::meter::{Charge, MeterValue, On};
use crate::outcome::Outcome;
use crate::policy::condition::view::value_of;
use crate::policy::condition::{State, View};
use crate::policy::program::Asking;
use crate::policy::rule::Rule;
use crate::policy::{Bundle, RuleId};
use crate::risk::{Risk, Severity};
use std::sync::Arc;

/// Decides a prepared call. Pure and total; `bundle` must be the one it was prepared under, under any
/// other it is blocked.
#[must_use]
pub fn decide(bundle: &Bundle, prepared: &Prepared, facts: &Facts) -> Decision {
    let risk = prepared.risk_with(bundle, facts);
    let mut weighing = Weighing::new(bundle, prepared, facts, &risk);
    let decision = if prepared.bundle == bundle.digest() {
        weighing.weigh_rules();
        weighing.weigh_readings();
        weighing.weigh_dues();
        weighing.decide()
    } else {
        weighing.stale()
    };
    Decision { risk: risk.into_owned(), ..decision }
}

/// Most charges of one decision: what an entry has room for.
const MOST_CHARGES: usize = 200;

/// What the call would do to meters, whatever becomes of it: for counting a past that was decided under other policies.
#[must_use]
pub fn charges(bundle: &Bundle, prepared: &Prepared, facts: &Facts) -> Vec<Charge> {
    let risk = prepared.risk_with(bundle, facts);
    let mut weighing = Weighing::new(bundle, prepared, facts, &risk);
    if prepared.bundle == bundle.digest() {
        weighing.weigh_rules();
        weighing.weigh_dues();
    }
    weighing.all_charges()
}

pub struct Weighing<'a, 'r> {
    pub(super) bundle: &'a Bundle,
    pub(super) prepared: &'a Prepared,
    pub(super) facts: &'a Facts,
    risk: &'r Risk,
    pub(super) evidence: Option<&'a Evidence>,
    pub(super) grounds: Vec<Ground>,
    pub(super) allows: Vec<&'a Rule>,
    /// Of the rules that hold or may hold.
    severity: Option<Severity>,
    pub(super) shadow: Vec<Shadowed<'a>>,
    duties: Gathered,
    charges: Vec<Charge>,
    /// Charges of counters in shadow. They come behind the others, where an entry has room for them.
    shadow_charges: Vec<Charge>,
    /// Which counter a charge of a use is for, by its place among the charges.
    uses: Vec<(u32, usize)>,
    /// With the places of rule and counter in the bundle.
    limits: Vec<(u32, u32, Share)>,
}

impl<'a, 'r> Weighing<'a, 'r> {
    fn new(bundle: &'a Bundle, prepared: &'a Prepared, facts: &'a Facts, risk: &'r Risk) -> Self {
        // INVARIANT: an approval speaks for the action it is bound to and for no other.
        let evidence = facts.approval.as_ref().filter(|evidence| evidence.digest == prepared.call.digest());
        Self {
            bundle,
            prepared,
            facts,
            risk,
            evidence,
            grounds: Vec::new(),
            allows: Vec::new(),
            severity: None,
            shadow: Vec::new(),
            duties: Gathered::default(),
            charges: Vec::new(),
            shadow_charges: Vec::new(),
            uses: Vec::new(),
            limits: Vec::new(),
        }
    }

    fn weigh_rules(&mut self) {
        let (bundle, prepared, facts) = (self.bundle, self.prepared, self.facts);
        let meters = prepared.values(bundle, facts);
        let view = View {
            call: &prepared.call,
            readings: &prepared.readings,
            risk: self.risk,
            settings: bundle.settings(),
            state: Some(State { now: facts.now, meters: &meters, names: bundle.counter_names() }),
        };
        let mut asking = Asking::new(bundle.program(), &view, prepared.budget);
        let mut in_shadow = false;
        for candidate in &prepared.candidates {
            let Some(rule) = rule_at(bundle, candidate.rule) else { continue };
            // Those in shadow come last, with steps of their own.
            if rule.shadow && !in_shadow {
                in_shadow = true;
                asking.budget = prepared.shadow_budget;
            }
            let verdict = candidate.verdict(bundle, rule, &mut asking);
            if !rule.shadow {
                for (counter, of) in &rule.ceilings {
                    self.share(candidate.rule, rule, *counter, *of, &meters, true);
                }
            }
            if verdict != Verdict::False {
                self.weigh_rule(candidate.rule, rule, &verdict, &meters);
            }
        }
    }

    /// A rule whose condition is true or has no value.
    fn weigh_rule(&mut self, place: u32, rule: &'a Rule, verdict: &Verdict, meters: &[(u32, MeterValue)]) {
        let failure = match verdict {
            Verdict::Failed(failure) => Some(failure),
            _ => None,
        };
        match rule.decision {
            Some(Outcome::Allow) if failure.is_none() && rule.may_allow(&self.prepared.call) => self.take_allow(rule),
            Some(Outcome::Allow) | None => {}
            Some(outcome) => self.take(rule, Ground::of_rule(rule, outcome, failure)),
        }
        if let Some(limit) = &rule.limit {
            let value = value_of(meters, limit.counter);
            if let Some(ground) = Ground::of_limit(rule, limit, failure, value) {
                self.take(rule, ground);
            }
            if let Some(key) = self.prepared.key_of(limit.counter) {
                let refund = counter_at(self.bundle, limit.counter).is_some_and(|counter| counter.refund);
                self.charge(limit.counter, Charge { refund, ..Charge::of_use(key, Decimal::from(1u64)) });
            }
            if !rule.shadow {
                self.share(place, rule, limit.counter, limit.count, meters, false);
            }
        }
        // A duty holds unless its condition is known to be false.
        if let Some(terms) = rule.audit.as_ref().filter(|_| !rule.shadow) {
            self.duties.add(terms);
        }
    }

    /// Notes how much of a limit there is and is used.
    fn share(
        &mut self,
        place: u32,
        rule: &Rule,
        counter: u32,
        of: Decimal,
        meters: &[(u32, MeterValue)],
        is_meter: bool,
    ) {
        let (Some(MeterValue::Ready(used)), Some(key)) = (value_of(meters, counter), self.prepared.key_of(counter))
        else {
            return;
        };
        let meter = counter_at(self.bundle, counter).filter(|_| is_meter).map(|counter| Arc::clone(&counter.name));
        self.limits.push((place, counter, Share { rule: rule.id.clone(), meter, key, of, used }));
    }

    /// A call adds to a counter once, however many rules share it; of two amounts the larger counts. A share comes back
    /// on a reported failure only if everybody who shares the counter says so.
    fn charge(&mut self, counter: u32, new: Charge) {
        let is_shared = self.bundle.shapes().get(counter).is_none_or(|shape| shape.is_shared);
        let in_shadow = counter_at(self.bundle, counter).is_some_and(|counter| counter.shadow);
        let charges = if in_shadow { &mut self.shadow_charges } else { &mut self.charges };
        let same = |charge: &&mut Charge| (charge.key, charge.on, charge.op) == (new.key, new.on, new.op);
        if is_shared && let Some(charge) = charges.iter_mut().find(same) {
            charge.amount = charge.amount.max(new.amount);
            charge.refund &= new.refund;
            return;
        }
        // Nobody is told what is left of a limit in shadow.
        if new.on == On::Use && !in_shadow {
            self.uses.push((counter, charges.len()));
        }
        charges.push(new);
    }

    fn all_charges(&mut self) -> Vec<Charge> {
        let mut charges = std::mem::take(&mut self.charges);
        charges.append(&mut self.shadow_charges);
        charges
    }

    fn take_allow(&mut self, rule: &'a Rule) {
        if rule.shadow {
            self.shadow.push(Shadowed::Allow(rule));
        } else {
            self.allows.push(rule);
            self.severity = self.severity.max(rule.severity);
        }
    }

    fn take(&mut self, rule: &Rule, ground: Ground) {
        if rule.shadow {
            self.shadow.push(Shadowed::Restrict(ground));
        } else {
            self.grounds.push(ground);
            self.severity = self.severity.max(rule.severity);
        }
    }

    /// The built-in rule `runplane/unreadable`.
    fn weigh_readings(&mut self) {
        let unread: Vec<&str> = self.prepared.readings.unreadable().map(|inspector| inspector.as_str()).collect();
        if !unread.is_empty() {
            let what = unread.join(", ");
            let reason = format!("what the call does cannot be read ({what})");
            let error = format!("{what}: unknown");
            self.grounds.push(Ground::of_engine("unreadable", ReasonCode::Unreadable, reason, error));
        } else if let Some(name) = &self.prepared.named_twice {
            let reason = format!("the call has the argument `{name}` in two spellings");
            let error = format!("`{name}`: it cannot be told which spelling counts");
            self.grounds.push(Ground::of_engine("unreadable", ReasonCode::Unreadable, reason, error));
        }
    }

    /// Charges of named meters, and the built-in rule `runplane/uncounted`.
    fn weigh_dues(&mut self) {
        for due in &self.prepared.dues {
            let Some(counter) = counter_at(self.bundle, due.counter) else { continue };
            let error = match &due.amount {
                Ok(amount) => {
                    for on in &counter.on {
                        let refund = counter.refund && *on == On::Use;
                        self.charge(due.counter, Charge { amount: *amount, key: due.key, on: *on, op: due.op, refund });
                    }
                    continue;
                }
                Err(_) if due.shadow => continue,
                Err(Why::Negative) => "the amount is negative".to_owned(),
                Err(Why::Failed(failure)) => failure.to_string(),
            };
            let name = &counter.name;
            let reason = format!("the meter `{name}` cannot tell how much the call adds");
            self.grounds.push(Ground::of_engine("uncounted", ReasonCode::Uncounted, reason, error));
        }
        if self.charges.len() > MOST_CHARGES {
            let reason = "more meters count the call than a record holds".to_owned();
            let error = format!("{} meters count the call, at most {MOST_CHARGES} can", self.charges.len());
            let ground = Ground::of_engine("uncounted", ReasonCode::Uncounted, reason, error);
            self.grounds.push(Ground { outcome: Outcome::Block, ..ground });
        }
    }

    fn decide(&mut self) -> Decision {
        let shadow = self.shadows();
        Decision { shadow, ..self.decide_enforcing() }
    }

    fn decide_enforcing(&mut self) -> Decision {
        let uncovered = self.uncovered();
        let allowed = !self.allows.is_empty() && uncovered.is_empty();
        let matched = allowed || self.grounds.iter().any(|ground| ground.error.is_none());
        if !matched {
            let reason = match uncovered.first() {
                None => "no rule matched, so the workspace's default holds".to_owned(),
                Some(name) => format!("no rule allows `{name}`, which this call also is"),
            };
            self.grounds.push(Ground::of_default(self.bundle.settings().default_decision, reason));
        }
        if let Some(evidence) = self.evidence {
            for ground in &mut self.grounds {
                ground.satisfied = ground.is_satisfied_by(evidence, self.facts.now);
            }
        }
        let open = || self.grounds.iter().filter(|ground| !ground.satisfied && ground.outcome.is_restrictive());
        let strictest = open().map(|ground| ground.outcome).max();
        let deciding = open().filter(|ground| Some(ground.outcome) == strictest);
        let deciding = deciding.min_by(|left, right| left.rule.cmp(&right.rule)).cloned();
        let decision = match deciding {
            Some(ground) if self.facts.approval.is_some() => self.refuse(ground),
            Some(ground) => self.restrict(ground),
            None => self.allow(allowed),
        };
        let decision = self.observe(decision);
        self.contain(decision)
    }

    /// Lets through what is only observed. Containment is not policy: it still stops.
    fn observe(&self, decision: Decision) -> Decision {
        let observing = self.bundle.settings().observing(self.facts.now);
        let Some(until) = observing.filter(|_| self.facts.containment.is_none()) else { return decision };
        let Decision { code, outcome, reason, .. } = decision;
        let observed = Some(Observed { code, outcome, reason: reason.clone(), until });
        if outcome == Outcome::Allow {
            return Decision { observed, reason, ..decision };
        }
        Decision {
            outcome: Outcome::Allow,
            observed,
            reason: format!("observed until {until}, not stopped; enforcement would say {outcome}: {reason}"),
            code: ReasonCode::Observed,
            requirements: Vec::new(),
            ..decision
        }
    }

    /// Own types of the call that no matching ALLOW covers; empty if no ALLOW matched at all.
    fn uncovered(&self) -> Vec<TypeName> {
        if self.allows.is_empty() {
            return Vec::new();
        }
        let action = &self.prepared.call.action;
        let covered = |member: &TypeName| self.allows.iter().any(|rule| rule.actions.covers(member, action));
        action.own_types.iter().filter(|member| !covered(member)).cloned().collect()
    }

    fn restrict(&mut self, ground: Ground) -> Decision {
        let cap = self.bundle.settings().limits.open_approvals_per_agent;
        if ground.outcome == Outcome::RequireApproval && self.facts.open_approvals >= cap {
            let reason = format!("the agent already has {cap} open approvals");
            let rule = RuleId::built_in("open-approvals");
            return self.decision(Outcome::Block, reason, ReasonCode::OpenApprovalCap, rule);
        }
        self.decision(ground.outcome, ground.reason, ground.code, ground.rule)
    }

    /// The end of a redemption: what the approval does not satisfy is final.
    fn refuse(&mut self, ground: Ground) -> Decision {
        let reason = format!("the approval does not satisfy `{}`: {}", ground.rule, ground.reason);
        self.decision(Outcome::Block, reason, ground.code, ground.rule)
    }

    fn allow(&mut self, allowed: bool) -> Decision {
        let satisfied = self.grounds.iter().filter(|ground| ground.satisfied).map(|ground| &ground.rule);
        if let (Some(evidence), Some(rule)) = (self.evidence, satisfied.min().cloned()) {
            let reason = format!("approved by {}", voters(evidence));
            return self.decision(Outcome::Allow, reason, ReasonCode::Approved, rule);
        }
        match self.allows.first().filter(|_| allowed) {
            Some(rule) => {
                let reason = rule.reason.clone().unwrap_or_else(|| format!("allowed by `{}`", rule.id));
                self.decision(Outcome::Allow, reason, ReasonCode::Policy, rule.id.clone())
            }
            // Nothing restricts and nothing allows: the default is ALLOW.
            None => {
                let reason = "no rule matched, so the workspace's default holds".to_owned();
                self.decision(Outcome::Allow, reason, ReasonCode::Default, RuleId::built_in("default"))
            }
        }
    }

    fn stale(&mut self) -> Decision {
        let reason = "the policies changed while the call was being decided".to_owned();
        self.decision(Outcome::Block, reason, ReasonCode::StaleBundle, RuleId::built_in("stale-bundle"))
    }

    fn contain(&mut self, decision: Decision) -> Decision {
        let facts = self.facts;
        let Some(hit) = &facts.containment else { return self.counted(decision) };
        let decision = Decision {
            outcome: Outcome::Block,
            reason: format!("contained: {}", hit.reason),
            code: ReasonCode::Containment,
            matched_rule: RuleId::built_in("containment"),
            severity: Severity::Critical,
            requirements: Vec::new(),
            ..decision
        };
        self.counted(decision)
    }

    /// Leaves out the charges whose event cannot come any more, given the outcome, and says what limits come to with
    /// the others.
    fn counted(&mut self, mut decision: Decision) -> Decision {
        let outcome = decision.outcome;
        let mut limits = std::mem::take(&mut self.limits);
        self.uses.sort_unstable();
        for (_, counter, share) in &mut limits {
            let is_read = |charge: &&Charge| charge.key == share.key && charge.on == On::Use;
            let place = self.uses.binary_search_by_key(counter, |(known, _)| *known).ok();
            let place = place.and_then(|place| self.uses.get(place)).map(|(_, place)| *place);
            let charge = match place.and_then(|place| decision.charges.get(place)).filter(is_read) {
                // Where counters share a key the charge may be another's.
                None if self.bundle.shapes().get(*counter).is_none_or(|shape| shape.is_shared) => {
                    decision.charges.iter().find(is_read)
                }
                found => found,
            };
            let added = charge.filter(|_| On::Use.may_follow(outcome)).map_or(Decimal::ZERO, |charge| charge.amount);
            share.used = share.used.checked_add(added).unwrap_or(share.used);
        }
        limits.sort_by(|left, right| (left.0, &left.2.meter).cmp(&(right.0, &right.2.meter)));
        limits.dedup_by(|left, right| (left.0, &left.2.meter) == (right.0, &right.2.meter));
        decision.limits = limits.into_iter().map(|(_, _, share)| share).collect();
        decision.charges.retain(|charge| charge.on.may_follow(outcome));
        decision.charges.truncate(MOST_CHARGES);
        decision
    }

    fn decision(&mut self, outcome: Outcome, reason: String, code: ReasonCode, matched_rule: RuleId) -> Decision {
        let mut matched: Vec<MatchedRule> = self.allows.iter().map(|rule| allow_entry(rule)).collect();
        let (mut suspected, mut requirements) = (Vec::new(), Vec::new());
        for ground in &self.grounds {
            let (rule, outcome_of_rule, satisfied) = (ground.rule.clone(), ground.outcome, ground.satisfied);
            match &ground.error {
                _ if ground.code == ReasonCode::Default => {}
                None => matched.push(MatchedRule { rule, outcome: outcome_of_rule, satisfied }),
                Some(error) => {
                    let error = error.clone();
                    suspected.push(SuspectedRule { rule, outcome: outcome_of_rule, error, satisfied });
                }
            }
            if outcome == Outcome::RequireApproval && ground.outcome == Outcome::RequireApproval {
                requirements.push(ground.requirement(self.facts.now));
            }
        }
        matched.sort_by(|left, right| (&left.rule, left.outcome).cmp(&(&right.rule, right.outcome)));
        suspected.sort_by(|left, right| (&left.rule, left.outcome).cmp(&(&right.rule, right.outcome)));
        requirements.sort_by(|left, right| left.rule.cmp(&right.rule));
        requirements.dedup();
        let of_risk = self.risk.severity;
        Decision {
            outcome,
            observed: None,
            reason,
            code,
            matched_rule,
            severity: self.severity.map_or(of_risk, |severity| severity.max(of_risk)),
            // Put in where the decision is complete: it need not be copied for that.
            risk: Risk { factors: Vec::new(), ..*self.risk },
            matched,
            suspected,
            uncovered: self.uncovered(),
            shadow: Vec::new(),
            audit: std::mem::take(&mut self.duties).duty(),
            requirements,
            charges: self.all_charges(),
            limits: Vec::new(),
        }
    }
}

fn allow_entry(rule: &Rule) -> MatchedRule {
    MatchedRule { rule: rule.id.clone(), outcome: Outcome::Allow, satisfied: false }
}

fn voters(evidence: &Evidence) -> String {
    let approving = evidence.votes.iter().filter(|vote| vote.verdict == approval::Verdict::Approve);
    let names: Vec<&str> = approving.map(|vote| vote.by.as_str()).collect();
    names.join(", ")
}
