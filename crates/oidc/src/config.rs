//! What an operator says of a provider.

use std::net::IpAddr;

use reqwest::Url;

/// The longest URL that is taken, of ours or of a provider.
pub(crate) const URL_BYTES_MAX: usize = 2000;

/// A password of this planet at a provider. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(pub String);

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// One provider, as configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderConfig {
    /// In our addresses: 1 to 32 of `a`–`z`, `0`–`9` and `-`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Exactly as the provider writes it in its own documents.
    pub issuer: String,
    /// What the provider knows this planet as.
    pub client_id: String,
    /// None for a client without one: PKCE protects it all the same.
    pub client_secret: Option<ClientSecret>,
    /// `openid` and what else is to be asked for.
    pub scopes: Vec<String>,
    /// Whether `http` to this machine is allowed: for development.
    pub allow_http: bool,
}

/// Why a provider cannot be used as configured.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigFault {
    /// It would not stand in an address.
    #[error("id must be 1 to 32 of a-z, 0-9 and -")]
    Id,
    /// Two cannot be told apart.
    #[error("the id {0:?} is there twice")]
    IdTwice(String),
    /// Not fit to be shown.
    #[error("name must be 1 to 60 characters on one line")]
    Name,
    /// Not an address that can be asked.
    #[error(
        "issuer must be an https URL without user, query and fragment (http only to this machine, with allow_http)"
    )]
    Issuer,
    /// Nothing to introduce oneself with.
    #[error("client_id must be 1 to 400 visible ASCII characters")]
    ClientId,
    /// An empty one is a mistake.
    #[error("client_secret is empty")]
    ClientSecret,
    /// Without it there is no ID token.
    #[error("scopes must be words, openid among them")]
    Scopes,
}

impl ProviderConfig {
    /// Checks all fields.
    pub fn check(&self) -> Result<(), ConfigFault> {
        let is_id = (1..=32).contains(&self.id.len())
            && self.id.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        let is_name =
            (1..=60).contains(&self.name.chars().count()) && !self.name.chars().any(char::is_control);
        let is_visible = |text: &str| text.bytes().all(|it| it.is_ascii_graphic());
        let is_client_id = (1..=400).contains(&self.client_id.len()) && is_visible(&self.client_id);
        let is_scope = |it: &String| !it.is_empty() && is_visible(it);
        if !is_id {
            return Err(ConfigFault::Id);
        }
        if !is_name {
            return Err(ConfigFault::Name);
        }
        endpoint(&self.issuer, self.allow_http)
            .filter(|it| it.query().is_none())
            .ok_or(ConfigFault::Issuer)?;
        if !is_client_id {
            return Err(ConfigFault::ClientId);
        }
        if self.client_secret.as_ref().is_some_and(|it| it.0.is_empty()) {
            return Err(ConfigFault::ClientSecret);
        }
        if !self.scopes.iter().all(is_scope) || !self.scopes.iter().any(|it| it == "openid") {
            return Err(ConfigFault::Scopes);
        }
        Ok(())
    }

    /// Checks each, and that their ids differ.
    pub fn check_all(providers: &[Self]) -> Result<(), ConfigFault> {
        for (index, provider) in providers.iter().enumerate() {
            provider.check()?;
            if providers[..index].iter().any(|it| it.id == provider.id) {
                return Err(ConfigFault::IdTwice(provider.id.clone()));
            }
        }
        Ok(())
    }
}

/// A URL that a secret may be sent to: `https`, or `http` to this machine where that is allowed; with no user and no
/// fragment.
pub(crate) fn endpoint(text: &str, allow_http: bool) -> Option<Url> {
    if text.len() > URL_BYTES_MAX {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let is_safe = match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => allow_http && is_loopback(&url),
        _ => false,
    };
    (is_bare && is_safe).then_some(url)
}

/// Whether the host is this machine, by what is written alone.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host_str()
        .is_some_and(|host| host == "localhost" || literal(host).is_some_and(|address| address.is_loopback()))
}

/// The address that a host is written as, if it is one.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> ProviderConfig {
        ProviderConfig {
            id: "home-1".to_owned(),
            name: "Home".to_owned(),
            issuer: "https://login.example/realms/terrane".to_owned(),
            client_id: "terrane".to_owned(),
            client_secret: Some(ClientSecret("s3cret".to_owned())),
            scopes: vec!["openid".to_owned()],
            allow_http: false,
        }
    }

    #[test]
    fn a_provider_is_taken_only_when_every_field_can_be_used() {
        assert_eq!(good().check(), Ok(()));
        let check = |change: &dyn Fn(&mut ProviderConfig)| {
            let mut config = good();
            change(&mut config);
            config.check().unwrap_err()
        };
        for id in ["", "Home", "a/b", "a b", "ä", &"a".repeat(33)] {
            assert_eq!(check(&|it| it.id = id.to_owned()), ConfigFault::Id, "{id}");
        }
        for name in ["", "a\nb", &"a".repeat(61)] {
            assert_eq!(check(&|it| it.name = name.to_owned()), ConfigFault::Name, "{name}");
        }
        for issuer in [
            "",
            "login.example",
            "http://login.example",
            "http://127.0.0.1:3000",
            "ftp://login.example",
            "https://ann:secret@login.example",
            "https://login.example/?a=b",
            "https://login.example/#a",
        ] {
            assert_eq!(check(&|it| it.issuer = issuer.to_owned()), ConfigFault::Issuer, "{issuer}");
        }
        for client_id in ["", "a b", "ä"] {
            assert_eq!(check(&|it| it.client_id = client_id.to_owned()), ConfigFault::ClientId);
        }
        assert_eq!(
            check(&|it| it.client_secret = Some(ClientSecret(String::new()))),
            ConfigFault::ClientSecret
        );
        assert_eq!(check(&|it| it.scopes = vec!["email".to_owned()]), ConfigFault::Scopes);
        assert_eq!(check(&|it| it.scopes.push("a b".to_owned())), ConfigFault::Scopes);
        assert_eq!(
            ProviderConfig::check_all(&[good(), good()]),
            Err(ConfigFault::IdTwice("home-1".to_owned()))
        );
    }

    #[test]
    fn http_is_for_this_machine_and_only_when_said() {
        for (url, is_allowed) in [
            ("http://127.0.0.1:3000/a", true),
            ("http://localhost:3000", true),
            ("http://[::1]:3000", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(endpoint(url, true).is_some(), is_allowed, "{url}");
            assert!(endpoint(url, false).is_none(), "{url}");
        }
    }

    #[test]
    fn a_secret_is_not_in_what_is_printed() {
        assert!(!format!("{:?}", good()).contains("s3cret"));
    }
}
