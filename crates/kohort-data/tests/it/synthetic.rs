//! The generator plants what it says.

use kohort_data::learned::{Key, Statistics, Weighting};
use kohort_data::synthetic::Recipe;
use kohort_data::{Column, Index};

#[test]
fn the_same_seed_gives_the_same_data_and_another_seed_others() {
    let (a, truth_a) = Recipe::small().generate(1).unwrap();
    let (b, truth_b) = Recipe::small().generate(1).unwrap();
    let (c, _) = Recipe::small().generate(2).unwrap();
    assert_eq!((&a.interactions, &a.groups, truth_a), (&b.interactions, &b.groups, truth_b));
    assert_ne!(a.interactions, c.interactions);
}

#[test]
fn the_expected_rating_is_the_mean_of_what_is_drawn_and_beats_the_means() {
    let (data, truth) = Recipe::movielens_like().generate(1).unwrap();
    let rows = &data.interactions;
    println!("{} rows, mean {:?}, floor {}", rows.len(), rows.mean(), truth.rmse(rows));
    assert!((80_000..120_000).contains(&rows.len()), "{}", rows.len());
    let bias: f64 = (0..rows.len())
        .map(|r| f64::from(rows.rating[r]) - truth.expected(rows.user[r] as usize, rows.item[r] as usize))
        .sum::<f64>()
        / rows.len() as f64;
    assert!(bias.abs() < 0.01, "{bias}");
    let floor = truth.rmse(rows);
    assert!((0.75..0.92).contains(&floor), "{floor}");

    let train = kohort_data::Train::new(rows.clone()).unwrap();
    let users = Statistics::fit(&train, Key::User, Weighting::default()).unwrap();
    let items = Statistics::fit(&train, Key::Item, Weighting::default()).unwrap();
    let squares = (0..rows.len()).map(|r| {
        let guess = users.mean(rows.user[r] as usize) + items.mean(rows.item[r] as usize) - users.global();
        (f64::from(rows.rating[r]) - guess).powi(2)
    });
    let means = (squares.sum::<f64>() / rows.len() as f64).sqrt();
    assert!(means > floor + 0.05, "there is a taste to be learned: {means} against {floor}");
    let sizes: Vec<usize> = Index::new(&rows.user, rows.users).sizes().collect();
    assert!(sizes.iter().all(|&n| n >= 20));
}

#[test]
fn cohorts_show_in_features_and_in_tastes() {
    let (data, truth) = Recipe::small().generate(1).unwrap();
    let mut present = vec![0; truth.cohorts];
    truth.cohort.iter().for_each(|&c| present[c as usize] += 1);
    assert!(present.iter().all(|&n| n > 0), "{present:?}");
    let Some(Column::Categorical { codes, .. }) = data.user_features.column("region") else { panic!() };
    let told = codes.iter().zip(&truth.cohort).filter(|(a, b)| a == b).count();
    assert!(told as f64 > 0.6 * codes.len() as f64, "{told}");
    // Users of one cohort agree more in taste than users of two.
    let agree = |a: usize, b: usize| {
        let product: f64 = (0..80).map(|i| truth.taste(a, i) * truth.taste(b, i)).sum();
        let norm = |u: usize| (0..80).map(|i| truth.taste(u, i).powi(2)).sum::<f64>().sqrt();
        product / (norm(a) * norm(b))
    };
    let (mut same, mut different) = ((0.0, 0), (0.0, 0));
    for a in 0..60 {
        for b in a + 1..60 {
            let sum = if truth.cohort[a] == truth.cohort[b] { &mut same } else { &mut different };
            sum.0 += agree(a, b);
            sum.1 += 1;
        }
    }
    assert!(same.0 / f64::from(same.1) > different.0 / f64::from(different.1) + 0.3);
}

#[test]
fn without_noise_the_latent_rating_is_rounded() {
    let recipe = Recipe { noise: 0.0, ..Recipe::small() };
    let (data, truth) = recipe.generate(1).unwrap();
    assert_eq!(truth.rmse(&data.interactions), 0.0);
}

#[test]
fn groups_have_members_and_ratings_of_their_own() {
    let (data, _) = Recipe::small().generate(1).unwrap();
    let groups = data.groups.unwrap();
    assert_eq!((groups.members.len(), groups.vocabulary.len()), (20, 20));
    for group in 0..20 {
        assert!((1..=5).contains(&groups.members.of(group).len()));
    }
    assert!(groups.interactions.len() >= 100);
    groups.interactions.check_pairs().unwrap();
}

#[test]
fn impossible_recipes_are_refused() {
    let refused = |recipe: Recipe| recipe.generate(1).unwrap_err().to_string();
    assert_eq!(refused(Recipe { users: 2, ..Recipe::small() }), "users: found 2, expected at least 5");
    assert_eq!(
        refused(Recipe { noise: f64::NAN, ..Recipe::small() }),
        "noise: found NaN, expected a number from 0 to 100"
    );
    assert_eq!(
        refused(Recipe { least_rows: 81, ..Recipe::small() }),
        "least_rows: found 81, expected at most the items, 80"
    );
    assert!(
        refused(Recipe { users: 1 << 40, items: 1 << 40, ..Recipe::small() }).starts_with("users × items")
    );
}
