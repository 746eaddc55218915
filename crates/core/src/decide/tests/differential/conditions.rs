//! A generator of conditions and calls from one small vocabulary, so that they meet. Every operator,
//! function and macro is written, and every reason for having no value is in reach.

/// SplitMix64: small, and the same everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }

    pub fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.roll(from.len())]
    }
}

const AMOUNTS: [&str; 8] = ["0", "1", "3", "500", "500.01", "1000", "-7", "0.1"];
const WORDS: [&str; 6] = ["a", "ab", "b", "ana", "Ana", ""];
const ORDERS: [&str; 4] = ["<", "<=", ">", ">="];

/// A condition as text. `depth` bounds how far it nests.
pub fn truth(dice: &mut Dice, depth: usize) -> String {
    if depth > 0 && dice.roll(3) > 0 {
        let inner = |dice: &mut Dice| truth(dice, depth - 1);
        return match dice.roll(7) {
            0 | 1 => format!("{} && {}", inner(dice), inner(dice)),
            2 | 3 => format!("({} || {})", inner(dice), inner(dice)),
            4 => format!("!({})", inner(dice)),
            5 => format!("({} ? {} : {})", inner(dice), inner(dice), inner(dice)),
            _ => quantified(dice, depth - 1, "x"),
        };
    }
    match dice.roll(42) {
        0..=3 => plain_number(dice),
        4 => format!("context.name == \"{}\"", dice.pick(&WORDS)),
        5 => format!("context.name in [\"a\", \"{}\"]", dice.pick(&WORDS)),
        6 => format!("{} {} {}", number(dice, depth), dice.pick(&ORDERS), number(dice, depth)),
        7 => format!("{} {} {}", number(dice, depth), dice.pick(&["==", "!="]), number(dice, depth)),
        8 => format!("{} {} {}", text(dice), dice.pick(&["==", "!=", "<", ">=", "<=", ">"]), text(dice)),
        9 => {
            let literal = format!("\"{}\"", dice.pick(&WORDS));
            let part = if dice.roll(3) == 0 { text(dice) } else { literal };
            format!("{}.{}({part})", text(dice), dice.pick(&["startsWith", "endsWith", "contains"]))
        }
        10 => format!("{}.matches(\"^[ab]n?a?$\")", text(dice)),
        11 => format!("has({})", dice.pick(&PATHS)),
        12 => format!("{} {} null", dice.pick(&PATHS), dice.pick(&["==", "!="])),
        13 => {
            let words = ["number", "string", "bool", "list", "map", "null_type", "timestamp", "duration", "type"];
            format!("type({}) {} {}", dice.pick(&PATHS), dice.pick(&["==", "!="]), dice.pick(&words))
        }
        14 => dice
            .pick(&["context.flag", "context.amount", "context.gone", "context.deep.flag", "action.known"])
            .to_owned(),
        15 => format!("{} in {}", dice.pick(&["\"a\"", "\"amount\"", "3", "context.name"]), list(dice)),
        16 => format!("{} {} {}", list(dice), dice.pick(&["==", "!="]), list(dice)),
        17 => fact(dice),
        18 => reading(dice),
        19 => time(dice),
        20 if dice.roll(2) == 0 => past(dice),
        20 => meter(dice),
        21 => format!("{{\"a\": {}}} == {{\"a\": 3}}", number(dice, 0)),
        22 => format!("context[\"deep\"].l[{}].x == 1", dice.pick(&["0", "1", "5", "context.count"])),
        23 | 24 => quantified(dice, 0, "x"),
        25..=29 => fact(dice),
        30 | 31 => reading(dice),
        32 => past(dice),
        33 | 34 => types(dice),
        35 => unknown(dice),
        _ => rare(dice),
    }
}

const PATHS: [&str; 12] = [
    "context.amount",
    "context.name",
    "context.gone",
    "context.gone.a",
    "context.nothing",
    "context.nothing.a",
    "context.deep.a.b",
    "context.deep.c.d",
    "context.deep[\"a\"]",
    "context.list",
    "sql.kind",
    "url.host",
];

