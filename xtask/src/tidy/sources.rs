//! Rules about the text of source files.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;
use super::tracked::File;

/// Files longer than this are hard to hold in one's head.
const LONG: usize = 450;

pub(super) fn check(root: &Path, files: &[File]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in files {
        if !["rs", "toml", "py", "css"].iter().any(|ending| file.path.ends_with(&format!(".{ending}"))) {
            continue;
        }
        let text = fs::read_to_string(root.join(&file.path))
            .with_context(|| format!("cannot read {}", file.path))?;
        findings.extend(check_text(&file.path, &text));
    }
    Ok(findings)
}

fn check_text(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(Finding::error(format!("{path}:{}", number + 1), "trailing blanks"));
        }
    }
    if !path.ends_with(".rs") {
        return findings;
    }
    if needs_docs(path) && !text.trim_start().starts_with("//!") {
        findings.push(Finding::error(
            path,
            "no module docs: the first line should say in one sentence what it holds",
        ));
    }
    let length = text.lines().count();
    if length > LONG {
        findings.push(Finding::warning(path, format!("{length} lines, more than {LONG}: is it two ideas?")));
    }
    if path.starts_with("crates/") {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words(code).any(|word| word == "HashMap" || word == "HashSet") {
                let what =
                    "a hash table iterates in random order: use a BTreeMap, a BTreeSet or a sorted Vec";
                findings.push(Finding::error(format!("{path}:{}", number + 1), what));
            }
        }
    }
    findings
}

/// Tests speak through their names, and a golden script's folder is described by the script.
fn needs_docs(path: &str) -> bool {
    !path.ends_with("/tests.rs") && !path.contains("/tests/") && !path.starts_with("tests/")
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, text: &str) -> Vec<String> {
        check_text(path, text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn missing_module_docs_are_found_except_in_tests() {
        assert_eq!(whats("crates/a/src/b.rs", "use c;\n").len(), 1);
        assert!(whats("crates/a/src/b.rs", "//! What it is.\n").is_empty());
        assert!(whats("crates/a/src/b/tests.rs", "use c;\n").is_empty());
        assert!(whats("crates/a/tests/b.rs", "use c;\n").is_empty());
    }

    #[test]
    fn trailing_blanks_are_found_with_their_line() {
        assert_eq!(
            whats("crates/a/Cargo.toml", "a = 1\nb = 2 \n"),
            ["error: crates/a/Cargo.toml:2: trailing blanks"]
        );
    }

    #[test]
    fn hash_tables_are_found_in_code_but_not_in_comments_or_longer_words() {
        let text =
            "//! Docs.\n// A HashMap would do.\nfn f(m: &MyHashMap) {}\nuse std::collections::HashMap;\n";
        assert_eq!(whats("crates/a/src/b.rs", text).len(), 1);
        assert!(whats("xtask/src/b.rs", text).is_empty());
    }

    #[test]
    fn a_long_file_is_a_warning() {
        let text = format!("//! Docs.\n{}", "\n".repeat(LONG));
        assert!(whats("crates/a/src/b.rs", &text)[0].starts_with("warning: crates/a/src/b.rs: 451 lines"));
    }
}
