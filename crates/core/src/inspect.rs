//! Inspectors: pure functions that read what a payload really does, whatever the action is called.
//!
//! Which inspectors apply to a call is said by the catalogue, for each type the call has. What is read
//! counts at its strictest. INVARIANT: a payload is never read laxer than it is; what cannot be read
//! is `UNKNOWN`, at the top or in a single member, and the engine holds such a call.

mod arguments;
mod blast;
mod file;
mod money;
mod recipients;
mod shell;
mod sql;
mod url;
mod wrapped;

use crate::call::Call;
use crate::catalogue::{Catalogue, TypeName};
use crate::settings::Settings;
use crate::value::{Object, Text, Value};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The ordinary value that stands for what could not be read.
pub const UNKNOWN: &str = "UNKNOWN";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inspector {
    Sql,
    Recipients,
    Url,
    Shell,
    Money,
    File,
    Blast,
}

impl Inspector {
    pub const ALL: [Self; 7] =
        [Self::Sql, Self::Recipients, Self::Url, Self::Shell, Self::Money, Self::File, Self::Blast];

    /// The name in conditions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Recipients => "recipients",
            Self::Url => "url",
            Self::Shell => "shell",
            Self::Money => "money",
            Self::File => "file",
            Self::Blast => "blast",
        }
    }

    /// The members of a reading that conditions may name.
    #[must_use]
    pub fn members(self) -> &'static [&'static str] {
        match self {
            Self::Sql => &[
                "kind",
                "kinds",
                "statements",
                "tables",
                "has_where",
                "reads",
                "writes",
                "deletes",
                "schema",
                "grants",
            ],
            Self::Recipients => &["count", "domains", "external", "internal", "known", "phones"],
            Self::Url => &[
                "host",
                "hosts",
                "scheme",
                "port",
                "path",
                "method",
                "body",
                "registered",
                "private",
                "metadata",
                "userinfo",
            ],
            Self::Shell => &["programs", "destructive", "network", "privilege", "pipes_to_interpreter"],
            Self::Money => &["amount", "currency"],
            Self::File => &["paths", "traversal", "absolute", "secret", "count"],
            Self::Blast => &["count", "percent", "from", "to", "factor", "to_zero", "everything"],
        }
    }
}

/// Several inspectors, each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inspectors(u8);

impl Inspectors {
    #[must_use]
    pub const fn of(inspectors: &[Inspector]) -> Self {
        let (mut set, mut rest) = (0, inspectors);
        while let Some((first, others)) = rest.split_first() {
            set |= 1 << *first as u8;
            rest = others;
        }
        Self(set)
    }

    pub fn add(&mut self, inspectors: &[Inspector]) {
        self.0 |= Self::of(inspectors).0;
    }

    #[must_use]
    pub fn contains(self, inspector: Inspector) -> bool {
        self.0 & Self::of(&[inspector]).0 != 0
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What one inspector made of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// No type of the call is read by this inspector: its name has no value.
    #[default]
    NotApplicable,
    /// It applies and could not read anything: the value `UNKNOWN`.
    Unknown,
    Object(Object),
}

impl Reading {
    /// Whether anything in it could not be read.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        match self {
            Self::NotApplicable => false,
            Self::Unknown => true,
            Self::Object(members) => members.values().any(|value| value.as_text() == Some(UNKNOWN)),
        }
    }

    /// The value that conditions see; none where the inspector does not apply.
    #[must_use]
    pub fn to_value(&self) -> Option<Value> {
        match self {
            Self::NotApplicable => None,
            Self::Unknown => Some(Value::from(UNKNOWN)),
            Self::Object(members) => Some(Value::Object(members.clone())),
        }
    }
}

/// All readings of one call, and the action types they found in its payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    pub sql: Reading,
    pub recipients: Reading,
    pub url: Reading,
    pub shell: Reading,
    pub money: Reading,
    pub file: Reading,
    pub blast: Reading,
    /// Types that the payload shows the call to be, beside those it was declared as.
    pub found: Vec<TypeName>,
}

impl Readings {
    #[must_use]
    pub fn get(&self, inspector: Inspector) -> &Reading {
        match inspector {
            Inspector::Sql => &self.sql,
            Inspector::Recipients => &self.recipients,
            Inspector::Url => &self.url,
            Inspector::Shell => &self.shell,
            Inspector::Money => &self.money,
            Inspector::File => &self.file,
            Inspector::Blast => &self.blast,
        }
    }

