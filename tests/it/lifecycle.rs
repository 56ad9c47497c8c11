//! Stages of a user's life, from behaviour before each row, as cohorts of rows and as what a weight rule speaks of.

use kohort::cohorts::behaviour::{DAY, Events, Lifecycle, Moments};
use kohort::data::records::{CohortPaths, Records, Target, TrainRecords};
use kohort::data::{Column, Features};
use kohort::models::groupce;
use kohort::models::parts::{Cohorts, Composition, Part, Weighted};
use kohort::models::trainer::TrainConfig;
use kohort::objectives::rules::{self, Kind, Known, Rows, Rules, WeightRule};

/// Users 0 to 19 came on some days; every row carries the stage that its user was in just before it.
fn visits() -> (Vec<u32>, Vec<i64>, Vec<String>) {
    let (mut user, mut time) = (Vec::new(), Vec::new());
    for who in 0..20u32 {
        // Odd users come every day, even ones once in three months.
        let (visits, every) = if who % 2 == 1 { (90, 1) } else { (4, 90) };
        for visit in 0..visits {
            user.push(who);
            time.push((visit * every + i64::from(who)) * DAY);
        }
    }
    let events = Events::new(20, &user, &time, None).expect("visits and their stages");
    let before = Moments { window_days: 30.0 }.of(&events, &user, &time).expect("visits and their stages");
    let stages = Lifecycle::default().stages().expect("visits and their stages");
    let names = stages.names();
    let of_row = stages
        .assign(&before)
        .expect("visits and their stages")
        .iter()
        .map(|&stage| names[stage as usize].to_owned())
        .collect();
    (user, time, of_row)
}

#[test]
fn stages_before_each_row_are_a_cohort_source() {
    let (user, _, stages) = visits();
    let mut cohorts = Features::new(user.len());
    cohorts.push("stage", Column::categorical(stages.iter().map(String::as_str))).unwrap();
    let mut features = Features::new(user.len());
    features.push("n", Column::Numeric(vec![0.0; user.len()])).unwrap();
    let records = Records { cohorts, ..Records::new("visits", features) };
    let train = TrainRecords::new(records).unwrap();
    let paths = CohortPaths::of(&train, &["stage"]).unwrap();
    let mut names = paths.names().to_vec();
    names.sort();
    assert_eq!(names, ["dormant", "mature", "new", "unseen"]);
    let of_row = paths.assign(train.cohorts()).unwrap();
    let count = |name: &str| {
        let cohort = paths.names().iter().position(|known| known == name).unwrap() as u32;
        of_row.iter().filter(|&&of| of == cohort).count()
    };
    // A first visit is unseen; the even users' others are dormant; odd users are new for 29 more days, and then mature.
    assert_eq!([count("unseen"), count("dormant"), count("new"), count("mature")], [20, 30, 290, 600]);
}

#[test]
fn a_weight_rule_may_speak_of_a_stage() {
    let (_, _, stages) = visits();
    let names: Vec<String> =
        Lifecycle::default().stages().unwrap().names().iter().map(|&n| n.to_owned()).collect();
    let codes: Vec<u32> =
        stages.iter().map(|stage| names.iter().position(|name| name == stage).unwrap() as u32).collect();
    let known = Known {
        tasks: vec!["click".into()],
        cohorts: vec![],
        columns: vec![("stage".into(), Kind::Names(names))],
    };
    let rule = |stage: &str| {
        let text = format!(
            "name = \"who is back\"\nfactor = 3.0\nwhen = [{{ column = \"stage\", any-of = [\"{stage}\"] }}]"
        );
        toml_rule(&text)
    };
    let rules = Rules::new(&[rule("dormant")], &known).unwrap();
    let rows = Rows { count: codes.len(), cohorts: &[], columns: &[rules::Column::Codes(&codes)] };
    let weights = rules.weights(rows, 0).unwrap();
    let weights = weights[0].as_ref().unwrap();
    assert!(stages.iter().zip(weights).all(|(stage, &w)| w == if stage == "dormant" { 3.0 } else { 1.0 }));
    let wrong = Rules::new(&[rule("asleep")], &known).unwrap_err().to_string();
    assert!(wrong.contains("asleep") && wrong.contains("dormant"), "{wrong}");
}

fn toml_rule(text: &str) -> WeightRule {
    toml::from_str(text).expect("a rule")
}

#[test]
fn a_loss_of_its_own_may_go_to_each_stage() {
    let (user, _, stages) = visits();
    let rows = user.len();
    let mut features = Features::new(rows);
    let text: Vec<String> = user.iter().map(u32::to_string).collect();
    features.push("user", Column::categorical(text.iter().map(String::as_str))).unwrap();
    let item: Vec<String> = (0..rows).map(|row| (row * 7 % 13).to_string()).collect();
    features.push("item", Column::categorical(item.iter().map(String::as_str))).unwrap();
    let targets = vec![Target::binary("click", (0..rows).map(|row| row * 7 % 13 > 6))];
    let train = TrainRecords::new(Records { targets, ..Records::new("visits", features) }).unwrap();
    let names: Vec<String> =
        Lifecycle::default().stages().unwrap().names().iter().map(|&n| n.to_owned()).collect();
    let of_row: Vec<u32> =
        stages.iter().map(|stage| names.iter().position(|name| name == stage).unwrap() as u32).collect();
    let part = |part, weight| Weighted { part, weight };
    let config = groupce::Config {
        target: "click".into(),
        item: Some("item".into()),
        compositions: vec![
            Composition {
                cohort: Some("new".into()),
                parts: vec![part(Part::Bce, 1.0), part(Part::Novelty, 0.1)],
            },
            Composition { cohort: None, parts: vec![part(Part::Bce, 1.0)] },
        ],
        lists: groupce::Lists::None,
        train: TrainConfig { epochs: 3, ..groupce::Config::default().train },
        ..groupce::Config::default()
    };
    let cohorts = Some(Cohorts { names: &names, of_row: &of_row });
    let input = groupce::Input { train: &train, validation: None, cohorts };
    let model = groupce::fit(input, &config, 1, &mut |_| {}).unwrap();
    assert!(model.epochs[2].losses[0].1 < model.epochs[0].losses[0].1);
    assert_eq!(model.predict(train.features()).unwrap().len(), rows);
}
