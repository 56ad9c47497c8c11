//! Planted answers, contracts and refusals. What a single layer does is tested in `kohort-layers`.

mod balance;
mod contract;
mod planted;
mod refusals;
mod weigh;

use kohort_core::optim::{Adam, Rule};
use kohort_data::Features;
use kohort_data::records::{CohortPaths, RecordShares, RecordSplit};
use kohort_data::synthetic::{CohortRecipe, CohortTruth};
use kohort_layers::experts::{CohortConfig, ExpertConfig, MixtureConfig, PleConfig};
use kohort_layers::lora::{InstanceConfig, LoraConfig};

use super::body::{AdapterKind, SharedBottomConfig};
use super::*;

/// A planted data set, cut, with its cohorts.
struct World {
    split: RecordSplit,
    truth: CohortTruth,
    tree: Hierarchy,
    train: Vec<u32>,
    validation: Vec<u32>,
    test: Vec<u32>,
}

impl World {
    fn new(recipe: &CohortRecipe, seed: u64) -> World {
        let (records, truth) = recipe.generate(seed).unwrap();
        let split = RecordShares::default().split(&records, seed).unwrap();
        let columns: &[&str] = if recipe.stages > 1 { &["region", "stage"] } else { &["region"] };
        let paths = CohortPaths::of(&split.train, columns).unwrap();
        World {
            tree: Hierarchy::new(paths.parents().to_vec()).unwrap(),
            train: paths.assign(split.train.cohorts()).unwrap(),
            validation: paths.assign(split.validation.questions().cohorts).unwrap(),
            test: paths.assign(split.test.questions().cohorts).unwrap(),
            split,
            truth,
        }
    }

    fn input(&self) -> Input<'_> {
        Input {
            train: &self.split.train,
            cohorts: &self.train,
            hierarchy: &self.tree,
            validation: Some((&self.split.validation, &self.validation)),
        }
    }

    fn features(&self) -> &Features {
        self.split.test.questions().features
    }

    /// The same with every row in the cohort it lies within on the outermost level.
    fn flat(&self) -> World {
        let outer = |cohorts: &[u32]| -> Vec<u32> {
            let place = |region: u32| self.tree.at_level(0).position(|c| c == region).unwrap() as u32;
            cohorts.iter().map(|&c| place(self.tree.ancestor(c, 0).unwrap())).collect()
        };
        World {
            split: self.split.clone(),
            truth: self.truth.clone(),
            tree: Hierarchy::flat(self.tree.at_level(0).count()),
            train: outer(&self.train),
            validation: outer(&self.validation),
            test: outer(&self.test),
        }
    }

    /// Log loss of the first task on the test rows: `stays` in `[0, 1]`.
    fn log_loss(&self, model: &dyn Predict) -> f64 {
        let predicted = &model.predict(self.features(), &self.test).unwrap()[0];
        let truth = &self.split.test.answers().targets[0].values;
        let each = predicted.iter().zip(truth).map(|(&p, &y)| {
            let p = f64::from(p).clamp(1e-7, 1.0 - 1e-7);
            -(f64::from(y) * p.ln() + f64::from(1.0 - y) * (1.0 - p).ln())
        });
        each.sum::<f64>() / truth.len() as f64
    }

    fn oracle(&self) -> f64 {
        self.truth.oracle(self.split.test.answers().targets, self.split.test.origin())[0]
    }
}

fn train_config(epochs: usize) -> TrainConfig {
    TrainConfig {
        epochs,
        batch: 64,
        shard_rows: 64,
        learning_rate: 0.005,
        patience: 5,
        rule: Rule::Adam(Adam::default()),
        ..TrainConfig::default()
    }
}

fn with(body: Body) -> Config {
    Config { body, tower: vec![8], train: train_config(30), ..Config::default() }
}

fn experts(widths: &[usize]) -> ExpertConfig {
    ExpertConfig { widths: widths.to_vec(), ..ExpertConfig::default() }
}

fn shared() -> Body {
    Body::SharedBottom(SharedBottomConfig { widths: vec![16, 16] })
}

fn cohort_experts() -> CohortConfig {
    CohortConfig { globals: 2, expert: experts(&[16]), ..CohortConfig::default() }
}

fn mixture(one_gate: bool) -> Body {
    Body::Mixture(MixtureConfig { experts: 3, expert: experts(&[16]), one_gate, ..Default::default() })
}

/// Every body that needs no column for its gates.
fn bodies() -> Vec<(&'static str, Body)> {
    vec![
        ("shared bottom", shared()),
        ("moe", mixture(true)),
        ("mmoe", mixture(false)),
        (
            "cgc",
            Body::Ple(PleConfig {
                levels: 1,
                own: 1,
                shared: 2,
                expert: experts(&[16]),
                ..Default::default()
            }),
        ),
        (
            "ple",
            Body::Ple(PleConfig {
                levels: 2,
                own: 1,
                shared: 1,
                expert: experts(&[16]),
                ..Default::default()
            }),
        ),
        ("cohort experts", Body::CohortExperts(cohort_experts())),
        ("soft cohort experts", Body::SoftCohortExperts(cohort_experts())),
        ("hierarchical experts", Body::HierarchicalExperts(cohort_experts())),
    ]
}

/// Every kind of adapters.
fn adapters() -> Vec<(&'static str, AdapterKind)> {
    let lora = LoraConfig { rank: 4, alpha: 8.0, ..LoraConfig::default() };
    let shared = LoraConfig { sharing: kohort_layers::lora::Sharing::SharedA, ..lora };
    vec![
        ("lora", AdapterKind::Cohort(lora)),
        ("shared lora", AdapterKind::Cohort(shared)),
        ("hierarchical lora", AdapterKind::Hierarchical(lora)),
        ("basis lora", AdapterKind::Basis { lora, members: 3 }),
        ("ilora", AdapterKind::Instance(InstanceConfig { lora, count: 2, ..InstanceConfig::default() })),
    ]
}

fn adapt_config(kind: AdapterKind) -> AdaptConfig {
    AdaptConfig {
        kind,
        towers: false,
        weigh_rows: false,
        decay: 0.0,
        balance: BalanceConfig::default(),
        rules: Vec::new(),
        train: train_config(30),
    }
}

fn fitted(world: &World, body: Body) -> MultiTask {
    fit(world.input(), &with(body), 1, &mut |_| {}).unwrap()
}

fn adapted(world: &World, base: &MultiTask, kind: AdapterKind) -> MultiTask {
    adapt(base, world.input(), &adapt_config(kind), 1, &mut |_| {}).unwrap()
}
