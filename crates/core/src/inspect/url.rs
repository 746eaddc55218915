//! Where a request goes and what it asks for: host, scheme and method as the network will see them.
//!
//! Of several addresses in one call the strictest counts. An address that two libraries could send to
//! different hosts (backslashes, missing slashes, several `@`, percent signs or foreign letters in the
//! host, octal numbers) is `UNKNOWN`. Refuses to resolve names: what a name points to is not in the call.

mod host;

use super::Reading;
use super::arguments::{flat, headers, object, texts, truth, unknown};
use crate::call::Call;
use crate::catalogue::words;
use crate::target::Registration;
use crate::value::{Object, Value};
use host::Host;

/// Members that hold the address of the request.
const NAMES_ADDRESS: &[&str] = &[
    "url",
    "uri",
    "href",
    "link",
    "endpoint",
    "webhook",
    "callback",
    "callbackurl",
    "webhookurl",
    "baseurl",
    "host",
    "hostname",
    "server",
    "origin",
    "proxy",
    "redirecturl",
    "redirect",
    "redirectto",
    "redirecturi",
    "forwardto",
    "requesturl",
    "targeturl",
    "posturl",
    "apiurl",
    "address",
    "domain",
    "urls",
    "uris",
    "endpoints",
    "destination",
    "fullurl",
    "urlstring",
    "uristring",
    "hookurl",
];
/// Members that wrap the request.
const NAMES_REQUEST: &[&str] = &[
    "request",
    "config",
    "options",
    "init",
    "axios",
    "webhook",
    "params",
    "parameters",
    "arguments",
    "args",
    "input",
    "fetch",
    "http",
    "requests",
    "calls",
    "batch",
    "steps",
];
const NAMES_METHOD: &[&str] = &["method", "verb", "httpmethod", "httpverb", "requestmethod"];
const OVERRIDES: &[&str] =
    &["xhttpmethodoverride", "xhttpmethod", "xmethodoverride", "httpmethodoverride", "methodoverride"];
/// Header lines that send the request elsewhere than its address says.
const OTHER_PATHS: &[&str] = &["xoriginalurl", "xrewriteurl", "xforwardedprefix", "xoriginaluri"];
const OTHER_HOSTS: &[&str] = &["host", "xforwardedhost", "xhost", "xforwardedserver", "xoriginalhost", "forwarded"];
const MAX_ADDRESS: usize = 8 * 1024;

/// One address taken apart; `None` is unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    scheme: Option<String>,
    host: Option<Host>,
    port: Option<u16>,
    path: Option<String>,
    query: String,
    userinfo: bool,
    /// Reaches this machine without a network (`file:`).
    local: bool,
}

#[derive(Default)]
struct Request<'a> {
    addresses: Vec<Address>,
    /// Addresses that are only a path, to be put behind a base.
    relative: Vec<&'a str>,
    methods: Vec<Option<String>>,
    path_overridden: bool,
}

pub(super) fn read(call: &Call) -> Reading {
    let mut request = Request::default();
    request.members(&call.context, 0);
    // The name of the call may be stricter than its arguments, never laxer.
    for word in words(&call.action.declared) {
        if matches!(word.as_str(), "post" | "put" | "patch" | "delete")
            && call.action.declared != *call.action.canonical
        {
            request.methods.push(Some(word.to_ascii_uppercase()));
        }
    }
    request.reading(call)
}

impl<'a> Request<'a> {
    fn members(&mut self, members: &'a Object, depth: usize) {
        for (name, value) in members {
            let name = flat(name);
            if NAMES_ADDRESS.contains(&&*name) {
                self.address(&name, value, depth);
            } else if name == "path" || name == "pathname" {
                match value.as_text() {
                    Some(path) => self.relative.push(path),
                    None => self.path_overridden |= !matches!(value, Value::Null),
                }
            } else if NAMES_METHOD.contains(&&*name) || name == "_method" || OVERRIDES.contains(&&*name) {
                self.methods.push(method(value));
            } else if name == "headers" || name == "header" {
                self.headers(value);
            }
            if matches!(&*name, "query" | "params" | "body" | "form" | "json" | "data" | "payload" | "formdata") {
                self.overrides_in(value);
            }
            if NAMES_REQUEST.contains(&&*name) && depth < 4 {
                self.request(value, depth + 1);
            }
        }
    }

    /// A request inside the call, or several.
    fn request(&mut self, value: &'a Value, depth: usize) {
        match value {
            Value::Object(inner) => self.members(inner, depth),
            Value::List(items) => items.iter().for_each(|item| {
                if let Value::Object(inner) = item {
                    self.members(inner, depth);
                }
            }),
            _ => {}
        }
    }

