//! Which crate may depend on which: the table of `ARCHITECTURE.md`, held against the manifests.

use super::Finding;
use crate::workspace::Package;

/// A crate of ours and those of ours that it may depend on.
const ARROWS: [(&str, &[&str]); 13] = [
    ("kohort-random", &[]),
    ("kohort-report", &[]),
    ("kohort-core", &["kohort-random"]),
    ("kohort-data", &["kohort-random"]),
    ("kohort-eval", &["kohort-random"]),
    ("kohort-layers", &["kohort-core", "kohort-random"]),
    ("kohort-objectives", &["kohort-core"]),
    ("kohort-cohorts", &["kohort-core", "kohort-random"]),
    (
        "kohort-models",
        &[
            "kohort-core",
            "kohort-layers",
            "kohort-objectives",
            "kohort-data",
            "kohort-cohorts",
            "kohort-eval",
            "kohort-random",
        ],
    ),
    (
        "kohort-lab",
        &[
            "kohort-core",
            "kohort-layers",
            "kohort-objectives",
            "kohort-data",
            "kohort-cohorts",
            "kohort-eval",
            "kohort-models",
            "kohort-random",
            "kohort-report",
        ],
    ),
    (
        "kohort",
        &[
            "kohort-core",
            "kohort-layers",
            "kohort-objectives",
            "kohort-data",
            "kohort-cohorts",
            "kohort-eval",
            "kohort-models",
            "kohort-random",
        ],
    ),
    // The contract tests look at everything.
    (
        "kohort-tests",
        &[
            "kohort",
            "kohort-core",
            "kohort-layers",
            "kohort-objectives",
            "kohort-data",
            "kohort-cohorts",
            "kohort-eval",
            "kohort-models",
            "kohort-lab",
            "kohort-random",
            "kohort-report",
        ],
    ),
    ("xtask", &[]),
];

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
            let what =
                "not in the table of arrows; next: add it to xtask/src/tidy/arrows.rs and ARCHITECTURE.md";
            findings.push(Finding::error(&package.name, what));
            continue;
        };
        for dependency in &package.dependencies {
            let ours = ARROWS.iter().any(|(name, _)| name == dependency) || dependency.starts_with("kohort");
            if ours && !allowed.contains(&dependency.as_str()) {
                let what = format!("must not depend on {dependency}; allowed are {}", list(allowed));
                findings.push(Finding::error(&package.name, what));
            }
        }
    }
    findings
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none of ours".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        Package { name: name.into(), dependencies: dependencies.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn an_arrow_that_is_not_in_the_table_is_found() {
        let findings = check(&[package("kohort-eval", &["rayon", "kohort-random", "kohort-core"])]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].what.starts_with("must not depend on kohort-core"), "{}", findings[0]);
    }

    #[test]
    fn a_crate_that_is_not_in_the_table_is_found() {
        assert_eq!(check(&[package("kohort-new", &[])]).len(), 1);
        assert_eq!(check(&[package("kohort-report", &["kohort-new"])]).len(), 1);
    }

    #[test]
    fn the_table_has_no_cycle() {
        // Peeling off the crates whose allowed arrows are all peeled must end with nothing left.
        let mut left: Vec<_> = ARROWS.to_vec();
        while !left.is_empty() {
            let names: Vec<&str> = left.iter().map(|(name, _)| *name).collect();
            let before = left.len();
            left.retain(|(_, allowed)| allowed.iter().any(|to| names.contains(to)));
            assert!(left.len() < before, "a cycle among {names:?}");
        }
    }
}
