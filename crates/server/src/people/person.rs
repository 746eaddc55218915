//! A person at the door: the admin token, or somebody with an account who is signed in.

use super::role::Role;
use super::sessions::Standing;
use crate::control::Control;
use crate::error::{Error, Kind};
use crate::manage::ADMIN;
use crate::manage::users::ALL_GROUPS;
use crate::workspace::Workspace;
use runplane_core::approval::{Groups, Voter};
use std::sync::Arc;

#[derive(Clone)]
pub enum Who {
    /// Whoever holds the admin token counts as one person, who is in all groups.
    Token,
    Account(Standing),
}

/// A person, and the workspace they act in.
#[derive(Clone)]
pub struct Person {
    pub workspace: Arc<Workspace>,
    pub who: Who,
}

impl Person {
    /// How records name this person.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.who {
            Who::Token => ADMIN,
            Who::Account(standing) => &standing.user.id,
        }
    }

    #[must_use]
    pub fn role(&self) -> Role {
        match &self.who {
            Who::Token => Role::Owner,
            Who::Account(standing) => standing.user.role,
        }
    }

    pub fn account(&self) -> Result<&Standing, Error> {
        match &self.who {
            Who::Account(standing) => Ok(standing),
            Who::Token => Err(Error::new(Kind::Forbidden, "this is for people who are signed in; the token is nobody")),
        }
    }

    pub fn require(&self, least: Role) -> Result<(), Error> {
        if self.role().covers(least) {
            return Ok(());
        }
        let detail = format!("this needs the role `{}`; you are `{}`", least.as_str(), self.role().as_str());
        Err(Error::new(Kind::Forbidden, detail).with("leastRole", least.as_str()))
    }

    /// As approvals know this person.
    #[must_use]
    pub fn voter(&self) -> Voter {
        match &self.who {
            Who::Token => Voter { id: ADMIN.to_owned(), names: Vec::new(), groups: Groups::All },
            Who::Account(standing) => {
                let user = &standing.user;
                let is_in_all = user.groups.iter().any(|group| group == ALL_GROUPS);
                Voter {
                    id: user.id.clone(),
                    names: vec![user.username.clone(), user.display_name.clone()],
                    groups: if is_in_all { Groups::All } else { Groups::Named(user.groups.clone()) },
                }
            }
        }
    }
}

/// What people call somebody whom a record names by id.
#[must_use]
pub fn name_of(control: &Control, id: &str) -> Option<String> {
    control.users.get(id).map(|user| user.display_name.clone())
}