    fn address(&mut self, name: &str, value: &'a Value, depth: usize) {
        match value {
            Value::Null => {}
            Value::Bool(false) if name == "proxy" => {}
            Value::Text(text) if text.starts_with('/') && !text.starts_with("//") => self.relative.push(text),
            Value::Text(text) if matches!(name, "host" | "hostname" | "domain") && !text.contains("://") => {
                self.addresses.push(bare_host(text));
            }
            Value::Text(text) => self.addresses.push(parse(text)),
            Value::List(items) => items.iter().for_each(|item| self.address(name, item, depth)),
            Value::Object(inner) if depth < 4 => {
                let before = self.addresses.len();
                self.members(inner, depth + 1);
                if self.addresses.len() == before {
                    self.addresses.push(Address::unreadable());
                }
            }
            _ => self.addresses.push(Address::unreadable()),
        }
    }

    fn headers(&mut self, value: &'a Value) {
        let Some(lines) = headers(value) else {
            // Lines nobody can read may name another method or host.
            self.methods.push(None);
            return;
        };
        for (name, value) in lines {
            let text = value.as_text();
            if text.is_some_and(|text| text.contains(['\r', '\n', '\0'])) {
                self.methods.push(None);
            } else if OVERRIDES.contains(&&*name) {
                self.methods.push(method(value));
            } else if OTHER_HOSTS.contains(&&*name) {
                self.addresses.push(text.map_or_else(Address::unreadable, bare_host));
            } else if OTHER_PATHS.contains(&&*name) {
                self.path_overridden = true;
            }
        }
    }

    /// `_method` in a form or query is a method to many frameworks.
    fn overrides_in(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    if name.eq_ignore_ascii_case("_method") {
                        self.methods.push(method(value));
                    }
                }
            }
            Value::Text(text) => self.override_in_text(text),
            _ => {}
        }
    }

    fn override_in_text(&mut self, text: &str) {
        let lower = text.to_ascii_lowercase();
        if lower.contains("_method") || lower.contains("%5fmethod") || lower.contains("_%6d") {
            self.methods.push(None);
        }
    }

    fn reading(mut self, call: &Call) -> Reading {
        if self.addresses.is_empty() {
            let sends = ["call_api", "modify_webhook"].iter().any(|name| call.action.is(name));
            if !sends {
                return Reading::NotApplicable;
            }
            self.addresses.push(Address::unreadable());
        }
        for address in self.addresses.clone() {
            self.override_in_text(&address.query);
        }
        for relative in std::mem::take(&mut self.relative) {
            let (path, query) = relative.split_once('?').unwrap_or((relative, ""));
            self.override_in_text(query);
            if let Some(first) = self.addresses.first_mut() {
                first.path = first.path.as_ref().and_then(|base| join(base, path));
            }
        }
        let registration = &call.registration;
        let known = |test: &dyn Fn(&Host) -> bool| {
            any_known(self.addresses.iter().map(|address| address.host.as_ref().map(test)))
        };
        let private =
            any_known([known(&Host::is_private), Some(self.addresses.iter().any(|address| address.local))].into_iter());
        let metadata = known(&Host::is_metadata);
        let registered = self.addresses.iter().all(|address| address.is_registered(registration));
        let hosts: Vec<String> =
            self.addresses.iter().filter_map(|address| address.host.as_ref().map(Host::to_string)).collect();
        let Some(first) = self.addresses.first() else { return Reading::Unknown };
        let same_host = |address: &Address| address.host.is_some() && address.host == first.host;
        let agreed = self.addresses.iter().all(same_host);
        let text = |text: Option<String>| text.map_or_else(unknown, Value::Text);
        let mut members = object([
            ("host", text(if agreed { hosts.first().cloned() } else { None })),
            ("hosts", texts(hosts)),
            ("scheme", text(first.scheme.clone())),
            ("path", text(first.path.clone().filter(|_| !self.path_overridden))),
            ("registered", Value::Bool(registered)),
            ("private", truth(private)),
            ("metadata", truth(metadata)),
            ("userinfo", Value::Bool(self.addresses.iter().any(|address| address.userinfo))),
        ]);
        if let Some(port) = first.port {
            members.insert("port".to_owned(), Value::from(i64::from(port)));
        }
        // Only a request has a method; an address to send events to has none.
        let requests = call.action.is("call_api") || !self.methods.is_empty() || !call.action.known;
        if requests {
            members.insert("method".to_owned(), text(strictest(&self.methods)));
        }
        Reading::Object(members)
    }
}

/// Whether any is true; unknown if none is and one is unknown.
fn any_known(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut sum = Some(false);
    for value in values {
        sum = match (sum, value) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
    }
    sum
}

