use super::super::tests::call;
use super::*;
use proptest::prelude::*;

fn read_context(action: &str, context: &str) -> (Option<Object>, Vec<String>) {
    let mut found = Vec::new();
    let reading = match read(&call(action, context), &mut found) {
        Reading::Object(members) => Some(members),
        _ => None,
    };
    (reading, found.iter().map(ToString::to_string).collect())
}

fn reading(sql: &str) -> (Object, Vec<String>) {
    let (members, found) = read_context("execute_query", &serde_json::json!({ "sql": sql }).to_string());
    (members.unwrap_or_default(), found)
}

fn kind(sql: &str) -> String {
    reading(sql).0.get("kind").and_then(Value::as_text).unwrap_or("UNKNOWN").to_owned()
}

#[test]
fn plain_reads_are_reads() {
    for sql in [
        "SELECT 1",
        "select id, name from users where id = 7;",
        "SELECT count(*), max(created_at) FROM orders o JOIN users u ON u.id = o.user_id GROUP BY o.day HAVING count(*) > 3 ORDER BY 1 LIMIT 10",
        "WITH a AS (SELECT * FROM t), b AS (SELECT * FROM a) SELECT * FROM b UNION ALL SELECT * FROM c",
        "SELECT * FROM users WHERE name = 'it''s' AND created_at > now() - interval '1 day'",
        "SELECT \"userId\" FROM \"Users\" WHERE email LIKE '%@acme.example'",
        "SELECT `id` FROM `users` LIMIT 5",
        "SELECT TOP 10 [name] FROM [dbo].[users]",
        "SELECT data->>'a' FROM t WHERE tags @> '{1}'",
        "SELECT CASE WHEN a > 1 THEN 'x' ELSE 'y' END FROM t",
        "SELECT x::int, $1, :name, ? FROM t",
        "-- a comment\nSELECT 1 /* another */",
        "SELECT 'DELETE FROM users' AS example",
        "VALUES (1), (2)",
        "SELECT replace(name, 'a', 'b') FROM t",
        "EXPLAIN SELECT * FROM t",
        "SELECT 1; SELECT 2",
    ] {
        let (members, found) = reading(sql);
        assert_eq!(members["kind"], "SELECT".into(), "{sql}: {members:?}");
        assert!(found.is_empty() && !Reading::Object(members).is_unreadable(), "{sql}");
    }
    assert_eq!(
        reading("SELECT * FROM Users u JOIN orders o ON o.u = u.id").0["tables"],
        texts(["orders", "users"].map(str::to_owned))
    );
}

#[test]
fn deletes_are_found_wherever_they_hide() {
    for sql in [
        "DELETE FROM users WHERE id = 7",
        "SELECT 1; DELETE FROM users",
        "WITH gone AS (DELETE FROM users RETURNING id) SELECT count(*) FROM gone",
        "/* SELECT */ DeLeTe\nFROM users -- WHERE id = 1",
        "EXPLAIN ANALYZE DELETE FROM users",
        "EXPLAIN DELETE FROM users",
        "TRUNCATE users",
        "TRUNCATE TABLE users CASCADE",
        "DROP TABLE users",
        "DROP TABLE IF EXISTS a, b",
        "DROP DATABASE prod",
        "DROP SCHEMA public CASCADE",
        "ALTER TABLE users DROP COLUMN email",
        "CREATE OR REPLACE TABLE users (id int)",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE",
        "SELECT 1 DELETE FROM users",
        "SELECT 1 AS x DELETE users",
        "SELECT a FROM t /*! ; DELETE FROM users */",
        "SELECT 1 --1; \nDELETE FROM users",
        "SELECT '\\'; DELETE FROM users; --'",
        "SELECT $$ ; DELETE FROM users; $$",
        "DO $$ BEGIN DELETE FROM users; END $$",
        "SELECT 1 # \n; DELETE FROM users",
        "BEGIN; DELETE FROM users; COMMIT",
        "PREPARE x AS DELETE FROM users",
        "INSERT OVERWRITE TABLE users SELECT * FROM empty",
        "SELECT [a'] ; DELETE FROM users --']",
        "SELECT /* /* */ 1; DELETE FROM users -- */",
        "DELETE FROM users;;; \0",
        "SELEC; DROP TABLE users",
        "IF 1=1 DELETE FROM users",
        "EXEC('DELETE FROM users') \\",
    ] {
        let (members, found) = reading(sql);
        assert!(found.contains(&"delete_records".to_owned()), "{sql}: {members:?}");
        assert_eq!(members["deletes"], Value::Bool(true), "{sql}");
        assert_ne!(members["reads"], Value::Bool(true), "{sql}");
    }
}

