//! A host as the network sees it: a name, or an IP address whatever its notation.
//!
//! Refuses (reads as nothing) every spelling that libraries decode differently: percent signs, letters
//! outside ASCII, numbers with leading zeros, zone ids.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// Lower case, without the final dot.
    Name(String),
    Address(IpAddr),
}

/// Names under which clouds hand out credentials.
const METADATA_NAMES: &[&str] = &[
    "metadata.google.internal",
    "metadata",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.azure.internal",
    "metadata.goog",
    "metadata.tencentyun.com",
];
/// Endings of names that stay inside a network.
const PRIVATE_ENDINGS: &[&str] = &[
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "localdomain",
    "svc",
    "arpa",
    "test-internal",
];
/// Public services whose names point to any address one likes, or to this machine.
const POINTS_ANYWHERE: &[&str] = &[
    "nip.io",
    "sslip.io",
    "xip.io",
    "localtest.me",
    "lvh.me",
    "vcap.me",
    "lacolhost.com",
    "fbi.com",
    "traefik.me",
    "localho.st",
    "yoogle.com",
    "1u.ms",
    "rbndr.us",
];

impl Host {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(embedded(address).map_or(IpAddr::V6(address), IpAddr::V4)));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if name.len() > 253 || !name.split('.').all(label) {
            return None;
        }
        let last = name.rsplit('.').next().unwrap_or_default();
        if is_numeric(last) {
            return numbers(&name).map(|address| Self::Address(IpAddr::V4(address)));
        }
        Some(Self::Name(name))
    }

    pub(super) fn is_private(&self) -> bool {
        match self {
            Self::Name(name) => {
                let last = name.rsplit('.').next().unwrap_or_default();
                !name.contains('.')
                    || PRIVATE_ENDINGS.contains(&last)
                    || POINTS_ANYWHERE.iter().any(|domain| is_below(name, domain))
                    || self.is_metadata()
            }
            Self::Address(IpAddr::V4(address)) => private_v4(*address),
            Self::Address(IpAddr::V6(address)) => private_v6(*address),
        }
    }

    pub(super) fn is_metadata(&self) -> bool {
        match self {
            Self::Name(name) => METADATA_NAMES.iter().any(|known| is_below(name, known)),
            Self::Address(IpAddr::V4(address)) => {
                // AWS, GCP, Azure, ECS and EKS; Alibaba; Oracle; the Azure wire server.
                address.is_link_local()
                    || [[100, 100, 100, 200], [192, 0, 0, 192], [168, 63, 129, 16]].contains(&address.octets())
            }
            Self::Address(IpAddr::V6(address)) => {
                // fd00:ec2::254 and fd20:ce::254.
                matches!(address.segments(), [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..])
            }
        }
    }

    /// Whether a registered name (`api.example.com`, `*.example.com`, an address) is this host.
    pub(super) fn matches(&self, registered: &str) -> bool {
        match (self, registered.strip_prefix("*.")) {
            (Self::Name(name), Some(domain)) => name != domain && is_below(name, domain),
            (Self::Name(name), None) => name == registered,
            (Self::Address(address), _) => registered.parse() == Ok(*address),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

fn is_numeric(label: &str) -> bool {
    let hexadecimal =
        label.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hexadecimal || label.bytes().all(|byte| byte.is_ascii_digit())
}

/// One to four numbers, decimal or hexadecimal, the last filling what is left (`127.1`, `0x7f000001`).
/// A leading zero is octal to some and decimal to others, so it is refused.
fn numbers(name: &str) -> Option<Ipv4Addr> {
    let mut parts = Vec::new();
    for part in name.split('.') {
        let number = match part.strip_prefix("0x") {
            Some("") => return None,
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None if part.len() > 1 && part.starts_with('0') => return None,
            None => part.parse().ok()?,
        };
        parts.push(number);
    }
    let (last, front) = parts.split_last()?;
    if front.len() > 3 || front.iter().any(|part| *part > 255) {
        return None;
    }
    let free_bits = 32 - 8 * u32::try_from(front.len()).ok()?;
    if free_bits < 32 && *last >> free_bits != 0 {
        return None;
    }
    let high = front.iter().zip([24, 16, 8]).fold(0u32, |sum, (part, shift)| sum | part << shift);
    Some(Ipv4Addr::from(high | last))
}

/// The IPv4 address inside an IPv6 one: mapped, compatible, 6to4, NAT64.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let pair = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match (a, b) {
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0) && (g, h) != (0, 0) && (g, h) != (0, 1) => Some(pair(g, h)),
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) || (c, d, e, f) == (0, 0, 0xffff, 0) => Some(pair(g, h)),
        (0x2002, _) => Some(pair(b, c)),
        (0x64, 0xff9b) => Some(pair(g, h)),
        _ => None,
    }
}

fn private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0)
            | (198, 18..=19, _)
            | (224..=255, ..)
    ) || address.octets() == [168, 63, 129, 16]
}

fn private_v6(address: Ipv6Addr) -> bool {
    let first = address.segments().first().copied().unwrap_or_default();
    // Loopback and unspecified, unique local, link and site local, multicast, Teredo.
    address.is_loopback()
        || address.is_unspecified()
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfe80
        || first & 0xffc0 == 0xfec0
        || first & 0xff00 == 0xff00
        || matches!(address.segments(), [0x2001, 0, ..])
}
