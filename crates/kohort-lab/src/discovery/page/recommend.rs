//! LightGCN as a recommender.

use kohort_report::{Column, ProtocolBox, Row, Section, Table};

use super::{Run, system};
use crate::discovery::recommend::{ATTENTION, NDCG, RANKING, RECALL};
use crate::discovery::verdict::{OVER_LIGHTGCN, OVER_OTHERS};
use crate::discovery::worlds::World;
use crate::modules::measure::TEST;

/// The section.
pub(super) fn section(run: &Run<'_>, world: &World) -> Section {
    let ranking = |row: &Row| row.task.as_deref() == Some(RANKING);
    let rows: Vec<Row> = run.rows_of(world.experiment, TEST).into_iter().filter(ranking).collect();
    let columns = [
        Column::higher(RECALL).digits(4),
        Column::higher(NDCG).digits(4),
        Column::neutral(ATTENTION).digits(3),
    ];
    let caption = format!("{}: first 20 of all artists, mean over {}", world.title, run.seeds());
    let gains = run.rows_of(world.experiment, OVER_OTHERS);
    let of_friends = run.rows_of(world.experiment, OVER_LIGHTGCN);
    let of_gains = [RECALL, NDCG].map(|metric| Column::higher(format!("gain in {metric}")).digits(4));
    Section::new(format!("{}: LightGCN as a recommender", world.title))
        .prose(
            "LightGCN and matrix factorisation are the same code with three layers and with none; penalty and epochs of both were chosen on validation rows of \
             another split of the training part. With friendships each user and artist is seen through the graph of listening and through that of friends, and an attention \
             weighs the views; its hops, penalty and the weight of the friends' loss were chosen on the same rows. All learn from the training rows alone, without the validation part.",
        )
        .block(protocol(run, world))
        .block(Table::pivot(caption, "Recommender", &rows, system, &columns))
        .block(Table::pivot("What LightGCN gains over the others", "Over", &gains, system, &of_gains))
        .block(Table::pivot("What friendships add to LightGCN", "System", &of_friends, system, &of_gains))
}

fn protocol(run: &Run<'_>, world: &World) -> ProtocolBox {
    let seeds: Vec<String> = run.scope.seeds.iter().map(u64::to_string).collect();
    ProtocolBox {
        name: TEST.to_owned(),
        split: world.split.to_owned(),
        unit: "user with a test artist".into(),
        candidates: "all artists but those of the user's training rows".into(),
        threshold: "every test artist".into(),
        k: "20".into(),
        denominator: "Recall: the user's test artists; NDCG: the best order of as many, gains of 1".into(),
        without_relevant: "left out".into(),
        tie_rule: "mean over all orders".into(),
        seeds: format!(
            "{}; each draws the validation part, the start and the order of batches; the test part is the same",
            seeds.join(", ")
        ),
        floor: "expected value of a random order".into(),
        ceiling: "best possible order".into(),
        popularity: "number of training rows of the artist".into(),
        more: Vec::new(),
    }
}
