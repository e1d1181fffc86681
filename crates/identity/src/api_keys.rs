//! API keys: tokens for machines, made by a person for their own account.
//!
//! A key is `trn_` and 256 random bits, kept only as a hash. It stands for its account within its scopes, expires, and
//! can never change how somebody signs in. Whoever may not use the account may not use its keys.

use api::{Role, Scope, Scopes};
use sha2::{Digest as _, Sha256};
use store::{Row, Tx, params};
use uuid::Uuid;

use crate::base64url;
use crate::entrance::new_id;
use crate::service::Identity;
use crate::standing::{self, Standing};

/// What every key begins with, so that it is known for one wherever it turns up.
pub const API_KEY_PREFIX: &str = "trn_";

/// Keys of one account; those that have expired do not count.
pub const API_KEYS_PER_ACCOUNT_MAX: i64 = 20;

/// The longest life of a key, in days.
pub const API_KEY_DAYS_MAX: u32 = 365;

/// `last_used_at` is written this often at most.
const USE_NOTED_EVERY_US: i64 = 60 * 1_000_000;

const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// A key as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id; not secret.
    pub api_key_id: Uuid,
    /// What the owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Microseconds since 1970.
    pub created_us: i64,
    /// When it stops working.
    pub expires_us: i64,
    /// When it was last used, to the minute.
    pub last_used_us: Option<i64>,
}

/// A wish for a key.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What the owner calls it.
    pub name: String,
    /// What it shall be used for.
    pub scopes: Vec<Scope>,
    /// For how long.
    pub days: u32,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// As many as there may be.
    #[error("an account has at most {API_KEYS_PER_ACCOUNT_MAX} API keys")]
    TooMany,
    /// A scope that the account's role has no use for.
    #[error("only staff can have keys that act as staff")]
    ScopeNotYours,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A key that was shown, with what it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FoundKey {
    pub(crate) api_key_id: Uuid,
    pub(crate) account_id: Uuid,
    pub(crate) scopes: Scopes,
    pub(crate) expires_us: i64,
    pub(crate) last_used_us: Option<i64>,
    pub(crate) standing: Standing,
}

store::statements! {
    FIND = "select a.role, a.state, a.suspended_until, k.api_key_id, k.account_id, k.scopes, k.expires_at, \
        k.last_used_at from api_keys k join accounts a on a.account_id = k.account_id where k.secret_hash = $1";
    NOTE_USE = "update api_keys set last_used_at = $2 where api_key_id = $1";
    FORGET_EXPIRED = "delete from api_keys where account_id = $1 and expires_at <= $2";
    COUNT = "select count(*) from api_keys where account_id = $1";
    INSERT = "insert into api_keys (api_key_id, account_id, secret_hash, name, scopes, created_at, expires_at) \
        values ($1, $2, $3, $4, $5, $6, $7)";
    LIST = "select api_key_id, name, scopes, created_at, expires_at, last_used_at from api_keys \
        where account_id = $1 and expires_at > $2 order by created_at desc, api_key_id";
    DELETE = "delete from api_keys where api_key_id = $1 and account_id = $2";
}

/// What is stored of a key; `None` if the text has not its form.
pub(crate) fn hash_of(token: &str) -> Option<[u8; 32]> {
    let secret: [u8; 32] = base64url::decode_array(token.strip_prefix(API_KEY_PREFIX)?)?;
    Some(Sha256::digest(secret).into())
}

/// The key with this hash, whether or not it may be used.
pub(crate) fn find(tx: &mut Tx<'_>, hash: [u8; 32]) -> Result<Option<FoundKey>, store::Error> {
    let Some(row) = tx.query_opt(FIND, params![hash])? else { return Ok(None) };
    Ok(Some(FoundKey {
        standing: standing::from_row(&row, 0)?,
        api_key_id: row.get(3)?,
        account_id: row.get(4)?,
        scopes: scopes_of(&row.get::<String>(5)?).into_iter().collect(),
        expires_us: row.get(6)?,
        last_used_us: row.get(7)?,
    }))
}

