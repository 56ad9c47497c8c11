//! What of the method does it.

use kohort_report::{Axis, Bar, BarPlot, Better, Grid, Mark, Reference, ReferenceKind, Row, Section};

use super::Run;
use super::tables::columns_of;
use crate::territories::experiments::grouping::{GROUPS, MOST_SEEDS, NAME, SWEEPS, rule};
use crate::territories::experiments::markets::AFTER;
use crate::territories::gains::GAIN;
use crate::territories::measure::SAMPLED;
use crate::territories::settings::GroupBy;
use crate::territories::systems::tower_title;
use crate::territories::world::World;

/// The section.
pub(super) fn section(run: &Run<'_>, world: &World) -> Section {
    let rows = run.rows_of(NAME, &world.name, SAMPLED);
    let mut section = Section::new(format!("{}: what of it does it?", world.title)).prose(format!(
        "Each line differs from the main setting of MTL with active users in what its name says. Gains are over one global model on the \
         random sample, in per cent of its PR-AUC; intervals are over the seeds, of which there are {} at most here. Nothing was chosen from \
         these tables.",
        MOST_SEEDS
    ));
    for (prefix, what, main) in SWEEPS {
        let after = tower_title(AFTER.0, AFTER.1);
        let own: Vec<Row> = rows
            .iter()
            .filter_map(|row| {
                let label = match &row.variant {
                    Some(variant) => variant.strip_prefix(prefix)?,
                    None if row.system.as_ref() == Some(&after) => main,
                    None => return None,
                };
                Some(Row { system: Some(label.to_owned()), variant: None, ..row.clone() })
            })
            .collect();
        let caption = format!("{}: {}, PR-AUC gain in per cent", world.title, what.to_lowercase());
        let table = columns_of(world.territories.names(), caption, &own, GAIN, (Better::Higher, 1));
        if let Some(mut table) = table {
            table.stub = what.to_owned();
            section = section.block(table.highlight(main));
        }
        let bars = own.iter().filter(|row| row.metric == GAIN && row.cohort.is_none()).filter_map(|row| {
            Some(Bar {
                label: row.system.clone().unwrap_or_default(),
                value: row.mean?,
                low: row.low,
                high: row.high,
                published: None,
                highlight: row.system.as_deref() == Some(main),
            })
        });
        let bars: Vec<Bar> = bars.collect();
        if bars.len() > 1 {
            section = section.block(BarPlot {
                title: format!(
                    "{}: {}, gain of the mean PR-AUC over the markets",
                    world.title,
                    what.to_lowercase()
                ),
                value: Axis::new("gain").unit("%"),
                mark: Mark::Dot,
                bars,
                references: vec![Reference::new(ReferenceKind::Floor, "no gain", 0.0)],
            });
        }
    }
    section.block(who(world))
}

/// Who is with whom under every strategy.
fn who(world: &World) -> Grid {
    let mut lines = Vec::new();
    for groups in GROUPS.into_iter().filter(|groups| *groups > 1 && *groups < world.territories.len()) {
        for by in [GroupBy::Size, GroupBy::Viewing].into_iter().chain(rule(groups)) {
            let Ok(found) = world.grouping(groups, &by) else { continue };
            for group in 0..found.len() {
                lines.push(vec![
                    format!("{groups} {}", by.name()),
                    found.names()[group].clone(),
                    found.members(group).join(", "),
                    found.rows(group).to_string(),
                    found.why(group).to_owned(),
                ]);
            }
        }
    }
    Grid {
        caption: "Who is with whom, and why".into(),
        header: ["Grouping", "Group", "Territories", "Training rows", "Why"].map(str::to_owned).to_vec(),
        lines,
    }
}