#[test]
fn nothing_else_is_read_as_a_plain_read() {
    for sql in [
        "SELECT * INTO copy FROM users",
        "SELECT * FROM users INTO OUTFILE '/tmp/x'",
        "SELECT * FROM users FOR UPDATE",
        "SELECT pg_sleep(10)",
        "SELECT pg_terminate_backend(1)",
        "SELECT lo_unlink(1)",
        "SELECT nextval('s')",
        "SELECT setval('s', 1)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT load_file('/etc/passwd')",
        "SELECT * FROM dblink('host=x', 'DELETE FROM users') AS t(a int)",
        "SELECT dblink_exec('DELETE FROM users')",
        "SELECT query_to_xml('DELETE FROM users', true, true, '')",
        "SELECT set_config('role', 'postgres', false)",
        "SELECT myschema.count(1)",
        "SELECT \"count\"(1)",
        "SELECT * FROM OPENROWSET('x', 'y', 'z')",
        "SELECT * FROM delete_everything()",
        "SELECT (SELECT evil())",
        "SELECT 1 WHERE evil()",
        "SELECT 1 ORDER BY evil()",
        "SELECT 1 LIMIT evil()",
        "SELECT CASE WHEN evil() THEN 1 END",
        "SELECT sum(evil()) OVER (PARTITION BY evil())",
        "SELECT count(*) FILTER (WHERE evil())",
        "SELECT * FROM a JOIN b ON evil()",
        "SELECT * FROM a, LATERAL evil() x",
        "WITH x AS (SELECT evil()) SELECT * FROM x",
        "VALUES (evil())",
        "SELECT @a := 1",
        "CALL p()",
        "EXEC xp_cmdshell 'dir'",
        "EXECUTE plan",
        "COPY users TO '/tmp/x'",
        "COPY users FROM PROGRAM 'curl evil.test'",
        "COPY (SELECT * FROM users) TO STDOUT",
        "LOAD DATA INFILE 'x' INTO TABLE t",
        "SET ROLE postgres",
        "SET search_path TO evil",
        "RESET ALL",
        "BEGIN; SELECT 1; COMMIT",
        "LOCK TABLE users",
        "PRAGMA writable_schema = 1",
        "ATTACH DATABASE 'x' AS y",
        "VACUUM",
        "CREATE TABLE t (id int)",
        "CREATE TABLE t AS SELECT 1",
        "CREATE INDEX i ON t (a)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE EXTENSION dblink",
        "ALTER TABLE users ADD COLUMN age int",
        "ALTER SYSTEM SET x = 1",
        "GRANT ALL ON users TO public",
        "REVOKE ALL ON users FROM x",
        "CREATE ROLE x",
        "ALTER ROLE x SUPERUSER",
        "ALTER TABLE t DISABLE ROW LEVEL SECURITY",
        "NOTIFY x",
        "KILL 7",
        "SHUTDOWN",
        "SELECT 1 SHUTDOWN",
        "SELECT 1\nGO\nDROP TABLE x",
        "HANDLER t OPEN",
        "REPLACE INTO t VALUES (1)",
        "INSERT OR REPLACE INTO t VALUES (1)",
        "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 2",
        "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 2",
        "INSERT INTO t SELECT evil()",
        "INSERT INTO t VALUES (evil())",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1",
        "UPDATE t SET a = evil() WHERE id = 1",
        "",
        ";",
        "-- nothing",
        "SELEC * FROM users;;; \0",
        "SELECT",
        "SELECT 'open",
        "SELECT * FROM {{table}}",
        "SELECT U&'\\0041'",
        "SELECT E'\\''",
        "SELECT q'[a]'",
        "SELECT _utf8'x'",
        "SELECT 1 \u{a0}; x",
        "db.users.deleteMany({})",
    ] {
        let seen = kind(sql);
        assert!(!["SELECT", "SHOW", "INSERT", "UPDATE"].contains(&seen.as_str()), "{sql}: {seen}");
    }
}

