//! What does not fit is named, with what is allowed.

use super::*;

#[track_caller]
fn refused(input: Input<'_>, config: &Config, message: &str) {
    let error = fit(input, config, 1, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains(message), "{error:?} does not say {message:?}");
}

#[test]
fn data_that_do_not_fit_are_named() {
    let world = world();
    let input = world.input();
    let short = noise("short", 3, 4);
    refused(Input { titles: &short, ..input }, &small(), "rows of the title vectors: 3, expected 150");
    refused(
        Input { users: UserInput::Given(&short), ..input },
        &small(),
        "rows of the user vectors: 3, expected 300",
    );
    refused(
        Input { users: UserInput::Folded(&short), ..input },
        &small(),
        "rows of the item factors: 3, expected 150",
    );
    refused(Input { weights: Some(&[1.0]), ..input }, &small(), "row weights: 1, expected ");
    let mut weights = vec![1.0; world.split.train.rows().len()];
    weights[7] = f32::NAN;
    refused(Input { weights: Some(&weights), ..input }, &small(), "row weight 7 is NaN");

    let mut of_user = world.markets.of_user().to_vec();
    of_user[12] = 9;
    let groups = Some(Groups { of_user: &of_user, count: 4 });
    refused(Input { groups, ..input }, &small(), "user 12 is in group 9, allowed are 0 to below 4");
    let groups = Some(Groups { of_user: world.markets.of_user(), count: 6 });
    refused(Input { groups, ..input }, &small(), "group 4 of 6 has no training row");
    let groups = Some(Groups { of_user: &of_user[1..], count: 10 });
    refused(Input { groups, ..input }, &small(), "users with a group: 299, expected 300");

    let one = Territories::new(vec!["one".into()], vec![0]).unwrap();
    refused(Input { territories: &one, ..input }, &small(), "users with a territory: 1, expected 300");
    let config = Config { labels: Labels::Shown { threshold: 2.0 }, ..small() };
    refused(input, &config, "is a positive");
    let clicks = world.clicks();
    let other = rows(300, 150, &[(0, 0, 1.0), (1, 1, 1.0)]);
    let known = Input { train: &clicks, known: Some(&other), ..input };
    refused(known, &sampled(), "a row to learn from that is not among the known rows");
    refused(known, &small(), "a row to learn from that is not among the known rows");
    let empty = rows(300, 150, &[]);
    refused(Input { train: &empty, ..input }, &small(), "no rows");
    let candidates = RankingCandidates {
        user: vec![0, 0],
        item: vec![1, 150],
        positive: vec![true, false],
        count: 1,
        seed: 0,
        short: 0,
    };
    let held = Input { validation: Some(&candidates), ..input };
    refused(held, &small(), "item of the validation candidates: 150, allowed is below 150");
    let candidates = RankingCandidates { item: vec![1, 2], ..candidates };
    for count in [0, 1] {
        // Two negatives where one was asked for.
        let (user, item, positive) = (vec![0; 3], vec![1, 2, 3], vec![true, false, false]);
        let candidates = RankingCandidates { user, item, positive, count, ..candidates.clone() };
        let held = Input { validation: Some(&candidates), ..input };
        refused(held, &Config { stop: Stop::Ndcg, ..small() }, "validation candidates: ");
    }
    let candidates = RankingCandidates { positive: vec![false; 2], ..candidates };
    refused(Input { validation: Some(&candidates), ..input }, &small(), "none of 2 rows is a positive");
}

#[test]
fn a_vector_with_a_nan_never_gets_here() {
    let error = Vectors::new(vec![0.0, f32::NAN], 2).unwrap_err().to_string();
    assert!(error.contains("row 0, column 1"), "{error}");
}

#[test]
fn the_shipped_configs_are_valid_and_wrong_settings_are_named() {
    assert_eq!(Config::paper(), Config::default());
    assert_eq!(Config::xmarket().blocks, Config::paper().blocks);
    let message = |text: &str| Config::from_toml(text).unwrap_err().to_string();
    let unknown = message("user = [8]\ntemprature = 3");
    assert!(unknown.contains("unknown field `temprature`") && unknown.contains("line 2"), "{unknown}");
    for (text, expected) in [
        ("user = []", "user = [], allowed is up to 16 layers"),
        ("user = [0, 128]", "user = [0, 128], allowed is widths from 1 to 8192"),
        (
            "title = [64]",
            "title = [64] beside user = [256, 128], allowed is the same last width for both towers",
        ),
        ("dropout = 1.0", "dropout = 1, allowed is a number in [0, 1)"),
        ("block_decay = -1.0", "block_decay = -1, allowed is a finite number of at least 0"),
        ("block_rate = 0.0", "block_rate = 0, allowed is a finite number above 0"),
        ("block_rate = nan", "block_rate = NaN, allowed is a finite number above 0"),
        ("blocks = { own_layers = 3 }", "blocks.own_layers = 3, allowed is at most the user tower's layers"),
        ("logit = { scale = 0.0 }", "logit.scale = 0, allowed is a finite number above 0"),
        ("denominator = { fixed = 0.0 }", "denominator.fixed = 0, allowed is a finite number above 0"),
        (
            "labels = { sampled = { negatives = 0 } }",
            "labels.sampled.negatives = 0, allowed is from 1 to 1000 for the logistic loss, which needs both classes",
        ),
        (
            "labels = { shown = { threshold = 1.0 } }\nloss = { softmax = { log_q = true } }",
            "loss = softmax, allowed is logistic where labels are shown: a softmax needs a positive in each row",
        ),
        ("train = { batch = 0 }", "batch = 0, allowed is a whole number of at least 1"),
    ] {
        assert_eq!(message(text), expected);
    }
}
