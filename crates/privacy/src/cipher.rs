//! Authenticated encryption: XChaCha20-Poly1305 with a random nonce.
//!
//! ```text
//! byte   0      version, 1
//! bytes  1..25  nonce
//! bytes 25..    ciphertext, the last 16 its tag
//! ```
//!
//! A nonce of 24 random bytes needs no counter that could be restored from a backup and used twice.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// A key, wiped from memory when it is dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

pub(crate) fn new_key() -> Key {
    Zeroizing::new(rand::random())
}

/// `about` must be the same when it is opened.
pub(crate) fn seal(key: &Key, about: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let cipher = XChaCha20Poly1305::new((&**key).into());
    let ciphertext = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad: about })
        .expect("what fits in memory is not too long for the cipher");
    let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + ciphertext.len());
    sealed.push(VERSION);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    sealed
}

/// `None` if it was not sealed by this key about this, or was altered.
pub(crate) fn open(key: &Key, about: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (&VERSION, rest) = sealed.split_first()? else { return None };
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>()?;
    let cipher = XChaCha20Poly1305::new((&**key).into());
    let plaintext = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: about });
    plaintext.ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_about_the_same_opens_it_and_no_bit_may_differ() {
        let key = new_key();
        let sealed = seal(&key, b"about", b"secret");
        assert_eq!(open(&key, b"about", &sealed).as_deref().map(Vec::as_slice), Some(b"secret".as_slice()));
        assert!(open(&key, b"other", &sealed).is_none());
        assert!(open(&new_key(), b"about", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(open(&key, b"about", &altered).is_none(), "byte {at}");
            assert!(open(&key, b"about", &sealed[..at]).is_none(), "cut at {at}");
        }
        assert_ne!(seal(&key, b"about", b"secret"), sealed, "each time another nonce");
    }
}
