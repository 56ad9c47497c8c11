//! Flags, and errors as exit codes.

mod reproduce;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::failure::Failure;
use crate::grid::Progress;
use crate::study::{self, Looking};

pub(crate) use reproduce::reproduce;

#[derive(Parser)]
#[command(name = "kohort-lab", about = "Kohort's experiments on real data", after_help = EXIT_CODES)]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 a cell or the program failed, 2 usage, 3 data, 4 a result outside its band";

#[derive(Subcommand)]
enum Command {
    /// Runs the experiments and writes the report
    Reproduce(Reproduce),
    /// Lists the data sets and where they are; with names, fetches them
    Data(Data),
}

/// Flags of `reproduce`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Reproduce {
    /// A small run: 2 seeds and fewer variants
    #[arg(long, conflicts_with = "all")]
    pub(crate) quick: bool,
    /// Every experiment instead of the main ones
    #[arg(long)]
    pub(crate) all: bool,
    /// Only this paper (dmtl, territories) or this experiment; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// How many seeds [default: 5, quick: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) seeds: Option<u32>,
    /// Folder with the data sets, one folder each; like the variable KOHORT_MIRROR
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Folder for the report
    #[arg(long, value_name = "DIR", default_value = "target/reproduce")]
    pub(crate) out: PathBuf,
    /// How many threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,
    /// Do not use the network
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Args)]
struct Data {
    /// Print the checksum of every file (they are checked in any case)
    #[arg(long)]
    verify: bool,
    /// Folder with the data sets, one folder each; like the variable KOHORT_MIRROR
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Do not use the network
    #[arg(long)]
    offline: bool,
    /// Only these data sets; they are fetched if need be
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Runs the command line `args`, the program's name first, and says how it went.
///
/// 0 done; 1 a cell or the program failed; 2 usage; 3 data that cannot be used; 4 a result outside its band (the report
/// is written all the same).
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let flags = match Flags::try_parse_from(args) {
        Ok(flags) => flags,
        Err(error) => {
            // Nowhere to print help to is no reason to fail.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let outcome = match flags.command {
        Command::Reproduce(flags) => {
            let looking = Looking::new(flags.data.clone(), flags.offline);
            let said = reproduce(&flags, &looking, &Progress::for_people(), &mut |line| eprintln!("{line}"));
            said.map(|summary| println!("{summary}"))
        }
        Command::Data(flags) => data(flags),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(error.downcast_ref::<Failure>().map_or(1, Failure::code))
        }
    }
}

fn data(flags: Data) -> Result<()> {
    // Without a name this is a look around, not an order to fetch everything.
    let looking = Looking::new(flags.data, flags.offline || flags.names.is_empty());
    let complete = study::list(&flags.names, &looking, flags.verify, &mut |line| println!("{line}"))?;
    if complete || flags.names.is_empty() {
        return Ok(());
    }
    Err(Failure::Data("not every data set that was asked for could be had".to_owned()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }
}
