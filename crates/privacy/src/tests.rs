//! The vault on both engines.

use store::testing::{for_each_engine, prepare_all};
use store::{Store, params};
use uuid::Uuid;

use crate::{KeySource, MIGRATIONS, MasterKey, MasterKeys, STATEMENTS, Vault, VaultError, rotate};

const ANN: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);

async fn seal(store: &Store, vault: &Vault, account_id: Uuid, text: &'static str) -> Vec<u8> {
    let vault = vault.clone();
    store.serializable(move |tx| vault.seal(tx, account_id, "note", text.as_bytes())).await.unwrap()
}

async fn open(
    store: &Store,
    vault: &Vault,
    account_id: Uuid,
    sealed: &[u8],
) -> Result<Option<String>, store::Error> {
    let (vault, sealed) = (vault.clone(), sealed.to_vec());
    store.read(move |tx| vault.open_text(tx, account_id, "note", &sealed)).await
}

#[test]
fn every_statement_is_understood_by_both_engines() {
    let all = [MIGRATIONS, api::MIGRATIONS, events::MIGRATIONS].concat();
    for_each_engine(&all, |store| async move { prepare_all(&store, STATEMENTS).await });
}

#[test]
fn a_person_s_words_open_for_them_alone_and_under_their_field_alone() {
    for_each_engine(MIGRATIONS, |store| async move {
        let vault = Vault::for_test(&store).await;
        let sealed = seal(&store, &vault, ANN, "hello").await;
        assert_eq!(open(&store, &vault, ANN, &sealed).await, Ok(Some("hello".to_owned())));
        seal(&store, &vault, BOB, "other").await;
        assert!(matches!(open(&store, &vault, BOB, &sealed).await, Err(store::Error::Damaged { .. })));
        let (other, bytes) = (vault.clone(), sealed.clone());
        let under_other_field = store.read(move |tx| other.open(tx, ANN, "e-mail", &bytes)).await;
        assert!(matches!(under_other_field, Err(store::Error::Damaged { .. })));
    });
}

#[test]
fn a_destroyed_key_leaves_nothing_to_open_and_is_never_made_again() {
    for_each_engine(MIGRATIONS, |store| async move {
        let vault = Vault::for_test(&store).await;
        let before = seal(&store, &vault, ANN, "hello").await;
        for is_first in [true, false] {
            let keys = vault.clone();
            assert_eq!(store.locked(move |tx| keys.destroy(tx, ANN, 5)).await, Ok(is_first));
        }
        let after = seal(&store, &vault, ANN, "again").await;
        assert_eq!(open(&store, &vault, ANN, &before).await, Ok(None));
        assert_eq!(open(&store, &vault, ANN, &after).await, Ok(None));
        // Of somebody who never had one neither.
        let keys = vault.clone();
        store.locked(move |tx| keys.destroy(tx, BOB, 5)).await.unwrap();
        let sealed = seal(&store, &vault, BOB, "hello").await;
        assert_eq!(open(&store, &vault, BOB, &sealed).await, Ok(None));
    });
}

#[test]
fn a_key_made_in_a_transaction_that_was_undone_is_used_for_nothing() {
    for_each_engine(MIGRATIONS, |store| async move {
        let vault = Vault::for_test(&store).await;
        let keys = vault.clone();
        let undone: Result<(), store::Error> = store
            .serializable(move |tx| {
                keys.seal(tx, ANN, "note", b"lost")?;
                Err(store::Error::NoRow)
            })
            .await;
        assert_eq!(undone, Err(store::Error::NoRow));
        let sealed = seal(&store, &vault, ANN, "kept").await;
        assert_eq!(open(&store, &vault, ANN, &sealed).await, Ok(Some("kept".to_owned())));
    });
}

