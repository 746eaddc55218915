//! Held actions: looking at them, waiting for them, deciding them.

mod shown;
mod view;

pub use shown::Shown;
pub use view::{ApprovalView, PolledStatus};

use crate::app::App;
use crate::error::{Error, Kind};
use crate::guard::{Redemption, redeem};
use crate::held::Held;
use crate::people::Person;
use crate::sequencer::{Cancel, Vote, Voted, Work};
use crate::tasks;
use crate::workspace::Workspace;
use runplane_core::approval::{State, Verdict};
use runplane_core::digest::sha256;
use runplane_store::ApprovalFilter;
use std::sync::Arc;
use std::time::Duration;

/// WIRE: the published client has no redemption id; its first poll that sees `approved` redeems under this one,
/// which no client can send: ids have no spaces.
const WIRE_REDEMPTION: &str = "first poll";
/// Longest comment of a vote, in characters.
const MAX_COMMENT: usize = 2_000;
/// A long-poll asks again who is asking at least this often.
pub const RECHECK: Duration = Duration::from_secs(15);

/// The approval as of now; one whose time is up is closed first. `None` if it is unknown or not this agent's.
pub async fn find(workspace: &Arc<Workspace>, id: &str, only_agent: Option<&str>) -> Result<Option<Held>, Error> {
    let held = load(workspace, id).await?;
    let overdue = held.as_ref().is_some_and(|held| held.approval.is_overdue(workspace.clock.now()));
    let held = if overdue {
        workspace.submit(Work::Tick).await?;
        load(workspace, id).await?
    } else {
        held
    };
    Ok(held.filter(|held| only_agent.is_none_or(|agent| held.approval.agent == agent)))
}

async fn load(workspace: &Arc<Workspace>, id: &str) -> Result<Option<Held>, Error> {
    let (workspace, id) = (Arc::clone(workspace), id.to_owned());
    tasks::blocking(move || {
        let row = workspace.store.load_approval(&workspace.id, &id)?;
        row.map(|row| Held::parse(&row.bytes)).transpose()
    })
    .await
}

/// Waits until the approval is no longer pending, at most `wait`. `still_allowed` is asked again and again.
pub async fn wait<F>(
    app: &App,
    workspace: &Arc<Workspace>,
    id: &str,
    only_agent: Option<&str>,
    wait: Duration,
    still_allowed: impl Fn() -> F,
) -> Result<Option<Held>, Error>
where
    F: Future<Output = Result<(), Error>>,
{
    // Listening starts before looking, so nothing can be missed in between.
    let mut changes = workspace.published.approvals.subscribe();
    let deadline = tokio::time::sleep(wait);
    tokio::pin!(deadline);
    loop {
        let held = find(workspace, id, only_agent).await?;
        if held.as_ref().is_none_or(|held| held.approval.state != State::Pending) {
            return Ok(held);
        }
        loop {
            tokio::select! {
                () = &mut deadline => return Ok(held),
                () = app.tasks.stopping() => return Ok(held),
                // What another node changed may have gone unheard.
                () = tokio::time::sleep(RECHECK) => break,
                changed = changes.recv() => {
                    // Somebody who fell behind looks for himself.
                    if changed.is_err() || changed.is_ok_and(|changed| changed.as_ref() == id) {
                        break;
                    }
                }
            }
        }
        still_allowed().await?;
    }
}

/// WIRE: a poll of the published client. The first one that would show `approved` is recorded as the redemption.
pub async fn poll(
    app: &App,
    credential: &str,
    workspace: &Arc<Workspace>,
    agent: &str,
    id: &str,
) -> Result<PolledStatus, Error> {
    let Some(held) = find(workspace, id, Some(agent)).await? else { return Ok(PolledStatus::unknown()) };
    let elsewhere = held.approval.redemption.as_ref().is_some_and(|redemption| redemption.id != WIRE_REDEMPTION);
    if elsewhere && held.approval.state == State::Redeemed {
        return Ok(PolledStatus::redeemed_elsewhere(&held));
    }
    if held.approval.state != State::Approved {
        return Ok(PolledStatus::of(&held));
    }
    match redeem(app, credential, true, id, WIRE_REDEMPTION).await {
        Ok(Redemption::Decided { held, .. } | Redemption::NotApproved(held)) => Ok(PolledStatus::of(&held)),
        Ok(Redemption::Already(held)) => Ok(PolledStatus::redeemed_elsewhere(&held)),
        Err(failure) if failure.kind == Kind::UnknownApproval => Ok(PolledStatus::unknown()),
        Err(failure) => Err(failure),
    }
}

