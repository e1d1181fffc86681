#![allow(clippy::unwrap_used, reason = "everything here is a test: a panic is how it fails")]

use super::*;

fn name(text: &str) -> BlobName {
    BlobName::parse(text).unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_was_put_comes_back_whole_and_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(&folder.path().join("deep/blobs"), 1_000).unwrap();
    let planet = name("planet.trp");
    assert_eq!((blobs.length(&planet).unwrap(), blobs.get(&planet).unwrap()), (None, None));
    assert_eq!(blobs.get_range(&planet, 0..1).unwrap(), None);
    blobs.put(&planet, b"0123456789").unwrap();
    assert_eq!(blobs.get(&planet).unwrap().unwrap(), b"0123456789");
    assert_eq!(blobs.get_range(&planet, 3..7).unwrap().unwrap(), b"3456");
    assert_eq!(blobs.get_range(&planet, 10..10).unwrap().unwrap(), b"");
    for range in [0..11, 7..u64::MAX, std::ops::Range { start: 7, end: 3 }] {
        let refused = blobs.get_range(&planet, range).unwrap_err();
        assert!(matches!(refused, BlobError::OutOfRange { length: 10, .. }), "{refused}");
    }
    blobs.put(&planet, b"another").unwrap();
    assert_eq!(blobs.get(&planet).unwrap().unwrap(), b"another");
    assert_eq!(files(&folder.path().join("deep/blobs")), [".lock", "planet.trp"]);
}

#[test]
fn leftovers_are_swept_but_never_what_another_process_writes() {
    let folder = tempfile::tempdir().unwrap();
    let first = Blobs::open(folder.path(), 1_000).unwrap();
    first.put(&name("a"), b"whole").unwrap();
    // As if killed in the middle.
    let leftover = folder.path().join(format!("{PARTIAL_PREFIX}1-0"));
    fs::write(&leftover, b"ha").unwrap();
    let second = Blobs::open(folder.path(), 1_000).unwrap();
    assert!(leftover.exists(), "the first may be writing it");
    drop((first, second));
    let third = Blobs::open(folder.path(), 1_000).unwrap();
    assert!(!leftover.exists());
    assert_eq!(third.get(&name("a")).unwrap().unwrap(), b"whole");
}

#[test]
fn a_folder_does_not_grow_beyond_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path(), 10).unwrap();
    blobs.put(&name("a"), b"123456").unwrap();
    let refused = blobs.put(&name("b"), b"12345").unwrap_err();
    assert!(matches!(refused, BlobError::Full { bytes_max: 10, needed: 5, would_hold: 11, .. }), "{refused}");
    // In place of itself there is room.
    blobs.put(&name("a"), b"1234567890").unwrap();
    assert_eq!(files(folder.path()), [".lock", "a"]);
}

#[test]
fn a_write_that_fails_leaves_the_old_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path(), 1_000).unwrap();
    // A folder cannot be replaced by a file.
    fs::create_dir(folder.path().join("taken")).unwrap();
    assert!(matches!(blobs.put(&name("taken"), b"x"), Err(BlobError::Files { verb: "write", .. })));
    assert_eq!(files(folder.path()), [".lock", "taken"]);
    let no_folder = folder.path().join("file");
    fs::write(&no_folder, b"").unwrap();
    let refused = Blobs::open(&no_folder, 1_000).unwrap_err();
    assert!(refused.to_string().contains("file"), "{refused}");
}
