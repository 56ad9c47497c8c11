//! Negatives: of the own market, never touched, and never told to a trainer.

use kohort_data::read::xmarket;
use kohort_data::synthetic::MarketRecipe;
use kohort_data::territories::Territories;
use kohort_data::{Interactions, RankingCandidates, ThreeWay, Train, TrainNegatives};
use proptest::prelude::*;

use crate::mirror::folder;

/// Rows of six users in two territories.
fn rows() -> impl Strategy<Value = (Interactions, Territories)> {
    let cells = proptest::collection::vec((0u32..6, 0u32..14, 0i64..5), 6..70);
    (cells, proptest::collection::vec(0u32..2, 6)).prop_map(|(cells, of_user)| {
        let rows = Interactions {
            user: cells.iter().map(|c| c.0).collect(),
            item: cells.iter().map(|c| c.1).collect(),
            rating: vec![1.0; cells.len()],
            time: cells.iter().map(|c| c.2).collect(),
            users: 6,
            items: 14,
        };
        (rows, Territories::new(vec!["a".into(), "b".into()], of_user).unwrap())
    })
}

/// By looking at every pair: the items of the user's territory that the user did not touch.
fn free(rows: &Interactions, places: &Territories, user: u32) -> Vec<u32> {
    free_among(rows, places, user, &[vec![], vec![]])
}

