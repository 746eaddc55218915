use super::super::tests::call;
use super::*;
use proptest::prelude::*;

fn reading(context: &str) -> Object {
    match read(&call("call_api", context)) {
        Reading::Object(members) => members,
        other => panic!("{context}: {other:?}"),
    }
}

fn get(url: &str) -> Object {
    reading(&serde_json::json!({ "method": "GET", "url": url }).to_string())
}

#[test]
fn a_plain_request_is_read() {
    let members = get("https://API.github.com./repos/acme/web?q=1#x");
    assert_eq!(members["host"], "api.github.com".into());
    assert_eq!(members["scheme"], "https".into());
    assert_eq!(members["path"], "/repos/acme/web".into());
    assert_eq!(members["method"], "GET".into());
    for (name, value) in [("registered", true), ("private", false), ("metadata", false), ("userinfo", false)] {
        assert_eq!(members[name], Value::Bool(value), "{name}");
    }
    assert!(!Reading::Object(members).is_unreadable());
    assert_eq!(get("https://raw.githubusercontent.com/x")["registered"], Value::Bool(true));
    assert_eq!(get("https://203.0.113.7/x")["registered"], Value::Bool(true));
    assert_eq!(get("https://api.github.com:443/x")["registered"], Value::Bool(true));
}

#[test]
fn foreign_hosts_are_not_registered() {
    for url in [
        "https://evil.test/",
        "https://api.github.com.evil.test/",
        "https://api.github.com@evil.test/",
        "https://api.github.com:443@evil.test/",
        "https://api.github.com%40evil.test/",
        "https://evil.test#@api.github.com/",
        "https://evil.test?@api.github.com/",
        "https://evil.test/@api.github.com",
        "https://evil.test\\@api.github.com/",
        "https://evil.test\\.api.github.com/",
        "https://x@evil.test@api.github.com/",
        "https://api.github.com@evil.test@api.github.com/",
        "https://apiXgithub.com/",
        "https://githubusercontent.com/",
        "https://evilgithubusercontent.com/",
        "https://api.github.com:8443/",
        "ftp://api.github.com/",
        "https:api.github.com/",
        "https:/api.github.com/",
        "https:///api.github.com/",
        "//api.github.com/",
        "api.github.com/",
        "api.github.com:443/x",
        "https://api.github.com\t.evil.test/",
        "https://api.gith\nub.com/",
        " https://evil.test",
        "https://api.github.cоm/",
        "https://api。github.com/",
        "https://api.github.com%2eevil.test/",
        "https://api.github.com%00.evil.test/",
        "https://[api.github.com]/",
        "https://{host}/",
        "https://",
        "",
        "https://203.0.113.7.evil.test/",
        "https://0xcb.0x00.0x71.0x08/",
        "https://api.github.com:x/",
        "https://api.github.com:0443/",
        "javascript:fetch('https://api.github.com')",
        "data:text/html,https://api.github.com/",
        "file://api.github.com/etc/passwd",
    ] {
        let members = get(url);
        assert_eq!(members["registered"], Value::Bool(false), "{url}: {members:?}");
    }
    assert_eq!(get("https://api.github.com@evil.test/")["host"], "evil.test".into());
    assert_eq!(get("https://user:pw@api.github.com/")["userinfo"], Value::Bool(true));
}

#[test]
fn addresses_inside_the_network_are_private_in_every_notation() {
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0x7F.0x0.0x0.0x1",
        "0",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "192.168.257",
        "100.64.0.1",
        "198.18.0.1",
        "169.254.1.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:0:127.0.0.1]",
        "[::10.0.0.1]",
        "[fc00::1]",
        "[fd12::1]",
        "[fe80::1]",
        "[2002:7f00:1::]",
        "[64:ff9b::10.0.0.1]",
        "[ff02::1]",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "db",
        "db.internal",
        "printer.local",
        "x.svc",
        "127.0.0.1.nip.io",
        "evil.localtest.me",
        "255.255.255.255",
        "[2001:0:4136::1]",
        "127.0.0.1.",
    ] {
        let members = get(&format!("http://{host}/x"));
        assert_eq!(members["private"], Value::Bool(true), "{host}: {members:?}");
    }
    for host in ["8.8.8.8", "api.github.com", "172.32.0.1", "[2606:4700::1111]", "11.0.0.1", "internal.example"] {
        assert_eq!(get(&format!("https://{host}/"))["private"], Value::Bool(false), "{host}");
    }
}