/// What chance alone would make true too seldom.
fn rare(dice: &mut Dice) -> String {
    match dice.roll(6) {
        0 => format!("now.{}() {} {}", dice.pick(&FIELDS), dice.pick(&ORDERS), dice.pick(&["5", "10", "2025"])),
        1 => format!("context.name.lowerAscii() {} \"ana\"", dice.pick(&["==", "!="])),
        2 => format!("context.name.upperAscii() {} \"ANA\"", dice.pick(&["==", "!="])),
        3 => format!("-context.amount {} -3", dice.pick(&ORDERS)),
        4 => format!("context.amount {} context.zero == 1", dice.pick(&["/", "%"])),
        _ => format!("context.amount % 2 {} 0", dice.pick(&["==", "!="])),
    }
}

/// What the index makes gates of.
fn plain_number(dice: &mut Dice) -> String {
    let (left, right) = (dice.pick(&["context.amount", "context.count", "context.deep.a.b"]), dice.pick(&AMOUNTS));
    let operator = dice.pick(&["<", "<=", ">", ">=", "==", "!="]);
    if dice.roll(4) == 0 { format!("{right} {operator} {left}") } else { format!("{left} {operator} {right}") }
}

fn number(dice: &mut Dice, depth: usize) -> String {
    if depth > 0 && dice.roll(2) > 0 {
        return match dice.roll(8) {
            0 => format!("-({})", number(dice, depth - 1)),
            1 => format!("({} ? {} : {})", truth(dice, 0), number(dice, depth - 1), number(dice, depth - 1)),
            _ => {
                let operator = dice.pick(&["+", "-", "*", "/", "%"]);
                format!("({} {operator} {})", number(dice, depth - 1), number(dice, depth - 1))
            }
        };
    }
    match dice.roll(14) {
        0..=2 => dice.pick(&AMOUNTS).to_owned(),
        3..=5 => "context.amount".to_owned(),
        6 => "context.count".to_owned(),
        7 => {
            dice.pick(&["context.zero", "context.huge", "context.deep.a.b", "context.gone", "context.text"]).to_owned()
        }
        8 => format!("size({})", dice.pick(&["context.list", "context.text", "context.deep", "context.count"])),
        9 => format!("{}.size()", list(dice)),
        10 => format!("context.list[{}]", dice.pick(&["0", "2", "9", "context.count", "context.name"])),
        11 => "risk.score".to_owned(),
        12 => dice.pick(&["meters.spent", "meters.filling", "meters.unread"]).to_owned(),
        _ => format!("now.{}()", dice.pick(&FIELDS)),
    }
}

const FIELDS: [&str; 7] =
    ["getFullYear", "getMonth", "getDate", "getDayOfWeek", "getHours", "getMinutes", "getSeconds"];

fn text(dice: &mut Dice) -> String {
    match dice.roll(10) {
        0..=3 => "context.name".to_owned(),
        4 => "context.text".to_owned(),
        5 => dice.pick(&["context.gone", "context.nothing", "context.count", "context.deep.c.d"]).to_owned(),
        6 => format!("context.name.{}()", dice.pick(&["lowerAscii", "upperAscii"])),
        7 => "(context.name + context.text)".to_owned(),
        8 => "context.names[0]".to_owned(),
        _ => format!("(context.name + \"{}\")", dice.pick(&WORDS)),
    }
}

fn list(dice: &mut Dice) -> String {
    match dice.roll(11) {
        0 | 1 => "context.list".to_owned(),
        2 | 3 => "context.names".to_owned(),
        4 => {
            dice.pick(&["context.mixed", "context.empty", "context.nothing", "context.gone", "context.deep"]).to_owned()
        }
        5 => "[1, 3, 500]".to_owned(),
        6 => "[\"a\", \"ana\"]".to_owned(),
        7 => format!("context.list.filter(y, y {} {})", dice.pick(&ORDERS), dice.pick(&AMOUNTS)),
        8 => format!("context.list.map(y, y {} 2)", dice.pick(&["+", "*", "/"])),
        9 => "context.list.map(y, y > 1, y - 1)".to_owned(),
        _ => "(context.list + context.empty)".to_owned(),
    }
}

