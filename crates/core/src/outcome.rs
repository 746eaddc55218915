//! What a decision says. The order of the variants is the order of strictness.

use serde::{Deserialize, Serialize};
use std::fmt;

/// INVARIANT: `Ord` is strictness, so the stricter of two outcomes is their `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    Allow,
    RequireApproval,
    Block,
}

impl Outcome {
    pub const ALL: [Self; 3] = [Self::Allow, Self::RequireApproval, Self::Block];

    /// The published spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::RequireApproval => "REQUIRE_APPROVAL",
            Self::Block => "BLOCK",
        }
    }

    /// Whether the action must not run yet, or ever.
    #[must_use]
    pub fn is_restrictive(self) -> bool {
        self != Self::Allow
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stricter_is_greater() {
        assert!(Outcome::Block > Outcome::RequireApproval && Outcome::RequireApproval > Outcome::Allow);
    }

    #[test]
    fn wire_form_is_the_published_spelling() {
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_string(&outcome).unwrap(), format!("\"{outcome}\""));
        }
        assert!(serde_json::from_str::<Outcome>("\"allow\"").is_err());
    }
}
