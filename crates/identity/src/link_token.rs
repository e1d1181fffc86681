//! Tokens in links of mails: 256 random bits, kept only as a hash, good once.

use sha2::{Digest as _, Sha256};

use crate::base64url;

/// The token as it stands in the link.
#[derive(Clone)]
pub struct LinkToken([u8; 32]);

impl LinkToken {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// Reads base64url without padding.
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode_array(text).map(Self)
    }

    /// Base64url without padding.
    pub fn text(&self) -> String {
        base64url::encode(&self.0)
    }

    /// What is stored. A plain hash is enough: 256 random bits cannot be guessed from it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}