    fn set(&mut self, inspector: Inspector, reading: Reading) {
        let slot = match inspector {
            Inspector::Sql => &mut self.sql,
            Inspector::Recipients => &mut self.recipients,
            Inspector::Url => &mut self.url,
            Inspector::Shell => &mut self.shell,
            Inspector::Money => &mut self.money,
            Inspector::File => &mut self.file,
            Inspector::Blast => &mut self.blast,
        };
        *slot = reading;
    }

    /// The inspectors that apply and could not read everything.
    pub fn unreadable(&self) -> impl Iterator<Item = Inspector> {
        Inspector::ALL.into_iter().filter(|inspector| self.get(*inspector).is_unreadable())
    }

    /// The readings as one object, as they go on the record; inspectors that do not apply are left out.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut members: Object = Inspector::ALL
            .into_iter()
            .filter_map(|inspector| Some((inspector.as_str(), self.get(inspector).to_value()?)))
            .collect();
        if !self.found.is_empty() {
            let found = self.found.iter().map(|name| Value::from(&**name)).collect();
            members.insert("found".to_owned(), Value::List(found));
        }
        Value::Object(members)
    }

    /// Reads what [`Readings::to_value`] wrote. Anything unexpected reads as `UNKNOWN`.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        let mut readings = Self::default();
        for inspector in Inspector::ALL {
            match value.get(inspector.as_str()) {
                None => {}
                Some(Value::Object(members)) => readings.set(inspector, Reading::Object(members.clone())),
                Some(_) => readings.set(inspector, Reading::Unknown),
            }
        }
        let found = value.get("found").and_then(Value::as_list).unwrap_or_default();
        readings.found = found.iter().filter_map(Value::as_text).map(Into::into).collect();
        readings
    }
}

/// Runs every inspector that applies and adds the types they find to the call's action.
#[must_use]
pub fn read_all(call: &mut Call, catalogue: &Catalogue, settings: &Settings) -> Readings {
    let mut readings = Readings::default();
    let mut found = Vec::new();
    let applying = call.action.inspectors;
    if !applying.is_empty() {
        let opened = wrapped::open(&call.context).map(|context| Call { context, ..call.clone() });
        let opened = opened.as_ref().unwrap_or(call);
        let readable = wrapped::is_small(&opened.context);
        for inspector in Inspector::ALL.into_iter().filter(|inspector| applying.contains(*inspector)) {
            let reading = if readable { read(inspector, opened, settings, &mut found) } else { Reading::Unknown };
            readings.set(inspector, reading);
        }
    }
    for name in &found {
        call.action.add(catalogue, name);
    }
    readings.found = found;
    readings
}

/// Up to this many names are compared with each other.
const FEW_NAMES: usize = 16;

/// An argument that a call has under two spellings (`recordType`, `RecordType`): a tool may take either,
/// so nobody can tell which of the two values counts.
#[must_use]
pub fn named_twice(context: &Object) -> Option<&str> {
    let mut names: Vec<(Text, &str)> = context
        .keys()
        .map(|name| (arguments::flat(name), name.as_str()))
        .filter(|(flat, _)| !flat.is_empty())
        .collect();
    // Nearly always there is none, which is told without sorting.
    if all_differ(&names) {
        return None;
    }
    names.sort_unstable();
    names.windows(2).find_map(|pair| match pair {
        [(one, name), (other, _)] if one == other => Some(*name),
        _ => None,
    })
}

fn all_differ(names: &[(Text, &str)]) -> bool {
    let mut rest = names;
    if names.len() > FEW_NAMES {
        // SECURITY: the names are the caller's, so they are hashed with a key that the caller does not know.
        let mut seen = HashSet::with_capacity(names.len());
        return names.iter().all(|(flat, _)| seen.insert(flat));
    }
    while let Some(((flat, _), others)) = rest.split_first() {
        if others.iter().any(|(other, _)| other == flat) {
            return false;
        }
        rest = others;
    }
    true
}

fn read(inspector: Inspector, call: &Call, settings: &Settings, found: &mut Vec<TypeName>) -> Reading {
    match inspector {
        Inspector::Recipients => recipients::read(call, settings),
        Inspector::Url => url::read(call),
        Inspector::Sql => sql::read(call, found),
        Inspector::Money => money::read(call),
        Inspector::Blast => blast::read(call),
        Inspector::Shell => shell::read(call),
        Inspector::File => file::read(call),
    }
}

#[cfg(test)]
mod tests;
