//! A new master key: the keys of persons are wrapped again, what they sealed stays as it is.
//!
//! The file first holds the new key and those before it, then everything is wrapped again a batch at a time, then the
//! earlier keys leave the file. Interrupted anywhere, both keys are in the file and the next run goes on.

use store::{Engine, Store, Tx, params};
use uuid::Uuid;

use crate::master_key::{KeySource, MasterKeys};
use crate::vault::{VaultError, keys_for, person, unwrap, wrap};

/// Keys that are wrapped again in one transaction.
const BATCH: i64 = 500;

store::statements! {
    /// Keys of persons that are wrapped by another master key.
    STALE_KEYS = "select account_id, wrapped, master_key_id from person_keys \
                  where wrapped is not null and master_key_id <> $1 order by account_id limit $2 for update";
    /// Wraps one again, unless it was destroyed.
    REWRAP_KEY = "update person_keys set wrapped = $2, master_key_id = $3 \
                  where account_id = $1 and wrapped is not null";
    /// Keys of the vault likewise.
    STALE_SECRETS = "select secret_name, wrapped, master_key_id from vault_secrets \
                     where master_key_id <> $1 order by secret_name for update";
    /// Wraps one again.
    REWRAP_SECRET = "update vault_secrets set wrapped = $2, master_key_id = $3 where secret_name = $1";
}

/// What a rotation did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotated {
    /// Keys that were wrapped again.
    pub keys: u64,
    /// Whether the file still holds the key before: other processes may not know the new one yet.
    pub keeps_earlier: bool,
}

/// Wraps everything by a new master key. With `finish` no new one is made: what is left under an earlier key is
/// wrapped again and the earlier keys leave the file.
///
/// On `SQLite` the store is ours alone and both happen at once. On a shared server nodes that run go on to wrap new
/// keys by the master key they know, so the earlier one stays in the file until a run with `finish`, after they have
/// been started again.
pub async fn rotate(store: &Store, source: &KeySource, finish: bool) -> Result<Rotated, VaultError> {
    let keys = keys_for(store, source).await?;
    let keys = match source {
        KeySource::File(path) if !finish && !keys.has_earlier() => {
            let keys = keys.with_new();
            keys.write(path)?;
            keys
        }
        KeySource::Given(_) if !keys.has_earlier() => return Err(VaultError::NothingToRotateTo),
        _ => keys,
    };
    let secrets = keys.clone();
    let mut count = store.locked(move |tx| rewrap_secrets(tx, &secrets)).await?;
    loop {
        let batch = keys.clone();
        let done = store.locked(move |tx| rewrap_keys(tx, &batch)).await?;
        count += done;
        if done == 0 {
            break;
        }
    }
    let keeps_earlier = store.engine() == Engine::Postgres && !finish;
    if let KeySource::File(path) = source
        && !keeps_earlier
    {
        MasterKeys::of(keys.current().clone()).write(path)?;
    }
    Ok(Rotated { keys: count, keeps_earlier })
}

fn rewrap_keys(tx: &mut Tx<'_>, keys: &MasterKeys) -> Result<u64, VaultError> {
    let stale = tx.query(STALE_KEYS, params![keys.current().id(), BATCH])?;
    for row in &stale {
        let account_id: Uuid = row.get(0)?;
        let wrapped = rewrapped(keys, &person(account_id), &row.get::<Vec<u8>>(1)?, row.get(2)?)?;
        tx.execute(REWRAP_KEY, params![account_id, wrapped, keys.current().id()])?;
    }
    Ok(stale.len() as u64)
}

fn rewrap_secrets(tx: &mut Tx<'_>, keys: &MasterKeys) -> Result<u64, VaultError> {
    let stale = tx.query(STALE_SECRETS, params![keys.current().id()])?;
    for row in &stale {
        let name: String = row.get(0)?;
        let wrapped = rewrapped(keys, name.as_bytes(), &row.get::<Vec<u8>>(1)?, row.get(2)?)?;
        tx.execute(REWRAP_SECRET, params![name, wrapped, keys.current().id()])?;
    }
    Ok(stale.len() as u64)
}

fn rewrapped(keys: &MasterKeys, about: &[u8], wrapped: &[u8], id: String) -> Result<Vec<u8>, VaultError> {
    let key = keys.find(&id).and_then(|master| unwrap(master, about, wrapped));
    Ok(wrap(keys.current(), about, &key.ok_or(VaultError::Wrong { needed: id })?))
}
