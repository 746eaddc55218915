//! How many things a call touches at once.
//!
//! Of several numbers the largest counts, lists count by their length. A number of things that the call
//! does not say, or says in words, is `UNKNOWN`; a deployment that does not say how far it goes goes
//! everywhere. Refuses to believe a smaller number beside a larger one.

use super::Reading;
use super::arguments::{count, flat, has_word, truth, unknown};
use crate::call::Call;
use crate::decimal::Decimal;
use crate::value::{Object, Value};

const NAMES_COUNT: &[&str] = &[
    "count",
    "rows",
    "rowcount",
    "recordcount",
    "affectedrows",
    "recordids",
    "records",
    "ids",
    "keys",
    "updates",
    "instances",
    "instanceids",
    "items",
    "total",
    "userids",
    "numberofrecords",
    "numrows",
    "services",
    "regions",
];
const NAMES_PERCENT: &[&str] = &[
    "percent",
    "percentage",
    "trafficpercent",
    "trafficpercentage",
    "rolloutpercent",
    "rolloutpercentage",
    "canarypercent",
    "traffic",
    "weight",
];
/// Conditions that choose what is touched.
const NAMES_CONDITION: &[&str] = &["where", "filter", "criteria", "condition", "conditions", "selector"];
/// Members that name the one record to delete.
const NAMES_RECORD: &[&str] = &["id", "key", "record", "user", "email", "username", "name", "path", "file", "object"];
const NAMES_PATH: &[&str] = &["path", "file", "folder", "directory"];
const NAMES_FROM: &[&str] = &["from", "current", "currentreplicas", "currentcount", "currentcapacity"];
const NAMES_TO: &[&str] = &[
    "to",
    "desired",
    "desiredcapacity",
    "desiredcount",
    "desiredreplicas",
    "replicas",
    "count",
    "nodes",
    "instances",
    "size",
    "targetreplicas",
    "capacity",
];
/// Parts of a deployment that may say on their own how far it goes.
const MAX_DEPTH: usize = 4;
/// Conditions that choose everything.
const CHOOSES_ALL: &[&str] =
    &["", "*", "all", "true", "1", "1=1", "'1'='1'", "any", "everything", "where 1=1", "where true"];

/// Numbers seen under some names: the largest, and whether one could not be read.
#[derive(Default)]
struct Seen {
    largest: Option<Decimal>,
    smallest: Option<Decimal>,
    unreadable: bool,
}

impl Seen {
    fn add(&mut self, value: &Value) {
        let size = match value {
            Value::Number(number) if !number.is_negative() => Some(*number),
            Value::List(items) => u64::try_from(items.len()).ok().map(Decimal::from),
            _ => None,
        };
        match size {
            Some(size) => {
                self.largest = self.largest.max(Some(size));
                self.smallest = Some(self.smallest.map_or(size, |smallest| smallest.min(size)));
            }
            None => self.unreadable = true,
        }
    }

    fn of(members: &Object, names: &[&str]) -> Self {
        let mut seen = Self::default();
        members.iter().filter(|(name, _)| names.contains(&&*flat(name))).for_each(|(_, value)| seen.add(value));
        seen
    }

