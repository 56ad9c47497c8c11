//! Where the time goes, measured without a trace in the results.

use super::*;

#[test]
fn a_profile_changes_no_bit_and_accounts_for_the_wall_time() {
    let watched = TrainConfig { profile: true, ..config() };
    let train =
        |config: &TrainConfig| run(&Line::new(), &mut Fixed::new(vec![1.0, 0.5]).unwrap(), config).unwrap();
    let (plain, seen) = (train(&config()), train(&watched));
    for (a, b) in plain.params.slots().iter().zip(seen.params.slots()) {
        assert_eq!(a.value, b.value);
    }
    assert!(plain.profile.is_none());
    let profile = seen.profile.unwrap();
    assert_eq!((profile.epochs, profile.steps), (12, 12 * 4));
    let named: std::time::Duration = profile.phases.iter().map(|phase| phase.wall).sum();
    assert_eq!(named + profile.elsewhere(), profile.wall);
    // Rows by the product's 1 × 1, twice forward; backward the gradient of the weight, and of the input, which dropout made wanted no more.
    let line = profile.ops.lines().iter().find(|line| line.op == "linear").unwrap();
    assert_eq!(line.forward_flops, 2.0 * 100.0 * 12.0);
    let text = profile.to_string();
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    assert!(
        ["preparing batches", "the optimiser", "shards, forward"].iter().all(|name| text.contains(name)),
        "{text}"
    );
}

#[test]
fn a_watched_run_goes_on_from_a_checkpoint_of_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let go = |profile: bool, pause_after: Option<usize>| {
        let config = TrainConfig { profile, ..config() };
        let point = Checkpoint { path: &path, pause_after };
        let mut fixed = Fixed::new(vec![1.0, 0.5]).unwrap();
        train(&Line::new(), &mut fixed, &config, 1, None, Some(point), &mut |_| {}).unwrap()
    };
    go(false, Some(5));
    let rest = go(true, None);
    let whole = run(&Line::new(), &mut Fixed::new(vec![1.0, 0.5]).unwrap(), &config()).unwrap();
    assert_eq!(rest.params.slots()[0].value, whole.params.slots()[0].value);
    assert_eq!(rest.profile.unwrap().epochs, 7, "the epochs of the checkpoint have none");
}

#[test]
fn asking_for_a_profile_is_not_written_into_settings() {
    let watched = TrainConfig { profile: true, ..config() };
    assert_eq!(serde_json::to_string(&watched).unwrap(), serde_json::to_string(&config()).unwrap());
    assert_eq!(format!("{watched:?}"), format!("{:?}", config()));
    let asked: TrainConfig = serde_json::from_str("{\"profile\": true}").unwrap();
    assert!(asked.profile);
}
