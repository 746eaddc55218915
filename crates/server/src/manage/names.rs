//! Names that people give to things: bounded, printable, and the same whatever their spelling.

use crate::error::{Error, Kind};
use runplane_core::text;

/// Longest name, owner or label in bytes.
pub const MAX_NAME_BYTES: usize = 128;
/// Most labels of one agent.
pub const MAX_LABELS: usize = 64;
/// Longest text a person writes as a reason.
pub const MAX_REASON_BYTES: usize = 1_024;

fn refused(field: &str, problem: impl std::fmt::Display) -> Error {
    Error::new(Kind::InvalidRequest, format!("`{field}` {problem}"))
}

/// A name without white space around it.
pub fn printable(field: &str, name: &str, longest: usize) -> Result<String, Error> {
    let name = name.trim();
    if name.len() > longest {
        return Err(refused(field, format!("is longer than {longest} bytes")));
    }
    text::printable(name).map_err(|problem| refused(field, problem))?;
    Ok(name.to_owned())
}

/// A name that is compared rather than shown: a source.
pub fn normal(field: &str, name: &str) -> Result<String, Error> {
    text::normal_target(name).map_err(|problem| refused(field, problem))
}

/// Labels in their order, each once.
pub fn labels(given: &[String]) -> Result<Vec<String>, Error> {
    if given.len() > MAX_LABELS {
        return Err(refused("labels", format!("may have at most {MAX_LABELS} entries")));
    }
    let mut labels = Vec::with_capacity(given.len());
    for label in given {
        let label = printable("labels", label, MAX_NAME_BYTES)?;
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    Ok(labels)
}

/// Whether two names would be taken for each other.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    text::fold(a) == text::fold(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_kept_once_and_must_be_visible() {
        let given = ["refund-desk".to_owned(), " refund-desk ".to_owned(), "night".to_owned()];
        assert_eq!(labels(&given).unwrap(), ["refund-desk", "night"]);
        assert!(labels(&["a\u{202e}b".to_owned()]).is_err());
        assert!(labels(&vec!["x".to_owned(); 65]).is_err());
    }
}
