//! Both sides take turns within one run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::builds::Build;
use super::cases::Case;
use super::machine::Least;
use crate::process;
use crate::workspace::Workspace;

/// What a side said in one turn.
#[derive(Clone)]
pub(super) struct Turn {
    pub(super) ms: f64,
    /// The value both sides have to agree on.
    pub(super) check: f64,
    /// Resident memory after each repeat in MB, where the side says it.
    pub(super) memory: Vec<f64>,
    /// The time over that of the plain step, where the side says it.
    pub(super) of_plain: Option<f64>,
    /// What the work takes at least, where the side says it.
    pub(super) least: Option<Least>,
}

impl Turn {
    fn of(said: &Value, (ms, check): (&str, &str)) -> Result<Turn> {
        let memory = said.get("rss_mb").and_then(Value::as_array);
        let memory = memory.into_iter().flatten().filter_map(Value::as_f64).collect();
        let of_plain = said.get("of_plain").and_then(Value::as_f64);
        Ok(Turn {
            ms: number(said, ms)?,
            check: number(said, check)?,
            memory,
            of_plain,
            least: Least::of(said),
        })
    }
}

/// What one of our builds said in its turns.
pub(super) struct Side {
    pub(super) kernels: &'static str,
    pub(super) turns: Vec<Turn>,
    /// The same on one thread, where that is the peer.
    pub(super) alone: Vec<Turn>,
}

/// All turns of a bench.
pub(super) struct Turns {
    /// One for each of our builds.
    pub(super) ours: Vec<Side>,
    pub(super) peers: Vec<Turn>,
    /// Name and version of the peer.
    pub(super) peer: Option<String>,
}

pub(super) fn take_turns(
    case: &Case,
    builds: &[Build],
    python: Option<&Path>,
    workspace: &Workspace,
    files: &[PathBuf; 2],
    threads: u32,
    pairs: u32,
) -> Result<Turns> {
    let side = |build: &Build| Side { kernels: build.kernels, turns: Vec::new(), alone: Vec::new() };
    let mut turns = Turns { ours: builds.iter().map(side).collect(), peers: Vec::new(), peer: None };
    let our_turn = |build: &Build, threads: u32| -> Result<Turn> {
        let mut command = Command::new(&build.program);
        command.args(case.our_words(files)?);
        Turn::of(&json(one_turn(&mut command, threads))?, case.ours)
    };
    for pair in 0..pairs {
        let our_turns = |sides: &mut [Side]| -> Result<()> {
            for (build, side) in builds.iter().zip(sides) {
                side.turns.push(our_turn(build, threads)?);
                if case.alone {
                    side.alone.push(our_turn(build, 1)?);
                }
            }
            Ok(())
        };
        // Who goes first changes, so that a slow drift of the machine favours nobody.
        if pair % 2 == 0 {
            our_turns(&mut turns.ours)?;
        }
        if let Some(python) = python {
            let mut command = Command::new(python);
            command.arg(workspace.root.join("xtask").join("bench").join(case.script));
            command.args(case.peer_words(files, pair)?);
            let said = json(one_turn(&mut command, threads))?;
            turns.peers.push(Turn::of(&said, case.theirs)?);
            turns.peer = said.get("peer").and_then(Value::as_str).map(str::to_string);
        }
        if pair % 2 == 1 {
            our_turns(&mut turns.ours)?;
        }
    }
    Ok(turns)
}

pub(super) fn one_turn(command: &mut Command, threads: u32) -> &mut Command {
    let threads = threads.to_string();
    for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"] {
        command.env(name, &threads);
    }
    command.env_remove("OPENBLAS_CORETYPE")
}

/// The last line that a side printed, as JSON.
pub(super) fn json(command: &mut Command) -> Result<Value> {
    let text = process::read(command)?;
    let line = text.lines().rev().find(|line| line.starts_with('{')).unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("`{}` printed no JSON", process::shown(command)))
}

pub(super) fn number(value: &Value, key: &str) -> Result<f64> {
    match value.get(key).and_then(Value::as_f64) {
        Some(number) => Ok(number),
        None => bail!("no number {key:?} in {value}"),
    }
}
