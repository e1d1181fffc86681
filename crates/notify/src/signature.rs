//! Secrets and signatures of Standard Webhooks 1.0.0, the symmetric kind (`v1`, HMAC-SHA256).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
/// The standard allows 24 to 64.
const BYTES_MIN: usize = 24;
const BYTES_MAX: usize = 64;
/// What we make.
const BYTES_NEW: usize = 32;

/// The key that a webhook and its receiver share. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Why a text is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SecretFault {
    /// It does not begin with `whsec_`.
    #[error("a secret begins with {PREFIX}")]
    Prefix,
    /// What follows is not base64.
    #[error("a secret is base64")]
    Base64,
    /// Too short or too long.
    #[error("a secret has {BYTES_MIN} to {BYTES_MAX} bytes")]
    Length,
}

impl Secret {
    /// A new one.
    pub fn random() -> Self {
        Self(rand::random::<[u8; BYTES_NEW]>().to_vec())
    }

    /// Reads `whsec_…`.
    pub fn parse(text: &str) -> Result<Self, SecretFault> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretFault::Prefix)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SecretFault::Base64)?;
        Self::from_bytes(bytes).ok_or(SecretFault::Length)
    }

    /// As it is stored.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (BYTES_MIN..=BYTES_MAX).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// To be stored.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// To be shown to its owner, once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// One entry of `webhook-signature`, over `{id}.{timestamp}.{body}`.
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of every length");
        mac.update(format!("{id}.{timestamp_s}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The whole header: one entry for each secret that is good at the moment, the newest first.
pub(crate) fn signatures(secrets: &[Secret], id: &str, timestamp_s: i64, body: &str) -> String {
    let mut header = String::new();
    for (index, secret) in secrets.iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        write!(header, "{space}{}", secret.sign(id, timestamp_s, body)).expect("a String takes all");
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP_S: i64 = 1_614_265_330;
    const BODY: &str = r#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_signature_is_that_of_the_standards_own_libraries() {
        let secret = Secret::parse(SECRET).unwrap();
        assert_eq!(secret.sign(ID, TIMESTAMP_S, BODY), SIGNATURE);
        assert_eq!(secret.reveal(), SECRET);
    }

    #[test]
    fn while_a_secret_is_changed_both_sign() {
        let (new, old) = (Secret::random(), Secret::parse(SECRET).unwrap());
        let header = signatures(&[new.clone(), old], ID, TIMESTAMP_S, BODY);
        assert_eq!(header, format!("{} {SIGNATURE}", new.sign(ID, TIMESTAMP_S, BODY)));
    }

    #[test]
    fn a_new_secret_is_one_and_is_never_the_same() {
        let secret = Secret::random();
        assert_eq!(Secret::parse(&secret.reveal()), Ok(secret.clone()));
        assert_ne!(Secret::random(), secret);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for (text, fault) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", SecretFault::Prefix),
            ("whsec_not base64", SecretFault::Base64),
            ("whsec_c2hvcnQ=", SecretFault::Length),
        ] {
            assert_eq!(Secret::parse(text), Err(fault), "{text}");
        }
    }
}
