//! LightGCN on HetRec Last.fm, against popularity, item-kNN and matrix factorisation: Recall@20 and NDCG@20 of the whole catalogue.
//! Then its users' embeddings as cohorts, against who is whose friend.
//!
//! Of each user's rows a random fifth is the test part (seed 2020). `choose FILE` holds a tenth of the others out and prints
//! NDCG@20 on them after each epoch of the settings in FILE; that is how the shipped ones were chosen. `choose-behaviours FILE`
//! does so with friendships as a second behaviour. Without it, every system learns from all training rows for the epochs of its
//! settings, and is measured on the test part.
//!
//! `cargo run --release -p kohort-models --example lightgcn -- [seeds]` or `-- choose FILE`. Needs `KOHORT_MIRROR`.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use kohort_cohorts::Points;
use kohort_cohorts::communities::Leiden;
use kohort_cohorts::graph::{Bipartite, Graph, Nearest, Projection};
use kohort_data::territories::Territories;
use kohort_data::{Interactions, Queries, Split, Way, read::hetrec_lastfm};
use kohort_eval::UnitValues;
use kohort_eval::interval::{Alternative, Draws, PairedTest, bootstrap_mean, seed_interval};
use kohort_eval::ranking::{CandidateLists, Catalogue, Exclusions, PerUnit, RankingMetric, compare_rankings};
use kohort_models::baselines::Scorer;
use kohort_models::implicit;
use kohort_models::lightgcn::behaviours::{self, Behaviour, Edges};
use kohort_models::lightgcn::{self, Config, Input, LightGcn};
use kohort_models::trainer::Epoch;

const SPLIT: u64 = 2020;
const METRICS: [RankingMetric; 2] = [RankingMetric::Recall, RankingMetric::Ndcg];

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mirror = std::env::var_os("KOHORT_MIRROR").ok_or("KOHORT_MIRROR names no folder")?;
    let folder = PathBuf::from(mirror).join("hetrec-lastfm-2k");
    let data = hetrec_lastfm::read(&folder, None)?;
    let split = Way::PerUser { share: 0.2 }.split(&data.interactions, SPLIT)?;
    if let [mode, file] = &args[..] {
        let text = std::fs::read_to_string(file)?;
        return match mode.as_str() {
            "choose" => choose(&split, &Config::from_toml(&text)?),
            "choose-behaviours" => {
                let ties = hetrec_lastfm::friends(&folder, None, &data.users)?;
                choose_behaviours(&split, ties, &behaviours::Config::from_toml(&text)?)
            }
            other => Err(format!("{other}: allowed are choose and choose-behaviours").into()),
        };
    }
    let seeds: u64 = args.first().map_or(Ok(5), |seeds| seeds.parse())?;

    let (train, test) = (split.train.rows(), split.test.answers());
    let held = CandidateLists::held_out(&test.user, &test.item, &vec![1.0; test.len()])?;
    let known = Exclusions::new(&train.user, &train.item)?;
    let catalogue = Catalogue::new(&held, &known, train.items as u32)?;
    let protocol = lightgcn::protocol();
    println!("{protocol}; {} training rows, {} test rows, {seeds} seeds", train.len(), test.len());

    let everywhere = Territories::new(vec!["all".to_owned()], vec![0; train.users])?;
    let mut table: Vec<(String, Vec<PerUnit>)> = Vec::new();
    for entry in implicit::registry().into_iter().filter(|entry| entry.name != "popularity-local") {
        let model = (entry.fit)(&split.train, &everywhere)?;
        let ranked =
            catalogue.evaluate(&protocol, |user, scores| every_item(model.as_ref(), user, scores))?;
        table.push((entry.name.to_owned(), vec![ranked; seeds as usize]));
    }
    let mut models: Vec<LightGcn> = Vec::new();
    for (name, config) in [("bpr-mf", Config::lastfm_factors()), ("lightgcn", Config::lastfm())] {
        models.clear();
        let start = Instant::now();
        for seed in 0..seeds {
            let input = Input { train: &split.train, validation: None };
            models.push(lightgcn::fit(input, &config, seed, &mut |_| {})?);
        }
        println!("{name}: {:.0} s a seed", start.elapsed().as_secs_f64() / seeds as f64);
        let rank = |model: &LightGcn| {
            catalogue.evaluate_blocks(&protocol, 256, |users, scores| model.lists(users, scores))
        };
        table.push((name.to_owned(), models.iter().map(rank).collect::<Result<_, _>>()?));
    }
    print_table(&table)?;
    let friends = hetrec_lastfm::friends(&folder, None, &data.users)?;
    print_cohorts(&models, train, &Graph::simple(train.users, friends)?)
}

