//! Where webhooks may be sent: to public addresses and nowhere else, so that nobody reaches through us what only we
//! can reach.
//!
//! The address is checked where it is used: [`Destinations`] is the resolver of the HTTP client, and the client
//! connects to the addresses that it gave.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The longest URL of a webhook.
pub(crate) const URL_BYTES_MAX: usize = 2000;

/// Which addresses this node sends to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destinations {
    /// `https` to public addresses.
    Public,
    /// The same, and `http` or `https` to this machine itself: for development.
    PublicAndLoopback,
}

/// Why a URL cannot be a webhook's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UrlFault {
    /// Not a URL with a host, or too long.
    #[error("must be a URL of at most {URL_BYTES_MAX} bytes")]
    Form,
    /// Not encrypted.
    #[error("must begin with https://")]
    NotHttps,
    /// `user:password@`, or a fragment.
    #[error("must have no user, no password and no fragment")]
    Extras,
    /// The host is an address that nothing is sent to.
    #[error(transparent)]
    Address(#[from] AddressFault),
}

/// An address that nothing is sent to. Does not say which: that is nobody's business.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the host's address is not public")]
pub struct AddressFault;

impl Destinations {
    /// Checks what can be checked without asking for the host's addresses.
    pub fn check_url(self, text: &str) -> Result<Url, UrlFault> {
        if text.len() > URL_BYTES_MAX {
            return Err(UrlFault::Form);
        }
        let url = Url::parse(text).map_err(|_| UrlFault::Form)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlFault::NotHttps);
        }
        let host = url.host_str().filter(|it| !it.is_empty()).ok_or(UrlFault::Form)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(UrlFault::Extras);
        }
        // A client connects to a literal address without asking its resolver.
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        if let Some(address) = literal {
            self.check(address)?;
        }
        let is_here = literal.is_some_and(|it| it.is_loopback()) || host == "localhost";
        if url.scheme() != "https" && !(self == Self::PublicAndLoopback && is_here) {
            return Err(UrlFault::NotHttps);
        }
        Ok(url)
    }

    fn check(self, address: IpAddr) -> Result<(), AddressFault> {
        let is_allowed = is_public(address) || (self == Self::PublicAndLoopback && address.is_loopback());
        if is_allowed { Ok(()) } else { Err(AddressFault) }
    }

    /// All of them must be allowed: one bad address among good ones is no accident.
    fn check_all(self, addresses: &[SocketAddr]) -> Result<(), AddressFault> {
        if addresses.is_empty() {
            return Err(AddressFault);
        }
        addresses.iter().try_for_each(|it| self.check(it.ip()))
    }
}

impl Resolve for Destinations {
    fn resolve(&self, name: Name) -> Resolving {
        let destinations = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> = found.collect();
            destinations.check_all(&addresses)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the open internet's, by the registries of special addresses (RFC 6890 and what came
/// after it).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)   // this network, private, loopback, multicast, reserved
            | (100, 64..=127, _)           // shared by carriers
            | (169, 254, _)                // link-local, with the metadata of clouds
            | (172, 16..=31, _)            // private
            | (192, 0, 0 | 2)              // protocols, documentation
            | (192, 31, 196)               // AS112
            | (192, 52, 193)               // automatic multicast tunnels
            | (192, 88, 99)                // 6to4 relays
            | (192, 168, _)                // private
            | (192, 175, 48)               // AS112
            | (198, 18..=19, _)            // benchmarks
            | (198, 51, 100)               // documentation
            | (203, 0, 113) // documentation
    );
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Global unicast alone: that leaves out loopback, mapped and translated IPv4, unique local, link-local, multicast.
    let [first, second, ..] = address.segments();
    let is_global = (first & 0xe000) == 0x2000;
    let is_special = match first {
        // Protocols, among them Teredo tunnels to IPv4, and documentation.
        0x2001 => second < 0x0200 || second == 0x0db8,
        // 6to4 tunnels to IPv4.
        0x2002 => true,
        // Documentation.
        0x3fff => second < 0x1000,
        _ => false,
    };
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_open_internet_are_public_and_all_others_are_not() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "100.63.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }

    #[test]
    fn a_url_is_https_to_a_public_place() {
        let here = Some(UrlFault::Address(AddressFault));
        let cases = [
            ("https://example.com/hook?a=b", None, None),
            ("https://example.com:8443/", None, None),
            ("http://example.com/", Some(UrlFault::NotHttps), Some(UrlFault::NotHttps)),
            ("ftp://example.com/", Some(UrlFault::NotHttps), Some(UrlFault::NotHttps)),
            ("example.com", Some(UrlFault::Form), Some(UrlFault::Form)),
            ("https://", Some(UrlFault::Form), Some(UrlFault::Form)),
            ("https://ann:secret@example.com/", Some(UrlFault::Extras), Some(UrlFault::Extras)),
            ("https://example.com/#a", Some(UrlFault::Extras), Some(UrlFault::Extras)),
            ("https://169.254.169.254/latest", here, here),
            // All of these are ways of writing 127.0.0.1.
            ("https://127.0.0.1/", here, None),
            ("https://2130706433/", here, None),
            ("https://0x7f.1/", here, None),
            ("https://0177.0.0.1/", here, None),
            ("https://[::ffff:127.0.0.1]/", here, here),
            ("https://[::1]/", here, None),
            ("http://127.0.0.1:9000/hook", here, None),
            ("http://localhost:9000/hook", Some(UrlFault::NotHttps), None),
            ("http://10.0.0.1/", here, here),
        ];
        for (url, public, loopback) in cases {
            assert_eq!(Destinations::Public.check_url(url).err(), public, "{url}");
            assert_eq!(
                Destinations::PublicAndLoopback.check_url(url).err(),
                loopback,
                "{url} for development"
            );
        }
        let long = format!("https://example.com/{}", "a".repeat(URL_BYTES_MAX));
        assert_eq!(Destinations::Public.check_url(&long), Err(UrlFault::Form));
    }

    #[test]
    fn one_bad_address_among_good_ones_spoils_all() {
        let at = |text: &str| SocketAddr::new(text.parse().unwrap(), 0);
        assert_eq!(Destinations::Public.check_all(&[at("1.1.1.1"), at("2606:4700::1111")]), Ok(()));
        assert_eq!(Destinations::Public.check_all(&[at("1.1.1.1"), at("10.0.0.1")]), Err(AddressFault));
        assert_eq!(Destinations::Public.check_all(&[]), Err(AddressFault));
    }

    #[tokio::test]
    async fn a_name_of_this_machine_resolves_to_nothing() {
        let resolve = async |destinations: Destinations| {
            destinations.resolve("localhost".parse().unwrap()).await.map(Iterator::count)
        };
        assert!(resolve(Destinations::Public).await.is_err());
        assert!(resolve(Destinations::PublicAndLoopback).await.is_ok_and(|it| it > 0));
    }
}
