//! The Ed25519 key that signs access tokens: made once, kept in a file that only its owner reads.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::base64url;

/// Signs access tokens. Its public half is what [`SigningKey::public_jwk`] publishes.
#[derive(Clone)]
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    kid: String,
}

/// A public key as published: RFC 8037.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PublicJwk {
    /// Always `OKP`.
    #[schema(example = "OKP")]
    pub kty: &'static str,
    /// Always `Ed25519`.
    #[schema(example = "Ed25519")]
    pub crv: &'static str,
    /// The 32 public bytes in base64url.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    pub x: String,
    /// Names this key in a token's header: its RFC 7638 thumbprint.
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    pub kid: String,
    /// Always `EdDSA`.
    #[schema(example = "EdDSA")]
    pub alg: &'static str,
    /// Always `sig`: nothing is encrypted to this key.
    #[serde(rename = "use")]
    #[schema(rename = "use", example = "sig")]
    pub purpose: &'static str,
}

/// The file: a private JWK (RFC 8037), which other tools can read too.
#[derive(Serialize, Deserialize)]
struct StoredJwk {
    kty: String,
    crv: String,
    x: String,
    d: String,
}

/// Why the key file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// It cannot be read or written.
    #[error("the token signing key {} cannot be read or written: {source}", path.display())]
    Io {
        /// Where it is or would be.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error(
        "{} is not a token signing key; restore it from a backup, or delete it to make a new one (people then log in once more by themselves)",
        path.display()
    )]
    Unusable {
        /// Where it is.
        path: PathBuf,
    },
}

impl SigningKey {
    /// The key of this secret; 32 bytes from a source nobody can predict.
    pub fn from_secret(secret: [u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&secret);
        let kid = thumbprint(key.verifying_key().as_bytes());
        Self { key, kid }
    }

    /// Reads the key at `path`, or puts a new one made of `fresh_secret` there, readable by its owner only.
    pub fn load_or_create(path: &Path, fresh_secret: [u8; 32]) -> Result<Self, SigningKeyError> {
        let io_error = |source| SigningKeyError::Io { path: path.to_owned(), source };
        match fs::read_to_string(path) {
            Ok(text) => {
                Self::from_stored(&text).ok_or_else(|| SigningKeyError::Unusable { path: path.to_owned() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::from_secret(fresh_secret);
                write_private(path, key.to_stored().as_bytes()).map_err(io_error)?;
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(SigningKeyError::Unusable { path: path.to_owned() })
            }
            Err(error) => Err(io_error(error)),
        }
    }

    /// Names this key in a token's header.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What the world may know of it.
    pub fn public_jwk(&self) -> PublicJwk {
        PublicJwk {
            kty: "OKP",
            crv: "Ed25519",
            x: base64url::encode(self.public_bytes()),
            kid: self.kid.clone(),
            alg: "EdDSA",
            purpose: "sig",
        }
    }

    /// Signs for another part of the planet. What is signed must begin with words of its own, so that no signature of
    /// one part is of use in another; a token begins with `eyJ`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        use ed25519_dalek::Signer as _;
        self.key.sign(message).to_bytes()
    }

    /// The public half.
    pub fn public_bytes(&self) -> &[u8; 32] {
        self.key.as_ref().as_bytes()
    }

    pub(crate) fn pkcs8_der(&self) -> Vec<u8> {
        let document = self.key.to_pkcs8_der().expect("a 32-byte key always fits PKCS #8");
        document.as_bytes().to_vec()
    }

    fn to_stored(&self) -> String {
        let stored = StoredJwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: base64url::encode(self.public_bytes()),
            d: base64url::encode(self.key.as_bytes()),
        };
        let mut text = serde_json::to_string_pretty(&stored).expect("strings always serialise");
        text.push('\n');
        text
    }

    /// Both halves must belong together: a half-written or mixed-up file is not a key.
    fn from_stored(text: &str) -> Option<Self> {
        let stored: StoredJwk = serde_json::from_str(text).ok()?;
        let key = Self::from_secret(base64url::decode_array(&stored.d)?);
        let is_whole = stored.kty == "OKP"
            && stored.crv == "Ed25519"
            && stored.x == base64url::encode(key.public_bytes());
        is_whole.then_some(key)
    }
}

/// RFC 7638: the hash of the required members in alphabetical order.
fn thumbprint(public: &[u8; 32]) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url::encode(public));
    base64url::encode(&Sha256::digest(members))
}

/// All of it or nothing of it, whenever the power goes: written beside, synced, then renamed.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.3.
    #[test]
    fn the_kid_is_the_published_thumbprint() {
        let public = base64url::decode_array("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(thumbprint(&public), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn the_first_start_makes_a_private_file_and_the_next_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/access_token.jwk");
        let made = SigningKey::load_or_create(&path, [1; 32]).unwrap();
        let read = SigningKey::load_or_create(&path, [2; 32]).unwrap();
        assert_eq!(made.kid(), read.kid());
        assert_eq!(made.pkcs8_der(), read.pkcs8_der());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(!format!("{:?}", made.public_jwk()).contains(&base64url::encode(&[1; 32])));
    }

    #[test]
    fn a_cut_changed_or_foreign_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access_token.jwk");
        let whole = SigningKey::from_secret([1; 32]).to_stored();
        let mixed = whole.replace(&base64url::encode(&[1; 32]), &base64url::encode(&[2; 32]));
        for content in [&whole.as_bytes()[..whole.len() / 2], mixed.as_bytes(), b"", b"{}", b"\xff\xfe"] {
            fs::write(&path, content).unwrap();
            let refused = SigningKey::load_or_create(&path, [3; 32]);
            assert!(matches!(refused, Err(SigningKeyError::Unusable { .. })), "{content:?}");
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}
