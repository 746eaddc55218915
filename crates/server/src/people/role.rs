//! Roles, and the least one that each operation asks for: the one table of who may do what.
//!
//! Author and approver are beside each other, neither above the other: who writes the rules need not be who decides
//! on what they hold. An operation that is not in the table is for the admin token only.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything, owners included.
    Owner,
    /// Agents, keys, settings, containment, accounts.
    Admin,
    /// Policies.
    Author,
    /// Held actions.
    Approver,
    /// Looks.
    Viewer,
}

/// What a role lets somebody do, for a page that hides what would be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ability {
    Read,
    Approve,
    Publish,
    Manage,
    Own,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Author, Self::Approver, Self::Viewer];

    /// Whether whoever has this role may do what asks for `least`.
    #[must_use]
    pub fn covers(self, least: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Admin => least != Self::Owner,
            Self::Author | Self::Approver => least == self || least == Self::Viewer,
            Self::Viewer => least == Self::Viewer,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Author => "author",
            Self::Approver => "approver",
            Self::Viewer => "viewer",
        }
    }

    #[must_use]
    pub fn abilities(self) -> Vec<Ability> {
        [
            (Ability::Read, Self::Viewer),
            (Ability::Approve, Self::Approver),
            (Ability::Publish, Self::Author),
            (Ability::Manage, Self::Admin),
            (Ability::Own, Self::Owner),
        ]
        .into_iter()
        .filter_map(|(ability, least)| self.covers(least).then_some(ability))
        .collect()
    }
}

use Role::{Admin, Approver, Author, Owner, Viewer};

/// Method, path as routed, least role.
const OPERATIONS: &[(&str, &str, Role)] = &[
    ("GET", "/api/v1/approvals", Viewer),
    ("GET", "/api/v1/approvals/groups", Viewer),
    ("GET", "/api/v1/approvals/{id}", Viewer),
    ("POST", "/api/v1/approvals/decide", Approver),
    ("POST", "/api/v1/approvals/{id}/approve", Approver),
    ("POST", "/api/v1/approvals/{id}/deny", Approver),
    ("POST", "/api/v1/approvals/{id}/cancel", Approver),
    ("GET", "/api/v1/decisions", Viewer),
    ("GET", "/api/v1/decisions/{requestId}", Viewer),
    ("GET", "/api/v1/events", Viewer),
    ("GET", "/api/v1/statistics", Viewer),
    ("GET", "/api/v1/limits", Viewer),
    ("GET", "/api/v1/agents/{id}/profile", Viewer),
    ("GET", "/api/v1/policies", Viewer),
    ("GET", "/api/v1/policies/schema", Viewer),
    ("GET", "/api/v1/policies/{name}", Viewer),
    ("GET", "/api/v1/policies/{name}/versions", Viewer),
    ("GET", "/api/v1/policies/{name}/versions/{version}", Viewer),
    ("GET", "/api/v1/policies/{name}/hits", Viewer),
    ("POST", "/api/v1/policies/check", Viewer),
    ("POST", "/api/v1/policies/lint", Viewer),
    ("POST", "/api/v1/policies/explain", Viewer),
    ("GET", "/api/v1/shadow-report", Viewer),
    ("PUT", "/api/v1/policies/{name}", Author),
    ("DELETE", "/api/v1/policies/{name}", Author),
    ("POST", "/api/v1/policies/{name}/rollback", Author),
    ("GET", "/api/v1/catalogue", Viewer),
    ("GET", "/api/v1/settings", Viewer),
    ("PATCH", "/api/v1/settings", Admin),
    ("GET", "/api/v1/agents", Viewer),
    ("POST", "/api/v1/agents", Admin),
    ("GET", "/api/v1/agents/{id}", Viewer),
    ("PATCH", "/api/v1/agents/{id}", Admin),
    ("GET", "/api/v1/agents/{id}/keys", Viewer),
    ("POST", "/api/v1/agents/{id}/keys", Admin),
    ("PATCH", "/api/v1/keys/{id}", Admin),
    ("POST", "/api/v1/keys/{id}/rotate", Admin),
    ("POST", "/api/v1/keys/{id}/revoke", Admin),
    ("POST", "/api/v1/clock/accept", Admin),
    ("GET", "/api/v1/containment", Viewer),
    // Stopping is for everybody who may decide, going on is not.
    ("POST", "/api/v1/containment", Approver),
    ("DELETE", "/api/v1/containment/{id}", Admin),
    ("GET", "/api/v1/ledger/entries", Viewer),
    ("GET", "/api/v1/ledger/checkpoint", Viewer),
    ("GET", "/api/v1/ledger/proof/{index}", Viewer),
    ("GET", "/api/v1/ledger/verify", Viewer),
    ("GET", "/api/audit/verify", Viewer),
    ("GET", "/api/v1/ledger/export", Admin),
    ("DELETE", "/api/v1/session", Viewer),
    ("DELETE", "/api/v1/session/others", Viewer),
    ("DELETE", "/api/v1/session/all", Viewer),
    ("POST", "/api/v1/session/password", Viewer),
    ("GET", "/api/v1/users", Admin),
    ("POST", "/api/v1/users", Admin),
    ("GET", "/api/v1/users/{id}", Admin),
    ("PATCH", "/api/v1/users/{id}", Admin),
    ("POST", "/api/v1/users/{id}/reset", Admin),
    ("DELETE", "/api/v1/users/{id}/sessions", Admin),
    ("GET", "/api/v1/workspaces", Owner),
    ("POST", "/api/v1/workspaces", Owner),
    ("GET", "/metrics", Owner),
    ("GET", "/api/v1/metrics", Owner),
];

/// The least role an account needs; `None` where accounts have no business at all.
#[must_use]
pub fn least_role(method: &str, path: &str) -> Option<Role> {
    OPERATIONS.iter().find(|(its, at, _)| *its == method && *at == path).map(|(.., least)| *least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_cover_what_is_below_them_and_nothing_beside() {
        let below = |role: Role| Role::ALL.into_iter().filter(|least| role.covers(*least)).count();
        assert_eq!(Role::ALL.map(below), [5, 4, 2, 2, 1]);
        assert!(!Author.covers(Approver) && !Approver.covers(Author));
    }

    #[test]
    fn an_operation_stands_in_the_table_once() {
        for (at, (method, path, _)) in OPERATIONS.iter().enumerate() {
            let first = OPERATIONS.iter().position(|(its, other, _)| its == method && other == path);
            assert_eq!(first, Some(at), "{method} {path}");
        }
        assert_eq!(least_role("POST", "/api/v1/guard"), None);
    }
}
