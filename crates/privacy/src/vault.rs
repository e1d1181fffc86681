//! The keys of persons: made when first needed, wrapped by the master key, destroyed for ever.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use store::{Store, Tx, params};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::cipher::{self, Key};
use crate::master_key::{KeySource, MasterKey, MasterKeys};

store::statements! {
    /// A person's key.
    KEY = "select wrapped, master_key_id from person_keys where account_id = $1";
    /// Gives a person a key if they have none and never had one.
    ADD_KEY = "insert into person_keys (account_id, wrapped, master_key_id, created_at, destroyed_at) \
               values ($1, $2, $3, $4, null) on conflict (account_id) do nothing";
    /// Destroys it, or sees to it that there will never be one.
    DESTROY_KEY = "insert into person_keys (account_id, wrapped, master_key_id, created_at, destroyed_at) \
                   values ($1, null, '', $2, $2) on conflict (account_id) do update \
                   set wrapped = null, master_key_id = '', destroyed_at = excluded.destroyed_at \
                   where person_keys.wrapped is not null";
    /// Drops a key and leaves no mark of it.
    FORGET_KEY = "delete from person_keys where account_id = $1 and wrapped is not null";
    /// A key of the vault itself.
    SECRET = "select wrapped, master_key_id from vault_secrets where secret_name = $1";
    /// Makes it, once.
    ADD_SECRET = "insert into vault_secrets (secret_name, wrapped, master_key_id) values ($1, $2, $3) \
                  on conflict (secret_name) do nothing";
    /// Under which master keys something is wrapped; there are one or two.
    MASTER_KEYS = "select master_key_id from vault_secrets union \
                   select master_key_id from person_keys where wrapped is not null";
}

/// The vault's own key, with which blind indexes are made.
const INDEX_SECRET: &str = "blind_index";

/// Why the vault does not open. Each reads as a sentence for the person who started the server.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The file cannot be read or written.
    #[error("the master key file {} cannot be read or written: {source}", path.display())]
    File {
        /// Where it is or would be.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It holds something else.
    #[error("{} is not a master key file; restore it from where you keep a copy of it", path.display())]
    Unusable {
        /// Where it is.
        path: PathBuf,
    },
    /// There is no file, and there is data that needs it.
    #[error(
        "the master key is missing: there is no file {}, and personal data in the database is encrypted under it; \
         restore that file, or set privacy.master_key",
        path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The key is not the one that the data needs.
    #[error(
        "the master key is not the one that personal data in the database is encrypted under ({needed} is needed): \
         restore that one"
    )]
    Wrong {
        /// The id of the key that is needed; tells nothing of the key.
        needed: String,
    },
    /// Rotating a key given by configuration needs both.
    #[error(
        "to rotate a configured master key, set privacy.master_key to the new key, a comma and the old key"
    )]
    NothingToRotateTo,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Seals with the keys of persons. Cheap to clone.
///
/// The row in the database decides whether a person has a key, at each use: unwrapping takes microseconds, so no key
/// of a person is kept in memory for longer than that, and one that was destroyed is gone at once in every process.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    source: KeySource,
    /// Replaced when another process has rotated the file.
    keys: RwLock<MasterKeys>,
    index_key: Key,
}

impl Vault {
    /// Opens the vault of a migrated database, and makes its master key file if this is the first start.
    pub async fn unlock(store: &Store, source: KeySource) -> Result<Self, VaultError> {
        let keys = keys_for(store, &source).await?;
        let using = keys.clone();
        let index_key = store.locked(move |tx| index_key(tx, &using)).await?;
        Ok(Self { inner: Arc::new(Inner { source, keys: RwLock::new(keys), index_key }) })
    }

    /// A vault with a new master key that is written nowhere.
    #[cfg(any(test, feature = "testing"))]
    pub async fn for_test(store: &Store) -> Self {
        let source = KeySource::Given(MasterKeys::of(MasterKey::generate()));
        Self::unlock(store, source).await.expect("the database of a test holds nothing sealed")
    }

    /// Encrypts with the key of a person. `field` names the column; it must be the same when it is opened. What is
    /// sealed for somebody whose key was destroyed is never opened again.
    pub fn seal(
        &self,
        tx: &mut Tx<'_>,
        account_id: Uuid,
        field: &'static str,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, store::Error> {
        let key = match self.key(tx, account_id)? {
            Held::Key(key) => key,
            // Nobody will ever have it.
            Held::Destroyed => cipher::new_key(),
            Held::Never => self.make_key(tx, account_id)?,
        };
        Ok(cipher::seal(&key, &about(account_id, field), plaintext))
    }

    /// What was sealed; `None` if the person's key was destroyed. Bytes that were altered, or sealed for somebody else
    /// or another field, are damage.
    pub fn open(
        &self,
        tx: &mut Tx<'_>,
        account_id: Uuid,
        field: &'static str,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, store::Error> {
        let Held::Key(key) = self.key(tx, account_id)? else { return Ok(None) };
        match cipher::open(&key, &about(account_id, field), sealed) {
            Some(mut plaintext) => Ok(Some(std::mem::take(&mut *plaintext))),
            None => Err(damaged(format!("what is sealed as {field} does not open"))),
        }
    }

    /// [`Vault::open`] of a text.
    pub fn open_text(
        &self,
        tx: &mut Tx<'_>,
        account_id: Uuid,
        field: &'static str,
        sealed: &[u8],
    ) -> Result<Option<String>, store::Error> {
        let text = self.open(tx, account_id, field, sealed)?.map(String::from_utf8).transpose();
        text.map_err(|_| damaged(format!("what is sealed as {field} is not text")))
    }

