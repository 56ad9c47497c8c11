//! Features learned from training rows, against sums done by hand.

use kohort_data::learned::{
    Key, Standardise, Statistics, Taste, Weighting, code_shares, numeric_means, out_of_fold_means,
    user_profile,
};
use kohort_data::{Column, Train, Way, synthetic};

fn parts() -> (kohort_data::Dataset, kohort_data::Split) {
    let (data, _) = synthetic::Recipe::small().generate(5).unwrap();
    let split = Way::RandomRows { share: 0.25 }.split(&data.interactions, 9).unwrap();
    (data, split)
}

const WEIGHTING: Weighting = Weighting { damping: 3.0, liked_from: 4.0 };

#[test]
fn statistics_leave_one_row_out_exactly() {
    let (_, split) = parts();
    let rows = split.train.rows();
    let all = Statistics::fit(&split.train, Key::User, WEIGHTING).unwrap();
    for row in (0..rows.len()).step_by(97) {
        let user = rows.user[row];
        let others: Vec<f64> = (0..rows.len())
            .filter(|&r| r != row && rows.user[r] == user)
            .map(|r| f64::from(rows.rating[r]))
            .collect();
        let n = others.len() as f64;
        let by_hand = (others.iter().sum::<f64>() + 3.0 * all.global()) / (n + 3.0);
        assert!((all.mean_without(user as usize, rows.rating[row]) - by_hand).abs() < 1e-9);
        let liked = others.iter().filter(|&&r| r >= 4.0).count() as f64;
        let share = rows.rating.iter().filter(|&&r| r >= 4.0).count() as f64 / rows.len() as f64;
        let by_hand = (liked + 3.0 * share) / (n + 3.0);
        assert!((all.liked_share_without(user as usize, rows.rating[row]) - by_hand).abs() < 1e-9);
    }
}

#[test]
fn a_fold_does_not_see_itself() {
    let (_, split) = parts();
    let rows = split.train.rows();
    let before = out_of_fold_means(&split.train, Key::Item, 5, 2.0, 1).unwrap();
    assert_eq!(before.len(), rows.len());
    // Changing one rating (and another back, so that the global mean stays) leaves its own feature as it was.
    let row = 11;
    let mut changed = rows.clone();
    let delta = if changed.rating[row] > 3.0 { -1.0 } else { 1.0 };
    changed.rating[row] += delta;
    let other = (0..rows.len())
        .find(|&r| rows.item[r] != rows.item[row] && (1.0..=5.0).contains(&(rows.rating[r] - delta)))
        .unwrap();
    changed.rating[other] -= delta;
    let after = out_of_fold_means(&Train::new(changed).unwrap(), Key::Item, 5, 2.0, 1).unwrap();
    assert!((before[row] - after[row]).abs() < 1e-6);
    let moved = (0..rows.len()).filter(|&r| (before[r] - after[r]).abs() > 1e-4).count();
    assert!(moved > 0, "the same item's rows in other folds do see it");
}

#[test]
fn tastes_are_shrunken_mean_residuals() {
    let (data, split) = parts();
    let genres = data.item_features.column("genre").unwrap();
    let rows = split.train.rows();
    let taste = Taste::fit(&split.train, genres, WEIGHTING).unwrap();
    let users = Statistics::fit(&split.train, Key::User, WEIGHTING).unwrap();
    let items = Statistics::fit(&split.train, Key::Item, WEIGHTING).unwrap();
    let residual = |r: usize| {
        f64::from(rows.rating[r]) - users.mean(rows.user[r] as usize) - items.mean(rows.item[r] as usize)
            + users.global()
    };
    for (user, genre) in [(0, 0), (7, 3), (50, 7)] {
        let own: Vec<usize> = (0..rows.len())
            .filter(|&r| rows.user[r] == user && genres.codes(rows.item[r] as usize).contains(&genre))
            .collect();
        let sum: f64 = own.iter().map(|&r| residual(r)).sum();
        let by_hand = if own.is_empty() { 0.0 } else { sum / (own.len() as f64 + 3.0) };
        assert!((taste.value(user as usize, genre as usize) - by_hand).abs() < 1e-9);
        if let [first, _, ..] = own[..] {
            let by_hand = (sum - residual(first)) / (own.len() as f64 + 2.0);
            assert!((taste.value_without(user as usize, genre as usize, first) - by_hand).abs() < 1e-9);
        }
    }
}

