//! One address taken apart, strictly.

use super::host::Host;
use crate::target::Registration;

const MAX_ADDRESS: usize = 8 * 1024;

/// One address taken apart; `None` is unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) scheme: Option<String>,
    pub(super) host: Option<Host>,
    pub(super) port: Option<u16>,
    pub(super) path: Option<String>,
    pub(super) query: String,
    pub(super) userinfo: bool,
    /// Reaches this machine without a network (`file:`).
    pub(super) local: bool,
}

/// A path put behind a base; `None` if it climbs or could.
pub(super) fn join(base: &str, path: &str) -> Option<String> {
    plain_path(&format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/')))
}

/// The path if no part of it means another one.
pub(super) fn plain_path(path: &str) -> Option<String> {
    let lower = path.to_ascii_lowercase().replace("%2e", ".");
    let climbs = lower.split(['/', '\\']).any(|part| matches!(part, "." | "..") || part.starts_with("..;"));
    let strange =
        lower.contains(['\\', '\0']) || ["%5c", "%00", "%25", "%0a", "%0d"].iter().any(|sign| lower.contains(sign));
    (!climbs && !strange).then(|| if path.is_empty() { "/".to_owned() } else { path.to_owned() })
}

pub(super) fn bare_host(text: &str) -> Address {
    parse(&format!("https://{text}"))
}

/// Takes an absolute address apart, strictly.
pub(super) fn parse(text: &str) -> Address {
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
pub(super) fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
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
    pub(super) fn unreadable() -> Self {
        Self { scheme: None, host: None, port: None, path: None, query: String::new(), userinfo: false, local: false }
    }

    /// A registered host on its scheme's usual port. Another port is another service.
    pub(super) fn is_registered(&self, registration: &Registration) -> bool {
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