#[test]
fn metadata_addresses_are_known_in_every_notation() {
    for host in [
        "169.254.169.254",
        "2852039166",
        "0xA9FEA9FE",
        "0xa9.254.169.254",
        "169.254.43518",
        "169.16689662",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[fd00:ec2::254]",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "169.254.170.2",
        "100.100.100.200",
        "metadata",
        "[64:ff9b::a9fe:a9fe]",
        "x@169.254.169.254",
        "169.254.169.254:80",
    ] {
        let members = get(&format!("http://{host}/latest/meta-data/"));
        assert_eq!(members["metadata"], Value::Bool(true), "{host}: {members:?}");
        assert_eq!(members["private"], Value::Bool(true), "{host}");
    }
}

#[test]
fn numbers_that_libraries_read_differently_are_unknown() {
    for host in [
        "0177.0.0.1",
        "010.0.0.1",
        "0251.0376.0251.0376",
        "1.2.3.4.5",
        "256.1.1.1",
        "4294967296",
        "0x",
        "1.2.3.0400",
        "127.0.0.1%25eth0",
        "[fe80::1%25eth0]",
        "１２７.0.0.1",
        "①②⑦.0.0.1",
    ] {
        let members = get(&format!("http://{host}/"));
        assert_eq!(members["host"], unknown(), "{host}: {members:?}");
        assert_eq!(members["private"], unknown(), "{host}");
    }
}

