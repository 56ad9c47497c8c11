//! Times training steps of MMoE with four tasks under balancers, for the side by side with PyTorch.
//!
//! ```text
//! balancers_bench prepare <folder>
//! balancers_bench run <folder> <method> <site> <epochs> <rows per batch>
//! ```
//!
//! The model is that of `mmoe_bench` with four towers and gates. `prepare` writes ids, labels and the order of the first epoch's rows
//! (sixteen batches of 1,024) and the initial weights; labels are 1 with chance 0.2, whatever the ids. `run` goes through the trainer: methods are
//! plain, rules, uncertainty, grad-norm, pcgrad, cagrad and mgda; sites are representation, last-layer and shared (all of the experts' and
//! tables' parameters). It prints one JSON object: step_ms (median over the epochs but the first), check (sum of the tasks' mean losses
//! over the first epoch), kernels.

use std::fs;
use std::path::Path;

use kohort_core::optim::{Adam, Rule, Tables};
use kohort_core::{Activation, Init, LossKind, ParamId, Params, Tape, Var, weights};
use kohort_layers::experts::{ExpertConfig, GateConfig, Mixture, MixtureConfig};
use kohort_layers::{Embedding, Linear, Mlp, MlpConfig, Mode};
use kohort_models::trainer::{Recorded, Site, System, TrainConfig, train};
use kohort_objectives::{
    BalancerConfig, CagradConfig, Denominator, GradNormConfig, Normaliser, Objective, ObjectiveError, Terms,
    UncertaintyConfig, UncertaintyForm,
};
use kohort_random::rand::Rng;
use kohort_random::{permutation, stream};

type Failure = Box<dyn std::error::Error>;

const SEED: u64 = 7;
const ROWS: usize = 16 * 1024;
const WIDTH: usize = 16;
const EXPERTS: usize = 8;
const TASKS: usize = 4;
const VOCABULARIES: [usize; 8] = [1_000, 1_000, 5_000, 5_000, 20_000, 20_000, 100_000, 100_000];

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["prepare", folder] => prepare(Path::new(folder)),
        ["run", folder, method, site, epochs, batch] => {
            run(Path::new(folder), (method, site), epochs.parse()?, batch.parse()?)
        }
        _ => Err("usage: balancers_bench prepare <folder> | run <folder> <method> <site> <epochs> <batch>".into()),
    }
}

struct Model {
    features: Vec<Embedding>,
    mixture: Mixture,
    towers: Vec<(Mlp, Linear)>,
    params: Params,
    names: Vec<String>,
    ids: Vec<Vec<u32>>,
    labels: Vec<Vec<f32>>,
    site: Site,
    rules: bool,
}

impl Model {
    fn new() -> Result<Model, Failure> {
        let mut params = Params::new();
        let table = |(f, &ids): (usize, &usize)| {
            Embedding::new(&mut params, &format!("feature{f}"), ids, WIDTH, Init::Normal(0.1), SEED)
        };
        let features = VOCABULARIES.iter().enumerate().map(table).collect();
        let config = MixtureConfig {
            experts: EXPERTS,
            expert: ExpertConfig { widths: vec![256, 128], ..ExpertConfig::default() },
            gate: GateConfig { bias: true, ..GateConfig::default() },
            one_gate: false,
        };
        let mixture = Mixture::new(&mut params, "mmoe", VOCABULARIES.len() * WIDTH, TASKS, &config, SEED)?;
        let towers = (0..TASKS)
            .map(|t| {
                let config = MlpConfig { widths: vec![64], ..MlpConfig::default() };
                let hidden = Mlp::new(&mut params, &format!("tower{t}/hidden"), mixture.outputs(), &config, SEED);
                let out = Linear::new(&mut params, &format!("tower{t}/out"), 64, 1, Activation::Identity, SEED);
                (hidden, out)
            })
            .collect();
        let names = (0..TASKS).map(|t| format!("task {t}")).collect();
        let (ids, labels) = (Vec::new(), Vec::new());
        Ok(Model { features, mixture, towers, params, names, ids, labels, site: Site::default(), rules: false })
    }
}

impl System for Model {
    fn rows(&self) -> usize {
        ROWS
    }

    fn objectives(&self) -> &[String] {
        &self.names
    }

    fn initial(&self, _: u64) -> Params {
        self.params.clone()
    }

    fn site(&self) -> Site {
        self.site.clone()
    }

    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        // What a rule comes to: a weight a row, here 2 for every third.
        let weight: Option<Vec<f32>> =
            self.rules.then(|| batch.iter().map(|row| if row % 3 == 0 { 2.0 } else { 1.0 }).collect());
        let objective = Objective::entrywise(LossKind::Logistic, Denominator::Rows);
        (0..TASKS).map(|_| objective.terms(batch.len(), weight.as_deref(), None)).collect()
    }

    fn record(
        &self,
        tape: &mut Tape,
        params: &Params,
        rows: &[u32],
        weights: &[Option<&[f32]>],
        scales: &[f64],
        mode: &mut Mode,
    ) -> Recorded {
        let pick = |column: &Vec<u32>| -> Vec<u32> { rows.iter().map(|&row| column[row as usize]).collect() };
        let parts: Vec<Var> =
            self.features.iter().zip(&self.ids).map(|(f, ids)| f.forward(tape, params, &pick(ids))).collect();
        let x = tape.concat(&parts);
        let mixed = self.mixture.forward(tape, params, x, mode);
        let losses: Vec<Var> = (0..TASKS)
            .map(|t| {
                let (hidden, out) = &self.towers[t];
                let h = hidden.forward(tape, params, mixed.tasks[t], mode);
                let logit = out.forward(tape, params, h);
                let labels: Vec<f32> = rows.iter().map(|&row| self.labels[t][row as usize]).collect();
                tape.loss(LossKind::Logistic, logit, &labels, weights[t], scales[t] as f32)
            })
            .collect();
        let shared = tape.meeting(&losses).0;
        Recorded::new(losses, shared)
    }
}

