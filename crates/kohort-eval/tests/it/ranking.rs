use kohort_eval::ranking::{
    CandidateLists, Candidates, Catalogue, Exclusions, Gain, PrecisionDenominator, RankingMetric,
    RankingProtocol, RecallDenominator, Ties, UNRATED, Unit, WithoutRelevant,
};

fn protocol(k: usize) -> RankingProtocol {
    RankingProtocol { k, ..RankingProtocol::default() }
}

fn one_unit(grades: &[f32]) -> CandidateLists {
    let items: Vec<u32> = (0..grades.len() as u32).collect();
    CandidateLists::held_out(&vec![0; grades.len()], &items, grades).unwrap()
}

#[test]
fn a_list_worked_by_hand() {
    // By score: grades 3, 5, 1 | 4, 2. Relevant: 5 and 4.
    let lists = one_unit(&[5.0, 4.0, 3.0, 2.0, 1.0]);
    let result = lists.evaluate(&protocol(3), &[0.8, 0.6, 0.9, 0.5, 0.7]).unwrap();
    assert_eq!(result.precision, [Some(1.0 / 3.0)]);
    assert_eq!(result.recall, [Some(0.5)]);
    assert_eq!(result.hit, [Some(1.0)]);
    assert_eq!(result.mrr, [Some(0.5)]);
    let (second, third) = (1.0 / 3f64.log2(), 0.5);
    let dcg = 7.0 + 31.0 * second + 1.0 * third;
    let ideal = 31.0 + 15.0 * second + 7.0 * third;
    assert!((result.ndcg[0].unwrap() - dcg / ideal).abs() < 1e-15);
    assert_eq!((result.candidates[0], result.relevant[0]), (5, 2));
}

#[test]
fn denominators_are_as_named() {
    let lists = one_unit(&[5.0, 5.0, 5.0, 1.0]);
    let scores = [4.0, 3.0, 2.0, 1.0];
    let p = |precision, k| {
        let protocol = RankingProtocol { precision, ..protocol(k) };
        lists.evaluate(&protocol, &scores).unwrap().precision[0].unwrap()
    };
    assert_eq!(p(PrecisionDenominator::K, 10), 0.3);
    assert_eq!(p(PrecisionDenominator::MinKN, 10), 0.75);
    assert_eq!(p(PrecisionDenominator::MinKN, 2), 1.0);
    let r = |recall| {
        let protocol = RankingProtocol { recall, ..protocol(2) };
        lists.evaluate(&protocol, &scores).unwrap().recall[0].unwrap()
    };
    assert_eq!(r(RecallDenominator::AllRelevant), 2.0 / 3.0);
    assert_eq!(r(RecallDenominator::MinKRelevant), 1.0);
}

#[test]
fn units_without_a_relevant_item_are_skipped_or_zero_and_counted_either_way() {
    let lists = CandidateLists::held_out(&[1, 1, 2], &[0, 1, 0], &[5.0, 1.0, 2.0]).unwrap();
    let with = |without_relevant| {
        let protocol = RankingProtocol { without_relevant, ..protocol(1) };
        lists.evaluate(&protocol, &[2.0, 1.0, 1.0]).unwrap().summary()
    };
    let skipped = with(WithoutRelevant::Skip);
    assert_eq!((skipped.units, skipped.evaluated, skipped.without_relevant), (2, 1, 1));
    assert_eq!((skipped.precision, skipped.mrr, skipped.mean_candidates), (Some(1.0), Some(1.0), 1.5));
    let zero = with(WithoutRelevant::Zero);
    assert_eq!((zero.evaluated, zero.without_relevant, zero.ndcg), (2, 1, Some(0.5)));
}

