//! The generators of records plant what they say.

use kohort_data::records::{RecordShares, Records, Target};
use kohort_data::synthetic::{CohortRecipe, CohortTruth, MmoeRecipe};
use kohort_data::{Column, DataError};

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn pearson(a: &Target, b: &Target) -> f64 {
    let centred = |t: &Target| -> Vec<f64> {
        let mean = t.values.iter().map(|&v| f64::from(v)).sum::<f64>() / t.values.len() as f64;
        t.values.iter().map(|&v| f64::from(v) - mean).collect()
    };
    cosine(&centred(a), &centred(b))
}

fn inputs(records: &Records) -> &[f32] {
    let Some(Column::Dense { values, .. }) = records.features.column("x") else { panic!() };
    values
}

#[test]
fn the_weights_have_the_cosine_and_the_labels_follow_the_formula() {
    for p in [-0.3, 0.0, 0.5, 0.9, 1.0] {
        let (records, truth) = MmoeRecipe::published(p).generate(3).unwrap();
        let [w1, w2] = &truth.weights;
        assert!((cosine(w1, w2) - p).abs() < 1e-12, "{p}");
        for w in [w1, w2] {
            assert!((w.iter().map(|w| w * w).sum::<f64>() - 1.0).abs() < 1e-12);
        }
        let rows: Vec<u32> = (0..10_000).collect();
        let floor = truth.squared_error(&records.targets, &rows);
        // The variance of 10,000 squares of N(0, 0.01): a standard error of 0.00014.
        assert!(floor.iter().all(|f| (f - 0.01).abs() < 0.0006), "{floor:?}");
        // Noise of the two tasks is drawn apart, signals of p = 1 are one.
        assert_ne!(records.targets[0].values, records.targets[1].values);
        let apart =
            truth.means[0].iter().zip(&truth.means[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert_eq!(apart < 1e-9, p == 1.0);
    }
    // Without sines and noise the label is ⟨w, x⟩.
    let linear = MmoeRecipe { rows: 50, sines: 0, noise: 0.0, scale: 2.0, ..MmoeRecipe::published(0.7) };
    let (records, truth) = linear.generate(3).unwrap();
    for (k, target) in records.targets.iter().enumerate() {
        for (row, x) in inputs(&records).chunks_exact(100).enumerate() {
            let s: f64 = truth.weights[k].iter().zip(x).map(|(w, &x)| w * f64::from(x)).sum();
            assert!((f64::from(target.values[row]) - s).abs() < 1e-6);
        }
    }
}

#[test]
fn labels_are_the_less_alike_the_less_the_weights_are_and_not_in_proportion() {
    let of = |p: f64| {
        let one = |seed| {
            let (records, _) = MmoeRecipe::published(p).generate(seed).unwrap();
            pearson(&records.targets[0], &records.targets[1])
        };
        (0..5).map(one).sum::<f64>() / 5.0
    };
    let found = [0.0, 0.5, 0.9, 1.0].map(of);
    println!("label correlations at p = 0, 0.5, 0.9, 1: {found:?}");
    assert!(found.windows(2).all(|pair| pair[0] + 0.05 < pair[1]), "{found:?}");
    assert!(found[0].abs() < 0.05 && found[3] > 0.98 && found[1] < 0.45, "{found:?}");
}

#[test]
fn a_sweep_over_the_cosine_changes_the_second_task_alone() {
    let (a, _) = MmoeRecipe { rows: 100, ..MmoeRecipe::published(0.5) }.generate(1).unwrap();
    let (b, _) = MmoeRecipe { rows: 100, ..MmoeRecipe::published(0.9) }.generate(1).unwrap();
    assert_eq!((&a.features, &a.targets[0]), (&b.features, &b.targets[0]));
    assert_ne!(a.targets[1], b.targets[1]);
    let (c, _) = MmoeRecipe { rows: 100, ..MmoeRecipe::published(0.5) }.generate(2).unwrap();
    assert_ne!(a.features, c.features);
}

fn generate(recipe: &CohortRecipe, seed: u64) -> (Records, CohortTruth) {
    let (records, truth) = recipe.generate(seed).unwrap();
    assert_eq!(recipe.generate(seed).unwrap(), (records.clone(), truth.clone()), "same seed, same data");
    (records, truth)
}

fn all(records: &Records) -> Vec<u32> {
    (0..records.len() as u32).collect()
}

#[test]
fn two_cohorts_can_want_the_opposite_and_who_does_not_see_them_knows_nothing() {
    let (records, truth) = generate(&CohortRecipe::opposite(), 5);
    for of_task in &truth.weights {
        assert!((cosine(&of_task[0], &of_task[1]) + 1.0).abs() < 1e-12);
        assert!((of_task[0].iter().map(|w| w * w).sum::<f64>() - 9.0).abs() < 1e-9, "of the stated size");
    }
    assert!(truth.blind[0].iter().all(|p| (p - 0.5).abs() < 1e-12));
    assert!(truth.blind[1].iter().all(|mean| mean.abs() < 1e-12));
    let (oracle, blind) = (
        truth.oracle(&records.targets, &all(&records)),
        truth.blind_oracle(&records.targets, &all(&records)),
    );
    println!("opposite: oracle {oracle:?}, blind {blind:?}");
    assert!((blind[0] - std::f64::consts::LN_2).abs() < 1e-9 && oracle[0] < 0.4, "{oracle:?} {blind:?}");
    // Noise 0.5 against noise and a signal of deviation 3.
    assert!((oracle[1] - 0.5).abs() < 0.03 && (blind[1] - 9.25f64.sqrt()).abs() < 0.15);
}

#[test]
fn identical_cohorts_have_nothing_of_their_own() {
    let (records, truth) = generate(&CohortRecipe::identical(), 5);
    assert!(truth.weights.iter().all(|of_task| of_task.iter().all(|w| *w == of_task[0])));
    let (oracle, blind) = (
        truth.oracle(&records.targets, &all(&records)),
        truth.blind_oracle(&records.targets, &all(&records)),
    );
    assert!(oracle.iter().zip(&blind).all(|(a, b)| (a - b).abs() < 1e-9), "{oracle:?} {blind:?}");
}

#[test]
fn each_level_has_the_stated_size() {
    let recipe = CohortRecipe { shared: 2.0, region: 1.5, stage: 0.7, ..CohortRecipe::nested() };
    let (_, truth) = generate(&recipe, 9);
    let mean = |vectors: &[Vec<f64>]| -> Vec<f64> {
        let n = vectors.len() as f64;
        (0..recipe.features).map(|f| vectors.iter().map(|v| v[f]).sum::<f64>() / n).collect()
    };
    let square = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>();
    let minus = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
    for of_task in &truth.weights {
        let shared = mean(of_task);
        assert!((square(&shared) - 4.0).abs() < 1e-9);
        let regions: Vec<Vec<f64>> = of_task.chunks(3).map(mean).collect();
        let apart: f64 = regions.iter().map(|r| square(&minus(r, &shared))).sum::<f64>() / 3.0;
        assert!((apart - 1.5 * 1.5).abs() < 1e-9, "{apart}");
        for (region, stages) in regions.iter().zip(of_task.chunks(3)) {
            let apart: f64 = stages.iter().map(|s| square(&minus(s, region))).sum::<f64>() / 3.0;
            assert!((apart - 0.7 * 0.7).abs() < 1e-9, "{apart}");
        }
    }
    // The same inputs, cohorts and draws for other sizes.
    let (a, _) = recipe.generate(9).unwrap();
    let (b, _) = CohortRecipe { region: 0.0, ..recipe.clone() }.generate(9).unwrap();
    assert_eq!((&a.features, &a.cohorts), (&b.features, &b.cohorts));
    let single = CohortRecipe { regions: 1, stages: 1, shared: 1.0, region: 5.0, stage: 5.0, ..recipe };
    let (_, truth) = single.generate(9).unwrap();
    assert!((square(&truth.weights[0][0]) - 1.0).abs() < 1e-9, "a single cohort has only what is shared");
}

#[test]
fn probabilities_are_those_of_what_is_drawn() {
    let recipe = CohortRecipe { rows: 20_000, zipf: 1.0, binary: 2, relation: 1.0, ..CohortRecipe::nested() };
    let (records, truth) = generate(&recipe, 2);
    let names: Vec<&str> = records.targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["binary 0", "binary 1", "number 0"]);
    assert_eq!(truth.expected[0], truth.expected[1], "tasks of relation 1 have one z");
    assert_ne!(records.targets[0].values, records.targets[1].values, "and answers of their own");
    for cohort in 0..9 {
        let rows: Vec<usize> = (0..20_000).filter(|&row| truth.cohort(row) == cohort).collect();
        assert!((rows.len() as f64 / 20_000.0 - truth.shares[cohort]).abs() < 0.015);
        let drawn: f64 = rows.iter().map(|&row| f64::from(records.targets[0].values[row])).sum();
        let expected: f64 = rows.iter().map(|&row| truth.expected[0][row]).sum();
        let deviation =
            rows.iter().map(|&r| truth.expected[0][r] * (1.0 - truth.expected[0][r])).sum::<f64>().sqrt();
        assert!((drawn - expected).abs() < 3.5 * deviation, "{cohort}: {drawn} {expected}");
    }
    // On a part, answers are matched to truth by origin.
    let split = RecordShares::default().split(&records, 1).unwrap();
    let oracle = truth.oracle(split.test.answers().targets, split.test.origin());
    let whole = truth.oracle(&records.targets, &all(&records));
    assert!(oracle.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 0.03), "{oracle:?} {whole:?}");
}

