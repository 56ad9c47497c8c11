//! Planted territories: what is said to be there is there, and is gone when it is switched off.

use kohort_data::Index;
use kohort_data::synthetic::{MarketRecipe, MarketTruth};

/// Mean true preference for titles at home, and for titles at home elsewhere.
fn at_home_and_abroad(truth: &MarketTruth) -> (f64, f64) {
    let (mut home, mut abroad) = ((0.0, 0), (0.0, 0));
    for user in 0..truth.territory.len() {
        for (item, at) in truth.home.iter().enumerate() {
            let Some(at) = at else { continue };
            let sum = if *at == truth.territory[user] { &mut home } else { &mut abroad };
            sum.0 += truth.preference(user, item);
            sum.1 += 1;
        }
    }
    (home.0 / f64::from(home.1), abroad.0 / f64::from(abroad.1))
}

#[test]
fn the_same_seed_gives_the_same_markets_and_another_seed_others() {
    let (a, truth) = MarketRecipe::small().generate(1).unwrap();
    let (b, again) = MarketRecipe::small().generate(1).unwrap();
    let (c, _) = MarketRecipe::small().generate(2).unwrap();
    assert_eq!((&a.interactions, truth), (&b.interactions, again));
    assert_ne!(a.interactions, c.interactions);
    a.interactions.check_pairs().unwrap();
}

#[test]
fn territories_have_the_sizes_of_zipfs_law() {
    let (_, truth) = MarketRecipe::seven().generate(1).unwrap();
    let sizes: Vec<usize> = Index::new(&truth.territory, 7).sizes().collect();
    assert_eq!(sizes.iter().sum::<usize>(), 3_000);
    for (t, &size) in sizes.iter().enumerate() {
        let expected = sizes[0] as f64 * (t as f64 + 1.0).powf(-1.4);
        assert!((size as f64 - expected).abs() <= 2.0, "{sizes:?}");
    }
    let equal = MarketRecipe { zipf: 0.0, ..MarketRecipe::small() };
    let (_, truth) = equal.generate(1).unwrap();
    assert_eq!(Index::new(&truth.territory, 4).sizes().collect::<Vec<_>>(), [75; 4]);
}

#[test]
fn local_titles_are_liked_at_home_and_identical_territories_do_not_care() {
    let (_, truth) = MarketRecipe::small().generate(1).unwrap();
    let (home, abroad) = at_home_and_abroad(&truth);
    assert!(home > abroad + 0.2, "{home} {abroad}");
    let same = MarketRecipe { difference: 0.0, ..MarketRecipe::small() };
    let (_, truth) = same.generate(1).unwrap();
    let (home, abroad) = at_home_and_abroad(&truth);
    assert!((home - abroad).abs() < 0.03, "{home} {abroad}");
}

#[test]
fn clicks_come_with_the_true_preference() {
    let (data, truth) = MarketRecipe::seven().generate(1).unwrap();
    let rows = &data.interactions;
    println!("{} rows, {:?} clicked", rows.len(), rows.mean());
    assert!((120_000..180_000).contains(&rows.len()), "{}", rows.len());
    let mut bins = vec![(0.0, 0.0, 0.0); 10];
    for row in 0..rows.len() {
        let p = truth.preference(rows.user[row] as usize, rows.item[row] as usize);
        let bin = &mut bins[((p * 10.0) as usize).min(9)];
        bin.0 += 1.0;
        bin.1 += p;
        bin.2 += f64::from(rows.rating[row]);
    }
    for (n, expected, clicks) in bins {
        // Four standard deviations of a binomial.
        assert!((expected - clicks).abs() < 4.0 * (0.25 * n + 1.0f64).sqrt(), "{n} {expected} {clicks}");
    }
}

#[test]
fn exposure_follows_popularity_and_hides_the_local_titles_of_small_territories() {
    let (data, truth) = MarketRecipe::small().generate(1).unwrap();
    let shown: Vec<usize> = Index::new(&data.interactions.item, 150).sizes().collect();
    let mut order: Vec<usize> = (0..150).collect();
    order.sort_by(|&a, &b| truth.popularity[a].total_cmp(&truth.popularity[b]));
    let half = |items: &[usize]| items.iter().map(|&item| shown[item]).sum::<usize>();
    assert!(half(&order[75..]) > 2 * half(&order[..75]));
    // In the smallest territory the perfect list holds more local titles than what users there are shown.
    let rows = &data.interactions;
    let there: Vec<u32> = (0..rows.len())
        .filter(|&r| truth.territory[rows.user[r] as usize] == 3)
        .map(|r| rows.item[r])
        .collect();
    let local = there.iter().filter(|&&item| truth.home[item as usize] == Some(3)).count();
    let shown = local as f64 / there.len() as f64;
    let best = truth.local_share_of_best(3, 10).unwrap();
    assert!(best > 1.5 * shown, "{best} {shown}");
    assert_eq!(truth.local_share_of_best(9, 10), None);
    let top = truth.best(0, 150);
    assert!(top.windows(2).all(|w| truth.logit(0, w[0] as usize) >= truth.logit(0, w[1] as usize)));
}

#[test]
fn recipes_that_cannot_be_followed_are_refused() {
    let refused = |recipe: MarketRecipe| recipe.generate(1).unwrap_err().to_string();
    let small = MarketRecipe::small();
    assert_eq!(refused(MarketRecipe { users: 3, ..small.clone() }), "users: found 3, expected at least 4");
    assert_eq!(
        refused(MarketRecipe { difference: f64::NAN, ..small.clone() }),
        "difference: found NaN, expected a number from 0 to 1"
    );
    assert_eq!(
        refused(MarketRecipe { least_rows: 151, ..small.clone() }),
        "least_rows: found 151, expected at most the items, 150"
    );
    assert!(
        refused(MarketRecipe { users: 1 << 40, items: 1 << 40, ..small.clone() })
            .starts_with("users × items")
    );
    assert!(refused(MarketRecipe { factors: 1 << 40, ..small }).starts_with("users × factors"));
}
