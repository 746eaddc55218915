//! People: who they are, what they may do, how they prove it.
//!
//! An account belongs to one workspace. What it is (name, role, groups) is a control document and on the ledger;
//! what it signs in with (password hash, sessions, links) is in the store beside it and never on the ledger.
//!
//! SECURITY: role and standing are read from the control of now with every request, so a change holds at once;
//! a session proves only who somebody is.

mod links;
mod lockout;
mod password;
mod person;
mod role;
mod sessions;

pub use links::{Issued, LinkFacts, Purpose, first_owner_link, issue_link, look_at_link, take_link};
pub use lockout::Attempts;
pub use password::{Passwords, check_strength};
pub use person::{Person, Who, name_of};
pub use role::{Ability, Role, least_role};
pub use sessions::{
    CSRF_HEADER, Opened, Standing, check_csrf, check_same_origin, clear_cookie, close, close_all, cookie, forget_ended,
    open, presented, standing,
};
