//! A look at the state of this moment, for questions about what would be decided. Records nothing.

use super::turn::Turn;
use super::work::{Look, Seen};

impl Turn<'_> {
    /// What the meters say, answered with the batch, so that only what is durable is seen.
    pub(super) fn look(&mut self, work: Look) {
        let at = self.state.meter_time(self.now);
        let meters = self.state.meters.read_all(&work.keys, at);
        let open_approvals = work.agent.as_deref().map_or(0, |agent| self.state.approvals.waiting(agent));
        let (profiles, agent) = (&self.state.profiles, work.agent.as_deref().unwrap_or_default());
        let usual = match &work.types {
            Some(types) => profiles.read(agent, types.iter().map(|name| &**name), work.size, at),
            None => profiles.read(agent, profiles.types_of(agent), work.size, at),
        };
        let seen = Seen { now: self.now, meters, open_approvals, usual };
        self.after_commit(work.reply, move |_| seen);
    }
}
