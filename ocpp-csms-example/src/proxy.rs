//! Proxies in front of this server, and what they say about who is behind them.
//!
//! Anybody can send the headers by which a proxy tells that, so they count only where they come from an address that the operator
//! trusts, and of each line only as much as trusted proxies wrote. What counts then is seen by everything behind this: the address in
//! the audit log and where passwords are guessed, whether cookies are for TLS only, and the URLs that stations are given.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;
use ocpp_core::transport::TlsPeer;
use serde::Deserialize;

/// By which headers proxies tell who is behind them. One kind only: a proxy lets the other through as anybody wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyHeader {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The table `proxy` of the configuration file. Every member may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyFile {
    /// Addresses and networks of proxies, such as `10.0.0.5` and `10.1.0.0/16`. Default: none, and no header of theirs counts.
    #[serde(default)]
    pub trusted: Vec<String>,
    /// By which headers they tell: `x_forwarded` or `forwarded`. Default: `x_forwarded`.
    #[serde(default)]
    pub header: ProxyHeader,
}

/// The proxies that are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    trusted: Vec<IpNet>,
    header: ProxyHeader,
}

/// A proxy that is trusted says that the request came to it over TLS.
#[derive(Debug, Clone, Copy)]
struct ByTlsOfProxy;

/// Whether a request came over TLS: of this server, or of a proxy that is trusted.
pub(crate) fn came_by_tls(extensions: &Extensions) -> bool {
    extensions.get::<Arc<TlsPeer>>().is_some() || extensions.get::<ByTlsOfProxy>().is_some()
}

impl ProxyFile {
    /// `Err` is what is no address.
    pub(crate) fn check(self) -> Result<Proxies, String> {
        let network = |text: &String| {
            let one = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
            one.or_else(|_| text.parse::<IpNet>()).map_err(|_| text.clone())
        };
        let trusted = self.trusted.iter().map(network).collect::<Result<_, _>>()?;
        Ok(Proxies { trusted, header: self.header })
    }
}

/// What trusted proxies say of a request.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    client: IpAddr,
    by_tls: bool,
}

/// What one proxy wrote.
#[derive(Debug, Default)]
struct Hop {
    client: Option<IpAddr>,
    scheme: Option<String>,
}

impl Proxies {
    /// Whether this is the address of a proxy.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// Follows the proxies back from the peer, for as long as each is trusted.
    fn told(&self, peer: IpAddr, headers: &HeaderMap) -> Told {
        let hops = match self.header {
            ProxyHeader::XForwarded => x_forwarded(headers),
            ProxyHeader::Forwarded => forwarded(headers),
        };
        let mut told = Told { client: peer.to_canonical(), by_tls: false };
        for hop in hops.into_iter().rev() {
            if !self.trust(told.client) {
                break;
            }
            if let Some(scheme) = hop.scheme {
                told.by_tls = scheme.eq_ignore_ascii_case("https");
            }
            // Somebody who is not named: nobody further away is, either.
            let Some(client) = hop.client else { break };
            told.client = client;
        }
        told
    }
}

/// Puts the address of who is behind trusted proxies in the place of theirs.
pub(crate) async fn see_through(State(proxies): State<Arc<Proxies>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    if let Some(peer) = peer.filter(|peer| proxies.trust(peer.ip())) {
        let told = proxies.told(peer.ip(), request.headers());
        if told.client != peer.ip().to_canonical() {
            // Of the port nothing is told.
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(told.client, 0)));
        }
        if told.by_tls {
            request.extensions_mut().insert(ByTlsOfProxy);
        }
    }
    next.run(request).await
}

/// All the values of a header that is a list, the farthest hop first.
fn list<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let clients = list(headers, "x-forwarded-for");
    let schemes = list(headers, "x-forwarded-proto");
    let length = clients.len().max(schemes.len());
    // The last ones belong together: each proxy writes at the end, and some write only one of the two.
    let of = |values: &[&str], from_end: usize| {
        values.len().checked_sub(from_end + 1).and_then(|at| values.get(at)).map(|value| (*value).to_owned())
    };
    (0..length)
        .rev()
        .map(|from_end| Hop {
            client: of(&clients, from_end).and_then(|text| address(&text)),
            scheme: of(&schemes, from_end),
        })
        .collect()
}