fn quantified(dice: &mut Dice, depth: usize, variable: &str) -> String {
    let over = match dice.roll(6) {
        0 => list(dice),
        1 => "agent.labels".to_owned(),
        2 => "action.types".to_owned(),
        3 => "context.deep.l".to_owned(),
        _ => dice.pick(&["context.list", "context.names", "context.mixed"]).to_owned(),
    };
    let body = match dice.roll(8) {
        0 | 1 => format!("{variable} {} {}", dice.pick(&["<", ">", "==", "!="]), dice.pick(&AMOUNTS)),
        2 => format!("{variable} == \"{}\"", dice.pick(&WORDS)),
        3 => format!("{variable}.startsWith(\"{}\")", dice.pick(&["a", "A", ""])),
        4 => format!("{variable} in context.names || {variable} == context.name"),
        5 => format!("has({variable}.x) && {variable}.x {} 1", dice.pick(&["==", ">"])),
        6 if depth > 0 => quantified(dice, depth - 1, &format!("{variable}y")),
        _ => format!("{variable} == context.name && {}", truth(dice, 0)),
    };
    format!("{over}.{}({variable}, {body})", dice.pick(&["exists", "all", "exists_one", "exists"]))
}

fn fact(dice: &mut Dice) -> String {
    dice.pick(&[
        "environment == \"production\"",
        "environment in [\"staging\", \"production\"]",
        "target == \"stripe\"",
        "target.startsWith(\"s\")",
        "subject == \"ana\"",
        "has(subject)",
        "\"process_refund\" in action.types",
        "\"refund-desk\" in agent.labels",
        "agent.labels.exists(l, l == \"refund-desk\")",
        "risk.score > 40",
        "action.domain == \"payments\" && !action.inferred",
        "has(now) && session != null",
        "session == \"run\"",
        "action.type == \"process_refund\"",
        "action.declared == \"process_refund\"",
        "action.effect in [\"write\", \"destructive\"]",
        "action.reversible",
        "action.known",
        "!action.inferred",
        "action.source == \"stripe\"",
        "has(action.source)",
        "action.tool == \"refund\"",
        "has(action.tool)",
        "agent.id == \"agt_1\"",
        "agent.name.startsWith(\"t\")",
        "agent.environment == \"production\"",
        "risk.severity == \"high\"",
        "risk.severity in [\"low\", \"medium\"]",
        "registration.environment == \"production\"",
        "registration.sensitivity == \"high\"",
        "registration.audience == \"internal\"",
        "\"api.stripe.example\" in registration.hosts",
        "registration.hosts.exists(h, h.endsWith(\".example\"))",
        "\"acme.example\" in internal_domains",
        "size(internal_domains) > 1",
    ])
    .to_owned()
}

fn reading(dice: &mut Dice) -> String {
    dice.pick(&[
        "sql.kind == \"SELECT\"",
        "sql.has_where == UNKNOWN",
        "sql.tables.exists(t, t == \"users\")",
        "\"users\" in sql.tables",
        "url.host == UNKNOWN",
        "url == UNKNOWN",
        "money.amount > 5",
        "has(money.amount)",
        "type(sql) == map",
        "size(sql.tables) > 1",
        "recipients.external > 5",
        "recipients == UNKNOWN",
        "shell.destructive == true",
        "shell == UNKNOWN",
        "file.secret",
        "size(file.paths) > 5",
        "blast.count > 5",
        "blast == UNKNOWN",
        "url.count > 5",
    ])
    .to_owned()
}

/// Types by name, also of what is computed, which no slot is.
fn types(dice: &mut Dice) -> String {
    let (of, word) = [
        ("now", "timestamp"),
        ("now - duration(\"1h\")", "timestamp"),
        ("now - now", "duration"),
        ("context.list", "duration"),
        ("type(context.amount)", "type"),
        ("type(now)", "type"),
        ("context.list", "list"),
        ("agent.labels", "list"),
        ("context.list[0]", "number"),
        ("context.deep", "map"),
    ][dice.roll(10)];
    format!("type({of}) {} {word}", dice.pick(&["==", "!="]))
}

/// Names that are nothing. Where a policy is not strict they are no error, and have no value.
fn unknown(dice: &mut Dice) -> String {
    dice.pick(&[
        "elsewhere == 3 || context.amount > 3",
        "elsewhere > context.amount && context.flag",
        "has(elsewhere.else) || context.flag",
        "elsewhere.exists(x, x == 3) && context.amount > 3",
    ])
    .to_owned()
}

