//! `cargo xtask ci`: all checks, cheapest first, stopping at the first failure.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;

use crate::process::{self, human};
use crate::workspace::Workspace;
use crate::{blas, tidy};

#[derive(Args)]
pub(crate) struct Flags {
    /// Start at this step
    #[arg(long, value_name = "STEP", value_parser = step_names(), conflicts_with = "only")]
    from: Option<String>,
    /// Run only this step
    #[arg(long, value_name = "STEP", value_parser = step_names())]
    only: Option<String>,
    /// Print the steps and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// What a step did.
enum Done {
    Passed,
    Skipped(String),
}

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Workspace) -> Result<Done>,
}

const STEPS: [Step; 9] = [
    Step { name: "fmt", what: "formatting", run: fmt },
    Step { name: "tidy", what: "house rules", run: house_rules },
    Step { name: "clippy", what: "lints of all targets, warnings denied", run: clippy },
    Step {
        name: "alone",
        what: "each crate checked alone, so that no neighbour lends it a feature",
        run: alone,
    },
    Step { name: "test", what: "all tests", run: test },
    Step { name: "docs", what: "documentation, warnings denied", run: docs },
    Step { name: "deny", what: "licences, sources and advisories", run: deny },
    Step { name: "blas", what: "kohort-core with OpenBLAS", run: with_blas },
    Step { name: "parquet", what: "vectors from Parquet, a feature of kohort-data", run: with_parquet },
];

fn step_names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<()> {
    let chosen = chosen(flags.from.as_deref(), flags.only.as_deref());
    if flags.dry_run {
        for step in &chosen {
            println!("{:<7} {}", step.name, step.what);
        }
        return Ok(());
    }
    let mut times: Vec<(&str, Duration, Option<String>)> = Vec::new();
    for step in chosen {
        println!("== {}: {}", step.name, step.what);
        let start = Instant::now();
        let done = (step.run)(workspace).with_context(|| {
            format!("step {} failed; next: fix it, then cargo xtask ci --from {}", step.name, step.name)
        })?;
        let skipped = match done {
            Done::Passed => None,
            Done::Skipped(why) => Some(why),
        };
        times.push((step.name, start.elapsed(), skipped));
        let (name, time, skipped) = &times[times.len() - 1];
        println!("== {}", line(name, *time, skipped.as_deref()));
    }
    println!("\nall passed");
    for (name, time, skipped) in &times {
        println!("  {}", line(name, *time, skipped.as_deref()));
    }
    Ok(())
}

fn line(name: &str, time: Duration, skipped: Option<&str>) -> String {
    match skipped {
        Some(why) => format!("{name:<7} skipped: {why}"),
        None => format!("{name:<7} {}", human(time)),
    }
}

fn chosen(from: Option<&str>, only: Option<&str>) -> Vec<&'static Step> {
    let start = from.and_then(|name| STEPS.iter().position(|step| step.name == name)).unwrap_or(0);
    STEPS[start..].iter().filter(|step| only.is_none_or(|name| name == step.name)).collect()
}

fn cargo(workspace: &Workspace, words: &[&str]) -> Result<Done> {
    process::run(workspace.cargo().args(words))?;
    Ok(Done::Passed)
}

fn fmt(workspace: &Workspace) -> Result<Done> {
    cargo(workspace, &["fmt", "--all", "--check"]).context("next: cargo fmt --all")
}

fn house_rules(workspace: &Workspace) -> Result<Done> {
    tidy::run(workspace)?;
    Ok(Done::Passed)
}

fn clippy(workspace: &Workspace) -> Result<Done> {
    cargo(workspace, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

fn alone(workspace: &Workspace) -> Result<Done> {
    for package in &workspace.packages {
        cargo(workspace, &["check", "--quiet", "-p", &package.name])
            .with_context(|| format!("next: cargo check -p {}", package.name))?;
    }
    Ok(Done::Passed)
}

fn test(workspace: &Workspace) -> Result<Done> {
    cargo(workspace, &["test", "--workspace"])
}

fn docs(workspace: &Workspace) -> Result<Done> {
    process::run(
        workspace.cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    Ok(Done::Passed)
}

fn deny(workspace: &Workspace) -> Result<Done> {
    if !process::works(workspace.cargo().args(["deny", "--version"])) {
        return Ok(Done::Skipped(
            "cargo-deny is not installed; cargo install --locked cargo-deny adds it".into(),
        ));
    }
    cargo(workspace, &["deny", "check", "licenses", "bans", "sources"])?;
    // The database of advisories lives on GitHub, which not every machine can reach.
    if !process::works(workspace.cargo().args(["deny", "fetch", "db"])) {
        println!("skipped: advisories, because their database could not be fetched");
        return Ok(Done::Passed);
    }
    cargo(workspace, &["deny", "check", "advisories"])
}

fn with_parquet(workspace: &Workspace) -> Result<Done> {
    cargo(
        workspace,
        &["test", "-p", "kohort-data", "--features", "parquet", "--test", "it", "--", "parquet", "vectors"],
    )
}

fn with_blas(workspace: &Workspace) -> Result<Done> {
    let Some(found) = blas::detect() else {
        return Ok(Done::Skipped(format!("no OpenBLAS was found; {}", blas::install_advice())));
    };
    println!("OpenBLAS {}", found.description);
    if let Some(warning) = blas::core_type_warning() {
        println!("{warning}");
    }
    let mut command = workspace.cargo();
    command.args(["test", "-p", "kohort-core", "--features", "openblas"]).env("OPENBLAS_NUM_THREADS", "1");
    process::run(&mut command)?;
    Ok(Done::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_starts_in_the_middle_and_only_takes_one() {
        let names = |from, only| chosen(from, only).into_iter().map(|step| step.name).collect::<Vec<_>>();
        assert_eq!(names(None, None).len(), STEPS.len());
        assert_eq!(names(Some("docs"), None), ["docs", "deny", "blas", "parquet"]);
        assert_eq!(names(None, Some("tidy")), ["tidy"]);
    }
}
