use super::*;
use kohort_data::{Way, synthetic::Recipe};

fn data() -> (Dataset, Train) {
    let (dataset, _) = Recipe::small().generate(5).unwrap();
    let train = Way::RandomRows { share: 0.2 }.split(&dataset.interactions, 1).unwrap().train;
    (dataset, train)
}

fn config() -> ContextConfig {
    ContextConfig {
        item_kernels: vec![vec!["genre".into()], vec!["genre".into(), "year".into()]],
        user_kernels: vec![vec!["age".into()], vec!["region".into()]],
        ..ContextConfig::default()
    }
}

/// The leak that would make every other number meaningless.
#[test]
fn a_training_rows_description_does_not_depend_on_its_own_rating() {
    let (dataset, train) = data();
    let before = Context::out_of_fold(&train, &dataset, &config(), 3).unwrap();
    let mut rows = train.rows().clone();
    let changed = 17;
    rows.rating[changed] = if rows.rating[changed] > 3.0 { 1.0 } else { 5.0 };
    let other = Train::new(rows).unwrap();
    let after = Context::out_of_fold(&other, &dataset, &config(), 3).unwrap();
    let (fold, (before, after)) = (before.fold[changed] as usize, (before, after));
    assert_eq!(before.described.row(changed), after.described.row(changed));
    assert_eq!(before.described.base[changed], after.described.base[changed]);
    assert_eq!(before.base[fold], after.base[fold], "no bias of its fold's reference knows the rating");
    assert_ne!(before.described.values, after.described.values, "other rows do see it");
}

#[test]
fn kernel_means_are_the_formula() {
    let (dataset, train) = data();
    let context = Context::fit(&train, &dataset, &config()).unwrap();
    let (user, item) = (3u32, 7u32);
    let rows = train.rows();
    let described = context.describe(Queries { user: &[user], item: &[item], time: &[0] });
    let column = described.names.iter().position(|n| n == "raters like you by region").unwrap();
    let region = dataset.user_features.column("region").unwrap();
    let (mut sum, mut weight) = (0.0f64, 0.0f64);
    for row in 0..rows.len() {
        if rows.item[row] == item && region.codes(rows.user[row] as usize) == region.codes(user as usize) {
            let base = context.reference.base(rows.user[row], item);
            sum += f64::from(rows.rating[row] - base);
            weight += 1.0;
        }
    }
    assert!(weight > 0.0, "the pair has such raters");
    let want = sum / (weight + f64::from(history::USER_DAMPING));
    assert!((f64::from(described.row(0)[column]) - want).abs() < 1e-5, "{want}");
}

#[test]
fn a_newcomer_gets_finite_numbers_and_the_mean() {
    let (dataset, train) = data();
    let context = Context::fit(&train, &dataset, &config()).unwrap();
    let described = context.describe(Queries { user: &[u32::MAX], item: &[u32::MAX], time: &[i64::MAX / 4] });
    assert!(described.values.iter().all(|v| v.is_finite()));
    assert_eq!(described.base, [context.mean()]);
}

/// Times are a user's data: the first and the last that a file can hold are 2^64 seconds apart.
#[test]
fn times_at_both_ends_of_their_range_give_finite_numbers() {
    let (dataset, train) = data();
    let mut rows = train.rows().clone();
    (rows.time[0], rows.time[1]) = (i64::MIN, i64::MAX);
    let context = Context::fit(&Train::new(rows.clone()).unwrap(), &dataset, &config()).unwrap();
    let (user, item) = ([rows.user[0], rows.user[1]], [rows.item[0], rows.item[1]]);
    let described = context.describe(Queries { user: &user, item: &item, time: &[i64::MAX, i64::MIN] });
    assert!(described.values.iter().all(|v| v.is_finite()));
}

#[test]
fn threads_change_no_bit() {
    let (dataset, train) = data();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Context::out_of_fold(&train, &dataset, &config(), 3).unwrap())
    };
    assert_eq!(with(1), with(5));
}

#[test]
fn an_unknown_feature_is_named_with_those_there_are() {
    let (dataset, train) = data();
    let wrong = ContextConfig { item_kernels: vec![vec!["gnere".into()]], ..config() };
    let message = Context::fit(&train, &dataset, &wrong).unwrap_err().to_string();
    assert!(
        message.contains("context.item_kernels: no feature \"gnere\", there are [\"genre\""),
        "{message}"
    );
}
