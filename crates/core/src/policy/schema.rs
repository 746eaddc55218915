//! JSON Schema (2020-12) of a policy document, for editors.
//!
//! Made from the lists of members and words that the reader itself uses. What must stay true: a document that
//! publishes is valid. The reverse does not hold: names in conditions and texts in CEL are for `check` to judge.

use super::counter::PER;
use super::document::{APPROVAL_MEMBERS, AUDIT_MEMBERS, LIMIT_MEMBERS, METER_MEMBERS, POLICY_MEMBERS, RULE_MEMBERS};
use super::selector::{DOMAINS, EFFECTS};
use crate::catalogue::Catalogue;
use crate::outcome::Outcome;
use serde_json::{Map, Value, json};

const SPAN: &str = "^[0-9]+(ms|s|m|h|d)$";
const NAME: &str = "^[a-z0-9][a-z0-9._-]{0,63}$";
const CONDITION: &str = "A condition in CEL. Names: `context.…`, `action.type`, `action.types`, `action.effect`, \
    `action.domain`, `target`, `environment`, `agent.labels`, `subject`, `session`, `meters.…`, `risk.score`, `now`, and \
    what inspectors read: `sql`, `recipients`, `url`, `shell`, `money`, `file`, `blast`. A comparison with something \
    that is missing has no value: a restriction then counts, an ALLOW does not.";

/// The schema, with the action types of this catalogue for completion.
#[must_use]
pub fn schema(catalogue: &Catalogue) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:runplane:policy",
        "title": "Runplane policy",
        "description": "Rules that decide which actions agents may run. All policies of a workspace hold together; \
            the order of rules and files never matters.",
        "type": "object",
        "required": ["policy", "rules"],
        "additionalProperties": false,
        "properties": policy(),
        "if": { "properties": { "strict": { "const": false } }, "required": ["strict"] },
        "then": { "properties": {
            "rules": { "items": { "properties": { "action": { "$ref": "#/$defs/anyAction" } } } },
            "meters": { "additionalProperties": { "properties": { "action": { "$ref": "#/$defs/anyAction" } } } },
        } },
        "else": { "properties": {
            "rules": { "items": { "properties": { "action": { "$ref": "#/$defs/action" } } } },
            "meters": { "additionalProperties": { "properties": { "action": { "$ref": "#/$defs/action" } } } },
        } },
        "$defs": definitions(catalogue),
    })
}

/// The schema as it is committed and served: two spaces, a newline at the end.
#[must_use]
pub fn text(catalogue: &Catalogue) -> String {
    // A value with text keys always serialises.
    let mut text = serde_json::to_string_pretty(&schema(catalogue)).unwrap_or_default();
    text.push('\n');
    text
}

/// Every member of the list, described; a member that is not described here has an empty description.
fn members(names: &[&str], describe: impl Fn(&str) -> Value) -> Value {
    Value::Object(names.iter().map(|name| ((*name).to_owned(), describe(name))).collect::<Map<_, _>>())
}

fn policy() -> Value {
    members(&POLICY_MEMBERS, |name| match name {
        "policy" => json!({ "$ref": "#/$defs/name", "not": { "const": super::BUILT_IN },
            "description": "The name of the policy, unique in its workspace." }),
        "description" => json!({ "type": "string", "description": "What the policy is for, in a sentence." }),
        "source" => json!({ "type": "string", "minLength": 1,
            "description": "The platform the policy is for, such as `stripe`; without it, every platform. A call of \
                an unknown source is held to its restrictions as well." }),
        "mode" => json!({ "enum": ["enforce", "shadow"], "default": "enforce",
            "description": "`shadow` shows what the rules would say and never counts." }),
        "strict" => json!({ "type": "boolean", "default": true,
            "description": "`false` makes names that nobody knows a warning instead of an error." }),
        "meters" => json!({ "type": "object", "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$" },
            "additionalProperties": { "$ref": "#/$defs/meter" },
            "description": "Windowed counts and sums over past actions, read as `meters.NAME`." }),
        "rules" => json!({ "type": ["array", "null"], "items": { "$ref": "#/$defs/rule" },
            "description": "Each rule stands alone; the strictest that holds decides." }),
        _ => json!({}),
    })
}

fn rule() -> Value {
    let asks = json!({ "anyOf": [
        { "properties": { "decision": { "const": "REQUIRE_APPROVAL" } }, "required": ["decision"] },
        { "properties": { "limit": { "properties": { "otherwise": { "const": "REQUIRE_APPROVAL" } },
            "required": ["otherwise"] } }, "required": ["limit"] },
    ] });
    json!({
        "type": "object",
        "required": ["id"],
        "anyOf": [{ "required": ["decision"] }, { "required": ["limit"] }, { "required": ["audit"] }],
        "if": { "required": ["approval"] },
        "then": asks,
        "additionalProperties": false,
        "properties": members(&RULE_MEMBERS, rule_member),
    })
}

fn rule_member(name: &str) -> Value {
    let condition = |what: &str| json!({ "type": "string", "description": format!("{what} {CONDITION}") });
    match name {
        "id" => json!({ "$ref": "#/$defs/name", "description": "The name of the rule, unique in its policy." }),
        "action" => json!({ "description": "Which actions: a name, a list of names and globs, or \
            `{domain: …, effect: …}`. Without it, every action. A restriction on a type holds for everything that is \
            a kind of it." }),
        "target" => json!({ "$ref": "#/$defs/targets" }),
        "when" => condition("The rule holds if this is true."),
        "unless" => condition("The rule does not hold if this is true."),
        "decision" => json!({ "enum": Outcome::ALL.map(Outcome::as_str),
            "description": "What the rule says. Without it the rule only limits or keeps." }),
        "severity" => json!({ "enum": ["low", "medium", "high", "critical"],
            "description": "How serious a match is; the highest of all rules and the risk is shown." }),
        "reason" => json!({ "type": "string", "description": "Why, for the agent and the person who approves." }),
        "approval" => json!({ "$ref": "#/$defs/approval" }),
        "limit" => json!({ "$ref": "#/$defs/limit" }),
        "audit" => json!({ "$ref": "#/$defs/audit" }),
        _ => json!({}),
    }
}