/// The method in upper case; anything but letters is unreadable.
fn method(value: &Value) -> Option<String> {
    let text = value.as_text()?;
    let letters = !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    letters.then(|| text.to_ascii_uppercase())
}

/// The first method that is not plainly a read, else the one that all name. No method, or one that
/// cannot be read, is unknown, unless another is known to be no read.
fn strictest(methods: &[Option<String>]) -> Option<String> {
    let reads = |method: &String| matches!(method.as_str(), "GET" | "HEAD");
    if let Some(other) = methods.iter().flatten().find(|method| !reads(method)) {
        return Some(other.clone());
    }
    let readable: Option<Vec<&String>> = methods.iter().map(Option::as_ref).collect();
    readable?.first().map(|method| (*method).clone())
}

/// A path put behind a base; `None` if it climbs or could.
fn join(base: &str, path: &str) -> Option<String> {
    plain_path(&format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/')))
}

/// The path if no part of it means another one.
fn plain_path(path: &str) -> Option<String> {
    let lower = path.to_ascii_lowercase().replace("%2e", ".");
    let climbs = lower.split(['/', '\\']).any(|part| matches!(part, "." | "..") || part.starts_with("..;"));
    let strange =
        lower.contains(['\\', '\0']) || lower.contains("%5c") || lower.contains("%00") || lower.contains("%25");
    (!climbs && !strange).then(|| if path.is_empty() { "/".to_owned() } else { path.to_owned() })
}

fn bare_host(text: &str) -> Address {
    parse(&format!("https://{text}"))
}

/// Takes an absolute address apart, strictly.
fn parse(text: &str) -> Address {
    let strange = |character: char| {
        character.is_control()
            || character.is_whitespace()
            || matches!(character, '\\' | '`' | '{' | '}' | '<' | '>' | '"' | '^' | '|')
    };
    if text.len() > MAX_ADDRESS || text.chars().any(strange) {
        return Address::unreadable();
    }
    let Some((scheme, rest)) = text.split_once(':') else { return Address::unreadable() };
    let scheme_ok = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    if !scheme_ok {
        return Address::unreadable();
    }
    let scheme = scheme.to_ascii_lowercase();
    let local = matches!(
        scheme.as_str(),
        "file" | "unix" | "jar" | "netdoc" | "local" | "gopher" | "dict" | "ldap" | "data" | "javascript"
    );
    // `host:443/x` is a host and a port to some, a scheme to others.
    let readable = matches!(scheme.as_str(), "http" | "https" | "ws" | "wss" | "ftp" | "ftps" | "sftp");
    let Some(rest) = rest.strip_prefix("//").filter(|rest| readable && !rest.starts_with('/')) else {
        return Address { scheme: Some(scheme), local, ..Address::unreadable() };
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = (rest.get(..end).unwrap_or_default(), rest.get(end..).unwrap_or_default());
    let (tail, _) = tail.split_once('#').unwrap_or((tail, ""));
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let (userinfo, host) = match authority.split_once('@') {
        Some((_, host)) => (true, host),
        None => (false, authority),
    };
    let (host, port) = match split_port(host) {
        Some((host, port)) => (Host::parse(host), port),
        None => (None, None),
    };
    Address {
        scheme: Some(scheme),
        host,
        port,
        path: plain_path(path),
        query: query.to_owned(),
        userinfo,
        local: false,
    }
}

/// Host and port; `None` if the port is no port. A second `@` is left in the host, which refuses it.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let after_bracket = text.rfind(']').map_or(0, |at| at + 1);
    match text.get(after_bracket..)?.rfind(':') {
        None => Some((text, None)),
        Some(at) => {
            let (host, port) = text.split_at_checked(after_bracket + at)?;
            let port = port.strip_prefix(':')?;
            if port.is_empty() {
                return Some((host, None));
            }
            let digits = port.bytes().all(|byte| byte.is_ascii_digit()) && (port.len() == 1 || !port.starts_with('0'));
            digits.then(|| port.parse().ok()).flatten().map(|port| (host, Some(port)))
        }
    }
}

impl Address {
    fn unreadable() -> Self {
        Self { scheme: None, host: None, port: None, path: None, query: String::new(), userinfo: false, local: false }
    }

    /// A registered host on its scheme's usual port. Another port is another service.
    fn is_registered(&self, registration: &Registration) -> bool {
        let usual = match self.scheme.as_deref() {
            Some("https" | "wss") => Some(443),
            Some("http" | "ws") => Some(80),
            _ => return false,
        };
        let Some(host) = &self.host else { return false };
        (self.port.is_none() || self.port == usual)
            && registration.hosts.iter().any(|registered| host.matches(registered))
    }
}

#[cfg(test)]
mod tests;