#[test]
fn the_method_is_the_strictest_one_named() {
    for (context, method) in [
        (r#"{"method":"get"}"#, "GET"),
        (r#"{"method":"delete"}"#, "DELETE"),
        (r#"{"method":"GET","headers":{"X-HTTP-Method-Override":"DELETE"}}"#, "DELETE"),
        (r#"{"method":"GET","headers":{"x-http-method":"put"}}"#, "PUT"),
        (r#"{"method":"GET","headers":[{"name":"X-Method-Override","value":"PATCH"}]}"#, "PATCH"),
        (r#"{"method":"GET","headers":[["X-HTTP-Method-Override","PATCH"]]}"#, "PATCH"),
        (r#"{"method":"GET","query":{"_method":"DELETE"}}"#, "DELETE"),
        (r#"{"method":"GET","body":{"_METHOD":"DELETE"}}"#, "DELETE"),
        (r#"{"method":"GET","verb":"POST"}"#, "POST"),
        (r#"{"method":"GET","options":{"method":"POST"}}"#, "POST"),
        (r#"{"method":"GET","request":{"config":{"httpMethod":"POST"}}}"#, "POST"),
        (r#"{}"#, "UNKNOWN"),
        (r#"{"method":null}"#, "UNKNOWN"),
        (r#"{"method":"GET "}"#, "UNKNOWN"),
        (r#"{"method":"GET\r\nX: y"}"#, "UNKNOWN"),
        (r#"{"method":["GET"]}"#, "UNKNOWN"),
        (r#"{"method":"GЕT"}"#, "UNKNOWN"),
        (r#"{"method":"GET","headers":"X-HTTP-Method-Override: DELETE"}"#, "UNKNOWN"),
        (r#"{"method":"GET","headers":{"A":"b\r\nX-HTTP-Method-Override: DELETE"}}"#, "UNKNOWN"),
        (r#"{"method":"GET","headers":{"X-HTTP-Method-Override":7}}"#, "UNKNOWN"),
        (r#"{"method":"GET","body":"a=b&_method=DELETE"}"#, "DELETE"),
    ] {
        let context = context.replacen('{', r#"{"url":"https://api.github.com/x","#, 1).replace(",}", "}");
        assert_eq!(reading(&context)["method"], method.into(), "{context}");
    }
    assert_eq!(get("https://api.github.com/x?_method=DELETE")["method"], "DELETE".into());
    let declared = read(&call("axios.post", r#"{"method":"GET","url":"https://api.github.com/"}"#));
    assert_eq!(declared.to_value().unwrap().get("method"), Some(&"POST".into()));
}

#[test]
fn every_address_in_the_call_counts() {
    for context in [
        r#"{"url":"https://api.github.com/","baseUrl":"https://evil.test"}"#,
        r#"{"url":"https://api.github.com/","proxy":"http://evil.test:3128"}"#,
        r#"{"url":"https://api.github.com/","proxy":{"host":"evil.test"}}"#,
        r#"{"url":"https://api.github.com/","headers":{"Host":"evil.test"}}"#,
        r#"{"url":"https://api.github.com/","headers":{"X-Forwarded-Host":"evil.test"}}"#,
        r#"{"url":["https://api.github.com/","https://evil.test/"]}"#,
        r#"{"url":"https://api.github.com/","config":{"url":"https://evil.test/"}}"#,
        r#"{"url":"https://api.github.com/","host":"evil.test"}"#,
        r#"{"url":"https://api.github.com/","URL":"https://evil.test/"}"#,
        r#"{"url":{"href":"https://evil.test"}}"#,
        r#"{"url":{}}"#,
        r#"{"url":7}"#,
        r#"{"path":"/x"}"#,
        r#"{"url":"/x"}"#,
        r#"{}"#,
    ] {
        assert_eq!(reading(context)["registered"], Value::Bool(false), "{context}");
    }
    assert_eq!(reading(r#"{"baseUrl":"https://api.github.com","path":"/repos"}"#)["registered"], Value::Bool(true));
    assert_eq!(
        reading(r#"{"baseUrl":"https://api.github.com","url":"/repos"}"#)["path"],
        "//repos".replace("//", "/").as_str().into()
    );
    assert_eq!(reading(r#"{"host":"api.github.com","path":"/repos"}"#)["registered"], Value::Bool(true));
}

#[test]
fn a_path_that_climbs_is_unknown() {
    for path in ["/a/../b", "/a/%2e%2e/b", "/a/.%2E/b", "/a/%252e%252e/b", "/a/..%5cb", "/a/..;/b", "/a%00", "/./a"] {
        assert_eq!(get(&format!("https://api.github.com{path}"))["path"], unknown(), "{path}");
    }
    let joined = reading(r#"{"baseUrl":"https://api.github.com/safe","path":"../admin"}"#);
    assert_eq!(joined["path"], unknown());
    let overridden = reading(r#"{"url":"https://api.github.com/a","headers":{"X-Original-URL":"/admin"}}"#);
    assert_eq!(overridden["path"], unknown());
}

#[test]
fn an_address_to_send_to_has_no_method() {
    let Reading::Object(members) = read(&call("modify_webhook", r#"{"url":"https://hooks.evil.test/x"}"#)) else {
        panic!()
    };
    assert!(!members.contains_key("method"));
    assert_eq!(members["private"], Value::Bool(false));
    assert!(
        read(&call("modify_webhook", r#"{"webhookUrl":"http://169.254.169.254/"}"#))
            .to_value()
            .unwrap()
            .get("metadata")
            == Some(&Value::Bool(true))
    );
}

proptest! {
    #[test]
    fn only_the_registered_host_itself_is_registered(front in "[ -~]{0,8}", middle in "[ -~]{0,6}", back in "[ -~]{0,8}") {
        let url = format!("https://{front}api.github.com{middle}evil.test{back}");
        if get(&url)["registered"] == Value::Bool(true) {
            // Then what follows the scheme, up to the first delimiter, is exactly that host.
            let authority = url.strip_prefix("https://").unwrap().split(['/', '?', '#']).next().unwrap();
            let host = authority.rsplit('@').next().unwrap().trim_end_matches(":443").trim_end_matches(':').trim_end_matches('.').to_ascii_lowercase();
            prop_assert!(host == "api.github.com" || host.ends_with(".githubusercontent.com"), "{url}");
        }
    }

    #[test]
    fn every_private_number_is_private(address in any::<u32>()) {
        let dotted = std::net::Ipv4Addr::from(address);
        let expected = get(&format!("http://{dotted}/"))["private"].clone();
        prop_assert_eq!(&get(&format!("http://{address}/"))["private"], &expected);
        prop_assert_eq!(&get(&format!("http://{address:#x}/"))["private"], &expected);
        prop_assert_eq!(&get(&format!("http://[::ffff:{dotted}]/"))["private"], &expected);
        if dotted.is_private() || dotted.is_loopback() || dotted.is_link_local() {
            prop_assert_eq!(expected, Value::Bool(true));
        }
    }

    #[test]
    fn any_text_is_read_without_panicking(url in "\\PC{0,40}", method in "\\PC{0,8}") {
        let context = serde_json::json!({ "url": url, "method": method, "headers": { "Host": url } }).to_string();
        let _ = reading(&context);
    }
}
