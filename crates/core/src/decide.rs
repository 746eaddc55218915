//! DECIDE: from a call, a bundle and the state read to a decision.
//!
//! `prepare` does everything that needs only the call, in parallel and before the call has a place in
//! the log; `decide` does the rest, in log order. Both are pure and total: the same inputs give the
//! same decision, and every input gives one.
//!
//! The outcome rule (see `weigh`): a rule is *matched* if its condition is true; a restrictive rule is
//! *suspected* if its condition has no value. If any rule matched: the strictest of matched and
//! suspected; otherwise the strictest of the default and suspected. INVARIANT: doubt never helps.

mod candidate;
mod decision;
mod duties;
mod facts;
mod ground;
mod pending;
mod prepare;
mod shadow;
mod trial;
mod weigh;

pub use candidate::{Candidate, Verdict};
pub use decision::{AuditDuty, Decision, MatchedRule, Observed, ReasonCode, ShadowRule, Share, SuspectedRule};
pub use facts::Facts;
pub use prepare::{Prepared, prepare};
pub use weigh::{charges, decide};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub use tests::support as testing;