#[test]
fn ties_are_averaged_or_worst_first_whatever_the_input_order() {
    // Both tied at the top of k = 1; the relevant one comes first in the input.
    let lists = one_unit(&[5.0, 1.0]);
    let with = |ties| {
        let protocol = RankingProtocol { ties, gain: Gain::Binary, ..protocol(1) };
        let result = lists.evaluate(&protocol, &[0.5, 0.5]).unwrap();
        RankingMetric::ALL.map(|metric| result.values(metric)[0].unwrap())
    };
    assert_eq!(with(Ties::Average), [0.5; 5]);
    assert_eq!(with(Ties::Pessimistic), [0.0; 5]);
    let drawn: Vec<f64> = (0..64).map(|seed| with(Ties::Random { seed })[0]).collect();
    assert_eq!(with(Ties::Random { seed: 7 }), with(Ties::Random { seed: 7 }));
    let hits = drawn.iter().sum::<f64>();
    assert!((16.0..=48.0).contains(&hits), "{hits} of 64 orders put the relevant item first");
}

#[test]
fn averaged_ties_are_the_mean_over_all_orders() {
    // One item above, four tied, one below; the cut at 3 runs through the ties.
    let grades = [1.0, 5.0, 2.0, 4.0, 1.0, 5.0];
    let scores = [0.9, 0.5, 0.5, 0.5, 0.5, 0.1];
    let lists = one_unit(&grades);
    let averaged = lists.evaluate(&protocol(3), &scores).unwrap();
    let mut sums = [0.0; 5];
    let mut orders = 0.0;
    for a in 0..4 {
        for b in (0..4).filter(|&b| b != a) {
            for c in (0..4).filter(|&c| c != a && c != b) {
                let d = 6 - a - b - c;
                let mut strict = scores;
                for (place, tied) in [a, b, c, d].into_iter().enumerate() {
                    strict[1 + tied] -= 0.01 * place as f32;
                }
                let result = lists.evaluate(&protocol(3), &strict).unwrap();
                for (sum, metric) in sums.iter_mut().zip(RankingMetric::ALL) {
                    *sum += result.values(metric)[0].unwrap();
                }
                orders += 1.0;
            }
        }
    }
    assert_eq!(orders, 24.0);
    for (sum, metric) in sums.into_iter().zip(RankingMetric::ALL) {
        let got = averaged.values(metric)[0].unwrap();
        assert!((got - sum / orders).abs() < 1e-12, "{metric}: {got} {}", sum / orders);
    }
}

#[test]
fn scores_follow_the_rows_in_which_the_lists_were_given() {
    let lists = CandidateLists::held_out(&[5, 3, 5, 3], &[1, 1, 0, 0], &[5.0, 1.0, 1.0, 5.0]).unwrap();
    assert_eq!(lists.pairs(), [(5, 1), (3, 1), (5, 0), (3, 0)]);
    let result = lists.evaluate(&protocol(1), &[0.9, 0.1, 0.2, 0.8]).unwrap();
    assert_eq!(result.units, [3, 5]);
    assert_eq!(result.precision, [Some(1.0), Some(1.0)]);
}

fn catalogue_protocol(k: usize) -> RankingProtocol {
    RankingProtocol { candidates: Candidates::WholeCatalogue, ..protocol(k) }
}

