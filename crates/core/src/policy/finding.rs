//! What is wrong with a policy document, and exactly where.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One problem at one place. Lines and columns start at 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A finding that prevents a publish.
pub type LoadError = Finding;
/// A finding that does not.
pub type Warning = Finding;

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

/// A place in a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

/// Collects the findings of one document.
#[derive(Debug)]
pub struct Findings {
    file: String,
    /// Whether doubts are only warned about (`strict: false`).
    pub lenient: bool,
    pub errors: Vec<LoadError>,
    pub warnings: Vec<Warning>,
}

impl Findings {
    #[must_use]
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), lenient: false, errors: Vec::new(), warnings: Vec::new() }
    }

    pub fn error(&mut self, place: Place, message: impl Into<String>, help: Option<String>) {
        let finding = self.finding(place, message.into(), help);
        self.errors.push(finding);
    }

    pub fn warn(&mut self, place: Place, message: impl Into<String>, help: Option<String>) {
        let finding = self.finding(place, message.into(), help);
        self.warnings.push(finding);
    }

    /// A name nobody knows: an error, unless the document says `strict: false`.
    pub fn doubt(&mut self, place: Place, message: impl Into<String>, help: Option<String>) {
        if self.lenient { self.warn(place, message, help) } else { self.error(place, message, help) }
    }

    fn finding(&self, place: Place, message: String, help: Option<String>) -> Finding {
        Finding { file: self.file.clone(), line: place.line, column: place.column, message, help }
    }
}

/// "did you mean `…`", if some known name is close enough to be meant.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(3)) / 3)
        .min()
        .map(|(_, candidate)| format!("did you mean `{candidate}`"))
}
