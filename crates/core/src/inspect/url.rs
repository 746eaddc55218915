//! Where a request goes and what it asks for: host, scheme and method as the network will see them.
//!
//! Of several addresses in one call the strictest counts. An address that two libraries could send to
//! different hosts (backslashes, missing slashes, several `@`, percent signs or foreign letters in the
//! host, octal numbers) is `UNKNOWN`. Refuses to resolve names: what a name points to is not in the call.

mod address;
mod host;
mod parameters;

use super::Reading;
use super::arguments::{MAX_DEPTH, flat, headers, object, says_no, texts, truth, unknown};
use crate::call::Call;
use crate::catalogue::words;
use crate::value::{Object, Value};
use address::{Address, bare_host, join, parse};
use host::Host;
use parameters::{changes, decoded, mutates, takes_over_host};

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
    "next",
    "mirror",
    "tunnel",
    "resolve",
    "resolver",
    "dns",
    "connectto",
    "ip",
    "hosts",
    "hostnames",
    "socketpath",
    "unixsocket",
    "links",
];
/// Members that are a host and perhaps a port, without a scheme.
const NAMES_HOST: &[&str] = &["host", "hostname", "domain", "tunnel", "ip", "hosts", "hostnames"];
/// Members that lead to a socket of this machine.
const NAMES_SOCKET: &[&str] = &["socketpath", "unixsocket"];
/// Members with command-line options or a request in words, which may say anything.
const NAMES_WORDS: &[&str] = &[
    "args",
    "arguments",
    "flags",
    "extraargs",
    "curl",
    "curloptions",
    "command",
    "cmd",
    "raw",
    "rawrequest",
    "request",
];
/// Members that are sent along.
const NAMES_BODY: &[&str] = &[
    "body",
    "json",
    "data",
    "form",
    "payload",
    "formdata",
    "file",
    "files",
    "upload",
    "uploads",
    "multipart",
    "urlencoded",
];
/// Members whose addresses nobody goes to.
const NAMES_QUIET: &[&str] = &[
    "query",
    "metadata",
    "tags",
    "reason",
    "note",
    "description",
    "referer",
    "referrer",
    "documentation",
    "schema",
    "auth",
    "headers",
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
    "then",
    "items",
    "proxy",
];
const NAMES_METHOD: &[&str] = &["method", "methods", "verb", "httpmethod", "httpverb", "requestmethod"];
/// Parameters of a query or form whose value is what is done.
const NAMES_VERB: &[&str] = &["method", "httpmethod", "verb", "action", "op", "operation", "cmd", "do"];
const OVERRIDES: &[&str] =
    &["xhttpmethodoverride", "xhttpmethod", "xmethodoverride", "httpmethodoverride", "methodoverride"];
/// Header lines that send the request elsewhere than its address says.
const OTHER_PATHS: &[&str] = &["xoriginalurl", "xrewriteurl", "xforwardedprefix", "xoriginaluri"];
const OTHER_HOSTS: &[&str] = &["host", "xforwardedhost", "xhost", "xforwardedserver", "xoriginalhost", "forwarded"];

#[derive(Default)]
struct Request<'a> {
    addresses: Vec<Address>,
    /// Addresses that are only a path, to be put behind a base.
    relative: Vec<&'a str>,
    methods: Vec<Option<String>>,
    ports: Vec<Option<u16>>,
    path_overridden: bool,
    /// Something is sent along.
    body: bool,
}

pub(super) fn read(call: &Call) -> Reading {
    let mut request = Request::default();
    request.members(&call.context, 0);
    request.method_of_name(call);
    request.reading(call)
}

impl<'a> Request<'a> {
    /// The name of the call may be stricter than its arguments, never laxer: `requests.get` is a GET only if
    /// nothing in the call names another method.
    fn method_of_name(&mut self, call: &Call) {
        if call.action.declared == *call.action.canonical {
            return;
        }
        let silent = self.methods.is_empty() && &*call.action.canonical == "call_api";
        for word in words(&call.action.declared) {
            match word.as_str() {
                "post" | "put" | "patch" | "delete" => self.methods.push(Some(word.to_ascii_uppercase())),
                "get" | "head" if silent => self.methods.push(Some(word.to_ascii_uppercase())),
                _ => {}
            }
        }
    }

