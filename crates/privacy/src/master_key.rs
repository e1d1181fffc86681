//! The keys that wrap all others. They are in a file that only its owner reads, or given by the operator; never in the
//! database.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::cipher::{self, Key};
use crate::vault::VaultError;

/// 32 random bytes that wrap the keys of persons.
#[derive(Clone)]
pub struct MasterKey {
    secret: Key,
    id: String,
}

/// The master key in use, and those before it until nothing is wrapped by them any more.
#[derive(Clone)]
pub struct MasterKeys {
    current: MasterKey,
    earlier: Vec<MasterKey>,
}

/// Where the master keys come from.
#[derive(Clone)]
pub enum KeySource {
    /// A file, made at the first start.
    File(PathBuf),
    /// The operator's configuration.
    Given(MasterKeys),
}

impl MasterKey {
    /// A new one.
    pub fn generate() -> Self {
        Self::from_secret(cipher::new_key())
    }

    fn from_secret(secret: Key) -> Self {
        let mark = Zeroizing::new(blake3::derive_key("terrane 2026 id of a master key", &*secret));
        let id = URL_SAFE_NO_PAD.encode(&mark[..9]);
        Self { secret, id }
    }

    fn parse(text: &str) -> Option<Self> {
        // The length first, so that decoding gives exactly one key.
        if text.len() != 43 {
            return None;
        }
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        Some(Self::from_secret(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.secret.as_slice()))
    }

    /// Names it beside what it wraps, and tells nothing of it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn secret(&self) -> &Key {
        &self.secret
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Equal ids are equal keys: an id is a hash of its key.
impl PartialEq for MasterKeys {
    fn eq(&self, other: &Self) -> bool {
        let ids = |it: &Self| it.earlier.iter().map(|key| key.id.clone()).collect::<Vec<_>>();
        self.current.id == other.current.id && ids(self) == ids(other)
    }
}

impl std::fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKeys").field("current", &self.current.id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Given(keys) => f.debug_tuple("Given").field(keys).finish(),
        }
    }
}

impl MasterKeys {
    /// Only one.
    pub fn of(current: MasterKey) -> Self {
        Self { current, earlier: Vec::new() }
    }

    /// Keys of 32 bytes in base64url, the one in use first, with commas or white space between; `None` if the text is
    /// anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let words = text.split(|it: char| it == ',' || it.is_whitespace()).filter(|it| !it.is_empty());
        let mut keys = words.map(MasterKey::parse).collect::<Option<Vec<_>>>()?.into_iter();
        Some(Self { current: keys.next()?, earlier: keys.collect() })
    }

    pub(crate) fn current(&self) -> &MasterKey {
        &self.current
    }

    pub(crate) fn has_earlier(&self) -> bool {
        !self.earlier.is_empty()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&MasterKey> {
        std::iter::once(&self.current).chain(&self.earlier).find(|it| it.id == id)
    }

    /// A new key in use; those so far become earlier ones.
    pub(crate) fn with_new(&self) -> Self {
        let earlier = std::iter::once(&self.current).chain(&self.earlier).cloned().collect();
        Self { current: MasterKey::generate(), earlier }
    }

    /// The keys in a file; `None` if there is no such file.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, VaultError> {
        let failed = |source| VaultError::File { path: path.to_owned(), source };
        let text = match fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(VaultError::Unusable { path: path.to_owned() });
            }
            Err(error) => return Err(failed(error)),
        };
        Self::parse(&text).map(Some).ok_or_else(|| VaultError::Unusable { path: path.to_owned() })
    }

    /// Puts the keys into a file that only its owner reads, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), VaultError> {
        let mut text = Zeroizing::new(String::new());
        for key in std::iter::once(&self.current).chain(&self.earlier) {
            text.push_str(&key.text());
            text.push('\n');
        }
        write_private(path, text.as_bytes())
            .map_err(|source| VaultError::File { path: path.to_owned(), source })
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
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