fn prepare(folder: &Path) -> Result<(), Failure> {
    let mut numbers = stream(SEED, "bench ids", &[]);
    let (mut ids, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..ROWS {
        for vocabulary in VOCABULARIES {
            let rank = (vocabulary as f64).powf(numbers.random::<f64>()) as u32;
            ids.extend(rank.saturating_sub(1).min(vocabulary as u32 - 1).to_le_bytes());
        }
        for _ in 0..TASKS {
            labels.extend(f32::from(u8::from(numbers.random_bool(0.2))).to_le_bytes());
        }
    }
    let order = permutation(ROWS, &mut stream(SEED, "order", &[0]));
    let model = Model::new()?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("ids.u32"), ids)?;
    fs::write(folder.join("labels.f32"), labels)?;
    fs::write(folder.join("order.u32"), order.iter().flat_map(|row| row.to_le_bytes()).collect::<Vec<u8>>())?;
    weights::export(&model.params, &folder.join("weights.safetensors"), "{}")?;
    println!("{}", serde_json::json!({ "rows": ROWS, "parameters": model.params.count(false) }));
    Ok(())
}

fn run(folder: &Path, (method, site): (&str, &str), epochs: usize, batch: usize) -> Result<(), Failure> {
    let mut model = Model::new()?;
    weights::import(&mut model.params, &folder.join("weights.safetensors"))?;
    let words = |name: &str| -> Result<Vec<u32>, Failure> {
        let bytes = fs::read(folder.join(name))?;
        Ok(bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    };
    let (ids, labels) = (words("ids.u32")?, words("labels.f32")?);
    let column = |all: &[u32], width: usize, at: usize| -> Vec<u32> {
        all.iter().skip(at).step_by(width).copied().collect()
    };
    model.ids = (0..VOCABULARIES.len()).map(|f| column(&ids, VOCABULARIES.len(), f)).collect();
    model.labels =
        (0..TASKS).map(|t| column(&labels, TASKS, t).into_iter().map(f32::from_bits).collect()).collect();
    let named = |wanted: &dyn Fn(&str) -> bool| -> Vec<ParamId> {
        let slots = model.params.slots();
        model.params.ids().filter(|id| wanted(&slots[id.index()].name)).collect()
    };
    model.site = match site {
        "representation" => Site::Representation,
        "last-layer" => Site::Layer(named(&|name| name.starts_with("mmoe/experts/1/"))),
        "shared" => {
            Site::Shared(named(&|name| name.starts_with("mmoe/experts/") || name.starts_with("feature")))
        }
        other => return Err(format!("there is no site {other:?}").into()),
    };
    model.rules = method == "rules";
    let config = match method {
        "plain" | "rules" => BalancerConfig::Equal,
        "uncertainty" => BalancerConfig::Uncertainty(UncertaintyConfig {
            forms: vec![UncertaintyForm::Classification; TASKS],
            rate: 0.001,
        }),
        "grad-norm" => BalancerConfig::GradNorm(GradNormConfig::default()),
        "pcgrad" => BalancerConfig::Pcgrad,
        "cagrad" => BalancerConfig::Cagrad(CagradConfig::default()),
        "mgda" => BalancerConfig::Mgda(Normaliser::None),
        other => return Err(format!("there is no method {other:?}").into()),
    };
    let train_config = TrainConfig {
        epochs,
        batch,
        shard_rows: batch.div_ceil(2),
        learning_rate: 1e-3,
        patience: epochs,
        rule: Rule::Adam(Adam::default()),
        tables: Tables::AllRows,
        ..TrainConfig::default()
    };
    let mut balancer = config.build(TASKS, SEED)?;
    let trained = train(&model, balancer.as_mut(), &train_config, SEED, None, None, &mut |_| {})?;
    let steps = ROWS.div_ceil(batch) as f64;
    let mut times: Vec<f64> = trained.epochs[1..].iter().map(|epoch| 1e3 * epoch.seconds / steps).collect();
    times.sort_unstable_by(f64::total_cmp);
    let check: f64 = trained.epochs[0].losses.iter().map(|(_, loss)| loss).sum();
    let line = serde_json::json!({
        "step_ms": times.get(times.len() / 2),
        "fastest_ms": times.first(),
        "check": check,
        "weights": trained.epochs[0].coefficients,
        "kernels": kohort_core::kernels::backend(),
    });
    println!("{line}");
    Ok(())
}
