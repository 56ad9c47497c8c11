//! The baselines reach the errors that Surprise publishes for MovieLens-100K: five-fold cross-validation on the real
//! ratings, read from the folder that `KOHORT_MIRROR` names.

use std::path::PathBuf;

use kohort_data::{Way, read};
use kohort_models::baselines::{predict, registry};
use rayon::prelude::*;

const FOLDS: usize = 5;
const TOLERANCE: f64 = 0.005;

/// RMSE and MAE from the README of scikit-surprise: 5 folds, default settings, here under our names.
const PUBLISHED: [(&str, f64, f64); 9] = [
    ("random", 1.518, 1.219),
    ("bias", 0.944, 0.748),
    ("svd", 0.934, 0.737),
    ("svd++", 0.919, 0.721),
    ("nmf", 0.963, 0.758),
    ("slope-one", 0.946, 0.743),
    ("knn-user", 0.980, 0.774),
    ("knn-user-mean", 0.951, 0.749),
    ("knn-user-bias", 0.931, 0.733),
];

/// Random ratings are measured often: the RMSE of one draw over all folds has a standard deviation of 0.0025, half of
/// the tolerance, while the other systems repeat to within 0.001.
fn repeats(name: &str) -> u64 {
    if name == "random" { 10 } else { 1 }
}

#[test]
fn cross_validated_errors_on_movielens_equal_the_published_table() {
    let folder = std::env::var_os("KOHORT_MIRROR").map(|mirror| PathBuf::from(mirror).join("ml-100k"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        println!("skipped: needs the data set ml-100k in the folder that KOHORT_MIRROR names");
        return;
    };
    let data = read::movielens::read(&folder, None).unwrap();
    let mut wrong = Vec::new();
    for (name, rmse, mae) in PUBLISHED {
        let entry = registry().into_iter().find(|entry| entry.name == name).unwrap();
        let errors: Vec<(f64, f64)> = (0..FOLDS)
            .into_par_iter()
            .flat_map(|fold| (0..repeats(name)).into_par_iter().map(move |repeat| (fold, repeat)))
            .map(|(fold, repeat)| {
                let split = Way::Fold { folds: FOLDS, fold }.split(&data.interactions, 0).unwrap();
                let model = (entry.fit)(&split.train, repeat).unwrap();
                let ratings = predict(model.as_ref(), split.test.queries(), data.scale).unwrap();
                let truth = &split.test.answers().rating;
                let errors = || ratings.iter().zip(truth).map(|(&p, &r)| f64::from(p) - f64::from(r));
                let rows = truth.len() as f64;
                (
                    (errors().map(|e| e * e).sum::<f64>() / rows).sqrt(),
                    errors().map(f64::abs).sum::<f64>() / rows,
                )
            })
            .collect();
        let mean = |of: fn(&(f64, f64)) -> f64| errors.iter().map(of).sum::<f64>() / errors.len() as f64;
        let (our_rmse, our_mae) = (mean(|e| e.0), mean(|e| e.1));
        println!("{name}: RMSE {our_rmse:.4} (published {rmse}), MAE {our_mae:.4} (published {mae})");
        if (our_rmse - rmse).abs() > TOLERANCE || (our_mae - mae).abs() > TOLERANCE {
            wrong.push(format!("{name}: {our_rmse:.4}/{our_mae:.4}, published {rmse}/{mae}"));
        }
    }
    assert!(wrong.is_empty(), "more than {TOLERANCE} off: {wrong:#?}");
}
