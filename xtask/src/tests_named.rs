//! Every test that `docs/security.md` names as `crate::function` must be there: a table of what is shown is worth
//! nothing when it shows nothing.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

const DOCUMENT: &str = "docs/security.md";

pub(crate) fn check(root: &Path) -> Result<()> {
    let text = fs::read_to_string(root.join(DOCUMENT)).with_context(|| format!("cannot read {DOCUMENT}"))?;
    let mut named: Vec<(&str, &str)> = text.split('`').skip(1).step_by(2).filter_map(test_named).collect();
    named.sort_unstable();
    named.dedup();
    let mut missing = Vec::new();
    for (folder, name) in &named {
        let mut source = String::new();
        read_sources(&root.join("crates").join(folder), &mut source)?;
        if !source.contains(&format!("fn {name}(")) {
            missing.push(format!("{folder}::{name}"));
        }
    }
    if !missing.is_empty() {
        bail!("{DOCUMENT} names tests that do not exist:\n  {}", missing.join("\n  "));
    }
    println!("{} tests named in {DOCUMENT}, all there", named.len());
    Ok(())
}

/// `crate::some_claim`, both in `snake_case`.
fn test_named(span: &str) -> Option<(&str, &str)> {
    let (folder, name) = span.split_once("::")?;
    let is_plain = |text: &str| text.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    (is_plain(folder) && is_plain(name) && name.contains('_')).then_some((folder, name))
}

fn read_sources(folder: &Path, into: &mut String) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            read_sources(&path, into)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            into.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_named_by_its_crate_and_its_claim() {
        assert_eq!(test_named("oidc::the_last_way_in_stays"), Some(("oidc", "the_last_way_in_stays")));
        for other in ["oidc", "api::Caller", "docs/security.md", "a::b"] {
            assert_eq!(test_named(other), None, "{other}");
        }
    }
}