/// RFC 7239, 4: elements separated by commas, of pairs separated by semicolons; values may be quoted.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let element = |text: &str| {
        let mut hop = Hop::default();
        for (name, value) in text.split(';').filter_map(|pair| pair.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.client = address(value),
                "proto" => hop.scheme = Some(value.to_owned()),
                _ => {}
            }
        }
        hop
    };
    list(headers, "forwarded").into_iter().map(element).collect()
}

/// An address, with a port or without, IPv6 in brackets or not.
fn address(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    inner.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn told(header: ProxyHeader, peer: &str, lines: &[(&'static str, &str)]) -> (String, bool) {
        let trusted = ["10.0.0.0/8", "::1", "192.0.2.1"].map(str::to_owned).to_vec();
        let proxies = ProxyFile { trusted, header }.check().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let told = proxies.told(peer.parse().unwrap(), &headers);
        (told.client.to_string(), told.by_tls)
    }

    #[test]
    fn only_what_trusted_proxies_wrote_counts() {
        let x = |peer, lines: &[(&'static str, &str)]| told(ProxyHeader::XForwarded, peer, lines);
        let (name, scheme) = ("x-forwarded-for", "x-forwarded-proto");
        assert_eq!(x("203.0.113.9", &[(name, "198.51.100.7"), (scheme, "https")]), ("203.0.113.9".into(), false));
        assert_eq!(x("10.0.0.5", &[(name, "198.51.100.7"), (scheme, "https")]), ("198.51.100.7".into(), true));
        // Whoever is behind the proxy wrote the first one.
        assert_eq!(x("10.0.0.5", &[(name, "127.0.0.1, 198.51.100.7")]), ("198.51.100.7".into(), false));
        assert_eq!(x("10.0.0.5", &[(name, "127.0.0.1"), (name, "198.51.100.7")]).0, "198.51.100.7");
        assert_eq!(x("10.0.0.5", &[(scheme, "https, http")]), ("10.0.0.5".into(), false));
        // A proxy behind a proxy.
        assert_eq!(x("10.0.0.5", &[(name, "6.6.6.6, 198.51.100.7, 192.0.2.1")]).0, "198.51.100.7");
        assert_eq!(x("10.0.0.5", &[]), ("10.0.0.5".into(), false));
        assert_eq!(x("10.0.0.5", &[(name, "unknown")]).0, "10.0.0.5");
        assert_eq!(x("::1", &[(name, "[2001:db8::7]:4711")]).0, "2001:db8::7");
        assert_eq!(x("::ffff:10.0.0.5", &[(name, "198.51.100.7:80")]).0, "198.51.100.7");
    }

    #[test]
    fn one_kind_of_header_counts_and_the_other_does_not() {
        let lines = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-proto", "http"),
            ("forwarded", "for=127.0.0.1, For=\"[2001:db8::7]:80\";proto=https;by=10.0.0.5"),
        ];
        assert_eq!(told(ProxyHeader::Forwarded, "10.0.0.5", &lines), ("2001:db8::7".into(), true));
        assert_eq!(told(ProxyHeader::XForwarded, "10.0.0.5", &lines), ("6.6.6.6".into(), false));
        assert_eq!(
            told(ProxyHeader::Forwarded, "10.0.0.5", &[("forwarded", "for=_hidden;proto=https")]),
            ("10.0.0.5".into(), true)
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let file = |text: &str| ProxyFile { trusted: vec![text.to_owned()], ..ProxyFile::default() };
        for text in ["proxy.example.org", "10.0.0.0/33", "", "10.0.0"] {
            assert_eq!(file(text).check(), Err(text.to_owned()));
        }
        assert!(file("10.0.0.5").check().unwrap().trust("10.0.0.5".parse().unwrap()));
        assert!(!file("10.0.0.5").check().unwrap().trust("10.0.0.6".parse().unwrap()));
        assert!(!Proxies::default().trust("127.0.0.1".parse().unwrap()));
    }
}