    /// The same in all objects inside, too.
    fn within(&mut self, members: &Object, names: &[&str], depth: usize) {
        for (name, value) in members {
            if names.contains(&&*flat(name)) {
                self.add(value);
            }
            if let Value::Object(inner) = value
                && depth < MAX_DEPTH
            {
                self.within(inner, names, depth + 1);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.largest.is_none() && !self.unreadable
    }

    /// The largest; unknown if there is none or one could not be read.
    fn value(&self) -> Value {
        self.largest.filter(|_| !self.unreadable).map_or_else(unknown, Value::Number)
    }

    /// The number if all say the same.
    fn agreed(&self) -> Option<Decimal> {
        self.largest.filter(|largest| !self.unreadable && self.smallest == Some(*largest))
    }
}

pub(super) fn read(call: &Call) -> Reading {
    let context = &call.context;
    let mut members = Object::new();
    let is = |name: &str| call.action.is(name);
    let everything = either(everything(context), if is("delete_record") { picks_many(context) } else { Some(false) });
    if is("delete_records") || is("bulk_update") || is("export_data") {
        let seen = Seen::of(context, NAMES_COUNT);
        let single = seen.is_empty() && is("delete_record") && everything == Some(false);
        members.insert("count".to_owned(), if single { count(1) } else { seen.value() });
    }
    if is("deploy_service") {
        let mut seen = Seen::default();
        seen.within(context, NAMES_PERCENT, 0);
        let percent = if seen.is_empty() { Value::from(100) } else { seen.value() };
        members.insert("percent".to_owned(), percent);
    }
    if is("scale_resources") {
        scaling(context, &mut members);
    }
    members.insert("everything".to_owned(), truth(everything));
    Reading::Object(members)
}

/// From how many to how many, and how many times as much or as little, rounded up.
fn scaling(context: &Object, members: &mut Object) {
    let from = Seen::of(context, NAMES_FROM).agreed();
    let to = Seen::of(context, NAMES_TO).agreed();
    let number = |number: Option<Decimal>| number.map_or_else(unknown, Value::Number);
    members.insert("from".to_owned(), number(from));
    members.insert("to".to_owned(), number(to));
    members.insert("to_zero".to_owned(), truth(to.map(Decimal::is_zero)));
    let factor = from.zip(to).and_then(|(from, to)| {
        let (from, to) = (from.to_i64()?, to.to_i64()?);
        let (small, large) = (from.min(to), from.max(to));
        if small == large { Some(1) } else { large.checked_add(small - 1)?.checked_div(small) }
    });
    // From or to nothing there is no factor; `to_zero` and `from` say so.
    let none = from.zip(to).is_some_and(|(from, to)| from.is_zero() || to.is_zero());
    if !none {
        members.insert("factor".to_owned(), factor.map_or_else(unknown, Value::from));
    }
}

/// Whether the call says that it means everything there is.
fn everything(context: &Object) -> Option<bool> {
    let mut sum = Some(false);
    for (name, value) in context {
        let name = flat(name);
        let found = if matches!(&*name, "all" | "everything" | "deleteall" | "updateall") {
            match value {
                Value::Bool(all) => Some(*all),
                _ => None,
            }
        } else if NAMES_CONDITION.contains(&&*name) {
            Some(match value {
                Value::Null => true,
                Value::Text(text) => CHOOSES_ALL.contains(&normal(text).as_str()),
                Value::Object(members) => members.is_empty(),
                Value::List(items) => items.is_empty(),
                Value::Bool(all) => *all,
                Value::Number(_) => true,
            })
        } else {
            continue;
        };
        sum = either(sum, found);
    }
    sum
}

/// Whether one is true; unknown if none is and one is unknown.
fn either(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// Whether what should name one record names all of them (`*`), a folder, or nobody knows how many.
fn picks_many(context: &Object) -> Option<bool> {
    let mut sum = Some(false);
    for (name, value) in context {
        let found = match value {
            Value::Text(text) if has_word(name, NAMES_PATH) => {
                Some(text.contains(['*', '?']) || text.ends_with(['/', '\\']))
            }
            Value::Text(text) => Some(matches!(normal(text).as_str(), "*" | "%" | "all" | "everything" | "any")),
            Value::List(items) if has_word(name, NAMES_RECORD) && !NAMES_COUNT.contains(&&*flat(name)) => {
                (items.len() == 1).then_some(false)
            }
            Value::Object(_) if has_word(name, NAMES_RECORD) => None,
            _ => Some(false),
        };
        sum = either(sum, found);
    }
    sum
}

fn normal(text: &str) -> String {
    let lower = text.trim().trim_end_matches(';').to_lowercase();
    if lower.contains('=') {
        lower.split_whitespace().collect::<String>().replace("where1=1", "where 1=1")
    } else {
        lower
    }
}

#[cfg(test)]
mod tests;
