//! What the configuration says about the edge: names, encryption, proxies, limits.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use gateway::TlsFiles;
use ipnet::IpNet;
use limits::{Limit, Policies, Policy};

use super::settings::{self as key, Setting};
use super::source::Sources;
use super::{list_items, parse_address, parse_number, parse_origins};

/// Where browsers may come by WebTransport.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WebTransport {
    Off,
    /// Beside HTTP, if clients reach us there themselves.
    Auto,
    At(SocketAddr),
}

#[derive(Debug, PartialEq)]
pub(crate) struct HttpConfig {
    pub(crate) listen: SocketAddr,
    /// `None`: plain HTTP.
    pub(crate) tls: Option<TlsFiles>,
    /// Whose word about clients is taken.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Origins that people open; empty: any whose host is the one they asked for.
    pub(crate) public_origins: Vec<String>,
    /// Names beside those of the public origins.
    pub(crate) hosts: Vec<String>,
    /// Pages of others that may use the API.
    pub(crate) cors_origins: Vec<String>,
    pub(crate) webtransport: WebTransport,
    pub(crate) has_echo: bool,
    pub(crate) connections_max: usize,
    pub(crate) sockets_max: usize,
    pub(crate) socket_send_buffer_bytes: usize,
}

impl HttpConfig {
    pub(super) fn take_from(sources: &mut Sources) -> Self {
        let certificate = sources.take(&key::HTTP_TLS_CERTIFICATE, parse_path);
        let key_file = sources.take(&key::HTTP_TLS_KEY, parse_path);
        let tls = match (certificate, key_file) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            _ => {
                sources.refuse(
                    "http.tls_certificate and http.tls_key belong together: name both files, or none",
                );
                None
            }
        };
        Self {
            listen: sources.take(&key::HTTP_LISTEN, parse_address),
            tls,
            trusted_proxies: sources.take(&key::HTTP_TRUSTED_PROXIES, parse_networks),
            public_origins: sources.take(&key::HTTP_PUBLIC_ORIGINS, parse_origins),
            hosts: sources.take(&key::HTTP_HOSTS, parse_hosts),
            cors_origins: sources.take(&key::HTTP_CORS_ORIGINS, parse_origins),
            webtransport: sources.take(&key::HTTP_WEBTRANSPORT, parse_webtransport),
            has_echo: sources.take(&key::HTTP_ECHO, parse_switch),
            connections_max: sources
                .take(&key::HTTP_CONNECTIONS_MAX, parse_number("1 to 1000000", 1..=1_000_000)),
            sockets_max: sources.take(&key::HTTP_SOCKETS_MAX, parse_number("1 to 1000000", 1..=1_000_000)),
            socket_send_buffer_bytes: sources.take(
                &key::HTTP_SOCKET_SEND_BUFFER_BYTES,
                parse_number("4096 to 16777216", 4_096..=16_777_216),
            ),
        }
    }

    /// Where WebTransport is, given where HTTP is; `None`: nowhere.
    pub(crate) fn webtransport_at(&self, http: SocketAddr) -> Option<SocketAddr> {
        match self.webtransport {
            WebTransport::Off => None,
            WebTransport::At(address) => Some(address),
            WebTransport::Auto => self.trusted_proxies.is_empty().then_some(http),
        }
    }

    /// Tokens and passwords must not cross an open network in the clear.
    pub(super) fn check(&self, sources: &mut Sources) {
        if self.tls.is_none() && self.trusted_proxies.is_empty() && !self.listen.ip().is_loopback() {
            sources.refuse(&format!(
                "http.listen is {}, which others can reach, and nothing encrypts what they send: name a certificate \
                 in http.tls_certificate and http.tls_key, or the proxy that brings TLS in http.trusted_proxies, or \
                 listen on 127.0.0.1",
                self.listen
            ));
        }
    }
}

/// Every policy, times the factor.
pub(super) fn take_limits(sources: &mut Sources) -> Policies {
    let policies = Limit::ALL.into_iter().fold(Policies::OFF, |policies, limit| {
        let policy = sources.take(setting_of(limit), Policy::parse);
        policies.with(limit, policy)
    });
    let factor = sources.take(&key::LIMITS_FACTOR, parse_number("1 to 1000000", 1..=1_000_000));
    policies.times(NonZeroU32::new(factor).unwrap_or(NonZeroU32::MIN))
}

