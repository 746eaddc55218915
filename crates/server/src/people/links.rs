//! Links that work once: the first owner, an invitation, a reset.
//!
//! SECURITY: the token stands in the fragment of the address, which browsers send to nobody. What is kept is its
//! hash; a new link of the same person ends the former.

use crate::app::App;
use crate::error::{Error, Kind};
use crate::secret::{self, Fingerprint};
use crate::tasks;
use crate::workspace::Workspace;
use runplane_core::time::{Micros, Span};
use runplane_store::Link;
use std::sync::Arc;

const PREFIX: &str = "rps_";
/// The first owner sits at the terminal that shows the link; others read theirs when they can.
const FIRST_OWNER_LIFE: Span = Span::seconds(3_600);
const LIFE: Span = Span::seconds(3 * 24 * 3_600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    FirstOwner,
    Invitation,
    Reset,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::FirstOwner, Self::Invitation, Self::Reset];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstOwner => "firstOwner",
            Self::Invitation => "invitation",
            Self::Reset => "reset",
        }
    }
}

/// A link as it is shown, once.
pub struct Issued {
    pub token: String,
    pub expires_at: Micros,
}

impl Issued {
    /// The path below the server's address.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/setup#token={}", self.token)
    }
}

/// What a good link is for.
pub struct LinkFacts {
    pub workspace: Arc<Workspace>,
    pub purpose: Purpose,
    pub user: Option<String>,
    pub expires_at: Micros,
    row: Link,
}

pub async fn issue_link(
    app: &App,
    workspace: &Workspace,
    purpose: Purpose,
    user: Option<&str>,
) -> Result<Issued, Error> {
    let token = secret::generate(PREFIX)?;
    let life = if purpose == Purpose::FirstOwner { FIRST_OWNER_LIFE } else { LIFE };
    let expires_at = app.clock.now().after(life);
    let link = Link {
        hash: Fingerprint::of(&token).0,
        workspace: workspace.id.clone(),
        user: user.map(str::to_owned),
        purpose: purpose.as_str().to_owned(),
        expires_us: expires_at.0,
    };
    let store = Arc::clone(&app.store);
    tasks::blocking(move || Ok(store.put_link(&link)?)).await?;
    Ok(Issued { token, expires_at })
}

/// The link for a first owner, while there is no account at all.
pub async fn first_owner_link(app: &App, workspace: &Workspace) -> Result<Option<Issued>, Error> {
    if !workspace.control().users.is_empty() {
        return Ok(None);
    }
    issue_link(app, workspace, Purpose::FirstOwner, None).await.map(Some)
}

fn ended() -> Error {
    Error::plain(Kind::LinkEnded)
}

/// What the token is good for. Used, expired and unknown ones answer alike.
pub async fn look_at_link(app: &App, token: &str) -> Result<LinkFacts, Error> {
    if !secret::well_formed(token, PREFIX) {
        return Err(ended());
    }
    let (store, hash) = (Arc::clone(&app.store), Fingerprint::of(token).0);
    let row = tasks::blocking(move || Ok(store.load_link(&hash)?)).await?.ok_or_else(ended)?;
    let expires_at = Micros(row.expires_us);
    if expires_at <= app.clock.now() {
        return Err(ended());
    }
    let workspace = app.workspaces().into_iter().find(|workspace| workspace.id == row.workspace).ok_or_else(ended)?;
    let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.as_str() == row.purpose).ok_or_else(ended)?;
    // Somebody who was disabled since, or a first owner who is there already.
    let control = workspace.control();
    let holds = match &row.user {
        Some(user) => control.users.get(user).is_some_and(|user| user.is_active()),
        None => control.users.is_empty(),
    };
    if !holds {
        return Err(ended());
    }
    Ok(LinkFacts { workspace, purpose, user: row.user.clone(), expires_at, row })
}

/// Uses the link up. Of two who use it at once, one is told that it has ended.
pub async fn take_link(app: &App, facts: &LinkFacts) -> Result<(), Error> {
    let (store, hash) = (Arc::clone(&app.store), facts.row.hash);
    tasks::blocking(move || Ok(store.take_link(&hash)?)).await?.map(|_| ()).ok_or_else(ended)
}
