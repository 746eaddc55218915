//! Accounts: who there is, what they are, and how they come to a password.
//!
//! SECURITY: an owner is made, changed or reset by an owner only, and the last one stays. The ledger names people by
//! id and never by name.

use super::{apply, names};
use crate::app::App;
use crate::control::{Change, Control, User};
use crate::error::{Error, Kind};
use crate::id;
use crate::people::{self, Issued, LinkFacts, Person, Purpose, Role};
use crate::tasks;
use crate::workspace::Workspace;
use serde_json::json;
use std::sync::Arc;

/// Stands for every group; the first owner has it, so that what is held in a new workspace can be decided.
pub const ALL_GROUPS: &str = "*";
const MAX_USERS: usize = 5_000;
const MAX_USERNAME: usize = 64;
const MAX_GROUPS: usize = 32;

#[derive(Clone, Debug)]
pub struct NewUser {
    pub username: String,
    pub display_name: Option<String>,
    pub role: Role,
    pub groups: Vec<String>,
}

/// What to change of a user; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    pub display_name: Option<String>,
    pub role: Option<Role>,
    pub groups: Option<Vec<String>>,
    pub disabled: Option<bool>,
}

/// Makes an account without a password, and the link by which its holder sets one.
pub async fn create(app: &App, person: &Person, new: NewUser) -> Result<(Arc<User>, Issued), Error> {
    if new.role == Role::Owner {
        person.require(Role::Owner)?;
    }
    let user = made(app, &new)?;
    let (by, made) = (person.id().to_owned(), user.clone());
    apply(&person.workspace, move |control| {
        refuse_taken(control, &made)?;
        let mut change = Change::of(control, &by, "user_created", facts(&made));
        change.put_user(made.clone())?;
        Ok((change, ()))
    })
    .await?;
    let link = people::issue_link(app, &person.workspace, Purpose::Invitation, Some(&user.id)).await?;
    Ok((Arc::new(user), link))
}

/// Makes the first owner, if there is nobody yet.
pub async fn create_first(
    app: &App,
    workspace: &Arc<Workspace>,
    username: &str,
    display_name: Option<String>,
) -> Result<Arc<User>, Error> {
    let new =
        NewUser { username: username.to_owned(), display_name, role: Role::Owner, groups: vec![ALL_GROUPS.to_owned()] };
    let user = made(app, &new)?;
    let made = user.clone();
    apply(workspace, move |control| {
        if !control.users.is_empty() {
            return Err(Error::plain(Kind::LinkEnded));
        }
        let mut change = Change::of(control, &made.id, "user_created", facts(&made));
        change.put_user(made.clone())?;
        Ok((change, ()))
    })
    .await?;
    Ok(Arc::new(user))
}

pub async fn patch(app: &App, person: &Person, id: String, patch: UserPatch) -> Result<Arc<User>, Error> {
    let now = app.clock.now();
    let (actor, by) = (person.clone(), person.id().to_owned());
    let (changed, ..) = apply(&person.workspace, move |control| {
        let before = find(control, &id)?;
        let mut after = before.as_ref().clone();
        if let Some(name) = &patch.display_name {
            after.display_name = names::printable("displayName", name, names::MAX_NAME_BYTES)?;
        }
        if let Some(groups) = &patch.groups {
            after.groups = check_groups(groups)?;
        }
        after.role = patch.role.unwrap_or(before.role);
        match patch.disabled {
            Some(true) => after.disabled_at = Some(before.disabled_at.unwrap_or(now)),
            Some(false) => after.disabled_at = None,
            None => {}
        }
        if before.role == Role::Owner || after.role == Role::Owner {
            actor.require(Role::Owner)?;
        }
        refuse_no_owner(control, &after)?;
        let what = match (before.is_active(), after.is_active()) {
            (true, false) => "user_disabled",
            (false, true) => "user_enabled",
            _ => "user_changed",
        };
        let mut change = Change::of(control, &by, what, facts(&after));
        change.put_user(after.clone())?;
        Ok((change, Arc::new(after)))
    })
    .await?;
    if !changed.is_active() {
        // They count for nothing any more; this only tidies up.
        people::close_all(app, &person.workspace, &changed.id, None).await?;
        let (store, workspace, user) = (Arc::clone(&app.store), person.workspace.id.clone(), changed.id.clone());
        tasks::blocking(move || Ok(store.delete_links(&workspace, Some(&user))?)).await?;
    }
    Ok(changed)
}

/// Takes password and sessions away and makes a link for a new password.
pub async fn reset(app: &App, person: &Person, id: String) -> Result<Issued, Error> {
    let (actor, by, user) = (person.clone(), person.id().to_owned(), id.clone());
    apply(&person.workspace, move |control| {
        let user = find(control, &user)?;
        if user.role == Role::Owner {
            actor.require(Role::Owner)?;
        }
        if !user.is_active() {
            return Err(Error::new(Kind::InvalidRequest, "the account is disabled: enable it first"));
        }
        Ok((Change::of(control, &by, "user_reset", json!({ "user": user.id })), ()))
    })
    .await?;
    set_password(app, &person.workspace, &id, None).await?;
    people::close_all(app, &person.workspace, &id, None).await?;
    people::issue_link(app, &person.workspace, Purpose::Reset, Some(&id)).await
}