/// A person approves or denies.
pub async fn vote(person: &Person, id: &str, verdict: Verdict, comment: Option<String>) -> Result<ApprovalView, Error> {
    check_comment(comment.as_deref())?;
    let workspace = &person.workspace;
    let held = find(workspace, id, None).await?.ok_or_else(|| Error::plain(Kind::UnknownApproval))?;
    let (looked, index) = (Arc::clone(workspace), held.index);
    let shown = tasks::blocking(move || {
        let control = looked.control();
        let call = view::stored_call(&looked, index)?;
        let shown = call.zip(control.bundle.as_ref()).map(|(call, bundle)| Shown::of(&call, bundle.catalogue()));
        Ok(shown.map_or_else(|| sha256(&[]), |shown| shown.digest()).to_string())
    })
    .await?;
    let voter = person.voter();
    let approval = id.to_owned();
    let counted = workspace
        .submit(|reply| Work::Vote(Box::new(Vote { approval, voter, verdict, comment, shown, reply })))
        .await?;
    voted(person, counted).await
}

/// A person withdraws a held action.
pub async fn cancel(person: &Person, id: &str, comment: Option<String>) -> Result<ApprovalView, Error> {
    check_comment(comment.as_deref())?;
    let workspace = &person.workspace;
    find(workspace, id, None).await?.ok_or_else(|| Error::plain(Kind::UnknownApproval))?;
    let (approval, by) = (id.to_owned(), person.id().to_owned());
    let cancelled = workspace.submit(|reply| Work::Cancel(Box::new(Cancel { approval, by, comment, reply }))).await?;
    voted(person, cancelled).await
}

async fn voted(person: &Person, voted: Voted) -> Result<ApprovalView, Error> {
    match voted {
        Voted::Counted(recorded) => view_of(&person.workspace, recorded.value().clone(), Some(person.clone())).await,
        Voted::NotPending(held) => {
            let state = held.approval.state.as_str();
            Err(Error::new(Kind::ApprovalNotPending, format!("the approval is already {state}")).with("state", state))
        }
        Voted::NotAllowed(why) => Err(Error::new(Kind::Forbidden, why)),
    }
}

fn check_comment(comment: Option<&str>) -> Result<(), Error> {
    if comment.is_some_and(|comment| comment.chars().count() > MAX_COMMENT) {
        return Err(Error::new(Kind::InvalidRequest, format!("`comment` has more than {MAX_COMMENT} characters")));
    }
    Ok(())
}

pub async fn view_of(workspace: &Arc<Workspace>, held: Held, person: Option<Person>) -> Result<ApprovalView, Error> {
    let workspace = Arc::clone(workspace);
    tasks::blocking(move || ApprovalView::of(&workspace, &held, person.as_ref())).await
}

/// Newest first; the cursor is the index of the last one shown.
pub async fn list(
    workspace: &Arc<Workspace>,
    filter: ApprovalFilter,
    person: Option<Person>,
) -> Result<Vec<(u64, ApprovalView)>, Error> {
    // Whatever is due is closed first, so that nothing is listed as waiting that is not.
    workspace.submit(Work::Tick).await?;
    let workspace = Arc::clone(workspace);
    tasks::blocking(move || {
        let rows = workspace.store.list_approvals(&workspace.id, &filter)?;
        rows.iter()
            .map(|row| {
                let held = Held::parse(&row.bytes)?;
                Ok((row.index, ApprovalView::of(&workspace, &held, person.as_ref())?))
            })
            .collect()
    })
    .await
}
