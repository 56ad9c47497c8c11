//! `cargo xtask bench`: our speed beside that of the Python libraries a user would pick.
//!
//! Both sides get the same files, take turns within one run, so that a busy machine slows both, and have to agree on
//! the result. Ratios of such pairs mean something; milliseconds from two different days do not.

mod balancers;
mod builds;
mod cases;
mod cohorts;
mod generate;
mod growth;
mod inputs;
mod machine;
mod networks;
mod outcome;
mod peers;
mod summary;
mod systems;
mod turns;

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;

use self::cases::Case;
use self::inputs::Inputs;
use self::machine::Machine;
use self::outcome::Outcome;
use self::peers::Libraries;
use crate::process::{OutsideBand, human};
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct Flags {
    /// Only this bench; may be given several times
    #[arg(long, value_name = "NAME", value_parser = cases::names())]
    only: Vec<String>,
    /// Run our side alone
    #[arg(long)]
    no_peers: bool,
    /// Threads of the benches that use several
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    threads: u32,
    /// Instead of peers: how the cost of a step grows with batch, threads, cohorts, tasks, experts, vocabulary and rows touched
    #[arg(long, conflicts_with_all = ["only", "no_peers", "dry_run"])]
    growth: bool,
    /// How often both sides take turns
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// Folder with the data sets, one folder each; like the variable KOHORT_MIRROR
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print the plan and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<()> {
    let chosen: Vec<&Case> = cases::all()
        .filter(|case| {
            if flags.only.is_empty() { case.by_default } else { flags.only.iter().any(|n| n == case.name) }
        })
        .collect();
    if flags.dry_run {
        for case in &chosen {
            println!("{:<18} {} against {}, {} pairs", case.name, case.example, case.script, flags.pairs);
        }
        return Ok(());
    }
    if env::var_os("OPENBLAS_CORETYPE").is_some() {
        println!("OPENBLAS_CORETYPE is set here and removed for both sides: it would slow the peers");
    }
    let folder = workspace.target.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    if flags.growth {
        return growth::run(workspace, flags, &folder);
    }
    let inputs = Inputs { folder: folder.clone(), mirror: mirror(flags)? };
    // One environment for each set of libraries that a chosen bench needs, asked for once.
    let mut pythons: Vec<(Libraries, Option<PathBuf>)> = Vec::new();
    // What a floor is made of; benches without products have none.
    let machine = match chosen.iter().any(|case| case.products) {
        true => Some(Machine::measure(workspace, flags.threads)?),
        false => None,
    };
    if let Some(machine) = &machine {
        println!("this machine: {machine}");
    }
    let mut outcomes = Vec::new();
    let mut complaints = Vec::new();
    for case in chosen {
        let threads = if case.parallel { flags.threads } else { 1 };
        let builds = builds::all(workspace, case.package, case.example, case.products)?;
        let Some(files) = inputs.prepare(case, &builds[0].program)? else { continue };
        let needs = !flags.no_peers && !case.alone;
        if needs && pythons.iter().all(|(libraries, _)| *libraries != case.peers) {
            pythons.push((case.peers, peers::python(workspace, case.peers)));
        }
        let python = pythons.iter().find(|(libraries, _)| needs && *libraries == case.peers);
        let python = python.and_then(|(_, python)| python.as_deref());
        eprintln!(
            "{}: {} pairs, {threads} thread{}",
            case.name,
            flags.pairs,
            if threads == 1 { "" } else { "s" }
        );
        let start = std::time::Instant::now();
        // One that fails must not lose what others took hours to measure.
        let turns = match turns::take_turns(case, &builds, python, workspace, &files, threads, flags.pairs) {
            Ok(turns) => turns,
            Err(error) => {
                complaints.push(format!("{}: {error:#}", case.name));
                continue;
            }
        };
        let rates = machine.as_ref().and_then(|machine| machine.on(threads));
        let Some(outcome) = Outcome::of(case, threads, &turns, rates) else { continue };
        eprintln!("{}: {}, done in {}", case.name, outcome.in_short(), human(start.elapsed()));
        complaints.extend(outcome.complaints(case));
        outcomes.push(outcome);
    }
    if outcomes.is_empty() {
        let why = if complaints.is_empty() {
            "data are missing, as said above".to_owned()
        } else {
            complaints.join("; ")
        };
        bail!("nothing was measured: {why}; next: cargo xtask data --verify");
    }
    print!("{}", summary::table(&outcomes));
    let path = folder.join("results.json");
    replace(&path, &summary::json(&outcomes)?)?;
    println!("results: {}", path.display());
    if complaints.is_empty() { Ok(()) } else { Err(anyhow!(OutsideBand(complaints.join("; ")))) }
}

/// Writes beside and renames, so that an interrupted run leaves the earlier results whole.
fn replace(path: &Path, text: &str) -> Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".tmp");
    fs::write(&fresh, text).with_context(|| format!("cannot write {}", path.display()))?;
    fs::rename(&fresh, path).with_context(|| format!("cannot write {}", path.display()))
}

fn mirror(flags: &Flags) -> Result<Option<PathBuf>> {
    match &flags.data {
        Some(data) => Ok(Some(Workspace::user_path(data)?)),
        None => Ok(env::var_os("KOHORT_MIRROR").map(PathBuf::from)),
    }
}
