//! Features of events, rules and stages.

use kohort_cohorts::behaviour::{
    BehaviourError, Column, DAY, Events, Features, Is, Lifecycle, Moments, RecencyConfig, Rule, Stage, Stages,
};
use kohort_cohorts::{Points, Standardiser};
use proptest::prelude::*;

use crate::{config, same_partition};

fn at(user: &[u32], day: &[i64], users: usize, moment: i64) -> Features {
    let time: Vec<i64> = day.iter().map(|d| d * DAY).collect();
    RecencyConfig::at(moment * DAY).of(&Events::new(users, user, &time, None).unwrap()).unwrap()
}

#[test]
fn features_are_those_of_the_formulas() {
    let time: Vec<i64> = [10, 50, 65, 90, 95].map(|day| day * DAY).to_vec();
    let events = Events::new(1, &[0; 5], &time, Some(&[1.0, 2.0, 3.0, 4.0, 5.5])).unwrap();
    let features = RecencyConfig::at(100 * DAY).of(&events).unwrap();
    // Last window [70, 100): 2 events; the one before [40, 70): 2 events.
    let expected = [5.0, 5.0, 90.0, 85.0 / 4.0, 5.0 / 3.0, 0.0, 3.1, 15.5];
    for (column, (value, expected)) in features.columns().iter().zip(features.row(0).iter().zip(expected)) {
        assert!((value.unwrap() - expected).abs() < 1e-12, "{}: {value:?}, {expected}", column.name);
    }
}

#[test]
fn windows_meet_without_a_gap_and_an_event_counts_once() {
    let trend = |days: &[i64]| at(&vec![0; days.len()], days, 1, 100).column("trend").unwrap()[0].unwrap();
    // Day 70 opens the last window, day 40 the one before, day 39 lies before both.
    assert!((trend(&[0, 70]) - (1.5f64 / 0.5).log2()).abs() < 1e-12);
    assert!((trend(&[0, 40]) - (0.5f64 / 1.5).log2()).abs() < 1e-12);
    assert_eq!(trend(&[0, 39]), 0.0);
}

#[test]
fn users_with_no_or_one_event_have_what_they_can_have() {
    let features = at(&[1], &[95], 2, 100);
    assert_eq!(features.row(0), [Some(0.0), None, None, None, None, None]);
    assert_eq!(features.row(1), [Some(1.0), Some(5.0), Some(5.0), None, Some(1.0), None]);
    let none = RecencyConfig::at(0).of(&Events::new(0, &[], &[], None).unwrap()).unwrap();
    assert_eq!(none.users(), 0);
    assert!(Lifecycle::default().stages().unwrap().assign(&none).unwrap().is_empty());
}

#[test]
fn planted_lives_get_their_stages() {
    let mut user = vec![];
    let mut day = vec![];
    let mut live = |who: u32, days: &mut dyn Iterator<Item = i64>| {
        for d in days {
            user.push(who);
            day.push(d);
        }
    };
    live(1, &mut [195i64, 198].into_iter()); // came last week
    live(2, &mut (0..120).step_by(3)); // stopped coming
    live(3, &mut (0..200).step_by(10).chain(171..200)); // comes more and more
    live(4, &mut (0..200).step_by(7)); // comes weekly
    live(5, &mut [130i64].into_iter()); // came once, 70 days ago
    let stages = Lifecycle::default().stages().unwrap();
    let labels = stages.assign(&at(&user, &day, 6, 200)).unwrap();
    let names: Vec<&str> = labels.iter().map(|&label| stages.names()[label as usize]).collect();
    assert_eq!(names, ["unseen", "new", "dormant", "growing", "mature", "dormant"]);
}

#[test]
fn clusters_of_features_find_planted_habits() {
    // Even users come daily for 90 days, odd ones every three weeks.
    let (mut user, mut day) = (vec![], vec![]);
    for who in 0..40u32 {
        let step = if who % 2 == 0 { 1 } else { 21 };
        for d in (i64::from(who % 5)..90).step_by(step) {
            user.push(who);
            day.push(d);
        }
    }
    let features = at(&user, &day, 41, 90);
    let (users, values) = features.points(&["recency", "frequency"]).unwrap();
    assert_eq!(users, (0..40).collect::<Vec<u32>>(), "user 40 has no events and no place");
    let scaled = Standardiser::fit(&Points::new(&values, 2).unwrap()).apply(&values);
    let fit = config(2).fit(&Points::new(&scaled, 2).unwrap()).unwrap();
    assert!(same_partition(&fit.labels, &users.iter().map(|u| u % 2).collect::<Vec<_>>()));
}

