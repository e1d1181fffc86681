//! What binds a login to the browser in which it was begun.
//!
//! The browser gets one secret, in a cookie that no script can read. From it and the `state` follow the PKCE verifier
//! and the nonce, so that nothing in our database opens anything, and no other browser can end what this one began.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// How long a person may take at the provider.
pub(crate) const ATTEMPT_LIFE_S: i64 = 10 * 60;

/// Kept by browsers only if secure, without a domain, and for the whole site: nobody else can have put it there.
const COOKIE_SECURE: &str = "__Host-terrane-oidc";

/// On this machine over plain HTTP, where the prefix would not be taken.
const COOKIE_PLAIN: &str = "terrane-oidc";

/// 256 random bits that somebody shows us again later: `state`, a one-time code, or the cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Secret([u8; 32]);

impl Secret {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// Base64url without padding.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    pub(crate) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored. A plain hash is enough: 256 random bits cannot be guessed from it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// PKCE (RFC 7636): what only the browser's cookie leads to.
    pub(crate) fn verifier(&self, state: &Self) -> String {
        self.derive("terrane-oidc/1 verifier\n", state)
    }

    /// What the ID token must repeat.
    pub(crate) fn nonce(&self, state: &Self) -> String {
        self.derive("terrane-oidc/1 nonce\n", state)
    }

    /// All inputs have a fixed length, so that no two of them run together.
    fn derive(&self, purpose: &str, state: &Self) -> String {
        let digest =
            Sha256::new().chain_update(purpose).chain_update(self.0).chain_update(state.0).finalize();
        URL_SAFE_NO_PAD.encode(digest)
    }
}

/// The `S256` challenge of a verifier.
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// The cookie that carries `binding`; `is_secure` when the page was opened with `https`.
pub(crate) fn cookie(binding: &Secret, is_secure: bool) -> HeaderValue {
    cookie_text(&binding.text(), ATTEMPT_LIFE_S, is_secure)
}

/// Takes the cookie back.
pub(crate) fn cookie_gone(is_secure: bool) -> HeaderValue {
    cookie_text("", 0, is_secure)
}

fn cookie_text(value: &str, max_age_s: i64, is_secure: bool) -> HeaderValue {
    let (name, secure) = if is_secure { (COOKIE_SECURE, "; Secure") } else { (COOKIE_PLAIN, "") };
    // Lax: it must come with the browser when the provider sends it back, and with nothing else from outside.
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}");
    HeaderValue::from_str(&text).expect("base64url and our own words")
}

/// The binding that a browser shows. None if there is none, or if there are two that differ: one of them was planted.
pub(crate) fn shown(headers: &HeaderMap, is_secure: bool) -> Option<Secret> {
    let name = if is_secure { COOKIE_SECURE } else { COOKIE_PLAIN };
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'))
        .filter_map(|it| it.trim().split_once('='))
        .filter(|(it, _)| *it == name)
        .map(|(_, value)| value);
    let first = found.next()?;
    if found.all(|it| it == first) { Secret::parse(first) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn verifier_and_nonce_follow_from_browser_and_state_and_from_nothing_less() {
        let (ann, bob) = (Secret([1; 32]), Secret([2; 32]));
        let (first, second) = (Secret([3; 32]), Secret([4; 32]));
        let verifier = ann.verifier(&first);
        assert_eq!(verifier.len(), 43, "RFC 7636 asks for 43 to 128");
        assert_eq!(verifier, ann.verifier(&first));
        for other in [ann.verifier(&second), bob.verifier(&first), ann.nonce(&first)] {
            assert_ne!(verifier, other);
        }
    }

    #[test]
    fn the_cookie_comes_back_under_its_own_name_alone() {
        let secret = Secret([7; 32]);
        let value = secret.text();
        let check = |cookies: &[String], is_secure: bool| {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(header::COOKIE, cookie.parse().unwrap());
            }
            shown(&headers, is_secure).map(|it| it.text())
        };
        let good = Some(value.clone());
        assert_eq!(check(&[format!("a=b; {COOKIE_SECURE}={value}; c")], true), good);
        assert_eq!(check(&[format!("{COOKIE_PLAIN}={value}")], false), good);
        assert_eq!(check(&["a=b".to_owned(), format!("{COOKIE_PLAIN}={value}")], false), good);
        assert_eq!(check(&[format!("{COOKIE_PLAIN}={value}")], true), None, "planted over plain HTTP");
        assert_eq!(check(&[format!("{COOKIE_PLAIN}={value}; {COOKIE_PLAIN}=x")], false), None);
        assert_eq!(check(&[format!("{COOKIE_PLAIN}={}", &value[1..])], false), None);
        assert_eq!(check(&[], false), None);
    }

    #[test]
    fn no_script_and_no_other_site_gets_the_cookie() {
        let text = cookie(&Secret([7; 32]), true);
        let text = text.to_str().unwrap();
        assert!(text.starts_with("__Host-"), "{text}");
        for word in ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(text.contains(word), "{text}");
        }
        assert!(!text.contains("Domain"), "{text}");
        let plain = cookie(&Secret([7; 32]), false);
        assert!(!plain.to_str().unwrap().contains("Secure"));
    }
}