fn time(dice: &mut Dice) -> String {
    dice.pick(&[
        "now > timestamp(\"2026-01-01T00:00:00Z\")",
        "now - timestamp(\"2026-11-22T16:00:05Z\") > duration(\"30m\")",
        "now + duration(\"106751990d\") > now",
        "now.getHours() < 12",
        "now.getHours() >= 9 && context.amount > 3",
        "now - duration(\"1h\") < now && context.flag",
        "context.amount > now.getDate()",
    ])
    .to_owned()
}

fn meter(dice: &mut Dice) -> String {
    let meter = dice.pick(&["meters.spent", "meters.spent", "meters.filling", "meters.unread"]);
    match dice.roll(4) {
        0 => format!("{meter} > {}", dice.pick(&AMOUNTS)),
        1 => format!("{meter} + context.amount > {}", dice.pick(&AMOUNTS)),
        2 => format!("type(context.amount) == number && {meter} + context.amount > {}", dice.pick(&AMOUNTS)),
        _ => format!("{meter} * size(context.list) >= {} || context.names.exists(x, x == \"a\")", dice.pick(&AMOUNTS)),
    }
}

/// The arguments of a call: each member is usually what it should be.
pub fn context(dice: &mut Dice) -> String {
    let wrong = ["null", "\"500\"", "[1]", "{\"a\": 1}", "true"];
    let mut members = Vec::new();
    let mut member = |dice: &mut Dice, name: &str, right: &[&str]| match dice.roll(12) {
        0 => {}
        1 => members.push(format!("\"{name}\": {}", dice.pick(&wrong))),
        _ => members.push(format!("\"{name}\": {}", dice.pick(right))),
    };
    member(dice, "amount", &AMOUNTS);
    member(dice, "count", &["0", "1", "2", "3"]);
    member(dice, "zero", &["0"]);
    member(dice, "huge", &["9007199254740991", "1e300"]);
    member(dice, "name", &["\"a\"", "\"ab\"", "\"ana\"", "\"Ana\"", "\"\"", "\"b\""]);
    member(dice, "flag", &["true", "false"]);
    member(dice, "list", &["[1, 2, 3]", "[]", "[500, 0.5]", "[3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]"]);
    member(dice, "names", &["[\"ana\", \"bob\"]", "[\"a\"]", "[]", "[\"b\", \"ab\", \"a\"]"]);
    member(dice, "mixed", &["[1, \"a\", null]", "[\"a\", 1]", "[[1], {\"x\": 1}]"]);
    member(dice, "empty", &["[]"]);
    member(
        dice,
        "deep",
        &[
            "{\"a\": {\"b\": 3}, \"flag\": true, \"l\": [{\"x\": 1}, {\"y\": 2}]}",
            "{\"a\": {\"b\": 500}, \"c\": null, \"l\": []}",
            "{\"a\": {}, \"c\": {\"d\": \"a\"}, \"l\": [{\"x\": 2}, {\"x\": 1}]}",
        ],
    );
    let long = "ab".repeat([1, 40, 400][dice.roll(3)]);
    let texts = [format!("\"{long}\""), "\"ana\"".to_owned()];
    member(dice, "text", &texts.each_ref().map(String::as_str));
    members.push("\"nothing\": null".to_owned());
    format!("{{{}}}", members.join(", "))
}

/// A question about the past; what it finds is up to whoever answers for the counters.
fn past(dice: &mut Dice) -> String {
    let key = dice.pick(&["past.agent.id == agent.id", "past.target == target", "context.name == past.context.name"]);
    let more = dice.pick(&["", " && past.context.amount > 3", " && past.outcome in [\"failed\", \"blocked\"]"]);
    match dice.roll(5) {
        0 => format!("formerly(\"1h\", {key}{more})"),
        1 => format!("previous(\"5m\", {key}{more})"),
        2 => format!("since(\"1d\", {key}{more}, {key} && past.outcome == \"approved\")"),
        3 => format!("count(\"1h\", {key}{more}) {} 3", dice.pick(&ORDERS)),
        _ => format!("sum(\"1h\", past.context.amount, {key}{more}) + context.amount {} 500", dice.pick(&ORDERS)),
    }
}
