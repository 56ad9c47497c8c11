//! Active-user upsampling: disjoint, without repeats, as the quotas say, and never from the future.

use kohort_data::read::xmarket;
use kohort_data::synthetic::MarketRecipe;
use kohort_data::territories::Territories;
use kohort_data::upsample::{Active, Quota, Shortfall, Upsampled, Upsampling, Window};
use kohort_data::{DataError, Index, Interactions, ThreeWay, Train};
use proptest::prelude::*;

use crate::mirror::folder;

/// Up to 40 users in three territories with up to 200 rows.
fn rows() -> impl Strategy<Value = (Train, Territories)> {
    let cells = proptest::collection::vec((0u32..40, 0u32..9, 0i64..20), 1..200);
    (cells, proptest::collection::vec(0u32..3, 40)).prop_map(|(cells, of_user)| {
        let rows = Interactions {
            user: cells.iter().map(|c| c.0).collect(),
            item: cells.iter().map(|c| c.1).collect(),
            rating: vec![1.0; cells.len()],
            time: cells.iter().map(|c| c.2).collect(),
            users: 40,
            items: 9,
        };
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        (Train::new(rows).unwrap(), Territories::new(names, of_user).unwrap())
    })
}

fn settings() -> impl Strategy<Value = Upsampling> {
    let active = prop_oneof![
        (1u32..6).prop_map(|rows| Active::AtLeast { rows }),
        (0.05f64..=1.0).prop_map(|share| Active::TopShare { share }),
    ];
    let quota = prop_oneof![Just(Quota::None), Just(Quota::SquareRoot), Just(Quota::Equal)];
    let window = prop_oneof![
        Just(Window::default()),
        (0i64..10, 10i64..21).prop_map(|(from, until)| Window { from: Some(from), until: Some(until) }),
    ];
    let shortfall = prop_oneof![Just(Shortfall::Error), Just(Shortfall::Others)];
    (0.1f64..0.8, active, window, 0.0f64..0.6, quota, shortfall).prop_map(
        |(random, active, window, ratio, quota, shortfall)| Upsampling {
            random,
            active,
            window,
            ratio,
            quota,
            shortfall,
            held_out_from: None,
        },
    )
}

