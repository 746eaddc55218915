//! Where a request comes from: the other end of its connection, or what a trusted proxy says of it.

use crate::app::App;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const FORWARDED: &str = "x-forwarded-for";

/// Its address, where there is a connection.
pub struct Client(pub Option<IpAddr>);

impl FromRequestParts<Arc<App>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        Ok(Self(peer.map(|peer| address(peer, &parts.headers, &app.options.trusted_proxies))))
    }
}

/// SECURITY: whoever is not trusted is believed nothing, so the list is read from its end, where the proxy next to us
/// has put what it saw itself, and only as far as it was trusted proxies that wrote.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let values: Vec<&str> = headers.get_all(FORWARDED).iter().map(|value| value.to_str().unwrap_or_default()).collect();
    let mut hops = values.iter().rev().flat_map(|value| value.rsplit(','));
    let mut client = peer.to_canonical();
    while is_trusted(&client) {
        match hops.next().and_then(|hop| hop.trim().parse::<IpAddr>().ok()) {
            Some(before) => client = before.to_canonical(),
            None => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::network;

    fn seen(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "192.0.2.7", "fd00::/8"].map(|text| network(text).unwrap());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED, value.parse().unwrap());
        }
        address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        for (peer, forwarded, client) in [
            ("203.0.113.9", vec!["198.51.100.1"], "203.0.113.9"),
            ("10.1.2.3", vec!["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.1.2.3", vec!["::ffff:198.51.100.1"], "198.51.100.1"),
            ("fd00::1", vec!["2001:db8::5"], "2001:db8::5"),
            // What the client made up stands before what the proxy saw.
            ("10.1.2.3", vec!["127.0.0.1, 198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", vec!["127.0.0.1", "198.51.100.1, 192.0.2.7"], "198.51.100.1"),
            ("10.1.2.3", vec!["198.51.100.1, nonsense"], "10.1.2.3"),
            ("10.1.2.3", vec![""], "10.1.2.3"),
            ("10.1.2.3", vec![], "10.1.2.3"),
            ("10.1.2.3", vec!["10.9.9.9"], "10.9.9.9"),
            ("192.0.2.8", vec!["198.51.100.1"], "192.0.2.8"),
        ] {
            assert_eq!(seen(peer, &forwarded), client, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        for text in ["proxy", "10.0.0.0/33", "10.0.0", ""] {
            assert!(network(text).is_err(), "{text}");
        }
    }
}