/// The same with a catalogue beside the rows.
fn free_among(rows: &Interactions, places: &Territories, user: u32, catalogue: &[Vec<u32>]) -> Vec<u32> {
    let of = places.of_user();
    let in_territory = |item: u32| {
        catalogue[of[user as usize] as usize].contains(&item)
            || (0..rows.len()).any(|r| rows.item[r] == item && of[rows.user[r] as usize] == of[user as usize])
    };
    let touched = |item: u32| (0..rows.len()).any(|r| (rows.user[r], rows.item[r]) == (user, item));
    (0..rows.items as u32).filter(|&item| in_territory(item) && !touched(item)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn training_negatives_are_exactly_the_untouched_items_of_the_territory((rows, places) in rows(), seed: u64) {
        let negatives = TrainNegatives::new(&Train::new(rows.clone()).unwrap(), &places).unwrap();
        for user in 0..6 {
            let expected = free(&rows, &places, user);
            prop_assert_eq!(negatives.free(user), expected.len());
            let mut numbers = kohort_random::stream(seed, "test", &[]);
            let mut seen: Vec<u32> = (0..400).filter_map(|_| negatives.draw(user, &mut numbers)).collect();
            seen.sort_unstable();
            seen.dedup();
            // 14 items at most: none is missed in 400 draws except once in 10^11 runs.
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn a_catalogue_adds_its_items_and_all_items_are_all_but_the_users_own((rows, places) in rows(), seed: u64) {
        let train = Train::new(rows.clone()).unwrap();
        // The last item may be nobody's; one list is in no order and names an item twice.
        let catalogue = [vec![13, 0, 13], vec![]];
        let all: Vec<u32> = (0..14).collect();
        let cases = [
            (TrainNegatives::with_catalogue(&train, &places, &catalogue).unwrap(), catalogue.clone()),
            (TrainNegatives::of_all_items(&train, &places).unwrap(), [all.clone(), all]),
        ];
        for (negatives, catalogue) in cases {
            for user in 0..6 {
                let expected = free_among(&rows, &places, user, &catalogue);
                let mut numbers = kohort_random::stream(seed, "test", &[u64::from(user)]);
                let mut seen: Vec<u32> = (0..400).filter_map(|_| negatives.draw(user, &mut numbers)).collect();
                seen.sort_unstable();
                seen.dedup();
                prop_assert_eq!(seen, &expected[..]);
                let mut sample = negatives.sample(user, 1000, &mut numbers);
                sample.sort_unstable();
                prop_assert_eq!(sample, &expected[..], "all of them, each once");
                prop_assert_eq!(negatives.sample(user, 3, &mut numbers).len(), expected.len().min(3));
            }
        }
    }

    #[test]
    fn candidates_are_the_held_out_item_and_distinct_items_nobody_gave_the_user((rows, places) in rows(), count in 1u32..9, seed: u64) {
        let Ok(parts) = ThreeWay::LeaveTwoOut.split_with_duplicates(&rows) else { return Ok(()) };
        let test = parts.test_candidates(&places, count, seed).unwrap();
        prop_assert_eq!(&test, &parts.test_candidates(&places, count, seed).unwrap());
        let mut short = 0;
        let mut at = 0;
        for own in test.user.chunk_by(|a, b| a == b) {
            let (user, items) = (own[0], &test.item[at..at + own.len()]);
            let row = parts.test.answers().user.iter().position(|&u| u == user).unwrap();
            prop_assert_eq!(items[0], parts.test.answers().item[row]);
            prop_assert_eq!(&test.positive[at..at + own.len()], &std::iter::once(true).chain(std::iter::repeat_n(false, own.len() - 1)).collect::<Vec<_>>()[..]);
            let allowed = free(&rows, &places, user);
            prop_assert_eq!(own.len() - 1, allowed.len().min(count as usize));
            prop_assert!(items[1..].windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(items[1..].iter().all(|item| allowed.contains(item)));
            short += usize::from(allowed.len() < count as usize);
            at += own.len();
        }
        prop_assert_eq!(short, test.short);
        prop_assert_eq!(test.users_by_territory(&places).iter().sum::<usize>(), parts.test.answers().len());
    }
}

#[test]
fn a_trainer_may_draw_what_is_held_out() {
    let (data, _) = MarketRecipe::small().generate(1).unwrap();
    let places = Territories::of(&data, "market").unwrap();
    let parts = ThreeWay::LeaveTwoOut.split(&data.interactions).unwrap();
    let negatives = TrainNegatives::new(&parts.train, &places).unwrap();
    let (user, item) = (parts.test.answers().user[0], parts.test.answers().item[0]);
    let mut numbers = kohort_random::stream(1, "test", &[]);
    assert!(
        (0..5_000).any(|_| negatives.draw(user, &mut numbers) == Some(item)),
        "an exclusion of it would tell the test part"
    );
}

#[test]
fn a_catalogue_of_other_territories_or_unknown_items_is_refused() {
    let (data, _) = MarketRecipe::small().generate(1).unwrap();
    let places = Territories::of(&data, "market").unwrap();
    let parts = ThreeWay::LeaveTwoOut.split(&data.interactions).unwrap();
    let refused = |catalogue: &[Vec<u32>]| {
        TrainNegatives::with_catalogue(&parts.train, &places, catalogue).unwrap_err().to_string()
    };
    assert_eq!(refused(&[vec![1], vec![]]), "catalogue: found 2 territories, expected 4");
    let unknown = [vec![], vec![3, 150], vec![], vec![]];
    assert_eq!(refused(&unknown), "catalogue: found item 150 in market1, expected items below 150");
}

#[test]
fn samples_of_test_and_validation_and_of_two_seeds_differ() {
    let (data, _) = MarketRecipe::small().generate(1).unwrap();
    let places = Territories::of(&data, "market").unwrap();
    let parts = ThreeWay::LeaveTwoOut.split(&data.interactions).unwrap();
    let negatives = |candidates: &RankingCandidates| -> Vec<(u32, u32)> {
        let all = candidates.user.iter().zip(&candidates.item).zip(&candidates.positive);
        all.filter(|(_, positive)| !**positive).map(|((&user, &item), _)| (user, item)).collect()
    };
    let test = negatives(&parts.test_candidates(&places, 20, 1).unwrap());
    assert_ne!(test, negatives(&parts.validation_candidates(&places, 20, 1).unwrap()));
    assert_ne!(test, negatives(&parts.test_candidates(&places, 20, 2).unwrap()));
    let none = parts.test_candidates(&places, 0, 1).unwrap_err().to_string();
    assert_eq!(none, "negatives: found 0, expected at least 1");
}

#[test]
fn every_xmarket_user_has_a_test_item_and_ninety_nine_negatives_of_the_market() {
    let Some(dir) = folder("xmarket") else { return };
    let data = xmarket::read(&dir, None).unwrap();
    let places = Territories::of(&data, xmarket::FEATURE).unwrap();
    let parts = ThreeWay::LeaveTwoOut.split_with_duplicates(&data.interactions).unwrap();
    assert_eq!((parts.validation.rows().len(), parts.test.answers().len()), (17_895, 17_895));
    assert_eq!(parts.train.rows().len(), 168_307 - 2 * 17_895);
    let candidates = parts.test_candidates(&places, 99, 1).unwrap();
    assert_eq!((candidates.user.len(), candidates.short), (17_895 * 100, 0));
    assert_eq!(candidates.users_by_territory(&places), [5_675, 2_373, 2_396, 239, 487, 1_878, 4_847]);
    let pools = places.items(&data.interactions).unwrap();
    for (&user, &item) in candidates.user.iter().zip(&candidates.item) {
        assert!(pools[places.of_user()[user as usize] as usize].binary_search(&item).is_ok());
    }
}
