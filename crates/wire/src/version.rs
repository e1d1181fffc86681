//! Whether client and server speak the same protocol.

use crate::message::{Bye, Hello};
use crate::stream::CHANCES;

/// Version of the message kinds and layouts. A server speaks exactly one.
pub const PROTOCOL_VERSION: u32 = 3;

/// Fingerprint of everything both sides must share: schema, stream format, movement rules, terrain.
///
/// FNV-1a, 64 bit, over the schema's text followed by the versions of protocol, stream, movement and terrain, each as a
/// little-endian `u32`, and the chances that the streams' coder begins with, each as a little-endian `u16`: who has
/// others reads nonsense.
pub const PROTOCOL_HASH: u64 = {
    let hash = fnv1a(FNV_OFFSET, include_bytes!("../proto/terrane.proto"));
    let hash = fnv1a(hash, &PROTOCOL_VERSION.to_le_bytes());
    let hash = fnv1a(hash, &crate::stream::STREAM_VERSION.to_le_bytes());
    let hash = fnv1a(hash, &motion::RULES_VERSION.to_le_bytes());
    let mut hash = fnv1a(hash, &planet::GENERATOR_VERSION.to_le_bytes());
    let mut index = 0;
    while index < CHANCES.len() {
        hash = fnv1a(hash, &CHANCES[index].to_le_bytes());
        index += 1;
    }
    hash
};

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

const fn fnv1a(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(FNV_PRIME);
        index += 1;
    }
    hash
}

/// Why a client may not speak to this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionMismatch {
    /// Another protocol version.
    #[error("the client speaks protocol version {client}, this server speaks {PROTOCOL_VERSION}")]
    Version {
        /// The client's.
        client: u32,
    },
    /// The same version, made from other rules.
    #[error(
        "client and server of protocol version {PROTOCOL_VERSION} were built from different rules: reload"
    )]
    Hash,
}

impl VersionMismatch {
    /// The message that tells the client.
    pub fn to_bye(self) -> Bye {
        Bye { code: "protocol_mismatch".into(), detail: self.to_string(), may_reconnect: false }
    }
}

/// Checks a hello against this build.
pub fn check_version(hello: &Hello) -> Result<(), VersionMismatch> {
    if hello.protocol_version != PROTOCOL_VERSION {
        return Err(VersionMismatch::Version { client: hello.protocol_version });
    }
    if hello.protocol_hash != PROTOCOL_HASH {
        return Err(VersionMismatch::Hash);
    }
    Ok(())
}
