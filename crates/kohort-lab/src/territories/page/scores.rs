//! The paper's case study: what becomes of the scores of local and global titles, and which titles rise and fall.

use std::collections::BTreeMap;

use kohort_data::territories::{Reach, ReachRule, Title};
use kohort_report::{Axis, Grid, LinePlot, Section, Series};

use super::Run;
use crate::outcome::Curve;
use crate::territories::experiments::markets::{self, AFTER, WITHOUT_BLOCKS as BEFORE};
use crate::territories::measure::WHOLE;
use crate::territories::measure::whole::{CLASSES, LEAST_ROWS, rows_of_items};
use crate::territories::systems::{Model, Sample, tower_name, tower_title};
use crate::territories::world::World;

/// Titles that are named at either end of a territory's list.
const NAMED: usize = 3;

/// Nothing where no cell kept the standing of titles.
pub(super) fn section(run: &Run<'_>, world: &World) -> Option<Section> {
    let (before, after) = (tower_title(BEFORE.0, BEFORE.1), tower_title(AFTER.0, AFTER.1));
    let mut section = Section::new(format!("{}: what becomes of local and global titles", world.title)).prose(format!(
        "Scores of {before} (before) and {after} (after), as log-odds of a start after the shift to the candidates' rate, of all titles \
         of a class for all users of a territory. A title's standing is the share of a user's list that lies below it, mean over users: 100 % is \
         always first."
    ));
    let standing = standing(run, world)?;
    section = section.block(standing);
    let mut smallest: Vec<String> = world.by_size().ok()?.into_iter().map(|(name, _)| name).collect();
    let largest = smallest.pop();
    for name in smallest.iter().take(2).chain(&largest) {
        let mut series = Vec::new();
        for class in CLASSES {
            for (system, when) in [(BEFORE, "before"), (AFTER, "after")] {
                let points = mean_curve(run, world, system, |curve| {
                    (curve.name == format!("scores, {name}, {class} titles")).then(String::new)
                });
                if let Some(points) = points.get("") {
                    series.push(Series::new(format!("{class} titles, {when}"), trimmed(points)));
                }
            }
        }
        if !series.is_empty() {
            section = section.block(LinePlot {
                title: format!("Scores of local and global titles in market {name}"),
                x: Axis::new("log-odds"),
                y: Axis::new("share of scores"),
                series,
                references: Vec::new(),
            });
        }
        section = match cases(run, world, name) {
            Some(plot) => section.block(plot),
            None => section,
        };
    }
    Some(section.block(movers(run, world)?))
}

/// The cells of one end of the grid.
fn cells<'a>(
    run: &'a Run<'_>,
    world: &'a World,
    system: (Model, Sample),
) -> impl Iterator<Item = &'a crate::grid::Finished> {
    let name = tower_name(system.0, system.1);
    run.cells.iter().copied().filter(move |cell| {
        cell.key.experiment == markets::NAME && cell.key.dataset == world.name && cell.key.system == name
    })
}

/// Curves that `named` gives a name, averaged over the seeds point by point.
fn mean_curve(
    run: &Run<'_>,
    world: &World,
    system: (Model, Sample),
    named: impl Fn(&Curve) -> Option<String>,
) -> BTreeMap<String, Vec<(f64, f64)>> {
    // By name, then by abscissa: sum and number of the ordinates.
    let mut sums: BTreeMap<String, BTreeMap<i64, (f64, f64, usize)>> = BTreeMap::new();
    for cell in cells(run, world, system) {
        for curve in &cell.outcome.curves {
            let Some(name) = named(curve) else { continue };
            let points = sums.entry(name).or_default();
            for &(x, y) in &curve.points {
                // Middles of bins and ids of items are told apart by a thousandth.
                let entry = points.entry((1e3 * x).round() as i64).or_insert((x, 0.0, 0));
                *entry = (entry.0, entry.1 + y, entry.2 + 1);
            }
        }
    }
    let mean = |points: BTreeMap<i64, (f64, f64, usize)>| {
        points.into_values().map(|(x, sum, n)| (x, sum / n as f64)).collect()
    };
    sums.into_iter().map(|(name, points)| (name, mean(points))).collect()
}

/// Without the empty ends.
fn trimmed(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let first = points.iter().position(|point| point.1 > 1e-4).unwrap_or(0).saturating_sub(1);
    let last =
        points.iter().rposition(|point| point.1 > 1e-4).map_or(points.len(), |at| (at + 2).min(points.len()));
    points[first..last.max(first)].to_vec()
}

