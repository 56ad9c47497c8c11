//! `reproduce`: data, cells, rows, page, files.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::time::{Instant, SystemTime};

use anyhow::{Result, anyhow};
use kohort_report::{Row, Verdict, render_html, render_markdown, render_terminal_summary, results_json};

use super::Reproduce;
use crate::clock::{human, utc};
use crate::failure::Failure;
use crate::files::{program_checksum, write_whole};
use crate::grid::{self, Cell, End, Finished, Progress, Store};
use crate::manifest::{self, Build, Course};
use crate::page::{self, Page};
use crate::paper::{self, Paper, Ready, Scope};
use crate::study::{Looking, Skipped};

/// Runs what the flags ask for and writes the report; returns the summary for standard output.
///
/// The report is written before an error about its contents (failed cells, results outside their band) is returned.
pub(crate) fn reproduce(
    flags: &Reproduce,
    looking: &Looking,
    progress: &Progress,
    say: &mut dyn FnMut(&str),
) -> Result<String> {
    let (clock, started) = (Instant::now(), utc(SystemTime::now()));
    let plan = paper::chosen(flags.all, flags.quick, &flags.only)?;
    let count = flags.seeds.unwrap_or(if flags.quick { 2 } else { 5 });
    let scope = Scope { seeds: (0..u64::from(count)).collect(), quick: flags.quick };
    let threads = match flags.threads {
        Some(threads) => threads as usize,
        None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
    };
    let build = Build::detect(program_checksum()?, threads);
    say(&format!("kernels: {}", build.kernels));
    if let Some(warning) = &build.warning {
        say(&format!("warning: {warning}"));
    }
    let mut papers: Vec<(&dyn Paper, Box<dyn Ready>)> = Vec::new();
    let mut skipped: Vec<Skipped> = Vec::new();
    for (paper, wanted) in &plan {
        let ready = paper.prepare(wanted, looking, &scope, say)?;
        let new = ready.skipped().iter().filter(|missing| !skipped.contains(missing)).cloned();
        let new: Vec<Skipped> = new.collect();
        skipped.extend(new);
        papers.push((*paper, ready));
    }

    let cells: Vec<Cell<'_>> = papers.iter().flat_map(|(_, ready)| ready.cells(&scope)).collect();
    let store = Store::open(&flags.out.join("cells"), build.program.clone())?;
    let ends = grid::run(&cells, &store, threads, progress)?;

    let finished: Vec<&Finished> = ends
        .iter()
        .filter_map(|end| match end {
            End::Done { finished, .. } => Some(finished.as_ref()),
            End::Failed { .. } => None,
        })
        .collect();
    let course = Course {
        started,
        took: clock.elapsed(),
        cells: ends.len(),
        resumed: ends.iter().filter(|end| matches!(end, End::Done { resumed: true, .. })).count(),
        failed: ends
            .iter()
            .filter_map(|end| match end {
                End::Failed { key, why } => Some((key.to_string(), why.clone())),
                End::Done { .. } => None,
            })
            .collect(),
        cell_seconds: finished.iter().map(|finished| finished.seconds).sum(),
    };
    let (mut rows, mut headlines, mut chapters, mut data) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (paper, ready) in &papers {
        let own: Vec<&Finished> = finished
            .iter()
            .filter(|cell| paper.experiments().iter().any(|e| e.name == cell.key.experiment))
            .copied()
            .collect();
        let summary = ready.summarise(&own)?;
        chapters.push((paper.title(), ready.chapter(&scope, &own, &summary)));
        headlines.extend(ready.headlines(&summary.rows));
        data.extend(ready.record(&scope));
        rows.extend(summary.rows);
    }
    let names: Vec<&str> = plan.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let report = page::report(&Page {
        build: &build,
        course: &course,
        scope: &scope,
        experiments: &names,
        chapters: &chapters,
        skipped: &skipped,
    });
    let manifest = manifest::text(&build, &course, &scope, &names, &data, &skipped)?;
    write_whole(&flags.out.join("results.json"), &results_json(&rows))?;
    write_whole(&flags.out.join("manifest.json"), &manifest)?;
    write_whole(&flags.out.join("report.md"), &render_markdown(&report))?;
    let html = flags.out.join("report.html");
    write_whole(&html, &render_html(&report))?;

    let mut text = render_terminal_summary(&headlines);
    for skipped in &skipped {
        let first = skipped.why.lines().next().unwrap_or_default();
        let _ = writeln!(text, "skipped: data set {}: {first}; the report says what to do", skipped.name);
    }
    let _ =
        write!(text, "\n{} cells in {}; report: {}", course.cells, human(clock.elapsed()), html.display());
    verdict_on(&course, &rows).map_or(Ok(text.clone()), |error| {
        say(&text);
        Err(error)
    })
}

/// What the report's contents mean for the exit code.
fn verdict_on(course: &Course, rows: &[Row]) -> Option<anyhow::Error> {
    if let Some((cell, why)) = course.failed.first() {
        let failed = course.failed.len();
        return Some(anyhow!("{failed} of {} cells failed, the first: {cell}: {why}", course.cells));
    }
    let outside: Vec<String> = rows
        .iter()
        .filter(|row| row.verdict == Some(Verdict::NotReproduced))
        .map(|row| {
            let system = row.system.as_deref().unwrap_or_default();
            let reason = row.reason.as_deref().unwrap_or_default();
            let mean = row.mean.unwrap_or(f64::NAN);
            format!("{} of {system} on {}: {mean:.4}, {reason}", row.metric, row.dataset)
        })
        .collect();
    if outside.is_empty() {
        return None;
    }
    let what = format!("{} results are outside their band: {}", outside.len(), outside.join("; "));
    Some(Failure::Band(what).into())
}