    /// A keyed hash by which a sealed value can be found again. `normalised` must be spelt in one way only; whoever has
    /// the database alone cannot try values.
    pub fn blind_index(&self, field: &'static str, normalised: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.inner.index_key);
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field.as_bytes());
        hasher.update(normalised.as_bytes());
        hasher.finalize().into()
    }

    /// Destroys a person's key, for ever; `false` if there was none any more.
    pub fn destroy(&self, tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<bool, store::Error> {
        Ok(tx.execute(DESTROY_KEY, params![account_id, now_us])? == 1)
    }

    /// Drops the key of somebody who never became a person here: a registration that was not confirmed. `false` if
    /// there was none, or it was destroyed.
    pub fn forget(&self, tx: &mut Tx<'_>, account_id: Uuid) -> Result<bool, store::Error> {
        Ok(tx.execute(FORGET_KEY, params![account_id])? == 1)
    }

    fn key(&self, tx: &mut Tx<'_>, account_id: Uuid) -> Result<Held, store::Error> {
        let Some(row) = tx.query_opt(KEY, params![account_id])? else { return Ok(Held::Never) };
        let Some(wrapped) = row.get::<Option<Vec<u8>>>(0)? else { return Ok(Held::Destroyed) };
        let master = self.master_key(&row.get::<String>(1)?)?;
        match unwrap(&master, &person(account_id), &wrapped) {
            Some(key) => Ok(Held::Key(key)),
            None => Err(damaged(format!("the key of {account_id} does not unwrap"))),
        }
    }

    fn make_key(&self, tx: &mut Tx<'_>, account_id: Uuid) -> Result<Key, store::Error> {
        let master = self.keys().current().clone();
        let wrapped = wrap(&master, &person(account_id), &cipher::new_key());
        // For people to read; nothing is decided by it.
        let now_us = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_micros() as i64);
        tx.execute(ADD_KEY, params![account_id, wrapped, master.id(), now_us])?;
        // Another process may have been quicker: its key is the one that stays.
        match self.key(tx, account_id)? {
            Held::Key(key) => Ok(key),
            Held::Destroyed | Held::Never => Ok(cipher::new_key()),
        }
    }

    /// The master key of that id. One that is not known may have come with a rotation by another process.
    fn master_key(&self, id: &str) -> Result<MasterKey, store::Error> {
        if let Some(found) = self.keys().find(id) {
            return Ok(found.clone());
        }
        if let KeySource::File(path) = &self.inner.source
            && let Ok(Some(keys)) = MasterKeys::load(path)
        {
            let found = keys.find(id).cloned();
            *self.inner.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
            if let Some(found) = found {
                return Ok(found);
            }
        }
        Err(damaged(format!("there is no master key {id}")))
    }

    fn keys(&self) -> std::sync::RwLockReadGuard<'_, MasterKeys> {
        self.inner.keys.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

enum Held {
    Key(Key),
    Destroyed,
    Never,
}

/// The master keys of a source, of which it is certain that they fit what the database holds.
pub(crate) async fn keys_for(store: &Store, source: &KeySource) -> Result<MasterKeys, VaultError> {
    let needed: Vec<String> =
        store.read(|tx| tx.query(MASTER_KEYS, params![])?.iter().map(|it| it.get(0)).collect()).await?;
    let keys = match source {
        KeySource::Given(keys) => keys.clone(),
        KeySource::File(path) => match MasterKeys::load(path)? {
            Some(keys) => keys,
            None if needed.is_empty() => {
                let keys = MasterKeys::of(MasterKey::generate());
                keys.write(path)?;
                keys
            }
            None => return Err(VaultError::Missing { path: path.clone() }),
        },
    };
    match needed.into_iter().find(|it| keys.find(it).is_none()) {
        Some(needed) => Err(VaultError::Wrong { needed }),
        None => Ok(keys),
    }
}

fn index_key(tx: &mut Tx<'_>, keys: &MasterKeys) -> Result<Key, VaultError> {
    let master = keys.current();
    let fresh = wrap(master, INDEX_SECRET.as_bytes(), &cipher::new_key());
    tx.execute(ADD_SECRET, params![INDEX_SECRET, fresh, master.id()])?;
    let row = tx.query_one(SECRET, params![INDEX_SECRET])?;
    let (wrapped, id): (Vec<u8>, String) = (row.get(0)?, row.get(1)?);
    keys.find(&id)
        .and_then(|master| unwrap(master, INDEX_SECRET.as_bytes(), &wrapped))
        .ok_or(VaultError::Wrong { needed: id })
}

/// What a wrapped key is bound to.
pub(crate) fn person(account_id: Uuid) -> Vec<u8> {
    [b"person".as_slice(), account_id.as_bytes()].concat()
}

pub(crate) fn wrap(master: &MasterKey, about: &[u8], key: &Key) -> Vec<u8> {
    cipher::seal(master.secret(), about, &**key)
}

pub(crate) fn unwrap(master: &MasterKey, about: &[u8], wrapped: &[u8]) -> Option<Key> {
    let key = cipher::open(master.secret(), about, wrapped)?;
    Some(Zeroizing::new(key.as_slice().try_into().ok()?))
}

fn about(account_id: Uuid, field: &str) -> Vec<u8> {
    [account_id.as_bytes(), field.as_bytes()].concat()
}

fn damaged(detail: String) -> store::Error {
    store::Error::Damaged { detail }
}
