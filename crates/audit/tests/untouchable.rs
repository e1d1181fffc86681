//! No statement of any crate changes or removes an entry, a node of the tree or a checkpoint.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Everything that the program says about tables of the log.
const ALLOWED: &[&str] = &[
    "insert into audit_waiting",
    "delete from audit_waiting",
    "insert into audit_entries",
    "insert into audit_nodes",
    "insert into audit_head",
    "update audit_head",
    "insert into audit_checkpoints",
    "insert into audit_reasons",
    // The words, which people may ask to be forgotten.
    "delete from audit_reasons",
    "insert into audit_check",
];

const VERBS: [&str; 7] =
    ["insert into", "update", "delete from", "drop table", "drop trigger", "truncate", "alter table"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources can be read") {
        let path = entry.expect("the sources can be read").path();
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        if path.is_dir() && !matches!(name, "tests" | "target") {
            files(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs" || it == "sql") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// What a text says about tables of the log, with single spaces.
fn said(text: &str) -> BTreeSet<String> {
    // Statements go over lines by a backslash.
    let words: Vec<String> =
        text.replace("\\\n", " ").to_ascii_lowercase().split_whitespace().map(str::to_owned).collect();
    let mut said = BTreeSet::new();
    for verb in VERBS {
        let verb: Vec<&str> = verb.split(' ').collect();
        for window in words.windows(verb.len() + 1) {
            let (before, table) = window.split_at(verb.len());
            let table = table[0].trim_matches(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
            let begins =
                |word: &String| word.trim_start_matches(|it: char| !it.is_ascii_alphabetic()).to_owned();
            let before: Vec<String> = before.iter().map(begins).collect();
            if before == verb && table.starts_with("audit_") {
                said.insert(format!("{} {table}", verb.join(" ")));
            }
        }
    }
    said
}

#[test]
fn no_statement_of_any_crate_edits_the_log() {
    assert_eq!(
        said("\"x: Delete from \\\n audit_entries\""),
        ["delete from audit_entries".to_owned()].into()
    );
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("crates have a folder");
    let mut sources = Vec::new();
    for entry in fs::read_dir(crates).expect("the sources can be read") {
        files(&entry.expect("the sources can be read").path(), &mut sources);
    }
    assert!(sources.len() > 200, "{} files are not all", sources.len());
    let mut all = BTreeSet::new();
    for path in sources {
        let text = fs::read_to_string(&path).expect("sources are text");
        for found in said(&text) {
            assert!(ALLOWED.contains(&found.as_str()), "{} says `{found}`", path.display());
            all.insert(found);
        }
    }
    assert_eq!(all.len(), ALLOWED.len(), "what is allowed is also said: {all:?}");
}
