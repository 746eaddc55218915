//! Payloads and rules that were made to cost as much as possible. The tests and the benchmark run the same ones.

use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::catalogue::Catalogue;
use runplane_core::decide::{Decision, Facts, decide, prepare};
use runplane_core::environment::Environment;
use runplane_core::inspect;
use runplane_core::json::{self, Limits};
use runplane_core::meter::MeterValue;
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::risk::Weights;
use runplane_core::settings::Settings;
use runplane_core::value::{Object, Value};
use std::fmt::Write;

/// What a call may hold at most, as the server is set up by default.
const BODY: usize = 1 << 20;

pub struct Case {
    pub what: &'static str,
    /// A policy document.
    pub policy: String,
    /// A request body.
    pub body: Vec<u8>,
}

/// A policy with one blocking rule per condition, beside a rule that allows everything.
fn policy(conditions: &[String]) -> String {
    let mut text = String::from("policy: hostile\nstrict: false\nrules:\n- { id: any, decision: ALLOW }\n");
    for (place, condition) in conditions.iter().enumerate() {
        let _ = writeln!(text, "- id: r{place}\n  decision: BLOCK\n  when: |-\n    {condition}");
    }
    text
}

fn body(action: &str, context: &str) -> Vec<u8> {
    format!(r#"{{"action":{{"type":"{action}","target":"t","context":{context}}}}}"#).into_bytes()
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    let items: Vec<String> = (0..count).map(item).collect();
    format!("[{}]", items.join(","))
}

/// A text that fills a body, made of a repeated part, as a JSON string.
fn long(part: &str) -> String {
    let room = BODY - 4_096;
    format!("\"{}\"", part.repeat(room / part.len()))
}

pub fn cases() -> Vec<Case> {
    let one = |condition: &str| policy(&[condition.to_owned()]);
    let none = || policy(&[]);
    let numbers = list(60_000, |place| place.to_string());
    let items = format!(r#"{{"items":{numbers}}}"#);
    let note = |part: &str| format!(r#"{{"note":{}}}"#, long(part));
    let mut cases = vec![
        Case {
            what: "regular expression over 1 MiB",
            policy: one(r#"context.note.matches("(a|aa)+(b|bb)*c$")"#),
            body: body("process_refund", &note("aab")),
        },
        Case {
            what: "1,000 regular expressions over 1 MiB",
            policy: policy(
                &(0..1_000).map(|n| format!(r#"context.note.matches("(a|aa)+(b|bb)*{n}$")"#)).collect::<Vec<_>>(),
            ),
            body: body("process_refund", &note("aab")),
        },
        Case {
            what: "1,000 searches in 1 MiB",
            policy: policy(
                &(0..1_000).map(|n| format!(r#"context.note.contains("aaaaaaaaaaaaaaaaab{n}")"#)).collect::<Vec<_>>(),
            ),
            body: body("process_refund", &note("a")),
        },
        Case {
            what: "all in exists over 60,000 items",
            policy: one("context.items.exists(x, context.items.all(y, x + y < 0))"),
            body: body("process_refund", &items),
        },
        Case {
            what: "four macros in one another over 60,000 items",
            policy: one(
                "context.items.exists(a, context.items.exists(b, context.items.exists(c, context.items.all(d, a + b + c > d))))",
            ),
            body: body("process_refund", &items),
        },
        Case {
            what: "filter of map of filter over 60,000 items",
            policy: one("size(context.items.filter(x, x > 1).map(x, x * 2).filter(x, x > 5)) > 100000"),
            body: body("process_refund", &items),
        },
        Case {
            what: "1,000 macros over 60,000 items",
            policy: policy(
                &(0..1_000)
                    .map(|n| format!("context.items.all(x, x + {n} > 0) && context.missing"))
                    .collect::<Vec<_>>(),
            ),
            body: body("process_refund", &items),
        },
        Case {
            what: "two lists of 60,000 compared",
            policy: one("context.items == context.others"),
            body: body("process_refund", &format!(r#"{{"items":{numbers},"others":{numbers}}}"#)),
        },
        Case {
            what: "a list of 60,000 in itself",
            policy: one("context.items in context.lists"),
            body: body("process_refund", &format!(r#"{{"items":{numbers},"lists":[{numbers}]}}"#)),
        },
        Case {
            what: "99,000 values",
            policy: none(),
            body: body("process_refund", &format!(r#"{{"items":{}}}"#, list(99_000, |_| "0".into()))),
        },
        Case { what: "60,000 names of arguments", policy: none(), body: body("process_refund", &names(60_000)) },
        Case {
            what: "30 levels, wide at the bottom",
            policy: none(),
            body: body("execute_query", &nested(28, 50_000)),
        },
        Case {
            what: "100,000 opening brackets",
            policy: none(),
            body: body("execute_query", &format!(r#"{{"sql":{}"#, "[".repeat(100_000))),
        },
        Case {
            what: "numbers of 40,000 digits",
            policy: none(),
            body: body("process_refund", &format!(r#"{{"amount":{}}}"#, "9".repeat(40_000))),
        },
        Case { what: "1 MiB of escapes", policy: none(), body: body("process_refund", &note("\\u00e9")) },
    ];
    cases.extend(payloads());
    cases
}

/// Policies that look through a payload for everything they count.
pub fn costly() -> [(&'static str, String); 2] {
    let questions = (0..200).map(|n| {
        format!("count('1h', past.agent.id == agent.id && past.context.items.exists(x, x + {n} < 0)) > 1000000")
    });
    let mut meters = String::from("policy: hostile\nstrict: false\nmeters:\n");
    let mut rules = String::from("rules:\n- { id: any, decision: ALLOW }\n");
    for n in 0..200 {
        let _ = writeln!(meters, "  m{n}: {{ count: true, within: 1h, when: 'context.items.all(x, x + {n} > 0)' }}");
        let _ = writeln!(rules, "- {{ id: r{n}, when: meters.m{n} > 1000000, decision: BLOCK }}");
    }
    [
        ("200 questions about the past with macros", policy(&questions.collect::<Vec<_>>())),
        ("200 meters with macros", meters + &rules),
    ]
}

/// What the inspectors have to read.
fn payloads() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |what: &'static str, action: &str, context: String| {
        cases.push(Case { what, policy: policy(&[]), body: body(action, &context) });
    };
    let sql = |text: &str| format!(r#"{{"sql":"{text}"}}"#);
    add(
        "SQL: 16 KiB of OR",
        "execute_query",
        sql(&format!("SELECT a FROM t WHERE a = 1{}", " OR a = 1".repeat(1_700))),
    );
    add(
        "SQL: 15,000 parentheses",
        "execute_query",
        sql(&format!("SELECT {}1{}", "(".repeat(7_500), ")".repeat(7_500))),
    );
    add("SQL: 1,000 statements", "execute_query", sql(&"SELECT a FROM t;".repeat(1_000)));
    add("SQL: joins", "execute_query", sql(&format!("SELECT * FROM t{}", " JOIN u ON a = b".repeat(900))));
    add(
        "SQL: subqueries",
        "execute_query",
        sql(&format!("SELECT a FROM {}t{}", "(SELECT a FROM ".repeat(60), ") x".repeat(60))),
    );
    add("SQL: CASE", "execute_query", sql(&format!("SELECT {}1{}", "CASE WHEN a THEN ".repeat(45), " END".repeat(45))));
    add("SQL: NOT", "execute_query", sql(&format!("SELECT {}a FROM t", "NOT ".repeat(3_500))));
    add("SQL: minus", "execute_query", sql(&format!("SELECT {}1 FROM t", "- ".repeat(7_000))));
    add("SQL: BETWEEN", "execute_query", sql(&format!("SELECT a FROM t WHERE {}1", "a BETWEEN b AND ".repeat(900))));
    add("SQL: unions", "execute_query", sql(&format!("SELECT 1{}", " UNION SELECT 1".repeat(1_000))));
    add("SQL: quotes", "execute_query", sql(&"''".repeat(8_000)));
    add("SQL: generics", "execute_query", sql(&format!("SELECT a::{}int", "ARRAY<".repeat(2_000))));
    add(
        "SQL: 64 texts of 1 KiB",
        "execute_query",
        format!(
            r#"{{"queries":{}}}"#,
            list(64, |n| format!("\"SELECT a FROM t{n} WHERE {} b = 1\"", "a = 1 AND ".repeat(95)))
        ),
    );
    add("SQL: 1 MiB", "execute_query", format!(r#"{{"sql":{}}}"#, long("SELECT 1;")));
    add(
        "60,000 recipients",
        "send_email",
        format!(r#"{{"to":{}}}"#, list(40_000, |n| format!("\"u{n}@x{n}.example\""))),
    );
    add("recipients in one text of 1 MiB", "send_email", format!(r#"{{"to":{}}}"#, long("a <b@c.example>, ")));
    add("recipients: open quotes", "send_email", format!(r#"{{"to":{}}}"#, long("\\\"a, (")));
    add("recipients: angle brackets", "send_email", format!(r#"{{"to":{}}}"#, long("<")));
    add(
        "recipients: look-alikes",
        "send_email",
        format!(r#"{{"to":{}}}"#, list(20_000, |n| format!("\"u@acme-{n}.example\""))),
    );
    add("URL of 1 MiB", "http_request", format!(r#"{{"url":{}}}"#, long("http://a@b/")));
    add("URL: percent signs", "http_request", format!(r#"{{"url":"http://{}"}}"#, "%25".repeat(300_000)));
    add(
        "30,000 URLs",
        "http_request",
        format!(r#"{{"urls":{}}}"#, list(30_000, |n| format!("\"http://h{n}.example/\""))),
    );
    add("URL: dots", "http_request", format!(r#"{{"url":"http://{}"}}"#, "1.".repeat(400_000)));
    add("shell: 1 MiB of pipes", "execute_shell", format!(r#"{{"command":{}}}"#, long("a|b;")));
    add("shell: nested substitutions", "execute_shell", format!(r#"{{"command":"{}"}}"#, "$(".repeat(400_000)));
    add("shell: quotes", "execute_shell", format!(r#"{{"command":{}}}"#, long("'\\\"`")));
    add("shell: sh -c in sh -c", "execute_shell", format!(r#"{{"command":{}}}"#, long("sh -c eval ")));
    add("40,000 paths", "write_file", format!(r#"{{"paths":{}}}"#, list(40_000, |n| format!("\"../a{n}/b\""))));
    add("a path of 1 MiB", "write_file", format!(r#"{{"path":{}}}"#, long("../")));
    add("a path of percent signs", "write_file", format!(r#"{{"path":{}}}"#, long("%252e")));
    add("60,000 ids", "delete_records", format!(r#"{{"ids":{}}}"#, list(60_000, |n| n.to_string())));
    add("texts of JSON in texts of JSON", "execute_query", wrapped(12));
    add("names of arguments for an unknown type", "frobnicate_everything", names(40_000));
    add("an unknown type with 1 MiB of text", "frobnicate", format!(r#"{{"a":{}}}"#, long("select * from ")));
    cases
}

fn names(count: usize) -> String {
    let members: Vec<String> = (0..count).map(|n| format!("\"argument_{n}\":1")).collect();
    format!("{{{}}}", members.join(","))
}

fn nested(depth: usize, width: usize) -> String {
    let bottom = list(width, |_| "\"DROP TABLE t\"".into());
    format!("{{\"sql\":{}{bottom}{}}}", "[".repeat(depth), "]".repeat(depth))
}

/// JSON in a text in JSON, as often as it fits.
fn wrapped(times: usize) -> String {
    let mut text = r#"{"sql":"SELECT 1"}"#.to_owned();
    for _ in 0..times {
        let mut quoted = Vec::new();
        json::write_text(&text, &mut quoted);
        text = format!(r#"{{"sql":{}}}"#, String::from_utf8_lossy(&quoted));
        if text.len() > BODY / 2 {
            break;
        }
    }
    text
}

/// Texts that stand where a condition should.
pub fn conditions() -> Vec<(&'static str, String)> {
    vec![
        ("100,000 opening parentheses", "(".repeat(100_000)),
        ("100,000 parentheses", format!("{}true{}", "(".repeat(100_000), ")".repeat(100_000))),
        ("100,000 brackets", format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000))),
        ("100,000 braces", "{".repeat(100_000)),
        ("100,000 negations", format!("{}true", "!".repeat(100_000))),
        ("100,000 minus signs", format!("{}1 == 1", "-".repeat(100_000))),
        ("chained or", format!("true{}", " || true".repeat(50_000))),
        ("chained and", format!("true{}", " && true".repeat(50_000))),
        ("chained sums", format!("1{} > 0", " + 1".repeat(50_000))),
        ("chained comparisons", format!("1{}", " < 1".repeat(50_000))),
        ("chained conditionals", format!("{}true", "true ? true : ".repeat(20_000))),
        ("members of members", format!("context{}", ".a".repeat(100_000))),
        ("indexes of indexes", format!("context{}", "[0]".repeat(50_000))),
        ("calls of calls", format!("{}1{} > 0", "size(".repeat(50_000), ")".repeat(50_000))),
        ("macros in macros", format!("{}true{}", "context.a.all(x, ".repeat(20_000), ")".repeat(20_000))),
        ("a long list", format!("1 in [{}]", "1,".repeat(100_000))),
        ("a long text", format!("\"{}\" == \"\"", "a".repeat(1_000_000))),
        ("an open text", format!("\"{}", "a".repeat(1_000_000))),
        ("quotes", "\"".repeat(100_001)),
        ("triple quotes", "\"\"\"".repeat(33_333)),
        ("backslashes", format!("\"{}", "\\".repeat(100_001))),
        ("comments", "//\n".repeat(50_000)),
        ("a large regular expression", format!("context.a.matches(\"{}\")", "(a{1,1000}){1,1000}")),
        ("a nested regular expression", format!("context.a.matches(\"{}a{}\")", "(".repeat(900), ")*".repeat(900))),
        ("just below every bound", format!("{}true{}", "(".repeat(12), ")".repeat(12))),
        ("a number of 2,000 digits", "9".repeat(2_000) + " > 0"),
        ("zero bytes", "\0".repeat(1_000)),
    ]
}

/// Whole documents that no reader of YAML should choke on.
pub fn documents() -> Vec<(&'static str, String)> {
    let bomb = "policy: a\nrules: &a []\nx1: &x1 [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n".to_owned()
        + &(2..9).map(|n| format!("x{n}: &x{n} [{}]\n", format!("*x{},", n - 1).repeat(9))).collect::<String>();
    vec![
        ("a bomb of aliases", bomb),
        ("nested flow lists", format!("policy: {}", "[".repeat(100_000))),
        ("nested flow maps", format!("policy: {}", "{a: ".repeat(100_000))),
        ("nested blocks", (0..2_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect()),
        ("a long key", format!("{}: 1", "k".repeat(1_000_000))),
        ("tabs", "\t".repeat(100_000)),
        ("many documents", "---\n".repeat(50_000)),
    ]
}

/// The bundle of one policy document.
pub fn publish(policy: &str) -> Result<Bundle, String> {
    let inputs = BundleInputs {
        catalogue: Catalogue::builtin(),
        settings: Settings::default(),
        weights: Weights::default(),
        policies: vec![("hostile.yaml".to_owned(), policy.to_owned())],
    };
    let published = Bundle::publish(&inputs).map(|(bundle, _)| bundle);
    published.map_err(|errors| errors.first().map_or_else(String::new, ToString::to_string))
}

/// A policy with this condition.
pub fn with_condition(condition: &str) -> String {
    let mut quoted = Vec::new();
    json::write_text(condition, &mut quoted);
    format!("policy: hostile\nrules:\n- id: r\n  decision: BLOCK\n  when: {}\n", String::from_utf8_lossy(&quoted))
}

/// Bytes to decision, as the server does it; a refusal where the request is no call.
pub fn run(bundle: &Bundle, body: &[u8]) -> Result<Decision, String> {
    let refused = |error: &dyn std::fmt::Display| error.to_string();
    let read = json::read(body, &Limits::default()).map_err(|error| refused(&error))?;
    let action = read.get("action").ok_or("no action")?;
    let text = |name: &str| action.get(name).and_then(Value::as_text).unwrap_or_default().to_owned();
    let context: Object = action.get("context").and_then(Value::as_object).cloned().unwrap_or_default();
    let asked = Asked { action: text("type"), target: text("target"), context, ..Asked::default() };
    let agent = Agent {
        id: "agt_1".to_owned(),
        name: "bench".to_owned(),
        environment: Environment::production(),
        labels: Vec::new(),
        owner: None,
    };
    let established = Established { workspace: "ws_1".to_owned(), agent, source: None, asserts_subject: false };
    let mut call =
        Call::new(asked, established, bundle.catalogue(), bundle.settings()).map_err(|error| refused(&error))?;
    let _ = call.canonical_and_digest();
    let readings = inspect::read_all(&mut call, bundle.catalogue(), bundle.settings());
    let prepared = prepare(bundle, call, readings);
    // Nothing is counted yet.
    let meters = prepared.meter_keys().map(|_| MeterValue::Ready(0u64.into())).collect();
    Ok(decide(bundle, &prepared, &Facts { meters, ..Facts::default() }))
}