#[test]
fn behaviour_tells_the_cohort_as_far_as_stated() {
    let nearest_centre = |telling: f64| {
        let recipe = CohortRecipe { behaviour: 8, telling, ..CohortRecipe::small() };
        let (records, truth) = generate(&recipe, 4);
        let Some(Column::Dense { width: 8, values }) = records.features.column("behaviour") else { panic!() };
        let mut centres = vec![[0.0f64; 8]; 4];
        for (row, b) in values.chunks_exact(8).enumerate() {
            let n = truth.region.iter().filter(|&&r| r == truth.region[row]).count() as f64;
            b.iter().enumerate().for_each(|(f, &v)| centres[truth.cohort(row)][f] += f64::from(v) / n);
        }
        let right = values.chunks_exact(8).enumerate().filter(|(row, b)| {
            let far = |c: &[f64; 8]| c.iter().zip(*b).map(|(c, &v)| (c - f64::from(v)).powi(2)).sum::<f64>();
            let best = (0..4).min_by(|&a, &b| far(&centres[a]).total_cmp(&far(&centres[b]))).unwrap();
            best == truth.cohort(*row)
        });
        right.count() as f64 / 2_000.0
    };
    let (nothing, all) = (nearest_centre(0.0), nearest_centre(6.0));
    assert!(nothing < 0.35 && all > 0.95, "{nothing} {all}");
    let (without, _) = CohortRecipe::small().generate(4).unwrap();
    assert_eq!((without.features.columns.len(), without.cohorts.columns.len()), (1, 1));
}

