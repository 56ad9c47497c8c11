//! Chapters to a page: lead, cards, each paper's sections, how to read it all, what was skipped, what it ran on.

mod closing;
pub(crate) mod tables;

use kohort_report::{Report, Section};

use crate::clock::human;
use crate::manifest::{Build, Course};
use crate::paper::{Chapter, Scope};
use crate::study::Skipped;

/// Everything a page is made of.
pub(crate) struct Page<'a> {
    pub(crate) build: &'a Build,
    pub(crate) course: &'a Course,
    pub(crate) scope: &'a Scope,
    /// Names of the experiments that ran.
    pub(crate) experiments: &'a [&'a str],
    /// The papers' titles and parts.
    pub(crate) chapters: &'a [(&'static str, Chapter)],
    pub(crate) skipped: &'a [Skipped],
}

/// The page. With one paper its lead is the page's; with several each begins with a section of its own.
pub(crate) fn report(page: &Page<'_>) -> Report {
    let alone = page.chapters.len() == 1;
    let title = match page.chapters {
        [(title, _)] => (*title).to_owned(),
        _ => format!("{} papers, reproduced", page.chapters.len()),
    };
    let mut report = Report::new(title, page.course.started.clone(), page.build.kernels.clone());
    let leads: Vec<&str> = page.chapters.iter().map(|(_, chapter)| chapter.lead.as_str()).collect();
    if alone {
        report.lead = leads.concat();
    } else {
        let titles: Vec<&str> = page.chapters.iter().map(|(title, _)| *title).collect();
        report.lead = format!("This page holds the reproductions of several papers: {}.", titles.join("; "));
    }
    if !page.skipped.is_empty() {
        let names: Vec<&str> = page.skipped.iter().map(|skipped| skipped.name.as_str()).collect();
        report.lead.push_str(&format!(
            " Not run: {}, because the data could not be had; the last section says what to type.",
            names.join(", ")
        ));
    }
    facts(page, &mut report);
    for (title, chapter) in page.chapters {
        report.highlights.extend(chapter.highlights.iter().cloned());
        if !alone {
            report.sections.push(Section::new(*title).prose(chapter.lead.clone()));
        }
        report.sections.extend(chapter.sections.iter().cloned());
    }
    report.sections.extend(closing::sections(page));
    report
}

/// Versions, threads, checksums.
fn facts(page: &Page<'_>, report: &mut Report) {
    let (build, course) = (page.build, page.course);
    report.fact("Version", format!("kohort {}, {}", build.version, build.rustc));
    report.fact("Threads", build.threads.to_string());
    report.fact(
        "Time",
        format!(
            "{} for {} cells, {} of them from earlier runs; all cells together {}",
            human(course.took),
            course.cells,
            course.resumed,
            human(std::time::Duration::from_secs_f64(course.cell_seconds))
        ),
    );
    if let Some(seconds) = build.build_seconds {
        report.fact("Build", format!("{seconds:.0} s"));
    }
    if let Some(warning) = &build.warning {
        report.fact("Kernel warning", warning.clone());
    }
    for (name, value) in page.chapters.iter().flat_map(|(_, chapter)| &chapter.facts) {
        if !report.facts.iter().any(|known| known.name == *name) {
            report.fact(name.clone(), value.clone());
        }
    }
}