#[test]
fn an_undefined_feature_meets_no_comparison_and_therefore_every_negated_one() {
    let features = Features::new(vec![Column::new("x", "")], vec![None, Some(1.0)]).unwrap();
    for is in [Is::AtLeast, Is::Above, Is::AtMost, Is::Below] {
        let rule = Rule::when("x", is, 0.0, "");
        assert!(!rule.holds(&features, 0).unwrap());
        assert!(Rule::Not(Box::new(rule)).holds(&features, 0).unwrap());
    }
    assert!(Rule::All(vec![]).holds(&features, 0).unwrap());
    assert!(!Rule::Any(vec![]).holds(&features, 0).unwrap());
}

#[test]
fn thresholds_are_in_or_out_as_the_words_say() {
    let features = Features::new(vec![Column::new("x", "")], vec![Some(2.0)]).unwrap();
    let holds = [Is::AtLeast, Is::Above, Is::AtMost, Is::Below]
        .map(|is| Rule::when("x", is, 2.0, "").holds(&features, 0).unwrap());
    assert_eq!(holds, [true, false, true, false]);
}

#[test]
fn stages_survive_storage_and_are_checked_when_read() {
    let stages = Lifecycle::default().stages().unwrap();
    let text = serde_json::to_string(&stages).unwrap();
    assert_eq!(serde_json::from_str::<Stages>(&text).unwrap(), stages);
    let error = serde_json::from_str::<Stages>(&text.replace("\"mature\"", "\"new\"")).unwrap_err();
    assert!(error.to_string().contains("name of stage 4 = \"new\""), "{error}");
    let lifecycle: Lifecycle = serde_json::from_str("{\"new_days\": 7}").unwrap();
    assert_eq!(lifecycle, Lifecycle { new_days: 7.0, ..Lifecycle::default() });
}

#[test]
fn bad_events_features_and_rules_are_named() {
    let says = |error: BehaviourError, text: &str| assert_eq!(error.to_string(), text);
    says(Events::new(1, &[0, 0], &[1], None).unwrap_err(), "time: 1 entries, expected 2, one for each event");
    says(Events::new(1, &[0, 1], &[1, 2], None).unwrap_err(), "event 1: user 1 does not exist, there are 1");
    says(
        Events::new(1, &[0], &[1], Some(&[f64::NAN])).unwrap_err(),
        "event 0: value NaN is not allowed, it must be finite and at most 1e15 in magnitude",
    );
    let column = || vec![Column::new("a", "days"), Column::new("b", "")];
    says(
        Features::new(column(), vec![None, Some(f64::NAN)]).unwrap_err(),
        "user 0, feature b: NaN is not allowed, it must be undefined or finite and at most 1e15 in magnitude",
    );
    says(Features::new(column(), vec![None; 3]).unwrap_err(), "3 values do not fill rows of 2 features");
    says(Features::new(vec![], vec![]).unwrap_err(), "0 values do not fill rows of 0 features");
    let features = Features::new(column(), vec![None; 2]).unwrap();
    let stage = |name: &str, unit: &str| {
        Stages::new(vec![Stage::new("s", Rule::when(name, Is::Above, 1.0, unit))], "rest").unwrap()
    };
    says(stage("c", "").assign(&features).unwrap_err(), "no feature \"c\"; there are a, b");
    says(
        stage("a", "weeks").assign(&features).unwrap_err(),
        "feature \"a\" is in \"days\", the rule's threshold in \"weeks\"",
    );
    let nan = Rule::when("a", Is::Above, f64::NAN, "days");
    says(
        Stages::new(vec![Stage::new("s", nan)], "rest").unwrap_err(),
        "threshold of a = NaN: allowed is a finite number, at most 1e15 in magnitude",
    );
    let deep = (0..40).fold(Rule::All(vec![]), |rule, _| Rule::Not(Box::new(rule)));
    assert!(deep.check().is_err());
    let none = RecencyConfig { window_days: 0.0, ..RecencyConfig::at(0) };
    says(
        none.of(&Events::new(0, &[], &[], None).unwrap()).unwrap_err(),
        "window_days = 0: allowed is a number above 0 and at most 36500",
    );
    assert!(Lifecycle { new_days: f64::NAN, ..Lifecycle::default() }.stages().is_err());
}

