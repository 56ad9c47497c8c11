use super::*;

#[test]
fn the_setting_is_read_and_names_clusters_for_every_data_set() {
    let settings = Settings::read().unwrap();
    for experiment in EXPERIMENTS.iter().filter(|experiment| experiment.name != drill::NAME) {
        assert!(settings.clusters(experiment.name).unwrap() > 1);
    }
    assert_eq!(settings.least(101), 3);
}

#[test]
fn the_drill_tells_what_was_planted_in_every_seed_and_nothing_where_all_is_astray() {
    let settings = Settings::read().unwrap().drill;
    let right = |outcome: &Outcome| outcome.numbers.iter().find(|n| n.metric == drill::RIGHT).unwrap().value;
    for seed in 0..5 {
        let outcome = drill::measure(&settings, seed).unwrap();
        assert_eq!(right(&outcome), 1.0, "seed {seed}: {:?}", outcome.remarks);
    }
    let noise = drill::Settings { astray: 1.0, ..settings };
    assert_eq!(right(&drill::measure(&noise, 0).unwrap()), 0.0);
}

#[test]
fn arms_of_a_set_have_names_of_their_own() {
    let mut names: Vec<String> = [Arm::Nothing].iter().chain(&ARMS).map(|arm| arm.system("leiden")).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 4);
}