fn setting_of(limit: Limit) -> &'static Setting {
    match limit {
        Limit::ApiAccount => &key::LIMITS_API_ACCOUNT,
        Limit::ApiAddress => &key::LIMITS_API_ADDRESS,
        Limit::Address => &key::LIMITS_ADDRESS,
        Limit::Files => &key::LIMITS_FILES,
        Limit::Chat => &key::LIMITS_CHAT,
        Limit::Trade => &key::LIMITS_TRADE,
        Limit::Registration => &key::LIMITS_REGISTRATION,
        Limit::Login => &key::LIMITS_LOGIN,
        Limit::LoginName => &key::LIMITS_LOGIN_NAME,
        Limit::Mail => &key::LIMITS_MAIL,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "has the form of all that parse a setting")]
fn parse_path(text: &str) -> Result<Option<PathBuf>, String> {
    Ok((!text.is_empty()).then(|| PathBuf::from(text)))
}

fn parse_webtransport(text: &str) -> Result<WebTransport, String> {
    match text {
        "off" => Ok(WebTransport::Off),
        "auto" => Ok(WebTransport::Auto),
        _ => parse_address(text).map(WebTransport::At).map_err(|said| format!("{said}, auto or off")),
    }
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be on or off".to_owned()),
    }
}

fn parse_networks(text: &str) -> Result<Vec<IpNet>, String> {
    list_items(text)
        .map(|item| {
            let net = item
                .parse::<IpNet>()
                .or_else(|_| item.parse().map(|address: std::net::IpAddr| address.into()));
            net.map_err(|_| {
                format!("{item:?} must be an address like 10.0.0.7 or a network like 10.0.0.0/24")
            })
        })
        .collect()
}

fn parse_hosts(text: &str) -> Result<Vec<String>, String> {
    let is_name = |name: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        let has_port =
            name.rfind(':').is_some_and(|at| !name.starts_with('[') || !name.ends_with(']') && at > 0);
        name.len() <= 253 && name.bytes().all(is_plain) && !has_port
    };
    list_items(text)
        .map(|name| {
            if is_name(name) {
                Ok(name.to_ascii_lowercase())
            } else {
                Err(format!("{name:?} must be a name like planet.example, without scheme, port or path"))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(environment: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(Sources::new(pairs))
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_open_listener_wants_tls_or_a_named_proxy() {
        let listen = ("TERRANE_HTTP_LISTEN", "0.0.0.0:7380");
        let said = read(&[listen]).unwrap_err();
        assert_eq!(said.len(), 1);
        for part in ["0.0.0.0:7380", "http.tls_certificate", "http.trusted_proxies", "127.0.0.1"] {
            assert!(said[0].contains(part), "{said:?}");
        }
        let proxy = ("TERRANE_HTTP_TRUSTED_PROXIES", "10.0.0.7, 2001:db8::/48");
        assert_eq!(read(&[listen, proxy]).unwrap().http.trusted_proxies.len(), 2);
        let tls = [("TERRANE_HTTP_TLS_CERTIFICATE", "c.pem"), ("TERRANE_HTTP_TLS_KEY", "k.pem")];
        assert!(read(&[listen, tls[0], tls[1]]).unwrap().http.tls.is_some());
        // A node that only simulates listens for nobody.
        assert!(read(&[listen, ("TERRANE_NODE_ROLES", "zone")]).is_ok());
        for loopback in ["127.0.0.1:1", "[::1]:1", "127.8.8.8:1"] {
            assert!(read(&[("TERRANE_HTTP_LISTEN", loopback)]).is_ok(), "{loopback}");
        }
        assert!(read(&[tls[0]]).unwrap_err()[0].contains("belong together"));
    }

    #[test]
    fn hostile_values_are_problems() {
        for (variable, value) in [
            ("TERRANE_HTTP_TRUSTED_PROXIES", "everybody"),
            ("TERRANE_HTTP_TRUSTED_PROXIES", "10.0.0.0/33"),
            ("TERRANE_HTTP_HOSTS", "https://planet.example"),
            ("TERRANE_HTTP_HOSTS", "planet.example:443"),
            ("TERRANE_HTTP_CORS_ORIGINS", "*"),
            ("TERRANE_LIMITS_TRADE", "often"),
            ("TERRANE_LIMITS_TRADE", "0/min"),
            ("TERRANE_LIMITS_FACTOR", "0"),
        ] {
            let said = read(&[(variable, value)]).unwrap_err();
            assert!(said.len() == 1 && said[0].contains(variable), "{variable}={value}: {said:?}");
        }
    }

    #[test]
    fn limits_are_those_of_the_program_unless_said_otherwise() {
        assert_eq!(read(&[]).unwrap().limits, Policies::default());
        let ours = read(&[("TERRANE_LIMITS_TRADE", "off"), ("TERRANE_LIMITS_FACTOR", "10")]).unwrap().limits;
        assert_eq!(ours.of(Limit::Trade), None);
        assert_eq!(ours.of(Limit::ApiAccount).unwrap().to_string(), "1000/min burst 3000");
    }
}
