//! `cargo xtask tidy`: the house rules that no other tool knows. Also run by `cargo test -p xtask`.

mod arrows;
mod sources;
mod tracked;

use std::fmt;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// A rule that something breaks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Path relative to the root, with the line where there is one.
    pub(crate) place: String,
    pub(crate) what: String,
    pub(crate) weight: Weight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Error,
    Warning,
}

impl Finding {
    fn error(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), weight: Weight::Error }
    }

    fn warning(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, ..Self::error(place, what) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        };
        write!(f, "{weight}: {}: {}", self.place, self.what)
    }
}

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let findings = findings(workspace)?;
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| finding.weight == Weight::Error).count();
    if errors > 0 {
        bail!("{errors} house rules are broken; next: fix them, then cargo xtask tidy");
    }
    println!("tidy: {} warnings, no errors", findings.len());
    Ok(())
}

/// All findings, in the order of their places.
pub(crate) fn findings(workspace: &Workspace) -> Result<Vec<Finding>> {
    let files = tracked::files(&workspace.root)?;
    let mut findings = arrows::check(&workspace.packages);
    findings.extend(tracked::check(&files));
    findings.extend(sources::check(&workspace.root, &files)?);
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        let findings = findings(&Workspace::find().unwrap()).unwrap();
        let errors: Vec<String> =
            findings.iter().filter(|f| f.weight == Weight::Error).map(ToString::to_string).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
}
