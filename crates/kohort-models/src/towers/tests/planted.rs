//! Groups whose right answer is known.

use kohort_eval::binary::average_precision;

use super::*;

const USERS: usize = 120;
const ITEMS: usize = 40;
const SHOWN: usize = 30;

/// Everybody is shown titles of two kinds and clicks those of one with probability 0.8, of the other with 0.2; which kind
/// is the group's. User vectors are noise: nothing else tells groups apart.
fn planted(opposite: bool, seed: u64) -> (Train, Train) {
    let (mut train, mut test) = (Vec::new(), Vec::new());
    let mut numbers = stream(seed, "planted", &[]);
    for user in 0..USERS as u32 {
        for n in 0..SHOWN {
            let item = numbers.random_range(0..ITEMS as u32);
            let liked = item % 2 == if opposite { user % 2 } else { 0 };
            let click = numbers.random_bool(if liked { 0.8 } else { 0.2 });
            let part = if n % 3 == 0 { &mut test } else { &mut train };
            part.push((user, item, f32::from(u8::from(click))));
        }
    }
    (rows(USERS, ITEMS, &train), rows(USERS, ITEMS, &test))
}

/// PR-AUC on held-out rows: of the blocks' model and of the baseline.
fn measured(opposite: bool, seed: u64) -> [f64; 2] {
    let (train, test) = planted(opposite, seed);
    let users = noise("planted users", USERS, 4);
    let kind = (0..ITEMS).flat_map(|item| [1.0 - 2.0 * (item % 2) as f32, 1.0]).collect();
    let titles = Vectors::new(kind, 2).unwrap();
    let of_user: Vec<u32> = (0..USERS as u32).map(|user| user % 2).collect();
    let halves = Territories::new(vec!["even".into(), "odd".into()], of_user.clone()).unwrap();
    let config = Config {
        user: vec![8, 4],
        title: vec![8, 4],
        train: TrainConfig { epochs: 10, ..small().train },
        ..small()
    };
    [Some(Groups { of_user: &of_user, count: 2 }), None].map(|groups| {
        let input = Input {
            train: &train,
            known: None,
            users: UserInput::Given(&users),
            titles: &titles,
            territories: &halves,
            groups,
            weights: None,
            validation: None,
        };
        let model = fit(input, &config, seed, &mut |_| {}).unwrap();
        let rows = test.rows();
        let scores = model.score(Queries { user: &rows.user, item: &rows.item, time: &rows.time });
        let labels: Vec<bool> = rows.rating.iter().map(|&rating| rating == 1.0).collect();
        average_precision(&scores, &labels).unwrap().unwrap()
    })
}

/// An oracle has about 0.77; who can't tell the groups apart, the prevalence of about 0.5.
#[test]
fn where_groups_want_the_opposite_blocks_win_by_a_wide_margin() {
    for seed in 0..3 {
        let [blocks, baseline] = measured(true, seed);
        assert!(blocks > baseline + 0.1, "seed {seed}: {blocks} against {baseline}");
        assert!(blocks > 0.7, "seed {seed}: {blocks}");
    }
}

#[test]
fn where_groups_are_alike_blocks_lose_no_more_than_noise() {
    let gains: Vec<f64> = (0..4)
        .map(|seed| {
            let [blocks, baseline] = measured(false, seed);
            blocks - baseline
        })
        .collect();
    let mean = gains.iter().sum::<f64>() / 4.0;
    assert!(mean.abs() < 0.02, "{gains:?}");
}
