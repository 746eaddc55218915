use super::super::tests::call;
use super::*;
use proptest::prelude::*;

fn path(path: &str) -> Object {
    match read(&call("read_notes", &serde_json::json!({ "path": path }).to_string())) {
        Reading::Object(members) => members,
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn plain_relative_paths_are_harmless() {
    for plain in ["notes.txt", "reports/2026/q3.csv", "a b/c.md", "résumé.pdf", "a.b.c", "..data/x", "x..y", "./notes"]
    {
        let members = path(plain);
        for name in ["traversal", "absolute", "secret"] {
            assert_eq!(members[name], Value::Bool(false), "{plain}: {name}");
        }
    }
    assert_eq!(path("notes.txt")["count"], 1.into());
}

#[test]
fn climbing_is_found_in_every_encoding() {
    for climbing in [
        "../x",
        "a/../b",
        "a/..",
        "..",
        "..\\x",
        "a\\..\\b",
        "%2e%2e/x",
        "%2e%2e%2fx",
        "..%2fx",
        "..%5cx",
        "%252e%252e%252fx",
        "%25252e%25252e/x",
        ".%2e/x",
        "a/.. /b",
        "a/..;/b",
        ".../x",
        "....//x",
        "\u{ff0e}\u{ff0e}/x",
        "\u{2025}/x",
        "..\u{ff0f}x",
        "a/%2E%2E/b",
        " ../x",
        "a/ ../b",
    ] {
        assert_ne!(path(climbing)["traversal"], Value::Bool(false), "{climbing}");
    }
    for hidden in [
        "..%c0%afx",
        "%c0%ae%c0%ae/x",
        "%u002e%u002e/x",
        "a\0/x",
        "a%00/x",
        "a\u{202e}x",
        "..\u{2215}x",
        "..\u{2044}x",
        "$UP/x",
        "${UP}/x",
        "%UP%/x",
        "`pwd`/x",
        "%2525252525252e",
    ] {
        assert_ne!(path(hidden)["traversal"], Value::Bool(false), "{hidden}");
    }
}

#[test]
fn absolute_paths_are_found() {
    for absolute in [
        "/etc/hosts",
        "\\\\server\\share",
        "C:\\x",
        "c:/x",
        "~/x",
        "~root/x",
        "file:///x",
        "%2fetc",
        " /etc",
        "\\x",
        "//x",
        "smb://x/y",
        "Ｃ:\\x",
        "c:x",
    ] {
        assert_eq!(path(absolute)["absolute"], Value::Bool(true), "{absolute}");
    }
    for hidden in ["$HOME/x", "%APPDATA%/x", "${X}"] {
        assert_eq!(path(hidden)["absolute"], unknown(), "{hidden}");
    }
}

#[test]
fn files_that_look_secret_are_found() {
    for secret in [
        ".env",
        "app/.env.production",
        "prod.env",
        ".ssh/config",
        "id_rsa",
        "keys/id_ed25519.pub",
        "server.pem",
        "TLS/SERVER.KEY",
        "a/.aws/config",
        "config/credentials",
        "credentials.json",
        "secrets.yaml",
        "my-secret.txt",
        "passwords.csv",
        "shadow",
        "etc/passwd",
        ".netrc",
        ".npmrc",
        ".git-credentials",
        "kubeconfig",
        ".kube/config",
        "proc/self/environ",
        ".bash_history",
        "ID_RSA.",
        "id_rsa ",
        ".env::$DATA",
        "%2eenv",
        ".%65nv",
        "ｉd_rsa",
        "x.p12",
        "terraform.tfstate",
        "api_key.txt",
        "access_token",
        ".docker/config.json",
        "wp-config.php",
    ] {
        assert_eq!(path(secret)["secret"], Value::Bool(true), "{secret}");
    }
    for hidden in ["*", ".e*", "i?_rsa", "[.]env", "{.env,x}", "$X"] {
        assert_ne!(path(hidden)["secret"], Value::Bool(false), "{hidden}");
        assert_eq!(path(hidden)["count"], unknown(), "{hidden}");
    }
}

#[test]
fn every_named_path_counts() {
    let reading = |context: &str| read(&call("read_notes", context)).to_value();
    for context in [
        r#"{"path":"a","file":"/etc/passwd"}"#,
        r#"{"paths":["a","/etc/passwd"]}"#,
        r#"{"files":[{"path":"/etc/passwd"}]}"#,
        r#"{"options":{"filePath":"/etc/passwd"}}"#,
        r#"{"output_file":"/etc/passwd"}"#,
        r#"{"sourcePath":"/etc/passwd"}"#,
    ] {
        let value = reading(context).unwrap();
        assert_eq!(value.get("absolute"), Some(&Value::Bool(true)), "{context}");
        assert_eq!(value.get("secret"), Some(&Value::Bool(true)), "{context}");
    }
    assert_eq!(reading(r#"{"city":"Oslo"}"#), None);
    for context in [r#"{"path":7}"#, r#"{"path":{}}"#, r#"{"path":["a",true]}"#, r#"{"path":""}"#] {
        assert!(read(&call("read_notes", context)).is_unreadable(), "{context}");
    }
}

proptest! {
    #[test]
    fn a_climbing_component_is_never_missed(front in "[ -~]{0,10}", back in "[ -~]{0,10}") {
        prop_assert_ne!(&path(&format!("{front}/../{back}"))["traversal"], &Value::Bool(false));
        let encoded = format!("{front}%2f%2e%2e%2f{back}");
        prop_assert_ne!(&path(&encoded)["traversal"], &Value::Bool(false));
    }

    #[test]
    fn any_text_is_read_without_panicking(text in "\\PC{0,40}") {
        let _ = path(&text);
    }
}
