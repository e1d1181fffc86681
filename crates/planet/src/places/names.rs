//! Names from a table of syllables.

use std::collections::{BTreeMap, BTreeSet};

use cell::CellId;
use serde::Deserialize;

use super::PlaceKind;

/// Tries before a name that is taken gets a second word to tell it apart.
const TRIES: u64 = 24;

/// Words that set a second place of the same name apart.
const APART: [&str; 4] = ["New", "Far", "Old", "Little"];

/// How places are called: syllables by tongue, and patterns by kind of place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameTable {
    tongues: Vec<Tongue>,
    patterns: BTreeMap<PlaceKind, Vec<String>>,
}

/// What is wrong with a table of names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameTableError {
    /// It is not TOML, or has keys that it should not have; the text says where.
    #[error("the table of names cannot be read: {0}")]
    Unreadable(String),
    /// There is no tongue.
    #[error("the table of names has no [[tongue]]")]
    NoTongue,
    /// A tongue lacks starts, middles or ends.
    #[error("tongue {number} of the table of names has no {part}")]
    EmptyPart {
        /// Counted from 1.
        number: usize,
        /// Which list.
        part: &'static str,
    },
    /// A kind of place has no pattern.
    #[error("patterns.{0} of the table of names is missing or empty")]
    NoPattern(&'static str),
    /// A pattern without the place for the word.
    #[error("the pattern {0:?} holds no {{}} for the word")]
    PatternWithoutWord(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tongue {
    starts: Vec<String>,
    middles: Vec<String>,
    ends: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tongue: Vec<Tongue>,
    #[serde(default)]
    patterns: BTreeMap<String, Vec<String>>,
}

impl Default for NameTable {
    /// The table in `content/names.toml`.
    fn default() -> Self {
        Self::parse(include_str!("../../../../content/names.toml"))
            .expect("the table that comes with us is valid")
    }
}

impl NameTable {
    /// Reads a table; `content/names.toml` shows and explains the form.
    pub fn parse(text: &str) -> Result<Self, NameTableError> {
        let File { tongue: tongues, patterns: mut named } =
            toml::from_str(text).map_err(|error| NameTableError::Unreadable(error.to_string()))?;
        if tongues.is_empty() {
            return Err(NameTableError::NoTongue);
        }
        for (index, tongue) in tongues.iter().enumerate() {
            let parts = [("starts", &tongue.starts), ("middles", &tongue.middles), ("ends", &tongue.ends)];
            if let Some((part, _)) = parts.into_iter().find(|(_, list)| list.is_empty()) {
                return Err(NameTableError::EmptyPart { number: index + 1, part });
            }
        }
        let mut patterns = BTreeMap::new();
        for kind in PlaceKind::ALL {
            let list = named.remove(kind.name()).unwrap_or_default();
            if list.is_empty() {
                return Err(NameTableError::NoPattern(kind.name()));
            }
            if let Some(pattern) = list.iter().find(|pattern| !pattern.contains("{}")) {
                return Err(NameTableError::PatternWithoutWord(pattern.clone()));
            }
            patterns.insert(kind, list);
        }
        match named.into_keys().next() {
            Some(key) => Err(NameTableError::Unreadable(format!("patterns.{key} is no kind of place"))),
            None => Ok(Self { tongues, patterns }),
        }
    }

    /// A name for the place at `anchor` in the tongue of `home`, not among those taken; it is taken then.
    pub(super) fn name(
        &self,
        seed: u64,
        kind: PlaceKind,
        anchor: CellId,
        home: CellId,
        taken: &mut BTreeSet<String>,
    ) -> String {
        let tongue = choose(&self.tongues, mix(seed ^ mix(home.raw())));
        let mut name = String::new();
        for attempt in 0..TRIES {
            let mut chance = mix(seed ^ mix(anchor.raw() ^ mix(kind as u64 + 1 + (attempt << 8))));
            let mut next = || {
                chance = mix(chance.wrapping_add(1));
                chance
            };
            let mut word = choose(&tongue.starts, next()).clone();
            if next() % 5 < 2 {
                word.push_str(choose::<String>(&tongue.middles, next()));
            }
            word.push_str(choose::<String>(&tongue.ends, next()));
            name = choose::<String>(&self.patterns[&kind], next()).replace("{}", &word);
            if taken.insert(name.clone()) {
                return name;
            }
        }
        // A small table on a large planet: there are always more words to put before a name.
        for round in 0_usize.. {
            name = format!("{} {name}", APART[round % APART.len()]);
            if taken.insert(name.clone()) {
                break;
            }
        }
        name
    }
}

fn choose<T>(list: &[T], chance: u64) -> &T {
    &list[(chance % list.len() as u64) as usize]
}

/// `SplitMix64` (Steele, Lea, Flood 2014).
fn mix(bits: u64) -> u64 {
    let mut bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(table: &NameTable, seed: u64, count: u8) -> Vec<String> {
        let mut taken = BTreeSet::new();
        let home = CellId::from_face(1);
        CellId::from_face(2)
            .descendants(8)
            .take(count.into())
            .map(|anchor| table.name(seed, PlaceKind::River, anchor, home, &mut taken))
            .collect()
    }

    #[test]
    fn names_are_unique_repeatable_and_differ_by_seed() {
        let table = NameTable::default();
        let names = names_of(&table, 1, 250);
        assert_eq!(names, names_of(&table, 1, 250));
        assert_ne!(names, names_of(&table, 2, 250));
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 250);
    }

    #[test]
    fn a_table_of_one_word_still_gives_every_place_its_own_name() {
        let lists = "starts = ['A']\nmiddles = ['']\nends = ['b']\n";
        let patterns: String = PlaceKind::ALL.map(|kind| format!("{} = ['{{}}']\n", kind.name())).concat();
        let table = NameTable::parse(&format!("[[tongue]]\n{lists}[patterns]\n{patterns}")).unwrap();
        let names = names_of(&table, 1, 6);
        assert_eq!(names[..3], ["Ab", "New Ab", "Far New Ab"]);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 6);
    }

    #[test]
    fn tables_that_cannot_work_are_refused_with_the_reason() {
        let good = include_str!("../../../../content/names.toml");
        let check = |text: &str, part: &str| {
            let error = NameTable::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check("[patterns]", "no [[tongue]]");
        check("tongue = 3", "cannot be read");
        check(&good.replacen("middles", "muddles", 1), "muddles");
        check(&good.replace("lake = [", "pond = ["), "patterns.lake");
        check(&good.replace("Lake {}", "Lake"), "\"Lake\"");
        check(&format!("{good}\ndesert = ['{{}}']"), "patterns.desert");
        check(&good.replacen("starts = [", "starts = []\nunused = [", 1), "unused");
    }
}
