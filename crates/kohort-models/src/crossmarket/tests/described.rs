use super::*;
use crate::crossmarket::features::NAMES;

/// The formulas read from the table in `features.rs`, over all pairs of rows and without a thought of speed.
fn slow(
    rows: &Interactions,
    territories: &Territories,
    config: &Config,
    asked: Asked<'_>,
    item: u32,
) -> [f64; 7] {
    let all = || 0..rows.len();
    let day = |row: usize| rows.time[row] as f64 / DAY as f64;
    let users = |item: u32| all().filter(|&row| rows.item[row] == item).count() as f64;
    let fade = |gap: f64, days: f64| (-gap.abs() / days).exp();
    let mut together = vec![(0.0, 0.0); asked.history.len()];
    for (sums, seen) in together.iter_mut().zip(asked.history) {
        for a in all().filter(|&row| rows.item[row] == item && item != seen.item) {
            for b in all().filter(|&row| rows.item[row] == seen.item && rows.user[row] == rows.user[a]) {
                sums.0 += 1.0;
                sums.1 += fade(day(a) - day(b), config.near_days);
            }
        }
    }
    let home = |row: usize| Some(territories.of_user()[rows.user[row] as usize]) == asked.territory;
    let local: Vec<f64> = all().filter(|&row| rows.item[row] == item && home(row)).map(day).collect();
    let sees = |day: &f64| config.time == Time::TwoSided || *day < asked.now;
    let recent = local.iter().copied().filter(sees).map(|d| fade(asked.now - d, config.popularity_days));
    let s = config.shrinkage;
    let (n_i, sum) = (users(item), |weight: &dyn Fn(&Seen, (f64, f64)) -> f64| -> f64 {
        asked.history.iter().zip(&together).map(|(seen, &pair)| weight(seen, pair)).sum()
    });
    let similar = sum(&|seen, (c, _)| c / ((users(seen.item) + s).powf(0.75) * (n_i + s).powf(0.25)));
    let age = |seen: &Seen| match config.time {
        Time::None => 1.0,
        _ => fade(asked.now - seen.day, config.recency_days),
    };
    let recently = sum(&|seen, (c, _)| age(seen) * c / (users(seen.item) + s));
    let near = sum(&|seen, (_, near)| near / (users(seen.item) + s));
    let last = asked.history.first().zip(together.first());
    let last = last.map_or(0.0, |(seen, (c, _))| c / ((users(seen.item) + s) * (n_i + s)).sqrt());
    [
        (local.len() as f64 + 0.5).ln(),
        (n_i + 0.5).ln(),
        (recent.sum::<f64>() + 0.1).ln(),
        (0.01 + similar).ln(),
        (0.01 + recently).ln(),
        (0.01 + near).ln(),
        (0.01 + last).ln(),
    ]
}

fn configs() -> Vec<Config> {
    let mut configs = Vec::new();
    for time in [Time::TwoSided, Time::OneSided, Time::None] {
        for history in [History::Around, History::Before] {
            configs.push(Config { time, history, most_history: 4, ..Config::default() });
        }
    }
    configs
}

fn kept(features: &Features, all: [f64; 7]) -> Vec<f64> {
    features.kept().iter().map(|&n| all[n]).collect()
}

#[test]
fn features_equal_sums_over_all_pairs_of_rows() {
    let (rows, territories) = made_up(1);
    for config in configs() {
        let features = features(&rows, &territories, &config);
        let items: Vec<u32> = (0..rows.items as u32 + 1).collect();
        let mut history = Vec::new();
        // The last user has no row, and the one after that is unknown.
        for user in 0..rows.users as u32 + 1 {
            let now = features.histories.of_user(user, &mut history);
            let asked = Asked { territory: features.territory(user), history: &history, now };
            let found = describe(&features, asked, &items, None);
            for (&item, found) in items.iter().zip(found.chunks(features.width())) {
                let expected = kept(&features, slow(&rows, &territories, &config, asked, item));
                close(found, &expected, 2e-5, &format!("user {user}, item {item}, {config:?}"));
            }
        }
    }
}