#[test]
fn profiles_depend_on_training_rows_only() {
    let (data, split) = parts();
    let genres = data.item_features.column("genre");
    let profile = user_profile(&split.train, genres, WEIGHTING).unwrap();
    assert_eq!((profile.rows(), profile.width()), (data.users.len(), 3 + 8));
    // The same training rows out of a data set whose held-out ratings are all different.
    let mut other = data.interactions.clone();
    for &row in split.test.origin() {
        other.rating[row as usize] = 6.0 - other.rating[row as usize];
    }
    let again = Way::RandomRows { share: 0.25 }.split(&other, 9).unwrap();
    assert_eq!(user_profile(&again.train, genres, WEIGHTING).unwrap(), profile);
}

#[test]
fn standardised_columns_have_mean_zero_and_variance_one() {
    let (data, split) = parts();
    let mut profile = user_profile(&split.train, data.item_features.column("genre"), WEIGHTING).unwrap();
    let width = profile.width();
    profile.values.iter_mut().skip(width - 1).step_by(width).for_each(|v| *v = 0.1);
    let scaled = Standardise::fit(&profile).apply(&profile);
    for column in 0..width {
        let values: Vec<f64> = (0..scaled.rows()).map(|k| f64::from(scaled.row(k)[column])).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let expected = if column == width - 1 { 0.0 } else { 1.0 };
        assert!(mean.abs() < 1e-5 && (variance - expected).abs() < 1e-4, "{column}: {mean} {variance}");
    }
}

#[test]
fn row_features_are_summed_over_training_rows() {
    let (data, split) = parts();
    let values: Vec<f32> = (0..data.interactions.len()).map(|r| (r % 7) as f32).collect();
    let means = numeric_means(&split.train, Key::User, &values, 0.0).unwrap();
    let column = Column::categorical(values.iter().map(|v| if *v < 3.0 { "low" } else { "high" }));
    let shares = code_shares(&split.train, Key::User, &column, 0.0).unwrap();
    assert_eq!(shares.names, ["low", "high"]);
    for user in [0u32, 33, 119] {
        let own: Vec<f64> = (0..split.train.rows().len())
            .filter(|&r| split.train.rows().user[r] == user)
            .map(|r| f64::from(values[split.train.origin()[r] as usize]))
            .collect();
        let n = own.len() as f64;
        assert!((f64::from(means[user as usize]) - own.iter().sum::<f64>() / n).abs() < 1e-5);
        let low = own.iter().filter(|&&v| v < 3.0).count() as f64 / n;
        assert!((f64::from(shares.row(user as usize)[0]) - low).abs() < 1e-6);
        assert!((shares.row(user as usize).iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    let short = numeric_means(&split.train, Key::User, &values[..10], 0.0).unwrap_err().to_string();
    assert!(short.contains("the feature has 10 rows"), "{short}");
}

#[test]
fn settings_out_of_range_are_refused() {
    let (_, split) = parts();
    let negative = Statistics::fit(&split.train, Key::User, Weighting { damping: -1.0, liked_from: 4.0 });
    assert_eq!(negative.unwrap_err().to_string(), "damping: found -1, expected a number from 0 up");
    let folds = out_of_fold_means(&split.train, Key::User, 1, 0.0, 1).unwrap_err().to_string();
    assert!(folds.starts_with("folds: found 1, expected 2 to"), "{folds}");
    let empty = Train::new(kohort_data::Interactions::default()).unwrap();
    assert!(Statistics::fit(&empty, Key::Item, WEIGHTING).is_err());
}
