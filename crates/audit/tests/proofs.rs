//! The log grows, is signed, and gives proofs that others check.

mod support;

use audit::{MIGRATIONS, merkle};
use ct_merkle::{ConsistencyProof, HashableLeaf, InclusionProof, RootHash};
use sha2::Sha256;
use sha2::digest::{Output, Update};
use store::testing::for_each_engine;
use support::{NOW_US, assert_sound, grow, report, sign, signer};

struct Leaf(Vec<u8>);

impl HashableLeaf for Leaf {
    fn hash<H: Update>(&self, hasher: &mut H) {
        hasher.update(&self.0);
    }
}

fn foreign_root(size: u64, root: merkle::Hash) -> RootHash<Sha256> {
    RootHash::new(Output::<Sha256>::from(root), size)
}

/// Batches of seven are sealed: trees end in all ways.
#[test]
fn an_independent_implementation_accepts_the_proofs_of_the_log() {
    const SIZE: u64 = 45;
    for_each_engine(MIGRATIONS, async |store| {
        grow(&store, 1, 20).await;
        let older = sign(&store, 1).await;
        grow(&store, 21, SIZE as i64).await;
        let newer = sign(&store, 1).await;
        assert_eq!((older.tree_size, newer.tree_size), (20, SIZE as i64));
        assert!(older.is_signed() && newer.is_signed());
        for size in [1, 2, 20, 31, 32, 33, SIZE] {
            let root = store.read(move |tx| audit::root_at(tx, size)).await.unwrap();
            if size == 20 {
                assert_eq!(root, older.root);
            }
            for sequence in 1..=size {
                let (entry, path) = store
                    .read(move |tx| {
                        let entry = audit::find(tx, sequence as i64)?.expect("it is there");
                        Ok::<_, store::Error>((entry, audit::inclusion_proof(tx, sequence, size)?))
                    })
                    .await
                    .unwrap();
                let proof = InclusionProof::try_from_bytes(path.concat()).unwrap();
                let leaf = Leaf(entry.canonical());
                foreign_root(size, root).verify_inclusion(&leaf, sequence - 1, &proof).unwrap();
                let index = sequence - 1;
                assert_eq!(merkle::root_of_inclusion(index, size, &entry.leaf(), &path), Some(root));
            }
        }
        let proof = store.read(|tx| audit::consistency_proof(tx, 20, SIZE)).await.unwrap();
        let theirs = ConsistencyProof::try_from_bytes(proof.concat()).unwrap();
        foreign_root(SIZE, newer.root).verify_consistency(&foreign_root(20, older.root), &theirs).unwrap();
        assert!(merkle::is_consistent((20, &older.root), (SIZE, &newer.root), &proof));
        assert_sound(&store).await;
    });
}

#[test]
fn an_entry_keeps_its_id_its_words_and_its_order() {
    for_each_engine(MIGRATIONS, async |store| {
        grow(&store, 1, 30).await;
        let id = store.locked(|tx| audit::record(tx, &support::entry(33))).await.unwrap();
        assert_eq!(store.read(move |tx| audit::find_by_id(tx, id)).await, Ok(None), "it waits");
        assert_eq!(report(&store).await.waiting, 1);
        grow(&store, 34, 35).await;
        let found = store.read(move |tx| audit::find_by_id(tx, id)).await.unwrap().expect("it is there");
        assert_eq!(
            (found.sequence, found.at_us, found.action.as_str()),
            (31, NOW_US + 33, "listing.price_changed")
        );
        assert_eq!(found.details, "{\"price_minor\":33}");
        assert_eq!(found.reason_commitment.map(|it| it.len()), Some(32));
        for sequence in 1..=30 {
            let found = store.read(move |tx| audit::find(tx, sequence)).await.unwrap().expect("it is there");
            assert_eq!(found.at_us, NOW_US + sequence);
        }
    });
}

#[test]
fn a_log_that_has_not_grown_is_not_signed_again() {
    for_each_engine(MIGRATIONS, async |store| {
        let again = async |secret| {
            let signer = signer(secret);
            store.locked(move |tx| audit::checkpoint(tx, &signer, NOW_US)).await.unwrap()
        };
        assert_eq!(again(1).await, None);
        grow(&store, 1, 2).await;
        assert_eq!(again(1).await.map(|it| it.tree_size), Some(2));
        assert_eq!(again(1).await, None);
        assert_eq!(report(&store).await.keys, [signer(1).public_key]);
    });
}

#[test]
fn another_key_is_told_of_before_it_signs() {
    for_each_engine(MIGRATIONS, async |store| {
        let announce = async |secret| {
            let signer = signer(secret);
            store.locked(move |tx| audit::announce_key(tx, &signer, NOW_US + 100)).await.unwrap()
        };
        assert!(!announce(1).await, "there was none before");
        grow(&store, 1, 2).await;
        sign(&store, 1).await;
        assert!(!announce(1).await);
        assert!(announce(2).await);
        grow(&store, 3, 3).await;
        sign(&store, 2).await;
        let report = report(&store).await;
        assert_eq!((report.entries, &report.faults[..]), (4, &[][..]));
        assert_eq!(report.keys, [signer(1).public_key, signer(2).public_key]);
    });
}

/// Many that write and seal at once make one log.
#[test]
fn many_record_and_seal_at_once_and_the_log_is_one() {
    for_each_engine(MIGRATIONS, async |store| {
        let tasks: Vec<_> = (1..=60)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move {
                    store.locked(move |tx| audit::record(tx, &support::entry(n))).await.unwrap();
                    store.locked(|tx| audit::seal(tx, 3)).await.unwrap();
                    let signer = signer(1);
                    store.locked(move |tx| audit::checkpoint(tx, &signer, NOW_US)).await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        grow(&store, 61, 61).await;
        let report = report(&store).await;
        assert_eq!((report.entries, report.waiting, &report.faults[..]), (61, 0, &[][..]));
    });
}
