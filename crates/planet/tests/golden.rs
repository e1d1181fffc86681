//! The planets of `golden.txt` are still the same. `crates/browser/tests/golden.mjs` reads the same file.

use planet::{GENERATOR_VERSION, PlanetSpec, golden_hash};

#[test]
fn planets_are_the_same_as_when_this_version_was_released() {
    let mut lines = include_str!("golden.txt").lines().filter(|line| !line.starts_with('#'));
    let version = lines.next().expect("a version");
    assert_eq!(version, format!("generator {GENERATOR_VERSION}"));
    let mut count = 0;
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [seed, shift, expected] = words[..] else { panic!("no seed, shift and hash: {line}") };
        let spec = PlanetSpec::for_test(seed.parse().expect("a seed"), shift.parse().expect("a shift"));
        let hash = golden_hash(spec);
        assert_eq!(format!("{hash:016x}"), expected, "{spec:?}: a new planet is a new GENERATOR_VERSION");
        count += 1;
    }
    assert!(count >= 8, "only {count} planets");
}
