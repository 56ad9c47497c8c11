//! Times training steps under balancers, for the side by side with PyTorch and with our own plain step.
//!
//! ```text
//! balancers_bench prepare <folder>
//! balancers_bench run <folder> <method> <rounds> <rows per batch>
//! ```
//!
//! The model is that of `mmoe_bench` with four tasks, trained by the trainer itself. `prepare` writes ids, labels, initial weights, the
//! order of rows for each batch size and the orders in which PCGrad projects, so that both sides take the same steps.
//!
//! `run` goes `rounds` times through a run of the plain step and one of the method, in turn and from the same weights: an epoch of sixteen
//! steps on whose mean loss both sides have to agree, which does not count, and epochs that do. A step lasts from one call for its row
//! weights to the next. It prints one JSON object: step_ms and plain_ms (medians), of_plain (their ratio by rounds, the median) and check.
//!
//! A method is a balancer, after a hyphen the site of its gradients: `pcgrad` looks at all that tasks share, tables included (LibMTL's
//! default), `pcgrad-experts` leaves the tables out, `pcgrad-rep` looks at the experts' outputs and the gates' input (LibMTL's
//! `rep_grad`), `gradnorm-last` at the experts' last layers (its paper).

mod network;
mod words;

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use kohort_core::{LossKind, ParamId, Params, Tape, weights};
use kohort_layers::Mode;
use kohort_models::ModelError;
use kohort_models::trainer::{Recorded, Site, System, TrainConfig, train};
use kohort_objectives::rules::{Column, Condition, Factor, Kind, Known, Rows, Rules, WeightRule};
use kohort_objectives::{
    BalancerConfig, CagradConfig, Denominator, GradNormConfig, Normaliser, Objective, ObjectiveError, Terms,
    UncertaintyConfig, UncertaintyForm,
};
use kohort_random::rand::Rng;
use kohort_random::{permutation, stream};
use network::{Network, SEED, VOCABULARIES, draw};
use words::{column, median};

type Failure = Box<dyn std::error::Error>;

const STEPS: usize = 16;
const BATCHES: [usize; 2] = [1024, 4096];
const TASKS: usize = 4;
/// Epochs of a run that count, after one that does not.
const EPOCHS: usize = 2;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["prepare", folder] => prepare(Path::new(folder)),
        ["run", folder, method, rounds, batch] => {
            run(Path::new(folder), method, rounds.parse()?, batch.parse()?)
        }
        _ => Err("usage: balancers_bench prepare <folder> | run <folder> <method> <rounds> <batch>".into()),
    }
}

/// The model with its rows.
struct Bench {
    network: Network,
    initial: Params,
    names: Vec<String>,
    site: Site,
    /// Rules for row weights, where the method is rules.
    rules: Option<Rules>,
    /// `[features][rows]`.
    ids: Vec<Vec<u32>>,
    /// `[tasks][rows]`.
    labels: Vec<Vec<f32>>,
    /// When each step began.
    stamps: Mutex<Vec<Instant>>,
}

impl System for Bench {
    fn rows(&self) -> usize {
        self.ids[0].len()
    }

    fn objectives(&self) -> &[String] {
        &self.names
    }

    fn initial(&self, _seed: u64) -> Params {
        self.initial.clone()
    }

    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        (0..TASKS).map(|_| mean().terms(batch.len(), None, None)).collect()
    }

    fn terms_at(&self, batch: &[u32], step: u64) -> Result<Vec<Terms>, ModelError> {
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        let Some(rules) = &self.rules else { return Ok(self.terms(batch)?) };
        let column =
            |f: usize| -> Vec<f32> { batch.iter().map(|&row| self.ids[f][row as usize] as f32).collect() };
        let (first, second) = (column(0), column(1));
        let columns = [Column::Numbers(&first), Column::Numbers(&second)];
        let rows = Rows { count: batch.len(), cohorts: &[], columns: &columns };
        let weights = rules.weights(rows, step).map_err(|error| ModelError::Config(error.to_string()))?;
        Ok(weights
            .iter()
            .map(|weight| mean().terms(batch.len(), weight.as_deref(), None))
            .collect::<Result<_, _>>()?)
    }

    fn site(&self) -> Site {
        self.site.clone()
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
        let ids: Vec<Vec<u32>> = self.ids.iter().map(pick).collect();
        let (logits, shared) = self.network.forward(tape, params, &ids, mode);
        let losses = logits.iter().enumerate().map(|(t, &logit)| {
            let labels: Vec<f32> = rows.iter().map(|&row| self.labels[t][row as usize]).collect();
            tape.loss(LossKind::Logistic, logit, &labels, weights[t], scales[t] as f32)
        });
        // Gates and towers are a task's own; experts and tables are shared.
        Recorded::new(losses.collect(), shared.to_vec())
    }
}

