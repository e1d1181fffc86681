//! Who is at the other end, and whether others can listen.
//!
//! A proxy is believed only if the configuration names its address: then the client is whom it forwards in
//! `X-Forwarded-For`, read from the right up to the first address that is no proxy of ours, because everything left
//! of that was written by strangers. From anybody else such headers are removed unread. `Forwarded` and `X-Real-IP`
//! are never read: a proxy that sets one of these headers passes the others on as the client sent them.

use std::net::IpAddr;
use std::sync::Arc;

use api::{ClientAddress, ProblemKind};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use ipnet::IpNet;

const ENCRYPTION_REQUIRED: ProblemKind =
    ProblemKind::new(StatusCode::FORBIDDEN, "encryption_required", "This planet speaks https only");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What strangers might write into, and nobody behind us may read.
const FORWARDED: [HeaderName; 7] = [
    FORWARDED_FOR,
    FORWARDED_PROTO,
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-real-ip"),
];

/// The other end of a connection; in the extensions of every request from the moment it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// By our own TLS.
    pub(crate) is_encrypted: bool,
}

/// How a request came; in its extensions after [`Proxies::see`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Way {
    /// Whether the client's browser sees https: by our TLS, or as a proxy of ours says.
    pub(crate) is_https: bool,
    /// Whether nobody between could have listened who is not trusted with it.
    pub(crate) is_private: bool,
}

/// The proxies that are believed.
#[derive(Clone, Debug)]
pub(crate) struct Proxies(Arc<[IpNet]>);

impl Proxies {
    pub(crate) fn new(trusted: &[IpNet]) -> Self {
        Self(trusted.into())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// Finds out where a request comes from and how; leaves no forwarded header in it.
    pub(crate) fn see(&self, peer: Peer, headers: &mut HeaderMap) -> (ClientAddress, Way) {
        let address = peer.address.to_canonical();
        let is_proxy = self.trusts(address);
        let client = if is_proxy { self.client(address, headers) } else { address };
        let says_https = || {
            let proto = headers.get(FORWARDED_PROTO).and_then(|value| value.to_str().ok());
            // Behind two proxies the first one talked to the client.
            proto
                .and_then(|list| list.split(',').next())
                .is_some_and(|it| it.trim().eq_ignore_ascii_case("https"))
        };
        let way = Way {
            is_https: peer.is_encrypted || (is_proxy && says_https()),
            is_private: peer.is_encrypted || is_proxy || address.is_loopback(),
        };
        for name in FORWARDED {
            headers.remove(name);
        }
        (ClientAddress(client), way)
    }

    /// The rightmost address that is no proxy of ours; what cannot be read ends the search where it is known.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer;
        let lines: Vec<&str> =
            headers.get_all(FORWARDED_FOR).iter().map(|line| line.to_str().unwrap_or("?")).collect();
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            let Some(address) = address_in(hop.trim()) else { return nearest };
            nearest = address;
            if !self.trusts(address) {
                break;
            }
        }
        nearest
    }
}

/// `203.0.113.7`, `203.0.113.7:1234`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:1234`.
fn address_in(hop: &str) -> Option<IpAddr> {
    let address = hop
        .parse::<IpAddr>()
        .or_else(|_| hop.parse::<std::net::SocketAddr>().map(|it| it.ip()))
        .or_else(|_| hop.trim_start_matches('[').trim_end_matches(']').parse());
    address.ok().map(|it| it.to_canonical())
}

/// Middleware: what came over an open network unencrypted is not answered, so that nobody's token travels like that a
/// second time. The start refuses such a configuration; this is for a proxy whose address was forgotten.
pub(crate) async fn privacy_layer(request: Request, next: Next) -> Response {
    match request.extensions().get::<Way>() {
        Some(way) if !way.is_private => ENCRYPTION_REQUIRED
            .detail(
                "if you came through a proxy of this planet: its address is missing in http.trusted_proxies",
            )
            .into_response(),
        _ => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, lines: &[&str], client: &str) {
        let proxies = Proxies::new(&["10.0.0.0/8".parse().unwrap(), "2001:db8:ff::/48".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, axum::http::HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        headers.insert("x-real-ip", "6.6.6.6".parse().unwrap());
        headers.insert("forwarded", "for=6.6.6.6".parse().unwrap());
        let peer = Peer { address: peer.parse().unwrap(), is_encrypted: false };
        let (found, _) = proxies.see(peer, &mut headers);
        assert_eq!(found, ClientAddress(client.parse().unwrap()), "{peer:?} {lines:?}");
        assert!(headers.is_empty(), "{headers:?}");
    }

    #[test]
    fn only_a_named_proxy_is_believed_and_only_as_far_as_proxies_of_ours_wrote() {
        check("203.0.113.1", &["6.6.6.6"], "203.0.113.1");
        check("127.0.0.1", &["6.6.6.6"], "127.0.0.1");
        check("10.0.0.1", &["203.0.113.1"], "203.0.113.1");
        check("::ffff:10.0.0.1", &["::ffff:203.0.113.1"], "203.0.113.1");
        check("10.0.0.1", &[], "10.0.0.1");
        // The client wrote the left part itself.
        check("10.0.0.1", &["6.6.6.6, 203.0.113.1"], "203.0.113.1");
        check("10.0.0.1", &["6.6.6.6", "203.0.113.1, 10.0.0.2"], "203.0.113.1");
        check("2001:db8:ff::1", &["2001:db8:1::5, 10.1.2.3"], "2001:db8:1::5");
        check("10.0.0.1", &["[2001:db8::7]:443"], "2001:db8::7");
        check("10.0.0.1", &["203.0.113.1:80"], "203.0.113.1");
        // What cannot be read is nobody.
        check("10.0.0.1", &["203.0.113.1, unknown"], "10.0.0.1");
        check("10.0.0.1", &["203.0.113.1, , 10.0.0.2"], "10.0.0.2");
        check("10.0.0.1", &["10.0.0.3"], "10.0.0.3");
        check("10.0.0.1", &["caf\u{e9}"], "10.0.0.1");
    }

    #[test]
    fn https_is_what_we_or_a_named_proxy_speak() {
        let proxies = Proxies::new(&["10.0.0.0/8".parse().unwrap()]);
        for (peer, is_encrypted, says, is_https, is_private) in [
            ("203.0.113.1", true, None, true, true),
            ("203.0.113.1", false, Some("https"), false, false),
            ("127.0.0.1", false, Some("https"), false, true),
            ("10.0.0.1", false, Some("HTTPS"), true, true),
            ("10.0.0.1", false, Some("https, http"), true, true),
            ("10.0.0.1", false, Some("http"), false, true),
            ("10.0.0.1", false, None, false, true),
        ] {
            let mut headers = HeaderMap::new();
            says.map(|says| headers.insert(FORWARDED_PROTO, says.parse().unwrap()));
            let (_, way) = proxies.see(Peer { address: peer.parse().unwrap(), is_encrypted }, &mut headers);
            assert_eq!(way, Way { is_https, is_private }, "{peer} {is_encrypted} {says:?}");
        }
    }
}