#[test]
fn a_training_row_is_described_as_if_it_were_not_there() {
    let (rows, territories) = made_up(2);
    for config in configs() {
        let whole = features(&rows, &territories, &config);
        let mut history = Vec::new();
        for row in 0..rows.len() as u32 {
            let (user, item) = (rows.user[row as usize], rows.item[row as usize]);
            let now = whole.histories.of_row(user, row, &mut history);
            assert!(history.iter().all(|seen| seen.item != item));
            let asked = Asked { territory: whole.territory(user), history: &history, now };
            let other = (item + 1) % rows.items as u32;
            let own = Some(whole.histories.day(user, row));
            let found = describe(&whole, asked, &[item, other], own);

            let others: Vec<u32> = (0..rows.len() as u32).filter(|&r| r != row).collect();
            let rest = rows.select(&others);
            let without = features(&rest, &territories, &config);
            let expected: Vec<f64> =
                describe(&without, asked, &[item], None).iter().map(|&x| f64::from(x)).collect();
            let what = format!("row {row} of {config:?}");
            close(&found[..whole.width()], &expected, 2e-5, &what);
            let slow = kept(&whole, slow(&rest, &territories, &config, asked, item));
            close(&found[..whole.width()], &slow, 2e-5, &what);
            // Nobody else's numbers are touched.
            let alone = describe(&whole, asked, &[other], None);
            assert_eq!(found[whole.width()..], alone[..], "{what}");
        }
    }
}

/// Leaving out the row is needed: described with it, it stands out.
#[test]
fn with_itself_counted_a_training_row_would_look_different() {
    let (rows, territories) = made_up(2);
    let features = features(&rows, &territories, &Config::default());
    let mut history = Vec::new();
    let now = features.histories.of_row(rows.user[0], 0, &mut history);
    let asked = Asked { territory: features.territory(rows.user[0]), history: &history, now };
    let item = [rows.item[0]];
    let own = features.histories.day(rows.user[0], 0);
    let (left, counted) =
        (describe(&features, asked, &item, Some(own)), describe(&features, asked, &item, None));
    for (n, (left, counted)) in left.iter().zip(&counted).enumerate() {
        assert!(counted - left > 0.01, "{}: {left} and {counted}", NAMES[n]);
    }
}

#[test]
fn a_one_sided_count_knows_no_later_row() {
    let (mut rows, territories) = made_up(3);
    let config = Config { time: Time::OneSided, ..Config::default() };
    let recent = |rows: &Interactions, now: f64| -> Vec<f32> {
        let features = features(rows, &territories, &config);
        let asked = Asked { territory: Some(1), history: &[], now };
        let items: Vec<u32> = (0..rows.items as u32).collect();
        describe(&features, asked, &items, None).chunks(7).map(|f| f[2]).collect()
    };
    let now = 300.0;
    let before = recent(&rows, now);
    for time in rows.time.iter_mut().filter(|time| **time >= 300 * DAY) {
        *time += 1_000 * DAY;
    }
    assert_eq!(before, recent(&rows, now));
}

#[test]
fn histories_come_nearest_first_and_are_cut() {
    let rows = Interactions {
        user: vec![0; 5],
        item: vec![10, 11, 12, 13, 14],
        rating: vec![1.0; 5],
        time: [3, 1, 2, 2, 4].map(|day| day * DAY).to_vec(),
        users: 1,
        items: 15,
    };
    let looked_at = |time, reach, most, row: Option<u32>| {
        let config = Config { history: reach, most_history: most, time, ..Config::default() };
        let histories = crate::crossmarket::history::Histories::new(&rows, &config);
        let mut history = Vec::new();
        let now = match row {
            Some(row) => histories.of_row(0, row, &mut history),
            None => histories.of_user(0, &mut history),
        };
        (history.iter().map(|seen| seen.item).collect::<Vec<_>>(), now)
    };
    let items = |reach, most, row| looked_at(Time::TwoSided, reach, most, row);
    assert_eq!(items(History::Around, 9, None), (vec![14, 10, 13, 12, 11], 4.0));
    assert_eq!(items(History::Around, 2, None), (vec![14, 10], 4.0));
    assert_eq!(items(History::Around, 9, Some(3)), (vec![12, 11, 10, 14], 2.0));
    assert_eq!(items(History::Around, 3, Some(3)), (vec![12, 11, 10], 2.0));
    assert_eq!(items(History::Before, 9, Some(3)), (vec![12, 11], 2.0));
    assert_eq!(items(History::Before, 9, Some(1)), (vec![], 1.0), "the first row stands alone, on its day");
    assert_eq!(items(History::Around, 9, Some(1)), (vec![12, 13, 10, 14], 2.0));
    let one_sided = |row| looked_at(Time::OneSided, History::Before, 9, row).1;
    assert_eq!(
        (one_sided(None), one_sided(Some(3))),
        (5.0, 2.0),
        "after all training, and on the row's own day"
    );
}