    fn members(&mut self, members: &'a Object, depth: usize) {
        for (written, value) in members {
            let name = flat(written);
            if NAMES_ADDRESS.contains(&&*name) {
                self.address(&name, value, depth);
            } else if name == "path" || name == "pathname" {
                match value.as_text() {
                    Some(path) => self.relative.push(path),
                    None => self.path_overridden |= !matches!(value, Value::Null),
                }
            } else if name == "port" {
                self.ports.push(port(value));
            } else if matches!(&*name, "protocol" | "scheme") {
                let web = value.as_text().map(|text| text.trim_end_matches(['/', ':']).to_ascii_lowercase());
                if !web.is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https")) {
                    self.addresses.push(Address::unreadable());
                }
            } else if name == "headers" || name == "header" {
                self.headers(value);
            } else {
                self.method_member(&name, value);
                if !NAMES_REQUEST.contains(&&*name) && !NAMES_BODY.contains(&&*name) && !NAMES_QUIET.contains(&&*name) {
                    self.addresses_in(value, depth);
                }
            }
            if NAMES_BODY.contains(&&*name) {
                self.body |= !says_no(value);
            }
            if matches!(&*name, "query" | "params" | "body" | "form" | "json" | "data" | "payload" | "formdata") {
                self.overrides_in(value);
            }
            if NAMES_WORDS.contains(&&*name) && has_words(value) {
                self.methods.push(None);
            }
            if NAMES_REQUEST.contains(&&*name) && depth < MAX_DEPTH {
                self.request(value, depth + 1);
            }
        }
    }

    /// Under a name that means nothing here, what plainly is an address and nothing else.
    fn addresses_in(&mut self, value: &'a Value, depth: usize) {
        let is_address = |text: &str| {
            let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
            !text.contains(char::is_whitespace)
                && scheme
                    .is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https" | "ws" | "wss" | "ftp" | "file"))
        };
        match value {
            Value::Text(text) if is_address(text) => self.addresses.push(parse(text)),
            Value::List(items) if depth < MAX_DEPTH => items.iter().for_each(|item| self.addresses_in(item, depth + 1)),
            Value::Object(inner) if depth < MAX_DEPTH => {
                inner.values().for_each(|value| self.addresses_in(value, depth + 1));
            }
            _ => {}
        }
    }

    fn method_member(&mut self, name: &str, value: &Value) {
        // Some libraries call the method `type`; elsewhere `type` and `action` are any word.
        let is_verb = matches!(name, "type" | "action" | "operation") && value.as_text().is_some_and(changes);
        if NAMES_METHOD.contains(&name) || name == "_method" || OVERRIDES.contains(&name) || is_verb {
            self.methods.push(method(value));
        } else if value.as_text().is_some_and(mutates) {
            self.methods.push(Some("POST".to_owned()));
        }
    }

    /// A request inside the call, or several.
    fn request(&mut self, value: &'a Value, depth: usize) {
        match value {
            Value::Object(inner) => self.members(inner, depth),
            Value::List(items) if depth < MAX_DEPTH => items.iter().for_each(|item| self.request(item, depth + 1)),
            Value::Text(_) => self.addresses_in(value, depth),
            _ => {}
        }
    }

    fn address(&mut self, name: &str, value: &'a Value, depth: usize) {
        match value {
            Value::Null => {}
            Value::Bool(false) if name == "proxy" => {}
            _ if NAMES_SOCKET.contains(&name) => {
                self.addresses.push(Address { local: true, ..Address::unreadable() });
            }
            Value::Text(text) if text.starts_with('/') && !text.starts_with("//") => self.relative.push(text),
            Value::Text(text) if NAMES_HOST.contains(&name) && !text.contains("://") => {
                self.addresses.push(bare_host(text));
            }
            Value::Text(text) => {
                let address = parse(text);
                if let (None, Some((_, query))) = (&address.host, text.split_once('?')) {
                    self.parameters_in_text(query);
                }
                self.addresses.push(address);
            }
            Value::List(items) if depth < MAX_DEPTH => {
                items.iter().for_each(|item| self.address(name, item, depth + 1));
            }
            Value::Object(inner) if depth < MAX_DEPTH => {
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
        if value.as_object().is_some_and(|members| members.keys().any(|name| !is_token(name))) {
            // A name with a line break in it is two lines.
            self.methods.push(None);
        }
        for (name, value) in lines {
            let text = value.as_text();
            self.body |= match &*name {
                "transferencoding" => true,
                "contentlength" => text != Some("0") && value.as_number() != Some(0u64.into()),
                _ => false,
            };
            if text.is_some_and(|text| text.contains(['\r', '\n', '\0'])) {
                self.methods.push(None);
            } else if name.ends_with("method") && name != "accesscontrolrequestmethod" || OVERRIDES.contains(&&*name) {
                self.methods.push(method(value));
            } else if OTHER_HOSTS.contains(&&*name) {
                self.addresses.push(text.map_or_else(Address::unreadable, bare_host));
            } else if OTHER_PATHS.contains(&&*name) {
                self.path_overridden = true;
            }
        }
    }

    /// `_method` in a form or query is a method to many frameworks, a mutation is a change to GraphQL.
    fn overrides_in(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    self.parameter(name, value);
                }
            }
            Value::List(items) => {
                for item in items {
                    match item.as_list() {
                        Some([Value::Text(name), value]) => self.parameter(name, value),
                        _ => self.overrides_in(item),
                    }
                }
            }
            Value::Text(text) => self.parameters_in_text(text),
            _ => {}
        }
    }

    fn parameter(&mut self, name: &str, value: &Value) {
        let flat = flat(name);
        let names_method = flat == "method" && name.starts_with('_') || OVERRIDES.contains(&&*flat);
        let says_change = value.as_text().is_some_and(changes);
        if names_method {
            self.methods.push(method(value));
        } else if NAMES_VERB.contains(&&*flat) && says_change {
            self.methods.push(None);
        } else if value.as_text().is_some_and(mutates) {
            self.methods.push(Some("POST".to_owned()));
        }
    }

    /// `a=1&_method=DELETE`, encoded any number of times.
    fn parameters_in_text(&mut self, text: &str) {
        let Some(decoded) = decoded(text) else {
            self.methods.push(None);
            return;
        };
        for part in decoded.split(['&', ';', '?']) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            self.parameter(name.trim_end_matches("[]"), &Value::from(value));
        }
        if mutates(&decoded) {
            self.methods.push(Some("POST".to_owned()));
        }
    }

    /// What follows the host may be an address that the server goes on to: a redirect, a proxy.
    fn carried(&mut self, address: &Address) {
        let text = format!("{}?{}", address.path.as_deref().unwrap_or_default(), address.query);
        self.parameters_in_text(&address.query);
        self.carried_in(&text);
    }

    fn carried_in(&mut self, text: &str) {
        let Some(text) = decoded(text) else {
            self.addresses.push(Address::unreadable());
            return;
        };
        for (at, _) in text.match_indices("://") {
            let (front, back) = text.split_at_checked(at).unwrap_or_default();
            let letters = front.bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
            let scheme = front.get(front.len() - letters..).unwrap_or_default();
            let end = back.find(['&', '#', ' ', '"', '\'']).unwrap_or(back.len());
            self.addresses.push(parse(&format!("{scheme}{}", back.get(..end).unwrap_or_default())));
        }
        if text.contains("=//") || text.contains("=\\\\") || text.contains("=/\\") {
            self.addresses.push(Address::unreadable());
        }
    }

    /// A port beside an address. Nobody can tell which of two ports, or of which address, a library will take.
    fn put_ports(&mut self) {
        for port in std::mem::take(&mut self.ports) {
            for address in &mut self.addresses {
                match port {
                    Some(port) if address.port.is_none_or(|own| own == port) => address.port = Some(port),
                    _ => address.host = None,
                }
            }
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
        self.put_ports();
        for address in self.addresses.clone() {
            self.carried(&address);
        }
        for relative in std::mem::take(&mut self.relative) {
            let (path, query) = relative.split_once('?').unwrap_or((relative, ""));
            self.parameters_in_text(query);
            self.carried_in(relative);
            let Some(first) = self.addresses.first_mut() else { continue };
            let at_root = first.path.as_ref().is_none_or(|base| base == "/");
            first.path = first.path.as_ref().and_then(|base| join(base, path));
            if takes_over_host(path, at_root) {
                self.addresses.push(Address::unreadable());
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
        let text = |text: Option<String>| text.map_or_else(unknown, Value::from);
        let mut members = object([
            ("host", text(if agreed { hosts.first().cloned() } else { None })),
            ("hosts", texts(hosts)),
            ("scheme", text(first.scheme.clone())),
            ("path", text(first.path.clone().filter(|_| !self.path_overridden))),
            ("registered", Value::Bool(registered)),
            ("private", truth(private)),
            ("metadata", truth(metadata)),
            ("userinfo", Value::Bool(self.addresses.iter().any(|address| address.userinfo))),
            ("body", Value::Bool(self.body)),
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
    let reads = |method: &String| matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS");
    if let Some(other) = methods.iter().flatten().find(|method| !reads(method)) {
        return Some(other.clone());
    }
    let readable: Option<Vec<&String>> = methods.iter().map(Option::as_ref).collect();
    readable?.first().map(|method| (*method).clone())
}

fn port(value: &Value) -> Option<u16> {
    match value {
        Value::Number(number) => number.to_i64().and_then(|number| u16::try_from(number).ok()),
        _ => None,
    }
}

/// Whether a value has any text of its own, not only named members.
fn has_words(value: &Value) -> bool {
    match value {
        Value::Text(text) => !text.trim().is_empty(),
        Value::List(items) => items.iter().any(has_words),
        _ => false,
    }
}

fn is_token(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests;
