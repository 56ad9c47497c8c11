//! Small synthetic ratings through every system, and what is said of an effect.

use kohort_data::records::{Records, Target};
use kohort_data::synthetic::Recipe;
use kohort_data::{Column, Dataset, Features};
use kohort_models::trainer::TrainConfig;

use super::effects::{EFFECTS, said};
use super::measure::{GAUC, NDCG};
use super::settings::Settings;
use super::systems::systems;
use super::world::{AT_RANDOM, BEFORE, Data};
use super::*;
use crate::modules::measure::{AUC, LOG_LOSS, TEST};
use crate::outcome::{Number, Outcome};

/// Ratings of a synthetic world, with the columns that the systems read.
fn rated() -> (Dataset, Records) {
    let (dataset, _) = Recipe::small().generate(7).unwrap();
    let rows = &dataset.interactions;
    let mut features = Features::new(rows.len());
    let ids = |codes: &[u32], vocabulary: &kohort_data::Vocabulary| Column::Categorical {
        codes: codes.to_vec(),
        vocabulary: vocabulary.clone(),
    };
    features.push("user", ids(&rows.user, &dataset.users)).unwrap();
    features.push("film", ids(&rows.item, &dataset.items)).unwrap();
    for name in ["age", "gender", "occupation"] {
        let column =
            Column::categorical(rows.user.iter().map(|user| if user % 2 == 0 { "even" } else { "odd" }));
        features.push(name, column).unwrap();
    }
    let labels = [("like", 4.0), ("love", 5.0)]
        .map(|(name, from)| Target::binary(name, rows.rating.iter().map(|&rating| rating >= from)));
    let records = Records { targets: labels.to_vec(), ..Records::new("synthetic", features) };
    (dataset, records)
}

fn quick(settings: &mut Settings) {
    let short = |train: &mut TrainConfig| {
        (train.epochs, train.batch, train.shard_rows) = (3, 256, 256);
    };
    short(&mut settings.stan.train);
    short(&mut settings.groupce.train);
    settings.groupce.warm_up = 1;
}

#[test]
fn every_system_has_its_numbers_for_all_rows_and_every_cohort() {
    let (dataset, records) = rated();
    let data = Data::cut(&dataset, &records, false, 1).unwrap();
    let mut settings = Settings::read().unwrap();
    quick(&mut settings);
    let systems = systems(&settings);
    for system in &systems {
        let outcome = measure::measure(&system.fit(&data, 1).unwrap(), &data).unwrap();
        let tasks: &[&str] = if system.experiment == STAN { &["like", "love"] } else { &["like"] };
        for task in tasks {
            for metric in [AUC, GAUC, NDCG] {
                let all = outcome.numbers.iter().filter(|number| {
                    number.protocol == TEST
                        && (number.task.as_str(), number.metric.as_str()) == (*task, metric)
                        && number.cohort.is_none()
                });
                assert_eq!(all.count(), 1, "{}: {task}, {metric}", system.title);
            }
        }
        assert!(outcome.numbers.iter().all(|number| number.value.is_finite()), "{}", system.title);
        let sized = |number: &&Number| [AUC, GAUC].contains(&number.metric.as_str());
        assert!(outcome.numbers.iter().filter(sized).all(|number| (0.0..=1.0).contains(&number.value)));
        assert!(outcome.numbers.iter().any(|number| number.metric == LOG_LOSS));
    }
    let mut names: Vec<(&str, &str)> =
        systems.iter().map(|system| (system.experiment, system.name)).collect();
    names.sort_unstable();
    let many = names.len();
    names.dedup();
    assert_eq!(names.len(), many, "two systems of an experiment share a name");
}

#[test]
fn a_cut_by_time_puts_each_users_last_rows_last_and_nothing_before_a_row_knows_it() {
    let (dataset, records) = rated();
    let rows = &dataset.interactions;
    let data = Data::cut(&dataset, &records, true, 1).unwrap();
    let split = &data.material.split;
    let mut last = vec![i64::MIN; rows.users];
    for &row in split.train.origin() {
        let user = rows.user[row as usize] as usize;
        last[user] = last[user].max(rows.time[row as usize]);
    }
    for &row in split.test.origin() {
        assert!(rows.time[row as usize] >= last[rows.user[row as usize] as usize]);
    }
    // Other labels of the rows at a moment or after it change nothing of what was before it.
    let column = |records: &Records| {
        let data = Data::cut(&dataset, records, true, 1).unwrap();
        data.past.train.features().column(BEFORE).unwrap().clone()
    };
    let moment = rows.time[split.train.origin()[split.train.len() / 2] as usize];
    let mut other = records.clone();
    // Swapped among training rows, so that their mean, to which small counts are drawn, stays.
    let later = split.train.origin().iter().filter(|row| rows.time[**row as usize] >= moment);
    let later: Vec<usize> = later.map(|&row| row as usize).collect();
    let (first, second) = later.split_at(later.len() / 2);
    first.iter().zip(second).for_each(|(&a, &b)| other.targets[0].values.swap(a, b));
    let (one, two) = (column(&records), column(&other));
    let (mut compared, mut differ) = (0, 0);
    for (at, &row) in split.train.origin().iter().enumerate() {
        let same = one.values(at) == two.values(at);
        if rows.time[row as usize] <= moment {
            assert!(same, "row {row}: {:?}, {:?}", one.values(at), two.values(at));
            compared += 1;
        }
        differ += usize::from(!same);
    }
    assert!(differ > 100, "what comes later does know of it");
    assert!(compared > 100);
}

fn cell(system: &str, seed: u64, value: f64) -> Finished {
    let key = Key {
        experiment: GROUPCE.into(),
        dataset: AT_RANDOM.into(),
        split: "s".into(),
        seed,
        system: system.into(),
        title: system.into(),
        variant: None,
    };
    let numbers = vec![Number::new(TEST, "like", GAUC, value)];
    Finished {
        key,
        fingerprint: String::new(),
        seconds: 0.0,
        outcome: Outcome { numbers, ..Outcome::default() },
    }
}

#[test]
fn an_effect_shows_is_reversed_or_does_not_show_and_two_seeds_say_nothing() {
    let said_of = |ours: &[f64]| {
        let cells: Vec<Finished> = (0..)
            .zip(ours)
            .flat_map(|(seed, &gain)| {
                let base = 0.7 + 0.01 * seed as f64;
                [cell("groupce", seed, base + gain), cell("log-loss", seed, base)]
            })
            .collect();
        let rows = effects::rows(&cells.iter().collect::<Vec<_>>()).unwrap();
        let row =
            rows.into_iter().find(|row| row.system.as_deref() == Some("GroupCE over log loss")).unwrap();
        assert_eq!(row.protocol.as_deref(), Some(EFFECTS));
        assert_eq!(row.published, Some(0.0042));
        said(&row).to_owned()
    };
    assert_eq!(said_of(&[0.004, 0.005, 0.003, 0.004, 0.005]), "shows");
    assert_eq!(said_of(&[-0.004, -0.005, -0.003, -0.004, -0.005]), "is reversed");
    assert_eq!(said_of(&[0.004, -0.005, 0.003, -0.004, 0.001]), "does not show");
    assert_eq!(said_of(&[0.004, 0.004]), "fewer than five seeds");
}