#[test]
fn schema_and_grants_are_found() {
    for (sql, name) in [
        ("ALTER TABLE users ADD COLUMN age int", "modify_schema"),
        ("CREATE TABLE t (id int)", "modify_schema"),
        ("SELECT * INTO copy FROM users", "modify_schema"),
        ("DROP INDEX i", "modify_schema"),
        ("CREATE VIEW v AS SELECT 1", "modify_schema"),
        ("CREATE TRIGGER t AFTER INSERT ON x FOR EACH ROW EXECUTE FUNCTION f()", "modify_schema"),
        ("GRANT SELECT ON t TO bob", "modify_security"),
        ("REVOKE SELECT ON t FROM bob", "modify_security"),
        ("CREATE ROLE x", "modify_security"),
        ("ALTER TABLE t OWNER TO bob", "modify_security"),
    ] {
        assert!(reading(sql).1.contains(&name.to_owned()), "{sql}: {:?}", reading(sql));
    }
    assert!(!reading("ALTER TABLE users ADD COLUMN age int").1.contains(&"delete_records".to_owned()));
}

#[test]
fn only_a_condition_that_bounds_is_a_where() {
    for condition in [
        "id = 7",
        "7 = id",
        "u.id = $1",
        "id IN (1, 2)",
        "(id = 7)",
        "id = 7 AND x > 3",
        "id = 1 OR id = 2",
        "name = 'a'",
        "id = -1",
        "id = '7'::int",
    ] {
        let (members, _) = reading(&format!("UPDATE users u SET plan = 'free' WHERE {condition}"));
        assert_eq!(
            (&members["kind"], &members["has_where"]),
            (&"UPDATE".into(), &Value::Bool(true)),
            "{condition}: {members:?}"
        );
    }
    for condition in [
        "1 = 1",
        "true",
        "id = id",
        "u.id = u.id",
        "id > 0",
        "id <> 7",
        "id IS NOT NULL",
        "NOT id = 7",
        "id = 7 OR 1 = 1",
        "id = 7 OR true",
        "id NOT IN (1)",
        "'a' = 'a'",
        "id IN (SELECT id FROM users)",
        "id = (SELECT 7)",
        "EXISTS (SELECT 1)",
        "id LIKE '%'",
        "id BETWEEN 0 AND 999999",
        "true = true",
        "\"a\" = 'a'",
        "id = id + 0",
        "id = ANY (ARRAY[1])",
        "id IN (id)",
    ] {
        let (members, _) = reading(&format!("UPDATE users u SET plan = 'free' WHERE {condition}"));
        assert_eq!(members["has_where"], Value::Bool(false), "{condition}: {members:?}");
    }
    assert_eq!(reading("UPDATE users SET plan = 'free'").0["has_where"], Value::Bool(false));
    assert_eq!(reading("UPDATE a SET x = 1 WHERE id = 1; UPDATE b SET x = 1").0["has_where"], Value::Bool(false));
    assert_eq!(kind("INSERT INTO notes(body) VALUES ('hi')"), "INSERT");
    assert_eq!(kind("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING"), "INSERT");
    assert_eq!(kind("INSERT INTO t VALUES (1); UPDATE t SET a = 1 WHERE id = 2"), "UPDATE");
}