#[test]
fn impossible_recipes_are_refused() {
    let told = |error: DataError| error.to_string();
    let cohorts = |recipe: CohortRecipe| told(recipe.generate(1).unwrap_err());
    let small = CohortRecipe::small();
    assert_eq!(
        cohorts(CohortRecipe { regions: 0, ..small.clone() }),
        "regions: found 0, expected at least 1"
    );
    assert_eq!(
        cohorts(CohortRecipe { binary: 0, numbers: 0, ..small.clone() }),
        "binary + numbers: found 0, expected at least 1"
    );
    assert_eq!(
        cohorts(CohortRecipe { relation: 1.5, ..small.clone() }),
        "relation: found 1.5, expected a number from 0 to 1"
    );
    assert!(cohorts(CohortRecipe { region: f64::NAN, ..small.clone() }).starts_with("region: found NaN"));
    assert!(cohorts(CohortRecipe { stages: usize::MAX, ..small }).starts_with("rows × features × cohorts"));
    let mmoe = |recipe: MmoeRecipe| told(recipe.generate(1).unwrap_err());
    assert_eq!(mmoe(MmoeRecipe::published(1.01)), "cosine: found 1.01, expected a number from -1 to 1");
    assert_eq!(
        mmoe(MmoeRecipe { features: 1, ..MmoeRecipe::published(0.5) }),
        "features: found 1, expected at least 2"
    );
    assert!(
        mmoe(MmoeRecipe { rows: usize::MAX, ..MmoeRecipe::published(0.5) }).starts_with("rows × features")
    );
}
