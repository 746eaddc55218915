//! How many things a call touches at once.
//!
//! Of several numbers the largest counts, lists count by their length. A number of things that the call
//! does not say, or says in words, is `UNKNOWN`; a deployment that does not say how far it goes goes
//! everywhere. Refuses to believe a smaller number beside a larger one.

use super::Reading;
use super::arguments::{count, each_member, flat, has_word, says_no, truth, unknown};
use super::sql;
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
/// Those of them that hold a number; a list under such a name has a length that says nothing.
const NAMES_NUMBER: &[&str] =
    &["count", "rowcount", "recordcount", "affectedrows", "total", "numberofrecords", "numrows"];
/// Names that only ever make a number larger: what may be reached, not what is.
const NAMES_AT_MOST: &[&str] = &["limit", "estimatedrows", "estimatedcount", "maxrows", "rowlimit"];
const NAMES_PERCENT: &[&str] = &[
    "percent",
    "percentage",
    "trafficpercent",
    "trafficpercentage",
    "rolloutpercent",
    "rolloutpercentage",
    "canarypercent",
    "traffic",
    "trafficsplit",
    "weight",
    "weights",
    "steps",
    "stages",
];
/// Conditions that choose what is touched.
const NAMES_CONDITION: &[&str] = &[
    "where",
    "whereclause",
    "wherecondition",
    "filter",
    "filters",
    "criteria",
    "condition",
    "conditions",
    "selector",
    "predicate",
    "query",
];
/// Members with the new content of records, which says nothing about how many there are.
const NAMES_CONTENT: &[&str] =
    &["set", "changes", "values", "fields", "updates", "record", "metadata", "tags", "update", "columns"];
/// Members that say what holds the records.
const NAMES_HOLDER: &[&str] =
    &["table", "tables", "collection", "collections", "database", "databases", "bucket", "buckets", "index"];