#[test]
fn statements_are_found_under_the_usual_names() {
    for context in [
        r#"{"sql":"DELETE FROM t"}"#,
        r#"{"SQL":"DELETE FROM t"}"#,
        r#"{"query":"DELETE FROM t"}"#,
        r#"{"statement":"DELETE FROM t"}"#,
        r#"{"sql":"SELECT 1","query":"DELETE FROM t"}"#,
        r#"{"statements":["SELECT 1","DELETE FROM t"]}"#,
        r#"{"queries":[{"sql":"SELECT 1"},{"sql":"DELETE FROM t"}]}"#,
        r#"{"query":{"text":"DELETE FROM t","values":[1]}}"#,
        r#"{"options":{"rawQuery":"DELETE FROM t"}}"#,
        r#"{"sqlText":"DELETE FROM t"}"#,
        r#"{"preQuery":"DELETE FROM t"}"#,
        r#"{"text":"DELETE FROM t"}"#,
        r#"{"command":"DELETE FROM t"}"#,
        r#"{"sql":["DELETE","FROM t"]}"#,
    ] {
        let (_, found) = read_context("execute_query", context);
        assert!(found.contains(&"delete_records".to_owned()), "{context}");
    }
    for context in ["{}", r#"{"sql":""}"#, r#"{"sql":null}"#, r#"{"table":"t"}"#] {
        assert_eq!(read_context("execute_query", context).0, None, "{context}");
    }
    for context in [
        r#"{"sql":7}"#,
        r#"{"query":{"delete":"t"}}"#,
        r#"{"sql":"SELECT 1","query":{"find":1}}"#,
        r#"{"sql":{}}"#,
        r#"{"sql":true}"#,
    ] {
        assert_eq!(read_context("execute_query", context).0.unwrap()["kind"], "UNKNOWN".into(), "{context}");
    }
    assert_eq!(read_context("modify_schema", r#"{"table":"t"}"#).0, None);
    assert!(read_context("modify_schema", r#"{"sql":"DROP TABLE t"}"#).1.contains(&"delete_records".to_owned()));
    assert_eq!(read_context("bulk_update", r#"{"query":{"a":1},"values":"DELETE"}"#).0, None);
}

#[test]
fn hostile_texts_end_quickly() {
    let texts = [
        "(".repeat(8_000),
        format!("SELECT {}1{}", "(".repeat(12), ")".repeat(12)),
        format!("SELECT {}1{}", "(".repeat(4_000), ")".repeat(4_000)),
        format!("SELECT {}1", "- ".repeat(299)),
        format!("SELECT {}1", "NOT ".repeat(290)),
        format!("SELECT 1{}", " + 1".repeat(299)),
        format!("SELECT 1 WHERE a = 1{}", " OR a = 1".repeat(145)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(290)),
        format!("SELECT * FROM {}t{}", "(".repeat(12), ")".repeat(12)),
        format!("SELECT {}1{}", "(SELECT ".repeat(12), ")".repeat(12)),
        format!("SELECT {}1{}", "CASE WHEN 1 THEN ".repeat(12), " END".repeat(12)),
        "SELECT 1;".repeat(2_000),
        format!("SELECT {}", "a,".repeat(8_000)),
        format!("SELECT '{}", "''".repeat(8_000)),
        "x".repeat(1_000_000),
        "\0".repeat(16_000),
        format!("SELECT a{}", "[1]".repeat(300)),
        format!("SELECT a{}", ".b".repeat(299)),
        format!("SELECT a{}", "::int".repeat(150)),
        format!("EXPLAIN {}SELECT 1", "EXPLAIN ".repeat(2_000)),
        format!("SELECT {}1{}", "f(".repeat(12), ")".repeat(12)),
        format!("SELECT ARRAY{}1{}", "[".repeat(12), "]".repeat(12)),
        format!("{}SELECT 1{}", "WITH a AS (".repeat(12), ") SELECT 1".repeat(12)),
        format!("SELECT 1 FROM a{}", " JOIN b ON 1".repeat(290)),
        format!("SELECT INTERVAL {}1", "INTERVAL ".repeat(3_000)),
    ];
    for text in texts {
        let seen = kind(&text);
        assert!(!seen.is_empty());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_panicking(text in "\\PC{0,60}") {
        let _ = reading(&text);
    }

    #[test]
    fn a_delete_in_any_surroundings_is_no_read(front in "[ -~]{0,12}", back in "[ -~]{0,12}") {
        let (members, _) = reading(&format!("{front} DELETE FROM users {back}"));
        // Plainly a read only if the words stand inside a string, a quoted name or a comment.
        let hidden = ["'", "\"", "`", "--", "/*", "[", "#"].iter().any(|mark| front.contains(mark));
        prop_assert!(hidden || members.get("reads") != Some(&Value::Bool(true)), "{members:?}");
    }

    #[test]
    fn more_statements_never_read_laxer(first in 0usize..6, second in 0usize..6) {
        let texts = ["SELECT 1", "INSERT INTO t VALUES (1)", "UPDATE t SET a = 1", "DELETE FROM t", "SELECT evil()", "SELEC"];
        let rank = |sql: &str| reading(sql).0["kinds"].as_list().map_or(0, |kinds| kinds.iter().filter_map(Value::as_text).map(strictness).max().unwrap_or(0));
        let both = rank(&format!("{}; {}", texts[first], texts[second]));
        prop_assert!(both >= rank(texts[first]).max(rank(texts[second])));
    }
}

fn strictness(kind: &str) -> usize {
    ["SELECT", "INSERT", "UPDATE", "CALL", "DELETE", "UNKNOWN"].iter().position(|known| *known == kind).unwrap_or(3)
}

fn in_full(sql: &str) -> Object {
    let mut found = Found::default();
    found.text_in_full(sql);
    found.reading()
}

const PLAIN: &[&str] = &[
    "SELECT 1 FROM t",
    "select id, name from users where id = 7;",
    "SELECT count(*) FROM orders",
    "SELECT DISTINCT u.name, sum(o.total) AS total FROM users u JOIN orders o ON o.user_id = u.id WHERE o.created_at >= '2026-01-01' GROUP BY u.name HAVING sum(o.total) > 100 ORDER BY total DESC, u.name LIMIT 20",
    "SELECT * FROM public.users WHERE email LIKE '%@acme.example' AND NOT (a IS NULL OR b IN (1, 2, $1))",
    "SELECT a.*, b.x FROM a LEFT OUTER JOIN b ON b.id = a.id WHERE b.id IS NOT NULL LIMIT 5 OFFSET 10",
    "SELECT a FROM t WHERE b BETWEEN 1 AND 2 AND c <> 'x' ORDER BY a ASC",
    "SELECT coalesce(max(id), 0) + 1 AS next_id FROM t\n",
    "SELECT a FROM t, u WHERE t.a = u.b",
    "SELECT status, type, name FROM jobs WHERE state = 'done'",
];

#[test]
fn a_plain_read_is_read_as_in_full() {
    for sql in PLAIN {
        assert!(plain::tables(sql).is_some(), "{sql}");
        assert_eq!(reading(sql).0, in_full(sql), "{sql}");
    }
    for sql in [
        "SELECT 1",
        "SELECT a FROM t WHERE evil()",
        "SELECT a FROM t FOR UPDATE",
        "SELECT a INTO b FROM t",
        "SELECT a FROM t DELETE",
        "SELECT a FROM t; SELECT b FROM u",
        "SELECT a FROM t -- x",
        "SELECT a FROM t WHERE b = 'x\\'",
        "SELECT a FROM t WHERE b = 'it''s'",
        "SELECT a FROM pg_shadow",
        "SELECT a FROM mysql.user",
        "SELECT a FROM f(1)",
        "SELECT s.f(1) FROM t",
        "SELECT a FROM t WITH (NOLOCK)",
        "SELECT \"a\" FROM t",
        "SELECT a FROM t WHERE @a = 1",
        "SELECT a FROM t LOCK",
        "SELECT a FROM t WHERE b = E'x'",
    ] {
        assert!(plain::tables(sql).is_none(), "{sql}");
    }
}

/// All texts in a JSON document.
fn texts_of(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => texts.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts_of(item, texts)),
        serde_json::Value::Object(members) => members.values().for_each(|item| texts_of(item, texts)),
        _ => {}
    }
}

#[test]
fn the_shortcut_agrees_on_every_text_of_both_corpora() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = |folder: &str| {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect::<Vec<_>>()
    };
    let mut texts: Vec<String> = files("fuzz/corpus/sql")
        .iter()
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
        .collect();
    for path in files("contracts/adversarial") {
        for line in std::fs::read_to_string(path).unwrap().lines() {
            if let Ok(document) = serde_json::from_str(line) {
                texts_of(&document, &mut texts);
            }
        }
    }
    assert!(texts.len() > 1_000, "{}", texts.len());
    let plain: Vec<&String> = texts.iter().filter(|text| plain::tables(text).is_some()).collect();
    assert!(!plain.is_empty());
    for sql in plain {
        assert_eq!(reading(sql).0, in_full(sql), "{sql}");
    }
}

#[test]
fn no_keyword_is_taken_for_a_name_by_mistake() {
    let places = [
        "SELECT {} FROM t",
        "SELECT {} b FROM t",
        "SELECT a FROM {}",
        "SELECT a AS {} FROM t",
        "SELECT a {} FROM t",
        "SELECT a FROM t {}",
        "SELECT a FROM t AS {} WHERE a = 1",
        "SELECT t.{} FROM t",
        "SELECT a FROM t WHERE {} = 1 AND a = 2",
        "SELECT a FROM t GROUP BY {}",
        "SELECT count({}) FROM t",
    ];
    for keyword in sqlparser::keywords::ALL_KEYWORDS {
        for place in places {
            let sql = place.replace("{}", keyword);
            if plain::tables(&sql).is_some() {
                assert_eq!(reading(&sql).0, in_full(&sql), "{sql}");
            }
        }
    }
}

/// Texts made of the words that the shortcut knows and of those it must not take for names.
fn sentence() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "a",
        "t",
        "u.b",
        "*",
        ",",
        "(",
        ")",
        "=",
        "<",
        "-",
        "+",
        "1",
        "'x'",
        "$1",
        "FROM t",
        "WHERE",
        "AND",
        "OR",
        "NOT",
        "IN",
        "IS NULL",
        "LIKE",
        "BETWEEN",
        "GROUP BY",
        "ORDER BY",
        "HAVING",
        "LIMIT",
        "OFFSET",
        "AS",
        "JOIN u ON",
        "LEFT JOIN",
        "count(",
        "max(",
        "DISTINCT",
        "DESC",
        "NULL",
        "true",
        "evil(",
        "FOR",
        "UPDATE",
        "INTO",
        "UNION",
        "SELECT",
        "CASE",
        "date",
        "interval",
        "end",
        "set",
        "only",
        "all",
        "any",
        "exists",
        "user",
        "key",
        "row",
        "next",
        "value",
        "first",
        "name",
        "type",
        ".",
        ";",
        "lock",
        "with",
        "use",
        "window",
        "final",
        "sample",
        "array",
        "map",
        "connect",
        "start",
        "prior",
        "top",
        "percent",
        "current",
        "session",
        "global",
        "local",
        "exec",
        "values",
    ]);
    let tail = prop::collection::vec(words, 0..9).prop_map(|words| words.join(" "));
    let head = prop::sample::select(vec![
        "SELECT a FROM t",
        "SELECT",
        "SELECT a FROM t WHERE a = 1",
        "SELECT a",
        "SELECT a FROM t x",
    ]);
    (head, tail).prop_map(|(head, tail)| format!("{head} {tail}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_shortcut_agrees_with_the_long_way(sql in sentence()) {
        if plain::tables(&sql).is_some() {
            prop_assert_eq!(reading(&sql).0, in_full(&sql), "{}", sql);
        }
    }
}