/// The catalogue written out as lists: every item that is not excluded, unrated unless held out.
#[test]
fn a_catalogue_is_the_list_of_all_its_items() {
    let (users, items) = (30u32, 50u32);
    let score = |user: u32, item: u32| ((user * 31 + item * 17) % 23) as f32;
    let held: Vec<(u32, u32, f32)> = (0..users)
        .flat_map(|u| (0..6).map(move |i| (u, (u * 7 + i * 5) % items, ((u + i) % 5 + 1) as f32)))
        .collect();
    let train: Vec<(u32, u32)> =
        (0..users).flat_map(|u| (0..u % 9).map(move |i| (u, (u * 7 + i * 5 + 2) % items))).collect();
    let (hu, (hi, hg)): (Vec<_>, (Vec<_>, Vec<_>)) = held.iter().map(|&(u, i, g)| (u, (i, g))).unzip();
    let held_out = CandidateLists::held_out(&hu, &hi, &hg).unwrap();
    let (tu, ti): (Vec<_>, Vec<_>) = train.iter().copied().unzip();
    let exclude = Exclusions::new(&tu, &ti).unwrap();
    let catalogue = Catalogue::new(&held_out, &exclude, items).unwrap();

    let mut rows: Vec<(u32, u32, f32)> = Vec::new();
    for user in 0..users {
        for item in (0..items).filter(|&item| !train.contains(&(user, item))) {
            let grade = held.iter().find(|&&(u, i, _)| (u, i) == (user, item)).map_or(UNRATED, |row| row.2);
            rows.push((user, item, grade));
        }
    }
    let (lu, (li, lg)): (Vec<_>, (Vec<_>, Vec<_>)) = rows.iter().map(|&(u, i, g)| (u, (i, g))).unzip();
    let written_out = CandidateLists::held_out(&lu, &li, &lg).unwrap();
    let scores: Vec<f32> = rows.iter().map(|&(u, i, _)| score(u, i)).collect();

    for ties in [Ties::Average, Ties::Random { seed: 4 }, Ties::Pessimistic] {
        for k in [1, 5, 60] {
            let whole =
                RankingProtocol { ties, precision: PrecisionDenominator::MinKN, ..catalogue_protocol(k) };
            let listed = RankingProtocol { candidates: Candidates::HeldOutRated, ..whole.clone() };
            let fill = |user: u32, row: &mut [f32]| {
                row.iter_mut().enumerate().for_each(|(item, s)| *s = score(user, item as u32));
            };
            let got = catalogue.evaluate(&whole, fill).unwrap();
            let expected = written_out.evaluate(&listed, &scores).unwrap();
            assert_eq!(got.candidates, expected.candidates);
            for metric in RankingMetric::ALL {
                for (a, b) in got.values(metric).iter().zip(expected.values(metric)) {
                    assert_eq!(a.is_some(), b.is_some());
                    assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-12, "{metric} {ties:?} {k}");
                }
            }
            let blocks = catalogue
                .evaluate_blocks(&whole, 7, |users, rows| {
                    users
                        .iter()
                        .zip(rows.chunks_mut(items as usize))
                        .for_each(|(&user, row)| fill(user, row));
                })
                .unwrap();
            assert_eq!(blocks, got);
            for (a, b) in [
                (catalogue.floor(&whole).unwrap(), written_out.floor(&listed).unwrap()),
                (catalogue.ceiling(&whole).unwrap(), written_out.ceiling(&listed).unwrap()),
            ] {
                for metric in RankingMetric::ALL {
                    assert!((a.mean(metric).unwrap() - b.mean(metric).unwrap()).abs() < 1e-12, "{metric}");
                }
            }
        }
    }
}

#[test]
fn excluded_items_are_neither_candidates_nor_relevant() {
    let held_out = CandidateLists::held_out(&[0, 0, 1], &[0, 1, 0], &[5.0, 5.0, 5.0]).unwrap();
    let exclude = Exclusions::new(&[0, 0, 1, 1, 1], &[1, 1, 0, 1, 2]).unwrap();
    let catalogue = Catalogue::new(&held_out, &exclude, 3).unwrap();
    // Even an excluded score of infinity does not enter.
    let result = catalogue
        .evaluate(&catalogue_protocol(1), |_, s| s.copy_from_slice(&[f32::NEG_INFINITY, f32::INFINITY, -1.0]))
        .unwrap();
    assert_eq!((result.candidates, result.relevant), (vec![2, 0], vec![1, 0]));
    assert_eq!(result.hit, [Some(0.0), None]);
}