/// Members that name what is scaled.
const NAMES_SCALED: &[&str] = &["service", "services", "deployment", "deployments", "group", "groups", "clusters"];
/// Members that name the one record to delete.
const NAMES_RECORD: &[&str] = &[
    "id", "key", "record", "user", "email", "username", "name", "path", "file", "object", "document", "entry", "item",
    "customer", "contact", "account", "order", "uuid", "slug", "url", "uri", "login", "member", "employee",
];
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
/// Most conditions in words that are read; each needs a parser.
const MAX_CONDITIONS: usize = 32;
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
            // Half a thing is none: whoever says so counts something else.
            Value::Number(number) if !number.is_negative() && number.to_i64().is_some() => Some(*number),
            Value::List(items) if items.iter().all(is_one_thing) => u64::try_from(items.len()).ok().map(Decimal::from),
            _ => None,
        };
        self.size(size);
    }

    fn size(&mut self, size: Option<Decimal>) {
        match size {
            Some(size) => {
                self.largest = self.largest.max(Some(size));
                self.smallest = Some(self.smallest.map_or(size, |smallest| smallest.min(size)));
            }
            None => self.unreadable = true,
        }
    }

    /// All numbers of things in the call, wherever they stand.
    fn of(context: &Object, names: &[&str]) -> Self {
        let mut seen = Self::default();
        each_member(context, &is_content, &mut |name, value| match value {
            _ if !names.contains(&name) => {}
            Value::List(_) if NAMES_NUMBER.contains(&name) => seen.unreadable = true,
            value => seen.add(value),
        });
        seen
    }

    /// Shares, which no list has a length for.
    fn percents(context: &Object) -> Self {
        let mut seen = Self::default();
        each_member(context, &|_| false, &mut |name, value| match value {
            _ if !NAMES_PERCENT.contains(&name) => {}
            // Parts of a rollout, which are looked at one by one.
            Value::List(items) if !items.is_empty() && items.iter().all(|item| item.as_object().is_some()) => {}
            Value::List(items) if matches!(name, "steps" | "stages" | "weights") => {
                items.iter().for_each(|item| seen.size(item.as_number().filter(|number| !number.is_negative())));
            }
            other => seen.size(other.as_number().filter(|number| !number.is_negative())),
        });
        seen
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
    let one = is("delete_record") || is("deactivate_user");
    let changes = one || is("delete_records") || is("bulk_update");
    let everything = either(everything(context, changes), if one { picks_many(context) } else { Some(false) });
    if changes || is("export_data") {
        let mut seen = Seen::of(context, NAMES_COUNT);
        // What hangs on a record, or lies in another table, is not in the number.
        seen.unreadable |= spreads(context);
        let single = seen.is_empty() && one && everything == Some(false) && names_one(context);
        if seen.largest.is_some() {
            seen.largest = seen.largest.max(Seen::of(context, NAMES_AT_MOST).largest);
        }
        members.insert("count".to_owned(), if single { count(1) } else { seen.value() });
    }
    if is("deploy_service") {
        let seen = Seen::percents(context);
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
    let to = Seen::of(context, NAMES_TO).agreed().filter(|_| !scales_several(context));
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

/// Whether the call says that it means everything there is. Of what changes records the condition has to
/// choose plainly; what only reads them may choose in words nobody knows.
fn everything(context: &Object, changes: bool) -> Option<bool> {
    let mut sum = Some(false);
    let mut texts_left = MAX_CONDITIONS;
    let opaque = |name: &str| is_content(name) || NAMES_CONDITION.contains(&name);
    each_member(context, &opaque, &mut |name, value| {
        let found = if matches!(name, "all" | "everything" | "deleteall" | "updateall" | "truncate" | "purge") {
            match value {
                Value::Bool(all) => Some(*all),
                Value::Null => Some(false),
                _ => None,
            }
        } else if NAMES_CONDITION.contains(&name) && (changes || name != "query") {
            chooses_all(value, &mut texts_left).or((!changes).then_some(false))
        } else if NAMES_HOLDER.contains(&name) || NAMES_SCALED.contains(&name) {
            Some(value.as_text().is_some_and(|text| {
                matches!(text.trim().to_ascii_lowercase().as_str(), "*" | "%" | "all" | "any") || text.contains('*')
            }))
        } else {
            return;
        };
        sum = either(sum, found);
    });
    sum
}

/// Whether a condition chooses everything there is; unknown unless it plainly chooses something.
fn chooses_all(value: &Value, texts_left: &mut usize) -> Option<bool> {
    match value {
        Value::Null | Value::Number(_) => Some(true),
        Value::Bool(all) => Some(*all),
        Value::Text(text) if CHOOSES_ALL.contains(&normal(text).as_str()) => Some(true),
        Value::Text(text) => {
            *texts_left = texts_left.checked_sub(1)?;
            sql::chooses(text).then_some(false)
        }
        Value::Object(members) if members.is_empty() => Some(true),
        Value::Object(members) => object_chooses(members).then_some(false),
        Value::List(items) if items.is_empty() => Some(true),
        Value::List(items) => items.iter().all(|item| chooses_all(item, texts_left) == Some(false)).then_some(false),
    }
}

/// Whether a condition written as an object names what it chooses: `{"status": "done"}`,
/// `{"id": {"$in": [1, 2]}}`. Members of one object hold together, so one that chooses is enough.
fn object_chooses(members: &Object) -> bool {
    members.iter().any(|(name, value)| {
        let operator = name.trim_start_matches('$').to_ascii_lowercase();
        let operator = operator.trim_start_matches('_');
        match operator {
            "or" | "any" => match value {
                Value::List(items) => {
                    !items.is_empty() && items.iter().all(|item| item.as_object().is_some_and(object_chooses))
                }
                _ => false,
            },
            "and" => match value {
                Value::List(items) => items.iter().any(|item| item.as_object().is_some_and(object_chooses)),
                Value::Object(inner) => object_chooses(inner),
                _ => false,
            },
            "lt" | "lte" | "gt" | "gte" => value.as_text().is_some_and(|text| text.len() >= 8 && is_word(text)),
            "not" | "nor" | "ne" | "neq" | "nin" | "notin" | "not_in" | "must_not" | "should" | "exists" | "regex"
            | "where" | "expr" | "match_all" | "type" | "size" | "mod" | "contains" | "like" | "ilike" | "isnot"
            | "startswith" | "endswith" | "wildcard" | "query_string" | "script" | "function" | "none" | "some"
            | "every" | "is_not" => false,
            _ if name.starts_with('$') && !matches!(operator, "eq" | "in" | "all" | "elemmatch") => false,
            _ => match value {
                Value::Text(text) => is_word(text),
                // Zero is every name to MySQL, and false is zero.
                Value::Number(number) => !number.is_zero(),
                Value::Bool(is) => *is,
                Value::List(items) => {
                    let is_zero = |item: &Value| item.as_number().is_some_and(Decimal::is_zero);
                    !items.is_empty() && items.iter().all(|item| is_one_thing(item) && !is_zero(item))
                }
                Value::Object(inner) => object_chooses(inner),
                Value::Null => false,
            },
        }
    })
}

/// A value that stands for itself and no pattern.
fn is_word(text: &str) -> bool {
    text.contains(char::is_alphanumeric) && !text.contains(['*', '%', '?', '{'])
}

/// An item of a list that is one thing: no list, no pattern, no range.
fn is_one_thing(item: &Value) -> bool {
    match item {
        Value::Text(text) => {
            let range = text.split_once('-').is_some_and(|(from, to)| {
                let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                digits(from) && digits(to)
            });
            !range && !text.contains(['*', '%', '?', ',', ';']) && !text.trim().is_empty()
        }
        Value::Number(_) | Value::Object(_) => true,
        _ => false,
    }
}

fn is_content(name: &str) -> bool {
    NAMES_CONTENT.contains(&name)
}

/// Whether the call reaches further than the records it counts: into what hangs on them, or several tables.
fn spreads(context: &Object) -> bool {
    let mut spreads = false;
    let mut holders: Vec<&Value> = Vec::new();
    let opaque = |name: &str| is_content(name) || NAMES_CONDITION.contains(&name);
    each_member(context, &opaque, &mut |name, value| {
        if name == "ondelete" {
            spreads |= value.as_text().is_none_or(|text| text.to_ascii_lowercase().contains("cascade"));
        } else if name.contains("cascade") || matches!(name, "recursive" | "recurse") {
            spreads |= !says_no(value);
        } else if matches!(name, "table" | "tables" | "collection" | "collections" | "buckets" | "databases") {
            spreads |= match value {
                Value::Text(text) => text.contains([',', ';', ' ', '*']),
                Value::List(items) => items.len() > 1 || !items.iter().all(is_one_thing),
                Value::Object(_) => true,
                _ => false,
            };
            // `table` and `tables` that name two.
            let single = value.as_list().and_then(<[Value]>::first).unwrap_or(value);
            spreads |= !matches!(single, Value::Null) && holders.iter().any(|other| *other != single);
            holders.push(single);
        }
    });
    spreads
}

/// Whether the step is taken for more than one thing.
fn scales_several(context: &Object) -> bool {
    let mut several = false;
    each_member(context, &is_content, &mut |name, value| {
        several |= NAMES_SCALED.contains(&name)
            && match value {
                Value::List(items) => items.len() > 1,
                Value::Text(text) => text.contains(['*', ',']),
                _ => false,
            };
    });
    several
}

/// Whether the call names the one record.
fn names_one(context: &Object) -> bool {
    let names = |value: &Value| match value {
        Value::Text(text) => !text.trim().is_empty(),
        Value::Number(_) => true,
        Value::List(items) => items.len() == 1 && items.iter().all(is_one_thing),
        _ => false,
    };
    context.iter().any(|(name, value)| has_word(name, NAMES_RECORD) && names(value))
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
                let climbs = matches!(text.trim(), "." | ".." | "~" | "");
                Some(climbs || text.contains(['*', '?']) || text.ends_with(['/', '\\']))
            }
            Value::Text(text) if is_id(name) => {
                let one = is_one_thing(value) && !text.contains([' ', '\t', '\n', '\'', '"']) && text != ".*";
                match normal(text).as_str() {
                    "all" | "everything" | "any" | "*" | "%" => Some(true),
                    _ => one.then_some(false),
                }
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

fn is_id(name: &str) -> bool {
    has_word(name, &["id", "key", "uuid"])
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
