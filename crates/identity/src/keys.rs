//! The device keys of an account: looking at them, adding, naming, removing.

use api::Caller;
use store::{Tx, params};
use uuid::Uuid;

use crate::accounts;
use crate::challenge::{Nonce, Purpose};
use crate::challenge_rows;
use crate::device_key::DeviceKey;
use crate::service::{Identity, IssuedChallenge, LoginError};
use crate::sessions;

/// Device keys of one account.
pub const KEYS_PER_ACCOUNT_MAX: i64 = 20;

/// Longest name of a device, or of an API key, in characters.
pub const LABEL_CHARACTERS_MAX: usize = 60;

/// A device key as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKey {
    /// The public key.
    pub public_key: [u8; 32],
    /// What the owner calls the device.
    pub label: Option<String>,
    /// Microseconds since 1970.
    pub created_us: i64,
    /// When it last opened a session.
    pub last_used_us: i64,
}

/// Why a key was not added or removed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It opens another account, or did.
    #[error("this key opens another account")]
    Taken,
    /// It opens this account already.
    #[error("this key opens the account already")]
    Known,
    /// As many as there may be.
    #[error("an account has at most {KEYS_PER_ACCOUNT_MAX} device keys")]
    TooMany,
    /// The account has no such key.
    #[error("the account has no such key")]
    NotFound,
    /// Without it nobody could come in any more.
    #[error("this is the last way into the account")]
    LastWayIn,
    /// The answer to the challenge is wrong, or the database failed.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl From<store::Error> for KeyError {
    fn from(error: store::Error) -> Self {
        Self::Login(error.into())
    }
}

store::statements! {
    LIST = "select public_key, label, created_at, last_used_at from device_keys \
        where account_id = $1 and removed_at is null order by created_at, public_key";
    OWNER = "select account_id, removed_at from device_keys where public_key = $1";
    COUNT = "select count(*) from device_keys where account_id = $1 and removed_at is null";
    SET_LABEL = "update device_keys set label = $3 where public_key = $1 and account_id = $2 and removed_at is null";
    /// A key that comes back to the account it was removed from.
    BRING_BACK = "update device_keys set removed_at = null, label = $3, last_used_at = $4 \
        where public_key = $1 and account_id = $2 and removed_at is not null";
    REMOVE = "update device_keys set removed_at = $3, label = null \
        where public_key = $1 and account_id = $2 and removed_at is null";
    KEY_OF_SESSION = "select public_key from sessions where session_id = $1 and account_id = $2";
    SESSIONS_OF = "select session_id from sessions where public_key = $1 and account_id = $2 and ended_at is null \
        order by session_id";
}

impl Identity {
    /// A text for the holder of `key` to sign, so that the key is added to this account.
    pub async fn challenge_to_add(
        &self,
        caller: &Caller,
        key: DeviceKey,
        origin: &str,
    ) -> Result<IssuedChallenge, store::Error> {
        self.issue_challenge(key, origin, Purpose::AddKey, Some(caller.account_id)).await
    }

    /// The device keys of an account, oldest first.
    pub async fn keys(&self, account_id: Uuid) -> Result<Vec<OwnKey>, store::Error> {
        let vault = self.deps.vault.clone();
        self.deps.store.read(move |tx| list(tx, &vault, account_id)).await
    }

