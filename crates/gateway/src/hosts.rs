//! Under which names this planet answers.
//!
//! A page elsewhere can let its own name lead to this machine (DNS rebinding), and would then speak to us as if it were
//! ours. So a request must be for a name of ours: those of `http.hosts` and of the public origins, and always this
//! machine's own (`localhost`, loopback addresses), which no page elsewhere can have. With none configured and a
//! listener on loopback only the machine's own names are taken; with none and an open listener, any.

use std::net::IpAddr;
use std::sync::Arc;

use api::{Problem, ProblemKind};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

pub(crate) const HOST_INVALID: ProblemKind =
    ProblemKind::new(StatusCode::BAD_REQUEST, "host_invalid", "The Host header is missing or malformed");
const UNKNOWN_HOST: ProblemKind = ProblemKind::new(
    StatusCode::MISDIRECTED_REQUEST,
    "unknown_host",
    "This planet does not answer under that name",
);

/// The names that are ours.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    /// In lower case, without port.
    names: Arc<[String]>,
    takes_any: bool,
}

impl Hosts {
    /// `named` as configured, `public_origins` in lower case; `is_open` if others can reach the listener.
    pub(crate) fn new(named: &[String], public_origins: &[String], is_open: bool) -> Self {
        let of_origins = public_origins.iter().filter_map(|origin| origin.split_once("://"));
        let of_origins = of_origins.filter_map(|(_, host)| name_of(host));
        let names: Vec<String> = named.iter().map(|it| it.to_ascii_lowercase()).chain(of_origins).collect();
        Self { takes_any: names.is_empty() && is_open, names: names.into() }
    }

    /// Refuses a request that is for somebody else.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut lines = headers.get_all(header::HOST).iter();
        let host = match (lines.next(), lines.next()) {
            (Some(host), None) => host.to_str().ok().and_then(name_of),
            _ => None,
        };
        let host = host.ok_or(HOST_INVALID)?;
        if self.takes_any || is_this_machine(&host) || self.names.contains(&host) {
            Ok(())
        } else {
            Err(UNKNOWN_HOST.detail("if it is a name of this planet, add it to http.hosts"))
        }
    }
}

/// A name of the machine itself, which leads to another one from nowhere.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|it| it.is_loopback())
}

/// The name in `name`, `name:port`, `[v6]` or `[v6]:port`, in lower case and without the dot of the root.
pub(crate) fn name_of(host: &str) -> Option<String> {
    let (name, port) = match host.rfind(':') {
        Some(at) if !host.ends_with(']') => (&host[..at], Some(&host[at + 1..])),
        _ => (host, None),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit());
    let in_brackets = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_name = in_brackets.map_or_else(
        || (1..=253).contains(&name.len()) && name.bytes().all(is_plain),
        |address| address.parse::<std::net::Ipv6Addr>().is_ok(),
    );
    let is_good = is_name && port.is_none_or(is_port);
    is_good.then(|| name.trim_end_matches('.').to_ascii_lowercase()).filter(|name| !name.is_empty())
}

/// HTTP/2 and requests with a whole address name the host there: from here on it stands where HTTP/1.1 has it, and the
/// address is a path.
pub(crate) fn settle_host<B>(request: &mut axum::http::Request<B>) {
    let Some(authority) = request.uri().authority() else { return };
    let host = HeaderValue::from_str(authority.as_str()).expect("an authority is plain ASCII");
    let path = request.uri().path_and_query().cloned();
    request.headers_mut().insert(header::HOST, host);
    if let Some(path) = path {
        *request.uri_mut() = path.into();
    }
}

/// Middleware: only what is for us.
pub(crate) async fn host_layer(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    match hosts.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hosts: &Hosts, asked: &[&str], expected: Result<(), &str>) {
        let mut headers = HeaderMap::new();
        for host in asked {
            headers.append(header::HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
        }
        let found = hosts.check(&headers);
        assert_eq!(found.as_ref().copied().map_err(Problem::code), expected, "{asked:?}");
    }

    #[test]
    fn a_request_for_another_name_is_refused() {
        let origins = ["https://planet.example:8443".to_owned()];
        let configured = Hosts::new(&["www.Planet.example".to_owned()], &origins, true);
        let nothing = Hosts::new(&[], &[], false);
        let open = Hosts::new(&[], &[], true);
        let ours = Ok(());
        let other = Err("unknown_host");
        for (host, by_configured, by_nothing) in [
            ("planet.example", ours, other),
            ("PLANET.example:8443", ours, other),
            ("planet.example.", ours, other),
            ("planet.example:7380", ours, other),
            ("www.planet.example", ours, other),
            ("evil.example", other, other),
            ("planet.example.evil.example", other, other),
            ("203.0.113.7", other, other),
            ("localhost:7380", ours, ours),
            ("planet.localhost", ours, ours),
            ("notlocalhost", other, other),
            ("127.0.0.1:7380", ours, ours),
            ("[::1]:7380", ours, ours),
            ("[2001:db8::1]", other, other),
        ] {
            check(&configured, &[host], by_configured);
            check(&nothing, &[host], by_nothing);
            check(&open, &[host], Ok(()));
        }
        for bad in [
            &[][..],
            &["planet.example", "planet.example"],
            &[""],
            &["a b"],
            &["planet.example:x"],
            &["planet.example:+1"],
            &["planet.example:99999"],
            &["user@planet.example"],
            &["planet.example/x"],
            &["[::1"],
            &["::1"],
            &["."],
            &["caf\u{e9}.example"],
        ] {
            check(&configured, bad, Err("host_invalid"));
            check(&open, bad, Err("host_invalid"));
        }
    }

    #[test]
    fn the_host_of_a_whole_address_wins_over_the_header() {
        let mut request = axum::http::Request::builder()
            .uri("https://planet.example:8443/a?b=c")
            .header(header::HOST, "evil.example")
            .body(())
            .unwrap();
        settle_host(&mut request);
        assert_eq!(request.headers()[header::HOST], "planet.example:8443");
        assert_eq!(request.uri(), "/a?b=c");
    }
}
