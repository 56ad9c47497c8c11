//! A data set: every way to find cohorts in it.

use kohort_report::{Column, Fact, ProtocolBox, Row, Section, Table};

use super::{Run, system};
use crate::discovery::judge::{COUNT, FOUND, MODULARITY, NMI, SECONDS, SILHOUETTE, STABILITY, USED, WITHOUT};
use crate::discovery::worlds::World;

/// The section.
pub(super) fn section(run: &Run<'_>, world: &World) -> Section {
    let rows: Vec<Row> = run.rows_of(world.experiment, FOUND);
    let mut columns = vec![
        Column::neutral(COUNT).digits(1).label("found"),
        Column::neutral(USED).digits(1).label("used"),
        Column::lower(WITHOUT).digits(3).label("share without"),
        Column::neutral(MODULARITY).digits(3),
        Column::higher(SILHOUETTE).digits(3),
    ];
    if let Some(given) = world.given {
        columns.push(Column::higher(NMI).digits(3).label(format!("NMI with {given}")));
    }
    columns.push(Column::higher(STABILITY).digits(3).label("stability, ARI"));
    columns.push(Column::lower(SECONDS).digits(2).label("seconds"));
    let caption = format!("{}: cohorts found in training rows, mean over {}", world.title, run.seeds());
    Section::new(format!("{}: ways to find cohorts", world.title))
        .prose(format!("To know: {}.", world.notes.join("; ")))
        .block(protocol(run, world))
        .block(Table::pivot(caption, "Method", &rows, system, &columns))
}

fn protocol(run: &Run<'_>, world: &World) -> ProtocolBox {
    let settings = &run.paper.settings;
    let seeds: Vec<String> = run.scope.seeds.iter().map(u64::to_string).collect();
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value };
    ProtocolBox {
        name: FOUND.to_owned(),
        split: world.split.to_owned(),
        unit: "user with a training row".into(),
        candidates: "none".into(),
        threshold: "none".into(),
        k: format!("spectral clustering and KMeans are asked for {}", settings.clusters(world.experiment).unwrap_or(0)),
        denominator: "users".into(),
        without_relevant: "users whom no cohort reaches count as without".into(),
        tie_rule: "by seeded order".into(),
        seeds: format!("{}; each draws the split and all random choices", seeds.join(", ")),
        floor: "NMI and ARI: about 0 for random cohorts, NMI the more the more cohorts there are".into(),
        ceiling: "1".into(),
        popularity: "none".into(),
        more: vec![
            fact(
                "Graphs",
                format!(
                    "friends: as told, between users of the training part; shared: each user's {} nearest by cosine of what was taken, items of more \
                     than {} users not searched; vectors: a truncated SVD of width {} of what was taken",
                    settings.neighbours, settings.most_popular, settings.vectors
                ),
            ),
            fact(
                "Used",
                format!(
                    "cohorts below {:.0} % of the users go over into the larger one they are tied to most; what stays below is no cohort",
                    100.0 * settings.least_share
                ),
            ),
            fact(
                "Quality",
                format!(
                    "modularity on the method's own graph, so only comparable where the graph is the same; silhouette of used cohorts on the SVD vectors, {} users; NMI of used cohorts \
                     with those that came with the data, over users who have one",
                    settings.silhouette
                ),
            ),
            fact(
                "Stability",
                format!(
                    "{} pairs of bootstrap samples of users a seed, the shared users' labels compared; graphs are made anew from each sample, vectors and \
                     embeddings are not",
                    settings.pairs
                ),
            ),
            fact("Seconds", "on one core while other cells ran; the making of the graph included, that of vectors and embeddings not".into()),
        ],
    }
}