fn drawn(sample: &Upsampled) -> Vec<u32> {
    let mut users = [&sample.random[..], &sample.active].concat();
    users.sort_unstable();
    users
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_samples_are_disjoint_and_every_row_of_theirs_is_there_once((train, places) in rows(), up in settings(), seed: u64) {
        let sample = match up.draw(&train, &places, seed) {
            Ok(sample) => sample,
            Err(DataError::Setting { name: "upsampling quota", .. }) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        prop_assert_eq!(&sample, &up.draw(&train, &places, seed).unwrap(), "same seed, same sample");
        let users = drawn(&sample);
        prop_assert!(users.windows(2).all(|pair| pair[0] < pair[1]), "nobody twice");
        let sizes: Vec<usize> = Index::new(&train.rows().user, 40).sizes().collect();
        let present = sizes.iter().filter(|&&n| n > 0).count();
        prop_assert_eq!(sample.random_users(), ((up.random * present as f64 + 0.5).floor() as usize).max(1));
        prop_assert_eq!(sample.active_users(), (up.ratio * sample.random_users() as f64 + 0.5).floor() as usize);
        let expected: Vec<u32> = (0u32..).zip(&train.rows().user).filter(|(_, u)| users.contains(u)).map(|(r, _)| r).collect();
        prop_assert_eq!(&sample.rows, &expected);
        prop_assert_eq!(sample.train.rows(), &train.rows().select(&expected));
        prop_assert_eq!(sample.train.origin(), &expected[..]);

        // Whoever was added is active.
        for &user in &sample.active {
            let inside = (0..train.rows().len())
                .filter(|&r| train.rows().user[r] == user && up.window.contains(train.rows().time[r]))
                .count();
            let least = match up.active {
                Active::AtLeast { rows } => rows as usize,
                Active::TopShare { .. } => 1,
            };
            prop_assert!(inside >= least);
        }
        let total = |of: fn(&kohort_data::upsample::Rate) -> usize| sample.rates.territories.iter().map(of).sum::<usize>();
        prop_assert_eq!((total(|r| r.users), total(|r| r.rows)), (present, train.rows().len()));
        prop_assert_eq!((total(|r| r.random), total(|r| r.added)), (sample.random_users(), sample.active_users()));
        prop_assert_eq!(total(|r| r.rows_drawn), sample.rows.len());
    }

    #[test]
    fn the_random_sample_does_not_depend_on_the_active_one((train, places) in rows(), up in settings(), seed: u64) {
        let alone = Upsampling { ratio: 0.0, ..up }.draw(&train, &places, seed).unwrap();
        prop_assert_eq!(alone.active_users(), 0);
        let Ok(both) = up.draw(&train, &places, seed) else { return Ok(()) };
        prop_assert_eq!(alone.random, both.random);
    }

    #[test]
    fn importance_gives_back_the_mix_of_the_population((train, places) in rows(), up in settings(), seed: u64) {
        let Ok(sample) = up.draw(&train, &places, seed) else { return Ok(()) };
        let weights = sample.importance();
        let mut of_user = vec![0.0; 40];
        for (&user, &weight) in sample.train.rows().user.iter().zip(&weights) {
            prop_assert!(weight > 0.0 && weight.is_finite());
            of_user[user as usize] = f64::from(weight);
        }
        let rates = &sample.rates.territories;
        let covered = |r: &kohort_data::upsample::Rate| {
            let idle = r.random + r.added - r.active_drawn;
            (if r.active_drawn > 0 { r.active_users } else { 0 }) + if idle > 0 { r.users - r.active_users } else { 0 }
        };
        let all: usize = rates.iter().map(|r| r.users).sum();
        for (t, rate) in rates.iter().enumerate() {
            let sum: f64 = (0..40).filter(|&u| places.of_user()[u] as usize == t).map(|u| of_user[u]).sum();
            let mean = sum / drawn(&sample).len() as f64;
            prop_assert!((mean - covered(rate) as f64 / all as f64).abs() < 1e-5);
        }
    }
}

fn markets() -> (Train, Territories) {
    let (data, _) = MarketRecipe::small().generate(3).unwrap();
    let places = Territories::of(&data, "market").unwrap();
    (Train::new(data.interactions).unwrap(), places)
}

#[test]
fn quotas_lift_small_territories() {
    let (train, places) = markets();
    let added = |quota| -> Vec<usize> {
        let active = Active::TopShare { share: 0.9 };
        let up = Upsampling { random: 0.3, active, ratio: 0.5, quota, ..Upsampling::default() };
        up.draw(&train, &places, 1).unwrap().rates.territories.iter().map(|r| r.added).collect()
    };
    // 144, 72, 48 and 36 users: √ is 12, 8.49, 6.93 and 6 of 33.4, for 45 places.
    assert_eq!(added(Quota::SquareRoot), [16, 12, 9, 8]);
    assert_eq!(added(Quota::Equal), [12, 11, 11, 11]);
    let free = added(Quota::None);
    assert!(free[0] > 16 && free.iter().sum::<usize>() == 45, "{free:?}");
}

#[test]
fn a_quota_that_cannot_be_met_says_where() {
    let (train, places) = markets();
    let up = Upsampling {
        random: 0.5,
        active: Active::TopShare { share: 0.2 },
        ratio: 0.5,
        quota: Quota::Equal,
        ..Upsampling::default()
    };
    let error = up.draw(&train, &places, 1).unwrap_err().to_string();
    let wanted =
        "upsampling quota: found 19 active users wanted in territory market1, expected at most the 6";
    assert!(error.starts_with(wanted), "{error}");
    let error = Upsampling { random: 1.0, quota: Quota::None, ..up }.draw(&train, &places, 1).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("150 active users wanted in all territories together, expected at most the 0")
    );
}

#[test]
fn where_one_market_has_too_few_the_others_fill_in_if_told_so() {
    let (train, places) = markets();
    let strict = Upsampling { random: 0.2, ratio: 0.7, quota: Quota::Equal, ..Upsampling::default() };
    assert!(strict.draw(&train, &places, 1).is_err());
    let up = Upsampling { shortfall: Shortfall::Others, ..strict };
    let sample = up.draw(&train, &places, 1).unwrap();
    assert_eq!((sample.random_users(), sample.active_users()), (60, 42));
    let added: Vec<usize> = sample.rates.territories.iter().map(|r| r.added).collect();
    assert!(added[0] > added[1] && added[1] > added[3], "{added:?}");
    // 60 active users in all, some of whom the random sample has.
    let error = Upsampling { ratio: 1.0, ..up }.draw(&train, &places, 1).unwrap_err().to_string();
    assert!(error.contains("60 active users wanted in all territories together"), "{error}");
}