fn mean() -> Objective {
    Objective::entrywise(LossKind::Logistic, Denominator::Rows)
}

fn site(method: &str, params: &Params) -> Result<Site, Failure> {
    let starting = |prefixes: &[&str]| -> Vec<ParamId> {
        let of = |id: &ParamId| prefixes.iter().any(|prefix| params.slot(*id).name.starts_with(prefix));
        params.ids().filter(of).collect()
    };
    Ok(match method.split_once('-').map(|(_, site)| site) {
        None => Site::Shared(starting(&["feature", "mmoe/experts/"])),
        Some("experts") => Site::Shared(starting(&["mmoe/experts/"])),
        Some("last") => Site::Layer(starting(&["mmoe/experts/1/w"])),
        Some("rep") => Site::Representation,
        Some(other) => {
            return Err(format!("{other:?} is no site, known are experts, last, rep and none").into());
        }
    })
}

fn balancer(method: &str) -> Result<BalancerConfig, Failure> {
    Ok(match method.split('-').next() {
        Some("plain" | "rules") => BalancerConfig::Equal,
        Some("uncertainty") => BalancerConfig::Uncertainty(UncertaintyConfig {
            forms: vec![UncertaintyForm::Classification; TASKS],
            rate: 0.01,
        }),
        Some("gradnorm") => BalancerConfig::GradNorm(GradNormConfig::default()),
        Some("pcgrad") => BalancerConfig::Pcgrad,
        Some("cagrad") => BalancerConfig::Cagrad(CagradConfig::default()),
        Some("mgda") => BalancerConfig::Mgda(Normaliser::None),
        _ => return Err(format!("no method {method:?}").into()),
    })
}

/// "3 × where the first feature is frequent; 2 × on the first task where the second is".
fn rules(names: &[String]) -> Result<Rules, Failure> {
    let rule = |task: Option<&str>, column: &str, below: f64, factor: f64| WeightRule {
        name: column.into(),
        task: task.map(Into::into),
        cohort: None,
        when: vec![Condition { column: column.into(), below: Some(below), ..Condition::default() }],
        factor: Factor::Number(factor),
    };
    let list = [rule(None, "first", 10.0, 3.0), rule(Some("task0"), "second", 5.0, 2.0)];
    let columns = ["first", "second"].map(|name| (name.to_owned(), Kind::Numbers)).to_vec();
    Ok(Rules::new(&list, &Known { tasks: names.to_vec(), cohorts: Vec::new(), columns })?)
}

fn prepare(folder: &Path) -> Result<(), Failure> {
    let mut numbers = stream(SEED, "bench ids", &[]);
    let (mut ids, mut labels) = (Vec::new(), Vec::new());
    let largest = BATCHES.into_iter().max().unwrap_or_default();
    for _ in 0..STEPS * largest {
        let mut frequent = 0;
        for (f, vocabulary) in VOCABULARIES.into_iter().enumerate() {
            let id = draw(vocabulary, &mut numbers);
            frequent |= u32::from(id < 4) << f;
            ids.extend(id.to_le_bytes());
        }
        // Tasks want different things of the same features, so that their gradients come to conflict.
        for t in 0..TASKS {
            let chance = if (frequent >> t) & 1 == 1 { 0.5 } else { 0.1 };
            let chance = if (frequent >> ((t + 1) % TASKS)) & 1 == 1 { chance * 0.3 } else { chance };
            labels.extend(f32::from(u8::from(numbers.random_bool(chance))).to_le_bytes());
        }
    }
    let bytes = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    let mut params = Params::new();
    Network::new(&mut params, &VOCABULARIES, TASKS)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("ids.u32"), ids)?;
    fs::write(folder.join("labels.f32"), labels)?;
    for batch in BATCHES {
        let order = permutation(STEPS * batch, &mut stream(SEED, "order", &[0]));
        fs::write(folder.join(format!("order-{batch}.u32")), bytes(&order))?;
    }
    let mut projections = Vec::new();
    for step in 0..STEPS as u64 {
        let mut numbers = stream(SEED, "pcgrad", &[step]);
        (0..TASKS).for_each(|_| projections.extend(permutation(TASKS, &mut numbers)));
    }
    fs::write(folder.join("pcgrad.u32"), bytes(&projections))?;
    weights::export(&params, &folder.join("weights.safetensors"), "{}")?;
    println!("{}", serde_json::json!({ "rows": STEPS * largest, "parameters": params.count(false) }));
    Ok(())
}

