//! Every dependency, of the server and of the client, must carry a licence from the list, and none may be banned.
//! Works on the lock files and manifests alone: no advisory database, no network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Licences that go with a project under MIT OR Apache-2.0.
const ALLOWED: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "BSL-1.0",
    "Unicode-3.0",
    "CC0-1.0",
    "Unlicense",
    "0BSD",
    "BlueOak-1.0.0",
    "Python-2.0",
    "CDLA-Permissive-2.0",
];

/// Allowed for the named client package alone: fonts, data and tools whose licence asks for no more than a notice.
const CLIENT_EXCEPTIONS: &[(&str, &str)] = &[
    ("@fontsource", "OFL-1.1"),
    ("axe-core", "MPL-2.0"),
    ("@axe-core/", "MPL-2.0"),
    ("lightningcss", "MPL-2.0"),
    ("caniuse-lite", "CC-BY-4.0"),
];

/// Client packages of old form, of which the lock file knows no licence: what their own manifest says.
const CLIENT_LICENCES: &[(&str, &str)] = &[("reserved", "MIT")];

/// Second copies of what the tree has (one provider of cryptography, one SQLite) or libraries of the system.
const BANNED: &[&str] = &["ring", "openssl-sys", "native-tls"];

/// Where the server and the client's core are built. What a crate wants on other targets alone never reaches anybody.
const TARGETS: &[&str] = &[
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "wasm32-wasip1",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
struct PackageLock {
    packages: BTreeMap<String, ClientPackage>,
}

#[derive(Deserialize)]
struct ClientPackage {
    license: Option<String>,
    #[serde(default)]
    dev: bool,
}

pub(crate) fn check(root: &Path) -> Result<()> {
    let metadata = crate::output_of("cargo", &["metadata", "--format-version", "1", "--locked"], root)?;
    let mut metadata: Metadata = serde_json::from_str(&metadata).context("cargo metadata")?;
    let built = built_crates(root)?;
    metadata.packages.retain(|package| built.contains(&format!("{} v{}", package.name, package.version)));
    let mut faults = crate_faults(&metadata);

    let lock_path = root.join("web/package-lock.json");
    let lock = std::fs::read_to_string(&lock_path).context("cannot read web/package-lock.json")?;
    let lock: PackageLock = serde_json::from_str(&lock).context("web/package-lock.json")?;
    faults.extend(client_faults(&lock));

    if !faults.is_empty() {
        bail!("dependencies that may not be used as they are:\n  {}", faults.join("\n  "));
    }
    print_summary(&metadata, &lock);
    Ok(())
}

/// Every crate, as "name vVersion", that some platform builds. The lock file has more: a feature that asks
/// `dependency?/feature` brings in what the dependency would need, though nobody turned it on.
fn built_crates(root: &Path) -> Result<BTreeSet<String>> {
    let mut arguments =
        vec!["tree", "--workspace", "--locked", "--edges", "all", "--prefix", "none", "--format", "{p}"];
    arguments.extend(TARGETS.iter().flat_map(|target| ["--target", *target]));
    let tree = crate::output_of("cargo", &arguments, root)?;
    // "serde v1.0.228", with "(proc-macro)", a folder or "(*)" behind.
    let names = tree.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?))
    });
    Ok(names.collect())
}

fn crate_faults(metadata: &Metadata) -> Vec<String> {
    let mut faults = Vec::new();
    for package in &metadata.packages {
        if BANNED.contains(&package.name.as_str()) {
            faults.push(format!("{} is banned (see xtask/src/licences.rs)", package.name));
        }
        if package.source.is_some()
            && let Err(reason) = may_be_used(package.license.as_deref())
        {
            faults.push(format!("{} {}: {reason}", package.name, package.version));
        }
    }
    faults
}

fn client_faults(lock: &PackageLock) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, package) in &lock.packages {
        let Some((_, name)) = path.rsplit_once("node_modules/") else { continue };
        let known = CLIENT_LICENCES.iter().find(|(it, _)| *it == name).map(|(_, licence)| *licence);
        let licence = package.license.as_deref().or(known);
        let is_excepted = CLIENT_EXCEPTIONS
            .iter()
            .any(|(prefix, allowed)| name.starts_with(prefix) && licence == Some(allowed));
        if let Err(reason) = may_be_used(licence)
            && !is_excepted
        {
            faults.push(format!("{name}: {reason}"));
        }
    }
    faults
}

/// Evaluates a licence expression against the list.
fn may_be_used(expression: Option<&str>) -> Result<(), String> {
    let text = expression.ok_or("names no licence")?;
    let parsed = spdx::Expression::parse_mode(text, spdx::ParseMode::LAX)
        .map_err(|error| format!("licence '{text}' is no SPDX expression: {}", error.reason))?;
    let is_allowed =
        parsed.evaluate(|requirement| requirement.license.id().is_some_and(|id| ALLOWED.contains(&id.name)));
    if is_allowed { Ok(()) } else { Err(format!("licence '{text}' is not on the list")) }
}

fn print_summary(metadata: &Metadata, lock: &PackageLock) {
    let outside: Vec<_> = metadata.packages.iter().filter(|package| package.source.is_some()).collect();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &outside {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    let doubled: Vec<_> =
        versions.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| *name).collect();
    let shipped = lock.packages.iter().filter(|(path, package)| !path.is_empty() && !package.dev).count();
    println!(
        "{} crates (every target we build for, tests included), {} names in several versions: {}",
        outside.len(),
        doubled.len(),
        doubled.join(" ")
    );
    println!(
        "{} npm packages, {shipped} of them not only for development; every licence is on the list",
        lock.packages.len().saturating_sub(1)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_allowed_when_one_side_is_and_a_sum_only_when_both_are() {
        assert!(may_be_used(Some("MIT OR GPL-3.0-only")).is_ok());
        assert!(may_be_used(Some("MIT/Apache-2.0")).is_ok());
        assert!(may_be_used(Some("MIT AND GPL-3.0-only")).is_err());
        assert!(may_be_used(Some("GPL-3.0-only")).is_err());
        assert!(may_be_used(None).is_err());
    }
}
