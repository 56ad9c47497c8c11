//! The two protocols as the boxes that stand before their numbers.

use kohort_report::{Fact, ProtocolBox};

use super::Run;
use crate::territories::experiments::markets::DRAWS;
use crate::territories::measure::{SAMPLED, WHOLE};
use crate::territories::world::World;

fn split(world: &World) -> String {
    let counts = format!(
        "{} training, {} validation, {} test rows",
        world.train().rows().len(),
        world.parts.validation.rows().len(),
        world.parts.test.answers().len()
    );
    match world.parts.held_out_from() {
        None => format!(
            "each user's last row is the test part, the one before the validation part ({counts}); of rows of one day \
             those further down the file are later"
        ),
        Some(_) => format!(
            "everything after one moment is the test part, what comes shortly before it the validation part ({counts})"
        ),
    }
}

fn seeds(run: &Run<'_>) -> String {
    let seeds: Vec<String> = run.scope.seeds.iter().map(u64::to_string).collect();
    format!(
        "{}; each draws the samples of users, initial weights, training negatives and the candidates; the split is one for all",
        seeds.join(", ")
    )
}

/// The held-out row beside sampled negatives.
pub(super) fn sampled(run: &Run<'_>, world: &World) -> ProtocolBox {
    let negatives = run.paper.settings.negatives;
    ProtocolBox {
        name: SAMPLED.to_owned(),
        split: split(world),
        unit: "user, averaged by territory; PR-AUC pools the candidates of a territory's users".into(),
        candidates: format!(
            "the user's held-out rows and {negatives} titles of the own territory that the user touched in no part, drawn anew \
             for each seed, the same for all systems"
        ),
        threshold: "every rating is a positive, as published".into(),
        k: "10".into(),
        denominator: "nDCG@10 with gain 1 for a held-out row; PR-AUC is average precision, ties one step".into(),
        without_relevant: "users without a held-out row (fewer than three rows) are not asked; a territory without any is undefined"
            .into(),
        tie_rule: "the exact mean over all orders of the tied titles".into(),
        seeds: seeds(run),
        floor: "PR-AUC: the share of positives; nDCG@10: the exact mean over all orders".into(),
        ceiling: "1: all held-out rows first".into(),
        popularity: "the systems Popularity in the tables: training rows of the title, in the own territory or in all".into(),
        more: vec![Fact {
            name: "Gains".into(),
            value: format!(
                "100 · (model − baseline) / baseline; intervals and tests from {DRAWS} samples of a territory's users, the same for \
                 both systems and all seeds"
            ),
        }],
    }
}

/// All titles of the own territory.
pub(super) fn whole(run: &Run<'_>, world: &World) -> ProtocolBox {
    ProtocolBox {
        name: WHOLE.to_owned(),
        candidates: "all titles of the own territory but those of the user's training and validation rows".into(),
        unit: "user, averaged by territory".into(),
        denominator: "nDCG@10 with gain 1 for a held-out row".into(),
        floor: "the exact mean over all orders".into(),
        more: vec![Fact {
            name: "Popularity bias".into(),
            value: "of the ten best; popularity is the share of the territory's training users who have the title, the long tail all \
                    but the most popular fifth of the territory's titles, local a title with at least ten training rows of which 80 % come \
                    from the territory, global one with rows in at least four territories and none above 50 %"
                .into(),
        }],
        ..sampled(run, world)
    }
}
