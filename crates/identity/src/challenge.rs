//! The text a device signs to log in.
//!
//! ```text
//! terrane-login/1
//! origin: https://planet.example
//! key: <public key, base64url>
//! nonce: <32 bytes, base64url>
//! issued: <seconds since 1970>
//! expires: <seconds since 1970>
//! ```
//!
//! To add a key to an account the first line is `terrane-add-key/1`, and a last line `account: <id>` says to which.
//!
//! Each line ends in `\n`. The first line separates this use of the key from every other; the origin keeps a
//! server in the middle from passing on another server's challenge, because the client compares it with the
//! address it has open and this server with the addresses it answers to.

use std::fmt::Write as _;

use uuid::Uuid;

use crate::base64url;
use crate::device_key::DeviceKey;

/// How long a challenge can be answered.
pub const LIFE_S: i64 = 120;

/// Longest origin that is put into a text.
pub const ORIGIN_BYTES_MAX: usize = 256;

/// The random part of a challenge, used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce(pub [u8; 32]);

impl Nonce {
    /// Reads base64url without padding.
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode_array(text).map(Self)
    }

    /// Base64url without padding.
    pub fn text(&self) -> String {
        base64url::encode(&self.0)
    }
}

/// What a challenge is good for; stored with it, so that an answer cannot be spent on something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Proves a device key to open a session.
    Login,
    /// Proves a device key to add it to an account.
    AddKey,
}

impl Purpose {
    /// The first line of the signed text, and the word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Login => "terrane-login/1",
            Self::AddKey => "terrane-add-key/1",
        }
    }
}

/// The exact text to sign.
///
/// `origin` must have passed [`is_plain_origin`]: a line break in it could forge the lines below.
///
/// `account_id` is whom a key is added to, as one more line: a signature for one account adds nothing to another.
pub fn text(
    purpose: Purpose,
    origin: &str,
    key: &DeviceKey,
    nonce: &Nonce,
    issued_s: i64,
    account_id: Option<Uuid>,
) -> String {
    debug_assert!(is_plain_origin(origin));
    let mut text = format!(
        "{}\norigin: {origin}\nkey: {}\nnonce: {}\nissued: {issued_s}\nexpires: {}\n",
        purpose.word(),
        key.text(),
        nonce.text(),
        issued_s + LIFE_S,
    );
    if let Some(account_id) = account_id {
        let _ = writeln!(text, "account: {account_id}");
    }
    text
}

/// Whether this is `http(s)://host[:port]` in printable ASCII and not too long.
pub fn is_plain_origin(origin: &str) -> bool {
    let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    rest.is_some_and(|host| {
        !host.is_empty()
            && origin.len() <= ORIGIN_BYTES_MAX
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client checks these lines before it signs: they are a contract.
    #[test]
    fn the_text_is_these_lines_exactly() {
        let key = DeviceKey::parse("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        let text = text(Purpose::Login, "http://localhost:7380", &key, &Nonce([7; 32]), 1_700_000_000, None);
        assert_eq!(
            text,
            "terrane-login/1\n\
             origin: http://localhost:7380\n\
             key: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\n\
             nonce: BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\n\
             issued: 1700000000\n\
             expires: 1700000120\n"
        );
    }

    #[test]
    fn only_a_plain_origin_goes_into_a_text() {
        for origin in ["http://localhost:7380", "https://planet.example", "http://[::1]:7380"] {
            assert!(is_plain_origin(origin), "{origin}");
        }
        let long = format!("https://{}", "a".repeat(ORIGIN_BYTES_MAX));
        for origin in
            ["", "null", "https://", "ftp://x", "https://a/b", "https://a\nkey: b", "https://ä", &long]
        {
            assert!(!is_plain_origin(origin), "{origin:?}");
        }
    }
}