/// Ends all sessions of somebody else; says how many.
pub async fn end_sessions(app: &App, person: &Person, id: &str) -> Result<usize, Error> {
    let control = person.workspace.control();
    if find(&control, id)?.role == Role::Owner {
        person.require(Role::Owner)?;
    }
    people::close_all(app, &person.workspace, id, None).await
}

/// What a one-time link leads to: an account with a password, its sessions of before ended.
///
/// The link is used up before anything is made, so two who use it at once cannot both get through.
pub async fn set_up(
    app: &App,
    facts: LinkFacts,
    username: Option<String>,
    display_name: Option<String>,
    password: String,
) -> Result<Arc<User>, Error> {
    let control = facts.workspace.control();
    let name = match (&facts.user, &username) {
        (Some(id), _) => find(&control, id)?.username.clone(),
        (None, Some(username)) => check_username(username)?,
        (None, None) => return Err(Error::new(Kind::InvalidRequest, "`username` is missing")),
    };
    people::check_strength(&password, &name)?;
    if let Some(display_name) = &display_name {
        names::printable("displayName", display_name, names::MAX_NAME_BYTES)?;
    }
    let hash = app.passwords.hash(password).await?;
    people::take_link(app, &facts).await?;
    let user = match &facts.user {
        Some(id) => Arc::clone(find(&facts.workspace.control(), id)?),
        None => create_first(app, &facts.workspace, &name, display_name).await?,
    };
    set_password(app, &facts.workspace, &user.id, Some(hash)).await?;
    people::close_all(app, &facts.workspace, &user.id, None).await?;
    Ok(user)
}

pub async fn set_password(app: &App, workspace: &Workspace, user: &str, phc: Option<String>) -> Result<(), Error> {
    let (store, workspace, user) = (Arc::clone(&app.store), workspace.id.clone(), user.to_owned());
    tasks::blocking(move || Ok(store.put_password(&workspace, &user, phc.as_deref())?)).await
}

/// Whether each of these users has a password.
pub async fn have_passwords(app: &App, workspace: &Workspace, users: Vec<String>) -> Result<Vec<bool>, Error> {
    let (store, workspace) = (Arc::clone(&app.store), workspace.id.clone());
    tasks::blocking(move || {
        users.iter().map(|user| Ok(store.load_password(&workspace, user)?.is_some())).collect::<Result<Vec<_>, Error>>()
    })
    .await
}

pub fn find<'c>(control: &'c Control, id: &str) -> Result<&'c Arc<User>, Error> {
    control.users.get(id).ok_or_else(|| Error::plain(Kind::UnknownUser))
}

/// By the name somebody signs in with.
#[must_use]
pub fn called<'c>(control: &'c Control, username: &str) -> Option<&'c Arc<User>> {
    let username = username.trim().to_ascii_lowercase();
    control.users.values().find(|user| user.username == username)
}

fn made(app: &App, new: &NewUser) -> Result<User, Error> {
    let now = app.clock.now();
    let username = check_username(&new.username)?;
    let display_name = match new.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => names::printable("displayName", name, names::MAX_NAME_BYTES)?,
        None => username.clone(),
    };
    Ok(User {
        id: id::generate(id::USER, now)?,
        username,
        display_name,
        role: new.role,
        groups: check_groups(&new.groups)?,
        created_at: now,
        disabled_at: None,
    })
}

fn check_username(username: &str) -> Result<String, Error> {
    let username = username.trim().to_ascii_lowercase();
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@".contains(&byte);
    if (1..=MAX_USERNAME).contains(&username.len()) && username.bytes().all(good) {
        return Ok(username);
    }
    let detail = format!("`username` is 1 to {MAX_USERNAME} of the characters a–z, 0–9, `.`, `_`, `-`, `@`");
    Err(Error::new(Kind::InvalidRequest, detail))
}

fn check_groups(groups: &[String]) -> Result<Vec<String>, Error> {
    if groups.len() > MAX_GROUPS {
        return Err(Error::new(Kind::InvalidRequest, format!("`groups` may have at most {MAX_GROUPS} entries")));
    }
    let mut kept: Vec<String> = Vec::with_capacity(groups.len());
    for group in groups {
        let group = names::printable("groups", group, names::MAX_NAME_BYTES)?;
        if !kept.contains(&group) {
            kept.push(group);
        }
    }
    Ok(kept)
}

/// A name is never given twice: what is on record of one person must not be taken for another's.
fn refuse_taken(control: &Control, new: &User) -> Result<(), Error> {
    if control.users.values().any(|user| user.username == new.username) {
        return Err(Error::new(Kind::AlreadyExists, format!("there is a user named `{}` already", new.username)));
    }
    if control.users.len() >= MAX_USERS {
        return Err(Error::new(Kind::InvalidRequest, format!("there are {MAX_USERS} users already")));
    }
    Ok(())
}

fn refuse_no_owner(control: &Control, after: &User) -> Result<(), Error> {
    let is_owner = |user: &User| user.role == Role::Owner && user.is_active();
    let had = control.users.values().any(|user| is_owner(user));
    let has = is_owner(after) || control.users.values().any(|user| user.id != after.id && is_owner(user));
    if had && !has { Err(Error::plain(Kind::LastOwner)) } else { Ok(()) }
}

/// What the ledger says of an account.
fn facts(user: &User) -> serde_json::Value {
    json!({ "active": user.is_active(), "groups": user.groups, "role": user.role, "user": user.id })
}
