//! Planted territories.

use kohort_report::{Better, Column, Fact, ProtocolBox, Section, Table};

use super::Run;
use super::tables::columns_of;
use crate::page::tables::name_of;
use crate::territories::experiments::planted::{
    AFTER, BEFORE, CATALOGUE, DISTANCE, K, LOCAL, NAME, SHOWN, WORLDS,
};
use crate::territories::gains::GAIN;
use crate::territories::systems::tower_title;

/// The section.
pub(super) fn section(run: &Run<'_>) -> Section {
    let after = tower_title(AFTER.0, AFTER.1);
    let mut section = Section::new("Planted territories: where the truth is known").prose(format!(
        "A generator plants territories of Zipf sizes with local and global titles; users are shown titles by popularity over all users, so \
         large territories decide what is seen, and click by their true preference. Once the territories do not differ at all, once they do. {} \
         learns from the same rows as {after}.",
        tower_title(BEFORE.0, BEFORE.1)
    ));
    section = section.block(protocol(run));
    for (dataset, difference) in WORLDS {
        let what = if difference > 0.0 { "different territories" } else { "identical territories" };
        let shown = run.rows_of(NAME, dataset, SHOWN);
        let lists = run.rows_of(NAME, dataset, CATALOGUE);
        let means: Vec<_> = shown.iter().chain(&lists).filter(|row| row.cohort.is_none()).cloned().collect();
        let columns = [
            Column::higher("PR-AUC"),
            Column::neutral(GAIN).digits(2).label("Gain, %"),
            Column::neutral(LOCAL).digits(3).label(format!("Local share of the {K} best")),
            Column::lower(DISTANCE).digits(3).label("Distance from the truth"),
        ];
        let label =
            |row: &kohort_report::Row| name_of(row.system.as_deref().unwrap_or("—"), row.variant.as_deref());
        let caption = format!(
            "Planted, {what}: means over the territories, then over {} data sets",
            run.scope.seeds.len()
        );
        section = section.block(
            Table::pivot(caption, "System", &means, label, &columns)
                .highlight(&after)
                .test_note("differs from the global model: paired t-test over the data sets"),
        );
        let names: Vec<String> = {
            let mut names: Vec<String> = shown.iter().filter_map(|row| row.cohort.clone()).collect();
            names.sort();
            names.dedup();
            names
        };
        for (rows, metric, title, digits) in [
            (&shown, GAIN, "PR-AUC gain in per cent", 2),
            (&lists, LOCAL, "share of local titles among the ten best; the oracle's is the truth", 3),
        ] {
            let caption = format!("Planted, {what}: {title}, by territory from the largest to the smallest");
            if let Some(table) = columns_of(&names, caption, rows, metric, (Better::Neither, digits)) {
                section = section.block(table.highlight(&after));
            }
        }
    }
    section
}

fn protocol(run: &Run<'_>) -> ProtocolBox {
    let seeds: Vec<String> = run.scope.seeds.iter().map(u64::to_string).collect();
    let recipe = run.paper.planted.as_ref().map(|planted| planted.recipe(1));
    ProtocolBox {
        name: "planted".into(),
        split: "a random fifth of what users were shown is the test part; the rest is learned from, clicks as positives, what was \
                shown and not clicked as negatives"
            .into(),
        unit: "territory, all its shown rows together".into(),
        candidates: format!("PR-AUC: what was shown and is held out; local share: the {K} best of all titles that were not shown in training"),
        threshold: "a click".into(),
        k: K.to_string(),
        denominator: "PR-AUC is average precision, ties one step".into(),
        without_relevant: "territories without a held-out click are left out".into(),
        tie_rule: "of equal scores the lower title id comes first".into(),
        seeds: format!("{}; each plants a data set and draws everything else", seeds.join(", ")),
        floor: "PR-AUC: rate of clicks; local share: share of local titles in the catalogue".into(),
        ceiling: "the true preference as the score, on the same rows and lists".into(),
        popularity: "the system Popularity in the tables: clicks on the title in the own territory".into(),
        more: recipe
            .map(|recipe| Fact {
                name: "Recipe".into(),
                value: format!(
                    "{} users, {} titles, {} territories; {} % local titles; exposure by popularity^{}; all in manifest.json",
                    recipe.users,
                    recipe.items,
                    recipe.territories,
                    100.0 * recipe.local,
                    recipe.exposure
                ),
            })
            .into_iter()
            .collect(),
    }
}
