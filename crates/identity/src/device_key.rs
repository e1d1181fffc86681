//! Ed25519 keys made by a device, and the check of what they sign.

use ed25519_dalek::{Signature, VerifyingKey};

use crate::base64url;

/// A public key that can carry an account: a point of full order in its one canonical encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKey(VerifyingKey);

/// Why bytes are not a device key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceKeyError {
    /// Not base64url without padding of exactly 32 bytes.
    #[error("a public key is 32 bytes in base64url without padding")]
    Encoding,
    /// Not a point of the curve, not canonical, or of small order: under such a key anybody can sign.
    #[error("these bytes are not a usable Ed25519 public key")]
    Weak,
}

impl DeviceKey {
    /// Reads base64url without padding.
    pub fn parse(text: &str) -> Result<Self, DeviceKeyError> {
        let bytes = base64url::decode_array(text).ok_or(DeviceKeyError::Encoding)?;
        Self::try_from_bytes(&bytes)
    }

    /// Takes the 32 bytes of RFC 8032.
    pub fn try_from_bytes(bytes: &[u8; 32]) -> Result<Self, DeviceKeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| DeviceKeyError::Weak)?;
        // One account must not be reachable under two spellings of its key.
        let is_canonical = key.to_edwards().compress().as_bytes() == bytes;
        if is_canonical && !key.is_weak() { Ok(Self(key)) } else { Err(DeviceKeyError::Weak) }
    }

    /// The 32 bytes of RFC 8032.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Base64url without padding: the form in the protocol.
    pub fn text(&self) -> String {
        base64url::encode(self.as_bytes())
    }

    /// Whether `signature` (64 bytes of RFC 8032) is this key's over exactly `message`.
    ///
    /// Strict: refuses S ≥ L and points of small order, so that a signature cannot be changed into another.
    pub fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let bytes: Vec<u8> =
            (0..N).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect();
        bytes.try_into().unwrap()
    }

    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    const SIGNATURE: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

    /// RFC 8032, section 7.1, test 1.
    #[test]
    fn the_published_vector_verifies() {
        let key = DeviceKey::try_from_bytes(&hex(PUBLIC)).unwrap();
        assert!(key.has_signed(b"", &hex(SIGNATURE)));
        assert!(!key.has_signed(b"x", &hex(SIGNATURE)));
        assert_eq!(DeviceKey::parse(&key.text()).unwrap(), key);
    }

    #[test]
    fn every_flipped_bit_of_a_signature_is_noticed() {
        let key = DeviceKey::try_from_bytes(&hex(PUBLIC)).unwrap();
        for bit in 0..512 {
            let mut signature: [u8; 64] = hex(SIGNATURE);
            signature[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.has_signed(b"", &signature), "bit {bit}");
        }
    }

    /// S + L signs the same message under the plain equation; strict verification refuses it.
    #[test]
    fn a_signature_with_s_above_the_group_order_is_refused() {
        const L: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let key = DeviceKey::try_from_bytes(&hex(PUBLIC)).unwrap();
        let mut signature: [u8; 64] = hex(SIGNATURE);
        let mut carry = 0_u16;
        for (byte, order) in signature[32..].iter_mut().zip(L) {
            carry += u16::from(*byte) + u16::from(order);
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        assert_eq!(carry, 0, "S + L still fits 32 bytes");
        assert!(!key.has_signed(b"", &signature));
    }

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let identity: [u8; 32] = hex("0100000000000000000000000000000000000000000000000000000000000000");
        let order_8: [u8; 32] = hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
        // y = p + 3: the point with y = 3 spelled a second way. Its canonical spelling is a usable key.
        let twice_spelled: [u8; 32] = hex("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
        let canonical: [u8; 32] = hex("0300000000000000000000000000000000000000000000000000000000000000");
        assert!(DeviceKey::try_from_bytes(&canonical).is_ok());
        for bytes in [identity, order_8, twice_spelled] {
            assert_eq!(DeviceKey::try_from_bytes(&bytes), Err(DeviceKeyError::Weak), "{bytes:x?}");
        }
        for text in ["", "AAAA", &"A".repeat(44), &format!("{}=", "A".repeat(43)), &"+".repeat(43)] {
            assert_eq!(DeviceKey::parse(text), Err(DeviceKeyError::Encoding), "{text:?}");
        }
    }
}
