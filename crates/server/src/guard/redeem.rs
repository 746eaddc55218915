//! From an approval to permission: the stored action goes through the guard path again.

use super::answer::Decided;
use super::identify::Identity;
use super::normalise::{Refusal, established};
use super::prepare::guarded;
use super::sequence::caller;
use super::{ATTEMPTS, identify};
use crate::app::App;
use crate::error::{Error, Kind};
use crate::held::Held;
use crate::random;
use crate::refusal::Code;
use crate::sequencer::{Payload, Redeem, Redeemed, Work};
use crate::tasks;
use runplane_core::call::Call;
use runplane_core::decide::{self, Prepared};
use runplane_core::inspect;
use runplane_store::Payload as Kept;
use std::sync::Arc;

/// How an attempt to redeem ended.
pub enum Redemption {
    /// Decided now or, for a repeat, before. Carries a permit if it was allowed.
    Decided {
        decided: Decided,
        held: Held,
    },
    NotApproved(Held),
    Already(Held),
}

pub async fn redeem(
    app: &App,
    credential: &str,
    wire_client: bool,
    approval: &str,
    redemption: &str,
) -> Result<Redemption, Error> {
    for _ in 0..ATTEMPTS {
        let identity = Arc::new(identify(app, credential)?);
        let (payload, prepared) = prepare_stored(&identity, approval).await?;
        let caller = caller(&identity, wire_client);
        let payload = Payload::new(payload, random::bytes()?, prepared.readings());
        let (approval, redemption) = (approval.to_owned(), redemption.to_owned());
        let epoch = identity.control.epoch;
        let redeemed = identity
            .workspace
            .submit(|reply| {
                Work::Redeem(Box::new(Redeem { caller, approval, redemption, prepared, payload, epoch, reply }))
            })
            .await?;
        return match redeemed {
            Redeemed::Stale => continue,
            Redeemed::NotApproved(held) => Ok(Redemption::NotApproved(held)),
            Redeemed::Already(held) => Ok(Redemption::Already(held)),
            Redeemed::Decided { decision, held } => {
                let (is_allowed, index) = (decision.value().is_allowed(), decision.position().index);
                let decided = Decided::new(decision, false);
                let decided = match is_allowed {
                    true => decided.with_permit(permit(app, &identity, &held, index)?),
                    false => decided,
                };
                Ok(Redemption::Decided { decided, held })
            }
        };
    }
    Err(Error::new(Kind::Overloaded, "policies kept changing while the approval was redeemed"))
}

fn permit(app: &App, identity: &Identity, held: &Held, index: u64) -> Result<crate::permit::Permit, Error> {
    let redeemed_at = held.approval.redemption.as_ref().map(|redemption| redemption.at);
    let at = redeemed_at.ok_or_else(|| Error::internal("a redemption has no time"))?;
    let approval = &held.approval;
    app.permits.sign(&identity.workspace.id, &approval.agent, &approval.id, &approval.digest.to_string(), index, at)
}

/// The stored call, prepared under today's bundle, settings and facts about the agent.
async fn prepare_stored(identity: &Arc<Identity>, approval: &str) -> Result<(Vec<u8>, Prepared), Error> {
    let (identity, approval) = (Arc::clone(identity), approval.to_owned());
    tasks::blocking(move || {
        let (store, workspace) = (&identity.workspace.store, identity.workspace.id.as_str());
        let row = store.load_approval(workspace, &approval)?.filter(|row| row.agent == identity.agent.id);
        // SECURITY: an approval of another agent is answered exactly like one that does not exist.
        let row = row.ok_or_else(|| Error::plain(Kind::UnknownApproval))?;
        let Kept::Present(payload) = store.load_payload(workspace, row.index)? else {
            return Err(Error::new(Kind::ApprovalNotApproved, "the action is no longer kept: ask again"));
        };
        let bundle = identity
            .control
            .bundle
            .as_ref()
            .ok_or_else(|| Error::new(Kind::StoreUnavailable, "no policy bundle is in force"))?;
        let stored = Call::from_payload(&payload.bytes)
            .map_err(|failure| Error::internal("a stored action could not be read").because(failure))?;
        let prepared = guarded(|| {
            let mut call = stored
                .today(established(&identity), bundle.catalogue(), bundle.settings())
                .map_err(|failure| Refusal::new(Code::InvalidRequest, failure.to_string()))?;
            let readings = inspect::read_all(&mut call, bundle.catalogue(), bundle.settings());
            Ok(decide::prepare(bundle, call, readings))
        });
        let prepared = prepared.map_err(|refusal| Error::internal(refusal.reason))?;
        Ok((payload.bytes, prepared))
    })
    .await
}
