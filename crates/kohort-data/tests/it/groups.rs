//! Group ratings made from members' ratings.

use kohort_data::{Aggregate, Interactions, Members, Way, aggregate, synthetic};

#[test]
fn the_three_rules_differ_as_they_should_and_few_raters_do_not_count() {
    let (data, _) = synthetic::Recipe::small().generate(3).unwrap();
    let rows = &data.interactions;
    let groups = data.groups.as_ref().unwrap();
    let of = |how| aggregate(rows, &groups.members, how, 2).unwrap();
    let (mean, low, high) = (of(Aggregate::Average), of(Aggregate::LeastMisery), of(Aggregate::MostPleasure));
    assert!(mean.len() > 20);
    assert_eq!((&mean.user, &mean.item), (&low.user, &low.item));
    let strict = (0..mean.len()).filter(|&r| low.rating[r] < high.rating[r]).count();
    assert!(strict > 5);
    for row in 0..mean.len() {
        assert!(low.rating[row] <= mean.rating[row] && mean.rating[row] <= high.rating[row]);
        let own: Vec<f64> = (0..rows.len())
            .filter(|&r| {
                rows.item[r] == mean.item[row]
                    && groups.members.of(mean.user[row] as usize).contains(&rows.user[r])
            })
            .map(|r| f64::from(rows.rating[r]))
            .collect();
        assert!(own.len() >= 2);
        assert!((own.iter().sum::<f64>() / own.len() as f64 - f64::from(mean.rating[row])).abs() < 1e-6);
    }
    mean.check().unwrap();
    mean.check_pairs().unwrap();
}

#[test]
fn a_split_by_group_asks_nothing_that_training_answers() {
    let (data, truth) = synthetic::Recipe::small().generate(4).unwrap();
    let members = Members::from_assignment(&truth.cohort, truth.cohorts).unwrap();
    let split = Way::RandomRows { share: 0.3 }.split(&data.interactions, 1).unwrap();
    let grouped = split.by_group(&members, Aggregate::Average, 1).unwrap();
    assert_eq!(grouped.train.rows().users, 4);
    assert!(!grouped.test.answers().is_empty());
    let (train, test) = (grouped.train.rows(), grouped.test.answers());
    for at in 0..test.len() {
        assert!(!(0..train.len()).any(|r| (train.user[r], train.item[r]) == (test.user[at], test.item[at])));
    }
    let all = split.test.by_group(&members, Aggregate::Average, 1).unwrap();
    assert!(all.answers().len() > test.len(), "without the rule they overlap");
    // Splits of group rows can be held out from and joined again like any other.
    let (train, validation) = grouped.train.hold_out(0.2, 5).unwrap();
    assert_eq!(train.with(validation), grouped.train);
}

#[test]
fn impossible_groups_are_refused() {
    let rows =
        Interactions { user: vec![0], item: vec![0], rating: vec![1.0], time: vec![0], users: 1, items: 1 };
    let members = Members::from_lists(&[vec![1]], 2).unwrap();
    let error = |at_least| aggregate(&rows, &members, Aggregate::Average, at_least).unwrap_err().to_string();
    assert_eq!(error(1), "group 0: user id 1 is not below 1");
    assert_eq!(error(0), "at_least: found 0, expected a number of members from 1 up");
    assert_eq!(Members::from_lists(&[vec![0, 0]], 2).unwrap_err().to_string(), "group 0: user 0 twice");
    assert_eq!(
        Members::from_assignment(&[0, 2], 2).unwrap_err().to_string(),
        "user 1: group 2 is not below 2"
    );
}