proptest! {
    #[test]
    fn what_happens_at_the_moment_or_later_changes_nothing(
        events in prop::collection::vec((0u32..5, 0i64..200, -9.0f64..9.0), 0..60),
        moment in 0i64..200,
    ) {
        let of = |rows: &[(u32, i64, f64)]| {
            let user: Vec<u32> = rows.iter().map(|r| r.0).collect();
            let time: Vec<i64> = rows.iter().map(|r| r.1 * DAY).collect();
            let value: Vec<f64> = rows.iter().map(|r| r.2).collect();
            RecencyConfig::at(moment * DAY).of(&Events::new(5, &user, &time, Some(&value)).unwrap()).unwrap()
        };
        let earlier: Vec<_> = events.iter().copied().filter(|e| e.1 < moment).collect();
        let features = of(&events);
        prop_assert_eq!(&features, &of(&earlier));
        for user in 0..5 {
            let row = features.row(user);
            let n = row[0].unwrap();
            prop_assert_eq!(row[1].is_some(), n > 0.0);
            prop_assert_eq!(row[3].is_some(), n > 1.0);
            if let (Some(recency), Some(tenure)) = (row[1], row[2]) {
                prop_assert!(recency > 0.0 && recency <= tenure);
                prop_assert!(row[4].unwrap() <= n);
            }
        }
    }

    #[test]
    fn every_user_is_in_exactly_one_stage(
        events in prop::collection::vec((0u32..9, 0i64..200), 0..60), moment in 0i64..250,
    ) {
        let user: Vec<u32> = events.iter().map(|e| e.0).collect();
        let day: Vec<i64> = events.iter().map(|e| e.1).collect();
        let features = at(&user, &day, 9, moment);
        let stages = Lifecycle::default().stages().unwrap();
        let labels = stages.assign(&features).unwrap();
        prop_assert_eq!(labels.len(), 9);
        for (user, &label) in labels.iter().enumerate() {
            let first = stages.stages().iter().position(|s| s.when.holds(&features, user).unwrap());
            prop_assert_eq!(label as usize, first.unwrap_or(4));
        }
    }
}

proptest! {
    #[test]
    fn features_at_moments_are_those_of_each_moment(
        events in prop::collection::vec((0u32..4, 0i64..200, 1u8..5), 0..40),
        asked in prop::collection::vec((0u32..5, -10i64..220), 0..20),
        window in 1u8..60,
    ) {
        let user: Vec<u32> = events.iter().map(|e| e.0).collect();
        let time: Vec<i64> = events.iter().map(|e| e.1 * DAY / 2).collect();
        let value: Vec<f64> = events.iter().map(|e| e.2.into()).collect();
        let events = Events::new(5, &user, &time, Some(&value)).unwrap();
        let who: Vec<u32> = asked.iter().map(|a| a.0).collect();
        let when: Vec<i64> = asked.iter().map(|a| a.1 * DAY / 2).collect();
        let found = Moments { window_days: window.into() }.of(&events, &who, &when).unwrap();
        for (row, (&who, &when)) in who.iter().zip(&when).enumerate() {
            let alone = RecencyConfig { moment: when, window_days: window.into() }.of(&events).unwrap();
            prop_assert_eq!(found.row(row), alone.row(who as usize));
        }
    }
}

#[test]
fn moments_that_cannot_be_are_named() {
    let events = Events::new(2, &[0], &[5], None).unwrap();
    let message = |window_days: f64, user: &[u32], moment: &[i64]| {
        Moments { window_days }.of(&events, user, moment).unwrap_err().to_string()
    };
    assert_eq!(message(30.0, &[0], &[]), "moment: 0 entries, expected 1, one for each event");
    assert_eq!(message(30.0, &[2], &[0]), "event 0: user 2 does not exist, there are 2");
    assert!(message(0.0, &[0], &[0]).starts_with("window_days = 0: allowed is"));
}
