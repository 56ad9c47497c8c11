//! Learned weights: noise is found, and nothing where there is none.

use super::*;
use crate::multitask::{WeighConfig, weigh};

/// Four cohorts that are alike, the labels of some of which are drawn anew in training.
fn world(noisy: &[u32]) -> World {
    let recipe = CohortRecipe { rows: 4_000, shared: 3.0, numbers: 0, ..CohortRecipe::identical() };
    let mut world = World::new(&recipe, 5);
    let mut numbers = kohort_random::stream(3, "noise", &[]);
    let (mut records, _) = recipe.generate(5).unwrap();
    for (row, &origin) in world.split.train.origin().to_vec().iter().enumerate() {
        if noisy.contains(&world.train[row]) {
            let value = kohort_random::rand::Rng::random_bool(&mut numbers, 0.5);
            records.targets[0].values[origin as usize] = f32::from(u8::from(value));
        }
    }
    world.split = kohort_data::records::RecordSplit::given(
        &records,
        world.split.train.origin(),
        world.split.validation.origin(),
        world.split.test.origin(),
    )
    .unwrap();
    world
}

fn quick() -> Config {
    Config { train: TrainConfig { epochs: 6, ..train_config(6) }, ..with(shared()) }
}

fn of_cohorts(world: &World, seed: u64) -> Vec<f32> {
    let config = WeighConfig { held: 256, ..WeighConfig::default() };
    let weigher = weigh(world.input(), &quick(), &config, seed).unwrap();
    let weights = weigher.weights(world.split.train.features(), &world.train).unwrap();
    assert!((weights.iter().sum::<f32>() / weights.len() as f32 - 1.0).abs() < 1e-4);
    let mean = |cohort: u32| {
        let own: Vec<f32> =
            weights.iter().zip(&world.train).filter(|(_, c)| **c == cohort).map(|(&w, _)| w).collect();
        own.iter().sum::<f32>() / own.len() as f32
    };
    (0..4).map(mean).collect()
}

#[test]
fn cohorts_whose_labels_are_noise_lose_weight_and_equal_ones_keep_theirs() {
    let noisy = of_cohorts(&world(&[1, 3]), 1);
    assert!(noisy[0] > 1.3 && noisy[2] > 1.3 && noisy[1] < 0.7 && noisy[3] < 0.7, "{noisy:?}");
    let even = of_cohorts(&world(&[]), 1);
    let far = even.iter().map(|w| (w - 1.0).abs()).fold(0.0, f32::max);
    assert!(far < 0.35, "{even:?}");
}

#[test]
fn a_fit_under_learned_weights_tells_the_clean_labels_better() {
    let world = world(&[1, 3]);
    let weigher =
        weigh(world.input(), &quick(), &WeighConfig { held: 256, ..WeighConfig::default() }, 1).unwrap();
    let weights = weigher.weights(world.split.train.features(), &world.train).unwrap();
    let train = world.split.train.clone().with_weight(weights).unwrap();
    let fit_on = |train: &TrainRecords, weigh_rows: bool| {
        let config = Config { weigh_rows, ..quick() };
        let input = Input { train, validation: None, ..world.input() };
        world.log_loss(&fit(input, &config, 1, &mut |_| {}).unwrap())
    };
    let (plain, weighed) = (fit_on(&world.split.train, false), fit_on(&train, true));
    assert!(weighed < plain - 0.02, "{weighed} weighed, {plain} not");
}

#[test]
fn any_number_of_threads_gives_the_same_weights_within_their_bounds() {
    let world = world(&[1]);
    let config =
        WeighConfig { columns: vec!["x".to_owned()], bound: 0.5, held: 64, ..WeighConfig::default() };
    let model = Config { train: TrainConfig { epochs: 1, shard_rows: 16, ..train_config(1) }, ..quick() };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let weigher = weigh(world.input(), &model, &config, 2).unwrap();
            weigher.weights(world.features(), &world.test).unwrap()
        })
    };
    let one = with(1);
    assert_eq!((&one, &one), (&with(2), &with(5)));
    // 0.5 to 1.5 before the mean is taken out.
    assert!(one.iter().all(|w| (0.5 / 1.5..=3.0).contains(w)));
    let unknown = weigh(world.input(), &model, &config, 2).unwrap();
    assert!(unknown.weights(world.features(), &vec![UNKNOWN; world.test.len()]).unwrap()[0].is_finite());
}

#[test]
fn what_cannot_be_weighed_is_named() {
    let world = World::new(&CohortRecipe { rows: 200, ..CohortRecipe::small() }, 1);
    let message = |input: Input<'_>, config: &WeighConfig| {
        weigh(input, &Config { train: train_config(1), ..quick() }, config, 1).unwrap_err().to_string()
    };
    let config = WeighConfig::default();
    let nothing = Input { validation: None, ..world.input() };
    assert!(message(nothing, &config).contains("learned from held-out rows, and there are none"));
    let bound = WeighConfig { bound: 1.0, ..config.clone() };
    assert_eq!(message(world.input(), &bound), "weigh.bound = 1, allowed is a number between 0 and 1");
    let held = WeighConfig { held: 0, ..config.clone() };
    assert_eq!(message(world.input(), &held), "weigh.held = 0, allowed is a whole number from 1 to 65536");
    let columns = WeighConfig { columns: vec!["age".to_owned()], ..config };
    assert_eq!(message(world.input(), &columns), "config: weigh.columns: there is no column \"age\"");
    let wrong = world.split.train.clone().with_weight(vec![1.0]).unwrap_err().to_string();
    assert!(wrong.contains("weight: 1 rows, expected 120"), "{wrong}");
}
