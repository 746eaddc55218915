//! Which rules the cases of `policy test` made true, which false, and which they left without a value.
//!
//! A rule that was never true was never tested: nobody has seen it do what it is for.

use crate::output::{Output, Tone};
use runplane_core::decide::Verdict;
use runplane_core::policy::Bundle;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Share of the rules that were true at least once, rounded down.
    pub percent: u8,
    rules: Vec<Covered>,
}

/// How often a rule about the call came out as what.
#[derive(Serialize)]
struct Covered {
    rule: String,
    #[serde(rename = "true")]
    held: u64,
    #[serde(rename = "false")]
    failed: u64,
    error: u64,
    #[serde(skip)]
    has_condition: bool,
}

impl Coverage {
    pub fn of(bundle: &Bundle) -> Self {
        let covered = |rule: &runplane_core::policy::rule::Rule| Covered {
            rule: rule.id.to_string(),
            held: 0,
            failed: 0,
            error: 0,
            has_condition: rule.conditions().next().is_some(),
        };
        let mut coverage = Self { percent: 0, rules: bundle.rules().iter().map(covered).collect() };
        coverage.count();
        coverage
    }

    /// Takes in one call.
    pub fn add(&mut self, verdicts: &[(u32, Verdict)]) {
        for (place, verdict) in verdicts {
            let covered = usize::try_from(*place).ok().and_then(|place| self.rules.get_mut(place));
            let Some(covered) = covered else { continue };
            match verdict {
                Verdict::True => covered.held += 1,
                Verdict::False => covered.failed += 1,
                Verdict::Failed(_) | Verdict::Later => covered.error += 1,
            }
        }
        self.count();
    }

    fn count(&mut self) {
        let held = self.rules.iter().filter(|covered| covered.held > 0).count();
        let percent = (held * 100).checked_div(self.rules.len()).unwrap_or(100);
        self.percent = u8::try_from(percent).unwrap_or(100);
    }

    pub fn print(&self, least: Option<u8>, out: &Output) {
        let never = |which: fn(&Covered) -> bool| self.rules.iter().filter(move |covered| which(covered));
        for covered in never(|covered| covered.held == 0) {
            let seen = if covered.failed + covered.error > 0 { "looked at, never true" } else { "never looked at" };
            out.toned(Tone::Waiting, "untested", format_args!("{}: {seen}", covered.rule));
        }
        for covered in never(|covered| covered.held > 0 && covered.failed + covered.error == 0 && covered.has_condition)
        {
            out.remark(format_args!("{}: its condition was never anything but true", covered.rule));
        }
        let held = self.rules.iter().filter(|covered| covered.held > 0).count();
        let (tone, word) = if least.is_none_or(|least| self.percent >= least) {
            (Tone::Good, "COVERAGE")
        } else {
            (Tone::Bad, "COVERAGE TOO LOW")
        };
        let wanted = least.map(|least| format!(", at least {least} % are wanted")).unwrap_or_default();
        out.toned(
            tone,
            word,
            format_args!("{held} of {} rules were true at least once: {} %{wanted}", self.rules.len(), self.percent),
        );
    }
}
