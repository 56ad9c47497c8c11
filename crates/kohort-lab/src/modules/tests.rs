use kohort_data::records::CohortPaths;
use kohort_data::synthetic::CohortRecipe;
use kohort_models::multitask::Config;
use kohort_models::trainer::TrainConfig;

use super::measure::{AUC, MEAN, RMSE, TEST, WORST};
use super::settings::{Adapt, ForData};
use super::worlds::{Cohorts, Material};
use super::*;
use crate::grid::Store;

/// A planted data set of two regions with two stages each, small.
fn material(seed: u64) -> Material {
    let recipe = CohortRecipe { rows: 900, features: 12, regions: 2, stages: 2, ..CohortRecipe::nested() };
    let (records, _) = recipe.generate(seed).unwrap();
    let split = kohort_data::records::RecordShares::default().split(&records, seed).unwrap();
    let paths = CohortPaths::of(&split.train, &["region", "stage"]).unwrap();
    let tree = Cohorts {
        hierarchy: kohort_layers::Hierarchy::new(paths.parents().to_vec()).unwrap(),
        names: paths.names().to_vec(),
        train: paths.assign(split.train.cohorts()).unwrap(),
        validation: paths.assign(split.validation.questions().cohorts).unwrap(),
        test: paths.assign(split.test.questions().cohorts).unwrap(),
    };
    Material::new(split, tree).unwrap()
}

fn small() -> ForData {
    let train =
        TrainConfig { epochs: 2, batch: 64, shard_rows: 64, learning_rate: 0.01, ..TrainConfig::default() };
    ForData {
        model: Config { tower: vec![8], train, ..Config::default() },
        adapt: Adapt { decay: 0.0, learning_rate: 0.01, towers: false },
    }
}

fn finished(system: &System, seed: u64, settings: &Settings, bases: &Bases) -> Finished {
    let (material, data) = (material(seed), small());
    let bottom = settings.bodies.get(BASELINE).unwrap();
    let fitted = system.fit(&material, &data, bases, bottom, seed).unwrap();
    let key = Key {
        experiment: worlds::CENSUS.into(),
        dataset: "planted".into(),
        split: "60-20-20".into(),
        seed,
        system: system.name.clone(),
        title: system.title.clone(),
        variant: None,
    };
    let outcome = measure::measure(&fitted, &material).unwrap();
    Finished { key, fingerprint: String::new(), seconds: 0.0, outcome }
}

#[test]
fn every_system_has_a_number_for_every_task_and_cohort_and_gains_are_over_the_shared_bottom() {
    let settings = Settings::read().unwrap();
    let bases = Bases::default();
    let systems = systems::systems(&settings).unwrap();
    let cells: Vec<Finished> = systems
        .iter()
        .flat_map(|system| [1, 2].map(|seed| finished(system, seed, &settings, &bases)))
        .collect();
    for cell in &cells {
        let numbers: Vec<_> = cell.outcome.numbers.iter().filter(|n| n.protocol == TEST).collect();
        for (task, metric) in [("binary 0", AUC), ("number 0", RMSE)] {
            for cohort in [None, Some(MEAN), Some(WORST), Some("region 0"), Some("region 1")] {
                let found = numbers
                    .iter()
                    .filter(|n| n.task == task && n.metric == metric && n.cohort.as_deref() == cohort)
                    .count();
                let known: Vec<_> = numbers.iter().map(|n| (&n.task, &n.metric, &n.cohort)).collect();
                assert_eq!(found, 1, "{}: {task}, {metric}, {cohort:?} of {known:?}", cell.key);
            }
        }
        assert!(numbers.iter().all(|number| number.value.is_finite()));
        // Written and read back, as the grid does; what was read once is read again to the bit.
        let again = |outcome: &crate::outcome::Outcome| -> crate::outcome::Outcome {
            serde_json::from_str(&serde_json::to_string(outcome).unwrap()).unwrap()
        };
        let back = again(&cell.outcome);
        assert_eq!(back, again(&back));
        assert_eq!(back.matrices.len(), cell.outcome.matrices.len());
    }
    let all: Vec<&Finished> = cells.iter().collect();
    let gains = gains::over(&all, BASELINE).unwrap();
    assert!(gains.iter().all(|gain| gain.per_seed.len() == 2 && gain.key.system != BASELINE));
    let rows = verdict::of_gains(&gains);
    assert_eq!(rows.len(), 4 * (systems.len() - 1));
    let adapters: Vec<&Finished> = all.iter().filter(|c| c.key.system.contains("lora")).copied().collect();
    assert!(gains::over(&adapters, CONTROL).unwrap().iter().all(|gain| gain.key.system != CONTROL));
}

