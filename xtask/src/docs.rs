//! Every path that a document names must exist: a link's target, and a code span that starts with a folder of ours.
//! Spans with placeholders (`<name>`, `*`, `…`) are patterns, not paths.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// A code span that starts so is meant as a path from the top of the repository.
const FOLDERS: &[&str] =
    &["crates/", "web/", "docs/", "scripts/", "bench/", "xtask/", "content/", "deploy/", "tests/", ".ci/"];

/// Made by a build, so named in documents but absent from a fresh clone.
const BUILT: &[&str] = &["web/dist", "web/node_modules"];

pub(crate) fn check(root: &Path) -> Result<()> {
    let files = crate::output_of(
        "git",
        &["ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        root,
    )?;
    let mut missing = Vec::new();
    let mut count = 0;
    for file in files.lines() {
        let text = fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"))?;
        let folder = Path::new(file).parent().unwrap_or(Path::new(""));
        for (index, line) in prose_lines(&text) {
            let spans = code_spans(line).filter(|span| is_repository_path(span)).map(|span| root.join(span));
            let links = link_targets(line).map(|link| root.join(folder).join(link));
            for path in spans.chain(links) {
                count += 1;
                if !path.exists() {
                    let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                    missing.push(format!("{file}:{}: {shown}", index + 1));
                }
            }
        }
    }
    if !missing.is_empty() {
        bail!("documents name paths that do not exist:\n  {}", missing.join("\n  "));
    }
    println!("{count} paths named in documents, all there");
    Ok(())
}

/// The lines outside fenced blocks, with their index.
fn prose_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_fenced = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        !is_fenced && !is_fence
    })
}

fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn is_repository_path(span: &str) -> bool {
    FOLDERS.iter().any(|folder| span.starts_with(folder))
        && !span.contains(['<', '*', '{', '…', ' ', '$'])
        && !BUILT.iter().any(|built| span.starts_with(built))
}

/// Targets of links and pictures that stay inside the repository, without their fragment.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', ' ']).next()?;
        let path = target.split('#').next()?;
        let is_local = !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:");
        is_local.then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_code_spans_of_the_repository_are_found_and_others_are_not() {
        let line = "See `crates/cell` and `web/dist/x`, [map](ARCHITECTURE.md#top), [out](https://example.org/a), `crates/<name>`.";
        let spans: Vec<_> = code_spans(line).filter(|span| is_repository_path(span)).collect();
        assert_eq!(spans, ["crates/cell"]);
        assert_eq!(link_targets(line).collect::<Vec<_>>(), ["ARCHITECTURE.md"]);
    }

    #[test]
    fn fenced_blocks_are_no_prose() {
        let text = "a\n```\nb\n```\nc";
        let lines: Vec<_> = prose_lines(text).map(|(_, line)| line).collect();
        assert_eq!(lines, ["a", "c"]);
    }
}