#[test]
fn sampled_negatives_are_distinct_unrated_and_outside_what_the_unit_knows() {
    let held_out = CandidateLists::held_out(&[0, 1, 1], &[3, 4, 5], &[5.0, 4.0, 1.0]).unwrap();
    let exclude = Exclusions::new(&[0, 0, 1], &[1, 2, 0]).unwrap();
    let sampled = held_out.with_negatives(4, 9, 12, &exclude).unwrap();
    assert_eq!(sampled, held_out.with_negatives(4, 9, 12, &exclude).unwrap());
    let pairs = sampled.pairs();
    assert_eq!(pairs.len(), 3 + 2 * 4);
    for (user, known) in [(0, vec![1, 2, 3]), (1, vec![0, 4, 5])] {
        let own: Vec<u32> = pairs.iter().filter(|pair| pair.0 == user).map(|pair| pair.1).collect();
        let mut distinct = own.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), own.len());
        let held = own.iter().filter(|item| known.contains(item)).count();
        assert_eq!(held, if user == 0 { 1 } else { 2 }, "only held-out items are known: {own:?}");
    }
    // With fewer unrated items than asked for, all of them are taken.
    assert_eq!(held_out.with_negatives(100, 9, 12, &exclude).unwrap().rows(), 12 - 2 + 12 - 1);
    let protocol =
        RankingProtocol { candidates: Candidates::SampledNegatives { count: 4, seed: 9 }, ..protocol(1) };
    let result = sampled.evaluate(&protocol, &[1.0; 11]).unwrap();
    assert_eq!(result.relevant, [1, 1]);
    assert_eq!(result.precision, [Some(1.0 / 5.0), Some(1.0 / 6.0)]);
}

#[test]
fn every_unrated_item_is_sampled_equally_often() {
    let users: Vec<u32> = (0..3000).collect();
    let held_out = CandidateLists::held_out(&users, &vec![2; 3000], &vec![5.0; 3000]).unwrap();
    let sampled = held_out.with_negatives(3, 1, 10, &Exclusions::default()).unwrap();
    let mut counts = [0; 10];
    sampled.pairs().iter().for_each(|pair| counts[pair.1 as usize] += 1);
    assert_eq!(counts[2], 3000);
    // 1000 expected, standard deviation 26.
    assert!((0..10).filter(|&i| i != 2).all(|i| (880..1120).contains(&counts[i])), "{counts:?}");
}

#[test]
fn protocols_survive_json_and_read_as_a_sentence() {
    let group = RankingProtocol {
        candidates: Candidates::SampledNegatives { count: 99, seed: 3 },
        unit: Unit::Group,
        precision: PrecisionDenominator::MinKN,
        recall: RecallDenominator::MinKRelevant,
        without_relevant: WithoutRelevant::Zero,
        ties: Ties::Random { seed: 5 },
        gain: Gain::Binary,
        ..RankingProtocol::default()
    };
    let json = serde_json::to_string(&group).unwrap();
    assert!(json.contains(r#""candidates":{"sampled_negatives":{"count":99,"seed":3}}"#), "{json}");
    assert_eq!(serde_json::from_str::<RankingProtocol>(&json).unwrap(), group);
    assert_eq!(serde_json::from_str::<RankingProtocol>("{}").unwrap(), RankingProtocol::default());
    assert!(serde_json::from_str::<RankingProtocol>(r#"{"threshold":4}"#).is_err());
    assert_eq!(
        group.to_string(),
        "Top 10 of each group's held-out items and 99 sampled unrated items (seed 3), relevant from grade 4; \
         precision over min(10, candidates), recall over min(10, relevant), NDCG with binary gain; ties in random \
         order (seed 5); groups without a relevant item count as 0"
    );
}

#[test]
fn negatives_that_somebody_else_sampled_keep_their_protocol() {
    let (units, items) = ([0, 0, 0, 4, 4], [7, 1, 2, 3, 9]);
    let grades = [1.0, UNRATED, UNRATED, UNRATED, 1.0];
    let lists = CandidateLists::sampled(&units, &items, &grades, 2, 5).unwrap();
    let candidates = Candidates::SampledNegatives { count: 2, seed: 5 };
    let protocol = RankingProtocol {
        candidates,
        k: 1,
        relevant_from: 1.0,
        gain: Gain::Binary,
        ..RankingProtocol::default()
    };
    let result = lists.evaluate(&protocol, &[0.9, 0.1, 0.2, 0.8, 0.3]).unwrap();
    assert_eq!((result.units, result.ndcg), (vec![0, 4], vec![Some(1.0), Some(0.0)]));
    let few = CandidateLists::sampled(&units, &items, &grades, 1, 5).unwrap_err().to_string();
    assert_eq!(few, "`count` is 1, and unit 0 has 2 negatives; allowed: at least a unit's negatives");
    assert!(CandidateLists::sampled(&units, &items, &grades, 0, 5).is_err());
}