fn print_table(table: &[(String, Vec<PerUnit>)]) -> Result<(), Box<dyn Error>> {
    println!("\nmean over seeds, [95 % over users, seeds averaged], ± 95 % over seeds");
    for (name, runs) in table {
        print!("{name:18}");
        for metric in METRICS {
            let over_users = bootstrap_mean(&averaged(runs, metric)?, &Draws::default())?.interval;
            print!("  {metric} {:.4} [{:.4}, {:.4}]", over_users.estimate, over_users.low, over_users.high);
            let means: Vec<f64> = runs.iter().filter_map(|run| run.mean(metric)).collect();
            if means.len() > 1 {
                let spread = seed_interval(&means, 0.95)?.interval;
                print!(" ± {:.4}", spread.high - spread.estimate);
            }
        }
        println!();
    }
    println!("\nlightgcn minus the other: difference, p over users, p over seeds, seeds in favour");
    let (_, ours) = table.last().ok_or("no system")?;
    for (name, theirs) in &table[..table.len() - 1] {
        print!("{name:18}");
        for metric in METRICS {
            let found = compare_rankings(ours, theirs, metric, Alternative::TwoSided)?;
            let p = |test: Option<PairedTest>| test.map_or(f64::NAN, |test| test.p);
            let wins = found.per_seed.iter().filter(|&&difference| difference > 0.0).count();
            let (users, seeds) = (p(found.over_units), p(found.over_seeds));
            print!("  {metric} {:+.4} p {users:.1e} p {seeds:.1e} {wins}/{}", found.difference, ours.len());
        }
        println!();
    }
    Ok(())
}

/// Leiden on the nearest-neighbour graph of the embeddings of each seed's model, and on that of the training rows. No model
/// saw a friendship.
fn print_cohorts(models: &[LightGcn], train: &Interactions, friends: &Graph) -> Result<(), Box<dyn Error>> {
    println!(
        "\ncommunities of users: how many, friendships inside, expected of users with as many friends, excess"
    );
    for (seed, model) in models.iter().enumerate() {
        let found = model.representations();
        let graph = Nearest::default().graph(&Points::new(&found.users, found.width)?)?;
        print_inside(&format!("embeddings, seed {seed}"), &graph, friends)?;
    }
    let taken = Bipartite::new(train.users, train.items, &train.user, &train.item, None)?;
    print_inside("training rows", &Projection::default().graph(&taken)?, friends)
}

/// With m friendships and K_c the summed numbers of friends in community c: the share of friendships inside, and
/// `Σ_c (K_c/2m)²`, what it would be if friends were dealt at random. The difference is the modularity of the friend graph.
fn print_inside(name: &str, graph: &Graph, friends: &Graph) -> Result<(), Box<dyn Error>> {
    let found = Leiden::default().fit(graph)?;
    let label = |user: u32| found.labels[user as usize];
    let inside = friends.iter_edges().filter(|&(a, b, _)| label(a) == label(b)).count();
    let share = inside as f64 / friends.edges() as f64;
    let mut degrees = vec![0usize; found.len()];
    (0..friends.nodes() as u32).for_each(|user| degrees[label(user) as usize] += friends.degree(user));
    let chance: f64 = degrees.iter().map(|&k| (k as f64 / (2 * friends.edges()) as f64).powi(2)).sum();
    println!("{name:20} {:3}  {share:.3}  {chance:.3}  {:+.3}", found.len(), share - chance);
    Ok(())
}

fn every_item(model: &dyn Scorer, user: u32, scores: &mut [f32]) {
    let items: Vec<u32> = (0..scores.len() as u32).collect();
    let (users, times) = (vec![user; items.len()], vec![0; items.len()]);
    scores.copy_from_slice(&model.score(Queries { user: &users, item: &items, time: &times }));
}

/// A metric of each user, averaged over seeds.
fn averaged(runs: &[PerUnit], metric: RankingMetric) -> Result<UnitValues, Box<dyn Error>> {
    let units = runs.first().map_or(&[][..], |run| &run.units);
    let of = |unit: usize| runs.iter().map(|run| run.values(metric)[unit]).sum::<Option<f64>>();
    let mean = |unit: usize| of(unit).map(|sum| sum / runs.len() as f64);
    Ok(UnitValues::new(units.to_vec(), (0..units.len()).map(mean).collect())?)
}

fn choose(split: &Split, config: &Config) -> Result<(), Box<dyn Error>> {
    let (train, validation) = split.train.hold_out(0.1, SPLIT)?;
    let input = Input { train: &train, validation: Some(&validation) };
    let model = lightgcn::fit(input, config, 0, &mut print_epoch)?;
    println!("best {}", model.best);
    Ok(())
}

fn choose_behaviours(
    split: &Split,
    ties: Vec<(u32, u32)>,
    config: &behaviours::Config,
) -> Result<(), Box<dyn Error>> {
    let (train, validation) = split.train.hold_out(0.1, SPLIT)?;
    let friends = [Behaviour { name: "friendships".to_owned(), edges: Edges::Users { ties } }];
    let input = behaviours::Input { train: &train, validation: Some(&validation), behaviours: &friends };
    let model = behaviours::fit(input, config, 0, &mut print_epoch)?;
    println!("best {}, {:?}", model.best, model.attention());
    Ok(())
}

fn print_epoch(epoch: &Epoch) {
    let ndcg = -epoch.validation.unwrap_or(f64::NAN);
    let loss = epoch.losses[0].1;
    println!("{:4} loss {loss:.4} NDCG@20 {ndcg:.4} {:.2} s", epoch.epoch, epoch.seconds);
}
