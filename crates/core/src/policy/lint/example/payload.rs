//! Arguments that inspectors read as a cube asks: a statement of a kind, an address outside, a number of
//! things. What cannot be made is left out; the decision on the call says whether it was enough.

use super::super::cube::{Cube, Place, Slot};
use super::super::values::kinds;
use super::Case;
use crate::inspect::Inspector;
use crate::settings::Settings;
use crate::value::Value;

/// Statements by what they are: kind, whether a condition bounds what they change.
const STATEMENTS: [(&str, bool, &str); 11] = [
    ("SELECT", false, "SELECT id FROM orders"),
    ("SHOW", false, "SHOW TABLES"),
    ("INSERT", false, "INSERT INTO orders (id) VALUES (1)"),
    ("UPDATE", true, "UPDATE orders SET paid = 1 WHERE id = 7"),
    ("UPDATE", false, "UPDATE orders SET paid = 1"),
    ("DELETE", true, "DELETE FROM orders WHERE id = 7"),
    ("DELETE", false, "DELETE FROM orders"),
    ("DROP", false, "DROP TABLE orders"),
    ("TRUNCATE", false, "TRUNCATE TABLE orders"),
    ("ALTER", false, "ALTER TABLE orders ADD COLUMN note TEXT"),
    ("CREATE", false, "CREATE TABLE notes (id INT)"),
];
const MOST_RECIPIENTS: i64 = 200;

/// Adds the arguments that the cube's readings are read from.
pub fn fill(case: &mut Case, cube: &Cube, settings: &Settings) {
    let reading = |inspector: Inspector, name: &str| {
        cube.places().find(
            |place| matches!(&place.key.slot, Slot::Reading(read, member) if *read == inspector && **member == *name),
        )
    };
    statement(case, reading(Inspector::Sql, "kind"), reading(Inspector::Sql, "has_where"));
    recipients(case, settings, reading(Inspector::Recipients, "count"), reading(Inspector::Recipients, "external"));
    request(case, &reading);
    for (inspector, members) in [
        (Inspector::Blast, &["count", "percent", "from", "to", "factor"] as &[&str]),
        (Inspector::Money, &["amount", "currency"]),
    ] {
        for member in members {
            let Some(place) = reading(inspector, member) else { continue };
            let value = place.values.numbers.sample(false).map(Value::Number);
            let value = value.or_else(|| text(place).map(Value::from));
            if let Some(value) = value {
                case.context.get_or_insert_with(member, || value);
            }
        }
    }
    if reading(Inspector::Blast, "everything").is_some_and(|place| place.values.has_kind(kinds::NO)) {
        case.context.get_or_insert_with("count", || Value::from(1i64));
    }
    if reading(Inspector::Blast, "to_zero").is_some_and(|place| !place.values.has_kind(kinds::NO)) {
        case.context.insert("to".to_owned(), Value::from(0i64));
    }
}

fn statement(case: &mut Case, kind: Option<&Place>, bounded: Option<&Place>) {
    if kind.is_none() && bounded.is_none() {
        return;
    }
    let fits = |(name, is_bounded, _): &&(&str, bool, &str)| {
        let wanted = if *is_bounded { kinds::YES } else { kinds::NO };
        kind.is_none_or(|place| place.accepts(name)) && bounded.is_none_or(|place| place.values.has_kind(wanted))
    };
    if let Some((_, _, text)) = STATEMENTS.iter().find(fits) {
        case.context.insert("sql".to_owned(), Value::from(*text));
    }
}

fn recipients(case: &mut Case, settings: &Settings, count: Option<&Place>, external: Option<&Place>) {
    if count.is_none() && external.is_none() {
        return;
    }
    let number = |place: Option<&Place>| place.and_then(|place| place.values.numbers.sample(true)?.to_i64());
    let outside = number(external).unwrap_or(if external.is_some() { 0 } else { 1 }).clamp(0, MOST_RECIPIENTS);
    let all = number(count).unwrap_or(outside.max(1)).clamp(0, MOST_RECIPIENTS).max(outside);
    let ours = settings.internal_domains.first();
    let address = |index: i64| match ours {
        Some(domain) if index >= outside => format!("person{index}@{domain}"),
        _ => format!("person{index}@example.org"),
    };
    let to: Vec<Value> = (0..all).map(|index| Value::from(address(index))).collect();
    case.context.insert("to".to_owned(), Value::List(to));
}

fn request<'a>(case: &mut Case, reading: &impl Fn(Inspector, &str) -> Option<&'a Place>) {
    let method = reading(Inspector::Url, "method");
    let wanted = |name| reading(Inspector::Url, name).is_some_and(|place| !place.values.has_kind(kinds::NO));
    let asked = ["host", "hosts", "scheme", "port", "path", "registered", "private", "metadata", "userinfo"];
    if method.is_none() && asked.iter().all(|name| reading(Inspector::Url, name).is_none()) {
        return;
    }
    let scheme = reading(Inspector::Url, "scheme").and_then(text).unwrap_or_else(|| "https".to_owned());
    let host = match (reading(Inspector::Url, "host").and_then(text), wanted("metadata"), wanted("private")) {
        (Some(host), _, _) => host,
        (_, true, _) => "169.254.169.254".to_owned(),
        (_, _, true) => "10.0.0.1".to_owned(),
        _ => "api.example.com".to_owned(),
    };
    case.context.get_or_insert_with("url", || Value::from(format!("{scheme}://{host}/")));
    let usual = ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"];
    let method = method.map_or(Some("GET"), |place| usual.into_iter().find(|name| place.accepts(name)));
    if let Some(method) = method {
        case.context.insert("method".to_owned(), Value::from(method));
    }
}

fn text(place: &Place) -> Option<String> {
    super::sample_text(place)
}