/// The most bought local title and the most bought global one.
fn cases(run: &Run<'_>, world: &World, market: &str) -> Option<LinePlot> {
    let mut series = Vec::new();
    for class in CLASSES {
        for (system, when) in [(BEFORE, "before"), (AFTER, "after")] {
            let prefix = format!("case, {market}, {class}, ");
            let found =
                mean_curve(run, world, system, |curve| curve.name.strip_prefix(&prefix).map(str::to_owned));
            for (item, points) in found {
                let id = world.items.get(item.parse::<usize>().ok()?)?;
                series.push(Series::new(format!("{class} title {id}, {when}"), trimmed(&points)));
            }
        }
    }
    (!series.is_empty()).then(|| LinePlot {
        title: format!("Market {market}: the local and the global title with the most training rows"),
        x: Axis::new("log-odds"),
        y: Axis::new("share of users"),
        series,
        references: Vec::new(),
    })
}

/// Mean standing of both classes by territory, without and with blocks on both samples.
fn standing(run: &Run<'_>, world: &World) -> Option<Grid> {
    let rows = run.rows_of(markets::NAME, &world.name, WHOLE);
    let value = |class: &str, title: &str, cohort: Option<&str>| {
        let metric = format!("Mean standing, {class} titles");
        let row = rows.iter().find(|row| {
            row.metric == metric && row.system.as_deref() == Some(title) && row.cohort.as_deref() == cohort
        });
        row.and_then(|row| row.mean)
    };
    let cohorts: Vec<Option<&str>> =
        world.territories.names().iter().map(|name| Some(name.as_str())).chain([None]).collect();
    let samples = [Sample::Random, Sample::RandomAndActive];
    let mut header = vec!["Market".to_owned()];
    for class in CLASSES {
        for sample in samples {
            let words = if sample == Sample::Random { "random" } else { "+ active" };
            header.push(format!("{class} titles, {words}"));
        }
    }
    let mut any = false;
    let lines: Vec<Vec<String>> = cohorts
        .into_iter()
        .map(|cohort| {
            let mut line = vec![cohort.unwrap_or("mean").to_owned()];
            for class in CLASSES {
                for sample in samples {
                    let of = |model| value(class, &tower_title(model, sample), cohort);
                    line.push(match (of(Model::Global), of(Model::Mtl)) {
                        (Some(old), Some(new)) => {
                            any = true;
                            let change = 100.0 * (new - old);
                            format!("{:.0} → {:.0} ({change:+.1})", 100.0 * old, 100.0 * new)
                        }
                        _ => "–".to_owned(),
                    });
                }
            }
            line
        })
        .collect();
    any.then(|| Grid {
        caption: "Mean standing in per cent of the list, one global model → MTL on the same sample; mean over the seeds".into(),
        header,
        lines,
    })
}

/// The titles that rise and fall most in each territory.
fn movers(run: &Run<'_>, world: &World) -> Option<Grid> {
    let reach = Reach::of(world.train(), &world.territories, ReachRule::default()).ok()?;
    let rows = rows_of_items(world);
    let of_rows = world.territories.of_rows(world.train().rows()).ok()?;
    let mut lines = Vec::new();
    for (territory, name) in (0u32..).zip(world.territories.names()) {
        let named = |curve: &Curve| (curve.name == format!("standing, {name}")).then(String::new);
        let (before, after) = (mean_curve(run, world, BEFORE, named), mean_curve(run, world, AFTER, named));
        let (Some(before), Some(after)) = (before.get(""), after.get("")) else { continue };
        let mut changes: Vec<(f64, usize, f64, f64)> = before
            .iter()
            .zip(after)
            .filter(|(old, new)| old.0 == new.0)
            .map(|(old, new)| (new.1 - old.1, old.0 as usize, old.1, new.1))
            .collect();
        changes.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let ends = changes.iter().take(NAMED).chain(changes.iter().skip(changes.len().saturating_sub(NAMED)));
        for &(change, item, old, new) in ends {
            let class = match reach.titles()[item] {
                Title::Local { territory } => {
                    format!("local to {}", world.territories.names()[territory as usize])
                }
                Title::Global => "global".to_owned(),
                Title::Other => "neither".to_owned(),
            };
            let here = world
                .train()
                .rows()
                .item
                .iter()
                .zip(&of_rows)
                .filter(|&(&row, &place)| row as usize == item && place == territory)
                .count();
            lines.push(vec![
                name.clone(),
                world.items.get(item).cloned().unwrap_or_default(),
                class,
                here.to_string(),
                rows[item].to_string(),
                format!("{:.1} %", 100.0 * old),
                format!("{:.1} %", 100.0 * new),
                format!("{:+.1}", 100.0 * change),
            ]);
        }
    }
    (!lines.is_empty()).then(|| Grid {
        caption: format!(
            "The {NAMED} most promoted and {NAMED} most demoted titles of each market, of those with at least {LEAST_ROWS} training \
             rows, mean over the seeds"
        ),
        header: [
            "Market",
            "Title",
            "Class",
            "Training rows here",
            "In all markets",
            "Standing before",
            "After",
            "Change",
        ]
        .map(str::to_owned)
        .to_vec(),
        lines,
    })
}
