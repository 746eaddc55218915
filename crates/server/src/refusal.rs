//! Reason codes of what is blocked for what it is, without the policies' word on it.
//!
//! WIRE: a code is part of the API and never changes its meaning; `docs/errors/<code>.md` describes each.

use runplane_core::json;
use std::cmp::Ordering;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The body is no JSON text that means the same to every reader.
    Unread(json::Code),
    InvalidRequest,
    PayloadTooLarge,
    RequestRate,
    RequestIdConflict,
    RequestIdReused,
    PolicyUnavailable,
    Internal,
}

impl Code {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unread(code) => code.as_str(),
            Self::InvalidRequest => "invalid_request",
            Self::PayloadTooLarge => "payload_too_large",
            Self::RequestRate => "request_rate",
            Self::RequestIdConflict => "request_id_conflict",
            Self::RequestIdReused => "request_id_reused",
            Self::PolicyUnavailable => "policy_unavailable",
            Self::Internal => "internal",
        }
    }

    pub fn all() -> impl Iterator<Item = Self> {
        let own = [
            Self::InvalidRequest,
            Self::PayloadTooLarge,
            Self::RequestRate,
            Self::RequestIdConflict,
            Self::RequestIdReused,
            Self::PolicyUnavailable,
            Self::Internal,
        ];
        json::Code::ALL.into_iter().map(Self::Unread).chain(own)
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use runplane_core::decide::ReasonCode;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_code_has_its_page_and_every_page_its_code() {
        let codes: BTreeSet<String> = Kind::ALL
            .iter()
            .map(|kind| kind.code())
            .chain(Code::all().map(Code::as_str))
            .chain(ReasonCode::ALL.iter().map(|code| code.as_str()))
            .map(str::to_owned)
            .collect();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        let mut pages = BTreeSet::new();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let code = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&format!("# `{code}`\n")), "{}", path.display());
            assert!(text.contains("\n## What to do\n"), "{}", path.display());
            pages.insert(code);
        }
        assert_eq!(pages, codes, "docs/errors and the codes differ");
    }

    #[test]
    fn a_page_tells_the_status_of_its_error() {
        for kind in Kind::ALL {
            let (status, code, _) = kind.row();
            let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/errors/{code}.md"));
            let text = std::fs::read_to_string(page).unwrap();
            assert!(text.contains(&format!("Error, HTTP {status}.")), "{code}");
        }
    }
}
