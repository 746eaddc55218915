//! Duties: what must be kept of a call, whatever its outcome.

use super::decision::AuditDuty;
use crate::policy::Retention;
use crate::policy::document::AuditTerms;

/// Kept unless a duty says otherwise: a decision can then be recomputed from the payload.
const USUAL: Retention = Retention::Replay;

/// Gathers duties; the most that any of them asks for holds.
#[derive(Default)]
pub struct Gathered {
    payload: Option<Retention>,
    tags: Vec<String>,
}

impl Gathered {
    pub fn add(&mut self, terms: &AuditTerms) {
        self.payload = self.payload.max(terms.payload);
        self.tags.extend(terms.tags.iter().cloned());
    }

    #[must_use]
    pub fn duty(mut self) -> AuditDuty {
        self.tags.sort();
        self.tags.dedup();
        AuditDuty { payload: self.payload.unwrap_or(USUAL), tags: self.tags }
    }
}
