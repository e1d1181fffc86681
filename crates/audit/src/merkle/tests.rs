//! Against the published vectors and against an implementation by others.

use std::collections::HashMap;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, HashableLeaf, InclusionProof, RootHash};
use sha2::digest::Output;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// Leaves and roots of the reference implementation of RFC 6962.
#[test]
fn roots_are_the_published_ones() {
    let leaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut peaks = Peaks::default();
    assert_eq!(peaks.root()[..], hex(roots[0]));
    for (data, root) in leaves.iter().zip(&roots[1..]) {
        peaks.push(leaf(&hex(data)), |_, hash| hash);
        assert_eq!(peaks.root()[..], hex(root), "{} leaves", peaks.size());
    }
}

/// A tree with all its whole nodes.
struct Grown {
    peaks: Peaks,
    nodes: HashMap<At, Hash>,
}

impl Grown {
    fn of(size: u64) -> Self {
        let mut it = Self { peaks: Peaks::default(), nodes: HashMap::new() };
        let to_come = it.peaks.to_come(size);
        for index in 0..size {
            let hash = leaf(&index.to_be_bytes());
            it.nodes.insert(At { level: 0, index }, hash);
            let nodes = &mut it.nodes;
            it.peaks.push(hash, |at, hash| {
                nodes.insert(at, hash);
                hash
            });
        }
        assert!(to_come.iter().all(|at| it.nodes.contains_key(at)));
        assert_eq!(to_come.len() as u64 + size, it.nodes.len() as u64);
        it
    }

    fn span(&self, span: Span) -> Hash {
        fold(&span.nodes().iter().map(|at| self.nodes[at]).collect::<Vec<_>>())
    }

    fn hashes(&self, spans: Vec<Span>) -> Vec<Hash> {
        spans.into_iter().map(|it| self.span(it)).collect()
    }

    fn root(&self, size: u64) -> Hash {
        self.span(Span { begin: 0, end: size })
    }
}

#[derive(Clone)]
struct Leaf([u8; 8]);

impl HashableLeaf for Leaf {
    fn hash<H: sha2::digest::Update>(&self, hasher: &mut H) {
        hasher.update(&self.0);
    }
}

const SIZE_MAX: u64 = 66;

fn foreign(size: u64) -> MemoryBackedTree<sha2::Sha256, Leaf> {
    let mut tree = MemoryBackedTree::new();
    (0..size).for_each(|index| tree.push(Leaf(index.to_be_bytes())));
    tree
}

fn foreign_root(size: u64, hash: Hash) -> RootHash<sha2::Sha256> {
    RootHash::new(Output::<sha2::Sha256>::from(hash), size)
}

#[test]
fn inclusion_proofs_are_those_of_others_for_every_leaf_of_every_tree() {
    let grown = Grown::of(SIZE_MAX);
    for size in 1..=SIZE_MAX {
        let (tree, root) = (foreign(size), grown.root(size));
        assert_eq!(tree.root().as_bytes()[..], root[..]);
        for index in 0..size {
            let path = grown.hashes(inclusion(index, size));
            let bytes = path.concat();
            assert_eq!(tree.prove_inclusion(index as usize).as_bytes(), bytes);
            let theirs = InclusionProof::<sha2::Sha256>::try_from_bytes(bytes).unwrap();
            foreign_root(size, root).verify_inclusion(&Leaf(index.to_be_bytes()), index, &theirs).unwrap();
            let hash = leaf(&index.to_be_bytes());
            assert_eq!(root_of_inclusion(index, size, &hash, &path), Some(root));
            assert_ne!(root_of_inclusion(index, size, &leaf(b"other"), &path), Some(root));
            assert_ne!(
                root_of_inclusion((index + 1) % size, size, &hash, &path),
                Some(root).filter(|_| size > 1)
            );
            for wrong in 0..path.len() {
                let mut altered = path.clone();
                altered[wrong][31] ^= 1;
                assert_ne!(root_of_inclusion(index, size, &hash, &altered), Some(root));
            }
            assert_ne!(root_of_inclusion(index, size, &hash, &[&path[..], &[root]].concat()), Some(root));
            assert_eq!(root_of_inclusion(size, size, &hash, &path), None);
        }
    }
}

#[test]
fn consistency_proofs_are_those_of_others_for_every_pair_of_trees() {
    let grown = Grown::of(SIZE_MAX);
    for size in 1..=SIZE_MAX {
        let (tree, root) = (foreign(size), grown.root(size));
        for before in 1..=size {
            let (older, proof) = (grown.root(before), grown.hashes(consistency(before, size)));
            assert_eq!(tree.prove_consistency((size - before) as usize).as_bytes(), proof.concat());
            let theirs = ConsistencyProof::<sha2::Sha256>::try_from_bytes(proof.concat()).unwrap();
            foreign_root(size, root).verify_consistency(&foreign_root(before, older), &theirs).unwrap();
            assert!(is_consistent((before, &older), (size, &root), &proof));
            assert!(!is_consistent((before, &leaf(b"other")), (size, &root), &proof));
            assert!(!is_consistent((before, &older), (size, &leaf(b"other")), &proof));
            assert!(!is_consistent((before, &older), (size, &root), &[&proof[..], &[root]].concat()));
            for wrong in 0..proof.len() {
                let mut altered = proof.clone();
                altered[wrong][0] ^= 1;
                assert!(!is_consistent((before, &older), (size, &root), &altered));
            }
        }
        assert!(!is_consistent((0, &root), (size, &root), &[]));
    }
}

#[test]
fn peaks_that_do_not_fit_their_size_are_refused() {
    let peaks = Grown::of(13).peaks;
    assert_eq!(Peaks::of(13, peaks.nodes().to_vec()).unwrap(), peaks);
    assert_eq!(Peaks::of(14, peaks.nodes().to_vec()).map(|it| it.size()), Some(14), "three bits as well");
    assert_eq!(Peaks::of(15, peaks.nodes().to_vec()), None);
}