    /// Adds a key whose holder has signed the text for it.
    pub async fn add_key(
        &self,
        account_id: Uuid,
        key: DeviceKey,
        nonce: Nonce,
        signature: &[u8; 64],
        label: Option<String>,
    ) -> Result<OwnKey, KeyError> {
        self.check_answer(&key, nonce, signature, Purpose::AddKey, Some(account_id)).await?;
        let (vault, now_us) = (self.deps.vault.clone(), self.now_us());
        self.deps
            .store
            .serializable(move |tx| {
                if !challenge_rows::take(tx, nonce)? {
                    return Err(LoginError::ChallengeNotOpen.into());
                }
                let public_key = *key.as_bytes();
                let owner = tx.query_opt(OWNER, params![public_key])?;
                let owner = owner.map(|row| Ok::<_, store::Error>((row.get(0)?, row.get::<Option<i64>>(1)?)));
                let known: Option<(Uuid, Option<i64>)> = owner.transpose()?;
                match known {
                    Some((owner, _)) if owner != account_id => return Err(KeyError::Taken),
                    Some((_, None)) => return Err(KeyError::Known),
                    _ => {}
                }
                if tx.query_one(COUNT, params![account_id])?.get::<i64>(0)? >= KEYS_PER_ACCOUNT_MAX {
                    return Err(KeyError::TooMany);
                }
                let sealed = match &label {
                    Some(label) => Some(vault.seal(tx, account_id, "key_label", label.as_bytes())?),
                    None => None,
                };
                if known.is_some() {
                    tx.execute(BRING_BACK, params![public_key, account_id, sealed, now_us])?;
                } else {
                    accounts::add_key(tx, account_id, &key, sealed, now_us)?;
                }
                Ok(OwnKey { public_key, label: label.clone(), created_us: now_us, last_used_us: now_us })
            })
            .await
    }

    /// Names a device.
    pub async fn label_key(
        &self,
        account_id: Uuid,
        key: DeviceKey,
        label: Option<String>,
    ) -> Result<OwnKey, KeyError> {
        let vault = self.deps.vault.clone();
        self.deps
            .store
            .serializable(move |tx| {
                let sealed = match &label {
                    Some(label) => Some(vault.seal(tx, account_id, "key_label", label.as_bytes())?),
                    None => None,
                };
                if tx.execute(SET_LABEL, params![*key.as_bytes(), account_id, sealed])? == 0 {
                    return Err(KeyError::NotFound);
                }
                let keys = list(tx, &vault, account_id)?;
                keys.into_iter().find(|it| it.public_key == *key.as_bytes()).ok_or(KeyError::NotFound)
            })
            .await
    }

    /// The key that opened a session, if one did.
    pub async fn key_of_session(
        &self,
        account_id: Uuid,
        session_id: Uuid,
    ) -> Result<Option<[u8; 32]>, store::Error> {
        self.deps
            .store
            .read(move |tx| match tx.query_opt(KEY_OF_SESSION, params![session_id, account_id])? {
                Some(row) => row.get(0),
                None => Ok(None),
            })
            .await
    }

    /// Removes a device and ends the sessions that it has opened. The last way in stays.
    pub async fn remove_key(&self, account_id: Uuid, key: DeviceKey) -> Result<(), KeyError> {
        let (other_ways_in, now_us) = (self.deps.other_ways_in.clone(), self.now_us());
        self.deps
            .store
            // Two ways in that are removed at once must not both count on the other.
            .serializable(move |tx| {
                if tx.execute(REMOVE, params![*key.as_bytes(), account_id, now_us])? == 0 {
                    return Err(KeyError::NotFound);
                }
                if accounts::ways_in(tx, account_id)? + other_ways_in(tx, account_id)? == 0 {
                    return Err(KeyError::LastWayIn);
                }
                for row in tx.query(SESSIONS_OF, params![*key.as_bytes(), account_id])? {
                    sessions::end(tx, account_id, row.get(0)?, now_us)?;
                }
                Ok(())
            })
            .await?;
        self.standing_changed(account_id);
        Ok(())
    }
}

fn list(tx: &mut Tx<'_>, vault: &privacy::Vault, account_id: Uuid) -> Result<Vec<OwnKey>, store::Error> {
    let rows = tx.query(LIST, params![account_id])?;
    rows.iter()
        .map(|row| {
            let label = match row.get::<Option<Vec<u8>>>(1)? {
                Some(sealed) => vault.open_text(tx, account_id, "key_label", &sealed)?,
                None => None,
            };
            Ok(OwnKey { public_key: row.get(0)?, label, created_us: row.get(2)?, last_used_us: row.get(3)? })
        })
        .collect()
}