#[test]
fn a_look_into_the_held_out_time_is_an_error() {
    let (data, _) = MarketRecipe::small().generate(3).unwrap();
    let places = Territories::of(&data, "market").unwrap();
    let parts = ThreeWay::GlobalTime { validation: 0.1, test: 0.1 }.split(&data.interactions).unwrap();
    let held = parts.held_out_from().unwrap();
    let up = Upsampling { held_out_from: Some(held), ..Upsampling::default() };
    up.draw(&parts.train, &places, 1).unwrap();
    let whole = Train::new(data.interactions.clone()).unwrap();
    let error = up.draw(&whole, &places, 1).unwrap_err().to_string();
    let row = data.interactions.time.iter().position(|&time| time >= held).unwrap();
    assert!(error.starts_with(&format!("upsampling: time: found {held} in training row {row}")), "{error}");
    let window = Window { from: None, until: Some(held + 1) };
    let error = Upsampling { window, ..up }.draw(&parts.train, &places, 1).unwrap_err().to_string();
    assert!(error.starts_with("upsampling: window: found until"), "{error}");
}

#[test]
fn settings_out_of_range_are_named() {
    let (train, places) = markets();
    let refused = |up: Upsampling| up.draw(&train, &places, 1).unwrap_err().to_string();
    let up = Upsampling::default();
    assert_eq!(
        refused(Upsampling { random: 0.0, ..up }),
        "upsampling: random: found 0, expected a share above 0 to 1"
    );
    assert!(refused(Upsampling { ratio: f64::NAN, ..up }).starts_with("upsampling: ratio: found NaN"));
    assert!(refused(Upsampling { active: Active::AtLeast { rows: 0 }, ..up }).contains("at least 1"));
    assert!(refused(Upsampling { active: Active::TopShare { share: 1.5 }, ..up }).contains("found 1.5"));
    let window = Window { from: Some(5), until: Some(5) };
    assert!(refused(Upsampling { window, ..up }).contains("begins before it ends"));
    let empty = Train::new(Interactions { users: 300, items: 1, ..Interactions::default() }).unwrap();
    assert!(up.draw(&empty, &places, 1).is_err());
    let parsed: Upsampling =
        serde_json::from_str(r#"{"active":{"at-least":{"rows":9}},"quota":"equal"}"#).unwrap();
    assert_eq!((parsed.active, parsed.quota), (Active::AtLeast { rows: 9 }, Quota::Equal));
}

#[test]
fn the_prior_shift_takes_the_samples_rate_away() {
    let (train, places) = markets();
    let sample = Upsampling::default().draw(&train, &places, 1).unwrap();
    let clicked: Vec<bool> = train.rows().rating.iter().map(|&rating| rating == 1.0).collect();
    let shift = sample.prior_shift(&clicked).unwrap();
    assert!((shift.population - train.rows().mean().unwrap()).abs() < 1e-12);
    assert!((shift.sample - sample.train.rows().mean().unwrap()).abs() < 1e-12);
    assert!((shift.probability(shift.sample) - shift.population).abs() < 1e-12);
    for logit in [-30.0f64, -1.0, 0.0, 2.0] {
        let p = |x: f64| 1.0 / (1.0 + (-x).exp());
        assert!((shift.probability(p(logit)) - p(shift.logit(logit))).abs() < 1e-12);
    }
    assert!(sample.prior_shift(&clicked[1..]).is_err());
    assert!(sample.prior_shift(&vec![true; clicked.len()]).is_err());
}

#[test]
fn the_table_of_rates_has_a_line_for_every_market() {
    let Some(dir) = folder("xmarket") else { return };
    let data = xmarket::read(&dir, None).unwrap();
    let places = Territories::of(&data, xmarket::FEATURE).unwrap();
    let parts = ThreeWay::LeaveTwoOut.split_with_duplicates(&data.interactions).unwrap();
    let up = Upsampling { active: Active::TopShare { share: 0.5 }, ..Upsampling::default() };
    for ratio in [0.5, 1.0] {
        let up = Upsampling { ratio, shortfall: Shortfall::Others, ..up };
        println!("{}", up.draw(&parts.train, &places, 1).unwrap().rates);
    }
    let sample = up.draw(&parts.train, &places, 1).unwrap();
    println!("{}", sample.rates);
    assert_eq!(sample.rates.to_string().lines().count(), 8);
    let india = &sample.rates.territories[3];
    assert!(india.user_rate().unwrap() > sample.rates.territories[0].user_rate().unwrap());
}
