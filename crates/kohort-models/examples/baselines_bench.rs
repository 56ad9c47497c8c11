//! Times the fit of a baseline on given training rows and its errors on given test rows, for the side by side with
//! Surprise.
//!
//! ```text
//! baselines_bench <train.tsv> <test.tsv> <system> <repeats>
//! ```
//!
//! The system is a name in the registry, with `svdpp` for `svd++`. Both files have lines `user<TAB>item<TAB>rating`,
//! further columns are ignored. Everything runs on one thread. Prints one JSON object: system, repeats, fastest_fit_ms,
//! median_fit_ms, median_score_ms, and rmse and mae as means over the repeats, which differ in their seed.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use kohort_data::{Interactions, Queries, Scale, Train};
use kohort_models::baselines::{predict, registry};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [train, test, system, repeats] = args.as_slice() else {
        return Err("usage: baselines_bench <train.tsv> <test.tsv> <system> <repeats>".into());
    };
    let entry =
        registry().into_iter().find(|entry| entry.name.replace("++", "pp") == *system).ok_or_else(|| {
            let allowed: Vec<String> =
                registry().iter().map(|entry| entry.name.replace("++", "pp")).collect();
            format!("unknown system {system:?}, allowed are {}", allowed.join(", "))
        })?;
    let repeats: u64 = repeats.parse()?;
    if repeats == 0 {
        return Err("repeats = 0, allowed is 1 or more".into());
    }

    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    let mut names = Names::default();
    let mut train = names.read(Path::new(train))?;
    let test = names.read(Path::new(test))?;
    (train.users, train.items) = (names.user.len(), names.item.len());
    let train = Train::new(train)?;

    let scale = Scale { low: 1.0, high: 5.0 };
    let queries = Queries { user: &test.user, item: &test.item, time: &test.time };
    let (mut fit_ms, mut score_ms) = (Vec::new(), Vec::new());
    let (mut rmse, mut mae) = (0.0, 0.0);
    for seed in 0..repeats {
        let start = Instant::now();
        let model = (entry.fit)(&train, seed)?;
        fit_ms.push(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        let ratings = predict(model.as_ref(), queries, scale).ok_or("the system does not rate")?;
        score_ms.push(start.elapsed().as_secs_f64() * 1e3);
        let errors = || ratings.iter().zip(&test.rating).map(|(&p, &r)| f64::from(p) - f64::from(r));
        rmse += (errors().map(|e| e * e).sum::<f64>() / test.len() as f64).sqrt();
        mae += errors().map(f64::abs).sum::<f64>() / test.len() as f64;
    }
    let line = serde_json::json!({
        "system": system,
        "repeats": repeats,
        "fastest_fit_ms": fit_ms.iter().copied().fold(f64::INFINITY, f64::min),
        "median_fit_ms": median(fit_ms),
        "median_score_ms": median(score_ms),
        "rmse": rmse / repeats as f64,
        "mae": mae / repeats as f64,
    });
    println!("{line}");
    Ok(())
}

/// Median of one or more times.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2.0
}

/// Dense ids for names, in the order of their first row.
#[derive(Default)]
struct Names {
    user: BTreeMap<String, u32>,
    item: BTreeMap<String, u32>,
}

impl Names {
    fn read(&mut self, path: &Path) -> Result<Interactions, Failure> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut rows = Interactions::default();
        for (line, row) in text.lines().enumerate() {
            let mut fields = row.split('\t');
            let (Some(user), Some(item), Some(rating)) = (fields.next(), fields.next(), fields.next()) else {
                return Err(format!("{}:{}: fewer than three columns", path.display(), line + 1).into());
            };
            rows.user.push(id(&mut self.user, user));
            rows.item.push(id(&mut self.item, item));
            rows.rating.push(rating.parse().map_err(|e| format!("{}:{}: {e}", path.display(), line + 1))?);
            rows.time.push(0);
        }
        Ok(rows)
    }
}

fn id(known: &mut BTreeMap<String, u32>, name: &str) -> u32 {
    let next = known.len() as u32;
    *known.entry(name.to_owned()).or_insert(next)
}