#[test]
fn experts_and_adapters_of_a_fit_are_shown() {
    let settings = Settings::read().unwrap();
    let systems = systems::systems(&settings).unwrap();
    let named = |name: &str| {
        let system = systems.iter().find(|system| system.name == name).unwrap();
        finished(system, 3, &settings, &Bases::default()).outcome
    };
    let names = |outcome: &crate::outcome::Outcome| -> Vec<String> {
        outcome.matrices.iter().map(|matrix| matrix.name.clone()).collect()
    };
    let experts = named("cohort-experts");
    assert_eq!(names(&experts), [insight::USE, insight::USE_BY_TASK]);
    let by_cohort = &experts.matrices[0];
    assert_eq!(by_cohort.columns, ["global 1", "global 2", "global 3", "own region 0", "own region 1"]);
    // Region 0 cannot reach the expert of region 1.
    assert_eq!(by_cohort.values[0][4], Some(0.0));
    let sum: f64 = by_cohort.values[0].iter().flatten().sum();
    assert!((sum - 1.0).abs() < 1e-4);
    let adapters = named("lora");
    assert!(names(&adapters).contains(&insight::CHANGES.to_owned()));
    assert!(names(&adapters).contains(&insight::LIKENESS.to_owned()));
}

/// The synthetic experiment, small.
fn small_correlation() -> correlation::Settings {
    correlation::Settings {
        cosines: vec![0.5, 1.0],
        steepness: vec![1.0],
        runs: 2,
        rows: 3_000,
        epochs: 2,
        marks: vec![1, 2],
        rates: vec![1e-9, 0.01],
        ..Settings::read().unwrap().correlation
    }
}

#[test]
fn a_cell_of_the_synthetic_experiment_has_the_errors_of_all_its_runs_by_reading() {
    let settings = small_correlation();
    let scope = Scope { seeds: vec![0], quick: false };
    let rates = correlation::Rates::default();
    let cells = correlation::cells(&settings, &rates, &scope);
    assert_eq!(cells.len(), 2 * correlation::MODELS.len());
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), "code".into()).unwrap();
    let outcome = (cells[0].work)().unwrap();
    assert_eq!(outcome.counts, [(correlation::RATE.to_owned(), 0.01)], "the rate that learns");
    let names: Vec<&str> = outcome.curves.iter().map(|curve| curve.name.as_str()).collect();
    assert_eq!(names, ["after 1 epoch", "after 2 epochs", correlation::STOPPED]);
    for (curve, number) in outcome.curves.iter().zip(&outcome.numbers) {
        let mean = curve.points.iter().map(|(_, error)| error).sum::<f64>() / 2.0;
        assert!((number.value - mean).abs() < 1e-12 && number.protocol == curve.name);
        assert_eq!(curve.points.iter().map(|(seed, _)| *seed).collect::<Vec<_>>(), [10_000.0, 10_001.0]);
    }
    // It learns something, and data sets differ.
    let errors: Vec<f64> = outcome.numbers.iter().map(|number| number.value).collect();
    assert!(errors[1] < errors[0] && errors[0] < 1.5, "{errors:?}");
    store.save(&cells[0], std::time::Duration::ZERO, outcome).unwrap();
}

#[test]
fn marks_that_a_fit_may_not_reach_are_refused_and_a_quick_run_is_small() {
    let settings = correlation::Settings { epochs: 30, patience: 3, ..small_correlation() };
    assert!(correlation::Settings { marks: vec![1, 4], ..settings.clone() }.check().is_ok());
    for marks in [vec![0], vec![5]] {
        let error = correlation::Settings { marks, ..settings.clone() }.check().unwrap_err();
        assert!(error.to_string().contains("allowed are 1 to 4"), "{error}");
    }
    let error = correlation::Settings { rates: Vec::new(), ..settings }.check().unwrap_err();
    assert!(error.to_string().contains("rates"), "{error}");
    let whole = Settings::read().unwrap().correlation;
    let scope = |quick| Scope { seeds: vec![0], quick };
    assert_eq!(whole.clone().of(&scope(false)), whole);
    let quick = whole.of(&scope(true));
    assert_eq!((quick.runs, quick.cosines.len(), quick.steepness.len()), (1, 2, 1));
    assert!(quick.check().is_ok());
}