fn meter_member(name: &str) -> Value {
    match name {
        "count" => json!({ "const": true, "description": "Counts calls." }),
        "sum" => json!({ "type": "string", "description": "Adds up a number of each call, such as `context.amount`." }),
        "action" => json!({ "description": "Which actions count; without it, every action." }),
        "target" => json!({ "$ref": "#/$defs/targets" }),
        "when" => json!({ "type": "string", "description": format!("Only calls for which this is true. {CONDITION}") }),
        "within" => json!({ "$ref": "#/$defs/span", "description": "The window, from `1s` to `31d`." }),
        "per" => json!({ "$ref": "#/$defs/per" }),
        _ => way_member(name),
    }
}

fn way_member(name: &str) -> Value {
    match name {
        "refund" => json!({ "const": "reported_failure", "description": "A failure that the program reports gives \
            its share back. Without it, what was allowed counts: nobody but the program says that it failed." }),
        "erased" => json!({ "const": "ignore", "description": "When the past is counted at publish, calls whose \
            payload is erased are left out. Without it, such a call in the window counts as the limit being reached." }),
        _ => json!({}),
    }
}

fn approval_member(name: &str) -> Value {
    match name {
        "from" => json!({ "$ref": "#/$defs/texts", "description": "Groups whose members may approve; without it, \
            everybody who may approve at all." }),
        "quorum" => json!({ "type": "integer", "minimum": 1, "maximum": 100,
            "description": "How many people have to approve." }),
        "expires" => json!({ "$ref": "#/$defs/span", "description": "When the question lapses, from `1s` to `31d`." }),
        _ => json!({}),
    }
}

fn limit_member(name: &str) -> Value {
    match name {
        "count" => json!({ "type": "integer", "minimum": 0, "maximum": 1_000_000_000,
            "description": "How many calls the window may hold." }),
        "within" => json!({ "$ref": "#/$defs/span", "description": "The window, from `1s` to `31d`." }),
        "per" => json!({ "$ref": "#/$defs/per" }),
        "otherwise" => json!({ "enum": ["BLOCK", "REQUIRE_APPROVAL"], "default": "BLOCK",
            "description": "What becomes of a call that is one too many." }),
        _ => way_member(name),
    }
}

fn audit_member(name: &str) -> Value {
    match name {
        "payload" => json!({ "enum": ["none", "replay", "full"], "description": "How much of the arguments is kept: \
            `full` is shown to people, `replay` only serves to decide again." }),
        "tags" => json!({ "$ref": "#/$defs/texts", "description": "Words to find the record by." }),
        _ => json!({}),
    }
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "additionalProperties": false, "properties": properties })
}

fn definitions(catalogue: &Catalogue) -> Value {
    let types: Vec<&str> = catalogue.types().map(|kind| &*kind.name).collect();
    let mut meter = object(&["within"], members(&METER_MEMBERS, meter_member));
    if let Value::Object(meter) = &mut meter {
        meter.insert("oneOf".to_owned(), json!([{ "required": ["count"] }, { "required": ["sum"] }]));
    }
    let name_or_glob = json!({ "anyOf": [
        { "enum": types, "description": "An action type of the catalogue." },
        { "type": "string", "pattern": "[*?]", "description": "A glob over action types." },
    ] });
    let one_or_more = |item: Value| json!([item, { "type": "array", "minItems": 1, "items": item }]);
    let selector = |names: Value| {
        let Value::Array(mut choices) = one_or_more(names) else { return json!({}) };
        choices.push(json!({ "$ref": "#/$defs/attributes" }));
        json!({ "anyOf": choices })
    };
    let per: Vec<&str> = PER.iter().map(|(name, _)| *name).collect();
    json!({
        "action": selector(name_or_glob),
        "anyAction": selector(json!({ "type": "string" })),
        "approval": object(&[], members(&APPROVAL_MEMBERS, approval_member)),
        "attributes": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": false,
            "properties": {
                "domain": { "anyOf": one_or_more(json!({ "enum": DOMAINS })) },
                "effect": { "anyOf": one_or_more(json!({ "enum": EFFECTS })) },
            },
        },
        "audit": object(&[], members(&AUDIT_MEMBERS, audit_member)),
        "limit": object(&["count", "within"], members(&LIMIT_MEMBERS, limit_member)),
        "meter": meter,
        "name": { "type": "string", "pattern": NAME },
        "per": {
            "description": "What is counted apart: a list of keys, or a member of the context as `context.…`.",
            "anyOf": one_or_more(json!({ "anyOf": [{ "enum": per }, { "type": "string", "pattern": "^context\\.[^.]" }] })),
        },
        "rule": rule(),
        "span": { "type": "string", "pattern": SPAN, "description": "A number and a unit: `90s`, `30m`, `24h`, `7d`." },
        "targets": {
            "description": "The systems acted on: names and globs such as `stripe:*`. Without it, every target.",
            "anyOf": one_or_more(json!({ "type": "string", "minLength": 1 })),
        },
        "texts": { "anyOf": one_or_more(json!({ "type": "string" })) },
    })
}