impl FoundKey {
    /// Whether its use has not been noted for a while.
    pub(crate) fn is_use_news(&self, now_us: i64) -> bool {
        self.last_used_us.is_none_or(|last_us| now_us - last_us >= USE_NOTED_EVERY_US)
    }
}

impl Identity {
    /// The keys of an account that have not expired, newest first.
    pub async fn api_keys(&self, account_id: Uuid) -> Result<Vec<ApiKey>, store::Error> {
        let (vault, now_us) = (self.deps.vault.clone(), self.now_us());
        self.deps
            .store
            .read(move |tx| {
                let rows = tx.query(LIST, params![account_id, now_us])?;
                rows.iter()
                    .map(|row| {
                        let sealed: Vec<u8> = row.get(1)?;
                        let name = vault.open_text(tx, account_id, "api_key_name", &sealed)?;
                        api_key(row, name.unwrap_or_default())
                    })
                    .collect()
            })
            .await
    }

    /// Makes a key; the text is shown this once.
    pub async fn make_api_key(
        &self,
        account_id: Uuid,
        role: Role,
        wish: NewApiKey,
    ) -> Result<(ApiKey, String), ApiKeyError> {
        if wish.scopes.contains(&Scope::Staff) && !role.is_staff() {
            return Err(ApiKeyError::ScopeNotYours);
        }
        let secret: [u8; 32] = rand::random();
        let token = format!("{API_KEY_PREFIX}{}", base64url::encode(&secret));
        let hash: [u8; 32] = Sha256::digest(secret).into();
        let (vault, now_us) = (self.deps.vault.clone(), self.now_us());
        let key = ApiKey {
            api_key_id: new_id(now_us),
            name: wish.name,
            scopes: Scope::ALL.into_iter().filter(|it| wish.scopes.contains(it)).collect(),
            created_us: now_us,
            expires_us: now_us + i64::from(wish.days) * DAY_US,
            last_used_us: None,
        };
        let stored = key.clone();
        self.deps
            .store
            .serializable(move |tx| {
                tx.execute(FORGET_EXPIRED, params![account_id, now_us])?;
                if tx.query_one(COUNT, params![account_id])?.get::<i64>(0)? >= API_KEYS_PER_ACCOUNT_MAX {
                    return Err(ApiKeyError::TooMany);
                }
                let name = vault.seal(tx, account_id, "api_key_name", stored.name.as_bytes())?;
                let scopes: Vec<&str> = stored.scopes.iter().map(|it| it.name()).collect();
                let values = params![
                    stored.api_key_id,
                    account_id,
                    hash,
                    name,
                    scopes.join(" "),
                    now_us,
                    stored.expires_us
                ];
                tx.execute(INSERT, values)?;
                Ok(())
            })
            .await?;
        Ok((key, token))
    }

    /// Ends a key, at once; `false` if the account has no such key.
    pub async fn end_api_key(&self, account_id: Uuid, api_key_id: Uuid) -> Result<bool, store::Error> {
        let ended =
            self.deps.store.locked(move |tx| tx.execute(DELETE, params![api_key_id, account_id])).await?;
        self.standing_changed(account_id);
        Ok(ended == 1)
    }

    /// Notes that a key was used just now.
    pub(crate) async fn note_use(&self, api_key_id: Uuid) -> Result<(), store::Error> {
        let now_us = self.now_us();
        self.deps.store.locked(move |tx| tx.execute(NOTE_USE, params![api_key_id, now_us]).map(drop)).await
    }
}

fn api_key(row: &Row, name: String) -> Result<ApiKey, store::Error> {
    Ok(ApiKey {
        api_key_id: row.get(0)?,
        name,
        scopes: scopes_of(&row.get::<String>(2)?),
        created_us: row.get(3)?,
        expires_us: row.get(4)?,
        last_used_us: row.get(5)?,
    })
}

/// A scope that this program does not know gives nothing.
fn scopes_of(text: &str) -> Vec<Scope> {
    text.split(' ').filter_map(Scope::parse).collect()
}