fn bench(folder: &Path, method: &str, batch: usize) -> Result<Bench, Failure> {
    let (ids, labels) = (words::read(&folder.join("ids.u32"))?, words::read(&folder.join("labels.f32"))?);
    let (features, rows) = (VOCABULARIES.len(), STEPS * batch);
    let numbers =
        |t: usize| column(&labels[..rows * TASKS], TASKS, t).into_iter().map(f32::from_bits).collect();
    let mut initial = Params::new();
    let network = Network::new(&mut initial, &VOCABULARIES, TASKS)?;
    weights::import(&mut initial, &folder.join("weights.safetensors"))?;
    let names: Vec<String> = (0..TASKS).map(|t| format!("task{t}")).collect();
    Ok(Bench {
        site: site(method, &initial)?,
        rules: if method == "rules" { Some(rules(&names)?) } else { None },
        ids: (0..features).map(|f| column(&ids[..rows * features], features, f)).collect(),
        labels: (0..TASKS).map(numbers).collect(),
        stamps: Mutex::default(),
        network,
        initial,
        names,
    })
}

/// Mean loss of the first epoch, and milliseconds of the steps that count.
fn once(bench: &Bench, method: &str, batch: usize) -> Result<(f64, f64), Failure> {
    let config = TrainConfig {
        epochs: 1 + EPOCHS,
        batch,
        shard_rows: batch.div_ceil(2),
        learning_rate: 1e-3,
        patience: 1 + EPOCHS,
        ..TrainConfig::default()
    };
    bench.stamps.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let mut balancer = balancer(method)?.build(TASKS, SEED)?;
    let trained = train(bench, balancer.as_mut(), &config, SEED, None, None, &mut |_| {})?;
    let check = trained.epochs[0].losses.iter().map(|(_, loss)| loss).sum();
    let stamps = bench.stamps.lock().unwrap_or_else(PoisonError::into_inner);
    // The last step of an epoch ends with what an epoch ends with.
    let times = stamps
        .chunks(STEPS)
        .skip(1)
        .flat_map(|epoch| epoch.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs_f64() * 1e3));
    Ok((check, median(times.collect())))
}

fn run(folder: &Path, method: &str, rounds: usize, batch: usize) -> Result<(), Failure> {
    if rounds == 0 || !BATCHES.contains(&batch) {
        let allowed = format!("1 or more and one of {BATCHES:?}");
        return Err(format!("rounds = {rounds}, batch = {batch}, allowed are {allowed}").into());
    }
    let (plain, ours) = (bench(folder, "plain", batch)?, bench(folder, method, batch)?);
    let (mut check, mut times, mut plain_times) = (f64::NAN, Vec::new(), Vec::new());
    for _ in 0..rounds {
        plain_times.push(once(&plain, "plain", batch)?.1);
        let (loss, time) = once(&ours, method, batch)?;
        check = loss;
        times.push(time);
    }
    let ratios = times.iter().zip(&plain_times).map(|(time, plain)| time / plain).collect();
    let line = serde_json::json!({
        "step_ms": median(times),
        "plain_ms": median(plain_times),
        "of_plain": median(ratios),
        "check": check,
        "kernels": kohort_core::kernels::backend(),
    });
    println!("{line}");
    Ok(())
}