#[test]
fn the_first_start_makes_the_key_file_for_its_owner_alone_and_later_ones_need_it() {
    for_each_engine(MIGRATIONS, |store| async move {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/master.key");
        let source = KeySource::File(path.clone());
        let vault = Vault::unlock(&store, source.clone()).await.unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let sealed = seal(&store, &vault, ANN, "hello").await;
        let index = vault.blind_index("email", "ann@example.org");
        let again = Vault::unlock(&store, source.clone()).await.unwrap();
        assert_eq!(open(&store, &again, ANN, &sealed).await, Ok(Some("hello".to_owned())));
        assert_eq!(again.blind_index("email", "ann@example.org"), index);
        assert_ne!(again.blind_index("other", "ann@example.org"), index);

        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let missing = Vault::unlock(&store, source.clone()).await.unwrap_err();
        assert!(matches!(missing, VaultError::Missing { .. }), "{missing}");
        assert!(!path.exists(), "no new key is made over data that needs the old one");

        std::fs::write(&path, "not a key\n").unwrap();
        let unusable = Vault::unlock(&store, source.clone()).await.unwrap_err();
        assert!(matches!(unusable, VaultError::Unusable { .. }), "{unusable}");

        let other = KeySource::Given(MasterKeys::of(MasterKey::generate()));
        let wrong = Vault::unlock(&store, other).await.unwrap_err();
        assert!(matches!(wrong, VaultError::Wrong { .. }), "{wrong}");

        std::fs::write(&path, kept).unwrap();
        assert!(Vault::unlock(&store, source).await.is_ok());
    });
}

#[test]
fn after_a_rotation_everything_opens_by_the_new_key_alone() {
    for_each_engine(MIGRATIONS, |store| async move {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let source = KeySource::File(path.clone());
        let vault = Vault::unlock(&store, source.clone()).await.unwrap();
        let index = vault.blind_index("email", "ann@example.org");
        let sealed = seal(&store, &vault, ANN, "hello").await;
        seal(&store, &vault, BOB, "other").await;
        let before = std::fs::read_to_string(&path).unwrap();

        let rotated = rotate(&store, &source, false).await.unwrap();
        assert_eq!(rotated.keys, 3, "two persons and the index");
        // A process that runs reads the file again when it meets the new key.
        assert_eq!(open(&store, &vault, ANN, &sealed).await, Ok(Some("hello".to_owned())));
        if rotated.keeps_earlier {
            assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
            rotate(&store, &source, true).await.unwrap();
        }
        let after = std::fs::read_to_string(&path).unwrap();
        assert_eq!(after.lines().count(), 1);
        assert!(!after.contains(before.trim()));

        let again = Vault::unlock(&store, source).await.unwrap();
        assert_eq!(open(&store, &again, ANN, &sealed).await, Ok(Some("hello".to_owned())));
        assert_eq!(again.blind_index("email", "ann@example.org"), index);
        let old = KeySource::Given(MasterKeys::parse(&before).unwrap());
        assert!(matches!(Vault::unlock(&store, old).await, Err(VaultError::Wrong { .. })));
    });
}

#[test]
fn an_interrupted_rotation_is_finished_by_the_next() {
    for_each_engine(MIGRATIONS, |store| async move {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let source = KeySource::File(path.clone());
        let vault = Vault::unlock(&store, source.clone()).await.unwrap();
        let sealed = seal(&store, &vault, ANN, "hello").await;
        // As a crash leaves it: both keys in the file, nothing wrapped again but one.
        MasterKeys::load(&path).unwrap().unwrap().with_new().write(&path).unwrap();
        let newest = std::fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
        let vault = Vault::unlock(&store, source.clone()).await.unwrap();
        seal(&store, &vault, BOB, "by the new one").await;

        rotate(&store, &source, false).await.unwrap();
        rotate(&store, &source, true).await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().trim(), newest);
        let again = Vault::unlock(&store, source).await.unwrap();
        assert_eq!(open(&store, &again, ANN, &sealed).await, Ok(Some("hello".to_owned())));
    });
}

#[test]
fn wrapped_keys_are_not_the_keys() {
    for_each_engine(MIGRATIONS, |store| async move {
        let vault = Vault::for_test(&store).await;
        let sealed = seal(&store, &vault, ANN, "a text that is searched for").await;
        assert!(!sealed.windows(6).any(|it| it == b"a text"));
        let rows = store
            .read(|tx| tx.query("select wrapped from person_keys where account_id = $1", params![ANN]))
            .await
            .unwrap();
        assert_eq!(rows[0].get::<Vec<u8>>(0).unwrap().len(), 1 + 24 + 32 + 16);
    });
}
