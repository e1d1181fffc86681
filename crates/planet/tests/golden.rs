//! The planets of `golden.txt` are still the same. `crates/browser/tests/golden.mjs` reads the same file.

use planet::{GENERATOR_VERSION, PlanetSpec, golden_hash};

#[test]
fn planets_are_the_same_as_when_this_version_was_released() {
    let (head, planets): (Vec<&str>, Vec<&str>) = include_str!("golden.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .partition(|line| line.starts_with("generator"));
    assert_eq!(head, [format!("generator {GENERATOR_VERSION}")]);
    assert!(planets.len() >= 8, "only {} planets", planets.len());
    let actual: Vec<String> = planets
        .iter()
        .map(|line| {
            let mut words = line.split_whitespace();
            let mut number = || words.next().and_then(|word| word.parse().ok());
            let (Some(seed), Some(shift)) = (number(), number()) else { panic!("no seed and shift: {line}") };
            format!("{seed} {shift} {:016x}", golden_hash(PlanetSpec::for_test(seed, shift as u8)))
        })
        .collect();
    let (actual, planets) = (actual.join("\n"), planets.join("\n"));
    assert!(actual == planets, "a new planet is a new GENERATOR_VERSION:\n{actual}\nexpected:\n{planets}");
}
