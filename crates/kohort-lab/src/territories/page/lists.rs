//! Popularity bias of the ten best titles.

use kohort_report::{Better, Column, Section, Table};

use super::Run;
use super::tables::by_territory;
use crate::page::tables::name_of;
use crate::territories::experiments::markets::AFTER;
use crate::territories::measure::WHOLE;
use crate::territories::systems::tower_title;
use crate::territories::world::World;

/// The section of an experiment on a world.
pub(super) fn section(run: &Run<'_>, world: &World, experiment: &str) -> Section {
    let after = tower_title(AFTER.0, AFTER.1);
    let rows = run.rows_of(experiment, &world.name, WHOLE);
    let mut section = Section::new(format!("{}: popularity bias of the ten best", world.title)).prose(
        "ARP is the mean popularity of what is recommended, popularity lift how far it is above what the users themselves have \
         (0: as they have), APLT and ACLT share and number of long-tail titles in a list, Gini how unevenly titles are shown, coverage the \
         share of the territory's titles that anybody is shown. Local lift is the share of local titles in the lists over their share in the \
         training rows: 1 is as consumed.",
    );
    let columns = [
        Column::lower("ARP"),
        Column::lower("Popularity lift").digits(3),
        Column::higher("APLT").digits(3),
        Column::higher("ACLT").digits(2),
        Column::lower("Gini").digits(3),
        Column::higher("Coverage").digits(3),
    ];
    let means: Vec<_> = rows.iter().filter(|row| row.cohort.is_none()).cloned().collect();
    let label =
        |row: &kohort_report::Row| name_of(row.system.as_deref().unwrap_or("—"), row.variant.as_deref());
    let caption = format!("{}: means over the territories where the number is defined", world.title);
    section = section.block(Table::pivot(caption, "System", &means, label, &columns).highlight(&after));
    for (metric, what, better, digits) in [
        ("Popularity lift", "popularity lift", Better::Lower, 3),
        ("Local share", "share of local titles among the ten best", Better::Neither, 3),
        ("Local lift", "local lift (1: as consumed)", Better::Neither, 2),
        ("Global share", "share of global titles among the ten best", Better::Neither, 3),
    ] {
        let caption = format!("{}: {what}", world.title);
        if let Some(table) = by_territory(world, caption, &rows, metric, (better, digits)) {
            section = section.block(table.highlight(&after));
        }
    }
    section
}
